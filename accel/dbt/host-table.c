/*
 * Which opcodes run on the host's units, and what a stub has to know of each (Intel SDM vol. 2).
 *
 * What the table does not say is left to the hardware: a form that it calls undefined raises SIGILL in
 * the stub, which is the guest's #UD.
 */
#include "host-row.h"

#include <cpuid.h>

enum {
	FEATURE_NONE,
	FEATURE_MMX,
	FEATURE_SSE,
	FEATURE_SSE2,
	FEATURE_SSE3,
	FEATURE_SSSE3,
	FEATURE_SSE41,
	FEATURE_SSE42,
	FEATURE_AES,
	FEATURE_PCLMUL,
	FEATURE_SHA,
	FEATURE_AVX,
	FEATURE_AVX2,
	FEATURE_FMA,
	FEATURE_F16C,
	FEATURE_VAES,
	FEATURE_VPCLMUL,
	FEATURE_GFNI,
	FEATURES
};

static const struct {
	uint8_t word, bit;
} feature_bits[FEATURES] = {
	[FEATURE_MMX] = {FEAT_1_EDX, 23},   [FEATURE_SSE] = {FEAT_1_EDX, 25},
	[FEATURE_SSE2] = {FEAT_1_EDX, 26},  [FEATURE_SSE3] = {FEAT_1_ECX, 0},
	[FEATURE_SSSE3] = {FEAT_1_ECX, 9},  [FEATURE_SSE41] = {FEAT_1_ECX, 19},
	[FEATURE_SSE42] = {FEAT_1_ECX, 20}, [FEATURE_AES] = {FEAT_1_ECX, 25},
	[FEATURE_PCLMUL] = {FEAT_1_ECX, 1}, [FEATURE_SHA] = {FEAT_7_0_EBX, 29},
	[FEATURE_AVX] = {FEAT_1_ECX, 28},   [FEATURE_AVX2] = {FEAT_7_0_EBX, 5},
	[FEATURE_FMA] = {FEAT_1_ECX, 12},   [FEATURE_F16C] = {FEAT_1_ECX, 29},
	[FEATURE_VAES] = {FEAT_7_0_ECX, 9}, [FEATURE_VPCLMUL] = {FEAT_7_0_ECX, 10},
	[FEATURE_GFNI] = {FEAT_7_0_ECX, 8},
};

#define NP   BIT(PP_NONE)
#define P66  BIT(PP_66)
#define PF3  BIT(PP_F3)
#define PF2  BIT(PP_F2)
#define NP66 (NP | P66)
#define ALL  (NP | P66 | PF3 | PF2)

#define INT HOST_INTEGER
/* map, opcodes, prefixes, reg, rm, memory, flags, features without and with VEX */
#define ROW(_map, _first, _last, _pps, _reg, _rm, _mem, _flags, _legacy, _vex)                     \
	{                                                                                          \
		.map = MAP_##_map, .first = _first, .last = _last, .pps = _pps,                    \
		.reg = OPERAND_##_reg, .rm = OPERAND_##_rm, .mem = MEM_##_mem, .flags = _flags,    \
		.legacy = FEATURE_##_legacy, .vex = FEATURE_##_vex                                 \
	}
#define GROUP(_opcode, _groups, _pps, _legacy, _vex)                                               \
	{                                                                                          \
		.map = MAP_0F, .first = _opcode, .last = _opcode, .pps = _pps, .groups = _groups,  \
		.rm = OPERAND_PACKED, .flags = HOST_GROUP | HOST_REG_ONLY | HOST_IMM | INT,        \
		.legacy = FEATURE_##_legacy, .vex = FEATURE_##_vex                                 \
	}

