/*
 * Start, stop, reset, sleep and end of a guest whose CPUs are threads that do nothing until they are
 * kicked, or until the test says how vcpu_run() comes back.
 */
#include "event/clock.h"
#include "event/lock.h"
#include "machine/events.h"
#include "machine/machine.h"

#define CPUS 2

/* ---- An accelerator ---- */

static struct {
	int result[CPUS];  /* what vcpu_run() returns next; RUN_KICKED: it waits for a kick */
	int on_kick[CPUS]; /* the same, but when it is kicked */
	int runs[CPUS];    /* calls of vcpu_run() */
	int asks[CPUS];    /* the guest asks for sleep from the CPU's thread */
} trial;

static bool trial_create(struct accel_cpu *cpu, GError **errp)
{
	return true;
}

static void trial_destroy(struct accel_cpu *cpu)
{
}

static enum run_result trial_run(struct accel_cpu *cpu)
{
	unsigned n = cpu->index;

	__atomic_add_fetch(&trial.runs[n], 1, __ATOMIC_SEQ_CST);
	for (;;) {
		int result = __atomic_exchange_n(&trial.result[n], RUN_KICKED, __ATOMIC_SEQ_CST);

		if (result != RUN_KICKED)
			return result;
		if (__atomic_exchange_n(&trial.asks[n], 0, __ATOMIC_SEQ_CST))
			system_suspend_request();
		if (__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST))
			return __atomic_exchange_n(&trial.on_kick[n], RUN_KICKED, __ATOMIC_SEQ_CST);
		g_usleep(50);
	}
}

static const struct accel_ops trial_ops = {
	.name = "trial",
	.thread_suffix = "trial",
	.executes = true,
	.vcpu_create = trial_create,
	.vcpu_destroy = trial_destroy,
	.vcpu_run = trial_run,
};

/* ---- A machine ---- */

static struct accel accel = {.ops = &trial_ops};
static struct machine *m;
static GString *events;
static unsigned resets;

static void note_event(void *opaque, const struct event_type *type, json_object *json)
{
	g_string_append_printf(events, "%s ", type->name);
}

static void note_reset(void *opaque)
{
	resets++;
}

static void make_machine(void)
{
	g_autoptr(GError) err = NULL;

	m = machine_new(&none_machine_type);
	m->accel = &accel;
	m->topo.cpus = m->topo.maxcpus = CPUS;
	m->cpus = g_new0(struct vcpu *, CPUS);
	for (unsigned i = 0; i < CPUS; i++) {
		struct device *dev = device_new(x86_cpu_types()[0]);
		struct vcpu *cpu = m->cpus[i] = container_of(dev, struct vcpu, dev);

		cpu->index = cpu->acc.index = i;
		cpu->acc.accel = &accel;
		cpu->stopped = true;
		vcpu_start(cpu, &err);
		g_assert_no_error(err);
	}
	reset_hook_add(note_reset, NULL);
	events = g_string_new(NULL);
	event_set_sink(note_event, NULL);
}

/* What was sent since the last look. */
static void expect_events(const char *expected)
{
	g_assert_cmpstr(events->str, ==, expected);
	g_string_truncate(events, 0);
}

static void serve(void)
{
	int code;

	g_assert_false(runstate_process_requests(&code));
}

/* Until CPU @n sleeps by its own wish. */
static void await_stopped(unsigned n)
{
	while (!m->cpus[n]->stopped) {
		machine_unlock();
		g_usleep(50);
		machine_lock();
	}
}

static int runs(unsigned n)
{
	return __atomic_load_n(&trial.runs[n], __ATOMIC_SEQ_CST);
}

/* Starts the guest, and waits until both CPUs are in it. */
static void start(void)
{
	int first = runs(0), second = runs(1);

	vm_start();
	expect_events("RESUME ");
	machine_unlock();
	while (runs(0) == first || runs(1) == second)
		g_usleep(50);
	machine_lock();
}

static void stop(void)
{
	vm_stop(RUN_STATE_PAUSED);
	expect_events("STOP ");
}

/* ---- Tests ---- */

static void test_start_stop(void)
{
	start();
	vm_start();
	expect_events("");
	stop();
	vm_stop(RUN_STATE_PAUSED);
	expect_events("");
	g_assert_true(m->cpus[0]->stopped && m->cpus[1]->stopped);
}

static void test_stop_called_off(void)
{
	start();
	vm_stop_request(RUN_STATE_IO_ERROR);
	vm_start();
	expect_events("STOP RESUME ");
	serve();
	expect_events("");
	g_assert_true(runstate_is_running());
	stop();
}

/* What failed on the way to the start (loading a kernel) is not started over. */
static void test_error_stays(void)
{
	system_internal_error();
	vm_start();
	g_assert_true(m->cpus[0]->stopped && m->cpus[1]->stopped);
	serve();
	expect_events("RESUME STOP ");
	g_assert_cmpint(runstate(), ==, RUN_STATE_INTERNAL_ERROR);
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	serve();
	expect_events("RESET ");
}

