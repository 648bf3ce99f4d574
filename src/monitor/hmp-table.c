/* The commands of the human monitor. */
#include "base/checked.h"
#include "base/trace.h"
#include "device/plug.h"
#include "hmp.h"
#include "machine/balloon.h"
#include "machine/machine.h"

/* ---- Completion ---- */

static void add_candidate(GPtrArray *out, const char *word, const char *candidate)
{
	if (candidate && g_str_has_prefix(candidate, word))
		g_ptr_array_add(out, g_strdup(candidate));
}

static void complete_types(const char *word, GPtrArray *out, bool objects)
{
	for (const struct device_type *const *t = device_types(); *t; t++)
		if (((*t)->flags & TYPE_USER_CREATABLE) && !((*t)->flags & TYPE_ABSTRACT) &&
		    ((*t)->category == CATEGORY_BACKEND) == objects)
			add_candidate(out, word, (*t)->name);
}

static void complete_device_types(const char *word, GPtrArray *out)
{
	complete_types(word, out, false);
}

static void complete_object_types(const char *word, GPtrArray *out)
{
	complete_types(word, out, true);
}

struct collect {
	const char *word;
	GPtrArray *out;
};

static void add_device(struct device *dev, void *opaque)
{
	struct collect *c = opaque;

	add_candidate(c->out, c->word, dev->id ? dev->id : dev->name);
}

static void complete_watchdog_actions(const char *word, GPtrArray *out)
{
	for (const struct enum_name *n = watchdog_action_names; n->name; n++)
		add_candidate(out, word, n->name);
}

static void complete_devices(const char *word, GPtrArray *out)
{
	struct collect c = {word, out};

	device_foreach_child(tree_container("/machine/peripheral"), add_device, &c);
}

static void complete_objects(const char *word, GPtrArray *out)
{
	struct collect c = {word, out};

	device_foreach_child(tree_container("/objects"), add_device, &c);
}

static void add_chardev(struct chardev *chr, void *opaque)
{
	struct collect *c = opaque;

	add_candidate(c->out, c->word, chardev_id(chr));
}

static void complete_chardevs(const char *word, GPtrArray *out)
{
	struct collect c = {word, out};

	chardev_foreach(add_chardev, &c);
}

static void add_trace(const struct trace_point *point, void *opaque)
{
	struct collect *c = opaque;

	add_candidate(c->out, c->word, point->name);
}

static void complete_traces(const char *word, GPtrArray *out)
{
	struct collect c = {word, out};

	trace_foreach(add_trace, &c);
}

static void complete_files(const char *word, GPtrArray *out)
{
	const char *slash = strrchr(word, '/');
	g_autofree char *folder = slash ? g_strndup(word, slash - word + 1) : g_strdup("");
	g_autoptr(GDir) dir = g_dir_open(*folder ? folder : ".", 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strconcat(folder, name, NULL);
		g_autofree char *shown =
			g_file_test(path, G_FILE_TEST_IS_DIR) ? g_strconcat(path, "/", NULL) : NULL;

		add_candidate(out, word, shown ? shown : path);
	}
}

/* ---- Commands that are no QMP command with the same arguments ---- */

static bool do_help(struct hmp *hmp, json_object *args, GError **errp)
{
	hmp_help(hmp, hmp_text(args, "name"));
	return true;
}

/* key=value text, or JSON, as the option of the same name takes it. */
static bool do_device_add(struct hmp *hmp, json_object *args, GError **errp)
{
	const char *text = hmp_text(args, "device");
	bool help = false;
	g_autoptr(json_object) opts = opts_parse(text, "driver", NULL, &help, errp);

	if (help) {
		const char *driver = opts ? hmp_text(opts, "driver") : NULL;

		if (driver)
			return device_type_help(driver, hmp->out, errp);
		device_help(hmp->out);
		return true;
	}
	return opts && device_add(opts, errp);
}

static bool do_object_add(struct hmp *hmp, json_object *args, GError **errp)
{
	const char *text = hmp_text(args, "object");
	bool help = false;
	g_autoptr(json_object) opts = keyval_parse(text, "qom-type", NULL, &help, errp);

	if (help) {
		object_help(hmp->out);
		return true;
	}
	return opts && object_add(opts, *text != '{', errp);
}

