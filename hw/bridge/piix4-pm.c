/*
 * Intel PIIX4 power management function: where software finds the ACPI registers, the SMI command
 * port that switches ACPI on, and the hot-plug registers of the PCI bus.
 *
 * The chip's registers are memory but for the base address (40h) and its enable bit (80h). Ports
 * without an enable bit have fixed places: general-purpose events at AFE0h, hot-plug at AE00h
 * (PCI) and AF00h (CPUs),
 * the SMI command and status bytes at B2h and B3h; the SMBus controller is where a property says.
 * A byte written to B2h raises a system management interrupt when bit 1 of register 5Bh allows it,
 * which firmware sets last; on a machine without system management mode it is set from the start, so
 * that firmware does not try.
 *
 * Source: Intel 82371AB (PIIX4) data sheet (290562-001), 7.
 */
#include "hw/bridge/acpi-cpuhp.h"
#include "hw/bridge/acpi-pcihp.h"
#include "hw/bridge/acpi-pm.h"
#include "hw/bridge/smbus.h"
#include "hw/piix.h"
#include "machine/runstate.h"

enum {
	REG_PM_BASE = 0x40,
	REG_DEVICE_ACTIVITY = 0x58,
	REG_SMM_STATE = 0x5b,
	REG_PORTS_LPT = 0x5f,
	REG_PORTS_FIXED = 0x63,
	REG_PORTS_SERIAL = 0x67,
	REG_PM_MISC = 0x80,
	REG_SMBUS_BASE = 0x90,
	REG_SMBUS_CONFIG = 0xd2,

	PM_BASE_MASK = 0xffc0,
	PM_BASE_IO = 0x01,
	PM_MISC_ENABLE = 0x01,
	SMM_READY = 0x02,
	SMBUS_BASE_IO = 0x01,
	SMBUS_ENABLE_IRQ9 = 0x09,

	PORTS_LPT = 0x80,
	PORTS_LPT_FIXED = 0x10,
	PORTS_FIXED = 0x60,
	PORTS_SERIAL1 = 0x08,
	PORTS_SERIAL2 = 0x90,

	SMI_COMMAND_PORT = 0xb2,
	ACPI_DISABLE = 0xf0,
	ACPI_ENABLE = 0xf1,

	GPE_PORT = 0xafe0,
	HOTPLUG_PORT = 0xae00,
	CPU_HOTPLUG_PORT = 0xaf00,
	PM_PORTS = 64,
};

struct piix4_pm {
	struct pci_device pci;
	struct piix4_pm_config config;
	uint32_t smbus_base;
	uint8_t disable_s3, disable_s4, s4_value;
	bool root_hotplug, bridge_hotplug;

	struct acpi_pm pm;
	struct acpi_pcihp hotplug;
	struct acpi_cpuhp cpus;
	struct smbus smbus;
	struct region block, smi_ports;
	uint8_t smi_command, smi_status;
};

static struct piix4_pm *piix4_of(struct device *dev)
{
	return container_of(dev, struct piix4_pm, pci.dev);
}

void piix4_pm_configure(struct device *dev, const struct piix4_pm_config *config)
{
	piix4_of(dev)->config = *config;
}

void piix4_pm_set_ports(struct device *dev, const struct piix4_pm_ports *ports)
{
	uint8_t *config = piix4_of(dev)->pci.config;

	config[REG_PORTS_LPT] = PORTS_LPT_FIXED | (ports->parallel ? PORTS_LPT : 0);
	config[REG_PORTS_FIXED] = PORTS_FIXED;
	config[REG_PORTS_SERIAL] =
		(ports->serial1 ? PORTS_SERIAL1 : 0) | (ports->serial2 ? PORTS_SERIAL2 : 0);
}

struct piix4_pm_facts piix4_pm_facts(struct device *dev)
{
	const struct piix4_pm *p = piix4_of(dev);

	return (struct piix4_pm_facts){
		.s3 = !p->disable_s3,
		.s4 = !p->disable_s4,
		.s4_value = p->s4_value,
		.root_hotplug = p->root_hotplug,
		.bridge_hotplug = p->bridge_hotplug,
	};
}

