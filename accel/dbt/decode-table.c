/* Tables of opcodes (Intel SDM vol. 2, appendix A; AMD APM vol. 3, appendix A). */
#include "decode.h"

#define ROW(_op, _shape, _size, ...)                                                               \
	{                                                                                          \
		.op = OP_##_op, .shape = SHAPE_##_shape, .size = SIZE_##_size, __VA_ARGS__         \
	}
#define LIST(_list)                                                                                \
	{                                                                                          \
		.shape = SHAPE_LIST, .list = _list                                                 \
	}
#define VARIANT(_pps, _reg, _mod, ...)                                                             \
	{                                                                                          \
		.pps = _pps, .reg = _reg, .mod = _mod, .row = ROW(__VA_ARGS__)                     \
	}
#define MAPPED(_map, _opcode, _pps, _reg, _mod, ...)                                               \
	{                                                                                          \
		.map = _map, .opcode = _opcode, .pps = _pps, .reg = _reg, .mod = _mod,             \
		.row = ROW(__VA_ARGS__)                                                            \
	}
#define END                                                                                        \
	{                                                                                          \
		.row.shape = SHAPE_UNDEFINED                                                       \
	}

#define NP   BIT(PP_NONE)
#define P66  BIT(PP_66)
#define PF3  BIT(PP_F3)
#define PF2  BIT(PP_F2)
#define NP66 (NP | P66)

#define LOCK         .flags = ROW_LOCK
#define MEM          .flags = ROW_MEM
#define NO64         .flags = ROW_NO64
#define PE           .flags = ROW_PE
#define SUB_(_n)     .sub = (_n)
#define IF(_feature) .needs = NEEDS_##_feature

const struct insn_feature_row insn_features[NEEDS_COUNT] = {
	[NEEDS_CMOV] = {FEAT_1_EDX, 15},
	[NEEDS_CX8] = {FEAT_1_EDX, 8},
	[NEEDS_FXSR] = {FEAT_1_EDX, 24},
	[NEEDS_SEP] = {FEAT_1_EDX, 11},
	[NEEDS_CLFSH] = {FEAT_1_EDX, 19},
	[NEEDS_SSE] = {FEAT_1_EDX, 25},
	[NEEDS_SSE2] = {FEAT_1_EDX, 26},
	[NEEDS_MMX] = {FEAT_1_EDX, 23},
	[NEEDS_MONITOR] = {FEAT_1_ECX, 3},
	[NEEDS_CX16] = {FEAT_1_ECX, 13},
	[NEEDS_SSE42] = {FEAT_1_ECX, 20},
	[NEEDS_MOVBE] = {FEAT_1_ECX, 22},
	[NEEDS_POPCNT] = {FEAT_1_ECX, 23},
	[NEEDS_XSAVE] = {FEAT_1_ECX, 26, MODE_XSAVE},
	[NEEDS_RDRAND] = {FEAT_1_ECX, 30},
	[NEEDS_FSGSBASE] = {FEAT_7_0_EBX, 0, MODE_FSGS},
	[NEEDS_BMI1] = {FEAT_7_0_EBX, 3},
	[NEEDS_BMI2] = {FEAT_7_0_EBX, 8},
	[NEEDS_INVPCID] = {FEAT_7_0_EBX, 10},
	[NEEDS_RDSEED] = {FEAT_7_0_EBX, 18},
	[NEEDS_ADX] = {FEAT_7_0_EBX, 19},
	[NEEDS_SMAP] = {FEAT_7_0_EBX, 20},
	[NEEDS_CLFLUSHOPT] = {FEAT_7_0_EBX, 23},
	[NEEDS_CLWB] = {FEAT_7_0_EBX, 24},
	[NEEDS_RDPID] = {FEAT_7_0_ECX, 22},
	[NEEDS_MOVDIRI] = {FEAT_7_0_ECX, 27},
	[NEEDS_SYSCALL] = {FEAT_8000_0001_EDX, 11},
	[NEEDS_RDTSCP] = {FEAT_8000_0001_EDX, 27},
	[NEEDS_LAHF_LM] = {FEAT_8000_0001_ECX, 0},
	[NEEDS_LZCNT] = {FEAT_8000_0001_ECX, 5},
	[NEEDS_PREFETCHW] = {FEAT_8000_0001_ECX, 8},
	[NEEDS_XSAVEOPT] = {FEAT_XSAVE, 0, MODE_XSAVE},
	[NEEDS_XSAVEC] = {FEAT_XSAVE, 1, MODE_XSAVE},
	[NEEDS_XSAVES] = {FEAT_XSAVE, 3, MODE_XSAVE},
};

