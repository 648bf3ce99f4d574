/*
 * Shifts and rotates: SDM vol. 1, 5.1.5. A count of zero (after masking) leaves the flags alone, but
 * the operand is written all the same.
 */
#include "flags.h"
#include "forms.h"

#define SET_CC(_cc, _dst, _src)                                                                    \
	(cpu->cc_op = (_cc), cpu->cc_dst = (_dst), cpu->cc_src = (uint64_t)(_src))

/* CF and OF are set, the others stay. */
static inline void set_carry_overflow(struct dbt_cpu *cpu, bool carry, bool overflow)
{
	uint32_t others = flags_status(cpu) & ~(FLAG_CF | FLAG_OF);

	flags_set_status(cpu, others | (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0));
}

/*
 * Counts are masked to 5 bits, 6 for 64-bit operands. Operands narrower than 32 bits can thus be
 * shifted out altogether: the shifts are done in a wider type.
 */
#define DEF_SHIFT(_size, _type, _stype, _log)                                                      \
	static inline _type shl##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		_type before, r;                                                                   \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		before = (uint64_t)a << (n - 1);                                                   \
		r = before << 1;                                                                   \
		SET_CC(CC_SHL + _log, r, before);                                                  \
		return r;                                                                          \
	}                                                                                          \
	static inline _type shr##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		_type before, r;                                                                   \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		before = (uint64_t)a >> (n - 1);                                                   \
		r = before >> 1;                                                                   \
		SET_CC(CC_SAR + _log, r, before);                                                  \
		return r;                                                                          \
	}                                                                                          \
	static inline _type sar##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		_type before, r;                                                                   \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		before = (int64_t)(_stype)a >> (n - 1);                                            \
		r = (_stype)before >> 1;                                                           \
		SET_CC(CC_SAR + _log, r, before);                                                  \
		return r;                                                                          \
	}                                                                                          \
	static inline _type rol##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		_type r;                                                                           \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		r = (a << (n & (bits - 1))) | (a >> (-n & (bits - 1)));                            \
		set_carry_overflow(cpu, r & 1, (r ^ (r >> (bits - 1))) & 1);                       \
		return r;                                                                          \
	}                                                                                          \
	static inline _type ror##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		_type r;                                                                           \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		r = (a >> (n & (bits - 1))) | (a << (-n & (bits - 1)));                            \
		set_carry_overflow(cpu, r >> (bits - 1),                                           \
				   ((r >> (bits - 1)) ^ (r >> (bits - 2))) & 1);                   \
		return r;                                                                          \
	}                                                                                          \
	/* The carry is one more bit of what is rotated, so the count is modulo that many. */      \
	static inline _type rcl##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		unsigned __int128 value = (unsigned __int128)flags_carry(cpu) << bits | a;         \
                                                                                                   \
		n = (n & (_size == 8 ? 63 : 31)) % (bits + 1);                                     \
		if (!n)                                                                            \
			return a;                                                                  \
		value = value << n | value >> (bits + 1 - n);                                      \
		a = value;                                                                         \
		set_carry_overflow(cpu, value >> bits & 1,                                         \
				   ((unsigned)(value >> bits) ^ (a >> (bits - 1))) & 1);           \
		return a;                                                                          \
	}                                                                                          \
	static inline _type rcr##_size(struct dbt_cpu *cpu, _type a, unsigned n)                   \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		unsigned __int128 value = (unsigned __int128)flags_carry(cpu) << bits | a;         \
                                                                                                   \
		n = (n & (_size == 8 ? 63 : 31)) % (bits + 1);                                     \
		if (!n)                                                                            \
			return a;                                                                  \
		value = value >> n | value << (bits + 1 - n);                                      \
		a = value;                                                                         \
		set_carry_overflow(cpu, value >> bits & 1,                                         \
				   ((a >> (bits - 1)) ^ (a >> (bits - 2))) & 1);                   \
		return a;                                                                          \
	}                                                                                          \
	FORM_SHIFT(shl, _size, _type)                                                              \
	FORM_SHIFT(shr, _size, _type)                                                              \
	FORM_SHIFT(sar, _size, _type)                                                              \
	FORM_SHIFT(rol, _size, _type)                                                              \
	FORM_SHIFT(ror, _size, _type)                                                              \
	FORM_SHIFT(rcl, _size, _type)                                                              \
	FORM_SHIFT(rcr, _size, _type)

