/*
 * Run state, requests, and the events that tell of them.
 *
 * Requests are bits in one atomic word plus a cause each; the main loop takes the whole word at once
 * and serves it in a fixed order: debug, suspend, shutdown, reset, wake-up, power button, stop.
 *
 * A vCPU that asks for the end, a reset, sleep or a stop runs no further instruction: its `stop` is
 * set in one step with the request, and cleared by whoever carries the request out. So a client's
 * `cont` that comes in between must not start the vCPUs (vm_start()), a reset settles all requests
 * for one that were made until the vCPUs stood still (do_reset()), and a guest that was stopped on its
 * way to sleep goes to sleep when it is continued (do_suspend()).
 */
#include "machine/runstate.h"
#include "api/command.h"
#include "device/device.h"
#include "event/clock.h"
#include "event/lock.h"
#include "event/loop.h"
#include "machine/machine.h"
#include "machine/events.h"

enum request {
	REQUEST_DEBUG = BIT(0),
	REQUEST_SUSPEND = BIT(1),
	REQUEST_SHUTDOWN = BIT(2),
	REQUEST_RESET = BIT(3),
	REQUEST_WAKEUP = BIT(4),
	REQUEST_POWERDOWN = BIT(5),
	REQUEST_STOP = BIT(6),
	REQUEST_EXIT = BIT(7),
};

static struct {
	enum run_state state;
	struct run_actions actions;
	unsigned requests;                                      /* atomic; enum request */
	int shutdown_cause, reset_cause, stop_state, exit_code; /* atomic */
	GArray *subscribers, *reset_hooks;
} run = {
	.state = RUN_STATE_PRELAUNCH,
	.actions = {.panic = PANIC_SHUTDOWN},
};

struct subscriber {
	run_event_fn *fn;
	void *opaque;
};

struct reset_hook {
	void (*fn)(void *opaque);
	void *opaque;
};

struct run_actions *run_actions(void)
{
	return &run.actions;
}

enum run_state runstate(void)
{
	return __atomic_load_n(&run.state, __ATOMIC_RELAXED);
}

bool runstate_is_running(void)
{
	return runstate() == RUN_STATE_RUNNING;
}

void runstate_set(enum run_state state)
{
	__atomic_store_n(&run.state, state, __ATOMIC_RELAXED);
}

void run_event_subscribe(run_event_fn *fn, void *opaque)
{
	struct subscriber s = {fn, opaque};

	if (!run.subscribers)
		run.subscribers = g_array_new(false, false, sizeof(struct subscriber));
	g_array_append_val(run.subscribers, s);
}

void run_event_unsubscribe(run_event_fn *fn, void *opaque)
{
	for (guint i = 0; run.subscribers && i < run.subscribers->len; i++) {
		struct subscriber *s = &g_array_index(run.subscribers, struct subscriber, i);

		if (s->fn == fn && s->opaque == opaque) {
			g_array_remove_index(run.subscribers, i);
			return;
		}
	}
}

static void notify(enum run_event event)
{
	for (guint i = 0; run.subscribers && i < run.subscribers->len; i++) {
		struct subscriber s = g_array_index(run.subscribers, struct subscriber, i);

		s.fn(s.opaque, event, run.state);
	}
}

void reset_hook_add(void (*fn)(void *opaque), void *opaque)
{
	struct reset_hook hook = {fn, opaque};

	if (!run.reset_hooks)
		run.reset_hooks = g_array_new(false, false, sizeof(struct reset_hook));
	g_array_append_val(run.reset_hooks, hook);
}

void reset_hook_remove(void (*fn)(void *opaque), void *opaque)
{
	for (guint i = 0; run.reset_hooks && i < run.reset_hooks->len; i++) {
		struct reset_hook *hook = &g_array_index(run.reset_hooks, struct reset_hook, i);

		if (hook->fn == fn && hook->opaque == opaque) {
			g_array_remove_index(run.reset_hooks, i);
			return;
		}
	}
}

void reset_hooks_run(void)
{
	for (guint i = 0; run.reset_hooks && i < run.reset_hooks->len; i++) {
		struct reset_hook hook = g_array_index(run.reset_hooks, struct reset_hook, i);

		hook.fn(hook.opaque);
	}
}

/* ---- Start and stop ---- */

static unsigned pending(unsigned requests)
{
	return __atomic_load_n(&run.requests, __ATOMIC_SEQ_CST) & requests;
}

/* Takes requests back; those that there were. */
static unsigned withdraw(unsigned requests)
{
	return __atomic_fetch_and(&run.requests, ~requests, __ATOMIC_SEQ_CST) & requests;
}

