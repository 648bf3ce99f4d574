/*
 * The host CPU as judge of the engine's integer operations.
 *
 * All encodings of user-mode integer instructions are enumerated (prefixes, opcode, group, register or
 * memory); each is run with random registers, flags, addresses and memory by the host and by the engine,
 * and everything an instruction can change is compared: registers, flags that are defined, memory, where
 * it goes on, and for faults vector, error code, address. JUDGE_CASES says how many times each
 * (100), JUDGE_SEED where the random numbers begin.
 */
#include "dbt-native.h"
#include "dbt-stub.h"

#include "accel/dbt/insn.h"

#define FORMS_AT_ONCE 16 /* in one child */
#define ALL_FLAGS     (FLAGS_STATUS | FLAG_DF)

struct form {
	uint8_t prefix[4];
	uint8_t prefixes;
	uint8_t vex[2]; /* bytes 2 and 3 of C4h; 0: none */
	uint8_t map, opcode, reg;
	bool is_mem;
	struct insn insn; /* as it was enumerated */
};

struct judge {
	GRand *rand;
	GArray *forms;
	struct dbt_cpu *cpu;
	struct decode_env env;
	bool is_32;
};

static uint32_t pick(struct judge *j, uint32_t below)
{
	return g_rand_int_range(j->rand, 0, below);
}

static uint64_t random64(struct judge *j)
{
	return (uint64_t)g_rand_int(j->rand) << 32 | g_rand_int(j->rand);
}

/* Values at which something happens, and any. */
static uint64_t random_value(struct judge *j)
{
	static const uint64_t special[] = {
		0,         1,          2,          0x7f,       0x80,           0xff,
		0x7fff,    0x8000,     0xffff,     0x7fffffff, 0x80000000,     0xffffffff,
		INT64_MAX, 1ULL << 63, UINT64_MAX, 16,         UINT64_MAX - 1, 0x100000000,
		31,        64};

	switch (pick(j, 4)) {
	case 0:
		return special[pick(j, G_N_ELEMENTS(special))];
	case 1:
		return random64(j) >> pick(j, 64);
	default:
		return random64(j);
	}
}

/* ---- Which instructions ---- */

static bool is_judged(const struct judge *j, const struct insn *insn)
{
	unsigned natural = j->is_32 ? 4 : 8;

	if (insn->op <= OP_CWD ||
	    (insn->op != OP_MOVSXD && (insn->op >= OP_MOV && insn->op <= OP_STD)))
		return true;
	if (insn->op >= OP_PUSH && insn->op <= OP_LEAVE)
		return true;
	if (insn->op >= OP_NOP && insn->op <= OP_SCAS)
		return true;
	switch (insn->op) {
	case OP_JMP:
	case OP_JCC:
	case OP_CALL:
	case OP_LOOP:
	case OP_JCXZ:
	case OP_JMP_IND:
	case OP_CALL_IND:
	case OP_RET:
		return insn->osize == natural;
	case OP_BOUND:
		return true;
	case OP_MOVSXD: /* of a 16-bit one Intel's CPUs read two bytes, AMD's four */
		return insn->osize > 2;
	case OP_LOOPCC: /* with a repeat prefix some CPUs take the condition from that */
		return insn->osize == natural && !insn->rep;
	default:
		return false;
	}
}

static unsigned put_opcode(const struct form *f, uint8_t *code, uint8_t rex)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->prefixes; i++)
		code[n++] = f->prefix[i];
	if (f->vex[0]) {
		code[n++] = 0xc4;
		code[n++] = (f->vex[0] & 0x1f) | ((~rex & 7) << 5);
		code[n++] = f->vex[1];
		code[n++] = f->opcode;
		return n;
	}
	/* REX comes last; what the form has of it stays. */
	if (n && (code[n - 1] & 0xf0) == 0x40)
		code[n - 1] |= rex;
	else if (rex)
		code[n++] = 0x40 | rex;
	if (f->map != MAP_1)
		code[n++] = 0x0f;
	if (f->map == MAP_0F38 || f->map == MAP_0F3A)
		code[n++] = f->map == MAP_0F38 ? 0x38 : 0x3a;
	code[n++] = f->opcode;
	return n;
}

