/*
 * ACPI fixed hardware: PM1 event and control registers, the PM timer, general-purpose event block 0,
 * and the system control interrupt (SCI) they share. South bridges embed it and map its regions.
 *
 * Source: Advanced Configuration and Power Interface Specification 6.4, 4.8.
 */
#ifndef HW_BRIDGE_ACPI_PM_H
#define HW_BRIDGE_ACPI_PM_H

#include "base/field.h"
#include "device/device.h"
#include "event/clock.h"
#include "mem/region.h"

#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_GPE_BYTES   2 /* of status, and of enable */

/* Bits of general-purpose event block 0, as the tables name them (_Exx). */
enum acpi_gpe {
	ACPI_GPE_PCI_HOTPLUG = 1,
	ACPI_GPE_CPU_HOTPLUG = 2,
	ACPI_GPE_MEMORY_HOTPLUG = 3,
	ACPI_GPE_GENERATION_ID = 5,
};

struct acpi_pm {
	struct irq *sci;
	uint8_t s4_value; /* sleep type of S4 */

	struct region event_regs, control_regs, timer_regs, gpe_regs;
	uint16_t status, enable, control;
	int64_t overflow; /* in ticks: when the timer's top bit next changes */
	struct timer timer;
	uint8_t gpe_status[ACPI_GPE_BYTES], gpe_enable[ACPI_GPE_BYTES];
};

extern const struct field_set acpi_pm_state;

/*
 * Maps event, control and timer registers at 0, 4 and 8 of @block. The general-purpose events are
 * pm->gpe_regs, four bytes, for the owner to map.
 */
void acpi_pm_init(struct acpi_pm *pm, struct device *owner, struct region *block);
void acpi_pm_cleanup(struct acpi_pm *pm);
void acpi_pm_reset(struct acpi_pm *pm);
void acpi_pm_post_load(struct acpi_pm *pm);

/* The guest took ACPI over (or gave it back) through the SMI command port. */
void acpi_pm_set_enabled(struct acpi_pm *pm, bool on);
void acpi_pm_power_button(struct acpi_pm *pm);
void acpi_pm_wakeup(struct acpi_pm *pm);
void acpi_pm_raise_gpe(struct acpi_pm *pm, enum acpi_gpe bit);

#endif
