/*
 * Kernels through firmware: files become items of the firmware configuration device, and one of our option
 * ROMs (pc-bios/), which the firmware boots from first, puts them into memory. UEFI firmware reads the
 * items of a Linux kernel by itself.
 *
 * For Linux the items are what QEMU's are. What wants protected mode is planned as for a start without
 * firmware, with a map that leaves firmware its places, and the whole plan is one item.
 */
#include "abi/linux-boot.h"
#include "hw/fw_cfg.h"
#include "internal.h"
#include "machine/machine.h"

#define SETUP_ADDR    0x10000 /* the real mode part, with its heap and stack up to the... */
#define CMDLINE_ADDR  0x20000 /* command line */
#define KERNEL_ADDR   MIB
#define TABLES_SIZE   (160 * KIB) /* at the end of RAM below 4 GiB: where firmware puts tables */
#define ROM_DATA      0x7000      /* of planboot_dma */
#define ROM_DATA_SIZE 0x1000
#define CAN_USE_HEAP  0x80

/* All of a file from @offset on; NULL with an error. */
static GBytes *read_rest(const struct boot_file *file, uint64_t offset, GError **errp)
{
	uint64_t size = file->size - offset;
	uint8_t *bytes = g_malloc(MAX(size, 1));

	if (boot_file_read(file, offset, bytes, size, errp))
		return g_bytes_new_take(bytes, size);
	g_free(bytes);
	return NULL;
}

/* ---- Linux ---- */

static bool offer_cmdline(const struct linux_image *image, struct device *fw_cfg, const char *text,
			  GError **errp)
{
	size_t len = strlen(text);

	if (len > image->hdr.cmdline_size) {
		error_set(errp,
			  "the kernel command line is too long: %zu bytes, kernel '%s' takes %u",
			  len, image->file->name, image->hdr.cmdline_size);
		return false;
	}
	fw_cfg_add_uint(fw_cfg, FW_CFG_CMDLINE_ADDR, CMDLINE_ADDR, 4);
	fw_cfg_add_uint(fw_cfg, FW_CFG_CMDLINE_SIZE, len + 1, 4);
	fw_cfg_add_string(fw_cfg, FW_CFG_CMDLINE_DATA, text);
	return true;
}

/* All files one behind the other, each from a multiple of 4 on. */
static GBytes *join_initrds(const struct boot_initrd *initrd, GError **errp)
{
	static const uint8_t zeros[4];
	g_autoptr(GByteArray) all = g_byte_array_new();

	for (guint i = 0; i < initrd->files->len; i++) {
		const struct boot_file *file = initrd->files->pdata[i];
		guint at = ROUND_UP(all->len, 4);

		if (file->size > INT32_MAX - at) {
			error_set(errp, "initrd '%s' is too large: %" PRIu64 " bytes", file->name,
				  file->size);
			return NULL;
		}
		g_byte_array_append(all, zeros, at - all->len);
		g_byte_array_set_size(all, at + file->size);
		if (!boot_file_read(file, 0, all->data + at, file->size, errp))
			return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

static bool offer_initrd(struct linux_image *image, struct machine *m, struct device *fw_cfg,
			 GError **errp)
{
	uint64_t last = image->hdr.initrd_addr_max,
		 end = m->below_4g - MIN(m->below_4g, TABLES_SIZE);
	g_auto(boot_initrd) initrd = {NULL};
	g_autoptr(GBytes) bytes = NULL;
	uint64_t size, addr;

	if (image->hdr.xloadflags & LINUX_XLF_ABOVE_4G)
		last = UINT32_MAX;
	end = MIN(end, last + 1);
	if (!boot_initrd_open(&initrd, m->boot.initrd, false, errp))
		return false;
	bytes = join_initrds(&initrd, errp);
	if (!bytes)
		return false;
	size = g_bytes_get_size(bytes);
	if (size > end || end - size < KERNEL_ADDR + image->size) {
		error_set(errp,
			  "kernel '%s' (%" PRIu64 " bytes) and initrd (%" PRIu64
			  " bytes) do not fit into memory that ends at 0x%" PRIx64,
			  image->file->name, image->size, size, end);
		return false;
	}
	addr = ROUND_DOWN(end - size, BOOT_PAGE);
	image->hdr.ramdisk_image = addr;
	image->hdr.ramdisk_size = size;
	fw_cfg_add_uint(fw_cfg, FW_CFG_INITRD_ADDR, addr, 4);
	fw_cfg_add_uint(fw_cfg, FW_CFG_INITRD_SIZE, size, 4);
	fw_cfg_add_gbytes(fw_cfg, FW_CFG_INITRD_DATA, bytes);
	return true;
}

/* "vga=" of the command line is for the loader: "ask", names, or a number. */
static uint16_t video_mode(const char *cmdline, uint16_t otherwise)
{
	static const struct {
		const char *name;
		uint16_t mode;
	} names[] = {{"normal", 0xffff}, {"ext", 0xfffe}, {"ask", 0xfffd}};
	const char *text = g_str_has_prefix(cmdline, "vga=") ? cmdline : strstr(cmdline, " vga=");

	if (!text)
		return otherwise;
	text = strchr(text, '=') + 1;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_has_prefix(text, names[i].name))
			return names[i].mode;
	}
	return g_ascii_strtoull(text, NULL, 0);
}

