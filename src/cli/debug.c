/* How the process runs: clocks, actions, logs, files. */
#include <stdio.h>
#include "base/trace.h"
#include "event/clock.h"
#include "options.h"

/* ---- -rtc ---- */

static const struct enum_name rtc_clock_names[] = {
	{"host", QCLOCK_HOST, "the host's wall clock"},
	{"rt", QCLOCK_REALTIME, "the host's monotonic clock"},
	{"vm", QCLOCK_VIRTUAL, "guest time"},
	{NULL, 0, NULL},
};
enum rtc_drift { DRIFT_NONE, DRIFT_SLEW };
static const struct enum_name rtc_drift_names[] = {
	{"none", DRIFT_NONE, "lost ticks stay lost"},
	{"slew", DRIFT_SLEW, "lost ticks are made up for"},
	{NULL, 0, NULL},
};
struct rtc_values {
	char *base;
	int clock, driftfix;
};
static const struct field rtc_rows[] = {
	PROP_STRING(struct rtc_values, base, "base", "utc", "utc, localtime or a date"),
	PROP_ENUM(struct rtc_values, clock, "clock", rtc_clock_names, QCLOCK_HOST,
		  "What drives it"),
	PROP_ENUM(struct rtc_values, driftfix, "driftfix", rtc_drift_names, DRIFT_NONE,
		  "What becomes of lost ticks"),
	{.kind = FIELD_END},
};
static const struct field_set rtc_set = {"Rtc", sizeof(struct rtc_values), rtc_rows};

/* "2006-06-17T16:01:21" or "2006-06-17", UTC. */
static bool parse_date(const char *text, int64_t *seconds)
{
	int y, mo, d, h = 0, mi = 0, s = 0, used = 0;
	g_autoptr(GDateTime) date = NULL;

	if (sscanf(text, "%4d-%2d-%2d%n", &y, &mo, &d, &used) != 3)
		return false;
	if (text[used] &&
	    (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6 ||
	     text[used]))
		return false;
	date = g_date_time_new_utc(y, mo, d, h, mi, s);
	if (date)
		*seconds = g_date_time_to_unix(date);
	return date;
}

static bool handle_rtc(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct rtc_values *v = use->values;
	struct config *cfg = cli->cfg;

	if (g_str_equal(v->base, "utc")) {
		cfg->rtc_base = RTC_UTC;
	} else if (g_str_equal(v->base, "localtime")) {
		cfg->rtc_base = RTC_LOCALTIME;
	} else if (parse_date(v->base, &cfg->rtc_date)) {
		cfg->rtc_base = RTC_DATE;
	} else {
		error_set(errp, "invalid datetime format");
		error_add_hint(errp, "valid formats: '2006-06-17T16:01:21' or '2006-06-17'");
		return false;
	}
	cfg->rtc_clock = v->clock;
	cfg->rtc_slew = v->driftfix == DRIFT_SLEW;
	return true;
}

/* ---- -action ---- */

static const struct field action_rows[] = {
	PROP_ENUM(struct run_actions, reboot, "reboot", reboot_action_names, REBOOT_RESET,
		  "When the guest reboots"),
	PROP_ENUM(struct run_actions, shutdown, "shutdown", shutdown_action_names,
		  SHUTDOWN_POWEROFF, "When the guest powers off"),
	PROP_ENUM(struct run_actions, panic, "panic", panic_action_names, PANIC_SHUTDOWN,
		  "When the guest panics"),
	PROP_ENUM(struct run_actions, watchdog, "watchdog", watchdog_action_names, WATCHDOG_RESET,
		  "When a watchdog expires"),
	{.kind = FIELD_END},
};
static const struct field_set action_set = {"Action", sizeof(struct run_actions), action_rows};

static bool handle_action(struct cli *cli, const struct option_use *use, GError **errp)
{
	cli->cfg->actions = *(const struct run_actions *)use->values;
	return true;
}

static bool handle_no_reboot(struct cli *cli, const struct option_use *use, GError **errp)
{
	return option_rewrite(cli, "action", "reboot=shutdown", use, errp);
}

