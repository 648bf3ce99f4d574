/*
 * Local APIC timer (SDM vol. 3, 11.5.4): counts down at 1 GHz by the divide configuration, once or again
 * and again, or waits for a value of the time stamp counter. Machine lock.
 */
#include "base/trace.h"
#include "event/lock.h"
#include "lapic.h"

TRACE_DEFINE(lapic_timer, "cpu %u: expires at %" PRId64);

/* A shorter period would keep the host busy and the guest from running. */
#define SHORTEST_PERIOD_NS 50000
#define FURTHEST_NS        (INT64_MAX / 4)

/* ns a count takes: 2, 4 ... 128, and 1 for all ones. The code is in bits 3, 1, 0. */
static unsigned count_ns(const struct lapic *l)
{
	uint32_t divide = lapic_get(l, APIC_TIMER_DIVIDE);
	unsigned code = (divide & 3) | (divide >> 1 & 4);

	return 1U << ((code + 1) & 7);
}

static uint32_t mode_of(uint32_t lvt)
{
	return lvt & LVT_TIMER_MODE;
}

static int64_t period_ns(const struct lapic *l)
{
	return (int64_t)lapic_get(l, APIC_TIMER_INITIAL) * count_ns(l);
}

static void timer_arm(struct lapic *l, int64_t expires)
{
	trace(lapic_timer, l->cpu->index, expires);
	timer_set(&l->timer, expires);
}

static void timer_start(struct lapic *l)
{
	int64_t period = period_ns(l);

	timer_del(&l->timer);
	if (!period || mode_of(lapic_get(l, APIC_LVT_TIMER)) & LVT_TSC_DEADLINE)
		return;
	l->timer_start = clock_now(QCLOCK_VIRTUAL);
	timer_arm(l, l->timer_start + period);
}

/* The next end of a period that is not too near. */
static void timer_again(struct lapic *l, int64_t now)
{
	int64_t period = period_ns(l);
	int64_t next = l->timer_start + (now - l->timer_start) / period * period + period;

	timer_arm(l, period < SHORTEST_PERIOD_NS ? now + SHORTEST_PERIOD_NS : next);
}

static void timer_expired(void *opaque)
{
	struct lapic *l = opaque;
	uint32_t mode = mode_of(lapic_get(l, APIC_LVT_TIMER));

	if (mode & LVT_TSC_DEADLINE)
		l->tsc_deadline = 0;
	else if (mode & LVT_PERIODIC)
		timer_again(l, clock_now(QCLOCK_VIRTUAL));
	lapic_local(l, APIC_LVT_TIMER);
}

uint32_t lapic_timer_current(struct lapic *l)
{
	uint32_t initial = lapic_get(l, APIC_TIMER_INITIAL), mode;
	int64_t counts;
	MACHINE_LOCK_SCOPE();

	mode = mode_of(lapic_get(l, APIC_LVT_TIMER));
	if (!initial || (mode & LVT_TSC_DEADLINE))
		return 0;
	counts = MAX(clock_now(QCLOCK_VIRTUAL) - l->timer_start, 0) / count_ns(l);
	if (mode & LVT_PERIODIC)
		return initial - counts % initial;
	return counts < initial ? initial - counts : 0;
}

/* Between counting down and waiting for the TSC the timer is disarmed. */
static void write_lvt(struct lapic *l, uint32_t value)
{
	uint32_t old = lapic_get(l, APIC_LVT_TIMER);
	int64_t now = clock_now(QCLOCK_VIRTUAL);

	lapic_put(l, APIC_LVT_TIMER, value);
	if ((old ^ value) & LVT_TSC_DEADLINE) {
		timer_del(&l->timer);
		l->tsc_deadline = 0;
		lapic_put(l, APIC_TIMER_INITIAL, 0);
	} else if ((old ^ value) & LVT_PERIODIC && (value & LVT_PERIODIC) && period_ns(l)) {
		timer_again(l, now);
	}
}

/* A running count goes on at the new rate from where it is. */
static void write_divide(struct lapic *l, uint32_t value)
{
	uint32_t initial = lapic_get(l, APIC_TIMER_INITIAL), current = lapic_timer_current(l);

	lapic_put(l, APIC_TIMER_DIVIDE, value);
	if (!initial || !timer_pending(&l->timer))
		return;
	l->timer_start = clock_now(QCLOCK_VIRTUAL) - (int64_t)(initial - current) * count_ns(l);
	timer_arm(l, l->timer_start + period_ns(l));
}

void lapic_timer_write(struct lapic *l, unsigned reg, uint32_t value)
{
	MACHINE_LOCK_SCOPE();

	switch (reg) {
	case APIC_LVT_TIMER:
		write_lvt(l, value);
		break;
	case APIC_TIMER_DIVIDE:
		write_divide(l, value & 0xb);
		break;
	case APIC_TIMER_INITIAL:
		if (mode_of(lapic_get(l, APIC_LVT_TIMER)) & LVT_TSC_DEADLINE)
			break;
		lapic_put(l, APIC_TIMER_INITIAL, value);
		timer_start(l);
		break;
	}
}

/* ---- TSC deadline ---- */

uint64_t lapic_tsc_deadline(struct device *dev)
{
	MACHINE_LOCK_SCOPE();

	return lapic_of(dev)->tsc_deadline;
}

void lapic_set_tsc_deadline(struct device *dev, uint64_t deadline, uint64_t tsc, uint64_t tsc_hz)
{
	struct lapic *l = lapic_of(dev);
	unsigned __int128 ns;
	MACHINE_LOCK_SCOPE();

	if (!(mode_of(lapic_get(l, APIC_LVT_TIMER)) & LVT_TSC_DEADLINE))
		return;
	timer_del(&l->timer);
	l->tsc_deadline = deadline;
	if (!deadline)
		return;
	ns = deadline > tsc ? (unsigned __int128)(deadline - tsc) * NS_PER_SEC / tsc_hz : 0;
	timer_arm(l, clock_now(QCLOCK_VIRTUAL) + (int64_t)MIN(ns, FURTHEST_NS));
}

/* ---- Life ---- */

void lapic_timer_init(struct lapic *l)
{
	timer_init(&l->timer, loop_main(), QCLOCK_VIRTUAL, timer_expired, l);
}

void lapic_timer_reset(struct lapic *l)
{
	timer_del(&l->timer);
	l->timer_start = 0;
	l->tsc_deadline = 0;
}
