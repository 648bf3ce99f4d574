/*
 * Straight into a kernel, without firmware.
 *
 * Loading has two halves. The first turns files and a memory map into a plan: what bytes go where in
 * guest memory, and what the boot CPU's registers are. It is a pure function, and the only part that
 * looks into files, so it is what tests and fuzzers drive. The second carries the plan out at every
 * machine reset, because the guest has overwritten what it was given.
 *
 * Three kinds of kernels, told apart as QEMU does: a Linux bzImage ("HdrS" at 0x202); a multiboot image
 * (header in the first 8 KiB), an ELF file with a PVH note. How they are entered:
 *
 *	bzImage	   long mode with the lower 4 GiB mapped one to one, or protected mode when it is older
 *		   than boot protocol 2.12 or of 32 bits; RSI: zero page
 *	multiboot  protected mode without paging; EAX: magic, EBX: multiboot info
 *	PVH	   protected mode without paging; EBX: start info
 *
 * A reset that is the end of sleep (ACPI S3) is different: memory is as the guest left it, nothing is loaded,
 * and the boot CPU goes where the guest asked for, in real mode, as firmware would have sent it there (wake.c).
 *
 * Files stay open and are read at each reset right into guest memory: a private copy of them would be
 * the largest piece of the process. What cannot be read twice (a pipe) is kept.
 */
#ifndef HW_BOOT_H
#define HW_BOOT_H

#include "base/error.h"
#include "hw/e820.h"

struct address_space;
struct device;
struct machine;
struct x86_state;
struct boot_file;
struct boot_plan;

/* Bytes the board wants in memory as well: ACPI and SMBIOS tables. The map says what lies there. */
struct boot_blob {
	const char *name; /* for messages; borrowed, outlives the plan */
	uint64_t addr;
	GBytes *bytes;
};

struct boot_request {
	const char *kernel; /* file name */
	const char *initrd; /* "file,file", ",," for a comma in a name; NULL: none */
	const char *append; /* NULL: "" */
	const struct e820_table *map;
	uint64_t rsdp; /* address of ACPI's root pointer; 0: there is none */
	uint64_t facs; /* where the guest leaves word how to wake it; 0: it cannot sleep */
	const struct boot_blob *blobs;
	size_t blob_count;
	GBytes *device_tree; /* for Linux, as setup data; NULL: none */
	bool firmware;       /* has run before: its data are left alone */
};

/* NULL with one line about what is wrong with which file. Nothing of the request is kept but blobs. */
struct boot_plan *boot_plan_new(const struct boot_request *req, GError **errp);
void boot_plan_free(struct boot_plan *plan);
typedef struct boot_plan boot_plan; /* for g_autoptr(boot_plan) only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(boot_plan, boot_plan_free)

/* ---- What is planned ---- */

enum boot_source {
	BOOT_BYTES, /* bytes */
	BOOT_FILE,  /* size bytes of the file from offset on */
	BOOT_ZEROES,
	BOOT_RANDOM, /* fresh at each reset */
	BOOT_FREE,   /* nothing is put there, and nothing else may be */
};

struct boot_segment {
	const char *what; /* "kernel": for messages */
	uint64_t addr, size;
	enum boot_source source;
	GBytes *bytes;
	struct boot_file *file;
	uint64_t offset;
};

/* By address; they do not overlap. Borrowed. */
const struct boot_segment *boot_plan_segments(const struct boot_plan *plan, size_t *count);

/*
 * Changes registers from their state after reset to what is planned: for the boot CPU where to start and
 * in which mode, for all of them the memory types that firmware would have set up.
 */
void boot_plan_set_cpu(const struct boot_plan *plan, bool is_bsp, struct x86_state *state);

/*
 * Where a guest that sleeps wants to be woken: the address of real mode code, from the FACS of the plan.
 * 0: nowhere, it is to start anew.
 */
uint32_t boot_plan_waking_vector(const struct boot_plan *plan, struct address_space *as);
/* The same for a CPU that is woken: only the boot CPU runs, from @vector on. */
void boot_plan_wake_cpu(uint32_t vector, bool is_bsp, struct x86_state *state);

/* Reads what a BOOT_FILE segment holds at @pos of it. Fails when the file has become shorter. */
bool boot_segment_read(const struct boot_segment *seg, uint64_t pos, void *buf, size_t len,
		       GError **errp);

/* ---- Through firmware ---- */

/* It has nothing that could be entered but its real mode part, which calls the BIOS. */
bool boot_wants_firmware(const char *kernel);

/*
 * Makes -kernel, -initrd and -append of @m's configuration items of @fw_cfg. @rom: the name of the option
 * ROM that takes it from there; static.
 */
bool boot_offer_kernel(struct machine *m, struct device *fw_cfg, const char **rom, GError **errp);

/* ---- Carrying it out ---- */

/* From now on @plan, which it takes over, is loaded at each reset of @m. */
void boot_plan_install(struct boot_plan *plan, struct machine *m);

/* Both; the device tree is the one of @m's -dtb, if there is one. For a board's finish(). */
bool boot_request_install(const struct boot_request *req, struct machine *m, GError **errp);

#endif