static bool same_meaning(const struct insn *a, const struct insn *b)
{
	return a->op == b->op && a->sub == b->sub && a->osize == b->osize && a->asize == b->asize &&
	       a->is_mem == b->is_mem && a->imm_size == b->imm_size && a->to_reg == b->to_reg &&
	       a->lock == b->lock && a->rep == b->rep && a->map == b->map &&
	       a->opcode == b->opcode && !a->rex == !b->rex;
}

static void try_form(struct judge *j, struct form *f)
{
	uint8_t code[32];
	unsigned n = put_opcode(f, code, 0);

	memset(code + n, 0x11, sizeof(code) - n);
	code[n] = (f->is_mem ? 0x00 : 0xc0) | f->reg << 3 | 1;
	if (insn_decode(&j->env, code, INSN_MAX, &f->insn) != DECODE_OK || !is_judged(j, &f->insn))
		return;
	if (f->insn.map != f->map || f->insn.opcode != f->opcode) /* the "opcode" was a prefix */
		return;
	if (!f->insn.has_modrm && (f->is_mem || f->reg))
		return;
	for (unsigned i = 0; i < j->forms->len; i++) {
		struct form *other = &g_array_index(j->forms, struct form, i);

		if (same_meaning(&other->insn, &f->insn))
			return;
	}
	g_array_append_val(j->forms, *f);
}

static void try_opcodes(struct judge *j, struct form *f)
{
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		f->opcode = opcode;
		for (unsigned reg = 0; reg < 8; reg++) {
			f->reg = reg;
			f->is_mem = false;
			try_form(j, f);
			f->is_mem = true;
			try_form(j, f);
		}
	}
}

static void enumerate(struct judge *j)
{
	static const char *const prefixes_64[] = {
		"",         "\x66",         "\x48",         "\x40",         "\x67",     "\x67\x48",
		"\x67\x66", "\xf0",         "\xf0\x66",     "\xf0\x48",     "\xf3",     "\xf3\x66",
		"\xf3\x48", "\xf2",         "\xf2\x66",     "\xf2\x48",     "\x66\x48", "\x66\xf3",
		"\x67\xf3", "\x67\xf3\x48", "\x67\xf2",     "\x67\x40",     "\xf3\x40", "\xf2\x40",
		"\xf0\x40", "\x67\xf0",     "\x67\x66\x40", "\x67\xf0\x48", NULL};
	static const char *const prefixes_32[] = {"",     "\x66",     "\x67",     "\x67\x66",
						  "\xf0", "\xf0\x66", "\xf3",     "\xf3\x66",
						  "\xf2", "\xf2\x66", "\x67\xf3", "\x67\xf2",
						  NULL};
	const char *const *prefixes = j->is_32 ? prefixes_32 : prefixes_64;
	struct form f;

	for (unsigned map = MAP_1; map < MAP_COUNT; map++) {
		for (unsigned i = 0; prefixes[i]; i++) {
			f = (struct form){.map = map, .prefixes = strlen(prefixes[i])};
			memcpy(f.prefix, prefixes[i], f.prefixes);
			try_opcodes(j, &f);
		}
	}
	for (unsigned vex = 0; vex < 3 * 2 * 4; vex++) {
		f = (struct form){.map = vex % 3 + 1};
		f.vex[0] = f.map;
		f.vex[1] = (vex / 3 % 2) << 7 | vex / 6 | 0x78;
		try_opcodes(j, &f);
	}
}

/* ---- A case ---- */

static uint64_t random_address(struct judge *j)
{
	switch (pick(j, 16)) {
	case 0: /* across two pages */
		return NATIVE_DATA + NATIVE_PAGE - pick(j, 9);
	case 1: /* off the edge */
		return pick(j, 4) ? NATIVE_DATA + DATA_SIZE - pick(j, 9) : NATIVE_DATA - pick(j, 9);
	case 2 ... 7:
		return NATIVE_DATA + 1024 + pick(j, DATA_SIZE / 16 - 128) * 16;
	default:
		return NATIVE_DATA + 1024 + pick(j, DATA_SIZE - 2048);
	}
}

