/* Every row of hw/types.c, by device_types_check(). */
#include "hw/types.h"
#include "machine/machine.h"

static void test_rows(void)
{
	g_autofree char *faults = device_types_check(hw_types());

	g_assert_cmpstr(faults, ==, NULL);
}

static const struct device_type *find(const char *name)
{
	for (const struct device_type *const *t = hw_types(); *t; t++) {
		if (!strcmp((*t)->name, name))
			return *t;
	}
	return NULL;
}

/* What older machines have otherwise, there is; a CPU takes its text. */
static void check_compat(const struct machine_info *info)
{
	g_autofree char *text = machine_cpu_text(info, info->default_cpu);
	g_autoptr(GError) err = NULL;
	struct cpu_config cpu = {};

	for (const struct machine_compat *c = info->compat; c->driver; c++) {
		const struct device_type *type = find(c->driver);

		if (!g_str_has_suffix(c->driver, "x86_64-cpu"))
			g_assert_true(type && device_type_prop(type, c->property));
		g_assert_true(c == info->compat || c[-1].last >= c->last);
	}
	g_assert_true(cpu_config_parse(text, &cpu, &err));
	cpu_config_clear(&cpu);
}

static void test_compat(void)
{
	unsigned count = 0;

	for (const struct device_type *const *t = hw_types(); *t; t++) {
		if ((*t)->category != CATEGORY_MACHINE || (*t)->flags & TYPE_ABSTRACT ||
		    !machine_type_info(*t)->compat)
			continue;
		check_compat(machine_type_info(*t));
		count++;
	}
	g_assert_cmpuint(count, ==, 31);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/types/rows", test_rows);
	g_test_add_func("/types/compat", test_compat);
	return g_test_run();
}
