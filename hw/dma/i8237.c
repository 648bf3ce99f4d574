/*
 * Intel 8237A DMA controller with its page registers, as a PC has two of them.
 *
 * Each of four channels has a base address and a base count of 16 bits, written a byte at a time; a
 * flip-flop common to all says which byte is next. Writing the high byte starts the channel anew: the
 * current address and count are then base values, and are kept here as the number of bytes moved
 * since. The second controller is wired one address line off, so it counts words, and its registers
 * are two ports apart. A page register holds address bits 16 to 23 (17 to 23 of the second
 * controller's), and does not count: a transfer wraps within its page.
 *
 * Terminal count is reached when the current count passes 0. A channel with autoinit then starts
 * anew; another one is masked. The status register has a bit for that, cleared by a read.
 *
 * Memory-to-memory transfers, compressed timing, rotating priority and the active levels of DREQ are not
 * there: a command that asks for one has no effect at all. Where reads leave the bus floating on
 * the chip, there are zeros; at port 09h the mask register can be read.
 *
 * Source: Intel 8237A data sheet (231466-005); PC AT technical reference for the page registers.
 */
#include "base/trace.h"
#include "event/loop.h"
#include "hw/dma.h"
#include "hw/isa.h"

TRACE_DEFINE(i8237_start, "channel %u: page 0x%02x address 0x%04x count 0x%04x mode 0x%02x");
TRACE_DEFINE(i8237_terminal_count, "channel %u");
TRACE_DEFINE(guest_errors_i8237_command, "command 0x%02x asks for what is not there");

#define CHANNELS     4
#define ALL_CHANNELS 0x0f

/* Ports, in steps of 1 << shift; 0 to 7 are address and count of each channel. */
enum {
	REG_STATUS = 0,  /* read */
	REG_COMMAND = 0, /* write */
	REG_MASK = 1,    /* read */
	REG_REQUEST = 1, /* write */
	REG_MASK_ONE = 2,
	REG_MODE = 3,
	REG_CLEAR_FLIP_FLOP = 4,
	REG_MASTER_CLEAR = 5,
	REG_CLEAR_MASK = 6,
	REG_MASK_ALL = 7,

	COMMAND_DISABLE = 0x04,
	COMMAND_ABSENT = 0x7b,

	SELECT_SET = 0x04, /* of the registers that name a channel in bits 0 and 1 */

	MODE_DIRECTION = 2, /* shifts */
	MODE_KIND = 6,
	MODE_AUTOINIT = 0x10,
	MODE_DOWN = 0x20,
};

struct i8237;

struct dma_channel {
	struct i8237 *chip;
	void (*ready)(void *opaque);
	void *opaque;
	bool attached;

	uint16_t base_address, base_count; /* as written */
	uint16_t start;                    /* base address when it was started */
	uint32_t moved;                    /* bytes since */
	uint8_t mode, page;
};

struct i8237 {
	struct isa_device isa;
	struct address_space *memory;
	struct region channel_ports, control_ports, page_ports[4];
	struct dma_channel channels[CHANNELS];
	struct bottom_half *poll;

	/* Properties */
	int32_t base, page_base, shift;

	uint8_t lines; /* DREQ */
	uint8_t asked; /* requests by software */
	uint8_t done;  /* terminal counts */
	uint8_t mask;  /* as written: all eight bits */
	uint8_t command;
	uint8_t called; /* ready() is due */
	bool flip_flop; /* high byte is next */
};

static struct i8237 *i8237_of(struct device *dev)
{
	return container_of(dev, struct i8237, isa.dev);
}

static unsigned number_of(const struct dma_channel *c)
{
	return c - c->chip->channels;
}

static uint8_t ready_channels(const struct i8237 *d)
{
	if (d->command & COMMAND_DISABLE)
		return 0;
	return (d->lines | d->asked) & ~d->mask & ALL_CHANNELS;
}

/* Devices are called from the main loop: it was a register access of some other that let them go on. */
static void call_ready(struct i8237 *d, uint8_t channels)
{
	d->called |= channels & ready_channels(d);
	if (d->called)
		bh_schedule(d->poll);
}

