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

extern const struct event_type event_stop, event_resume, event_shutdown, event_reset, event_powerdown,
	event_suspend, event_wakeup, event_guest_panicked;

/* All of them, NULL-terminated: a row of the monitor's list of tables. */
extern const struct event_type *const run_events[];

#endif
