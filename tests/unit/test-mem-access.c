/*
 * Dispatch and transfers: what callbacks see of an access, and what the one who makes it gets.
 */
#include "base/checked.h"
#include "mem/ram.h"
#include "mem/space.h"

/* A device that keeps a log of what it sees, and answers with the offsets of the bytes read. */
struct chip {
	struct region region;
	GString *log;
	struct address_space *dma; /* NULL: none; else a write makes it write at dma_addr */
	uint64_t dma_addr;
	enum mem_result dma_result;
	bool was_locked;
	GMutex lock;
};

static uint64_t chip_read(void *opaque, uint64_t offset, unsigned size)
{
	struct chip *chip = opaque;
	uint64_t value = 0;

	chip->was_locked = machine_locked();
	g_string_append_printf(chip->log, "r%" PRIx64 "/%u ", offset, size);
	for (unsigned i = 0; i < size; i++)
		value |= (0xa0 + (offset + i) % 16) << (8 * i);
	return value | ~(~0ULL >> (64 - 8 * size)); /* rubbish above: cut off by the dispatcher */
}

static void chip_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct chip *chip = opaque;

	chip->was_locked = machine_locked();
	g_string_append_printf(chip->log, "w%" PRIx64 "/%u=%" PRIx64 " ", offset, size, value);
	if (chip->dma)
		chip->dma_result = as_store(chip->dma, NULL, chip->dma_addr, 1, 0x77);
}

static bool chip_accepts(void *opaque, uint64_t offset, unsigned size, bool is_write)
{
	return offset != 4;
}

static const struct io_ops plain_ops = {.read = chip_read, .write = chip_write};
static const struct io_ops byte_ops = {
	.read = chip_read, .write = chip_write, .valid = {1, 1}, .impl = {1, 1}};
static const struct io_ops dword_ops = {
	.read = chip_read, .write = chip_write, .valid = {4, 4}, .impl = {4, 4}};
static const struct io_ops widening_ops = {.read = chip_read, .write = chip_write, .impl = {4, 4}};
static const struct io_ops wide_ops = {
	.read = chip_read, .write = chip_write, .valid = {.unaligned = true}, .impl = {1, 8, true}};
static const struct io_ops picky_ops = {
	.read = chip_read, .write = chip_write, .valid = {.accepts = chip_accepts}};
static const struct io_ops write_only_ops = {.write = chip_write};
static const struct io_ops device_lock_ops = {
	.read = chip_read, .write = chip_write, .lock = LOCK_DEVICE};
static const struct io_ops no_lock_ops = {
	.read = chip_read, .write = chip_write, .lock = LOCK_NONE};

static void chip_init(struct chip *chip, const struct io_ops *ops, const char *name, uint64_t size)
{
	*chip = (struct chip){.log = g_string_new(NULL)};
	region_init_io(&chip->region, chip, name, ops, chip, size);
	g_mutex_init(&chip->lock);
	chip->region.device_lock = &chip->lock;
}

static void chip_cleanup(struct chip *chip)
{
	region_cleanup(&chip->region);
	g_string_free(chip->log, TRUE);
	g_mutex_clear(&chip->lock);
}

#define assert_log(chip, expected)                                                                 \
	do {                                                                                       \
		g_assert_cmpstr((chip)->log->str, ==, expected);                                   \
		g_string_truncate((chip)->log, 0);                                                 \
	} while (0)

/* A space with RAM at 0, a ROM at 0x3000, and a chip at 0x8000. */
struct bench {
	struct ram_block *ram;
	struct region root, ram_region, rom;
	struct chip chip;
	struct address_space as;
	struct space_hint hint;
};

