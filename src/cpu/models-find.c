/*
 * Finding and listing CPU models.
 */
#include "internal.h"

const struct cpu_model *cpu_model_next(const struct cpu_model *model)
{
	model = model ? model + 1 : cpu_models;
	return model->name ? model : NULL;
}

const struct cpu_model *cpu_model_find(const char *name)
{
	const struct cpu_model *model = NULL;

	while ((model = cpu_model_next(model))) {
		if (!strcmp(model->name, name))
			return model;
	}
	return NULL;
}

const char *cpu_model_name(const struct cpu_model *model)
{
	return model->name;
}

const char *cpu_model_description(const struct cpu_model *model)
{
	return model->description ? model->description : "";
}

bool cpu_model_needs_host(const struct cpu_model *model)
{
	return model->needs_host;
}

bool cpu_model_from_host(const struct cpu_model *model)
{
	return model->from_host;
}

bool cpu_model_is_empty(const struct cpu_model *model)
{
	return model->is_empty;
}

const char *cpu_model_alias_of(const struct cpu_model *model)
{
	return model->is_alias ? model->parent : NULL;
}

struct cpu_model cpu_model_effective(const struct cpu_model *model)
{
	struct cpu_model own = *model, base;

	if (!own.parent) {
		own.vendor = own.vendor ? own.vendor : "";
		own.model_id = own.model_id ? own.model_id : "";
		return own;
	}
	base = cpu_model_effective(cpu_model_find(own.parent));
	base.name = own.name;
	base.parent = own.parent;
	base.level = own.level ? own.level : base.level;
	base.xlevel = own.xlevel ? own.xlevel : base.xlevel;
	base.model = own.model ? own.model : base.model;
	base.stepping = own.stepping ? own.stepping : base.stepping;
	base.model_id = own.model_id ? own.model_id : base.model_id;
	return base;
}

void cpu_feature_switch(uint64_t words[FEAT_WORDS], const char *name, bool on)
{
	enum feature_word word;
	unsigned bit;

	if (!cpu_feature_find(name, &word, &bit))
		g_error("CPU model table: unknown feature '%s'", name);
	if (on)
		words[word] |= cpu_feature_mask(word, cpu_feature_name(word, bit));
	else
		words[word] &= ~cpu_feature_mask(word, cpu_feature_name(word, bit));
}

void cpu_model_features(const struct cpu_model *model, uint64_t words[FEAT_WORDS])
{
	g_auto(GStrv) list = NULL;

	if (model->parent)
		cpu_model_features(cpu_model_find(model->parent), words);
	if (!model->features)
		return;
	list = g_strsplit(model->features, " ", -1);
	for (char **name = list; *name; name++) {
		if (**name)
			cpu_feature_switch(words, *name + strspn(*name, "+-"), **name != '-');
	}
}

/* ---- Help ---- */

static int compare_models(const void *a, const void *b)
{
	const struct cpu_model *x = *(const struct cpu_model *const *)a;
	const struct cpu_model *y = *(const struct cpu_model *const *)b;
	bool x_last = !x->parent && !x->features, y_last = !y->parent && !y->features;

	if (x_last != y_last)
		return x_last - y_last;
	return strcmp(x->name, y->name);
}

static void print_model(const struct cpu_model *model, GString *out)
{
	g_autofree char *text = NULL;

	if (!model->is_alias)
		text = g_strdup(cpu_model_description(model));
	else if (g_str_has_suffix(model->parent, "-v1"))
		text = g_strdup("(alias configured by machine type)");
	else
		text = g_strdup_printf("(alias of %s)", model->parent);
	g_string_append_printf(out, "x86 %-20s  %s\n", model->name, text);
}

static void collect_name(const char *name, enum feature_word word, unsigned bit, void *opaque)
{
	g_ptr_array_add(opaque, (void *)name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_flags(GString *out)
{
	g_autoptr(GPtrArray) flags = g_ptr_array_new();
	size_t line = 0;

	cpu_feature_foreach(collect_name, flags);
	g_ptr_array_sort(flags, compare_names);
	for (guint i = 0; i < flags->len; i++) {
		const char *name = flags->pdata[i];

		if (!line || line + strlen(name) + 1 >= 75) {
			g_string_append(out, i ? "\n " : " ");
			line = 2;
		}
		g_string_append_printf(out, " %s", name);
		line += strlen(name) + 1;
	}
	g_string_append(out, "\n");
}

void cpu_print_help(GString *out)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	const struct cpu_model *model = NULL;

	while ((model = cpu_model_next(model)))
		g_ptr_array_add(list, (void *)model);
	g_ptr_array_sort(list, compare_models);
	g_string_append(out, "Available CPUs:\n");
	for (guint i = 0; i < list->len; i++)
		print_model(list->pdata[i], out);
	g_string_append(out, "\nRecognized CPUID flags:\n");
	print_flags(out);
}
