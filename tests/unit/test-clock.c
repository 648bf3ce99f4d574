#include "base/field.h"
#include "event/clock.h"
#include "event/lock.h"

static GString *trail;

/* A timer that notes its name and, in virtual time, when it fired. */
struct named {
	struct timer timer;
	const char *name;
	int64_t period; /* 0: does not set itself again */
	int64_t set_to; /* with period -1: for this moment */
	unsigned repeats;
};

static void named_fire(void *opaque)
{
	struct named *named = opaque;
	struct timer *timer = &named->timer;

	g_assert_false(timer_pending(timer));
	g_assert_true(!timer->loop || machine_locked());
	if (timer->clock == QCLOCK_VIRTUAL)
		g_string_append_printf(trail, "%s@%" PRId64 " ", named->name,
				       clock_now(QCLOCK_VIRTUAL));
	else
		g_string_append_printf(trail, "%s ", named->name);
	if (!named->repeats)
		return;
	named->repeats--;
	timer_set(timer,
		  named->period < 0 ? named->set_to : clock_now(timer->clock) + named->period);
}

static void named_init(struct named *named, const char *name, enum clock_id clock)
{
	*named = (struct named){.name = name};
	timer_init(&named->timer, loop_main(), clock, named_fire, named);
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

/* Born stopped at 0; flows when enabled; frozen and restarted without a jump. */
static void test_virtual(void)
{
	int64_t a, b;
	struct named t;

	g_assert_cmpint(clock_virtual_get(), ==, 0);
	g_usleep(2000);
	g_assert_cmpint(clock_now(QCLOCK_VIRTUAL), ==, 0);
	named_init(&t, "v", QCLOCK_VIRTUAL);
	timer_set(&t.timer, 0);
	turn();
	assert_trail(""); /* no virtual timer fires while guest time stands */

	clock_virtual_enable(true);
	turn();
	g_assert_true(g_str_has_prefix(trail->str, "v@"));
	g_string_truncate(trail, 0);
	g_usleep(2000);
	a = clock_virtual_get();
	g_assert_cmpint(a, >=, 2 * NS_PER_MS);
	clock_virtual_enable(false);
	b = clock_virtual_get();
	g_assert_cmpint(b, >=, a);
	g_usleep(20000);
	g_assert_cmpint(clock_virtual_get(), ==, b);
	a = clock_now(QCLOCK_REALTIME);
	clock_virtual_enable(true);
	/* As much guest time as host time went by, so no part of the pause is in it. */
	g_assert_cmpint(clock_virtual_get() - b, <=, clock_now(QCLOCK_REALTIME) - a);
	clock_virtual_enable(false);
	clock_virtual_set(12345);
	g_assert_cmpint(clock_virtual_get(), ==, 12345);
	clock_virtual_set(0);
}

static void test_host_clocks(void)
{
	int64_t real = g_get_real_time() * 1000, mono = g_get_monotonic_time() * 1000;

	g_assert_cmpint(clock_now(QCLOCK_HOST), >=, real);
	g_assert_cmpint(clock_now(QCLOCK_REALTIME), >=, mono);
}

/* Wakes the sleeping loop, not too early. */
static void test_realtime(void)
{
	int64_t start = clock_now(QCLOCK_REALTIME);
	struct named a, b, c;

	named_init(&a, "a", QCLOCK_REALTIME);
	named_init(&b, "b", QCLOCK_REALTIME);
	named_init(&c, "c", QCLOCK_HOST);
	g_assert_cmpint(timer_remaining(&a.timer), ==, -1);
	timer_set(&a.timer, start + 3 * NS_PER_MS);
	timer_set(&b.timer, start + NS_PER_MS);
	timer_set(&c.timer, clock_now(QCLOCK_HOST) + NS_PER_SEC * 1000);
	g_assert_cmpint(timer_remaining(&c.timer), >, NS_PER_SEC);
	timer_del(&c.timer);
	g_assert_false(timer_pending(&c.timer));
	while (timer_pending(&a.timer))
		loop_run_once(loop_main(), true);
	g_assert_cmpint(clock_now(QCLOCK_REALTIME) - start, >=, 3 * NS_PER_MS);
	assert_trail("b a ");
	timer_set(&a.timer, start);
	g_assert_cmpint(timer_remaining(&a.timer), ==, 0);
	turn();
	assert_trail("a ");
}

/* One that always sets itself for the past neither hangs the loop nor starves another. */
static void test_overdue(void)
{
	struct named a, b;

	named_init(&a, "a", QCLOCK_REALTIME);
	named_init(&b, "b", QCLOCK_REALTIME);
	a.repeats = 5;
	a.period = -1;
	a.set_to = 1;
	timer_set(&a.timer, 1);
	timer_set(&b.timer, 2);
	turn();
	assert_trail("a b ");
	turn();
	assert_trail("a ");
	timer_del(&a.timer);
	timer_set(&a.timer, -5);
	g_assert_cmpint(a.timer.expires, ==, 0);
	timer_del(&a.timer);
	timer_del(&a.timer);
}

/* The heap against the order it promises, with hundreds of timers set, set again and deleted. */
static int order_expected;
static int64_t order_last;

static void order_fire(void *opaque)
{
	struct named *named = opaque;

	g_assert_cmpint(named->set_to, >=, order_last);
	g_assert_cmpint(clock_virtual_get(), ==, named->set_to);
	order_last = named->set_to;
	order_expected--;
}

static void test_many(void)
{
	enum { COUNT = 500 };
	g_autofree struct named *timers = g_new0(struct named, COUNT);
	int64_t start = clock_virtual_get(), earliest = INT64_MAX;

	for (unsigned i = 0; i < COUNT; i++)
		timer_init(&timers[i].timer, loop_main(), QCLOCK_VIRTUAL, order_fire, &timers[i]);
	for (unsigned i = 0; i < 5 * COUNT; i++) {
		struct named *t = &timers[g_test_rand_int_range(0, COUNT)];

		t->set_to = start + g_test_rand_int_range(1, 300);
		timer_set(&t->timer, t->set_to);
	}
	for (unsigned i = 0; i < COUNT; i += 3)
		timer_del(&timers[i].timer);
	for (unsigned i = 0; i < COUNT; i++) {
		if (!timer_pending(&timers[i].timer))
			continue;
		order_expected++;
		earliest = MIN(earliest, timers[i].set_to);
	}
	g_assert_cmpint(order_expected, >, COUNT / 3);
	g_assert_cmpint(clock_virtual_deadline(), ==, earliest);
	g_assert_cmpint(clock_virtual_step(start + 300), ==, start + 300);
	g_assert_cmpint(order_expected, ==, 0);
	g_assert_cmpint(clock_virtual_deadline(), ==, INT64_MAX);
}

/* Manual time: each timer at exactly its own moment, also those set on the way. */
static void test_step(void)
{
	struct named a, b, c;

	clock_virtual_set(0);
	named_init(&a, "a", QCLOCK_VIRTUAL);
	named_init(&b, "b", QCLOCK_VIRTUAL);
	named_init(&c, "c", QCLOCK_VIRTUAL);
	a.period = 10;
	a.repeats = 3;
	timer_set(&a.timer, 5);
	timer_set(&b.timer, 25);
	timer_set(&c.timer, 25);
	timer_set(&b.timer, 25); /* set later, so it fires after c */
	turn();
	assert_trail("");
	g_assert_cmpint(clock_virtual_step(4), ==, 4);
	assert_trail("");
	g_assert_cmpint(clock_virtual_step(30), ==, 30);
	assert_trail("a@5 a@15 c@25 b@25 a@25 ");
	g_assert_cmpint(clock_virtual_step(10), ==, 30);
	g_assert_cmpint(clock_virtual_deadline(), ==, 35);
	g_assert_cmpint(clock_virtual_step(1000), ==, 1000);
	assert_trail("a@35 ");

	/* Set for now, or for the past: fires at this moment, by a step or by the loop. */
	a.period = 0;
	a.repeats = 2;
	timer_set(&a.timer, 1000);
	g_assert_cmpint(clock_virtual_step(1000), ==, 1000);
	assert_trail("a@1000 a@1000 a@1000 ");
	timer_set(&a.timer, 500);
	loop_run_once(loop_main(), true);
	assert_trail("a@1000 ");

	/* Endlessly for the past: time goes on all the same. */
	a.repeats = UINT_MAX;
	a.period = -1;
	a.set_to = 0;
	timer_set(&a.timer, 1001);
	g_assert_cmpint(clock_virtual_step(2000), ==, 2000);
	timer_del(&a.timer);
	g_string_truncate(trail, 0);
}

/* Under qtest too a stopped guest's timers wait, whatever the clock does. */
static void test_step_stopped(void)
{
	int64_t start = clock_virtual_get();
	struct named a;

	named_init(&a, "a", QCLOCK_VIRTUAL);
	timer_set(&a.timer, start + 5);
	clock_virtual_enable(false);
	g_assert_cmpint(clock_virtual_step(start + 10), ==, start + 10);
	turn();
	assert_trail("");
	clock_virtual_enable(true);
	g_assert_cmpint(clock_virtual_get(), ==, start + 10);
	turn();
	g_assert_true(g_str_has_prefix(trail->str, "a@"));
	g_string_truncate(trail, 0);
}

static void test_saved(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GError) err = NULL;
	struct named a, b;

	named_init(&a, "a", QCLOCK_VIRTUAL);
	named_init(&b, "b", QCLOCK_VIRTUAL);
	timer_set(&a.timer, 123456789);
	timer_custom.save(&a.timer, bytes);
	g_assert_cmpuint(bytes->len, ==, 8);
	g_assert_true(timer_custom.load(&b.timer, bytes->data, 8, &err));
	g_assert_cmpint(b.timer.expires, ==, 123456789);
	timer_del(&a.timer);
	g_byte_array_set_size(bytes, 0);
	timer_custom.save(&a.timer, bytes);
	g_assert_true(timer_custom.load(&b.timer, bytes->data, 8, &err));
	g_assert_false(timer_pending(&b.timer));
	g_assert_false(timer_custom.load(&b.timer, bytes->data, 7, &err));
	g_clear_error(&err);
	bytes->data[0] = 0xfe;
	g_assert_false(timer_custom.load(&b.timer, bytes->data, 8, &err));
	g_assert_cmpstr(err->message, ==, "A timer cannot expire at -2 ns");
}

