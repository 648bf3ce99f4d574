/* Human monitor: expressions, arguments, the line editor, completion. */
#include "src/monitor/expr.h"
#include "src/monitor/hmp.h"
#include "src/monitor/readline.h"

/* ---- Expressions ---- */

static bool test_register(void *opaque, const char *name, int64_t *value)
{
	*value = 0x1234;
	return !strcmp(name, "rip");
}

static void test_expr(void)
{
	static const struct {
		const char *text;
		int64_t value;
		const char *rest;
	} cases[] = {
		{"0", 0, ""},           {"10", 10, ""},
		{"0x10", 16, ""},       {"010", 8, ""},
		{"1+2*3", 7, ""},       {"(1+2)*3", 9, ""},
		{"10 - 2 - 3", 5, ""},  {"7/2", 3, ""},
		{"-7%4", -3, ""},       {"~0", -1, ""},
		{"--5", 5, ""},         {"0xf0|0x0f&0x3", 3, ""}, /* one rank, from the left */
		{"1^3", 2, ""},         {"'a'+1", 98, ""},
		{"$rip+4", 0x1238, ""}, {"0xffffffffffffffff", -1, ""},
	};
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"", "unexpected end of expression"},
		{"1+", "unexpected end of expression"},
		{"(1", "')' expected"},
		{"x", "invalid char 'x' in expression"},
		{"$nope", "unknown register"},
		{"1/0", "division by zero"},
		{"'a", "missing terminating ' character"},
		{"0x10000000000000000", "number too large"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *text = cases[i].text;
		GError *err = NULL;
		int64_t value;

		g_assert_true(expr_eval(&text, test_register, NULL, &value, &err));
		g_assert_no_error(err);
		g_assert_cmpint(value, ==, cases[i].value);
		g_assert_cmpstr(text, ==, cases[i].rest);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) err = NULL;
		const char *text = bad[i].text;
		int64_t value;

		g_assert_false(expr_eval(&text, test_register, NULL, &value, &err));
		g_assert_cmpstr(err->message, ==, bad[i].message);
	}
}

static void test_expr_depth(void)
{
	g_autoptr(GString) deep = g_string_new(NULL);
	g_autoptr(GError) err = NULL;
	const char *text;
	int64_t value;

	for (int i = 0; i < 100000; i++)
		g_string_append_c(deep, i % 2 ? '(' : '-');
	text = deep->str;
	g_assert_false(expr_eval(&text, NULL, NULL, &value, &err));
	g_assert_cmpstr(err->message, ==, "expression nested too deeply");
}

/* ---- Arguments ---- */

static const struct hmp_arg trial_args[] = {
	{"fmt", HMP_FORMAT},      {"-f", HMP_FLAG}, {"addr", HMP_NUMBER},
	{"name", HMP_WORD, true}, {NULL, HMP_END},
};
static const struct hmp_arg rest_args[HMP_ARGS_MAX] = {{"on", HMP_SWITCH}, {"rest", HMP_REST}};

static void expect_args(const struct hmp_arg *args, const char *text, const char *json)
{
	struct hmp hmp = {.last_letter = 'x', .last_size = 4};
	GError *err = NULL;
	g_autoptr(json_object) parsed = hmp_parse_args(&hmp, "cmd", args, text, &err);
	g_autofree char *printed = NULL;

	g_assert_no_error(err);
	printed = json_print(parsed, false);
	g_assert_cmpstr(printed, ==, json);
}

static void expect_bad_args(const struct hmp_arg *args, const char *text, const char *message)
{
	struct hmp hmp = {.last_letter = 'x', .last_size = 4};
	g_autoptr(GError) err = NULL;

	g_assert_null(hmp_parse_args(&hmp, "cmd", args, text, &err));
	g_assert_cmpstr(err->message, ==, message);
}

