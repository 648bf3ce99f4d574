/*
 * Floating point and vectors on the host's own units.
 *
 * Guest and host have the same instruction set, so an x87, MMX, SSE or AVX instruction (and a few
 * integer ones) is carried out by executing its own opcode. Each distinct encoding gets a stub of
 * native code, made once and kept: it loads the registers the instruction names from struct dbt_cpu
 * into the same host registers, executes the opcode with its memory operand replaced by [RSI] and
 * general registers by scratch ones, and stores what it may have written. Results, rounding, flags
 * and exceptions are those of the hardware, exact by construction. One table (host-table.c) says which
 * opcodes go that way, and what a stub has to know of each.
 *
 * x87 registers and MXCSR are live in the host's between host_enter() and host_leave(); vector
 * registers live in cpu->vec. Between the two, code of ours must not use floating point, and callbacks
 * of devices are not called: the slow paths of memory and ports leave and enter around them.
 */
#ifndef DBT_HOST_H
#define DBT_HOST_H

#include "dbt.h"

/*
 * The row of an opcode, when prefixes, opcode and ModRM are known and insn says them (is_mem, reg, rm,
 * vex). DECODE_OK with NULL: none of the host's. DECODE_UD: an illegal form of one. *has_imm: an 8-bit
 * immediate follows.
 */
enum decode_result host_row_find(const struct decode_env *env, const struct insn *insn,
				 const struct host_row **row, bool *has_imm);

void host_enter(struct dbt_cpu *cpu);
void host_leave(struct dbt_cpu *cpu);

/* Machine-wide: the memory stubs live in, the handler of SIGFPE. */
bool host_init(GError **errp);
bool host_cpu_init(struct dbt_cpu *cpu);
void host_cpu_cleanup(struct dbt_cpu *cpu);

/* cpu's vector and x87 state from and into an XSAVE area in standard format. Not between enter/leave. */
void host_load_xsave(struct dbt_cpu *cpu, const uint8_t *area);
void host_store_xsave(struct dbt_cpu *cpu, uint8_t *area);

/* What the host's units can do, as the feature words a guest may be offered. */
uint64_t host_features(enum feature_word word);

#endif
