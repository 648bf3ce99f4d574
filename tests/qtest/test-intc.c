/* Interrupt controllers and timers as the board wires them. */
#include "libqtest.h"

#define IOAPIC 0xfec00000
#define HPET   0xfed00000
#define LAPIC  0xfee00000

static void set_entry(struct qts *s, unsigned pin, uint64_t entry)
{
	qts_writel(s, IOAPIC, 0x11 + 2 * pin);
	qts_writel(s, IOAPIC + 0x10, entry >> 32);
	qts_writel(s, IOAPIC, 0x10 + 2 * pin);
	qts_writel(s, IOAPIC + 0x10, entry);
}

static void init_pics(struct qts *s)
{
	static const uint8_t values[2][4] = {{0x11, 0x08, 0x04, 0x01}, {0x11, 0x70, 0x02, 0x01}};

	for (unsigned chip = 0; chip < 2; chip++) {
		for (unsigned i = 0; i < 4; i++)
			qts_outb(s, (chip ? 0xa0 : 0x20) + !!i, values[chip][i]);
	}
}

/* Request bits of the local APIC of the first CPU. */
static bool requested(struct qts *s, unsigned vector)
{
	return qts_readl(s, LAPIC + 0x200 + vector / 32 * 16) >> vector % 32 & 1;
}

static void start_pit(struct qts *s, uint16_t count)
{
	qts_outb(s, 0x43, 0x34);
	qts_outb(s, 0x40, count);
	qts_outb(s, 0x40, count >> 8);
}

static void test_pit(void)
{
	struct qts *s = qts_start("-machine pc");

	init_pics(s);
	qts_writel(s, LAPIC + 0xf0, 0x1ff);
	set_entry(s, 2, 0x51);
	start_pit(s, 11932); /* 100 Hz */
	/* Programming it raised the line; from here on ticks count. */
	qts_outb(s, 0x20, 0x0c);
	qts_inb(s, 0x20);
	qts_outb(s, 0x20, 0x20);
	qts_outb(s, 0x20, 0x0a);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0);
	qts_clock_step(s, 9900000);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0);
	qts_roundtrip(s);
	qts_clock_step(s, 200000);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 1);
	g_assert_true(requested(s, 0x51));
	qts_roundtrip(s);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 1);
	g_assert_true(requested(s, 0x51));
	qts_quit(s);
}

static void test_intercept(void)
{
	struct qts *s = qts_start("-machine pc -serial null");

	qts_intercept_in(s, "ioapic");
	qts_outb(s, 0x3fc, 0x08);
	g_assert_false(qts_irq(s, 4));
	qts_outb(s, 0x3f9, 0x02);
	g_assert_true(qts_irq(s, 4));
	qts_set_irq_in(s, "ioapic", "unnamed-gpio-in", 20, 1);
	g_assert_true(qts_irq(s, 20));
	qts_quit(s);
}

/* A level through the IOAPIC, with EOI by its register. */
static void test_level(void)
{
	struct qts *s = qts_start("-machine pc");

	qts_writel(s, LAPIC + 0xf0, 0x1ff);
	set_entry(s, 16, 0x8061);
	qts_set_irq_in(s, "ioapic", "unnamed-gpio-in", 16, 1);
	g_assert_true(requested(s, 0x61));
	g_assert_cmphex(qts_readl(s, LAPIC + 0x180 + 0x30), ==, 2); /* level-triggered */
	qts_writel(s, IOAPIC, 0x30);
	g_assert_cmphex(qts_readl(s, IOAPIC + 0x10), ==, 0xc061);
	qts_roundtrip(s);
	qts_set_irq_in(s, "ioapic", "unnamed-gpio-in", 16, 0);
	qts_writel(s, IOAPIC + 0x40, 0x61);
	g_assert_cmphex(qts_readl(s, IOAPIC + 0x10), ==, 0x8061);
	qts_quit(s);
}

