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

struct vserport_change {
	char *id;
	bool open;
};

static const struct field vserport_change_rows[] = {
	ARG_STRING(struct vserport_change, id, "id", "The port's id"),
	ARG_BOOL(struct vserport_change, open, "open", "Whether the guest has it open"),
	FIELD_ROW_END,
};

static const struct field_set vserport_change_set = {
	"VserportChange",
	sizeof(struct vserport_change),
	vserport_change_rows,
};

enum { EVENT_RTC_CHANGE, EVENT_SUSPEND_DISK, EVENT_VSERPORT_CHANGE };
const struct event_type hw_events[] = {
	[EVENT_RTC_CHANGE] = {"RTC_CHANGE", "The guest set its clock", &rtc_change_set, 1000},
	[EVENT_SUSPEND_DISK] = {"SUSPEND_DISK", "The guest entered S4"},
	[EVENT_VSERPORT_CHANGE] = {"VSERPORT_CHANGE", "The guest opened or closed a serial port",
				   &vserport_change_set, 1000},
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

void hw_event_vserport_change(const char *id, bool open)
{
	struct vserport_change change = {(char *)id, open};

	event_emit(&hw_events[EVENT_VSERPORT_CHANGE], &change);
}
