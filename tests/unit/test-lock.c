#include "event/lock.h"

#define THREADS 4
#define ROUNDS  20000

struct shared {
	unsigned counter;
	GCond cond;
	bool flag;
	int stop;
};

static gpointer count_up(gpointer opaque)
{
	struct shared *shared = opaque;

	for (unsigned i = 0; i < ROUNDS; i++) {
		machine_lock();
		shared->counter++;
		machine_unlock();
	}
	return NULL;
}

static void test_exclusion(void)
{
	struct shared shared = {};
	GThread *threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("count", count_up, &shared);
	for (unsigned i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	g_assert_cmpuint(shared.counter, ==, THREADS * ROUNDS);
}

static void test_owner(void)
{
	g_assert_false(machine_locked());
	{
		MACHINE_LOCK_SCOPE();
		g_assert_true(machine_locked());
		{
			MACHINE_LOCK_SCOPE();
			g_assert_true(machine_locked());
		}
		g_assert_true(machine_locked());
	}
	g_assert_false(machine_locked());
}

static gpointer set_flag(gpointer opaque)
{
	struct shared *shared = opaque;

	MACHINE_LOCK_SCOPE();
	shared->flag = true;
	g_cond_broadcast(&shared->cond);
	return NULL;
}

static void test_wait(void)
{
	struct shared shared = {};
	GThread *thread;

	machine_lock();
	g_assert_false(machine_lock_wait_until(&shared.cond, g_get_monotonic_time() + 1000));
	g_assert_true(machine_locked());
	thread = g_thread_new("flag", set_flag, &shared);
	while (!shared.flag)
		machine_lock_wait(&shared.cond);
	g_assert_true(machine_locked());
	machine_unlock();
	g_thread_join(thread);
}

static gpointer hammer(gpointer opaque)
{
	struct shared *shared = opaque;

	while (!g_atomic_int_get(&shared->stop)) {
		machine_lock();
		for (unsigned i = 0; i < 100; i++)
			__builtin_ia32_pause();
		machine_unlock();
	}
	return NULL;
}

/* Threads that do nothing but take the lock cannot keep another out: this ends. */
static void test_fairness(void)
{
	struct shared shared = {};
	GThread *threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("hammer", hammer, &shared);
	for (unsigned i = 0; i < 200; i++) {
		machine_lock();
		machine_unlock();
		g_usleep(10);
	}
	g_atomic_int_set(&shared.stop, 1);
	for (unsigned i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lock/exclusion", test_exclusion);
	g_test_add_func("/lock/owner", test_owner);
	g_test_add_func("/lock/wait", test_wait);
	g_test_add_func("/lock/fairness", test_fairness);
	return g_test_run();
}
