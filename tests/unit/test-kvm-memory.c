/*
 * Memory slots against the flat view, doorbells, coalesced writes, dirty logging by bitmap and ring.
 */
#include "kvm-harness.h"

#define PAGE 4096

/* ---- Slots ---- */

/* Reads and writes F000:0 and 9000:0800; results at 500h. */
GUEST(touch, "mov $0xe000, %ax; mov %ax, %es; es movl 0, %eax; movl %eax, 0x500;"
	     "es movl $0x55555555, 0; es movl 0, %eax; movl %eax, 0x504;"
	     "mov $0x9000, %ax; mov %ax, %es; es movl 0x800, %eax; movl %eax, 0x508;"
	     "es movl $0x66666666, 0x800; es movl 0x800, %eax; movl %eax, 0x50c;"
	     "out %al, $0xf4");

static uint32_t result(struct harness *h, unsigned i)
{
	return ((uint32_t *)(h->ram->host + 0x500))[i];
}

static struct ram_block *filled_ram(const char *name, uint64_t size, uint8_t byte)
{
	struct ram_block *ram = ram_new(name, size, NULL, NULL);

	memset(ram->host, byte, size);
	return ram;
}

static void test_rom(void)
{
	struct harness *h = harness_new(NULL);
	struct ram_block *ram;
	struct region rom;

	if (!h)
		return;
	ram = filled_ram("rom", 0x10000, 0x11);
	region_init_rom(&rom, NULL, "rom", ram, 0, 0x10000);
	machine_lock();
	region_add(&h->memory_root, 0xe0000, &rom, 1);
	machine_unlock();
	guest_play(h, &guest_touch);
	g_assert_cmphex(result(h, 0), ==, 0x11111111);
	g_assert_cmphex(result(h, 1), ==, 0x11111111); /* the write went nowhere */
	g_assert_cmphex(ram->host[0], ==, 0x11);
	machine_lock();
	region_set_enabled(&rom, false);
	machine_unlock();
	guest_play(h, &guest_touch);
	g_assert_cmphex(result(h, 0), ==, 0); /* the RAM below it */
	g_assert_cmphex(result(h, 1), ==, 0x55555555);
	machine_lock();
	region_cleanup(&rom);
	ram_unref(ram);
	machine_unlock();
	harness_free(h);
}

/* A range that begins and ends in the middle of pages cannot be a slot and works all the same. */
static void test_unaligned(void)
{
	struct harness *h = harness_new(NULL);
	struct ram_block *ram;
	struct region odd;

	if (!h)
		return;
	ram = filled_ram("odd", 0x2000, 0x22);
	region_init_ram(&odd, NULL, "odd", ram, 0x400, 0x1000);
	machine_lock();
	region_add(&h->memory_root, 0x90400, &odd, 1);
	machine_unlock();
	guest_play(h, &guest_touch);
	g_assert_cmphex(result(h, 2), ==, 0x22222222);
	g_assert_cmphex(result(h, 3), ==, 0x66666666);
	g_assert_cmphex(ram->host[0x800], ==, 0x66);
	g_assert_cmphex(ram->host[0x804], ==, 0x22);
	g_assert_cmphex(h->ram->host[0x90800], ==, 0);
	machine_lock();
	region_cleanup(&odd);
	ram_unref(ram);
	machine_unlock();
	harness_free(h);
}

static void test_slots_come_and_go(void)
{
	struct harness *h = harness_new(NULL);
	struct region holes[8];
	unsigned before;

	if (!h)
		return;
	before = h->accel->ops->free_slots(h->accel);
	machine_lock();
	mem_begin();
	for (unsigned i = 0; i < 8; i++) {
		region_init_alias(&holes[i], NULL, "hole", &h->mmio_register, 0, PAGE);
		region_add(&h->memory_root, 0x100000 + i * 0x10000, &holes[i], 1);
	}
	mem_commit();
	g_assert_cmpuint(h->accel->ops->free_slots(h->accel), ==, before - 8);
	mem_begin();
	for (unsigned i = 0; i < 8; i++)
		region_cleanup(&holes[i]);
	mem_commit();
	machine_unlock();
	g_assert_cmpuint(h->accel->ops->free_slots(h->accel), ==, before);
	guest_play(h, &guest_touch);
	harness_free(h);
}

/* ---- The map changes under a running guest ---- */

GUEST(busy, "1: incl 0x500; call 2f; jmp 1b; 2: push %ax; pop %ax; ret");

struct runner {
	struct harness *h;
	int stop, failed;
};

static void *run_busy(void *opaque)
{
	struct runner *r = opaque;

	harness_make_cpu(r->h);
	guest_load(r->h, &guest_busy);
	while (!g_atomic_int_get(&r->stop)) {
		__atomic_store_n(&r->h->cpu.exit_request, 0, __ATOMIC_SEQ_CST);
		if (r->h->accel->ops->vcpu_run(&r->h->cpu) != RUN_KICKED) {
			g_atomic_int_set(&r->failed, 1);
			break;
		}
	}
	r->h->accel->ops->vcpu_destroy(&r->h->cpu);
	return NULL;
}

