/*
 * High precision event timers: a counter of 10 ns steps and up to 32 comparators.
 *
 * While the counter runs it is `counter` and the steps since `origin`; else `counter`. A comparator that the
 * counter reaches interrupts: by a line of its choice, by a message (FSB), or, in legacy replacement
 * mode, timers 0 and 1 by the lines of PIT and RTC, whose own interrupts come in here and go no further
 * then. A periodic comparator adds its period to itself each time. A comparator that software sets a
 * little too late interrupts at once: on a real machine writing it takes no time.
 *
 * Source: IA-PC HPET Specification 1.0a, 2.3.
 */
#include "base/trace.h"
#include "event/clock.h"
#include "hw/intc.h"

TRACE_DEFINE(hpet_read, "0x%03x -> 0x%" PRIx64);
TRACE_DEFINE(hpet_write, "0x%03x <- 0x%" PRIx64 " (%u bytes)");
TRACE_DEFINE(hpet_fire, "timer %u at %" PRIu64);

enum {
	WINDOW_SIZE = 0x400,
	REG_CAPABILITIES = 0x000,
	REG_CONFIG = 0x010,
	REG_STATUS = 0x020,
	REG_COUNTER = 0x0f0,
	REG_TIMERS = 0x100,
	TIMER_STRIDE = 0x20,
	TIMER_CONFIG = 0x00,
	TIMER_COMPARATOR = 0x08,
	TIMER_ROUTE = 0x10,

	TIMERS_MIN = 3,
	TIMERS_MAX = 32,
	LEGACY_PIT = 0, /* lines, and inputs 0 and 1, of legacy replacement */
	LEGACY_RTC = 8,

	CONFIG_ENABLE = BIT(0),
	CONFIG_LEGACY = BIT(1),

	TN_LEVEL = BIT(1),
	TN_ENABLE = BIT(2),
	TN_PERIODIC = BIT(3),
	TN_PERIODIC_CAP = BIT(4),
	TN_64BIT_CAP = BIT(5),
	TN_SET_ACCUMULATOR = BIT(6),
	TN_32BIT = BIT(8),
	TN_ROUTE_SHIFT = 9,
	TN_FSB = BIT(14),
	TN_FSB_CAP = BIT(15),
	TN_WRITABLE = TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_SET_ACCUMULATOR | TN_32BIT |
		      31 << TN_ROUTE_SHIFT | TN_FSB,
};

#define STEP_NS        10
#define PERIOD_FS      10000000ULL
#define CAPABILITIES   0x8086a001ULL /* Intel, legacy replacement, 64 bits, revision 1 */
#define SHORTEST_STEPS 5000ULL       /* between interrupts of a periodic timer: 50 us */
#define FURTHEST_STEPS (1ULL << 58)
#define TIME_MAX       (INT64_MAX / 4) /* ns */

struct hpet_timer {
	uint64_t config, comparator, route;
	uint64_t period; /* steps; 0: none */
	bool fired;      /* the counter has been at this value of the comparator */
	struct timer timer;
	struct hpet *hpet;
};

struct hpet {
	struct device dev;
	struct hpet_config board;
	uint8_t timers;
	bool msi, offset_saved;
	uint32_t intcap;

	struct region window;
	uint64_t config, status, counter;
	int64_t origin;        /* ns of the virtual clock */
	uint8_t legacy_levels; /* BIT(n): level of input n, whatever happens to the chip */
	struct hpet_timer timer[TIMERS_MAX];
};

static struct hpet *hpet_of(struct device *dev)
{
	return container_of(dev, struct hpet, dev);
}

static unsigned number_of(const struct hpet_timer *t)
{
	return t - t->hpet->timer;
}

static uint64_t status_bit(const struct hpet_timer *t)
{
	return BIT64(number_of(t));
}

/* ---- The counter ---- */

static bool is_running(const struct hpet *h)
{
	return h->config & CONFIG_ENABLE;
}

