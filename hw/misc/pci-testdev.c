/*
 * pci-testdev: a PCI card that counts writes, for tests and measurements of what an access costs.
 *
 * BAR 0 (memory) and BAR 1 (ports) begin with the same header. A write of N to its first byte chooses
 * the Nth test of that BAR; the header then says where in the BAR one byte is to be written, and what. A
 * write to that place is counted, unless the test has an event: then its doorbell takes it, in the kernel
 * where the accelerator can do that, and the count stays 0. BAR 2 is a hole of any size.
 *
 * Source: QEMU, docs/specs/pci-testdev.txt (interface only); counts and numbers as QEMU 7.2's card shows them.
 */
#include "base/trace.h"
#include "event/loop.h"
#include "hw/pci.h"

TRACE_DEFINE(pci_testdev_start, "test %u");

#define MEMORY_SIZE 4096
#define PORTS_SIZE  256
#define NO_TEST     UINT8_MAX
#define BAR_TESTS   3 /* of each BAR */

enum {
	HEADER_TEST = 0x00,
	HEADER_WIDTH = 0x01,
	HEADER_OFFSET = 0x04,
	HEADER_DATA = 0x08,
	HEADER_COUNT = 0x0c,
	HEADER_NAME = 0x10,
};

struct test {
	const char *name;
	uint32_t offset; /* in its BAR */
	uint8_t data;
	bool match; /* only this data counts, or rings */
	bool event;
};

/* The number of a test as its BAR knows it is its place here, less BAR_TESTS for the ports'. */
static const struct test tests[2 * BAR_TESTS] = {
	{"mmio-no-eventfd", 0x800, 0xfa, true, false},
	{"mmio-wildcard-eventfd", 0x801, 0xce, false, true},
	{"mmio-datamatch-eventfd", 0x802, 0xfa, true, true},
	{"portio-no-eventfd", 0x83, 0xfa, true, false},
	{"portio-wildcard-eventfd", 0x84, 0xce, false, true},
	{"portio-datamatch-eventfd", 0x85, 0xfa, true, true},
};

struct pci_testdev {
	struct pci_device pci;
	struct region memory, ports, hole;
	uint64_t membar;
	struct notifier event;
	uint8_t test; /* index in tests, or NO_TEST */
	uint32_t count;
	struct doorbell bell; /* of the test, */
	struct region *rung;  /* and where it is; NULL: nowhere */
};

static struct pci_testdev *testdev_of(struct device *dev)
{
	return container_of(dev, struct pci_testdev, pci.dev);
}

/* ---- Tests ---- */

static void add_doorbell(struct pci_testdev *d)
{
	const struct test *test = &tests[d->test];
	const struct accel *accel = pci_accel(&d->pci);
	/* In memory the kernel is fastest when it need not know the size. */
	bool any_size = !test->match && d->test < BAR_TESTS && accel && accel->ops->has_doorbells;

	d->bell = (struct doorbell){
		.offset = test->offset,
		.size = any_size ? 0 : 1,
		.match_data = test->match,
		.data = test->data,
		.notifier = &d->event,
	};
	d->rung = d->test < BAR_TESTS ? &d->memory : &d->ports;
	region_add_doorbell(d->rung, &d->bell);
}

static void remove_doorbell(struct pci_testdev *d)
{
	if (d->rung)
		region_remove_doorbell(d->rung, &d->bell);
	d->rung = NULL;
}

static void stop(struct pci_testdev *d)
{
	remove_doorbell(d);
	d->test = NO_TEST;
	d->count = 0;
}

static void start(struct pci_testdev *d, unsigned test)
{
	stop(d);
	trace(pci_testdev_start, test);
	d->test = test;
	if (tests[test].event)
		add_doorbell(d);
}

/* ---- Registers, by bytes ---- */

static uint64_t header_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct pci_testdev *d = opaque;
	const struct test *test;
	uint8_t header[HEADER_NAME + 32] = {};

	if (d->test == NO_TEST || offset >= sizeof(header))
		return 0;
	test = &tests[d->test];
	header[HEADER_TEST] = d->test;
	header[HEADER_WIDTH] = 1;
	put_le32(header + HEADER_OFFSET, test->offset);
	put_le32(header + HEADER_DATA, test->data);
	put_le32(header + HEADER_COUNT, d->count);
	g_strlcpy((char *)header + HEADER_NAME, test->name, sizeof(header) - HEADER_NAME);
	return header[offset];
}

