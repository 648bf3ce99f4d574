/*
 * virtio-serial: the device. VIRTIO 1.2, 5.3.
 *
 * With MULTIPORT the driver learns of ports, and both sides tell each other who opened which, over a pair of
 * control queues. Without it there is only port 0, open whenever the driver runs. Messages for the driver wait
 * in a list until it provides buffers. The driver's own are taken all the same: Linux answers from within the
 * work that would give buffers back, and spins until its message is taken, so that waiting for buffers
 * would stop it for ever. A driver that asks and never listens fills the list, and then hears no more.
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/char/virtio-serial.h"

TRACE_DEFINE(virtio_serial_to_driver, "port %u event %u value %u");
TRACE_DEFINE(virtio_serial_from_driver, "port %u event %u value %u");
TRACE_DEFINE(guest_errors_virtio_serial, "event %u of port %u makes no sense");

#define QUEUE_SIZE         128
#define CONTROL_QUEUE_SIZE 32
#define PORTS_MAX          511
#define PENDING_MAX        4096 /* twice what 511 ports have to say */

static struct virtio_serial *serial_of(struct virtio_device *v)
{
	return container_of(v, struct virtio_serial, v);
}

static struct serial_port *port_at(const struct virtio_serial *s, uint32_t number)
{
	return number < s->max_ports ? s->ports[number] : NULL;
}

static struct serial_port *port_of_queue(const struct virtqueue *q)
{
	return port_at(serial_of(q->vdev), q->index < 2 ? 0 : q->index / 2 - 1);
}

bool virtio_serial_multiport(const struct virtio_serial *s)
{
	return virtio_has(&s->v, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* ---- Messages to the driver ---- */

static uint64_t put_message(struct virtio_serial *s, const struct serial_message *m,
			    struct virtio_chain *chain)
{
	struct serial_port *p = port_at(s, m->port);
	uint8_t bytes[VIRTIO_CONSOLE_CONTROL_SIZE];
	size_t len;

	trace(virtio_serial_to_driver, m->port, m->event, m->value);
	put_le32(bytes, m->port);
	put_le16(bytes + 4, m->event);
	put_le16(bytes + 6, m->value);
	len = virtio_chain_write(chain, 0, bytes, sizeof(bytes));
	/* The terminating zero goes along: drivers expect it. */
	if (m->event == VIRTIO_CONSOLE_PORT_NAME && p && p->name)
		len += virtio_chain_write(chain, len, p->name, strlen(p->name) + 1);
	return len;
}

static void flush_messages(struct virtio_serial *s)
{
	struct virtio_chain *chain;
	guint done = 0;

	while (done < s->pending->len && (chain = virtqueue_pop(s->control_in, sizeof(*chain)))) {
		const struct serial_message *m =
			&g_array_index(s->pending, struct serial_message, done++);

		virtqueue_push(chain, put_message(s, m, chain));
	}
	if (!done)
		return;
	g_array_remove_range(s->pending, 0, done);
	virtqueue_notify(s->control_in);
}

void virtio_serial_send(struct virtio_serial *s, uint32_t port, uint16_t event, uint16_t value)
{
	struct serial_message m = {port, event, value};

	/* Who is not there yet hears everything when it comes. */
	if (!virtio_serial_multiport(s) || !s->driver_ready || s->pending->len >= PENDING_MAX)
		return;
	g_array_append_val(s->pending, m);
	flush_messages(s);
}

/* ---- Messages from the driver ---- */

static void driver_ready(struct virtio_serial *s, bool ready)
{
	s->driver_ready = ready;
	for (uint32_t n = 0; ready && n < s->max_ports; n++) {
		if (s->ports[n])
			virtio_serial_send(s, n, VIRTIO_CONSOLE_DEVICE_ADD, 1);
	}
}

static void take_message(struct virtio_serial *s, const struct serial_message *m)
{
	struct serial_port *p = port_at(s, m->port);

	trace(virtio_serial_from_driver, m->port, m->event, m->value);
	if (m->event == VIRTIO_CONSOLE_DEVICE_READY)
		driver_ready(s, m->value);
	else if (p && m->event == VIRTIO_CONSOLE_PORT_READY && m->value)
		serial_port_introduce(p);
	else if (p && m->event == VIRTIO_CONSOLE_PORT_OPEN)
		serial_port_guest_open(p, m->value);
	else
		trace(guest_errors_virtio_serial, m->event, m->port);
}

static void control_from_driver(struct virtqueue *q)
{
	struct virtio_serial *s = serial_of(q->vdev);
	struct virtio_chain *chain;

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		uint8_t bytes[VIRTIO_CONSOLE_CONTROL_SIZE] = {0};
		size_t len = virtio_chain_read(chain, 0, bytes, sizeof(bytes));
		struct serial_message m = {get_le32(bytes), get_le16(bytes + 4),
					   get_le16(bytes + 6)};

		virtqueue_push(chain, 0);
		virtqueue_notify(q);
		if (len == sizeof(bytes))
			take_message(s, &m);
	}
}

static void control_to_driver(struct virtqueue *q)
{
	flush_messages(serial_of(q->vdev));
}

/* ---- Data ---- */

void serial_discard(struct virtqueue *q)
{
	struct virtio_chain *chain;

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		virtqueue_push(chain, 0);
		virtqueue_notify(q);
	}
}

