/*
 * socket: a stream socket, as server (one client at a time, any number one after another) or as client
 * (with reconnect= again and again).
 *
 *	DISCONNECTED --accept, connect--> CONNECTED --end of stream, error--> DISCONNECTED
 *
 * A server does not accept while it is connected: the next client waits in the kernel's queue. A
 * client with reconnect= connects in a worker thread, because looking up names and connecting block.
 * With telnet=on or websocket=on a wire (wire.h) stands between the connection and the front end. What it
 * has for the front end waits in `in` while that has no room, what it has for the peer in `out`. With
 * tls-creds= a TLS session (crypto/tls.h) stands between the socket and all that. Handshakes come in this
 * order; the connection counts from the end of the last one on, and has to get there in time, since
 * nobody else is served meanwhile.
 *
 * What is written while nobody is connected is dropped. A write error does not disconnect by itself;
 * it makes the loop look, since writers come from any thread.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/socket.h"
#include "base/trace.h"
#include "crypto/tls.h"
#include "event/clock.h"
#include "event/worker.h"
#include "internal.h"
#include "machine/runstate.h"
#include "socket.h"
#include "wire.h"

#define READ_CHUNK 4096
#define FDS_MAX    16 /* descriptors of one message, and waiting to be taken */

#define HANDSHAKE_SECONDS 60

TRACE_DEFINE(chardev_tls_failed, "%s: %s");

struct listener {
	struct socket_chardev *sock;
	int fd;
	struct fd_watch *watch;
};

/* An attempt to connect, in a worker; outlives the device if that goes meanwhile. */
struct attempt {
	struct socket_chardev *sock; /* NULL: given up */
	const struct socket_options *opt;
	int fd;
	GError *error;
};

struct socket_chardev {
	struct chardev chr;
	struct socket_options *opt;
	GArray *listeners; /* struct listener; NULL: client */
	int fd;            /* connection; -1: none */
	struct fd_watch *watch;
	bool paused;
	struct tls_creds *creds;  /* NULL: no TLS */
	struct tls_session *tls;  /* of this connection; guarded by write_lock */
	bool shaking;             /* TLS hands */
	struct wire *wire;        /* of this connection; NULL: bytes as they are */
	bool speaking;            /* handshakes done; guarded by write_lock, as `out` is */
	GByteArray *in, *out;     /* NULL without a wire */
	struct bottom_half *look; /* a write did not go well, or input waits inside TLS */
	struct timer retry, patience;
	struct attempt *attempt;
	bool complained; /* of not getting a connection, since the last one */
	int fds[FDS_MAX];
	unsigned fd_count; /* guarded by write_lock, as the connection's fd is */
	struct stat bound; /* the socket file we made; st_ino 0: none */
	char *bound_path;  /* its absolute path: a daemon changes its folder */
};

static void socket_disconnect(struct socket_chardev *sock);
static void socket_set_fd(struct socket_chardev *sock, int fd);
static void socket_opened(struct socket_chardev *sock);
static void shake_hands(struct socket_chardev *sock);

/* ---- Names ---- */

static const struct wire_type *wire_of(const struct socket_options *opt)
{
	return opt->telnet ? &wire_telnet : opt->websocket ? &wire_websocket : NULL;
}

static const char *protocol_name(const struct socket_chardev *sock)
{
	const struct wire_type *type = wire_of(sock->opt);

	return type ? type->name : "tcp";
}

static const char *server_suffix(const struct socket_chardev *sock)
{
	return sock->opt->has_server && !sock->opt->server ? "" : ",server=on";
}

static char *address_name(const struct socket_chardev *sock, const struct socket_address *addr)
{
	const char *server = server_suffix(sock);

	switch (addr->kind) {
	case SOCKET_INET:
		return g_strdup_printf("%s:%s:%s%s", protocol_name(sock), addr->at.inet.host,
				       addr->at.inet.port, server);
	case SOCKET_UNIX:
		return g_strdup_printf("unix:%s%s%s%s", addr->at.un.path,
				       addr->at.un.abstract ? ",abstract=on" : "",
				       !addr->at.un.abstract ? ""
				       : addr->at.un.tight   ? ",tight=on"
							     : ",tight=off",
				       server);
	default:
		return g_strdup_printf("fd:%s%s", addr->at.fd, server);
	}
}

