/* PCI buses: addresses of devices, the tree of buses, DMA. */
#include "hw/bus/pci/internal.h"
#include <stdio.h>

struct pci_bus *pci_bus_of(const struct pci_device *pci)
{
	return container_of(pci->dev.bus, struct pci_bus, bus);
}

/* ---- The property "addr": slot[.function], hexadecimal ---- */

static bool address_parse(const char *text, void *ptr, GError **errp)
{
	int32_t *devfn = ptr;
	unsigned slot, fn = 0;
	int used = 0;

	if (!strcmp(text, "-1")) {
		*devfn = -1;
		return true;
	}
	/* A whole line: "4", "4.1", "0x1e.7". */
	if (sscanf(text, "%x.%x%n", &slot, &fn, &used) == 2 && !text[used]) {
		/* both parts */
	} else if (sscanf(text, "%x%n", &slot, &used) == 1 && !text[used]) {
		fn = 0;
	} else {
		used = -1;
	}
	if (used < 0 || slot >= PCI_SLOTS || fn > 7) {
		error_set(
			errp,
			"'%s' is no PCI address; expected slot[.function], hexadecimal, 0 to 1f.7",
			text);
		return false;
	}
	*devfn = PCI_DEVFN(slot, fn);
	return true;
}

static char *address_print(const void *ptr)
{
	const int32_t *devfn = ptr;

	if (*devfn < 0)
		return g_strdup("-1");
	return g_strdup_printf("%02x.%x", PCI_SLOT(*devfn), PCI_FUNCTION(*devfn));
}

static void address_clear(void *ptr)
{
	*(int32_t *)ptr = -1;
}

const struct field_custom pci_address_custom = {
	.name = "pci-address",
	.parse = address_parse,
	.print = address_print,
	.clear = address_clear,
};

/* ---- Plugging ---- */

static bool slot_is_free(const struct pci_bus *bus, unsigned slot)
{
	for (unsigned fn = 0; fn < 8; fn++) {
		if (bus->devices[PCI_DEVFN(slot, fn)])
			return false;
	}
	return true;
}

static int free_slot(const struct pci_bus *bus)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		if (slot_is_free(bus, slot))
			return PCI_DEVFN(slot, 0);
	}
	return -1;
}

/* Functions of a slot are found only when function 0 says there are several. */
static bool check_functions(const struct pci_bus *bus, const struct pci_device *pci, GError **errp)
{
	unsigned slot = PCI_SLOT(pci->devfn);
	const struct pci_device *first = bus->devices[PCI_DEVFN(slot, 0)];

	if (PCI_FUNCTION(pci->devfn)) {
		if (!first || first->multifunction)
			return true;
		error_set(errp, "PCI: single function device can't be populated in function %x.%x",
			  slot, PCI_FUNCTION(pci->devfn));
		return false;
	}
	for (unsigned fn = 1; fn < 8 && !pci->multifunction; fn++) {
		if (bus->devices[PCI_DEVFN(slot, fn)]) {
			error_set(errp,
				  "PCI: %x.0 indicates single function, but %x.%x is already "
				  "populated.",
				  slot, slot, fn);
			return false;
		}
	}
	return true;
}

static bool pci_plug(struct bus *base, struct device *dev, GError **errp)
{
	struct pci_bus *bus = container_of(base, struct pci_bus, bus);
	struct pci_device *pci = pci_device_of(dev), *other;

	if (pci->devfn < 0) {
		pci->devfn = free_slot(bus);
		if (pci->devfn < 0) {
			error_set(errp,
				  "PCI: no slot/function available for %s, all in use or reserved",
				  dev->type->name);
			return false;
		}
	}
	other = bus->devices[pci->devfn];
	if (other) {
		error_set(errp, "PCI: slot %d function %d not available for %s, in use by %s,id=%s",
			  PCI_SLOT(pci->devfn), PCI_FUNCTION(pci->devfn), dev->type->name,
			  other->dev.type->name, other->dev.id ? other->dev.id : "");
		return false;
	}
	if (!check_functions(bus, pci, errp))
		return false;
	bus->devices[pci->devfn] = pci;
	return true;
}

static void pci_unplug(struct bus *base, struct device *dev)
{
	struct pci_bus *bus = container_of(base, struct pci_bus, bus);
	struct pci_device *pci = pci_device_of(dev);

	bus->devices[pci->devfn] = NULL;
	pci_bars_unmap(pci);
}