static bool do_chardev_add(struct hmp *hmp, json_object *args, GError **errp)
{
	bool help = false;
	g_autoptr(json_object) opts =
		opts_parse(hmp_text(args, "args"), "backend", NULL, &help, errp);

	if (help) {
		chardev_print_help(hmp->out);
		return true;
	}
	return opts && chardev_new(hmp_text(opts, "id"), opts, errp);
}

static bool do_qom_set(struct hmp *hmp, json_object *args, GError **errp)
{
	struct device *dev = tree_find(hmp_text(args, "path"), errp);

	return dev &&
	       device_set_text(dev, hmp_text(args, "property"), hmp_text(args, "value"), errp);
}

static bool do_cpu(struct hmp *hmp, json_object *args, GError **errp)
{
	struct machine *m = machine_current();
	int64_t index = hmp_number(args, "index");

	if (m && m->cpus && index >= 0 && index < m->topo.maxcpus && m->cpus[index])
		hmp->cpu = (unsigned)index;
	else
		g_string_append(hmp->out, "invalid CPU index\n");
	return true;
}

static bool do_log(struct hmp *hmp, json_object *args, GError **errp)
{
	const char *items = hmp_text(args, "items");

	if (g_str_equal(items, "help")) {
		log_items_print(hmp->out);
		return true;
	}
	return log_set_items(strcmp(items, "none") ? items : "", errp);
}

static bool do_logfile(struct hmp *hmp, json_object *args, GError **errp)
{
	return log_open(hmp_text(args, "filename"), errp);
}

static void print_names(struct hmp *hmp, json_object *result)
{
	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *item = json_object_array_get_idx(result, i);

		g_string_append_printf(hmp->out, "%s (%s)\n", hmp_text(item, "name"),
				       hmp_text(item, "type"));
	}
}

static void print_json(struct hmp *hmp, json_object *result)
{
	g_autofree char *text = json_print(result, true);

	g_string_append_printf(hmp->out, "%s\n", text);
}

static void print_text(struct hmp *hmp, json_object *result)
{
	g_string_append_printf(hmp->out, "%s\n", json_object_get_string(result));
}

/* ---- Rows, by name ---- */

static bool do_balloon(struct hmp *hmp, json_object *args, GError **errp)
{
	int64_t bytes;

	if (MUL_OVERFLOWS(hmp_number(args, "value"), (int64_t)MIB, &bytes))
		bytes = INT64_MAX;
	return balloon_set(bytes, errp);
}