/* ---- Groups ---- */

#define GROUP1(_shape, _size)                                                                      \
	{                                                                                          \
		VARIANT(0, 0, MOD_ANY, ADD, _shape, _size, LOCK),                                  \
			VARIANT(0, 1, MOD_ANY, OR, _shape, _size, LOCK),                           \
			VARIANT(0, 2, MOD_ANY, ADC, _shape, _size, LOCK),                          \
			VARIANT(0, 3, MOD_ANY, SBB, _shape, _size, LOCK),                          \
			VARIANT(0, 4, MOD_ANY, AND, _shape, _size, LOCK),                          \
			VARIANT(0, 5, MOD_ANY, SUB, _shape, _size, LOCK),                          \
			VARIANT(0, 6, MOD_ANY, XOR, _shape, _size, LOCK),                          \
			VARIANT(0, 7, MOD_ANY, CMP, _shape, _size), END                            \
	}
static const struct variant group1_b[] = GROUP1(RM_I8, B);
static const struct variant group1_z[] = GROUP1(RM_IZ, V);
static const struct variant group1_i8[] = GROUP1(RM_I8, V);

#define GROUP2(_shape, _size)                                                                      \
	{                                                                                          \
		VARIANT(0, 0, MOD_ANY, ROL, _shape, _size),                                        \
			VARIANT(0, 1, MOD_ANY, ROR, _shape, _size),                                \
			VARIANT(0, 2, MOD_ANY, RCL, _shape, _size),                                \
			VARIANT(0, 3, MOD_ANY, RCR, _shape, _size),                                \
			VARIANT(0, 4, MOD_ANY, SHL, _shape, _size),                                \
			VARIANT(0, 5, MOD_ANY, SHR, _shape, _size),                                \
			VARIANT(0, 6, MOD_ANY, SHL, _shape, _size),                                \
			VARIANT(0, 7, MOD_ANY, SAR, _shape, _size), END                            \
	}
static const struct variant group2_b_i8[] = GROUP2(RM_I8, B);
static const struct variant group2_v_i8[] = GROUP2(RM_I8, V);
static const struct variant group2_b_1[] = GROUP2(RM_1, B);
static const struct variant group2_v_1[] = GROUP2(RM_1, V);
static const struct variant group2_b_cl[] = GROUP2(RM, B);
static const struct variant group2_v_cl[] = GROUP2(RM, V);

#define GROUP3(_size, _imm)                                                                        \
	{                                                                                          \
		VARIANT(0, 0, MOD_ANY, TEST, _imm, _size),                                         \
			VARIANT(0, 1, MOD_ANY, TEST, _imm, _size),                                 \
			VARIANT(0, 2, MOD_ANY, NOT, RM, _size, LOCK),                              \
			VARIANT(0, 3, MOD_ANY, NEG, RM, _size, LOCK),                              \
			VARIANT(0, 4, MOD_ANY, MUL, RM, _size),                                    \
			VARIANT(0, 5, MOD_ANY, IMUL, RM, _size),                                   \
			VARIANT(0, 6, MOD_ANY, DIV, RM, _size),                                    \
			VARIANT(0, 7, MOD_ANY, IDIV, RM, _size), END                               \
	}
static const struct variant group3_b[] = GROUP3(B, RM_I8);
static const struct variant group3_v[] = GROUP3(V, RM_IZ);

static const struct variant group4[] = {
	VARIANT(0, 0, MOD_ANY, INC, RM, B, LOCK),
	VARIANT(0, 1, MOD_ANY, DEC, RM, B, LOCK),
	END,
};

static const struct variant group5[] = {
	VARIANT(0, 0, MOD_ANY, INC, RM, V, LOCK), VARIANT(0, 1, MOD_ANY, DEC, RM, V, LOCK),
	VARIANT(0, 2, MOD_ANY, CALL_IND, RM, 64), VARIANT(0, 3, MOD_MEM, CALL_FAR_IND, RM, V),
	VARIANT(0, 4, MOD_ANY, JMP_IND, RM, 64),  VARIANT(0, 5, MOD_MEM, JMP_FAR_IND, RM, V),
	VARIANT(0, 6, MOD_ANY, PUSH, RM, 64),     END,
};