/* ---- Threads ---- */

static int fired;

static void count_fired(void *opaque)
{
	g_assert_true(loop_current() == opaque);
	g_atomic_int_inc(&fired);
}

/* A timer of an iothread, set from here, wakes that loop and runs there. */
static void test_iothread(void)
{
	struct loop *loop = loop_new("io", NULL);
	struct timer timer, later;

	timer_init(&timer, loop, QCLOCK_REALTIME, count_fired, loop);
	timer_init(&later, loop, QCLOCK_REALTIME, count_fired, loop);
	timer_set(&later, clock_now(QCLOCK_REALTIME) + 1000 * NS_PER_SEC);
	g_usleep(1000);
	timer_set(&timer, clock_now(QCLOCK_REALTIME) + NS_PER_MS);
	while (!g_atomic_int_get(&fired))
		g_usleep(100);
	timer_init(&timer, loop, QCLOCK_VIRTUAL, count_fired, loop);
	timer_set(&timer, clock_virtual_get() + 5);
	clock_virtual_step(clock_virtual_get() + 10);
	while (g_atomic_int_get(&fired) < 2)
		g_usleep(100);
	timer_del(&later);
	loop_free(loop);
}

static int stop;

static gpointer watch_time(gpointer opaque)
{
	int64_t last = 0;

	while (!g_atomic_int_get(&stop)) {
		int64_t now = clock_virtual_get();

		g_assert_cmpint(now, >=, last);
		last = now;
	}
	return NULL;
}

