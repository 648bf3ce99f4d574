/*
 * In place of the system side of accel/dbt for tests of operations: memory is the test's own, at the
 * same address for the engine as for the host, and everything else there is none of.
 */
#include "dbt-stub.h"

#include "accel/dbt/host.h"
#include "dbt-native.h"

#include <cpuid.h>

#define WEAK __attribute__((weak))

/* ---- Memory ---- */

static bool is_mapped(uint64_t lin)
{
	return lin - NATIVE_DATA < DATA_SIZE || lin - NATIVE_CODE < 2 * NATIVE_PAGE ||
	       lin - NATIVE_FRAME < NATIVE_PAGE;
}

/* Faults at the first byte that is not there, as user code at CPL 3. */
static void check(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint64_t size,
		  enum mem_access access)
{
	static const uint32_t codes[] = {[ACCESS_READ] = 4, [ACCESS_WRITE] = 6, [ACCESS_EXEC] = 20};

	if ((uint64_t)((int64_t)(lin << 16) >> 16) != lin)
		dbt_fault_code(cpu, op, op && op->seg == S_SS ? EXC_SS : EXC_GP, 0);
	for (uint64_t i = 0; i < size; i++) {
		if (!is_mapped(lin + i))
			dbt_page_fault(cpu, op, lin + i, codes[access]);
	}
}

WEAK uint64_t mmu_load_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			    unsigned size)
{
	uint64_t value = 0;

	mmu_read(cpu, op, index, lin, &value, size);
	return value;
}

WEAK void mmu_store_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			 unsigned size, uint64_t value)
{
	mmu_write(cpu, op, index, lin, &value, size);
}

WEAK void mmu_probe(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		    uint64_t size, enum mem_access access)
{
	check(cpu, op, lin, size, access);
}

/* Half of the pages say they are in no one piece, so that both ways are gone. */
WEAK void *mmu_host(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		    unsigned size, enum mem_access access)
{
	check(cpu, op, lin, size, access);
	return (lin >> 12) & 1 && PAGE_OF(lin) == PAGE_OF(lin + size - 1) ? (void *)lin : NULL;
}

WEAK void mmu_read(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		   void *buf, unsigned size)
{
	check(cpu, op, lin, size, ACCESS_READ);
	memcpy(buf, (void *)lin, size);
}

WEAK void mmu_write(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		    const void *buf, unsigned size)
{
	check(cpu, op, lin, size, ACCESS_WRITE);
	memcpy((void *)lin, buf, size);
}

WEAK uint64_t mmu_fetch(struct dbt_cpu *cpu, uint64_t lin, const uint8_t **host)
{
	check(cpu, NULL, lin, 1, ACCESS_EXEC);
	*host = (const uint8_t *)lin;
	return lin;
}

/* Of 32-bit code: flat. */
WEAK uint64_t dbt_segment_linear(struct dbt_cpu *cpu, const struct op *op, unsigned seg,
				 uint64_t offset, unsigned size, bool is_write)
{
	if (offset + size - 1 > UINT32_MAX)
		dbt_fault_code(cpu, op, seg == S_SS ? EXC_SS : EXC_GP, 0);
	return offset;
}

/* ---- What user code never comes to ---- */

/* An instruction that has gone astray. */
WEAK void dbt_deliver(struct dbt_cpu *cpu, enum event_kind kind, const struct dbt_fault *fault)
{
	dbt_fault(cpu, NULL, fault->vector);
}

WEAK void dbt_deliver_fault(struct dbt_cpu *cpu)
{
	g_assert_not_reached();
}

WEAK void dbt_deliver_injected(struct dbt_cpu *cpu)
{
	g_assert_not_reached();
}

WEAK void dbt_enter_smm(struct dbt_cpu *cpu)
{
	g_assert_not_reached();
}

WEAK bool debug_before(struct dbt_cpu *cpu)
{
	g_assert_not_reached();
}

WEAK bool debug_after(struct dbt_cpu *cpu, uint32_t old_flags)
{
	g_assert_not_reached();
}

WEAK void port_check(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size)
{
	dbt_fault_code(cpu, op, EXC_GP, 0);
}

