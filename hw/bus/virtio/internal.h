/* What the files of the virtio core share. */
#ifndef HW_BUS_VIRTIO_INTERNAL_H
#define HW_BUS_VIRTIO_INTERNAL_H

#include "hw/virtio/transport.h"

/* One format of rings. All but layout() are called with the ring mapped. */
struct ring_ops {
	/* Bytes of an area, its alignment, and whether we write it. */
	uint64_t (*area)(const struct virtqueue *q, unsigned area, unsigned *align, bool *is_write);
	bool (*empty)(struct virtqueue *q);
	/* Puts the next chain's buffers into q->pieces; the count of 0 with a false result is empty. */
	bool (*fetch)(struct virtqueue *q, uint16_t *id, uint16_t *slots);
	/* Moves past, or back before, a chain of @slots. */
	void (*advance)(struct virtqueue *q, uint16_t slots);
	void (*retreat)(struct virtqueue *q, uint16_t slots);
	void (*put_used)(struct virtqueue *q, const struct virtio_chain *chain, uint32_t written);
	bool (*wants_interrupt)(struct virtqueue *q);
	void (*set_kicks)(struct virtqueue *q, bool on);
};
extern const struct ring_ops split_ring, packed_ring;

/* feature.c */
void virtio_make_offer(struct virtio_device *v);
bool virtio_features_ok(struct virtio_device *v);

/* device.c */
void virtio_raise_isr(struct virtio_device *v, uint8_t bits, uint16_t vector);

/* Of both transports' buses: nothing of @dev runs any more when its own unrealize() begins. */
void virtio_bus_unplug(struct bus *bus, struct device *dev);

/* queue.c */
void virtqueue_free(struct virtqueue *q);

/* A kick has arrived on the queue's loop; the handler runs if the queue may. */
void virtqueue_kicked(struct virtqueue *q);
void virtqueue_run(struct virtqueue *q);

/* iothread.c. watch and unwatch: with the device held. */
void virtqueue_free_remote(struct virtqueue *q);
void virtqueue_watch(struct virtqueue *q);
void virtqueue_unwatch(struct virtqueue *q);

/* map.c: @len bytes at @offset of a mapped area. */
bool virtqueue_map(struct virtqueue *q);
void virtqueue_unmap(struct virtqueue *q);
void virtio_memory_init(struct virtio_device *v);
static inline uint8_t *ring_at(const struct virtqueue *q, unsigned area, uint64_t offset)
{
	return (uint8_t *)q->map[area].host + offset;
}
uint16_t ring_load16(const struct virtqueue *q, unsigned area, uint64_t offset);
/* Everything written before is seen before it. */
void ring_store16(const struct virtqueue *q, unsigned area, uint64_t offset, uint16_t value);
void ring_store64(const struct virtqueue *q, unsigned area, uint64_t offset, uint64_t value);

/* chain.c */
bool chain_add(struct virtqueue *q, uint64_t addr, uint32_t len, bool is_write);
void chain_abort(struct virtqueue *q);
struct virtio_chain *chain_make(struct virtqueue *q, size_t size);
void chain_free(struct virtio_chain *chain, uint64_t written);
/* Reads a table of descriptors from guest memory: as_map() of all of it, or NULL after a fault. */
const uint8_t *chain_map_table(struct virtqueue *q, uint64_t addr, uint32_t len,
			       struct as_mapping *map);

/* doorbell.c */
void virtio_doorbells_start(struct virtio_device *v);
void virtio_doorbells_stop(struct virtio_device *v);
void virtqueue_doorbell_start(struct virtqueue *q);
void virtqueue_doorbell_stop(struct virtqueue *q);

/* save.c */
extern const struct field virtio_state[];
void virtio_pre_save(struct device *dev);
bool virtio_post_load(struct device *dev, GError **errp);

/* EVENT_IDX: whether @event was passed on the way from @old to @new (VIRTIO 1.2, 2.7.7.2). */
static inline bool ring_event_passed(uint16_t event, uint16_t new, uint16_t old)
{
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

#endif