static const struct host_row rows_0f[] = {
	ROW(0F, 0x10, 0x10, ALL, XMM, XMM, SCALAR, HOST_UNALIGNED, SSE, AVX),
	ROW(0F, 0x11, 0x11, ALL, XMM, XMM, SCALAR, HOST_UNALIGNED | HOST_STORE, SSE, AVX),
	ROW(0F, 0x12, 0x12, NP66, XMM, XMM, 8, 0, SSE, AVX),
	ROW(0F, 0x12, 0x12, PF3, XMM, XMM, V, 0, SSE3, AVX),
	ROW(0F, 0x12, 0x12, PF2, XMM, XMM, V2, 0, SSE3,
	    AVX), /* MOVDDUP; YMM: see host_mem_size() */
	ROW(0F, 0x13, 0x13, NP66, XMM, NONE, 8, HOST_STORE | HOST_MEM_ONLY, SSE, AVX),
	ROW(0F, 0x14, 0x15, NP66, XMM, XMM, V, 0, SSE, AVX),
	ROW(0F, 0x16, 0x16, NP66, XMM, XMM, 8, 0, SSE, AVX),
	ROW(0F, 0x16, 0x16, PF3, XMM, XMM, V, 0, SSE3, AVX),
	ROW(0F, 0x17, 0x17, NP66, XMM, NONE, 8, HOST_STORE | HOST_MEM_ONLY, SSE, AVX),
	ROW(0F, 0x28, 0x28, NP66, XMM, XMM, V, HOST_VALIGNED, SSE, AVX),
	ROW(0F, 0x29, 0x29, NP66, XMM, XMM, V, HOST_VALIGNED | HOST_STORE, SSE, AVX),
	ROW(0F, 0x2a, 0x2a, NP66, XMM, MMX, 8, 0, SSE, NONE),
	ROW(0F, 0x2a, 0x2a, PF3 | PF2, XMM, GPR, Y, 0, SSE, AVX),
	ROW(0F, 0x2b, 0x2b, NP66, XMM, NONE, V, HOST_VALIGNED | HOST_STORE | HOST_MEM_ONLY, SSE,
	    AVX),
	ROW(0F, 0x2c, 0x2d, NP, MMX, XMM, 8, 0, SSE, NONE),
	ROW(0F, 0x2c, 0x2d, P66, MMX, XMM, 16, 0, SSE2, NONE),
	ROW(0F, 0x2c, 0x2d, PF3, GPR, XMM, 4, 0, SSE, AVX),
	ROW(0F, 0x2c, 0x2d, PF2, GPR, XMM, 8, 0, SSE2, AVX),
	ROW(0F, 0x2e, 0x2f, NP, XMM, XMM, 4, HOST_FLAGS, SSE, AVX),
	ROW(0F, 0x2e, 0x2f, P66, XMM, XMM, 8, HOST_FLAGS, SSE2, AVX),
	ROW(0F, 0x50, 0x50, NP66, GPR, XMM, NONE, HOST_REG_ONLY, SSE, AVX),
	ROW(0F, 0x51, 0x51, ALL, XMM, XMM, SCALAR, 0, SSE, AVX),
	ROW(0F, 0x52, 0x53, NP | PF3, XMM, XMM, SCALAR, 0, SSE, AVX),
	ROW(0F, 0x54, 0x57, NP66, XMM, XMM, V, 0, SSE, AVX),
	ROW(0F, 0x58, 0x59, ALL, XMM, XMM, SCALAR, 0, SSE, AVX),
	ROW(0F, 0x5a, 0x5a, NP, XMM, XMM, V2, 0, SSE2, AVX),
	ROW(0F, 0x5a, 0x5a, P66 | PF3 | PF2, XMM, XMM, SCALAR, 0, SSE2, AVX),
	ROW(0F, 0x5b, 0x5b, NP | P66 | PF3, XMM, XMM, V, 0, SSE2, AVX),
	ROW(0F, 0x5c, 0x5f, ALL, XMM, XMM, SCALAR, 0, SSE, AVX),
	ROW(0F, 0x60, 0x62, NP, MMX, MMX, 4, 0, MMX, NONE),
	ROW(0F, 0x60, 0x62, P66, XMM, XMM, V, INT, SSE2, AVX),
	ROW(0F, 0x63, 0x6b, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0x6c, 0x6d, P66, XMM, XMM, V, INT, SSE2, AVX),
	ROW(0F, 0x6e, 0x6e, NP66, PACKED, GPR, Y, 0, MMX, AVX),
	ROW(0F, 0x6f, 0x6f, NP, MMX, MMX, 8, 0, MMX, NONE),
	ROW(0F, 0x6f, 0x6f, P66, XMM, XMM, V, HOST_VALIGNED, SSE2, AVX),
	ROW(0F, 0x6f, 0x6f, PF3, XMM, XMM, V, HOST_UNALIGNED, SSE2, AVX),
	ROW(0F, 0x70, 0x70, NP66, PACKED, PACKED, V, HOST_IMM | INT, MMX, AVX),
	ROW(0F, 0x70, 0x70, PF3 | PF2, XMM, XMM, V, HOST_IMM | INT, SSE2, AVX),
	GROUP(0x71, BIT(2) | BIT(4) | BIT(6), NP66, MMX, AVX),
	GROUP(0x72, BIT(2) | BIT(4) | BIT(6), NP66, MMX, AVX),
	GROUP(0x73, BIT(2) | BIT(6), NP66, MMX, AVX),
	GROUP(0x73, BIT(3) | BIT(7), P66, SSE2, AVX),
	ROW(0F, 0x74, 0x76, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0x77, 0x77, NP, NONE, NONE, NONE, HOST_SPECIAL | HOST_REG_ONLY, NONE, AVX),
	ROW(0F, 0x7c, 0x7d, P66 | PF2, XMM, XMM, V, 0, SSE3, AVX),
	ROW(0F, 0x7e, 0x7e, NP66, PACKED, GPR, Y, HOST_STORE, MMX, AVX),
	ROW(0F, 0x7e, 0x7e, PF3, XMM, XMM, 8, 0, SSE2, AVX),
	ROW(0F, 0x7f, 0x7f, NP, MMX, MMX, 8, HOST_STORE, MMX, NONE),
	ROW(0F, 0x7f, 0x7f, P66, XMM, XMM, V, HOST_VALIGNED | HOST_STORE, SSE2, AVX),
	ROW(0F, 0x7f, 0x7f, PF3, XMM, XMM, V, HOST_UNALIGNED | HOST_STORE, SSE2, AVX),
	ROW(0F, 0xc2, 0xc2, ALL, XMM, XMM, SCALAR, HOST_IMM, SSE, AVX),
	ROW(0F, 0xc4, 0xc4, NP66, PACKED, GPR, 2, HOST_IMM, SSE, AVX),
	ROW(0F, 0xc5, 0xc5, NP66, GPR, PACKED, NONE, HOST_IMM | HOST_REG_ONLY, SSE, AVX),
	ROW(0F, 0xc6, 0xc6, NP66, XMM, XMM, V, HOST_IMM, SSE, AVX),
	ROW(0F, 0xd0, 0xd0, P66 | PF2, XMM, XMM, V, 0, SSE3, AVX),
	ROW(0F, 0xd1, 0xd3, NP, MMX, MMX, 8, 0, MMX, NONE),
	ROW(0F, 0xd1, 0xd3, P66, XMM, XMM, 16, INT, SSE2, AVX), /* the count is XMM or 16 bytes */
	ROW(0F, 0xd4, 0xd5, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0xd6, 0xd6, P66, XMM, XMM, 8, HOST_STORE, SSE2, AVX),
	ROW(0F, 0xd6, 0xd6, PF3, XMM, MMX, NONE, HOST_REG_ONLY, SSE2, NONE),
	ROW(0F, 0xd6, 0xd6, PF2, MMX, XMM, NONE, HOST_REG_ONLY, SSE2, NONE),
	ROW(0F, 0xd7, 0xd7, NP66, GPR, PACKED, NONE, HOST_REG_ONLY | INT, SSE, AVX),
	ROW(0F, 0xd8, 0xe0, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0xe1, 0xe2, NP, MMX, MMX, 8, 0, MMX, NONE),
	ROW(0F, 0xe1, 0xe2, P66, XMM, XMM, 16, INT, SSE2, AVX),
	ROW(0F, 0xe3, 0xe5, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0xe6, 0xe6, P66 | PF2, XMM, XMM, V, 0, SSE2, AVX),
	ROW(0F, 0xe6, 0xe6, PF3, XMM, XMM, V2, 0, SSE2, AVX),
	ROW(0F, 0xe7, 0xe7, NP, MMX, NONE, 8, HOST_STORE | HOST_MEM_ONLY, SSE, NONE),
	ROW(0F, 0xe7, 0xe7, P66, XMM, NONE, V, HOST_VALIGNED | HOST_STORE | HOST_MEM_ONLY, SSE2,
	    AVX),
	ROW(0F, 0xe8, 0xef, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0xf0, 0xf0, PF2, XMM, NONE, V, HOST_UNALIGNED | HOST_MEM_ONLY, SSE3, AVX),
	ROW(0F, 0xf1, 0xf3, NP, MMX, MMX, 8, 0, MMX, NONE),
	ROW(0F, 0xf1, 0xf3, P66, XMM, XMM, 16, INT, SSE2, AVX),
	ROW(0F, 0xf4, 0xf6, NP66, PACKED, PACKED, V, INT, MMX, AVX),
	ROW(0F, 0xf7, 0xf7, NP66, PACKED, PACKED, NONE, HOST_SPECIAL | HOST_REG_ONLY, SSE, AVX),
	ROW(0F, 0xf8, 0xfe, NP66, PACKED, PACKED, V, INT, MMX, AVX),
};

