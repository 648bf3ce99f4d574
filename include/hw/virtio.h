/*
 * Virtio: what a device sees of it. Source: VIRTIO 1.2, sections 2 and 3.
 *
 * A virtio device does not know how it is reached. It is a device on a bus of one place that a transport
 * provides: a PCI card (hw/virtio/pci.h) or an MMIO window (hw/virtio/mmio.h). The transport turns its
 * registers into calls of the core; the core calls the device through struct virtio_info.
 *
 * Features. A device offers bits, the driver accepts some. The modern interface freezes them when the driver
 * sets FEATURES_OK, which the core refuses when a bit was never offered; `features` is valid from
 * then on. The legacy interface knows 32 bits and takes them as they are written. VERSION_1 among
 * `features` tells which of the two the driver speaks.
 *
 * Queues. A virtqueue is a ring in guest memory through which the driver makes chains of buffers available:
 * first those the device reads ("out"), then those it writes ("in"). The device pops a chain, works on
 * it for as long as it likes, and pushes it back with the number of bytes written, in any order unless
 * IN_ORDER was accepted: then the core holds chains back until it is their turn.
 *
 *	Split ring: a table of descriptors (address, length, next), an available ring that the driver
 *	writes (indices of first descriptors, and how many so far), a used ring that the device writes.
 *	Packed ring: one array of descriptors that both write. Two flag bits, AVAIL and USED, say whose a
 *	descriptor is: the driver sets AVAIL to its wrap counter (toggled each round) and USED to the opposite,
 *	the device sets both to its own. A used descriptor names its chain by a buffer ID.
 *	Indirect: a descriptor may stand for a table of descriptors elsewhere in memory.
 *
 * Notifications. The driver kicks a queue by a register write, mostly an ioeventfd; the device interrupts.
 * Both sides can ask the other not to: by a flag, or (EVENT_IDX) by naming the index at which they want to
 * be told next. virtqueue_set_kicks() and virtqueue_notify() look after it.
 *
 * Mistakes. Every index, length and address comes from a guest that may lie. A broken ring is never
 * guessed at: virtio_fault() stops the device, sets DEVICE_NEEDS_RESET and interrupts; only a reset heals.
 * A chain that was popped before a reset may still be pushed, it is then just forgotten. A queue's reset
 * (RING_RESET) is the same for one queue. Reset callbacks drop the chains the device holds.
 *
 * Threads. Registers come under the machine lock. Queue handlers run on the queue's loop: the main loop, or an
 * iothread's, where they run under that loop's lock and not the machine's, and raise interrupts without it; pop,
 * push and notify take no lock of their own and are for that thread only, while the queue runs. Whoever touches
 * what a handler touches from elsewhere does so within VIRTIO_HOLD(); the core calls started(), reset() and
 * queue_reset() so. Rings are mapped once and mapped anew, on that same thread, after a listener said that
 * memory changed.
 */
#ifndef HW_VIRTIO_H
#define HW_VIRTIO_H

#include <sys/uio.h>
#include "abi/virtio.h"
#include "device/device.h"
#include "event/loop.h"
#include "mem/space.h"

struct virtio_device;
struct virtio_transport;
struct virtqueue;
struct ring_ops;

/* ---- Chains ---- */

/* Buffers of one request, as host memory. A device's request structure may begin with it. */
struct virtio_chain {
	struct virtqueue *queue;
	unsigned out_count, in_count;
	uint64_t out_size, in_size; /* bytes, together at most 4 GiB */
	struct iovec *out, *in;

	/* The core's */
	uint16_t id;    /* split: first descriptor; packed: buffer ID */
	uint16_t slots; /* packed: descriptors in the ring */
	unsigned epoch; /* of the queue when it was popped */
	bool done;      /* pushed, but waits for its turn */
	uint32_t written;
	struct as_mapping *maps; /* of out, then of in */
	uint64_t *addrs;
};

/*
 * The next chain the driver made available, in a zeroed structure of @size bytes that begins with struct
 * virtio_chain; NULL: none, or the ring is broken. Freed by push or drop, with g_free().
 */
void *virtqueue_pop(struct virtqueue *q, size_t size);
/* Gives it back: @written bytes of its in-buffers are valid. The guest hears of it by virtqueue_notify(). */
void virtqueue_push(struct virtio_chain *chain, uint64_t written);
/* Gives it up: at reset, or when the device goes away. The driver does not get it back. */
void virtqueue_drop(struct virtio_chain *chain);
/* As if it had never been popped; only for the chain popped last. */
void virtqueue_unpop(struct virtio_chain *chain);

/* Copies out of the out-buffers, or into the in-buffers, from byte @offset on. Returns the bytes copied. */
size_t virtio_chain_read(const struct virtio_chain *chain, uint64_t offset, void *buf, size_t len);
size_t virtio_chain_write(const struct virtio_chain *chain, uint64_t offset, const void *buf,
			  size_t len);

/*
 * Saved state of a held chain: a row SAVE_CUSTOM(struct x, chain, &virtio_chain_custom) for a struct
 * virtio_chain *, and in post_load virtio_chain_restore(), which checks and maps it. False with an error.
 */
extern const struct field_custom virtio_chain_custom;
bool virtio_chain_restore(struct virtio_device *v, struct virtio_chain **chain, GError **errp);

/* ---- Queues ---- */

typedef void virtqueue_fn(struct virtqueue *q);

enum { RING_DESC, RING_DRIVER, RING_DEVICE, RING_AREAS };

