/*
 * WebSocket (RFC 6455), as a server that carries bytes: binary messages both ways.
 *
 * A message from the peer is passed on as it arrives, so its length does not matter. Only the header of
 * the HTTP request, the header of a frame, and a control frame (125 bytes at most) are gathered.
 */
#include <string.h>

#include "wire.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* section 1.3 */
#define KEY_LENGTH  24                                     /* 16 bytes in base64 */
#define CONTROL_MAX 125

enum opcode { OP_CONTINUE = 0, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum close_code { CLOSE_NORMAL = 1000, CLOSE_PROTOCOL = 1002, CLOSE_DATA = 1003 };

struct websocket {
	struct wire wire;
	bool open, closed;
	GByteArray *head;    /* what is gathered: request or frame header */
	GByteArray *control; /* payload of a control frame */
	uint8_t opcode;
	uint64_t left; /* of the frame's payload */
	uint8_t mask[4];
	unsigned mask_at;
	bool in_frame, in_message;
};

/* ---- The handshake (section 4.2) ---- */

/* A header's value, or NULL. @lines: the request's, without their ends. */
static const char *header(char **lines, const char *name)
{
	size_t len = strlen(name);

	for (char **line = lines + 1; *line; line++) {
		if (!g_ascii_strncasecmp(*line, name, len) && (*line)[len] == ':')
			return g_strstrip(*line + len + 1);
	}
	return NULL;
}

static bool has_token(const char *list, const char *token)
{
	g_auto(GStrv) parts = NULL;

	if (!list)
		return false;
	parts = g_strsplit(list, ",", 16);
	for (char **part = parts; *part; part++) {
		if (!g_ascii_strcasecmp(g_strstrip(*part), token))
			return true;
	}
	return false;
}

static char *accept_key(const char *key)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	uint8_t digest[20];
	gsize len = sizeof(digest);

	g_checksum_update(sum, (const guchar *)key, strlen(key));
	g_checksum_update(sum, (const guchar *)ACCEPT_GUID, strlen(ACCEPT_GUID));
	g_checksum_get_digest(sum, digest, &len);
	return g_base64_encode(digest, len);
}

static void put_text(GByteArray *out, const char *text)
{
	g_byte_array_append(out, (const guint8 *)text, strlen(text));
}

static const char *what_is_wrong(char **lines, const char *protocols)
{
	const char *key = header(lines, "Sec-WebSocket-Key");

	if (!g_str_has_prefix(lines[0], "GET ") || !g_str_has_suffix(lines[0], " HTTP/1.1"))
		return "Unsupported HTTP method or version";
	if (!header(lines, "Host"))
		return "Missing websocket host header";
	if (!has_token(header(lines, "Connection"), "upgrade") ||
	    !has_token(header(lines, "Upgrade"), "websocket"))
		return "No connection upgrade requested";
	if (g_strcmp0(header(lines, "Sec-WebSocket-Version"), "13") != 0)
		return "Version header is missing or not 13";
	if (!key || strlen(key) != KEY_LENGTH)
		return "Key header is missing or has not 24 characters";
	if (protocols && !has_token(protocols, "binary"))
		return "No 'binary' protocol is supported by the client";
	return NULL;
}

