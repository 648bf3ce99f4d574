/* Option text to JSON. */
#include "api/codec.h"

struct keyval_case {
	const char *in, *out; /* out: JSON, or the error after '!' */
};

typedef json_object *parser(const char *text, const char *implied, const char *const *lists,
			    bool *help, GError **errp);

static void check(parser *parse, const struct keyval_case *cases, size_t n)
{
	static const char *const lists[] = {"l", NULL};

	for (size_t i = 0; i < n; i++) {
		g_autoptr(GError) err = NULL;
		g_autoptr(json_object) json = parse(cases[i].in, "imp", lists, NULL, &err);
		g_autofree char *text =
			json ? json_print(json, false) : g_strconcat("!", err->message, NULL);

		g_assert_cmpstr(text, ==, cases[i].out);
	}
}

static void test_opts(void)
{
	static const struct keyval_case cases[] = {
		{"", "{}"},
		{"foo", "{\"imp\": \"foo\"}"},
		{"foo,a=1,b=", "{\"imp\": \"foo\", \"a\": \"1\", \"b\": \"\"}"},
		{"a=1,,2,b=3,,", "{\"a\": \"1,2\", \"b\": \"3,\"}"},
		{"a,,b,c=1", "{\"imp\": \"a,b\", \"c\": \"1\"}"},
		{"a=x=y", "{\"a\": \"x=y\"}"},
		{"x=1,flag,noflop,no",
		 "{\"x\": \"1\", \"flag\": \"on\", \"flop\": \"off\", \"no\": \"on\"}"},
		{"a=1,b=2,a=3", "{\"b\": \"2\", \"a\": \"3\"}"},
		{"l=1,l=2", "{\"l\": [\"1\", \"2\"]}"},
		{"a.b=1", "{\"a.b\": \"1\"}"},
		{"a=1,", "{\"a\": \"1\"}"},
		{"{\"a\":{\"b\":[1]}}", "{\"a\": {\"b\": [1]}}"},
		{"{\"a\":", "!JSON parse error, premature EOI"},
		{"a=1,=2", "!Parameter without a name before '=2'"},
	};

	check(opts_parse, cases, G_N_ELEMENTS(cases));
}

static void test_keyval(void)
{
	static const struct keyval_case cases[] = {
		{"a.b=1,c.0=x,c.1=y", "{\"a\": {\"b\": \"1\"}, \"c\": [\"x\", \"y\"]}"},
		{"c.1=y,c.0.d=x", "{\"c\": [{\"d\": \"x\"}, \"y\"]}"},
		{"pc,smp.cpus=4,smp.cores=2",
		 "{\"imp\": \"pc\", \"smp\": {\"cpus\": \"4\", \"cores\": \"2\"}}"},
		{"0=a", "{\"0\": \"a\"}"},
		{"pc,a", "!Expected '=' after parameter 'a'"},
		{"c.1=y", "!Parameter 'c.0' missing"},
		{"a=1,a.b=2", "!Parameters 'a.*' used inconsistently"},
		{"a.b=2,a=1", "!Parameters 'a.*' used inconsistently"},
		{"a..b=1", "!Invalid parameter 'a..b'"},
		{"a.=1", "!Invalid parameter 'a.'"},
		{".a=1", "!Invalid parameter '.a'"},
	};

	check(keyval_parse, cases, G_N_ELEMENTS(cases));
}

static void test_deep(void)
{
	g_autoptr(GString) text = g_string_new("a");
	g_autoptr(GError) err = NULL;

	for (unsigned i = 0; i < 100000; i++)
		g_string_append(text, ".a");
	g_string_append(text, "=1");
	g_assert_null(keyval_parse(text->str, NULL, NULL, NULL, &err));
	g_assert_true(g_str_has_prefix(err->message, "Invalid parameter 'a.a.a"));
}

static void test_help(void)
{
	static const struct {
		const char *in;
		bool help;
	} cases[] = {{"help", true},
		     {"?", true},
		     {"pc,help", true},
		     {"pc,a=help", false},
		     {"pc", false}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool help = false;
		g_autoptr(json_object) json = opts_parse(cases[i].in, "imp", NULL, &help, NULL);

		g_assert_nonnull(json);
		g_assert_cmpint(help, ==, cases[i].help);
		g_assert_false(json_object_object_get_ex(json, "help", NULL));
	}
}

static void test_merge(void)
{
	g_autoptr(json_object) into = json_parse("{'a':1,'b':{'x':1,'y':2},'c':{'q':1}}", NULL);
	g_autoptr(json_object) from = json_parse("{'a':2,'b':{'y':3,'z':4},'c':5,'d':6}", NULL);

	keyval_merge(into, from);
	g_autofree char *text = json_print(into, false);

	g_assert_cmpstr(text, ==,
			"{\"a\": 2, \"b\": {\"x\": 1, \"y\": 3, \"z\": 4}, \"c\": 5, \"d\": 6}");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keyval/opts", test_opts);
	g_test_add_func("/keyval/nested", test_keyval);
	g_test_add_func("/keyval/deep", test_deep);
	g_test_add_func("/keyval/help", test_help);
	g_test_add_func("/keyval/merge", test_merge);
	return g_test_run();
}
