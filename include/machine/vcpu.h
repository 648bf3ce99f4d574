/*
 * vCPUs: one thread each, and how the rest of the program talks to it.
 *
 * The thread loops in vcpu.c: run the accelerator until it returns, do queued work, sleep while the
 * guest is stopped. Whoever wants something of a running vCPU queues work and kicks it; a kick makes
 * the accelerator's vcpu_run() return soon, and one that comes just before it is not lost.
 */
#ifndef MACHINE_VCPU_H
#define MACHINE_VCPU_H

#include "accel/accel.h"

struct machine;

struct vcpu {
	struct device dev; /* type "MODEL-x86_64-cpu" */
	struct accel_cpu acc;
	struct machine *machine;
	unsigned index;
	struct cpu_place place;
	/* The same as properties; -1 and UINT32_MAX: not given by who plugs it in */
	int32_t socket_id, die_id, core_id, thread_id, node_id;
	uint32_t apic_id;
	GThread *thread;
	int tid;                  /* of the thread; 0 before it runs */
	char *error;              /* why vcpu_create() failed */
	struct cpu_config config; /* shown as properties */
	bool shown_feature;       /* where feature properties are read from */
	GArray *shown_missing;    /* and the list of those that cannot be had */

	/* Atomic: threads in vcpu_kick(), and that they shall not touch what the accelerator has of it */
	int kickers, leaving;

	/* Guarded by the machine lock */
	bool created, stop, stopped, halted, unplug;
	bool gone; /* its thread has ended, or is about to: nothing runs on it any more */
	GQueue work;
	GCond wake;
};

/* Starts the thread and waits until the accelerator has made the vCPU. It is born stopped. */
bool vcpu_start(struct vcpu *cpu, GError **errp);
void vcpu_destroy(struct vcpu *cpu);

/* Makes vcpu_run() return soon. Any thread, async-signal-safe. */
void vcpu_kick(struct vcpu *cpu);
/*
 * An interrupt may be pending: it looks, also if it was in RUN_HALTED or is on its way there. What it is
 * to find must be in place before. Any thread; the machine lock is taken only if the CPU sleeps.
 */
void vcpu_wake(struct vcpu *cpu);

/* The vCPU whose thread this is, or NULL. */
struct vcpu *vcpu_self(void);

/*
 * Runs @fn on the vCPU's thread with the machine lock held. vcpu_run_on() waits for it; the caller
 * holds the machine lock, which is given up meanwhile. On the own thread it is a plain call; for a
 * vCPU that is gone nothing happens.
 */
typedef void vcpu_fn(struct vcpu *cpu, void *opaque);
void vcpu_run_on(struct vcpu *cpu, vcpu_fn *fn, void *opaque);
void vcpu_run_async(struct vcpu *cpu, vcpu_fn *fn, void *opaque);

/* A non-maskable interrupt for each; false if the accelerator knows none. Machine lock held. */
bool vcpus_inject_nmi(struct machine *m);

/* Brings the state into cpu->acc.state (idempotent); it is put back before the next run. */
bool vcpu_sync_state(struct vcpu *cpu, GError **errp);

/* This one may go on, as all others do. */
void vcpu_resume(struct vcpu *cpu);
/* All stop and have left the run loop; all may go on. Machine lock held, not from a vCPU thread. */
void vcpus_pause(struct machine *m);
void vcpus_resume(struct machine *m);

#endif
