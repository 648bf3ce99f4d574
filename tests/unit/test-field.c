#include <json-c/json.h>
#include "base/field.h"

enum colour { RED, GREEN, BLUE };

static const struct enum_name colour_names[] = {
	{"red", RED}, {"green", GREEN}, {"blue", BLUE}, {"azure", BLUE}, {},
};

struct point {
	int16_t x;
	int16_t y;
	char *label;
};

static const struct field point_rows[] = {
	PROP_INT(struct point, x, "x", -5, -10, 10, "Distance from the left"),
	PROP_INT(struct point, y, "y", 7, -10, 10, "Distance from the top"),
	PROP_STRING(struct point, label, "label", "here", "What is written there"),
	FIELD_ROW_END,
};

static const struct field_set point_set = {"Point", sizeof(struct point), point_rows};

static const struct field string_elem = {.kind = FIELD_STRING, .width = sizeof(char *)};
static const struct field point_elem = {
	.kind = FIELD_STRUCT, .width = sizeof(struct point), .sub = &point_set};

static bool pair_parse(const char *text, void *ptr, GError **errp)
{
	if (strlen(text) != 2) {
		error_set(errp, "'%s' has not two letters", text);
		return false;
	}
	memcpy(ptr, text, 2);
	return true;
}

static const struct field_custom pair_custom = {.name = "pair", .parse = pair_parse};

struct branch_a {
	char *text;
};
static const struct field branch_a_rows[] = {
	ARG_STRING(struct branch_a, text, "text", "Some text"),
	FIELD_ROW_END,
};
static const struct field_set branch_a_set = {"BranchA", sizeof(struct branch_a), branch_a_rows};

struct branch_b {
	uint32_t number;
};
static const struct field branch_b_rows[] = {
	ARG_UINT(struct branch_b, number, "number", "Some number"),
	FIELD_ROW_END,
};
static const struct field_set branch_b_set = {"BranchB", sizeof(struct branch_b), branch_b_rows};

static const struct field_branch colour_branches[] = {
	{RED, &branch_a_set},
	{GREEN, &branch_b_set},
	{},
};

static const struct field alternatives[] = {
	{.name = "null", .kind = FIELD_NULL},
	{.name = "text", .kind = FIELD_STRING, .width = sizeof(char *)},
	{.name = "point", .kind = FIELD_STRUCT, .width = sizeof(void *), .sub = &point_set},
	FIELD_ROW_END,
};

struct everything {
	bool flag;
	uint8_t small;
	uint64_t size;
	char *name;
	int colour;
	int mode;
	char pair[2];
	struct point point;
	struct point *far;
	GArray *names;
	GArray *points;
	struct field_alternate alt;
	struct json_object *any;
	uint32_t limit;
	bool has_limit;
	int kind;
	union {
		struct branch_a a;
		struct branch_b b;
	} u;
};

static const struct field everything_rows[] = {
	PROP_BOOL(struct everything, flag, "flag", true, "Whether"),
	PROP_UINT(struct everything, small, "small", 200, 250, "How many"),
	PROP_SIZE(struct everything, size, "size", 128 * MIB, "How much"),
	PROP_STRING(struct everything, name, "name", NULL, "What it is called"),
	PROP_ENUM(struct everything, colour, "colour", colour_names, GREEN, "Its colour"),
	PROP_ONOFFAUTO(struct everything, mode, "mode", ONOFFAUTO_AUTO, "Whether, or maybe"),
	PROP_CUSTOM(struct everything, pair, "pair", &pair_custom, "ab", "Two letters"),
	ARG_STRUCT(struct everything, point, "point", &point_set, "Where"),
	OPT_STRUCT(struct everything, far, "far", &point_set, "Where else"),
	OPT_LIST(struct everything, names, "names", &string_elem, "Other names"),
	OPT_LIST(struct everything, points, "points", &point_elem, "Other places"),
	{FIELD_AT(struct everything, alt, "alt", FIELD_ALTERNATE, sizeof(struct field_alternate),
		  "This or that"),
	 .flags = FIELD_OPTIONAL, .alternatives = alternatives},
	OPT_ANY(struct everything, any, "any", "Whatever"),
	OPT_UINT(struct everything, limit, "limit", "The limit"),
	ARG_ENUM(struct everything, kind, "kind", colour_names, "Which members follow"),
	ARG_UNION(struct everything, u, "kind", colour_branches),
	FIELD_ROW_END,
};

