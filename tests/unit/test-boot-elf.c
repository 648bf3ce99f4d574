/*
 * Plans for booting ELF kernels by PVH, and multiboot kernels of all shapes: good ones, and what a broken
 * or hostile file can say.
 */
#include "abi/multiboot.h"
#include "abi/pvh.h"
#include "boot-images.h"

#include <elf.h>
#include <unistd.h>

/* ---- ELF, by PVH ---- */

/* A 64-bit file: header, program headers (note, text with bss, data), note, text, data. */
struct elf64 {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	struct {
		uint32_t namesz, descsz, type;
		char name[4];
		uint32_t filler;
		uint32_t namesz2, descsz2, type2;
		char name2[4];
		uint64_t entry;
	} __attribute__((packed)) note;
	uint8_t text[100];
	uint8_t data[50];
};

#define AT(_member) offsetof(struct elf64, _member)

static struct elf64 *elf64_new(void)
{
	struct elf64 *e = g_new0(struct elf64, 1);

	memcpy(e->h.e_ident, ELFMAG, SELFMAG);
	e->h.e_ident[EI_CLASS] = ELFCLASS64;
	e->h.e_ident[EI_DATA] = ELFDATA2LSB;
	e->h.e_machine = EM_X86_64;
	e->h.e_phoff = AT(p);
	e->h.e_phnum = 3;
	e->h.e_phentsize = sizeof(Elf64_Phdr);
	e->p[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = AT(note), .p_align = 4};
	e->p[0].p_filesz = e->p[0].p_memsz = sizeof(e->note);
	e->p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
			       .p_offset = AT(text),
			       .p_paddr = 0x1000000,
			       .p_filesz = sizeof(e->text),
			       .p_memsz = 0x20000};
	e->p[2] = (Elf64_Phdr){.p_type = PT_LOAD,
			       .p_offset = AT(data),
			       .p_paddr = 0x2000000,
			       .p_filesz = sizeof(e->data),
			       .p_memsz = sizeof(e->data)};
	e->note.namesz = e->note.namesz2 = 4;
	memcpy(e->note.name, "Xen", 4);
	memcpy(e->note.name2, "Xen", 4);
	e->note.type = 5;
	e->note.descsz = 4;
	e->note.type2 = PVH_NOTE_PHYS32_ENTRY;
	e->note.descsz2 = 8;
	e->note.entry = 0x1000010;
	for (unsigned i = 0; i < sizeof(e->text); i++)
		e->text[i] = i + 1;
	return e;
}

static struct image elf64_image(const struct elf64 *e)
{
	return image_new(e, AT(data) + sizeof(e->data));
}

static void test_pvh(void)
{
	struct e820_table map = map_of(256 * MIB, GIB);
	g_autofree struct elf64 *e = elf64_new();
	g_auto(image) kernel = elf64_image(e);
	g_auto(image) initrd = image_new("initrd", 6);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, initrd.name, "root=x", &map);
	g_autofree struct x86_state *s = state_of(plan);
	struct pvh_start_info info;
	struct pvh_module module;
	struct pvh_memmap_entry entry;
	uint8_t text[100];

	g_assert_cmphex(s->rip, ==, 0x1000010);
	check_flat(s, false);
	g_assert_cmphex(s->seg[S_TR].limit, ==, 0x67);
	plan_read(plan, s->gpr[R_BX], &info, sizeof(info));
	g_assert_cmphex(info.magic, ==, 0x336ec578);
	g_assert_cmphex(info.version, ==, 1);
	g_assert_cmphex(info.rsdp_paddr, ==, RSDP);
	check_text(plan, info.cmdline_paddr, "root=x");
	g_assert_cmpuint(info.nr_modules, ==, 1);
	plan_read(plan, info.modlist_paddr, &module, sizeof(module));
	g_assert_cmphex(module.paddr, ==, 256 * MIB - 64 * KIB - 4096);
	g_assert_cmpuint(module.size, ==, 6);
	g_assert_cmpuint(info.memmap_entries, ==, map.count);
	for (unsigned i = 0; i < map.count; i++) {
		plan_read(plan, info.memmap_paddr + i * sizeof(entry), &entry, sizeof(entry));
		g_assert_cmphex(entry.addr, ==, map.range[i].start);
		g_assert_cmphex(entry.size, ==, map.range[i].size);
		g_assert_cmphex(entry.type, ==, map.range[i].type);
	}
	plan_read(plan, 0x1000000, text, sizeof(text));
	g_assert_cmpmem(text, sizeof(text), e->text, sizeof(e->text));
	g_assert_cmpint(segment_at(plan, 0x1000000 + 100)->source, ==, BOOT_ZEROES);
	g_assert_cmpint(segment_at(plan, 0x101ffff)->source, ==, BOOT_ZEROES);
}

