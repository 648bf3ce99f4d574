/*
 * The KVM accelerator: its properties, and the virtual machine in the kernel.
 */
#include "kvm.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KVM_DEVICE "/dev/kvm"

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int kvm_ioctl_n(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int kvm_enable_cap(int fd, uint32_t cap, uint64_t arg0, uint64_t arg1)
{
	struct kvm_enable_cap what = {.cap = cap, .args = {arg0, arg1}};

	return kvm_ioctl(fd, KVM_ENABLE_CAP, &what);
}

static void explain_open(int err, GError **errp)
{
	error_set_errno(errp, err, "Could not access KVM kernel module (" KVM_DEVICE ")");
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		error_add_hint(errp, "Load the module kvm_intel or kvm_amd, and check that "
				     "virtualization is enabled in the firmware setup");
		break;
	case EACCES:
	case EPERM:
		error_add_hint(errp, "Add the user to the group that owns the file, often \"kvm\"");
		break;
	}
}

int kvm_open(GError **errp)
{
	int fd, version;

	do
		fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		explain_open(errno, errp);
		return -1;
	}
	version = kvm_ioctl_n(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	close(fd);
	if (version < 0)
		error_set_errno(errp, -version, KVM_DEVICE " does not answer like KVM");
	else
		error_set(errp, "kvm version %d is not supported, version %d is needed", version,
			  KVM_API_VERSION);
	return -1;
}

int kvm_create_vm(int fd, GError **errp)
{
	int vm;

	do
		vm = kvm_ioctl_n(fd, KVM_CREATE_VM, 0);
	while (vm == -EINTR);
	if (vm < 0)
		error_set_errno(errp, -vm, "Could not create a virtual machine in the kernel");
	return vm;
}

static bool check_limits(struct kvm *k, GError **errp)
{
	unsigned cpus = k->accel.machine.max_cpus;

	if (cpus > (unsigned)k->caps.max_vcpus) {
		error_set(errp,
			  "Number of SMP cpus requested (%u) exceeds the maximum cpus supported by "
			  "KVM (%d)",
			  cpus, k->caps.max_vcpus);
		return false;
	}
	if (k->caps.nr_vcpus && cpus > (unsigned)k->caps.nr_vcpus)
		warn_report("Number of SMP cpus requested (%u) exceeds the recommended cpus "
			    "supported by KVM (%d)",
			    cpus, k->caps.nr_vcpus);
	return true;
}

/*
 * Intel processors without "unrestricted guest" run real mode in a task of their own: KVM wants a
 * page for an identity map and three for that task's TSS. They lie below the largest firmware
 * image (16 MiB below 4 GiB), and the board tells the guest to leave them alone.
 */
#define IDENTITY_MAP 0xfeffc000ULL
#define TSS_PAGES    (IDENTITY_MAP + 0x1000)

static bool place_tss(struct kvm *k, GError **errp)
{
	uint64_t identity = IDENTITY_MAP;
	int ret = 0;

	if (k->caps.identity_map)
		ret = kvm_ioctl(k->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (!ret)
		ret = kvm_ioctl_n(k->vm, KVM_SET_TSS_ADDR, TSS_PAGES);
	if (ret) {
		error_set_errno(errp, -ret, "Could not place the TSS of real mode at 0x%llx",
				TSS_PAGES);
		return false;
	}
	k->accel.reserved_base = IDENTITY_MAP;
	k->accel.reserved_size = 0x4000;
	return true;
}

static bool set_shadow_mem(struct kvm *k, GError **errp)
{
	int ret;

	if (k->shadow_mem < 0)
		return true;
	ret = kvm_ioctl_n(k->vm, KVM_SET_NR_MMU_PAGES, k->shadow_mem / 4096);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "kvm-shadow-mem=%" PRId64, k->shadow_mem);
	return false;
}

