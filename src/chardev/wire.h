/*
 * Protocols between a socket and what a character device carries: telnet, WebSocket.
 *
 * A wire turns bytes of the peer into data and data into bytes for the peer. It does no I/O: whatever is
 * to be sent comes out in a byte array, which the socket sends as it can. Everything from the peer is
 * checked and nothing is kept beyond WIRE_KEEP_MAX bytes.
 */
#ifndef CHARDEV_WIRE_H
#define CHARDEV_WIRE_H

#include "base/common.h"

#define WIRE_KEEP_MAX 8192

struct wire;

/* What came of some of the peer's bytes. */
struct wire_result {
	GByteArray *data;   /* for the front end */
	GByteArray *answer; /* for the peer */
	unsigned breaks;    /* the peer pressed the break key so often */
	bool opened;        /* the handshake is done: the connection counts from now on */
	bool end;           /* after the answer the connection is to be closed */
};

struct wire_type {
	const char *name; /* of the option, and in file names: "telnet" */
	size_t size;      /* of the instance, which begins with struct wire; zeroed */
	bool handshake;   /* the peer has to speak first */
	/* The first bytes for the peer. NULL: none. */
	void (*begin)(struct wire *w, GByteArray *answer);
	void (*receive)(struct wire *w, const uint8_t *bytes, size_t len,
			struct wire_result *result);
	/* NULL: data is sent as it is. */
	void (*send)(struct wire *w, const uint8_t *data, size_t len, GByteArray *bytes);
	void (*destroy)(struct wire *w);
};

struct wire {
	const struct wire_type *type;
};

extern const struct wire_type wire_telnet, wire_websocket;

struct wire *wire_new(const struct wire_type *type);
void wire_free(struct wire *w);

#endif
