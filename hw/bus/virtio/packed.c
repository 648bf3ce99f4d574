/*
 * Packed rings: VIRTIO 1.2, 2.8.
 *
 * Both sides go round one ring of descriptors, each with a wrap counter that toggles at the end. A chain
 * takes as many descriptors in a row as it has buffers, and one used descriptor answers for all of it: the
 * device skips the rest. Sizes need not be powers of two.
 */
#include "base/checked.h"
#include "internal.h"

static uint64_t packed_area(const struct virtqueue *q, unsigned area, unsigned *align,
			    bool *is_write)
{
	*align = area == RING_DESC ? 16 : 4;
	*is_write = area != RING_DRIVER;
	return area == RING_DESC ? VRING_DESC_SIZE * (uint64_t)q->size : VRING_EVENT_SIZE;
}

#define DESC_LEN   8
#define DESC_ID    12
#define DESC_FLAGS 14

static uint16_t load_flags(const struct virtqueue *q, uint16_t i)
{
	return ring_load16(q, RING_DESC, i * VRING_DESC_SIZE + DESC_FLAGS);
}

static bool is_available(uint16_t flags, bool wrap)
{
	return !!(flags & VRING_DESC_AVAIL) == wrap && !!(flags & VRING_DESC_USED) != wrap;
}

static bool packed_empty(struct virtqueue *q)
{
	return !is_available(load_flags(q, q->next_avail), q->avail_wrap);
}

/* ---- Reading chains ---- */

static struct vring_packed_desc read_desc(const uint8_t *p)
{
	struct vring_packed_desc d;

	memcpy(&d, p, sizeof(d));
	return (struct vring_packed_desc){
		GUINT64_FROM_LE(d.addr),
		GUINT32_FROM_LE(d.len),
		GUINT16_FROM_LE(d.id),
		GUINT16_FROM_LE(d.flags),
	};
}

/* All descriptors of the table belong to the chain, in order. */
static bool walk_indirect(struct virtqueue *q, const struct vring_packed_desc *outer)
{
	struct as_mapping map;
	const uint8_t *host;
	bool ok = true;

	if (outer->flags & VRING_DESC_NEXT) {
		virtio_fault(q->vdev, "queue %u: an indirect descriptor with a next one", q->index);
		return false;
	}
	host = chain_map_table(q, outer->addr, outer->len, &map);
	if (!host)
		return false;
	for (uint32_t at = 0; ok && at < outer->len; at += VRING_DESC_SIZE) {
		struct vring_packed_desc d = read_desc(host + at);

		ok = chain_add(q, d.addr, d.len, d.flags & VRING_DESC_WRITE);
	}
	as_unmap(&map, 0);
	return ok;
}

static bool packed_fetch(struct virtqueue *q, uint16_t *id, uint16_t *slots)
{
	uint16_t i = q->next_avail;

	for (*slots = 1; *slots <= q->size; (*slots)++) {
		struct vring_packed_desc d = read_desc(ring_at(q, RING_DESC, i * VRING_DESC_SIZE));

		*id = d.id;
		if (d.flags & VRING_DESC_INDIRECT) {
			if (*slots == 1)
				return walk_indirect(q, &d);
			virtio_fault(q->vdev, "queue %u: an indirect descriptor in a chain",
				     q->index);
			return false;
		}
		if (!chain_add(q, d.addr, d.len, d.flags & VRING_DESC_WRITE))
			return false;
		if (!(d.flags & VRING_DESC_NEXT))
			return true;
		i = i + 1 < q->size ? i + 1 : 0;
	}
	virtio_fault(q->vdev, "queue %u: a chain longer than the ring", q->index);
	return false;
}

static void packed_advance(struct virtqueue *q, uint16_t slots)
{
	unsigned next = q->next_avail + slots;

	if (next >= q->size) {
		next -= q->size;
		q->avail_wrap = !q->avail_wrap;
	}
	q->next_avail = next;
}

static void packed_retreat(struct virtqueue *q, uint16_t slots)
{
	if (q->next_avail < slots) {
		q->next_avail += q->size;
		q->avail_wrap = !q->avail_wrap;
	}
	q->next_avail -= slots;
}

/* ---- Giving back ---- */

static void packed_put_used(struct virtqueue *q, const struct virtio_chain *chain, uint32_t written)
{
	uint64_t at = q->next_used * VRING_DESC_SIZE;
	uint16_t flags = (q->used_wrap ? VRING_DESC_AVAIL | VRING_DESC_USED : 0) |
			 (chain->in_count ? VRING_DESC_WRITE : 0);
	unsigned next = q->next_used + chain->slots;

	put_le32(ring_at(q, RING_DESC, at + DESC_LEN), written);
	put_le16(ring_at(q, RING_DESC, at + DESC_ID), chain->id);
	ring_store16(q, RING_DESC, at + DESC_FLAGS, flags);
	if (next >= q->size) {
		next -= q->size;
		q->used_wrap = !q->used_wrap;
	}
	q->next_used = next;
}

/* Positions are compared as if the ring did not wrap: what lies in the round before counts down. */
static bool packed_wants_interrupt(struct virtqueue *q)
{
	uint16_t flags = ring_load16(q, RING_DRIVER, VRING_EVENT_FLAGS) & 3;
	uint16_t where = ring_load16(q, RING_DRIVER, VRING_EVENT_OFFSET);
	uint16_t event = where & 0x7fff, old = q->signalled;
	bool valid = q->signalled_valid;

	if (q->signalled_wrap != q->used_wrap)
		old -= q->size;
	if ((where >> 15) != q->used_wrap)
		event -= q->size;
	q->signalled = q->next_used;
	q->signalled_wrap = q->used_wrap;
	q->signalled_valid = true;
	if (flags != VRING_EVENT_DESC || !virtio_has(q->vdev, VIRTIO_F_EVENT_IDX))
		return flags != VRING_EVENT_DISABLE;
	return !valid || ring_event_passed(event, q->next_used, old);
}

static void packed_set_kicks(struct virtqueue *q, bool on)
{
	uint16_t flags = on ? VRING_EVENT_ENABLE : VRING_EVENT_DISABLE;

	if (on && virtio_has(q->vdev, VIRTIO_F_EVENT_IDX)) {
		ring_store16(q, RING_DEVICE, VRING_EVENT_OFFSET,
			     q->next_avail | q->avail_wrap << 15);
		flags = VRING_EVENT_DESC;
	}
	ring_store16(q, RING_DEVICE, VRING_EVENT_FLAGS, flags);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

const struct ring_ops packed_ring = {
	.area = packed_area,
	.empty = packed_empty,
	.fetch = packed_fetch,
	.advance = packed_advance,
	.retreat = packed_retreat,
	.put_used = packed_put_used,
	.wants_interrupt = packed_wants_interrupt,
	.set_kicks = packed_set_kicks,
};
