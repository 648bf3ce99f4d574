/*
 * The machine lock, and the kinds of lock a device may declare.
 *
 * Devices never take a lock themselves: they declare one, and the framework takes it in mem/dispatch
 * before it calls a register callback, and in the loops before it calls a timer, watch or bottom half.
 * The machine lock is taken by the main loop while it dispatches, and by a vCPU thread around a
 * callback of a LOCK_MACHINE region. It is not recursive: code that may run under it or not uses
 * MACHINE_LOCK_SCOPE(). It is fair: nobody waits for more than one turn of everybody else.
 *
 * Order: the machine lock first, then one device's lock. Whoever holds the machine lock may wait for a
 * device's (reset and saving do, and register accesses by way of another device), because nobody who has
 * only a device's lock ever waits for the machine lock: machine_lock() asserts it. So a LOCK_DEVICE callback
 * works on its own state and on guest RAM. What needs the machine lock it defers to the main loop: the
 * level of an interrupt line, registers of other devices. Messages (pci_msi_notify(), pci_msix_notify()) are
 * deferred for it where need be. Two devices that reach each other's registers by DMA can tie a loop; so who
 * has a device's lock waits for another's only for a bounded time, and is then refused.
 *
 * An iothread's loop has such a lock too, which it holds while it dispatches: who wants to touch what runs there
 * takes it by loop_lock(), under the machine lock or not, and the same rules hold for what runs there.
 *
 * A LOCK_NONE callback, and a thread like the monitors', may wait for the machine lock for a moment. So nobody waits
 * for one of these with the lock held: dispatch_wait_idle() and loop_free() give it up meanwhile.
 */
#ifndef EVENT_LOCK_H
#define EVENT_LOCK_H

#include "base/common.h"

enum lock_kind {
	LOCK_MACHINE, /* the default: callbacks run under the machine lock */
	LOCK_DEVICE,  /* under a mutex of the device's own */
	LOCK_NONE,    /* callbacks are safe by themselves */
};

void machine_lock(void);
void machine_unlock(void);

/* True if the calling thread holds it. */
bool machine_locked(void);

/*
 * Waits on @cond with the machine lock as its mutex: whoever changes what is waited for does so, and
 * signals @cond, with the lock held. May wake without cause. False: the time was up.
 */
void machine_lock_wait(GCond *cond);
bool machine_lock_wait_until(GCond *cond, int64_t monotonic_us);

/* ---- A device's own lock, for the framework ---- */

void device_lock(GMutex *lock);
bool device_trylock(GMutex *lock);
void device_unlock(GMutex *lock);
/* The calling thread holds one, and could not wait for the machine lock. */
bool device_locked(void);

/* Takes the machine lock for a scope, unless the thread already has it. */
static inline bool machine_lock_enter(void)
{
	if (machine_locked())
		return false;
	machine_lock();
	return true;
}
static inline void machine_lock_leave(bool *taken)
{
	if (*taken)
		machine_unlock();
}
#define MACHINE_LOCK_SCOPE()                                                                       \
	bool _machine_lock_taken __attribute__((cleanup(machine_lock_leave), unused)) =            \
		machine_lock_enter()

#endif
