/*
 * Errors: one GError domain whose codes are the QMP classes; the hint travels as the private data
 * that GLib keeps in front of an extended error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "base/error.h"

typedef struct {
	char *hint; /* NULL: none */
} QuailErrorPrivate;

static void quail_error_private_init(QuailErrorPrivate *priv)
{
	priv->hint = NULL;
}

static void quail_error_private_copy(const QuailErrorPrivate *src, QuailErrorPrivate *dest)
{
	dest->hint = g_strdup(src->hint);
}

static void quail_error_private_clear(QuailErrorPrivate *priv)
{
	g_free(priv->hint);
}

G_DEFINE_EXTENDED_ERROR(QuailError, quail_error)

static void PRINTF_LIKE(3, 0)
	error_set_va(GError **errp, enum error_class cls, const char *fmt, va_list args)
{
	if (errp)
		g_propagate_error(errp, g_error_new_valist(QUAIL_ERROR, (int)cls, fmt, args));
}

void error_set(GError **errp, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_set_va(errp, ERROR_GENERIC, fmt, args);
	va_end(args);
}

void error_set_class(GError **errp, enum error_class cls, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_set_va(errp, cls, fmt, args);
	va_end(args);
}

void error_set_errno(GError **errp, int err, const char *fmt, ...)
{
	va_list args;

	if (!errp)
		return;
	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);
	error_set(errp, "%s: %s", text, g_strerror(err));
}

/* Other domains' errors have no room for a hint: they become generic errors of ours. */
static void error_adopt(GError **errp)
{
	GError *foreign = *errp;

	if (foreign->domain == QUAIL_ERROR)
		return;
	*errp = g_error_new_literal(QUAIL_ERROR, ERROR_GENERIC, foreign->message);
	g_error_free(foreign);
}

void error_add_hint(GError **errp, const char *fmt, ...)
{
	va_list args;

	if (!errp || !*errp)
		return;
	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);

	error_adopt(errp);
	QuailErrorPrivate *priv = quail_error_get_private(*errp);
	char *joined = priv->hint ? g_strconcat(priv->hint, "\n", text, NULL) : g_strdup(text);
	g_free(priv->hint);
	priv->hint = joined;
}

const char *error_hint(const GError *err)
{
	return err->domain == QUAIL_ERROR ? quail_error_get_private(err)->hint : NULL;
}

const char *error_class_name(const GError *err)
{
	static const char *const names[] = {
		[ERROR_GENERIC] = "GenericError",
		[ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
		[ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
		[ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
		[ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
	};

	return names[err->domain == QUAIL_ERROR ? err->code : ERROR_GENERIC];
}
