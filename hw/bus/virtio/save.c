/*
 * Saved state of virtio devices: registers, and for each queue its set-up and the place in the ring. What
 * is in the rings is in guest memory. Chains that a device holds are rows of that device.
 */
#include "internal.h"

struct virtqueue_state {
	uint16_t size, vector;
	bool enabled, no_kicks;
	uint64_t addr[RING_AREAS];
	uint16_t next_avail, next_used, signalled;
	bool avail_wrap, used_wrap, signalled_wrap, signalled_valid;
};

#define QUEUE struct virtqueue_state

static const struct field queue_rows[] = {
	SAVE_UINT(QUEUE, size),
	SAVE_UINT(QUEUE, vector),
	SAVE_BOOL(QUEUE, enabled),
	SAVE_BOOL(QUEUE, no_kicks),
	SAVE_UINTS(QUEUE, addr),
	SAVE_UINT(QUEUE, next_avail),
	SAVE_UINT(QUEUE, next_used),
	SAVE_UINT(QUEUE, signalled),
	SAVE_BOOL(QUEUE, avail_wrap),
	SAVE_BOOL(QUEUE, used_wrap),
	SAVE_BOOL(QUEUE, signalled_wrap),
	SAVE_BOOL(QUEUE, signalled_valid),
	FIELD_ROW_END,
};
static const struct field_set queue_set = {"virtqueue", sizeof(QUEUE), queue_rows};
static const struct field queue_elem = {
	.name = "queue",
	.kind = FIELD_STRUCT,
	.width = sizeof(QUEUE),
	.sub = &queue_set,
};

static const struct field transport_rows[] = {
	SAVE_UINT(struct virtio_transport, device_feature_select),
	SAVE_UINT(struct virtio_transport, driver_feature_select),
	SAVE_UINT(struct virtio_transport, queue_select),
	FIELD_ROW_END,
};
const struct field_set virtio_transport_state = {
	"virtio-transport",
	sizeof(struct virtio_transport),
	transport_rows,
};

const struct field virtio_state[] = {
	SAVE_UINT(struct virtio_device, features),
	SAVE_UINT(struct virtio_device, driver_features),
	SAVE_UINT(struct virtio_device, status),
	SAVE_UINT(struct virtio_device, isr),
	SAVE_UINT(struct virtio_device, generation),
	SAVE_UINT(struct virtio_device, config_vector),
	SAVE_BOOL(struct virtio_device, broken),
	SAVE_BOOL(struct virtio_device, disabled),
	{FIELD_AT(struct virtio_device, saved, "queues", FIELD_LIST, sizeof(GArray *), ""),
	 .elem = &queue_elem},
	FIELD_ROW_END,
};

void virtio_pre_save(struct device *dev)
{
	struct virtio_device *v = virtio_of(dev);
	VIRTIO_HOLD(v);

	g_array_unref(v->saved);
	v->saved = g_array_new(false, true, sizeof(QUEUE));
	for (guint i = 0; i < v->queues->len; i++) {
		const struct virtqueue *q = virtio_queue(v, i);
		QUEUE s = {
			.size = q->size,
			.vector = q->vector,
			.enabled = q->enabled,
			.no_kicks = q->no_kicks,
			.next_avail = q->next_avail,
			.next_used = q->next_used,
			.signalled = q->signalled,
			.avail_wrap = q->avail_wrap,
			.used_wrap = q->used_wrap,
			.signalled_wrap = q->signalled_wrap,
			.signalled_valid = q->signalled_valid,
		};

		memcpy(s.addr, q->addr, sizeof(s.addr));
		g_array_append_val(v->saved, s);
	}
}

static bool queue_sound(const struct virtqueue *q, const QUEUE *s, bool packed)
{
	if (!s->size || s->size > q->max_size || (!packed && !IS_POWER_OF_2(s->size)))
		return false;
	return !packed ||
	       (s->next_avail < s->size && s->next_used < s->size && s->signalled < s->size);
}

static void queue_load(struct virtqueue *q, const QUEUE *s)
{
	virtqueue_reset(q);
	q->size = s->size;
	q->vector = s->vector;
	memcpy(q->addr, s->addr, sizeof(q->addr));
	if (s->enabled)
		virtqueue_enable(q);
	q->no_kicks = s->no_kicks;
	q->next_avail = s->next_avail;
	q->next_used = s->next_used;
	q->signalled = s->signalled;
	q->avail_wrap = s->avail_wrap;
	q->used_wrap = s->used_wrap;
	q->signalled_wrap = s->signalled_wrap;
	q->signalled_valid = s->signalled_valid;
}

static bool load_queues(struct virtio_device *v, GError **errp)
{
	bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);

	if (v->saved->len != v->queues->len) {
		error_set(errp, "There are %u queues, not %u", v->queues->len, v->saved->len);
		return false;
	}
	for (guint i = 0; i < v->queues->len; i++) {
		const QUEUE *s = &g_array_index(v->saved, QUEUE, i);

		if (!queue_sound(virtio_queue(v, i), s, packed)) {
			error_set(errp, "Queue %u of %u entries at %u, %u is impossible", i,
				  s->size, s->next_avail, s->next_used);
			return false;
		}
		queue_load(virtio_queue(v, i), s);
	}
	return true;
}

bool virtio_post_load(struct device *dev, GError **errp)
{
	struct virtio_device *v = virtio_of(dev);
	VIRTIO_HOLD(v);

	if (v->features & ~v->offered) {
		error_set(errp, "Features 0x%" PRIx64 " are not among those offered, 0x%" PRIx64,
			  v->features, v->offered);
		return false;
	}
	virtio_doorbells_stop(v);
	if (!load_queues(v, errp))
		return false;
	if (v->info->features_set)
		v->info->features_set(v);
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_doorbells_start(v);
	return true;
}
