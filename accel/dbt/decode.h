/*
 * The decoder's tables: rows of one-byte and 0F opcodes, and lists of those that need more than the
 * opcode to be told apart.
 */
#ifndef DBT_DECODE_H
#define DBT_DECODE_H

#include "dbt.h"

/* How operands are encoded. */
enum shape {
	SHAPE_UNDEFINED, /* the host's units are asked; otherwise #UD */
	SHAPE_NONE,
	SHAPE_RM,      /* ModRM: rm, reg; rm is the destination */
	SHAPE_RM_R,    /* the same, reg is the destination */
	SHAPE_RM_I8,   /* rm (and reg), 8-bit immediate, sign-extended */
	SHAPE_RM_IZ,   /* rm (and reg), immediate of the operand size, at most 4 bytes */
	SHAPE_RM_1,    /* rm, and an immediate 1 that is not in the bytes */
	SHAPE_OPREG,   /* low bits of the opcode: rm */
	SHAPE_OPREG_I, /* and an immediate of the whole operand size */
	SHAPE_ACC_IZ,  /* rm is rAX, immediate */
	SHAPE_ACC_REG, /* reg is rAX, rm from the opcode */
	SHAPE_MOFFS,   /* rAX (reg), memory at an address in the instruction */
	SHAPE_I8,
	SHAPE_I8U, /* not sign-extended: ports, interrupt numbers */
	SHAPE_I16,
	SHAPE_IZ,
	SHAPE_FAR,   /* offset of the operand size, selector */
	SHAPE_ENTER, /* 16 bits, 8 bits */
	SHAPE_CRDR,  /* ModRM with two registers, whatever mod says */
	SHAPE_LIST,  /* see opcode.list */
};

/* The operand size. */
enum size_rule {
	SIZE_V, /* 2, 4, 8 by prefixes and mode */
	SIZE_B, /* 1 */
	SIZE_W, /* 2 */
	SIZE_D, /* 4 */
	SIZE_Z, /* as V, but 4 instead of 8 */
	SIZE_Y, /* 8 with REX.W (VEX.W), else 4 */
	SIZE_64, /* stack, near branches: in 64-bit code 8, or 2 with 66 (as AMD has it for branches) */
	SIZE_CR /* 8 in 64-bit code, else 4 */,
};

/* What makes an encoding illegal. */
#define ROW_LOCK  BIT(0) /* LOCK is allowed with a memory destination */
#define ROW_MEM   BIT(1) /* memory only */
#define ROW_REG   BIT(2) /* register only */
#define ROW_NO64  BIT(3)
#define ROW_64    BIT(4) /* only in 64-bit code */
#define ROW_PE    BIT(5) /* not in real and virtual-8086 mode */
#define ROW_L0    BIT(6) /* VEX.L must be 0 */
#define ROW_VNONE BIT(7) /* VEX.vvvv must be 1111b: no such operand */

/* Features an encoding depends on: rows of insn_features. */
enum insn_feature {
	NEEDS_NOTHING,
	NEEDS_CMOV,
	NEEDS_CX8,
	NEEDS_FXSR,
	NEEDS_SEP,
	NEEDS_CLFSH,
	NEEDS_SSE,
	NEEDS_SSE2,
	NEEDS_MMX,
	NEEDS_MONITOR,
	NEEDS_CX16,
	NEEDS_SSE42,
	NEEDS_MOVBE,
	NEEDS_POPCNT,
	NEEDS_XSAVE,
	NEEDS_RDRAND,
	NEEDS_FSGSBASE,
	NEEDS_BMI1,
	NEEDS_BMI2,
	NEEDS_INVPCID,
	NEEDS_RDSEED,
	NEEDS_ADX,
	NEEDS_SMAP,
	NEEDS_CLFLUSHOPT,
	NEEDS_CLWB,
	NEEDS_RDPID,
	NEEDS_MOVDIRI,
	NEEDS_SYSCALL,
	NEEDS_RDTSCP,
	NEEDS_LAHF_LM,
	NEEDS_LZCNT,
	NEEDS_PREFETCHW,
	NEEDS_XSAVEOPT,
	NEEDS_XSAVEC,
	NEEDS_XSAVES,
	NEEDS_COUNT
};

struct opcode {
	uint16_t op;
	uint8_t shape, size, sub;
	uint8_t flags;
	uint8_t needs; /* enum insn_feature */
	const struct variant *list;
};

/* One of several meanings of an opcode; the first that matches counts. The end has shape UNDEFINED. */
struct variant {
	uint8_t map, opcode; /* in lists by map; 0 elsewhere */
	uint8_t pps;         /* BIT(enum insn_pp) of those it takes; 0: all */
	uint8_t reg;         /* ModRM.reg, or ANY_REG */
	uint8_t mod;         /* MOD_*, or the whole ModRM byte (C0h and above) */
	struct opcode row;
};
#define ANY_REG 8
#define MOD_ANY 0
#define MOD_MEM 1
#define MOD_REG 2

extern const struct opcode opcodes_1[256], opcodes_0f[256];
extern const struct variant variants_38_3a[], variants_vex[];

/* Where a feature's bit is, and the mode bit without which the encoding is undefined (0: none). */
struct insn_feature_row {
	uint8_t word, bit;
	uint32_t mode;
};
extern const struct insn_feature_row insn_features[NEEDS_COUNT];

#endif
