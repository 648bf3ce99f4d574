/*
 * Spellings: enum values and their names, and the name that was probably meant.
 */
#include "base/field.h"

const char *enum_name_of(const struct enum_name *names, int value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

int enum_parse(const struct enum_name *names, const char *text, const char *what, GError **errp)
{
	g_autoptr(GString) list = g_string_new(NULL);

	for (const struct enum_name *row = names; row->name; row++) {
		if (g_str_equal(row->name, text))
			return row->value;
		g_string_append_printf(list, "%s%s", list->len ? ", " : "", row->name);
	}
	error_set(errp, "Parameter '%s' does not accept value '%s'", what, text);
	error_add_hint(errp, "Possible values: %s", list->str);
	return -1;
}

#define NAME_MAX_LEN 64

/*
 * The number of letters to insert, delete, replace, or swap with their neighbour to get from @a to
 * @b (restricted Damerau-Levenshtein distance), kept in three rolling rows of the usual matrix.
 */
static unsigned edit_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
			 *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = MIN(row[j], MIN(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], above2[j - 2] + 1);
		}
	}
	return rows[alen % 3][blen];
}

const char *nearest_name(const char *text, const char *const *candidates)
{
	size_t len = strlen(text);
	unsigned best = MAX(1, MIN(len / 3, 4)) + 1; /* a third of the letters may be wrong */
	const char *nearest = NULL;

	if (!len || len > NAME_MAX_LEN)
		return NULL;
	for (; *candidates; candidates++) {
		size_t clen = strlen(*candidates);

		if (clen > NAME_MAX_LEN)
			continue;
		unsigned distance = edit_distance(text, len, *candidates, clen);
		if (distance < best) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}