static void answer_request(struct websocket *ws, char *request, struct wire_result *result)
{
	g_auto(GStrv) lines = g_strsplit(request, "\r\n", 128);
	const char *protocols = lines[0] ? header(lines, "Sec-WebSocket-Protocol") : NULL;
	const char *wrong = lines[0] ? what_is_wrong(lines, protocols) : "Empty request";
	g_autofree char *accept = NULL;

	if (wrong) {
		put_text(result->answer, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
					 "Sec-WebSocket-Version: 13\r\n\r\n");
		result->end = true;
		return;
	}
	accept = accept_key(header(lines, "Sec-WebSocket-Key"));
	put_text(result->answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				 "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	put_text(result->answer, accept);
	put_text(result->answer,
		 protocols ? "\r\nSec-WebSocket-Protocol: binary\r\n\r\n" : "\r\n\r\n");
	ws->open = true;
	result->opened = true;
}

/* Gathers the request up to its empty line; returns how many of the bytes belonged to it. */
static size_t take_request(struct websocket *ws, const uint8_t *bytes, size_t len,
			   struct wire_result *result)
{
	size_t had = ws->head->len, room = WIRE_KEEP_MAX - had;
	const char *end;
	size_t used;
	g_autofree char *request = NULL;

	g_byte_array_append(ws->head, bytes, MIN(len, room));
	end = g_strstr_len((const char *)ws->head->data, ws->head->len, "\r\n\r\n");
	if (!end) {
		result->end = ws->head->len == WIRE_KEEP_MAX;
		return len;
	}
	used = end + 4 - (const char *)ws->head->data - had;
	request = g_strndup((const char *)ws->head->data, end - (const char *)ws->head->data);
	g_byte_array_set_size(ws->head, 0);
	answer_request(ws, request, result);
	return used;
}

/* ---- Frames (section 5.2) ---- */

static void put_frame(GByteArray *out, enum opcode opcode, const uint8_t *data, uint64_t len)
{
	uint8_t head[10] = {0x80 | opcode};
	unsigned size = 2;

	if (len < 126) {
		head[1] = len;
	} else if (len <= UINT16_MAX) {
		head[1] = 126;
		size = 4;
	} else {
		head[1] = 127;
		size = 10;
	}
	for (unsigned i = 2; i < size; i++)
		head[i] = len >> 8 * (size - 1 - i);
	g_byte_array_append(out, head, size);
	g_byte_array_append(out, data, len);
}

static void close_with(struct websocket *ws, enum close_code code, struct wire_result *result)
{
	uint8_t payload[2] = {code >> 8, code & 0xff};

	if (!ws->closed)
		put_frame(result->answer, OP_CLOSE, payload, sizeof(payload));
	ws->closed = result->end = true;
}

/* Of the header, as far as it is known from its first two bytes. */
static unsigned header_size(const uint8_t *head)
{
	unsigned len = head[1] & 0x7f;

	return 2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + 4;
}

static bool frame_is_legal(const struct websocket *ws, const uint8_t *head)
{
	bool fin = head[0] & 0x80;

	if ((head[0] & 0x70) || !(head[1] & 0x80)) /* reserved bits; clients mask */
		return false;
	switch (head[0] & 0xf) {
	case OP_CONTINUE:
		return ws->in_message;
	case OP_BINARY:
		return !ws->in_message;
	case OP_CLOSE:
	case OP_PING:
	case OP_PONG:
		return fin && (head[1] & 0x7f) <= CONTROL_MAX;
	default:
		return false;
	}
}

static void begin_frame(struct websocket *ws, const uint8_t *head)
{
	unsigned size = header_size(head) - 4, len = head[1] & 0x7f;

	ws->opcode = head[0] & 0xf;
	ws->left = len < 126 ? len : 0;
	for (unsigned i = 2; i < size; i++)
		ws->left = ws->left << 8 | head[i];
	memcpy(ws->mask, head + size, sizeof(ws->mask));
	ws->mask_at = 0;
	ws->in_frame = true;
	if (ws->opcode < OP_CLOSE)
		ws->in_message = !(head[0] & 0x80);
	g_byte_array_set_size(ws->control, 0);
}

static void end_frame(struct websocket *ws, struct wire_result *result)
{
	ws->in_frame = false;
	if (ws->opcode == OP_PING)
		put_frame(result->answer, OP_PONG, ws->control->data, ws->control->len);
	else if (ws->opcode == OP_CLOSE)
		close_with(ws, CLOSE_NORMAL, result);
}

static size_t take_header(struct websocket *ws, const uint8_t *bytes, size_t len,
			  struct wire_result *result)
{
	size_t wanted = ws->head->len < 2 ? 2 : header_size(ws->head->data);
	size_t part = MIN(len, wanted - ws->head->len);

	g_byte_array_append(ws->head, bytes, part);
	if (ws->head->len < 2)
		return part;
	if (!frame_is_legal(ws, ws->head->data)) {
		close_with(ws, (ws->head->data[0] & 0xf) == 1 ? CLOSE_DATA : CLOSE_PROTOCOL,
			   result);
	} else if (ws->head->len == header_size(ws->head->data)) {
		begin_frame(ws, ws->head->data);
		g_byte_array_set_size(ws->head, 0);
	}
	return part;
}

static size_t take_payload(struct websocket *ws, const uint8_t *bytes, size_t len,
			   struct wire_result *result)
{
	size_t part = MIN(len, ws->left);
	GByteArray *to = ws->opcode < OP_CLOSE ? result->data : ws->control;

	for (size_t i = 0; i < part; i++) {
		uint8_t byte = bytes[i] ^ ws->mask[ws->mask_at++ & 3];

		g_byte_array_append(to, &byte, 1);
	}
	ws->left -= part;
	return part;
}

static void websocket_receive(struct wire *w, const uint8_t *bytes, size_t len,
			      struct wire_result *result)
{
	struct websocket *ws = container_of(w, struct websocket, wire);

	if (!ws->head) {
		ws->head = g_byte_array_new();
		ws->control = g_byte_array_new();
	}
	while (len && !result->end) {
		size_t used;

		if (!ws->open)
			used = take_request(ws, bytes, len, result);
		else if (!ws->in_frame)
			used = take_header(ws, bytes, len, result);
		else
			used = take_payload(ws, bytes, len, result);
		bytes += used;
		len -= used;
		if (ws->in_frame && !ws->left)
			end_frame(ws, result);
	}
}

static void websocket_send(struct wire *w, const uint8_t *data, size_t len, GByteArray *bytes)
{
	put_frame(bytes, OP_BINARY, data, len);
}

static void websocket_destroy(struct wire *w)
{
	struct websocket *ws = container_of(w, struct websocket, wire);

	if (!ws->head)
		return;
	g_byte_array_unref(ws->head);
	g_byte_array_unref(ws->control);
}

const struct wire_type wire_websocket = {
	.name = "websocket",
	.size = sizeof(struct websocket),
	.handshake = true,
	.receive = websocket_receive,
	.send = websocket_send,
	.destroy = websocket_destroy,
};
