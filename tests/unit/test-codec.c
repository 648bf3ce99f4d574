/* Rows between C structures and JSON or text: values, and QEMU 7.2's words for what is wrong. */
#include "api/codec.h"

enum color { RED, GREEN, BLUE };
static const struct enum_name color_names[] = {
	{"red", RED, NULL}, {"green", GREEN, NULL}, {"blue", BLUE, NULL}, {NULL, 0, NULL}};

struct point {
	int32_t x, y;
};
static const struct field point_rows[] = {
	ARG_INT(struct point, x, "x", "Across"),
	ARG_INT(struct point, y, "y", "Down"),
	{.kind = FIELD_END},
};
static const struct field_set point_set = {"Point", sizeof(struct point), point_rows};
static const struct field point_elem = {.name = "point",
					.help = "A point",
					.kind = FIELD_STRUCT,
					.width = sizeof(struct point),
					.sub = &point_set};
static const struct field string_elem = {
	.name = "word", .help = "A word", .kind = FIELD_STRING, .width = sizeof(char *)};

struct circle {
	uint16_t radius;
	char *label;
};
static const struct field circle_rows[] = {
	ARG_UINT(struct circle, radius, "radius", "Half the width"),
	OPT_STRING(struct circle, label, "label", "Text inside"),
	{.kind = FIELD_END},
};
static const struct field_set circle_set = {"Circle", sizeof(struct circle), circle_rows};

enum shape_kind { SHAPE_DOT, SHAPE_CIRCLE };
static const struct enum_name shape_names[] = {
	{"dot", SHAPE_DOT, NULL}, {"circle", SHAPE_CIRCLE, NULL}, {NULL, 0, NULL}};

struct shape {
	int kind;
	struct point at;
	union {
		struct circle circle;
	} u;
};
static const struct field_branch shape_branches[] = {{SHAPE_CIRCLE, &circle_set}, {0, NULL}};
static const struct field shape_rows[] = {
	ARG_ENUM(struct shape, kind, "kind", shape_names, "What it is"),
	ARG_STRUCT(struct shape, at, "at", &point_set, "Where it is"),
	ARG_UNION(struct shape, u, "kind", shape_branches),
	{.kind = FIELD_END},
};
static const struct field_set shape_set = {"Shape", sizeof(struct shape), shape_rows};

static const struct field ref_rows[] = {
	{.name = "name", .help = "By name", .kind = FIELD_STRING, .width = sizeof(char *)},
	{.name = "here",
	 .help = "In place",
	 .kind = FIELD_STRUCT,
	 .width = sizeof(void *),
	 .sub = &shape_set},
	{.name = "none", .help = "Not at all", .kind = FIELD_NULL},
	{.kind = FIELD_END},
};

struct thing {
	bool flag;
	uint8_t small;
	uint32_t ranged;
	uint64_t wide;
	int64_t count;
	bool has_count;
	uint64_t size;
	double ratio;
	char *name;
	int color;
	int mode;
	GArray *points, *words;
	struct point *origin;
	struct shape shape;
	struct field_alternate ref;
	json_object *extra;
};
static const struct field thing_rows[] = {
	PROP_BOOL(struct thing, flag, "flag", true, "A switch"),
	PROP_UINT(struct thing, small, "small", 7, 0, "A byte"),
	PROP_UINT(struct thing, ranged, "ranged", 5, 10, "Up to ten"),
	PROP_UINT(struct thing, wide, "wide", 0, 0, "All of it"),
	OPT_INT(struct thing, count, "count", "May be absent"),
	PROP_SIZE(struct thing, size, "size", MIB, "Bytes"),
	{.name = "ratio",
	 .help = "A share",
	 .kind = FIELD_NUMBER,
	 .flags = FIELD_OPTIONAL,
	 .width = sizeof(double),
	 .offset = offsetof(struct thing, ratio)},
	PROP_STRING(struct thing, name, "name", "nobody", "Who"),
	PROP_ENUM(struct thing, color, "color", color_names, GREEN, "Its color"),
	PROP_ONOFFAUTO(struct thing, mode, "mode", ONOFFAUTO_AUTO, "Whether"),
	OPT_LIST(struct thing, points, "points", &point_elem, "Corners"),
	OPT_LIST(struct thing, words, "words", &string_elem, "Words"),
	OPT_STRUCT(struct thing, origin, "origin", &point_set, "Zero"),
	ARG_STRUCT(struct thing, shape, "shape", &shape_set, "Form"),
	{.name = "ref",
	 .help = "Another",
	 .kind = FIELD_ALTERNATE,
	 .flags = FIELD_OPTIONAL,
	 .width = sizeof(struct field_alternate),
	 .offset = offsetof(struct thing, ref),
	 .alternatives = ref_rows},
	OPT_ANY(struct thing, extra, "extra", "Anything"),
	{.kind = FIELD_END},
};
static const struct field_set thing_set = {"Thing", sizeof(struct thing), thing_rows};

