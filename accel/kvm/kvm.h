/*
 * What the files of accel/kvm share. The interface of the kernel is described in the Linux
 * documentation, virt/kvm/api.rst; names of its structures and constants are its own.
 *
 * Locks, in the order in which they are taken:
 *	machine lock	memory commits, interrupt routes, coalesced writes
 *	slots_lock	the array of memory slots and everything that reads the dirty log
 *	hold.lock	the list of vCPUs, and holding them outside KVM_RUN
 *
 * Holding. While memory slots are exchanged, a vCPU must not look for guest memory that is just being
 * replaced; and what KVM's log knows is complete only once every vCPU has left guest mode. So
 * kvm_hold() keeps all vCPUs out of KVM_RUN until kvm_release(). A vCPU announces itself in
 * `in_run` before it looks at `hold.count`; the holder raises the count before it looks at `in_run`:
 * one of the two sees the other. Nobody dispatches an exit, or waits for a lock, with in_run set.
 */
#ifndef ACCEL_KVM_KVM_H
#define ACCEL_KVM_KVM_H

#include "accel/accel.h"
#include "accel/kvm.h"
#include "base/trace.h"

#include <linux/kvm.h>
#include <pthread.h>

struct kvm_cpu;

/* Answers of KVM_CHECK_EXTENSION; 0 is "no". The rows are in caps.c. */
struct kvm_caps {
	int memslots, readonly_mem, nr_vcpus, max_vcpus, max_vcpu_id;
	int split_irqchip, irq_routing, irqfd_resample, ioeventfd_any_length;
	int dirty_ring, manual_dirty_log, coalesced_mmio, coalesced_pio;
	int xsave2, xcrs, sregs2, nested_state, exception_payload, triple_fault, smm,
		address_spaces;
	int tsc_control, vm_tsc_control, get_tsc_khz, tsc_deadline, kvmclock_ctrl, adjust_clock;
	int x2apic_api, identity_map, pit_state2, reinject, debug, feature_msrs, notify,
		sys_attributes;
	int hv, hv_cpuid, hv_vp_index;
	int signal_msi, irqfd, irqchip, sync_mmu, immediate_exit;
};

enum kvm_notify { KVM_NOTIFY_RUN, KVM_NOTIFY_INTERNAL_ERROR, KVM_NOTIFY_DISABLE };

/* A piece of guest RAM as KVM knows it. */
struct kvm_slot {
	uint64_t start, size; /* guest-physical bytes; size 0: the slot is free */
	uint8_t *host;
	struct ram_block *ram;
	uint64_t ram_offset;
	uint32_t flags; /* KVM_MEM_* */
	uint16_t as_id; /* 0: normal, 1: system management mode */
};

struct kvm;

/* One listener: the memory of a CPU mode, or the ports. */
struct kvm_space {
	struct kvm *kvm;
	struct address_space *as;
	struct mem_listener listener;
	uint16_t as_id;
	bool pio;
	GArray *del, *add; /* struct kvm_slot: what commit() will do */
	bool listening;
};
enum { SPACE_MEMORY, SPACE_IO, SPACE_SMM, SPACES };

struct kvm_hold {
	GMutex lock;
	GCond released;
	int count;       /* atomic */
	GPtrArray *cpus; /* struct kvm_cpu * */
};

/* Interrupt routes: gsi -> pin or message. See routes.c. */
struct kvm_routes {
	struct kvm_irq_routing *table; /* room for `size` entries */
	unsigned size;
	unsigned batch;      /* depth of begin */
	bool stale;          /* the kernel has an older table */
	unsigned long *used; /* bitmap of gsis that stand for messages */
	unsigned gsis;
};

struct kvm {
	struct accel accel;

	/* Properties */
	int kernel_irqchip, notify_vmexit;
	bool kernel_irqchip_given;
	uint32_t dirty_ring_size, notify_window;
	int64_t shadow_mem;

	int fd, vm;
	struct kvm_caps caps;
	size_t run_size;   /* bytes of a vCPU's shared page(s) */
	size_t xsave_size; /* bytes of KVM_GET_XSAVE2 */
	bool manual_log;   /* KVM_CLEAR_DIRTY_LOG is ours to call */
	struct kvm_hold hold;

	struct kvm_space space[SPACES];
	GMutex slots_lock;
	GArray *slots; /* struct kvm_slot, by slot number */

	struct kvm_coalesced_mmio_ring *coalesced; /* shared by all vCPUs; NULL: none */
	uint32_t coalesced_max;
	bool draining; /* machine lock */

	struct kvm_routes routes;
	GArray *parked;   /* struct kvm_parked: vCPUs of the kernel that nobody uses */
	GArray *power_on; /* struct kvm_msr_entry: the MSRs that travel, with their first values */
	struct device *pic[2], *pit, *clock; /* NULL: not in the kernel */
};