/* The header of the file with what a loader fills in. */
static bool offer_setup(struct linux_image *image, const char *cmdline, struct device *fw_cfg,
			GError **errp)
{
	g_autofree uint8_t *setup = g_malloc(image->offset);
	struct linux_setup_header *hdr;

	if (!boot_file_read(image->file, 0, setup, image->offset, errp))
		return false;
	hdr = (struct linux_setup_header *)(setup + LINUX_HEADER_OFFSET);
	hdr->vid_mode = video_mode(cmdline, hdr->vid_mode);
	hdr->type_of_loader = LINUX_LOADER_QEMU;
	hdr->loadflags |= CAN_USE_HEAP;
	hdr->heap_end_ptr = CMDLINE_ADDR - SETUP_ADDR - 0x200;
	hdr->cmd_line_ptr = CMDLINE_ADDR;
	hdr->ramdisk_image = image->hdr.ramdisk_image;
	hdr->ramdisk_size = image->hdr.ramdisk_size;
	fw_cfg_add_uint(fw_cfg, FW_CFG_SETUP_ADDR, SETUP_ADDR, 4);
	fw_cfg_add_uint(fw_cfg, FW_CFG_SETUP_SIZE, image->offset, 4);
	fw_cfg_add_bytes(fw_cfg, FW_CFG_SETUP_DATA, setup, image->offset);
	return true;
}

static bool offer_linux(struct boot_file *file, struct machine *m, struct device *fw_cfg,
			GError **errp)
{
	struct linux_image image = {.file = file};
	const char *cmdline = m->boot.append ?: "";
	g_autoptr(GBytes) kernel = NULL;

	if (!linux_image_read(&image, errp) || !offer_cmdline(&image, fw_cfg, cmdline, errp) ||
	    (m->boot.initrd && !offer_initrd(&image, m, fw_cfg, errp)) ||
	    !offer_setup(&image, cmdline, fw_cfg, errp))
		return false;
	kernel = read_rest(file, image.offset, errp);
	if (!kernel)
		return false;
	fw_cfg_add_uint(fw_cfg, FW_CFG_KERNEL_ADDR, KERNEL_ADDR, 4);
	fw_cfg_add_uint(fw_cfg, FW_CFG_KERNEL_SIZE, image.size, 4);
	fw_cfg_add_gbytes(fw_cfg, FW_CFG_KERNEL_DATA, kernel);
	return true;
}

/* ---- Protected mode ---- */

