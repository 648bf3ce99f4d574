/*
 * Interrupts that do not come from the kernel's own controllers.
 *
 * With a userspace PIC (and the local APIC in the kernel) or a userspace local APIC, a vector is
 * handed over by KVM_INTERRUPT just before KVM_RUN, when the guest takes interrupts; if it does not
 * yet, KVM is asked to come back as soon as it does. The task priority (CR8) goes both ways with
 * every KVM_RUN when the local APIC is ours, so reading or writing it needs no exit.
 */
#include "kvm.h"

bool kvm_has_lapic(const struct kvm *k)
{
	return k->accel.irqchip != IRQCHIP_OFF;
}

static void inject_vector(struct kvm_cpu *c)
{
	struct kvm_interrupt irq;
	int vector = c->cpu->intr->acknowledge(c->cpu->intr_opaque);

	if (vector < 0)
		return;
	irq.irq = vector;
	kvm_ioctl(c->fd, KVM_INTERRUPT, &irq);
}

bool kvm_before_run(struct kvm_cpu *c)
{
	const struct accel_intr_ops *intr = c->cpu->intr;
	void *opaque = c->cpu->intr_opaque;
	struct kvm_run *run = c->run;
	bool pending = intr->pending(opaque);

	if (c->halted) {
		if (!pending || !run->if_flag)
			return false;
		c->halted = false;
	}
	if (pending && run->ready_for_interrupt_injection) {
		inject_vector(c);
		pending = intr->pending(opaque);
	}
	run->request_interrupt_window = pending;
	if (intr->get_tpr)
		run->cr8 = intr->get_tpr(opaque);
	return true;
}

void kvm_after_run(struct kvm_cpu *c)
{
	if (c->cpu->intr->sync)
		c->cpu->intr->sync(c->cpu->intr_opaque, c->run->cr8, c->run->apic_base);
}

/* With a local APIC in the kernel all this is the kernel's business. False: the CPU waits for SIPI. */
static bool end_halt(struct kvm_cpu *c)
{
	int *state = &c->cpu->state.mp_state;

	if (kvm_has_lapic(c->kvm))
		return true;
	if (*state == MP_UNINITIALIZED || *state == MP_INIT_RECEIVED)
		return false;
	*state = MP_RUNNABLE;
	c->halted = false;
	return true;
}

bool kvm_vcpu_inject_nmi(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);

	if (!end_halt(c))
		return true;
	return kvm_ioctl_n(c->fd, KVM_NMI, 0) == 0;
}

bool kvm_vcpu_inject_smi(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);

	if (!c->kvm->caps.smm)
		return false;
	if (!end_halt(c))
		return true;
	return kvm_ioctl_n(c->fd, KVM_SMI, 0) == 0;
}