static void bench_init(struct bench *b, const struct io_ops *ops, uint64_t size)
{
	g_autoptr(GError) err = NULL;

	*b = (struct bench){.ram = ram_new("bench.ram", 0x4000, NULL, &err)};
	g_assert_no_error(err);
	region_init_container(&b->root, NULL, "root", 0x10000);
	region_init_ram(&b->ram_region, NULL, "ram", b->ram, 0, 0x3000);
	region_init_rom(&b->rom, NULL, "rom", b->ram, 0x3000, 0x1000);
	chip_init(&b->chip, ops, "chip", size);
	address_space_init(&b->as, "test", &b->root);
	region_add(&b->root, 0, &b->ram_region, 0);
	region_add(&b->root, 0x3000, &b->rom, 0);
	region_add(&b->root, 0x8000, &b->chip.region, 0);
}

static void bench_cleanup(struct bench *b)
{
	chip_cleanup(&b->chip);
	address_space_cleanup(&b->as);
	region_cleanup(&b->ram_region);
	region_cleanup(&b->rom);
	region_cleanup(&b->root);
	g_assert_cmpint(b->ram->refs, ==, 1);
	ram_unref(b->ram);
}

static uint64_t load(struct bench *b, uint64_t addr, unsigned size, enum mem_result expected)
{
	uint64_t value = 0x5555555555555555;

	g_assert_cmpint(as_load(&b->as, &b->hint, addr, size, &value), ==, expected);
	return value;
}

static void store(struct bench *b, uint64_t addr, unsigned size, uint64_t value,
		  enum mem_result expected)
{
	g_assert_cmpint(as_store(&b->as, &b->hint, addr, size, value), ==, expected);
}

static void test_ram(void)
{
	struct bench b;
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8];

	bench_init(&b, &plain_ops, 0x100);
	dirty_start(b.ram, DIRTY_DISPLAY, false);
	store(&b, 0x1000, 8, 0x1122334455667788, MEM_OK);
	g_assert_cmphex(load(&b, 0x1000, 1, MEM_OK), ==, 0x88);
	g_assert_cmphex(load(&b, 0x1001, 2, MEM_OK), ==, 0x6677);
	g_assert_cmphex(load(&b, 0x1003, 4, MEM_OK), ==, 0x22334455);
	g_assert_true(dirty_test_and_clear(b.ram, DIRTY_DISPLAY, 0x1000, 0x1000));
	g_assert_false(dirty_test_and_clear(b.ram, DIRTY_DISPLAY, 0, 0x4000));

	/* From RAM into ROM: the part in ROM is refused, the rest is done and marked. */
	g_assert_cmpint(as_write(&b.as, 0x2ffc, bytes, 8), ==, MEM_REFUSED);
	g_assert_cmpint(as_read(&b.as, 0x2ffc, back, 8), ==, MEM_OK);
	g_assert_cmpmem(back, 8, "\1\2\3\4\0\0\0\0", 8);
	g_assert_true(dirty_test_and_clear(b.ram, DIRTY_DISPLAY, 0x2000, 0x1000));
	g_assert_false(dirty_test_and_clear(b.ram, DIRTY_DISPLAY, 0x3000, 0x1000));
	g_assert_cmpint(as_write_rom(&b.as, 0x3000, bytes, 8), ==, MEM_OK);
	g_assert_cmphex(load(&b, 0x3000, 4, MEM_OK), ==, 0x04030201);
	g_assert_cmpint(as_fill(&b.as, 0x10, 0xee, 0x20), ==, MEM_OK);
	g_assert_cmphex(load(&b, 0x2e, 4, MEM_OK), ==, 0xeeee);
	bench_cleanup(&b);
}

static void test_holes(void)
{
	struct bench b;
	uint8_t bytes[8];

	bench_init(&b, &plain_ops, 0x100);
	g_assert_cmphex(load(&b, 0x5000, 4, MEM_UNASSIGNED), ==, 0xffffffff);
	g_assert_cmphex(load(&b, 0xfffe, 8, MEM_UNASSIGNED), ==, ~0ULL);
	store(&b, 0x5000, 4, 1, MEM_UNASSIGNED);
	g_assert_cmphex(load(&b, 0x3ffe, 4, MEM_UNASSIGNED), ==, 0xffff0000);
	g_assert_cmpint(as_read(&b.as, UINT64_MAX - 2, bytes, 3), ==, MEM_UNASSIGNED);
	g_assert_cmpint(as_read(&b.as, UINT64_MAX - 2, bytes, 4), ==, MEM_REFUSED);
	g_assert_cmpmem(bytes, 4, "\xff\xff\xff\xff", 4);
	g_assert_cmpint(as_write(&b.as, UINT64_MAX, bytes, 2), ==, MEM_REFUSED);
	g_assert_cmpint(as_fill(&b.as, 1, 0, UINT64_MAX), ==, MEM_REFUSED);
	g_assert_cmpint(as_write(&b.as, UINT64_MAX, bytes, 0), ==, MEM_OK);
	bench_cleanup(&b);
}

