/*
 * Intel 8042 keyboard controller with a PS/2 keyboard and a PS/2 mouse.
 *
 * One output buffer serves three sources: the controller's own answers, the keyboard, the mouse. It is
 * filled from the first that has something and whose clock is not held, in that order; a byte in it
 * raises IRQ 1 or 12 as the mode byte says, and stays until it is read.
 *
 * Source: IBM Personal System/2 Hardware Interface Technical Reference (1988), "Keyboard and
 * auxiliary device controller".
 */
#include "base/trace.h"
#include "hw/i8042.h"
#include "hw/input/ps2.h"
#include "hw/isa.h"
#include "machine/runstate.h"

TRACE_DEFINE(i8042_command, "0x%02x");
TRACE_DEFINE(i8042_read, "0x%02x");

enum {
	STATUS_OUTPUT_FULL = 0x01,
	STATUS_SYSTEM = 0x04,
	STATUS_COMMAND = 0x08,
	STATUS_UNLOCKED = 0x10,
	STATUS_MOUSE_FULL = 0x20,

	MODE_KEYBOARD_IRQ = 0x01,
	MODE_MOUSE_IRQ = 0x02,
	MODE_KEYBOARD_OFF = 0x10,
	MODE_MOUSE_OFF = 0x20,
	MODE_TRANSLATE = 0x40,

	OUTPORT_NOT_RESET = 0x01,
	OUTPORT_A20 = 0x02,
	OUTPORT_OUTPUT_FULL = 0x10,
	OUTPORT_MOUSE_FULL = 0x20,
	OUTPORT_RESET_VALUE = 0xcf,

	CMD_READ_MODE = 0x20,
	CMD_WRITE_MODE = 0x60,
	CMD_MOUSE_OFF = 0xa7,
	CMD_MOUSE_ON = 0xa8,
	CMD_TEST_MOUSE = 0xa9,
	CMD_SELF_TEST = 0xaa,
	CMD_TEST_KEYBOARD = 0xab,
	CMD_KEYBOARD_OFF = 0xad,
	CMD_KEYBOARD_ON = 0xae,
	CMD_READ_INPORT = 0xc0,
	CMD_READ_OUTPORT = 0xd0,
	CMD_WRITE_OUTPORT = 0xd1,
	CMD_AS_KEYBOARD = 0xd2,
	CMD_AS_MOUSE = 0xd3,
	CMD_TO_MOUSE = 0xd4,
	CMD_A20_OFF = 0xdd,
	CMD_A20_ON = 0xdf,
	CMD_PULSE = 0xf0,

	SELF_TEST_PASSED = 0x55,
	INPORT_UNLOCKED = 0x80,
};

enum source { SOURCE_NONE, SOURCE_OWN, SOURCE_OWN_MOUSE, SOURCE_KEYBOARD, SOURCE_MOUSE };

struct i8042 {
	struct isa_device isa;
	struct region data_port, command_port;
	uint32_t keyboard_irq_number, mouse_irq_number;
	struct irq *keyboard_irq, *mouse_irq, *a20;

	uint8_t status, mode, outport;
	uint8_t command;    /* waits for its data byte; 0: none */
	uint8_t output;     /* last byte read */
	uint8_t own;        /* byte of the controller's own */
	uint8_t own_source; /* SOURCE_OWN, SOURCE_OWN_MOUSE: it waits; SOURCE_NONE */
	uint8_t source;     /* enum source of the byte in the output buffer */
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
};

static struct i8042 *i8042_of(struct device *dev)
{
	return container_of(dev, struct i8042, isa.dev);
}

/* ---- The output buffer ---- */

static bool from_mouse(const struct i8042 *c)
{
	return c->source == SOURCE_MOUSE || c->source == SOURCE_OWN_MOUSE;
}

static void i8042_update_irqs(struct i8042 *c)
{
	bool full = c->source != SOURCE_NONE, mouse = from_mouse(c);

	irq_set(c->keyboard_irq,
		full && !mouse && (c->mode & MODE_KEYBOARD_IRQ) && !(c->mode & MODE_KEYBOARD_OFF));
	irq_set(c->mouse_irq, full && mouse && (c->mode & MODE_MOUSE_IRQ));
}

static void i8042_set_source(struct i8042 *c, enum source source)
{
	c->source = source;
	c->status &= ~(STATUS_OUTPUT_FULL | STATUS_MOUSE_FULL);
	c->outport &= ~(OUTPORT_OUTPUT_FULL | OUTPORT_MOUSE_FULL);
	if (source != SOURCE_NONE) {
		c->status |= STATUS_OUTPUT_FULL | (from_mouse(c) ? STATUS_MOUSE_FULL : 0);
		c->outport |= OUTPORT_OUTPUT_FULL | (from_mouse(c) ? OUTPORT_MOUSE_FULL : 0);
	}
	i8042_update_irqs(c);
}