static void test_args(void)
{
	struct hmp hmp = {.last_letter = 'x', .last_size = 4};
	json_object *parsed;

	expect_args(trial_args, " 1", "{\"addr\": 1}");
	expect_args(trial_args, "/4xw -f 1+1 word",
		    "{\"-f\": true, \"addr\": 2, \"name\": \"word\"}");
	expect_args(trial_args, " 1 \"two words \\\" \\\\\"",
		    "{\"addr\": 1, \"name\": \"two words \\\" \\\\\"}");
	expect_args(rest_args, " on  all the rest ", "{\"on\": true, \"rest\": \"all the rest \"}");
	expect_bad_args(trial_args, " 1 a b", "cmd: extraneous characters at the end of line");
	expect_bad_args(trial_args, " 1 \"open", "unterminated string");
	expect_bad_args(trial_args, " 1 \"\\q\"", "unsupported escape code: '\\q'");
	expect_bad_args(trial_args, "/4z 1", "invalid char in format: 'z'");
	expect_bad_args(rest_args, " maybe x", "cmd: expected 'on' or 'off'");
	expect_bad_args(rest_args, " on", "cmd: string expected");

	parsed = hmp_parse_args(&hmp, "cmd", trial_args, "/20dh 1", NULL);
	json_object_put(parsed);
	g_assert_cmpint(hmp.format.count, ==, 20);
	g_assert_cmpint(hmp.format.letter, ==, 'd');
	g_assert_cmpint(hmp.format.size, ==, 2);
	parsed = hmp_parse_args(&hmp, "cmd", trial_args, " 1", NULL);
	json_object_put(parsed);
	g_assert_cmpint(hmp.format.count, ==, 1); /* the count is not kept, the rest is */
	g_assert_cmpint(hmp.last_letter, ==, 'd');
	g_assert_cmpint(hmp.last_size, ==, 2);
}

/* Rows are complete, names unique, what they call exists. */
static void check_rows(const struct hmp_command *table)
{
	for (const struct hmp_command *cmd = table; cmd->names; cmd++) {
		size_t first = strcspn(cmd->names, "|");

		g_assert_cmpstr(cmd->help, !=, "");
		g_assert_nonnull(cmd->params);
		g_assert_true(hmp_find(table, cmd->names, first) == cmd);
		g_assert_cmpint(!!cmd->qmp + !!cmd->run + !!cmd->sub, ==, 1);
		if (cmd->qmp)
			g_assert_nonnull(command_find(cmd->qmp));
		if (cmd->sub)
			check_rows(cmd->sub);
	}
}

static void test_rows(void)
{
	check_rows(hmp_commands);
}

/* ---- The line editor ---- */

/* A terminal of one row: what the user sees, and the lines that were entered. */
struct terminal {
	GString *row;
	size_t column;
	GString *screen; /* rows before */
	GPtrArray *lines;
	int escape;
};

static void terminal_put(struct terminal *t, char c)
{
	if (t->escape == 1) {
		t->escape = c == '[' ? 2 : 0;
	} else if (t->escape == 2) {
		t->escape = 0;
		if (c == 'D' && t->column)
			t->column--;
		else if (c == 'C')
			t->column++;
		else if (c == 'K')
			g_string_truncate(t->row, MIN(t->column, t->row->len));
	} else if (c == 27) {
		t->escape = 1;
	} else if (c == '\n') {
		g_string_append_printf(t->screen, "%s\n", t->row->str);
		g_string_truncate(t->row, 0);
		t->column = 0;
	} else {
		if (t->column < t->row->len)
			t->row->str[t->column] = c;
		else
			g_string_append_c(t->row, c);
		t->column++;
	}
}

static void terminal_print(void *opaque, const char *text)
{
	while (*text)
		terminal_put(opaque, *text++);
}

static void terminal_line(void *opaque, const char *line)
{
	g_ptr_array_add(((struct terminal *)opaque)->lines, g_strdup(line));
}

static size_t terminal_complete(void *opaque, const char *text, GPtrArray *out)
{
	static const char *const words[] = {"system_reset", "system_powerdown", "stop"};
	const char *word = strrchr(text, ' ');

	word = word ? word + 1 : text;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(words[i], word))
			g_ptr_array_add(out, g_strdup(words[i]));
	return strlen(word);
}

