/*
 * A virtio driver that means no good, for fuzzers. It reaches a device on the bench of tests/unit/trial-bench.h by
 * one of its interfaces and plays a list of what drivers do, and of what they must not do: features in any
 * combination, rings at any place (RAM, the seam of two blocks, ROM, registers, nothing), chains of buffers
 * likewise, registers at random, resets at any time, guest memory that goes away, state that is saved and loaded.
 */
#ifndef TESTS_FUZZ_VIRTIO_PLAYER_H
#define TESTS_FUZZ_VIRTIO_PLAYER_H

#include "../qtest/libqtest-virtio.h"
#include "../unit/trial-bench.h"
#include "hw/virtio/mmio.h"
#include "hw/virtio/pci.h"

#define PLAYER_QUEUES 12

/* What is left of the input. */
struct player_input {
	const uint8_t *data;
	size_t size;
};
/* Little-endian; zeros once the input is at its end. */
uint64_t player_take(struct player_input *in, unsigned bytes);

struct victim {
	struct virtio_device *v;
	enum vdrv_kind kind;
	struct pci_device *pci; /* NULL: MMIO */
	uint64_t window;        /* MMIO: where */
	/* Fills a buffer of @queue that the device will read with something it understands. NULL: random bytes */
	size_t (*message)(struct player_input *in, unsigned queue, uint8_t *bytes, size_t room);
	/* Something happens on the host's side. May be NULL. */
	void (*host)(struct player_input *in);
};

/* A card, or (@window not 0) a device behind a window of either version. @options: "name=value,...". */
void victim_card(struct victim *victim, const struct device_type *type, const char *options,
		 enum vdrv_kind kind);
void victim_window(struct victim *victim, const struct device_type *type, const char *options,
		   uint64_t window, bool legacy);

/* Plays from the state after reset. The first half of set-up is done right with @polite. */
void player_play(struct victim *victim, bool polite, const uint8_t *data, size_t size);

/* ---- The three devices, for all targets that want them ---- */
extern const struct device_type virtio_rng_type, virtio_rng_pci_type, virtio_serial_type,
	virtio_serial_pci_type, virtio_balloon_type, virtio_balloon_pci_type, virtserialport_type,
	virtconsole_type;

#define PLAYER_ALL_FEATURES "packed=on,in_order=on,notification_data=on"

/* Gives a virtio-serial victim a console and two ports, behind sockets of the player. */
void victim_serial_ports(struct victim *victim);
void victim_balloon(struct victim *victim);

#endif
