/* The two 8259A, by their ports: what Intel's data sheet says of each mode. */
#include "hw/intc.h"
#include "state/state.h"
#include "trial-bench.h"

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0 };
enum { MASTER_BASE = 0x08, SLAVE_BASE = 0x70 };
enum { EOI = 0x20, READ_IRR = 0x0a, READ_ISR = 0x0b, POLL = 0x0c };

static struct device *pics[2];

static void out(uint16_t port, uint8_t value)
{
	as_store(&bench()->io, NULL, port, 1, value);
}

static uint8_t in(uint16_t port)
{
	uint64_t value;

	as_load(&bench()->io, NULL, port, 1, &value);
	return value;
}

static void line(unsigned n, int level)
{
	irq_set(device_input(pics[n / 8], "", n % 8), level);
}

static void pulse(unsigned n)
{
	line(n, 1);
	line(n, 0);
}

static int ack(void)
{
	return i8259_acknowledge(pics[0]);
}

static uint8_t isr(uint16_t chip)
{
	out(chip, READ_ISR);
	return in(chip);
}

static uint8_t irr(uint16_t chip)
{
	out(chip, READ_IRR);
	return in(chip);
}

static void init_chip(uint16_t chip, uint8_t base, uint8_t icw4)
{
	out(chip, 0x11);
	out(chip + 1, base);
	out(chip + 1, chip == MASTER ? 0x04 : 0x02);
	out(chip + 1, icw4);
	out(chip + 1, 0);
}

static void init_with(uint8_t icw4)
{
	if (!pics[0]) {
		for (unsigned i = 0; i < 2; i++) {
			pics[i] = i8259_new(i == 0);
			g_assert_true(device_realize(pics[i], NULL, NULL, &bench()->isa.bus, NULL));
		}
		i8259_cascade(pics[0], pics[1]);
	}
	for (unsigned n = 0; n < 16; n++) {
		if (n != 2)
			line(n, 0);
	}
	device_reset(pics[0]);
	device_reset(pics[1]);
	init_chip(MASTER, MASTER_BASE, icw4);
	init_chip(SLAVE, SLAVE_BASE, icw4);
}

static void test_edge(void)
{
	init_with(1);
	g_assert_cmpint(ack(), ==, -1);
	line(3, 1);
	g_assert_true(i8259_output(pics[0]));
	g_assert_cmphex(irr(MASTER), ==, 0x08);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 3);
	g_assert_cmphex(irr(MASTER), ==, 0);
	g_assert_cmphex(isr(MASTER), ==, 0x08);
	out(MASTER, EOI);
	g_assert_cmphex(isr(MASTER), ==, 0);
	/* Still high: no second edge. */
	g_assert_cmpint(ack(), ==, -1);
	line(3, 0);
	line(3, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 3);
}

static void test_level(void)
{
	init_with(1);
	out(ELCR, 0xff);
	out(ELCR + 1, 0xff);
	g_assert_cmphex(in(ELCR), ==, 0xf8);
	g_assert_cmphex(in(ELCR + 1), ==, 0xde);
	line(5, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 5);
	out(MASTER, EOI);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 5);
	line(5, 0);
	out(MASTER, EOI);
	g_assert_cmpint(ack(), ==, -1);
}

static void test_cascade(void)
{
	init_with(1);
	line(12, 1);
	g_assert_cmphex(irr(MASTER), ==, 0x04);
	g_assert_cmphex(irr(SLAVE), ==, 0x10);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 4);
	g_assert_cmphex(isr(MASTER), ==, 0x04);
	g_assert_cmphex(isr(SLAVE), ==, 0x10);
	/* Something more urgent behind the slave waits for the master's EOI. */
	line(8, 1);
	g_assert_cmpint(ack(), ==, -1);
	out(MASTER, EOI);
	g_assert_cmpint(ack(), ==, SLAVE_BASE);
	out(SLAVE, EOI);
	out(SLAVE, EOI);
	out(MASTER, EOI);
	g_assert_cmphex(isr(SLAVE) | isr(MASTER), ==, 0);
}

static void test_spurious(void)
{
	init_with(1);
	/* The slave's request goes away between the master's request and INTA. */
	out(ELCR + 1, 0x02);
	line(9, 1);
	out(SLAVE + 1, 0xff);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 7);
	g_assert_cmphex(isr(SLAVE), ==, 0);
	g_assert_cmphex(isr(MASTER), ==, 0x04);
}

static void test_priorities(void)
{
	init_with(1);
	line(4, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 4);
	line(6, 1);
	g_assert_cmpint(ack(), ==, -1);
	line(1, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 1);
	g_assert_cmphex(isr(MASTER), ==, 0x12);
	out(MASTER, EOI);
	g_assert_cmphex(isr(MASTER), ==, 0x10);
	out(MASTER, EOI);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 6);
	out(MASTER, 0x66); /* specific EOI */
	g_assert_cmphex(isr(MASTER), ==, 0);
}

static void test_mask(void)
{
	init_with(1);
	out(MASTER + 1, 0x08);
	g_assert_cmphex(in(MASTER + 1), ==, 0x08);
	line(3, 1);
	g_assert_false(i8259_output(pics[0]));
	g_assert_cmphex(irr(MASTER), ==, 0x08);
	out(MASTER + 1, 0);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 3);
}

