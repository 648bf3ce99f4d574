/* PCI configuration space: masks, capabilities, BARs. */
#include "base/trace.h"
#include "hw/bus/pci/internal.h"

TRACE_DEFINE(pci_config_read, "%s offset 0x%02x is 0x%x (%u bytes)");
TRACE_DEFINE(pci_config_write, "%s offset 0x%02x := 0x%x (%u bytes)");
TRACE_DEFINE(pci_bar_map, "%s bar %u at 0x%" PRIx64 ", 0x%" PRIx64 " bytes");
TRACE_DEFINE(pci_bar_unmap, "%s bar %u");

/* ---- Making it ---- */

static void config_init_masks(struct pci_device *pci)
{
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
	put_le16(pci->writable + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
						      PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
						      PCI_COMMAND_INTX_DISABLE);
	put_le16(pci->clear_on_one + PCI_STATUS, PCI_STATUS_ERRORS);
	/* Device-dependent registers are memory until somebody says otherwise. */
	memset(pci->writable + PCI_HEADER_SIZE, 0xff, pci->config_size - PCI_HEADER_SIZE);
}

void pci_config_init(struct pci_device *pci)
{
	const struct pci_info *info = pci->info;
	bool generic = !info->subsystem_vendor && !info->subsystem;

	pci->config_size = info->express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
	pci->config = g_malloc0(4 * pci->config_size);
	pci->writable = pci->config + pci->config_size;
	pci->clear_on_one = pci->writable + pci->config_size;
	pci->used = pci->clear_on_one + pci->config_size;
	config_init_masks(pci);

	pci_set16(pci, PCI_VENDOR_ID, info->vendor);
	pci_set16(pci, PCI_DEVICE_ID, info->device);
	pci->config[PCI_REVISION] = info->revision;
	pci->config[PCI_CLASS_INTERFACE] = info->class;
	pci_set16(pci, PCI_CLASS, info->class >> 8);
	pci->config[PCI_HEADER_TYPE] = (info->bridge ? PCI_HEADER_BRIDGE : 0) |
				       (pci->multifunction ? PCI_HEADER_MULTIFUNCTION : 0);
	if (info->bridge)
		return;
	pci_set16(pci, PCI_SUBSYSTEM_VENDOR_ID,
		  generic ? PCI_VENDOR_REDHAT : info->subsystem_vendor);
	pci_set16(pci, PCI_SUBSYSTEM_ID, generic ? PCI_SUBSYSTEM_GENERIC : info->subsystem);
}

void pci_config_free(struct pci_device *pci)
{
	g_clear_pointer(&pci->config, g_free);
}

static uint8_t find_room(const struct pci_device *pci, unsigned size)
{
	unsigned run = 0;

	for (unsigned i = PCI_HEADER_SIZE; i < PCI_CONFIG_SIZE; i++) {
		run = pci->used[i] ? 0 : run + 1;
		if (run >= size && !((i + 1 - run) % 4))
			return i + 1 - run;
		/* A run that starts unaligned is of no use. */
		if (run == 1 && i % 4)
			run = 0;
	}
	return 0;
}

uint8_t pci_add_capability(struct pci_device *pci, uint8_t id, uint8_t offset, uint8_t size,
			   GError **errp)
{
	uint8_t at = offset ? offset : find_room(pci, size);

	if (at < PCI_HEADER_SIZE || at + size > PCI_CONFIG_SIZE) {
		error_set(errp, "%s: no room for capability 0x%02x of %u bytes",
			  device_label(&pci->dev), id, size);
		return 0;
	}
	for (unsigned i = at; i < at + size; i++) {
		if (pci->used[i]) {
			error_set(errp,
				  "%s: capability 0x%02x at offset 0x%02x overlaps another one",
				  device_label(&pci->dev), id, at);
			return 0;
		}
	}
	pci->config[at] = id;
	pci->config[at + 1] = pci->config[PCI_CAPABILITIES];
	pci->config[PCI_CAPABILITIES] = at;
	pci_set16(pci, PCI_STATUS, pci_get16(pci, PCI_STATUS) | PCI_STATUS_CAPABILITIES);
	memset(pci->used + at, 0xff, ROUND_UP(size, 4));
	memset(pci->writable + at, 0, size);
	return at;
}

/* ---- BARs ---- */

