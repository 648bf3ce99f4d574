/*
 * What the KVM accelerator costs: the steps of a start, and the user-space part of a port exit over a
 * loop of nothing but KVM_RUN on the same vCPU. Budgets: 10 ms from process start to the first
 * instruction of a PC, 200 ns an exit. Times of the thread's CPU clock, so a busy host does not count.
 */
#include "../unit/kvm-harness.h"
#include "accel/kvm/kvm.h"

#include <stdio.h>
#include <time.h>

#define EXITS  20000
#define ROUNDS 5

/* AL to a port where nothing is done with it, for ever. */
GUEST(exits, "1: out %al, $0xe8; jmp 1b");

static uint64_t sink_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

/* Counts, and asks for the end after EXITS of them. */
static void sink_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct harness *h = opaque;

	if (++h->next_read % EXITS == 0)
		h->cpu.exit_request = 1;
}

static const struct io_ops sink_ops = {.read = sink_read, .write = sink_write, .lock = LOCK_NONE};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double bare_loop(struct harness *h)
{
	struct kvm_cpu *c = h->cpu.data;
	int64_t start = now_ns();

	c->run->immediate_exit = 0;
	for (unsigned i = 0; i < EXITS; i++)
		kvm_ioctl_n(c->fd, KVM_RUN, 0);
	return (double)(now_ns() - start) / EXITS;
}

static double our_loop(struct harness *h)
{
	int64_t start = now_ns();

	guest_run(h);
	return (double)(now_ns() - start) / EXITS;
}

static void bench_exits(struct harness *h)
{
	double bare = 1e9, ours = 1e9;
	struct region sink;

	region_init_io(&sink, NULL, "sink", &sink_ops, h, 1);
	machine_lock();
	region_add(&h->io_root, 0xe8, &sink, 0);
	machine_unlock();
	guest_load(h, &guest_exits);
	our_loop(h);
	for (unsigned i = 0; i < ROUNDS; i++) {
		bare = MIN(bare, bare_loop(h));
		h->next_read = 0;
		ours = MIN(ours, our_loop(h));
	}
	printf("port exit: KVM_RUN alone %.0f ns, all of it %.0f ns, user space %.0f ns\n", bare,
	       ours, ours - bare);
	machine_lock();
	region_cleanup(&sink);
	machine_unlock();
}

static void bench_probe(void)
{
	struct device *dev = device_new(&kvm_accel_type);
	int64_t start = g_get_monotonic_time();
	bool ok = container_of(dev, struct accel, dev)->ops->probe(false, NULL);

	printf("probe: %.2f ms (%s)\n", (double)(g_get_monotonic_time() - start) / 1000,
	       ok ? "hardware" : "emulated");
	device_unref(dev);
}

int main(int argc, char **argv)
{
	struct harness *h;
	int64_t start;

	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	bench_probe();
	start = g_get_monotonic_time();
	h = harness_new_without_cpu(NULL);
	if (!h)
		return 77;
	printf("VM and chips: %.2f ms\n", (double)(g_get_monotonic_time() - start) / 1000);
	start = g_get_monotonic_time();
	harness_make_cpu(h);
	printf("vCPU: %.2f ms\n", (double)(g_get_monotonic_time() - start) / 1000);
	bench_exits(h);
	start = g_get_monotonic_time();
	harness_free(h);
	printf("end: %.2f ms\n", (double)(g_get_monotonic_time() - start) / 1000);
	return 0;
}
