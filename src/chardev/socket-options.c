/* Options of socket character devices: rows, and what rows cannot say. */
#include "socket.h"

bool socket_options_check(const struct socket_options *opt, GError **errp)
{
	bool server = !opt->has_server || opt->server;
	const char *absent = opt->tn3270 ? "tn3270" : NULL;

	if (absent)
		error_set(errp, "'%s' option is not supported by socket chardevs here", absent);
	else if (opt->telnet && opt->websocket)
		error_set(errp, "'telnet' and 'websocket' exclude each other");
	else if (opt->websocket && !server)
		error_set(errp, "Websocket client is not implemented");
	else if (opt->tls_creds && opt->addr.kind == SOCKET_UNIX)
		error_set(errp, "'tls_creds' option is incompatible with 'unix' address type");
	else if (opt->tls_authz && !opt->tls_creds)
		error_set(errp, "'tls_authz' option requires 'tls_creds' option");
	else if (opt->tls_authz)
		error_set(errp, "'tls-authz' option is not supported by socket chardevs here");
	else if (server && opt->reconnect)
		error_set(errp,
			  "'reconnect' option is incompatible with socket in server listen mode");
	else if (!server && opt->has_wait)
		error_set(errp, "'wait' option is incompatible with socket in client connect mode");
	else
		return true;
	return false;
}

struct socket_options *socket_options_copy(const struct socket_options *opt)
{
	struct socket_options *copy = g_memdup2(opt, sizeof(*opt));
	const struct socket_places *at = &opt->addr.at;

	copy->common.logfile = copy->tls_creds = copy->tls_authz = NULL;
	memset(&copy->addr.at, 0, sizeof(copy->addr.at));
	switch (opt->addr.kind) {
	case SOCKET_INET:
		copy->addr.at.inet = at->inet;
		copy->addr.at.inet.host = g_strdup(at->inet.host);
		copy->addr.at.inet.port = g_strdup(at->inet.port);
		break;
	case SOCKET_UNIX:
		copy->addr.at.un = at->un;
		copy->addr.at.un.path = g_strdup(at->un.path);
		break;
	default:
		copy->addr.at.fd = g_strdup(at->fd);
	}
	return copy;
}

#define SOCKET_FLAG_ROWS                                                                           \
	OPT_BOOL(struct socket_options, server, "server", "Listens instead of connecting"),        \
		OPT_BOOL(struct socket_options, wait, "wait",                                      \
			 "A server waits for its first client before the guest starts"),           \
		OPT_BOOL(struct socket_options, nodelay, "nodelay",                                \
			 "TCP sends small packets at once"),                                       \
		OPT_BOOL(struct socket_options, telnet, "telnet", "Speaks the telnet protocol"),   \
		OPT_BOOL(struct socket_options, tn3270, "tn3270", "Speaks the tn3270 protocol"),   \
		OPT_BOOL(struct socket_options, websocket, "websocket",                            \
			 "Speaks the WebSocket protocol"),                                         \
		OPT_UINT(struct socket_options, reconnect, "reconnect",                            \
			 "A client connects again after this many seconds; 0: never"),             \
		OPT_STRING(struct socket_options, tls_creds, "tls-creds",                          \
			   "Encrypts with these TLS credentials"),                                 \
		OPT_STRING(struct socket_options, tls_authz, "tls-authz",                          \
			   "Authorizes TLS peers with this object")

static const struct field socket_rows[] = {
	CHARDEV_COMMON_ROWS(struct socket_options),
	ARG_STRUCT(struct socket_options, addr, "addr", &socket_address_set,
		   "Where to listen or connect to"),
	SOCKET_FLAG_ROWS,
	FIELD_ROW_END,
};
const struct field_set chardev_socket_set = {"ChardevSocket", sizeof(struct socket_options),
					     socket_rows};

/* An optional scalar inside the address. */
#define FLAT_INET(_m, _name, _kind, _help)                                                         \
	{                                                                                          \
		FIELD_AT(struct socket_options, addr.at.inet._m, _name, _kind,                     \
			 sizeof(FIELD_MEMBER(struct socket_inet, _m)), _help),                     \
			.flags = FIELD_OPTIONAL, .has = true,                                      \
			.has_offset = offsetof(struct socket_options, addr.at.inet.has_##_m)       \
	}

const struct field chardev_socket_flat[] = {
	CHARDEV_COMMON_ROWS(struct socket_options),
	OPT_STRING(struct socket_options, addr.at.un.path, "path", "Unix socket: its file's name"),
	PROP_BOOL(struct socket_options, addr.at.un.abstract, "abstract", false,
		  "Unix socket: the name is an abstract one"),
	PROP_BOOL(struct socket_options, addr.at.un.tight, "tight", true,
		  "Unix socket: an abstract name is not filled up with zero bytes"),
	OPT_STRING(struct socket_options, addr.at.inet.host, "host",
		   "TCP: host name or address; empty: all interfaces"),
	OPT_STRING(struct socket_options, addr.at.inet.port, "port",
		   "TCP: port number or service name"),
	FLAT_INET(to, "to", FIELD_UINT, "TCP: the last port to try if others are taken"),
	FLAT_INET(ipv4, "ipv4", FIELD_BOOL, "TCP: whether IPv4 may be used"),
	FLAT_INET(ipv6, "ipv6", FIELD_BOOL, "TCP: whether IPv6 may be used"),
	OPT_STRING(struct socket_options, addr.at.fd, "fd", "Number of an inherited descriptor"),
	SOCKET_FLAG_ROWS,
	/* "nodelay" without a value, as it was once written, arrives as delay=off. */
	{
		FIELD_AT(struct socket_options, delay, "delay", FIELD_BOOL, sizeof(bool),
			 "TCP gathers small packets"),
		.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_HIDDEN,
		.def = true,
	},
	FIELD_ROW_END,
};

bool socket_options_finish(void *options, GError **errp)
{
	struct socket_options *opt = options;
	struct socket_places *at = &opt->addr.at;

	if (!!at->un.path + !!at->inet.host + !!at->fd > 1) {
		error_set(errp, "None or one of 'path', 'fd' or 'host' option required.");
		return false;
	}
	opt->addr.kind = at->un.path ? SOCKET_UNIX : at->inet.host ? SOCKET_INET : SOCKET_FD;
	if (opt->addr.kind == SOCKET_INET && !at->inet.port) {
		error_set(errp, "chardev: socket: no port given");
		return false;
	}
	if (opt->addr.kind == SOCKET_FD && !at->fd) {
		error_set(errp, "chardev: socket: no path, host or fd given");
		return false;
	}
	if (opt->addr.kind != SOCKET_INET)
		g_clear_pointer(&at->inet.port, g_free);
	/* The command line means a client where QMP means a server, and then waits. */
	opt->has_server = true;
	if (opt->server && !opt->has_wait)
		opt->has_wait = opt->wait = true;
	opt->nodelay |= !opt->delay;
	return true;
}
