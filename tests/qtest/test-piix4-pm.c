/* ACPI fixed hardware of the PIIX4: timer, events, sleep, the command port, hot-plug registers. */
#include "libqtest.h"

#define PM   QTS_DEVFN(1, 3)
#define BASE 0x600
#define SCI  9
#define HZ   3579545LL
#define SEC  1000000000LL

enum { STATUS = BASE, ENABLE = BASE + 2, CONTROL = BASE + 4, TIMER = BASE + 8, GPE = 0xafe0 };

static struct qts *start(void)
{
	struct qts *s = qts_start("-machine pc -no-shutdown");

	qts_intercept_in(s, "ioapic");
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0xffff);
	qts_pci_writel(s, 0, PM, 0x40, BASE | 1);
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0xffff);
	qts_pci_writeb(s, 0, PM, 0x80, 1);
	return s;
}

static void test_base(void)
{
	struct qts *s = start();

	g_assert_cmphex(qts_inw(s, ENABLE), ==, 0);
	qts_pci_writel(s, 0, PM, 0x40, 0xb001);
	g_assert_cmphex(qts_inw(s, ENABLE), ==, 0xffff);
	g_assert_cmphex(qts_inw(s, 0xb002), ==, 0);
	qts_pci_writeb(s, 0, PM, 0x80, 0);
	g_assert_cmphex(qts_inw(s, 0xb002), ==, 0xffff);
	qts_quit(s);
}

static void test_timer(void)
{
	struct qts *s = start();

	for (unsigned i = 1; i < 8; i++) {
		int64_t now = qts_clock_step(s, 1234567890);

		g_assert_cmphex(qts_inl(s, TIMER), ==,
				(uint32_t)((__int128)now * HZ / SEC) & 0xffffff);
	}
	qts_quit(s);
}

/* Bit 23 changes every 2.34 s; the interrupt comes then, and no earlier. */
static void test_timer_overflow(void)
{
	const int64_t half = (0x800000 * SEC + HZ - 1) / HZ;
	struct qts *s = start();

	qts_outw(s, STATUS, 0x0001);
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0);
	qts_outw(s, ENABLE, 0x0001);
	qts_clock_step(s, half - 1);
	g_assert_false(qts_irq(s, SCI));
	g_assert_cmphex(qts_inl(s, TIMER), ==, 0x7fffff);
	qts_clock_step(s, 1);
	g_assert_true(qts_irq(s, SCI));
	g_assert_cmphex(qts_inl(s, TIMER), ==, 0x800000);
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0x0001);
	qts_outw(s, STATUS, 0x0001);
	g_assert_false(qts_irq(s, SCI));
	qts_clock_step(s, half);
	g_assert_true(qts_irq(s, SCI));
	qts_outw(s, ENABLE, 0);
	g_assert_false(qts_irq(s, SCI));
	qts_quit(s);
}

static void press_button(struct qts *s)
{
	json_object_put(qts_qmp(s, "{'execute':'system_powerdown'}"));
	json_object_put(qts_qmp_event(s, "POWERDOWN"));
}

static void test_power_button(void)
{
	struct qts *s = start();

	qts_outw(s, STATUS, 0xffff);
	press_button(s);
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0);
	qts_outw(s, ENABLE, 0x0100);
	press_button(s);
	g_assert_true(qts_irq(s, SCI));
	g_assert_cmphex(qts_inw(s, STATUS), ==, 0x0100);
	qts_outb(s, STATUS + 1, 0x01);
	g_assert_false(qts_irq(s, SCI));
	qts_quit(s);
}

static void test_acpi_enable(void)
{
	struct qts *s = start();

	g_assert_cmphex(qts_inw(s, CONTROL), ==, 0);
	qts_outb(s, 0xb2, 0xf1);
	g_assert_cmphex(qts_inw(s, CONTROL), ==, 1);
	g_assert_cmphex(qts_inb(s, 0xb2), ==, 0xf1);
	qts_outb(s, 0xb3, 0x5a);
	g_assert_cmphex(qts_inb(s, 0xb3), ==, 0x5a);
	qts_outb(s, 0xb2, 0x12);
	g_assert_cmphex(qts_inw(s, CONTROL), ==, 1);
	qts_outb(s, 0xb2, 0xf0);
	g_assert_cmphex(qts_inw(s, CONTROL), ==, 0);
	qts_quit(s);
}

static const char *run_state(struct qts *s, json_object **reply)
{
	*reply = qts_qmp(s, "{'execute':'query-status'}");
	return json_object_get_string(json_object_object_get(*reply, "status"));
}

/* Type 0 is S5, 2 is S4 with an event of its own, 1 is S3. */
static void test_sleep(unsigned type, const char *event, const char *state)
{
	struct qts *s = start();
	json_object *reply;

	qts_outw(s, CONTROL, 0x0001 | type << 10);
	g_assert_cmphex(qts_inw(s, CONTROL), ==, 0x0001 | type << 10);
	qts_outw(s, CONTROL, 0x2001 | type << 10);
	json_object_put(qts_qmp_event(s, event));
	if (strcmp(event, "SHUTDOWN"))
		json_object_put(qts_qmp_event(s, "SHUTDOWN"));
	g_assert_cmpstr(run_state(s, &reply), ==, state);
	json_object_put(reply);
	qts_quit(s);
}