/* Bytes of a random operand behind the opcode; the registers are set later. */
static unsigned put_modrm(struct judge *j, const struct form *f, uint8_t *at, bool free_reg,
			  unsigned *kind)
{
	unsigned reg = (free_reg ? pick(j, 8) : f->reg) << 3, mod, rm;

	*kind = 4;
	if (!f->is_mem) {
		at[0] = 0xc0 | reg | pick(j, 8);
		return 1;
	}
	if (f->insn.asize == 2) { /* low addresses: there is nothing */
		*kind = 5;
		at[0] = pick(j, 3) << 6 | reg | pick(j, 8);
		at[1] = g_rand_int(j->rand);
		at[2] = g_rand_int(j->rand);
		return at[0] >> 6 == 1 ? 2 : at[0] >> 6 == 2 || (at[0] & 7) == 6 ? 3 : 1;
	}
	*kind = pick(j, 4);
	switch (*kind) {
	case 0: /* RIP-relative; absolute in 32-bit code */
		at[0] = reg | 5;
		return 5;
	case 1: /* absolute */
		at[0] = reg | 4;
		at[1] = 0x25;
		return 6;
	case 2:
		mod = pick(j, 3);
		do
			rm = pick(j, 8);
		while (rm == 4 || (rm == 5 && !mod));
		at[0] = mod << 6 | reg | rm;
		g_assert(mod < 3);
		for (unsigned i = 1; i < 5; i++)
			at[i] = g_rand_int(j->rand);
		return 1 + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
	default:
		mod = 1 + pick(j, 2);
		at[0] = mod << 6 | reg | 4;
		at[1] = g_rand_int(j->rand);
		for (unsigned i = 2; i < 6; i++)
			at[i] = g_rand_int(j->rand);
		return 2 + (mod == 1 ? 1 : 4);
	}
}

/* Makes the address of the memory operand @wanted. False: this encoding cannot. */
static bool set_address(struct native_case *c, struct insn *insn, uint64_t wanted)
{
	uint64_t *gpr = c->before.gpr, rest = wanted - insn->disp;

	if (insn->asize == 2)
		return true;
	if (insn->index != BASE_NONE && insn->index == insn->base)
		return false;
	if (insn->base >= BASE_NONE)
		return false;
	if (insn->index != BASE_NONE)
		rest -= gpr[insn->index] << insn->scale;
	if (insn->asize == 4)
		rest = (uint32_t)rest | (gpr[insn->base] >> 32 << 32);
	gpr[insn->base] = rest;
	return true;
}

static void set_registers(struct judge *j, struct native_case *c)
{
	uint64_t *gpr = c->before.gpr;

	for (unsigned i = 0; i < 16; i++)
		gpr[i] = random_value(j);
	gpr[R_SP] = random_address(j);
	if (pick(j, 2))
		gpr[R_BP] = random_address(j);
	for (unsigned i = 0; j->is_32 && i < 16; i++)
		gpr[i] = i < 8 ? (uint32_t)gpr[i] : 0;
	c->before.flags = (g_rand_int(j->rand) & ALL_FLAGS) | 0x202;
	/* Plain noise, made cheaply. */
	for (uint64_t i = 0, noise = random64(j) | 1; i < DATA_SIZE; i += 8) {
		noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(c->before.data + i, &noise, 8);
	}
}

static void put_data(struct native_case *c, uint64_t at, uint64_t value)
{
	if (at >= NATIVE_DATA && at + 8 <= NATIVE_DATA + DATA_SIZE)
		memcpy(c->before.data + (at - NATIVE_DATA), &value, 8);
}

static uint64_t get_data(struct native_case *c, uint64_t at)
{
	uint64_t value = 0;

	if (at >= NATIVE_DATA && at + 8 <= NATIVE_DATA + DATA_SIZE)
		memcpy(&value, c->before.data + (at - NATIVE_DATA), 8);
	return value;
}

