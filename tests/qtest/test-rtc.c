/* The MC146818: time of day, update cycle, alarms, periodic interrupt; and what CMOS memory says. */
#include "libqtest.h"

#define IRQ 8
#define SEC 1000000000LL

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, A, B, C, D };
enum { SECONDS_ALARM = 1, MINUTES_ALARM = 3, HOURS_ALARM = 5, WEEKDAY = 6, CENTURY = 0x32 };

static uint8_t cmos(struct qts *s, uint8_t index)
{
	qts_outb(s, 0x70, index);
	return qts_inb(s, 0x71);
}

static void put(struct qts *s, uint8_t index, uint8_t value)
{
	qts_outb(s, 0x70, index);
	qts_outb(s, 0x71, value);
}

/* A leap day, 13:14:15, on the guest's clock. */
static struct qts *start(void)
{
	struct qts *s = qts_start("-machine pc -rtc clock=vm,base=2024-02-29T13:14:15");

	qts_intercept_in(s, "ioapic");
	return s;
}

static void expect(struct qts *s, uint8_t h, uint8_t m, uint8_t sec)
{
	g_assert_cmphex(cmos(s, HOURS), ==, h);
	g_assert_cmphex(cmos(s, MINUTES), ==, m);
	g_assert_cmphex(cmos(s, SECONDS), ==, sec);
}

static void test_formats(void)
{
	struct qts *s = start();

	expect(s, 0x13, 0x14, 0x15);
	g_assert_cmphex(cmos(s, WEEKDAY), ==, 5);
	g_assert_cmphex(cmos(s, DAY), ==, 0x29);
	g_assert_cmphex(cmos(s, MONTH), ==, 0x02);
	g_assert_cmphex(cmos(s, YEAR), ==, 0x24);
	g_assert_cmphex(cmos(s, CENTURY), ==, 0x20);
	g_assert_cmphex(cmos(s, 0x37), ==, 0x20);
	put(s, B, 0x00); /* 12 hours, BCD */
	expect(s, 0x81, 0x14, 0x15);
	put(s, B, 0x06); /* 24 hours, binary */
	expect(s, 13, 14, 15);
	g_assert_cmphex(cmos(s, DAY), ==, 29);
	put(s, B, 0x04);
	expect(s, 0x81, 14, 15);
	put(s, B, 0x02);
	/* Midnight and noon are 12 AM and 12 PM. */
	put(s, HOURS, 0x00);
	put(s, B, 0x00);
	g_assert_cmphex(cmos(s, HOURS), ==, 0x12);
	put(s, HOURS, 0x92);
	put(s, B, 0x02);
	g_assert_cmphex(cmos(s, HOURS), ==, 0x12);
	qts_quit(s);
}

static void test_runs(void)
{
	struct qts *s = start();

	qts_clock_step(s, SEC - 1);
	expect(s, 0x13, 0x14, 0x15);
	qts_clock_step(s, 1);
	expect(s, 0x13, 0x14, 0x16);
	qts_clock_step(s, (10 * 3600 + 45 * 60 + 44) * SEC);
	expect(s, 0x00, 0x00, 0x00);
	g_assert_cmphex(cmos(s, DAY), ==, 0x01);
	g_assert_cmphex(cmos(s, MONTH), ==, 0x03);
	qts_quit(s);
}

/* SET keeps what is written, also what is no time, and starts from there. */
static void test_set(void)
{
	struct qts *s = start();
	json_object *event;

	put(s, B, 0x82);
	put(s, SECONDS, 0x58);
	put(s, MINUTES, 0x59);
	put(s, HOURS, 0x23);
	put(s, DAY, 0x31);
	put(s, MONTH, 0x12);
	put(s, YEAR, 0x99);
	put(s, CENTURY, 0x19);
	qts_clock_step(s, 5 * SEC);
	expect(s, 0x23, 0x59, 0x58);
	put(s, B, 0x02);
	event = qts_qmp_event(s, "RTC_CHANGE");
	g_assert_nonnull(json_object_object_get(event, "offset"));
	json_object_put(event);
	qts_clock_step(s, 2 * SEC);
	expect(s, 0x00, 0x00, 0x00);
	g_assert_cmphex(cmos(s, DAY), ==, 0x01);
	g_assert_cmphex(cmos(s, YEAR), ==, 0x00);
	g_assert_cmphex(cmos(s, CENTURY), ==, 0x20);
	qts_quit(s);
}

