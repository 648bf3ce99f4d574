/* The machine "microvm", between its files. */
#ifndef HW_PC_MICROVM_H
#define HW_PC_MICROVM_H

#include "hw/pc/pc.h"

#define MICROVM_VIRTIO_BASE 0xfeb00000
#define MICROVM_VIRTIO_SIZE 0x200
#define MICROVM_VIRTIOS     24 /* at most: with a second I/O APIC */
#define MICROVM_FW_CFG      0x510

#define MICROVM_GED_EVENTS 0xfea00000
#define MICROVM_GED_POWER  0xfea00200
#define MICROVM_GED_GSI    9

#define MICROVM_SERIAL_PORT 0x3f8
#define MICROVM_SERIAL_IRQ  4
#define MICROVM_RTC_PORT    0x70
#define MICROVM_RTC_IRQ     8

struct microvm {
	struct pc_machine pc;
	struct isa_bus isa;

	/* Properties; enum onoffauto */
	int pic, pit, rtc, pcie, ioapic2, acpi;
	bool isa_serial, auto_cmdline, option_roms;
	char *dumpdtb;
	char *append; /* the command line with what is added to it */

	struct device *ged; /* NULL: no ACPI */
	struct device *virtio[MICROVM_VIRTIOS];
	unsigned virtio_count;
	uint8_t virtio_gsi; /* of window 0 */
};

/* Windows with a device, from the last to the first: as devices fill them. */
#define MICROVM_FOREACH_VIRTIO(_i, _v)                                                             \
	for (unsigned _i = (_v)->virtio_count; _i-- > 0;)                                          \
		if (virtio_mmio_device((_v)->virtio[_i]))

static inline struct microvm *microvm_of(struct machine *m)
{
	return container_of(m, struct microvm, pc.m);
}

bool microvm_has_acpi(const struct microvm *v);

/* microvm-boot.c: what is told to firmware, or the kernel itself; once all devices exist. */
bool microvm_boot(struct microvm *v, GError **errp);

/* microvm-fdt.c: the device tree, as bytes; the caller's. */
GBytes *microvm_device_tree(struct microvm *v);

#endif
