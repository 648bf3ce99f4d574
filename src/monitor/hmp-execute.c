/* Running a line of the human monitor, helping, completing. */
#include "hmp.h"
#include "machine/machine.h"

/* ---- Finding rows ---- */

bool hmp_name_is(const char *names, const char *name, size_t len)
{
	while (*names) {
		size_t n = strcspn(names, "|");

		if (n == len && !strncmp(names, name, len))
			return true;
		names += n + (names[n] == '|');
	}
	return false;
}

const struct hmp_command *hmp_find(const struct hmp_command *table, const char *name, size_t len)
{
	for (const struct hmp_command *cmd = table; cmd->names; cmd++)
		if (hmp_name_is(cmd->names, name, len))
			return cmd;
	return NULL;
}

/* The row that *@text begins with, going down into tables like info's; *@text then is behind its
 * name. NULL: none; *@len is how much of the start was the name. */
static const struct hmp_command *find_row(const char **text, size_t *len)
{
	const struct hmp_command *table = hmp_commands, *cmd;
	const char *start = *text;

	while (true) {
		size_t n;

		while (g_ascii_isspace(**text))
			(*text)++;
		n = strcspn(*text, " \t\r\n/");
		cmd = hmp_find(table, *text, n);
		*len = *text + n - start;
		if (!cmd)
			return NULL;
		*text += n;
		if (!cmd->sub || !(*text)[strspn(*text, " \t")])
			return cmd;
		table = cmd->sub;
	}
}

/* ---- Help ---- */

static void help_row(struct hmp *hmp, const char *prefix, const struct hmp_command *cmd)
{
	g_string_append_printf(hmp->out, "%s%s %s -- %s\n", prefix, cmd->names, cmd->params,
			       cmd->help);
}

static void help_table(struct hmp *hmp, const char *prefix, const struct hmp_command *table)
{
	for (const struct hmp_command *cmd = table; cmd->names; cmd++)
		help_row(hmp, prefix, cmd);
}

void hmp_help(struct hmp *hmp, const char *topic)
{
	const struct hmp_command *cmd;
	const char *text = topic;
	size_t len;

	if (!topic || !*topic) {
		help_table(hmp, "", hmp_commands);
		return;
	}
	cmd = find_row(&text, &len);
	if (!cmd)
		g_string_append_printf(hmp->out, "unknown command: '%.*s'\n", (int)len, topic);
	else if (cmd->sub)
		help_table(hmp, "info ", cmd->sub);
	else
		help_row(hmp, g_str_has_prefix(topic, "info") ? "info " : "", cmd);
}

/* ---- Running ---- */

static void catch_message(void *opaque, const char *text)
{
	g_string_append_printf(opaque, "%s\n", text);
}

static bool run_qmp(struct hmp *hmp, const struct hmp_command *cmd, json_object *args,
		    GError **errp)
{
	g_autoptr(json_object) result = command_run(command_find(cmd->qmp), args, errp);

	if (result && cmd->print)
		cmd->print(hmp, result);
	return result;
}

static void print_error(struct hmp *hmp, const GError *err)
{
	const char *hint = error_hint(err);

	g_string_append_printf(hmp->out, "Error: %s\n", err->message);
	if (hint)
		g_string_append_printf(hmp->out, "%s\n", hint);
}

static void run_row(struct hmp *hmp, const struct hmp_command *cmd, const char *name,
		    const char *text)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(json_object) args = hmp_parse_args(hmp, cmd->names, cmd->args, text, &err);

	if (!args) {
		g_string_append_printf(hmp->out, "%s\nTry \"help %s\" for more information\n",
				       err->message, name);
		return;
	}
	error_set_sink(catch_message, hmp->out);
	if (!(cmd->run ? cmd->run(hmp, args, &err) : run_qmp(hmp, cmd, args, &err)))
		print_error(hmp, err);
	error_set_sink(NULL, NULL);
}

void hmp_execute(struct hmp *hmp, const char *line)
{
	const struct hmp_command *cmd;
	const char *text = line + strspn(line, " \t\r\n"), *start = text;
	g_autofree char *name = NULL;
	size_t len;

	if (!*text || *text == '#')
		return;
	cmd = find_row(&text, &len);
	name = g_strndup(start, len);
	if (!cmd)
		g_string_append_printf(hmp->out, "unknown command: '%s'\n", name);
	else if (cmd->sub)
		hmp_help(hmp, cmd->names);
	else
		run_row(hmp, cmd, name, text);
}

struct vcpu *hmp_cpu(struct hmp *hmp, bool sync, GError **errp)
{
	struct machine *m = machine_current();

	if (!m || !m->cpus || hmp->cpu >= m->topo.maxcpus || !m->cpus[hmp->cpu]) {
		error_set(errp, "No CPU available");
		return NULL;
	}
	if (!m->accel->ops->executes) {
		error_set(errp, "Accelerator '%s' has no CPU state", m->accel->ops->name);
		return NULL;
	}
	if (sync && !vcpu_sync_state(m->cpus[hmp->cpu], errp))
		return NULL;
	return m->cpus[hmp->cpu];
}

/* ---- Completion ---- */

static void complete_names(const struct hmp_command *table, const char *word, GPtrArray *out)
{
	for (const struct hmp_command *cmd = table; cmd->names; cmd++) {
		g_auto(GStrv) names = g_strsplit(cmd->names, "|", -1);

		for (char **name = names; *name; name++)
			if (g_str_has_prefix(*name, word))
				g_ptr_array_add(out, g_strdup(*name));
	}
}

/* The row of the argument number @n; the last one takes all the rest of the line. */
static const struct hmp_arg *arg_at(const struct hmp_command *cmd, unsigned n)
{
	for (unsigned i = 0; i < HMP_ARGS_MAX && cmd->args[i].kind != HMP_END; i++) {
		if (cmd->args[i].kind == HMP_FLAG || cmd->args[i].kind == HMP_FORMAT)
			continue;
		if (!n--)
			return &cmd->args[i];
	}
	return NULL;
}

size_t hmp_complete(const char *text, GPtrArray *out)
{
	const struct hmp_command *table = hmp_commands, *cmd = NULL;
	const char *word = text + strspn(text, " ");
	unsigned n = 0;

	for (const char *next; (next = strchr(word, ' ')); word = next + strspn(next, " ")) {
		if (table) {
			cmd = hmp_find(table, word, next - word);
			if (!cmd)
				return 0;
			table = cmd->sub;
			/* help takes the name of any command */
			if (hmp_name_is(cmd->names, "help", 4))
				table = hmp_commands;
		} else {
			n++;
		}
	}
	if (table) {
		complete_names(table, word, out);
	} else {
		const struct hmp_arg *arg = arg_at(cmd, n);

		if (arg && arg->complete)
			arg->complete(word, out);
	}
	return strlen(word);
}
