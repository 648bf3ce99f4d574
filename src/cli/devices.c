/* Devices, objects and what belongs to them; names. */
#include <fcntl.h>
#include <unistd.h>
#include "base/uuid.h"
#include "options.h"

static bool item_check_id(GArray *items, const char *id, const char *what, GError **errp)
{
	if (!id_check(id, errp))
		return false;
	for (unsigned i = 0; i < items->len; i++) {
		json_object *other = g_array_index(items, struct config_item, i).props;

		if (g_strcmp0(props_text(other, "id"), id))
			continue;
		error_set(errp, "Duplicate ID '%s' for %s", id, what);
		return false;
	}
	return true;
}

static bool missing(const char *name, GError **errp)
{
	error_set(errp, "Parameter '%s' is missing", name);
	return false;
}

typedef bool topic_help(const char *topic, GString *out, GError **errp);

static bool answer_topic(struct cli *cli, topic_help *help, const char *topic, GError **errp)
{
	GString *out = g_string_new(NULL);

	if (help(topic, out, errp))
		return cli_answer(cli, out);
	g_string_free(out, true);
	return false;
}

static bool handle_device(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *driver = props_text(use->props, "driver"), *id = props_text(use->props, "id");

	if (use->help)
		return answer_topic(cli, cli->help->devices, driver, errp);
	if (!driver || !*driver)
		return missing("driver", errp);
	if (id && !item_check_id(cli->cfg->devices, id, "device", errp))
		return false;
	config_add_item(cli->cfg->devices, use->props, use->strict, use->where);
	return true;
}

static bool handle_object(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *type = props_text(use->props, "qom-type"), *id = props_text(use->props, "id");

	if (use->help)
		return answer_topic(cli, cli->help->objects, type, errp);
	if (!type)
		return missing("qom-type", errp);
	if (!id)
		return missing("id", errp);
	if (!item_check_id(cli->cfg->objects, id, "object", errp))
		return false;
	config_add_item(cli->cfg->objects, use->props, use->strict, use->where);
	return true;
}

struct global_values {
	char *driver, *property, *value;
};
static const struct field global_rows[] = {
	OPT_STRING(struct global_values, driver, "driver", "Device type"),
	OPT_STRING(struct global_values, property, "property", "Its property"),
	OPT_STRING(struct global_values, value, "value", "The new default"),
	{.kind = FIELD_END},
};
static const struct field_set global_set = {"Global", sizeof(struct global_values), global_rows};

static void add_global(struct cli *cli, const char *driver, const char *property, const char *value,
		       const char *where)
{
	struct config_global global = {g_strdup(driver), g_strdup(property), g_strdup(value),
				       g_strdup(where)};

	g_array_append_val(cli->cfg->globals, global);
}

static bool handle_global_rows(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct global_values *v = use->values;

	if (!v->driver || !v->property || !v->value) {
		error_set(errp, "options 'driver', 'property', and 'value' are required");
		return false;
	}
	add_global(cli, v->driver, v->property, v->value, use->where);
	return true;
}

/* The rows of `-global driver=X,property=Y,value=Z`; the usual X.Y=Z is cut here. */
static const struct option global_long = {
	.name = "global",
	.kind = OPTION_OPTS,
	.handle = handle_global_rows,
	.set = &global_set,
};

static bool handle_global(struct cli *cli, const struct option_use *use, GError **errp)
{
	struct option_use rows = {.option = &global_long, .props = use->props, .where = use->where};
	const char *dot = use->text ? strchr(use->text, '.') : NULL;
	const char *equals = dot ? strchr(dot, '=') : NULL;

	if (!equals || memchr(use->text, '=', dot - use->text))
		return option_apply(cli, &rows, errp);
	g_autofree char *driver = g_strndup(use->text, dot - use->text);
	g_autofree char *property = g_strndup(dot + 1, equals - dot - 1);

	add_global(cli, driver, property, equals + 1, use->where);
	return true;
}

struct fd_values {
	int64_t fd, set;
	char *opaque;
};
static const struct field fd_rows[] = {
	PROP_INT(struct fd_values, fd, "fd", -1, 0, 0, "Inherited file descriptor"),
	PROP_INT(struct fd_values, set, "set", -1, 0, 0, "Number of the set it joins"),
	OPT_STRING(struct fd_values, opaque, "opaque", "Free text about it"),
	{.kind = FIELD_END},
};
static const struct field_set fd_set_rows = {"AddFd", sizeof(struct fd_values), fd_rows};

