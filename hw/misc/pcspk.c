/*
 * Port 61h, "system control port B": the gate of the PIT's counter 2 and the speaker's data bit, the
 * refresh toggle that software times delays with, and the output of counter 2. Where the PIT lives in
 * the kernel, so does this port; then there is no PIT here, and its output reads as after power-on.
 * Source: PIIX3 data sheet (290550-002), 2.5.3.
 */
#include "hw/intc.h"
#include "hw/isa.h"

struct pcspk {
	struct isa_device isa;
	struct region port;
	uint32_t iobase;
	struct device *pit; /* NULL: none in this process */
	uint8_t gates;
	bool refresh;
};

enum {
	PCSPK_GATE = 0x01,
	PCSPK_GATES = 0x03,
	PCSPK_REFRESH = 0x10,
	PCSPK_OUT = 0x20,
};

static struct pcspk *pcspk_of(struct device *dev)
{
	return container_of(dev, struct pcspk, isa.dev);
}

static uint64_t pcspk_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pcspk *p = opaque;
	bool out = !p->pit || pit_speaker_output(p->pit);

	p->refresh = !p->refresh;
	return p->gates | (p->refresh ? PCSPK_REFRESH : 0) | (out ? PCSPK_OUT : 0);
}

static void pcspk_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pcspk *p = opaque;

	p->gates = value & PCSPK_GATES;
	if (p->pit)
		pit_set_speaker_gate(p->pit, p->gates & PCSPK_GATE);
}

static const struct io_ops pcspk_ops = {
	.read = pcspk_read,
	.write = pcspk_write,
	.impl = {.min = 1, .max = 1},
};

static bool pcspk_realize(struct device *dev, GError **errp)
{
	struct pcspk *p = pcspk_of(dev);

	region_init_io(&p->port, dev, "pcspk", &pcspk_ops, p, 1);
	isa_add_ports(&p->isa, &p->port, p->iobase);
	return true;
}

static void pcspk_unrealize(struct device *dev)
{
	region_cleanup(&pcspk_of(dev)->port);
}

static void pcspk_reset(struct device *dev)
{
	pcspk_of(dev)->gates = 0;
}

static void *pit_resolve(const char *name, GError **errp)
{
	return tree_find_type(name, &pit_type, errp);
}

static const char *pit_name(void *target)
{
	return device_label(target);
}

static const struct link_kind pit_link = {"pit-common", pit_resolve, pit_name};

static const struct field pcspk_props[] = {
	PROP_UINT(struct pcspk, iobase, "iobase", 0x61, 0xffff, "I/O port"),
	PROP_LINK(struct pcspk, pit, "pit", &pit_link, "Timer whose counter 2 makes the sound"),
	FIELD_ROW_END,
};

static const struct field pcspk_state[] = {
	SAVE_UINT(struct pcspk, gates),
	SAVE_BOOL(struct pcspk, refresh),
	FIELD_ROW_END,
};

const struct device_type pcspk_type = {
	.name = "isa-pcspk",
	.help = "System control port B: speaker gate and refresh toggle",
	.base = &isa_device_type,
	.category = CATEGORY_SOUND,
	.size = sizeof(struct pcspk),
	.props = pcspk_props,
	.state = pcspk_state,
	.realize = pcspk_realize,
	.unrealize = pcspk_unrealize,
	.reset = pcspk_reset,
};
