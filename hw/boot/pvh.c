/*
 * ELF kernels that say by a note where they are to be entered: the PVH ABI.
 *
 * Source: Xen, docs/misc/pvh.pandoc. One way in for Linux, the BSDs and unikernels. Modules: the initrd,
 * in one piece. Everything but the kernel and the initrd is one arena.
 */
#include "abi/pvh.h"
#include "internal.h"

static bool read_entry(const struct elf_image *elf, uint64_t *entry, GError **errp)
{
	uint8_t desc[8] = {0};
	int size = elf_note(elf, PVH_NOTE_NAME, PVH_NOTE_PHYS32_ENTRY, desc, sizeof(desc), errp);

	if (size < 0)
		return false;
	if (size < 4) {
		error_set(errp, "Error loading uncompressed kernel without PVH ELF Note ('%s')",
			  elf->file->name);
		return false;
	}
	*entry = size < 8 ? get_le32(desc) : get_le64(desc);
	if (*entry < 4 * GIB)
		return true;
	error_set(errp,
		  "could not load kernel '%s': its PVH entry 0x%" PRIx64 " is not below 4 GiB",
		  elf->file->name, *entry);
	return false;
}

static uint64_t append_map(struct boot_arena *arena, const struct e820_table *map)
{
	g_autofree struct pvh_memmap_entry *entries = g_new0(struct pvh_memmap_entry, map->count);

	for (unsigned i = 0; i < map->count; i++) {
		entries[i].addr = map->range[i].start;
		entries[i].size = map->range[i].size;
		entries[i].type = map->range[i].type;
	}
	return arena_append(arena, entries, map->count * sizeof(*entries));
}

static bool add_start_info(struct boot_plan *plan, const struct pvh_module *initrd,
			   const struct boot_request *req, GError **errp)
{
	const char *cmdline = req->append ?: "";
	struct pvh_start_info info = {
		.magic = PVH_START_MAGIC,
		.version = 1,
		.nr_modules = initrd->size ? 1 : 0,
		.rsdp_paddr = req->rsdp,
		.memmap_entries = plan->map->count,
	};
	struct boot_arena arena;
	uint64_t size = sizeof(info) + sizeof(*initrd) + ARENA_SIZE(strlen(cmdline) + 1) +
			plan->map->count * sizeof(struct pvh_memmap_entry);

	if (!arena_init(&arena, plan, "PVH start info", size, errp))
		return false;
	if (initrd->size)
		info.modlist_paddr = arena_append(&arena, initrd, sizeof(*initrd));
	info.cmdline_paddr = arena_append_string(&arena, cmdline);
	info.memmap_paddr = append_map(&arena, plan->map);
	plan->bx = arena_append(&arena, &info, sizeof(info));
	return arena_finish(&arena, plan, errp);
}

static bool plan_pvh(const struct elf_image *elf, struct boot_plan *plan,
		     const struct boot_request *req, GError **errp)
{
	g_auto(boot_initrd) initrd = {NULL};
	struct pvh_module module = {0};

	plan->mode = BOOT_MODE_PROTECTED;
	if (!read_entry(elf, &plan->entry, errp) || !elf_load(elf, plan, errp) ||
	    !plan_add_tables(plan, errp))
		return false;
	if (req->initrd &&
	    (!boot_initrd_open(&initrd, req->initrd, false, errp) ||
	     !plan_add_initrd(plan, &initrd, 4 * GIB, false, &module.paddr, &module.size, errp)))
		return false;
	return add_start_info(plan, &module, req, errp);
}

static enum boot_kind pvh_load(struct boot_plan *plan, struct boot_file *kernel,
			       const struct boot_request *req, GError **errp)
{
	g_auto(elf_image) elf = {NULL};
	enum boot_kind kind = elf_open(&elf, kernel, errp);

	if (kind != BOOT_DONE)
		return kind;
	return plan_pvh(&elf, plan, req, errp) ? BOOT_DONE : BOOT_FAILED;
}

const struct boot_loader pvh_loader = {"pvh", pvh_load};
