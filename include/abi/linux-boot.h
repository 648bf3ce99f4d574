/*
 * What a boot loader and a Linux kernel tell each other: the setup header of a bzImage, and the zero
 * page (boot_params) it becomes a part of.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst and zero-page.rst. Little-endian. Only what a loader
 * that enters the kernel in protected or long mode has to know; members that it neither reads nor
 * writes have no name. A member exists from the protocol version on that stands behind it.
 */
#ifndef ABI_LINUX_BOOT_H
#define ABI_LINUX_BOOT_H

#include <assert.h>
#include <stddef.h>

#include "abi/e820.h"

#define LINUX_BOOT_FLAG    0xaa55
#define LINUX_HEADER_MAGIC 0x53726448 /* "HdrS" */
#define LINUX_SECTOR       512
#define LINUX_ENTRY_64     0x200 /* from the start of the protected mode part */
#define LINUX_LOADER_QEMU  0xb0

#define LINUX_LOADED_HIGH    0x01 /* loadflags */
#define LINUX_XLF_KERNEL_64  0x01 /* xloadflags */
#define LINUX_XLF_ABOVE_4G   0x02
#define LINUX_SETUP_DTB      2
#define LINUX_SETUP_RNG_SEED 9 /* setup_data.type */

/* The selectors the kernel is entered with: flat code, flat data. */
#define LINUX_BOOT_CS 0x10
#define LINUX_BOOT_DS 0x18

struct linux_setup_header {
	uint8_t setup_sects; /* sectors of real mode code behind the first; 0 means 4 */
	uint16_t root_flags;
	uint32_t syssize; /* protected mode part in units of 16 bytes; 2.04 */
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint8_t jump[2]; /* jump[1]: the header ends so many bytes behind it */
	uint32_t header;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;      /* 2.02 */
	uint32_t initrd_addr_max;   /* 2.03: the last byte may be here */
	uint32_t kernel_alignment;  /* 2.05 */
	uint8_t relocatable_kernel; /* 2.05 */
	uint8_t min_alignment;      /* 2.10 */
	uint16_t xloadflags;        /* 2.12 */
	uint32_t cmdline_size;      /* 2.06: without the NUL */
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;   /* 2.09: list of struct linux_setup_data */
	uint64_t pref_address; /* 2.10 */
	uint32_t init_size;    /* 2.10: memory it needs from where it runs */
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
	uint8_t later[0x290 - 0x26c];
} __attribute__((packed));

#define LINUX_HEADER_OFFSET     0x1f1 /* in the file and in the zero page */
#define LINUX_HEADER_AT(member) (LINUX_HEADER_OFFSET + offsetof(struct linux_setup_header, member))
static_assert(LINUX_HEADER_AT(boot_flag) == 0x1fe, "boot_flag");
static_assert(LINUX_HEADER_AT(header) == 0x202, "header");
static_assert(LINUX_HEADER_AT(type_of_loader) == 0x210, "type_of_loader");
static_assert(LINUX_HEADER_AT(ramdisk_image) == 0x218, "ramdisk_image");
static_assert(LINUX_HEADER_AT(cmd_line_ptr) == 0x228, "cmd_line_ptr");
static_assert(LINUX_HEADER_AT(xloadflags) == 0x236, "xloadflags");
static_assert(LINUX_HEADER_AT(setup_data) == 0x250, "setup_data");
static_assert(LINUX_HEADER_AT(init_size) == 0x260, "init_size");

#define LINUX_E820_MAX 128

struct linux_boot_params {
	uint8_t screen_info[0x40]; /* all zeros: no display */
	uint8_t hole1[0x30];
	uint64_t acpi_rsdp_addr;
	uint8_t hole2[0x48];
	uint32_t ext_ramdisk_image; /* upper halves of the header's members; 2.12 */
	uint32_t ext_ramdisk_size;
	uint32_t ext_cmd_line_ptr;
	uint8_t hole3[0x1e0 - 0xcc];
	uint32_t alt_mem_k; /* KiB from 1 MiB up, for kernels that find no e820 map */
	uint8_t hole4[4];
	uint8_t e820_entries;
	uint8_t hole5[LINUX_HEADER_OFFSET - 0x1e9];
	struct linux_setup_header hdr;
	uint8_t hole6[0x2d0 - 0x290];
	struct e820_entry e820_table[LINUX_E820_MAX];
	uint8_t hole7[0x1000 - 0xcd0];
} __attribute__((packed));
static_assert(offsetof(struct linux_boot_params, acpi_rsdp_addr) == 0x70, "acpi_rsdp_addr");
static_assert(offsetof(struct linux_boot_params, ext_ramdisk_image) == 0xc0, "ext_ramdisk_image");
static_assert(offsetof(struct linux_boot_params, alt_mem_k) == 0x1e0, "alt_mem_k");
static_assert(offsetof(struct linux_boot_params, e820_entries) == 0x1e8, "e820_entries");
static_assert(offsetof(struct linux_boot_params, hdr) == 0x1f1, "hdr");
static_assert(offsetof(struct linux_boot_params, e820_table) == 0x2d0, "e820_table");
static_assert(sizeof(struct linux_boot_params) == 4096, "boot_params");

/* A node of the list, in front of its data. */
struct linux_setup_data {
	uint64_t next;
	uint32_t type;
	uint32_t len;
} __attribute__((packed));
static_assert(sizeof(struct linux_setup_data) == 16, "setup_data");

#endif
