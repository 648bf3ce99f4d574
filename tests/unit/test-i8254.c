/* The 8254, by its ports and the clock: what Intel's data sheet says of each mode. */
#include "event/clock.h"
#include "hw/intc.h"
#include "state/state.h"
#include "trial-bench.h"

#define HZ 1193182

static struct device *pit;
static unsigned rises;
static int irq_level;
static struct irq irq0;

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

static void count_rises(void *opaque, unsigned n, int level)
{
	rises += level && !irq_level;
	irq_level = level;
}

/* To @n clocks after the start, and a little. */
static void go_to(int64_t start, int64_t n)
{
	clock_virtual_step(start + (n * NS_PER_SEC + HZ - 1) / HZ + 100);
}

static int64_t now(void)
{
	return clock_virtual_get();
}

static void reset(void)
{
	if (!pit) {
		pit = device_new(&pit_type);
		irq_init(&irq0, count_rises, NULL, 0);
		pit_configure(pit, &irq0);
		g_assert_true(device_realize(pit, NULL, NULL, &bench()->isa.bus, NULL));
	}
	device_reset(pit);
	rises = 0;
}

static void program(unsigned n, uint8_t mode, uint16_t count)
{
	out(0x43, n << 6 | 0x30 | mode << 1);
	out(0x40 + n, count);
	out(0x40 + n, count >> 8);
}

static uint16_t counter(unsigned n)
{
	uint8_t low;

	out(0x43, n << 6);
	low = in(0x40 + n);
	return low | in(0x40 + n) << 8;
}

static uint8_t status(unsigned n)
{
	out(0x43, 0xe0 | 2 << n);
	return in(0x40 + n);
}

static void test_mode0(void)
{
	int64_t start;

	reset();
	program(0, 0, 1000);
	start = now();
	g_assert_cmphex(status(0), ==, 0x30);
	go_to(start, 10);
	g_assert_cmpuint(counter(0), ==, 990);
	go_to(start, 999);
	g_assert_cmpuint(rises, ==, 0);
	go_to(start, 1000);
	g_assert_cmpuint(rises, ==, 1);
	g_assert_cmphex(status(0), ==, 0xb0);
	go_to(start, 1001);
	g_assert_cmphex(counter(0), ==, 0xffff);
	go_to(start, 100000);
	g_assert_cmpuint(rises, ==, 1);
	/* The first byte of a count stops it. */
	out(0x40, 5);
	g_assert_cmpint(irq_level, ==, 0);
	go_to(now(), 100);
	g_assert_cmpuint(rises, ==, 1);
	out(0x40, 0);
	go_to(now(), 5);
	g_assert_cmpuint(rises, ==, 2);
}

static void test_mode2(void)
{
	int64_t start;

	reset();
	program(0, 2, 1000);
	start = now();
	rises = 0;
	for (unsigned i = 1; i <= 5; i++) {
		go_to(start, i * 1000 - 2);
		g_assert_cmpuint(counter(0), ==, 2);
		g_assert_cmphex(status(0), ==, 0xb4);
		go_to(start, i * 1000 - 1);
		g_assert_cmpuint(counter(0), ==, 1);
		g_assert_cmphex(status(0), ==, 0x34);
		g_assert_cmpuint(rises, ==, i - 1);
		go_to(start, i * 1000);
		g_assert_cmpuint(counter(0), ==, 1000);
		g_assert_cmpuint(rises, ==, i);
	}
}

/* A new count takes its turn when the period is over. */
static void test_reload(void)
{
	int64_t start;

	reset();
	program(0, 2, 1000);
	start = now();
	rises = 0;
	go_to(start, 300);
	out(0x40, 500 & 0xff);
	out(0x40, 500 >> 8);
	g_assert_cmphex(status(0), ==, 0xf4); /* null count */
	g_assert_cmpuint(counter(0), ==, 700);
	go_to(start, 1000);
	g_assert_cmpuint(rises, ==, 1);
	g_assert_cmphex(status(0), ==, 0xb4);
	go_to(start, 1500);
	g_assert_cmpuint(rises, ==, 2);
	go_to(start, 1999);
	g_assert_cmpuint(rises, ==, 2);
	go_to(start, 2000);
	g_assert_cmpuint(rises, ==, 3);
}

