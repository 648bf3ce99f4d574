/*
 * Addresses of stream sockets as users write them, listening and connecting.
 *
 * The structure holds the places of all kinds side by side, so that two tables of rows can fill it:
 * QMP's union {"type":"inet","data":{...}} (socket_address_set), and the flat options of -chardev.
 */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <sys/socket.h>
#include "base/common.h"
#include "base/error.h"
#include "base/field.h"

enum socket_kind { SOCKET_INET, SOCKET_UNIX, SOCKET_FD };

struct socket_inet {
	char *host, *port;
	bool has_numeric, numeric; /* no name lookup */
	bool has_to;
	uint16_t to; /* last port to try; listening only */
	bool has_ipv4, ipv4, has_ipv6, ipv6;
	bool has_keep_alive, keep_alive;
};
struct socket_unix {
	char *path;
	bool abstract; /* Linux's name space without files */
	bool tight;    /* an abstract name ends with its last byte, not with zeroes up to 108 */
};
struct socket_places {
	struct socket_inet inet;
	struct socket_unix un;
	char *fd; /* a number, or the name of one passed with getfd */
};
struct socket_address {
	int kind;
	struct socket_places at;
};
extern const struct field_set socket_address_set;

/* Listening sockets, non-blocking: a name may stand for several addresses. GArray of int; NULL with an error. */
GArray *socket_listen(const struct socket_address *addr, int backlog, GError **errp);

/* A connected socket, blocking mode; waits for the peer. -1 with an error. */
int socket_connect(const struct socket_address *addr, GError **errp);

/* A UDP socket, non-blocking, that hears and speaks to @remote only; @local NULL: any port. */
int socket_datagram(const struct socket_inet *remote, const struct socket_inet *local,
		    GError **errp);

/* Checks that descriptor @fd is a stream socket. @listening: it must listen; else must not. */
bool socket_check_fd(int fd, bool listening, GError **errp);

/* Takes the next connection of a listening socket: close-on-exec; -1 with errno. */
int socket_accept(int fd);

/* Tells how a SOCKET_FD name that is no number, or any name while a monitor runs a command, is resolved:
 * the descriptor, handed over; -1 with an error; -2: there is no monitor. */
typedef int socket_fd_lookup_fn(const char *name, GError **errp);
void socket_set_fd_lookup(socket_fd_lookup_fn *fn);

/* "host:port" or "path" of an address, for messages. */
char *socket_address_text(const struct socket_address *addr);

/* Numeric "host" and "port" of an IPv4 or IPv6 address; false for other families. */
bool socket_numeric(const struct sockaddr_storage *ss, socklen_t len, char **host, char **port);

#endif
