/*
 * Calling the register callbacks of a region.
 *
 * How the region stays alive while its callback runs, outside of any RCU read section:
 *
 *   LOCK_MACHINE	Whoever holds the machine lock is the only one who can publish a view. So the
 *			lock is taken first, then the range is looked up again, then the callback
 *			runs; nobody can clean the region up meanwhile but the callback itself.
 *   LOCK_DEVICE,	The region's `active` counter is raised within the read section that found
 *   LOCK_NONE		it and lowered after the callback. region_cleanup() waits for zero, and lets
 *			go of the machine lock while it waits, in case the callback wants it.
 *
 * event/lock.h has the order of locks. Hence a device that reaches registers by DMA from within a LOCK_DEVICE
 * callback without the machine lock is refused, but for LOCK_DEVICE registers of others; these it waits for
 * only for a bounded time, as the guest may tie a loop on purpose.
 *
 * A thread's callbacks in progress form a chain on its stack. An access to a region whose owner is in
 * it is a device reaching its own registers by DMA: refused, unless the region says it is reentrant.
 */
#ifndef MEM_DISPATCH_H
#define MEM_DISPATCH_H

#include "mem/region.h"

/* How many of @len bytes from @offset on go to the device in one access. */
unsigned dispatch_width(const struct io_ops *ops, uint64_t offset, uint64_t len);

/*
 * One access of @size (1, 2, 4, 8) bytes that lies in the region. For LOCK_MACHINE the caller has the
 * machine lock; the device's own is taken here. A read that is refused gives all ones.
 */
enum mem_result dispatch_read(struct region *r, uint64_t offset, unsigned size, uint64_t *value);
enum mem_result dispatch_write(struct region *r, uint64_t offset, unsigned size, uint64_t value);

/* Until no reader can find @r any more and no other thread is in its callbacks. */
void dispatch_wait_idle(struct region *r);

#endif
