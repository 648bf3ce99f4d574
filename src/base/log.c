/*
 * The log that trace points write to, and the items of `-d`.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "base/trace.h"

/* NULL: the standard error output. HMP's logfile changes it at run time. */
static FILE *log_file;
static GMutex log_lock;

/* "name-%d.log": one %d at most, and nothing else to expand. */
static char *log_path_expand(const char *path, GError **errp)
{
	const char *percent = strchr(path, '%');

	if (!percent)
		return g_strdup(path);
	if (percent[1] != 'd' || strchr(percent + 1, '%')) {
		error_set(errp, "Bad logfile template: %s", path);
		return NULL;
	}
	return g_strdup_printf("%.*s%d%s", (int)(percent - path), path, (int)getpid(), percent + 2);
}

bool log_open(const char *path, GError **errp)
{
	FILE *file = NULL;

	if (path) {
		g_autofree char *expanded = log_path_expand(path, errp);

		if (!expanded)
			return false;
		file = fopen(expanded, "we");
		if (!file) {
			error_set_errno(errp, errno, "Error opening logfile %s", expanded);
			return false;
		}
		setvbuf(file, NULL, _IOLBF, 0);
	}
	g_mutex_lock(&log_lock);
	if (log_file)
		fclose(log_file);
	log_file = file;
	g_mutex_unlock(&log_lock);
	return true;
}

static void log_write(const char *text, size_t len)
{
	g_mutex_lock(&log_lock);
	fwrite(text, 1, len, log_file ? log_file : stderr);
	g_mutex_unlock(&log_lock);
}

void log_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);
	log_write(text, strlen(text));
}

static size_t line_prefix(char *line, size_t size)
{
	gint64 now;

	if (!error_timestamps())
		return 0;
	now = g_get_real_time();
	return snprintf(line, size, "%d@%" PRId64 ".%06d:", (int)getpid(),
			(int64_t)(now / G_USEC_PER_SEC), (int)(now % G_USEC_PER_SEC));
}

void trace_emit(const struct trace_point *point, const char *fmt, ...)
{
	char line[1024];
	size_t len;
	va_list args;

	if (!trace_point_on(point))
		return;
	len = line_prefix(line, sizeof(line));
	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	len = MIN(len, sizeof(line) - 2); /* cut what is too long */
	line[len++] = '\n';
	log_write(line, len);
}

const struct log_item log_items[] = {
	{"out_asm", "out_asm_*", "show generated host code for each translated block"},
	{"in_asm", "in_asm_*", "show guest code for each translated block"},
	{"op", "op_plain_*", "show intermediate operations for each translated block"},
	{"op_opt", "op_opt_*", "show intermediate operations after optimization"},
	{"op_ind", "op_ind_*", "show intermediate operations before lowering"},
	{"int", "int_*", "show interrupts and exceptions in short format"},
	{"exec", "exec_*", "show each translated block before it runs (lots of logs)"},
	{"cpu", "cpu_state_*", "show CPU registers before a block runs (lots of logs)"},
	{"fpu", "fpu_state_*", "include FPU registers in the 'cpu' logging"},
	{"mmu", "mmu_*", "log MMU-related activities"},
	{"pcall", "pcall_*", "show protected mode far calls, returns and exceptions"},
	{"cpu_reset", "cpu_reset_*", "show CPU state before CPU resets"},
	{"unimp", "unimp_*", "log use of functionality that is not implemented"},
	{"guest_errors", "guest_errors_*",
	 "log when the guest does something invalid (e.g. accesses a missing register)"},
	{"page", "page_*", "show changes of the guest's memory map"},
	{"nochain", "nochain_*", "log every block even where blocks run without a break"},
	{},
};

void log_items_print(GString *out)
{
	g_string_append(out, "Log items (comma separated):\n");
	for (const struct log_item *item = log_items; item->name; item++)
		g_string_append_printf(out, "%-15s %s\n", item->name, item->help);
	g_string_append(out, "trace:PATTERN   enable trace events\n\n");
}

static const struct log_item *log_item_find(const char *name)
{
	for (const struct log_item *item = log_items; item->name; item++)
		if (g_str_equal(item->name, name))
			return item;
	return NULL;
}

static void log_item_switch(const struct log_item *item, bool on)
{
	g_autofree char *off = g_strconcat("-", item->pattern, NULL);

	trace_switch(on ? item->pattern : off);
}

static void log_items_switch(bool on)
{
	for (const struct log_item *item = log_items; item->name; item++)
		log_item_switch(item, on);
}

static bool log_item_known(const char *name, GError **errp)
{
	if (!*name || g_str_equal(name, "all") || g_str_has_prefix(name, "trace:") ||
	    log_item_find(name))
		return true;
	error_set(errp, "Unknown log item '%s'", name);
	error_add_hint(errp, "Use -d help to list the log items");
	return false;
}

bool log_set_items(const char *items, GError **errp)
{
	g_auto(GStrv) names = g_strsplit(items, ",", -1);

	for (char **name = names; *name; name++)
		if (!log_item_known(*name, errp))
			return false;
	log_items_switch(false);
	for (char **name = names; *name; name++) {
		if (g_str_has_prefix(*name, "trace:"))
			trace_switch(*name + strlen("trace:"));
		else if (g_str_equal(*name, "all"))
			log_items_switch(true);
		else if (**name)
			log_item_switch(log_item_find(*name), true);
	}
	return true;
}
