/*
 * The generic event device of a machine with hardware-reduced ACPI (ACPI 6.4, 4.1 and 5.6.9): what a PC
 * has power management hardware for, in two small windows of memory.
 *
 *	events	+0  dword: which events have happened since it was last read
 *	power	+0  sleep control  bits 4:2 type, bit 5 go; type 5 is soft off
 *		+1  sleep status   always 0
 *		+2  reset          GED_RESET_VALUE resets the machine
 *
 * An event raises the line for a moment (it is edge triggered); the DSDT's method then reads the events.
 */
#ifndef HW_GED_H
#define HW_GED_H

#include "device/device.h"

#define GED_EVENT_MEMORY_HOTPLUG BIT(0)
#define GED_EVENT_POWER_BUTTON   BIT(1)

#define GED_EVENTS_SIZE   4
#define GED_POWER_SIZE    3
#define GED_SLEEP_CONTROL 0
#define GED_SLEEP_STATUS  1
#define GED_RESET         2
#define GED_RESET_VALUE   0x42
#define GED_SLEEP_OFF     5

struct ged_config {
	struct region *memory; /* both windows are mapped there */
	uint64_t events, power;
	struct irq *irq;
};

extern const struct device_type ged_type;

/* Before realize. */
void ged_configure(struct device *dev, const struct ged_config *config);

#endif
