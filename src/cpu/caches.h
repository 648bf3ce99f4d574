/*
 * Caches a CPU reports.
 */
#ifndef SRC_CPU_CACHES_H
#define SRC_CPU_CACHES_H

#include "base/common.h"

enum cache_kind { CACHE_DATA = 1, CACHE_INSTRUCTION, CACHE_UNIFIED };

struct cpu_cache {
	enum cache_kind kind;
	uint8_t level;
	uint8_t ways, line; /* associativity; line size in bytes */
	uint32_t sets, size_kib;
	uint8_t lines_per_tag; /* AMD */
	bool self_init, inclusive, no_invd_sharing, complex_indexing;
};

/* L1 data, L1 instruction, L2, L3. */
enum { CACHE_L1D, CACHE_L1I, CACHE_L2, CACHE_L3, CACHES };

/* What leaf 4 shows, and what AMD's leaves show, unless the model has caches of its own. */
extern const struct cpu_cache intel_caches[CACHES], amd_caches[CACHES];

/* Those of a model by name; NULL if it has none of its own. */
const struct cpu_cache *cpu_model_caches(const char *name);

#endif
