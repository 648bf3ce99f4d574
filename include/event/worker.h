/*
 * The worker pool: threads for system calls that block. Threads appear on demand (up to a limit)
 * and go away after some idle seconds, so a guest that never needs them pays nothing.
 */
#ifndef EVENT_WORKER_H
#define EVENT_WORKER_H

#include "event/loop.h"

/* Runs @work(@opaque) in a worker; then @done(@opaque, result) on @loop. @done may be NULL. */
void worker_submit(struct loop *loop, int (*work)(void *opaque), void (*done)(void *opaque, int result),
		   void *opaque);

/* Waits until nothing is queued or running. Main thread, without the machine lock's help. */
void worker_drain(void);

#endif
