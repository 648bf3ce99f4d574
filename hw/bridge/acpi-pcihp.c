/* See acpi-pcihp.h. */
#include "hw/bridge/acpi-pcihp.h"
#include "base/trace.h"

TRACE_DEFINE(acpi_pcihp_read, "register 0x%02x is 0x%x");
TRACE_DEFINE(acpi_pcihp_write, "register 0x%02x := 0x%x");

enum {
	REG_UP = 0x00,
	REG_DOWN = 0x04,
	REG_EJECT = 0x08,
	REG_REMOVABLE = 0x0c,
	REG_SELECT = 0x10,
};

static bool can_leave(const struct pci_device *pci)
{
	return !pci->info->bridge && (pci->dev.type->flags & TYPE_HOTPLUGGABLE);
}

/* A slot can be emptied when all that is in it can leave. */
static uint32_t removable_slots(const struct acpi_pcihp *hp)
{
	uint32_t slots = UINT32_MAX;

	for (unsigned devfn = 0; devfn < G_N_ELEMENTS(hp->bus->devices); devfn++) {
		const struct pci_device *pci = hp->bus->devices[devfn];

		if (pci && !can_leave(pci))
			slots &= ~BIT(PCI_SLOT(devfn));
	}
	return slots;
}

static void eject_slot(struct acpi_pcihp *hp, unsigned slot)
{
	hp->down &= ~BIT(slot);
	if (!(removable_slots(hp) & BIT(slot)))
		return;
	for (unsigned fn = 8; fn-- > 0;) {
		struct pci_device *pci = hp->bus->devices[PCI_DEVFN(slot, fn)];

		if (pci)
			device_unplug_done(&pci->dev);
	}
}

static uint32_t read_register(struct acpi_pcihp *hp, unsigned offset)
{
	uint32_t value;

	if (offset == REG_SELECT)
		return hp->selected;
	if (hp->selected)
		return 0;
	switch (offset) {
	case REG_UP: /* one report each */
		value = hp->up;
		hp->up = 0;
		return value;
	case REG_DOWN:
		return hp->down;
	case REG_REMOVABLE:
		return removable_slots(hp);
	default:
		return 0;
	}
}

static uint64_t pcihp_read(void *opaque, uint64_t offset, unsigned size)
{
	uint32_t value = read_register(opaque, offset);

	trace(acpi_pcihp_read, (unsigned)offset, value);
	return value;
}

static void pcihp_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_pcihp *hp = opaque;

	trace(acpi_pcihp_write, (unsigned)offset, (unsigned)value);
	if (offset == REG_SELECT)
		hp->selected = value;
	else if (offset == REG_EJECT && !hp->selected && (uint32_t)value)
		eject_slot(hp, __builtin_ctz(value));
}

static const struct io_ops pcihp_ops = {
	.read = pcihp_read,
	.write = pcihp_write,
	.valid = {.min = 4, .max = 4},
	.impl = {.min = 4, .max = 4},
};

static void device_plugged(void *opaque, struct pci_device *pci)
{
	struct acpi_pcihp *hp = opaque;

	/* Further functions of a slot are announced together with function 0. */
	if (PCI_FUNCTION(pci->devfn))
		return;
	hp->up |= BIT(PCI_SLOT(pci->devfn));
	acpi_pm_raise_gpe(hp->pm, ACPI_GPE_PCI_HOTPLUG);
}

static bool unplug_requested(void *opaque, struct pci_device *pci, GError **errp)
{
	struct acpi_pcihp *hp = opaque;

	hp->down |= BIT(PCI_SLOT(pci->devfn));
	acpi_pm_raise_gpe(hp->pm, ACPI_GPE_PCI_HOTPLUG);
	return true;
}

void acpi_pcihp_init(struct acpi_pcihp *hp, struct device *owner, struct acpi_pm *pm,
		     struct pci_bus *bus)
{
	struct pci_hotplug hotplug = {device_plugged, unplug_requested, hp};

	hp->pm = pm;
	hp->bus = bus;
	region_init_io(&hp->regs, owner, "acpi-pci-hotplug", &pcihp_ops, hp, ACPI_PCIHP_SIZE);
	pci_bus_set_hotplug(bus, &hotplug);
}

void acpi_pcihp_cleanup(struct acpi_pcihp *hp)
{
	struct pci_hotplug none = {};

	pci_bus_set_hotplug(hp->bus, &none);
	region_cleanup(&hp->regs);
}

void acpi_pcihp_reset(struct acpi_pcihp *hp)
{
	hp->selected = hp->up = hp->down = 0;
}

static const struct field acpi_pcihp_rows[] = {
	SAVE_UINT(struct acpi_pcihp, selected),
	SAVE_UINT(struct acpi_pcihp, up),
	SAVE_UINT(struct acpi_pcihp, down),
	FIELD_ROW_END,
};

const struct field_set acpi_pcihp_state = {
	"acpi-pcihp",
	sizeof(struct acpi_pcihp),
	acpi_pcihp_rows,
};
