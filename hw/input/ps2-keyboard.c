/*
 * PS/2 keyboard: commands, and scan codes in three sets. See ps2.h.
 *
 * A keyboard speaks set 2 unless told otherwise; the controller turns that into set 1 for software of
 * the PC/XT's time. One table does both directions: indexed by a set 2 code it gives set 1, which is
 * the translation, and searched it gives the set 2 code of a key known by its set 1 code. A
 * break in sets 2 and 3 is F0h and the make code; translation turns the pair into one byte with bit 7.
 */
#include "base/trace.h"
#include "hw/input/ps2.h"

TRACE_DEFINE(ps2_keyboard_write, "0x%02x");
TRACE_DEFINE(ps2_keyboard_event, "key 0x%02x down %d");
TRACE_DEFINE(ps2_keyboard_lost, "key 0x%02x: queue full");

enum {
	CMD_SET_LEDS = 0xed,
	CMD_ECHO = 0xee,
	CMD_SCAN_SET = 0xf0,
	CMD_ID = 0xf2,
	CMD_SET_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_ALL_TYPEMATIC = 0xf7,
	CMD_ALL_BOTH = 0xfa,
	CMD_KEY_TYPEMATIC = 0xfb,
	CMD_KEY_MAKE = 0xfd,
	CMD_RESET = 0xff,

	REPLY_TEST_PASSED = 0xaa,
	REPLY_ACK = 0xfa,
	REPLY_RESEND = 0xfe,

	BREAK = 0xf0,
	RATE_DEFAULT = 0x2b, /* 10.9 characters a second after half a second */

	KEY_EXTENDED = 0x80,
	KEY_CTRL = 0x1d,
	KEY_ALT = 0x38,
	KEY_SYSRQ = 0x54,
	KEY_PRINT = 0xb7,
	KEY_PAUSE = 0xc6,

	MOD_CTRL = 0x01,
	MOD_CTRL_RIGHT = 0x02,
	MOD_ALT = 0x04,
	MOD_ALT_RIGHT = 0x08,
};

static const uint8_t set1_of_set2[0x80] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

/* Set 3 where it differs from set 2, by key. */
static const struct {
	uint8_t key, code;
} set3_codes[] = {
	{0x01, 0x08}, {0x1d, 0x11}, {0x2b, 0x5c}, {0x37, 0x7e}, {0x38, 0x19}, {0x3a, 0x14},
	{0x3b, 0x07}, {0x3c, 0x0f}, {0x3d, 0x17}, {0x3e, 0x1f}, {0x3f, 0x27}, {0x40, 0x2f},
	{0x41, 0x37}, {0x42, 0x3f}, {0x43, 0x47}, {0x44, 0x4f}, {0x45, 0x76}, {0x46, 0x5f},
	{0x4a, 0x84}, {0x4e, 0x7c}, {0x54, 0x57}, {0x56, 0x13}, {0x57, 0x56}, {0x58, 0x5e},
	{0x9c, 0x79}, {0x9d, 0x58}, {0xb5, 0x77}, {0xb7, 0x57}, {0xb8, 0x39}, {0xc6, 0x62},
	{0xc7, 0x6e}, {0xc8, 0x63}, {0xc9, 0x6f}, {0xcb, 0x61}, {0xcd, 0x6a}, {0xcf, 0x65},
	{0xd0, 0x60}, {0xd1, 0x6d}, {0xd2, 0x67}, {0xd3, 0x64}, {0xdb, 0x8b}, {0xdc, 0x8c},
	{0xdd, 0x8d},
};

/* ---- Codes ---- */

static uint8_t translate(uint8_t code)
{
	if (code < G_N_ELEMENTS(set1_of_set2))
		return set1_of_set2[code];
	/* The two keys beyond the table. */
	return code == 0x83 ? 0x41 : code == 0x84 ? 0x54 : code;
}

static uint8_t set2_of_key(uint8_t key)
{
	uint8_t set1 = key & ~KEY_EXTENDED;

	if (set1 == 0x41)
		return 0x83;
	if (set1 == KEY_SYSRQ)
		return 0x84;
	for (unsigned i = 1; i < G_N_ELEMENTS(set1_of_set2); i++) {
		if (set1_of_set2[i] == set1)
			return i;
	}
	return 0;
}

