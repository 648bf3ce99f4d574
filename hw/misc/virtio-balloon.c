/*
 * virtio-balloon: the guest gives memory back. VIRTIO 1.2, 5.5.
 *
 * The host names a number of pages in the configuration space; the guest hands over pages of its choice
 * (inflate) and takes them back by using them again (deflate). Numbers count 4 KiB whatever the pages are; where the
 * backing has larger ones, a page goes when all of its parts have been given.
 *
 * Beside that: statistics, in a buffer that the guest fills anew each time it is given back; free page
 * hinting, by which it says which pages need not be saved, in rounds that the host numbers; and free page
 * reporting, by which it lends out pages it does not need just now.
 */
#include "abi/virtio-balloon.h"
#include "base/checked.h"
#include "base/trace.h"
#include "event/clock.h"
#include "hw/virtio.h"
#include "machine/balloon.h"
#include "machine/iothread.h"
#include "mem/ram.h"

TRACE_DEFINE(virtio_balloon_target, "%u pages");
TRACE_DEFINE(virtio_balloon_actual, "%u pages");
TRACE_DEFINE(virtio_balloon_discard, "%s offset 0x%" PRIx64 ", %" PRIu64 " bytes: %d");
TRACE_DEFINE(virtio_balloon_hint, "command %u, now in state %d");
TRACE_DEFINE(guest_errors_virtio_balloon, "page 0x%x is no RAM");

#define QUEUE_SIZE        128
#define HINT_QUEUE_SIZE   1024
#define REPORT_QUEUE_SIZE 32
#define PAGE_SIZE         (1U << VIRTIO_BALLOON_PAGE_BITS)
#define PFNS_MAX          1024 /* looked at at a time */
#define STATS_MAX         64   /* records of which the known are picked */

/* Of the hint queue, which may be an iothread's. */
enum hint_state { HINT_STOPPED, HINT_REQUESTED, HINT_RUNNING };

/* A page of the backing of which some parts were given. */
struct partial {
	struct ram_block *ram; /* a reference; NULL: none */
	uint64_t base;
	uint64_t count, *parts; /* how many, and which */
};

struct stats {
	uint64_t value[VIRTIO_BALLOON_STATS];
};

/* Neighbouring pages, to be discarded together. */
struct run {
	struct ram_block *ram; /* a reference; NULL: empty */
	uint64_t start, len;
};

struct virtio_balloon {
	struct virtio_device v;
	struct virtqueue *inflate, *deflate, *stats_queue, *hint_queue, *report_queue;
	uint32_t num_pages, actual, poison;
	struct partial partial;

	struct virtio_chain *stats_chain; /* the guest's, until we want it filled anew */
	struct timer poll;

	uint32_t hint_command;
	uint32_t next_hint;
	enum hint_state hint_state;

	/* Properties */
	bool deflate_on_oom, free_page_hint, page_poison, free_page_reporting, old_config_size;
	int64_t poll_interval; /* s */
	struct device *iothread;
	struct guest_stats {
		struct stats stats;
		int64_t last_update;
	} guest_stats;
};

static struct virtio_balloon *balloon_of(struct virtio_device *v)
{
	return container_of(v, struct virtio_balloon, v);
}

/* ---- Pages that are given ---- */

static void discard(struct ram_block *ram, uint64_t offset, uint64_t len)
{
	bool ok = ram_discard(ram, offset, len);

	trace(virtio_balloon_discard, ram->name, offset, len, ok);
}

static void partial_forget(struct partial *p)
{
	g_clear_pointer(&p->ram, ram_unref);
	g_clear_pointer(&p->parts, g_free);
	p->count = 0;
}

static void partial_add(struct partial *p, struct ram_block *ram, uint64_t offset)
{
	uint64_t base = ROUND_DOWN(offset, ram->page_size);
	uint64_t part = (offset - base) / PAGE_SIZE, parts = ram->page_size / PAGE_SIZE;

	if (p->ram != ram || p->base != base) {
		partial_forget(p);
		p->ram = ram_ref(ram);
		p->base = base;
		p->parts = g_malloc0(DIV_ROUND_UP(parts, 64) * sizeof(uint64_t));
	}
	if (!(p->parts[part / 64] & BIT64(part % 64)))
		p->count++;
	p->parts[part / 64] |= BIT64(part % 64);
	if (p->count == parts) {
		discard(ram, base, ram->page_size);
		partial_forget(p);
	}
}