static const struct field_set everything_set = {"Everything", sizeof(struct everything),
						everything_rows};

static void test_defaults(void)
{
	struct everything all = {};

	fields_set_defaults(everything_rows, &all);
	g_assert_true(all.flag);
	g_assert_cmpuint(all.small, ==, 200);
	g_assert_cmpuint(all.size, ==, 128 * MIB);
	g_assert_null(all.name);
	g_assert_cmpint(all.colour, ==, GREEN);
	g_assert_cmpmem(all.pair, 2, "ab", 2);
	g_assert_cmpint(all.point.x, ==, -5);
	g_assert_cmpint(all.point.y, ==, 7);
	g_assert_cmpstr(all.point.label, ==, "here");
	g_assert_null(all.far);
	g_assert_false(all.has_limit);
	fields_clear(everything_rows, &all);
}

/* Everything owned is freed (LeakSanitizer watches), and the memory is as before. */
static void test_clear(void)
{
	struct everything all = {}, zero = {};
	struct point point = {};
	char *text = g_strdup("alias");

	fields_set_defaults(everything_rows, &all);
	fields_set_defaults(point_rows, &point);
	all.name = g_strdup("name");
	all.far = g_new0(struct point, 1);
	all.far->label = g_strdup("far");
	all.names = g_array_new(FALSE, FALSE, sizeof(char *));
	g_array_append_val(all.names, text);
	all.points = g_array_new(FALSE, FALSE, sizeof(struct point));
	g_array_append_val(all.points, point);
	all.alt.which = 2;
	all.alt.object = g_new0(struct point, 1);
	((struct point *)all.alt.object)->label = g_strdup("alt");
	all.any = json_object_new_int(1);
	all.has_limit = true;
	all.limit = 5;
	all.kind = RED;
	all.u.a.text = g_strdup("branch");
	fields_clear(everything_rows, &all);
	g_assert_cmpmem(&all, sizeof(all), &zero, sizeof(zero));

	all.alt.which = 1;
	all.alt.string = g_strdup("text");
	all.kind = GREEN;
	all.u.b.number = 77;
	fields_clear(everything_rows, &all);
	g_assert_cmpmem(&all, sizeof(all), &zero, sizeof(zero));
}

static void test_load_store(void)
{
	struct point point = {};
	const struct field *x = fields_find(point_rows, "x");
	const struct field *small = fields_find(everything_rows, "small");
	uint8_t byte = 0;
	bool truth = false;

	field_store(x, field_ptr(x, &point), (uint64_t)-3);
	g_assert_cmpint(point.x, ==, -3);
	g_assert_cmpint(point.y, ==, 0);
	g_assert_cmpint((int64_t)field_load(x, &point.x), ==, -3);
	field_store(small, &byte, 0x1ff);
	g_assert_cmpuint(field_load(small, &byte), ==, 0xff);
	field_store(&everything_rows[0], &truth, 0x100);
	g_assert_true(truth);
	g_assert_null(fields_find(point_rows, "z"));
	g_assert_null(fields_find(NULL, "z"));
}

static void test_range(void)
{
	static const struct field free_row = {.kind = FIELD_INT, .width = 1};
	const struct field *x = fields_find(point_rows, "x");
	const struct field *small = fields_find(everything_rows, "small");
	const struct field *colour = fields_find(everything_rows, "colour");

	g_assert_true(field_in_range(x, (uint64_t)-10));
	g_assert_false(field_in_range(x, (uint64_t)-11));
	g_assert_false(field_in_range(x, 11));
	g_assert_true(field_in_range(small, 250));
	g_assert_false(field_in_range(small, 251));
	g_assert_false(field_in_range(small, 256));
	g_assert_true(field_in_range(&free_row, (uint64_t)-128));
	g_assert_false(field_in_range(&free_row, 128));
	g_assert_true(field_in_range(colour, BLUE));
	g_assert_false(field_in_range(colour, 3));
	g_assert_false(field_in_range(colour, 1ULL << 32));
}

