/*
 * Between the loaders of this folder: files that are read with checks, and the plan while it is made.
 */
#ifndef HW_BOOT_INTERNAL_H
#define HW_BOOT_INTERNAL_H

#include "abi/linux-boot.h"
#include "base/checked.h"
#include "hw/boot.h"

/* ---- Files ---- */

struct boot_file {
	char *name;
	const char *what; /* "kernel", "initrd" */
	int fd;           /* -1: the content is in bytes */
	GBytes *bytes;
	uint64_t size;
	int refs;
};

/* Opens a file, or reads all of what is no regular one. @what is static. */
struct boot_file *boot_file_open(const char *what, const char *name, GError **errp);
struct boot_file *boot_file_ref(struct boot_file *file);
void boot_file_unref(struct boot_file *file);
typedef struct boot_file boot_file; /* for g_autoptr(boot_file) only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(boot_file, boot_file_unref)

/* @len bytes from @offset on, all of them or an error. */
bool boot_file_read(const struct boot_file *file, uint64_t offset, void *buf, size_t len,
		    GError **errp);

/* ---- Registers ---- */

/* What firmware sets up on every CPU, whatever it starts. */
void boot_set_memory_types(struct x86_state *state);

/* ---- The plan ---- */

enum boot_mode { BOOT_MODE_PROTECTED, BOOT_MODE_LONG };

struct boot_plan {
	const struct e820_table *map; /* while it is made */
	GArray *segments;             /* struct boot_segment, by address */
	enum boot_mode mode;
	uint64_t entry;
	uint64_t ax, bx, si;
	uint64_t gdt, page_tables; /* addresses */
	uint64_t stack_end;
	uint64_t facs;
};

/* Low memory from here on is for what the loader makes; interrupt vectors and BIOS data lie below. */
#define BOOT_PAGE      4096ULL
#define BOOT_LOW_START 0x1000
#define BOOT_LOW_END   MIB

/* All of the segment is RAM, or an error with the numbers. */
bool plan_has_ram(const struct boot_plan *plan, const struct boot_segment *seg, GError **errp);

/*
 * Adds a segment and takes over what it references, even on failure. All but blobs must lie in RAM.
 * Fails when it does not, or when it overlaps another.
 */
bool plan_add(struct boot_plan *plan, struct boot_segment seg, GError **errp);
bool plan_add_file(struct boot_plan *plan, const char *what, uint64_t addr, struct boot_file *file,
		   uint64_t offset, uint64_t size, GError **errp);
bool plan_add_bytes(struct boot_plan *plan, const char *what, uint64_t addr, const void *bytes,
		    size_t size, GError **errp);
bool plan_add_blob(struct boot_plan *plan, const struct boot_blob *blob, GError **errp);

/* The lowest or highest free place in RAM within [min, end); false if there is none. @align: a power of 2. */
bool plan_find_low(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t min,
		   uint64_t end, uint64_t *addr);
bool plan_find_high(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t min,
		    uint64_t end, uint64_t *addr);
/* As plan_find_low() in the memory below 1 MiB, or else up to 4 GiB; with an error. */
bool plan_find_small(const struct boot_plan *plan, const char *what, uint64_t size, uint64_t align,
		     uint64_t *addr, GError **errp);

/*
 * The descriptor table that entry in either mode needs, and page tables for BOOT_MODE_LONG. And a small
 * stack: no protocol promises one, but under boot loaders there always is, and kernels have come to
 * rely on it for their first calls.
 */
bool plan_add_tables(struct boot_plan *plan, GError **errp);
/* The few words of BIOS data that kernels look for, where nothing else has been put. */
bool plan_add_bios_data(struct boot_plan *plan, GError **errp);

/*
 * Structures that point at each other, in one piece of memory: capacity is reserved, then each append
 * gives the address of what was appended (8-aligned).
 */
struct boot_arena {
	const char *what;
	uint64_t base;
	GByteArray *bytes;
	size_t capacity;
};
#define ARENA_SIZE(size) ROUND_UP((uint64_t)(size), 8)
bool arena_init(struct boot_arena *arena, struct boot_plan *plan, const char *what,
		uint64_t capacity, GError **errp);
uint64_t arena_append(struct boot_arena *arena, const void *data, size_t size);
uint64_t arena_append_string(struct boot_arena *arena, const char *text);
bool arena_finish(struct boot_arena *arena, struct boot_plan *plan, GError **errp);

/* ---- The initrd ---- */

struct boot_initrd {
	GPtrArray *files;   /* struct boot_file * */
	GPtrArray *strings; /* char *, as given, "file args" */
};

/* The items of -initrd; with_args: what follows a space is not part of the file's name. */
bool boot_initrd_open(struct boot_initrd *in, const char *list, bool with_args, GError **errp);
void boot_initrd_clear(struct boot_initrd *in);
typedef struct boot_initrd boot_initrd; /* for g_auto(boot_initrd) only */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(boot_initrd, boot_initrd_clear)

/*
 * All files one behind the other, each from a multiple of 4 on (as Linux wants archives of its initramfs),
 * at the highest place that ends at or before @end. Without files *addr and *size are 0. Where there is
 * no room below @end, one of above 4 GiB will do if @above_4g.
 */
bool plan_add_initrd(struct boot_plan *plan, const struct boot_initrd *in, uint64_t end,
		     bool above_4g, uint64_t *addr, uint64_t *size, GError **errp);

/* ---- Kinds of kernels ---- */

/* Each says whether the kernel is of its kind, or fails: what is broken is no other kind either. */
enum boot_kind { BOOT_NOT_MINE, BOOT_DONE, BOOT_FAILED };
struct boot_loader {
	const char *name;
	enum boot_kind (*load)(struct boot_plan *plan, struct boot_file *kernel,
			       const struct boot_request *req, GError **errp);
};
extern const struct boot_loader linux_loader, multiboot_loader, pvh_loader;

/* ---- Linux ---- */

struct linux_image {
	struct boot_file *file;        /* borrowed */
	struct linux_setup_header hdr; /* what is younger than the protocol is zero */
	uint64_t offset, size;         /* of the protected mode part in the file */
	uint64_t load_at;
};

bool linux_is_image(const struct boot_file *file);
/* Header, offset and size, checked against the file. */
bool linux_image_read(struct linux_image *image, GError **errp);

/* ---- ELF ---- */

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_image {
	struct boot_file *file; /* borrowed */
	bool is_64;
	uint64_t entry;   /* virtual */
	GArray *segments; /* struct elf_segment: all program headers */
};

/* Program headers of an x86 executable, with every offset checked against the file. */
enum boot_kind elf_open(struct elf_image *elf, struct boot_file *file, GError **errp);
void elf_clear(struct elf_image *elf);
typedef struct elf_image elf_image; /* for g_auto(elf_image) only */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(elf_image, elf_clear)

/* Adds all that is to be loaded, at physical addresses. */
bool elf_load(const struct elf_image *elf, struct boot_plan *plan, GError **errp);
/* The physical address of the entry, if it lies in what is loaded; else the entry itself. */
uint64_t elf_entry(const struct elf_image *elf);
/* The descriptor of a note: bytes of it, up to @max, or 0: there is no such note; -1: an error. */
int elf_note(const struct elf_image *elf, const char *name, uint32_t type, void *desc, size_t max,
	     GError **errp);

#endif
