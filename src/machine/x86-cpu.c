/*
 * CPUs as devices: one type for each model, with a read-only property for each feature.
 *
 * The types are data that follows from the tables of src/cpu, so they are made from them once, when
 * somebody first asks.
 */
#include "machine/cpu-plug.h"
#include "machine/machine.h"

static void feature_get(void *object, const struct field *field)
{
	struct vcpu *cpu = object;

	cpu->shown_feature = (cpu->acc.features.words[field->def / 64] >> (field->def % 64)) & 1;
}

static void append_feature(const char *name, enum feature_word word, unsigned bit, void *opaque)
{
	struct field row = {
		.name = name,
		.help = "CPU feature",
		.kind = FIELD_BOOL,
		.flags = FIELD_OPTIONAL | FIELD_READONLY,
		.width = 1,
		.offset = offsetof(struct vcpu, shown_feature),
		.def = word * 64 + bit,
		.get = feature_get,
	};

	g_array_append_val((GArray *)opaque, row);
}

static const struct field feature_elem = {
	.name = "feature",
	.help = "Name of a feature",
	.kind = FIELD_STRING,
	.width = sizeof(char *),
};

static void missing_get(void *object, const struct field *field)
{
	struct vcpu *cpu = object;
	g_autoptr(GPtrArray) names = cpu_feature_names(cpu->acc.features.unavailable);

	field_clear(field, object);
	cpu->shown_missing = g_array_new(false, true, sizeof(char *));
	for (guint i = 0; i < names->len; i++) {
		char *name = g_strdup(names->pdata[i]);

		g_array_append_val(cpu->shown_missing, name);
	}
}

/* What of -cpu is no feature. */
static void append_config(GArray *rows)
{
	FIELDS_FOREACH (row, cpu_config_rows) {
		struct field copy = *row;

		copy.offset += offsetof(struct vcpu, config);
		copy.flags |= FIELD_READONLY;
		g_array_append_val(rows, copy);
	}
}

static const struct field fixed_rows[] = {
	{FIELD_AT(struct vcpu, shown_missing, "unavailable-features", FIELD_LIST,
		  FIELD_IS_LIST(struct vcpu, shown_missing),
		  "Features asked for that cannot be had"),
	 .flags = FIELD_OPTIONAL, .elem = &feature_elem, .get = missing_get},
	FIELD_ROW_END,
};

/* Where it is: for who plugs it in to say. */
static const struct field place_rows[] = {
	PROP_UINT(struct vcpu, apic_id, "apic-id", UINT32_MAX, UINT32_MAX, "Local APIC ID"),
	PROP_INT(struct vcpu, socket_id, "socket-id", -1, INT32_MIN, INT32_MAX,
		 "Socket it sits in"),
	PROP_INT(struct vcpu, die_id, "die-id", -1, INT32_MIN, INT32_MAX, "Die in the socket"),
	PROP_INT(struct vcpu, core_id, "core-id", -1, INT32_MIN, INT32_MAX, "Core in the die"),
	PROP_INT(struct vcpu, thread_id, "thread-id", -1, INT32_MIN, INT32_MAX,
		 "Thread in the core"),
	PROP_INT(struct vcpu, node_id, "node-id", -1, INT32_MIN, INT32_MAX, "NUMA node"),
	FIELD_ROW_END,
};

static const struct field *property_rows(void)
{
	GArray *rows = g_array_new(true, true, sizeof(struct field));

	FIELDS_FOREACH (row, fixed_rows) {
		struct field copy = *row;

		copy.flags |= FIELD_READONLY;
		g_array_append_val(rows, copy);
	}
	FIELDS_FOREACH (row, place_rows)
		g_array_append_val(rows, *row);
	append_config(rows);
	cpu_feature_foreach(append_feature, rows);
	cpu_feature_foreach_alias(append_feature, rows);
	return (const struct field *)g_array_free(rows, false);
}

static const struct field_set x86_state_set = {
	"x86_state",
	sizeof(struct x86_state),
	x86_state_rows,
};

static const struct field vcpu_state[] = {
	SAVE_STRUCT(struct vcpu, acc.state, &x86_state_set),
	SAVE_BOOL(struct vcpu, halted),
	FIELD_ROW_END,
};

static void vcpu_pre_save(struct device *dev)
{
	struct vcpu *cpu = container_of(dev, struct vcpu, dev);
	g_autoptr(GError) err = NULL;

	if (!vcpu_sync_state(cpu, &err))
		warn_report("CPU %u: %s", cpu->index, err->message);
}

static bool vcpu_post_load(struct device *dev, GError **errp)
{
	struct vcpu *cpu = container_of(dev, struct vcpu, dev);

	if (cpu->acc.state.msr_count > X86_MSRS_MAX) {
		error_set(errp, "CPU %u: %u MSRs are more than %d", cpu->index,
			  cpu->acc.state.msr_count, X86_MSRS_MAX);
		return false;
	}
	cpu->acc.state_here = cpu->acc.state_full = true;
	return true;
}

static void vcpu_reset(struct device *dev)
{
	struct vcpu *cpu = container_of(dev, struct vcpu, dev);

	x86_state_reset(&cpu->acc.state, cpu->index == 0, cpu_signature(&cpu->acc.features));
	if (!(cpu->acc.features.words[FEAT_1_EDX] & BIT(9)))
		cpu->acc.state.apic_base &= ~APIC_BASE_ENABLE;
	cpu->acc.state_here = cpu->acc.state_full = true;
	cpu->halted = false;
}

static const struct device_type x86_cpu_type = {
	.name = "x86_64-cpu",
	.help = "x86 CPU",
	.category = CATEGORY_CPU,
	.size = sizeof(struct vcpu),
	.flags = TYPE_ABSTRACT,
	.state = vcpu_state,
	.pre_save = vcpu_pre_save,
	.post_load = vcpu_post_load,
	.realize = vcpu_realize,
	.plugged = vcpu_plugged,
	.unrealize = vcpu_unrealize,
	.unplug_request = vcpu_unplug_request,
	.reset = vcpu_reset,
};

static const struct device_type *make_type(const struct cpu_model *model, const struct field *props)
{
	struct device_type *type = g_new0(struct device_type, 1);

	type->name = g_strdup_printf("%s-x86_64-cpu", cpu_model_name(model));
	type->help = cpu_model_description(model);
	if (!type->help || !*type->help)
		type->help = "x86 CPU";
	type->base = &x86_cpu_type;
	type->category = CATEGORY_CPU;
	type->size = sizeof(struct vcpu);
	type->flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE;
	type->props = props;
	type->class_data = model;
	return type;
}

const struct device_type *const *x86_cpu_types(void)
{
	static const struct device_type **types;
	const struct cpu_model *model = NULL;
	const struct field *props;
	GPtrArray *list;

	if (types)
		return types;
	list = g_ptr_array_new();
	props = property_rows();
	while ((model = cpu_model_next(model)))
		g_ptr_array_add(list, (void *)make_type(model, props));
	g_ptr_array_add(list, (void *)&x86_cpu_type);
	g_ptr_array_add(list, NULL);
	types = (const struct device_type **)g_ptr_array_free(list, false);
	return types;
}

const struct device_type *x86_cpu_type_of(const struct cpu_model *model)
{
	for (const struct device_type *const *t = x86_cpu_types(); *t; t++) {
		if ((*t)->class_data == model)
			return *t;
	}
	g_assert_not_reached();
}
