/*
 * Multiplication, division, decimal adjustment: SDM vol. 1, 5.1.2 and 5.1.3.
 */
#include "flags.h"
#include "forms.h"

/* CF and OF say that the upper half counts; the other flags are undefined. */
static inline void set_overflow(struct dbt_cpu *cpu, bool overflow)
{
	flags_set_status(cpu, overflow ? FLAG_CF | FLAG_OF : 0);
}

/* ---- MUL, IMUL: AX = AL * b, or rDX:rAX = rAX * b ---- */

static inline void mul1(struct dbt_cpu *cpu, uint8_t b)
{
	uint16_t r = (uint8_t)cpu->gpr[R_AX] * b;

	reg_set2(cpu, R_AX, r);
	set_overflow(cpu, r >> 8);
}

static inline void imul1(struct dbt_cpu *cpu, uint8_t b)
{
	int16_t r = (int8_t)cpu->gpr[R_AX] * (int8_t)b;

	reg_set2(cpu, R_AX, r);
	set_overflow(cpu, r != (int8_t)r);
}

#define DEF_MUL(_size, _type, _stype, _wide, _swide)                                               \
	static inline void mul##_size(struct dbt_cpu *cpu, _type b)                                \
	{                                                                                          \
		_wide r = (_wide)(_type)cpu->gpr[R_AX] * b;                                        \
		_type high = r >> (8 * _size);                                                     \
                                                                                                   \
		reg_set##_size(cpu, R_AX, r);                                                      \
		reg_set##_size(cpu, R_DX, high);                                                   \
		set_overflow(cpu, high);                                                           \
	}                                                                                          \
	static inline void imul##_size(struct dbt_cpu *cpu, _type b)                               \
	{                                                                                          \
		_swide r = (_swide)(_stype)cpu->gpr[R_AX] * (_stype)b;                             \
                                                                                                   \
		reg_set##_size(cpu, R_AX, r);                                                      \
		reg_set##_size(cpu, R_DX, (_wide)r >> (8 * _size));                                \
		set_overflow(cpu, r != (_stype)r);                                                 \
	}                                                                                          \
	static inline _type imul_to##_size(struct dbt_cpu *cpu, _type a, _type b)                  \
	{                                                                                          \
		_stype r;                                                                          \
                                                                                                   \
		set_overflow(cpu, __builtin_mul_overflow((_stype)a, (_stype)b, &r));               \
		return r;                                                                          \
	}
DEF_MUL(2, uint16_t, int16_t, uint32_t, int32_t)
DEF_MUL(4, uint32_t, int32_t, uint64_t, int64_t)
DEF_MUL(8, uint64_t, int64_t, unsigned __int128, __int128)

/* ---- DIV, IDIV: quotient to rAX, remainder to rDX (AL, AH) ---- */

#define DEF_DIV(_size, _type, _stype, _wide, _swide, _get, _put)                                   \
	static inline void div##_size(struct dbt_cpu *cpu, const struct op *op, _type b)           \
	{                                                                                          \
		_wide a = _get;                                                                    \
                                                                                                   \
		if ((a >> (8 * _size)) >= b)                                                       \
			dbt_fault(cpu, op, EXC_DE);                                                \
		_type quotient = a / b, rest = a % b;                                              \
		_put;                                                                              \
	}                                                                                          \
	static inline void idiv##_size(struct dbt_cpu *cpu, const struct op *op, _type b)          \
	{                                                                                          \
		_swide a = (_swide)(_get), q;                                                      \
                                                                                                   \
		if (!b || ((_stype)b == -1 && (_wide)a == (_wide)1 << (16 * _size - 1)))           \
			dbt_fault(cpu, op, EXC_DE);                                                \
		q = a / (_stype)b;                                                                 \
		if (q != (_stype)q)                                                                \
			dbt_fault(cpu, op, EXC_DE);                                                \
		_type quotient = q, rest = a % (_stype)b;                                          \
		_put;                                                                              \
	}
DEF_DIV(1, uint8_t, int8_t, uint16_t, int16_t, reg_get2(cpu, R_AX),
	reg_set2(cpu, R_AX, quotient | rest << 8))
DEF_DIV(2, uint16_t, int16_t, uint32_t, int32_t,
	(uint32_t)reg_get2(cpu, R_DX) << 16 | reg_get2(cpu, R_AX),
	(reg_set2(cpu, R_AX, quotient), reg_set2(cpu, R_DX, rest)))
DEF_DIV(4, uint32_t, int32_t, uint64_t, int64_t,
	(uint64_t)reg_get4(cpu, R_DX) << 32 | reg_get4(cpu, R_AX),
	(reg_set4(cpu, R_AX, quotient), reg_set4(cpu, R_DX, rest)))

