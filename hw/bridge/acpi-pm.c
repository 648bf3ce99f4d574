/*
 * ACPI fixed hardware: see acpi-pm.h.
 *
 * The PM timer counts 3.579545 MHz of guest time in 24 bits. Its status bit is set whenever bit 23
 * changes; that moment is computed, and a timer runs for it only while its interrupt is enabled.
 */
#include "hw/bridge/acpi-pm.h"
#include "base/trace.h"
#include "hw/events.h"
#include "machine/runstate.h"

TRACE_DEFINE(acpi_pm_sci, "status 0x%x enable 0x%x level %d");
TRACE_DEFINE(acpi_pm_sleep, "type %u");

enum {
	PM1_TIMER = 0x0001,
	PM1_GLOBAL = 0x0020,
	PM1_POWER_BUTTON = 0x0100,
	PM1_RTC = 0x0400,
	PM1_WAKE = 0x8000,
	PM1_SCI_SOURCES = PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_RTC,

	CONTROL_SCI_ENABLE = 0x0001,
	CONTROL_SLEEP_ENABLE = 0x2000,
	CONTROL_SLEEP_TYPE_SHIFT = 10,

	SLEEP_S5 = 0,
	SLEEP_S3 = 1,
};

#define TIMER_MASK      0xffffff
#define TIMER_HALF_TURN 0x800000

static int64_t ticks_now(void)
{
	return (__int128)clock_now(QCLOCK_VIRTUAL) * ACPI_PM_TIMER_HZ / NS_PER_SEC;
}

/* The first ns at which ticks_now() is @ticks. */
static int64_t ticks_to_ns(int64_t ticks)
{
	__int128 ns = (__int128)ticks * NS_PER_SEC;

	return (ns + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
}

static uint16_t pm_status(struct acpi_pm *pm)
{
	if (ticks_now() >= pm->overflow)
		pm->status |= PM1_TIMER;
	return pm->status;
}

static bool gpe_pending(const struct acpi_pm *pm)
{
	uint8_t pending = 0;

	for (unsigned i = 0; i < ACPI_GPE_BYTES; i++)
		pending |= pm->gpe_status[i] & pm->gpe_enable[i];
	return pending;
}

static void pm_update(struct acpi_pm *pm)
{
	uint16_t status = pm_status(pm);
	bool level = (status & pm->enable & PM1_SCI_SOURCES) || gpe_pending(pm);

	trace(acpi_pm_sci, status, pm->enable, level);
	irq_set(pm->sci, level);
	if ((pm->enable & PM1_TIMER) && !(status & PM1_TIMER))
		timer_set(&pm->timer, ticks_to_ns(pm->overflow));
	else
		timer_del(&pm->timer);
}

static void pm_timer(void *opaque)
{
	pm_update(opaque);
}

/* ---- Event registers: status at 0 (write ones to clear), enable at 2 ---- */

static uint64_t event_read(void *opaque, uint64_t offset, unsigned size)
{
	struct acpi_pm *pm = opaque;
	uint16_t value = offset < 2 ? pm_status(pm) : pm->enable;

	return value >> (8 * (offset & 1));
}

static void event_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_pm *pm = opaque;
	unsigned shift = 8 * (offset & 1);
	uint16_t mask = (size == 1 ? 0xff : 0xffff) << shift;

	value <<= shift;
	if (offset < 2) {
		if (pm_status(pm) & value & PM1_TIMER)
			pm->overflow = (ticks_now() + TIMER_HALF_TURN) & ~(TIMER_HALF_TURN - 1LL);
		pm->status &= ~value;
	} else {
		pm->enable = (pm->enable & ~mask) | (value & mask);
	}
	pm_update(pm);
}

static const struct io_ops event_ops = {
	.read = event_read,
	.write = event_write,
	.impl = {.min = 1, .max = 2},
};

/* ---- Control register ---- */

static void pm_sleep(struct acpi_pm *pm, unsigned type)
{
	trace(acpi_pm_sleep, type);
	if (type == SLEEP_S3) {
		system_suspend_request();
	} else if (type == SLEEP_S5) {
		system_shutdown_request(SHUTDOWN_GUEST_SHUTDOWN);
	} else if (type == pm->s4_value) {
		hw_event_suspend_disk();
		system_shutdown_request(SHUTDOWN_GUEST_SHUTDOWN);
	}
}

static uint64_t control_read(void *opaque, uint64_t offset, unsigned size)
{
	struct acpi_pm *pm = opaque;

	return pm->control >> (8 * offset);
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_pm *pm = opaque;
	uint16_t mask = (size == 1 ? 0xff : 0xffff) << (8 * offset);

	value = (pm->control & ~mask) | (value << (8 * offset) & mask);
	/* Sleep enable is a command, it reads as 0. */
	pm->control = value & ~CONTROL_SLEEP_ENABLE;
	if (value & CONTROL_SLEEP_ENABLE)
		pm_sleep(pm, value >> CONTROL_SLEEP_TYPE_SHIFT & 7);
}

