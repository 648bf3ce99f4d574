#include "api/codec.h"
#include "scalar.h"
#include "size.h"

bool decode_type_error(const struct path *path, const char *what, GError **errp)
{
	g_autofree char *name = path_text(path);

	error_set(errp, "Invalid parameter type for '%s', expected: %s", name, what);
	return false;
}

static bool decode_expects(const struct path *path, const char *what, GError **errp)
{
	g_autofree char *name = path_text(path);

	error_set(errp, "Parameter '%s' expects %s", name, what);
	return false;
}

/* The text of a JSON string. Strings with a zero byte inside are no text for C. */
static const char *json_text(json_object *json)
{
	if (!json_object_is_type(json, json_type_string))
		return NULL;
	const char *text = json_object_get_string(json);

	return strlen(text) == (size_t)json_object_get_string_len(json) ? text : NULL;
}

static bool text_is_one_of(const char *text, const char *const *words)
{
	return g_strv_contains(words, text);
}

static bool decode_bool(json_object *json, bool *ptr, bool lenient, const struct path *path,
			GError **errp)
{
	static const char *const yes[] = {"on", "yes", "true", "y", NULL};
	static const char *const no[] = {"off", "no", "false", "n", NULL};
	const char *text = lenient ? json_text(json) : NULL;

	if (json_object_is_type(json, json_type_boolean)) {
		*ptr = json_object_get_boolean(json);
		return true;
	}
	if (!text)
		return decode_type_error(path, "boolean", errp);
	*ptr = text_is_one_of(text, yes);
	return *ptr || text_is_one_of(text, no) || decode_expects(path, "'on' or 'off'", errp);
}

/* ---- Integers ---- */

/* Decimal, 0x hexadecimal or octal, the whole text. */
static bool text_to_int(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 0);
	return end != text && !*end && !errno;
}

static bool text_to_uint(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return end != text && !*end && !errno && !strchr(text, '-');
}

/* A negative number is kept out of unsigned members; json-c would saturate it to 0. */
static bool json_to_uint(json_object *json, uint64_t *value)
{
	*value = json_object_get_uint64(json);
	return json_object_is_type(json, json_type_int) && json_object_get_int64(json) >= 0;
}

static bool json_to_int(json_object *json, int64_t *value)
{
	*value = json_object_get_int64(json);
	return json_object_is_type(json, json_type_int) &&
	       (*value < INT64_MAX || json_object_get_uint64(json) == INT64_MAX);
}

/* The C type that a member's width allows, or the row's own bounds. */
static bool range_error(const struct field *field, const struct path *path, GError **errp)
{
	bool is_signed = field->kind == FIELD_INT;
	g_autofree char *type =
		g_strdup_printf("%sint%u_t", is_signed ? "" : "u", field->width * 8);

	if (!field->min && !field->max) {
		struct path last = {.name = path->name};

		return decode_expects(path->name ? &last : path, type, errp);
	}
	g_autofree char *bounds =
		is_signed ? g_strdup_printf("a value between %" PRId64 " and %" PRId64, field->min,
					    (int64_t)field->max)
			  : g_strdup_printf("a value between %" PRId64 " and %" PRIu64, field->min,
					    field->max);
	return decode_expects(path, bounds, errp);
}

static bool scan_integer(const struct field *field, const char *text, uint64_t *value,
			 const struct path *path, GError **errp)
{
	int64_t i = 0;
	bool is_int = text_to_int(text, &i);

	if (field->kind == FIELD_INT)
		*value = i;
	else if (text_to_uint(text, value))
		return true;
	else if (is_int)
		return range_error(field, path, errp); /* negative */
	return is_int || decode_expects(path, "integer", errp);
}

static bool load_integer(const struct field *field, json_object *json, uint64_t *value,
			 const struct path *path, GError **errp)
{
	int64_t i;

	if (field->kind != FIELD_INT)
		return json_to_uint(json, value) || decode_expects(path, "uint64", errp);
	if (!json_to_int(json, &i))
		return decode_type_error(path, "integer", errp);
	*value = i;
	return true;
}

static bool decode_integer(const struct field *field, json_object *json, void *ptr, bool lenient,
			   const struct path *path, GError **errp)
{
	const char *text = lenient ? json_text(json) : NULL;
	uint64_t value = 0;

	if (!(text ? scan_integer(field, text, &value, path, errp)
		   : load_integer(field, json, &value, path, errp)))
		return false;
	if (!field_in_range(field, value))
		return range_error(field, path, errp);
	field_store(field, ptr, value);
	return true;
}

