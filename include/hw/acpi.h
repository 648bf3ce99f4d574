/*
 * ACPI tables of a PC: from a description of the machine to bytes, and nothing else.
 *
 * The result is two pieces, the tables and the RSDP that leads to them, and does not yet know where
 * in guest memory it will lie: a pointer in it holds an offset into the piece it points to, and
 * checksums of the tables are 0. Lists say where the pointers and checksums are. There are two ways
 * to finish it:
 *  - a kernel is started without firmware: acpi_tables_place() adds the addresses the board chose
 *    and the checksums, and the board writes both pieces to memory;
 *  - firmware places them: it is given the pieces as they are, and the lists as its linker script.
 */
#ifndef HW_ACPI_H
#define HW_ACPI_H

#include "base/common.h"
#include "base/error.h"

/* A place for a CPU. The index in the list is its ACPI processor ID. */
struct acpi_cpu {
	uint32_t apic_id;
	bool present;  /* or just possible */
	uint32_t node; /* NUMA node, if there are some */
};

enum acpi_window_kind { ACPI_WINDOW_PORTS, ACPI_WINDOW_MEMORY };

/* Addresses that the PCI host bridge passes on to its bus. */
struct acpi_window {
	int kind; /* enum acpi_window_kind */
	uint64_t base, size;
	bool cacheable; /* memory that may be cached: frame buffers, 64-bit BARs */
};

/* Memory of a NUMA node. */
struct acpi_memory {
	uint64_t base, size;
	unsigned node;
};

enum acpi_isa_kind {
	ACPI_ISA_KEYBOARD,
	ACPI_ISA_MOUSE,
	ACPI_ISA_SERIAL,
	ACPI_ISA_PARALLEL,
	ACPI_ISA_RTC,
	ACPI_ISA_PVPANIC,
};

struct acpi_isa_device {
	int kind;       /* enum acpi_isa_kind */
	unsigned index; /* of several serial or parallel ports, from 0 */
	uint16_t port;  /* the first; the mouse shares the keyboard's */
	uint8_t irq;
};

/* A window of a virtio device: virtio-mmio. */
struct acpi_virtio {
	unsigned index; /* of the window, from 0 */
	uint64_t base;
	uint32_t gsi;
};

/*
 * What hardware-reduced ACPI has instead of power management registers (ACPI 6.4, 4.1): the generic
 * event device of hw/ged.h.
 */
struct acpi_ged {
	uint64_t events, power; /* addresses; 0: the machine is not of this kind */
	uint8_t gsi;
};

/*
 * The machine. Everything is borrowed for the time of the call. A port or address of 0 means that
 * the thing is not there.
 */
struct acpi_machine {
	const char *oem_id, *oem_table_id; /* at most 6 and 8 characters; NULL: as QEMU's */

	const struct acpi_cpu *cpus;
	unsigned cpu_count;
	uint32_t ioapic;  /* address of the I/O APIC, whose pins are GSI 0 to 23 */
	uint32_t ioapic2; /* of another, from GSI 24 on; hardware-reduced only */

	uint16_t pm_base; /* PM1 event block; control at +4, timer at +8, as the PIIX4 has them */
	uint8_t sci;      /* ISA line of the system control interrupt */
	uint16_t gpe0;
	uint8_t gpe0_len;  /* bytes of status and enable registers together */
	uint16_t smi_port; /* takes the next two values; 0: the machine is always in ACPI mode */
	uint8_t acpi_enable, acpi_disable;
	bool s3, s4;      /* may be entered */
	uint8_t s4_value; /* SLP_TYP */

	const struct acpi_window *windows; /* of the PCI host bridge */
	unsigned window_count;
	unsigned root_uid; /* of the PCI host bridge: _UID */
	uint64_t ecam;     /* memory-mapped PCI configuration space, 1 MiB for each of... */
	unsigned ecam_buses;

	unsigned nodes;                   /* NUMA nodes; 0: all is near */
	const struct acpi_memory *memory; /* by node and address */
	unsigned memory_count;
	const uint8_t *distances; /* of nodes * nodes, rows first; NULL: as guests assume */

	const struct acpi_isa_device *isa;
	unsigned isa_count;
	uint16_t fw_cfg; /* first port */
	uint64_t hpet;
	uint16_t cpu_hotplug; /* registers; GPE 2 says that CPUs come and go */

	/* The page with the generation ID, at an offset; NULL: none. */
	const uint8_t *generation_page;
	uint32_t generation_size, generation_offset;

	/* Hardware-reduced: of the rest only CPUs, I/O APICs, ISA devices and fw_cfg count. */
	struct acpi_ged ged;
	const struct acpi_virtio *virtio;
	unsigned virtio_count;
};

/* The last is a page with the generation ID, which the tables point to; NULL where there is none. */
enum acpi_piece { ACPI_TABLES, ACPI_RSDP, ACPI_GENERATION, ACPI_PIECES };

/* The @size bytes at @offset of piece @in hold an offset into piece @to, to become an address. */
struct acpi_pointer {
	int in, to; /* enum acpi_piece */
	uint32_t offset, size;
};

/* The byte at @offset becomes what makes [@start, @start + @length) add up to 0. */
struct acpi_checksum {
	int in; /* enum acpi_piece */
	uint32_t offset, start, length;
};

struct acpi_tables {
	GByteArray *piece[ACPI_PIECES];
	GArray *pointers;           /* struct acpi_pointer */
	GArray *checksums;          /* struct acpi_checksum; the order matters, the RSDP has two */
	uint32_t generation_offset; /* of the ID in its page */
};

/* Where pieces may lie: the RSDP on 16 bytes within [ACPI_RSDP_FIRST, ACPI_RSDP_END). */
#define ACPI_TABLES_ALIGN 64
#define ACPI_PAGE_SIZE    4096
#define ACPI_RSDP_ALIGN   16
#define ACPI_RSDP_FIRST   0xe0000
#define ACPI_RSDP_END     0x100000

/* The caller owns the result. */
struct acpi_tables *acpi_tables_new(const struct acpi_machine *m);
void acpi_tables_free(struct acpi_tables *t);
typedef struct acpi_tables acpi_tables; /* for g_autoptr(acpi_tables) only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(acpi_tables, acpi_tables_free)

/*
 * Turns offsets into addresses and fills in checksums, once: the pieces are then ready to be written
 * to @tables and @rsdp, and the page with the generation ID to acpi_generation_place(). False when a
 * piece cannot lie there.
 */
uint64_t acpi_generation_place(const struct acpi_tables *t, uint64_t tables);
bool acpi_tables_place(struct acpi_tables *t, uint64_t tables, uint64_t rsdp, GError **errp);

/* The pieces as files of fw_cfg, and the script that makes firmware place them (caller owns). */
#define ACPI_TABLES_FILE             "etc/acpi/tables"
#define ACPI_RSDP_FILE               "etc/acpi/rsdp"
#define ACPI_SCRIPT_FILE             "etc/table-loader"
#define ACPI_GENERATION_FILE         "etc/vmgenid_guid"
#define ACPI_GENERATION_ADDRESS_FILE "etc/vmgenid_addr" /* takes where the ID is */
GByteArray *acpi_tables_script(const struct acpi_tables *t);

#endif
