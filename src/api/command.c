#include "api/command.h"

static const struct api_tables *api_tables;

void api_set_tables(const struct api_tables *tables)
{
	api_tables = tables;
}

void command_foreach(void (*fn)(const struct command *cmd, void *opaque), void *opaque)
{
	for (size_t t = 0; api_tables && api_tables->commands[t]; t++) {
		for (const struct command *cmd = api_tables->commands[t]; cmd->name; cmd++)
			fn(cmd, opaque);
	}
}

void event_foreach(void (*fn)(const struct event_type *type, void *opaque), void *opaque)
{
	for (size_t t = 0; api_tables && api_tables->events[t]; t++) {
		for (const struct event_type *type = api_tables->events[t]; type->name; type++)
			fn(type, opaque);
	}
}

struct search {
	const char *name;
	const struct command *found;
};

static void search_one(const struct command *cmd, void *opaque)
{
	struct search *search = opaque;

	if (g_str_equal(cmd->name, search->name))
		search->found = cmd;
}

const struct command *command_find(const char *name)
{
	struct search search = {.name = name};

	command_foreach(search_one, &search);
	return search.found;
}

/* ---- Running ---- */

/* For a command without arguments. */
static const struct field no_rows[] = {{.kind = FIELD_END}};
static const struct field_set no_args = {"q_empty", 0, no_rows};

/* Room for the result, as the row's flags say. */
static void *result_new(const struct command *cmd)
{
	bool pointer = cmd->flags & (COMMAND_RESULT_LIST | COMMAND_RESULT_ANY);

	return g_malloc0(MAX(sizeof(void *), !pointer && cmd->result ? cmd->result->size : 0));
}

/* The row of a result list, made up for a list of structures. */
static struct field list_row(const struct command *cmd, struct field *elem)
{
	*elem = (struct field){.name = "return", .kind = FIELD_STRUCT, .sub = cmd->result};
	elem->width = cmd->result ? cmd->result->size : 0;
	return (struct field){
		.name = "return",
		.kind = FIELD_LIST,
		.width = sizeof(GArray *),
		.elem = cmd->result_elem ?: elem,
	};
}

static json_object *result_encode(const struct command *cmd, void *result)
{
	struct field elem, list;

	if (cmd->flags & COMMAND_RESULT_ANY)
		return g_steal_pointer((json_object **)result) ?: json_object_new_object();
	if (!(cmd->flags & COMMAND_RESULT_LIST))
		return cmd->result ? codec_encode(cmd->result, result) : json_object_new_object();
	list = list_row(cmd, &elem);
	return codec_encode_field(&list, result);
}

static void result_free(const struct command *cmd, void *result)
{
	struct field elem, list;

	if (cmd->flags & COMMAND_RESULT_ANY) {
		json_object_put(*(json_object **)result);
	} else if (cmd->flags & COMMAND_RESULT_LIST) {
		list = list_row(cmd, &elem);
		field_clear(&list, result);
	} else if (cmd->result) {
		fields_clear(cmd->result->rows, result);
	}
	g_free(result);
}

static json_object *command_call(const struct command *cmd, void *args, GError **errp)
{
	void *result = result_new(cmd);
	json_object *json = NULL;

	if (cmd->run(args, result, errp))
		json = result_encode(cmd, result);
	result_free(cmd, result);
	return json;
}

json_object *command_run(const struct command *cmd, json_object *args, GError **errp)
{
	const struct field_set *set = cmd->args ?: &no_args;
	g_autoptr(json_object) empty = json_object_new_object();

	if (cmd->flags & COMMAND_ARGS_ANY)
		return command_call(cmd, args ?: empty, errp);

	g_autofree void *object = g_malloc0(MAX(set->size, 1));

	if (!codec_decode(set, args ?: empty, object, false, errp))
		return NULL;
	json_object *result = command_call(cmd, object, errp);

	fields_clear(set->rows, object);
	return result;
}