static bool decode_size(const struct field *field, json_object *json, void *ptr, bool lenient,
			const struct path *path, GError **errp)
{
	const char *text = lenient ? json_text(json) : NULL;
	uint64_t size;

	if (!text)
		return decode_integer(field, json, ptr, false, path, errp);
	if (size_scan(text, 1, &size))
		return decode_expects(path, "size", errp);
	if (!field_in_range(field, size))
		return range_error(field, path, errp);
	field_store(field, ptr, size);
	return true;
}

static bool decode_number(json_object *json, double *ptr, bool lenient, const struct path *path,
			  GError **errp)
{
	const char *text = lenient ? json_text(json) : NULL;
	char *end;

	if (json_object_is_type(json, json_type_double) ||
	    json_object_is_type(json, json_type_int)) {
		*ptr = json_object_get_double(json);
		return true;
	}
	if (!text)
		return decode_type_error(path, "number", errp);
	*ptr = g_ascii_strtod(text, &end);
	return (end != text && !*end && *ptr - *ptr == 0) || decode_expects(path, "number", errp);
}

/* ---- Names ---- */

void hint_nearest_enum(const struct enum_name *names, const char *text, GError **errp)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	for (; names->name; names++)
		g_ptr_array_add(all, (char *)names->name);
	g_ptr_array_add(all, NULL);
	const char *near = nearest_name(text, (const char *const *)all->pdata);

	if (near)
		error_add_hint(errp, "Did you mean '%s'?", near);
}

static bool decode_enum(const struct field *field, json_object *json, int *ptr,
			const struct path *path, GError **errp)
{
	const char *text = json_text(json);

	if (!text && (field->flags & FIELD_ONOFF_TEXT) &&
	    json_object_is_type(json, json_type_boolean))
		text = json_object_get_boolean(json) ? "on" : "off";
	if (!text)
		return decode_type_error(path, "string", errp);
	for (const struct enum_name *n = field->names; n->name; n++) {
		if (g_str_equal(n->name, text)) {
			*ptr = n->value;
			return true;
		}
	}
	g_autofree char *name = path->name ? g_strdup(path->name) : path_text(path);

	error_set(errp, "Parameter '%s' does not accept value '%s'", name, text);
	hint_nearest_enum(field->names, text, errp);
	return false;
}

static bool decode_string(json_object *json, char **ptr, const struct path *path, GError **errp)
{
	const char *text = json_text(json);

	if (!text)
		return decode_type_error(path, "string", errp);
	*ptr = g_strdup(text);
	return true;
}

static bool decode_link(const struct field *field, json_object *json, void **ptr,
			const struct path *path, GError **errp)
{
	const char *text = json_text(json);
	GError *err = NULL;

	if (!text)
		return decode_type_error(path, "string", errp);
	if (!*text)
		return true; /* how an unset link is printed */
	*ptr = field->link->resolve(text, &err);
	if (!*ptr && !err)
		error_set(&err, "Property '%s' can't find value '%s'", field->name, text);
	if (err)
		g_propagate_error(errp, err);
	return *ptr;
}

/* A number is as good as its text: "addr": 2. */
static bool decode_custom(const struct field *field, json_object *json, void *ptr,
			  const struct path *path, GError **errp)
{
	const char *text = json_text(json);
	g_autofree char *number =
		json_object_is_type(json, json_type_int) ? json_print(json, false) : NULL;

	if (!text && !number)
		return decode_type_error(path, "string", errp);
	return field->custom->parse(text ?: number, ptr, errp);
}

bool decode_scalar(const struct field *field, json_object *json, void *ptr, bool lenient,
		   const struct path *path, GError **errp)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return decode_bool(json, ptr, lenient, path, errp);
	case FIELD_INT:
	case FIELD_UINT:
		return decode_integer(field, json, ptr, lenient, path, errp);
	case FIELD_SIZE:
		return decode_size(field, json, ptr, lenient, path, errp);
	case FIELD_NUMBER:
		return decode_number(json, ptr, lenient, path, errp);
	case FIELD_STRING:
		return decode_string(json, ptr, path, errp);
	case FIELD_ENUM:
		return decode_enum(field, json, ptr, path, errp);
	case FIELD_LINK:
		return decode_link(field, json, ptr, path, errp);
	case FIELD_CUSTOM:
		return decode_custom(field, json, ptr, path, errp);
	case FIELD_ANY:
		*(json_object **)ptr = json_object_get(json);
		return true;
	case FIELD_NULL:
		return !json || decode_type_error(path, "null", errp);
	default:
		g_assert_not_reached();
	}
}