static const struct host_row rows_0f38[] = {
	ROW(0F38, 0x00, 0x0b, NP66, PACKED, PACKED, V, INT, SSSE3, AVX),
	ROW(0F38, 0x0c, 0x0d, P66, XMM, XMM, V, 0, NONE, AVX),
	ROW(0F38, 0x0e, 0x0f, P66, XMM, XMM, V, HOST_FLAGS, NONE, AVX),
	ROW(0F38, 0x10, 0x10, P66, XMM, XMM, V, HOST_XMM0, SSE41, NONE),
	ROW(0F38, 0x13, 0x13, P66, XMM, XMM, V2, 0, NONE, F16C),
	ROW(0F38, 0x14, 0x15, P66, XMM, XMM, V, HOST_XMM0, SSE41, NONE),
	ROW(0F38, 0x16, 0x16, P66, XMM, XMM, V, 0, NONE, AVX2),
	ROW(0F38, 0x17, 0x17, P66, XMM, XMM, V, HOST_FLAGS, SSE41, AVX),
	ROW(0F38, 0x18, 0x18, P66, XMM, XMM, 4, 0, NONE, AVX),
	ROW(0F38, 0x19, 0x19, P66, XMM, XMM, 8, 0, NONE, AVX),
	ROW(0F38, 0x1a, 0x1a, P66, XMM, NONE, 16, HOST_MEM_ONLY, NONE, AVX),
	ROW(0F38, 0x1c, 0x1e, NP66, PACKED, PACKED, V, INT, SSSE3, AVX),
	ROW(0F38, 0x20, 0x20, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x21, 0x21, P66, XMM, XMM, V4, INT, SSE41, AVX),
	ROW(0F38, 0x22, 0x22, P66, XMM, XMM, V8, INT, SSE41, AVX),
	ROW(0F38, 0x23, 0x23, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x24, 0x24, P66, XMM, XMM, V4, INT, SSE41, AVX),
	ROW(0F38, 0x25, 0x25, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x28, 0x29, P66, XMM, XMM, V, INT, SSE41, AVX),
	ROW(0F38, 0x2a, 0x2a, P66, XMM, NONE, V, HOST_VALIGNED | HOST_MEM_ONLY | INT, SSE41, AVX),
	ROW(0F38, 0x2b, 0x2b, P66, XMM, XMM, V, INT, SSE41, AVX),
	ROW(0F38, 0x2c, 0x2f, P66, XMM, NONE, V, HOST_SPECIAL | HOST_MEM_ONLY, NONE, AVX),
	ROW(0F38, 0x30, 0x30, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x31, 0x31, P66, XMM, XMM, V4, INT, SSE41, AVX),
	ROW(0F38, 0x32, 0x32, P66, XMM, XMM, V8, INT, SSE41, AVX),
	ROW(0F38, 0x33, 0x33, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x34, 0x34, P66, XMM, XMM, V4, INT, SSE41, AVX),
	ROW(0F38, 0x35, 0x35, P66, XMM, XMM, V2, INT, SSE41, AVX),
	ROW(0F38, 0x36, 0x36, P66, XMM, XMM, V, 0, NONE, AVX2),
	ROW(0F38, 0x37, 0x37, P66, XMM, XMM, V, INT, SSE42, AVX),
	ROW(0F38, 0x38, 0x40, P66, XMM, XMM, V, INT, SSE41, AVX),
	ROW(0F38, 0x41, 0x41, P66, XMM, XMM, V, 0, SSE41, AVX),
	ROW(0F38, 0x45, 0x47, P66, XMM, XMM, V, 0, NONE, AVX2),
	ROW(0F38, 0x58, 0x58, P66, XMM, XMM, 4, 0, NONE, AVX2),
	ROW(0F38, 0x59, 0x59, P66, XMM, XMM, 8, 0, NONE, AVX2),
	ROW(0F38, 0x5a, 0x5a, P66, XMM, NONE, 16, HOST_MEM_ONLY, NONE, AVX2),
	ROW(0F38, 0x78, 0x78, P66, XMM, XMM, 1, 0, NONE, AVX2),
	ROW(0F38, 0x79, 0x79, P66, XMM, XMM, 2, 0, NONE, AVX2),
	ROW(0F38, 0x8c, 0x8c, P66, XMM, NONE, V, HOST_SPECIAL | HOST_MEM_ONLY, NONE, AVX2),
	ROW(0F38, 0x8e, 0x8e, P66, XMM, NONE, V, HOST_SPECIAL | HOST_MEM_ONLY, NONE, AVX2),
	ROW(0F38, 0x90, 0x93, P66, XMM, NONE, Y, HOST_SPECIAL | HOST_MEM_ONLY, NONE, AVX2),
	ROW(0F38, 0x96, 0x98, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0x99, 0x99, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0x9a, 0x9a, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0x9b, 0x9b, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0x9c, 0x9c, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0x9d, 0x9d, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0x9e, 0x9e, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0x9f, 0x9f, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xa6, 0xa8, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xa9, 0xa9, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xaa, 0xaa, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xab, 0xab, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xac, 0xac, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xad, 0xad, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xae, 0xae, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xaf, 0xaf, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xb6, 0xb8, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xb9, 0xb9, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xba, 0xba, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xbb, 0xbb, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xbc, 0xbc, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xbd, 0xbd, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xbe, 0xbe, P66, XMM, XMM, V, 0, NONE, FMA),
	ROW(0F38, 0xbf, 0xbf, P66, XMM, XMM, Y, 0, NONE, FMA),
	ROW(0F38, 0xc8, 0xca, NP, XMM, XMM, 16, 0, SHA, NONE),
	ROW(0F38, 0xcb, 0xcb, NP, XMM, XMM, 16, HOST_XMM0, SHA, NONE),
	ROW(0F38, 0xcc, 0xcd, NP, XMM, XMM, 16, 0, SHA, NONE),
	ROW(0F38, 0xcf, 0xcf, P66, XMM, XMM, V, 0, GFNI, GFNI),
	ROW(0F38, 0xdb, 0xdb, P66, XMM, XMM, 16, 0, AES, AVX),
	ROW(0F38, 0xdc, 0xdf, P66, XMM, XMM, V, 0, AES, AVX),
};

