/*
 * Dirty bitmaps: a bit a page for each user, set and taken with atomic instructions.
 *
 * A write to memory comes before its mark, and a taker clears the bit before it reads the page; so a
 * page that changes while it is being copied is found dirty again. dirty_start() waits for a grace
 * period: a writer that did not see the user has its write done when the user first looks at memory.
 */
#include <assert.h>
#include "base/checked.h"
#include "internal.h"
#include "rcu.h"

#define WORD_BITS (8 * sizeof(unsigned long))

struct word_range {
	uint64_t page, end; /* pages, the end excluded */
};

static struct word_range pages_of(const struct ram_block *ram, uint64_t offset, uint64_t len)
{
	assert(len && range_fits(offset, len, ram->size));
	return (struct word_range){offset >> RAM_PAGE_BITS,
				   ((offset + len - 1) >> RAM_PAGE_BITS) + 1};
}

/* The bits of the word that holds r->page, up to the range's end; goes on to the next word. */
static unsigned long next_mask(struct word_range *r, uint64_t *word)
{
	unsigned first = r->page % WORD_BITS;
	uint64_t count = MIN(r->end - r->page, WORD_BITS - first);

	*word = r->page / WORD_BITS;
	r->page += count;
	return (~0UL >> (WORD_BITS - count)) << first;
}

static size_t bitmap_words(const struct ram_block *ram)
{
	return DIV_ROUND_UP(ram->size >> RAM_PAGE_BITS, WORD_BITS);
}

static void set_bits(unsigned long *bits, struct word_range r)
{
	while (r.page < r.end) {
		uint64_t word;
		unsigned long mask = next_mask(&r, &word);

		__atomic_fetch_or(&bits[word], mask, __ATOMIC_SEQ_CST);
	}
}

void dirty_start(struct ram_block *ram, enum dirty_user user, bool all_dirty)
{
	unsigned long *bits = ram->dirty[user];

	mem_begin();
	if (!ram->dirty_starts[user]++) {
		bits = g_new0(unsigned long, bitmap_words(ram));
		rcu_set_pointer(&ram->dirty[user], bits);
		__atomic_fetch_or(&ram->dirty_on, BIT(user), __ATOMIC_SEQ_CST);
		synchronize_rcu();
		mem_changed_all();
	}
	if (all_dirty)
		set_bits(bits, pages_of(ram, 0, ram->size));
	mem_commit();
}

void dirty_stop(struct ram_block *ram, enum dirty_user user)
{
	unsigned long *bits = ram->dirty[user];

	assert(ram->dirty_starts[user]);
	if (--ram->dirty_starts[user])
		return;
	mem_begin();
	__atomic_fetch_and(&ram->dirty_on, ~BIT(user), __ATOMIC_SEQ_CST);
	rcu_set_pointer(&ram->dirty[user], NULL);
	mem_retire(g_free, bits);
	mem_changed_all();
	mem_commit();
}

/* The write must be visible before the flags are looked at: whoever sets one reads the page after. */
static void tell_watch(struct ram_block *ram, uint64_t offset, uint64_t len)
{
	const struct ram_watch *watch = __atomic_load_n(&ram->watch, __ATOMIC_ACQUIRE);
	struct word_range pages = pages_of(ram, offset, len);

	if (!watch)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint64_t page = pages.page; page < pages.end; page++) {
		if (!(__atomic_load_n(&ram->code[page], __ATOMIC_RELAXED) & RAM_PAGE_CODE))
			continue;
		watch->written(watch->opaque, ram, page << RAM_PAGE_BITS, RAM_PAGE_SIZE);
	}
}

static void tell_cleaned(struct ram_block *ram)
{
	const struct ram_watch *watch = __atomic_load_n(&ram->watch, __ATOMIC_ACQUIRE);

	if (watch)
		watch->cleaned(watch->opaque, ram);
}

void dirty_mark(struct ram_block *ram, uint64_t offset, uint64_t len)
{
	if (!len)
		return;
	if (ram->watch)
		tell_watch(ram, offset, len);
	rcu_read_lock();
	for (unsigned user = 0; ram->dirty_on && user < DIRTY_USERS; user++) {
		unsigned long *bits = rcu_dereference(ram->dirty[user]);

		if (bits)
			set_bits(bits, pages_of(ram, offset, len));
	}
	rcu_read_unlock();
}

bool dirty_test_and_clear(struct ram_block *ram, enum dirty_user user, uint64_t offset,
			  uint64_t len)
{
	unsigned long found = 0;

	rcu_read_lock();
	unsigned long *bits = rcu_dereference(ram->dirty[user]);

	if (bits && len) {
		struct word_range r = pages_of(ram, offset, len);

		while (r.page < r.end) {
			uint64_t word;
			unsigned long mask = next_mask(&r, &word);

			if (__atomic_load_n(&bits[word], __ATOMIC_RELAXED) & mask)
				found |= __atomic_fetch_and(&bits[word], ~mask, __ATOMIC_SEQ_CST) &
					 mask;
		}
	}
	rcu_read_unlock();
	if (found)
		tell_cleaned(ram);
	return found;
}

/* Puts the bits of @got, taken from bit @first of the block on, where the snapshot wants them. */
static void place_bits(unsigned long *to, uint64_t at, unsigned long got)
{
	unsigned shift = at % WORD_BITS;

	to[at / WORD_BITS] |= got << shift;
	if (shift && got >> (WORD_BITS - shift))
		to[at / WORD_BITS + 1] |= got >> (WORD_BITS - shift);
}

uint64_t dirty_snapshot(struct ram_block *ram, enum dirty_user user, uint64_t offset, uint64_t len,
			unsigned long *bits)
{
	struct word_range r = pages_of(ram, offset, len);
	uint64_t start = r.page, count = 0;

	memset(bits, 0, DIV_ROUND_UP(r.end - start, WORD_BITS) * sizeof(*bits));
	rcu_read_lock();
	unsigned long *from = rcu_dereference(ram->dirty[user]);

	while (from && r.page < r.end) {
		uint64_t word, at = r.page;
		unsigned long mask = next_mask(&r, &word), got = 0;

		if (__atomic_load_n(&from[word], __ATOMIC_RELAXED) & mask)
			got = __atomic_fetch_and(&from[word], ~mask, __ATOMIC_SEQ_CST) & mask;
		if (got)
			place_bits(bits, at - start, got >> (at % WORD_BITS));
		count += __builtin_popcountl(got);
	}
	rcu_read_unlock();
	if (count)
		tell_cleaned(ram);
	return count;
}