static void bar_write(struct pci_testdev *d, unsigned first, uint64_t offset, uint8_t value)
{
	bool chosen = d->test != NO_TEST && d->test / BAR_TESTS == first / BAR_TESTS;

	if (offset == HEADER_TEST) {
		if (value < BAR_TESTS)
			start(d, first + value);
		else
			stop(d);
	} else if (chosen && offset == tests[d->test].offset) {
		d->count += !tests[d->test].match || value == tests[d->test].data;
	}
}

static void memory_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	bar_write(opaque, 0, offset, value);
}

static void ports_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	bar_write(opaque, BAR_TESTS, offset, value);
}

static const struct io_ops memory_ops = {
	.read = header_read,
	.write = memory_write,
	.impl = {.min = 1, .max = 1},
};

static const struct io_ops ports_ops = {
	.read = header_read,
	.write = ports_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static bool testdev_realize(struct device *dev, GError **errp)
{
	struct pci_testdev *d = testdev_of(dev);

	if (d->membar && (d->membar < 16 || d->membar & (d->membar - 1))) {
		error_set(errp,
			  "pci-testdev: membar is %" PRIu64
			  ", must be a power of two of 16 bytes or more",
			  d->membar);
		return false;
	}
	if (!notifier_init(&d->event, errp))
		return false;
	d->test = NO_TEST;
	region_init_io(&d->memory, dev, "pci-testdev-mmio", &memory_ops, d, MEMORY_SIZE);
	region_init_io(&d->ports, dev, "pci-testdev-portio", &ports_ops, d, PORTS_SIZE);
	pci_set_bar(&d->pci, 0, 0, &d->memory);
	pci_set_bar(&d->pci, 1, PCI_BAR_IO, &d->ports);
	if (d->membar) {
		region_init_container(&d->hole, dev, "pci-testdev-membar", d->membar);
		pci_set_bar(&d->pci, 2, PCI_BAR_64BIT | PCI_BAR_PREFETCH, &d->hole);
	}
	return true;
}

static void testdev_unrealize(struct device *dev)
{
	struct pci_testdev *d = testdev_of(dev);

	/* With their doorbells: until then a CPU may start a test. */
	region_cleanup(&d->memory);
	region_cleanup(&d->ports);
	if (d->membar)
		region_cleanup(&d->hole);
	notifier_cleanup(&d->event);
}

static void testdev_reset(struct device *dev)
{
	stop(testdev_of(dev));
}

static bool testdev_post_load(struct device *dev, GError **errp)
{
	struct pci_testdev *d = testdev_of(dev);

	remove_doorbell(d);
	if (d->test != NO_TEST && d->test >= G_N_ELEMENTS(tests)) {
		error_set(errp, "pci-testdev: there is no test %u", d->test);
		d->test = NO_TEST;
		return false;
	}
	if (d->test != NO_TEST && tests[d->test].event)
		add_doorbell(d);
	return true;
}

static const struct field testdev_props[] = {
	PROP_SIZE(struct pci_testdev, membar, "membar", 0, "Size of BAR 2; 0: there is none"),
	FIELD_ROW_END,
};

static const struct field testdev_state[] = {
	SAVE_UINT(struct pci_testdev, test),
	SAVE_UINT(struct pci_testdev, count),
	FIELD_ROW_END,
};

static const struct pci_info testdev_info = {
	.vendor = PCI_VENDOR_QEMU,
	.device = 0x0005,
	.class = PCI_CLASS_CODE(0x00, 0xff, 0x00),
};

const struct device_type pci_testdev_type = {
	.name = "pci-testdev",
	.help = "Card that counts writes, for measurements",
	.base = &pci_device_type,
	.size = sizeof(struct pci_testdev),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &testdev_info,
	.props = testdev_props,
	.state = testdev_state,
	.realize = testdev_realize,
	.unrealize = testdev_unrealize,
	.reset = testdev_reset,
	.post_load = testdev_post_load,
};