static const struct host_row rows_0f3a[] = {
	ROW(0F3A, 0x00, 0x02, P66, XMM, XMM, V, HOST_IMM, NONE, AVX2),
	ROW(0F3A, 0x04, 0x06, P66, XMM, XMM, V, HOST_IMM, NONE, AVX),
	ROW(0F3A, 0x08, 0x09, P66, XMM, XMM, V, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x0a, 0x0a, P66, XMM, XMM, 4, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x0b, 0x0b, P66, XMM, XMM, 8, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x0c, 0x0d, P66, XMM, XMM, V, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x0e, 0x0e, P66, XMM, XMM, V, HOST_IMM | INT, SSE41, AVX),
	ROW(0F3A, 0x0f, 0x0f, NP66, PACKED, PACKED, V, HOST_IMM | INT, SSSE3, AVX),
	ROW(0F3A, 0x14, 0x14, P66, XMM, GPR, 1, HOST_IMM | HOST_STORE, SSE41, AVX),
	ROW(0F3A, 0x15, 0x15, P66, XMM, GPR, 2, HOST_IMM | HOST_STORE, SSE41, AVX),
	ROW(0F3A, 0x16, 0x16, P66, XMM, GPR, Y, HOST_IMM | HOST_STORE, SSE41, AVX),
	ROW(0F3A, 0x17, 0x17, P66, XMM, GPR, 4, HOST_IMM | HOST_STORE, SSE41, AVX),
	ROW(0F3A, 0x18, 0x18, P66, XMM, XMM, 16, HOST_IMM, NONE, AVX),
	ROW(0F3A, 0x19, 0x19, P66, XMM, XMM, 16, HOST_IMM | HOST_STORE, NONE, AVX),
	ROW(0F3A, 0x1d, 0x1d, P66, XMM, XMM, V2, HOST_IMM | HOST_STORE, NONE, F16C),
	ROW(0F3A, 0x20, 0x20, P66, XMM, GPR, 1, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x21, 0x21, P66, XMM, XMM, 4, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x22, 0x22, P66, XMM, GPR, Y, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x38, 0x38, P66, XMM, XMM, 16, HOST_IMM, NONE, AVX2),
	ROW(0F3A, 0x39, 0x39, P66, XMM, XMM, 16, HOST_IMM | HOST_STORE, NONE, AVX2),
	ROW(0F3A, 0x40, 0x41, P66, XMM, XMM, V, HOST_IMM, SSE41, AVX),
	ROW(0F3A, 0x42, 0x42, P66, XMM, XMM, V, HOST_IMM | INT, SSE41, AVX),
	ROW(0F3A, 0x44, 0x44, P66, XMM, XMM, V, HOST_IMM, PCLMUL, AVX),
	ROW(0F3A, 0x46, 0x46, P66, XMM, XMM, V, HOST_IMM, NONE, AVX2),
	ROW(0F3A, 0x4a, 0x4b, P66, XMM, XMM, V, HOST_IMM | HOST_IS4, NONE, AVX),
	ROW(0F3A, 0x4c, 0x4c, P66, XMM, XMM, V, HOST_IMM | HOST_IS4 | INT, NONE, AVX),
	ROW(0F3A, 0x60, 0x63, P66, XMM, XMM, 16,
	    HOST_IMM | HOST_UNALIGNED | HOST_STRING | HOST_FLAGS, SSE42, AVX),
	ROW(0F3A, 0xcc, 0xcc, NP, XMM, XMM, 16, HOST_IMM, SHA, NONE),
	ROW(0F3A, 0xce, 0xcf, P66, XMM, XMM, V, HOST_IMM, GFNI, GFNI),
	ROW(0F3A, 0xdf, 0xdf, P66, XMM, XMM, 16, HOST_IMM, AES, AVX),
};

