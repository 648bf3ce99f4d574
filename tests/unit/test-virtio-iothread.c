/*
 * A queue that an iothread serves: a device of the test's own, which counts its chains into them, behind an MMIO
 * window of the bench. The driver runs on the main thread and plays by the rules of kicks.
 */
#include "../qtest/libqtest-virtio.h"
#include "event/lock.h"
#include "hw/virtio/mmio.h"
#include "machine/iothread.h"
#include "machine/runstate.h"
#include "trial-bench.h"

#define WINDOW 0xfeb00000
#define MEMORY 0x10000
#define BUFFER 0x80000
#define QUEUE  16

struct echo {
	struct virtio_device v;
	struct virtqueue *q;
	struct device *iothread;
	uint32_t count; /* chains so far; of the queue */
	uint32_t resets;
};

static void echo_kicked(struct virtqueue *q)
{
	struct echo *e = container_of(q->vdev, struct echo, v);
	struct virtio_chain *chain;

	g_assert_true(loop_current() == iothread_loop(e->iothread));
	g_assert_false(machine_locked());
	while ((chain = virtqueue_pop(q, sizeof(*chain)))) {
		uint8_t bytes[4];

		put_le32(bytes, ++e->count);
		virtqueue_push(chain, virtio_chain_write(chain, 0, bytes, sizeof(bytes)));
		virtqueue_notify(q);
	}
}

static bool echo_realize(struct device *dev, GError **errp)
{
	struct echo *e = container_of(dev, struct echo, v.dev);

	e->q = virtio_add_queue(&e->v, QUEUE, echo_kicked);
	virtqueue_set_iothread(e->q, e->iothread);
	return true;
}

static void echo_reset(struct virtio_device *v)
{
	struct echo *e = container_of(v, struct echo, v);

	e->count = 0;
	e->resets++;
}

static const struct virtio_info echo_info = {.id = VIRTIO_ID_RNG, .reset = echo_reset};
static const struct device_type echo_type = {
	.name = "echo-device",
	.help = "Counts its chains",
	.base = &virtio_device_type,
	.size = sizeof(struct echo),
	.class_data = &echo_info,
	.realize = echo_realize,
};

/* ---- The driver ---- */

static uint64_t io_read(void *opaque, bool port, uint64_t addr, unsigned size)
{
	uint64_t value = 0;

	as_load(&bench()->memory, NULL, addr, size, &value);
	return value;
}

static void io_write(void *opaque, bool port, uint64_t addr, unsigned size, uint64_t value)
{
	as_store(&bench()->memory, NULL, addr, size, value);
}

