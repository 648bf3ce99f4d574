/* The DMA controllers: random registers, and devices on their channels that move what they may. */
#include "../unit/trial-bench.h"
#include "hw/dma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More than a transfer can be. */
static uint8_t buffer[256 * KIB];

static void move(struct dma_channel *c, unsigned n)
{
	bool tc;
	size_t moved;

	dma_request(c, true);
	if (n & 1)
		moved = dma_read(c, buffer, sizeof(buffer) - n, &tc);
	else
		moved = dma_write(c, buffer, 1 + 0x101 * n, &tc);
	g_assert(moved <= sizeof(buffer) && (!tc || moved));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *chips[2];
	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->io, 0, 16}, {&b->io, 0x80, 16}, {&b->io, 0xc0, 32}};

	for (unsigned i = 0; i < 2 && !chips[i]; i++) {
		chips[i] = i8237_new(&b->memory, i == 1);
		if (!device_realize(chips[i], NULL, NULL, &b->isa.bus, NULL))
			g_error("no controller");
	}
	device_reset(&b->dev);
	while (size) {
		size_t part = MIN(size, 48);

		bench_play(windows, G_N_ELEMENTS(windows), data, part);
		for (unsigned n = 0; n < ISA_DMA_CHANNELS; n++)
			move(b->isa.dma[n], n);
		data += part;
		size -= part;
	}
	return 0;
}
