/*
 * Mutexes and wait queues for coroutines. Both keep their waiters in order, each described by a
 * structure on the waiter's own stack. Who hands the mutex or the wake on does so, and wakes, with
 * `guard` held; the waiter looks with `guard` held too, so it cannot go on, and take its stack away,
 * while the other is not done with it.
 */
#include "event/coroutine.h"

struct waiter {
	GList link; /* data: this structure */
	struct coroutine *co;
	bool granted;
};

static void waiter_append(struct waiter *waiter, GQueue *waiters)
{
	waiter->link = (GList){.data = waiter};
	g_queue_push_tail_link(waiters, &waiter->link);
}

/* With the guard held. */
static struct coroutine *waiter_grant(GQueue *waiters)
{
	GList *link = g_queue_pop_head_link(waiters);
	struct waiter *waiter;

	if (!link)
		return NULL;
	waiter = link->data;
	waiter->granted = true;
	co_wake(waiter->co);
	return waiter->co;
}

static void waiter_wait(struct waiter *waiter, GMutex *guard)
{
	bool granted;

	do {
		co_yield ();
		g_mutex_lock(guard);
		granted = waiter->granted;
		g_mutex_unlock(guard);
	} while (!granted);
}

void co_mutex_init(struct co_mutex *mutex)
{
	*mutex = (struct co_mutex){};
	g_mutex_init(&mutex->guard);
	g_queue_init(&mutex->waiters);
}

void co_mutex_destroy(struct co_mutex *mutex)
{
	g_assert(!mutex->owner && g_queue_is_empty(&mutex->waiters));
	g_mutex_clear(&mutex->guard);
}

void co_mutex_lock(struct co_mutex *mutex)
{
	struct waiter waiter = {.co = co_self()};
	bool wait;

	g_assert(waiter.co);
	g_mutex_lock(&mutex->guard);
	g_assert(mutex->owner != waiter.co);
	wait = mutex->owner != NULL;
	if (wait)
		waiter_append(&waiter, &mutex->waiters);
	else
		mutex->owner = waiter.co;
	g_mutex_unlock(&mutex->guard);
	if (wait)
		waiter_wait(&waiter, &mutex->guard);
}

void co_mutex_unlock(struct co_mutex *mutex)
{
	g_mutex_lock(&mutex->guard);
	g_assert(mutex->owner == co_self());
	mutex->owner = waiter_grant(&mutex->waiters);
	g_mutex_unlock(&mutex->guard);
}

void co_queue_init(struct co_queue *queue)
{
	g_mutex_init(&queue->guard);
	g_queue_init(&queue->waiters);
}

void co_queue_destroy(struct co_queue *queue)
{
	g_assert(g_queue_is_empty(&queue->waiters));
	g_mutex_clear(&queue->guard);
}

void co_queue_wait(struct co_queue *queue, struct co_mutex *mutex)
{
	struct waiter waiter = {.co = co_self()};

	g_assert(waiter.co);
	g_mutex_lock(&queue->guard);
	waiter_append(&waiter, &queue->waiters);
	g_mutex_unlock(&queue->guard);
	if (mutex)
		co_mutex_unlock(mutex);
	waiter_wait(&waiter, &queue->guard);
	if (mutex)
		co_mutex_lock(mutex);
}

bool co_queue_wake_one(struct co_queue *queue)
{
	bool any;

	g_mutex_lock(&queue->guard);
	any = waiter_grant(&queue->waiters) != NULL;
	g_mutex_unlock(&queue->guard);
	return any;
}

void co_queue_wake_all(struct co_queue *queue)
{
	g_mutex_lock(&queue->guard);
	while (waiter_grant(&queue->waiters))
		continue;
	g_mutex_unlock(&queue->guard);
}
