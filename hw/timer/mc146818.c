/*
 * MC146818 real-time clock with 128 bytes of CMOS memory, at ports 70h and 71h.
 *
 * Nothing ticks. The time of day is a difference to one of the program's clocks, computed when the
 * guest looks; timers run only for what could be seen next:
 *
 *  - the update cycle, once a second, raises UF, and AF when the alarm matches. Once a flag is up it
 *    stays until register C is read, so a guest that never reads it costs no timer. The update-in-
 *    progress bit (UIP) leads the cycle by 244 us;
 *  - the periodic interrupt, at multiples of 1/32768 s.
 *
 * While SET (register B) or divider reset (register A) holds the clock, the bytes keep what was
 * written; when it is let go, they become the time. Letting go of divider reset puts the first
 * update half a second ahead.
 *
 * Source: Motorola MC146818A data sheet (1984); Dallas DS12887 for the register D and century bytes.
 */
#include "base/trace.h"
#include "event/clock.h"
#include "hw/events.h"
#include "hw/isa.h"
#include "hw/rtc.h"
#include "hw/timer/rtc-time.h"
#include "machine/runstate.h"
#include <time.h>

TRACE_DEFINE(rtc_read, "index 0x%02x is 0x%02x");
TRACE_DEFINE(rtc_write, "index 0x%02x := 0x%02x");
TRACE_DEFINE(rtc_periodic, "every %u ticks of 1/32768 s");

enum {
	A_UIP = 0x80,
	A_DIVIDER = 0x70,
	A_DIVIDER_RESET = 0x60, /* both bits set: the divider is held */
	A_DIVIDER_32K = 0x20,
	A_RATE = 0x0f,

	B_SET = 0x80,
	B_PIE = 0x40,
	B_AIE = 0x20,
	B_UIE = 0x10,
	B_SQWE = 0x08,

	C_IRQF = 0x80,
	C_PF = 0x40,
	C_AF = 0x20,
	C_UF = 0x10,
	C_FLAGS = 0x70,

	D_VALID = 0x80,

	CMOS_SHUTDOWN = 0x0f, /* what firmware does after a reset */
	SHUTDOWN_S3_RESUME = 0xfe,
};

#define TICKS_PER_SEC   32768
#define RTC_SECONDS_MAX 10000000000000LL /* more than any bytes can say, far from overflow */
#define UIP_LEAD_NS     (8 * NS_PER_SEC / TICKS_PER_SEC)

enum lost_tick_policy { LOST_TICK_DISCARD, LOST_TICK_DELAY, LOST_TICK_MERGE, LOST_TICK_SLEW };

struct rtc {
	struct isa_device isa;
	struct rtc_config config;
	uint32_t iobase, irq_number;
	int32_t base_year;
	int lost_tick_policy;

	struct region ports;
	struct irq *irq;
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE];

	int64_t ahead;  /* of the host's time of day at the start, seconds */
	int64_t base;   /* seconds since 1970 at `since` */
	int64_t since;  /* of the clock, ns */
	int64_t shown;  /* the second that the bytes of time and date are of */
	int64_t offset; /* ns into the second at `since` */

	struct timer update, periodic;
	int64_t next_alarm;    /* when `update` finds the alarm due; INT64_MAX: never */
	int64_t next_periodic; /* exact time of the pending periodic interrupt, ticks */
	uint32_t period;       /* ticks; 0: none */
};

static struct rtc *rtc_of(struct device *dev)
{
	return container_of(dev, struct rtc, isa.dev);
}

static int64_t rtc_now(const struct rtc *r)
{
	return clock_now(r->config.clock);
}

/* ns since the start of second `base`; a difference of wrapping clocks never overflows. */
static int64_t rtc_elapsed(const struct rtc *r)
{
	return (int64_t)((uint64_t)rtc_now(r) - (uint64_t)r->since + (uint64_t)r->offset);
}

static int64_t rtc_second_part(const struct rtc *r)
{
	int64_t ns = rtc_elapsed(r) % NS_PER_SEC;

	return ns < 0 ? ns + NS_PER_SEC : ns;
}

/* The guest's time in seconds since 1970. */
static int64_t rtc_seconds(const struct rtc *r)
{
	return r->base + (rtc_elapsed(r) - rtc_second_part(r)) / NS_PER_SEC;
}

