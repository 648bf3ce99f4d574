/*
 * Twins: does a machine whose state was saved in the middle of something go on like one that never was?
 *
 * A scene begins something on a machine, and then goes on with it, noting all it sees. It is played three times:
 * by a machine that is left alone, by one whose state is saved in between, and by a fresh process that has
 * loaded that state and got the memory. The three have to note the same, line by line: registers, moments at
 * which timers fire, interrupts as the controllers show them, bytes and descriptors.
 */
#ifndef TESTS_QTEST_TWINS_H
#define TESTS_QTEST_TWINS_H

#include "libqtest-virtio.h"

#define TWIN_QUEUES 4
#define TWIN_MEMORY 0x300000 /* from here, where the drivers of slot 4 begin ... */
#define TWIN_LENGTH 0x100000 /* ... this much goes along */

struct twin {
	struct qts *s;
	GString *log;
	const char *args; /* of the scene; "%s" is a folder of this machine's own */
	char *dir;
	bool heir;     /* has loaded the state */
	int peer;      /* end of the socket at the folder's "peer"; -1: not connected */
	struct vdrv d; /* what the driver of a virtio scene knows ... */
	struct vq *queues[TWIN_QUEUES];
	uint64_t buffer; /* ... and where it put its data */
};

struct scene {
	const char *name;
	const char *args;
	void (*begin)(struct twin *t);
	void (*go_on)(struct twin *t);
};

/* Adds a test for each of @count scenes. */
void twins_add(const struct scene *scenes, size_t count);

/* A line of what is seen. */
void note(struct twin *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The interrupt controllers: requests, those in service, masks, entries. */
void note_board(struct twin *t);
/* Guest time goes to the next timer, @count times; what came then is noted, and the PICs' are acknowledged. */
void note_ticks(struct twin *t, unsigned count);
/* Guest time goes on by @ns. */
void note_step(struct twin *t, int64_t ns);
/* Both PICs as an operating system sets them up, all lines open. */
void twin_init_pics(struct twin *t);
/* Connects to the socket "peer", on which the machine listens. */
void twin_connect(struct twin *t);
void twin_send(struct twin *t, const void *data, size_t len);
/* Exactly @len bytes from the peer's end. */
void twin_receive(struct twin *t, void *data, size_t len);

#endif
