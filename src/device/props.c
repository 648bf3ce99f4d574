/*
 * Properties of devices, by name.
 *
 * A row says how a value is read; the codec does it. What happens here is what rows cannot know:
 * which device it is, whether it still may change, and putting the old value back when a row's own
 * set() refuses the new one.
 */
#include "api/codec.h"
#include "internal.h"

/* ---- What every device shows ---- */

static json_object *get_type(struct device *dev)
{
	return json_object_new_string(dev->type->name);
}

static json_object *get_realized(struct device *dev)
{
	return json_object_new_boolean(dev->realized);
}

static json_object *get_hotplugged(struct device *dev)
{
	return json_object_new_boolean(dev->hotplugged);
}

static json_object *get_hotpluggable(struct device *dev)
{
	return json_object_new_boolean((dev->type->flags & TYPE_HOTPLUGGABLE) != 0);
}

static json_object *get_parent_bus(struct device *dev)
{
	g_autofree char *provider = dev->bus ? device_path(dev->bus->parent) : NULL;
	g_autofree char *path =
		provider ? g_strdup_printf("%s/%s", provider, dev->bus->name) : NULL;

	return json_object_new_string(path ? path : "");
}

const struct device_common_prop device_common_props[] = {
	{"type", "string", "Name of the type", get_type},
	{"parent_bus", "link<bus>", "Path of the bus it is plugged into", get_parent_bus},
	{"realized", "bool", "Whether it exists for the guest", get_realized},
	{"hotplugged", "bool", "Whether it was added to a complete machine", get_hotplugged},
	{"hotpluggable", "bool", "Whether it may come and go while the guest runs",
	 get_hotpluggable},
	{NULL},
};

