/*
 * PS/2 mouse: commands, packets, and the knock that unlocks a wheel. See ps2.h.
 *
 * A mouse sends three bytes a packet. Software that knows wheels sets the sample rate to 200, 100 and
 * 80 in a row; the mouse then has the ID 3 and a fourth byte. 200, 200, 80 makes it ID 4, with two more
 * buttons. Motion is summed up until there is room for a packet.
 */
#include "base/trace.h"
#include "hw/input/ps2.h"

TRACE_DEFINE(ps2_mouse_write, "0x%02x");

enum {
	CMD_SCALE_1 = 0xe6,
	CMD_SCALE_2 = 0xe7,
	CMD_RESOLUTION = 0xe8,
	CMD_STATUS = 0xe9,
	CMD_STREAM = 0xea,
	CMD_POLL = 0xeb,
	CMD_UNWRAP = 0xec,
	CMD_WRAP = 0xee,
	CMD_REMOTE = 0xf0,
	CMD_ID = 0xf2,
	CMD_SET_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_RESET = 0xff,

	REPLY_TEST_PASSED = 0xaa,
	REPLY_ACK = 0xfa,

	STATUS_SCALE_2 = 0x10,
	STATUS_ENABLED = 0x20,
	STATUS_REMOTE = 0x40,

	PACKET_ALWAYS = 0x08,
	PACKET_X_NEGATIVE = 0x10,
	PACKET_Y_NEGATIVE = 0x20,

	TYPE_PLAIN = 0,
	TYPE_WHEEL = 3,
	TYPE_FIVE_BUTTONS = 4,

	MOTION_MAX = 1 << 20, /* summed up while nobody reads */
};

/* ---- Packets ---- */

/* Takes as much of the motion as fits into a packet. */
static unsigned mouse_packet(struct ps2_mouse *m, uint8_t *out)
{
	int wheel = m->type == TYPE_FIVE_BUTTONS ? 7 : 127;
	int dx = CLAMP(m->dx, -127, 127), dy = CLAMP(m->dy, -127, 127);
	int dz = CLAMP(m->dz, -wheel, wheel);

	m->dx -= dx;
	m->dy -= dy;
	out[0] = PACKET_ALWAYS | (m->buttons & 7) | (dx < 0 ? PACKET_X_NEGATIVE : 0) |
		 (dy < 0 ? PACKET_Y_NEGATIVE : 0);
	out[1] = dx;
	out[2] = dy;
	m->sent_buttons = m->buttons;
	if (m->type == TYPE_PLAIN) {
		m->dz = 0;
		return 3;
	}
	m->dz -= dz;
	out[3] = m->type == TYPE_WHEEL ? dz : (dz & 0x0f) | (m->buttons & 0x18) << 1;
	return 4;
}

static bool mouse_has_news(const struct ps2_mouse *m)
{
	return m->dx || m->dy || (m->dz && m->type != TYPE_PLAIN) || m->buttons != m->sent_buttons;
}

void ps2_mouse_room(struct ps2_mouse *m)
{
	uint8_t packet[4];

	if (!(m->status & STATUS_ENABLED) || (m->status & STATUS_REMOTE))
		return;
	while (mouse_has_news(m) && m->port.queue_count + sizeof(packet) <= PS2_QUEUE)
		ps2_queue(&m->port, packet, mouse_packet(m, packet));
}

static int32_t sum_up(int32_t sum, int motion)
{
	return CLAMP((int64_t)sum + motion, -MOTION_MAX, MOTION_MAX);
}

void ps2_mouse_event(struct ps2_mouse *m, int dx, int dy, int dz, uint8_t buttons)
{
	m->buttons = buttons & 0x1f;
	if (!(m->status & STATUS_ENABLED))
		return;
	m->dx = sum_up(m->dx, dx);
	m->dy = sum_up(m->dy, -dy); /* the mouse counts up as positive */
	m->dz = sum_up(m->dz, dz);
	ps2_mouse_room(m);
}

/* ---- Commands ---- */

