/*
 * Plans for booting Linux, from images made here: good ones down to each register and byte that the
 * protocol promises, and bad ones, which must fail with one line. The memory map; files; a plan carried
 * out over resets.
 */
#include "abi/linux-boot.h"
#include "boot-images.h"
#include "base/checked.h"
#include "machine/machine.h"
#include "machine/runstate.h"

#include <unistd.h>

/* ---- The memory map ---- */

static char *map_text(const struct e820_table *map)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; i < map->count; i++)
		g_string_append_printf(text, "%" PRIx64 "+%" PRIx64 ":%u ", map->range[i].start,
				       map->range[i].size, map->range[i].type);
	return g_string_free(text, false);
}

static void check_map(const struct e820_table *map, const char *expected)
{
	g_autofree char *text = map_text(map);

	g_assert_cmpstr(text, ==, expected);
}

static void test_e820_set(void)
{
	struct e820_table map = {0};

	e820_set(&map, 0x1000, 0x1000, E820_RAM);
	e820_set(&map, 0x2000, 0x1000, E820_RAM);
	check_map(&map, "1000+2000:1 ");
	e820_set(&map, 0x1800, 0x800, E820_ACPI);
	check_map(&map, "1000+800:1 1800+800:3 2000+1000:1 ");
	e820_set(&map, 0x1800, 0x800, E820_RAM);
	check_map(&map, "1000+2000:1 ");
	e820_set(&map, 0, 0, E820_RESERVED);
	e820_set(&map, 0x1400, 0x400, 0);
	check_map(&map, "1000+400:1 1800+1800:1 ");
	e820_set(&map, 0x800, 0x10000, E820_RESERVED);
	check_map(&map, "800+10000:2 ");
	e820_set(&map, 0, 0x400, E820_RAM);
	check_map(&map, "0+400:1 800+10000:2 ");
	e820_set(&map, UINT64_MAX - 0xfff, 0xfff, E820_NVS);
	check_map(&map, "0+400:1 800+10000:2 fffffffffffff000+fff:4 ");
}

static void test_e820_pc(void)
{
	struct e820_table map = map_of(3 * GIB, 5 * GIB);

	check_map(&map, "0+9fc00:1 9fc00+400:2 f0000+10000:2 100000+bfef0000:1 bfff0000+10000:3 "
			"feffc000+4000:2 fffc0000+40000:2 100000000+140000000:1 ");
	g_assert_cmphex(e820_ram_end(&map, 0), ==, 0x9fc00);
	g_assert_cmphex(e820_ram_end(&map, 0x9fc00), ==, 0);
	g_assert_true(e820_is_ram(&map, MIB, 3 * GIB - MIB - 64 * KIB));
	g_assert_false(e820_is_ram(&map, MIB, 3 * GIB - MIB - 64 * KIB + 1));
	g_assert_false(e820_is_ram(&map, 5 * GIB, UINT64_MAX));
}

/* ---- bzImage ---- */

#define BODY_SIZE 4096

/* Setup of two sectors and a body of BODY_SIZE; protocol 2.15 as Debian's kernels have it. */
struct bzimage {
	uint8_t bytes[2 * LINUX_SECTOR + BODY_SIZE];
};

static struct linux_setup_header *header_of(struct bzimage *b)
{
	return (struct linux_setup_header *)(b->bytes + LINUX_HEADER_OFFSET);
}

static struct bzimage *bzimage_new(void)
{
	struct bzimage *b = g_new0(struct bzimage, 1);
	struct linux_setup_header *h = header_of(b);

