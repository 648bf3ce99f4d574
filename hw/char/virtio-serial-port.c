/*
 * Ports of virtio-serial: virtserialport, a byte stream with a name, and virtconsole, a terminal.
 *
 * Towards the guest, a buffer of its own is held ready: its size is what the character device may deliver.
 * From the guest, a buffer that the character device does not take at once is kept until there is room, and the
 * guest's writer waits. A console does not wait, because Linux spins with a lock held until its buffer
 * comes back: what does not fit is lost.
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/char/virtio-serial.h"
#include "hw/events.h"

TRACE_DEFINE(virtio_port_open, "port %u: %s opened %d");
TRACE_DEFINE(virtio_port_lost, "port %u: %" PRIu64 " bytes for nobody");

/* Written out in one go; others want their turn too. */
#define TURN_BYTES (256 * KIB)
#define PORT_AUTO  UINT32_MAX

static struct serial_port *port_of(struct device *dev)
{
	return container_of(dev, struct serial_port, dev);
}

/* class_data of the two types. */
struct port_kind {
	bool console;
};

bool serial_port_is_console(const struct serial_port *p)
{
	return ((const struct port_kind *)device_type_class_data(p->dev.type))->console;
}

/* ---- Open and closed ---- */

void serial_port_guest_open(struct serial_port *p, bool open)
{
	if (p->guest_open == open)
		return;
	trace(virtio_port_open, p->number, "guest", open);
	p->guest_open = open;
	if (p->fe) {
		chardev_set_open(p->fe, open);
		chardev_accept_input(p->fe);
	}
	if (p->dev.id && !serial_port_is_console(p))
		hw_event_vserport_change(p->dev.id, open);
}

static void host_open(struct serial_port *p, bool open)
{
	if (p->host_open == open)
		return;
	trace(virtio_port_open, p->number, "host", open);
	p->host_open = p->told_host_open = open;
	virtio_serial_send(p->serial, p->number, VIRTIO_CONSOLE_PORT_OPEN, open);
	serial_port_output(p);
}

