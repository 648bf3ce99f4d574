/* Machine, CPUs, memory, devices, names. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "options.h"

/* Prints the answer to a question; the program then ends. */
static bool answer(struct cli *cli, GString *text)
{
	fwrite(text->str, 1, text->len, stdout);
	g_string_free(text, true);
	cli->action = CONFIG_DONE;
	return true;
}

static bool handle_help(struct cli *cli, const struct option_use *use, GError **errp)
{
	GString *out = g_string_new(NULL);

	print_usage(out);
	return answer(cli, out);
}

static bool handle_version(struct cli *cli, const struct option_use *use, GError **errp)
{
	GString *out = g_string_new(NULL);

	print_version(out);
	return answer(cli, out);
}

/* ---- -machine ---- */

/* "kvm:dbt" of -machine accel=: one accelerator each, without properties. */
static void add_accel_list(struct cli *cli, const char *list, const char *where)
{
	g_auto(GStrv) names = g_strsplit(list, ":", -1);

	g_array_set_size(cli->cfg->accels, 0);
	for (char **name = names; *name; name++) {
		g_autoptr(json_object) props = json_object_new_object();

		json_add(props, "accel", json_object_new_string(*name));
		config_add_item(cli->cfg->accels, props, false, where);
	}
	cli->machine_accel = true;
}

/* Groups and members with an option of their own: that option's row does the work. */
static bool machine_group(struct cli *cli, const char *name, json_object *machine,
			  const struct option_use *use, GError **errp)
{
	json_object *group;

	if (!json_object_object_get_ex(machine, name, &group))
		return true;
	struct option_use inner = {
		.option = option_find(name), .props = group, .where = use->where};

	if (!json_object_is_type(group, json_type_object)) {
		error_set(errp, "Invalid parameter type for '%s', expected: object", name);
		return false;
	}
	if (!option_apply(cli, &inner, errp))
		return false;
	json_object_object_del(machine, name);
	return true;
}

static bool machine_text(struct cli *cli, const char *name, json_object *machine,
			 const struct option_use *use, GError **errp)
{
	g_autofree char *text = props_take(machine, name);

	return !text || option_rewrite(cli, name, text, use, errp);
}

static bool machine_take(struct cli *cli, json_object *machine, const struct option_use *use,
			 GError **errp)
{
	g_autofree char *type = props_take(machine, "type");
	g_autofree char *accel = props_take(machine, "accel");

	if (type && *type) {
		g_free(cli->cfg->machine_type);
		cli->cfg->machine_type = g_steal_pointer(&type);
	}
	if (accel)
		add_accel_list(cli, accel, use->where);
	return machine_group(cli, "smp", machine, use, errp) &&
	       machine_group(cli, "boot", machine, use, errp) &&
	       machine_text(cli, "kernel", machine, use, errp) &&
	       machine_text(cli, "initrd", machine, use, errp) &&
	       machine_text(cli, "append", machine, use, errp);
}

static bool handle_machine(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *type = props_text(use->props, "type");

	if (use->help) {
		GString *out = g_string_new(NULL);

		if (type)
			cli->help->machine_props(type, out);
		else
			cli->help->machines(out);
		return answer(cli, out);
	}
	if (!machine_take(cli, use->props, use, errp))
		return false;
	keyval_merge(cli->cfg->machine, use->props);
	g_free(cli->cfg->machine_where);
	cli->cfg->machine_where = g_strdup(use->where);
	return true;
}

static bool handle_enable_kvm(struct cli *cli, const struct option_use *use, GError **errp)
{
	add_accel_list(cli, "kvm", use->where);
	return true;
}

static bool handle_accel(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *name = props_text(use->props, "accel");

	if (use->help || !name || !*name) {
		GString *out = g_string_new(NULL);

		cli->help->accels(out);
		return answer(cli, out);
	}
	if (cli->machine_accel) {
		error_set(errp, "The -accel and \"-machine accel=\" options are incompatible");
		return false;
	}
	config_add_item(cli->cfg->accels, use->props, use->strict, use->where);
	return true;
}