static const struct variant group1a[] = {VARIANT(0, 0, MOD_ANY, POP, RM, 64), END};
static const struct variant group11_b[] = {VARIANT(0, 0, MOD_ANY, MOV, RM_I8, B), END};
static const struct variant group11_z[] = {VARIANT(0, 0, MOD_ANY, MOV, RM_IZ, V), END};

static const struct variant group6[] = {
	VARIANT(0, 0, MOD_MEM, SLDT, RM, W, PE),
	VARIANT(0, 0, MOD_REG, SLDT, RM, V, PE),
	VARIANT(0, 1, MOD_MEM, STR, RM, W, PE),
	VARIANT(0, 1, MOD_REG, STR, RM, V, PE),
	VARIANT(0, 2, MOD_ANY, LLDT, RM, W, PE),
	VARIANT(0, 3, MOD_ANY, LTR, RM, W, PE),
	VARIANT(0, 4, MOD_ANY, VERR, RM, W, PE),
	VARIANT(0, 5, MOD_ANY, VERW, RM, W, PE),
	END,
};

static const struct variant group7[] = {
	VARIANT(0, 0, MOD_MEM, SGDT, RM, CR),
	VARIANT(0, 1, MOD_MEM, SIDT, RM, CR),
	VARIANT(0, 2, MOD_MEM, LGDT, RM, CR),
	VARIANT(0, 3, MOD_MEM, LIDT, RM, CR),
	VARIANT(0, 4, MOD_MEM, SMSW, RM, W),
	VARIANT(0, 4, MOD_REG, SMSW, RM, V),
	VARIANT(0, 6, MOD_ANY, LMSW, RM, W),
	VARIANT(0, 7, MOD_MEM, INVLPG, RM, B),
	VARIANT(NP, ANY_REG, 0xc1, VMCALL, RM, D),
	VARIANT(NP, ANY_REG, 0xc8, MONITOR, RM, D, IF(MONITOR)),
	VARIANT(NP, ANY_REG, 0xc9, MWAIT, RM, D, IF(MONITOR)),
	VARIANT(NP, ANY_REG, 0xca, CLAC, RM, D, IF(SMAP)),
	VARIANT(NP, ANY_REG, 0xcb, STAC, RM, D, IF(SMAP)),
	VARIANT(NP, ANY_REG, 0xd0, XGETBV, RM, D, IF(XSAVE)),
	VARIANT(NP, ANY_REG, 0xd1, XSETBV, RM, D, IF(XSAVE)),
	VARIANT(NP, ANY_REG, 0xd9, VMMCALL, RM, D),
	VARIANT(0, ANY_REG, 0xf8, SWAPGS, RM, D, .flags = ROW_64),
	VARIANT(0, ANY_REG, 0xf9, RDTSCP, RM, D, IF(RDTSCP)),
	END,
};

static const struct variant group8[] = {
	VARIANT(0, 4, MOD_ANY, BT, RM_I8, V),
	VARIANT(0, 5, MOD_ANY, BTS, RM_I8, V, LOCK),
	VARIANT(0, 6, MOD_ANY, BTR, RM_I8, V, LOCK),
	VARIANT(0, 7, MOD_ANY, BTC, RM_I8, V, LOCK),
	END,
};

static const struct variant group9[] = {
	/* 16 bytes with REX.W: decode.c */
	VARIANT(0, 1, MOD_MEM, CMPXCHG8B, RM, Y, LOCK, IF(CX8)),
	VARIANT(NP, 3, MOD_MEM, XRSTORS, RM, Y, IF(XSAVES)),
	VARIANT(NP, 4, MOD_MEM, XSAVEC, RM, Y, IF(XSAVEC)),
	VARIANT(NP, 5, MOD_MEM, XSAVES, RM, Y, IF(XSAVES)),
	VARIANT(NP66, 6, MOD_REG, RDRAND, RM, V, IF(RDRAND)),
	VARIANT(NP66, 7, MOD_REG, RDSEED, RM, V, IF(RDSEED)),
	VARIANT(PF3, 7, MOD_REG, RDPID, RM, CR, IF(RDPID)),
	END,
};

