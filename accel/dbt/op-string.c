/*
 * String instructions: SDM vol. 1, 5.1.8 and 7.3.9; vol. 2, REP.
 *
 * Registers are advanced after each element, so that a fault finds them as a real CPU leaves them and
 * the instruction can be run again for the rest. After STRING_BATCH elements, and when a vCPU is
 * wanted, a repeated one goes back to the loop with rip still at itself.
 *
 * op->flags is the element's size, op->sub the repeat prefix; the address size is op->ea's.
 */
#include "block.h"
#include "flags.h"
#include "forms.h"

#define STRING_BATCH 4096

static inline int64_t string_step(const struct dbt_cpu *cpu, const struct op *op)
{
	return cpu->flags & FLAG_DF ? -(int64_t)op->flags : op->flags;
}

static inline void string_move(struct dbt_cpu *cpu, const struct op *op, unsigned reg, int64_t by)
{
	uint64_t value = cpu->gpr[reg] + by;

	switch (op_address_mask(op)) {
	case UINT16_MAX:
		reg_set2(cpu, reg, value);
		break;
	case UINT32_MAX:
		reg_set4(cpu, reg, value);
		break;
	default:
		cpu->gpr[reg] = value;
	}
}

static inline uint64_t source(struct dbt_cpu *cpu, const struct op *op, unsigned size)
{
	return op_segment_linear(cpu, op, op->seg, cpu->gpr[R_SI] & op_address_mask(op), size,
				 false);
}

static inline uint64_t target(struct dbt_cpu *cpu, const struct op *op, unsigned size,
			      bool is_write)
{
	return op_segment_linear(cpu, op, S_ES, cpu->gpr[R_DI] & op_address_mask(op), size,
				 is_write);
}

static inline uint64_t load(struct dbt_cpu *cpu, const struct op *op, uint64_t lin)
{
	switch (op->flags) {
	case 1:
		return ld1(cpu, op, lin);
	case 2:
		return ld2(cpu, op, lin);
	case 4:
		return ld4(cpu, op, lin);
	default:
		return ld8(cpu, op, lin);
	}
}

static inline void store(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint64_t value)
{
	switch (op->flags) {
	case 1:
		st1(cpu, op, lin, value);
		break;
	case 2:
		st2(cpu, op, lin, value);
		break;
	case 4:
		st4(cpu, op, lin, value);
		break;
	default:
		st8(cpu, op, lin, value);
	}
}

/* ---- One element ---- */

static void movs_one(struct dbt_cpu *cpu, const struct op *op)
{
	int64_t step = string_step(cpu, op);
	uint64_t value = load(cpu, op, source(cpu, op, op->flags));

	store(cpu, op, target(cpu, op, op->flags, true), value);
	string_move(cpu, op, R_SI, step);
	string_move(cpu, op, R_DI, step);
}

static void stos_one(struct dbt_cpu *cpu, const struct op *op)
{
	store(cpu, op, target(cpu, op, op->flags, true), cpu->gpr[R_AX]);
	string_move(cpu, op, R_DI, string_step(cpu, op));
}

static void lods_one(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t value = load(cpu, op, source(cpu, op, op->flags));

	reg_set(cpu, R_AX, op->flags, value);
	string_move(cpu, op, R_SI, string_step(cpu, op));
}

/* A comparison of elements, as CMP. */
static void compare(struct dbt_cpu *cpu, const struct op *op, uint64_t a, uint64_t b)
{
	uint64_t mask = UINT64_MAX >> (64 - 8 * op->flags);

	cpu->cc_op = CC_SUB + op_size_index(op->flags);
	cpu->cc_dst = (a - b) & mask;
	cpu->cc_src = b & mask;
}

static void cmps_one(struct dbt_cpu *cpu, const struct op *op)
{
	int64_t step = string_step(cpu, op);
	uint64_t a = load(cpu, op, source(cpu, op, op->flags));
	uint64_t b = load(cpu, op, target(cpu, op, op->flags, false));

	compare(cpu, op, a, b);
	string_move(cpu, op, R_SI, step);
	string_move(cpu, op, R_DI, step);
}