static bool handle_no_shutdown(struct cli *cli, const struct option_use *use, GError **errp)
{
	return option_rewrite(cli, "action", "shutdown=pause", use, errp);
}

static bool handle_watchdog_action(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_autofree char *text = g_strconcat("watchdog=", use->text, NULL);

	return option_rewrite(cli, "action", text, use, errp);
}

static bool handle_S(struct cli *cli, const struct option_use *use, GError **errp)
{
	cli->cfg->autostart = false;
	return true;
}

/* ---- Messages, logs, traces ---- */

struct msg_values {
	bool timestamp, guest_name;
};
static const struct field msg_rows[] = {
	PROP_BOOL(struct msg_values, timestamp, "timestamp", false, "Put the time in front"),
	PROP_BOOL(struct msg_values, guest_name, "guest-name", false,
		  "Put the guest's name in front"),
	{.kind = FIELD_END},
};
static const struct field_set msg_set = {"Msg", sizeof(struct msg_values), msg_rows};

static bool handle_msg(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct msg_values *v = use->values;

	cli->cfg->msg_timestamp = v->timestamp;
	cli->cfg->msg_guest_name = v->guest_name;
	return true;
}

static void add_trace_name(const struct trace_point *point, void *opaque)
{
	g_string_append_printf(opaque, "%s\n", point->name);
}

static bool answer_trace_names(struct cli *cli)
{
	GString *out = g_string_new(NULL);

	trace_foreach(add_trace_name, out);
	return cli_answer(cli, out);
}

static bool handle_d(struct cli *cli, const struct option_use *use, GError **errp)
{
	GString *out;

	if (g_str_equal(use->text, "trace:help"))
		return answer_trace_names(cli);
	if (!use->help)
		return store_text(cli, use, errp);
	out = g_string_new(NULL);
	log_items_print(out);
	g_string_append(out, "Use \"-d trace:help\" to get a list of trace events.\n\n");
	return cli_answer(cli, out);
}

struct trace_values {
	char *enable, *events, *file;
};
static const struct field trace_rows[] = {
	OPT_STRING(struct trace_values, enable, "enable", "Pattern of trace points"),
	OPT_STRING(struct trace_values, events, "events", "File of such patterns"),
	OPT_STRING(struct trace_values, file, "file", "Where the output goes"),
	{.kind = FIELD_END},
};
static const struct field_set trace_set = {"Trace", sizeof(struct trace_values), trace_rows};

/* A pattern a line; '#' begins a comment. */
static bool read_patterns(struct cli *cli, const char *path, GError **errp)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) err = NULL;

	if (!g_file_get_contents(path, &text, NULL, &err)) {
		error_set(errp, "%s", err->message);
		return false;
	}
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_strstrip(*line);
		if (**line && **line != '#')
			g_ptr_array_add(cli->cfg->traces, g_strdup(*line));
	}
	return true;
}

static bool handle_trace(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct trace_values *v = use->values;

	if (use->help)
		return answer_trace_names(cli);
	if (v->events && !read_patterns(cli, v->events, errp))
		return false;
	if (v->enable)
		g_ptr_array_add(cli->cfg->traces, g_strdup(v->enable));
	if (v->file) {
		g_free(cli->cfg->log_file);
		cli->cfg->log_file = g_strdup(v->file);
	}
	return true;
}

/* ---- The process ---- */

struct sandbox_values {
	bool enable;
	char *obsolete, *elevate, *spawn, *resources;
};
static const struct field sandbox_rows[] = {
	PROP_BOOL(struct sandbox_values, enable, "enable", false, "Filter system calls"),
	OPT_STRING(struct sandbox_values, obsolete, "obsolete", "Whether to allow old ones"),
	OPT_STRING(struct sandbox_values, elevate, "elevateprivileges",
		   "Whether to allow those that give rights"),
	OPT_STRING(struct sandbox_values, spawn, "spawn", "Whether to allow new processes"),
	OPT_STRING(struct sandbox_values, resources, "resourcecontrol",
		   "Whether to allow changes of affinity and priority"),
	{.kind = FIELD_END},
};
static const struct field_set sandbox_set = {"Sandbox", sizeof(struct sandbox_values),
					     sandbox_rows};

