/*
 * Secrets: passwords and keys that users hand over by the objects `secret` and `secret_keyring`, so that no
 * other option has to contain one.
 *
 * A secret comes as text or base64, from the option itself, a file, or the kernel's keyring; and may be
 * encrypted with another secret (AES-256 in CBC mode, PKCS#7 padding), as libvirt does with a master key.
 * What has been read is plain when the object exists.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "device/device.h"

extern const struct device_type secret_common_type, secret_type, secret_keyring_type;

/* The bytes of the secret called @id: a reference; NULL with an error. */
GBytes *secret_bytes(const char *id, GError **errp);

/* The same as text, which must be UTF-8 without a zero byte. Free it with secret_free_text(). */
char *secret_text(const char *id, GError **errp);

/* Overwrites before it frees. NULL is fine. */
void secret_free_text(char *text);

#endif
