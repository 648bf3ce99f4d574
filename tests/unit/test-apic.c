/* Local APICs, the bus between them, and the I/O APIC: SDM vol. 3, chapter 11; 82093AA. */
#include "event/lock.h"
#include "event/thread.h"
#include "intc-bench.h"
#include "machine/runstate.h"
#include "state/state.h"

enum { PHYSICAL = 0, LOGICAL = 1 << 11, LEVEL = 1 << 15, MASKED = 1 << 16 };
enum { TO_SELF = 1 << 18, TO_ALL = 2 << 18, TO_OTHERS = 3 << 18 };
enum { FIXED = 0, LOWEST = 1 << 8, SMI = 2 << 8, NMI = 4 << 8, INIT = 5 << 8, STARTUP = 6 << 8 };
enum { EXTINT = 7 << 8 };

/* A bench whose local APICs software has enabled. */
static struct intc_bench *enabled(void)
{
	struct intc_bench *b = intc_bench();

	for (unsigned n = 0; n < INTC_CPUS; n++)
		cpu_write(b, n, APIC_SVR, 0x1ff);
	return b;
}

static void ipi(struct intc_bench *b, unsigned from, uint32_t low, uint8_t dest)
{
	cpu_write(b, from, APIC_ICR_HIGH, (uint32_t)dest << 24);
	cpu_write(b, from, APIC_ICR, low);
}

/* Which CPUs have @vector requested: a bit each. Takes it. */
static unsigned takers(struct intc_bench *b, unsigned vector)
{
	unsigned found = 0;

	for (unsigned n = 0; n < INTC_CPUS; n++) {
		if (cpu_acknowledge(b, n) == (int)vector) {
			found |= BIT(n);
			cpu_write(b, n, APIC_EOI, 0);
		}
	}
	return found;
}

static void test_reset(void)
{
	struct intc_bench *b = intc_bench();

	g_assert_cmphex(cpu_read(b, 2, APIC_ID), ==, 0x02000000);
	g_assert_cmphex(cpu_read(b, 0, APIC_VERSION), ==, 0x01050014);
	g_assert_cmphex(cpu_read(b, 0, APIC_SVR), ==, 0xff);
	g_assert_cmphex(cpu_read(b, 0, APIC_DFR), ==, 0xffffffff);
	g_assert_cmphex(cpu_read(b, 0, APIC_LVT_LINT0), ==, 0x700);
	g_assert_cmphex(cpu_read(b, 1, APIC_LVT_LINT0), ==, 0x10000);
	g_assert_cmphex(cpu_read(b, 0, APIC_LVT_TIMER), ==, 0x10000);
	/* Disabled: takes nothing, and LVT entries stay masked. */
	lapic_accept(b->lapic[0], 0x40, false);
	g_assert_false(cpu_pending(b, 0));
	cpu_write(b, 0, APIC_LVT_LINT1, 0x400);
	g_assert_cmphex(cpu_read(b, 0, APIC_LVT_LINT1), ==, 0x10400);
}

static void test_priorities(void)
{
	struct intc_bench *b = enabled();

	lapic_accept(b->lapic[0], 0x51, false);
	lapic_accept(b->lapic[0], 0x61, false);
	lapic_accept(b->lapic[0], 0x5f, false);
	g_assert_cmphex(cpu_read(b, 0, APIC_IRR + 2), ==, 0x80020000);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x61);
	g_assert_cmphex(cpu_read(b, 0, APIC_PPR), ==, 0x60);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, -1);
	cpu_write(b, 0, APIC_EOI, 0);
	cpu_write(b, 0, APIC_TPR, 0x52); /* a class holds back all of itself */
	g_assert_false(cpu_pending(b, 0));
	g_assert_cmphex(cpu_read(b, 0, APIC_PPR), ==, 0x52);
	b->cpu[0]->acc.intr->sync(b->lapic[0], 4, b->lapic[0]->base);
	g_assert_cmphex(cpu_read(b, 0, APIC_TPR), ==, 0x40);
	g_assert_cmpuint(b->cpu[0]->acc.intr->get_tpr(b->lapic[0]), ==, 4);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x5f);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, -1); /* the same class waits */
	lapic_accept(b->lapic[0], 0xf0, false);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0xf0);
	g_assert_cmphex(cpu_read(b, 0, APIC_ISR + 2), ==, 0x80000000);
	g_assert_cmphex(cpu_read(b, 0, APIC_ISR + 7), ==, 0x10000);
	cpu_write(b, 0, APIC_EOI, 0);
	cpu_write(b, 0, APIC_EOI, 0);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x51);
}