static void flip_map(struct harness *h)
{
	struct region overlay;

	region_init_alias(&overlay, NULL, "overlay", &h->mmio_register, 0, PAGE);
	machine_lock();
	region_add(&h->memory_root, 0x90000, &overlay, 1); /* splits the slot the guest runs in */
	machine_unlock();
	g_usleep(100);
	machine_lock();
	region_cleanup(&overlay);
	machine_unlock();
}

static void test_change_while_running(void)
{
	struct harness *h = harness_new_without_cpu(NULL);
	struct runner r = {.h = h};
	volatile uint32_t *counter;
	GThread *thread;
	uint32_t seen;

	if (!h)
		return;
	counter = (uint32_t *)(h->ram->host + 0x500);
	thread = g_thread_new("CPU 0/KVM", run_busy, &r);
	while (!*counter)
		g_usleep(100);
	for (unsigned i = 0; i < 300 && !g_atomic_int_get(&r.failed); i++)
		flip_map(h);
	seen = *counter;
	while (*counter == seen && !g_atomic_int_get(&r.failed))
		g_usleep(100);
	g_assert_false(g_atomic_int_get(&r.failed));
	g_atomic_int_set(&r.stop, 1);
	__atomic_store_n(&h->cpu.exit_request, 1, __ATOMIC_SEQ_CST);
	h->accel->ops->vcpu_kick(&h->cpu);
	g_thread_join(thread);
	harness_free(h);
}

/* ---- Doorbells ---- */

GUEST(ring, "mov $7, %ax; out %ax, $0x12; mov $8, %ax; out %ax, $0x12; out %al, $0x14;"
	    "out %al, $0xf4");

static void add_bell(struct harness *h, struct notifier *n, struct doorbell *bell)
{
	notifier_init(n, NULL);
	bell->notifier = n;
	machine_lock();
	region_add_doorbell(&h->io_register, bell);
	machine_unlock();
}

static void remove_bell(struct harness *h, struct doorbell *bell)
{
	machine_lock();
	region_remove_doorbell(&h->io_register, bell);
	machine_unlock();
}

static void test_doorbells(void)
{
	struct harness *h = harness_new(NULL);
	struct doorbell match = {.offset = 2, .size = 2, .match_data = true, .data = 7};
	struct doorbell any = {.offset = 4};
	struct notifier n_match, n_any;

	if (!h)
		return;
	add_bell(h, &n_match, &match);
	add_bell(h, &n_any, &any);
	guest_play(h, &guest_ring);
	g_assert_true(notifier_test_and_clear(&n_match));
	g_assert_true(notifier_test_and_clear(&n_any));
	/* only the value that did not match arrived */
	g_assert_cmpuint(h->accesses->len, ==, 1);
	g_assert_cmphex(g_array_index(h->accesses, struct access, 0).value, ==, 8);
	remove_bell(h, &match);
	remove_bell(h, &any);
	g_array_set_size(h->accesses, 0);
	guest_play(h, &guest_ring);
	g_assert_false(notifier_test_and_clear(&n_match));
	g_assert_cmpuint(h->accesses->len, ==, 3);
	notifier_cleanup(&n_match);
	notifier_cleanup(&n_any);
	harness_free(h);
}

/* ---- Coalesced writes ---- */

GUEST(batch, "mov $0xb800, %ax; mov %ax, %es; mov $'a', %al; es mov %al, 0; inc %al;"
	     "es mov %al, 1; inc %al; es mov %al, 2; out %al, $0x10; inc %al; es mov %al, 3;"
	     "out %al, $0xf4");

static void test_coalesced(void)
{
	struct harness *h = harness_new(NULL);
	struct region screen;

	if (!h)
		return;
	region_init_alias(&screen, NULL, "screen", &h->mmio_register, 0, PAGE);
	machine_lock();
	region_add_coalesced(&h->mmio_register, 0, PAGE);
	region_add(&h->memory_root, 0xb8000, &screen, 1);
	machine_unlock();
	guest_play(h, &guest_batch);
	g_assert_cmpuint(h->accesses->len, ==, 5);
	/* a b c to the screen, c to the port, d to the screen: as the guest did it */
	for (unsigned i = 0; i < 5; i++)
		g_assert_cmphex(g_array_index(h->accesses, struct access, i).value, ==, "abccd"[i]);
	machine_lock();
	region_cleanup(&screen);
	machine_unlock();
	harness_free(h);
}

/* ---- Dirty logging ---- */

/* Writes one byte in each of 200 pages from 64 KiB on, and one in page 3. */
GUEST(dirty, "movb $1, 0x3000; mov $0x1000, %ax; mov $200, %cx; 1: mov %ax, %es; es incb 0;"
	     "add $0x100, %ax; jc 2f; loop 1b; 2: out %al, $0xf4");

