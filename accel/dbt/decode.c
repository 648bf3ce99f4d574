/*
 * The decoder: prefixes, opcode, ModRM, displacement, immediate (Intel SDM vol. 2, chapter 2).
 */
#include "decode.h"
#include "host.h"

struct decoder {
	const struct decode_env *env;
	struct insn *insn;
	const uint8_t *code;
	unsigned avail, pos;
	enum decode_result error; /* the first one sticks; reads give 0 from then on */

	bool has_66, has_67;
	int seg; /* override, or -1 */
	uint8_t rex;
	bool is_64;
};

static uint64_t fetch(struct decoder *d, unsigned size)
{
	uint64_t value = 0;

	if (d->error != DECODE_OK)
		return 0;
	if (d->pos + size > INSN_MAX) {
		d->error = d->avail >= INSN_MAX ? DECODE_LONG : DECODE_MORE;
		return 0;
	}
	if (d->pos + size > d->avail) {
		d->error = DECODE_MORE;
		return 0;
	}
	memcpy(&value, d->code + d->pos, size);
	d->pos += size;
	return value;
}

static int64_t fetch_signed(struct decoder *d, unsigned size)
{
	uint64_t value = fetch(d, size);

	return (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size);
}

static void undefined(struct decoder *d)
{
	if (d->error == DECODE_OK)
		d->error = DECODE_UD;
}

/* ---- Prefixes ---- */

static bool take_prefix(struct decoder *d, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		if (!d->is_64)
			d->seg = (byte >> 3) & 3;
		return true;
	case 0x64:
	case 0x65:
		d->seg = byte == 0x64 ? S_FS : S_GS;
		return true;
	case 0x66:
		return d->has_66 = true;
	case 0x67:
		return d->has_67 = true;
	case 0xf0:
		return d->insn->lock = true;
	case 0xf2:
	case 0xf3:
		d->insn->rep = byte;
		return true;
	}
	return false;
}