/* Whoever reads guest time while it is stopped and started never sees it step back. */
static void test_monotonic(void)
{
	GThread *thread = g_thread_new("watch", watch_time, NULL);

	for (unsigned i = 0; i < 2000; i++) {
		clock_virtual_enable(i & 1);
		g_usleep(5);
	}
	clock_virtual_enable(false);
	g_atomic_int_set(&stop, 1);
	g_thread_join(thread);
}

static void test_manual_begins(void)
{
	int64_t before = clock_virtual_get();

	clock_virtual_set_manual();
	g_usleep(1000);
	g_assert_cmpint(clock_virtual_get(), ==, before);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	trail = g_string_new(NULL);
	g_test_add_func("/clock/virtual", test_virtual);
	g_test_add_func("/clock/host", test_host_clocks);
	g_test_add_func("/clock/realtime", test_realtime);
	g_test_add_func("/clock/overdue", test_overdue);
	g_test_add_func("/clock/monotonic", test_monotonic);
	g_test_add_func("/clock/manual/begins", test_manual_begins);
	g_test_add_func("/clock/manual/many", test_many);
	g_test_add_func("/clock/manual/step", test_step);
	g_test_add_func("/clock/manual/stopped", test_step_stopped);
	g_test_add_func("/clock/manual/iothread", test_iothread);
	g_test_add_func("/clock/saved", test_saved);
	return g_test_run();
}