static void test_split_to_four(void)
{
	struct bench b;

	bench_init(&b, &plain_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8008, 8, MEM_OK), ==, 0xafaeadacabaaa9a8);
	assert_log(&b.chip, "r8/4 rc/4 ");
	g_assert_true(b.chip.was_locked);
	g_assert_false(machine_locked());
	store(&b, 0x8008, 8, 0x1122334455667788, MEM_OK);
	assert_log(&b.chip, "w8/4=55667788 wc/4=11223344 ");
	store(&b, 0x8009, 1, 0x1188, MEM_OK);
	assert_log(&b.chip, "w9/1=88 ");
	/* Unaligned: as a bus does it. */
	store(&b, 0x8002, 4, 0x11223344, MEM_OK);
	assert_log(&b.chip, "w2/2=3344 w4/2=1122 ");
	g_assert_cmphex(load(&b, 0x8001, 4, MEM_OK), ==, 0xa4a3a2a1);
	assert_log(&b.chip, "r1/1 r2/2 r4/1 ");
	/* Over the end of the region into nothing. */
	g_assert_cmphex(load(&b, 0x80fe, 4, MEM_UNASSIGNED), ==, 0xffffafae);
	assert_log(&b.chip, "rfe/2 ");
	bench_cleanup(&b);
}

static void test_byte_ports(void)
{
	struct bench b;
	struct chip neighbour;

	bench_init(&b, &byte_ops, 1);
	chip_init(&neighbour, &byte_ops, "neighbour", 1);
	region_add(&b.root, 0x8001, &neighbour.region, 0);
	g_assert_cmphex(load(&b, 0x8000, 2, MEM_OK), ==, 0xa0a0);
	assert_log(&b.chip, "r0/1 ");
	assert_log(&neighbour, "r0/1 ");
	store(&b, 0x8000, 2, 0x1234, MEM_OK);
	assert_log(&b.chip, "w0/1=34 ");
	assert_log(&neighbour, "w0/1=12 ");
	g_assert_cmphex(load(&b, 0x8000, 4, MEM_UNASSIGNED), ==, 0xffffa0a0);
	chip_cleanup(&neighbour);
	bench_cleanup(&b);
}

static void test_refusals(void)
{
	struct bench b;

	bench_init(&b, &dword_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8000, 1, MEM_REFUSED), ==, 0xff);
	g_assert_cmphex(load(&b, 0x8002, 4, MEM_REFUSED), ==, 0xffffffff);
	store(&b, 0x8000, 2, 1, MEM_REFUSED);
	assert_log(&b.chip, "");
	g_assert_cmphex(load(&b, 0x8000, 8, MEM_OK), ==, 0xa7a6a5a4a3a2a1a0);
	assert_log(&b.chip, "r0/4 r4/4 ");
	bench_cleanup(&b);

	bench_init(&b, &picky_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8004, 2, MEM_REFUSED), ==, 0xffff);
	g_assert_cmphex(load(&b, 0x8006, 2, MEM_OK), ==, 0xa7a6);
	assert_log(&b.chip, "r6/2 ");
	bench_cleanup(&b);

	bench_init(&b, &write_only_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8004, 2, MEM_REFUSED), ==, 0xffff);
	store(&b, 0x8004, 2, 1, MEM_OK);
	bench_cleanup(&b);
}