	for (unsigned i = 0; i < BODY_SIZE; i++)
		b->bytes[2 * LINUX_SECTOR + i] = i * 13 + i / 256;
	h->setup_sects = 1;
	h->syssize = BODY_SIZE / 16;
	h->boot_flag = LINUX_BOOT_FLAG;
	h->jump[0] = 0xeb;
	h->jump[1] = 0x26c - 0x202;
	h->header = LINUX_HEADER_MAGIC;
	h->version = 0x20f;
	h->loadflags = LINUX_LOADED_HIGH;
	h->code32_start = 0x100000;
	h->initrd_addr_max = 0x7fffffff;
	h->kernel_alignment = 0x200000;
	h->relocatable_kernel = 1;
	h->min_alignment = 21;
	h->xloadflags = LINUX_XLF_KERNEL_64 | LINUX_XLF_ABOVE_4G;
	h->cmdline_size = 2047;
	h->pref_address = 0x1000000;
	h->init_size = 0x300000;
	return b;
}

static struct image bzimage_image(const struct bzimage *b)
{
	return image_new(b->bytes, sizeof(b->bytes));
}

static void check_zero_page(const struct boot_plan *plan, uint64_t addr,
			    const struct e820_table *map, struct linux_boot_params *zero)
{
	plan_read(plan, addr, zero, sizeof(*zero));
	g_assert_cmphex(addr % 4096, ==, 0);
	g_assert_cmphex(zero->acpi_rsdp_addr, ==, RSDP);
	g_assert_cmphex(zero->hdr.header, ==, LINUX_HEADER_MAGIC);
	g_assert_cmphex(zero->hdr.type_of_loader, ==, 0xb0);
	g_assert_cmpuint(zero->e820_entries, ==, map->count);
	for (unsigned i = 0; i < map->count; i++) {
		g_assert_cmphex(zero->e820_table[i].start, ==, map->range[i].start);
		g_assert_cmphex(zero->e820_table[i].size, ==, map->range[i].size);
		g_assert_cmphex(zero->e820_table[i].type, ==, map->range[i].type);
	}
	g_assert_cmphex(zero->hole5[0x1ef - 0x1e9], ==, 0); /* sentinel: we know the layout */
}

/* Walks the planned tables as the CPU will. */
static void check_identity(const struct boot_plan *plan, uint64_t cr3, uint64_t addr)
{
	uint64_t entry = cr3;

	for (unsigned shift = 39; shift >= 21; shift -= 9) {
		plan_read(plan, (entry & ~0xfffULL) + 8 * (addr >> shift & 511), &entry, 8);
		g_assert_cmphex(entry & 3, ==, 3);
	}
	g_assert_cmphex(entry & 0x80, ==, 0x80);
	g_assert_cmphex(entry & ~0xfffULL, ==, ROUND_DOWN(addr, 2 * MIB));
}

static void test_linux_64(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, NULL, "console=ttyS0 quiet", &map);
	g_autofree struct x86_state *s = state_of(plan);
	struct linux_boot_params zero;
	struct linux_setup_data seed;
	uint8_t body[BODY_SIZE];
	uint64_t gdt[4];

	g_assert_cmphex(s->rip, ==, 0x1000200);
	check_flat(s, true);
	for (uint64_t addr = 0; addr < 4 * GIB; addr += 511 * MIB)
		check_identity(plan, s->cr3, addr);
	plan_read(plan, s->gdt.base, gdt, sizeof(gdt));
	g_assert_cmphex(gdt[2], ==, 0x00af9b000000ffff);
	g_assert_cmphex(gdt[3], ==, 0x00cf93000000ffff);
	check_zero_page(plan, s->gpr[R_SI], &map, &zero);
	check_text(plan, zero.hdr.cmd_line_ptr, "console=ttyS0 quiet");
	g_assert_cmphex(zero.hdr.code32_start, ==, 0x1000000);
	g_assert_cmphex(zero.hdr.ramdisk_image, ==, 0);
	plan_read(plan, 0x1000000, body, sizeof(body));
	g_assert_cmpmem(body, sizeof(body), b->bytes + 2 * LINUX_SECTOR, BODY_SIZE);
	/* The memory the kernel needs is kept free. */
	g_assert_cmpint(segment_at(plan, 0x1000000 + 0x2fffff)->source, ==, BOOT_FREE);
	plan_read(plan, zero.hdr.setup_data, &seed, sizeof(seed));
	g_assert_cmphex(seed.type, ==, 9);
	g_assert_cmphex(seed.len, ==, 32);
	g_assert_cmphex(seed.next, ==, 0);
	g_assert_cmpint(segment_at(plan, zero.hdr.setup_data + 16)->source, ==, BOOT_RANDOM);
}

