/*
 * Trace points: finding and switching them.
 */
#include <stdio.h>
#include "base/trace.h"

/* Made by the linker around the section; weak, as a program may have no point at all. */
extern struct trace_point *const __start_trace_points[] __attribute__((weak, visibility("hidden")));
extern struct trace_point *const __stop_trace_points[] __attribute__((weak, visibility("hidden")));

#define FOREACH_POINT(p)                                                                           \
	for (struct trace_point *const *p = __start_trace_points; p < __stop_trace_points; p++)

unsigned trace_switch(const char *pattern)
{
	bool on = *pattern != '-';
	unsigned matched = 0;

	g_autoptr(GPatternSpec) spec = g_pattern_spec_new(on ? pattern : pattern + 1);
	FOREACH_POINT(p)
	{
		if (!g_pattern_spec_match_string(spec, (*p)->name))
			continue;
		matched++;
		if (on)
			__atomic_fetch_or(&(*p)->enabled, TRACE_TO_LOG, __ATOMIC_RELAXED);
		else
			__atomic_fetch_and(&(*p)->enabled, ~TRACE_TO_LOG, __ATOMIC_RELAXED);
	}
	return matched;
}

bool trace_switch_file(const char *path, GError **errp)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GError) err = NULL;

	if (!g_file_get_contents(path, &text, NULL, &err)) {
		error_set(errp, "Could not read trace events: %s", err->message);
		return false;
	}
	lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i]; i++) {
		char *pattern = g_strstrip(lines[i]);

		if (!*pattern || *pattern == '#')
			continue;
		if (!trace_switch(pattern) && !strpbrk(pattern, "*?"))
			warn_report("%s:%u: trace event '%s' does not exist", path, i + 1,
				    pattern + (*pattern == '-'));
	}
	return true;
}

static int compare_points(const void *a, const void *b)
{
	const struct trace_point *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

void trace_foreach(void (*fn)(const struct trace_point *point, void *opaque), void *opaque)
{
	size_t count = __stop_trace_points - __start_trace_points;
	g_autofree struct trace_point **sorted =
		g_memdup2(__start_trace_points, count * sizeof(*sorted));

	if (!count)
		return;
	qsort(sorted, count, sizeof(*sorted), compare_points);
	for (size_t i = 0; i < count; i++)
		fn(sorted[i], opaque);
}
