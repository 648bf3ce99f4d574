/*
 * The accelerator without a CPU: the machine is there, nothing runs in it, and guest time moves only
 * when the qtest client says so.
 */
#include "accel/accel.h"
#include "accel/qtest.h"
#include "event/clock.h"

static bool qtest_init(struct accel *a, GError **errp)
{
	a->irqchip = IRQCHIP_OFF;
	a->smm = a->machine.smm; /* registers are those of a machine that has it */
	clock_virtual_set_manual();
	return true;
}

/* No CPU runs, so none can be missing anything: any model and feature is accepted. */
static void qtest_capabilities(struct accel *a, struct cpu_capabilities *caps)
{
	memset(caps->words, 0xff, sizeof(caps->words));
	caps->phys_bits = 52;
}

static bool qtest_irqchip_create(struct accel *a, GError **errp)
{
	if (a->machine.irqchip != IRQCHIP_OFF && a->machine.irqchip_required) {
		error_set(errp, "The qtest accelerator has no in-kernel irqchip");
		return false;
	}
	a->irqchip = IRQCHIP_OFF;
	return true;
}

static const struct accel_ops qtest_ops = {
	.name = "qtest",
	.executes = false,
	.init = qtest_init,
	.capabilities = qtest_capabilities,
	.irqchip_create = qtest_irqchip_create,
};

const struct device_type qtest_accel_type = {
	.name = "qtest-accel",
	.help = "No CPU: devices are driven over the qtest protocol",
	.category = CATEGORY_ACCEL,
	.size = sizeof(struct accel),
	.flags = STATE_NONE,
	.class_data = &qtest_ops,
};
