/* See include/crypto/tls.h. */
#include <sys/socket.h>

#include "creds.h"

/* What one call of tls_write() takes at most: what a record carries (RFC 8446, section 5.1). */
#define RECORD_MAX 16384

#define DEFAULT_PRIORITY "NORMAL"

struct tls_session {
	struct tls_creds *creds;
	const struct library *lib;
	gnutls_session_t gnutls;
	int fd;
	char *hostname;
	char *refusal; /* why the peer's certificate did not do */
	bool done;     /* the handshake */
	bool unsent;   /* part of a record waits inside the library */
};

/* ---- The socket ---- */

static ssize_t push(gnutls_transport_ptr_t opaque, const void *data, size_t len)
{
	struct tls_session *s = opaque;
	ssize_t n = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		s->lib->transport_set_errno(s->gnutls, errno);
	return n;
}

static ssize_t pull(gnutls_transport_ptr_t opaque, void *data, size_t len)
{
	struct tls_session *s = opaque;
	ssize_t n = recv(s->fd, data, len, MSG_DONTWAIT);

	if (n < 0)
		s->lib->transport_set_errno(s->gnutls, errno);
	return n;
}

/* ---- Who the peer is ---- */

static bool refuse(struct tls_session *s, const char *why)
{
	g_free(s->refusal);
	s->refusal = g_strdup(why);
	return false;
}

static bool check_peer_name(struct tls_session *s, const gnutls_datum_t *der)
{
	const struct library *lib = s->lib;
	gnutls_x509_crt_t cert;
	bool ok;

	if (!s->hostname)
		return true;
	if (lib->x509_crt_init(&cert) < 0)
		return refuse(s, "Out of memory");
	ok = lib->x509_crt_import(cert, der, GNUTLS_X509_FMT_DER) >= 0 &&
	     lib->x509_crt_check_hostname(cert, s->hostname);
	lib->x509_crt_deinit(cert);
	if (!ok) {
		g_free(s->refusal);
		s->refusal =
			g_strdup_printf("Certificate does not match the hostname %s", s->hostname);
	}
	return ok;
}

static bool check_peer(struct tls_session *s)
{
	unsigned status = 0, count = 0;
	int rc = s->lib->certificate_verify_peers2(s->gnutls, &status);
	const gnutls_datum_t *chain;

	if (rc < 0)
		return refuse(s, rc == GNUTLS_E_NO_CERTIFICATE_FOUND ? "No certificate was found"
								     : s->lib->strerror(rc));
	if (status)
		return refuse(s, tls_verify_reason(status));
	chain = s->lib->certificate_get_peers(s->gnutls, &count);
	if (!chain || !count)
		return refuse(s, "No certificate was found");
	return check_peer_name(s, &chain[0]);
}

