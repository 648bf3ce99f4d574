/*
 * A parallel flash chip with Intel's command set (CFI primary command set 01), 8 bits wide.
 *
 * It reads like ROM until the guest writes a command; then reads give what the command asks for, and
 * the region's reads come here, until the guest sends it back to reading the array. A command of
 * several writes is counted by `cycle`:
 *
 *	cycle 0	   a command: FFh and F0h read the array, 70h shows the status, 50h clears it, 90h and
 *		   98h show identification and the CFI table; the others begin
 *	cycle 1	   10h, 40h: the byte to program. 20h: D0h confirms an erase, 60h: D0h and 01h lock and unlock.
 *		   E8h: how many bytes but one will follow
 *	cycle 2	   E8h: the bytes, within the block that the count was written to
 *	cycle 3	   E8h: D0h confirms; only now they go to the array
 *
 * Work is done at once, so the status is always ready, but for what went wrong: the chip is read-only, or
 * a buffered write left its block.
 * Bytes are replaced, where the real thing can only clear bits: firmware erases first, and those who
 * do not have come to rely on it.
 *
 * Source: Common Flash Memory Interface, AMD/JEDEC 68.01; Intel application note 646; Intel 28F640J3.
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/flash.h"
#include "mem/ram.h"
#include "mem/region.h"

TRACE_DEFINE(pflash_write, "%s offset 0x%" PRIx64 " size %u value 0x%" PRIx64 " in cycle %u");
TRACE_DEFINE(guest_errors_pflash, "%s command 0x%x, value 0x%" PRIx64 " in cycle %u");

enum pflash_command {
	CMD_NONE = 0x00, /* reads the array, but is no command of the chip */
	CMD_LOCK = 0x01, /* confirms */
	CMD_PROGRAM = 0x10,
	CMD_ERASE = 0x20,
	CMD_PROGRAM2 = 0x40,
	CMD_CLEAR_STATUS = 0x50,
	CMD_LOCK_SETUP = 0x60,
	CMD_READ_STATUS = 0x70,
	CMD_READ_ID = 0x90,
	CMD_QUERY = 0x98,
	CMD_CONFIRM = 0xd0,
	CMD_BUFFER = 0xe8,
	CMD_RESET_AMD = 0xf0,
	CMD_READ_ARRAY = 0xff,
};

enum pflash_status {
	STATUS_READY = 0x80,
	STATUS_ERASE_FAILED = 0x20,
	STATUS_PROGRAM_FAILED = 0x10,
};

#define CFI_SIZE    0x52
#define BUFFER_BITS 8 /* bytes of the write buffer, as a power of two */
#define BUFFER_SIZE 256
#define NO_BUFFER   UINT64_MAX
#define CYCLES      4

struct pflash {
	struct device dev;
	struct pflash_config config;
	struct region region;
	struct ram_block *memory;
	uint8_t cfi[CFI_SIZE];

	uint8_t cycle, command, status;
	uint8_t count; /* of bytes to come in a buffered write, but one */
	uint8_t buffer[BUFFER_SIZE];
	uint64_t buffer_offset; /* where it will go; NO_BUFFER: no write has begun */
};

static struct pflash *pflash_of(struct device *dev)
{
	return container_of(dev, struct pflash, dev);
}

void pflash_configure(struct device *dev, const struct pflash_config *config)
{
	pflash_of(dev)->config = *config;
}

struct region *pflash_region(struct device *dev)
{
	return &pflash_of(dev)->region;
}

/* ---- The array ---- */

/* What the guest changed goes to the store. */
static void store_range(struct pflash *p, uint64_t start, uint64_t end)
{
	struct flash_store *store = p->config.store;

	dirty_mark(p->memory, start, end - start);
	store->ops->write(store, p->memory->host, start, end - start);
}

static void program(struct pflash *p, uint64_t offset, uint64_t value, unsigned size)
{
	if (p->config.store->readonly) {
		p->status |= STATUS_PROGRAM_FAILED;
		return;
	}
	put_le(p->memory->host + offset, size, value);
	store_range(p, offset, offset + size);
}

static void erase(struct pflash *p, uint64_t offset)
{
	uint32_t size = p->config.sector_size;

	if (p->config.store->readonly) {
		p->status |= STATUS_ERASE_FAILED;
		return;
	}
	offset = ROUND_DOWN(offset, size);
	memset(p->memory->host + offset, 0xff, size);
	store_range(p, offset, offset + size);
}

/* ---- Reading ---- */

