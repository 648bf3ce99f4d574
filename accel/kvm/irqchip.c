/*
 * Which interrupt controllers the kernel provides, and making them.
 *
 *	on	two 8259 PICs, IOAPIC, PIT, a local APIC in each vCPU
 *	split	local APICs; lines end in userspace chips that send messages
 *	off	none: userspace chips hand vectors to vCPUs (struct accel_intr_ops)
 */
#include "kvm.h"

static bool fall_back(struct kvm *k, const char *what, enum irqchip_mode mode, GError **errp)
{
	if (k->accel.machine.irqchip_required) {
		error_set(errp, "%s is not supported by this host's KVM", what);
		return false;
	}
	k->accel.irqchip = mode;
	return true;
}

bool kvm_irqchip_choose(struct kvm *k, GError **errp)
{
	enum irqchip_mode want = k->accel.machine.irqchip;

	k->accel.irqchip = want;
	if (want == IRQCHIP_SPLIT && !k->caps.split_irqchip)
		return fall_back(k, "kernel-irqchip=split", IRQCHIP_OFF, errp);
	if (want == IRQCHIP_ON && (!k->caps.irqchip || !k->caps.pit_state2))
		return fall_back(k, "kernel-irqchip=on", IRQCHIP_OFF, errp);
	return true;
}

static bool create_all(struct kvm *k, GError **errp)
{
	/* KVM's own PIT also answers port 61h, whose bit 5 guests read in tight loops. */
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	int ret = kvm_ioctl_n(k->vm, KVM_CREATE_IRQCHIP, 0);

	if (!ret)
		ret = kvm_ioctl(k->vm, KVM_CREATE_PIT2, &pit);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Create kernel irqchip failed");
	return false;
}

static bool create_split(struct kvm *k, GError **errp)
{
	int ret = kvm_enable_cap(k->vm, KVM_CAP_SPLIT_IRQCHIP, ACCEL_IOAPIC_PINS, 0);

	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not enable split irqchip mode");
	return false;
}

static bool add_chip(struct device *chip, struct device **place, GError **errp)
{
	if (!device_realize(chip, tree_container("/machine/unattached"), NULL, NULL, errp)) {
		device_unref(chip);
		return false;
	}
	if (place)
		*place = chip;
	return true;
}

static bool add_chips(struct kvm *k, GError **errp)
{
	return add_chip(kvm_i8259_new(k, false), &k->pic[0], errp) &&
	       add_chip(kvm_i8259_new(k, true), &k->pic[1], errp) &&
	       add_chip(kvm_ioapic_new(k), NULL, errp) && add_chip(kvm_pit_new(k), &k->pit, errp);
}

bool kvm_irqchip_create(struct accel *a, GError **errp)
{
	struct kvm *k = kvm_of(a);

	if (a->irqchip == IRQCHIP_ON && (!create_all(k, errp) || !add_chips(k, errp)))
		return false;
	if (a->irqchip == IRQCHIP_SPLIT && !create_split(k, errp))
		return false;
	if (a->irqchip != IRQCHIP_OFF && !kvm_routes_init(k, errp))
		return false;
	return add_chip(kvm_clock_new(k), &k->clock, errp);
}
