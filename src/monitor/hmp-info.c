/* The info commands of the human monitor. */
#include "base/trace.h"
#include "hmp.h"
#include "machine/machine.h"

static json_object *member(json_object *json, const char *name)
{
	return json_object_object_get(json, name);
}

static const char *text_of(json_object *json, const char *name)
{
	return json_object_get_string(member(json, name));
}

/* ---- Results of QMP commands ---- */

static void print_version(struct hmp *hmp, json_object *result)
{
	json_object *v = member(result, "qemu");

	g_string_append_printf(hmp->out, "%s.%s.%s%s\n", text_of(v, "major"), text_of(v, "minor"),
			       text_of(v, "micro"), text_of(result, "package"));
}

static void print_status(struct hmp *hmp, json_object *result)
{
	const char *status = text_of(result, "status");
	bool running = hmp_flag(result, "running");

	g_string_append_printf(hmp->out, "VM status: %s", running ? "running" : "paused");
	if (!running && strcmp(status, "paused") != 0)
		g_string_append_printf(hmp->out, " (%s)", status);
	g_string_append_c(hmp->out, '\n');
}

static void print_name(struct hmp *hmp, json_object *result)
{
	if (text_of(result, "name"))
		g_string_append_printf(hmp->out, "%s\n", text_of(result, "name"));
}

static void print_uuid(struct hmp *hmp, json_object *result)
{
	g_string_append_printf(hmp->out, "%s\n", text_of(result, "UUID"));
}

static void print_generation_id(struct hmp *hmp, json_object *result)
{
	g_string_append_printf(hmp->out, "%s\n", text_of(result, "guid"));
}

static void print_kvm(struct hmp *hmp, json_object *result)
{
	g_string_append_printf(hmp->out, "kvm support: %s\n",
			       !hmp_flag(result, "present")  ? "not compiled"
			       : hmp_flag(result, "enabled") ? "enabled"
							     : "disabled");
}

static void print_cpus(struct hmp *hmp, json_object *result)
{
	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *cpu = json_object_array_get_idx(result, i);

		g_string_append_printf(hmp->out, "%c CPU #%s: thread_id=%s\n",
				       hmp_number(cpu, "cpu-index") == hmp->cpu ? '*' : ' ',
				       text_of(cpu, "cpu-index"), text_of(cpu, "thread-id"));
	}
}

static void print_chardev(struct hmp *hmp, json_object *result)
{
	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *chr = json_object_array_get_idx(result, i);

		g_string_append_printf(hmp->out, "%s: filename=%s\n", text_of(chr, "label"),
				       text_of(chr, "filename"));
	}
}

static void print_memdev(struct hmp *hmp, json_object *result)
{
	static const char *const shown[] = {"merge", "dump", "prealloc", "share", "reserve"};

	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *dev = json_object_array_get_idx(result, i);
		json_object *nodes = member(dev, "host-nodes");

		g_string_append_printf(hmp->out, "memory backend: %s\n  size:  %s\n",
				       text_of(dev, "id"), text_of(dev, "size"));
		for (size_t n = 0; n < G_N_ELEMENTS(shown); n++)
			g_string_append_printf(hmp->out, "  %s: %s\n", shown[n],
					       hmp_flag(dev, shown[n]) ? "true" : "false");
		g_string_append_printf(hmp->out,
				       "  policy: %s\n  host nodes:", text_of(dev, "policy"));
		for (size_t n = 0; nodes && n < json_object_array_length(nodes); n++)
			g_string_append_printf(
				hmp->out, " %s",
				json_object_get_string(json_object_array_get_idx(nodes, n)));
		g_string_append_c(hmp->out, '\n');
	}
}

static void print_hotpluggable(struct hmp *hmp, json_object *result)
{
	g_string_append(hmp->out, "Hotpluggable CPUs:\n");
	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *slot = json_object_array_get_idx(result, i);
		json_object *props = member(slot, "props");

		g_string_append_printf(hmp->out, "  type: \"%s\"\n  vcpus_count: \"%s\"\n",
				       text_of(slot, "type"), text_of(slot, "vcpus-count"));
		if (text_of(slot, "qom-path"))
			g_string_append_printf(hmp->out, "  qom_path: \"%s\"\n",
					       text_of(slot, "qom-path"));
		g_string_append(hmp->out, "  CPUInstance Properties:\n");
		json_object_object_foreach(props, name, value) g_string_append_printf(
			hmp->out, "    %s: \"%s\"\n", name, json_object_get_string(value));
	}
}

/* ---- The machine itself ---- */

static bool info_mtree(struct hmp *hmp, json_object *args, GError **errp)
{
	struct machine *m = machine_current();
	bool flat = hmp_flag(args, "-f");

	address_space_print(&m->memory, flat, hmp->out);
	address_space_print(&m->io, flat, hmp->out);
	return true;
}

