/*
 * Doorbells: an eventfd for each queue in use, from DRIVER_OK on, that the accelerator signals when the
 * driver kicks, so that the vCPU runs on while the loop looks at the queue.
 *
 * A kick that is still in an eventfd when it goes, or when the guest stops, is not lost: whoever starts the
 * device again looks at all queues.
 */
#include "internal.h"

static void kicked(void *opaque, GIOCondition revents)
{
	struct virtqueue *q = opaque;

	if (notifier_test_and_clear(&q->kick))
		virtqueue_kicked(q);
}

void virtqueue_doorbell_start(struct virtqueue *q)
{
	struct virtio_transport *t = q->vdev->transport;

	if (!q->enabled || !q->handle)
		return;
	virtqueue_watch(q);
	if (q->watch || !t->ioeventfd || !t->ops->doorbell || !notifier_init(&q->kick, NULL))
		return;
	q->watch = fd_watch_new(q->loop, q->kick.fd, G_IO_IN, kicked, q);
	t->ops->doorbell(t, q, true);
}

void virtqueue_doorbell_stop(struct virtqueue *q)
{
	struct virtio_transport *t = q->vdev->transport;

	virtqueue_unwatch(q);
	if (!q->watch)
		return;
	t->ops->doorbell(t, q, false);
	g_clear_pointer(&q->watch, fd_watch_free);
	notifier_cleanup(&q->kick);
}

void virtio_doorbells_start(struct virtio_device *v)
{
	if (v->doorbells)
		return;
	v->doorbells = true;
	if (v->transport->ops->running)
		v->transport->ops->running(v->transport, true);
	mem_begin();
	for (guint i = 0; i < v->queues->len; i++)
		virtqueue_doorbell_start(g_ptr_array_index(v->queues, i));
	mem_commit();
}

void virtio_doorbells_stop(struct virtio_device *v)
{
	if (!v->doorbells)
		return;
	v->doorbells = false;
	mem_begin();
	for (guint i = 0; i < v->queues->len; i++)
		virtqueue_doorbell_stop(g_ptr_array_index(v->queues, i));
	mem_commit();
	if (v->transport->ops->running)
		v->transport->ops->running(v->transport, false);
}