static bool is_legacy(const struct hpet *h)
{
	return h->config & CONFIG_LEGACY;
}

static uint64_t counter_now(const struct hpet *h)
{
	uint64_t steps = (uint64_t)(clock_now(QCLOCK_VIRTUAL) - h->origin) / STEP_NS;

	return is_running(h) ? h->counter + steps : h->counter;
}

/* ---- Interrupts ---- */

static struct irq *line_of(const struct hpet_timer *t)
{
	unsigned n = number_of(t);

	if (is_legacy(t->hpet) && n < 2)
		return t->hpet->board.irqs[n ? LEGACY_RTC : LEGACY_PIT];
	return t->hpet->board.irqs[t->config >> TN_ROUTE_SHIFT & 31];
}

static void send_message(const struct hpet_timer *t)
{
	struct msi_message msg = {.addr = t->route >> 32, .data = t->route};

	if (t->hpet->board.send)
		t->hpet->board.send(t->hpet->board.opaque, &msg);
}

static void interrupt(struct hpet_timer *t)
{
	if (t->config & TN_LEVEL)
		t->hpet->status |= status_bit(t);
	if (!(t->config & TN_ENABLE))
		return;
	if (t->config & TN_FSB)
		send_message(t);
	else if (t->config & TN_LEVEL)
		irq_raise(line_of(t));
	else
		irq_pulse(line_of(t));
}

static bool holds_line(const struct hpet_timer *t)
{
	uint64_t wanted = TN_LEVEL | TN_ENABLE;

	return (t->config & (wanted | TN_FSB)) == wanted && (t->hpet->status & status_bit(t));
}

/* ---- Comparators ---- */

static uint64_t width_mask(const struct hpet_timer *t)
{
	return t->config & TN_32BIT ? UINT32_MAX : UINT64_MAX;
}

static bool is_periodic(const struct hpet_timer *t)
{
	return (t->config & TN_PERIODIC) && t->period;
}

/* Somebody would notice if it fired. */
static bool is_active(const struct hpet_timer *t)
{
	return is_running(t->hpet) && (t->config & (TN_ENABLE | TN_LEVEL));
}

/* Of a periodic timer: to the first match behind @now. What the host was too late for is lost. */
static void catch_up(struct hpet_timer *t, uint64_t now)
{
	uint64_t mask = width_mask(t), behind = (now - t->comparator) & mask;

	if (behind <= mask >> 1)
		t->comparator = (t->comparator + behind / t->period * t->period + t->period) & mask;
}

/* To the next match, which is a whole turn away from one that has just been. */
static uint64_t steps_left(const struct hpet_timer *t, uint64_t now)
{
	uint64_t mask = width_mask(t), left = (t->comparator - now) & mask;

	if (t->fired)
		return left ? left : MAX(mask, mask + 1);
	return left > mask >> 1 ? 0 : left;
}

/* The counter steps at multiples of 10 ns from its origin. */
static void arm(struct hpet_timer *t, uint64_t left)
{
	int64_t now = clock_now(QCLOCK_VIRTUAL), past = (now - t->hpet->origin) % STEP_NS;

	if (left > FURTHEST_STEPS || now > TIME_MAX)
		timer_del(&t->timer);
	else
		timer_set(&t->timer, now - past + (int64_t)left * STEP_NS);
}

static void schedule(struct hpet_timer *t)
{
	uint64_t now = counter_now(t->hpet);

	if (!is_active(t)) {
		timer_del(&t->timer);
		return;
	}
	if (is_periodic(t) && t->fired)
		catch_up(t, now);
	if (is_periodic(t) && t->fired && t->period < SHORTEST_STEPS)
		arm(t, SHORTEST_STEPS);
	else
		arm(t, steps_left(t, now));
}

static void hpet_timer_expired(void *opaque)
{
	struct hpet_timer *t = opaque;

	trace(hpet_fire, number_of(t), counter_now(t->hpet));
	t->fired = true;
	schedule(t);
	interrupt(t);
}