WEAK uint32_t port_read(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size)
{
	g_assert_not_reached();
}

WEAK void port_write(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size,
		     uint32_t value)
{
	g_assert_not_reached();
}

WEAK bool op_select_segment(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	return false;
}

WEAK bool op_select_system(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	return false;
}

WEAK void dbt_update_mode(struct dbt_cpu *cpu)
{
}

WEAK void code_page_watch(struct dbt_cpu *cpu, uint64_t phys)
{
}

WEAK void requests_serve(struct dbt_cpu *cpu)
{
}

WEAK void dbt_go_inside(struct dbt_cpu *cpu)
{
}

WEAK void dbt_go_outside(struct dbt_cpu *cpu)
{
}

/* ---- A CPU ---- */

/* The features this host has, as instructions are compared with its own. */
static void take_features(struct cpu_features *features)
{
	unsigned a, b, c, d;

	memset(features, 0, sizeof(*features));
	if (__get_cpuid(1, &a, &b, &c, &d)) {
		features->words[FEAT_1_EDX] = d;
		features->words[FEAT_1_ECX] = c;
	}
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		features->words[FEAT_7_0_EBX] = b;
		features->words[FEAT_7_0_ECX] = c;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
		features->words[FEAT_8000_0001_EDX] = d;
		features->words[FEAT_8000_0001_ECX] = c;
	}
}

struct dbt_cpu *stub_cpu_new(void)
{
	struct dbt_cpu *cpu = g_aligned_alloc0(1, sizeof(*cpu), 64);

	cpu->acc = g_new0(struct accel_cpu, 1);
	cpu->machine = g_new0(struct dbt_machine, 1);
	cpu->machine->cpus = g_ptr_array_new();
	g_ptr_array_add(cpu->machine->cpus, cpu);
	take_features(&cpu->acc->features);
	stub_cpu_set_32(cpu, false);
	cpu->cpl = 3;
	cpu->mmu_index = MMU_USER;
	cpu->map_epoch = 1;
	cpu->cache = block_cache_new(4 * MIB);
	g_assert(host_init(NULL) && host_cpu_init(cpu));
	for (unsigned i = 0; i < MMU_INDEXES; i++) {
		for (unsigned j = 0; j < TLB_SIZE; j++)
			cpu->tlb[i][j] = (struct tlb_entry){TLB_NONE, TLB_NONE, TLB_NONE};
	}
	return cpu;
}

void stub_cpu_set_32(struct dbt_cpu *cpu, bool is_32)
{
	cpu->mode = MODE_LONG | MODE_PE | MODE_CPL3 | MODE_SS32 |
		    (is_32 ? MODE_CS32 | MODE_FLAT : MODE_CS64);
	cpu->seg[S_CS].limit = UINT32_MAX;
}

void stub_cpu_free(struct dbt_cpu *cpu)
{
	block_cache_free(cpu->cache);
	host_cpu_cleanup(cpu);
	g_ptr_array_unref(cpu->machine->cpus);
	g_free(cpu->machine);
	g_free(cpu->acc);
	g_aligned_free(cpu);
}

void stub_cpu_map(struct dbt_cpu *cpu, uint64_t page, bool fast)
{
	struct tlb_entry *e = &cpu->tlb[cpu->mmu_index][TLB_INDEX(page)];

	*e = (struct tlb_entry){TLB_NONE, TLB_NONE, TLB_NONE};
	if (fast)
		e->read = e->write = page;
}

bool stub_cpu_run(struct dbt_cpu *cpu, const uint64_t *exits, unsigned count)
{
	if (setjmp(cpu->loop)) {
		if (cpu->op)
			cpu->rip = cpu->gpr[GPR_BLOCK] + cpu->op->ip;
		return false;
	}
	for (;;) {
		struct block *b;
		const struct op *op;

		for (unsigned i = 0; i < count; i++) {
			if (cpu->rip == exits[i])
				return true;
		}
		b = block_get(cpu);
		cpu->block = b;
		cpu->gpr[GPR_BLOCK] = cpu->rip;
		for (op = b->ops; op;)
			op = op->fn(cpu, op);
	}
}
