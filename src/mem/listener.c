/*
 * Telling listeners what differs between two views.
 *
 * Both are sorted, so one walk down the two arrays side by side finds what only the old one has, what
 * only the new one has, and what both have. The walk is made once for removals and once for
 * additions, because a listener (KVM's memory slots) cannot hold two overlapping ranges at a time.
 */
#include <assert.h>
#include "internal.h"

typedef void range_fn(void *opaque, const struct flat_range *range);

/* Calls @fn for ranges of @view that @other has not. */
static void report_only_in(const struct flat_view *view, const struct flat_view *other,
			   range_fn *fn, void *opaque)
{
	size_t j = 0;

	if (!fn)
		return;
	for (size_t i = 0; i < view->count; i++) {
		const struct flat_range *range = &view->ranges[i];

		while (j < other->count && other->ranges[j].start < range->start)
			j++;
		if (j == other->count || !flat_range_equal(range, &other->ranges[j]))
			fn(opaque, range);
	}
}

static void report_log_changes(const struct flat_view *from, const struct flat_view *to,
			       range_fn *fn, void *opaque)
{
	size_t j = 0;

	if (!fn)
		return;
	for (size_t i = 0; i < to->count; i++) {
		const struct flat_range *range = &to->ranges[i];

		while (j < from->count && from->ranges[j].start < range->start)
			j++;
		if (j < from->count && flat_range_equal(range, &from->ranges[j]) &&
		    range->dirty_users != from->ranges[j].dirty_users)
			fn(opaque, range);
	}
}

/* Bells that sort alike are few, and in no particular order. @from: the first that does. */
static bool has_doorbell(const GArray *bells, guint from, const struct doorbell *bell)
{
	for (; from < bells->len; from++) {
		const struct doorbell *other = &g_array_index(bells, struct doorbell, from);

		if (doorbell_equal(other, bell))
			return true;
		if (doorbell_compare(other, bell) > 0)
			return false;
	}
	return false;
}

static void report_doorbells(const struct flat_view *view, const struct flat_view *other,
			     void (*fn)(void *opaque, const struct doorbell *bell), void *opaque)
{
	GArray *bells = other->doorbells;
	guint j = 0;

	for (guint i = 0; fn && i < view->doorbells->len; i++) {
		struct doorbell *bell = &g_array_index(view->doorbells, struct doorbell, i);

		while (j < bells->len &&
		       doorbell_compare(&g_array_index(bells, struct doorbell, j), bell) < 0)
			j++;
		if (!has_doorbell(bells, j, bell))
			fn(opaque, bell);
	}
}

static bool has_coalesced(const struct flat_view *view, const struct addr_range *range)
{
	for (guint i = 0; i < view->coalesced->len; i++) {
		struct addr_range *other = &g_array_index(view->coalesced, struct addr_range, i);

		if (other->start == range->start && other->size == range->size)
			return true;
	}
	return false;
}

static void report_coalesced(const struct flat_view *view, const struct flat_view *other,
			     void (*fn)(void *opaque, const struct addr_range *range), void *opaque)
{
	for (guint i = 0; fn && i < view->coalesced->len; i++) {
		struct addr_range *range = &g_array_index(view->coalesced, struct addr_range, i);

		if (!has_coalesced(other, range))
			fn(opaque, range);
	}
}

static void listener_update(const struct mem_listener *l, const struct flat_view *from,
			    const struct flat_view *to)
{
	if (l->begin)
		l->begin(l->opaque);
	report_doorbells(from, to, l->doorbell_del, l->opaque);
	report_coalesced(from, to, l->coalesced_del, l->opaque);
	report_only_in(from, to, l->range_del, l->opaque);
	report_only_in(to, from, l->range_add, l->opaque);
	report_log_changes(from, to, l->log_changed, l->opaque);
	report_coalesced(to, from, l->coalesced_add, l->opaque);
	report_doorbells(to, from, l->doorbell_add, l->opaque);
	if (l->commit)
		l->commit(l->opaque);
}

void listeners_update(struct address_space *as, const struct flat_view *from,
		      const struct flat_view *to)
{
	for (guint i = 0; i < as->listeners->len; i++)
		listener_update(g_ptr_array_index(as->listeners, i), from, to);
}

/* A view with nothing in it, to compare with. */
static void with_empty_view(void (*fn)(const struct mem_listener *l, const struct flat_view *view,
				       const struct flat_view *empty),
			    const struct mem_listener *l, const struct flat_view *view)
{
	struct flat_view empty = {
		.doorbells = g_array_new(FALSE, FALSE, sizeof(struct doorbell)),
		.coalesced = g_array_new(FALSE, FALSE, sizeof(struct addr_range)),
	};

	fn(l, view, &empty);
	g_array_unref(empty.doorbells);
	g_array_unref(empty.coalesced);
}

static void replay_additions(const struct mem_listener *l, const struct flat_view *view,
			     const struct flat_view *empty)
{
	listener_update(l, empty, view);
}

static void replay_removals(const struct mem_listener *l, const struct flat_view *view,
			    const struct flat_view *empty)
{
	listener_update(l, view, empty);
}

void listener_add(struct address_space *as, const struct mem_listener *listener)
{
	g_ptr_array_add(as->listeners, (void *)listener);
	with_empty_view(replay_additions, listener, as->view);
}

void listener_remove(struct address_space *as, const struct mem_listener *listener)
{
	gboolean found = g_ptr_array_remove(as->listeners, (void *)listener);

	assert(found);
	with_empty_view(replay_removals, listener, as->view);
}

void address_space_sync_log(struct address_space *as)
{
	for (guint i = 0; i < as->listeners->len; i++) {
		const struct mem_listener *l = g_ptr_array_index(as->listeners, i);

		for (size_t j = 0; l->log_sync && j < as->view->count; j++) {
			if (as->view->ranges[j].dirty_users)
				l->log_sync(l->opaque, &as->view->ranges[j]);
		}
	}
}