static bool handle_sandbox(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct sandbox_values *v = use->values;

	if (!v->enable)
		return true;
	error_set(errp, "system call filtering is not available in this build");
	return false;
}

static bool handle_gdb(struct cli *cli, const struct option_use *use, GError **errp)
{
	error_set(errp, "the gdb stub is not available in this build");
	return false;
}

static bool handle_readconfig(struct cli *cli, const struct option_use *use, GError **errp)
{
	return readconfig(cli, use->text, errp);
}

const struct option debug_options[] = {
	{"pidfile", "file", "write PID to 'file'", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, pidfile)},
	{"S", NULL, "freeze CPU at startup (use 'c' to start execution)", OPTION_FLAG, handle_S},
	{"d", "item1,...",
	 "enable logging of specified items (use '-d help' for a list of log items)", OPTION_TEXT,
	 handle_d, .offset = offsetof(struct config, log_items), .flags = OPTION_HELP},
	{"D", "logfile", "output log to logfile (default stderr)", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, log_file)},
	{"trace", "[[enable=]<pattern>][,events=<file>][,file=<file>]",
	 "specify tracing options; '-trace help' lists the trace points", OPTION_OPTS, handle_trace,
	 .group = "trace", .implied = "enable", .set = &trace_set, .flags = OPTION_HELP},
	{"msg", "[timestamp[=on|off]][,guest-name[=on|off]]",
	 "control error message format\n"
	 "timestamp=on enables timestamps (default: off)\n"
	 "guest-name=on enables guest name prefix but only if\n"
	 "              -name guest option is set (default: off)",
	 OPTION_OPTS, handle_msg, .group = "msg", .set = &msg_set, .flags = OPTION_MERGE},
	{"no-reboot", NULL, "exit instead of rebooting", OPTION_FLAG, handle_no_reboot},
	{"no-shutdown", NULL, "stop before shutdown", OPTION_FLAG, handle_no_shutdown},
	{"action",
	 "reboot=reset|shutdown,shutdown=poweroff|pause,\n"
	 "        panic=pause|shutdown|exit-failure|none,watchdog=reset|shutdown|...",
	 "what to do when the guest reboots, shuts down, panics, or its watchdog expires",
	 OPTION_OPTS, handle_action, .group = "action", .set = &action_set, .flags = OPTION_MERGE},
	{"watchdog-action", "reset|shutdown|poweroff|inject-nmi|pause|debug|none",
	 "action when watchdog fires [default=reset]", OPTION_TEXT, handle_watchdog_action},
	{"daemonize", NULL, "daemonize after initializing", OPTION_FLAG, store_flag,
	 .offset = offsetof(struct config, daemonize)},
	{"rtc", "[base=utc|localtime|<datetime>][,clock=host|rt|vm][,driftfix=none|slew]",
	 "set the RTC base and clock, enable drift fix for clock ticks (x86 only)", OPTION_OPTS,
	 handle_rtc, .group = "rtc", .set = &rtc_set, .flags = OPTION_MERGE},
	{"nodefaults", NULL, "don't create default devices", OPTION_FLAG, store_flag,
	 .offset = offsetof(struct config, no_defaults)},
	{"no-user-config", NULL, "accepted: no configuration file is read by default", OPTION_FLAG,
	 store_flag, .offset = offsetof(struct config, no_user_config)},
	{"readconfig", "<file>", "read config file", OPTION_TEXT, handle_readconfig},
	{"gdb", "dev", "not available", OPTION_TEXT, handle_gdb, .flags = OPTION_HIDDEN},
	{"s", NULL, "not available", OPTION_FLAG, handle_gdb, .flags = OPTION_HIDDEN},
	{"sandbox", "off", "accepted: no system calls are filtered", OPTION_OPTS, handle_sandbox,
	 .implied = "enable", .set = &sandbox_set, .flags = OPTION_HIDDEN},
	{NULL},
};
