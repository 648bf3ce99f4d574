/*
 * Monitors: QMP and human (HMP) servers on character devices.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "api/command.h"
#include "chardev/chardev.h"

/* Serves @chr: as QMP, else as a human monitor. @id may be NULL. Lives until monitor_cleanup_all(). */
bool monitor_new(const char *id, struct chardev *chr, bool qmp, bool pretty, GError **errp);

/* Flushes what was said (the last event, the answer to `quit`) and closes all. */
void monitor_cleanup_all(void);

/* Every table of commands and events; given to api_set_tables() by main. */
extern const struct api_tables monitor_tables;

#endif