static void test_widening(void)
{
	struct bench b;

	bench_init(&b, &widening_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8006, 1, MEM_OK), ==, 0xa6);
	assert_log(&b.chip, "r4/4 ");
	g_assert_cmphex(load(&b, 0x8002, 2, MEM_OK), ==, 0xa3a2);
	assert_log(&b.chip, "r0/4 ");
	store(&b, 0x8002, 2, 0x1234, MEM_OK);
	assert_log(&b.chip, "w0/4=12340000 ");
	store(&b, 0x8004, 8, 0x1122334455667788, MEM_OK);
	assert_log(&b.chip, "w4/4=55667788 w8/4=11223344 ");
	bench_cleanup(&b);

	bench_init(&b, &wide_ops, 0x100);
	g_assert_cmphex(load(&b, 0x8001, 8, MEM_OK), ==, 0xa8a7a6a5a4a3a2a1);
	assert_log(&b.chip, "r1/8 ");
	store(&b, 0x8003, 4, 0x12345678, MEM_OK);
	assert_log(&b.chip, "w3/4=12345678 ");
	bench_cleanup(&b);
}

static void test_transfer_through_registers(void)
{
	struct bench b;
	uint8_t bytes[7] = {1, 2, 3, 4, 5, 6, 7};

	bench_init(&b, &plain_ops, 0x100);
	g_assert_cmpint(as_write(&b.as, 0x8003, bytes, 7), ==, MEM_OK);
	assert_log(&b.chip, "w3/1=1 w4/4=5040302 w8/2=706 ");
	g_assert_cmpint(as_read(&b.as, 0x8000, bytes, 7), ==, MEM_OK);
	g_assert_cmpmem(bytes, 7, "\xa0\xa1\xa2\xa3\xa4\xa5\xa6", 7);
	assert_log(&b.chip, "r0/4 r4/2 r6/1 ");
	g_assert_cmpint(as_fill(&b.as, 0x8000, 0x5a, 5), ==, MEM_OK);
	assert_log(&b.chip, "w0/4=5a5a5a5a w4/1=5a ");
	bench_cleanup(&b);
}

static void test_rom_device(void)
{
	struct bench b;
	struct region flash;

	bench_init(&b, &plain_ops, 0x100);
	region_init_rom_device(&flash, &b.chip, "flash", &plain_ops, &b.chip, b.ram, 0x1000);
	region_add(&b.root, 0xa000, &flash, 0);
	store(&b, 0x20, 4, 0xcafe, MEM_OK);
	g_assert_cmphex(load(&b, 0xa020, 4, MEM_OK), ==, 0xcafe);
	store(&b, 0xa020, 2, 0x99, MEM_OK);
	assert_log(&b.chip, "w20/2=99 ");
	g_assert_cmphex(load(&b, 0xa020, 4, MEM_OK), ==, 0xcafe);
	g_assert_cmpint(as_write_rom(&b.as, 0xa020, "\1\2", 2), ==, MEM_OK);
	g_assert_cmphex(load(&b, 0x20, 4, MEM_OK), ==, 0x0201);
	region_set_romd(&flash, false);
	g_assert_cmphex(load(&b, 0xa020, 4, MEM_OK), ==, 0xa3a2a1a0);
	assert_log(&b.chip, "r20/4 ");
	/* A window that the chipset closed for writing. */
	region_set_readonly(&flash, true);
	store(&b, 0xa020, 2, 0x99, MEM_REFUSED);
	region_cleanup(&flash);
	bench_cleanup(&b);
}

