/* -numa: nodes, their CPUs, distances. */
#include "machine/numa.h"

#include "api/codec.h"
#include "machine/memory-backend.h"

static struct numa_config *config_of(struct machine *m)
{
	if (m->numa)
		return m->numa;
	m->numa = g_new0(struct numa_config, 1);
	m->numa->cpus = m->topo.maxcpus;
	m->numa->cpu_node = g_new(uint16_t, m->topo.maxcpus);
	for (unsigned i = 0; i < m->topo.maxcpus; i++)
		m->numa->cpu_node[i] = NUMA_NO_NODE;
	return m->numa;
}

/* ---- node ---- */

struct node_args {
	bool has_nodeid, has_initiator;
	uint16_t nodeid, initiator;
	json_object *cpus, *mem;
	char *memdev;
};
static const struct field node_rows[] = {
	OPT_UINT(struct node_args, nodeid, "nodeid", "Number of the node"),
	OPT_ANY(struct node_args, cpus, "cpus", "Its CPUs: numbers and ranges"),
	OPT_ANY(struct node_args, mem, "mem", "Amount of memory, as old machines had it"),
	OPT_STRING(struct node_args, memdev, "memdev", "Memory back end that is its memory"),
	OPT_UINT(struct node_args, initiator, "initiator", "Node whose CPUs are nearest"),
	FIELD_ROW_END,
};
static const struct field_set node_set = {"NumaNodeOptions", sizeof(struct node_args), node_rows};

static bool assign_cpu(struct machine *m, unsigned index, unsigned node, GError **errp)
{
	struct numa_config *numa = m->numa;

	if (numa->cpu_node[index] != NUMA_NO_NODE && numa->cpu_node[index] != node) {
		error_set(errp, "CPU is already assigned to node-id: %u", numa->cpu_node[index]);
		return false;
	}
	numa->cpu_node[index] = node;
	numa->node[node].has_cpu = true;
	return true;
}

static bool assign_range(struct machine *m, const char *text, unsigned node, GError **errp)
{
	char *end;
	uint64_t first = g_ascii_strtoull(text, &end, 0), last = first;
	bool ok = end != text && g_ascii_isdigit(*text);

	if (ok && *end == '-') {
		text = end + 1;
		last = g_ascii_strtoull(text, &end, 0);
		ok = end != text && g_ascii_isdigit(*text) && last >= first;
	}
	if (!ok || *end) {
		error_set(errp, "Parameter 'cpus' expects a uint64 value or range");
		return false;
	}
	if (last >= m->numa->cpus) {
		error_set(errp, "CPU index (%" PRIu64 ") should be smaller than maxcpus (%u)",
			  MAX(first, m->numa->cpus), m->numa->cpus);
		return false;
	}
	for (uint64_t i = first; i <= last; i++) {
		if (!assign_cpu(m, i, node, errp))
			return false;
	}
	return true;
}

static bool assign_cpus(struct machine *m, json_object *cpus, unsigned node, GError **errp)
{
	size_t count;

	if (!json_object_is_type(cpus, json_type_array))
		return assign_range(m, json_object_get_string(cpus), node, errp);
	count = json_object_array_length(cpus);
	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(cpus, i);

		if (!assign_range(m, one ? json_object_get_string(one) : "", node, errp))
			return false;
	}
	return true;
}

static bool set_memdev(struct numa_node *node, const char *id, GError **errp)
{
	struct device *dev = tree_find_id(id);
	struct ram_block *ram = dev ? memory_backend_ram(dev) : NULL;

	if (!ram) {
		error_set(errp, "memdev=%s is ambiguous", id);
		error_add_hint(errp, "There is no memory back end of this name");
		return false;
	}
	node->memdev = dev;
	node->size = ram->size;
	return true;
}

static bool add_node(struct machine *m, void *args, GError **errp)
{
	struct numa_config *numa = m->numa;
	const struct node_args *arg = args;
	unsigned id = arg->has_nodeid ? arg->nodeid : numa->count;
	struct numa_node *node;

	if (id >= NUMA_NODES_MAX) {
		error_set(errp, "Max number of NUMA nodes reached: %u", id);
		return false;
	}
	node = &numa->node[id];
	if (node->present) {
		error_set(errp, "Duplicate NUMA nodeid: %u", id);
		return false;
	}
	if (arg->has_initiator) {
		error_set(errp, "initiator=%u: memory attributes (HMAT) are not supported",
			  arg->initiator);
		return false;
	}
	if (arg->cpus && !assign_cpus(m, arg->cpus, id, errp))
		return false;
	if (arg->mem) {
		error_set(errp, "Parameter -numa node,mem is not supported by this machine type");
		error_add_hint(errp, "Use -numa node,memdev instead");
		return false;
	}
	if (arg->memdev && !set_memdev(node, arg->memdev, errp))
		return false;
	node->present = true;
	numa->count++;
	return true;
}