/* Both CPUs die; the second while the first one's reset waits for it. */
static void test_one_reset(void)
{
	unsigned before = resets;

	start();
	trial.on_kick[1] = RUN_SHUTDOWN;
	__atomic_store_n(&trial.result[0], RUN_SHUTDOWN, __ATOMIC_SEQ_CST);
	await_stopped(0);
	serve();
	serve();
	g_assert_cmpuint(resets, ==, before + 1);
	expect_events("RESET ");
	g_assert_false(m->cpus[0]->stopped || m->cpus[1]->stopped);
	stop();
}

/* A client's stop and cont come between a triple fault and its reset. */
static void test_dead_stays_dead(void)
{
	start();
	__atomic_store_n(&trial.result[0], RUN_SHUTDOWN, __ATOMIC_SEQ_CST);
	await_stopped(0);
	stop();
	vm_start();
	expect_events("RESUME ");
	g_assert_true(m->cpus[0]->stopped);
	serve();
	expect_events("RESET ");
	g_assert_false(m->cpus[0]->stopped);
	stop();
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	serve();
	expect_events("RESET ");
	g_assert_cmpint(runstate(), ==, RUN_STATE_PRELAUNCH);
}

/* A guest that was stopped on its way to sleep sleeps when it goes on, and wakes with its clock. */
static void test_sleep_while_stopped(void)
{
	g_autoptr(GError) err = NULL;
	int64_t before;

	start();
	__atomic_store_n(&trial.asks[0], 1, __ATOMIC_SEQ_CST);
	await_stopped(0);
	stop();
	serve();
	expect_events("");
	g_assert_cmpint(runstate(), ==, RUN_STATE_PAUSED);
	g_assert_false(system_wakeup_request(&err));
	vm_start();
	g_assert_true(m->cpus[0]->stopped);
	serve();
	expect_events("RESUME SUSPEND ");
	g_assert_cmpint(runstate(), ==, RUN_STATE_SUSPENDED);
	g_assert_true(system_wakeup_request(NULL));
	serve();
	expect_events("WAKEUP ");
	g_assert_true(runstate_is_running());
	before = clock_virtual_get();
	while (clock_virtual_get() == before)
		g_usleep(50);
	stop();
}

/* A reset that is served together with a wish to sleep wins. */
static void test_reset_beats_sleep(void)
{
	start();
	system_suspend_request();
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	serve();
	expect_events("RESET ");
	g_assert_true(runstate_is_running());
	stop();
	/* And one that comes while it is stopped makes it forget to sleep. */
	system_suspend_request();
	serve();
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	serve();
	expect_events("RESET ");
	start();
	serve();
	g_assert_true(runstate_is_running());
	stop();
}

static void test_actions(void)
{
	int code;

	start();
	*run_actions() =
		(struct run_actions){.reboot = REBOOT_SHUTDOWN, .shutdown = SHUTDOWN_PAUSE};
	__atomic_store_n(&trial.result[1], RUN_RESET, __ATOMIC_SEQ_CST);
	await_stopped(1);
	serve();
	expect_events("SHUTDOWN STOP ");
	g_assert_cmpint(runstate(), ==, RUN_STATE_SHUTDOWN);
	run_actions()->reboot = REBOOT_RESET;
	system_reset_request(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
	serve();
	expect_events("RESET ");
	system_shutdown_request(SHUTDOWN_HOST_SIGNAL);
	g_assert_true(runstate_shutdown_requested());
	g_assert_true(runstate_process_requests(&code));
	expect_events("SHUTDOWN ");
}

static void note_run(struct vcpu *cpu, void *opaque)
{
	*(bool *)opaque = true;
}

/* Work for a CPU that was taken out is neither done nor waited for. */
static void test_gone(void)
{
	bool ran = false;

	vcpu_run_on(m->cpus[1], note_run, &ran);
	g_assert_true(ran);
	ran = false;
	vcpu_destroy(m->cpus[1]);
	vcpu_run_on(m->cpus[1], note_run, &ran);
	vcpu_run_async(m->cpus[1], note_run, &ran);
	vcpus_pause(m);
	g_assert_false(ran);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	machine_lock();
	make_machine();
	g_test_add_func("/runstate/start-stop", test_start_stop);
	g_test_add_func("/runstate/stop-called-off", test_stop_called_off);
	g_test_add_func("/runstate/error-stays", test_error_stays);
	g_test_add_func("/runstate/one-reset", test_one_reset);
	g_test_add_func("/runstate/dead-stays-dead", test_dead_stays_dead);
	g_test_add_func("/runstate/sleep-while-stopped", test_sleep_while_stopped);
	g_test_add_func("/runstate/reset-beats-sleep", test_reset_beats_sleep);
	g_test_add_func("/runstate/actions", test_actions);
	g_test_add_func("/runstate/gone", test_gone);
	status = g_test_run();
	for (unsigned i = 0; i < CPUS; i++)
		vcpu_destroy(m->cpus[i]);
	return status;
}
