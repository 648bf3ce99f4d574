/*
 * Events of the run state, as QMP clients see them; and the spellings they share with commands.
 */
#ifndef MACHINE_EVENTS_H
#define MACHINE_EVENTS_H

#include "api/command.h"

struct shutdown_event {
	bool guest; /* the guest caused it */
	int reason; /* enum shutdown_cause */
};

enum guest_panic_action { GUEST_PANIC_PAUSE, GUEST_PANIC_POWEROFF, GUEST_PANIC_RUN };
struct guest_panicked_event {
	int action; /* enum guest_panic_action */
};

/* What the guest's operating system says of a hot-plug (_OST: ACPI 6.4, 6.3.5). */
enum acpi_slot_type { ACPI_SLOT_DIMM, ACPI_SLOT_CPU };
struct acpi_ost_info {
	char *device; /* ID; NULL: it has none */
	char *slot;
	int slot_type;
	int64_t source, status;
};
struct acpi_ost_event {
	struct acpi_ost_info info;
};

enum run_event_row {
	EVENT_STOP,
	EVENT_RESUME,
	EVENT_SHUTDOWN,
	EVENT_RESET,
	EVENT_POWERDOWN,
	EVENT_SUSPEND,
	EVENT_WAKEUP,
	EVENT_GUEST_PANICKED,
	EVENT_GUEST_CRASHLOADED,
	EVENT_ACPI_DEVICE_OST
};

/* By enum run_event_row; ends with a NULL name: one of the monitor's tables. */
extern const struct event_type run_events[];

#endif