static const struct {
	const struct host_row *rows;
	unsigned count;
} maps[MAP_COUNT] = {
	[MAP_0F] = {rows_0f, G_N_ELEMENTS(rows_0f)},
	[MAP_0F38] = {rows_0f38, G_N_ELEMENTS(rows_0f38)},
	[MAP_0F3A] = {rows_0f3a, G_N_ELEMENTS(rows_0f3a)},
};

static bool has_feature(const struct decode_env *env, unsigned feature)
{
	return env->features->words[feature_bits[feature].word] & BIT64(feature_bits[feature].bit);
}

/* The SSE2 half of rows that MMX and SSE begin. */
static unsigned legacy_feature(const struct host_row *row, const struct insn *insn)
{
	if ((row->legacy == FEATURE_MMX && insn->pp != PP_NONE) ||
	    (row->legacy == FEATURE_SSE && (insn->pp == PP_66 || insn->pp == PP_F2)))
		return FEATURE_SSE2;
	return row->legacy;
}

static unsigned vex_feature(const struct host_row *row, const struct insn *insn)
{
	if (row->vex == FEATURE_AVX && insn->vex_l) {
		if (row->flags & HOST_INTEGER)
			return FEATURE_AVX2;
		if (row->legacy == FEATURE_AES)
			return FEATURE_VAES;
		if (row->legacy == FEATURE_PCLMUL)
			return FEATURE_VPCLMUL;
	}
	return row->vex;
}

