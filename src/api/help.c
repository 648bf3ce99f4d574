/* Rows as help shows them. */
#include "api/codec.h"

static char *integer_type_name(const struct field *field)
{
	return g_strdup_printf("%sint%u", field->kind == FIELD_UINT ? "u" : "", field->width * 8);
}

static char *list_type_name(const struct field *field)
{
	g_autofree char *elem = field_type_name(field->elem);

	return g_strdup_printf("[%s]", elem);
}

/* Enums have no name of their own: the spellings say more. Aliases are left out. */
static char *enum_type_name(const struct field *field)
{
	GString *out = g_string_new(NULL);

	if (field->flags & FIELD_ONOFF_TEXT)
		return g_string_free(g_string_append(out, "OnOffAuto"), false);
	for (const struct enum_name *n = field->names; n->name; n++) {
		if (enum_name_of(field->names, n->value) == n->name)
			g_string_append_printf(out, "%s%s", out->len ? "|" : "", n->name);
	}
	return g_string_free(out, false);
}

char *field_type_name(const struct field *field)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return g_strdup("bool");
	case FIELD_INT:
	case FIELD_UINT:
		return integer_type_name(field);
	case FIELD_SIZE:
		return g_strdup("size");
	case FIELD_NUMBER:
		return g_strdup("number");
	case FIELD_STRING:
		return g_strdup("str");
	case FIELD_ENUM:
		return enum_type_name(field);
	case FIELD_STRUCT:
		return g_strdup(field->sub->name);
	case FIELD_LIST:
		return list_type_name(field);
	case FIELD_LINK:
		return g_strdup_printf("link<%s>", field->link->name);
	case FIELD_CUSTOM:
		return g_strdup(field->custom->name);
	default:
		return g_strdup("any");
	}
}

/* The default as text, or NULL when there is none worth showing. */
static char *default_text(const struct field *field)
{
	if (!(field->flags & FIELD_HAS_DEFAULT))
		return NULL;
	switch (field->kind) {
	case FIELD_BOOL:
		return g_strdup(field->def ? "on" : "off");
	case FIELD_INT:
		return g_strdup_printf("%" PRId64, (int64_t)field->def);
	case FIELD_UINT:
		return g_strdup_printf("%" PRIu64, field->def);
	case FIELD_SIZE:
		return size_print(field->def);
	case FIELD_ENUM:
		return g_strdup(enum_name_of(field->names, (int)field->def));
	default:
		return g_strdup(field->def_string);
	}
}

static char *field_help_line(const struct field *field)
{
	g_autofree char *type = field_type_name(field);
	g_autofree char *def = default_text(field);
	GString *line = g_string_new(NULL);

	g_string_printf(line, "  %s=<%s>", field->name, type);
	if (field->help && *field->help)
		g_string_append_printf(line, "%*s - %s", MAX(0, 24 - (int)line->len), "",
				       field->help);
	if (def && *def)
		g_string_append_printf(line, " (default: %s)", def);
	g_string_append_c(line, '\n');
	return g_string_free(line, false);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void fields_print_help(const struct field *rows, GString *out)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

	FIELDS_FOREACH (row, rows) {
		if (!(row->flags & FIELD_HIDDEN) && row->kind != FIELD_UNION)
			g_ptr_array_add(lines, field_help_line(row));
	}
	g_ptr_array_sort(lines, compare_lines);
	for (unsigned i = 0; i < lines->len; i++)
		g_string_append(out, g_ptr_array_index(lines, i));
}
