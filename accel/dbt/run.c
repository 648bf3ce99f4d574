/*
 * The loop of a vCPU: look for what wants attention, find the block, run it.
 *
 * Blocks that are linked follow one another without coming back here; what comes from outside raises
 * exit_request, which every link looks at, and what the guest does itself to let an event in ends its
 * block. So everything is looked at here between two blocks. Faults and dbt_leave() jump to run_loop().
 */
#include "block.h"
#include "host.h"

enum jump { JUMP_START, JUMP_FAULT, JUMP_LEAVE };

#define KEEP_RUNNING (-1)

/* ---- Jumps out of operations ---- */

static _Noreturn void jump(struct dbt_cpu *cpu, const struct op *op, enum jump why)
{
	cpu->op = op;
	_longjmp(cpu->loop, why);
}

void dbt_fault(struct dbt_cpu *cpu, const struct op *op, unsigned vector)
{
	cpu->fault = (struct dbt_fault){.vector = vector};
	jump(cpu, op, JUMP_FAULT);
}

void dbt_fault_code(struct dbt_cpu *cpu, const struct op *op, unsigned vector, uint32_t code)
{
	cpu->fault = (struct dbt_fault){.vector = vector, .has_code = true, .code = code};
	jump(cpu, op, JUMP_FAULT);
}

void dbt_page_fault(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint32_t code)
{
	cpu->fault =
		(struct dbt_fault){.vector = EXC_PF, .has_code = true, .code = code, .cr2 = lin};
	jump(cpu, op, JUMP_FAULT);
}

void dbt_leave(struct dbt_cpu *cpu)
{
	jump(cpu, cpu->op, JUMP_LEAVE);
}

/* The address of the instruction that was left; without one it is in cpu->rip already. */
static void recover_rip(struct dbt_cpu *cpu)
{
	if (cpu->op)
		cpu->rip = cpu->gpr[GPR_BLOCK] + cpu->op->ip;
	if (!(cpu->mode & MODE_CS64))
		cpu->rip = (uint32_t)cpu->rip;
	cpu->op = NULL;
}

/* ---- One vCPU alone ---- */

static bool is_taken(struct dbt_machine *m)
{
	return __atomic_load_n(&m->exclusive, __ATOMIC_SEQ_CST);
}

static void guest_leave(struct dbt_cpu *cpu)
{
	struct dbt_machine *m = cpu->machine;

	__atomic_store_n(&cpu->in_guest, 0, __ATOMIC_SEQ_CST);
	if (!is_taken(m))
		return;
	g_mutex_lock(&m->lock);
	g_cond_broadcast(&m->exclusive_change);
	g_mutex_unlock(&m->lock);
}

/* Waits outside, as others may want to be served meanwhile. */
static void guest_enter(struct dbt_cpu *cpu)
{
	struct dbt_machine *m = cpu->machine;

	__atomic_store_n(&cpu->in_guest, 1, __ATOMIC_SEQ_CST);
	while (G_UNLIKELY(is_taken(m))) {
		guest_leave(cpu);
		dbt_go_outside(cpu);
		g_mutex_lock(&m->lock);
		while (is_taken(m))
			g_cond_wait(&m->exclusive_change, &m->lock);
		g_mutex_unlock(&m->lock);
		dbt_go_inside(cpu);
		__atomic_store_n(&cpu->in_guest, 1, __ATOMIC_SEQ_CST);
	}
}

/* With the lock: whether another one still runs; it is told to come out. */
static bool others_run(struct dbt_cpu *cpu)
{
	GPtrArray *cpus = cpu->machine->cpus;
	bool run = false;

	for (guint i = 0; i < cpus->len; i++) {
		struct dbt_cpu *other = g_ptr_array_index(cpus, i);

		if (other == cpu || !__atomic_load_n(&other->in_guest, __ATOMIC_SEQ_CST))
			continue;
		__atomic_fetch_or(&other->acc->exit_request, EXIT_SERVE, __ATOMIC_SEQ_CST);
		run = true;
	}
	return run;
}

