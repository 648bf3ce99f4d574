/*
 * Making and unmaking a vCPU, on its own thread.
 */
#include "kvm.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Tile data (AMX) is so large that Linux wants to be asked before a guest may have it. */
#define ARCH_REQ_XCOMP_GUEST_PERM 0x1025
#define XSTATE_TILE_DATA          18

static void request_tile_data(struct kvm *k, const struct cpuid_table *cpuid)
{
	const struct cpuid_leaf *leaf = cpuid_find(cpuid, 0xd, 0);

	if (leaf && (leaf->eax & BIT(XSTATE_TILE_DATA)) &&
	    !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_GUEST_PERM, XSTATE_TILE_DATA))
		k->xsave_size = MAX((size_t)kvm_ioctl_n(k->vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2),
				    sizeof(struct kvm_xsave));
}

static bool check_state_size(const struct kvm *k, GError **errp)
{
	if (k->xsave_size <= X86_XSAVE_MAX)
		return true;
	error_set(errp,
		  "The vector state of this host's CPU has %zu bytes, more than the %d we save",
		  k->xsave_size, X86_XSAVE_MAX);
	return false;
}

static void park(struct kvm_cpu *c)
{
	struct kvm_parked parked = {c->cpu->apic_id, c->fd};

	if (!c->kvm->parked)
		c->kvm->parked = g_array_new(false, false, sizeof(parked));
	g_array_append_val(c->kvm->parked, parked);
	c->fd = -1;
}

/* -1: there has been none of this ID. */
static int unpark(struct kvm *k, uint32_t apic_id)
{
	for (guint i = 0; k->parked && i < k->parked->len; i++) {
		struct kvm_parked parked = g_array_index(k->parked, struct kvm_parked, i);

		if (parked.apic_id == apic_id) {
			g_array_remove_index_fast(k->parked, i);
			return parked.fd;
		}
	}
	return -1;
}

void kvm_drop_parked(struct kvm *k)
{
	for (guint i = 0; k->parked && i < k->parked->len; i++)
		close(g_array_index(k->parked, struct kvm_parked, i).fd);
	g_clear_pointer(&k->parked, g_array_unref);
}

static bool open_vcpu(struct kvm_cpu *c, GError **errp)
{
	struct kvm *k = c->kvm;

	c->fd = unpark(k, c->cpu->apic_id);
	c->ran = c->fd >= 0;
	if (c->fd < 0)
		c->fd = kvm_ioctl_n(k->vm, KVM_CREATE_VCPU, c->cpu->apic_id);
	if (c->fd < 0) {
		error_set_errno(errp, -c->fd, "Could not create CPU %u (APIC ID %u)", c->cpu->index,
				c->cpu->apic_id);
		return false;
	}
	c->run = mmap(NULL, k->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->run == MAP_FAILED) {
		c->run = NULL;
		error_set_errno(errp, errno, "Could not map the state of CPU %u", c->cpu->index);
		return false;
	}
	kvm_coalesced_map(c);
	return kvm_ring_map(c, errp);
}

static void close_vcpu(struct kvm_cpu *c)
{
	kvm_ring_unmap(c);
	if (c->run)
		munmap(c->run, c->kvm->run_size);
	if (c->fd >= 0)
		close(c->fd);
	g_free(c);
}

static void unblock_kicks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* kvm-pv-enforce-cpuid */
static bool enforce_kvm_cpuid(struct kvm_cpu *c, GError **errp)
{
	int ret;

	if (!c->cpu->features.enforce_kvm_cpuid)
		return true;
	ret = kvm_enable_cap(c->fd, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1, 0);
	if (!ret)
		return true;
	error_set(errp, "failed to enable KVM_CAP_ENFORCE_PV_FEATURE_CPUID: %s", g_strerror(-ret));
	return false;
}

bool kvm_vcpu_create(struct accel_cpu *cpu, GError **errp)
{
	struct kvm *k = kvm_of(cpu->accel);
	struct kvm_cpu *c = g_new0(struct kvm_cpu, 1);

	c->kvm = k;
	c->cpu = cpu;
	c->thread = pthread_self();
	unblock_kicks();
	request_tile_data(k, &cpu->cpuid);
	if (!check_state_size(k, errp) || !open_vcpu(c, errp) || !kvm_set_tsc_rate(c, errp) ||
	    !kvm_hyperv_init(c, errp) || !enforce_kvm_cpuid(c, errp) || !kvm_set_cpuid(c, errp) ||
	    !kvm_msrs_init(c, errp)) {
		close_vcpu(c);
		return false;
	}
	g_mutex_lock(&k->hold.lock);
	g_ptr_array_add(k->hold.cpus, c);
	g_mutex_unlock(&k->hold.lock);
	__atomic_store_n(&cpu->data, c, __ATOMIC_RELEASE);
	return true;
}

void kvm_vcpu_destroy(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = kvm_cpu_of(cpu);
	struct kvm *k = c->kvm;

	g_mutex_lock(&k->hold.lock);
	g_ptr_array_remove(k->hold.cpus, c);
	g_mutex_unlock(&k->hold.lock);
	__atomic_store_n(&cpu->data, NULL, __ATOMIC_RELEASE);
	park(c);
	close_vcpu(c);
}
