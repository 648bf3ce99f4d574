/*
 * Rows of the run state: spellings and events.
 */
#include "machine/events.h"
#include "machine/runstate.h"

const struct enum_name run_state_names[] = {
	{"debug", RUN_STATE_DEBUG, "stopped by the debugger"},
	{"inmigrate", RUN_STATE_INMIGRATE, "waits for an incoming migration"},
	{"internal-error", RUN_STATE_INTERNAL_ERROR, "the accelerator could not go on"},
	{"io-error", RUN_STATE_IO_ERROR, "a disk failed and the device is set to stop"},
	{"paused", RUN_STATE_PAUSED, "stopped by the user"},
	{"postmigrate", RUN_STATE_POSTMIGRATE, "stopped after a migration away"},
	{"prelaunch", RUN_STATE_PRELAUNCH, "started with -S and not yet continued"},
	{"finish-migrate", RUN_STATE_FINISH_MIGRATE, "stopped to complete a migration"},
	{"restore-vm", RUN_STATE_RESTORE_VM, "a snapshot is being loaded"},
	{"running", RUN_STATE_RUNNING, "the guest runs"},
	{"save-vm", RUN_STATE_SAVE_VM, "a snapshot is being taken"},
	{"shutdown", RUN_STATE_SHUTDOWN, "the guest shut down and -no-shutdown is in use"},
	{"suspended", RUN_STATE_SUSPENDED, "the guest sleeps (ACPI S3)"},
	{"watchdog", RUN_STATE_WATCHDOG, "stopped by a watchdog"},
	{"guest-panicked", RUN_STATE_GUEST_PANICKED, "the guest reported a panic"},
	{"colo", RUN_STATE_COLO, "kept for clients that know the name; never entered"},
	{NULL},
};

const struct enum_name shutdown_cause_names[] = {
	{"none", SHUTDOWN_NONE, "no request"},
	{"host-error", SHUTDOWN_HOST_ERROR, "an error of the host"},
	{"host-qmp-quit", SHUTDOWN_HOST_QMP_QUIT, "the command quit"},
	{"host-qmp-system-reset", SHUTDOWN_HOST_QMP_SYSTEM_RESET, "the command system_reset"},
	{"host-signal", SHUTDOWN_HOST_SIGNAL, "a signal to the process"},
	{"host-ui", SHUTDOWN_HOST_UI, "the user closed the window"},
	{"guest-shutdown", SHUTDOWN_GUEST_SHUTDOWN, "the guest powered off"},
	{"guest-reset", SHUTDOWN_GUEST_RESET, "the guest asked for a reset"},
	{"guest-panic", SHUTDOWN_GUEST_PANIC, "the guest panicked"},
	{"subsystem-reset", SHUTDOWN_SUBSYSTEM_RESET, "part of the machine was reset"},
	{"snapshot-load", SHUTDOWN_SNAPSHOT_LOAD, "a snapshot was loaded"},
	{NULL},
};

const struct enum_name reboot_action_names[] = {
	{"reset", REBOOT_RESET, "reset the machine"},
	{"shutdown", REBOOT_SHUTDOWN, "shut it down instead"},
	{NULL},
};

const struct enum_name shutdown_action_names[] = {
	{"poweroff", SHUTDOWN_POWEROFF, "end the process"},
	{"pause", SHUTDOWN_PAUSE, "stop the guest and stay"},
	{NULL},
};

const struct enum_name panic_action_names[] = {
	{"pause", PANIC_PAUSE, "stop the guest"},
	{"shutdown", PANIC_SHUTDOWN, "shut the machine down"},
	{"exit-failure", PANIC_EXIT_FAILURE, "shut it down with exit status 1"},
	{"none", PANIC_NONE, "go on"},
	{NULL},
};

