/* SMBIOS: what the comparison with a peer's bytes (tests/interop/test-smbios) does not reach. */
#include "abi/smbios.h"
#include "base/checked.h"
#include "hw/smbios.h"
#include "hw/smbios/settings.h"

static const struct smbios_machine machine = {
	.manufacturer = "QEMU",
	.product = "PC",
	.version = "1",
	.sockets = 1,
	.cores = 1,
	.threads = 1,
	.ram_size = 128 * MIB,
	.below_4g = 128 * MIB,
};

/* The structure with @handle; every step stays inside the table. */
static const void *find(const struct smbios_tables *t, uint16_t handle)
{
	const uint8_t *p = t->table->data, *end = p + t->table->len;

	while (p < end) {
		const struct smbios_header *h = (const struct smbios_header *)p;
		const uint8_t *strings = p + h->length;

		if (h->handle == handle)
			return h;
		while (strings + 1 < end && (strings[0] || strings[1]))
			strings++;
		p = strings + 2;
	}
	return NULL;
}

static const char *string_of(const void *structure, unsigned number)
{
	const struct smbios_header *h = structure;
	const char *p = (const char *)structure + h->length;

	while (--number)
		p += strlen(p) + 1;
	return p;
}

static void add(struct smbios_settings *s, const char *json)
{
	g_autoptr(json_object) props = json_parse(json, NULL);

	g_assert_true(smbios_settings_add(s, props, false, NULL));
}

static uint8_t sum(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint8_t total = 0;

	while (size--)
		total += *p++;
	return total;
}

static void test_place(void)
{
	struct smbios_machine m = machine;
	g_autoptr(smbios_tables) narrow = smbios_tables_new(&m, NULL, NULL);
	const struct smbios_anchor21 *a21 = (const void *)narrow->anchor->data;
	g_autoptr(smbios_tables) wide = NULL;
	const struct smbios_anchor30 *a30;

	g_assert_cmpuint(a21->checksum, ==, 0);
	smbios_tables_place(narrow, 0x7ff0000);
	g_assert_cmpuint(a21->table, ==, 0x7ff0000);
	g_assert_cmpuint(a21->table_length, ==, narrow->table->len);
	g_assert_cmpuint(sum(a21, sizeof(*a21)), ==, 0);
	g_assert_cmpuint(sum(a21->intermediate, 15), ==, 0);

	m.entry64 = true;
	wide = smbios_tables_new(&m, NULL, NULL);
	a30 = (const void *)wide->anchor->data;
	smbios_tables_place(wide, 0x7ff0000);
	g_assert_cmpuint(a30->table, ==, 0x7ff0000);
	g_assert_cmpuint(sum(a30, sizeof(*a30)), ==, 0);
}

static void test_uuid(void)
{
	uint8_t uuid[16];

	g_assert_true(smbios_parse_uuid("00112233-4455-6677-8899-aAbBcCdDeEfF", uuid));
	g_assert_cmpint(memcmp(uuid,
			       "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
			       16),
			==, 0);
	g_assert_false(smbios_parse_uuid("", uuid));
	g_assert_false(smbios_parse_uuid("00112233-4455-6677-8899-aabbccddeef", uuid));
	g_assert_false(smbios_parse_uuid("00112233-4455-6677-8899-aabbccddeeff0", uuid));
	g_assert_false(smbios_parse_uuid("00112233445566778899aabbccddeeff----", uuid));
}

/* The user's UUID wins over the machine's, and its first fields turn around. */
static void test_user_uuid(void)
{
	static const uint8_t other[16] = {0xff};
	struct smbios_machine m = machine;
	g_autoptr(smbios_settings) s = smbios_settings_new();
	g_autoptr(smbios_tables) t = NULL;
	const struct smbios_system *system;

	m.uuid = other;
	add(s, "{\"type\": \"1\", \"uuid\": \"00112233-4455-6677-8899-aabbccddeeff\"}");
	t = smbios_tables_new(&m, s, NULL);
	system = find(t, 0x100);
	g_assert_cmpint(memcmp(system->uuid, "\x33\x22\x11\x00\x55\x44\x77\x66\x88", 9), ==, 0);
}

static void test_release(void)
{
	static const char *const bad[] = {"",      ".",     "1",     "1.", ".1",
					  "1.2.3", "256.0", "0.256", "a.b"};
	uint8_t release[2];

	g_assert_true(smbios_parse_release("12.255", release));
	g_assert_cmpuint(release[0], ==, 12);
	g_assert_cmpuint(release[1], ==, 255);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(smbios_parse_release(bad[i], release));
}

