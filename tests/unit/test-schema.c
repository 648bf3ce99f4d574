/* Commands: running them by their rows; query-qmp-schema: the paths clients look up. */
#include "api/command.h"

/* ---- A small interface with everything in it ---- */

enum backend_kind { BACKEND_NULL, BACKEND_SOCKET };
static const struct enum_name backend_names[] = {
	{"null", BACKEND_NULL, NULL}, {"socket", BACKEND_SOCKET, NULL}, {NULL, 0, NULL}};
struct socket_data {
	int64_t reconnect;
	bool has_reconnect;
};
static const struct field socket_data_rows[] = {
	OPT_INT(struct socket_data, reconnect, "reconnect", "Seconds"),
	{.kind = FIELD_END},
};
static const struct field_set socket_data_set = {"SocketData", sizeof(struct socket_data),
						 socket_data_rows};
struct socket {
	struct socket_data data;
};
static const struct field socket_rows[] = {
	ARG_STRUCT(struct socket, data, "data", &socket_data_set, "How"),
	{.kind = FIELD_END},
};
static const struct field_set socket_set = {"Socket", sizeof(struct socket), socket_rows};
struct backend {
	int type;
	union {
		struct socket socket;
	} u;
};
static const struct field_branch backend_branches[] = {{BACKEND_SOCKET, &socket_set}, {0, NULL}};
static const struct field backend_rows[] = {
	ARG_ENUM(struct backend, type, "type", backend_names, "Sort"),
	ARG_UNION(struct backend, u, "type", backend_branches),
	{.kind = FIELD_END},
};
static const struct field_set backend_set = {"Backend", sizeof(struct backend), backend_rows};
struct add_args {
	char *id;
	struct backend backend;
};
static const struct field add_rows[] = {
	ARG_STRING(struct add_args, id, "id", "Name"),
	ARG_STRUCT(struct add_args, backend, "backend", &backend_set, "What"),
	{.kind = FIELD_END},
};
static const struct field_set add_set = {"AddArgs", sizeof(struct add_args), add_rows};

struct item {
	char *label;
	uint64_t size;
};
static const struct field item_rows[] = {
	ARG_STRING(struct item, label, "label", "Name"),
	ARG_UINT(struct item, size, "size", "Bytes"),
	{.kind = FIELD_END},
};
static const struct field_set item_set = {"Item", sizeof(struct item), item_rows};
static const struct field name_elem = {
	.name = "name", .help = "A name", .kind = FIELD_STRING, .width = sizeof(char *)};

static bool run_add(void *args, void *result, GError **errp)
{
	struct add_args *a = args;

	if (a->backend.type == BACKEND_NULL)
		error_set(errp, "cannot add '%s'", a->id);
	return a->backend.type == BACKEND_SOCKET && a->backend.u.socket.data.reconnect == 3;
}

static bool run_list(void *args, void *result, GError **errp)
{
	struct item items[2] = {{g_strdup("a"), 1}, {g_strdup("b"), 2}};
	GArray *list = g_array_new(false, true, sizeof(struct item));

	g_array_append_vals(list, items, 2);
	*(GArray **)result = list;
	return true;
}

static bool run_names(void *args, void *result, GError **errp)
{
	char *name = g_strdup("n");
	GArray *list = g_array_new(false, true, sizeof(char *));

	g_array_append_val(list, name);
	*(GArray **)result = list;
	return true;
}

static bool run_one(void *args, void *result, GError **errp)
{
	struct item *item = result;

	item->label = g_strdup("one");
	item->size = 7;
	return true;
}

static bool run_any(void *args, void *result, GError **errp)
{
	*(json_object **)result = json_object_get(args);
	return true;
}

static bool run_half(void *args, void *result, GError **errp)
{
	((struct item *)result)->label = g_strdup("lost");
	error_set(errp, "failed half-way");
	return false;
}

static const struct field_set *shown_args(void)
{
	return &backend_set;
}