static void test_errors(void)
{
	struct intc_bench *b = enabled();

	cpu_write(b, 0, APIC_LVT_ERROR, 0x33);
	ipi(b, 0, FIXED | TO_SELF | 0x05, 0);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x33);
	g_assert_cmphex(cpu_read(b, 0, APIC_ESR), ==, 0);
	cpu_write(b, 0, APIC_ESR, 0);
	g_assert_cmphex(cpu_read(b, 0, APIC_ESR), ==, ESR_SEND_ILLEGAL_VECTOR);
	lapic_accept(b->lapic[0], 3, false);
	cpu_write(b, 0, 0x3c, 1);
	cpu_write(b, 0, APIC_ESR, 0);
	g_assert_cmphex(cpu_read(b, 0, APIC_ESR), ==,
			ESR_RECEIVE_ILLEGAL_VECTOR | ESR_ILLEGAL_REGISTER);
	cpu_write(b, 0, APIC_ESR, 0);
	g_assert_cmphex(cpu_read(b, 0, APIC_ESR), ==, 0);
}

static void test_destinations(void)
{
	struct intc_bench *b = enabled();

	ipi(b, 0, FIXED | 0x41, 2);
	g_assert_cmphex(takers(b, 0x41), ==, 0x4);
	ipi(b, 0, FIXED | 0x42, 0xff);
	g_assert_cmphex(takers(b, 0x42), ==, 0xf);
	ipi(b, 1, FIXED | TO_SELF | 0x43, 0);
	g_assert_cmphex(takers(b, 0x43), ==, 0x2);
	ipi(b, 1, FIXED | TO_ALL | 0x44, 0);
	g_assert_cmphex(takers(b, 0x44), ==, 0xf);
	ipi(b, 1, FIXED | TO_OTHERS | 0x45, 0);
	g_assert_cmphex(takers(b, 0x45), ==, 0xd);
	ipi(b, 1, FIXED | 0x46, 77);
	g_assert_cmphex(takers(b, 0x46), ==, 0);

	for (unsigned n = 0; n < INTC_CPUS; n++)
		cpu_write(b, n, APIC_LDR, 0x01000000 << n);
	ipi(b, 0, LOGICAL | 0x47, 0x0a);
	g_assert_cmphex(takers(b, 0x47), ==, 0xa);
	/* Clusters 1 and 2, two CPUs each. */
	for (unsigned n = 0; n < INTC_CPUS; n++) {
		cpu_write(b, n, APIC_DFR, 0);
		cpu_write(b, n, APIC_LDR, (n / 2 + 1) << 28 | BIT(n % 2) << 24);
	}
	g_assert_cmphex(cpu_read(b, 0, APIC_DFR), ==, 0x0fffffff);
	ipi(b, 0, LOGICAL | 0x48, 0x23);
	g_assert_cmphex(takers(b, 0x48), ==, 0xc);
	ipi(b, 0, LOGICAL | 0x49, 0x12);
	g_assert_cmphex(takers(b, 0x49), ==, 0x2);
}

static void test_lowest_priority(void)
{
	struct intc_bench *b = enabled();
	unsigned seen = 0;

	for (unsigned n = 0; n < INTC_CPUS; n++)
		cpu_write(b, n, APIC_LDR, 0x01000000 << n);
	cpu_write(b, 0, APIC_TPR, 0x20);
	cpu_write(b, 1, APIC_TPR, 0x10);
	cpu_write(b, 2, APIC_TPR, 0x30);
	cpu_write(b, 3, APIC_SVR, 0xff); /* disabled */
	ipi(b, 2, LOGICAL | LOWEST | 0x50, 0x0f);
	g_assert_cmphex(takers(b, 0x50), ==, 0x2);
	for (unsigned n = 0; n < 3; n++)
		cpu_write(b, n, APIC_TPR, 0);
	for (unsigned i = 0; i < 12; i++) {
		unsigned taker;

		ipi(b, 2, LOGICAL | LOWEST | 0x50, 0x0f);
		taker = takers(b, 0x50);
		g_assert_true(IS_POWER_OF_2(taker));
		seen |= taker;
	}
	g_assert_cmphex(seen, ==, 0x7);
}

