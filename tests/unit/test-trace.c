#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>
#include "base/trace.h"

TRACE_DEFINE(test_plain, "");
TRACE_DEFINE(test_values, "port 0x%x value %s long %" PRIu64);
TRACE_DEFINE(test_array, "text '%s' byte %u");
TRACE_DEFINE(guest_errors_test, "offset 0x%x");
TRACE_DEFINE(unimp_test, "offset 0x%x");

static char *log_path;

static void log_begin(void)
{
	int fd = g_file_open_tmp("quail-trace-XXXXXX", &log_path, NULL);

	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_assert_true(log_open(log_path, NULL));
}

static char *log_end(void)
{
	char *text = NULL;

	g_assert_true(log_open(NULL, NULL));
	g_assert_true(g_file_get_contents(log_path, &text, NULL, NULL));
	g_unlink(log_path);
	g_clear_pointer(&log_path, g_free);
	return text;
}

static int evaluations;
static unsigned evaluate(void)
{
	return ++evaluations;
}

static void test_emit(void)
{
	struct {
		char text[8];
		uint8_t byte;
	} thing = {"eight", 9};
	g_autofree char *text = NULL;

	log_begin();
	trace(guest_errors_test, evaluate());
	g_assert_cmpint(evaluations, ==, 0);
	g_assert_cmpuint(trace_switch("test_*"), ==, 3);
	trace(guest_errors_test, evaluate());
	trace(test_plain);
	trace(test_values, 0x3f8u, "abc", UINT64_C(1) << 40);
	trace(test_array, thing.text, thing.byte);
	g_assert_cmpuint(trace_switch("-test_values"), ==, 1);
	trace(test_values, evaluate(), "abc", (uint64_t)1);
	log_printf("free %d\n", 5);
	g_assert_cmpuint(trace_switch("-test_*"), ==, 3);
	g_assert_cmpuint(trace_switch("test_nosuch"), ==, 0);
	text = log_end();
	g_assert_cmpint(evaluations, ==, 0);
	g_assert_cmpstr(text, ==,
			"test_plain \ntest_values port 0x3f8 value abc long 1099511627776\n"
			"test_array text 'eight' byte 9\nfree 5\n");
}

static void test_timestamp(void)
{
	g_autofree char *text = NULL;
	g_autofree char *pattern =
		g_strdup_printf("^%d@[0-9]+\\.[0-9]{6}:test_plain \n$", (int)getpid());

	log_begin();
	error_set_prefix(true, NULL);
	trace_switch("test_plain");
	trace(test_plain);
	trace_switch("-test_plain");
	error_set_prefix(false, NULL);
	text = log_end();
	g_assert_true(g_regex_match_simple(pattern, text, 0, 0));
}

static void test_long_line(void)
{
	g_autofree char *huge = g_strnfill(5000, 'x');
	g_autofree char *text = NULL;

	log_begin();
	trace_switch("test_array");
	trace(test_array, huge, 1);
	trace_switch("-test_array");
	text = log_end();
	g_assert_cmpuint(strlen(text), ==, 1023);
	g_assert_cmpint(text[1022], ==, '\n');
}

static void list_point(const struct trace_point *point, void *opaque)
{
	if (strstr(point->name, "test"))
		g_string_append_printf(opaque, "%s%s ", point->name,
				       trace_point_on(point) ? "+" : "-");
}

static char *list_points(void)
{
	GString *list = g_string_new(NULL);

	trace_foreach(list_point, list);
	return g_string_free(list, FALSE);
}

static void test_items(void)
{
	g_autoptr(GError) err = NULL;
	g_autofree char *one = NULL, *two = NULL, *all = NULL, *kept = NULL;

	g_assert_true(log_set_items("guest_errors,trace:test_pl*", NULL));
	one = list_points();
	g_assert_cmpstr(one, ==,
			"guest_errors_test+ test_array- test_plain+ test_values- unimp_test- ");
	trace_switch("-test_plain");
	g_assert_true(log_set_items("unimp", NULL));
	two = list_points();
	g_assert_cmpstr(two, ==,
			"guest_errors_test- test_array- test_plain- test_values- unimp_test+ ");
	g_assert_false(log_set_items("guest_errors,nosuch", &err));
	g_assert_cmpstr(err->message, ==, "Unknown log item 'nosuch'");
	kept = list_points();
	g_assert_cmpstr(kept, ==, two);
	g_assert_true(log_set_items("all", NULL));
	all = list_points();
	g_assert_cmpstr(all, ==,
			"guest_errors_test+ test_array- test_plain- test_values- unimp_test+ ");
	g_assert_true(log_set_items("", NULL));
}

static void catch_text(void *opaque, const char *text)
{
	g_string_append_printf(opaque, "[%s]", text);
}

static void test_file(void)
{
	g_autofree char *path = NULL, *points = NULL, *warning = NULL;
	g_autoptr(GString) caught = g_string_new(NULL);
	g_autoptr(GError) err = NULL;
	int fd = g_file_open_tmp("quail-events-XXXXXX", &path, NULL);

	close(fd);
	g_assert_true(g_file_set_contents(
		path, "# comment\n\n test_* \r\n-test_plain\nnosuch\nnosuch*\n", -1, NULL));
	error_set_sink(catch_text, caught);
	g_assert_true(trace_switch_file(path, &err));
	error_set_sink(NULL, NULL);
	points = list_points();
	trace_switch("-*");
	g_unlink(path);
	g_assert_cmpstr(points, ==,
			"guest_errors_test- test_array+ test_plain- test_values+ unimp_test- ");
	warning = g_strdup_printf("[warning: %s:5: trace event 'nosuch' does not exist]", path);
	g_assert_cmpstr(caught->str, ==, warning);
	g_assert_false(trace_switch_file(path, &err));
	g_assert_nonnull(strstr(err->message, path));
}

static void test_log_path(void)
{
	g_autofree char *dir = g_dir_make_tmp("quail-log-XXXXXX", NULL);
	g_autofree char *template = g_strdup_printf("%s/x-%%d.log", dir);
	g_autofree char *path = g_strdup_printf("%s/x-%d.log", dir, (int)getpid());
	GError *err = NULL;

	g_assert_true(log_open(template, NULL));
	g_assert_true(log_open(NULL, NULL));
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_false(log_open("a%db%d", &err));
	g_assert_cmpstr(err->message, ==, "Bad logfile template: a%db%d");
	g_clear_error(&err);
	g_assert_false(log_open("a%s", &err));
	g_clear_error(&err);
	g_assert_false(log_open("/nonexistent/x", &err));
	g_assert_cmpstr(err->message, ==,
			"Error opening logfile /nonexistent/x: No such file or directory");
	g_clear_error(&err);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/trace/emit", test_emit);
	g_test_add_func("/trace/timestamp", test_timestamp);
	g_test_add_func("/trace/long-line", test_long_line);
	g_test_add_func("/trace/items", test_items);
	g_test_add_func("/trace/file", test_file);
	g_test_add_func("/trace/log-path", test_log_path);
	return g_test_run();
}