static void square(uint16_t count)
{
	int64_t start;
	unsigned high = (count + 1) / 2;

	reset();
	program(0, 3, count);
	start = now();
	rises = 0;
	for (unsigned i = 0; i < 3 * count; i++) {
		go_to(start, i);
		g_assert_cmpint(!!(status(0) & 0x80), ==, i % count < high);
		g_assert_cmpuint(counter(0) % 2, ==, 0);
		g_assert_cmpuint(counter(0), <=, count);
		g_assert_cmpuint(rises, ==, i / count);
	}
}

static void test_mode3(void)
{
	square(100);
	square(101);
	square(30);
}

static void test_mode4(void)
{
	int64_t start;

	reset();
	program(0, 4, 50);
	start = now();
	rises = 0;
	go_to(start, 49);
	g_assert_cmphex(status(0), ==, 0xb8);
	go_to(start, 50);
	g_assert_cmphex(status(0), ==, 0x38);
	go_to(start, 51);
	g_assert_cmphex(status(0), ==, 0xb8);
	g_assert_cmpuint(rises, ==, 1);
	go_to(start, 70000);
	g_assert_cmpuint(rises, ==, 1);
}

/* Counter 2, whose gate software has. */
static void test_mode1(void)
{
	int64_t start;

	reset();
	pit_set_speaker_gate(pit, false);
	program(2, 1, 100);
	g_assert_true(pit_speaker_output(pit));
	go_to(now(), 1000);
	g_assert_true(pit_speaker_output(pit));
	pit_set_speaker_gate(pit, true);
	start = now();
	g_assert_false(pit_speaker_output(pit));
	pit_set_speaker_gate(pit, false);
	go_to(start, 60);
	g_assert_cmpuint(counter(2), ==, 40);
	pit_set_speaker_gate(pit, true); /* again, from the beginning */
	start = now();
	go_to(start, 99);
	g_assert_false(pit_speaker_output(pit));
	go_to(start, 100);
	g_assert_true(pit_speaker_output(pit));
}

static void test_mode5(void)
{
	int64_t start;

	reset();
	program(2, 5, 100);
	go_to(now(), 1000);
	g_assert_true(pit_speaker_output(pit));
	pit_set_speaker_gate(pit, true);
	start = now();
	go_to(start, 99);
	g_assert_true(pit_speaker_output(pit));
	go_to(start, 100);
	g_assert_false(pit_speaker_output(pit));
	go_to(start, 101);
	g_assert_true(pit_speaker_output(pit));
}

/* Mode 0 pauses while the gate is low; mode 2 starts over. */
static void test_gate(void)
{
	int64_t start;

	reset();
	pit_set_speaker_gate(pit, true);
	program(2, 0, 1000);
	start = now();
	go_to(start, 400);
	pit_set_speaker_gate(pit, false);
	go_to(start, 5000);
	g_assert_cmpuint(counter(2), ==, 600);
	g_assert_false(pit_speaker_output(pit));
	pit_set_speaker_gate(pit, true);
	start = now();
	go_to(start, 599);
	g_assert_false(pit_speaker_output(pit));
	go_to(start, 600);
	g_assert_true(pit_speaker_output(pit));

	program(2, 3, 1000);
	start = now();
	go_to(start, 700);
	g_assert_false(pit_speaker_output(pit));
	pit_set_speaker_gate(pit, false);
	g_assert_true(pit_speaker_output(pit));
	go_to(start, 900);
	pit_set_speaker_gate(pit, true);
	g_assert_cmpuint(counter(2), ==, 1000);
}

static void test_bcd(void)
{
	int64_t start;

	reset();
	out(0x43, 0x31);
	out(0x40, 0x00);
	out(0x40, 0x10);
	start = now();
	go_to(start, 1);
	g_assert_cmphex(counter(0), ==, 0x0999);
	go_to(start, 1000);
	g_assert_cmpuint(rises, ==, 1);
	go_to(start, 1001);
	g_assert_cmphex(counter(0), ==, 0x9999);
	out(0x43, 0x35);
	out(0x40, 0);
	out(0x40, 0);
	start = now();
	rises = 0;
	go_to(start, 9999);
	g_assert_cmpuint(rises, ==, 0);
	go_to(start, 10000);
	g_assert_cmpuint(rises, ==, 1);
}