static void test_startup(void)
{
	struct intc_bench *b = enabled();
	struct x86_state *s = &b->cpu[1]->acc.state;

	s->rflags = 0x246;
	s->cr0 = CR0_PE | CR0_PG | CR0_CD;
	s->efer = EFER_LMA;
	s->xsave[5] = 0x77;
	lapic_accept(b->lapic[1], 0x80, false);
	ipi(b, 0, INIT | ICR_ASSERT | LEVEL, 1);
	g_assert_cmpint(s->mp_state, ==, MP_INIT_RECEIVED);
	g_assert_cmphex(s->cr0, ==, CR0_ET | CR0_CD);
	g_assert_cmphex(s->efer, ==, 0);
	g_assert_cmphex(s->rflags, ==, 2);
	g_assert_cmphex(s->xsave[5], ==, 0x77);
	g_assert_cmphex(cpu_read(b, 1, APIC_SVR), ==, 0xff);
	g_assert_cmphex(cpu_read(b, 1, APIC_ID), ==, 0x01000000);
	g_assert_false(cpu_pending(b, 1));
	ipi(b, 0, INIT | LEVEL, 1); /* de-assert */
	ipi(b, 0, STARTUP | 0x9a, 1);
	g_assert_cmpint(s->mp_state, ==, MP_RUNNABLE);
	g_assert_cmphex(s->seg[S_CS].base, ==, 0x9a000);
	g_assert_cmphex(s->seg[S_CS].selector, ==, 0x9a00);
	g_assert_cmphex(s->rip, ==, 0);
	ipi(b, 0, STARTUP | 0x10, 1); /* it runs: the second one is nothing to it */
	g_assert_cmphex(s->seg[S_CS].base, ==, 0x9a000);
}

static void test_nmi_smi(void)
{
	struct intc_bench *b = enabled();

	ipi(b, 0, NMI, 1);
	ipi(b, 0, NMI | TO_OTHERS, 0);
	ipi(b, 0, SMI, 0);
	g_assert_cmpuint(b->nmis[1], ==, 2);
	g_assert_cmpuint(b->nmis[0], ==, 0);
	g_assert_cmpuint(b->nmis[3], ==, 1);
	g_assert_cmpuint(b->smis[0], ==, 1);
	cpu_write(b, 2, APIC_LVT_LINT1, NMI);
	irq_set(device_input(b->bus, "", 1), 1);
	irq_set(device_input(b->bus, "", 1), 0);
	g_assert_cmpuint(b->nmis[2], ==, 2);
	g_assert_cmpuint(b->nmis[3], ==, 1);
}

static void port_out(uint16_t port, uint8_t value)
{
	as_store(&bench()->io, NULL, port, 1, value);
}

static void test_extint(void)
{
	struct intc_bench *b = enabled();
	static const uint8_t setup[] = {0x11, 0x08, 0x04, 0x01, 0x00};

	port_out(0x20, setup[0]);
	for (unsigned i = 1; i < sizeof(setup); i++)
		port_out(0x21, setup[i]);
	irq_set(device_input(b->pic[0], "", 3), 1);
	g_assert_true(cpu_pending(b, 0));
	g_assert_false(cpu_pending(b, 1));
	cpu_write(b, 0, APIC_LVT_LINT0, MASKED | EXTINT);
	g_assert_false(cpu_pending(b, 0));
	cpu_write(b, 0, APIC_LVT_LINT0, EXTINT);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x0b);
	g_assert_false(cpu_pending(b, 0));
	port_out(0x20, 0x20);
	/* Switched off altogether, its pin is the CPU's. */
	lapic_set_base(&b->lapic[1]->dev, APIC_BASE_PAGE);
	irq_set(device_input(b->pic[0], "", 3), 0);
	irq_set(device_input(b->pic[0], "", 3), 1);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x0b);
	port_out(0x20, 0x20);
	/* By way of the IOAPIC. */
	cpu_write(b, 0, APIC_LVT_LINT0, MASKED);
	ioapic_set_entry(5, EXTINT | 2ULL << 56);
	irq_set(device_input(b->pic[0], "", 3), 0);
	irq_set(device_input(b->pic[0], "", 3), 1);
	g_assert_false(cpu_pending(b, 2));
	irq_set(device_input(b->ioapic, "", 5), 1);
	g_assert_cmpint(cpu_acknowledge(b, 2), ==, 0x0b);
	g_assert_false(cpu_pending(b, 2));
}

static void test_lint_level(void)
{
	struct intc_bench *b = enabled();

	cpu_write(b, 1, APIC_LVT_LINT1, LEVEL | 0x70);
	lapic_set_lint(b->lapic[1], 1, true);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x70);
	g_assert_cmphex(cpu_read(b, 1, APIC_LVT_LINT1), ==, LEVEL | LVT_REMOTE_IRR | 0x70);
	cpu_write(b, 1, APIC_EOI, 0);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x70);
	lapic_set_lint(b->lapic[1], 1, false);
	cpu_write(b, 1, APIC_EOI, 0);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, -1);
	g_assert_cmphex(cpu_read(b, 1, APIC_LVT_LINT1), ==, LEVEL | 0x70);
}

