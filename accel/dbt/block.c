/*
 * Blocks are found by the physical address they begin at and the mode they were decoded for; in front
 * of that lies a small table by linear address, which holds as long as no mapping changes (map_epoch).
 * Memory for them is handed out in order and taken back all at once, when it is full.
 */
#include "block.h"
#include "mem.h"

#define CHUNK_SIZE  (1u << 20)
#define HASH_BITS   14
#define PAGE_BITS   12
#define RECENT_BITS 12

struct recent {
	uint64_t lin, epoch;
	struct block *block;
	uint32_t mode;
};

struct block_cache {
	uint64_t limit; /* bytes */
	GPtrArray *chunks;
	unsigned chunk; /* in use */
	size_t used;    /* of it */
	struct block *hash[1u << HASH_BITS];
	struct block *by_page[1u << PAGE_BITS], *by_page2[1u << PAGE_BITS];
	struct recent recent[1u << RECENT_BITS];
};

static unsigned hash_of(uint64_t phys, uint32_t mode)
{
	return (phys ^ phys >> HASH_BITS ^ (uint64_t)mode * 0x9e3779b1) & ((1u << HASH_BITS) - 1);
}

static unsigned page_slot(uint64_t phys)
{
	return (phys >> 12 ^ phys >> 24) & ((1u << PAGE_BITS) - 1);
}

/* ---- Memory ---- */

struct block_cache *block_cache_new(uint64_t bytes)
{
	struct block_cache *cache = g_new0(struct block_cache, 1);

	cache->limit = MAX(bytes, CHUNK_SIZE);
	cache->chunks = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(cache->chunks, g_malloc(CHUNK_SIZE));
	return cache;
}

void block_cache_free(struct block_cache *cache)
{
	if (!cache)
		return;
	g_ptr_array_unref(cache->chunks);
	g_free(cache);
}

static bool next_chunk(struct block_cache *cache)
{
	if ((uint64_t)(cache->chunk + 2) * CHUNK_SIZE > cache->limit)
		return false;
	if (++cache->chunk == cache->chunks->len)
		g_ptr_array_add(cache->chunks, g_malloc(CHUNK_SIZE));
	cache->used = 0;
	return true;
}

static size_t block_bytes(unsigned ops)
{
	return sizeof(struct block) + ops * sizeof(struct op);
}

struct block *block_alloc(struct dbt_cpu *cpu, unsigned ops)
{
	struct block_cache *cache = cpu->cache;
	struct block *b;

	if (cache->used + block_bytes(ops) > CHUNK_SIZE && !next_chunk(cache))
		block_flush_all(cpu);
	b = (struct block *)((uint8_t *)cache->chunks->pdata[cache->chunk] + cache->used);
	cache->used += block_bytes(ops);
	memset(b, 0, sizeof(*b));
	return b;
}

void block_trim(struct dbt_cpu *cpu, struct block *b, unsigned ops)
{
	const uint8_t *chunk = cpu->cache->chunks->pdata[cpu->cache->chunk];

	cpu->cache->used = (const uint8_t *)b - chunk + block_bytes(ops);
}

/* ---- Finding ---- */

void block_insert(struct dbt_cpu *cpu, struct block *b)
{
	struct block_cache *cache = cpu->cache;
	struct block **hash = &cache->hash[hash_of(b->phys, b->mode)];
	struct block **page = &cache->by_page[page_slot(b->phys)];

	b->hash_next = *hash;
	*hash = b;
	b->page_next = *page;
	*page = b;
	if (b->page2 != NO_PAGE) {
		page = &cache->by_page2[page_slot(b->page2)];
		b->page2_next = *page;
		*page = b;
	}
}

/* The second page, if any, must be the one it was decoded from: fetching from it may fault, and then
 * rightly so, as the block has only this one instruction. */
static bool same_second_page(struct dbt_cpu *cpu, const struct block *b, uint64_t lin)
{
	const uint8_t *host;

	return b->page2 == NO_PAGE ||
	       PAGE_OF(mmu_fetch(cpu, PAGE_OF(lin) + 0x1000, &host)) == b->page2;
}

