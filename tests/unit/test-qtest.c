/* The qtest protocol, line by line. The replies are QEMU 7.2's where QEMU has one. */
#include "trial-types.h"
#include "accel/qtest.h"
#include "event/clock.h"
#include "mem/ram.h"

#define RAM_SIZE (64 * KIB)

struct fixture {
	struct address_space memory, io;
	struct region memory_root, io_root, ram_region, port_region;
	struct ram_block *ram;
	uint8_t ports[16];
	struct trial_host *host;
	struct device *card;
	struct qtest *qt;
	GString *replies, *log;
};

static void on_reply(void *opaque, const char *text)
{
	g_string_append(((struct fixture *)opaque)->replies, text);
}

static void on_log(void *opaque, const char *text)
{
	g_string_append_printf(((struct fixture *)opaque)->log, "%s\n", text);
}

static void on_reset(void *opaque)
{
	device_reset(tree_root());
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, (uint8_t *)opaque + offset, size);
	return value;
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	memcpy((uint8_t *)opaque + offset, &value, size);
}

static const struct io_ops port_ops = {.read = port_read, .write = port_write};

static const struct ram_options ram_plain;

static void setup(struct fixture *f, gconstpointer data)
{
	struct qtest_target target = {
		.memory = &f->memory, .io = &f->io, .clock_manual = true, .reset = on_reset};
	GError *err = NULL;

	f->host = trial_setup();
	f->card = device_create(&trial_card_type, &f->host->bus);
	region_init_container(&f->memory_root, NULL, "memory", REGION_SIZE_MAX);
	region_init_container(&f->io_root, NULL, "io", 65536);
	address_space_init(&f->memory, "memory", &f->memory_root);
	address_space_init(&f->io, "io", &f->io_root);
	f->ram = ram_new("ram", RAM_SIZE, &ram_plain, &err);
	g_assert_no_error(err);
	region_init_ram(&f->ram_region, NULL, "ram", f->ram, 0, RAM_SIZE);
	region_add(&f->memory_root, 0, &f->ram_region, 0);
	region_init_io(&f->port_region, NULL, "ports", &port_ops, f->ports, sizeof(f->ports));
	region_add(&f->io_root, 0x100, &f->port_region, 0);
	f->replies = g_string_new("");
	f->log = g_string_new("");
	f->qt = qtest_new(&target, on_reply, on_log, f);
	qtest_opened(f->qt);
}

static void teardown(struct fixture *f, gconstpointer data)
{
	qtest_free(f->qt);
	region_cleanup(&f->port_region);
	region_cleanup(&f->ram_region);
	address_space_cleanup(&f->io);
	address_space_cleanup(&f->memory);
	region_cleanup(&f->io_root);
	region_cleanup(&f->memory_root);
	ram_unref(f->ram);
	device_unrealize(f->card);
	trial_teardown(f->host);
	g_string_free(f->replies, true);
	g_string_free(f->log, true);
}

static void expect(struct fixture *f, const char *command, const char *replies)
{
	g_string_truncate(f->replies, 0);
	qtest_command(f->qt, command);
	g_assert_cmpstr(f->replies->str, ==, replies);
}

static void test_ports(struct fixture *f, gconstpointer data)
{
	expect(f, "outb 0x100 0x18", "OK\n");
	expect(f, "inb 0x100", "OK 0x0018\n");
	expect(f, "outl 0x104 0x12345678", "OK\n");
	expect(f, "inl 260", "OK 0x12345678\n");
	expect(f, "inw 0x106", "OK 0x1234\n");
	expect(f, "inb 0x10064", "FAIL Port 0x10064 is beyond 0xffff\n");
	expect(f, "outb 0x100", "FAIL Command 'outb' needs 2 arguments\n");
	expect(f, "inb zz", "FAIL Invalid number 'zz'\n");
}

static void test_memory(struct fixture *f, gconstpointer data)
{
	expect(f, "writeq 0x1000 0x1122334455667788", "OK\n");
	expect(f, "readq 0x1000", "OK 0x1122334455667788\n");
	expect(f, "readl 0x1004", "OK 0x0000000011223344\n");
	expect(f, "readb 0x1000", "OK 0x0000000000000088\n");
	expect(f, "readb 0x1000 junk", "OK 0x0000000000000088\n");
	expect(f, "read 0x1000 8", "OK 0x8877665544332211\n");
	expect(f, "write 0x1000 4 0xdeadbeef", "OK\n");
	expect(f, "read 0x1000 8", "OK 0xdeadbeef44332211\n");
	expect(f, "write 0x1000 4 0xde", "OK\n");
	expect(f, "read 0x1000 8", "OK 0xde00000044332211\n");
	expect(f, "write 0x1000 1 0x", "ERR invalid argument size\n");
	expect(f, "b64read 0x1000 8", "OK 3gAAAEQzIhE=\n");
	expect(f, "b64write 0x1000 8 AAECAwQFBgc=", "OK\n");
	expect(f, "b64read 0x1000 8", "OK AAECAwQFBgc=\n");
	expect(f, "memset 0x1000 4 0xaa", "OK\n");
	expect(f, "memset 0x1004 0 0xbb", "OK\n");
	expect(f, "read 0x1000 6", "OK 0xaaaaaaaa0405\n");
	g_string_truncate(f->log, 0);
	expect(f, "b64write 0x1000 4 AAECAwQFBgc=", "OK\n");
	g_assert_cmpstr(f->log->str, ==, "b64write: data length mismatch (told 4, found 8)\nOK\n");
	expect(f, "read 0x0 0x4000001",
	       "FAIL 67108865 bytes are too many, the limit is 67108864\n");
}

