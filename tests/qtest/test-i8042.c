/* The keyboard controller, and the keyboard and mouse behind it, by commands. */
#include "libqtest.h"

enum { DATA = 0x60, COMMAND = 0x64 };
enum { FULL = 0x01, SYSTEM = 0x04, MOUSE_FULL = 0x20 };
enum { KEYBOARD_IRQ = 1, MOUSE_IRQ = 12 };

static struct qts *start(void)
{
	struct qts *s = qts_start("-machine pc");

	qts_intercept_in(s, "ioapic");
	return s;
}

static uint8_t status(struct qts *s)
{
	return qts_inb(s, COMMAND);
}

static void command(struct qts *s, uint8_t byte)
{
	qts_outb(s, COMMAND, byte);
}

static void expect(struct qts *s, uint8_t byte)
{
	g_assert_cmphex(status(s) & (FULL | MOUSE_FULL), ==, FULL);
	g_assert_cmphex(qts_inb(s, DATA), ==, byte);
}

static void expect_mouse(struct qts *s, uint8_t byte)
{
	g_assert_cmphex(status(s) & (FULL | MOUSE_FULL), ==, FULL | MOUSE_FULL);
	g_assert_true(qts_irq(s, MOUSE_IRQ));
	g_assert_cmphex(qts_inb(s, DATA), ==, byte);
}

static void expect_nothing(struct qts *s)
{
	g_assert_cmphex(status(s) & FULL, ==, 0);
	g_assert_false(qts_irq(s, KEYBOARD_IRQ));
	g_assert_false(qts_irq(s, MOUSE_IRQ));
}

static void set_mode(struct qts *s, uint8_t mode)
{
	command(s, 0x60);
	qts_outb(s, DATA, mode);
}

static void to_mouse(struct qts *s, uint8_t byte)
{
	command(s, 0xd4);
	qts_outb(s, DATA, byte);
}

static void test_self_tests(void)
{
	struct qts *s = start();

	g_assert_cmphex(status(s), ==, 0x18);
	command(s, 0xaa);
	g_assert_cmphex(status(s), ==, 0x18 | SYSTEM | FULL);
	g_assert_true(qts_irq(s, KEYBOARD_IRQ));
	expect(s, 0x55);
	g_assert_false(qts_irq(s, KEYBOARD_IRQ));
	command(s, 0xab);
	expect(s, 0x00);
	command(s, 0xa9);
	expect(s, 0x00);
	command(s, 0xc0);
	expect(s, 0x80);
	expect_nothing(s);
	qts_reset(s);
	g_assert_cmphex(status(s), ==, 0x18);
	qts_quit(s);
}

static void test_mode(void)
{
	struct qts *s = start();

	command(s, 0x20);
	expect(s, 0x03);
	set_mode(s, 0x65);
	command(s, 0x20);
	expect(s, 0x65);
	command(s, 0xa8);
	command(s, 0xad);
	command(s, 0x20);
	/* The keyboard's clock is held, the controller's own bytes come all the same. */
	g_assert_cmphex(qts_inb(s, DATA), ==, 0x55);
	command(s, 0xa7);
	command(s, 0xae);
	command(s, 0x20);
	expect(s, 0x65);
	/* Enabling the interrupt with a byte in the buffer raises the line. */
	set_mode(s, 0x00);
	command(s, 0xab);
	g_assert_false(qts_irq(s, KEYBOARD_IRQ));
	set_mode(s, 0x01);
	g_assert_true(qts_irq(s, KEYBOARD_IRQ));
	expect(s, 0x00);
	qts_quit(s);
}

static void test_output_port(void)
{
	struct qts *s = start();

	command(s, 0xd0);
	expect(s, 0xcf);
	command(s, 0xdd);
	command(s, 0xd0);
	expect(s, 0xcd);
	command(s, 0xdf);
	command(s, 0xd0);
	expect(s, 0xcf);
	command(s, 0xd1);
	qts_outb(s, DATA, 0xcd);
	command(s, 0xd0);
	expect(s, 0xcd);
	/* Bytes put into the buffer as if a device had sent them. */
	command(s, 0xd2);
	qts_outb(s, DATA, 0x1c);
	expect(s, 0x1c);
	command(s, 0xd3);
	qts_outb(s, DATA, 0x3d);
	expect_mouse(s, 0x3d);
	qts_quit(s);
}