static void scas_one(struct dbt_cpu *cpu, const struct op *op)
{
	compare(cpu, op, cpu->gpr[R_AX], load(cpu, op, target(cpu, op, op->flags, false)));
	string_move(cpu, op, R_DI, string_step(cpu, op));
}

/* What cannot be undone, the port, comes after what may fault. */
static void ins_one(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t lin = target(cpu, op, op->flags, true);

	mmu_probe(cpu, op, cpu->mmu_index, lin, op->flags, ACCESS_WRITE);
	store(cpu, op, lin, port_read(cpu, op, cpu->gpr[R_DX], op->flags));
	string_move(cpu, op, R_DI, string_step(cpu, op));
}

static void outs_one(struct dbt_cpu *cpu, const struct op *op)
{
	uint64_t value = load(cpu, op, source(cpu, op, op->flags));

	port_write(cpu, op, cpu->gpr[R_DX], op->flags, value);
	string_move(cpu, op, R_SI, string_step(cpu, op));
}

/* ---- Many at once: what lies in one page of RAM ---- */

/* 64-bit addresses, or flat 32-bit ones: no segment has to be checked. */
static inline bool is_simple(const struct dbt_cpu *cpu, const struct op *op)
{
	return op->ea == EA_64 || op->ea == EA_64_SEG || op->ea == EA_FLAT32;
}

/* How many elements from @lin on, in the direction of the string, lie wholly in its page. */
static inline uint64_t in_page(const struct dbt_cpu *cpu, const struct op *op, uint64_t lin)
{
	uint64_t at = lin & 0xfff, size = op->flags;

	if (at + size > 4096)
		return 0;
	return cpu->flags & FLAG_DF ? at / size + 1 : (4096 - at) / size;
}

/* Host memory of @count elements from @lin on; the lowest byte. It faults at the first element. */
static uint8_t *piece(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, uint64_t count,
		      enum mem_access access)
{
	if (cpu->flags & FLAG_DF) {
		mmu_probe(cpu, op, cpu->mmu_index, lin, op->flags, access);
		lin -= (count - 1) * op->flags;
	}
	return mmu_host(cpu, op, cpu->mmu_index, lin, count * op->flags, access);
}

static void string_done(struct dbt_cpu *cpu, const struct op *op, uint64_t count, bool has_source)
{
	int64_t by = string_step(cpu, op) * (int64_t)count;

	if (has_source)
		string_move(cpu, op, R_SI, by);
	string_move(cpu, op, R_DI, by);
	string_move(cpu, op, R_CX, -(int64_t)count);
}

/* In the order of the elements where pieces overlap so that it shows. */
static void copy(uint8_t *to, const uint8_t *from, uint64_t count, unsigned size, bool down)
{
	uint64_t len = count * size;

	if (down ? to >= from || from - to >= len : to <= from || to - from >= len) {
		memmove(to, from, len);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = (down ? count - 1 - i : i) * size, value = 0;

		memcpy(&value, from + at, size);
		memcpy(to + at, &value, size);
	}
}

/* Elements done; 0: one by one, please. */
static uint64_t movs_many(struct dbt_cpu *cpu, const struct op *op, uint64_t count)
{
	uint64_t from, to;
	const uint8_t *host_from;
	uint8_t *host_to;

	if (!is_simple(cpu, op))
		return 0;
	from = source(cpu, op, op->flags);
	to = target(cpu, op, op->flags, true);
	count = MIN(count, MIN(in_page(cpu, op, from), in_page(cpu, op, to)));
	if (count < 2)
		return 0;
	host_from = piece(cpu, op, from, count, ACCESS_READ);
	if (!host_from)
		return 0;
	host_to = piece(cpu, op, to, count, ACCESS_WRITE);
	if (!host_to)
		return 0;
	copy(host_to, host_from, count, op->flags, cpu->flags & FLAG_DF);
	string_done(cpu, op, count, true);
	return count;
}

