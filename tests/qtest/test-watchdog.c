/* Watchdogs by their registers, and what their expiry does. */
#include "libqtest.h"

#define ESB  QTS_DEVFN(5, 0)
#define MEM  0xfe000000
#define MS   1000000LL
#define SEC  1000000000LL
#define UNIT (32768 * SEC / 33000000) /* 2^15 clocks of 33 MHz */

enum { CONFIG = 0x60, LOCK = 0x68, TIMER1 = MEM, TIMER2 = MEM + 4, RELOAD = MEM + 0xc };

static struct qts *start(const char *args)
{
	g_autofree char *all = g_strdup_printf("-machine pc %s", args);

	return qts_start(all);
}

static struct qts *start_esb(const char *action)
{
	g_autofree char *args =
		g_strdup_printf("-device i6300esb,addr=5 -watchdog-action %s", action);
	struct qts *s = start(args);

	qts_pci_map_bar(s, 0, ESB, 0, MEM);
	return s;
}

static void unlock(struct qts *s)
{
	qts_writew(s, RELOAD, 0x80);
	qts_writew(s, RELOAD, 0x86);
}

static void set_stages(struct qts *s, uint32_t first, uint32_t second)
{
	unlock(s);
	qts_writel(s, TIMER1, first);
	unlock(s);
	qts_writel(s, TIMER2, second);
}

static void reload(struct qts *s, uint16_t value)
{
	unlock(s);
	qts_writew(s, RELOAD, value);
}

static bool is_running(struct qts *s)
{
	json_object *reply = qts_qmp(s, "{'execute':'query-status'}");
	bool running = json_object_get_boolean(json_object_object_get(reply, "running"));

	json_object_put(reply);
	return running;
}

/* The event has come, with this action. */
static void expect(struct qts *s, const char *action)
{
	json_object *data = qts_qmp_event(s, "WATCHDOG");

	g_assert_cmpstr(json_object_get_string(json_object_object_get(data, "action")), ==, action);
	json_object_put(data);
}

/* As Debian's QEMU answers. */
static void test_esb_registers(void)
{
	struct qts *s = start("-device i6300esb,addr=5");

	g_assert_cmphex(qts_pci_readl(s, 0, ESB, 0), ==, 0x25ab8086);
	g_assert_cmphex(qts_pci_readl(s, 0, ESB, 8), ==, 0x08800000);
	g_assert_cmphex(qts_pci_readl(s, 0, ESB, 4), ==, 0);
	g_assert_cmphex(qts_pci_readl(s, 0, ESB, 0x2c), ==, 0x11001af4);
	g_assert_cmphex(qts_pci_bar_size(s, 0, ESB, 0), ==, 16);
	qts_pci_map_bar(s, 0, ESB, 0, MEM);
	qts_pci_writew(s, 0, ESB, CONFIG, 0xffff);
	g_assert_cmphex(qts_pci_readw(s, 0, ESB, CONFIG), ==, 0x35);
	qts_pci_writew(s, 0, ESB, CONFIG, 0);
	g_assert_cmphex(qts_pci_readw(s, 0, ESB, CONFIG), ==, 0);
	set_stages(s, 0x12345, 0x54321);
	for (unsigned i = 0; i < 16; i += 4)
		g_assert_cmphex(qts_readl(s, MEM + i), ==, 0);
	qts_pci_writeb(s, 0, ESB, LOCK, 6);
	g_assert_cmphex(qts_pci_readb(s, 0, ESB, LOCK), ==, 6);
	qts_pci_writeb(s, 0, ESB, LOCK, 5);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	g_assert_cmphex(qts_pci_readb(s, 0, ESB, LOCK), ==, 5);
	qts_pci_writew(s, 0, ESB, CONFIG, 0x27);
	g_assert_cmphex(qts_pci_readw(s, 0, ESB, CONFIG), ==, 0x25);
	qts_roundtrip(s);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	g_assert_cmphex(qts_pci_readb(s, 0, ESB, LOCK), ==, 5);
	qts_reset(s);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	g_assert_cmphex(qts_pci_readb(s, 0, ESB, LOCK), ==, 2);
	qts_quit(s);
}

/* Two stages; a reload starts over; without the unlocking writes nothing counts. */
static void test_esb_bite(void)
{
	struct qts *s = start_esb("pause");
	json_object *reply;

	set_stages(s, 1000, 500);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	qts_clock_step(s, 1400 * UNIT);
	reload(s, 0x100);
	qts_clock_step(s, 1400 * UNIT);
	qts_roundtrip(s);
	qts_writew(s, RELOAD, 0x100);
	qts_writew(s, RELOAD, 0x86);
	qts_writew(s, RELOAD, 0x100);
	g_assert_cmphex(qts_readw(s, RELOAD), ==, 0);
	g_assert_true(is_running(s));
	qts_clock_step(s, 101 * UNIT);
	expect(s, "pause");
	json_object_put(qts_qmp_event(s, "STOP"));
	reply = qts_qmp(s, "{'execute':'query-status'}");
	g_assert_cmpstr(json_object_get_string(json_object_object_get(reply, "status")), ==,
			"watchdog");
	json_object_put(reply);
	g_assert_cmphex(qts_readw(s, RELOAD), ==, 0x1200);
	g_assert_cmphex(qts_pci_readb(s, 0, ESB, LOCK), ==, 0);
	qts_reset(s);
	qts_pci_map_bar(s, 0, ESB, 0, MEM);
	g_assert_cmphex(qts_readw(s, RELOAD), ==, 0x1200);
	reload(s, 0x300);
	g_assert_cmphex(qts_readw(s, RELOAD), ==, 0);
	qts_quit(s);
}