static void test_rotation(void)
{
	init_with(1);
	out(MASTER, 0xc3); /* line 3 is the least urgent, 4 the most */
	line(3, 1);
	line(4, 1);
	line(0, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 4);
	out(MASTER, 0xa0); /* EOI, and 4 becomes the least urgent */
	g_assert_cmpint(ack(), ==, MASTER_BASE + 0);
	out(MASTER, 0xe0); /* the same for 0, by its number */
	g_assert_cmpint(ack(), ==, MASTER_BASE + 3);
}

static void test_auto_eoi(void)
{
	init_with(3);
	out(MASTER, 0x80); /* rotate, too */
	line(0, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 0);
	g_assert_cmphex(isr(MASTER), ==, 0);
	line(0, 0);
	pulse(0);
	line(1, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 0);
	/* Two requests of the slave, neither is lost. */
	init_with(3);
	line(8, 1);
	line(9, 1);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 0);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 1);
	g_assert_cmpint(ack(), ==, -1);
}

static void test_special_mask(void)
{
	init_with(1);
	line(2 + 1, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 3);
	line(6, 1);
	g_assert_cmpint(ack(), ==, -1);
	out(MASTER, 0x68); /* special mask mode: a masked line holds nothing back */
	out(MASTER + 1, 0x08);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 6);
	out(MASTER, EOI);
	g_assert_cmphex(isr(MASTER), ==, 0x08);
	out(MASTER, EOI);
	g_assert_cmphex(isr(MASTER), ==, 0x08);
	out(MASTER, 0x63);
	g_assert_cmphex(isr(MASTER), ==, 0);
	out(MASTER, 0x48);
}

static void test_special_fully_nested(void)
{
	init_with(1);
	init_chip(MASTER, MASTER_BASE, 0x11);
	line(12, 1);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 4);
	line(9, 1);
	g_assert_cmpint(ack(), ==, SLAVE_BASE + 1);
	line(3, 1); /* less urgent than the slave */
	g_assert_cmpint(ack(), ==, -1);
	line(1, 1);
	g_assert_cmpint(ack(), ==, MASTER_BASE + 1);
}

static void test_poll(void)
{
	init_with(1);
	out(MASTER, POLL);
	g_assert_cmphex(in(MASTER), ==, 0);
	line(5, 1);
	out(MASTER, POLL);
	g_assert_cmphex(in(MASTER), ==, 0x85);
	g_assert_cmphex(isr(MASTER), ==, 0x20);
	g_assert_cmphex(in(MASTER), ==, 0x20); /* one read only */
	g_assert_cmpint(ack(), ==, -1);
}

static void test_init(void)
{
	init_with(1);
	line(1, 1);
	ack();
	line(4, 1);
	out(MASTER + 1, 0x55);
	out(MASTER, 0x13); /* single, ICW4 follows: no ICW3 */
	out(MASTER + 1, 0x47);
	out(MASTER + 1, 0x01);
	g_assert_cmphex(in(MASTER + 1), ==, 0);
	g_assert_cmphex(isr(MASTER) | irr(MASTER), ==, 0);
	line(4, 0);
	line(4, 1);
	g_assert_cmpint(ack(), ==, 0x44);
	out(MASTER, EOI);
	out(MASTER, 0x12); /* neither */
	out(MASTER + 1, 0x20);
	out(MASTER + 1, 0xfe);
	g_assert_cmphex(in(MASTER + 1), ==, 0xfe);
}

/* In the middle of everything: one in service, one requested, half an initialization. */
static void test_save(void)
{
	g_autoptr(GByteArray) master = g_byte_array_new(), slave = g_byte_array_new();

	init_with(1);
	line(12, 1);
	ack();
	line(5, 1);
	line(1, 1);
	out(SLAVE, 0x11);
	out(SLAVE + 1, 0x28);
	state_save_device(pics[0], master);
	state_save_device(pics[1], slave);
	out(MASTER, 0x11);
	device_reset(pics[0]);
	device_reset(pics[1]);
	g_assert_true(state_load_device(pics[0], master->data, master->len, NULL));
	g_assert_true(state_load_device(pics[1], slave->data, slave->len, NULL));
	g_assert_cmpint(ack(), ==, MASTER_BASE + 1);
	g_assert_cmphex(isr(MASTER), ==, 0x06);
	out(SLAVE + 1, 0x02);
	out(SLAVE + 1, 0x01);
	out(SLAVE + 1, 0);
	out(MASTER, 0x62);
	out(MASTER, 0x61);
	line(8, 1);
	g_assert_cmpint(ack(), ==, 0x28);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/i8259/edge", test_edge);
	g_test_add_func("/i8259/level", test_level);
	g_test_add_func("/i8259/cascade", test_cascade);
	g_test_add_func("/i8259/spurious", test_spurious);
	g_test_add_func("/i8259/priorities", test_priorities);
	g_test_add_func("/i8259/mask", test_mask);
	g_test_add_func("/i8259/rotation", test_rotation);
	g_test_add_func("/i8259/auto-eoi", test_auto_eoi);
	g_test_add_func("/i8259/special-mask", test_special_mask);
	g_test_add_func("/i8259/special-fully-nested", test_special_fully_nested);
	g_test_add_func("/i8259/poll", test_poll);
	g_test_add_func("/i8259/init", test_init);
	g_test_add_func("/i8259/save", test_save);
	return g_test_run();
}
