/*
 * Intel 8254 programmable interval timer: three 16-bit counters at 1.193182 MHz.
 *
 * Nothing counts here: a counter remembers when it was started, and what it shows follows from the
 * clocks gone by since. In the modes that pause while GATE is low (0 and 4), the start is moved on when
 * GATE rises; in those that GATE starts (1, 2, 3, 5) it is the start. A count written into a running
 * periodic counter waits in `reload` for the end of the period; `settle()` catches up with that.
 *
 * Output 0 is an interrupt line. Interrupt controllers look for its rising edge, so the timer runs
 * once a period, and the line is low only for the moment before it rises.
 *
 * The rows of saved state bear the names of KVM's own, where they mean the same.
 * Source: 8254 data sheet (231164-005).
 */
#include "base/trace.h"
#include "event/clock.h"
#include "hw/intc.h"
#include "hw/isa.h"

TRACE_DEFINE(pit_write, "register %u <- 0x%02x");
TRACE_DEFINE(pit_read, "register %u -> 0x%02x");
TRACE_DEFINE(pit_late, "%" PRId64 " ticks late");

#define PIT_HZ      1193182
#define COUNTERS    3
#define CONTROL     3
#define SPEAKER     2
#define TIME_MAX    (INT64_MAX / 2) /* ns: far beyond any guest's life */
#define LATE_MAX    10000           /* ticks that are remembered to be made up for */
#define SHORTEST_NS 20000           /* between two interrupts: no guest takes them faster */
#define READ_BACK   3
#define LATCH       0

enum access { ACCESS_LOW = 1, ACCESS_HIGH, ACCESS_BOTH };
enum { BYTE_LOW, BYTE_HIGH };

/* Status byte; below these are the bits of the control word. */
enum {
	STATUS_OUT = 0x80,
	STATUS_NULL = 0x40,
	CONTROL_BITS = 0x3f,

	BACK_NO_COUNT = 0x20,
	BACK_NO_STATUS = 0x10,
};

enum lost_tick_policy { LOST_DISCARD, LOST_DELAY, LOST_SLEW };

struct counter {
	uint32_t count;  /* clocks of the period, 1 to 65536 (10000 in BCD) */
	uint32_t reload; /* periodic modes: the next period's */
	uint16_t latched_count;
	uint8_t count_latched; /* enum access: bytes still to be read */
	uint8_t status_latched, status;
	uint8_t read_state, write_state; /* next byte of ACCESS_BOTH */
	uint8_t write_latch, rw_mode, mode, bcd, gate;
	bool loaded;             /* a count was written since the mode was set */
	bool started;            /* modes 1 and 5: GATE has risen */
	bool held;               /* modes 0 and 4: GATE is low, or half a count was written */
	int64_t ticks;           /* clocks gone by when it was held */
	int64_t count_load_time; /* ns of the virtual clock */
};

struct pit {
	struct isa_device isa;
	uint32_t iobase;
	int lost_tick_policy;

	struct region ports;
	struct irq *irq;
	struct timer timer;
	bool irq_disabled; /* the HPET interrupts instead */
	int64_t next;      /* when output 0 rises, without lateness */
	uint32_t late;     /* ticks to be made up for */
	struct counter counters[COUNTERS];
};

static struct pit *pit_of(struct device *dev)
{
	return container_of(dev, struct pit, isa.dev);
}

/* ---- Time ---- */

static int64_t ns_to_ticks(int64_t ns)
{
	return (__int128)ns * PIT_HZ / NS_PER_SEC;
}