/* The device tree is the first of the setup data, the seed follows. */
static void test_linux_device_tree(void)
{
	static const char text[] = "a tree";
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(GBytes) tree = g_bytes_new_static(text, sizeof(text));
	const struct boot_request req = {.kernel = kernel.name, .map = &map, .device_tree = tree};
	g_autoptr(boot_plan) plan = boot_plan_new(&req, NULL);
	g_autofree struct x86_state *s = state_of(plan);
	struct linux_boot_params zero;
	struct linux_setup_data data;

	plan_read(plan, s->gpr[R_SI], &zero, sizeof(zero));
	plan_read(plan, zero.hdr.setup_data, &data, sizeof(data));
	g_assert_cmphex(data.type, ==, LINUX_SETUP_DTB);
	g_assert_cmphex(data.len, ==, sizeof(text));
	check_text(plan, zero.hdr.setup_data + sizeof(data), text);
	plan_read(plan, data.next, &data, sizeof(data));
	g_assert_cmphex(data.type, ==, 9);
}

static void test_linux_other_cpus(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, NULL, NULL, &map);
	g_autofree struct x86_state *s = g_new0(struct x86_state, 1);

	x86_state_reset(s, false, 0x663);
	boot_plan_set_cpu(plan, false, s);
	g_assert_cmphex(s->rip, ==, 0xfff0);
	g_assert_cmphex(s->cr0 & 1, ==, 0);
	g_assert_cmpint(s->mp_state, ==, MP_UNINITIALIZED);
	for (uint32_t i = 0; i < s->msr_count; i++) {
		if (s->msrs[i].index == MSR_MTRR_DEF_TYPE)
			g_assert_cmphex(s->msrs[i].value, ==, 0x806);
	}
}

static void test_linux_bios_data(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, NULL, NULL, &map);
	uint16_t word;

	plan_read(plan, 0x40e, &word, 2);
	g_assert_cmphex(word, ==, 0x9fc0);
	plan_read(plan, 0x413, &word, 2);
	g_assert_cmpuint(word, ==, 639);
}

/* Protocol 2.04: no 64-bit entry, not movable, and what the header has behind its end is no header. */
static void test_linux_32(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	struct linux_setup_header *h = header_of(b);
	struct linux_boot_params zero;
	g_auto(image) kernel = {-1};
	g_auto(image) initrd = image_new("initrd", 6);
	g_autoptr(boot_plan) plan = NULL;
	g_autofree struct x86_state *s = NULL;

	h->version = 0x204;
	h->jump[1] = 0x230 - 0x202;
	h->initrd_addr_max = 0x37ffffff;
	kernel = bzimage_image(b);
	plan = good_plan(kernel.name, initrd.name, "a", &map);
	s = state_of(plan);
	g_assert_cmphex(s->rip, ==, 0x100000);
	check_flat(s, false);
	g_assert_cmphex(s->gpr[R_BP] | s->gpr[R_DI] | s->gpr[R_BX], ==, 0);
	check_zero_page(plan, s->gpr[R_SI], &map, &zero);
	g_assert_cmphex(zero.hdr.setup_data, ==, 0);
	g_assert_cmphex(zero.hdr.pref_address, ==, 0);
	g_assert_cmphex(zero.hdr.ramdisk_image, ==, 256 * MIB - 64 * KIB - 4096);
	g_assert_cmpuint(zero.hdr.ramdisk_size, ==, 6);
	g_assert_cmpuint(zero.alt_mem_k, ==, 255 * 1024 - 64);
}