static uint64_t pflash_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pflash *p = opaque;
	unsigned entry = offset & 0xff;

	switch (p->command) {
	case CMD_PROGRAM:
	case CMD_ERASE:
	case CMD_PROGRAM2:
	case CMD_CLEAR_STATUS:
	case CMD_LOCK_SETUP:
	case CMD_READ_STATUS:
	case CMD_BUFFER:
		/* Both halves of a bus of 32 bits say it. */
		return p->status | (size > 2 ? (uint64_t)p->status << 16 : 0);
	case CMD_READ_ID:
		return 0;
	case CMD_QUERY:
		return entry < CFI_SIZE ? p->cfi[entry] : 0;
	default:
		return get_le(p->memory->host + offset, size);
	}
}

/* ---- Commands ---- */

static void read_array(struct pflash *p)
{
	p->cycle = 0;
	p->command = CMD_NONE;
	p->buffer_offset = NO_BUFFER;
	region_set_romd(&p->region, true);
}

static void guest_error(struct pflash *p, uint64_t value)
{
	trace(guest_errors_pflash, p->config.name, p->command, value, p->cycle);
	read_array(p);
}

static void begin_command(struct pflash *p, uint64_t offset, uint8_t command)
{
	switch (command) {
	case CMD_PROGRAM:
	case CMD_PROGRAM2:
	case CMD_LOCK_SETUP:
	case CMD_QUERY:
		break;
	case CMD_ERASE:
		erase(p, offset);
		p->status |= STATUS_READY;
		break;
	case CMD_BUFFER:
		p->status |= STATUS_READY;
		break;
	case CMD_READ_STATUS:
	case CMD_READ_ID:
		p->command = command;
		return;
	case CMD_CLEAR_STATUS:
		p->status = 0;
		read_array(p);
		return;
	case CMD_NONE:
	case CMD_RESET_AMD:
	case CMD_READ_ARRAY:
		read_array(p);
		return;
	default:
		guest_error(p, command);
		return;
	}
	p->cycle = 1;
	p->command = command;
}

static void end_command(struct pflash *p)
{
	p->cycle = 0;
	p->status |= STATUS_READY;
}

static void buffer_begin(struct pflash *p, uint64_t offset)
{
	p->buffer_offset = ROUND_DOWN(offset, BUFFER_SIZE);
	memcpy(p->buffer, p->memory->host + p->buffer_offset, BUFFER_SIZE);
}

static void second_write(struct pflash *p, uint64_t offset, uint64_t value, unsigned size)
{
	uint8_t command = value;

	switch (p->command) {
	case CMD_PROGRAM:
	case CMD_PROGRAM2:
		program(p, offset, value, size);
		end_command(p);
		break;
	case CMD_ERASE:
		if (command == CMD_CONFIRM)
			end_command(p);
		else
			guest_error(p, value);
		break;
	case CMD_LOCK_SETUP:
		if (command == CMD_CONFIRM || command == CMD_LOCK)
			end_command(p);
		else
			guest_error(p, value);
		break;
	case CMD_BUFFER:
		buffer_begin(p, offset);
		p->count = value;
		p->cycle = 2;
		break;
	case CMD_QUERY:
		if (command == CMD_READ_ARRAY)
			read_array(p);
		break;
	default:
		guest_error(p, value);
	}
}

static void buffer_write(struct pflash *p, uint64_t offset, uint64_t value, unsigned size)
{
	if (p->config.store->readonly || p->buffer_offset == NO_BUFFER ||
	    offset < p->buffer_offset || !range_fits(offset - p->buffer_offset, size, BUFFER_SIZE))
		p->status |= STATUS_PROGRAM_FAILED;
	else
		put_le(p->buffer + (offset - p->buffer_offset), size, value);
	p->status |= STATUS_READY;
	if (!p->count--)
		p->cycle = 3;
}

static void buffer_confirm(struct pflash *p, uint64_t value)
{
	if ((uint8_t)value != CMD_CONFIRM || (p->status & STATUS_PROGRAM_FAILED)) {
		guest_error(p, value);
		return;
	}
	memcpy(p->memory->host + p->buffer_offset, p->buffer, BUFFER_SIZE);
	store_range(p, p->buffer_offset, p->buffer_offset + BUFFER_SIZE);
	p->buffer_offset = NO_BUFFER;
	end_command(p);
}

