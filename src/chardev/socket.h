/*
 * Options of socket character devices.
 */
#ifndef CHARDEV_SOCKET_H
#define CHARDEV_SOCKET_H

#include "base/socket.h"
#include "internal.h"

struct socket_options {
	struct chardev_common common;
	struct socket_address addr;
	bool has_server, server, has_wait, wait, has_nodelay, nodelay, delay;
	bool has_telnet, telnet, has_tn3270, tn3270, has_websocket, websocket;
	bool has_reconnect;
	uint32_t reconnect; /* s; 0: never */
	char *tls_creds, *tls_authz;
};

extern const struct field chardev_socket_flat[];
bool socket_options_finish(void *options, GError **errp);

/* Whether they go together. */
bool socket_options_check(const struct socket_options *opt, GError **errp);

/* What a device keeps of its options for as long as it lives: the address. Freed by options_free(). */
struct socket_options *socket_options_copy(const struct socket_options *opt);

#endif
