/*
 * The accelerator as the program sees it: its properties, vCPUs, and what is asked of them.
 */
#include "accel.h"
#include "code-pages.h"
#include "debug.h"
#include "host.h"
#include "mmu.h"
#include "msr.h"

#include <stdlib.h>

#define CACHE_TOTAL (64 * MIB)
#define CACHE_LEAST (4 * MIB)

static struct dbt_machine *machine_of(struct accel *a)
{
	return container_of(a, struct dbt_machine, accel);
}

/* ---- The machine ---- */

static bool dbt_init(struct accel *a, GError **errp)
{
	struct dbt_machine *m = machine_of(a);

	if (!host_init(errp))
		return false;
	g_mutex_init(&m->lock);
	g_cond_init(&m->exclusive_change);
	m->cpus = g_ptr_array_new();
	a->smm = a->machine.smm;
	code_pages_init(m);
	return true;
}

static void dbt_cleanup(struct accel *a)
{
	struct dbt_machine *m = machine_of(a);

	if (!m->cpus)
		return;
	code_pages_cleanup(m);
	g_clear_pointer(&m->cpus, g_ptr_array_unref);
	g_cond_clear(&m->exclusive_change);
	g_mutex_clear(&m->lock);
}

static bool dbt_irqchip_create(struct accel *a, GError **errp)
{
	if (a->machine.irqchip != IRQCHIP_OFF && a->machine.irqchip_required) {
		error_set(errp, "The dbt accelerator has no in-kernel irqchip");
		error_add_hint(errp, "Leave out kernel-irqchip=, or say kernel-irqchip=off");
		return false;
	}
	a->irqchip = IRQCHIP_OFF;
	return true;
}

/* ---- vCPUs ---- */

/* Decoded code of all vCPUs together; what is not used costs nothing. */
static uint64_t cache_size(const struct dbt_machine *m)
{
	uint64_t total = m->tb_size ? m->tb_size * MIB : CACHE_TOTAL;

	return MAX(total / MAX(m->accel.machine.max_cpus, 1), CACHE_LEAST);
}

static void destroy(struct dbt_cpu *cpu)
{
	if (cpu->cache)
		block_cache_free(cpu->cache);
	host_cpu_cleanup(cpu);
	mmu_cleanup(cpu);
	msrs_cleanup(cpu);
	g_free(cpu->inject);
	free(cpu);
}

static bool dbt_vcpu_create(struct accel_cpu *acc, GError **errp)
{
	struct dbt_machine *m = machine_of(acc->accel);
	struct dbt_cpu *cpu = aligned_alloc(64, ROUND_UP(sizeof(*cpu), 64));
	unsigned bits = acc->features.phys_bits ? acc->features.phys_bits : 40;

	memset(cpu, 0, sizeof(*cpu));
	cpu->acc = acc;
	cpu->machine = m;
	cpu->a20_mask = UINT64_MAX;
	cpu->phys_mask = BITS64(MIN(bits, 52) - 1, 0);
	cpu->map_epoch = 1;
	mmu_init(cpu);
	msrs_init(cpu);
	cpu->cache = block_cache_new(cache_size(m));
	if (!host_cpu_init(cpu)) {
		error_set(errp, "Could not set up the vector state of CPU %u", acc->index);
		destroy(cpu);
		return false;
	}
	requests_add_cpu(cpu);
	__atomic_store_n(&acc->data, cpu, __ATOMIC_RELEASE);
	return true;
}

static void dbt_vcpu_destroy(struct accel_cpu *acc)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	requests_remove_cpu(cpu);
	__atomic_store_n(&acc->data, NULL, __ATOMIC_RELEASE);
	destroy(cpu);
}

/* A CPU that waits for SIPI takes neither. */
static bool waits_for_startup(const struct accel_cpu *acc, const struct dbt_cpu *cpu)
{
	int state = acc->state_here ? acc->state.mp_state : cpu->mp_state;

	return state == MP_UNINITIALIZED || state == MP_INIT_RECEIVED;
}

