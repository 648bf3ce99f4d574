/*
 * Which pages the guest wrote to: from KVM's bitmaps or rings into the dirty bitmaps of the blocks.
 *
 * With a bitmap per slot, KVM_GET_DIRTY_LOG copies it. With manual protection it does not clear it:
 * KVM_CLEAR_DIRTY_LOG does, in pieces, so that guest page faults need not wait for all of it. What is
 * written between the two is in the copy already.
 *
 * With rings, each vCPU has an array of (slot, page) entries it shares with the kernel: the kernel
 * fills in an entry and sets DIRTY; we take it and set RESET; KVM_RESET_DIRTY_RINGS protects the pages
 * again and frees the entries. A vCPU whose ring is nearly full leaves KVM_RUN.
 */
#include "kvm.h"
#include "mem/ram.h"

#include <sys/mman.h>

TRACE_DEFINE(kvm_dirty_sync, "slot %u: %" PRIu64 " pages");

#define CLEAR_PAGES (1ULL << 18) /* at a time: 1 GiB */

static size_t ring_bytes(const struct kvm *k)
{
	return (size_t)k->dirty_ring_size * sizeof(struct kvm_dirty_gfn);
}

bool kvm_dirty_init(struct kvm *k, GError **errp)
{
	uint64_t manual = k->caps.manual_dirty_log &
			  (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET);
	int ret;

	if (!k->dirty_ring_size) {
		k->manual_log = manual && !kvm_enable_cap(k->vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
							  manual, 0);
		return true;
	}
	if (!k->caps.dirty_ring) {
		warn_report("KVM dirty ring not available, using bitmap method");
		k->dirty_ring_size = 0;
		return true;
	}
	if (ring_bytes(k) > (size_t)k->caps.dirty_ring) {
		error_set(errp,
			  "KVM dirty ring size %u too big (maximum is %zu).  Please use a smaller "
			  "value.",
			  k->dirty_ring_size, k->caps.dirty_ring / sizeof(struct kvm_dirty_gfn));
		return false;
	}
	ret = kvm_enable_cap(k->vm, KVM_CAP_DIRTY_LOG_RING, ring_bytes(k), 0);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not enable KVM dirty rings of %u entries",
			k->dirty_ring_size);
	return false;
}

void kvm_slots_lock(struct kvm *k)
{
	if (k->dirty_ring_size)
		kvm_hold(k);
	g_mutex_lock(&k->slots_lock);
}

void kvm_slots_unlock(struct kvm *k)
{
	g_mutex_unlock(&k->slots_lock);
	if (k->dirty_ring_size)
		kvm_release(k);
}

/* ---- Bitmaps ---- */

static void mark_pages(const struct kvm_slot *slot, uint64_t page, uint64_t count)
{
	if (count)
		dirty_mark(slot->ram, slot->ram_offset + page * RAM_PAGE_SIZE,
			   count * RAM_PAGE_SIZE);
}

/* Marks each run of set bits. Returns the number of pages. */
static uint64_t mark_bitmap(const struct kvm_slot *slot, const uint64_t *bits, uint64_t pages)
{
	uint64_t start = 0, run = 0, total = 0;

	for (uint64_t page = 0; page < pages; page++) {
		if (!bits[page / 64] && !(page % 64) && !run) {
			page += 63;
			continue;
		}
		if (bits[page / 64] & BIT64(page % 64)) {
			if (!run++)
				start = page;
			continue;
		}
		mark_pages(slot, start, run);
		total += run;
		run = 0;
	}
	mark_pages(slot, start, run);
	return total + run;
}

static bool any_bit(const uint64_t *bits, uint64_t pages)
{
	for (uint64_t i = 0; i < DIV_ROUND_UP(pages, 64); i++) {
		if (bits[i])
			return true;
	}
	return false;
}

static void clear_log(struct kvm *k, uint32_t id, uint64_t *bits, uint64_t pages)
{
	for (uint64_t first = 0; first < pages; first += CLEAR_PAGES) {
		struct kvm_clear_dirty_log clear = {
			.slot = id,
			.first_page = first,
			.num_pages = MIN(CLEAR_PAGES, pages - first),
			.dirty_bitmap = bits + first / 64,
		};

		if (any_bit(clear.dirty_bitmap, clear.num_pages))
			kvm_ioctl(k->vm, KVM_CLEAR_DIRTY_LOG, &clear);
	}
}

