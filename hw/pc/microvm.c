/*
 * The machine "microvm": as little as a guest needs that knows it is one, as QEMU's.
 *
 *	ISA: one serial port, clock; PICs, PIT, I/O APIC as on a PC, or the accelerator's
 *	FEB00000 + 200h * n	virtio-mmio windows: 24 of them, GSIs 24 to 47, with a second I/O APIC;
 *				else 8, GSIs 16 to 23, or 5 to 12 without ACPI; the last is filled first
 *	FEA00000, FEA00200	generic event device, GSI 9, for ACPI without PM hardware
 *
 * Nothing can be probed: the guest learns of it from ACPI tables, a device tree, or its command line.
 */
#include "hw/pc/microvm.h"

#include "accel/kvm.h"
#include "hw/ged.h"
#include "hw/virtio/mmio.h"

#define RAM_BELOW_4G 0xc0000000ULL

bool microvm_has_acpi(const struct microvm *v)
{
	return v->acpi != ONOFFAUTO_OFF && !v->pc.m.no_acpi;
}

/*
 * The second I/O APIC is always in the process. When those in the kernel are all together (irqchip=on),
 * KVM does not say that a level-triggered interrupt has ended.
 */
static bool has_ioapic2(const struct microvm *v)
{
	return microvm_has_acpi(v) && v->ioapic2 != ONOFFAUTO_OFF &&
	       v->pc.m.accel->irqchip != IRQCHIP_ON;
}

static bool refuse_what_is_not_there(const struct microvm *v, GError **errp)
{
	if (v->pcie == ONOFFAUTO_ON) {
		error_set(errp, "microvm: pcie=on is not supported: this machine has virtio-mmio "
				"devices only, use -machine pc for PCI");
		return false;
	}
	if (v->ioapic2 == ONOFFAUTO_ON && microvm_has_acpi(v) && !has_ioapic2(v)) {
		error_set(errp,
			  "microvm: ioapic2=on needs kernel-irqchip=split or off: KVM's own "
			  "I/O APIC is the only one that hears of interrupts that have ended");
		return false;
	}
	return true;
}

static void make_isa(struct microvm *v)
{
	struct machine *m = &v->pc.m;

	isa_bus_init(&v->isa, &m->dev, &m->memory_root, &m->io_root);
	for (unsigned n = 0; n < ISA_IRQS; n++)
		v->isa.irqs[n] = device_input(v->pc.gsi, "", n);
	v->pc.isa = &v->isa;
}

/* KVM makes its controllers all together: there pic=off and pit=off change nothing. */
static bool make_irqchip(struct microvm *v, GError **errp)
{
	struct pc_machine *pc = &v->pc;

	if (pc->m.accel->irqchip == IRQCHIP_ON)
		return true;
	return pc_make_controllers(pc, v->pic != ONOFFAUTO_OFF, errp) &&
	       (!has_ioapic2(v) || pc_make_ioapic2(pc, errp)) &&
	       (v->pit == ONOFFAUTO_OFF || pc_make_pit(pc, errp));
}

/* Guests on KVM have its clock. */
static bool make_rtc(struct microvm *v, GError **errp)
{
	bool wanted = v->rtc == ONOFFAUTO_ON ||
		      (v->rtc == ONOFFAUTO_AUTO && v->pc.m.accel->dev.type != &kvm_accel_type);

	return !wanted || pc_make_rtc(&v->pc, errp);
}

static bool make_ged(struct microvm *v, GError **errp)
{
	struct ged_config config = {
		.memory = &v->pc.m.memory_root,
		.events = MICROVM_GED_EVENTS,
		.power = MICROVM_GED_POWER,
		.irq = device_input(v->pc.gsi, "", MICROVM_GED_GSI),
	};

	if (!microvm_has_acpi(v))
		return true;
	v->ged = device_new(&ged_type);
	ged_configure(v->ged, &config);
	return device_realize(v->ged, NULL, NULL, NULL, errp);
}

