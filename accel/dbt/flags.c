/* Working out the status flags that operations left lazy: flags.h. */
#include "flags.h"
#include "ea.h"

/* Bit 0 of entry n: whether n has an even number of ones. A nibble is enough of a table. */
static inline uint32_t parity_flag(uint8_t value)
{
	return (0x9669 >> ((value ^ value >> 4) & 15) & 1) ? FLAG_PF : 0;
}

#define TOP(_value, _type) ((_type)(_value) >> (sizeof(_type) * 8 - 1))

/* SF, ZF, PF of a result. */
#define DEF_RESULT(_size, _type, _stype, _log)                                                     \
	static inline uint32_t result##_size(_type r)                                              \
	{                                                                                          \
		return (TOP(r, _type) ? FLAG_SF : 0) | (r ? 0 : FLAG_ZF) | parity_flag(r);         \
	}                                                                                          \
	static inline uint32_t add##_size(_type r, _type b, unsigned carry)                        \
	{                                                                                          \
		_type a = r - b - carry;                                                           \
		bool c = carry ? r <= b : r < b;                                                   \
                                                                                                   \
		return result##_size(r) | (c ? FLAG_CF : 0) | ((a ^ b ^ r) & FLAG_AF) |            \
		       (TOP((a ^ r) & (b ^ r), _type) ? FLAG_OF : 0);                              \
	}                                                                                          \
	static inline uint32_t sub##_size(_type r, _type b, unsigned borrow)                       \
	{                                                                                          \
		_type a = r + b + borrow;                                                          \
		bool c = borrow ? a <= b : a < b;                                                  \
                                                                                                   \
		return result##_size(r) | (c ? FLAG_CF : 0) | ((a ^ b ^ r) & FLAG_AF) |            \
		       (TOP((a ^ b) & (a ^ r), _type) ? FLAG_OF : 0);                              \
	}                                                                                          \
	static inline uint32_t inc##_size(_type r, unsigned carry)                                 \
	{                                                                                          \
		return result##_size(r) | (carry ? FLAG_CF : 0) | ((r & 15) ? 0 : FLAG_AF) |       \
		       (r == (_type)1 << (_size * 8 - 1) ? FLAG_OF : 0);                           \
	}                                                                                          \
	static inline uint32_t dec##_size(_type r, unsigned carry)                                 \
	{                                                                                          \
		return result##_size(r) | (carry ? FLAG_CF : 0) | ((r & 15) == 15 ? FLAG_AF : 0) | \
		       (r == (_type) ~((_type)1 << (_size * 8 - 1)) ? FLAG_OF : 0);                \
	}                                                                                          \
	static inline uint32_t shl##_size(_type r, _type s)                                        \
	{                                                                                          \
		return result##_size(r) | (TOP(s, _type) ? FLAG_CF : 0) |                          \
		       (TOP(s ^ r, _type) ? FLAG_OF : 0);                                          \
	}                                                                                          \
	static inline uint32_t sar##_size(_type r, _type s)                                        \
	{                                                                                          \
		return result##_size(r) | ((s & 1) ? FLAG_CF : 0) |                                \
		       (TOP(s ^ r, _type) ? FLAG_OF : 0);                                          \
	}
OP_SIZES(DEF_RESULT)

uint32_t flags_status(const struct dbt_cpu *cpu)
{
	uint64_t r = cpu->cc_dst, s = cpu->cc_src;

	switch (cpu->cc_op) {
#define DEF_CASES(_size, _type, _stype, _log)                                                      \
	case CC_ADD + _log:                                                                        \
		return add##_size(r, s, 0);                                                        \
	case CC_SUB + _log:                                                                        \
		return sub##_size(r, s, 0);                                                        \
	case CC_LOGIC + _log:                                                                      \
		return result##_size(r);                                                           \
	case CC_ADC + _log:                                                                        \
		return add##_size(r, s, 1);                                                        \
	case CC_SBB + _log:                                                                        \
		return sub##_size(r, s, 1);                                                        \
	case CC_INC + _log:                                                                        \
		return inc##_size(r, s);                                                           \
	case CC_DEC + _log:                                                                        \
		return dec##_size(r, s);                                                           \
	case CC_SHL + _log:                                                                        \
		return shl##_size(r, s);                                                           \
	case CC_SAR + _log:                                                                        \
		return sar##_size(r, s);
		OP_SIZES(DEF_CASES)
	default:
		return r & FLAGS_STATUS;
	}
}

bool flags_carry_slow(const struct dbt_cpu *cpu)
{
	return flags_status(cpu) & FLAG_CF;
}

static bool status_condition(uint32_t f, unsigned cc)
{
	bool sf_of = !(f & FLAG_SF) != !(f & FLAG_OF), yes;

	switch (cc >> 1) {
	case 0:
		yes = f & FLAG_OF;
		break;
	case 1:
		yes = f & FLAG_CF;
		break;
	case 2:
		yes = f & FLAG_ZF;
		break;
	case 3:
		yes = f & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		yes = f & FLAG_SF;
		break;
	case 5:
		yes = f & FLAG_PF;
		break;
	case 6:
		yes = sf_of;
		break;
	default:
		yes = sf_of || (f & FLAG_ZF);
	}
	return yes != (cc & 1);
}

bool flags_condition(const struct dbt_cpu *cpu, unsigned cc)
{
	return status_condition(flags_status(cpu), cc);
}

uint64_t dbt_rflags(struct dbt_cpu *cpu)
{
	return (cpu->flags & ~FLAGS_STATUS) | flags_status(cpu) | BIT(1);
}

void dbt_set_rflags(struct dbt_cpu *cpu, uint64_t value, uint64_t mask)
{
	uint32_t old = dbt_rflags(cpu), flags = (old & ~mask) | (value & mask);

	flags_set_status(cpu, flags);
	cpu->flags = (flags & ~FLAGS_STATUS) | BIT(1);
	if ((old ^ flags) & ~(FLAGS_STATUS | FLAG_DF | FLAG_ID | FLAG_NT | FLAG_RF | FLAG_IF))
		dbt_update_mode(cpu);
}
