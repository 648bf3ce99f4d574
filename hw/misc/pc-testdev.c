/*
 * pc-testdev: what tests of accelerators (kvm-unit-tests) want of a machine, on the ISA bus.
 *
 *	E0h-E3h		four bytes that are what was written; again at E8h-EBh
 *	E4h-E7h		the page at the address that is written loses its place in second-level page tables
 *	2000h-2017h	a write sets the interrupt line of that number to "not zero"
 *	FF000000h	64 KiB of memory that is not: every access is an exit
 *
 * Nothing here is reset, as on QEMU 7.2, whose device the layout is observed from.
 */
#include "hw/isa.h"
#include "mem/ram.h"
#include "mem/space.h"

#define PORT_ECHO       0xe0
#define PORT_FLUSH      0xe4
#define PORT_ECHO_AGAIN 0xe8
#define PORT_LINES      0x2000
#define LINES           24 /* the bus has 16; the others go nowhere */
#define MEMORY          0xff000000
#define MEMORY_SIZE     0x10000

struct pc_testdev {
	struct isa_device isa;
	struct region echo, echo_again, flush, lines, memory;
	struct address_space space; /* what the CPUs see */
	uint8_t echoed[4];
	uint8_t bytes[MEMORY_SIZE];
};

static struct pc_testdev *testdev_of(struct device *dev)
{
	return container_of(dev, struct pc_testdev, isa.dev);
}

/* ---- Registers ---- */

static uint64_t echo_read(void *opaque, uint64_t offset, unsigned size)
{
	return ((struct pc_testdev *)opaque)->echoed[offset];
}

static void echo_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	((struct pc_testdev *)opaque)->echoed[offset] = value;
}

static const struct io_ops echo_ops = {
	.read = echo_read,
	.write = echo_write,
	.impl = {.min = 1, .max = 1},
};

static uint64_t memory_read(void *opaque, uint64_t offset, unsigned size)
{
	return ((struct pc_testdev *)opaque)->bytes[offset];
}

static void memory_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	((struct pc_testdev *)opaque)->bytes[offset] = value;
}

static const struct io_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.impl = {.min = 1, .max = 1},
};

static uint64_t read_nothing(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void flush_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pc_testdev *d = opaque;
	uint64_t len = RAM_PAGE_SIZE;
	struct as_mapping map;

	if (!as_map(&d->space, value & ~(RAM_PAGE_SIZE - 1), &len, true, &map))
		return;
	ram_unmap_from_guests(map.ram, map.ram_offset);
	as_unmap(&map, 0);
}

static const struct io_ops flush_ops = {.read = read_nothing, .write = flush_write};

static void lines_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pc_testdev *d = opaque;

	irq_set(isa_irq(&d->isa, offset), value != 0);
}

static const struct io_ops lines_ops = {
	.read = read_nothing,
	.write = lines_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static struct region *top_of(struct region *r)
{
	while (r->parent)
		r = r->parent;
	return r;
}

static bool testdev_realize(struct device *dev, GError **errp)
{
	struct pc_testdev *d = testdev_of(dev);
	struct region *memory = isa_bus_of(&d->isa)->memory;

	address_space_init(&d->space, "pc-testdev", top_of(memory));
	region_init_io(&d->echo, dev, "pc-testdev-ioport", &echo_ops, d, sizeof(d->echoed));
	isa_add_ports(&d->isa, &d->echo, PORT_ECHO);
	region_init_io(&d->flush, dev, "pc-testdev-flush-page", &flush_ops, d, 4);
	isa_add_ports(&d->isa, &d->flush, PORT_FLUSH);
	region_init_io(&d->echo_again, dev, "pc-testdev-ioport-byte", &echo_ops, d,
		       sizeof(d->echoed));
	isa_add_ports(&d->isa, &d->echo_again, PORT_ECHO_AGAIN);
	region_init_io(&d->lines, dev, "pc-testdev-irq-line", &lines_ops, d, LINES);
	isa_add_ports(&d->isa, &d->lines, PORT_LINES);
	region_init_io(&d->memory, dev, "pc-testdev-iomem", &memory_ops, d, MEMORY_SIZE);
	region_add(memory, MEMORY, &d->memory, 0);
	return true;
}

static void testdev_unrealize(struct device *dev)
{
	struct pc_testdev *d = testdev_of(dev);

	region_cleanup(&d->echo);
	region_cleanup(&d->echo_again);
	region_cleanup(&d->flush);
	region_cleanup(&d->lines);
	region_cleanup(&d->memory);
	address_space_cleanup(&d->space);
}

static const struct field testdev_state[] = {
	SAVE_BYTES(struct pc_testdev, echoed),
	SAVE_BYTES(struct pc_testdev, bytes),
	FIELD_ROW_END,
};

const struct device_type pc_testdev_type = {
	.name = "pc-testdev",
	.help = "Ports, lines and memory for tests of accelerators",
	.base = &isa_device_type,
	.size = sizeof(struct pc_testdev),
	.flags = TYPE_USER_CREATABLE,
	.state = testdev_state,
	.realize = testdev_realize,
	.unrealize = testdev_unrealize,
};