static uint8_t set3_of_key(uint8_t key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(set3_codes); i++) {
		if (set3_codes[i].key == key)
			return set3_codes[i].code;
	}
	return set2_of_key(key);
}

/* Bytes of one event. */
struct codes {
	uint8_t byte[PS2_QUEUE];
	unsigned count;
	bool after_break;
};

static void codes_add(struct codes *c, const struct ps2_keyboard *k, uint8_t byte)
{
	g_assert(c->count < sizeof(c->byte));
	if (!k->translate) {
		c->byte[c->count++] = byte;
	} else if (byte == BREAK) {
		c->after_break = true;
	} else {
		c->byte[c->count++] = translate(byte) | (c->after_break ? 0x80 : 0);
		c->after_break = false;
	}
}

static void codes_add_key(struct codes *c, const struct ps2_keyboard *k, uint8_t key, bool down)
{
	bool extended = key & KEY_EXTENDED;

	if (k->scan_set == 3) {
		if (!down)
			codes_add(c, k, BREAK);
		codes_add(c, k, set3_of_key(key));
		return;
	}
	if (extended)
		codes_add(c, k, 0xe0);
	if (k->scan_set == 1) {
		codes_add(c, k, (key & 0x7f) | (down ? 0 : 0x80));
		return;
	}
	if (!down)
		codes_add(c, k, BREAK);
	codes_add(c, k, set2_of_key(key));
}

/* Pause has no break; with Ctrl it is Break. */
static void codes_add_pause(struct codes *c, const struct ps2_keyboard *k)
{
	static const uint8_t set1[] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
	static const uint8_t set2[] = {0xe1, 0x14, 0x77, 0xe1, BREAK, 0x14, BREAK, 0x77};
	const uint8_t *bytes = k->scan_set == 1 ? set1 : set2;
	unsigned len = k->scan_set == 1 ? sizeof(set1) : sizeof(set2);

	if (k->scan_set == 3 || (k->modifiers & (MOD_CTRL | MOD_CTRL_RIGHT))) {
		codes_add_key(c, k, KEY_PAUSE, true);
		codes_add_key(c, k, KEY_PAUSE, false);
		return;
	}
	for (unsigned i = 0; i < len; i++)
		codes_add(c, k, bytes[i]);
}

/* Print Screen comes with a Shift around it; with Alt it is another key. */
static void codes_add_print(struct codes *c, const struct ps2_keyboard *k, bool down)
{
	if (k->scan_set == 3) {
		codes_add_key(c, k, KEY_PRINT, down);
	} else if (k->modifiers & (MOD_ALT | MOD_ALT_RIGHT)) {
		codes_add_key(c, k, KEY_SYSRQ, down);
	} else if (down) {
		codes_add_key(c, k, 0x2a | KEY_EXTENDED, true);
		codes_add_key(c, k, KEY_PRINT, true);
	} else {
		codes_add_key(c, k, KEY_PRINT, false);
		codes_add_key(c, k, 0x2a | KEY_EXTENDED, false);
	}
}

static void note_modifier(struct ps2_keyboard *k, uint8_t key, bool down)
{
	static const struct {
		uint8_t key, bit;
	} modifiers[] = {
		{KEY_CTRL, MOD_CTRL},
		{KEY_CTRL | KEY_EXTENDED, MOD_CTRL_RIGHT},
		{KEY_ALT, MOD_ALT},
		{KEY_ALT | KEY_EXTENDED, MOD_ALT_RIGHT},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(modifiers); i++) {
		if (modifiers[i].key == key)
			k->modifiers =
				(k->modifiers & ~modifiers[i].bit) | (down ? modifiers[i].bit : 0);
	}
}

void ps2_keyboard_event(struct ps2_keyboard *k, uint8_t key, bool down)
{
	struct codes codes = {};

	trace(ps2_keyboard_event, key, down);
	note_modifier(k, key, down);
	if (!k->scanning)
		return;
	if (key == KEY_PRINT)
		codes_add_print(&codes, k, down);
	else if (key != KEY_PAUSE)
		codes_add_key(&codes, k, key, down);
	else if (down)
		codes_add_pause(&codes, k);
	if (!ps2_queue(&k->port, codes.byte, codes.count))
		trace(ps2_keyboard_lost, key);
}

