/*
 * Events: from event_emit() to every QMP client, no faster than their rows allow.
 *
 * The first event of a kind goes out at once. Those that follow within its interval replace one
 * another, and the last of them goes out when the interval ends. Events that name an object ("id",
 * "qom-path") are limited for each object by itself.
 */
#include "event/clock.h"
#include "internal.h"

struct limited {
	char *key;
	struct timer timer;   /* pending: the interval runs */
	json_object *waiting; /* NULL: none came meanwhile */
	int64_t interval_ns;
};

/* By key. Emitters hold the lock; timers run on the main loop. */
static GHashTable *limits;
static GMutex limits_lock;

static void send_to(struct monitor *mon, void *opaque)
{
	if (mon->qmp)
		qmp_send_event(mon, opaque);
}

static char *limit_key(const struct event_type *type, json_object *event)
{
	json_object *data = json_object_object_get(event, "data");
	json_object *name = json_object_object_get(data, "id");

	if (!name)
		name = json_object_object_get(data, "qom-path");
	return g_strdup_printf("%s %s", type->name, name ? json_object_get_string(name) : "");
}

static void interval_over(void *opaque)
{
	struct limited *limited = opaque;
	json_object *event;

	g_mutex_lock(&limits_lock);
	event = g_steal_pointer(&limited->waiting);
	if (event)
		timer_set(&limited->timer, clock_now(QCLOCK_REALTIME) + limited->interval_ns);
	g_mutex_unlock(&limits_lock);
	if (event)
		monitor_foreach(send_to, event);
	json_object_put(event);
}

static struct limited *limit_of(const struct event_type *type, json_object *event)
{
	g_autofree char *key = limit_key(type, event);
	struct limited *limited = g_hash_table_lookup(limits, key);

	if (limited)
		return limited;
	limited = g_new0(struct limited, 1);
	limited->interval_ns = type->rate_limit_ms * NS_PER_MS;
	limited->key = g_steal_pointer(&key);
	timer_init(&limited->timer, loop_main(), QCLOCK_REALTIME, interval_over, limited);
	g_hash_table_insert(limits, limited->key, limited);
	return limited;
}

/* True if it must wait, and then it has been kept. */
static bool must_wait(const struct event_type *type, json_object *event)
{
	struct limited *limited;
	bool wait;

	g_mutex_lock(&limits_lock);
	limited = limit_of(type, event);
	wait = timer_pending(&limited->timer);
	if (wait) {
		json_object_put(limited->waiting);
		limited->waiting = json_object_get(event);
	} else {
		timer_set(&limited->timer, clock_now(QCLOCK_REALTIME) + limited->interval_ns);
	}
	g_mutex_unlock(&limits_lock);
	return wait;
}

static void event_sink(void *opaque, const struct event_type *type, json_object *event)
{
	if (!type->rate_limit_ms || !must_wait(type, event))
		monitor_foreach(send_to, event);
}

void monitor_events_init(void)
{
	limits = g_hash_table_new(g_str_hash, g_str_equal);
	event_set_sink(event_sink, NULL);
}
