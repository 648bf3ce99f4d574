/*
 * The worker pool: threads for system calls that block. Threads appear on demand (up to a limit)
 * and go away after some idle seconds, so a guest that never needs them pays nothing.
 */
#ifndef EVENT_WORKER_H
#define EVENT_WORKER_H

#include "event/loop.h"

/*
 * Runs @work(@opaque) in a worker; then @done(@opaque, result) on @loop. @done may be NULL. Jobs begin
 * in the order they were submitted, up to 64 at a time. If no thread can be had at all, the work is
 * done before this returns.
 */
void worker_submit(struct loop *loop, int (*work)(void *opaque),
		   void (*done)(void *opaque, int result), void *opaque);

/*
 * Waits until nothing is queued or running; what is done is on its way to its loop by then. The loops
 * do not turn for it, and workers never take the machine lock, so any thread may wait, lock or not.
 */
void worker_drain(void);

#endif