/* The kernel keeps a vCPU as long as its machine: it waits here for its place to be filled again. */
struct kvm_parked {
	uint32_t apic_id;
	int fd;
};

struct kvm_cpu {
	struct kvm *kvm;
	struct accel_cpu *cpu;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	int in_run;     /* atomic: between the entry and the exit of KVM_RUN */
	bool halted;    /* userspace local APIC: waits for an interrupt */
	bool shut_down; /* by a triple fault; until it is reset */
	bool ran;       /* the MSRs may be other than at power-on */
	struct kvm_guest_debug debug;
	bool debug_stale; /* the kernel has an older one */
	struct debug_stop stop;
	struct kvm_dirty_gfn *ring; /* NULL: no dirty ring */
	uint32_t ring_next;
};

static inline struct kvm *kvm_of(struct accel *a)
{
	return container_of(a, struct kvm, accel);
}

static inline struct kvm_cpu *kvm_cpu_of(struct accel_cpu *cpu)
{
	return cpu->data;
}

/* ioctl() that returns a negative errno value instead of -1, and tries again after a signal. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* For ioctls whose argument is a number. */
int kvm_ioctl_n(int fd, unsigned long request, unsigned long arg);
int kvm_enable_cap(int fd, uint32_t cap, uint64_t arg0, uint64_t arg1);

/* ---- kvm.c: opening ---- */
int kvm_open(GError **errp); /* /dev/kvm with an API we know, or -1 */
int kvm_create_vm(int fd, GError **errp);

/* ---- caps.c ---- */
bool kvm_caps_read(struct kvm *k, GError **errp);

/* ---- probe.c ---- */
bool kvm_probe(bool by_name, GError **errp);

/* ---- memory.c, dirty.c, doorbell.c, coalesced.c ---- */
void kvm_memory_init(struct kvm *k);
void kvm_memory_cleanup(struct kvm *k);
void kvm_slots_lock(struct kvm *k); /* and with a dirty ring, hold the vCPUs */
void kvm_slots_unlock(struct kvm *k);
bool kvm_dirty_init(struct kvm *k, GError **errp);
int kvm_slot_set(struct kvm *k, unsigned number, const struct kvm_slot *slot);
void kvm_slot_sync_dirty(struct kvm *k, unsigned number); /* slots_lock held */
void kvm_ring_collect(struct kvm *k);                     /* slots_lock held */
bool kvm_ring_map(struct kvm_cpu *c, GError **errp);
void kvm_ring_unmap(struct kvm_cpu *c);
void kvm_log_sync(void *opaque, const struct flat_range *range);
void kvm_doorbell_add(void *opaque, const struct doorbell *bell);
void kvm_doorbell_del(void *opaque, const struct doorbell *bell);
void kvm_coalesced_add(void *opaque, const struct addr_range *range);
void kvm_coalesced_del(void *opaque, const struct addr_range *range);
void kvm_coalesced_map(struct kvm_cpu *c); /* with the first vCPU */
void kvm_coalesced_unmap(struct kvm *k);
void kvm_coalesced_drain(struct kvm *k);
void kvm_flush_coalesced(struct accel *a);
unsigned kvm_free_slots(struct accel *a);
static inline bool kvm_coalesced_pending(const struct kvm *k)
{
	return k->coalesced && __atomic_load_n(&k->coalesced->first, __ATOMIC_RELAXED) !=
				       __atomic_load_n(&k->coalesced->last, __ATOMIC_ACQUIRE);
}

/* ---- hold.c ---- */
void kvm_hold_init(struct kvm *k);
void kvm_hold_cleanup(struct kvm *k);
void kvm_hold(struct kvm *k);
void kvm_release(struct kvm *k);
void kvm_wait_released(struct kvm *k);
void kvm_kick(struct kvm_cpu *c);
bool kvm_kick_init(GError **errp);

/* ---- vcpu.c, run.c, inject.c ---- */
bool kvm_vcpu_create(struct accel_cpu *cpu, GError **errp);
void kvm_vcpu_destroy(struct accel_cpu *cpu);
void kvm_drop_parked(struct kvm *k);
void kvm_vcpu_kick(struct accel_cpu *cpu);
enum run_result kvm_vcpu_run(struct accel_cpu *cpu);
bool kvm_vcpu_inject_nmi(struct accel_cpu *cpu);
bool kvm_vcpu_inject_smi(struct accel_cpu *cpu);
bool kvm_before_run(struct kvm_cpu *c); /* false: halted */
void kvm_after_run(struct kvm_cpu *c);
enum run_result kvm_report_exit(struct kvm_cpu *c);
enum run_result kvm_report_failure(struct kvm_cpu *c, int error);

