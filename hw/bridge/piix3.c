/*
 * Intel PIIX3: the bridge from PCI to ISA.
 *
 * Four PCI interrupt lines (PIRQA-D) are steered to ISA interrupts by the registers 60h-63h; an ISA
 * interrupt is high while any line steered to it is. Port CF9h resets the machine.
 *
 * Source: Intel 82371SB (PIIX3) data sheet (290550-002), 2.2 and 2.5.
 */
#include "base/trace.h"
#include "hw/piix.h"
#include "machine/runstate.h"

TRACE_DEFINE(piix3_steer, "PIRQ%c to IRQ %d");

enum {
	REG_PIRQ = 0x60,
	PIRQ_LINES = 4,
	PIRQ_OFF = 0x80,
	PIRQ_IRQS = 0xdef8, /* the other lines are the system's own: steering there is reserved */

	RESET_HARD = 0x02,
	RESET_NOW = 0x04,
};

struct piix3 {
	struct pci_device pci;
	struct piix3_config config;
	struct isa_bus isa;
	struct region reset_port;
	uint8_t reset_control;
	uint8_t steered[PIRQ_LINES]; /* the registers as the lines follow them now */
};

static struct piix3 *piix3_of(struct device *dev)
{
	return container_of(dev, struct piix3, pci.dev);
}

void piix3_configure(struct device *dev, const struct piix3_config *config)
{
	piix3_of(dev)->config = *config;
}

struct isa_bus *piix3_isa(struct device *dev)
{
	return &piix3_of(dev)->isa;
}

/* ---- Interrupt steering ---- */

static void piix3_drive(struct piix3 *p, uint8_t irq)
{
	struct pci_bus *bus = pci_bus_of(&p->pci);
	bool level = false;

	if (irq >= ISA_IRQS || !(PIRQ_IRQS & BIT(irq)))
		return;
	for (unsigned line = 0; line < PIRQ_LINES; line++)
		level |= p->steered[line] == irq && pci_line_level(bus, line);
	irq_set(p->isa.irqs[irq], level);
}

static void piix3_set_line(void *opaque, unsigned line, bool level)
{
	struct piix3 *p = opaque;

	piix3_drive(p, p->steered[line]);
}

/* Slot 1 has its pins straight; each further slot is turned by one. */
static unsigned piix3_map_pin(void *opaque, struct pci_device *pci, unsigned pin)
{
	return (pin + PCI_SLOT(pci->devfn) - 1) % PIRQ_LINES;
}

static void piix3_steer(struct piix3 *p)
{
	for (unsigned line = 0; line < PIRQ_LINES; line++) {
		uint8_t old = p->steered[line], now = p->pci.config[REG_PIRQ + line];

		if (old == now)
			continue;
		trace(piix3_steer, 'A' + line, now < ISA_IRQS ? now : -1);
		p->steered[line] = now;
		piix3_drive(p, old);
		piix3_drive(p, now);
	}
}

static void piix3_config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	if (offset < REG_PIRQ + PIRQ_LINES && offset + len > REG_PIRQ)
		piix3_steer(container_of(pci, struct piix3, pci));
}

/* ---- Port CF9h ---- */

static uint64_t reset_read(void *opaque, uint64_t offset, unsigned size)
{
	struct piix3 *p = opaque;

	return p->reset_control;
}

static void reset_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct piix3 *p = opaque;

	if (value & RESET_NOW)
		system_reset_request(SHUTDOWN_GUEST_RESET);
	else
		p->reset_control = value & RESET_HARD;
}

static const struct io_ops reset_ops = {
	.read = reset_read,
	.write = reset_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static const struct {
	uint8_t offset, value;
} piix3_reset_values[] = {
	{0x4c, 0x4d}, /* I/O recovery times */
	{0x4e, 0x03}, /* chip selects: RTC and keyboard */
	{0x60, PIRQ_OFF}, {0x61, PIRQ_OFF}, {0x62, PIRQ_OFF},
	{0x63, PIRQ_OFF}, {0x69, 0x02}, /* top of memory: 1 MiB */
	{0x70, 0x80},                   /* motherboard IRQ routing: off */
	{0x76, 0x0c},     {0x77, 0x0c}, /* motherboard DMA: off */
	{0x78, 0x02},                   /* programmable chip select */
	{0xa0, 0x08},                   /* SMI control */
	{0xa8, 0x0f},                   /* fast-off timer */
};

static void piix3_init(struct device *dev)
{
	piix3_of(dev)->pci.multifunction = true;
}

static bool piix3_realize(struct device *dev, GError **errp)
{
	struct piix3 *p = piix3_of(dev);

	pci_set16(&p->pci, PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
	isa_bus_init(&p->isa, dev, p->config.memory, p->config.io);
	memcpy(p->isa.irqs, p->config.irqs, sizeof(p->isa.irqs));
	memset(p->steered, PIRQ_OFF, sizeof(p->steered));
	region_init_io(&p->reset_port, dev, "piix3-reset-control", &reset_ops, p, 1);
	region_add(p->config.io, 0xcf9, &p->reset_port, 1);
	pci_bus_set_intx(pci_bus_of(&p->pci), piix3_map_pin, piix3_set_line, p);
	return true;
}

static void piix3_unrealize(struct device *dev)
{
	struct piix3 *p = piix3_of(dev);

	pci_bus_set_intx(pci_bus_of(&p->pci), NULL, NULL, NULL);
	region_cleanup(&p->reset_port);
	bus_cleanup(&p->isa.bus);
}

static void piix3_reset(struct device *dev)
{
	struct piix3 *p = piix3_of(dev);

	memset(p->pci.config + PCI_HEADER_SIZE, 0, PCI_CONFIG_SIZE - PCI_HEADER_SIZE);
	for (size_t i = 0; i < G_N_ELEMENTS(piix3_reset_values); i++)
		p->pci.config[piix3_reset_values[i].offset] = piix3_reset_values[i].value;
	p->reset_control = 0;
	piix3_steer(p);
}

static bool piix3_post_load(struct device *dev, GError **errp)
{
	piix3_steer(piix3_of(dev));
	return true;
}

static const struct field piix3_state[] = {
	SAVE_UINT(struct piix3, reset_control),
	FIELD_ROW_END,
};

static const struct pci_info piix3_info = {
	.vendor = PCI_VENDOR_INTEL,
	.device = 0x7000,
	.class = PCI_CLASS_CODE(0x06, 0x01, 0x00),
	.config_written = piix3_config_written,
};

const struct device_type piix3_type = {
	.name = "PIIX3",
	.help = "Intel PIIX3 PCI to ISA bridge",
	.base = &pci_device_type,
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct piix3),
	.class_data = &piix3_info,
	.state = piix3_state,
	.init = piix3_init,
	.realize = piix3_realize,
	.unrealize = piix3_unrealize,
	.reset = piix3_reset,
	.post_load = piix3_post_load,
};
