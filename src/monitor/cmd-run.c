/* QMP commands that stop, start, reset and end the guest, and what it does by itself. */
#include "internal.h"
#include "machine/machine.h"
#include "machine/runstate.h"

struct status_info {
	bool running, singlestep;
	int status;
};
static const struct field status_info_rows[] = {
	ARG_ENUM(struct status_info, status, "status", run_state_names, "State of the guest"),
	ARG_BOOL(struct status_info, singlestep, "singlestep", "Always false"),
	ARG_BOOL(struct status_info, running, "running", "Whether its vCPUs run"),
	FIELD_ROW_END,
};
static const struct field_set status_info_set = {"StatusInfo", sizeof(struct status_info),
						 status_info_rows};

static bool qmp_query_status(void *args, void *result, GError **errp)
{
	struct status_info *info = result;

	info->status = runstate();
	info->running = runstate_is_running();
	return true;
}

static bool qmp_stop(void *args, void *result, GError **errp)
{
	if (runstate_is_running())
		vm_stop(RUN_STATE_PAUSED);
	return true;
}

/* States that only a reset can leave. */
static bool needs_reset(enum run_state state)
{
	return state == RUN_STATE_SHUTDOWN || state == RUN_STATE_INTERNAL_ERROR;
}

static bool qmp_cont(void *args, void *result, GError **errp)
{
	if (needs_reset(runstate())) {
		error_set(errp, "Resetting the Virtual Machine is required");
		return false;
	}
	if (runstate() == RUN_STATE_SUSPENDED)
		return true;
	vm_start();
	return true;
}

static bool qmp_quit(void *args, void *result, GError **errp)
{
	system_shutdown_request(SHUTDOWN_HOST_QMP_QUIT);
	qmp_reply_later();
	return true;
}

static bool qmp_system_reset(void *args, void *result, GError **errp)
{
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	qmp_reply_later();
	return true;
}

static bool qmp_system_powerdown(void *args, void *result, GError **errp)
{
	system_powerdown_request();
	qmp_reply_later();
	return true;
}

struct current_machine {
	bool wakes_up;
};
static const struct field current_machine_rows[] = {
	ARG_BOOL(struct current_machine, wakes_up, "wakeup-suspend-support",
		 "Whether it can sleep and be woken"),
	FIELD_ROW_END,
};
static const struct field_set current_machine_set = {
	"CurrentMachineParams", sizeof(struct current_machine), current_machine_rows};

static bool qmp_query_current_machine(void *args, void *result, GError **errp)
{
	struct current_machine *info = result;

	info->wakes_up = machine_current()->info->wakes_up;
	return true;
}

static bool qmp_system_wakeup(void *args, void *result, GError **errp)
{
	if (!machine_current()->info->wakes_up) {
		error_set(errp, "wake-up from suspend is not supported by this guest");
		return false;
	}
	return system_wakeup_request(errp);
}

static bool qmp_inject_nmi(void *args, void *result, GError **errp)
{
	struct machine *m = machine_current();

	if (m && vcpus_inject_nmi(m))
		return true;
	error_set(errp, "this feature or command is not currently supported");
	return false;
}

struct action_args {
	bool has_reboot, has_shutdown, has_panic, has_watchdog;
	int reboot, shutdown, panic, watchdog;
};
static const struct field action_rows[] = {
	OPT_ENUM(struct action_args, reboot, "reboot", reboot_action_names,
		 "When the guest reboots"),
	OPT_ENUM(struct action_args, shutdown, "shutdown", shutdown_action_names,
		 "When it shuts down"),
	OPT_ENUM(struct action_args, panic, "panic", panic_action_names, "When it panics"),
	OPT_ENUM(struct action_args, watchdog, "watchdog", watchdog_action_names,
		 "When its watchdog runs out"),
	FIELD_ROW_END,
};
static const struct field_set action_set = {"set-action-arg", sizeof(struct action_args),
					    action_rows};

static bool qmp_set_action(void *args, void *result, GError **errp)
{
	const struct action_args *arg = args;
	struct run_actions *actions = run_actions();

	if (arg->has_reboot)
		actions->reboot = arg->reboot;
	if (arg->has_shutdown)
		actions->shutdown = arg->shutdown;
	if (arg->has_panic)
		actions->panic = arg->panic;
	if (arg->has_watchdog)
		actions->watchdog = arg->watchdog;
	return true;
}

struct watchdog_args {
	int action;
};
static const struct field watchdog_rows[] = {
	ARG_ENUM(struct watchdog_args, action, "action", watchdog_action_names,
		 "What a watchdog that runs out does"),
	FIELD_ROW_END,
};
static const struct field_set watchdog_set = {"watchdog-set-action-arg",
					      sizeof(struct watchdog_args), watchdog_rows};

static bool qmp_watchdog_set_action(void *args, void *result, GError **errp)
{
	run_actions()->watchdog = ((const struct watchdog_args *)args)->action;
	return true;
}

const struct command run_commands[] = {
	{"query-status", "State of the guest", NULL, &status_info_set, qmp_query_status,
	 COMMAND_PRECONFIG},
	{"stop", "Stops all vCPUs", NULL, NULL, qmp_stop},
	{"cont", "Starts or continues the guest", NULL, NULL, qmp_cont},
	{"quit", "Ends the program", NULL, NULL, qmp_quit, COMMAND_PRECONFIG},
	{"system_reset", "Resets the machine", NULL, NULL, qmp_system_reset},
	{"system_powerdown", "Presses the power button", NULL, NULL, qmp_system_powerdown},
	{"system_wakeup", "Wakes a guest that sleeps", NULL, NULL, qmp_system_wakeup},
	{"query-current-machine", "What the running machine can do", NULL, &current_machine_set,
	 qmp_query_current_machine},
	{"inject-nmi", "Injects a non-maskable interrupt into all vCPUs", NULL, NULL,
	 qmp_inject_nmi},
	{"set-action", "Sets what reboot, shutdown, panic and watchdog do", &action_set, NULL,
	 qmp_set_action, COMMAND_PRECONFIG},
	{"watchdog-set-action", "Sets what a watchdog that runs out does", &watchdog_set, NULL,
	 qmp_watchdog_set_action},
	{NULL},
};
