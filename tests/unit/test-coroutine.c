#include <fenv.h>
#include <sys/resource.h>
#include <unistd.h>
#include "event/clock.h"
#include "event/coroutine.h"
#include "event/lock.h"

static GString *trail;

static void note(char c)
{
	g_string_append_c(trail, c);
}

static void assert_trail(const char *want)
{
	g_assert_cmpstr(trail->str, ==, want);
	g_string_truncate(trail, 0);
}

static void turn(void)
{
	loop_run_once(loop_main(), false);
}

static struct coroutine *sleeper;

static void two_yields(void *opaque)
{
	g_assert_true(opaque == &sleeper);
	sleeper = co_self();
	g_assert_nonnull(sleeper);
	note('1');
	co_yield ();
	g_assert_true(co_self() == sleeper);
	note('2');
	co_yield ();
	note('3');
}

static void test_yield(void)
{
	g_assert_null(co_self());
	co_start(two_yields, &sleeper);
	g_assert_null(co_self());
	assert_trail("1");
	turn();
	assert_trail("");
	co_wake(sleeper);
	co_wake(sleeper); /* counts once */
	assert_trail("");
	turn();
	assert_trail("2");
	turn();
	assert_trail("");
	co_wake(sleeper);
	turn();
	assert_trail("3");
}

static void early(void *opaque)
{
	co_wake(co_self());
	note('a');
	co_yield (); /* lets others go first, but comes back by itself */
	note('b');
}

static void test_wake_before_yield(void)
{
	co_start(early, NULL);
	assert_trail("a");
	turn();
	assert_trail("b");
}

static void inner(void *opaque)
{
	note('i');
	sleeper = co_self();
	co_yield ();
	g_assert_true(co_self() == sleeper);
	note('j');
}

static void outer(void *opaque)
{
	struct coroutine *self = co_self();

	note('(');
	co_start(inner, NULL);
	g_assert_true(co_self() == self);
	note(')');
}

static void test_nested(void)
{
	co_start(outer, NULL);
	assert_trail("(i)");
	co_wake(sleeper);
	turn();
	assert_trail("j");
}

/* A coroutine sees most of its 256 KiB, again and again on recycled stacks. */
static unsigned dig(unsigned depth)
{
	volatile char frame[1024];

	memset((char *)frame, depth, sizeof(frame));
	return depth ? dig(depth - 1) + frame[7] - (char)depth : 0;
}

static void deep(void *opaque)
{
	g_assert_cmpuint(dig(100), ==, 0);
	(*(unsigned *)opaque)++;
}

static void test_stack(void)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < 200; i++)
		co_start(deep, &ends);
	g_assert_cmpuint(ends, ==, 200);
}

static void dig_through(void *opaque)
{
	dig(10000);
}

/* Too deep a recursion meets the guard page, not somebody's memory. */
static void test_guard(void)
{
	if (g_test_subprocess()) {
		struct rlimit no_core = {};

		setrlimit(RLIMIT_CORE, &no_core);
		co_start(dig_through, NULL);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
}

enum { MANY = 300 };
static struct coroutine *many[MANY];

static void one_of_many(void *opaque)
{
	unsigned *ends = opaque;
	unsigned slot = (*ends)++;
	double number = slot * 1.5;

	many[slot] = co_self();
	co_yield ();
	g_assert_true(many[slot] == co_self());
	g_assert_cmpfloat(number, ==, slot * 1.5);
	many[slot] = NULL;
	(*ends)--;
}

/* More at once than the pool keeps. */
static void test_many(void)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < MANY; i++)
		co_start(one_of_many, &ends);
	g_assert_cmpuint(ends, ==, MANY);
	for (unsigned i = 0; i < MANY; i++)
		co_wake(many[(i * 7) % MANY]);
	turn();
	g_assert_cmpuint(ends, ==, 0);
}

static void rounding(void *opaque)
{
	sleeper = co_self();
	g_assert_cmpint(fegetround(), ==, FE_TONEAREST);
	fesetround(FE_UPWARD);
	co_yield ();
	g_assert_cmpint(fegetround(), ==, FE_UPWARD);
}

/* Rounding mode and the like belong to a context as its registers do. */
static void test_float_control(void)
{
	co_start(rounding, NULL);
	g_assert_cmpint(fegetround(), ==, FE_TONEAREST);
	fesetround(FE_DOWNWARD);
	co_wake(sleeper);
	turn();
	g_assert_cmpint(fegetround(), ==, FE_DOWNWARD);
	fesetround(FE_TONEAREST);
}

/* ---- Waiting ---- */

static void sleepy(void *opaque)
{
	int64_t start = clock_now(QCLOCK_REALTIME);

	co_wake(co_self()); /* a stray wake does not end the sleep */
	co_sleep(QCLOCK_REALTIME, 2 * NS_PER_MS);
	g_assert_cmpint(clock_now(QCLOCK_REALTIME) - start, >=, 2 * NS_PER_MS);
	note('s');
}

static void test_sleep(void)
{
	co_start(sleepy, NULL);
	assert_trail("");
	while (!trail->len)
		loop_run_once(loop_main(), true);
	assert_trail("s");
}

static int work(void *opaque)
{
	g_assert_null(co_self());
	g_assert_false(machine_locked());
	*(int *)opaque = gettid();
	return -7;
}

static void employer(void *opaque)
{
	int tid = 0;

	g_assert_cmpint(co_run_in_worker(work, &tid), ==, -7);
	g_assert_cmpint(tid, !=, 0);
	g_assert_cmpint(tid, !=, gettid());
	note('w');
}

static void test_worker(void)
{
	co_start(employer, NULL);
	while (!trail->len)
		loop_run_once(loop_main(), true);
	assert_trail("w");
}

