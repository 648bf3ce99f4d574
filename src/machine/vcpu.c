/*
 * The life of a vCPU thread.
 *
 * All flags are guarded by the machine lock. The thread gives it up while guest code runs and while
 * it sleeps. Before it looks at the flags it clears exit_request: a flag that is set later comes with
 * a kick that sets exit_request again, so vcpu_run() returns at once and nothing is lost.
 */
#include "machine/vcpu.h"
#include "event/lock.h"
#include "event/thread.h"
#include "machine/machine.h"

#include <unistd.h>

struct vcpu_work {
	vcpu_fn *fn;
	void *opaque;
	bool *done; /* NULL: nobody waits, and the item frees itself */
};

static __thread struct vcpu *self;

/* Signalled when a vCPU was created, stopped, or finished a piece of work. */
static GCond vcpu_progress;

struct vcpu *vcpu_self(void)
{
	return self;
}

void vcpu_kick(struct vcpu *cpu)
{
	const struct accel_ops *ops = cpu->acc.accel->ops;

	__atomic_store_n(&cpu->acc.exit_request, 1, __ATOMIC_SEQ_CST);
	if (!ops->vcpu_kick || !cpu->thread)
		return;
	__atomic_add_fetch(&cpu->kickers, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&cpu->leaving, __ATOMIC_SEQ_CST))
		ops->vcpu_kick(&cpu->acc);
	__atomic_sub_fetch(&cpu->kickers, 1, __ATOMIC_SEQ_CST);
}

/* From now on nobody kicks the accelerator's vCPU. Kicks take no lock and no time. */
static void vcpu_leave(struct vcpu *cpu)
{
	__atomic_store_n(&cpu->leaving, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&cpu->kickers, __ATOMIC_SEQ_CST))
		g_thread_yield();
}

/* Makes the thread look at its flags, wherever it is. Machine lock held. */
static void vcpu_nudge(struct vcpu *cpu)
{
	vcpu_kick(cpu);
	g_cond_broadcast(&cpu->wake);
}

/*
 * A CPU that does not sleep only has to look again. The order matters: exit_request is raised before
 * `halted` is looked at, and vcpu_halt() has it the other way round.
 */
void vcpu_wake(struct vcpu *cpu)
{
	if (cpu != self)
		vcpu_kick(cpu);
	if (!__atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST))
		return;
	MACHINE_LOCK_SCOPE();
	cpu->halted = false;
	g_cond_broadcast(&cpu->wake);
}

/* Sleeps, unless somebody wanted its attention since it left the guest: then it looks once more. */
static void vcpu_halt(struct vcpu *cpu)
{
	__atomic_store_n(&cpu->halted, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&cpu->acc.exit_request, __ATOMIC_SEQ_CST))
		cpu->halted = false;
}

static bool vcpu_can_run(const struct vcpu *cpu)
{
	return !cpu->stop && !cpu->stopped && !cpu->halted && runstate_is_running();
}

static void vcpu_do_work(struct vcpu *cpu)
{
	struct vcpu_work *work;

	while ((work = g_queue_pop_head(&cpu->work))) {
		bool *done = work->done;

		work->fn(cpu, work->opaque);
		g_free(work);
		if (done) {
			*done = true;
			g_cond_broadcast(&vcpu_progress);
		}
	}
}

static void vcpu_wait(struct vcpu *cpu)
{
	for (;;) {
		__atomic_store_n(&cpu->acc.exit_request, 0, __ATOMIC_SEQ_CST);
		if (cpu->stop) {
			cpu->stop = false;
			cpu->stopped = true;
			g_cond_broadcast(&vcpu_progress);
		}
		vcpu_do_work(cpu);
		if (cpu->unplug || vcpu_can_run(cpu))
			return;
		if (!cpu->stop)
			machine_lock_wait(&cpu->wake);
	}
}

static void vcpu_handle(struct vcpu *cpu, enum run_result result)
{
	switch (result) {
	case RUN_KICKED:
		break;
	case RUN_HALTED:
		vcpu_halt(cpu);
		break;
	case RUN_SHUTDOWN:
	case RUN_RESET:
		/* It must not run on with the state it died in: it waits for the reset. */
		system_reset_request(SHUTDOWN_GUEST_RESET);
		cpu->stop = true;
		break;
	case RUN_CRASHED:
		system_guest_panicked();
		break;
	case RUN_DEBUG:
		system_debug_request();
		cpu->stop = true;
		break;
	case RUN_ERROR:
		system_internal_error();
		cpu->stop = true;
		break;
	}
}

