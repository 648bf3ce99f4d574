/*
 * Intel 8259A interrupt controllers, the two of a PC.
 *
 * An input that rises sets its bit in IRR; INTA moves the most urgent bit to ISR, where it holds back
 * what is not more urgent, until an EOI. Urgency begins at input `priority_add` and goes round. A slave
 * hangs on the master's input 2: INTA for that input asks the slave for the vector. Of a level-triggered
 * input (ELCR) IRR is the level itself.
 *
 * `last_irr` is the level of the wires, and like them survives a reset. The members are the registers
 * as KVM's own 8259s have them, so a saved state reads the same.
 * Source: 8259A data sheet (231468-003); ELCR: PIIX3 (290550-002), 2.5.4.
 */
#include "base/trace.h"
#include "event/lock.h"
#include "hw/intc.h"
#include "hw/isa.h"

TRACE_DEFINE(i8259_write, "0x%x <- 0x%02x");
TRACE_DEFINE(i8259_read, "0x%x -> 0x%02x");
TRACE_DEFINE(i8259_acknowledge, "vector 0x%02x");

enum {
	LINES = 8,
	CASCADE = 2,
	SPURIOUS = 7,

	ICW1 = 0x10,
	ICW1_NEEDS_ICW4 = 0x01,
	ICW1_SINGLE = 0x02,
	ICW2_BASE = 0xf8,
	ICW4_AUTO_EOI = 0x02,
	ICW4_SPECIAL_FULLY_NESTED = 0x10,

	OCW3 = 0x08,
	OCW3_READ_ISR = 0x01,
	OCW3_READ = 0x02,
	OCW3_POLL = 0x04,
	OCW3_MASK_VALUE = 0x20,
	OCW3_MASK = 0x40,

	POLL_REQUEST = 0x80,
};

/* OCW2 bits 7-5: rotate, specific, EOI. */
enum ocw2 {
	OCW2_AEOI_ROTATE_CLEAR,
	OCW2_EOI,
	OCW2_NOP,
	OCW2_SPECIFIC_EOI,
	OCW2_AEOI_ROTATE_SET,
	OCW2_ROTATE_EOI,
	OCW2_SET_PRIORITY,
	OCW2_ROTATE_SPECIFIC_EOI,
};

/* What the next write to the upper port is. */
enum init_state { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

struct i8259 {
	struct isa_device isa;
	uint32_t iobase, elcr_addr;
	uint8_t elcr_mask;
	bool master;

	struct region ports, elcr_port;
	struct irq *out;
	struct i8259 *slave;
	int out_level; /* atomic: read by vCPUs without the lock */
	struct vcpu *cpu;

