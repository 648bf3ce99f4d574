/*
 * Intel 440FX host bridge (PMC).
 *
 * The host bridge owns the PCI bus and the PCI memory space, which lies under RAM with the lowest
 * priority, so that every address without RAM is PCI's. Between 640 KiB and 1 MiB registers decide who
 * answers: seven PAM registers hold two bits (read, write) for each of thirteen areas, and SMRAM the
 * fate of A0000h-BFFFFh. An area that reads from PCI is an alias of PCI space laid over RAM (writes
 * to it would go to RAM on the chip when only write is enabled; no firmware looks); one that
 * reads RAM but does not write it is a read-only alias of RAM; one that does both needs nothing.
 *
 * The RAM below A0000h-BFFFFh is for system management mode. A CPU in that mode has a memory space of its
 * own, where it lies over PCI while SMRAM is enabled; all see it while it is open. Once locked the
 * register stays as it is until a reset.
 *
 * Source: Intel 440FX PCIset data sheet (290549-001), 3.2.
 */
#include "hw/i440fx.h"
#include "machine/runstate.h"

enum {
	REG_RAM_SIZE = 0x57, /* for firmware: RAM in units of 8 MiB */
	REG_PAM0 = 0x59,
	REG_PAM_END = 0x60,
	REG_SMRAM = 0x72,

	PAM_READ = 1,
	PAM_WRITE = 2,

	SMRAM_BASE_A0000 = 0x02,
	SMRAM_ENABLE = 0x08,
	SMRAM_LOCK = 0x10,
	SMRAM_OPEN = 0x40,
};

#define PAM_AREAS     13
#define PAM_FIRST     0xc0000
#define PAM_AREA_SIZE 0x4000
#define PAM_BIOS      0xf0000
#define PAM_BIOS_SIZE 0x10000
#define SMRAM_START   0xa0000
#define SMRAM_SIZE    0x20000

struct i440fx_host {
	struct device dev;
	struct i440fx_config config;
	uint64_t hole64_size;
	struct region pci_memory;
	struct pci_bus bus;
	struct pci_mechanism1 mechanism1;
};

struct i440fx {
	struct pci_device pci;
	struct region pam_pci[PAM_AREAS], pam_ram[PAM_AREAS], smram;
	struct region smm_smram; /* in the memory of SMM */
	struct region nothing;   /* over the same RAM in that of all others */
};

/* ---- The host bridge ---- */

static struct i440fx_host *host_of(struct device *dev)
{
	return container_of(dev, struct i440fx_host, dev);
}

void i440fx_host_configure(struct device *dev, const struct i440fx_config *config)
{
	host_of(dev)->config = *config;
}

struct pci_bus *i440fx_bus(struct device *host)
{
	return &host_of(host)->bus;
}

struct region *i440fx_pci_memory(struct device *host)
{
	return &host_of(host)->pci_memory;
}

uint64_t i440fx_hole64_size(struct device *host)
{
	return host_of(host)->hole64_size;
}

static bool host_realize(struct device *dev, GError **errp)
{
	struct i440fx_host *h = host_of(dev);

	region_init_container(&h->pci_memory, dev, "pci", REGION_SIZE_MAX);
	region_add(h->config.memory, 0, &h->pci_memory, -1);
	pci_bus_init(&h->bus, dev, "pci.0", NULL, &h->pci_memory, h->config.io, h->config.dma);
	pci_mechanism1_init(&h->mechanism1, dev, &h->bus, h->config.io);
	return true;
}

static void host_unrealize(struct device *dev)
{
	struct i440fx_host *h = host_of(dev);

	pci_mechanism1_cleanup(&h->mechanism1);
	pci_bus_cleanup(&h->bus);
	region_cleanup(&h->pci_memory);
}

static void host_reset(struct device *dev)
{
	host_of(dev)->mechanism1.address = 0;
}

static const struct field host_props[] = {
	PROP_SIZE(struct i440fx_host, hole64_size, "pci-hole64-size", 2 * GIB,
		  "Size of the window above RAM for 64-bit BARs"),
	FIELD_ROW_END,
};

static const struct field host_state[] = {
	{FIELD_AT(struct i440fx_host, mechanism1.address, "config_address", FIELD_UINT, 4, "")},
	FIELD_ROW_END,
};

const struct device_type i440fx_host_type = {
	.name = "i440FX-pcihost",
	.help = "Intel 440FX host bridge with the PCI bus",
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct i440fx_host),
	.props = host_props,
	.state = host_state,
	.realize = host_realize,
	.unrealize = host_unrealize,
	.reset = host_reset,
};

/* ---- Its function 00.0 ---- */

static struct i440fx *i440fx_of(struct device *dev)
{
	return container_of(dev, struct i440fx, pci.dev);
}

/* Areas 0 to 11 are C0000h to EFFFFh by 16 KiB, in PAM1 to PAM6, low half first; area 12 is the
 * BIOS's 64 KiB, the upper half of PAM0. */
static unsigned pam_bits(const struct i440fx *f, unsigned area)
{
	const uint8_t *pam = f->pci.config + REG_PAM0;

	if (area == PAM_AREAS - 1)
		return pam[0] >> 4;
	return pam[1 + area / 2] >> (area % 2 * 4);
}

static bool has_smm(const struct i440fx *f)
{
	return host_of(f->pci.dev.bus->parent)->config.smm;
}

