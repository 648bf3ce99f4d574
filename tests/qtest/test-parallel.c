/* The parallel port: registers, the printer's handshake, its interrupt, what arrives at the back end. */
#include <unistd.h>
#include "libqtest.h"

#define LPT1 0x378
#define IRQ  7

enum { DATA, STATUS, CONTROL, EPP };
enum { READY = 0xd8, BUSY = 0x58, ACK = 0x18 };

static void out(struct qts *s, unsigned reg, uint8_t value)
{
	qts_outb(s, LPT1 + reg, value);
}

static uint8_t in(struct qts *s, unsigned reg)
{
	return qts_inb(s, LPT1 + reg);
}

static void print(struct qts *s, const char *text)
{
	for (; *text; text++) {
		out(s, DATA, *text);
		out(s, CONTROL, 0x0d);
		g_assert_cmphex(in(s, STATUS), ==, BUSY);
		g_assert_cmphex(in(s, STATUS), ==, BUSY);
		out(s, CONTROL, 0x0c);
		g_assert_cmphex(in(s, STATUS), ==, BUSY);
		g_assert_cmphex(in(s, STATUS), ==, ACK);
		g_assert_cmphex(in(s, STATUS), ==, READY);
	}
}

static void test_print(void)
{
	g_autofree char *path = NULL, *args = NULL, *text = NULL;
	int fd = g_file_open_tmp("parallel-XXXXXX", &path, NULL);
	struct qts *s;

	close(fd);
	args = g_strdup_printf("-machine pc -nodefaults -parallel file:%s", path);
	s = qts_start(args);
	out(s, CONTROL, 0x08);
	print(s, "one page");
	out(s, DATA, '!');
	out(s, CONTROL, 0x05); /* not selected */
	out(s, CONTROL, 0x0c);
	qts_quit(s);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "one page");
	unlink(path);
}

static void test_registers(void)
{
	struct qts *s = qts_start("-machine pc -nodefaults -parallel null");

	g_assert_cmphex(in(s, DATA), ==, 0xff);
	g_assert_cmphex(in(s, STATUS), ==, READY | 1);
	g_assert_cmphex(in(s, CONTROL), ==, 0xcc);
	for (unsigned reg = EPP; reg < 8; reg++)
		g_assert_cmphex(in(s, reg), ==, 0xff);
	out(s, DATA, 0x55);
	g_assert_cmphex(in(s, DATA), ==, 0x55);
	out(s, CONTROL, 0x2c);
	g_assert_cmphex(in(s, DATA), ==, 0xff);
	g_assert_cmphex(in(s, CONTROL), ==, 0xec);
	out(s, CONTROL, 0);
	g_assert_cmphex(in(s, STATUS), ==, READY);
	g_assert_cmphex(qts_inw(s, LPT1), ==, READY << 8 | 0x55);
	g_assert_cmphex(qts_inl(s, LPT1), ==, 0xffffffff);
	qts_reset(s);
	g_assert_cmphex(in(s, DATA), ==, 0xff);
	g_assert_cmphex(in(s, STATUS), ==, READY | 1);
	qts_quit(s);
}

static void test_interrupt(void)
{
	struct qts *s = qts_start("-machine pc -nodefaults -parallel null");

	qts_intercept_in(s, "ioapic");
	out(s, CONTROL, 0x1d);
	g_assert_false(qts_irq(s, IRQ));
	out(s, CONTROL, 0x1c);
	g_assert_true(qts_irq(s, IRQ));
	qts_roundtrip(s);
	g_assert_true(qts_irq(s, IRQ));
	in(s, STATUS);
	g_assert_false(qts_irq(s, IRQ));
	out(s, CONTROL, 0x0d);
	in(s, STATUS);
	out(s, CONTROL, 0x0c); /* disabled now */
	g_assert_false(qts_irq(s, IRQ));
	qts_quit(s);
}

static void test_places(void)
{
	struct qts *s = qts_start("-machine pc -nodefaults -parallel null -parallel null "
				  "-chardev null,id=c -device isa-parallel,chardev=c");

	qts_outb(s, 0x278, 0x12);
	qts_outb(s, 0x3bc, 0x34);
	g_assert_cmphex(qts_inb(s, 0x278), ==, 0x12);
	g_assert_cmphex(qts_inb(s, 0x3bc), ==, 0x34);
	g_assert_cmphex(qts_inb(s, 0x3c0), ==, 0xff);
	qts_quit(s);
	s = qts_start("-machine pc -nodefaults");
	g_assert_cmphex(in(s, CONTROL), ==, 0xff);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/parallel/print", test_print);
	g_test_add_func("/parallel/registers", test_registers);
	g_test_add_func("/parallel/interrupt", test_interrupt);
	g_test_add_func("/parallel/places", test_places);
	return g_test_run();
}
