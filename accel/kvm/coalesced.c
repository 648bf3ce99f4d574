/*
 * Coalesced writes: to registers whose writes may wait (a text screen, an index port), KVM stores the
 * write in a ring that all vCPUs share and the guest runs on. Before anything else that the guest
 * does is carried out, the ring is drained, so the order of writes is kept.
 */
#include "kvm.h"
#include "event/lock.h"

#include <sys/mman.h>

#define RING_BYTES 4096

void kvm_coalesced_map(struct kvm_cpu *c)
{
	struct kvm *k = c->kvm;
	void *ring;

	if (k->coalesced || !k->caps.coalesced_mmio)
		return;
	ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
		    (off_t)k->caps.coalesced_mmio * RING_BYTES);
	if (ring == MAP_FAILED) {
		k->caps.coalesced_mmio = k->caps.coalesced_pio = 0;
		return;
	}
	k->coalesced_max = (RING_BYTES - sizeof(struct kvm_coalesced_mmio_ring)) /
			   sizeof(struct kvm_coalesced_mmio);
	k->coalesced = ring;
}

void kvm_coalesced_unmap(struct kvm *k)
{
	if (k->coalesced)
		munmap(k->coalesced, RING_BYTES);
	k->coalesced = NULL;
}

static void zone(struct kvm_space *s, unsigned long request, const struct addr_range *range)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = range->start,
		.size = range->size,
		.pio = s->pio,
	};

	if (range->size > UINT32_MAX || !s->kvm->caps.coalesced_mmio ||
	    (s->pio && !s->kvm->caps.coalesced_pio))
		return;
	kvm_ioctl(s->kvm->vm, request, &zone);
}

void kvm_coalesced_add(void *opaque, const struct addr_range *range)
{
	zone(opaque, KVM_REGISTER_COALESCED_MMIO, range);
}

void kvm_coalesced_del(void *opaque, const struct addr_range *range)
{
	struct kvm_space *s = opaque;

	kvm_coalesced_drain(s->kvm);
	zone(s, KVM_UNREGISTER_COALESCED_MMIO, range);
}

/* A write may change the memory map, which brings us here again: the outer call goes on with it. */
void kvm_coalesced_drain(struct kvm *k)
{
	MACHINE_LOCK_SCOPE();

	if (k->draining)
		return;
	k->draining = true;
	while (kvm_coalesced_pending(k)) {
		struct kvm_coalesced_mmio_ring *ring = k->coalesced;
		uint32_t first = ring->first;
		struct kvm_coalesced_mmio entry = ring->coalesced_mmio[first % k->coalesced_max];
		struct address_space *as =
			entry.pio ? k->accel.machine.io : k->accel.machine.memory;

		__atomic_store_n(&ring->first, (first + 1) % k->coalesced_max, __ATOMIC_RELEASE);
		if (entry.len <= sizeof(entry.data))
			as_write(as, entry.phys_addr, entry.data, entry.len);
	}
	k->draining = false;
}

void kvm_flush_coalesced(struct accel *a)
{
	struct kvm *k = kvm_of(a);

	if (kvm_coalesced_pending(k))
		kvm_coalesced_drain(k);
}
