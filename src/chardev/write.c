/*
 * Character devices: writing, waiting for room, the log file.
 */
#include <poll.h>
#include <unistd.h>

#include "internal.h"

/* chardev_write_all(): how long a reader may keep a vCPU waiting altogether. */
#define WRITE_ALL_LIMIT_MS 200

/* A front end that waits for room. */
struct notify {
	struct chardev_frontend *fe;
	unsigned tag;
	struct fd_watch *watch;
	void (*fn)(void *opaque);
	void *opaque;
};

static void write_log(struct chardev *chr, const uint8_t *data, int len)
{
	while (chr->log_fd >= 0 && len > 0) {
		ssize_t n = write(chr->log_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= n;
	}
}

int chardev_write(struct chardev_frontend *fe, const void *data, int len)
{
	struct chardev *chr = fe->chr;
	int n = len;

	g_mutex_lock(&chr->write_lock);
	if (!chr->closed && chr->type->write)
		n = chr->type->write(chr, data, len);
	if (n > 0)
		write_log(chr, data, n);
	g_mutex_unlock(&chr->write_lock);
	return n;
}

static int write_fd(struct chardev *chr)
{
	int fd = -1;

	g_mutex_lock(&chr->write_lock);
	if (!chr->closed && chr->type->write_fd)
		fd = chr->type->write_fd(chr);
	g_mutex_unlock(&chr->write_lock);
	return fd;
}

static bool wait_for_room(struct chardev *chr, int64_t deadline)
{
	int64_t left = deadline - g_get_monotonic_time() / 1000;
	struct pollfd p = {.fd = write_fd(chr), .events = POLLOUT};

	if (left <= 0)
		return false;
	if (p.fd < 0)
		g_usleep(MIN(left, 1) * 1000);
	else if (poll(&p, 1, left) < 0 && errno != EINTR)
		return false;
	return true;
}

void chardev_write_all(struct chardev_frontend *fe, const void *data, int len)
{
	int64_t deadline = g_get_monotonic_time() / 1000 + WRITE_ALL_LIMIT_MS;
	const uint8_t *p = data;

	while (len > 0) {
		int n = chardev_write(fe, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if ((n < 0 && errno != EAGAIN) || !wait_for_room(fe->chr, deadline)) {
			return;
		}
	}
}

static struct notify *notify_find(struct chardev_frontend *fe, unsigned tag)
{
	for (GSList *l = fe->notifies; l; l = l->next) {
		struct notify *notify = l->data;

		if (notify->tag == tag)
			return notify;
	}
	return NULL;
}

static void notify_free(struct notify *notify)
{
	notify->fe->notifies = g_slist_remove(notify->fe->notifies, notify);
	fd_watch_free(notify->watch);
	g_free(notify);
}

static void notify_ready(void *opaque, GIOCondition revents)
{
	struct notify *notify = opaque;
	void (*fn)(void *) = notify->fn;
	void *fn_opaque = notify->opaque;

	notify_free(notify);
	fn(fn_opaque);
}

unsigned chardev_notify_writable(struct chardev_frontend *fe, void (*fn)(void *opaque),
				 void *opaque)
{
	struct chardev *chr = fe->chr;
	struct notify *notify;
	int fd;

	if (chr->type->notify)
		return chr->closed ? 0 : chr->type->notify(fe, fn, opaque);
	fd = write_fd(chr);
	if (fd < 0)
		return 0;
	notify = g_new0(struct notify, 1);
	notify->fe = fe;
	notify->fn = fn;
	notify->opaque = opaque;
	notify->tag = ++fe->last_tag ? fe->last_tag : ++fe->last_tag;
	notify->watch = fd_watch_new(chr->loop, fd, G_IO_OUT, notify_ready, notify);
	fe->notifies = g_slist_prepend(fe->notifies, notify);
	return notify->tag;
}

void chardev_cancel_notify(struct chardev_frontend *fe, unsigned tag)
{
	struct notify *notify;

	if (fe->chr->type->cancel_notify) {
		fe->chr->type->cancel_notify(fe, tag);
		return;
	}
	notify = notify_find(fe, tag);
	if (notify)
		notify_free(notify);
}

void frontend_drop_notifies(struct chardev_frontend *fe)
{
	while (fe->notifies)
		notify_free(fe->notifies->data);
}