static void poll_channels(void *opaque)
{
	struct i8237 *d = opaque;

	for (unsigned n = 0; n < CHANNELS; n++) {
		struct dma_channel *c = &d->channels[n];
		bool due = d->called & ready_channels(d) & BIT(n);

		d->called &= ~BIT(n);
		if (due && c->attached)
			c->ready(c->opaque);
	}
}

/* ---- The device's side ---- */

bool dma_attach(struct dma_channel *c, void (*ready)(void *opaque), void *opaque)
{
	if (c->attached)
		return false;
	c->attached = true;
	c->ready = ready;
	c->opaque = opaque;
	return true;
}

void dma_detach(struct dma_channel *c)
{
	c->attached = false;
	dma_request(c, false);
}

void dma_request(struct dma_channel *c, bool level)
{
	uint8_t bit = BIT(number_of(c));

	if (!level) {
		c->chip->lines &= ~bit;
		return;
	}
	c->chip->lines |= bit;
	call_ready(c->chip, bit);
}

bool dma_is_ready(const struct dma_channel *c)
{
	return ready_channels(c->chip) & BIT(number_of(c));
}

enum dma_direction dma_direction(const struct dma_channel *c)
{
	return c->mode >> MODE_DIRECTION & 3;
}

enum dma_mode dma_mode(const struct dma_channel *c)
{
	return c->mode >> MODE_KIND;
}

bool dma_is_autoinit(const struct dma_channel *c)
{
	return c->mode & MODE_AUTOINIT;
}

size_t dma_left(const struct dma_channel *c)
{
	uint32_t whole = (c->base_count + 1) << c->chip->shift;

	/* A base count may have been made smaller than what was moved already. */
	return c->moved < whole ? whole - c->moved : 0;
}

/* Address of the unit (byte or word) that is @moved bytes after the start. */
static uint64_t unit_address(const struct dma_channel *c, uint32_t moved)
{
	unsigned shift = c->chip->shift;
	uint16_t units = moved >> shift;
	uint16_t at = c->mode & MODE_DOWN ? c->start - units : c->start + units;
	uint8_t page = shift ? c->page & ~1 : c->page;

	return (uint64_t)page << 16 | (uint32_t)at << shift;
}

/* Bytes from the present address on that lie in a row in memory. Downwards it is a unit. */
static size_t run_length(const struct dma_channel *c, size_t len)
{
	unsigned shift = c->chip->shift;
	uint32_t at = unit_address(c, c->moved) & ((0x10000U << shift) - 1);

	if (c->mode & MODE_DOWN)
		return MIN(len, 1U << shift);
	return MIN(len, (0x10000U << shift) - at);
}

static void reach_terminal_count(struct dma_channel *c)
{
	struct i8237 *d = c->chip;
	uint8_t bit = BIT(number_of(c));

	trace(i8237_terminal_count, number_of(c) + (d->shift ? CHANNELS : 0));
	d->done |= bit;
	d->asked &= ~bit;
	if (dma_is_autoinit(c)) {
		c->start = c->base_address;
		c->moved = 0;
	} else {
		d->mask |= bit;
	}
}

/* One of @in and @out: where bytes from memory go, where those for memory are. */
static size_t transfer(struct dma_channel *c, uint8_t *in, const uint8_t *out, size_t len, bool *tc)
{
	bool verify = dma_direction(c) == DMA_VERIFY;
	size_t left = dma_left(c), moved = 0;

	if (tc)
		*tc = false;
	if (!dma_is_ready(c))
		return 0;
	len = ROUND_DOWN(MIN(len, left), 1U << c->chip->shift);
	while (moved < len) {
		size_t run = run_length(c, len - moved);
		uint64_t addr = unit_address(c, c->moved);

		if (verify && in)
			memset(in + moved, 0, run);
		else if (in)
			as_read(c->chip->memory, addr, in + moved, run);
		else if (!verify)
			as_write(c->chip->memory, addr, out + moved, run);
		moved += run;
		c->moved += run;
	}
	if (moved && moved == left) {
		reach_terminal_count(c);
		if (tc)
			*tc = true;
	}
	return moved;
}

size_t dma_read(struct dma_channel *c, void *buf, size_t len, bool *tc)
{
	return transfer(c, buf, NULL, len, tc);
}

size_t dma_write(struct dma_channel *c, const void *buf, size_t len, bool *tc)
{
	return transfer(c, NULL, buf, len, tc);
}