static void pipe_reader(void *opaque)
{
	int fd = *(int *)opaque;
	char c;

	g_assert_cmpint(co_wait_fd(fd, G_IO_IN), ==, G_IO_IN);
	g_assert_cmpint(read(fd, &c, 1), ==, 1);
	note(c);
	g_assert_cmpint(co_wait_fd(fd, G_IO_IN), ==, G_IO_HUP);
	note('h');
}

static void test_fd(void)
{
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	co_start(pipe_reader, &fds[0]);
	turn();
	assert_trail("");
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	turn();
	turn();
	assert_trail("x");
	close(fds[1]);
	turn();
	turn();
	assert_trail("h");
	close(fds[0]);
}

/* ---- Mutexes and queues ---- */

struct fifo {
	struct co_mutex mutex;
	struct co_queue queue;
	char next;
};

static void fifo_lock(void *opaque)
{
	struct fifo *fifo = opaque;
	char name = fifo->next++;

	co_mutex_lock(&fifo->mutex);
	note(name);
	co_wake(co_self());
	co_yield ();
	note(g_ascii_toupper(name));
	co_mutex_unlock(&fifo->mutex);
}

static void test_mutex(void)
{
	struct fifo fifo = {.next = 'a'};

	co_mutex_init(&fifo.mutex);
	for (unsigned i = 0; i < 4; i++)
		co_start(fifo_lock, &fifo);
	while (trail->len < 8)
		turn();
	assert_trail("aAbBcCdD");
	co_mutex_destroy(&fifo.mutex);
}

static void fifo_wait(void *opaque)
{
	struct fifo *fifo = opaque;
	char name = fifo->next++;

	co_mutex_lock(&fifo->mutex);
	co_queue_wait(&fifo->queue, &fifo->mutex);
	note(name);
	co_mutex_unlock(&fifo->mutex);
	co_queue_wait(&fifo->queue, NULL);
	note(g_ascii_toupper(name));
}

static void test_queue(void)
{
	struct fifo fifo = {.next = 'a'};

	co_mutex_init(&fifo.mutex);
	co_queue_init(&fifo.queue);
	g_assert_false(co_queue_wake_one(&fifo.queue));
	for (unsigned i = 0; i < 3; i++)
		co_start(fifo_wait, &fifo);
	turn();
	assert_trail("");
	g_assert_true(co_queue_wake_one(&fifo.queue));
	turn();
	assert_trail("a");
	co_queue_wake_all(&fifo.queue);
	turn();
	turn();
	assert_trail("bcA");
	co_queue_wake_all(&fifo.queue);
	turn();
	assert_trail("BC");
	g_assert_false(co_queue_wake_one(&fifo.queue));
	co_queue_destroy(&fifo.queue);
	co_mutex_destroy(&fifo.mutex);
}

/* ---- Across loops ---- */

#define ROUNDS 500

struct contest {
	struct co_mutex mutex;
	unsigned inside;
	unsigned counter;
	int ended;
};

static void contend(void *opaque)
{
	struct contest *contest = opaque;
	struct loop *loop = loop_current();

	for (unsigned i = 0; i < ROUNDS; i++) {
		co_mutex_lock(&contest->mutex);
		g_assert_true(loop_current() == loop);
		g_assert_cmpuint(contest->inside++, ==, 0);
		contest->counter++;
		if (i % 8 == 0) {
			co_wake(co_self());
			co_yield ();
		}
		contest->inside--;
		co_mutex_unlock(&contest->mutex);
	}
	g_atomic_int_inc(&contest->ended);
	loop_kick(loop_main());
}

static void test_contest(void)
{
	struct contest contest = {};
	struct loop *loops[2] = {loop_new("io0", NULL), loop_new("io1", NULL)};

	co_mutex_init(&contest.mutex);
	for (unsigned i = 0; i < 4; i++)
		co_start_on(loops[i % 2], contend, &contest);
	co_start(contend, &contest);
	co_start_on(loop_main(), contend, &contest);
	while (g_atomic_int_get(&contest.ended) < 6)
		loop_run_once(loop_main(), true);
	g_assert_cmpuint(contest.counter, ==, 6 * ROUNDS);
	for (unsigned i = 0; i < 2; i++)
		loop_free(loops[i]);
	co_mutex_destroy(&contest.mutex);
}

static void on_main(void *opaque)
{
	g_assert_true(machine_locked());
	note('m');
}

static gpointer start_from_thread(gpointer opaque)
{
	co_start(on_main, NULL);
	return NULL;
}

/* A thread without a loop starts coroutines on the main loop. */
static void test_start_from_thread(void)
{
	GThread *thread = g_thread_new("vcpu", start_from_thread, NULL);

	while (!trail->len)
		loop_run_once(loop_main(), true);
	assert_trail("m");
	g_thread_join(thread);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	trail = g_string_new(NULL);
	g_test_add_func("/coroutine/yield", test_yield);
	g_test_add_func("/coroutine/wake-before-yield", test_wake_before_yield);
	g_test_add_func("/coroutine/nested", test_nested);
	g_test_add_func("/coroutine/stack", test_stack);
	g_test_add_func("/coroutine/guard", test_guard);
	g_test_add_func("/coroutine/many", test_many);
	g_test_add_func("/coroutine/float-control", test_float_control);
	g_test_add_func("/coroutine/sleep", test_sleep);
	g_test_add_func("/coroutine/worker", test_worker);
	g_test_add_func("/coroutine/fd", test_fd);
	g_test_add_func("/coroutine/mutex", test_mutex);
	g_test_add_func("/coroutine/queue", test_queue);
	g_test_add_func("/coroutine/contest", test_contest);
	g_test_add_func("/coroutine/start-from-thread", test_start_from_thread);
	return g_test_run();
}
