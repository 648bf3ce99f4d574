/*
 * Time of day as the MC146818 keeps it: bytes in BCD or binary, hours in 12 or 24, and a wildcard in
 * alarm bytes. Pure functions over its registers.
 */
#ifndef HW_TIMER_RTC_TIME_H
#define HW_TIMER_RTC_TIME_H

#include "base/common.h"

enum {
	RTC_SECONDS = 0,
	RTC_SECONDS_ALARM = 1,
	RTC_MINUTES = 2,
	RTC_MINUTES_ALARM = 3,
	RTC_HOURS = 4,
	RTC_HOURS_ALARM = 5,
	RTC_DAY_OF_WEEK = 6,
	RTC_DAY_OF_MONTH = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 10,
	RTC_B = 11,
	RTC_C = 12,
	RTC_D = 13,
	RTC_CENTURY = 0x32,
	RTC_CENTURY_PS2 = 0x37, /* another name of the same byte */
	RTC_CMOS_SIZE = 128,
};

enum {
	RTC_B_24H = 0x02,
	RTC_B_BINARY = 0x04,
};

/* Stores @seconds since 1970 (UTC) in the time and date bytes. Years count from @base_year. */
void rtc_time_store(uint8_t *cmos, int64_t seconds, int base_year);

/* The inverse; bytes out of range carry over, as in mktime(). */
int64_t rtc_time_load(const uint8_t *cmos, int base_year);

/* Seconds from time @seconds until the alarm next strikes, 1 to 86400; 0: it never does. */
unsigned rtc_alarm_delay(const uint8_t *cmos, int64_t seconds);

#endif
