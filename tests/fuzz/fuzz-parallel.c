/* The parallel port: random accesses to its registers. */
#include "../unit/trial-bench.h"
#include "chardev/chardev.h"

extern const struct device_type isa_parallel_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *port;
	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->io, 0x378, 9}};

	if (!port) {
		g_autoptr(json_object) options = chardev_options_from_legacy("null", NULL);

		if (!chardev_new("c", options, NULL))
			g_error("no character device");
		port = device_new(&isa_parallel_type);
		if (!device_set_text(port, "chardev", "c", NULL) ||
		    !device_realize(port, NULL, NULL, &b->isa.bus, NULL))
			g_error("no port");
	}
	device_reset(&b->dev);
	bench_play(windows, 1, data, size);
	return 0;
}
