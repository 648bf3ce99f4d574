/*
 * Local APICs in the process: what their files share.
 *
 * Who touches what. A local APIC is used by its own vCPU's thread, which must not wait for anybody
 * between two instructions of the guest, and by everybody who sends interrupts: other vCPUs, iothreads,
 * the main loop. So its registers fall into three groups:
 *
 *	IRR, TMR	Anybody sets a bit, atomically; the owner clears IRR bits as it takes them. A
 *			sender first makes TMR say whether the vector is level-triggered, then sets the
 *			IRR bit, then wakes the vCPU. The same goes for `signals` (ExtINT messages), for
 *			the level of the LINT pins, and for errors on their way into ESR.
 *	timer		Guarded by the machine lock, as its callback runs under it. The owner takes the
 *			lock for the registers of the timer and for nothing else of its own.
 *	the rest	Written by the owner only (ISR, TPR, LVT, ICR...), each as one atomic word.
 *			Others look at those that say whom a message means: ID, LDR, DFR, SVR, APIC base.
 *			A message that meets a CPU just changing them may go by the old or the new value,
 *			as on the bus.
 *
 * While the vCPU is stopped (reset, save, load, INIT) its state belongs to whoever stopped it.
 *
 * Nothing is lost on the way to sleep. The vCPU looks at pending() before each entry into the guest
 * and before it sleeps; a sender sets its bit before it calls vcpu_wake(), which raises exit_request
 * before it looks whether the vCPU sleeps, while the vCPU says that it sleeps before it looks at
 * exit_request. One of the two sees the other (machine/vcpu.h).
 *
 * INIT, SIPI, NMI and SMI change the CPU itself, so they are work for its own thread
 * (vcpu_run_async()), in the order in which they were sent.
 *
 * Registers stand in `regs` by their offset in the page divided by 16, which also is their MSR of x2APIC
 * mode; the same order as in the page KVM saves, so one can be made from the other.
 *
 * Source: Intel SDM vol. 3, chapter 11 (x2APIC: 11.12; messages: 11.11).
 */
#ifndef HW_INTC_LAPIC_H
#define HW_INTC_LAPIC_H

#include "event/clock.h"
#include "hw/intc.h"

enum lapic_reg {
	APIC_ID = 0x02,
	APIC_VERSION = 0x03,
	APIC_TPR = 0x08,
	APIC_APR = 0x09,
	APIC_PPR = 0x0a,
	APIC_EOI = 0x0b,
	APIC_RRD = 0x0c,
	APIC_LDR = 0x0d,
	APIC_DFR = 0x0e,
	APIC_SVR = 0x0f,
	APIC_ISR = 0x10,
	APIC_TMR = 0x18,
	APIC_IRR = 0x20,
	APIC_ESR = 0x28,
	APIC_ICR = 0x30,
	APIC_ICR_HIGH = 0x31,
	APIC_LVT_TIMER = 0x32,
	APIC_LVT_THERMAL = 0x33,
	APIC_LVT_PERF = 0x34,
	APIC_LVT_LINT0 = 0x35,
	APIC_LVT_LINT1 = 0x36,
	APIC_LVT_ERROR = 0x37,
	APIC_TIMER_INITIAL = 0x38,
	APIC_TIMER_CURRENT = 0x39,
	APIC_TIMER_DIVIDE = 0x3e,
	APIC_SELF_IPI = 0x3f,
	APIC_REGS = 0x40,
};

#define APIC_VECTORS_PER_REG 32
#define APIC_VECTOR_REGS     8
#define APIC_FIRST_VECTOR    16 /* those below are illegal */

enum {
	SVR_ENABLED = BIT(8),
	SVR_NO_EOI_BROADCAST = BIT(12),

	LVT_VECTOR = 0xff,
	LVT_DELIVERY = 0x700,
	LVT_REMOTE_IRR = BIT(14),
	LVT_LEVEL = BIT(15),
	LVT_MASKED = BIT(16),
	LVT_TIMER_MODE = BIT(17) | BIT(18),
	LVT_PERIODIC = BIT(17),
	LVT_TSC_DEADLINE = BIT(18),

	ICR_LOGICAL = BIT(11),
	ICR_ASSERT = BIT(14),
	ICR_LEVEL = BIT(15),
	ICR_SHORTHAND_SHIFT = 18,

	ESR_REDIRECTABLE_IPI = BIT(4),
	ESR_SEND_ILLEGAL_VECTOR = BIT(5),
	ESR_RECEIVE_ILLEGAL_VECTOR = BIT(6),
	ESR_ILLEGAL_REGISTER = BIT(7),

	VERSION_MAX_LVT = 5 << 16,
	VERSION_NO_EOI_BROADCAST = BIT(24),
};