static void fill(uint8_t *to, uint64_t value, uint64_t count, unsigned size)
{
	if (size == 1 || !value) {
		memset(to, value, count * size);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		memcpy(to + i * size, &value, size);
}

static uint64_t stos_many(struct dbt_cpu *cpu, const struct op *op, uint64_t count)
{
	uint64_t to;
	uint8_t *host;

	if (!is_simple(cpu, op))
		return 0;
	to = target(cpu, op, op->flags, true);
	count = MIN(count, in_page(cpu, op, to));
	if (count < 2)
		return 0;
	host = piece(cpu, op, to, count, ACCESS_WRITE);
	if (!host)
		return 0;
	fill(host, cpu->gpr[R_AX] & (UINT64_MAX >> (64 - 8 * op->flags)), count, op->flags);
	string_done(cpu, op, count, false);
	return count;
}

/* ---- Repetition ---- */

typedef void one_fn(struct dbt_cpu *cpu, const struct op *op);
typedef uint64_t many_fn(struct dbt_cpu *cpu, const struct op *op, uint64_t count);

/* Whether REPE or REPNE ends with the comparison just made. */
static inline bool ends(const struct dbt_cpu *cpu, const struct op *op)
{
	return !cpu->cc_dst != (op->sub == 0xf3);
}

/* True: the instruction is done. A debugger's or the guest's step sees every element. */
static inline bool repeat(struct dbt_cpu *cpu, const struct op *op, one_fn *one, many_fn *many,
			  bool compares)
{
	uint64_t mask = op_address_mask(op), budget = cpu->mode & MODE_STEP ? 1 : STRING_BATCH;

	while (cpu->gpr[R_CX] & mask) {
		uint64_t done = 0;

		if (!budget || (budget < STRING_BATCH && block_must_stop(cpu)))
			return false;
		if (many && budget > 1)
			done = many(cpu, op, MIN(cpu->gpr[R_CX] & mask, budget));
		if (!done) {
			one(cpu, op);
			string_move(cpu, op, R_CX, -1);
			done = 1;
		}
		if (compares && ends(cpu, op))
			return true;
		budget -= done;
	}
	return true;
}

/* Where a string instruction repeats itself: not done, so it is run again. */
#define DEF_STRING(_name, _many, _compares)                                                        \
	OP_HANDLER(_name)                                                                          \
	{                                                                                          \
		_name##_one(cpu, op);                                                              \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(rep_##_name)                                                                    \
	{                                                                                          \
		if (!repeat(cpu, op, _name##_one, _many, _compares))                               \
			return block_leave(cpu, op_rip(cpu, op));                                  \
		NEXT(cpu, op);                                                                     \
	}
DEF_STRING(movs, movs_many, false)
DEF_STRING(stos, stos_many, false)
DEF_STRING(lods, NULL, false)
DEF_STRING(cmps, NULL, true)
DEF_STRING(scas, NULL, true)

OP_HANDLER(ins)
{
	port_check(cpu, op, cpu->gpr[R_DX], op->flags);
	ins_one(cpu, op);
	NEXT(cpu, op);
}

OP_HANDLER(rep_ins)
{
	port_check(cpu, op, cpu->gpr[R_DX], op->flags);
	if (!repeat(cpu, op, ins_one, NULL, false))
		return block_leave(cpu, op_rip(cpu, op));
	NEXT(cpu, op);
}

OP_HANDLER(outs)
{
	port_check(cpu, op, cpu->gpr[R_DX], op->flags);
	outs_one(cpu, op);
	NEXT(cpu, op);
}

OP_HANDLER(rep_outs)
{
	port_check(cpu, op, cpu->gpr[R_DX], op->flags);
	if (!repeat(cpu, op, outs_one, NULL, false))
		return block_leave(cpu, op_rip(cpu, op));
	NEXT(cpu, op);
}

bool op_select_string(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	static op_fn *const fns[][2] = {
		{movs, rep_movs}, {cmps, rep_cmps}, {stos, rep_stos}, {lods, rep_lods},
		{scas, rep_scas}, {ins, rep_ins},   {outs, rep_outs},
	};

	if (insn->op < OP_MOVS || insn->op > OP_OUTS)
		return false;
	op->flags = insn->osize;
	op->sub = insn->rep;
	op->fn = fns[insn->op - OP_MOVS][!!insn->rep];
	return true;
}
