/*
 * Multiboot, version 1: the header in a kernel, and what the loader leaves in memory for it.
 *
 * Source: Multiboot Specification 0.6.96, chapter 3. Little-endian.
 */
#ifndef ABI_MULTIBOOT_H
#define ABI_MULTIBOOT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT_SEARCH       8192 /* the header lies in the first so many bytes, 4-aligned */
#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_LOADER_MAGIC 0x2badb002 /* in EAX at entry */

/* Header flags: bits 0 to 15 must be understood, the others may be ignored. */
#define MULTIBOOT_PAGE_ALIGN 0x1 /* modules on page boundaries */
#define MULTIBOOT_MEMORY     0x2
#define MULTIBOOT_VIDEO      0x4
#define MULTIBOOT_MUST       0xffff
#define MULTIBOOT_ADDRESSES  0x10000 /* the address members are valid: no ELF needed */

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum; /* the three add up to 0 */
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr; /* 0: all of the file */
	uint32_t bss_end_addr;  /* 0: no bss */
	uint32_t entry_addr;
};
static_assert(sizeof(struct multiboot_header) == 32, "multiboot_header");

/* Which members of the info are valid. */
#define MULTIBOOT_INFO_MEMORY  0x001
#define MULTIBOOT_INFO_BOOTDEV 0x002
#define MULTIBOOT_INFO_CMDLINE 0x004
#define MULTIBOOT_INFO_MODS    0x008
#define MULTIBOOT_INFO_MMAP    0x040
#define MULTIBOOT_INFO_LOADER  0x200

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower; /* KiB from 0 */
	uint32_t mem_upper; /* KiB from 1 MiB, up to the first hole */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length; /* bytes */
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe[4];
};
static_assert(offsetof(struct multiboot_info, mmap_length) == 44, "mmap_length");
static_assert(offsetof(struct multiboot_info, boot_loader_name) == 64, "boot_loader_name");
static_assert(sizeof(struct multiboot_info) == 88, "multiboot_info");

struct multiboot_module {
	uint32_t start;
	uint32_t end; /* first byte behind it */
	uint32_t string;
	uint32_t reserved;
};
static_assert(sizeof(struct multiboot_module) == 16, "multiboot_module");

/* The types are those of E820. */
struct multiboot_mmap {
	uint32_t size; /* of what follows */
	uint64_t start;
	uint64_t len;
	uint32_t type;
} __attribute__((packed));
static_assert(sizeof(struct multiboot_mmap) == 24, "multiboot_mmap");

#endif
