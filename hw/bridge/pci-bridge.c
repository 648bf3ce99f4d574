/*
 * pci-bridge: a bridge to 32 more slots, known to firmware by the number of its chassis; and
 * i82801b11-bridge, the one of Intel's south bridges. What they do is hw/bus/pci/bridge.c.
 *
 * Source: PCI-to-PCI Bridge Architecture Specification 1.2, chapter 13 (slot numbering).
 */
#include "hw/pci/bridge.h"

#define SLOT_ID_SIZE    4
#define SLOT_ID_SLOTS   2
#define SLOT_ID_FIRST   0x20 /* first bridge of its chassis; no expansion slots are counted */
#define SLOT_ID_CHASSIS 3

#define SSVID_OFFSET 0x50
#define SSVID_SIZE   8

/* ---- pci-bridge ---- */

struct chassis_bridge {
	struct pci_bridge bridge;
	uint8_t chassis;
	int msi;
	bool shpc;
};

static struct chassis_bridge *chassis_of(struct device *dev)
{
	return container_of(dev, struct chassis_bridge, bridge.pci.dev);
}

static bool chassis_realize(struct device *dev, GError **errp)
{
	struct chassis_bridge *c = chassis_of(dev);
	struct pci_device *pci = &c->bridge.pci;
	uint8_t cap;

	if (!c->chassis) {
		error_set(errp, "Bridge chassis not specified. Each bridge is required to be "
				"assigned a unique chassis id > 0.");
		return false;
	}
	if (c->shpc || c->msi == ONOFFAUTO_ON) {
		error_set(errp, "pci-bridge: there is no standard hot-plug controller (shpc=off), "
				"and without it nothing to send MSIs for (msi=off)");
		return false;
	}
	cap = pci_add_capability(pci, PCI_CAP_SLOT_ID, 0, SLOT_ID_SIZE, errp);
	if (!cap)
		return false;
	pci->config[cap + SLOT_ID_SLOTS] = SLOT_ID_FIRST;
	pci->config[cap + SLOT_ID_CHASSIS] = c->chassis;
	pci->writable[cap + SLOT_ID_CHASSIS] = 0xff;
	return true;
}

static void chassis_reset(struct device *dev)
{
	struct chassis_bridge *c = chassis_of(dev);
	struct pci_device *pci = &c->bridge.pci;

	pci->config[pci->config[PCI_CAPABILITIES] + SLOT_ID_CHASSIS] = c->chassis;
}

static const struct field chassis_props[] = {
	PROP_UINT(struct chassis_bridge, chassis, "chassis_nr", 0, 0,
		  "Number of the chassis behind it, not 0 and unlike that of any other bridge"),
	PROP_ONOFFAUTO(struct chassis_bridge, msi, "msi", ONOFFAUTO_AUTO,
		       "Interrupts of the hot-plug controller by message: not on, there is none"),
	PROP_BOOL(struct chassis_bridge, shpc, "shpc", false,
		  "Have a standard hot-plug controller: not supported"),
	FIELD_ROW_END,
};

static const struct pci_info chassis_info = {
	.vendor = PCI_VENDOR_QEMU,
	.device = 0x0001,
	.class = PCI_CLASS_CODE(0x06, 0x04, 0x00),
	.bridge = true,
	.config_written = pci_bridge_config_written,
};

const struct device_type pci_bridge_type = {
	.name = "pci-bridge",
	.help = "Standard PCI bridge",
	.base = &pci_bridge_base_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct chassis_bridge),
	.flags = TYPE_USER_CREATABLE,
	.class_data = &chassis_info,
	.props = chassis_props,
	.realize = chassis_realize,
	.reset = chassis_reset,
};

/* ---- i82801b11-bridge ---- */

static bool i82801_realize(struct device *dev, GError **errp)
{
	return pci_add_capability(pci_device_of(dev), PCI_CAP_SSVID, SSVID_OFFSET, SSVID_SIZE,
				  errp);
}

static const struct pci_info i82801_info = {
	.vendor = PCI_VENDOR_INTEL,
	.device = 0x244e,
	.revision = 0x92,
	.class = PCI_CLASS_CODE(0x06, 0x04, 0x01),
	.bridge = true,
	.config_written = pci_bridge_config_written,
};

const struct device_type i82801_bridge_type = {
	.name = "i82801b11-bridge",
	.help = "PCI bridge of Intel's I/O controller hubs",
	.base = &pci_bridge_base_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct pci_bridge),
	.flags = TYPE_USER_CREATABLE,
	.class_data = &i82801_info,
	.realize = i82801_realize,
};
