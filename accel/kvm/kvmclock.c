/*
 * The paravirtual clock.
 *
 * The guest reads its time from a page the kernel fills in, scaled from the TSC; KVM counts it in
 * nanoseconds since the VM was made, whether the guest runs or not. So it is read when the guest
 * stops and set back when it goes on: no time has passed. Each vCPU's page is then flagged
 * (KVM_KVMCLOCK_CTRL), so that a guest's watchdog, which may count by another clock, knows that it
 * was stopped and does not bark.
 */
#include "kvm.h"

struct kvm_clock {
	struct device dev;
	struct kvm *kvm;
	bool reliable; /* x-mach-use-reliable-get-clock: kept for those who set it */

	uint64_t clock; /* ns, while stopped */
	bool stopped;
};

static void clock_read(struct kvm_clock *s)
{
	struct kvm_clock_data data = {};

	if (!kvm_ioctl(s->kvm->vm, KVM_GET_CLOCK, &data))
		s->clock = data.clock;
}

static void tell_vcpus(struct kvm *k)
{
	if (!k->caps.kvmclock_ctrl)
		return;
	g_mutex_lock(&k->hold.lock);
	for (guint i = 0; i < k->hold.cpus->len; i++) {
		const struct kvm_cpu *c = k->hold.cpus->pdata[i];

		kvm_ioctl_n(c->fd, KVM_KVMCLOCK_CTRL, 0); /* EINVAL: the guest does not use it */
	}
	g_mutex_unlock(&k->hold.lock);
}

void kvm_clock_stop(struct accel *a)
{
	struct kvm *k = kvm_of(a);

	if (k->clock) {
		struct kvm_clock *s = container_of(k->clock, struct kvm_clock, dev);

		clock_read(s);
		s->stopped = true;
	}
	if (k->pit)
		kvm_pit_stop(k->pit);
}

void kvm_clock_resume(struct accel *a)
{
	struct kvm *k = kvm_of(a);

	if (k->clock) {
		struct kvm_clock *s = container_of(k->clock, struct kvm_clock, dev);
		struct kvm_clock_data data = {.clock = s->clock};

		if (s->stopped && !kvm_ioctl(k->vm, KVM_SET_CLOCK, &data))
			tell_vcpus(k);
		s->stopped = false;
	}
	if (k->pit)
		kvm_pit_resume(k->pit);
}

static void clock_pre_save(struct device *dev)
{
	struct kvm_clock *s = container_of(dev, struct kvm_clock, dev);

	if (!s->stopped)
		clock_read(s);
}

/* A guest is loaded while it is stopped: the clock is set when it goes on. */
static bool clock_post_load(struct device *dev, GError **errp)
{
	container_of(dev, struct kvm_clock, dev)->stopped = true;
	return true;
}

static bool clock_realize(struct device *dev, GError **errp)
{
	struct kvm_clock *s = container_of(dev, struct kvm_clock, dev);

	if (s->kvm)
		return true;
	error_set(errp, "kvmclock comes with the accelerator kvm");
	return false;
}

struct device *kvm_clock_new(struct kvm *k)
{
	struct device *dev = device_new(&kvm_clock_type);

	container_of(dev, struct kvm_clock, dev)->kvm = k;
	return dev;
}

static const struct field clock_props[] = {
	PROP_BOOL(struct kvm_clock, reliable, "x-mach-use-reliable-get-clock", true,
		  "Trust the kernel's reading of the clock"),
	FIELD_ROW_END,
};

static const struct field clock_state[] = {
	SAVE_UINT(struct kvm_clock, clock),
	FIELD_ROW_END,
};

const struct device_type kvm_clock_type = {
	.name = "kvmclock",
	.help = "Paravirtual clock in the kernel",
	.category = CATEGORY_MISC,
	.size = sizeof(struct kvm_clock),
	.props = clock_props,
	.state = clock_state,
	.realize = clock_realize,
	.pre_save = clock_pre_save,
	.post_load = clock_post_load,
};