/* The first byte that is no legacy prefix; a REX prefix counts only right before the opcode. */
static uint8_t take_prefixes(struct decoder *d)
{
	for (;;) {
		uint8_t byte = fetch(d, 1);

		if (d->error != DECODE_OK)
			return 0;
		if (take_prefix(d, byte))
			d->rex = 0;
		else if (d->is_64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else
			return byte;
	}
}

static bool vex_allowed(const struct decoder *d)
{
	return (d->env->mode & (MODE_PE | MODE_VM)) == MODE_PE;
}

/* C4h and C5h are VEX where they could not be LES and LDS of memory. */
static bool is_vex(struct decoder *d, uint8_t byte)
{
	if (byte != 0xc4 && byte != 0xc5)
		return false;
	if (d->is_64)
		return true;
	if (!vex_allowed(d))
		return false;
	if (d->pos >= d->avail) {
		fetch(d, 1);
		return false;
	}
	return d->code[d->pos] >= 0xc0;
}

static void take_vex(struct decoder *d, uint8_t byte)
{
	struct insn *insn = d->insn;
	uint8_t p1 = fetch(d, 1), p2 = p1;

	if (d->rex || d->has_66 || insn->rep || insn->lock)
		undefined(d);
	d->rex = p1 & 0x80 ? 0 : 4;
	insn->map = MAP_0F;
	if (byte == 0xc4) {
		insn->map = p1 & 0x1f;
		d->rex |= (p1 & 0x40 ? 0 : 2) | (p1 & 0x20 ? 0 : 1);
		p2 = fetch(d, 1);
		insn->vex_w = p2 & 0x80;
		if (insn->vex_w)
			d->rex |= 8;
		if (insn->map < MAP_0F || insn->map >= MAP_COUNT)
			undefined(d);
	}
	d->rex = d->is_64 ? d->rex | 0x40 : 0;
	insn->vex = true;
	insn->vvvv = ~(p2 >> 3) & (d->is_64 ? 15 : 7);
	insn->vex_l = p2 & 4;
	insn->pp = p2 & 3;
	insn->opcode = fetch(d, 1);
}

static void take_opcode(struct decoder *d)
{
	struct insn *insn = d->insn;
	uint8_t byte = take_prefixes(d);

	insn->pp = insn->rep == 0xf2 ? PP_F2 : insn->rep ? PP_F3 : d->has_66 ? PP_66 : PP_NONE;
	if (is_vex(d, byte)) {
		take_vex(d, byte);
		return;
	}
	insn->map = MAP_1;
	if (byte == 0x0f) {
		insn->map = MAP_0F;
		byte = fetch(d, 1);
		if (byte == 0x38 || byte == 0x3a) {
			insn->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			byte = fetch(d, 1);
		}
	}
	insn->opcode = byte;
}

/* ---- ModRM ---- */

static void memory_16(struct decoder *d, unsigned mod, unsigned rm)
{
	static const struct {
		uint8_t base, index;
	} forms[8] = {
		{R_BX, R_SI},      {R_BX, R_DI},      {R_BP, R_SI},      {R_BP, R_DI},
		{R_SI, BASE_NONE}, {R_DI, BASE_NONE}, {R_BP, BASE_NONE}, {R_BX, BASE_NONE},
	};
	struct insn *insn = d->insn;

	insn->base = forms[rm].base;
	insn->index = forms[rm].index;
	if (mod == 0 && rm == 6) {
		insn->base = BASE_NONE;
		insn->disp = fetch_signed(d, 2);
	} else if (mod) {
		insn->disp = fetch_signed(d, mod);
	}
	insn->seg = insn->base == R_BP ? S_SS : S_DS;
}

static void take_sib(struct decoder *d, unsigned mod)
{
	struct insn *insn = d->insn;
	uint8_t sib = fetch(d, 1);

	insn->scale = sib >> 6;
	insn->index = ((sib >> 3) & 7) | (d->rex & 2 ? 8 : 0);
	if (insn->index == R_SP)
		insn->index = BASE_NONE;
	insn->base = (sib & 7) | (d->rex & 1 ? 8 : 0);
	if ((sib & 7) == R_BP && mod == 0) {
		insn->base = BASE_NONE;
		insn->disp = fetch_signed(d, 4);
	}
}

static void memory_32(struct decoder *d, unsigned mod, unsigned rm)
{
	struct insn *insn = d->insn;

	insn->index = BASE_NONE;
	if (rm == R_SP) {
		take_sib(d, mod);
	} else if (rm == R_BP && mod == 0) {
		insn->base = d->is_64 ? BASE_RIP : BASE_NONE;
		insn->disp = fetch_signed(d, 4);
	} else {
		insn->base = rm | (d->rex & 1 ? 8 : 0);
	}
	if (mod == 1)
		insn->disp = fetch_signed(d, 1);
	else if (mod == 2)
		insn->disp = fetch_signed(d, 4);
	insn->seg = insn->base == R_SP || insn->base == R_BP ? S_SS : S_DS;
}

static void take_modrm_byte(struct decoder *d)
{
	struct insn *insn = d->insn;

	insn->has_modrm = true;
	insn->modrm = fetch(d, 1);
	insn->is_mem = insn->modrm < 0xc0;
	insn->reg = ((insn->modrm >> 3) & 7) | (d->rex & 4 ? 8 : 0);
	insn->rm = (insn->modrm & 7) | (d->rex & 1 ? 8 : 0);
}

static void take_memory(struct decoder *d)
{
	struct insn *insn = d->insn;
	unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

	if (!insn->is_mem)
		return;
	if (insn->asize == 2)
		memory_16(d, mod, rm);
	else
		memory_32(d, mod, rm);
	if (d->seg >= 0)
		insn->seg = d->seg;
}

/* ---- Which row ---- */

static bool has_feature(const struct decoder *d, unsigned needs)
{
	const struct insn_feature_row *row = &insn_features[needs];

	if (!needs)
		return true;
	return (d->env->features->words[row->word] & BIT64(row->bit)) &&
	       (d->env->mode & row->mode) == row->mode;
}

static bool mod_matches(const struct insn *insn, uint8_t mod)
{
	switch (mod) {
	case MOD_ANY:
		return true;
	case MOD_MEM:
		return insn->is_mem;
	case MOD_REG:
		return !insn->is_mem;
	default:
		return insn->modrm == mod;
	}
}

static bool variant_matches(const struct decoder *d, const struct variant *v)
{
	const struct insn *insn = d->insn;

	return (!v->pps || (v->pps & BIT(insn->pp))) &&
	       (v->reg == ANY_REG || v->reg == ((insn->modrm >> 3) & 7)) &&
	       mod_matches(insn, v->mod) && has_feature(d, v->row.needs) &&
	       (!(v->row.flags & ROW_64) || d->is_64);
}

/* Lists without ModRM (90h) have variants that do not look at it. */
static const struct opcode *search(struct decoder *d, const struct variant *v, bool mapped)
{
	const struct insn *insn = d->insn;

	for (; v->row.shape != SHAPE_UNDEFINED; v++) {
		if (mapped && (v->map != insn->map || v->opcode != insn->opcode))
			continue;
		if (v->row.shape != SHAPE_NONE && !insn->has_modrm)
			take_modrm_byte(d);
		if (variant_matches(d, v))
			return &v->row;
	}
	return NULL;
}

/* Of the undefined opcodes of our tables, those the host's units may have, all with ModRM but one. */
static bool may_be_host(const struct insn *insn)
{
	uint8_t op = insn->opcode;

	if (insn->map != MAP_0F)
		return insn->map != MAP_1;
	return (op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) ||
	       (op >= 0x50 && op <= 0x7f) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6) ||
	       (op >= 0xd0 && op <= 0xfe);
}

