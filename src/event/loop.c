/*
 * Loops: making them, and turning them; internal.h says what a turn is.
 */
#include <poll.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "event/lock.h"
#include "event/thread.h"
#include "internal.h"

/* The kernel's pollfd and GLib's are the same thing under two names. */
_Static_assert(sizeof(GPollFD) == sizeof(struct pollfd) &&
		       offsetof(GPollFD, revents) == offsetof(struct pollfd, revents),
	       "GPollFD is struct pollfd");

static struct loop *main_loop;
static __thread struct loop *thread_loop; /* NULL in threads that turn none */

static struct {
	GMutex lock;
	struct loop *first;
} loops;

void loops_foreach(void (*fn)(struct loop *loop, void *opaque), void *opaque)
{
	g_mutex_lock(&loops.lock);
	for (struct loop *loop = loops.first; loop; loop = loop->next)
		fn(loop, opaque);
	g_mutex_unlock(&loops.lock);
}

static void kick_one(struct loop *loop, void *opaque)
{
	loop_kick(loop);
}

void loops_kick(void)
{
	loops_foreach(kick_one, NULL);
}

static void loops_add(struct loop *loop)
{
	g_mutex_lock(&loops.lock);
	loop->next = loops.first;
	loops.first = loop;
	g_mutex_unlock(&loops.lock);
}

static void loops_remove(struct loop *loop)
{
	struct loop **link = &loops.first;

	g_mutex_lock(&loops.lock);
	while (*link != loop)
		link = &(*link)->next;
	*link = loop->next;
	g_mutex_unlock(&loops.lock);
}

static struct loop *loop_alloc(const char *name, GMainContext *context, GError **errp)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct loop *loop;

	if (fd < 0) {
		error_set_errno(errp, errno, "Could not create an eventfd for loop '%s'", name);
		return NULL;
	}
	loop = g_new0(struct loop, 1);
	loop->name = g_strdup(name);
	loop->context = g_main_context_ref(context);
	loop->kick_fd = fd;
	g_mutex_init(&loop->gate);
	g_mutex_init(&loop->lock);
	loop->ready_tail = &loop->ready;
	for (unsigned i = 0; i < QCLOCK_COUNT; i++)
		timer_queue_init(&loop->timers[i]);
	loop->fds_capacity = 16;
	loop->fds = g_new(GPollFD, loop->fds_capacity);
	loop->fds[0] = (GPollFD){.fd = fd, .events = G_IO_IN};
	loops_add(loop);
	return loop;
}

static void loop_destroy(struct loop *loop)
{
	loops_remove(loop);
	bh_drop_all(loop);
	for (unsigned i = 0; i < QCLOCK_COUNT; i++)
		timer_queue_clear(&loop->timers[i]);
	g_main_context_unref(loop->context);
	close(loop->kick_fd);
	if (loop->pollers)
		g_ptr_array_unref(loop->pollers);
	g_mutex_clear(&loop->gate);
	g_mutex_clear(&loop->lock);
	g_free(loop->fds);
	g_free(loop->name);
	g_free(loop);
}

/* The calling thread will turn @loop from now on. */
static void loop_adopt(struct loop *loop)
{
	thread_loop = loop;
	loop->tid = gettid();
	if (!g_main_context_acquire(loop->context))
		g_error("the main context of loop '%s' belongs to another thread", loop->name);
	/* Without this the kernel may let every timer be 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

void loop_init_main(void)
{
	g_autoptr(GError) err = NULL;

	g_assert(!main_loop);
	main_loop = loop_alloc("main", g_main_context_default(), &err);
	if (!main_loop)
		g_error("%s", err->message);
	loop_adopt(main_loop);
}

struct loop *loop_main(void)
{
	return main_loop;
}

struct loop *loop_current(void)
{
	return thread_loop ?: main_loop;
}

bool loop_is_mine(const struct loop *loop)
{
	return thread_loop == loop;
}

GMainContext *loop_context(struct loop *loop)
{
	return loop->context;
}

int loop_thread_id(const struct loop *loop)
{
	/* The main thread's changes when the process daemonizes. */
	return loop == main_loop ? getpid() : __atomic_load_n(&loop->tid, __ATOMIC_ACQUIRE);
}

void loop_kick(struct loop *loop)
{
	static const uint64_t one = 1;
	int saved_errno = errno;

	/* The loop says that it sleeps, then looks for kicks; a kicker the other way round. */
	if (!__atomic_exchange_n(&loop->kicked, 1, __ATOMIC_SEQ_CST) &&
	    __atomic_load_n(&loop->sleeping, __ATOMIC_SEQ_CST) &&
	    write(loop->kick_fd, &one, sizeof(one)) < 0)
		errno = saved_errno; /* the counter is full: it is readable all the same */
}

/* Fills loop->fds after the first; returns the number and shortens *@timeout (ms, -1: endless). */
static int query_fds(struct loop *loop, int priority, int *timeout)
{
	for (;;) {
		int room = loop->fds_capacity - 1;
		int count =
			g_main_context_query(loop->context, priority, timeout, loop->fds + 1, room);

		if (count <= room)
			return count;
		loop->fds_capacity = count + 1;
		loop->fds = g_renew(GPollFD, loop->fds, loop->fds_capacity);
	}
}

