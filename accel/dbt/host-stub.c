/*
 * Stubs: native code for one instruction each.
 *
 *	load	vector registers the instruction names, from struct dbt_cpu (RDI)
 *	load	RCX with the general register in ModRM.rm; RAX and RDX for string comparisons
 *	do	prefix, REX or VEX, opcode, ModRM with [RSI] for memory and RAX, RCX for general registers
 *	store	what may have been written
 *	return	RFLAGS
 *
 * Before the instruction itself nothing is pushed, so that a fault in it can be turned into a call that
 * returns to the stub's caller (host-fpu.c). Stubs are found by their encoding without address
 * bytes, by all vCPUs, under a lock: only the decoding of blocks looks for them. They are never freed;
 * a guest that executes every encoding there is reaches the limit, and then starts over with an empty
 * cache in a new piece of memory until the process refuses (STUB_MEMORY).
 */
#include "base/error.h"
#include "host-row.h"

#include <sys/mman.h>
#include <unistd.h>

#define STUB_MEMORY (32u << 20)
#define STUB_MAX    256 /* bytes of one */

/* Scratch registers that stand for general ones of the guest. */
#define SCRATCH_REG R_AX
#define SCRATCH_RM  R_CX

static struct {
	GMutex lock;
	GHashTable *by_key; /* GBytes -> host_stub_fn */
	uint8_t *write;     /* the memory, mapped writable ... */
	uint8_t *run;       /* ... and executable */
	size_t used;
} stubs;

struct emitter {
	uint8_t code[STUB_MAX];
	unsigned size;
};

static void emit(struct emitter *e, unsigned count, const uint8_t *bytes)
{
	g_assert(e->size + count <= STUB_MAX);
	memcpy(e->code + e->size, bytes, count);
	e->size += count;
}
#define EMIT(_e, ...) emit(_e, sizeof((uint8_t[]){__VA_ARGS__}), (const uint8_t[]){__VA_ARGS__})

static void emit32(struct emitter *e, uint32_t value)
{
	EMIT(e, value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24);
}

/* Opcode with reg and [RDI + offset]. */
static void emit_at_cpu(struct emitter *e, unsigned reg, size_t offset)
{
	EMIT(e, 0x87 | (reg & 7) << 3);
	emit32(e, offset);
}

/* MOV between a host register and the guest's. */
static void emit_gpr(struct emitter *e, unsigned host, unsigned guest, bool store)
{
	EMIT(e, 0x48 | (host & 8 ? 4 : 0), store ? 0x89 : 0x8b);
	emit_at_cpu(e, host, offsetof(struct dbt_cpu, gpr) + 8 * guest);
}

/* (V)MOVUPS: all of the register with VEX, its lower half without. */
static void emit_vec(struct emitter *e, unsigned reg, bool vex, bool store)
{
	uint8_t opcode = store ? 0x11 : 0x10;

	if (vex)
		EMIT(e, 0xc5, reg & 8 ? 0x7c : 0xfc, opcode);
	else if (reg & 8)
		EMIT(e, 0x44, 0x0f, opcode);
	else
		EMIT(e, 0x0f, opcode);
	emit_at_cpu(e, reg, offsetof(struct dbt_cpu, vec) + sizeof(struct vec) * reg);
}

/* ---- The instruction itself ---- */

/* How its ModRM byte reads in the stub. */
struct encoding {
	unsigned reg, rm;
	bool mem;
};

static struct encoding encode(const struct insn *insn)
{
	struct encoding enc = {insn->reg, insn->rm, insn->is_mem};

	if (host_reg_kind(insn) == OPERAND_GPR)
		enc.reg = SCRATCH_REG;
	if (insn->is_mem)
		enc.rm = R_SI;
	else if (host_rm_kind(insn) == OPERAND_GPR)
		enc.rm = SCRATCH_RM;
	if (host_reg_kind(insn) == OPERAND_MMX || host_reg_kind(insn) == OPERAND_NONE)
		enc.reg &= 7;
	if (!insn->is_mem && host_rm_kind(insn) == OPERAND_MMX)
		enc.rm &= 7;
	return enc;
}

