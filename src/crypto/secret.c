/* See include/crypto/secret.h. */
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "library.h"

#define KEY_BYTES   32 /* AES-256 */
#define BLOCK_BYTES 16

enum secret_format { SECRET_RAW, SECRET_BASE64 };

static const struct enum_name format_names[] = {
	{"raw", SECRET_RAW, "The bytes themselves"},
	{"base64", SECRET_BASE64, "Base64 text"},
	{NULL},
};

struct secret {
	struct device dev;
	int format;
	char *keyid, *iv;
	bool loaded;
	GBytes *plain; /* NULL until it is there */
};

/* What the derived types give: the bytes as they come from outside, a new reference. */
struct secret_source {
	GBytes *(*read)(struct secret *s, GError **errp);
};

static struct secret *secret_of(struct device *dev)
{
	return container_of(dev, struct secret, dev);
}

/* Memory of bytes that are overwritten before it is freed. */
struct wiped {
	size_t len;
	uint8_t bytes[];
};

static void wiped_free(gpointer opaque)
{
	struct wiped *w = opaque;

	explicit_bzero(w->bytes, w->len);
	g_free(w);
}

static GBytes *bytes_wiped(const void *data, size_t len)
{
	struct wiped *w = g_malloc(sizeof(*w) + len + 1);

	w->len = len;
	if (len)
		memcpy(w->bytes, data, len);
	return g_bytes_new_with_free_func(w->bytes, len, wiped_free, w);
}

/* Never NULL, also for no bytes. */
static const char *bytes_text(GBytes *bytes, size_t *len)
{
	const char *text = g_bytes_get_data(bytes, len);

	return text ? text : "";
}

/* ---- Decoding ---- */

static GBytes *base64_bytes(const char *text, size_t len, GError **errp)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n";
	g_autofree char *copy = g_strndup(text, len);
	g_autofree guchar *out = NULL;
	gsize out_len = 0;
	GBytes *bytes;

	if (strlen(copy) != len || strspn(copy, alphabet) != len) {
		explicit_bzero(copy, strlen(copy));
		error_set(errp, "Base64 data contains invalid characters");
		return NULL;
	}
	out = g_base64_decode(copy, &out_len);
	bytes = bytes_wiped(out ? (const void *)out : "", out_len);
	if (out)
		explicit_bzero(out, out_len);
	explicit_bzero(copy, len);
	return bytes;
}

/* The last byte of the last block says how many bytes of padding there are, and so do they all. */
static bool padding_of(const uint8_t *data, size_t len, unsigned *padding, GError **errp)
{
	*padding = len ? data[len - 1] : 0;
	if (!*padding || *padding > BLOCK_BYTES || *padding > len) {
		error_set(errp, "Incorrect number of padding bytes (%u) found on decrypted data",
			  *padding);
		return false;
	}
	return true;
}

static GBytes *aes_decrypt(GBytes *key, GBytes *iv, GBytes *cipher, GError **errp)
{
	gsize key_len, iv_len, len;
	gnutls_datum_t k = {(void *)g_bytes_get_data(key, &key_len), 0};
	gnutls_datum_t v = {(void *)g_bytes_get_data(iv, &iv_len), 0};
	const void *data = g_bytes_get_data(cipher, &len);
	g_autofree uint8_t *plain = g_memdup2(data, len);
	const struct library *lib = library_load(errp);
	gnutls_cipher_hd_t handle;
	GBytes *bytes = NULL;
	unsigned padding;
	int rc;

	if (!lib)
		return NULL;
	k.size = key_len;
	v.size = iv_len;
	rc = lib->cipher_init(&handle, GNUTLS_CIPHER_AES_256_CBC, &k, &v);
	if (rc < 0) {
		error_set(errp, "Failed to initialize cipher: %s", lib->strerror(rc));
		return NULL;
	}
	rc = len ? lib->cipher_decrypt(handle, plain, len) : 0;
	lib->cipher_deinit(handle);
	if (rc < 0)
		error_set(errp, "Failed to decrypt data: %s", lib->strerror(rc));
	else if (padding_of(plain, len, &padding, errp))
		bytes = bytes_wiped(plain, len - padding);
	if (plain)
		explicit_bzero(plain, len);
	return bytes;
}

static GBytes *decrypt(const struct secret *s, GBytes *raw, GError **errp)
{
	g_autoptr(GBytes) key = secret_bytes(s->keyid, errp);
	g_autoptr(GBytes) iv = NULL;
	g_autoptr(GBytes) cipher = NULL;
	gsize len;
	const char *text = bytes_text(raw, &len);

	if (!key)
		return NULL;
	if (g_bytes_get_size(key) != KEY_BYTES) {
		error_set(errp, "Key should be %d bytes in length", KEY_BYTES);
		return NULL;
	}
	if (!s->iv) {
		error_set(errp, "IV is required to decrypt secret");
		return NULL;
	}
	iv = base64_bytes(s->iv, strlen(s->iv), errp);
	if (!iv)
		return NULL;
	if (g_bytes_get_size(iv) != BLOCK_BYTES) {
		error_set(errp, "IV should be %d bytes in length not %zu", BLOCK_BYTES,
			  g_bytes_get_size(iv));
		return NULL;
	}
	cipher = s->format == SECRET_BASE64 ? base64_bytes(text, len, errp) : g_bytes_ref(raw);
	if (!cipher)
		return NULL;
	if (g_bytes_get_size(cipher) % BLOCK_BYTES) {
		error_set(errp, "Length %zu must be a multiple of block size %d",
			  g_bytes_get_size(cipher), BLOCK_BYTES);
		return NULL;
	}
	return aes_decrypt(key, iv, cipher, errp);
}

/* ---- The base ---- */

