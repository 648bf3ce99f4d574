/*
 * A parallel port on the ISA bus, LPT1 to LPT3, with a printer on it that prints to a character device.
 *
 * The standard port has three registers: data, status, control. Software puts a byte into the data
 * register and pulses STROBE; the printer is busy while that is high, and afterwards acknowledges:
 * each read of the status register shows the next step of it (busy, ACK low, ready). The line is raised
 * when STROBE goes away while interrupts are enabled, and lowered by a read of the status. The other
 * five ports, which enhanced ports have, read as all ones.
 *
 * Source: IEEE 1284-1994, compatibility mode; IBM PC technical reference, parallel printer adapter.
 */
#include "base/trace.h"
#include "chardev/chardev.h"
#include "hw/isa.h"

TRACE_DEFINE(parallel_read, "port %u is 0x%02x");
TRACE_DEFINE(parallel_write, "port %u := 0x%02x");

#define PARALLEL_PORTS 3
#define UNSET          UINT32_MAX
#define IO_PORTS       8
#define IO_PORTS_3BC   4 /* what lies above belongs to displays */

enum { REG_DATA, REG_STATUS, REG_CONTROL };

enum {
	STATUS_NOT_BUSY = 0x80,
	STATUS_NOT_ACK = 0x40,
	STATUS_SELECTED = 0x10,
	STATUS_NO_ERROR = 0x08,
	STATUS_TIMEOUT = 0x01,
	STATUS_READY = STATUS_NOT_BUSY | STATUS_NOT_ACK | STATUS_SELECTED | STATUS_NO_ERROR,

	CONTROL_STROBE = 0x01,
	CONTROL_NOT_INIT = 0x04,
	CONTROL_SELECT = 0x08,
	CONTROL_IRQ = 0x10,
	CONTROL_INPUT = 0x20,
	CONTROL_FIXED = 0xc0,
};

struct parallel {
	struct isa_device isa;
	struct region ports;
	struct irq *line;
	struct chardev *chr;
	struct chardev_frontend *fe;
	uint32_t index, iobase, irq;

	uint8_t data, status, control;
	bool irq_pending;
};

static const uint16_t parallel_bases[PARALLEL_PORTS] = {0x378, 0x278, 0x3bc};

extern const struct device_type isa_parallel_type;

static struct parallel *parallel_of(struct device *dev)
{
	return container_of(dev, struct parallel, isa.dev);
}

/* ---- Registers ---- */

static void set_pending(struct parallel *p, bool pending)
{
	p->irq_pending = pending;
	irq_set(p->line, pending);
}

/* What the printer does between two looks at it. */
static void advance_handshake(struct parallel *p)
{
	if (p->status & STATUS_NOT_BUSY || p->control & CONTROL_STROBE)
		return;
	if (p->status & STATUS_NOT_ACK)
		p->status &= ~STATUS_NOT_ACK;
	else
		p->status |= STATUS_NOT_ACK | STATUS_NOT_BUSY;
}

static uint8_t read_register(struct parallel *p, unsigned reg)
{
	uint8_t value;

	switch (reg) {
	case REG_DATA:
		return p->control & CONTROL_INPUT ? 0xff : p->data;
	case REG_STATUS:
		value = p->status;
		set_pending(p, false);
		advance_handshake(p);
		return value;
	case REG_CONTROL:
		return p->control;
	default:
		return 0xff;
	}
}

static void write_control(struct parallel *p, uint8_t value)
{
	uint8_t before = p->control;

	p->control = value | CONTROL_FIXED;
	if (!(value & CONTROL_NOT_INIT)) {
		p->status = STATUS_READY;
	} else if (!(value & CONTROL_SELECT)) {
		return;
	} else if (value & CONTROL_STROBE) {
		p->status &= ~STATUS_NOT_BUSY;
		if (!(before & CONTROL_STROBE))
			chardev_write_all(p->fe, &p->data, 1);
	} else if (before & CONTROL_IRQ) {
		set_pending(p, true);
	}
}

static uint64_t parallel_read(void *opaque, uint64_t offset, unsigned size)
{
	uint8_t value = read_register(opaque, offset);

	trace(parallel_read, (unsigned)offset, value);
	return value;
}

static void parallel_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct parallel *p = opaque;

	trace(parallel_write, (unsigned)offset, (uint8_t)value);
	if (offset == REG_DATA)
		p->data = value;
	else if (offset == REG_CONTROL)
		write_control(p, value);
}

