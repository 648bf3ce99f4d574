/* QMP commands about CPU models: which there are, and what they come to on this host. */
#include "accel/accel.h"
#include "internal.h"
#include "machine/machine.h"

static const struct cpu_capabilities *capabilities(GError **errp)
{
	struct machine *m = machine_current();

	if (m && m->accel)
		return machine_cpu_capabilities(m);
	error_set(errp, "The machine has no accelerator yet");
	return NULL;
}

/* ---- The list ---- */

static const struct field feature_elem = {
	.name = "feature",
	.help = "Name of a feature",
	.kind = FIELD_STRING,
	.width = sizeof(char *),
};

struct definition {
	char *name, *typename, *alias_of;
	bool has_migration_safe, migration_safe, is_static, deprecated;
	GArray *unavailable;
};
static const struct field definition_rows[] = {
	ARG_STRING(struct definition, name, "name", "Name of the model"),
	OPT_BOOL(struct definition, migration_safe, "migration-safe",
		 "Whether it is the same on every host that has it"),
	ARG_BOOL(struct definition, is_static, "static", "Whether it never changes"),
	OPT_LIST(struct definition, unavailable, "unavailable-features", &feature_elem,
		 "What keeps it from running here"),
	ARG_STRING(struct definition, typename, "typename", "Name of its type"),
	OPT_STRING(struct definition, alias_of, "alias-of", "The model it stands for"),
	ARG_BOOL(struct definition, deprecated, "deprecated", "Goes away some day"),
	FIELD_ROW_END,
};
static const struct field_set definition_set = {"CpuDefinitionInfo", sizeof(struct definition),
						definition_rows};

static void append_name(GArray *list, const char *name)
{
	char *copy = g_strdup(name);

	g_array_append_val(list, copy);
}

static GArray *unavailable_features(const struct cpu_model *model,
				    const struct cpu_capabilities *caps)
{
	GArray *list = g_array_new(false, true, sizeof(char *));
	g_autoptr(GPtrArray) names = NULL;
	struct cpu_config cfg;
	struct cpu_features feat;

	if (cpu_model_needs_host(model) && !caps->is_kvm) {
		append_name(list, "kvm");
		return list;
	}
	if (!cpu_config_from_json(cpu_model_name(model), NULL, &cfg, NULL))
		return list;
	cfg.check = false;
	if (cpu_resolve(&cfg, caps, &feat, NULL)) {
		names = cpu_feature_names(feat.unavailable);
		for (guint i = 0; i < names->len; i++)
			append_name(list, names->pdata[i]);
	}
	cpu_config_clear(&cfg);
	return list;
}

static bool qmp_query_definitions(void *args, void *result, GError **errp)
{
	const struct cpu_capabilities *caps = capabilities(errp);
	GArray *list;

	if (!caps)
		return false;
	list = g_array_new(false, true, sizeof(struct definition));
	for (const struct cpu_model *model = NULL; (model = cpu_model_next(model));) {
		struct definition def = {
			.name = g_strdup(cpu_model_name(model)),
			.typename = g_strdup(x86_cpu_type_of(model)->name),
			.alias_of = g_strdup(cpu_model_alias_of(model)),
			.has_migration_safe = true,
			.migration_safe = !cpu_model_from_host(model),
			.is_static = cpu_model_is_empty(model),
			.unavailable = unavailable_features(model, caps),
		};

		g_array_append_val(list, def);
	}
	*(GArray **)result = list;
	return true;
}

/* ---- What a model comes to ---- */

struct model_info {
	char *name;
	json_object *props;
};
static const struct field model_info_rows[] = {
	ARG_STRING(struct model_info, name, "name", "Name of the model"),
	OPT_ANY(struct model_info, props, "props", "Properties that differ from the model's"),
	FIELD_ROW_END,
};
static const struct field_set model_info_set = {"CpuModelInfo", sizeof(struct model_info),
						model_info_rows};

enum expansion_type { EXPAND_STATIC, EXPAND_FULL };
static const struct enum_name expansion_names[] = {
	{"static", EXPAND_STATIC, "A model that never changes, with properties"},
	{"full", EXPAND_FULL, "The same model with all its properties"},
	{NULL, 0, NULL},
};
struct expansion_args {
	int type;
	struct model_info model;
};
static const struct field expansion_args_rows[] = {
	ARG_ENUM(struct expansion_args, type, "type", expansion_names, "How far to expand it"),
	ARG_STRUCT(struct expansion_args, model, "model", &model_info_set, "The model"),
	FIELD_ROW_END,
};
static const struct field_set expansion_args_set = {
	"query-cpu-model-expansion-arg", sizeof(struct expansion_args), expansion_args_rows};

struct expansion_info {
	struct model_info model;
};
static const struct field expansion_rows[] = {
	ARG_STRUCT(struct expansion_info, model, "model", &model_info_set, "The expanded model"),
	FIELD_ROW_END,
};
static const struct field_set expansion_set = {"CpuModelExpansionInfo",
					       sizeof(struct expansion_info), expansion_rows};

static bool qmp_query_expansion(void *args, void *result, GError **errp)
{
	const struct expansion_args *arg = args;
	const struct cpu_capabilities *caps = capabilities(errp);
	struct model_info *out = &((struct expansion_info *)result)->model;
	bool full = arg->type == EXPAND_FULL, ok;
	struct cpu_config cfg;
	struct cpu_features feat;

	if (!caps)
		return false;
	if (arg->model.props && json_object_get_type(arg->model.props) != json_type_object) {
		error_set(errp, "Invalid parameter type for 'model.props', expected: dict");
		return false;
	}
	if (!cpu_config_from_json(arg->model.name, arg->model.props, &cfg, errp))
		return false;
	ok = cpu_expand(&cfg, caps, &feat, errp);
	if (ok) {
		out->name = g_strdup(full ? arg->model.name : "base");
		out->props = cpu_expansion(&cfg, &feat, full);
	}
	cpu_config_clear(&cfg);
	return ok;
}

const struct command cpu_commands[] = {
	{"query-cpu-definitions", "CPU models", NULL, &definition_set, qmp_query_definitions,
	 COMMAND_RESULT_LIST},
	{"query-cpu-model-expansion", "What a CPU model comes to with this accelerator",
	 &expansion_args_set, &expansion_set, qmp_query_expansion},
	{NULL},
};