void dbt_exclusive_begin(struct dbt_cpu *cpu, const struct op *op)
{
	struct dbt_machine *m = cpu->machine;
	struct dbt_cpu *nobody = NULL;

	cpu->op = op;
	if (!__atomic_compare_exchange_n(&m->exclusive, &nobody, cpu, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		dbt_leave(cpu);
	dbt_go_outside(cpu);
	g_mutex_lock(&m->lock);
	while (others_run(cpu))
		g_cond_wait(&m->exclusive_change, &m->lock);
	g_mutex_unlock(&m->lock);
	dbt_go_inside(cpu);
}

void dbt_exclusive_end(struct dbt_cpu *cpu)
{
	struct dbt_machine *m = cpu->machine;

	g_mutex_lock(&m->lock);
	__atomic_store_n(&m->exclusive, NULL, __ATOMIC_SEQ_CST);
	g_cond_broadcast(&m->exclusive_change);
	g_mutex_unlock(&m->lock);
}

/* After a jump out of an operation: it may have been alone, or have wanted to be. */
static void exclusive_abandon(struct dbt_cpu *cpu)
{
	struct dbt_cpu *who = __atomic_load_n(&cpu->machine->exclusive, __ATOMIC_SEQ_CST);

	if (G_LIKELY(!who))
		return;
	if (who == cpu)
		dbt_exclusive_end(cpu);
	guest_leave(cpu);
	guest_enter(cpu);
}

/* ---- Events ---- */

static bool interrupts_on(const struct dbt_cpu *cpu)
{
	return (cpu->flags & FLAG_IF) && !cpu->shadow;
}

static void ask_pending(struct dbt_cpu *cpu)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;

	cpu->intr_pending = intr && intr->pending(cpu->acc->intr_opaque);
}

static void take_interrupt(struct dbt_cpu *cpu)
{
	struct dbt_fault event = {0};
	int vector;

	dbt_go_outside(cpu);
	vector = cpu->acc->intr->acknowledge(cpu->acc->intr_opaque);
	ask_pending(cpu);
	dbt_go_inside(cpu);
	if (vector < 0)
		return;
	cpu->halted = false;
	event.vector = vector;
	dbt_deliver(cpu, EVENT_EXTERNAL, &event);
}

static void take_nmi(struct dbt_cpu *cpu)
{
	static const struct dbt_fault nmi = {.vector = EXC_NMI};

	cpu->nmi_pending = false;
	cpu->halted = false;
	cpu->nmi_masked = true;
	dbt_deliver(cpu, EVENT_NMI, &nmi);
}

static bool wants_attention(const struct dbt_cpu *cpu)
{
	return cpu->halted || cpu->shut_down || cpu->debug_hit || cpu->inject || cpu->nmi_pending ||
	       cpu->smi_pending || cpu->mp_state != MP_RUNNABLE ||
	       (cpu->intr_pending && interrupts_on(cpu));
}

/* In the order of their priorities (SDM vol. 3, table 6-2). An enum run_result, or KEEP_RUNNING. */
static int attend(struct dbt_cpu *cpu)
{
	if (cpu->shut_down)
		return RUN_SHUTDOWN;
	if (cpu->debug_hit) {
		cpu->debug_hit = false;
		return RUN_DEBUG;
	}
	if (cpu->mp_state == MP_UNINITIALIZED || cpu->mp_state == MP_INIT_RECEIVED)
		return RUN_HALTED;
	cpu->mp_state = MP_RUNNABLE;
	if (cpu->inject)
		dbt_deliver_injected(cpu);
	if (cpu->smi_pending && !cpu->in_smm)
		dbt_enter_smm(cpu);
	if (cpu->nmi_pending && !cpu->nmi_masked && !cpu->shadow)
		take_nmi(cpu);
	if (cpu->intr_pending && interrupts_on(cpu) && !cpu->debug.block_irqs)
		take_interrupt(cpu);
	return cpu->halted ? RUN_HALTED : KEEP_RUNNING;
}

/* ---- Running ---- */

static void run_ops(struct dbt_cpu *cpu, struct block *b)
{
	const struct op *op = b->ops;

	cpu->block = b;
	cpu->gpr[GPR_BLOCK] = cpu->rip;
	do {
		op = op->fn(cpu, op);
	} while (op);
}

static void run_step(struct dbt_cpu *cpu)
{
	uint32_t old_flags = cpu->flags;

	if (debug_before(cpu)) {
		cpu->debug_hit = true;
		return;
	}
	cpu->shadow = false;
	run_ops(cpu, block_get(cpu));
	cpu->op = NULL;
	if (debug_after(cpu, old_flags))
		cpu->debug_hit = true;
}

/* What waits behind the shadow comes after this block: blocks that are linked must not follow it. */
static void end_shadow(struct dbt_cpu *cpu)
{
	cpu->shadow = false;
	if (cpu->intr_pending || cpu->nmi_pending)
		__atomic_fetch_or(&cpu->acc->exit_request, EXIT_SERVE, __ATOMIC_SEQ_CST);
}

static void run_block(struct dbt_cpu *cpu)
{
	struct block *b = block_get(cpu);

	if (cpu->shadow)
		end_shadow(cpu);
	cpu->icount += b->count;
	run_ops(cpu, b);
}

static int look_around(struct dbt_cpu *cpu)
{
	int request = __atomic_load_n(&cpu->acc->exit_request, __ATOMIC_SEQ_CST);

	if (request & EXIT_SERVE) {
		guest_leave(cpu);
		requests_serve(cpu);
		guest_enter(cpu);
	}
	return request & EXIT_MACHINE ? RUN_KICKED : KEEP_RUNNING;
}

static int run_until(struct dbt_cpu *cpu)
{
	int result;

	for (;;) {
		if (G_UNLIKELY(__atomic_load_n(&cpu->acc->exit_request, __ATOMIC_RELAXED))) {
			result = look_around(cpu);
			if (result != KEEP_RUNNING)
				return result;
		}
		if (G_UNLIKELY(wants_attention(cpu))) {
			result = attend(cpu);
			if (result != KEEP_RUNNING)
				return result;
		}
		if (G_UNLIKELY(cpu->mode & MODE_STEP))
			run_step(cpu);
		else
			run_block(cpu);
	}
}

static int run_loop(struct dbt_cpu *cpu)
{
	switch (_setjmp(cpu->loop)) {
	case JUMP_FAULT:
		recover_rip(cpu);
		exclusive_abandon(cpu);
		cpu->cache->from = NULL;
		cpu->shadow = false;
		dbt_deliver_fault(cpu);
		break;
	case JUMP_LEAVE:
		recover_rip(cpu);
		exclusive_abandon(cpu);
		cpu->cache->from = NULL;
		break;
	}
	return run_until(cpu);
}

enum run_result dbt_run(struct accel_cpu *acc)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);
	g_autoptr(GError) err = NULL;
	enum run_result result;

	if (acc->state_here) {
		if (!acc->accel->ops->vcpu_put_state(acc, &err)) {
			error_report("%s", err->message);
			return RUN_ERROR;
		}
		acc->state_here = acc->state_full = false;
	}
	if (__atomic_load_n(&acc->exit_request, __ATOMIC_SEQ_CST) & EXIT_MACHINE)
		return RUN_KICKED;
	ask_pending(cpu);
	dbt_go_inside(cpu);
	guest_enter(cpu);
	requests_serve(cpu);
	result = run_loop(cpu);
	guest_leave(cpu);
	dbt_go_outside(cpu);
	return result;
}
