/* Structures -> JSON. */
#include "api/codec.h"
#include "value.h"

static json_object *encode_value(const struct field *field, const void *ptr);
static void encode_members(const struct field *rows, const void *object, json_object *json);

/* Without a presence bool: one that points at something, or at nothing on purpose. */
static bool alternate_is_present(const struct field *field, const struct field_alternate *alt)
{
	enum field_kind kind = field->alternatives[alt->which].kind;

	return (kind != FIELD_STRING && kind != FIELD_STRUCT) || alt->object;
}

static bool member_is_present(const struct field *field, const void *object)
{
	const void *ptr = (const char *)object + field->offset;

	if (field->has)
		return *(const bool *)((const char *)object + field->has_offset);
	if (!(field->flags & FIELD_OPTIONAL))
		return true;
	switch (field->kind) {
	case FIELD_STRING:
	case FIELD_LIST:
	case FIELD_ANY:
		return *(void *const *)ptr;
	case FIELD_STRUCT:
		return !(field->flags & FIELD_POINTER) || *(void *const *)ptr;
	case FIELD_ALTERNATE:
		return alternate_is_present(field, ptr);
	default:
		return true;
	}
}

static json_object *encode_list(const struct field *field, const GArray *list)
{
	json_object *array = json_object_new_array();

	for (unsigned i = 0; list && i < list->len; i++)
		json_append(array,
			    encode_value(field->elem, list->data + (size_t)field->elem->width * i));
	return array;
}

static json_object *encode_struct(const struct field *field, const void *ptr)
{
	const void *object = field->flags & FIELD_POINTER ? *(void *const *)ptr : ptr;
	json_object *json = json_object_new_object();

	if (object)
		encode_members(field->sub->rows, object, json);
	return json;
}

static json_object *encode_alternate(const struct field *field, const struct field_alternate *alt)
{
	struct field row = field->alternatives[alt->which];

	if (row.kind == FIELD_STRUCT)
		row.flags |= FIELD_POINTER;
	return encode_value(&row, &alt->boolean);
}

static json_object *encode_integer(const struct field *field, const void *ptr)
{
	uint64_t value = field_load(field, ptr);

	return field->kind == FIELD_INT ? json_object_new_int64((int64_t)value)
					: json_object_new_uint64(value);
}

static json_object *encode_text(char *text)
{
	json_object *json = json_object_new_string(text ?: "");

	g_free(text);
	return json;
}

static char *link_name(const struct field *field, void *target)
{
	return g_strdup(target ? field->link->name_of(target) : "");
}

static json_object *encode_value(const struct field *field, const void *ptr)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return json_object_new_boolean(*(const bool *)ptr);
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_SIZE:
		return encode_integer(field, ptr);
	case FIELD_NUMBER:
		return json_object_new_double(*(const double *)ptr);
	case FIELD_STRING:
		return encode_text(g_strdup(*(char *const *)ptr));
	case FIELD_ENUM:
		return encode_text(g_strdup(enum_name_of(field->names, *(const int *)ptr)));
	case FIELD_STRUCT:
		return encode_struct(field, ptr);
	case FIELD_LIST:
		return encode_list(field, *(GArray *const *)ptr);
	case FIELD_ALTERNATE:
		return encode_alternate(field, ptr);
	case FIELD_ANY:
		return json_object_get(*(json_object *const *)ptr);
	case FIELD_LINK:
		return encode_text(link_name(field, *(void *const *)ptr));
	case FIELD_CUSTOM:
		return encode_text(field->custom->print ? field->custom->print(ptr) : NULL);
	default: /* null; bytes have no JSON form */
		return NULL;
	}
}

static void encode_branch(const struct field *rows, const struct field *field, const void *object,
			  json_object *json)
{
	const struct field_set *branch = field_union_branch(rows, field, object);

	if (branch)
		encode_members(branch->rows, (const char *)object + field->offset, json);
}

static void encode_members(const struct field *rows, const void *object, json_object *json)
{
	FIELDS_FOREACH (row, rows) {
		if (row->kind == FIELD_UNION)
			encode_branch(rows, row, object, json);
		else if (member_is_present(row, object))
			json_add(json, row->name,
				 encode_value(row, (const char *)object + row->offset));
	}
}

json_object *codec_encode(const struct field_set *set, const void *object)
{
	json_object *json = json_object_new_object();

	encode_members(set->rows, object, json);
	return json;
}

json_object *codec_encode_field(const struct field *field, const void *object)
{
	return encode_value(field, (const char *)object + field->offset);
}

char *codec_print_field(const struct field *field, const void *object)
{
	g_autoptr(json_object) json = codec_encode_field(field, object);

	if (field->kind == FIELD_BOOL)
		return g_strdup(json_object_get_boolean(json) ? "on" : "off");
	if (json_object_is_type(json, json_type_string))
		return g_strdup(json_object_get_string(json));
	return json_print(json, false);
}
