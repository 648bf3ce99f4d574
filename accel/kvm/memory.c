/*
 * Guest RAM as memory slots.
 *
 * A slot is a run of guest-physical pages with host memory behind it. The address space tells us the
 * difference between two flat views; commit() carries it out: first all deletions, because a new slot
 * may not overlap an old one, and with all vCPUs held if any slot goes, because what is deleted is
 * usually put back in another shape at once (the firmware shadow, a display's frame buffer), and a
 * vCPU that runs in it must not find it missing.
 *
 * What cannot be a slot (no host memory, reads that have effects, pages that do not line up) is simply
 * not one: the guest's access exits and is dispatched, whatever it finds.
 */
#include "kvm.h"
#include "event/lock.h"
#include "mem/ram.h"

#include <unistd.h>

TRACE_DEFINE(kvm_slot_changed, "slot %u: 0x%" PRIx64 " bytes at 0x%" PRIx64 " flags 0x%x: %d");

/* KVM counts the pages of a slot in 31 bits. */
#define SLOT_SIZE_MAX (1ULL << 40)

static uint32_t slot_flags(const struct flat_range *r)
{
	uint32_t flags = 0;

	if (r->readonly || r->io_write)
		flags |= KVM_MEM_READONLY;
	if (r->dirty_users & (BIT(DIRTY_MIGRATION) | BIT(DIRTY_DISPLAY)))
		flags |= KVM_MEM_LOG_DIRTY_PAGES;
	return flags;
}

/* The whole pages of @r that can be guest memory; false if there are none. */
static bool slot_of_range(const struct kvm_space *s, const struct flat_range *r,
			  struct kvm_slot *slot)
{
	uint64_t page = RAM_PAGE_SIZE, skip, size;

	if (!r->host || r->io_read)
		return false;
	if (((uintptr_t)r->host ^ r->start) & (page - 1))
		return false;
	skip = -r->start & (page - 1);
	if (skip >= r->size)
		return false;
	size = (r->size - skip) & ~(page - 1);
	*slot = (struct kvm_slot){
		.start = r->start + skip,
		.size = size,
		.host = r->host + skip,
		.ram = r->ram,
		.ram_offset = r->ram_offset + skip,
		.flags = slot_flags(r),
		.as_id = s->as_id,
	};
	if ((slot->flags & KVM_MEM_READONLY) && !s->kvm->caps.readonly_mem)
		return false;
	return size > 0;
}

int kvm_slot_set(struct kvm *k, unsigned number, const struct kvm_slot *slot)
{
	struct kvm_userspace_memory_region region = {
		.slot = number | (uint32_t)slot->as_id << 16,
		.flags = slot->flags,
		.guest_phys_addr = slot->start,
		.memory_size = slot->size,
		.userspace_addr = (uintptr_t)slot->host,
	};
	int ret = kvm_ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &region);

	trace(kvm_slot_changed, number, slot->size, slot->start, slot->flags, ret);
	return ret;
}

static struct kvm_slot *slot_at(struct kvm *k, unsigned number)
{
	return &g_array_index(k->slots, struct kvm_slot, number);
}

static void report_slot(struct kvm *k, const struct kvm_slot *slot, int ret)
{
	error_report("kvm: guest memory 0x%" PRIx64 "-0x%" PRIx64 " cannot be changed: %s",
		     slot->start, slot->start + slot->size - 1, g_strerror(-ret));
	if (k->accel.machine.internal_error)
		k->accel.machine.internal_error(k->accel.machine.opaque);
}

static int slot_number(struct kvm *k, const struct kvm_slot *want)
{
	for (guint i = 0; i < k->slots->len; i++) {
		const struct kvm_slot *slot = slot_at(k, i);

		if (slot->size && slot->start == want->start && slot->as_id == want->as_id)
			return i;
	}
	return -1;
}

/* A free number, below the host's limit; -1: none. */
static int slot_number_new(struct kvm *k)
{
	for (guint i = 0; i < k->slots->len; i++) {
		if (!slot_at(k, i)->size)
			return i;
	}
	if (k->slots->len >= (guint)k->caps.memslots)
		return -1;
	g_array_set_size(k->slots, k->slots->len + 1);
	return k->slots->len - 1;
}

unsigned kvm_free_slots(struct accel *a)
{
	struct kvm *k = kvm_of(a);
	unsigned n = 0;

	g_mutex_lock(&k->slots_lock);
	for (guint i = 0; i < k->slots->len; i++)
		n += !slot_at(k, i)->size;
	n += k->caps.memslots - k->slots->len;
	g_mutex_unlock(&k->slots_lock);
	return n;
}

static void slot_delete(struct kvm *k, const struct kvm_slot *old)
{
	int number = slot_number(k, old), ret;
	struct kvm_slot *slot;

	if (number < 0)
		return;
	slot = slot_at(k, number);
	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		kvm_slot_sync_dirty(k, number);
	slot->size = 0;
	ret = kvm_slot_set(k, number, slot);
	if (ret)
		report_slot(k, old, ret);
}

