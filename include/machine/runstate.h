/*
 * Run state of the guest, and requests that change it.
 *
 * The states and reasons are QMP's RunState and ShutdownCause. Requests may come from any thread (a
 * register callback on a vCPU thread, a signal handler); they are noted and carried out by the main
 * loop, which sends the events in QEMU's order.
 */
#ifndef MACHINE_RUNSTATE_H
#define MACHINE_RUNSTATE_H

#include "base/common.h"
#include "base/error.h"
#include "base/field.h"

enum run_state {
	RUN_STATE_DEBUG,
	RUN_STATE_INMIGRATE,
	RUN_STATE_INTERNAL_ERROR,
	RUN_STATE_IO_ERROR,
	RUN_STATE_PAUSED,
	RUN_STATE_POSTMIGRATE,
	RUN_STATE_PRELAUNCH,
	RUN_STATE_FINISH_MIGRATE,
	RUN_STATE_RESTORE_VM,
	RUN_STATE_RUNNING,
	RUN_STATE_SAVE_VM,
	RUN_STATE_SHUTDOWN,
	RUN_STATE_SUSPENDED,
	RUN_STATE_WATCHDOG,
	RUN_STATE_GUEST_PANICKED,
	RUN_STATE_COLO,
	RUN_STATE_COUNT
};
extern const struct enum_name run_state_names[];

enum shutdown_cause {
	SHUTDOWN_NONE,
	SHUTDOWN_HOST_ERROR,
	SHUTDOWN_HOST_QMP_QUIT,
	SHUTDOWN_HOST_QMP_SYSTEM_RESET,
	SHUTDOWN_HOST_SIGNAL,
	SHUTDOWN_HOST_UI,
	SHUTDOWN_GUEST_SHUTDOWN,
	SHUTDOWN_GUEST_RESET,
	SHUTDOWN_GUEST_PANIC,
	SHUTDOWN_SUBSYSTEM_RESET,
	SHUTDOWN_SNAPSHOT_LOAD
};
extern const struct enum_name shutdown_cause_names[];

/* What to do on reboot, shutdown, panic, watchdog: -action, set-action, -no-reboot, -no-shutdown. */
enum reboot_action { REBOOT_RESET, REBOOT_SHUTDOWN };
enum shutdown_action { SHUTDOWN_POWEROFF, SHUTDOWN_PAUSE };
enum panic_action { PANIC_PAUSE, PANIC_SHUTDOWN, PANIC_EXIT_FAILURE, PANIC_NONE };
enum watchdog_action {
	WATCHDOG_RESET,
	WATCHDOG_SHUTDOWN,
	WATCHDOG_POWEROFF,
	WATCHDOG_PAUSE,
	WATCHDOG_DEBUG,
	WATCHDOG_NONE,
	WATCHDOG_INJECT_NMI
};
struct run_actions {
	int reboot, shutdown, panic, watchdog;
};
struct run_actions *run_actions(void);
extern const struct enum_name reboot_action_names[], shutdown_action_names[], panic_action_names[],
	watchdog_action_names[];

enum run_state runstate(void);
bool runstate_is_running(void);
void runstate_set(enum run_state state);

/*
 * Start and stop of the guest; main thread, machine lock held. vm_stop() returns when every vCPU has
 * left its run loop. STOP and RESUME events come from here. vm_start() calls off a stop that was
 * requested and not carried out yet, but for an internal error; a guest that runs already is let be.
 */
void vm_start(void);
void vm_stop(enum run_state state);
/* From any thread: stops soon, as @state. */
void vm_stop_request(enum run_state state);

/* Requests, from any thread or the main thread's signal handlers. A vCPU that makes one other than for
 * the power button or a wake-up runs no further instruction until it is served. */
void system_reset_request(enum shutdown_cause cause);
void system_shutdown_request(enum shutdown_cause cause);
void system_shutdown_with_code(enum shutdown_cause cause, int exit_code); /* isa-debug-exit */
/* The process ends as if nothing had happened: no event, no regard to -no-shutdown. */
void system_exit_request(void);
bool runstate_shutdown_requested(void); /* and not carried out yet */
void system_powerdown_request(void);
void system_suspend_request(void);
bool system_wakeup_request(GError **errp);
void system_debug_request(void);
void system_guest_panicked(void);
void system_guest_crash_loaded(void); /* it panicked, and saves what it can by itself */
void system_internal_error(void);

/* Interested parties: the ACPI button (POWERDOWN), S3 (SUSPEND, WAKEUP), anyone (CHANGE: after the
 * fact; EXIT: the process is about to end). Called under the machine lock on the main thread. */
enum run_event {
	RUN_EVENT_POWERDOWN,
	RUN_EVENT_SUSPEND,
	RUN_EVENT_WAKEUP,
	RUN_EVENT_CHANGE,
	RUN_EVENT_EXIT
};
typedef void run_event_fn(void *opaque, enum run_event event, enum run_state state);
void run_event_subscribe(run_event_fn *fn, void *opaque);
void run_event_unsubscribe(run_event_fn *fn, void *opaque);

/* What must be done at every machine reset besides the device tree: loaders, CPUs. In order added. */
void reset_hook_add(void (*fn)(void *opaque), void *opaque);
void reset_hook_remove(void (*fn)(void *opaque), void *opaque);
void reset_hooks_run(void);

/* Carries out what was requested; the main loop calls it. True: the process shall end with *code. */
bool runstate_process_requests(int *code);

#endif
