/*
 * Local APIC: interrupts on their way into the CPU. IRR, ISR, priorities (SDM vol. 3, 11.8).
 */
#include "base/trace.h"
#include "event/lock.h"
#include "lapic.h"

TRACE_DEFINE(lapic_accept, "cpu %u vector 0x%02x level %d");
TRACE_DEFINE(lapic_acknowledge, "cpu %u vector 0x%02x");
TRACE_DEFINE(lapic_eoi, "cpu %u vector 0x%02x");

#define PRIORITY_CLASS 0xf0

/* ---- Bits by vector ---- */

static uint32_t *vector_reg(struct lapic *l, unsigned bank, unsigned vector)
{
	return &l->regs[bank + vector / APIC_VECTORS_PER_REG];
}

static uint32_t vector_bit(unsigned vector)
{
	return BIT(vector % APIC_VECTORS_PER_REG);
}

static void vector_set(struct lapic *l, unsigned bank, unsigned vector)
{
	__atomic_fetch_or(vector_reg(l, bank, vector), vector_bit(vector), __ATOMIC_SEQ_CST);
}

static void vector_clear(struct lapic *l, unsigned bank, unsigned vector)
{
	__atomic_fetch_and(vector_reg(l, bank, vector), ~vector_bit(vector), __ATOMIC_SEQ_CST);
}

static bool vector_test(const struct lapic *l, unsigned bank, unsigned vector)
{
	return lapic_get(l, bank + vector / APIC_VECTORS_PER_REG) & vector_bit(vector);
}

/* The highest vector of a bank, or -1. */
static int highest(const struct lapic *l, unsigned bank)
{
	for (int i = APIC_VECTOR_REGS - 1; i >= 0; i--) {
		uint32_t bits = __atomic_load_n(&l->regs[bank + i], __ATOMIC_SEQ_CST);

		if (bits)
			return i * APIC_VECTORS_PER_REG + 31 - __builtin_clz(bits);
	}
	return -1;
}

/* ---- Acceptance ---- */

void lapic_error(struct lapic *l, uint32_t bits)
{
	uint32_t old = __atomic_fetch_or(&l->errors, bits, __ATOMIC_SEQ_CST);

	if (bits & ~old)
		lapic_local(l, APIC_LVT_ERROR);
}

void lapic_accept(struct lapic *l, unsigned vector, bool level)
{
	trace(lapic_accept, l->cpu->index, vector, level);
	if (vector < APIC_FIRST_VECTOR) {
		lapic_error(l, ESR_RECEIVE_ILLEGAL_VECTOR);
		return;
	}
	if (!lapic_is_enabled(l))
		return;
	if (level)
		vector_set(l, APIC_TMR, vector);
	else
		vector_clear(l, APIC_TMR, vector);
	vector_set(l, APIC_IRR, vector);
	vcpu_wake(l->cpu);
}

void lapic_accept_extint(struct lapic *l)
{
	__atomic_store_n(&l->extint, 1, __ATOMIC_SEQ_CST);
	vcpu_wake(l->cpu);
}

void lapic_local(struct lapic *l, unsigned lvt)
{
	uint32_t entry = lapic_get(l, lvt);
	struct apic_message msg = {
		.delivery = (entry & LVT_DELIVERY) >> 8,
		.vector = entry & LVT_VECTOR,
	};

	if (entry & LVT_MASKED)
		return;
	if (lvt == APIC_LVT_ERROR || lvt == APIC_LVT_TIMER)
		msg.delivery = DELIVERY_FIXED;
	/* Only LINT0 and LINT1 can be level-triggered, and only fixed interrupts. */
	if (lvt == APIC_LVT_LINT0 || lvt == APIC_LVT_LINT1)
		msg.level = msg.delivery == DELIVERY_FIXED && (entry & LVT_LEVEL);
	if (msg.level) {
		if (entry & LVT_REMOTE_IRR)
			return;
		__atomic_fetch_or(&l->regs[lvt], LVT_REMOTE_IRR, __ATOMIC_SEQ_CST);
	}
	lapic_deliver(l, &msg);
}

/* ExtINT is a level that the CPU looks at; for everything else a rise, or a level, is a message. */
void lapic_set_lint(struct lapic *l, unsigned n, bool level)
{
	uint32_t old;

	if (!level) {
		__atomic_fetch_and(&l->lint_levels, ~BIT(n), __ATOMIC_SEQ_CST);
		return;
	}
	old = __atomic_fetch_or(&l->lint_levels, BIT(n), __ATOMIC_SEQ_CST);
	if (old & BIT(n))
		return;
	if (!lapic_is_present(l)) { /* the pins are INTR and NMI of the CPU itself */
		struct apic_message nmi = {.delivery = DELIVERY_NMI};

		if (n)
			lapic_deliver(l, &nmi);
		else
			vcpu_wake(l->cpu);
		return;
	}
	if ((lapic_get(l, APIC_LVT_LINT0 + n) & LVT_DELIVERY) >> 8 == DELIVERY_EXTINT)
		vcpu_wake(l->cpu);
	else
		lapic_local(l, APIC_LVT_LINT0 + n);
}

/* ---- The CPU's side: its own thread ---- */

static uint32_t ppr_class(const struct lapic *l)
{
	int isr = highest(l, APIC_ISR);
	uint32_t tpr = lapic_get(l, APIC_TPR);

	return MAX(tpr, isr < 0 ? 0 : (uint32_t)isr) & PRIORITY_CLASS;
}

uint32_t lapic_ppr(const struct lapic *l)
{
	uint32_t tpr = lapic_get(l, APIC_TPR), class = ppr_class(l);

	return class == (tpr & PRIORITY_CLASS) ? tpr : class;
}

