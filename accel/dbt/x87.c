/*
 * x87 instructions, WAIT and EMMS (SDM vol. 1, chapter 8; vol. 2, appendix A.5).
 *
 * The host's x87 does the work, and says which encodings there are. What is ours: memory operands of
 * many sizes, the environment's four formats, and the pointers to the last instruction and operand, which
 * in the host's registers would be those of a stub.
 *
 *	op->data	the stub	op->dst	bytes of the memory operand	op->src	opcode
 *	op->sub		ModRM
 */
#include "ea.h"
#include "flags.h"
#include "host-row.h"

#define RFLAGS_PLAIN 2

/* As FNSTENV writes it in 64-bit code, and FNSAVE with the registers behind. */
struct environment {
	uint32_t fcw, fsw, ftw, fip;
	uint16_t fcs, fop;
	uint32_t fdp, fds;
	uint8_t st[80];
};
#define ENV_SIZE  28
#define SAVE_SIZE 108

static inline host_x87_fn *stub_of(struct dbt_cpu *cpu, const struct op *op)
{
	cpu->op = op;
	if (unlikely(!cpu->host->x87_live))
		host_x87_load(cpu->host);
	return (host_x87_fn *)op->data;
}

/* Of instructions that compute, or load and store values. */
static void note_pointers(struct dbt_cpu *cpu, const struct op *op)
{
	cpu->host->fip = cpu->gpr[GPR_BLOCK] + op->ip;
	cpu->host->fop = (op->src & 7) << 8 | op->sub;
}

static const struct op *op_x87(struct dbt_cpu *cpu, const struct op *op)
{
	stub_of(cpu, op)(cpu, NULL, RFLAGS_PLAIN);
	note_pointers(cpu, op);
	NEXT(cpu, op);
}

/* FNCLEX, FNINIT, WAIT, EMMS: no instruction that the pointers remember. */
static const struct op *op_x87_control(struct dbt_cpu *cpu, const struct op *op)
{
	stub_of(cpu, op)(cpu, NULL, RFLAGS_PLAIN);
	NEXT(cpu, op);
}

static const struct op *op_x87_init(struct dbt_cpu *cpu, const struct op *op)
{
	struct host_state *h = cpu->host;

	stub_of(cpu, op)(cpu, NULL, RFLAGS_PLAIN);
	h->fip = h->fdp = h->fop = 0;
	NEXT(cpu, op);
}

/* FCMOVcc */
static const struct op *op_x87_by_flags(struct dbt_cpu *cpu, const struct op *op)
{
	host_x87_fn *stub = stub_of(cpu, op);

	stub(cpu, NULL, flags_status(cpu) | RFLAGS_PLAIN);
	note_pointers(cpu, op);
	NEXT(cpu, op);
}

/* FCOMI and the like */
static const struct op *op_x87_to_flags(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t flags = stub_of(cpu, op)(cpu, NULL, RFLAGS_PLAIN);

	flags_set_status(cpu, flags & (FLAG_ZF | FLAG_PF | FLAG_CF));
	note_pointers(cpu, op);
	NEXT(cpu, op);
}

static const struct op *op_fnstsw_ax(struct dbt_cpu *cpu, const struct op *op)
{
	uint16_t status;

	stub_of(cpu, op);
	asm volatile("fnstsw %0" : "=m"(status));
	reg_set2(cpu, R_AX, status);
	NEXT(cpu, op);
}

/* ---- Memory ---- */

static const struct op *op_x87_load(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, op->dst, false);
	uint8_t copy[16];

	mmu_read(cpu, op, cpu->mmu_index, lin, copy, op->dst);
	stub_of(cpu, op)(cpu, copy, RFLAGS_PLAIN);
	note_pointers(cpu, op);
	cpu->host->fdp = lin;
	NEXT(cpu, op);
}

/* An instruction that pops must not run if its operand cannot be written. */
static const struct op *op_x87_store(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, op->dst, true);
	uint8_t copy[16];

	mmu_probe(cpu, op, cpu->mmu_index, lin, op->dst, ACCESS_WRITE);
	stub_of(cpu, op)(cpu, copy, RFLAGS_PLAIN);
	mmu_write(cpu, op, cpu->mmu_index, lin, copy, op->dst);
	note_pointers(cpu, op);
	cpu->host->fdp = lin;
	NEXT(cpu, op);
}

