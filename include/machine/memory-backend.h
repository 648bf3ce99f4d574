/*
 * Memory back ends as objects: -object memory-backend-{ram,memfd,file}.
 *
 * The device types own the properties; the memory itself is a struct ram_block (mem/ram.h), made
 * when the object is realized. A back end serves one user at a time.
 */
#ifndef MACHINE_MEMORY_BACKEND_H
#define MACHINE_MEMORY_BACKEND_H

#include "device/device.h"
#include "mem/ram.h"

extern const struct device_type memory_backend_type; /* abstract base: the common properties */
extern const struct device_type memory_backend_ram_type, memory_backend_memfd_type,
	memory_backend_file_type;

/* The memory of a back end, borrowed; NULL if @dev is something else. */
struct ram_block *memory_backend_ram(struct device *dev);

/* Takes it for the machine or a device: "memory backend 'x' is already in use" otherwise. */
struct ram_block *memory_backend_use(struct device *dev, GError **errp);
void memory_backend_release(struct device *dev);

/* For properties that name one: PROP_LINK(..., &memory_backend_link, ...) */
extern const struct link_kind memory_backend_link;

#endif
