/*
 * Making a device from flat options: -chardev BACKEND,id=ID,... and the short forms.
 */
#include <stdio.h>

#include "base/fdset.h"
#include "device/plug.h"
#include "internal.h"

/* Options of every back end that the core takes care of. */
static const char *const core_options[] = {"backend", "id", "mux", "mon", NULL};

static const struct field *flat_rows(const struct chardev_type *type)
{
	return type->flat ? type->flat : type->options->rows;
}

static bool known_elsewhere(const char *name)
{
	for (size_t i = 0; chardev_types[i]; i++)
		if (fields_find(flat_rows(chardev_types[i]), name))
			return true;
	return false;
}

static void set_unknown_option(const struct field *rows, const char *name, GError **errp)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *near;

	FIELDS_FOREACH (row, rows)
		g_ptr_array_add(names, (char *)row->name);
	g_ptr_array_add(names, NULL);
	near = nearest_name(name, (const char *const *)names->pdata);
	error_set(errp, "Invalid parameter '%s'", name);
	if (near)
		error_add_hint(errp, "Did you mean '%s'?", near);
}

/*
 * The members of @flat that the back end itself understands. QEMU lets options of other back ends
 * pass without effect; so do we, but not in silence.
 */
static json_object *own_options(const struct chardev_type *type, json_object *flat, GError **errp)
{
	const struct field *rows = flat_rows(type);
	g_autoptr(json_object) own = json_object_new_object();

	json_object_object_foreach(flat, key, value)
	{
		if (g_strv_contains(core_options, key))
			continue;
		if (fields_find(rows, key)) {
			json_object_object_add(own, key, json_object_get(value));
		} else if (known_elsewhere(key)) {
			warn_report("chardev back end '%s' has no option '%s': ignored", type->name,
				    key);
		} else {
			set_unknown_option(rows, key, errp);
			return NULL;
		}
	}
	return g_steal_pointer(&own);
}

void options_free(const struct chardev_type *type, void *options)
{
	if (options)
		fields_clear(type->options->rows, options);
	g_free(options);
}

void *options_from_flat(const struct chardev_type *type, json_object *flat, GError **errp)
{
	const struct field_set set = {type->name, type->options->size, flat_rows(type)};
	g_autoptr(json_object) own = own_options(type, flat, errp);
	void *options;

	if (!own)
		return NULL;
	options = g_malloc0(set.size);
	if (codec_decode(&set, own, options, true, errp)) {
		if (!type->finish_flat || type->finish_flat(options, errp))
			return options;
		fields_clear(set.rows, options);
	}
	g_free(options);
	return NULL;
}

/* ---- chardev_new() ---- */

static bool check_id(const char *id, GError **errp)
{
	if (!id) {
		error_set(errp, "chardev: no id specified");
		return false;
	}
	if (!id_check(id, errp))
		return false;
	if (chardev_find(id)) {
		error_set(errp, "Duplicate ID '%s' for chardev", id);
		return false;
	}
	return true;
}

static bool flag(json_object *options, const char *name, bool *value, GError **errp)
{
	struct flag_options {
		bool value;
	};
	struct field row = PROP_BOOL(struct flag_options, value, name, false, "A flag");
	json_object *json = json_object_object_get(options, name);

	*value = false;
	return !json || codec_decode_field(&row, json, value, true, errp);
}

/* ringbuf's older name shows where it was used. */
void chardev_set_alias(struct chardev *chr, const char *name)
{
	if (chr->type == &chardev_ringbuf)
		chardev_set_filename(chr, g_strdup(name));
}

static struct chardev *new_plain(const char *id, const struct chardev_type *type,
				 json_object *options, GError **errp)
{
	void *decoded = options_from_flat(type, options, errp);
	struct chardev *chr;

	if (!decoded)
		return NULL;
	chr = chardev_create(id, type, decoded, errp);
	options_free(type, decoded);
	if (chr && json_object_object_get(options, "backend"))
		chardev_set_alias(
			chr, json_object_get_string(json_object_object_get(options, "backend")));
	if (chr && type == &chardev_pty) {
		printf("char device redirected to %s (label %s)\n", chr->filename + strlen("pty:"),
		       id);
		fflush(stdout);
	}
	return chr;
}

/* mux=on: the back end is called ID-base, and ID is a multiplexer on it. */
static struct chardev *new_mux(const char *id, const struct chardev_type *type,
			       json_object *options, GError **errp)
{
	g_autofree char *base_id = g_strdup_printf("%s-base", id);
	g_autoptr(json_object) mux = json_object_new_object();
	struct chardev *base, *chr;

	if (!check_id(base_id, errp))
		return NULL;
	base = new_plain(base_id, type, options, errp);
	if (!base)
		return NULL;
	json_object_object_add(mux, "chardev", json_object_new_string(base_id));
	chr = new_plain(id, &chardev_mux, mux, errp);
	if (chr)
		chr->base = base;
	else
		chardev_remove(base_id, NULL);
	return chr;
}

struct chardev *chardev_new(const char *id, json_object *options, GError **errp)
{
	json_object *backend = json_object_object_get(options, "backend");
	const struct chardev_type *type;
	bool mux;

	if (!check_id(id, errp) || !flag(options, "mux", &mux, errp))
		return NULL;
	if (!backend) {
		error_set(errp, "chardev: \"%s\" missing backend", id);
		return NULL;
	}
	type = chardev_type_find(json_object_get_string(backend), errp);
	if (!type)
		return NULL;
	return mux ? new_mux(id, type, options, errp) : new_plain(id, type, options, errp);
}

void chardev_print_help(GString *out)
{
	g_string_append(out, "Available chardev backend types: \n");
	for (size_t i = 0; chardev_types[i]; i++)
		g_string_append_printf(out, "  %s\n", chardev_types[i]->name);
}
