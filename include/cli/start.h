/*
 * From the configuration to a machine that is ready to run.
 */
#ifndef CLI_START_H
#define CLI_START_H

#include "cli/config.h"

/* Everything up to the first guest instruction; the guest is not yet started. Machine lock held.
 * Errors name the option that caused them. */
bool start_machine(const struct config *cfg, GError **errp);

/* What -machine help and its like print. */
extern const struct cli_help start_help;

/* ---- The process (src/cli/process.c) ---- */

/*
 * -daemonize: forks; the parent waits in here and ends when the child has called
 * process_daemon_ready(), or failed. Before any thread exists.
 */
bool process_daemonize(GError **errp);
/* Tells the waiting parent, gives up the terminal. Nothing if there was no -daemonize. */
bool process_daemon_ready(GError **errp);

/* Writes and locks the pid file; it is removed by process_cleanup(). */
bool process_write_pidfile(const char *path, GError **errp);

/* SIGINT, SIGTERM and SIGHUP shut the machine down. */
void process_catch_signals(void);
/* Says which signal ended the process, if one did. */
void process_report_signal(void);
void process_cleanup(void);

#endif