static void sync_bitmap(struct kvm *k, unsigned number, const struct kvm_slot *slot)
{
	uint64_t pages = slot->size / RAM_PAGE_SIZE;
	g_autofree uint64_t *bits = g_new0(uint64_t, DIV_ROUND_UP(pages, 64));
	struct kvm_dirty_log log = {
		.slot = number | (uint32_t)slot->as_id << 16,
		.dirty_bitmap = bits,
	};
	uint64_t count;

	if (kvm_ioctl(k->vm, KVM_GET_DIRTY_LOG, &log)) {
		/* Nothing is lost if too much counts as written. */
		mark_pages(slot, 0, pages);
		return;
	}
	if (k->manual_log)
		clear_log(k, log.slot, bits, pages);
	count = mark_bitmap(slot, bits, pages);
	trace(kvm_dirty_sync, number, count);
}

void kvm_slot_sync_dirty(struct kvm *k, unsigned number)
{
	if (k->dirty_ring_size)
		kvm_ring_collect(k);
	else
		sync_bitmap(k, number, &g_array_index(k->slots, struct kvm_slot, number));
}

void kvm_log_sync(void *opaque, const struct flat_range *range)
{
	struct kvm_space *s = opaque;
	struct kvm *k = s->kvm;

	kvm_slots_lock(k);
	for (guint i = 0; i < k->slots->len; i++) {
		const struct kvm_slot *slot = &g_array_index(k->slots, struct kvm_slot, i);

		if (!slot->size || slot->as_id != s->as_id ||
		    !(slot->flags & KVM_MEM_LOG_DIRTY_PAGES) ||
		    slot->start >= range->start + range->size ||
		    range->start >= slot->start + slot->size)
			continue;
		kvm_slot_sync_dirty(k, i);
		if (k->dirty_ring_size)
			break; /* the rings know of all slots */
	}
	kvm_slots_unlock(k);
}

/* ---- Rings ---- */

bool kvm_ring_map(struct kvm_cpu *c, GError **errp)
{
	struct kvm *k = c->kvm;
	void *ring;

	if (!k->dirty_ring_size)
		return true;
	ring = mmap(NULL, ring_bytes(k), PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
		    KVM_DIRTY_LOG_PAGE_OFFSET * RAM_PAGE_SIZE);
	if (ring == MAP_FAILED) {
		error_set_errno(errp, errno, "Could not map the dirty ring of CPU %u",
				c->cpu->index);
		return false;
	}
	c->ring = ring;
	return true;
}

void kvm_ring_unmap(struct kvm_cpu *c)
{
	if (c->ring)
		munmap(c->ring, ring_bytes(c->kvm));
	c->ring = NULL;
}

static void mark_entry(struct kvm *k, const struct kvm_dirty_gfn *entry)
{
	unsigned number = entry->slot & 0xffff;
	const struct kvm_slot *slot;

	if (number >= k->slots->len)
		return;
	slot = &g_array_index(k->slots, struct kvm_slot, number);
	if (entry->slot >> 16 == slot->as_id && entry->offset < slot->size / RAM_PAGE_SIZE)
		mark_pages(slot, entry->offset, 1);
}

static unsigned collect_one(struct kvm *k, struct kvm_cpu *c)
{
	unsigned count = 0;

	for (; count < k->dirty_ring_size; count++) {
		struct kvm_dirty_gfn *entry = &c->ring[c->ring_next & (k->dirty_ring_size - 1)];
		uint32_t flags = __atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE);

		if (!(flags & KVM_DIRTY_GFN_F_DIRTY) || (flags & KVM_DIRTY_GFN_F_RESET))
			break;
		mark_entry(k, entry);
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		c->ring_next++;
	}
	return count;
}

void kvm_ring_collect(struct kvm *k)
{
	unsigned count = 0;

	g_mutex_lock(&k->hold.lock);
	for (guint i = 0; i < k->hold.cpus->len; i++)
		count += collect_one(k, k->hold.cpus->pdata[i]);
	if (count)
		kvm_ioctl_n(k->vm, KVM_RESET_DIRTY_RINGS, 0);
	g_mutex_unlock(&k->hold.lock);
}