/* Who serves one of these sees to the vCPUs. */
static void resume_unless_awaited(struct machine *m)
{
	if (!pending(REQUEST_DEBUG | REQUEST_SUSPEND | REQUEST_SHUTDOWN | REQUEST_RESET |
		     REQUEST_STOP))
		vcpus_resume(m);
}

/* The guest is to go on after all. But there is no going on after an internal error. */
static bool withdraw_stop(void)
{
	return __atomic_load_n(&run.stop_state, __ATOMIC_SEQ_CST) != RUN_STATE_INTERNAL_ERROR &&
	       withdraw(REQUEST_STOP);
}

/* Who asked for a stop has said so in an event (BLOCK_IO_ERROR), after which clients expect STOP. */
static void call_off_stop(struct machine *m)
{
	event_emit(&run_events[EVENT_STOP], NULL);
	event_emit(&run_events[EVENT_RESUME], NULL);
	resume_unless_awaited(m);
}

void vm_start(void)
{
	struct machine *m = machine_current();
	bool stop_withdrawn = withdraw_stop();

	if (runstate_is_running()) {
		if (stop_withdrawn)
			call_off_stop(m);
		return;
	}
	event_emit(&run_events[EVENT_RESUME], NULL);
	runstate_set(RUN_STATE_RUNNING);
	if (m->accel->ops->clock_resume)
		m->accel->ops->clock_resume(m->accel);
	clock_virtual_enable(true);
	notify(RUN_EVENT_CHANGE);
	resume_unless_awaited(m);
}

void vm_stop(enum run_state state)
{
	struct machine *m = machine_current();
	bool was_running = runstate_is_running();

	if (!was_running) {
		runstate_set(state);
		return;
	}
	vcpus_pause(m);
	clock_virtual_enable(false);
	if (m->accel->ops->clock_stop)
		m->accel->ops->clock_stop(m->accel);
	runstate_set(state);
	notify(RUN_EVENT_CHANGE);
	event_emit(&run_events[EVENT_STOP], NULL);
}

/* ---- Requests ---- */

static void request(enum request what)
{
	__atomic_fetch_or(&run.requests, what, __ATOMIC_SEQ_CST);
	loop_kick(loop_main());
}

/* From a vCPU's thread the caller stops with it. @place may be NULL. */
static void request_cause(enum request what, int *place, int cause)
{
	struct vcpu *cpu = vcpu_self();
	bool taken = cpu && machine_lock_enter();

	if (cpu) {
		cpu->stop = true;
		vcpu_kick(cpu);
	}
	if (place)
		__atomic_store_n(place, cause, __ATOMIC_SEQ_CST);
	request(what);
	machine_lock_leave(&taken);
}

void vm_stop_request(enum run_state state)
{
	request_cause(REQUEST_STOP, &run.stop_state, state);
}

void system_reset_request(enum shutdown_cause cause)
{
	if (run.actions.reboot == REBOOT_SHUTDOWN && cause != SHUTDOWN_SUBSYSTEM_RESET)
		request_cause(REQUEST_SHUTDOWN, &run.shutdown_cause, cause);
	else
		request_cause(REQUEST_RESET, &run.reset_cause, cause);
}

void system_shutdown_request(enum shutdown_cause cause)
{
	request_cause(REQUEST_SHUTDOWN, &run.shutdown_cause, cause);
}

void system_shutdown_with_code(enum shutdown_cause cause, int exit_code)
{
	__atomic_store_n(&run.exit_code, exit_code, __ATOMIC_SEQ_CST);
	system_shutdown_request(cause);
}

void system_exit_request(void)
{
	request(REQUEST_EXIT);
}

bool runstate_shutdown_requested(void)
{
	return pending(REQUEST_SHUTDOWN);
}

void system_powerdown_request(void)
{
	request(REQUEST_POWERDOWN);
}

void system_suspend_request(void)
{
	request_cause(REQUEST_SUSPEND, NULL, 0);
}

bool system_wakeup_request(GError **errp)
{
	if (runstate() != RUN_STATE_SUSPENDED) {
		error_set(errp, "Unable to wake up: guest is not in suspended state");
		return false;
	}
	request(REQUEST_WAKEUP);
	return true;
}

void system_debug_request(void)
{
	request(REQUEST_DEBUG);
}

void system_internal_error(void)
{
	vm_stop_request(RUN_STATE_INTERNAL_ERROR);
}

static void panicked_event(enum guest_panic_action action)
{
	struct guest_panicked_event event = {.action = action};

	event_emit(&run_events[EVENT_GUEST_PANICKED], &event);
}

void system_guest_crash_loaded(void)
{
	struct guest_panicked_event event = {.action = GUEST_PANIC_RUN};

	event_emit(&run_events[EVENT_GUEST_CRASHLOADED], &event);
}