static void test_access(void)
{
	int64_t start;

	reset();
	out(0x43, 0x94); /* counter 2, low byte, mode 2 */
	out(0x42, 100);
	pit_set_speaker_gate(pit, true);
	start = now();
	go_to(start, 10);
	g_assert_cmpuint(in(0x42), ==, 90);
	g_assert_cmpuint(in(0x42), ==, 90);
	out(0x43, 0xa4); /* high byte */
	out(0x42, 0x20);
	start = now();
	go_to(start, 0x150);
	g_assert_cmphex(in(0x42), ==, 0x1e);
	g_assert_cmphex(in(0x43), ==, 0);
}

static void test_read_back(void)
{
	int64_t start;

	reset();
	program(0, 2, 0x4321);
	program(1, 2, 0x0100);
	start = now();
	go_to(start, 0x21);
	out(0x43, 0xc2 | 4); /* count and status of 0 and 1 */
	go_to(start, 0x40);
	out(0x43, 0xd2); /* a second latch of what was not read is ignored */
	g_assert_cmphex(in(0x40), ==, 0xb4);
	g_assert_cmphex(in(0x40), ==, 0x00);
	g_assert_cmphex(in(0x40), ==, 0x43);
	g_assert_cmphex(in(0x41), ==, 0xb4);
	g_assert_cmphex(in(0x41), ==, 0xdf);
	g_assert_cmphex(in(0x41), ==, 0x00);
}

static void test_silence(void)
{
	struct irq *off;

	reset();
	off = device_input(pit, "", 0);
	program(0, 2, 1000);
	rises = 0;
	irq_set(off, 1);
	clock_virtual_step(now() + 10 * NS_PER_MS);
	g_assert_cmpuint(rises, ==, 0);
	irq_set(off, 0);
	clock_virtual_step(now() + 10 * NS_PER_MS);
	g_assert_cmpuint(rises, >=, 10);
}

/* A period too short for anybody neither hangs nor floods. */
static void test_shortest(void)
{
	reset();
	program(0, 2, 1);
	rises = 0;
	clock_virtual_step(now() + 10 * NS_PER_MS);
	g_assert_cmpuint(rises, >, 100);
	g_assert_cmpuint(rises, <=, 510);
}

static void test_save(void)
{
	g_autoptr(GByteArray) saved = g_byte_array_new();
	int64_t start;

	reset();
	program(0, 2, 1000);
	out(0x43, 0x70);
	out(0x41, 0x12); /* half a count */
	start = now();
	rises = 0;
	go_to(start, 300);
	out(0x40, 50);
	out(0x40, 0);
	out(0x43, 0x00); /* latched */
	in(0x40);
	state_save_device(pit, saved);
	device_reset(pit);
	g_assert_true(state_load_device(pit, saved->data, saved->len, NULL));
	rises = 0;
	g_assert_cmphex(in(0x40), ==, 700 >> 8);
	out(0x41, 0x34);
	g_assert_cmphex(counter(1), ==, 0x3412);
	go_to(start, 999);
	g_assert_cmpuint(rises, ==, 0);
	go_to(start, 1000);
	g_assert_cmpuint(rises, ==, 1);
	go_to(start, 1050);
	g_assert_cmpuint(rises, ==, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/i8254/mode0", test_mode0);
	g_test_add_func("/i8254/mode1", test_mode1);
	g_test_add_func("/i8254/mode2", test_mode2);
	g_test_add_func("/i8254/mode3", test_mode3);
	g_test_add_func("/i8254/mode4", test_mode4);
	g_test_add_func("/i8254/mode5", test_mode5);
	g_test_add_func("/i8254/reload", test_reload);
	g_test_add_func("/i8254/gate", test_gate);
	g_test_add_func("/i8254/bcd", test_bcd);
	g_test_add_func("/i8254/access", test_access);
	g_test_add_func("/i8254/read-back", test_read_back);
	g_test_add_func("/i8254/silence", test_silence);
	g_test_add_func("/i8254/shortest", test_shortest);
	g_test_add_func("/i8254/save", test_save);
	return g_test_run();
}