static const struct opcode *ask_host(struct decoder *d)
{
	static const struct opcode plain = {.op = OP_HOST, .shape = SHAPE_RM};
	static const struct opcode with_imm = {.op = OP_HOST, .shape = SHAPE_RM_I8};
	struct insn *insn = d->insn;
	bool has_imm = false;
	enum decode_result result;

	if (!may_be_host(insn) || (insn->vex && !(d->env->mode & MODE_AVX)))
		return NULL;
	if (!insn->has_modrm && !(insn->map == MAP_0F && insn->opcode == 0x77))
		take_modrm_byte(d);
	if (d->error != DECODE_OK)
		return NULL;
	result = host_row_find(d->env, insn, &insn->host, &has_imm);
	if (result != DECODE_OK || !insn->host)
		return NULL;
	return has_imm ? &with_imm : &plain;
}

/* Opcodes whose meaning turns on REX or the mode, where a row cannot say it. */
static const struct opcode *exceptions(struct decoder *d, const struct opcode *row)
{
	static const struct opcode xchg = {.op = OP_XCHG, .shape = SHAPE_ACC_REG, .size = SIZE_V};
	const struct insn *insn = d->insn;

	if (insn->map != MAP_1)
		return row;
	if (insn->opcode == 0x90 && (d->rex & 1))
		return &xchg;
	if (insn->opcode == 0x82 && d->is_64)
		return NULL;
	if ((insn->opcode == 0x9e || insn->opcode == 0x9f) && d->is_64 &&
	    !has_feature(d, NEEDS_LAHF_LM))
		return NULL;
	return row;
}

static const struct opcode *find_row(struct decoder *d)
{
	const struct insn *insn = d->insn;
	const struct opcode *row = NULL;

	if (insn->vex)
		row = search(d, variants_vex, true);
	else if (insn->map == MAP_1 || insn->map == MAP_0F)
		row = insn->map == MAP_1 ? &opcodes_1[insn->opcode] : &opcodes_0f[insn->opcode];
	else
		row = search(d, variants_38_3a, true);
	if (row)
		row = exceptions(d, row);
	else if (insn->map == MAP_1)
		return NULL;
	if (row && row->shape == SHAPE_LIST)
		row = search(d, row->list, false);
	else if (!row || row->shape == SHAPE_UNDEFINED)
		row = ask_host(d);
	return row;
}