static bool rtc_divider_held(const struct rtc *r)
{
	return (r->cmos[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static bool rtc_running(const struct rtc *r)
{
	return !(r->cmos[RTC_B] & B_SET) && (r->cmos[RTC_A] & A_DIVIDER) <= A_DIVIDER_32K;
}

/* ---- Time of day ---- */

static int64_t rtc_host_seconds(const struct rtc *r)
{
	time_t now = clock_now(QCLOCK_HOST) / NS_PER_SEC;
	struct tm tm;

	if (r->config.localtime && localtime_r(&now, &tm))
		now = timegm(&tm);
	return now + r->ahead;
}

static void rtc_store_time(struct rtc *r)
{
	r->shown = rtc_seconds(r);
	rtc_time_store(r->cmos, r->shown, r->base_year);
}

/* The bytes become the time. */
static void rtc_take_time(struct rtc *r)
{
	r->base = rtc_time_load(r->cmos, r->base_year);
	r->since = rtc_now(r);
	r->shown = rtc_seconds(r);
	hw_event_rtc_change(&r->isa.dev, r->base - rtc_host_seconds(r));
}

static bool rtc_updating(const struct rtc *r)
{
	return rtc_running(r) && rtc_second_part(r) >= NS_PER_SEC - UIP_LEAD_NS;
}

/* ---- Interrupts ---- */

static void rtc_raise_flags(struct rtc *r, uint8_t flags)
{
	uint8_t fresh = flags & ~r->cmos[RTC_C];

	r->cmos[RTC_C] |= flags;
	if (fresh & r->cmos[RTC_B]) {
		r->cmos[RTC_C] |= C_IRQF;
		irq_raise(r->irq);
	}
}

/* Sets the update timer to the next moment it could change something the guest can see. */
static void rtc_schedule_update(struct rtc *r)
{
	int64_t next = rtc_now(r) + NS_PER_SEC - rtc_second_part(r);
	unsigned delay;

	r->next_alarm = INT64_MAX;
	if (!rtc_running(r)) {
		timer_del(&r->update);
		return;
	}
	delay = rtc_alarm_delay(r->cmos, rtc_seconds(r));
	if (delay)
		r->next_alarm = next + (delay - 1) * NS_PER_SEC;
	/* With UF up already only an alarm is news. */
	if (r->cmos[RTC_C] & C_UF)
		next = r->cmos[RTC_C] & C_AF ? INT64_MAX : r->next_alarm;
	if (next == INT64_MAX)
		timer_del(&r->update);
	else
		timer_set(&r->update, next);
}

static void rtc_update_timer(void *opaque)
{
	struct rtc *r = opaque;
	uint8_t flags = C_UF;

	if (rtc_now(r) >= r->next_alarm) {
		flags |= C_AF;
		if (r->cmos[RTC_B] & B_AIE)
			system_wakeup_request(NULL);
	}
	rtc_raise_flags(r, flags);
	rtc_schedule_update(r);
}

static uint32_t rtc_period(const struct rtc *r)
{
	unsigned rate = r->cmos[RTC_A] & A_RATE;

	if (!rate || !(r->cmos[RTC_B] & B_PIE) || (r->cmos[RTC_A] & A_DIVIDER) > A_DIVIDER_32K)
		return 0;
	/* The two fastest codes repeat the rates of 8 and 9. */
	return 1U << ((rate <= 2 ? rate + 7 : rate) - 1);
}

static int64_t rtc_ticks(int64_t ns)
{
	return (__int128)ns * TICKS_PER_SEC / NS_PER_SEC;
}

static void rtc_arm_periodic(struct rtc *r)
{
	__int128 ns = (__int128)r->next_periodic * NS_PER_SEC;

	timer_set(&r->periodic, (ns + TICKS_PER_SEC - 1) / TICKS_PER_SEC);
}

static void rtc_start_periodic(struct rtc *r)
{
	r->next_periodic = rtc_ticks(rtc_now(r)) + r->period;
	rtc_arm_periodic(r);
}

static void rtc_schedule_periodic(struct rtc *r)
{
	uint32_t period = rtc_period(r);

	if (period == r->period)
		return;
	r->period = period;
	if (!period) {
		timer_del(&r->periodic);
		return;
	}
	trace(rtc_periodic, period);
	rtc_start_periodic(r);
}

static void rtc_periodic_timer(void *opaque)
{
	struct rtc *r = opaque;
	int64_t behind = rtc_ticks(rtc_now(r)) - r->next_periodic;

	/* What the host was too late for is lost, the phase is kept. */
	if (behind > 0)
		r->next_periodic += behind / r->period * r->period;
	r->next_periodic += r->period;
	rtc_arm_periodic(r);
	rtc_raise_flags(r, C_PF);
}

/* ---- Registers ---- */

static void rtc_write_a(struct rtc *r, uint8_t value)
{
	bool was_held = rtc_divider_held(r);

	if ((value & A_DIVIDER_RESET) == A_DIVIDER_RESET) {
		if (rtc_running(r))
			rtc_store_time(r);
	} else if (was_held && (value & A_DIVIDER) <= A_DIVIDER_32K && !(r->cmos[RTC_B] & B_SET)) {
		r->offset = NS_PER_SEC / 2;
		rtc_take_time(r);
	}
	r->cmos[RTC_A] = value & ~A_UIP;
	rtc_schedule_periodic(r);
	rtc_schedule_update(r);
}

static void rtc_write_b(struct rtc *r, uint8_t value)
{
	if (value & B_SET) {
		if (rtc_running(r))
			rtc_store_time(r);
		value &= ~B_UIE;
	} else if ((r->cmos[RTC_B] & B_SET) && (r->cmos[RTC_A] & A_DIVIDER) <= A_DIVIDER_32K) {
		r->offset = rtc_second_part(r);
		rtc_take_time(r);
	}
	/* A flag that is up interrupts as soon as it is enabled. */
	if (value & r->cmos[RTC_C] & C_FLAGS) {
		r->cmos[RTC_C] |= C_IRQF;
		irq_raise(r->irq);
	} else {
		r->cmos[RTC_C] &= ~C_IRQF;
		irq_lower(r->irq);
	}
	r->cmos[RTC_B] = value;
	rtc_schedule_periodic(r);
	rtc_schedule_update(r);
}

static void rtc_write_time(struct rtc *r, uint8_t index, uint8_t value)
{
	bool running = rtc_running(r);

	/*
	 * Within a second the bytes stay as they were written: a date that is no date in between, such as
	 * February 31 on the way to January 31, must not carry over into what comes next.
	 */
	if (running && rtc_seconds(r) != r->shown)
		rtc_store_time(r);
	r->cmos[index] = value;
	if (running) {
		r->offset = rtc_second_part(r);
		rtc_take_time(r);
		rtc_schedule_update(r);
	}
}

static void rtc_write_cmos(struct rtc *r, uint8_t value)
{
	uint8_t index = r->index == RTC_CENTURY_PS2 ? RTC_CENTURY : r->index;

	trace(rtc_write, index, value);
	switch (index) {
	case RTC_SECONDS_ALARM:
	case RTC_MINUTES_ALARM:
	case RTC_HOURS_ALARM:
		r->cmos[index] = value;
		rtc_schedule_update(r);
		break;
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_DAY_OF_WEEK:
	case RTC_DAY_OF_MONTH:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
		rtc_write_time(r, index, value);
		break;
	case RTC_A:
		rtc_write_a(r, value);
		break;
	case RTC_B:
		rtc_write_b(r, value);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		r->cmos[index] = value;
		break;
	}
}

static uint8_t rtc_read_c(struct rtc *r)
{
	uint8_t value = r->cmos[RTC_C];

	r->cmos[RTC_C] = 0;
	irq_lower(r->irq);
	if (value & (C_UF | C_AF))
		rtc_schedule_update(r);
	return value;
}

static uint8_t rtc_read_cmos(struct rtc *r)
{
	switch (r->index) {
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_DAY_OF_WEEK:
	case RTC_DAY_OF_MONTH:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
	case RTC_CENTURY_PS2:
		if (rtc_running(r))
			rtc_store_time(r);
		return r->cmos[r->index == RTC_CENTURY_PS2 ? RTC_CENTURY : r->index];
	case RTC_A:
		return r->cmos[RTC_A] | (rtc_updating(r) ? A_UIP : 0);
	case RTC_C:
		return rtc_read_c(r);
	default:
		return r->cmos[r->index];
	}
}

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned size)
{
	struct rtc *r = opaque;
	uint8_t value;

	if (!offset)
		return 0xff;
	value = rtc_read_cmos(r);
	trace(rtc_read, r->index, value);
	return value;
}

static void rtc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct rtc *r = opaque;

	if (offset)
		rtc_write_cmos(r, value);
	else
		r->index = value & 0x7f;
}

static const struct io_ops rtc_ops = {
	.read = rtc_read,
	.write = rtc_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Board ---- */

void rtc_configure(struct device *dev, const struct rtc_config *config)
{
	rtc_of(dev)->config = *config;
}

void rtc_cmos_write(struct device *dev, unsigned index, uint8_t value)
{
	g_assert(index < RTC_CMOS_SIZE);
	rtc_of(dev)->cmos[index] = value;
}

uint8_t rtc_cmos_read(struct device *dev, unsigned index)
{
	g_assert(index < RTC_CMOS_SIZE);
	return rtc_of(dev)->cmos[index];
}

/* ---- Life ---- */

static void rtc_run_event(void *opaque, enum run_event event, enum run_state state)
{
	struct rtc *r = opaque;

	if (event == RUN_EVENT_SUSPEND)
		r->cmos[CMOS_SHUTDOWN] = SHUTDOWN_S3_RESUME;
}

static bool rtc_realize(struct device *dev, GError **errp)
{
	struct rtc *r = rtc_of(dev);

	r->cmos[RTC_A] = A_DIVIDER_32K | 6;
	r->cmos[RTC_B] = RTC_B_24H;
	r->cmos[RTC_D] = D_VALID;
	if (r->config.has_date)
		r->ahead = r->config.date - rtc_host_seconds(r);
	r->base = r->config.has_date ? r->config.date : rtc_host_seconds(r);
	r->since = rtc_now(r);
	rtc_store_time(r);

	r->irq = isa_irq(&r->isa, r->irq_number);
	timer_init(&r->update, loop_main(), r->config.clock, rtc_update_timer, r);
	timer_init(&r->periodic, loop_main(), r->config.clock, rtc_periodic_timer, r);
	rtc_schedule_update(r);
	region_init_io(&r->ports, dev, "rtc", &rtc_ops, r, 2);
	isa_add_ports(&r->isa, &r->ports, r->iobase);
	run_event_subscribe(rtc_run_event, r);
	return true;
}

static void rtc_unrealize(struct device *dev)
{
	struct rtc *r = rtc_of(dev);

	run_event_unsubscribe(rtc_run_event, r);
	region_cleanup(&r->ports);
	timer_del(&r->update);
	timer_del(&r->periodic);
}

/* A reset stops interrupts; time and memory live on the battery. */
static void rtc_reset(struct device *dev)
{
	struct rtc *r = rtc_of(dev);

	r->cmos[RTC_B] &= ~(B_PIE | B_AIE | B_SQWE);
	r->cmos[RTC_C] = 0;
	rtc_schedule_periodic(r);
	rtc_schedule_update(r);
	irq_lower(r->irq);
}

static void rtc_pre_save(struct device *dev)
{
	struct rtc *r = rtc_of(dev);

	if (rtc_running(r))
		rtc_store_time(r);
}

static bool rtc_post_load(struct device *dev, GError **errp)
{
	struct rtc *r = rtc_of(dev);

	if (r->index >= RTC_CMOS_SIZE) {
		error_set(errp, "mc146818rtc: index 0x%x is beyond the 128 bytes of memory",
			  r->index);
		return false;
	}
	if (ABS(r->base) > RTC_SECONDS_MAX) {
		error_set(errp, "mc146818rtc: time %" PRId64 " is beyond what the clock can show",
			  r->base);
		return false;
	}
	r->period = rtc_period(r);
	if (!r->period)
		timer_del(&r->periodic);
	else if (timer_pending(&r->periodic))
		r->next_periodic = rtc_ticks(r->periodic.expires);
	else
		rtc_start_periodic(r);
	rtc_schedule_update(r);
	return true;
}

static const struct enum_name lost_tick_policies[] = {
	{"discard", LOST_TICK_DISCARD, "Late ticks of the periodic interrupt are lost"},
	{"delay", LOST_TICK_DELAY, "As discard"},
	{"merge", LOST_TICK_MERGE, "As discard"},
	{"slew", LOST_TICK_SLEW, "As discard: the guest's clock sources do not count these ticks"},
	{NULL},
};

static const struct field rtc_props[] = {
	PROP_INT(struct rtc, base_year, "base_year", 0, -9999, 9999,
		 "Year that the clock's year 0 stands for"),
	PROP_UINT(struct rtc, iobase, "iobase", 0x70, 0xfffe, "First I/O port"),
	PROP_UINT(struct rtc, irq_number, "irq", 8, ISA_IRQS - 1, "ISA interrupt line"),
	PROP_ENUM(struct rtc, lost_tick_policy, "lost_tick_policy", lost_tick_policies,
		  LOST_TICK_DISCARD, "What becomes of ticks the host was too late for"),
	FIELD_ROW_END,
};

static const struct field rtc_state[] = {
	SAVE_BYTES(struct rtc, cmos),
	SAVE_UINT(struct rtc, index),
	SAVE_INT(struct rtc, base),
	SAVE_INT(struct rtc, since),
	SAVE_INT(struct rtc, offset),
	SAVE_TIMER(struct rtc, periodic),
	FIELD_ROW_END,
};

const struct device_type rtc_type = {
	.name = "mc146818rtc",
	.help = "Real-time clock and CMOS memory",
	.base = &isa_device_type,
	.size = sizeof(struct rtc),
	.props = rtc_props,
	.state = rtc_state,
	.realize = rtc_realize,
	.unrealize = rtc_unrealize,
	.reset = rtc_reset,
	.pre_save = rtc_pre_save,
	.post_load = rtc_post_load,
};