/* ---- Address and count ---- */

static bool next_is_high(struct i8237 *d)
{
	bool high = d->flip_flop;

	d->flip_flop = !high;
	return high;
}

static uint64_t channel_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8237 *d = opaque;
	unsigned reg = offset >> d->shift & 7;
	const struct dma_channel *c = &d->channels[reg / 2];
	uint16_t units = c->moved >> d->shift;
	uint16_t value = c->mode & MODE_DOWN ? c->start - units : c->start + units;

	if (reg & 1)
		value = c->base_count - units;
	return next_is_high(d) ? value >> 8 : value & 0xff;
}

static void channel_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8237 *d = opaque;
	unsigned reg = offset >> d->shift & 7;
	struct dma_channel *c = &d->channels[reg / 2];
	uint16_t *base = reg & 1 ? &c->base_count : &c->base_address;

	if (!next_is_high(d)) {
		*base = (*base & 0xff00) | (uint8_t)value;
		return;
	}
	*base = (*base & 0xff) | (uint8_t)value << 8;
	c->start = c->base_address;
	c->moved = 0;
	trace(i8237_start, reg / 2 + (d->shift ? CHANNELS : 0), c->page, c->start, c->base_count,
	      c->mode);
}

static const struct io_ops channel_ops = {
	.read = channel_read,
	.write = channel_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Control ---- */

static uint64_t control_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8237 *d = opaque;
	uint8_t value;

	switch (offset >> d->shift & 7) {
	case REG_STATUS:
		value = d->done | (d->lines | d->asked) << 4;
		d->done = 0;
		return value;
	case REG_MASK:
		return d->mask;
	default:
		return 0;
	}
}

static void master_clear(struct i8237 *d)
{
	d->flip_flop = false;
	d->mask = 0xff;
	d->command = d->done = d->asked = 0;
}

static void write_command(struct i8237 *d, uint8_t value)
{
	if (value & COMMAND_ABSENT)
		trace(guest_errors_i8237_command, value);
	else
		d->command = value;
}

static void write_request(struct i8237 *d, uint8_t value)
{
	uint8_t bit = BIT(value & 3);

	d->asked = value & SELECT_SET ? d->asked | bit : d->asked & ~bit;
	d->done &= ~bit;
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8237 *d = opaque;
	uint8_t before = ready_channels(d), bit = BIT(value & 3);

	switch (offset >> d->shift & 7) {
	case REG_COMMAND:
		write_command(d, value);
		break;
	case REG_REQUEST:
		write_request(d, value);
		break;
	case REG_MASK_ONE:
		d->mask = value & SELECT_SET ? d->mask | bit : d->mask & ~bit;
		break;
	case REG_MODE:
		d->channels[value & 3].mode = value;
		break;
	case REG_CLEAR_FLIP_FLOP:
		d->flip_flop = false;
		break;
	case REG_MASTER_CLEAR:
		master_clear(d);
		break;
	case REG_CLEAR_MASK:
		d->mask = 0;
		break;
	case REG_MASK_ALL:
		d->mask = value;
		break;
	}
	call_ready(d, ready_channels(d) & ~before);
}

static const struct io_ops control_ops = {
	.read = control_read,
	.write = control_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Page registers: the ports from the base on, and the channels they belong to ---- */

static const struct {
	uint8_t port, channel;
} pages[CHANNELS] = {{1, 2}, {2, 3}, {3, 1}, {7, 0}};

static uint64_t page_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct dma_channel *c = opaque;

	return c->page;
}

static void page_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct dma_channel *c = opaque;

	c->page = value;
}