/* What a listening port turned out to be, where the user wrote a name or 0. */
static char *bound_name(const struct socket_chardev *sock, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	g_autofree char *host = NULL, *port = NULL;

	if (sock->opt->addr.kind != SOCKET_INET || getsockname(fd, (void *)&ss, &len) < 0 ||
	    !socket_numeric(&ss, len, &host, &port))
		return address_name(sock, &sock->opt->addr);
	return g_strdup_printf("%s:%s:%s%s", protocol_name(sock), host, port, server_suffix(sock));
}

static void name_disconnected(struct socket_chardev *sock)
{
	g_autofree char *name =
		sock->listeners
			? bound_name(sock, g_array_index(sock->listeners, struct listener, 0).fd)
			: address_name(sock, &sock->opt->addr);

	chardev_set_filename(&sock->chr, g_strdup_printf("disconnected:%s", name));
}

static void name_connected(struct socket_chardev *sock)
{
	struct sockaddr_storage own, peer;
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);
	g_autofree char *host = NULL, *port = NULL, *peer_host = NULL, *peer_port = NULL;

	memset(&own, 0, sizeof(own));
	if (getsockname(sock->fd, (void *)&own, &own_len) == 0 &&
	    getpeername(sock->fd, (void *)&peer, &peer_len) == 0 &&
	    socket_numeric(&own, own_len, &host, &port) &&
	    socket_numeric(&peer, peer_len, &peer_host, &peer_port))
		chardev_set_filename(&sock->chr,
				     g_strdup_printf("%s:%s:%s%s <-> %s:%s", protocol_name(sock),
						     host, port, server_suffix(sock), peer_host,
						     peer_port));
	else
		chardev_set_filename(&sock->chr, address_name(sock, &sock->opt->addr));
}

/* ---- Receiving ---- */

static void keep_fd(struct socket_chardev *sock, int fd)
{
	if (sock->fd_count == FDS_MAX)
		close(fd);
	else
		sock->fds[sock->fd_count++] = fd;
}

static void drop_fds(struct socket_chardev *sock)
{
	while (sock->fd_count)
		close(sock->fds[--sock->fd_count]);
}

static void keep_message_fds(struct socket_chardev *sock, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i, sizeof(fd));
			keep_fd(sock, fd);
		}
	}
}

static ssize_t socket_receive(struct socket_chardev *sock, uint8_t *buf, size_t len)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n;

	if (sock->tls) {
		g_mutex_lock(&sock->chr.write_lock);
		n = tls_read(sock->tls, buf, len);
		g_mutex_unlock(&sock->chr.write_lock);
		return n;
	}
	n = recvmsg(sock->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n > 0) {
		g_mutex_lock(&sock->chr.write_lock);
		keep_message_fds(sock, &msg);
		g_mutex_unlock(&sock->chr.write_lock);
	}
	return n;
}

static bool input_waits(const struct socket_chardev *sock)
{
	return sock->tls && tls_pending(sock->tls);
}

/* ---- What the socket has not taken yet ---- */