static unsigned bar_offset(const struct pci_device *pci, unsigned n)
{
	if (n < PCI_ROM_SLOT)
		return PCI_BAR0 + 4 * n;
	return pci->info->bridge ? PCI_BRIDGE_ROM_BAR : PCI_ROM_BAR;
}

void pci_set_bar(struct pci_device *pci, unsigned n, uint8_t type, struct region *region)
{
	unsigned at = bar_offset(pci, n);
	uint64_t writable = ~(region->size - 1);

	g_assert(n <= PCI_ROM_SLOT && !pci->bars[n].region && IS_POWER_OF_2(region->size));
	g_assert(region->size >= (type & PCI_BAR_IO ? 4 : 16));
	pci->bars[n] = (struct pci_bar){region, region->size, PCI_BAR_UNMAPPED, type};
	if (n == PCI_ROM_SLOT)
		writable |= PCI_ROM_ENABLE;
	else
		pci_set32(pci, at, type);
	put_le32(pci->writable + at, writable);
	if (type & PCI_BAR_64BIT) {
		pci_set32(pci, at + 4, 0);
		put_le32(pci->writable + at + 4, writable >> 32);
	}
}

/* Where registers say it is; PCI_BAR_UNMAPPED when decoding is off or the place is impossible. */
static uint64_t bar_decode(const struct pci_device *pci, unsigned n)
{
	const struct pci_bar *bar = &pci->bars[n];
	uint16_t command = pci_get16(pci, PCI_COMMAND);
	bool is_io = n != PCI_ROM_SLOT && (bar->type & PCI_BAR_IO);
	bool is_64bit = n != PCI_ROM_SLOT && (bar->type & PCI_BAR_64BIT);
	uint64_t addr = pci_get32(pci, bar_offset(pci, n)), last;

	if (!(command & (is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return PCI_BAR_UNMAPPED;
	if (n == PCI_ROM_SLOT && !(addr & PCI_ROM_ENABLE))
		return PCI_BAR_UNMAPPED;
	if (is_64bit)
		addr |= (uint64_t)pci_get32(pci, bar_offset(pci, n) + 4) << 32;
	addr &= ~(bar->size - 1);
	last = addr + bar->size - 1;
	/* All ones is a size being probed; 0 is a BAR nobody has set yet. */
	if (!addr || last <= addr || last >= REGION_SIZE_MAX)
		return PCI_BAR_UNMAPPED;
	if (!is_64bit && last >= UINT32_MAX)
		return PCI_BAR_UNMAPPED;
	if (is_io && last > UINT16_MAX)
		return PCI_BAR_UNMAPPED;
	return addr;
}

static void bar_move(struct pci_device *pci, unsigned n, uint64_t addr)
{
	struct pci_bus *bus = pci_bus_of(pci);
	struct pci_bar *bar = &pci->bars[n];
	bool is_io = n != PCI_ROM_SLOT && (bar->type & PCI_BAR_IO);

	if (bar->addr == addr)
		return;
	/* A type that is being taken down may have removed its region already. */
	if (bar->addr != PCI_BAR_UNMAPPED && bar->region->parent)
		region_remove(bar->region);
	bar->addr = addr;
	if (addr == PCI_BAR_UNMAPPED) {
		trace(pci_bar_unmap, device_label(&pci->dev), n);
		return;
	}
	trace(pci_bar_map, device_label(&pci->dev), n, addr, bar->size);
	region_add(is_io ? bus->io : bus->memory, addr, bar->region, 1);
}

void pci_bars_update(struct pci_device *pci)
{
	mem_begin();
	for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
		if (pci->bars[n].region)
			bar_move(pci, n, bar_decode(pci, n));
	}
	mem_commit();
}

void pci_bars_unmap(struct pci_device *pci)
{
	mem_begin();
	for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
		if (pci->bars[n].region)
			bar_move(pci, n, PCI_BAR_UNMAPPED);
	}
	mem_commit();
}

uint64_t pci_bar_address(const struct pci_device *pci, unsigned n)
{
	return pci->bars[n].region ? pci->bars[n].addr : PCI_BAR_UNMAPPED;
}

/* ---- Access ---- */

uint32_t pci_config_read(struct pci_device *pci, unsigned offset, unsigned size)
{
	uint32_t value;

	if (!range_fits(offset, size, pci->config_size))
		return UINT32_MAX;
	if (pci->info->config_reading)
		pci->info->config_reading(pci, offset, size);
	value = get_le(pci->config + offset, size);
	trace(pci_config_read, device_label(&pci->dev), offset, value, size);
	return value;
}

static void config_act(struct pci_device *pci, unsigned offset, unsigned len)
{
	bool command = pci_ranges_meet(offset, len, PCI_COMMAND, 2);

	if (command || pci_ranges_meet(offset, len, PCI_BAR0, 4 * PCI_BARS) ||
	    pci_ranges_meet(offset, len, bar_offset(pci, PCI_ROM_SLOT), 4))
		pci_bars_update(pci);
	if (command)
		pci_intx_update(pci);
	pci_msi_written(pci, offset, len);
	pci_msix_written(pci, offset, len);
	if (pci->info->config_written)
		pci->info->config_written(pci, offset, len);
}

void pci_config_write(struct pci_device *pci, unsigned offset, uint32_t value, unsigned size)
{
	if (!range_fits(offset, size, pci->config_size))
		return;
	trace(pci_config_write, device_label(&pci->dev), offset, value, size);
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = value >> (8 * i), *reg = &pci->config[offset + i];
		uint8_t writable = pci->writable[offset + i];

		*reg = (*reg & ~writable) | (byte & writable);
		*reg &= ~(byte & pci->clear_on_one[offset + i]);
	}
	config_act(pci, offset, size);
}

