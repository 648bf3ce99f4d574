/*
 * Access to the members that rows describe: loading and storing by width, defaults, clearing.
 */
#include <json-c/json_object.h>
#include "base/field.h"

const struct enum_name onoffauto_names[] = {
	{"auto", ONOFFAUTO_AUTO},
	{"on", ONOFFAUTO_ON},
	{"off", ONOFFAUTO_OFF},
	{},
};

const struct field *fields_find(const struct field *rows, const char *name)
{
	FIELDS_FOREACH (row, rows)
		if (g_strcmp0(row->name, name) == 0)
			return row;
	return NULL;
}

static uint64_t sign_extend(uint64_t value, unsigned width)
{
	unsigned shift = 64 - 8 * width;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static bool field_is_signed(const struct field *field)
{
	return field->kind == FIELD_INT || field->kind == FIELD_ENUM;
}

uint64_t field_load(const struct field *field, const void *ptr)
{
	uint64_t value = 0;

	g_assert(field->width >= 1 && field->width <= 8);
	memcpy(&value, ptr, field->width);
	return field_is_signed(field) ? sign_extend(value, field->width) : value;
}

void field_store(const struct field *field, void *ptr, uint64_t value)
{
	g_assert(field->width >= 1 && field->width <= 8);
	if (field->kind == FIELD_BOOL)
		value = value != 0;
	memcpy(ptr, &value, field->width);
}

static bool int_in_range(const struct field *field, int64_t value)
{
	if ((int64_t)sign_extend((uint64_t)value, field->width) != value)
		return false;
	if (!field->min && !field->max)
		return true;
	return value >= field->min && value <= (int64_t)field->max;
}

static bool uint_in_range(const struct field *field, uint64_t value)
{
	if (value > UINT64_MAX >> (64 - 8 * field->width))
		return false;
	if (!field->min && !field->max)
		return true;
	return value >= (uint64_t)field->min && value <= field->max;
}

bool field_in_range(const struct field *field, uint64_t value)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return value <= 1;
	case FIELD_INT:
		return int_in_range(field, (int64_t)value);
	case FIELD_UINT:
	case FIELD_SIZE:
		return uint_in_range(field, value);
	case FIELD_ENUM:
		return (int64_t)value == (int)value && enum_name_of(field->names, (int)value);
	default:
		return false;
	}
}

static void custom_set_default(const struct field *row, void *ptr)
{
	g_autoptr(GError) err = NULL;

	if (row->def_string && !row->custom->parse(row->def_string, ptr, &err))
		g_error("default of field '%s': %s", row->name, err->message);
}

static void field_set_default(const struct field *row, void *ptr)
{
	double number;

	switch (row->kind) {
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_SIZE:
	case FIELD_ENUM:
		field_store(row, ptr, row->def);
		break;
	case FIELD_NUMBER:
		number = row->def_string ? g_ascii_strtod(row->def_string, NULL)
					 : (double)(int64_t)row->def;
		memcpy(ptr, &number, sizeof(number));
		break;
	case FIELD_STRING:
		*(char **)ptr = g_strdup(row->def_string);
		break;
	case FIELD_CUSTOM:
		custom_set_default(row, ptr);
		break;
	default:
		break;
	}
}

void fields_set_defaults(const struct field *rows, void *object)
{
	FIELDS_FOREACH (row, rows) {
		void *ptr = field_ptr(row, object);

		if (row->kind == FIELD_STRUCT && !(row->flags & FIELD_POINTER))
			fields_set_defaults(row->sub->rows, ptr);
		else if (row->flags & FIELD_HAS_DEFAULT)
			field_set_default(row, ptr);
	}
}

static void field_clear_at(const struct field *field, void *ptr);

static void list_clear(const struct field *field, GArray **list)
{
	if (!*list)
		return;
	for (unsigned i = 0; i < (*list)->len; i++)
		field_clear_at(field->elem, (*list)->data + (size_t)i * field->elem->width);
	g_array_unref(*list);
	*list = NULL;
}

static void struct_clear(const struct field *field, void *ptr)
{
	void **pointer = ptr;

	if (!(field->flags & FIELD_POINTER)) {
		fields_clear(field->sub->rows, ptr);
	} else if (*pointer) {
		fields_clear(field->sub->rows, *pointer);
		g_clear_pointer(pointer, g_free);
	}
}

static void alternate_clear(const struct field *field, struct field_alternate *alt)
{
	const struct field *row = &field->alternatives[alt->which];

	if (row->kind == FIELD_STRING) {
		g_free(alt->string);
	} else if (row->kind == FIELD_STRUCT && alt->object) {
		fields_clear(row->sub->rows, alt->object);
		g_free(alt->object);
	}
	memset(alt, 0, sizeof(*alt));
}

static void custom_clear(const struct field *field, void *ptr)
{
	if (field->custom->clear)
		field->custom->clear(ptr);
	else
		memset(ptr, 0, field->width);
}

/* One element at @ptr. Unions need their tag, so they are cleared with the whole structure only. */
static void field_clear_at(const struct field *field, void *ptr)
{
	switch (field->kind) {
	case FIELD_STRING:
		g_clear_pointer((char **)ptr, g_free);
		break;
	case FIELD_STRUCT:
		struct_clear(field, ptr);
		break;
	case FIELD_LIST:
		list_clear(field, ptr);
		break;
	case FIELD_ALTERNATE:
		alternate_clear(field, ptr);
		break;
	case FIELD_ANY:
		g_clear_pointer((struct json_object **)ptr, json_object_put);
		break;
	case FIELD_CUSTOM:
		custom_clear(field, ptr);
		break;
	case FIELD_NULL:
	case FIELD_UNION:
		break;
	default:
		memset(ptr, 0, field->width);
		break;
	}
}

void field_clear(const struct field *field, void *object)
{
	for (uint32_t i = 0; i < MAX(field->count, 1); i++)
		field_clear_at(field, (char *)field_ptr(field, object) + (size_t)i * field->width);
	if (field->has)
		*(bool *)((char *)object + field->has_offset) = false;
}

const struct field_set *field_union_branch(const struct field *rows, const struct field *field,
					   const void *object)
{
	const struct field *tag = fields_find(rows, field->tag);
	int value = (int)field_load(tag, (const char *)object + tag->offset);

	for (const struct field_branch *branch = field->branches; branch->rows; branch++)
		if (branch->tag == value)
			return branch->rows;
	return NULL;
}

void fields_clear(const struct field *rows, void *object)
{
	/* Unions first, while their tags still say what they hold. */
	FIELDS_FOREACH (row, rows) {
		const struct field_set *branch;

		if (row->kind != FIELD_UNION)
			continue;
		branch = field_union_branch(rows, row, object);
		if (branch)
			fields_clear(branch->rows, field_ptr(row, object));
		memset(field_ptr(row, object), 0, row->width);
	}
	FIELDS_FOREACH (row, rows)
		field_clear(row, object);
}
