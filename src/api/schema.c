/*
 * query-qmp-schema: the tables in the shape of QEMU's SchemaInfo.
 *
 * Clients look for commands and events by name and follow references to types, whose own names mean
 * nothing: they are numbers here, given in the order of first mention, so that the same program
 * always gives the same answer. "0" is the empty object. A type is known by the address of its
 * table, lists by the name of their element: "[3]", "[str]".
 */
#include "api/command.h"

enum schema_kind { SCHEMA_OBJECT, SCHEMA_ENUM, SCHEMA_ALTERNATE, SCHEMA_LIST, SCHEMA_BUILTIN };

struct schema_type {
	enum schema_kind kind;
	const void *table; /* struct field_set, enum_name[] or field[]; lists: none */
	char *name;
	char *detail; /* lists: name of the element; builtins: JSON type */
};

struct schema {
	json_object *out;
	GPtrArray *types;   /* struct schema_type *, in order of mention */
	GHashTable *by_key; /* table or name -> struct schema_type * */
	unsigned next;      /* number */
};

static const struct field no_rows[] = {{.kind = FIELD_END}};
static const struct field_set empty_object = {"q_empty", 0, no_rows};

static void schema_type_free(void *p)
{
	struct schema_type *type = p;

	g_free(type->name);
	g_free(type->detail);
	g_free(type);
}

/* Takes over @name and @detail. */
static const char *schema_add(struct schema *schema, enum schema_kind kind, const void *table,
			      char *name, char *detail)
{
	struct schema_type *type = g_new0(struct schema_type, 1);

	*type = (struct schema_type){kind, table, name, detail};
	g_ptr_array_add(schema->types, type);
	g_hash_table_insert(schema->by_key, (void *)(table ?: g_intern_string(name)), type);
	return name;
}

/* Name of the type that @table describes. */
static const char *schema_table(struct schema *schema, enum schema_kind kind, const void *table)
{
	struct schema_type *type = g_hash_table_lookup(schema->by_key, table);

	if (type)
		return type->name;
	return schema_add(schema, kind, table, g_strdup_printf("%u", schema->next++), NULL);
}

static const char *schema_named(struct schema *schema, enum schema_kind kind, char *name,
				const char *detail)
{
	struct schema_type *type = g_hash_table_lookup(schema->by_key, g_intern_string(name));

	if (!type)
		return schema_add(schema, kind, NULL, name, g_strdup(detail));
	g_free(name);
	return type->name;
}

static const char *schema_builtin(struct schema *schema, const char *name, const char *json_type)
{
	return schema_named(schema, SCHEMA_BUILTIN, g_strdup(name), json_type);
}

static const char *schema_list_of(struct schema *schema, const char *element)
{
	return schema_named(schema, SCHEMA_LIST, g_strdup_printf("[%s]", element), element);
}

static const char *schema_of_field(struct schema *schema, const struct field *field)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return schema_builtin(schema, "bool", "boolean");
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_SIZE:
		return schema_builtin(schema, "int", "int");
	case FIELD_NUMBER:
		return schema_builtin(schema, "number", "number");
	case FIELD_STRING:
	case FIELD_LINK:
	case FIELD_CUSTOM:
		return schema_builtin(schema, "str", "string");
	case FIELD_ENUM:
		return schema_table(schema, SCHEMA_ENUM, field->names);
	case FIELD_STRUCT:
		return schema_table(schema, SCHEMA_OBJECT, field->sub);
	case FIELD_LIST:
		return schema_list_of(schema, schema_of_field(schema, field->elem));
	case FIELD_ALTERNATE:
		return schema_table(schema, SCHEMA_ALTERNATE, field->alternatives);
	case FIELD_NULL:
		return schema_builtin(schema, "null", "null");
	default:
		return schema_builtin(schema, "any", "value");
	}
}

/* ---- Types as JSON ---- */

static void add_text(json_object *json, const char *name, const char *text)
{
	json_add(json, name, json_object_new_string(text));
}

static json_object *member_json(struct schema *schema, const struct field *row)
{
	json_object *json = json_object_new_object();

	add_text(json, "name", row->name);
	if (row->flags & (FIELD_OPTIONAL | FIELD_HAS_DEFAULT))
		json_add(json, "default", NULL);
	add_text(json, "type", schema_of_field(schema, row));
	return json;
}

static const struct field_set *branch_of(const struct field *field, int tag)
{
	for (const struct field_branch *b = field->branches; b->rows; b++) {
		if (b->tag == tag)
			return b->rows;
	}
	return &empty_object;
}

/* A variant for each value of the tag, those without members included. */
static json_object *variants_json(struct schema *schema, const struct field_set *set,
				  const struct field *field)
{
	const struct field *tag = fields_find(set->rows, field->tag);
	json_object *variants = json_object_new_array();

	for (const struct enum_name *n = tag->names; n->name; n++) {
		json_object *variant = json_object_new_object();

		add_text(variant, "case", n->name);
		add_text(variant, "type",
			 schema_table(schema, SCHEMA_OBJECT, branch_of(field, n->value)));
		json_append(variants, variant);
	}
	return variants;
}

