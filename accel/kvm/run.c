/*
 * The loop around KVM_RUN.
 *
 * A PIO or MMIO exit is carried out here and the loop goes on; on that path there is no system call
 * but KVM_RUN. The kernel completes the instruction at the start of the next KVM_RUN (a read gets
 * its data, a string instruction its next piece), so the loop is never left right after such an exit:
 * when it has to end, immediate_exit makes the next KVM_RUN complete the instruction and return.
 */
#include "kvm.h"

#include <sys/ioctl.h>

TRACE_DEFINE(kvm_exit, "cpu %u: reason %u");
TRACE_DEFINE(kvm_notify, "cpu %u: no event window for long, flags 0x%x");

#define KEEP_RUNNING (-1)

static void pio_one(struct kvm_cpu *c, uint8_t *data)
{
	struct kvm_run *run = c->run;
	struct address_space *io = c->kvm->accel.machine.io;
	unsigned size = run->io.size;
	uint64_t value = 0;

	if (run->io.direction == KVM_EXIT_IO_OUT) {
		memcpy(&value, data, size);
		as_store(io, &c->cpu->io_hint, run->io.port, size, value);
	} else {
		as_load(io, &c->cpu->io_hint, run->io.port, size, &value);
		memcpy(data, &value, size);
	}
}

static void handle_pio(struct kvm_cpu *c)
{
	uint8_t *data = (uint8_t *)c->run + c->run->io.data_offset;
	uint32_t count = c->run->io.count;

	for (uint32_t i = 0; i < count; i++)
		pio_one(c, data + i * c->run->io.size);
}

static void handle_mmio(struct kvm_cpu *c)
{
	struct kvm_run *run = c->run;
	const struct accel_machine *m = &c->kvm->accel.machine;
	bool smm = (run->flags & KVM_RUN_X86_SMM) && c->kvm->accel.smm;
	struct address_space *as = smm ? m->smm_memory : m->memory;
	uint64_t addr = run->mmio.phys_addr, value = 0;
	unsigned len = run->mmio.len;

	if (!IS_POWER_OF_2(len)) { /* the part of an access before or behind a page boundary */
		if (run->mmio.is_write)
			as_write(as, addr, run->mmio.data, len);
		else
			as_read(as, addr, run->mmio.data, len);
	} else if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, len);
		as_store(as, smm ? NULL : &c->cpu->mem_hint, addr, len, value);
	} else {
		as_load(as, smm ? NULL : &c->cpu->mem_hint, addr, len, &value);
		memcpy(run->mmio.data, &value, len);
	}
}

static int handle_system_event(struct kvm_cpu *c)
{
	switch (c->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
	case KVM_SYSTEM_EVENT_RESET:
		return RUN_RESET;
	case KVM_SYSTEM_EVENT_CRASH:
		return RUN_CRASHED;
	default:
		return kvm_report_exit(c);
	}
}

static int handle_notify(struct kvm_cpu *c)
{
	trace(kvm_notify, c->cpu->index, c->run->notify.flags);
	if (!(c->run->notify.flags & KVM_NOTIFY_CONTEXT_INVALID) &&
	    c->kvm->notify_vmexit == KVM_NOTIFY_RUN)
		return KEEP_RUNNING;
	return kvm_report_exit(c);
}

static void handle_ioapic_eoi(struct kvm_cpu *c)
{
	struct accel *a = &c->kvm->accel;

	if (a->ioapic_eoi)
		a->ioapic_eoi(a->ioapic_opaque, c->run->eoi.vector);
}

/* KVM looks at the ring before it looks at immediate_exit, so a stop request is obeyed here. */
static int handle_ring_full(struct kvm_cpu *c)
{
	g_mutex_lock(&c->kvm->slots_lock);
	kvm_ring_collect(c->kvm);
	g_mutex_unlock(&c->kvm->slots_lock);
	return __atomic_load_n(&c->cpu->exit_request, __ATOMIC_RELAXED) ? RUN_KICKED : KEEP_RUNNING;
}

