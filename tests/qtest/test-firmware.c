/*
 * What firmware is given to hand on: the linker script carried out as firmware does, SMBIOS, the memory map,
 * the boot order, option ROMs, kernels as items.
 */
#include <unistd.h>
#include "abi/acpi.h"
#include "abi/e820.h"
#include "abi/fw_cfg.h"
#include "abi/linux-boot.h"
#include "abi/smbios.h"
#include "abi/table-loader.h"
#include "base/checked.h"
#include "libqtest.h"

#define REQUEST 0x1000
#define BUFFER  0x100000

static void fetch(struct qts *s, uint16_t key, void *out, uint32_t size)
{
	struct fw_cfg_dma_access access = {
		.control = GUINT32_TO_BE((uint32_t)key << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ),
		.length = GUINT32_TO_BE(size),
		.address = GUINT64_TO_BE((uint64_t)BUFFER),
	};

	qts_memwrite(s, REQUEST, &access, sizeof(access));
	qts_outl(s, 0x514, 0);
	qts_outl(s, 0x518, GUINT32_TO_BE(REQUEST));
	g_assert_cmphex(qts_readl(s, REQUEST), ==, 0);
	if (size)
		qts_memread(s, BUFFER, out, size);
}

static GByteArray *fetch_item(struct qts *s, uint16_t key, uint32_t size)
{
	GByteArray *out = g_byte_array_new();

	g_byte_array_set_size(out, size);
	fetch(s, key, out->data, size);
	return out;
}

static uint32_t fetch_number(struct qts *s, uint16_t key)
{
	uint8_t bytes[4];

	fetch(s, key, bytes, 4);
	return get_le32(bytes);
}

/* NULL: there is no such file. */
static GByteArray *fetch_file(struct qts *s, const char *name)
{
	struct fw_cfg_dir_entry *entry;
	g_autoptr(GByteArray) directory = NULL;
	uint8_t count[4];

	fetch(s, FW_CFG_FILE_DIR, count, 4);
	directory = fetch_item(s, FW_CFG_FILE_DIR, 4 + get_be32(count) * sizeof(*entry));
	for (uint32_t i = 0; i < get_be32(count); i++) {
		entry = (struct fw_cfg_dir_entry *)(directory->data + 4) + i;
		if (!strcmp(entry->name, name))
			return fetch_item(s, GUINT16_FROM_BE(entry->key),
					  GUINT32_FROM_BE(entry->size));
	}
	return NULL;
}

static uint8_t sum(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint8_t total = 0;

	while (size--)
		total += *p++;
	return total;
}

/* ---- ACPI ---- */

struct piece {
	const char *name;
	uint64_t addr; /* where the test says it lies */
	uint32_t align;
	uint8_t zone;
	GByteArray *bytes;
};

static struct piece *piece_of(struct piece *pieces, const char *name)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!strcmp(pieces[i].name, name))
			return &pieces[i];
	}
	g_error("the script names '%s'", name);
}

static void run_command(struct piece *pieces, const struct loader_command *c)
{
	struct piece *p, *to;

	switch (GUINT32_FROM_LE(c->kind)) {
	case LOADER_ALLOCATE:
		p = piece_of(pieces, c->allocate.file);
		p->align = GUINT32_FROM_LE(c->allocate.align);
		p->zone = c->allocate.zone;
		break;
	case LOADER_ADD_POINTER:
		p = piece_of(pieces, c->pointer.dest);
		to = piece_of(pieces, c->pointer.source);
		g_assert_true(range_fits(c->pointer.offset, c->pointer.size, p->bytes->len));
		uint8_t *at = p->bytes->data + c->pointer.offset;
		g_assert_cmpuint(get_le(at, c->pointer.size), <, to->bytes->len);
		put_le(at, c->pointer.size, get_le(at, c->pointer.size) + to->addr);
		break;
	case LOADER_ADD_CHECKSUM:
		p = piece_of(pieces, c->checksum.file);
		g_assert_true(range_fits(c->checksum.start, c->checksum.length, p->bytes->len));
		p->bytes->data[c->checksum.offset] -=
			sum(p->bytes->data + c->checksum.start, c->checksum.length);
		break;
	default:
		g_assert_not_reached();
	}
}

static const void *table_at(const struct piece *p, uint64_t addr)
{
	g_assert_true(range_fits(addr - p->addr, sizeof(struct acpi_header), p->bytes->len));
	return p->bytes->data + (addr - p->addr);
}

