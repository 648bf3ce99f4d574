#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
#include "event/clock.h"
#include "event/lock.h"
#include "event/loop.h"

static GString *trail;

#define CALL(letter) GINT_TO_POINTER(letter)

static void note(void *opaque)
{
	g_string_append_c(trail, GPOINTER_TO_INT(opaque));
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

static void test_order(void)
{
	struct bottom_half *a = bh_new(loop_main(), note, CALL('a'));
	struct bottom_half *b = bh_new(loop_main(), note, CALL('b'));
	struct bottom_half *c = bh_new(loop_main(), note, CALL('c'));

	bh_schedule(b);
	loop_defer(loop_main(), note, CALL('1'));
	bh_schedule(a);
	bh_schedule(b); /* coalesces */
	bh_schedule(c);
	bh_cancel(c);
	loop_defer(loop_main(), note, CALL('2'));
	assert_trail("");
	loop_run_once(loop_main(), true);
	assert_trail("b1a2");
	bh_schedule(c);
	turn();
	assert_trail("c");
	bh_schedule(a);
	bh_free(a);
	bh_free(b);
	bh_free(c);
	bh_free(NULL);
	turn();
	assert_trail("");
}

static struct bottom_half *again;

static void note_and_again(void *opaque)
{
	g_assert_true(machine_locked());
	note(opaque);
	bh_schedule(again);
}

/* One that schedules itself runs once a turn. */
static void test_again(void)
{
	again = bh_new(loop_main(), note_and_again, CALL('x'));
	bh_schedule(again);
	turn();
	assert_trail("x");
	loop_run_once(loop_main(), true);
	assert_trail("x");
	bh_free(again);
	turn();
	assert_trail("");
}

static void nested_turn(void *opaque)
{
	note(CALL('('));
	loop_defer(loop_main(), note, CALL('d'));
	turn();
	g_assert_true(machine_locked());
	note(CALL(')'));
}

static void test_nested(void)
{
	loop_defer(loop_main(), nested_turn, NULL);
	loop_defer(loop_main(), note, CALL('a'));
	loop_defer(loop_main(), note, CALL('b'));
	turn();
	assert_trail("(abd)");
	g_assert_false(machine_locked());
	turn();
	assert_trail("");
}

/* ---- Other threads ---- */

#define CALLS 5000

struct sender {
	unsigned id;
	unsigned sent;
};

static unsigned last_seen[2];
static unsigned received;

static void receive(void *opaque)
{
	guintptr value = GPOINTER_TO_SIZE(opaque);
	unsigned id = value & 1, n = value >> 1;

	g_assert_true(machine_locked());
	g_assert_cmpuint(n, ==, last_seen[id] + 1);
	last_seen[id] = n;
	received++;
}

static gpointer send_calls(gpointer opaque)
{
	guintptr id = GPOINTER_TO_SIZE(opaque);

	for (guintptr n = 1; n <= CALLS; n++)
		loop_defer(loop_main(), receive, GSIZE_TO_POINTER(n << 1 | id));
	return NULL;
}

/* Each thread's calls arrive, all of them, in its order, and wake the sleeping loop. */
static void test_threads(void)
{
	GThread *one = g_thread_new("one", send_calls, GSIZE_TO_POINTER(0));
	GThread *two = g_thread_new("two", send_calls, GSIZE_TO_POINTER(1));

	while (received < 2 * CALLS)
		loop_run_once(loop_main(), true);
	g_thread_join(one);
	g_thread_join(two);
}

struct pingpong {
	struct bottom_half *ping;
	struct bottom_half *pong;
	struct loop *loop;
	unsigned rounds;
};

static void ping(void *opaque)
{
	struct pingpong *p = opaque;

	g_assert_true(loop_current() == p->loop);
	g_assert_false(machine_locked());
	g_assert_cmpint(loop_thread_id(p->loop), ==, gettid());
	bh_schedule(p->pong);
}

static void pong(void *opaque)
{
	struct pingpong *p = opaque;

	g_assert_true(machine_locked());
	p->rounds++;
	bh_schedule(p->ping);
}

static void free_ping(void *opaque)
{
	struct pingpong *p = opaque;

	bh_free(p->ping);
	p->ping = NULL;
}

static void test_iothread(void)
{
	g_autoptr(GError) err = NULL;
	struct pingpong p = {.loop = loop_new("io0", &err)};

	g_assert_no_error(err);
	p.ping = bh_new(p.loop, ping, &p);
	p.pong = bh_new(loop_main(), pong, &p);
	bh_schedule(p.ping);
	while (p.rounds < 1000)
		loop_run_once(loop_main(), true);
	bh_cancel(p.pong);
	loop_defer(p.loop, free_ping, &p);
	loop_free(p.loop);
	g_assert_null(p.ping);
	bh_free(p.pong);
	g_assert_true(loop_current() == loop_main());
}

/* ---- Exclusive loops ---- */

#define EXCLUSIVE_ROUNDS 2000

struct counted {
	struct loop *loop;
	struct bottom_half *bh;
	unsigned count; /* under the loop's lock */
	int wanted;     /* atomic: for pollers */
	int looked, ran;
};

static void count_there(void *opaque)
{
	struct counted *c = opaque;

	g_assert_true(device_locked());
	c->count++;
	bh_schedule(c->bh);
}

/* A loop that never rests lets others have its lock, and nothing of it runs meanwhile. */
static void test_exclusive(void)
{
	g_autoptr(GError) err = NULL;
	struct counted c = {.loop = loop_new_exclusive("io0", &err)};

	g_assert_no_error(err);
	c.bh = bh_new(c.loop, count_there, &c);
	bh_schedule(c.bh);
	for (unsigned i = 0; i < EXCLUSIVE_ROUNDS; i++) {
		unsigned before;

		loop_lock(c.loop);
		before = c.count;
		g_thread_yield();
		g_assert_cmpuint(c.count, ==, before);
		loop_unlock(c.loop);
	}
	/* On a busy host its thread may not even have begun. */
	loop_lock(c.loop);
	while (!c.count) {
		loop_unlock(c.loop);
		g_thread_yield();
		loop_lock(c.loop);
	}
	bh_free(c.bh);
	loop_unlock(c.loop);
	loop_free(c.loop);
}

static bool poller_ready(void *opaque)
{
	return __atomic_load_n(&((struct counted *)opaque)->wanted, __ATOMIC_SEQ_CST);
}

static void poller_run(void *opaque)
{
	struct counted *c = opaque;

	__atomic_store_n(&c->wanted, 0, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&c->ran, 1, __ATOMIC_SEQ_CST);
}

static void poller_busy(void *opaque, bool busy)
{
	if (busy)
		__atomic_add_fetch(&((struct counted *)opaque)->looked, 1, __ATOMIC_SEQ_CST);
}

/* Work that comes quickly makes the loop look for it; what it finds it does, unkicked. */
static void test_polling(void)
{
	g_autoptr(GError) err = NULL;
	struct counted c = {.loop = loop_new_exclusive("io0", &err)};
	struct loop_poller poller = {poller_ready, poller_run, poller_busy, &c};

	g_assert_no_error(err);
	loop_set_polling(c.loop,
			 &(struct loop_polling){.max_ns = 1000 * NS_PER_SEC, .grow = NS_PER_SEC});
	loop_lock(c.loop);
	loop_add_poller(c.loop, &poller);
	loop_unlock(c.loop);
	while (__atomic_load_n(&c.looked, __ATOMIC_SEQ_CST) < 3) {
		loop_kick(c.loop);
		g_usleep(1000);
	}
	/* By now it looks for as long as it may. */
	for (int i = 1; i <= 100; i++) {
		__atomic_store_n(&c.wanted, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&c.ran, __ATOMIC_SEQ_CST) < i)
			g_thread_yield();
	}
	loop_lock(c.loop);
	loop_remove_poller(c.loop, &poller);
	loop_unlock(c.loop);
	loop_free(c.loop);
}

