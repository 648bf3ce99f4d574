/*
 * LOCKed instructions, exchanges, XADD, CMPXCHG: SDM vol. 3, 9.1.
 *
 * On memory the host's own LOCKed instruction is executed on the guest's bytes and the flags are the
 * host's, so that they are exact and other vCPUs and devices see what they would see of a real CPU.
 * The host locks across cache lines too. What has no one place in host memory (an operand across two
 * pages, registers of a device, a page of code) is read and written while all other vCPUs stay outside
 * of guest code (dbt_exclusive_begin()).
 */
#include "block.h"
#include "flags.h"
#include "forms.h"

/* What an instruction leaves of the flags: LAHF's byte in AH, OF in AL. */
static inline void set_native_flags(struct dbt_cpu *cpu, uint16_t ax)
{
	flags_set_status(cpu, (ax >> 8) | (ax & 1 ? FLAG_OF : 0));
}

#define REG_1     "q"
#define REG_2     "r"
#define REG_4     "r"
#define REG_8     "r"
#define SUFFIX_1  "b"
#define SUFFIX_2  "w"
#define SUFFIX_4  "l"
#define SUFFIX_8  "q"
#define OPERAND_1 "%b"
#define OPERAND_2 "%w"
#define OPERAND_4 "%k"
#define OPERAND_8 "%q"