/* UIP shows for the last 244 us of a second, and only while the clock runs. */
static void test_update_in_progress(void)
{
	struct qts *s = start();
	const int64_t lead = 8 * SEC / 32768;

	g_assert_cmphex(cmos(s, A), ==, 0x26);
	qts_clock_step(s, SEC - lead - 1);
	g_assert_cmphex(cmos(s, A), ==, 0x26);
	qts_clock_step(s, 1);
	g_assert_cmphex(cmos(s, A), ==, 0xa6);
	put(s, B, 0x82);
	g_assert_cmphex(cmos(s, A), ==, 0x26);
	put(s, B, 0x02);
	qts_clock_step(s, lead);
	g_assert_cmphex(cmos(s, A), ==, 0x26);
	expect(s, 0x13, 0x14, 0x16);
	qts_quit(s);
}

/* Letting go of divider reset puts the next update half a second ahead. */
static void test_divider_reset(void)
{
	struct qts *s = start();

	qts_clock_step(s, SEC / 4);
	put(s, A, 0x76);
	qts_clock_step(s, 10 * SEC);
	expect(s, 0x13, 0x14, 0x15);
	put(s, A, 0x26);
	qts_clock_step(s, SEC / 2 - 1);
	expect(s, 0x13, 0x14, 0x15);
	qts_clock_step(s, 1);
	expect(s, 0x13, 0x14, 0x16);
	qts_quit(s);
}

static void test_update_interrupt(void)
{
	struct qts *s = start();

	cmos(s, C);
	put(s, B, 0x12);
	qts_clock_step(s, SEC - 1);
	g_assert_false(qts_irq(s, IRQ));
	qts_clock_step(s, 1);
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(cmos(s, C), ==, 0x90);
	g_assert_false(qts_irq(s, IRQ));
	g_assert_cmphex(cmos(s, C), ==, 0x00);
	/* The flag rises without the interrupt, and interrupts when that is enabled. */
	put(s, B, 0x02);
	qts_clock_step(s, SEC);
	g_assert_false(qts_irq(s, IRQ));
	put(s, B, 0x12);
	g_assert_true(qts_irq(s, IRQ));
	qts_quit(s);
}

static void alarm_at(struct qts *s, uint8_t h, uint8_t m, uint8_t sec)
{
	put(s, HOURS_ALARM, h);
	put(s, MINUTES_ALARM, m);
	put(s, SECONDS_ALARM, sec);
	cmos(s, C);
	put(s, B, 0x22);
}

static void expect_alarm_after(struct qts *s, int64_t seconds)
{
	qts_clock_step(s, seconds * SEC - 1);
	g_assert_false(qts_irq(s, IRQ));
	g_assert_cmphex(cmos(s, C) & 0xa0, ==, 0);
	qts_clock_step(s, 1);
	g_assert_true(qts_irq(s, IRQ));
	g_assert_cmphex(cmos(s, C) & 0xa0, ==, 0xa0);
}

static void test_alarm(void)
{
	struct qts *s = start(); /* 13:14:15 */

	alarm_at(s, 0x13, 0x14, 0x17);
	expect_alarm_after(s, 2); /* :17 */
	expect_alarm_after(s, 86400);
	alarm_at(s, 0xff, 0xff, 0x10); /* each minute */
	expect_alarm_after(s, 53);
	expect_alarm_after(s, 60);           /* 13:16:10 */
	alarm_at(s, 0xff, 0x05, 0x00);       /* each hour */
	expect_alarm_after(s, 48 * 60 + 50); /* 14:05:00 */
	alarm_at(s, 0x14, 0xff, 0xff);       /* each second of an hour */
	expect_alarm_after(s, 1);
	expect_alarm_after(s, 1);
	/* The same in 12 hours, binary. */
	put(s, B, 0x04);
	alarm_at(s, 0x83, 0, 0);
	put(s, B, 0x24);
	qts_clock_step(s, 55 * 60 * SEC);
	g_assert_true(qts_irq(s, IRQ));
	/* What no time matches never strikes. */
	put(s, B, 0x02);
	alarm_at(s, 0x25, 0x00, 0x00);
	qts_clock_step(s, 3 * 86400 * SEC);
	g_assert_false(qts_irq(s, IRQ));
	qts_quit(s);
}

