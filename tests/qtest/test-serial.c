/* The 16550A on the ISA bus: registers, FIFOs, interrupts, its character device. */
#include <unistd.h>
#include "libqtest.h"

#define COM1 0x3f8
#define IRQ  4

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static struct qts *start(void)
{
	struct qts *s = qts_start("-machine pc -serial null");

	qts_intercept_in(s, "ioapic");
	return s;
}

static uint8_t in(struct qts *s, unsigned reg)
{
	return qts_inb(s, COM1 + reg);
}

static void out(struct qts *s, unsigned reg, uint8_t value)
{
	qts_outb(s, COM1 + reg, value);
}

static void test_reset_values(void)
{
	static const uint8_t expected[] = {0x00, 0x00, 0x01, 0x00, 0x08, 0x60, 0xb0, 0x00};
	struct qts *s = start();

	for (unsigned reg = 0; reg < 8; reg++)
		g_assert_cmphex(in(s, reg), ==, expected[reg]);
	out(s, SCR, 0x5a);
	out(s, LCR, 0x83);
	out(s, DATA, 0x01);
	out(s, IER, 0x02);
	g_assert_cmphex(in(s, DATA), ==, 0x01);
	g_assert_cmphex(in(s, IER), ==, 0x02);
	qts_reset(s);
	for (unsigned reg = 0; reg < 8; reg++)
		g_assert_cmphex(in(s, reg), ==, expected[reg]);
	/* The divisor is 12 again: 9600 baud. */
	out(s, LCR, 0x80);
	g_assert_cmphex(in(s, DATA), ==, 12);
	g_assert_cmphex(in(s, IER), ==, 0);
	qts_quit(s);
}

static void test_kept_bits(void)
{
	struct qts *s = start();

	out(s, IER, 0xff);
	g_assert_cmphex(in(s, IER), ==, 0x0f);
	out(s, MCR, 0xff);
	g_assert_cmphex(in(s, MCR), ==, 0x1f);
	out(s, LCR, 0x7f);
	g_assert_cmphex(in(s, LCR), ==, 0x7f);
	out(s, SCR, 0xa5);
	g_assert_cmphex(in(s, SCR), ==, 0xa5);
	out(s, FCR, 0x01);
	g_assert_cmphex(in(s, IIR) & 0xc0, ==, 0xc0);
	out(s, FCR, 0x00);
	g_assert_cmphex(in(s, IIR) & 0xc0, ==, 0x00);
	qts_quit(s);
}

/* Transmitter empty is latched by the enable bit and goes when IIR was read. */
static void test_transmit_interrupt(void)
{
	struct qts *s = start();

	g_assert_false(qts_irq(s, IRQ));
	out(s, IER, 0x02);
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(in(s, IIR), ==, 0x02);
	g_assert_false(qts_irq(s, IRQ));
	g_assert_cmphex(in(s, IIR), ==, 0x01);
	out(s, DATA, 'x');
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(in(s, LSR), ==, 0x60);
	out(s, IER, 0x00);
	g_assert_false(qts_irq(s, IRQ));
	qts_quit(s);
}

static void test_loopback(void)
{
	struct qts *s = start();

	out(s, MCR, 0x10);
	out(s, IER, 0x05);
	out(s, DATA, 0x42);
	g_assert_cmphex(in(s, LSR), ==, 0x61);
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(in(s, IIR), ==, 0x04);
	/* A second byte before the first was read: overrun, and a line status interrupt. */
	out(s, DATA, 0x43);
	g_assert_cmphex(in(s, IIR), ==, 0x06);
	g_assert_cmphex(in(s, LSR), ==, 0x63);
	g_assert_cmphex(in(s, LSR), ==, 0x61);
	g_assert_cmphex(in(s, DATA), ==, 0x43);
	g_assert_cmphex(in(s, LSR), ==, 0x60);
	g_assert_false(qts_irq(s, IRQ));
	/* DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD. */
	for (unsigned line = 0; line < 4; line++) {
		static const uint8_t seen[] = {0x20, 0x10, 0x40, 0x80};

		out(s, MCR, 0x10 | 1 << line);
		g_assert_cmphex(in(s, MSR) & 0xf0, ==, seen[line]);
	}
	qts_quit(s);
}

