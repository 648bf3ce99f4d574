/*
 * Hyper-V enlightenments on KVM: the kernel has them all, once they are switched on for a vCPU. What
 * it does not know itself of hypercalls it asks us.
 */
#include "kvm.h"

TRACE_DEFINE(kvm_hypercall, "cpu %u: Hyper-V call 0x%x");

#define MSR_VP_INDEX 0x40000002

/* Call codes and answers: Hyper-V Top Level Functional Specification, appendices A and B. */
#define HV_CALL_POST_MESSAGE 0x5c
#define HV_CALL_SIGNAL_EVENT 0x5d
#define HV_CALL_FAST         BIT64(16)

#define HV_STATUS_INVALID_HYPERCALL_CODE  2
#define HV_STATUS_INVALID_HYPERCALL_INPUT 3
#define HV_STATUS_INVALID_CONNECTION_ID   18

void kvm_hyperv_capabilities(struct kvm *k, struct cpu_capabilities *caps)
{
	g_autofree struct kvm_cpuid2 *table = NULL;

	caps->hyperv_vpindex = k->caps.hv_vp_index;
	if (!k->caps.hv || !k->caps.hv_cpuid)
		return;
	table = kvm_read_cpuid(k->fd, KVM_GET_SUPPORTED_HV_CPUID);
	kvm_copy_leaves(table, &caps->hyperv);
}

static bool failed(int ret, const char *what, GError **errp)
{
	if (ret >= 0)
		return false;
	error_set(errp, "%s: %s", what, g_strerror(-ret));
	return true;
}

static bool set_vp_index(struct kvm_cpu *c, GError **errp)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {{.nmsrs = 1}, {.index = MSR_VP_INDEX, .data = c->cpu->index}};

	if (kvm_ioctl(c->fd, KVM_SET_MSRS, &msr) == 1)
		return true;
	error_set(errp, "kernel doesn't allow setting HyperV VP_INDEX");
	return false;
}

/*
 * The first form of the synthetic interrupt controller is asked for: there the kernel clears the
 * pages of messages and events when the guest places them, which is all a guest without VMBus sees
 * of them.
 */
bool kvm_hyperv_init(struct kvm_cpu *c, GError **errp)
{
	const struct cpu_hyperv *hv = &c->cpu->features.hv;
	uint16_t version = 0;

	if (!hv->on)
		return true;
	if (hv->have[HV_VPINDEX] && !set_vp_index(c, errp))
		return false;
	if (hv->have[HV_SYNIC] && failed(kvm_enable_cap(c->fd, KVM_CAP_HYPERV_SYNIC, 0, 0),
					 "failed to turn on HyperV SynIC in KVM", errp))
		return false;
	if (hv->have[HV_EVMCS] &&
	    failed(kvm_enable_cap(c->fd, KVM_CAP_HYPERV_ENLIGHTENED_VMCS, (uintptr_t)&version, 0),
		   "failed to enable KVM_CAP_HYPERV_ENLIGHTENED_VMCS", errp))
		return false;
	return !hv->enforce_cpuid ||
	       !failed(kvm_enable_cap(c->fd, KVM_CAP_HYPERV_ENFORCE_CPUID, 1, 0),
		       "failed to enable KVM_CAP_HYPERV_ENFORCE_CPUID", errp);
}

/* There is nobody to talk to: no message port or event is connected. */
static uint64_t hypercall(uint64_t input)
{
	switch (input & 0xffff) {
	case HV_CALL_POST_MESSAGE:
		if (input & HV_CALL_FAST)
			return HV_STATUS_INVALID_HYPERCALL_INPUT;
		return HV_STATUS_INVALID_CONNECTION_ID;
	case HV_CALL_SIGNAL_EVENT:
		return HV_STATUS_INVALID_CONNECTION_ID;
	default:
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	}
}

void kvm_handle_hyperv(struct kvm_cpu *c)
{
	struct kvm_hyperv_exit *hv = &c->run->hyperv;

	if (hv->type == KVM_EXIT_HYPERV_HCALL) {
		trace(kvm_hypercall, c->cpu->index, (unsigned)(hv->u.hcall.input & 0xffff));
		hv->u.hcall.result = hypercall(hv->u.hcall.input);
	} else if (hv->type == KVM_EXIT_HYPERV_SYNDBG) {
		hv->u.syndbg.status = 0; /* no debugger */
	}
}
