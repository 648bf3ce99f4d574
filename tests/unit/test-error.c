#include <stdio.h>
#include "base/error.h"

static void test_set(void)
{
	GError *err = NULL;

	error_set(&err, "Could not open '%s': %d", "disk.img", 7);
	g_assert_true(err->domain == QUAIL_ERROR);
	g_assert_cmpstr(err->message, ==, "Could not open 'disk.img': 7");
	g_assert_cmpstr(error_class_name(err), ==, "GenericError");
	g_assert_null(error_hint(err));
	g_clear_error(&err);

	error_set_class(&err, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", "x");
	g_assert_cmpstr(error_class_name(err), ==, "DeviceNotFound");
	g_clear_error(&err);

	error_set_errno(&err, ENOENT, "Could not open '%s'", "a");
	g_assert_cmpstr(err->message, ==, "Could not open 'a': No such file or directory");
	g_prefix_error(&err, "disk: ");
	g_assert_cmpstr(err->message, ==, "disk: Could not open 'a': No such file or directory");
	g_clear_error(&err);
}

static void test_null(void)
{
	GError *none = NULL;

	error_set(NULL, "nobody cares");
	error_set_errno(NULL, EIO, "nobody cares");
	error_set_class(NULL, ERROR_COMMAND_NOT_FOUND, "nobody cares");
	error_add_hint(NULL, "nor about advice");
	error_add_hint(&none, "nor here");
	g_assert_null(none);
}

static void test_hint(void)
{
	GError *err = NULL, *copy;

	error_set(&err, "bad");
	error_add_hint(&err, "Use %s", "-machine help");
	error_add_hint(&err, "second line");
	g_assert_cmpstr(error_hint(err), ==, "Use -machine help\nsecond line");
	copy = g_error_copy(err);
	g_clear_error(&err);
	g_assert_cmpstr(error_hint(copy), ==, "Use -machine help\nsecond line");
	g_assert_cmpstr(copy->message, ==, "bad");
	g_error_free(copy);
}

/* An error of GLib's own takes a hint as well, and has a class. */
static void test_foreign(void)
{
	GError *err = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "gone");

	g_assert_cmpstr(error_class_name(err), ==, "GenericError");
	g_assert_null(error_hint(err));
	error_add_hint(&err, "look elsewhere");
	g_assert_cmpstr(err->message, ==, "gone");
	g_assert_cmpstr(error_hint(err), ==, "look elsewhere");
	g_error_free(err);
}

static void catch_text(void *opaque, const char *text)
{
	g_string_append_printf(opaque, "[%s]", text);
}

static void test_sink(void)
{
	g_autoptr(GString) caught = g_string_new(NULL);
	GError *err = NULL;

	error_set_sink(catch_text, caught);
	error_report("one %d", 1);
	warn_report("two");
	info_report("three");
	error_set(&err, "four");
	error_add_hint(&err, "five");
	error_report_err(err);
	error_set_sink(NULL, NULL);
	g_assert_cmpstr(caught->str, ==, "[one 1][warning: two][info: three][four\nfive]");
}

static void test_stderr(void)
{
	if (g_test_subprocess()) {
		error_set_program_name("/usr/bin/quail");
		error_report("plain");
		error_set_prefix(true, "guest");
		warn_report("stamped");
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("quail: plain\n*T*:*Z guest quail: warning: "
				  "stamped\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/error/set", test_set);
	g_test_add_func("/error/null", test_null);
	g_test_add_func("/error/hint", test_hint);
	g_test_add_func("/error/foreign", test_foreign);
	g_test_add_func("/error/sink", test_sink);
	g_test_add_func("/error/stderr", test_stderr);
	return g_test_run();
}
