/* A 16550A serial port on the ISA bus: COM1 to COM4. The chip is serial.c. */
#include "hw/char/serial.h"
#include "hw/isa.h"

#define ISA_SERIAL_PORTS 4
#define UNSET            UINT32_MAX

struct isa_serial {
	struct isa_device isa;
	struct serial chip;
	struct region ports;
	uint32_t index, iobase, irq;
};

static const struct {
	uint16_t iobase;
	uint8_t irq;
} isa_serial_defaults[ISA_SERIAL_PORTS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

extern const struct device_type isa_serial_type;

static struct isa_serial *isa_serial_of(struct device *dev)
{
	return container_of(dev, struct isa_serial, isa.dev);
}

static bool isa_serial_index_used(struct bus *bus, uint32_t index)
{
	for (guint i = 0; i < bus->devices->len; i++) {
		struct device *other = g_ptr_array_index(bus->devices, i);

		if (other->realized && other->type == &isa_serial_type &&
		    isa_serial_of(other)->index == index)
			return true;
	}
	return false;
}

static uint32_t isa_serial_free_index(struct bus *bus)
{
	uint32_t index = 0;

	while (isa_serial_index_used(bus, index))
		index++;
	return index;
}

static bool isa_serial_realize(struct device *dev, GError **errp)
{
	struct isa_serial *s = isa_serial_of(dev);

	if (s->index == UNSET)
		s->index = isa_serial_free_index(dev->bus);
	if (s->index >= ISA_SERIAL_PORTS) {
		error_set(errp, "Max. supported number of ISA serial ports is %d.",
			  ISA_SERIAL_PORTS);
		return false;
	}
	if (s->iobase == UNSET)
		s->iobase = isa_serial_defaults[s->index].iobase;
	if (s->irq == UNSET)
		s->irq = isa_serial_defaults[s->index].irq;
	if (s->irq >= ISA_IRQS || s->iobase > 0xfff8) {
		error_set(errp,
			  "isa-serial: no such place on the ISA bus: iobase=0x%x (up to 0xfff8), "
			  "irq=%u (up to %u)",
			  s->iobase, s->irq, ISA_IRQS - 1);
		return false;
	}
	s->chip.irq = isa_irq(&s->isa, s->irq);
	if (!serial_realize(&s->chip, errp))
		return false;
	region_init_io(&s->ports, dev, "serial", &serial_io_ops, &s->chip, 8);
	isa_add_ports(&s->isa, &s->ports, s->iobase);
	return true;
}

static void isa_serial_unrealize(struct device *dev)
{
	struct isa_serial *s = isa_serial_of(dev);

	region_cleanup(&s->ports);
	serial_unrealize(&s->chip);
}

static void isa_serial_reset(struct device *dev)
{
	serial_reset(&isa_serial_of(dev)->chip);
}

static bool isa_serial_post_load(struct device *dev, GError **errp)
{
	return serial_post_load(&isa_serial_of(dev)->chip, errp);
}

static const struct field isa_serial_props[] = {
	PROP_UINT(struct isa_serial, index, "index", UNSET, 0,
		  "Which of COM1 (0) to COM4 (3) it is; unset: the first that is free"),
	PROP_UINT(struct isa_serial, iobase, "iobase", UNSET, 0,
		  "First I/O port; unset: as the index says"),
	PROP_UINT(struct isa_serial, irq, "irq", UNSET, 0,
		  "ISA interrupt line; unset: as the index says"),
	PROP_LINK(struct isa_serial, chip.chr, "chardev", &chardev_link,
		  "Character device it is connected to"),
	PROP_UINT(struct isa_serial, chip.baudbase, "baudbase", 115200, 0,
		  "Baud rate at divisor 1"),
	FIELD_ROW_END,
};

static const struct field isa_serial_state[] = {
	SAVE_STRUCT(struct isa_serial, chip, &serial_state),
	FIELD_ROW_END,
};

const struct device_type isa_serial_type = {
	.name = "isa-serial",
	.help = "16550A serial port",
	.base = &isa_device_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct isa_serial),
	.flags = TYPE_USER_CREATABLE,
	.props = isa_serial_props,
	.state = isa_serial_state,
	.realize = isa_serial_realize,
	.unrealize = isa_serial_unrealize,
	.reset = isa_serial_reset,
	.post_load = isa_serial_post_load,
};
