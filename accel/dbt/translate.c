/*
 * From guest code to a block of operations.
 *
 * A block ends at a transfer of control, at what changes the mode or the mapping of addresses, before a
 * page's end is crossed, or when it is long enough. An instruction that lies in two pages has a
 * block of its own, so a fault in fetching it comes at the right time.
 */
#include "block.h"
#include "host.h"
#include "mem.h"
#include "mem/ram.h"

static op_select_fn *const families[] = {
	op_select_atomic, op_select_move,  op_select_alu,     op_select_branch, op_select_stack,
	op_select_shift,  op_select_bits,  op_select_muldiv,  op_select_string, op_select_host,
	op_select_x87,    op_select_state, op_select_segment, op_select_system,
};

static const struct op *op_undefined(struct dbt_cpu *cpu, const struct op *op)
{
	dbt_fault(cpu, op, EXC_UD);
}

static const struct op *op_too_long(struct dbt_cpu *cpu, const struct op *op)
{
	dbt_fault_code(cpu, op, EXC_GP, 0);
}

/* ---- What ends a block ---- */

static const uint16_t enders[] = {
	OP_JMP,      OP_JMP_IND,      OP_JMP_FAR,   OP_JMP_FAR_IND, OP_CALL,     OP_CALL_IND,
	OP_CALL_FAR, OP_CALL_FAR_IND, OP_RET,       OP_RET_FAR,     OP_IRET,     OP_JCC,
	OP_LOOP,     OP_LOOPCC,       OP_JCXZ,      OP_INT,         OP_INT3,     OP_INT1,
	OP_INTO,     OP_UD,           OP_SYSCALL,   OP_SYSRET,      OP_SYSENTER, OP_SYSEXIT,
	OP_HLT,      OP_MWAIT,        OP_MOV_TO_CR, OP_MOV_TO_DR,   OP_CLTS,     OP_LMSW,
	OP_INVLPG,   OP_INVPCID,      OP_WRMSR,     OP_XSETBV,      OP_STI,      OP_POPF,
	OP_POP_SEG,  OP_MOV_TO_SEG,   OP_LDS,       OP_RSM,         OP_LLDT,     OP_LTR,
	OP_MOVS,     OP_STOS,         OP_CMPS,      OP_SCAS,        OP_LODS,     OP_INS,
	OP_OUTS,     OP_PAUSE,        OP_VMCALL,    OP_VMMCALL,     OP_STAC,     OP_CLAC,
	OP_WRFSBASE, OP_WRGSBASE,     OP_SWAPGS,    OP_LGDT,        OP_LIDT,     OP_CLI,
	OP_IN,       OP_OUT,
};

static bool ends_block(const struct insn *insn)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(enders); i++) {
		if (enders[i] == insn->op)
			return true;
	}
	return false;
}

/* ---- Operands that all families have ---- */

static enum op_ea_kind address_kind(const struct dbt_cpu *cpu, const struct insn *insn)
{
	if (insn->asize == 2)
		return EA_SLOW16;
	if (cpu->mode & MODE_CS64) {
		if (insn->asize == 4)
			return EA_SLOW32;
		return insn->seg >= S_FS ? EA_64_SEG : EA_64;
	}
	/* Code segments are never written to, so CS: goes the way that checks. */
	if ((cpu->mode & MODE_FLAT) && insn->seg < S_FS && insn->seg != S_CS)
		return EA_FLAT32;
	return EA_SLOW32;
}

static uint8_t address_slot(uint8_t reg)
{
	return reg == BASE_NONE ? GPR_ZERO : reg == BASE_RIP ? GPR_BLOCK : reg;
}

static void fill_address(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	int64_t disp = insn->disp;

	op->ea = address_kind(cpu, insn);
	op->seg = insn->seg;
	op->base = address_slot(insn->base);
	op->index = address_slot(insn->index);
	op->scale = insn->scale;
	if (insn->base == BASE_RIP) {
		disp += op->ip + op->len;
		if (disp != (int32_t)disp) {
			op->ea = EA_SLOW64;
			disp = insn->disp;
		}
	}
	op->disp = disp;
}

