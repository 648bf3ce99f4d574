/*
 * The kernel's 8259A interrupt controllers as devices: what remains here is their state.
 * Members are the registers of Intel's data sheet 231468; ELCR is the PIIX's (290550).
 */
#include "kvm.h"

struct kvm_i8259 {
	struct device dev;
	struct kvm *kvm;
	bool master;
	uint32_t iobase, elcr_addr;
	uint8_t elcr_mask;

	uint8_t last_irr, irr, imr, isr, priority_add, irq_base, read_reg_select, poll;
	uint8_t special_mask, init_state, auto_eoi, rotate_on_auto_eoi, special_fully_nested_mode;
	uint8_t init4, elcr;
};

#define I8259_MEMBERS(X)                                                                           \
	X(last_irr)                                                                                \
	X(irr)                                                                                     \
	X(imr)                                                                                     \
	X(isr)                                                                                     \
	X(priority_add)                                                                            \
	X(irq_base)                                                                                \
	X(read_reg_select)                                                                         \
	X(poll)                                                                                    \
	X(special_mask)                                                                            \
	X(init_state)                                                                              \
	X(auto_eoi)                                                                                \
	X(rotate_on_auto_eoi)                                                                      \
	X(special_fully_nested_mode)                                                               \
	X(init4)                                                                                   \
	X(elcr)

static uint32_t chip_id(const struct kvm_i8259 *s)
{
	return s->master ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
}

static void i8259_pre_save(struct device *dev)
{
	struct kvm_i8259 *s = container_of(dev, struct kvm_i8259, dev);
	struct kvm_irqchip chip = {.chip_id = chip_id(s)};

	if (kvm_ioctl(s->kvm->vm, KVM_GET_IRQCHIP, &chip))
		return;
#define COPY(_member) s->_member = chip.chip.pic._member;
	I8259_MEMBERS(COPY)
#undef COPY
}

static int i8259_put(struct kvm_i8259 *s)
{
	struct kvm_irqchip chip = {.chip_id = chip_id(s)};

#define COPY(_member) chip.chip.pic._member = s->_member;
	I8259_MEMBERS(COPY)
#undef COPY
	chip.chip.pic.elcr_mask = s->elcr_mask;
	return kvm_ioctl(s->kvm->vm, KVM_SET_IRQCHIP, &chip);
}

static bool i8259_post_load(struct device *dev, GError **errp)
{
	struct kvm_i8259 *s = container_of(dev, struct kvm_i8259, dev);
	int ret = i8259_put(s);

	if (!ret)
		return true;
	error_set_errno(errp, -ret, "kvm-i8259: could not set the state");
	return false;
}

static void i8259_reset(struct device *dev)
{
	struct kvm_i8259 *s = container_of(dev, struct kvm_i8259, dev);

#define CLEAR(_member) s->_member = 0;
	I8259_MEMBERS(CLEAR)
#undef CLEAR
	i8259_put(s);
}

/* The vectors of a PC's firmware: away from those of exceptions. */
void kvm_mask_pics(struct accel *a)
{
	static const uint8_t bases[] = {0x08, 0x70};
	struct kvm *k = kvm_of(a);

	for (unsigned i = 0; i < G_N_ELEMENTS(k->pic) && k->pic[i]; i++) {
		struct kvm_i8259 *s = container_of(k->pic[i], struct kvm_i8259, dev);

		s->imr = 0xff;
		s->irq_base = bases[i];
		i8259_put(s);
	}
}

static bool i8259_realize(struct device *dev, GError **errp)
{
	struct kvm_i8259 *s = container_of(dev, struct kvm_i8259, dev);

	if (s->kvm)
		return true;
	error_set(errp, "kvm-i8259 comes with the accelerator kvm");
	return false;
}

/* Lines that can only be edge-triggered on a PC: timer, keyboard, cascade; RTC, FPU. */
struct device *kvm_i8259_new(struct kvm *k, bool slave)
{
	struct device *dev = device_new(&kvm_i8259_type);
	struct kvm_i8259 *s = container_of(dev, struct kvm_i8259, dev);

	s->kvm = k;
	s->master = !slave;
	s->iobase = slave ? 0xa0 : 0x20;
	s->elcr_addr = slave ? 0x4d1 : 0x4d0;
	s->elcr_mask = slave ? 0xde : 0xf8;
	return dev;
}

static const struct field i8259_props[] = {
	PROP_UINT(struct kvm_i8259, iobase, "iobase", UINT32_MAX, UINT32_MAX, "First I/O port"),
	PROP_UINT(struct kvm_i8259, elcr_addr, "elcr_addr", UINT32_MAX, UINT32_MAX,
		  "I/O port of the edge/level control register"),
	PROP_UINT(struct kvm_i8259, elcr_mask, "elcr_mask", 0xff, 0xff,
		  "Lines that can be level-triggered"),
	PROP_BOOL(struct kvm_i8259, master, "master", false, "It is wired to the CPU"),
	FIELD_ROW_END,
};

static const struct field i8259_state[] = {
#define ROW(_member) SAVE_UINT(struct kvm_i8259, _member),
	I8259_MEMBERS(ROW)
#undef ROW
		FIELD_ROW_END,
};

const struct device_type kvm_i8259_type = {
	.name = "kvm-i8259",
	.help = "8259A interrupt controller in the kernel",
	.category = CATEGORY_MISC,
	.size = sizeof(struct kvm_i8259),
	.props = i8259_props,
	.state = i8259_state,
	.realize = i8259_realize,
	.reset = i8259_reset,
	.pre_save = i8259_pre_save,
	.post_load = i8259_post_load,
};
