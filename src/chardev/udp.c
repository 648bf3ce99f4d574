/*
 * udp: datagrams to and from one peer. A datagram is handed over as the front end has room; meanwhile the
 * next ones wait, or get lost, in the kernel.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/socket.h"
#include "internal.h"

#define DATAGRAM_MAX 65536

struct udp_options {
	struct chardev_common common;
	struct socket_address remote;
	struct socket_address *local;
	/* As -chardev spells them */
	char *host, *port, *localaddr, *localport;
	bool has_ipv4, ipv4, has_ipv6, ipv6;
};

struct udp_chardev {
	struct chardev chr;
	int fd;
	struct fd_watch *watch;
	bool paused;
	uint8_t *data; /* a datagram, from `at` on still to be handed over */
	int at, len;
};

static bool deliver(struct udp_chardev *udp)
{
	while (udp->at < udp->len) {
		int part = MIN(chardev_room(&udp->chr), udp->len - udp->at);
		int at = udp->at;

		if (part <= 0)
			return false;
		udp->at += part;
		chardev_input(&udp->chr, udp->data + at, part);
	}
	return true;
}

static void udp_readable(void *opaque, GIOCondition revents)
{
	struct udp_chardev *udp = opaque;
	ssize_t n;

	if (!deliver(udp)) {
		udp->paused = true;
		fd_watch_set_events(udp->watch, 0);
		return;
	}
	n = recv(udp->fd, udp->data, DATAGRAM_MAX, MSG_DONTWAIT);
	udp->at = 0;
	udp->len = MAX(n, 0); /* an error is the peer's "nobody here": it may come yet */
	deliver(udp);
}

static bool udp_create(struct chardev *chr, const void *options, GError **errp)
{
	struct udp_chardev *udp = container_of(chr, struct udp_chardev, chr);
	const struct udp_options *opt = options;

	udp->fd = -1;
	if (opt->remote.kind != SOCKET_INET || (opt->local && opt->local->kind != SOCKET_INET)) {
		error_set(errp, "chardev: udp: only addresses of type 'inet' are possible");
		return false;
	}
	udp->fd = socket_datagram(&opt->remote.at.inet, opt->local ? &opt->local->at.inet : NULL,
				  errp);
	if (udp->fd < 0)
		return false;
	udp->data = g_malloc(DATAGRAM_MAX);
	udp->watch = fd_watch_new(chr->loop, udp->fd, G_IO_IN, udp_readable, udp);
	chr->open = true;
	return true;
}

static void udp_destroy(struct chardev *chr)
{
	struct udp_chardev *udp = container_of(chr, struct udp_chardev, chr);

	fd_watch_free(udp->watch);
	if (udp->fd >= 0)
		close(udp->fd);
	g_free(udp->data);
}

/* What nobody hears is lost, as datagrams are. */
static int udp_write(struct chardev *chr, const uint8_t *data, int len)
{
	struct udp_chardev *udp = container_of(chr, struct udp_chardev, chr);
	ssize_t n = send(udp->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		return len;
	return n;
}

static int udp_write_fd(struct chardev *chr)
{
	return container_of(chr, struct udp_chardev, chr)->fd;
}

static void udp_accept_input(struct chardev *chr)
{
	struct udp_chardev *udp = container_of(chr, struct udp_chardev, chr);

	if (!udp->paused || !deliver(udp))
		return;
	udp->paused = false;
	fd_watch_set_events(udp->watch, G_IO_IN);
}

static bool udp_set_loop(struct chardev *chr, struct loop *loop)
{
	struct udp_chardev *udp = container_of(chr, struct udp_chardev, chr);

	fd_watch_free(udp->watch);
	chr->loop = loop;
	udp->paused = false;
	udp->watch = fd_watch_new(loop, udp->fd, G_IO_IN, udp_readable, udp);
	return true;
}

static const struct field udp_rows[] = {
	CHARDEV_COMMON_ROWS(struct udp_options),
	ARG_STRUCT(struct udp_options, remote, "remote", &socket_address_set, "The peer"),
	OPT_STRUCT(struct udp_options, local, "local", &socket_address_set,
		   "The address of our end"),
	FIELD_ROW_END,
};
const struct field_set chardev_udp_set = {"ChardevUdp", sizeof(struct udp_options), udp_rows};

static const struct field udp_flat[] = {
	CHARDEV_COMMON_ROWS(struct udp_options),
	OPT_STRING(struct udp_options, host, "host", "The peer's name or address (localhost)"),
	OPT_STRING(struct udp_options, port, "port", "The peer's port"),
	OPT_STRING(struct udp_options, localaddr, "localaddr", "Our address (any)"),
	OPT_STRING(struct udp_options, localport, "localport", "Our port (any)"),
	OPT_BOOL(struct udp_options, ipv4, "ipv4", "Whether IPv4 may be used"),
	OPT_BOOL(struct udp_options, ipv6, "ipv6", "Whether IPv6 may be used"),
	FIELD_ROW_END,
};

static char *or_default(char *text, const char *other)
{
	return text && *text ? g_strdup(text) : g_strdup(other);
}

static bool udp_finish_flat(void *options, GError **errp)
{
	struct udp_options *opt = options;
	struct socket_inet *inet = &opt->remote.at.inet;

	if (!opt->port || !*opt->port) {
		error_set(errp, "chardev: udp: remote port not specified");
		return false;
	}
	opt->remote.kind = SOCKET_INET;
	inet->host = or_default(opt->host, "localhost");
	inet->port = g_strdup(opt->port);
	inet->has_ipv4 = opt->has_ipv4;
	inet->ipv4 = opt->ipv4;
	inet->has_ipv6 = opt->has_ipv6;
	inet->ipv6 = opt->ipv6;
	if (opt->localaddr || opt->localport) {
		opt->local = g_new0(struct socket_address, 1);
		opt->local->kind = SOCKET_INET;
		opt->local->at.inet.host = or_default(opt->localaddr, "");
		opt->local->at.inet.port = or_default(opt->localport, "0");
	}
	/* Only what the rows of QMP know is freed with them. */
	g_clear_pointer(&opt->host, g_free);
	g_clear_pointer(&opt->port, g_free);
	g_clear_pointer(&opt->localaddr, g_free);
	g_clear_pointer(&opt->localport, g_free);
	return true;
}

const struct chardev_type chardev_udp = {
	.name = "udp",
	.help = "Datagrams to and from one peer",
	.size = sizeof(struct udp_chardev),
	.options = &chardev_udp_set,
	.flat = udp_flat,
	.finish_flat = udp_finish_flat,
	.create = udp_create,
	.destroy = udp_destroy,
	.write = udp_write,
	.write_fd = udp_write_fd,
	.accept_input = udp_accept_input,
	.set_loop = udp_set_loop,
};