/* The exits that are not everyday: an enum run_result, or KEEP_RUNNING. */
static int handle_rare(struct kvm_cpu *c)
{
	switch (c->run->exit_reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return KEEP_RUNNING;
	case KVM_EXIT_HLT:
		c->halted = true;
		return c->cpu->intr ? KEEP_RUNNING : RUN_HALTED;
	case KVM_EXIT_SHUTDOWN:
		c->shut_down = true;
		return RUN_SHUTDOWN;
	case KVM_EXIT_DEBUG:
		return kvm_handle_debug_exit(c);
	case KVM_EXIT_SYSTEM_EVENT:
		return handle_system_event(c);
	case KVM_EXIT_IOAPIC_EOI:
		handle_ioapic_eoi(c);
		return KEEP_RUNNING;
	case KVM_EXIT_HYPERV:
		kvm_handle_hyperv(c);
		return KEEP_RUNNING;
	case KVM_EXIT_DIRTY_RING_FULL:
		return handle_ring_full(c);
	case KVM_EXIT_NOTIFY:
		return handle_notify(c);
	default:
		return kvm_report_exit(c);
	}
}

static int handle_exit(struct kvm_cpu *c)
{
	trace(kvm_exit, c->cpu->index, c->run->exit_reason);
	switch (c->run->exit_reason) {
	case KVM_EXIT_IO:
		handle_pio(c);
		return KEEP_RUNNING;
	case KVM_EXIT_MMIO:
		handle_mmio(c);
		return KEEP_RUNNING;
	default:
		return handle_rare(c);
	}
}

/* One KVM_RUN, between announcing it and leaving it. Returns 0 or a negative errno value. */
static int run_once(struct kvm_cpu *c)
{
	int ret;

	__atomic_store_n(&c->in_run, 1, __ATOMIC_SEQ_CST);
	while (__builtin_expect(__atomic_load_n(&c->kvm->hold.count, __ATOMIC_SEQ_CST), 0)) {
		__atomic_store_n(&c->in_run, 0, __ATOMIC_SEQ_CST);
		kvm_wait_released(c->kvm);
		__atomic_store_n(&c->in_run, 1, __ATOMIC_SEQ_CST);
	}
	ret = ioctl(c->fd, KVM_RUN, 0) < 0 ? -errno : 0;
	__atomic_store_n(&c->in_run, 0, __ATOMIC_RELEASE);
	return ret;
}

static bool put_back_state(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	g_autoptr(GError) err = NULL;

	if (!kvm_vcpu_put_state(cpu, &err)) {
		error_report("%s", err->message);
		return false;
	}
	cpu->state_here = cpu->state_full = false;
	/* What KVM said when it last ran is not true of this state: it is asked anew. */
	c->run->ready_for_interrupt_injection = 0;
	c->ran = true;
	if (c->debug_stale || c->debug.control)
		kvm_debug_apply(c);
	return true;
}

/* KVM_RUN itself failed: KEEP_RUNNING, or why not. */
static int handle_failure(struct kvm_cpu *c, int error)
{
	if (error == EAGAIN) /* an application processor was woken by INIT, or to no purpose */
		return KEEP_RUNNING;
	if (error == EINTR)
		return RUN_KICKED;
	return kvm_report_failure(c, error);
}

enum run_result kvm_vcpu_run(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	int result = KEEP_RUNNING, ret;

	if (cpu->state_here && !put_back_state(cpu))
		return RUN_ERROR;
	/* Cleared before the look at exit_request: a kick from now on sets it again. */
	__atomic_store_n(&c->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST))
		return RUN_KICKED;
	while (result == KEEP_RUNNING) {
		if (cpu->intr && !kvm_before_run(c))
			return RUN_HALTED;
		if (__builtin_expect(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED), 0))
			c->run->immediate_exit = 1;
		ret = run_once(c);
		if (cpu->intr)
			kvm_after_run(c);
		if (kvm_coalesced_pending(c->kvm))
			kvm_coalesced_drain(c->kvm);
		result = ret ? handle_failure(c, -ret) : handle_exit(c);
	}
	return result;
}
