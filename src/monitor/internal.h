/*
 * Monitors, as their parts see each other.
 *
 * A monitor is a connection on a character device with an output buffer; on top of it stands a QMP
 * session (qmp.c) or a human one (hmp.c). Everything runs on the main loop under the machine lock, but for a
 * QMP session whose client has enabled out-of-band commands: its bytes are read on the monitors' own
 * thread, which runs the out-of-band commands itself and queues the rest. `lock` guards what both
 * threads and the senders of events touch.
 */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include "monitor/monitor.h"

struct qmp_session;
struct hmp_session;

struct monitor {
	char *id; /* NULL */
	struct chardev *chr;
	struct chardev_frontend *fe;
	GMutex lock;
	GString *out;                /* not yet written */
	bool held;                   /* a multiplexer shows somebody else: output waits */
	unsigned notify;             /* tag of what waits for room; 0: nothing */
	struct bottom_half *flush;   /* of the device's loop: write on, or wait for room */
	GHashTable *fds;             /* getfd: name -> fd */
	struct coroutine *coroutine; /* that runs a command of it; NULL: none */
	struct qmp_session *qmp;     /* one of the two */
	struct hmp_session *hmp;
};

/* Every monitor, for events. Machine lock. */
void monitor_foreach(void (*fn)(struct monitor *mon, void *opaque), void *opaque);

/* The monitor whose command runs now on the calling thread; NULL if none. */
struct monitor *monitor_current(void);
void monitor_set_current(struct monitor *mon);

/* Appends to the output, with CR before each LF, and writes as much as goes. Any thread. */
void monitor_write(struct monitor *mon, const char *text);
/* So much waits for a slow reader that it is not to cause more. Lock held. */
bool monitor_is_backed_up(const struct monitor *mon);
/* Forgets output that nobody will read. */
void monitor_discard(struct monitor *mon);
/* The device may have closed: what waited for room is written to who still reads, or lost. */
void monitor_flush_again(struct monitor *mon);
/* While held, output gathers. */
void monitor_hold(struct monitor *mon, bool held);

/* The loop of the monitors' own thread, made on first use. NULL with an error. */
struct loop *monitor_loop(GError **errp);
/* On the thread of the present loop. */
bool monitor_move(struct monitor *mon, struct loop *loop, GError **errp);

/* ---- Descriptors passed by clients (fds.c) ---- */
void monitor_close_fds(struct monitor *mon);
/* Takes the descriptor that came with the running command. "No file descriptor supplied via SCM_RIGHTS" */
int monitor_take_passed_fd(GError **errp);
/* For socket_set_fd_lookup(): a descriptor by the name getfd gave it. */
int monitor_lookup_fd(const char *name, GError **errp);

/* ---- QMP (qmp.c) ---- */
struct qmp_session *qmp_session_new(struct monitor *mon, bool pretty);
/* The program ends: a reply that waits for events goes out. */
void qmp_session_end(struct qmp_session *session);
void qmp_session_free(struct qmp_session *session);
const struct chardev_handlers *qmp_handlers(void);
/* Sends an event if the client has negotiated. */
void qmp_send_event(struct monitor *mon, json_object *event);

/* For a running command: its reply shall come after what it has asked the main loop for. */
void qmp_reply_later(void);

/* ---- HMP (hmp.c) ---- */
struct hmp_session *hmp_session_new(struct monitor *mon);
void hmp_session_free(struct hmp_session *session);
const struct chardev_handlers *hmp_handlers(void);

/* ---- Events (event.c) ---- */
void monitor_events_init(void);

/* The values of the greeting's and query-version's version object. */
#define MONITOR_MAJOR   7
#define MONITOR_MINOR   2
#define MONITOR_MICRO   0
#define MONITOR_PACKAGE "Quail"

/* ---- Tables of commands, by topic ---- */
extern const struct command balloon_commands[], cpu_commands[], device_commands[], fd_commands[],
	hmp_command_table[], machine_commands[], memory_commands[], meta_commands[],
	migration_commands[], pci_commands[], qmp_commands[], qom_commands[], run_commands[],
	trace_commands[];

#endif
