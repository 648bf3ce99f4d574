/* HPET: counter, comparators, routes, legacy replacement. */
#include "event/clock.h"
#include "hw/intc.h"
#include "state/state.h"
#include "trial-bench.h"

enum { CAPS = 0x00, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, TIMER = 0x100 };
enum { LEVEL = 2, ENABLE = 4, PERIODIC = 8, SET = 0x40, NARROW = 0x100, FSB = 0x4000 };

static struct device *hpet;
static struct irq lines[HPET_LINES], pit_off;
static int levels[HPET_LINES], is_pit_off;
static unsigned rises[HPET_LINES], messages;
static struct msi_message last;

static void set_line(void *opaque, unsigned n, int level)
{
	rises[n] += level && !levels[n];
	levels[n] = level;
}

static void set_pit_off(void *opaque, unsigned n, int level)
{
	is_pit_off = level;
}

static void send(void *opaque, const struct msi_message *msg)
{
	last = *msg;
	messages++;
}

static uint64_t rd(uint64_t reg)
{
	uint64_t value;

	as_load(&bench()->memory, NULL, HPET_BASE + reg, 8, &value);
	return value;
}

static void wr(uint64_t reg, uint64_t value)
{
	as_store(&bench()->memory, NULL, HPET_BASE + reg, 8, value);
}

static void wr32(uint64_t reg, uint32_t value)
{
	as_store(&bench()->memory, NULL, HPET_BASE + reg, 4, value);
}

static uint64_t config_of(unsigned n)
{
	return TIMER + 0x20 * n;
}

static uint64_t comparator_of(unsigned n)
{
	return config_of(n) + 8;
}

static void make(void)
{
	struct hpet_config config = {.memory = &bench()->memory_root, .send = send};

	hpet = device_new(&hpet_type);
	for (unsigned n = 0; n < HPET_LINES; n++) {
		irq_init(&lines[n], set_line, NULL, n);
		config.irqs[n] = &lines[n];
	}
	irq_init(&pit_off, set_pit_off, NULL, 0);
	config.pit_off = &pit_off;
	hpet_configure(hpet, &config);
	g_assert_true(device_set_text(hpet, "hpet-intcap", "16777215", NULL));
	g_assert_true(device_set_text(hpet, "msi", "on", NULL));
	g_assert_true(device_realize(hpet, NULL, NULL, NULL, NULL));
}

static void reset(void)
{
	if (!hpet)
		make();
	device_reset(hpet);
	memset(rises, 0, sizeof(rises));
	messages = 0;
}

/* Time in steps of 10 ns. */
static void go(uint64_t steps)
{
	clock_virtual_step(clock_virtual_get() + steps * 10);
}

static void test_registers(void)
{
	reset();
	g_assert_cmphex(rd(CAPS), ==, 0x009896808086a201);
	g_assert_cmphex(rd(config_of(0)), ==, 0x00ffffff00008030);
	g_assert_cmphex(rd(comparator_of(2)), ==, UINT64_MAX);
	g_assert_cmphex(rd(config_of(3)), ==, 0);
	wr(CAPS, 0);
	wr(config_of(1), UINT64_MAX);
	g_assert_cmphex(rd(config_of(1)), ==, 0x00ffffff0000ff7e);
	g_assert_cmphex(rd(CAPS), ==, 0x009896808086a201);
	wr(CONFIG, UINT64_MAX);
	g_assert_cmphex(rd(CONFIG), ==, 3);
}

static void test_counter(void)
{
	reset();
	go(100);
	g_assert_cmpuint(rd(COUNTER), ==, 0);
	wr(COUNTER, 0x123456789);
	wr32(COUNTER + 4, 7);
	wr(CONFIG, 1);
	go(50);
	g_assert_cmphex(rd(COUNTER), ==, 0x723456789 + 50);
	wr(COUNTER, 0);
	g_assert_cmphex(rd(COUNTER), ==, 0x723456789 + 50);
	wr(CONFIG, 0);
	go(50);
	g_assert_cmphex(rd(COUNTER), ==, 0x723456789 + 50);
	wr(CONFIG, 1);
	go(1);
	g_assert_cmphex(rd(COUNTER), ==, 0x723456789 + 51);
}

static void test_one_shot(void)
{
	reset();
	wr(config_of(0), ENABLE | 5 << 9);
	wr(comparator_of(0), 1000);
	wr(CONFIG, 1);
	go(999);
	g_assert_cmpuint(rises[5], ==, 0);
	go(1);
	g_assert_cmpuint(rises[5], ==, 1);
	g_assert_cmpint(levels[5], ==, 0);
	g_assert_cmphex(rd(STATUS), ==, 0);
	go(100000);
	/* Looking after it again does not make it fire again; a value that has just passed does. */
	wr(config_of(0), ENABLE | 5 << 9);
	go(10);
	g_assert_cmpuint(rises[5], ==, 1);
	wr(comparator_of(0), rd(COUNTER) - 5);
	go(1);
	g_assert_cmpuint(rises[5], ==, 2);
}

static void test_periodic(void)
{
	reset();
	wr(config_of(1), ENABLE | PERIODIC | SET | NARROW | 6 << 9);
	wr32(comparator_of(1), 10000);
	wr32(comparator_of(1), 7000);
	wr(CONFIG, 1);
	go(9999);
	g_assert_cmpuint(rises[6], ==, 0);
	go(1);
	g_assert_cmpuint(rises[6], ==, 1);
	g_assert_cmpuint(rd(comparator_of(1)), ==, 17000);
	go(7000);
	g_assert_cmpuint(rises[6], ==, 2);
	go(70000);
	g_assert_cmpuint(rises[6], ==, 12);
	g_assert_cmpuint(rd(comparator_of(1)), ==, 94000);
}

