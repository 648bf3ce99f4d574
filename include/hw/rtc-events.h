/* What the real-time clock tells QMP clients. */
#ifndef HW_RTC_EVENTS_H
#define HW_RTC_EVENTS_H

#include "api/command.h"

struct rtc_change {
	int64_t offset; /* seconds */
	char *path;
};

extern const struct event_type event_rtc_change;

#endif
