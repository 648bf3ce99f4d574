/*
 * Rendering a tree into a flat view.
 *
 * The tree is walked from the winner to the loser: children by priority, before what is behind them.
 * A leaf fills those parts of its place that nobody filled before; so the first to come wins, and
 * its holes stay open for the rest. Positions are signed and wider than 64 bits while walking,
 * because an alias may pull the start of its target below zero; the window of the root clips them.
 */
#include "base/checked.h"
#include "internal.h"

typedef __int128 position;

struct renderer {
	GArray *ranges; /* struct flat_range, sorted */
	GPtrArray *roots;
};

static void note_root(struct renderer *rd, struct region *top)
{
	if (!g_ptr_array_find(rd->roots, top, NULL))
		g_ptr_array_add(rd->roots, top);
}

static struct flat_range leaf_range(struct region *r, uint64_t start, uint64_t size,
				    uint64_t offset, bool readonly)
{
	struct flat_range range = {
		.start = start,
		.size = size,
		.region = r,
		.offset = offset,
		.ram = r->ram,
		.io_read = r->kind == REGION_IO || (r->kind == REGION_ROM_DEVICE && !r->romd),
		.io_write = r->kind == REGION_IO || (r->kind == REGION_ROM_DEVICE && !readonly),
		.readonly = readonly || r->kind == REGION_ROM || r->kind == REGION_ROM_DEVICE,
	};

	if (!r->ram)
		return range;
	range.ram_offset = r->ram_offset + offset;
	range.host = r->ram->host + range.ram_offset;
	range.readonly |= r->ram->readonly_file;
	range.dirty_users = range.readonly ? 0 : r->ram->dirty_on;
	return range;
}

static void fill(struct renderer *rd, struct region *r, position base, position lo, position hi,
		 bool readonly)
{
	struct flat_view so_far = {
		.count = rd->ranges->len,
		.ranges = (struct flat_range *)(void *)rd->ranges->data,
	};
	size_t i = flat_view_search(&so_far, lo);

	while (lo < hi) {
		position gap_end = hi;

		if (i < rd->ranges->len) {
			struct flat_range *next = &g_array_index(rd->ranges, struct flat_range, i);

			if (next->start <= lo) {
				lo = (position)next->start + next->size;
				i++;
				continue;
			}
			gap_end = MIN(hi, (position)next->start);
		}
		struct flat_range range = leaf_range(r, lo, gap_end - lo, lo - base, readonly);
		g_array_insert_val(rd->ranges, i, range);
		lo = gap_end;
		i++;
	}
}

/* Renders @r, whose first byte lies at @base, as far as the window [@lo, @hi) shows it. */
static void render(struct renderer *rd, struct region *r, position base, position lo, position hi,
		   bool readonly)
{
	lo = MAX(lo, base);
	hi = MIN(hi, base + r->size);
	if (!r->enabled || lo >= hi)
		return;
	readonly |= r->readonly;
	if (r->kind == REGION_ALIAS) {
		note_root(rd, region_top(r->target));
		render(rd, r->target, base - r->target_offset, lo, hi, readonly);
		return;
	}
	for (guint i = 0; r->children && i < r->children->len; i++) {
		struct region *child = g_ptr_array_index(r->children, i);

		render(rd, child, base + child->addr, lo, hi, readonly);
	}
	if (region_is_leaf(r))
		fill(rd, r, base, lo, hi, readonly);
}

/* True if @b goes on where @a ends: two sights of one piece of the same region. */
static bool range_continues(const struct flat_range *a, const struct flat_range *b)
{
	return a->start + a->size == b->start && a->region == b->region &&
	       a->offset + a->size == b->offset && a->readonly == b->readonly &&
	       a->io_read == b->io_read && a->io_write == b->io_write;
}

static void merge_neighbours(GArray *ranges)
{
	guint kept = 0;

	for (guint i = 1; i < ranges->len; i++) {
		struct flat_range *last = &g_array_index(ranges, struct flat_range, kept);
		struct flat_range *range = &g_array_index(ranges, struct flat_range, i);

		if (range_continues(last, range))
			last->size += range->size;
		else
			g_array_index(ranges, struct flat_range, ++kept) = *range;
	}
	if (ranges->len)
		g_array_set_size(ranges, kept + 1);
}

int doorbell_compare(const void *a, const void *b)
{
	const struct doorbell *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->data > y->data) - (x->data < y->data);
}