static void check_tables(const struct piece *pieces)
{
	const struct acpi_rsdp *rsdp = (const struct acpi_rsdp *)pieces[1].bytes->data;
	const struct acpi_header *xsdt = table_at(&pieces[0], rsdp->xsdt);
	unsigned count = (xsdt->length - sizeof(*xsdt)) / 8;

	g_assert_cmpmem(rsdp->signature, 8, "RSD PTR ", 8);
	g_assert_cmpuint(sum(rsdp, 20), ==, 0);
	g_assert_cmpuint(sum(rsdp, sizeof(*rsdp)), ==, 0);
	g_assert_cmpmem(xsdt->signature, 4, "XSDT", 4);
	g_assert_cmpuint(count, >=, 2);
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *entry = (const uint8_t *)(xsdt + 1) + 8 * i;
		const struct acpi_header *h = table_at(&pieces[0], get_le64(entry));

		g_assert_cmpuint(sum(h, h->length), ==, 0);
		if (memcmp(h->signature, "FACP", 4))
			continue;
		const struct acpi_fadt *fadt = (const struct acpi_fadt *)h;
		const struct acpi_header *dsdt = table_at(&pieces[0], fadt->dsdt);
		g_assert_cmpmem(dsdt->signature, 4, "DSDT", 4);
		g_assert_cmpuint(sum(dsdt, dsdt->length), ==, 0);
		g_assert_cmpuint(fadt->facs % 64, ==, 0);
		g_assert_cmpmem(table_at(&pieces[0], fadt->facs), 4, "FACS", 4);
	}
}

static void test_acpi(void)
{
	struct qts *s = qts_start("-machine pc -m 64M -smp 2");
	struct piece pieces[2] = {
		{.name = "etc/acpi/tables", .addr = 0x7ff0000},
		{.name = "etc/acpi/rsdp", .addr = 0xf5a50},
	};
	g_autoptr(GByteArray) script = fetch_file(s, "etc/table-loader");

	g_assert_cmpuint(script->len % sizeof(struct loader_command), ==, 0);
	for (unsigned i = 0; i < 2; i++)
		pieces[i].bytes = fetch_file(s, pieces[i].name);
	for (unsigned at = 0; at < script->len; at += sizeof(struct loader_command))
		run_command(pieces, (const struct loader_command *)(script->data + at));
	g_assert_cmpuint(pieces[0].align, ==, 64);
	g_assert_cmpuint(pieces[0].zone, ==, LOADER_HIGH);
	g_assert_cmpuint(pieces[1].zone, ==, LOADER_FSEG);
	check_tables(pieces);
	for (unsigned i = 0; i < 2; i++)
		g_byte_array_unref(pieces[i].bytes);
	qts_quit(s);

	s = qts_start("-machine pc -m 64M -no-acpi");
	g_assert_null(fetch_file(s, "etc/table-loader"));
	qts_quit(s);
}

/* ---- SMBIOS, memory ---- */

static void test_smbios(void)
{
	struct qts *s = qts_start("-machine pc -m 64M -smbios type=1,serial=s1234");
	g_autoptr(GByteArray) table = fetch_file(s, "etc/smbios/smbios-tables");
	g_autoptr(GByteArray) anchor = fetch_file(s, "etc/smbios/smbios-anchor");
	const struct smbios_anchor21 *a = (const struct smbios_anchor21 *)anchor->data;

	g_assert_cmpuint(anchor->len, ==, sizeof(*a));
	g_assert_cmpmem(a->anchor, 4, "_SM_", 4);
	g_assert_cmpuint(a->table_length, ==, table->len);
	g_assert_nonnull(memmem(table->data, table->len, "s1234", 6));
	qts_quit(s);

	g_autoptr(GByteArray) wide = NULL;
	s = qts_start("-machine pc,smbios-entry-point-type=64 -m 64M");
	wide = fetch_file(s, "etc/smbios/smbios-anchor");
	g_assert_cmpuint(wide->len, ==, sizeof(struct smbios_anchor30));
	qts_quit(s);
}

static void test_e820(void)
{
	struct qts *s = qts_start("-machine pc -m 5G");
	g_autoptr(GByteArray) map = fetch_file(s, "etc/e820");
	const struct e820_entry *e = (const struct e820_entry *)map->data;
	uint64_t ram = 0;

	g_assert_cmpuint(map->len % sizeof(*e), ==, 0);
	for (unsigned i = 0; i < map->len / sizeof(*e); i++)
		ram += e[i].type == E820_RAM ? e[i].size : 0;
	g_assert_cmpuint(ram, ==, 5 * GIB);
	qts_quit(s);
}

/* ---- What is booted ---- */

static char *make_file(const char *name, const void *bytes, size_t size)
{
	char *path = g_strdup_printf("%s/quail-%d-%s", g_get_tmp_dir(), getpid(), name);

	g_assert_true(g_file_set_contents(path, bytes, size, NULL));
	return path;
}

static void assert_text(const GByteArray *file, const char *text)
{
	g_assert_nonnull(file);
	g_assert_cmpmem(file->data, file->len, text, strlen(text) + 1);
}

