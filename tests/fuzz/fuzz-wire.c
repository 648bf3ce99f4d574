/*
 * The protocols between a socket and a character device: the first byte says which and how, the second how the
 * rest is cut into pieces; after each piece something is sent, too. The same bytes in one piece must give the same data.
 */
#include "src/chardev/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct wire *wire;
	struct wire_result result;
};

static void begin(struct run *r, const struct wire_type *type)
{
	*r = (struct run){.wire = wire_new(type)};
	r->result.data = g_byte_array_new();
	r->result.answer = g_byte_array_new();
	if (type->begin)
		type->begin(r->wire, r->result.answer);
}

/* A connection that is to end is fed no further. */
static void feed(struct run *r, const uint8_t *bytes, size_t len)
{
	if (!r->result.end)
		r->wire->type->receive(r->wire, bytes, len, &r->result);
}

static void end(struct run *r)
{
	wire_free(r->wire);
	g_byte_array_unref(r->result.data);
	g_byte_array_unref(r->result.answer);
}

static void feed_pieces(struct run *r, const uint8_t *data, size_t size, size_t piece, bool send)
{
	static const uint8_t text[] = {'x', 0xff, 0, '\n'};
	g_autoptr(GByteArray) sent = g_byte_array_new();

	while (size) {
		size_t part = MIN(size, piece);

		/* A copy of its own, so that reading past it is seen. */
		g_autofree uint8_t *copy = g_memdup2(data, part);

		feed(r, copy, part);
		if (send && r->wire->type->send)
			r->wire->type->send(r->wire, text, sizeof(text), sent);
		data += part;
		size -= part;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char upgrade[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
				      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
				      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
				      "Sec-WebSocket-Protocol: binary\r\n\r\n";
	struct run pieces, whole;
	const struct wire_type *type;

	if (size < 2)
		return 0;
	type = data[0] & 1 ? &wire_websocket : &wire_telnet;
	begin(&pieces, type);
	begin(&whole, type);
	if (data[0] & 2) {
		feed(&pieces, (const uint8_t *)upgrade, strlen(upgrade));
		feed(&whole, (const uint8_t *)upgrade, strlen(upgrade));
	}
	feed_pieces(&pieces, data + 2, size - 2, data[1] + 1, true);
	feed_pieces(&whole, data + 2, size - 2, size, false);
	/* An input ends where a fault is found: in pieces that is never later. */
	if (!whole.result.end && !pieces.result.end) {
		g_assert_cmpmem(pieces.result.data->data, pieces.result.data->len,
				whole.result.data->data, whole.result.data->len);
		g_assert_cmpuint(pieces.result.breaks, ==, whole.result.breaks);
	}
	end(&pieces);
	end(&whole);
	return 0;
}
