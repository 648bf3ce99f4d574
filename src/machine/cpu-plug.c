/*
 * Filling and emptying the places for CPUs. Texts of errors are QEMU's.
 */
#include "machine/cpu-plug.h"
#include "event/loop.h"
#include "machine/numa.h"
#include "machine/vcpu.h"

#define NOT_SET (-1)

static struct vcpu *vcpu_of(struct device *dev)
{
	return container_of(dev, struct vcpu, dev);
}

unsigned machine_cpus_present(const struct machine *m)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->topo.maxcpus; i++)
		count += m->cpus[i] != NULL;
	return count;
}

static void counted(struct machine *m)
{
	const struct cpu_hotplug *plug = m->info->cpu_hotplug;

	if (tree_ready() && plug && plug->counted)
		plug->counted(m, machine_cpus_present(m));
}

/* ---- Which place ---- */

static bool check_id(const char *name, int64_t value, unsigned count, GError **errp)
{
	if (value == NOT_SET) {
		error_set(errp, "CPU %s is not set", name);
		return false;
	}
	if (value >= 0 && value < count)
		return true;
	error_set(errp, "Invalid CPU %s: %u must be in range 0:%u", name, (unsigned)value,
		  count - 1);
	return false;
}

static bool check_ids(struct vcpu *cpu, const struct cpu_topology *topo, GError **errp)
{
	if (cpu->die_id == NOT_SET && topo->dies == 1)
		cpu->die_id = 0;
	return check_id("socket-id", cpu->socket_id, topo->sockets, errp) &&
	       check_id("die-id", cpu->die_id, topo->dies, errp) &&
	       check_id("core-id", cpu->core_id, topo->cores, errp) &&
	       check_id("thread-id", cpu->thread_id, topo->threads, errp);
}

static bool matches(const char *name, int wanted, unsigned is, uint32_t apic_id, GError **errp)
{
	if (wanted == NOT_SET || wanted == is)
		return true;
	error_set(errp, "property %s: %u doesn't match set apic-id: 0x%x (%s: %u)", name, wanted,
		  apic_id, name, is);
	return false;
}

/* The place with the APIC ID the user gave, if it is the place the user gave. */
static bool find_by_apic_id(struct machine *m, const struct vcpu *cpu, unsigned *index,
			    GError **errp)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		struct cpu_place p = cpu_place_of_index(&m->topo, i);

		if (p.apic_id != cpu->apic_id)
			continue;
		*index = i;
		return matches("socket-id", cpu->socket_id, p.socket, p.apic_id, errp) &&
		       matches("die-id", cpu->die_id, p.die, p.apic_id, errp) &&
		       matches("core-id", cpu->core_id, p.core, p.apic_id, errp) &&
		       matches("thread-id", cpu->thread_id, p.thread, p.apic_id, errp);
	}
	error_set(errp, "There is no CPU with APIC ID %u, valid index range 0:%u", cpu->apic_id,
		  m->topo.maxcpus - 1);
	return false;
}

static bool find_index(struct machine *m, struct vcpu *cpu, unsigned *index, GError **errp)
{
	const struct cpu_topology *t = &m->topo;

	if (cpu->apic_id != UINT32_MAX)
		return find_by_apic_id(m, cpu, index, errp);
	if (!check_ids(cpu, t, errp))
		return false;
	*index = ((cpu->socket_id * t->dies + cpu->die_id) * t->cores + cpu->core_id) * t->threads +
		 cpu->thread_id;
	return true;
}

static bool check_node(const struct machine *m, const struct vcpu *cpu, unsigned index,
		       GError **errp)
{
	if (cpu->node_id == NOT_SET || (m->numa && m->numa->cpu_node[index] == cpu->node_id))
		return true;
	error_set(errp, "node-id=%d must match numa node specified with -numa option",
		  cpu->node_id);
	return false;
}