/* write_lock held. -1 with errno. */
static ssize_t socket_send(struct socket_chardev *sock, const uint8_t *data, size_t len)
{
	ssize_t n;

	if (sock->tls)
		return tls_write(sock->tls, data, len);
	do
		n = send(sock->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Sends what it can of `out`, and of a record. write_lock held. False: the connection is dead. */
static bool socket_flush(struct socket_chardev *sock)
{
	while (sock->wire && sock->out->len) {
		ssize_t n = socket_send(sock, sock->out->data, sock->out->len);

		if (n < 0)
			return errno == EAGAIN;
		g_byte_array_remove_range(sock->out, 0, n);
	}
	return !sock->tls || sock->shaking || tls_flush(sock->tls) || errno == EAGAIN;
}

static bool socket_unsent(const struct socket_chardev *sock)
{
	return (sock->wire && sock->out->len) || (sock->tls && tls_unsent(sock->tls));
}

/* On the loop's thread. False: the connection is dead. */
static bool flush_and_watch(struct socket_chardev *sock)
{
	bool ok, unsent;

	g_mutex_lock(&sock->chr.write_lock);
	ok = socket_flush(sock);
	unsent = socket_unsent(sock);
	g_mutex_unlock(&sock->chr.write_lock);
	fd_watch_set_events(sock->watch,
			    (sock->paused ? G_IO_HUP : G_IO_IN) | (unsent ? G_IO_OUT : 0));
	return ok;
}

/* ---- With a wire ---- */

/* Hands `in` to the front end as far as it has room. False: something is left. */
static bool wire_deliver(struct socket_chardev *sock)
{
	while (sock->in->len) {
		int room = chardev_room(&sock->chr);
		unsigned part = MIN(sock->in->len, (unsigned)MAX(room, 0));
		g_autofree uint8_t *data = NULL;

		if (!part)
			return false;
		data = g_memdup2(sock->in->data, part);
		g_byte_array_remove_range(sock->in, 0, part);
		chardev_input(&sock->chr, data, part);
		if (!sock->wire) /* the front end had the connection closed */
			return true;
	}
	return true;
}

static void wire_begin(struct socket_chardev *sock)
{
	const struct wire_type *type = wire_of(sock->opt);

	sock->in = g_byte_array_new();
	sock->out = g_byte_array_new();
	sock->wire = wire_new(type);
	if (type->begin)
		type->begin(sock->wire, sock->out);
	socket_flush(sock);
}

static void wire_end(struct socket_chardev *sock)
{
	g_clear_pointer(&sock->wire, wire_free);
	g_clear_pointer(&sock->in, g_byte_array_unref);
	g_clear_pointer(&sock->out, g_byte_array_unref);
}

static void pause_reading(struct socket_chardev *sock)
{
	sock->paused = true;
	flush_and_watch(sock);
}

/* A peer that sends pings without end, and reads no answers, gets no further. */
static bool wire_take(struct socket_chardev *sock, const uint8_t *bytes, size_t len,
		      struct wire_result *result)
{
	bool ok;

	g_mutex_lock(&sock->chr.write_lock);
	result->data = sock->in;
	result->answer = sock->out;
	sock->wire->type->receive(sock->wire, bytes, len, result);
	sock->speaking |= result->opened;
	ok = socket_flush(sock) && sock->out->len <= 16 * WIRE_KEEP_MAX && !result->end;
	g_mutex_unlock(&sock->chr.write_lock);
	return ok;
}

/* False: there is nothing more to be had now. */
static bool wire_readable(struct socket_chardev *sock)
{
	struct wire_result result = {0};
	uint8_t buf[READ_CHUNK];
	ssize_t n;
	bool ok;

	if (!wire_deliver(sock)) {
		pause_reading(sock);
		return false;
	}
	n = sock->wire ? socket_receive(sock, buf, sizeof(buf)) : -1;
	if (n < 0 && (!sock->wire || errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		socket_disconnect(sock);
		return false;
	}
	ok = wire_take(sock, buf, n, &result);
	if (result.opened)
		socket_opened(sock);
	while (result.breaks--)
		chardev_event(&sock->chr, CHARDEV_BREAK);
	if (sock->wire)
		wire_deliver(sock);
	if (sock->wire && !ok)
		socket_disconnect(sock);
	return sock->wire;
}

static bool plain_readable(struct socket_chardev *sock)
{
	uint8_t buf[READ_CHUNK];
	int room = chardev_room(&sock->chr);
	ssize_t n;

	if (room <= 0) {
		pause_reading(sock);
		return false;
	}
	n = socket_receive(sock, buf, MIN(room, READ_CHUNK));
	if (n > 0)
		chardev_input(&sock->chr, buf, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		socket_disconnect(sock);
	return n > 0;
}

static void socket_readable(struct socket_chardev *sock)
{
	bool more;

	do
		more = sock->wire ? wire_readable(sock) : plain_readable(sock);
	while (more && input_waits(sock));
}

static void socket_ready(void *opaque, GIOCondition revents)
{
	struct socket_chardev *sock = opaque;
	bool gone = revents & (G_IO_HUP | G_IO_ERR);

	if (sock->shaking) {
		shake_hands(sock);
		return;
	}
	if ((revents & G_IO_OUT) && !flush_and_watch(sock)) {
		socket_disconnect(sock);
		return;
	}
	if (!sock->paused && (gone || (revents & G_IO_IN)))
		socket_readable(sock);
	if (gone && sock->watch && sock->paused)
		socket_disconnect(sock);
}

static void socket_accept_input(struct chardev *chr)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);

	if (!sock->watch || !sock->paused || (sock->wire && !wire_deliver(sock)) || !sock->watch)
		return;
	sock->paused = false;
	flush_and_watch(sock);
	if (input_waits(sock))
		bh_schedule(sock->look);
}

static int socket_take_fd(struct chardev *chr)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);
	int fd = -1;

	g_mutex_lock(&chr->write_lock);
	if (sock->fd_count) {
		fd = sock->fds[0];
		memmove(sock->fds, sock->fds + 1, --sock->fd_count * sizeof(fd));
	}
	g_mutex_unlock(&chr->write_lock);
	return fd;
}

