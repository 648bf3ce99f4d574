/* Interrupt controllers: random accesses to all of them, lines, messages, and a CPU that takes what comes. */
#include "../unit/intc-bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void act(struct intc_bench *b, unsigned what, const uint8_t *data)
{
	struct msi_message msg = {
		.addr = 0xfee00000 | data[0] << 12 | data[1] << 2,
		.data = data[2] | data[3] << 8,
	};
	unsigned n = data[0] % INTC_CPUS;
	struct device *lapic = &b->lapic[n]->dev;
	uint64_t value = data[2] | data[3] << 8 | (uint64_t)data[1] << 32;

	switch (what % 12) {
	case 0:
		irq_set(device_input(b->ioapic, "", data[0] % 24), data[1] & 1);
		break;
	case 1:
		if (data[0] % 16 != 2)
			irq_set(device_input(b->pic[data[0] / 8 % 2], "", data[0] % 8),
				data[1] & 1);
		break;
	case 2:
		apic_bus_send(b->bus, &msg);
		break;
	case 3:
		cpu_write(b, n, data[1] % APIC_REGS, data[2] | data[3] << 16);
		break;
	case 4:
		cpu_read(b, n, data[1] % APIC_REGS);
		break;
	case 5:
		g_assert_cmpint(cpu_acknowledge(b, n), <, 256);
		break;
	case 6:
		cpu_write(b, n, APIC_EOI, 0);
		break;
	case 7:
		lapic_msr_write(lapic, 0x800 + data[1] % APIC_REGS, value);
		break;
	case 8:
		lapic_msr_read(lapic, 0x800 + data[1] % APIC_REGS, &value);
		break;
	case 9:
		lapic_set_base(lapic, (uint64_t)data[1] << 12 | (data[2] & 0xd) << 8 |
					      (data[3] & 1 ? APIC_BASE_PAGE : 0));
		break;
	case 10:
		lapic_set_tsc_deadline(lapic, value, data[2], 1 + data[3]);
		break;
	case 11:
		irq_set(device_input(b->bus, "", 1), data[1] & 1);
		break;
	}
}

/* Whatever happened, an interrupt that is pending can be taken, and what is taken is legal. */
static void settle(struct intc_bench *b)
{
	for (unsigned n = 0; n < INTC_CPUS; n++) {
		for (unsigned i = 0; i < 600 && cpu_pending(b, n); i++) {
			cpu_acknowledge(b, n);
			cpu_write(b, n, APIC_EOI, 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct intc_bench *b = intc_bench();
	const struct bench_window windows[] = {
		{&bench()->io, 0x20, 2},
		{&bench()->io, 0xa0, 2},
		{&bench()->io, 0x4d0, 2},
		{&bench()->memory, IOAPIC_BASE, 0x60},
		{&bench()->memory, 0xfee00000, 0x1000},
		{&bench()->memory, 0xfee00000, MIB},
	};

	for (unsigned n = 0; n < INTC_CPUS; n++)
		cpu_write(b, n, APIC_SVR, 0x1ff);
	while (size) {
		size_t part = MIN(size, 1 + data[0] % 24);

		if (part > 5)
			act(b, data[1], data + 2);
		else
			bench_play(windows, G_N_ELEMENTS(windows), data + 1, part - 1);
		data += part;
		size -= part;
	}
	settle(b);
	return 0;
}
