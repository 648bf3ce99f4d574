/*
 * CMOS contents: what a PC's firmware expects its set-up program to have left there.
 *
 * Sizes of memory in the units of three eras, the order of boot devices as nibbles, the equipment
 * byte, and the number of CPUs. Offsets as in Ralf Brown's CMOS list, and SeaBIOS' own.
 */
#include "hw/pc/pc.h"
#include "machine/cpu-plug.h"
#include "hw/rtc.h"

enum {
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_MEMORY = 0x15,      /* KiB below 640 KiB */
	CMOS_EXTENDED_MEMORY = 0x17,  /* KiB from 1 MiB up */
	CMOS_EXTENDED_MEMORY2 = 0x30, /* the same, as found by the POST */
	CMOS_MEMORY_16M = 0x34,       /* 64 KiB from 16 MiB to 4 GiB */
	CMOS_BOOT_ORDER_3 = 0x38,
	CMOS_BOOT_ORDER_12 = 0x3d,
	CMOS_MEMORY_4G = 0x5b, /* 64 KiB from 4 GiB up, three bytes */
	CMOS_LAST_CPU = 0x5f,

	EQUIPMENT_FPU = 0x02,
	EQUIPMENT_MOUSE = 0x04,

};

#define BOOT_DEVICES_MAX 3
#define BOOT_DEFAULT     "cad"

static void cmos_put(struct pc_machine *pc, unsigned index, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		rtc_cmos_write(pc->rtc, index + i, value >> (8 * i));
}

static void cmos_put_memory(struct pc_machine *pc)
{
	const struct machine *m = &pc->m;
	uint64_t below = m->below_4g, above_1m = below > MIB ? below - MIB : 0;
	uint64_t above_16m = below > 16 * MIB ? below - 16 * MIB : 0;

	cmos_put(pc, CMOS_BASE_MEMORY, MIN(below / KIB, 640), 2);
	cmos_put(pc, CMOS_EXTENDED_MEMORY, MIN(above_1m / KIB, UINT16_MAX), 2);
	cmos_put(pc, CMOS_EXTENDED_MEMORY2, MIN(above_1m / KIB, UINT16_MAX), 2);
	cmos_put(pc, CMOS_MEMORY_16M, MIN(above_16m / (64 * KIB), UINT16_MAX), 2);
	cmos_put(pc, CMOS_MEMORY_4G, m->above_4g / (64 * KIB), 3);
}

/* 0: no device of that letter. */
static uint8_t boot_nibble(char letter)
{
	switch (letter) {
	case 'a':
	case 'b':
		return 1; /* floppy */
	case 'c':
		return 2; /* hard disk */
	case 'd':
		return 3; /* CD-ROM */
	case 'n':
		return 4; /* network */
	default:
		return 0;
	}
}

static bool cmos_put_boot_order(struct pc_machine *pc, const char *order, GError **errp)
{
	uint8_t nibbles[BOOT_DEVICES_MAX] = {};
	size_t count = strlen(order);

	if (count > BOOT_DEVICES_MAX) {
		error_set(errp, "Too many boot devices for PC");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		nibbles[i] = boot_nibble(order[i]);
		if (!nibbles[i]) {
			error_set(errp, "Invalid boot device for PC: '%c'", order[i]);
			return false;
		}
	}
	cmos_put(pc, CMOS_BOOT_ORDER_12, nibbles[1] << 4 | nibbles[0], 1);
	cmos_put(pc, CMOS_BOOT_ORDER_3, nibbles[2] << 4, 1);
	return true;
}

/* `-boot once=`: from the second reset on the usual order holds again. The first one starts the guest. */
static void restore_boot_order(void *opaque)
{
	struct pc_machine *pc = opaque;
	const char *order = pc->m.boot.order;

	if (!pc->boot_once_used) {
		pc->boot_once_used = true;
		return;
	}
	cmos_put_boot_order(pc, order ? order : BOOT_DEFAULT, NULL);
	reset_hook_remove(restore_boot_order, pc);
}

void pc_cmos_put_cpus(struct pc_machine *pc, unsigned count)
{
	cmos_put(pc, CMOS_LAST_CPU, count <= 256 ? count - 1 : 0, 1);
}

bool pc_fill_cmos(struct pc_machine *pc, GError **errp)
{
	const struct boot_config *boot = &pc->m.boot;
	const char *order = boot->order ? boot->order : BOOT_DEFAULT;

	cmos_put_memory(pc);
	cmos_put(pc, CMOS_EQUIPMENT, EQUIPMENT_FPU | EQUIPMENT_MOUSE, 1);
	pc_cmos_put_cpus(pc, machine_cpus_present(&pc->m));
	if (!cmos_put_boot_order(pc, order, errp))
		return false;
	if (!boot->once)
		return true;
	reset_hook_add(restore_boot_order, pc);
	return cmos_put_boot_order(pc, boot->once, errp);
}
