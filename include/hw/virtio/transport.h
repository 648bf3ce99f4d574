/*
 * Virtio transports: what is between a driver's registers and a virtio device. Source: VIRTIO 1.2, 4.
 *
 * A transport embeds struct virtio_transport, whose bus takes one device. Register accesses, under the
 * machine lock, become calls of the functions below; the core calls back through the operations.
 */
#ifndef HW_VIRTIO_TRANSPORT_H
#define HW_VIRTIO_TRANSPORT_H

#include "hw/virtio.h"

struct virtio_transport_ops {
	/* The device is complete: queues, features and configuration size are known. False: refused. */
	bool (*plugged)(struct virtio_transport *t, GError **errp);
	void (*unplugged)(struct virtio_transport *t);
	/* Interrupts by @vector (which may be none); v->isr says why. Any thread. */
	void (*notify)(struct virtio_transport *t, uint16_t vector);
	/* v->isr went to 0: a line that shows it goes low. */
	void (*quiet)(struct virtio_transport *t);
	/* It may read and write memory now. NULL: always. */
	bool (*can_dma)(const struct virtio_transport *t);
	/* The driver runs the device, or not any more: between the two there are kicks and interrupts that
	 * other threads see to. NULL: nothing to do. */
	void (*running)(struct virtio_transport *t, bool running);
	/* Connects q->kick to the kick registers of the queue, or disconnects it. */
	void (*doorbell)(struct virtio_transport *t, struct virtqueue *q, bool on);
};

struct virtio_transport {
	const struct virtio_transport_ops *ops;
	struct bus bus;
	struct virtio_device *vdev; /* NULL: empty */
	struct address_space *dma;
	bool modern, legacy; /* the interfaces it has */
	bool ioeventfd;      /* kicks go through eventfds */

	/* Selectors, as registers */
	uint32_t device_feature_select, driver_feature_select;
	uint16_t queue_select;
};

extern const struct bus_type virtio_pci_bus_type, virtio_mmio_bus_type;
extern const struct field_set virtio_transport_state;

/* ---- Features and status ---- */

/* 32 bits of what is offered, by the modern or the legacy interface. */
uint32_t virtio_offered(const struct virtio_device *v, unsigned select);
uint32_t virtio_offered_legacy(const struct virtio_device *v);
/* The driver writes 32 bits of what it accepts; ignored once they are final. */
void virtio_accept(struct virtio_device *v, unsigned select, uint32_t bits);
void virtio_accept_legacy(struct virtio_device *v, uint32_t bits);

/* The driver writes the status register: 0 resets. */
void virtio_set_status(struct virtio_device *v, uint8_t status, bool legacy);
void virtio_reset(struct virtio_device *v);
/* The transport may not reach memory, or may again. */
void virtio_set_disabled(struct virtio_device *v, bool disabled);

/* Reads and clears the interrupt status. */
uint8_t virtio_take_isr(struct virtio_device *v, uint8_t mask);

/* ---- Configuration space, @size bytes (1, 2, 4) at @offset; all ones beyond its end ---- */
uint32_t virtio_config_read(struct virtio_device *v, uint64_t offset, unsigned size);
void virtio_config_write(struct virtio_device *v, uint64_t offset, uint32_t value, unsigned size);

/* ---- Queues ---- */

struct virtqueue *virtio_selected(const struct virtio_transport *t);
void virtqueue_set_size(struct virtqueue *q, uint32_t size);
/* One half (0 low, 1 high) of the address of an area. Ignored while enabled. */
void virtqueue_set_addr(struct virtqueue *q, unsigned area, unsigned half, uint32_t value);
void virtqueue_enable(struct virtqueue *q);
/* MMIO's QueueReady := 0: the ring starts anew when it is enabled again. */
void virtqueue_disable(struct virtqueue *q);
/* Legacy: all areas follow from the first and the alignment of the used ring; 0 disables. */
void virtqueue_set_legacy(struct virtqueue *q, uint64_t addr, uint64_t align);
void virtqueue_reset(struct virtqueue *q);
/* The driver says RING_RESET for the queue. */
void virtqueue_driver_reset(struct virtqueue *q);

/* The driver kicks. @data: as written to a modern register, with or without NOTIFICATION_DATA. */
void virtio_kick(struct virtio_device *v, unsigned index);

#endif
