/*
 * Trace points and log output.
 *
 * A trace point is a static object in the file that uses it. While it is off it costs one load and
 * a predicted branch. Declare it at the top of the file, then call it:
 *
 *	TRACE_DEFINE(serial_write, "port 0x%x value 0x%02x");
 *	...
 *	trace(serial_write, s->base, value);
 *
 * The name is unique in the program. Each point is also a USDT probe (provider "quail") where
 * <sys/sdt.h> was there at build time. All points sit in one linker section, so that `-trace help`
 * lists them and `-trace PATTERN`, `-trace enable=`, `events=FILE` and `-d trace:PATTERN` switch
 * them by glob pattern without anybody keeping a list.
 *
 * Log classes (`-d guest_errors,int,...`) are trace points too, whose names start with the class.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/common.h"
#include "base/error.h"

struct trace_point {
	const char *name;
	const char *format; /* of the arguments, printf style */
	uint8_t enabled;
	uint8_t pad[15]; /* the section is walked as an array: keep the size a multiple of 32 */
};

#define TRACE_DEFINE(_name, _format)                                                               \
	static struct trace_point trace_point_##_name                                              \
		__attribute__((used, section("trace_points"), aligned(32))) = {                    \
			.name = #_name,                                                            \
			.format = _format,                                                         \
	};                                                                                         \
	static inline __attribute__((unused)) const char *trace_format_##_name(void)               \
	{                                                                                          \
		return _format;                                                                    \
	}                                                                                          \
	_Static_assert(sizeof(_format) > 0, "format is a string literal")

#define trace_enabled(_name) (__builtin_expect(trace_point_##_name.enabled, 0))

#define trace(_name, ...)                                                                          \
	do {                                                                                       \
		if (trace_enabled(_name))                                                          \
			trace_emit(&trace_point_##_name, ##__VA_ARGS__);                           \
	} while (0)

/* Writes one line to the log. Callable from any thread. */
void trace_emit(const struct trace_point *point, ...);

/* Switches every point that matches a glob @pattern ("-pattern" switches off). The number matched. */
unsigned trace_switch(const char *pattern);

/* Reads patterns from a file, one a line, '#' starts a comment. */
bool trace_switch_file(const char *path, GError **errp);

/* Calls @fn for each point in order of names. */
void trace_foreach(void (*fn)(const struct trace_point *point, void *opaque), void *opaque);

/* The log: `-D FILE` (with %d for the pid), else standard error. */
bool log_open(const char *path, GError **errp);
void log_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* `-d ITEM,...`: sets the items' points; `-d help` is answered by the caller from log_items. */
struct log_item {
	const char *name;    /* "guest_errors" */
	const char *pattern; /* of the trace points it stands for */
	const char *help;
};
extern const struct log_item log_items[]; /* ends with a NULL name */
bool log_set_items(const char *items, GError **errp);

#endif
