/*
 * TLS: credentials, which are objects that users make, and sessions over a stream socket.
 *
 * A session stands between its owner and a connected socket and never blocks: each function does what
 * can be done now and says what it waits for. The owner polls the descriptor, and keeps three things
 * in mind:
 *
 *  - TLS carries records, of up to 16 KiB. Once a record has been begun it must be finished. tls_write()
 *    therefore takes data wholly and keeps what the socket does not (one record at most); it
 *    takes nothing more until that is gone. While tls_unsent() the owner polls for writing and calls
 *    tls_flush().
 *  - A record that came may hold more than the owner asked for. While tls_pending() there is something to
 *    read although the descriptor has nothing.
 *  - Reading may have to write (answers of the protocol itself), so one lock guards both directions.
 *
 *	tls_session_new()
 *	tls_handshake()		again and again until TLS_DONE: then the peer is who it should be
 *	tls_read(), tls_write()
 *	tls_bye()		tells the peer that this is the end, if it can be told right now
 *	tls_session_free()	the descriptor stays the owner's
 *
 * Everything from the peer is handled by GnuTLS, which is loaded when the first credentials are made: who
 * uses no TLS does not pay for it.
 */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include "device/device.h"

enum tls_endpoint { TLS_CLIENT, TLS_SERVER };

struct tls_creds;
struct tls_session;

extern const struct device_type tls_creds_type, tls_creds_anon_type, tls_creds_psk_type,
	tls_creds_x509_type;

/* The credentials called @id, which must be for @endpoint: a reference, with which object_del is
 * refused. NULL with an error. */
struct tls_creds *tls_creds_get(const char *id, enum tls_endpoint endpoint, GError **errp);
void tls_creds_unref(struct tls_creds *creds);

/*
 * A session on the connected socket @fd. @hostname: whom a client wants to speak to, which the
 * server's certificate must name; NULL: not checked. Holds a reference to @creds. NULL with an error.
 */
struct tls_session *tls_session_new(struct tls_creds *creds, int fd, const char *hostname,
				    GError **errp);
void tls_session_free(struct tls_session *s); /* NULL is fine */

enum tls_status {
	TLS_DONE,
	TLS_WANT_READ,  /* call again when the descriptor can be read */
	TLS_WANT_WRITE, /* ... or written */
	TLS_FAILED,
};
/* After TLS_FAILED, of which the error tells, the session is good for nothing but to be freed. */
enum tls_status tls_handshake(struct tls_session *s, GError **errp);

/* Bytes read, 0 at the peer's orderly end, -1 with errno: EAGAIN, ECONNABORTED for a connection cut off,
 * EPROTO for what is no TLS, or that of the socket. */
ssize_t tls_read(struct tls_session *s, void *buf, size_t len);

/* Bytes taken, or -1 with errno as above. */
ssize_t tls_write(struct tls_session *s, const void *data, size_t len);

/* Sends more of what tls_write() took. False with errno: EAGAIN while something is left. */
bool tls_flush(struct tls_session *s);

bool tls_unsent(const struct tls_session *s);
bool tls_pending(const struct tls_session *s);
void tls_bye(struct tls_session *s);

#endif
