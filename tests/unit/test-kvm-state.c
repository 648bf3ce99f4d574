/*
 * Registers in and out of the kernel, the kernel's chips as devices, interrupts of every kind,
 * debugging, the probe.
 */
#include "base/checked.h"
#include "event/clock.h"
#include "kvm-harness.h"
#include "state/state.h"

#include <unistd.h>

GUEST(stop, "out %al, $0xf4");
GUEST(hang, "sti; 1: hlt; jmp 1b");

/* A handler that stops the guest, wherever it is called. */
static void set_vector(struct harness *h, unsigned vector, uint16_t ip)
{
	put_le16(h->ram->host + 4 * vector, ip);
	put_le16(h->ram->host + 4 * vector + 2, 0);
}

/* ---- Registers ---- */

static const struct x86_msr *find_msr(const struct x86_state *s, uint32_t index)
{
	for (uint32_t i = 0; i < s->msr_count; i++) {
		if (s->msrs[i].index == index)
			return &s->msrs[i];
	}
	return NULL;
}

static void fill_state(struct x86_state *s)
{
	for (unsigned i = 0; i < 16; i++)
		s->gpr[i] = 0x1111111111111111ULL * i;
	s->seg[S_FS] = (struct x86_segment){0x12340, 0xffff, 0x1234, 0x93};
	s->gdt = (struct x86_dtable){0x5000, 0x27};
	s->idt = (struct x86_dtable){0x6000, 0x3ff};
	s->cr2 = 0xdeadbeef;
	s->dr[0] = 0x4000;
	s->dr[3] = 0x7000;
	s->rflags = 0x246;
	for (unsigned i = 0; i < 8; i++)
		put_le64(s->xsave + 160 + 16 * i, 0x0101010101010101ULL * i); /* XMM0-7 */
	s->events.nmi_masked = true;
	s->events.interrupt_shadow = 1;
}

static void assert_same_state(const struct x86_state *a, const struct x86_state *b)
{
	g_assert_cmpmem(a->gpr, sizeof(a->gpr), b->gpr, sizeof(b->gpr));
	g_assert_cmphex(a->rip, ==, b->rip);
	g_assert_cmphex(a->rflags, ==, b->rflags);
	for (unsigned i = 0; i < S_COUNT; i++) {
		g_assert_cmphex(a->seg[i].base, ==, b->seg[i].base);
		g_assert_cmphex(a->seg[i].limit, ==, b->seg[i].limit);
		g_assert_cmphex(a->seg[i].selector, ==, b->seg[i].selector);
		g_assert_cmphex(a->seg[i].attr & 0xf0ff, ==, b->seg[i].attr & 0xf0ff);
	}
	g_assert_cmphex(a->gdt.base, ==, b->gdt.base);
	g_assert_cmphex(a->idt.limit, ==, b->idt.limit);
	g_assert_cmphex(a->cr2, ==, b->cr2);
	g_assert_cmphex(a->dr[0], ==, b->dr[0]);
	g_assert_cmphex(a->dr[3], ==, b->dr[3]);
	g_assert_cmpmem(a->xsave + 160, 128, b->xsave + 160, 128);
	g_assert_cmpint(a->events.nmi_masked, ==, b->events.nmi_masked);
	/* AMD knows one shadow for both STI and MOV SS */
	g_assert_cmpint(!!a->events.interrupt_shadow, ==, !!b->events.interrupt_shadow);
	g_assert_cmpint(a->mp_state, ==, b->mp_state);
}

static void put(struct harness *h)
{
	g_autoptr(GError) err = NULL;

	h->accel->ops->vcpu_put_state(&h->cpu, &err);
	g_assert_no_error(err);
	h->cpu.state_here = h->cpu.state_full = false;
}

static void get(struct harness *h)
{
	g_autoptr(GError) err = NULL;

	memset(&h->cpu.state, 0xa5, sizeof(h->cpu.state));
	h->accel->ops->vcpu_get_state(&h->cpu, &err);
	g_assert_no_error(err);
}

static void test_registers(void)
{
	struct harness *h = harness_new(NULL);
	g_autofree struct x86_state *before = NULL;

	if (!h)
		return;
	guest_load(h, &guest_stop);
	fill_state(&h->cpu.state);
	before = g_memdup2(&h->cpu.state, sizeof(*before));
	put(h);
	get(h);
	assert_same_state(before, &h->cpu.state);
	/* and once more what was read: a state the kernel gave is one it takes */
	h->cpu.state_full = true;
	put(h);
	harness_free(h);
}

