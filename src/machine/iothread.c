/* See include/machine/iothread.h. */
#include "machine/iothread.h"
#include "event/loop.h"

#define POLL_MAX_NS      32768
#define POOL_THREADS_MAX 64

struct iothread {
	struct device dev;
	struct loop *loop;

	/* Properties */
	int64_t poll_max_ns, poll_grow, poll_shrink, aio_max_batch;
	int64_t thread_pool_min, thread_pool_max;
};

static struct iothread *iothread_of(struct device *dev)
{
	return container_of(dev, struct iothread, dev);
}

struct loop *iothread_loop(struct device *iothread)
{
	return iothread ? iothread_of(iothread)->loop : loop_main();
}

/* ---- Properties ---- */

static void apply(struct iothread *t)
{
	if (t->loop)
		loop_set_polling(t->loop, &(struct loop_polling){
						  .max_ns = t->poll_max_ns,
						  .grow = t->poll_grow,
						  .shrink = t->poll_shrink,
					  });
}

static bool set_number(void *object, const struct field *field, GError **errp)
{
	int64_t value = *(const int64_t *)((const char *)object + field->offset);

	if (value < 0) {
		error_set(errp, "%s value must be in range [0, %" PRId64 "]", field->name,
			  INT64_MAX);
		return false;
	}
	apply(object);
	return true;
}

static bool set_pool(void *object, const struct field *field, GError **errp)
{
	const struct iothread *t = object;

	if (t->thread_pool_min >= 0 && t->thread_pool_max > 0 && t->thread_pool_max <= INT_MAX &&
	    t->thread_pool_min <= t->thread_pool_max)
		return true;
	error_set(errp, "bad thread-pool-min/thread-pool-max values");
	return false;
}

#define NUMBER(_m, _name, _def, _set, _help)                                                       \
	{                                                                                          \
		FIELD_AT(struct iothread, _m, _name, FIELD_INT, FIELD_IS_INT(struct iothread, _m), \
			 _help),                                                                   \
			.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_LIVE, .def = (_def),   \
			.set = (_set)                                                              \
	}

static const struct field iothread_props[] = {
	NUMBER(poll_max_ns, "poll-max-ns", POLL_MAX_NS, set_number,
	       "How long to look for work before sleeping, at most, in ns; 0: sleep at once"),
	NUMBER(poll_grow, "poll-grow", 0, set_number,
	       "Factor by which that time grows; 0: the usual one"),
	NUMBER(poll_shrink, "poll-shrink", 0, set_number,
	       "Divisor by which it shrinks; 0: to nothing"),
	NUMBER(aio_max_batch, "aio-max-batch", 0, set_number,
	       "Requests handed to the kernel at once, at most; 0: as is sensible"),
	NUMBER(thread_pool_min, "thread-pool-min", 0, set_pool,
	       "Accepted; workers come and go as they are needed"),
	NUMBER(thread_pool_max, "thread-pool-max", POOL_THREADS_MAX, set_pool,
	       "Accepted; all loops share a pool of workers"),
	FIELD_ROW_END,
};

/* ---- Life ---- */

static bool iothread_realize(struct device *dev, GError **errp)
{
	struct iothread *t = iothread_of(dev);
	g_autofree char *name = g_strdup_printf("IO %s", dev->id ? dev->id : dev->name);

	t->loop = loop_new_exclusive(name, errp);
	apply(t);
	return t->loop;
}

static void iothread_unrealize(struct device *dev)
{
	g_clear_pointer(&iothread_of(dev)->loop, loop_free);
}

const struct device_type iothread_type = {
	.name = "iothread",
	.help = "An event loop with a thread of its own",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct iothread),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = iothread_props,
	.link = &iothread_link,
	.realize = iothread_realize,
	.unrealize = iothread_unrealize,
};

static void *resolve(const char *name, GError **errp)
{
	struct device *dev = tree_find_id(name);

	if (dev && device_type_is_a(dev->type, &iothread_type))
		return dev;
	if (dev)
		error_set(errp, "Invalid parameter type for 'iothread', expected: iothread");
	else
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
	return NULL;
}

static const char *name_of(void *target)
{
	return ((struct device *)target)->name;
}

const struct link_kind iothread_link = {
	.name = "iothread",
	.resolve = resolve,
	.name_of = name_of,
};

/* ---- query-iothreads ---- */

struct iothread_info {
	char *id;
	int64_t thread_id, poll_max_ns, poll_grow, poll_shrink, aio_max_batch;
};
static const struct field info_rows[] = {
	ARG_STRING(struct iothread_info, id, "id", "Name"),
	ARG_INT(struct iothread_info, thread_id, "thread-id", "Its thread on the host"),
	ARG_INT(struct iothread_info, poll_max_ns, "poll-max-ns", "Polling time at most"),
	ARG_INT(struct iothread_info, poll_grow, "poll-grow", "Factor polling time grows by"),
	ARG_INT(struct iothread_info, poll_shrink, "poll-shrink", "Divisor it shrinks by"),
	ARG_INT(struct iothread_info, aio_max_batch, "aio-max-batch", "Requests at once at most"),
	FIELD_ROW_END,
};
static const struct field_set info_set = {"IOThreadInfo", sizeof(struct iothread_info), info_rows};

static void add_info(struct device *dev, void *opaque)
{
	const struct iothread *t = iothread_of(dev);

	if (dev->type != &iothread_type)
		return;
	g_array_append_val((GArray *)opaque, ((struct iothread_info){
						     .id = g_strdup(dev->name),
						     .thread_id = loop_thread_id(t->loop),
						     .poll_max_ns = t->poll_max_ns,
						     .poll_grow = t->poll_grow,
						     .poll_shrink = t->poll_shrink,
						     .aio_max_batch = t->aio_max_batch,
					     }));
}

static bool qmp_query_iothreads(void *args, void *result, GError **errp)
{
	GArray *all = g_array_new(false, true, sizeof(struct iothread_info));

	device_foreach_child(tree_container("/objects"), add_info, all);
	*(GArray **)result = all;
	return true;
}

const struct command iothread_commands[] = {
	{"query-iothreads", "IO threads", NULL, &info_set, qmp_query_iothreads,
	 COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{NULL},
};