static void test_speaker(void)
{
	struct qts *s = qts_start("-machine pc");
	uint8_t first = qts_inb(s, 0x61);

	g_assert_cmphex(first & 0x23, ==, 0x20);
	g_assert_cmphex((first ^ qts_inb(s, 0x61)) & 0x10, ==, 0x10);
	/* How software measures time: mode 0 with the gate open, until the output rises. */
	qts_outb(s, 0x61, 0x01);
	qts_outb(s, 0x43, 0xb0);
	qts_outb(s, 0x42, 0xff);
	qts_outb(s, 0x42, 0x2f); /* 10.3 ms */
	qts_clock_step(s, 10000000);
	g_assert_cmphex(qts_inb(s, 0x61) & 0x20, ==, 0);
	qts_clock_step(s, 1000000);
	g_assert_cmphex(qts_inb(s, 0x61) & 0x20, ==, 0x20);
	qts_quit(s);
}

static void test_hpet_legacy(void)
{
	struct qts *s = qts_start("-machine pc");

	init_pics(s);
	start_pit(s, 1193);
	qts_writel(s, HPET + 0x100, 0x14c); /* periodic, 32 bits, sets the comparator */
	qts_writel(s, HPET + 0x108, 1000000);
	qts_writel(s, HPET + 0x10, 3);
	qts_outb(s, 0x20, 0x0c); /* takes what the PIT did */
	qts_inb(s, 0x20);
	qts_outb(s, 0x20, 0x20);
	qts_outb(s, 0x20, 0x0a);
	qts_clock_step(s, 9900000);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0);
	qts_roundtrip(s);
	qts_clock_step(s, 200000);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 1);
	g_assert_cmpuint(qts_readl(s, HPET + 0x108), ==, 2000000);
	qts_quit(s);
}

static void test_no_hpet(void)
{
	struct qts *s = qts_start("-machine pc,hpet=off");

	g_assert_cmphex(qts_readl(s, HPET), !=, 0x8086a201);
	qts_quit(s);
	s = qts_start("-machine pc -no-hpet");
	g_assert_cmphex(qts_readl(s, HPET), !=, 0x8086a201);
	qts_quit(s);
	s = qts_start("-machine pc -global hpet.timers=5 -global hpet.msi=on");
	g_assert_cmphex(qts_readl(s, HPET), ==, 0x8086a401);
	qts_quit(s);
}

static void test_lapic_timer(void)
{
	struct qts *s = qts_start("-machine pc -smp 2");

	qts_writel(s, LAPIC + 0xf0, 0x1ff);
	qts_writel(s, LAPIC + 0x3e0, 0xb);
	qts_writel(s, LAPIC + 0x320, 0x20033);
	qts_writel(s, LAPIC + 0x380, 1000000);
	qts_clock_step(s, 400000);
	g_assert_cmpuint(qts_readl(s, LAPIC + 0x390), ==, 600000);
	qts_roundtrip(s);
	g_assert_cmpuint(qts_readl(s, LAPIC + 0x390), ==, 600000);
	g_assert_false(requested(s, 0x33));
	qts_clock_step(s, 600000);
	g_assert_true(requested(s, 0x33));
	/* To the other CPU and back: only the first one's registers can be seen. */
	qts_writel(s, LAPIC + 0x300, 0x40044);
	g_assert_true(requested(s, 0x44));
	qts_reset(s);
	g_assert_cmphex(qts_readl(s, LAPIC + 0xf0), ==, 0xff);
	g_assert_false(requested(s, 0x44));
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/intc/pit", test_pit);
	g_test_add_func("/intc/intercept", test_intercept);
	g_test_add_func("/intc/level", test_level);
	g_test_add_func("/intc/speaker", test_speaker);
	g_test_add_func("/intc/hpet-legacy", test_hpet_legacy);
	g_test_add_func("/intc/no-hpet", test_no_hpet);
	g_test_add_func("/intc/lapic-timer", test_lapic_timer);
	return g_test_run();
}
