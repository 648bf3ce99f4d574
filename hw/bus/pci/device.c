/* The base type of PCI devices. */
#include "hw/bus/pci/internal.h"

static bool pci_realize(struct device *dev, GError **errp)
{
	struct pci_device *pci = pci_device_of(dev);

	pci->info = device_type_class_data(dev->type);
	pci_config_init(pci);
	return true;
}

/* The type's own realize() is done: BARs and capabilities exist. */
static bool pci_realized(struct device *dev, GError **errp)
{
	struct pci_device *pci = pci_device_of(dev);
	struct pci_bus *bus = pci_bus_of(pci);

	if (!pci_rom_load(pci, errp))
		return false;
	if (dev->hotplugged && bus->hotplug.plugged)
		bus->hotplug.plugged(bus->hotplug.opaque, pci);
	return true;
}

static void pci_unrealize(struct device *dev)
{
	struct pci_device *pci = pci_device_of(dev);

	pci->intx_level = false;
	pci_intx_update(pci);
	pci_bars_unmap(pci);
	pci_rom_free(pci);
	pci_msix_free(pci);
	memset(pci->bars, 0, sizeof(pci->bars));
	pci_config_free(pci);
}

static void pci_reset(struct device *dev)
{
	struct pci_device *pci = pci_device_of(dev);

	pci_set_irq(pci, false);
	pci_config_reset(pci);
	pci_intx_update(pci);
	pci_msi_reset(pci);
	pci_msix_reset(pci);
}

static bool pci_unplug_request(struct device *dev, GError **errp)
{
	struct pci_device *pci = pci_device_of(dev);
	struct pci_bus *bus = pci_bus_of(pci);

	if (bus->hotplug.unplug_request)
		return bus->hotplug.unplug_request(bus->hotplug.opaque, pci, errp);
	error_set(errp, "Bus '%s' does not support hotplugging", bus->bus.name);
	return false;
}

static bool pci_post_load(struct device *dev, GError **errp)
{
	struct pci_device *pci = pci_device_of(dev);

	pci_bars_update(pci);
	pci_set_irq(pci, pci->intx_level);
	pci_msix_loaded(pci);
	return true;
}

static bool pci_has_msix(const void *object)
{
	return ((const struct pci_device *)object)->msix;
}

static const struct field pci_props[] = {
	PROP_CUSTOM(struct pci_device, devfn, "addr", &pci_address_custom, "-1",
		    "Slot and function, e.g. 06.0; unset: the first free slot"),
	PROP_STRING(struct pci_device, romfile, "romfile", NULL,
		    "Option ROM image; empty: none; unset: the type's own"),
	PROP_UINT(struct pci_device, rom_size, "romsize", UINT32_MAX, 0,
		  "Size of the ROM BAR in bytes, a power of two; unset: as the image needs"),
	PROP_BOOL(struct pci_device, rom_bar, "rombar", true, "Show the option ROM in the ROM BAR"),
	PROP_BOOL(struct pci_device, multifunction, "multifunction", false,
		  "Its slot has further functions"),
	FIELD_ROW_END,
};

static const struct field pci_state[] = {
	{FIELD_AT(struct pci_device, config, "config", FIELD_CUSTOM,
		  sizeof(FIELD_MEMBER(struct pci_device, config)), ""),
	 .custom = &pci_config_custom},
	SAVE_BOOL(struct pci_device, intx_level),
	{FIELD_AT(struct pci_device, msix, "msix", FIELD_CUSTOM,
		  sizeof(FIELD_MEMBER(struct pci_device, msix)), ""),
	 .custom = &pci_msix_custom, .needed = pci_has_msix},
	FIELD_ROW_END,
};

const struct device_type pci_device_type = {
	.name = "pci-device",
	.help = "A device on a PCI bus",
	.bus = "PCI",
	.size = sizeof(struct pci_device),
	.flags = TYPE_ABSTRACT,
	.props = pci_props,
	.state = pci_state,
	.realize = pci_realize,
	.realized = pci_realized,
	.unrealize = pci_unrealize,
	.reset = pci_reset,
	.post_load = pci_post_load,
	.unplug_request = pci_unplug_request,
};
