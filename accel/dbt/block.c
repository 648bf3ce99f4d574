/*
 * Memory for blocks is handed out in order and taken back all at once, when it is full.
 */
#include "block.h"
#include "mem.h"
#include "mem/ram.h"

#include <sys/mman.h>

#define NO_PAGE UINT64_MAX

static unsigned hash_of(uint64_t phys, uint32_t mode)
{
	return (phys ^ phys >> HASH_BITS ^ (uint64_t)mode * 0x9e3779b1) & ((1u << HASH_BITS) - 1);
}

static unsigned page_slot(uint64_t phys)
{
	return (phys >> 12 ^ phys >> 22) & ((1u << PAGE_BITS) - 1);
}

/* ---- Life ---- */

/* The host gives memory to the arena as it is used. */
struct block_cache *block_cache_new(uint64_t bytes)
{
	struct block_cache *cache = g_new0(struct block_cache, 1);

	cache->size = MAX(ROUND_UP(bytes, MIB), MIB);
	cache->arena = mmap(NULL, cache->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cache->arena == MAP_FAILED)
		g_error("no address space for %" PRIu64 " bytes of decoded code", cache->size);
	cache->lone = g_malloc(BLOCK_ROOM);
	return cache;
}

void block_cache_free(struct block_cache *cache)
{
	if (!cache)
		return;
	munmap(cache->arena, cache->size);
	g_free(cache->lone);
	g_free(cache);
}

/* ---- Finding ---- */

/* The second page, if any, must be the one it was decoded from: fetching from it may fault, and then
 * rightly so, as the block has only this one instruction. */
static bool same_second_page(struct dbt_cpu *cpu, const struct block *b, uint64_t lin)
{
	const uint8_t *host;

	return b->page2 == NO_PAGE ||
	       PAGE_OF(mmu_fetch(cpu, PAGE_OF(lin) + RAM_PAGE_SIZE, &host)) == b->page2;
}

static struct block *lookup(struct dbt_cpu *cpu, uint64_t lin, uint64_t phys)
{
	struct block_cache *cache = cpu->cache;

	for (struct block *b = cache->hash[hash_of(phys, cpu->mode)]; b; b = b->hash_next) {
		if (b->phys == phys && b->mode == cpu->mode && same_second_page(cpu, b, lin))
			return b;
	}
	return NULL;
}

static void insert(struct block_cache *cache, struct block *b)
{
	struct block **hash = &cache->hash[hash_of(b->phys, b->mode)];
	struct block **page = &cache->page[page_slot(b->phys)];

	b->hash_next = *hash;
	*hash = b;
	b->page_next = *page;
	*page = b;
	if (b->page2 == NO_PAGE)
		return;
	page = &cache->page2[page_slot(b->page2)];
	b->page2_next = *page;
	*page = b;
}

/*
 * The page is watched before its bytes are read. That may wait for others and serve what they ask of the
 * TLB, but forgets no blocks.
 */
static struct block *decode(struct dbt_cpu *cpu, uint64_t phys, const uint8_t *host)
{
	struct block_cache *cache = cpu->cache;
	struct block *b;

	code_page_watch(cpu, phys);
	if (cache->used + BLOCK_ROOM > cache->size)
		block_flush_all(cpu);
	b = (struct block *)(cache->arena + cache->used);
	block_translate(cpu, b, phys, host, cpu->mode & MODE_STEP ? 1 : BLOCK_INSNS);
	cache->used += sizeof(struct block) + (b->count + 1) * sizeof(struct op);
	insert(cache, b);
	return b;
}

/* A block of one instruction that is not kept: it writes to its own code, is not in RAM, or reaches for
 * the end of its segment. */
static struct block *decode_lone(struct dbt_cpu *cpu, uint64_t phys, const uint8_t *host)
{
	struct block *b = cpu->cache->lone;

	if (host)
		code_page_watch(cpu, phys);
	block_translate(cpu, b, phys, host, 1);
	return b;
}

static bool beyond_limit(const struct dbt_cpu *cpu, const struct block *b)
{
	return !(cpu->mode & MODE_CS64) &&
	       (uint64_t)(uint32_t)cpu->rip + b->size - 1 > cpu->seg[S_CS].limit;
}

