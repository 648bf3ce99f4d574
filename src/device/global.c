/* -global: defaults that users, or machines of old, change for all devices of a type. */
#include "internal.h"

struct global {
	const char *driver, *property, *value;
	bool used;
};

static GPtrArray *globals;         /* struct global *, in order of the command line */
static GPtrArray *machine_globals; /* the machine's, which come first */

bool global_add(const char *driver, const char *property, const char *value, GError **errp)
{
	struct global *global;

	if (!*driver || !*property) {
		error_set(errp, "Parameter '%s' is missing", *driver ? "property" : "driver");
		return false;
	}
	if (!globals)
		globals = g_ptr_array_new();
	global = g_new0(struct global, 1);
	*global = (struct global){
		.driver = g_strdup(driver),
		.property = g_strdup(property),
		.value = g_strdup(value),
	};
	g_ptr_array_add(globals, global);
	return true;
}

void global_add_default(const char *driver, const char *property, const char *value)
{
	struct global *global = g_new0(struct global, 1);

	*global = (struct global){.driver = driver, .property = property, .value = value};
	if (!machine_globals)
		machine_globals = g_ptr_array_new();
	g_ptr_array_add(machine_globals, global);
}

static bool names_chain(const char *name, const struct device_type *type)
{
	for (; type; type = type->base) {
		if (!strcmp(type->name, name) || (type->alias && !strcmp(type->alias, name)))
			return true;
	}
	return false;
}

static void apply(const GPtrArray *list, struct device *dev)
{
	for (guint i = 0; list && i < list->len; i++) {
		struct global *global = g_ptr_array_index(list, i);
		GError *err = NULL;

		if (!names_chain(global->driver, dev->type))
			continue;
		global->used = true;
		if (device_set_text(dev, global->property, global->value, &err))
			continue;
		g_prefix_error(&err, "can't apply global %s.%s=%s: ", global->driver,
			       global->property, global->value);
		if (dev->global_error)
			g_error_free(err);
		else
			dev->global_error = err;
	}
}

void globals_apply(struct device *dev)
{
	apply(machine_globals, dev);
	apply(globals, dev);
}

static bool any_type_named(const char *name)
{
	for (const struct device_type *const *t = device_types(); *t; t++) {
		if (names_chain(name, *t))
			return true;
	}
	return false;
}

void globals_warn_unused(void)
{
	for (guint i = 0; globals && i < globals->len; i++) {
		struct global *global = g_ptr_array_index(globals, i);

		if (global->used)
			continue;
		if (any_type_named(global->driver))
			warn_report("global %s.%s=%s not used", global->driver, global->property,
				    global->value);
		else
			warn_report("global %s.%s has invalid class name", global->driver,
				    global->property);
	}
}
