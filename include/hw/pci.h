/*
 * The PCI bus core: devices, configuration space, BARs, interrupts, DMA.
 *
 * A bus is embedded in the bridge that provides it. The host bridge has the root bus and says how
 * its interrupt lines and messages leave (pci_bus_set_intx(), pci_bus_set_msi()); a PCI-to-PCI bridge
 * has a secondary bus. Nothing here knows how many buses there are.
 *
 * A device type embeds struct pci_device first, has pci_device_type at the root of its bases, and a
 * const struct pci_info at the start of its class_data. The base's realize() makes the configuration
 * space from that; the type's own realize() adds BARs and capabilities. A register has three masks:
 * bits software may write, bits it clears by writing ones, and bytes that belong to a capability.
 *
 * All functions want the machine lock, unless they say otherwise.
 *
 * Source: PCI Local Bus Specification 3.0.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include "abi/pci.h"
#include "accel/accel.h"
#include "base/checked.h"
#include "device/device.h"
#include "mem/space.h"

struct pci_bus;
struct pci_device;
struct pci_msix;

#define PCI_DEVFN(slot, fn) ((slot) << 3 | (fn))
#define PCI_SLOT(devfn)     ((unsigned)(devfn) >> 3)
#define PCI_FUNCTION(devfn) ((devfn)&7)
#define PCI_SLOTS           32

#define PCI_BARS         6
#define PCI_ROM_SLOT     6
#define PCI_BAR_UNMAPPED UINT64_MAX

/* ---- Device types ---- */

struct pci_info {
	uint16_t vendor, device;
	uint32_t class; /* PCI_CLASS_CODE() */
	uint8_t revision;
	uint16_t subsystem_vendor, subsystem; /* both 0: 1af4:1100 */
	bool bridge;                          /* header type 1 */
	bool express;                         /* 4 KiB of configuration space */
	const char *romfile;                  /* default option ROM; NULL: none */

	/* Software is about to read [offset, offset+len): registers that are computed. */
	void (*config_reading)(struct pci_device *pci, unsigned offset, unsigned len);
	/* Software wrote [offset, offset+len); the core has already acted on it. */
	void (*config_written)(struct pci_device *pci, unsigned offset, unsigned len);
};

struct pci_bar {
	struct region *region; /* NULL: the card has no such BAR */
	uint64_t size;         /* a power of two */
	uint64_t addr;         /* where it is mapped; PCI_BAR_UNMAPPED */
	uint8_t type;          /* enum pci_bar_bit */
};

struct pci_device {
	struct device dev;
	const struct pci_info *info;

	/* Each config_size bytes */
	uint8_t *config, *writable, *clear_on_one, *used;
	unsigned config_size;

	/* Properties */
	int32_t devfn; /* -1: the bus chooses */
	bool multifunction, rom_bar;
	char *romfile;
	uint32_t rom_size;

	struct pci_bar bars[PCI_BARS + 1]; /* the last is the ROM */
	struct region rom;
	struct ram_block *rom_memory;

	bool intx_level;   /* what the device drives */
	bool intx_counted; /* it is part of its line's count */
	unsigned intx_line;

	uint8_t msi_cap; /* offset; 0: none */
	uint8_t msix_cap;
	struct pci_msix *msix;
	/* A vector's message or masking changed; for users of irqfds. May be NULL. */
	void (*msix_changed)(struct pci_device *pci, unsigned vector);
};

/* Abstract base of all PCI devices. */
extern const struct device_type pci_device_type;

static inline struct pci_device *pci_device_of(struct device *dev)
{
	return container_of(dev, struct pci_device, dev);
}
struct pci_bus *pci_bus_of(const struct pci_device *pci);

/* ---- Configuration space ---- */

