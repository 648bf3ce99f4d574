/* QMP commands about the machine: what it is called, what it is made of. */
#include "accel/accel.h"
#include "hw/guest-info.h"
#include "internal.h"
#include "machine/machine.h"
#include "machine/memory-backend.h"
#include "machine/numa.h"

/* ---- Names ---- */

struct name_info {
	char *name;
};
static const struct field name_info_rows[] = {
	OPT_STRING(struct name_info, name, "name", "Name of the guest, if it has one"),
	FIELD_ROW_END,
};
static const struct field_set name_info_set = {"NameInfo", sizeof(struct name_info),
					       name_info_rows};

static bool qmp_query_name(void *args, void *result, GError **errp)
{
	struct machine *m = machine_current();

	if (m)
		((struct name_info *)result)->name = g_strdup(m->name);
	return true;
}

struct uuid_info {
	char *uuid;
};
static const struct field uuid_info_rows[] = {
	ARG_STRING(struct uuid_info, uuid, "UUID", "The guest's UUID, all zeroes if it has none"),
	FIELD_ROW_END,
};
static const struct field_set uuid_info_set = {"UuidInfo", sizeof(struct uuid_info),
					       uuid_info_rows};

static bool qmp_query_uuid(void *args, void *result, GError **errp)
{
	static const uint8_t none[16];
	const struct machine *m = machine_current();
	const uint8_t *u = m ? m->uuid : none;

	((struct uuid_info *)result)->uuid = uuid_print(u);
	return true;
}

struct guid_info {
	char *guid;
};
static const struct field guid_info_rows[] = {
	ARG_STRING(struct guid_info, guid, "guid", "The generation ID, a UUID"),
	FIELD_ROW_END,
};
static const struct field_set guid_info_set = {"GuidInfo", sizeof(struct guid_info),
					       guid_info_rows};

static void find_generation_id(struct device *dev, void *opaque)
{
	if (dev->realized && dev->type == &vmgenid_type)
		*(const struct device **)opaque = dev;
}

static bool qmp_query_generation_id(void *args, void *result, GError **errp)
{
	const struct device *dev = NULL;

	device_foreach(tree_root(), find_generation_id, &dev);
	if (!dev) {
		error_set(errp, "VM Generation ID device not found");
		return false;
	}
	((struct guid_info *)result)->guid = uuid_print(vmgenid_guid(dev));
	return true;
}

/* ---- Accelerator ---- */

struct kvm_info {
	bool enabled, present;
};
static const struct field kvm_info_rows[] = {
	ARG_BOOL(struct kvm_info, enabled, "enabled", "Whether this guest uses KVM"),
	ARG_BOOL(struct kvm_info, present, "present", "Whether the program knows KVM"),
	FIELD_ROW_END,
};
static const struct field_set kvm_info_set = {"KvmInfo", sizeof(struct kvm_info), kvm_info_rows};

static bool qmp_query_kvm(void *args, void *result, GError **errp)
{
	const struct machine *m = machine_current();
	struct kvm_info *info = result;

	info->enabled = m && m->accel && !strcmp(m->accel->ops->name, "kvm");
	info->present = true;
	return true;
}

/* ---- Machine types ---- */

