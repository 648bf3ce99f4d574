/*
 * Events on their way into a vCPU, its MP state, the state of its own guests, its local APIC.
 */
#include "base/checked.h"
#include "kvm.h"

#define RFLAGS_IF BIT(9)

/* ---- Exceptions, interrupts, NMI, SMI ---- */

static void exception_in(struct x86_events *e, const struct kvm_vcpu_events *k)
{
	e->exception_injected = k->exception.injected;
	e->exception_pending = (k->flags & KVM_VCPUEVENT_VALID_PAYLOAD) && k->exception.pending;
	e->exception_vector = k->exception.nr;
	e->exception_has_code = k->exception.has_error_code;
	e->exception_code = k->exception.error_code;
	e->exception_has_payload = k->exception_has_payload;
	e->exception_payload = k->exception_payload;
}

static void smi_in(struct x86_events *e, const struct kvm_vcpu_events *k)
{
	bool valid = k->flags & KVM_VCPUEVENT_VALID_SMM;

	e->in_smm = valid && k->smi.smm;
	e->smi_pending = valid && k->smi.pending;
	e->smm_inside_nmi = valid && k->smi.smm_inside_nmi;
	e->smi_latched_init = valid && k->smi.latched_init;
}

int kvm_get_events(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_vcpu_events k = {};
	struct x86_events *e = &s->events;
	int ret = kvm_ioctl(c->fd, KVM_GET_VCPU_EVENTS, &k);

	if (ret)
		return ret;
	exception_in(e, &k);
	smi_in(e, &k);
	e->interrupt_injected = k.interrupt.injected;
	e->interrupt_vector = k.interrupt.nr;
	e->interrupt_soft = k.interrupt.soft;
	e->interrupt_shadow = k.interrupt.shadow;
	e->nmi_injected = k.nmi.injected;
	e->nmi_pending = k.nmi.pending;
	e->nmi_masked = k.nmi.masked;
	e->sipi_vector = k.sipi_vector;
	e->triple_fault_pending =
		(k.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) && k.triple_fault.pending;
	return 0;
}

static void exception_out(struct kvm_cpu *c, const struct x86_events *e, struct kvm_vcpu_events *k)
{
	k->exception.injected = e->exception_injected;
	k->exception.nr = e->exception_vector;
	k->exception.has_error_code = e->exception_has_code;
	k->exception.error_code = e->exception_code;
	if (c->kvm->caps.exception_payload) {
		k->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
		k->exception.pending = e->exception_pending;
		k->exception_has_payload = e->exception_has_payload;
		k->exception_payload = e->exception_payload;
	}
}

static void smi_out(struct kvm_cpu *c, const struct x86_events *e, struct kvm_vcpu_events *k,
		    bool full)
{
	if (!c->kvm->caps.smm || !full)
		return;
	k->flags |= KVM_VCPUEVENT_VALID_SMM;
	k->smi.smm = e->in_smm;
	k->smi.pending = e->smi_pending;
	k->smi.smm_inside_nmi = e->smm_inside_nmi;
	k->smi.latched_init = e->smi_latched_init;
}

/* NMIs and SIPIs may have arrived since the state was read: only a full put sets what is pending. */
int kvm_put_events(struct kvm_cpu *c, const struct x86_state *s, bool full)
{
	const struct x86_events *e = &s->events;
	struct kvm_vcpu_events k = {
		.interrupt = {e->interrupt_injected, e->interrupt_vector, e->interrupt_soft,
			      e->interrupt_shadow},
		.nmi = {e->nmi_injected, e->nmi_pending, e->nmi_masked},
		.sipi_vector = e->sipi_vector,
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
	};

	exception_out(c, e, &k);
	smi_out(c, e, &k, full);
	if (full)
		k.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	if (full && c->kvm->caps.triple_fault) {
		k.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
		k.triple_fault.pending = e->triple_fault_pending;
	}
	return kvm_ioctl(c->fd, KVM_SET_VCPU_EVENTS, &k);
}

/* ---- MP state ---- */

