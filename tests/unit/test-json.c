/* JSON: the framer's values and errors, in one piece and byte by byte; printing. */
#include "api/json.h"

/* What came out of the framer: a line each, errors marked with '!'. */
static void note(void *opaque, json_object *value, GError *error)
{
	GString *out = opaque;
	g_autofree char *text = error ? NULL : json_print(value, false);

	g_string_append_printf(out, "%s%s\n", error ? "!" : "", error ? error->message : text);
}

static char *frame(const char *data, size_t len, size_t portion)
{
	GString *out = g_string_new(NULL);
	struct json_framer *framer = json_framer_new(note, out);

	for (size_t at = 0; at < len; at += portion)
		json_framer_feed(framer, data + at, MIN(portion, len - at));
	json_framer_free(framer);
	return g_string_free(out, false);
}

struct frame_case {
	const char *in, *out;
};

/* Texts are those of QEMU 7.2 for the same bytes. */
static const struct frame_case frame_cases[] = {
	{"{'execute':'query-name'}\n", "{\"execute\": \"query-name\"}\n"},
	{"[1,2.5,-3,1e3,18446744073709551615,18446744073709551616,-9223372036854775808,0.1]\n",
	 "[1, 2.5, -3, 1000, 18446744073709551615, 1.8446744073709552e+19, "
	 "-9223372036854775808, 0.10000000000000001]\n"},
	{"[-9223372036854775809,-0,-0.0,true,false,null]\n",
	 "[-9.2233720368547758e+18, 0, -0, true, false, null]\n"},
	{"\"\\u00e9\\u0001\\n\\t\\b\\f\\r\\\"\\\\\\/<>&\\u007f\\ud83d\\ude00\"\n",
	 "\"\\u00E9\\u0001\\n\\t\\b\\f\\r\\\"\\\\/<>&\\u007F\\uD83D\\uDE00\"\n"},
	{"\"\xc3\xa9\xf0\x9f\x98\x80\"\n", "\"\\u00E9\\uD83D\\uDE00\"\n"},
	{"'it\\'s \"q\"'\n", "\"it's \\\"q\\\"\"\n"},
	{"\"\\u0000\"\n", "\"\\u0000\"\n"},
	{"null\n12 true", "null\n12\n"},
	{"{}{\"a\":[]} []", "{}\n{\"a\": []}\n[]\n"},
	{"[1\n,2\n]", "[1, 2]\n"},
	{"\"\\ud800\"\n", "!JSON parse error, \\ud800 is not a valid Unicode character\n"},
	{"\"\\ud83d\\u0041\"\n", "!JSON parse error, \\ud83d is not a valid Unicode character\n"},
	{"\"\\uDE00\"\n", "!JSON parse error, \\uDE00 is not a valid Unicode character\n"},
	{"\"\\uffff\"\n", "!JSON parse error, \\uffff is not a valid Unicode character\n"},
	{"\"\\u12\"\n", "!JSON parse error, \\u12\" is not a valid Unicode character\n"},
	{"\"\\x\"\n", "!JSON parse error, invalid escape sequence in string\n"},
	{"\"\xc3\"\n", "!JSON parse error, invalid UTF-8 sequence in string\n"},
	{"\"\xed\xa0\x80\"\n", "!JSON parse error, invalid UTF-8 sequence in string\n"},
	{"\"\xc0\x80\"\n", "!JSON parse error, invalid UTF-8 sequence in string\n"},
	{"{\"id\":NaN}\n1\n", "!JSON parse error, stray 'N'\n1\n"},
	{"{\"id\":nan}\n1\n", "!JSON parse error, invalid keyword 'nan'\n1\n"},
	{"{\"id\":01}\n1\n", "!JSON parse error, stray '01'\n1\n"},
	{"{\"id\":-}\n1\n", "!JSON parse error, stray '-}'\n1\n"},
	{"{\"id\":1.}\n1\n", "!JSON parse error, stray '1.}'\n1\n"},
	{"{\"id\":.5}\n1\n", "!JSON parse error, stray '.'\n1\n"},
	{"{\"id\":1e}\n1\n", "!JSON parse error, stray '1e}'\n1\n"},
	{"{\"id\":0x10}\n1\n", "!JSON parse error, expected separator in dict\n1\n"},
	{"1e400\n", "!JSON parse error, number out of range\n"},
	{"{\"a\tb\":1}\n1\n", "!JSON parse error, stray '\"a\t'\n1\n"},
	{"{\"a\",}\n", "!JSON parse error, missing : in object pair\n"},
	{"{\"a\":1,}\n", "!JSON parse error, expecting value\n"},
	{"{\"a\":}\n", "!JSON parse error, expecting value\n"},
	{"{\"a\":1 \"b\":2}\n", "!JSON parse error, expected separator in dict\n"},
	{"{\"a\":1,\"a\":2}\n", "!JSON parse error, duplicate key\n"},
	{"{1:2}\n", "!JSON parse error, key is not a string in object\n"},
	{"{foo:2}\n", "!JSON parse error, invalid keyword 'foo'\n"},
	{"{\"\\u0000\":2}\n", "!JSON parse error, \\u0000 in a key\n"},
	{"[1,]\n", "!JSON parse error, expecting value\n"},
	{"[,]\n", "!JSON parse error, expecting value\n"},
	{"[1 2\n,3]4\n", "!JSON parse error, expected separator in list\n4\n"},
	{"{\"a\":1}}\n", "{\"a\": 1}\n!JSON parse error, expecting value\n"},
	{"{\"a\":1]\n", "!JSON parse error, expected separator in dict\n"},
	{"foo 1\n", "!JSON parse error, invalid keyword 'foo'\n1\n"},
	{"/* */ {\"a\":1}\n", "!JSON parse error, stray '/'\n{\"a\": 1}\n"},
	{"{\"a\":\"x}\n{}\n", "!JSON parse error, stray '\"x}\n'\n{}\n"},
	/* The way back from half a command: 0xff. */
	{"{\"a\":[\xff{\"b\":1}", "!JSON parse error, stray '\xef\xbf\xbd'\n{\"b\": 1}\n"},
	{"-{\"a\":1} 2\n3\n", "!JSON parse error, stray '-{'\n2\n3\n"},
};