#define DOT "'shape':{'kind':'dot','at':{'x':1,'y':-2}}"

static void test_tables(void)
{
	g_autofree char *faults = fields_check(&thing_set);

	g_assert_null(faults);
}

static void test_defaults(void)
{
	struct thing t = {0};
	g_autoptr(json_object) json = json_parse("{" DOT "}", NULL);

	g_assert_true(codec_decode(&thing_set, json, &t, false, NULL));
	g_assert_true(t.flag && t.small == 7 && t.ranged == 5 && !t.has_count && t.size == MIB);
	g_assert_cmpstr(t.name, ==, "nobody");
	g_assert_cmpint(t.color, ==, GREEN);
	g_assert_cmpint(t.shape.at.y, ==, -2);
	g_assert_null(t.points);
	fields_clear(thing_rows, &t);
}

static const char full[] =
	"{\"flag\": false, \"small\": 255, \"ranged\": 10, \"wide\": 18446744073709551615, "
	"\"count\": -9223372036854775808, \"size\": 4096, \"ratio\": 0.5, \"name\": \"\\u00E9\", "
	"\"color\": \"blue\", \"mode\": \"on\", \"points\": [{\"x\": 1, \"y\": 2}, {\"x\": 3, \"y\": 4}], "
	"\"words\": [\"a\", \"b\"], \"origin\": {\"x\": 0, \"y\": 0}, \"shape\": {\"kind\": \"circle\", "
	"\"at\": {\"x\": 5, \"y\": 6}, \"radius\": 9, \"label\": \"L\"}, "
	"\"ref\": {\"kind\": \"dot\", \"at\": {\"x\": 0, \"y\": 0}}, \"extra\": [1, {\"z\": null}]}";

static void test_round_trip(void)
{
	struct thing t = {0};
	g_autoptr(GError) err = NULL;
	g_autoptr(json_object) in = json_parse(full, NULL);

	codec_decode(&thing_set, in, &t, false, &err);
	g_assert_no_error(err);
	g_autoptr(json_object) out = codec_encode(&thing_set, &t);
	g_autofree char *text = json_print(out, false);

	g_assert_cmpstr(text, ==, full);
	fields_clear(thing_rows, &t);
}

static void test_lenient(void)
{
	struct thing t = {0};
	g_autoptr(GError) err = NULL;
	g_autoptr(json_object) in = json_parse(
		"{'flag':'off','small':'0x10','wide':'18446744073709551615','count':'-3','size':'1.5G',"
		"'ratio':'1e-3','mode':true,'words':'one','points':[{'x':'1','y':'2'}]," DOT "}",
		NULL);

	codec_decode(&thing_set, in, &t, true, &err);
	g_assert_no_error(err);
	g_assert_true(!t.flag && t.small == 16 && t.wide == UINT64_MAX && t.count == -3);
	g_assert_cmpuint(t.size, ==, 1536 * MIB);
	g_assert_cmpint(t.mode, ==, ONOFFAUTO_ON);
	g_assert_cmpuint(t.words->len, ==, 1);
	g_assert_cmpint(g_array_index(t.points, struct point, 0).y, ==, 2);
	fields_clear(thing_rows, &t);
}