static const struct variant group15[] = {
	VARIANT(NP, 0, MOD_MEM, FXSAVE, RM, Y, IF(FXSR)),
	VARIANT(NP, 1, MOD_MEM, FXRSTOR, RM, Y, IF(FXSR)),
	VARIANT(NP, 2, MOD_MEM, LDMXCSR, RM, D, IF(SSE)),
	VARIANT(NP, 3, MOD_MEM, STMXCSR, RM, D, IF(SSE)),
	VARIANT(NP, 4, MOD_MEM, XSAVE, RM, Y, IF(XSAVE)),
	VARIANT(NP, 5, MOD_MEM, XRSTOR, RM, Y, IF(XSAVE)),
	VARIANT(NP, 6, MOD_MEM, XSAVEOPT, RM, Y, IF(XSAVEOPT)),
	VARIANT(NP, 7, MOD_MEM, CLFLUSH, RM, B, IF(CLFSH)),
	VARIANT(P66, 6, MOD_MEM, CLFLUSH, RM, B, IF(CLWB)),
	VARIANT(P66, 7, MOD_MEM, CLFLUSH, RM, B, IF(CLFLUSHOPT)),
	VARIANT(NP, 5, MOD_REG, FENCE, RM, D, IF(SSE2)),
	VARIANT(NP, 6, MOD_REG, FENCE, RM, D, IF(SSE2)),
	VARIANT(NP, 7, MOD_REG, FENCE, RM, D, IF(SSE)),
	VARIANT(PF3, 0, MOD_REG, RDFSBASE, RM, Y, .flags = ROW_64, IF(FSGSBASE)),
	VARIANT(PF3, 1, MOD_REG, RDGSBASE, RM, Y, .flags = ROW_64, IF(FSGSBASE)),
	VARIANT(PF3, 2, MOD_REG, WRFSBASE, RM, Y, .flags = ROW_64, IF(FSGSBASE)),
	VARIANT(PF3, 3, MOD_REG, WRGSBASE, RM, Y, .flags = ROW_64, IF(FSGSBASE)),
	END,
};

static const struct variant list_90[] = {
	VARIANT(PF3, ANY_REG, MOD_ANY, PAUSE, NONE, D),
	VARIANT(0, ANY_REG, MOD_ANY, NOP, NONE, D),
	END,
};
static const struct variant list_63[] = {
	VARIANT(0, ANY_REG, MOD_ANY, MOVSXD, RM_R, V, .flags = ROW_64, SUB_(4)),
	VARIANT(0, ANY_REG, MOD_ANY, ARPL, RM, W, PE),
	END,
};
static const struct variant list_0f1e[] = {
	VARIANT(PF3, ANY_REG, 0xfa, ENDBR, RM, D),
	VARIANT(PF3, ANY_REG, 0xfb, ENDBR, RM, D),
	VARIANT(0, ANY_REG, MOD_ANY, NOP, RM, V),
	END,
};
static const struct variant list_0fb8[] = {
	VARIANT(PF3, ANY_REG, MOD_ANY, POPCNT, RM_R, V, IF(POPCNT)),
	END,
};
/* Where the feature is missing the prefix says nothing: decode.c tries the next one. */
static const struct variant list_0fbc[] = {
	VARIANT(PF3, ANY_REG, MOD_ANY, TZCNT, RM_R, V, IF(BMI1)),
	VARIANT(0, ANY_REG, MOD_ANY, BSF, RM_R, V),
	END,
};
static const struct variant list_0fbd[] = {
	VARIANT(PF3, ANY_REG, MOD_ANY, LZCNT, RM_R, V, IF(LZCNT)),
	VARIANT(0, ANY_REG, MOD_ANY, BSR, RM_R, V),
	END,
};
static const struct variant list_0fc3[] = {
	VARIANT(NP, ANY_REG, MOD_MEM, MOVNTI, RM, Y, IF(SSE2)),
	END,
};

/* ---- Rows that come in series ---- */

#define ALU(_base, _op, _lock)                                                                     \
	[_base] = ROW(_op, RM, B, _lock), [_base + 1] = ROW(_op, RM, V, _lock),                    \
	[_base + 2] = ROW(_op, RM_R, B), [_base + 3] = ROW(_op, RM_R, V),                          \
	[_base + 4] = ROW(_op, ACC_IZ, B), [_base + 5] = ROW(_op, ACC_IZ, V)
