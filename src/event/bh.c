/*
 * Bottom halves and deferred calls; internal.h explains the queue.
 */
#include "internal.h"

void bh_init(struct bottom_half *bh, struct loop *loop, void (*fn)(void *opaque), void *opaque,
	     void (*release)(struct bottom_half *bh))
{
	*bh = (struct bottom_half){.loop = loop, .fn = fn, .opaque = opaque, .release = release};
}

static void bh_free_memory(struct bottom_half *bh)
{
	g_free(bh);
}

struct bottom_half *bh_new(struct loop *loop, void (*fn)(void *opaque), void *opaque)
{
	struct bottom_half *bh = g_new(struct bottom_half, 1);

	bh_init(bh, loop, fn, opaque, bh_free_memory);
	return bh;
}

/* Once pushed it may run and be gone: @bh is not touched after the exchange. */
static void bh_push(struct bottom_half *bh, unsigned flags)
{
	unsigned old = __atomic_fetch_or(&bh->state, BH_QUEUED | flags, __ATOMIC_ACQ_REL);
	struct loop *loop = bh->loop;
	struct bottom_half *head;

	if (old & BH_QUEUED)
		return;
	head = __atomic_load_n(&loop->incoming, __ATOMIC_RELAXED);
	do {
		bh->next = head;
	} while (!__atomic_compare_exchange_n(&loop->incoming, &head, bh, true, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	loop_kick(loop);
}

void bh_schedule(struct bottom_half *bh)
{
	bh_push(bh, BH_WANTED);
}

void bh_schedule_last(struct bottom_half *bh)
{
	bh_push(bh, BH_WANTED | BH_DEAD);
}

void bh_cancel(struct bottom_half *bh)
{
	__atomic_fetch_and(&bh->state, ~BH_WANTED, __ATOMIC_ACQ_REL);
}

void bh_retire(struct bottom_half *bh)
{
	unsigned old;

	bh_cancel(bh);
	old = __atomic_fetch_or(&bh->state, BH_DEAD, __ATOMIC_ACQ_REL);
	if (!(old & BH_QUEUED))
		bh->release(bh);
}

void bh_free(struct bottom_half *bh)
{
	if (bh)
		bh_retire(bh);
}

void loop_defer(struct loop *loop, void (*fn)(void *opaque), void *opaque)
{
	bh_schedule_last(bh_new(loop, fn, opaque));
}

bool bh_any(const struct loop *loop)
{
	return loop->ready || __atomic_load_n(&loop->incoming, __ATOMIC_SEQ_CST);
}

/* Appends what has come in to `ready`. A turn inside a callback goes on where the outer one was. */
static void bh_take_incoming(struct loop *loop)
{
	struct bottom_half *stack = __atomic_exchange_n(&loop->incoming, NULL, __ATOMIC_ACQ_REL);
	struct bottom_half *list = NULL, **tail = loop->ready_tail;

	if (stack)
		loop->ready_tail = &stack->next; /* the newest will be last */
	while (stack) {
		struct bottom_half *next = stack->next;

		stack->next = list;
		list = stack;
		stack = next;
	}
	if (list)
		*tail = list;
}

static struct bottom_half *bh_pop(struct loop *loop)
{
	struct bottom_half *bh = loop->ready;

	if (!bh)
		return NULL;
	loop->ready = bh->next;
	if (!loop->ready)
		loop->ready_tail = &loop->ready;
	return bh;
}

void bh_run_all(struct loop *loop)
{
	struct bottom_half *bh;

	bh_take_incoming(loop);
	while ((bh = bh_pop(loop))) {
		/* A dead one keeps its mark, so that nobody queues it while it is released. */
		unsigned state = __atomic_load_n(&bh->state, __ATOMIC_ACQUIRE);

		if (!(state & BH_DEAD))
			state = __atomic_fetch_and(&bh->state, ~(BH_QUEUED | BH_WANTED),
						   __ATOMIC_ACQ_REL);
		if (state & BH_WANTED)
			bh->fn(bh->opaque);
		if (state & BH_DEAD)
			bh->release(bh);
	}
}

void bh_drop_all(struct loop *loop)
{
	struct bottom_half *bh;

	bh_take_incoming(loop);
	while ((bh = bh_pop(loop))) {
		unsigned old =
			__atomic_fetch_and(&bh->state, ~(BH_QUEUED | BH_WANTED), __ATOMIC_ACQ_REL);

		if (old & BH_DEAD)
			bh->release(bh);
	}
}