/* A register that the state does not mention gets its value of power-on. */
static void test_msr_defaults(void)
{
	const uint32_t lstar = 0xc0000082;
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_play(h, &guest_stop);
	get(h);
	((struct x86_msr *)find_msr(&h->cpu.state, lstar))->value = 0x123456;
	h->cpu.state_full = true;
	put(h);
	get(h);
	g_assert_cmphex(find_msr(&h->cpu.state, lstar)->value, ==, 0x123456);
	guest_load(h, &guest_stop); /* a reset: no MSRs but a few */
	put(h);
	get(h);
	g_assert_cmphex(find_msr(&h->cpu.state, lstar)->value, ==, 0);
	g_assert_cmphex(find_msr(&h->cpu.state, MSR_PAT)->value, ==, 0x0007040600070406);
	harness_free(h);
}

/* A put that is not full leaves time alone. */
static void test_tsc_is_left_alone(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_play(h, &guest_stop);
	get(h);
	((struct x86_msr *)find_msr(&h->cpu.state, MSR_TSC))->value = 1ULL << 60;
	put(h);
	get(h);
	g_assert_cmpuint(find_msr(&h->cpu.state, MSR_TSC)->value, <, 1ULL << 59);
	harness_free(h);
}

/* ---- Chips ---- */

/* Programs the PICs for vectors 20h and 28h with all but @_mask's lines masked. */
#define PIC_SETUP                                                                                  \
	"cli; mov $0x11, %al; out %al, $0x20; out %al, $0xa0; mov $0x20, %al; out %al, $0x21;"     \
	"mov $0x28, %al; out %al, $0xa1; mov $4, %al; out %al, $0x21; mov $2, %al;"                \
	"out %al, $0xa1; mov $1, %al; out %al, $0x21; out %al, $0xa1;"                             \
	"mov $0, %al; out %al, $0x21; out %al, $0xa1;"

GUEST(irq, PIC_SETUP "out %al, $0xf4; sti; 1: hlt; jmp 1b;"
		     "irq_handler: mov $'i', %al; out %al, $0xe9; mov $0x20, %al;"
		     "out %al, $0x20; out %al, $0xa0; out %al, $0xf4; iret");
extern const uint8_t irq_handler[];

static void load_irq_guest(struct harness *h)
{
	guest_load(h, &guest_irq);
	for (unsigned i = 0x20; i < 0x30; i++)
		set_vector(h, i, CODE_AT + (irq_handler - guest_irq.start));
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
}

static void test_lines(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	load_irq_guest(h);
	h->accel->ops->set_gsi(h->accel, 4, 1);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	h->accel->ops->set_gsi(h->accel, 4, 0);
	g_assert_cmpstr(h->console->str, ==, "i");
	h->accel->ops->set_gsi(h->accel, 11, 1); /* by the second PIC */
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpstr(h->console->str, ==, "ii");
	harness_free(h);
}

static void test_irqfd_line(void)
{
	struct harness *h = harness_new(NULL);
	struct notifier n, resample;

	if (!h)
		return;
	notifier_init(&n, NULL);
	notifier_init(&resample, NULL);
	load_irq_guest(h);
	g_assert_true(h->accel->ops->irqfd_add(h->accel, &n, &resample, 10));
	notifier_set(&n);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpstr(h->console->str, ==, "i");
	g_assert_true(notifier_test_and_clear(&resample)); /* by the end-of-interrupt command */
	h->accel->ops->irqfd_del(h->accel, &n, 10);
	notifier_cleanup(&n);
	notifier_cleanup(&resample);
	harness_free(h);
}

/* Messages need an enabled local APIC: the spurious vector register's bit 8. */
static void enable_lapic(struct harness *h)
{
	put_le32(h->cpu.state.lapic + 0xf0, 0x1ff);
}

static struct msi_message message(uint8_t vector)
{
	return (struct msi_message){.addr = 0xfee00000, .data = vector};
}