void piix4_pm_cpu_plugged(struct device *dev, unsigned index)
{
	acpi_cpuhp_plugged(&piix4_of(dev)->cpus, index);
}

void piix4_pm_cpu_unplug(struct device *dev, unsigned index)
{
	acpi_cpuhp_unplug(&piix4_of(dev)->cpus, index);
}

/* ---- The SMI command port ---- */

static uint64_t smi_read(void *opaque, uint64_t offset, unsigned size)
{
	struct piix4_pm *p = opaque;

	return offset ? p->smi_status : p->smi_command;
}

static void smi_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct piix4_pm *p = opaque;

	if (offset) {
		p->smi_status = value;
		return;
	}
	p->smi_command = value;
	if (value == ACPI_ENABLE || value == ACPI_DISABLE)
		acpi_pm_set_enabled(&p->pm, value == ACPI_ENABLE);
	else if (p->pci.config[REG_SMM_STATE] & SMM_READY)
		irq_pulse(p->config.smi);
}

static const struct io_ops smi_ops = {
	.read = smi_read,
	.write = smi_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static void piix4_map(struct piix4_pm *p)
{
	const uint8_t *config = p->pci.config;

	mem_begin();
	region_set_enabled(&p->block, config[REG_PM_MISC] & PM_MISC_ENABLE);
	region_set_addr(&p->block, get_le32(config + REG_PM_BASE) & PM_BASE_MASK);
	mem_commit();
}

static void piix4_config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	if ((offset < REG_PM_BASE + 4 && offset + len > REG_PM_BASE) ||
	    (offset <= REG_PM_MISC && offset + len > REG_PM_MISC))
		piix4_map(container_of(pci, struct piix4_pm, pci));
}

static void piix4_run_event(void *opaque, enum run_event event, enum run_state state)
{
	struct piix4_pm *p = opaque;

	if (event == RUN_EVENT_POWERDOWN)
		acpi_pm_power_button(&p->pm);
	else if (event == RUN_EVENT_WAKEUP)
		acpi_pm_wakeup(&p->pm);
}

static void piix4_gpe_input(void *opaque, unsigned n, int level)
{
	struct piix4_pm *p = piix4_of(opaque);

	if (level)
		acpi_pm_raise_gpe(&p->pm, n);
}

static bool piix4_realize(struct device *dev, GError **errp)
{
	struct piix4_pm *p = piix4_of(dev);
	struct region *io = p->config.io;

	pci_set16(&p->pci, PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM | PCI_STATUS_FAST_BACK);
	p->pci.config[PCI_INTERRUPT_PIN] = 1;
	p->pm.sci = p->config.sci;
	p->pm.s4_value = p->s4_value;
	device_add_inputs(dev, "gpe", piix4_gpe_input, 8 * ACPI_GPE_BYTES);

	region_init_container(&p->block, dev, "piix4-pm", PM_PORTS);
	region_add(io, 0, &p->block, 0);
	acpi_pm_init(&p->pm, dev, &p->block);
	region_add(io, GPE_PORT, &p->pm.gpe_regs, 0);
	smbus_init(&p->smbus, dev);
	region_add(io, p->smbus_base, &p->smbus.ports, 0);
	put_le32(p->pci.config + REG_SMBUS_BASE, p->smbus_base | SMBUS_BASE_IO);
	p->pci.config[REG_SMBUS_CONFIG] = SMBUS_ENABLE_IRQ9;
	region_init_io(&p->smi_ports, dev, "apm-io", &smi_ops, p, 2);
	region_add(io, SMI_COMMAND_PORT, &p->smi_ports, 0);
	piix4_map(p);
	if (p->root_hotplug) {
		acpi_pcihp_init(&p->hotplug, dev, &p->pm, pci_bus_of(&p->pci));
		region_add(io, HOTPLUG_PORT, &p->hotplug.regs, 0);
	}
	if (p->config.machine)
		acpi_cpuhp_init(&p->cpus, dev, &p->pm, p->config.machine, io, CPU_HOTPLUG_PORT);
	run_event_subscribe(piix4_run_event, p);
	return true;
}