/* ---- cpu ---- */

struct cpu_args {
	bool has_node_id, has_socket_id, has_die_id, has_core_id, has_thread_id;
	uint32_t node_id, socket_id, die_id, core_id, thread_id;
};
static const struct field cpu_rows[] = {
	OPT_UINT(struct cpu_args, node_id, "node-id", "Number of the node"),
	OPT_UINT(struct cpu_args, socket_id, "socket-id", "Socket of the CPUs"),
	OPT_UINT(struct cpu_args, die_id, "die-id", "Die in the socket"),
	OPT_UINT(struct cpu_args, core_id, "core-id", "Core in the die"),
	OPT_UINT(struct cpu_args, thread_id, "thread-id", "Thread in the core"),
	FIELD_ROW_END,
};
static const struct field_set cpu_set = {"NumaCpuOptions", sizeof(struct cpu_args), cpu_rows};

static bool matches(const struct cpu_args *arg, const struct cpu_place *place)
{
	return (!arg->has_socket_id || arg->socket_id == place->socket) &&
	       (!arg->has_die_id || arg->die_id == place->die) &&
	       (!arg->has_core_id || arg->core_id == place->core) &&
	       (!arg->has_thread_id || arg->thread_id == place->thread);
}

static bool add_cpu(struct machine *m, void *args, GError **errp)
{
	const struct cpu_args *arg = args;
	bool found = false;

	if (!arg->has_node_id) {
		error_set(errp, "Missing mandatory node-id property");
		return false;
	}
	if (arg->node_id >= NUMA_NODES_MAX || !m->numa->node[arg->node_id].present) {
		error_set(errp,
			  "Invalid node-id=%u, NUMA node must be defined with -numa "
			  "node,nodeid=ID before it's used with -numa cpu,node-id=ID",
			  arg->node_id);
		return false;
	}
	for (unsigned i = 0; i < m->numa->cpus; i++) {
		struct cpu_place place = cpu_place_of_index(&m->topo, i);

		if (!matches(arg, &place))
			continue;
		found = true;
		if (!assign_cpu(m, i, arg->node_id, errp))
			return false;
	}
	if (!found)
		error_set(errp, "no match found");
	return found;
}

/* ---- dist ---- */

struct dist_args {
	uint16_t src, dst;
	uint8_t val;
};
static const struct field dist_rows[] = {
	ARG_UINT(struct dist_args, src, "src", "From this node"),
	ARG_UINT(struct dist_args, dst, "dst", "to this"),
	ARG_UINT(struct dist_args, val, "val", "it is so far; 10 is what a node has to itself"),
	FIELD_ROW_END,
};
static const struct field_set dist_set = {"NumaDistOptions", sizeof(struct dist_args), dist_rows};

static bool add_distance(struct machine *m, void *args, GError **errp)
{
	const struct dist_args *arg = args;
	struct numa_config *numa = m->numa;

	if (arg->src >= NUMA_NODES_MAX || arg->dst >= NUMA_NODES_MAX) {
		error_set(errp, "Parameter '%s' expects an integer between 0 and %u",
			  arg->src >= NUMA_NODES_MAX ? "src" : "dst", NUMA_NODES_MAX - 1);
		return false;
	}
	if (!numa->node[arg->src].present || !numa->node[arg->dst].present) {
		error_set(errp, "Source/Destination NUMA node is missing. Please use '-numa node' "
				"option to declare it first.");
		return false;
	}
	if (arg->val < NUMA_DISTANCE_LOCAL) {
		error_set(errp, "NUMA distance (%u) is invalid, it shouldn't be less than %u.",
			  arg->val, NUMA_DISTANCE_LOCAL);
		return false;
	}
	if (arg->src == arg->dst && arg->val != NUMA_DISTANCE_LOCAL) {
		error_set(errp, "Local distance of node %u should be %u.", arg->src,
			  NUMA_DISTANCE_LOCAL);
		return false;
	}
	numa->node[arg->src].distance[arg->dst] = arg->val;
	numa->has_distances = true;
	return true;
}

/* ---- All kinds ---- */

static const struct {
	const char *type;
	const struct field_set *set;
	bool (*add)(struct machine *m, void *args, GError **errp);
} kinds[] = {
	{"node", &node_set, add_node},
	{"cpu", &cpu_set, add_cpu},
	{"dist", &dist_set, add_distance},
};

