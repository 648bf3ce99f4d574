/*
 * The board's side of the MC146818 real-time clock and its CMOS memory.
 */
#ifndef HW_RTC_H
#define HW_RTC_H

#include "device/device.h"

/* `-rtc`: where the first time of day comes from, and which clock drives it on. */
struct rtc_config {
	int clock;      /* enum clock_id */
	bool localtime; /* the guest is shown the host's local time */
	bool has_date;  /* it starts at @date (seconds since 1970), not at the host's time */
	int64_t date;
};

extern const struct device_type rtc_type;

/* Before realize. */
void rtc_configure(struct device *dev, const struct rtc_config *config);

/* CMOS memory as the guest reads it, 0 to 127; registers of the clock are no business of the board. */
void rtc_cmos_write(struct device *dev, unsigned index, uint8_t value);
uint8_t rtc_cmos_read(struct device *dev, unsigned index);

#endif