static void data_to_driver(struct virtqueue *q)
{
	struct serial_port *p = port_of_queue(q);

	if (p)
		serial_port_input(p);
}

static void data_from_driver(struct virtqueue *q)
{
	struct serial_port *p = port_of_queue(q);

	if (p)
		serial_port_output(p);
	else
		serial_discard(q);
}

/* ---- The virtio device ---- */

static uint64_t serial_features(struct virtio_device *v)
{
	const struct virtio_serial *s = serial_of(v);

	return (s->max_ports > 1 ? BIT64(VIRTIO_CONSOLE_F_MULTIPORT) : 0) |
	       (s->emergency_write ? BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE) : 0);
}

static void serial_get_config(struct virtio_device *v, uint8_t *config)
{
	put_le32(config + VIRTIO_CONSOLE_MAX_PORTS, serial_of(v)->max_ports);
}

static void serial_set_config(struct virtio_device *v, const uint8_t *config)
{
	struct virtio_serial *s = serial_of(v);
	uint32_t byte = get_le32(config + VIRTIO_CONSOLE_EMERG_WRITE);

	if (!byte || !s->emergency_write)
		return;
	for (uint32_t n = 0; n < s->max_ports; n++) {
		struct serial_port *p = s->ports[n];

		if (!p || !p->host_open || !serial_port_is_console(p))
			continue;
		serial_port_emergency(p, byte);
		return;
	}
}

/* Drivers without MULTIPORT cannot say that they opened port 0. */
static void serial_started(struct virtio_device *v)
{
	struct virtio_serial *s = serial_of(v);

	if ((v->status & VIRTIO_STATUS_DRIVER_OK) && !virtio_serial_multiport(s) && s->ports[0])
		serial_port_guest_open(s->ports[0], true);
}

static void serial_reset(struct virtio_device *v)
{
	struct virtio_serial *s = serial_of(v);

	s->driver_ready = false;
	g_array_set_size(s->pending, 0);
	for (uint32_t n = 0; n < s->max_ports; n++) {
		if (s->ports[n])
			serial_port_reset(s->ports[n]);
	}
}

static void serial_queue_reset(struct virtqueue *q)
{
	struct serial_port *p = port_of_queue(q);

	if (q->index / 2 != 1 && p)
		serial_port_queue_reset(p, q);
}

static bool serial_check(const struct virtio_serial *s, GError **errp)
{
	if (!s->max_ports)
		error_set(errp, "Maximum number of serial ports not specified");
	else if (s->max_ports > PORTS_MAX)
		error_set(errp, "maximum ports supported: %u", PORTS_MAX);
	else
		return true;
	return false;
}

