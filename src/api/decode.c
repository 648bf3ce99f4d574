/* JSON -> structures. */
#include "api/codec.h"
#include "scalar.h"
#include "value.h"

static bool decode_value(const struct field *field, json_object *json, void *ptr, bool lenient,
			 const struct path *path, GError **errp);
static bool decode_members(const struct field *rows, json_object *json, void *object, bool lenient,
			   const struct path *up, GError **errp);

/* ---- Which members an object may have ---- */

static void collect_names(const struct field *rows, const void *object, GPtrArray *names)
{
	FIELDS_FOREACH (row, rows) {
		const struct field_set *branch;

		if (row->kind != FIELD_UNION)
			g_ptr_array_add(names, (char *)row->name);
		else if ((branch = field_union_branch(rows, row, object)))
			collect_names(branch->rows, field_ptr(row, (void *)object), names);
	}
}

/* Every member of @json has a row, once the tags in @object are known. */
static bool check_unexpected(const struct field *rows, json_object *json, const void *object,
			     const struct path *up, GError **errp)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	collect_names(rows, object, names);
	g_ptr_array_add(names, NULL);
	json_object_object_foreach(json, key, value)
	{
		const char *const *known = (const char *const *)names->pdata;
		struct path path = {.up = up, .name = key};

		(void)value;
		if (g_strv_contains(known, key))
			continue;
		g_autofree char *text = path_text(&path);
		const char *near = nearest_name(key, known);

		error_set(errp, "Parameter '%s' is unexpected", text);
		if (near)
			error_add_hint(errp, "Did you mean '%s'?", near);
		return false;
	}
	return true;
}

/* ---- Composed kinds ---- */

/* A whole object into zeroed memory. */
static bool decode_object(const struct field_set *set, json_object *json, void *object,
			  bool lenient, const struct path *path, GError **errp)
{
	if (!json_object_is_type(json, json_type_object))
		return decode_type_error(path, "object", errp);
	fields_set_defaults(set->rows, object);
	if (decode_members(set->rows, json, object, lenient, path, errp) &&
	    check_unexpected(set->rows, json, object, path, errp))
		return true;
	fields_clear(set->rows, object);
	return false;
}

static bool decode_struct(const struct field *field, json_object *json, void *ptr, bool lenient,
			  const struct path *path, GError **errp)
{
	if (!(field->flags & FIELD_POINTER))
		return decode_object(field->sub, json, ptr, lenient, path, errp);

	void *object = g_malloc0(field->sub->size);

	if (!decode_object(field->sub, json, object, lenient, path, errp)) {
		g_free(object);
		return false;
	}
	*(void **)ptr = object;
	return true;
}

static bool decode_element(const struct field *elem, json_object *json, GArray *list, bool lenient,
			   const struct path *up, GError **errp)
{
	struct path path = {.up = up, .index = list->len};

	g_array_set_size(list, list->len + 1);
	if (decode_value(elem, json, list->data + (size_t)elem->width * path.index, lenient, &path,
			 errp))
		return true;
	g_array_set_size(list, path.index);
	return false;
}

/* Reads "FIRST-LAST", numbers without sign, FIRST not above LAST. */
static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 3);

	return g_strv_length(ends) == 2 &&
	       g_ascii_string_to_unsigned(ends[0], 10, 0, UINT16_MAX, first, NULL) &&
	       g_ascii_string_to_unsigned(ends[1], 10, *first, UINT16_MAX, last, NULL);
}

/* An element of a list; where text is read, numbers may come as a range: host-nodes=0-3. */
static bool decode_elements(const struct field *elem, json_object *json, GArray *list, bool lenient,
			    const struct path *up, GError **errp)
{
	uint64_t first, last;
	bool ok = true;

	if (!lenient || elem->kind != FIELD_UINT || !json_object_is_type(json, json_type_string) ||
	    !parse_range(json_object_get_string(json), &first, &last))
		return decode_element(elem, json, list, lenient, up, errp);
	for (; ok && first <= last; first++) {
		g_autoptr(json_object) number = json_object_new_uint64(first);

		ok = decode_element(elem, number, list, lenient, up, errp);
	}
	return ok;
}

/* Text for a list is its only element; key=value parsers gather repeated keys before this. */
static bool decode_list(const struct field *field, json_object *json, GArray **ptr, bool lenient,
			const struct path *path, GError **errp)
{
	bool one = lenient && json_object_is_type(json, json_type_string);
	bool ok = true;

	if (!one && !json_object_is_type(json, json_type_array))
		return decode_type_error(path, "array", errp);
	*ptr = g_array_new(false, true, field->elem->width);
	if (one)
		ok = decode_elements(field->elem, json, *ptr, lenient, path, errp);
	for (size_t i = 0; ok && !one && i < json_object_array_length(json); i++)
		ok = decode_elements(field->elem, json_object_array_get_idx(json, i), *ptr, lenient,
				     path, errp);
	if (!ok)
		field_clear_value(field, ptr);
	return ok;
}

