/*
 * pvpanic: the guest writes a bit to a register when it panics. On the ISA bus it is a port, which
 * ACPI (PEVT) and a file of the firmware configuration device tell of; pvpanic-pci has it in a BAR.
 *
 * Source: QEMU, docs/specs/pvpanic.txt (interface only).
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/fw_cfg.h"
#include "hw/guest-info.h"
#include "hw/isa.h"
#include "hw/misc/pvpanic.h"
#include "hw/pci.h"
#include "machine/runstate.h"

TRACE_DEFINE(pvpanic_event, "0x%02x");

#define PVPANIC_FILE "etc/pvpanic-port"

/* ---- The register ---- */

static uint64_t pvpanic_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct pvpanic *p = opaque;

	return p->events;
}

/* What is not offered is taken all the same. A panic says it all. */
static void pvpanic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	trace(pvpanic_event, (unsigned)value);
	if (value & PVPANIC_PANICKED)
		system_guest_panicked();
	else if (value & PVPANIC_CRASH_LOADED)
		system_guest_crash_loaded();
}

static const struct io_ops pvpanic_ops = {
	.read = pvpanic_read,
	.write = pvpanic_write,
	.impl = {.min = 1, .max = 1},
};

void pvpanic_init(struct pvpanic *p, struct device *owner, uint64_t size)
{
	region_init_io(&p->reg, owner, "pvpanic", &pvpanic_ops, p, size);
}

/* ---- On the ISA bus ---- */

struct pvpanic_isa {
	struct isa_device isa;
	struct pvpanic p;
	uint16_t port;
};

static struct pvpanic_isa *isa_of(struct device *dev)
{
	return container_of(dev, struct pvpanic_isa, isa.dev);
}

bool pvpanic_attach(struct device *dev, struct device *fw_cfg, GError **errp)
{
	uint8_t port[2];

	put_le16(port, isa_of(dev)->port);
	return fw_cfg_add_file_bytes(fw_cfg, PVPANIC_FILE, port, sizeof(port), errp);
}

static bool isa_realize(struct device *dev, GError **errp)
{
	struct pvpanic_isa *i = isa_of(dev);

	pvpanic_init(&i->p, dev, 1);
	isa_add_ports(&i->isa, &i->p.reg, i->port);
	return true;
}

static void isa_unrealize(struct device *dev)
{
	region_cleanup(&isa_of(dev)->p.reg);
}

static const struct field isa_props[] = {
	PROP_UINT(struct pvpanic_isa, port, "ioport", 0x505, 0, "I/O port"),
	PVPANIC_EVENTS_PROP(struct pvpanic_isa, p),
	FIELD_ROW_END,
};

const struct device_type pvpanic_type = {
	.name = "pvpanic",
	.help = "Lets the guest report a panic through a port",
	.base = &isa_device_type,
	.size = sizeof(struct pvpanic_isa),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = isa_props,
	.realize = isa_realize,
	.unrealize = isa_unrealize,
};

/* ---- On a PCI bus ---- */

struct pvpanic_pci {
	struct pci_device pci;
	struct pvpanic p;
	struct region bar;
};

static struct pvpanic_pci *pci_of(struct device *dev)
{
	return container_of(dev, struct pvpanic_pci, pci.dev);
}

/* The register is two bytes; a BAR is sixteen at least. */
static bool pci_realize(struct device *dev, GError **errp)
{
	struct pvpanic_pci *c = pci_of(dev);

	pvpanic_init(&c->p, dev, 2);
	region_init_container(&c->bar, dev, "pvpanic-bar", 16);
	region_add(&c->bar, 0, &c->p.reg, 0);
	pci_set_bar(&c->pci, 0, 0, &c->bar);
	return true;
}

static void pci_unrealize(struct device *dev)
{
	region_cleanup(&pci_of(dev)->p.reg);
	region_cleanup(&pci_of(dev)->bar);
}

static const struct field pci_props[] = {
	PVPANIC_EVENTS_PROP(struct pvpanic_pci, p),
	FIELD_ROW_END,
};

static const struct pci_info pvpanic_pci_info = {
	.vendor = PCI_VENDOR_QEMU,
	.device = 0x0011,
	.revision = 1,
	.class = PCI_CLASS_CODE(0x08, 0x80, 0x00),
};

const struct device_type pvpanic_pci_type = {
	.name = "pvpanic-pci",
	.help = "Lets the guest report a panic through a BAR",
	.base = &pci_device_type,
	.size = sizeof(struct pvpanic_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &pvpanic_pci_info,
	.props = pci_props,
	.realize = pci_realize,
	.unrealize = pci_unrealize,
};
