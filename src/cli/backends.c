/* Character devices and what talks through them. */
#include "chardev/chardev.h"
#include "options.h"

void config_add_monitor(struct cli *cli, const char *chardev, bool qmp, bool pretty,
			const char *where)
{
	struct config_monitor monitor = {
		.chardev = g_strdup(chardev),
		.qmp = qmp,
		.pretty = pretty,
		.where = g_strdup(where),
	};

	g_array_append_val(cli->cfg->monitors, monitor);
	cli->default_monitor = false;
}

bool config_add_chardev(struct cli *cli, const char *id, const char *text, const char *where,
			char **used, bool *wants_monitor, GError **errp)
{
	g_autoptr(json_object) props = chardev_options_from_legacy(text, errp);
	json_object *mon;

	*used = NULL;
	*wants_monitor = false;
	if (!props)
		return false;
	if (!g_strcmp0(props_text(props, "backend"), "none"))
		return true;
	*used = props_take(props, "chardev");
	if (*used)
		return true;
	if (json_object_object_get_ex(props, "mon", &mon)) {
		*wants_monitor = true;
		json_object_object_del(props, "mon");
	}
	json_add(props, "id", json_object_new_string(id));
	config_add_item(cli->cfg->chardevs, props, false, where);
	*used = g_strdup(id);
	return true;
}

static bool chardev_exists(const struct config *cfg, const char *id)
{
	for (unsigned i = 0; i < cfg->chardevs->len; i++) {
		json_object *props = g_array_index(cfg->chardevs, struct config_item, i).props;

		if (!g_strcmp0(props_text(props, "id"), id))
			return true;
	}
	return false;
}

static bool handle_chardev(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *id = props_text(use->props, "id");

	if (use->help) {
		GString *out = g_string_new(NULL);

		cli->help->chardevs(out);
		return cli_answer(cli, out);
	}
	if (!id)
		error_set(errp, "chardev: no id specified");
	else if (chardev_exists(cli->cfg, id))
		error_set(errp, "Duplicate ID '%s' for chardev", id);
	else if (!props_text(use->props, "backend"))
		error_set(errp, "chardev: \"%s\" missing backend", id);
	else if (id_check(id, errp)) {
		config_add_item(cli->cfg->chardevs, use->props, use->strict, use->where);
		return true;
	}
	return false;
}

/* ---- Monitors ---- */

enum mon_mode { MON_READLINE, MON_CONTROL };
static const struct enum_name mon_mode_names[] = {
	{"readline", MON_READLINE, "commands for people"},
	{"control", MON_CONTROL, "QMP"},
	{NULL, 0, NULL},
};
struct mon_values {
	char *chardev, *id;
	int mode;
	bool pretty;
};
static const struct field mon_rows[] = {
	ARG_STRING(struct mon_values, chardev, "chardev", "Character device it talks through"),
	PROP_ENUM(struct mon_values, mode, "mode", mon_mode_names, MON_READLINE, "Its language"),
	PROP_BOOL(struct mon_values, pretty, "pretty", false, "Indent what QMP answers"),
	OPT_STRING(struct mon_values, id, "id", "Its name"),
	{.kind = FIELD_END},
};
static const struct field_set mon_set = {"MonitorOptions", sizeof(struct mon_values), mon_rows};

static bool handle_mon(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct mon_values *v = use->values;
	GArray *monitors = cli->cfg->monitors;

	if (v->pretty && v->mode != MON_CONTROL) {
		error_set(errp, "'pretty' is not compatible with HMP monitors");
		return false;
	}
	config_add_monitor(cli, v->chardev, v->mode == MON_CONTROL, v->pretty, use->where);
	g_array_index(monitors, struct config_monitor, monitors->len - 1).id = g_strdup(v->id);
	return true;
}

/* -monitor, -qmp, -qmp-pretty */
static bool handle_short_monitor(struct cli *cli, const struct option_use *use, GError **errp)
{
	bool qmp = use->option->name[0] == 'q', pretty = strstr(use->option->name, "pretty");
	g_autofree char *id = g_strdup_printf("compat_monitor%u", cli->monitors);
	g_autofree char *used = NULL;
	bool mux;

	if (!config_add_chardev(cli, id, use->text, use->where, &used, &mux, errp))
		return false;
	cli->default_monitor = false;
	cli->monitors++;
	if (used)
		config_add_monitor(cli, used, qmp, pretty, use->where);
	return true;
}

/* ---- Ports ---- */

