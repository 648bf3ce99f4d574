/*
 * Telnet (RFC 854, 855, 856, 857, 858), as a server that wants single characters, all 8 bits of them, and
 * echoes itself. Whatever the peer says about options is let pass; its break key is a break.
 */
#include "wire.h"

enum { SE = 240, BREAK = 243, SB = 250, WILL = 251, WONT, DO, DONT, IAC = 255 };
enum { OPTION_BINARY = 0, OPTION_ECHO = 1, OPTION_NO_GO_AHEAD = 3 };

enum state { STATE_DATA, STATE_COMMAND, STATE_OPTION, STATE_SUB, STATE_SUB_COMMAND };

struct telnet {
	struct wire wire;
	enum state state;
};

static void telnet_begin(struct wire *w, GByteArray *answer)
{
	static const uint8_t wishes[] = {IAC, WILL, OPTION_ECHO,   IAC, WILL, OPTION_NO_GO_AHEAD,
					 IAC, WILL, OPTION_BINARY, IAC, DO,   OPTION_BINARY};

	g_byte_array_append(answer, wishes, sizeof(wishes));
}

static enum state command(uint8_t byte, struct wire_result *result)
{
	switch (byte) {
	case IAC:
		g_byte_array_append(result->data, &byte, 1);
		return STATE_DATA;
	case BREAK:
		result->breaks++;
		return STATE_DATA;
	case SB:
		return STATE_SUB;
	case WILL:
	case WONT:
	case DO:
	case DONT:
		return STATE_OPTION;
	default:
		return STATE_DATA;
	}
}

static enum state next(enum state state, uint8_t byte, struct wire_result *result)
{
	switch (state) {
	case STATE_COMMAND:
		return command(byte, result);
	case STATE_OPTION:
		return STATE_DATA;
	case STATE_SUB:
		return byte == IAC ? STATE_SUB_COMMAND : STATE_SUB;
	case STATE_SUB_COMMAND:
		return byte == SE ? STATE_DATA : STATE_SUB;
	default:
		if (byte == IAC)
			return STATE_COMMAND;
		g_byte_array_append(result->data, &byte, 1);
		return STATE_DATA;
	}
}

static void telnet_receive(struct wire *w, const uint8_t *bytes, size_t len,
			   struct wire_result *result)
{
	struct telnet *t = container_of(w, struct telnet, wire);

	for (size_t i = 0; i < len; i++)
		t->state = next(t->state, bytes[i], result);
}

const struct wire_type wire_telnet = {
	.name = "telnet",
	.size = sizeof(struct telnet),
	.begin = telnet_begin,
	.receive = telnet_receive,
};

/* ---- What all have ---- */

struct wire *wire_new(const struct wire_type *type)
{
	struct wire *w = g_malloc0(type->size);

	w->type = type;
	return w;
}

void wire_free(struct wire *w)
{
	if (w && w->type->destroy)
		w->type->destroy(w);
	g_free(w);
}