static const struct io_ops page_ops = {
	.read = page_read,
	.write = page_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

struct device *i8237_new(struct address_space *memory, bool wide)
{
	struct device *dev = device_new(&i8237_type);
	struct i8237 *d = i8237_of(dev);

	d->memory = memory;
	d->base = wide ? 0xc0 : 0;
	d->page_base = wide ? 0x88 : 0x80;
	d->shift = wide;
	return dev;
}

static bool i8237_realize(struct device *dev, GError **errp)
{
	struct i8237 *d = i8237_of(dev);
	struct isa_bus *bus = isa_bus_of(&d->isa);

	for (unsigned n = 0; n < CHANNELS; n++) {
		d->channels[n].chip = d;
		bus->dma[n + (d->shift ? CHANNELS : 0)] = &d->channels[n];
	}
	d->poll = bh_new(loop_main(), poll_channels, d);
	region_init_io(&d->channel_ports, dev, "dma-chan", &channel_ops, d, 8 << d->shift);
	isa_add_ports(&d->isa, &d->channel_ports, d->base);
	region_init_io(&d->control_ports, dev, "dma-cont", &control_ops, d, 8 << d->shift);
	isa_add_ports(&d->isa, &d->control_ports, d->base + (8 << d->shift));
	for (unsigned i = 0; i < CHANNELS; i++) {
		region_init_io(&d->page_ports[i], dev, "dma-page", &page_ops,
			       &d->channels[pages[i].channel], 1);
		isa_add_ports(&d->isa, &d->page_ports[i], d->page_base + pages[i].port);
	}
	return true;
}

static void i8237_unrealize(struct device *dev)
{
	struct i8237 *d = i8237_of(dev);
	struct isa_bus *bus = isa_bus_of(&d->isa);

	for (unsigned n = 0; n < CHANNELS; n++) {
		bus->dma[n + (d->shift ? CHANNELS : 0)] = NULL;
		region_cleanup(&d->page_ports[n]);
	}
	region_cleanup(&d->channel_ports);
	region_cleanup(&d->control_ports);
	bh_free(d->poll);
}

/* Addresses, counts and modes are undefined on the chip after a reset; they stay. DREQ is the devices'. */
static void i8237_reset(struct device *dev)
{
	master_clear(i8237_of(dev));
}

static bool i8237_post_load(struct device *dev, GError **errp)
{
	struct i8237 *d = i8237_of(dev);

	for (unsigned n = 0; n < CHANNELS; n++) {
		const struct dma_channel *c = &d->channels[n];

		if (c->moved & (BIT(d->shift) - 1) || c->moved > 0x10000U << d->shift) {
			error_set(errp, "i8257: channel %u cannot have moved %u bytes", n,
				  c->moved);
			return false;
		}
	}
	d->lines &= ALL_CHANNELS;
	d->asked &= ALL_CHANNELS;
	d->done &= ALL_CHANNELS;
	call_ready(d, ALL_CHANNELS);
	return true;
}

static const struct field channel_rows[] = {
	SAVE_UINT(struct dma_channel, base_address),
	SAVE_UINT(struct dma_channel, base_count),
	SAVE_UINT(struct dma_channel, start),
	SAVE_UINT(struct dma_channel, moved),
	SAVE_UINT(struct dma_channel, mode),
	SAVE_UINT(struct dma_channel, page),
	FIELD_ROW_END,
};

static const struct field_set channel_state = {
	"dma-channel",
	sizeof(struct dma_channel),
	channel_rows,
};

static const struct field i8237_state[] = {
	SAVE_STRUCTS(struct i8237, channels, &channel_state),
	SAVE_UINT(struct i8237, lines),
	SAVE_UINT(struct i8237, asked),
	SAVE_UINT(struct i8237, done),
	SAVE_UINT(struct i8237, mask),
	SAVE_UINT(struct i8237, command),
	SAVE_BOOL(struct i8237, flip_flop),
	FIELD_ROW_END,
};

static const struct field i8237_props[] = {
	{FIELD_AT(struct i8237, base, "base", FIELD_INT, 4, "First port of the registers"),
	 .flags = FIELD_READONLY},
	{FIELD_AT(struct i8237, page_base, "page-base", FIELD_INT, 4,
		  "First port of the page registers"),
	 .flags = FIELD_READONLY},
	{FIELD_AT(struct i8237, shift, "dshift", FIELD_INT, 4,
		  "Address lines it is off: 1 where it moves words"),
	 .flags = FIELD_READONLY},
	FIELD_ROW_END,
};

const struct device_type i8237_type = {
	.name = "i8257",
	.help = "DMA controller of the ISA bus (8237A) with page registers",
	.base = &isa_device_type,
	.size = sizeof(struct i8237),
	.props = i8237_props,
	.state = i8237_state,
	.realize = i8237_realize,
	.unrealize = i8237_unrealize,
	.reset = i8237_reset,
	.post_load = i8237_post_load,
};
