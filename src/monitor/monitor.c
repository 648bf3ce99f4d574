/*
 * Monitors: the list of them, and their output.
 */
#include "base/socket.h"
#include "event/coroutine.h"
#include "event/lock.h"
#include "internal.h"
#include "machine/runstate.h"

/* Every monitor, in order of creation. Machine lock. */
static GPtrArray *monitors;

/* Whose command the thread runs; a coroutine's is found by the coroutine, which may have yielded meanwhile. */
static __thread struct monitor *current;

void monitor_foreach(void (*fn)(struct monitor *mon, void *opaque), void *opaque)
{
	for (guint i = 0; monitors && i < monitors->len; i++)
		fn(monitors->pdata[i], opaque);
}

struct monitor *monitor_current(void)
{
	struct coroutine *co = co_self();

	for (guint i = 0; co && monitors && i < monitors->len; i++) {
		struct monitor *mon = monitors->pdata[i];

		if (mon->coroutine == co)
			return mon;
	}
	return co ? NULL : current;
}

void monitor_set_current(struct monitor *mon)
{
	struct monitor *before = monitor_current();

	if (co_self() && before)
		before->coroutine = NULL;
	if (co_self() && mon)
		mon->coroutine = co_self();
	else if (!co_self())
		current = mon;
}

/* ---- Output ---- */

/* A client that does not read its replies is not read either, beyond this many bytes. */
#define BACKED_UP_BYTES (1 * MIB)

bool monitor_is_backed_up(const struct monitor *mon)
{
	return mon->out->len > BACKED_UP_BYTES;
}

static void flush_writable(void *opaque)
{
	struct monitor *mon = opaque;

	mon->notify = 0;
	bh_schedule(mon->flush);
}

/* Writes what goes. Lock held. False: some is left. */
static bool write_some(struct monitor *mon)
{
	while (mon->out->len && !mon->held) {
		int n = chardev_write(mon->fe, mon->out->str, mon->out->len);

		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			n = mon->out->len; /* nobody is there any more */
		if (n == 0)
			return false;
		g_string_erase(mon->out, 0, n);
	}
	return true;
}

/* On the loop: the rest goes out when there is room. */
static void flush_output(void *opaque)
{
	struct monitor *mon = opaque;
	bool was_backed_up, is_backed_up;

	g_mutex_lock(&mon->lock);
	was_backed_up = monitor_is_backed_up(mon);
	if (!write_some(mon) && !mon->notify)
		mon->notify = chardev_notify_writable(mon->fe, flush_writable, mon);
	is_backed_up = monitor_is_backed_up(mon);
	g_mutex_unlock(&mon->lock);
	if (was_backed_up && !is_backed_up)
		chardev_accept_input(mon->fe);
}

void monitor_write(struct monitor *mon, const char *text)
{
	g_mutex_lock(&mon->lock);
	for (; *text; text++) {
		if (*text == '\n')
			g_string_append_c(mon->out, '\r');
		g_string_append_c(mon->out, *text);
	}
	/* Not while older output waits: order. */
	if (!mon->notify && !write_some(mon))
		bh_schedule(mon->flush);
	g_mutex_unlock(&mon->lock);
}

/* Lock held. */
static void stop_waiting(struct monitor *mon)
{
	if (mon->notify)
		chardev_cancel_notify(mon->fe, mon->notify);
	mon->notify = 0;
}

void monitor_discard(struct monitor *mon)
{
	g_mutex_lock(&mon->lock);
	g_string_truncate(mon->out, 0);
	stop_waiting(mon);
	g_mutex_unlock(&mon->lock);
}

void monitor_flush_again(struct monitor *mon)
{
	g_mutex_lock(&mon->lock);
	stop_waiting(mon);
	bh_schedule(mon->flush);
	g_mutex_unlock(&mon->lock);
}

bool monitor_move(struct monitor *mon, struct loop *loop, GError **errp)
{
	bool ok;

	g_mutex_lock(&mon->lock);
	mon->notify = 0; /* goes with the move */
	ok = chardev_move(mon->fe, loop, errp);
	if (ok) {
		bh_free(mon->flush);
		mon->flush = bh_new(loop, flush_output, mon);
	}
	bh_schedule(mon->flush);
	g_mutex_unlock(&mon->lock);
	return ok;
}