static inline uint16_t pci_get16(const struct pci_device *pci, unsigned offset)
{
	return get_le16(pci->config + offset);
}
static inline uint32_t pci_get32(const struct pci_device *pci, unsigned offset)
{
	return get_le32(pci->config + offset);
}
static inline void pci_set16(struct pci_device *pci, unsigned offset, uint16_t value)
{
	put_le16(pci->config + offset, value);
}
static inline void pci_set32(struct pci_device *pci, unsigned offset, uint32_t value)
{
	put_le32(pci->config + offset, value);
}

/* Accesses as software makes them, 1, 2 or 4 bytes inside one dword; effects take place. */
uint32_t pci_config_read(struct pci_device *pci, unsigned offset, unsigned size);
void pci_config_write(struct pci_device *pci, unsigned offset, uint32_t value, unsigned size);

/*
 * Adds a capability of @size bytes at @offset (0: the first room there is), read-only until the caller
 * opens bits in `writable`. Its offset; 0 with an error when there is no room.
 */
uint8_t pci_add_capability(struct pci_device *pci, uint8_t id, uint8_t offset, uint8_t size,
			   GError **errp);

/* Makes @region (size: a power of two, 16 bytes at least, 4 for I/O) BAR @n; @type: enum pci_bar_bit. */
void pci_set_bar(struct pci_device *pci, unsigned n, uint8_t type, struct region *region);
/* Where it is mapped now, or PCI_BAR_UNMAPPED. */
uint64_t pci_bar_address(const struct pci_device *pci, unsigned n);

/* ---- Interrupts ---- */

/* The pin that realize() put into config[PCI_INTERRUPT_PIN]: 1 for INTA .. 4, 0 for none. */
void pci_set_irq(struct pci_device *pci, bool level);

/* MSI with @vectors (1..32, a power of two). False with an error. */
bool pci_msi_init(struct pci_device *pci, uint8_t offset, unsigned vectors, bool is_64bit,
		  bool maskable, GError **errp);
bool pci_msi_enabled(const struct pci_device *pci);
/* Nothing happens while they are disabled: then the device uses its pin. */
void pci_msi_notify(struct pci_device *pci, unsigned vector);

/*
 * MSI-X with @vectors entries: the table in BAR @table_bar at @table_offset, pending bits likewise. Both
 * are mapped into @table_region and @pba_region, containers that are these BARs.
 */
struct pci_msix_layout {
	unsigned vectors; /* 1..2048 */
	unsigned table_bar, pba_bar;
	uint32_t table_offset, pba_offset;
	struct region *table_region, *pba_region;
	uint8_t offset; /* of the capability; 0: anywhere */
};
bool pci_msix_init(struct pci_device *pci, const struct pci_msix_layout *layout, GError **errp);
/* The usual case: BAR @bar is its own, 4 KiB or as much as it needs, pending bits in the upper half. */
bool pci_msix_init_bar(struct pci_device *pci, unsigned vectors, unsigned bar, GError **errp);
unsigned pci_msix_vectors(const struct pci_device *pci);
bool pci_msix_enabled(const struct pci_device *pci);
/* Any thread. */
void pci_msix_notify(struct pci_device *pci, unsigned vector);
/* Masked by entry or function: @pending can be set instead of sending. */
bool pci_msix_masked(const struct pci_device *pci, unsigned vector);
struct msi_message pci_msix_message(const struct pci_device *pci, unsigned vector);
void pci_msix_set_pending(struct pci_device *pci, unsigned vector);

/* ---- DMA, any thread: refused while bus mastering is off (reads then give all ones) ---- */
enum mem_result pci_dma_read(struct pci_device *pci, uint64_t addr, void *buf, uint64_t len);
enum mem_result pci_dma_write(struct pci_device *pci, uint64_t addr, const void *buf, uint64_t len);
/* as_map() of include/mem/space.h, whose as_unmap() ends it. */
void *pci_dma_map(struct pci_device *pci, uint64_t addr, uint64_t *len, bool is_write,
		  struct as_mapping *map);
