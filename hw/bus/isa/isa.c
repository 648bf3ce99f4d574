/* The ISA bus core: see include/hw/isa.h. */
#include "hw/isa.h"

static char *isa_dev_path(struct device *dev)
{
	return g_strdup(dev->type->name);
}

static const struct bus_type isa_bus_type = {
	.kind = "ISA",
	.help = "Industry Standard Architecture bus",
	.dev_path = isa_dev_path,
};

void isa_bus_init(struct isa_bus *bus, struct device *parent, struct region *memory,
		  struct region *io)
{
	bus_init(&bus->bus, &isa_bus_type, parent, "isa.0");
	bus->memory = memory;
	bus->io = io;
}

struct isa_bus *isa_bus_of(struct isa_device *isa)
{
	return container_of(isa->dev.bus, struct isa_bus, bus);
}

void isa_add_ports(struct isa_device *isa, struct region *region, uint16_t port)
{
	region_add(isa_bus_of(isa)->io, port, region, 0);
}

struct irq *isa_irq(struct isa_device *isa, unsigned n)
{
	return n < ISA_IRQS ? isa_bus_of(isa)->irqs[n] : NULL;
}

struct dma_channel *isa_dma(struct isa_device *isa, unsigned n)
{
	return n < ISA_DMA_CHANNELS ? isa_bus_of(isa)->dma[n] : NULL;
}

const struct device_type isa_device_type = {
	.name = "isa-device",
	.help = "A device on the ISA bus",
	.bus = "ISA",
	.size = sizeof(struct isa_device),
	.flags = TYPE_ABSTRACT | STATE_NONE,
};
