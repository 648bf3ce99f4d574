#include "intc-bench.h"
#include "event/lock.h"
#include "machine/machine.h"

static struct intc_bench *the;

static bool inject_nmi(struct accel_cpu *cpu)
{
	the->nmis[cpu->index]++;
	return true;
}

static bool inject_smi(struct accel_cpu *cpu)
{
	the->smis[cpu->index]++;
	return true;
}

static const struct accel_ops ops = {
	.name = "bench",
	.vcpu_inject_nmi = inject_nmi,
	.vcpu_inject_smi = inject_smi,
};

static struct device *made(struct device *dev, struct bus *bus)
{
	g_autoptr(GError) err = NULL;

	device_realize(dev, NULL, NULL, bus, &err);
	g_assert_no_error(err);
	return dev;
}

static void make_cpu(struct intc_bench *b, unsigned n)
{
	struct device *dev = device_new(x86_cpu_type_of(cpu_model_find("qemu64")));
	struct vcpu *cpu = container_of(dev, struct vcpu, dev);

	cpu->machine = &b->machine;
	cpu->index = cpu->acc.index = cpu->acc.apic_id = n;
	cpu->acc.accel = &b->accel;
	cpu->acc.features.words[FEAT_1_ECX] = BIT(21) | BIT(24);
	made(dev, NULL);
	b->cpu[n] = cpu;
	b->lapic[n] = lapic_of(lapic_create(b->bus, cpu, NULL));
}

static void make(struct intc_bench *b)
{
	static const struct machine_info info;
	struct apic_bus_config bus = {.memory = &bench()->memory_root};
	struct ioapic_config ioapic = {
		.memory = &bench()->memory_root, .addr = IOAPIC_BASE, .send = apic_bus_send};

	b->machine.info = &info;
	b->machine.cpus = b->cpu;
	b->accel.ops = &ops;
	b->bus = device_new(&apic_bus_type);
	apic_bus_configure(b->bus, &bus);
	made(b->bus, NULL);
	for (unsigned i = 0; i < 2; i++)
		b->pic[i] = made(i8259_new(i == 0), &bench()->isa.bus);
	i8259_cascade(b->pic[0], b->pic[1]);
	b->ioapic = device_new(&ioapic_type);
	ioapic.opaque = b->bus;
	ioapic_configure(b->ioapic, &ioapic);
	made(b->ioapic, NULL);
	for (unsigned n = 0; n < INTC_CPUS; n++)
		make_cpu(b, n);
	apic_bus_connect(b->bus, b->pic[0], b->ioapic);
}

struct intc_bench *intc_bench(void)
{
	if (!the) {
		bench();
		the = g_new0(struct intc_bench, 1);
		make(the);
	}
	for (unsigned n = 0; n < 24; n++)
		irq_set(device_input(the->ioapic, "", n), 0);
	for (unsigned n = 0; n < 16; n++) {
		if (n != 2)
			irq_set(device_input(the->pic[n / 8], "", n % 8), 0);
	}
	device_reset(the->pic[0]);
	device_reset(the->pic[1]);
	device_reset(the->ioapic);
	for (unsigned n = 0; n < INTC_CPUS; n++) {
		device_reset(&the->cpu[n]->dev);
		the->nmis[n] = the->smis[n] = 0;
	}
	return the;
}

uint32_t ioapic_read_reg(unsigned reg)
{
	uint64_t value;

	as_store(&bench()->memory, NULL, IOAPIC_BASE, 4, reg);
	as_load(&bench()->memory, NULL, IOAPIC_BASE + 0x10, 4, &value);
	return value;
}

void ioapic_write_reg(unsigned reg, uint32_t value)
{
	as_store(&bench()->memory, NULL, IOAPIC_BASE, 4, reg);
	as_store(&bench()->memory, NULL, IOAPIC_BASE + 0x10, 4, value);
}

uint64_t ioapic_entry(unsigned pin)
{
	return ioapic_read_reg(0x10 + 2 * pin) | (uint64_t)ioapic_read_reg(0x11 + 2 * pin) << 32;
}

void ioapic_set_entry(unsigned pin, uint64_t entry)
{
	ioapic_write_reg(0x11 + 2 * pin, entry >> 32);
	ioapic_write_reg(0x10 + 2 * pin, entry);
}