static const struct readline_ops terminal_ops = {terminal_print, terminal_line, terminal_complete};

/* Types @keys; the last line entered is @entered, or the row shows "> " and @shown. */
static void expect_keys(const char *keys, const char *entered, const char *shown, int column)
{
	struct terminal t = {.row = g_string_new(NULL), .screen = g_string_new(NULL)};
	struct readline *rl = readline_new(&terminal_ops, &t, "> ");
	g_autofree char *row = shown ? g_strconcat("> ", shown, NULL) : NULL;

	t.lines = g_ptr_array_new_with_free_func(g_free);
	readline_prompt(rl);
	for (; *keys; keys++) {
		readline_feed(rl, (uint8_t)*keys);
		if (*keys == '\r')
			readline_prompt(rl);
	}
	if (entered)
		g_assert_cmpstr(t.lines->pdata[t.lines->len - 1], ==, entered);
	if (shown) {
		g_assert_cmpstr(t.row->str, ==, row);
		g_assert_cmpint(t.column, ==, column + 2);
	}
	g_ptr_array_unref(t.lines);
	g_string_free(t.row, true);
	g_string_free(t.screen, true);
	readline_free(rl);
}

static void test_readline(void)
{
	expect_keys("abc\r", "abc", "", 0);
	expect_keys("abc\x7f", NULL, "ab", 2);
	expect_keys("ac\033[Db", NULL, "abc", 2);
	expect_keys("bc\001a", NULL, "abc", 1);
	expect_keys("abc\001\004", NULL, "bc", 0);
	expect_keys("abc\001\013", NULL, "", 0);
	expect_keys("abc\025x", NULL, "x", 1);
	expect_keys("one two\027x", NULL, "one x", 5);
	expect_keys("abc\033[H\033[3~", NULL, "bc", 0);
	expect_keys("abc\033[1~x\033OFy", NULL, "xabcy", 5);
	expect_keys("one two\033bX", NULL, "one Xtwo", 5);
	expect_keys("abc\033[D\033[D\033[D\033[D\033[C\x7f", NULL, "bc", 0);
	expect_keys("one\rtwo\r\033[A\033[A", NULL, "one", 3);
	expect_keys("one\rtwo\rthr\033[A\033[A\033[B\033[B", NULL, "thr", 3);
	expect_keys("one\rone\rtwo\r\020\020\020\020", NULL, "one", 3);
	expect_keys("one\r\033[A\r", "one", "", 0);
	expect_keys("sto\t", NULL, "stop ", 5);
	expect_keys("sys\t", NULL, "system_", 7);
	expect_keys("sys\t\tr\t\r", "system_reset ", "", 0);
	expect_keys("help sto\t", NULL, "help stop ", 10);
	expect_keys("zz\t", NULL, "zz", 2);
}

static void test_complete(void)
{
	static const struct {
		const char *text, *only; /* NULL: several or none */
		guint count;
		size_t typed;
	} cases[] = {
		{"sto", "stop", 1, 3},        {"system_r", "system_reset", 1, 8},
		{"info sta", "status", 1, 3}, {"help info chard", "chardev", 1, 5},
		{"nope x", NULL, 0, 0},       {"", NULL, 0, 0}, /* all of them */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
		size_t typed = hmp_complete(cases[i].text, out);

		if (!*cases[i].text) {
			g_assert_cmpuint(out->len, >, 20);
			continue;
		}
		g_assert_cmpuint(out->len, ==, cases[i].count);
		g_assert_cmpuint(typed, ==, cases[i].typed);
		if (cases[i].only)
			g_assert_cmpstr(out->pdata[0], ==, cases[i].only);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	api_set_tables(&monitor_tables);
	g_test_add_func("/hmp/expr", test_expr);
	g_test_add_func("/hmp/expr-depth", test_expr_depth);
	g_test_add_func("/hmp/args", test_args);
	g_test_add_func("/hmp/rows", test_rows);
	g_test_add_func("/hmp/readline", test_readline);
	g_test_add_func("/hmp/complete", test_complete);
	return g_test_run();
}
