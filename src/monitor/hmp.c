/*
 * Human monitors: a terminal session, and the QMP command that runs a line without one.
 */
#include "hmp.h"
#include "machine/machine.h"
#include "readline.h"

#define PROMPT "(qemu) "

static const char greeting[] = "QEMU 7.2.0 monitor - type 'help' for more information\n";

struct hmp_session {
	struct monitor *mon;
	struct readline *rl;
	struct hmp hmp;
	bool greeted; /* on this connection */
};

static void session_print(void *opaque, const char *text)
{
	monitor_write(((struct hmp_session *)opaque)->mon, text);
}

static void session_line(void *opaque, const char *line)
{
	struct hmp_session *session = opaque;

	session->hmp.out = g_string_new(NULL);
	monitor_set_current(session->mon);
	hmp_execute(&session->hmp, line);
	monitor_set_current(NULL);
	monitor_write(session->mon, session->hmp.out->str);
	g_string_free(g_steal_pointer(&session->hmp.out), true);
	readline_prompt(session->rl);
}

static size_t session_complete(void *opaque, const char *text, GPtrArray *out)
{
	return hmp_complete(text, out);
}

static const struct readline_ops session_ops = {
	.print = session_print,
	.line = session_line,
	.complete = session_complete,
};

static int hmp_can_receive(void *opaque)
{
	return 128;
}

static void hmp_receive(void *opaque, const uint8_t *data, int len)
{
	struct monitor *mon = opaque;

	for (int i = 0; i < len; i++)
		readline_feed(mon->hmp->rl, data[i]);
}

static void hmp_event(void *opaque, enum chardev_event event)
{
	struct monitor *mon = opaque;
	struct hmp_session *session = mon->hmp;

	switch (event) {
	case CHARDEV_OPENED:
		monitor_write(mon, greeting);
		session->greeted = true;
		if (!mon->held)
			readline_prompt(session->rl);
		break;
	case CHARDEV_CLOSED:
		session->greeted = false;
		readline_reset(session->rl);
		monitor_discard(mon);
		monitor_close_fds(mon);
		break;
	case CHARDEV_MUX_IN:
		monitor_hold(mon, false);
		if (session->greeted)
			readline_prompt(session->rl);
		break;
	case CHARDEV_MUX_OUT:
		if (session->greeted && !mon->held)
			monitor_write(mon, "\n");
		monitor_hold(mon, true);
		break;
	default:
		break;
	}
}

static const struct chardev_handlers handlers = {
	.background = true,
	.can_receive = hmp_can_receive,
	.receive = hmp_receive,
	.event = hmp_event,
};

const struct chardev_handlers *hmp_handlers(void)
{
	return &handlers;
}

static void hmp_init(struct hmp *hmp)
{
	hmp->last_letter = 'x';
	hmp->last_size = 4;
}

struct hmp_session *hmp_session_new(struct monitor *mon)
{
	struct hmp_session *session = g_new0(struct hmp_session, 1);

	session->mon = mon;
	session->rl = readline_new(&session_ops, session, PROMPT);
	session->hmp.history = readline_history(session->rl);
	hmp_init(&session->hmp);
	return session;
}

void hmp_session_free(struct hmp_session *session)
{
	readline_free(session->rl);
	g_free(session);
}

/* ---- human-monitor-command ---- */

struct line_args {
	char *command_line;
	bool has_cpu_index;
	int64_t cpu_index;
};
static const struct field line_rows[] = {
	ARG_STRING(struct line_args, command_line, "command-line", "What to run"),
	OPT_INT(struct line_args, cpu_index, "cpu-index", "vCPU that it is about"),
	FIELD_ROW_END,
};
static const struct field_set line_set = {"human-monitor-command-arg", sizeof(struct line_args),
					  line_rows};
static const struct field text_elem = {
	.name = "text",
	.help = "What it printed",
	.kind = FIELD_STRING,
	.width = sizeof(char *),
};

static bool cpu_exists(int64_t index)
{
	struct machine *m = machine_current();

	return m && m->cpus && index >= 0 && index < m->topo.maxcpus && m->cpus[index];
}

static char *with_cr(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	return g_strjoinv("\r\n", lines);
}

static bool qmp_human_monitor_command(void *args, void *result, GError **errp)
{
	const struct line_args *arg = args;
	struct hmp hmp = {.out = NULL};
	g_autofree char *text = NULL, *valid = NULL;

	if (arg->has_cpu_index && !cpu_exists(arg->cpu_index)) {
		error_set(errp, "Parameter 'cpu-index' expects a CPU number");
		return false;
	}
	hmp_init(&hmp);
	hmp.cpu = arg->has_cpu_index ? arg->cpu_index : 0;
	hmp.out = g_string_new(NULL);
	hmp_execute(&hmp, arg->command_line);
	text = with_cr(hmp.out->str);
	g_string_free(hmp.out, true);
	valid = g_utf8_make_valid(text, -1);
	*(json_object **)result = json_object_new_string(valid);
	return true;
}

const struct command hmp_command_table[] = {
	{"human-monitor-command", "Runs a line of the human monitor", &line_set, NULL,
	 qmp_human_monitor_command, COMMAND_RESULT_ANY, .result_elem = &text_elem},
	{NULL},
};
