#include "base/checked.h"

static void test_overflow(void)
{
	uint8_t small;
	uint64_t sum;

	g_assert_true(ADD_OVERFLOWS(200, 56, &small));
	g_assert_false(ADD_OVERFLOWS(200, 55, &small));
	g_assert_cmpuint(small, ==, 255);
	g_assert_true(SUB_OVERFLOWS(1u, 2u, &sum));
	g_assert_true(MUL_OVERFLOWS(1ULL << 32, 1ULL << 32, &sum));
	g_assert_false(MUL_OVERFLOWS(1ULL << 32, (1ULL << 32) - 1, &sum));
	g_assert_cmphex(sum, ==, 0xffffffff00000000);
}

static void test_range(void)
{
	g_assert_true(range_fits(0, 0, 0));
	g_assert_true(range_fits(10, 6, 16));
	g_assert_false(range_fits(10, 7, 16));
	g_assert_true(range_fits(16, 0, 16));
	g_assert_false(range_fits(17, 0, 16));
	g_assert_false(range_fits(UINT64_MAX, 2, 16));
	g_assert_false(range_fits(2, UINT64_MAX, 16));
	g_assert_true(range_fits(0, UINT64_MAX, UINT64_MAX));
}

static void test_endian(void)
{
	uint8_t bytes[9] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8};

	g_assert_cmphex(get_le16(bytes + 1), ==, 0x0201);
	g_assert_cmphex(get_le32(bytes + 1), ==, 0x04030201);
	g_assert_cmphex(get_le64(bytes + 1), ==, 0x0807060504030201);
	g_assert_cmphex(get_be16(bytes + 1), ==, 0x0102);
	g_assert_cmphex(get_be32(bytes + 1), ==, 0x01020304);
	g_assert_cmphex(get_be64(bytes + 1), ==, 0x0102030405060708);
	put_be32(bytes + 3, 0xa1b2c3d4);
	g_assert_cmphex(get_le(bytes + 3, 4), ==, 0xd4c3b2a1);
	put_le(bytes + 1, 2, 0xbeef);
	g_assert_cmphex(get_le(bytes, 4), ==, 0xa1beefff);
	put_le64(bytes + 1, 0x1122334455667788);
	g_assert_cmphex(get_be64(bytes + 1), ==, 0x8877665544332211);
	g_assert_cmphex(get_le(bytes, 1), ==, 0xff);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/checked/overflow", test_overflow);
	g_test_add_func("/checked/range", test_range);
	g_test_add_func("/checked/endian", test_endian);
	return g_test_run();
}