/* ---- state.c, regs.c, events.c, msrs.c ---- */
bool kvm_vcpu_get_state(struct accel_cpu *cpu, GError **errp);
bool kvm_vcpu_put_state(struct accel_cpu *cpu, GError **errp);
int kvm_get_regs(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_regs(struct kvm_cpu *c, const struct x86_state *s);
int kvm_get_sregs(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_sregs(struct kvm_cpu *c, const struct x86_state *s);
int kvm_get_xstate(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_xstate(struct kvm_cpu *c, const struct x86_state *s);
int kvm_get_debugregs(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_debugregs(struct kvm_cpu *c, const struct x86_state *s);
int kvm_get_events(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_events(struct kvm_cpu *c, const struct x86_state *s, bool full);
int kvm_get_mp_state(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_mp_state(struct kvm_cpu *c, const struct x86_state *s, bool full);
int kvm_get_nested(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_nested(struct kvm_cpu *c, struct x86_state *s);
int kvm_get_lapic(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_lapic(struct kvm_cpu *c, const struct x86_state *s);
bool kvm_msrs_init(struct kvm_cpu *c, GError **errp);
int kvm_get_msrs(struct kvm_cpu *c, struct x86_state *s);
int kvm_put_msrs(struct kvm_cpu *c, const struct x86_state *s, bool full);
int kvm_put_feature_control(struct kvm_cpu *c, const struct x86_state *s);
int kvm_put_tsc_deadline(struct kvm_cpu *c, const struct x86_state *s);

/* ---- cpuid.c, tsc.c ---- */
void kvm_capabilities(struct accel *a, struct cpu_capabilities *caps);
bool kvm_set_cpuid(struct kvm_cpu *c, GError **errp);
bool kvm_set_tsc_rate(struct kvm_cpu *c, GError **errp);
/* Leaves as @request has them (KVM_GET_SUPPORTED_CPUID...); empty if it fails. Caller frees. */
struct kvm_cpuid2 *kvm_read_cpuid(int fd, unsigned long request);
void kvm_copy_leaves(const struct kvm_cpuid2 *from, struct cpuid_table *to);
/* An MSR that says what the host can do; false if it has none. */
bool kvm_feature_msr(struct kvm *k, uint32_t index, uint64_t *value);
/* The upper half of the MSR says what may be 1. */
bool kvm_is_vmx_control(uint32_t msr);

/* ---- hyperv.c, vmx.c ---- */
void kvm_hyperv_capabilities(struct kvm *k, struct cpu_capabilities *caps);
bool kvm_hyperv_init(struct kvm_cpu *c, GError **errp);
void kvm_handle_hyperv(struct kvm_cpu *c);
/* The capability MSR of @word, of which the host has @host and the model the features @have. */
uint64_t kvm_vmx_value(enum feature_word word, uint64_t host, uint64_t have);
#define KVM_VMX_ENTRIES (FEAT_VMX_VMFUNC - FEAT_VMX_PROCBASED_CTLS + 1)
unsigned kvm_vmx_entries(struct kvm_cpu *c, struct kvm_msr_entry *entries);

/* ---- irqchip.c and the chips ---- */
bool kvm_irqchip_choose(struct kvm *k, GError **errp);
bool kvm_irqchip_create(struct accel *a, GError **errp);
bool kvm_has_lapic(const struct kvm *k);
struct device *kvm_i8259_new(struct kvm *k, bool slave);
struct device *kvm_ioapic_new(struct kvm *k);
struct device *kvm_pit_new(struct kvm *k);
struct device *kvm_clock_new(struct kvm *k);
/* Guest time stops and goes on. */
void kvm_pit_stop(struct device *dev);
void kvm_pit_resume(struct device *dev);
void kvm_clock_stop(struct accel *a);
void kvm_clock_resume(struct accel *a);

/* ---- routes.c, irqfd.c ---- */
bool kvm_routes_init(struct kvm *k, GError **errp);
void kvm_routes_cleanup(struct kvm *k);
void kvm_route_begin(struct accel *a);
void kvm_route_commit(struct accel *a);
int kvm_route_add(struct accel *a, const struct msi_message *msg);
void kvm_route_update(struct accel *a, int gsi, const struct msi_message *msg);
void kvm_route_del(struct accel *a, int gsi);
void kvm_set_gsi(struct accel *a, unsigned gsi, int level);
void kvm_mask_pics(struct accel *a);
void kvm_send_msi(struct accel *a, const struct msi_message *msg);
bool kvm_irqfd_add(struct accel *a, struct notifier *n, struct notifier *resample, int gsi);
void kvm_irqfd_del(struct accel *a, struct notifier *n, int gsi);

/* ---- debug.c ---- */
bool kvm_vcpu_set_debug(struct accel_cpu *cpu, const struct debug_request *req, GError **errp);
const struct debug_stop *kvm_vcpu_debug_stop(struct accel_cpu *cpu);
int kvm_debug_apply(struct kvm_cpu *c);
enum run_result kvm_handle_debug_exit(struct kvm_cpu *c);
bool kvm_vcpu_translate(struct accel_cpu *cpu, uint64_t vaddr, uint64_t *paddr);

#endif