	uint8_t last_irr, irr, imr, isr, priority_add, irq_base, read_reg_select, poll;
	uint8_t special_mask, init_state, auto_eoi, rotate_on_auto_eoi, special_fully_nested_mode;
	uint8_t init4, single_mode, elcr;
};

static struct i8259 *i8259_of(struct device *dev)
{
	return container_of(dev, struct i8259, isa.dev);
}

/* ---- Priorities ---- */

/* How urgent the most urgent bit is: 0 the most; LINES: there is none. */
static unsigned urgency(const struct i8259 *s, uint8_t mask)
{
	unsigned turned = mask >> s->priority_add | mask << (LINES - s->priority_add);

	return turned & 0xff ? __builtin_ctz(turned) : LINES;
}

static unsigned line_of(const struct i8259 *s, unsigned order)
{
	return (order + s->priority_add) % LINES;
}

/* Requests in service that hold others back. */
static uint8_t in_service(const struct i8259 *s)
{
	return s->special_mask ? s->isr & ~s->imr : s->isr;
}

/* The line that is to interrupt next, or -1. */
static int next_line(const struct i8259 *s)
{
	unsigned request = urgency(s, s->irr & ~s->imr), served = urgency(s, in_service(s));

	if (request < served)
		return line_of(s, request);
	/* A slave may have something more urgent than what it has in service. */
	if (s->special_fully_nested_mode && s->master && request == served && request < LINES &&
	    line_of(s, request) == CASCADE)
		return CASCADE;
	return -1;
}

static void set_output(struct i8259 *s, int level)
{
	if (level == s->out_level)
		return;
	__atomic_store_n(&s->out_level, level, __ATOMIC_SEQ_CST);
	irq_set(s->out, level);
	if (level && s->cpu)
		vcpu_wake(s->cpu);
}

static void update(struct i8259 *s)
{
	set_output(s, next_line(s) >= 0);
}

/* ---- Inputs ---- */

static void i8259_input(void *opaque, unsigned n, int level)
{
	struct i8259 *s = i8259_of(opaque);
	uint8_t bit = BIT(n);

	if (!(s->last_irr & bit) == !level)
		return;
	if (s->elcr & bit)
		s->irr = level ? s->irr | bit : s->irr & ~bit;
	else if (level)
		s->irr |= bit;
	s->last_irr ^= bit;
	update(s);
}

/* ---- INTA ---- */

/* The output falls with every INTA: what is still to come is a new edge for the master. */
static void take(struct i8259 *s, unsigned line)
{
	set_output(s, 0);
	if (!s->auto_eoi)
		s->isr |= BIT(line);
	else if (s->rotate_on_auto_eoi)
		s->priority_add = (line + 1) % LINES;
	if (!(s->elcr & BIT(line)))
		s->irr &= ~BIT(line);
	update(s);
}

/* A request that went away before INTA shows as line 7, without a bit in ISR. */
static uint8_t take_vector(struct i8259 *s)
{
	int line = next_line(s);

	if (line < 0)
		return s->irq_base + SPURIOUS;
	take(s, line);
	if (line == CASCADE && s->slave)
		return take_vector(s->slave);
	return s->irq_base + line;
}

int i8259_acknowledge(struct device *master)
{
	struct i8259 *s = i8259_of(master);
	uint8_t vector;

	if (!s->out_level)
		return -1;
	vector = take_vector(s);
	trace(i8259_acknowledge, vector);
	return vector;
}

bool i8259_output(struct device *master)
{
	return __atomic_load_n(&i8259_of(master)->out_level, __ATOMIC_SEQ_CST);
}

/* ---- Commands ---- */

/* As ICW1 leaves it: an input that is high already has to fall before its next edge. */
static void clear(struct i8259 *s)
{
	s->irr &= s->elcr;
	s->imr = s->isr = 0;
	s->priority_add = s->irq_base = 0;
	s->read_reg_select = s->poll = s->special_mask = 0;
	s->auto_eoi = s->rotate_on_auto_eoi = s->special_fully_nested_mode = 0;
	s->init_state = INIT_DONE;
	s->init4 = s->single_mode = 0;
}

static void write_icw1(struct i8259 *s, uint8_t value)
{
	clear(s);
	s->init_state = INIT_ICW2;
	s->init4 = !!(value & ICW1_NEEDS_ICW4);
	s->single_mode = !!(value & ICW1_SINGLE);
}

static void end_interrupt(struct i8259 *s, unsigned line, bool rotate)
{
	s->isr &= ~BIT(line);
	if (rotate)
		s->priority_add = (line + 1) % LINES;
}

/* The most urgent in service; one that the special mask mode passes over has to be named. */
static void end_any(struct i8259 *s, bool rotate)
{
	unsigned order = urgency(s, s->special_mask ? s->isr & ~s->imr : s->isr);

	if (order < LINES)
		end_interrupt(s, line_of(s, order), rotate);
}

static void write_ocw2(struct i8259 *s, uint8_t value)
{
	unsigned line = value % LINES;

	switch ((enum ocw2)(value >> 5)) {
	case OCW2_AEOI_ROTATE_CLEAR:
	case OCW2_AEOI_ROTATE_SET:
		s->rotate_on_auto_eoi = value >> 7;
		break;
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		end_any(s, value >> 7);
		break;
	case OCW2_SPECIFIC_EOI:
	case OCW2_ROTATE_SPECIFIC_EOI:
		end_interrupt(s, line, value >> 7);
		break;
	case OCW2_SET_PRIORITY:
		s->priority_add = (line + 1) % LINES;
		break;
	case OCW2_NOP:
		break;
	}
}

static void write_ocw3(struct i8259 *s, uint8_t value)
{
	if (value & OCW3_POLL)
		s->poll = 1;
	if (value & OCW3_READ)
		s->read_reg_select = value & OCW3_READ_ISR;
	if (value & OCW3_MASK)
		s->special_mask = !!(value & OCW3_MASK_VALUE);
}

static void write_command(struct i8259 *s, uint8_t value)
{
	if (value & ICW1)
		write_icw1(s, value);
	else if (value & OCW3)
		write_ocw3(s, value);
	else
		write_ocw2(s, value);
}

static void write_data(struct i8259 *s, uint8_t value)
{
	switch ((enum init_state)s->init_state) {
	case INIT_DONE:
		s->imr = value;
		break;
	case INIT_ICW2:
		s->irq_base = value & ICW2_BASE;
		s->init_state = !s->single_mode ? INIT_ICW3 : s->init4 ? INIT_ICW4 : INIT_DONE;
		break;
	case INIT_ICW3: /* where slaves are is a matter of wires here */
		s->init_state = s->init4 ? INIT_ICW4 : INIT_DONE;
		break;
	case INIT_ICW4:
		s->auto_eoi = !!(value & ICW4_AUTO_EOI);
		s->special_fully_nested_mode = !!(value & ICW4_SPECIAL_FULLY_NESTED);
		s->init_state = INIT_DONE;
		break;
	}
}

/* ---- Ports ---- */

/* The poll command makes the next read an INTA that shows the line's number. */
static uint8_t poll(struct i8259 *s)
{
	int line = next_line(s);

	s->poll = 0;
	if (line < 0)
		return 0;
	take(s, line);
	return POLL_REQUEST | line;
}

static uint64_t i8259_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8259 *s = opaque;
	uint8_t value;