/* The first nanosecond at which so many clocks have gone by. */
static int64_t ticks_to_ns(int64_t ticks)
{
	return ((__int128)ticks * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ;
}

static bool is_periodic(const struct counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

static bool pauses(const struct counter *c)
{
	return c->mode == 0 || c->mode == 4;
}

static bool waits_for_gate(const struct counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

static bool is_counting(const struct counter *c)
{
	if (!c->loaded || c->held)
		return false;
	return waits_for_gate(c) ? c->started : !is_periodic(c) || c->gate;
}

/* Clocks since the start. */
static int64_t elapsed(const struct counter *c, int64_t now)
{
	if (c->held)
		return c->ticks;
	return is_counting(c) ? MAX(ns_to_ticks(now - c->count_load_time), 0) : 0;
}

/* Starts the next period with the count that was written for it. */
static void settle(struct counter *c, int64_t now)
{
	if (c->reload == c->count || !is_counting(c) || elapsed(c, now) < (int64_t)c->count)
		return;
	c->count_load_time += ticks_to_ns(c->count);
	c->count = c->reload;
}

/* ---- What a counter shows ---- */

static unsigned modulus(const struct counter *c)
{
	return c->bcd ? 10000 : 0x10000;
}

/* In mode 3 the count goes down by two, once for each half of the period. */
static uint32_t square_wave_count(const struct counter *c, uint32_t phase)
{
	uint32_t half = (c->count + 1) / 2;

	return (c->count & ~1U) - 2 * (phase < half ? phase : phase - half);
}

static uint32_t current_count(const struct counter *c, int64_t now)
{
	int64_t t = elapsed(c, now);

	if (c->mode == 3)
		return square_wave_count(c, t % c->count);
	if (c->mode == 2)
		return c->count - t % c->count;
	return (c->count + modulus(c) - t % modulus(c)) % modulus(c);
}

static uint16_t to_bcd(uint32_t n)
{
	return n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12;
}

/* Digits above 9 count for what they are, as in the chip. */
static uint32_t from_bcd(uint16_t n)
{
	return (n & 15) + (n >> 4 & 15) * 10 + (n >> 8 & 15) * 100 + (n >> 12) * 1000;
}

static uint16_t shown_count(const struct counter *c, int64_t now)
{
	uint32_t count = current_count(c, now);

	return c->bcd ? to_bcd(count) : count;
}

static bool output(const struct counter *c, int64_t now)
{
	int64_t t = elapsed(c, now);

	switch (c->mode) {
	case 0:
		return c->loaded && t >= (int64_t)c->count;
	case 1:
		return !is_counting(c) || t >= (int64_t)c->count;
	case 2:
		return !is_counting(c) || t % c->count != c->count - 1;
	case 3:
		return !is_counting(c) || t % c->count < (c->count + 1) / 2;
	default:
		return !c->loaded || t != (int64_t)c->count;
	}
}

/* ---- Interrupts ---- */

/* Clocks from the start to the first rise of the output after @t; -1: it will not rise. */
static int64_t next_rise(const struct counter *c, int64_t t)
{
	int64_t count = c->count;

	if (!is_counting(c))
		return -1;
	if (is_periodic(c))
		return (t / count + 1) * count;
	/* A strobe is low for a clock, and rises behind it. */
	if (c->mode == 4 || c->mode == 5)
		count++;
	return t < count ? count : -1;
}

static void schedule(struct pit *p, int64_t now)
{
	struct counter *c = &p->counters[0];
	int64_t t = next_rise(c, elapsed(c, now));

	if (t < 0 || p->irq_disabled || now > TIME_MAX) {
		timer_del(&p->timer);
		return;
	}
	p->next = c->count_load_time + ticks_to_ns(t);
	timer_set(&p->timer, p->next);
}

/* The output was set by software. It may fall or rise with that. */
static void restart(struct pit *p, unsigned n, int64_t now)
{
	if (n)
		return;
	p->late = 0;
	if (!p->irq_disabled)
		irq_set(p->irq, output(&p->counters[0], now));
	schedule(p, now);
}

/*
 * The host was too late for some rises. They are lost (discard), or the guest gets them all: one a
 * period, by time the counter stands still for it (delay), or two a period until it has caught up.
 */
static void note_lateness(struct pit *p, int64_t now, int64_t period)
{
	int64_t missed = (now - p->next) / period;

	if (!missed)
		return;
	trace(pit_late, missed);
	if (p->lost_tick_policy == LOST_DELAY)
		p->counters[0].count_load_time += missed * period;
	else if (p->lost_tick_policy == LOST_SLEW)
		p->late = MIN(p->late + missed, LATE_MAX);
}

static void tick(struct pit *p)
{
	if (p->irq_disabled)
		return;
	irq_lower(p->irq);
	irq_raise(p->irq);
}

static void pit_timer(void *opaque)
{
	struct pit *p = opaque;
	struct counter *c = &p->counters[0];
	int64_t now = clock_now(QCLOCK_VIRTUAL), period = ticks_to_ns(c->count), half;

	tick(p);
	if (!is_periodic(c)) {
		schedule(p, now);
		return;
	}
	if (p->late && now < p->next) {
		p->late--;
		timer_set(&p->timer, p->next);
		return;
	}
	note_lateness(p, now, period);
	settle(c, now);
	schedule(p, now);
	half = now + (p->next - now) / 2;
	if (p->late)
		timer_set(&p->timer, half);
	if (p->timer.expires - now < SHORTEST_NS)
		timer_set(&p->timer, now + SHORTEST_NS);
}

/* ---- Gates ---- */

static void hold(struct counter *c, int64_t now)
{
	if (c->held)
		return;
	c->ticks = elapsed(c, now);
	c->held = true;
}

static void go_on(struct counter *c, int64_t now)
{
	if (!c->held)
		return;
	c->held = false;
	c->count_load_time = now - ticks_to_ns(c->ticks);
}

static void gate_rises(struct counter *c, int64_t now)
{
	if (pauses(c)) {
		go_on(c, now);
		return;
	}
	c->count = c->reload;
	c->count_load_time = now;
	c->started = c->loaded;
}

static void set_gate(struct pit *p, unsigned n, bool gate)
{
	struct counter *c = &p->counters[n];
	int64_t now = clock_now(QCLOCK_VIRTUAL);

	if (c->gate == gate)
		return;
	settle(c, now);
	c->gate = gate;
	if (gate)
		gate_rises(c, now);
	else if (pauses(c))
		hold(c, now);
	restart(p, n, now);
}

/* ---- Writes ---- */

static void load(struct pit *p, unsigned n, uint16_t value)
{
	struct counter *c = &p->counters[n];
	int64_t now = clock_now(QCLOCK_VIRTUAL);
	bool was_loaded = c->loaded;

	settle(c, now);
	c->reload = c->bcd ? from_bcd(value) : value;
	if (!c->reload)
		c->reload = modulus(c);
	c->loaded = true;
	/* A running period ends first; a counter that waits for its gate takes the count with it. */
	if (was_loaded && (waits_for_gate(c) || is_counting(c)) && !pauses(c))
		return;
	c->count = c->reload;
	c->count_load_time = now;
	c->held = false;
	if (pauses(c) && !c->gate)
		hold(c, now);
	restart(p, n, now);
}

static void write_count(struct pit *p, unsigned n, uint8_t value)
{
	struct counter *c = &p->counters[n];
	int64_t now = clock_now(QCLOCK_VIRTUAL);

	if (c->rw_mode == ACCESS_LOW) {
		load(p, n, value);
	} else if (c->rw_mode == ACCESS_HIGH) {
		load(p, n, value << 8);
	} else if (c->write_state == BYTE_LOW) {
		c->write_latch = value;
		c->write_state = BYTE_HIGH;
		/* In mode 0 half a count stops the counter. */
		if (c->mode == 0) {
			c->loaded = false;
			restart(p, n, now);
		}
	} else {
		c->write_state = BYTE_LOW;
		load(p, n, value << 8 | c->write_latch);
	}
}

static void latch_count(struct counter *c, int64_t now)
{
	if (c->count_latched)
		return;
	settle(c, now);
	c->latched_count = shown_count(c, now);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct counter *c, int64_t now)
{
	if (c->status_latched)
		return;
	settle(c, now);
	c->status = c->rw_mode << 4 | c->mode << 1 | c->bcd;
	if (output(c, now))
		c->status |= STATUS_OUT;
	if (!c->loaded || c->count != c->reload)
		c->status |= STATUS_NULL;
	c->status_latched = 1;
}

static void read_back(struct pit *p, uint8_t value, int64_t now)
{
	for (unsigned n = 0; n < COUNTERS; n++) {
		if (!(value & BIT(n + 1)))
			continue;
		if (!(value & BACK_NO_COUNT))
			latch_count(&p->counters[n], now);
		if (!(value & BACK_NO_STATUS))
			latch_status(&p->counters[n], now);
	}
}

static void set_mode(struct pit *p, unsigned n, uint8_t value, int64_t now)
{
	struct counter *c = &p->counters[n];
	uint8_t mode = value >> 1 & 7;

	c->rw_mode = value >> 4 & 3;
	c->mode = mode > 5 ? mode - 4 : mode;
	c->bcd = value & 1;
	c->read_state = c->write_state = BYTE_LOW;
	c->count_latched = c->status_latched = 0;
	c->loaded = c->started = c->held = false;
	c->count = MIN(c->count, modulus(c));
	c->reload = c->count;
	restart(p, n, now);
}

static void write_control(struct pit *p, uint8_t value)
{
	int64_t now = clock_now(QCLOCK_VIRTUAL);
	unsigned n = value >> 6;

	if (n == READ_BACK)
		read_back(p, value, now);
	else if ((value >> 4 & 3) == LATCH)
		latch_count(&p->counters[n], now);
	else
		set_mode(p, n, value, now);
}

/* ---- Reads ---- */

static uint8_t read_latched(struct counter *c)
{
	if (c->count_latched == ACCESS_BOTH) {
		c->count_latched = ACCESS_HIGH;
		return c->latched_count;
	}
	if (c->count_latched == ACCESS_HIGH) {
		c->count_latched = 0;
		return c->latched_count >> 8;
	}
	c->count_latched = 0;
	return c->latched_count;
}

static uint8_t read_running(struct counter *c)
{
	int64_t now = clock_now(QCLOCK_VIRTUAL);
	uint16_t count;

	settle(c, now);
	count = shown_count(c, now);
	if (c->rw_mode == ACCESS_LOW)
		return count;
	if (c->rw_mode == ACCESS_HIGH)
		return count >> 8;
	c->read_state = c->read_state == BYTE_LOW ? BYTE_HIGH : BYTE_LOW;
	return c->read_state == BYTE_HIGH ? count : count >> 8;
}

static uint8_t read_counter(struct counter *c)
{
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	return c->count_latched ? read_latched(c) : read_running(c);
}

/* ---- Ports ---- */

static uint64_t pit_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pit *p = opaque;
	uint8_t value;

	if (offset == CONTROL) /* write only */
		return 0;
	value = read_counter(&p->counters[offset]);
	trace(pit_read, (unsigned)offset, value);
	return value;
}

static void pit_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pit *p = opaque;

	trace(pit_write, (unsigned)offset, (unsigned)value);
	if (offset == CONTROL)
		write_control(p, value);
	else
		write_count(p, offset, value);
}

static const struct io_ops pit_ops = {
	.read = pit_read,
	.write = pit_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Board ---- */

void pit_configure(struct device *dev, struct irq *irq0)
{
	pit_of(dev)->irq = irq0;
}

bool pit_speaker_output(struct device *dev)
{
	struct counter *c = &pit_of(dev)->counters[SPEAKER];
	int64_t now = clock_now(QCLOCK_VIRTUAL);

	settle(c, now);
	return output(c, now);
}

void pit_set_speaker_gate(struct device *dev, bool gate)
{
	set_gate(pit_of(dev), SPEAKER, gate);
}

static void pit_silence(void *opaque, unsigned n, int level)
{
	struct pit *p = pit_of(opaque);

	p->irq_disabled = level;
	if (level)
		timer_del(&p->timer);
	else
		restart(p, 0, clock_now(QCLOCK_VIRTUAL));
}

/* ---- Life ---- */

static bool pit_realize(struct device *dev, GError **errp)
{
	struct pit *p = pit_of(dev);

	if (p->iobase == UINT32_MAX)
		p->iobase = 0x40;
	if (p->iobase > UINT16_MAX - CONTROL) {
		error_set(errp, "isa-pit: iobase 0x%x is not a port", p->iobase);
		return false;
	}
	device_add_inputs(dev, "", pit_silence, 1);
	device_add_outputs(dev, "", &p->irq, 1);
	timer_init(&p->timer, loop_main(), QCLOCK_VIRTUAL, pit_timer, p);
	region_init_io(&p->ports, dev, "pit", &pit_ops, p, 4);
	isa_add_ports(&p->isa, &p->ports, p->iobase);
	return true;
}

static void pit_unrealize(struct device *dev)
{
	struct pit *p = pit_of(dev);

	region_cleanup(&p->ports);
	timer_del(&p->timer);
}

/* The data sheet leaves the mode open. Nothing counts, and wakes the host, until software says so. */
static void pit_reset(struct device *dev)
{
	struct pit *p = pit_of(dev);
	int64_t now = clock_now(QCLOCK_VIRTUAL);

	p->irq_disabled = false;
	for (unsigned n = 0; n < COUNTERS; n++) {
		p->counters[n] = (struct counter){
			.count = 0x10000,
			.reload = 0x10000,
			.mode = 3,
			.rw_mode = ACCESS_BOTH,
			.gate = n != SPEAKER,
			.count_load_time = now,
		};
	}
	p->late = 0;
	timer_del(&p->timer);
}

static bool counter_is_sound(const struct counter *c)
{
	return c->count && c->count <= 0x10000 && c->reload && c->reload <= 0x10000 &&
	       c->mode <= 5 && c->rw_mode <= ACCESS_BOTH && c->count_latched <= ACCESS_BOTH &&
	       c->bcd <= 1 && c->gate <= 1 && c->ticks >= 0 && c->ticks <= TIME_MAX / 1000 &&
	       ABS(c->count_load_time) <= TIME_MAX;
}

static bool pit_post_load(struct device *dev, GError **errp)
{
	struct pit *p = pit_of(dev);

	for (unsigned n = 0; n < COUNTERS; n++) {
		const struct counter *c = &p->counters[n];

		if (!counter_is_sound(c)) {
			error_set(errp, "isa-pit: counter %u has mode %u, count %u of %u", n,
				  c->mode, c->count, c->reload);
			return false;
		}
	}
	if (ABS(p->next) > TIME_MAX || p->late > LATE_MAX) {
		error_set(errp, "isa-pit: the next tick is at %" PRId64 ", %u late", p->next,
			  p->late);
		return false;
	}
	return true;
}

static const struct enum_name policy_names[] = {
	{"discard", LOST_DISCARD, "they stay lost"},
	{"delay", LOST_DELAY, "they come later, at the normal rate"},
	{"slew", LOST_SLEW, "they come at twice the rate, until none is missing"},
	{NULL},
};

static const struct field pit_props[] = {
	PROP_UINT(struct pit, iobase, "iobase", UINT32_MAX, UINT32_MAX, "First I/O port"),
	PROP_ENUM(struct pit, lost_tick_policy, "lost_tick_policy", policy_names, LOST_SLEW,
		  "What becomes of ticks the host was too late for"),
	FIELD_ROW_END,
};

static const struct field counter_rows[] = {
	SAVE_UINT(struct counter, count),
	SAVE_UINT(struct counter, reload),
	SAVE_UINT(struct counter, latched_count),
	SAVE_UINT(struct counter, count_latched),
	SAVE_UINT(struct counter, status_latched),
	SAVE_UINT(struct counter, status),
	SAVE_UINT(struct counter, read_state),
	SAVE_UINT(struct counter, write_state),
	SAVE_UINT(struct counter, write_latch),
	SAVE_UINT(struct counter, rw_mode),
	SAVE_UINT(struct counter, mode),
	SAVE_UINT(struct counter, bcd),
	SAVE_UINT(struct counter, gate),
	SAVE_BOOL(struct counter, loaded),
	SAVE_BOOL(struct counter, started),
	SAVE_BOOL(struct counter, held),
	SAVE_INT(struct counter, ticks),
	SAVE_INT(struct counter, count_load_time),
	FIELD_ROW_END,
};
static const struct field_set counter_set = {
	"pit_channel",
	sizeof(struct counter),
	counter_rows,
};

static const struct field pit_state[] = {
	{FIELD_AT(struct pit, counters, "channels", FIELD_STRUCT, sizeof(struct counter), ""),
	 .sub = &counter_set, .count = COUNTERS},
	SAVE_BOOL(struct pit, irq_disabled),
	SAVE_INT(struct pit, next),
	SAVE_UINT(struct pit, late),
	SAVE_TIMER(struct pit, timer),
	FIELD_ROW_END,
};

const struct device_type pit_type = {
	.name = "isa-pit",
	.help = "Intel 8254 programmable interval timer",
	.base = &isa_device_type,
	.category = CATEGORY_MISC,
	.size = sizeof(struct pit),
	.props = pit_props,
	.state = pit_state,
	.realize = pit_realize,
	.unrealize = pit_unrealize,
	.reset = pit_reset,
	.post_load = pit_post_load,
};
