/*
 * What the boards of the PC family share: the machine structure of pc, and the parts of a PC that
 * are no chips - interrupt lines, firmware, CMOS contents.
 */
#ifndef HW_PC_PC_H
#define HW_PC_PC_H

#include "hw/acpi.h"
#include "hw/e820.h"
#include "hw/flash.h"
#include "hw/intc.h"
#include "hw/isa.h"
#include "hw/smbios.h"
#include "machine/machine.h"

struct pc_machine {
	struct machine m;

	/* Properties */
	uint64_t max_ram_below_4g; /* 0: the board's choice */
	uint64_t max_fw_size;
	int acpi, want_pic, want_pit; /* enum onoffauto */
	bool i8042, want_hpet;
	char *oem_id, *oem_table_id; /* NULL: the usual */
	bool sata, smbus, bypass_iommu, nvdimm, cxl;
	uint64_t bus_lock_ratelimit;
	char *nvdimm_persistence, *speaker_audio;
	char *pflash[MACHINE_FLASHES]; /* names of images; NULL: none */
	int smbios_entry_point;        /* enum pc_smbios_entry */

	/* The board */
	struct device *gsi, *host, *pm, *rtc, *fw_cfg, *flash[MACHINE_FLASHES];
	struct device *vmgenid; /* NULL: none */
	uint64_t generation_id; /* where a kernel started without firmware finds it */
	struct device *hpet, *apic_bus, *pic[2], *ioapic, *ioapic2,
		*pit; /* NULL: not in the process */
	struct isa_bus *isa;
	struct irq smi; /* system management interrupt */
	struct irq a20; /* gate of address line 20 */
	bool boot_once_used;
	struct region option_roms, bios, isa_bios, diagnostic_port, coprocessor_port;
	struct ram_block *option_rom_memory, *bios_memory;
	GBytes *bios_image; /* to restore; NULL: it cannot be written to */
};

static inline struct pc_machine *pc_machine_of(struct machine *m)
{
	return container_of(m, struct pc_machine, m);
}

/*
 * gsi.c: 24 lines to the interrupt controllers, or 48 with a second I/O APIC, and which controllers
 * those are if the accelerator has none.
 */
#define PC_GSIS     24
#define PC_GSIS_MAX 48
extern const struct device_type gsi_router_type;
struct device *pc_make_gsis(struct machine *m, unsigned count);
void pc_connect_gsis(struct device *gsis, struct device *const pic[2], struct device *ioapic);
void pc_connect_more_gsis(struct device *gsis, struct device *ioapic2);

/*
 * irqchip.c, in this order: the bus of the local APICs (IRQCHIP_OFF), where messages of devices go, the
 * HPET; the lines 0 and 8 as timers drive them; and, when there is an ISA bus, all the rest.
 */
bool pc_make_apic_bus(struct pc_machine *pc, GError **errp);
msi_sink_fn *pc_msi_sink(struct pc_machine *pc, void **opaque);
bool pc_make_hpet(struct pc_machine *pc, GError **errp);
struct irq *pc_timer_line(struct pc_machine *pc, unsigned n);
bool pc_make_irqchip(struct pc_machine *pc, GError **errp);
/* The same piece by piece, for boards that may do without: local APICs are made with the controllers. */
bool pc_make_controllers(struct pc_machine *pc, bool pics, GError **errp);
bool pc_make_ioapic2(struct pc_machine *pc, GError **errp);
bool pc_make_pit(struct pc_machine *pc, GError **errp);

/* isa.c: clock, and serial or parallel port @n if the user wants one. */
bool pc_make_rtc(struct pc_machine *pc, GError **errp);
bool pc_make_serial(struct pc_machine *pc, unsigned n, GError **errp);
bool pc_make_parallel(struct pc_machine *pc, unsigned n, GError **errp);

/* a20.c: port 92h and the keyboard controller, which have the A20 gate. */
void pc_make_a20(struct pc_machine *pc);