/* A machine that does not shut down but pauses, does so at once. */
static int panic_action(void)
{
	if (run.actions.panic == PANIC_SHUTDOWN && run.actions.shutdown == SHUTDOWN_PAUSE)
		return PANIC_PAUSE;
	return run.actions.panic;
}

void system_guest_panicked(void)
{
	switch (panic_action()) {
	case PANIC_PAUSE:
		panicked_event(GUEST_PANIC_PAUSE);
		vm_stop_request(RUN_STATE_GUEST_PANICKED);
		break;
	case PANIC_SHUTDOWN:
	case PANIC_EXIT_FAILURE:
		panicked_event(GUEST_PANIC_POWEROFF);
		vm_stop_request(RUN_STATE_GUEST_PANICKED);
		if (run.actions.panic == PANIC_EXIT_FAILURE)
			system_shutdown_with_code(SHUTDOWN_GUEST_PANIC, 1);
		else
			system_shutdown_request(SHUTDOWN_GUEST_PANIC);
		break;
	case PANIC_NONE:
		panicked_event(GUEST_PANIC_RUN);
		break;
	}
}

static bool caused_by_guest(enum shutdown_cause cause)
{
	return cause >= SHUTDOWN_GUEST_SHUTDOWN && cause <= SHUTDOWN_GUEST_PANIC;
}

/* ---- Carrying them out ---- */

static bool do_shutdown(enum shutdown_cause cause)
{
	struct shutdown_event event = {.guest = caused_by_guest(cause), .reason = cause};

	event_emit(&run_events[EVENT_SHUTDOWN], &event);
	if (run.actions.shutdown == SHUTDOWN_PAUSE && cause != SHUTDOWN_HOST_SIGNAL &&
	    cause != SHUTDOWN_HOST_QMP_QUIT) {
		vm_stop(RUN_STATE_SHUTDOWN);
		return false;
	}
	notify(RUN_EVENT_EXIT);
	return true;
}

static void do_reset(enum shutdown_cause cause)
{
	struct machine *m = machine_current();
	struct shutdown_event event = {.guest = caused_by_guest(cause), .reason = cause};

	vcpus_pause(m);
	withdraw(REQUEST_RESET | REQUEST_SUSPEND);
	machine_reset(m);
	if (cause != SHUTDOWN_NONE && cause != SHUTDOWN_SUBSYSTEM_RESET)
		event_emit(&run_events[EVENT_RESET], &event);
	if (runstate_is_running())
		resume_unless_awaited(m);
	else if (runstate() != RUN_STATE_INMIGRATE)
		runstate_set(RUN_STATE_PRELAUNCH);
}

static void do_suspend(void)
{
	if (!runstate_is_running()) {
		__atomic_fetch_or(&run.requests, REQUEST_SUSPEND, __ATOMIC_SEQ_CST);
		return;
	}
	vcpus_pause(machine_current());
	notify(RUN_EVENT_SUSPEND);
	runstate_set(RUN_STATE_SUSPENDED);
	event_emit(&run_events[EVENT_SUSPEND], NULL);
}

static void do_wakeup(void)
{
	struct machine *m = machine_current();

	if (runstate() != RUN_STATE_SUSPENDED)
		return;
	/* The reset clears what devices report of the sleep; then they say that, and why, it ended. */
	machine_reset(m);
	notify(RUN_EVENT_WAKEUP);
	runstate_set(RUN_STATE_RUNNING);
	event_emit(&run_events[EVENT_WAKEUP], NULL);
	vcpus_resume(m);
}

bool runstate_process_requests(int *code)
{
	unsigned requests = __atomic_exchange_n(&run.requests, 0, __ATOMIC_SEQ_CST);

	if (!requests)
		return false;
	if (requests & REQUEST_EXIT) {
		notify(RUN_EVENT_EXIT);
		*code = 0;
		return true;
	}
	if (requests & REQUEST_DEBUG)
		vm_stop(RUN_STATE_DEBUG);
	if ((requests & REQUEST_SUSPEND) && !(requests & REQUEST_RESET))
		do_suspend();
	if ((requests & REQUEST_SHUTDOWN) && do_shutdown(run.shutdown_cause)) {
		*code = run.exit_code;
		return true;
	}
	if (requests & REQUEST_RESET)
		do_reset(run.reset_cause);
	if (requests & REQUEST_WAKEUP)
		do_wakeup();
	if (requests & REQUEST_POWERDOWN) {
		event_emit(&run_events[EVENT_POWERDOWN], NULL);
		notify(RUN_EVENT_POWERDOWN);
	}
	if (requests & REQUEST_STOP)
		vm_stop(run.stop_state);
	return false;
}