static const char *const add_features[] = {"json-cli", NULL};
static const struct command commands[] = {
	{"add", "Adds", &add_set, NULL, run_add, 0, NULL, add_features},
	{"list", "Lists", NULL, &item_set, run_list, COMMAND_RESULT_LIST},
	{"names", "Names", NULL, NULL, run_names, COMMAND_RESULT_LIST | COMMAND_OOB, &name_elem},
	{"one", "One", NULL, &item_set, run_one},
	{"anything", "Any", NULL, NULL, run_any, COMMAND_ARGS_ANY | COMMAND_RESULT_ANY, NULL, NULL,
	 shown_args},
	{"half", "Half", NULL, &item_set, run_half, COMMAND_DEPRECATED},
	{NULL},
};
static const struct event_type events[] = {
	{"ADDED", "Added", &item_set, 0},
	{"PLAIN", "Plain", NULL, 0},
	{NULL},
};
static const struct command *const command_tables[] = {commands, NULL};
static const struct event_type *const event_tables[] = {events, NULL};
static const struct api_tables tables = {command_tables, event_tables};

/* ---- Running ---- */

static void check_run(const char *name, const char *args, const char *expected)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(json_object) in = args ? json_parse(args, NULL) : NULL;
	g_autoptr(json_object) out = command_run(command_find(name), in, &err);
	g_autofree char *text = out ? json_print(out, false)
				    : g_strconcat("!", err ? err->message : "(none)", NULL);

	g_assert_cmpstr(text, ==, expected);
}

static void test_run(void)
{
	check_run("add", "{'id':'x','backend':{'type':'socket','data':{'reconnect':3}}}", "{}");
	check_run("add", "{'id':'x','backend':{'type':'null'}}", "!cannot add 'x'");
	check_run("add", "{'id':'x','backend':{'type':'null','data':1}}",
		  "!Parameter 'backend.data' is unexpected");
	check_run("add", "{'id':'x','backend':{'type':'socket'}}",
		  "!Parameter 'backend.data' is missing");
	check_run("add", NULL, "!Parameter 'id' is missing");
	check_run("list", NULL,
		  "[{\"label\": \"a\", \"size\": 1}, {\"label\": \"b\", \"size\": 2}]");
	check_run("list", "{'a':1}", "!Parameter 'a' is unexpected");
	check_run("names", "{}", "[\"n\"]");
	check_run("one", NULL, "{\"label\": \"one\", \"size\": 7}");
	check_run("anything", "{'q':[1]}", "{\"q\": [1]}");
	check_run("anything", NULL, "{}");
	check_run("half", NULL, "!failed half-way");
	g_assert_null(command_find("nonsense"));
}

static void take_event(void *opaque, const struct event_type *type, json_object *json)
{
	json_object *stamp;

	g_assert_true(json_object_object_get_ex(json, "timestamp", &stamp));
	g_assert_cmpint(json_object_object_length(stamp), ==, 2);
	json_object_object_del(json, "timestamp");
	g_autofree char *text = json_print(json, false);

	g_string_append_printf(opaque, "%s;", text);
}

static void test_events(void)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct item item = {(char *)"l", 5};

	event_emit(&events[1], NULL); /* nobody listens */
	event_set_sink(take_event, out);
	event_emit(&events[0], &item);
	event_emit(&events[1], NULL);
	event_set_sink(NULL, NULL);
	g_assert_cmpstr(out->str, ==,
			"{\"event\": \"ADDED\", \"data\": {\"label\": \"l\", \"size\": 5}};"
			"{\"event\": \"PLAIN\"};");
}

/* ---- Paths: "command/arg-type/member/+case/^value/$feature", as libvirt asks ---- */

static json_object *by_name(json_object *list, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i), *value;

		if (json_object_object_get_ex(entry, "name", &value) &&
		    g_str_equal(json_object_get_string(value), name))
			return entry;
	}
	return NULL;
}

static const char *text_of(json_object *object, const char *name)
{
	json_object *value;

	return object && json_object_object_get_ex(object, name, &value)
		       ? json_object_get_string(value)
		       : NULL;
}

static bool list_has(json_object *object, const char *list_name, const char *text)
{
	json_object *list;

	if (!json_object_object_get_ex(object, list_name, &list))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (g_str_equal(json_object_get_string(json_object_array_get_idx(list, i)), text))
			return true;
	}
	return false;
}