static void test_s5(void)
{
	test_sleep(0, "SHUTDOWN", "shutdown");
}

static void test_s4(void)
{
	test_sleep(2, "SUSPEND_DISK", "shutdown");
}

static void test_s3(void)
{
	struct qts *s = start();
	json_object *reply;

	qts_outw(s, CONTROL, 0x2400);
	json_object_put(qts_qmp_event(s, "SUSPEND"));
	g_assert_cmpstr(run_state(s, &reply), ==, "suspended");
	json_object_put(reply);
	/* Firmware finds the reason in CMOS, the guest in the status register. */
	qts_outb(s, 0x70, 0x0f);
	g_assert_cmphex(qts_inb(s, 0x71), ==, 0xfe);
	json_object_put(qts_qmp(s, "{'execute':'system_wakeup'}"));
	json_object_put(qts_qmp_event(s, "WAKEUP"));
	qts_pci_writel(s, 0, PM, 0x40, BASE | 1);
	qts_pci_writeb(s, 0, PM, 0x80, 1);
	g_assert_cmphex(qts_inw(s, STATUS) & 0x8100, ==, 0x8100);
	qts_quit(s);
}

static void test_gpe(void)
{
	struct qts *s = start();

	qts_outl(s, GPE, 0x5a5affff);
	g_assert_cmphex(qts_inl(s, GPE), ==, 0x5a5a0000);
	qts_reset(s);
	g_assert_cmphex(qts_inl(s, GPE), ==, 0);
	qts_quit(s);
}

static void test_hotplug_registers(void)
{
	struct qts *s = start();

	g_assert_cmphex(qts_inl(s, 0xae00), ==, 0);
	g_assert_cmphex(qts_inl(s, 0xae04), ==, 0);
	/* Slots 0 and 1 are the board's. */
	g_assert_cmphex(qts_inl(s, 0xae0c), ==, 0xfffffffc);
	qts_outl(s, 0xae08, 0x00000003);
	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(1, 0), 0), ==, 0x70008086);
	qts_outl(s, 0xae10, 7);
	g_assert_cmphex(qts_inl(s, 0xae10), ==, 7);
	g_assert_cmphex(qts_inl(s, 0xae0c), ==, 0);
	qts_quit(s);
	s = qts_start("-machine pc -global PIIX4_PM.acpi-root-pci-hotplug=off");
	g_assert_cmphex(qts_inl(s, 0xae0c), ==, 0xffffffff);
	qts_quit(s);
}

/* One transaction; the status after it was seen busy. */
static uint8_t smbus(struct qts *s, uint8_t address, uint8_t protocol, uint8_t command)
{
	qts_outb(s, 0xb100, 0xff);
	qts_outb(s, 0xb104, address);
	qts_outb(s, 0xb103, command);
	qts_outb(s, 0xb102, 0x40 | protocol << 2);
	g_assert_cmphex(qts_inb(s, 0xb100), ==, 0x01);
	g_assert_cmphex(qts_inb(s, 0xb102), ==, protocol << 2);
	return qts_inb(s, 0xb100);
}

static void test_smbus(void)
{
	struct qts *s = start();

	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x90), ==, 0xb101);
	g_assert_cmphex(qts_pci_readb(s, 0, PM, 0xd2), ==, 0x09);
	g_assert_cmphex(smbus(s, 0xa0, 0, 0), ==, 0x02);
	g_assert_cmphex(smbus(s, 0xc0, 0, 0), ==, 0x04);
	g_assert_cmphex(smbus(s, 0xa1, 4, 0), ==, 0x04);
	g_assert_cmphex(smbus(s, 0xa1, 2, 7), ==, 0x02);
	g_assert_cmphex(qts_inb(s, 0xb105), ==, 0x00);
	qts_outb(s, 0xb105, 0x77);
	qts_outb(s, 0xb106, 0x88);
	g_assert_cmphex(smbus(s, 0xa2, 3, 5), ==, 0x02);
	qts_roundtrip(s);
	g_assert_cmphex(smbus(s, 0xa3, 2, 6), ==, 0x02);
	g_assert_cmphex(qts_inb(s, 0xb105), ==, 0x88);
	g_assert_cmphex(smbus(s, 0xa3, 3, 5), ==, 0x02);
	g_assert_cmphex(qts_inb(s, 0xb105), ==, 0x77);
	g_assert_cmphex(qts_inb(s, 0xb106), ==, 0x88);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/piix4-pm/base", test_base);
	g_test_add_func("/piix4-pm/timer", test_timer);
	g_test_add_func("/piix4-pm/timer-overflow", test_timer_overflow);
	g_test_add_func("/piix4-pm/power-button", test_power_button);
	g_test_add_func("/piix4-pm/acpi-enable", test_acpi_enable);
	g_test_add_func("/piix4-pm/s5", test_s5);
	g_test_add_func("/piix4-pm/s4", test_s4);
	g_test_add_func("/piix4-pm/s3", test_s3);
	g_test_add_func("/piix4-pm/gpe", test_gpe);
	g_test_add_func("/piix4-pm/hotplug-registers", test_hotplug_registers);
	g_test_add_func("/piix4-pm/smbus", test_smbus);
	return g_test_run();
}
