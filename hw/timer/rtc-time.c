/* See rtc-time.h. Source: Motorola MC146818A data sheet, "Time, calendar, and alarm locations". */
#include "hw/timer/rtc-time.h"
#include <time.h>

#define HOURS_PM       0x80
#define ALARM_WILDCARD 0xc0 /* the two top bits set: any value matches */

static int decode(const uint8_t *cmos, uint8_t value)
{
	return cmos[RTC_B] & RTC_B_BINARY ? value : (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t encode(const uint8_t *cmos, int value)
{
	return cmos[RTC_B] & RTC_B_BINARY ? value : (value / 10) << 4 | value % 10;
}

static int decode_hours(const uint8_t *cmos, uint8_t value)
{
	int hours;

	if (cmos[RTC_B] & RTC_B_24H)
		return decode(cmos, value & 0x7f);
	hours = decode(cmos, value & 0x7f) % 12;
	return value & HOURS_PM ? hours + 12 : hours;
}

static uint8_t encode_hours(const uint8_t *cmos, int hours)
{
	if (cmos[RTC_B] & RTC_B_24H)
		return encode(cmos, hours);
	return encode(cmos, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOURS_PM : 0);
}

void rtc_time_store(uint8_t *cmos, int64_t seconds, int base_year)
{
	time_t t = seconds;
	struct tm tm;
	int year;

	if (!gmtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	year = tm.tm_year + 1900 - base_year;
	cmos[RTC_SECONDS] = encode(cmos, tm.tm_sec);
	cmos[RTC_MINUTES] = encode(cmos, tm.tm_min);
	cmos[RTC_HOURS] = encode_hours(cmos, tm.tm_hour);
	cmos[RTC_DAY_OF_WEEK] = encode(cmos, tm.tm_wday + 1);
	cmos[RTC_DAY_OF_MONTH] = encode(cmos, tm.tm_mday);
	cmos[RTC_MONTH] = encode(cmos, tm.tm_mon + 1);
	cmos[RTC_YEAR] = encode(cmos, ((year % 100) + 100) % 100);
	cmos[RTC_CENTURY] = encode(cmos, MAX(year, 0) / 100 % 100);
}

int64_t rtc_time_load(const uint8_t *cmos, int base_year)
{
	struct tm tm = {
		.tm_sec = decode(cmos, cmos[RTC_SECONDS]),
		.tm_min = decode(cmos, cmos[RTC_MINUTES]),
		.tm_hour = decode_hours(cmos, cmos[RTC_HOURS]),
		.tm_mday = decode(cmos, cmos[RTC_DAY_OF_MONTH]),
		.tm_mon = decode(cmos, cmos[RTC_MONTH]) - 1,
		.tm_year = decode(cmos, cmos[RTC_YEAR]) + base_year +
			   decode(cmos, cmos[RTC_CENTURY]) * 100 - 1900,
	};

	return timegm(&tm);
}

/* Seconds to add to @now until @field, in units of @unit seconds and counted modulo @range, is @want. */
static int64_t until_match(int64_t now, int64_t unit, int64_t range, int want)
{
	int64_t have = now / unit % range;

	if (have == want)
		return 0;
	return (want - have + range) % range * unit - now % unit;
}

unsigned rtc_alarm_delay(const uint8_t *cmos, int64_t seconds)
{
	struct {
		uint8_t raw;
		int64_t unit, range;
		int want;
	} part[] = {
		{cmos[RTC_HOURS_ALARM], 3600, 24, decode_hours(cmos, cmos[RTC_HOURS_ALARM])},
		{cmos[RTC_MINUTES_ALARM], 60, 60, decode(cmos, cmos[RTC_MINUTES_ALARM])},
		{cmos[RTC_SECONDS_ALARM], 1, 60, decode(cmos, cmos[RTC_SECONDS_ALARM])},
	};
	int64_t today = (seconds % 86400 + 86400) % 86400, t = today + 1;

	/* Each round moves to the start of the first hour, minute or second that does not match yet;
	 * a day's wrap can make the coarser parts mismatch once more. */
	for (int round = 0; round < 3 * (int)G_N_ELEMENTS(part); round++) {
		int64_t step = 0;

		for (size_t i = 0; i < G_N_ELEMENTS(part) && !step; i++) {
			if ((part[i].raw & ALARM_WILDCARD) == ALARM_WILDCARD)
				continue;
			if (part[i].want >= part[i].range)
				return 0;
			step = until_match(t, part[i].unit, part[i].range, part[i].want);
		}
		if (!step)
			return t - today;
		t += step;
	}
	return 0;
}