static bool handle_add_fd(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct fd_values *v = use->values;
	struct config_fd fd = {.fd = (int)v->fd, .set = v->set};

	if (v->fd < 0)
		error_set(errp, "fd option is required and must be non-negative");
	else if (v->fd <= STDERR_FILENO)
		error_set(errp, "fd cannot be a standard I/O stream");
	else if (v->fd > INT_MAX || fcntl(fd.fd, F_GETFD) < 0)
		error_set(errp, "fd is not valid or already in use");
	else if (v->set < 0)
		error_set(errp, "set option is required and must be non-negative");
	else {
		fd.opaque = g_strdup(v->opaque);
		g_array_append_val(cli->cfg->fds, fd);
		return true;
	}
	return false;
}

/* ---- Names ---- */

struct name_values {
	char *guest, *process;
	bool debug_threads;
};
static const struct field name_rows[] = {
	OPT_STRING(struct name_values, guest, "guest", "Name of the guest"),
	OPT_STRING(struct name_values, process, "process", "Name of the process"),
	PROP_BOOL(struct name_values, debug_threads, "debug-threads", false,
		  "Give each thread a name of its own"),
	{.kind = FIELD_END},
};
static const struct field_set name_set = {"Name", sizeof(struct name_values), name_rows};

static bool handle_name(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct name_values *v = use->values;

	g_free(cli->cfg->name);
	g_free(cli->cfg->process_name);
	cli->cfg->name = g_strdup(v->guest);
	cli->cfg->process_name = g_strdup(v->process);
	cli->cfg->debug_threads = v->debug_threads;
	return true;
}

static bool handle_uuid(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (!uuid_parse(use->text, cli->cfg->uuid)) {
		error_set(errp, "failed to parse UUID string: wrong format");
		return false;
	}
	cli->cfg->has_uuid = true;
	return true;
}

/* ---- -set group.id.property=value ---- */

static json_object *item_find(struct cli *cli, const char *group, const char *id, GError **errp)
{
	const struct {
		const char *group;
		GArray *items;
	} lists[] = {{"device", cli->cfg->devices},
		     {"object", cli->cfg->objects},
		     {"chardev", cli->cfg->chardevs}};

	for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
		if (!g_str_equal(lists[l].group, group))
			continue;
		for (unsigned i = 0; i < lists[l].items->len; i++) {
			json_object *props =
				g_array_index(lists[l].items, struct config_item, i).props;

			if (!g_strcmp0(props_text(props, "id"), id))
				return props;
		}
		error_set(errp, "there is no %s \"%s\" defined", group, id);
		return NULL;
	}
	error_set(errp, "There is no option group '%s'", group);
	return NULL;
}

static bool handle_set(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_auto(GStrv) parts = g_strsplit(use->text, ".", 3);
	char *equals = g_strv_length(parts) == 3 ? strchr(parts[2], '=') : NULL;
	json_object *props;

	if (!equals) {
		error_set(errp, "can't parse: \"%s\"", use->text);
		return false;
	}
	*equals = 0;
	props = item_find(cli, parts[0], parts[1], errp);
	if (!props)
		return false;
	json_add(props, parts[2], json_object_new_string(equals + 1));
	return true;
}

static const char *const object_lists[] = {"host-nodes", NULL};

const struct option device_options[] = {
	{"device", "driver[,prop[=value][,...]]",
	 "add device (based on driver)\n"
	 "prop=value,... sets driver properties\n"
	 "use '-device help' to print all possible drivers\n"
	 "use '-device driver,help' to print all possible properties",
	 OPTION_OPTS, handle_device, .group = "device", .implied = "driver", .flags = OPTION_HELP},
	{"object", "TYPENAME[,PROP1=VALUE1,...]",
	 "create a new object of type TYPENAME setting properties\n"
	 "in the order they are specified; '-object help' lists the types",
	 OPTION_OPTS, handle_object, .group = "object", .implied = "qom-type",
	 .lists = object_lists, .flags = OPTION_HELP},
	{"name", "string1[,process=string2][,debug-threads=on|off]",
	 "set the name of the guest\n"
	 "string1 sets the window title and string2 the process name\n"
	 "When debug-threads is enabled, individual threads are given a separate name",
	 OPTION_OPTS, handle_name, .group = "name", .implied = "guest", .set = &name_set,
	 .flags = OPTION_MERGE},
	{"uuid", "%08x-%04x-%04x-%04x-%012x", "specify machine UUID", OPTION_TEXT, handle_uuid},
	{"global", "driver.property=value", "set a global default for a driver property",
	 OPTION_OPTS, handle_global, .group = "global"},
	{"add-fd", "fd=fd,set=set[,opaque=opaque]", "Add 'fd' to fd 'set'", OPTION_OPTS,
	 handle_add_fd, .group = "add-fd", .set = &fd_set_rows},
	{"set", "group.id.arg=value",
	 "set <arg> parameter for item <id> of type <group>\n"
	 "i.e. -set device.$id.addr=0x5",
	 OPTION_TEXT, handle_set},
	{NULL},
};
