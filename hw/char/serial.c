/*
 * 16550A UART: registers and interrupts. See serial.h.
 *
 * The chip has four interrupt sources in fixed priority (PC16550D, table IV): receiver line
 * status, received data or its timeout, transmitter empty, modem status. "Transmitter empty" is an
 * event, not a level: it is latched when THR empties or its enable bit rises, and gone once IIR was
 * read while it was the cause. The receive timeout strikes when the FIFO holds something and nothing
 * moved for four character times.
 */
#include "hw/char/serial.h"
#include <sys/ioctl.h>
#include "base/trace.h"

TRACE_DEFINE(serial_read, "register %u is 0x%02x");
TRACE_DEFINE(serial_write, "register %u := 0x%02x");
TRACE_DEFINE(serial_params, "%u baud, parity %c, %u data bits, %u stop bits");
TRACE_DEFINE(serial_dropped, "back end took nothing, byte 0x%02x dropped");

enum {
	IER_RDI = 0x01,
	IER_THRI = 0x02,
	IER_RLSI = 0x04,
	IER_MSI = 0x08,

	IIR_MSI = 0x00,
	IIR_NONE = 0x01,
	IIR_THRI = 0x02,
	IIR_RDI = 0x04,
	IIR_RLSI = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_CAUSE = 0x0f,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 0x01,
	FCR_CLEAR_RECEIVE = 0x02,
	FCR_CLEAR_TRANSMIT = 0x04,
	FCR_KEPT = 0xc9,

	LCR_STOP = 0x04,
	LCR_PARITY = 0x08,
	LCR_EVEN = 0x10,
	LCR_BREAK = 0x40,
	LCR_DLAB = 0x80,

	MCR_DTR = 0x01,
	MCR_RTS = 0x02,
	MCR_OUT2 = 0x08,
	MCR_LOOP = 0x10,
	MCR_KEPT = 0x1f,

	LSR_DATA = 0x01,
	LSR_OVERRUN = 0x02,
	LSR_BREAK = 0x10,
	LSR_ERRORS = 0x1e,
	LSR_THRE = 0x20,
	LSR_TEMT = 0x40,

	MSR_DELTAS = 0x0f,
	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RI = 0x40,
	MSR_DCD = 0x80,
	MSR_RI_TRAILING = 0x04,
};

#define SERIAL_MAX_RETRIES   4
#define SERIAL_MODEM_POLL_NS (10 * NS_PER_MS)

static void serial_transmit(struct serial *s);

/* ---- FIFOs ---- */

static bool fifo_push(struct serial_fifo *f, uint8_t byte)
{
	if (f->count == SERIAL_FIFO)
		return false;
	f->data[(f->head + f->count++) % SERIAL_FIFO] = byte;
	return true;
}

static uint8_t fifo_pop(struct serial_fifo *f)
{
	uint8_t byte = f->data[f->head];

	f->head = (f->head + 1) % SERIAL_FIFO;
	f->count--;
	return byte;
}

static bool serial_fifos_on(const struct serial *s)
{
	return s->fcr & FCR_ENABLE;
}

/* ---- Interrupts ---- */

static uint8_t serial_cause(const struct serial *s)
{
	if ((s->ier & IER_RLSI) && (s->lsr & LSR_ERRORS))
		return IIR_RLSI;
	if ((s->ier & IER_RDI) && s->timeout_pending)
		return IIR_TIMEOUT;
	if ((s->ier & IER_RDI) && (s->lsr & LSR_DATA) &&
	    (!serial_fifos_on(s) || s->receive.count >= s->trigger))
		return IIR_RDI;
	if ((s->ier & IER_THRI) && s->thri_pending)
		return IIR_THRI;
	if ((s->ier & IER_MSI) && (s->msr & MSR_DELTAS))
		return IIR_MSI;
	return IIR_NONE;
}

static void serial_update_irq(struct serial *s)
{
	uint8_t cause = serial_cause(s);

	s->iir = (s->iir & 0xf0) | cause;
	irq_set(s->irq, cause != IIR_NONE);
}

static void serial_start_timeout(struct serial *s)
{
	timer_set(&s->timeout, clock_now(QCLOCK_VIRTUAL) + 4 * s->char_time);
}

static void serial_timed_out(void *opaque)
{
	struct serial *s = opaque;

	if (s->receive.count) {
		s->timeout_pending = true;
		serial_update_irq(s);
	}
}

