/*
 * Forms of two-operand instructions, and making handlers for them.
 *
 * A family defines for each width a function that computes, OP##width(cpu, a, b), and says with these
 * macros which handlers it wants; FORM_ROW() is the row of a table that form_select() indexes. The
 * memory forms exist twice, q and g: see ea.h.
 */
#ifndef DBT_FORMS_H
#define DBT_FORMS_H

#include "ea.h"

enum form {
	FORM_RR,
	FORM_RI,
	FORM_RM_q, /* register, memory */
	FORM_RM_g,
	FORM_MR_q,
	FORM_MR_g,
	FORM_MI_q,
	FORM_MI_g,
	FORM_COUNT
};

/* Which form @insn has; sets op->dst and op->src. For (reg, rm), (rm, reg), (rm, imm), (AX, imm). */
static inline enum form form_of(const struct insn *insn, struct op *op)
{
	unsigned g = op->ea != EA_64;

	if (insn->imm_size) {
		if (insn->is_mem)
			return FORM_MI_q + g;
		op->dst = op_slot(insn, insn->rm, insn->osize);
		return FORM_RI;
	}
	if (insn->is_mem) {
		op->dst = op->src = op_slot(insn, insn->reg, insn->osize);
		return (insn->to_reg ? FORM_RM_q : FORM_MR_q) + g;
	}
	op->dst = op_slot(insn, insn->to_reg ? insn->reg : insn->rm, insn->osize);
	op->src = op_slot(insn, insn->to_reg ? insn->rm : insn->reg, insn->osize);
	return FORM_RR;
}

#define OP_HANDLER(name) static const struct op *name(struct dbt_cpu *cpu, const struct op *op)