/* Port 92h is a child of the machine without a name of its own. */
static char *port92_path(struct qts *s)
{
	json_object *list =
		qts_qmp(s, "{'execute':'qom-list','arguments':{'path':'/machine/unattached'}}");
	char *path = NULL;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *child = json_object_array_get_idx(list, i);
		const char *type = json_object_get_string(json_object_object_get(child, "type"));

		if (!strcmp(type, "child<port92>"))
			path = g_strdup_printf(
				"/machine/unattached/%s",
				json_object_get_string(json_object_object_get(child, "name")));
	}
	json_object_put(list);
	g_assert_nonnull(path);
	return path;
}

/* One gate, two ways to it: the last one wins. A reset opens it, a load puts it back. */
static void test_a20(void)
{
	struct qts *s = qts_start("-machine pc");
	g_autofree char *gate = port92_path(s);

	qts_intercept_out(s, gate);
	qts_outb(s, 0x92, 2);
	g_assert_true(qts_irq(s, 0));
	command(s, 0xdd);
	g_assert_false(qts_irq(s, 0));
	g_assert_cmphex(qts_inb(s, 0x92), ==, 2);
	qts_outb(s, 0x92, 2);
	g_assert_true(qts_irq(s, 0));
	qts_outb(s, 0x92, 0);
	g_assert_false(qts_irq(s, 0));
	command(s, 0xd1);
	qts_outb(s, DATA, 0xcf);
	g_assert_true(qts_irq(s, 0));
	command(s, 0xd1);
	qts_outb(s, DATA, 0xcd);
	g_assert_false(qts_irq(s, 0));
	/* It goes through a reset on its way. */
	qts_roundtrip(s);
	g_assert_false(qts_irq(s, 0));
	qts_reset(s);
	g_assert_true(qts_irq(s, 0));
	qts_quit(s);
}

static void test_reset_line(void)
{
	struct qts *s = start();

	command(s, 0xff);
	command(s, 0xfe);
	json_object_put(qts_qmp_event(s, "RESET"));
	command(s, 0xd1);
	qts_outb(s, DATA, 0xce);
	json_object_put(qts_qmp_event(s, "RESET"));
	qts_quit(s);
}

static void test_keyboard(void)
{
	struct qts *s = start();

	qts_outb(s, DATA, 0xff);
	expect(s, 0xfa);
	expect(s, 0xaa);
	qts_outb(s, DATA, 0xf2);
	expect(s, 0xfa);
	expect(s, 0xab);
	expect(s, 0x83);
	qts_outb(s, DATA, 0xee);
	expect(s, 0xee);
	qts_outb(s, DATA, 0xed);
	expect(s, 0xfa);
	qts_outb(s, DATA, 0x07);
	expect(s, 0xfa);
	qts_outb(s, DATA, 0xf0);
	expect(s, 0xfa);
	qts_outb(s, DATA, 0x00);
	expect(s, 0xfa);
	expect(s, 0x02);
	qts_outb(s, DATA, 0xf0);
	expect(s, 0xfa);
	qts_outb(s, DATA, 0x04);
	expect(s, 0xfe);
	qts_outb(s, DATA, 0x99);
	expect(s, 0xfe);
	qts_outb(s, DATA, 0xf4);
	expect(s, 0xfa);
	/* Replies are translated like scan codes are. */
	set_mode(s, 0x43);
	qts_outb(s, DATA, 0xf2);
	expect(s, 0xfa);
	expect(s, 0xab);
	expect(s, 0x41);
	/* Holding the clock keeps a reply back; a command of the guest lets go. */
	qts_outb(s, DATA, 0xee);
	command(s, 0xad);
	expect(s, 0xee);
	expect_nothing(s);
	qts_quit(s);
}

