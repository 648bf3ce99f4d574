/*
 * Global system interrupts: the board's 24 lines or more, and what they lead to.
 *
 * Lines 0 to 15 are the ISA interrupts; they reach a PIC and the I/O APIC alike, whichever of the two
 * the guest has set up. The controllers are the accelerator's, or devices that are connected later.
 */
#include "hw/pc/pc.h"

#define PIC_LINES 8

struct gsi_router {
	struct device dev;
	struct accel *accel; /* has the controllers; NULL: they are devices */
	struct irq *pic[ISA_IRQS], *ioapic[PC_GSIS_MAX];
	unsigned count;
};

static struct gsi_router *router_of(struct device *dev)
{
	return container_of(dev, struct gsi_router, dev);
}

static void gsi_set(void *opaque, unsigned n, int level)
{
	struct gsi_router *r = router_of(opaque);

	if (r->accel) {
		r->accel->ops->set_gsi(r->accel, n, level);
		return;
	}
	if (n < ISA_IRQS)
		irq_set(r->pic[n], level);
	irq_set(r->ioapic[n], level);
}

static bool gsi_realize(struct device *dev, GError **errp)
{
	device_add_inputs(dev, "", gsi_set, router_of(dev)->count);
	return true;
}

const struct device_type gsi_router_type = {
	.name = "gsi-router",
	.help = "Interrupt lines of the board to its interrupt controllers",
	.size = sizeof(struct gsi_router),
	.flags = STATE_NONE,
	.lock = LOCK_NONE,
	.realize = gsi_realize,
};

struct device *pc_make_gsis(struct machine *m, unsigned count)
{
	struct device *dev = device_new(&gsi_router_type);

	router_of(dev)->count = count;
	if (m->accel->irqchip == IRQCHIP_ON)
		router_of(dev)->accel = m->accel;
	device_realize(dev, tree_container("/machine/unattached"), "gsi", NULL, NULL);
	return dev;
}

/* The cascade is no line of the board. A board without PICs has NULLs there. */
void pc_connect_gsis(struct device *gsis, struct device *const pic[2], struct device *ioapic)
{
	struct gsi_router *r = router_of(gsis);

	for (unsigned n = 0; n < ISA_IRQS; n++) {
		if (n != 2 && pic[0])
			r->pic[n] = device_input(pic[n / PIC_LINES], "", n % PIC_LINES);
	}
	for (unsigned n = 0; n < PC_GSIS; n++)
		r->ioapic[n] = device_input(ioapic, "", n);
}

void pc_connect_more_gsis(struct device *gsis, struct device *ioapic2)
{
	for (unsigned n = PC_GSIS; n < PC_GSIS_MAX; n++)
		router_of(gsis)->ioapic[n] = device_input(ioapic2, "", n - PC_GSIS);
}