/* What some instructions want of registers and memory to do more than fault. */
static bool prepare(struct judge *j, struct native_case *c, const struct insn *insn, uint64_t ea,
		    uint64_t branch)
{
	uint64_t *gpr = c->before.gpr;

	switch (insn->op) {
	case OP_DIV:
	case OP_IDIV:
		if (pick(j, 4))
			gpr[R_DX] = pick(j, 2) ? 0 : -(int64_t)(gpr[R_AX] >> 63);
		return true;
	case OP_MOVS ... OP_SCAS:
		gpr[R_SI] = random_address(j);
		gpr[R_DI] = pick(j, 3) ? random_address(j) : gpr[R_SI] + pick(j, 32) - 16;
		gpr[R_CX] = pick(j, 40);
		if (pick(j, 2))
			memset(c->before.data, gpr[R_AX], DATA_SIZE);
		return true;
	case OP_XLAT:
		gpr[R_BX] = random_address(j);
		return true;
	case OP_CMPXCHG:
		if (pick(j, 2) && insn->is_mem)
			gpr[R_AX] = get_data(c, ea);
		return true;
	case OP_CMPXCHG8B:
		if (pick(j, 2)) {
			gpr[R_AX] = (uint32_t)get_data(c, ea);
			gpr[R_DX] = get_data(c, ea + 4);
		}
		return true;
	case OP_CMPXCHG16B:
		if (pick(j, 2)) {
			gpr[R_AX] = get_data(c, ea);
			gpr[R_DX] = get_data(c, ea + 8);
		}
		return true;
	case OP_BT ... OP_BTC:
		if (insn->is_mem && !insn->imm_size && insn->reg != insn->base &&
		    insn->reg != insn->index && pick(j, 8))
			gpr[insn->reg] = (int64_t)pick(j, 8192) - 4096;
		return true;
	case OP_POPF: /* no TF, no AC, no NT */
		put_data(c, gpr[R_SP], (get_data(c, gpr[R_SP]) & (ALL_FLAGS | FLAG_ID)) | 0x202);
		return gpr[R_SP] >= NATIVE_DATA && gpr[R_SP] + 8 <= NATIVE_DATA + DATA_SIZE;
	case OP_LOOP:
	case OP_LOOPCC:
	case OP_JCXZ:
		if (pick(j, 2))
			gpr[R_CX] = pick(j, 3);
		return true;
	case OP_RET:
		put_data(c, gpr[R_SP], branch);
		return true;
	case OP_JMP_IND:
	case OP_CALL_IND:
		if (insn->is_mem)
			put_data(c, ea, branch);
		else
			gpr[insn->rm] = branch;
		return insn->is_mem || insn->rm != R_SP;
	default:
		return true;
	}
}

/* Where the displacement of RIP-relative and absolute operands is: behind ModRM (and SIB). */
static void patch(uint8_t *at, uint64_t wanted, uint64_t next, bool relative)
{
	uint32_t disp = relative ? wanted - next : wanted;

	memcpy(at, &disp, 4);
}

static bool make_case(struct judge *j, const struct form *f, struct native_case *c)
{
	uint64_t wanted = random_address(j), branch;
	bool free_reg = pick(j, 2);
	struct insn insn;
	unsigned n, kind = 4, modrm;

	memset(c->code, 0, sizeof(c->code));
	c->start = 256 + pick(j, 32);
	c->is_32 = j->is_32;
	set_registers(j, c);
	n = put_opcode(f, c->code,
		       j->is_32 ? 0
		       : (f->prefixes && f->prefix[f->prefixes - 1] >= 0x40 &&
			  f->prefix[f->prefixes - 1] < 0x50) ||
				       f->insn.osize > 1 || f->vex[0]
			       ? pick(j, 8)
			       : 0);
	modrm = n;
	if (f->insn.has_modrm)
		n += put_modrm(j, f, c->code + n, free_reg, &kind);
	if (f->vex[0])
		c->code[2] = (c->code[2] & 0x87) | pick(j, 16) << 3 | (j->is_32 ? 0x40 : 0);
	for (unsigned i = 0; i < 8; i++)
		c->code[n + i] = g_rand_int(j->rand);
	if (insn_decode(&j->env, c->code, INSN_MAX, &insn) != DECODE_OK || insn.op != f->insn.op)
		return false;
	n = insn.len;
	if (kind < 2)
		patch(c->code + modrm + 1 + kind, wanted, NATIVE_CODE + c->start + n,
		      !kind && !j->is_32);
	if (insn.op == OP_ENTER)
		c->code[n - 2] = 0;
	if (insn.op == OP_RET && insn.imm_size)
		c->code[n - 1] = 0;
	if (insn.imm_size && insn.op >= OP_JMP && insn.op <= OP_JCXZ && insn.op != OP_RET) {
		memset(c->code + n - insn.imm_size, 0, insn.imm_size);
		c->code[n - insn.imm_size] = EXIT_LEN;
	}
	if (insn.is_mem && !insn.has_modrm) { /* an address in the instruction */
		memset(c->code + n - insn.asize, 0, insn.asize);
		memcpy(c->code + n - insn.asize, &wanted, MIN(insn.asize, 4));
	}
	insn_decode(&j->env, c->code, INSN_MAX, &insn);
	if (insn.is_mem && insn.has_modrm && kind >= 2 && !set_address(c, &insn, wanted))
		return false;
	if (kind == 1 && insn.index != BASE_NONE) /* by REX.X */
		c->before.gpr[insn.index] = 0;
	branch = NATIVE_CODE + c->start + n + EXIT_LEN;
	if (!prepare(j, c, &insn, wanted, branch))
		return false;
	if (insn.is_mem && insn.has_modrm && kind >= 2 && insn.op == OP_CMPXCHG16B &&
	    !set_address(c, &insn, wanted))
		return false;
	c->end = n;
	native_put_exit(c->code + n, EXIT_END, j->is_32);
	native_put_exit(c->code + n + EXIT_LEN, EXIT_BRANCH, j->is_32);
	return true;
}