static void slot_create(struct kvm *k, const struct kvm_slot *new)
{
	int number = slot_number_new(k), ret;

	ret = number < 0 ? -ENOSPC : kvm_slot_set(k, number, new);
	if (ret)
		report_slot(k, new, ret);
	else
		*slot_at(k, number) = *new;
}

/* Calls @fn for each piece of @whole that is small enough for a slot. */
static void for_pieces(struct kvm *k, const struct kvm_slot *whole,
		       void (*fn)(struct kvm *k, const struct kvm_slot *piece))
{
	struct kvm_slot piece = *whole;

	for (uint64_t done = 0; done < whole->size; done += piece.size) {
		piece.start = whole->start + done;
		piece.host = whole->host + done;
		piece.ram_offset = whole->ram_offset + done;
		piece.size = MIN(whole->size - done, SLOT_SIZE_MAX);
		fn(k, &piece);
	}
}

static void memory_commit(void *opaque)
{
	struct kvm_space *s = opaque;
	struct kvm *k = s->kvm;
	bool hold;

	if (!s->del->len && !s->add->len)
		return;
	hold = s->del->len > 0;
	if (hold)
		kvm_hold(k);
	g_mutex_lock(&k->slots_lock);
	for (guint i = 0; i < s->del->len; i++)
		for_pieces(k, &g_array_index(s->del, struct kvm_slot, i), slot_delete);
	for (guint i = 0; i < s->add->len; i++)
		for_pieces(k, &g_array_index(s->add, struct kvm_slot, i), slot_create);
	g_mutex_unlock(&k->slots_lock);
	if (hold)
		kvm_release(k);
	g_array_set_size(s->del, 0);
	g_array_set_size(s->add, 0);
}

static void memory_del(void *opaque, const struct flat_range *range)
{
	struct kvm_space *s = opaque;
	struct kvm_slot slot;

	if (slot_of_range(s, range, &slot))
		g_array_append_val(s->del, slot);
}

static void memory_add(void *opaque, const struct flat_range *range)
{
	struct kvm_space *s = opaque;
	struct kvm_slot slot;

	if (slot_of_range(s, range, &slot))
		g_array_append_val(s->add, slot);
}

static void slot_set_log(struct kvm *k, const struct kvm_slot *new)
{
	int number = slot_number(k, new), ret;
	struct kvm_slot *slot;

	if (number < 0)
		return;
	slot = slot_at(k, number);
	if (slot->flags == new->flags)
		return;
	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		kvm_slot_sync_dirty(k, number);
	slot->flags = new->flags;
	ret = kvm_slot_set(k, number, slot);
	if (ret)
		report_slot(k, slot, ret);
}

static void memory_log_changed(void *opaque, const struct flat_range *range)
{
	struct kvm_space *s = opaque;
	struct kvm_slot slot;

	if (!slot_of_range(s, range, &slot))
		return;
	kvm_slots_lock(s->kvm);
	for_pieces(s->kvm, &slot, slot_set_log);
	kvm_slots_unlock(s->kvm);
}

static void space_listen(struct kvm *k, unsigned which, struct address_space *as)
{
	struct kvm_space *s = &k->space[which];

	s->kvm = k;
	s->as = as;
	s->pio = which == SPACE_IO;
	s->as_id = which == SPACE_SMM;
	s->listener = (struct mem_listener){.opaque = s};
	if (s->pio || !s->as_id) {
		s->listener.doorbell_add = kvm_doorbell_add;
		s->listener.doorbell_del = kvm_doorbell_del;
		s->listener.coalesced_add = kvm_coalesced_add;
		s->listener.coalesced_del = kvm_coalesced_del;
	}
	if (!s->pio) {
		s->del = g_array_new(false, true, sizeof(struct kvm_slot));
		s->add = g_array_new(false, true, sizeof(struct kvm_slot));
		s->listener.range_del = memory_del;
		s->listener.range_add = memory_add;
		s->listener.log_changed = memory_log_changed;
		s->listener.log_sync = kvm_log_sync;
		s->listener.commit = memory_commit;
	}
	s->listening = true;
	listener_add(as, &s->listener);
}

void kvm_memory_init(struct kvm *k)
{
	const struct accel_machine *m = &k->accel.machine;

	g_mutex_init(&k->slots_lock);
	k->slots = g_array_new(false, true, sizeof(struct kvm_slot));
	space_listen(k, SPACE_MEMORY, m->memory);
	space_listen(k, SPACE_IO, m->io);
	if (k->accel.smm)
		space_listen(k, SPACE_SMM, m->smm_memory);
}

void kvm_memory_cleanup(struct kvm *k)
{
	for (unsigned i = 0; i < SPACES; i++) {
		struct kvm_space *s = &k->space[i];

		if (!s->listening)
			continue;
		/* Deaf first: the slots go with the virtual machine, all at once. */
		s->listener = (struct mem_listener){.opaque = s->listener.opaque};
		listener_remove(s->as, &s->listener);
		s->listening = false;
		g_clear_pointer(&s->del, g_array_unref);
		g_clear_pointer(&s->add, g_array_unref);
	}
	g_clear_pointer(&k->slots, g_array_unref);
	g_mutex_clear(&k->slots_lock);
}