static void pflash_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pflash *p = opaque;

	trace(pflash_write, p->config.name, offset, size, value, p->cycle);
	if (!p->cycle)
		region_set_romd(&p->region, false);
	switch (p->cycle) {
	case 0:
		begin_command(p, offset, value);
		break;
	case 1:
		second_write(p, offset, value, size);
		break;
	case 2:
		buffer_write(p, offset, value, size);
		break;
	default:
		buffer_confirm(p, value);
	}
}

static const struct io_ops pflash_ops = {
	.read = pflash_read,
	.write = pflash_write,
	.valid = {.min = 1, .max = 4},
	.impl = {.min = 1, .max = 4},
};

/* ---- Life ---- */

/* 68.01, 2.2: offsets from 10h on. */
static void fill_cfi(struct pflash *p)
{
	const uint32_t sector = p->config.sector_size;
	const uint64_t size = p->config.store->size;
	uint8_t *cfi = p->cfi;

	memcpy(cfi + 0x10, "QRY", 3);
	put_le16(cfi + 0x13, 1);    /* Intel's command set... */
	put_le16(cfi + 0x15, 0x31); /* whose own table is there */
	cfi[0x1b] = 0x45;           /* 4.5 V to 5.5 V */
	cfi[0x1c] = 0x55;
	cfi[0x1f] = 7; /* typical time to program a byte, a buffer: 2^n us */
	cfi[0x20] = 7;
	cfi[0x21] = 10; /* to erase a block: 2^n ms */
	cfi[0x23] = cfi[0x24] = cfi[0x25] = 4;
	cfi[0x27] = 63 - __builtin_clzll(size);
	put_le16(cfi + 0x28, 2); /* x8 and x16 */
	put_le16(cfi + 0x2a, BUFFER_BITS);
	cfi[0x2c] =
		1; /* one region of equal blocks: their number but one, their size in 256 bytes */
	put_le16(cfi + 0x2d, size / sector - 1);
	put_le16(cfi + 0x2f, sector >> 8);
	memcpy(cfi + 0x31, "PRI10", 5);
	cfi[0x3f] = 1; /* protection register */
}

static bool pflash_realize(struct device *dev, GError **errp)
{
	struct pflash *p = pflash_of(dev);
	struct flash_store *store = p->config.store;
	struct ram_options options = {};

	p->memory = ram_new(p->config.name, store->size, &options, errp);
	if (!p->memory)
		return false;
	if (!store->ops->read(store, 0, p->memory->host, store->size, errp)) {
		g_clear_pointer(&p->memory, ram_unref);
		return false;
	}
	region_init_rom_device(&p->region, dev, p->config.name, &pflash_ops, p, p->memory,
			       store->size);
	fill_cfi(p);
	return true;
}

static void pflash_unrealize(struct device *dev)
{
	struct pflash *p = pflash_of(dev);

	region_cleanup(&p->region);
	g_clear_pointer(&p->memory, ram_unref);
	p->config.store->ops->close(p->config.store);
}

static void pflash_reset(struct device *dev)
{
	struct pflash *p = pflash_of(dev);

	p->status = STATUS_READY;
	read_array(p);
}

static bool pflash_post_load(struct device *dev, GError **errp)
{
	struct pflash *p = pflash_of(dev);

	if (p->cycle >= CYCLES) {
		error_set(errp, "%s: cycle %u of a command is more than %u", p->config.name,
			  p->cycle, CYCLES - 1);
		return false;
	}
	if (p->buffer_offset == NO_BUFFER
		    ? p->cycle >= 2
		    : p->buffer_offset % BUFFER_SIZE || p->buffer_offset >= p->config.store->size) {
		error_set(errp, "%s: there is no block at 0x%" PRIx64, p->config.name,
			  p->buffer_offset);
		return false;
	}
	region_set_romd(&p->region, !p->cycle && p->command == CMD_NONE);
	return true;
}

static const struct field pflash_state[] = {
	SAVE_UINT(struct pflash, cycle),
	SAVE_UINT(struct pflash, command),
	SAVE_UINT(struct pflash, status),
	SAVE_UINT(struct pflash, count),
	SAVE_BYTES(struct pflash, buffer),
	SAVE_UINT(struct pflash, buffer_offset),
	FIELD_ROW_END,
};

const struct device_type pflash_cfi01_type = {
	.name = "cfi.pflash01",
	.help = "Parallel flash chip with Intel's command set",
	.category = CATEGORY_STORAGE,
	.size = sizeof(struct pflash),
	.state = pflash_state,
	.realize = pflash_realize,
	.unrealize = pflash_unrealize,
	.reset = pflash_reset,
	.post_load = pflash_post_load,
};
