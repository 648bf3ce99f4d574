/*
 * Linux bzImage: a sector and a setup part for real mode, which is left out here, and the protected
 * mode part behind them, which is entered directly.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst. What firmware and the setup part would have found out
 * is put into the zero page instead. Memory, from low to high: the tables of tables.c, zero page, command
 * line; the kernel where it likes to run, with the memory it needs behind it; the initrd as high as the
 * kernel can take it.
 */
#include "abi/linux-boot.h"
#include "internal.h"

#define LOAD_ADDRESS    MIB
#define CMDLINE_MAX     255        /* before protocol 2.06 */
#define INITRD_MAX      0x37ffffff /* before protocol 2.03 */
#define RNG_SEED_SIZE   32
#define OLDEST_PROTOCOL 0x202

static_assert(E820_MAX == LINUX_E820_MAX, "the map fits a zero page");

/* Members that are younger than the protocol version hold something else, if anything. */
static void forget_younger(struct linux_setup_header *hdr)
{
	static const struct {
		uint16_t version;
		size_t offset;
	} since[] = {
		{0x203, offsetof(struct linux_setup_header, initrd_addr_max)},
		{0x205, offsetof(struct linux_setup_header, kernel_alignment)},
		{0x206, offsetof(struct linux_setup_header, cmdline_size)},
		{0x209, offsetof(struct linux_setup_header, setup_data)},
		{0x20a, offsetof(struct linux_setup_header, pref_address)},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(since); i++) {
		if (hdr->version < since[i].version)
			memset((char *)hdr + since[i].offset, 0, sizeof(*hdr) - since[i].offset);
	}
	if (hdr->version < 0x20a)
		hdr->min_alignment = 0;
	if (hdr->version < 0x20c)
		hdr->xloadflags = 0;
	if (!hdr->initrd_addr_max)
		hdr->initrd_addr_max = INITRD_MAX;
	if (!hdr->cmdline_size)
		hdr->cmdline_size = CMDLINE_MAX;
}

static bool read_header(struct linux_image *image, GError **errp)
{
	struct linux_setup_header *hdr = &image->hdr;
	const size_t behind_jump = offsetof(struct linux_setup_header, header);
	uint8_t bytes[sizeof(*hdr)] = {0};
	size_t size;

	if (!boot_file_read(image->file, LINUX_HEADER_OFFSET, bytes, behind_jump, errp))
		return false;
	/* The jump over the header says where it ends. */
	size = MIN(behind_jump + bytes[behind_jump - 1], sizeof(bytes));
	if (!boot_file_read(image->file, LINUX_HEADER_OFFSET, bytes, size, errp))
		return false;
	memcpy(hdr, bytes, sizeof(*hdr));
	forget_younger(hdr);
	return true;
}

static bool check_header(struct linux_image *image, GError **errp)
{
	const struct linux_setup_header *hdr = &image->hdr;
	const char *name = image->file->name;
	uint64_t setup = ((hdr->setup_sects ?: 4) + 1) * LINUX_SECTOR;
	uint64_t body = hdr->version < 0x204 ? 0 : hdr->syssize * 16ULL;

	if (hdr->version < OLDEST_PROTOCOL || !(hdr->loadflags & LINUX_LOADED_HIGH)) {
		error_set(
			errp,
			"kernel '%s' is too old: boot protocol %u.%02u, loaded %s; at least 2.02 and "
			"a bzImage are needed",
			name, hdr->version >> 8, hdr->version & 0xff,
			hdr->loadflags & LINUX_LOADED_HIGH ? "high" : "low");
		return false;
	}
	image->offset = setup;
	image->size = image->file->size > setup ? image->file->size - setup : 0;
	/* syssize is rounded up to whole paragraphs. */
	if (!image->size || image->size + 15 < body) {
		error_set(errp,
			  "could not load kernel '%s': it is truncated: %" PRIu64
			  " bytes of at least %" PRIu64,
			  name, image->file->size, setup + body);
		return false;
	}
	return true;
}

