/*
 * virtio-rng: randomness for the guest. VIRTIO 1.2, 5.4.
 *
 * One queue of buffers to fill. One buffer at a time is held while the source gathers bytes for it; a
 * buffer may come back partly filled. The guest gets max-bytes in each period at most; the period begins with
 * the first byte given.
 */
#include "event/clock.h"
#include "hw/rng.h"
#include "hw/virtio.h"

#define QUEUE_SIZE 8
#define UNLIMITED  INT64_MAX

struct virtio_rng {
	struct virtio_device v;
	struct virtqueue *q;
	struct virtio_chain *chain; /* being filled; NULL: none */
	bool waiting;               /* for the source */
	uint64_t quota;             /* what the guest still gets in this period */
	struct timer refill;

	/* Properties */
	struct device *rng; /* NULL: a source of its own */
	struct device *source;
	uint64_t max_bytes;
	uint32_t period; /* ms */
};

static struct virtio_rng *rng_of(struct device *dev)
{
	return container_of(dev, struct virtio_rng, v.dev);
}

static void spend(struct virtio_rng *r, size_t bytes)
{
	if (r->max_bytes == UNLIMITED)
		return;
	r->quota -= bytes;
	if (!timer_pending(&r->refill))
		timer_set(&r->refill, clock_now(QCLOCK_VIRTUAL) + r->period * NS_PER_MS);
}

static void entropy(void *opaque, const void *data, size_t len);

static bool take_buffer(struct virtio_rng *r)
{
	while (!r->chain && (r->chain = virtqueue_pop(r->q, sizeof(*r->chain)))) {
		if (r->chain->in_size)
			break;
		/* Nothing to fill in it. */
		virtqueue_push(g_steal_pointer(&r->chain), 0);
		virtqueue_notify(r->q);
	}
	return r->chain;
}

static void work(struct virtio_rng *r)
{
	if (r->waiting || !virtqueue_ready(r->q) || !take_buffer(r) || !r->quota)
		return;
	r->waiting = true;
	rng_request(r->source, MIN(r->chain->in_size, r->quota), entropy, r);
}

static void entropy(void *opaque, const void *data, size_t len)
{
	struct virtio_rng *r = opaque;
	size_t written;

	r->waiting = false;
	/* The guest stands: it is asked for anew when it goes on. */
	if (!r->chain || !virtqueue_ready(r->q))
		return;
	written = virtio_chain_write(r->chain, 0, data, len);
	spend(r, written);
	virtqueue_push(g_steal_pointer(&r->chain), written);
	virtqueue_notify(r->q);
	work(r);
}

static void refilled(void *opaque)
{
	struct virtio_rng *r = opaque;

	r->quota = r->max_bytes;
	work(r);
}

static void kicked(struct virtqueue *q)
{
	work(rng_of(&q->vdev->dev));
}

static void give_up(struct virtio_rng *r)
{
	if (r->waiting)
		rng_cancel(r->source, r);
	r->waiting = false;
	g_clear_pointer(&r->chain, virtqueue_drop);
}

static void rng_queue_reset(struct virtqueue *q)
{
	give_up(rng_of(&q->vdev->dev));
}

static void rng_reset(struct virtio_device *v)
{
	give_up(rng_of(&v->dev));
}

/* ---- Life ---- */

static bool check(const struct virtio_rng *r, GError **errp)
{
	if (!r->period) {
		error_set(errp, "'period' parameter expects a positive integer");
		return false;
	}
	if (r->max_bytes > INT64_MAX) {
		error_set(errp, "'max-bytes' parameter must be non-negative, and less than 2^63");
		return false;
	}
	return true;
}

static bool rng_realize(struct device *dev, GError **errp)
{
	struct virtio_rng *r = rng_of(dev);

	if (!check(r, errp))
		return false;
	r->source = device_ref(r->rng ? r->rng : device_new(&rng_builtin_type));
	if (!r->rng && !device_realize(r->source, dev, "default-backend", NULL, errp)) {
		device_unref(r->source);
		g_clear_pointer(&r->source, device_unref);
		return false;
	}
	r->q = virtio_add_queue(&r->v, QUEUE_SIZE, kicked);
	r->quota = r->max_bytes;
	timer_init(&r->refill, r->v.loop, QCLOCK_VIRTUAL, refilled, r);
	return true;
}

static void rng_unrealize(struct device *dev)
{
	struct virtio_rng *r = rng_of(dev);

	give_up(r);
	timer_del(&r->refill);
	g_clear_pointer(&r->source, device_unref);
}

static void rng_device_reset(struct device *dev)
{
	struct virtio_rng *r = rng_of(dev);

	timer_del(&r->refill);
	r->quota = r->max_bytes;
}

static bool rng_post_load(struct device *dev, GError **errp)
{
	struct virtio_rng *r = rng_of(dev);

	if (r->quota > r->max_bytes)
		r->quota = r->max_bytes;
	if (!virtio_chain_restore(&r->v, &r->chain, errp))
		return false;
	work(r);
	return true;
}

static const struct field rng_props[] = {
	PROP_LINK(struct virtio_rng, rng, "rng", &rng_link,
		  "Source of the randomness; unset: an rng-builtin of its own"),
	PROP_UINT(struct virtio_rng, max_bytes, "max-bytes", UNLIMITED, 0,
		  "Bytes the guest gets in a period at most"),
	PROP_UINT(struct virtio_rng, period, "period", 65536, 0, "Length of a period in ms"),
	FIELD_ROW_END,
};

static const struct field rng_state[] = {
	SAVE_UINT(struct virtio_rng, quota),
	SAVE_TIMER(struct virtio_rng, refill),
	SAVE_CUSTOM(struct virtio_rng, chain, &virtio_chain_custom),
	FIELD_ROW_END,
};

static const struct virtio_info rng_info = {
	.id = VIRTIO_ID_RNG,
	.reset = rng_reset,
	.queue_reset = rng_queue_reset,
};

const struct device_type virtio_rng_type = {
	.name = "virtio-rng-device",
	.help = "Randomness for the guest, by virtio",
	.base = &virtio_device_type,
	.size = sizeof(struct virtio_rng),
	.flags = TYPE_USER_CREATABLE,
	.props = rng_props,
	.state = rng_state,
	.class_data = &rng_info,
	.realize = rng_realize,
	.unrealize = rng_unrealize,
	.reset = rng_device_reset,
	.post_load = rng_post_load,
};