static enum source i8042_next_source(const struct i8042 *c)
{
	if (c->own_source != SOURCE_NONE)
		return c->own_source;
	if (ps2_waiting(&c->keyboard.port) && !(c->mode & MODE_KEYBOARD_OFF))
		return SOURCE_KEYBOARD;
	if (ps2_waiting(&c->mouse.port) && !(c->mode & MODE_MOUSE_OFF))
		return SOURCE_MOUSE;
	return SOURCE_NONE;
}

/* Fills the buffer if it is empty: a byte that is in it stays. */
static void i8042_fill(struct i8042 *c)
{
	if (c->source == SOURCE_NONE)
		i8042_set_source(c, i8042_next_source(c));
}

static void i8042_port_update(void *opaque, bool bytes_wait)
{
	if (bytes_wait)
		i8042_fill(opaque);
}

/* There is one byte of the controller's own: a second answer takes the first one's place in the buffer. */
static void i8042_answer(struct i8042 *c, uint8_t byte, enum source source)
{
	c->own = byte;
	c->own_source = source;
	i8042_fill(c);
}

static uint8_t i8042_fetch(struct i8042 *c)
{
	switch (c->source) {
	case SOURCE_KEYBOARD:
		return ps2_fetch(&c->keyboard.port);
	case SOURCE_MOUSE:
		return ps2_fetch(&c->mouse.port);
	default:
		c->own_source = SOURCE_NONE;
		return c->own;
	}
}

static uint64_t i8042_read_data(void *opaque, uint64_t offset, unsigned size)
{
	struct i8042 *c = opaque;

	if (c->source != SOURCE_NONE) {
		c->output = i8042_fetch(c);
		/* The line falls before the next byte raises it. */
		i8042_set_source(c, SOURCE_NONE);
		ps2_mouse_room(&c->mouse);
		i8042_fill(c);
	}
	trace(i8042_read, c->output);
	return c->output;
}

static uint64_t i8042_read_status(void *opaque, uint64_t offset, unsigned size)
{
	struct i8042 *c = opaque;

	return c->status;
}

/* ---- Commands ---- */

static void i8042_set_outport(struct i8042 *c, uint8_t value)
{
	c->outport = value;
	irq_set(c->a20, !!(value & OUTPORT_A20));
	if (!(value & OUTPORT_NOT_RESET))
		system_reset_request(SHUTDOWN_GUEST_RESET);
}

static void i8042_set_mode(struct i8042 *c, uint8_t mode)
{
	c->mode = mode;
	c->keyboard.translate = mode & MODE_TRANSLATE;
	i8042_update_irqs(c);
	i8042_fill(c);
}

static void i8042_write_command(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8042 *c = opaque;
	uint8_t byte = value;

	trace(i8042_command, byte);
	switch (byte) {
	case CMD_READ_MODE:
		i8042_answer(c, c->mode, SOURCE_OWN);
		break;
	case CMD_WRITE_MODE:
	case CMD_WRITE_OUTPORT:
	case CMD_AS_KEYBOARD:
	case CMD_AS_MOUSE:
	case CMD_TO_MOUSE:
		c->command = byte;
		break;
	case CMD_MOUSE_OFF:
		c->mode |= MODE_MOUSE_OFF;
		break;
	case CMD_MOUSE_ON:
		i8042_set_mode(c, c->mode & ~MODE_MOUSE_OFF);
		break;
	case CMD_SELF_TEST:
		c->status |= STATUS_SYSTEM;
		i8042_answer(c, SELF_TEST_PASSED, SOURCE_OWN);
		break;
	case CMD_TEST_MOUSE:
	case CMD_TEST_KEYBOARD:
		i8042_answer(c, 0, SOURCE_OWN);
		break;
	case CMD_KEYBOARD_OFF:
		i8042_set_mode(c, c->mode | MODE_KEYBOARD_OFF);
		break;
	case CMD_KEYBOARD_ON:
		i8042_set_mode(c, c->mode & ~MODE_KEYBOARD_OFF);
		break;
	case CMD_READ_INPORT:
		i8042_answer(c, INPORT_UNLOCKED, SOURCE_OWN);
		break;
	case CMD_READ_OUTPORT:
		i8042_answer(c, c->outport, SOURCE_OWN);
		break;
	case CMD_A20_ON:
		c->outport |= OUTPORT_A20;
		irq_raise(c->a20);
		break;
	case CMD_A20_OFF:
		c->outport &= ~OUTPORT_A20;
		irq_lower(c->a20);
		break;
	case CMD_PULSE ... 0xff:
		/* The bits that are 0 pulse low: the first of them is the CPU's reset. */
		if (!(byte & OUTPORT_NOT_RESET))
			system_reset_request(SHUTDOWN_GUEST_RESET);
		break;
	}
}

