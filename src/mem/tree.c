/*
 * Changing the tree. Every change is a transaction of its own unless the caller has one open.
 */
#include <assert.h>
#include "base/checked.h"
#include "internal.h"
#include "rcu.h"

/* Higher priority first; among equals the newest wins, so it goes before them. */
static guint child_position(const GPtrArray *children, int priority)
{
	guint i = 0;

	while (i < children->len) {
		const struct region *other = g_ptr_array_index(children, i);

		if (other->priority <= priority)
			break;
		i++;
	}
	return i;
}

void region_add(struct region *parent, uint64_t addr, struct region *child, int priority)
{
	assert(!child->parent && parent->kind != REGION_ALIAS);
	mem_begin();
	mem_changed(child);
	child->parent = parent;
	child->addr = addr;
	child->priority = priority;
	if (!parent->children)
		parent->children = g_ptr_array_new();
	g_ptr_array_insert(parent->children, child_position(parent->children, priority), child);
	mem_changed(parent);
	mem_commit();
}

void region_remove(struct region *child)
{
	struct region *parent = child->parent;

	assert(parent);
	mem_begin();
	mem_changed(parent);
	g_ptr_array_remove(parent->children, child);
	child->parent = NULL;
	mem_changed(child);
	mem_commit();
}

/* One member changes, and with it what the tree looks like. */
#define REGION_CHANGE(r, member, value)                                                            \
	do {                                                                                       \
		if ((r)->member == (value))                                                        \
			break;                                                                     \
		mem_begin();                                                                       \
		(r)->member = (value);                                                             \
		mem_changed(r);                                                                    \
		mem_commit();                                                                      \
	} while (0)

void region_set_enabled(struct region *r, bool enabled)
{
	REGION_CHANGE(r, enabled, enabled);
}

void region_set_addr(struct region *r, uint64_t addr)
{
	REGION_CHANGE(r, addr, addr);
}

void region_set_size(struct region *r, uint64_t size)
{
	assert(size > 0 && size <= REGION_SIZE_MAX);
	assert(!r->ram || range_fits(r->ram_offset, size, r->ram->size));
	REGION_CHANGE(r, size, size);
}

void region_set_readonly(struct region *r, bool readonly)
{
	REGION_CHANGE(r, readonly, readonly);
}

void region_set_romd(struct region *r, bool romd)
{
	assert(r->kind == REGION_ROM_DEVICE);
	REGION_CHANGE(r, romd, romd);
}

void region_set_target_offset(struct region *r, uint64_t offset)
{
	assert(r->kind == REGION_ALIAS);
	REGION_CHANGE(r, target_offset, offset);
}

void region_set_ram_offset(struct region *r, uint64_t offset)
{
	assert(r->ram && range_fits(offset, r->size, r->ram->size));
	REGION_CHANGE(r, ram_offset, offset);
}

void region_set_dirty_log(struct region *r, unsigned user, bool on)
{
	assert(r->ram && user < DIRTY_USERS);
	if (on == !!(r->dirty_users & BIT(user)))
		return;
	r->dirty_users ^= BIT(user);
	if (on)
		dirty_start(r->ram, user, true);
	else
		dirty_stop(r->ram, user);
}

void region_add_doorbell(struct region *r, const struct doorbell *bell)
{
	assert(r->ops && range_fits(bell->offset, MAX(bell->size, 1), r->size));
	mem_begin();
	if (!r->doorbells)
		r->doorbells = g_array_new(FALSE, FALSE, sizeof(struct doorbell));
	g_array_append_val(r->doorbells, *bell);
	mem_changed(r);
	mem_commit();
}

void region_remove_doorbell(struct region *r, const struct doorbell *bell)
{
	assert(r->doorbells);
	for (guint i = 0; i < r->doorbells->len; i++) {
		if (!doorbell_equal(&g_array_index(r->doorbells, struct doorbell, i), bell))
			continue;
		mem_begin();
		g_array_remove_index(r->doorbells, i);
		mem_changed(r);
		mem_commit();
		return;
	}
	g_assert_not_reached();
}

void region_add_coalesced(struct region *r, uint64_t start, uint64_t size)
{
	struct addr_range range = {start, size};

	assert(r->ops && size && range_fits(start, size, r->size));
	mem_begin();
	if (!r->coalesced)
		r->coalesced = g_array_new(FALSE, FALSE, sizeof(range));
	g_array_append_val(r->coalesced, range);
	mem_changed(r);
	mem_commit();
}

/* A leaf is looked for in the views, where aliases have been followed. */
static bool leaf_absolute_addr(const struct region *r, uint64_t *addr)
{
	for (struct address_space *as = mem_state()->spaces; as; as = as->next) {
		for (size_t i = 0; i < as->view->count; i++) {
			const struct flat_range *range = &as->view->ranges[i];

			if (range->region != r)
				continue;
			*addr = range->start - range->offset;
			return true;
		}
	}
	return false;
}

bool region_absolute_addr(const struct region *r, uint64_t *addr)
{
	const struct region *top = r;
	uint64_t sum = 0;

	if (region_is_leaf(r) && leaf_absolute_addr(r, addr))
		return true;
	for (; top->parent; top = top->parent) {
		if (!top->enabled)
			return false;
		sum += top->addr;
	}
	for (struct address_space *as = mem_state()->spaces; as; as = as->next) {
		if (as->root == top && !region_is_leaf(r)) {
			*addr = sum;
			return true;
		}
	}
	return false;
}
