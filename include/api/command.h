/*
 * Commands and events of the QMP interface, as rows; and the schema derived from them.
 *
 * A command is a C function that takes its arguments as a structure and fills its result as another;
 * the codec stands on both sides. Tables of commands are listed in src/monitor; the dispatcher, HMP,
 * `query-commands`, `query-qmp-schema` and the reference documentation use the same rows.
 *
 *	static bool qmp_query_name(void *args, void *result, GError **errp);
 *	const struct command name_commands[] = {
 *		{ "query-name", "Name of the guest", NULL, &name_info_set, qmp_query_name },
 *		...
 *		{ NULL }
 *	};
 */
#ifndef API_COMMAND_H
#define API_COMMAND_H

#include "api/codec.h"

/*
 * RESULT_LIST: the result is a list, @result of run() a GArray ** of `result` sets, or of `result_elem`.
 * RESULT_ANY: the result is any JSON, @result a json_object **.
 * ARGS_ANY: arbitrary members are taken (device_add), @args a borrowed json_object * of type object;
 * the row's `args` only shows in the schema.
 */
enum command_flags {
	COMMAND_OOB = BIT(0),       /* may run out of band */
	COMMAND_PRECONFIG = BIT(1), /* allowed before the machine exists */
	COMMAND_RESULT_LIST = BIT(2),
	COMMAND_RESULT_ANY = BIT(3),
	COMMAND_ARGS_ANY = BIT(4),
	COMMAND_COROUTINE = BIT(5), /* runs in a coroutine, may yield */
	COMMAND_DEPRECATED = BIT(6),
};

struct command {
	const char *name;
	const char *help;
	const struct field_set *args;   /* NULL: none */
	const struct field_set *result; /* NULL: empty object */
	bool (*run)(void *args, void *result, GError **errp);
	unsigned flags;
	const struct field *result_elem; /* COMMAND_RESULT_LIST of something that is no structure */
	const char *const *features;     /* names shown in the schema, NULL-terminated */

	/* COMMAND_ARGS_ANY, where rows of other tables decide (object-add): what the schema shows in
	 * place of @args. The set is built once and stays. */
	const struct field_set *(*args_shown)(void);
};

struct event_type {
	const char *name;
	const char *help;
	const struct field_set *data; /* NULL: none */
	unsigned rate_limit_ms;       /* at most one per this time; 0: no limit */
};

/* Explicit arrays of tables; NULL-terminated. Set once at start-up by main (src/monitor/tables.c). */
struct api_tables {
	const struct command *const *commands;
	const struct event_type *const *events;
};
void api_set_tables(const struct api_tables *tables);
const struct command *command_find(const char *name);
void command_foreach(void (*fn)(const struct command *cmd, void *opaque), void *opaque);
void event_foreach(void (*fn)(const struct event_type *type, void *opaque), void *opaque);

/*
 * Runs @cmd with JSON arguments (NULL: none); decodes, calls, encodes. Returns the result (caller
 * owns; {} if the command has none), or NULL with an error. Machine lock held.
 */
json_object *command_run(const struct command *cmd, json_object *args, GError **errp);

/* Sends an event to every monitor. @data as the row's set describes it; NULL if it has none. */
void event_emit(const struct event_type *type, const void *data);
/* Where events go; there is one sink (the monitor), set at start-up. @json: {"event":..,"data":..,"timestamp":..} */
typedef void event_sink_fn(void *opaque, const struct event_type *type, json_object *json);
void event_set_sink(event_sink_fn *sink, void *opaque);

/* The answer of query-qmp-schema: SchemaInfoList (caller owns). */
json_object *schema_build(void);

#endif
