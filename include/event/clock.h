/*
 * Clocks and timers.
 *
 *	QCLOCK_VIRTUAL	guest time: stops while the guest is stopped; under qtest it moves only by
 *			clock_virtual_step(). Everything a guest can observe uses it.
 *	QCLOCK_HOST	wall-clock time of the host (UTC), follows adjustments
 *	QCLOCK_REALTIME	monotonic time of the host, never stops: monitors, display
 *
 * All in nanoseconds. A timer belongs to a loop (its callback runs there; a device's is loop_main()
 * unless it has an iothread) and to a clock.
 */
#ifndef EVENT_CLOCK_H
#define EVENT_CLOCK_H

#include "base/common.h"
#include "event/loop.h"

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS  1000000LL
#define NS_PER_US  1000LL

enum clock_id { QCLOCK_VIRTUAL, QCLOCK_HOST, QCLOCK_REALTIME, QCLOCK_COUNT };

int64_t clock_now(enum clock_id clock);

/* Start and stop of guest time; the virtual clock is born stopped at 0. */
void clock_virtual_enable(bool on);
int64_t clock_virtual_get(void);

/* Sets guest time after loading a snapshot. Only while stopped. */
void clock_virtual_set(int64_t ns);

/*
 * Manual mode (qtest): time stands still except for these, and the clock counts as started.
 * clock_virtual_step() moves to @target, running every timer that falls due on the way at exactly its
 * own time (those of iothreads: as soon as their loop can), and returns the new time. Main thread.
 */
void clock_virtual_set_manual(void);
int64_t clock_virtual_step(int64_t target);

/* The earliest pending virtual timer of any loop, or INT64_MAX. */
int64_t clock_virtual_deadline(void);

struct timer {
	enum clock_id clock;
	int64_t expires; /* -1: not pending */
	void (*fn)(void *opaque);
	void *opaque;
	struct loop *loop;

	/* Of the loop's heap: sorted by `due` (expires, or later), then by order of setting. */
	int64_t due;
	uint64_t order;
	unsigned slot;
};

/*
 * A timer embedded in its owner. Must be deleted before the owner's memory goes. Timers may be set and
 * deleted from any thread; only on the loop's own thread does timer_del() promise that the callback
 * is not running. Timers that are due together run in the order of their times, then of being set.
 */
void timer_init(struct timer *timer, struct loop *loop, enum clock_id clock,
		void (*fn)(void *opaque), void *opaque);
void timer_set(struct timer *timer, int64_t expires); /* ns of its clock; re-arms if pending */
void timer_del(struct timer *timer);
static inline bool timer_pending(const struct timer *timer)
{
	return __atomic_load_n(&timer->expires, __ATOMIC_RELAXED) >= 0;
}
/* What is left of it, 0 if overdue, -1 if not pending. */
int64_t timer_remaining(const struct timer *timer);

/* Saved state: row for a `struct timer` member (its expiry; re-armed on load). */
struct field_custom;
extern const struct field_custom timer_custom;
#define SAVE_TIMER(_s, _m) SAVE_CUSTOM(_s, _m, &timer_custom)

#endif