/* ---- Operands ---- */

static unsigned operand_size(const struct decoder *d, enum size_rule rule)
{
	bool wide = d->is_64 && (d->rex & 8);
	bool default32 = d->is_64 || (d->env->mode & MODE_CS32);
	unsigned plain = wide ? 8 : default32 != d->has_66 ? 4 : 2;

	switch (rule) {
	case SIZE_B:
		return 1;
	case SIZE_W:
		return 2;
	case SIZE_D:
		return 4;
	case SIZE_Z:
		return MIN(plain, 4);
	case SIZE_Y:
		return wide ? 8 : 4;
	case SIZE_64:
		return d->is_64 ? (plain == 2 ? 2 : 8) : plain;
	case SIZE_CR:
		return d->is_64 ? 8 : 4;
	case SIZE_V:
		break;
	}
	return plain;
}

static void take_imm(struct decoder *d, unsigned size)
{
	d->insn->imm_size = size;
	d->insn->imm = fetch_signed(d, size);
}

static void take_far(struct decoder *d)
{
	d->insn->imm_size = d->insn->osize;
	d->insn->imm = fetch(d, d->insn->osize);
	d->insn->imm2 = fetch(d, 2);
}

static void take_moffs(struct decoder *d)
{
	struct insn *insn = d->insn;

	insn->is_mem = true;
	insn->reg = R_AX;
	insn->to_reg = insn->sub;
	insn->base = insn->index = BASE_NONE;
	insn->seg = d->seg >= 0 ? d->seg : S_DS;
	insn->disp = fetch(d, insn->asize);
}

static void take_opreg(struct decoder *d)
{
	d->insn->rm = (d->insn->opcode & 7) | (d->rex & 1 ? 8 : 0);
}

static void take_operands(struct decoder *d, const struct opcode *row)
{
	struct insn *insn = d->insn;

	switch (row->shape) {
	case SHAPE_RM_R:
		insn->to_reg = true;
		break;
	case SHAPE_RM_I8:
	case SHAPE_I8:
		take_imm(d, 1);
		break;
	case SHAPE_RM_1:
		insn->imm_size = 1;
		insn->imm = 1;
		break;
	case SHAPE_RM_IZ:
	case SHAPE_ACC_IZ:
	case SHAPE_IZ:
		take_imm(d, MIN(insn->osize, 4));
		break;
	case SHAPE_OPREG:
	case SHAPE_ACC_REG:
		take_opreg(d);
		break;
	case SHAPE_OPREG_I:
		take_opreg(d);
		take_imm(d, insn->osize);
		break;
	case SHAPE_MOFFS:
		take_moffs(d);
		break;
	case SHAPE_I8U:
		take_imm(d, 1);
		insn->imm &= 0xff;
		break;
	case SHAPE_I16:
		take_imm(d, 2);
		insn->imm &= 0xffff;
		break;
	case SHAPE_FAR:
		take_far(d);
		break;
	case SHAPE_ENTER:
		take_imm(d, 2);
		insn->imm &= 0xffff;
		insn->imm2 = fetch(d, 1);
		break;
	}
}

static bool shape_has_modrm(unsigned shape)
{
	return (shape >= SHAPE_RM && shape <= SHAPE_RM_1) || shape == SHAPE_CRDR;
}

/* ---- What may not be ---- */