static bool row_is_legal(const struct decode_env *env, const struct insn *insn,
			 const struct host_row *row)
{
	unsigned feature = insn->vex ? vex_feature(row, insn) : legacy_feature(row, insn);

	if (!feature || !has_feature(env, feature))
		return false;
	/* With VEX the registers of MMX do not exist. */
	if (insn->vex && insn->pp == PP_NONE &&
	    (row->reg == OPERAND_PACKED || row->rm == OPERAND_PACKED))
		return false;
	if ((row->flags & HOST_MEM_ONLY) && !insn->is_mem)
		return false;
	if ((row->flags & HOST_REG_ONLY) && insn->is_mem)
		return false;
	return !(row->flags & HOST_GROUP) || (row->groups & BIT((insn->modrm >> 3) & 7));
}

enum decode_result host_row_find(const struct decode_env *env, const struct insn *insn,
				 const struct host_row **row, bool *has_imm)
{
	for (unsigned i = 0; i < maps[insn->map].count; i++) {
		const struct host_row *r = &maps[insn->map].rows[i];

		if (insn->opcode < r->first || insn->opcode > r->last ||
		    !(r->pps & BIT(insn->pp)) || !row_is_legal(env, insn, r))
			continue;
		*row = r;
		*has_imm = r->flags & HOST_IMM;
		return DECODE_OK;
	}
	*row = NULL;
	return DECODE_OK;
}