static void test_enum(void)
{
	g_autoptr(GError) err = NULL;

	g_assert_cmpint(enum_parse(colour_names, "azure", "colour", &err), ==, BLUE);
	g_assert_cmpstr(enum_name_of(colour_names, BLUE), ==, "blue");
	g_assert_null(enum_name_of(colour_names, 9));
	g_assert_cmpint(enum_parse(colour_names, "pink", "colour", &err), ==, -1);
	g_assert_cmpstr(err->message, ==, "Parameter 'colour' does not accept value 'pink'");
	g_assert_cmpstr(error_hint(err), ==, "Possible values: red, green, blue, azure");
}

static void test_nearest(void)
{
	static const char *const names[] = {"virtio-blk-pci", "virtio-net-pci", "e1000",
					    "isa-serial", NULL};
	g_autofree char *huge = g_strnfill(1000, 'x');

	g_assert_cmpstr(nearest_name("virtio-blk-pic", names), ==, "virtio-blk-pci");
	g_assert_cmpstr(nearest_name("virtio-bkl", names), ==, NULL);
	g_assert_cmpstr(nearest_name("e100", names), ==, "e1000");
	g_assert_cmpstr(nearest_name("e1000", names), ==, "e1000");
	g_assert_cmpstr(nearest_name("serial", names), ==, NULL);
	g_assert_null(nearest_name("", names));
	g_assert_null(nearest_name(huge, names));
}

static void test_check_good(void)
{
	g_autofree char *faults = fields_check(&everything_set);

	g_assert_cmpstr(faults, ==, NULL);
}

static void assert_fault(const struct field *rows, size_t size, const char *want)
{
	struct field_set set = {"Bad", size, rows};
	g_autofree char *faults = fields_check(&set);

	g_assert_cmpstr(faults, ==, want);
}

#define ASSERT_FAULT(want, ...)                                                                    \
	do {                                                                                       \
		const struct field rows[] = {__VA_ARGS__, FIELD_ROW_END};                          \
		assert_fault(rows, sizeof(struct everything), want);                               \
	} while (0)

static void test_check_rows(void)
{
	ASSERT_FAULT("Bad.flag: name stands twice",
		     PROP_BOOL(struct everything, flag, "flag", true, "One"),
		     PROP_BOOL(struct everything, has_limit, "flag", true, "Two"));
	ASSERT_FAULT("Bad.?: row 0 has no name", {.kind = FIELD_BOOL, .width = 1});
	ASSERT_FAULT("Bad.flag: no help", PROP_BOOL(struct everything, flag, "flag", true, ""));
	ASSERT_FAULT("Bad.flag: help ends with a full stop",
		     PROP_BOOL(struct everything, flag, "flag", true, "Whether."));
	ASSERT_FAULT("Bad.flag: width 4 does not fit kind 1",
		     {.name = "flag", .help = "x", .kind = FIELD_BOOL, .width = 4});
	const struct field beyond[] = {PROP_SIZE(struct everything, size, "n", 0, "How much"),
				       FIELD_ROW_END};
	assert_fault(beyond, 8, "Bad.n: ends at 16, beyond the structure's 8 bytes");
	ASSERT_FAULT("Bad.b: bytes and arrays are for saved state",
		     {.name = "b", .help = "x", .kind = FIELD_BYTES, .width = 1, .count = 2});
}

static void test_check_values(void)
{
	ASSERT_FAULT("Bad.small: default 251 is out of bounds",
		     PROP_UINT(struct everything, small, "small", 251, 250, "How many"));
	ASSERT_FAULT("Bad.small: bounds exceed 1 bytes",
		     PROP_UINT(struct everything, small, "small", 1, 256, "How many"));
	ASSERT_FAULT("Bad.x: bounds reversed: 5 to 2",
		     {.name = "x", .help = "x", .kind = FIELD_INT, .width = 2, .min = 5, .max = 2});
	ASSERT_FAULT("Bad.colour: default 3 is not a value of the enum",
		     PROP_ENUM(struct everything, colour, "colour", colour_names, 3, "Its colour"));
	ASSERT_FAULT("Bad.colour: enum without names",
		     PROP_ENUM(struct everything, colour, "colour", NULL, 0, "Its colour"));
	ASSERT_FAULT("Bad.pair: default 'abc': 'abc' has not two letters",
		     PROP_CUSTOM(struct everything, pair, "pair", &pair_custom, "abc", "Letters"));
}

