/*
 * The machine "pc": Intel 440FX with PIIX3, as QEMU's pc-i440fx-7.2 shows it to a guest; versions.c has older ones.
 *
 *	CPU -- i440FX (00.0) -- PCI bus pci.0 -- PIIX3 (01.0) -- ISA bus isa.0
 *	                                      -- PIIX4 power management (01.3)
 *	ISA: RTC and CMOS, keyboard controller, ports 61h and 92h, DMA, serial and parallel ports; PICs, PIT
 *	I/O APIC, HPET; the interrupt controllers and the PIT may also be the accelerator's
 */
#include "hw/i440fx.h"
#include "hw/pc/pc.h"
#include "hw/piix.h"

static bool pc_make_host(struct pc_machine *pc, GError **errp)
{
	struct machine *m = &pc->m;
	struct i440fx_config config = {
		.memory = &m->memory_root,
		.io = &m->io_root,
		.dma = &m->memory,
		.ram = &m->ram_below_4g,
		.ram_size = m->ram_size,
		.smm = m->has_smm ? &m->smm_root : NULL,
	};
	struct device *host = device_new(&i440fx_host_type);
	msi_sink_fn *send;
	void *sink;

	i440fx_host_configure(host, &config);
	if (!device_realize(host, &m->dev, "i440fx", NULL, errp)) {
		device_unref(host);
		return false;
	}
	pc->host = host;
	send = pc_msi_sink(pc, &sink);
	pci_bus_set_msi(i440fx_bus(host), send, sink);
	pci_bus_set_accel(i440fx_bus(host), m->accel);
	return true;
}

/* A chip of the board at its place on the PCI bus. */
static bool pc_plug(struct pc_machine *pc, struct device *dev, const char *addr, GError **errp)
{
	struct bus *bus = &i440fx_bus(pc->host)->bus;

	if (device_set_text(dev, "addr", addr, errp) && device_realize(dev, NULL, NULL, bus, errp))
		return true;
	device_unref(dev);
	return false;
}

static bool pc_make_piix3(struct pc_machine *pc, GError **errp)
{
	struct piix3_config config = {.memory = &pc->m.memory_root, .io = &pc->m.io_root};
	struct device *dev = device_new(&piix3_type);

	for (unsigned n = 0; n < ISA_IRQS; n++)
		config.irqs[n] = pc_timer_line(pc, n);
	piix3_configure(dev, &config);
	if (!pc_plug(pc, dev, "01.0", errp))
		return false;
	pc->isa = piix3_isa(dev);
	return true;
}

static void inject_smi(struct vcpu *cpu, void *opaque)
{
	cpu->acc.accel->ops->vcpu_inject_smi(&cpu->acc);
}

/* The first CPU gets it; if it is the one that asked, before its next instruction. */
static void pc_raise_smi(void *opaque, unsigned n, int level)
{
	struct pc_machine *pc = opaque;
	struct vcpu *cpu = pc->m.cpus[0];

	if (!level || !pc->m.accel->ops->vcpu_inject_smi)
		return;
	if (vcpu_self() == cpu)
		inject_smi(cpu, NULL);
	else
		vcpu_run_async(cpu, inject_smi, NULL);
}

/* System management mode is firmware's; a kernel that is entered directly would have no handler for it. */
bool pc_wants_smm(struct machine *m)
{
	if (m->smm == ONOFFAUTO_AUTO)
		return !pc_boots_directly(pc_machine_of(m));
	return m->smm == ONOFFAUTO_ON;
}

static bool pc_make_pm(struct pc_machine *pc, GError **errp)
{
	struct piix4_pm_config config = {
		.sci = device_input(pc->gsi, "", 9),
		.smi = pc->m.has_smm ? &pc->smi : NULL,
		.io = &pc->m.io_root,
		.machine = &pc->m,
	};
	struct device *dev = device_new(&piix4_pm_type);

	irq_init(&pc->smi, pc_raise_smi, pc, 0);
	piix4_pm_configure(dev, &config);
	if (!pc_plug(pc, dev, "01.3", errp))
		return false;
	pc->pm = dev;
	return true;
}

bool pc_build(struct machine *m, GError **errp)
{
	struct pc_machine *pc = pc_machine_of(m);

	machine_map_ram(m, pc_ram_split(pc));
	pc->gsi = pc_make_gsis(m, PC_GSIS);
	if (m->accel->irqchip == IRQCHIP_OFF && !pc_make_apic_bus(pc, errp))
		return false;
	if (!pc_make_host(pc, errp) || !pc_make_hpet(pc, errp))
		return false;
	if (!pc_plug(pc, device_new(&i440fx_type), "00.0", errp) || !pc_make_piix3(pc, errp) ||
	    !pc_make_irqchip(pc, errp) ||
	    !pc_load_firmware(pc, i440fx_pci_memory(pc->host), errp) || !pc_make_rtc(pc, errp) ||
	    !pc_make_fw_cfg(pc, errp))
		return false;
	pc_make_a20(pc);
	if (!pc_make_ports(pc, errp))
		return false;
	for (unsigned n = 0; n < MACHINE_SERIALS; n++) {
		if (!pc_make_serial(pc, n, errp))
			return false;
	}
	for (unsigned n = 0; n < MACHINE_PARALLELS; n++) {
		if (!pc_make_parallel(pc, n, errp))
			return false;
	}
	return pc_make_pm(pc, errp);
}

/* Is there an I/O region at @port? */
static bool pc_has_port(struct pc_machine *pc, uint16_t port)
{
	uint64_t value;

	return as_load(&pc->m.io, NULL, port, 1, &value) != MEM_UNASSIGNED;
}

bool pc_finish(struct machine *m, GError **errp)
{
	struct pc_machine *pc = pc_machine_of(m);
	struct piix4_pm_ports ports = {
		.parallel = pc_has_port(pc, 0x378),
		.serial1 = pc_has_port(pc, 0x3f8 + 7),
		.serial2 = pc_has_port(pc, 0x2f8 + 7),
	};

	piix4_pm_set_ports(pc->pm, &ports);
	return pc_fill_cmos(pc, errp) && pc_fill_fw_cfg(pc, errp) &&
	       pc_attach_guest_info(pc, errp) && pc_add_user_roms(pc, errp) &&
	       pc_boot_kernel(pc, errp) && pc_add_tables(pc, errp);
}

const struct device_type pc_machine_type = {
	.name = "generic-pc-machine",
	.help = "What PCs of all versions have",
	.base = &machine_type,
	.category = CATEGORY_MACHINE,
	.size = sizeof(struct pc_machine),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.props = pc_props,
};
