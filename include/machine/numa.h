/*
 * NUMA nodes of the guest: -numa.
 *
 * A node has memory, a back end of its own; CPUs; and a distance to every other node. Items come in the
 * order they were given, because each may refer only to nodes before it; numa_complete() then checks
 * the whole. Errors are worded as QEMU words them.
 */
#ifndef MACHINE_NUMA_H
#define MACHINE_NUMA_H

#include "api/json.h"
#include "machine/machine.h"

#define NUMA_NODES_MAX      128
#define NUMA_NO_NODE        UINT16_MAX
#define NUMA_DISTANCE_LOCAL 10
#define NUMA_DISTANCE_FAR   20 /* of two nodes nobody gave a distance */

struct numa_node {
	bool present;
	bool has_cpu;
	struct device *memdev;            /* NULL: no memory */
	uint64_t size;                    /* of it */
	uint8_t distance[NUMA_NODES_MAX]; /* to each node; 0: not given */
};

struct numa_config {
	unsigned count;
	struct numa_node node[NUMA_NODES_MAX];
	bool has_distances; /* any was given: then the table is complete */
	unsigned cpus;
	uint16_t *cpu_node; /* by index, topo.maxcpus long; NUMA_NO_NODE until completed */
};

/* One -numa, {"type":"node","cpus":"0-1","memdev":"m0"}. @strict: numbers are JSON's. The CPU topology
 * is complete by now. */
bool numa_add(struct machine *m, json_object *props, bool strict, GError **errp);
/* After the last: memory adds up, every CPU has its node, distances are complete. */
bool numa_complete(struct machine *m, GError **errp);

#endif
