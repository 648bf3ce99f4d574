/*
 * Multiboot, version 1: ELF files of 32 bits, or any file whose header says what to load where.
 *
 * Source: Multiboot Specification 0.6.96. The modules are the items of -initrd, each a file of its own;
 * strings and tables are one arena in low memory.
 */
#include "abi/multiboot.h"
#include "internal.h"

#define LOADER_NAME "qemu"
#define BOOT_DEVICE 0x8000ffff /* the first disk, no partition */

struct multiboot_image {
	struct boot_file *file; /* borrowed */
	struct multiboot_header header;
	uint64_t header_at; /* in the file */
};

static bool find_header(struct multiboot_image *image)
{
	size_t size = MIN(image->file->size, MULTIBOOT_SEARCH);
	uint8_t bytes[MULTIBOOT_SEARCH] = {0};

	if (!boot_file_read(image->file, 0, bytes, size, NULL))
		return false;
	for (size_t i = 0; i + 12 <= size; i += 4) {
		uint32_t flags = get_le32(bytes + i + 4);

		if (get_le32(bytes + i) != MULTIBOOT_HEADER_MAGIC ||
		    MULTIBOOT_HEADER_MAGIC + flags + get_le32(bytes + i + 8))
			continue;
		/* A header at the end of a short file may be without addresses. */
		memcpy(&image->header, bytes + i, MIN(sizeof(image->header), sizeof(bytes) - i));
		image->header_at = i;
		return true;
	}
	return false;
}

static bool check_flags(const struct multiboot_image *image, GError **errp)
{
	uint32_t unknown = image->header.flags & MULTIBOOT_MUST &
			   ~(MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY | MULTIBOOT_VIDEO);

	if (unknown)
		error_set(
			errp,
			"could not load kernel '%s': it demands multiboot features 0x%x, of which "
			"0x%x are unknown",
			image->file->name, image->header.flags & MULTIBOOT_MUST, unknown);
	return !unknown;
}

/* ---- The kernel ---- */

/* What the header's addresses say of the file; false if they contradict each other or the file. */
static bool address_ranges(const struct multiboot_image *image, uint64_t *offset, uint64_t *size,
			   uint64_t *bss)
{
	const struct multiboot_header *h = &image->header;
	uint64_t before = (uint64_t)h->header_addr - h->load_addr;

	if (h->load_addr > h->header_addr || before > image->header_at)
		return false;
	*offset = image->header_at - before;
	*size = image->file->size - *offset;
	if (h->load_end_addr) {
		if (h->load_end_addr < h->load_addr || h->load_end_addr - h->load_addr > *size)
			return false;
		*size = h->load_end_addr - h->load_addr;
	}
	*bss = 0;
	if (h->bss_end_addr) {
		if (h->bss_end_addr < h->load_addr || h->bss_end_addr - h->load_addr < *size)
			return false;
		*bss = h->bss_end_addr - h->load_addr - *size;
	}
	return true;
}

static bool load_by_addresses(const struct multiboot_image *image, struct boot_plan *plan,
			      GError **errp)
{
	const struct multiboot_header *h = &image->header;
	uint64_t offset, size, bss;

	if (!address_ranges(image, &offset, &size, &bss)) {
		error_set(
			errp,
			"could not load kernel '%s': invalid multiboot addresses: header 0x%x at offset "
			"%" PRIu64 ", load 0x%x to 0x%x, bss to 0x%x, file of %" PRIu64 " bytes",
			image->file->name, h->header_addr, image->header_at, h->load_addr,
			h->load_end_addr, h->bss_end_addr, image->file->size);
		return false;
	}
	plan->entry = h->entry_addr;
	return plan_add_file(plan, "kernel", h->load_addr, image->file, offset, size, errp) &&
	       plan_add(plan,
			(struct boot_segment){
				.what = "kernel",
				.addr = h->load_addr + size,
				.size = bss,
				.source = BOOT_ZEROES,
			},
			errp);
}

static bool load_elf(const struct multiboot_image *image, struct boot_plan *plan, GError **errp)
{
	g_auto(elf_image) elf = {NULL};
	enum boot_kind kind = elf_open(&elf, image->file, errp);

	if (kind == BOOT_NOT_MINE)
		error_set(
			errp,
			"could not load kernel '%s': its multiboot header has no addresses, and it is "
			"no ELF file",
			image->file->name);
	if (kind != BOOT_DONE)
		return false;
	if (elf.is_64) {
		error_set(errp, "Cannot load x86-64 image, give a 32bit one. ('%s')",
			  image->file->name);
		return false;
	}
	plan->entry = elf_entry(&elf);
	return elf_load(&elf, plan, errp);
}

/* ---- Modules ---- */

static uint64_t kernel_end(const struct boot_plan *plan)
{
	uint64_t end = MIB;
	size_t count;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(seg[i].what, "kernel"))
			end = MAX(end, seg[i].addr + seg[i].size);
	}
	return end;
}

/* In order, each at the lowest place behind the kernel, or before it where there is no more room. */
static bool add_modules(struct boot_plan *plan, const struct boot_initrd *in,
			struct multiboot_module *modules, GError **errp)
{
	uint64_t behind = kernel_end(plan);

