/*
 * virtio-serial: the device and its ports, as its two files know each other.
 *
 * The device has queues, the control channel and a bus; ports plug into the bus and are what users name.
 * Which queues are a port's follows from its number: 0 and 1 for port 0, 2 and 3 are the control channel,
 * 2n + 2 and 2n + 3 for port n.
 */
#ifndef HW_CHAR_VIRTIO_SERIAL_H
#define HW_CHAR_VIRTIO_SERIAL_H

#include "abi/virtio-console.h"
#include "chardev/chardev.h"
#include "hw/virtio.h"

struct serial_port;

struct virtio_serial {
	struct virtio_device v;
	struct bus bus;
	struct virtqueue *control_in,
		*control_out;       /* as the driver sees them: in is to the driver */
	struct serial_port **ports; /* by number; NULL: no such port */
	bool driver_ready;
	GArray *pending; /* struct serial_message, for the driver, in order */

	/* Properties */
	uint32_t max_ports;
	bool emergency_write;
};

struct serial_message {
	uint32_t port;
	uint16_t event, value;
};

struct serial_port {
	struct device dev;
	struct virtio_serial *serial;
	struct virtqueue *in, *out; /* in: to the driver */
	struct chardev_frontend *fe;
	struct bottom_half *more;        /* goes on with output */
	unsigned waiting;                /* for room: the character device's tag; 0: not */
	struct virtio_chain *from_guest; /* being written out, `sent` bytes are */
	uint64_t sent;
	struct virtio_chain *to_guest; /* waits for input */
	bool guest_open, host_open;
	bool told_host_open; /* what the driver knows, for saved state */

	/* Properties */
	uint32_t number;
	char *name;
	struct chardev *chr;
};

extern const struct bus_type virtio_serial_bus_type;

/* ---- The device ---- */
bool virtio_serial_multiport(const struct virtio_serial *s);
/* Tells the driver, as soon as it has a buffer for it. */
void virtio_serial_send(struct virtio_serial *s, uint32_t port, uint16_t event, uint16_t value);

/* ---- Ports ---- */
bool serial_port_is_console(const struct serial_port *p);
/* The driver knows of it and is ready for it. */
void serial_port_introduce(struct serial_port *p);
void serial_port_guest_open(struct serial_port *p, bool open);
/* The driver gave buffers to fill; buffers to write out. */
void serial_port_input(struct serial_port *p);
void serial_port_output(struct serial_port *p);
void serial_port_reset(struct serial_port *p);
void serial_port_queue_reset(struct serial_port *p, struct virtqueue *q);
bool serial_port_restore(struct serial_port *p, GError **errp);
/* The one character of an emergency write. */
void serial_port_emergency(struct serial_port *p, uint8_t byte);
/* Gives all that waits in @q back unread. */
void serial_discard(struct virtqueue *q);

#endif