/* ---- Sending ---- */

/* All of it is taken, or nothing: what the peer has not read yet waits in `out`. */
static int wire_write(struct socket_chardev *sock, const uint8_t *data, int len)
{
	if (!socket_flush(sock)) {
		bh_schedule(sock->look);
		errno = EPIPE;
		return -1;
	}
	if (sock->out->len) {
		errno = EAGAIN;
		return -1;
	}
	if (sock->wire->type->send)
		sock->wire->type->send(sock->wire, data, len, sock->out);
	else
		g_byte_array_append(sock->out, data, len);
	socket_flush(sock);
	if (socket_unsent(sock))
		bh_schedule(sock->look);
	return len;
}

static int socket_write(struct chardev *chr, const uint8_t *data, int len)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);
	ssize_t n;

	if (!sock->speaking)
		return len;
	if (sock->wire)
		return wire_write(sock, data, len);
	n = socket_send(sock, data, len);
	if (n < 0 ? errno != EAGAIN : socket_unsent(sock)) {
		int err = errno;

		bh_schedule(sock->look);
		errno = err;
	}
	return n;
}

static int socket_write_fd(struct chardev *chr)
{
	return container_of(chr, struct socket_chardev, chr)->fd;
}

/* ---- Servers ---- */

static void listener_ready(void *opaque, GIOCondition revents)
{
	struct listener *listener = opaque;
	int fd = socket_accept(listener->fd);

	if (fd >= 0)
		socket_set_fd(listener->sock, fd);
}

static void listen_enable(struct socket_chardev *sock, bool on)
{
	for (guint i = 0; sock->listeners && i < sock->listeners->len; i++) {
		struct listener *l = &g_array_index(sock->listeners, struct listener, i);

		if (on && !l->watch)
			l->watch = fd_watch_new(sock->chr.loop, l->fd, G_IO_IN, listener_ready, l);
		else if (!on)
			g_clear_pointer(&l->watch, fd_watch_free);
	}
}