const struct hmp_command hmp_commands[] = {
	{"balloon",
	 "target",
	 "request VM to change its memory allocation (in MB)",
	 {{"value", HMP_NUMBER}},
	 .run = do_balloon},
	{"chardev-add", "args", "add chardev", {{"args", HMP_REST}}, .run = do_chardev_add},
	{"chardev-remove",
	 "id",
	 "remove chardev",
	 {{"id", HMP_WORD, false, complete_chardevs}},
	 .qmp = "chardev-remove"},
	{"chardev-send-break",
	 "id",
	 "send a break on chardev",
	 {{"id", HMP_WORD, false, complete_chardevs}},
	 .qmp = "chardev-send-break"},
	{"closefd",
	 "fdname",
	 "close a file descriptor kept under a name",
	 {{"fdname", HMP_WORD}},
	 .qmp = "closefd"},
	{"cont|c", "", "resume emulation", .qmp = "cont"},
	{"cpu", "index", "set the default CPU", {{"index", HMP_NUMBER}}, .run = do_cpu},
	{"device_add",
	 "driver[,prop=value][,...]",
	 "add device, like -device on the command line",
	 {{"device", HMP_REST, false, complete_device_types}},
	 .run = do_device_add},
	{"device_del",
	 "device",
	 "remove device",
	 {{"id", HMP_WORD, false, complete_devices}},
	 .qmp = "device_del"},
	{"getfd",
	 "fdname",
	 "keep a file descriptor passed with SCM_RIGHTS under a name",
	 {{"fdname", HMP_WORD}},
	 .qmp = "getfd"},
	{"help|?", "[cmd]", "show the help", {{"name", HMP_REST, true}}, .run = do_help},
	{"i",
	 "/fmt addr [index]",
	 "I/O port read",
	 {{"fmt", HMP_FORMAT}, {"addr", HMP_NUMBER}, {"index", HMP_NUMBER, true}},
	 .run = hmp_in},
	{"info", "[subcommand]", "show various information about the system state",
	 .sub = hmp_info_commands},
	{"log",
	 "item1[,...]",
	 "activate logging of the specified items",
	 {{"items", HMP_WORD}},
	 .run = do_log},
	{"logfile",
	 "filename",
	 "output logs to 'filename'",
	 {{"filename", HMP_WORD, false, complete_files}},
	 .run = do_logfile},
	{"memsave",
	 "addr size file",
	 "save to disk virtual memory dump starting at 'addr' of size 'size'",
	 {{"val", HMP_NUMBER}, {"size", HMP_NUMBER}, {"filename", HMP_WORD, false, complete_files}},
	 .qmp = "memsave"},
	{"nmi", "", "inject an NMI", .qmp = "inject-nmi"},
	{"o",
	 "/fmt addr value",
	 "I/O port write",
	 {{"fmt", HMP_FORMAT}, {"addr", HMP_NUMBER}, {"val", HMP_NUMBER}},
	 .run = hmp_out},
	{"object_add",
	 "[qom-type=]type,id=str[,prop=value][,...]",
	 "create QOM object",
	 {{"object", HMP_REST, false, complete_object_types}},
	 .run = do_object_add},
	{"object_del",
	 "id",
	 "destroy QOM object",
	 {{"id", HMP_WORD, false, complete_objects}},
	 .qmp = "object-del"},
	{"pmemsave",
	 "addr size file",
	 "save to disk physical memory dump starting at 'addr' of size 'size'",
	 {{"val", HMP_NUMBER}, {"size", HMP_NUMBER}, {"filename", HMP_WORD, false, complete_files}},
	 .qmp = "pmemsave"},
	{"print|p",
	 "/fmt expr",
	 "print expression value (use $reg for CPU register access)",
	 {{"fmt", HMP_FORMAT}, {"val", HMP_NUMBER}},
	 .run = hmp_print},
	{"qom-get",
	 "path property",
	 "print QOM property",
	 {{"path", HMP_WORD}, {"property", HMP_WORD}},
	 .qmp = "qom-get",
	 .print = print_json},
	{"qom-list",
	 "path",
	 "list QOM properties",
	 {{"path", HMP_WORD}},
	 .qmp = "qom-list",
	 .print = print_names},
	{"qom-set",
	 "path property value",
	 "set QOM property",
	 {{"path", HMP_WORD}, {"property", HMP_WORD}, {"value", HMP_REST}},
	 .run = do_qom_set},
	{"quit|q", "", "quit the emulator", .qmp = "quit"},
	{"ringbuf_read",
	 "device size",
	 "read from a ring buffer character device",
	 {{"device", HMP_WORD, false, complete_chardevs}, {"size", HMP_NUMBER}},
	 .qmp = "ringbuf-read",
	 .print = print_text},
	{"ringbuf_write",
	 "device data",
	 "write to a ring buffer character device",
	 {{"device", HMP_WORD, false, complete_chardevs}, {"data", HMP_WORD}},
	 .qmp = "ringbuf-write"},
	{"stop|s", "", "stop emulation", .qmp = "stop"},
	{"system_powerdown", "", "send system power down event", .qmp = "system_powerdown"},
	{"system_reset", "", "reset the system", .qmp = "system_reset"},
	{"system_wakeup", "", "wakeup guest from suspend", .qmp = "system_wakeup"},
	{"trace-event",
	 "name on|off",
	 "changes status of a specific trace event",
	 {{"name", HMP_WORD, false, complete_traces}, {"enable", HMP_SWITCH}},
	 .qmp = "trace-event-set-state"},
	{"watchdog_action",
	 "[reset|shutdown|poweroff|pause|debug|none]",
	 "change watchdog action",
	 {{"action", HMP_WORD, false, complete_watchdog_actions}},
	 .qmp = "watchdog-set-action"},
	{"x",
	 "/fmt addr",
	 "virtual memory dump starting at 'addr'",
	 {{"fmt", HMP_FORMAT}, {"addr", HMP_NUMBER}},
	 .run = hmp_x},
	{"xp",
	 "/fmt addr",
	 "physical memory dump starting at 'addr'",
	 {{"fmt", HMP_FORMAT}, {"addr", HMP_NUMBER}},
	 .run = hmp_xp},
	{NULL},
};