const struct enum_name watchdog_action_names[] = {
	{"reset", WATCHDOG_RESET, "reset the machine"},
	{"shutdown", WATCHDOG_SHUTDOWN, "press the power button"},
	{"poweroff", WATCHDOG_POWEROFF, "end the process"},
	{"pause", WATCHDOG_PAUSE, "stop the guest"},
	{"debug", WATCHDOG_DEBUG, "print a line and go on"},
	{"none", WATCHDOG_NONE, "do nothing"},
	{"inject-nmi", WATCHDOG_INJECT_NMI, "send an NMI to all CPUs"},
	{NULL},
};

static const struct enum_name guest_panic_action_names[] = {
	{"pause", GUEST_PANIC_PAUSE, "the guest was stopped"},
	{"poweroff", GUEST_PANIC_POWEROFF, "the machine was shut down"},
	{"run", GUEST_PANIC_RUN, "the guest goes on"},
	{NULL},
};

static const struct field shutdown_event_rows[] = {
	ARG_BOOL(struct shutdown_event, guest, "guest", "Whether the guest caused it"),
	ARG_ENUM(struct shutdown_event, reason, "reason", shutdown_cause_names, "What caused it"),
	FIELD_ROW_END,
};
static const struct field_set shutdown_event_set = {
	"ShutdownEvent",
	sizeof(struct shutdown_event),
	shutdown_event_rows,
};

static const struct field guest_panicked_rows[] = {
	ARG_ENUM(struct guest_panicked_event, action, "action", guest_panic_action_names,
		 "What was done about it"),
	FIELD_ROW_END,
};
static const struct field_set guest_panicked_set = {
	"GuestPanickedEvent",
	sizeof(struct guest_panicked_event),
	guest_panicked_rows,
};

static const struct enum_name acpi_slot_names[] = {
	{"DIMM", ACPI_SLOT_DIMM, "memory"},
	{"CPU", ACPI_SLOT_CPU, "a CPU"},
	{NULL},
};
static const struct field acpi_ost_info_rows[] = {
	OPT_STRING(struct acpi_ost_info, device, "device", "ID of the device"),
	ARG_STRING(struct acpi_ost_info, slot, "slot", "Number of its slot"),
	ARG_ENUM(struct acpi_ost_info, slot_type, "slot-type", acpi_slot_names, "What it holds"),
	ARG_INT(struct acpi_ost_info, source, "source", "Event that is answered"),
	ARG_INT(struct acpi_ost_info, status, "status", "How it went"),
	FIELD_ROW_END,
};
static const struct field_set acpi_ost_info_set = {"ACPIOSTInfo", sizeof(struct acpi_ost_info),
						   acpi_ost_info_rows};
static const struct field acpi_ost_rows[] = {
	ARG_STRUCT(struct acpi_ost_event, info, "info", &acpi_ost_info_set, "What it says"),
	FIELD_ROW_END,
};
static const struct field_set acpi_ost_set = {"ACPI_DEVICE_OST-arg", sizeof(struct acpi_ost_event),
					      acpi_ost_rows};

const struct event_type run_events[] = {
	[EVENT_STOP] = {"STOP", "The guest stopped"},
	[EVENT_RESUME] = {"RESUME", "The guest goes on"},
	[EVENT_SHUTDOWN] = {"SHUTDOWN", "The machine shuts down", &shutdown_event_set},
	[EVENT_RESET] = {"RESET", "The machine was reset", &shutdown_event_set},
	[EVENT_POWERDOWN] = {"POWERDOWN", "The power button was pressed"},
	[EVENT_SUSPEND] = {"SUSPEND", "The guest entered S3"},
	[EVENT_WAKEUP] = {"WAKEUP", "The guest left S3"},
	[EVENT_GUEST_PANICKED] = {"GUEST_PANICKED", "The guest reported a panic",
				  &guest_panicked_set},
	[EVENT_GUEST_CRASHLOADED] = {"GUEST_CRASHLOADED",
				     "The guest panicked and runs its crash kernel",
				     &guest_panicked_set},
	[EVENT_ACPI_DEVICE_OST] = {"ACPI_DEVICE_OST", "The guest says how a hot-plug went",
				   &acpi_ost_set},
	{NULL},
};
