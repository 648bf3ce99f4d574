/*
 * iBASE 700 single board computer: its watchdog. A write to port 443h starts it over with a time by
 * the low four bits, from 30 seconds (0) down to none (15) in steps of two; any write to port 441h stops it.
 * The ports cannot be read. Source: iBASE IB700 user's manual, "Watchdog timer".
 */
#include "event/clock.h"
#include "event/loop.h"
#include "hw/isa.h"
#include "machine/watchdog.h"

#define STOP_PORT  0x441
#define START_PORT 0x443

struct ib700 {
	struct isa_device isa;
	struct region stop, start;
	struct timer timer;
};

static struct ib700 *ib700_of(struct device *dev)
{
	return container_of(dev, struct ib700, isa.dev);
}

static void expired(void *opaque)
{
	watchdog_expired();
}

static void stop_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ib700 *w = opaque;

	timer_del(&w->timer);
}

static void start_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ib700 *w = opaque;
	int64_t seconds = 2 * (15 - (value & 15));

	timer_set(&w->timer, clock_now(QCLOCK_VIRTUAL) + seconds * NS_PER_SEC);
}

static const struct io_ops stop_ops = {
	.write = stop_write,
	.impl = {.min = 1, .max = 1},
};

static const struct io_ops start_ops = {
	.write = start_write,
	.impl = {.min = 1, .max = 1},
};

static bool ib700_realize(struct device *dev, GError **errp)
{
	struct ib700 *w = ib700_of(dev);

	timer_init(&w->timer, loop_main(), QCLOCK_VIRTUAL, expired, w);
	region_init_io(&w->stop, dev, "ib700-stop", &stop_ops, w, 1);
	isa_add_ports(&w->isa, &w->stop, STOP_PORT);
	region_init_io(&w->start, dev, "ib700-start", &start_ops, w, 1);
	isa_add_ports(&w->isa, &w->start, START_PORT);
	return true;
}

static void ib700_unrealize(struct device *dev)
{
	struct ib700 *w = ib700_of(dev);

	timer_del(&w->timer);
	region_cleanup(&w->stop);
	region_cleanup(&w->start);
}

static void ib700_reset(struct device *dev)
{
	timer_del(&ib700_of(dev)->timer);
}

static const struct field ib700_state[] = {
	SAVE_TIMER(struct ib700, timer),
	FIELD_ROW_END,
};

const struct device_type ib700_type = {
	.name = "ib700",
	.help = "iBASE 700",
	.base = &isa_device_type,
	.category = CATEGORY_WATCHDOG,
	.size = sizeof(struct ib700),
	.flags = TYPE_USER_CREATABLE,
	.state = ib700_state,
	.realize = ib700_realize,
	.unrealize = ib700_unrealize,
	.reset = ib700_reset,
};