#define EIGHT(_base, ...) [_base... _base + 7] = ROW(__VA_ARGS__)
#define CC1(_base, _cc)   [_base + _cc] = ROW(JCC, I8, 64, SUB_(_cc))
#define CC2(_base, _cc)   [_base + _cc] = ROW(JCC, IZ, 64, SUB_(_cc))
#define CC3(_base, _cc)   [_base + _cc] = ROW(CMOVCC, RM_R, V, SUB_(_cc), IF(CMOV))
#define CC4(_base, _cc)   [_base + _cc] = ROW(SETCC, RM, B, SUB_(_cc))
#define SIXTEEN(_macro, _base)                                                                     \
	_macro(_base, 0), _macro(_base, 1), _macro(_base, 2), _macro(_base, 3), _macro(_base, 4),  \
		_macro(_base, 5), _macro(_base, 6), _macro(_base, 7), _macro(_base, 8),            \
		_macro(_base, 9), _macro(_base, 10), _macro(_base, 11), _macro(_base, 12),         \
		_macro(_base, 13), _macro(_base, 14), _macro(_base, 15)

const struct opcode opcodes_1[256] = {
	ALU(0x00, ADD, LOCK),
	[0x06] = ROW(PUSH_SEG, NONE, 64, SUB_(S_ES), NO64),
	[0x07] = ROW(POP_SEG, NONE, 64, SUB_(S_ES), NO64),
	ALU(0x08, OR, LOCK),
	[0x0e] = ROW(PUSH_SEG, NONE, 64, SUB_(S_CS), NO64),
	ALU(0x10, ADC, LOCK),
	[0x16] = ROW(PUSH_SEG, NONE, 64, SUB_(S_SS), NO64),
	[0x17] = ROW(POP_SEG, NONE, 64, SUB_(S_SS), NO64),
	ALU(0x18, SBB, LOCK),
	[0x1e] = ROW(PUSH_SEG, NONE, 64, SUB_(S_DS), NO64),
	[0x1f] = ROW(POP_SEG, NONE, 64, SUB_(S_DS), NO64),
	ALU(0x20, AND, LOCK),
	[0x27] = ROW(DAA, NONE, B, NO64),
	ALU(0x28, SUB, LOCK),
	[0x2f] = ROW(DAS, NONE, B, NO64),
	ALU(0x30, XOR, LOCK),
	[0x37] = ROW(AAA, NONE, B, NO64),
	ALU(0x38, CMP, .flags = 0),
	[0x3f] = ROW(AAS, NONE, B, NO64),
	EIGHT(0x40, INC, OPREG, V, NO64), /* REX prefixes in 64-bit code */
	EIGHT(0x48, DEC, OPREG, V, NO64),
	EIGHT(0x50, PUSH, OPREG, 64),
	EIGHT(0x58, POP, OPREG, 64),
	[0x60] = ROW(PUSHA, NONE, V, NO64),
	[0x61] = ROW(POPA, NONE, V, NO64),
	[0x62] = ROW(BOUND, RM_R, V, .flags = ROW_NO64 | ROW_MEM),
	[0x63] = LIST(list_63),
	[0x68] = ROW(PUSH, IZ, 64),
	[0x69] = ROW(IMUL3, RM_IZ, V),
	[0x6a] = ROW(PUSH, I8, 64),
	[0x6b] = ROW(IMUL3, RM_I8, V),
	[0x6c] = ROW(INS, NONE, B),
	[0x6d] = ROW(INS, NONE, Z),
	[0x6e] = ROW(OUTS, NONE, B),
	[0x6f] = ROW(OUTS, NONE, Z),
	SIXTEEN(CC1, 0x70),
	[0x80] = LIST(group1_b),
	[0x81] = LIST(group1_z),
	[0x82] = LIST(group1_b), /* not in 64-bit code: decode.c */
	[0x83] = LIST(group1_i8),
	[0x84] = ROW(TEST, RM, B),
	[0x85] = ROW(TEST, RM, V),
	[0x86] = ROW(XCHG, RM, B, LOCK),
	[0x87] = ROW(XCHG, RM, V, LOCK),
	[0x88] = ROW(MOV, RM, B),
	[0x89] = ROW(MOV, RM, V),
	[0x8a] = ROW(MOV, RM_R, B),
	[0x8b] = ROW(MOV, RM_R, V),
	[0x8c] = ROW(MOV_FROM_SEG, RM, V),
	[0x8d] = ROW(LEA, RM_R, V, MEM),
	[0x8e] = ROW(MOV_TO_SEG, RM_R, W),
	[0x8f] = LIST(group1a),
	[0x90] = LIST(list_90), /* with REX.B it is XCHG: decode.c */
	[0x91 ... 0x97] = ROW(XCHG, ACC_REG, V),
	[0x98] = ROW(CBW, NONE, V),
	[0x99] = ROW(CWD, NONE, V),
	[0x9a] = ROW(CALL_FAR, FAR, V, NO64),
	[0x9b] = ROW(X87, NONE, D),
	[0x9c] = ROW(PUSHF, NONE, 64),
	[0x9d] = ROW(POPF, NONE, 64),
	[0x9e] = ROW(SAHF, NONE, B), /* LAHF_LM in 64-bit code: decode.c */
	[0x9f] = ROW(LAHF, NONE, B),
	[0xa0] = ROW(MOV, MOFFS, B, SUB_(1)), /* sub 1: to the register */
	[0xa1] = ROW(MOV, MOFFS, V, SUB_(1)),
	[0xa2] = ROW(MOV, MOFFS, B),
	[0xa3] = ROW(MOV, MOFFS, V),
	[0xa4] = ROW(MOVS, NONE, B),
	[0xa5] = ROW(MOVS, NONE, V),
	[0xa6] = ROW(CMPS, NONE, B),
	[0xa7] = ROW(CMPS, NONE, V),
	[0xa8] = ROW(TEST, ACC_IZ, B),
	[0xa9] = ROW(TEST, ACC_IZ, V),
	[0xaa] = ROW(STOS, NONE, B),
	[0xab] = ROW(STOS, NONE, V),
	[0xac] = ROW(LODS, NONE, B),
	[0xad] = ROW(LODS, NONE, V),
	[0xae] = ROW(SCAS, NONE, B),
	[0xaf] = ROW(SCAS, NONE, V),
	EIGHT(0xb0, MOV, OPREG_I, B),
	EIGHT(0xb8, MOV, OPREG_I, V),
	[0xc0] = LIST(group2_b_i8),
	[0xc1] = LIST(group2_v_i8),
	[0xc2] = ROW(RET, I16, 64),
	[0xc3] = ROW(RET, NONE, 64),
	[0xc4] = ROW(LDS, RM_R, V, SUB_(S_ES), .flags = ROW_NO64 | ROW_MEM),
	[0xc5] = ROW(LDS, RM_R, V, SUB_(S_DS), .flags = ROW_NO64 | ROW_MEM),
	[0xc6] = LIST(group11_b),
	[0xc7] = LIST(group11_z),
	[0xc8] = ROW(ENTER, ENTER, 64),
	[0xc9] = ROW(LEAVE, NONE, 64),
	[0xca] = ROW(RET_FAR, I16, V),
	[0xcb] = ROW(RET_FAR, NONE, V),
	[0xcc] = ROW(INT3, NONE, V),
	[0xcd] = ROW(INT, I8U, V),
	[0xce] = ROW(INTO, NONE, V, NO64),
	[0xcf] = ROW(IRET, NONE, V),
	[0xd0] = LIST(group2_b_1),
	[0xd1] = LIST(group2_v_1),
	[0xd2] = LIST(group2_b_cl),
	[0xd3] = LIST(group2_v_cl),
	[0xd4] = ROW(AAM, I8U, B, NO64),
	[0xd5] = ROW(AAD, I8U, B, NO64),
	[0xd6] = ROW(SALC, NONE, B, NO64),
	[0xd7] = ROW(XLAT, NONE, B),
	[0xd8 ... 0xdf] = ROW(X87, RM, Z), /* the size of environments */
	[0xe0] = ROW(LOOPCC, I8, 64, SUB_(5)),
	[0xe1] = ROW(LOOPCC, I8, 64, SUB_(4)),
	[0xe2] = ROW(LOOP, I8, 64),
	[0xe3] = ROW(JCXZ, I8, 64),
	[0xe4] = ROW(IN, I8U, B),
	[0xe5] = ROW(IN, I8U, Z),
	[0xe6] = ROW(OUT, I8U, B),
	[0xe7] = ROW(OUT, I8U, Z),
	[0xe8] = ROW(CALL, IZ, 64),
	[0xe9] = ROW(JMP, IZ, 64),
	[0xea] = ROW(JMP_FAR, FAR, V, NO64),
	[0xeb] = ROW(JMP, I8, 64),
	[0xec] = ROW(IN, NONE, B),
	[0xed] = ROW(IN, NONE, Z),
	[0xee] = ROW(OUT, NONE, B),
	[0xef] = ROW(OUT, NONE, Z),
	[0xf1] = ROW(INT1, NONE, V),
	[0xf4] = ROW(HLT, NONE, D),
	[0xf5] = ROW(CMC, NONE, D),
	[0xf6] = LIST(group3_b),
	[0xf7] = LIST(group3_v),
	[0xf8] = ROW(CLC, NONE, D),
	[0xf9] = ROW(STC, NONE, D),
	[0xfa] = ROW(CLI, NONE, D),
	[0xfb] = ROW(STI, NONE, D),
	[0xfc] = ROW(CLD, NONE, D),
	[0xfd] = ROW(STD, NONE, D),
	[0xfe] = LIST(group4),
	[0xff] = LIST(group5),
};