static void test_locks(void)
{
	GMutex other;
	struct bench b;

	bench_init(&b, &device_lock_ops, 0x100);
	load(&b, 0x8000, 4, MEM_OK);
	g_assert_false(b.chip.was_locked);
	machine_lock();
	load(&b, 0x8000, 4, MEM_OK);
	machine_unlock();
	g_assert_true(b.chip.was_locked);
	g_assert_cmpint(b.chip.region.active, ==, 0);
	/* With a device's lock held, waiting for another's ends. */
	g_mutex_init(&other);
	device_lock(&other);
	g_mutex_lock(&b.chip.lock);
	g_assert_cmphex(load(&b, 0x8000, 4, MEM_REFUSED), ==, 0xffffffff);
	g_mutex_unlock(&b.chip.lock);
	load(&b, 0x8000, 4, MEM_OK);
	device_unlock(&other);
	g_mutex_clear(&other);
	bench_cleanup(&b);

	bench_init(&b, &no_lock_ops, 0x100);
	load(&b, 0x8000, 4, MEM_OK);
	g_assert_false(b.chip.was_locked);
	bench_cleanup(&b);
}

static gpointer store_to_chip(gpointer opaque)
{
	struct bench *b = opaque;

	for (unsigned i = 0; i < 200; i++)
		store(b, 0x8000, 1, i, MEM_OK);
	return NULL;
}

/*
 * A device's callback reaches for a register under the machine lock, while who has that waits for the device's
 * lock: the first is refused, the second gets it.
 */
static void test_lock_order(void)
{
	struct bench b;
	struct chip other;
	GThread *thread;

	bench_init(&b, &device_lock_ops, 0x100);
	chip_init(&other, &plain_ops, "other", 0x100);
	machine_lock();
	region_add(&b.root, 0x9000, &other.region, 1);
	machine_unlock();
	b.chip.dma = &b.as;
	b.chip.dma_addr = 0x9000;
	thread = g_thread_new("store", store_to_chip, &b);
	for (unsigned i = 0; i < 200; i++) {
		machine_lock();
		device_lock(&b.chip.lock);
		device_unlock(&b.chip.lock);
		machine_unlock();
	}
	g_thread_join(thread);
	g_assert_cmpint(b.chip.dma_result, ==, MEM_REFUSED);
	g_assert_cmpstr(other.log->str, ==, "");

	/* Who has the machine lock already gets through. */
	machine_lock();
	store(&b, 0x8000, 1, 1, MEM_OK);
	g_assert_cmpint(b.chip.dma_result, ==, MEM_OK);
	g_assert_cmpstr(other.log->str, ==, "w0/1=77 ");
	chip_cleanup(&other);
	machine_unlock();
	bench_cleanup(&b);
}

