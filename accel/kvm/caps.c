/*
 * What this host's KVM can do. Asked once; nothing is assumed. Rows with a kernel version are needed.
 */
#include "kvm.h"

struct cap_row {
	int cap;
	size_t offset; /* of the answer in struct kvm_caps */
	const char *name, *since;
};

#define WANT(_cap, _member)                                                                        \
	{                                                                                          \
		KVM_CAP_##_cap, offsetof(struct kvm_caps, _member), "KVM_CAP_" #_cap, NULL         \
	}
#define NEED(_cap, _member, _since)                                                                \
	{                                                                                          \
		KVM_CAP_##_cap, offsetof(struct kvm_caps, _member), "KVM_CAP_" #_cap, _since       \
	}

static const struct cap_row rows[] = {
	NEED(NR_MEMSLOTS, memslots, "2.6.26"),
	NEED(SYNC_MMU, sync_mmu, "2.6.27"),
	NEED(ADJUST_CLOCK, adjust_clock, "2.6.33"),
	NEED(IRQFD, irqfd, "2.6.32"),
	NEED(SIGNAL_MSI, signal_msi, "3.5"),
	NEED(IMMEDIATE_EXIT, immediate_exit, "4.11"),
	WANT(READONLY_MEM, readonly_mem),
	WANT(NR_VCPUS, nr_vcpus),
	WANT(MAX_VCPUS, max_vcpus),
	WANT(MAX_VCPU_ID, max_vcpu_id),
	WANT(IRQCHIP, irqchip),
	WANT(SPLIT_IRQCHIP, split_irqchip),
	WANT(IRQ_ROUTING, irq_routing),
	WANT(IRQFD_RESAMPLE, irqfd_resample),
	WANT(IOEVENTFD_ANY_LENGTH, ioeventfd_any_length),
	WANT(DIRTY_LOG_RING, dirty_ring),
	WANT(MANUAL_DIRTY_LOG_PROTECT2, manual_dirty_log),
	WANT(COALESCED_MMIO, coalesced_mmio),
	WANT(COALESCED_PIO, coalesced_pio),
	WANT(XSAVE2, xsave2),
	WANT(XCRS, xcrs),
	WANT(SREGS2, sregs2),
	WANT(NESTED_STATE, nested_state),
	WANT(EXCEPTION_PAYLOAD, exception_payload),
	WANT(X86_TRIPLE_FAULT_EVENT, triple_fault),
	WANT(X86_SMM, smm),
	WANT(MULTI_ADDRESS_SPACE, address_spaces),
	WANT(TSC_CONTROL, tsc_control),
	WANT(VM_TSC_CONTROL, vm_tsc_control),
	WANT(GET_TSC_KHZ, get_tsc_khz),
	WANT(TSC_DEADLINE_TIMER, tsc_deadline),
	WANT(KVMCLOCK_CTRL, kvmclock_ctrl),
	WANT(X2APIC_API, x2apic_api),
	WANT(SET_IDENTITY_MAP_ADDR, identity_map),
	WANT(PIT_STATE2, pit_state2),
	WANT(REINJECT_CONTROL, reinject),
	WANT(SET_GUEST_DEBUG, debug),
	WANT(GET_MSR_FEATURES, feature_msrs),
	WANT(X86_NOTIFY_VMEXIT, notify),
	WANT(SYS_ATTRIBUTES, sys_attributes),
	WANT(HYPERV, hv),
	WANT(SYS_HYPERV_CPUID, hv_cpuid),
	WANT(HYPERV_VP_INDEX, hv_vp_index),
};

bool kvm_caps_read(struct kvm *k, GError **errp)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct cap_row *row = &rows[i];
		int answer = kvm_ioctl_n(k->vm, KVM_CHECK_EXTENSION, row->cap);

		if (answer <= 0 && row->since) {
			error_set(errp, "kvm does not support %s: Linux %s or newer is needed",
				  row->name, row->since);
			return false;
		}
		*(int *)((char *)&k->caps + row->offset) = MAX(answer, 0);
	}
	if (!k->caps.max_vcpus)
		k->caps.max_vcpus = MAX(k->caps.nr_vcpus, 4);
	return true;
}
