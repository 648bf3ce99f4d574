/*
 * Split rings: VIRTIO 1.2, 2.7.
 *
 * Indices run freely through 16 bits and are taken modulo the queue's size, a power of two. The driver
 * can be ahead of us by the size at most. Everything in guest memory is read once.
 */
#include "base/checked.h"
#include "internal.h"

static uint64_t split_area(const struct virtqueue *q, unsigned area, unsigned *align,
			   bool *is_write)
{
	static const unsigned aligns[] = {16, 2, 4};
	const uint64_t sizes[] = {
		[RING_DESC] = VRING_DESC_SIZE * (uint64_t)q->size,
		[RING_DRIVER] = VRING_AVAIL_SIZE(q->size),
		[RING_DEVICE] = VRING_USED_SIZE(q->size),
	};

	*align = aligns[area];
	*is_write = area == RING_DEVICE;
	return sizes[area];
}

static uint16_t avail_idx(const struct virtqueue *q)
{
	return ring_load16(q, RING_DRIVER, VRING_AVAIL_IDX);
}

static bool split_empty(struct virtqueue *q)
{
	return avail_idx(q) == q->next_avail;
}

/* The event fields lie behind the rings. */
static uint16_t used_event(const struct virtqueue *q)
{
	return ring_load16(q, RING_DRIVER, VRING_AVAIL_RING + 2 * (uint64_t)q->size);
}

static void set_avail_event(const struct virtqueue *q, uint16_t value)
{
	ring_store16(q, RING_DEVICE, VRING_USED_RING + 8 * (uint64_t)q->size, value);
}

/* ---- Reading chains ---- */

/* A table of descriptors: the ring's own, or an indirect one. */
struct table {
	const uint8_t *host;
	unsigned count;
	bool indirect;
};

static struct vring_desc read_desc(const struct table *t, unsigned i)
{
	struct vring_desc d;

	memcpy(&d, t->host + i * VRING_DESC_SIZE, sizeof(d));
	return (struct vring_desc){
		GUINT64_FROM_LE(d.addr),
		GUINT32_FROM_LE(d.len),
		GUINT16_FROM_LE(d.flags),
		GUINT16_FROM_LE(d.next),
	};
}

static bool walk(struct virtqueue *q, const struct table *t, unsigned i);

static bool walk_indirect(struct virtqueue *q, const struct table *outer,
			  const struct vring_desc *d)
{
	struct as_mapping map;
	struct table table = {.count = d->len / VRING_DESC_SIZE, .indirect = true};
	bool ok;

	if (outer->indirect || (d->flags & VRING_DESC_NEXT)) {
		virtio_fault(q->vdev, "queue %u: an indirect descriptor %s", q->index,
			     outer->indirect ? "in an indirect table" : "with a next one");
		return false;
	}
	table.host = chain_map_table(q, d->addr, d->len, &map);
	if (!table.host)
		return false;
	ok = walk(q, &table, 0);
	as_unmap(&map, 0);
	return ok;
}

/* No chain is longer than its table, so a longer one is a loop. */
static bool walk(struct virtqueue *q, const struct table *t, unsigned i)
{
	for (unsigned n = 0; n < t->count; n++) {
		struct vring_desc d;

		if (i >= t->count) {
			virtio_fault(q->vdev, "queue %u: descriptor %u of %u", q->index, i,
				     t->count);
			return false;
		}
		d = read_desc(t, i);
		if (d.flags & VRING_DESC_INDIRECT)
			return walk_indirect(q, t, &d);
		if (!chain_add(q, d.addr, d.len, d.flags & VRING_DESC_WRITE))
			return false;
		if (!(d.flags & VRING_DESC_NEXT))
			return true;
		i = d.next;
	}
	virtio_fault(q->vdev, "queue %u: a chain that never ends", q->index);
	return false;
}

static bool split_fetch(struct virtqueue *q, uint16_t *id, uint16_t *slots)
{
	uint16_t ahead = avail_idx(q) - q->next_avail;
	struct table table = {.host = ring_at(q, RING_DESC, 0), .count = q->size};

	if (ahead > q->size) {
		virtio_fault(q->vdev, "queue %u: %u chains available in a ring of %u", q->index,
			     ahead, q->size);
		return false;
	}
	*id = ring_load16(q, RING_DRIVER, VRING_AVAIL_RING + 2 * (q->next_avail % q->size));
	*slots = 1;
	return walk(q, &table, *id);
}

static void split_advance(struct virtqueue *q, uint16_t slots)
{
	q->next_avail += slots;
	if (!q->no_kicks && virtio_has(q->vdev, VIRTIO_F_EVENT_IDX))
		set_avail_event(q, q->next_avail);
}

static void split_retreat(struct virtqueue *q, uint16_t slots)
{
	q->next_avail -= slots;
}

/* ---- Giving back ---- */

static void split_put_used(struct virtqueue *q, const struct virtio_chain *chain, uint32_t written)
{
	uint64_t at = VRING_USED_RING + 8 * (uint64_t)(q->next_used % q->size);

	ring_store64(q, RING_DEVICE, at, (uint64_t)written << 32 | chain->id);
	q->next_used++;
	ring_store16(q, RING_DEVICE, VRING_USED_IDX, q->next_used);
}

static bool split_wants_interrupt(struct virtqueue *q)
{
	uint16_t old = q->signalled;
	bool valid = q->signalled_valid;

	if (!virtio_has(q->vdev, VIRTIO_F_EVENT_IDX))
		return !(ring_load16(q, RING_DRIVER, VRING_AVAIL_FLAGS) & VRING_NO_INTERRUPT);
	q->signalled = q->next_used;
	q->signalled_valid = true;
	return !valid || ring_event_passed(used_event(q), q->next_used, old);
}

static void split_set_kicks(struct virtqueue *q, bool on)
{
	if (!virtio_has(q->vdev, VIRTIO_F_EVENT_IDX))
		ring_store16(q, RING_DEVICE, VRING_USED_FLAGS, on ? 0 : VRING_NO_NOTIFY);
	else if (on)
		set_avail_event(q, q->next_avail);
	/* The driver sees the wish before we look whether something is there already. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

const struct ring_ops split_ring = {
	.area = split_area,
	.empty = split_empty,
	.fetch = split_fetch,
	.advance = split_advance,
	.retreat = split_retreat,
	.put_used = split_put_used,
	.wants_interrupt = split_wants_interrupt,
	.set_kicks = split_set_kicks,
};
