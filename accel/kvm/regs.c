/*
 * General, segment, control, vector and debug registers between struct x86_state and KVM's.
 */
#include "kvm.h"

int kvm_get_regs(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_regs r;
	int ret = kvm_ioctl(c->fd, KVM_GET_REGS, &r);

	if (ret)
		return ret;
	s->gpr[R_AX] = r.rax;
	s->gpr[R_CX] = r.rcx;
	s->gpr[R_DX] = r.rdx;
	s->gpr[R_BX] = r.rbx;
	s->gpr[R_SP] = r.rsp;
	s->gpr[R_BP] = r.rbp;
	s->gpr[R_SI] = r.rsi;
	s->gpr[R_DI] = r.rdi;
	memcpy(&s->gpr[R_8], &r.r8, 8 * sizeof(uint64_t)); /* r8 to r15 stand in order */
	s->rip = r.rip;
	s->rflags = r.rflags;
	return 0;
}

int kvm_put_regs(struct kvm_cpu *c, const struct x86_state *s)
{
	struct kvm_regs r = {
		.rax = s->gpr[R_AX],
		.rcx = s->gpr[R_CX],
		.rdx = s->gpr[R_DX],
		.rbx = s->gpr[R_BX],
		.rsp = s->gpr[R_SP],
		.rbp = s->gpr[R_BP],
		.rsi = s->gpr[R_SI],
		.rdi = s->gpr[R_DI],
		.rip = s->rip,
		.rflags = s->rflags,
	};

	memcpy(&r.r8, &s->gpr[R_8], 8 * sizeof(uint64_t));
	return kvm_ioctl(c->fd, KVM_SET_REGS, &r);
}

/* ---- Segments ---- */

static void segment_in(struct x86_segment *to, const struct kvm_segment *from)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attr = (from->type & 15) | (from->s & 1) << 4 | (from->dpl & 3) << 5 |
		   (from->present & 1) << 7 | (from->avl & 1) << 12 | (from->l & 1) << 13 |
		   (from->db & 1) << 14 | (from->g & 1) << 15;
	if (from->unusable)
		to->attr |= SEG_ATTR_UNUSABLE;
}

static void segment_out(struct kvm_segment *to, const struct x86_segment *from)
{
	uint32_t a = from->attr;

	*to = (struct kvm_segment){
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.type = a & 15,
		.s = (a >> 4) & 1,
		.dpl = (a >> 5) & 3,
		.present = (a >> 7) & 1,
		.avl = (a >> 12) & 1,
		.l = (a >> 13) & 1,
		.db = (a >> 14) & 1,
		.g = (a >> 15) & 1,
		.unusable = !!(a & SEG_ATTR_UNUSABLE) || !(a & SEG_ATTR_P),
	};
}

/* struct kvm_sregs and kvm_sregs2 begin alike: cs to idt. */
#define SREGS_SEGMENTS(_s, _r, _copy)                                                              \
	do {                                                                                       \
		_copy(_s, seg[S_CS], _r, cs);                                                      \
		_copy(_s, seg[S_DS], _r, ds);                                                      \
		_copy(_s, seg[S_ES], _r, es);                                                      \
		_copy(_s, seg[S_FS], _r, fs);                                                      \
		_copy(_s, seg[S_GS], _r, gs);                                                      \
		_copy(_s, seg[S_SS], _r, ss);                                                      \
		_copy(_s, seg[S_TR], _r, tr);                                                      \
		_copy(_s, seg[S_LDT], _r, ldt);                                                    \
	} while (0)
#define COPY_IN(_s, _to, _r, _from)  segment_in(&(_s)->_to, &(_r)->_from)
#define COPY_OUT(_s, _from, _r, _to) segment_out(&(_r)->_to, &(_s)->_from)

_Static_assert(offsetof(struct kvm_sregs, apic_base) == offsetof(struct kvm_sregs2, apic_base),
	       "the two forms are one up to apic_base");

static void sregs_in(struct x86_state *s, const struct kvm_sregs2 *r)
{
	SREGS_SEGMENTS(s, r, COPY_IN);
	s->gdt = (struct x86_dtable){r->gdt.base, r->gdt.limit};
	s->idt = (struct x86_dtable){r->idt.base, r->idt.limit};
	s->cr0 = r->cr0;
	s->cr2 = r->cr2;
	s->cr3 = r->cr3;
	s->cr4 = r->cr4;
	s->cr8 = r->cr8;
	s->efer = r->efer;
	s->apic_base = r->apic_base;
}

