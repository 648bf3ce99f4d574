/*
 * How an iothread waits: first by looking, then by sleeping.
 *
 * Sleeping costs a system call, a wake-up by the scheduler, and an exit of the guest that kicks. A loop whose work
 * arrives quickly looks for it for a while instead; while it looks, pollers tell their guests not to kick. How long is
 * found out: what came a little too late makes the next look longer, up to the limit; what came long after,
 * shorter. With a limit of 0 nothing of this happens.
 */
#include "event/lock.h"
#include "internal.h"

#define FIRST_LOOK_NS (4 * NS_PER_US)
#define GROW_BY       2

/* ---- The loop's lock ---- */

void loop_lock(struct loop *loop)
{
	if (!loop->exclusive || loop_is_mine(loop))
		return;
	__atomic_add_fetch(&loop->wanted, 1, __ATOMIC_SEQ_CST);
	g_mutex_lock(&loop->gate);
	device_lock(&loop->lock);
	g_mutex_unlock(&loop->gate);
	__atomic_sub_fetch(&loop->wanted, 1, __ATOMIC_SEQ_CST);
}

void loop_unlock(struct loop *loop)
{
	if (loop->exclusive && !loop_is_mine(loop))
		device_unlock(&loop->lock);
}

void loop_enter(struct loop *loop)
{
	g_mutex_lock(&loop->gate);
	device_lock(&loop->lock);
	g_mutex_unlock(&loop->gate);
	loop->entered = true;
}

bool loop_leave(struct loop *loop)
{
	if (!loop->entered)
		return false;
	loop->entered = false;
	device_unlock(&loop->lock);
	return true;
}

/* ---- Pollers ---- */

void loop_add_poller(struct loop *loop, struct loop_poller *poller)
{
	if (!loop->pollers)
		loop->pollers = g_ptr_array_new();
	g_ptr_array_add(loop->pollers, poller);
	loop_kick(loop);
}

void loop_remove_poller(struct loop *loop, struct loop_poller *poller)
{
	g_ptr_array_remove(loop->pollers, poller);
}

static bool any_ready(const struct loop *loop)
{
	for (guint i = 0; i < loop->pollers->len; i++) {
		const struct loop_poller *p = g_ptr_array_index(loop->pollers, i);

		if (p->ready(p->opaque))
			return true;
	}
	return false;
}

static void tell_busy(const struct loop *loop, bool busy)
{
	for (guint i = 0; i < loop->pollers->len; i++) {
		const struct loop_poller *p = g_ptr_array_index(loop->pollers, i);

		p->busy(p->opaque, busy);
	}
}

void pollers_run(struct loop *loop)
{
	for (guint i = 0; loop->pollers && i < loop->pollers->len; i++) {
		const struct loop_poller *p = g_ptr_array_index(loop->pollers, i);

		if (p->ready(p->opaque))
			p->run(p->opaque);
	}
}

/* ---- Looking ---- */

void loop_set_polling(struct loop *loop, const struct loop_polling *polling)
{
	__atomic_store_n(&loop->polling.grow, polling->grow, __ATOMIC_RELAXED);
	__atomic_store_n(&loop->polling.shrink, polling->shrink, __ATOMIC_RELAXED);
	__atomic_store_n(&loop->polling.max_ns, polling->max_ns, __ATOMIC_RELAXED);
	loop_kick(loop);
}

static int64_t limit(const struct loop *loop)
{
	return __atomic_load_n(&loop->polling.max_ns, __ATOMIC_RELAXED);
}

static bool somebody_calls(const struct loop *loop)
{
	return bh_any(loop) || __atomic_load_n(&loop->kicked, __ATOMIC_SEQ_CST);
}

static bool look(struct loop *loop, int count, int64_t until)
{
	do {
		if (any_ready(loop) || somebody_calls(loop) || fds_ready(loop, count))
			return true;
	} while (!__atomic_load_n(&loop->wanted, __ATOMIC_SEQ_CST) &&
		 clock_now(QCLOCK_REALTIME) < until);
	return false;
}

bool loop_look(struct loop *loop, int count, int64_t timeout)
{
	int64_t ns = MIN(loop->look_ns, limit(loop));
	bool found;

	if (timeout >= 0)
		ns = MIN(ns, timeout);
	if (!loop->exclusive || !loop->pollers || !loop->pollers->len || ns <= 0)
		return false;
	loop_enter(loop);
	tell_busy(loop, true);
	found = look(loop, count, clock_now(QCLOCK_REALTIME) + ns);
	tell_busy(loop, false);
	/* What came while nobody would have kicked. */
	found = found || any_ready(loop);
	loop_leave(loop);
	return found;
}

void loop_looked(struct loop *loop, int64_t waited)
{
	int64_t max = limit(loop), grow = loop->polling.grow, shrink = loop->polling.shrink;

	if (waited <= loop->look_ns)
		return;
	if (waited > max)
		loop->look_ns = shrink ? loop->look_ns / shrink : 0;
	else if (!loop->look_ns)
		loop->look_ns = MIN(FIRST_LOOK_NS, max);
	else if (loop->look_ns < max)
		loop->look_ns = loop->look_ns > max / (grow ?: GROW_BY)
					? max
					: loop->look_ns * (grow ?: GROW_BY);
}