static void fill_op(const struct dbt_cpu *cpu, const struct insn *insn, unsigned ip, struct op *op)
{
	*op = (struct op){.ip = ip, .len = insn->len, .imm = insn->imm, .sub = insn->sub};
	fill_address(cpu, insn, op);
	for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
		if (families[i](cpu, insn, op))
			return;
	}
	op->fn = op_undefined;
}

/* ---- Code ---- */

struct source {
	uint64_t lin;        /* of the block's start */
	const uint8_t *host; /* the same in host memory, to the page's end */
	unsigned in_page;    /* bytes that are left of the page */
	uint8_t copy[INSN_MAX];
	uint64_t page2;
};

/* The bytes of an instruction that goes on in the next page; faults if that cannot be fetched. */
static enum decode_result decode_across(struct dbt_cpu *cpu, const struct decode_env *env,
					struct source *src, struct insn *insn)
{
	uint64_t next = PAGE_OF(src->lin) + 0x1000;
	const uint8_t *host;

	if (!(cpu->mode & MODE_CS64))
		next = (uint32_t)next;
	src->page2 = PAGE_OF(mmu_fetch(cpu, next, &host));
	code_page_watch(cpu, src->page2);
	memcpy(src->copy, src->host, src->in_page);
	if (host)
		memcpy(src->copy + src->in_page, host, INSN_MAX - src->in_page);
	else
		mmu_read(cpu, NULL, MMU_KERNEL, next, src->copy + src->in_page,
			 INSN_MAX - src->in_page);
	return insn_decode(env, src->copy, INSN_MAX, insn);
}

static enum decode_result decode_at(struct dbt_cpu *cpu, const struct decode_env *env,
				    struct source *src, unsigned at, struct insn *insn)
{
	unsigned avail = MIN(src->in_page - at, INSN_MAX);
	enum decode_result result = DECODE_MORE;

	if (avail)
		result = insn_decode(env, src->host + at, avail, insn);
	if (result == DECODE_MORE && !at)
		result = decode_across(cpu, env, src, insn);
	return result;
}

/* Up to @max instructions, and the operation that goes on behind them. */
static void fill_block(struct dbt_cpu *cpu, struct block *b, struct source *src, unsigned max)
{
	struct decode_env env = {cpu->mode, &cpu->acc->features};
	bool ended = false;
	struct insn insn;

	while (!ended && b->count < max) {
		struct op *op = &b->ops[b->count];
		enum decode_result result = decode_at(cpu, &env, src, b->size, &insn);

		if (result == DECODE_MORE)
			break;
		fill_op(cpu, &insn, b->size, op);
		if (result != DECODE_OK)
			op->fn = result == DECODE_UD ? op_undefined : op_too_long;
		ended = result != DECODE_OK || ends_block(&insn) || src->page2 != UINT64_MAX;
		b->size += insn.len;
		b->count++;
	}
	b->ops[b->count] = (struct op){.fn = op_go_on, .ip = b->size};
}

/* What is run from registers, or from ROM that answers like registers, is read as it is now. */
static void read_slowly(struct dbt_cpu *cpu, struct source *src, uint8_t *buf)
{
	src->in_page = MIN(src->in_page, INSN_MAX);
	mmu_read(cpu, NULL, cpu->cpl == 3 ? MMU_USER : MMU_KERNEL, src->lin, buf, src->in_page);
	src->host = buf;
}

void block_translate(struct dbt_cpu *cpu, struct block *b, uint64_t phys, const uint8_t *host,
		     unsigned max)
{
	uint64_t lin = cpu->rip + cpu->cache->code_base;
	struct source src = {.host = host, .page2 = UINT64_MAX};
	uint8_t slow[INSN_MAX];

	src.lin = cpu->mode & MODE_CS64 ? lin : (uint32_t)lin;
	src.in_page = RAM_PAGE_SIZE - (lin & (RAM_PAGE_SIZE - 1));
	if (!host)
		read_slowly(cpu, &src, slow);
	memset(b, 0, sizeof(*b));
	b->phys = phys;
	b->mode = cpu->mode;
	fill_block(cpu, b, &src, max);
	b->page2 = src.page2;
}
