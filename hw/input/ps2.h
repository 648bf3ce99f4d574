/*
 * PS/2 keyboard and mouse as devices at the end of a serial line: bytes come in (commands), bytes go
 * out (replies, and what the user did). The controller is told whether bytes wait, and fetches them.
 *
 * A reply goes out before anything the user did, and a new command drops what is left of the last
 * reply. What the user does while the queue is full is lost (keys) or summed up (motion).
 *
 * Source: IBM Personal System/2 Hardware Interface Technical Reference (1988), "Keyboards" and
 * "Auxiliary device"; the wheel: Microsoft IntelliMouse ID sequence.
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "base/field.h"

#define PS2_QUEUE 16
#define PS2_REPLY 8

struct ps2_port {
	/* Told after each change; the owner sets it. */
	void (*update)(void *opaque, bool bytes_wait);
	void *opaque;

	uint8_t reply[PS2_REPLY], reply_head, reply_count;
	uint8_t queue[PS2_QUEUE], queue_head, queue_count;
};

bool ps2_waiting(const struct ps2_port *port);
/* The next byte; the last one again when nothing waits. */
uint8_t ps2_fetch(struct ps2_port *port);
/* Puts @len bytes of an event in the queue, all or none. */
bool ps2_queue(struct ps2_port *port, const uint8_t *bytes, unsigned len);
/* Answers a command. */
void ps2_reply(struct ps2_port *port, const uint8_t *bytes, unsigned len);
void ps2_clear(struct ps2_port *port);
bool ps2_port_valid(const struct ps2_port *port);

struct ps2_keyboard {
	struct ps2_port port;
	bool scanning;
	bool translate;   /* the controller wants set 1 where the keyboard sends set 2 */
	uint8_t scan_set; /* 1, 2, 3 */
	uint8_t leds, rate;
	uint8_t command; /* waits for its parameter; 0: none */
	uint8_t modifiers;
};

void ps2_keyboard_reset(struct ps2_keyboard *k);
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte);
/*
 * A key goes down or up. @key is its number as QMP has it: the set 1 scan code, plus 80h where that
 * has an E0h prefix; C6h is Pause, B7h Print Screen.
 */
void ps2_keyboard_event(struct ps2_keyboard *k, uint8_t key, bool down);

enum ps2_button {
	PS2_LEFT = 0x01,
	PS2_RIGHT = 0x02,
	PS2_MIDDLE = 0x04,
	PS2_SIDE = 0x08,
	PS2_EXTRA = 0x10,
};

struct ps2_mouse {
	struct ps2_port port;
	uint8_t status, resolution, rate;
	uint8_t type;    /* 0: plain, 3: wheel, 4: wheel and five buttons */
	uint8_t knock;   /* how far the sequence of rates that unlocks the wheel has come */
	uint8_t command; /* waits for its parameter; 0: none */
	bool wrap;
	uint8_t buttons, sent_buttons;
	int32_t dx, dy, dz;
};

void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte);
/* Motion (right, down and towards the user are positive) and buttons (enum ps2_button) since the last. */
void ps2_mouse_event(struct ps2_mouse *m, int dx, int dy, int dz, uint8_t buttons);
/* The controller has fetched a byte: what was summed up may go out now. */
void ps2_mouse_room(struct ps2_mouse *m);

extern const struct field_set ps2_keyboard_state, ps2_mouse_state;

#endif
