/*
 * The firmware configuration interface as firmware sees it: QEMU's docs/specs/fw_cfg.
 */
#ifndef ABI_FW_CFG_H
#define ABI_FW_CFG_H

#include <stdint.h>

enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_MACHINE_ID = 0x06,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_KERNEL_CMDLINE = 0x09,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_DEVICE = 0x0c,
	FW_CFG_NUMA = 0x0d,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_ENTRY = 0x10,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,

	FW_CFG_WRITE_CHANNEL = 0x4000,
	FW_CFG_ARCH_LOCAL = 0x8000,
	FW_CFG_KEY_MASK = 0x3fff,

	/* x86 */
	FW_CFG_ACPI_TABLES = FW_CFG_ARCH_LOCAL + 0,
	FW_CFG_SMBIOS_ENTRIES = FW_CFG_ARCH_LOCAL + 1,
	FW_CFG_IRQ0_OVERRIDE = FW_CFG_ARCH_LOCAL + 2,
	FW_CFG_HPET = FW_CFG_ARCH_LOCAL + 4,
};

enum fw_cfg_id {
	FW_CFG_HAS_TRADITIONAL = 0x01,
	FW_CFG_HAS_DMA = 0x02,
};

#define FW_CFG_NAME_SIZE 56 /* with the final NUL */

/* The directory: a count, then one entry per file. All big-endian. */
struct fw_cfg_dir_entry {
	uint32_t size;
	uint16_t key;
	uint16_t reserved;
	char name[FW_CFG_NAME_SIZE];
};

/* What the DMA address register points at. All big-endian. */
struct fw_cfg_dma_access {
	uint32_t control; /* key << 16 | bits; 0 or the error bit when done */
	uint32_t length;
	uint64_t address;
};

enum fw_cfg_dma_bit {
	FW_CFG_DMA_ERROR = 0x01,
	FW_CFG_DMA_READ = 0x02,
	FW_CFG_DMA_SKIP = 0x04,
	FW_CFG_DMA_SELECT = 0x08,
	FW_CFG_DMA_WRITE = 0x10,
};

#define FW_CFG_DMA_SIGNATURE 0x51454d5520434647ULL /* "QEMU CFG" */

#endif