static void i8042_write_data(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8042 *c = opaque;
	uint8_t command = c->command;

	c->command = 0;
	switch (command) {
	case CMD_WRITE_MODE:
		i8042_set_mode(c, value);
		break;
	case CMD_WRITE_OUTPORT:
		i8042_set_outport(c, value);
		break;
	case CMD_AS_KEYBOARD:
		i8042_answer(c, value, SOURCE_OWN);
		break;
	case CMD_AS_MOUSE:
		i8042_answer(c, value, SOURCE_OWN_MOUSE);
		break;
	case CMD_TO_MOUSE:
		/* Talking to a device lets go of its clock. */
		c->mode &= ~MODE_MOUSE_OFF;
		ps2_mouse_write(&c->mouse, value);
		i8042_fill(c);
		break;
	default:
		c->mode &= ~MODE_KEYBOARD_OFF;
		ps2_keyboard_write(&c->keyboard, value);
		i8042_update_irqs(c);
		i8042_fill(c);
		break;
	}
}

static const struct io_ops data_ops = {
	.read = i8042_read_data,
	.write = i8042_write_data,
	.impl = {.min = 1, .max = 1},
};

static const struct io_ops command_ops = {
	.read = i8042_read_status,
	.write = i8042_write_command,
	.impl = {.min = 1, .max = 1},
};

/* ---- Events ---- */

void i8042_key_event(struct device *dev, uint8_t key, bool down)
{
	ps2_keyboard_event(&i8042_of(dev)->keyboard, key, down);
}

void i8042_mouse_event(struct device *dev, int dx, int dy, int dz, uint8_t buttons)
{
	ps2_mouse_event(&i8042_of(dev)->mouse, dx, dy, dz, buttons);
}

/* ---- Life ---- */

static bool i8042_realize(struct device *dev, GError **errp)
{
	struct i8042 *c = i8042_of(dev);

	c->keyboard_irq = isa_irq(&c->isa, c->keyboard_irq_number);
	c->mouse_irq = isa_irq(&c->isa, c->mouse_irq_number);
	c->keyboard.port.update = c->mouse.port.update = i8042_port_update;
	c->keyboard.port.opaque = c->mouse.port.opaque = c;
	region_init_io(&c->data_port, dev, "i8042-data", &data_ops, c, 1);
	region_init_io(&c->command_port, dev, "i8042-cmd", &command_ops, c, 1);
	isa_add_ports(&c->isa, &c->data_port, 0x60);
	isa_add_ports(&c->isa, &c->command_port, 0x64);
	device_add_outputs(dev, "a20", &c->a20, 1);
	return true;
}

static void i8042_unrealize(struct device *dev)
{
	struct i8042 *c = i8042_of(dev);

	region_cleanup(&c->data_port);
	region_cleanup(&c->command_port);
}

static void i8042_reset(struct device *dev)
{
	struct i8042 *c = i8042_of(dev);

	c->mode = MODE_KEYBOARD_IRQ | MODE_MOUSE_IRQ;
	c->status = STATUS_COMMAND | STATUS_UNLOCKED;
	c->outport = OUTPORT_RESET_VALUE;
	c->command = c->output = c->own = 0;
	c->own_source = SOURCE_NONE;
	ps2_keyboard_reset(&c->keyboard);
	ps2_mouse_reset(&c->mouse);
	i8042_set_source(c, SOURCE_NONE);
}

static bool i8042_post_load(struct device *dev, GError **errp)
{
	struct i8042 *c = i8042_of(dev);

	if (!ps2_port_valid(&c->keyboard.port) || !ps2_port_valid(&c->mouse.port) ||
	    c->source > SOURCE_MOUSE || c->own_source > SOURCE_OWN_MOUSE) {
		error_set(errp, "i8042: a queue or the output buffer is in no possible state");
		return false;
	}
	if (c->keyboard.scan_set < 1 || c->keyboard.scan_set > 3) {
		error_set(errp, "i8042: there is no scan code set %u", c->keyboard.scan_set);
		return false;
	}
	i8042_set_source(c, c->source);
	return true;
}

static const struct field i8042_props[] = {
	PROP_UINT(struct i8042, keyboard_irq_number, "kbd-irq", 1, ISA_IRQS - 1,
		  "ISA interrupt line of the keyboard"),
	PROP_UINT(struct i8042, mouse_irq_number, "mouse-irq", 12, ISA_IRQS - 1,
		  "ISA interrupt line of the mouse"),
	FIELD_ROW_END,
};

static const struct field i8042_state[] = {
	SAVE_UINT(struct i8042, status),
	SAVE_UINT(struct i8042, mode),
	SAVE_UINT(struct i8042, outport),
	SAVE_UINT(struct i8042, command),
	SAVE_UINT(struct i8042, output),
	SAVE_UINT(struct i8042, own),
	SAVE_UINT(struct i8042, own_source),
	SAVE_UINT(struct i8042, source),
	SAVE_STRUCT(struct i8042, keyboard, &ps2_keyboard_state),
	SAVE_STRUCT(struct i8042, mouse, &ps2_mouse_state),
	FIELD_ROW_END,
};

const struct device_type i8042_type = {
	.name = "i8042",
	.help = "Keyboard controller with PS/2 keyboard and mouse",
	.base = &isa_device_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct i8042),
	.props = i8042_props,
	.state = i8042_state,
	.realize = i8042_realize,
	.unrealize = i8042_unrealize,
	.reset = i8042_reset,
	.post_load = i8042_post_load,
};