/* By an immediate (or 1), and by CL; of a register, and of memory. */
#define FORM_SHIFT(_name, _size, _type)                                                            \
	OP_HANDLER(_name##_ri##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst);                                            \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, op->imm));                       \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_rc##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst);                                            \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, cpu->gpr[R_CX]));                \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mi##_size)                                                              \
	{                                                                                          \
		OP_RMW(_size, _name##_size(cpu, _a, op->imm));                                     \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mc##_size)                                                              \
	{                                                                                          \
		OP_RMW(_size, _name##_size(cpu, _a, cpu->gpr[R_CX]));                              \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES(DEF_SHIFT)

/* [width][memory][by CL] */
#define SHIFT_ROW(_name, _size)                                                                    \
	{                                                                                          \
		{_name##_ri##_size, _name##_rc##_size},                                            \
		{                                                                                  \
			_name##_mi##_size, _name##_mc##_size                                       \
		}                                                                                  \
	}
#define SHIFT_ROWS(_name)                                                                          \
	{                                                                                          \
		SHIFT_ROW(_name, 1), SHIFT_ROW(_name, 2), SHIFT_ROW(_name, 4), SHIFT_ROW(_name, 8) \
	}
static op_fn *const shift_fns[][4][2][2] = {
	SHIFT_ROWS(rol), SHIFT_ROWS(ror), SHIFT_ROWS(rcl), SHIFT_ROWS(rcr),
	SHIFT_ROWS(shl), SHIFT_ROWS(shr), SHIFT_ROWS(sar),
};

/* ---- SHLD, SHRD ---- */

/*
 * With 16-bit operands and counts above 16 the result is undefined; what shifts in then is the
 * destination itself, as if dst:src:dst were one value.
 */
#define DEF_DOUBLE(_size, _type, _stype, _log)                                                     \
	static inline _type shld##_size(struct dbt_cpu *cpu, _type a, _type b, unsigned n)         \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		unsigned __int128 value = (unsigned __int128)a << bits | b;                        \
		_type before, r;                                                                   \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		if (_size == 2)                                                                    \
			value = value << bits | a;                                                 \
		before = value << (n - 1) >> (_size == 2 ? 2 * bits : bits);                       \
		r = value << n >> (_size == 2 ? 2 * bits : bits);                                  \
		SET_CC(CC_SHL + _log, r, before);                                                  \
		return r;                                                                          \
	}                                                                                          \
	static inline _type shrd##_size(struct dbt_cpu *cpu, _type a, _type b, unsigned n)         \
	{                                                                                          \
		const unsigned bits = 8 * _size;                                                   \
		unsigned __int128 value = (unsigned __int128)b << bits | a;                        \
		_type before, r;                                                                   \
                                                                                                   \
		n &= _size == 8 ? 63 : 31;                                                         \
		if (!n)                                                                            \
			return a;                                                                  \
		if (_size == 2)                                                                    \
			value |= (unsigned __int128)a << (_size == 2 ? 2 * bits : 0);              \
		before = value >> (n - 1);                                                         \
		r = value >> n;                                                                    \
		SET_CC(CC_SAR + _log, r, before);                                                  \
		return r;                                                                          \
	}                                                                                          \
	FORM_DOUBLE(shld, _size, _type)                                                            \
	FORM_DOUBLE(shrd, _size, _type)

#define FORM_DOUBLE(_name, _size, _type)                                                           \
	OP_HANDLER(_name##_ri##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst), b = reg_get##_size(cpu, op->src);          \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, b, op->imm));                    \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_rc##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst), b = reg_get##_size(cpu, op->src);          \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, b, cpu->gpr[R_CX]));             \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mi##_size)                                                              \
	{                                                                                          \
		_type b = reg_get##_size(cpu, op->src);                                            \
                                                                                                   \
		OP_RMW(_size, _name##_size(cpu, _a, b, op->imm));                                  \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mc##_size)                                                              \
	{                                                                                          \
		_type b = reg_get##_size(cpu, op->src);                                            \
                                                                                                   \
		OP_RMW(_size, _name##_size(cpu, _a, b, cpu->gpr[R_CX]));                           \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_DOUBLE)

static op_fn *const double_fns[2][3][2][2] = {
	{SHIFT_ROW(shld, 2), SHIFT_ROW(shld, 4), SHIFT_ROW(shld, 8)},
	{SHIFT_ROW(shrd, 2), SHIFT_ROW(shrd, 4), SHIFT_ROW(shrd, 8)},
};

/* ---- RORX, SARX, SHLX, SHRX: no flags ---- */

#define DEF_SHIFTX(_size, _type, _stype, _log)                                                     \
	static inline _type shlx##_size(_type a, unsigned n)                                       \
	{                                                                                          \
		return a << (n & (8 * _size - 1));                                                 \
	}                                                                                          \
	static inline _type shrx##_size(_type a, unsigned n)                                       \
	{                                                                                          \
		return a >> (n & (8 * _size - 1));                                                 \
	}                                                                                          \
	static inline _type sarx##_size(_type a, unsigned n)                                       \
	{                                                                                          \
		return (_stype)a >> (n & (8 * _size - 1));                                         \
	}                                                                                          \
	static inline _type rorx##_size(_type a, unsigned n)                                       \
	{                                                                                          \
		return a >> (n & (8 * _size - 1)) | a << (-n & (8 * _size - 1));                   \
	}                                                                                          \
	FORM_SHIFTX(shlx, _size, _type, cpu->gpr[op->sub])                                         \
	FORM_SHIFTX(shrx, _size, _type, cpu->gpr[op->sub])                                         \
	FORM_SHIFTX(sarx, _size, _type, cpu->gpr[op->sub])                                         \
	FORM_SHIFTX(rorx, _size, _type, op->imm)

/* op->sub is the register with the count. */
#define FORM_SHIFTX(_name, _size, _type, _count)                                                   \
	OP_HANDLER(_name##_r##_size)                                                               \
	{                                                                                          \
		reg_set##_size(cpu, op->dst, _name##_size(reg_get##_size(cpu, op->src), _count));  \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_m##_size)                                                               \
	{                                                                                          \
		_type a = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                    \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(a, _count));                             \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_48(DEF_SHIFTX)

#define SHIFTX_ROWS(_name)                                                                         \
	{                                                                                          \
		{_name##_r4, _name##_m4},                                                          \
		{                                                                                  \
			_name##_r8, _name##_m8                                                     \
		}                                                                                  \
	}
static op_fn *const shiftx_fns[][2][2] = {SHIFTX_ROWS(rorx), SHIFTX_ROWS(sarx), SHIFTX_ROWS(shlx),
					  SHIFTX_ROWS(shrx)};

bool op_select_shift(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	unsigned log = op_size_index(insn->osize);
	bool by_cl = !insn->imm_size;

	switch (insn->op) {
	case OP_ROL ... OP_SAR:
		op->dst = op_slot(insn, insn->rm, insn->osize);
		op->fn = shift_fns[insn->op - OP_ROL][log][insn->is_mem][by_cl];
		return true;
	case OP_SHLD:
	case OP_SHRD:
		op->dst = insn->rm;
		op->src = insn->reg;
		op->fn = double_fns[insn->op == OP_SHRD][log - 1][insn->is_mem][by_cl];
		return true;
	case OP_RORX ... OP_SHRX:
		op->dst = insn->reg;
		op->src = insn->rm;
		op->sub = insn->vvvv;
		op->fn = shiftx_fns[insn->op - OP_RORX][log - 2][insn->is_mem];
		return true;
	default:
		return false;
	}
}
