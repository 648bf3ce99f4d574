/*
 * The vCPU loop: port and memory exits of all sorts, kicks, triple faults, HLT.
 */
#include "base/checked.h"
#include "kvm-harness.h"

static void assert_access(struct harness *h, guint i, bool is_write, uint64_t offset, unsigned size,
			  uint64_t value)
{
	const struct access *a = &g_array_index(h->accesses, struct access, i);

	g_assert_cmpuint(h->accesses->len, >, i);
	g_assert_cmpint(a->is_write, ==, is_write);
	g_assert_cmphex(a->offset, ==, offset);
	g_assert_cmpuint(a->size, ==, size);
	g_assert_cmphex(a->value, ==, value);
}

/* ---- Ports ---- */

GUEST(widths, "movl $0x44332211, %eax; out %al, $0x10; out %ax, $0x12; outl %eax, $0x14;"
	      "outl %eax, $0x11; in $0x10, %al; in $0x12, %ax; movl %eax, 0x500;"
	      "inl $0x14, %eax; movl %eax, 0x504; out %al, $0xf4");

static void test_pio_widths(void)
{
	struct harness *h = harness_new(NULL);
	uint32_t *out;

	if (!h)
		return;
	h->next_read = 0xaabbccdd;
	guest_play(h, &guest_widths);
	assert_access(h, 0, true, 0, 1, 0x11);
	assert_access(h, 1, true, 2, 2, 0x2211);
	assert_access(h, 2, true, 4, 4, 0x44332211);
	assert_access(h, 3, true, 1, 4, 0x44332211);
	assert_access(h, 4, false, 0, 1, 0xaabbccdd);
	assert_access(h, 5, false, 2, 2, 0xaabbccdd);
	assert_access(h, 6, false, 4, 4, 0xaabbccdd);
	out = (uint32_t *)(h->ram->host + 0x500);
	g_assert_cmphex(out[0], ==, 0x4433ccdd); /* 16 bits leave the upper half alone */
	g_assert_cmphex(out[1], ==, 0xaabbccdd);
	harness_free(h);
}

GUEST(strings,
      "cld; mov $0xe9, %dx; call 1f; 1: pop %bx; lea (text - 1b)(%bx), %si; mov $5000, %cx; rep outsb;"
      "mov $0x14, %dx; mov $0x600, %di; mov $3, %cx; rep insl;"
      "out %al, $0xf4; text:");

static void test_pio_strings(void)
{
	struct harness *h = harness_new(NULL);
	uint32_t *in;
	size_t at = CODE_AT + (guest_strings.end - guest_strings.start);

	if (!h)
		return;
	guest_load(h, &guest_strings);
	for (unsigned i = 0; i < 5000; i++)
		h->ram->host[at + i] = 'a' + i % 26;
	h->next_read = 0x12345678;
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpuint(h->console->len, ==, 5000);
	for (unsigned i = 0; i < 5000; i++)
		g_assert_cmpint(h->console->str[i], ==, 'a' + i % 26);
	in = (uint32_t *)(h->ram->host + 0x600);
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmphex(in[i], ==, 0x12345678);
	g_assert_cmphex(in[3], ==, 0);
	harness_free(h);
}

GUEST(absent_port, "mov $0x300, %dx; out %al, (%dx); xor %eax, %eax; inl (%dx), %eax;"
		   "movl %eax, 0x500; out %al, $0xf4");

static void test_absent_port(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_play(h, &guest_absent_port);
	g_assert_cmphex(*(uint32_t *)(h->ram->host + 0x500), ==, 0xffffffff);
	harness_free(h);
}

/* ---- Memory ---- */

/* 16-bit code reaches above 1 MiB with 32-bit addresses once limits are 4 GiB. */
static void be_big_real(struct harness *h)
{
	for (unsigned i = S_ES; i <= S_GS; i++) {
		if (i == S_CS)
			continue;
		h->cpu.state.seg[i].limit = UINT32_MAX;
		h->cpu.state.seg[i].attr |= SEG_ATTR_G;
	}
}

GUEST(mmio, "movl $0x1000000, %ebx; movl $0x44332211, %eax; addr32 mov %al, 1(%ebx);"
	    "addr32 mov %ax, 2(%ebx); addr32 movl %eax, 8(%ebx); addr32 movl 0x10(%ebx), %ecx;"
	    "movl %ecx, 0x500; addr32 movl -0x1000(%ebx), %ecx; movl %ecx, 0x504;"
	    "addr32 movl %eax, -0x1000(%ebx); out %al, $0xf4");

static void test_mmio(void)
{
	struct harness *h = harness_new(NULL);
	uint32_t *out;

	if (!h)
		return;
	h->next_read = 0xcafe0123;
	guest_load(h, &guest_mmio);
	be_big_real(h);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	assert_access(h, 0, true, 1, 1, 0x11);
	assert_access(h, 1, true, 2, 2, 0x2211);
	assert_access(h, 2, true, 8, 4, 0x44332211);
	assert_access(h, 3, false, 0x10, 4, 0xcafe0123);
	g_assert_cmpuint(h->accesses->len, ==, 4);
	out = (uint32_t *)(h->ram->host + 0x500);
	g_assert_cmphex(out[0], ==, 0xcafe0123);
	g_assert_cmphex(out[1], ==, 0xffffffff); /* nothing is there */
	harness_free(h);
}

/* Half of the access is the last bytes of a page of registers, half is nothing. */
GUEST(mmio_cross, "movl $0x1000ffe, %ebx; movl $0x44332211, %eax; addr32 movl %eax, (%ebx);"
		  "addr32 movl (%ebx), %eax; movl %eax, 0x500; out %al, $0xf4");

