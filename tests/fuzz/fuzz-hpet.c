/* HPET: random accesses, inputs and time; what is saved in between can be loaded. */
#include "../unit/trial-bench.h"
#include "hw/intc.h"
#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send(void *opaque, const struct msi_message *msg)
{
}

static struct device *make(void)
{
	struct bench *b = bench();
	struct hpet_config config = {.memory = &b->memory_root, .send = send};
	struct device *dev = device_new(&hpet_type);

	for (unsigned n = 0; n < ISA_IRQS; n++)
		config.irqs[n] = &b->lines[n];
	hpet_configure(dev, &config);
	g_assert_true(device_set_text(dev, "hpet-intcap", "4", NULL));
	g_assert_true(device_set_text(dev, "msi", "on", NULL));
	g_assert_true(device_realize(dev, NULL, NULL, NULL, NULL));
	return dev;
}

static void play(struct device *hpet, const uint8_t *data, size_t size)
{
	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->memory, HPET_BASE, 256},
		{&b->memory, HPET_BASE + 0x100, 0x60},
		{&b->memory, HPET_BASE + 0x360, 0xa0},
	};

	if (size)
		irq_set(device_input(hpet, "", data[0] & 1), data[0] >> 1 & 1);
	bench_play(windows, G_N_ELEMENTS(windows), data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *hpet;
	g_autoptr(GByteArray) saved = g_byte_array_new();
	g_autoptr(GError) err = NULL;

	if (!hpet)
		hpet = make();
	device_reset(hpet);
	play(hpet, data, size / 2);
	state_save_device(hpet, saved);
	device_reset(hpet);
	state_load_device(hpet, saved->data, saved->len, &err);
	g_assert_no_error(err);
	play(hpet, data + size / 2, size - size / 2);
	return 0;
}