/* Waiting for the machine lock with a device's lock held is our mistake. */
static void test_lock_order_asserted(void)
{
	if (g_test_subprocess()) {
		GMutex lock;

		g_mutex_init(&lock);
		device_lock(&lock);
		machine_lock();
		return;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*device_locks*");
}

static void check_reentry(const struct io_ops *ops)
{
	struct bench b;

	bench_init(&b, ops, 0x100);
	b.chip.dma = &b.as;
	b.chip.dma_addr = 0x8040;
	store(&b, 0x8000, 1, 1, MEM_OK);
	g_assert_cmpint(b.chip.dma_result, ==, MEM_REFUSED);
	assert_log(&b.chip, "w0/1=1 ");
	b.chip.dma_addr = 0x40;
	store(&b, 0x8000, 1, 1, MEM_OK);
	g_assert_cmpint(b.chip.dma_result, ==, MEM_OK);
	g_assert_cmphex(load(&b, 0x40, 1, MEM_OK), ==, 0x77);
	bench_cleanup(&b);
}

static void test_reentry(void)
{
	check_reentry(&plain_ops);
	check_reentry(&device_lock_ops);
	check_reentry(&no_lock_ops);
}

/* Two devices that make DMA to each other: each is entered once. */
static void test_reentry_ring(void)
{
	struct bench b;
	struct chip other;

	bench_init(&b, &device_lock_ops, 0x100);
	chip_init(&other, &device_lock_ops, "other", 0x100);
	region_add(&b.root, 0x9000, &other.region, 0);
	b.chip.dma = other.dma = &b.as;
	b.chip.dma_addr = 0x9000;
	other.dma_addr = 0x8000;
	store(&b, 0x8000, 1, 1, MEM_OK);
	assert_log(&b.chip, "w0/1=1 ");
	assert_log(&other, "w0/1=77 ");
	g_assert_cmpint(other.dma_result, ==, MEM_REFUSED);
	g_assert_false(machine_locked());
	chip_cleanup(&other);
	bench_cleanup(&b);
}

static void test_doorbells(void)
{
	struct bench b;
	struct notifier any, exact, data;
	struct doorbell bells[] = {
		{.offset = 0x10, .notifier = &any},
		{.offset = 0x20, .size = 2, .notifier = &exact},
		{.offset = 0x20, .size = 4, .match_data = true, .data = 7, .notifier = &data},
	};
	g_autoptr(GError) err = NULL;

	g_assert_true(notifier_init(&any, &err) && notifier_init(&exact, &err) &&
		      notifier_init(&data, &err));
	bench_init(&b, &plain_ops, 0x100);
	for (size_t i = 0; i < G_N_ELEMENTS(bells); i++)
		region_add_doorbell(&b.chip.region, &bells[i]);
	store(&b, 0x8010, 1, 0, MEM_OK);
	g_assert_true(notifier_test_and_clear(&any));
	store(&b, 0x8010, 4, 0, MEM_OK);
	g_assert_true(notifier_test_and_clear(&any));
	store(&b, 0x8020, 2, 9, MEM_OK);
	g_assert_true(notifier_test_and_clear(&exact));
	store(&b, 0x8020, 4, 7, MEM_OK);
	g_assert_true(notifier_test_and_clear(&data));
	assert_log(&b.chip, "");
	store(&b, 0x8020, 4, 8, MEM_OK);
	store(&b, 0x8020, 1, 7, MEM_OK);
	store(&b, 0x8012, 1, 7, MEM_OK);
	load(&b, 0x8010, 1, MEM_OK);
	assert_log(&b.chip, "w20/4=8 w20/1=7 w12/1=7 r10/1 ");
	region_remove_doorbell(&b.chip.region, &bells[0]);
	store(&b, 0x8010, 1, 3, MEM_OK);
	assert_log(&b.chip, "w10/1=3 ");
	g_assert_false(notifier_test_and_clear(&any) || notifier_test_and_clear(&exact) ||
		       notifier_test_and_clear(&data));
	bench_cleanup(&b);
	notifier_cleanup(&any);
	notifier_cleanup(&exact);
	notifier_cleanup(&data);
}

static void test_map(void)
{
	struct bench b;
	struct as_mapping map;
	uint64_t len = 0x10000;

	bench_init(&b, &plain_ops, 0x100);
	dirty_start(b.ram, DIRTY_MIGRATION, false);
	g_assert_true(as_map(&b.as, 0x2800, &len, true, &map) == b.ram->host + 0x2800);
	g_assert_cmphex(len, ==, 0x800);
	as_unmap(&map, 0x10);
	g_assert_true(dirty_test_and_clear(b.ram, DIRTY_MIGRATION, 0x2000, 0x1000));
	g_assert_false(dirty_test_and_clear(b.ram, DIRTY_MIGRATION, 0, 0x4000));
	/* Reading goes on into the ROM that follows in the same block. */
	len = 0x10000;
	g_assert_nonnull(as_map(&b.as, 0x2800, &len, false, &map));
	g_assert_cmphex(len, ==, 0x1800);
	as_unmap(&map, 0);
	as_unmap(&map, 0);
	static const uint64_t no_ram[] = {0x3000, 0x4000, 0x8000, 0xffff, 0x10000, UINT64_MAX};
	for (size_t i = 0; i < G_N_ELEMENTS(no_ram); i++) {
		len = 1;
		g_assert_null(as_map(&b.as, no_ram[i], &len, true, &map));
		g_assert_cmphex(len, ==, 0);
	}
	/* The mapping outlives the region. */
	len = 4;
	g_assert_nonnull(as_map(&b.as, 0, &len, true, &map));
	struct ram_block *ram = ram_ref(b.ram);

	dirty_stop(b.ram, DIRTY_MIGRATION);
	chip_cleanup(&b.chip);
	address_space_cleanup(&b.as);
	region_cleanup(&b.ram_region);
	region_cleanup(&b.rom);
	region_cleanup(&b.root);
	ram_unref(b.ram);
	g_assert_cmpint(ram->refs, ==, 2);
	memset(map.host, 1, 4);
	as_unmap(&map, 4);
	g_assert_cmpint(ram->refs, ==, 1);
	ram_unref(ram);
}

/* ---- Readers, while the tree changes under them ---- */

struct storm {
	struct bench bench;
	gint stop;
	gint accesses;
};

static gpointer storm_reader(gpointer opaque)
{
	struct storm *s = opaque;
	struct space_hint hint = {0};
	uint64_t value, addr = 0;

	while (!g_atomic_int_get(&s->stop)) {
		enum mem_result result = as_load(&s->bench.as, &hint, addr, 4, &value);

		g_assert_true(result == MEM_OK || (addr >= 0x4000 && value == 0xffffffff));
		as_store(&s->bench.as, &hint, addr, 4, 0);
		addr = (addr + 0x7fc) % 0xfff0;
		g_atomic_int_inc(&s->accesses);
	}
	return NULL;
}

static uint64_t quiet_read(void *opaque, uint64_t offset, unsigned size)
{
	g_assert_cmphex(*(uint32_t *)opaque, ==, 0x600d);
	return 0;
}

static void quiet_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	g_assert_cmphex(*(uint32_t *)opaque, ==, 0x600d);
}