static enum host_operand resolve(uint8_t kind, const struct insn *insn)
{
	if (kind != OPERAND_PACKED)
		return kind;
	return insn->pp == PP_NONE ? OPERAND_MMX : OPERAND_XMM;
}

enum host_operand host_reg_kind(const struct insn *insn)
{
	return resolve(insn->host->reg, insn);
}

enum host_operand host_rm_kind(const struct insn *insn)
{
	return resolve(insn->host->rm, insn);
}

unsigned host_mem_size(const struct insn *insn)
{
	static const uint8_t fixed[MEM_SIZES] = {
		[MEM_1] = 1, [MEM_2] = 2, [MEM_4] = 4, [MEM_8] = 8, [MEM_16] = 16};
	const struct host_row *row = insn->host;
	bool wide = insn->rex & 8;
	unsigned length = insn->vex && insn->vex_l ? 32 : 16;

	if (insn->vex) /* general registers have 64 bits in 64-bit code only, vectors' elements everywhere */
		wide = insn->vex_w && (insn->rex || row->rm == OPERAND_XMM);
	if (row->reg == OPERAND_PACKED && insn->pp == PP_NONE)
		length = 8;
	switch (row->mem) {
	case MEM_V:
		return length;
	case MEM_V2: /* MOVDDUP takes all of a YMM register's worth */
		return row->first == 0x12 && length == 32 ? 32 : length / 2;
	case MEM_V4:
		return length / 4;
	case MEM_V8:
		return length / 8;
	case MEM_SCALAR:
		return insn->pp == PP_F3 ? 4 : insn->pp == PP_F2 ? 8 : length;
	case MEM_Y:
		return wide ? 8 : 4;
	default:
		return fixed[row->mem];
	}
}

/* CPUID of the host; AVX only if its kernel keeps the registers. */
static uint64_t host_word(enum feature_word word)
{
	const struct feature_word_info *info = &feature_words[word];
	uint32_t regs[4] = {0};

	__get_cpuid_count(info->leaf, info->subleaf, &regs[0], &regs[1], &regs[2], &regs[3]);
	return regs[info->reg];
}

uint64_t host_features(enum feature_word word)
{
	uint64_t bits = 0, host = host_word(word);
	bool avx = __builtin_cpu_supports("avx");

	for (unsigned i = 1; i < FEATURES; i++) {
		bool needs_avx = i >= FEATURE_AVX && i != FEATURE_GFNI;

		if (feature_bits[i].word == word && (avx || !needs_avx))
			bits |= BIT64(feature_bits[i].bit) & host;
	}
	return bits;
}