static void emit_legacy(struct emitter *e, const struct insn *insn, const struct encoding *enc)
{
	static const uint8_t prefixes[] = {
		[PP_NONE] = 0, [PP_66] = 0x66, [PP_F3] = 0xf3, [PP_F2] = 0xf2};
	uint8_t rex = (insn->rex & 8) | (enc->reg & 8 ? 4 : 0) | (enc->rm & 8 ? 1 : 0);

	if (insn->pp != PP_NONE)
		EMIT(e, prefixes[insn->pp]);
	if (rex)
		EMIT(e, 0x40 | rex);
	EMIT(e, 0x0f);
	if (insn->map == MAP_0F38)
		EMIT(e, 0x38);
	else if (insn->map == MAP_0F3A)
		EMIT(e, 0x3a);
	EMIT(e, insn->opcode);
}

static void emit_vex(struct emitter *e, const struct insn *insn, const struct encoding *enc)
{
	/* W means nothing to general registers of 32-bit code */
	bool w = insn->vex_w && (insn->rex || host_rm_kind(insn) != OPERAND_GPR);

	EMIT(e, 0xc4, (enc->reg & 8 ? 0 : 0x80) | 0x40 | (enc->rm & 8 ? 0 : 0x20) | insn->map,
	     (w ? 0x80 : 0) | (~insn->vvvv & 15) << 3 | (insn->vex_l ? 4 : 0) | insn->pp,
	     insn->opcode);
}

static void emit_instruction(struct emitter *e, const struct insn *insn)
{
	struct encoding enc = encode(insn);

	if (insn->vex)
		emit_vex(e, insn, &enc);
	else
		emit_legacy(e, insn, &enc);
	EMIT(e, (enc.mem ? 0 : 0xc0) | (enc.reg & 7) << 3 | (enc.rm & 7));
	if (insn->host->flags & HOST_IMM)
		EMIT(e, insn->imm & 0xff);
}

/* ---- Around it ---- */

static void emit_loads(struct emitter *e, const struct insn *insn)
{
	const struct host_row *row = insn->host;

	if (host_reg_kind(insn) == OPERAND_XMM)
		emit_vec(e, insn->reg, insn->vex, false);
	if (!insn->is_mem && host_rm_kind(insn) == OPERAND_XMM)
		emit_vec(e, insn->rm, insn->vex, false);
	if (insn->vex)
		emit_vec(e, insn->vvvv, true, false);
	if (row->flags & HOST_XMM0)
		emit_vec(e, 0, false, false);
	if (row->flags & HOST_IS4)
		emit_vec(e, (insn->imm >> 4) & (insn->rex ? 15 : 7), true, false);
	if (!insn->is_mem && host_rm_kind(insn) == OPERAND_GPR)
		emit_gpr(e, SCRATCH_RM, insn->rm, false);
	if (row->flags & HOST_STRING) {
		emit_gpr(e, R_AX, R_AX, false);
		emit_gpr(e, R_DX, R_DX, false);
	}
}

/* The status flags, before anything else may change them. */
static void emit_flags(struct emitter *e, const struct insn *insn)
{
	if (insn->host->flags & HOST_FLAGS)
		EMIT(e, 0x9c, 0x41, 0x58); /* PUSHFQ; POP R8 */
}

static void emit_string_results(struct emitter *e, const struct insn *insn)
{
	if (insn->opcode & 1) /* an index */
		emit_gpr(e, R_CX, R_CX, true);
	else
		emit_vec(e, 0, insn->vex, true);
}