static void test_words(struct fixture *f, gconstpointer data)
{
	expect(f, "endianness", "OK little\n");
	expect(f, "endianness x", "OK little\n");
	expect(f, "foo bar", "FAIL Unknown command 'foo'\n");
	expect(f, "", "FAIL Unknown command ''\n");
	expect(f, "  inb 0x64", "FAIL Unknown command ''\n");
}

static void test_lines(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = device_path(f->card);
	g_autofree char *in = g_strdup_printf("irq_intercept_in %s", path);
	g_autofree char *raise = g_strdup_printf("set_irq_in %s unnamed-gpio-in 2 1", path);
	g_autofree char *lower = g_strdup_printf("set_irq_in %s unnamed-gpio-in 2 0", path);
	g_autofree char *bad = g_strdup_printf("set_irq_in %s foo 2 0", path);

	expect(f, "irq_intercept_in nope", "FAIL Unknown device\n");
	expect(f, in, "OK\n");
	expect(f, in, "OK\n");
	expect(f, "irq_intercept_in /machine", "FAIL IRQ intercept already enabled\n");
	expect(f, raise, "IRQ raise 2\nOK\n");
	expect(f, raise, "OK\n");
	expect(f, lower, "IRQ lower 2\nOK\n");
	expect(f, bad, "FAIL Unknown input\n");
	expect(f, "set_irq_in nope foo 4 1", "FAIL Unknown device\n");
}

static void test_outputs(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = device_path(&f->host->dev);
	g_autofree char *out = g_strdup_printf("irq_intercept_out %s", path);
	struct irq *pins[2] = {NULL};

	device_add_outputs(&f->host->dev, NULL, pins, 2);
	expect(f, out, "OK\n");
	g_string_truncate(f->replies, 0);
	irq_raise(pins[1]);
	irq_pulse(pins[0]);
	g_assert_cmpstr(f->replies->str, ==, "IRQ raise 1\nIRQ raise 0\nIRQ lower 0\n");
}

static void timer_fired(void *opaque)
{
	*(int64_t *)opaque = clock_virtual_get();
}

static void test_clock(struct fixture *f, gconstpointer data)
{
	struct timer timer;
	int64_t fired = 0;

	clock_virtual_set_manual();
	expect(f, "clock_set 1000", "OK 1000\n");
	expect(f, "clock_step 500", "OK 1500\n");
	expect(f, "clock_set 10", "OK 1500\n");
	expect(f, "clock_step", "OK 1500\n");
	timer_init(&timer, loop_main(), QCLOCK_VIRTUAL, timer_fired, &fired);
	timer_set(&timer, 4242);
	expect(f, "clock_step", "OK 4242\n");
	g_assert_cmpint(fired, ==, 4242);
	timer_set(&timer, 5000);
	expect(f, "clock_step 10000", "OK 14242\n");
	g_assert_cmpint(fired, ==, 5000);
	timer_del(&timer);
}

static void test_roundtrip(struct fixture *f, gconstpointer data)
{
	struct trial_card *card = container_of(f->card, struct trial_card, base.dev);

	expect(f, "quail_reset", "OK\n");
	g_assert_cmpuint(card->reg8, ==, 1);
	card->reg8 = 0x42;
	card->reg64 = 7;
	g_string_truncate(f->replies, 0);
	qtest_command(f->qt, "quail_state_roundtrip");
	g_assert_true(g_str_has_prefix(f->replies->str, "OK "));
	g_assert_cmpuint(card->reg8, ==, 0x42);
	/* The same by hand. */
	g_string_truncate(f->replies, 0);
	qtest_command(f->qt, "quail_state_save");
	g_autofree char *load = g_strdup_printf("quail_state_load %s", f->replies->str + 3);
	card->reg64 = 8;
	expect(f, g_strchomp(load), "OK\n");
	g_assert_cmpuint(card->reg64, ==, 7);
	expect(f, "quail_state_load AAAA",
	       "FAIL this is not saved state: it does not begin with 'QuailSt1'\n");
	/* What the device itself refuses is a failure that names it. */
	card->reg8 = 0xee;
	expect(f, "quail_state_roundtrip",
	       "FAIL state of '/machine/unattached/device[1]' (trial-card): register 8 cannot be "
	       "0xee\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"/qtest/ports", test_ports},         {"/qtest/memory", test_memory},
		{"/qtest/words", test_words},         {"/qtest/lines", test_lines},
		{"/qtest/outputs", test_outputs},     {"/qtest/clock", test_clock},
		{"/qtest/roundtrip", test_roundtrip},
	};

	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	machine_lock();
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, setup, tests[i].fn, teardown);
	return g_test_run();
}