static void test_messages(void)
{
	struct msi_message first = message(0x23), second = message(0x24);
	struct harness *h = harness_new(NULL);
	const struct accel_ops *ops;
	struct notifier n;
	int gsi;

	if (!h)
		return;
	ops = h->accel->ops;
	guest_load(h, &guest_hang);
	enable_lapic(h);
	memcpy(h->ram->host + 0x2000, guest_stop.start, 2);
	set_vector(h, 0x23, 0x2000);
	ops->send_msi(h->accel, &first);
	h->cpu.exit_request = 1;
	ops->vcpu_run(&h->cpu); /* puts the state, the local APIC too: what came before is gone */
	ops->send_msi(h->accel, &first);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);

	notifier_init(&n, NULL);
	machine_lock();
	ops->route_begin(h->accel);
	gsi = ops->route_add(h->accel, &first);
	g_assert_cmpint(gsi, >=, 24);
	g_assert_cmpint(ops->route_add(h->accel, &first), !=, gsi);
	ops->route_update(h->accel, gsi, &second);
	ops->route_commit(h->accel);
	g_assert_true(ops->irqfd_add(h->accel, &n, NULL, gsi));
	machine_unlock();
	guest_load(h, &guest_hang);
	enable_lapic(h);
	set_vector(h, 0x23, 0);
	set_vector(h, 0x24, 0x2000);
	h->cpu.exit_request = 1;
	ops->vcpu_run(&h->cpu);
	notifier_set(&n);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	machine_lock();
	ops->irqfd_del(h->accel, &n, gsi);
	ops->route_del(h->accel, gsi);
	g_assert_cmpint(ops->route_add(h->accel, NULL), ==, gsi); /* it can be had again */
	machine_unlock();
	notifier_cleanup(&n);
	harness_free(h);
}

static struct device *chip(const char *type, unsigned nth)
{
	struct device *all = tree_container("/machine/unattached");

	for (guint i = 0; i < all->children->len; i++) {
		struct device *dev = all->children->pdata[i];

		if (!strcmp(dev->type->name, type) && !nth--)
			return dev;
	}
	g_assert_not_reached();
}

static GByteArray *saved(struct device *dev)
{
	GByteArray *out = g_byte_array_new();

	machine_lock();
	state_save_device(dev, out);
	machine_unlock();
	return out;
}

/* The state the guest left, then reset, then loaded again. */
static void round_trip(const char *type, unsigned nth)
{
	struct device *dev = chip(type, nth);
	g_autoptr(GByteArray) before = saved(dev), reset = NULL, after = NULL;
	g_autoptr(GError) err = NULL;

	machine_lock();
	device_reset(dev);
	machine_unlock();
	reset = saved(dev);
	g_assert_false(before->len == reset->len &&
		       !memcmp(before->data, reset->data, before->len));
	machine_lock();
	state_load_device(dev, before->data, before->len, &err);
	machine_unlock();
	g_assert_no_error(err);
	after = saved(dev);
	g_assert_cmpmem(before->data, before->len, after->data, after->len);
}

GUEST(program_chips, PIC_SETUP "mov $0xb8, %al; out %al, $0x21; mov $0x0c, %al; mov $0x4d0, %dx;"
			       "mov $0x20, %al; out %al, (%dx); out %al, $0xf4");

static void test_chips_round_trip(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_play(h, &guest_program_chips);
	round_trip("kvm-i8259", 0);
	round_trip("kvm-i8259", 1);
	harness_free(h);
}

/* The IOAPIC's registers: an entry written by the guest is what the device saves. */
GUEST(ioapic, "movl $0xfec00000, %ebx; addr32 movl $0x14, (%ebx);"
	      "addr32 movl $0x10031, 0x10(%ebx); out %al, $0xf4");

static void test_ioapic_round_trip(void)
{
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_load(h, &guest_ioapic);
	h->cpu.state.seg[S_DS].limit = UINT32_MAX;
	h->cpu.state.seg[S_DS].attr |= SEG_ATTR_G;
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	round_trip("kvm-ioapic", 0);
	harness_free(h);
}

/* The timer interrupts a guest that sleeps, also after guest time stood still. */
GUEST(timer, PIC_SETUP "mov $0x34, %al; out %al, $0x43; mov $0xa9, %al; out %al, $0x40;"
		       "mov $4, %al; out %al, $0x40; out %al, $0xf4; sti; 1: hlt; jmp 1b;"
		       "timer_handler: mov $0x20, %al; out %al, $0x20; out %al, $0xf4; iret");
extern const uint8_t timer_handler[];

static void test_timer(void)
{
	struct harness *h = harness_new(NULL);
	g_autoptr(GByteArray) state = NULL;

	if (!h)
		return;
	guest_load(h, &guest_timer);
	set_vector(h, 0x20, CODE_AT + (timer_handler - guest_timer.start));
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	machine_lock();
	h->accel->ops->clock_stop(h->accel);
	machine_unlock();
	state = saved(chip("kvm-pit", 0));
	machine_lock();
	h->accel->ops->clock_resume(h->accel);
	machine_unlock();
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	harness_free(h);
}

/* ---- Clock ---- */

static uint64_t clock_of(GByteArray *state)
{
	/* the one record: name length, name, flags, ... value last */
	return get_le64(state->data + state->len - 8);
}