static void partial_take_back(struct partial *p, const struct ram_block *ram, uint64_t offset)
{
	uint64_t part = (offset - p->base) / PAGE_SIZE;

	if (p->ram != ram || offset - p->base >= ram->page_size ||
	    !(p->parts[part / 64] & BIT64(part % 64)))
		return;
	p->parts[part / 64] &= ~BIT64(part % 64);
	p->count--;
}

static void run_end(struct virtio_balloon *b, struct run *r)
{
	if (!r->ram)
		return;
	if (r->ram->page_size <= PAGE_SIZE) {
		discard(r->ram, r->start, r->len);
	} else {
		for (uint64_t at = 0; at < r->len; at += PAGE_SIZE)
			partial_add(&b->partial, r->ram, r->start + at);
	}
	g_clear_pointer(&r->ram, ram_unref);
}

static void run_add(struct virtio_balloon *b, struct run *r, struct ram_block *ram, uint64_t offset)
{
	if (r->ram == ram && offset == r->start + r->len) {
		r->len += PAGE_SIZE;
	} else if (r->ram == ram && offset + PAGE_SIZE == r->start) {
		r->start = offset;
		r->len += PAGE_SIZE;
	} else {
		run_end(b, r);
		*r = (struct run){ram_ref(ram), offset, PAGE_SIZE};
	}
}

static void page_changes_hands(struct virtio_balloon *b, struct run *r, uint32_t pfn, bool given)
{
	struct as_mapping map;
	uint64_t len = PAGE_SIZE;

	if (!as_map(virtio_dma_space(&b->v), (uint64_t)pfn << VIRTIO_BALLOON_PAGE_BITS, &len, true,
		    &map) ||
	    len < PAGE_SIZE || map.ram_offset % PAGE_SIZE)
		trace(guest_errors_virtio_balloon, pfn);
	else if (given)
		run_add(b, r, map.ram, map.ram_offset);
	else
		partial_take_back(&b->partial, map.ram, map.ram_offset);
	as_unmap(&map, 0);
}

static void pages_change_hands(struct virtqueue *q)
{
	struct virtio_balloon *b = balloon_of(q->vdev);
	struct virtio_chain *chain;
	uint32_t pfns[PFNS_MAX];

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		struct run run = {0};
		uint64_t at = 0;
		size_t len;

		while ((len = virtio_chain_read(chain, at, pfns, sizeof(pfns))) >= sizeof(*pfns)) {
			for (size_t i = 0; i < len / sizeof(*pfns); i++)
				page_changes_hands(b, &run, GUINT32_FROM_LE(pfns[i]),
						   q == b->inflate);
			at += len;
		}
		run_end(b, &run);
		virtqueue_push(chain, 0);
		virtqueue_notify(q);
	}
}

/* ---- Free page reporting: the guest finds zeros when it comes back, or a poison it knows ---- */

static void lend(const struct as_mapping *map)
{
	struct ram_block *ram = map->ram;
	uint64_t start = ROUND_UP(map->ram_offset, ram->page_size);
	uint64_t end = ROUND_DOWN(map->ram_offset + map->len, ram->page_size);

	if (start < end)
		discard(ram, start, end - start);
}

static void pages_reported(struct virtqueue *q)
{
	struct virtio_balloon *b = balloon_of(q->vdev);
	struct virtio_chain *chain;

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		for (unsigned i = 0; i < chain->in_count && !b->poison; i++)
			lend(&chain->maps[chain->out_count + i]);
		virtqueue_push(chain, 0);
		virtqueue_notify(q);
	}
}

/* ---- Free page hinting ---- */

static void hint(struct virtio_balloon *b, uint32_t command, enum hint_state state)
{
	trace(virtio_balloon_hint, command, state);
	b->hint_command = command;
	b->hint_state = state;
	virtio_config_changed(&b->v);
}

static void hint_message(struct virtio_balloon *b, uint32_t id)
{
	if (b->hint_state == HINT_REQUESTED && id == b->hint_command)
		b->hint_state = HINT_RUNNING;
	else if (b->hint_state == HINT_RUNNING && id == VIRTIO_BALLOON_HINT_STOP)
		b->hint_state = HINT_STOPPED;
}

static void pages_hinted(struct virtqueue *q)
{
	struct virtio_balloon *b = balloon_of(q->vdev);
	struct virtio_chain *chain;
	uint8_t id[4];

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		if (virtio_chain_read(chain, 0, id, sizeof(id)) == sizeof(id))
			hint_message(b, get_le32(id));
		for (unsigned i = 0; i < chain->in_count && b->hint_state == HINT_RUNNING; i++) {
			const struct as_mapping *map = &chain->maps[chain->out_count + i];

			dirty_test_and_clear(map->ram, DIRTY_MIGRATION, map->ram_offset, map->len);
		}
		virtqueue_push(chain, 0);
		virtqueue_notify(q);
	}
}