static void test_pvh_truncated(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct elf64 *e = elf64_new();

	for (size_t len = 0; len < AT(data) + sizeof(e->data); len++) {
		g_auto(image) kernel = image_new(e, len);

		bad_plan(kernel.name, NULL, NULL, &map,
			 len < 4 ? "invalid kernel header" : "truncated");
	}
}

static void bad_elf(void (*spoil)(struct elf64 *e), const char *text)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct elf64 *e = elf64_new();
	g_auto(image) kernel = {-1};

	spoil(e);
	kernel = elf64_image(e);
	bad_plan(kernel.name, NULL, NULL, &map, text);
}

static void spoil_class(struct elf64 *e)
{
	e->h.e_ident[EI_CLASS] = 7;
}
static void spoil_machine(struct elf64 *e)
{
	e->h.e_machine = EM_AARCH64;
}
static void spoil_order(struct elf64 *e)
{
	e->h.e_ident[EI_DATA] = ELFDATA2MSB;
}
static void spoil_phoff(struct elf64 *e)
{
	e->h.e_phoff = UINT64_MAX - 8;
}
static void spoil_phnum(struct elf64 *e)
{
	e->h.e_phnum = 0xffff;
}
static void spoil_phentsize(struct elf64 *e)
{
	e->h.e_phentsize = 8;
}
static void spoil_offset(struct elf64 *e)
{
	e->p[1].p_offset = UINT64_MAX;
}
static void spoil_filesz(struct elf64 *e)
{
	e->p[1].p_filesz = UINT64_MAX;
}
static void spoil_memsz(struct elf64 *e)
{
	e->p[1].p_memsz = 99;
}
static void spoil_wrap(struct elf64 *e)
{
	e->p[1].p_memsz = UINT64_MAX;
}
static void spoil_paddr(struct elf64 *e)
{
	e->p[2].p_paddr = 256 * MIB;
}
static void spoil_overlap(struct elf64 *e)
{
	e->p[2].p_paddr = 0x101ffff;
}
static void spoil_overlap_before(struct elf64 *e)
{
	e->p[2].p_paddr = 0x1000000 - 49;
}
static void spoil_no_load(struct elf64 *e)
{
	e->p[1].p_type = e->p[2].p_type = PT_NULL;
}
static void spoil_note_type(struct elf64 *e)
{
	e->note.type2 = 17;
}
static void spoil_note_name(struct elf64 *e)
{
	memcpy(e->note.name2, "GNU", 4);
}
static void spoil_note_size(struct elf64 *e)
{
	e->note.descsz = UINT32_MAX;
}
static void spoil_note_name_size(struct elf64 *e)
{
	e->note.namesz = UINT32_MAX - 2;
}
static void spoil_note_entry(struct elf64 *e)
{
	e->note.entry = 4 * GIB;
}

