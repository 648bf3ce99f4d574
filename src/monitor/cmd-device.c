/* QMP commands that add and remove devices and objects. */
#include "device/plug.h"
#include "internal.h"

/* The fixed members; the rest are the properties of the type. */
struct device_args {
	char *driver, *bus, *id;
};
static const struct field device_rows[] = {
	ARG_STRING(struct device_args, driver, "driver", "Type of the device"),
	OPT_STRING(struct device_args, bus, "bus", "Bus it is plugged into"),
	OPT_STRING(struct device_args, id, "id", "Name of the device"),
	FIELD_ROW_END,
};
static const struct field_set device_set = {"device_add-arg", sizeof(struct device_args),
					    device_rows};

static bool qmp_device_add(void *args, void *result, GError **errp)
{
	return device_add(args, errp);
}

struct id_args {
	char *id;
};
static const struct field id_rows[] = {
	ARG_STRING(struct id_args, id, "id", "Name or path"),
	FIELD_ROW_END,
};
static const struct field_set id_set = {"id-arg", sizeof(struct id_args), id_rows};

static bool qmp_device_del(void *args, void *result, GError **errp)
{
	return device_del(((struct id_args *)args)->id, errp);
}

static bool qmp_object_add(void *args, void *result, GError **errp)
{
	return object_add(args, false, errp);
}

static bool qmp_object_del(void *args, void *result, GError **errp)
{
	return object_del(((struct id_args *)args)->id, errp);
}

/* ---- What the schema shows of object-add: a union over the types of objects ---- */

struct object_args {
	int type;
	char *id;
	char properties[1]; /* the branches' memory: never decoded into */
};

static bool is_object(const struct device_type *type)
{
	return type->category == CATEGORY_BACKEND && (type->flags & TYPE_USER_CREATABLE) &&
	       !(type->flags & TYPE_ABSTRACT);
}

static void add_object_type(const struct device_type *type, GArray *names, GArray *branches)
{
	struct enum_name name = {type->name, names->len, type->help};
	struct field_set *set = g_new0(struct field_set, 1);
	struct field_branch branch = {names->len, set};

	set->name = type->name;
	set->size = type->size;
	set->rows = (const struct field *)g_array_free(device_type_props(type), false);
	g_array_append_val(names, name);
	g_array_append_val(branches, branch);
}

/* Made once, from the types there are, and kept. */
static const struct field_set *object_args_shown(void)
{
	static struct field rows[] = {
		ARG_ENUM(struct object_args, type, "qom-type", NULL, "Type of the object"),
		ARG_STRING(struct object_args, id, "id", "Name of the object"),
		ARG_UNION(struct object_args, properties, "qom-type", NULL),
		FIELD_ROW_END,
	};
	static const struct field_set set = {"ObjectOptions", sizeof(struct object_args), rows};
	GArray *names, *branches;

	if (rows[0].names)
		return &set;
	names = g_array_new(true, true, sizeof(struct enum_name));
	branches = g_array_new(true, true, sizeof(struct field_branch));
	for (const struct device_type *const *t = device_types(); *t; t++)
		if (is_object(*t))
			add_object_type(*t, names, branches);
	rows[0].names = (const struct enum_name *)g_array_free(names, false);
	rows[2].branches = (const struct field_branch *)g_array_free(branches, false);
	return &set;
}

static const char *const device_features[] = {"json-cli", "json-cli-hotplug", NULL};

const struct command device_commands[] = {
	{"device_add", "Plugs in a device", &device_set, NULL, qmp_device_add, COMMAND_ARGS_ANY,
	 .features = device_features},
	{"device_del", "Asks for a device to be unplugged", &id_set, NULL, qmp_device_del},
	{"object-add", "Makes a back end object", NULL, NULL, qmp_object_add,
	 COMMAND_ARGS_ANY | COMMAND_PRECONFIG, .args_shown = object_args_shown},
	{"object-del", "Removes a back end object", &id_set, NULL, qmp_object_del,
	 COMMAND_PRECONFIG},
	{NULL},
};
