/*
 * SMBIOS structures as they lie in guest memory: little-endian, packed (DMTF DSP0134, 3.0, clause 7;
 * entry points clause 5.2). Members called *_str are numbers of strings, from 1, 0 for none; the
 * strings follow the structure, each with a NUL, and one more NUL after the last.
 */
#ifndef ABI_SMBIOS_H
#define ABI_SMBIOS_H

#include <stdint.h>

#define SMBIOS_PACKED __attribute__((packed))

struct smbios_header {
	uint8_t type;
	uint8_t length; /* without strings */
	uint16_t handle;
} SMBIOS_PACKED;

struct smbios_bios { /* 0 */
	struct smbios_header header;
	uint8_t vendor_str, version_str;
	uint16_t start_segment;
	uint8_t date_str;
	uint8_t rom_size;
	uint64_t characteristics;
	uint8_t extension[2];
	uint8_t major, minor;
	uint8_t controller_major, controller_minor;
} SMBIOS_PACKED;

struct smbios_system { /* 1 */
	struct smbios_header header;
	uint8_t manufacturer_str, product_str, version_str, serial_str;
	uint8_t uuid[16]; /* the first three fields little-endian */
	uint8_t wake_up;
	uint8_t sku_str, family_str;
} SMBIOS_PACKED;

struct smbios_board { /* 2 */
	struct smbios_header header;
	uint8_t manufacturer_str, product_str, version_str, serial_str, asset_str;
	uint8_t features;
	uint8_t location_str;
	uint16_t chassis;
	uint8_t type;
	uint8_t contained;
} SMBIOS_PACKED;

struct smbios_chassis { /* 3 */
	struct smbios_header header;
	uint8_t manufacturer_str;
	uint8_t type;
	uint8_t version_str, serial_str, asset_str;
	uint8_t boot_state, power_state, thermal_state, security;
	uint32_t oem;
	uint8_t height, power_cords;
	uint8_t contained, contained_length;
	uint8_t sku_str;
} SMBIOS_PACKED;

struct smbios_processor { /* 4 */
	struct smbios_header header;
	uint8_t socket_str;
	uint8_t type, family;
	uint8_t manufacturer_str;
	uint32_t signature, features; /* CPUID 1: EAX and EDX */
	uint8_t version_str;
	uint8_t voltage;
	uint16_t external_clock, max_speed, current_speed; /* MHz */
	uint8_t status, upgrade;
	uint16_t cache[3]; /* handles */
	uint8_t serial_str, asset_str, part_str;
	uint8_t cores, cores_enabled, threads;
	uint16_t characteristics;
	uint16_t family2;
	uint16_t cores2, cores_enabled2, threads2; /* from 3.0 on */
} SMBIOS_PACKED;
#define SMBIOS_PROCESSOR_LENGTH_28 0x2a

struct smbios_connector { /* 8 */
	struct smbios_header header;
	uint8_t internal_str, internal_type;
	uint8_t external_str, external_type;
	uint8_t port_type;
} SMBIOS_PACKED;

struct smbios_oem_strings { /* 11 */
	struct smbios_header header;
	uint8_t count;
} SMBIOS_PACKED;

struct smbios_memory_array { /* 16 */
	struct smbios_header header;
	uint8_t location, use, error_correction;
	uint32_t capacity; /* KiB, or bit 31 alone: see the other one */
	uint16_t error_handle;
	uint16_t devices;
	uint64_t extended_capacity; /* bytes */
} SMBIOS_PACKED;

struct smbios_memory_device { /* 17 */
	struct smbios_header header;
	uint16_t array, error_handle;
	uint16_t total_width, data_width;
	uint16_t size; /* MiB; 0x7fff: see the other one */
	uint8_t form_factor, device_set;
	uint8_t locator_str, bank_str;
	uint8_t type;
	uint16_t detail;
	uint16_t speed; /* MT/s */
	uint8_t manufacturer_str, serial_str, asset_str, part_str;
	uint8_t attributes;
	uint32_t extended_size; /* MiB */
	uint16_t configured_speed;
	uint16_t voltage[3];
} SMBIOS_PACKED;

struct smbios_mapped_address { /* 19 */
	struct smbios_header header;
	uint32_t start, end; /* KiB; all bits set: see the others */
	uint16_t array;
	uint8_t partition_width;
	uint64_t extended_start, extended_end; /* bytes */
} SMBIOS_PACKED;

struct smbios_boot { /* 32 */
	struct smbios_header header;
	uint8_t reserved[6];
	uint8_t status;
} SMBIOS_PACKED;

struct smbios_onboard { /* 41 */
	struct smbios_header header;
	uint8_t designation_str;
	uint8_t kind; /* bit 7: enabled */
	uint8_t instance;
	uint16_t segment;
	uint8_t bus, devfn;
} SMBIOS_PACKED;

/* Entry point of versions 2.x. The first checksum covers all, the second from "_DMI_" on. */
struct smbios_anchor21 {
	char anchor[4]; /* "_SM_" */
	uint8_t checksum;
	uint8_t length;
	uint8_t major, minor;
	uint16_t max_size;
	uint8_t revision;
	uint8_t formatted[5];
	char intermediate[5]; /* "_DMI_" */
	uint8_t intermediate_checksum;
	uint16_t table_length;
	uint32_t table;
	uint16_t count;
	uint8_t bcd_revision;
} SMBIOS_PACKED;

struct smbios_anchor30 {
	char anchor[5]; /* "_SM3_" */
	uint8_t checksum;
	uint8_t length;
	uint8_t major, minor, docrev;
	uint8_t revision;
	uint8_t reserved;
	uint32_t max_size; /* of the table */
	uint64_t table;
} SMBIOS_PACKED;

#undef SMBIOS_PACKED

_Static_assert(sizeof(struct smbios_bios) == 0x18, "7.1");
_Static_assert(sizeof(struct smbios_system) == 0x1b, "7.2");
_Static_assert(sizeof(struct smbios_board) == 0x0f, "7.3");
_Static_assert(sizeof(struct smbios_chassis) == 0x16, "7.4");
_Static_assert(sizeof(struct smbios_processor) == 0x30, "7.5");
_Static_assert(sizeof(struct smbios_connector) == 0x09, "7.9");
_Static_assert(sizeof(struct smbios_memory_array) == 0x17, "7.17");
_Static_assert(sizeof(struct smbios_memory_device) == 0x28, "7.18");
_Static_assert(sizeof(struct smbios_mapped_address) == 0x1f, "7.20");
_Static_assert(sizeof(struct smbios_boot) == 0x0b, "7.33");
_Static_assert(sizeof(struct smbios_onboard) == 0x0b, "7.42");
_Static_assert(sizeof(struct smbios_anchor21) == 0x1f, "5.2.1");
_Static_assert(sizeof(struct smbios_anchor30) == 0x18, "5.2.2");

#endif