struct mistake {
	bool lenient;
	const char *members, *message, *hint;
};
static const struct mistake mistakes[] = {
	{false, "'flag':1", "Invalid parameter type for 'flag', expected: boolean", NULL},
	{false, "'flag':'on'", "Invalid parameter type for 'flag', expected: boolean", NULL},
	{false, "'flag':null", "Invalid parameter type for 'flag', expected: boolean", NULL},
	{true, "'flag':'maybe'", "Parameter 'flag' expects 'on' or 'off'", NULL},
	{false, "'small':256", "Parameter 'small' expects uint8_t", NULL},
	{false, "'small':'1'", "Parameter 'small' expects uint64", NULL},
	{false, "'small':1.5", "Parameter 'small' expects uint64", NULL},
	{false, "'wide':-1", "Parameter 'wide' expects uint64", NULL},
	{false, "'wide':18446744073709551616", "Parameter 'wide' expects uint64", NULL},
	{true, "'small':'-1'", "Parameter 'small' expects uint8_t", NULL},
	{true, "'small':'x'", "Parameter 'small' expects integer", NULL},
	{true, "'small':'1x'", "Parameter 'small' expects integer", NULL},
	{true, "'small':''", "Parameter 'small' expects integer", NULL},
	{false, "'ranged':11", "Parameter 'ranged' expects a value between 0 and 10", NULL},
	{false, "'count':'x'", "Invalid parameter type for 'count', expected: integer", NULL},
	{false, "'count':9223372036854775808",
	 "Invalid parameter type for 'count', expected: integer", NULL},
	{false, "'size':'1M'", "Parameter 'size' expects uint64", NULL},
	{true, "'size':'1MB'", "Parameter 'size' expects size", NULL},
	{true, "'size':'1.5'", "Parameter 'size' expects size", NULL},
	{true, "'size':'99999999T'", "Parameter 'size' expects size", NULL},
	{false, "'ratio':'x'", "Invalid parameter type for 'ratio', expected: number", NULL},
	{true, "'ratio':'nan'", "Parameter 'ratio' expects number", NULL},
	{false, "'name':5", "Invalid parameter type for 'name', expected: string", NULL},
	{false, "'name':'a\\u0000b'", "Invalid parameter type for 'name', expected: string", NULL},
	{false, "'color':'grean'", "Parameter 'color' does not accept value 'grean'",
	 "Did you mean 'green'?"},
	{false, "'color':1", "Invalid parameter type for 'color', expected: string", NULL},
	{false, "'mode':'maybe'", "Parameter 'mode' does not accept value 'maybe'", NULL},
	{false, "'points':1", "Invalid parameter type for 'points', expected: array", NULL},
	{false, "'points':[{'x':1,'y':2},{'x':1}]", "Parameter 'points[1].y' is missing", NULL},
	{false, "'points':[{'x':1,'y':2,'z':3}]", "Parameter 'points[0].z' is unexpected", NULL},
	{false, "'points':[7]", "Invalid parameter type for 'points[0]', expected: object", NULL},
	{false, "'words':['a',1]", "Invalid parameter type for 'words[1]', expected: string", NULL},
	{false, "'origin':{'x':99999999999,'y':0}", "Parameter 'x' expects int32_t", NULL},
	{false, "'origin':{'x':1}", "Parameter 'origin.y' is missing", NULL},
	{false, "'ref':true", "Invalid parameter type for 'ref', expected: ref", NULL},
	{false, "'nmae':'x'", "Parameter 'nmae' is unexpected", "Did you mean 'name'?"},
	{false, "'radius':1", "Parameter 'radius' is unexpected", NULL},
};

static void test_mistakes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		g_autofree char *text = g_strdup_printf("{%s," DOT "}", m->members);
		g_autoptr(json_object) in = json_parse(text, NULL);
		g_autoptr(GError) err = NULL;
		struct thing t = {0}, zero = {0};

		g_assert_false(codec_decode(&thing_set, in, &t, m->lenient, &err));
		g_assert_cmpstr(err->message, ==, m->message);
		if (m->hint)
			g_assert_cmpstr(error_hint(err), ==, m->hint);
		g_assert_cmpmem(&t, sizeof(t), &zero, sizeof(zero));
		g_assert_false(codec_decode(&thing_set, in, &t, m->lenient, NULL));
	}
}

static void test_shape_mistakes(void)
{
	static const struct mistake cases[] = {
		{false, "{}", "Parameter 'kind' is missing", NULL},
		{false, "{'kind':'circel','at':{'x':1,'y':2}}",
		 "Parameter 'kind' does not accept value 'circel'", "Did you mean 'circle'?"},
		{false, "{'kind':'circle','at':{'x':1,'y':2}}", "Parameter 'radius' is missing",
		 NULL},
		{false, "{'kind':'circle','at':{'x':1,'y':2},'radius':1,'label':2}",
		 "Invalid parameter type for 'label', expected: string", NULL},
		{false, "{'kind':'dot','at':{'x':1,'y':2},'radius':1}",
		 "Parameter 'radius' is unexpected", NULL},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_object) in = json_parse(cases[i].members, NULL);
		g_autoptr(GError) err = NULL;
		struct shape s = {0};

		g_assert_false(codec_decode(&shape_set, in, &s, false, &err));
		g_assert_cmpstr(err->message, ==, cases[i].message);
	}
}

