/* Machine, accelerator, CPUs, memory. */
#include "options.h"

/* ---- -machine ---- */

static bool accels_clash(GError **errp)
{
	error_set(errp, "The -accel and \"-machine accel=\" options are incompatible");
	return false;
}

/* "kvm:dbt" of -machine accel=: one accelerator each, without properties. */
static bool add_accel_list(struct cli *cli, const char *list, const char *where, GError **errp)
{
	g_auto(GStrv) names = g_strsplit(list, ":", -1);

	if (cli->cfg->accels->len && !cli->machine_accel)
		return accels_clash(errp);
	g_array_set_size(cli->cfg->accels, 0);
	for (char **name = names; *name; name++) {
		g_autoptr(json_object) props = json_object_new_object();

		json_add(props, "accel", json_object_new_string(*name));
		config_add_item(cli->cfg->accels, props, false, where);
	}
	return cli->machine_accel = true;
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
	if (accel && !add_accel_list(cli, accel, use->where, errp))
		return false;
	return machine_group(cli, "smp", machine, use, errp) &&
	       machine_group(cli, "boot", machine, use, errp) &&
	       machine_text(cli, "kernel", machine, use, errp) &&
	       machine_text(cli, "initrd", machine, use, errp) &&
	       machine_text(cli, "append", machine, use, errp) &&
	       machine_text(cli, "dtb", machine, use, errp);
}

/* "kernel_irqchip" is the old spelling of "kernel-irqchip", and so on. */
static void modernize_keys(json_object *props)
{
	g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func(g_free);

	json_object_object_foreach(props, key, member)
	{
		if (member && strchr(key, '_'))
			g_ptr_array_add(old, g_strdup(key));
	}
	for (guint i = 0; i < old->len; i++) {
		char *name = old->pdata[i];
		json_object *value = json_object_get(json_object_object_get(props, name));

		json_object_object_del(props, name);
		json_add(props, g_strdelimit(name, "_", '-'), value);
	}
}

static bool machine_help(struct cli *cli, const char *type, GError **errp)
{
	GString *out = g_string_new(NULL);

	if (!type)
		cli->help->machines(out);
	else if (!cli->help->machine_props(type, out, errp)) {
		g_string_free(out, true);
		return false;
	}
	return cli_answer(cli, out);
}

static bool handle_machine(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *type = props_text(use->props, "type");

	if (use->help)
		return machine_help(cli, type, errp);
	modernize_keys(use->props);
	if (!machine_take(cli, use->props, use, errp))
		return false;
	keyval_merge(cli->cfg->machine, use->props);
	g_free(cli->cfg->machine_where);
	cli->cfg->machine_where = g_strdup(use->where);
	return true;
}

static bool handle_enable_kvm(struct cli *cli, const struct option_use *use, GError **errp)
{
	return add_accel_list(cli, "kvm", use->where, errp);
}

static bool handle_accel(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *name = props_text(use->props, "accel");

	if (use->help || !name || !*name) {
		GString *out = g_string_new(NULL);

		cli->help->accels(out);
		return cli_answer(cli, out);
	}
	if (cli->machine_accel)
		return accels_clash(errp);
	config_add_item(cli->cfg->accels, use->props, use->strict, use->where);
	return true;
}

/* ---- CPUs ---- */

static bool handle_cpu(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (use->help) {
		GString *out = g_string_new(NULL);

		cli->help->cpus(out);
		return cli_answer(cli, out);
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

static const char *const numa_lists[] = {"cpus", NULL};

static bool handle_numa(struct cli *cli, const struct option_use *use, GError **errp)
{
	static const char *const types[] = {"node", "dist", "cpu", NULL};
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
		error_set(errp, "unsupported amount of memory slots: %" PRIu64, v->slots);
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

#define MACHINE_OPTION(_name, _flags)                                                              \
	{                                                                                          \
		.name = _name, .syntax = "[type=]name[,prop[=value][,...]]",                       \
		.help = "selects emulated machine ('-machine help' for list)\n"                    \
			"property accel=accel1[:accel2[:...]] selects accelerator\n"               \
			"supported accelerators are kvm and qtest (default: kvm)\n"                \
			"memory-backend='backend-id' specifies explicitly provided backend for "   \
			"main RAM (default=none)\n"                                                \
			"'-machine name,help' lists the properties of a machine",                  \
		.kind = OPTION_OPTS, .handle = handle_machine, .group = "machine",                 \
		.implied = "type", .flags = OPTION_NESTED | OPTION_HELP | (_flags)                 \
	}

const struct option machine_options[] = {
	MACHINE_OPTION("machine", 0),
	MACHINE_OPTION("M", OPTION_HIDDEN),
	{"cpu", "cpu", "select CPU ('-cpu help' for list)", OPTION_TEXT, handle_cpu,
	 .offset = offsetof(struct config, cpu), .flags = OPTION_HELP},
	{"accel", "[accel=]accelerator[,prop[=value][,...]]",
	 "select accelerator (kvm or qtest; use 'help' for a list);\n"
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
	{"numa", "node[,memdev=id][,cpus=firstcpu[-lastcpu]][,nodeid=node]",
	 "describe a NUMA node; also dist,src=,dst=,val= and cpu,node-id=,...", OPTION_OPTS,
	 handle_numa, .group = "numa", .implied = "type", .lists = numa_lists},
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
	{NULL},
};