static bool kind_takes(enum field_kind kind, json_object *json)
{
	switch (json_object_get_type(json)) {
	case json_type_null:
		return kind == FIELD_NULL;
	case json_type_boolean:
		return kind == FIELD_BOOL;
	case json_type_int:
		return kind == FIELD_INT || kind == FIELD_UINT || kind == FIELD_SIZE;
	case json_type_string:
		return kind == FIELD_STRING || kind == FIELD_ENUM;
	case json_type_object:
		return kind == FIELD_STRUCT;
	case json_type_array:
		return kind == FIELD_LIST;
	default:
		return kind == FIELD_NUMBER;
	}
}

static bool decode_alternate(const struct field *field, json_object *json,
			     struct field_alternate *ptr, bool lenient, const struct path *path,
			     GError **errp)
{
	int which = 0;

	FIELDS_FOREACH (row, field->alternatives) {
		if (kind_takes(row->kind, json)) {
			struct field pointed = *row;

			pointed.flags |= row->kind == FIELD_STRUCT ? FIELD_POINTER : 0;
			ptr->which = which;
			return decode_value(&pointed, json, &ptr->boolean, lenient, path, errp);
		}
		which++;
	}
	return decode_type_error(path, field->sub ? field->sub->name : field->name, errp);
}

/* @ptr is zeroed memory for the member; on failure nothing is left in it. */
static bool decode_value(const struct field *field, json_object *json, void *ptr, bool lenient,
			 const struct path *path, GError **errp)
{
	switch (field->kind) {
	case FIELD_STRUCT:
		return decode_struct(field, json, ptr, lenient, path, errp);
	case FIELD_LIST:
		return decode_list(field, json, ptr, lenient, path, errp);
	case FIELD_ALTERNATE:
		return decode_alternate(field, json, ptr, lenient, path, errp);
	default:
		return decode_scalar(field, json, ptr, lenient, path, errp);
	}
}

/* ---- Members ---- */

static void mark_present(const struct field *field, void *object)
{
	if (field->has)
		*(bool *)((char *)object + field->has_offset) = true;
}

/* A default may be in the member's place: the new value is made elsewhere and moved in. */
static bool decode_into(const struct field *field, json_object *json, void *object, bool lenient,
			const struct path *path, GError **errp)
{
	size_t size = field_value_size(field);
	g_autofree void *fresh = g_malloc0(size);

	if (!decode_value(field, json, fresh, lenient, path, errp))
		return false;
	field_clear(field, object);
	memcpy(field_ptr(field, object), fresh, size);
	mark_present(field, object);
	return true;
}

static bool decode_branch(const struct field *rows, const struct field *field, json_object *json,
			  void *object, bool lenient, const struct path *up, GError **errp)
{
	const struct field_set *branch = field_union_branch(rows, field, object);
	void *ptr = field_ptr(field, object);

	if (!branch)
		return true;
	fields_set_defaults(branch->rows, ptr);
	return decode_members(branch->rows, json, ptr, lenient, up, errp);
}

static bool decode_member(const struct field *rows, const struct field *field, json_object *json,
			  void *object, bool lenient, const struct path *up, GError **errp)
{
	struct path path = {.up = up, .name = field->name};
	json_object *value;

	if (field->kind == FIELD_UNION)
		return decode_branch(rows, field, json, object, lenient, up, errp);
	if (json_object_object_get_ex(json, field->name, &value))
		return decode_into(field, value, object, lenient, &path, errp);
	if (field->flags & (FIELD_OPTIONAL | FIELD_HAS_DEFAULT))
		return true;
	g_autofree char *text = path_text(&path);

	error_set(errp, "Parameter '%s' is missing", text);
	return false;
}

static bool decode_members(const struct field *rows, json_object *json, void *object, bool lenient,
			   const struct path *up, GError **errp)
{
	FIELDS_FOREACH (row, rows) {
		if (!decode_member(rows, row, json, object, lenient, up, errp))
			return false;
	}
	return true;
}

bool codec_decode(const struct field_set *set, json_object *json, void *object, bool lenient,
		  GError **errp)
{
	fields_set_defaults(set->rows, object);
	if (decode_members(set->rows, json, object, lenient, NULL, errp) &&
	    check_unexpected(set->rows, json, object, NULL, errp))
		return true;
	fields_clear(set->rows, object);
	return false;
}

bool codec_decode_field(const struct field *field, json_object *json, void *object, bool lenient,
			GError **errp)
{
	struct path path = {.name = field->name};

	return decode_into(field, json, object, lenient, &path, errp);
}

bool codec_parse_field(const struct field *field, const char *text, void *object, GError **errp)
{
	g_autoptr(json_object) json = json_object_new_string(text);

	return codec_decode_field(field, json, object, true, errp);
}
