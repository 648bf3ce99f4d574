/*
 * The check of tables: whatever a wrong row would turn into a crash or a lie at run time is found
 * here, by a test, before. One line of text for each fault.
 */
#include "base/field.h"

struct check {
	GString *faults;
	GHashTable *seen; /* field sets, as they may be recursive */
	bool state;       /* rows of saved state */
};

static void PRINTF_LIKE(4, 5)
	fault(struct check *check, const char *set, const struct field *row, const char *fmt, ...)
{
	va_list args;

	g_string_append_printf(check->faults, "%s%s.%s: ", check->faults->len ? "\n" : "", set,
			       row && row->name ? row->name : "?");
	va_start(args, fmt);
	g_string_append_vprintf(check->faults, fmt, args);
	va_end(args);
}

static void check_set(struct check *check, const struct field_set *set);

/* Is @width right for the kind? Kinds whose width depends on other members are checked with them. */
static bool width_fits_kind(const struct field *row)
{
	switch (row->kind) {
	case FIELD_BOOL:
		return row->width == sizeof(bool);
	case FIELD_INT:
	case FIELD_UINT:
		return IS_POWER_OF_2(row->width) && row->width <= 8;
	case FIELD_SIZE:
		return row->width == sizeof(uint64_t);
	case FIELD_NUMBER:
		return row->width == sizeof(double);
	case FIELD_ENUM:
		return row->width == sizeof(int);
	case FIELD_STRING:
	case FIELD_LIST:
	case FIELD_ANY:
	case FIELD_LINK:
		return row->width == sizeof(void *);
	case FIELD_BYTES:
		return row->width == 1;
	case FIELD_NULL:
		return row->width == 0;
	case FIELD_ALTERNATE:
		return row->width == sizeof(struct field_alternate);
	default:
		return row->width > 0;
	}
}

