#include <signal.h>
#include <unistd.h>
#include "event/lock.h"
#include "event/worker.h"

#define JOBS 300

struct tally {
	int worked;
	int done;
	GMutex lock;
	GCond cond;
	int inside;
	int at_once; /* the most that were inside together */
};

static unsigned thread_count(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(dir))
		count++;
	return count;
}

static unsigned threads_before; /* a sanitizer may have one of its own */

static void test_none_yet(void)
{
	worker_drain();
	g_assert_cmpuint(thread_count(), ==, threads_before);
}

static int count_work(void *opaque)
{
	struct tally *tally = opaque;

	return g_atomic_int_add(&tally->worked, 1);
}

static void count_done(void *opaque, int result)
{
	struct tally *tally = opaque;

	g_assert_true(machine_locked());
	g_assert_cmpint(result, >=, 0);
	tally->done++;
}

static void test_results(void)
{
	struct tally tally = {};

	for (unsigned i = 0; i < JOBS; i++)
		worker_submit(loop_main(), count_work, count_done, &tally);
	while (tally.done < JOBS)
		loop_run_once(loop_main(), true);
	g_assert_cmpint(tally.worked, ==, JOBS);
}

static void test_drain(void)
{
	struct tally tally = {};

	for (unsigned i = 0; i < JOBS; i++)
		worker_submit(loop_main(), count_work, i % 2 ? count_done : NULL, &tally);
	worker_drain();
	g_assert_cmpint(g_atomic_int_get(&tally.worked), ==, JOBS);
	g_assert_cmpint(tally.done, ==, 0);
	loop_run_once(loop_main(), false);
	g_assert_cmpint(tally.done, ==, JOBS / 2);
}

/* Waits inside until 64 are there. */
static int crowd(void *opaque)
{
	struct tally *tally = opaque;

	g_mutex_lock(&tally->lock);
	tally->inside++;
	tally->at_once = MAX(tally->at_once, tally->inside);
	g_cond_broadcast(&tally->cond);
	while (tally->at_once < 64)
		g_cond_wait(&tally->cond, &tally->lock);
	tally->inside--;
	g_mutex_unlock(&tally->lock);
	return 0;
}

/* Blocked jobs do not keep others from running, up to 64 at once and no more. */
static void test_limit(void)
{
	struct tally tally = {};

	for (unsigned i = 0; i < 100; i++)
		worker_submit(loop_main(), crowd, NULL, &tally);
	worker_drain();
	g_assert_cmpint(tally.at_once, ==, 64);
	g_assert_cmpuint(thread_count(), <=, threads_before + 64);
}

static int look_at_mask(void *opaque)
{
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT) &&
	       !sigismember(&mask, SIGSEGV);
}

static void mask_seen(void *opaque, int result)
{
	*(int *)opaque = result;
}

static void test_signals(void)
{
	int result = -1;

	worker_submit(loop_main(), look_at_mask, mask_seen, &result);
	while (result < 0)
		loop_run_once(loop_main(), true);
	g_assert_cmpint(result, ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	threads_before = thread_count();
	loop_init_main();
	g_test_add_func("/worker/none-yet", test_none_yet);
	g_test_add_func("/worker/results", test_results);
	g_test_add_func("/worker/drain", test_drain);
	g_test_add_func("/worker/limit", test_limit);
	g_test_add_func("/worker/signals", test_signals);
	return g_test_run();
}
