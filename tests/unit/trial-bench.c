#include "trial-bench.h"
#include "event/clock.h"
#include "event/lock.h"
#include "event/loop.h"

/* ---- The card ---- */

static uint64_t card_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0xc0ffee00 + offset;
}

static void card_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	/* The first register drives the pin. */
	if (!offset)
		pci_set_irq(opaque, value & 1);
}

static const struct io_ops card_ops = {.read = card_read, .write = card_write};

static bool card_realize(struct device *dev, GError **errp)
{
	struct bench_card *c = container_of(dev, struct bench_card, pci.dev);

	c->pci.config[PCI_INTERRUPT_PIN] = 1;
	region_init_io(&c->registers, dev, "registers", &card_ops, c, 4096);
	region_init_io(&c->ports, dev, "ports", &card_ops, c, 32);
	region_init_io(&c->window, dev, "window", &card_ops, c, 64 * KIB);
	pci_set_bar(&c->pci, 0, 0, &c->registers);
	pci_set_bar(&c->pci, 1, PCI_BAR_IO, &c->ports);
	pci_set_bar(&c->pci, 2, PCI_BAR_64BIT | PCI_BAR_PREFETCH, &c->window);
	return pci_msi_init(&c->pci, 0, 4, true, true, errp) &&
	       pci_msix_init_bar(&c->pci, 3, 4, errp);
}

static void card_unrealize(struct device *dev)
{
	struct bench_card *c = container_of(dev, struct bench_card, pci.dev);

	region_cleanup(&c->registers);
	region_cleanup(&c->ports);
	region_cleanup(&c->window);
}

static const struct pci_info card_info = {
	.vendor = 0x1234,
	.device = 0x5678,
	.revision = 9,
	.class = PCI_CLASS_CODE(0x02, 0x80, 0x01),
	.subsystem_vendor = 0xabcd,
	.subsystem = 0xef01,
};

const struct device_type bench_card_type = {
	.name = "bench-card",
	.help = "A card with one of everything",
	.base = &pci_device_type,
	.size = sizeof(struct bench_card),
	.flags = TYPE_HOTPLUGGABLE,
	.class_data = &card_info,
	.realize = card_realize,
	.unrealize = card_unrealize,
};

static bool bridge_realize(struct device *dev, GError **errp)
{
	struct bench_bridge *b = container_of(dev, struct bench_bridge, pci.dev);
	struct pci_bus *up = pci_bus_of(&b->pci);

	memset(b->pci.writable + PCI_PRIMARY_BUS, 0xff, 3);
	pci_bus_init(&b->bus, dev, NULL, &b->pci, up->memory, up->io, up->dma);
	return true;
}

static void bridge_unrealize(struct device *dev)
{
	pci_bus_cleanup(&container_of(dev, struct bench_bridge, pci.dev)->bus);
}

static const struct pci_info bridge_info = {
	.vendor = 0x1234,
	.device = 0x0001,
	.class = PCI_CLASS_CODE(0x06, 0x04, 0x00),
	.bridge = true,
};

const struct device_type bench_bridge_type = {
	.name = "bench-bridge",
	.help = "A bridge to another bus",
	.base = &pci_device_type,
	.size = sizeof(struct bench_bridge),
	.class_data = &bridge_info,
	.realize = bridge_realize,
	.unrealize = bridge_unrealize,
};

/* ---- The bench ---- */

static void set_line(void *opaque, unsigned n, int level)
{
	struct bench *b = opaque;

	b->levels = (b->levels & ~BIT(n)) | (level ? BIT(n) : 0);
}

static void set_intx(void *opaque, unsigned line, bool level)
{
	struct bench *b = opaque;

	b->intx = (b->intx & ~BIT(line)) | (level ? BIT(line) : 0);
}

static unsigned map_intx(void *opaque, struct pci_device *pci, unsigned pin)
{
	return (pin + PCI_SLOT(pci->devfn)) % 4;
}

static void send_msi(void *opaque, const struct msi_message *msg)
{
	struct bench *b = opaque;

	b->last = *msg;
	b->messages++;
}

static bool bench_realize(struct device *dev, GError **errp)
{
	struct bench *b = container_of(dev, struct bench, dev);
	struct ram_options options = {};

	region_init_container(&b->memory_root, b, "memory", REGION_SIZE_MAX);
	region_init_container(&b->io_root, b, "io", 64 * KIB);
	address_space_init(&b->memory, "memory", &b->memory_root);
	address_space_init(&b->io, "io", &b->io_root);
	b->ram = ram_new("bench.ram", BENCH_RAM, &options, errp);
	if (!b->ram)
		return false;
	region_init_ram(&b->ram_region, b, "ram", b->ram, 0, BENCH_RAM);
	region_add(&b->memory_root, 0, &b->ram_region, 0);

	isa_bus_init(&b->isa, dev, &b->memory_root, &b->io_root);
	for (unsigned n = 0; n < ISA_IRQS; n++) {
		irq_init(&b->lines[n], set_line, b, n);
		b->isa.irqs[n] = &b->lines[n];
	}
	pci_bus_init(&b->pci, dev, "pci.0", NULL, &b->memory_root, &b->io_root, &b->memory);
	pci_bus_set_intx(&b->pci, map_intx, set_intx, b);
	pci_bus_set_msi(&b->pci, send_msi, b);
	pci_mechanism1_init(&b->mechanism1, dev, &b->pci, &b->io_root);
	return true;
}

static const struct device_type bench_type = {
	.name = "bench",
	.help = "Spaces and buses without a machine",
	.size = sizeof(struct bench),
	.flags = STATE_NONE,
	.realize = bench_realize,
};

struct bench *bench(void)
{
	static struct bench *b;

	if (!b) {
		loop_init_main();
		clock_virtual_set_manual();
		if (!machine_locked())
			machine_lock();
		b = container_of(device_create(&bench_type, NULL), struct bench, dev);
	}
	return b;
}

/* ---- Playing ---- */

static uint64_t take(const uint8_t **data, size_t *size, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && *size; i++, (*size)--)
		value |= (uint64_t) * (*data)++ << (8 * i);
	return value;
}

static void access_window(const struct bench_window *w, unsigned op, uint32_t offset,
			  uint64_t value)
{
	unsigned width = 1U << (op >> 1 & 3);

	offset %= w->size;
	if (op & 1)
		as_store(w->as, NULL, w->addr + offset, width, value);
	else
		as_load(w->as, NULL, w->addr + offset, width, &value);
}

void bench_play(const struct bench_window *windows, unsigned count, const uint8_t *data,
		size_t size)
{
	while (size) {
		unsigned op = take(&data, &size, 1);

		if ((op & 0xf0) == 0xf0) {
			/* Up to 16 s, so that alarms and timeouts strike. */
			uint32_t ns = take(&data, &size, 4);

			clock_virtual_step(clock_virtual_get() + (ns << 2 & UINT32_MAX));
		} else if (op == 0xef) {
			device_reset(&bench()->dev);
		} else {
			const struct bench_window *w = &windows[(op >> 3) % count];
			uint32_t offset = take(&data, &size, w->size > 256 ? 4 : 1);

			access_window(w, op, offset,
				      op & 1 ? take(&data, &size, 1 << (op >> 1 & 3)) : 0);
		}
	}
}
