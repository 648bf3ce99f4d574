/*
 * Sources of randomness for guests: the objects rng-random, rng-builtin and rng-egd.
 *
 * A device asks for bytes; they come, maybe fewer than asked for, in a callback on the main loop, never from
 * within the request. Several devices may share a source; each has one request at a time.
 */
#ifndef HW_RNG_H
#define HW_RNG_H

#include "device/device.h"

extern const struct device_type rng_backend_type; /* abstract base */
extern const struct device_type rng_random_type, rng_builtin_type, rng_egd_type;

typedef void rng_fn(void *opaque, const void *data, size_t len);

/* @size bytes at most, @size > 0. */
void rng_request(struct device *backend, size_t size, rng_fn *fn, void *opaque);
/* Forgets the request of @opaque, if there is one. */
void rng_cancel(struct device *backend, void *opaque);

/* For properties: PROP_LINK(..., &rng_link, ...) */
extern const struct link_kind rng_link;

#endif