/* ---- Commands ---- */

static void keyboard_reply(struct ps2_keyboard *k, unsigned len, const uint8_t *bytes)
{
	uint8_t out[PS2_REPLY];

	for (unsigned i = 0; i < len; i++)
		out[i] = k->translate ? translate(bytes[i]) : bytes[i];
	ps2_reply(&k->port, out, len);
}

#define REPLY(k, ...) keyboard_reply(k, sizeof((uint8_t[]){__VA_ARGS__}), (uint8_t[]){__VA_ARGS__})

static void keyboard_defaults(struct ps2_keyboard *k)
{
	k->scanning = true;
	k->scan_set = 2;
	k->rate = RATE_DEFAULT;
	ps2_clear(&k->port);
}

static void keyboard_parameter(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->command;

	k->command = 0;
	switch (command) {
	case CMD_SCAN_SET:
		if (!byte) {
			REPLY(k, REPLY_ACK, k->scan_set);
			return;
		}
		if (byte > 3) {
			REPLY(k, REPLY_RESEND);
			return;
		}
		k->scan_set = byte;
		break;
	case CMD_SET_LEDS:
		k->leds = byte & 7;
		break;
	case CMD_SET_RATE:
		k->rate = byte & 0x7f;
		break;
	}
	REPLY(k, REPLY_ACK);
}

static void keyboard_command(struct ps2_keyboard *k, uint8_t byte)
{
	switch (byte) {
	case CMD_SET_LEDS:
	case CMD_SCAN_SET:
	case CMD_SET_RATE:
	case CMD_KEY_TYPEMATIC ... CMD_KEY_MAKE:
		k->command = byte;
		REPLY(k, REPLY_ACK);
		break;
	case CMD_ECHO:
		REPLY(k, CMD_ECHO);
		break;
	case CMD_ID:
		/* A keyboard's ID is not a scan code, but it is translated like one: 83h to 41h. */
		REPLY(k, REPLY_ACK, 0xab, 0x83);
		break;
	case CMD_ENABLE:
		k->scanning = true;
		REPLY(k, REPLY_ACK);
		break;
	case CMD_DISABLE:
	case CMD_DEFAULTS:
		keyboard_defaults(k);
		k->scanning = byte == CMD_DEFAULTS;
		REPLY(k, REPLY_ACK);
		break;
	case CMD_RESET:
		keyboard_defaults(k);
		REPLY(k, REPLY_ACK, REPLY_TEST_PASSED);
		break;
	case 0x00:
	case CMD_ALL_TYPEMATIC ... CMD_ALL_BOTH:
		REPLY(k, REPLY_ACK);
		break;
	default:
		REPLY(k, REPLY_RESEND);
		break;
	}
}

void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte)
{
	trace(ps2_keyboard_write, byte);
	if (k->command)
		keyboard_parameter(k, byte);
	else
		keyboard_command(k, byte);
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	k->command = 0;
	k->translate = false;
	k->leds = 0;
	k->modifiers = 0;
	keyboard_defaults(k);
}

static const struct field keyboard_rows[] = {
	SAVE_BYTES(struct ps2_keyboard, port.reply),
	SAVE_UINT(struct ps2_keyboard, port.reply_head),
	SAVE_UINT(struct ps2_keyboard, port.reply_count),
	SAVE_BYTES(struct ps2_keyboard, port.queue),
	SAVE_UINT(struct ps2_keyboard, port.queue_head),
	SAVE_UINT(struct ps2_keyboard, port.queue_count),
	SAVE_BOOL(struct ps2_keyboard, scanning),
	SAVE_BOOL(struct ps2_keyboard, translate),
	SAVE_UINT(struct ps2_keyboard, scan_set),
	SAVE_UINT(struct ps2_keyboard, leds),
	SAVE_UINT(struct ps2_keyboard, rate),
	SAVE_UINT(struct ps2_keyboard, command),
	SAVE_UINT(struct ps2_keyboard, modifiers),
	FIELD_ROW_END,
};

const struct field_set ps2_keyboard_state = {
	"ps2-keyboard",
	sizeof(struct ps2_keyboard),
	keyboard_rows,
};