/* The shorter of GLib's timeout and that of our timers, in ns; -1: endless. */
static int64_t shortest_timeout(struct loop *loop, int glib_ms)
{
	int64_t timers = timers_timeout(loop);
	int64_t glib = glib_ms < 0 ? -1 : glib_ms * NS_PER_MS;

	if (timers < 0 || glib < 0)
		return MAX(timers, glib);
	return MIN(timers, glib);
}

static void sleep_on(struct loop *loop, int count, int64_t timeout)
{
	struct timespec ts = {timeout / NS_PER_SEC, timeout % NS_PER_SEC};

	if (ppoll((struct pollfd *)loop->fds, count + 1, timeout < 0 ? NULL : &ts, NULL) > 0)
		return;
	/* A signal, or nothing: then revents are not to be believed. */
	for (int i = 0; i <= count; i++)
		loop->fds[i].revents = 0;
}

bool fds_ready(struct loop *loop, int count)
{
	sleep_on(loop, count, 0);
	for (int i = 0; i <= count; i++) {
		if (loop->fds[i].revents)
			return true;
	}
	return false;
}

static bool must_not_wait(const struct loop *loop)
{
	return bh_any(loop) || __atomic_load_n(&loop->kicked, __ATOMIC_SEQ_CST);
}

static void wait_on(struct loop *loop, int count, int glib_ms)
{
	int64_t timeout = shortest_timeout(loop, glib_ms);
	int64_t start = loop->exclusive ? clock_now(QCLOCK_REALTIME) : 0;
	bool found = timeout && !must_not_wait(loop) && loop_look(loop, count, timeout);

	__atomic_store_n(&loop->sleeping, 1, __ATOMIC_SEQ_CST);
	sleep_on(loop, count, found || must_not_wait(loop) ? 0 : shortest_timeout(loop, glib_ms));
	if (loop->exclusive)
		loop_looked(loop, clock_now(QCLOCK_REALTIME) - start);
}

static void poll_fds(struct loop *loop, int count, int glib_ms, bool wait)
{
	uint64_t kicks;

	if (wait)
		wait_on(loop, count, glib_ms);
	else
		sleep_on(loop, count, 0);
	__atomic_store_n(&loop->sleeping, 0, __ATOMIC_RELAXED);
	if (loop->fds[0].revents && read(loop->kick_fd, &kicks, sizeof(kicks)) < 0)
		g_assert(errno == EAGAIN);
	/* Before the work is looked for: a kick from here on counts for the next turn. */
	__atomic_exchange_n(&loop->kicked, 0, __ATOMIC_SEQ_CST);
}

/* What a loop's callbacks run under. True if the thread had it. */
static bool lock_give_up(struct loop *loop)
{
	if (loop->exclusive)
		return loop_leave(loop);
	if (loop != main_loop || !machine_locked())
		return false;
	machine_unlock();
	return true;
}

static void lock_take(struct loop *loop)
{
	if (loop->exclusive)
		loop_enter(loop);
	else if (loop == main_loop)
		machine_lock();
}

void loop_run_once(struct loop *loop, bool wait)
{
	bool nested;
	int priority, timeout, count;

	g_assert(loop_is_mine(loop));
	nested = lock_give_up(loop);
	g_main_context_prepare(loop->context, &priority);
	count = query_fds(loop, priority, &timeout);
	poll_fds(loop, count, timeout, wait);

	lock_take(loop);
	if (g_main_context_check(loop->context, priority, loop->fds + 1, count))
		g_main_context_dispatch(loop->context);
	pollers_run(loop);
	bh_run_all(loop);
	timers_run(loop);
	if (!nested)
		lock_give_up(loop);
}

/* ---- Loops with a thread of their own ---- */

static gpointer loop_thread(gpointer opaque)
{
	struct loop *loop = opaque;

	loop_adopt(loop);
	g_main_context_push_thread_default(loop->context);
	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
		loop_run_once(loop, true);
	loop_run_once(loop, false); /* what was deferred before the end still runs */
	g_main_context_pop_thread_default(loop->context);
	g_main_context_release(loop->context);
	return NULL;
}

static void note_started(void *opaque)
{
	sem_t *started = opaque;

	sem_post(started);
}

static struct loop *loop_start(const char *name, bool exclusive, GError **errp)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	struct loop *loop = loop_alloc(name, context, errp);
	sem_t started;

	if (!loop)
		return NULL;
	loop->exclusive = exclusive;
	sem_init(&started, 0, 0);
	loop_defer(loop, note_started, &started);
	loop->thread = thread_start(name, loop_thread, loop, errp);
	if (!loop->thread) {
		loop_destroy(loop);
		return NULL;
	}
	while (sem_wait(&started) < 0)
		continue;
	sem_destroy(&started);
	return loop;
}

struct loop *loop_new(const char *name, GError **errp)
{
	return loop_start(name, false, errp);
}

struct loop *loop_new_exclusive(const char *name, GError **errp)
{
	return loop_start(name, true, errp);
}

void loop_free(struct loop *loop)
{
	bool locked = machine_locked();

	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
	loop_kick(loop);
	if (locked)
		machine_unlock();
	g_thread_join(loop->thread);
	if (locked)
		machine_lock();
	loop_destroy(loop);
}
