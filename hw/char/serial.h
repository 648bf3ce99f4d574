/*
 * The 16550A UART as a chip: eight registers, one interrupt output, a character device.
 *
 * It knows no bus. Whoever wires it (isa-serial.c, ...) embeds it, maps serial_io_ops, connects
 * `irq` and saves it with serial_state. Divisor, parity and word length set the pace of receive
 * timeouts and are passed on to a real serial port; bytes to transmit leave at once.
 *
 * Source: National Semiconductor PC16550D data sheet (June 1995).
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "base/field.h"
#include "chardev/chardev.h"
#include "device/irq.h"
#include "event/clock.h"
#include "mem/region.h"

#define SERIAL_FIFO 16

struct serial_fifo {
	uint8_t data[SERIAL_FIFO];
	uint8_t head, count;
};

struct serial {
	/* Wiring, before serial_realize() */
	struct chardev *chr; /* NULL: output vanishes, nothing comes in */
	struct irq *irq;
	uint32_t baudbase; /* clock / 16, Hz */

	struct chardev_frontend *fe;
	uint8_t rbr, thr, tsr;
	uint8_t ier, iir, fcr, lcr, mcr, lsr, msr, scr;
	uint16_t divider;
	uint8_t trigger; /* receive FIFO level that interrupts */
	uint8_t retries; /* of tsr, when the back end takes nothing */
	bool tsr_busy;   /* tsr holds a byte the back end has not taken */
	bool thri_pending, timeout_pending, break_sent;
	int8_t poll_modem; /* 1: lines are polled; 0: not now; -1: the back end has none */
	struct serial_fifo receive, transmit;
	int64_t char_time; /* ns one character takes on the wire */
	unsigned writable_tag;
	struct timer timeout, modem_poll;
};

extern const struct io_ops serial_io_ops; /* opaque: struct serial */
extern const struct field_set serial_state;

bool serial_realize(struct serial *s, GError **errp);
void serial_unrealize(struct serial *s);
void serial_reset(struct serial *s);
/* Checks what was loaded and takes up where it was saved. */
bool serial_post_load(struct serial *s, GError **errp);

#endif
