/*
 * File descriptor watches, each a GSource, and notifiers.
 */
#include <sys/eventfd.h>
#include <unistd.h>
#include "internal.h"

struct fd_watch {
	GSource source; /* GLib owns the memory: a watch may be freed while it is being called */
	int fd;
	gpointer tag; /* NULL: paused, as even an empty set of events would report a hang-up */
	fd_fn *fn;
	void *opaque;
};

static gboolean watch_dispatch(GSource *source, GSourceFunc unused, gpointer data)
{
	struct fd_watch *watch = container_of(source, struct fd_watch, source);
	GIOCondition revents;

	if (!watch->tag)
		return G_SOURCE_CONTINUE;
	revents = g_source_query_unix_fd(source, watch->tag);
	if (revents)
		watch->fn(watch->opaque, revents);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_funcs = {.dispatch = watch_dispatch};

struct fd_watch *fd_watch_new(struct loop *loop, int fd, GIOCondition events, fd_fn *fn,
			      void *opaque)
{
	GSource *source = g_source_new(&watch_funcs, sizeof(struct fd_watch));
	struct fd_watch *watch = container_of(source, struct fd_watch, source);

	watch->fd = fd;
	watch->fn = fn;
	watch->opaque = opaque;
	fd_watch_set_events(watch, events);
	g_source_attach(source, loop->context);
	return watch;
}

void fd_watch_set_events(struct fd_watch *watch, GIOCondition events)
{
	if (!events && watch->tag) {
		g_source_remove_unix_fd(&watch->source, watch->tag);
		watch->tag = NULL;
	} else if (events && watch->tag) {
		g_source_modify_unix_fd(&watch->source, watch->tag, events);
	} else if (events) {
		watch->tag = g_source_add_unix_fd(&watch->source, watch->fd, events);
	}
}

void fd_watch_free(struct fd_watch *watch)
{
	if (!watch)
		return;
	g_source_destroy(&watch->source);
	g_source_unref(&watch->source);
}

bool notifier_init(struct notifier *n, GError **errp)
{
	n->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (n->fd < 0) {
		error_set_errno(errp, errno, "Could not create an eventfd");
		return false;
	}
	return true;
}

void notifier_cleanup(struct notifier *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notifier_set(struct notifier *n)
{
	static const uint64_t one = 1;
	int saved_errno = errno;

	if (write(n->fd, &one, sizeof(one)) < 0)
		errno = saved_errno; /* the counter is full: it is set all the same */
}

bool notifier_test_and_clear(struct notifier *n)
{
	uint64_t count;

	return read(n->fd, &count, sizeof(count)) == sizeof(count);
}