/* ---- CPUs ---- */

static bool handle_cpu(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (use->help) {
		GString *out = g_string_new(NULL);

		cli->help->cpus(out);
		return answer(cli, out);
	}
	if (!*use->text) {
		error_set(errp, "-cpu option cannot be empty");
		return false;
	}
	return store_text(cli, use, errp);
}

struct smp_values {
	uint32_t cpus, maxcpus, sockets, dies, clusters, cores, threads;
};
#define SMP_ROW(_m, _help)                                                                         \
	{                                                                                          \
		FIELD_AT(struct smp_values, _m, #_m, FIELD_UINT,                                   \
			 FIELD_IS_UINT(struct smp_values, _m), _help),                             \
			.flags = FIELD_OPTIONAL                                                    \
	}
static const struct field smp_rows[] = {
	SMP_ROW(cpus, "CPUs present at the start"),
	SMP_ROW(maxcpus, "CPUs at most, those to be plugged later included"),
	SMP_ROW(sockets, "Sockets of the board"),
	SMP_ROW(dies, "Dies of a socket"),
	SMP_ROW(clusters, "Clusters of a die; only 1 is possible"),
	SMP_ROW(cores, "Cores of a die"),
	SMP_ROW(threads, "Threads of a core"),
	{.kind = FIELD_END},
};
static const struct field_set smp_set = {"SMPConfiguration", sizeof(struct smp_values), smp_rows};

/* Zero stands for "not given" in the result, so a zero that was given must not get there. */
static bool smp_check_zero(json_object *props, const struct smp_values *v, GError **errp)
{
	FIELDS_FOREACH (row, smp_rows) {
		if (!json_object_object_get_ex(props, row->name, NULL) ||
		    field_load(row, (const char *)v + row->offset))
			continue;
		error_set(errp,
			  "Invalid CPU topology: CPU topology parameters must be greater than "
			  "zero, but '%s' is 0",
			  row->name);
		return false;
	}
	return true;
}

static bool handle_smp(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct smp_values *v = use->values;

	if (!smp_check_zero(use->props, v, errp))
		return false;
	if (v->clusters > 1) {
		error_set(errp, "clusters not supported by this machine's CPU topology");
		return false;
	}
	cli->cfg->smp = (struct cpu_topology){
		.cpus = v->cpus,
		.maxcpus = v->maxcpus,
		.sockets = v->sockets,
		.dies = v->dies,
		.cores = v->cores,
		.threads = v->threads,
	};
	return true;
}

static bool handle_numa(struct cli *cli, const struct option_use *use, GError **errp)
{
	static const char *const types[] = {"node", "dist", "cpu", "hmat-lb", "hmat-cache", NULL};
	const char *type = props_text(use->props, "type");

	if (!type) {
		error_set(errp, "Parameter 'type' is missing");
		return false;
	}
	if (!g_strv_contains(types, type)) {
		error_set(errp, "Parameter 'type' does not accept value '%s'", type);
		return false;
	}
	config_add_item(cli->cfg->numa, use->props, use->strict, use->where);
	return true;
}

/* ---- Memory ---- */

struct mem_values {
	char *size, *maxmem;
	uint64_t slots;
	bool has_slots;
};
static const struct field mem_rows[] = {
	OPT_STRING(struct mem_values, size, "size", "Memory at the start, in MiB without suffix"),
	OPT_UINT(struct mem_values, slots, "slots", "Places for memory plugged later"),
	OPT_STRING(struct mem_values, maxmem, "maxmem", "Memory at most, plugged memory included"),
	{.kind = FIELD_END},
};
static const struct field_set mem_set = {"MemorySizeConfiguration", sizeof(struct mem_values),
					 mem_rows};

