/*
 * Single bits, bit scans and counts, BMI1 and BMI2, ADX, CRC32: SDM vol. 1, 5.1.6, 5.1.16, 5.10.
 */
#include "flags.h"
#include "forms.h"

/* Handlers name_r and name_m, of what loads its source `b` and writes register dst with _result. */
#define FORM_LOAD(_name, _dsize, _ssize, _result)                                                  \
	OP_HANDLER(_name##_r##_dsize)                                                              \
	{                                                                                          \
		OP_TYPE_##_ssize b = reg_get##_ssize(cpu, op->src);                                \
                                                                                                   \
		reg_set##_dsize(cpu, op->dst, _result);                                            \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_m##_dsize)                                                              \
	{                                                                                          \
		OP_TYPE_##_ssize b = ld##_ssize(cpu, op, op_linear(cpu, op, _ssize, false));       \
                                                                                                   \
		reg_set##_dsize(cpu, op->dst, _result);                                            \
		NEXT(cpu, op);                                                                     \
	}
#define LOAD_ROWS_248(_name)                                                                       \
	{                                                                                          \
		{_name##_r2, _name##_m2}, {_name##_r4, _name##_m4},                                \
		{                                                                                  \
			_name##_r8, _name##_m8                                                     \
		}                                                                                  \
	}
#define LOAD_ROWS_48(_name)                                                                        \
	{                                                                                          \
		{_name##_r4, _name##_m4},                                                          \
		{                                                                                  \
			_name##_r8, _name##_m8                                                     \
		}                                                                                  \
	}

/* ---- BT, BTS, BTR, BTC ---- */

static inline void set_carry(struct dbt_cpu *cpu, bool carry)
{
	flags_set_status(cpu, (flags_status(cpu) & ~FLAG_CF) | (carry ? FLAG_CF : 0));
}

#define DEF_BIT(_name, _size, _type, _log, _change)                                                \
	static inline _type _name##_size(struct dbt_cpu *cpu, _type a, unsigned n)                 \
	{                                                                                          \
		_type bit = (_type)1 << (n & (8 * _size - 1));                                     \
                                                                                                   \
		set_carry(cpu, a &bit);                                                            \
		return _change;                                                                    \
	}                                                                                          \
	OP_HANDLER(_name##_rr##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst);                                            \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, cpu->gpr[op->src]));             \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_ri##_size)                                                              \
	{                                                                                          \
		_type a = reg_get##_size(cpu, op->dst);                                            \
                                                                                                   \
		reg_set##_size(cpu, op->dst, _name##_size(cpu, a, op->imm));                       \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mr##_size)                                                              \
	{                                                                                          \
		_type n = reg_get##_size(cpu, op->src);                                            \
                                                                                                   \
		OP_RMW_AT(_size, op_bit_linear(cpu, op, SIGNED_##_size n, _log, true),             \
			  _name##_size(cpu, _a, n));                                               \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_mi##_size)                                                              \
	{                                                                                          \
		OP_RMW(_size, _name##_size(cpu, _a, op->imm));                                     \
		NEXT(cpu, op);                                                                     \
	}
#define SIGNED_2 (int16_t)
#define SIGNED_4 (int32_t)
#define SIGNED_8 (int64_t)

#define DEF_BITS(_size, _type, _stype, _log)                                                       \
	DEF_BIT(bts, _size, _type, _log, a | bit)                                                  \
	DEF_BIT(btr, _size, _type, _log, a & ~bit)                                                 \
	DEF_BIT(btc, _size, _type, _log, a ^ bit)                                                  \
	OP_HANDLER(bt_rr##_size)                                                                   \
	{                                                                                          \
		set_carry(cpu,                                                                     \
			  reg_get##_size(cpu, op->dst) >> (cpu->gpr[op->src] & (8 * _size - 1)) &  \
				  1);                                                              \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(bt_ri##_size)                                                                   \
	{                                                                                          \
		set_carry(cpu, reg_get##_size(cpu, op->dst) >> (op->imm & (8 * _size - 1)) & 1);   \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(bt_mr##_size)                                                                   \
	{                                                                                          \
		_stype n = reg_get##_size(cpu, op->src);                                           \
		_type a = ld##_size(cpu, op, op_bit_linear(cpu, op, n, _log, false));              \
                                                                                                   \
		set_carry(cpu, a >> (n & (8 * _size - 1)) & 1);                                    \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(bt_mi##_size)                                                                   \
	{                                                                                          \
		_type a = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                    \
                                                                                                   \
		set_carry(cpu, a >> (op->imm & (8 * _size - 1)) & 1);                              \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_BITS)

/* [width][memory][immediate] */
#define BIT_ROW(_name, _size)                                                                      \
	{                                                                                          \
		{_name##_rr##_size, _name##_ri##_size},                                            \
		{                                                                                  \
			_name##_mr##_size, _name##_mi##_size                                       \
		}                                                                                  \
	}
#define BIT_ROWS(_name)                                                                            \
	{                                                                                          \
		BIT_ROW(_name, 2), BIT_ROW(_name, 4), BIT_ROW(_name, 8)                            \
	}
static op_fn *const bit_fns[][3][2][2] = {BIT_ROWS(bt), BIT_ROWS(bts), BIT_ROWS(btr),
					  BIT_ROWS(btc)};

/* ---- Scans and counts ---- */

/* Of 16-bit operands the builtins see 32 bits. */
#define CTZ2(_v) __builtin_ctz(_v)
#define CTZ4(_v) __builtin_ctz(_v)
#define CTZ8(_v) __builtin_ctzll(_v)
#define CLZ2(_v) (__builtin_clz(_v) - 16)
#define CLZ4(_v) __builtin_clz(_v)
#define CLZ8(_v) __builtin_clzll(_v)

#define DEF_SCANS(_size, _type, _stype, _log)                                                      \
	static inline void scan_flags##_size(struct dbt_cpu *cpu, _type b)                         \
	{                                                                                          \
		cpu->cc_op = CC_LOGIC + _log; /* only ZF is defined */                             \
		cpu->cc_dst = b;                                                                   \
	}                                                                                          \
	static inline _type tzcnt##_size(struct dbt_cpu *cpu, _type b)                             \
	{                                                                                          \
		_type r = b ? CTZ##_size(b) : 8 * _size;                                           \
                                                                                                   \
		flags_set_status(cpu, (b ? 0 : FLAG_CF) | (r ? 0 : FLAG_ZF));                      \
		return r;                                                                          \
	}                                                                                          \
	static inline _type lzcnt##_size(struct dbt_cpu *cpu, _type b)                             \
	{                                                                                          \
		_type r = b ? CLZ##_size(b) : 8 * _size;                                           \
                                                                                                   \
		flags_set_status(cpu, (b ? 0 : FLAG_CF) | (r ? 0 : FLAG_ZF));                      \
		return r;                                                                          \
	}                                                                                          \
	static inline _type popcnt##_size(struct dbt_cpu *cpu, _type b)                            \
	{                                                                                          \
		flags_set_status(cpu, b ? 0 : FLAG_ZF);                                            \
		return __builtin_popcountll(b);                                                    \
	}                                                                                          \
	FORM_LOAD(tzcnt, _size, _size, tzcnt##_size(cpu, b))                                       \
	FORM_LOAD(lzcnt, _size, _size, lzcnt##_size(cpu, b))                                       \
	FORM_LOAD(popcnt, _size, _size, popcnt##_size(cpu, b))                                     \
	FORM_SCAN(bsf, _size, _type, CTZ##_size(b))                                                \
	FORM_SCAN(bsr, _size, _type, 8 * _size - 1 - CLZ##_size(b))

/* A source of zero leaves the whole destination as it is. */
#define FORM_SCAN(_name, _size, _type, _result)                                                    \
	static inline void _name##_size(struct dbt_cpu *cpu, const struct op *op, _type b)         \
	{                                                                                          \
		scan_flags##_size(cpu, b);                                                         \
		if (b)                                                                             \
			reg_set##_size(cpu, op->dst, _result);                                     \
	}                                                                                          \
	OP_HANDLER(_name##_r##_size)                                                               \
	{                                                                                          \
		_name##_size(cpu, op, reg_get##_size(cpu, op->src));                               \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(_name##_m##_size)                                                               \
	{                                                                                          \
		_name##_size(cpu, op, ld##_size(cpu, op, op_linear(cpu, op, _size, false)));       \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES_248(DEF_SCANS)

static op_fn *const scan_fns[][3][2] = {
	LOAD_ROWS_248(bsf),   LOAD_ROWS_248(bsr),    LOAD_ROWS_248(tzcnt),
	LOAD_ROWS_248(lzcnt), LOAD_ROWS_248(popcnt),
};

/* ---- BSWAP ---- */

/* Of 16 bits it is undefined; CPUs clear them. */
OP_HANDLER(bswap2)
{
	reg_set2(cpu, op->dst, 0);
	NEXT(cpu, op);
}

OP_HANDLER(bswap4)
{
	reg_set4(cpu, op->dst, __builtin_bswap32(cpu->gpr[op->dst]));
	NEXT(cpu, op);
}

OP_HANDLER(bswap8)
{
	reg_set8(cpu, op->dst, __builtin_bswap64(cpu->gpr[op->dst]));
	NEXT(cpu, op);
}

/* ---- BMI ---- */

static uint64_t bits_deposit(uint64_t value, uint64_t mask)
{
	uint64_t result = 0;

	if (__builtin_cpu_supports("bmi2")) {
		asm("pdep %2, %1, %0" : "=r"(result) : "r"(value), "r"(mask));
		return result;
	}
	for (; mask; mask &= mask - 1, value >>= 1)
		result |= value & 1 ? mask & -mask : 0;
	return result;
}

static uint64_t bits_extract(uint64_t value, uint64_t mask)
{
	uint64_t result = 0;

	if (__builtin_cpu_supports("bmi2")) {
		asm("pext %2, %1, %0" : "=r"(result) : "r"(value), "r"(mask));
		return result;
	}
	for (unsigned n = 0; mask; mask &= mask - 1, n++)
		result |= value & mask & -mask ? BIT64(n) : 0;
	return result;
}

/* `b` is the r/m operand, the register in VEX.vvvv is op->sub. */
#define DEF_BMI(_size, _type, _stype, _log)                                                        \
	static inline _type logic##_size(struct dbt_cpu *cpu, _type r)                             \
	{                                                                                          \
		cpu->cc_op = CC_LOGIC + _log;                                                      \
		cpu->cc_dst = r;                                                                   \
		return r;                                                                          \
	}                                                                                          \
	static inline _type with_carry##_size(struct dbt_cpu *cpu, _type r, bool carry)            \
	{                                                                                          \
		flags_set_status(cpu, (carry ? FLAG_CF : 0) | (r ? 0 : FLAG_ZF) |                  \
					      (r >> (8 * _size - 1) ? FLAG_SF : 0));               \
		return r;                                                                          \
	}                                                                                          \
	static inline _type bextr##_size(struct dbt_cpu *cpu, _type b, unsigned control)           \
	{                                                                                          \
		unsigned start = control & 0xff, len = control >> 8 & 0xff;                        \
		_type r = start < 8 * _size ? b >> start : 0;                                      \
                                                                                                   \
		if (len < 8 * _size)                                                               \
			r &= ((_type)1 << len) - 1;                                                \
		return logic##_size(cpu, r);                                                       \
	}                                                                                          \
	static inline _type bzhi##_size(struct dbt_cpu *cpu, _type b, uint8_t n)                   \
	{                                                                                          \
		bool beyond = n >= 8 * _size;                                                      \
                                                                                                   \
		return with_carry##_size(cpu, beyond ? b : b & (((_type)1 << n) - 1), beyond);     \
	}                                                                                          \
	FORM_LOAD(andn, _size, _size, logic##_size(cpu, ~reg_get##_size(cpu, op->sub) & b))        \
	FORM_LOAD(bextr, _size, _size, bextr##_size(cpu, b, cpu->gpr[op->sub]))                    \
	FORM_LOAD(bzhi, _size, _size, bzhi##_size(cpu, b, cpu->gpr[op->sub]))                      \
	FORM_LOAD(blsi, _size, _size, with_carry##_size(cpu, b & -b, b))                           \
	FORM_LOAD(blsmsk, _size, _size, with_carry##_size(cpu, b ^ (b - 1), !b))                   \
	FORM_LOAD(blsr, _size, _size, with_carry##_size(cpu, b &(b - 1), !b))                      \
	FORM_LOAD(pdep, _size, _size, bits_deposit(reg_get##_size(cpu, op->sub), b))               \
	FORM_LOAD(pext, _size, _size, bits_extract(reg_get##_size(cpu, op->sub), b))               \
	FORM_ADX(adcx, _size, _type, FLAG_CF)                                                      \
	FORM_ADX(adox, _size, _type, FLAG_OF)

/* Addition with one flag as its carry in and out. */
#define FORM_ADX(_name, _size, _type, _flag)                                                       \
	static inline _type _name##_size(struct dbt_cpu *cpu, _type a, _type b)                    \
	{                                                                                          \
		uint32_t flags = flags_status(cpu);                                                \
		unsigned __int128 r = (unsigned __int128)a + b + !!(flags & _flag);                \
                                                                                                   \
		flags_set_status(cpu, (flags & ~_flag) | (r >> (8 * _size) ? _flag : 0));          \
		return r;                                                                          \
	}                                                                                          \
	FORM_LOAD(_name, _size, _size, _name##_size(cpu, reg_get##_size(cpu, op->dst), b))
OP_SIZES_48(DEF_BMI)

static op_fn *const bmi_fns[][2][2] = {
	[OP_ANDN - OP_ANDN] = LOAD_ROWS_48(andn), [OP_BEXTR - OP_ANDN] = LOAD_ROWS_48(bextr),
	[OP_BLSI - OP_ANDN] = LOAD_ROWS_48(blsi), [OP_BLSMSK - OP_ANDN] = LOAD_ROWS_48(blsmsk),
	[OP_BLSR - OP_ANDN] = LOAD_ROWS_48(blsr), [OP_BZHI - OP_ANDN] = LOAD_ROWS_48(bzhi),
	[OP_PDEP - OP_ANDN] = LOAD_ROWS_48(pdep), [OP_PEXT - OP_ANDN] = LOAD_ROWS_48(pext),
	[OP_ADCX - OP_ANDN] = LOAD_ROWS_48(adcx), [OP_ADOX - OP_ANDN] = LOAD_ROWS_48(adox),
};

/* ---- CRC32: the Castagnoli polynomial, reflected ---- */

static uint32_t crc32_add(uint32_t crc, uint64_t data, unsigned size)
{
	if (__builtin_cpu_supports("sse4.2")) {
		uint64_t wide = crc;

		switch (size) {
		case 1:
			asm("crc32b %b1, %k0" : "+r"(crc) : "q"(data));
			return crc;
		case 2:
			asm("crc32w %w1, %k0" : "+r"(crc) : "r"(data));
			return crc;
		case 4:
			asm("crc32l %k1, %k0" : "+r"(crc) : "r"(data));
			return crc;
		default:
			asm("crc32q %1, %0" : "+r"(wide) : "r"(data));
			return wide;
		}
	}
	for (unsigned i = 0; i < size * 8; i++, data >>= 1)
		crc = crc >> 1 ^ ((crc ^ data) & 1 ? 0x82f63b78 : 0);
	return crc;
}

/* The upper half of a 64-bit destination is cleared. */
#define DEF_CRC(_size, _type, _stype, _log)                                                        \
	OP_HANDLER(crc32_r##_size)                                                                 \
	{                                                                                          \
		_type b = reg_get##_size(cpu, op->src);                                            \
                                                                                                   \
		reg_set4(cpu, op->dst, crc32_add(cpu->gpr[op->dst], b, _size));                    \
		NEXT(cpu, op);                                                                     \
	}                                                                                          \
	OP_HANDLER(crc32_m##_size)                                                                 \
	{                                                                                          \
		_type b = ld##_size(cpu, op, op_linear(cpu, op, _size, false));                    \
                                                                                                   \
		reg_set4(cpu, op->dst, crc32_add(cpu->gpr[op->dst], b, _size));                    \
		NEXT(cpu, op);                                                                     \
	}
OP_SIZES(DEF_CRC)

/* ---- Selection ---- */

static void select_bit(const struct insn *insn, struct op *op)
{
	op->dst = insn->rm;
	op->src = insn->reg;
	op->fn = bit_fns[insn->op - OP_BT][op_size_index(insn->osize) - 1][insn->is_mem]
			[!!insn->imm_size];
}

static void select_bswap(const struct insn *insn, struct op *op)
{
	static op_fn *const fns[3] = {bswap2, bswap4, bswap8};

	op->dst = insn->rm;
	op->fn = fns[op_size_index(insn->osize) - 1];
}

/* BLSI, BLSMSK, BLSR write the register in VEX.vvvv; BEXTR's and BZHI's control is there. */
static void select_bmi(const struct insn *insn, struct op *op)
{
	bool to_vvvv = insn->op >= OP_BLSI && insn->op <= OP_BLSR;

	op->dst = to_vvvv ? insn->vvvv : insn->reg;
	op->src = insn->rm;
	op->sub = insn->vvvv;
	op->fn = bmi_fns[insn->op - OP_ANDN][op_size_index(insn->osize) - 2][insn->is_mem];
}

static void select_crc32(const struct insn *insn, struct op *op)
{
	static op_fn *const fns[4][2] = {{crc32_r1, crc32_m1},
					 {crc32_r2, crc32_m2},
					 {crc32_r4, crc32_m4},
					 {crc32_r8, crc32_m8}};

	op->dst = insn->reg;
	op->src = op_slot(insn, insn->rm, insn->sub);
	op->fn = fns[op_size_index(insn->sub)][insn->is_mem];
}

bool op_select_bits(const struct dbt_cpu *cpu, const struct insn *insn, struct op *op)
{
	switch (insn->op) {
	case OP_BT ... OP_BTC:
		select_bit(insn, op);
		return true;
	case OP_BSF ... OP_POPCNT:
		op->dst = insn->reg;
		op->src = insn->rm;
		op->fn = scan_fns[insn->op - OP_BSF][op_size_index(insn->osize) - 1][insn->is_mem];
		return true;
	case OP_BSWAP:
		select_bswap(insn, op);
		return true;
	case OP_ANDN ... OP_BZHI:
	case OP_PDEP:
	case OP_PEXT:
	case OP_ADCX:
	case OP_ADOX:
		select_bmi(insn, op);
		return true;
	case OP_CRC32:
		select_crc32(insn, op);
		return true;
	default:
		return false;
	}
}