/*
 * The kernel where it wants to run, and what it needs behind. One that cannot be moved starts at 1 MiB
 * and then moves itself to where it wants to run.
 */
static bool add_kernel(struct linux_image *image, struct boot_plan *plan, GError **errp)
{
	const struct linux_setup_header *hdr = &image->hdr;
	uint64_t align = hdr->relocatable_kernel ? hdr->kernel_alignment : 1;
	uint64_t run_at = MAX(hdr->pref_address, LOAD_ADDRESS), end, need;
	struct boot_segment rest = {.what = "kernel", .source = BOOT_FREE};

	if (!IS_POWER_OF_2(align) || run_at > 4 * GIB) {
		error_set(errp,
			  "invalid kernel header: '%s' wants address 0x%" PRIx64
			  " and alignment 0x%" PRIx64,
			  image->file->name, hdr->pref_address, align);
		return false;
	}
	run_at = ROUND_UP(run_at, align);
	image->load_at = hdr->relocatable_kernel ? run_at : LOAD_ADDRESS;
	end = image->load_at + image->size;
	need = MAX(run_at + hdr->init_size, end);
	rest.addr = image->load_at;
	rest.size = need - image->load_at;
	if (!plan_has_ram(plan, &rest, errp))
		return false;
	rest.addr = end;
	rest.size = need - end;
	return plan_add_file(plan, "kernel", image->load_at, image->file, image->offset,
			     image->size, errp) &&
	       plan_add(plan, rest, errp);
}

static bool add_cmdline(struct linux_image *image, struct boot_plan *plan, const char *text,
			GError **errp)
{
	struct linux_setup_header *hdr = &image->hdr;
	size_t len = strlen(text);
	uint64_t addr;

	if (len > hdr->cmdline_size) {
		error_set(errp,
			  "the kernel command line is too long: %zu bytes, kernel '%s' takes %u",
			  len, image->file->name, hdr->cmdline_size);
		return false;
	}
	if (!plan_find_small(plan, "kernel command line", len + 1, 16, &addr, errp) ||
	    !plan_add_bytes(plan, "kernel command line", addr, text, len + 1, errp))
		return false;
	hdr->cmd_line_ptr = addr;
	return true;
}

/* Random bytes for the kernel's generator, new at each reset. */
static bool add_seed(struct linux_image *image, struct boot_plan *plan, GError **errp)
{
	struct linux_setup_data node = {.type = LINUX_SETUP_RNG_SEED, .len = RNG_SEED_SIZE};
	struct boot_segment seed = {
		.what = "random seed", .size = RNG_SEED_SIZE, .source = BOOT_RANDOM};
	uint64_t addr;

	if (image->hdr.version < 0x209)
		return true;
	if (!plan_find_small(plan, seed.what, sizeof(node) + RNG_SEED_SIZE, 16, &addr, errp))
		return false;
	seed.addr = addr + sizeof(node);
	image->hdr.setup_data = addr;
	return plan_add_bytes(plan, seed.what, addr, &node, sizeof(node), errp) &&
	       plan_add(plan, seed, errp);
}

/* Setup data are a list: it goes before what is there already. */
static bool add_device_tree(struct linux_image *image, struct boot_plan *plan, GBytes *tree,
			    GError **errp)
{
	struct linux_setup_data node = {.type = LINUX_SETUP_DTB, .next = image->hdr.setup_data};
	g_autoptr(GByteArray) bytes = NULL;
	uint64_t addr;

	if (!tree || image->hdr.version < 0x209)
		return true;
	bytes = g_byte_array_new();
	node.len = g_bytes_get_size(tree);
	g_byte_array_append(bytes, (uint8_t *)&node, sizeof(node));
	g_byte_array_append(bytes, g_bytes_get_data(tree, NULL), node.len);
	if (!plan_find_small(plan, "device tree", bytes->len, 16, &addr, errp))
		return false;
	image->hdr.setup_data = addr;
	return plan_add_bytes(plan, "device tree", addr, bytes->data, bytes->len, errp);
}