static bool pin_is_extint(const struct lapic *l, unsigned n)
{
	uint32_t entry = lapic_get(l, APIC_LVT_LINT0 + n);

	return !(entry & LVT_MASKED) && (entry & LVT_DELIVERY) >> 8 == DELIVERY_EXTINT;
}

/* The PIC wants in, and is let through. */
static bool extint_pending(const struct lapic *l)
{
	uint32_t levels = __atomic_load_n(&l->lint_levels, __ATOMIC_SEQ_CST);

	if (!lapic_is_present(l))
		return levels & BIT(0);
	for (unsigned n = 0; levels && n < 2; n++) {
		if ((levels & BIT(n)) && pin_is_extint(l, n))
			return true;
	}
	return __atomic_load_n(&l->extint, __ATOMIC_SEQ_CST);
}

/* The vector of the local APIC itself that may interrupt now, or -1. */
static int next_vector(const struct lapic *l)
{
	int irr = lapic_is_present(l) ? highest(l, APIC_IRR) : -1;

	return irr >= 0 && (irr & PRIORITY_CLASS) > ppr_class(l) ? irr : -1;
}

static bool intr_pending(void *opaque)
{
	struct lapic *l = opaque;

	return extint_pending(l) || next_vector(l) >= 0;
}

static int acknowledge_pic(struct lapic *l)
{
	MACHINE_LOCK_SCOPE();

	__atomic_store_n(&l->extint, 0, __ATOMIC_SEQ_CST);
	return l->bus->pic ? i8259_acknowledge(l->bus->pic) : -1;
}

static int intr_acknowledge(void *opaque)
{
	struct lapic *l = opaque;
	int vector = extint_pending(l) ? acknowledge_pic(l) : -1;

	if (vector >= 0)
		return vector;
	vector = next_vector(l);
	if (vector < 0)
		return -1;
	vector_clear(l, APIC_IRR, vector);
	vector_set(l, APIC_ISR, vector);
	trace(lapic_acknowledge, l->cpu->index, (unsigned)vector);
	return vector;
}

static uint64_t intr_get_tpr(void *opaque)
{
	return lapic_get(opaque, APIC_TPR) >> 4;
}

/* Guests write CR8 and the base without leaving, or with an exit the accelerator keeps for itself. */
static void intr_sync(void *opaque, uint64_t cr8, uint64_t apic_base)
{
	struct lapic *l = opaque;

	if (lapic_get(l, APIC_TPR) >> 4 != cr8)
		lapic_put(l, APIC_TPR, cr8 << 4);
	if (apic_base != lapic_base(l))
		lapic_take_base(l, apic_base);
}

/* ---- For accelerators that carry out RDMSR and WRMSR themselves ---- */

static bool intr_msr_read(void *opaque, uint32_t index, uint64_t *value)
{
	struct lapic *l = opaque;

	return lapic_msr_read(&l->dev, index, value);
}

static bool intr_msr_write(void *opaque, uint32_t index, uint64_t value)
{
	struct lapic *l = opaque;

	return lapic_msr_write(&l->dev, index, value);
}

static bool intr_set_base(void *opaque, uint64_t value)
{
	struct lapic *l = opaque;

	return lapic_set_base(&l->dev, value);
}

static uint64_t intr_get_base(void *opaque)
{
	return lapic_base(opaque);
}

static uint64_t intr_get_tsc_deadline(void *opaque)
{
	struct lapic *l = opaque;

	return lapic_tsc_deadline(&l->dev);
}

static void intr_set_tsc_deadline(void *opaque, uint64_t deadline, uint64_t tsc, uint64_t tsc_hz)
{
	struct lapic *l = opaque;

	lapic_set_tsc_deadline(&l->dev, deadline, tsc, tsc_hz);
}

static void intr_set_tpr(void *opaque, uint64_t cr8)
{
	lapic_put(opaque, APIC_TPR, cr8 << 4);
}

const struct accel_intr_ops lapic_intr_ops = {
	.pending = intr_pending,
	.acknowledge = intr_acknowledge,
	.get_tpr = intr_get_tpr,
	.sync = intr_sync,
	.msr_read = intr_msr_read,
	.msr_write = intr_msr_write,
	.set_base = intr_set_base,
	.get_base = intr_get_base,
	.get_tsc_deadline = intr_get_tsc_deadline,
	.set_tsc_deadline = intr_set_tsc_deadline,
	.set_tpr = intr_set_tpr,
};

/* ---- EOI ---- */

/* A LINT pin that still has its level interrupts again. */
static void end_lint(struct lapic *l, unsigned n, unsigned vector)
{
	uint32_t *entry = &l->regs[APIC_LVT_LINT0 + n];
	uint32_t old = lapic_get(l, APIC_LVT_LINT0 + n);

	if (!(old & LVT_REMOTE_IRR) || (old & LVT_VECTOR) != vector)
		return;
	__atomic_fetch_and(entry, ~LVT_REMOTE_IRR, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->lint_levels, __ATOMIC_SEQ_CST) & BIT(n))
		lapic_local(l, APIC_LVT_LINT0 + n);
}

void lapic_end_interrupt(struct lapic *l)
{
	int vector = highest(l, APIC_ISR);

	if (vector < 0)
		return;
	trace(lapic_eoi, l->cpu->index, (unsigned)vector);
	vector_clear(l, APIC_ISR, vector);
	if (!vector_test(l, APIC_TMR, vector))
		return;
	for (unsigned n = 0; n < 2; n++)
		end_lint(l, n, vector);
	if (!(lapic_get(l, APIC_SVR) & SVR_NO_EOI_BROADCAST) && l->bus->ioapic)
		ioapic_eoi(l->bus->ioapic, vector);
}