/* Until somebody connects, or a signal asks the program to end. */
static bool wait_for_client(struct socket_chardev *sock, GError **errp)
{
	g_autofree struct pollfd *p = g_new0(struct pollfd, sock->listeners->len);

	info_report("QEMU waiting for connection on: %s", sock->chr.filename);
	for (guint i = 0; i < sock->listeners->len; i++) {
		p[i].fd = g_array_index(sock->listeners, struct listener, i).fd;
		p[i].events = POLLIN;
	}
	while (sock->fd < 0) {
		if (runstate_shutdown_requested()) {
			error_set(errp, "terminated while waiting for a connection");
			return false;
		}
		/* The signal may come just before poll(): hence the time limit. */
		if (poll(p, sock->listeners->len, 500) < 0 && errno != EINTR) {
			error_set_errno(errp, errno, "Failed to wait for a connection");
			return false;
		}
		for (guint i = 0; sock->fd < 0 && i < sock->listeners->len; i++) {
			int fd = p[i].revents & POLLIN ? socket_accept(p[i].fd) : -1;

			if (fd >= 0)
				socket_set_fd(sock, fd);
		}
	}
	return true;
}

static void remember_bound(struct socket_chardev *sock, const char *path)
{
	if (lstat(path, &sock->bound) < 0)
		sock->bound.st_ino = 0;
	else
		sock->bound_path = g_canonicalize_filename(path, NULL);
}

static bool socket_serve(struct socket_chardev *sock, GError **errp)
{
	const struct socket_options *opt = sock->opt;
	g_autoptr(GArray) fds = socket_listen(&opt->addr, 1, errp);

	if (!fds)
		return false;
	if (opt->addr.kind == SOCKET_UNIX && !opt->addr.at.un.abstract)
		remember_bound(sock, opt->addr.at.un.path);
	sock->listeners = g_array_new(false, false, sizeof(struct listener));
	for (guint i = 0; i < fds->len; i++) {
		struct listener l = {.sock = sock, .fd = g_array_index(fds, int, i)};

		g_array_append_val(sock->listeners, l);
	}
	name_disconnected(sock);
	if (opt->wait)
		return wait_for_client(sock, errp);
	listen_enable(sock, true);
	return true;
}

/* The file goes with us, unless somebody has put another in its place. */
static void unlink_bound(struct socket_chardev *sock)
{
	struct stat now;

	if (sock->bound.st_ino && lstat(sock->bound_path, &now) == 0 &&
	    now.st_ino == sock->bound.st_ino && now.st_dev == sock->bound.st_dev)
		unlink(sock->bound_path);
	sock->bound.st_ino = 0;
	g_clear_pointer(&sock->bound_path, g_free);
}

/* ---- Clients ---- */

static int attempt_work(void *opaque)
{
	struct attempt *attempt = opaque;

	attempt->fd = socket_connect(&attempt->opt->addr, &attempt->error);
	return attempt->fd;
}

static void retry_later(struct socket_chardev *sock)
{
	timer_set(&sock->retry,
		  clock_now(QCLOCK_REALTIME) + (int64_t)sock->opt->reconnect * NS_PER_SEC);
}

static void attempt_done(void *opaque, int fd)
{
	struct attempt *attempt = opaque;
	struct socket_chardev *sock = attempt->sock;

	if (!sock) {
		options_free(&chardev_socket, (void *)attempt->opt);
		if (fd >= 0)
			close(fd);
	} else {
		sock->attempt = NULL;
		if (fd >= 0) {
			socket_set_fd(sock, fd);
		} else {
			if (!sock->complained)
				error_report("Unable to connect character device %s: %s",
					     sock->chr.id, attempt->error->message);
			sock->complained = true;
			retry_later(sock);
		}
	}
	g_clear_error(&attempt->error);
	g_free(attempt);
}

static void start_attempt(void *opaque)
{
	struct socket_chardev *sock = opaque;

	sock->attempt = g_new0(struct attempt, 1);
	sock->attempt->sock = sock;
	sock->attempt->opt = sock->opt;
	worker_submit(sock->chr.loop, attempt_work, attempt_done, sock->attempt);
}

/* ---- Connection ---- */

/* All handshakes are done. */
static void socket_opened(struct socket_chardev *sock)
{
	g_mutex_lock(&sock->chr.write_lock);
	sock->speaking = true;
	g_mutex_unlock(&sock->chr.write_lock);
	sock->complained = false;
	timer_del(&sock->patience);
	chardev_event(&sock->chr, CHARDEV_OPENED);
}