/* CF is brought in first: INC and DEC keep it, ADC and SBB need it. */
#define LOCKED_2(_name, _size)                                                                     \
	static inline void locked_##_name##_size(struct dbt_cpu *cpu, void *p, uint64_t value)     \
	{                                                                                          \
		uint16_t ax;                                                                       \
		uint8_t carry = flags_carry(cpu);                                                  \
                                                                                                   \
		asm volatile("addb $0xff, %b[c]; lock " #_name SUFFIX_##_size " " OPERAND_##_size  \
			     "[v], %[m]; lahf; seto %%al"                                          \
			     : [m] "+m"(*(OP_MEM_##_size *)p), "=&a"(ax), [c] "+&q"(carry)         \
			     : [v] REG_##_size((OP_TYPE_##_size)value)                             \
			     : "cc", "memory");                                                    \
		set_native_flags(cpu, ax);                                                         \
	}
#define LOCKED_1(_name, _size)                                                                     \
	static inline void locked_##_name##_size(struct dbt_cpu *cpu, void *p, uint64_t value)     \
	{                                                                                          \
		uint16_t ax;                                                                       \
		uint8_t carry = flags_carry(cpu);                                                  \
                                                                                                   \
		asm volatile("addb $0xff, %b[c]; lock " #_name SUFFIX_##_size                      \
			     " %[m]; lahf; seto %%al"                                              \
			     : [m] "+m"(*(OP_MEM_##_size *)p), "=&a"(ax), [c] "+&q"(carry)         \
			     :                                                                     \
			     : "cc", "memory");                                                    \
		set_native_flags(cpu, ax);                                                         \
	}

/*
 * Two handlers, with a register and with an immediate. The slow way works on a copy while nobody else
 * runs: the store, which may leave the block, comes before flags and registers.
 */
#define FORM_LOCKED(_name, _size)                                                                  \
	FORM_LOCKED_IMM(_name, _size)                                                              \
	OP_HANDLER(lock_##_name##_r##_size)                                                        \
	{                                                                                          \
		do_##_name##_size(cpu, op, op_linear(cpu, op, _size, true),                        \
				  reg_get##_size(cpu, op->src));                                   \
		OP_LOOP(cpu, op);                                                                  \
	}
#define FORM_LOCKED_IMM(_name, _size)                                                              \
	static __attribute__((noinline)) void slow_##_name##_size(                                 \
		struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint64_t value)            \
	{                                                                                          \
		struct exclusive e;                                                                \
		OP_TYPE_##_size copy;                                                              \
                                                                                                   \
		exclusive_load(cpu, op, &e, lin, _size, &copy);                                    \
		locked_##_name##_size(cpu, &copy, value);                                          \
		exclusive_store(cpu, op, &e, copy);                                                \
	}                                                                                          \
	static inline void do_##_name##_size(struct dbt_cpu *cpu, const struct op *op,             \
					     uint64_t lin, uint64_t value)                         \
	{                                                                                          \
		void *p = op_rmw(cpu, op, lin, _size);                                             \
                                                                                                   \
		if (likely(p != NULL))                                                             \
			locked_##_name##_size(cpu, p, value);                                      \
		else                                                                               \
			slow_##_name##_size(cpu, op, lin, value);                                  \
	}                                                                                          \
	OP_HANDLER(lock_##_name##_i##_size)                                                        \
	{                                                                                          \
		do_##_name##_size(cpu, op, op_linear(cpu, op, _size, true), op->imm);              \
		OP_LOOP(cpu, op);                                                                  \
	}

/* ---- The slow way ---- */

struct exclusive {
	uint64_t lin;
	unsigned size;
	uint64_t cc_dst, cc_src;
	uint32_t cc_op;
};

/* The caller has made sure that the operand can be written (op_rmw()). */
static void exclusive_load(struct dbt_cpu *cpu, const struct op *op, struct exclusive *e,
			   uint64_t lin, unsigned size, void *copy)
{
	e->lin = lin;
	e->size = size;
	e->cc_dst = cpu->cc_dst;
	e->cc_src = cpu->cc_src;
	e->cc_op = cpu->cc_op;
	dbt_exclusive_begin(cpu, op);
	mmu_read(cpu, op, cpu->mmu_index, lin, copy, size);
}

/* Leaves the old flags alone until the store has been made. */
static void exclusive_store(struct dbt_cpu *cpu, const struct op *op, const struct exclusive *e,
			    uint64_t value)
{
	uint64_t dst = cpu->cc_dst, src = cpu->cc_src;
	uint32_t cc_op = cpu->cc_op;

	cpu->cc_dst = e->cc_dst;
	cpu->cc_src = e->cc_src;
	cpu->cc_op = e->cc_op;
	mmu_write(cpu, op, cpu->mmu_index, e->lin, &value, e->size);
	cpu->cc_dst = dst;
	cpu->cc_src = src;
	cpu->cc_op = cc_op;
	dbt_exclusive_end(cpu);
}

/* ---- ADD and its like ---- */

#define DEF_LOCKED_ALU(_size, _type, _stype, _log)                                                 \
	LOCKED_2(add, _size)                                                                       \
	LOCKED_2(or, _size)                                                                        \
	LOCKED_2(adc, _size)                                                                       \
	LOCKED_2(sbb, _size)                                                                       \
	LOCKED_2(and, _size)                                                                       \
	LOCKED_2(sub, _size)                                                                       \
	LOCKED_2(xor, _size)                                                                       \
	LOCKED_1(inc, _size)                                                                       \
	LOCKED_1(dec, _size)                                                                       \
	LOCKED_1(neg, _size)                                                                       \
	static inline void locked_not##_size(struct dbt_cpu *cpu, void *p, uint64_t value)         \
	{                                                                                          \
		asm volatile("lock not" SUFFIX_##_size " %0"                                       \
			     : "+m"(*(OP_MEM_##_size *)p)                                          \
			     :                                                                     \
			     : "memory");                                                          \
	}                                                                                          \
	FORM_LOCKED(add, _size)                                                                    \
	FORM_LOCKED(or, _size)                                                                     \
	FORM_LOCKED(adc, _size)                                                                    \
	FORM_LOCKED(sbb, _size)                                                                    \
	FORM_LOCKED(and, _size)                                                                    \
	FORM_LOCKED(sub, _size)                                                                    \
	FORM_LOCKED(xor, _size)                                                                    \
	FORM_LOCKED(inc, _size)                                                                    \
	FORM_LOCKED(dec, _size)                                                                    \
	FORM_LOCKED(neg, _size)                                                                    \
	FORM_LOCKED(not, _size)
OP_SIZES(DEF_LOCKED_ALU)

/* [width][immediate] */
#define LOCKED_ROWS(_name)                                                                         \
	{                                                                                          \
		{lock_##_name##_r1, lock_##_name##_i1}, {lock_##_name##_r2, lock_##_name##_i2},    \
			{lock_##_name##_r4, lock_##_name##_i4},                                    \
		{                                                                                  \
			lock_##_name##_r8, lock_##_name##_i8                                       \
		}                                                                                  \
	}
static op_fn *const alu_fns[][4][2] = {
	[OP_ADD] = LOCKED_ROWS(add), [OP_OR] = LOCKED_ROWS(or),    [OP_ADC] = LOCKED_ROWS(adc),
	[OP_SBB] = LOCKED_ROWS(sbb), [OP_AND] = LOCKED_ROWS(and),  [OP_SUB] = LOCKED_ROWS(sub),
	[OP_XOR] = LOCKED_ROWS(xor), [OP_INC] = LOCKED_ROWS(inc),  [OP_DEC] = LOCKED_ROWS(dec),
	[OP_NEG] = LOCKED_ROWS(neg), [OP_NOT] = LOCKED_ROWS(not ),
};

/* ---- BTS, BTR, BTC: only CF changes ---- */

#define LOCKED_BIT(_name, _size)                                                                   \
	static inline void locked_##_name##_size(struct dbt_cpu *cpu, void *p, uint64_t value)     \
	{                                                                                          \
		uint32_t others = flags_status(cpu) & ~FLAG_CF;                                    \
		OP_TYPE_##_size bit = value & (8 * _size - 1);                                     \
		bool carry;                                                                        \
                                                                                                   \
		asm volatile("lock " #_name SUFFIX_##_size " " OPERAND_##_size "[b], %[m]"         \
			     : [m] "+m"(*(OP_MEM_##_size *)p), "=@ccc"(carry)                      \
			     : [b] "r"(bit)                                                        \
			     : "memory");                                                          \
		flags_set_status(cpu, others | (carry ? FLAG_CF : 0));                             \
	}
#define FORM_LOCKED_BIT(_name, _size, _stype, _log)                                                \
	LOCKED_BIT(_name, _size)                                                                   \
	FORM_LOCKED_IMM(_name, _size)                                                              \
	OP_HANDLER(lock_##_name##_bit##_size)                                                      \
	{                                                                                          \
		_stype bit = reg_get##_size(cpu, op->src);                                         \
                                                                                                   \
		do_##_name##_size(cpu, op, op_bit_linear(cpu, op, bit, _log, true), bit);          \
		OP_LOOP(cpu, op);                                                                  \
	}
#define DEF_LOCKED_BITS(_size, _type, _stype, _log)                                                \
	FORM_LOCKED_BIT(bts, _size, _stype, _log)                                                  \
	FORM_LOCKED_BIT(btr, _size, _stype, _log)                                                  \
	FORM_LOCKED_BIT(btc, _size, _stype, _log)
OP_SIZES_248(DEF_LOCKED_BITS)

#define BIT_ROWS(_name)                                                                            \
	{                                                                                          \
		{lock_##_name##_bit2, lock_##_name##_i2},                                          \
			{lock_##_name##_bit4, lock_##_name##_i4},                                  \
		{                                                                                  \
			lock_##_name##_bit8, lock_##_name##_i8                                     \
		}                                                                                  \
	}
static op_fn *const bit_fns[3][3][2] = {BIT_ROWS(bts), BIT_ROWS(btr), BIT_ROWS(btc)};

/* ---- XCHG, XADD, CMPXCHG: of CMPXCHG's registers only the one that changes is written ---- */

#define DEF_EXCHANGES(_size, _type, _stype, _log)                                                  \
	OP_HANDLER(xchg_r##_size)                                                                  \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst), b = reg_get##_size(cpu, op->src);          \
                                                                                                   \
		reg_set##_size(cpu, op->dst, b);                                                   \
		reg_set##_size(cpu, op->src, a);                                                   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	static _type exchange##_size(struct dbt_cpu *cpu, const struct op *op, _type value)        \
	{                                                                                          \
		uint64_t lin = op_linear(cpu, op, _size, true);                                    \
		OP_MEM_##_size *p = op_rmw(cpu, op, lin, _size);                                   \
		struct exclusive e;                                                                \
		_type old;                                                                         \
                                                                                                   \
		if (likely(p != NULL)) {                                                           \
			asm volatile("xchg" SUFFIX_##_size " " OPERAND_##_size "0, %1"             \
				     : "+" REG_##_size(value), "+m"(*p)                            \
				     :                                                             \
				     : "memory");                                                  \
			return value;                                                              \
		}                                                                                  \
		exclusive_load(cpu, op, &e, lin, _size, &old);                                     \
		exclusive_store(cpu, op, &e, value);                                               \
		return old;                                                                        \
	}                                                                                          \
	OP_HANDLER(xchg_m##_size)                                                                  \
	{                                                                                          \
		_type old = exchange##_size(cpu, op, reg_get##_size(cpu, op->src));                \
                                                                                                   \
		reg_set##_size(cpu, op->src, old);                                                 \
		OP_LOOP(cpu, op);                                                                  \
	}                                                                                          \
	static inline void add_flags##_size(struct dbt_cpu *cpu, _type a, _type b)                 \
	{                                                                                          \
		cpu->cc_op = CC_ADD + _log;                                                        \
		cpu->cc_dst = (_type)(a + b);                                                      \
		cpu->cc_src = b;                                                                   \
	}                                                                                          \
	OP_HANDLER(xadd_r##_size)                                                                  \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst), b = reg_get##_size(cpu, op->src);          \
                                                                                                   \
		add_flags##_size(cpu, a, b);                                                       \
		reg_set##_size(cpu, op->src, a);                                                   \
		reg_set##_size(cpu, op->dst, a + b);                                               \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	static _type add_exchange##_size(struct dbt_cpu *cpu, const struct op *op, _type value)    \
	{                                                                                          \
		uint64_t lin = op_linear(cpu, op, _size, true);                                    \
		OP_MEM_##_size *p = op_rmw(cpu, op, lin, _size);                                   \
		struct exclusive e;                                                                \
		_type old;                                                                         \
                                                                                                   \
		if (likely(p != NULL)) {                                                           \
			asm volatile("lock xadd" SUFFIX_##_size " " OPERAND_##_size "0, %1"        \
				     : "+" REG_##_size(value), "+m"(*p)                            \
				     :                                                             \
				     : "memory", "cc");                                            \
			return value;                                                              \
		}                                                                                  \
		exclusive_load(cpu, op, &e, lin, _size, &old);                                     \
		exclusive_store(cpu, op, &e, (_type)(old + value));                                \
		return old;                                                                        \
	}                                                                                          \
	OP_HANDLER(xadd_m##_size)                                                                  \
	{                                                                                          \
		_type b = reg_get##_size(cpu, op->src), a = add_exchange##_size(cpu, op, b);       \
                                                                                                   \
		add_flags##_size(cpu, a, b);                                                       \
		reg_set##_size(cpu, op->src, a);                                                   \
		OP_LOOP(cpu, op);                                                                  \
	}                                                                                          \
	/* Compares rAX with @old: equal, or rAX becomes @old (and is not touched if equal). */    \
	static inline bool compare_flags##_size(struct dbt_cpu *cpu, _type old)                    \
	{                                                                                          \
		_type a = reg_get##_size(cpu, R_AX);                                               \
                                                                                                   \
		cpu->cc_op = CC_SUB + _log;                                                        \
		cpu->cc_dst = (_type)(a - old);                                                    \
		cpu->cc_src = old;                                                                 \
		if (a != old)                                                                      \
			reg_set##_size(cpu, R_AX, old);                                            \
		return a == old;                                                                   \
	}                                                                                          \
	OP_HANDLER(cmpxchg_r##_size)                                                               \
	{                                                                                          \
		_type old = reg_get##_size(cpu, op->dst), value = reg_get##_size(cpu, op->src);    \
                                                                                                   \
		if (compare_flags##_size(cpu, old))                                                \
			reg_set##_size(cpu, op->dst, value);                                       \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	static _type compare_exchange##_size(struct dbt_cpu *cpu, const struct op *op)             \
	{                                                                                          \
		uint64_t lin = op_linear(cpu, op, _size, true);                                    \
		OP_MEM_##_size *p = op_rmw(cpu, op, lin, _size);                                   \
		_type old = reg_get##_size(cpu, R_AX), value = reg_get##_size(cpu, op->src);       \
		struct exclusive e;                                                                \
                                                                                                   \
		if (likely(p != NULL)) {                                                           \
			asm volatile("lock cmpxchg" SUFFIX_##_size " " OPERAND_##_size "2, %1"     \
				     : "+a"(old), "+m"(*p)                                         \
				     : REG_##_size(value)                                          \
				     : "memory", "cc");                                            \
			return old;                                                                \
		}                                                                                  \
		exclusive_load(cpu, op, &e, lin, _size, &old);                                     \
		exclusive_store(cpu, op, &e, old == reg_get##_size(cpu, R_AX) ? value : old);      \
		return old;                                                                        \
	}                                                                                          \
	OP_HANDLER(cmpxchg_m##_size)                                                               \
	{                                                                                          \
		compare_flags##_size(cpu, compare_exchange##_size(cpu, op));                       \
		OP_LOOP(cpu, op);                                                                  \
	}
OP_SIZES(DEF_EXCHANGES)

#define EXCHANGE_ROWS(_name)                                                                       \
	{                                                                                          \
		{_name##_r1, _name##_m1}, {_name##_r2, _name##_m2}, {_name##_r4, _name##_m4},      \
		{                                                                                  \
			_name##_r8, _name##_m8                                                     \
		}                                                                                  \
	}
static op_fn *const exchange_fns[3][4][2] = {EXCHANGE_ROWS(xchg), EXCHANGE_ROWS(xadd),
					     EXCHANGE_ROWS(cmpxchg)};

/* ---- CMPXCHG8B, CMPXCHG16B: only ZF changes ---- */

static void set_zero(struct dbt_cpu *cpu, bool zero)
{
	flags_set_status(cpu, (flags_status(cpu) & ~FLAG_ZF) | (zero ? FLAG_ZF : 0));
}

static void compare_exchange_8b(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 8, true);
	mem64 *p = op_rmw(cpu, op, lin, 8);
	uint64_t expected = (uint64_t)reg_get4(cpu, R_DX) << 32 | reg_get4(cpu, R_AX);
	uint64_t value = (uint64_t)reg_get4(cpu, R_CX) << 32 | reg_get4(cpu, R_BX);
	uint64_t old = expected;
	struct exclusive e;

	if (likely(p != NULL)) {
		asm volatile("lock cmpxchgq %2, %1"
			     : "+a"(old), "+m"(*p)
			     : "r"(value)
			     : "memory", "cc");
	} else {
		exclusive_load(cpu, op, &e, lin, 8, &old);
		exclusive_store(cpu, op, &e, old == expected ? value : old);
	}
	set_zero(cpu, old == expected);
	if (old != expected) {
		reg_set4(cpu, R_AX, old);
		reg_set4(cpu, R_DX, old >> 32);
	}
}

OP_HANDLER(cmpxchg8b)
{
	compare_exchange_8b(cpu, op);
	OP_LOOP(cpu, op);
}

/* The slow way of 16 bytes. */
static void compare_exchange_slow(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,
				  uint64_t old[2])
{
	uint64_t value[2] = {cpu->gpr[R_BX], cpu->gpr[R_CX]};

	dbt_exclusive_begin(cpu, op);
	mmu_read(cpu, op, cpu->mmu_index, lin, old, 16);
	if (old[0] == cpu->gpr[R_AX] && old[1] == cpu->gpr[R_DX])
		mmu_write(cpu, op, cpu->mmu_index, lin, value, 16);
	else
		mmu_write(cpu, op, cpu->mmu_index, lin, old, 16);
	dbt_exclusive_end(cpu);
}

static void compare_exchange_16b(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = op_linear(cpu, op, 16, true);
	uint64_t old[2] = {cpu->gpr[R_AX], cpu->gpr[R_DX]};
	void *p;
	bool equal;

	if (lin & 15)
		dbt_fault_code(cpu, op, EXC_GP, 0);
	p = op_rmw(cpu, op, lin, 16);
	if (likely(p != NULL))
		asm volatile("lock cmpxchg16b %2"
			     : "+a"(old[0]), "+d"(old[1]), "+m"(*(unsigned __int128 *)p)
			     : "b"(cpu->gpr[R_BX]), "c"(cpu->gpr[R_CX])
			     : "memory", "cc");
	else
		compare_exchange_slow(cpu, op, lin, old);
	equal = old[0] == cpu->gpr[R_AX] && old[1] == cpu->gpr[R_DX];
	set_zero(cpu, equal);
	if (!equal) {
		cpu->gpr[R_AX] = old[0];
		cpu->gpr[R_DX] = old[1];
	}
}

OP_HANDLER(cmpxchg16b)
{
	compare_exchange_16b(cpu, op);
	OP_LOOP(cpu, op);
}

bool op_select_atomic(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	unsigned log = op_size_index(insn->osize);

	switch (insn->op) {
	case OP_XCHG ... OP_CMPXCHG:
		op->dst = op_slot(insn, insn->rm, insn->osize);
		op->src = op_slot(insn, insn->reg, insn->osize);
		op->fn = exchange_fns[insn->op - OP_XCHG][log][insn->is_mem];
		return true;
	case OP_CMPXCHG8B:
		op->fn = cmpxchg8b;
		return true;
	case OP_CMPXCHG16B:
		op->fn = cmpxchg16b;
		return true;
	case OP_ADD ... OP_XOR:
	case OP_INC ... OP_NOT:
		if (!insn->lock)
			return false;
		op->src = op_slot(insn, insn->reg, insn->osize);
		op->fn = alu_fns[insn->op][log][!!insn->imm_size];
		return true;
	case OP_BTS ... OP_BTC:
		if (!insn->lock)
			return false;
		op->src = insn->reg;
		op->fn = bit_fns[insn->op - OP_BTS][log - 1][!!insn->imm_size];
		return true;
	default:
		return false;
	}
}