/* FLDCW, FNSTCW, FNSTSW */
static const struct op *op_x87_load_control(struct dbt_cpu *cpu, const struct op *op)
{
	uint16_t value = ld2(cpu, op, op_linear(cpu, op, 2, false));

	stub_of(cpu, op)(cpu, &value, RFLAGS_PLAIN);
	NEXT(cpu, op);
}

static const struct op *op_x87_store_control(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 2, true);
	uint16_t value;

	stub_of(cpu, op)(cpu, &value, RFLAGS_PLAIN);
	st2(cpu, op, lin, value);
	NEXT(cpu, op);
}

/* ---- Environments: 16 or 32 bits, protected or real (SDM vol. 1, figures 8-9 to 8-12) ---- */

static bool real_format(const struct dbt_cpu *cpu)
{
	return (cpu->mode & (MODE_PE | MODE_VM)) != MODE_PE;
}

static void put_env16(const struct environment *env, bool real, uint64_t fip, uint64_t fdp,
		      uint16_t fop, uint16_t out[7])
{
	out[0] = env->fcw;
	out[1] = env->fsw;
	out[2] = env->ftw;
	out[3] = fip;
	out[4] = real ? (fip >> 16 & 0xf) << 12 | (fop & 0x7ff) : 0;
	out[5] = fdp;
	out[6] = real ? (fdp >> 16 & 0xf) << 12 : 0;
}

static void put_env32(const struct environment *env, bool real, uint64_t fip, uint64_t fdp,
		      uint16_t fop, uint32_t out[7])
{
	out[0] = 0xffff0000 | env->fcw;
	out[1] = 0xffff0000 | env->fsw;
	out[2] = 0xffff0000 | env->ftw;
	out[3] = real ? 0xffff0000 | (uint16_t)fip : fip;
	out[4] = real ? (fip >> 16 & 0xffff) << 12 | (fop & 0x7ff) : (uint32_t)fop << 16;
	out[5] = real ? 0xffff0000 | (uint16_t)fdp : fdp;
	out[6] = real ? (fdp >> 16 & 0xffff) << 12 : 0xffff0000;
}

/* Length of the environment alone in the format of this instruction. */
static unsigned env_bytes(unsigned total)
{
	return total == 14 || total == 94 ? 14 : 28;
}

/* FNSTENV, FNSAVE */
static const struct op *op_x87_store_env(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, op->dst, true);
	unsigned head = env_bytes(op->dst);
	struct host_state *h = cpu->host;
	struct environment env;
	uint8_t out[SAVE_SIZE];

	mmu_probe(cpu, op, cpu->mmu_index, lin, op->dst, ACCESS_WRITE);
	stub_of(cpu, op)(cpu, &env, RFLAGS_PLAIN);
	if (head == 14)
		put_env16(&env, real_format(cpu), h->fip, h->fdp, h->fop, (uint16_t *)out);
	else
		put_env32(&env, real_format(cpu), h->fip, h->fdp, h->fop, (uint32_t *)out);
	if (op->dst > head) { /* FNSAVE initializes, too */
		memcpy(out + head, env.st, sizeof(env.st));
		h->fip = h->fdp = h->fop = 0;
	}
	mmu_write(cpu, op, cpu->mmu_index, lin, out, op->dst);
	NEXT(cpu, op);
}

static void take_env(struct host_state *h, const uint8_t *in, bool wide, bool real,
		     struct environment *env)
{
	uint32_t word[7];

	for (unsigned i = 0; i < 7; i++)
		word[i] = wide ? ((const mem32 *)in)[i] : ((const mem16 *)in)[i];
	*env = (struct environment){
		.fcw = word[0] & 0xffff, .fsw = word[1] & 0xffff, .ftw = word[2] & 0xffff};
	if (real) {
		h->fip = (word[3] & 0xffff) | (uint64_t)(word[4] >> 12) << 16;
		h->fdp = (word[5] & 0xffff) | (uint64_t)(word[6] >> 12) << 16;
		h->fop = word[4] & 0x7ff;
	} else {
		h->fip = word[3];
		h->fdp = word[5];
		h->fop = wide ? word[4] >> 16 & 0x7ff : 0;
	}
}

/* FLDENV, FRSTOR */
static const struct op *op_x87_load_env(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, op->dst, false);
	unsigned head = env_bytes(op->dst);
	struct environment env;
	uint8_t in[SAVE_SIZE];
	host_x87_fn *stub;

	mmu_read(cpu, op, cpu->mmu_index, lin, in, op->dst);
	stub = stub_of(cpu, op);
	take_env(cpu->host, in, head == ENV_SIZE, real_format(cpu), &env);
	if (op->dst > head)
		memcpy(env.st, in + head, sizeof(env.st));
	stub(cpu, &env, RFLAGS_PLAIN);
	NEXT(cpu, op);
}