/* ---- Comparison ---- */

/* Flags that are not defined after the instruction, by the SDM. */
static uint32_t undefined_flags(const struct insn *insn, const struct native_case *c)
{
	unsigned bits = insn->osize * 8;
	unsigned count =
		(insn->imm_size ? insn->imm : c->before.gpr[R_CX]) & (bits == 64 ? 63 : 31);

	switch (insn->op) {
	case OP_AND:
	case OP_OR:
	case OP_XOR:
	case OP_TEST:
		return FLAG_AF;
	case OP_SHL:
	case OP_SHR:
	case OP_SAR:
		return (count ? FLAG_AF : 0) | (count > 1 ? FLAG_OF : 0) |
		       (count > bits ? FLAG_CF : 0);
	case OP_ROL ... OP_RCR:
		return count != 1 ? FLAG_OF : 0;
	case OP_SHLD:
	case OP_SHRD:
		return count > bits ? FLAGS_STATUS
				    : (count ? FLAG_AF : 0) | (count > 1 ? FLAG_OF : 0);
	case OP_MUL ... OP_IMUL3:
		return FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;
	case OP_DIV:
	case OP_IDIV:
		return FLAGS_STATUS;
	case OP_BT ... OP_BTC:
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	case OP_BSF:
	case OP_BSR:
		return FLAGS_STATUS & ~FLAG_ZF;
	case OP_TZCNT:
	case OP_LZCNT:
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	case OP_BEXTR:
		return FLAG_SF | FLAG_AF | FLAG_PF;
	case OP_ANDN:
	case OP_BLSI:
	case OP_BLSMSK:
	case OP_BLSR:
	case OP_BZHI:
		return FLAG_AF | FLAG_PF;
	case OP_DAA:
	case OP_DAS:
		return FLAG_OF;
	case OP_AAA:
	case OP_AAS:
		return FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF;
	case OP_AAM:
	case OP_AAD:
		return FLAG_OF | FLAG_AF | FLAG_CF;
	default:
		return 0;
	}
}

static void run_engine(struct judge *j, struct native_case *c, struct native_state *s)
{
	struct dbt_cpu *cpu = j->cpu;
	uint64_t exits[2];
	struct native_frame *frame = (struct native_frame *)NATIVE_FRAME;

	memcpy(exits, frame->exit, sizeof(exits));
	memcpy((void *)NATIVE_DATA, c->before.data, DATA_SIZE);
	memcpy((void *)(NATIVE_CODE + c->start), c->code, CODE_ROOM);
	block_flush_all(cpu);
	memcpy(cpu->gpr, c->before.gpr, sizeof(c->before.gpr));
	dbt_set_rflags(cpu, c->before.flags, UINT32_MAX);
	cpu->rip = NATIVE_CODE + c->start;
	stub_cpu_map(cpu, NATIVE_DATA, pick(j, 2));
	stub_cpu_map(cpu, NATIVE_DATA + NATIVE_PAGE, pick(j, 2));
	s->exit = EXIT_FAULT;
	if (stub_cpu_run(cpu, exits, 2))
		s->exit = cpu->rip == exits[0] ? EXIT_END : EXIT_BRANCH;
	else if (c->is_32 && cpu->fault.vector == EXC_UD) /* the far jumps: not ours */
		s->exit = cpu->rip == NATIVE_CODE + c->start + c->end              ? EXIT_END
			  : cpu->rip == NATIVE_CODE + c->start + c->end + EXIT_LEN ? EXIT_BRANCH
										   : EXIT_FAULT;
	s->rip = cpu->rip;
	s->vector = cpu->fault.vector;
	s->error = cpu->fault.has_code ? cpu->fault.code : 0;
	s->cr2 = cpu->fault.cr2;
	memcpy(s->gpr, cpu->gpr, sizeof(s->gpr));
	s->flags = dbt_rflags(cpu);
	memcpy(s->data, (void *)NATIVE_DATA, DATA_SIZE);
}

