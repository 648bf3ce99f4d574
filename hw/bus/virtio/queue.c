/*
 * Virtqueues, whatever the format of their ring: set-up by the driver, and the pop, push and notify of
 * devices. VIRTIO 1.2, 2.6.
 */
#include "base/trace.h"
#include "internal.h"
#include "machine/runstate.h"

TRACE_DEFINE(virtqueue_pop, "%s queue %u id %u out %" PRIu64 " in %" PRIu64);
TRACE_DEFINE(virtqueue_push, "%s queue %u id %u written %u");
TRACE_DEFINE(virtqueue_notify, "%s queue %u");
TRACE_DEFINE(guest_errors_virtio_queue_size, "%s queue %u refuses size %u");
TRACE_DEFINE(guest_errors_virtio_kick, "%s has no queue %u to kick");

/* ---- Making them ---- */

struct virtqueue *virtio_add_queue(struct virtio_device *v, uint16_t size, virtqueue_fn *handle)
{
	struct virtqueue *q = g_new0(struct virtqueue, 1);

	g_assert(size && size <= VIRTIO_QUEUE_SIZE_MAX && IS_POWER_OF_2(size));
	q->vdev = v;
	q->index = v->queues->len;
	q->handle = handle;
	q->loop = v->loop;
	q->max_size = size;
	q->kick.fd = -1;
	q->pieces = g_array_new(false, false, 1);
	g_queue_init(&q->order);
	g_ptr_array_add(v->queues, q);
	virtqueue_reset(q);
	return q;
}

void virtqueue_free(struct virtqueue *q)
{
	virtqueue_reset(q);
	virtqueue_free_remote(q);
	g_array_unref(q->pieces);
	g_free(q);
}

struct virtqueue *virtio_queue(const struct virtio_device *v, unsigned index)
{
	return index < v->queues->len ? g_ptr_array_index(v->queues, index) : NULL;
}

struct virtqueue *virtio_selected(const struct virtio_transport *t)
{
	return t->vdev ? virtio_queue(t->vdev, t->queue_select) : NULL;
}

/* ---- Set-up ---- */

void virtqueue_reset(struct virtqueue *q)
{
	struct virtio_chain *chain;

	while ((chain = g_queue_pop_head(&q->order))) {
		/* One that waited for its turn is ours; the others are still with the device. */
		if (chain->done)
			chain_free(chain, chain->written);
	}
	virtqueue_unmap(q);
	q->epoch++;
	q->in_flight = 0;
	q->size = q->max_size;
	q->vector = VIRTIO_NO_VECTOR;
	q->enabled = false;
	memset(q->addr, 0, sizeof(q->addr));
	q->next_avail = q->next_used = q->signalled = 0;
	q->avail_wrap = q->used_wrap = q->signalled_wrap = true;
	q->signalled_valid = q->no_kicks = false;
	q->ops = &split_ring;
}

static void queue_stop(struct virtqueue *q)
{
	VIRTIO_HOLD(q->vdev);

	virtqueue_doorbell_stop(q);
	if (q->vdev->info->queue_reset)
		q->vdev->info->queue_reset(q);
	virtqueue_reset(q);
}

void virtqueue_driver_reset(struct virtqueue *q)
{
	if (virtio_has(q->vdev, VIRTIO_F_RING_RESET))
		queue_stop(q);
}

void virtqueue_disable(struct virtqueue *q)
{
	if (q->enabled)
		queue_stop(q);
}

void virtqueue_set_size(struct virtqueue *q, uint32_t size)
{
	bool packed = virtio_has(q->vdev, VIRTIO_F_RING_PACKED);

	if (q->enabled || !size || size > q->max_size || (!packed && !IS_POWER_OF_2(size))) {
		trace(guest_errors_virtio_queue_size, q->vdev->dev.type->name, q->index, size);
		return;
	}
	q->size = size;
}

void virtqueue_set_addr(struct virtqueue *q, unsigned area, unsigned half, uint32_t value)
{
	if (q->enabled)
		return;
	q->addr[area] &= ~((uint64_t)UINT32_MAX << (32 * half));
	q->addr[area] |= (uint64_t)value << (32 * half);
}

void virtqueue_enable(struct virtqueue *q)
{
	VIRTIO_HOLD(q->vdev);

	if (q->enabled)
		return;
	q->enabled = true;
	q->ops = virtio_has(q->vdev, VIRTIO_F_RING_PACKED) ? &packed_ring : &split_ring;
	if (q->vdev->doorbells)
		virtqueue_doorbell_start(q);
}

void virtqueue_set_legacy(struct virtqueue *q, uint64_t addr, uint64_t align)
{
	uint64_t driver = addr + VRING_DESC_SIZE * (uint64_t)q->size;

	virtqueue_disable(q);
	q->addr[RING_DESC] = addr;
	q->addr[RING_DRIVER] = driver;
	q->addr[RING_DEVICE] = ROUND_UP(driver + VRING_AVAIL_SIZE(q->size), align);
	if (addr)
		virtqueue_enable(q);
}

/* ---- The driver's kick ---- */

