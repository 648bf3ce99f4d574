/* Rows and trees as JSON lists. */
#include "api/codec.h"
#include "device/describe.h"
#include "internal.h"

static json_object *entry_new(const char *name, const char *type)
{
	json_object *entry = json_object_new_object();

	json_add(entry, "name", json_object_new_string(name));
	json_add(entry, "type", json_object_new_string(type));
	return entry;
}

/* ---- A device ---- */

/* What is no device in QEMU either shows its type only. */
static bool shows_device_props(const struct device *dev)
{
	return !device_is_container(dev) && dev->type->category < CATEGORY_BACKEND;
}

static void list_row(const struct device_type *owner, const struct field *row, void *opaque)
{
	g_autofree char *type = field_type_name(row);

	if (!(row->flags & FIELD_HIDDEN))
		json_append(opaque, entry_new(row->name, type));
}

static void list_child(struct device *child, void *opaque)
{
	g_autofree char *type = g_strdup_printf("child<%s>", child->type->name);

	json_append(opaque, entry_new(child->name, type));
}

json_object *device_describe(struct device *dev)
{
	json_object *list = json_object_new_array();

	for (const struct device_common_prop *p = device_common_props; p->name; p++) {
		if (p == device_common_props || shows_device_props(dev))
			json_append(list, entry_new(p->name, p->type));
	}
	device_type_foreach_prop(dev->type, list_row, list);
	device_foreach_child(dev, list_child, list);
	return list;
}

/* ---- A type ---- */

static json_object *default_of(const struct field *row)
{
	if (!(row->flags & FIELD_HAS_DEFAULT))
		return NULL;
	switch (row->kind) {
	case FIELD_BOOL:
		return json_object_new_boolean(row->def != 0);
	case FIELD_INT:
		return json_object_new_int64((int64_t)row->def);
	case FIELD_UINT:
	case FIELD_SIZE:
		return json_object_new_uint64(row->def);
	case FIELD_ENUM:
		return json_object_new_string(enum_name_of(row->names, (int)row->def));
	default:
		return row->def_string ? json_object_new_string(row->def_string) : NULL;
	}
}

static void describe_row(const struct device_type *owner, const struct field *row, void *opaque)
{
	g_autofree char *type = field_type_name(row);
	json_object *entry, *value = default_of(row);

	if (row->flags & FIELD_HIDDEN)
		return;
	entry = entry_new(row->name, type);
	json_add(entry, "description", json_object_new_string(row->help));
	if (value)
		json_add(entry, "default-value", value);
	json_append(opaque, entry);
}

json_object *device_type_describe(const struct device_type *type)
{
	json_object *list = json_object_new_array();

	device_type_foreach_prop(type, describe_row, list);
	return list;
}

/* ---- All types ---- */

static bool implements_name(const struct device_type *type, const char *name)
{
	if (!name || !strcmp(name, "object"))
		return true;
	if (!strcmp(name, "device"))
		return type->category < CATEGORY_BACKEND;
	if (!strcmp(name, "user-creatable"))
		return type->category == CATEGORY_BACKEND;
	while (type && strcmp(type->name, name))
		type = type->base;
	return type != NULL;
}

static const char *parent_name(const struct device_type *type)
{
	if (type->base)
		return type->base->name;
	return type->category < CATEGORY_BACKEND ? "device" : "object";
}

json_object *device_types_describe(const char *implements, bool abstract)
{
	json_object *list = json_object_new_array();

	for (const struct device_type *const *t = device_types(); *t; t++) {
		bool is_abstract = (*t)->flags & TYPE_ABSTRACT;
		json_object *entry;

		if ((is_abstract && !abstract) || !implements_name(*t, implements))
			continue;
		entry = json_object_new_object();
		json_add(entry, "name", json_object_new_string((*t)->name));
		json_add(entry, "parent", json_object_new_string(parent_name(*t)));
		if (is_abstract)
			json_add(entry, "abstract", json_object_new_boolean(true));
		json_append(list, entry);
	}
	return list;
}
