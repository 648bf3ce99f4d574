/*
 * One decoded instruction: what the bytes say, before anybody decides how to carry it out.
 *
 * The decoder turns at most 15 bytes into a struct insn. It knows every encoding (Intel SDM vol. 2,
 * AMD APM vol. 3 where they differ: we are what the vendor string says only in CPUID) and refuses
 * what a real CPU refuses with #UD: an undefined opcode, LOCK where it may not stand, a register
 * where only memory can be, an opcode of another mode or of a feature this CPU does not have. It
 * knows nothing of registers' contents, memory, or how operations run; the interpreter, the judge
 * against the host CPU, the debugger's stepping and a native code generator read its result.
 *
 * Integer and system instructions have an operation (OP_*, named after the SDM's mnemonic) and are
 * carried out by files of ours. Those whose operation is OP_HOST compute on the host's own units: the
 * row of the one table in host-table.c says everything about them.
 */
#ifndef DBT_INSN_H
#define DBT_INSN_H

#include "base/common.h"
#include "cpu/cpuid.h"
#include "cpu/x86.h"

#define INSN_MAX 15

/* Opcode maps: which escape bytes, or VEX.mmmmm, come before the opcode. */
enum opcode_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_COUNT };

/* The mandatory or repeat prefix that counts: the last of F2/F3, else 66. As VEX.pp counts. */
enum insn_pp { PP_NONE, PP_66, PP_F3, PP_F2 };

/*
 * Operations. Where several opcodes differ only in a condition or a bit operation, the operation is
 * one and `sub` tells them apart: condition code 0-15 for JCC, SETCC, CMOVCC, LOOPCC; the segment
 * register (enum x86_seg) for PUSH_SEG, POP_SEG, MOV_FROM_SEG, MOV_TO_SEG, LDS; bytes of the source for
 * MOVZX, MOVSX, MOVSXD, CRC32; ModRM.reg for X87, FENCE and PREFETCH.
 *
 * Two-operand instructions have rm (register or memory) and reg, and to_reg says which one is the
 * destination; opcodes that contain a register, or mean rAX, say it in rm. With imm_size the second
 * operand is imm (ALU, MOV, TEST, shifts; D0h and D1h: as if there were an immediate 1; shifts without
 * imm_size go by CL). XCHG rAX, r: reg is rAX. IN and OUT without imm_size use DX.
 */
/* clang-format off */
#define INSN_OPS(X)                                                                                                                                         \
	/* arithmetic and logic */                                                                                                                          \
	X(ADD)                                                                                                                                              \
	X(OR)                                                                                                                                               \
	X(ADC) X(SBB) X(AND) X(SUB) X(XOR) X(CMP) X(TEST) X(INC) X(DEC) X(NEG) X(NOT) X(MUL) X(                                                             \
		IMUL) X(IMUL2) X(IMUL3) X(DIV) X(IDIV) X(DAA) X(DAS) X(AAA) X(AAS) X(AAM) X(AAD)                                                            \
		X(ROL) X(ROR) X(RCL) X(RCR) X(SHL) X(SHR) X(SAR) X(SHLD) X(SHRD) X(BT) X(BTS) X(                                                            \
			BTR) X(BTC) X(BSF) X(BSR) X(TZCNT) X(LZCNT) X(POPCNT) X(BSWAP) X(ANDN)                                                              \
			X(BEXTR) X(BLSI) X(BLSMSK) X(BLSR) X(BZHI) X(MULX) X(PDEP) X(PEXT) X(                                                               \
				RORX) X(SARX) X(SHLX) X(SHRX) X(ADCX) X(ADOX) X(CRC32) X(CBW)                                                               \
				X(CWD) /* with their wider kin, by operand size */ /* moves */                                                              \
		X(MOV) X(MOVZX) X(MOVSX) X(MOVSXD) X(MOVBE) X(LEA) X(XCHG) X(XADD) X(CMPXCHG) X(                                                            \
			CMPXCHG8B) X(CMPXCHG16B) X(CMOVCC) X(SETCC) X(XLAT) X(MOVNTI) X(MOVDIRI)                                                            \
			X(LAHF) X(SAHF) X(SALC) X(CLC) X(STC) X(CMC) X(CLD) X(STD) X(CLI) X(                                                                \
				STI) X(CLAC) X(STAC) X(PUSH) X(POP) X(PUSHA) X(POPA) X(PUSHF)                                                               \
				X(POPF) X(ENTER) X(LEAVE) X(PUSH_SEG) X(POP_SEG) X(                                                                         \
					MOV_FROM_SEG) X(MOV_TO_SEG)                                                                                         \
					X(LDS) /* LDS LES LSS LFS LGS: `sub` is the register */                                                             \
		X(NOP) X(PAUSE) X(PREFETCH) X(CLFLUSH) X(FENCE)                                                                                             \
			X(ENDBR) /* strings: MOVS and the like, with insn.rep */                                                                            \
		X(MOVS) X(CMPS) X(STOS) X(LODS) X(SCAS) X(INS) X(OUTS) /* control transfer */                                                               \
		X(JMP) X(JMP_IND) X(JMP_FAR) X(JMP_FAR_IND) X(CALL) X(CALL_IND) X(CALL_FAR)                                                                 \
			X(CALL_FAR_IND) X(RET) X(RET_FAR) X(IRET) X(JCC) X(LOOP) X(LOOPCC) X(JCXZ)                                                          \
				X(INT) X(INT3) X(INT1) X(INTO) X(BOUND) X(UD) X(SYSCALL) X(SYSRET)                                                          \
					X(SYSENTER) X(SYSEXIT) /* system */                                                                                 \
		X(IN) X(OUT) X(HLT) X(CPUID) X(RDTSC) X(RDTSCP) X(RDPMC) X(RDPID) X(RDRAND) X(                                                              \
			RDSEED) X(RDMSR) X(WRMSR) X(MOV_FROM_CR) X(MOV_TO_CR) X(MOV_FROM_DR)                                                                \
			X(MOV_TO_DR) X(CLTS) X(LMSW) X(SMSW) X(LGDT) X(LIDT) X(SGDT) X(SIDT) X(                                                             \
				LLDT) X(SLDT) X(LTR)                                                                                                        \
				X(STR) X(LAR) X(LSL) X(VERR) X(VERW) X(ARPL) X(INVD) X(WBINVD)                                                              \
					X(INVLPG) X(INVPCID) X(SWAPGS) X(RDFSBASE) X(RDGSBASE) X(                                                           \
						WRFSBASE) X(WRGSBASE) X(XGETBV)                                                                             \
						X(XSETBV) X(MONITOR) X(MWAIT) X(RSM) X(VMCALL) X(                                                           \
							VMMCALL) /* floating point and vector state as a whole, and what x87 does with flags and waiting */ \
		X(FXSAVE) X(FXRSTOR) X(XSAVE) X(XSAVEOPT) X(XSAVEC) X(XSAVES) X(XRSTOR) X(XRSTORS)                                                          \
			X(LDMXCSR) X(STMXCSR) X(EMMS) X(X87) /* D8-DF, 9B: x87.c */                                                                         \
		X(HOST)                                      /* on the host's units: insn.host */
