/*
 * Moves: SDM vol. 1, 5.1.1, 5.1.10 and 5.1.12. Exchanges and what may be LOCKed are in op-atomic.c.
 */
#include "flags.h"
#include "forms.h"

/* ---- MOV ---- */

#define DEF_MOV(_size, _type, _stype, _log)                                                        \
	OP_HANDLER(mov_rr##_size)                                                                  \
	{                                                                                          \
		reg_set##_size(cpu, op->dst, reg_get##_size(cpu, op->src));                        \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_ri##_size)                                                                  \
	{                                                                                          \
		reg_set##_size(cpu, op->dst, op->imm);                                             \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_rm_g##_size)                                                                \
	{                                                                                          \
		reg_set##_size(cpu, op->dst,                                                       \
			       ld##_size(cpu, op, op_linear(cpu, op, _size, false)));              \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_rm_q##_size)                                                                \
	{                                                                                          \
		Q_READ(_size, mov_rm_g##_size);                                                    \
		reg_set##_size(cpu, op->dst, *_p);                                                 \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_mr_g##_size)                                                                \
	{                                                                                          \
		st##_size(cpu, op, op_linear(cpu, op, _size, true), reg_get##_size(cpu, op->src)); \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_mr_q##_size)                                                                \
	{                                                                                          \
		Q_WRITE(_size, mov_mr_g##_size);                                                   \
		*_p = reg_get##_size(cpu, op->src);                                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_mi_g##_size)                                                                \
	{                                                                                          \
		st##_size(cpu, op, op_linear(cpu, op, _size, true), op->imm);                      \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_mi_q##_size)                                                                \
	{                                                                                          \
		Q_WRITE(_size, mov_mi_g##_size);                                                   \
		*_p = op->imm;                                                                     \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	/* An address of up to 64 bits in the instruction itself: in imm. */                       \
	OP_HANDLER(mov_load_abs##_size)                                                            \
	{                                                                                          \
		uint64_t lin = op_segment_linear(cpu, op, op->seg, op->imm, _size, false);         \
                                                                                                   \
		reg_set##_size(cpu, op->dst, ld##_size(cpu, op, lin));                             \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mov_store_abs##_size)                                                           \
	{                                                                                          \
		uint64_t lin = op_segment_linear(cpu, op, op->seg, op->imm, _size, true);          \
                                                                                                   \
		st##_size(cpu, op, lin, reg_get##_size(cpu, op->src));                             \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES(DEF_MOV)

static op_fn *const mov_fns[4][FORM_COUNT] = FORM_ROWS(mov);

static void select_mov(const struct insn *insn, struct op *op)
{
	static op_fn *const abs[2][4] = {
		{mov_store_abs1, mov_store_abs2, mov_store_abs4, mov_store_abs8},
		{mov_load_abs1, mov_load_abs2, mov_load_abs4, mov_load_abs8},
	};
	unsigned log = op_size_index(insn->osize);

	if (insn->is_mem && !insn->has_modrm) {
		op->dst = op->src = op_slot(insn, insn->reg, insn->osize);
		op->imm = insn->disp;
		op->fn = abs[insn->to_reg][log];
		return;
	}
	op->fn = mov_fns[log][form_of(insn, op)];
}

/* ---- MOVZX, MOVSX, MOVSXD ---- */

/* To _dsize bytes from _ssize bytes, which are taken as a _via. */
#define DEF_EXTEND(_name, _dsize, _ssize, _via)                                                    \
	OP_HANDLER(_name##_dsize##_##_ssize##_r)                                                   \
	{                                                                                          \
		reg_set##_dsize(cpu, op->dst, (_via)reg_get##_ssize(cpu, op->src));                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_dsize##_##_ssize##_g)                                                   \
	{                                                                                          \
		uint64_t lin = op_linear(cpu, op, _ssize, false);                                  \
                                                                                                   \
		reg_set##_dsize(cpu, op->dst, (_via)ld##_ssize(cpu, op, lin));                     \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_dsize##_##_ssize##_q)                                                   \
	{                                                                                          \
		Q_READ(_ssize, _name##_dsize##_##_ssize##_g);                                      \
		reg_set##_dsize(cpu, op->dst, (_via)*_p);                                          \
		NEXT(cpu, op);                                                                     \
	}
#define EXTEND_ROW(_name, _dsize, _ssize)                                                          \
	{                                                                                          \
		_name##_dsize##_##_ssize##_r, _name##_dsize##_##_ssize##_q,                        \
			_name##_dsize##_##_ssize##_g                                               \
	}
DEF_EXTEND(movzx, 2, 1, uint8_t)
DEF_EXTEND(movzx, 4, 1, uint8_t)
DEF_EXTEND(movzx, 2, 2, uint16_t)
DEF_EXTEND(movzx, 4, 2, uint16_t)
DEF_EXTEND(movsx, 2, 1, int8_t)
DEF_EXTEND(movsx, 4, 1, int8_t)
DEF_EXTEND(movsx, 8, 1, int8_t)
DEF_EXTEND(movsx, 4, 2, int16_t)
DEF_EXTEND(movsx, 8, 2, int16_t)
DEF_EXTEND(movsx, 4, 4, int32_t)
DEF_EXTEND(movsx, 8, 4, int32_t)

/* [to 2, 4, 8][from 1, 2, 4]; what leaves the width alone is the same for all. */
static op_fn *const movzx_fns[3][3][3] = {
	{EXTEND_ROW(movzx, 2, 1), EXTEND_ROW(movzx, 2, 2)},
	{EXTEND_ROW(movzx, 4, 1), EXTEND_ROW(movzx, 4, 2)},
	{EXTEND_ROW(movzx, 4, 1), EXTEND_ROW(movzx, 4, 2)},
};
static op_fn *const movsx_fns[3][3][3] = {
	{EXTEND_ROW(movsx, 2, 1), EXTEND_ROW(movzx, 2, 2), EXTEND_ROW(movzx, 2, 2)},
	{EXTEND_ROW(movsx, 4, 1), EXTEND_ROW(movsx, 4, 2), EXTEND_ROW(movsx, 4, 4)},
	{EXTEND_ROW(movsx, 8, 1), EXTEND_ROW(movsx, 8, 2), EXTEND_ROW(movsx, 8, 4)},
};

static void select_extend(const struct insn *insn, struct op *op)
{
	op_fn *const(*fns)[3][3] = insn->op == OP_MOVZX ? movzx_fns : movsx_fns;
	unsigned form = !insn->is_mem ? 0 : op->ea == EA_64 ? 1 : 2;

	op->dst = insn->reg;
	op->src = op_slot(insn, insn->rm, insn->sub);
	op->fn = fns[op_size_index(insn->osize) - 1][op_size_index(insn->sub)][form];
}

/* ---- MOVBE ---- */

#define SWAP2 __builtin_bswap16
#define SWAP4 __builtin_bswap32
#define SWAP8 __builtin_bswap64
#define DEF_MOVBE(_size, _type, _stype, _log)                                                      \
	OP_HANDLER(movbe_load##_size)                                                              \
	{                                                                                          \
		_type value = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                \
                                                                                                   \
		reg_set##_size(cpu, op->dst, SWAP##_size(value));                                  \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(movbe_store##_size)                                                             \
	{                                                                                          \
		_type value = SWAP##_size(reg_get##_size(cpu, op->src));                           \
                                                                                                   \
		st##_size(cpu, op, op_linear(cpu, op, _size, true), value);                        \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_MOVBE)

static void select_movbe(const struct insn *insn, struct op *op)
{
	static op_fn *const fns[2][3] = {
		{movbe_store2, movbe_store4, movbe_store8},
		{movbe_load2, movbe_load4, movbe_load8},
	};

	op->dst = op->src = insn->reg;
	op->fn = fns[insn->to_reg][op_size_index(insn->osize) - 1];
}

/* ---- LEA ---- */

OP_HANDLER(lea8)
{
	reg_set8(cpu, op->dst, op_offset64(cpu, op));
	NEXT(cpu, op);
}

OP_HANDLER(lea4)
{
	reg_set4(cpu, op->dst, op_offset64(cpu, op));
	NEXT(cpu, op);
}

OP_HANDLER(lea_any)
{
	reg_set(cpu, op->dst, op->sub, op_offset(cpu, op));
	NEXT(cpu, op);
}

static void select_lea(const struct insn *insn, struct op *op)
{
	op->dst = insn->reg;
	op->sub = insn->osize;
	op->fn = lea_any;
	if (op->ea == EA_SLOW16 || op->ea == EA_SLOW64)
		return;
	if (insn->osize == 4)
		op->fn = lea4;
	else if (insn->osize == 8 && insn->asize == 8)
		op->fn = lea8;
}

/* ---- CMOVcc, SETcc: by flags as they lie, if that is easy; else the _any form works them out ---- */

#define DEF_CMOV_ANY(_size, _type, _stype, _log)                                                   \
	OP_HANDLER(cmov_any_r##_size)                                                              \
	{                                                                                          \
		bool yes = flags_condition(cpu, op->sub);                                          \
                                                                                                   \
		reg_set##_size(cpu, op->dst, reg_get##_size(cpu, yes ? op->src : op->dst));        \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(cmov_any_m##_size)                                                              \
	{                                                                                          \
		_type value = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                \
                                                                                                   \
		if (!flags_condition(cpu, op->sub))                                                \
			value = reg_get##_size(cpu, op->dst);                                      \
		reg_set##_size(cpu, op->dst, value);                                               \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_CMOV_ANY)

OP_HANDLER(setcc_any_r)
{
	reg_set1(cpu, op->dst, flags_condition(cpu, op->sub));
	NEXT(cpu, op);
}

OP_HANDLER(setcc_any_m)
{
	st1(cpu, op, op_linear(cpu, op, 1, true), flags_condition(cpu, op->sub));
	NEXT(cpu, op);
}

#define DEF_CMOV(_cc, _size)                                                                       \
	OP_HANDLER(cmov##_cc##_r##_size)                                                           \
	{                                                                                          \
		int yes = flags_try(cpu, _cc);                                                     \
                                                                                                   \
		if (unlikely(yes < 0))                                                             \
			return cmov_any_r##_size(cpu, op);                                         \
		reg_set##_size(cpu, op->dst, reg_get##_size(cpu, yes ? op->src : op->dst));        \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(cmov##_cc##_m##_size)                                                           \
	{                                                                                          \
		int yes = flags_try(cpu, _cc);                                                     \
                                                                                                   \
		Q_READ(_size, cmov_any_m##_size);                                                  \
		if (unlikely(yes < 0))                                                             \
			return cmov_any_m##_size(cpu, op);                                         \
		OP_TYPE_##_size value = *_p;                                                       \
		reg_set##_size(cpu, op->dst, yes ? value : reg_get##_size(cpu, op->dst));          \
		NEXT(cpu, op);                                                                     \
	}
#define DEF_CONDITIONAL(_cc)                                                                       \
	DEF_CMOV(_cc, 4)                                                                           \
	DEF_CMOV(_cc, 8)                                                                           \
	OP_HANDLER(setcc##_cc)                                                                     \
	{                                                                                          \
		int yes = flags_try(cpu, _cc);                                                     \
                                                                                                   \
		if (unlikely(yes < 0))                                                             \
			return setcc_any_r(cpu, op);                                               \
		reg_set1(cpu, op->dst, yes);                                                       \
		NEXT(cpu, op);                                                                     \
	}
FLAGS_CONDITIONS(DEF_CONDITIONAL)

static const struct {
	op_fn *cmov[2][2], *setcc;
} conditional_fns[16] = {
#define ROW(_cc)                                                                                   \
	{.cmov = {{cmov##_cc##_r4, cmov##_cc##_m4}, {cmov##_cc##_r8, cmov##_cc##_m8}},             \
	 .setcc = setcc##_cc},
	FLAGS_CONDITIONS(ROW)
#undef ROW
};

static void select_cmov(const struct insn *insn, struct op *op)
{
	static op_fn *const any[3][2] = {
		{cmov_any_r2, cmov_any_m2},
		{cmov_any_r4, cmov_any_m4},
		{cmov_any_r8, cmov_any_m8},
	};
	unsigned log = op_size_index(insn->osize);

	op->dst = insn->reg;
	op->src = insn->rm;
	op->sub = insn->sub;
	if (log == 1 || (insn->is_mem && op->ea != EA_64))
		op->fn = any[log - 1][insn->is_mem];
	else
		op->fn = conditional_fns[insn->sub].cmov[log - 2][insn->is_mem];
}

static void select_setcc(const struct insn *insn, struct op *op)
{
	op->dst = op_slot(insn, insn->rm, 1);
	op->sub = insn->sub;
	op->fn = insn->is_mem ? setcc_any_m : conditional_fns[insn->sub].setcc;
}

/* ---- Flags ---- */

OP_HANDLER(lahf)
{
	reg_set1(cpu, R_AX * 8 + 1, (flags_status(cpu) & 0xff) | BIT(1));
	NEXT(cpu, op);
}

OP_HANDLER(sahf)
{
	uint32_t overflow = flags_status(cpu) & FLAG_OF;

	flags_set_status(cpu, (reg_get1(cpu, R_AX * 8 + 1) & ~FLAG_OF) | overflow);
	NEXT(cpu, op);
}

OP_HANDLER(salc)
{
	reg_set1(cpu, R_AX * 8, flags_carry(cpu) ? 0xff : 0);
	NEXT(cpu, op);
}

OP_HANDLER(clc)
{
	flags_set_status(cpu, flags_status(cpu) & ~FLAG_CF);
	NEXT(cpu, op);
}

OP_HANDLER(stc)
{
	flags_set_status(cpu, flags_status(cpu) | FLAG_CF);
	NEXT(cpu, op);
}

OP_HANDLER(cmc)
{
	flags_set_status(cpu, flags_status(cpu) ^ FLAG_CF);
	NEXT(cpu, op);
}

OP_HANDLER(cld)
{
	cpu->flags &= ~FLAG_DF;
	NEXT(cpu, op);
}

OP_HANDLER(std)
{
	cpu->flags |= FLAG_DF;
	NEXT(cpu, op);
}

/* ---- The rest ---- */

OP_HANDLER(nop)
{
	NEXT(cpu, op);
}

OP_HANDLER(pause_op)
{
	__builtin_ia32_pause();
	NEXT(cpu, op);
}

OP_HANDLER(fence)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	NEXT(cpu, op);
}

/* There is no cache to flush; it faults as a load does. */
OP_HANDLER(clflush)
{
	ld1(cpu, op, op_linear(cpu, op, 1, false));
	NEXT(cpu, op);
}

OP_HANDLER(xlat)
{
	uint64_t offset = (cpu->gpr[R_BX] + reg_get1(cpu, R_AX * 8)) & op_address_mask(op);

	reg_set1(cpu, R_AX * 8,
		 ld1(cpu, op, op_segment_linear(cpu, op, op->seg, offset, 1, false)));
	NEXT(cpu, op);
}

#define DEF_WIDEN(_size, _type, _stype, _half)                                                     \
	OP_HANDLER(cbw##_size)                                                                     \
	{                                                                                          \
		reg_set##_size(cpu, R_AX, (_half)cpu->gpr[R_AX]);                                  \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(cwd##_size)                                                                     \
	{                                                                                          \
		reg_set##_size(cpu, R_DX, (_stype)cpu->gpr[R_AX] < 0 ? -1 : 0);                    \
		NEXT(cpu, op);                                                                     \
	}
DEF_WIDEN(2, uint16_t, int16_t, int8_t)
DEF_WIDEN(4, uint32_t, int32_t, int16_t)
DEF_WIDEN(8, uint64_t, int64_t, int32_t)

static void select_widen(const struct insn *insn, struct op *op)
{
	static op_fn *const fns[2][3] = {{cbw2, cbw4, cbw8}, {cwd2, cwd4, cwd8}};

	op->fn = fns[insn->op == OP_CWD][op_size_index(insn->osize) - 1];
}

static op_fn *const plain_fns[OP_COUNT] = {
	[OP_LAHF] = lahf,   [OP_SAHF] = sahf,      [OP_SALC] = salc,    [OP_CLC] = clc,
	[OP_STC] = stc,     [OP_CMC] = cmc,        [OP_CLD] = cld,      [OP_STD] = std,
	[OP_NOP] = nop,     [OP_PAUSE] = pause_op, [OP_PREFETCH] = nop, [OP_CLFLUSH] = clflush,
	[OP_FENCE] = fence, [OP_ENDBR] = nop,      [OP_XLAT] = xlat,
};

bool op_select_move(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	switch (insn->op) {
	case OP_MOV:
	case OP_MOVNTI:
	case OP_MOVDIRI:
		select_mov(insn, op);
		return true;
	case OP_MOVZX:
	case OP_MOVSX:
	case OP_MOVSXD:
		select_extend(insn, op);
		return true;
	case OP_MOVBE:
		select_movbe(insn, op);
		return true;
	case OP_LEA:
		select_lea(insn, op);
		return true;
	case OP_CMOVCC:
		select_cmov(insn, op);
		return true;
	case OP_SETCC:
		select_setcc(insn, op);
		return true;
	case OP_CBW:
	case OP_CWD:
		select_widen(insn, op);
		return true;
	default:
		op->fn = plain_fns[insn->op];
		return op->fn;
	}
}