static bool serial_realize(struct device *dev, GError **errp)
{
	struct virtio_serial *s = serial_of(virtio_of(dev));
	g_autofree char *name = NULL;

	if (!serial_check(s, errp))
		return false;
	if (virtio_id(&s->v))
		name = g_strdup_printf("%s.0", virtio_id(&s->v));
	bus_init(&s->bus, &virtio_serial_bus_type, dev, name);
	s->ports = g_new0(struct serial_port *, s->max_ports);
	s->pending = g_array_new(false, false, sizeof(struct serial_message));
	virtio_add_queue(&s->v, QUEUE_SIZE, data_to_driver);
	virtio_add_queue(&s->v, QUEUE_SIZE, data_from_driver);
	s->control_in = virtio_add_queue(&s->v, CONTROL_QUEUE_SIZE, control_to_driver);
	s->control_out = virtio_add_queue(&s->v, CONTROL_QUEUE_SIZE, control_from_driver);
	for (uint32_t n = 1; n < s->max_ports; n++) {
		virtio_add_queue(&s->v, QUEUE_SIZE, data_to_driver);
		virtio_add_queue(&s->v, QUEUE_SIZE, data_from_driver);
	}
	return true;
}

static void serial_unrealize(struct device *dev)
{
	struct virtio_serial *s = serial_of(virtio_of(dev));

	g_clear_pointer(&s->ports, g_free);
	g_clear_pointer(&s->pending, g_array_unref);
}

static bool serial_post_load(struct device *dev, GError **errp)
{
	struct virtio_serial *s = serial_of(virtio_of(dev));

	if (s->pending->len > PENDING_MAX) {
		error_set(errp, "%u messages are too many", s->pending->len);
		return false;
	}
	/* The ports' rows are all loaded by now, wherever the ports are in the tree. */
	for (uint32_t n = 0; n < s->max_ports; n++) {
		if (s->ports[n] && !serial_port_restore(s->ports[n], errp))
			return false;
	}
	return true;
}

static const struct field serial_props[] = {
	PROP_UINT(struct virtio_serial, max_ports, "max_ports", 31, 0, "Ports it has room for"),
	PROP_BOOL(struct virtio_serial, emergency_write, "emergency-write", true,
		  "Offer to print single characters before anything is set up"),
	FIELD_ROW_END,
};

static const struct field message_rows[] = {
	SAVE_UINT(struct serial_message, port),
	SAVE_UINT(struct serial_message, event),
	SAVE_UINT(struct serial_message, value),
	FIELD_ROW_END,
};
static const struct field_set message_set = {"serial-message", sizeof(struct serial_message),
					     message_rows};
static const struct field message_elem = {
	.name = "message",
	.kind = FIELD_STRUCT,
	.width = sizeof(struct serial_message),
	.sub = &message_set,
};

static const struct field serial_state[] = {
	SAVE_BOOL(struct virtio_serial, driver_ready),
	{FIELD_AT(struct virtio_serial, pending, "pending", FIELD_LIST, sizeof(GArray *), ""),
	 .elem = &message_elem},
	FIELD_ROW_END,
};

static const struct virtio_info serial_info = {
	.id = VIRTIO_ID_CONSOLE,
	.config_size = VIRTIO_CONSOLE_CONFIG_SIZE,
	.features = serial_features,
	.get_config = serial_get_config,
	.set_config = serial_set_config,
	.started = serial_started,
	.reset = serial_reset,
	.queue_reset = serial_queue_reset,
};

const struct device_type virtio_serial_type = {
	.name = "virtio-serial-device",
	.help = "Serial ports and consoles by virtio",
	.base = &virtio_device_type,
	.category = CATEGORY_INPUT,
	.size = sizeof(struct virtio_serial),
	.flags = TYPE_USER_CREATABLE,
	.props = serial_props,
	.state = serial_state,
	.class_data = &serial_info,
	.realize = serial_realize,
	.unrealize = serial_unrealize,
	.post_load = serial_post_load,
};
