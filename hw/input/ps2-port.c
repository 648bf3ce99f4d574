/* The line of a PS/2 device: replies before events. See ps2.h. */
#include "hw/input/ps2.h"

bool ps2_waiting(const struct ps2_port *port)
{
	return port->reply_count || port->queue_count;
}

static void port_changed(struct ps2_port *port)
{
	if (port->update)
		port->update(port->opaque, ps2_waiting(port));
}

uint8_t ps2_fetch(struct ps2_port *port)
{
	uint8_t byte;

	if (port->reply_count) {
		byte = port->reply[port->reply_head];
		port->reply_head = (port->reply_head + 1) % PS2_REPLY;
		port->reply_count--;
	} else if (port->queue_count) {
		byte = port->queue[port->queue_head];
		port->queue_head = (port->queue_head + 1) % PS2_QUEUE;
		port->queue_count--;
	} else {
		/* Old software reads again and expects what it got. */
		return port->queue[(port->queue_head + PS2_QUEUE - 1) % PS2_QUEUE];
	}
	port_changed(port);
	return byte;
}

bool ps2_queue(struct ps2_port *port, const uint8_t *bytes, unsigned len)
{
	if (port->queue_count + len > PS2_QUEUE)
		return false;
	for (unsigned i = 0; i < len; i++)
		port->queue[(port->queue_head + port->queue_count++) % PS2_QUEUE] = bytes[i];
	port_changed(port);
	return true;
}

void ps2_reply(struct ps2_port *port, const uint8_t *bytes, unsigned len)
{
	g_assert(len <= PS2_REPLY);
	memcpy(port->reply, bytes, len);
	port->reply_head = 0;
	port->reply_count = len;
	port_changed(port);
}

void ps2_clear(struct ps2_port *port)
{
	port->reply_count = port->queue_count = 0;
	port_changed(port);
}

bool ps2_port_valid(const struct ps2_port *port)
{
	return port->reply_count <= PS2_REPLY && port->reply_head < PS2_REPLY &&
	       port->queue_count <= PS2_QUEUE && port->queue_head < PS2_QUEUE;
}