void monitor_hold(struct monitor *mon, bool held)
{
	mon->held = held;
	if (!held)
		bh_schedule(mon->flush);
}

/* ---- Life ---- */

static void quit_key(void)
{
	system_shutdown_request(SHUTDOWN_HOST_QMP_QUIT);
}

static void monitors_init(void)
{
	static const struct chardev_hooks hooks = {.quit = quit_key};

	monitors = g_ptr_array_new();
	monitor_events_init();
	socket_set_fd_lookup(monitor_lookup_fd);
	chardev_set_hooks(&hooks);
}

bool monitor_new(const char *id, struct chardev *chr, bool qmp, bool pretty, GError **errp)
{
	struct monitor *mon = g_new0(struct monitor, 1);

	if (!monitors)
		monitors_init();
	mon->id = g_strdup(id);
	mon->chr = chr;
	mon->out = g_string_new(NULL);
	mon->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	mon->flush = bh_new(loop_main(), flush_output, mon);
	g_mutex_init(&mon->lock);
	if (qmp)
		mon->qmp = qmp_session_new(mon, pretty);
	else
		mon->hmp = hmp_session_new(mon);
	mon->fe = chardev_attach(chr, qmp ? qmp_handlers() : hmp_handlers(), mon, NULL, errp);
	g_ptr_array_add(monitors, mon);
	return mon->fe;
}

/* ---- The monitors' own thread ---- */

static struct loop *own_loop;

struct loop *monitor_loop(GError **errp)
{
	if (!own_loop)
		own_loop = loop_new("mon_iothread", errp);
	return own_loop;
}

struct homecoming {
	GMutex lock;
	GCond done;
	bool over;
};

static void bring_home(struct monitor *mon, void *opaque)
{
	if (mon->fe)
		monitor_move(mon, loop_main(), NULL);
}

static void bring_all_home(void *opaque)
{
	struct homecoming *home = opaque;

	monitor_foreach(bring_home, NULL);
	g_mutex_lock(&home->lock);
	home->over = true;
	g_cond_signal(&home->done);
	g_mutex_unlock(&home->lock);
}

/* Everything is the main loop's again, and the thread has ended. */
static void end_own_thread(void)
{
	struct homecoming home = {.over = false};
	bool locked = machine_locked();

	if (!own_loop)
		return;
	g_mutex_init(&home.lock);
	g_cond_init(&home.done);
	loop_defer(own_loop, bring_all_home, &home);
	/* What runs there may want the machine lock. */
	if (locked)
		machine_unlock();
	g_mutex_lock(&home.lock);
	while (!home.over)
		g_cond_wait(&home.done, &home.lock);
	g_mutex_unlock(&home.lock);
	if (locked)
		machine_lock();
	g_mutex_clear(&home.lock);
	g_cond_clear(&home.done);
	g_clear_pointer(&own_loop, loop_free);
}

static void monitor_free(struct monitor *mon)
{
	if (mon->fe) {
		if (!mon->held)
			chardev_write_all(mon->fe, mon->out->str, mon->out->len);
		monitor_discard(mon);
	}
	chardev_detach(mon->fe);
	if (mon->qmp)
		qmp_session_free(mon->qmp);
	if (mon->hmp)
		hmp_session_free(mon->hmp);
	monitor_close_fds(mon);
	g_hash_table_unref(mon->fds);
	bh_free(mon->flush);
	g_string_free(mon->out, true);
	g_mutex_clear(&mon->lock);
	g_free(mon->id);
	g_free(mon);
}

void monitor_cleanup_all(void)
{
	event_set_sink(NULL, NULL);
	for (guint i = 0; monitors && i < monitors->len; i++) {
		const struct monitor *mon = monitors->pdata[i];

		if (mon->qmp)
			qmp_session_end(mon->qmp);
	}
	end_own_thread();
	while (monitors && monitors->len) {
		monitor_free(monitors->pdata[0]);
		g_ptr_array_remove_index(monitors, 0);
	}
}
