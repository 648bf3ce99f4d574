/*
 * The firmware configuration device in both forms: random accesses to its registers, and DMA requests
 * in RAM that the input made.
 */
#include "../unit/trial-bench.h"
#include "hw/fw_cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MMIO 0xfef00000

static const uint8_t data_of_file[300] = {1, 2, 3};

static struct device *make(const struct device_type *type, struct region *root, uint64_t addr)
{
	struct fw_cfg_config config = {root, addr, &bench()->memory};
	struct device *dev = device_new(type);
	g_autoptr(GBytes) content = g_bytes_new_static("0123456789", 10);
	struct fw_cfg_file file = {.name = "etc/writable", .content = content, .writable = true};

	fw_cfg_configure(dev, &config);
	if (!device_realize(dev, NULL, NULL, NULL, NULL))
		g_error("no device");
	fw_cfg_add_string(dev, FW_CFG_KERNEL_CMDLINE, "console=ttyS0");
	if (!fw_cfg_add_file(dev, &file, NULL) ||
	    !fw_cfg_add_file_bytes(dev, "opt/plain", data_of_file, sizeof(data_of_file), NULL))
		g_error("no files");
	return dev;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *ports, *memory;
	struct bench *b = bench();
	const struct bench_window windows[] = {
		{&b->io, 0x510, 12},
		{&b->memory, MMIO, 24},
		{&b->memory, 0, 256}, /* requests: their addresses are small numbers */
	};

	if (!ports) {
		ports = make(&fw_cfg_io_type, &b->io_root, 0x510);
		memory = make(&fw_cfg_mem_type, &b->memory_root, MMIO);
	}
	device_reset(ports);
	device_reset(memory);
	/* The first bytes are a request at 0, and start it. */
	if (size >= 16) {
		as_write(&b->memory, 0, data, 16);
		as_store(&b->io, NULL, 0x514, 8, 0);
		data += 16;
		size -= 16;
	}
	bench_play(windows, G_N_ELEMENTS(windows), data, size);
	return 0;
}
