/* The client library and the server behind it, on a machine without devices of its own. */
#include "libqtest.h"

static void test_memory(void)
{
	struct qts *s = qts_start("-machine none -m 4M");
	uint8_t data[100], back[100];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	qts_memwrite(s, 0x1234, data, sizeof(data));
	qts_memread(s, 0x1234, back, sizeof(back));
	g_assert_cmpmem(data, sizeof(data), back, sizeof(back));
	g_assert_cmphex(qts_readb(s, 0x1235), ==, 7);
	qts_memset(s, 0x1234, 0x55, 8);
	g_assert_cmphex(qts_readq(s, 0x1234), ==, 0x5555555555555555);
	qts_writel(s, 0x1234, 0xdeadbeef);
	g_assert_cmphex(qts_readw(s, 0x1236), ==, 0xdead);
	qts_quit(s);
}

static void test_clock(void)
{
	struct qts *s = qts_start("-machine none");

	g_assert_cmpint(qts_clock_set(s, 1000), ==, 1000);
	g_assert_cmpint(qts_clock_step(s, 234), ==, 1234);
	qts_quit(s);
}

static void test_errors(void)
{
	struct qts *s = qts_start("-machine none");
	g_autofree char *reply = qts_try(s, "nonsense");
	g_autofree char *desc = qts_qmp_error(s, "{'execute':'nonsense'}");

	g_assert_cmpstr(reply, ==, "FAIL Unknown command 'nonsense'");
	g_assert_cmpstr(desc, ==, "The command nonsense has not been found");
	qts_roundtrip(s);
	qts_reset(s);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/libqtest/memory", test_memory);
	g_test_add_func("/libqtest/clock", test_clock);
	g_test_add_func("/libqtest/errors", test_errors);
	return g_test_run();
}
