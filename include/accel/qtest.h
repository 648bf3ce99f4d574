/*
 * The qtest server: drives devices, interrupt lines and the clock from outside, one line a command.
 *
 * The protocol is QEMU's. A client sends a line and gets one back that begins with "OK" or "FAIL"
 * ("ERR" for a wrong argument to `write`); lines "IRQ raise N" and "IRQ lower N" come in between
 * whenever an intercepted line changes. Numbers are C literals. docs/devel/testing.md lists the
 * commands, and the few that are ours.
 *
 * A command that QEMU answers by aborting (a missing or malformed argument) gets FAIL here.
 */
#ifndef ACCEL_QTEST_H
#define ACCEL_QTEST_H

#include "chardev/chardev.h"
#include "device/device.h"
#include "mem/space.h"

extern const struct device_type qtest_accel_type;

/* What the server drives. */
struct qtest_target {
	struct address_space *memory, *io;
	bool clock_manual;           /* guest time is ours to move: -accel qtest */
	void (*reset)(void *opaque); /* resets the machine at once */
	void *opaque;
};

struct qtest_server;

/*
 * Listens on @chr. @log: file name; NULL: standard error; "none": no log. Everything runs on the main
 * loop, under the machine lock.
 */
struct qtest_server *qtest_server_new(struct chardev *chr, const char *log,
				      const struct qtest_target *target, GError **errp);
void qtest_server_free(struct qtest_server *server);

/* The protocol without its character device: one line in, its answer out through @reply (which
 * receives text, newlines included, and is called for IRQ lines at any time). For fuzzing. */
struct qtest;
typedef void qtest_reply_fn(void *opaque, const char *text);
typedef void qtest_log_fn(void *opaque, const char *text);
struct qtest *qtest_new(const struct qtest_target *target, qtest_reply_fn *reply, qtest_log_fn *log,
			void *opaque);
void qtest_command(struct qtest *qt, const char *line);
void qtest_opened(struct qtest *qt); /* a new client: lines count as low again */
void qtest_free(struct qtest *qt);

#endif
