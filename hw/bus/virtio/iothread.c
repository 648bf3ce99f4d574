/*
 * Queues that an iothread serves.
 *
 * Its handler runs on the iothread's loop, under that loop's lock instead of the machine's. Registers come under
 * the machine lock on other threads: what changes a queue that may be running holds the loops of all of the
 * device's queues meanwhile, in the order of locks that event/lock.h gives. Kicks that do not come by a doorbell
 * are passed on by a bottom half.
 *
 * While the loop looks for work (event/loop.h) it watches the ring itself, and the driver is asked not to kick.
 * A queue whose handler leaves chains where they are is not watched until the next kick.
 */
#include "internal.h"
#include "machine/iothread.h"

void virtio_hold(struct virtio_device *v)
{
	if (v->holds++)
		return;
	for (guint i = 0; v->iothreads && i < v->iothreads->len; i++)
		loop_lock(iothread_loop(g_ptr_array_index(v->iothreads, i)));
}

void virtio_release(struct virtio_device *v)
{
	if (--v->holds)
		return;
	for (guint i = 0; v->iothreads && i < v->iothreads->len; i++)
		loop_unlock(iothread_loop(g_ptr_array_index(v->iothreads, i)));
}

static void run_remote(void *opaque)
{
	virtqueue_kicked(opaque);
}

void virtqueue_set_iothread(struct virtqueue *q, struct device *iothread)
{
	struct virtio_device *v = q->vdev;

	g_assert(!q->remote);
	if (!iothread)
		return;
	if (!v->iothreads)
		v->iothreads = g_ptr_array_new_with_free_func((GDestroyNotify)device_unref);
	if (!g_ptr_array_find(v->iothreads, iothread, NULL))
		g_ptr_array_add(v->iothreads, device_ref(iothread));
	q->loop = iothread_loop(iothread);
	q->remote = bh_new(q->loop, run_remote, q);
}

void virtqueue_free_remote(struct virtqueue *q)
{
	g_clear_pointer(&q->remote, bh_free);
}

/* ---- Watching the ring ---- */

static bool poll_ready(void *opaque)
{
	struct virtqueue *q = opaque;

	return !q->left && !virtqueue_empty(q);
}

static void poll_run(void *opaque)
{
	virtqueue_run(opaque);
}

static void poll_busy(void *opaque, bool busy)
{
	struct virtqueue *q = opaque;

	if (busy && (q->left || q->no_kicks))
		return;
	if (q->watched == busy)
		return;
	q->watched = busy;
	virtqueue_set_kicks(q, !busy);
}

void virtqueue_watch(struct virtqueue *q)
{
	if (!q->remote || q->poller.opaque)
		return;
	q->poller = (struct loop_poller){poll_ready, poll_run, poll_busy, q};
	loop_add_poller(q->loop, &q->poller);
}

void virtqueue_unwatch(struct virtqueue *q)
{
	if (!q->poller.opaque)
		return;
	loop_remove_poller(q->loop, &q->poller);
	q->poller.opaque = NULL;
	q->watched = q->left = false;
}
