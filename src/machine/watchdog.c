/* See include/machine/watchdog.h. */
#include "machine/watchdog.h"
#include "machine/machine.h"

struct watchdog_event {
	int action; /* enum watchdog_action */
};

static const struct field watchdog_rows[] = {
	ARG_ENUM(struct watchdog_event, action, "action", watchdog_action_names,
		 "What is done about it"),
	FIELD_ROW_END,
};

static const struct field_set watchdog_set = {
	"WatchdogEvent",
	sizeof(struct watchdog_event),
	watchdog_rows,
};

const struct event_type watchdog_events[] = {
	{"WATCHDOG", "A watchdog of the guest expired", &watchdog_set, 1000},
	{NULL},
};

void watchdog_expired(void)
{
	struct watchdog_event event = {.action = run_actions()->watchdog};

	event_emit(&watchdog_events[0], &event);
	switch (event.action) {
	case WATCHDOG_RESET:
		system_reset_request(SHUTDOWN_GUEST_RESET);
		break;
	case WATCHDOG_SHUTDOWN:
		system_powerdown_request();
		break;
	case WATCHDOG_POWEROFF:
		system_exit_request();
		break;
	case WATCHDOG_PAUSE:
		vm_stop_request(RUN_STATE_WATCHDOG);
		break;
	case WATCHDOG_DEBUG:
		info_report("watchdog: timer fired");
		break;
	case WATCHDOG_INJECT_NMI:
		vcpus_inject_nmi(machine_current());
		break;
	case WATCHDOG_NONE:
		break;
	}
}