	if (s->poll)
		value = poll(s);
	else if (offset)
		value = s->imr;
	else
		value = s->read_reg_select ? s->isr : s->irr;
	trace(i8259_read, s->iobase + (unsigned)offset, value);
	return value;
}

static void i8259_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8259 *s = opaque;

	trace(i8259_write, s->iobase + (unsigned)offset, (unsigned)value);
	if (offset)
		write_data(s, value);
	else
		write_command(s, value);
	update(s);
}

static uint64_t elcr_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8259 *s = opaque;

	return s->elcr;
}

static void elcr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8259 *s = opaque;

	s->elcr = value & s->elcr_mask;
	s->irr = (s->irr & ~s->elcr) | (s->last_irr & s->elcr);
	update(s);
}

static const struct io_ops i8259_ops = {
	.read = i8259_read,
	.write = i8259_write,
	.impl = {.min = 1, .max = 1},
};

static const struct io_ops elcr_ops = {
	.read = elcr_read,
	.write = elcr_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- A CPU right at the output ---- */

static bool intr_pending(void *opaque)
{
	return i8259_output(opaque);
}

static int intr_acknowledge(void *opaque)
{
	MACHINE_LOCK_SCOPE();

	return i8259_acknowledge(opaque);
}

static const struct accel_intr_ops intr_ops = {
	.pending = intr_pending,
	.acknowledge = intr_acknowledge,
};

void i8259_attach_cpu(struct device *master, struct vcpu *cpu)
{
	i8259_of(master)->cpu = cpu;
	cpu->acc.intr = &intr_ops;
	cpu->acc.intr_opaque = master;
}

/* ---- Board ---- */

/* Lines that can only be edge-triggered on a PC: timer, keyboard, cascade; RTC, FPU. */
struct device *i8259_new(bool master)
{
	struct device *dev = device_new(&i8259_type);
	struct i8259 *s = i8259_of(dev);

	s->master = master;
	s->iobase = master ? 0x20 : 0xa0;
	s->elcr_addr = master ? 0x4d0 : 0x4d1;
	s->elcr_mask = master ? 0xf8 : 0xde;
	return dev;
}

void i8259_cascade(struct device *master, struct device *slave)
{
	i8259_of(master)->slave = i8259_of(slave);
	device_connect(slave, "", 0, device_input(master, "", CASCADE));
}

/* ---- Life ---- */

static bool i8259_realize(struct device *dev, GError **errp)
{
	struct i8259 *s = i8259_of(dev);

	if (s->iobase > UINT16_MAX - 1) {
		error_set(errp, "isa-i8259: iobase 0x%x is not a port", s->iobase);
		return false;
	}
	device_add_inputs(dev, "", i8259_input, LINES);
	device_add_outputs(dev, "", &s->out, 1);
	region_init_io(&s->ports, dev, "pic", &i8259_ops, s, 2);
	isa_add_ports(&s->isa, &s->ports, s->iobase);
	if (s->elcr_addr <= UINT16_MAX) {
		region_init_io(&s->elcr_port, dev, "elcr", &elcr_ops, s, 1);
		isa_add_ports(&s->isa, &s->elcr_port, s->elcr_addr);
	}
	return true;
}

static void i8259_unrealize(struct device *dev)
{
	struct i8259 *s = i8259_of(dev);

	region_cleanup(&s->ports);
	if (s->elcr_addr <= UINT16_MAX)
		region_cleanup(&s->elcr_port);
}

static void i8259_reset(struct device *dev)
{
	struct i8259 *s = i8259_of(dev);

	s->elcr = 0;
	clear(s);
	update(s);
}

/* The output is loaded like everything else: what it leads to has saved what it made of it. */
static bool i8259_post_load(struct device *dev, GError **errp)
{
	struct i8259 *s = i8259_of(dev);

	if (s->priority_add >= LINES || s->init_state > INIT_ICW4) {
		error_set(errp, "isa-i8259: priority %u, step %u of the initialization",
			  s->priority_add, s->init_state);
		return false;
	}
	s->out_level = next_line(s) >= 0;
	return true;
}

static const struct field i8259_props[] = {
	PROP_UINT(struct i8259, iobase, "iobase", UINT32_MAX, UINT32_MAX, "First I/O port"),
	PROP_UINT(struct i8259, elcr_addr, "elcr_addr", UINT32_MAX, UINT32_MAX,
		  "I/O port of the edge/level control register"),
	PROP_UINT(struct i8259, elcr_mask, "elcr_mask", 0xff, 0xff,
		  "Lines that can be level-triggered"),
	PROP_BOOL(struct i8259, master, "master", false, "It is wired to the CPU"),
	FIELD_ROW_END,
};

static const struct field i8259_state[] = {
	SAVE_UINT(struct i8259, last_irr),
	SAVE_UINT(struct i8259, irr),
	SAVE_UINT(struct i8259, imr),
	SAVE_UINT(struct i8259, isr),
	SAVE_UINT(struct i8259, priority_add),
	SAVE_UINT(struct i8259, irq_base),
	SAVE_UINT(struct i8259, read_reg_select),
	SAVE_UINT(struct i8259, poll),
	SAVE_UINT(struct i8259, special_mask),
	SAVE_UINT(struct i8259, init_state),
	SAVE_UINT(struct i8259, auto_eoi),
	SAVE_UINT(struct i8259, rotate_on_auto_eoi),
	SAVE_UINT(struct i8259, special_fully_nested_mode),
	SAVE_UINT(struct i8259, init4),
	{FIELD_AT(struct i8259, single_mode, "single_mode", FIELD_UINT, 1, ""),
	 .flags = FIELD_OPTIONAL},
	SAVE_UINT(struct i8259, elcr),
	FIELD_ROW_END,
};

const struct device_type i8259_type = {
	.name = "isa-i8259",
	.help = "Intel 8259A programmable interrupt controller",
	.base = &isa_device_type,
	.category = CATEGORY_MISC,
	.size = sizeof(struct i8259),
	.props = i8259_props,
	.state = i8259_state,
	.realize = i8259_realize,
	.unrealize = i8259_unrealize,
	.reset = i8259_reset,
	.post_load = i8259_post_load,
};
