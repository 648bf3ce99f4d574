/*
 * What back ends and the core of character devices know of each other.
 *
 * A back end's instance begins with struct chardev. The core calls its type's callbacks on the
 * device's loop, except write() and write_fd(), which come from any thread under write_lock. The back end
 * tells the core of bytes and events with chardev_input() and chardev_state(); it asks chardev_room()
 * before it reads, pauses when that is 0, and goes on when accept_input() is called.
 */
#ifndef CHARDEV_INTERNAL_H
#define CHARDEV_INTERNAL_H

#include "chardev/chardev.h"

/* Every options structure begins with this. */
struct chardev_common {
	char *logfile; /* a copy of all output; NULL: none */
	bool logappend;
};
#define CHARDEV_COMMON_ROWS(_s)                                                                    \
	OPT_STRING(_s, common.logfile, "logfile", "Copies all output to this file"),               \
		PROP_BOOL(_s, common.logappend, "logappend", false,                                \
			  "Appends to the log file instead of emptying it")

struct chardev_type {
	const char *name;
	const char *help;
	size_t size; /* of the instance */

	/* The options: as `data` of chardev-add has them, and the same structure as -chardev spells
	 * it (NULL: in the same way). finish_flat() checks what rows cannot say. */
	const struct field_set *options;
	const struct field *flat;
	bool (*finish_flat)(void *options, GError **errp);

	/* A new device ends open (->open) if it can carry bytes right away. */
	bool (*create)(struct chardev *chr, const void *options, GError **errp);
	void (*destroy)(struct chardev *chr); /* also after a create() that failed half-way */

	/* The rest may be NULL: not possible, nothing to do. */
	int (*write)(struct chardev *chr, const uint8_t *data, int len); /* NULL: swallowed */
	int (*write_fd)(struct chardev *chr);                            /* to poll; -1 */
	void (*accept_input)(struct chardev *chr);
	bool (*set_loop)(struct chardev *chr, struct loop *loop); /* false: main loop only */
	void (*send_break)(struct chardev *chr);
	bool (*set_params)(struct chardev *chr, const struct serial_params *params);
	bool (*get_modem)(struct chardev *chr, unsigned *tiocm);
	bool (*set_modem)(struct chardev *chr, unsigned tiocm);
	int (*take_fd)(struct chardev *chr);

	/* A device that serves several front ends (mux) keeps them itself. */
	bool (*add_frontend)(struct chardev *chr, struct chardev_frontend *fe, GError **errp);
	void (*remove_frontend)(struct chardev *chr, struct chardev_frontend *fe);
	void (*frontend_ready)(struct chardev *chr, struct chardev_frontend *fe);
	unsigned (*notify)(struct chardev_frontend *fe, void (*fn)(void *opaque), void *opaque);
	void (*cancel_notify)(struct chardev_frontend *fe, unsigned tag);
};

struct chardev {
	const struct chardev_type *type;
	char *id;
	char *filename; /* as query-chardev shows it */
	struct loop *loop;
	bool open;   /* connected: bytes written go somewhere */
	bool closed; /* chardev_cleanup_all() was here */
	struct chardev_frontend *fe;
	struct chardev *base; /* of a device made with mux=on: owned */
	bool busy;            /* the base of a mux: not for others */
	GMutex write_lock;
	int log_fd;
};

struct chardev_frontend {
	struct chardev *chr;
	struct chardev_handlers handlers;
	void *opaque;
	struct bottom_half *go_on; /* first reports the state that was found, then: more input */
	bool ready;                /* it has run once */
	bool guest_open;
	GSList *notifies; /* struct notify */
	unsigned last_tag;
};

/* All types, NULL-terminated (types.c). */
extern const struct chardev_type *const chardev_types[];
const struct chardev_type *chardev_type_find(const char *name, GError **errp);

extern const struct chardev_type chardev_file, chardev_mux, chardev_null, chardev_pipe, chardev_pty,
	chardev_ringbuf, chardev_serial, chardev_socket, chardev_stdio, chardev_udp;

/* Their options, for chardev-add's union. */
extern const struct field_set chardev_file_set, chardev_mux_set, chardev_null_set, chardev_pipe_set,
	chardev_pty_set, chardev_ringbuf_set, chardev_serial_set, chardev_socket_set,
	chardev_stdio_set, chardev_udp_set;

/* ---- For back ends ---- */

/* How many bytes the front end takes now; 0 without one. */
int chardev_room(struct chardev *chr);
void chardev_input(struct chardev *chr, const uint8_t *data, int len);

/* Opened or closed: remembers it and tells the front end. Other events are just passed on. */
void chardev_event(struct chardev *chr, enum chardev_event event);

/* The same for one front end of several. */
int frontend_room(const struct chardev_frontend *fe);
void frontend_event(struct chardev_frontend *fe, enum chardev_event event);

void frontend_drop_notifies(struct chardev_frontend *fe);

void chardev_set_alias(struct chardev *chr, const char *name);
void chardev_set_filename(struct chardev *chr, char *filename); /* takes it over */

/* From decoded options. @id was checked. NULL with an error. */
struct chardev *chardev_create(const char *id, const struct chardev_type *type, const void *options,
			       GError **errp);

/* Flat options -> a new options structure of the type's (options_free()). */
void *options_from_flat(const struct chardev_type *type, json_object *flat, GError **errp);
void options_free(const struct chardev_type *type, void *options);

/* The ring buffer commands. "Device 'x' not found" for other devices. */
bool ringbuf_put(struct chardev *chr, const uint8_t *data, int len, GError **errp);
GByteArray *ringbuf_take(struct chardev *chr, size_t max, GError **errp);

/* ---- A back end over descriptors: one to read, one to write, perhaps the same ---- */
struct fd_stream {
	struct chardev *chr;
	int in, out; /* owned; -1: none */
	struct fd_watch *watch;
	bool paused;
	void (*at_end)(
		struct chardev *chr); /* end of input; NULL: CHARDEV_CLOSED and nothing more */
};
void fd_stream_init(struct fd_stream *s, struct chardev *chr, int in, int out);
void fd_stream_close(struct fd_stream *s);
void fd_stream_start(struct fd_stream *s); /* begins to watch */
void fd_stream_stop(struct fd_stream *s);
void fd_stream_accept(struct fd_stream *s);
void fd_stream_move(struct fd_stream *s, struct loop *loop);
int fd_stream_write(struct fd_stream *s, const uint8_t *data, int len);

/* Raw mode of a terminal that is not the user's own: 8 bits, no translation. */
void tty_make_raw(int fd);

#endif