static void test_periodic(void)
{
	struct qts *s = start();

	for (unsigned rate = 1; rate < 16; rate++) {
		unsigned ticks = 1 << ((rate <= 2 ? rate + 7 : rate) - 1);
		int64_t period = ticks * SEC / 32768;

		put(s, A, 0x20 | rate);
		put(s, B, 0x42);
		for (unsigned n = 0; n < 3; n++) {
			cmos(s, C);
			g_assert_false(qts_irq(s, IRQ));
			/* Ticks are no whole number of ns apart: at most one tick early or late. */
			qts_clock_step(s, period + 31000);
			g_assert_true(qts_irq(s, IRQ));
			g_assert_cmphex(cmos(s, C) & 0xc0, ==, 0xc0);
		}
		put(s, B, 0x02);
		qts_clock_step(s, 2 * period);
		g_assert_cmphex(cmos(s, C) & 0x40, ==, 0);
	}
	/* Exactly 1024 of them in a second. */
	put(s, A, 0x26);
	put(s, B, 0x42);
	cmos(s, C);
	int64_t end = qts_clock_step(s, 0) + SEC;
	unsigned count = 0;
	while (qts_clock_step_next(s) <= end)
		count += (cmos(s, C) & 0x40) != 0;
	g_assert_cmpuint(count, ==, 1024);
	qts_quit(s);
}

static void test_reset(void)
{
	struct qts *s = start();

	put(s, B, 0x7a);
	put(s, 0x40, 0x99);
	qts_clock_step(s, 2 * SEC);
	qts_reset(s);
	g_assert_false(qts_irq(s, IRQ));
	g_assert_cmphex(cmos(s, B), ==, 0x12);
	g_assert_cmphex(cmos(s, C), ==, 0x00);
	g_assert_cmphex(cmos(s, D), ==, 0x80);
	g_assert_cmphex(cmos(s, 0x40), ==, 0x99);
	expect(s, 0x13, 0x14, 0x17);
	qts_quit(s);
}

static unsigned cmos16(struct qts *s, uint8_t index)
{
	return cmos(s, index) | cmos(s, index + 1) << 8;
}

static void test_cmos_memory(void)
{
	struct qts *s = qts_start("-machine pc -m 5G -smp 3");

	g_assert_cmphex(cmos(s, 0x14), ==, 0x06);
	g_assert_cmpuint(cmos16(s, 0x15), ==, 640);
	g_assert_cmphex(cmos16(s, 0x17), ==, 0xffff);
	g_assert_cmphex(cmos16(s, 0x30), ==, 0xffff);
	g_assert_cmphex(cmos16(s, 0x34), ==, 0xbf00); /* 3 GiB - 16 MiB */
	g_assert_cmphex(cmos16(s, 0x5b), ==, 0x8000); /* 2 GiB above */
	g_assert_cmphex(cmos(s, 0x5d), ==, 0);
	g_assert_cmphex(cmos(s, 0x5f), ==, 2);
	g_assert_cmphex(cmos(s, 0x3d), ==, 0x12);
	g_assert_cmphex(cmos(s, 0x38), ==, 0x30);
	qts_quit(s);

	s = qts_start("-machine pc -m 3G -boot order=dc,once=n");
	g_assert_cmphex(cmos16(s, 0x34), ==, 0xbf00);
	g_assert_cmphex(cmos16(s, 0x5b), ==, 0);
	g_assert_cmphex(cmos(s, 0x3d), ==, 0x04);
	qts_reset(s);
	g_assert_cmphex(cmos(s, 0x3d), ==, 0x23);
	qts_quit(s);

	s = qts_start("-machine pc,max-ram-below-4g=1G -m 1536M");
	g_assert_cmphex(cmos16(s, 0x34), ==, 0x3f00);
	g_assert_cmphex(cmos16(s, 0x5b), ==, 0x2000);
	qts_quit(s);
}

static void test_round_trip(void)
{
	struct qts *s = start();

	put(s, A, 0x2f);
	put(s, B, 0x72);
	put(s, 0x50, 0x12);
	qts_clock_step(s, 3 * SEC + 12345);
	qts_roundtrip(s);
	expect(s, 0x13, 0x14, 0x18);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtc/formats", test_formats);
	g_test_add_func("/rtc/runs", test_runs);
	g_test_add_func("/rtc/set", test_set);
	g_test_add_func("/rtc/update-in-progress", test_update_in_progress);
	g_test_add_func("/rtc/divider-reset", test_divider_reset);
	g_test_add_func("/rtc/update-interrupt", test_update_interrupt);
	g_test_add_func("/rtc/alarm", test_alarm);
	g_test_add_func("/rtc/periodic", test_periodic);
	g_test_add_func("/rtc/reset", test_reset);
	g_test_add_func("/rtc/cmos-memory", test_cmos_memory);
	g_test_add_func("/rtc/round-trip", test_round_trip);
	return g_test_run();
}
