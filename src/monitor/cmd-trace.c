/* QMP commands that show and switch trace points. */
#include "base/trace.h"
#include "internal.h"

struct state_args {
	char *name;
	bool enable, has_ignore_unavailable, ignore_unavailable, has_vcpu;
	int64_t vcpu;
};
#define NAME_ROW ARG_STRING(struct state_args, name, "name", "Name, or a pattern with * and ?")
#define VCPU_ROW                                                                                   \
	OPT_INT(struct state_args, vcpu, "vcpu", "Not used: no trace point belongs to a vCPU")
static const struct field get_rows[] = {
	NAME_ROW,
	VCPU_ROW,
	FIELD_ROW_END,
};
static const struct field_set get_set = {"trace-event-get-state-arg", sizeof(struct state_args),
					 get_rows};
static const struct field set_rows[] = {
	NAME_ROW,
	ARG_BOOL(struct state_args, enable, "enable", "On or off"),
	OPT_BOOL(struct state_args, ignore_unavailable, "ignore-unavailable",
		 "Pass over points that cannot be switched"),
	VCPU_ROW,
	FIELD_ROW_END,
};
static const struct field_set set_set = {"trace-event-set-state-arg", sizeof(struct state_args),
					 set_rows};

enum trace_state { TRACE_UNAVAILABLE, TRACE_DISABLED, TRACE_ENABLED };
static const struct enum_name trace_state_names[] = {
	{"unavailable", TRACE_UNAVAILABLE, NULL},
	{"disabled", TRACE_DISABLED, NULL},
	{"enabled", TRACE_ENABLED, NULL},
	{NULL, 0, NULL},
};
struct trace_info {
	char *name;
	int state;
	bool vcpu;
};
static const struct field trace_info_rows[] = {
	ARG_STRING(struct trace_info, name, "name", "Name of the point"),
	ARG_BOOL(struct trace_info, vcpu, "vcpu", "Always false"),
	ARG_ENUM(struct trace_info, state, "state", trace_state_names, "Whether it is on"),
	FIELD_ROW_END,
};
static const struct field_set trace_info_set = {"TraceEventInfo", sizeof(struct trace_info),
						trace_info_rows};

struct search {
	const char *pattern;
	GArray *found; /* struct trace_info */
};

static void add_match(const struct trace_point *point, void *opaque)
{
	struct search *search = opaque;
	struct trace_info info = {.state = trace_point_on(point) ? TRACE_ENABLED : TRACE_DISABLED};

	if (!g_pattern_match_simple(search->pattern, point->name))
		return;
	info.name = g_strdup(point->name);
	g_array_append_val(search->found, info);
}

/* NULL if a plain name is unknown. */
static GArray *find_points(const char *pattern, GError **errp)
{
	struct search search = {pattern, g_array_new(false, true, sizeof(struct trace_info))};

	trace_foreach(add_match, &search);
	if (search.found->len || strpbrk(pattern, "*?"))
		return search.found;
	g_array_unref(search.found);
	error_set(errp, "unknown event \"%s\"", pattern);
	return NULL;
}

static bool qmp_get_state(void *args, void *result, GError **errp)
{
	GArray *found = find_points(((struct state_args *)args)->name, errp);

	*(GArray **)result = found;
	return found;
}

static bool qmp_set_state(void *args, void *result, GError **errp)
{
	const struct state_args *arg = args;
	g_autofree char *pattern = g_strconcat(arg->enable ? "" : "-", arg->name, NULL);

	if (trace_switch(pattern) || strpbrk(arg->name, "*?"))
		return true;
	error_set(errp, "unknown event \"%s\"", arg->name);
	return false;
}

const struct command trace_commands[] = {
	{"trace-event-get-state", "Which trace points are on", &get_set, &trace_info_set,
	 qmp_get_state, COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"trace-event-set-state", "Switches trace points", &set_set, NULL, qmp_set_state,
	 COMMAND_PRECONFIG},
	{NULL},
};
