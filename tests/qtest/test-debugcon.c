/* The debug console: bytes arrive, a read finds it. */
#include <unistd.h>
#include "libqtest.h"

static void test_output(void)
{
	g_autofree char *path = g_strdup_printf("%s/quail-debugcon-%d", g_get_tmp_dir(), getpid());
	g_autofree char *args = g_strdup_printf("-machine pc -chardev file,id=c,path=%s -device "
						"isa-debugcon,iobase=0x402,chardev=c",
						path);
	g_autofree char *text = NULL;
	struct qts *s = qts_start(args);

	g_assert_cmphex(qts_inb(s, 0x402), ==, 0xe9);
	for (const char *c = "SeaBIOS\n"; *c; c++)
		qts_outb(s, 0x402, *c);
	/* A word is two ports' worth, and the second is not ours. */
	qts_outw(s, 0x402, 0x2121);
	qts_quit(s);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "SeaBIOS\n!");
	unlink(path);
}

static void test_readback(void)
{
	struct qts *s = qts_start("-machine pc -chardev null,id=c -device "
				  "isa-debugcon,chardev=c,readback=0x42");

	g_assert_cmphex(qts_inb(s, 0xe9), ==, 0x42);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/debugcon/output", test_output);
	g_test_add_func("/debugcon/readback", test_readback);
	return g_test_run();
}