/* A CPU that a user made. */
static bool find_place(struct vcpu *cpu, GError **errp)
{
	struct machine *m = machine_current();
	const struct device_type *type;
	unsigned index;

	if (!m || !m->info->cpu_hotplug || !m->cpu.model) {
		error_set(errp, "This machine does not support CPU hotplug");
		return false;
	}
	type = x86_cpu_type_of(m->cpu.model);
	if (cpu->dev.type != type) {
		error_set(errp, "Invalid CPU type, expected cpu type: '%s'", type->name);
		return false;
	}
	if (!find_index(m, cpu, &index, errp) || !check_node(m, cpu, index, errp))
		return false;
	if (m->cpus[index]) {
		error_set(errp, "CPU[%u] with APIC ID %u exists", index,
			  cpu_place_of_index(&m->topo, index).apic_id);
		return false;
	}
	machine_cpu_prepare(m, cpu, index);
	return true;
}

void machine_cpu_prepare(struct machine *m, struct vcpu *cpu, unsigned index)
{
	cpu->machine = m;
	cpu->index = index;
	cpu->place = cpu_place_of_index(&m->topo, index);
	cpu->apic_id = cpu->place.apic_id;
	cpu->socket_id = cpu->place.socket;
	cpu->die_id = cpu->place.die;
	cpu->core_id = cpu->place.core;
	cpu->thread_id = cpu->place.thread;
	cpu->node_id = m->numa ? m->numa->cpu_node[index] : NOT_SET;
	cpu->stopped = true;
	cpu->acc.accel = m->accel;
	cpu->acc.index = index;
	cpu->acc.apic_id = cpu->place.apic_id;
	cpu->acc.features = m->features;
	cpu->acc.tsc_hz = m->cpu.tsc_freq;
	cpu_config_clear(&cpu->config);
	cpu_config_copy(&cpu->config, &m->cpu);
	cpu_build_cpuid(&m->cpu, &m->caps, &m->features, &m->topo, &cpu->place, &cpu->acc.cpuid);
}

/* ---- In ---- */

bool vcpu_realize(struct device *dev, GError **errp)
{
	struct vcpu *cpu = vcpu_of(dev);
	bool by_user = !cpu->machine;
	const struct cpu_hotplug *plug;

	if (by_user && !find_place(cpu, errp))
		return false;
	plug = cpu->machine->info->cpu_hotplug;
	if (by_user && plug->attach && !plug->attach(cpu->machine, cpu, errp))
		return false;
	cpu->machine->cpus[cpu->index] = cpu;
	if (dev->hotplugged && !vcpu_start(cpu, errp)) {
		cpu->machine->cpus[cpu->index] = NULL;
		return false;
	}
	counted(cpu->machine);
	return true;
}

/* It was reset meanwhile. */
void vcpu_plugged(struct device *dev)
{
	struct vcpu *cpu = vcpu_of(dev);

	if (runstate_is_running())
		vcpu_resume(cpu);
	cpu->machine->info->cpu_hotplug->plugged(cpu->machine, cpu);
}

/* ---- Out ---- */

bool vcpu_unplug_request(struct device *dev, GError **errp)
{
	struct vcpu *cpu = vcpu_of(dev);
	const struct cpu_hotplug *plug = cpu->machine->info->cpu_hotplug;

	if (!plug) {
		error_set(errp, "This machine does not support CPU hotplug");
		return false;
	}
	if (cpu->index == 0) {
		error_set(errp, "Boot CPU is unpluggable");
		return false;
	}
	return plug->unplug(cpu->machine, cpu, errp);
}

void vcpu_unrealize(struct device *dev)
{
	struct vcpu *cpu = vcpu_of(dev);

	if (!cpu->machine)
		return;
	vcpu_destroy(cpu);
	if (cpu->machine->cpus[cpu->index] == cpu)
		cpu->machine->cpus[cpu->index] = NULL;
	counted(cpu->machine);
}

static void finish_eject(void *opaque)
{
	struct device *dev = opaque;

	if (dev->realized)
		device_unplug_done(dev);
	device_unref(dev);
}

/* The guest says so on a vCPU's thread, which may even be the one that has to end. */
void machine_cpu_eject(struct machine *m, unsigned index)
{
	struct vcpu *cpu = m->cpus[index];

	if (cpu && index)
		loop_defer(loop_main(), finish_eject, device_ref(&cpu->dev));
}
