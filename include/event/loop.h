/*
 * Event loops.
 *
 * A loop is a GMainContext with a thread that turns it. The main loop is turned by the main thread
 * and is the IO thread of every device that was given no iothread; it holds the machine lock while it
 * dispatches, never while it polls. An iothread's loop does not take the machine lock, but has a lock of its own,
 * so that others can keep it from running for a moment: in the order of locks it is a device's (event/lock.h).
 *
 * Callbacks run on the loop's own thread. All functions here may be called from any thread unless
 * they say otherwise.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include "base/common.h"
#include "base/error.h"

struct loop;

/* The loop of the main thread; exists from loop_init_main() on. */
void loop_init_main(void);
struct loop *loop_main(void);

/* The loop the calling thread turns; the main loop for vCPU threads and workers. */
struct loop *loop_current(void);

/*
 * A loop with a thread of its own, called @name. loop_free() stops and joins it; what was deferred
 * before still runs. Watches, timers and bottom halves must be gone by then.
 */
struct loop *loop_new(const char *name, GError **errp);
void loop_free(struct loop *loop); /* gives the machine lock up meanwhile */

/* The same, but callbacks run under a lock of the loop's. */
struct loop *loop_new_exclusive(const char *name, GError **errp);

/*
 * With it nothing of an exclusive loop runs; its watches, bottom halves and timers may be touched as if on its own
 * thread. On its own thread, and for other loops, it does nothing. For moments only.
 */
void loop_lock(struct loop *loop);
void loop_unlock(struct loop *loop);

int loop_thread_id(const struct loop *loop);
GMainContext *loop_context(struct loop *loop);

/*
 * Turns @loop once; @wait: sleeps until there is something to do. Only on the loop's own thread, also
 * from within a callback (a nested turn goes on where the outer one was). The main loop takes the
 * machine lock to dispatch; a caller that holds it gives it up while the loop sleeps.
 */
void loop_run_once(struct loop *loop, bool wait);

/* Makes a sleeping loop look up. Async-signal-safe. */
void loop_kick(struct loop *loop);

/* ---- Deferred calls ---- */

/* Runs @fn(@opaque) once on the loop's thread, in order of scheduling. */
void loop_defer(struct loop *loop, void (*fn)(void *opaque), void *opaque);

/* A bottom half: a deferred call that is allocated once and coalesces. */
struct bottom_half;
struct bottom_half *bh_new(struct loop *loop, void (*fn)(void *opaque), void *opaque);
void bh_schedule(struct bottom_half *bh);
void bh_cancel(struct bottom_half *bh);
void bh_free(struct bottom_half *bh); /* on the loop's thread */

/* ---- Polling: exclusive loops only ---- */

/* Something that can be looked at without a system call. */
struct loop_poller {
	bool (*ready)(void *opaque);           /* there is work */
	void (*run)(void *opaque);             /* do it */
	void (*busy)(void *opaque, bool busy); /* the loop looks all the time, or not any more */
	void *opaque;
};
/* With the loop's lock. The poller stays the caller's. */
void loop_add_poller(struct loop *loop, struct loop_poller *poller);
void loop_remove_poller(struct loop *loop, struct loop_poller *poller);

/* How long to look before sleeping: adapts between 0 and max_ns; factor and divisor, 0: a default. */
struct loop_polling {
	int64_t max_ns, grow, shrink;
};
void loop_set_polling(struct loop *loop, const struct loop_polling *polling);

/* ---- File descriptors ---- */

struct fd_watch;
typedef void fd_fn(void *opaque, GIOCondition revents);

/*
 * Calls @fn whenever one of @events (G_IO_IN, G_IO_OUT, ...) holds, or G_IO_HUP, G_IO_ERR or G_IO_NVAL,
 * which are always reported. The fd stays the caller's. A watch is made from any thread, and after
 * that touched on the loop's thread only.
 */
struct fd_watch *fd_watch_new(struct loop *loop, int fd, GIOCondition events, fd_fn *fn,
			      void *opaque);
void fd_watch_set_events(struct fd_watch *watch, GIOCondition events); /* 0: paused */
void fd_watch_free(
	struct fd_watch *
		watch); /* NULL is fine; after it returns on the loop's thread, @fn is not called again */

/*
 * An eventfd that counts notifications: doorbells (ioeventfd), irqfds, completions.
 */
struct notifier {
	int fd;
};
bool notifier_init(struct notifier *n, GError **errp);
void notifier_cleanup(struct notifier *n);
void notifier_set(struct notifier *n);            /* async-signal-safe */
bool notifier_test_and_clear(struct notifier *n); /* true if it was set */

#endif
