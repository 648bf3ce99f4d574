/*
 * pci-serial, pci-serial-2x, pci-serial-4x: one, two or four 16550A on a PCI card, eight ports each in BAR 0,
 * with one interrupt for all. The chip is serial.c.
 */
#include "hw/char/serial.h"
#include "hw/pci.h"

#define CHIPS 4
#define PORTS 8

struct pci_serial_info {
	struct pci_info pci; /* first: what the base looks at */
	unsigned chips;
};

struct pci_serial {
	struct pci_device pci;
	struct region bar, ports[CHIPS];
	struct serial chips[CHIPS];
	struct irq lines[CHIPS];
	unsigned count;
	uint8_t levels, prog_if;
};

static struct pci_serial *serial_of(struct device *dev)
{
	return container_of(dev, struct pci_serial, pci.dev);
}

static void set_line(void *opaque, unsigned n, int level)
{
	struct pci_serial *p = opaque;

	p->levels = (p->levels & ~BIT(n)) | (level ? BIT(n) : 0);
	pci_set_irq(&p->pci, p->levels);
}

static void drop_chips(struct pci_serial *p, unsigned count)
{
	while (count-- > 0) {
		region_cleanup(&p->ports[count]);
		serial_unrealize(&p->chips[count]);
	}
	region_cleanup(&p->bar);
}

static bool pci_serial_realize(struct device *dev, GError **errp)
{
	struct pci_serial *p = serial_of(dev);
	const struct pci_serial_info *info = device_type_class_data(dev->type);

	p->count = info->chips;
	p->pci.config[PCI_CLASS_INTERFACE] = p->prog_if;
	p->pci.config[PCI_INTERRUPT_PIN] = 1;
	region_init_container(&p->bar, dev, "serial", PORTS * p->count);
	for (unsigned i = 0; i < p->count; i++) {
		struct serial *chip = &p->chips[i];

		irq_init(&p->lines[i], set_line, p, i);
		chip->irq = &p->lines[i];
		if (!chip->baudbase)
			chip->baudbase = 115200;
		if (!serial_realize(chip, errp)) {
			drop_chips(p, i);
			return false;
		}
		region_init_io(&p->ports[i], dev, "serial", &serial_io_ops, chip, PORTS);
		region_add(&p->bar, PORTS * i, &p->ports[i], 0);
	}
	pci_set_bar(&p->pci, 0, PCI_BAR_IO, &p->bar);
	return true;
}

static void pci_serial_unrealize(struct device *dev)
{
	struct pci_serial *p = serial_of(dev);

	drop_chips(p, p->count);
}

static void pci_serial_reset(struct device *dev)
{
	struct pci_serial *p = serial_of(dev);

	for (unsigned i = 0; i < p->count; i++)
		serial_reset(&p->chips[i]);
}

static bool pci_serial_post_load(struct device *dev, GError **errp)
{
	struct pci_serial *p = serial_of(dev);

	for (unsigned i = 0; i < p->count; i++) {
		if (!serial_post_load(&p->chips[i], errp))
			return false;
	}
	return true;
}

#define PROG_IF_PROP                                                                               \
	PROP_UINT(struct pci_serial, prog_if, "prog_if", 2, 0,                                     \
		  "Programming interface in the class code: 2 is a 16550")
#define CHARDEV_PROP(_n, _name)                                                                    \
	PROP_LINK(struct pci_serial, chips[_n].chr, _name, &chardev_link,                          \
		  "Character device the port is connected to")

static const struct field one_props[] = {
	CHARDEV_PROP(0, "chardev"),
	PROP_UINT(struct pci_serial, chips[0].baudbase, "baudbase", 115200, 0,
		  "Baud rate at divisor 1"),
	PROG_IF_PROP,
	FIELD_ROW_END,
};

static const struct field two_props[] = {
	CHARDEV_PROP(0, "chardev1"),
	CHARDEV_PROP(1, "chardev2"),
	PROG_IF_PROP,
	FIELD_ROW_END,
};

static const struct field four_props[] = {
	CHARDEV_PROP(0, "chardev1"),
	CHARDEV_PROP(1, "chardev2"),
	CHARDEV_PROP(2, "chardev3"),
	CHARDEV_PROP(3, "chardev4"),
	PROG_IF_PROP,
	FIELD_ROW_END,
};

#define CHIPS_STATE(_count)                                                                        \
	{                                                                                          \
		FIELD_AT(struct pci_serial, chips, "chips", FIELD_STRUCT, sizeof(struct serial),   \
			 ""),                                                                      \
			.sub = &serial_state, .count = (_count)                                    \
	}

static const struct field one_state[] = {CHIPS_STATE(1), FIELD_ROW_END};
static const struct field two_state[] = {CHIPS_STATE(2), FIELD_ROW_END};
static const struct field four_state[] = {CHIPS_STATE(4), FIELD_ROW_END};

#define PCI_SERIAL_INFO(_device, _chips)                                                           \
	{                                                                                          \
		.pci = {.vendor = PCI_VENDOR_QEMU,                                                 \
			.device = (_device),                                                       \
			.revision = 1,                                                             \
			.class = PCI_CLASS_CODE(0x07, 0x00, 0x02)},                                \
		.chips = (_chips)                                                                  \
	}

static const struct pci_serial_info one_info = PCI_SERIAL_INFO(0x0002, 1),
				    two_info = PCI_SERIAL_INFO(0x0003, 2),
				    four_info = PCI_SERIAL_INFO(0x0004, 4);

/* What the three have in common. */
#define PCI_SERIAL_COMMON                                                                          \
	.base = &pci_device_type, .category = CATEGORY_INPUT, .size = sizeof(struct pci_serial),   \
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE, .realize = pci_serial_realize,           \
	.unrealize = pci_serial_unrealize, .reset = pci_serial_reset,                              \
	.post_load = pci_serial_post_load

const struct device_type pci_serial_type = {
	.name = "pci-serial",
	.help = "16550A serial port on a PCI card",
	.class_data = &one_info,
	.props = one_props,
	.state = one_state,
	PCI_SERIAL_COMMON,
};

const struct device_type pci_serial_2x_type = {
	.name = "pci-serial-2x",
	.help = "Two serial ports on a PCI card",
	.class_data = &two_info,
	.props = two_props,
	.state = two_state,
	PCI_SERIAL_COMMON,
};

const struct device_type pci_serial_4x_type = {
	.name = "pci-serial-4x",
	.help = "Four serial ports on a PCI card",
	.class_data = &four_info,
	.props = four_props,
	.state = four_state,
	PCI_SERIAL_COMMON,
};
