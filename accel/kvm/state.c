/*
 * A vCPU's whole state, out of the kernel and into it.
 *
 * The order of putting back matters: the segments and control registers decide what is legal for the
 * rest, nested state refers to EFER, pending events refer to all of it, and the local APIC's timer
 * starts with its mode before TSC_DEADLINE gives it a time.
 */
#include "kvm.h"

static bool failed(struct kvm_cpu *c, const char *verb, const char *what, int ret, GError **errp)
{
	if (!ret)
		return false;
	error_set_errno(errp, -ret, "kvm: could not %s %s of CPU %u", verb, what, c->cpu->index);
	return true;
}

bool kvm_vcpu_get_state(struct accel_cpu *cpu, GError **errp)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	struct x86_state *s = &cpu->state;

	return !failed(c, "read", "the general registers", kvm_get_regs(c, s), errp) &&
	       !failed(c, "read", "the system registers", kvm_get_sregs(c, s), errp) &&
	       !failed(c, "read", "the vector state", kvm_get_xstate(c, s), errp) &&
	       !failed(c, "read", "the MSRs", kvm_get_msrs(c, s), errp) &&
	       !failed(c, "read", "the MP state", kvm_get_mp_state(c, s), errp) &&
	       !failed(c, "read", "the local APIC", kvm_get_lapic(c, s), errp) &&
	       !failed(c, "read", "the events", kvm_get_events(c, s), errp) &&
	       !failed(c, "read", "the debug registers", kvm_get_debugregs(c, s), errp) &&
	       !failed(c, "read", "the nested state", kvm_get_nested(c, s), errp);
}

/* What only a reset or a load changes, and what time or other vCPUs may have changed meanwhile. */
static bool put_full(struct kvm_cpu *c, struct x86_state *s, GError **errp)
{
	return !failed(c, "set", "the local APIC", kvm_put_lapic(c, s), errp) &&
	       !failed(c, "set", "the TSC deadline", kvm_put_tsc_deadline(c, s), errp);
}

bool kvm_vcpu_put_state(struct accel_cpu *cpu, GError **errp)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	struct x86_state *s = &cpu->state;
	bool full = cpu->state_full;

	return !failed(c, "set", "IA32_FEATURE_CONTROL", full ? kvm_put_feature_control(c, s) : 0,
		       errp) &&
	       !failed(c, "set", "the system registers", kvm_put_sregs(c, s), errp) &&
	       !failed(c, "set", "the general registers", kvm_put_regs(c, s), errp) &&
	       !failed(c, "set", "the vector state", kvm_put_xstate(c, s), errp) &&
	       !failed(c, "set", "the MSRs", kvm_put_msrs(c, s, full), errp) &&
	       !failed(c, "set", "the nested state", full ? kvm_put_nested(c, s) : 0, errp) &&
	       (!full || put_full(c, s, errp)) &&
	       !failed(c, "set", "the MP state", kvm_put_mp_state(c, s, full), errp) &&
	       !failed(c, "set", "the events", kvm_put_events(c, s, full), errp) &&
	       !failed(c, "set", "the debug registers", kvm_put_debugregs(c, s), errp);
}