/* The host's own instruction, once it is sure not to fault. */
static inline void div8(struct dbt_cpu *cpu, const struct op *op, uint64_t b)
{
	uint64_t low = cpu->gpr[R_AX], high = cpu->gpr[R_DX];

	if (high >= b)
		dbt_fault(cpu, op, EXC_DE);
	asm("divq %2" : "+a"(low), "+d"(high) : "r"(b) : "cc");
	cpu->gpr[R_AX] = low;
	cpu->gpr[R_DX] = high;
}

/* By magnitudes: the dividend's may be 2^127, the quotient's 2^63 if it is negative. */
static inline void idiv8(struct dbt_cpu *cpu, const struct op *op, uint64_t b)
{
	unsigned __int128 a = (unsigned __int128)cpu->gpr[R_DX] << 64 | cpu->gpr[R_AX];
	bool a_negative = cpu->gpr[R_DX] >> 63, negative = a_negative != b >> 63;
	uint64_t divisor = b >> 63 ? -b : b, low, high;

	if (a_negative)
		a = -a;
	low = a;
	high = a >> 64;
	if (high >= divisor)
		dbt_fault(cpu, op, EXC_DE);
	asm("divq %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
	if (low > (uint64_t)INT64_MAX + negative)
		dbt_fault(cpu, op, EXC_DE);
	cpu->gpr[R_AX] = negative ? -low : low;
	cpu->gpr[R_DX] = a_negative ? -high : high;
}

#define DEF_MULDIV(_size, _type, _stype, _log)                                                     \
	FORM_ONE(mul, _size, (cpu, b))                                                             \
	FORM_ONE(imul, _size, (cpu, b))                                                            \
	FORM_ONE(div, _size, (cpu, op, b))                                                         \
	FORM_ONE(idiv, _size, (cpu, op, b))
#define FORM_ONE(_name, _size, _args)                                                              \
	OP_HANDLER(_name##_r##_size)                                                               \
	{                                                                                          \
		OP_TYPE_##_size b = reg_get##_size(cpu, op->dst);                                  \
                                                                                                   \
		_name##_size _args;                                                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_m##_size)                                                               \
	{                                                                                          \
		OP_TYPE_##_size b = ld##_size(cpu, op, op_linear(cpu, op, _size, false));          \
                                                                                                   \
		_name##_size _args;                                                                \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES(DEF_MULDIV)

#define ONE_ROWS(_name)                                                                            \
	{                                                                                          \
		{_name##_r1, _name##_m1}, {_name##_r2, _name##_m2}, {_name##_r4, _name##_m4},      \
		{                                                                                  \
			_name##_r8, _name##_m8                                                     \
		}                                                                                  \
	}
static op_fn *const mul_fns[4][2] = ONE_ROWS(mul), *const imul_fns[4][2] = ONE_ROWS(imul),
		    *const div_fns[4][2] = ONE_ROWS(div), *const idiv_fns[4][2] = ONE_ROWS(idiv);

/* ---- IMUL with two and three operands ---- */

#define DEF_IMUL(_size, _type, _stype, _log)                                                       \
	OP_HANDLER(imul2_r##_size)                                                                 \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst), b = reg_get##_size(cpu, op->src);          \
                                                                                                   \
		reg_set##_size(cpu, op->dst, imul_to##_size(cpu, a, b));                           \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(imul2_m##_size)                                                                 \
	{                                                                                          \
		_type b = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                    \
                                                                                                   \
		reg_set##_size(cpu, op->dst,                                                       \
			       imul_to##_size(cpu, reg_get##_size(cpu, op->dst), b));              \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(imul3_r##_size)                                                                 \
	{                                                                                          \
		_type b = reg_get##_size(cpu, op->src);                                            \
                                                                                                   \
		reg_set##_size(cpu, op->dst, imul_to##_size(cpu, b, op->imm));                     \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(imul3_m##_size)                                                                 \
	{                                                                                          \
		_type b = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                    \
                                                                                                   \
		reg_set##_size(cpu, op->dst, imul_to##_size(cpu, b, op->imm));                     \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_IMUL)

static op_fn *const imul_to_fns[2][3][2] = {
	{{imul2_r2, imul2_m2}, {imul2_r4, imul2_m4}, {imul2_r8, imul2_m8}},
	{{imul3_r2, imul3_m2}, {imul3_r4, imul3_m4}, {imul3_r8, imul3_m8}},
};

/* ---- MULX: rDX times r/m to two registers, the upper half (dst) written last; no flags ---- */

#define DEF_MULX(_size, _type, _wide)                                                              \
	static inline void mulx##_size(struct dbt_cpu *cpu, const struct op *op, _type b)          \
	{                                                                                          \
		_wide r = (_wide)(_type)cpu->gpr[R_DX] * b;                                        \
                                                                                                   \
		reg_set##_size(cpu, op->sub, r);                                                   \
		reg_set##_size(cpu, op->dst, r >> (8 * _size));                                    \
	}                                                                                          \
	OP_HANDLER(mulx_r##_size)                                                                  \
	{                                                                                          \
		mulx##_size(cpu, op, reg_get##_size(cpu, op->src));                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(mulx_m##_size)                                                                  \
	{                                                                                          \
		mulx##_size(cpu, op, ld##_size(cpu, op, op_linear(cpu, op, _size, false)));        \
		NEXT(cpu, op);                                                                     \
	}
DEF_MULX(4, uint32_t, uint64_t)
DEF_MULX(8, uint64_t, unsigned __int128)

static void select_mulx(const struct insn *insn, struct op *op)
{
	static op_fn *const fns[2][2] = {{mulx_r4, mulx_m4}, {mulx_r8, mulx_m8}};

	op->dst = insn->reg;
	op->src = insn->rm;
	op->sub = insn->vvvv;
	op->fn = fns[insn->osize == 8][insn->is_mem];
}

/* ---- Decimal adjustment (SDM vol. 2, pseudo code of each) ---- */

#define AL (R_AX * 8)

/* SF, ZF, PF of AL, and these. */
static void set_al(struct dbt_cpu *cpu, uint8_t al, uint32_t carries)
{
	reg_set1(cpu, AL, al);
	cpu->cc_op = CC_LOGIC;
	cpu->cc_dst = al;
	flags_set_status(cpu, flags_status(cpu) | carries);
}

static void decimal_adjust(struct dbt_cpu *cpu, int sign)
{
	uint32_t flags = flags_status(cpu), carries = 0;
	uint8_t old = reg_get1(cpu, AL), al = old;

	if ((old & 15) > 9 || (flags & FLAG_AF)) {
		carries = FLAG_AF;
		if (sign > 0 ? old > 0xf9 : old < 6)
			carries |= FLAG_CF;
		carries |= flags & FLAG_CF;
		al += sign * 6;
	}
	/* What the first step carried does not count here, except as the old flag did. */
	if (old > 0x99 || (flags & FLAG_CF)) {
		al += sign * 0x60;
		carries |= FLAG_CF;
	} else if (sign > 0) {
		carries &= ~FLAG_CF;
	}
	set_al(cpu, al, carries);
}

OP_HANDLER(daa)
{
	decimal_adjust(cpu, 1);
	NEXT(cpu, op);
}

OP_HANDLER(das)
{
	decimal_adjust(cpu, -1);
	NEXT(cpu, op);
}

static void ascii_adjust(struct dbt_cpu *cpu, int sign)
{
	uint32_t carries = 0;
	uint16_t ax = cpu->gpr[R_AX];

	if ((ax & 15) > 9 || (flags_status(cpu) & FLAG_AF)) {
		ax += sign * 0x106;
		carries = FLAG_AF | FLAG_CF;
	}
	reg_set2(cpu, R_AX, ax);
	set_al(cpu, ax & 15, carries);
}

OP_HANDLER(aaa)
{
	ascii_adjust(cpu, 1);
	NEXT(cpu, op);
}

OP_HANDLER(aas)
{
	ascii_adjust(cpu, -1);
	NEXT(cpu, op);
}

OP_HANDLER(aam)
{
	uint8_t al = reg_get1(cpu, AL), base = op->imm;

	if (!base)
		dbt_fault(cpu, op, EXC_DE);
	reg_set1(cpu, AL + 1, al / base);
	set_al(cpu, al % base, 0);
	NEXT(cpu, op);
}

OP_HANDLER(aad)
{
	uint8_t al = reg_get1(cpu, AL) + reg_get1(cpu, AL + 1) * op->imm;

	reg_set1(cpu, AL + 1, 0);
	set_al(cpu, al, 0);
	NEXT(cpu, op);
}

bool op_select_muldiv(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	static op_fn *const decimal[] = {daa, das, aaa, aas, aam, aad};
	unsigned log = op_size_index(insn->osize);

	switch (insn->op) {
	case OP_MUL:
	case OP_IMUL:
		op->dst = op_slot(insn, insn->rm, insn->osize);
		op->fn = (insn->op == OP_MUL ? mul_fns : imul_fns)[log][insn->is_mem];
		return true;
	case OP_DIV:
	case OP_IDIV:
		op->dst = op_slot(insn, insn->rm, insn->osize);
		op->fn = (insn->op == OP_DIV ? div_fns : idiv_fns)[log][insn->is_mem];
		return true;
	case OP_IMUL2:
	case OP_IMUL3:
		op->dst = insn->reg;
		op->src = insn->rm;
		op->fn = imul_to_fns[insn->op == OP_IMUL3][log - 1][insn->is_mem];
		return true;
	case OP_MULX:
		select_mulx(insn, op);
		return true;
	case OP_DAA ... OP_AAD:
		op->fn = decimal[insn->op - OP_DAA];
		return true;
	default:
		return false;
	}
}
