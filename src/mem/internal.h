/*
 * What the files of this folder share.
 *
 * A change of the tree notes the top of the tree it happened in. The outermost mem_commit() renders
 * anew those spaces whose view was made from one of the tops noted (a view remembers them, because
 * aliases lead into other trees); a view that came out the same is dropped again. The new views are
 * published, then listeners hear of the differences, then the old views are retired.
 */
#ifndef MEM_INTERNAL_H
#define MEM_INTERNAL_H

#include "mem/space.h"
#include "mem/ram.h"

/* The spaces, and the transaction. Under the machine lock. */
struct mem_state {
	struct address_space *spaces; /* in order of creation */
	unsigned depth;               /* of mem_begin() */
	bool publishing;
	bool all_changed;
	GPtrArray *changed; /* tops of trees; compared, never dereferenced */
};
struct mem_state *mem_state(void);

/* Notes that @r changed, as seen from the top of its tree. */
void mem_changed(struct region *r);
/* Notes that every view may have changed. */
void mem_changed_all(void);
/* Publishes what changed so far, in the middle of a transaction too. */
void mem_publish(void);

/* flatten.c */
struct flat_view *flat_view_render(struct region *root);
bool flat_view_equal(const struct flat_view *a, const struct flat_view *b);
bool flat_view_same_doorbells(const struct flat_view *a, const struct flat_view *b);
/* The same piece of the same region, seen in the same way; who logs its writes is left aside. */
bool flat_range_equal(const struct flat_range *a, const struct flat_range *b);
bool doorbell_equal(const struct doorbell *a, const struct doorbell *b);
/* The order of doorbells in a view, for qsort(). */
int doorbell_compare(const void *a, const void *b);
void flat_view_free(struct flat_view *view);
bool flat_view_depends(const struct flat_view *view, const GPtrArray *tops);
bool region_is_leaf(const struct region *r);
struct region *region_top(struct region *r);

/* listener.c */
void listeners_update(struct address_space *as, const struct flat_view *from,
		      const struct flat_view *to);
bool doorbell_equal(const struct doorbell *a, const struct doorbell *b);
/* The order of doorbells in a view, for qsort(). */
int doorbell_compare(const void *a, const void *b);

/* The index of the first range that ends after @addr; view->count if there is none. */
static inline size_t flat_view_search(const struct flat_view *view, uint64_t addr)
{
	size_t lo = 0, hi = view->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct flat_range *range = &view->ranges[mid];

		if (addr - range->start < range->size)
			return mid;
		if (range->start > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

#endif