static void append32(GByteArray *out, uint32_t value)
{
	uint8_t bytes[4];

	put_le32(bytes, value);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

static bool append_segment(GByteArray *out, const struct boot_segment *seg, GError **errp)
{
	guint at;

	append32(out, seg->addr);
	append32(out, seg->size);
	at = out->len;
	g_byte_array_set_size(out, at + seg->size);
	if (seg->source == BOOT_FILE)
		return boot_segment_read(seg, 0, out->data + at, seg->size, errp);
	if (seg->source == BOOT_BYTES)
		memcpy(out->data + at, g_bytes_get_data(seg->bytes, NULL), seg->size);
	else
		memset(out->data + at, 0, seg->size);
	return true;
}

static bool is_loaded(const struct boot_segment *seg)
{
	return seg->source != BOOT_FREE;
}

static bool check_segments(const struct boot_segment *seg, size_t count, GError **errp)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		total += is_loaded(&seg[i]) ? seg[i].size + 8 : 0;
		if (is_loaded(&seg[i]) && !range_fits(seg[i].addr, seg[i].size, 4 * GIB)) {
			error_set(errp,
				  "the %s (%" PRIu64 " bytes at 0x%" PRIx64
				  ") is not below 4 GiB, where firmware could load it",
				  seg[i].what, seg[i].size, seg[i].addr);
			return false;
		}
		if (total > INT32_MAX) {
			error_set(errp, "the kernel is too large for firmware to load");
			return false;
		}
	}
	return true;
}

static bool offer_plan(const struct boot_plan *plan, struct device *fw_cfg, GError **errp)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL;
	size_t count, loaded = 0;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	if (!check_segments(seg, count, errp))
		return false;
	for (size_t i = 0; i < count; i++)
		loaded += is_loaded(&seg[i]);
	append32(out, plan->entry);
	append32(out, plan->ax);
	append32(out, plan->bx);
	append32(out, plan->stack_end);
	append32(out, loaded);
	for (size_t i = 0; i < count; i++) {
		if (is_loaded(&seg[i]) && !append_segment(out, &seg[i], errp))
			return false;
	}
	bytes = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	fw_cfg_add_gbytes(fw_cfg, FW_CFG_KERNEL_DATA, bytes);
	fw_cfg_add_uint(fw_cfg, FW_CFG_KERNEL_SIZE, g_bytes_get_size(bytes), 4);
	return true;
}

/* A map as firmware will make it, as far as that can be told beforehand. */
static void guess_map(struct e820_table *map, const struct machine *m)
{
	e820_add_board(map, m->below_4g, m->above_4g);
	e820_add_firmware(map);
	if (m->below_4g > MIB + TABLES_SIZE)
		e820_set(map, m->below_4g - TABLES_SIZE, TABLES_SIZE, E820_RESERVED);
	e820_set(map, ROM_DATA, ROM_DATA_SIZE, E820_RESERVED);
}

static bool offer_other(struct machine *m, struct device *fw_cfg, GError **errp)
{
	struct e820_table map = {0};
	const struct boot_request req = {
		.kernel = m->boot.kernel,
		.initrd = m->boot.initrd,
		.append = m->boot.append,
		.map = &map,
		.firmware = true,
	};
	g_autoptr(boot_plan) plan = NULL;

	guess_map(&map, m);
	plan = boot_plan_new(&req, errp);
	return plan && offer_plan(plan, fw_cfg, errp);
}

bool boot_offer_kernel(struct machine *m, struct device *fw_cfg, const char **rom, GError **errp)
{
	g_autoptr(boot_file) file = boot_file_open("kernel", m->boot.kernel, errp);

	if (!file)
		return false;
	if (m->boot.dtb) {
		error_set(errp,
			  "-dtb %s: only a kernel that is started without firmware is given a "
			  "device tree",
			  m->boot.dtb);
		return false;
	}
	*rom = linux_is_image(file) ? "linuxboot_dma.bin" : "planboot_dma.bin";
	return linux_is_image(file) ? offer_linux(file, m, fw_cfg, errp)
				    : offer_other(m, fw_cfg, errp);
}

bool boot_wants_firmware(const char *kernel)
{
	g_autoptr(boot_file) file = boot_file_open("kernel", kernel, NULL);
	struct linux_image image = {.file = file};

	return file && file->fd >= 0 && linux_is_image(file) && linux_image_read(&image, NULL) &&
	       !image.hdr.code32_start;
}
