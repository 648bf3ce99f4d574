/*
 * Trees and flat views as text.
 */
#include "internal.h"

static const char *kind_text(const struct region *r, bool readonly)
{
	switch (r->kind) {
	case REGION_RAM:
		if (readonly || r->readonly)
			return "rom";
		return r->nonvolatile ? "nv-ram" : "ram";
	case REGION_ROM:
		return "rom";
	case REGION_ROM_DEVICE:
		return r->romd ? "romd" : "i/o";
	case REGION_ALIAS:
		return kind_text(r->target, readonly);
	default:
		return "i/o";
	}
}

/* The last address of what starts at @start. All of the largest size there is means all there is. */
static uint64_t last_addr(uint64_t start, uint64_t size)
{
	return size == REGION_SIZE_MAX ? UINT64_MAX : start + size - 1;
}

static void note_target(GPtrArray *targets, struct region *r)
{
	if (!g_ptr_array_find(targets, r, NULL))
		g_ptr_array_add(targets, r);
}

static void print_line(struct region *r, uint64_t addr, GString *out)
{
	g_string_append_printf(out, "%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): ", addr,
			       last_addr(addr, r->size), r->priority, kind_text(r, false));
	if (r->kind == REGION_ALIAS)
		g_string_append_printf(out, "alias %s @%s %016" PRIx64 "-%016" PRIx64, r->name,
				       r->target->name, r->target_offset,
				       last_addr(r->target_offset, r->size));
	else
		g_string_append(out, r->name);
	g_string_append(out, r->enabled ? "\n" : " [disabled]\n");
}

static gint compare_addr(gconstpointer a, gconstpointer b)
{
	const struct region *x = *(struct region *const *)a, *y = *(struct region *const *)b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->priority < y->priority) - (x->priority > y->priority);
}

/* Children by address; disabled regions are left out with all below them. */
static void print_tree(struct region *r, uint64_t base, unsigned depth, GPtrArray *targets,
		       GString *out)
{
	g_autoptr(GPtrArray) sorted = NULL;

	if (!r->enabled)
		return;
	g_string_append_printf(out, "%*s", 2 * (int)depth, "");
	print_line(r, base + r->addr, out);
	if (r->kind == REGION_ALIAS)
		note_target(targets, r->target);
	if (!r->children)
		return;
	sorted = g_ptr_array_copy(r->children, NULL, NULL);
	g_ptr_array_sort(sorted, compare_addr);
	for (guint i = 0; i < sorted->len; i++)
		print_tree(g_ptr_array_index(sorted, i), base + r->addr, depth + 1, targets, out);
}

/* The spaces, each once with all that share its root; then the targets of the aliases met. */
static void print_trees(const struct address_space *first, const struct address_space *last,
			GString *out)
{
	g_autoptr(GPtrArray) targets = g_ptr_array_new();
	g_autoptr(GPtrArray) done = g_ptr_array_new();

	for (const struct address_space *as = first; as != last; as = as->next) {
		if (g_ptr_array_find(done, as->root, NULL))
			continue;
		g_ptr_array_add(done, as->root);
		for (const struct address_space *twin = as; twin != last; twin = twin->next) {
			if (twin->root == as->root)
				g_string_append_printf(out, "address-space: %s\n", twin->name);
		}
		print_tree(as->root, 0, 1, targets, out);
		g_string_append_c(out, '\n');
	}
	for (guint i = 0; i < targets->len; i++) {
		struct region *r = g_ptr_array_index(targets, i);

		g_string_append_printf(out, "memory-region: %s\n", r->name);
		print_tree(r, 0, 1, targets, out);
		g_string_append_c(out, '\n');
	}
}

static void print_range(const struct flat_range *range, GString *out)
{
	g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s",
			       range->start, last_addr(range->start, range->size),
			       range->region->priority, kind_text(range->region, range->readonly),
			       range->region->name);
	if (range->offset)
		g_string_append_printf(out, " @%016" PRIx64, range->offset);
	g_string_append_c(out, '\n');
}

/* What a space looks like: through aliases of everything, to what they all show. */
static const struct region *view_root(const struct region *root)
{
	while (root->kind == REGION_ALIAS && !root->target_offset && root->enabled)
		root = root->target;
	return root;
}

static void print_flat_view(const struct address_space *first, const struct address_space *last,
			    const struct address_space *as, unsigned number, GString *out)
{
	g_string_append_printf(out, "FlatView #%u\n", number);
	for (; first != last; first = first->next) {
		if (flat_view_equal(first->view, as->view))
			g_string_append_printf(out, " AS \"%s\", root: %s\n", first->name,
					       first->root->name);
	}
	g_string_append_printf(out, " Root memory region: %s\n",
			       as->view->count ? view_root(as->root)->name : "(none)");
	for (size_t i = 0; i < as->view->count; i++)
		print_range(&as->view->ranges[i], out);
	g_string_append(out, as->view->count ? "\n" : "  No rendered FlatView\n\n");
}

static bool shown_before(const struct address_space *first, const struct address_space *as)
{
	for (; first != as; first = first->next) {
		if (flat_view_equal(first->view, as->view))
			return true;
	}
	return false;
}

static void print_flat_views(const struct address_space *first, const struct address_space *last,
			     GString *out)
{
	unsigned number = 0;

	for (const struct address_space *as = first; as != last; as = as->next) {
		if (!shown_before(first, as))
			print_flat_view(first, last, as, number++, out);
	}
}

void address_space_print(const struct address_space *as, bool flat, GString *out)
{
	(flat ? print_flat_views : print_trees)(as, as->next, out);
}

void address_spaces_print(bool flat, GString *out)
{
	(flat ? print_flat_views : print_trees)(mem_state()->spaces, NULL, out);
}