static bool mem_check(const struct config *cfg, const struct mem_values *v, GError **errp)
{
	if (v->has_slots && v->slots && !v->maxmem)
		error_set(errp, "slots specified but no max-size");
	else if (v->maxmem && cfg->ram_max < cfg->ram_size)
		error_set(errp,
			  "invalid value of maxmem: maximum memory size (0x%" PRIx64
			  ") must be at least the initial memory size (0x%" PRIx64 ")",
			  cfg->ram_max, cfg->ram_size);
	else if (v->slots > 256)
		error_set(errp, "unsupported number of memory slots: %" PRIu64, v->slots);
	else
		return true;
	return false;
}

static bool handle_m(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct mem_values *v = use->values;
	struct config *cfg = cli->cfg;

	if (v->size && *v->size && !size_parse(v->size, MIB, &cfg->ram_size, errp, "size"))
		return false;
	if (v->maxmem && !size_parse(v->maxmem, 1, &cfg->ram_max, errp, "maxmem"))
		return false;
	cfg->ram_slots = v->slots;
	return mem_check(cfg, v, errp);
}

struct overcommit_values {
	bool mem_lock, cpu_pm;
};
static const struct field overcommit_rows[] = {
	PROP_BOOL(struct overcommit_values, mem_lock, "mem-lock", false,
		  "Keep all of the guest's memory in RAM"),
	PROP_BOOL(struct overcommit_values, cpu_pm, "cpu-pm", false,
		  "Let the guest idle the host's CPUs by itself"),
	{.kind = FIELD_END},
};
static const struct field_set overcommit_set = {"Overcommit", sizeof(struct overcommit_values),
						overcommit_rows};

static bool handle_overcommit(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct overcommit_values *v = use->values;

	cli->cfg->mem_lock = v->mem_lock;
	cli->cfg->cpu_pm = v->cpu_pm;
	return true;
}

/* ---- Devices and what belongs to them ---- */

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
		return answer(cli, out);
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
	ARG_STRING(struct global_values, driver, "driver", "Device type"),
	ARG_STRING(struct global_values, property, "property", "Its property"),
	ARG_STRING(struct global_values, value, "value", "The new default"),
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
	ARG_INT(struct fd_values, fd, "fd", "Inherited file descriptor"),
	ARG_INT(struct fd_values, set, "set", "Number of the set it joins"),
	OPT_STRING(struct fd_values, opaque, "opaque", "Free text about it"),
	{.kind = FIELD_END},
};
static const struct field_set fd_set_rows = {"AddFd", sizeof(struct fd_values), fd_rows};

