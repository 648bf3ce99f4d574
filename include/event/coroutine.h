/*
 * Coroutines: code that reads as if it blocked, on an event loop.
 *
 * A coroutine runs on the loop's thread until it yields; whoever completes what it waits for calls
 * co_wake(), from any thread, and the loop enters it again. Stacks are pooled and guarded.
 */
#ifndef EVENT_COROUTINE_H
#define EVENT_COROUTINE_H

#include "event/loop.h"

struct coroutine;
typedef void co_fn(void *opaque);

/*
 * Creates a coroutine on the current loop and runs it until its first yield. In a thread that turns no
 * loop (vCPUs, workers) it is co_start_on() the main loop. A coroutine never leaves its loop.
 */
void co_start(co_fn *fn, void *opaque);

/* Creates it on @loop; it starts when the loop next turns. Any thread. */
void co_start_on(struct loop *loop, co_fn *fn, void *opaque);

/* The running coroutine, or NULL in plain code. */
struct coroutine *co_self(void);

/*
 * Gives up the thread until co_wake(). A wake that came before the yield is not lost: the coroutine
 * yields, and goes on when the loop next turns. Wakes do not count, and one may be left over from
 * something else, so what is waited for is looked at again after a yield. The waker must know that
 * the coroutine has not ended.
 */
void co_yield (void);
void co_wake(struct coroutine *co);

/* Sleeps for @ns of @clock. */
void co_sleep(int clock, int64_t ns);

/* Runs @fn in the worker pool and returns its result. */
int co_run_in_worker(int (*fn)(void *opaque), void *opaque);

/* Waits until @fd is ready for one of @events, or has an error or hang-up; returns what there is. */
GIOCondition co_wait_fd(int fd, GIOCondition events);

/* A FIFO mutex between coroutines of any loops. */
struct co_mutex {
	GMutex guard;
	struct coroutine *owner;
	GQueue waiters;
};
void co_mutex_init(struct co_mutex *mutex);
void co_mutex_lock(struct co_mutex *mutex);
void co_mutex_unlock(struct co_mutex *mutex);
void co_mutex_destroy(struct co_mutex *mutex);

/* A FIFO wait queue; waiting gives up @mutex (may be NULL) and takes it again. */
struct co_queue {
	GMutex guard;
	GQueue waiters;
};
void co_queue_init(struct co_queue *queue);
void co_queue_wait(struct co_queue *queue, struct co_mutex *mutex);
bool co_queue_wake_one(struct co_queue *queue);
void co_queue_wake_all(struct co_queue *queue);
void co_queue_destroy(struct co_queue *queue);

#endif
