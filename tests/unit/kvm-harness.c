#include "kvm-harness.h"

#include <unistd.h>

/* ---- Devices ---- */

static uint64_t register_read(void *opaque, uint64_t offset, unsigned size)
{
	struct harness *h = opaque;
	struct access a = {false, offset, h->next_read, size};

	g_array_append_val(h->accesses, a);
	return h->next_read;
}

static void register_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct harness *h = opaque;
	struct access a = {true, offset, value, size};

	g_array_append_val(h->accesses, a);
}

static const struct io_ops register_ops = {
	.read = register_read,
	.write = register_write,
	.valid = {1, 8, true},
	.impl = {1, 8, true},
};

static uint64_t debug_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0xe9;
}

static void debug_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	g_string_append_c(((struct harness *)opaque)->console, (char)value);
}

static const struct io_ops debug_ops = {.read = debug_read, .write = debug_write};

static uint64_t stop_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void stop_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct harness *h = opaque;

	h->cpu.exit_request = 1;
}

static const struct io_ops stop_ops = {.read = stop_read, .write = stop_write};

/* ---- The machine ---- */

static void make_spaces(struct harness *h)
{
	region_init_container(&h->memory_root, NULL, "memory", REGION_SIZE_MAX);
	region_init_container(&h->io_root, NULL, "io", 0x10000);
	region_init_io(&h->io_register, NULL, "io-register", &register_ops, h, 8);
	region_init_io(&h->mmio_register, NULL, "mmio-register", &register_ops, h, 0x1000);
	region_init_io(&h->debug, NULL, "debug", &debug_ops, h, 1);
	region_init_io(&h->stop, NULL, "stop", &stop_ops, h, 4);
	h->ram = ram_new("ram", RAM_SIZE, NULL, NULL);
	region_init_ram(&h->ram_region, NULL, "ram", h->ram, 0, RAM_SIZE);
	region_add(&h->memory_root, 0, &h->ram_region, 0);
	region_add(&h->memory_root, REGISTER, &h->mmio_register, 0);
	region_add(&h->io_root, 0x10, &h->io_register, 0);
	region_add(&h->io_root, PORT_DEBUG, &h->debug, 0);
	region_add(&h->io_root, PORT_STOP, &h->stop, 0);
	address_space_init(&h->memory, "memory", &h->memory_root);
	address_space_init(&h->io, "I/O", &h->io_root);
}

static void set_props(struct device *dev, const char *const *props)
{
	for (; props && *props; props++) {
		g_auto(GStrv) pair = g_strsplit(*props, "=", 2);
		g_autoptr(GError) err = NULL;

		device_set_text(dev, pair[0], pair[1], &err);
		g_assert_no_error(err);
	}
}

static bool kvm_usable(void)
{
	if (!access("/dev/kvm", R_OK | W_OK))
		return true;
	g_test_skip("/dev/kvm cannot be opened");
	return false;
}

struct harness *harness_new_without_cpu(const char *const *props)
{
	g_autoptr(GError) err = NULL;
	struct harness *h;

	if (!kvm_usable())
		return NULL;
	h = g_new0(struct harness, 1);
	h->console = g_string_new(NULL);
	h->accesses = g_array_new(false, true, sizeof(struct access));
	machine_lock();
	make_spaces(h);
	h->dev = device_new(&kvm_accel_type);
	set_props(h->dev, props);
	h->accel = container_of(h->dev, struct accel, dev);
	h->accel->machine = (struct accel_machine){
		.memory = &h->memory,
		.io = &h->io,
		.max_cpus = 1,
		.irqchip = IRQCHIP_ON,
	};
	h->accel->ops->init(h->accel, &err);
	g_assert_no_error(err);
	h->accel->ops->irqchip_create(h->accel, &err);
	g_assert_no_error(err);
	machine_unlock();
	return h;
}

void harness_make_cpu(struct harness *h)
{
	g_autoptr(GError) err = NULL;
	struct cpu_capabilities caps;

	h->accel->ops->capabilities(h->accel, &caps);
	h->cpu.accel = h->accel;
	h->cpu.cpuid = caps.host;
	memcpy(h->cpu.features.words, caps.words, sizeof(caps.words));
	h->accel->ops->vcpu_create(&h->cpu, &err);
	g_assert_no_error(err);
}

struct harness *harness_new(const char *const *props)
{
	struct harness *h = harness_new_without_cpu(props);

	if (h)
		harness_make_cpu(h);
	return h;
}

static void remove_chips(void)
{
	struct device *all = tree_container("/machine/unattached");

	while (all->children && all->children->len)
		device_unrealize(all->children->pdata[all->children->len - 1]);
}

void harness_free(struct harness *h)
{
	machine_lock();
	if (h->cpu.data)
		h->accel->ops->vcpu_destroy(&h->cpu);
	remove_chips();
	h->accel->ops->cleanup(h->accel);
	address_space_cleanup(&h->memory);
	address_space_cleanup(&h->io);
	region_cleanup(&h->ram_region);
	region_cleanup(&h->io_register);
	region_cleanup(&h->mmio_register);
	region_cleanup(&h->debug);
	region_cleanup(&h->stop);
	region_cleanup(&h->memory_root);
	region_cleanup(&h->io_root);
	ram_unref(h->ram);
	device_unref(h->dev);
	machine_unlock();
	g_string_free(h->console, true);
	g_array_unref(h->accesses);
	g_free(h);
}

/* ---- The guest ---- */

void guest_load(struct harness *h, const struct guest_code *code)
{
	struct x86_state *s = &h->cpu.state;

	memcpy(h->ram->host + CODE_AT, code->start, code->end - code->start);
	x86_state_reset(s, true, 0);
	for (unsigned i = S_ES; i <= S_GS; i++) {
		s->seg[i].base = 0;
		s->seg[i].selector = 0;
	}
	s->rip = CODE_AT;
	s->gpr[R_SP] = 0x8000;
	h->cpu.state_here = h->cpu.state_full = true;
}

enum run_result guest_run(struct harness *h)
{
	enum run_result result;

	h->cpu.exit_request = 0;
	do
		result = h->accel->ops->vcpu_run(&h->cpu);
	while (result == RUN_KICKED && !h->cpu.exit_request);
	return result;
}

void guest_play(struct harness *h, const struct guest_code *code)
{
	guest_load(h, code);
	g_assert_cmpint(guest_run(h), ==, RUN_KICKED);
}
