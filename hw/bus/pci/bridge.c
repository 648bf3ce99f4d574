/* PCI-to-PCI bridges: see include/hw/pci/bridge.h. */
#include "hw/pci/bridge.h"
#include "base/trace.h"

TRACE_DEFINE(pci_bridge_window, "%s window %u %s 0x%" PRIx64 " to 0x%" PRIx64);
TRACE_DEFINE(pci_bridge_reset, "%s resets its secondary bus");

#define PORT_SPACE  0x10000
#define PORT_MASK   0xf0   /* of base and limit: bits 12 to 15 of the port */
#define MEMORY_MASK 0xfff0 /* bits 20 to 31 of the address */

static struct pci_bridge *bridge_of(struct device *dev)
{
	return container_of(dev, struct pci_bridge, pci.dev);
}

/* ---- Windows ---- */

static const char *const window_names[PCI_WINDOWS] = {
	[PCI_WINDOW_PORTS] = "pci_bridge_io",
	[PCI_WINDOW_MEMORY] = "pci_bridge_mem",
	[PCI_WINDOW_PREFETCH] = "pci_bridge_pref_mem",
	[PCI_WINDOW_VGA_MEMORY] = "pci_bridge_vga_mem",
	[PCI_WINDOW_VGA_LOW] = "pci_bridge_vga_io_lo",
	[PCI_WINDOW_VGA_HIGH] = "pci_bridge_vga_io_hi",
};

static bool is_ports(enum pci_window n)
{
	return n == PCI_WINDOW_PORTS || n >= PCI_WINDOW_VGA_LOW;
}