static char *differences(const struct native_case *c, const struct native_state *s,
			 const struct insn *insn)
{
	const struct native_state *r = &c->after;
	g_autoptr(GString) out = g_string_new("");
	uint32_t flags = ALL_FLAGS;
	unsigned registers = c->is_32 ? 8 : 16;

	if (r->exit != s->exit)
		g_string_append_printf(out, " exit %u not %u", s->exit, r->exit);
	if (r->exit == EXIT_FAULT || s->exit == EXIT_FAULT) {
		if (r->vector != s->vector || ((r->error ^ s->error) & ~1u) || r->rip != s->rip)
			g_string_append_printf(out,
					       " fault %u/%x at %" PRIx64 ", not %u/%x at %" PRIx64,
					       s->vector, s->error, s->rip, r->vector, r->error,
					       r->rip);
		/* Which operand of CMPS is read first is nowhere said. */
		if (s->vector == EXC_PF && r->cr2 != s->cr2 && insn->op != OP_CMPS)
			g_string_append_printf(out, " cr2 %" PRIx64 " not %" PRIx64, s->cr2,
					       r->cr2);
	} else {
		flags &= ~undefined_flags(insn, c);
	}
	/* Some CPUs have loaded the first registers when a later one faults. */
	if (r->exit == EXIT_FAULT && insn->op == OP_POPA)
		registers = 0;
	for (unsigned i = 0; i < registers; i++) {
		if (c->is_32 ? (uint32_t)r->gpr[i] != (uint32_t)s->gpr[i] : r->gpr[i] != s->gpr[i])
			g_string_append_printf(out, " r%u %" PRIx64 " not %" PRIx64, i, s->gpr[i],
					       r->gpr[i]);
	}
	if ((r->flags ^ s->flags) & flags)
		g_string_append_printf(out, " flags %" PRIx64 " not %" PRIx64 " (%" PRIx64 ")",
				       s->flags & flags, r->flags & flags,
				       (r->flags ^ s->flags) & flags);
	for (unsigned i = 0; memcmp(r->data, s->data, DATA_SIZE) && i < DATA_SIZE; i++) {
		if (r->data[i] == s->data[i])
			continue;
		g_string_append_printf(out, " memory %" PRIx64 ": %02x not %02x",
				       (uint64_t)(NATIVE_DATA + i), s->data[i], r->data[i]);
		break;
	}
	return out->len ? g_string_free(g_steal_pointer(&out), false) : NULL;
}

static char *describe(const struct native_case *c, const struct insn *insn)
{
	GString *out = g_string_new("");

	g_string_append_printf(out, "%s.%u:", insn_op_name(insn->op), insn->osize * 8);
	for (unsigned i = 0; i < insn->len; i++)
		g_string_append_printf(out, " %02x", c->code[i]);
	g_string_append(out, " before:");
	for (unsigned i = 0; i < 16; i++)
		g_string_append_printf(out, " %" PRIx64, c->before.gpr[i]);
	g_string_append_printf(out, " flags %" PRIx64, c->before.flags);
	return g_string_free(out, false);
}

/* With 16-bit operands and counts beyond them the result is undefined too. */
static bool is_undefined(const struct native_case *c, const struct insn *insn)
{
	unsigned count = (insn->imm_size ? insn->imm : c->before.gpr[R_CX]) & 31;

	return (insn->op == OP_SHLD || insn->op == OP_SHRD) && insn->osize == 2 && count > 16;
}