/* ---- Line parameters and modem lines ---- */

static void serial_update_params(struct serial *s)
{
	struct serial_params p = {
		.parity = !(s->lcr & LCR_PARITY) ? 'N'
			  : s->lcr & LCR_EVEN    ? 'E'
						 : 'O',
		.data_bits = (s->lcr & 3) + 5,
		.stop_bits = s->lcr & LCR_STOP ? 2 : 1,
	};
	unsigned bits = 1 + p.data_bits + p.stop_bits + (p.parity != 'N');

	if (!s->divider || s->divider > s->baudbase)
		return;
	p.speed = s->baudbase / s->divider;
	s->char_time = NS_PER_SEC / p.speed * bits;
	trace(serial_params, p.speed, p.parity, p.data_bits, p.stop_bits);
	if (s->fe)
		chardev_set_serial_params(s->fe, &p);
}

static void serial_poll_modem(struct serial *s)
{
	uint8_t old = s->msr;
	unsigned tiocm;

	timer_del(&s->modem_poll);
	if (!s->fe || !chardev_get_modem_lines(s->fe, &tiocm)) {
		s->poll_modem = -1;
		return;
	}
	s->msr &= MSR_DELTAS;
	s->msr |= tiocm & TIOCM_CTS ? MSR_CTS : 0;
	s->msr |= tiocm & TIOCM_DSR ? MSR_DSR : 0;
	s->msr |= tiocm & TIOCM_CAR ? MSR_DCD : 0;
	s->msr |= tiocm & TIOCM_RI ? MSR_RI : 0;
	/* The deltas stand four bits below their lines; the ring indicator counts when it ends. */
	s->msr |= ((s->msr ^ old) >> 4) & (MSR_DELTAS & ~MSR_RI_TRAILING);
	if ((old & MSR_RI) && !(s->msr & MSR_RI))
		s->msr |= MSR_RI_TRAILING;
	if (s->msr != old)
		serial_update_irq(s);
	if (s->poll_modem > 0)
		timer_set(&s->modem_poll, clock_now(QCLOCK_VIRTUAL) + SERIAL_MODEM_POLL_NS);
}

static void serial_modem_timer(void *opaque)
{
	serial_poll_modem(opaque);
}

static void serial_drive_modem(struct serial *s)
{
	unsigned tiocm;

	if (s->poll_modem < 0 || !s->fe || !chardev_get_modem_lines(s->fe, &tiocm))
		return;
	tiocm &= ~(TIOCM_RTS | TIOCM_DTR);
	tiocm |= s->mcr & MCR_RTS ? TIOCM_RTS : 0;
	tiocm |= s->mcr & MCR_DTR ? TIOCM_DTR : 0;
	chardev_set_modem_lines(s->fe, tiocm);
	/* The other side's answer is looked for one character later. */
	timer_set(&s->modem_poll, clock_now(QCLOCK_VIRTUAL) + s->char_time);
}

/* ---- Receiving ---- */

static void serial_receive_byte(struct serial *s, uint8_t byte)
{
	if (serial_fifos_on(s)) {
		if (!fifo_push(&s->receive, byte))
			s->lsr |= LSR_OVERRUN;
		s->lsr |= LSR_DATA;
		serial_start_timeout(s);
		return;
	}
	if (s->lsr & LSR_DATA)
		s->lsr |= LSR_OVERRUN;
	s->rbr = byte;
	s->lsr |= LSR_DATA;
}

/* Room up to the trigger level first, so that a driver sees one interrupt for a burst. */
static int serial_can_receive(void *opaque)
{
	struct serial *s = opaque;

	if (!serial_fifos_on(s))
		return !(s->lsr & LSR_DATA);
	if (s->receive.count >= SERIAL_FIFO)
		return 0;
	return s->receive.count < s->trigger ? s->trigger - s->receive.count : 1;
}

static void serial_receive(void *opaque, const uint8_t *data, int len)
{
	struct serial *s = opaque;

	for (int i = 0; i < len; i++)
		serial_receive_byte(s, data[i]);
	serial_update_irq(s);
}

static void serial_event(void *opaque, enum chardev_event event)
{
	struct serial *s = opaque;

	if (event != CHARDEV_BREAK)
		return;
	s->rbr = 0;
	if (serial_fifos_on(s))
		fifo_push(&s->receive, 0);
	s->lsr |= LSR_BREAK | LSR_DATA;
	serial_update_irq(s);
}