static void vcpu_loop(struct vcpu *cpu)
{
	const struct accel_ops *ops = cpu->acc.accel->ops;

	for (;;) {
		enum run_result result;

		vcpu_wait(cpu);
		if (cpu->unplug)
			return;
		machine_unlock();
		result = ops->vcpu_run(&cpu->acc);
		machine_lock();
		vcpu_handle(cpu, result);
	}
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *cpu = opaque;
	const struct accel_ops *ops = cpu->acc.accel->ops;
	g_autoptr(GError) err = NULL;

	self = cpu;
	machine_lock();
	cpu->tid = gettid();
	cpu->stopped = true;
	if (!ops->vcpu_create(&cpu->acc, &err))
		cpu->error = g_strdup(err->message);
	cpu->created = true;
	g_cond_broadcast(&vcpu_progress);
	if (!cpu->error) {
		vcpu_loop(cpu);
		vcpu_leave(cpu);
		ops->vcpu_destroy(&cpu->acc);
	}
	cpu->stopped = cpu->gone = true;
	g_cond_broadcast(&vcpu_progress);
	machine_unlock();
	return NULL;
}

bool vcpu_start(struct vcpu *cpu, GError **errp)
{
	const struct accel_ops *ops = cpu->acc.accel->ops;
	g_autofree char *name = NULL;

	if (!ops->executes) {
		cpu->created = cpu->stopped = true;
		cpu->tid = getpid();
		return true;
	}
	name = g_strdup_printf("CPU %u/%s", cpu->index, ops->thread_suffix);
	cpu->leaving = 0;
	cpu->thread = thread_start(name, vcpu_thread, cpu, errp);
	if (!cpu->thread)
		return false;
	while (!cpu->created)
		machine_lock_wait(&vcpu_progress);
	if (!cpu->error)
		return true;
	error_set(errp, "%s", cpu->error);
	vcpu_destroy(cpu);
	return false;
}

void vcpu_destroy(struct vcpu *cpu)
{
	GThread *thread = cpu->thread;

	if (thread) {
		cpu->unplug = true;
		vcpu_nudge(cpu);
		machine_unlock();
		g_thread_join(thread);
		machine_lock();
		cpu->thread = NULL;
	}
	g_clear_pointer(&cpu->error, g_free);
}

/* ---- Work ---- */

void vcpu_run_async(struct vcpu *cpu, vcpu_fn *fn, void *opaque)
{
	struct vcpu_work *work;
	MACHINE_LOCK_SCOPE();

	if (cpu->gone)
		return;
	if (!cpu->thread) {
		fn(cpu, opaque);
		return;
	}
	work = g_new0(struct vcpu_work, 1);
	work->fn = fn;
	work->opaque = opaque;
	g_queue_push_tail(&cpu->work, work);
	vcpu_nudge(cpu);
}

void vcpu_run_on(struct vcpu *cpu, vcpu_fn *fn, void *opaque)
{
	struct vcpu_work *work;
	bool done = false;

	if (cpu->gone)
		return;
	if (self == cpu || !cpu->thread) {
		fn(cpu, opaque);
		return;
	}
	work = g_new0(struct vcpu_work, 1);
	work->fn = fn;
	work->opaque = opaque;
	work->done = &done;
	g_queue_push_tail(&cpu->work, work);
	vcpu_nudge(cpu);
	while (!done)
		machine_lock_wait(&vcpu_progress);
}

struct sync_request {
	GError *err;
};

static void do_sync_state(struct vcpu *cpu, void *opaque)
{
	struct sync_request *req = opaque;
	const struct accel_ops *ops = cpu->acc.accel->ops;

	if (cpu->acc.state_here || !ops->vcpu_get_state)
		return;
	if (ops->vcpu_get_state(&cpu->acc, &req->err))
		cpu->acc.state_here = true;
}

bool vcpu_sync_state(struct vcpu *cpu, GError **errp)
{
	struct sync_request req = {NULL};

	vcpu_run_on(cpu, do_sync_state, &req);
	if (!req.err)
		return true;
	g_propagate_error(errp, req.err);
	return false;
}

/* ---- All of them ---- */

static void inject_nmi(struct vcpu *cpu, void *opaque)
{
	cpu->acc.accel->ops->vcpu_inject_nmi(&cpu->acc);
	vcpu_wake(cpu);
}

bool vcpus_inject_nmi(struct machine *m)
{
	if (!m->accel->ops->vcpu_inject_nmi)
		return false;
	for (unsigned i = 0; m->cpus && i < m->topo.maxcpus; i++) {
		if (m->cpus[i])
			vcpu_run_async(m->cpus[i], inject_nmi, NULL);
	}
	return true;
}

static bool all_stopped(struct machine *m)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		if (m->cpus[i] && m->cpus[i]->thread && !m->cpus[i]->stopped)
			return false;
	}
	return true;
}

void vcpus_pause(struct machine *m)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		struct vcpu *cpu = m->cpus[i];

		if (!cpu || cpu->stopped)
			continue;
		if (cpu->thread) {
			cpu->stop = true;
			vcpu_nudge(cpu);
		} else {
			cpu->stopped = true;
		}
	}
	while (!all_stopped(m))
		machine_lock_wait(&vcpu_progress);
}

void vcpu_resume(struct vcpu *cpu)
{
	cpu->stop = cpu->stopped = false;
	g_cond_broadcast(&cpu->wake);
}

void vcpus_resume(struct machine *m)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		struct vcpu *cpu = m->cpus[i];

		if (cpu)
			vcpu_resume(cpu);
	}
}