/* ---- Writes: @mask says which bits of the register were written ---- */

static uint64_t merge(uint64_t old, uint64_t value, uint64_t mask)
{
	return (old & ~mask) | (value & mask);
}

static void drive_lines(struct hpet *h, bool level)
{
	for (unsigned n = 0; n < h->timers; n++) {
		if (holds_line(&h->timer[n]))
			irq_set(line_of(&h->timer[n]), level);
	}
}

/* PIT and RTC lose their lines, or get them back. */
static void switch_legacy(struct hpet *h, uint64_t config)
{
	drive_lines(h, false);
	if (config & CONFIG_LEGACY)
		irq_raise(h->board.pit_off);
	irq_lower(h->board.irqs[LEGACY_PIT]);
	irq_lower(h->board.irqs[LEGACY_RTC]);
	h->config = config;
	if (!is_legacy(h)) {
		irq_set(h->board.irqs[LEGACY_PIT], h->legacy_levels & BIT(0));
		irq_set(h->board.irqs[LEGACY_RTC], !!(h->legacy_levels & BIT(1)));
		irq_lower(h->board.pit_off);
	}
	drive_lines(h, true);
}

static void write_config(struct hpet *h, uint64_t value, uint64_t mask)
{
	uint64_t config = merge(h->config, value, mask) & (CONFIG_ENABLE | CONFIG_LEGACY);
	uint64_t changed = config ^ h->config, now = counter_now(h);

	if (changed & CONFIG_LEGACY)
		switch_legacy(h, config);
	h->config = config;
	if (!(changed & CONFIG_ENABLE))
		return;
	h->counter = now;
	h->origin = clock_now(QCLOCK_VIRTUAL);
	for (unsigned n = 0; n < h->timers; n++)
		schedule(&h->timer[n]);
}

static void write_status(struct hpet *h, uint64_t value, uint64_t mask)
{
	for (unsigned n = 0; n < h->timers; n++) {
		struct hpet_timer *t = &h->timer[n];

		if (!(value & mask & status_bit(t)))
			continue;
		if (holds_line(t))
			irq_lower(line_of(t));
		h->status &= ~status_bit(t);
	}
}

/* While it runs the specification leaves this undefined; it stays as it is. */
static void write_counter(struct hpet *h, uint64_t value, uint64_t mask)
{
	if (is_running(h))
		return;
	h->counter = merge(h->counter, value, mask);
	for (unsigned n = 0; n < h->timers; n++)
		h->timer[n].fired = false;
}

static void write_timer_config(struct hpet_timer *t, uint64_t value, uint64_t mask)
{
	uint64_t writable = TN_WRITABLE;

	if (!(t->config & TN_FSB_CAP))
		writable &= ~(uint64_t)TN_FSB;
	if (holds_line(t))
		irq_lower(line_of(t));
	t->config = merge(t->config, value, mask & writable);
	if (!(t->config & TN_LEVEL))
		t->hpet->status &= ~status_bit(t);
	t->comparator &= width_mask(t);
	t->period &= width_mask(t);
	if (holds_line(t))
		irq_raise(line_of(t));
	schedule(t);
}

/* Of a periodic timer a write means the period, and the comparator only after TN_SET_ACCUMULATOR. */
static void write_comparator(struct hpet_timer *t, uint64_t value, uint64_t mask)
{
	if (t->config & TN_PERIODIC)
		t->period = merge(t->period, value, mask) & width_mask(t) >> 1;
	if (!(t->config & TN_PERIODIC) || (t->config & TN_SET_ACCUMULATOR)) {
		t->comparator = merge(t->comparator, value, mask) & width_mask(t);
		t->fired = false;
	}
	t->config &= ~(uint64_t)TN_SET_ACCUMULATOR;
	schedule(t);
}

