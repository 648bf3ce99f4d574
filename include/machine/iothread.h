/*
 * iothread objects: event loops with a thread of their own, for queues of disks and network cards.
 *
 * A device gets one by a link property, PROP_LINK(..., "iothread", &iothread_link, ...) into a struct device *, and lets
 * what shall run there run on iothread_loop(), an exclusive loop (event/loop.h). While a device uses it the object
 * cannot be deleted: whoever stores the link takes a reference.
 */
#ifndef MACHINE_IOTHREAD_H
#define MACHINE_IOTHREAD_H

#include "api/command.h"
#include "device/device.h"

extern const struct device_type iothread_type;
extern const struct link_kind iothread_link;

/* The main loop for NULL. */
struct loop *iothread_loop(struct device *iothread);

extern const struct command iothread_commands[];

#endif