/* ---- Messages ---- */

static void message(struct intc_bench *b, uint64_t addr, uint32_t data)
{
	struct msi_message msg = {addr, data};

	apic_bus_send(b->bus, &msg);
}

static void test_messages(void)
{
	struct intc_bench *b = enabled();

	message(b, 0xfee03000, 0x4031);
	g_assert_cmphex(takers(b, 0x31), ==, 0x8);
	message(b, 0xfeeff000, 0x32);
	g_assert_cmphex(takers(b, 0x32), ==, 0xf);
	cpu_write(b, 1, APIC_LDR, 0x02000000);
	message(b, 0xfee02004, 0x33);
	g_assert_cmphex(takers(b, 0x33), ==, 0x2);
	message(b, 0xfee0200c, 0x134);
	g_assert_cmphex(takers(b, 0x34), ==, 0x2);
	message(b, 0xfee01010, 0x35); /* for interrupt remapping */
	message(b, 0xfef01000, 0x35);
	message(b, 0x1fee01000, 0x35);
	g_assert_cmphex(takers(b, 0x35), ==, 0);
	message(b, 0xfee01020, 0x36); /* destination 101h, by KVM's extension */
	g_assert_cmphex(takers(b, 0x36), ==, 0);
	/* A device's store into the window. */
	as_store(&bench()->memory, NULL, 0xfee02000, 4, 0x37);
	g_assert_cmphex(takers(b, 0x37), ==, 0x4);
	/* The first CPU's registers, for want of a CPU that runs. */
	as_store(&bench()->memory, NULL, 0xfee00080, 4, 0x90);
	g_assert_cmphex(cpu_read(b, 0, APIC_TPR), ==, 0x90);
}

/* ---- x2APIC ---- */

static uint64_t msr(struct intc_bench *b, unsigned n, uint32_t index)
{
	uint64_t value;

	g_assert_true(lapic_msr_read(&b->lapic[n]->dev, index, &value));
	return value;
}

static bool set_msr(struct intc_bench *b, unsigned n, uint32_t index, uint64_t value)
{
	return lapic_msr_write(&b->lapic[n]->dev, index, value);
}

static bool set_mode(struct intc_bench *b, unsigned n, uint64_t mode)
{
	return lapic_set_base(&b->lapic[n]->dev, APIC_BASE_PAGE | mode | (n ? 0 : APIC_BASE_BSP));
}

static void test_modes(void)
{
	struct intc_bench *b = enabled();
	uint64_t value;

	g_assert_false(lapic_msr_read(&b->lapic[0]->dev, 0x802, &value));
	g_assert_true(set_mode(b, 1, 0));
	g_assert_false(set_mode(b, 1, APIC_BASE_ENABLE | APIC_BASE_EXTD));
	g_assert_false(set_mode(b, 1, APIC_BASE_EXTD));
	g_assert_true(set_mode(b, 1, APIC_BASE_ENABLE));
	g_assert_cmphex(cpu_read(b, 1, APIC_SVR), ==, 0xff); /* it has forgotten everything */
	g_assert_true(set_mode(b, 1, APIC_BASE_ENABLE | APIC_BASE_EXTD));
	g_assert_false(set_mode(b, 1, APIC_BASE_ENABLE));
	g_assert_true(set_mode(b, 1, 0));
	g_assert_false(lapic_set_base(&b->lapic[0]->dev, APIC_BASE_PAGE | 1));
	b->cpu[2]->acc.features.words[FEAT_1_ECX] = 0;
	g_assert_false(set_mode(b, 2, APIC_BASE_ENABLE | APIC_BASE_EXTD));
	b->cpu[2]->acc.features.words[FEAT_1_ECX] = BIT(21) | BIT(24);
}