static void test_framer(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(frame_cases); i++) {
		const struct frame_case *c = &frame_cases[i];
		g_autofree char *whole = frame(c->in, strlen(c->in), strlen(c->in));
		g_autofree char *bytes = frame(c->in, strlen(c->in), 1);

		g_assert_cmpstr(whole, ==, c->out);
		g_assert_cmpstr(bytes, ==, c->out);
	}
}

static char *nested(unsigned depth)
{
	char *text = g_malloc0(2 * depth + 2);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\n';
	return text;
}

static void test_depth(void)
{
	g_autofree char *fits = nested(1024), *deep = nested(1025);
	g_autofree char *good = frame(fits, strlen(fits), 7), *bad = frame(deep, strlen(deep), 7);

	g_assert_cmpuint(strlen(good), ==, 2049);
	g_assert_cmpstr(bad, ==, "!JSON nesting depth limit exceeded\n");
}

static void test_tokens(void)
{
	GString *text = g_string_new("[1");

	for (unsigned i = 0; i < MIB; i++)
		g_string_append(text, ",1");
	g_string_append(text, "]\n7\n");
	g_autofree char *out = frame(text->str, text->len, 65536);

	g_assert_cmpstr(out, ==, "!JSON token count limit exceeded\n7\n");
	g_string_free(text, true);
}

static void test_size(void)
{
	g_autofree char *text = g_malloc(64 * MIB + 4);

	memset(text, 'x', 64 * MIB + 4);
	text[0] = '"';
	text[64 * MIB + 2] = '\n';
	text[64 * MIB + 3] = '7';
	g_autofree char *out = frame(text, 64 * MIB + 3, MIB);

	g_assert_cmpstr(out, ==, "!JSON token size limit exceeded\n");
}

static void test_parse(void)
{
	static const struct frame_case cases[] = {
		{"{\"a\":1}", NULL},
		{" 12", NULL},
		{"true ", NULL},
		{"{\"a\":1} {\"b\":2}", "Expecting at most one JSON value"},
		{"{\"a\":1} x", "Expecting at most one JSON value"},
		{"{\"a\":1}}", "Expecting at most one JSON value"},
		{"{\"a\":1", "JSON parse error, premature EOI"},
		{"", "JSON parse error, premature EOI"},
		{"{\"a\":\"x", "JSON parse error, stray '\"x'"},
		{"{\"a\":1 nul", "JSON parse error, expected separator in dict"},
		{"-", "JSON parse error, stray '-\n'"},
		{"null", "JSON value is null"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) err = NULL;
		g_autoptr(json_object) value = json_parse(cases[i].in, &err);

		g_assert_cmpstr(err ? err->message : NULL, ==, cases[i].out);
		g_assert_true(!value == !!err);
	}
}

static void test_pretty(void)
{
	g_autoptr(json_object) value = json_parse("{'a':[{},[],{'b':[1,2]}]}", NULL);
	g_autofree char *text = json_print(value, true);

	g_assert_cmpstr(
		text, ==,
		"{\n    \"a\": [\n        {\n        },\n        [\n        ],\n        {\n"
		"            \"b\": [\n                1,\n                2\n            ]\n"
		"        }\n    ]\n}");
}

/* Host file names need not be UTF-8; what is printed must be. */
static void test_print_bytes(void)
{
	g_autoptr(json_object) value = json_object_new_string("a\xff\xc3z");
	g_autofree char *text = json_print(value, false);

	g_assert_cmpstr(text, ==, "\"a\\uFFFD\\uFFFDz\"");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/framer", test_framer);
	g_test_add_func("/json/depth", test_depth);
	g_test_add_func("/json/tokens", test_tokens);
	g_test_add_func("/json/size", test_size);
	g_test_add_func("/json/parse", test_parse);
	g_test_add_func("/json/pretty", test_pretty);
	g_test_add_func("/json/print-bytes", test_print_bytes);
	return g_test_run();
}
