/* Every row of hw/types.c, by device_types_check(); and that each device has its page. */
#include "hw/types.h"

static void test_rows(void)
{
	g_autofree char *faults = device_types_check(hw_types());

	g_assert_cmpstr(faults, ==, NULL);
}

/* What is made from a table here (CPU models) or is a base has no page of its own. */
static bool wants_page(const struct device_type *type)
{
	return !(type->flags & TYPE_ABSTRACT) && type->category != CATEGORY_CPU;
}

/*
 * A page docs/devices/NAME.md stands for the types it names in its first lines ("isa-serial,
 * pci-serial"), so that variants share one.
 */
static char *all_headings(const char *dir_name)
{
	GString *out = g_string_new(" ");
	g_autoptr(GDir) dir = g_dir_open(dir_name, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(dir_name, name, NULL), *text = NULL;

		if (!g_file_get_contents(path, &text, NULL, NULL))
			continue;
		text[strcspn(text, "\n")] = '\0';
		g_string_append_printf(out, "%s ", g_strdelimit(text, "#,`", ' '));
	}
	return g_string_free(out, false);
}

static void test_pages(void)
{
	g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "docs", "devices", NULL);
	g_autofree char *headings = all_headings(dir);

	for (const struct device_type *const *t = hw_types(); *t; t++) {
		g_autofree char *word = g_strdup_printf(" %s ", (*t)->name);

		if (wants_page(*t) && !strstr(headings, word)) {
			g_test_message("'%s' has no page in docs/devices", (*t)->name);
			g_test_fail();
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/types/rows", test_rows);
	g_test_add_func("/types/pages", test_pages);
	return g_test_run();
}
