/*
 * Interrupt controllers and timers of a PC that are not the accelerator's: see hw/intc.h for how they
 * hang together in each mode.
 */
#include "hw/i440fx.h"
#include "hw/intc.h"
#include "hw/pc/pc.h"

extern const struct device_type pcspk_type;

#define HPET_LINES_PC 0x4 /* comparators can use line 2 */

static struct accel *accel_of(struct pc_machine *pc)
{
	return pc->m.accel;
}

static bool realize_at(struct device *dev, struct device *parent, const char *name, struct bus *bus,
		       struct device **place, GError **errp)
{
	if (!device_realize(dev, parent, name, bus, errp)) {
		device_unref(dev);
		return false;
	}
	*place = dev;
	return true;
}

/* ---- Messages ---- */

static void send_to_accel(void *opaque, const struct msi_message *msg)
{
	struct accel *a = opaque;

	a->ops->send_msi(a, msg);
}

msi_sink_fn *pc_msi_sink(struct pc_machine *pc, void **opaque)
{
	bool ours = accel_of(pc)->irqchip == IRQCHIP_OFF;

	*opaque = ours ? (void *)pc->apic_bus : accel_of(pc);
	return ours ? apic_bus_send : send_to_accel;
}

/* ---- HPET ---- */

/* The PIT's and the RTC's interrupts go through it. */
bool pc_make_hpet(struct pc_machine *pc, GError **errp)
{
	struct accel *a = accel_of(pc);
	struct device *dev;
	struct hpet_config config = {
		.memory = &pc->m.memory_root,
		.pit_off = a->legacy_timer_off,
	};
	g_autofree char *intcap = g_strdup_printf("%u", HPET_LINES_PC);

	if (!pc->want_hpet || pc->m.no_hpet)
		return true;
	dev = device_new(&hpet_type);
	for (unsigned n = 0; n < PC_GSIS; n++)
		config.irqs[n] = device_input(pc->gsi, "", n);
	config.send = pc_msi_sink(pc, &config.opaque);
	hpet_configure(dev, &config);
	if (device_set_text(dev, "hpet-intcap", intcap, errp))
		return realize_at(dev, NULL, NULL, NULL, &pc->hpet, errp);
	device_unref(dev);
	return false;
}

struct irq *pc_timer_line(struct pc_machine *pc, unsigned n)
{
	if (pc->hpet && (n == 0 || n == 8))
		return device_input(pc->hpet, "", n / 8);
	return device_input(pc->gsi, "", n);
}

/* ---- Interrupt controllers ---- */

static bool make_pics(struct pc_machine *pc, GError **errp)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!realize_at(i8259_new(i == 0), NULL, NULL, &pc->isa->bus, &pc->pic[i], errp))
			return false;
	}
	i8259_cascade(pc->pic[0], pc->pic[1]);
	return true;
}

static bool make_ioapic(struct pc_machine *pc, const char *name, uint64_t addr, unsigned first_gsi,
			struct device **place, GError **errp)
{
	struct accel *a = accel_of(pc);
	struct device *dev = device_new(&ioapic_type);
	struct ioapic_config config = {
		.memory = &pc->m.memory_root,
		.addr = addr,
		.first_gsi = first_gsi,
		.split = a->irqchip == IRQCHIP_SPLIT ? a : NULL,
	};

	config.send = pc_msi_sink(pc, &config.opaque);
	ioapic_configure(dev, &config);
	return realize_at(dev, pc->host, name, NULL, place, errp);
}

bool pc_make_apic_bus(struct pc_machine *pc, GError **errp)
{
	struct device *dev = device_new(&apic_bus_type);
	struct apic_bus_config config = {
		.memory = &pc->m.memory_root,
		.executes = accel_of(pc)->ops->executes,
	};

	apic_bus_configure(dev, &config);
	return realize_at(dev, NULL, NULL, NULL, &pc->apic_bus, errp);
}

static bool make_lapics(struct pc_machine *pc, GError **errp)
{
	for (unsigned i = 0; i < pc->m.topo.cpus; i++) {
		if (!lapic_create(pc->apic_bus, pc->m.cpus[i], errp))
			return false;
	}
	apic_bus_connect(pc->apic_bus, pc->pic[0], pc->ioapic);
	return true;
}

bool pc_make_controllers(struct pc_machine *pc, bool pics, GError **errp)
{
	if ((pics && !make_pics(pc, errp)) ||
	    !make_ioapic(pc, "ioapic", IOAPIC_BASE, 0, &pc->ioapic, errp))
		return false;
	pc_connect_gsis(pc->gsi, pc->pic, pc->ioapic);
	if (accel_of(pc)->irqchip == IRQCHIP_OFF)
		return make_lapics(pc, errp);
	if (pics)
		i8259_attach_cpu(pc->pic[0], pc->m.cpus[0]);
	return true;
}

bool pc_make_ioapic2(struct pc_machine *pc, GError **errp)
{
	if (!make_ioapic(pc, "ioapic2", IOAPIC2_BASE, PC_GSIS, &pc->ioapic2, errp))
		return false;
	ioapic_chain(pc->ioapic, pc->ioapic2);
	pc_connect_more_gsis(pc->gsi, pc->ioapic2);
	return true;
}

bool pc_make_pit(struct pc_machine *pc, GError **errp)
{
	struct device *dev = device_new(&pit_type);

	pit_configure(dev, pc_timer_line(pc, 0));
	if (!realize_at(dev, NULL, NULL, &pc->isa->bus, &pc->pit, errp))
		return false;
	if (pc->hpet)
		device_connect(pc->hpet, "", 0, device_input(pc->pit, "", 0));
	return true;
}

static bool make_speaker(struct pc_machine *pc, GError **errp)
{
	struct device *dev = device_new(&pcspk_type), *place;
	g_autofree char *path = pc->pit ? device_path(pc->pit) : NULL;

	if (!path || device_set_text(dev, "pit", path, errp))
		return realize_at(dev, NULL, NULL, &pc->isa->bus, &place, errp);
	device_unref(dev);
	return false;
}

bool pc_make_irqchip(struct pc_machine *pc, GError **errp)
{
	bool pics = pc->want_pic != ONOFFAUTO_OFF, pit = pc->want_pit != ONOFFAUTO_OFF;

	if (accel_of(pc)->irqchip == IRQCHIP_ON) {
		if (pics && pit)
			return make_speaker(pc, errp);
		error_set(
			errp,
			"%s=off needs kernel-irqchip=split or off: the kernel makes all interrupt "
			"controllers and the timer together",
			pics ? "pit" : "pic");
		return false;
	}
	return pc_make_controllers(pc, pics, errp) && (!pit || pc_make_pit(pc, errp)) &&
	       make_speaker(pc, errp);
}