static void test_x2apic(void)
{
	struct intc_bench *b = enabled();

	for (unsigned n = 0; n < INTC_CPUS; n++)
		g_assert_true(set_mode(b, n, APIC_BASE_ENABLE | APIC_BASE_EXTD));
	g_assert_cmphex(msr(b, 3, 0x802), ==, 3);
	g_assert_cmphex(msr(b, 3, 0x80d), ==, 0x8);
	g_assert_true(set_msr(b, 0, 0x830, 0x0000000300000041));
	g_assert_cmphex(takers(b, 0x41), ==, 0x8);
	g_assert_cmphex(msr(b, 0, 0x830), ==, 0x0000000300000041);
	g_assert_true(set_msr(b, 0, 0x830, 0x000000ff00000042)); /* no broadcast here */
	g_assert_cmphex(takers(b, 0x42), ==, 0);
	g_assert_true(set_msr(b, 0, 0x830, 0xffffffff00000042));
	g_assert_cmphex(takers(b, 0x42), ==, 0xf);
	g_assert_true(set_msr(b, 0, 0x830, 0x0000000600000843)); /* logical, cluster 0 */
	g_assert_cmphex(takers(b, 0x43), ==, 0x6);
	g_assert_true(set_msr(b, 0, 0x830, 0x0001000600000844)); /* cluster 1 */
	g_assert_cmphex(takers(b, 0x44), ==, 0);
	g_assert_true(set_msr(b, 2, 0x83f, 0x45));
	g_assert_cmphex(takers(b, 0x45), ==, 0x4);
	message(b, 0xfee03000, 0x46);
	g_assert_cmphex(takers(b, 0x46), ==, 0x8);
	/* General protection. */
	g_assert_false(set_msr(b, 0, 0x80b, 1));
	g_assert_false(set_msr(b, 0, 0x802, 1));
	g_assert_false(set_msr(b, 0, 0x80e, 0));
	g_assert_false(set_msr(b, 0, 0x831, 0));
	g_assert_false(set_msr(b, 0, 0x808, 0x100));
	g_assert_false(set_msr(b, 0, 0x83f, 0x100));
	g_assert_false(set_msr(b, 0, 0x8ff, 0));
	/* Its page is just memory for messages now. */
	g_assert_cmphex(msr(b, 0, 0x808), ==, 0);
	as_store(&bench()->memory, NULL, 0xfee00080, 4, 0x90);
	g_assert_cmphex(msr(b, 0, 0x808), ==, 0);
}

static void test_moved(void)
{
	struct intc_bench *b = enabled();
	uint64_t value;

	g_assert_true(lapic_set_base(&b->lapic[0]->dev, 0x80000 | APIC_BASE_ENABLE));
	as_store(&bench()->memory, NULL, 0x80080, 4, 0x40);
	g_assert_cmphex(cpu_read(b, 0, APIC_TPR), ==, 0x40);
	as_load(&bench()->memory, NULL, 0x80020, 4, &value);
	g_assert_cmphex(value, ==, 0);
	as_load(&bench()->memory, NULL, 0x80030, 4, &value);
	g_assert_cmphex(value, ==, 0x01050014);
	as_store(&bench()->memory, NULL, 0xfee00080, 4, 0x50);
	g_assert_cmphex(cpu_read(b, 0, APIC_TPR), ==, 0x40);
	b->cpu[0]->acc.intr->sync(b->lapic[0], 4, 0xfee05000 | APIC_BASE_ENABLE);
	as_store(&bench()->memory, NULL, 0xfee05080, 4, 0x60);
	g_assert_cmphex(cpu_read(b, 0, APIC_TPR), ==, 0x60);
	as_store(&bench()->memory, NULL, 0x80080, 4, 0x12345678);
	as_load(&bench()->memory, NULL, 0x80080, 4, &value);
	g_assert_cmphex(value, ==, 0x12345678); /* RAM again */
}

/* ---- Timer ---- */

static void go(int64_t ns)
{
	clock_virtual_step(clock_virtual_get() + ns);
}

static void test_timer(void)
{
	struct intc_bench *b = enabled();

	cpu_write(b, 0, APIC_LVT_TIMER, 0x40);
	cpu_write(b, 0, APIC_TIMER_DIVIDE, 0xb);
	cpu_write(b, 0, APIC_TIMER_INITIAL, 100000);
	go(40000);
	g_assert_cmpuint(cpu_read(b, 0, APIC_TIMER_CURRENT), ==, 60000);
	go(59999);
	g_assert_false(cpu_pending(b, 0));
	go(1);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x40);
	cpu_write(b, 0, APIC_EOI, 0);
	g_assert_cmpuint(cpu_read(b, 0, APIC_TIMER_CURRENT), ==, 0);
	go(1000000);
	g_assert_false(cpu_pending(b, 0));
	/* Periodic, divided by 16; then by 2. */
	cpu_write(b, 0, APIC_LVT_TIMER, 0x20041);
	cpu_write(b, 0, APIC_TIMER_DIVIDE, 3);
	cpu_write(b, 0, APIC_TIMER_INITIAL, 10000);
	for (unsigned i = 0; i < 3; i++) {
		go(159999);
		g_assert_false(cpu_pending(b, 0));
		go(1);
		g_assert_cmpuint(cpu_read(b, 0, APIC_TIMER_CURRENT), ==, 10000);
		g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x41);
		cpu_write(b, 0, APIC_EOI, 0);
	}
	cpu_write(b, 0, APIC_LVT_TIMER, 0x30041);
	go(400000);
	g_assert_false(cpu_pending(b, 0));
	cpu_write(b, 0, APIC_TIMER_INITIAL, 0);
	cpu_write(b, 0, APIC_LVT_TIMER, 0x20041);
	go(400000);
	g_assert_false(cpu_pending(b, 0));
}