static struct block *lookup(struct dbt_cpu *cpu, uint64_t lin, uint64_t phys, uint32_t mode)
{
	for (struct block *b = cpu->cache->hash[hash_of(phys, mode)]; b; b = b->hash_next) {
		if (b->phys == phys && b->mode == mode && same_second_page(cpu, b, lin))
			return b;
	}
	return NULL;
}

/* Code that reaches beyond its segment is run an instruction at a time, which then is looked at. */
static bool beyond_limit(const struct dbt_cpu *cpu, const struct block *b)
{
	return !(cpu->mode & MODE_CS64) &&
	       (uint64_t)(uint32_t)cpu->rip + b->size - 1 > cpu->seg[S_CS].limit;
}

static struct block *find(struct dbt_cpu *cpu, uint64_t lin, uint32_t mode)
{
	struct recent *r =
		&cpu->cache->recent[(lin ^ lin >> RECENT_BITS) & ((1u << RECENT_BITS) - 1)];
	const uint8_t *host;
	uint64_t phys;

	if (r->lin == lin && r->mode == mode && r->epoch == cpu->map_epoch && r->block)
		return r->block;
	phys = mmu_fetch(cpu, lin, &host);
	*r = (struct recent){.lin = lin, .mode = mode};
	r->block = lookup(cpu, lin, phys, mode) ?: block_translate(cpu, lin, phys, host, mode);
	r->epoch = cpu->map_epoch;
	return r->block;
}

struct block *block_get(struct dbt_cpu *cpu)
{
	bool alone = cpu->alone || cpu->shadow;
	uint32_t mode = cpu->mode | (alone ? BLOCK_ALONE : 0);
	uint64_t lin = cpu->rip;
	struct block *b;

	if (!(cpu->mode & MODE_CS64))
		lin = (uint32_t)(lin + cpu->seg_base[S_CS]);
	cpu->alone = false;
	cpu->op = NULL;
	b = find(cpu, lin, mode);
	if (G_LIKELY(!beyond_limit(cpu, b)))
		return b;
	b = find(cpu, lin, mode | BLOCK_ALONE);
	if (beyond_limit(cpu, b))
		dbt_fault_code(cpu, NULL, EXC_GP, 0);
	return b;
}

/* ---- Forgetting ---- */

static void unhash(struct block_cache *cache, struct block *b)
{
	struct block **at = &cache->hash[hash_of(b->phys, b->mode)];

	while (*at && *at != b)
		at = &(*at)->hash_next;
	if (*at)
		*at = b->hash_next;
}

static void unlist(struct block **at, const struct block *b, bool second)
{
	while (*at && *at != b)
		at = second ? &(*at)->page2_next : &(*at)->page_next;
	if (*at)
		*at = second ? b->page2_next : b->page_next;
}

static void forget(struct block_cache *cache, struct block *b)
{
	unhash(cache, b);
	unlist(&cache->by_page[page_slot(b->phys)], b, false);
	if (b->page2 != NO_PAGE)
		unlist(&cache->by_page2[page_slot(b->page2)], b, true);
}

void block_flush_page(struct dbt_cpu *cpu, uint64_t phys_page)
{
	struct block_cache *cache = cpu->cache;
	unsigned slot = page_slot(phys_page);
	struct block *next;

	cpu->map_epoch++;
	for (struct block *b = cache->by_page[slot]; b; b = next) {
		next = b->page_next;
		if (PAGE_OF(b->phys) == phys_page)
			forget(cache, b);
	}
	for (struct block *b = cache->by_page2[slot]; b; b = next) {
		next = b->page2_next;
		if (b->page2 == phys_page)
			forget(cache, b);
	}
}

void block_flush_all(struct dbt_cpu *cpu)
{
	struct block_cache *cache = cpu->cache;

	cpu->map_epoch++;
	cache->chunk = 0;
	cache->used = 0;
	memset(cache->hash, 0, sizeof(cache->hash));
	memset(cache->by_page, 0, sizeof(cache->by_page));
	memset(cache->by_page2, 0, sizeof(cache->by_page2));
	memset(cache->recent, 0, sizeof(cache->recent));
}