/* What links and the jump cache take for granted. */
static void check_code_segment(struct dbt_cpu *cpu)
{
	struct block_cache *cache = cpu->cache;
	bool long_mode = cpu->mode & MODE_CS64;
	uint64_t base = long_mode ? 0 : cpu->seg_base[S_CS];
	uint32_t limit = long_mode ? UINT32_MAX : cpu->seg[S_CS].limit;

	if (cache->cs_base == base && cache->cs_limit == limit)
		return;
	cache->cs_base = cache->code_base = base;
	cache->cs_limit = limit;
	cpu->map_epoch++;
}

static void remember(struct dbt_cpu *cpu, uint64_t lin, struct block *b)
{
	struct block_cache *cache = cpu->cache;

	*block_jump_entry(cache, lin) = (struct jump_entry){lin, cpu->map_epoch, b, cpu->mode};
	if (cache->from && cache->from_epoch == cpu->map_epoch && cache->from_rip == cpu->rip &&
	    cache->from->mode == cpu->mode) {
		cache->from->link[cache->from_slot].to = b;
		cache->from->link[cache->from_slot].rip = cpu->rip;
		cache->from->link[cache->from_slot].epoch = cpu->map_epoch;
	}
}

struct block *block_get(struct dbt_cpu *cpu)
{
	bool alone = cpu->alone || cpu->shadow;
	struct jump_entry *j;
	const uint8_t *host;
	uint64_t lin, phys;
	struct block *b;

	cpu->op = NULL;
	check_code_segment(cpu);
	lin = cpu->rip + cpu->cache->code_base;
	if (!(cpu->mode & MODE_CS64))
		lin = (uint32_t)lin;
	j = block_jump_entry(cpu->cache, lin);
	if (!alone && j->lin == lin && j->epoch == cpu->map_epoch && j->mode == cpu->mode) {
		b = j->to;
	} else {
		phys = mmu_fetch(cpu, lin, &host);
		if (alone || !host) {
			cpu->cache->from = NULL;
			b = decode_lone(cpu, phys, host);
			cpu->alone = false;
			if (beyond_limit(cpu, b))
				dbt_fault_code(cpu, NULL, EXC_GP, 0);
			return b;
		}
		b = lookup(cpu, lin, phys) ?: decode(cpu, phys, host);
		if (beyond_limit(cpu, b)) {
			cpu->alone = true;
			return block_get(cpu);
		}
	}
	if (!(cpu->mode & MODE_STEP) && !cpu->machine->icount)
		remember(cpu, lin, b);
	cpu->cache->from = NULL;
	return b;
}

/* ---- Forgetting ---- */

static void unhash(struct block_cache *cache, const struct block *b)
{
	struct block **at = &cache->hash[hash_of(b->phys, b->mode)];

	while (*at && *at != b)
		at = &(*at)->hash_next;
	if (*at)
		*at = b->hash_next;
}

static void unlist(struct block_cache *cache, const struct block *b)
{
	struct block **at = &cache->page[page_slot(b->phys)];

	while (*at && *at != b)
		at = &(*at)->page_next;
	if (*at)
		*at = b->page_next;
	if (b->page2 == NO_PAGE)
		return;
	at = &cache->page2[page_slot(b->page2)];
	while (*at && *at != b)
		at = &(*at)->page2_next;
	if (*at)
		*at = b->page2_next;
}

static void forget(struct block_cache *cache, const struct block *b)
{
	unhash(cache, b);
	unlist(cache, b);
}

void block_flush_page(struct dbt_cpu *cpu, uint64_t phys_page)
{
	struct block_cache *cache = cpu->cache;
	unsigned slot = page_slot(phys_page);
	struct block *next;

	cpu->map_epoch++;
	for (struct block *b = cache->page[slot]; b; b = next) {
		next = b->page_next;
		if (PAGE_OF(b->phys) == PAGE_OF(phys_page))
			forget(cache, b);
	}
	for (struct block *b = cache->page2[slot]; b; b = next) {
		next = b->page2_next;
		if (b->page2 == PAGE_OF(phys_page))
			forget(cache, b);
	}
}

void block_flush_all(struct dbt_cpu *cpu)
{
	struct block_cache *cache = cpu->cache;

	cpu->map_epoch++;
	cache->used = 0;
	cache->from = NULL;
	memset(cache->hash, 0, sizeof(cache->hash));
	memset(cache->page, 0, sizeof(cache->page));
	memset(cache->page2, 0, sizeof(cache->page2));
}
