/*
 * A board with nothing but interrupt controllers, and CPUs that run no instructions: what an accelerator
 * would ask the local APICs is asked by the test.
 */
#ifndef TESTS_UNIT_INTC_BENCH_H
#define TESTS_UNIT_INTC_BENCH_H

#include "machine/machine.h"
#include "hw/intc/lapic.h"
#include "trial-bench.h"

#define INTC_CPUS 4

struct intc_bench {
	struct accel accel;
	struct device *pic[2], *ioapic, *bus;
	struct machine machine; /* of the CPUs */
	struct vcpu *cpu[INTC_CPUS];
	struct lapic *lapic[INTC_CPUS];
	unsigned nmis[INTC_CPUS], smis[INTC_CPUS];
};

/* Made once; reset at each call. Features of the CPUs include x2APIC and the TSC deadline timer. */
struct intc_bench *intc_bench(void);

/* What a vCPU's thread does between two runs of the guest. */
static inline bool cpu_pending(struct intc_bench *b, unsigned n)
{
	return b->cpu[n]->acc.intr->pending(b->cpu[n]->acc.intr_opaque);
}
static inline int cpu_acknowledge(struct intc_bench *b, unsigned n)
{
	return b->cpu[n]->acc.intr->acknowledge(b->cpu[n]->acc.intr_opaque);
}

/* Registers of CPU @n's page. */
static inline uint32_t cpu_read(struct intc_bench *b, unsigned n, unsigned reg)
{
	return lapic_page_read(b->lapic[n], reg * 16);
}
static inline void cpu_write(struct intc_bench *b, unsigned n, unsigned reg, uint32_t value)
{
	lapic_page_write(b->lapic[n], reg * 16, value);
}

/* The IOAPIC's registers, through its window. */
uint32_t ioapic_read_reg(unsigned reg);
void ioapic_write_reg(unsigned reg, uint32_t value);
uint64_t ioapic_entry(unsigned pin);
void ioapic_set_entry(unsigned pin, uint64_t entry);

#endif
