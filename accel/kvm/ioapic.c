/*
 * The kernel's I/O APIC as a device: what remains here is its state (Intel 82093AA, 290566).
 */
#include "kvm.h"

#define IOAPIC_BASE 0xfec00000
#define RTE_MASKED  BIT64(16)

struct kvm_ioapic {
	struct device dev;
	struct kvm *kvm;
	uint32_t gsi_base;

	uint64_t base_address;
	uint32_t id, ioregsel, irr;
	uint64_t ioredtbl[KVM_IOAPIC_NUM_PINS];
};

static void ioapic_pre_save(struct device *dev)
{
	struct kvm_ioapic *s = container_of(dev, struct kvm_ioapic, dev);
	struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};

	if (kvm_ioctl(s->kvm->vm, KVM_GET_IRQCHIP, &chip))
		return;
	s->base_address = chip.chip.ioapic.base_address;
	s->id = chip.chip.ioapic.id;
	s->ioregsel = chip.chip.ioapic.ioregsel;
	s->irr = chip.chip.ioapic.irr;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		s->ioredtbl[i] = chip.chip.ioapic.redirtbl[i].bits;
}

static int ioapic_put(struct kvm_ioapic *s)
{
	struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};

	chip.chip.ioapic.base_address = s->base_address;
	chip.chip.ioapic.id = s->id;
	chip.chip.ioapic.ioregsel = s->ioregsel;
	chip.chip.ioapic.irr = s->irr;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		chip.chip.ioapic.redirtbl[i].bits = s->ioredtbl[i];
	return kvm_ioctl(s->kvm->vm, KVM_SET_IRQCHIP, &chip);
}

static bool ioapic_post_load(struct device *dev, GError **errp)
{
	struct kvm_ioapic *s = container_of(dev, struct kvm_ioapic, dev);
	int ret = ioapic_put(s);

	if (!ret)
		return true;
	error_set_errno(errp, -ret, "kvm-ioapic: could not set the state");
	return false;
}

static void ioapic_reset(struct device *dev)
{
	struct kvm_ioapic *s = container_of(dev, struct kvm_ioapic, dev);

	s->base_address = IOAPIC_BASE;
	s->id = s->ioregsel = s->irr = 0;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		s->ioredtbl[i] = RTE_MASKED;
	ioapic_put(s);
}

static bool ioapic_realize(struct device *dev, GError **errp)
{
	struct kvm_ioapic *s = container_of(dev, struct kvm_ioapic, dev);

	if (s->kvm)
		return true;
	error_set(errp, "kvm-ioapic comes with the accelerator kvm");
	return false;
}

struct device *kvm_ioapic_new(struct kvm *k)
{
	struct device *dev = device_new(&kvm_ioapic_type);

	container_of(dev, struct kvm_ioapic, dev)->kvm = k;
	return dev;
}

static const struct field ioapic_props[] = {
	PROP_UINT(struct kvm_ioapic, gsi_base, "gsi_base", 0, UINT32_MAX,
		  "Number of the first pin among all interrupt lines"),
	FIELD_ROW_END,
};

static const struct field ioapic_state[] = {
	SAVE_UINT(struct kvm_ioapic, base_address), SAVE_UINT(struct kvm_ioapic, id),
	SAVE_UINT(struct kvm_ioapic, ioregsel),     SAVE_UINT(struct kvm_ioapic, irr),
	SAVE_UINTS(struct kvm_ioapic, ioredtbl),    FIELD_ROW_END,
};

const struct device_type kvm_ioapic_type = {
	.name = "kvm-ioapic",
	.help = "I/O APIC in the kernel",
	.category = CATEGORY_MISC,
	.size = sizeof(struct kvm_ioapic),
	.props = ioapic_props,
	.state = ioapic_state,
	.realize = ioapic_realize,
	.reset = ioapic_reset,
	.pre_save = ioapic_pre_save,
	.post_load = ioapic_post_load,
};
