/*
 * Printing of errors, warnings and information: to the standard error output, or to a thread's sink.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "base/error.h"

/* Set while options are parsed, before there are threads; read-only from then on. */
static struct {
	char *program;
	char *guest_name;
	bool timestamp;
} report;

static __thread struct {
	error_sink_fn *fn;
	void *opaque;
} sink;

void error_set_program_name(const char *name)
{
	g_free(report.program);
	report.program = g_path_get_basename(name);
}

void error_set_prefix(bool timestamp, const char *guest_name)
{
	g_free(report.guest_name);
	report.guest_name = g_strdup(guest_name);
	report.timestamp = timestamp;
}

bool error_timestamps(void)
{
	return report.timestamp;
}

void error_set_sink(error_sink_fn *fn, void *opaque)
{
	sink.fn = fn;
	sink.opaque = opaque;
}

static void append_timestamp(GString *line)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

	g_string_append_printf(line, "%s.%06dZ ", text, g_date_time_get_microsecond(now));
}

static void append_prefix(GString *line)
{
	if (report.timestamp)
		append_timestamp(line);
	if (report.guest_name)
		g_string_append_printf(line, "%s ", report.guest_name);
	if (report.program)
		g_string_append_printf(line, "%s: ", report.program);
}

/* @kind is "", "warning: " or "info: "; @hint may be NULL. One write, so that lines stay whole. */
static void report_text(const char *kind, const char *text, const char *hint)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (!sink.fn)
		append_prefix(line);
	g_string_append(line, kind);
	g_string_append(line, text);
	if (hint)
		g_string_append_printf(line, "\n%s", hint);
	if (sink.fn) {
		sink.fn(sink.opaque, line->str);
	} else {
		g_string_append_c(line, '\n');
		fwrite(line->str, 1, line->len, stderr);
	}
}

static void PRINTF_LIKE(2, 0) report_va(const char *kind, const char *fmt, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(fmt, args);

	report_text(kind, text, NULL);
}

void error_report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_va("", fmt, args);
	va_end(args);
}

void warn_report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_va("warning: ", fmt, args);
	va_end(args);
}

void info_report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_va("info: ", fmt, args);
	va_end(args);
}

void error_report_err(GError *err)
{
	report_text("", err->message, error_hint(err));
	g_error_free(err);
}

void warn_report_err(GError *err)
{
	report_text("warning: ", err->message, error_hint(err));
	g_error_free(err);
}
