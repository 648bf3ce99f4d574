/*
 * Debug registers, single steps, and what the debugger of the user wants (SDM vol. 3, chapter 17).
 */
#ifndef DBT_DEBUG_H
#define DBT_DEBUG_H

#include "dbt.h"

/* MODE_STEP and MODE_BREAK as they should be. */
uint32_t debug_mode(const struct dbt_cpu *cpu);
/* A data breakpoint lies in [lin, lin + size): accesses must not go the fast way. */
bool debug_watches(const struct dbt_cpu *cpu, uint64_t lin, uint64_t size);
/* An access is about to be made: notes which breakpoints it hits, for debug_after(). */
void debug_check_data(struct dbt_cpu *cpu, uint64_t lin, uint64_t size, bool is_write);
void debug_check_port(struct dbt_cpu *cpu, uint16_t port, unsigned size);
/* DR7, an address, or the debugger's request changed. */
void debug_changed(struct dbt_cpu *cpu);

#endif