static void write_timer(struct hpet_timer *t, unsigned reg, uint64_t value, uint64_t mask)
{
	switch (reg) {
	case TIMER_CONFIG:
		write_timer_config(t, value, mask);
		break;
	case TIMER_COMPARATOR:
		write_comparator(t, value, mask);
		break;
	case TIMER_ROUTE:
		t->route = merge(t->route, value, mask);
		break;
	}
}

/* ---- Registers ---- */

static struct hpet_timer *timer_at(struct hpet *h, unsigned reg)
{
	unsigned n = (reg - REG_TIMERS) / TIMER_STRIDE;

	return reg >= REG_TIMERS && n < h->timers ? &h->timer[n] : NULL;
}

static uint64_t read_timer(struct hpet_timer *t, unsigned reg)
{
	switch (reg) {
	case TIMER_CONFIG:
		return t->config;
	case TIMER_COMPARATOR:
		/* A match that nobody was interested in has to show all the same. */
		if (is_periodic(t) && is_running(t->hpet) && !is_active(t))
			catch_up(t, counter_now(t->hpet));
		return t->comparator;
	case TIMER_ROUTE:
		return t->route;
	default:
		return 0;
	}
}

static uint64_t read_register(struct hpet *h, unsigned reg)
{
	struct hpet_timer *t = timer_at(h, reg);

	switch (reg) {
	case REG_CAPABILITIES:
		return PERIOD_FS << 32 | CAPABILITIES | (h->timers - 1) << 8;
	case REG_CONFIG:
		return h->config;
	case REG_STATUS:
		return h->status;
	case REG_COUNTER:
		return counter_now(h);
	default:
		return t ? read_timer(t, reg % TIMER_STRIDE) : 0;
	}
}

static uint64_t hpet_read(void *opaque, uint64_t offset, unsigned size)
{
	uint64_t value = read_register(opaque, offset & ~7) >> (offset & 4) * 8;

	trace(hpet_read, (unsigned)offset, value);
	return value;
}

static void hpet_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct hpet *h = opaque;
	unsigned reg = offset & ~7, shift = (offset & 4) * 8;
	uint64_t mask = (size == 8 ? UINT64_MAX : UINT32_MAX) << shift;
	struct hpet_timer *t = timer_at(h, reg);

	trace(hpet_write, (unsigned)offset, value, size);
	value <<= shift;
	if (reg == REG_CONFIG)
		write_config(h, value, mask);
	else if (reg == REG_STATUS)
		write_status(h, value, mask);
	else if (reg == REG_COUNTER)
		write_counter(h, value, mask);
	else if (t)
		write_timer(t, reg % TIMER_STRIDE, value, mask);
}

static const struct io_ops hpet_ops = {
	.read = hpet_read,
	.write = hpet_write,
	.valid = {.min = 4, .max = 8},
	.impl = {.min = 4, .max = 8},
};

/* ---- Interrupts of PIT and RTC ---- */

static void legacy_input(void *opaque, unsigned n, int level)
{
	struct hpet *h = hpet_of(opaque);

	h->legacy_levels = level ? h->legacy_levels | BIT(n) : h->legacy_levels & ~BIT(n);
	if (!is_legacy(h))
		irq_set(h->board.irqs[n ? LEGACY_RTC : LEGACY_PIT], level);
}

/* ---- Life ---- */

void hpet_configure(struct device *dev, const struct hpet_config *config)
{
	hpet_of(dev)->board = *config;
}