static uint64_t uint_max(unsigned width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

static void check_bounds(struct check *check, const char *set, const struct field *row)
{
	bool is_signed = row->kind == FIELD_INT;
	int64_t max = (int64_t)row->max;
	int64_t limit;

	if ((!row->min && !row->max) || !width_fits_kind(row))
		return;
	if (row->kind != FIELD_INT && row->kind != FIELD_UINT && row->kind != FIELD_SIZE) {
		fault(check, set, row, "bounds on a kind that has none");
		return;
	}
	limit = (int64_t)(uint_max(row->width) >> 1);
	if (is_signed) {
		if (row->min > max)
			fault(check, set, row, "bounds reversed: %" PRId64 " to %" PRId64, row->min,
			      max);
		if (row->min < -limit - 1 || max > limit)
			fault(check, set, row, "bounds exceed %u bytes", row->width);
	} else {
		if (row->min < 0 || (uint64_t)row->min > row->max)
			fault(check, set, row, "bounds reversed: %" PRId64 " to %" PRIu64, row->min,
			      row->max);
		if (row->max > uint_max(row->width))
			fault(check, set, row, "bounds exceed %u bytes", row->width);
	}
}

static void check_custom_default(struct check *check, const char *set, const struct field *row)
{
	g_autofree void *scratch = NULL;
	g_autoptr(GError) err = NULL;

	if (!row->def_string || !row->custom)
		return;
	if (!row->custom->parse) {
		fault(check, set, row, "default, but custom kind '%s' has no parse()",
		      row->custom->name);
		return;
	}
	scratch = g_malloc0(row->width);
	if (!row->custom->parse(row->def_string, scratch, &err))
		fault(check, set, row, "default '%s': %s", row->def_string, err->message);
	else if (row->custom->clear)
		row->custom->clear(scratch);
}

static void check_default(struct check *check, const char *set, const struct field *row)
{
	char *end = NULL;

	if (!(row->flags & FIELD_HAS_DEFAULT) || !width_fits_kind(row))
		return;
	switch (row->kind) {
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_SIZE:
		if (!field_in_range(row, row->def))
			fault(check, set, row, "default %" PRId64 " is out of bounds",
			      (int64_t)row->def);
		break;
	case FIELD_ENUM:
		if (row->names && !field_in_range(row, row->def))
			fault(check, set, row, "default %" PRId64 " is not a value of the enum",
			      (int64_t)row->def);
		break;
	case FIELD_NUMBER:
		if (row->def_string && (g_ascii_strtod(row->def_string, &end), *end))
			fault(check, set, row, "default '%s' is not a number", row->def_string);
		break;
	case FIELD_STRING:
		break;
	case FIELD_CUSTOM:
		check_custom_default(check, set, row);
		break;
	default:
		fault(check, set, row, "default on a kind that has none");
		break;
	}
}

static void check_enum(struct check *check, const char *set, const struct field *row)
{
	if (!row->names || !row->names->name) {
		fault(check, set, row, "enum without names");
		return;
	}
	for (const struct enum_name *a = row->names; a->name; a++) {
		if (a->value < 0)
			fault(check, set, row, "enum value '%s' is negative", a->name);
		for (const struct enum_name *b = row->names; b != a; b++)
			if (g_str_equal(a->name, b->name))
				fault(check, set, row, "enum value '%s' stands twice", a->name);
	}
}

static void check_struct(struct check *check, const char *set, const struct field *row)
{
	size_t want;

	if (!row->sub) {
		fault(check, set, row, "structure without rows");
		return;
	}
	want = row->flags & FIELD_POINTER ? sizeof(void *) : row->sub->size;
	if (row->width != want)
		fault(check, set, row, "width %u, but '%s' has %zu bytes", row->width,
		      row->sub->name, want);
	check_set(check, row->sub);
}

static void check_names_apart(struct check *check, const char *set, const struct field *row,
			      const struct field *rows, const struct field_set *branch)
{
	FIELDS_FOREACH (other, branch->rows)
		if (other->name && fields_find(rows, other->name))
			fault(check, set, row, "member '%s' of branch '%s' hides another",
			      other->name, branch->name);
}

static void check_union(struct check *check, const char *set, const struct field *row,
			const struct field *rows)
{
	const struct field *tag = row->tag ? fields_find(rows, row->tag) : NULL;

	if (!tag || tag->kind != FIELD_ENUM)
		fault(check, set, row, "union whose tag '%s' is no enum beside it",
		      row->tag ? row->tag : "");
	if (!row->branches)
		fault(check, set, row, "union without branches");
	for (const struct field_branch *b = row->branches; b && b->rows; b++) {
		if (b->rows->size > row->width)
			fault(check, set, row, "branch '%s' is larger than the union",
			      b->rows->name);
		if (tag && tag->names && !enum_name_of(tag->names, b->tag))
			fault(check, set, row, "branch '%s' has a tag that is no value of '%s'",
			      b->rows->name, tag->name);
		check_names_apart(check, set, row, rows, b->rows);
		check_set(check, b->rows);
	}
}

static void check_kind(struct check *check, const char *set, const struct field *row);

static void check_alternate(struct check *check, const char *set, const struct field *row)
{
	if (!row->alternatives)
		fault(check, set, row, "alternate without alternatives");
	FIELDS_FOREACH (alt, row->alternatives) {
		switch (alt->kind) {
		case FIELD_STRUCT:
			if (alt->sub)
				check_set(check, alt->sub);
			else
				fault(check, set, row, "structure without rows");
			break;
		case FIELD_ENUM:
			check_enum(check, set, alt);
			break;
		case FIELD_BOOL:
		case FIELD_INT:
		case FIELD_UINT:
		case FIELD_SIZE:
		case FIELD_STRING:
		case FIELD_NULL:
			break;
		default:
			fault(check, set, row, "an alternative of kind %d", alt->kind);
			break;
		}
	}
}

static void check_custom(struct check *check, const char *set, const struct field *row)
{
	if (!row->custom)
		fault(check, set, row, "custom kind without callbacks");
	else if (check->state && (!row->custom->save || !row->custom->load))
		fault(check, set, row, "custom kind '%s' cannot be saved", row->custom->name);
}

static void check_list(struct check *check, const char *set, const struct field *row)
{
	if (!row->elem) {
		fault(check, set, row, "list without elements");
		return;
	}
	if (row->elem->offset)
		fault(check, set, row, "elements at offset %u", row->elem->offset);
	check_kind(check, set, row->elem);
}

/* What the row's own kind asks for. Unions see the rows beside them, so they are not done here. */
static void check_kind(struct check *check, const char *set, const struct field *row)
{
	if (!width_fits_kind(row))
		fault(check, set, row, "width %u does not fit kind %d", row->width, row->kind);
	check_bounds(check, set, row);
	if (row->kind == FIELD_ENUM)
		check_enum(check, set, row);
	check_default(check, set, row);
	if (row->kind == FIELD_STRUCT)
		check_struct(check, set, row);
	else if (row->kind == FIELD_LIST)
		check_list(check, set, row);
	else if (row->kind == FIELD_ALTERNATE)
		check_alternate(check, set, row);
	else if (row->kind == FIELD_CUSTOM)
		check_custom(check, set, row);
}

static void check_place(struct check *check, const struct field_set *set, const struct field *row)
{
	uint64_t end = row->offset + (uint64_t)row->width * MAX(row->count, 1);

	if (end > set->size)
		fault(check, set->name, row,
		      "ends at %" PRIu64 ", beyond the structure's %zu bytes", end, set->size);
	if (row->has && row->has_offset + sizeof(bool) > set->size)
		fault(check, set->name, row, "presence lies beyond the structure");
}

static void check_text(struct check *check, const struct field_set *set, const struct field *row)
{
	if (check->state || row->kind == FIELD_UNION)
		return;
	if (!row->help || !*row->help)
		fault(check, set->name, row, "no help");
	else if (g_str_has_suffix(row->help, "."))
		fault(check, set->name, row, "help ends with a full stop");
}

static void check_use(struct check *check, const struct field_set *set, const struct field *row)
{
	bool bytes = row->kind == FIELD_BYTES;

	if (!check->state && (bytes || row->count > 1))
		fault(check, set->name, row, "bytes and arrays are for saved state");
	if (check->state && (row->kind == FIELD_LINK || row->kind == FIELD_ANY))
		fault(check, set->name, row, "a kind that cannot be saved");
	if (bytes && !row->count)
		fault(check, set->name, row, "bytes without a count");
}

static void check_set(struct check *check, const struct field_set *set)
{
	if (!g_hash_table_add(check->seen, (gpointer)set))
		return;
	FIELDS_FOREACH (row, set->rows) {
		if (!row->name || !*row->name) {
			fault(check, set->name, row, "row %zu has no name",
			      (size_t)(row - set->rows));
			continue;
		}
		if (fields_find(set->rows, row->name) != row)
			fault(check, set->name, row, "name stands twice");
		check_text(check, set, row);
		check_use(check, set, row);
		check_place(check, set, row);
		check_kind(check, set->name, row);
		if (row->kind == FIELD_UNION)
			check_union(check, set->name, row, set->rows);
	}
}

static char *check_run(const struct field_set *set, bool state)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	struct check check = {.faults = g_string_new(NULL), .seen = seen, .state = state};
	bool clean;

	check_set(&check, set);
	clean = !check.faults->len;
	return g_string_free(check.faults, clean);
}

char *fields_check(const struct field_set *set)
{
	return check_run(set, false);
}

char *fields_check_state(const struct field_set *set)
{
	return check_run(set, true);
}