static uint8_t serial_read_data(struct serial *s)
{
	uint8_t byte = s->rbr;

	if (!serial_fifos_on(s)) {
		s->lsr &= ~(LSR_DATA | LSR_BREAK);
	} else {
		byte = s->receive.count ? fifo_pop(&s->receive) : 0;
		if (s->receive.count)
			serial_start_timeout(s);
		else
			s->lsr &= ~(LSR_DATA | LSR_BREAK);
		s->timeout_pending = false;
	}
	serial_update_irq(s);
	if (!(s->mcr & MCR_LOOP) && s->fe)
		chardev_accept_input(s->fe);
	return byte;
}

/* ---- Transmitting ---- */

/* Moves the next byte into the shift register; tells whoever waits for an empty THR. */
static void serial_load_shifter(struct serial *s)
{
	if (serial_fifos_on(s)) {
		s->tsr = s->transmit.count ? fifo_pop(&s->transmit) : 0;
		if (!s->transmit.count)
			s->lsr |= LSR_THRE;
	} else {
		s->tsr = s->thr;
		s->lsr |= LSR_THRE;
	}
	s->tsr_busy = true;
	if ((s->lsr & LSR_THRE) && !s->thri_pending) {
		s->thri_pending = true;
		serial_update_irq(s);
	}
}

static void serial_writable(void *opaque)
{
	struct serial *s = opaque;

	s->writable_tag = 0;
	serial_transmit(s);
}

/* False: the back end is full and will call when it has room. */
static bool serial_send(struct serial *s)
{
	if (s->mcr & MCR_LOOP) {
		serial_receive_byte(s, s->tsr);
		serial_update_irq(s);
		return true;
	}
	if (!s->fe || chardev_write(s->fe, &s->tsr, 1) == 1)
		return true;
	if (s->retries < SERIAL_MAX_RETRIES) {
		s->writable_tag = chardev_notify_writable(s->fe, serial_writable, s);
		if (s->writable_tag) {
			s->retries++;
			return false;
		}
	}
	trace(serial_dropped, s->tsr);
	return true;
}

static void serial_transmit(struct serial *s)
{
	do {
		if (!s->tsr_busy)
			serial_load_shifter(s);
		if (!serial_send(s))
			return;
		s->tsr_busy = false;
		s->retries = 0;
	} while (!(s->lsr & LSR_THRE));
	s->lsr |= LSR_TEMT;
}

static void serial_write_data(struct serial *s, uint8_t byte)
{
	s->thr = byte;
	if (serial_fifos_on(s)) {
		/* A full FIFO loses its oldest byte. */
		if (s->transmit.count == SERIAL_FIFO)
			fifo_pop(&s->transmit);
		fifo_push(&s->transmit, byte);
	}
	s->thri_pending = false;
	s->lsr &= ~(LSR_THRE | LSR_TEMT);
	serial_update_irq(s);
	if (!s->tsr_busy)
		serial_transmit(s);
}

/* ---- Registers ---- */

static void serial_write_ier(struct serial *s, uint8_t value)
{
	uint8_t changed = (s->ier ^ value) & 0x0f;

	s->ier = value & 0x0f;
	if ((changed & IER_MSI) && s->poll_modem >= 0) {
		s->poll_modem = !!(s->ier & IER_MSI);
		if (s->poll_modem)
			serial_poll_modem(s);
		else
			timer_del(&s->modem_poll);
	}
	if (changed & IER_THRI)
		s->thri_pending = (s->ier & IER_THRI) && (s->lsr & LSR_THRE);
	if (changed)
		serial_update_irq(s);
}

static void serial_set_fcr(struct serial *s, uint8_t value)
{
	static const uint8_t triggers[] = {1, 4, 8, 14};

	s->fcr = value & FCR_KEPT;
	s->trigger = triggers[s->fcr >> 6];
	s->iir = (s->iir & ~IIR_FIFOS) | (serial_fifos_on(s) ? IIR_FIFOS : 0);
}

