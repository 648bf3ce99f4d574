/*
 * The order in which firmware tries devices: those with a boot index, lowest first, by paths as Open
 * Firmware would name them.
 *
 *	/pci@i0cf8/scsi@5/disk@0,0
 *
 * A component for each device on the way down from a root bus, as the bus spells it (bus_type.fw_path);
 * what a device boots from of its own follows as suffix. Machine lock.
 *
 * A device type with a boot_suffix needs nothing from here: the device core gives it the property
 * "bootindex", which may also change while the guest runs and then counts from the next reset on, and keeps
 * its entry. A device with several things to boot from (a floppy controller) adds its entries itself.
 */
#ifndef DEVICE_BOOT_ORDER_H
#define DEVICE_BOOT_ORDER_H

#include "device/device.h"

/*
 * @index below 0: the device asks for no place of its own, nothing is done. @suffix begins with '/'; it
 * is copied. @dev NULL: the suffix is the whole path. "The bootindex 1 has already been used", or for
 * what is no device "Two devices with same boot index 1".
 */
bool boot_order_add(int64_t index, struct device *dev, const char *suffix, GError **errp);
/* Nothing has the place, or @index is below 0. */
bool boot_order_check(int64_t index, GError **errp);
/* All entries of @dev. */
void boot_order_remove(struct device *dev);

/* The list as firmware reads it: paths with a newline between, a NUL at the end; empty without any.
 * @strict: "HALT" as the last, boot from nothing else. */
GBytes *boot_order_file(bool strict);

/* The path of @dev without a suffix (caller frees). */
char *device_fw_path(struct device *dev);

#endif