static void emit_stores(struct emitter *e, const struct insn *insn)
{
	const struct host_row *row = insn->host;

	if (row->flags & HOST_STRING)
		emit_string_results(e, insn);
	else if (row->flags & HOST_FLAGS)
		return;
	else if ((row->flags & HOST_GROUP) && host_rm_kind(insn) == OPERAND_XMM)
		emit_vec(e, insn->vex ? insn->vvvv : insn->rm, insn->vex, true);
	else if ((row->flags & HOST_STORE) && insn->is_mem)
		return;
	else if ((row->flags & HOST_STORE) && host_rm_kind(insn) == OPERAND_GPR)
		emit_gpr(e, SCRATCH_RM, insn->rm, true);
	else if ((row->flags & HOST_STORE) && host_rm_kind(insn) == OPERAND_XMM)
		emit_vec(e, insn->rm, insn->vex, true);
	else if (host_reg_kind(insn) == OPERAND_GPR)
		emit_gpr(e, SCRATCH_REG, insn->reg, true);
	else if (host_reg_kind(insn) == OPERAND_XMM)
		emit_vec(e, insn->reg, insn->vex, true);
}

static void emit_end(struct emitter *e, bool vex, bool flags)
{
	if (vex)
		EMIT(e, 0xc5, 0xf8, 0x77); /* VZEROUPPER: what follows is SSE code */
	if (flags)
		EMIT(e, 0x4c, 0x89, 0xc0); /* MOV RAX, R8 */
	EMIT(e, 0xc3);
}

/* ---- The cache ---- */

static uint8_t *place(const struct emitter *e)
{
	uint8_t *at;

	if (stubs.used + STUB_MAX > STUB_MEMORY)
		return NULL;
	memcpy(stubs.write + stubs.used, e->code, e->size);
	at = stubs.run + stubs.used;
	stubs.used += ROUND_UP(e->size, 16);
	return at;
}

/* Takes the code of @e unless there is one already under @e's bytes: equal code is the same stub. */
static void *find_or_place(const struct emitter *e)
{
	g_autoptr(GBytes) key = g_bytes_new(e->code, e->size);
	void *fn;

	g_mutex_lock(&stubs.lock);
	fn = g_hash_table_lookup(stubs.by_key, key);
	if (!fn) {
		fn = place(e);
		if (fn)
			g_hash_table_insert(stubs.by_key, g_steal_pointer(&key), fn);
	}
	g_mutex_unlock(&stubs.lock);
	return fn;
}

host_stub_fn *host_stub_get(const struct insn *insn)
{
	struct emitter e = {.size = 0};

	emit_loads(&e, insn);
	emit_instruction(&e, insn);
	emit_flags(&e, insn);
	emit_stores(&e, insn);
	emit_end(&e, insn->vex, insn->host->flags & HOST_FLAGS);
	return find_or_place(&e);
}

/*
 * x87: memory is [RSI], flags come in RDX. PUSH RDX; POPFQ comes first, so the stack is as at the
 * entry when the instruction itself runs.
 */
host_x87_fn *host_stub_x87(const struct insn *insn)
{
	struct emitter e = {.size = 0};

	EMIT(&e, 0x52, 0x9d);
	if (insn->map == MAP_0F) /* EMMS */
		EMIT(&e, 0x0f);
	EMIT(&e, insn->opcode);
	if (insn->has_modrm)
		EMIT(&e, insn->is_mem ? (insn->modrm & 0x38) | R_SI : insn->modrm);
	EMIT(&e, 0x9c, 0x41, 0x58);
	emit_end(&e, false, true);
	return find_or_place(&e);
}

bool host_stub_contains(uintptr_t pc)
{
	return pc - (uintptr_t)stubs.run < STUB_MEMORY;
}

/* Two mappings of one memory, so that no page is ever writable and executable. */
bool host_stub_init(GError **errp)
{
	int fd;

	if (stubs.run)
		return true;
	fd = memfd_create("quail-stubs", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, STUB_MEMORY) < 0) {
		error_set_errno(errp, errno, "No memory for native code");
		return false;
	}
	stubs.write = mmap(NULL, STUB_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stubs.run = mmap(NULL, STUB_MEMORY, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	close(fd);
	if (stubs.write == MAP_FAILED || stubs.run == MAP_FAILED) {
		stubs.run = NULL;
		error_set_errno(errp, errno, "The host does not let memory be executed");
		return false;
	}
	stubs.by_key = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					     (GDestroyNotify)g_bytes_unref, NULL);
	return true;
}