static void test_boot_order(void)
{
	g_autofree char *rom = make_file("a.rom", "\x55\xaa\x01", 3);
	g_autofree char *base = g_path_get_basename(rom);
	g_autofree char *args =
		g_strdup_printf("-machine pc -boot strict=on -option-rom %s,bootindex=3", rom);
	g_autofree char *want = g_strdup_printf("/rom@genroms/%s\nHALT", base);
	g_autofree char *name = g_strdup_printf("genroms/%s", base);
	struct qts *s = qts_start(args);
	g_autoptr(GByteArray) order = fetch_file(s, "bootorder"), content = fetch_file(s, name);

	assert_text(order, want);
	g_assert_cmpmem(content->data, content->len, "\x55\xaa\x01", 3);
	qts_quit(s);
	unlink(rom);

	g_autoptr(GByteArray) none = NULL;
	s = qts_start("-machine pc -boot strict=on");
	none = fetch_file(s, "bootorder");
	g_assert_cmpuint(none->len, ==, 0);
	qts_quit(s);
}

/* A bzImage with one sector of setup and a kernel of 20 bytes. */
static void make_kernel(uint8_t image[2 * LINUX_SECTOR + 20])
{
	struct linux_setup_header *hdr = (void *)(image + LINUX_HEADER_OFFSET);

	memset(image, 0, 2 * LINUX_SECTOR);
	memset(image + 2 * LINUX_SECTOR, 'k', 20);
	hdr->setup_sects = 1;
	hdr->syssize = 2;
	hdr->boot_flag = LINUX_BOOT_FLAG;
	hdr->jump[0] = 0xeb;
	hdr->jump[1] = 0x66;
	hdr->header = LINUX_HEADER_MAGIC;
	hdr->version = 0x20c;
	hdr->loadflags = LINUX_LOADED_HIGH;
	hdr->code32_start = 0x100000;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->cmdline_size = 100;
}

static void test_kernel(void)
{
	uint8_t image[2 * LINUX_SECTOR + 20];
	const struct linux_setup_header *hdr;
	g_autofree char *kernel = NULL, *args = NULL;
	g_autofree char *initrd = make_file("initrd", "initrd", 6);
	g_autofree char *zeros = g_malloc0(65536), *bios = make_file("bios", zeros, 65536);
	struct qts *s;

	make_kernel(image);
	kernel = make_file("kernel", image, sizeof(image));
	args = g_strdup_printf(
		"-machine pc -m 64M -bios %s -kernel %s -initrd %s -append 'a vga=0x317'", bios,
		kernel, initrd);
	s = qts_start(args);
	g_autoptr(GByteArray) order = fetch_file(s, "bootorder");
	assert_text(order, "/rom@genroms/linuxboot_dma.bin");
	g_assert_cmphex(fetch_number(s, FW_CFG_KERNEL_ADDR), ==, 0x100000);
	g_assert_cmpuint(fetch_number(s, FW_CFG_KERNEL_SIZE), ==, 20);
	g_autoptr(GByteArray) body = fetch_item(s, FW_CFG_KERNEL_DATA, 20);
	g_assert_cmpmem(body->data, 20, image + 2 * LINUX_SECTOR, 20);
	g_assert_cmpuint(fetch_number(s, FW_CFG_INITRD_SIZE), ==, 6);
	uint32_t initrd_addr = fetch_number(s, FW_CFG_INITRD_ADDR);
	g_assert_cmpuint(initrd_addr % 4096, ==, 0);
	g_assert_cmphex(initrd_addr, <, 0x4000000 - 0x28000);
	g_autoptr(GByteArray) text = fetch_item(s, FW_CFG_CMDLINE_DATA, 12);
	g_assert_cmpstr((char *)text->data, ==, "a vga=0x317");
	g_assert_cmpuint(fetch_number(s, FW_CFG_CMDLINE_SIZE), ==, 12);
	g_assert_cmpuint(fetch_number(s, FW_CFG_SETUP_SIZE), ==, 2 * LINUX_SECTOR);
	g_autoptr(GByteArray) setup = fetch_item(s, FW_CFG_SETUP_DATA, 2 * LINUX_SECTOR);
	hdr = (const void *)(setup->data + LINUX_HEADER_OFFSET);
	g_assert_cmphex(hdr->vid_mode, ==, 0x317);
	g_assert_cmphex(hdr->type_of_loader, ==, LINUX_LOADER_QEMU);
	g_assert_cmphex(hdr->cmd_line_ptr, ==, fetch_number(s, FW_CFG_CMDLINE_ADDR));
	g_assert_cmphex(hdr->ramdisk_image, ==, initrd_addr);
	g_assert_cmphex(hdr->ramdisk_size, ==, 6);
	qts_quit(s);
	unlink(kernel);
	unlink(initrd);
	unlink(bios);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/firmware/acpi", test_acpi);
	g_test_add_func("/firmware/smbios", test_smbios);
	g_test_add_func("/firmware/e820", test_e820);
	g_test_add_func("/firmware/boot-order", test_boot_order);
	g_test_add_func("/firmware/kernel", test_kernel);
	return g_test_run();
}