static bool handle_serial(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_autofree char *id = g_strdup_printf("serial%u", cli->serials);
	g_autofree char *used = NULL;
	bool wants_monitor;

	cli->default_serial = false;
	if (cli->serials == MACHINE_SERIALS && strcmp(use->text, "none")) {
		error_set(errp, "too many serial ports: this machine has %d", MACHINE_SERIALS);
		return false;
	}
	if (!config_add_chardev(cli, id, use->text, use->where, &used, &wants_monitor, errp))
		return false;
	if (!used)
		return true;
	if (wants_monitor)
		config_add_monitor(cli, used, false, false, use->where);
	cli->cfg->serial[cli->serials++] = g_steal_pointer(&used);
	return true;
}

static bool handle_parallel(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_autofree char *id = g_strdup_printf("parallel%u", cli->parallels);
	g_autofree char *used = NULL;
	bool wants_monitor;

	cli->default_parallel = false;
	if (cli->parallels == MACHINE_PARALLELS && strcmp(use->text, "none")) {
		error_set(errp, "too many parallel ports: this machine has %d", MACHINE_PARALLELS);
		return false;
	}
	if (!config_add_chardev(cli, id, use->text, use->where, &used, &wants_monitor, errp))
		return false;
	if (!used)
		return true;
	if (wants_monitor)
		config_add_monitor(cli, used, false, false, use->where);
	cli->cfg->parallel[cli->parallels++] = g_steal_pointer(&used);
	return true;
}

static bool handle_debugcon(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_autofree char *used = NULL;
	g_autofree char *device = NULL;
	bool mux;

	if (!config_add_chardev(cli, "debugcon", use->text, use->where, &used, &mux, errp))
		return false;
	if (!used)
		return true;
	device = g_strdup_printf("isa-debugcon,iobase=0xe9,chardev=%s", used);
	return option_rewrite(cli, "device", device, use, errp);
}

static bool handle_qtest(struct cli *cli, const struct option_use *use, GError **errp)
{
	bool mux;

	g_clear_pointer(&cli->cfg->qtest, g_free);
	return config_add_chardev(cli, "qtest", use->text, use->where, &cli->cfg->qtest, &mux,
				  errp);
}

static bool handle_echr(struct cli *cli, const struct option_use *use, GError **errp)
{
	char *end;
	gint64 key = g_ascii_strtoll(use->text, &end, 0);

	if (!*use->text || *end || key < 1 || key > 255) {
		error_set(errp, "the escape key is a character code from 1 to 255, not '%s'",
			  use->text);
		return false;
	}
	cli->cfg->escape_key = (uint8_t)key;
	return true;
}

const struct option backend_options[] = {
	{"chardev", "backend,id=id[,mux=on|off][,logfile=PATH][,logappend=on|off][,...]",
	 "add a character device: null, socket, file, pipe, pty, stdio, ringbuf, ...\n"
	 "use '-chardev help' to print all possible back ends",
	 OPTION_OPTS, handle_chardev, .group = "chardev", .implied = "backend",
	 .flags = OPTION_HELP},
	{"serial", "dev", "redirect the serial port to char device 'dev'", OPTION_TEXT,
	 handle_serial},
	{"parallel", "dev", "redirect the parallel port to char device 'dev'", OPTION_TEXT,
	 handle_parallel},
	{"monitor", "dev", "redirect the monitor to char device 'dev'", OPTION_TEXT,
	 handle_short_monitor},
	{"qmp", "dev", "like -monitor but opens in 'control' mode", OPTION_TEXT,
	 handle_short_monitor},
	{"qmp-pretty", "dev", "like -qmp but uses pretty JSON formatting", OPTION_TEXT,
	 handle_short_monitor},
	{"mon", "[chardev=]name[,mode=readline|control][,pretty[=on|off]]",
	 "attach a monitor to a character device", OPTION_OPTS, handle_mon, .group = "mon",
	 .implied = "chardev", .set = &mon_set},
	{"echr", "chr", "set the key that begins terminal commands, instead of Ctrl-A (1)",
	 OPTION_TEXT, handle_echr},
	{"debugcon", "dev", "redirect the debug console to char device 'dev'", OPTION_TEXT,
	 handle_debugcon},
	{"qtest", "dev", "serve the qtest protocol on char device 'dev'", OPTION_TEXT,
	 handle_qtest},
	{"qtest-log", "file", "log qtest commands and answers ('none': do not)", OPTION_TEXT,
	 store_text, .offset = offsetof(struct config, qtest_log)},
	{NULL},
};