/* The doorbells of the range's region that it shows, in absolute addresses. */
static void add_doorbells(struct flat_view *view, struct flat_range *range)
{
	GArray *bells = range->region->doorbells;

	range->bell_first = view->doorbells->len;
	for (guint i = 0; bells && i < bells->len; i++) {
		struct doorbell bell = g_array_index(bells, struct doorbell, i);

		if (bell.offset < range->offset ||
		    !range_fits(bell.offset - range->offset, MAX(bell.size, 1), range->size))
			continue;
		bell.offset = bell.offset - range->offset + range->start;
		g_array_append_val(view->doorbells, bell);
	}
	range->bell_count = view->doorbells->len - range->bell_first;
	if (range->bell_count > 1)
		qsort(&g_array_index(view->doorbells, struct doorbell, range->bell_first),
		      range->bell_count, sizeof(struct doorbell), doorbell_compare);
}

static void add_coalesced(struct flat_view *view, const struct flat_range *range)
{
	GArray *list = range->region->coalesced;

	for (guint i = 0; list && i < list->len; i++) {
		const struct addr_range *from = &g_array_index(list, struct addr_range, i);
		uint64_t start = MAX(from->start, range->offset);
		uint64_t end = MIN(from->start + from->size, range->offset + range->size);
		struct addr_range shown = {start - range->offset + range->start, end - start};

		if (start < end)
			g_array_append_val(view->coalesced, shown);
	}
}

struct flat_view *flat_view_render(struct region *root)
{
	struct flat_view *view = g_new0(struct flat_view, 1);
	struct renderer rd = {
		.ranges = g_array_new(FALSE, FALSE, sizeof(struct flat_range)),
		.roots = g_ptr_array_new(),
	};

	note_root(&rd, region_top(root));
	render(&rd, root, 0, 0, root->size, false);
	merge_neighbours(rd.ranges);
	view->roots = rd.roots;
	view->count = rd.ranges->len;
	view->ranges = (struct flat_range *)(void *)g_array_free(rd.ranges, FALSE);
	view->doorbells = g_array_new(FALSE, FALSE, sizeof(struct doorbell));
	view->coalesced = g_array_new(FALSE, FALSE, sizeof(struct addr_range));
	for (size_t i = 0; i < view->count; i++) {
		add_doorbells(view, &view->ranges[i]);
		add_coalesced(view, &view->ranges[i]);
		if (view->ranges[i].ram)
			ram_ref(view->ranges[i].ram);
	}
	return view;
}

void flat_view_free(struct flat_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		if (view->ranges[i].ram)
			ram_unref(view->ranges[i].ram);
	}
	g_free(view->ranges);
	g_array_unref(view->doorbells);
	g_array_unref(view->coalesced);
	g_ptr_array_unref(view->roots);
	g_free(view);
}

bool flat_range_equal(const struct flat_range *a, const struct flat_range *b)
{
	return a->start == b->start && a->size == b->size && a->region == b->region &&
	       a->offset == b->offset && a->host == b->host && a->ram == b->ram &&
	       a->ram_offset == b->ram_offset && a->readonly == b->readonly &&
	       a->io_read == b->io_read && a->io_write == b->io_write;
}

bool doorbell_equal(const struct doorbell *a, const struct doorbell *b)
{
	return a->offset == b->offset && a->size == b->size && a->match_data == b->match_data &&
	       a->notifier == b->notifier && (!a->match_data || a->data == b->data);
}

bool flat_view_same_doorbells(const struct flat_view *a, const struct flat_view *b)
{
	if (a->doorbells->len != b->doorbells->len)
		return false;
	for (guint i = 0; i < a->doorbells->len; i++) {
		if (!doorbell_equal(&g_array_index(a->doorbells, struct doorbell, i),
				    &g_array_index(b->doorbells, struct doorbell, i)))
			return false;
	}
	return true;
}

static bool same_coalesced(const struct flat_view *a, const struct flat_view *b)
{
	return a->coalesced->len == b->coalesced->len &&
	       (!a->coalesced->len || !memcmp(a->coalesced->data, b->coalesced->data,
					      a->coalesced->len * sizeof(struct addr_range)));
}

bool flat_view_equal(const struct flat_view *a, const struct flat_view *b)
{
	if (a->count != b->count || !flat_view_same_doorbells(a, b) || !same_coalesced(a, b))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!flat_range_equal(&a->ranges[i], &b->ranges[i]) ||
		    a->ranges[i].dirty_users != b->ranges[i].dirty_users)
			return false;
	}
	return true;
}

bool flat_view_depends(const struct flat_view *view, const GPtrArray *tops)
{
	for (guint i = 0; i < view->roots->len; i++) {
		if (g_ptr_array_find((GPtrArray *)tops, g_ptr_array_index(view->roots, i), NULL))
			return true;
	}
	return false;
}