/* The space its accesses go to. */
struct address_space *pci_dma_space(const struct pci_device *pci);
static inline bool pci_is_master(const struct pci_device *pci)
{
	return pci_get16(pci, PCI_COMMAND) & PCI_COMMAND_MASTER;
}
/* The accelerator, as the root bus was told; or NULL. */
struct accel *pci_accel(const struct pci_device *pci);

/* ---- Buses ---- */

/* The line a device's pin (0: INTA) is wired to on the root bus. */
typedef unsigned pci_map_fn(void *opaque, struct pci_device *pci, unsigned pin);
typedef void pci_set_fn(void *opaque, unsigned line, bool level);
typedef void pci_msi_fn(void *opaque, const struct msi_message *msg);

/* Who is told of hot-plug: the ACPI or native hot-plug controller of the bus. */
struct pci_hotplug {
	void (*plugged)(void *opaque, struct pci_device *pci);
	/* Asks the guest to let go. False with an error. */
	bool (*unplug_request)(void *opaque, struct pci_device *pci, GError **errp);
	void *opaque;
};

#define PCI_MAX_LINES 8

struct pci_bus {
	struct bus bus;
	struct pci_device *bridge;  /* whose secondary bus it is; NULL: a root */
	struct region *memory, *io; /* what BARs are mapped into */
	struct address_space *dma;  /* what bus masters see */
	struct pci_device *devices[256];
	GPtrArray *secondaries; /* struct pci_bus * of bridges on it */
	struct pci_hotplug hotplug;

	/* Roots only */
	unsigned line_count[PCI_MAX_LINES]; /* devices that assert it */
	pci_map_fn *map_intx;
	pci_set_fn *set_intx;
	void *intx_opaque;
	pci_msi_fn *send_msi; /* messages to MSI_WINDOW; NULL: they too are written to memory */
	void *msi_opaque;
	struct accel *accel; /* for ioeventfds and irqfds; NULL: neither */
};

/* Readies a bus embedded in @parent; @bridge NULL makes it a root. @name NULL: "pci.N". */
void pci_bus_init(struct pci_bus *bus, struct device *parent, const char *name,
		  struct pci_device *bridge, struct region *memory, struct region *io,
		  struct address_space *dma);
void pci_bus_cleanup(struct pci_bus *bus);
void pci_bus_set_intx(struct pci_bus *root, pci_map_fn *map, pci_set_fn *set, void *opaque);
void pci_bus_set_msi(struct pci_bus *root, pci_msi_fn *send, void *opaque);
/* Who executes the guest, for devices that can use its ioeventfds and irqfds. */
void pci_bus_set_accel(struct pci_bus *root, struct accel *accel);
void pci_bus_set_hotplug(struct pci_bus *bus, const struct pci_hotplug *hotplug);

struct pci_bus *pci_bus_root(struct pci_bus *bus);
/* Bus number as software assigned it; 0 for the root. */
unsigned pci_bus_number(const struct pci_bus *bus);
/* The device at an address below @root, or NULL. */
struct pci_device *pci_find(struct pci_bus *root, unsigned bus, unsigned devfn);
/* Every device of one bus, by address. */
void pci_bus_foreach(struct pci_bus *bus, void (*fn)(struct pci_device *pci, void *opaque),
		     void *opaque);
/* A level of a root's line; routing that depends on registers reads it again when they change. */
bool pci_line_level(const struct pci_bus *root, unsigned line);

/* ---- Configuration mechanism #1, for host bridges ---- */
struct pci_mechanism1 {
	struct pci_bus *root;
	uint32_t address;
	struct region address_port, data_port;
};
/* Maps CF8h and CFCh into @io. */
void pci_mechanism1_init(struct pci_mechanism1 *m, struct device *owner, struct pci_bus *root,
			 struct region *io);
void pci_mechanism1_cleanup(struct pci_mechanism1 *m);

#endif