static void test_clock_stands_still(void)
{
	struct harness *h = harness_new(NULL);
	g_autoptr(GByteArray) stopped = NULL, later = NULL, running = NULL;
	int64_t start;

	if (!h)
		return;
	machine_lock();
	h->accel->ops->clock_stop(h->accel);
	machine_unlock();
	stopped = saved(chip("kvmclock", 0));
	g_usleep(50000);
	later = saved(chip("kvmclock", 0));
	g_assert_cmpmem(stopped->data, stopped->len, later->data, later->len);
	start = clock_now(QCLOCK_REALTIME);
	machine_lock();
	h->accel->ops->clock_resume(h->accel);
	machine_unlock();
	running = saved(chip("kvmclock", 0));
	g_assert_cmpuint(clock_of(running), >=, clock_of(stopped));
	/* what passed is what passed since, not the time it stood still */
	g_assert_cmpint(clock_of(running) - clock_of(stopped), <=,
			clock_now(QCLOCK_REALTIME) - start + NS_PER_MS);
	harness_free(h);
}

/* ---- Chips outside of the kernel ---- */

struct user_chip {
	bool pending;
	unsigned acknowledged;
	uint64_t tpr, seen_cr8;
};

static bool user_pending(void *opaque)
{
	return ((struct user_chip *)opaque)->pending;
}

static int user_acknowledge(void *opaque)
{
	struct user_chip *chip = opaque;

	chip->pending = false;
	chip->acknowledged++;
	return 0x25;
}

static uint64_t user_tpr(void *opaque)
{
	return ((struct user_chip *)opaque)->tpr;
}

static void user_sync(void *opaque, uint64_t cr8, uint64_t apic_base)
{
	((struct user_chip *)opaque)->seen_cr8 = cr8;
}

static const struct accel_intr_ops user_pic = {user_pending, user_acknowledge, NULL, NULL};
static const struct accel_intr_ops user_lapic = {user_pending, user_acknowledge, user_tpr,
						 user_sync};

GUEST(late_sti, "cli; mov $1000, %cx; 1: loop 1b; out %al, $0x10; sti; 2: jmp 2b;"
		"late_handler: mov $'v', %al; out %al, $0xe9; out %al, $0xf4; iret");
extern const uint8_t late_handler[];

static void check_user_vector(const char *mode, const struct accel_intr_ops *intr)
{
	g_autofree char *prop = g_strdup_printf("kernel-irqchip=%s", mode);
	const char *props[] = {prop, NULL};
	struct user_chip chip = {.pending = true, .tpr = 3};
	struct harness *h = harness_new(props);

	if (!h)
		return;
	h->cpu.intr = intr;
	h->cpu.intr_opaque = &chip;
	guest_load(h, &guest_late_sti);
	set_vector(h, 0x25, CODE_AT + (late_handler - guest_late_sti.start));
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpstr(h->console->str, ==, "v");
	g_assert_cmpuint(chip.acknowledged, ==, 1);
	/* it was not let in before the guest allowed it */
	g_assert_cmpuint(h->accesses->len, ==, 1);
	if (intr->sync)
		g_assert_cmpuint(chip.seen_cr8, ==, 3);
	harness_free(h);
}

static void test_split(void)
{
	check_user_vector("split", &user_pic);
}

static void test_off(void)
{
	check_user_vector("off", &user_lapic);
}

GUEST(halt, "sti; hlt; mov $'w', %al; out %al, $0xe9; out %al, $0xf4");

/* Without a local APIC in the kernel HLT comes back to us, and nothing but an interrupt ends it. */
static void test_off_halts(void)
{
	const char *props[] = {"kernel-irqchip=off", NULL};
	struct user_chip chip = {};
	struct harness *h = harness_new(props);

	if (!h)
		return;
	h->cpu.intr = &user_lapic;
	h->cpu.intr_opaque = &chip;
	guest_load(h, &guest_halt);
	memcpy(h->ram->host + 0x2000, "\xcf", 1); /* IRET */
	set_vector(h, 0x25, 0x2000);
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmpint(guest_run(h), ==, RUN_HALTED);
	g_assert_true(h->accel->ops->vcpu_get_state(&h->cpu, NULL));
	g_assert_cmpint(h->cpu.state.mp_state, ==, MP_HALTED);
	chip.pending = true;
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	g_assert_cmpstr(h->console->str, ==, "w");
	harness_free(h);
}

/* ---- Debugging ---- */

GUEST(steps, "nop; nop; inc %ax; inc %ax; nop; out %al, $0xf4");