static void test_narrow(void)
{
	reset();
	wr(COUNTER, 0xffffff00);
	wr(config_of(2), ENABLE | NARROW | 7 << 9);
	wr(comparator_of(2), 0xaa00000100);
	g_assert_cmphex(rd(comparator_of(2)), ==, 0x100);
	wr(CONFIG, 1);
	go(0x1ff);
	g_assert_cmpuint(rises[7], ==, 0);
	go(1);
	g_assert_cmpuint(rises[7], ==, 1);
	/* Once more when the lower half has gone round. */
	go(0xffffffff);
	g_assert_cmpuint(rises[7], ==, 1);
	go(1);
	g_assert_cmpuint(rises[7], ==, 2);
}

static void test_level(void)
{
	reset();
	wr(config_of(0), ENABLE | LEVEL | 9 << 9);
	wr(comparator_of(0), 100);
	wr(CONFIG, 1);
	go(100);
	g_assert_cmphex(rd(STATUS), ==, 1);
	g_assert_cmpint(levels[9], ==, 1);
	/* The level follows its route. */
	wr(config_of(0), ENABLE | LEVEL | 10 << 9);
	g_assert_cmpint(levels[9], ==, 0);
	g_assert_cmpint(levels[10], ==, 1);
	wr(config_of(0), LEVEL | 10 << 9);
	g_assert_cmpint(levels[10], ==, 0);
	wr(config_of(0), ENABLE | LEVEL | 10 << 9);
	wr(STATUS, 6);
	g_assert_cmpint(levels[10], ==, 1);
	wr(STATUS, 1);
	g_assert_cmpint(levels[10], ==, 0);
	g_assert_cmphex(rd(STATUS), ==, 0);
}

static void test_message(void)
{
	reset();
	wr(config_of(0), ENABLE | FSB);
	wr(config_of(0) + 0x10, 0xfee01000000000a5);
	wr(comparator_of(0), 100);
	wr(CONFIG, 1);
	go(100);
	g_assert_cmpuint(messages, ==, 1);
	g_assert_cmphex(last.addr, ==, 0xfee01000);
	g_assert_cmphex(last.data, ==, 0xa5);
}

static void test_legacy(void)
{
	struct irq *pit = device_input(hpet, "", 0), *rtc = device_input(hpet, "", 1);

	reset();
	irq_set(rtc, 1);
	irq_set(pit, 1);
	g_assert_true(levels[8] && levels[0]);
	wr(CONFIG, 3);
	g_assert_true(is_pit_off);
	g_assert_false(levels[8] || levels[0]);
	irq_set(pit, 0);
	irq_set(pit, 1);
	g_assert_false(levels[0]);
	memset(rises, 0, sizeof(rises));
	wr(config_of(0), ENABLE | 5 << 9);
	wr(config_of(1), ENABLE | 5 << 9);
	wr(comparator_of(0), rd(COUNTER) + 10);
	wr(comparator_of(1), rd(COUNTER) + 20);
	go(10);
	g_assert_cmpuint(rises[0], ==, 1);
	go(10);
	g_assert_cmpuint(rises[8], ==, 1);
	g_assert_cmpuint(rises[5], ==, 0);
	wr(CONFIG, 1);
	g_assert_false(is_pit_off);
	g_assert_true(levels[8] && levels[0]);
	wr(CONFIG, 3);
	device_reset(hpet);
	g_assert_false(is_pit_off);
	irq_set(rtc, 0);
	irq_set(pit, 0);
	g_assert_false(levels[8] || levels[0]);
}

static void test_shortest(void)
{
	reset();
	wr(config_of(0), ENABLE | PERIODIC | SET | 5 << 9);
	wr(comparator_of(0), 1);
	wr(CONFIG, 1);
	go(1000000); /* 10 ms */
	g_assert_cmpuint(rises[5], >, 100);
	g_assert_cmpuint(rises[5], <=, 201);
}

static void test_save(void)
{
	g_autoptr(GByteArray) saved = g_byte_array_new();

	reset();
	wr(CONFIG, 1);
	wr(config_of(0), ENABLE | PERIODIC | SET | 5 << 9);
	wr(comparator_of(0), 10000);
	wr(config_of(1), ENABLE | LEVEL | 6 << 9);
	wr(comparator_of(1), 100);
	go(4000);
	state_save_device(hpet, saved);
	device_reset(hpet);
	go(1000);
	memset(rises, 0, sizeof(rises));
	g_assert_true(state_load_device(hpet, saved->data, saved->len, NULL));
	g_assert_cmpuint(rd(COUNTER), ==, 5000);
	g_assert_cmphex(rd(STATUS), ==, 2);
	go(4999);
	g_assert_cmpuint(rises[5], ==, 0);
	go(1);
	g_assert_cmpuint(rises[5], ==, 1);
	go(10000);
	g_assert_cmpuint(rises[5], ==, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hpet/registers", test_registers);
	g_test_add_func("/hpet/counter", test_counter);
	g_test_add_func("/hpet/one-shot", test_one_shot);
	g_test_add_func("/hpet/periodic", test_periodic);
	g_test_add_func("/hpet/narrow", test_narrow);
	g_test_add_func("/hpet/level", test_level);
	g_test_add_func("/hpet/message", test_message);
	g_test_add_func("/hpet/legacy", test_legacy);
	g_test_add_func("/hpet/shortest", test_shortest);
	g_test_add_func("/hpet/save", test_save);
	return g_test_run();
}