	for (guint i = 0; i < in->files->len; i++) {
		struct boot_file *file = g_ptr_array_index(in->files, i);
		uint64_t addr = 0;

		if (!plan_find_low(plan, file->size, BOOT_PAGE, behind, 4 * GIB, &addr) &&
		    !plan_find_low(plan, file->size, BOOT_PAGE, MIB, 4 * GIB, &addr)) {
			error_set(
				errp,
				"initrd is too large, cannot support: module %u, '%s', of %" PRIu64
				" bytes finds no room above 1 MiB",
				i + 1, file->name, file->size);
			return false;
		}
		if (!plan_add_file(plan, "module", addr, file, 0, file->size, errp))
			return false;
		modules[i].start = addr;
		modules[i].end = addr + file->size;
	}
	return true;
}

/* ---- The info ---- */

static uint64_t append_map(struct boot_arena *arena, const struct e820_table *map)
{
	g_autofree struct multiboot_mmap *entries = g_new0(struct multiboot_mmap, map->count);

	for (unsigned i = 0; i < map->count; i++) {
		entries[i] = (struct multiboot_mmap){
			.size = sizeof(*entries) - sizeof(entries->size),
			.start = map->range[i].start,
			.len = map->range[i].size,
			.type = map->range[i].type,
		};
	}
	return arena_append(arena, entries, map->count * sizeof(*entries));
}

static uint64_t append_modules(struct boot_arena *arena, const struct boot_initrd *in,
			       struct multiboot_module *modules)
{
	for (guint i = 0; i < in->strings->len; i++)
		modules[i].string = arena_append_string(arena, g_ptr_array_index(in->strings, i));
	return arena_append(arena, modules, in->strings->len * sizeof(*modules));
}

static uint64_t arena_capacity(const struct boot_plan *plan, const struct boot_initrd *in,
			       const char *cmdline)
{
	uint64_t size = sizeof(struct multiboot_info) + ARENA_SIZE(strlen(cmdline) + 1) +
			ARENA_SIZE(sizeof(LOADER_NAME)) +
			plan->map->count * sizeof(struct multiboot_mmap);

	for (guint i = 0; i < in->strings->len; i++)
		size += sizeof(struct multiboot_module) +
			ARENA_SIZE(strlen(g_ptr_array_index(in->strings, i)) + 1);
	return size;
}

static bool add_info(struct boot_plan *plan, const struct boot_initrd *in,
		     struct multiboot_module *modules, const char *cmdline, GError **errp)
{
	uint64_t low = e820_ram_end(plan->map, 0), high = e820_ram_end(plan->map, MIB);
	struct multiboot_info info = {
		.flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_BOOTDEV | MULTIBOOT_INFO_CMDLINE |
			 MULTIBOOT_INFO_MODS | MULTIBOOT_INFO_MMAP | MULTIBOOT_INFO_LOADER,
		.mem_lower = MIN(low, 640 * KIB) / KIB,
		.mem_upper = (high - MIN(high, MIB)) / KIB,
		.boot_device = BOOT_DEVICE,
		.mods_count = in->strings->len,
		.mmap_length = plan->map->count * sizeof(struct multiboot_mmap),
	};
	struct boot_arena arena;

	if (!arena_init(&arena, plan, "multiboot info", arena_capacity(plan, in, cmdline), errp))
		return false;
	info.cmdline = arena_append_string(&arena, cmdline);
	info.boot_loader_name = arena_append_string(&arena, LOADER_NAME);
	info.mods_addr = append_modules(&arena, in, modules);
	info.mmap_addr = append_map(&arena, plan->map);
	plan->ax = MULTIBOOT_LOADER_MAGIC;
	plan->bx = arena_append(&arena, &info, sizeof(info));
	return arena_finish(&arena, plan, errp);
}

static bool plan_multiboot(const struct multiboot_image *image, struct boot_plan *plan,
			   const struct boot_request *req, GError **errp)
{
	g_autofree char *cmdline = g_strconcat(req->kernel, " ", req->append ?: "", NULL);
	g_autofree struct multiboot_module *modules = NULL;
	g_auto(boot_initrd) initrd = {NULL};

	plan->mode = BOOT_MODE_PROTECTED;
	if (!check_flags(image, errp) || !boot_initrd_open(&initrd, req->initrd, true, errp))
		return false;
	if (image->header.flags & MULTIBOOT_ADDRESSES ? !load_by_addresses(image, plan, errp)
						      : !load_elf(image, plan, errp))
		return false;
	modules = g_new0(struct multiboot_module, initrd.files->len);
	return plan_add_tables(plan, errp) && add_modules(plan, &initrd, modules, errp) &&
	       add_info(plan, &initrd, modules, cmdline, errp);
}

static enum boot_kind multiboot_load(struct boot_plan *plan, struct boot_file *kernel,
				     const struct boot_request *req, GError **errp)
{
	struct multiboot_image image = {.file = kernel};

	if (!find_header(&image))
		return BOOT_NOT_MINE;
	return plan_multiboot(&image, plan, req, errp) ? BOOT_DONE : BOOT_FAILED;
}

const struct boot_loader multiboot_loader = {"multiboot", multiboot_load};