static void end_halt(struct accel_cpu *acc, struct dbt_cpu *cpu)
{
	cpu->halted = false;
	if (acc->state_here && acc->state.mp_state == MP_HALTED)
		acc->state.mp_state = MP_RUNNABLE;
}

static bool dbt_vcpu_inject_nmi(struct accel_cpu *acc)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	if (waits_for_startup(acc, cpu))
		return true;
	cpu->nmi_pending = true;
	if (!cpu->nmi_masked)
		end_halt(acc, cpu);
	return true;
}

static bool dbt_vcpu_inject_smi(struct accel_cpu *acc)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	if (!cpu->machine->accel.machine.smm)
		return false;
	if (waits_for_startup(acc, cpu))
		return true;
	cpu->smi_pending = true;
	return true;
}

static bool dbt_vcpu_set_debug(struct accel_cpu *acc, const struct debug_request *req,
			       GError **errp)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	cpu->debug = *req;
	cpu->debug.hw_count = MIN(req->hw_count, G_N_ELEMENTS(req->hw));
	debug_changed(cpu);
	return true;
}

static const struct debug_stop *dbt_vcpu_debug_stop(struct accel_cpu *acc)
{
	return &dbt_cpu_of(acc)->debug_stop;
}

/* The page tables are those of the state wherever it is; here is where they are walked. */
static bool dbt_vcpu_translate(struct accel_cpu *acc, uint64_t vaddr, uint64_t *paddr)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	return mmu_translate(cpu, vaddr, paddr);
}

static void dbt_vcpu_set_a20(struct accel_cpu *acc, bool high)
{
	struct dbt_cpu *cpu = dbt_cpu_of(acc);

	cpu->a20_mask = high ? UINT64_MAX : ~BIT64(20);
	mmu_flush(cpu);
	block_flush_all(cpu);
}

static const struct accel_ops dbt_ops = {
	.name = "dbt",
	.alias = "tcg",
	.thread_suffix = "DBT",
	.executes = true,
	.init = dbt_init,
	.cleanup = dbt_cleanup,
	.capabilities = dbt_capabilities,
	.irqchip_create = dbt_irqchip_create,
	.vcpu_create = dbt_vcpu_create,
	.vcpu_destroy = dbt_vcpu_destroy,
	.vcpu_run = dbt_run,
	.vcpu_get_state = dbt_get_state,
	.vcpu_put_state = dbt_put_state,
	.vcpu_inject_nmi = dbt_vcpu_inject_nmi,
	.vcpu_inject_smi = dbt_vcpu_inject_smi,
	.vcpu_set_debug = dbt_vcpu_set_debug,
	.vcpu_debug_stop = dbt_vcpu_debug_stop,
	.vcpu_translate = dbt_vcpu_translate,
	.vcpu_set_a20 = dbt_vcpu_set_a20,
};

/* ---- The type ---- */

static const struct enum_name thread_names[] = {
	{"multi", THREAD_MULTI, "a thread for each vCPU"},
	{"single", THREAD_SINGLE, "accepted; each vCPU has a thread of its own all the same"},
	{},
};

static const struct field dbt_props[] = {
	PROP_ENUM(struct dbt_machine, thread, "thread", thread_names, THREAD_MULTI,
		  "How vCPUs are spread over threads"),
	PROP_UINT(struct dbt_machine, tb_size, "tb-size", 0, 65536,
		  "MiB for decoded code of all vCPUs; 0: as much as is sensible"),
	FIELD_ROW_END,
};

static void dbt_instance_init(struct device *dev)
{
	struct dbt_machine *m = container_of(dev, struct dbt_machine, accel.dev);

	m->accel.ops = &dbt_ops;
}

const struct device_type dbt_accel_type = {
	.name = "dbt-accel",
	.help = "Runs guest code in software, on any host",
	.category = CATEGORY_ACCEL,
	.size = sizeof(struct dbt_machine),
	.flags = STATE_NONE,
	.props = dbt_props,
	.init = dbt_instance_init,
	.class_data = &dbt_ops,
};
