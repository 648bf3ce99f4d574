/*
 * Direct entry of a kernel by the PVH ABI: what the ELF note says, and the start info the kernel finds
 * at the address in EBX.
 *
 * Source: Xen, docs/misc/pvh.pandoc and the public headers elfnote.h, arch-x86/hvm/start_info.h.
 * Little-endian, naturally aligned.
 */
#ifndef ABI_PVH_H
#define ABI_PVH_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define PVH_NOTE_NAME         "Xen"
#define PVH_NOTE_PHYS32_ENTRY 18 /* descriptor: 4 or 8 bytes, the physical address of the entry */

#define PVH_START_MAGIC 0x336ec578

struct pvh_start_info {
	uint32_t magic;
	uint32_t version; /* 1: has the memory map */
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};
static_assert(offsetof(struct pvh_start_info, modlist_paddr) == 16, "modlist_paddr");
static_assert(offsetof(struct pvh_start_info, rsdp_paddr) == 32, "rsdp_paddr");
static_assert(offsetof(struct pvh_start_info, memmap_entries) == 48, "memmap_entries");
static_assert(sizeof(struct pvh_start_info) == 56, "pvh_start_info");

struct pvh_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};
static_assert(sizeof(struct pvh_module) == 32, "pvh_module");

/* The types are those of E820. */
struct pvh_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};
static_assert(sizeof(struct pvh_memmap_entry) == 24, "pvh_memmap_entry");

#endif
