/*
 * Stream sockets by the addresses that users give.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib-unix.h>

#include "base/socket.h"

static socket_fd_lookup_fn *fd_lookup;

void socket_set_fd_lookup(socket_fd_lookup_fn *fn)
{
	fd_lookup = fn;
}

char *socket_address_text(const struct socket_address *addr)
{
	switch (addr->kind) {
	case SOCKET_INET:
		return g_strdup_printf("%s:%s", addr->at.inet.host, addr->at.inet.port);
	case SOCKET_UNIX:
		return g_strdup(addr->at.un.path);
	default:
		return g_strdup(addr->at.fd);
	}
}

bool socket_numeric(const struct sockaddr_storage *ss, socklen_t len, char **host, char **port)
{
	char h[NI_MAXHOST], p[NI_MAXSERV];

	if (ss->ss_family != AF_INET && ss->ss_family != AF_INET6)
		return false;
	if (getnameinfo((const struct sockaddr *)ss, len, h, sizeof(h), p, sizeof(p),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return false;
	*host = g_strdup(h);
	*port = g_strdup(p);
	return true;
}

int socket_accept(int fd)
{
	int peer;

	do
		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	while (peer < 0 && errno == EINTR);
	return peer;
}

/* ---- Descriptors that somebody else opened ---- */

bool socket_check_fd(int fd, bool listening, GError **errp)
{
	int type, accepts = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		error_set(errp, "File descriptor '%d' is not a socket", fd);
		return false;
	}
	len = sizeof(accepts);
	if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) < 0) {
		error_set(errp, "File descriptor '%d' is not a stream socket", fd);
		return false;
	}
	if (!accepts == listening) {
		error_set(errp,
			  listening
				  ? "File descriptor '%d' is not a listening socket"
				  : "File descriptor '%d' is a listening socket, not a connection",
			  fd);
		return false;
	}
	return true;
}

static int socket_fd(const char *name, bool listening, GError **errp)
{
	int fd = fd_lookup ? fd_lookup(name, errp) : -2;

	if (fd == -1)
		return -1;
	if (fd == -2) {
		char *end;
		gint64 number = g_ascii_strtoll(name, &end, 10);

		if (!*name || *end || number < 0 || number > INT_MAX) {
			error_set(errp, "Unable to parse FD number %s", name);
			return -1;
		}
		fd = number;
	}
	return socket_check_fd(fd, listening, errp) ? fd : -1;
}

/* ---- Unix sockets ---- */

static bool unix_sockaddr(const struct socket_unix *addr, struct sockaddr_un *sun, socklen_t *len,
			  GError **errp)
{
	size_t n = strlen(addr->path), room = sizeof(sun->sun_path) - addr->abstract;

	if (n > room) {
		error_set(errp, "UNIX socket path '%s' is too long", addr->path);
		error_add_hint(errp, "Path must be less than %zu bytes", room);
		return false;
	}
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path + addr->abstract, addr->path, n);
	*len = sizeof(*sun);
	if (addr->abstract && addr->tight)
		*len = offsetof(struct sockaddr_un, sun_path) + 1 + n;
	return true;
}

/* Does somebody listen at that name now? A full backlog means yes. */
static bool unix_is_live(const struct sockaddr_un *sun, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool live;

	if (fd < 0)
		return false;
	live = connect(fd, (const struct sockaddr *)sun, len) == 0 || errno == EAGAIN;
	close(fd);
	return live;
}

/* What an earlier process left there goes; a server that is alive keeps its name. */
static bool unix_clear_path(const struct socket_unix *addr, const struct sockaddr_un *sun,
			    socklen_t len, GError **errp)
{
	if (unix_is_live(sun, len)) {
		error_set_errno(errp, EADDRINUSE, "Failed to bind socket to %s", addr->path);
		error_add_hint(errp, "Another process listens there");
		return false;
	}
	if (unlink(addr->path) == 0 || errno == ENOENT)
		return true;
	error_set_errno(errp, errno, "Failed to unlink socket %s", addr->path);
	return false;
}

