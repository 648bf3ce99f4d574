/* What a device wrote into a chain is logged as dirty, whatever has become of the chain's queue meanwhile. */
#include "base/checked.h"
#include "event/lock.h"
#include "hw/bus/virtio/internal.h"
#include "machine/runstate.h"
#include "mem/ram.h"

#define PAGE     4096
#define RAM_SIZE (16 * PAGE)
#define AVAIL    (1 * PAGE)
#define USED     (2 * PAGE)
#define BUFFERS  (8 * PAGE)
#define COUNT    4

struct bench {
	struct region root, ram_region;
	struct address_space as;
	struct ram_block *ram;
	struct virtio_transport t;
	struct virtio_device v;
	struct virtqueue *q;
	struct virtio_chain *chain[COUNT];
};

static void ignore_vector(struct virtio_transport *t, uint16_t vector)
{
}

static const struct virtio_transport_ops transport_ops = {.notify = ignore_vector};

static void store(struct bench *b, uint64_t addr, uint64_t value, unsigned size)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	g_assert_cmpint(as_write(&b->as, addr, bytes, size), ==, MEM_OK);
}

/* Each chain is a page to write. */
static void make_ring(struct bench *b)
{
	for (unsigned i = 0; i < COUNT; i++) {
		store(b, i * VRING_DESC_SIZE, BUFFERS + i * PAGE, 8);
		store(b, i * VRING_DESC_SIZE + 8, PAGE, 4);
		store(b, i * VRING_DESC_SIZE + 12, VRING_DESC_WRITE, 2);
		store(b, AVAIL + VRING_AVAIL_RING + 2 * i, i, 2);
	}
	store(b, AVAIL + VRING_AVAIL_IDX, COUNT, 2);
	b->q->addr[RING_DRIVER] = AVAIL;
	b->q->addr[RING_DEVICE] = USED;
	virtqueue_enable(b->q);
}

/* All chains popped and written, nothing logged yet. */
static void bench_init(struct bench *b, uint64_t features)
{
	*b = (struct bench){.t = {.ops = &transport_ops, .dma = &b->as}};
	b->ram = ram_new("ram", RAM_SIZE, &(struct ram_options){0}, NULL);
	region_init_container(&b->root, NULL, "root", RAM_SIZE);
	region_init_ram(&b->ram_region, NULL, "ram", b->ram, 0, RAM_SIZE);
	region_add(&b->root, 0, &b->ram_region, 0);
	address_space_init(&b->as, "memory", &b->root);
	b->v.dev.type = &virtio_device_type;
	b->v.info = &(const struct virtio_info){0};
	b->v.transport = &b->t;
	b->v.features = features;
	b->v.queues = g_ptr_array_new_with_free_func((GDestroyNotify)virtqueue_free);
	b->q = virtio_add_queue(&b->v, COUNT, NULL);
	make_ring(b);
	for (unsigned i = 0; i < COUNT; i++) {
		b->chain[i] = virtqueue_pop(b->q, sizeof(*b->chain[i]));
		g_assert_nonnull(b->chain[i]);
	}
	dirty_start(b->ram, DIRTY_MIGRATION, false);
	for (unsigned i = 0; i < COUNT; i++)
		g_assert_cmpuint(virtio_chain_write(b->chain[i], 0, "x", 1), ==, 1);
}

static void bench_cleanup(struct bench *b)
{
	dirty_stop(b->ram, DIRTY_MIGRATION);
	g_ptr_array_unref(b->v.queues);
	address_space_cleanup(&b->as);
	region_cleanup(&b->ram_region);
	region_cleanup(&b->root);
	ram_unref(b->ram);
}

static void assert_dirty(struct bench *b, unsigned chain)
{
	g_assert_true(dirty_test_and_clear(b->ram, DIRTY_MIGRATION, BUFFERS + chain * PAGE, PAGE));
}

static void test_pushed(void)
{
	struct bench b;

	bench_init(&b, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		virtqueue_push(b.chain[i], 1);
		assert_dirty(&b, i);
	}
	bench_cleanup(&b);
}

static void test_reset_first(void)
{
	struct bench b;

	bench_init(&b, 0);
	virtqueue_reset(b.q);
	for (unsigned i = 0; i < COUNT; i++) {
		virtqueue_push(b.chain[i], 1);
		assert_dirty(&b, i);
	}
	bench_cleanup(&b);
}

static void test_broken(void)
{
	struct bench b;

	bench_init(&b, 0);
	virtio_fault(&b.v, "a mistake");
	for (unsigned i = 0; i < COUNT; i++) {
		virtqueue_push(b.chain[i], 1);
		assert_dirty(&b, i);
	}
	bench_cleanup(&b);
}

/* IN_ORDER: chains that are done wait for the first, which never comes. */
static void test_reset_while_waiting(void)
{
	struct bench b;

	bench_init(&b, BIT64(VIRTIO_F_IN_ORDER));
	for (unsigned i = 1; i < COUNT; i++)
		virtqueue_push(b.chain[i], 1);
	virtqueue_reset(b.q);
	for (unsigned i = 1; i < COUNT; i++)
		assert_dirty(&b, i);
	virtqueue_drop(b.chain[0]);
	bench_cleanup(&b);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	machine_lock();
	runstate_set(RUN_STATE_RUNNING);
	g_test_add_func("/virtio-dirty/pushed", test_pushed);
	g_test_add_func("/virtio-dirty/reset-first", test_reset_first);
	g_test_add_func("/virtio-dirty/broken", test_broken);
	g_test_add_func("/virtio-dirty/reset-while-waiting", test_reset_while_waiting);
	return g_test_run();
}
