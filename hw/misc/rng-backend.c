/* Sources of randomness: the queue of requests, and the two sources the kernel offers. */
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/fdset.h"
#include "event/loop.h"
#include "hw/misc/rng-backend.h"

/* More than any guest asks for at a time. */
#define CHUNK 4096

static struct rng_backend *backend_of(struct device *dev)
{
	return container_of(dev, struct rng_backend, dev);
}

static const struct rng_backend_ops *ops_of(const struct rng_backend *b)
{
	return device_type_class_data(b->dev.type);
}

/* ---- Requests ---- */

const struct rng_request *rng_current(struct rng_backend *b)
{
	return g_queue_peek_head(&b->requests);
}

static void next_request(struct rng_backend *b)
{
	if (rng_current(b))
		ops_of(b)->start(&b->dev);
	else
		ops_of(b)->stop(&b->dev);
}

void rng_request(struct device *backend, size_t size, rng_fn *fn, void *opaque)
{
	struct rng_backend *b = backend_of(backend);
	struct rng_request *req = g_new(struct rng_request, 1);

	*req = (struct rng_request){size, fn, opaque};
	g_queue_push_tail(&b->requests, req);
	if (b->requests.length == 1)
		ops_of(b)->start(backend);
}

void rng_serve(struct rng_backend *b, const void *data, size_t len)
{
	g_autofree struct rng_request *req = g_queue_pop_head(&b->requests);

	req->fn(req->opaque, data, MIN(len, req->size));
	/* The callback may have asked for more: then that is started already. */
	if (!rng_current(b) || rng_current(b)->opaque != req->opaque)
		next_request(b);
}

void rng_cancel(struct device *backend, void *opaque)
{
	struct rng_backend *b = backend_of(backend);
	bool first = rng_current(b) && rng_current(b)->opaque == opaque;

	for (GList *l = b->requests.head; l; l = l->next) {
		struct rng_request *req = l->data;

		if (req->opaque != opaque)
			continue;
		g_queue_delete_link(&b->requests, l);
		g_free(req);
		break;
	}
	if (first)
		next_request(b);
}

static void backend_unrealize(struct device *dev)
{
	g_queue_clear_full(&backend_of(dev)->requests, g_free);
}

static void *rng_resolve(const char *name, GError **errp)
{
	struct device *dev = tree_find_id(name);

	if (dev && device_type_is_a(dev->type, &rng_backend_type))
		return dev;
	if (dev)
		error_set(errp, "Invalid parameter type for 'rng', expected: rng-backend");
	else
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
	return NULL;
}

static const char *rng_name(void *target)
{
	return ((struct device *)target)->name;
}

const struct link_kind rng_link = {
	.name = "rng-backend",
	.resolve = rng_resolve,
	.name_of = rng_name,
};

const struct device_type rng_backend_type = {
	.name = "rng-backend",
	.help = "A source of randomness",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct rng_backend),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.unrealize = backend_unrealize,
	.link = &rng_link,
};

/* ---- rng-builtin: getrandom(2) ---- */

struct rng_builtin {
	struct rng_backend b;
	struct bottom_half *bh;
};

static struct rng_builtin *builtin_of(struct device *dev)
{
	return container_of(dev, struct rng_builtin, b.dev);
}

static void builtin_serve(void *opaque)
{
	struct rng_builtin *r = opaque;
	const struct rng_request *req = rng_current(&r->b);
	uint8_t data[CHUNK];
	ssize_t n;

	if (!req)
		return;
	n = getrandom(data, MIN(req->size, sizeof(data)), 0);
	if (n > 0)
		rng_serve(&r->b, data, n);
	else
		bh_schedule(r->bh); /* a signal came in between */
}

static void builtin_start(struct device *dev)
{
	bh_schedule(builtin_of(dev)->bh);
}

static void builtin_stop(struct device *dev)
{
	bh_cancel(builtin_of(dev)->bh);
}

static bool builtin_realize(struct device *dev, GError **errp)
{
	struct rng_builtin *r = builtin_of(dev);

	r->bh = bh_new(loop_main(), builtin_serve, r);
	return true;
}

static void builtin_unrealize(struct device *dev)
{
	g_clear_pointer(&builtin_of(dev)->bh, bh_free);
}

static const struct rng_backend_ops builtin_ops = {builtin_start, builtin_stop};

const struct device_type rng_builtin_type = {
	.name = "rng-builtin",
	.help = "Randomness from the host kernel's getrandom()",
	.base = &rng_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct rng_builtin),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.class_data = &builtin_ops,
	.realize = builtin_realize,
	.unrealize = builtin_unrealize,
};

/* ---- rng-random: a file ---- */

struct rng_random {
	struct rng_backend b;
	char *filename;
	int fd;
	struct fd_watch *watch;
};

static struct rng_random *random_of(struct device *dev)
{
	return container_of(dev, struct rng_random, b.dev);
}

static void random_readable(void *opaque, GIOCondition revents)
{
	struct rng_random *r = opaque;
	const struct rng_request *req = rng_current(&r->b);
	uint8_t data[CHUNK];
	ssize_t n = req ? read(r->fd, data, MIN(req->size, sizeof(data))) : 0;

	if (n > 0)
		rng_serve(&r->b, data, n);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		fd_watch_set_events(r->watch, 0); /* the file is at its end */
}

static void random_start(struct device *dev)
{
	fd_watch_set_events(random_of(dev)->watch, G_IO_IN);
}

static void random_stop(struct device *dev)
{
	fd_watch_set_events(random_of(dev)->watch, 0);
}

static bool random_realize(struct device *dev, GError **errp)
{
	struct rng_random *r = random_of(dev);

	r->fd = path_open(r->filename, O_RDONLY | O_NONBLOCK, 0, errp);
	if (r->fd < 0)
		return false;
	r->watch = fd_watch_new(loop_main(), r->fd, 0, random_readable, r);
	return true;
}

static void random_unrealize(struct device *dev)
{
	struct rng_random *r = random_of(dev);

	g_clear_pointer(&r->watch, fd_watch_free);
	close(r->fd);
}

static const struct rng_backend_ops random_ops = {random_start, random_stop};

static const struct field random_props[] = {
	PROP_STRING(struct rng_random, filename, "filename", "/dev/urandom", "File to read"),
	FIELD_ROW_END,
};

const struct device_type rng_random_type = {
	.name = "rng-random",
	.help = "Randomness from a file",
	.base = &rng_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct rng_random),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = random_props,
	.class_data = &random_ops,
	.realize = random_realize,
	.unrealize = random_unrealize,
};