static void test_check_references(void)
{
	static const struct field bad_rows[] = {
		PROP_INT(struct point, x, "x", 11, -10, 10, "Distance"),
		FIELD_ROW_END,
	};
	static const struct field_set bad_set = {"Inner", sizeof(struct point), bad_rows};

	ASSERT_FAULT("Bad.far: structure without rows",
		     OPT_STRUCT(struct everything, far, "far", NULL, "Where"));
	ASSERT_FAULT("Inner.x: default 11 is out of bounds",
		     OPT_STRUCT(struct everything, far, "far", &bad_set, "Where"));
	ASSERT_FAULT("Bad.names: list without elements",
		     OPT_LIST(struct everything, names, "names", NULL, "Names"));
	ASSERT_FAULT("Bad.pair: custom kind without callbacks",
		     PROP_CUSTOM(struct everything, pair, "pair", NULL, NULL, "Letters"));
	ASSERT_FAULT("Bad.u: union whose tag 'kind' is no enum beside it",
		     ARG_UNION(struct everything, u, "kind", colour_branches));
	ASSERT_FAULT("Bad.u: member 'text' of branch 'BranchA' hides another",
		     ARG_ENUM(struct everything, kind, "kind", colour_names, "Which"),
		     ARG_STRING(struct everything, name, "text", "Text"),
		     ARG_UNION(struct everything, u, "kind", colour_branches));
}

struct saved {
	uint8_t regs[4];
	uint16_t words[3];
	struct point points[2];
	bool on;
	char pair[2];
};

static const struct field saved_point_rows[] = {
	SAVE_INT(struct point, x),
	FIELD_ROW_END,
};
static const struct field_set saved_point_set = {"point", sizeof(struct point), saved_point_rows};

static const struct field saved_rows[] = {
	SAVE_BYTES(struct saved, regs),
	SAVE_UINTS(struct saved, words),
	SAVE_STRUCTS(struct saved, points, &saved_point_set),
	SAVE_BOOL(struct saved, on),
	FIELD_ROW_END,
};

static void test_check_state(void)
{
	static const struct field bad_rows[] = {
		SAVE_CUSTOM(struct saved, pair, &pair_custom),
		FIELD_ROW_END,
	};
	const struct field_set good = {"saved", sizeof(struct saved), saved_rows};
	const struct field_set bad = {"saved", sizeof(struct saved), bad_rows};
	struct saved saved = {.words = {1, 2, 3}, .regs = {4}};
	g_autofree char *none = fields_check_state(&good);
	g_autofree char *faults = fields_check_state(&bad);
	g_autofree char *strict = fields_check(&good);

	g_assert_cmpstr(none, ==, NULL);
	g_assert_cmpstr(faults, ==, "saved.pair: custom kind 'pair' cannot be saved");
	g_assert_nonnull(strict);
	field_clear(&saved_rows[1], &saved);
	g_assert_cmpuint(saved.words[2], ==, 0);
	g_assert_cmpuint(saved.regs[0], ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/field/defaults", test_defaults);
	g_test_add_func("/field/clear", test_clear);
	g_test_add_func("/field/load-store", test_load_store);
	g_test_add_func("/field/range", test_range);
	g_test_add_func("/field/enum", test_enum);
	g_test_add_func("/field/nearest", test_nearest);
	g_test_add_func("/field/check-good", test_check_good);
	g_test_add_func("/field/check-rows", test_check_rows);
	g_test_add_func("/field/check-values", test_check_values);
	g_test_add_func("/field/check-references", test_check_references);
	g_test_add_func("/field/check-state", test_check_state);
	return g_test_run();
}
