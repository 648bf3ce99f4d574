/*
 * Clocks.
 *
 * Guest time is host time plus an offset while it flows, and a constant while it does not. Readers
 * are many and on every thread, changes rare: a sequence lock lets a reader go without a write to
 * shared memory; it retries when `seq` was odd or changed meanwhile. So nobody reads host time after
 * guest time stopped, and guest time never steps back.
 */
#include <time.h>
#include "event/lock.h"
#include "internal.h"

#define STEP_PASSES_MAX 1000

static struct {
	GMutex lock; /* among writers */
	unsigned seq;
	bool enabled; /* the guest runs */
	bool manual;  /* only clock_virtual_step() moves time */
	int64_t base; /* offset to host time if it flows, else the time itself */
} virtual;

static int64_t host_time(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static bool time_flows(void)
{
	return __atomic_load_n(&virtual.enabled, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&virtual.manual, __ATOMIC_RELAXED);
}

int64_t clock_virtual_get(void)
{
	for (;;) {
		unsigned seq = __atomic_load_n(&virtual.seq, __ATOMIC_ACQUIRE);
		int64_t now = __atomic_load_n(&virtual.base, __ATOMIC_RELAXED);

		if (time_flows())
			now += host_time(CLOCK_MONOTONIC);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && seq == __atomic_load_n(&virtual.seq, __ATOMIC_RELAXED))
			return now;
	}
}

/* Brackets a change by one of several writers. */
static void write_begin(void)
{
	g_mutex_lock(&virtual.lock);
	__atomic_store_n(&virtual.seq, virtual.seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void write_end(void)
{
	__atomic_store_n(&virtual.seq, virtual.seq + 1, __ATOMIC_RELEASE);
	g_mutex_unlock(&virtual.lock);
}

/* Changes how time moves, but not what time it is. */
static void virtual_change(bool enabled, bool manual)
{
	int64_t host, now;

	write_begin();
	host = host_time(CLOCK_MONOTONIC);
	now = virtual.base + (time_flows() ? host : 0);
	__atomic_store_n(&virtual.enabled, enabled, __ATOMIC_RELAXED);
	__atomic_store_n(&virtual.manual, manual, __ATOMIC_RELAXED);
	__atomic_store_n(&virtual.base, now - (time_flows() ? host : 0), __ATOMIC_RELAXED);
	write_end();
	loops_kick();
}

void clock_virtual_enable(bool on)
{
	if (on != virtual.enabled)
		virtual_change(on, virtual.manual);
}

void clock_virtual_set_manual(void)
{
	virtual_change(true, true);
}

static void set_base(int64_t ns)
{
	write_begin();
	__atomic_store_n(&virtual.base, ns, __ATOMIC_RELAXED);
	write_end();
	loops_kick();
}

void clock_virtual_set(int64_t ns)
{
	g_assert(!time_flows());
	set_base(ns);
}

bool clock_fires(enum clock_id clock)
{
	return clock != QCLOCK_VIRTUAL || __atomic_load_n(&virtual.enabled, __ATOMIC_RELAXED);
}

int64_t clock_now(enum clock_id clock)
{
	switch (clock) {
	case QCLOCK_VIRTUAL:
		return clock_virtual_get();
	case QCLOCK_HOST:
		return host_time(CLOCK_REALTIME);
	default:
		return host_time(CLOCK_MONOTONIC);
	}
}

/* The earliest virtual timer of any loop that is later than `after`. */
struct deadline {
	int64_t after;
	int64_t earliest;
};

static void deadline_visit(struct loop *loop, void *opaque)
{
	struct deadline *deadline = opaque;
	int64_t expires = timers_earliest(loop, QCLOCK_VIRTUAL);

	if (expires > deadline->after)
		deadline->earliest = MIN(deadline->earliest, expires);
}

static int64_t deadline_after(int64_t after)
{
	struct deadline deadline = {after, INT64_MAX};

	loops_foreach(deadline_visit, &deadline);
	return deadline.earliest;
}

int64_t clock_virtual_deadline(void)
{
	return deadline_after(-1);
}

/*
 * Timers of the main loop run here, at exactly their time; those of iothreads are announced to
 * their loops, which run them as soon as they can. Timers that set themselves again for the same
 * moment get so many passes, then time goes on without them.
 */
int64_t clock_virtual_step(int64_t target)
{
	MACHINE_LOCK_SCOPE();

	for (;;) {
		int64_t now = clock_virtual_get();

		for (unsigned i = 0; i < STEP_PASSES_MAX && clock_fires(QCLOCK_VIRTUAL); i++)
			if (!timers_run_at(loop_main(), QCLOCK_VIRTUAL, now))
				break;
		if (now >= target)
			return now;
		set_base(MIN(target, deadline_after(now)));
	}
}
