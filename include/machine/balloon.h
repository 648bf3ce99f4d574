/*
 * The memory balloon: between the commands that want the guest smaller and the device that asks it to be.
 *
 * There is one balloon at most. All functions want the machine lock.
 */
#ifndef MACHINE_BALLOON_H
#define MACHINE_BALLOON_H

#include "api/command.h"

struct balloon_ops {
	/* Asks the guest to give up @bytes in all. */
	void (*set_target)(void *opaque, uint64_t bytes);
	/* What it has given up so far. */
	uint64_t (*taken)(void *opaque);
	/* See balloon_hint_round(). */
	void (*hint_round)(void *opaque, bool begin);
};

/* The device, as it comes and goes. "Only one balloon device is supported". */
bool balloon_register(const struct balloon_ops *ops, void *opaque, GError **errp);
void balloon_unregister(void *opaque);

/* The guest gave up or took back memory: BALLOON_CHANGE. */
void balloon_changed(void);

/* Memory the guest has left. False with DeviceNotActive if there is no balloon. */
bool balloon_actual(uint64_t *bytes, GError **errp);
/* Asks the guest to keep @bytes, at most all it was started with. */
bool balloon_set(int64_t bytes, GError **errp);

/*
 * For whoever is about to send or save guest memory by the bits of DIRTY_MIGRATION: in a round the guest clears
 * those of pages that it does not use. Nothing happens without a guest that can.
 */
void balloon_hint_round(bool begin);

extern const struct event_type balloon_events[];

#endif
