/* Option text -> JSON. */
#include "api/codec.h"

/* ---- Cutting the text ---- */

/* The text up to the next single comma, with doubled ones halved. *@text moves behind the comma. */
static char *take_value(const char **text)
{
	GString *value = g_string_new(NULL);
	const char *p = *text;

	for (; *p; p++) {
		if (*p == ',' && *++p != ',')
			break;
		g_string_append_c(value, *p);
	}
	*text = p;
	return g_string_free(value, false);
}

/* A list for @key if it is one that gathers, NULL otherwise. */
static json_object *gathering_list(json_object *object, const char *key, const char *const *lists)
{
	json_object *list;

	if (!lists || !g_strv_contains(lists, key))
		return NULL;
	if (!json_object_object_get_ex(object, key, &list)) {
		list = json_object_new_array();
		json_add(object, key, list);
	}
	return list;
}

static void add_pair(json_object *object, const char *key, const char *value,
		     const char *const *lists)
{
	json_object *list = gathering_list(object, key, lists);

	/* The last one wins and stands where it was given last. */
	if (list) {
		json_append(list, json_object_new_string(value));
	} else {
		json_object_object_del(object, key);
		json_add(object, key, json_object_new_string(value));
	}
}

static bool is_help(const char *word)
{
	return g_str_equal(word, "help") || g_str_equal(word, "?");
}

/* A word without '='. */
static void add_bare(json_object *object, const char *word, const char *const *lists)
{
	bool off = g_str_has_prefix(word, "no") && word[2];

	add_pair(object, off ? word + 2 : word, off ? "off" : "on", lists);
}

struct cutter {
	const char *const *lists;
	bool *help;
	bool bare_keys; /* "key" for "key=on" */
};

/* A word without '=' that is not the implied value. */
static bool take_bare(json_object *object, const char *word, const struct cutter *cutter,
		      GError **errp)
{
	if (*word && !cutter->bare_keys) {
		error_set(errp, "Expected '=' after parameter '%s'", word);
		return false;
	}
	if (*word)
		add_bare(object, word, cutter->lists);
	return true;
}

static bool take_pair(const char **text, const char *implied, json_object *object,
		      const struct cutter *cutter, GError **errp)
{
	size_t len = strcspn(*text, ",=");
	bool bare = (*text)[len] != '=';

	if (bare || (implied && !len)) {
		g_autofree char *word = take_value(text);

		if (cutter->help && is_help(word))
			return *cutter->help = true;
		if (!implied)
			return take_bare(object, word, cutter, errp);
		add_pair(object, implied, word, cutter->lists);
		return true;
	}
	g_autofree char *key = g_strndup(*text, len);

	*text += len + 1;
	g_autofree char *value = take_value(text);

	if (!len) {
		error_set(errp, "Parameter without a name before '=%s'", value);
		return false;
	}
	add_pair(object, key, value, cutter->lists);
	return true;
}

static json_object *parse_object(const char *text, GError **errp)
{
	json_object *json = json_parse(text, errp);

	g_assert(!json || json_object_is_type(json, json_type_object));
	return json;
}

static json_object *cut_text(const char *text, const char *implied, const struct cutter *cutter,
			     GError **errp)
{
	if (*text == '{')
		return parse_object(text, errp);
	g_autoptr(json_object) object = json_object_new_object();

	while (*text) {
		if (!take_pair(&text, implied, object, cutter, errp))
			return NULL;
		implied = NULL;
	}
	return g_steal_pointer(&object);
}

json_object *opts_parse(const char *text, const char *implied, const char *const *lists, bool *help,
			GError **errp)
{
	return cut_text(text, implied, &(struct cutter){lists, help, true}, errp);
}

/* ---- Nesting ---- */

/* Bounds the recursion of everything that walks the result. */
#define KEYVAL_MAX_DEPTH 32

static bool nest_error(const char *key, GError **errp)
{
	error_set(errp, "Invalid parameter '%s'", key);
	return false;
}

/* Stores @value (borrowed) under the dotted @key. */
static bool nest_pair(json_object *object, const char *key, json_object *value, GError **errp)
{
	g_auto(GStrv) parts = g_strsplit(key, ".", -1);
	unsigned n = g_strv_length(parts);

	if (n > KEYVAL_MAX_DEPTH)
		return nest_error(key, errp);
	for (unsigned i = 0; i < n; i++) {
		json_object *inner = NULL;
		bool last = i == n - 1;

		if (!*parts[i])
			return nest_error(key, errp);
		json_object_object_get_ex(object, parts[i], &inner);
		if (inner && last == json_object_is_type(inner, json_type_object)) {
			error_set(errp, "Parameters '%s.*' used inconsistently", parts[i]);
			return false;
		}
		if (last)
			json_add(object, parts[i], json_object_get(value));
		else if (!inner)
			json_add(object, parts[i], inner = json_object_new_object());
		object = inner;
	}
	return true;
}

static bool is_index(const char *key)
{
	return *key && strspn(key, "0123456789") == strlen(key) && strlen(key) <= 4;
}

static bool has_only_indices(json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		if (!is_index(key))
			return false;
	}
	return json_object_object_length(object) > 0;
}

static json_object *nest_lists(const char *name, json_object *json, GError **errp);

static json_object *object_to_list(const char *name, json_object *object, GError **errp)
{
	g_autoptr(json_object) list = json_object_new_array();

	for (int i = 0; i < json_object_object_length(object); i++) {
		g_autofree char *index = g_strdup_printf("%d", i);
		json_object *element;

		if (!json_object_object_get_ex(object, index, &element)) {
			error_set(errp, "Parameter '%s.%d' missing", name, i);
			return NULL;
		}
		element = nest_lists(index, element, errp);
		if (!element)
			return NULL;
		json_append(list, element);
	}
	return g_steal_pointer(&list);
}

/* A copy of @json in which objects with the keys 0, 1, 2 ... have become lists. */
static json_object *nest_lists(const char *name, json_object *json, GError **errp)
{
	if (!json_object_is_type(json, json_type_object))
		return json_object_get(json);
	if (name && has_only_indices(json))
		return object_to_list(name, json, errp);
	g_autoptr(json_object) copy = json_object_new_object();

	json_object_object_foreach(json, key, value)
	{
		json_object *inner = nest_lists(key, value, errp);

		if (!inner)
			return NULL;
		json_add(copy, key, inner);
	}
	return g_steal_pointer(&copy);
}

json_object *keyval_parse(const char *text, const char *implied, const char *const *lists,
			  bool *help, GError **errp)
{
	const struct cutter cutter = {lists, help, false};
	g_autoptr(json_object) flat = cut_text(text, implied, &cutter, errp);
	g_autoptr(json_object) nested = json_object_new_object();

	if (!flat || *text == '{')
		return g_steal_pointer(&flat);
	json_object_object_foreach(flat, key, value)
	{
		if (!nest_pair(nested, key, value, errp))
			return NULL;
	}
	return nest_lists(NULL, nested, errp);
}

void keyval_merge(json_object *into, json_object *from)
{
	json_object_object_foreach(from, key, value)
	{
		json_object *old;

		if (json_object_object_get_ex(into, key, &old) &&
		    json_object_is_type(old, json_type_object) &&
		    json_object_is_type(value, json_type_object))
			keyval_merge(old, value);
		else
			json_add(into, key, json_object_get(value));
	}
}
