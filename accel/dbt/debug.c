#include "debug.h"
#include "mem.h"
#include "sysregs.h"

enum { BREAK_EXEC, BREAK_WRITE, BREAK_PORT, BREAK_ACCESS };

static bool is_enabled(const struct dbt_cpu *cpu, unsigned n)
{
	return cpu->dr[7] >> n * 2 & 3;
}

static unsigned type_of(const struct dbt_cpu *cpu, unsigned n)
{
	return cpu->dr[7] >> (16 + n * 4) & 3;
}

static unsigned len_of(const struct dbt_cpu *cpu, unsigned n)
{
	static const uint8_t len[] = {1, 2, 8, 4};

	return len[cpu->dr[7] >> (18 + n * 4) & 3];
}

static bool is_data(unsigned type)
{
	return type == BREAK_WRITE || type == BREAK_ACCESS;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

uint32_t debug_mode(const struct dbt_cpu *cpu)
{
	uint32_t mode = (cpu->flags & FLAG_TF) || cpu->debug.single_step ? MODE_STEP : 0;

	for (unsigned n = 0; n < 4; n++) {
		if (is_enabled(cpu, n))
			mode |= MODE_STEP | (is_data(type_of(cpu, n)) ? MODE_BREAK : 0);
	}
	for (unsigned n = 0; n < cpu->debug.hw_count; n++)
		mode |= MODE_STEP | (is_data(cpu->debug.hw[n].type) ? MODE_BREAK : 0);
	return mode;
}

bool debug_watches(const struct dbt_cpu *cpu, uint64_t lin, uint64_t size)
{
	if (!(cpu->mode & MODE_BREAK))
		return false;
	for (unsigned n = 0; n < 4; n++) {
		if (is_enabled(cpu, n) && is_data(type_of(cpu, n)) &&
		    overlaps(lin, size, cpu->dr[n], len_of(cpu, n)))
			return true;
	}
	for (unsigned n = 0; n < cpu->debug.hw_count; n++) {
		if (is_data(cpu->debug.hw[n].type) &&
		    overlaps(lin, size, cpu->debug.hw[n].addr, cpu->debug.hw[n].len))
			return true;
	}
	return false;
}

static void stop(struct dbt_cpu *cpu, uint8_t exception, uint64_t dr6)
{
	cpu->debug_stop = (struct debug_stop){
		.pc = cpu->rip + (cpu->mode & MODE_CS64 ? 0 : cpu->seg[S_CS].base),
		.dr6 = dr6,
		.exception = exception,
	};
	cpu->debug_hit = true;
}

/* What the debugger waits for is noted apart from what the guest does, and wins. */
static void check_request(struct dbt_cpu *cpu, uint64_t lin, uint64_t size, bool is_write)
{
	const struct debug_request *req = &cpu->debug;

	for (unsigned n = 0; n < req->hw_count; n++) {
		unsigned type = req->hw[n].type;

		if (is_data(type) && (is_write || type == BREAK_ACCESS) &&
		    overlaps(lin, size, req->hw[n].addr, req->hw[n].len))
			stop(cpu, EXC_DB, DR6_FIXED | BIT64(n));
	}
}

void debug_check_data(struct dbt_cpu *cpu, uint64_t lin, uint64_t size, bool is_write)
{
	check_request(cpu, lin, size, is_write);
	for (unsigned n = 0; n < 4; n++) {
		unsigned type = type_of(cpu, n);

		if (is_enabled(cpu, n) && is_data(type) && (is_write || type == BREAK_ACCESS) &&
		    overlaps(lin, size, cpu->dr[n], len_of(cpu, n)))
			cpu->db_pending |= BIT64(n);
	}
}

void debug_check_port(struct dbt_cpu *cpu, uint16_t port, unsigned size)
{
	for (unsigned n = 0; (cpu->cr4 & CR4_DE) && n < 4; n++) {
		if (is_enabled(cpu, n) && type_of(cpu, n) == BREAK_PORT &&
		    overlaps(port, size, cpu->dr[n], len_of(cpu, n)))
			cpu->db_pending |= BIT64(n);
	}
}

void debug_changed(struct dbt_cpu *cpu)
{
	dbt_update_mode(cpu);
	mmu_flush(cpu);
}

bool debug_before(struct dbt_cpu *cpu)
{
	uint64_t lin = cpu->rip + (cpu->mode & MODE_CS64 ? 0 : cpu->seg[S_CS].base), hits = 0;

	cpu->db_pending = 0;
	for (unsigned n = 0; n < cpu->debug.hw_count && !cpu->debug.reinject_db; n++) {
		if (cpu->debug.hw[n].type == BREAK_EXEC && cpu->debug.hw[n].addr == lin) {
			stop(cpu, EXC_DB, DR6_FIXED | BIT64(n));
			return true;
		}
	}
	cpu->debug.reinject_db = false;
	if (cpu->flags &
	    FLAG_RF) { /* for one instruction; if it faults, the fault's flags have it */
		cpu->flags &= ~FLAG_RF;
		return false;
	}
	for (unsigned n = 0; n < 4; n++) {
		if (is_enabled(cpu, n) && type_of(cpu, n) == BREAK_EXEC && cpu->dr[n] == lin)
			hits |= BIT64(n);
	}
	if (hits) {
		cpu->fault = (struct dbt_fault){.vector = EXC_DB, .dr6 = hits};
		cpu->op = NULL;
		dbt_deliver_fault(cpu);
	}
	return false;
}

bool debug_after(struct dbt_cpu *cpu, uint32_t old_flags)
{
	uint64_t dr6 = cpu->db_pending | (old_flags & FLAG_TF ? DR6_BS : 0);

	cpu->db_pending = 0;
	if (cpu->debug.single_step && !cpu->debug_hit)
		stop(cpu, EXC_DB, DR6_FIXED | DR6_BS);
	if (cpu->debug_hit)
		return true;
	if (dr6) {
		struct dbt_fault trap = {.vector = EXC_DB, .dr6 = dr6};

		cpu->op = NULL;
		dbt_deliver(cpu, EVENT_TRAP, &trap);
	}
	return false;
}
