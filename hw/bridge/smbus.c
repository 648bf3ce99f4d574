/* See smbus.h. */
#include "hw/bridge/smbus.h"
#include "base/trace.h"

TRACE_DEFINE(smbus_transaction, "address 0x%02x protocol %u command 0x%02x: status 0x%02x");

enum {
	REG_STATUS = 0x00,
	REG_CONTROL = 0x02,
	REG_COMMAND = 0x03,
	REG_ADDRESS = 0x04,
	REG_DATA0 = 0x05,
	REG_DATA1 = 0x06,
	REG_BLOCK = 0x07,

	STATUS_BUSY = 0x01,
	STATUS_DONE = 0x02,
	STATUS_DEVICE_ERROR = 0x04,
	STATUS_FAILED = 0x10,

	CONTROL_KILL = 0x02,
	CONTROL_PROTOCOL_SHIFT = 2,
	CONTROL_START = 0x40,
	CONTROL_KEPT = 0x1f,

	ADDRESS_READ = 0x01,
};

enum protocol { QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK = 5 };

/* ---- The EEPROMs ---- */

/* Which of them the address means; -1: none. */
static int smbus_eeprom(const struct smbus *s)
{
	unsigned n = (s->address >> 1) - SMBUS_EEPROM_FIRST;

	return n < SMBUS_EEPROMS ? (int)n : -1;
}

static uint8_t eeprom_read(struct smbus *s, unsigned n)
{
	return s->eeprom[n * SMBUS_EEPROM_SIZE + s->eeprom_offset[n]++];
}

static void eeprom_write(struct smbus *s, unsigned n, uint8_t value)
{
	s->eeprom[n * SMBUS_EEPROM_SIZE + s->eeprom_offset[n]++] = value;
}

static void eeprom_read_block(struct smbus *s, unsigned n)
{
	s->data0 = MIN(eeprom_read(s, n), sizeof(s->block));
	for (unsigned i = 0; i < s->data0; i++)
		s->block[i] = eeprom_read(s, n);
}

static void eeprom_write_block(struct smbus *s, unsigned n)
{
	unsigned len = MIN(s->data0, sizeof(s->block));

	for (unsigned i = 0; i < len; i++)
		eeprom_write(s, n, s->block[i]);
}

/* ---- Transactions ---- */

static bool smbus_read(struct smbus *s, unsigned n, enum protocol protocol)
{
	if (protocol > BYTE)
		s->eeprom_offset[n] = s->command;
	switch (protocol) {
	case QUICK:
		return true;
	case BYTE:
	case BYTE_DATA:
		s->data0 = eeprom_read(s, n);
		return true;
	case WORD_DATA:
		s->data0 = eeprom_read(s, n);
		s->data1 = eeprom_read(s, n);
		return true;
	case BLOCK:
		eeprom_read_block(s, n);
		return true;
	}
	return false;
}

static bool smbus_write(struct smbus *s, unsigned n, enum protocol protocol)
{
	if (protocol != QUICK)
		s->eeprom_offset[n] = s->command;
	switch (protocol) {
	case QUICK:
	case BYTE:
		return true;
	case BYTE_DATA:
		eeprom_write(s, n, s->data0);
		return true;
	case WORD_DATA:
		eeprom_write(s, n, s->data0);
		eeprom_write(s, n, s->data1);
		return true;
	case BLOCK:
		eeprom_write_block(s, n);
		return true;
	}
	return false;
}

static void smbus_transact(struct smbus *s)
{
	enum protocol protocol = s->control >> CONTROL_PROTOCOL_SHIFT & 7;
	int n = smbus_eeprom(s);
	/* After an error nothing is done until software has cleared it. */
	bool ok = n >= 0 && !(s->status & STATUS_DEVICE_ERROR) &&
		  (s->address & ADDRESS_READ ? smbus_read(s, n, protocol)
					     : smbus_write(s, n, protocol));

	s->pending = false;
	s->block_index = 0;
	s->status &= ~STATUS_BUSY;
	s->status |= ok ? STATUS_DONE : STATUS_DEVICE_ERROR;
	trace(smbus_transaction, s->address >> 1, protocol, s->command, s->status);
}

/* ---- Registers ---- */

static uint64_t smbus_port_read(void *opaque, uint64_t offset, unsigned size)
{
	struct smbus *s = opaque;
	uint8_t value;

	switch (offset) {
	case REG_STATUS:
		value = s->status;
		if (s->pending)
			smbus_transact(s);
		return value;
	case REG_CONTROL:
		s->block_index = 0;
		return s->control;
	case REG_COMMAND:
		return s->command;
	case REG_ADDRESS:
		return s->address;
	case REG_DATA0:
		return s->data0;
	case REG_DATA1:
		return s->data1;
	case REG_BLOCK:
		value = s->block[s->block_index];
		s->block_index = (s->block_index + 1) % sizeof(s->block);
		return value;
	default:
		return 0;
	}
}

static void smbus_write_control(struct smbus *s, uint8_t value)
{
	s->control = value & CONTROL_KEPT;
	if (value & CONTROL_KILL) {
		s->pending = false;
		s->status = (s->status & ~STATUS_BUSY) | STATUS_FAILED;
	} else if (value & CONTROL_START) {
		s->pending = true;
		s->status |= STATUS_BUSY;
	}
}

static void smbus_port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct smbus *s = opaque;

	switch (offset) {
	case REG_STATUS:
		s->status &= ~(value & ~STATUS_BUSY);
		break;
	case REG_CONTROL:
		smbus_write_control(s, value);
		break;
	case REG_COMMAND:
		s->command = value;
		break;
	case REG_ADDRESS:
		s->address = value;
		break;
	case REG_DATA0:
		s->data0 = value;
		break;
	case REG_DATA1:
		s->data1 = value;
		break;
	case REG_BLOCK:
		s->block[s->block_index] = value;
		s->block_index = (s->block_index + 1) % sizeof(s->block);
		break;
	}
}

static const struct io_ops smbus_ops = {
	.read = smbus_port_read,
	.write = smbus_port_write,
	.valid = {.min = 1, .max = 1},
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

void smbus_init(struct smbus *s, void *owner)
{
	region_init_io(&s->ports, owner, "pm-smbus", &smbus_ops, s, SMBUS_PORTS);
}

void smbus_cleanup(struct smbus *s)
{
	region_cleanup(&s->ports);
}

void smbus_reset(struct smbus *s)
{
	s->status = s->control = s->command = s->address = s->data0 = s->data1 = 0;
	s->block_index = 0;
	s->pending = false;
	memset(s->block, 0, sizeof(s->block));
	memset(s->eeprom, 0, sizeof(s->eeprom));
	memset(s->eeprom_offset, 0, sizeof(s->eeprom_offset));
}

static const struct field smbus_rows[] = {
	SAVE_UINT(struct smbus, status),         SAVE_UINT(struct smbus, control),
	SAVE_UINT(struct smbus, command),        SAVE_UINT(struct smbus, address),
	SAVE_UINT(struct smbus, data0),          SAVE_UINT(struct smbus, data1),
	SAVE_BYTES(struct smbus, block),         SAVE_UINT(struct smbus, block_index),
	SAVE_BOOL(struct smbus, pending),        SAVE_BYTES(struct smbus, eeprom),
	SAVE_BYTES(struct smbus, eeprom_offset), FIELD_ROW_END,
};

const struct field_set smbus_state = {"smbus", sizeof(struct smbus), smbus_rows};
