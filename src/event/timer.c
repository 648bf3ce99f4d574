/*
 * Timers: a binary heap for each clock of each loop.
 *
 * In the array `heap` the parent of slot n is slot (n - 1) / 2, and never later than its children;
 * so the earliest is in slot 0, and setting or deleting one of n timers moves at most log2(n) others.
 */
#include "base/checked.h"
#include "base/field.h"
#include "internal.h"

/* Host time can be set: nobody tells us, so a sleep that depends on it is kept short. */
#define HOST_CLOCK_SLEEP_MAX NS_PER_SEC

void timer_queue_init(struct timer_queue *queue)
{
	*queue = (struct timer_queue){.pass = INT64_MIN, .earliest = INT64_MAX};
	g_mutex_init(&queue->lock);
}

void timer_queue_clear(struct timer_queue *queue)
{
	g_mutex_clear(&queue->lock);
	g_free(queue->heap);
}

static bool earlier(const struct timer *a, const struct timer *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct timer_queue *queue, unsigned slot, struct timer *timer)
{
	queue->heap[slot] = timer;
	timer->slot = slot;
}

/* Moves @timer from @slot towards the root until its parent is earlier. */
static void sift_up(struct timer_queue *queue, unsigned slot, struct timer *timer)
{
	while (slot) {
		unsigned parent = (slot - 1) / 2;

		if (!earlier(timer, queue->heap[parent]))
			break;
		heap_put(queue, slot, queue->heap[parent]);
		slot = parent;
	}
	heap_put(queue, slot, timer);
}

/* Moves @timer from @slot away from the root until no child is earlier. */
static void sift_down(struct timer_queue *queue, unsigned slot, struct timer *timer)
{
	for (;;) {
		unsigned child = 2 * slot + 1;

		if (child >= queue->count)
			break;
		if (child + 1 < queue->count && earlier(queue->heap[child + 1], queue->heap[child]))
			child++;
		if (!earlier(queue->heap[child], timer))
			break;
		heap_put(queue, slot, queue->heap[child]);
		slot = child;
	}
	heap_put(queue, slot, timer);
}

static void note_earliest(struct timer_queue *queue)
{
	int64_t earliest = queue->count ? queue->heap[0]->expires : INT64_MAX;

	__atomic_store_n(&queue->earliest, earliest, __ATOMIC_SEQ_CST);
}

static void set_expires(struct timer *timer, int64_t expires)
{
	__atomic_store_n(&timer->expires, expires, __ATOMIC_RELAXED);
}

static void heap_insert(struct timer_queue *queue, struct timer *timer)
{
	if (queue->count == queue->capacity) {
		queue->capacity = MAX(8, queue->capacity * 2);
		queue->heap = g_renew(struct timer *, queue->heap, queue->capacity);
	}
	sift_up(queue, queue->count++, timer);
	note_earliest(queue);
}

static void heap_remove(struct timer_queue *queue, struct timer *timer)
{
	unsigned slot = timer->slot;
	struct timer *last = queue->heap[--queue->count];

	if (last != timer) {
		sift_down(queue, slot, last);
		sift_up(queue, last->slot, last);
	}
	set_expires(timer, -1);
	note_earliest(queue);
}

static struct timer_queue *queue_of(const struct timer *timer)
{
	return &timer->loop->timers[timer->clock];
}

void timer_init(struct timer *timer, struct loop *loop, enum clock_id clock,
		void (*fn)(void *opaque), void *opaque)
{
	*timer = (struct timer){
		.clock = clock, .expires = -1, .fn = fn, .opaque = opaque, .loop = loop};
}

/*
 * While a pass runs, a timer set for its past goes behind all that the pass has still to run, and
 * is left for the next pass: one that always sets itself for the past delays nobody.
 */
