/* A serial port on the bench: random accesses and time; what it sends comes back in loopback mode. */
#include "../unit/trial-bench.h"
#include "hw/char/serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct device_type isa_serial_type;

static struct device *port;

static void set_up(void)
{
	g_autoptr(GError) err = NULL;
	json_object *options;

	if (port)
		return;
	bench();
	options = json_object_new_object();
	json_object_object_add(options, "backend", json_object_new_string("null"));
	if (!chardev_new("c", options, &err))
		g_error("%s", err->message);
	json_object_put(options);
	port = device_new(&isa_serial_type);
	if (!device_set_text(port, "chardev", "c", &err) ||
	    !device_realize(port, NULL, NULL, &bench()->isa.bus, &err))
		g_error("%s", err->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();

	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->io, 0x3f8, 8}};

	device_reset(&b->dev);
	bench_play(windows, 1, data, size);
	return 0;
}
