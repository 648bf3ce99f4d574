/* QMP commands about the interface itself: versions, commands, schema, options. */
#include "internal.h"

struct version_triple {
	int64_t major, minor, micro;
};
static const struct field version_triple_rows[] = {
	ARG_INT(struct version_triple, micro, "micro", "Third number"),
	ARG_INT(struct version_triple, minor, "minor", "Second number"),
	ARG_INT(struct version_triple, major, "major", "First number"),
	FIELD_ROW_END,
};
static const struct field_set version_triple_set = {"VersionTriple", sizeof(struct version_triple),
						    version_triple_rows};
struct version_info {
	struct version_triple qemu;
	char *package;
};
static const struct field version_info_rows[] = {
	ARG_STRUCT(struct version_info, qemu, "qemu", &version_triple_set,
		   "The version of QEMU whose interface this is"),
	ARG_STRING(struct version_info, package, "package", "Name of the program"),
	FIELD_ROW_END,
};
static const struct field_set version_info_set = {"VersionInfo", sizeof(struct version_info),
						  version_info_rows};

static bool qmp_query_version(void *args, void *result, GError **errp)
{
	struct version_info *info = result;

	info->qemu = (struct version_triple){MONITOR_MAJOR, MONITOR_MINOR, MONITOR_MICRO};
	info->package = g_strdup(MONITOR_PACKAGE);
	return true;
}

struct name_info {
	char *name;
};
static const struct field name_info_rows[] = {
	ARG_STRING(struct name_info, name, "name", "The name"),
	FIELD_ROW_END,
};
static const struct field_set command_info_set = {"CommandInfo", sizeof(struct name_info),
						  name_info_rows};

static void add_command(const struct command *cmd, void *opaque)
{
	struct name_info info = {g_strdup(cmd->name)};

	g_array_append_val(opaque, info);
}

static bool qmp_query_commands(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct name_info));

	command_foreach(add_command, list);
	*(GArray **)result = list;
	return true;
}

static bool qmp_query_schema(void *args, void *result, GError **errp)
{
	*(json_object **)result = schema_build();
	return true;
}

struct option_args {
	char *option;
};
static const struct field option_args_rows[] = {
	OPT_STRING(struct option_args, option, "option", "Name of the option; all if left out"),
	FIELD_ROW_END,
};
static const struct field_set option_args_set = {"query-command-line-options-arg",
						 sizeof(struct option_args), option_args_rows};

enum parameter_type { PARAMETER_STRING, PARAMETER_BOOLEAN, PARAMETER_NUMBER, PARAMETER_SIZE };
static const struct enum_name parameter_type_names[] = {
	{"string", PARAMETER_STRING, NULL},
	{"boolean", PARAMETER_BOOLEAN, NULL},
	{"number", PARAMETER_NUMBER, NULL},
	{"size", PARAMETER_SIZE, NULL},
	{NULL, 0, NULL},
};
struct parameter_info {
	char *name, *help, *def;
	int type;
};
static const struct field parameter_rows[] = {
	ARG_STRING(struct parameter_info, name, "name", "Name of the parameter"),
	OPT_STRING(struct parameter_info, help, "help", "What it means"),
	OPT_STRING(struct parameter_info, def, "default", "Its value when left out"),
	ARG_ENUM(struct parameter_info, type, "type", parameter_type_names, "Its type"),
	FIELD_ROW_END,
};
static const struct field_set parameter_set = {"CommandLineParameterInfo",
					       sizeof(struct parameter_info), parameter_rows};
static const struct field parameter_elem = {
	.name = "parameter",
	.help = "A parameter",
	.kind = FIELD_STRUCT,
	.width = sizeof(struct parameter_info),
	.sub = &parameter_set,
};
struct option_info {
	char *option;
	GArray *parameters;
};
static const struct field option_info_rows[] = {
	ARG_LIST(struct option_info, parameters, "parameters", &parameter_elem, "Its parameters"),
	ARG_STRING(struct option_info, option, "option", "Name of the option"),
	FIELD_ROW_END,
};
static const struct field_set option_info_set = {"CommandLineOptionInfo",
						 sizeof(struct option_info), option_info_rows};

/* The command line is above us: it says what it knows. */
static monitor_options_fn *describe_options;

void monitor_set_options(monitor_options_fn *describe)
{
	describe_options = describe;
}

static bool qmp_query_options(void *args, void *result, GError **errp)
{
	const char *option = ((struct option_args *)args)->option;

	*(json_object **)result =
		describe_options ? describe_options(option, errp) : json_object_new_array();
	return *(json_object **)result;
}

struct target_info {
	char *arch;
};
static const struct field target_info_rows[] = {
	ARG_STRING(struct target_info, arch, "arch", "Architecture of the guest"),
	FIELD_ROW_END,
};
static const struct field_set target_info_set = {"TargetInfo", sizeof(struct target_info),
						 target_info_rows};

static bool qmp_query_target(void *args, void *result, GError **errp)
{
	((struct target_info *)result)->arch = g_strdup("x86_64");
	return true;
}

const struct command meta_commands[] = {
	{"query-version", "Version of the interface and name of the program", NULL,
	 &version_info_set, qmp_query_version, COMMAND_PRECONFIG},
	{"query-commands", "Names of all commands", NULL, &command_info_set, qmp_query_commands,
	 COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"query-qmp-schema", "Commands and events with the types of all they carry", NULL, NULL,
	 qmp_query_schema, COMMAND_RESULT_ANY | COMMAND_PRECONFIG},
	{"query-command-line-options", "Options of the command line with their parameters",
	 &option_args_set, &option_info_set, qmp_query_options,
	 COMMAND_RESULT_ANY | COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"query-target", "Architecture of the guest", NULL, &target_info_set, qmp_query_target},
	{NULL},
};