void timer_set(struct timer *timer, int64_t expires)
{
	struct timer_queue *queue = queue_of(timer);
	bool first;

	g_mutex_lock(&queue->lock);
	if (timer_pending(timer))
		heap_remove(queue, timer);
	set_expires(timer, MAX(expires, 0));
	timer->due = MAX(timer->expires, queue->pass);
	timer->order = ++queue->order;
	heap_insert(queue, timer);
	first = !timer->slot;
	g_mutex_unlock(&queue->lock);
	if (first && !loop_is_mine(timer->loop))
		loop_kick(timer->loop);
}

void timer_del(struct timer *timer)
{
	struct timer_queue *queue = queue_of(timer);

	g_mutex_lock(&queue->lock);
	if (timer_pending(timer))
		heap_remove(queue, timer);
	g_mutex_unlock(&queue->lock);
}

int64_t timer_remaining(const struct timer *timer)
{
	int64_t expires = __atomic_load_n(&timer->expires, __ATOMIC_RELAXED);

	if (expires < 0)
		return -1;
	return MAX(0, expires - clock_now(timer->clock));
}

int64_t timers_earliest(const struct loop *loop, enum clock_id clock)
{
	return __atomic_load_n(&loop->timers[clock].earliest, __ATOMIC_SEQ_CST);
}

int64_t timers_timeout(struct loop *loop)
{
	int64_t timeout = INT64_MAX;

	for (enum clock_id clock = 0; clock < QCLOCK_COUNT; clock++) {
		int64_t earliest = timers_earliest(loop, clock);
		int64_t left;

		if (earliest == INT64_MAX || !clock_fires(clock))
			continue;
		left = MAX(0, earliest - clock_now(clock));
		if (clock == QCLOCK_HOST)
			left = MIN(left, HOST_CLOCK_SLEEP_MAX);
		timeout = MIN(timeout, left);
	}
	return timeout == INT64_MAX ? -1 : timeout;
}

bool timers_run_at(struct loop *loop, enum clock_id clock, int64_t now)
{
	struct timer_queue *queue = &loop->timers[clock];
	struct timer *timer;
	int64_t outer_pass;
	uint64_t last;
	bool any = false;

	if (timers_earliest(loop, clock) > now)
		return false;
	g_mutex_lock(&queue->lock);
	outer_pass = queue->pass; /* a callback may turn the loop itself */
	queue->pass = now;
	last = queue->order;
	while (queue->count && (timer = queue->heap[0])->due <= now && timer->order <= last) {
		void (*fn)(void *opaque) = timer->fn;
		void *opaque = timer->opaque;

		heap_remove(queue, timer);
		g_mutex_unlock(&queue->lock);
		fn(opaque); /* the timer may be gone after this */
		any = true;
		g_mutex_lock(&queue->lock);
	}
	queue->pass = outer_pass;
	g_mutex_unlock(&queue->lock);
	return any;
}

void timers_run(struct loop *loop)
{
	for (enum clock_id clock = 0; clock < QCLOCK_COUNT; clock++)
		if (timers_earliest(loop, clock) != INT64_MAX && clock_fires(clock))
			timers_run_at(loop, clock, clock_now(clock));
}

/* ---- Saved state ---- */

static void timer_custom_save(const void *ptr, GByteArray *out)
{
	const struct timer *timer = ptr;
	uint8_t bytes[8];

	put_le64(bytes, (uint64_t)timer->expires);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

static bool timer_custom_load(void *ptr, const uint8_t *data, size_t len, GError **errp)
{
	struct timer *timer = ptr;
	int64_t expires;

	if (len != sizeof(uint64_t)) {
		error_set(errp, "A timer takes 8 bytes, not %zu", len);
		return false;
	}
	expires = (int64_t)get_le64(data);
	if (expires < -1) {
		error_set(errp, "A timer cannot expire at %" PRId64 " ns", expires);
		return false;
	}
	if (expires < 0)
		timer_del(timer);
	else
		timer_set(timer, expires);
	return true;
}

static void timer_custom_clear(void *ptr)
{
	timer_del(ptr);
}

const struct field_custom timer_custom = {
	.name = "timer",
	.clear = timer_custom_clear,
	.save = timer_custom_save,
	.load = timer_custom_load,
};
