#include "libqtest.h"

static void exits_with(const char *device, uint16_t port, uint8_t value, int status)
{
	g_autofree char *args = g_strdup_printf("-machine pc -device %s", device);
	struct qts *s = qts_start(args);

	qts_last_command(s, "outb 0x%x 0x%x", port, value);
	g_assert_cmpint(qts_wait_exit(s), ==, status);
}

static void test_status(void)
{
	exits_with("isa-debug-exit", 0x501, 0x10, 0x21);
	exits_with("isa-debug-exit", 0x501, 0, 1);
	/* The status of a process has eight bits. */
	exits_with("isa-debug-exit", 0x501, 0xff, 0xff);
}

static void test_port(void)
{
	exits_with("isa-debug-exit,iobase=0xf4,iosize=4", 0xf4, 1, 3);
}

static void test_reads(void)
{
	struct qts *s = qts_start("-machine pc -device isa-debug-exit");

	g_assert_cmphex(qts_inb(s, 0x501), ==, 0);
	g_assert_cmphex(qts_inb(s, 0x503), ==, 0xff);
	qts_outb(s, 0x500, 1);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/isa-debug-exit/status", test_status);
	g_test_add_func("/isa-debug-exit/port", test_port);
	g_test_add_func("/isa-debug-exit/reads", test_reads);
	return g_test_run();
}
