/*
 * Trace points and log output.
 *
 * A trace point is a static object in the file that uses it. While it is off it costs one load and
 * a predicted branch, and its arguments are not evaluated; when it is on they may be more than once,
 * so they have no side effects. (Bit fields want a cast.) Declare it at the top of the file, then
 * call it:
 *
 *	TRACE_DEFINE(serial_write, "port 0x%x value 0x%02x");
 *	...
 *	trace(serial_write, s->base, value);
 *
 * The compiler checks the arguments against the format. The name is unique in the program. Pointers
 * to all points sit in one linker section (pointers, because neither padding nor a sanitizer's
 * red zones can come between those), so that `-trace help` lists them and `-trace PATTERN`,
 * `-trace enable=`, `events=FILE` and `-d trace:PATTERN` switch them by glob pattern without anybody
 * keeping a list. A line of the log is "NAME ARGUMENTS", with "PID@SECONDS.MICROSECONDS:" in front
 * under `-msg timestamp=on`.
 *
 * Each point is also a USDT probe (provider "quail") where <sys/sdt.h> was there at build time. Its
 * semaphore is `enabled`: a tracer that attaches counts it up, and so switches the point on for itself
 * without switching our log on; the log has a bit of its own there, out of the way of the count.
 *
 * Log classes (`-d guest_errors,int,...`) are trace points too, whose names start with the class:
 * guest_errors_*, unimp_*, int_*, cpu_reset_* ...; log_items says which pattern an item stands for.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "config.h"
#include "base/common.h"
#include "base/error.h"

struct trace_point {
	uint16_t enabled; /* TRACE_TO_LOG, and the number of USDT tracers attached */
	const char *name;
	const char *format; /* of the arguments, printf style */
};

#define TRACE_TO_LOG 0x4000

#ifdef HAVE_USDT
#define SDT_USE_VARIADIC    1
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#define TRACE_SEMAPHORE(_name)                                                                     \
	extern __typeof__(trace_point_##_name) quail_##_name##_semaphore                           \
		__attribute__((alias("trace_point_" #_name), visibility("hidden")));
#define TRACE_PROBE(_name, ...) STAP_PROBEV(quail, _name, ##__VA_ARGS__)
#else
#define TRACE_SEMAPHORE(_name)
#define TRACE_PROBE(_name, ...) ((void)0)
#endif

#define TRACE_DEFINE(_name, _format)                                                               \
	static struct trace_point trace_point_##_name __attribute__((used)) = {                    \
		.name = #_name,                                                                    \
		.format = _format,                                                                 \
	};                                                                                         \
	TRACE_SEMAPHORE(_name)                                                                     \
	static struct trace_point *const trace_entry_##_name                                       \
		__attribute__((used, section("trace_points"))) = &trace_point_##_name;             \
	static const char trace_line_##_name[] __attribute__((unused)) = #_name " " _format

#define trace_enabled(_name)                                                                       \
	__builtin_expect(__atomic_load_n(&trace_point_##_name.enabled, __ATOMIC_RELAXED) != 0, 0)

#define trace(_name, ...)                                                                          \
	do {                                                                                       \
		if (trace_enabled(_name)) {                                                        \
			TRACE_PROBE(_name, ##__VA_ARGS__);                                         \
			trace_emit(&trace_point_##_name, trace_line_##_name, ##__VA_ARGS__);       \
		}                                                                                  \
	} while (0)

/* Writes one line to the log, if the point is on for the log. Any thread. For trace() only. */
void trace_emit(const struct trace_point *point, const char *line, ...) PRINTF_LIKE(2, 3);

/* True if the point is on for the log. */
static inline bool trace_point_on(const struct trace_point *point)
{
	return __atomic_load_n(&point->enabled, __ATOMIC_RELAXED) & TRACE_TO_LOG;
}

/*
 * Switches every point that matches a glob @pattern ("-pattern" switches off). Returns the number
 * that matched: 0 for a name without wildcards is worth a warning of the caller's.
 */
unsigned trace_switch(const char *pattern);

/* Reads patterns from a file, one a line, '#' starts a comment; warns of names that do not exist. */
bool trace_switch_file(const char *path, GError **errp);

/* Calls @fn for each point in order of names. */
void trace_foreach(void (*fn)(const struct trace_point *point, void *opaque), void *opaque);

/*
 * The log: `-D FILE` (with %d for the pid), created anew; else, and with @path NULL, the standard error
 * output. Any thread. log_printf() writes text as it is.
 */
bool log_open(const char *path, GError **errp);
void log_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * `-d ITEM,...`: switches the items' points on and those of all others off ("" is none, "all" all);
 * "trace:PATTERN" is trace_switch(). `-d help` is answered by the caller from log_items.
 */
struct log_item {
	const char *name;    /* "guest_errors" */
	const char *pattern; /* of the trace points it stands for */
	const char *help;
};
extern const struct log_item log_items[]; /* ends with a NULL name */
/* Appends the list that `-d help` shows. */
void log_items_print(GString *out);
bool log_set_items(const char *items, GError **errp);

#endif
