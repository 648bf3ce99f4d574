/*
 * ACPI tables as they lie in guest memory: little-endian, packed.
 *
 * ACPI specification 6.4, chapter 5.2; the HPET table is from IA-PC HPET 1.0a, 3.2.4; MCFG from PCI
 * Firmware 3.2, 4.1.2; WAET from Microsoft's "Windows ACPI Emulated Devices Table" 1.0.
 */
#ifndef ABI_ACPI_H
#define ABI_ACPI_H

#include <stdint.h>

#define ACPI_PACKED __attribute__((packed))

/* Begins every table but RSDP and FACS. All bytes of a table add up to 0. */
struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} ACPI_PACKED;

/* 5.2.5.3. The first checksum covers 20 bytes, the second all. */
struct acpi_rsdp {
	char signature[8]; /* "RSD PTR " */
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} ACPI_PACKED;
#define ACPI_RSDP_V1_SIZE 20

/* 5.2.10. On a boundary of 64 bytes, without a checksum. */
struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} ACPI_PACKED;
#define ACPI_FACS_ALIGN 64

/* 5.2.9, as far as revision 1 goes. */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t int_model; /* 1: APICs as well as PICs; reserved since ACPI 2.0 */
	uint8_t pm_profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint8_t s4bios_req;
	uint8_t pstate_cnt;
	uint32_t pm1a_evt;
	uint32_t pm1b_evt;
	uint32_t pm1a_cnt;
	uint32_t pm1b_cnt;
	uint32_t pm2_cnt;
	uint32_t pm_timer;
	uint32_t gpe0;
	uint32_t gpe1;
	uint8_t pm1_evt_len;
	uint8_t pm1_cnt_len;
	uint8_t pm2_cnt_len;
	uint8_t pm_timer_len;
	uint8_t gpe0_len;
	uint8_t gpe1_len;
	uint8_t gpe1_base;
	uint8_t cst_cnt;
	uint16_t c2_latency; /* microseconds; above 100: no C2 */
	uint16_t c3_latency; /* above 1000: no C3 */
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century; /* index in CMOS */
	uint16_t boot_arch;
	uint8_t reserved;
	uint32_t flags;
} ACPI_PACKED;

#define ACPI_FADT_WBINVD             (1U << 0)
#define ACPI_FADT_PROC_C1            (1U << 2)
#define ACPI_FADT_SLP_BUTTON         (1U << 5) /* no fixed sleep button */
#define ACPI_FADT_RTC_S4             (1U << 7)
#define ACPI_FADT_USE_PLATFORM_CLOCK (1U << 15)
#define ACPI_FADT_APIC_CLUSTER       (1U << 18) /* logical delivery needs the cluster model */

/* 5.2.12 */
struct acpi_madt {
	struct acpi_header header;
	uint32_t local_apic;
	uint32_t flags;
} ACPI_PACKED;
#define ACPI_MADT_PCAT_COMPAT (1U << 0) /* there are 8259s too */

struct acpi_madt_local_apic {
	uint8_t type; /* 0 */
	uint8_t length;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
} ACPI_PACKED;
#define ACPI_MADT_ENABLED (1U << 0)

struct acpi_madt_io_apic {
	uint8_t type; /* 1 */
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} ACPI_PACKED;

struct acpi_madt_override {
	uint8_t type; /* 2 */
	uint8_t length;
	uint8_t bus; /* 0: ISA */
	uint8_t source;
	uint32_t gsi;
	uint16_t flags;
} ACPI_PACKED;
#define ACPI_INTI_AS_BUS            0x0
#define ACPI_INTI_ACTIVE_HIGH_LEVEL 0xd

struct acpi_madt_nmi {
	uint8_t type; /* 4 */
	uint8_t length;
	uint8_t uid; /* 0xff: all */
	uint16_t flags;
	uint8_t lint;
} ACPI_PACKED;

struct acpi_madt_x2apic {
	uint8_t type; /* 9 */
	uint8_t length;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t uid;
} ACPI_PACKED;

struct acpi_madt_x2apic_nmi {
	uint8_t type; /* 10 */
	uint8_t length;
	uint16_t flags;
	uint32_t uid; /* all bits set: all */
	uint8_t lint;
	uint8_t reserved[3];
} ACPI_PACKED;

/* 5.2.3.2 */
struct acpi_address {
	uint8_t space; /* 0: memory, 1: ports */
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} ACPI_PACKED;

struct acpi_hpet {
	struct acpi_header header;
	uint32_t block_id;
	struct acpi_address address;
	uint8_t number;
	uint16_t min_tick;
	uint8_t page_protection;
} ACPI_PACKED;

struct acpi_mcfg {
	struct acpi_header header;
	uint64_t reserved;
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first;
	uint8_t bus_last;
	uint32_t reserved2;
} ACPI_PACKED;

struct acpi_waet {
	struct acpi_header header;
	uint32_t flags;
} ACPI_PACKED;
#define ACPI_WAET_PM_TIMER_GOOD (1U << 1) /* one read of the PM timer is enough */

/* 5.2.16: which CPUs and memory belong together. */
struct acpi_srat {
	struct acpi_header header;
	uint32_t reserved1; /* 1 */
	uint64_t reserved2;
} ACPI_PACKED;
#define ACPI_SRAT_ENABLED (1U << 0)

struct acpi_srat_cpu {
	uint8_t type; /* 0 */
	uint8_t length;
	uint8_t domain_low;
	uint8_t apic_id;
	uint32_t flags;
	uint8_t sapic_eid;
	uint8_t domain_high[3];
	uint32_t clock_domain;
} ACPI_PACKED;

struct acpi_srat_memory {
	uint8_t type; /* 1 */
	uint8_t length;
	uint32_t domain;
	uint16_t reserved1;
	uint64_t base, size;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
} ACPI_PACKED;

struct acpi_srat_x2apic {
	uint8_t type; /* 2 */
	uint8_t length;
	uint16_t reserved1;
	uint32_t domain;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t clock_domain;
	uint32_t reserved2;
} ACPI_PACKED;

/* 5.2.17: distances, a byte each. */
struct acpi_slit {
	struct acpi_header header;
	uint64_t count;
} ACPI_PACKED;

/* 5.2.9, revision 5, without the hypervisor's identity. */
struct acpi_fadt5 {
	struct acpi_fadt v1;
	struct acpi_address reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_address x_blocks[8]; /* PM1 and PM2 blocks, timer, GPEs */
	struct acpi_address sleep_control;
	struct acpi_address sleep_status;
} ACPI_PACKED;
#define ACPI_FADT_NO_RTC     (1U << 5) /* of boot_arch */
#define ACPI_FADT_RESET_REG  (1U << 10)
#define ACPI_FADT_HW_REDUCED (1U << 20)

#undef ACPI_PACKED

_Static_assert(sizeof(struct acpi_header) == 36, "5.2.6");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "5.2.5.3");
_Static_assert(sizeof(struct acpi_facs) == 64, "5.2.10");
_Static_assert(sizeof(struct acpi_fadt) == 116, "ACPI 1.0b, 5.2.5");
_Static_assert(sizeof(struct acpi_fadt5) == 268, "ACPI 5.0, 5.2.9");
_Static_assert(sizeof(struct acpi_madt) == 44, "5.2.12");
_Static_assert(sizeof(struct acpi_hpet) == 56, "HPET 3.2.4");
_Static_assert(sizeof(struct acpi_mcfg) == 60, "PCI Firmware 4.1.2");
_Static_assert(sizeof(struct acpi_waet) == 40, "WAET");

#endif
