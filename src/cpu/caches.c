/*
 * Cache geometries, as QEMU 7.2's processors report them.
 */
#include "caches.h"

#define L1(_kind, _kib, _ways, _sets, _invd)                                                       \
	{                                                                                          \
		.kind = _kind, .level = 1, .size_kib = _kib, .ways = _ways, .sets = _sets,         \
		.line = 64, .lines_per_tag = 1, .self_init = true, .no_invd_sharing = _invd,       \
	}
#define L2(_kib, _ways, _sets, _self, _invd)                                                       \
	{                                                                                          \
		.kind = CACHE_UNIFIED, .level = 2, .size_kib = _kib, .ways = _ways, .sets = _sets, \
		.line = 64, .lines_per_tag = 1, .self_init = _self, .no_invd_sharing = _invd,      \
	}
#define L3(_kib, _ways, _sets)                                                                     \
	{                                                                                          \
		.kind = CACHE_UNIFIED, .level = 3, .size_kib = _kib, .ways = _ways, .sets = _sets, \
		.line = 64, .lines_per_tag = 1, .self_init = true, .inclusive = true,              \
		.complex_indexing = true,                                                          \
	}

const struct cpu_cache intel_caches[CACHES] = {
	L1(CACHE_DATA, 32, 8, 64, true),
	L1(CACHE_INSTRUCTION, 32, 8, 64, true),
	L2(4096, 16, 4096, true, true),
	L3(16384, 16, 16384),
};

const struct cpu_cache amd_caches[CACHES] = {
	L1(CACHE_DATA, 64, 2, 512, true),
	L1(CACHE_INSTRUCTION, 64, 2, 512, true),
	L2(512, 16, 512, false, false),
	L3(16384, 16, 16384),
};

static const struct cpu_cache epyc_caches[CACHES] = {
	L1(CACHE_DATA, 32, 8, 64, true),
	L1(CACHE_INSTRUCTION, 64, 4, 256, true),
	L2(512, 8, 1024, false, false),
	L3(8192, 16, 8192),
};

static const struct cpu_cache rome_caches[CACHES] = {
	L1(CACHE_DATA, 32, 8, 64, true),
	L1(CACHE_INSTRUCTION, 32, 8, 64, true),
	L2(512, 8, 1024, false, false),
	L3(16384, 16, 16384),
};

static const struct cpu_cache milan_caches[CACHES] = {
	L1(CACHE_DATA, 32, 8, 64, true),
	L1(CACHE_INSTRUCTION, 32, 8, 64, true),
	L2(512, 8, 1024, false, false),
	L3(32768, 16, 32768),
};

const struct cpu_cache *cpu_model_caches(const char *name)
{
	static const struct {
		const char *prefix;
		const struct cpu_cache *caches;
	} models[] = {
		{"EPYC-Milan", milan_caches},
		{"EPYC-Rome", rome_caches},
		{"EPYC", epyc_caches},
		{"Dhyana", epyc_caches},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
		if (g_str_has_prefix(name, models[i].prefix))
			return models[i].caches;
	}
	return NULL;
}