static bool secret_realized(struct device *dev, GError **errp)
{
	const struct secret_source *source = device_type_class_data(dev->type);
	struct secret *s = secret_of(dev);
	g_autoptr(GBytes) raw = source->read(s, errp);
	gsize len;
	const char *text;

	if (!raw)
		return false;
	text = bytes_text(raw, &len);
	s->plain = s->keyid                     ? decrypt(s, raw, errp)
		   : s->format == SECRET_BASE64 ? base64_bytes(text, len, errp)
						: g_bytes_ref(raw);
	s->loaded = s->plain;
	return s->plain;
}

static void secret_unrealize(struct device *dev)
{
	g_clear_pointer(&secret_of(dev)->plain, g_bytes_unref);
}

static const struct field common_props[] = {
	PROP_ENUM(struct secret, format, "format", format_names, SECRET_RAW,
		  "How the data is written"),
	PROP_STRING(struct secret, iv, "iv", NULL,
		    "Initialization vector of encrypted data, in base64"),
	PROP_STRING(struct secret, keyid, "keyid", NULL,
		    "The data is encrypted, with the secret of this name"),
	{
		FIELD_AT(struct secret, loaded, "loaded", FIELD_BOOL,
			 FIELD_IS_BOOL(struct secret, loaded), "Whether the data is there"),
		.flags = FIELD_OPTIONAL | FIELD_READONLY,
	},
	FIELD_ROW_END,
};

const struct device_type secret_common_type = {
	.name = "secret_common",
	.help = "A password or key",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct secret),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.props = common_props,
	.realized = secret_realized,
	.unrealize = secret_unrealize,
};

/* ---- secret: an option or a file ---- */

struct plain_secret {
	struct secret secret;
	char *data, *file;
};

static GBytes *plain_read(struct secret *base, GError **errp)
{
	const struct plain_secret *s = container_of(base, struct plain_secret, secret);
	g_autoptr(GError) err = NULL;
	g_autofree char *contents = NULL;
	GBytes *bytes;
	gsize len;

	if (s->file && s->data) {
		error_set(errp, "'file' and 'data' are mutually exclusive");
		return NULL;
	}
	if (s->data)
		return bytes_wiped(s->data, strlen(s->data));
	if (!s->file) {
		error_set(errp, "Either 'file' or 'data' must be provided");
		return NULL;
	}
	if (!g_file_get_contents(s->file, &contents, &len, &err)) {
		error_set(errp, "Unable to read %s: %s", s->file, err->message);
		return NULL;
	}
	bytes = bytes_wiped(contents, len);
	explicit_bzero(contents, len);
	return bytes;
}

static const struct field plain_props[] = {
	PROP_STRING(struct plain_secret, data, "data", NULL, "The data itself"),
	PROP_STRING(struct plain_secret, file, "file", NULL, "The file that contains it"),
	FIELD_ROW_END,
};

const struct device_type secret_type = {
	.name = "secret",
	.help = "A password or key from an option or a file",
	.base = &secret_common_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct plain_secret),
	.flags = TYPE_USER_CREATABLE | TYPE_EARLY | STATE_NONE,
	.props = plain_props,
	.class_data = &(const struct secret_source){plain_read},
};

/* ---- secret_keyring: the kernel keeps it ---- */

struct keyring_secret {
	struct secret secret;
	int32_t serial;
};

#define KEYCTL_READ 11

static GBytes *keyring_read(struct secret *base, GError **errp)
{
	const struct keyring_secret *s = container_of(base, struct keyring_secret, secret);
	long len = syscall(SYS_keyctl, KEYCTL_READ, s->serial, NULL, 0L), got;
	g_autofree char *buffer = NULL;
	GBytes *bytes;

	if (len >= 0) {
		buffer = g_malloc0(len + 1);
		got = syscall(SYS_keyctl, KEYCTL_READ, s->serial, buffer, len);
		len = MIN(len, got);
	}
	if (len < 0) {
		error_set_errno(errp, errno, "Unable to read serial key %08x", (unsigned)s->serial);
		return NULL;
	}
	bytes = bytes_wiped(buffer, len);
	explicit_bzero(buffer, len);
	return bytes;
}

static const struct field keyring_props[] = {
	ARG_INT(struct keyring_secret, serial, "serial", "Number of the key"),
	FIELD_ROW_END,
};

const struct device_type secret_keyring_type = {
	.name = "secret_keyring",
	.help = "A password or key from the host kernel's keyring",
	.base = &secret_common_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct keyring_secret),
	.flags = TYPE_USER_CREATABLE | TYPE_EARLY | STATE_NONE,
	.props = keyring_props,
	.class_data = &(const struct secret_source){keyring_read},
};

/* ---- For users ---- */

GBytes *secret_bytes(const char *id, GError **errp)
{
	g_autofree char *path = g_strdup_printf("/objects/%s", id);
	struct device *dev = strchr(id, '/') ? NULL : tree_find(path, NULL);

	if (!dev)
		error_set(errp, "No secret with id '%s'", id);
	else if (!device_type_is_a(dev->type, &secret_common_type))
		error_set(errp, "Object with id '%s' is not a secret", id);
	else if (!secret_of(dev)->plain)
		error_set(errp, "Secret with id '%s' has no data", id);
	else
		return g_bytes_ref(secret_of(dev)->plain);
	return NULL;
}

char *secret_text(const char *id, GError **errp)
{
	g_autoptr(GBytes) bytes = secret_bytes(id, errp);
	const char *data;
	gsize len;

	if (!bytes)
		return NULL;
	data = bytes_text(bytes, &len);
	if (!g_utf8_validate(data, len, NULL)) {
		error_set(errp, "Data from secret %s is not valid UTF-8", id);
		return NULL;
	}
	return g_strndup(data, len);
}

void secret_free_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}