/* Beyond 2 TiB and 4 TiB the wider members take over; handles stay apart. */
static void test_huge(void)
{
	struct smbios_machine m = machine;
	g_autoptr(smbios_tables) t = NULL;
	const struct smbios_memory_array *array;
	const struct smbios_mapped_address *low, *high;

	m.entry64 = true;
	m.ram_size = 9 * 1024 * GIB;
	m.below_4g = 3 * GIB;
	m.above_4g = m.ram_size - m.below_4g;
	t = smbios_tables_new(&m, NULL, NULL);
	array = find(t, 0x1000);
	g_assert_cmpuint(array->devices, ==, 576);
	g_assert_cmpuint(array->capacity, ==, 0x80000000);
	g_assert_cmpuint(array->extended_capacity, ==, m.ram_size);
	low = find(t, 0x1100 + 576);
	high = find(t, 0x1100 + 577);
	g_assert_cmpuint(low->header.type, ==, 19);
	g_assert_cmpuint(low->end, ==, 3 * MIB - 1);
	g_assert_cmpuint(high->start, ==, UINT32_MAX);
	g_assert_cmpuint(high->end, ==, UINT32_MAX);
	g_assert_cmpuint(high->extended_start, ==, 4 * GIB);
	g_assert_cmpuint(high->extended_end, ==, 4 * GIB + m.above_4g - 1);
}

static void test_many_cores(void)
{
	struct smbios_machine m = machine;
	g_autoptr(smbios_tables) t = NULL;
	const struct smbios_processor *cpu;

	m.entry64 = true;
	m.cores = 300;
	m.threads = 600;
	t = smbios_tables_new(&m, NULL, NULL);
	cpu = find(t, 0x400);
	g_assert_cmpuint(cpu->cores, ==, 0xff);
	g_assert_cmpuint(cpu->threads, ==, 0xff);
	g_assert_cmpuint(cpu->cores2, ==, 300);
	g_assert_cmpuint(cpu->threads2, ==, 600);
}

static void test_too_long(void)
{
	struct smbios_machine m = machine;
	g_autofree char *text = g_strnfill(66000, 'x');
	g_autofree char *json = g_strdup_printf("{\"type\": \"1\", \"serial\": \"%s\"}", text);
	g_autoptr(smbios_settings) s = smbios_settings_new();
	g_autoptr(smbios_tables) t = NULL;
	g_autoptr(GError) err = NULL;

	add(s, json);
	g_assert_null(smbios_tables_new(&m, s, &err));
	g_assert_true(g_pattern_match_simple("*exceeds 65535", err->message));
	m.entry64 = true;
	t = smbios_tables_new(&m, s, NULL);
	g_assert_nonnull(t);
	g_assert_cmpstr(string_of(find(t, 0x100), 4), ==, text);
}

/* A string's number is a byte: what does not fit is refused, not wrapped. */
static void test_too_many_strings(void)
{
	g_autoptr(smbios_settings) s = smbios_settings_new();
	g_autoptr(GError) err = NULL;
	g_autoptr(json_object) one = json_parse("{\"type\": \"11\", \"value\": [\"x\"]}", NULL);
	g_autoptr(smbios_tables) t = NULL;
	const struct smbios_oem_strings *strings;

	for (unsigned i = 0; i < 255; i++)
		g_assert_true(smbios_settings_add(s, one, false, NULL));
	g_assert_false(smbios_settings_add(s, one, false, &err));
	g_assert_true(g_pattern_match_simple("*at most 255*", err->message));
	t = smbios_tables_new(&machine, s, NULL);
	strings = find(t, 0xe00);
	g_assert_cmpuint(strings->count, ==, 255);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/smbios/place", test_place);
	g_test_add_func("/smbios/uuid", test_uuid);
	g_test_add_func("/smbios/user-uuid", test_user_uuid);
	g_test_add_func("/smbios/release", test_release);
	g_test_add_func("/smbios/huge", test_huge);
	g_test_add_func("/smbios/many-cores", test_many_cores);
	g_test_add_func("/smbios/too-long", test_too_long);
	g_test_add_func("/smbios/too-many-strings", test_too_many_strings);
	return g_test_run();
}