/* Within the handshake, so that the peer hears of a failure. */
static int verify(gnutls_session_t gnutls)
{
	struct tls_session *s = library_load(NULL)->session_get_ptr(gnutls);

	return check_peer(s) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* ---- Life ---- */

static bool set_priority(struct tls_session *s, GError **errp)
{
	const struct tls_creds *creds = s->creds;
	const char *extra = tls_creds_kind(creds)->priority;
	g_autofree char *priority =
		g_strconcat(creds->priority ? creds->priority : DEFAULT_PRIORITY, extra, NULL);
	int rc = s->lib->priority_set_direct(s->gnutls, priority, NULL);

	if (rc < 0)
		error_set(errp, "Unable to set TLS session priority %s: %s", priority,
			  s->lib->strerror(rc));
	return rc >= 0;
}

/* Names only: an address is not sent (RFC 6066, section 3). */
static void set_server_name(struct tls_session *s)
{
	if (s->hostname && !g_hostname_is_ip_address(s->hostname))
		s->lib->server_name_set(s->gnutls, GNUTLS_NAME_DNS, s->hostname,
					strlen(s->hostname));
}

static bool set_up(struct tls_session *s, GError **errp)
{
	const struct library *lib = s->lib;
	const struct tls_creds_kind *kind = tls_creds_kind(s->creds);
	bool server = s->creds->endpoint == TLS_SERVER;
	int rc = lib->init(&s->gnutls, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
					       GNUTLS_NO_SIGNAL);

	if (rc >= 0) {
		if (!set_priority(s, errp))
			return false;
		rc = lib->credentials_set(s->gnutls, kind->type, kind->credentials(s->creds));
	}
	if (rc < 0) {
		error_set(errp, "Cannot initialize TLS session: %s", lib->strerror(rc));
		return false;
	}
	lib->session_set_ptr(s->gnutls, s);
	lib->transport_set_ptr(s->gnutls, s);
	lib->transport_set_push_function(s->gnutls, push);
	lib->transport_set_pull_function(s->gnutls, pull);
	if (!kind->certificates)
		return true;
	if (server)
		lib->certificate_server_set_request(s->gnutls, s->creds->verify_peer
								       ? GNUTLS_CERT_REQUIRE
								       : GNUTLS_CERT_IGNORE);
	else
		set_server_name(s);
	if (s->creds->verify_peer)
		lib->session_set_verify_function(s->gnutls, verify);
	return true;
}

struct tls_session *tls_session_new(struct tls_creds *creds, int fd, const char *hostname,
				    GError **errp)
{
	struct tls_session *s = g_new0(struct tls_session, 1);

	device_ref(&creds->dev);
	s->creds = creds;
	s->lib = creds->lib;
	s->fd = fd;
	s->hostname = g_strdup(hostname);
	if (set_up(s, errp))
		return s;
	tls_session_free(s);
	return NULL;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	if (s->gnutls)
		s->lib->deinit(s->gnutls);
	tls_creds_unref(s->creds);
	g_free(s->hostname);
	g_free(s->refusal);
	g_free(s);
}

/* ---- Handshake ---- */

static enum tls_status waits_for(const struct tls_session *s)
{
	return s->lib->record_get_direction(s->gnutls) ? TLS_WANT_WRITE : TLS_WANT_READ;
}

enum tls_status tls_handshake(struct tls_session *s, GError **errp)
{
	int rc;

	do
		rc = s->lib->handshake(s->gnutls);
	while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (rc == GNUTLS_E_SUCCESS) {
		s->done = true;
		return TLS_DONE;
	}
	if (rc == GNUTLS_E_AGAIN)
		return waits_for(s);
	if (!s->lib->error_is_fatal(rc))
		return TLS_WANT_READ;
	s->lib->alert_send_appropriate(s->gnutls, rc);
	if (s->refusal)
		error_set(errp, "TLS handshake failed: %s", s->refusal);
	else
		error_set(errp, "TLS handshake failed: %s", s->lib->strerror(rc));
	return TLS_FAILED;
}

/* ---- Data ---- */

static int errno_of(int rc)
{
	switch (rc) {
	case GNUTLS_E_AGAIN:
	case GNUTLS_E_INTERRUPTED:
	case GNUTLS_E_REHANDSHAKE: /* need not be granted (RFC 5246, section 7.4.1.1) */
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
		return EAGAIN;
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return ECONNABORTED;
	default:
		return EPROTO;
	}
}

ssize_t tls_read(struct tls_session *s, void *buf, size_t len)
{
	ssize_t n = s->lib->record_recv(s->gnutls, buf, len);

	if (n >= 0)
		return n;
	errno = errno_of(n);
	return -1;
}

/* What a record_send() came to: the library has the data also when the socket does not take it. */
static bool sent(struct tls_session *s, ssize_t n)
{
	s->unsent = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
	if (n >= 0)
		return true;
	errno = errno_of(n);
	return false;
}

bool tls_flush(struct tls_session *s)
{
	return !s->unsent || sent(s, s->lib->record_send(s->gnutls, NULL, 0));
}

ssize_t tls_write(struct tls_session *s, const void *data, size_t len)
{
	len = MIN(len, RECORD_MAX);
	if (!len)
		return 0;
	if (!tls_flush(s))
		return -1;
	return sent(s, s->lib->record_send(s->gnutls, data, len)) || errno == EAGAIN ? (ssize_t)len
										     : -1;
}

bool tls_unsent(const struct tls_session *s)
{
	return s->unsent;
}

bool tls_pending(const struct tls_session *s)
{
	return s->lib->record_check_pending(s->gnutls);
}

void tls_bye(struct tls_session *s)
{
	if (s->done && !s->unsent)
		s->lib->bye(s->gnutls, GNUTLS_SHUT_WR);
}