static int unix_listen(const struct socket_unix *addr, int backlog, GError **errp)
{
	struct sockaddr_un sun;
	socklen_t len;
	int fd;

	if (!unix_sockaddr(addr, &sun, &len, errp))
		return -1;
	if (!addr->abstract && !unix_clear_path(addr, &sun, len, errp))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		error_set_errno(errp, errno, "Failed to create Unix socket");
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&sun, len) < 0)
		error_set_errno(errp, errno, "Failed to bind socket to %s", addr->path);
	else if (listen(fd, backlog) < 0)
		error_set_errno(errp, errno, "Failed to listen on socket");
	else
		return fd;
	close(fd);
	return -1;
}

static int unix_connect(const struct socket_unix *addr, GError **errp)
{
	struct sockaddr_un sun;
	socklen_t len;
	int fd, ret;

	if (!unix_sockaddr(addr, &sun, &len, errp))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		error_set_errno(errp, errno, "Failed to create socket");
		return -1;
	}
	do
		ret = connect(fd, (struct sockaddr *)&sun, len);
	while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return fd;
	error_set_errno(errp, errno, "Failed to connect to '%s'", addr->path);
	close(fd);
	return -1;
}

/* ---- TCP ---- */

/* The family that ipv4= and ipv6= leave. -1 with an error if none. */
static int inet_family(const struct socket_inet *addr, GError **errp)
{
	bool want4 = addr->has_ipv4 && addr->ipv4, want6 = addr->has_ipv6 && addr->ipv6;
	bool no4 = addr->has_ipv4 && !addr->ipv4, no6 = addr->has_ipv6 && !addr->ipv6;

	if (no4 && no6) {
		error_set(errp, "Cannot disable IPv4 and IPv6 at same time");
		return -1;
	}
	if (want4 && want6)
		return AF_UNSPEC;
	if (want6 || no4)
		return AF_INET6;
	if (want4 || no6)
		return AF_INET;
	return AF_UNSPEC;
}

static struct addrinfo *inet_resolve(const struct socket_inet *addr, int type, bool passive,
				     GError **errp)
{
	struct addrinfo hints = {.ai_socktype = type,
				 .ai_flags = passive ? AI_PASSIVE : AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	int err;

	hints.ai_family = inet_family(addr, errp);
	if (hints.ai_family < 0)
		return NULL;
	if (addr->has_numeric && addr->numeric)
		hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	err = getaddrinfo(*addr->host ? addr->host : NULL, addr->port, &hints, &list);
	if (err == EAI_BADFLAGS || (err == EAI_NONAME && hints.ai_flags & AI_ADDRCONFIG)) {
		/* A host without a configured address (a fresh network name space) still has
		 * its loopback. */
		hints.ai_flags &= ~AI_ADDRCONFIG;
		err = getaddrinfo(*addr->host ? addr->host : NULL, addr->port, &hints, &list);
	}
	if (err) {
		error_set(errp, "address resolution failed for %s:%s: %s", addr->host, addr->port,
			  gai_strerror(err));
		return NULL;
	}
	return list;
}

static void sockaddr_set_port(struct sockaddr *sa, uint16_t port)
{
	if (sa->sa_family == AF_INET)
		((struct sockaddr_in *)sa)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)sa)->sin6_port = htons(port);
}

static uint16_t sockaddr_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
}

/* One listening socket, at the first free port up to @last; -1 with errno. */
static int inet_listen_one(struct addrinfo *ai, unsigned last, int backlog)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	for (unsigned port = sockaddr_port(ai->ai_addr); port <= last; port++) {
		sockaddr_set_port(ai->ai_addr, port);
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
			if (listen(fd, backlog) == 0)
				return fd;
		}
		if (errno != EADDRINUSE)
			break;
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* Port 0 means "any": all addresses of the name then share the one the first was given. */
static void share_port(struct addrinfo *list, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (!sockaddr_port(ai->ai_addr))
			sockaddr_set_port(ai->ai_addr, sockaddr_port((struct sockaddr *)&ss));
}

