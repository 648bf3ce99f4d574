/* The DMA controllers, by their ports and by a device on a channel. */
#include "hw/dma.h"
#include "event/loop.h"
#include "state/state.h"
#include "trial-bench.h"

enum { TO_MEMORY = 0x44, FROM_MEMORY = 0x48, VERIFY = 0x40, AUTOINIT = 0x10, DOWN = 0x20 };

static struct device *chips[2];
static unsigned calls;

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

static void ready(void *opaque)
{
	calls++;
}

static struct dma_channel *channel(unsigned n)
{
	if (!chips[0]) {
		for (unsigned i = 0; i < 2; i++) {
			chips[i] = i8237_new(&bench()->memory, i == 1);
			g_assert_true(
				device_realize(chips[i], NULL, NULL, &bench()->isa.bus, NULL));
		}
		for (unsigned i = 0; i < ISA_DMA_CHANNELS; i++)
			g_assert_true(dma_attach(bench()->isa.dma[i], ready, NULL));
		g_assert_false(dma_attach(bench()->isa.dma[2], ready, NULL));
	}
	for (unsigned i = 0; i < 2; i++)
		device_reset(chips[i]);
	for (unsigned i = 0; i < ISA_DMA_CHANNELS; i++)
		dma_request(bench()->isa.dma[i], false);
	calls = 0;
	return bench()->isa.dma[n];
}

static void turn(void)
{
	for (unsigned i = 0; i < 4; i++)
		loop_run_once(loop_main(), false);
}

/* Channel @n of the first controller, or of the second: base and count are of its units. */
static void program(unsigned n, uint8_t mode, uint8_t page, uint16_t base, uint16_t count)
{
	static const uint16_t page_ports[] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};
	unsigned shift = n / 4, regs = n < 4 ? 0 : 0xc0, control = n < 4 ? 8 : 0xd0, c = n % 4;

	out(control + (4 << shift), 0);
	out(control + (3 << shift), mode | c);
	out(regs + (2 * c << shift), base & 0xff);
	out(regs + (2 * c << shift), base >> 8);
	out(regs + ((2 * c + 1) << shift), count & 0xff);
	out(regs + ((2 * c + 1) << shift), count >> 8);
	out(page_ports[n], page);
	out(control + (2 << shift), c);
}

static uint16_t read_pair(uint16_t port)
{
	uint8_t low;

	out(0x0c, 0);
	low = in(port);
	return low | in(port) << 8;
}

static void test_to_memory(void)
{
	struct dma_channel *c = channel(2);
	uint8_t got[8];
	bool tc;

	program(2, TO_MEMORY, 0x01, 0x2340, 7);
	g_assert_cmpint(dma_write(c, "x", 1, &tc), ==, 0); /* not asked for */
	dma_request(c, true);
	g_assert_cmpint(calls, ==, 0); /* not from here */
	turn();
	g_assert_cmpint(calls, ==, 1);
	g_assert_cmphex(in(8), ==, 0x40);
	g_assert_cmpint(dma_left(c), ==, 8);
	g_assert_cmpint(dma_write(c, "quail", 5, &tc), ==, 5);
	g_assert_false(tc);
	g_assert_cmphex(read_pair(4), ==, 0x2345);
	g_assert_cmphex(read_pair(5), ==, 2);
	g_assert_cmpint(dma_write(c, "eggs!", 5, &tc), ==, 3);
	g_assert_true(tc);
	as_read(&bench()->memory, 0x12340, got, 8);
	g_assert_cmpmem(got, 8, "quailegg", 8);
	g_assert_cmphex(read_pair(5), ==, 0xffff);
	g_assert_cmphex(in(8), ==, 0x44);
	g_assert_cmphex(in(8), ==, 0x40);
	g_assert_cmphex(in(9) & 0x0f, ==, 0x0f); /* masked */
	g_assert_cmpint(dma_write(c, "more", 4, &tc), ==, 0);
	g_assert_false(tc);
}

static void test_from_memory(void)
{
	struct dma_channel *c = channel(1);
	char got[16] = "";
	bool tc;

	as_write(&bench()->memory, 0x20000, "0123456789", 10);
	program(1, FROM_MEMORY | AUTOINIT, 0x02, 0, 3);
	dma_request(c, true);
	g_assert_cmpint(dma_read(c, got, 16, &tc), ==, 4);
	g_assert_true(tc);
	g_assert_cmpstr(got, ==, "0123");
	g_assert_cmphex(in(9) & 0x02, ==, 0);
	g_assert_cmpint(dma_read(c, got, 2, &tc), ==, 2); /* begins again */
	g_assert_cmpmem(got, 2, "01", 2);
	g_assert_true(dma_is_autoinit(c));
	g_assert_cmpint(dma_direction(c), ==, DMA_FROM_MEMORY);
	g_assert_cmpint(dma_mode(c), ==, DMA_SINGLE);
}

