/*
 * Breakpoints, watchpoints, single steps; the page tables' answer.
 */
#include "kvm.h"

#define DR7_GE          BIT(9)
#define DR7_FIXED       BIT(10)
#define DR6_SINGLE_STEP BIT(14)
#define EXCEPTION_DB    1

/* DR7 (SDM vol. 3, 17.2.4): enable bit 2n+1, R/W at 16+4n, LEN at 18+4n as 00: 1, 01: 2, 11: 4, 10: 8 */
static void set_hardware(const struct debug_request *req, struct kvm_guest_debug *d)
{
	static const uint8_t len_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

	if (!req->hw_count)
		return;
	d->control |= KVM_GUESTDBG_USE_HW_BP;
	d->arch.debugreg[7] = DR7_GE | DR7_FIXED;
	for (unsigned i = 0; i < req->hw_count && i < 4; i++) {
		d->arch.debugreg[i] = req->hw[i].addr;
		d->arch.debugreg[7] |= 2ULL << (2 * i) | (uint64_t)req->hw[i].type << (16 + 4 * i) |
				       (uint64_t)len_code[MIN(req->hw[i].len, 8)] << (18 + 4 * i);
	}
}

static uint32_t control_of(const struct debug_request *req)
{
	uint32_t control = 0;

	if (req->single_step)
		control |= KVM_GUESTDBG_SINGLESTEP;
	if (req->block_irqs)
		control |= KVM_GUESTDBG_BLOCKIRQ;
	if (req->sw_breakpoints)
		control |= KVM_GUESTDBG_USE_SW_BP;
	if (req->reinject_bp)
		control |= KVM_GUESTDBG_INJECT_BP;
	if (req->reinject_db)
		control |= KVM_GUESTDBG_INJECT_DB;
	return control;
}

int kvm_debug_apply(struct kvm_cpu *c)
{
	int ret;

	c->debug_stale = false;
	if (!c->kvm->caps.debug)
		return -ENOSYS;
	ret = kvm_ioctl(c->fd, KVM_SET_GUEST_DEBUG, &c->debug);
	if (ret == -EINVAL && (c->debug.control & KVM_GUESTDBG_BLOCKIRQ)) { /* Linux before 5.16 */
		c->debug.control &= ~KVM_GUESTDBG_BLOCKIRQ;
		ret = kvm_ioctl(c->fd, KVM_SET_GUEST_DEBUG, &c->debug);
	}
	c->debug.control &= ~(KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_INJECT_DB);
	return ret;
}

bool kvm_vcpu_set_debug(struct accel_cpu *cpu, const struct debug_request *req, GError **errp)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	int ret;

	c->debug = (struct kvm_guest_debug){.control = control_of(req)};
	set_hardware(req, &c->debug);
	if (c->debug.control)
		c->debug.control |= KVM_GUESTDBG_ENABLE;
	/* A step begins at the RIP the kernel knows: if that is still here, it has to go first. */
	c->debug_stale = cpu->state_here;
	ret = cpu->state_here ? 0 : kvm_debug_apply(c);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not set breakpoints of CPU %u", cpu->index);
	return false;
}

enum run_result kvm_handle_debug_exit(struct kvm_cpu *c)
{
	const struct kvm_debug_exit_arch *arch = &c->run->debug.arch;

	c->stop = (struct debug_stop){
		.pc = arch->pc,
		.dr6 = arch->exception == EXCEPTION_DB ? arch->dr6 : 0,
		.exception = arch->exception,
	};
	return RUN_DEBUG;
}

const struct debug_stop *kvm_vcpu_debug_stop(struct accel_cpu *cpu)
{
	return &kvm_cpu_of(cpu)->stop;
}

bool kvm_vcpu_translate(struct accel_cpu *cpu, uint64_t vaddr, uint64_t *paddr)
{
	struct kvm_translation t = {.linear_address = vaddr};

	if (kvm_ioctl(kvm_cpu_of(cpu)->fd, KVM_TRANSLATE, &t) || !t.valid)
		return false;
	*paddr = t.physical_address;
	return true;
}