static bool inet_listen(const struct socket_inet *addr, int backlog, GArray *fds, GError **errp)
{
	struct addrinfo *list = inet_resolve(addr, SOCK_STREAM, true, errp);
	int err = 0;

	if (!list)
		return false;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		unsigned last = addr->has_to ? addr->to : sockaddr_port(ai->ai_addr);
		int fd = inet_listen_one(ai, last, backlog);

		if (fd < 0) {
			err = errno;
			continue;
		}
		if (!fds->len)
			share_port(list, fd);
		g_array_append_val(fds, fd);
	}
	freeaddrinfo(list);
	if (fds->len)
		return true;
	if (err == EADDRINUSE && addr->has_to)
		error_set_errno(errp, err, "Failed to find an available port");
	else
		error_set_errno(errp, err, "Failed to bind socket to '%s:%s'", addr->host,
				addr->port);
	return false;
}

static int inet_connect(const struct socket_inet *addr, GError **errp)
{
	struct addrinfo *list = inet_resolve(addr, SOCK_STREAM, false, errp);
	int err = 0, fd = -1;

	if (!list)
		return -1;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		err = errno;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd < 0)
		error_set_errno(errp, err, "Failed to connect to '%s:%s'", addr->host, addr->port);
	else if (addr->has_keep_alive && addr->keep_alive)
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	return fd;
}

/* ---- Either ---- */

static int listen_single(const struct socket_address *addr, int backlog, GError **errp)
{
	int fd;

	if (addr->kind == SOCKET_UNIX)
		return unix_listen(&addr->at.un, backlog, errp);
	fd = socket_fd(addr->at.fd, true, errp);
	if (fd >= 0)
		g_unix_set_fd_nonblocking(fd, true, NULL);
	return fd;
}

GArray *socket_listen(const struct socket_address *addr, int backlog, GError **errp)
{
	g_autoptr(GArray) fds = g_array_new(false, false, sizeof(int));

	if (addr->kind == SOCKET_INET) {
		if (!inet_listen(&addr->at.inet, backlog, fds, errp))
			return NULL;
	} else {
		int fd = listen_single(addr, backlog, errp);

		if (fd < 0)
			return NULL;
		g_array_append_val(fds, fd);
	}
	return g_steal_pointer(&fds);
}

int socket_connect(const struct socket_address *addr, GError **errp)
{
	switch (addr->kind) {
	case SOCKET_INET:
		return inet_connect(&addr->at.inet, errp);
	case SOCKET_UNIX:
		return unix_connect(&addr->at.un, errp);
	default:
		return socket_fd(addr->at.fd, false, errp);
	}
}

/* ---- Datagrams ---- */

