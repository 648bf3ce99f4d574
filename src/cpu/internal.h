/*
 * Between the files of src/cpu.
 */
#ifndef SRC_CPU_INTERNAL_H
#define SRC_CPU_INTERNAL_H

#include "cpu/cpuid.h"

/*
 * A model: what a processor of that name reports. A row with a parent takes from it what it does not
 * say itself, and its features are changes: "+rdseed -hle". Others list theirs in full. The bit
 * "hypervisor" is every guest's and stands in no row.
 */
struct cpu_model {
	const char *name;
	const char *parent;
	uint32_t level, xlevel; /* highest basic and extended leaf; 0: the parent's */
	const char *vendor;
	uint16_t family, model, stepping;
	const char *model_id;
	const char *description;
	const char *features;
	bool is_alias;   /* the parent under another name */
	bool is_empty;   /* gets nothing by default, not even what every guest gets */
	bool from_host;  /* everything the accelerator offers */
	bool needs_host; /* makes no sense where the guest's CPU is emulated */
};

extern const struct cpu_model cpu_models[]; /* ends without a name */

/* All bits of @word that carry @name. */
uint64_t cpu_feature_mask(enum feature_word word, const char *name);

/* The row with everything inherited filled in, features left out. */
struct cpu_model cpu_model_effective(const struct cpu_model *model);
/* Sets or clears a feature by its name, which is right. */
void cpu_feature_switch(uint64_t words[FEAT_WORDS], const char *name, bool on);
/* Adds the model's features, ancestors first; and what it offers to nested guests (models-vmx.c). */
void cpu_model_features(const struct cpu_model *model, uint64_t words[FEAT_WORDS]);
void cpu_model_vmx(const struct cpu_model *model, uint64_t words[FEAT_WORDS]);

/* ---- hyperv.c ---- */
bool cpu_hyperv_resolve(const struct cpu_config *cfg, const struct cpu_capabilities *caps,
			struct cpu_hyperv *out, GError **errp);
/* The leaves from 40000000H on, if it is on. */
void cpu_hyperv_leaves(const struct cpu_hyperv *hv, struct cpuid_table *out);

#endif
