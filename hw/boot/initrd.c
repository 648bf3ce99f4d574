/*
 * -initrd: a list of files, and their place for kernels that want them in one piece.
 */
#include "internal.h"

/* The text up to a single comma; two in a row stand for one. Moves *list behind it, or to NULL. */
static char *next_item(const char **list)
{
	GString *item = g_string_new(NULL);
	const char *p = *list;

	while (*p && (*p != ',' || p[1] == ',')) {
		p += *p == ',';
		g_string_append_c(item, *p++);
	}
	*list = *p ? p + 1 : NULL;
	return g_string_free(item, false);
}

static bool open_item(struct boot_initrd *in, char *item, bool with_args, GError **errp)
{
	g_autofree char *name = g_strdup(item);
	struct boot_file *file;

	g_ptr_array_add(in->strings, item);
	if (with_args)
		name[strcspn(name, " ")] = '\0';
	file = boot_file_open("initrd", name, errp);
	if (file)
		g_ptr_array_add(in->files, file);
	return file != NULL;
}

bool boot_initrd_open(struct boot_initrd *in, const char *list, bool with_args, GError **errp)
{
	in->files = g_ptr_array_new_with_free_func((GDestroyNotify)boot_file_unref);
	in->strings = g_ptr_array_new_with_free_func(g_free);
	while (list) {
		if (!open_item(in, next_item(&list), with_args, errp))
			return false;
	}
	return true;
}

void boot_initrd_clear(struct boot_initrd *in)
{
	g_clear_pointer(&in->files, g_ptr_array_unref);
	g_clear_pointer(&in->strings, g_ptr_array_unref);
}

/* False: the sum does not fit 64 bits. */
static bool total_size(const struct boot_initrd *in, uint64_t *total)
{
	*total = 0;
	for (guint i = 0; i < in->files->len; i++) {
		const struct boot_file *file = g_ptr_array_index(in->files, i);

		if (*total > UINT64_MAX - 4 ||
		    ADD_OVERFLOWS(ROUND_UP(*total, 4), file->size, total))
			return false;
	}
	return true;
}

static bool add_files(struct boot_plan *plan, const struct boot_initrd *in, uint64_t start,
		      GError **errp)
{
	uint64_t addr = start;

	for (guint i = 0; i < in->files->len; i++) {
		struct boot_file *file = g_ptr_array_index(in->files, i);
		uint64_t aligned = start + ROUND_UP(addr - start, 4);
		struct boot_segment gap = {"initrd", addr, aligned - addr, .source = BOOT_ZEROES};

		if (!plan_add(plan, gap, errp) ||
		    !plan_add_file(plan, "initrd", aligned, file, 0, file->size, errp))
			return false;
		addr = aligned + file->size;
	}
	return true;
}

/* The largest one that would have had a place. */
static uint64_t largest_room(const struct boot_plan *plan, uint64_t end)
{
	uint64_t lo = 0, hi = end, addr;

	while (lo < hi) {
		uint64_t mid = hi - (hi - lo) / 2;

		if (plan_find_high(plan, mid, BOOT_PAGE, MIB, end, &addr))
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

bool plan_add_initrd(struct boot_plan *plan, const struct boot_initrd *in, uint64_t end,
		     bool above_4g, uint64_t *addr, uint64_t *size, GError **errp)
{
	bool fits = total_size(in, size);

	*addr = 0;
	if (fits && !*size)
		return true;
	if (fits &&
	    (plan_find_high(plan, *size, BOOT_PAGE, MIB, end, addr) ||
	     (above_4g && plan_find_high(plan, *size, BOOT_PAGE, 4 * GIB, UINT64_MAX, addr))))
		return add_files(plan, in, *addr, errp);
	error_set(errp, "initrd is too large, cannot support.(max: %" PRIu64 ", need %" PRIu64 ")",
		  largest_room(plan, end), fits ? *size : UINT64_MAX);
	return false;
}