static void set_debug(struct harness *h, const struct debug_request *req)
{
	g_autoptr(GError) err = NULL;

	h->accel->ops->vcpu_set_debug(&h->cpu, req, &err);
	g_assert_no_error(err);
}

static void test_single_step(void)
{
	struct debug_request req = {.single_step = true};
	struct harness *h = harness_new(NULL);

	if (!h)
		return;
	guest_load(h, &guest_steps);
	set_debug(h, &req);
	for (unsigned i = 1; i <= 3; i++) {
		g_assert_cmpint(guest_run(h), ==, RUN_DEBUG);
		g_assert_cmphex(h->accel->ops->vcpu_debug_stop(&h->cpu)->pc, ==, CODE_AT + i);
		g_assert_cmpint(h->accel->ops->vcpu_debug_stop(&h->cpu)->exception, ==, 1);
	}
	set_debug(h, &(struct debug_request){});
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
	harness_free(h);
}

static void test_translate(void)
{
	struct harness *h = harness_new(NULL);
	uint64_t paddr = 0;

	if (!h)
		return;
	guest_play(h, &guest_stop);
	g_assert_true(h->accel->ops->vcpu_translate(&h->cpu, 0x12345, &paddr));
	g_assert_cmphex(paddr, ==, 0x12345); /* paging is off */
	harness_free(h);
}

/* ---- Errors and properties ---- */

static void prop_fails(const char *name, const char *value, const char *text)
{
	struct device *dev = device_new(&kvm_accel_type);
	g_autoptr(GError) err = NULL;

	g_assert_false(device_set_text(dev, name, value, &err));
	g_assert_cmpstr(err->message, ==, text);
	device_unref(dev);
}

static void test_bad_properties(void)
{
	prop_fails("dirty-ring-size", "3", "dirty-ring-size must be a power of two.");
	prop_fails("kernel-irqchip", "maybe",
		   "Parameter 'kernel-irqchip' does not accept value 'maybe'");
	prop_fails("notify-vmexit", "x", "Parameter 'notify-vmexit' does not accept value 'x'");
	prop_fails("help", "x", "Property 'kvm-accel.help' not found");
}

static void test_probe(void)
{
	struct device *dev = device_new(&kvm_accel_type);
	const struct accel_ops *ops = container_of(dev, struct accel, dev)->ops;
	g_autoptr(GError) err = NULL, slow = NULL;

	if (access("/dev/kvm", R_OK | W_OK)) {
		g_assert_false(ops->probe(true, &err));
		g_assert_nonnull(strstr(err->message, "/dev/kvm"));
		g_assert_nonnull(error_hint(err));
		device_unref(dev);
		return;
	}
	g_assert_true(ops->probe(true, &err));
	if (!ops->probe(false, &slow))
		g_assert_nonnull(strstr(slow->message, "emulates"));
	g_test_message("%s", slow ? slow->message : "hardware");
	device_unref(dev);
}

/* A chip of the kernel cannot be had without it. */
static void test_chip_alone(void)
{
	struct device *dev = device_new(&kvm_clock_type);
	g_autoptr(GError) err = NULL;

	g_assert_false(device_realize(dev, NULL, NULL, NULL, &err));
	g_assert_cmpstr(err->message, ==, "kvmclock comes with the accelerator kvm");
	device_unref(dev);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	g_test_add_func("/kvm/state/registers", test_registers);
	g_test_add_func("/kvm/state/msr-defaults", test_msr_defaults);
	g_test_add_func("/kvm/state/tsc-is-left-alone", test_tsc_is_left_alone);
	g_test_add_func("/kvm/irq/lines", test_lines);
	g_test_add_func("/kvm/irq/irqfd-line", test_irqfd_line);
	g_test_add_func("/kvm/irq/messages", test_messages);
	g_test_add_func("/kvm/irq/split", test_split);
	g_test_add_func("/kvm/irq/off", test_off);
	g_test_add_func("/kvm/irq/off-halts", test_off_halts);
	g_test_add_func("/kvm/chips/pic", test_chips_round_trip);
	g_test_add_func("/kvm/chips/ioapic", test_ioapic_round_trip);
	g_test_add_func("/kvm/chips/timer", test_timer);
	g_test_add_func("/kvm/chips/clock", test_clock_stands_still);
	g_test_add_func("/kvm/chips/alone", test_chip_alone);
	g_test_add_func("/kvm/debug/single-step", test_single_step);
	g_test_add_func("/kvm/debug/translate", test_translate);
	g_test_add_func("/kvm/properties", test_bad_properties);
	g_test_add_func("/kvm/probe", test_probe);
	return g_test_run();
}