/* ---- Which function ---- */

enum x87_kind { X_NONE, X_LOAD, X_STORE, X_LOAD_CW, X_STORE_CW, X_LOAD_ENV, X_STORE_ENV };

/* By opcode - D8h and ModRM.reg. Sizes of environments: with 32-bit operands. */
static const struct {
	uint8_t kind, size;
} memory_forms[8][8] = {
	{{X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4}},
	{{X_LOAD, 4},
	 {X_NONE},
	 {X_STORE, 4},
	 {X_STORE, 4},
	 {X_LOAD_ENV, ENV_SIZE},
	 {X_LOAD_CW, 2},
	 {X_STORE_ENV, ENV_SIZE},
	 {X_STORE_CW, 2}},
	{{X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4},
	 {X_LOAD, 4}},
	{{X_LOAD, 4},
	 {X_STORE, 4},
	 {X_STORE, 4},
	 {X_STORE, 4},
	 {X_NONE},
	 {X_LOAD, 10},
	 {X_NONE},
	 {X_STORE, 10}},
	{{X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8},
	 {X_LOAD, 8}},
	{{X_LOAD, 8},
	 {X_STORE, 8},
	 {X_STORE, 8},
	 {X_STORE, 8},
	 {X_LOAD_ENV, SAVE_SIZE},
	 {X_NONE},
	 {X_STORE_ENV, SAVE_SIZE},
	 {X_STORE_CW, 2}},
	{{X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2},
	 {X_LOAD, 2}},
	{{X_LOAD, 2},
	 {X_STORE, 2},
	 {X_STORE, 2},
	 {X_STORE, 2},
	 {X_LOAD, 10},
	 {X_LOAD, 8},
	 {X_STORE, 10},
	 {X_STORE, 8}},
};

static op_fn *const memory_functions[] = {
	[X_NONE] = host_undefined,
	[X_LOAD] = op_x87_load,
	[X_STORE] = op_x87_store,
	[X_LOAD_CW] = op_x87_load_control,
	[X_STORE_CW] = op_x87_store_control,
	[X_LOAD_ENV] = op_x87_load_env,
	[X_STORE_ENV] = op_x87_store_env,
};

static void select_memory(const struct insn *insn, struct op *op)
{
	unsigned kind = memory_forms[insn->opcode & 7][insn->sub].kind;
	unsigned size = memory_forms[insn->opcode & 7][insn->sub].size;
	bool env = kind == X_LOAD_ENV || kind == X_STORE_ENV;

	if (env && insn->osize == 2)
		size -= 14;
	op->fn = memory_functions[kind];
	op->dst = size;
}

static op_fn *register_function(const struct insn *insn)
{
	uint16_t code = insn->opcode << 8 | insn->modrm;

	if (code == 0xdfe0)
		return op_fnstsw_ax;
	if (code == 0xdbe3)
		return op_x87_init;
	if (code == 0xdbe2)
		return op_x87_control;
	if ((insn->opcode == 0xda || insn->opcode == 0xdb) && insn->modrm < 0xe0)
		return op_x87_by_flags;
	if ((insn->opcode == 0xdb || insn->opcode == 0xdf) && insn->modrm >= 0xe8 &&
	    insn->modrm < 0xf8)
		return op_x87_to_flags;
	return op_x87;
}

/* WAIT looks at MP instead of EM; EMMS is an MMX instruction. */
static op_fn *unavailable(const struct dbt_cpu *cpu, const struct insn *insn)
{
	if (insn->op == OP_EMMS)
		return host_unavailable(cpu, false, true);
	if (insn->opcode == 0x9b && (cpu->mode & (MODE_MP | MODE_TS)) != (MODE_MP | MODE_TS))
		return NULL;
	return host_unavailable(cpu, true, false);
}

bool op_select_x87(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	op_fn *refused;

	if (insn->op != OP_X87 && insn->op != OP_EMMS)
		return false;
	refused = unavailable(cpu, insn);
	if (refused) {
		op->fn = refused;
		return true;
	}
	if (insn->is_mem)
		select_memory(insn, op);
	else if (insn->has_modrm)
		op->fn = register_function(insn);
	else
		op->fn = op_x87_control;
	op->data = host_stub_x87(insn);
	op->src = insn->opcode;
	op->sub = insn->modrm;
	if (!op->data)
		op->fn = host_undefined;
	return true;
}