static void test_storm(void)
{
	static const struct io_ops quiet[] = {
		{.read = quiet_read, .write = quiet_write, .lock = LOCK_MACHINE},
		{.read = quiet_read, .write = quiet_write, .lock = LOCK_NONE},
	};
	struct storm s = {.stop = 0};
	GThread *threads[2];

	bench_init(&s.bench, &no_lock_ops, 1);
	region_remove(&s.bench.chip.region);
	for (int i = 0; i < 2; i++)
		threads[i] = g_thread_new("reader", storm_reader, &s);
	for (unsigned i = 0; i < 300; i++) {
		struct region *r = g_new(struct region, 1);
		uint32_t *state = g_new(uint32_t, 1);

		*state = 0x600d;
		machine_lock();
		region_init_io(r, NULL, "passing", &quiet[i % 2], state, 0x4000);
		region_add(&s.bench.root, 0x4000 + (i % 3) * 0x3000, r, 0);
		machine_unlock();
		if (i % 8 == 0)
			g_usleep(500);
		machine_lock();
		region_cleanup(r);
		machine_unlock();
		*state = 0xdead;
		g_free(state);
		g_free(r);
	}
	g_atomic_int_set(&s.stop, 1);
	for (int i = 0; i < 2; i++)
		g_thread_join(threads[i]);
	g_assert_cmpint(s.accesses, >, 0);
	bench_cleanup(&s.bench);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mem/access/ram", test_ram);
	g_test_add_func("/mem/access/holes", test_holes);
	g_test_add_func("/mem/access/split", test_split_to_four);
	g_test_add_func("/mem/access/byte-ports", test_byte_ports);
	g_test_add_func("/mem/access/refusals", test_refusals);
	g_test_add_func("/mem/access/widening", test_widening);
	g_test_add_func("/mem/access/transfer", test_transfer_through_registers);
	g_test_add_func("/mem/access/rom-device", test_rom_device);
	g_test_add_func("/mem/access/locks", test_locks);
	g_test_add_func("/mem/access/lock-order", test_lock_order);
	g_test_add_func("/mem/access/lock-order-asserted", test_lock_order_asserted);
	g_test_add_func("/mem/access/reentry", test_reentry);
	g_test_add_func("/mem/access/reentry-ring", test_reentry_ring);
	g_test_add_func("/mem/access/doorbells", test_doorbells);
	g_test_add_func("/mem/access/map", test_map);
	g_test_add_func("/mem/access/storm", test_storm);
	return g_test_run();
}