static uint64_t dirty_pages(struct harness *h, unsigned long *bits)
{
	memset(bits, 0, RAM_SIZE / PAGE / 8);
	address_space_sync_log(&h->memory);
	return dirty_snapshot(h->ram, DIRTY_MIGRATION, 0, RAM_SIZE, bits);
}

static bool is_dirty(const unsigned long *bits, unsigned page)
{
	return bits[page / 64] >> page % 64 & 1;
}

static void check_dirty(const char *const *props)
{
	struct harness *h = harness_new(props);
	unsigned long bits[RAM_SIZE / PAGE / 64];

	if (!h)
		return;
	machine_lock();
	dirty_start(h->ram, DIRTY_MIGRATION, false);
	dirty_pages(h, bits); /* where the log begins with all bits set */
	machine_unlock();
	for (unsigned round = 0; round < 2; round++) {
		guest_play(h, &guest_dirty);
		machine_lock();
		g_assert_cmpuint(dirty_pages(h, bits), >=, 201);
		g_assert_true(is_dirty(bits, 3));
		for (unsigned i = 0; i < 200; i++)
			g_assert_true(is_dirty(bits, 16 + i));
		g_assert_false(is_dirty(bits, 8));
		g_assert_false(is_dirty(bits, 300));
		g_assert_cmpuint(dirty_pages(h, bits), ==, 0);
		machine_unlock();
	}
	machine_lock();
	dirty_stop(h->ram, DIRTY_MIGRATION);
	machine_unlock();
	guest_play(h, &guest_dirty);
	harness_free(h);
}

static void test_dirty_bitmap(void)
{
	check_dirty(NULL);
}

static void test_dirty_ring(void)
{
	const char *props[] = {"dirty-ring-size=4096", NULL};

	check_dirty(props);
}

/* More pages than the ring has room for: the vCPU leaves, the ring is emptied, nothing is lost. (It
 * takes its time over each page, because a KVM that emulates looks at the ring only now and then.) */
GUEST(flood,
      "mov $10, %dx; 3: mov $0x1000, %ax; mov $200, %cx; 1: mov %ax, %es; es incb 0;"
      "mov $20, %si; 2: dec %si; jnz 2b; add $0x100, %ax; loop 1b; dec %dx; jnz 3b; out %al, $0xf4");

static void test_dirty_ring_full(void)
{
	const char *props[] = {"dirty-ring-size=256", NULL};
	unsigned long bits[RAM_SIZE / PAGE / 64];
	struct harness *h = harness_new(props);

	if (!h)
		return;
	machine_lock();
	dirty_start(h->ram, DIRTY_MIGRATION, false);
	dirty_pages(h, bits);
	machine_unlock();
	guest_play(h, &guest_flood);
	machine_lock();
	dirty_pages(h, bits);
	for (unsigned i = 0; i < 200; i++)
		g_assert_true(is_dirty(bits, 16 + i));
	dirty_stop(h->ram, DIRTY_MIGRATION);
	machine_unlock();
	harness_free(h);
}

/* What was written to a slot that goes away is still reported. */
static void test_dirty_before_delete(void)
{
	unsigned long bits[RAM_SIZE / PAGE / 64];
	struct harness *h = harness_new(NULL);
	struct region overlay;

	if (!h)
		return;
	machine_lock();
	dirty_start(h->ram, DIRTY_MIGRATION, false);
	dirty_pages(h, bits);
	machine_unlock();
	guest_play(h, &guest_dirty);
	region_init_alias(&overlay, NULL, "overlay", &h->mmio_register, 0, PAGE);
	machine_lock();
	region_add(&h->memory_root, 0x3000, &overlay, 1);
	dirty_pages(h, bits);
	g_assert_true(is_dirty(bits, 3));
	g_assert_true(is_dirty(bits, 16));
	region_cleanup(&overlay);
	dirty_stop(h->ram, DIRTY_MIGRATION);
	machine_unlock();
	harness_free(h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	g_test_add_func("/kvm/memory/rom", test_rom);
	g_test_add_func("/kvm/memory/unaligned", test_unaligned);
	g_test_add_func("/kvm/memory/slots-come-and-go", test_slots_come_and_go);
	g_test_add_func("/kvm/memory/change-while-running", test_change_while_running);
	g_test_add_func("/kvm/memory/doorbells", test_doorbells);
	g_test_add_func("/kvm/memory/coalesced", test_coalesced);
	g_test_add_func("/kvm/memory/dirty-bitmap", test_dirty_bitmap);
	g_test_add_func("/kvm/memory/dirty-ring", test_dirty_ring);
	g_test_add_func("/kvm/memory/dirty-ring-full", test_dirty_ring_full);
	g_test_add_func("/kvm/memory/dirty-before-delete", test_dirty_before_delete);
	return g_test_run();
}
