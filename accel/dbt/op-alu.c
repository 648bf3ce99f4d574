/*
 * Addition, subtraction, logic, comparison: SDM vol. 1, 5.1.2 and 5.1.4. Flags stay lazy.
 */
#include "flags.h"
#include "forms.h"

#define SET_CC(_cc, _dst, _src)                                                                    \
	(cpu->cc_op = (_cc), cpu->cc_dst = (_dst), cpu->cc_src = (uint64_t)(_src))

#define DEF_ALU(_size, _type, _stype, _log)                                                        \
	static inline _type add##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		_type r = a + b;                                                                   \
                                                                                                   \
		SET_CC(CC_ADD + _log, r, b);                                                       \
		return r;                                                                          \
	}                                                                                          \
	static inline _type adc##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		unsigned c = flags_carry(cpu);                                                     \
		_type r = a + b + c;                                                               \
                                                                                                   \
		SET_CC(CC_ADD + _log + c * (CC_ADC - CC_ADD), r, b);                               \
		return r;                                                                          \
	}                                                                                          \
	static inline _type sub##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		_type r = a - b;                                                                   \
                                                                                                   \
		SET_CC(CC_SUB + _log, r, b);                                                       \
		return r;                                                                          \
	}                                                                                          \
	static inline _type sbb##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		unsigned c = flags_carry(cpu);                                                     \
		_type r = a - b - c;                                                               \
                                                                                                   \
		SET_CC(CC_SUB + _log + c * (CC_SBB - CC_SUB), r, b);                               \
		return r;                                                                          \
	}                                                                                          \
	static inline void cmp##_size(struct dbt_cpu *cpu, _type a, _type b)                       \
	{                                                                                          \
		sub##_size(cpu, a, b);                                                             \
	}                                                                                          \
	static inline _type logic##_size(struct dbt_cpu *cpu, _type r)                             \
	{                                                                                          \
		cpu->cc_op = CC_LOGIC + _log;                                                      \
		cpu->cc_dst = r;                                                                   \
		return r;                                                                          \
	}                                                                                          \
	static inline _type and##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		return logic##_size(cpu, a & b);                                                   \
	}                                                                                          \
	static inline _type or ##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		return logic##_size(cpu, a | b);                                                   \
	}                                                                                          \
	static inline _type xor ##_size(struct dbt_cpu *cpu, _type a, _type b)                     \
	{                                                                                          \
		return logic##_size(cpu, a ^ b);                                                   \
	}                                                                                          \
	static inline void test##_size(struct dbt_cpu *cpu, _type a, _type b)                      \
	{                                                                                          \
		logic##_size(cpu, a &b);                                                           \
	}                                                                                          \
	static inline _type inc##_size(struct dbt_cpu *cpu, _type a)                               \
	{                                                                                          \
		bool c = flags_carry(cpu);                                                         \
		_type r = a + 1;                                                                   \
                                                                                                   \
		SET_CC(CC_INC + _log, r, c);                                                       \
		return r;                                                                          \
	}                                                                                          \
	static inline _type dec##_size(struct dbt_cpu *cpu, _type a)                               \
	{                                                                                          \
		bool c = flags_carry(cpu);                                                         \
		_type r = a - 1;                                                                   \
                                                                                                   \
		SET_CC(CC_DEC + _log, r, c);                                                       \
		return r;                                                                          \
	}                                                                                          \
	static inline _type neg##_size(struct dbt_cpu *cpu, _type a)                               \
	{                                                                                          \
		return sub##_size(cpu, 0, a);                                                      \
	}                                                                                          \
	static inline _type not ##_size(struct dbt_cpu * cpu, _type a)                             \
	{                                                                                          \
		return ~a;                                                                         \
	}                                                                                          \
	FORM_WRITE(add, _size, _type)                                                              \
	FORM_WRITE(adc, _size, _type)                                                              \
	FORM_WRITE(sub, _size, _type)                                                              \
	FORM_WRITE(sbb, _size, _type)                                                              \
	FORM_WRITE(and, _size, _type)                                                              \
	FORM_WRITE(or, _size, _type)                                                               \
	FORM_WRITE(xor, _size, _type)                                                              \
	FORM_READ(cmp, _size, _type)                                                               \
	FORM_READ(test, _size, _type)                                                              \
	FORM_UNARY(inc, _size, _type)                                                              \
	FORM_UNARY(dec, _size, _type)                                                              \
	FORM_UNARY(neg, _size, _type)                                                              \
	FORM_UNARY(not, _size, _type)
OP_SIZES(DEF_ALU)

static op_fn *const binary_fns[][4][FORM_COUNT] = {
	[OP_ADD] = FORM_ROWS(add), [OP_OR] = FORM_ROWS(or),   [OP_ADC] = FORM_ROWS(adc),
	[OP_SBB] = FORM_ROWS(sbb), [OP_AND] = FORM_ROWS(and), [OP_SUB] = FORM_ROWS(sub),
	[OP_XOR] = FORM_ROWS(xor), [OP_CMP] = FORM_ROWS(cmp), [OP_TEST] = FORM_ROWS(test),
};

static op_fn *const unary_fns[][4][3] = {
	FORM_UNARY_ROWS(inc),
	FORM_UNARY_ROWS(dec),
	FORM_UNARY_ROWS(neg),
	FORM_UNARY_ROWS(not ),
};

bool op_select_alu(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	unsigned log = op_size_index(insn->osize);

	if (insn->op <= OP_TEST) {
		op->fn = binary_fns[insn->op][log][form_of(insn, op)];
		return true;
	}
	if (insn->op >= OP_INC && insn->op <= OP_NOT) {
		op->fn = unary_fns[insn->op - OP_INC][log][form_unary(insn, op)];
		return true;
	}
	return false;
}
