/*
 * System instructions (SDM vol. 2; vol. 3, chapters 2, 5.8, 17; AMD APM vol. 3, system instructions).
 */
#include "block.h"
#include "debug.h"
#include "desc.h"
#include "flags.h"
#include "msr.h"
#include "mmu.h"

#include <sys/random.h>

#define OPERAND_MEM BIT(7) /* in op->flags; the rest is the operand size in bytes */
#define PORT_IMM    BIT(6) /* IN, OUT: the port is op->imm */
#define SIZE_BITS   15

#define OP_HANDLER(name) static const struct op *name(struct dbt_cpu *cpu, const struct op *op)

static unsigned size_of(const struct op *op)
{
	return op->flags & SIZE_BITS;
}

static const struct op *next(struct dbt_cpu *cpu, const struct op *op)
{
	return block_leave(cpu, op_next_rip(cpu, op));
}

static void check_level_0(struct dbt_cpu *cpu, const struct op *op)
{
	if (cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

static void set32(struct dbt_cpu *cpu, enum x86_gpr reg, uint32_t value)
{
	cpu->gpr[reg] = value;
}

static uint64_t edx_eax(const struct dbt_cpu *cpu)
{
	return cpu->gpr[R_DX] << 32 | (uint32_t)cpu->gpr[R_AX];
}

static void set_edx_eax(struct dbt_cpu *cpu, uint64_t value)
{
	set32(cpu, R_AX, value);
	set32(cpu, R_DX, value >> 32);
}

/* ---- Interrupts ---- */

void dbt_recheck_interrupts(struct dbt_cpu *cpu)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;

	cpu->intr_pending = intr && intr->pending(cpu->acc->intr_opaque);
	if (cpu->intr_pending) /* blocks that are linked do not come by the loop */
		__atomic_fetch_or(&cpu->acc->exit_request, EXIT_SERVE, __ATOMIC_SEQ_CST);
}

/* CLI and STI below IOPL act on VIF, in virtual-8086 mode and with CR4.PVI. */
static bool is_virtual(struct dbt_cpu *cpu, const struct op *op)
{
	bool vm86 = cpu->mode & MODE_VM;
	uint64_t enable = vm86 ? CR4_VME : CR4_PVI;

	if (cpu->mode & MODE_IOPL3)
		return false;
	if (!(cpu->cr4 & enable) || (!vm86 && cpu->cpl != 3))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return true;
}

OP_HANDLER(cli)
{
	cpu->flags &= is_virtual(cpu, op) ? ~FLAG_VIF : ~FLAG_IF;
	return next(cpu, op);
}

OP_HANDLER(sti)
{
	if (is_virtual(cpu, op)) {
		if (cpu->flags & FLAG_VIP)
			dbt_fault_code(cpu, op, EXC_GP, 0);
		cpu->flags |= FLAG_VIF;
	} else {
		cpu->shadow = !(cpu->flags & FLAG_IF);
		cpu->flags |= FLAG_IF;
	}
	return next(cpu, op);
}

OP_HANDLER(hlt)
{
	check_level_0(cpu, op);
	cpu->halted = true;
	return next(cpu, op);
}

/* ---- AC ---- */

static const struct op *set_ac(struct dbt_cpu *cpu, const struct op *op, uint32_t ac)
{
	if (cpu->cpl)
		dbt_fault(cpu, op, EXC_UD);
	cpu->flags = (cpu->flags & ~FLAG_AC) | ac;
	dbt_update_mode(cpu);
	return next(cpu, op);
}

OP_HANDLER(clac)
{
	return set_ac(cpu, op, 0);
}

OP_HANDLER(stac)
{
	return set_ac(cpu, op, FLAG_AC);
}

/* ---- Ports ---- */

/* The bitmap in the TSS (SDM vol. 1, 19.5.2): a bit for each port, 1 forbids. */
void port_check(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size)
{
	const struct x86_segment *tr = &cpu->seg[S_TR];
	unsigned index = mmu_system_index(cpu);
	uint32_t at, bits;

	if (in_real_mode(cpu) ||
	    (!(cpu->mode & MODE_VM) && cpu->cpl <= (cpu->flags & FLAG_IOPL) >> 12))
		return;
	if (!(tr->attr & 8) || tr->limit < 103)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	at = ldx2(cpu, op, index, tr->base + 102) + port / 8;
	if (at + 1 > tr->limit)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	bits = ldx2(cpu, op, index, tr->base + at);
	if (bits >> (port & 7) & (BIT(size) - 1))
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

uint32_t port_read(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size)
{
	uint64_t value;

	debug_check_port(cpu, port, size);
	cpu->op = op;
	dbt_go_outside(cpu);
	as_load(cpu->machine->accel.machine.io, &cpu->acc->io_hint, port, size, &value);
	dbt_recheck_interrupts(cpu);
	dbt_go_inside(cpu);
	return value;
}

void port_write(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size,
		uint32_t value)
{
	debug_check_port(cpu, port, size);
	cpu->op = op;
	dbt_go_outside(cpu);
	as_store(cpu->machine->accel.machine.io, &cpu->acc->io_hint, port, size, value);
	dbt_recheck_interrupts(cpu);
	dbt_go_inside(cpu);
}

static uint16_t port_of(const struct dbt_cpu *cpu, const struct op *op)
{
	return op->flags & PORT_IMM ? op->imm : cpu->gpr[R_DX];
}

OP_HANDLER(in)
{
	unsigned size = size_of(op);
	uint16_t port = port_of(cpu, op);

	port_check(cpu, op, port, size);
	reg_set(cpu, R_AX, size, port_read(cpu, op, port, size)); /* AL is at byte 0 */
	return next(cpu, op);
}

OP_HANDLER(out)
{
	unsigned size = size_of(op);
	uint16_t port = port_of(cpu, op);
	uint64_t value = cpu->gpr[R_AX] & (~0ULL >> (64 - size * 8));

	port_check(cpu, op, port, size);
	port_write(cpu, op, port, size, value);
	return next(cpu, op);
}

/* ---- CPUID, counters, random numbers ---- */

OP_HANDLER(cpuid)
{
	uint32_t out[4];

	dbt_cpuid(cpu, cpu->gpr[R_AX], cpu->gpr[R_CX], out);
	set32(cpu, R_AX, out[0]);
	set32(cpu, R_BX, out[1]);
	set32(cpu, R_CX, out[2]);
	set32(cpu, R_DX, out[3]);
	OP_LOOP(cpu, op);
}

static void check_tsd(struct dbt_cpu *cpu, const struct op *op)
{
	if ((cpu->cr4 & CR4_TSD) && cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

OP_HANDLER(rdtsc)
{
	check_tsd(cpu, op);
	set_edx_eax(cpu, dbt_tsc(cpu));
	NEXT(cpu, op);
}

OP_HANDLER(rdtscp)
{
	check_tsd(cpu, op);
	set_edx_eax(cpu, dbt_tsc(cpu));
	set32(cpu, R_CX, cpu->msrs->tsc_aux);
	NEXT(cpu, op);
}

OP_HANDLER(rdpid)
{
	reg_set(cpu, op->src, size_of(op), cpu->msrs->tsc_aux);
	NEXT(cpu, op);
}

/* There are no counters: every number is a wrong one. */
OP_HANDLER(rdpmc)
{
	dbt_fault_code(cpu, op, EXC_GP, 0);
}

OP_HANDLER(rdrand)
{
	uint64_t value = 0;
	bool ok = getrandom(&value, size_of(op), 0) == (ssize_t)size_of(op);

	reg_set(cpu, op->src, size_of(op), ok ? value : 0);
	flags_set_status(cpu, ok ? FLAG_CF : 0);
	OP_LOOP(cpu, op);
}

/* ---- MSRs ---- */

OP_HANDLER(rdmsr)
{
	uint64_t value = 0;

	if (cpu->cpl || !dbt_rdmsr(cpu, cpu->gpr[R_CX], &value))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	set_edx_eax(cpu, value);
	OP_LOOP(cpu, op);
}

OP_HANDLER(wrmsr)
{
	cpu->op = op; /* EFER faults by itself */
	if (cpu->cpl || !dbt_wrmsr(cpu, cpu->gpr[R_CX], edx_eax(cpu)))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	return next(cpu, op);
}

/* ---- Control registers ---- */

OP_HANDLER(mov_from_cr)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;
	uint64_t value = 0;

	check_level_0(cpu, op);
	switch (op->dst) {
	case 0:
		value = cpu->cr0;
		break;
	case 2:
		value = cpu->cr2;
		break;
	case 3:
		value = cpu->cr3;
		break;
	case 4:
		value = cpu->cr4;
		break;
	case 8:
		value = intr && intr->get_tpr ? intr->get_tpr(cpu->acc->intr_opaque) : 0;
		break;
	}
	reg_set(cpu, op->src, size_of(op), value);
	NEXT(cpu, op);
}

static void set_cr8(struct dbt_cpu *cpu, const struct op *op, uint64_t value)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;

	if (value > 15)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (intr && intr->set_tpr)
		intr->set_tpr(cpu->acc->intr_opaque, value);
	dbt_recheck_interrupts(cpu);
}

OP_HANDLER(mov_to_cr)
{
	uint64_t value = cpu->gpr[op->src];

	check_level_0(cpu, op);
	if (size_of(op) == 4)
		value &= UINT32_MAX;
	switch (op->dst) {
	case 0:
		dbt_set_cr0(cpu, op, value);
		break;
	case 2:
		cpu->cr2 = value;
		break;
	case 3:
		dbt_set_cr3(cpu, op, value);
		break;
	case 4:
		dbt_set_cr4(cpu, op, value);
		break;
	case 8:
		set_cr8(cpu, op, value);
		break;
	}
	return next(cpu, op);
}

OP_HANDLER(clts)
{
	check_level_0(cpu, op);
	cpu->cr0 &= ~CR0_TS;
	dbt_update_mode(cpu);
	return next(cpu, op);
}

OP_HANDLER(lmsw)
{
	uint16_t value;

	check_level_0(cpu, op);
	value = op->flags & OPERAND_MEM ? ld2(cpu, op, op_linear(cpu, op, 2, false))
					: cpu->gpr[op->src];
	/* PE can be set by it, not cleared. */
	dbt_set_cr0(cpu, op, (cpu->cr0 & ~0xeULL) | (value & 0xf));
	return next(cpu, op);
}

OP_HANDLER(smsw)
{
	if ((cpu->mode & MODE_UMIP) && cpu->cpl)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (op->flags & OPERAND_MEM)
		st2(cpu, op, op_linear(cpu, op, 2, true), cpu->cr0);
	else
		reg_set(cpu, op->src, size_of(op), cpu->cr0);
	NEXT(cpu, op);
}

/* ---- Debug registers ---- */

/* The number that counts: DR4 and DR5 are old names of DR6 and DR7. */
static unsigned debug_register(struct dbt_cpu *cpu, const struct op *op)
{
	unsigned n = op->dst;

	if (n == 4 || n == 5) {
		if (cpu->cr4 & CR4_DE)
			dbt_fault(cpu, op, EXC_UD);
		n += 2;
	}
	check_level_0(cpu, op);
	if (cpu->dr[7] & DR7_GD) {
		cpu->dr[6] |= DR6_BD;
		dbt_fault(cpu, op, EXC_DB);
	}
	return n;
}

OP_HANDLER(mov_from_dr)
{
	reg_set(cpu, op->src, size_of(op), cpu->dr[debug_register(cpu, op)]);
	NEXT(cpu, op);
}

OP_HANDLER(mov_to_dr)
{
	unsigned n = debug_register(cpu, op);
	uint64_t value = cpu->gpr[op->src];

	if (size_of(op) == 4)
		value &= UINT32_MAX;
	if (n >= 6 && value >> 32)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (n == 6)
		value = (value & (DR6_BD | DR6_BS | DR6_BT | 15)) | DR6_FIXED;
	else if (n == 7)
		value = (value & 0xffff23ff) | DR7_FIXED;
	cpu->dr[n] = value;
	if (n != 6)
		debug_changed(cpu);
	return next(cpu, op);
}

/* ---- Translations and caches ---- */

OP_HANDLER(invlpg)
{
	uint64_t lin = op_offset(cpu, op) + cpu->seg_base[op->seg];

	check_level_0(cpu, op);
	if (!(cpu->mode & MODE_LONG))
		lin &= UINT32_MAX;
	mmu_flush_page(cpu, lin);
	return next(cpu, op);
}

enum { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL_GLOBAL, INVPCID_ALL };

OP_HANDLER(invpcid)
{
	uint64_t lin, type = cpu->gpr[op->dst], pcid, addr;

	check_level_0(cpu, op);
	if (!(cpu->mode & MODE_CS64))
		type &= UINT32_MAX;
	lin = op_linear(cpu, op, 16, false);
	pcid = ld8(cpu, op, lin);
	addr = ld8(cpu, op, lin + 8);
	if (type > INVPCID_ALL || pcid >> 12 ||
	    (type <= INVPCID_CONTEXT && pcid && !(cpu->cr4 & CR4_PCIDE)) ||
	    (type == INVPCID_ADDRESS && !is_canonical(addr)))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	if (type == INVPCID_ADDRESS)
		mmu_flush_page(cpu, addr);
	else if (type == INVPCID_ALL_GLOBAL)
		mmu_flush(cpu);
	else
		mmu_flush_local(cpu);
	return next(cpu, op);
}

OP_HANDLER(wbinvd)
{
	check_level_0(cpu, op);
	NEXT(cpu, op);
}

/* ---- MONITOR, MWAIT: every store may have been the one that was waited for ---- */

OP_HANDLER(monitor)
{
	if (cpu->cpl)
		dbt_fault(cpu, op, EXC_UD);
	if ((uint32_t)cpu->gpr[R_CX])
		dbt_fault_code(cpu, op, EXC_GP, 0);
	ld1(cpu, op, op_segment_linear(cpu, op, op->seg, cpu->gpr[R_AX], 1, false));
	NEXT(cpu, op);
}

OP_HANDLER(mwait)
{
	if (cpu->cpl)
		dbt_fault(cpu, op, EXC_UD);
	if ((uint32_t)cpu->gpr[R_CX] & ~1u)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	g_thread_yield();
	return next(cpu, op);
}

/* ---- XCR0 ---- */

OP_HANDLER(xgetbv)
{
	uint32_t index = cpu->gpr[R_CX];

	if (!(cpu->mode & MODE_XSAVE))
		dbt_fault(cpu, op, EXC_UD);
	if (index > 1 || (index && !dbt_has(cpu, FEAT_XSAVE, BIT(2))))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	set_edx_eax(cpu, cpu->xcr0);
	NEXT(cpu, op);
}

OP_HANDLER(xsetbv)
{
	uint64_t value = edx_eax(cpu), legal;

	if (!(cpu->mode & MODE_XSAVE))
		dbt_fault(cpu, op, EXC_UD);
	legal = cpu->acc->features.words[FEAT_XSAVE_XCR0_LO] |
		cpu->acc->features.words[FEAT_XSAVE_XCR0_HI] << 32;
	if (cpu->cpl || (uint32_t)cpu->gpr[R_CX] || (value & ~legal) || !(value & 1) ||
	    (value & 6) == 4)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	cpu->xcr0 = value;
	dbt_update_mode(cpu);
	return next(cpu, op);
}

/* ---- Fast system calls ---- */

static void load_flat(struct dbt_cpu *cpu, uint16_t cs, uint16_t ss, unsigned cpl, bool long64)
{
	segment_set_flat(cpu, S_CS, cs, cpl, long64);
	segment_set_flat(cpu, S_SS, ss, cpl, false);
	cpu->cpl = cpl;
}

OP_HANDLER(syscall_op)
{
	const struct dbt_msrs *m = cpu->msrs;
	uint16_t cs = m->star >> 32 & 0xfffc;
	uint64_t flags = dbt_rflags(cpu) & ~(uint64_t)FLAG_RF;
	bool from64 = cpu->mode & MODE_CS64;

	if (!(cpu->efer & EFER_SCE) || (dbt_is_intel(cpu) && !from64))
		dbt_fault(cpu, op, EXC_UD);
	cpu->gpr[R_CX] = op_next_rip(cpu, op);
	load_flat(cpu, cs, cs + 8, 0, in_long_mode(cpu));
	if (in_long_mode(cpu)) {
		cpu->gpr[R_11] = flags;
		cpu->rip = from64 ? m->lstar : m->cstar;
		dbt_set_rflags(cpu, 0, m->fmask | FLAG_RF);
	} else {
		cpu->rip = (uint32_t)m->star;
		dbt_set_rflags(cpu, 0, FLAG_IF | FLAG_VM | FLAG_RF);
	}
	dbt_update_mode(cpu);
	return NULL;
}

#define SYSRET_FLAGS 0x3c7fd7

OP_HANDLER(sysret)
{
	uint16_t base = cpu->msrs->star >> 48 & 0xfffc;
	bool to64 = size_of(op) == 8 && in_long_mode(cpu);
	uint64_t target = cpu->gpr[R_CX];

	if (!(cpu->efer & EFER_SCE))
		dbt_fault(cpu, op, EXC_UD);
	if (in_real_mode(cpu))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	check_level_0(cpu, op);
	if (to64 && dbt_is_intel(cpu) && !is_canonical(target))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	load_flat(cpu, (base + (to64 ? 16 : 0)) | 3, (base + 8) | 3, 3, to64);
	cpu->rip = to64 ? target : (uint32_t)target;
	if (in_long_mode(cpu))
		dbt_set_rflags(cpu, cpu->gpr[R_11], SYSRET_FLAGS);
	else
		dbt_set_rflags(cpu, FLAG_IF, FLAG_IF);
	cpu->flags &= ~FLAG_RF;
	dbt_update_mode(cpu);
	return NULL;
}

/* AMD's have these two outside of long mode only. */
static void check_sysenter(struct dbt_cpu *cpu, const struct op *op)
{
	if (in_long_mode(cpu) && !dbt_is_intel(cpu))
		dbt_fault(cpu, op, EXC_UD);
	if (in_real_mode(cpu) || selector_is_null(cpu->msrs->sysenter_cs))
		dbt_fault_code(cpu, op, EXC_GP, 0);
}

OP_HANDLER(sysenter)
{
	uint16_t cs = cpu->msrs->sysenter_cs & 0xfffc;
	uint64_t mask = in_long_mode(cpu) ? UINT64_MAX : UINT32_MAX;

	check_sysenter(cpu, op);
	dbt_set_rflags(cpu, 0, FLAG_IF | FLAG_VM | FLAG_RF);
	load_flat(cpu, cs, cs + 8, 0, in_long_mode(cpu));
	cpu->gpr[R_SP] = cpu->msrs->sysenter_esp & mask;
	cpu->rip = cpu->msrs->sysenter_eip & mask;
	dbt_update_mode(cpu);
	return NULL;
}

OP_HANDLER(sysexit)
{
	uint16_t base = cpu->msrs->sysenter_cs & 0xfffc;
	bool to64 = size_of(op) == 8;
	uint64_t rip = cpu->gpr[R_DX], rsp = cpu->gpr[R_CX];

	check_sysenter(cpu, op);
	check_level_0(cpu, op);
	if (to64 && (!is_canonical(rip) || !is_canonical(rsp)))
		dbt_fault_code(cpu, op, EXC_GP, 0);
	base += to64 ? 32 : 16;
	load_flat(cpu, base | 3, (base + 8) | 3, 3, to64);
	cpu->gpr[R_SP] = to64 ? rsp : (uint32_t)rsp;
	cpu->rip = to64 ? rip : (uint32_t)rip;
	dbt_update_mode(cpu);
	return NULL;
}

OP_HANDLER(swapgs)
{
	uint64_t base = cpu->seg[S_GS].base;

	check_level_0(cpu, op);
	cpu->seg[S_GS].base = cpu->seg_base[S_GS] = cpu->msrs->kernel_gs_base;
	cpu->msrs->kernel_gs_base = base;
	return next(cpu, op);
}

/* ---- What there is not, and SMM ---- */

OP_HANDLER(undefined)
{
	dbt_fault(cpu, op, EXC_UD);
}

OP_HANDLER(rsm)
{
	if (!cpu->in_smm)
		dbt_fault(cpu, op, EXC_UD);
	dbt_leave_smm(cpu, op);
	return NULL;
}

/* ---- Selection ---- */

static const struct {
	uint16_t op;
	op_fn *fn;
} rows[] = {
	{OP_CLI, cli},
	{OP_STI, sti},
	{OP_CLAC, clac},
	{OP_STAC, stac},
	{OP_HLT, hlt},
	{OP_IN, in},
	{OP_OUT, out},
	{OP_CPUID, cpuid},
	{OP_RDTSC, rdtsc},
	{OP_RDTSCP, rdtscp},
	{OP_RDPID, rdpid},
	{OP_RDPMC, rdpmc},
	{OP_RDRAND, rdrand},
	{OP_RDSEED, rdrand},
	{OP_RDMSR, rdmsr},
	{OP_WRMSR, wrmsr},
	{OP_MOV_FROM_CR, mov_from_cr},
	{OP_MOV_TO_CR, mov_to_cr},
	{OP_MOV_FROM_DR, mov_from_dr},
	{OP_MOV_TO_DR, mov_to_dr},
	{OP_CLTS, clts},
	{OP_LMSW, lmsw},
	{OP_SMSW, smsw},
	{OP_INVLPG, invlpg},
	{OP_INVPCID, invpcid},
	{OP_INVD, wbinvd},
	{OP_WBINVD, wbinvd},
	{OP_MONITOR, monitor},
	{OP_MWAIT, mwait},
	{OP_XGETBV, xgetbv},
	{OP_XSETBV, xsetbv},
	{OP_SYSCALL, syscall_op},
	{OP_SYSRET, sysret},
	{OP_SYSENTER, sysenter},
	{OP_SYSEXIT, sysexit},
	{OP_SWAPGS, swapgs},
	{OP_RSM, rsm},
	{OP_VMCALL, undefined},
	{OP_VMMCALL, undefined},
	{OP_UD, undefined},
};

bool op_select_system(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].op != insn->op)
			continue;
		op->fn = rows[i].fn;
		op->dst = insn->reg;
		op->src = insn->rm;
		op->flags = insn->osize | (insn->is_mem ? OPERAND_MEM : 0);
		if ((insn->op == OP_IN || insn->op == OP_OUT) && insn->imm_size)
			op->flags |= PORT_IMM;
		return true;
	}
	return false;
}
