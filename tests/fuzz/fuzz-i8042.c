/* The keyboard controller: random commands, keys and motion, on the bench. */
#include "../unit/trial-bench.h"
#include "hw/i8042.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *controller;
	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->io, 0x60, 1}, {&b->io, 0x64, 1}};

	if (!controller)
		controller = device_create(&i8042_type, &b->isa.bus);
	device_reset(&b->dev);
	while (size) {
		size_t part = MIN(size, 1 + data[0] % 16);

		bench_play(windows, 2, data + 1, part - 1);
		if (part > 2)
			i8042_key_event(controller, data[1], data[2] & 1);
		if (part > 5)
			i8042_mouse_event(controller, (int8_t)data[1] * data[2], (int8_t)data[3],
					  (int8_t)data[4], data[5]);
		data += part;
		size -= part;
	}
	return 0;
}
