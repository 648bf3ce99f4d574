/*
 * Flash chips with the firmware: the first ends at 4 GiB, the second right below it. Firmware comes in
 * two images: its code, which is not written to, and its variables, which are.
 *
 * As with a ROM the last 128 KiB appear below 1 MiB; there it is a copy of them at the start.
 */
#include "hw/pc/pc.h"

#define SECTOR_SIZE  4096
#define ISA_BIOS_MAX (128 * KIB)

static const char *const names[MACHINE_FLASHES] = {"system.flash0", "system.flash1"};

static const struct machine_flash *find_node(const struct machine *m, const char *name)
{
	for (guint i = 0; m->nodes && i < m->nodes->len; i++) {
		const struct machine_flash *node =
			&g_array_index(m->nodes, struct machine_flash, i);

		if (!strcmp(node->node, name))
			return node;
	}
	return NULL;
}

bool pc_choose_flash(struct pc_machine *pc, GError **errp)
{
	for (unsigned n = 0; n < MACHINE_FLASHES; n++) {
		const struct machine_flash *node;

		if (!pc->pflash[n])
			continue;
		if (pc->m.flash[n].file) {
			error_set(errp,
				  "-drive if=pflash,unit=%u clashes with -machine pflash%u=%s", n,
				  n, pc->pflash[n]);
			return false;
		}
		node = find_node(&pc->m, pc->pflash[n]);
		if (!node) {
			error_set(errp, "Property 'cfi.pflash01.drive' can't find value '%s'",
				  pc->pflash[n]);
			error_add_hint(errp,
				       "-blockdev driver=file,node-name=%s,filename=... "
				       "gives an image that name.",
				       pc->pflash[n]);
			return false;
		}
		pc->m.flash[n] = *node;
	}
	return true;
}

static bool check_size(const struct flash_store *store, const char *file, uint64_t used,
		       uint64_t max, GError **errp)
{
	if (!store->size || store->size % SECTOR_SIZE) {
		error_set(errp,
			  "system firmware block device %s has invalid size %" PRIu64
			  ": its size must be a non-zero multiple of 0x%x",
			  file, store->size, SECTOR_SIZE);
		return false;
	}
	if (max < used || store->size > max - used) {
		error_set(errp,
			  "combined size of system firmware exceeds %" PRIu64 " bytes: "
			  "max-fw-size",
			  max);
		return false;
	}
	return true;
}

/* Takes the store over, even on failure. */
static bool make_chip(struct pc_machine *pc, unsigned n, struct flash_store *store, GError **errp)
{
	struct device *dev = device_new(&pflash_cfi01_type);
	struct pflash_config config = {store, names[n], SECTOR_SIZE};

	pflash_configure(dev, &config);
	if (!device_realize(dev, &pc->m.dev, names[n], NULL, errp)) {
		store->ops->close(store);
		device_unref(dev);
		return false;
	}
	pc->flash[n] = dev;
	return true;
}

static bool map_isa_copy(struct pc_machine *pc, struct region *pci, const struct region *flash,
			 GError **errp)
{
	uint64_t size = MIN(flash->size, ISA_BIOS_MAX);
	struct ram_options options = {};

	pc->bios_memory = ram_new("isa-bios", size, &options, errp);
	if (!pc->bios_memory)
		return false;
	memcpy(pc->bios_memory->host, flash->ram->host + flash->size - size, size);
	region_init_rom(&pc->isa_bios, &pc->m.dev, "isa-bios", pc->bios_memory, 0, size);
	region_add(pci, MIB - size, &pc->isa_bios, 1);
	return true;
}

bool pc_map_flash(struct pc_machine *pc, struct region *pci, GError **errp)
{
	uint64_t used = 0, max = pc->max_fw_size ?: PC_FLASH_MAX;

	if (!pc->m.flash[0].file) {
		error_set(errp, "pflash1 requires pflash0");
		return false;
	}
	for (unsigned n = 0; n < MACHINE_FLASHES && pc->m.flash[n].file; n++) {
		const struct machine_flash *given = &pc->m.flash[n];
		struct flash_store *store = flash_file_open(given->file, given->readonly, errp);

		if (!store)
			return false;
		if (!check_size(store, given->file, used, max, errp)) {
			store->ops->close(store);
			return false;
		}
		used += store->size;
		if (!make_chip(pc, n, store, errp))
			return false;
		region_add(&pc->m.memory_root, 4 * GIB - used, pflash_region(pc->flash[n]), 0);
	}
	return map_isa_copy(pc, pci, pflash_region(pc->flash[0]), errp);
}
