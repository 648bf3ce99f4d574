/* TLS credentials: what all kinds share; without names, and with keys known to both sides. */
#include <unistd.h>

#include "creds.h"

#define DEFAULT_PRIORITY "NORMAL"

static const struct enum_name endpoint_names[] = {
	{"client", TLS_CLIENT, "For connecting"},
	{"server", TLS_SERVER, "For being connected to"},
	{NULL},
};

static struct tls_creds *creds_of(struct device *dev)
{
	return container_of(dev, struct tls_creds, dev);
}

const struct tls_creds_kind *tls_creds_kind(const struct tls_creds *creds)
{
	return device_type_class_data(creds->dev.type);
}

/* ---- Files ---- */

char *tls_creds_file(const struct tls_creds *creds, const char *name, bool needed, GError **errp)
{
	g_autofree char *path = g_build_filename(creds->dir, name, NULL);

	if (access(path, R_OK) == 0)
		return g_steal_pointer(&path);
	if (errno != ENOENT || needed)
		error_set_errno(errp, errno, "Unable to access credentials %s", path);
	return NULL;
}

bool tls_creds_load_dh(struct tls_creds *creds, GError **errp)
{
	g_autoptr(GError) err = NULL;
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	gsize len;
	int rc;

	if (!creds->dir || creds->endpoint != TLS_SERVER)
		return true;
	path = tls_creds_file(creds, "dh-params.pem", false, &err);
	if (!path && !err)
		return true;
	if (!path || !g_file_get_contents(path, &text, &len, &err)) {
		g_propagate_error(errp, g_steal_pointer(&err));
		return false;
	}
	rc = creds->lib->dh_params_init(&creds->dh);
	if (rc >= 0)
		rc = creds->lib->dh_params_import_pkcs3(
			creds->dh, &(gnutls_datum_t){(void *)text, len}, GNUTLS_X509_FMT_PEM);
	if (rc < 0)
		error_set(errp, "Unable to load DH parameters from %s: %s", path,
			  creds->lib->strerror(rc));
	return rc >= 0;
}

/* ---- The base ---- */

static bool creds_realized(struct device *dev, GError **errp)
{
	struct tls_creds *creds = creds_of(dev);
	const struct tls_creds_kind *kind = tls_creds_kind(creds);

	creds->lib = library_load(errp);
	if (!creds->lib)
		return false;
	creds->loaded = tls_creds_load_dh(creds, errp) && kind->load(creds, errp);
	return creds->loaded;
}

static void creds_unrealize(struct device *dev)
{
	struct tls_creds *creds = creds_of(dev);

	if (!creds->lib)
		return;
	tls_creds_kind(creds)->unload(creds);
	if (creds->dh)
		creds->lib->dh_params_deinit(creds->dh);
	creds->dh = NULL;
}

static const struct field creds_props[] = {
	PROP_STRING(struct tls_creds, dir, "dir", NULL, "The folder of the files"),
	PROP_ENUM(struct tls_creds, endpoint, "endpoint", endpoint_names, TLS_CLIENT,
		  "The side of a connection they are for"),
	PROP_STRING(struct tls_creds, priority, "priority", NULL,
		    "The algorithms to use, as GnuTLS spells them"),
	PROP_BOOL(struct tls_creds, verify_peer, "verify-peer", true,
		  "Whether the peer has to prove who it is"),
	{
		FIELD_AT(struct tls_creds, loaded, "loaded", FIELD_BOOL,
			 FIELD_IS_BOOL(struct tls_creds, loaded), "Whether they can be used"),
		.flags = FIELD_OPTIONAL | FIELD_READONLY,
	},
	FIELD_ROW_END,
};

const struct device_type tls_creds_type = {
	.name = "tls-creds",
	.help = "Credentials for TLS",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct tls_creds),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.props = creds_props,
	.realized = creds_realized,
	.unrealize = creds_unrealize,
};

static bool need_dir(const struct tls_creds *creds, GError **errp)
{
	if (!creds->dir)
		error_set(errp, "Missing 'dir' property value");
	return creds->dir;
}

static bool allocated(const struct tls_creds *creds, int rc, GError **errp)
{
	if (rc < 0)
		error_set(errp, "Cannot allocate credentials: %s", creds->lib->strerror(rc));
	return rc >= 0;
}

/* ---- tls-creds-anon ---- */

struct anon_creds {
	struct tls_creds creds;
	gnutls_anon_server_credentials_t server;
	gnutls_anon_client_credentials_t client;
};

static struct anon_creds *anon_of(struct tls_creds *creds)
{
	return container_of(creds, struct anon_creds, creds);
}

static bool anon_load(struct tls_creds *creds, GError **errp)
{
	struct anon_creds *a = anon_of(creds);
	const struct library *lib = creds->lib;

	if (creds->endpoint == TLS_CLIENT)
		return allocated(creds, lib->anon_allocate_client_credentials(&a->client), errp);
	if (!allocated(creds, lib->anon_allocate_server_credentials(&a->server), errp))
		return false;
	if (creds->dh)
		lib->anon_set_server_dh_params(a->server, creds->dh);
	else
		lib->anon_set_server_known_dh_params(a->server, GNUTLS_SEC_PARAM_MEDIUM);
	return true;
}

static void anon_unload(struct tls_creds *creds)
{
	struct anon_creds *a = anon_of(creds);

	if (a->server)
		creds->lib->anon_free_server_credentials(a->server);
	if (a->client)
		creds->lib->anon_free_client_credentials(a->client);
	a->server = NULL;
	a->client = NULL;
}

static void *anon_credentials(struct tls_creds *creds)
{
	return creds->endpoint == TLS_SERVER ? (void *)anon_of(creds)->server
					     : (void *)anon_of(creds)->client;
}

