/*
 * The whole contract between the program and an accelerator, the thing that executes guest code.
 *
 * An accelerator is a device_type of CATEGORY_ACCEL ("kvm-accel") whose class_data is a const struct
 * accel_ops and whose instance begins with struct accel. Unless it says otherwise a callback may be
 * NULL and means "cannot". In the order of a machine's life:
 *
 *	probe		can it work here? cheap; tried in the order of -accel
 *	init		machine-wide set-up; it listens to the machine's address spaces from now on
 *	capabilities	what CPUs it can offer
 *	irqchip_create	in-kernel interrupt controllers, if it has them and the user wants them
 *	vcpu_create	on the vCPU's own thread
 *	vcpu_run ...	until kicked
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "cpu/cpuid.h"
#include "cpu/x86.h"
#include "device/device.h"
#include "mem/space.h"

struct notifier;
struct accel;

/*
 * Who interrupts a vCPU where that is not the accelerator: a userspace PIC (IRQCHIP_SPLIT) or local
 * APIC (IRQCHIP_OFF, and accelerators without chips). When something becomes pending, the chip calls
 * vcpu_wake(). All callbacks run on the vCPU's thread and must be safe without the machine lock.
 * The last two are for a local APIC only; NULL otherwise.
 */
struct accel_intr_ops {
	bool (*pending)(void *opaque); /* a maskable interrupt wants in; cheap */
	int (*acknowledge)(
		void *opaque); /* its vector, which is in service now; -1: none any more */
	uint64_t (*get_tpr)(void *opaque); /* as CR8 shows it, 0-15 */
	/* After guest code ran: CR8 and the APIC base as they are now. */
	void (*sync)(void *opaque, uint64_t cr8, uint64_t apic_base);

	/*
	 * For accelerators that carry out RDMSR and WRMSR themselves; all NULL where there is no local APIC.
	 * msr_*: the MSRs of x2APIC mode (800h to 8FFh); false: general protection. set_base: IA32_APIC_BASE.
	 * tsc, tsc_hz: the guest's time stamp counter now, and its rate.
	 */
	bool (*msr_read)(void *opaque, uint32_t index, uint64_t *value);
	bool (*msr_write)(void *opaque, uint32_t index, uint64_t value);
	bool (*set_base)(void *opaque, uint64_t value);
	uint64_t (*get_base)(void *opaque);
	uint64_t (*get_tsc_deadline)(void *opaque);
	void (*set_tsc_deadline)(void *opaque, uint64_t deadline, uint64_t tsc, uint64_t tsc_hz);
	void (*set_tpr)(void *opaque, uint64_t cr8);
};

/* What an accelerator knows of a vCPU. machine/vcpu.h embeds it. */
struct accel_cpu {
	struct accel *accel;
	unsigned index;
	uint32_t apic_id;
	int exit_request; /* atomic; vcpu_run() must return while it is set */

	/*
	 * The state is in one place at a time: here while state_here, in the accelerator otherwise.
	 * state_full: put back also what only changes by reset or load (TSC, MP state, clock MSRs).
	 */
	struct x86_state state;
	bool state_here, state_full;

	struct cpuid_table cpuid;
	uint64_t tsc_hz; /* wanted TSC frequency; 0: the host's */
	struct cpu_features features;
	struct space_hint mem_hint, io_hint;
	const struct accel_intr_ops *intr; /* NULL: the accelerator has all it needs */
	void *intr_opaque;
	void *data; /* the accelerator's own */
};

/* Why vcpu_run() came back. */
enum run_result {
	RUN_KICKED,   /* a kick, a signal, or nothing in particular: look around and go on */
	RUN_HALTED,   /* waits for an interrupt, and the accelerator cannot wait by itself */
	RUN_SHUTDOWN, /* triple fault */
	RUN_RESET,    /* the guest asked the accelerator for a reset (Hyper-V) */
	RUN_CRASHED,  /* the guest reported a crash (Hyper-V) */
	RUN_DEBUG,    /* breakpoint, watchpoint or step: see vcpu_debug_stop */
	RUN_ERROR,    /* cannot go on: it has been reported; pause as internal-error */
};

enum irqchip_mode { IRQCHIP_OFF, IRQCHIP_SPLIT, IRQCHIP_ON };

/* The machine's side of it: filled in by the machine before init. */
struct accel_machine {
	struct address_space *memory, *io;
	struct address_space *smm_memory; /* what a CPU in SMM sees; NULL: the same */
	unsigned max_cpus;
	enum irqchip_mode irqchip; /* wanted */
	bool irqchip_required; /* the user said so: failing is an error, not a reason to fall back */
	bool smm;              /* wanted */
	/* The guest cannot go on, though no vCPU said so; it has been reported. Machine lock held. NULL:
	 * nobody wants to know. */
	void (*internal_error)(void *opaque);
	void *opaque;
};

struct accel {
	struct device dev;
	const struct accel_ops *ops;
	struct accel_machine machine;
	enum irqchip_mode irqchip; /* in effect */
	bool smm;                  /* set by init: CPUs enter SMM by vcpu_inject_smi() */

	/* Set by init: guest-physical memory the guest must keep away from; size 0: none. */
	uint64_t reserved_base, reserved_size;

	/* IRQCHIP_SPLIT: the userspace IOAPIC hears that a level-triggered vector was ended. Any thread. */
	void (*ioapic_eoi)(void *opaque, unsigned vector);
	void *ioapic_opaque;

	/* IRQCHIP_ON: while it is high, the accelerator's own PIT keeps line 0 quiet, as an HPET stands
	 * in for it; NULL: it has none. */
	struct irq *legacy_timer_off;
};

