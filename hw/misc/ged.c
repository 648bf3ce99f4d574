/* The generic event device: see include/hw/ged.h. */
#include "hw/ged.h"

#include "base/trace.h"
#include "machine/runstate.h"
#include "mem/region.h"

TRACE_DEFINE(ged_event, "events are now 0x%x");
TRACE_DEFINE(ged_sleep, "sleep control := 0x%02x");

#define SLEEP_GO   BIT(5)
#define SLEEP_TYPE 2 /* lowest bit */

struct ged {
	struct device dev;
	struct ged_config config;
	struct region events, power;
	uint32_t pending;
};

static struct ged *ged_of(struct device *dev)
{
	return container_of(dev, struct ged, dev);
}

void ged_configure(struct device *dev, const struct ged_config *config)
{
	ged_of(dev)->config = *config;
}

static void ged_happens(struct ged *g, uint32_t event)
{
	g->pending |= event;
	trace(ged_event, g->pending);
	irq_pulse(g->config.irq);
}

static void ged_run_event(void *opaque, enum run_event event, enum run_state state)
{
	if (event == RUN_EVENT_POWERDOWN)
		ged_happens(opaque, GED_EVENT_POWER_BUTTON);
}

/* Reading takes them. */
static uint64_t events_read(void *opaque, uint64_t offset, unsigned size)
{
	struct ged *g = opaque;
	uint32_t events = g->pending;

	g->pending = 0;
	return events;
}

static void events_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops events_ops = {
	.read = events_read,
	.write = events_write,
	.valid = {.min = 4, .max = 4},
};

static uint64_t power_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void power_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	if (offset == GED_SLEEP_CONTROL) {
		trace(ged_sleep, (unsigned)value);
		if (value & SLEEP_GO && (value >> SLEEP_TYPE & 7) == GED_SLEEP_OFF)
			system_shutdown_request(SHUTDOWN_GUEST_SHUTDOWN);
	} else if (offset == GED_RESET && value == GED_RESET_VALUE) {
		system_reset_request(SHUTDOWN_GUEST_RESET);
	}
}

static const struct io_ops power_ops = {
	.read = power_read,
	.write = power_write,
	.valid = {.min = 1, .max = 1},
};

static bool ged_realize(struct device *dev, GError **errp)
{
	struct ged *g = ged_of(dev);

	region_init_io(&g->events, dev, "acpi-ged-events", &events_ops, g, GED_EVENTS_SIZE);
	region_init_io(&g->power, dev, "acpi-ged-power", &power_ops, g, GED_POWER_SIZE);
	region_add(g->config.memory, g->config.events, &g->events, 0);
	region_add(g->config.memory, g->config.power, &g->power, 0);
	run_event_subscribe(ged_run_event, g);
	return true;
}

static void ged_unrealize(struct device *dev)
{
	struct ged *g = ged_of(dev);

	run_event_unsubscribe(ged_run_event, g);
	region_cleanup(&g->power);
	region_cleanup(&g->events);
}

static void ged_reset(struct device *dev)
{
	ged_of(dev)->pending = 0;
}

static const struct field ged_state[] = {
	SAVE_UINT(struct ged, pending),
	FIELD_ROW_END,
};

const struct device_type ged_type = {
	.name = "acpi-ged",
	.help = "Generic event device: power button, power off and reset without PM hardware",
	.size = sizeof(struct ged),
	.state = ged_state,
	.realize = ged_realize,
	.unrealize = ged_unrealize,
	.reset = ged_reset,
};