static const struct device_common_prop *common_prop(const char *name)
{
	for (const struct device_common_prop *p = device_common_props; p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* ---- Finding the row ---- */

static void add_name(const struct device_type *owner, const struct field *f, void *opaque)
{
	if (!(f->flags & FIELD_HIDDEN))
		g_ptr_array_add(opaque, (void *)f->name);
}

static void not_found(const struct device *dev, const char *name, GError **errp)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *near;

	error_set(errp, "Property '%s.%s' not found", dev->type->name, name);
	device_type_foreach_prop(dev->type, add_name, names);
	g_ptr_array_add(names, NULL);
	near = nearest_name(name, (const char *const *)names->pdata);
	if (near)
		error_add_hint(errp, "Did you mean '%s'?", near);
}

/* Who has the property: @dev, or what it carries. Itself too where nobody has. */
static struct device *holder(struct device *dev, const char *name)
{
	for (const struct device_type *t = dev->type; t; t = t->base) {
		if (fields_find(t->props, name) || fields_find(type_core_props(t), name))
			return dev;
	}
	if (dev->inner && device_type_prop(dev->inner->type, name))
		return holder(dev->inner, name);
	return dev;
}

static const struct field *row_to_set(struct device *dev, const char *name, GError **errp)
{
	const struct field *row = device_type_prop(dev->type, name);

	if ((row && (row->flags & FIELD_READONLY)) || (!row && common_prop(name))) {
		error_set(errp, "Property '%s.%s' is not writable", dev->type->name, name);
		return NULL;
	}
	if (!row) {
		not_found(dev, name, errp);
		return NULL;
	}
	if ((dev->realized || dev->leaving) && !(row->flags & FIELD_LIVE)) {
		if (dev->id)
			error_set(
				errp,
				"Attempt to set property '%s' on device '%s' (type '%s') after it was realized",
				name, dev->id, dev->type->name);
		else
			error_set(
				errp,
				"Attempt to set property '%s' on anonymous device (type '%s') after it was realized",
				name, dev->type->name);
		return NULL;
	}
	return row;
}

/* ---- Setting ---- */

/* Links and custom rows: their own parser may leave the wording of its failure to us. */
static bool parse_named(struct device *dev, const struct field *row, const char *text,
			GError **errp)
{
	void *ptr = field_ptr(row, dev);
	GError *err = NULL;

	if (row->kind == FIELD_LINK) {
		void *target = *text ? row->link->resolve(text, &err) : NULL;

		memcpy(ptr, &target, sizeof(target));
		if (target || !*text)
			return true;
	} else if (row->custom->parse(text, ptr, &err)) {
		return true;
	}
	if (!err)
		error_set(&err, "Property '%s.%s' %s value '%s'", dev->type->name, row->name,
			  row->kind == FIELD_LINK ? "can't find" : "doesn't take", text);
	g_propagate_error(errp, err);
	return false;
}

/* A new value: text, or JSON with or without text standing for numbers and booleans. */
struct value {
	const char *text;
	json_object *json;
	bool strict;
};

static bool decode(struct device *dev, const struct field *row, const struct value *value,
		   GError **errp)
{
	if (row->kind == FIELD_LINK || row->kind == FIELD_CUSTOM) {
		const char *text = value->json ? json_object_get_string(value->json) : value->text;

		return parse_named(dev, row, text, errp);
	}
	if (value->json && (value->strict || !json_object_is_type(value->json, json_type_string)))
		return codec_decode_field(row, value->json, dev, !value->strict, errp);
	return codec_parse_field(
		row, value->json ? json_object_get_string(value->json) : value->text, dev, errp);
}

/* Reads the new value into an emptied member, so that the old one can come back. */
static bool replace(struct device *dev, const struct field *row, const struct value *value,
		    GError **errp)
{
	void *ptr = field_ptr(row, dev);
	g_autofree void *old = g_memdup2(ptr, row->width);
	bool *has = row->has ? (bool *)((char *)dev + row->has_offset) : NULL;
	bool had = has && *has;
	bool ok;

	memset(ptr, 0, row->width);
	ok = decode(dev, row, value, errp);
	if (ok && row->set && !row->set(dev, row, errp)) {
		field_clear(row, dev);
		ok = false;
	}
	if (!ok) {
		memcpy(ptr, old, row->width);
		if (has)
			*has = had;
		return false;
	}
	/* What the old value owned is freed through the member's place, the only one rows know. */
	g_autofree void *new = g_memdup2(ptr, row->width);
	memcpy(ptr, old, row->width);
	field_clear(row, dev);
	memcpy(ptr, new, row->width);
	if (has)
		*has = true;
	return true;
}

bool device_set_text(struct device *dev, const char *name, const char *text, GError **errp)
{
	struct device *has = holder(dev, name);
	const struct field *row = row_to_set(has, name, errp);

	return row && replace(has, row, &(struct value){.text = text}, errp);
}

static bool set_json(struct device *dev, const char *name, json_object *value, bool strict,
		     GError **errp)
{
	struct device *has = holder(dev, name);
	const struct field *row = row_to_set(has, name, errp);

	if (row && !value) {
		error_set(errp, "Property '%s.%s' doesn't take value 'null'", dev->type->name,
			  name);
		return false;
	}
	return row && replace(has, row, &(struct value){.json = value, .strict = strict}, errp);
}

bool device_set_json(struct device *dev, const char *name, json_object *value, GError **errp)
{
	return set_json(dev, name, value, false, errp);
}

bool props_are_reserved(const char *name)
{
	static const char *const reserved[] = {"driver", "qom-type", "id", "bus", NULL};

	return g_strv_contains(reserved, name);
}

bool device_set_all(struct device *dev, json_object *props, GError **errp)
{
	json_object_object_foreach(props, name, value)
	{
		if (!props_are_reserved(name) && !set_json(dev, name, value, false, errp))
			return false;
	}
	return true;
}

bool props_set_object(struct device *dev, json_object *props, bool lenient, GError **errp)
{
	json_object_object_foreach(props, name, value)
	{
		if (props_are_reserved(name))
			continue;
		if (!device_type_prop(dev->type, name)) {
			error_set(errp,
				  lenient ? "Invalid parameter '%s'"
					  : "Parameter '%s' is unexpected",
				  name);
			return false;
		}
		if (!set_json(dev, name, value, !lenient, errp))
			return false;
	}
	return true;
}

json_object *device_get_json(struct device *dev, const char *name, GError **errp)
{
	struct device *has = holder(dev, name);
	const struct field *row = device_type_prop(has->type, name);
	const struct device_common_prop *common = common_prop(name);
	json_object *value;

	if (!row && common)
		return common->get(dev);
	if (!row) {
		not_found(dev, name, errp);
		return NULL;
	}
	if (row->get)
		row->get(has, row);
	value = codec_encode_field(row, has);
	return value ? value : json_object_new_string("");
}
