/*
 * pty: a new pseudo-terminal whose slave side is for the user.
 *
 * While nobody has the slave open the master reports a hang-up, at once and for ever, so it is not
 * watched then: a timer looks once a second whether somebody came. Output nobody is there to see is
 * dropped, but each write looks too.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <unistd.h>

#include "event/clock.h"
#include "internal.h"

#define POLL_INTERVAL_NS NS_PER_SEC

struct pty_options {
	struct chardev_common common;
};

struct pty_chardev {
	struct chardev chr;
	struct fd_stream stream;
	struct timer poll;
	struct bottom_half *opened; /* a write found the slave open */
};

static bool slave_is_open(struct pty_chardev *pty)
{
	struct pollfd p = {.fd = pty->stream.in, .events = POLLIN};

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void pty_connect(void *opaque)
{
	struct pty_chardev *pty = opaque;

	if (pty->chr.closed || pty->chr.open)
		return;
	timer_del(&pty->poll);
	fd_stream_start(&pty->stream);
	chardev_event(&pty->chr, CHARDEV_OPENED);
}

static void pty_poll(void *opaque)
{
	struct pty_chardev *pty = opaque;

	if (slave_is_open(pty))
		pty_connect(pty);
	else
		timer_set(&pty->poll, clock_now(QCLOCK_REALTIME) + POLL_INTERVAL_NS);
}

/* The last user of the slave has closed it. */
static void pty_hangup(struct chardev *chr)
{
	struct pty_chardev *pty = container_of(chr, struct pty_chardev, chr);

	fd_stream_stop(&pty->stream);
	timer_set(&pty->poll, clock_now(QCLOCK_REALTIME) + POLL_INTERVAL_NS);
	chardev_event(chr, CHARDEV_CLOSED);
}

static bool pty_create(struct chardev *chr, const void *options, GError **errp)
{
	struct pty_chardev *pty = container_of(chr, struct pty_chardev, chr);
	int master, slave;
	char name[64];

	fd_stream_init(&pty->stream, chr, -1, -1);
	timer_init(&pty->poll, chr->loop, QCLOCK_REALTIME, pty_poll, pty);
	pty->opened = bh_new(chr->loop, pty_connect, pty);
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
		error_set_errno(errp, errno, "Failed to create PTY");
		return false;
	}
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	tty_make_raw(slave);
	close(slave);
	fd_stream_init(&pty->stream, chr, master, master);
	pty->stream.at_end = pty_hangup;
	if (ptsname_r(master, name, sizeof(name)) != 0) {
		error_set_errno(errp, errno, "Failed to learn the name of a PTY");
		return false;
	}
	chardev_set_filename(chr, g_strdup_printf("pty:%s", name));
	timer_set(&pty->poll, clock_now(QCLOCK_REALTIME) + POLL_INTERVAL_NS);
	return true;
}

static void pty_destroy(struct chardev *chr)
{
	struct pty_chardev *pty = container_of(chr, struct pty_chardev, chr);

	timer_del(&pty->poll);
	bh_free(pty->opened);
	fd_stream_close(&pty->stream);
}

static int pty_write(struct chardev *chr, const uint8_t *data, int len)
{
	struct pty_chardev *pty = container_of(chr, struct pty_chardev, chr);
	int n;

	if (!chr->open) {
		if (!slave_is_open(pty))
			return len;
		bh_schedule(pty->opened);
	}
	n = fd_stream_write(&pty->stream, data, len);
	return n < 0 && errno == EIO ? len : n;
}

static int pty_write_fd(struct chardev *chr)
{
	return chr->open ? container_of(chr, struct pty_chardev, chr)->stream.out : -1;
}

static void pty_accept_input(struct chardev *chr)
{
	fd_stream_accept(&container_of(chr, struct pty_chardev, chr)->stream);
}

static const struct field pty_rows[] = {
	CHARDEV_COMMON_ROWS(struct pty_options),
	FIELD_ROW_END,
};
const struct field_set chardev_pty_set = {"ChardevPty", sizeof(struct pty_options), pty_rows};

const struct chardev_type chardev_pty = {
	.name = "pty",
	.help = "Makes a pseudo-terminal and tells its name",
	.size = sizeof(struct pty_chardev),
	.options = &chardev_pty_set,
	.create = pty_create,
	.destroy = pty_destroy,
	.write = pty_write,
	.write_fd = pty_write_fd,
	.accept_input = pty_accept_input,
};