static void test_deadline(void)
{
	struct intc_bench *b = enabled();
	struct device *dev = &b->lapic[0]->dev;

	lapic_set_tsc_deadline(dev, 5000, 1000, 2 * NS_PER_SEC);
	g_assert_cmpuint(lapic_tsc_deadline(dev), ==, 0); /* another mode */
	cpu_write(b, 0, APIC_LVT_TIMER, 0x40042);
	cpu_write(b, 0, APIC_TIMER_INITIAL, 100);
	lapic_set_tsc_deadline(dev, 401000, 1000, 2 * NS_PER_SEC);
	g_assert_cmpuint(lapic_tsc_deadline(dev), ==, 401000);
	go(199999);
	g_assert_false(cpu_pending(b, 0));
	go(1);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x42);
	cpu_write(b, 0, APIC_EOI, 0);
	g_assert_cmpuint(lapic_tsc_deadline(dev), ==, 0);
	lapic_set_tsc_deadline(dev, 400000, 500000, 2 * NS_PER_SEC); /* past */
	go(0);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x42);
	lapic_set_tsc_deadline(dev, UINT64_MAX, 0, 1);
	lapic_set_tsc_deadline(dev, 0, 0, 1);
	go(1000000);
	g_assert_false(cpu_pending(b, 0));
}

/* ---- IOAPIC ---- */

static void pin(struct intc_bench *b, unsigned n, int level)
{
	irq_set(device_input(b->ioapic, "", n), level);
}

static void test_ioapic_registers(void)
{
	intc_bench();
	g_assert_cmphex(ioapic_read_reg(1), ==, 0x170020);
	ioapic_write_reg(0, 0xff000000);
	g_assert_cmphex(ioapic_read_reg(0), ==, 0x0f000000);
	g_assert_cmphex(ioapic_read_reg(2), ==, 0x0f000000);
	g_assert_cmphex(ioapic_entry(23), ==, MASKED);
	ioapic_set_entry(23, UINT64_MAX);
	g_assert_cmphex(ioapic_entry(23), ==, ~0x5000ULL);
	g_assert_cmphex(ioapic_read_reg(0x40), ==, 0);
}

static void test_ioapic_edge(void)
{
	struct intc_bench *b = enabled();

	ioapic_set_entry(5, 0x61 | 1ULL << 56);
	pin(b, 5, 1);
	g_assert_cmphex(takers(b, 0x61), ==, 0x2);
	pin(b, 5, 1);
	g_assert_cmphex(takers(b, 0x61), ==, 0);
	pin(b, 5, 0);
	ioapic_set_entry(5, MASKED | 0x61 | 1ULL << 56);
	pin(b, 5, 1); /* lost */
	ioapic_set_entry(5, 0x61 | 1ULL << 56);
	g_assert_cmphex(takers(b, 0x61), ==, 0);
	ioapic_set_entry(2, 0x62); /* where line 0 arrives */
	pin(b, 0, 1);
	g_assert_cmphex(takers(b, 0x62), ==, 0x1);
	ioapic_set_entry(7, NMI | 3ULL << 56);
	pin(b, 7, 1);
	g_assert_cmpuint(b->nmis[3], ==, 1);
}

static void test_ioapic_level(void)
{
	struct intc_bench *b = enabled();

	ioapic_set_entry(9, LEVEL | 0x71 | 1ULL << 56);
	pin(b, 9, 1);
	g_assert_cmphex(ioapic_entry(9) & LVT_REMOTE_IRR, !=, 0);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x71);
	g_assert_cmphex(cpu_read(b, 1, APIC_TMR + 3), ==, 0x20000);
	g_assert_false(cpu_pending(b, 1));
	cpu_write(b, 1, APIC_EOI, 0);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x71); /* the level is still there */
	pin(b, 9, 0);
	cpu_write(b, 1, APIC_EOI, 0);
	g_assert_cmphex(ioapic_entry(9) & LVT_REMOTE_IRR, ==, 0);
	g_assert_false(cpu_pending(b, 1));
	/* Masked while it is high: it comes when it is let through. */
	ioapic_set_entry(9, MASKED | LEVEL | 0x71 | 1ULL << 56);
	pin(b, 9, 1);
	g_assert_false(cpu_pending(b, 1));
	ioapic_set_entry(9, LEVEL | 0x71 | 1ULL << 56);
	g_assert_true(cpu_pending(b, 1));
}