static bool hpet_realize(struct device *dev, GError **errp)
{
	struct hpet *h = hpet_of(dev);

	if (!h->board.memory) {
		error_set(errp, "hpet comes with the board");
		return false;
	}
	if (!h->intcap) {
		error_set(errp, "hpet.hpet-intcap not initialized");
		return false;
	}
	h->timers = CLAMP(h->timers, TIMERS_MIN, TIMERS_MAX);
	for (unsigned n = 0; n < TIMERS_MAX; n++) {
		h->timer[n].hpet = h;
		timer_init(&h->timer[n].timer, loop_main(), QCLOCK_VIRTUAL, hpet_timer_expired,
			   &h->timer[n]);
	}
	device_add_inputs(dev, "", legacy_input, 2);
	device_add_outputs(dev, "", &h->board.pit_off, 1);
	device_add_outputs(dev, "sysbus-irq", h->board.irqs, HPET_LINES);
	region_init_io(&h->window, dev, "hpet", &hpet_ops, h, WINDOW_SIZE);
	region_add(h->board.memory, HPET_BASE, &h->window, 0);
	return true;
}

static void hpet_unrealize(struct device *dev)
{
	struct hpet *h = hpet_of(dev);

	region_cleanup(&h->window);
	for (unsigned n = 0; n < TIMERS_MAX; n++)
		timer_del(&h->timer[n].timer);
}

static void hpet_reset(struct device *dev)
{
	struct hpet *h = hpet_of(dev);
	uint64_t caps = TN_PERIODIC_CAP | TN_64BIT_CAP | (h->msi ? TN_FSB_CAP : 0);

	drive_lines(h, false);
	if (is_legacy(h))
		switch_legacy(h, 0);
	h->config = h->status = h->counter = 0;
	h->origin = 0;
	for (unsigned n = 0; n < TIMERS_MAX; n++) {
		struct hpet_timer *t = &h->timer[n];

		t->config = caps | (uint64_t)h->intcap << 32;
		t->comparator = UINT64_MAX;
		t->route = t->period = 0;
		t->fired = false;
		timer_del(&t->timer);
	}
}

static bool hpet_post_load(struct device *dev, GError **errp)
{
	struct hpet *h = hpet_of(dev);

	if (ABS(h->origin) > TIME_MAX) {
		error_set(errp, "hpet: the counter started at %" PRId64, h->origin);
		return false;
	}
	for (unsigned n = 0; n < h->timers; n++)
		schedule(&h->timer[n]);
	return true;
}

static const struct field hpet_props[] = {
	PROP_UINT(struct hpet, timers, "timers", TIMERS_MIN, UINT8_MAX, "Number of comparators"),
	PROP_BOOL(struct hpet, msi, "msi", false, "Comparators can send messages"),
	PROP_UINT(struct hpet, intcap, "hpet-intcap", 0, UINT32_MAX,
		  "Interrupt lines the comparators can use, a bit each"),
	PROP_BOOL(struct hpet, offset_saved, "hpet-offset-saved", true,
		  "Accepted for compatibility, does nothing"),
	FIELD_ROW_END,
};

static const struct field timer_rows[] = {
	SAVE_UINT(struct hpet_timer, config), SAVE_UINT(struct hpet_timer, comparator),
	SAVE_UINT(struct hpet_timer, route),  SAVE_UINT(struct hpet_timer, period),
	SAVE_BOOL(struct hpet_timer, fired),  FIELD_ROW_END,
};
static const struct field_set timer_set_rows = {
	"hpet_timer",
	sizeof(struct hpet_timer),
	timer_rows,
};

static const struct field hpet_state[] = {
	SAVE_UINT(struct hpet, config),
	SAVE_UINT(struct hpet, status),
	SAVE_UINT(struct hpet, counter),
	SAVE_INT(struct hpet, origin),
	SAVE_UINT(struct hpet, legacy_levels),
	SAVE_STRUCTS(struct hpet, timer, &timer_set_rows),
	FIELD_ROW_END,
};

const struct device_type hpet_type = {
	.name = "hpet",
	.help = "High precision event timers",
	.category = CATEGORY_MISC,
	.size = sizeof(struct hpet),
	.props = hpet_props,
	.state = hpet_state,
	.realize = hpet_realize,
	.unrealize = hpet_unrealize,
	.reset = hpet_reset,
	.post_load = hpet_post_load,
};