/* Downwards, across the end of a page, and where nothing moves. */
static void test_addresses(void)
{
	struct dma_channel *c = channel(0);
	uint8_t got[4];

	program(0, TO_MEMORY | DOWN, 0x03, 0x0001, 3);
	dma_request(c, true);
	g_assert_cmpint(dma_write(c, "abcd", 4, NULL), ==, 4);
	as_read(&bench()->memory, 0x30000, got, 2);
	g_assert_cmpmem(got, 2, "ba", 2);
	as_read(&bench()->memory, 0x3fffe, got, 2);
	g_assert_cmpmem(got, 2, "dc", 2);
	program(0, TO_MEMORY, 0x04, 0xfffe, 3);
	g_assert_cmpint(dma_write(c, "efgh", 4, NULL), ==, 4);
	as_read(&bench()->memory, 0x4fffe, got, 2);
	g_assert_cmpmem(got, 2, "ef", 2);
	as_read(&bench()->memory, 0x40000, got, 2);
	g_assert_cmpmem(got, 2, "gh", 2);
	program(0, VERIFY, 0x04, 0xfffe, 3);
	g_assert_cmpint(dma_write(c, "xxxx", 4, NULL), ==, 4);
	as_read(&bench()->memory, 0x4fffe, got, 2);
	g_assert_cmpmem(got, 2, "ef", 2);
}

static void test_words(void)
{
	struct dma_channel *c = channel(5);
	char got[8];
	bool tc;

	/* Bit 0 of the page is not wired; the address counts words. */
	program(5, TO_MEMORY, 0x05, 0x8100, 2);
	dma_request(c, true);
	g_assert_cmpint(dma_left(c), ==, 6);
	g_assert_cmpint(dma_write(c, "ABC", 3, &tc), ==, 2);
	g_assert_cmpint(dma_write(c, "CDEFGH", 6, &tc), ==, 4);
	g_assert_true(tc);
	as_read(&bench()->memory, 0x50200, got, 6);
	g_assert_cmpmem(got, 6, "ABCDEF", 6);
	g_assert_cmphex(in(0xd0), ==, 0x22);
}

static void test_control(void)
{
	struct dma_channel *c = channel(3);

	program(3, TO_MEMORY, 0x01, 0, 0xff);
	out(8, 4); /* controller off */
	dma_request(c, true);
	turn();
	g_assert_cmpint(calls, ==, 0);
	out(8, 0x05); /* asks for memory to memory: no effect */
	g_assert_false(dma_is_ready(c));
	out(8, 0);
	turn();
	g_assert_cmpint(calls, ==, 1);
	out(0x0a, 7);
	g_assert_false(dma_is_ready(c));
	out(0x0a, 3);
	turn();
	g_assert_cmpint(calls, ==, 2);
	dma_request(c, false);
	out(0x09, 7); /* by software */
	turn();
	g_assert_cmpint(calls, ==, 3);
	g_assert_cmphex(in(8), ==, 0x80);
	out(0x0d, 0);
	g_assert_cmphex(in(8), ==, 0);
	g_assert_cmphex(in(9), ==, 0xff);
	out(0x0e, 0);
	g_assert_cmphex(in(9), ==, 0);
	out(0x0f, 0x5a);
	g_assert_cmphex(in(9), ==, 0x5a);
}

/* In the middle of a transfer. */
static void test_state(void)
{
	struct dma_channel *c = channel(2);
	g_autoptr(GByteArray) saved = g_byte_array_new();
	GError *err = NULL;
	char got[8];

	program(2, TO_MEMORY, 0x06, 0x100, 7);
	dma_request(c, true);
	dma_write(c, "1234", 4, NULL);
	state_save_device(chips[0], saved);
	dma_write(c, "5678", 4, NULL);
	program(2, FROM_MEMORY, 0x07, 0x500, 2);
	g_assert_true(state_load_device(chips[0], saved->data, saved->len, &err));
	g_assert_cmpint(dma_left(c), ==, 4);
	g_assert_cmpint(dma_write(c, "abcd", 4, NULL), ==, 4);
	as_read(&bench()->memory, 0x60100, got, 8);
	g_assert_cmpmem(got, 8, "1234abcd", 8);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	bench();
	g_test_add_func("/i8237/to-memory", test_to_memory);
	g_test_add_func("/i8237/from-memory", test_from_memory);
	g_test_add_func("/i8237/addresses", test_addresses);
	g_test_add_func("/i8237/words", test_words);
	g_test_add_func("/i8237/control", test_control);
	g_test_add_func("/i8237/state", test_state);
	return g_test_run();
}
