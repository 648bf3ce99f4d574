/*
 * Options of character devices: the short forms, and what they become for the back end they name.
 * Nothing is opened.
 */
#include "src/chardev/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(json_object *options)
{
	json_object *backend = json_object_object_get(options, "backend");
	const struct chardev_type *type;
	void *decoded;

	if (!backend)
		return;
	type = chardev_type_find(json_object_get_string(backend), NULL);
	if (!type)
		return;
	decoded = options_from_flat(type, options, NULL);
	options_free(type, decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(json_object) legacy = chardev_options_from_legacy(text, NULL);
	g_autoptr(json_object) flat = opts_parse(text, "backend", NULL, NULL, NULL);

	if (legacy)
		decode(legacy);
	if (json_object_is_type(flat, json_type_object))
		decode(flat);
	return 0;
}
