/*
 * A flash chip: accesses of any size at its registers, which are its whole array, against a store that
 * checks what it is told: the range lies in the chip, a read-only one is not written to.
 */
#include "../unit/trial-bench.h"
#include "hw/flash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHIP   0xfff00000
#define SIZE   8192
#define SECTOR 4096

static bool store_read(struct flash_store *s, uint64_t offset, void *buf, size_t len, GError **errp)
{
	g_assert_cmpuint(offset + len, <=, s->size);
	memset(buf, 0xff, len);
	return true;
}

static void store_write(struct flash_store *s, const uint8_t *contents, uint64_t offset, size_t len)
{
	g_assert_false(s->readonly);
	g_assert_cmpuint(len, >, 0);
	g_assert_cmpuint(offset, <, s->size);
	g_assert_cmpuint(len, <=, s->size - offset);
	/* All of it is there to be read. */
	for (size_t i = 0; i < len; i++)
		(void)((volatile const uint8_t *)contents)[offset + i];
}

static void store_close(struct flash_store *s)
{
}

static const struct flash_store_ops store_ops = {store_read, store_write, store_close};

static struct device *make(struct flash_store *store, const char *name, uint64_t addr)
{
	struct device *dev = device_new(&pflash_cfi01_type);
	struct pflash_config config = {store, name, SECTOR};

	pflash_configure(dev, &config);
	if (!device_realize(dev, NULL, NULL, NULL, NULL))
		g_error("no device");
	region_add(&bench()->memory_root, addr, pflash_region(dev), 0);
	return dev;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct flash_store stores[2] = {{&store_ops, SIZE, false}, {&store_ops, SIZE, true}};
	static struct device *chip[2];
	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->memory, CHIP, 2 * SIZE}, /* across their border too */
		{&b->memory, CHIP + SECTOR, 8},
	};

	if (!chip[0]) {
		chip[0] = make(&stores[0], "flash", CHIP);
		chip[1] = make(&stores[1], "rom", CHIP + SIZE);
	}
	device_reset(chip[0]);
	device_reset(chip[1]);
	bench_play(windows, G_N_ELEMENTS(windows), data, size);
	return 0;
}