static void take_machine_lock(void *opaque)
{
	machine_lock();
	machine_unlock();
}

/* Whoever ends a loop does not stand in the way of what still runs there. */
static void test_free_under_lock(void)
{
	g_autoptr(GError) err = NULL;
	struct loop *loop = loop_new("own", &err);

	g_assert_no_error(err);
	machine_lock();
	loop_defer(loop, take_machine_lock, NULL);
	loop_free(loop);
	g_assert_true(machine_locked());
	machine_unlock();
}

/* The lock is free while the main loop sleeps, also in a turn within a callback. */
static gpointer lock_and_kick(gpointer opaque)
{
	machine_lock();
	machine_unlock();
	loop_defer(loop_main(), note, CALL('k'));
	return NULL;
}

static void nested_sleep(void *opaque)
{
	GThread *thread = g_thread_new("lock", lock_and_kick, NULL);

	while (!trail->len)
		loop_run_once(loop_main(), true);
	g_assert_true(machine_locked());
	g_thread_join(thread);
}

static void test_lock_while_asleep(void)
{
	loop_defer(loop_main(), nested_sleep, NULL);
	turn();
	assert_trail("k");
}

/* ---- Kicks ---- */

static int signals;

static void on_alarm(int sig)
{
	signals++;
	loop_kick(loop_main());
}