struct machine_row {
	char *name, *alias, *default_cpu_type, *default_ram_id;
	bool has_is_default, is_default, hotpluggable_cpus, numa_mem_supported, deprecated;
	int64_t cpu_max;
};
static const struct field machine_rows[] = {
	ARG_BOOL(struct machine_row, hotpluggable_cpus, "hotpluggable-cpus",
		 "Whether vCPUs can be plugged"),
	ARG_STRING(struct machine_row, name, "name", "Name of the machine type"),
	OPT_STRING(struct machine_row, alias, "alias", "Another name for it"),
	OPT_BOOL(struct machine_row, is_default, "is-default", "Used when none is named"),
	ARG_BOOL(struct machine_row, numa_mem_supported, "numa-mem-supported",
		 "Whether -numa node,mem= is understood"),
	OPT_STRING(struct machine_row, default_cpu_type, "default-cpu-type",
		   "Type of CPU when none is named"),
	ARG_INT(struct machine_row, cpu_max, "cpu-max", "vCPUs at most"),
	ARG_BOOL(struct machine_row, deprecated, "deprecated", "Goes away some day"),
	OPT_STRING(struct machine_row, default_ram_id, "default-ram-id",
		   "Name of the memory back end that is made by default"),
	FIELD_ROW_END,
};
static const struct field_set machine_row_set = {"MachineInfo", sizeof(struct machine_row),
						 machine_rows};

static void add_machine(GArray *list, const struct device_type *type)
{
	const struct machine_info *info = machine_type_info(type);
	struct machine_row row = {
		.name = machine_type_name(type),
		.alias = g_strdup(info->alias),
		.has_is_default = info->is_default,
		.is_default = info->is_default,
		.hotpluggable_cpus = info->cpu_hotplug != NULL,
		.numa_mem_supported = info->numa_mem,
		.deprecated = info->deprecated,
		.cpu_max = info->max_cpus,
		.default_ram_id = g_strdup(info->default_ram_id),
	};

	if (info->default_cpu)
		row.default_cpu_type = g_strdup_printf("%s-x86_64-cpu", info->default_cpu);
	g_array_append_val(list, row);
}

static bool qmp_query_machines(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct machine_row));

	for (const struct device_type *const *t = device_types(); *t; t++)
		if ((*t)->category == CATEGORY_MACHINE && !((*t)->flags & TYPE_ABSTRACT))
			add_machine(list, *t);
	*(GArray **)result = list;
	return true;
}

/* ---- CPUs ---- */

struct cpu_props {
	bool has_die_id, has_node_id;
	int64_t node_id, socket_id, die_id, core_id, thread_id;
};
static const struct field cpu_props_rows[] = {
	ARG_INT(struct cpu_props, core_id, "core-id", "Core within the die"),
	ARG_INT(struct cpu_props, thread_id, "thread-id", "Thread within the core"),
	OPT_INT(struct cpu_props, die_id, "die-id", "Die within the socket"),
	ARG_INT(struct cpu_props, socket_id, "socket-id", "Socket"),
	OPT_INT(struct cpu_props, node_id, "node-id", "NUMA node"),
	FIELD_ROW_END,
};
static const struct field_set cpu_props_set = {"CpuInstanceProperties", sizeof(struct cpu_props),
					       cpu_props_rows};

static struct cpu_props cpu_props_of(const struct machine *m, unsigned index)
{
	struct cpu_place place = cpu_place_of_index(&m->topo, index);

	return (struct cpu_props){
		.has_node_id = m->numa,
		.node_id = m->numa ? m->numa->cpu_node[index] : 0,
		.has_die_id = m->topo.dies > 1,
		.socket_id = place.socket,
		.die_id = place.die,
		.core_id = place.core,
		.thread_id = place.thread,
	};
}

enum target_name { TARGET_X86_64 };
static const struct enum_name target_names[] = {{"x86_64", TARGET_X86_64, NULL}, {NULL, 0, NULL}};

struct cpu_row {
	int64_t thread_id, cpu_index;
	struct cpu_props props;
	char *qom_path;
	int target;
};
static const struct field cpu_rows[] = {
	ARG_INT(struct cpu_row, thread_id, "thread-id", "Its thread on the host"),
	ARG_STRUCT(struct cpu_row, props, "props", &cpu_props_set, "Its place"),
	ARG_STRING(struct cpu_row, qom_path, "qom-path", "Its path in the tree"),
	ARG_INT(struct cpu_row, cpu_index, "cpu-index", "Its number"),
	ARG_ENUM(struct cpu_row, target, "target", target_names, "Architecture"),
	FIELD_ROW_END,
};
static const struct field_set cpu_row_set = {"CpuInfoFast", sizeof(struct cpu_row), cpu_rows};