static bool row_allows(const struct decoder *d, const struct opcode *row)
{
	const struct insn *insn = d->insn;
	uint32_t mode = d->env->mode;

	if ((row->flags & ROW_NO64) && d->is_64)
		return false;
	if ((row->flags & ROW_64) && !d->is_64)
		return false;
	if ((row->flags & ROW_PE) && (mode & (MODE_PE | MODE_VM)) != MODE_PE)
		return false;
	if ((row->flags & ROW_MEM) && !insn->is_mem)
		return false;
	if ((row->flags & ROW_REG) && insn->is_mem)
		return false;
	if ((row->flags & ROW_L0) && insn->vex_l)
		return false;
	if ((row->flags & ROW_VNONE) && insn->vvvv)
		return false;
	if (insn->lock && !((row->flags & ROW_LOCK) && insn->is_mem))
		return false;
	return has_feature(d, row->needs);
}

/* Registers that do not exist, and what `sub` is for the operations that define it by the bytes. */
static bool finish(struct decoder *d)
{
	struct insn *insn = d->insn;
	uint8_t reg = (insn->modrm >> 3) & 7;

	switch (insn->op) {
	case OP_MOV_FROM_SEG:
		insn->sub = reg;
		if (insn->is_mem)
			insn->osize = 2;
		return reg <= S_GS;
	case OP_MOV_TO_SEG:
		insn->sub = reg;
		return reg <= S_GS && reg != S_CS;
	case OP_MOV_FROM_CR:
	case OP_MOV_TO_CR:
		return insn->reg == 0 || (insn->reg >= 2 && insn->reg <= 4) || insn->reg == 8;
	case OP_MOV_FROM_DR:
	case OP_MOV_TO_DR:
		return insn->reg < 8;
	case OP_CMPXCHG8B:
		if (insn->osize == 8)
			insn->op = OP_CMPXCHG16B;
		return insn->osize != 8 || has_feature(d, NEEDS_CX16);
	case OP_CRC32:
		insn->sub = insn->opcode == 0xf0 ? 1 : insn->osize == 8 ? 8 : d->has_66 ? 2 : 4;
		return true;
	case OP_MOVSXD:
		insn->sub = insn->osize == 2 ? 2 : 4;
		return true;
	case OP_LDMXCSR:
	case OP_STMXCSR:
		return !insn->vex || (d->env->mode & MODE_AVX);
	case OP_X87:
	case OP_FENCE:
	case OP_PREFETCH:
		insn->sub = reg;
		return true;
	default:
		return true;
	}
}

static void decode(struct decoder *d)
{
	struct insn *insn = d->insn;
	const struct opcode *row;
	bool has_67;

	take_opcode(d);
	has_67 = d->has_67;
	insn->rex = d->rex;
	if (d->is_64)
		insn->asize = has_67 ? 4 : 8;
	else
		insn->asize = !!(d->env->mode & MODE_CS32) != has_67 ? 4 : 2;
	insn->seg = d->seg >= 0 ? d->seg : S_DS;
	insn->base = insn->index = BASE_NONE;
	if (d->error != DECODE_OK)
		return;
	row = find_row(d);
	if (d->error != DECODE_OK)
		return;
	if (!row) {
		undefined(d);
		return;
	}
	insn->op = row->op;
	insn->sub = row->sub;
	insn->osize = operand_size(d, row->size);
	if (shape_has_modrm(row->shape)) {
		if (!insn->has_modrm && !(insn->host && insn->opcode == 0x77))
			take_modrm_byte(d);
		if (row->shape == SHAPE_CRDR)
			insn->is_mem = false;
		else if (insn->has_modrm)
			take_memory(d);
	}
	take_operands(d, row);
	if (d->error == DECODE_OK && (!row_allows(d, row) || !finish(d)))
		undefined(d);
}

enum decode_result insn_decode(const struct decode_env *env, const uint8_t *code, unsigned avail,
			       struct insn *insn)
{
	struct decoder d = {
		.env = env,
		.insn = insn,
		.code = code,
		.avail = MIN(avail, INSN_MAX),
		.seg = -1,
		.is_64 = env->mode & MODE_CS64,
	};

	memset(insn, 0, sizeof(*insn));
	decode(&d);
	insn->len = d.pos;
	memcpy(insn->bytes, code, d.pos);
	return d.error;
}
