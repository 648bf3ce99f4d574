/*
 * The machine lock, and the kinds of lock a device may declare.
 *
 * Devices never take a lock themselves: they declare one, and the framework takes it in mem/dispatch
 * before it calls a register callback, and in the loops before it calls a timer, watch or bottom half.
 * The machine lock is taken by the main loop while it dispatches, and by a vCPU thread around a
 * callback of a LOCK_MACHINE region. It is not recursive: code that may run under it or not uses
 * MACHINE_LOCK_SCOPE(). It is fair: nobody waits for more than one turn of everybody else.
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

/* Takes it for a scope, unless the thread already has it. */
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