/* Numbers of rounds stay away from the commands. */
static void hint_round(void *opaque, bool begin)
{
	struct virtio_balloon *b = opaque;
	VIRTIO_HOLD(&b->v);

	if (!virtio_has(&b->v, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return;
	if (begin) {
		b->next_hint = MAX(b->next_hint + 1, BIT(31));
		hint(b, b->next_hint, HINT_REQUESTED);
	} else {
		hint(b, VIRTIO_BALLOON_HINT_DONE, HINT_STOPPED);
	}
}

/* ---- Statistics ---- */

static void poll_later(struct virtio_balloon *b, int64_t seconds)
{
	if (b->poll_interval)
		timer_set(&b->poll, clock_now(QCLOCK_VIRTUAL) + seconds * NS_PER_SEC);
}

static void poll_now(void *opaque)
{
	struct virtio_balloon *b = opaque;

	if (!b->stats_chain || !virtqueue_ready(b->stats_queue)) {
		poll_later(b, b->poll_interval);
		return;
	}
	virtqueue_push(g_steal_pointer(&b->stats_chain), 0);
	virtqueue_notify(b->stats_queue);
}

static void forget_stats(struct virtio_balloon *b)
{
	memset(b->guest_stats.stats.value, 0xff, sizeof(b->guest_stats.stats.value));
}

static void read_stats(struct virtio_balloon *b, const struct virtio_chain *chain)
{
	uint8_t bytes[VIRTIO_BALLOON_STAT_SIZE * STATS_MAX];
	size_t len = virtio_chain_read(chain, 0, bytes, sizeof(bytes));

	forget_stats(b);
	for (size_t at = 0; at + VIRTIO_BALLOON_STAT_SIZE <= len; at += VIRTIO_BALLOON_STAT_SIZE) {
		uint16_t tag = get_le16(bytes + at);

		if (tag < VIRTIO_BALLOON_STATS)
			b->guest_stats.stats.value[tag] = get_le64(bytes + at + 2);
	}
	b->guest_stats.last_update = g_get_real_time() / G_USEC_PER_SEC;
}

static void stats_arrived(struct virtqueue *q)
{
	struct virtio_balloon *b = balloon_of(q->vdev);
	struct virtio_chain *chain;

	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		/* There should be only one; an older one goes back. */
		if (b->stats_chain) {
			virtqueue_push(b->stats_chain, 0);
			virtqueue_notify(q);
		}
		b->stats_chain = chain;
		read_stats(b, chain);
		poll_later(b, b->poll_interval);
	}
}

static bool set_poll_interval(void *object, const struct field *field, GError **errp)
{
	struct virtio_balloon *b = object;

	if (b->poll_interval < 0) {
		error_set(errp, "timer value must be greater than zero");
		return false;
	}
	if (b->poll_interval > UINT32_MAX) {
		error_set(errp, "timer value is too big");
		return false;
	}
	if (!b->v.dev.realized)
		return true;
	timer_del(&b->poll);
	poll_later(b, 0);
	return true;
}

/* ---- What the host wants, what the guest has done ---- */

static void balloon_set_target(void *opaque, uint64_t bytes)
{
	struct virtio_balloon *b = opaque;

	b->num_pages = MIN(bytes >> VIRTIO_BALLOON_PAGE_BITS, UINT32_MAX);
	trace(virtio_balloon_target, b->num_pages);
	virtio_config_changed(&b->v);
}

static uint64_t balloon_taken(void *opaque)
{
	struct virtio_balloon *b = opaque;

	return (uint64_t)b->actual << VIRTIO_BALLOON_PAGE_BITS;
}

static const struct balloon_ops balloon_ops = {
	.set_target = balloon_set_target,
	.taken = balloon_taken,
	.hint_round = hint_round,
};

static void set_actual(struct virtio_balloon *b, uint32_t pages)
{
	if (b->actual == pages)
		return;
	trace(virtio_balloon_actual, pages);
	b->actual = pages;
	balloon_changed();
}

/* ---- The virtio device ---- */

static uint64_t balloon_features(struct virtio_device *v)
{
	const struct virtio_balloon *b = balloon_of(v);

	return BIT64(VIRTIO_BALLOON_F_STATS_VQ) |
	       (b->deflate_on_oom ? BIT64(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) : 0) |
	       (b->free_page_hint ? BIT64(VIRTIO_BALLOON_F_FREE_PAGE_HINT) : 0) |
	       (b->page_poison ? BIT64(VIRTIO_BALLOON_F_PAGE_POISON) : 0) |
	       (b->free_page_reporting ? BIT64(VIRTIO_BALLOON_F_PAGE_REPORTING) : 0);
}

static void balloon_get_config(struct virtio_device *v, uint8_t *config)
{
	const struct virtio_balloon *b = balloon_of(v);

	put_le32(config + VIRTIO_BALLOON_NUM_PAGES, b->num_pages);
	put_le32(config + VIRTIO_BALLOON_ACTUAL, b->actual);
	if (b->free_page_hint)
		put_le32(config + VIRTIO_BALLOON_HINT_COMMAND, b->hint_command);
	put_le32(config + VIRTIO_BALLOON_POISON_VALUE, b->poison);
}

static void balloon_set_config(struct virtio_device *v, const uint8_t *config)
{
	struct virtio_balloon *b = balloon_of(v);

	set_actual(b, get_le32(config + VIRTIO_BALLOON_ACTUAL));
	if (virtio_has(v, VIRTIO_BALLOON_F_PAGE_POISON))
		b->poison = get_le32(config + VIRTIO_BALLOON_POISON_VALUE);
}

static void balloon_queue_reset(struct virtqueue *q)
{
	struct virtio_balloon *b = balloon_of(q->vdev);

	if (q == b->stats_queue)
		g_clear_pointer(&b->stats_chain, virtqueue_drop);
}

/* After a reset the guest uses all its memory again. */
static void balloon_reset(struct virtio_device *v)
{
	struct virtio_balloon *b = balloon_of(v);

	g_clear_pointer(&b->stats_chain, virtqueue_drop);
	partial_forget(&b->partial);
	b->poison = 0;
	b->hint_command = VIRTIO_BALLOON_HINT_STOP;
	b->hint_state = HINT_STOPPED;
	set_actual(b, 0);
}

static void balloon_init(struct device *dev)
{
	forget_stats(balloon_of(virtio_of(dev)));
}

static unsigned config_size(const struct virtio_balloon *b)
{
	if (b->page_poison || b->old_config_size)
		return VIRTIO_BALLOON_CONFIG_POISON;
	return b->free_page_hint ? VIRTIO_BALLOON_CONFIG_HINTS : VIRTIO_BALLOON_CONFIG_BASE;
}

static bool balloon_realize(struct device *dev, GError **errp)
{
	struct virtio_balloon *b = balloon_of(virtio_of(dev));

	if (!balloon_register(&balloon_ops, b, errp))
		return false;
	b->v.config_size = config_size(b);
	b->inflate = virtio_add_queue(&b->v, QUEUE_SIZE, pages_change_hands);
	b->deflate = virtio_add_queue(&b->v, QUEUE_SIZE, pages_change_hands);
	b->stats_queue = virtio_add_queue(&b->v, QUEUE_SIZE, stats_arrived);
	if (b->free_page_hint) {
		b->hint_queue = virtio_add_queue(&b->v, HINT_QUEUE_SIZE, pages_hinted);
		virtqueue_set_iothread(b->hint_queue, b->iothread);
	}
	if (b->free_page_reporting)
		b->report_queue = virtio_add_queue(&b->v, REPORT_QUEUE_SIZE, pages_reported);
	timer_init(&b->poll, b->v.loop, QCLOCK_VIRTUAL, poll_now, b);
	poll_later(b, b->poll_interval);
	return true;
}

static void balloon_unrealize(struct device *dev)
{
	struct virtio_balloon *b = balloon_of(virtio_of(dev));

	timer_del(&b->poll);
	g_clear_pointer(&b->stats_chain, virtqueue_drop);
	partial_forget(&b->partial);
	balloon_unregister(b);
}

static bool balloon_post_load(struct device *dev, GError **errp)
{
	struct virtio_balloon *b = balloon_of(virtio_of(dev));

	if (!virtio_chain_restore(&b->v, &b->stats_chain, errp))
		return false;
	balloon_changed();
	return true;
}

#define BALLOON struct virtio_balloon

#define STAT(_tag, _name, _help)                                                                   \
	{                                                                                          \
		FIELD_AT(struct stats, value[_tag], _name, FIELD_UINT, sizeof(uint64_t), _help)    \
	}
static const struct field stats_rows[] = {
	STAT(VIRTIO_BALLOON_S_SWAP_IN, "stat-swap-in", "Bytes swapped in"),
	STAT(VIRTIO_BALLOON_S_SWAP_OUT, "stat-swap-out", "Bytes swapped out"),
	STAT(VIRTIO_BALLOON_S_MAJOR_FAULTS, "stat-major-faults", "Page faults that read a disk"),
	STAT(VIRTIO_BALLOON_S_MINOR_FAULTS, "stat-minor-faults", "Page faults that did not"),
	STAT(VIRTIO_BALLOON_S_FREE, "stat-free-memory", "Memory nobody uses, in bytes"),
	STAT(VIRTIO_BALLOON_S_TOTAL, "stat-total-memory", "Memory the guest sees, in bytes"),
	STAT(VIRTIO_BALLOON_S_AVAILABLE, "stat-available-memory",
	     "Memory programs can have without swapping, in bytes"),
	STAT(VIRTIO_BALLOON_S_CACHES, "stat-disk-caches", "Memory that caches disks, in bytes"),
	STAT(VIRTIO_BALLOON_S_HTLB_ALLOC, "stat-htlb-pgalloc", "Huge pages given to programs"),
	STAT(VIRTIO_BALLOON_S_HTLB_FAIL, "stat-htlb-pgfail", "Huge pages that were not to be had"),
	FIELD_ROW_END,
};
static const struct field_set stats_set = {"stats", sizeof(struct stats), stats_rows};

static const struct field guest_stats_rows[] = {
	ARG_STRUCT(struct guest_stats, stats, "stats", &stats_set,
		   "What the guest told; 18446744073709551615: nothing"),
	ARG_INT(struct guest_stats, last_update, "last-update",
		"When it did, in seconds since 1970; 0: never"),
	FIELD_ROW_END,
};
static const struct field_set guest_stats_set = {"guest statistics", sizeof(struct guest_stats),
						 guest_stats_rows};

static const struct field balloon_props[] = {
	PROP_BOOL(BALLOON, deflate_on_oom, "deflate-on-oom", false,
		  "Let the guest take pages back when it runs out of memory"),
	PROP_BOOL(BALLOON, free_page_hint, "free-page-hint", false,
		  "Let the guest say which pages need not be saved"),
	PROP_BOOL(BALLOON, page_poison, "page-poison", true,
		  "Let the guest say what it fills free pages with"),
	PROP_BOOL(BALLOON, free_page_reporting, "free-page-reporting", false,
		  "Let the guest lend out pages it does not need just now"),
	PROP_LINK(BALLOON, iothread, "iothread", &iothread_link,
		  "Where free page hints are worked on; unset: the main loop"),
	PROP_BOOL(BALLOON, old_config_size, "qemu-4-0-config-size", false,
		  "A configuration space of 16 bytes in any case"),
	{FIELD_AT(BALLOON, poll_interval, "guest-stats-polling-interval", FIELD_INT,
		  FIELD_IS_INT(BALLOON, poll_interval),
		  "Seconds between requests for statistics; 0: none"),
	 .flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_LIVE, .set = set_poll_interval},
	{FIELD_AT(BALLOON, guest_stats, "guest-stats", FIELD_STRUCT, sizeof(struct guest_stats),
		  "The guest's statistics"),
	 .flags = FIELD_OPTIONAL | FIELD_READONLY, .sub = &guest_stats_set},
	FIELD_ROW_END,
};

static const struct field balloon_state[] = {
	SAVE_UINT(BALLOON, num_pages),
	SAVE_UINT(BALLOON, actual),
	SAVE_UINT(BALLOON, poison),
	SAVE_UINT(BALLOON, hint_command),
	SAVE_UINT(BALLOON, next_hint),
	SAVE_ENUM(BALLOON, hint_state),
	SAVE_TIMER(BALLOON, poll),
	SAVE_CUSTOM(BALLOON, stats_chain, &virtio_chain_custom),
	SAVE_STRUCT(BALLOON, guest_stats, &guest_stats_set),
	FIELD_ROW_END,
};

static const struct virtio_info balloon_info = {
	.id = VIRTIO_ID_BALLOON,
	.features = balloon_features,
	.get_config = balloon_get_config,
	.set_config = balloon_set_config,
	.reset = balloon_reset,
	.queue_reset = balloon_queue_reset,
};

const struct device_type virtio_balloon_type = {
	.name = "virtio-balloon-device",
	.help = "Memory balloon by virtio",
	.base = &virtio_device_type,
	.size = sizeof(BALLOON),
	.flags = TYPE_USER_CREATABLE,
	.props = balloon_props,
	.state = balloon_state,
	.class_data = &balloon_info,
	.init = balloon_init,
	.realize = balloon_realize,
	.unrealize = balloon_unrealize,
	.post_load = balloon_post_load,
};