/* A vCPU that does not let interrupts in for long (a hostile loop of exceptions) leaves the guest. */
static bool enable_notify(struct kvm *k, GError **errp)
{
	uint64_t arg = (uint64_t)k->notify_window << 32 | KVM_X86_NOTIFY_VMEXIT_ENABLED |
		       KVM_X86_NOTIFY_VMEXIT_USER;
	int ret;

	if (k->notify_vmexit == KVM_NOTIFY_DISABLE || !k->caps.notify)
		return true;
	ret = kvm_enable_cap(k->vm, KVM_CAP_X86_NOTIFY_VMEXIT, arg, 0);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not enable notify VM exits with a window of %u",
			k->notify_window);
	return false;
}

/* Things that only add to what the kernel tells us: no error if it will not. */
static void enable_extras(struct kvm *k)
{
	if (k->caps.exception_payload)
		k->caps.exception_payload = !kvm_enable_cap(k->vm, KVM_CAP_EXCEPTION_PAYLOAD, 1, 0);
	if (k->caps.triple_fault)
		k->caps.triple_fault = !kvm_enable_cap(k->vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1, 0);
	if (k->caps.x2apic_api && k->accel.machine.max_cpus > 255)
		kvm_enable_cap(
			k->vm, KVM_CAP_X2APIC_API,
			KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK, 0);
}