static void test_mmio_across_pages(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	h->next_read = 0xbeef;
	guest_load(h, &guest_mmio_cross);
	be_big_real(h);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	assert_access(h, 0, true, 0xffe, 2, 0x2211);
	g_assert_cmphex(*(uint32_t *)(h->ram->host + 0x500), ==, 0xffffbeef);
	harness_free(h);
}

/* ---- Ends ---- */

GUEST(triple_fault, "lidt 0x600; mov %cr0, %eax; or $1, %al; mov %eax, %cr0; ud2");

static void test_triple_fault(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_load(h, &guest_triple_fault); /* the limit at 600h is 0: no vector fits */
	g_assert_cmpint(guest_run(h), ==, RUN_SHUTDOWN);
	/* and after a reset the same vCPU runs again */
	guest_play(h, &guest_absent_port);
	harness_free(h);
}

/* A stop request is obeyed before the guest runs, and the instruction under way is completed. */
GUEST(counting, "1: out %al, $0xf4; inc %ax; jmp 1b");

static void test_stop_is_complete(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_load(h, &guest_counting);
	for (unsigned i = 0; i < 10; i++) {
		g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
		g_assert_true(h->accel->ops->vcpu_get_state(&h->cpu, NULL));
		/* behind the OUT, not on it */
		g_assert_cmphex(h->cpu.state.rip, ==, CODE_AT + 2);
		g_assert_cmphex(h->cpu.state.gpr[R_AX] & 0xffff, ==, i);
	}
	h->cpu.exit_request = 1;
	g_assert_cmpint(h->accel->ops->vcpu_run(&h->cpu), ==, RUN_KICKED);
	g_assert_true(h->accel->ops->vcpu_get_state(&h->cpu, NULL));
	g_assert_cmphex(h->cpu.state.gpr[R_AX] & 0xffff, ==, 9);
	harness_free(h);
}

/* ---- Kicks ---- */

GUEST(spin, "1: jmp 1b");
GUEST(sleep, "cli; hlt; 1: jmp 1b");

struct kicker {
	struct harness *h;
	int ready, rounds; /* atomic */
};

#define KICKS 2000

/* Kicks, and waits for the answer: a kick that got lost would never be answered. */
static void *kick_often(void *opaque)
{
	struct kicker *k = opaque;

	while (!g_atomic_int_get(&k->ready))
		g_usleep(100);
	for (int i = 0; i < KICKS; i++) {
		__atomic_store_n(&k->h->cpu.exit_request, 1, __ATOMIC_SEQ_CST);
		k->h->accel->ops->vcpu_kick(&k->h->cpu);
		while (g_atomic_int_get(&k->rounds) <= i)
			g_thread_yield();
		if (i % 3)
			g_usleep(i % 7 * 10);
	}
	return NULL;
}

static void kicked_guest(const struct guest_code *code)
{
	struct harness *h = harness_new(NULL);
	struct kicker k = {.h = h};
	GThread *thread;

	if (!h)
		return;
	guest_load(h, code);
	thread = g_thread_new("kicker", kick_often, &k);
	h->cpu.exit_request = 0;
	g_atomic_int_set(&k.ready, 1);
	for (int i = 0; i < KICKS; i++) {
		while (!__atomic_load_n(&h->cpu.exit_request, __ATOMIC_SEQ_CST))
			g_assert_cmpint(h->accel->ops->vcpu_run(&h->cpu), ==, RUN_KICKED);
		__atomic_store_n(&h->cpu.exit_request, 0, __ATOMIC_SEQ_CST);
		g_atomic_int_inc(&k.rounds);
	}
	g_thread_join(thread);
	harness_free(h);
}

static void test_kick_running(void)
{
	kicked_guest(&guest_spin);
}

static void test_kick_halted(void)
{
	kicked_guest(&guest_sleep);
}

/* ---- NMI wakes from HLT ---- */

GUEST(nmi, "cli; 1: hlt; jmp 1b; nmi_handler: mov $'n', %al; out %al, $0xe9; out %al, $0xf4");
extern const uint8_t nmi_handler[];

static void *kick_later(void *opaque)
{
	struct harness *h = opaque;

	g_usleep(20000);
	__atomic_store_n(&h->cpu.exit_request, 1, __ATOMIC_SEQ_CST);
	h->accel->ops->vcpu_kick(&h->cpu);
	return NULL;
}

static void test_nmi(void)
{
	struct harness *h = harness_new(NULL);
	GThread *thread;

	if (!h)
		return;
	guest_load(h, &guest_nmi);
	put_le16(h->ram->host + 8, CODE_AT + (nmi_handler - guest_nmi.start));
	thread = g_thread_new("kicker", kick_later, h);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_thread_join(thread);
	g_assert_true(h->accel->ops->vcpu_inject_nmi(&h->cpu));
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpstr(h->console->str, ==, "n");
	harness_free(h);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	g_test_add_func("/kvm/run/pio-widths", test_pio_widths);
	g_test_add_func("/kvm/run/pio-strings", test_pio_strings);
	g_test_add_func("/kvm/run/absent-port", test_absent_port);
	g_test_add_func("/kvm/run/mmio", test_mmio);
	g_test_add_func("/kvm/run/mmio-across-pages", test_mmio_across_pages);
	g_test_add_func("/kvm/run/triple-fault", test_triple_fault);
	g_test_add_func("/kvm/run/stop-is-complete", test_stop_is_complete);
	g_test_add_func("/kvm/run/kick-running", test_kick_running);
	g_test_add_func("/kvm/run/kick-halted", test_kick_halted);
	g_test_add_func("/kvm/run/nmi", test_nmi);
	return g_test_run();
}