/* A kernel of 2.12 without the flag, and one that cannot be moved: it moves itself to where it runs. */
static void test_linux_fixed(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = {-1};
	g_autoptr(boot_plan) plan = NULL;
	g_autofree struct x86_state *s = NULL;

	header_of(b)->xloadflags = 0;
	header_of(b)->relocatable_kernel = 0;
	kernel = bzimage_image(b);
	plan = good_plan(kernel.name, NULL, NULL, &map);
	s = state_of(plan);
	g_assert_cmphex(s->rip, ==, 0x100000);
	check_flat(s, false);
	g_assert_cmpint(segment_at(plan, 0x1000000 + 0x2fffff)->source, ==, BOOT_FREE);
}

static void test_linux_truncated(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();

	for (size_t len = 0; len < sizeof(b->bytes) - 15; len += len < 0x400 ? 1 : 97) {
		g_auto(image) kernel = image_new(b->bytes, len);

		bad_plan(kernel.name, NULL, NULL, &map,
			 len < 0x206 ? "invalid kernel header" : "truncated");
	}
}

static void bad_header(void (*spoil)(struct linux_setup_header *h), uint64_t ram, const char *text)
{
	struct e820_table map = map_of(ram, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = {-1};

	spoil(header_of(b));
	kernel = bzimage_image(b);
	bad_plan(kernel.name, NULL, "four", &map, text);
}

static void spoil_nothing(struct linux_setup_header *h)
{
}
static void spoil_version(struct linux_setup_header *h)
{
	h->version = 0x201;
}
static void spoil_low(struct linux_setup_header *h)
{
	h->loadflags = 0;
}
static void spoil_syssize(struct linux_setup_header *h)
{
	h->syssize = UINT32_MAX;
}
static void spoil_sects(struct linux_setup_header *h)
{
	h->setup_sects = 255;
}
static void spoil_alignment(struct linux_setup_header *h)
{
	h->kernel_alignment = 0x300000;
}
static void spoil_no_alignment(struct linux_setup_header *h)
{
	h->kernel_alignment = 0;
}
static void spoil_address(struct linux_setup_header *h)
{
	h->pref_address = UINT64_MAX;
}
static void spoil_address_4g(struct linux_setup_header *h)
{
	h->pref_address = 4 * GIB;
}
static void spoil_init_size(struct linux_setup_header *h)
{
	h->init_size = UINT32_MAX;
}
static void spoil_cmdline(struct linux_setup_header *h)
{
	h->cmdline_size = 3;
}

static void test_linux_hostile(void)
{
	bad_header(spoil_version, 256 * MIB, "boot protocol 2.01");
	bad_header(spoil_low, 256 * MIB, "loaded low");
	bad_header(spoil_syssize, 256 * MIB, "truncated: 5120 bytes of at least 68719477744");
	bad_header(spoil_sects, 256 * MIB, "truncated");
	bad_header(spoil_alignment, 256 * MIB, "alignment 0x300000");
	bad_header(spoil_no_alignment, 256 * MIB, "alignment 0x0");
	bad_header(spoil_address, 256 * MIB, "address 0xffffffffffffffff");
	bad_header(spoil_address_4g, 256 * MIB, "bytes of memory at 0x100000000");
	bad_header(spoil_init_size, 256 * MIB,
		   "kernel needs 4294967295 bytes of memory at 0x1000000");
	bad_header(spoil_cmdline, 256 * MIB, "4 bytes, kernel");
	/* The kernel is fine, the machine is too small. */
	bad_header(spoil_nothing, 16 * MIB, "the machine has 0 there");
	bad_header(spoil_nothing, 18 * MIB, "the machine has 2031616 there");
}

/* ---- Files ---- */

static void test_file_errors(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);

	bad_plan("/no/kernel", NULL, NULL, &map,
		 "could not open kernel file '/no/kernel': No such file or directory");
	bad_plan("/", NULL, NULL, &map, "could not load kernel '/': Is a directory");
	bad_plan("/dev/null", NULL, NULL, &map, "invalid kernel header: '/dev/null' (0 bytes)");
	bad_plan(kernel.name, "/no/initrd", NULL, &map,
		 "could not open initrd file '/no/initrd': No such file or directory");
	bad_plan(kernel.name, "", NULL, &map, "could not open initrd file ''");
	bad_plan(kernel.name, "/dev/null,", NULL, &map, "could not open initrd file ''");
	bad_plan(kernel.name, "/no,,such", NULL, &map, "could not open initrd file '/no,such'");
	bad_plan(kernel.name, "/no,,", NULL, &map, "could not open initrd file '/no,'");
}