const struct opcode opcodes_0f[256] = {
	[0x00] = LIST(group6),
	[0x01] = LIST(group7),
	[0x02] = ROW(LAR, RM_R, V, PE),
	[0x03] = ROW(LSL, RM_R, V, PE),
	[0x05] = ROW(SYSCALL, NONE, D, IF(SYSCALL)),
	[0x06] = ROW(CLTS, NONE, D),
	[0x07] = ROW(SYSRET, NONE, Y, IF(SYSCALL)),
	[0x08] = ROW(INVD, NONE, D),
	[0x09] = ROW(WBINVD, NONE, D),
	[0x0b] = ROW(UD, NONE, D),
	[0x0d] = ROW(PREFETCH, RM, B, MEM),
	[0x18] = ROW(PREFETCH, RM, B),
	[0x19 ... 0x1d] = ROW(NOP, RM, V),
	[0x1e] = LIST(list_0f1e),
	[0x1f] = ROW(NOP, RM, V),
	[0x20] = ROW(MOV_FROM_CR, CRDR, CR),
	[0x21] = ROW(MOV_FROM_DR, CRDR, CR),
	[0x22] = ROW(MOV_TO_CR, CRDR, CR),
	[0x23] = ROW(MOV_TO_DR, CRDR, CR),
	[0x30] = ROW(WRMSR, NONE, D),
	[0x31] = ROW(RDTSC, NONE, D),
	[0x32] = ROW(RDMSR, NONE, D),
	[0x33] = ROW(RDPMC, NONE, D),
	[0x34] = ROW(SYSENTER, NONE, D, IF(SEP)),
	[0x35] = ROW(SYSEXIT, NONE, Y, IF(SEP)),
	SIXTEEN(CC3, 0x40),
	[0x77] = ROW(EMMS, NONE, D, IF(MMX)),
	SIXTEEN(CC2, 0x80),
	SIXTEEN(CC4, 0x90),
	[0xa0] = ROW(PUSH_SEG, NONE, 64, SUB_(S_FS)),
	[0xa1] = ROW(POP_SEG, NONE, 64, SUB_(S_FS)),
	[0xa2] = ROW(CPUID, NONE, D),
	[0xa3] = ROW(BT, RM, V),
	[0xa4] = ROW(SHLD, RM_I8, V),
	[0xa5] = ROW(SHLD, RM, V),
	[0xa8] = ROW(PUSH_SEG, NONE, 64, SUB_(S_GS)),
	[0xa9] = ROW(POP_SEG, NONE, 64, SUB_(S_GS)),
	[0xaa] = ROW(RSM, NONE, D),
	[0xab] = ROW(BTS, RM, V, LOCK),
	[0xac] = ROW(SHRD, RM_I8, V),
	[0xad] = ROW(SHRD, RM, V),
	[0xae] = LIST(group15),
	[0xaf] = ROW(IMUL2, RM_R, V),
	[0xb0] = ROW(CMPXCHG, RM, B, LOCK),
	[0xb1] = ROW(CMPXCHG, RM, V, LOCK),
	[0xb2] = ROW(LDS, RM_R, V, SUB_(S_SS), MEM),
	[0xb3] = ROW(BTR, RM, V, LOCK),
	[0xb4] = ROW(LDS, RM_R, V, SUB_(S_FS), MEM),
	[0xb5] = ROW(LDS, RM_R, V, SUB_(S_GS), MEM),
	[0xb6] = ROW(MOVZX, RM_R, V, SUB_(1)), /* sub: bytes of the source */
	[0xb7] = ROW(MOVZX, RM_R, V, SUB_(2)),
	[0xb8] = LIST(list_0fb8),
	[0xb9] = ROW(UD, RM, D),
	[0xba] = LIST(group8),
	[0xbb] = ROW(BTC, RM, V, LOCK),
	[0xbc] = LIST(list_0fbc),
	[0xbd] = LIST(list_0fbd),
	[0xbe] = ROW(MOVSX, RM_R, V, SUB_(1)),
	[0xbf] = ROW(MOVSX, RM_R, V, SUB_(2)),
	[0xc0] = ROW(XADD, RM, B, LOCK),
	[0xc1] = ROW(XADD, RM, V, LOCK),
	[0xc3] = LIST(list_0fc3),
	[0xc7] = LIST(group9),
	EIGHT(0xc8, BSWAP, OPREG, V),
	[0xff] = ROW(UD, RM, D),
};

