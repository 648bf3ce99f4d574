/* What the panic devices have in common: a register that tells which events it knows and takes them. */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#include "device/device.h"
#include "mem/region.h"

struct pvpanic {
	struct region reg;
	uint8_t events; /* what a guest reads: enum pvpanic_event */
};

enum pvpanic_event {
	PVPANIC_PANICKED = 0x01,
	PVPANIC_CRASH_LOADED = 0x02, /* the guest goes on into a kernel that saves what it can */
};

/* Readies the register, @size bytes that are all the same. region_cleanup() undoes it. */
void pvpanic_init(struct pvpanic *p, struct device *owner, uint64_t size);

#define PVPANIC_EVENTS_PROP(_s, _m)                                                                \
	PROP_UINT(_s, _m.events, "events", PVPANIC_PANICKED | PVPANIC_CRASH_LOADED, 0,             \
		  "Events the guest is told of: 1 panic, 2 crash kernel loaded")

#endif
