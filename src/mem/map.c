/*
 * Mappings: a stretch of guest memory as host memory, kept by a reference to its block.
 */
#include "internal.h"
#include "rcu.h"

static bool mappable(const struct flat_range *range, bool is_write)
{
	return range->host && (is_write ? !range->readonly && !range->io_write : !range->io_read);
}

/* What follows @range without a gap, in the guest's space as in the block. */
static bool maps_on(const struct flat_range *range, const struct flat_range *next)
{
	return range->start + range->size == next->start && range->ram == next->ram &&
	       range->ram_offset + range->size == next->ram_offset;
}

static uint64_t contiguous(const struct flat_view *view, size_t i, uint64_t offset, uint64_t len,
			   bool is_write)
{
	uint64_t have = view->ranges[i].size - offset;

	while (have < len && i + 1 < view->count &&
	       maps_on(&view->ranges[i], &view->ranges[i + 1]) &&
	       mappable(&view->ranges[i + 1], is_write)) {
		i++;
		have += view->ranges[i].size;
	}
	return MIN(have, len);
}

void *as_map(struct address_space *as, uint64_t addr, uint64_t *len, bool is_write,
	     struct as_mapping *map)
{
	const struct flat_view *view;
	const struct flat_range *range;
	size_t i;

	*map = (struct as_mapping){.is_write = is_write};
	rcu_read_lock();
	view = rcu_dereference(as->view);
	i = flat_view_search(view, addr);
	range = i < view->count ? &view->ranges[i] : NULL;
	if (range && addr >= range->start && mappable(range, is_write) && *len) {
		uint64_t offset = addr - range->start;

		map->len = contiguous(view, i, offset, *len, is_write);
		map->host = range->host + offset;
		map->ram = ram_ref(range->ram);
		map->ram_offset = range->ram_offset + offset;
	}
	rcu_read_unlock();
	*len = map->len;
	return map->host;
}

void as_unmap(struct as_mapping *map, uint64_t written)
{
	if (!map->host)
		return;
	if (map->is_write && written)
		dirty_mark(map->ram, map->ram_offset, MIN(written, map->len));
	ram_unref(map->ram);
	*map = (struct as_mapping){0};
}