const struct variant variants_38_3a[] = {
	MAPPED(MAP_0F38, 0x82, P66, ANY_REG, MOD_MEM, INVPCID, RM_R, CR, IF(INVPCID)),
	MAPPED(MAP_0F38, 0xf0, NP66, ANY_REG, MOD_MEM, MOVBE, RM_R, V, IF(MOVBE)),
	MAPPED(MAP_0F38, 0xf1, NP66, ANY_REG, MOD_MEM, MOVBE, RM, V, IF(MOVBE)),
	MAPPED(MAP_0F38, 0xf0, PF2, ANY_REG, MOD_ANY, CRC32, RM_R, Y, IF(SSE42)),
	MAPPED(MAP_0F38, 0xf1, PF2, ANY_REG, MOD_ANY, CRC32, RM_R, Y, IF(SSE42)),
	MAPPED(MAP_0F38, 0xf6, P66, ANY_REG, MOD_ANY, ADCX, RM_R, Y, IF(ADX)),
	MAPPED(MAP_0F38, 0xf6, PF3, ANY_REG, MOD_ANY, ADOX, RM_R, Y, IF(ADX)),
	MAPPED(MAP_0F38, 0xf9, NP, ANY_REG, MOD_MEM, MOVDIRI, RM, Y, IF(MOVDIRI)),
	END,
};