/* clang-format on */

enum insn_op {
#define X(name) OP_##name,
	INSN_OPS(X)
#undef X
		OP_COUNT
};

/* Pseudo registers of a memory operand. */
#define BASE_NONE 16
#define BASE_RIP  17 /* the next instruction's address */

struct host_row; /* host.h */

struct insn {
	uint8_t len;
	uint16_t op; /* enum insn_op */
	uint8_t map, opcode, pp;
	uint8_t sub; /* see INSN_OPS; groups: ModRM.reg */

	uint8_t osize; /* operand size in bytes, 1-8: of this instruction, byte forms and the
			* defaults of 64-bit mode (PUSH, near branches: 8) taken into account */
	uint8_t asize; /* address size in bytes: 2, 4, 8 */
	uint8_t rep;   /* 0, 0xf2, 0xf3: as a repeat prefix of a string instruction */
	bool lock;
	uint8_t rex; /* 0x40-0x4f, 0: none (decides AH..BH or SPL..DIL) */
	bool vex;
	bool vex_l, vex_w;
	uint8_t vvvv; /* 0-15, as meant (not inverted) */

	bool has_modrm, is_mem; /* is_mem: ModRM.rm is a memory operand, or MOV's moffs */
	uint8_t modrm;
	uint8_t reg; /* ModRM.reg with REX.R; the register of opcodes that contain it, with REX.B */
	uint8_t rm;  /* ModRM.rm with REX.B, if a register */
	bool to_reg; /* of two operands (reg, rm) reg is the destination */

	/* The memory operand. The segment is an enum x86_seg, overrides and defaults applied. */
	uint8_t seg;
	uint8_t base, index, scale; /* index BASE_NONE: none; scale 0-3 */
	int64_t disp;

	uint8_t imm_size; /* bytes it had (1 for D0h, D1h); 0: none */
	int64_t imm;      /* sign-extended; branches: displacement; far pointers: offset */
	uint16_t imm2;    /* far pointers: selector; ENTER: level */

	const struct host_row *host; /* OP_HOST */
	uint8_t bytes[INSN_MAX];
};

/* What decides how bytes are read. */
struct decode_env {
	uint32_t mode; /* MODE_* of dbt.h */
	const struct cpu_features *features;
};

enum decode_result {
	DECODE_OK,
	DECODE_MORE, /* the instruction is longer than @avail */
	DECODE_UD,   /* insn->len: as far as it was read */
	DECODE_LONG, /* over 15 bytes: #GP(0) */
};

/*
 * Decodes what is at @code. @avail: bytes there; DECODE_MORE only if it is below 15. Never reads more
 * than it needs to decide.
 */
enum decode_result insn_decode(const struct decode_env *env, const uint8_t *code, unsigned avail,
			       struct insn *insn);

/* The operation's name as in INSN_OPS. For traces and tests. */
const char *insn_op_name(unsigned op);

#endif
