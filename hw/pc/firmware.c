/*
 * The BIOS image and the area of option ROMs.
 *
 * The image ends at 4 GiB, where the CPU starts; its last 128 KiB appear once more below 1 MiB. Both
 * are in PCI memory, under the shadow RAM that the host bridge can lay over them. A kernel that is
 * booted directly needs no firmware, so none is loaded unless it was asked for.
 *
 * A board without a host bridge has no shadow RAM. There the image itself lies in RAM, and is put there anew
 * by each reset.
 */
#include "base/datafile.h"
#include "hw/pc/pc.h"

#define BIOS_DEFAULT     "bios-256k.bin"
#define BIOS_GRANULE     (64 * KIB)
#define BIOS_MAX         (16 * MIB)
#define ISA_BIOS_MAX     (128 * KIB)
#define OPTION_ROM_START 0xc0000
#define OPTION_ROM_SIZE  0x20000

static bool map_option_roms(struct pc_machine *pc, struct region *pci, GError **errp)
{
	struct ram_options options = {};

	pc->option_rom_memory = ram_new("pc.rom", OPTION_ROM_SIZE, &options, errp);
	if (!pc->option_rom_memory)
		return false;
	region_init_rom(&pc->option_roms, &pc->m.dev, "pc.rom", pc->option_rom_memory, 0,
			OPTION_ROM_SIZE);
	region_add(pci, OPTION_ROM_START, &pc->option_roms, 1);
	return true;
}

static void restore_bios(void *opaque)
{
	struct pc_machine *pc = opaque;
	gsize size;
	const void *image = g_bytes_get_data(pc->bios_image, &size);

	memcpy(pc->bios_memory->host, image, size);
	dirty_mark(pc->bios_memory, 0, size);
}

static void init_bios_region(struct pc_machine *pc, const char *image, uint64_t size)
{
	if (pc->host) {
		region_init_rom(&pc->bios, &pc->m.dev, "pc.bios", pc->bios_memory, 0, size);
		return;
	}
	region_init_ram(&pc->bios, &pc->m.dev, "pc.bios", pc->bios_memory, 0, size);
	pc->bios_image = g_bytes_new(image, size);
	reset_hook_add(restore_bios, pc);
}

static bool map_bios(struct pc_machine *pc, struct region *pci, const char *image, uint64_t size,
		     GError **errp)
{
	struct ram_options options = {};
	uint64_t isa_size = MIN(size, ISA_BIOS_MAX);

	pc->bios_memory = ram_new("pc.bios", size, &options, errp);
	if (!pc->bios_memory)
		return false;
	memcpy(pc->bios_memory->host, image, size);
	init_bios_region(pc, image, size);
	region_add(pci, 4 * GIB - size, &pc->bios, 0);
	region_init_alias(&pc->isa_bios, &pc->m.dev, "isa-bios", &pc->bios, size - isa_size,
			  isa_size);
	region_add(pci, MIB - isa_size, &pc->isa_bios, 1);
	return true;
}

bool pc_load_bios(struct pc_machine *pc, struct region *pci, const char *name, GError **errp)
{
	g_autofree char *path = datafile_find(name), *image = NULL;
	g_autoptr(GError) err = NULL;
	gsize size;

	if (!path) {
		error_set(errp, "could not load PC BIOS '%s'", name);
		return false;
	}
	if (!g_file_get_contents(path, &image, &size, &err)) {
		error_set(errp, "could not load PC BIOS '%s': %s", name, err->message);
		return false;
	}
	if (!size || size % BIOS_GRANULE || size > BIOS_MAX) {
		error_set(errp,
			  "could not load PC BIOS '%s': its size of %zu bytes is not a multiple of "
			  "64 KiB up to 16 MiB",
			  name, (size_t)size);
		return false;
	}
	return map_bios(pc, pci, image, size, errp);
}

bool pc_load_firmware(struct pc_machine *pc, struct region *pci, GError **errp)
{
	const struct boot_config *boot = &pc->m.boot;
	const char *name = boot->bios ? boot->bios : pc->m.firmware;

	if (!map_option_roms(pc, pci, errp) || !pc_choose_flash(pc, errp))
		return false;
	if (pc->m.flash[0].file || pc->m.flash[1].file)
		return pc_map_flash(pc, pci, errp);
	if (name)
		return pc_load_bios(pc, pci, name, errp);
	if (pc_boots_directly(pc))
		return true;
	/* Tests that drive registers do without. */
	if (!pc->m.accel->ops->executes) {
		g_autofree char *path = datafile_find(BIOS_DEFAULT);

		return !path || pc_load_bios(pc, pci, path, errp);
	}
	return pc_load_bios(pc, pci, BIOS_DEFAULT, errp);
}