/* A pipe cannot be read twice, so its bytes are kept. */
static void test_file_pipe(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_autofree char *name = NULL;
	g_autoptr(boot_plan) plan = NULL;
	uint8_t body[BODY_SIZE];
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_cmpint(write(fds[1], b->bytes, sizeof(b->bytes)), ==, sizeof(b->bytes));
	close(fds[1]);
	name = g_strdup_printf("/proc/self/fd/%d", fds[0]);
	plan = good_plan(name, NULL, NULL, &map);
	close(fds[0]);
	for (unsigned i = 0; i < 2; i++) {
		plan_read(plan, 0x1000000, body, sizeof(body));
		g_assert_cmpmem(body, sizeof(body), b->bytes + 2 * LINUX_SECTOR, BODY_SIZE);
	}
}

static void test_file_shrinks(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, NULL, NULL, &map);
	const struct boot_segment *seg = segment_at(plan, 0x1000000);
	g_autoptr(GError) err = NULL;
	uint8_t body[BODY_SIZE];

	g_assert_cmpint(ftruncate(kernel.fd, 2048), ==, 0);
	g_assert_false(boot_segment_read(seg, 0, body, seg->size, &err));
	g_assert_nonnull(strstr(err->message, "truncated"));
}

/* ---- The initrd ---- */

static void test_initrd_several(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_auto(image) one = image_new("12345", 5), two = image_new("abcdefgh", 8);
	g_auto(image) none = image_new("", 0);
	g_autofree char *list =
		g_strdup_printf("%s,%s,%s,%s", one.name, none.name, two.name, one.name);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, list, NULL, &map);
	g_autofree struct x86_state *s = state_of(plan);
	struct linux_boot_params zero;
	uint64_t at = 256 * MIB - 64 * KIB - 4096;
	char text[8];

	check_zero_page(plan, s->gpr[R_SI], &map, &zero);
	g_assert_cmphex(zero.hdr.ramdisk_image, ==, at);
	g_assert_cmphex(zero.hdr.ramdisk_size, ==, 21);
	plan_read(plan, at, text, 5);
	g_assert_cmpmem(text, 5, "12345", 5);
	plan_read(plan, at + 5, text, 3);
	g_assert_cmpmem(text, 3, "\0\0\0", 3);
	plan_read(plan, at + 8, text, 8);
	g_assert_cmpmem(text, 8, "abcdefgh", 8);
	plan_read(plan, at + 16, text, 5);
	g_assert_cmpmem(text, 5, "12345", 5);
}