#define REPLY(m, ...)                                                                              \
	ps2_reply(&(m)->port, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void mouse_defaults(struct ps2_mouse *m)
{
	m->rate = 100;
	m->resolution = 2; /* 4 counts a millimetre */
	m->status = 0;
	m->dx = m->dy = m->dz = 0;
	ps2_clear(&m->port);
}

/* The rates of a knock one after the other; both begin with 200. */
static void mouse_knock(struct ps2_mouse *m, uint8_t rate)
{
	enum { KNOCK_NONE, KNOCK_200, KNOCK_200_100, KNOCK_200_200 };
	uint8_t knock = m->knock;

	m->knock = KNOCK_NONE;
	if (rate == 80 && knock == KNOCK_200_100)
		m->type = TYPE_WHEEL;
	else if (rate == 80 && knock == KNOCK_200_200)
		m->type = TYPE_FIVE_BUTTONS;
	else if (rate == 100 && knock == KNOCK_200)
		m->knock = KNOCK_200_100;
	else if (rate == 200)
		m->knock = knock == KNOCK_200 ? KNOCK_200_200 : KNOCK_200;
}

static void mouse_parameter(struct ps2_mouse *m, uint8_t byte)
{
	if (m->command == CMD_SET_RATE) {
		m->rate = byte;
		mouse_knock(m, byte);
	} else {
		m->resolution = byte;
	}
	m->command = 0;
	REPLY(m, REPLY_ACK);
}

static void mouse_poll(struct ps2_mouse *m)
{
	uint8_t reply[5] = {REPLY_ACK};

	ps2_reply(&m->port, reply, 1 + mouse_packet(m, reply + 1));
}

static void mouse_set_status(struct ps2_mouse *m, uint8_t bit, bool on)
{
	m->status = (m->status & ~bit) | (on ? bit : 0);
	REPLY(m, REPLY_ACK);
}

static void mouse_command(struct ps2_mouse *m, uint8_t byte)
{
	switch (byte) {
	case CMD_SCALE_1:
	case CMD_SCALE_2:
		mouse_set_status(m, STATUS_SCALE_2, byte == CMD_SCALE_2);
		break;
	case CMD_STREAM:
	case CMD_REMOTE:
		mouse_set_status(m, STATUS_REMOTE, byte == CMD_REMOTE);
		break;
	case CMD_ENABLE:
	case CMD_DISABLE:
		mouse_set_status(m, STATUS_ENABLED, byte == CMD_ENABLE);
		break;
	case CMD_RESOLUTION:
	case CMD_SET_RATE:
		m->command = byte;
		REPLY(m, REPLY_ACK);
		break;
	case CMD_WRAP:
		m->wrap = true;
		REPLY(m, REPLY_ACK);
		break;
	case CMD_UNWRAP:
		REPLY(m, REPLY_ACK);
		break;
	case CMD_ID:
		REPLY(m, REPLY_ACK, m->type);
		break;
	case CMD_STATUS:
		REPLY(m, REPLY_ACK, m->status, m->resolution, m->rate);
		break;
	case CMD_POLL:
		mouse_poll(m);
		break;
	case CMD_DEFAULTS:
		mouse_defaults(m);
		REPLY(m, REPLY_ACK);
		break;
	case CMD_RESET:
		mouse_defaults(m);
		m->type = TYPE_PLAIN;
		REPLY(m, REPLY_ACK, REPLY_TEST_PASSED, m->type);
		break;
	}
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte)
{
	trace(ps2_mouse_write, byte);
	if (m->command) {
		mouse_parameter(m, byte);
		return;
	}
	/* Wrap mode echoes all but its own end and a reset. */
	if (m->wrap) {
		if (byte != CMD_UNWRAP && byte != CMD_RESET) {
			REPLY(m, byte);
			return;
		}
		m->wrap = false;
	}
	mouse_command(m, byte);
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	m->type = TYPE_PLAIN;
	m->knock = m->command = 0;
	m->wrap = false;
	m->buttons = m->sent_buttons = 0;
	mouse_defaults(m);
	/* Until it is told to take its defaults it reports none. */
	m->rate = m->resolution = 0;
}

static const struct field mouse_rows[] = {
	SAVE_BYTES(struct ps2_mouse, port.reply),
	SAVE_UINT(struct ps2_mouse, port.reply_head),
	SAVE_UINT(struct ps2_mouse, port.reply_count),
	SAVE_BYTES(struct ps2_mouse, port.queue),
	SAVE_UINT(struct ps2_mouse, port.queue_head),
	SAVE_UINT(struct ps2_mouse, port.queue_count),
	SAVE_UINT(struct ps2_mouse, status),
	SAVE_UINT(struct ps2_mouse, resolution),
	SAVE_UINT(struct ps2_mouse, rate),
	SAVE_UINT(struct ps2_mouse, type),
	SAVE_UINT(struct ps2_mouse, knock),
	SAVE_UINT(struct ps2_mouse, command),
	SAVE_BOOL(struct ps2_mouse, wrap),
	SAVE_UINT(struct ps2_mouse, buttons),
	SAVE_UINT(struct ps2_mouse, sent_buttons),
	SAVE_INT(struct ps2_mouse, dx),
	SAVE_INT(struct ps2_mouse, dy),
	SAVE_INT(struct ps2_mouse, dz),
	FIELD_ROW_END,
};

const struct field_set ps2_mouse_state = {"ps2-mouse", sizeof(struct ps2_mouse), mouse_rows};