/* In microseconds, and switched off on the way. */
static void test_esb_fast(void)
{
	struct qts *s = start_esb("pause");

	qts_pci_writew(s, 0, ESB, CONFIG, 4);
	set_stages(s, 1000, 1000);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	qts_clock_step(s, 1 * MS);
	qts_pci_writeb(s, 0, ESB, LOCK, 0);
	reload(s, 0x100);
	qts_clock_step(s, 100 * SEC);
	g_assert_true(is_running(s));
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	qts_clock_step(s, 2 * MS);
	expect(s, "pause");
	qts_quit(s);
}

/* Told to do nothing it waits for a reload, or goes round. A stage of no length is no endless loop. */
static void test_esb_harmless(void)
{
	struct qts *s = start_esb("pause");

	qts_pci_writew(s, 0, ESB, CONFIG, 0x20);
	set_stages(s, 10, 10);
	qts_pci_writeb(s, 0, ESB, LOCK, 2);
	qts_clock_step(s, SEC);
	qts_pci_writew(s, 0, ESB, CONFIG, 0);
	qts_clock_step(s, SEC);
	g_assert_true(is_running(s));
	qts_pci_writeb(s, 0, ESB, LOCK, 0);
	qts_pci_writew(s, 0, ESB, CONFIG, 0x20);
	set_stages(s, 0, 0);
	qts_pci_writeb(s, 0, ESB, LOCK, 6);
	qts_clock_step(s, SEC);
	g_assert_true(is_running(s));
	qts_pci_writew(s, 0, ESB, CONFIG, 0);
	qts_clock_step(s, 10 * MS);
	expect(s, "pause");
	qts_quit(s);
}

static void test_ib700(void)
{
	struct qts *s = start("-device ib700 -action watchdog=pause");

	for (unsigned port = 0x440; port < 0x446; port++)
		g_assert_cmphex(qts_inb(s, port), ==, 0xff);
	qts_outb(s, 0x443, 0xf0); /* 30 s */
	qts_clock_step(s, 29 * SEC);
	qts_roundtrip(s);
	qts_outb(s, 0x443, 0x05); /* 20 s */
	qts_clock_step(s, 19 * SEC);
	qts_outb(s, 0x441, 0);
	qts_clock_step(s, 100 * SEC);
	g_assert_true(is_running(s));
	qts_outb(s, 0x443, 0x0e); /* 2 s */
	qts_reset(s);
	qts_clock_step(s, 2 * SEC);
	g_assert_true(is_running(s));
	qts_outb(s, 0x443, 0x0e);
	qts_clock_step(s, 2 * SEC);
	expect(s, "pause");
	json_object_put(qts_qmp_event(s, "STOP"));
	qts_quit(s);
}

static void bite(struct qts *s, const char *action)
{
	json_object_put(qts_qmp(s, "{'execute':'watchdog-set-action','arguments':{'action':'%s'}}",
				action));
	qts_outb(s, 0x443, 0x0f);
	qts_clock_step(s, 2 * SEC);
	expect(s, action);
}

static void test_actions(void)
{
	struct qts *s = start("-device ib700");

	bite(s, "none");
	bite(s, "inject-nmi"); /* there is no CPU, and no complaint */
	g_assert_true(is_running(s));
	bite(s, "shutdown");
	json_object_put(qts_qmp_event(s, "POWERDOWN"));
	bite(s, "reset");
	json_object_put(qts_qmp_event(s, "RESET"));
	g_free(qts_qmp_error(s,
			     "{'execute':'watchdog-set-action','arguments':{'action':'explode'}}"));
	bite(s, "pause");
	json_object_put(qts_qmp_event(s, "STOP"));
	qts_quit(s);
}

/* Without an event, and in spite of -no-shutdown. */
static void test_poweroff(void)
{
	struct qts *s = start("-device ib700 -no-shutdown -action watchdog=poweroff");

	qts_outb(s, 0x443, 0x0e);
	qts_last_command(s, "clock_step %lld", 2 * SEC);
	g_assert_cmpint(qts_wait_exit(s), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/watchdog/i6300esb/registers", test_esb_registers);
	g_test_add_func("/watchdog/i6300esb/bite", test_esb_bite);
	g_test_add_func("/watchdog/i6300esb/fast", test_esb_fast);
	g_test_add_func("/watchdog/i6300esb/harmless", test_esb_harmless);
	g_test_add_func("/watchdog/ib700", test_ib700);
	g_test_add_func("/watchdog/actions", test_actions);
	g_test_add_func("/watchdog/poweroff", test_poweroff);
	return g_test_run();
}
