/*
 * What happens when a watchdog of the guest expires: one answer for all devices, the user's choice
 * (-action watchdog=, -watchdog-action, QMP's set-action and watchdog-set-action).
 */
#ifndef MACHINE_WATCHDOG_H
#define MACHINE_WATCHDOG_H

#include "api/command.h"

/* Sends WATCHDOG and carries the action out. Machine lock held. */
void watchdog_expired(void);

/* Ends with a NULL name: one of the monitor's tables. */
extern const struct event_type watchdog_events[];

#endif
