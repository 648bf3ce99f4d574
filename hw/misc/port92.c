/*
 * Port 92h, "system control port A": bit 0 resets the CPU when it rises, bit 1 is the fast A20 gate.
 * The keyboard controller drives the same gate; who wrote last, wins, and each register keeps its own bit, as
 * firmware and boot loaders poll what they wrote. Source: PIIX3 data sheet (290550-002), 2.5.4.
 */
#include "hw/isa.h"
#include "machine/runstate.h"

struct port92 {
	struct isa_device isa;
	struct region port;
	struct irq *a20; /* to the CPUs */
	uint8_t value;
	bool a20_high; /* the gate */
};

#define PORT92_RESET 0x01
#define PORT92_A20   0x02

static struct port92 *port92_of(struct device *dev)
{
	return container_of(dev, struct port92, isa.dev);
}

static void port92_set_a20(struct port92 *p, bool high)
{
	p->a20_high = high;
	irq_set(p->a20, high);
}

/* From the keyboard controller. */
static void port92_a20_input(void *opaque, unsigned n, int level)
{
	port92_set_a20(port92_of(opaque), level);
}

static uint64_t port92_read(void *opaque, uint64_t offset, unsigned size)
{
	struct port92 *p = opaque;

	return p->value;
}

static void port92_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct port92 *p = opaque;
	bool rises = value & ~p->value & PORT92_RESET;

	p->value = value;
	port92_set_a20(p, value & PORT92_A20);
	if (rises)
		system_reset_request(SHUTDOWN_GUEST_RESET);
}

static const struct io_ops port92_ops = {
	.read = port92_read,
	.write = port92_write,
	.impl = {.min = 1, .max = 1},
};

static bool port92_realize(struct device *dev, GError **errp)
{
	struct port92 *p = port92_of(dev);

	region_init_io(&p->port, dev, "port92", &port92_ops, p, 1);
	isa_add_ports(&p->isa, &p->port, 0x92);
	device_add_inputs(dev, "", port92_a20_input, 1);
	device_add_outputs(dev, "", &p->a20, 1);
	return true;
}

static void port92_unrealize(struct device *dev)
{
	region_cleanup(&port92_of(dev)->port);
}

static void port92_reset(struct device *dev)
{
	struct port92 *p = port92_of(dev);

	p->value &= ~PORT92_RESET;
	port92_set_a20(p, true);
}

static bool port92_post_load(struct device *dev, GError **errp)
{
	struct port92 *p = port92_of(dev);

	port92_set_a20(p, p->a20_high);
	return true;
}

static const struct field port92_state[] = {
	SAVE_UINT(struct port92, value),
	SAVE_BOOL(struct port92, a20_high),
	FIELD_ROW_END,
};

const struct device_type port92_type = {
	.name = "port92",
	.help = "System control port A: fast reset and A20 gate",
	.base = &isa_device_type,
	.size = sizeof(struct port92),
	.state = port92_state,
	.realize = port92_realize,
	.unrealize = port92_unrealize,
	.reset = port92_reset,
	.post_load = port92_post_load,
};
