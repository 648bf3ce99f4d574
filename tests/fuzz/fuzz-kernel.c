/*
 * Kernels of all kinds, with initrds, on machines of several sizes. Whatever the files hold, a plan is
 * refused with one line or keeps to guest RAM, to the files, and to itself.
 *
 * The input: one byte for the machine and the kind of kernel, one for the initrd; the rest is the kernel,
 * with the magic numbers of its kind stamped on.
 */
#include "abi/linux-boot.h"
#include "abi/multiboot.h"
#include "abi/pvh.h"
#include "base/checked.h"
#include "cpu/x86.h"
#include "hw/boot.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t ram_sizes[][2] = {
	{MIB, 0}, {17 * MIB, 0}, {256 * MIB, 0}, {3 * GIB, 0}, {3 * GIB, 1024 * GIB},
};

static struct e820_table make_map(unsigned choice)
{
	const uint64_t *ram = ram_sizes[(choice & 15) % G_N_ELEMENTS(ram_sizes)];
	struct e820_table map = {0};

	e820_add_board(&map, ram[0], ram[1]);
	if (choice & 0x80)
		return map;
	e820_add_firmware(&map);
	e820_set(&map, ram[0] - 64 * KIB, 64 * KIB, E820_ACPI);
	return map;
}

static void check_segment(const struct boot_segment *seg, const struct e820_table *map)
{
	uint8_t byte;

	g_assert_cmpuint(seg->size, >, 0);
	g_assert_true(e820_is_ram(map, seg->addr, seg->size));
	if (seg->source == BOOT_BYTES)
		g_assert_cmpuint(g_bytes_get_size(seg->bytes), ==, seg->size);
	if (seg->source == BOOT_FILE) {
		g_assert_true(boot_segment_read(seg, 0, &byte, 1, NULL));
		g_assert_true(boot_segment_read(seg, seg->size - 1, &byte, 1, NULL));
	}
}

static void check_plan(const struct boot_plan *plan, const struct e820_table *map)
{
	g_autofree struct x86_state *state = g_new0(struct x86_state, 1);
	size_t count;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	for (size_t i = 0; i < count; i++) {
		check_segment(&seg[i], map);
		if (i)
			g_assert_cmphex(seg[i - 1].addr + seg[i - 1].size, <=, seg[i].addr);
	}
	x86_state_reset(state, true, 0);
	boot_plan_set_cpu(plan, true, state);
	g_assert_cmphex(state->rip, <=, 4 * GIB + 0x200);
}

/* ---- Magic numbers that mutation would take long to find ---- */

static void stamp_linux(uint8_t *bytes, size_t len)
{
	if (len < 0x260)
		return;
	put_le32(bytes + LINUX_HEADER_AT(header), LINUX_HEADER_MAGIC);
	bytes[LINUX_HEADER_AT(version) + 1] = 2;
	bytes[LINUX_HEADER_AT(loadflags)] |= LINUX_LOADED_HIGH;
}

static void stamp_elf(uint8_t *bytes, size_t len, bool is_64)
{
	const size_t size = is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	const size_t count_at =
		is_64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum);

	if (len < size)
		return;
	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = is_64 ? ELFCLASS64 : ELFCLASS32;
	bytes[EI_DATA] = ELFDATA2LSB;
	put_le16(bytes + offsetof(Elf32_Ehdr, e_machine), is_64 ? EM_X86_64 : EM_386);
	put_le64(bytes + (is_64 ? offsetof(Elf64_Ehdr, e_phoff) : 24), is_64 ? size : 0);
	if (!is_64)
		put_le32(bytes + offsetof(Elf32_Ehdr, e_phoff), size);
	put_le16(bytes + count_at - 2, is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	put_le16(bytes + count_at, bytes[count_at] % 8 | 2);
}

/* The first program header is of a note that names an entry, the second wants to be loaded in low RAM. */
static void stamp_note(uint8_t *bytes, size_t len)
{
	const size_t at = 0x200, load = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	const Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = at, .p_filesz = 24, .p_align = 4};

	if (len < at + p.p_filesz)
		return;
	memcpy(bytes + sizeof(Elf64_Ehdr), &p, sizeof(p));
	put_le32(bytes + load, PT_LOAD);
	memset(bytes + load + offsetof(Elf64_Phdr, p_paddr) + 3, 0, 5);
	put_le32(bytes + at, sizeof(PVH_NOTE_NAME));
	put_le32(bytes + at + 4, 8);
	put_le32(bytes + at + 8, PVH_NOTE_PHYS32_ENTRY);
	memcpy(bytes + at + 12, PVH_NOTE_NAME, sizeof(PVH_NOTE_NAME));
	put_le32(bytes + at + 20, 0);
}

static void stamp_multiboot(uint8_t *bytes, size_t len, size_t at)
{
	if (len < at + sizeof(struct multiboot_header))
		return;
	put_le32(bytes + at, MULTIBOOT_HEADER_MAGIC);
	put_le32(bytes + at + 8, -(MULTIBOOT_HEADER_MAGIC + get_le32(bytes + at + 4)));
}

static void stamp(uint8_t *bytes, size_t len, unsigned kind)
{
	switch (kind) {
	case 1:
		stamp_linux(bytes, len);
		break;
	case 2:
		stamp_elf(bytes, len, true);
		break;
	case 3:
		stamp_elf(bytes, len, false);
		break;
	case 4:
		stamp_elf(bytes, len, false);
		stamp_multiboot(bytes, len, 256);
		break;
	case 5:
		stamp_multiboot(bytes, len, 32);
		break;
	case 6:
		stamp_elf(bytes, len, true);
		stamp_note(bytes, len);
		break;
	}
}

static char *make_file(int *fd, const void *bytes, size_t size)
{
	*fd = memfd_create("fuzz", MFD_CLOEXEC);
	g_assert_cmpint(write(*fd, bytes, size), ==, size);
	return g_strdup_printf("/proc/self/fd/%d", *fd);
}

static void run(const char *kernel, const char *initrd, const struct e820_table *map)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(boot_plan) plan = NULL;
	const struct boot_request req = {
		.kernel = kernel,
		.initrd = initrd,
		.append = "console=ttyS0",
		.map = map,
	};

	plan = boot_plan_new(&req, &err);
	g_assert_true(!plan == !!err);
	if (plan)
		check_plan(plan, map);
	else
		g_assert_null(strchr(err->message, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *kernel = NULL, *initrd = NULL, *list = NULL;
	g_autofree uint8_t *image = NULL;
	struct e820_table map;
	int kernel_fd, initrd_fd;

	if (len < 2)
		return 0;
	map = make_map(data[0]);
	image = g_memdup2(data + 2, len - 2);
	stamp(image, len - 2, data[0] >> 4 & 7);
	kernel = make_file(&kernel_fd, image, len - 2);
	initrd = make_file(&initrd_fd, data, data[1] % len);
	list = data[1] & 1 ? g_strdup_printf("%s,%s", initrd, kernel) : g_strdup(initrd);
	/* A hole as large as an address space makes a large file of a small one. */
	if (data[1] & 2 && ftruncate(initrd_fd, 1ULL << (data[1] >> 2)) < 0)
		g_clear_pointer(&list, g_free);
	run(kernel, list, &map);
	close(kernel_fd);
	close(initrd_fd);
	return 0;
}