static void test_pvh_hostile(void)
{
	const char *no_note = "without PVH ELF Note";

	bad_elf(spoil_class, "not an ELF file for x86");
	bad_elf(spoil_machine, "machine 183");
	bad_elf(spoil_order, "not an ELF file for x86");
	bad_elf(spoil_phoff, "truncated");
	bad_elf(spoil_phnum, "65535 program headers");
	bad_elf(spoil_phentsize, "of 8 bytes");
	bad_elf(spoil_offset, "truncated");
	bad_elf(spoil_filesz, "truncated");
	bad_elf(spoil_memsz, "invalid ELF file: program header 1");
	bad_elf(spoil_wrap, "invalid ELF file: program header 1");
	bad_elf(spoil_paddr,
		"kernel needs 50 bytes of memory at 0x10000000, the machine has 0 there");
	bad_elf(spoil_overlap, "overlaps kernel");
	bad_elf(spoil_overlap_before, "overlaps kernel");
	bad_elf(spoil_no_load, "nothing to load");
	bad_elf(spoil_note_type, no_note);
	bad_elf(spoil_note_name, no_note);
	bad_elf(spoil_note_size, no_note);
	bad_elf(spoil_note_name_size, no_note);
	bad_elf(spoil_note_entry, "entry 0x100000000");
}

/* ---- Multiboot ---- */

/* A flat file with its header in the middle, by addresses. */
struct flat {
	uint8_t before[64];
	struct multiboot_header h;
	uint8_t after[200];
};

static struct flat *flat_new(uint32_t flags)
{
	struct flat *f = g_new0(struct flat, 1);

	memset(f->before, 1, sizeof(f->before));
	memset(f->after, 2, sizeof(f->after));
	f->h.magic = MULTIBOOT_HEADER_MAGIC;
	f->h.flags = flags;
	f->h.checksum = -(f->h.magic + f->h.flags);
	f->h.header_addr = 0x200020; /* 32 bytes of the file are left out */
	f->h.load_addr = 0x200000;
	f->h.load_end_addr = 0x200000 + 32 + sizeof(f->h) + 100;
	f->h.bss_end_addr = 0x210000;
	f->h.entry_addr = 0x200040;
	return f;
}

static struct image flat_image(const struct flat *f)
{
	return image_new(f, sizeof(*f));
}

static void check_module(const struct boot_plan *plan, const struct multiboot_info *info,
			 unsigned n, const char *content, const char *string)
{
	struct multiboot_module module;
	g_autofree char *got = g_malloc(strlen(content));

	plan_read(plan, info->mods_addr + n * sizeof(module), &module, sizeof(module));
	g_assert_cmphex(module.start, ==, 0x210000 + n * 4096);
	g_assert_cmpuint(module.end - module.start, ==, strlen(content));
	plan_read(plan, module.start, got, strlen(content));
	g_assert_cmpmem(got, strlen(content), content, strlen(content));
	check_text(plan, module.string, string);
}

static void test_multiboot_flat(void)
{
	struct e820_table map = map_of(256 * MIB, GIB);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES | MULTIBOOT_MEMORY);
	g_auto(image) kernel = flat_image(f);
	g_auto(image) one = image_new("module one", 10), two = image_new("second", 6);
	g_autofree char *string = g_strdup_printf("%s with, args", one.name);
	g_autofree char *list = g_strdup_printf("%s with,, args,%s", one.name, two.name);
	g_autofree char *cmdline = g_strdup_printf("%s -v", kernel.name);
	g_autoptr(boot_plan) plan = good_plan(kernel.name, list, "-v", &map);
	g_autofree struct x86_state *s = state_of(plan);
	struct multiboot_info info;
	struct multiboot_mmap entry;
	uint8_t bytes[132];

	g_assert_cmphex(s->rip, ==, 0x200040);
	check_flat(s, false);
	g_assert_cmphex(s->gpr[R_AX], ==, 0x2badb002);
	plan_read(plan, s->gpr[R_BX], &info, sizeof(info));
	g_assert_cmphex(info.flags, ==, 0x24f);
	g_assert_cmpuint(info.mem_lower, ==, 639);
	g_assert_cmpuint(info.mem_upper, ==, 255 * 1024 - 64);
	check_text(plan, info.cmdline, cmdline);
	check_text(plan, info.boot_loader_name, "qemu");
	g_assert_cmpuint(info.mods_count, ==, 2);
	check_module(plan, &info, 0, "module one", string);
	check_module(plan, &info, 1, "second", two.name);
	g_assert_cmpuint(info.mmap_length, ==, 24 * map.count);
	for (unsigned i = 0; i < map.count; i++) {
		plan_read(plan, info.mmap_addr + 24 * i, &entry, sizeof(entry));
		g_assert_cmpuint(entry.size, ==, 20);
		g_assert_cmphex(entry.start, ==, map.range[i].start);
		g_assert_cmphex(entry.len, ==, map.range[i].size);
	}
	plan_read(plan, 0x200000, bytes, sizeof(bytes));
	g_assert_cmpmem(bytes, sizeof(bytes), (char *)f + 32, sizeof(bytes));
	g_assert_cmpint(segment_at(plan, 0x20ffff)->source, ==, BOOT_ZEROES);
}