bool numa_add(struct machine *m, json_object *props, bool strict, GError **errp)
{
	g_autoptr(json_object) rest = NULL;
	json_object *type = NULL;

	if (!m->topo.maxcpus) {
		error_set(errp, "NUMA is not supported by this machine-type");
		return false;
	}
	config_of(m);
	json_object_deep_copy(props, &rest, NULL);
	json_object_object_get_ex(props, "type", &type);
	json_object_object_del(rest, "type");
	for (size_t i = 0; type && i < G_N_ELEMENTS(kinds); i++) {
		const struct field_set *set = kinds[i].set;
		g_autofree void *args = NULL;
		bool ok;

		if (strcmp(kinds[i].type, json_object_get_string(type)))
			continue;
		args = g_malloc0(set->size);
		if (!codec_decode(set, rest, args, !strict, errp))
			return false;
		ok = kinds[i].add(m, args, errp);
		fields_clear(set->rows, args);
		return ok;
	}
	error_set(errp, "Parameter 'type' does not accept value '%s'",
		  type ? json_object_get_string(type) : "");
	return false;
}

/* ---- The whole ---- */

static bool check_nodes(const struct numa_config *numa, GError **errp)
{
	for (unsigned i = numa->count; i-- > 0;) {
		if (!numa->node[i].present) {
			error_set(errp, "numa: Node ID missing: %u", i);
			return false;
		}
	}
	return true;
}

static bool check_memory(const struct machine *m, GError **errp)
{
	const struct numa_config *numa = m->numa;
	uint64_t total = 0;

	for (unsigned i = 0; i < numa->count; i++)
		total += numa->node[i].size;
	if (total != m->ram_size) {
		error_set(errp,
			  "total memory for NUMA nodes (0x%" PRIx64
			  ") should equal RAM size (0x%" PRIx64 ")",
			  total, m->ram_size);
		return false;
	}
	return true;
}

/* Without a word about any CPU, sockets are dealt out in turn; else the rest goes to node 0. */
static void complete_cpus(struct machine *m)
{
	struct numa_config *numa = m->numa;
	g_autoptr(GString) rest = g_string_new("");
	bool any = false;

	for (unsigned i = 0; i < numa->cpus; i++)
		any |= numa->cpu_node[i] != NUMA_NO_NODE;
	for (unsigned i = 0; i < numa->cpus; i++) {
		struct cpu_place place = cpu_place_of_index(&m->topo, i);
		unsigned node = any ? 0 : place.socket % numa->count;

		if (numa->cpu_node[i] != NUMA_NO_NODE)
			continue;
		if (any)
			g_string_append_printf(
				rest, "%sCPU %u [socket-id: %u, core-id: %u, thread-id: %u]",
				rest->len ? ", " : "", i, place.socket, place.core, place.thread);
		numa->cpu_node[i] = node;
		numa->node[node].has_cpu = true;
	}
	if (!rest->len)
		return;
	warn_report("CPU(s) not present in any NUMA nodes: %s", rest->str);
	warn_report("All CPU(s) up to maxcpus should be described in NUMA config, ability to start "
		    "up with partial NUMA mappings is obsoleted and will be removed in future");
}

/* A distance given one way holds both ways, unless some pair has two that differ: then all must be there. */
static bool complete_distances(struct numa_config *numa, GError **errp)
{
	bool asymmetric = false;

	if (!numa->has_distances)
		return true;
	for (unsigned s = 0; s < numa->count; s++) {
		for (unsigned d = 0; d < numa->count; d++) {
			uint8_t there = numa->node[s].distance[d], back = numa->node[d].distance[s];

			if (s != d && !there && !back) {
				error_set(errp,
					  "The distance between node %u and %u is missing, at "
					  "least one distance value between each nodes should be "
					  "provided.",
					  s, d);
				return false;
			}
			asymmetric |= there && back && there != back;
		}
	}
	for (unsigned s = 0; s < numa->count; s++) {
		for (unsigned d = 0; d < numa->count; d++) {
			uint8_t *there = &numa->node[s].distance[d];

			if (s == d) {
				*there = NUMA_DISTANCE_LOCAL;
			} else if (!*there && asymmetric) {
				error_set(errp, "At least one asymmetrical pair of distances is "
						"given, please provide distances for both "
						"directions of all node pairs.");
				return false;
			} else if (!*there) {
				*there = numa->node[d].distance[s];
			}
		}
	}
	return true;
}

bool numa_complete(struct machine *m, GError **errp)
{
	if (!m->numa)
		return true;
	if (!m->numa->count) {
		g_clear_pointer(&m->numa->cpu_node, g_free);
		g_clear_pointer(&m->numa, g_free);
		return true;
	}
	if (m->memory_backend) {
		error_set(errp, "'-machine memory-backend' and '-numa memdev' properties are "
				"mutually exclusive");
		return false;
	}
	if (!check_nodes(m->numa, errp) || !check_memory(m, errp))
		return false;
	complete_cpus(m);
	return complete_distances(m->numa, errp);
}
