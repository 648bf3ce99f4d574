/*
 * Freeing what readers may still see (rcu.h).
 *
 * A flat view is some kilobytes and firmware changes the map some hundred times. The batch is small
 * enough that what waits in it is not felt, and large enough that a guest's whole boot costs a
 * handful of grace periods, each waited for by a worker that is gone some seconds later.
 */
#include "internal.h"
#include "rcu.h"
#include "event/worker.h"

#define RECLAIM_BATCH 32

struct retired {
	void (*free_fn)(void *ptr);
	void *ptr;
};

struct reclaim_state {
	GMutex guard; /* of the list */
	GMutex busy;  /* held from taking the list until all on it is freed */
	GArray *list; /* struct retired; NULL: nothing since it was last taken */
	gint working;
};

static struct reclaim_state *reclaim_state(void)
{
	static struct reclaim_state state;

	return &state;
}

static void reclaim(struct reclaim_state *s)
{
	g_autoptr(GMutexLocker) busy = g_mutex_locker_new(&s->busy);
	g_autoptr(GArray) list = NULL;

	g_mutex_lock(&s->guard);
	list = g_steal_pointer(&s->list);
	g_mutex_unlock(&s->guard);
	if (!list)
		return;
	synchronize_rcu();
	for (guint i = 0; i < list->len; i++) {
		struct retired *item = &g_array_index(list, struct retired, i);

		item->free_fn(item->ptr);
	}
}

static int reclaim_work(void *opaque)
{
	struct reclaim_state *s = opaque;

	reclaim(s);
	g_atomic_int_set(&s->working, 0);
	return 0;
}

void mem_retire(void (*free_fn)(void *ptr), void *ptr)
{
	struct reclaim_state *s = reclaim_state();
	struct retired item = {free_fn, ptr};
	guint len;

	g_mutex_lock(&s->guard);
	if (!s->list)
		s->list = g_array_new(FALSE, FALSE, sizeof(item));
	g_array_append_val(s->list, item);
	len = s->list->len;
	g_mutex_unlock(&s->guard);
	if (len >= RECLAIM_BATCH && g_atomic_int_compare_and_exchange(&s->working, 0, 1))
		worker_submit(loop_main(), reclaim_work, NULL, s);
}

void mem_synchronize(void)
{
	reclaim(reclaim_state());
}
