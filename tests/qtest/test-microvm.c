/* The board microvm and its generic event device. */
#include "libqtest.h"

#define EVENTS 0xfea00000
#define POWER  0xfea00200
#define VIRTIO 0xfeb00000
#define MAGIC  0x74726976

static void test_power_button(void)
{
	struct qts *s = qts_start("-machine microvm");

	g_assert_cmphex(qts_readl(s, EVENTS), ==, 0);
	json_object_put(qts_qmp(s, "{'execute':'system_powerdown'}"));
	qts_roundtrip(s);
	g_assert_cmphex(qts_readl(s, EVENTS), ==, 2);
	/* Reading took it. */
	g_assert_cmphex(qts_readl(s, EVENTS), ==, 0);
	qts_quit(s);
}

static void test_registers_read(void)
{
	struct qts *s = qts_start("-machine microvm");

	for (unsigned i = 0; i < 3; i++)
		g_assert_cmphex(qts_readb(s, POWER + i), ==, 0);
	/* Sleep types that are none, soft off without "go", and wrong values for reset do nothing. */
	for (unsigned value = 0; value < 256; value++) {
		if ((value & 0x3c) != 0x34)
			qts_writeb(s, POWER, value);
		if (value != 0x42)
			qts_writeb(s, POWER + 2, value);
		qts_writeb(s, POWER + 1, value);
	}
	qts_quit(s);
}

static void test_power_off(void)
{
	struct qts *s = qts_start("-machine microvm");

	qts_last_command(s, "writeb 0x%x 0x34", POWER);
	g_assert_cmpint(qts_wait_exit(s), ==, 0);
}

static void test_reset(void)
{
	struct qts *s = qts_start("-machine microvm -no-reboot");

	qts_last_command(s, "writeb 0x%x 0x42", POWER + 2);
	g_assert_cmpint(qts_wait_exit(s), ==, 0);
}

/* @count windows, of which @used, counted from the last, have devices of type 4: entropy. */
static void check_windows(struct qts *s, unsigned count, unsigned used)
{
	for (unsigned i = 0; i < count; i++) {
		g_assert_cmphex(qts_readl(s, VIRTIO + 0x200 * i), ==, MAGIC);
		g_assert_cmphex(qts_readl(s, VIRTIO + 0x200 * i + 8), ==,
				i >= count - used ? 4 : 0);
	}
	g_assert_cmphex(qts_readl(s, VIRTIO + 0x200 * count), ==, 0);
	qts_roundtrip(s);
}

static void test_windows(void)
{
	struct qts *s = qts_start("-machine microvm -device virtio-rng-device "
				  "-device virtio-rng-device");

	check_windows(s, 24, 2);
	qts_quit(s);
	s = qts_start("-machine microvm,ioapic2=off -device virtio-rng-device");
	check_windows(s, 8, 1);
	qts_quit(s);
	s = qts_start("-machine microvm,acpi=off -device virtio-rng-device");
	check_windows(s, 8, 1);
	qts_quit(s);
}

#define IOAPIC2 0xfec10000

static uint32_t ioapic2_read(struct qts *s, unsigned reg)
{
	qts_writel(s, IOAPIC2, reg);
	return qts_readl(s, IOAPIC2 + 0x10);
}

static void ioapic2_write(struct qts *s, unsigned reg, uint32_t value)
{
	qts_writel(s, IOAPIC2, reg);
	qts_writel(s, IOAPIC2 + 0x10, value);
}

/* A line that is up when its pin is unmasked: remote IRR (bit 14) says that the CPU was told. */
static void test_ioapic2(void)
{
	struct qts *s = qts_start("-machine microvm -device virtio-rng-device");

	g_assert_cmphex(ioapic2_read(s, 1), ==, 23 << 16 | 0x20);
	for (unsigned pin = 0; pin < 24; pin++) {
		g_free(qts_command(s, "set_irq_in /machine/unattached/gsi unnamed-gpio-in %u 1",
				   24 + pin));
		ioapic2_write(s, 0x10 + 2 * pin, 0x8000 | (0x40 + pin));
		g_assert_cmphex(ioapic2_read(s, 0x10 + 2 * pin), ==, 0xc000 | (0x40 + pin));
		g_free(qts_command(s, "set_irq_in /machine/unattached/gsi unnamed-gpio-in %u 0",
				   24 + pin));
		/* The end of the interrupt, by the EOI register. */
		qts_writel(s, IOAPIC2 + 0x40, 0x40 + pin);
		g_assert_cmphex(ioapic2_read(s, 0x10 + 2 * pin), ==, 0x8000 | (0x40 + pin));
	}
	qts_roundtrip(s);
	qts_quit(s);
}

static void test_without(void)
{
	struct qts *s =
		qts_start("-machine microvm,acpi=off,isa-serial=off,pic=off,pit=off,rtc=off "
			  "-serial null");

	g_assert_cmphex(qts_readl(s, EVENTS), ==, 0);
	g_assert_cmphex(qts_inb(s, 0x3fb), ==, 0xff);
	g_assert_cmphex(qts_inb(s, 0x21), ==, 0xff);
	g_assert_cmphex(qts_inb(s, 0x40), ==, 0xff);
	g_assert_cmphex(qts_inb(s, 0x71), ==, 0xff);
	qts_roundtrip(s);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/microvm/power-button", test_power_button);
	g_test_add_func("/microvm/registers", test_registers_read);
	g_test_add_func("/microvm/power-off", test_power_off);
	g_test_add_func("/microvm/reset", test_reset);
	g_test_add_func("/microvm/windows", test_windows);
	g_test_add_func("/microvm/ioapic2", test_ioapic2);
	g_test_add_func("/microvm/without", test_without);
	return g_test_run();
}