/* name_rr1 ...: dst = name(dst, src), with results written back. */
#define FORM_WRITE(name, size, type)                                                               \
	OP_HANDLER(name##_rr##size)                                                                \
	{                                                                                          \
		type a = reg_get##size(cpu, op->dst), b = reg_get##size(cpu, op->src);             \
                                                                                                   \
		reg_set##size(cpu, op->dst, name##size(cpu, a, b));                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_ri##size)                                                                \
	{                                                                                          \
		type a = reg_get##size(cpu, op->dst);                                              \
                                                                                                   \
		reg_set##size(cpu, op->dst, name##size(cpu, a, op->imm));                          \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	FORM_WRITE_MEM(name, size, type)

/* The memory forms: g of any address and by all means, q inline; what q cannot do it leaves to g. */
#define FORM_WRITE_MEM(name, size, type)                                                           \
	OP_HANDLER(name##_rm_g##size)                                                              \
	{                                                                                          \
		type b = ld##size(cpu, op, op_linear(cpu, op, size, false));                       \
		type a = reg_get##size(cpu, op->dst);                                              \
                                                                                                   \
		reg_set##size(cpu, op->dst, name##size(cpu, a, b));                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_rm_q##size)                                                              \
	{                                                                                          \
		Q_READ(size, name##_rm_g##size);                                                   \
		type a = reg_get##size(cpu, op->dst), b = *_p;                                     \
                                                                                                   \
		reg_set##size(cpu, op->dst, name##size(cpu, a, b));                                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mr_g##size)                                                              \
	{                                                                                          \
		type b = reg_get##size(cpu, op->src);                                              \
                                                                                                   \
		OP_RMW(size, name##size(cpu, _a, b));                                              \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mr_q##size)                                                              \
	{                                                                                          \
		Q_WRITE(size, name##_mr_g##size);                                                  \
		*_p = name##size(cpu, *_p, reg_get##size(cpu, op->src));                           \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mi_g##size)                                                              \
	{                                                                                          \
		OP_RMW(size, name##size(cpu, _a, op->imm));                                        \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mi_q##size)                                                              \
	{                                                                                          \
		Q_WRITE(size, name##_mi_g##size);                                                  \
		*_p = name##size(cpu, *_p, op->imm);                                               \
		NEXT(cpu, op);                                                                     \
	}

/* The same of what only compares. */
#define FORM_READ(name, size, type)                                                                \
	OP_HANDLER(name##_rr##size)                                                                \
	{                                                                                          \
		name##size(cpu, reg_get##size(cpu, op->dst), reg_get##size(cpu, op->src));         \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_ri##size)                                                                \
	{                                                                                          \
		name##size(cpu, reg_get##size(cpu, op->dst), op->imm);                             \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	FORM_READ_MEM(name, size, type)

#define FORM_READ_MEM(name, size, type)                                                            \
	OP_HANDLER(name##_rm_g##size)                                                              \
	{                                                                                          \
		type v = ld##size(cpu, op, op_linear(cpu, op, size, false));                       \
                                                                                                   \
		name##size(cpu, reg_get##size(cpu, op->dst), v);                                   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_rm_q##size)                                                              \
	{                                                                                          \
		Q_READ(size, name##_rm_g##size);                                                   \
		type v = *_p;                                                                      \
                                                                                                   \
		name##size(cpu, reg_get##size(cpu, op->dst), v);                                   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mr_g##size)                                                              \
	{                                                                                          \
		type v = ld##size(cpu, op, op_linear(cpu, op, size, false));                       \
                                                                                                   \
		name##size(cpu, v, reg_get##size(cpu, op->src));                                   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mr_q##size)                                                              \
	{                                                                                          \
		Q_READ(size, name##_mr_g##size);                                                   \
		type v = *_p;                                                                      \
                                                                                                   \
		name##size(cpu, v, reg_get##size(cpu, op->src));                                   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mi_g##size)                                                              \
	{                                                                                          \
		type v = ld##size(cpu, op, op_linear(cpu, op, size, false));                       \
                                                                                                   \
		name##size(cpu, v, op->imm);                                                       \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_mi_q##size)                                                              \
	{                                                                                          \
		Q_READ(size, name##_mi_g##size);                                                   \
		type v = *_p;                                                                      \
                                                                                                   \
		name##size(cpu, v, op->imm);                                                       \
		NEXT(cpu, op);                                                                     \
	}

/* The row of one width, in the order of enum form. */
#define FORM_ROW(name, size)                                                                       \
	{                                                                                          \
		name##_rr##size, name##_ri##size, name##_rm_q##size, name##_rm_g##size,            \
			name##_mr_q##size, name##_mr_g##size, name##_mi_q##size, name##_mi_g##size \
	}
#define FORM_ROWS(name)                                                                            \
	{                                                                                          \
		FORM_ROW(name, 1), FORM_ROW(name, 2), FORM_ROW(name, 4), FORM_ROW(name, 8)         \
	}

/* One operand, read and written: name_r1, name_m_q1 ... */
#define FORM_UNARY(name, size, type)                                                               \
	OP_HANDLER(name##_r##size)                                                                 \
	{                                                                                          \
		reg_set##size(cpu, op->dst, name##size(cpu, reg_get##size(cpu, op->dst)));         \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_m_g##size)                                                               \
	{                                                                                          \
		OP_RMW(size, name##size(cpu, _a));                                                 \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(name##_m_q##size)                                                               \
	{                                                                                          \
		Q_WRITE(size, name##_m_g##size);                                                   \
		*_p = name##size(cpu, *_p);                                                        \
		NEXT(cpu, op);                                                                     \
	}
#define FORM_UNARY_ROW(name, size)                                                                 \
	{                                                                                          \
		name##_r##size, name##_m_q##size, name##_m_g##size                                 \
	}
#define FORM_UNARY_ROWS(name)                                                                      \
	{                                                                                          \
		FORM_UNARY_ROW(name, 1), FORM_UNARY_ROW(name, 2), FORM_UNARY_ROW(name, 4),         \
			FORM_UNARY_ROW(name, 8)                                                    \
	}

/* Column of a unary row; sets op->dst. The operand is ModRM.rm, or the opcode's register. */
static inline unsigned form_unary(const struct insn *insn, struct op *op)
{
	if (insn->is_mem)
		return op->ea == EA_64 ? 1 : 2;
	op->dst = op_slot(insn, insn->rm, insn->osize);
	return 0;
}

#endif