static void test_mouse(void)
{
	struct qts *s = start();

	set_mode(s, 0x03);
	to_mouse(s, 0xff);
	expect_mouse(s, 0xfa);
	expect_mouse(s, 0xaa);
	expect_mouse(s, 0x00);
	to_mouse(s, 0xe9);
	expect_mouse(s, 0xfa);
	expect_mouse(s, 0x00);
	expect_mouse(s, 0x02);
	expect_mouse(s, 100);
	qts_reset(s);
	to_mouse(s, 0xe9);
	expect_mouse(s, 0xfa);
	for (unsigned i = 0; i < 3; i++)
		expect_mouse(s, 0x00);
	to_mouse(s, 0xe8);
	expect_mouse(s, 0xfa);
	to_mouse(s, 0x03);
	expect_mouse(s, 0xfa);
	to_mouse(s, 0xf4);
	expect_mouse(s, 0xfa);
	to_mouse(s, 0xe7);
	expect_mouse(s, 0xfa);
	to_mouse(s, 0xe9);
	expect_mouse(s, 0xfa);
	expect_mouse(s, 0x30);
	expect_mouse(s, 0x03);
	expect_mouse(s, 0);
	to_mouse(s, 0xeb);
	expect_mouse(s, 0xfa);
	expect_mouse(s, 0x08);
	expect_mouse(s, 0x00);
	expect_mouse(s, 0x00);
	/* Wrap mode echoes. */
	to_mouse(s, 0xee);
	expect_mouse(s, 0xfa);
	to_mouse(s, 0xf2);
	expect_mouse(s, 0xf2);
	to_mouse(s, 0xec);
	expect_mouse(s, 0xfa);
	expect_nothing(s);
	qts_quit(s);
}

static void knock(struct qts *s, uint8_t a, uint8_t b, uint8_t c)
{
	const uint8_t rates[] = {a, b, c};

	for (unsigned i = 0; i < 3; i++) {
		to_mouse(s, 0xf3);
		expect_mouse(s, 0xfa);
		to_mouse(s, rates[i]);
		expect_mouse(s, 0xfa);
	}
}

static void expect_id(struct qts *s, uint8_t id)
{
	to_mouse(s, 0xf2);
	expect_mouse(s, 0xfa);
	expect_mouse(s, id);
}

static void test_wheel(void)
{
	struct qts *s = start();

	expect_id(s, 0);
	knock(s, 200, 100, 100);
	expect_id(s, 0);
	knock(s, 200, 100, 80);
	expect_id(s, 3);
	knock(s, 200, 200, 80);
	expect_id(s, 4);
	to_mouse(s, 0xeb);
	expect_mouse(s, 0xfa);
	for (unsigned i = 0; i < 4; i++)
		expect_mouse(s, i ? 0x00 : 0x08);
	to_mouse(s, 0xff);
	expect_mouse(s, 0xfa);
	expect_mouse(s, 0xaa);
	expect_mouse(s, 0x00);
	expect_id(s, 0);
	qts_quit(s);
}

/* Both devices have something: the keyboard goes first, each with its own interrupt. */
static void test_both(void)
{
	struct qts *s = start();

	to_mouse(s, 0xf2);
	qts_outb(s, DATA, 0xf2);
	expect_mouse(s, 0xfa);
	expect(s, 0xfa);
	expect(s, 0xab);
	expect(s, 0x83);
	expect_mouse(s, 0x00);
	expect_nothing(s);
	qts_quit(s);
}

static void test_round_trip(void)
{
	struct qts *s = start();

	set_mode(s, 0x47);
	knock(s, 200, 100, 80);
	to_mouse(s, 0xf2);
	qts_outb(s, DATA, 0xf2);
	qts_roundtrip(s);
	expect_mouse(s, 0xfa);
	expect(s, 0xfa);
	expect(s, 0xab);
	expect(s, 0x41);
	expect_mouse(s, 0x03);
	qts_quit(s);
}

static void test_absent(void)
{
	struct qts *s = qts_start("-machine pc,i8042=off");

	g_assert_cmphex(qts_inb(s, COMMAND), ==, 0xff);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/i8042/self-tests", test_self_tests);
	g_test_add_func("/i8042/mode", test_mode);
	g_test_add_func("/i8042/output-port", test_output_port);
	g_test_add_func("/i8042/a20", test_a20);
	g_test_add_func("/i8042/reset-line", test_reset_line);
	g_test_add_func("/i8042/keyboard", test_keyboard);
	g_test_add_func("/i8042/mouse", test_mouse);
	g_test_add_func("/i8042/wheel", test_wheel);
	g_test_add_func("/i8042/both", test_both);
	g_test_add_func("/i8042/round-trip", test_round_trip);
	g_test_add_func("/i8042/absent", test_absent);
	return g_test_run();
}