static void serial_write_fcr(struct serial *s, uint8_t value)
{
	/* Switching the FIFOs on or off empties them. */
	if ((value ^ s->fcr) & FCR_ENABLE)
		value |= FCR_CLEAR_RECEIVE | FCR_CLEAR_TRANSMIT;
	if (value & FCR_CLEAR_RECEIVE) {
		s->lsr &= ~(LSR_DATA | LSR_BREAK);
		timer_del(&s->timeout);
		s->timeout_pending = false;
		s->receive = (struct serial_fifo){};
	}
	if (value & FCR_CLEAR_TRANSMIT) {
		s->lsr |= LSR_THRE;
		s->thri_pending = true;
		s->transmit = (struct serial_fifo){};
	}
	serial_set_fcr(s, value);
	serial_update_irq(s);
	if ((value & FCR_CLEAR_RECEIVE) && s->fe)
		chardev_accept_input(s->fe);
}

static void serial_write_lcr(struct serial *s, uint8_t value)
{
	bool is_break = value & LCR_BREAK;

	s->lcr = value;
	serial_update_params(s);
	if (is_break && !s->break_sent && s->fe)
		chardev_send_break(s->fe);
	s->break_sent = is_break;
}

static void serial_write_mcr(struct serial *s, uint8_t value)
{
	uint8_t old = s->mcr;

	s->mcr = value & MCR_KEPT;
	if (!(s->mcr & MCR_LOOP) && s->mcr != old)
		serial_drive_modem(s);
}

static void serial_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct serial *s = opaque;
	bool dlab = s->lcr & LCR_DLAB;

	trace(serial_write, (unsigned)offset, (unsigned)value);
	switch (offset) {
	case 0:
		if (!dlab) {
			serial_write_data(s, value);
			break;
		}
		/* A wider access sets both halves of the divisor. */
		s->divider = size > 1 ? value : (s->divider & 0xff00) | (uint8_t)value;
		serial_update_params(s);
		break;
	case 1:
		if (!dlab) {
			serial_write_ier(s, value);
			break;
		}
		s->divider = (s->divider & 0xff) | (uint8_t)value << 8;
		serial_update_params(s);
		break;
	case 2:
		serial_write_fcr(s, value);
		break;
	case 3:
		serial_write_lcr(s, value);
		break;
	case 4:
		serial_write_mcr(s, value);
		break;
	case 7:
		s->scr = value;
		break;
	}
}

static uint8_t serial_read_iir(struct serial *s)
{
	uint8_t value = s->iir;

	if ((value & IIR_CAUSE) == IIR_THRI) {
		s->thri_pending = false;
		serial_update_irq(s);
	}
	return value;
}

static uint8_t serial_read_lsr(struct serial *s)
{
	uint8_t value = s->lsr;

	if (value & (LSR_BREAK | LSR_OVERRUN)) {
		s->lsr &= ~(LSR_BREAK | LSR_OVERRUN);
		serial_update_irq(s);
	}
	return value;
}

static uint8_t serial_read_msr(struct serial *s)
{
	uint8_t value;

	/* Loopback: OUT2, OUT1, DTR, RTS appear as DCD, RI, DSR, CTS. */
	if (s->mcr & MCR_LOOP)
		return (s->mcr & 0x0c) << 4 | (s->mcr & MCR_RTS) << 3 | (s->mcr & MCR_DTR) << 5;
	if (s->poll_modem >= 0)
		serial_poll_modem(s);
	value = s->msr;
	if (value & MSR_DELTAS) {
		s->msr &= ~MSR_DELTAS;
		serial_update_irq(s);
	}
	return value;
}

static uint8_t serial_read_register(struct serial *s, unsigned reg)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case 0:
		return dlab ? s->divider & 0xff : serial_read_data(s);
	case 1:
		return dlab ? s->divider >> 8 : s->ier;
	case 2:
		return serial_read_iir(s);
	case 3:
		return s->lcr;
	case 4:
		return s->mcr;
	case 5:
		return serial_read_lsr(s);
	case 6:
		return serial_read_msr(s);
	default:
		return s->scr;
	}
}

static uint64_t serial_read(void *opaque, uint64_t offset, unsigned size)
{
	uint8_t value = serial_read_register(opaque, offset);

	trace(serial_read, (unsigned)offset, value);
	return value;
}

const struct io_ops serial_io_ops = {
	.read = serial_read,
	.write = serial_write,
	.impl = {.min = 1, .max = 1},
};

/* ---- Life ---- */