#define L0  .flags = ROW_L0
#define L0V .flags = ROW_L0 | ROW_VNONE
const struct variant variants_vex[] = {
	MAPPED(MAP_0F, 0xae, NP, 2, MOD_MEM, LDMXCSR, RM, D, L0V),
	MAPPED(MAP_0F, 0xae, NP, 3, MOD_MEM, STMXCSR, RM, D, L0V),
	MAPPED(MAP_0F38, 0xf2, NP, ANY_REG, MOD_ANY, ANDN, RM_R, Y, L0, IF(BMI1)),
	MAPPED(MAP_0F38, 0xf3, NP, 1, MOD_ANY, BLSR, RM, Y, L0, IF(BMI1)),
	MAPPED(MAP_0F38, 0xf3, NP, 2, MOD_ANY, BLSMSK, RM, Y, L0, IF(BMI1)),
	MAPPED(MAP_0F38, 0xf3, NP, 3, MOD_ANY, BLSI, RM, Y, L0, IF(BMI1)),
	MAPPED(MAP_0F38, 0xf5, NP, ANY_REG, MOD_ANY, BZHI, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf5, PF3, ANY_REG, MOD_ANY, PEXT, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf5, PF2, ANY_REG, MOD_ANY, PDEP, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf6, PF2, ANY_REG, MOD_ANY, MULX, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf7, NP, ANY_REG, MOD_ANY, BEXTR, RM_R, Y, L0, IF(BMI1)),
	MAPPED(MAP_0F38, 0xf7, P66, ANY_REG, MOD_ANY, SHLX, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf7, PF3, ANY_REG, MOD_ANY, SARX, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F38, 0xf7, PF2, ANY_REG, MOD_ANY, SHRX, RM_R, Y, L0, IF(BMI2)),
	MAPPED(MAP_0F3A, 0xf0, PF2, ANY_REG, MOD_ANY, RORX, RM_I8, Y, L0V, IF(BMI2)),
	END,
};

const char *insn_op_name(unsigned op)
{
	static const char *const names[] = {
#define X(name) #name,
		INSN_OPS(X)
#undef X
	};

	return op < OP_COUNT ? names[op] : "?";
}