/* ports.c: the DMA controllers, and ports of the board that are no chip's. */
bool pc_make_ports(struct pc_machine *pc, GError **errp);

/* pc.c: the steps of the board, for versions.c, which has a machine type for each version of it. */
extern const struct device_type pc_machine_type;
bool pc_wants_smm(struct machine *m);
bool pc_build(struct machine *m, GError **errp);
bool pc_finish(struct machine *m, GError **errp);

/* options.c: the properties of pc, and what follows from them. */
#define PC_FLASH_MAX (8 * MIB) /* unless the user allows for more */
extern const struct field pc_props[];
bool pc_has_acpi(const struct pc_machine *pc);

/* versions.c: what the board itself did in former versions. */
enum pc_quirk {
	PC_QUIRK_NO_HT_HOLE,   /* guests of AMD CPUs are not told of HyperTransport's addresses */
	PC_QUIRK_ROOT_UID_1,   /* the PCI host bridge's _UID */
	PC_QUIRK_NO_HOLE64,    /* no window above 4 GiB unless firmware used one */
	PC_QUIRK_ALL_BELOW_4G, /* RAM ends at 3.5 GiB even where there is more */
};
bool pc_has_quirk(const struct pc_machine *pc, enum pc_quirk quirk);

/* ram.c: where RAM below 4 GiB ends; what lies in memory, but for what firmware reserves itself. */
uint64_t pc_ram_split(const struct pc_machine *pc);
void pc_memory_map(const struct pc_machine *pc, struct e820_table *map);

/* firmware.c: option ROM area and BIOS into @pci memory. */
bool pc_load_firmware(struct pc_machine *pc, struct region *pci, GError **errp);
/* The image of this name alone, into @memory. */
bool pc_load_bios(struct pc_machine *pc, struct region *memory, const char *name, GError **errp);

/* flash.c: which images flash chips have; the chips instead of a ROM, when there is a first one. */
bool pc_choose_flash(struct pc_machine *pc, GError **errp);
bool pc_map_flash(struct pc_machine *pc, struct region *pci, GError **errp);

/* fwcfg.c: the device, and what the board tells through it once all devices exist. */
bool pc_make_fw_cfg(struct pc_machine *pc, GError **errp);
bool pc_fill_fw_cfg(struct pc_machine *pc, GError **errp);
unsigned pc_apic_id_limit(const struct machine *m);

/* tables.c: the board as the ACPI tables describe it. */
struct acpi_tables *pc_describe(struct pc_machine *pc);
GArray *pc_describe_cpus(const struct machine *m); /* struct acpi_cpu */

/* smbios.c: the board as the SMBIOS tables describe it. */
enum pc_smbios_entry { PC_SMBIOS_32, PC_SMBIOS_64 };
extern const struct enum_name pc_smbios_entry_names[];
struct smbios_tables *pc_describe_smbios(struct pc_machine *pc, GError **errp);

/* guest-info.c: -device pvpanic, vmgenid, vmcoreinfo get what they need of the board. */
bool pc_attach_guest_info(struct pc_machine *pc, GError **errp);

/* fwtables.c: all of these, and the memory map, as files for firmware; once all devices exist. */
bool pc_add_tables(struct pc_machine *pc, GError **errp);

/* kernel.c: arranges for -kernel to be started, without firmware unless there is one, or has to be. */
bool pc_boots_directly(const struct pc_machine *pc);
bool pc_boot_kernel(struct pc_machine *pc, GError **errp);

/* roms.c: option ROMs as files for firmware; @index: place in the boot order, -1 for none. */
bool pc_add_rom(struct pc_machine *pc, const char *name, int64_t index, GError **errp);
bool pc_add_user_roms(struct pc_machine *pc, GError **errp);

/* cpus.c: CPUs come and go. */
extern const struct cpu_hotplug pc_cpu_hotplug;

/* cmos.c: what firmware reads there about the machine. */
bool pc_fill_cmos(struct pc_machine *pc, GError **errp);
void pc_cmos_put_cpus(struct pc_machine *pc, unsigned count);

#endif