static char *pci_dev_path(struct device *dev)
{
	int32_t devfn = pci_device_of(dev)->devfn;

	return g_strdup_printf("%02x.%x", PCI_SLOT(devfn), PCI_FUNCTION(devfn));
}

const struct bus_type pci_bus_type = {
	.kind = "PCI",
	.help = "Peripheral Component Interconnect",
	.plug = pci_plug,
	.unplug = pci_unplug,
	.dev_path = pci_dev_path,
	.fw_path = pci_fw_path,
	.hotplug = true,
};

/* ---- Buses ---- */

void pci_bus_init(struct pci_bus *bus, struct device *parent, const char *name,
		  struct pci_device *bridge, struct region *memory, struct region *io,
		  struct address_space *dma)
{
	bus_init(&bus->bus, &pci_bus_type, parent, name);
	bus->bridge = bridge;
	bus->memory = memory;
	bus->io = io;
	bus->dma = dma;
	bus->secondaries = g_ptr_array_new();
	if (bridge)
		g_ptr_array_add(pci_bus_of(bridge)->secondaries, bus);
}

void pci_bus_cleanup(struct pci_bus *bus)
{
	if (bus->bridge)
		g_ptr_array_remove(pci_bus_of(bus->bridge)->secondaries, bus);
	g_ptr_array_unref(bus->secondaries);
	bus_cleanup(&bus->bus);
}

void pci_bus_set_intx(struct pci_bus *root, pci_map_fn *map, pci_set_fn *set, void *opaque)
{
	root->map_intx = map;
	root->set_intx = set;
	root->intx_opaque = opaque;
}

void pci_bus_set_msi(struct pci_bus *root, pci_msi_fn *send, void *opaque)
{
	root->send_msi = send;
	root->msi_opaque = opaque;
}

void pci_bus_set_accel(struct pci_bus *root, struct accel *accel)
{
	root->accel = accel;
}

struct accel *pci_accel(const struct pci_device *pci)
{
	return pci_bus_root(pci_bus_of(pci))->accel;
}

void pci_bus_set_hotplug(struct pci_bus *bus, const struct pci_hotplug *hotplug)
{
	bus->hotplug = *hotplug;
}

struct pci_bus *pci_bus_root(struct pci_bus *bus)
{
	while (bus->bridge)
		bus = pci_bus_of(bus->bridge);
	return bus;
}

unsigned pci_bus_number(const struct pci_bus *bus)
{
	return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] : 0;
}

static struct pci_bus *find_bus(struct pci_bus *bus, unsigned number)
{
	if (pci_bus_number(bus) == number)
		return bus;
	for (guint i = 0; i < bus->secondaries->len; i++) {
		struct pci_bus *below = g_ptr_array_index(bus->secondaries, i);
		const uint8_t *config = below->bridge->config;

		if (config[PCI_SECONDARY_BUS] <= number && number <= config[PCI_SUBORDINATE_BUS])
			return find_bus(below, number);
	}
	return NULL;
}

struct pci_device *pci_find(struct pci_bus *root, unsigned number, unsigned devfn)
{
	struct pci_bus *bus = find_bus(root, number);

	return bus ? bus->devices[devfn & 0xff] : NULL;
}

void pci_bus_foreach(struct pci_bus *bus, void (*fn)(struct pci_device *pci, void *opaque),
		     void *opaque)
{
	for (unsigned devfn = 0; devfn < G_N_ELEMENTS(bus->devices); devfn++) {
		if (bus->devices[devfn])
			fn(bus->devices[devfn], opaque);
	}
}

/* ---- DMA ---- */

struct address_space *pci_dma_space(const struct pci_device *pci)
{
	return pci_bus_of(pci)->dma;
}

enum mem_result pci_dma_read(struct pci_device *pci, uint64_t addr, void *buf, uint64_t len)
{
	if (pci_is_master(pci))
		return as_read(pci_dma_space(pci), addr, buf, len);
	memset(buf, 0xff, len);
	return MEM_REFUSED;
}

enum mem_result pci_dma_write(struct pci_device *pci, uint64_t addr, const void *buf, uint64_t len)
{
	if (pci_is_master(pci))
		return as_write(pci_dma_space(pci), addr, buf, len);
	return MEM_REFUSED;
}

void *pci_dma_map(struct pci_device *pci, uint64_t addr, uint64_t *len, bool is_write,
		  struct as_mapping *map)
{
	return pci_is_master(pci) ? as_map(pci_dma_space(pci), addr, len, is_write, map) : NULL;
}