static void sregs_out(const struct x86_state *s, struct kvm_sregs2 *r)
{
	SREGS_SEGMENTS(s, r, COPY_OUT);
	r->gdt.base = s->gdt.base;
	r->gdt.limit = s->gdt.limit;
	r->idt.base = s->idt.base;
	r->idt.limit = s->idt.limit;
	r->cr0 = s->cr0;
	r->cr2 = s->cr2;
	r->cr3 = s->cr3;
	r->cr4 = s->cr4;
	r->cr8 = s->cr8;
	r->efer = s->efer;
	r->apic_base = s->apic_base;
}

int kvm_get_sregs(struct kvm_cpu *c, struct x86_state *s)
{
	union {
		struct kvm_sregs v1;
		struct kvm_sregs2 v2;
	} r;
	bool v2 = c->kvm->caps.sregs2;
	int ret = kvm_ioctl(c->fd, v2 ? KVM_GET_SREGS2 : KVM_GET_SREGS, &r);

	if (ret)
		return ret;
	sregs_in(s, &r.v2);
	s->pdptrs_valid = v2 && (r.v2.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID);
	if (s->pdptrs_valid)
		memcpy(s->pdptr, r.v2.pdptrs, sizeof(s->pdptr));
	return 0;
}

/*
 * On AMD a triple fault leaves KVM with a cleared VMCB, and (Linux 6.1) without the root of the guest's
 * memory in it: if neither CR0 nor CR4 changes from now on, the vCPU never runs again. So one does.
 */
static void revive(struct kvm_cpu *c, const struct x86_state *s)
{
	union {
		struct kvm_sregs v1;
		struct kvm_sregs2 v2;
	} r = {};

	if (!c->shut_down)
		return;
	c->shut_down = false;
	sregs_out(s, &r.v2);
	r.v2.cr4 ^= CR4_PAE;
	kvm_ioctl(c->fd, KVM_SET_SREGS, &r.v1); /* refused with paging on, and then not needed */
}

int kvm_put_sregs(struct kvm_cpu *c, const struct x86_state *s)
{
	union {
		struct kvm_sregs v1;
		struct kvm_sregs2 v2;
	} r = {};
	const struct x86_events *e = &s->events;

	revive(c, s);
	sregs_out(s, &r.v2);
	if (!c->kvm->caps.sregs2) {
		if (e->interrupt_injected)
			r.v1.interrupt_bitmap[e->interrupt_vector / 64] =
				BIT64(e->interrupt_vector % 64);
		return kvm_ioctl(c->fd, KVM_SET_SREGS, &r.v1);
	}
	if (s->pdptrs_valid) {
		r.v2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		memcpy(r.v2.pdptrs, s->pdptr, sizeof(s->pdptr));
	}
	return kvm_ioctl(c->fd, KVM_SET_SREGS2, &r.v2);
}

/* ---- Vector state ---- */

_Static_assert(X86_XSAVE_MAX >= sizeof(struct kvm_xsave), "KVM reads and writes all of it");

int kvm_get_xstate(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_xcrs xcrs = {};
	bool big = c->kvm->xsave_size > sizeof(struct kvm_xsave);
	int ret = kvm_ioctl(c->fd, big ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, s->xsave);

	if (ret || !c->kvm->caps.xcrs)
		return ret;
	ret = kvm_ioctl(c->fd, KVM_GET_XCRS, &xcrs);
	for (uint32_t i = 0; !ret && i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++) {
		if (xcrs.xcrs[i].xcr == 0)
			s->xcr0 = xcrs.xcrs[i].value;
	}
	return ret;
}

int kvm_put_xstate(struct kvm_cpu *c, const struct x86_state *s)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = s->xcr0}}};
	int ret = kvm_ioctl(c->fd, KVM_SET_XSAVE, (void *)s->xsave);

	/* A CPU without XSAVE has no XCR0; x87 is always on where there is one. */
	if (ret || !c->kvm->caps.xcrs || !(s->xcr0 & 1))
		return ret;
	return kvm_ioctl(c->fd, KVM_SET_XCRS, &xcrs);
}

/* ---- Debug registers ---- */

int kvm_get_debugregs(struct kvm_cpu *c, struct x86_state *s)
{
	struct kvm_debugregs r;
	int ret = kvm_ioctl(c->fd, KVM_GET_DEBUGREGS, &r);

	if (ret)
		return ret;
	memcpy(s->dr, r.db, sizeof(r.db));
	s->dr[4] = s->dr[6] = r.dr6;
	s->dr[5] = s->dr[7] = r.dr7;
	return 0;
}

int kvm_put_debugregs(struct kvm_cpu *c, const struct x86_state *s)
{
	struct kvm_debugregs r = {.dr6 = s->dr[6], .dr7 = s->dr[7]};

	memcpy(r.db, s->dr, sizeof(r.db));
	return kvm_ioctl(c->fd, KVM_SET_DEBUGREGS, &r);
}
