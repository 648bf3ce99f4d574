/*
 * The SMBus host controller of the PIIX4, and the eight serial EEPROMs of memory modules on its bus.
 *
 * A transaction is started by the control register, and done when software has seen it busy once.
 * The EEPROMs are blank: software that looks for modules finds none, as on QEMU's machine.
 *
 * Source: Intel 82371AB (PIIX4) data sheet (290562-001), 7.3; System Management Bus Specification 1.1.
 */
#ifndef HW_BRIDGE_SMBUS_H
#define HW_BRIDGE_SMBUS_H

#include "base/field.h"
#include "mem/region.h"

#define SMBUS_PORTS        0x40
#define SMBUS_EEPROMS      8
#define SMBUS_EEPROM_FIRST 0x50
#define SMBUS_EEPROM_SIZE  256

struct smbus {
	struct region ports;
	uint8_t status, control, command, address, data0, data1;
	uint8_t block[32], block_index;
	bool pending; /* the next read of the status carries the transaction out */
	uint8_t eeprom[SMBUS_EEPROMS * SMBUS_EEPROM_SIZE];
	uint8_t eeprom_offset[SMBUS_EEPROMS];
};

extern const struct field_set smbus_state;

/* The owner maps s->ports. */
void smbus_init(struct smbus *s, void *owner);
void smbus_cleanup(struct smbus *s);
void smbus_reset(struct smbus *s);

#endif