static const struct chardev_handlers serial_handlers = {
	.can_receive = serial_can_receive,
	.receive = serial_receive,
	.event = serial_event,
};

bool serial_realize(struct serial *s, GError **errp)
{
	timer_init(&s->timeout, loop_main(), QCLOCK_VIRTUAL, serial_timed_out, s);
	timer_init(&s->modem_poll, loop_main(), QCLOCK_VIRTUAL, serial_modem_timer, s);
	if (s->chr) {
		s->fe = chardev_attach(s->chr, &serial_handlers, s, NULL, errp);
		if (!s->fe)
			return false;
	}
	serial_reset(s);
	return true;
}

void serial_unrealize(struct serial *s)
{
	timer_del(&s->timeout);
	timer_del(&s->modem_poll);
	if (s->fe && s->writable_tag)
		chardev_cancel_notify(s->fe, s->writable_tag);
	chardev_detach(s->fe);
	s->fe = NULL;
}

void serial_reset(struct serial *s)
{
	if (s->fe && s->writable_tag)
		chardev_cancel_notify(s->fe, s->writable_tag);
	s->writable_tag = 0;
	timer_del(&s->timeout);
	timer_del(&s->modem_poll);
	s->rbr = s->ier = s->lcr = s->scr = 0;
	s->iir = IIR_NONE;
	s->lsr = LSR_TEMT | LSR_THRE;
	s->msr = MSR_DCD | MSR_DSR | MSR_CTS;
	s->mcr = MCR_OUT2;
	s->divider = 12; /* 9600 baud */
	s->char_time = NS_PER_SEC / 9600 * 10;
	s->tsr_busy = s->thri_pending = s->timeout_pending = s->break_sent = false;
	s->retries = 0;
	s->receive = s->transmit = (struct serial_fifo){};
	serial_set_fcr(s, 0);
	s->poll_modem = 0;
	serial_poll_modem(s);
	s->msr &= ~MSR_DELTAS;
	irq_lower(s->irq);
}

bool serial_post_load(struct serial *s, GError **errp)
{
	if (s->receive.count > SERIAL_FIFO || s->receive.head >= SERIAL_FIFO ||
	    s->transmit.count > SERIAL_FIFO || s->transmit.head >= SERIAL_FIFO) {
		error_set(errp, "serial port: a FIFO holds %u and %u of at most %u bytes",
			  s->receive.count, s->transmit.count, SERIAL_FIFO);
		return false;
	}
	serial_set_fcr(s, s->fcr);
	serial_update_params(s);
	serial_update_irq(s);
	if (s->poll_modem > 0)
		serial_poll_modem(s);
	if (s->tsr_busy)
		serial_transmit(s);
	return true;
}

static const struct field serial_fifo_rows[] = {
	SAVE_BYTES(struct serial_fifo, data),
	SAVE_UINT(struct serial_fifo, head),
	SAVE_UINT(struct serial_fifo, count),
	FIELD_ROW_END,
};

static const struct field_set serial_fifo_state = {
	"serial-fifo",
	sizeof(struct serial_fifo),
	serial_fifo_rows,
};

static const struct field serial_rows[] = {
	SAVE_UINT(struct serial, rbr),
	SAVE_UINT(struct serial, thr),
	SAVE_UINT(struct serial, tsr),
	SAVE_BOOL(struct serial, tsr_busy),
	SAVE_UINT(struct serial, ier),
	SAVE_UINT(struct serial, iir),
	SAVE_UINT(struct serial, fcr),
	SAVE_UINT(struct serial, lcr),
	SAVE_UINT(struct serial, mcr),
	SAVE_UINT(struct serial, lsr),
	SAVE_UINT(struct serial, msr),
	SAVE_UINT(struct serial, scr),
	SAVE_UINT(struct serial, divider),
	SAVE_BOOL(struct serial, thri_pending),
	SAVE_BOOL(struct serial, timeout_pending),
	SAVE_BOOL(struct serial, break_sent),
	SAVE_INT(struct serial, poll_modem),
	SAVE_STRUCT(struct serial, receive, &serial_fifo_state),
	SAVE_STRUCT(struct serial, transmit, &serial_fifo_state),
	SAVE_TIMER(struct serial, timeout),
	FIELD_ROW_END,
};

const struct field_set serial_state = {"serial", sizeof(struct serial), serial_rows};
