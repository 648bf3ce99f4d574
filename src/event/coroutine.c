/*
 * Coroutines: their life, waking and yielding.
 *
 * A coroutine is WAITING between its yield and a wake, else RUNNING; a wake makes it WOKEN. Whoever
 * finds it WAITING when he does so schedules its bottom half, which enters it on its own loop; a
 * wake that finds it RUNNING is found by the next yield, which schedules the bottom half itself.
 * So there is at most one call to enter it, however many wake it.
 *
 * Stack and `struct coroutine` share a mapping, guarded by a page without access below the stack.
 * Some mappings are kept for the next coroutines.
 */
#include <sys/mman.h>
#include <unistd.h>
#include "event/coroutine.h"
#include "event/worker.h"
#include "context.h"
#include "internal.h"

#define STACK_SIZE (256 * KIB)
#define GUARD_SIZE (4 * KIB)
#define POOL_MAX   64

enum co_state { CO_RUNNING, CO_WAITING, CO_WOKEN };

struct coroutine {
	struct context context;
	struct coroutine *outer; /* runs on when this one yields; NULL: plain code does */
	struct loop *loop;
	co_fn *fn;
	void *opaque;
	struct bottom_half enter;
	int state; /* enum co_state; atomic */
	bool finished;
	void *mapping;
	struct coroutine *next; /* in the pool */
};

static struct {
	GMutex lock;
	struct coroutine *first;
	unsigned count;
} pool;

static __thread struct {
	struct context plain; /* of the thread's own stack */
	struct coroutine *running;
} thread;

/* ---- Stacks ---- */

static struct coroutine *coroutine_map(void)
{
	size_t size = GUARD_SIZE + STACK_SIZE;
	struct coroutine *co;
	char *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (mapping == MAP_FAILED || mprotect(mapping, GUARD_SIZE, PROT_NONE) < 0)
		g_error("no memory for the stack of a coroutine: %s", g_strerror(errno));
	context_stack_mapped(mapping + GUARD_SIZE, STACK_SIZE);
	co = (struct coroutine *)(mapping + size - ROUND_UP(sizeof(*co), 64));
	co->mapping = mapping;
	return co;
}

static struct coroutine *coroutine_alloc(void)
{
	struct coroutine *co;

	g_mutex_lock(&pool.lock);
	co = pool.first;
	if (co) {
		pool.first = co->next;
		pool.count--;
	}
	g_mutex_unlock(&pool.lock);
	return co ?: coroutine_map();
}

static void coroutine_release(struct bottom_half *enter)
{
	struct coroutine *co = container_of(enter, struct coroutine, enter);
	char *mapping = co->mapping;
	bool keep;

	g_mutex_lock(&pool.lock);
	keep = pool.count < POOL_MAX;
	if (keep) {
		co->next = pool.first;
		pool.first = co;
		pool.count++;
	}
	g_mutex_unlock(&pool.lock);
	if (!keep) {
		context_stack_unmapped(mapping + GUARD_SIZE, STACK_SIZE);
		munmap(mapping, GUARD_SIZE + STACK_SIZE);
	}
}

/* ---- Entering and leaving ---- */

static struct context *context_of(struct coroutine *co)
{
	return co ? &co->context : &thread.plain;
}

static void coroutine_main(void *opaque)
{
	struct coroutine *co = opaque;

	context_entered();
	co->fn(co->opaque);
	co->finished = true;
	context_leave(&co->context, context_of(co->outer));
}

/* Runs @co, on its loop's thread, until it yields or ends. */
static void coroutine_enter(struct coroutine *co)
{
	co->outer = thread.running;
	thread.running = co;
	context_switch(context_of(co->outer), &co->context);
	thread.running = co->outer;
	if (co->finished)
		bh_retire(&co->enter);
}

static void coroutine_resume(void *opaque)
{
	struct coroutine *co = opaque;

	__atomic_store_n(&co->state, CO_RUNNING, __ATOMIC_RELEASE);
	coroutine_enter(co);
}

static struct coroutine *coroutine_new(struct loop *loop, co_fn *fn, void *opaque)
{
	struct coroutine *co = coroutine_alloc();
	char *stack = (char *)co->mapping + GUARD_SIZE;

	co->loop = loop;
	co->fn = fn;
	co->opaque = opaque;
	co->finished = false;
	co->state = CO_RUNNING;
	bh_init(&co->enter, loop, coroutine_resume, co, coroutine_release);
	context_init(&co->context, stack, (char *)co - stack, coroutine_main, co);
	return co;
}

void co_start(co_fn *fn, void *opaque)
{
	struct loop *loop = loop_current();

	if (loop_is_mine(loop))
		coroutine_enter(coroutine_new(loop, fn, opaque));
	else
		co_start_on(loop, fn, opaque);
}

void co_start_on(struct loop *loop, co_fn *fn, void *opaque)
{
	struct coroutine *co = coroutine_new(loop, fn, opaque);

	co->state = CO_WOKEN;
	bh_schedule(&co->enter);
}

struct coroutine *co_self(void)
{
	return thread.running;
}

void co_yield (void)
{
	struct coroutine *co = thread.running;
	int expected = CO_RUNNING;

	g_assert(co);
	if (!__atomic_compare_exchange_n(&co->state, &expected, CO_WAITING, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		bh_schedule(&co->enter);
	context_switch(&co->context, context_of(co->outer));
}

void co_wake(struct coroutine *co)
{
	if (__atomic_exchange_n(&co->state, CO_WOKEN, __ATOMIC_ACQ_REL) == CO_WAITING)
		bh_schedule(&co->enter);
}

/* ---- Waiting for things ---- */

struct co_wait {
	struct coroutine *co;
	bool done;
	int result;
};

static void wait_end(struct co_wait *wait, int result)
{
	wait->result = result;
	wait->done = true;
	co_wake(wait->co);
}

/* What is waited for ends on the coroutine's own loop; other wakes are of no interest. */
static int wait_for(struct co_wait *wait)
{
	while (!wait->done)
		co_yield ();
	return wait->result;
}

static void sleep_over(void *opaque)
{
	wait_end(opaque, 0);
}

void co_sleep(int clock, int64_t ns)
{
	struct co_wait wait = {.co = co_self()};
	struct timer timer;

	g_assert(wait.co);
	timer_init(&timer, wait.co->loop, clock, sleep_over, &wait);
	timer_set(&timer, clock_now(clock) + ns);
	wait_for(&wait);
}

struct co_work {
	struct co_wait wait;
	int (*fn)(void *opaque);
	void *opaque;
};

static int work_run(void *opaque)
{
	struct co_work *work = opaque;

	return work->fn(work->opaque);
}

static void work_done(void *opaque, int result)
{
	struct co_work *work = opaque;

	wait_end(&work->wait, result);
}

int co_run_in_worker(int (*fn)(void *opaque), void *opaque)
{
	struct co_work work = {.wait.co = co_self(), .fn = fn, .opaque = opaque};

	g_assert(work.wait.co);
	worker_submit(work.wait.co->loop, work_run, work_done, &work);
	return wait_for(&work.wait);
}

static void fd_ready(void *opaque, GIOCondition revents)
{
	wait_end(opaque, (int)revents);
}

GIOCondition co_wait_fd(int fd, GIOCondition events)
{
	struct co_wait wait = {.co = co_self()};
	struct fd_watch *watch;

	g_assert(wait.co);
	watch = fd_watch_new(wait.co->loop, fd, events, fd_ready, &wait);
	wait_for(&wait);
	fd_watch_free(watch);
	return wait.result;
}