/* Bytes can flow: the wire's turn. */
static void socket_begin(struct socket_chardev *sock)
{
	const struct wire_type *type = wire_of(sock->opt);

	if (type) {
		g_mutex_lock(&sock->chr.write_lock);
		wire_begin(sock);
		g_mutex_unlock(&sock->chr.write_lock);
	}
	flush_and_watch(sock);
	if (!type || !type->handshake)
		socket_opened(sock);
	if (input_waits(sock))
		bh_schedule(sock->look);
}

/* A peer may fail as often as it likes: of a client's troubles the user hears once, of a server's never. */
static void tls_failed(struct socket_chardev *sock, const GError *error)
{
	trace(chardev_tls_failed, sock->chr.id, error->message);
	if (!sock->listeners && !sock->complained)
		error_report("Unable to connect character device %s: %s", sock->chr.id,
			     error->message);
	sock->complained = true;
	socket_disconnect(sock);
}

static void shake_hands(struct socket_chardev *sock)
{
	g_autoptr(GError) error = NULL;
	enum tls_status status;

	g_mutex_lock(&sock->chr.write_lock);
	status = tls_handshake(sock->tls, &error);
	sock->shaking = status != TLS_DONE;
	g_mutex_unlock(&sock->chr.write_lock);
	if (status == TLS_DONE)
		socket_begin(sock);
	else if (status == TLS_FAILED)
		tls_failed(sock, error);
	else
		fd_watch_set_events(sock->watch, status == TLS_WANT_READ ? G_IO_IN : G_IO_OUT);
}

static void tls_begin(struct socket_chardev *sock)
{
	const struct socket_address *addr = &sock->opt->addr;
	bool named = !sock->listeners && addr->kind == SOCKET_INET;
	g_autoptr(GError) error = NULL;

	sock->tls =
		tls_session_new(sock->creds, sock->fd, named ? addr->at.inet.host : NULL, &error);
	sock->shaking = true;
	if (sock->tls)
		shake_hands(sock);
	else
		tls_failed(sock, error);
}

static void patience_ends(void *opaque)
{
	struct socket_chardev *sock = opaque;

	if (!sock->speaking)
		socket_disconnect(sock);
}

static void be_patient(struct socket_chardev *sock)
{
	timer_set(&sock->patience,
		  clock_now(QCLOCK_REALTIME) + (int64_t)HANDSHAKE_SECONDS * NS_PER_SEC);
}

static void socket_set_fd(struct socket_chardev *sock, int fd)
{
	const struct socket_options *opt = sock->opt;

	if (opt->addr.kind != SOCKET_UNIX && opt->nodelay)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	g_mutex_lock(&sock->chr.write_lock);
	sock->fd = fd;
	g_mutex_unlock(&sock->chr.write_lock);
	listen_enable(sock, false);
	name_connected(sock);
	sock->paused = false;
	sock->watch = fd_watch_new(sock->chr.loop, fd, G_IO_IN, socket_ready, sock);
	be_patient(sock);
	if (sock->creds)
		tls_begin(sock);
	else
		socket_begin(sock);
}

static void close_connection(struct socket_chardev *sock)
{
	timer_del(&sock->patience);
	g_clear_pointer(&sock->watch, fd_watch_free);
	drop_fds(sock);
	wire_end(sock);
	if (sock->tls)
		tls_bye(sock->tls);
	g_clear_pointer(&sock->tls, tls_session_free);
	sock->shaking = sock->speaking = false;
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

static void socket_disconnect(struct socket_chardev *sock)
{
	bool was_open = sock->speaking;

	if (sock->fd < 0)
		return;
	if (sock->chr.fe)
		frontend_drop_notifies(sock->chr.fe);
	g_mutex_lock(&sock->chr.write_lock);
	close_connection(sock);
	g_mutex_unlock(&sock->chr.write_lock);
	name_disconnected(sock);
	if (was_open)
		chardev_event(&sock->chr, CHARDEV_CLOSED);
	/* The event's receiver may have looked for nothing else than to remove front and back end
	 * later; now the next connection may come. */
	if (sock->listeners)
		listen_enable(sock, true);
	else if (sock->opt->reconnect)
		retry_later(sock);
}

/* A write left something behind or failed: if the connection is dead, so says poll(). Or there is input that
 * poll() does not know of. */
static void socket_look(void *opaque)
{
	struct socket_chardev *sock = opaque;
	struct pollfd p = {.fd = sock->fd, .events = POLLIN};

	if (sock->fd < 0 || sock->shaking)
		return;
	if (!flush_and_watch(sock) ||
	    (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) && !input_waits(sock)))
		socket_disconnect(sock);
	else if (!sock->paused && input_waits(sock))
		socket_readable(sock);
}

