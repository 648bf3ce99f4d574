/* tls-creds-x509: certificates in files that libvirt and others lay out in the same way. */
#include "creds.h"
#include "crypto/secret.h"

struct x509_creds {
	struct tls_creds creds;
	char *passwordid;
	bool sanity_check;
	gnutls_certificate_credentials_t data;
};

/* The files that are there. */
struct x509_files {
	char *ca, *crl, *cert, *key;
};

static struct x509_creds *x509_of(struct tls_creds *creds)
{
	return container_of(creds, struct x509_creds, creds);
}

static void files_clear(struct x509_files *f)
{
	g_free(f->ca);
	g_free(f->crl);
	g_free(f->cert);
	g_free(f->key);
}

static bool find_file(const struct tls_creds *creds, const char *name, bool needed, char **path,
		      GError **errp)
{
	GError *err = NULL;

	*path = tls_creds_file(creds, name, needed, &err);
	if (err)
		g_propagate_error(errp, err);
	return !err;
}

static bool find_files(const struct tls_creds *creds, struct x509_files *f, GError **errp)
{
	bool server = creds->endpoint == TLS_SERVER;

	return find_file(creds, "ca-cert.pem", true, &f->ca, errp) &&
	       find_file(creds, "ca-crl.pem", false, &f->crl, errp) &&
	       find_file(creds, server ? "server-cert.pem" : "client-cert.pem", server, &f->cert,
			 errp) &&
	       find_file(creds, server ? "server-key.pem" : "client-key.pem", server, &f->key,
			 errp);
}

static bool set_key(struct x509_creds *x, const struct x509_files *f, GError **errp)
{
	const struct library *lib = x->creds.lib;
	char *password = NULL;
	int rc;

	if (!f->cert || !f->key)
		return true;
	if (x->passwordid) {
		password = secret_text(x->passwordid, errp);
		if (!password)
			return false;
	}
	rc = lib->certificate_set_x509_key_file2(x->data, f->cert, f->key, GNUTLS_X509_FMT_PEM,
						 password, 0);
	secret_free_text(password);
	if (rc < 0)
		error_set(errp, "Cannot load certificate '%s' & key '%s': %s", f->cert, f->key,
			  lib->strerror(rc));
	return rc >= 0;
}

static bool set_files(struct x509_creds *x, const struct x509_files *f, GError **errp)
{
	const struct library *lib = x->creds.lib;
	int rc = lib->certificate_allocate_credentials(&x->data);

	if (rc < 0) {
		error_set(errp, "Cannot allocate credentials: '%s'", lib->strerror(rc));
		return false;
	}
	rc = lib->certificate_set_x509_trust_file(x->data, f->ca, GNUTLS_X509_FMT_PEM);
	if (rc < 0) {
		error_set(errp, "Cannot load CA certificate '%s': %s", f->ca, lib->strerror(rc));
		return false;
	}
	if (!set_key(x, f, errp))
		return false;
	rc = f->crl ? lib->certificate_set_x509_crl_file(x->data, f->crl, GNUTLS_X509_FMT_PEM) : 0;
	if (rc < 0) {
		error_set(errp, "Cannot load CRL '%s': %s", f->crl, lib->strerror(rc));
		return false;
	}
	if (x->creds.dh)
		lib->certificate_set_dh_params(x->data, x->creds.dh);
	else if (x->creds.endpoint == TLS_SERVER)
		lib->certificate_set_known_dh_params(x->data, GNUTLS_SEC_PARAM_MEDIUM);
	return true;
}

static bool x509_load(struct tls_creds *creds, GError **errp)
{
	struct x509_creds *x = x509_of(creds);
	struct x509_files files = {NULL};
	bool ok;

	if (!creds->dir) {
		error_set(errp, "Missing 'dir' property value");
		return false;
	}
	ok = find_files(creds, &files, errp) &&
	     (!x->sanity_check || tls_check_certificates(creds->lib, creds->endpoint == TLS_SERVER,
							 files.ca, files.cert, errp)) &&
	     set_files(x, &files, errp);
	files_clear(&files);
	return ok;
}

static void x509_unload(struct tls_creds *creds)
{
	struct x509_creds *x = x509_of(creds);

	if (x->data)
		creds->lib->certificate_free_credentials(x->data);
	x->data = NULL;
}

static void *x509_credentials(struct tls_creds *creds)
{
	return x509_of(creds)->data;
}

static const struct field x509_props[] = {
	PROP_STRING(struct x509_creds, passwordid, "passwordid", NULL,
		    "The secret that opens the private key"),
	PROP_BOOL(struct x509_creds, sanity_check, "sanity-check", true,
		  "Whether the certificates are checked before they are used"),
	FIELD_ROW_END,
};

const struct device_type tls_creds_x509_type = {
	.name = "tls-creds-x509",
	.help = "TLS with certificates",
	.base = &tls_creds_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct x509_creds),
	.flags = TYPE_USER_CREATABLE | TYPE_EARLY | STATE_NONE,
	.props = x509_props,
	.class_data =
		&(const struct tls_creds_kind){
			.type = GNUTLS_CRD_CERTIFICATE,
			.priority = "",
			.load = x509_load,
			.unload = x509_unload,
			.credentials = x509_credentials,
			.certificates = true,
		},
};
