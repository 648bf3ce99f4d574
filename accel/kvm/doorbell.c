/*
 * Doorbells as ioeventfds: a write that only says "look" signals an eventfd in the kernel, and the
 * vCPU runs on. If the kernel refuses one (too many, or an odd size), the write exits and the
 * dispatcher rings it.
 */
#include "kvm.h"

TRACE_DEFINE(kvm_ioeventfd, "%s 0x%" PRIx64 " size %u fd %d: %d");

static void assign(struct kvm_space *s, const struct doorbell *bell, uint32_t flags)
{
	struct kvm_ioeventfd io = {
		.addr = bell->offset,
		.len = bell->size,
		.fd = bell->notifier->fd,
		.datamatch = bell->match_data ? bell->data : 0,
		.flags = flags | (s->pio ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (bell->match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
	};
	int ret;

	if (!bell->size && !s->kvm->caps.ioeventfd_any_length)
		return;
	ret = kvm_ioctl(s->kvm->vm, KVM_IOEVENTFD, &io);
	trace(kvm_ioeventfd, flags & KVM_IOEVENTFD_FLAG_DEASSIGN ? "del" : "add", bell->offset,
	      bell->size, bell->notifier->fd, ret);
}

void kvm_doorbell_add(void *opaque, const struct doorbell *bell)
{
	assign(opaque, bell, 0);
}

void kvm_doorbell_del(void *opaque, const struct doorbell *bell)
{
	assign(opaque, bell, KVM_IOEVENTFD_FLAG_DEASSIGN);
}
