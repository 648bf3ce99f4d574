/*
 * What the files of src/event share: the insides of a loop.
 *
 * One turn of a loop (loop.c) is: ask GLib which file descriptors it wants polled and for how long;
 * sleep in ppoll() until then, until the nearest timer, or until somebody kicks; then, for the main
 * loop under the machine lock and for an iothread's under its own, dispatch GLib's sources (fd watches
 * are such), run the pollers that are ready, the bottom halves, and the timers that are due.
 */
#ifndef EVENT_INTERNAL_H
#define EVENT_INTERNAL_H

#include "event/clock.h"
#include "event/loop.h"

/*
 * Bottom halves. `incoming` of the loop is a stack onto which any thread pushes with one
 * compare-and-swap; the loop takes all of it at once and turns it round, which restores the order.
 * A bottom half lies on it at most once: BH_QUEUED says so. BH_WANTED says that fn shall run; a
 * cancelled one stays queued but unwanted. BH_DEAD ones are given to release() when they come off.
 */
enum bh_state {
	BH_QUEUED = BIT(0),
	BH_WANTED = BIT(1),
	BH_DEAD = BIT(2),
};

struct bottom_half {
	struct bottom_half *next;
	struct loop *loop;
	void (*fn)(void *opaque);
	void *opaque;
	void (*release)(struct bottom_half *bh);
	unsigned state; /* enum bh_state; atomic */
};

/* For a bottom half that is a member of something, which release() frees. */
void bh_init(struct bottom_half *bh, struct loop *loop, void (*fn)(void *opaque), void *opaque,
	     void (*release)(struct bottom_half *bh));

/* The end of it: release() is called now, or when it comes off the queue. Loop's thread. */
void bh_retire(struct bottom_half *bh);

/* Runs @bh once and then releases it. Any thread. */
void bh_schedule_last(struct bottom_half *bh);

bool bh_any(const struct loop *loop);
void bh_run_all(struct loop *loop);
void bh_drop_all(struct loop *loop);

/* The timers of one clock in one loop: a binary heap, ordered by time and then by time of setting. */
struct timer_queue {
	GMutex lock;
	struct timer **heap;
	unsigned count;
	unsigned capacity;
	uint64_t order;   /* given to the last one set */
	int64_t pass;     /* the time whose timers are being run; INT64_MIN: none */
	int64_t earliest; /* INT64_MAX: none; atomic */
};

void timer_queue_init(struct timer_queue *queue);
void timer_queue_clear(struct timer_queue *queue);

/* Runs the timers of @clock that are due at @now, each once. True if there were any. */
bool timers_run_at(struct loop *loop, enum clock_id clock, int64_t now);
void timers_run(struct loop *loop);

/* Nanoseconds until the loop has a timer to run, or -1 if it has none. */
int64_t timers_timeout(struct loop *loop);
int64_t timers_earliest(const struct loop *loop, enum clock_id clock);

/* True if timers of @clock fire: always, but for the virtual clock while it is stopped. */
bool clock_fires(enum clock_id clock);

struct loop {
	GMainContext *context;
	GThread *thread; /* NULL for the main loop */
	char *name;
	int tid;
	bool stop; /* atomic */

	/* A kick writes to kick_fd only if the loop may be asleep and nobody else has done so. */
	int kick_fd;
	int sleeping; /* atomic */
	int kicked;   /* atomic */

	struct bottom_half *incoming; /* atomic */
	struct bottom_half *ready;    /* of the loop's thread: in order */
	struct bottom_half **ready_tail;

	struct timer_queue timers[QCLOCK_COUNT];

	/* See loop_new_exclusive(). Who wants the lock waits at the gate, so that everybody gets his turn. */
	bool exclusive, entered;
	GMutex gate, lock;
	int wanted; /* atomic: by how many others */

	/* poll.c */
	GPtrArray *pollers;          /* NULL: none yet */
	struct loop_polling polling; /* atomic members */
	int64_t look_ns;             /* how long to look before sleeping */

	GPollFD *fds; /* kick_fd, then what GLib asks for */
	int fds_capacity;

	struct loop *next; /* in the list of all loops */
};

/* poll.c: the loop's own thread takes its lock; it gives it up if it has it, and then returns true. */
void loop_enter(struct loop *loop);
bool loop_leave(struct loop *loop);
/* Looks for work for a while, at most @timeout ns (-1: any time). True: there is some. */
bool loop_look(struct loop *loop, int count, int64_t timeout);
/* After having waited for @waited ns in all, looking and sleeping. */
void loop_looked(struct loop *loop, int64_t waited);
void pollers_run(struct loop *loop);
/* loop.c: whether one of the first @count + 1 fds has something, now. */
bool fds_ready(struct loop *loop, int count);

/* True on the loop's own thread. */
bool loop_is_mine(const struct loop *loop);

void loops_foreach(void (*fn)(struct loop *loop, void *opaque), void *opaque);
void loops_kick(void);

#endif