static bool qmp_query_cpus_fast(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct cpu_row));
	struct machine *m = machine_current();

	for (unsigned i = 0; m && m->cpus && i < m->topo.maxcpus; i++) {
		struct vcpu *cpu = m->cpus[i];
		struct cpu_row row;

		if (!cpu)
			continue;
		row = (struct cpu_row){
			.thread_id = cpu->tid,
			.cpu_index = cpu->index,
			.props = cpu_props_of(m, cpu->index),
			.qom_path = device_path(&cpu->dev),
		};
		g_array_append_val(list, row);
	}
	*(GArray **)result = list;
	return true;
}

struct slot_row {
	struct cpu_props props;
	int64_t vcpus_count;
	char *qom_path, *type;
};
static const struct field slot_rows[] = {
	ARG_STRUCT(struct slot_row, props, "props", &cpu_props_set, "What device_add must say"),
	ARG_INT(struct slot_row, vcpus_count, "vcpus-count", "vCPUs that come with it"),
	OPT_STRING(struct slot_row, qom_path, "qom-path", "Path of the CPU that is there"),
	ARG_STRING(struct slot_row, type, "type", "Type of CPU that fits"),
	FIELD_ROW_END,
};
static const struct field_set slot_row_set = {"HotpluggableCPU", sizeof(struct slot_row),
					      slot_rows};

static bool qmp_query_hotpluggable_cpus(void *args, void *result, GError **errp)
{
	struct machine *m = machine_current();
	GArray *list;

	if (!m || !m->cpus || !m->cpu.model) {
		error_set(errp, "The feature 'query-hotpluggable-cpus' is not enabled");
		return false;
	}
	list = g_array_new(false, true, sizeof(struct slot_row));
	for (unsigned i = m->topo.maxcpus; i-- > 0;) {
		struct slot_row row = {
			.props = cpu_props_of(m, i),
			.vcpus_count = 1,
			.qom_path = m->cpus[i] ? device_path(&m->cpus[i]->dev) : NULL,
			.type = g_strdup(x86_cpu_type_of(m->cpu.model)->name),
		};

		g_array_append_val(list, row);
	}
	*(GArray **)result = list;
	return true;
}

/* ---- Memory back ends ---- */

enum memory_policy { POLICY_DEFAULT, POLICY_PREFERRED, POLICY_BIND, POLICY_INTERLEAVE };
static const struct enum_name memory_policy_names[] = {
	{"default", POLICY_DEFAULT, NULL},
	{"preferred", POLICY_PREFERRED, NULL},
	{"bind", POLICY_BIND, NULL},
	{"interleave", POLICY_INTERLEAVE, NULL},
	{NULL, 0, NULL},
};
static const struct field node_elem = {
	.name = "node",
	.help = "A NUMA node of the host",
	.kind = FIELD_UINT,
	.width = sizeof(uint16_t),
};

/* The shape for the schema; the values are the back ends' own properties. */
struct memdev_row {
	char *id;
	uint64_t size;
	bool merge, dump, prealloc, share, reserve;
	GArray *host_nodes;
	int policy;
};
static const struct field memdev_rows[] = {
	ARG_BOOL(struct memdev_row, share, "share", "Visible to other processes"),
	ARG_BOOL(struct memdev_row, reserve, "reserve", "Swap space is reserved for it"),
	ARG_BOOL(struct memdev_row, prealloc, "prealloc", "Allocated before the guest starts"),
	ARG_LIST(struct memdev_row, host_nodes, "host-nodes", &node_elem, "Bound to these nodes"),
	ARG_SIZE(struct memdev_row, size, "size", "Bytes"),
	ARG_BOOL(struct memdev_row, merge, "merge", "The host may merge equal pages"),
	ARG_BOOL(struct memdev_row, dump, "dump", "Part of core dumps of this process"),
	ARG_ENUM(struct memdev_row, policy, "policy", memory_policy_names, "How it is bound"),
	OPT_STRING(struct memdev_row, id, "id", "Name"),
	FIELD_ROW_END,
};
static const struct field_set memdev_set = {"Memdev", sizeof(struct memdev_row), memdev_rows};