/* With IRQCHIP_SPLIT, gsis below this are pins of IOAPICs, two at most: route_update() gives them messages. */
#define ACCEL_IOAPIC_PINS 48

/*
 * A write of @data to @addr. Only writes to MSI_WINDOW are interrupts (SDM vol. 3, 11.11.1), others
 * reach memory like any write.
 */
#define MSI_WINDOW      0xfee00000ULL
#define MSI_WINDOW_SIZE 0x00100000ULL
struct msi_message {
	uint64_t addr;
	uint32_t data;
};

/* What the debugger wants of a vCPU. */
struct debug_request {
	bool single_step;
	bool block_irqs;     /* while stepping */
	bool sw_breakpoints; /* INT3 goes to the debugger */
	bool reinject_bp,
		reinject_db; /* the last stop was the guest's own: it gets the exception, once */
	unsigned hw_count;
	struct {
		uint64_t addr;
		uint8_t len;  /* 1, 2, 4, 8 */
		uint8_t type; /* DR7's R/W: 0 execute, 1 write, 3 access */
	} hw[4];
};
struct debug_stop {
	uint64_t pc;
	uint64_t dr6;
	uint8_t exception; /* 1 or 3 */
};

struct accel_ops {
	const char *name;          /* as -accel takes it: "kvm" */
	const char *alias;         /* "tcg" for dbt; NULL */
	const char *thread_suffix; /* "KVM" in the thread name "CPU 0/KVM" */
	bool executes;             /* false: no CPU at all (qtest) */

	/* Can it run a guest here? Else why not, in one line. @by_name: the user asked for this very
	 * one, so slowness alone is no reason. NULL: always. */
	bool (*probe)(bool by_name, GError **errp);

	bool (*init)(struct accel *a, GError **errp); /* NULL: nothing to do */
	void (*cleanup)(struct accel *a);

	void (*capabilities)(struct accel *a, struct cpu_capabilities *caps);

	/* Once, before any vCPU. Sets a->irqchip from a->machine.irqchip. */
	bool (*irqchip_create)(struct accel *a, GError **errp);

	/* ---- vCPUs: on the vCPU's thread. All NULL when !executes. ---- */
	bool (*vcpu_create)(struct accel_cpu *cpu, GError **errp);
	void (*vcpu_destroy)(struct accel_cpu *cpu);
	/* Puts the state back if it is here, then runs until exit_request. Machine lock not held. */
	enum run_result (*vcpu_run)(struct accel_cpu *cpu);
	/* Any thread, async-signal-safe; exit_request is set. Not lost if vcpu_run() is about to start. */
	void (*vcpu_kick)(struct accel_cpu *cpu);
	/* Fills cpu->state. */
	bool (*vcpu_get_state)(struct accel_cpu *cpu, GError **errp);
	bool (*vcpu_put_state)(struct accel_cpu *cpu, GError **errp);
	/* Both end HLT (the caller says vcpu_wake()), and are lost on a CPU that waits for SIPI. */
	bool (*vcpu_inject_nmi)(struct accel_cpu *cpu);
	bool (*vcpu_inject_smi)(struct accel_cpu *cpu);
	/* Address line 20, as it is after a reset, or pulled down: bit 20 of all physical addresses is 0.
	 * NULL: addresses cannot be masked (KVM), and what programs do to the line has no effect. */
	void (*vcpu_set_a20)(struct accel_cpu *cpu, bool high);
	bool (*vcpu_set_debug)(struct accel_cpu *cpu, const struct debug_request *req,
			       GError **errp);
	const struct debug_stop *(*vcpu_debug_stop)(struct accel_cpu *cpu);
	/* Guest-virtual to guest-physical, by the vCPU's page tables; false if not mapped. */
	bool (*vcpu_translate)(struct accel_cpu *cpu, uint64_t vaddr, uint64_t *paddr);

	/* ---- The machine ---- */
	/* Guest time stops and goes on (kvmclock). Machine lock held; all vCPUs have stopped. */
	void (*clock_stop)(struct accel *a);
	void (*clock_resume)(struct accel *a);

	/* A line of the in-kernel PIC/IOAPIC (0-15: both, 16-23: IOAPIC). Any thread. */
	void (*set_gsi)(struct accel *a, unsigned gsi, int level);
	/* IRQCHIP_ON: initializes the accelerator's own PICs as firmware does, all lines masked. vCPUs are
	 * at rest. NULL: it has none. */
	void (*mask_pics)(struct accel *a);
	/* Delivers an MSI. Any thread. NULL: it is written to the memory space's APIC window. */
	void (*send_msi)(struct accel *a, const struct msi_message *msg);

	/* A gsi that stands for a message, for irqfds; -1 if there are none left. Machine lock held.
	 * Between begin and commit (they nest) changes are gathered and take effect together. */
	void (*route_begin)(struct accel *a);
	void (*route_commit)(struct accel *a);
	int (*route_add)(struct accel *a, const struct msi_message *msg);
	/* @msg NULL: nothing is delivered until it is updated again. */
	void (*route_update)(struct accel *a, int gsi, const struct msi_message *msg);
	void (*route_del)(struct accel *a, int gsi);
	bool (*irqfd_add)(struct accel *a, struct notifier *n, struct notifier *resample, int gsi);
	void (*irqfd_del)(struct accel *a, struct notifier *n, int gsi);

	/* Carries out writes that region_add_coalesced() allowed to wait. Machine lock held. */
	void (*flush_coalesced)(struct accel *a);

	/* How many more separate pieces of RAM can be mapped; NULL: any number. */
	unsigned (*free_slots)(struct accel *a);

	bool has_doorbells; /* doorbells of regions really are ioeventfds */
};

#endif