/* A doubleword is no access to this port. */
static bool parallel_accepts(void *opaque, uint64_t offset, unsigned size, bool is_write)
{
	return size <= 2;
}

static const struct io_ops parallel_ops = {
	.read = parallel_read,
	.write = parallel_write,
	.valid = {.accepts = parallel_accepts, .unaligned = true},
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static bool index_used(struct bus *bus, uint32_t index)
{
	for (guint i = 0; i < bus->devices->len; i++) {
		struct device *other = g_ptr_array_index(bus->devices, i);

		if (other->realized && other->type == &isa_parallel_type &&
		    parallel_of(other)->index == index)
			return true;
	}
	return false;
}

static bool choose_place(struct parallel *p, GError **errp)
{
	if (p->index == UNSET) {
		for (p->index = 0; index_used(p->isa.dev.bus, p->index);)
			p->index++;
	}
	if (p->index >= PARALLEL_PORTS) {
		error_set(errp, "Max. supported number of parallel ports is %d.", PARALLEL_PORTS);
		return false;
	}
	if (p->iobase == UNSET)
		p->iobase = parallel_bases[p->index];
	if (p->irq < ISA_IRQS && p->iobase <= 0x10000 - IO_PORTS)
		return true;
	error_set(errp,
		  "isa-parallel: no such place on the ISA bus: iobase=0x%x (up to 0x%x), irq=%u "
		  "(up to %u)",
		  p->iobase, 0x10000 - IO_PORTS, p->irq, ISA_IRQS - 1);
	return false;
}

static bool parallel_realize(struct device *dev, GError **errp)
{
	static const struct chardev_handlers handlers = {};
	struct parallel *p = parallel_of(dev);

	if (!p->chr) {
		error_set(errp, "Can't create parallel device, empty char device");
		return false;
	}
	if (!choose_place(p, errp))
		return false;
	p->fe = chardev_attach(p->chr, &handlers, p, NULL, errp);
	if (!p->fe)
		return false;
	p->line = isa_irq(&p->isa, p->irq);
	region_init_io(&p->ports, dev, "parallel", &parallel_ops, p,
		       p->iobase == 0x3bc ? IO_PORTS_3BC : IO_PORTS);
	isa_add_ports(&p->isa, &p->ports, p->iobase);
	return true;
}

static void parallel_unrealize(struct device *dev)
{
	struct parallel *p = parallel_of(dev);

	region_cleanup(&p->ports);
	g_clear_pointer(&p->fe, chardev_detach);
}

static void parallel_reset(struct device *dev)
{
	struct parallel *p = parallel_of(dev);

	p->data = 0xff;
	p->status = STATUS_READY | STATUS_TIMEOUT;
	p->control = CONTROL_SELECT | CONTROL_NOT_INIT | CONTROL_FIXED;
	set_pending(p, false);
}

static bool parallel_post_load(struct device *dev, GError **errp)
{
	struct parallel *p = parallel_of(dev);

	p->control |= CONTROL_FIXED;
	set_pending(p, p->irq_pending);
	return true;
}

static const struct field parallel_props[] = {
	PROP_UINT(struct parallel, index, "index", UNSET, 0,
		  "Which of LPT1 (0) to LPT3 (2) it is; unset: the first that is free"),
	PROP_UINT(struct parallel, iobase, "iobase", UNSET, 0,
		  "First I/O port; unset: as the index says"),
	PROP_UINT(struct parallel, irq, "irq", 7, 0, "ISA interrupt line"),
	PROP_LINK(struct parallel, chr, "chardev", &chardev_link, "What it prints to"),
	FIELD_ROW_END,
};

static const struct field parallel_state[] = {
	SAVE_UINT(struct parallel, data),
	SAVE_UINT(struct parallel, status),
	SAVE_UINT(struct parallel, control),
	SAVE_BOOL(struct parallel, irq_pending),
	FIELD_ROW_END,
};

const struct device_type isa_parallel_type = {
	.name = "isa-parallel",
	.help = "Parallel port",
	.base = &isa_device_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct parallel),
	.flags = TYPE_USER_CREATABLE,
	.props = parallel_props,
	.state = parallel_state,
	.realize = parallel_realize,
	.unrealize = parallel_unrealize,
	.reset = parallel_reset,
	.post_load = parallel_post_load,
};