static bool handle_add_fd(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct fd_values *v = use->values;
	struct config_fd fd = {.fd = (int)v->fd, .set = v->set};

	if (v->fd < 0)
		error_set(errp, "fd option must be non-negative");
	else if (v->fd <= STDERR_FILENO)
		error_set(errp, "fd cannot be a standard I/O stream");
	else if (v->fd > INT_MAX || fcntl(fd.fd, F_GETFD) < 0)
		error_set(errp, "fd is not valid or already in use");
	else if (v->set < 0)
		error_set(errp, "set option must be non-negative");
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

/* 8-4-4-4-12 hexadecimal digits. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0, n = 0; i < 36; i++) {
		int digit = g_ascii_xdigit_value(text[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		uuid[n / 2] = uuid[n / 2] << 4 | digit;
		n++;
	}
	return true;
}

static bool handle_uuid(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (!parse_uuid(use->text, cli->cfg->uuid)) {
		error_set(errp, "failed to parse UUID string: wrong format");
		return false;
	}
	cli->cfg->has_uuid = true;
	return true;
}

static const char *const object_lists[] = {"host-nodes", NULL};

#define MACHINE_OPTION(_name, _flags)                                                              \
	{                                                                                          \
		.name = _name, .syntax = "[type=]name[,prop[=value][,...]]",                       \
		.help = "selects emulated machine ('-machine help' for list)\n"                    \
			"property accel=accel1[:accel2[:...]] selects accelerator\n"               \
			"supported accelerators are kvm, dbt and qtest (default: kvm:dbt)\n"       \
			"memory-backend='backend-id' specifies explicitly provided backend for "   \
			"main RAM (default=none)\n"                                                \
			"'-machine name,help' lists the properties of a machine",                  \
		.kind = OPTION_OPTS, .handle = handle_machine, .group = "machine",                 \
		.implied = "type", .flags = OPTION_NESTED | OPTION_HELP | (_flags)                 \
	}

const struct option standard_options[] = {
	{"h", NULL, "display this help and exit", OPTION_FLAG, handle_help},
	{"help", NULL, "display this help and exit", OPTION_FLAG, handle_help,
	 .flags = OPTION_HIDDEN},
	{"version", NULL, "display version information and exit", OPTION_FLAG, handle_version},
	MACHINE_OPTION("machine", 0),
	MACHINE_OPTION("M", OPTION_HIDDEN),
	{"cpu", "cpu", "select CPU ('-cpu help' for list)", OPTION_TEXT, handle_cpu,
	 .offset = offsetof(struct config, cpu), .flags = OPTION_HELP},
	{"accel", "[accel=]accelerator[,prop[=value][,...]]",
	 "select accelerator (kvm, dbt or qtest; use 'help' for a list);\n"
	 "given several times, the first that works is taken",
	 OPTION_OPTS, handle_accel, .group = "accel", .implied = "accel", .flags = OPTION_HELP},
	{"enable-kvm", NULL, "enable KVM full virtualization support", OPTION_FLAG,
	 handle_enable_kvm},
	{"smp",
	 "[[cpus=]n][,maxcpus=maxcpus][,sockets=sockets][,dies=dies][,cores=cores][,threads=threads]",
	 "set the number of initial CPUs to 'n' [default=1]\n"
	 "maxcpus= maximum number of total CPUs, including\n"
	 "offline CPUs for hotplug, etc\n"
	 "sockets= number of sockets on the machine board\n"
	 "dies= number of dies in one socket\n"
	 "cores= number of cores in one die\n"
	 "threads= number of threads in one core",
	 OPTION_OPTS, handle_smp, .group = "smp-opts", .implied = "cpus", .set = &smp_set,
	 .flags = OPTION_MERGE | OPTION_NESTED},
	{"numa", "node[,mem=size][,memdev=id][,cpus=firstcpu[-lastcpu]][,nodeid=node]",
	 "describe a NUMA node; also dist,src=,dst=,val= and cpu,node-id=,...", OPTION_OPTS,
	 handle_numa, .group = "numa", .implied = "type", .flags = OPTION_HIDDEN},
	{"add-fd", "fd=fd,set=set[,opaque=opaque]", "Add 'fd' to fd 'set'", OPTION_OPTS,
	 handle_add_fd, .group = "add-fd", .set = &fd_set_rows},
	{"global", "driver.property=value", "set a global default for a driver property",
	 OPTION_OPTS, handle_global, .group = "global"},
	{"m", "[size=]megs[,slots=n,maxmem=size]",
	 "configure guest RAM\n"
	 "size: initial amount of guest memory\n"
	 "slots: number of hotplug slots (default: none)\n"
	 "maxmem: maximum amount of guest memory (default: none)",
	 OPTION_OPTS, handle_m, .group = "memory", .implied = "size", .set = &mem_set,
	 .flags = OPTION_MERGE},
	{"mem-path", "FILE", "provide backing storage for guest RAM", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, mem_path)},
	{"mem-prealloc", NULL, "preallocate guest memory", OPTION_FLAG, store_flag,
	 .offset = offsetof(struct config, mem_prealloc)},
	{"overcommit", "[mem-lock=on|off][,cpu-pm=on|off]",
	 "run with memory locked, or with host CPU power management for the guest", OPTION_OPTS,
	 handle_overcommit, .group = "overcommit", .set = &overcommit_set, .flags = OPTION_MERGE},
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
	{NULL},
};
