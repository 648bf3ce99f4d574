/* QMP commands that show the tree of devices and objects, and the types. */
#include "device/describe.h"
#include "internal.h"

struct property_info {
	char *name, *type, *description;
	json_object *default_value;
};
static const struct field property_info_rows[] = {
	ARG_STRING(struct property_info, name, "name", "Name of the property"),
	ARG_STRING(struct property_info, type, "type",
		   "Its type; \"child<TYPE>\" for what is below"),
	OPT_STRING(struct property_info, description, "description", "What it means"),
	OPT_ANY(struct property_info, default_value, "default-value", "Its default"),
	FIELD_ROW_END,
};
static const struct field_set property_info_set = {
	"ObjectPropertyInfo", sizeof(struct property_info), property_info_rows};

struct path_args {
	char *path, *property;
	json_object *value;
};
static const struct field list_rows[] = {
	ARG_STRING(struct path_args, path, "path", "Path in the tree, also a partial one"),
	FIELD_ROW_END,
};
static const struct field_set list_set = {"qom-list-arg", sizeof(struct path_args), list_rows};
static const struct field get_rows[] = {
	ARG_STRING(struct path_args, path, "path", "Path in the tree, also a partial one"),
	ARG_STRING(struct path_args, property, "property", "Name of the property"),
	FIELD_ROW_END,
};
static const struct field_set get_set = {"qom-get-arg", sizeof(struct path_args), get_rows};
static const struct field set_rows[] = {
	ARG_STRING(struct path_args, path, "path", "Path in the tree, also a partial one"),
	ARG_STRING(struct path_args, property, "property", "Name of the property"),
	ARG_ANY(struct path_args, value, "value", "Its new value"),
	FIELD_ROW_END,
};
static const struct field_set set_set = {"qom-set-arg", sizeof(struct path_args), set_rows};

static bool qmp_qom_list(void *args, void *result, GError **errp)
{
	struct device *dev = tree_find(((struct path_args *)args)->path, errp);

	if (dev)
		*(json_object **)result = device_describe(dev);
	return dev;
}

static bool qmp_qom_get(void *args, void *result, GError **errp)
{
	struct path_args *arg = args;
	struct device *dev = tree_find(arg->path, errp);

	if (!dev)
		return false;
	*(json_object **)result = device_get_json(dev, arg->property, errp);
	return *(json_object **)result;
}

static bool qmp_qom_set(void *args, void *result, GError **errp)
{
	struct path_args *arg = args;
	struct device *dev = tree_find(arg->path, errp);

	return dev && device_set_json(dev, arg->property, arg->value, errp);
}

/* ---- Types ---- */

struct type_info {
	char *name, *parent;
	bool has_abstract, abstract;
};
static const struct field type_info_rows[] = {
	ARG_STRING(struct type_info, name, "name", "Name of the type"),
	OPT_BOOL(struct type_info, abstract, "abstract", "Cannot be made, only derived from"),
	OPT_STRING(struct type_info, parent, "parent", "What it is derived from"),
	FIELD_ROW_END,
};
static const struct field_set type_info_set = {"ObjectTypeInfo", sizeof(struct type_info),
					       type_info_rows};
struct list_types_args {
	char *implements;
	bool has_abstract, abstract;
};
static const struct field list_types_rows[] = {
	OPT_STRING(struct list_types_args, implements, "implements",
		   "Only types derived from this one"),
	OPT_BOOL(struct list_types_args, abstract, "abstract", "Abstract types too"),
	FIELD_ROW_END,
};
static const struct field_set list_types_set = {"qom-list-types-arg",
						sizeof(struct list_types_args), list_types_rows};

static bool qmp_list_types(void *args, void *result, GError **errp)
{
	const struct list_types_args *arg = args;

	*(json_object **)result = device_types_describe(arg->implements, arg->abstract);
	return true;
}

struct typename_args {
	char *typename;
};
static const struct field typename_rows[] = {
	ARG_STRING(struct typename_args, typename, "typename", "Name of the type"),
	FIELD_ROW_END,
};
static const struct field_set typename_set = {"typename-arg", sizeof(struct typename_args),
					      typename_rows};

static bool qmp_list_type_properties(void *args, void *result, GError **errp)
{
	const char *name = ((struct typename_args *)args)->typename;
	const struct device_type *type = device_type_find(name);

	if (!type) {
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Class '%s' not found", name);
		return false;
	}
	*(json_object **)result = device_type_describe(type);
	return true;
}

/* What is no device to -device: back ends, machines, accelerators. */
static bool is_device(const struct device_type *type)
{
	return type->category < CATEGORY_BACKEND;
}

static bool qmp_list_device_properties(void *args, void *result, GError **errp)
{
	const char *name = ((struct typename_args *)args)->typename;
	const struct device_type *type = device_type_find(name);

	if (!type) {
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
		return false;
	}
	if ((type->flags & TYPE_ABSTRACT) || !is_device(type)) {
		error_set(errp, "Parameter 'typename' expects a non-abstract device type");
		return false;
	}
	*(json_object **)result = device_type_describe(type);
	return true;
}

#define LIST (COMMAND_RESULT_ANY | COMMAND_RESULT_LIST | COMMAND_PRECONFIG)

const struct command qom_commands[] = {
	{"qom-list", "Properties of an object, and the objects below it", &list_set,
	 &property_info_set, qmp_qom_list, LIST},
	{"qom-get", "Value of a property", &get_set, NULL, qmp_qom_get,
	 COMMAND_RESULT_ANY | COMMAND_PRECONFIG},
	{"qom-set", "Sets a property", &set_set, NULL, qmp_qom_set, COMMAND_PRECONFIG},
	{"qom-list-types", "Types of objects", &list_types_set, &type_info_set, qmp_list_types,
	 LIST},
	{"qom-list-properties", "Properties of a type", &typename_set, &property_info_set,
	 qmp_list_type_properties, LIST},
	{"device-list-properties", "Properties of a type of device", &typename_set,
	 &property_info_set, qmp_list_device_properties, LIST},
	{NULL},
};
