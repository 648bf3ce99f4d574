/*
 * The machine: what every board has, whatever it looks like.
 *
 * A machine type is a device_type of CATEGORY_MACHINE whose class_data is a const struct
 * machine_info; its rows are the properties of `-machine TYPE,prop=value`. src/cli/start.c runs
 * the fixed order: accelerator, CPU model, RAM, board, devices, boot. There is one machine in a
 * process: machine_current() is for main, monitors and commands; a device is given what it needs.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "accel/accel.h"
#include "device/device.h"
#include "machine/runstate.h"
#include "machine/vcpu.h"
#include "mem/ram.h"

struct chardev;
struct cpu_hotplug;
struct numa_config;
struct smbios_settings;

/* -kernel and friends. NULL: not given. Owned by the configuration. */
struct boot_config {
	const char *kernel, *initrd, *append, *dtb;
	const char *bios;         /* -bios */
	const char *order, *once; /* -boot */
	const char *splash;
	bool menu, strict;
	int64_t splash_time, reboot_timeout; /* -1: not given */
	GArray *roms;                        /* struct boot_rom: -option-rom */
	GArray *fw_cfg;                      /* struct boot_fw_cfg: -fw_cfg */
};
struct boot_rom {
	char *file;
	int64_t index; /* its place in the boot order; -1: none */
};
struct boot_fw_cfg {
	char *name;
	GBytes *content;
};

/* An image for a flash chip: -drive if=pflash, or by name -blockdev. Owned by the configuration. */
struct machine_flash {
	const char *node; /* its name; NULL: none */
	const char *file; /* raw image; NULL: no chip */
	bool readonly;
};
#define MACHINE_FLASHES 2

/*
 * A default as older machines had it: "virtio-device", "queue_reset", "off". Of a machine of version
 * @last and of those before it; the table goes from new to old, so that what is oldest wins. CPUs
 * have the driver "x86_64-cpu", or the one of their model.
 */
struct machine_compat {
	unsigned last; /* MACHINE_VERSION() */
	const char *driver, *property, *value;
};
#define MACHINE_VERSION(_major, _minor) ((_major) << 8 | (_minor))

struct machine_info {
	const char *alias;  /* "pc" */
	const char *desc;   /* as -machine help shows it */
	const char *family; /* of boards that differ in their version; NULL: it has none */
	unsigned version;   /* MACHINE_VERSION() */
	const struct machine_compat *compat; /* ends with a NULL driver; NULL: none */
	bool numa_mem;                       /* -numa node,mem= was once understood */
	bool is_default, deprecated;
	unsigned max_cpus;
	const char *default_cpu;    /* "qemu64" */
	const char *default_ram_id; /* "pc.ram" */
	uint64_t default_ram_size;
	bool no_serial, no_parallel;
	/* Shall CPUs have system management mode? NULL: no. What it sees beside the memory that all
	 * see, build() adds to smm_root. */
	bool (*wants_smm)(struct machine *m);
	bool wakes_up;      /* from sleep (ACPI S3) */
	bool split_irqchip; /* the accelerator is to have local APICs only, if nobody says otherwise */
	const struct cpu_hotplug *cpu_hotplug; /* machine/cpu-plug.h; NULL: CPUs stay */

	/* Builds the board: spaces, RAM and CPU objects exist, threads do not yet run. */
	bool (*build)(struct machine *m, GError **errp);
	/* After all -device: firmware tables, boot loader. */
	bool (*finish)(struct machine *m, GError **errp);
};

#define MACHINE_SERIALS   4
#define MACHINE_PARALLELS 3

struct machine {
	struct device dev; /* "/machine" */
	const struct machine_info *info;
	struct accel *accel;

	/* Configuration, complete before build() */
	struct cpu_topology topo;
	struct cpu_config cpu;
	struct cpu_capabilities caps; /* after machine_cpu_capabilities() */
	bool caps_known;
	struct cpu_features features;
	uint64_t ram_size, ram_slots, ram_max;
	bool ram_size_given;
	struct boot_config boot;
	bool no_defaults, no_hpet, no_acpi;
	bool has_uuid;
	uint8_t uuid[16];
	const char *name;               /* of the guest; NULL */
	struct smbios_settings *smbios; /* -smbios */
	struct numa_config *numa;       /* -numa; NULL: all is near */
	struct machine_flash flash[MACHINE_FLASHES];
	GArray *nodes; /* struct machine_flash: those with names, for the board's properties to name */
	struct chardev *serial[MACHINE_SERIALS]; /* NULL: no such port */
	struct chardev *parallel[MACHINE_PARALLELS];
	bool rtc_localtime;
	bool rtc_has_date; /* -rtc base=DATE: the time of day the guest starts with */
	int64_t rtc_date;  /* seconds since 1970 */
	int rtc_clock;     /* enum clock_id */

	/* Properties every machine has */
	char *memory_backend, *firmware, *memory_encryption, *dt_compatible;
	int32_t phandle_start;
	bool suppress_vmdesc;
	void *confidential_guest; /* always NULL */
	bool usb, mem_merge, dump_guest_core, graphics;
	int vmport, smm; /* enum onoffauto */

	/* The guest's spaces */
	struct region memory_root, io_root;
	struct address_space memory, io;
	bool has_smm;                    /* then the accelerator knows this one too */
	struct region smm_root, smm_all; /* all: what everybody sees */
	struct address_space smm_memory;
	struct device *
		ram_backend; /* a memory back end; NULL: made from ram_size and the options below */
	char *mem_path;      /* -mem-path */
	bool mem_prealloc;   /* -mem-prealloc */
	struct ram_block *ram;
	/* Containers, if NUMA nodes have their own */
	struct region ram_below_4g, ram_above_4g;
	uint64_t below_4g, above_4g; /* bytes of RAM there, set by machine_map_ram() */

	struct vcpu **cpus; /* by index, topo.maxcpus long; NULL: not plugged */
};

/* The base of all machine types; its rows are the common properties. */
extern const struct device_type machine_type, none_machine_type;

struct machine *machine_current(void);

/* What CPUs the accelerator can offer: asked once. */
const struct cpu_capabilities *machine_cpu_capabilities(struct machine *m);

/*
 * The steps of a start, in this order; machine lock held. The caller fills the configuration between
 * new and setup, makes -device between setup and finish, and starts the guest after that.
 */
struct machine *machine_new(const struct device_type *type);
bool machine_setup(struct machine *m, GError **errp);
bool machine_finish(struct machine *m, GError **errp);
/* Ends the vCPU threads and the accelerator: the last thing a process does. */
void machine_stop(struct machine *m);

/* The text of -cpu (or the default model) with what older machines had otherwise; caller frees. */
char *machine_cpu_text(const struct machine_info *info, const char *cpu);
/* Name of the type without "-machine"; caller frees. */
char *machine_type_name(const struct device_type *type);
const struct machine_info *machine_type_info(const struct device_type *type);
/* By name or alias; NULL text: the default type. The error lists how to see them. */
const struct device_type *machine_type_find(const char *name, GError **errp);

/* CPU objects: a type for each model ("qemu64-x86_64-cpu"), NULL-terminated, made on first use. */
const struct device_type *const *x86_cpu_types(void);
const struct device_type *x86_cpu_type_of(const struct cpu_model *model);

/* Maps RAM: what fits below @limit at 0, the rest from 4 GiB up. Board's build(). */
void machine_map_ram(struct machine *m, uint64_t limit);

/* Resets devices, hooks, CPUs; vCPUs are paused. */
void machine_reset(struct machine *m);

#endif