/* Without ends: the whole file and no bss. In low memory, where our own tables would lie. */
static void test_multiboot_low(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES);
	g_auto(image) kernel = {-1};
	g_autoptr(boot_plan) plan = NULL;

	f->h.load_addr = 0x400;
	f->h.header_addr = 0x400 + 64;
	f->h.load_end_addr = 0;
	f->h.bss_end_addr = 0x9fc00;
	f->h.entry_addr = 0x400;
	kernel = flat_image(f);
	plan = good_plan(kernel.name, NULL, NULL, &map);
	g_assert_cmpuint(segment_at(plan, 0x400)->size, ==, sizeof(*f));
	g_assert_cmpint(segment_at(plan, 0x9fbff)->source, ==, BOOT_ZEROES);
}

static void bad_flat(uint32_t load, uint32_t header, uint32_t load_end, uint32_t bss_end,
		     const char *text)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES);
	g_auto(image) kernel = {-1};

	f->h.load_addr = load;
	f->h.header_addr = header;
	f->h.load_end_addr = load_end;
	f->h.bss_end_addr = bss_end;
	kernel = flat_image(f);
	bad_plan(kernel.name, NULL, NULL, &map, text);
}

static void test_multiboot_hostile(void)
{
	const char *invalid = "invalid multiboot addresses";
	const uint32_t top = UINT32_MAX;
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES | 0x8);
	g_auto(image) kernel = flat_image(f);

	bad_plan(kernel.name, NULL, NULL, &map, "of which 0x8 are unknown");
	bad_flat(0x200000, 0x1fffff, 0, 0, invalid);        /* header before the load address */
	bad_flat(0x200000, 0x200041, 0, 0, invalid);        /* load starts before the file */
	bad_flat(0x200000, 0x200020, 0x1fffff, 0, invalid); /* end before start */
	bad_flat(0x200000, 0x200020, 0x200200, 0, invalid); /* end behind the file */
	bad_flat(0x200000, 0x200020, 0x200010, 0x20000f, invalid); /* bss ends before data */
	bad_flat(0x200000, 0x200020, 0, 0x1fffff, invalid);
	bad_flat(0x9fc00, 0x9fc20, 0, 0, "kernel needs 264 bytes of memory at 0x9fc00");
	bad_flat(0x200000, 0x200020, 0, top, "kernel needs");
	bad_flat(top, top, 0, 0, "kernel needs 232 bytes of memory at 0xffffffff");
}