struct virtqueue {
	struct virtio_device *vdev;
	unsigned index;
	virtqueue_fn *handle; /* the driver kicked; NULL: the device looks by itself */
	struct loop *loop;
	uint16_t max_size;

	/* As the driver set it up */
	uint16_t size, vector;
	bool enabled;
	uint64_t addr[RING_AREAS];

	/* Where we are in the ring */
	uint16_t next_avail, next_used;
	bool avail_wrap, used_wrap; /* packed */
	uint16_t signalled;         /* next_used at the last interrupt */
	bool signalled_wrap, signalled_valid;
	bool no_kicks; /* we asked not to be kicked */

	/* The core's */
	const struct ring_ops *ops;
	struct as_mapping map[RING_AREAS];
	bool mapped;
	int stale; /* atomic: memory changed since it was mapped */
	unsigned epoch, in_flight;
	GQueue order;   /* IN_ORDER: popped chains */
	GArray *pieces; /* of the chain being popped, and their bytes */
	uint64_t bytes;
	struct notifier kick;
	struct fd_watch *watch; /* of the kick; NULL: no doorbell */

	/* iothread.c */
	struct bottom_half *remote; /* passes kicks on; NULL: the main loop's */
	struct loop_poller poller;
	bool watched; /* instead of being kicked */
	bool left;    /* the handler left chains in the ring */
};

static inline bool virtqueue_in_use(const struct virtqueue *q)
{
	return q->enabled;
}

/* It is set up and the guest runs: pop may find something. */
bool virtqueue_ready(const struct virtqueue *q);
/* Nothing available. Also true for a queue that is not ready or is broken. */
bool virtqueue_empty(struct virtqueue *q);
/*
 * Whether the driver shall kick. A handler switches kicks off, works until the queue is empty, switches
 * them on, and looks once more.
 */
void virtqueue_set_kicks(struct virtqueue *q, bool on);
/* Interrupts, if the driver wants to hear of what was pushed. */
void virtqueue_notify(struct virtqueue *q);

/* ---- Devices ---- */

/* class_data of a device type derived from virtio_device_type. Callbacks may be NULL. */
struct virtio_info {
	uint16_t id;          /* enum virtio_id */
	uint16_t config_size; /* bytes of the configuration space, unless realize() sets another */

	/* Bits it offers beside those of the rings. */
	uint64_t (*features)(struct virtio_device *v);
	/* The features the driver accepted are final. */
	void (*features_set)(struct virtio_device *v);

	/* Fills all of the configuration, zeroed before; takes over what the driver changed in it. */
	void (*get_config)(struct virtio_device *v, uint8_t *config);
	void (*set_config)(struct virtio_device *v, const uint8_t *config);

	/* DRIVER_OK, and its end; `status` is the new one. */
	void (*started)(struct virtio_device *v);
	void (*reset)(struct virtio_device *v);
	void (*queue_reset)(struct virtqueue *q); /* NULL: no chains are held */
};

struct virtio_device {
	struct device dev;
	const struct virtio_info *info;
	struct virtio_transport *transport;
	struct loop *loop;    /* of what is no queue's: the main loop */
	GPtrArray *iothreads; /* that serve queues: references; NULL: none */
	unsigned holds;
	unsigned config_size;
	GPtrArray *queues;          /* struct virtqueue * */
	struct mem_listener memory; /* marks rings stale */

	/* Properties */
	bool indirect_desc, event_idx, notify_on_empty, any_layout, iommu_platform, packed,
		queue_reset, in_order, notification_data, use_started, use_disabled_flag,
		disable_legacy_check;

	uint64_t offered; /* by the modern interface */
	uint64_t features, driver_features;
	uint8_t status, isr, generation;
	uint16_t config_vector;
	bool broken, disabled;
	bool doorbells; /* queues have theirs */
	GArray *saved;  /* struct virtqueue_state, between pre_save or load and the next */
};

extern const struct device_type virtio_device_type; /* abstract base */

static inline struct virtio_device *virtio_of(struct device *dev)
{
	return container_of(dev, struct virtio_device, dev);
}

static inline bool virtio_has(const struct virtio_device *v, unsigned feature)
{
	return v->features & BIT64(feature);
}

/* In realize(): adds the next queue, of @size entries at most (1..32768, a power of two). */
struct virtqueue *virtio_add_queue(struct virtio_device *v, uint16_t size, virtqueue_fn *handle);
/* In realize(): lets an iothread (a reference is kept) serve the queue. NULL: the main loop does. */
void virtqueue_set_iothread(struct virtqueue *q, struct device *iothread);
/* By number; NULL if there is no such queue. */
struct virtqueue *virtio_queue(const struct virtio_device *v, unsigned index);

/* Keeps queues of iothreads from running meanwhile; nests. Machine lock; not for handlers. */
void virtio_hold(struct virtio_device *v);
void virtio_release(struct virtio_device *v);
static inline void virtio_release_scope(struct virtio_device **v)
{
	virtio_release(*v);
}
#define VIRTIO_HOLD(_v)                                                                            \
	struct virtio_device *_virtio_held                                                         \
		__attribute__((cleanup(virtio_release_scope), unused)) = (virtio_hold(_v), (_v))

/* The configuration space changed: the driver is told. */
void virtio_config_changed(struct virtio_device *v);

/* The driver broke the rules: see above. The text is for the trace. Any thread that runs a queue. */
void virtio_fault(struct virtio_device *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The memory its addresses mean. */
struct address_space *virtio_dma_space(const struct virtio_device *v);

/* The user's name for it: the card's id; NULL: none. */
const char *virtio_id(const struct virtio_device *v);

#endif
