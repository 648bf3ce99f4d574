/* Option ROMs: a file shown in the ROM BAR. PCI Local Bus Specification 3.0, 6.2.5.2 and 6.3. */
#include "base/datafile.h"
#include "hw/bus/pci/internal.h"
#include "mem/ram.h"

#define ROM_SIZE_MAX (2 * GIB)

/* The image's name, or NULL when there is to be none. */
static const char *rom_file(const struct pci_device *pci)
{
	const char *name = pci->romfile ? pci->romfile : pci->info->romfile;

	return name && *name ? name : NULL;
}

static uint64_t round_to_power(uint64_t size)
{
	uint64_t power = 4096; /* a page, so that it can be mapped */

	while (power < size)
		power <<= 1;
	return power;
}

static bool rom_choose_size(const struct pci_device *pci, const char *name, size_t len,
			    uint64_t *size, GError **errp)
{
	*size = pci->rom_size == UINT32_MAX ? round_to_power(len) : pci->rom_size;
	if (!len) {
		error_set(errp, "romfile \"%s\" is empty", name);
	} else if (len > ROM_SIZE_MAX) {
		error_set(errp, "romfile \"%s\" too large (size cannot exceed 2 GiB)", name);
	} else if (!IS_POWER_OF_2(*size) || *size < 2048) {
		error_set(errp, "ROM size %" PRIu64 " is not a power of two of 2048 or more",
			  *size);
	} else if (len > *size) {
		error_set(errp, "romfile \"%s\" (%zu bytes) is too large for ROM size %" PRIu64,
			  name, len, *size);
	} else {
		return true;
	}
	return false;
}

static bool rom_show(struct pci_device *pci, const char *name, const char *image, size_t len,
		     GError **errp)
{
	g_autofree char *block = g_strdup_printf("%s.rom", device_label(&pci->dev));
	struct ram_options options = {};
	uint64_t size;

	if (!rom_choose_size(pci, name, len, &size, errp))
		return false;
	pci->rom_memory = ram_new(block, size, &options, errp);
	if (!pci->rom_memory)
		return false;
	memcpy(pci->rom_memory->host, image, len);
	region_init_rom(&pci->rom, &pci->dev, pci->rom_memory->name, pci->rom_memory, 0, size);
	pci_set_bar(pci, PCI_ROM_SLOT, 0, &pci->rom);
	return true;
}

bool pci_rom_load(struct pci_device *pci, GError **errp)
{
	const char *name = rom_file(pci);
	g_autofree char *path = NULL, *image = NULL;
	g_autoptr(GError) err = NULL;
	gsize len;

	if (!name || !pci->rom_bar)
		return true;
	path = datafile_find(name);
	if (!path) {
		/* The default image may not be installed; one that was asked for must be. */
		if (!pci->romfile)
			return true;
		error_set(errp, "failed to find romfile \"%s\"", name);
		return false;
	}
	if (!g_file_get_contents(path, &image, &len, &err)) {
		error_set(errp, "failed to load romfile \"%s\": %s", name, err->message);
		return false;
	}
	return rom_show(pci, name, image, len, errp);
}

void pci_rom_free(struct pci_device *pci)
{
	if (!pci->rom_memory)
		return;
	region_cleanup(&pci->rom);
	g_clear_pointer(&pci->rom_memory, ram_unref);
}
