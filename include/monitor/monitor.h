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

/* The answer of query-command-line-options; @option NULL: all. NULL with an error. Unset: no options. */
typedef json_object *monitor_options_fn(const char *option, GError **errp);
void monitor_set_options(monitor_options_fn *describe);

#endif
