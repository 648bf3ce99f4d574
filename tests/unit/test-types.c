/* Every row of hw/types.c, by device_types_check(). */
#include "hw/types.h"

static void test_rows(void)
{
	g_autofree char *faults = device_types_check(hw_types());

	g_assert_cmpstr(faults, ==, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/types/rows", test_rows);
	return g_test_run();
}
