/*
 * The areas of a ring as host memory.
 *
 * They are mapped when first needed and stay mapped. A listener on the device's memory notes when RAM goes
 * away; whoever runs the queue next maps them anew. Until then the old mapping keeps the old memory
 * alive, so nothing worse happens than a write into memory that the guest has just lost.
 */
#include "internal.h"
#include "mem/ram.h"

static void range_gone(void *opaque, const struct flat_range *range)
{
	struct virtio_device *v = opaque;

	if (!range->host)
		return;
	for (guint i = 0; i < v->queues->len; i++) {
		struct virtqueue *q = g_ptr_array_index(v->queues, i);

		__atomic_store_n(&q->stale, 1, __ATOMIC_RELEASE);
	}
}

void virtio_memory_init(struct virtio_device *v)
{
	v->memory = (struct mem_listener){.opaque = v, .range_del = range_gone};
	listener_add(v->transport->dma, &v->memory);
}

void virtqueue_unmap(struct virtqueue *q)
{
	for (unsigned i = 0; i < RING_AREAS; i++)
		as_unmap(&q->map[i], 0);
	q->mapped = false;
}

static bool map_area(struct virtqueue *q, unsigned area)
{
	bool is_write;
	unsigned align;
	uint64_t want = q->ops->area(q, area, &align, &is_write), len = want;
	uint8_t *host =
		as_map(virtio_dma_space(q->vdev), q->addr[area], &len, is_write, &q->map[area]);

	if (host && len == want && !(q->addr[area] % align) && !((uintptr_t)host % align))
		return true;
	virtio_fault(q->vdev,
		     "queue %u: area %u at 0x%" PRIx64 ", %" PRIu64 " bytes, is not in RAM or not "
		     "aligned to %u",
		     q->index, area, q->addr[area], want, align);
	return false;
}

static bool map_all(struct virtqueue *q)
{
	virtqueue_unmap(q);
	for (unsigned i = 0; i < RING_AREAS; i++) {
		if (!map_area(q, i)) {
			virtqueue_unmap(q);
			return false;
		}
	}
	q->mapped = true;
	return true;
}

bool virtqueue_map(struct virtqueue *q)
{
	if (__atomic_load_n(&q->stale, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&q->stale, 0, __ATOMIC_ACQUIRE))
		virtqueue_unmap(q);
	return q->mapped || (q->enabled && map_all(q));
}

uint16_t ring_load16(const struct virtqueue *q, unsigned area, uint64_t offset)
{
	const uint16_t *p = (const void *)ring_at(q, area, offset);

	return GUINT16_FROM_LE(__atomic_load_n(p, __ATOMIC_ACQUIRE));
}

static void written(const struct virtqueue *q, unsigned area, uint64_t offset, unsigned len)
{
	const struct as_mapping *map = &q->map[area];

	dirty_mark(map->ram, map->ram_offset + offset, len);
}

void ring_store16(const struct virtqueue *q, unsigned area, uint64_t offset, uint16_t value)
{
	uint16_t *p = (void *)ring_at(q, area, offset);

	__atomic_store_n(p, GUINT16_TO_LE(value), __ATOMIC_RELEASE);
	written(q, area, offset, sizeof(value));
}

void ring_store64(const struct virtqueue *q, unsigned area, uint64_t offset, uint64_t value)
{
	memcpy(ring_at(q, area, offset), &(uint64_t){GUINT64_TO_LE(value)}, sizeof(value));
	written(q, area, offset, sizeof(value));
}
