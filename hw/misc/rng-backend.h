/* What sources of randomness have in common: a queue of requests, served one after the other. */
#ifndef HW_MISC_RNG_BACKEND_H
#define HW_MISC_RNG_BACKEND_H

#include "hw/rng.h"

struct rng_request {
	size_t size;
	rng_fn *fn;
	void *opaque;
};

/* class_data of a type. */
struct rng_backend_ops {
	/* The first request of the queue is new: see to its bytes. */
	void (*start)(struct device *dev);
	/* There is none any more. */
	void (*stop)(struct device *dev);
};

struct rng_backend {
	struct device dev;
	GQueue requests; /* struct rng_request * */
};

/* The request that is being served; NULL: none. */
const struct rng_request *rng_current(struct rng_backend *b);
/* Serves it with these bytes, and starts the next. */
void rng_serve(struct rng_backend *b, const void *data, size_t len);

#endif
