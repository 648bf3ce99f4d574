/*
 * What devices tell QMP clients.
 */
#ifndef HW_EVENTS_H
#define HW_EVENTS_H

#include "api/command.h"
#include "device/device.h"

/* RTC_CHANGE: the guest set its clock to @offset seconds from where -rtc put it. */
void hw_event_rtc_change(const struct device *rtc, int64_t offset);

/* SUSPEND_DISK: the guest entered S4. */
void hw_event_suspend_disk(void);

/* VSERPORT_CHANGE: the guest opened or closed the port called @id. */
void hw_event_vserport_change(const char *id, bool open);

/* Ends with a NULL name: a row of the monitor's list of tables. */
extern const struct event_type hw_events[];

#endif
