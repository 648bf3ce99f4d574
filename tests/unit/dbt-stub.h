/* A vCPU for tests of operations, without a machine: dbt-stub-mmu.c. */
#ifndef DBT_STUB_H
#define DBT_STUB_H

#include "accel/dbt/block.h"

/* In 64-bit user mode, flat, every feature there. */
struct dbt_cpu *stub_cpu_new(void);
void stub_cpu_free(struct dbt_cpu *cpu);
/* Compatibility mode, flat, or back. */
void stub_cpu_set_32(struct dbt_cpu *cpu, bool is_32);
/* Accesses to a page by the inline way, or not. */
void stub_cpu_map(struct dbt_cpu *cpu, uint64_t page, bool fast);
/* From cpu->rip to one of @exits: true; false: cpu->fault, cpu->rip. */
bool stub_cpu_run(struct dbt_cpu *cpu, const uint64_t *exits, unsigned count);

#endif