static void object_json(struct schema *schema, const struct field_set *set, json_object *json)
{
	json_object *members = json_object_new_array();

	FIELDS_FOREACH (row, set->rows) {
		if (row->kind == FIELD_UNION) {
			add_text(json, "tag", row->tag);
			json_add(json, "variants", variants_json(schema, set, row));
		} else {
			json_append(members, member_json(schema, row));
		}
	}
	json_add(json, "members", members);
}

static void enum_json(const struct enum_name *names, json_object *json)
{
	json_object *members = json_object_new_array(), *values = json_object_new_array();

	for (; names->name; names++) {
		json_object *member = json_object_new_object();

		add_text(member, "name", names->name);
		json_append(members, member);
		json_append(values, json_object_new_string(names->name));
	}
	json_add(json, "members", members);
	json_add(json, "values", values);
}

static void alternate_json(struct schema *schema, const struct field *rows, json_object *json)
{
	json_object *members = json_object_new_array();

	FIELDS_FOREACH (row, rows) {
		json_object *member = json_object_new_object();

		add_text(member, "type", schema_of_field(schema, row));
		json_append(members, member);
	}
	json_add(json, "members", members);
}

static json_object *type_json(struct schema *schema, const struct schema_type *type)
{
	static const char *const meta_types[] = {
		[SCHEMA_OBJECT] = "object",       [SCHEMA_ENUM] = "enum",
		[SCHEMA_ALTERNATE] = "alternate", [SCHEMA_LIST] = "array",
		[SCHEMA_BUILTIN] = "builtin",
	};
	json_object *json = json_object_new_object();

	add_text(json, "name", type->name);
	switch (type->kind) {
	case SCHEMA_OBJECT:
		object_json(schema, type->table, json);
		break;
	case SCHEMA_ENUM:
		enum_json(type->table, json);
		break;
	case SCHEMA_ALTERNATE:
		alternate_json(schema, type->table, json);
		break;
	case SCHEMA_LIST:
		add_text(json, "element-type", type->detail);
		break;
	case SCHEMA_BUILTIN:
		add_text(json, "json-type", type->detail);
	}
	add_text(json, "meta-type", meta_types[type->kind]);
	return json;
}

/* ---- Commands and events ---- */

static const char *result_type(struct schema *schema, const struct command *cmd)
{
	const char *name;

	if (cmd->flags & COMMAND_RESULT_ANY && !cmd->result && !cmd->result_elem)
		return schema_builtin(schema, "any", "value");
	name = cmd->result_elem ? schema_of_field(schema, cmd->result_elem)
				: schema_table(schema, SCHEMA_OBJECT, cmd->result ?: &empty_object);
	return cmd->flags & COMMAND_RESULT_LIST ? schema_list_of(schema, name) : name;
}

static void add_features(json_object *json, const struct command *cmd)
{
	g_autoptr(json_object) features = json_object_new_array();

	for (const char *const *name = cmd->features; name && *name; name++)
		json_append(features, json_object_new_string(*name));
	if (cmd->flags & COMMAND_DEPRECATED)
		json_append(features, json_object_new_string("deprecated"));
	if (json_object_array_length(features))
		json_add(json, "features", g_steal_pointer(&features));
}

static void add_command(const struct command *cmd, void *opaque)
{
	const struct field_set *args = cmd->args_shown ? cmd->args_shown() : cmd->args;
	struct schema *schema = opaque;
	json_object *json = json_object_new_object();

	add_text(json, "name", cmd->name);
	add_text(json, "ret-type", result_type(schema, cmd));
	if (cmd->flags & COMMAND_OOB)
		json_add(json, "allow-oob", json_object_new_boolean(true));
	add_text(json, "meta-type", "command");
	add_text(json, "arg-type", schema_table(schema, SCHEMA_OBJECT, args ?: &empty_object));
	add_features(json, cmd);
	json_append(schema->out, json);
}

static void add_event(const struct event_type *type, void *opaque)
{
	struct schema *schema = opaque;
	json_object *json = json_object_new_object();

	add_text(json, "name", type->name);
	add_text(json, "meta-type", "event");
	add_text(json, "arg-type",
		 schema_table(schema, SCHEMA_OBJECT, type->data ?: &empty_object));
	json_append(schema->out, json);
}

json_object *schema_build(void)
{
	struct schema schema = {
		.out = json_object_new_array(),
		.types = g_ptr_array_new_with_free_func(schema_type_free),
		.by_key = g_hash_table_new(NULL, NULL),
	};

	schema_table(&schema, SCHEMA_OBJECT, &empty_object);
	command_foreach(add_command, &schema);
	event_foreach(add_event, &schema);
	/* Describing a type may mention further ones, which are appended. */
	for (unsigned i = 0; i < schema.types->len; i++)
		json_append(schema.out, type_json(&schema, g_ptr_array_index(schema.types, i)));
	g_hash_table_unref(schema.by_key);
	g_ptr_array_unref(schema.types);
	return schema.out;
}