static bool make_window(struct microvm *v, unsigned index, GError **errp)
{
	struct machine *m = &v->pc.m;
	struct virtio_mmio_config config = {
		.memory = &m->memory_root,
		.addr = MICROVM_VIRTIO_BASE + MICROVM_VIRTIO_SIZE * index,
		.dma = &m->memory,
		.index = index,
		.irq = device_input(v->pc.gsi, "", v->virtio_gsi + index),
		.accel = m->accel,
	};
	struct device *dev = v->virtio[index] = device_new(&virtio_mmio_type);

	virtio_mmio_configure(dev, &config);
	return device_realize(dev, NULL, NULL, NULL, errp);
}

/* The last comes first: that is the order in which devices look for a place. */
static bool make_windows(struct microvm *v, GError **errp)
{
	v->virtio_count = has_ioapic2(v) ? IOAPIC_PINS : 8;
	if (has_ioapic2(v))
		v->virtio_gsi = PC_GSIS;
	else
		v->virtio_gsi = microvm_has_acpi(v) ? 16 : 5;
	for (unsigned i = v->virtio_count; i-- > 0;) {
		if (!make_window(v, i, errp))
			return false;
	}
	return true;
}

static bool microvm_build(struct machine *m, GError **errp)
{
	struct microvm *v = microvm_of(m);
	struct pc_machine *pc = &v->pc;

	if (!refuse_what_is_not_there(v, errp))
		return false;
	machine_map_ram(m, RAM_BELOW_4G);
	pc->gsi = pc_make_gsis(m, has_ioapic2(v) ? PC_GSIS_MAX : PC_GSIS);
	if (m->accel->irqchip == IRQCHIP_OFF && !pc_make_apic_bus(pc, errp))
		return false;
	make_isa(v);
	return make_irqchip(v, errp) && make_rtc(v, errp) && pc_make_fw_cfg(pc, errp) &&
	       (!v->isa_serial || pc_make_serial(pc, 0, errp)) && make_ged(v, errp) &&
	       make_windows(v, errp);
}

static bool microvm_finish(struct machine *m, GError **errp)
{
	struct pc_machine *pc = pc_machine_of(m);

	return pc_fill_fw_cfg(pc, errp) && pc_attach_guest_info(pc, errp) &&
	       microvm_boot(microvm_of(m), errp);
}

static const struct field microvm_props[] = {
	PROP_ONOFFAUTO(struct microvm, pic, "pic", ONOFFAUTO_AUTO,
		       "Have 8259 interrupt controllers"),
	PROP_ONOFFAUTO(struct microvm, pit, "pit", ONOFFAUTO_AUTO, "Have an 8254 timer"),
	PROP_ONOFFAUTO(struct microvm, rtc, "rtc", ONOFFAUTO_AUTO,
		       "Have an MC146818 clock; auto: where KVM's is missing"),
	PROP_ONOFFAUTO(struct microvm, pcie, "pcie", ONOFFAUTO_AUTO,
		       "Have PCI Express: not supported"),
	PROP_ONOFFAUTO(struct microvm, ioapic2, "ioapic2", ONOFFAUTO_AUTO,
		       "Have a second I/O APIC, and 24 virtio windows instead of 8"),
	PROP_ONOFFAUTO(struct microvm, acpi, "acpi", ONOFFAUTO_AUTO, "Have ACPI"),
	PROP_BOOL(struct microvm, isa_serial, "isa-serial", true, "Have a serial port"),
	PROP_BOOL(struct microvm, auto_cmdline, "auto-kernel-cmdline", true,
		  "Name virtio devices on the kernel's command line when there is no ACPI"),
	PROP_BOOL(struct microvm, option_roms, "x-option-roms", true, "Give firmware option ROMs"),
	PROP_STRING(struct microvm, dumpdtb, "dumpdtb", NULL, "Write the device tree here and end"),
	FIELD_ROW_END,
};

static const struct machine_info microvm_info = {
	.desc = "microvm (i386)",
	.family = "microvm_i386",
	.max_cpus = 255,
	.default_cpu = "qemu64",
	.default_ram_id = "microvm.ram",
	.default_ram_size = 128 * MIB,
	.split_irqchip = true,
	.build = microvm_build,
	.finish = microvm_finish,
};

const struct device_type microvm_machine_type = {
	.name = "microvm-machine",
	.help = "microvm (i386)",
	.base = &machine_type,
	.category = CATEGORY_MACHINE,
	.size = sizeof(struct microvm),
	.flags = STATE_NONE,
	.props = microvm_props,
	.class_data = &microvm_info,
};
