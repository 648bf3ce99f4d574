/*
 * Values as QMP clients know them: ", " and ": " between, nothing but ASCII, doubles with 17
 * significant digits; indented by four spaces, with empty containers over two lines.
 */
#include "api/json.h"

struct printer {
	GString *out;
	bool pretty;
	unsigned depth;
};

static void print_value(struct printer *p, json_object *value);

/* For one UTF-16 unit. */
static void print_unit(GString *out, unsigned unit)
{
	g_string_append_printf(out, "\\u%04X", unit);
}

static void print_char(GString *out, uint32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c && c < 0x80 ? strchr(from, (int)c) : NULL;

	if (at)
		g_string_append_printf(out, "\\%c", to[at - from]);
	else if (c >= 0x20 && c < 0x7f)
		g_string_append_c(out, (char)c);
	else if (c < 0x10000)
		print_unit(out, c);
	else
		print_unit(out, 0xd800 + ((c - 0x10000) >> 10)),
			print_unit(out, 0xdc00 + (c & 0x3ff));
}

/* Bytes that are no UTF-8 (host file names may have them) come out as U+FFFD. */
static void print_string(GString *out, const char *s, size_t len)
{
	const char *end = s + len;

	g_string_append_c(out, '"');
	while (s < end) {
		uint32_t c = *s ? g_utf8_get_char_validated(s, end - s) : 0;

		if (c <= 0x10ffff) {
			s = *s ? g_utf8_next_char(s) : s + 1;
		} else {
			c = 0xfffd;
			s++;
		}
		print_char(out, c);
	}
	g_string_append_c(out, '"');
}

static void print_integer(GString *out, json_object *value)
{
	int64_t i = json_object_get_int64(value);

	/* json-c does not tell its two kinds of integer apart, but it saturates. */
	if (i == INT64_MAX)
		g_string_append_printf(out, "%" PRIu64, json_object_get_uint64(value));
	else
		g_string_append_printf(out, "%" PRId64, i);
}

static void print_double(GString *out, double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.17g", value));
}

static void print_line(struct printer *p)
{
	if (!p->pretty)
		return;
	g_string_append_c(p->out, '\n');
	for (unsigned i = 0; i < p->depth; i++)
		g_string_append(p->out, "    ");
}

static void print_separator(struct printer *p, bool first)
{
	if (!first)
		g_string_append(p->out, p->pretty ? "," : ", ");
	print_line(p);
}

static void print_object(struct printer *p, json_object *object)
{
	bool first = true;

	json_object_object_foreach(object, key, value)
	{
		print_separator(p, first);
		first = false;
		print_string(p->out, key, strlen(key));
		g_string_append(p->out, ": ");
		print_value(p, value);
	}
}

static void print_array(struct printer *p, json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		print_separator(p, i == 0);
		print_value(p, json_object_array_get_idx(array, i));
	}
}

static void print_container(struct printer *p, json_object *value, const char *brackets,
			    void (*print)(struct printer *p, json_object *value))
{
	g_string_append_c(p->out, brackets[0]);
	p->depth++;
	print(p, value);
	p->depth--;
	print_line(p);
	g_string_append_c(p->out, brackets[1]);
}

static void print_value(struct printer *p, json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		g_string_append(p->out, "null");
		break;
	case json_type_boolean:
		g_string_append(p->out, json_object_get_boolean(value) ? "true" : "false");
		break;
	case json_type_double:
		print_double(p->out, json_object_get_double(value));
		break;
	case json_type_int:
		print_integer(p->out, value);
		break;
	case json_type_string:
		print_string(p->out, json_object_get_string(value),
			     json_object_get_string_len(value));
		break;
	case json_type_object:
		print_container(p, value, "{}", print_object);
		break;
	case json_type_array:
		print_container(p, value, "[]", print_array);
		break;
	}
}

char *json_print(json_object *value, bool pretty)
{
	struct printer p = {.out = g_string_new(NULL), .pretty = pretty};

	print_value(&p, value);
	return g_string_free(p.out, false);
}

void json_add(json_object *object, const char *name, json_object *value)
{
	json_object_object_add(object, name, value);
}

void json_append(json_object *array, json_object *value)
{
	json_object_array_add(array, value);
}