_Static_assert(MP_RUNNABLE == KVM_MP_STATE_RUNNABLE &&
		       MP_UNINITIALIZED == KVM_MP_STATE_UNINITIALIZED &&
		       MP_INIT_RECEIVED == KVM_MP_STATE_INIT_RECEIVED &&
		       MP_HALTED == KVM_MP_STATE_HALTED &&
		       MP_SIPI_RECEIVED == KVM_MP_STATE_SIPI_RECEIVED,
	       "the numbers are KVM's");

int kvm_get_mp_state(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_mp_state mp;
	int ret;

	if (!kvm_has_lapic(c->kvm)) {
		if (!c->halted)
			s->mp_state = MP_RUNNABLE;
		else if (s->mp_state == MP_RUNNABLE)
			s->mp_state = MP_HALTED;
		return 0;
	}
	ret = kvm_ioctl(c->fd, KVM_GET_MP_STATE, &mp);
	if (!ret && mp.mp_state <= MP_SIPI_RECEIVED)
		s->mp_state = mp.mp_state;
	return ret;
}

/*
 * Without a local APIC in the kernel a vCPU is always runnable for KVM, and we keep the rest: nobody
 * else changes it meanwhile, so it is put with every state. What KVM said of the interrupt flag when it
 * last ran is old now.
 */
int kvm_put_mp_state(struct kvm_cpu *c, const struct x86_state *s, bool full)
{
	struct kvm_mp_state mp = {.mp_state = s->mp_state};

	if (kvm_has_lapic(c->kvm))
		return full ? kvm_ioctl(c->fd, KVM_SET_MP_STATE, &mp) : 0;
	c->halted = s->mp_state != MP_RUNNABLE;
	c->run->if_flag = !!(s->rflags & RFLAGS_IF);
	return 0;
}

/* ---- Nested virtualization ---- */

int kvm_get_nested(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_nested_state *n = (struct kvm_nested_state *)s->nested;
	int ret;

	s->nested_size = 0;
	if (!c->kvm->caps.nested_state)
		return 0;
	n->flags = n->format = 0;
	n->size = sizeof(s->nested);
	ret = kvm_ioctl(c->fd, KVM_GET_NESTED_STATE, n);
	if (ret == -EINVAL) /* the CPU model has neither VMX nor SVM */
		return 0;
	if (!ret && n->size > sizeof(*n))
		s->nested_size = n->size;
	return ret;
}

/* No state at all means: out of any guest of its own. */
int kvm_put_nested(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_nested_state *n = (struct kvm_nested_state *)s->nested;

	if (!c->kvm->caps.nested_state || !s->nested_size)
		return 0;
	if (s->nested_size > sizeof(s->nested) || s->nested_size < sizeof(*n))
		return -EINVAL;
	n->size = s->nested_size;
	return kvm_ioctl(c->fd, KVM_SET_NESTED_STATE, n);
}

/* ---- Local APIC ---- */

#define APIC_ID 0x20 /* register offset: SDM vol. 3, table 11-1 */

_Static_assert(sizeof(((struct x86_state *)0)->lapic) == KVM_APIC_REG_SIZE, "KVM's page");

int kvm_get_lapic(struct kvm_cpu *c, struct x86_state *s)
{
	return kvm_has_lapic(c->kvm) ? kvm_ioctl(c->fd, KVM_GET_LAPIC, s->lapic) : 0;
}

/* The page of a CPU that was reset does not know its number yet; no guest gives an APIC number 0. */
int kvm_put_lapic(struct kvm_cpu *c, const struct x86_state *s)
{
	uint8_t page[KVM_APIC_REG_SIZE];

	if (!kvm_has_lapic(c->kvm))
		return 0;
	memcpy(page, s->lapic, sizeof(page));
	if (!get_le32(page + APIC_ID) && !(s->apic_base & APIC_BASE_EXTD))
		put_le32(page + APIC_ID, c->cpu->apic_id << 24);
	return kvm_ioctl(c->fd, KVM_SET_LAPIC, page);
}