static void print_registers(struct hmp *hmp, struct vcpu *cpu)
{
	g_string_append_printf(hmp->out, "\nCPU#%u\n", cpu->index);
	x86_state_print(&cpu->acc.state, cpu->halted, hmp->out);
}

static bool info_registers(struct hmp *hmp, json_object *args, GError **errp)
{
	struct machine *m = machine_current();
	bool all = hmp_flag(args, "-a");
	unsigned first = json_object_object_get_ex(args, "vcpu", NULL)
				 ? (unsigned)hmp_number(args, "vcpu")
				 : hmp->cpu;
	struct hmp at = *hmp;

	for (unsigned i = all ? 0 : first; i < (all ? m->topo.maxcpus : first + 1); i++) {
		struct vcpu *cpu;

		if (all && !m->cpus[i])
			continue;
		at.cpu = i;
		cpu = hmp_cpu(&at, true, errp);
		if (!cpu)
			return false;
		print_registers(hmp, cpu);
	}
	return true;
}

/* ---- Trees ---- */

struct tree_print {
	struct hmp *hmp;
	int indent;
};

static void print_qom_node(struct device *dev, void *opaque)
{
	struct tree_print *parent = opaque, here = {parent->hmp, parent->indent + 2};

	g_string_append_printf(parent->hmp->out, "%*s/%s (%s)\n", parent->indent, "", dev->name,
			       dev->type->name);
	device_foreach_child(dev, print_qom_node, &here);
}

static bool info_qom_tree(struct hmp *hmp, json_object *args, GError **errp)
{
	const char *path = hmp_text(args, "path");
	struct device *dev = tree_find(path ? path : "/machine", errp);
	struct tree_print print = {hmp, 0};

	if (dev)
		print_qom_node(dev, &print);
	return dev;
}

static void print_bus(struct tree_print *print, const struct bus *bus);

static void print_prop(const struct device_type *owner, const struct field *row, void *opaque)
{
	struct {
		struct tree_print *print;
		struct device *dev;
	} *job = opaque;
	g_autoptr(json_object) value = NULL;
	g_autofree char *text = NULL;

	/* What a card carries is shown on the card's bus. */
	if ((row->flags & FIELD_HIDDEN) || !device_type_is_a(job->dev->type, owner))
		return;
	value = device_get_json(job->dev, row->name, NULL);
	text = value ? json_print(value, false) : g_strdup("\"\"");
	g_string_append_printf(job->print->hmp->out, "%*s%s = %s\n", job->print->indent + 2, "",
			       row->name, text);
}

static void print_device(struct tree_print *print, struct device *dev)
{
	struct {
		struct tree_print *print;
		struct device *dev;
	} job = {print, dev};
	struct tree_print below = {print->hmp, print->indent + 2};

	g_string_append_printf(print->hmp->out, "%*sdev: %s, id \"%s\"\n", print->indent, "",
			       dev->type->name, dev->id ? dev->id : "");
	device_type_foreach_prop(dev->type, print_prop, &job);
	for (guint i = 0; dev->buses && i < dev->buses->len; i++)
		print_bus(&below, dev->buses->pdata[i]);
}

static void print_bus(struct tree_print *print, const struct bus *bus)
{
	struct tree_print below = {print->hmp, print->indent + 2};

	g_string_append_printf(print->hmp->out, "%*sbus: %s\n%*s  type %s\n", print->indent, "",
			       bus->name, print->indent, "", bus->type->kind);
	for (guint i = 0; i < bus->devices->len; i++)
		print_device(&below, bus->devices->pdata[i]);
}

/* What sits on no bus hangs on the board itself. */
static void print_board_device(struct device *dev, void *opaque)
{
	if (dev->bus || device_is_container(dev) || dev->type->category >= CATEGORY_CPU)
		return;
	print_device(opaque, dev);
}

static bool info_qtree(struct hmp *hmp, json_object *args, GError **errp)
{
	struct tree_print print = {hmp, 2};

	g_string_append(hmp->out, "bus: main-system-bus\n  type System\n");
	device_foreach(tree_container("/machine"), print_board_device, &print);
	return true;
}

/* ---- The rest ---- */

struct trace_list {
	GString *out;
	const char *pattern;
	bool any;
};

static void print_trace(const struct trace_point *point, void *opaque)
{
	struct trace_list *list = opaque;

	if (!g_pattern_match_simple(list->pattern, point->name))
		return;
	list->any = true;
	g_string_append_printf(list->out, "%s : state %u\n", point->name, trace_point_on(point));
}

