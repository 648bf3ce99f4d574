/*
 * The linker script that firmware carries out to put tables into memory: QEMU's hw/acpi/bios-linker-loader
 * interface as SeaBIOS and OVMF read it. Little-endian, packed; names end with a NUL.
 */
#ifndef ABI_TABLE_LOADER_H
#define ABI_TABLE_LOADER_H

#include <stdint.h>

#define LOADER_NAME_SIZE 56
#define LOADER_SIZE      128 /* of a command, the unused rest is zero */

enum loader_command_kind {
	LOADER_ALLOCATE = 1,    /* a place for a file */
	LOADER_ADD_POINTER = 2, /* add where one file lies to a number in another */
	LOADER_ADD_CHECKSUM = 3,
	LOADER_WRITE_POINTER = 4, /* write where a file lies to a file that can be written */
};

enum loader_zone {
	LOADER_HIGH = 1, /* anywhere below 4 GiB */
	LOADER_FSEG = 2, /* F0000h to FFFFFh */
};

struct loader_command {
	uint32_t kind;
	union {
		struct {
			char file[LOADER_NAME_SIZE];
			uint32_t align;
			uint8_t zone;
		} __attribute__((packed)) allocate;
		struct {
			char dest[LOADER_NAME_SIZE], source[LOADER_NAME_SIZE];
			uint32_t offset;
			uint8_t size;
		} __attribute__((packed)) pointer;
		struct {
			char file[LOADER_NAME_SIZE];
			uint32_t offset, start, length;
		} __attribute__((packed)) checksum;
		struct {
			char dest[LOADER_NAME_SIZE], source[LOADER_NAME_SIZE];
			uint32_t dest_offset, source_offset;
			uint8_t size;
		} __attribute__((packed)) report;
		uint8_t bytes[LOADER_SIZE - 4];
	};
} __attribute__((packed));

_Static_assert(sizeof(struct loader_command) == LOADER_SIZE, "size of a command");

#endif