const struct device_type tls_creds_anon_type = {
	.name = "tls-creds-anon",
	.help = "TLS without any proof of who the peer is: private, but not from whom",
	.base = &tls_creds_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct anon_creds),
	.flags = TYPE_USER_CREATABLE | TYPE_EARLY | STATE_NONE,
	.class_data =
		&(const struct tls_creds_kind){
			.type = GNUTLS_CRD_ANON,
			.priority = ":+ANON-DH",
			.load = anon_load,
			.unload = anon_unload,
			.credentials = anon_credentials,
		},
};

/* ---- tls-creds-psk ---- */

#define PSK_FILE "keys.psk"

struct psk_creds {
	struct tls_creds creds;
	char *username;
	gnutls_psk_server_credentials_t server;
	gnutls_psk_client_credentials_t client;
};

static struct psk_creds *psk_of(struct tls_creds *creds)
{
	return container_of(creds, struct psk_creds, creds);
}

/* The file has lines of NAME:KEY, the key in hexadecimal. */
static char *psk_find(const char *path, const char *username, GError **errp)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	size_t len = strlen(username);
	char *key = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, errp))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!key && g_str_has_prefix(*line, username) && (*line)[len] == ':')
			key = g_strchomp(g_strdup(*line + len + 1));
		explicit_bzero(*line, strlen(*line));
	}
	explicit_bzero(text, size);
	if (!key)
		error_set(errp, "Username %s not found in PSK file %s", username, path);
	return key;
}

static bool psk_load_client(struct psk_creds *p, const char *path, GError **errp)
{
	const struct library *lib = p->creds.lib;
	const char *username = p->username ? p->username : "qemu";
	g_autofree char *key = psk_find(path, username, errp);
	int rc;

	if (!key || !allocated(&p->creds, lib->psk_allocate_client_credentials(&p->client), errp))
		return false;
	rc = lib->psk_set_client_credentials(p->client, username,
					     &(gnutls_datum_t){(void *)key, strlen(key)},
					     GNUTLS_PSK_KEY_HEX);
	explicit_bzero(key, strlen(key));
	if (rc < 0)
		error_set(errp, "Cannot use the key of %s in %s: %s", username, path,
			  lib->strerror(rc));
	return rc >= 0;
}

static bool psk_load_server(struct psk_creds *p, const char *path, GError **errp)
{
	const struct library *lib = p->creds.lib;
	int rc;

	if (p->username) {
		error_set(errp, "username should not be set when endpoint=server");
		return false;
	}
	if (!allocated(&p->creds, lib->psk_allocate_server_credentials(&p->server), errp))
		return false;
	rc = lib->psk_set_server_credentials_file(p->server, path);
	if (rc < 0) {
		error_set(errp, "Cannot set PSK server credentials: %s", lib->strerror(rc));
		return false;
	}
	if (p->creds.dh)
		lib->psk_set_server_dh_params(p->server, p->creds.dh);
	else
		lib->psk_set_server_known_dh_params(p->server, GNUTLS_SEC_PARAM_MEDIUM);
	return true;
}

static bool psk_load(struct tls_creds *creds, GError **errp)
{
	g_autofree char *path = NULL;

	if (!need_dir(creds, errp))
		return false;
	path = tls_creds_file(creds, PSK_FILE, true, errp);
	if (!path)
		return false;
	return creds->endpoint == TLS_SERVER ? psk_load_server(psk_of(creds), path, errp)
					     : psk_load_client(psk_of(creds), path, errp);
}

static void psk_unload(struct tls_creds *creds)
{
	struct psk_creds *p = psk_of(creds);

	if (p->server)
		creds->lib->psk_free_server_credentials(p->server);
	if (p->client)
		creds->lib->psk_free_client_credentials(p->client);
	p->server = NULL;
	p->client = NULL;
}

static void *psk_credentials(struct tls_creds *creds)
{
	return creds->endpoint == TLS_SERVER ? (void *)psk_of(creds)->server
					     : (void *)psk_of(creds)->client;
}

static const struct field psk_props[] = {
	PROP_STRING(struct psk_creds, username, "username", NULL,
		    "Client: whose key to use; absent: that of qemu"),
	FIELD_ROW_END,
};

const struct device_type tls_creds_psk_type = {
	.name = "tls-creds-psk",
	.help = "TLS with keys that both sides know: the file " PSK_FILE,
	.base = &tls_creds_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct psk_creds),
	.flags = TYPE_USER_CREATABLE | TYPE_EARLY | STATE_NONE,
	.props = psk_props,
	.class_data =
		&(const struct tls_creds_kind){
			.type = GNUTLS_CRD_PSK,
			.priority = ":+ECDHE-PSK:+DHE-PSK:+PSK",
			.load = psk_load,
			.unload = psk_unload,
			.credentials = psk_credentials,
		},
};

/* ---- For users ---- */

struct tls_creds *tls_creds_get(const char *id, enum tls_endpoint endpoint, GError **errp)
{
	g_autofree char *path = g_strdup_printf("/objects/%s", id);
	struct device *dev = strchr(id, '/') ? NULL : tree_find(path, NULL);

	if (!dev)
		error_set(errp, "No TLS credentials with id '%s'", id);
	else if (!device_type_is_a(dev->type, &tls_creds_type))
		error_set(errp, "Object with id '%s' is not TLS credentials", id);
	else if (creds_of(dev)->endpoint != (int)endpoint)
		error_set(errp, "Expected TLS credentials for a %s endpoint",
			  enum_name_of(endpoint_names, endpoint));
	else
		return creds_of(device_ref(dev));
	return NULL;
}

void tls_creds_unref(struct tls_creds *creds)
{
	if (creds)
		device_unref(&creds->dev);
}