bool virtqueue_ready(const struct virtqueue *q)
{
	const struct virtio_device *v = q->vdev;

	if (!q->enabled || v->broken || v->disabled || !runstate_is_running())
		return false;
	/* Legacy drivers use queues before they say so. */
	return !virtio_has(v, VIRTIO_F_VERSION_1) || (v->status & VIRTIO_STATUS_DRIVER_OK);
}

void virtqueue_run(struct virtqueue *q)
{
	uint16_t before = q->next_avail;

	if (!q->handle || !virtqueue_ready(q))
		return;
	q->handle(q);
	q->left = q->poller.opaque && q->next_avail == before && !virtqueue_empty(q);
}

void virtqueue_kicked(struct virtqueue *q)
{
	q->left = false;
	virtqueue_run(q);
}

void virtio_kick(struct virtio_device *v, unsigned index)
{
	struct virtqueue *q = virtio_queue(v, index);

	if (!q)
		trace(guest_errors_virtio_kick, v->dev.type->name, index);
	else if (q->remote)
		bh_schedule(q->remote);
	else
		virtqueue_run(q);
}

/* ---- The device's side ---- */

bool virtqueue_empty(struct virtqueue *q)
{
	return !virtqueue_ready(q) || !virtqueue_map(q) || q->ops->empty(q);
}

void *virtqueue_pop(struct virtqueue *q, size_t size)
{
	struct virtio_chain *chain;
	uint16_t id, slots;

	if (virtqueue_empty(q))
		return NULL;
	if (q->in_flight >= q->size) {
		virtio_fault(q->vdev, "queue %u has %u chains in use, as many as entries", q->index,
			     q->in_flight);
		return NULL;
	}
	if (!q->ops->fetch(q, &id, &slots)) {
		chain_abort(q);
		return NULL;
	}
	chain = chain_make(q, size);
	chain->id = id;
	chain->slots = slots;
	q->ops->advance(q, slots);
	q->in_flight++;
	if (virtio_has(q->vdev, VIRTIO_F_IN_ORDER))
		g_queue_push_tail(&q->order, chain);
	trace(virtqueue_pop, q->vdev->dev.type->name, q->index, id, chain->out_size,
	      chain->in_size);
	return chain;
}

/* Popped since the queue was last reset. */
static bool chain_counts(const struct virtio_chain *chain)
{
	return chain->queue && chain->epoch == chain->queue->epoch;
}

static void chain_leaves(struct virtio_chain *chain)
{
	struct virtqueue *q = chain->queue;

	q->in_flight--;
	g_queue_remove(&q->order, chain);
}

static void put_used(struct virtio_chain *chain, uint32_t written)
{
	struct virtqueue *q = chain->queue;

	trace(virtqueue_push, q->vdev->dev.type->name, q->index, chain->id, written);
	chain_leaves(chain);
	if (virtqueue_map(q))
		q->ops->put_used(q, chain, written);
	chain_free(chain, written);
}

static void flush_in_order(struct virtqueue *q)
{
	struct virtio_chain *chain;

	while ((chain = g_queue_peek_head(&q->order)) && chain->done)
		put_used(chain, chain->written);
}

/* Of no use to the driver any more; what was @written is in guest memory all the same. */
static void chain_discard(struct virtio_chain *chain, uint64_t written)
{
	if (chain_counts(chain))
		chain_leaves(chain);
	chain_free(chain, written);
}

void virtqueue_push(struct virtio_chain *chain, uint64_t written)
{
	struct virtqueue *q = chain->queue;

	written = MIN(MIN(written, chain->in_size), UINT32_MAX);
	if (!chain_counts(chain) || q->vdev->broken) {
		chain_discard(chain, written);
		return;
	}
	if (!virtio_has(q->vdev, VIRTIO_F_IN_ORDER)) {
		put_used(chain, written);
		return;
	}
	chain->done = true;
	chain->written = written;
	flush_in_order(q);
}

void virtqueue_drop(struct virtio_chain *chain)
{
	if (chain)
		chain_discard(chain, 0);
}

void virtqueue_unpop(struct virtio_chain *chain)
{
	if (chain_counts(chain))
		chain->queue->ops->retreat(chain->queue, chain->slots);
	virtqueue_drop(chain);
}

void virtqueue_set_kicks(struct virtqueue *q, bool on)
{
	q->no_kicks = !on;
	if (virtqueue_ready(q) && virtqueue_map(q))
		q->ops->set_kicks(q, on);
}

static bool wants_interrupt(struct virtqueue *q)
{
	if (virtio_has(q->vdev, VIRTIO_F_NOTIFY_ON_EMPTY) && !q->in_flight && q->ops->empty(q))
		return true;
	return q->ops->wants_interrupt(q);
}

void virtqueue_notify(struct virtqueue *q)
{
	if (!q->enabled || q->vdev->broken || !virtqueue_map(q))
		return;
	/* What was pushed is seen by the driver before we look at whether it waits. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!wants_interrupt(q))
		return;
	trace(virtqueue_notify, q->vdev->dev.type->name, q->index);
	virtio_raise_isr(q->vdev, VIRTIO_ISR_QUEUE, q->vector);
}