/* Without a host the local end is any address of the peer's family. */
static int bind_local(const struct addrinfo *peer, const struct socket_inet *local, GError **errp)
{
	struct socket_inet any = {.host = (char *)"", .port = (char *)"0"};
	struct addrinfo *list;
	int fd = -1;

	if (local)
		any = *local;
	any.has_ipv4 = any.has_ipv6 = true;
	any.ipv4 = peer->ai_family == AF_INET;
	any.ipv6 = peer->ai_family == AF_INET6;
	list = inet_resolve(&any, SOCK_DGRAM, true, errp);
	if (!list)
		return -1;
	fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		error_set_errno(errp, errno, "Failed to create socket");
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
		if (bind(fd, list->ai_addr, list->ai_addrlen) < 0) {
			error_set_errno(errp, errno, "Failed to bind socket");
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

int socket_datagram(const struct socket_inet *remote, const struct socket_inet *local,
		    GError **errp)
{
	struct socket_inet peer = *remote;
	struct addrinfo *list;
	int fd;

	if (!*peer.host)
		peer.host = (char *)"localhost";
	list = inet_resolve(&peer, SOCK_DGRAM, false, errp);
	if (!list)
		return -1;
	fd = bind_local(list, local, errp);
	if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
		error_set_errno(errp, errno, "Failed to connect to '%s:%s'", peer.host, peer.port);
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

/* ---- Rows ---- */

static const struct field inet_rows[] = {
	ARG_STRING(struct socket_inet, host, "host", "Host name or address; empty: all interfaces"),
	ARG_STRING(struct socket_inet, port, "port", "Port number or service name"),
	OPT_BOOL(struct socket_inet, numeric, "numeric",
		 "Host and port are numbers: look nothing up"),
	OPT_UINT(struct socket_inet, to, "to",
		 "Listening: the last port to try if others are taken"),
	OPT_BOOL(struct socket_inet, ipv4, "ipv4", "Whether IPv4 may be used"),
	OPT_BOOL(struct socket_inet, ipv6, "ipv6", "Whether IPv6 may be used"),
	OPT_BOOL(struct socket_inet, keep_alive, "keep-alive",
		 "Let the kernel probe idle connections"),
	FIELD_ROW_END,
};
static const struct field_set inet_set = {"InetSocketAddress", sizeof(struct socket_inet),
					  inet_rows};

static const struct field unix_rows[] = {
	ARG_STRING(struct socket_unix, path, "path", "File name, or abstract name"),
	PROP_BOOL(struct socket_unix, abstract, "abstract", false, "The name is an abstract one"),
	PROP_BOOL(struct socket_unix, tight, "tight", true,
		  "An abstract name is not filled up with zero bytes"),
	FIELD_ROW_END,
};
static const struct field_set unix_set = {"UnixSocketAddress", sizeof(struct socket_unix),
					  unix_rows};

struct socket_fd_name {
	char *str;
};
static const struct field fd_rows[] = {
	ARG_STRING(struct socket_fd_name, str, "str", "Number, or name given with getfd"),
	FIELD_ROW_END,
};
static const struct field_set fd_set_ = {"String", sizeof(struct socket_fd_name), fd_rows};

/* The members of socket_places are no C union, so each branch names its own. */
static const struct field inet_branch_rows[] = {
	ARG_STRUCT(struct socket_places, inet, "data", &inet_set, "The address"),
	FIELD_ROW_END,
};
static const struct field unix_branch_rows[] = {
	ARG_STRUCT(struct socket_places, un, "data", &unix_set, "The address"),
	FIELD_ROW_END,
};
static const struct field fd_branch_rows[] = {
	ARG_STRUCT(struct socket_places, fd, "data", &fd_set_, "The descriptor"),
	FIELD_ROW_END,
};
static const struct field_set inet_branch = {"InetSocketAddressWrapper",
					     sizeof(struct socket_places), inet_branch_rows};
static const struct field_set unix_branch = {"UnixSocketAddressWrapper",
					     sizeof(struct socket_places), unix_branch_rows};
static const struct field_set fd_branch = {"StringWrapper", sizeof(struct socket_places),
					   fd_branch_rows};

static const struct enum_name socket_kind_names[] = {
	{"inet", SOCKET_INET, NULL},
	{"unix", SOCKET_UNIX, NULL},
	{"fd", SOCKET_FD, NULL},
	{NULL, 0, NULL},
};
static const struct field_branch socket_branches[] = {
	{SOCKET_INET, &inet_branch},
	{SOCKET_UNIX, &unix_branch},
	{SOCKET_FD, &fd_branch},
	{0, NULL},
};
static const struct field socket_address_rows[] = {
	ARG_ENUM(struct socket_address, kind, "type", socket_kind_names, "Kind of address"),
	ARG_UNION(struct socket_address, at, "type", socket_branches),
	FIELD_ROW_END,
};
const struct field_set socket_address_set = {"SocketAddressLegacy", sizeof(struct socket_address),
					     socket_address_rows};