static void test_fifo_trigger(void)
{
	static const unsigned levels[] = {1, 4, 8, 14};
	struct qts *s = start();

	out(s, MCR, 0x10);
	out(s, IER, 0x01);
	for (unsigned l = 0; l < 4; l++) {
		out(s, FCR, 0x07 | l << 6);
		for (unsigned n = 1; n < levels[l]; n++) {
			out(s, DATA, n);
			g_assert_false(qts_irq(s, IRQ));
		}
		out(s, DATA, levels[l]);
		g_assert_true(qts_irq(s, IRQ));
		g_assert_cmphex(in(s, IIR), ==, 0xc4);
		g_assert_cmphex(in(s, DATA), ==, 1);
		g_assert_false(qts_irq(s, IRQ));
	}
	/* The 17th byte is one too many; the first 16 stay. */
	out(s, FCR, 0xc7);
	for (unsigned n = 0; n < 17; n++)
		out(s, DATA, n);
	g_assert_cmphex(in(s, LSR), ==, 0x63);
	for (unsigned n = 0; n < 16; n++)
		g_assert_cmphex(in(s, DATA), ==, n);
	g_assert_cmphex(in(s, LSR), ==, 0x60);
	qts_quit(s);
}

/* Below the trigger level, an interrupt four character times after the last byte. */
static void test_fifo_timeout(void)
{
	const int64_t char_time = 1000000000LL / 115200 * 10;
	struct qts *s = start();

	out(s, LCR, 0x83);
	out(s, DATA, 1); /* 115200 baud */
	out(s, IER, 0);
	out(s, LCR, 0x03);
	out(s, MCR, 0x10);
	out(s, IER, 0x01);
	out(s, FCR, 0x81);
	out(s, DATA, 'a');
	out(s, DATA, 'b');
	qts_clock_step(s, 4 * char_time - 1);
	g_assert_false(qts_irq(s, IRQ));
	qts_clock_step(s, 1);
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(in(s, IIR), ==, 0xcc);
	g_assert_cmphex(in(s, DATA), ==, 'a');
	g_assert_false(qts_irq(s, IRQ));
	qts_clock_step(s, 4 * char_time);
	g_assert_cmphex(in(s, IIR), ==, 0xcc);
	g_assert_cmphex(in(s, DATA), ==, 'b');
	qts_clock_step(s, 100 * char_time);
	g_assert_cmphex(in(s, IIR), ==, 0xc1);
	qts_quit(s);
}

static void test_output(void)
{
	g_autofree char *path = g_strdup_printf("%s/quail-serial-%d", g_get_tmp_dir(), getpid());
	g_autofree char *args = g_strdup_printf("-machine pc -serial file:%s", path);
	g_autofree char *text = NULL;
	struct qts *s = qts_start(args);

	out(s, FCR, 0x01);
	for (const char *c = "Hello, world\n"; *c; c++)
		out(s, DATA, *c);
	qts_quit(s);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "Hello, world\n");
	unlink(path);
}

/* The first free place each; a fifth has none. */
static void test_places(void)
{
	static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	struct qts *s = qts_start("-machine pc -serial null -serial null -chardev null,id=a "
				  "-chardev null,id=b -chardev null,id=c "
				  "-device isa-serial,chardev=a -device isa-serial,chardev=b");

	for (unsigned i = 0; i < 4; i++)
		g_assert_cmphex(qts_inb(s, ports[i] + LSR), ==, 0x60);
	/* Firmware learns of the first two from the power management function. */
	g_assert_cmphex(qts_pci_readb(s, 0, QTS_DEVFN(1, 3), 0x67), ==, 0x98);
	qts_quit(s);
}

static void test_round_trip(void)
{
	struct qts *s = start();

	out(s, MCR, 0x10);
	out(s, FCR, 0x81);
	out(s, IER, 0x0f);
	out(s, DATA, 'q');
	out(s, SCR, 0x77);
	qts_roundtrip(s);
	g_assert_cmphex(in(s, SCR), ==, 0x77);
	g_assert_cmphex(in(s, DATA), ==, 'q');
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/serial/reset-values", test_reset_values);
	g_test_add_func("/serial/kept-bits", test_kept_bits);
	g_test_add_func("/serial/transmit-interrupt", test_transmit_interrupt);
	g_test_add_func("/serial/loopback", test_loopback);
	g_test_add_func("/serial/fifo-trigger", test_fifo_trigger);
	g_test_add_func("/serial/fifo-timeout", test_fifo_timeout);
	g_test_add_func("/serial/output", test_output);
	g_test_add_func("/serial/places", test_places);
	g_test_add_func("/serial/round-trip", test_round_trip);
	return g_test_run();
}