static bool info_trace_events(struct hmp *hmp, json_object *args, GError **errp)
{
	const char *name = hmp_text(args, "name");
	struct trace_list list = {hmp->out, name ? name : "*", false};

	trace_foreach(print_trace, &list);
	if (!list.any && !strpbrk(list.pattern, "*?")) {
		error_set(errp, "unknown event \"%s\"", list.pattern);
		return false;
	}
	return true;
}

static bool info_history(struct hmp *hmp, json_object *args, GError **errp)
{
	for (guint i = 0; hmp->history && i < hmp->history->len; i++)
		g_string_append_printf(hmp->out, "%u: '%s'\n", i,
				       (const char *)hmp->history->pdata[i]);
	return true;
}

static void print_ramblock(struct ram_block *ram, void *opaque)
{
	g_string_append_printf(opaque, "%25s  %4" PRIu64 " KiB  0x%016" PRIx64 "  %p\n", ram->name,
			       ram->page_size / KIB, ram->size, (void *)ram->host);
}

static bool info_ramblock(struct hmp *hmp, json_object *args, GError **errp)
{
	g_string_append_printf(hmp->out, "%25s  %8s  %18s  %s\n", "Block Name", "PSize", "Used",
			       "HVA");
	ram_foreach(print_ramblock, hmp->out);
	return true;
}

static void print_balloon(struct hmp *hmp, json_object *result)
{
	int64_t actual = json_object_get_int64(json_object_object_get(result, "actual"));

	g_string_append_printf(hmp->out, "balloon: actual=%" PRId64 "\n", actual / (int64_t)MIB);
}

static void print_iothreads(struct hmp *hmp, json_object *result)
{
	static const char *const numbers[] = {"poll-max-ns", "poll-grow", "poll-shrink",
					      "aio-max-batch"};

	for (size_t i = 0; i < json_object_array_length(result); i++) {
		json_object *t = json_object_array_get_idx(result, i);

		g_string_append_printf(hmp->out, "%s:\n  thread_id=%" PRId64 "\n", text_of(t, "id"),
				       json_object_get_int64(member(t, "thread-id")));
		for (size_t n = 0; n < G_N_ELEMENTS(numbers); n++)
			g_string_append_printf(hmp->out, "  %s=%" PRId64 "\n", numbers[n],
					       json_object_get_int64(member(t, numbers[n])));
	}
}

const struct hmp_command hmp_info_commands[] = {
	{"balloon", "", "show balloon information", .qmp = "query-balloon", .print = print_balloon},
	{"chardev", "", "show the character devices", .qmp = "query-chardev",
	 .print = print_chardev},
	{"cpus", "", "show infos for each CPU", .qmp = "query-cpus-fast", .print = print_cpus},
	{"history", "", "show the command line history", .run = info_history},
	{"hotpluggable-cpus", "", "show places for CPUs", .qmp = "query-hotpluggable-cpus",
	 .print = print_hotpluggable},
	{"iothreads", "", "show iothreads", .qmp = "query-iothreads", .print = print_iothreads},
	{"kvm", "", "show KVM information", .qmp = "query-kvm", .print = print_kvm},
	{"memdev", "", "show memory backends", .qmp = "query-memdev", .print = print_memdev},
	{"mtree",
	 "[-f]",
	 "show memory tree (-f: flat view)",
	 {{"-f", HMP_FLAG}},
	 .run = info_mtree},
	{"name", "", "show the current VM name", .qmp = "query-name", .print = print_name},
	{"pci", "", "show PCI info", .qmp = "query-pci", .print = hmp_print_pci},
	{"qom-tree",
	 "[path]",
	 "show the tree of objects",
	 {{"path", HMP_WORD, true}},
	 .run = info_qom_tree},
	{"qtree", "", "show device tree", .run = info_qtree},
	{"ramblock", "", "show blocks of memory", .run = info_ramblock},
	{"registers",
	 "[-a|vcpu]",
	 "show the cpu registers (-a: of all CPUs)",
	 {{"-a", HMP_FLAG}, {"vcpu", HMP_NUMBER, true}},
	 .run = info_registers},
	{"status", "", "show the current VM status (running|paused)", .qmp = "query-status",
	 .print = print_status},
	{"trace-events",
	 "[name]",
	 "show trace points and their state",
	 {{"name", HMP_WORD, true}},
	 .run = info_trace_events},
	{"uuid", "", "show the current VM UUID", .qmp = "query-uuid", .print = print_uuid},
	{"vm-generation-id", "", "Show Virtual Machine Generation ID",
	 .qmp = "query-vm-generation-id", .print = print_generation_id},
	{"version", "", "show the version", .qmp = "query-version", .print = print_version},
	{NULL},
};