/* Ways to end a level-triggered interrupt without the broadcast. */
static void test_ioapic_directed(void)
{
	struct intc_bench *b = enabled();

	cpu_write(b, 1, APIC_SVR, 0x1ff | SVR_NO_EOI_BROADCAST);
	ioapic_set_entry(9, LEVEL | 0x71 | 1ULL << 56);
	pin(b, 9, 1);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x71);
	cpu_write(b, 1, APIC_EOI, 0);
	g_assert_false(cpu_pending(b, 1));
	g_assert_cmphex(ioapic_entry(9) & LVT_REMOTE_IRR, !=, 0);
	as_store(&bench()->memory, NULL, IOAPIC_BASE + 0x40, 4, 0x70);
	g_assert_false(cpu_pending(b, 1));
	as_store(&bench()->memory, NULL, IOAPIC_BASE + 0x40, 4, 0x71);
	g_assert_cmpint(cpu_acknowledge(b, 1), ==, 0x71);
	cpu_write(b, 1, APIC_EOI, 0);
	pin(b, 9, 0);
	ioapic_set_entry(9, MASKED | 0x71 | 1ULL << 56);
	g_assert_cmphex(ioapic_entry(9) & LVT_REMOTE_IRR, ==, 0);
}

static void test_ioapic_odd_entries(void)
{
	struct intc_bench *b = enabled();

	ioapic_set_entry(4, 0x81 | 1ULL << 48); /* for interrupt remapping */
	pin(b, 4, 1);
	g_assert_cmphex(takers(b, 0x81), ==, 0);
	ioapic_set_entry(6, LEVEL | 0x300 | 0x82); /* reserved delivery mode */
	pin(b, 6, 1);
	g_assert_cmphex(takers(b, 0x82), ==, 0);
	g_assert_cmphex(ioapic_entry(6) & LVT_REMOTE_IRR, ==, 0);
	ioapic_set_entry(10, 0x03); /* illegal vector */
	pin(b, 10, 1);
	cpu_write(b, 0, APIC_ESR, 0);
	g_assert_cmphex(cpu_read(b, 0, APIC_ESR), ==, ESR_RECEIVE_ILLEGAL_VECTOR);
}

/* ---- Saving ---- */

static void test_save(void)
{
	struct intc_bench *b = enabled();
	g_autoptr(GByteArray) lapic = g_byte_array_new(), ioapic = g_byte_array_new();

	ioapic_set_entry(9, LEVEL | 0x71);
	pin(b, 9, 1);
	cpu_acknowledge(b, 0);
	lapic_accept(b->lapic[0], 0x91, false);
	cpu_write(b, 0, APIC_LVT_TIMER, 0x20040);
	cpu_write(b, 0, APIC_TIMER_INITIAL, 100000); /* divided by 2 */
	go(150000);
	state_save_device(&b->lapic[0]->dev, lapic);
	state_save_device(b->ioapic, ioapic);
	device_reset(&b->lapic[0]->dev);
	device_reset(b->ioapic);
	g_assert_true(state_load_device(&b->lapic[0]->dev, lapic->data, lapic->len, NULL));
	g_assert_true(state_load_device(b->ioapic, ioapic->data, ioapic->len, NULL));
	g_assert_cmpuint(cpu_read(b, 0, APIC_TIMER_CURRENT), ==, 25000);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x91);
	cpu_write(b, 0, APIC_EOI, 0);
	g_assert_cmphex(cpu_read(b, 0, APIC_PPR), ==, 0x70);
	cpu_write(b, 0, APIC_EOI, 0);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x71);
	pin(b, 9, 0);
	cpu_write(b, 0, APIC_EOI, 0);
	go(49999);
	g_assert_false(cpu_pending(b, 0));
	go(1);
	g_assert_cmpint(cpu_acknowledge(b, 0), ==, 0x40);
}

/* ---- Many at once ---- */

#define SENDERS 3
#define ROUNDS  20000

struct sender {
	struct intc_bench *b;
	unsigned vector;
	int answered; /* atomic */
};

/* Sends, and waits for the answer: one that is lost hangs the test. */
static void *send_all(void *opaque)
{
	struct sender *s = opaque;

	for (int i = 1; i <= ROUNDS; i++) {
		lapic_accept(s->b->lapic[0], s->vector, i & 1);
		while (__atomic_load_n(&s->answered, __ATOMIC_ACQUIRE) < i)
			g_thread_yield();
	}
	return NULL;
}