/* The type that one step leads to, or NULL. */
static const char *step_to(json_object *entry, const char *step)
{
	json_object *list, *member;

	if (g_str_has_suffix(step, "-type"))
		return text_of(entry, step);
	if (step[0] == '+' && json_object_object_get_ex(entry, "variants", &list)) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			member = json_object_array_get_idx(list, i);
			if (g_str_equal(text_of(member, "case"), step + 1))
				return text_of(member, "type");
		}
	}
	if (!json_object_object_get_ex(entry, "members", &list))
		return NULL;
	member = by_name(list, step);
	return member ? text_of(member, "type") : NULL;
}

static bool has_path(json_object *schema, const char *path)
{
	g_auto(GStrv) steps = g_strsplit(path, "/", -1);
	json_object *entry = by_name(schema, steps[0]);

	for (char **step = steps + 1; entry && *step; step++) {
		if (**step == '^')
			return list_has(entry, "values", *step + 1);
		if (**step == '$')
			return list_has(entry, "features", *step + 1);
		const char *next = step_to(entry, *step);
		const char *element = text_of(next ? by_name(schema, next) : NULL, "element-type");

		next = element ?: next;
		entry = next ? by_name(schema, next) : NULL;
	}
	return entry;
}

static void test_paths(void)
{
	static const char *const there[] = {
		"add/$json-cli",
		"add/arg-type/id",
		"add/arg-type/backend/type/^null",
		"add/arg-type/backend/+null",
		"add/arg-type/backend/+socket/data/reconnect",
		"list/ret-type/size",
		"names/ret-type",
		"anything/arg-type/+socket",
		"anything/arg-type/type/^socket",
		"anything/ret-type",
		"ADDED/arg-type/label",
		"PLAIN/arg-type",
		"half/$deprecated",
	};
	static const char *const missing[] = {
		"nonsense",
		"add/$other",
		"add/arg-type/nope",
		"add/arg-type/backend/type/^file",
		"add/arg-type/backend/+file",
		"add/arg-type/backend/+null/data",
		"PLAIN/arg-type/label",
	};
	g_autoptr(json_object) schema = schema_build();

	for (size_t i = 0; i < G_N_ELEMENTS(there); i++)
		g_assert_true(has_path(schema, there[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(missing); i++)
		g_assert_false(has_path(schema, missing[i]));
	g_assert_true(json_object_get_boolean(
		json_object_object_get(by_name(schema, "names"), "allow-oob")));
	g_assert_cmpstr(text_of(by_name(schema, "names"), "ret-type"), ==, "[str]");
	g_assert_cmpstr(text_of(by_name(schema, "int"), "json-type"), ==, "int");
	g_assert_cmpstr(text_of(by_name(schema, "any"), "json-type"), ==, "value");
}

/* Every type that is mentioned is described, once. */
static void test_closed(void)
{
	static const char *const refs[] = {"arg-type", "ret-type", "element-type", "type", NULL};
	static const char *const lists[] = {"members", "variants", NULL};
	g_autoptr(json_object) schema = schema_build();
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < json_object_array_length(schema); i++)
		g_assert_true(g_hash_table_add(
			names, (void *)text_of(json_object_array_get_idx(schema, i), "name")));
	for (size_t i = 0; i < json_object_array_length(schema); i++) {
		json_object *entry = json_object_array_get_idx(schema, i), *list;

		for (const char *const *ref = refs; *ref; ref++) {
			const char *name = text_of(entry, *ref);

			g_assert_true(!name || g_hash_table_contains(names, name));
		}
		for (const char *const *l = lists; *l; l++) {
			if (!json_object_object_get_ex(entry, *l, &list))
				continue;
			for (size_t j = 0; j < json_object_array_length(list); j++) {
				const char *name =
					text_of(json_object_array_get_idx(list, j), "type");

				g_assert_true(!name || g_hash_table_contains(names, name));
			}
		}
	}
}

static void test_deterministic(void)
{
	g_autoptr(json_object) a = schema_build(), b = schema_build();
	g_autofree char *at = json_print(a, false), *bt = json_print(b, false);

	g_assert_cmpstr(at, ==, bt);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	api_set_tables(&tables);
	g_test_add_func("/command/run", test_run);
	g_test_add_func("/command/events", test_events);
	g_test_add_func("/schema/paths", test_paths);
	g_test_add_func("/schema/closed", test_closed);
	g_test_add_func("/schema/deterministic", test_deterministic);
	return g_test_run();
}