static void test_multiboot_search(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES);
	g_autofree uint8_t *bytes = g_malloc0(8192 + sizeof(*f));

	for (size_t at = 0; at < 8192; at++) {
		bool found = at % 4 == 0 && at + 12 <= 8192;
		g_auto(image) kernel = {-1};

		if (at > 32 && at < 8192 - 40)
			continue;
		memset(bytes, 0, 8192);
		memcpy(bytes + at, &f->h, sizeof(f->h));
		kernel = image_new(bytes, 8192);
		if (found) {
			g_autoptr(GError) err = NULL;
			g_autoptr(boot_plan) plan = plan_of(kernel.name, NULL, NULL, &map, &err);

			g_assert_true(plan || !strstr(err->message, "invalid kernel header"));
		} else {
			bad_plan(kernel.name, NULL, NULL, &map, "invalid kernel header");
		}
	}
}

static void test_multiboot_modules_too_large(void)
{
	struct e820_table map = map_of(64 * MIB, 0);
	g_autofree struct flat *f = flat_new(MULTIBOOT_ADDRESSES);
	g_auto(image) kernel = flat_image(f);
	g_auto(image) module = image_new("", 0);

	g_assert_cmpint(ftruncate(module.fd, 62 * MIB), ==, 0);
	bad_plan(kernel.name, module.name, NULL, &map, "initrd is too large");
	bad_plan(kernel.name, "/no/module args", NULL, &map,
		 "could not open initrd file '/no/module'");
}

/* A 32-bit ELF file; its entry is a virtual address. */
static void test_multiboot_elf(void)
{
	struct {
		Elf32_Ehdr h;
		Elf32_Phdr p;
		uint32_t multiboot[3];
	} e = {
		.h = {.e_ident = ELFMAG "\1\1",
		      .e_machine = EM_386,
		      .e_entry = 0xc0100008,
		      .e_phoff = sizeof(e.h),
		      .e_phnum = 1,
		      .e_phentsize = sizeof(e.p)},
		.p = {.p_type = PT_LOAD,
		      .p_vaddr = 0xc0100000,
		      .p_paddr = 0x100000,
		      .p_filesz = sizeof(e),
		      .p_memsz = 0x1000},
		.multiboot = {MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)},
	};
	struct e820_table map = map_of(256 * MIB, 0);
	g_auto(image) kernel = image_new(&e, sizeof(e));
	g_autoptr(boot_plan) plan = good_plan(kernel.name, NULL, NULL, &map);
	g_autofree struct x86_state *s = state_of(plan);

	g_assert_cmphex(s->rip, ==, 0x100008);
	g_assert_cmphex(s->gpr[R_AX], ==, 0x2badb002);
}

/* A 64-bit one is refused, and so is a header without addresses in what is no ELF file. */
static void test_multiboot_no_elf(void)
{
	struct e820_table map = map_of(256 * MIB, 0);
	g_autofree struct elf64 *e = elf64_new();
	g_autofree struct flat *f = flat_new(0);
	g_auto(image) kernel = {-1};
	g_auto(image) other = flat_image(f);
	uint32_t *header = (uint32_t *)e->text;

	while ((uintptr_t)((char *)header - (char *)e) % 4)
		header = (uint32_t *)((char *)header + 1);
	memcpy(header, &f->h, 12);
	kernel = elf64_image(e);
	bad_plan(kernel.name, NULL, NULL, &map, "Cannot load x86-64 image, give a 32bit one.");
	bad_plan(other.name, NULL, NULL, &map, "no ELF file");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot/pvh/good", test_pvh);
	g_test_add_func("/boot/pvh/truncated", test_pvh_truncated);
	g_test_add_func("/boot/pvh/hostile", test_pvh_hostile);
	g_test_add_func("/boot/multiboot/flat", test_multiboot_flat);
	g_test_add_func("/boot/multiboot/low", test_multiboot_low);
	g_test_add_func("/boot/multiboot/hostile", test_multiboot_hostile);
	g_test_add_func("/boot/multiboot/search", test_multiboot_search);
	g_test_add_func("/boot/multiboot/modules-too-large", test_multiboot_modules_too_large);
	g_test_add_func("/boot/multiboot/elf", test_multiboot_elf);
	g_test_add_func("/boot/multiboot/no-elf", test_multiboot_no_elf);
	return g_test_run();
}