static void io_copy(void *opaque, uint64_t addr, void *buf, size_t len, bool to_guest)
{
	if (to_guest)
		as_write(&bench()->memory, addr, buf, len);
	else
		as_read(&bench()->memory, addr, buf, len);
	/* The ring is read and written by pieces; each is to be seen in its turn. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void io_wait(void *opaque)
{
	loop_run_once(loop_main(), false);
	g_thread_yield();
}

static const struct vdrv_io io = {NULL, io_read, io_write, io_copy, io_wait};

static struct run {
	struct device *iothread, *window;
	struct echo *echo;
	struct vdrv d;
} run;

static void plug(void)
{
	struct device *dev = device_new(&echo_type);

	run.echo = container_of(dev, struct echo, v.dev);
	run.echo->iothread = run.iothread;
	g_assert_true(device_set_text(dev, "packed", "on", NULL));
	g_assert_true(
		device_realize(dev, NULL, NULL, g_ptr_array_index(run.window->buses, 0), NULL));
	device_reset(dev);
}

static void set_up(void)
{
	struct bench *b = bench();
	const struct virtio_mmio_config config = {
		.memory = &b->memory_root, .addr = WINDOW, .dma = &b->memory, .irq = &b->lines[5]};
	GError *err = NULL;

	run.iothread = device_new(&iothread_type);
	g_assert_true(device_realize(run.iothread, tree_container("/objects"), "io0", NULL, &err));
	run.window = device_new(&virtio_mmio_type);
	virtio_mmio_configure(run.window, &config);
	g_assert_true(device_set_text(run.window, "force-legacy", "off", NULL));
	g_assert_true(device_realize(run.window, NULL, NULL, NULL, &err));
	plug();
	vdrv_mmio(&run.d, &io, WINDOW, MEMORY);
}

static struct vq *start(uint64_t features)
{
	struct vq *q;

	run.d.memory = MEMORY;
	g_assert_true(vdrv_negotiate(&run.d, features | BIT64(VIRTIO_F_VERSION_1)));
	q = vq_new(&run.d, 0, 0);
	vdrv_ok(&run.d);
	return q;
}

/* Without EVENT_IDX: whether the device wants to hear. */
static bool may_kick(struct vq *q)
{
	uint16_t flags;

	if (q->packed) {
		vdrv_memread(&run.d, q->device + VRING_EVENT_FLAGS, &flags, 2);
		return flags != VRING_EVENT_DISABLE;
	}
	vdrv_memread(&run.d, q->device + VRING_USED_FLAGS, &flags, 2);
	return !(flags & VRING_NO_NOTIFY);
}

static void add(struct vq *q)
{
	vq_add(q, &(struct vbuf){BUFFER, 4, true}, 1);
}

static void check_round(struct vq *q, uint32_t number)
{
	uint8_t bytes[4];

	g_assert_cmpuint(vq_wait(q, NULL), ==, 4);
	vdrv_memread(&run.d, BUFFER, bytes, 4);
	g_assert_cmpuint(get_le32(bytes), ==, number);
}

/* ---- Tests ---- */

/* Every chain comes back, whether it was kicked for or found. */
static void traffic(uint64_t features, const char *poll_ns)
{
	struct vq *q;
	unsigned spared = 0;

	g_assert_true(device_set_text(run.iothread, "poll-max-ns", poll_ns, NULL));
	q = start(features);
	for (unsigned i = 1; i <= 500; i++) {
		add(q);
		if (may_kick(q))
			vq_kick(q);
		else
			spared++;
		check_round(q, i);
	}
	g_test_message("%u kicks spared", spared);
	if (!strcmp(poll_ns, "0"))
		g_assert_cmpuint(spared, ==, 0);
	vdrv_set_status(&run.d, 0);
	vq_free(q);
}

static void test_kicked(void)
{
	traffic(0, "0");
}

static void test_polled(void)
{
	traffic(0, "1000000");
}

static void test_packed(void)
{
	traffic(BIT64(VIRTIO_F_RING_PACKED), "1000000");
}

/* The interrupt comes by way of the main loop. */
static void test_interrupt(void)
{
	struct vq *q = start(0);

	add(q);
	vq_kick(q);
	check_round(q, 1);
	while (!(bench()->levels & BIT(5)))
		io_wait(NULL);
	g_assert_cmphex(vdrv_isr(&run.d), ==, VIRTIO_ISR_QUEUE);
	g_assert_false(bench()->levels & BIT(5));
	vdrv_set_status(&run.d, 0);
	vq_free(q);
}

/* A reset while the iothread works: then nothing of it is left, and nothing is written any more. */
static void test_resets(void)
{
	for (unsigned i = 0; i < 300; i++) {
		struct vq *q = start((i & 1 ? BIT64(VIRTIO_F_RING_PACKED) : 0) |
				     BIT64(VIRTIO_F_RING_RESET));
		uint8_t before[64], after[64];

		for (unsigned n = 0; n < QUEUE; n++)
			add(q);
		vq_kick(q);
		if (i & 2)
			g_thread_yield();
		if (i & 4) {
			vdrv_write(&run.d, VIRTIO_MMIO_QUEUE_SELECT, 4, 0);
			vdrv_write(&run.d, VIRTIO_MMIO_QUEUE_RESET, 4, 1);
		} else {
			vdrv_set_status(&run.d, 0);
		}
		vdrv_memread(&run.d, q->device, before, sizeof(before));
		g_assert_cmpuint(run.echo->q->in_flight, ==, 0);
		g_thread_yield();
		vdrv_memread(&run.d, q->device, after, sizeof(after));
		g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
		vq_free(q);
	}
	vdrv_set_status(&run.d, 0);
}

/* A broken ring breaks the device from there, and a reset from here heals it. */
static void test_broken(void)
{
	struct vq *q = start(0);

	vq_add(q, &(struct vbuf){UINT64_MAX - 100, 4, true}, 1);
	vq_kick(q);
	while (!(vdrv_status(&run.d) & VIRTIO_STATUS_NEEDS_RESET))
		io_wait(NULL);
	vq_free(q);
	q = start(0);
	add(q);
	vq_kick(q);
	check_round(q, 1);
	vdrv_set_status(&run.d, 0);
	vq_free(q);
}

/* While the guest stands nothing runs; what was kicked meanwhile is found when it goes on. */
static void test_stopped(void)
{
	struct vq *q = start(0);

	runstate_set(RUN_STATE_PAUSED);
	virtio_hold(&run.echo->v);
	virtio_release(&run.echo->v);
	add(q);
	vq_kick(q);
	for (unsigned i = 0; i < 20; i++) {
		uint16_t id;
		uint32_t len;

		io_wait(NULL);
		g_assert_false(vq_get(q, &id, &len));
	}
	runstate_set(RUN_STATE_RUNNING);
	vq_kick(q);
	check_round(q, 1);
	vdrv_set_status(&run.d, 0);
	vq_free(q);
}

/* The device goes, and its iothread after it, with the queue full. */
static void test_unplug(void)
{
	for (unsigned i = 0; i < 50; i++) {
		struct vq *q = start(0);

		for (unsigned n = 0; n < QUEUE; n++)
			add(q);
		vq_kick(q);
		device_unrealize(&run.echo->v.dev);
		plug();
		vq_free(q);
	}
	device_unrealize(&run.echo->v.dev);
	g_assert_cmpint(run.iothread->refs, ==, 1);
	device_unrealize(run.iothread);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	bench();
	runstate_set(RUN_STATE_RUNNING);
	set_up();
	g_test_add_func("/virtio-iothread/kicked", test_kicked);
	g_test_add_func("/virtio-iothread/polled", test_polled);
	g_test_add_func("/virtio-iothread/packed", test_packed);
	g_test_add_func("/virtio-iothread/interrupt", test_interrupt);
	g_test_add_func("/virtio-iothread/resets", test_resets);
	g_test_add_func("/virtio-iothread/broken", test_broken);
	g_test_add_func("/virtio-iothread/stopped", test_stopped);
	g_test_add_func("/virtio-iothread/unplug", test_unplug);
	return g_test_run();
}