static void clear_bits(struct pci_device *pci, unsigned offset)
{
	pci_set16(pci, offset,
		  pci_get16(pci, offset) & ~(get_le16(pci->writable + offset) |
					     get_le16(pci->clear_on_one + offset)));
}

void pci_config_reset(struct pci_device *pci)
{
	clear_bits(pci, PCI_COMMAND);
	clear_bits(pci, PCI_STATUS);
	pci->config[PCI_CACHE_LINE_SIZE] = 0;
	pci->config[PCI_INTERRUPT_LINE] = 0;
	for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
		const struct pci_bar *bar = &pci->bars[n];

		if (!bar->region)
			continue;
		pci_set32(pci, bar_offset(pci, n), n == PCI_ROM_SLOT ? 0 : bar->type);
		if (n != PCI_ROM_SLOT && (bar->type & PCI_BAR_64BIT))
			pci_set32(pci, bar_offset(pci, n) + 4, 0);
	}
	pci_bars_update(pci);
}

/* ---- Saved state: all bytes; the identity must be the same ---- */

static void config_save(const void *ptr, GByteArray *out)
{
	uint8_t *const *config = ptr;
	const struct pci_device *pci = container_of(config, struct pci_device, config);

	g_byte_array_append(out, *config, pci->config_size);
}

static bool config_load(void *ptr, const uint8_t *data, size_t len, GError **errp)
{
	static const uint8_t identity[] = {
		PCI_VENDOR_ID,    PCI_VENDOR_ID + 1, PCI_DEVICE_ID, PCI_DEVICE_ID + 1,
		PCI_REVISION,     PCI_CLASS,         PCI_CLASS + 1, PCI_HEADER_TYPE,
		PCI_CAPABILITIES, PCI_INTERRUPT_PIN,
	};
	uint8_t **config = ptr;
	struct pci_device *pci = container_of(config, struct pci_device, config);

	if (len != pci->config_size) {
		error_set(errp, "PCI configuration space has %zu bytes, not %u", len,
			  pci->config_size);
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(identity); i++) {
		unsigned at = identity[i];

		if (data[at] != pci->config[at]) {
			error_set(
				errp,
				"PCI configuration space differs at offset 0x%02x: 0x%02x, not 0x%02x",
				at, data[at], pci->config[at]);
			return false;
		}
	}
	/* How large the capability is depends on these bits. */
	if (pci->msi_cap && ((get_le16(data + pci->msi_cap + PCI_MSI_CONTROL) ^
			      pci_get16(pci, pci->msi_cap + PCI_MSI_CONTROL)) &
			     ~(PCI_MSI_ENABLE | PCI_MSI_ENABLED_COUNT))) {
		error_set(errp, "the MSI capability at offset 0x%02x differs", pci->msi_cap);
		return false;
	}
	memcpy(pci->config, data, len);
	return true;
}

const struct field_custom pci_config_custom = {
	.name = "pci-config",
	.save = config_save,
	.load = config_load,
};
