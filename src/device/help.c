/* -device help, -device TYPE,help, -object help: from the types' own tables. */
#include "api/codec.h"
#include "internal.h"
#include "device/plug.h"

static int by_name(gconstpointer a, gconstpointer b)
{
	const struct device_type *const *x = a, *const *y = b;

	return g_ascii_strcasecmp((*x)->name, (*y)->name);
}

/* What a user may make of a category, in order of names. */
static GPtrArray *creatable(enum device_category category)
{
	GPtrArray *found = g_ptr_array_new();

	for (const struct device_type *const *t = device_types(); *t; t++) {
		if ((*t)->category == category && ((*t)->flags & TYPE_USER_CREATABLE))
			g_ptr_array_add(found, (void *)*t);
	}
	g_ptr_array_sort(found, by_name);
	return found;
}

static void print_type(const struct device_type *type, GString *out)
{
	g_string_append_printf(out, "name \"%s\"", type->name);
	if (device_type_bus(type))
		g_string_append_printf(out, ", bus %s", device_type_bus(type));
	if (type->alias)
		g_string_append_printf(out, ", alias \"%s\"", type->alias);
	g_string_append_printf(out, ", desc \"%s\"\n", type->help);
}

void device_help(GString *out)
{
	static const enum device_category order[] = {CATEGORY_BRIDGE,  CATEGORY_USB,
						     CATEGORY_STORAGE, CATEGORY_NETWORK,
						     CATEGORY_INPUT,   CATEGORY_DISPLAY,
						     CATEGORY_SOUND,   CATEGORY_MISC,
						     CATEGORY_CPU,     CATEGORY_WATCHDOG};
	bool first = true;

	for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
		g_autoptr(GPtrArray) found = creatable(order[i]);

		if (!found->len)
			continue;
		g_string_append_printf(out, "%s%s devices:\n", first ? "" : "\n",
				       device_category_name(order[i]));
		for (guint n = 0; n < found->len; n++)
			print_type(g_ptr_array_index(found, n), out);
		first = false;
	}
}

void object_help(GString *out)
{
	g_autoptr(GPtrArray) found = creatable(CATEGORY_BACKEND);

	g_string_append(out, "List of user creatable objects:\n");
	for (guint i = 0; i < found->len; i++) {
		const struct device_type *type = g_ptr_array_index(found, i);

		g_string_append_printf(out, "  %s\n", type->name);
	}
}

bool device_type_help(const char *name, GString *out, GError **errp)
{
	const struct device_type *type = device_type_find(name);

	if (!type) {
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
		return false;
	}
	if (type->flags & TYPE_ABSTRACT) {
		error_set(errp, "Parameter 'typename' expects a non-abstract device type");
		return false;
	}
	g_autoptr(GArray) rows = device_type_props(type);
	if (!rows->len) {
		g_string_append_printf(out, "There are no options for %s.\n", type->name);
		return true;
	}
	g_string_append_printf(out, "%s options:\n", type->name);
	fields_print_help((const struct field *)rows->data, out);
	return true;
}
