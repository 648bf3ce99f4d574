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

enum run_event_row {
	EVENT_STOP,
	EVENT_RESUME,
	EVENT_SHUTDOWN,
	EVENT_RESET,
	EVENT_POWERDOWN,
	EVENT_SUSPEND,
	EVENT_WAKEUP,
	EVENT_GUEST_PANICKED,
	EVENT_GUEST_CRASHLOADED
};

/* By enum run_event_row; ends with a NULL name: one of the monitor's tables. */
extern const struct event_type run_events[];

#endif
