/*
 * Interrupts into the VM: lines, messages, and eventfds that stand for either.
 */
#include "kvm.h"

TRACE_DEFINE(kvm_set_gsi, "gsi %u level %d");
TRACE_DEFINE(kvm_send_msi, "0x%" PRIx64 " <- 0x%x: %d");
TRACE_DEFINE(kvm_irqfd, "%s fd %d resample %d gsi %d: %d");

void kvm_set_gsi(struct accel *a, unsigned gsi, int level)
{
	struct kvm_irq_level irq = {.irq = gsi, .level = level};

	trace(kvm_set_gsi, gsi, level);
	if (a->irqchip == IRQCHIP_ON)
		kvm_ioctl(kvm_of(a)->vm, KVM_IRQ_LINE, &irq);
}

void kvm_send_msi(struct accel *a, const struct msi_message *msg)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)msg->addr,
		.address_hi = msg->addr >> 32,
		.data = msg->data,
	};
	int ret = kvm_ioctl(kvm_of(a)->vm, KVM_SIGNAL_MSI, &msi);

	trace(kvm_send_msi, msg->addr, msg->data, ret);
}

static bool irqfd_assign(struct accel *a, struct notifier *n, struct notifier *resample, int gsi,
			 uint32_t flags)
{
	struct kvm_irqfd irqfd = {
		.fd = n->fd,
		.gsi = gsi,
		.flags = flags | (resample ? KVM_IRQFD_FLAG_RESAMPLE : 0),
		.resamplefd = resample ? resample->fd : 0,
	};
	int ret = kvm_ioctl(kvm_of(a)->vm, KVM_IRQFD, &irqfd);

	trace(kvm_irqfd, flags & KVM_IRQFD_FLAG_DEASSIGN ? "del" : "add", n->fd,
	      resample ? resample->fd : -1, gsi, ret);
	return ret == 0;
}

bool kvm_irqfd_add(struct accel *a, struct notifier *n, struct notifier *resample, int gsi)
{
	if (a->irqchip == IRQCHIP_OFF)
		return false;
	if (resample && (a->irqchip != IRQCHIP_ON || !kvm_of(a)->caps.irqfd_resample))
		return false;
	return irqfd_assign(a, n, resample, gsi, 0);
}

void kvm_irqfd_del(struct accel *a, struct notifier *n, int gsi)
{
	irqfd_assign(a, n, NULL, gsi, KVM_IRQFD_FLAG_DEASSIGN);
}