static bool set_up_vm(struct kvm *k, GError **errp)
{
	int run_size = kvm_ioctl_n(k->fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (run_size < (int)sizeof(struct kvm_run)) {
		error_set(errp, "kvm: the shared page of a vCPU has %d bytes, %zu are needed",
			  run_size, sizeof(struct kvm_run));
		return false;
	}
	k->run_size = run_size;
	if (!kvm_caps_read(k, errp) || !check_limits(k, errp) || !place_tss(k, errp) ||
	    !set_shadow_mem(k, errp) || !enable_notify(k, errp) || !kvm_irqchip_choose(k, errp) ||
	    !kvm_dirty_init(k, errp))
		return false;
	k->xsave_size = MAX(k->caps.xsave2, (int)sizeof(struct kvm_xsave));
	enable_extras(k);
	return true;
}

static void kvm_close(struct kvm *k)
{
	if (k->vm >= 0)
		close(k->vm);
	if (k->fd >= 0)
		close(k->fd);
	k->vm = k->fd = -1;
}

static bool kvm_init(struct accel *a, GError **errp)
{
	struct kvm *k = kvm_of(a);

	if (k->kernel_irqchip_given) {
		a->machine.irqchip = k->kernel_irqchip;
		a->machine.irqchip_required = true;
	}
	k->fd = kvm_open(errp);
	if (k->fd < 0)
		return false;
	k->vm = kvm_create_vm(k->fd, errp);
	if (k->vm < 0 || !kvm_kick_init(errp) || !set_up_vm(k, errp)) {
		kvm_close(k);
		return false;
	}
	kvm_hold_init(k);
	a->smm = a->machine.smm && k->caps.smm && k->caps.address_spaces > 1;
	kvm_memory_init(k);
	return true;
}

static void kvm_cleanup(struct accel *a)
{
	struct kvm *k = kvm_of(a);

	if (k->vm < 0)
		return;
	kvm_memory_cleanup(k);
	kvm_coalesced_unmap(k);
	kvm_routes_cleanup(k);
	kvm_hold_cleanup(k);
	g_clear_pointer(&k->power_on, g_array_unref);
	kvm_drop_parked(k);
	kvm_close(k);
}

static const struct accel_ops kvm_ops = {
	.name = "kvm",
	.thread_suffix = "KVM",
	.executes = true,
	.has_doorbells = true,
	.probe = kvm_probe,
	.init = kvm_init,
	.cleanup = kvm_cleanup,
	.capabilities = kvm_capabilities,
	.irqchip_create = kvm_irqchip_create,
	.vcpu_create = kvm_vcpu_create,
	.vcpu_destroy = kvm_vcpu_destroy,
	.vcpu_run = kvm_vcpu_run,
	.vcpu_kick = kvm_vcpu_kick,
	.vcpu_get_state = kvm_vcpu_get_state,
	.vcpu_put_state = kvm_vcpu_put_state,
	.vcpu_inject_nmi = kvm_vcpu_inject_nmi,
	.vcpu_inject_smi = kvm_vcpu_inject_smi,
	.vcpu_set_debug = kvm_vcpu_set_debug,
	.vcpu_debug_stop = kvm_vcpu_debug_stop,
	.vcpu_translate = kvm_vcpu_translate,
	.clock_stop = kvm_clock_stop,
	.clock_resume = kvm_clock_resume,
	.set_gsi = kvm_set_gsi,
	.mask_pics = kvm_mask_pics,
	.send_msi = kvm_send_msi,
	.route_begin = kvm_route_begin,
	.route_commit = kvm_route_commit,
	.route_add = kvm_route_add,
	.route_update = kvm_route_update,
	.route_del = kvm_route_del,
	.irqfd_add = kvm_irqfd_add,
	.irqfd_del = kvm_irqfd_del,
	.flush_coalesced = kvm_flush_coalesced,
	.free_slots = kvm_free_slots,
};

/* ---- The type ---- */

static const struct enum_name irqchip_names[] = {
	{"on", IRQCHIP_ON, "PIC, IOAPIC, PIT and local APICs in the kernel"},
	{"off", IRQCHIP_OFF, "all of them in userspace"},
	{"split", IRQCHIP_SPLIT, "local APICs in the kernel, the others in userspace"},
	{},
};

static const struct enum_name notify_names[] = {
	{"run", KVM_NOTIFY_RUN, "take note and go on"},
	{"internal-error", KVM_NOTIFY_INTERNAL_ERROR, "pause the guest"},
	{"disable", KVM_NOTIFY_DISABLE, "do not use the feature"},
	{},
};

static bool irqchip_set(void *object, const struct field *field, GError **errp)
{
	struct kvm *k = object;

	k->kernel_irqchip_given = true;
	return true;
}

static bool ring_size_set(void *object, const struct field *field, GError **errp)
{
	struct kvm *k = object;

	if (!(k->dirty_ring_size & (k->dirty_ring_size - 1)))
		return true;
	error_set(errp, "dirty-ring-size must be a power of two.");
	return false;
}

static const struct field kvm_props[] = {
	{
		FIELD_AT(struct kvm, kernel_irqchip, "kernel-irqchip", FIELD_ENUM, sizeof(int),
			 "Which interrupt controllers the kernel provides"),
		.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_ONOFF_TEXT,
		.names = irqchip_names,
		.def = IRQCHIP_ON,
		.set = irqchip_set,
	},
	{
		FIELD_AT(struct kvm, dirty_ring_size, "dirty-ring-size", FIELD_UINT, 4,
			 "Entries of each vCPU's ring of dirty pages; 0: use a bitmap"),
		.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT,
		.set = ring_size_set,
	},
	PROP_INT(struct kvm, shadow_mem, "kvm-shadow-mem", -1, INT64_MIN, INT64_MAX,
		 "Bytes of page tables KVM may keep; -1: KVM's choice"),
	PROP_ENUM(struct kvm, notify_vmexit, "notify-vmexit", notify_names, KVM_NOTIFY_RUN,
		  "What to do when a vCPU lets no event in for long"),
	PROP_UINT(struct kvm, notify_window, "notify-window", 0, UINT32_MAX,
		  "Clock cycles without an event window that count as long"),
	FIELD_ROW_END,
};

static void kvm_instance_init(struct device *dev)
{
	struct kvm *k = container_of(dev, struct kvm, accel.dev);

	k->accel.ops = &kvm_ops;
	k->fd = k->vm = -1;
}

const struct device_type kvm_accel_type = {
	.name = "kvm-accel",
	.help = "Runs guest code on the processor itself, by the kernel's KVM",
	.category = CATEGORY_ACCEL,
	.size = sizeof(struct kvm),
	.flags = STATE_NONE,
	.props = kvm_props,
	.init = kvm_instance_init,
	.class_data = &kvm_ops,
};