static void i440fx_update(struct i440fx *f)
{
	uint8_t smram = f->pci.config[REG_SMRAM];

	mem_begin();
	for (unsigned i = 0; i < PAM_AREAS; i++) {
		unsigned bits = pam_bits(f, i);

		region_set_enabled(&f->pam_pci[i], !(bits & PAM_READ));
		region_set_enabled(&f->pam_ram[i], (bits & (PAM_READ | PAM_WRITE)) == PAM_READ);
	}
	region_set_enabled(&f->smram, !(smram & SMRAM_OPEN));
	if (has_smm(f)) {
		region_set_enabled(&f->smm_smram, smram & SMRAM_ENABLE);
		region_set_enabled(&f->nothing, (smram & SMRAM_ENABLE) && !(smram & SMRAM_OPEN));
	}
	mem_commit();
}

static void i440fx_update_lock(struct i440fx *f)
{
	uint8_t *smram = f->pci.config + REG_SMRAM;
	bool locked = *smram & SMRAM_LOCK;

	if (locked)
		*smram &= ~SMRAM_OPEN;
	f->pci.writable[REG_SMRAM] = locked ? 0 : 0xff;
}

static void i440fx_config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	struct i440fx *f = container_of(pci, struct i440fx, pci);

	if ((offset >= REG_PAM_END || offset + len <= REG_PAM0) &&
	    (offset > REG_SMRAM || offset + len <= REG_SMRAM))
		return;
	i440fx_update_lock(f);
	i440fx_update(f);
}

void i440fx_open_shadow_ram(struct device *host)
{
	struct pci_device *pci = host_of(host)->bus.devices[0];

	for (unsigned offset = REG_PAM0; offset < REG_PAM_END; offset++)
		pci_config_write(pci, offset, offset == REG_PAM0 ? 0x30 : 0x33, 1);
}

/* Where PCI has nothing, RAM would shine through. Reads give all ones. */
static const struct io_ops nothing_ops = {};

static bool i440fx_realize(struct device *dev, GError **errp)
{
	struct i440fx *f = i440fx_of(dev);
	struct i440fx_host *h = host_of(dev->bus->parent);
	const struct i440fx_config *c = &h->config;

	mem_begin();
	for (unsigned i = 0; i < PAM_AREAS; i++) {
		bool bios = i == PAM_AREAS - 1;
		uint64_t start = bios ? PAM_BIOS : PAM_FIRST + i * PAM_AREA_SIZE;
		uint64_t size = bios ? PAM_BIOS_SIZE : PAM_AREA_SIZE;

		region_init_alias(&f->pam_pci[i], dev, "pam-pci", &h->pci_memory, start, size);
		region_init_alias(&f->pam_ram[i], dev, "pam-rom", c->ram, start, size);
		region_set_readonly(&f->pam_ram[i], true);
		region_add(c->memory, start, &f->pam_pci[i], 1);
		region_add(c->memory, start, &f->pam_ram[i], 1);
	}
	region_init_alias(&f->smram, dev, "smram-region", &h->pci_memory, SMRAM_START, SMRAM_SIZE);
	region_add(c->memory, SMRAM_START, &f->smram, 2);
	if (c->smm) {
		region_init_io(&f->nothing, dev, "smram-closed", &nothing_ops, f, SMRAM_SIZE);
		region_add(c->memory, SMRAM_START, &f->nothing, 1);
		region_init_alias(&f->smm_smram, dev, "smm-smram", c->ram, SMRAM_START, SMRAM_SIZE);
		region_add(c->smm, SMRAM_START, &f->smm_smram, 1);
	}
	f->pci.config[REG_RAM_SIZE] = MIN(c->ram_size / (8 * MIB), 255);
	f->pci.config[REG_SMRAM] = SMRAM_BASE_A0000;
	i440fx_update(f);
	mem_commit();
	return true;
}

static void i440fx_unrealize(struct device *dev)
{
	struct i440fx *f = i440fx_of(dev);

	for (unsigned i = 0; i < PAM_AREAS; i++) {
		region_cleanup(&f->pam_pci[i]);
		region_cleanup(&f->pam_ram[i]);
	}
	region_cleanup(&f->smram);
	if (has_smm(f)) {
		region_cleanup(&f->smm_smram);
		region_cleanup(&f->nothing);
	}
}

static void i440fx_reset(struct device *dev)
{
	struct i440fx *f = i440fx_of(dev);

	/* Firmware looks into its shadow RAM to tell waking from a start. */
	if (runstate() != RUN_STATE_SUSPENDED)
		memset(f->pci.config + REG_PAM0, 0, REG_PAM_END - REG_PAM0);
	f->pci.config[REG_SMRAM] = SMRAM_BASE_A0000;
	i440fx_update_lock(f);
	i440fx_update(f);
}

static bool i440fx_post_load(struct device *dev, GError **errp)
{
	i440fx_update_lock(i440fx_of(dev));
	i440fx_update(i440fx_of(dev));
	return true;
}

static const struct pci_info i440fx_info = {
	.vendor = PCI_VENDOR_INTEL,
	.device = 0x1237,
	.revision = 0x02,
	.class = PCI_CLASS_CODE(0x06, 0x00, 0x00),
	.config_written = i440fx_config_written,
};

const struct device_type i440fx_type = {
	.name = "i440FX",
	.help = "Intel 440FX memory controller",
	.base = &pci_device_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct i440fx),
	.class_data = &i440fx_info,
	.realize = i440fx_realize,
	.unrealize = i440fx_unrealize,
	.reset = i440fx_reset,
	.post_load = i440fx_post_load,
};
