/*
 * What the kinds of TLS credentials and the session know of each other.
 */
#ifndef CRYPTO_CREDS_H
#define CRYPTO_CREDS_H

#include "crypto/tls.h"
#include "library.h"

struct tls_creds {
	struct device dev;
	char *dir, *priority;
	int endpoint; /* enum tls_endpoint */
	bool verify_peer, loaded;
	const struct library *lib;
	gnutls_dh_params_t dh; /* NULL: the library's own groups */
};

/* Of a type, as class_data. */
struct tls_creds_kind {
	gnutls_credentials_type_t type;
	const char *priority; /* what is added to the list of algorithms; "": nothing */
	bool (*load)(struct tls_creds *creds, GError **errp);
	void (*unload)(struct tls_creds *creds);
	void *(*credentials)(struct tls_creds *creds); /* for gnutls_credentials_set() */
	bool certificates;                             /* the peers may have some */
};
const struct tls_creds_kind *tls_creds_kind(const struct tls_creds *creds);

/* The path of @name in the folder. NULL if there is no such file, with an error if it is @needed or
 * cannot be looked at. */
char *tls_creds_file(const struct tls_creds *creds, const char *name, bool needed, GError **errp);

/* The parameters in dh-params.pem of a server's folder, if that is there. */
bool tls_creds_load_dh(struct tls_creds *creds, GError **errp);

/* What is wrong with these certificates, before anybody connects (check.c). @cert NULL: there is none. */
bool tls_check_certificates(const struct library *lib, bool server, const char *ca,
			    const char *cert, GError **errp);

/* Why a verification failed, from its status: "The certificate hasn't got a known issuer". */
const char *tls_verify_reason(unsigned status);

#endif