static void test_initrd_too_large(void)
{
	struct e820_table map = map_of(64 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_auto(image) initrd = image_new("", 0);
	g_autofree char *twice = g_strdup_printf("%s,%s", initrd.name, initrd.name);
	/* Behind the kernel and its memory, up to the tables. */
	const uint64_t room = 64 * MIB - 64 * KIB - 0x1300000;
	g_autofree char *text = g_strdup_printf("initrd is too large, cannot support.(max: %" PRIu64
						", need %" PRIu64 ")",
						room, room + 1);

	g_assert_cmpint(ftruncate(initrd.fd, room + 1), ==, 0);
	bad_plan(kernel.name, initrd.name, NULL, &map, text);
	g_assert_cmpint(ftruncate(initrd.fd, room), ==, 0);
	boot_plan_free(good_plan(kernel.name, initrd.name, NULL, &map));
	bad_plan(kernel.name, twice, NULL, &map, "initrd is too large");
	g_assert_cmpint(ftruncate(initrd.fd, INT64_MAX), ==, 0);
	bad_plan(kernel.name, initrd.name, NULL, &map, "need 9223372036854775807)");
	bad_plan(kernel.name, twice, NULL, &map, "initrd is too large");
}

/* What does not fit below 4 GiB may lie above, if the kernel can take it there. */
static void test_initrd_high(void)
{
	struct e820_table map = map_of(64 * MIB, 8 * GIB);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_auto(image) low_kernel = {-1};
	g_auto(image) initrd = image_new("", 0);
	g_autoptr(boot_plan) plan = NULL;
	g_autofree struct x86_state *s = NULL;
	struct linux_boot_params zero;

	g_assert_cmpint(ftruncate(initrd.fd, 5 * GIB), ==, 0);
	plan = good_plan(kernel.name, initrd.name, NULL, &map);
	s = state_of(plan);
	check_zero_page(plan, s->gpr[R_SI], &map, &zero);
	g_assert_cmphex((uint64_t)zero.ext_ramdisk_image << 32 | zero.hdr.ramdisk_image, ==,
			7 * GIB);
	g_assert_cmphex((uint64_t)zero.ext_ramdisk_size << 32 | zero.hdr.ramdisk_size, ==, 5 * GIB);
	header_of(b)->xloadflags = LINUX_XLF_KERNEL_64;
	low_kernel = bzimage_image(b);
	bad_plan(low_kernel.name, initrd.name, NULL, &map, "initrd is too large");
}

/* ---- Tables of the board ---- */

static void test_blobs(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_autoptr(GBytes) tables = g_bytes_new_static("ACPI tables", 11);
	struct boot_blob blobs[] = {
		{"ACPI tables", 256 * MIB - 64 * KIB, tables},
		{"RSDP", RSDP, tables},
		{"misplaced", 0x1000000 + 0x2fffff, tables},
	};
	struct boot_request req = {
		.kernel = kernel.name,
		.map = &map,
		.blobs = blobs,
		.blob_count = 2,
	};
	g_autoptr(boot_plan) plan = boot_plan_new(&req, NULL);
	g_autoptr(GError) err = NULL;
	char text[11];

	plan_read(plan, RSDP, text, sizeof(text));
	g_assert_cmpmem(text, sizeof(text), "ACPI tables", 11);
	req.blob_count = 3;
	g_assert_null(boot_plan_new(&req, &err));
	g_assert_nonnull(strstr(err->message, "overlaps misplaced (11 bytes at 0x12fffff)"));
}

/* ---- On memory ---- */

struct rig {
	struct machine m;
	struct vcpu cpu, *cpus[1];
};

static struct rig *rig_new(uint64_t ram)
{
	struct rig *rig = g_new0(struct rig, 1);
	struct machine *m = &rig->m;

	m->ram_size = ram;
	m->ram = ram_new("ram", ram, NULL, NULL);
	m->topo.maxcpus = 1;
	m->cpus = rig->cpus;
	rig->cpus[0] = &rig->cpu;
	machine_lock();
	region_init_container(&m->memory_root, NULL, "system", REGION_SIZE_MAX);
	address_space_init(&m->memory, "memory", &m->memory_root);
	machine_map_ram(m, 3 * GIB);
	return rig;
}

static void rig_free(struct rig *rig)
{
	address_space_cleanup(&rig->m.memory);
	region_cleanup(&rig->m.ram_below_4g);
	region_cleanup(&rig->m.memory_root);
	ram_unref(rig->m.ram);
	machine_unlock();
	g_free(rig);
}

static void rig_reset(struct rig *rig)
{
	x86_state_reset(&rig->cpu.acc.state, true, 0);
	reset_hooks_run();
}

/* All kinds of segments but one: bytes, files, zeroes between two files, and what is kept free. */
static void test_reset(void)
{
	struct e820_table map = map_of(64 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	g_auto(image) initrd = image_new("12345", 5);
	g_autofree char *list = g_strdup_printf("%s,%s", initrd.name, initrd.name);
	g_autoptr(GBytes) rsdp = g_bytes_new_static("RSD PTR ", 8);
	struct boot_blob blob = {"RSDP", RSDP, rsdp};
	const struct boot_request req = {
		.kernel = kernel.name,
		.initrd = list,
		.map = &map,
		.rsdp = RSDP,
		.blobs = &blob,
		.blob_count = 1,
	};
	struct rig *rig = rig_new(64 * MIB);
	const uint8_t *ram = rig->m.ram->host;
	const struct linux_boot_params *zero;
	g_autoptr(GError) err = NULL;

	g_assert_true(boot_request_install(&req, &rig->m, &err));
	for (unsigned i = 0; i < 3; i++) {
		memset(rig->m.ram->host, 0xee, rig->m.ram->size);
		rig_reset(rig);
		g_assert_cmphex(rig->cpu.acc.state.rip, ==, 0x1000200);
		g_assert_cmpmem(ram + 0x1000000, BODY_SIZE, b->bytes + 2 * LINUX_SECTOR, BODY_SIZE);
		g_assert_cmphex(ram[0x1000000 + BODY_SIZE], ==, 0xee);
		g_assert_cmpmem(ram + RSDP, 8, "RSD PTR ", 8);
		zero = (const void *)(ram + rig->cpu.acc.state.gpr[R_SI]);
		g_assert_cmphex(zero->hdr.header, ==, LINUX_HEADER_MAGIC);
		g_assert_cmpmem(ram + zero->hdr.ramdisk_image, 14,
				"12345\0\0\0"
				"12345\xee",
				14);
	}
	rig_free(rig);
}

/* The seed is another at each reset. In a process of its own: installed plans stay. */
static void test_reset_seed(void)
{
	struct e820_table map = map_of(64 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	const struct boot_request req = {.kernel = kernel.name, .map = &map};
	struct linux_boot_params *zero;
	struct rig *rig;
	uint8_t seeds[2][32];

	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	rig = rig_new(64 * MIB);
	g_assert_true(boot_request_install(&req, &rig->m, NULL));
	for (unsigned i = 0; i < 2; i++) {
		rig_reset(rig);
		zero = (void *)(rig->m.ram->host + rig->cpu.acc.state.gpr[R_SI]);
		memcpy(seeds[i], rig->m.ram->host + zero->hdr.setup_data + 16, 32);
	}
	g_assert_cmpint(memcmp(seeds[0], seeds[1], 32), !=, 0);
	rig_free(rig);
}

/* The reset at the end of sleep: memory as it was, and the guest goes on where it said, if it did. */
static void test_wake(void)
{
	struct e820_table map = map_of(64 * MIB, 0);
	g_autofree struct bzimage *b = bzimage_new();
	g_auto(image) kernel = bzimage_image(b);
	const struct boot_request req = {.kernel = kernel.name, .map = &map, .facs = 32 * MIB};
	struct x86_state *s;
	uint8_t *ram;
	struct rig *rig;

	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	rig = rig_new(64 * MIB);
	ram = rig->m.ram->host;
	s = &rig->cpu.acc.state;
	g_assert_true(boot_request_install(&req, &rig->m, NULL));
	put_le32(ram + req.facs + 12, 0x9a123);
	ram[0x1000000] = ~b->bytes[2 * LINUX_SECTOR];
	runstate_set(RUN_STATE_SUSPENDED);
	rig_reset(rig);
	g_assert_cmphex(ram[0x1000000] ^ b->bytes[2 * LINUX_SECTOR], ==, 0xff);
	g_assert_cmphex(s->seg[S_CS].selector, ==, 0x9a12);
	g_assert_cmphex(s->seg[S_CS].base, ==, 0x9a120);
	g_assert_cmphex(s->rip, ==, 3);
	g_assert_cmphex(s->cr0 & CR0_PE, ==, 0);

	/* Nowhere, not in low memory, and not at the end of sleep: from the beginning. */
	for (unsigned i = 0; i < 3; i++) {
		put_le32(ram + req.facs + 12, (uint32_t[]){0, MIB, 0x9a123}[i]);
		ram[0x1000000] = ~b->bytes[2 * LINUX_SECTOR];
		runstate_set(i < 2 ? RUN_STATE_SUSPENDED : RUN_STATE_RUNNING);
		rig_reset(rig);
		g_assert_cmphex(s->rip, ==, 0x1000200);
		g_assert_cmphex(ram[0x1000000], ==, b->bytes[2 * LINUX_SECTOR]);
	}
	rig_free(rig);
}

/* ---- A real kernel, where the lab has fetched one ---- */

static char *find_kernel(void)
{
	g_autofree char *here = g_path_get_dirname(__FILE__);
	g_autofree char *own = g_build_filename(here, "../../build-cache", NULL);
	const char *cache = g_getenv("QUAIL_CACHE") ?: own, *name;
	g_autoptr(GDir) dir = g_dir_open(cache, 0, NULL);

	while (dir && (name = g_dir_read_name(dir))) {
		const char *version = name + strlen("linux-image-");
		g_autofree char *image =
			g_strdup_printf("%s/%s/boot/vmlinuz-%s", cache, name, version);

		if (g_str_has_prefix(name, "linux-image-") && !access(image, R_OK))
			return g_steal_pointer(&image);
	}
	return NULL;
}

static void test_debian(void)
{
	struct e820_table map = map_of(512 * MIB, 0);
	g_autofree char *kernel = find_kernel();
	g_autoptr(boot_plan) plan = NULL;
	g_autofree struct x86_state *s = NULL;
	struct linux_boot_params zero;

	if (!kernel) {
		g_test_skip("no Debian kernel in the cache; tests/lab fetches one");
		return;
	}
	plan = good_plan(kernel, NULL, "console=ttyS0", &map);
	s = state_of(plan);
	check_flat(s, true);
	check_zero_page(plan, s->gpr[R_SI], &map, &zero);
	g_assert_cmphex(zero.hdr.version, >=, 0x20f);
	g_assert_cmphex(s->rip, ==, zero.hdr.pref_address + 0x200);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot/e820/set", test_e820_set);
	g_test_add_func("/boot/e820/pc", test_e820_pc);
	g_test_add_func("/boot/linux/64", test_linux_64);
	g_test_add_func("/boot/linux/device-tree", test_linux_device_tree);
	g_test_add_func("/boot/linux/other-cpus", test_linux_other_cpus);
	g_test_add_func("/boot/linux/bios-data", test_linux_bios_data);
	g_test_add_func("/boot/linux/32", test_linux_32);
	g_test_add_func("/boot/linux/fixed", test_linux_fixed);
	g_test_add_func("/boot/linux/truncated", test_linux_truncated);
	g_test_add_func("/boot/linux/hostile", test_linux_hostile);
	g_test_add_func("/boot/linux/debian", test_debian);
	g_test_add_func("/boot/file/errors", test_file_errors);
	g_test_add_func("/boot/file/pipe", test_file_pipe);
	g_test_add_func("/boot/file/shrinks", test_file_shrinks);
	g_test_add_func("/boot/initrd/several", test_initrd_several);
	g_test_add_func("/boot/initrd/too-large", test_initrd_too_large);
	g_test_add_func("/boot/initrd/high", test_initrd_high);
	g_test_add_func("/boot/blobs", test_blobs);
	g_test_add_func("/boot/reset/memory", test_reset);
	g_test_add_func("/boot/reset/seed", test_reset_seed);
	g_test_add_func("/boot/reset/wake", test_wake);
	return g_test_run();
}
