/*
 * Lists that -machine help and its like print.
 */
#include "chardev/chardev.h"
#include "cli/start.h"
#include "device/plug.h"

static int compare_types(const void *a, const void *b)
{
	return strcmp((*(const struct device_type *const *)a)->name,
		      (*(const struct device_type *const *)b)->name);
}

/* Families one after the other, the newest of each first; then those that have none. */
static int compare_machines(const void *a, const void *b)
{
	const struct machine_info *x = machine_type_info(*(const struct device_type *const *)a);
	const struct machine_info *y = machine_type_info(*(const struct device_type *const *)b);

	if (!x->family || !y->family)
		return x->family || y->family ? (x->family ? -1 : 1) : compare_types(a, b);
	return g_strcmp0(x->family, y->family) ?: compare_types(b, a);
}

static GPtrArray *types_of(enum device_category category)
{
	GPtrArray *list = g_ptr_array_new();

	for (const struct device_type *const *t = device_types(); *t; t++) {
		if ((*t)->category == category && !((*t)->flags & TYPE_ABSTRACT))
			g_ptr_array_add(list, (void *)*t);
	}
	g_ptr_array_sort(list, compare_types);
	return list;
}

static void print_machines(GString *out)
{
	g_autoptr(GPtrArray) list = types_of(CATEGORY_MACHINE);

	g_ptr_array_sort(list, compare_machines);
	g_string_append(out, "Supported machines are:\n");
	for (guint i = 0; i < list->len; i++) {
		const struct machine_info *info = machine_type_info(list->pdata[i]);
		g_autofree char *name = machine_type_name(list->pdata[i]);

		if (info->alias)
			g_string_append_printf(out, "%-20s %s (alias of %s)\n", info->alias,
					       info->desc, name);
		g_string_append_printf(out, "%-20s %s%s%s\n", name, info->desc,
				       info->is_default ? " (default)" : "",
				       info->deprecated ? " (deprecated)" : "");
	}
}

static bool print_machine_props(const char *name, GString *out, GError **errp)
{
	const struct device_type *type = machine_type_find(name, errp);
	g_autoptr(GArray) rows = NULL;

	if (!type)
		return false;
	rows = device_type_props(type);
	g_string_append_printf(out, "%s options:\n", type->name);
	fields_print_help((const struct field *)rows->data, out);
	return true;
}

static void print_accels(GString *out)
{
	g_autoptr(GPtrArray) list = types_of(CATEGORY_ACCEL);

	g_string_append(out, "Accelerators supported in QEMU binary:\n");
	for (guint i = 0; i < list->len; i++) {
		const struct accel_ops *ops = device_type_class_data(list->pdata[i]);

		g_string_append_printf(out, "%s\n", ops->name);
		if (ops->alias)
			g_string_append_printf(out, "%s\n", ops->alias);
	}
}

static bool print_devices(const char *topic, GString *out, GError **errp)
{
	if (topic)
		return device_type_help(topic, out, errp);
	device_help(out);
	return true;
}

static bool print_objects(const char *topic, GString *out, GError **errp)
{
	if (topic)
		return device_type_help(topic, out, errp);
	object_help(out);
	return true;
}

const struct cli_help start_help = {
	.machines = print_machines,
	.machine_props = print_machine_props,
	.accels = print_accels,
	.cpus = cpu_print_help,
	.devices = print_devices,
	.objects = print_objects,
	.chardevs = chardev_print_help,
};
