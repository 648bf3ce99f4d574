/*
 * Our own certificates, looked at before anybody connects: mistakes in them otherwise show as a handshake that
 * fails, and only at the other end. RFC 5280, sections 4.1.2.5 (validity), 4.2.1.3 (key usage), 4.2.1.9
 * (basic constraints), 4.2.1.12 (purposes).
 */
#include <time.h>

#include "creds.h"

#define OID_MAX 64

struct certs {
	const struct library *lib;
	gnutls_x509_crt_t *list;
	unsigned count;
};

static void certs_clear(struct certs *c)
{
	for (unsigned i = 0; i < c->count; i++)
		c->lib->x509_crt_deinit(c->list[i]);
	g_free(c->list);
}

/* ---- Reading ---- */

static bool read_ca(struct certs *c, const char *path, GError **errp)
{
	g_autoptr(GError) err = NULL;
	g_autofree char *text = NULL;
	gnutls_datum_t pem;
	unsigned count = 0;
	gsize len;
	int rc;

	if (!g_file_get_contents(path, &text, &len, &err)) {
		error_set(errp, "Cannot load CA cert list %s: %s", path, err->message);
		return false;
	}
	pem = (gnutls_datum_t){(void *)text, len};
	/* Without room it says how many there are. */
	rc = c->lib->x509_crt_list_import(NULL, &count, &pem, GNUTLS_X509_FMT_PEM,
					  GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER && count) {
		c->list = g_new0(gnutls_x509_crt_t, count);
		rc = c->lib->x509_crt_list_import(c->list, &count, &pem, GNUTLS_X509_FMT_PEM,
						  GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
		c->count = rc < 0 ? 0 : count;
	}
	if (rc < 0)
		error_set(errp, "Unable to import CA certificate list %s", path);
	return rc >= 0;
}

static bool read_cert(struct certs *c, const char *path, bool server, GError **errp)
{
	g_autoptr(GError) err = NULL;
	g_autofree char *text = NULL;
	gsize len;
	int rc;

	if (!g_file_get_contents(path, &text, &len, &err)) {
		error_set(errp, "Cannot load CA cert list %s: %s", path, err->message);
		return false;
	}
	c->list = g_new0(gnutls_x509_crt_t, 1);
	rc = c->lib->x509_crt_init(c->list);
	c->count = rc >= 0;
	if (rc >= 0)
		rc = c->lib->x509_crt_import(c->list[0], &(gnutls_datum_t){(void *)text, len},
					     GNUTLS_X509_FMT_PEM);
	if (rc < 0)
		error_set(errp, "Unable to import %s certificate %s: %s",
			  server ? "server" : "client", path, c->lib->strerror(rc));
	return rc >= 0;
}

/* ---- One certificate ---- */

struct subject {
	const struct library *lib;
	gnutls_x509_crt_t cert;
	const char *path;
	bool server, ca;
};

static const char *role_of(const struct subject *s)
{
	return s->ca ? "CA" : s->server ? "server" : "client";
}

static bool check_times(const struct subject *s, GError **errp)
{
	time_t now = time(NULL);

	if (s->lib->x509_crt_get_expiration_time(s->cert) < now)
		error_set(errp, "The %s certificate %s has expired", role_of(s), s->path);
	else if (s->lib->x509_crt_get_activation_time(s->cert) > now)
		error_set(errp, "The %s certificate %s is not yet active", role_of(s), s->path);
	else
		return true;
	return false;
}

static bool check_constraints(const struct subject *s, GError **errp)
{
	int rc = s->lib->x509_crt_get_basic_constraints(s->cert, NULL, NULL, NULL);

	if (rc > 0 && !s->ca)
		error_set(
			errp,
			"The certificate %s basic constraints show a CA, but we need one for a %s",
			s->path, role_of(s));
	else if (rc == 0 && s->ca)
		error_set(errp, "The certificate %s basic constraints do not show a CA", s->path);
	else if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && s->ca)
		error_set(errp, "The certificate %s is missing basic constraints for a CA",
			  s->path);
	else if (rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		error_set(errp, "Unable to query certificate %s basic constraints: %s", s->path,
			  s->lib->strerror(rc));
	else
		return true;
	return false;
}

/* An extension that is not critical may be passed over. */
static bool check_usage(const struct subject *s, GError **errp)
{
	unsigned usage = 0, critical = 0;
	int rc = s->lib->x509_crt_get_key_usage(s->cert, &usage, &critical);

	if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	if (rc < 0)
		error_set(errp, "Unable to query certificate %s key usage: %s", s->path,
			  s->lib->strerror(rc));
	else if (critical && s->ca && !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		error_set(errp, "Certificate %s usage does not permit certificate signing",
			  s->path);
	else if (critical && !s->ca && !(usage & GNUTLS_KEY_DIGITAL_SIGNATURE))
		error_set(errp, "Certificate %s usage does not permit digital signature", s->path);
	else
		return true;
	return false;
}

static bool check_purpose(const struct subject *s, GError **errp)
{
	const char *wanted = s->server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
	bool any_critical = false;

	for (unsigned i = 0;; i++) {
		char oid[OID_MAX];
		size_t len = sizeof(oid);
		unsigned critical = 0;
		int rc = s->lib->x509_crt_get_key_purpose_oid(s->cert, i, oid, &len, &critical);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (rc < 0) {
			error_set(errp, "Unable to query certificate %s key purpose: %s", s->path,
				  s->lib->strerror(rc));
			return false;
		}
		if (!strcmp(oid, wanted) || !strcmp(oid, GNUTLS_KP_ANY))
			return true;
		any_critical |= critical;
	}
	if (any_critical)
		error_set(errp, "Certificate %s purpose does not allow use with a TLS %s", s->path,
			  role_of(s));
	return !any_critical;
}

static bool check_one(const struct subject *s, GError **errp)
{
	return check_times(s, errp) && check_constraints(s, errp) && check_usage(s, errp) &&
	       (s->ca || check_purpose(s, errp));
}

/* ---- Together ---- */

const char *tls_verify_reason(unsigned status)
{
	return status & GNUTLS_CERT_INSECURE_ALGORITHM
		       ? "The certificate uses an insecure algorithm"
	       : status & GNUTLS_CERT_REVOKED          ? "The certificate has been revoked"
	       : status & GNUTLS_CERT_SIGNER_NOT_FOUND ? "The certificate hasn't got a known issuer"
	       : status & GNUTLS_CERT_EXPIRED          ? "The certificate has expired"
	       : status & GNUTLS_CERT_NOT_ACTIVATED    ? "The certificate is not yet active"
	       : status & GNUTLS_CERT_INVALID          ? "The certificate is not trusted"
						       : "Invalid certificate";
}

static bool check_pair(const struct certs *cert, const char *path, const struct certs *ca,
		       const char *ca_path, GError **errp)
{
	unsigned status = 0;
	int rc = cert->lib->x509_crt_list_verify(cert->list, cert->count, ca->list, ca->count, NULL,
						 0, 0, &status);

	if (rc < 0)
		error_set(errp, "Unable to verify certificate %s against %s: %s", path, ca_path,
			  cert->lib->strerror(rc));
	else if (status)
		error_set(errp, "Our own certificate %s failed validation against %s: %s", path,
			  ca_path, tls_verify_reason(status));
	return rc >= 0 && !status;
}

struct paths {
	const char *ca, *own;
	bool server;
};

static bool check_all(struct certs *own, struct certs *ca, const struct paths *p, GError **errp)
{
	const struct library *lib = own->lib;

	if ((p->own && !read_cert(own, p->own, p->server, errp)) || !read_ca(ca, p->ca, errp))
		return false;
	if (p->own &&
	    !check_one(&(struct subject){lib, own->list[0], p->own, p->server, false}, errp))
		return false;
	for (unsigned i = 0; i < ca->count; i++) {
		if (!check_one(&(struct subject){lib, ca->list[i], p->ca, p->server, true}, errp))
			return false;
	}
	return !p->own || check_pair(own, p->own, ca, p->ca, errp);
}

bool tls_check_certificates(const struct library *lib, bool server, const char *ca_path,
			    const char *path, GError **errp)
{
	struct certs own = {.lib = lib}, ca = {.lib = lib};
	bool ok = check_all(&own, &ca, &(struct paths){ca_path, path, server}, errp);

	certs_clear(&own);
	certs_clear(&ca);
	return ok;
}
