/*
 * What an access costs: as_load() and as_store() to RAM and to registers under each kind of lock,
 * on a memory map of a PC's size, in nanoseconds. Budget: 200 ns for all of user space's part of an
 * exit, of which this is the first half (the other is the device's).
 */
#include <stdio.h>
#include "mem/ram.h"
#include "mem/space.h"

#define ROUNDS  2000000
#define REGIONS 60

static uint64_t bench_read(void *opaque, uint64_t offset, unsigned size)
{
	return offset;
}

static void bench_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	*(volatile uint64_t *)opaque = value;
}

static const struct io_ops ops[] = {
	[LOCK_MACHINE] = {.read = bench_read, .write = bench_write, .lock = LOCK_MACHINE},
	[LOCK_DEVICE] = {.read = bench_read, .write = bench_write, .lock = LOCK_DEVICE},
	[LOCK_NONE] = {.read = bench_read, .write = bench_write, .lock = LOCK_NONE},
};

struct bench {
	struct ram_block *ram;
	struct region root, ram_region, io[REGIONS];
	struct address_space as;
	GMutex lock;
	uint64_t scratch;
};

static void bench_init(struct bench *b)
{
	b->ram = ram_new("bench", 16 * MIB, NULL, NULL);
	region_init_container(&b->root, NULL, "root", REGION_SIZE_MAX);
	region_init_ram(&b->ram_region, NULL, "ram", b->ram, 0, 16 * MIB);
	address_space_init(&b->as, "bench", &b->root);
	region_add(&b->root, 0, &b->ram_region, 0);
	for (unsigned i = 0; i < REGIONS; i++) {
		region_init_io(&b->io[i], NULL, "io", &ops[i % 3], &b->scratch, 0x1000);
		b->io[i].device_lock = &b->lock;
		region_add(&b->root, 0x80000000 + i * 0x2000, &b->io[i], 0);
	}
}

static void bench_cleanup(struct bench *b)
{
	for (unsigned i = 0; i < REGIONS; i++)
		region_cleanup(&b->io[i]);
	region_cleanup(&b->ram_region);
	address_space_cleanup(&b->as);
	region_cleanup(&b->root);
	ram_unref(b->ram);
}

static double ns_each(int64_t start_us, unsigned rounds)
{
	return (g_get_monotonic_time() - start_us) * 1000.0 / rounds;
}

static void measure(struct bench *b, const char *what, uint64_t addr, bool hinted, uint64_t step)
{
	struct space_hint hint = {0}, *use = hinted ? &hint : NULL;
	int64_t start = g_get_monotonic_time();
	uint64_t value;
	double load, store;

	for (unsigned i = 0; i < ROUNDS; i++)
		as_load(&b->as, use, addr + i % 2 * step, 4, &value);
	load = ns_each(start, ROUNDS);
	start = g_get_monotonic_time();
	for (unsigned i = 0; i < ROUNDS; i++)
		as_store(&b->as, use, addr + i % 2 * step, 4, i);
	store = ns_each(start, ROUNDS);
	printf("%-34s load %6.1f ns   store %6.1f ns\n", what, load, store);
}

/* One change of the map: rendering, comparing, publishing. */
static void measure_commit(struct bench *b)
{
	int64_t start = g_get_monotonic_time();

	for (unsigned i = 0; i < 5000; i++)
		region_set_addr(&b->io[0], 0x70000000 + i % 2 * 0x1000);
	printf("%-34s %6.1f us\n", "change of a map of 61 ranges", ns_each(start, 5000) / 1000);
}

int main(void)
{
	struct bench b = {0};

	bench_init(&b);
	measure(&b, "RAM", 0x1000, true, 8);
	measure(&b, "RAM, no hint", 0x1000, false, 8);
	measure(&b, "register, machine lock", 0x80000000, true, 8);
	measure(&b, "register, machine lock, no hint", 0x80000000, false, 8);
	measure(&b, "two devices in turn, machine lock", 0x80000000, true, 3 * 0x2000);
	measure(&b, "register, device lock", 0x80002000, true, 8);
	measure(&b, "register, no lock", 0x80004000, true, 8);
	measure(&b, "nothing", 0x7fff0000, true, 8);
	measure_commit(&b);
	bench_cleanup(&b);
	return 0;
}
