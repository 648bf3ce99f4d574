/*
 * CPU topology: -smp, and how a place becomes an APIC ID.
 *
 * An APIC ID is socket, die, core and thread side by side, each in a bit field wide enough for its
 * count (SDM vol. 3, 9.9.1: fields are rounded up to powers of two).
 */
#include "internal.h"

static unsigned field_width(unsigned count)
{
	return count <= 1 ? 0 : 32 - __builtin_clz(count - 1);
}

struct cpu_place cpu_place_of_index(const struct cpu_topology *topo, unsigned index)
{
	unsigned per_die = topo->cores * topo->threads;
	unsigned per_socket = topo->dies * per_die;
	unsigned thread_bits = field_width(topo->threads);
	unsigned core_bits = field_width(topo->cores);
	unsigned die_bits = field_width(topo->dies);
	struct cpu_place p = {
		.socket = index / per_socket,
		.die = index / per_die % topo->dies,
		.core = index / topo->threads % topo->cores,
		.thread = index % topo->threads,
	};

	p.apic_id = p.thread | p.core << thread_bits | p.die << (thread_bits + core_bits) |
		    p.socket << (thread_bits + core_bits + die_bits);
	return p;
}

/* Sizes are 32-bit and may be anything the user typed: products are made in 64 bits, saturating. */
static uint64_t product(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t topology_total(const struct cpu_topology *t)
{
	return product(product(t->sockets, t->dies), product(t->cores, t->threads));
}

static void fill_in(struct cpu_topology *t)
{
	unsigned max = t->maxcpus ? t->maxcpus : t->cpus;
	uint64_t rest;

	t->dies = t->dies ? t->dies : 1;
	if (!max) {
		t->sockets = t->sockets ? t->sockets : 1;
		t->cores = t->cores ? t->cores : 1;
		t->threads = t->threads ? t->threads : 1;
		return;
	}
	if (!t->cores) {
		t->sockets = t->sockets ? t->sockets : 1;
		t->threads = t->threads ? t->threads : 1;
		rest = product(product(t->sockets, t->dies), t->threads);
		t->cores = MAX(max / rest, 0);
	} else if (!t->sockets) {
		t->threads = t->threads ? t->threads : 1;
		rest = product(product(t->dies, t->cores), t->threads);
		t->sockets = max / rest;
	}
	if (!t->threads) {
		rest = product(product(t->sockets, t->dies), t->cores);
		t->threads = rest ? max / rest : 0;
	}
}

bool cpu_topology_complete(struct cpu_topology *t, unsigned machine_max, const char *machine_name,
			   GError **errp)
{
	uint64_t total;

	fill_in(t);
	total = topology_total(t);
	if (!t->maxcpus)
		t->maxcpus = t->cpus ? t->cpus : MIN(total, UINT32_MAX);
	if (!t->cpus)
		t->cpus = t->maxcpus;
	if (total != t->maxcpus) {
		error_set(
			errp,
			"Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (%u) * "
			"dies (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
			t->sockets, t->dies, t->cores, t->threads, t->maxcpus);
		return false;
	}
	if (t->maxcpus < t->cpus) {
		error_set(
			errp,
			"Invalid CPU topology: maxcpus must be equal to or greater than smp: sockets (%u) * "
			"dies (%u) * cores (%u) * threads (%u) == maxcpus (%u) < smp_cpus (%u)",
			t->sockets, t->dies, t->cores, t->threads, t->maxcpus, t->cpus);
		return false;
	}
	if (t->maxcpus > machine_max) {
		error_set(errp, "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u",
			  t->maxcpus, machine_name, machine_max);
		return false;
	}
	return true;
}
