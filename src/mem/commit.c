/*
 * Transactions on the trees, and address spaces as what is published from them.
 */
#include <assert.h>
#include "internal.h"
#include "rcu.h"

struct mem_state *mem_state(void)
{
	static struct mem_state state;

	return &state;
}

void mem_begin(void)
{
	mem_state()->depth++;
}

void mem_commit(void)
{
	struct mem_state *mem = mem_state();

	assert(mem->depth);
	if (!--mem->depth)
		mem_publish();
}

void mem_changed(struct region *r)
{
	struct mem_state *mem = mem_state();
	struct region *top = region_top(r);

	if (!mem->changed)
		mem->changed = g_ptr_array_new();
	if (!g_ptr_array_find(mem->changed, top, NULL))
		g_ptr_array_add(mem->changed, top);
}

void mem_changed_all(void)
{
	mem_state()->all_changed = true;
}

struct update {
	struct address_space *as;
	struct flat_view *from, *to;
};

static void render_changed(GArray *updates)
{
	struct mem_state *mem = mem_state();

	for (struct address_space *as = mem->spaces; as; as = as->next) {
		struct update update = {as, as->view, NULL};

		if (!mem->all_changed && !flat_view_depends(as->view, mem->changed))
			continue;
		update.to = flat_view_render(as->root);
		g_array_append_val(updates, update);
	}
	mem->all_changed = false;
	if (mem->changed)
		g_ptr_array_set_size(mem->changed, 0);
}

/* A view that shows the same may still have been rendered from other trees: those it must remember. */
static bool update_is_idle(const struct update *update)
{
	if (!flat_view_equal(update->from, update->to))
		return false;
	g_ptr_array_set_size(update->from->roots, 0);
	g_ptr_array_extend(update->from->roots, update->to->roots, NULL, NULL);
	flat_view_free(update->to);
	return true;
}

static void retire_view(void *view)
{
	flat_view_free(view);
}

/* A notifier may be closed as soon as its doorbell is gone, so no reader may be about to ring it. */
static bool doorbells_went(const struct update *update)
{
	return update->from->doorbells->len && !flat_view_same_doorbells(update->from, update->to);
}

static void publish_once(void)
{
	g_autoptr(GArray) updates = g_array_new(FALSE, FALSE, sizeof(struct update));
	bool wait = false;

	render_changed(updates);
	for (guint i = 0; i < updates->len; i++) {
		struct update *update = &g_array_index(updates, struct update, i);

		if (update_is_idle(update))
			update->to = NULL;
		else
			rcu_set_pointer(&update->as->view, update->to);
	}
	for (guint i = 0; i < updates->len; i++) {
		struct update *update = &g_array_index(updates, struct update, i);

		if (!update->to)
			continue;
		listeners_update(update->as, update->from, update->to);
		wait |= doorbells_went(update);
		mem_retire(retire_view, update->from);
	}
	if (wait)
		mem_synchronize();
}

/* A listener may change the tree in turn: that is published after it has heard of this. */
void mem_publish(void)
{
	struct mem_state *mem = mem_state();

	if (mem->publishing)
		return;
	mem->publishing = true;
	while (mem->all_changed || (mem->changed && mem->changed->len))
		publish_once();
	mem->publishing = false;
}

void address_space_init(struct address_space *as, const char *name, struct region *root)
{
	struct address_space **link = &mem_state()->spaces;

	*as = (struct address_space){
		.name = name,
		.root = root,
		.nothing = 0xff,
		.view = flat_view_render(root),
		.listeners = g_ptr_array_new(),
	};
	while (*link)
		link = &(*link)->next;
	*link = as;
}

void address_space_cleanup(struct address_space *as)
{
	struct address_space **link = &mem_state()->spaces;

	assert(!as->listeners->len);
	while (*link != as)
		link = &(*link)->next;
	*link = as->next;
	mem_retire(retire_view, as->view);
	mem_synchronize();
	g_clear_pointer(&as->listeners, g_ptr_array_unref);
}