static void test_kick_from_signal(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value.tv_usec = 2000};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!signals)
		loop_run_once(loop_main(), true);
	loop_kick(loop_main());
	loop_run_once(loop_main(), true); /* the kick is remembered: this does not sleep */
	signal(SIGALRM, SIG_DFL);
}

/* ---- File descriptors ---- */

static struct fd_watch *reader;
static GIOCondition seen;

static void on_pipe(void *opaque, GIOCondition revents)
{
	char byte;

	seen |= revents;
	if (revents & G_IO_IN)
		g_assert_cmpint(read(*(int *)opaque, &byte, 1), ==, 1);
}

static void on_pipe_free(void *opaque, GIOCondition revents)
{
	seen |= revents;
	g_clear_pointer(&reader, fd_watch_free);
}

static GIOCondition look(void)
{
	seen = 0;
	turn();
	return seen;
}

static void test_watch(void)
{
	int fds[2];

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	reader = fd_watch_new(loop_main(), fds[0], G_IO_IN, on_pipe, &fds[0]);
	g_assert_cmpint(look(), ==, 0);
	g_assert_cmpint(write(fds[1], "abc", 3), ==, 3);
	g_assert_cmpint(look(), ==, G_IO_IN);
	fd_watch_set_events(reader, 0);
	g_assert_cmpint(look(), ==, 0);
	fd_watch_set_events(reader, G_IO_IN | G_IO_PRI);
	g_assert_cmpint(look(), ==, G_IO_IN);
	g_assert_cmpint(look(), ==, G_IO_IN);
	g_assert_cmpint(look(), ==, 0);
	close(fds[1]);
	g_assert_cmpint(look(), ==, G_IO_HUP);
	fd_watch_set_events(reader, 0);
	g_assert_cmpint(look(), ==, 0); /* a paused one does not see the hang-up either */
	fd_watch_free(reader);
	reader = fd_watch_new(loop_main(), fds[0], G_IO_IN, on_pipe_free, NULL);
	g_assert_cmpint(look(), ==, G_IO_HUP);
	g_assert_null(reader);
	g_assert_cmpint(look(), ==, 0);
	close(fds[0]);
	fd_watch_free(NULL);
}

static void test_many_watches(void)
{
	struct notifier notifiers[40];
	struct fd_watch *watches[40];

	for (unsigned i = 0; i < 40; i++) {
		g_assert_true(notifier_init(&notifiers[i], NULL));
		watches[i] =
			fd_watch_new(loop_main(), notifiers[i].fd, G_IO_IN, on_pipe_free, NULL);
	}
	g_assert_cmpint(look(), ==, 0);
	notifier_set(&notifiers[39]);
	g_assert_cmpint(look(), ==, G_IO_IN);
	for (unsigned i = 0; i < 40; i++) {
		fd_watch_free(watches[i]);
		notifier_cleanup(&notifiers[i]);
	}
}

static void test_notifier(void)
{
	struct notifier n;

	g_assert_true(notifier_init(&n, NULL));
	g_assert_false(notifier_test_and_clear(&n));
	notifier_set(&n);
	notifier_set(&n);
	g_assert_true(notifier_test_and_clear(&n));
	g_assert_false(notifier_test_and_clear(&n));
	notifier_cleanup(&n);
	notifier_cleanup(&n);
}

static gboolean on_glib_timeout(gpointer opaque)
{
	note(CALL('t'));
	return G_SOURCE_REMOVE;
}

/* Sources of plain GLib work in the main loop, and wake it in time. */
static void test_glib_source(void)
{
	g_timeout_add(2, on_glib_timeout, NULL);
	while (!trail->len)
		loop_run_once(loop_main(), true);
	assert_trail("t");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	trail = g_string_new(NULL);
	g_test_add_func("/loop/order", test_order);
	g_test_add_func("/loop/again", test_again);
	g_test_add_func("/loop/nested", test_nested);
	g_test_add_func("/loop/threads", test_threads);
	g_test_add_func("/loop/iothread", test_iothread);
	g_test_add_func("/loop/exclusive", test_exclusive);
	g_test_add_func("/loop/polling", test_polling);
	g_test_add_func("/loop/free-under-lock", test_free_under_lock);
	g_test_add_func("/loop/lock-while-asleep", test_lock_while_asleep);
	g_test_add_func("/loop/kick-from-signal", test_kick_from_signal);
	g_test_add_func("/loop/watch", test_watch);
	g_test_add_func("/loop/many-watches", test_many_watches);
	g_test_add_func("/loop/notifier", test_notifier);
	g_test_add_func("/loop/glib-source", test_glib_source);
	return g_test_run();
}
