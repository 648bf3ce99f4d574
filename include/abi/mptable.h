/* The MultiProcessor table: Intel MultiProcessor Specification 1.4 (242016-006), chapter 4. */
#ifndef ABI_MPTABLE_H
#define ABI_MPTABLE_H

#include <stdint.h>

#define MP_REVISION 4
#define MP_PACKED   __attribute__((packed))

/* 4.1: on a paragraph in the extended BIOS data area, the last KiB of base memory, or F0000h to FFFFFh. */
struct mp_pointer {
	char signature[4] __attribute__((nonstring)); /* "_MP_" */
	uint32_t table;
	uint8_t paragraphs, revision, checksum;
	uint8_t default_configuration; /* 0: there is a table */
	uint8_t features[4];
} MP_PACKED;

/* 4.2 */
struct mp_header {
	char signature[4] __attribute__((nonstring)); /* "PCMP" */
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8] __attribute__((nonstring));
	char product[12] __attribute__((nonstring));
	uint32_t oem_table;
	uint16_t oem_size;
	uint16_t entries;
	uint32_t local_apic;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
} MP_PACKED;

/* 4.3: in this order. */
enum mp_entry { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };

struct mp_processor {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features; /* CPUID 1 EAX, EDX */
	uint32_t reserved[2];
} MP_PACKED;
#define MP_CPU_ENABLED 1
#define MP_CPU_BOOT    2

struct mp_bus {
	uint8_t type, id;
	char name[6] __attribute__((nonstring));
} MP_PACKED;

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} MP_PACKED;
#define MP_IOAPIC_ENABLED 1

/* Lines to I/O APICs and to local ones. */
struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags; /* 0: as is usual on the bus */
	uint8_t bus, line, apic, pin;
} MP_PACKED;
enum mp_interrupt_kind { MP_INT, MP_NMI, MP_SMI, MP_EXTINT };
#define MP_ACTIVE_HIGH (1 << 0)
#define MP_LEVEL       (3 << 2)

#undef MP_PACKED

_Static_assert(sizeof(struct mp_pointer) == 16, "4.1");
_Static_assert(sizeof(struct mp_header) == 44, "4.2");
_Static_assert(sizeof(struct mp_processor) == 20, "4.3.1");
_Static_assert(sizeof(struct mp_bus) == 8, "4.3.2");
_Static_assert(sizeof(struct mp_ioapic) == 8, "4.3.3");
_Static_assert(sizeof(struct mp_interrupt) == 8, "4.3.4");

#endif
