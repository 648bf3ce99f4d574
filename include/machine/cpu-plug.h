/*
 * CPUs that come and go while the machine exists.
 *
 * A place for every CPU of -smp maxcpus= is there from the start; device_add fills one, device_del asks
 * the guest to give it back. The board tells the guest, and calls machine_cpu_eject() when the guest
 * has let go.
 */
#ifndef MACHINE_CPU_PLUG_H
#define MACHINE_CPU_PLUG_H

#include "machine/machine.h"

/* By machine_info.cpu_hotplug. Machine lock held. */
struct cpu_hotplug {
	/* Before its thread runs: what the board has for each CPU. May be NULL. */
	bool (*attach)(struct machine *m, struct vcpu *cpu, GError **errp);
	/* It waits to be started: tell the guest. */
	void (*plugged)(struct machine *m, struct vcpu *cpu);
	/* Ask the guest to give it back. */
	bool (*unplug)(struct machine *m, struct vcpu *cpu, GError **errp);
	/* The number of CPUs present has changed. */
	void (*counted)(struct machine *m, unsigned present);
};

/* A new device of a CPU type becomes CPU @index of the machine; before its realize. */
void machine_cpu_prepare(struct machine *m, struct vcpu *cpu, unsigned index);

/* The callbacks of the CPU types. */
bool vcpu_realize(struct device *dev, GError **errp);
void vcpu_unrealize(struct device *dev);
void vcpu_plugged(struct device *dev);
bool vcpu_unplug_request(struct device *dev, GError **errp);

/* CPU @index is gone for the guest: it ends soon, on the main thread, with DEVICE_DELETED. */
void machine_cpu_eject(struct machine *m, unsigned index);

unsigned machine_cpus_present(const struct machine *m);

#endif