static bool fixed_window(const struct pci_device *pci, uint64_t first, uint64_t last,
			 uint64_t *base, uint64_t *limit)
{
	*base = first;
	*limit = last;
	return pci_get16(pci, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_VGA;
}

static uint64_t memory_address(const struct pci_device *pci, unsigned offset)
{
	return (uint64_t)(pci_get16(pci, offset) & MEMORY_MASK) << 16;
}

bool pci_bridge_window(const struct pci_device *pci, enum pci_window n, uint64_t *base,
		       uint64_t *limit)
{
	switch (n) {
	case PCI_WINDOW_PORTS:
		*base = (pci->config[PCI_IO_BASE] & PORT_MASK) << 8;
		*limit = (pci->config[PCI_IO_LIMIT] & PORT_MASK) << 8 | 0xfff;
		break;
	case PCI_WINDOW_MEMORY:
		*base = memory_address(pci, PCI_MEMORY_BASE);
		*limit = memory_address(pci, PCI_MEMORY_LIMIT) | 0xfffff;
		break;
	case PCI_WINDOW_PREFETCH:
		*base = memory_address(pci, PCI_PREFETCH_BASE) |
			(uint64_t)pci_get32(pci, PCI_PREFETCH_BASE_HIGH) << 32;
		*limit = memory_address(pci, PCI_PREFETCH_LIMIT) | 0xfffff |
			 (uint64_t)pci_get32(pci, PCI_PREFETCH_LIMIT_HIGH) << 32;
		break;
	case PCI_WINDOW_VGA_MEMORY:
		return fixed_window(pci, 0xa0000, 0xbffff, base, limit);
	case PCI_WINDOW_VGA_LOW:
		return fixed_window(pci, 0x3b0, 0x3bb, base, limit);
	case PCI_WINDOW_VGA_HIGH:
		return fixed_window(pci, 0x3c0, 0x3df, base, limit);
	default:
		return false;
	}
	return *base <= *limit && *limit < REGION_SIZE_MAX;
}

static void update_window(struct pci_bridge *b, enum pci_window n)
{
	uint16_t command = pci_get16(&b->pci, PCI_COMMAND);
	bool decodes = command & (is_ports(n) ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
	struct region *w = &b->windows[n];
	uint64_t base, limit;
	bool open = pci_bridge_window(&b->pci, n, &base, &limit) && decodes;

	if (open) {
		region_set_addr(w, base);
		region_set_size(w, limit - base + 1);
		region_set_target_offset(w, base);
	}
	if (open != w->enabled)
		trace(pci_bridge_window, device_label(&b->pci.dev), n, open ? "open" : "closed",
		      base, limit);
	region_set_enabled(w, open);
}

static void update_windows(struct pci_bridge *b)
{
	mem_begin();
	for (unsigned n = 0; n < PCI_WINDOWS; n++)
		update_window(b, n);
	mem_commit();
}

/* ---- Reset of the secondary bus ---- */

static void reset_function(struct pci_device *pci, void *opaque)
{
	device_reset(&pci->dev);
}

static void follow_reset(struct pci_bridge *b)
{
	bool reset = pci_get16(&b->pci, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_RESET;
	bool rises = reset && !b->in_reset;

	b->in_reset = reset;
	if (!rises)
		return;
	trace(pci_bridge_reset, device_label(&b->pci.dev));
	pci_bus_foreach(&b->bus, reset_function, NULL);
}

void pci_bridge_config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	struct pci_bridge *b = container_of(pci, struct pci_bridge, pci);
	unsigned end = offset + len;

	if ((offset < PCI_COMMAND + 2 && end > PCI_COMMAND) ||
	    (offset < PCI_BRIDGE_WINDOWS_END && end > PCI_IO_BASE) ||
	    (offset < PCI_BRIDGE_CONTROL + 2 && end > PCI_BRIDGE_CONTROL))
		update_windows(b);
	follow_reset(b);
}

/* ---- Life ---- */

/* Registers of header type 1: which bits of them are software's, and what the others say. */
static void init_header(struct pci_device *pci)
{
	uint8_t *w = pci->writable;

	pci_set16(pci, PCI_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
	pci_set16(pci, PCI_SECONDARY_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
	put_le16(pci->clear_on_one + PCI_SECONDARY_STATUS, PCI_STATUS_ERRORS);
	put_le32(w + PCI_PRIMARY_BUS, UINT32_MAX);
	w[PCI_IO_BASE] = w[PCI_IO_LIMIT] = PORT_MASK;
	put_le16(w + PCI_MEMORY_BASE, MEMORY_MASK);
	put_le16(w + PCI_MEMORY_LIMIT, MEMORY_MASK);
	put_le16(w + PCI_PREFETCH_BASE, MEMORY_MASK);
	put_le16(w + PCI_PREFETCH_LIMIT, MEMORY_MASK);
	pci_set16(pci, PCI_PREFETCH_BASE, PCI_PREFETCH_64BIT);
	pci_set16(pci, PCI_PREFETCH_LIMIT, PCI_PREFETCH_64BIT);
	put_le32(w + PCI_PREFETCH_BASE_HIGH, UINT32_MAX);
	put_le32(w + PCI_PREFETCH_LIMIT_HIGH, UINT32_MAX);
	put_le16(w + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CONTROL_BITS);
	put_le16(pci->clear_on_one + PCI_BRIDGE_CONTROL, PCI_BRIDGE_TIMER_STATUS);
}

static bool bridge_realize(struct device *dev, GError **errp)
{
	struct pci_bridge *b = bridge_of(dev);
	struct pci_bus *up = pci_bus_of(&b->pci);

	init_header(&b->pci);
	region_init_container(&b->memory, dev, "pci_bridge_pci", REGION_SIZE_MAX);
	region_init_container(&b->io, dev, "pci_bridge_io", PORT_SPACE);
	/* A bridge has one bus: it goes by the bridge's own name. */
	pci_bus_init(&b->bus, dev, dev->id, &b->pci, &b->memory, &b->io, up->dma);
	mem_begin();
	for (unsigned n = 0; n < PCI_WINDOWS; n++) {
		struct region *w = &b->windows[n];

		region_init_alias(w, dev, window_names[n], is_ports(n) ? &b->io : &b->memory, 0, 1);
		region_set_enabled(w, false);
		region_add(is_ports(n) ? up->io : up->memory, 0, w, 1);
	}
	mem_commit();
	return true;
}

static void bridge_unrealize(struct device *dev)
{
	struct pci_bridge *b = bridge_of(dev);

	for (unsigned n = 0; n < PCI_WINDOWS; n++)
		region_cleanup(&b->windows[n]);
	pci_bus_cleanup(&b->bus);
	region_cleanup(&b->memory);
	region_cleanup(&b->io);
}

static void bridge_reset(struct device *dev)
{
	struct pci_bridge *b = bridge_of(dev);
	struct pci_device *pci = &b->pci;

	for (unsigned at = PCI_PRIMARY_BUS; at < PCI_BRIDGE_WINDOWS_END; at++)
		pci->config[at] &= ~(pci->writable[at] | pci->clear_on_one[at]);
	pci_set16(pci, PCI_BRIDGE_CONTROL, 0);
	b->in_reset = false;
	update_windows(b);
}

static bool bridge_post_load(struct device *dev, GError **errp)
{
	struct pci_bridge *b = bridge_of(dev);

	b->in_reset = pci_get16(&b->pci, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_RESET;
	update_windows(b);
	return true;
}

const struct device_type pci_bridge_base_type = {
	.name = "base-pci-bridge",
	.help = "A bridge to another PCI bus",
	.base = &pci_device_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct pci_bridge),
	.flags = TYPE_ABSTRACT,
	.realize = bridge_realize,
	.unrealize = bridge_unrealize,
	.reset = bridge_reset,
	.post_load = bridge_post_load,
};
