/*
 * A row of the table of instructions that run on the host's units (host-table.c).
 */
#ifndef DBT_HOST_ROW_H
#define DBT_HOST_ROW_H

#include "host.h"

/* What ModRM.reg and ModRM.rm name. */
enum host_operand {
	OPERAND_NONE, /* reg: part of the opcode */
	OPERAND_XMM,  /* XMM, or YMM with VEX.L */
	OPERAND_MMX,
	OPERAND_PACKED, /* MMX without a prefix, XMM with one */
	OPERAND_GPR,    /* 32 bits, or 64 with REX.W */
};

/* Bytes of a memory operand. V: the vector's length, 16 or 32; of PACKED without a prefix: 8. */
enum host_mem {
	MEM_NONE,
	MEM_1,
	MEM_2,
	MEM_4,
	MEM_8,
	MEM_16,
	MEM_V,
	MEM_V2,     /* half of the vector */
	MEM_V4,     /* a quarter */
	MEM_V8,     /* an eighth */
	MEM_SCALAR, /* by prefix: none, 66: V; F3: 4; F2: 8 */
	MEM_Y,      /* 4, or 8 with REX.W */
	MEM_SIZES
};

#define HOST_STORE     BIT(0) /* rm is the destination */
#define HOST_UNALIGNED BIT(1) /* 16 bytes of memory may lie anywhere, without VEX too */
#define HOST_VALIGNED  BIT(2) /* they may not, even with VEX */
#define HOST_IMM       BIT(3)
#define HOST_FLAGS     BIT(4) /* sets the status flags; no register but those of HOST_STRING */
#define HOST_XMM0      BIT(5) /* reads XMM0 (not with VEX: there it is imm[7:4]) */
#define HOST_MEM_ONLY  BIT(6)
#define HOST_REG_ONLY  BIT(7)
#define HOST_STRING    BIT(8) /* PCMPxSTRx: reads rAX, rDX; writes ECX or XMM0 */
#define HOST_GROUP     BIT(9) /* reg is part of the opcode; rm, or with VEX vvvv, the destination */
#define HOST_SPECIAL   BIT(10) /* memory by mask or by vector: host-masked.c */
#define HOST_INTEGER   BIT(11) /* 256 bits of it are AVX2 */
#define HOST_IS4       BIT(12) /* imm[7:4] is a vector register */

struct host_row {
	uint8_t map, first, last; /* opcodes */
	uint8_t pps;              /* BIT(enum insn_pp) */
	uint8_t reg, rm;          /* enum host_operand */
	uint8_t mem;              /* enum host_mem */
	uint8_t groups;           /* HOST_GROUP: BIT(ModRM.reg) of those there are */
	uint16_t flags;
	uint8_t legacy, vex; /* features the forms depend on, 0: no such form */
};

/* Bytes of the memory operand of @insn. */
unsigned host_mem_size(const struct insn *insn);
/* Operand kinds of @insn, PACKED resolved. */
enum host_operand host_reg_kind(const struct insn *insn);
enum host_operand host_rm_kind(const struct insn *insn);

/*
 * Native code for @insn: called with the CPU and the host address of its memory operand. Returns what
 * RFLAGS were afterwards if the row says so. NULL: no memory left for code.
 */
typedef uint64_t host_stub_fn(struct dbt_cpu *cpu, void *mem);
host_stub_fn *host_stub_get(const struct insn *insn);
/* An x87 instruction, or EMMS, with its memory operand (environments: as 64-bit code has them). */
typedef uint64_t host_x87_fn(struct dbt_cpu *cpu, void *mem, uint64_t rflags);
host_x87_fn *host_stub_x87(const struct insn *insn);

/* Whether a host address lies in a stub. Async-signal-safe. */
bool host_stub_contains(uintptr_t pc);
bool host_stub_init(GError **errp);

/* Raise #UD and #NM. */
op_fn host_undefined, host_no_device;
/* An operation that raises what CR0, CR4 say about this kind of instruction; NULL: it may run. */
op_fn *host_unavailable(const struct dbt_cpu *cpu, bool is_x87, bool is_mmx);

op_select_fn op_select_masked;

/* ---- host-fpu.c: the state that is live in the host's registers ---- */

/* FXSAVE's image (SDM vol. 1, table 10-2). */
struct fx_image {
	uint16_t fcw, fsw;
	uint8_t ftw, reserved;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	uint8_t xmm[16][16];
	uint8_t unused[96];
} __attribute__((aligned(16)));

struct host_state {
	struct fx_image x87; /* while !x87_live; its vector part is not used */
	uint32_t mxcsr;      /* while !live */
	bool live;           /* between host_enter() and host_leave() */
	bool x87_live;
	/* Of the last x87 instruction that was no control instruction. */
	uint64_t fip, fdp;
	uint16_t fop;
	struct dbt_cpu *cpu;
};

/* x87 registers into the host's, before the first instruction that needs them there. */
void host_x87_load(struct host_state *h);
/* And back: h->x87 is true afterwards, pointers included. */
void host_x87_save(struct host_state *h);

#endif