/* A refused value leaves the old one in place; a new one frees it. */
static void test_one_field(void)
{
	struct thing t = {0};
	const struct field *name = fields_find(thing_rows, "name");
	const struct field *words = fields_find(thing_rows, "words");
	g_autoptr(json_object) bad = json_parse("[1]", NULL);

	g_assert_true(codec_parse_field(name, "first", &t, NULL));
	g_assert_true(codec_parse_field(name, "second", &t, NULL));
	g_assert_false(codec_decode_field(name, bad, &t, true, NULL));
	g_assert_cmpstr(t.name, ==, "second");
	g_assert_true(codec_parse_field(words, "w", &t, NULL));
	g_assert_false(codec_decode_field(words, bad, &t, false, NULL));
	g_assert_cmpuint(t.words->len, ==, 1);
	g_autofree char *shown = codec_print_field(name, &t);
	g_autofree char *size = codec_print_field(fields_find(thing_rows, "size"), &t);
	g_autofree char *flag = codec_print_field(fields_find(thing_rows, "flag"), &t);
	g_autofree char *color = codec_print_field(fields_find(thing_rows, "color"), &t);

	g_assert_cmpstr(shown, ==, "second");
	g_assert_cmpstr(size, ==, "0");
	g_assert_cmpstr(flag, ==, "off");
	g_assert_cmpstr(color, ==, "red");
	fields_clear(thing_rows, &t);
}

static void test_size(void)
{
	static const struct {
		const char *text;
		uint64_t unit, size;
	} good[] = {
		{"512M", 1, 512 * MIB},
		{"1.5G", 1, 1536 * MIB},
		{"0x1000", 1, 4096},
		{"64k", 1, 65536},
		{"128", MIB, 128 * MIB},
		{"7B", MIB, 7},
		{"1.0", 1, 1},
		{"0.5", MIB, MIB / 2},
		{"16777215T", 1, 16777215ULL << 40},
		{"15E", 1, 15ULL << 60},
	};
	static const char *const bad[] = {"",
					  "M",
					  "-1",
					  "1MB",
					  "1.5",
					  "0x",
					  "0x1M",
					  "1Q",
					  "1e6",
					  " 1M ",
					  "16E",
					  "99999999T",
					  "18446744073709551616"};
	uint64_t size;

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_true(size_parse(good[i].text, good[i].unit, &size, NULL, "x"));
		g_assert_cmpuint(size, ==, good[i].size);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(size_parse(bad[i], 1, &size, NULL, "x"));
}

static void test_size_print(void)
{
	static const struct {
		uint64_t size;
		const char *text;
	} cases[] = {{0, "0"},
		     {1023, "1023"},
		     {512 * MIB, "512M"},
		     {1536 * MIB, "1.5 GiB"},
		     {UINT64_MAX, "16 EiB"},
		     {1ULL << 60, "1E"}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = size_print(cases[i].size);

		g_assert_cmpstr(text, ==, cases[i].text);
	}
}

static void test_help(void)
{
	g_autoptr(GString) out = g_string_new(NULL);

	fields_print_help(thing_rows, out);
	g_assert_nonnull(strstr(out->str, "  size=<size>            - Bytes (default: 1M)\n"));
	g_assert_nonnull(
		strstr(out->str, "  color=<red|green|blue> - Its color (default: green)\n"));
	g_assert_nonnull(strstr(out->str, "  mode=<OnOffAuto>       - Whether (default: auto)\n"));
	g_assert_nonnull(strstr(out->str, "  words=<[str]>"));
	g_assert_true(g_str_has_prefix(out->str, "  color="));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/codec/tables", test_tables);
	g_test_add_func("/codec/defaults", test_defaults);
	g_test_add_func("/codec/round-trip", test_round_trip);
	g_test_add_func("/codec/lenient", test_lenient);
	g_test_add_func("/codec/mistakes", test_mistakes);
	g_test_add_func("/codec/shape-mistakes", test_shape_mistakes);
	g_test_add_func("/codec/one-field", test_one_field);
	g_test_add_func("/codec/size", test_size);
	g_test_add_func("/codec/size-print", test_size_print);
	g_test_add_func("/codec/help", test_help);
	return g_test_run();
}
