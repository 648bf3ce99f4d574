/* See include/hw/events.h. */
#include "hw/events.h"

struct rtc_change {
	int64_t offset;
	char *path;
};

static const struct field rtc_change_rows[] = {
	ARG_INT(struct rtc_change, offset, "offset",
		"Seconds between the clock as -rtc set it up and as the guest set it"),
	ARG_STRING(struct rtc_change, path, "qom-path", "The clock's path in the tree"),
	FIELD_ROW_END,
};

static const struct field_set rtc_change_set = {
	"RtcChange",
	sizeof(struct rtc_change),
	rtc_change_rows,
};

enum { EVENT_RTC_CHANGE, EVENT_SUSPEND_DISK };
const struct event_type hw_events[] = {
	[EVENT_RTC_CHANGE] = {"RTC_CHANGE", "The guest set its clock", &rtc_change_set, 1000},
	[EVENT_SUSPEND_DISK] = {"SUSPEND_DISK", "The guest entered S4"},
	{NULL},
};

void hw_event_rtc_change(const struct device *rtc, int64_t offset)
{
	g_autofree char *path = device_path(rtc);
	struct rtc_change change = {offset, path};

	event_emit(&hw_events[EVENT_RTC_CHANGE], &change);
}

void hw_event_suspend_disk(void)
{
	event_emit(&hw_events[EVENT_SUSPEND_DISK], NULL);
}