static bool socket_create(struct chardev *chr, const void *options, GError **errp)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);
	const struct socket_options *opt = options;
	bool server = !opt->has_server || opt->server;
	int fd;

	sock->fd = -1;
	sock->opt = socket_options_copy(options);
	sock->look = bh_new(chr->loop, socket_look, sock);
	timer_init(&sock->retry, chr->loop, QCLOCK_REALTIME, start_attempt, sock);
	timer_init(&sock->patience, chr->loop, QCLOCK_REALTIME, patience_ends, sock);
	if (!socket_options_check(opt, errp))
		return false;
	if (opt->tls_creds)
		sock->creds = tls_creds_get(opt->tls_creds, server ? TLS_SERVER : TLS_CLIENT, errp);
	if (opt->tls_creds && !sock->creds)
		return false;
	if (server)
		return socket_serve(sock, errp);
	name_disconnected(sock);
	if (sock->opt->reconnect) {
		start_attempt(sock);
		return true;
	}
	fd = socket_connect(&sock->opt->addr, errp);
	if (fd >= 0)
		socket_set_fd(sock, fd);
	return fd >= 0;
}

static void socket_destroy(struct chardev *chr)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);

	timer_del(&sock->retry);
	bh_free(sock->look);
	close_connection(sock);
	tls_creds_unref(sock->creds);
	listen_enable(sock, false);
	for (guint i = 0; sock->listeners && i < sock->listeners->len; i++)
		close(g_array_index(sock->listeners, struct listener, i).fd);
	g_clear_pointer(&sock->listeners, g_array_unref);
	unlink_bound(sock);
	if (sock->attempt)
		sock->attempt->sock = NULL; /* it frees the options */
	else
		options_free(&chardev_socket, sock->opt);
}

static bool socket_set_loop(struct chardev *chr, struct loop *loop)
{
	struct socket_chardev *sock = container_of(chr, struct socket_chardev, chr);

	if (sock->attempt)
		return false;
	chr->loop = loop;
	bh_free(sock->look);
	sock->look = bh_new(loop, socket_look, sock);
	timer_del(&sock->retry);
	timer_init(&sock->retry, loop, QCLOCK_REALTIME, start_attempt, sock);
	timer_del(&sock->patience);
	timer_init(&sock->patience, loop, QCLOCK_REALTIME, patience_ends, sock);
	if (sock->watch) {
		fd_watch_free(sock->watch);
		sock->paused = false;
		sock->watch = fd_watch_new(loop, sock->fd, G_IO_IN | G_IO_OUT, socket_ready, sock);
		if (!sock->speaking)
			be_patient(sock);
		bh_schedule(sock->look);
	} else if (sock->listeners) {
		listen_enable(sock, false);
		listen_enable(sock, true);
	}
	return true;
}

const struct chardev_type chardev_socket = {
	.name = "socket",
	.help = "A Unix or TCP socket, as server or client",
	.size = sizeof(struct socket_chardev),
	.options = &chardev_socket_set,
	.flat = chardev_socket_flat,
	.finish_flat = socket_options_finish,
	.create = socket_create,
	.destroy = socket_destroy,
	.write = socket_write,
	.write_fd = socket_write_fd,
	.accept_input = socket_accept_input,
	.set_loop = socket_set_loop,
	.take_fd = socket_take_fd,
};