static const struct io_ops control_ops = {
	.read = control_read,
	.write = control_write,
	.impl = {.min = 1, .max = 2},
};

/* ---- Timer ---- */

static uint64_t timer_read(void *opaque, uint64_t offset, unsigned size)
{
	return ticks_now() & TIMER_MASK;
}

static void timer_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops timer_ops = {
	.read = timer_read,
	.write = timer_write,
	.impl = {.min = 4, .max = 4},
};

/* ---- General-purpose events: status bytes (write ones to clear), then enable bytes ---- */

static uint64_t gpe_read(void *opaque, uint64_t offset, unsigned size)
{
	struct acpi_pm *pm = opaque;

	if (offset < ACPI_GPE_BYTES)
		return pm->gpe_status[offset];
	return pm->gpe_enable[offset - ACPI_GPE_BYTES];
}

static void gpe_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_pm *pm = opaque;

	if (offset < ACPI_GPE_BYTES)
		pm->gpe_status[offset] &= ~value;
	else
		pm->gpe_enable[offset - ACPI_GPE_BYTES] = value;
	pm_update(pm);
}

static const struct io_ops gpe_ops = {
	.read = gpe_read,
	.write = gpe_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Events ---- */

void acpi_pm_set_enabled(struct acpi_pm *pm, bool on)
{
	pm->control = (pm->control & ~CONTROL_SCI_ENABLE) | (on ? CONTROL_SCI_ENABLE : 0);
}

void acpi_pm_power_button(struct acpi_pm *pm)
{
	if (pm->enable & PM1_POWER_BUTTON) {
		pm->status |= PM1_POWER_BUTTON;
		pm_update(pm);
	}
}

/* Whatever woke it, the guest is told it was the power button. */
void acpi_pm_wakeup(struct acpi_pm *pm)
{
	pm->status |= PM1_WAKE | PM1_POWER_BUTTON;
	pm_update(pm);
}

void acpi_pm_raise_gpe(struct acpi_pm *pm, enum acpi_gpe bit)
{
	pm->gpe_status[bit / 8] |= BIT(bit % 8);
	pm_update(pm);
}

/* ---- Life ---- */

void acpi_pm_init(struct acpi_pm *pm, struct device *owner, struct region *block)
{
	timer_init(&pm->timer, loop_main(), QCLOCK_VIRTUAL, pm_timer, pm);
	region_init_io(&pm->event_regs, owner, "acpi-evt", &event_ops, pm, 4);
	region_init_io(&pm->control_regs, owner, "acpi-cnt", &control_ops, pm, 2);
	region_init_io(&pm->timer_regs, owner, "acpi-tmr", &timer_ops, pm, 4);
	region_init_io(&pm->gpe_regs, owner, "acpi-gpe0", &gpe_ops, pm, 2 * ACPI_GPE_BYTES);
	region_add(block, 0, &pm->event_regs, 0);
	region_add(block, 4, &pm->control_regs, 0);
	region_add(block, 8, &pm->timer_regs, 0);
}

void acpi_pm_cleanup(struct acpi_pm *pm)
{
	timer_del(&pm->timer);
	region_cleanup(&pm->event_regs);
	region_cleanup(&pm->control_regs);
	region_cleanup(&pm->timer_regs);
	region_cleanup(&pm->gpe_regs);
}

void acpi_pm_reset(struct acpi_pm *pm)
{
	pm->status = pm->enable = pm->control = 0;
	pm->overflow = 0;
	memset(pm->gpe_status, 0, sizeof(pm->gpe_status));
	memset(pm->gpe_enable, 0, sizeof(pm->gpe_enable));
	pm_update(pm);
}

void acpi_pm_post_load(struct acpi_pm *pm)
{
	/* Never more than a turn ahead, whatever a stream says. */
	if (pm->overflow < 0 || pm->overflow > ticks_now() + 2 * TIMER_HALF_TURN)
		pm->overflow = ticks_now() + TIMER_HALF_TURN;
	pm_update(pm);
}

static const struct field acpi_pm_rows[] = {
	SAVE_UINT(struct acpi_pm, status),
	SAVE_UINT(struct acpi_pm, enable),
	SAVE_UINT(struct acpi_pm, control),
	SAVE_INT(struct acpi_pm, overflow),
	SAVE_BYTES(struct acpi_pm, gpe_status),
	SAVE_BYTES(struct acpi_pm, gpe_enable),
	FIELD_ROW_END,
};

const struct field_set acpi_pm_state = {"acpi-pm", sizeof(struct acpi_pm), acpi_pm_rows};