static void test_concurrent(void)
{
	struct intc_bench *b = enabled();
	struct sender senders[SENDERS];
	GThread *threads[SENDERS];
	unsigned taken = 0;

	machine_unlock(); /* EOIs of level-triggered vectors take it */
	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){b, 0x50 + i * 0x10, 0};
		threads[i] = g_thread_new("sender", send_all, &senders[i]);
	}
	while (taken < SENDERS * ROUNDS) {
		int vector = cpu_acknowledge(b, 0);

		if (vector < 0)
			continue;
		cpu_write(b, 0, APIC_EOI, 0);
		__atomic_add_fetch(&senders[(vector - 0x50) / 0x10].answered, 1, __ATOMIC_RELEASE);
		taken++;
	}
	for (unsigned i = 0; i < SENDERS; i++) {
		g_thread_join(threads[i]);
		g_assert_cmpint(senders[i].answered, ==, ROUNDS);
	}
	machine_lock();
	g_assert_false(cpu_pending(b, 0));
}

/* ---- A CPU that sleeps ---- */

static struct intc_bench *slept;
static int served; /* atomic */

static bool sleeper_create(struct accel_cpu *cpu, GError **errp)
{
	return true;
}

static void sleeper_destroy(struct accel_cpu *cpu)
{
}

/* Takes what there is, and sleeps. */
static enum run_result sleeper_run(struct accel_cpu *cpu)
{
	while (cpu_acknowledge(slept, 0) >= 0) {
		cpu_write(slept, 0, APIC_EOI, 0);
		__atomic_add_fetch(&served, 1, __ATOMIC_RELEASE);
	}
	return __atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST) ? RUN_KICKED : RUN_HALTED;
}

static const struct accel_ops sleeper_ops = {
	.name = "sleeper",
	.thread_suffix = "TEST",
	.executes = true,
	.vcpu_create = sleeper_create,
	.vcpu_destroy = sleeper_destroy,
	.vcpu_run = sleeper_run,
};

/* Every interrupt finds a CPU that is asleep, or just about to be: one that is lost hangs the test. */
static void test_wake(void)
{
	struct intc_bench *b = enabled();
	struct vcpu *cpu = b->cpu[0];
	const struct accel_ops *ops = b->accel.ops;

	slept = b;
	b->accel.ops = &sleeper_ops;
	runstate_set(RUN_STATE_RUNNING);
	g_assert_true(vcpu_start(cpu, NULL));
	cpu->stopped = false;
	g_cond_broadcast(&cpu->wake);
	for (int i = 1; i <= ROUNDS; i++) {
		/* Senders with the machine lock and without. */
		if (i % 2)
			machine_unlock();
		lapic_accept(b->lapic[0], 0x50, false);
		if (!(i % 2))
			machine_unlock();
		while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) < i)
			g_thread_yield();
		machine_lock();
	}
	vcpu_destroy(cpu);
	runstate_set(RUN_STATE_PRELAUNCH);
	cpu->unplug = false;
	cpu->stopped = true;
	b->accel.ops = ops;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apic/reset", test_reset);
	g_test_add_func("/apic/priorities", test_priorities);
	g_test_add_func("/apic/errors", test_errors);
	g_test_add_func("/apic/destinations", test_destinations);
	g_test_add_func("/apic/lowest-priority", test_lowest_priority);
	g_test_add_func("/apic/startup", test_startup);
	g_test_add_func("/apic/nmi-smi", test_nmi_smi);
	g_test_add_func("/apic/extint", test_extint);
	g_test_add_func("/apic/lint-level", test_lint_level);
	g_test_add_func("/apic/messages", test_messages);
	g_test_add_func("/apic/modes", test_modes);
	g_test_add_func("/apic/x2apic", test_x2apic);
	g_test_add_func("/apic/moved", test_moved);
	g_test_add_func("/apic/timer", test_timer);
	g_test_add_func("/apic/deadline", test_deadline);
	g_test_add_func("/ioapic/registers", test_ioapic_registers);
	g_test_add_func("/ioapic/edge", test_ioapic_edge);
	g_test_add_func("/ioapic/level", test_ioapic_level);
	g_test_add_func("/ioapic/directed", test_ioapic_directed);
	g_test_add_func("/ioapic/odd-entries", test_ioapic_odd_entries);
	g_test_add_func("/apic/save", test_save);
	g_test_add_func("/apic/concurrent", test_concurrent);
	g_test_add_func("/apic/wake", test_wake);
	return g_test_run();
}