enum apic_delivery {
	DELIVERY_FIXED,
	DELIVERY_LOWEST,
	DELIVERY_SMI,
	DELIVERY_RESERVED,
	DELIVERY_NMI,
	DELIVERY_INIT,
	DELIVERY_STARTUP,
	DELIVERY_EXTINT,
};

#define APIC_PAGE_SIZE  0x1000
#define APIC_BASE_PAGE  0xfee00000ULL
#define APIC_BASE_FLAGS (APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_ENABLE)

struct apic_bus {
	struct device dev;
	struct apic_bus_config config;
	struct device *pic, *ioapic; /* NULL: none */
	struct region window;
	GPtrArray *lapics; /* struct lapic *; complete before any CPU runs */
	gint turn;         /* atomic: where the search for the lowest priority begins */
};

struct lapic {
	struct device dev;
	struct apic_bus *bus;
	struct vcpu *cpu;
	uint32_t id;
	uint8_t version;
	bool vapic;

	struct region page; /* where software has moved the registers to */
	bool page_mapped;

	uint32_t regs[APIC_REGS];
	uint64_t base;        /* IA32_APIC_BASE */
	uint32_t errors;      /* atomic: what the next write to ESR will show */
	uint32_t extint;      /* atomic: ExtINT messages came */
	uint32_t lint_levels; /* atomic: BIT(n) is the level of LINTn */

	/* The timer; machine lock */
	struct timer timer;
	int64_t timer_start; /* ns: when it began to count down */
	uint64_t tsc_deadline;
};

static inline struct lapic *lapic_of(struct device *dev)
{
	return container_of(dev, struct lapic, dev);
}

static inline uint32_t lapic_get(const struct lapic *l, unsigned reg)
{
	return __atomic_load_n(&l->regs[reg], __ATOMIC_RELAXED);
}

static inline void lapic_put(struct lapic *l, unsigned reg, uint32_t value)
{
	__atomic_store_n(&l->regs[reg], value, __ATOMIC_RELAXED);
}

static inline uint64_t lapic_base(const struct lapic *l)
{
	return __atomic_load_n(&l->base, __ATOMIC_RELAXED);
}

static inline bool lapic_is_x2apic(const struct lapic *l)
{
	return lapic_base(l) & APIC_BASE_EXTD;
}

static inline bool lapic_is_present(const struct lapic *l)
{
	return lapic_base(l) & APIC_BASE_ENABLE;
}

static inline bool lapic_is_enabled(const struct lapic *l)
{
	return lapic_is_present(l) && (lapic_get(l, APIC_SVR) & SVR_ENABLED);
}

/* ---- lapic.c: registers ---- */

/* The CPU accesses its page at @offset; only 32-bit accesses at multiples of 16 mean anything. */
uint32_t lapic_page_read(struct lapic *l, unsigned offset);
void lapic_page_write(struct lapic *l, unsigned offset, uint32_t value);
/* The registers after RESET or INIT; ID and base stay. */
void lapic_init_registers(struct lapic *l);
/* IA32_APIC_BASE has become @value, be it legal or not. The CPU's own thread, or the CPU is stopped. */
void lapic_take_base(struct lapic *l, uint64_t value);

/* ---- lapic-irq.c: interrupts of this CPU ---- */

extern const struct accel_intr_ops lapic_intr_ops;
/* Into IRR, and wakes the CPU. Any thread. */
void lapic_accept(struct lapic *l, unsigned vector, bool level);
void lapic_accept_extint(struct lapic *l);
/* Something of this local APIC's own, by its LVT entry. Any thread. */
void lapic_local(struct lapic *l, unsigned lvt);
void lapic_set_lint(struct lapic *l, unsigned n, bool level);
void lapic_error(struct lapic *l, uint32_t bits);
uint32_t lapic_ppr(const struct lapic *l);
void lapic_end_interrupt(struct lapic *l);

/* ---- lapic-timer.c ---- */

void lapic_timer_init(struct lapic *l);
void lapic_timer_reset(struct lapic *l);
uint32_t lapic_timer_current(struct lapic *l);
/* Writes to the timer's registers and its LVT entry. */
void lapic_timer_write(struct lapic *l, unsigned reg, uint32_t value);

/* ---- apic-bus.c: messages between them ---- */

struct apic_message {
	uint32_t dest;
	bool wide; /* dest is of x2APIC mode: 32 bits */
	bool logical;
	uint8_t delivery, vector;
	bool level; /* level-triggered */
};
void apic_bus_deliver(struct apic_bus *bus, const struct apic_message *msg);
/* The local APIC of the CPU whose thread this is; NULL: none, a device is at work. */
struct lapic *apic_bus_current(struct apic_bus *bus);
/* To one of them, whatever its ID. */
void lapic_deliver(struct lapic *l, const struct apic_message *msg);
/* What a write to the ICR sends. */
void lapic_send_ipi(struct lapic *l, uint32_t low, uint32_t dest);

#endif
