/*
 * A CPU as an object of properties, for clients that compute with CPUs.
 */
#include "api/codec.h"
#include "internal.h"

struct job {
	const struct cpu_features *feat;
	json_object *props;
};

static void put_feature(const char *name, enum feature_word word, unsigned bit, void *opaque)
{
	struct job *job = opaque;
	bool on = job->feat->words[word] & BIT64(bit);

	json_add(job->props, name, json_object_new_boolean(on));
}

static void put_text(json_object *props, const char *name, const char *text)
{
	json_add(props, name, json_object_new_string(text));
}

static void put_number(json_object *props, const char *name, uint64_t value)
{
	json_add(props, name, json_object_new_uint64(value));
}

/* What makes the CPU, whatever the model it came from. */
static void put_identity(json_object *props, const struct cpu_features *f)
{
	put_number(props, "min-level", f->level);
	put_number(props, "min-xlevel", f->xlevel);
	put_number(props, "family", f->family);
	put_number(props, "model", f->cpu_model);
	put_number(props, "stepping", f->stepping);
	put_text(props, "vendor", f->vendor);
	put_text(props, "model-id", f->model_id);
}

/* Rows of models that take everything from the host. */
static bool is_host_row(const struct field *row)
{
	return !strcmp(row->name, "migratable") || !strcmp(row->name, "host-cache-info");
}

static void put_rows(json_object *props, const struct cpu_config *cfg)
{
	FIELDS_FOREACH (row, cpu_config_rows) {
		json_object *value;

		if (is_host_row(row) && !cfg->model->from_host)
			continue;
		value = codec_encode_field(row, cfg);
		json_add(props, row->name, value ? value : json_object_new_string(""));
	}
}

json_object *cpu_expansion(const struct cpu_config *cfg, const struct cpu_features *feat, bool full)
{
	struct job job = {feat, json_object_new_object()};

	if (full) {
		put_rows(job.props, cfg);
		put_number(job.props, "level", feat->level);
		if (cfg->level_func7 < 0)
			put_number(job.props, "level-func7", 0);
		put_number(job.props, "xlevel", feat->xlevel);
		put_number(job.props, "xlevel2", MAX(cfg->xlevel2, 0));
		cpu_feature_foreach_alias(put_feature, &job);
	}
	cpu_feature_foreach(put_feature, &job);
	json_add(job.props, "lmce", json_object_new_boolean(cfg->lmce));
	put_identity(job.props, feat);
	return job.props;
}

GPtrArray *cpu_feature_names(const uint64_t words[FEAT_WORDS])
{
	GPtrArray *names = g_ptr_array_new();

	for (unsigned w = 0; w < FEAT_WORDS; w++) {
		for (unsigned b = 0; b < 64; b++) {
			const char *name = cpu_feature_name(w, b);

			if (name && (words[w] & BIT64(b)) && !g_ptr_array_find(names, name, NULL))
				g_ptr_array_add(names, (void *)name);
		}
	}
	return names;
}
