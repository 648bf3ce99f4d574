/*
 * Character devices: byte streams between a front end (serial port, monitor, virtio console) and a
 * back end (stdio, file, pty, socket, ...).
 *
 * A back end is a const struct chardev_type, rows for its options, and callbacks. One front end at a
 * time attaches with chardev_attach(); the multiplexer (mux=on) serves several. Everything runs on
 * the main loop unless the front end asks for another; chardev_write() may be called from any thread.
 *
 * Flow control: the back end offers bytes only while the front end's can_receive() says so; the
 * front end calls chardev_accept_input() when it has room again. A writer that must not lose bytes
 * uses chardev_write() with chardev_notify_writable(); one that may block briefly chardev_write_all().
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include "api/command.h"
#include "base/common.h"
#include "base/error.h"
#include "event/loop.h"

struct chardev;
struct chardev_frontend; /* one attachment */

enum chardev_event {
	CHARDEV_OPENED,
	CHARDEV_CLOSED,
	CHARDEV_BREAK,
	CHARDEV_MUX_IN,
	CHARDEV_MUX_OUT
};

struct chardev_handlers {
	bool background;                  /* on a multiplexer: leaves the focus to others */
	int (*can_receive)(void *opaque); /* how many bytes may come now; NULL: any number */
	void (*receive)(void *opaque, const uint8_t *data, int len);
	void (*event)(void *opaque, enum chardev_event event);
};

/*
 * Makes one. @options: flat, as -chardev gives it: {"backend":"socket","path":"/x","server":"on"},
 * text or JSON values alike (lenient). Known by @id from then on. NULL with an error.
 */
struct chardev *chardev_new(const char *id, json_object *options, GError **errp);

/* The short forms of -serial, -monitor, -qmp ("stdio", "pty", "tcp:host:port,server", "unix:p",
 * "file:f", "mon:stdio", "null", "chardev:ID") as an options object. Pure. "chardev:ID" yields
 * {"chardev":ID}, "none" {"backend":"none"}, "mon:X" X's with "mon":true. */
json_object *chardev_options_from_legacy(const char *text, GError **errp);

bool chardev_remove(const char *id, GError **errp); /* refused while a front end is attached */
struct chardev *chardev_find(const char *id);
void chardev_foreach(void (*fn)(struct chardev *chr, void *opaque), void *opaque);
const char *chardev_id(const struct chardev *chr);
char *chardev_filename(const struct chardev *chr); /* as query-chardev: "pty:/dev/pts/3" */
bool chardev_is_open(const struct chardev *chr);   /* the back end: somebody is connected */

/*
 * What the layers above do for us: the multiplexer's keys ask for the end of the program and for disk
 * data to be written. Unset ones do nothing. Copied.
 */
struct chardev_hooks {
	void (*quit)(void);
	void (*commit)(void);
};
void chardev_set_hooks(const struct chardev_hooks *hooks);
/* The key that begins the multiplexer's commands (-echr): Ctrl-A unless set. */
void chardev_set_escape(uint8_t key);

/* Everything closed, terminals restored. Safe on every exit path, more than once. */
void chardev_cleanup_all(void);

/* ---- Front end ---- */

/* "Device 'x' is in use" when there is one already (a mux takes several). @loop NULL: main loop. */
struct chardev_frontend *chardev_attach(struct chardev *chr,
					const struct chardev_handlers *handlers, void *opaque,
					struct loop *loop, GError **errp);
void chardev_detach(struct chardev_frontend *fe); /* NULL is fine */
/* Moves device and front end to another loop, on the thread of the present one. Nothing may wait for
 * room. chardev_can_move(): the back end is able to. */
bool chardev_can_move(const struct chardev *chr);
bool chardev_move(struct chardev_frontend *fe, struct loop *loop, GError **errp);
struct chardev *chardev_of(const struct chardev_frontend *fe);
void chardev_accept_input(struct chardev_frontend *fe);
void chardev_set_open(struct chardev_frontend *fe,
		      bool open); /* the guest's side: query-chardev's frontend-open */

/* Bytes taken, 0..len; -1 with errno. Never blocks. */
int chardev_write(struct chardev_frontend *fe, const void *data, int len);
/* All of it; waits at most a little while for a slow reader, then drops. */
void chardev_write_all(struct chardev_frontend *fe, const void *data, int len);
/* Calls @fn once when writing may go on. 0 if the back end cannot tell; a tag otherwise. */
unsigned chardev_notify_writable(struct chardev_frontend *fe, void (*fn)(void *opaque),
				 void *opaque);
void chardev_cancel_notify(struct chardev_frontend *fe, unsigned tag);
void chardev_send_break(struct chardev_frontend *fe);

/* Line parameters and modem lines of a real serial port; false if the back end is none. */
struct serial_params {
	unsigned speed;
	char parity; /* 'N' 'E' 'O' */
	uint8_t data_bits, stop_bits;
};
bool chardev_set_serial_params(struct chardev_frontend *fe, const struct serial_params *params);
bool chardev_get_modem_lines(struct chardev_frontend *fe, unsigned *tiocm);
bool chardev_set_modem_lines(struct chardev_frontend *fe, unsigned tiocm);

/* The oldest descriptor received with SCM_RIGHTS and not taken yet (QMP getfd), or -1. */
int chardev_take_fd(struct chardev_frontend *fe);

/* For properties: PROP_LINK(struct serial, chr, "chardev", &chardev_link, "...") */
extern const struct link_kind chardev_link;

void chardev_print_help(GString *out); /* -chardev help */
extern const struct command
	chardev_commands[]; /* query-chardev, query-chardev-backends, chardev-add ... */

#endif