static void piix4_unrealize(struct device *dev)
{
	struct piix4_pm *p = piix4_of(dev);

	run_event_unsubscribe(piix4_run_event, p);
	if (p->root_hotplug)
		acpi_pcihp_cleanup(&p->hotplug);
	if (p->config.machine)
		acpi_cpuhp_cleanup(&p->cpus);
	region_cleanup(&p->smi_ports);
	smbus_cleanup(&p->smbus);
	acpi_pm_cleanup(&p->pm);
	region_cleanup(&p->block);
}

static void piix4_reset(struct device *dev)
{
	struct piix4_pm *p = piix4_of(dev);

	memset(p->pci.config + REG_DEVICE_ACTIVITY, 0, 4);
	put_le32(p->pci.config + REG_PM_BASE, PM_BASE_IO);
	p->pci.config[REG_PM_MISC] = 0;
	p->pci.config[REG_SMM_STATE] = p->config.smi ? 0 : SMM_READY;
	p->smi_command = p->smi_status = 0;
	piix4_map(p);
	acpi_pm_reset(&p->pm);
	acpi_pcihp_reset(&p->hotplug);
	smbus_reset(&p->smbus);
}

static bool piix4_post_load(struct device *dev, GError **errp)
{
	struct piix4_pm *p = piix4_of(dev);

	if (p->smbus.block_index >= sizeof(p->smbus.block)) {
		error_set(errp, "PIIX4_PM: SMBus block index %u is beyond %zu",
			  p->smbus.block_index, sizeof(p->smbus.block) - 1);
		return false;
	}
	piix4_map(p);
	acpi_pm_post_load(&p->pm);
	if (p->config.machine)
		acpi_cpuhp_post_load(&p->cpus);
	return true;
}

static const struct field piix4_props[] = {
	PROP_UINT(struct piix4_pm, smbus_base, "smb_io_base", 0xb100, 0xffc0,
		  "First port of the SMBus controller"),
	PROP_UINT(struct piix4_pm, disable_s3, "disable_s3", 0, 1,
		  "Do not offer the S3 sleep state"),
	PROP_UINT(struct piix4_pm, disable_s4, "disable_s4", 0, 1,
		  "Do not offer the S4 sleep state"),
	PROP_UINT(struct piix4_pm, s4_value, "s4_val", 2, 7, "Sleep type that means S4"),
	PROP_BOOL(struct piix4_pm, root_hotplug, "acpi-root-pci-hotplug", true,
		  "Slots of the root bus are hot-pluggable"),
	PROP_BOOL(struct piix4_pm, bridge_hotplug, "acpi-pci-hotplug-with-bridge-support", true,
		  "Slots behind bridges are hot-pluggable through ACPI"),
	FIELD_ROW_END,
};

static const struct field piix4_state[] = {
	SAVE_STRUCT(struct piix4_pm, pm, &acpi_pm_state),
	SAVE_STRUCT(struct piix4_pm, hotplug, &acpi_pcihp_state),
	SAVE_STRUCT(struct piix4_pm, cpus, &acpi_cpuhp_state),
	SAVE_STRUCT(struct piix4_pm, smbus, &smbus_state),
	SAVE_UINT(struct piix4_pm, smi_command),
	SAVE_UINT(struct piix4_pm, smi_status),
	FIELD_ROW_END,
};

static const struct pci_info piix4_info = {
	.vendor = PCI_VENDOR_INTEL,
	.device = 0x7113,
	.revision = 0x03,
	.class = PCI_CLASS_CODE(0x06, 0x80, 0x00),
	.config_written = piix4_config_written,
};

const struct device_type piix4_pm_type = {
	.name = "PIIX4_PM",
	.help = "Intel PIIX4 power management",
	.base = &pci_device_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct piix4_pm),
	.class_data = &piix4_info,
	.props = piix4_props,
	.state = piix4_state,
	.realize = piix4_realize,
	.unrealize = piix4_unrealize,
	.reset = piix4_reset,
	.post_load = piix4_post_load,
};
