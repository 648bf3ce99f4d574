/*
 * Global system interrupts: the board's 24 lines to the interrupt controllers of the accelerator.
 *
 * Lines 0 to 15 are the ISA interrupts; the controllers see them as both PIC and I/O APIC inputs. With
 * an accelerator that executes nothing (qtest) the lines end here and can be listened to.
 */
#include "hw/pc/pc.h"

struct gsi_router {
	struct device dev;
	struct accel *accel;
};

static void gsi_set(void *opaque, unsigned n, int level)
{
	struct device *dev = opaque;
	struct accel *a = container_of(dev, struct gsi_router, dev)->accel;

	if (a && a->ops->set_gsi)
		a->ops->set_gsi(a, n, level);
}

static bool gsi_realize(struct device *dev, GError **errp)
{
	device_add_inputs(dev, "", gsi_set, PC_GSIS);
	return true;
}

const struct device_type gsi_router_type = {
	.name = "gsi-router",
	.help = "Interrupt lines to the accelerator's interrupt controllers",
	.size = sizeof(struct gsi_router),
	.flags = STATE_NONE,
	.lock = LOCK_NONE,
	.realize = gsi_realize,
};

struct device *pc_make_gsis(struct machine *m, struct device *parent, GError **errp)
{
	const struct accel_ops *ops = m->accel->ops;
	struct device *dev;

	if (ops->executes && (!ops->set_gsi || m->accel->irqchip != IRQCHIP_ON)) {
		error_set(errp,
			  "This machine needs the interrupt controllers of the accelerator, and %s "
			  "runs without them",
			  ops->name);
		error_add_hint(errp, "Use an accelerator with kernel-irqchip=on, such as kvm");
		return NULL;
	}
	dev = device_new(&gsi_router_type);
	container_of(dev, struct gsi_router, dev)->accel = m->accel;
	/* Where nobody else has an I/O APIC, tools find the lines under its name. */
	if (!device_realize(dev, parent, ops->executes ? "gsi" : "ioapic", NULL, errp)) {
		device_unref(dev);
		return NULL;
	}
	return dev;
}
