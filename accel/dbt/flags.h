/*
 * Lazy flags (the idea is Bochs's and everybody's since).
 *
 * An operation that sets the six status flags leaves its result in cpu->cc_dst, one source in
 * cpu->cc_src and what it was, with its width, in cpu->cc_op. Flags are worked out from these when
 * somebody looks. With CC_FLAGS the flags themselves are in cpu->cc_dst (FLAG_* bits), as after
 * operations that compute them anyway. Values are kept zero-extended. All other bits of RFLAGS live in cpu->flags.
 *
 * An operation that leaves some status flags alone (INC, rotates, BT) works out the old ones first,
 * or has a CC of its own that carries them.
 */
#ifndef DBT_FLAGS_H
#define DBT_FLAGS_H

#include "dbt.h"

/* log2 of the width in bytes is added to each but the first. */
enum cc_op {
	CC_FLAGS = 0,
	CC_ADD = 4,    /* cc_src: the second operand */
	CC_SUB = 8,    /* cc_src: the second operand (subtrahend) */
	CC_LOGIC = 12, /* CF = OF = AF = 0 */
	CC_ADC =
		16, /* ADD with a carry in of 1 (if it was 0 it is CC_ADD); cc_src: second operand */
	CC_SBB = 20, /* the same of SUB */
	CC_INC = 24, /* cc_src: the old CF */
	CC_DEC = 28,
	CC_SHL = 32, /* cc_src: the operand shifted by one less than the count */
	CC_SAR = 36, /* SHR and SAR: the same; OF by cc_src's and cc_dst's top bits */
	CC_COUNT = 40
};

/* The six flags as FLAG_* bits. flags.c */
uint32_t flags_status(const struct dbt_cpu *cpu);
/* Condition @cc (0-15, as in Jcc) now. */
bool flags_condition(const struct dbt_cpu *cpu, unsigned cc);

/* CF alone. */
bool flags_carry_slow(const struct dbt_cpu *cpu);
static inline bool flags_carry(const struct dbt_cpu *cpu)
{
	if (cpu->cc_op == CC_FLAGS)
		return cpu->cc_dst & FLAG_CF;
	if (cpu->cc_op >= CC_LOGIC && cpu->cc_op < CC_ADC)
		return false;
	if (cpu->cc_op >= CC_INC && cpu->cc_op < CC_SHL)
		return cpu->cc_src;
	return flags_carry_slow(cpu);
}

/* X(condition), for handlers that are specialised by it. */
#define FLAGS_CONDITIONS(X)                                                                        \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/*
 * Condition @cc (a constant), where it can be had from the lazy state without working out all flags:
 * 0, 1, or -1 if flags_condition() has to be asked. After a comparison, of which the first operand
 * is cc_dst + cc_src, that is one comparison of the host's.
 */
static inline __attribute__((always_inline)) int flags_try(const struct dbt_cpu *cpu, unsigned cc)
{
	uint32_t op = cpu->cc_op;
	unsigned shift = 64 - (8u << (op & 3)); /* brings the top bit to bit 63 */
	uint64_t dst = cpu->cc_dst, a = (dst + cpu->cc_src) << shift, b = cpu->cc_src << shift;
	bool compared = op >= CC_SUB && op < CC_LOGIC, logic = op >= CC_LOGIC && op < CC_ADC, yes;

	switch (cc >> 1) {
	case 1:
		if (!compared)
			return -1;
		yes = a < b;
		break;
	case 2:
		yes = op == CC_FLAGS ? !!(dst & FLAG_ZF) : !dst;
		break;
	case 3:
		if (!compared)
			return -1;
		yes = a <= b;
		break;
	case 4:
		yes = op == CC_FLAGS ? !!(dst & FLAG_SF) : dst << shift >> 63;
		break;
	case 5:
		if (op != CC_FLAGS)
			return -1;
		yes = dst & FLAG_PF;
		break;
	case 6:
		if (compared)
			yes = (int64_t)a < (int64_t)b;
		else if (logic)
			yes = dst << shift >> 63;
		else
			return -1;
		break;
	case 7:
		if (compared)
			yes = (int64_t)a <= (int64_t)b;
		else if (logic)
			yes = (int64_t)(dst << shift) <= 0;
		else
			return -1;
		break;
	default:
		return -1;
	}
	return yes ^ (cc & 1);
}

static inline void flags_set_status(struct dbt_cpu *cpu, uint32_t status)
{
	cpu->cc_op = CC_FLAGS;
	cpu->cc_dst = status & FLAGS_STATUS;
}

#endif
