/* The 8254 and port 61h: random accesses and time; what is saved in between can be loaded. */
#include "../unit/trial-bench.h"
#include "hw/intc.h"
#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct device_type pcspk_type;

static struct device *make(void)
{
	struct bench *b = bench();
	struct device *pit = device_new(&pit_type), *speaker = device_new(&pcspk_type);
	g_autofree char *path = NULL;

	pit_configure(pit, &b->lines[0]);
	g_assert_true(device_realize(pit, NULL, NULL, &b->isa.bus, NULL));
	path = device_path(pit);
	g_assert_true(device_set_text(speaker, "pit", path, NULL));
	g_assert_true(device_realize(speaker, NULL, NULL, &b->isa.bus, NULL));
	return pit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *pit;
	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->io, 0x40, 4}, {&b->io, 0x61, 1}};
	g_autoptr(GByteArray) saved = g_byte_array_new();
	g_autoptr(GError) err = NULL;

	if (!pit)
		pit = make();
	device_reset(&b->dev);
	bench_play(windows, 2, data, size / 2);
	state_save_device(pit, saved);
	device_reset(pit);
	state_load_device(pit, saved->data, saved->len, &err);
	g_assert_no_error(err);
	bench_play(windows, 2, data + size / 2, size - size / 2);
	return 0;
}