static bool add_initrd(struct linux_image *image, struct boot_plan *plan, const char *list,
		       struct linux_boot_params *zero, GError **errp)
{
	bool above_4g = image->hdr.xloadflags & LINUX_XLF_ABOVE_4G;
	uint64_t end = above_4g ? 4 * GIB : image->hdr.initrd_addr_max + 1ULL, addr, size;
	g_auto(boot_initrd) initrd = {NULL};

	if (!list)
		return true;
	if (!boot_initrd_open(&initrd, list, false, errp) ||
	    !plan_add_initrd(plan, &initrd, end, above_4g, &addr, &size, errp))
		return false;
	image->hdr.ramdisk_image = addr;
	image->hdr.ramdisk_size = size;
	zero->ext_ramdisk_image = addr >> 32;
	zero->ext_ramdisk_size = size >> 32;
	return true;
}

static bool add_zero_page(struct linux_image *image, struct boot_plan *plan,
			  struct linux_boot_params *zero, uint64_t rsdp, GError **errp)
{
	uint64_t top = e820_ram_end(plan->map, MIB);

	image->hdr.type_of_loader = LINUX_LOADER_QEMU;
	image->hdr.code32_start = image->load_at;
	zero->hdr = image->hdr;
	zero->acpi_rsdp_addr = rsdp;
	zero->alt_mem_k = (top - MIN(top, MIB)) / KIB;
	zero->e820_entries = plan->map->count;
	for (unsigned i = 0; i < plan->map->count; i++) {
		const struct e820_range *r = &plan->map->range[i];

		zero->e820_table[i] = (struct e820_entry){r->start, r->size, r->type};
	}
	return plan_find_small(plan, "zero page", sizeof(*zero), BOOT_PAGE, &plan->si, errp) &&
	       plan_add_bytes(plan, "zero page", plan->si, zero, sizeof(*zero), errp);
}

bool linux_is_image(const struct boot_file *file)
{
	uint8_t magic[4];

	return boot_file_read(file, LINUX_HEADER_AT(header), magic, sizeof(magic), NULL) &&
	       get_le32(magic) == LINUX_HEADER_MAGIC;
}

bool linux_image_read(struct linux_image *image, GError **errp)
{
	return read_header(image, errp) && check_header(image, errp);
}

static bool plan_linux(struct linux_image *image, struct boot_plan *plan,
		       const struct boot_request *req, GError **errp)
{
	g_autofree struct linux_boot_params *zero = g_new0(struct linux_boot_params, 1);
	bool is_64;

	if (!linux_image_read(image, errp))
		return false;
	is_64 = image->hdr.xloadflags & LINUX_XLF_KERNEL_64 && image->size > LINUX_ENTRY_64;
	plan->mode = is_64 ? BOOT_MODE_LONG : BOOT_MODE_PROTECTED;
	if (!add_kernel(image, plan, errp) || !plan_add_tables(plan, errp) ||
	    !add_cmdline(image, plan, req->append ?: "", errp) || !add_seed(image, plan, errp) ||
	    !add_device_tree(image, plan, req->device_tree, errp) ||
	    !add_initrd(image, plan, req->initrd, zero, errp))
		return false;
	plan->entry = image->load_at + (is_64 ? LINUX_ENTRY_64 : 0);
	return add_zero_page(image, plan, zero, req->rsdp, errp);
}

static enum boot_kind linux_load(struct boot_plan *plan, struct boot_file *kernel,
				 const struct boot_request *req, GError **errp)
{
	struct linux_image image = {.file = kernel};

	if (!linux_is_image(kernel))
		return BOOT_NOT_MINE;
	return plan_linux(&image, plan, req, errp) ? BOOT_DONE : BOOT_FAILED;
}

const struct boot_loader linux_loader = {"linux", linux_load};