/* The engine says that there is nothing; the child has memory of its own there. */
static bool is_elsewhere(const struct native_state *s)
{
	return s->exit == EXIT_FAULT && s->vector == EXC_PF &&
	       s->cr2 - (NATIVE_DATA - NATIVE_PAGE) >= DATA_SIZE + 2 * NATIVE_PAGE;
}

static bool judge_case(struct judge *j, struct native_case *c, bool died)
{
	g_autofree char *diff = NULL, *what = NULL;
	struct native_state s;
	struct insn insn;

	insn_decode(&j->env, c->code, INSN_MAX, &insn);
	if (is_undefined(c, &insn))
		return true;
	run_engine(j, c, &s);
	if (!died)
		diff = differences(c, &s, &insn);
	if (died ? is_elsewhere(&s) : !diff || is_elsewhere(&s))
		return true;
	what = describe(c, &insn);
	g_test_message("%s\n#   %s", what, diff ?: " the child died");
	return false;
}

/* The cases of some forms, one behind the other; how many differ. */
static unsigned judge_cases(struct judge *j, struct native_case *cases, unsigned count)
{
	unsigned bad = 0;

	for (unsigned from = 0; from < count;) {
		unsigned to = from + native_run(cases + from, count - from);

		for (; from < to; from++)
			bad += !judge_case(j, &cases[from], false);
		if (from < count)
			bad += !judge_case(j, &cases[from++], true);
	}
	return bad;
}

static unsigned make_cases(struct judge *j, const struct form *f, struct native_case *cases,
			   unsigned count)
{
	unsigned made = 0;

	for (unsigned tries = 0; made < count && tries < count * 20; tries++)
		made += make_case(j, f, &cases[made]);
	if (!made)
		g_test_message("no case of %s, opcode %x", insn_op_name(f->insn.op), f->opcode);
	g_assert_cmpuint(made, >, 0);
	return made;
}

static unsigned from_env(const char *name, unsigned otherwise)
{
	const char *text = g_getenv(name);

	return text ? atoi(text) : otherwise;
}

static void judge_all(bool is_32, unsigned least_forms)
{
	unsigned count = from_env("JUDGE_CASES", 100), bad = 0, made = 0;
	struct judge j = {.rand = g_rand_new_with_seed(from_env("JUDGE_SEED", 1)), .is_32 = is_32};
	struct native_case *cases = native_alloc(count * FORMS_AT_ONCE);

	j.cpu = stub_cpu_new();
	stub_cpu_set_32(j.cpu, is_32);
	j.env = (struct decode_env){j.cpu->mode, &j.cpu->acc->features};
	j.forms = g_array_new(false, false, sizeof(struct form));
	enumerate(&j);
	for (unsigned i = 0; i < j.forms->len; i++) {
		made += make_cases(&j, &g_array_index(j.forms, struct form, i), cases + made,
				   count);
		if ((i + 1) % FORMS_AT_ONCE && i + 1 < j.forms->len)
			continue;
		bad += judge_cases(&j, cases, made);
		made = 0;
	}
	g_test_message("%u forms, %u cases each, %u differ", j.forms->len, count, bad);
	g_assert_cmpuint(j.forms->len, >, least_forms);
	g_assert_cmpuint(bad, ==, 0);
	native_free(cases, count * FORMS_AT_ONCE);
	g_array_unref(j.forms);
	g_rand_free(j.rand);
	stub_cpu_free(j.cpu);
}

static void test_64(void)
{
	judge_all(false, 5000);
}

/* Kernels can be told to have no 32-bit code. */
static bool host_has_32(void)
{
	struct native_case *c = native_alloc(1);
	bool has;

	c->is_32 = true;
	native_put_exit(c->code, EXIT_END, true);
	has = native_run(c, 1) == 1 && c->after.exit == EXIT_END;
	native_free(c, 1);
	return has;
}

static void test_32(void)
{
	if (host_has_32())
		judge_all(true, 1000);
	else
		g_test_skip("this host runs no 32-bit code");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	native_init();
	g_test_add_func("/dbt/judge/64", test_64);
	g_test_add_func("/dbt/judge/32", test_32);
	return g_test_run();
}