void serial_port_introduce(struct serial_port *p)
{
	struct virtio_serial *s = p->serial;

	if (serial_port_is_console(p))
		virtio_serial_send(s, p->number, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	if (p->name)
		virtio_serial_send(s, p->number, VIRTIO_CONSOLE_PORT_NAME, 1);
	if (p->host_open)
		virtio_serial_send(s, p->number, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

/* ---- From the guest ---- */

static void stop_waiting(struct serial_port *p)
{
	if (p->waiting)
		chardev_cancel_notify(p->fe, p->waiting);
	p->waiting = 0;
}

static void room(void *opaque)
{
	struct serial_port *p = opaque;

	p->waiting = 0;
	serial_port_output(p);
}

static void output_more(void *opaque)
{
	serial_port_output(opaque);
}

/* Bytes of the piece at `sent`. */
static size_t next_piece(const struct serial_port *p, const uint8_t **data)
{
	const struct virtio_chain *c = p->from_guest;
	uint64_t offset = p->sent;

	for (unsigned i = 0; i < c->out_count; i++) {
		if (offset < c->out[i].iov_len) {
			*data = (const uint8_t *)c->out[i].iov_base + offset;
			return MIN(c->out[i].iov_len - offset, TURN_BYTES);
		}
		offset -= c->out[i].iov_len;
	}
	return 0;
}

/* After a write that did not take all: true if the rest is kept for later. */
static bool wait_for_room(struct serial_port *p, int written, int error)
{
	if (!serial_port_is_console(p) && (written >= 0 || error == EAGAIN))
		p->waiting = chardev_notify_writable(p->fe, room, p);
	return p->waiting;
}

/* Writes the buffer out; false if it has to wait. */
static bool send_buffer(struct serial_port *p, size_t *budget)
{
	const uint8_t *data;
	size_t len;

	while ((len = next_piece(p, &data))) {
		int written = p->fe ? chardev_write(p->fe, data, len) : (int)len;

		p->sent += MAX(written, 0);
		if (written < (int)len && wait_for_room(p, written, errno))
			return false;
		if (written < (int)len) {
			trace(virtio_port_lost, p->number,
			      (uint64_t)(p->from_guest->out_size - p->sent));
			return true;
		}
		*budget -= MIN(*budget, len);
		if (!*budget) {
			bh_schedule(p->more);
			return false;
		}
	}
	return true;
}

static void buffer_done(struct serial_port *p)
{
	p->sent = 0;
	virtqueue_push(g_steal_pointer(&p->from_guest), 0);
	virtqueue_notify(p->out);
}

void serial_port_output(struct serial_port *p)
{
	size_t budget = TURN_BYTES;

	if (!p->host_open) {
		stop_waiting(p);
		if (p->from_guest)
			buffer_done(p);
		serial_discard(p->out);
		return;
	}
	while (!p->waiting && virtqueue_ready(p->out)) {
		if (!p->from_guest)
			p->from_guest = virtqueue_pop(p->out, sizeof(*p->from_guest));
		if (!p->from_guest || !send_buffer(p, &budget))
			return;
		buffer_done(p);
	}
}

void serial_port_emergency(struct serial_port *p, uint8_t byte)
{
	if (p->fe)
		chardev_write_all(p->fe, &byte, 1);
}

/* ---- To the guest ---- */

void serial_port_input(struct serial_port *p)
{
	if (p->fe)
		chardev_accept_input(p->fe);
}

static int port_can_receive(void *opaque)
{
	struct serial_port *p = opaque;

	if (!virtqueue_ready(p->in) || (virtio_serial_multiport(p->serial) && !p->guest_open))
		return 0;
	while (!p->to_guest && (p->to_guest = virtqueue_pop(p->in, sizeof(*p->to_guest)))) {
		if (p->to_guest->in_size)
			break;
		virtqueue_push(g_steal_pointer(&p->to_guest), 0);
		virtqueue_notify(p->in);
	}
	return p->to_guest ? MIN(p->to_guest->in_size, TURN_BYTES) : 0;
}

static void port_receive(void *opaque, const uint8_t *data, int len)
{
	struct serial_port *p = opaque;
	size_t written;

	if (!p->to_guest)
		return;
	written = virtio_chain_write(p->to_guest, 0, data, len);
	virtqueue_push(g_steal_pointer(&p->to_guest), written);
	virtqueue_notify(p->in);
}

static void port_event(void *opaque, enum chardev_event event)
{
	if (event == CHARDEV_OPENED || event == CHARDEV_CLOSED)
		host_open(opaque, event == CHARDEV_OPENED);
}

/* ---- Reset and state ---- */

void serial_port_queue_reset(struct serial_port *p, struct virtqueue *q)
{
	if (q == p->in)
		g_clear_pointer(&p->to_guest, virtqueue_drop);
	if (q != p->out)
		return;
	stop_waiting(p);
	bh_cancel(p->more);
	p->sent = 0;
	g_clear_pointer(&p->from_guest, virtqueue_drop);
}

void serial_port_reset(struct serial_port *p)
{
	serial_port_queue_reset(p, p->in);
	serial_port_queue_reset(p, p->out);
	serial_port_guest_open(p, false);
}

bool serial_port_restore(struct serial_port *p, GError **errp)
{
	struct virtio_device *v = &p->serial->v;
	bool told = p->told_host_open;

	if (!virtio_chain_restore(v, &p->from_guest, errp) ||
	    !virtio_chain_restore(v, &p->to_guest, errp))
		return false;
	if ((p->from_guest &&
	     (p->from_guest->queue != p->out || p->sent > p->from_guest->out_size)) ||
	    (p->to_guest && p->to_guest->queue != p->in)) {
		error_set(errp,
			  "A buffer of port %u is not of its queues, or %" PRIu64
			  " bytes of it are sent",
			  p->number, p->sent);
		return false;
	}
	if (p->fe) {
		chardev_set_open(p->fe, p->guest_open);
		chardev_accept_input(p->fe);
	}
	p->told_host_open = p->host_open;
	if (told != p->host_open)
		virtio_serial_send(p->serial, p->number, VIRTIO_CONSOLE_PORT_OPEN, p->host_open);
	bh_schedule(p->more);
	return true;
}

/* ---- The bus ---- */

static uint32_t free_number(const struct virtio_serial *s, const struct serial_port *p)
{
	uint32_t n = 1;

	/* Port 0 is the one that drivers without MULTIPORT have. */
	if (serial_port_is_console(p) && !s->ports[0])
		return 0;
	while (n < s->max_ports && s->ports[n])
		n++;
	return n;
}

static bool name_is_free(const struct virtio_serial *s, const char *name, GError **errp)
{
	for (uint32_t n = 0; name && n < s->max_ports; n++) {
		if (!s->ports[n] || g_strcmp0(s->ports[n]->name, name))
			continue;
		error_set(errp, "virtio-serial-bus: A port already exists by name %s", name);
		return false;
	}
	return true;
}

static bool bus_plug_port(struct bus *bus, struct device *dev, GError **errp)
{
	struct virtio_serial *s = container_of(bus, struct virtio_serial, bus);
	struct serial_port *p = port_of(dev);

	if (!p->number && !serial_port_is_console(p)) {
		error_set(errp, "Port number 0 on virtio-serial devices reserved for virtconsole "
				"devices for backward compatibility.");
		return false;
	}
	if (!name_is_free(s, p->name, errp))
		return false;
	if (p->number == PORT_AUTO)
		p->number = free_number(s, p);
	if (p->number >= s->max_ports) {
		error_set(errp,
			  "virtio-serial-bus: Out-of-range port id specified, max. allowed: %u",
			  s->max_ports - 1);
		return false;
	}
	if (s->ports[p->number]) {
		error_set(errp, "virtio-serial-bus: A port already exists at id %u", p->number);
		return false;
	}
	p->serial = s;
	p->in = virtio_queue(&s->v, p->number ? 2 * p->number + 2 : 0);
	p->out = virtio_queue(&s->v, p->in->index + 1);
	s->ports[p->number] = p;
	return true;
}

static void bus_unplug_port(struct bus *bus, struct device *dev)
{
	struct virtio_serial *s = container_of(bus, struct virtio_serial, bus);

	if (s->ports)
		s->ports[port_of(dev)->number] = NULL;
}

static char *port_path(struct device *dev)
{
	return g_strdup_printf("port%u", port_of(dev)->number);
}

const struct bus_type virtio_serial_bus_type = {
	.kind = "virtio-serial-bus",
	.help = "The ports of a virtio-serial device",
	.plug = bus_plug_port,
	.unplug = bus_unplug_port,
	.dev_path = port_path,
	.hotplug = true,
};

/* ---- Life ---- */

static bool port_attach(struct serial_port *p, GError **errp)
{
	bool console = serial_port_is_console(p);
	const struct chardev_handlers handlers = {
		.can_receive = port_can_receive,
		.receive = port_receive,
		.event = console ? NULL : port_event,
	};

	p->fe = chardev_attach(p->chr, &handlers, p, NULL, errp);
	if (!p->fe)
		return false;
	/* A terminal that nobody looks at is written to all the same. */
	if (console)
		p->host_open = p->told_host_open = true;
	chardev_set_open(p->fe, false);
	return true;
}

static bool port_realize(struct device *dev, GError **errp)
{
	struct serial_port *p = port_of(dev);

	p->more = bh_new(loop_main(), output_more, p);
	if (p->chr && !port_attach(p, errp)) {
		g_clear_pointer(&p->more, bh_free);
		return false;
	}
	virtio_serial_send(p->serial, p->number, VIRTIO_CONSOLE_DEVICE_ADD, 1);
	if (!virtio_serial_multiport(p->serial) && !p->number &&
	    (p->serial->v.status & VIRTIO_STATUS_DRIVER_OK))
		serial_port_guest_open(p, true);
	return true;
}

static void port_unrealize(struct device *dev)
{
	struct serial_port *p = port_of(dev);

	virtio_serial_send(p->serial, p->number, VIRTIO_CONSOLE_DEVICE_REMOVE, 1);
	stop_waiting(p);
	p->host_open = false;
	/* The driver takes back what it made available and is not used, from the end. */
	g_clear_pointer(&p->to_guest, virtqueue_unpop);
	serial_port_output(p);
	g_clear_pointer(&p->fe, chardev_detach);
	g_clear_pointer(&p->more, bh_free);
}

static const struct field port_props[] = {
	PROP_UINT(struct serial_port, number, "nr", PORT_AUTO, 0,
		  "Number of the port; unset: the first that is free"),
	PROP_STRING(struct serial_port, name, "name", NULL, "Name by which the guest finds it"),
	PROP_LINK(struct serial_port, chr, "chardev", &chardev_link, "Character device behind it"),
	FIELD_ROW_END,
};

static const struct field port_state[] = {
	SAVE_BOOL(struct serial_port, guest_open),
	SAVE_BOOL(struct serial_port, told_host_open),
	SAVE_UINT(struct serial_port, sent),
	SAVE_CUSTOM(struct serial_port, from_guest, &virtio_chain_custom),
	SAVE_CUSTOM(struct serial_port, to_guest, &virtio_chain_custom),
	FIELD_ROW_END,
};

const struct device_type virtio_serial_port_type = {
	.name = "virtio-serial-port",
	.help = "A port of a virtio-serial device",
	.bus = "virtio-serial-bus",
	.category = CATEGORY_INPUT,
	.size = sizeof(struct serial_port),
	.flags = TYPE_ABSTRACT,
	.props = port_props,
	.state = port_state,
	.realize = port_realize,
	.unrealize = port_unrealize,
};

static const struct port_kind console_kind = {.console = true};
static const struct port_kind plain_kind = {.console = false};

const struct device_type virtserialport_type = {
	.name = "virtserialport",
	.help = "A byte stream between guest and host",
	.base = &virtio_serial_port_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct serial_port),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &plain_kind,
};

const struct device_type virtconsole_type = {
	.name = "virtconsole",
	.help = "A terminal of the guest",
	.base = &virtio_serial_port_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct serial_port),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &console_kind,
};