static const char *const memdev_props[] = {"share", "reserve", "prealloc", "host-nodes",
					   "size",  "merge",   "dump",     "policy"};

static void add_memdev(struct device *dev, void *opaque)
{
	json_object *info;

	if (!device_type_is_a(dev->type, &memory_backend_type))
		return;
	info = json_object_new_object();
	for (size_t i = 0; i < G_N_ELEMENTS(memdev_props); i++) {
		json_object *value = device_get_json(dev, memdev_props[i], NULL);

		if (value)
			json_add(info, memdev_props[i], value);
	}
	json_add(info, "id", json_object_new_string(dev->name));
	json_append(opaque, info);
}

static bool qmp_query_memdev(void *args, void *result, GError **errp)
{
	json_object *list = json_object_new_array();

	device_foreach_child(tree_container("/objects"), add_memdev, list);
	*(json_object **)result = list;
	return true;
}

struct memory_summary {
	uint64_t base;
	bool has_plugged;
	uint64_t plugged;
};
static const struct field memory_summary_rows[] = {
	ARG_SIZE(struct memory_summary, base, "base-memory", "Bytes the machine started with"),
	OPT_SIZE(struct memory_summary, plugged, "plugged-memory", "Bytes plugged in since"),
	FIELD_ROW_END,
};
static const struct field_set memory_summary_set = {"MemoryInfo", sizeof(struct memory_summary),
						    memory_summary_rows};

static bool qmp_query_memory_size(void *args, void *result, GError **errp)
{
	const struct machine *m = machine_current();
	struct memory_summary *summary = result;

	summary->base = m ? m->ram_size : 0;
	summary->has_plugged = true;
	return true;
}

/* ---- Clock ---- */

/* Ticks the guest missed are never kept for later (its clock sources do not count them), so there is
 * nothing to forget. */
static bool qmp_rtc_reset_reinjection(void *args, void *result, GError **errp)
{
	return true;
}

const struct command machine_commands[] = {
	{"query-name", "Name of the guest", NULL, &name_info_set, qmp_query_name,
	 COMMAND_PRECONFIG},
	{"query-vm-generation-id", "The generation ID of the guest (vmgenid)", NULL, &guid_info_set,
	 qmp_query_generation_id},
	{"query-uuid", "UUID of the guest", NULL, &uuid_info_set, qmp_query_uuid,
	 COMMAND_PRECONFIG},
	{"query-kvm", "Whether KVM is used", NULL, &kvm_info_set, qmp_query_kvm},
	{"query-machines", "Machine types", NULL, &machine_row_set, qmp_query_machines,
	 COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"query-cpus-fast", "vCPUs, their threads and places", NULL, &cpu_row_set,
	 qmp_query_cpus_fast, COMMAND_RESULT_LIST},
	{"query-hotpluggable-cpus", "Places for vCPUs, taken or free", NULL, &slot_row_set,
	 qmp_query_hotpluggable_cpus, COMMAND_RESULT_LIST},
	{"query-memdev", "Memory back ends", NULL, &memdev_set, qmp_query_memdev,
	 COMMAND_RESULT_ANY | COMMAND_RESULT_LIST},
	{"query-memory-size-summary", "Amount of memory", NULL, &memory_summary_set,
	 qmp_query_memory_size},
	{"rtc-reset-reinjection", "Forgets timer ticks that wait to be made up for", NULL, NULL,
	 qmp_rtc_reset_reinjection},
	{NULL},
};
