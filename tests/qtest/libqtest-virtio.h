/*
 * A virtio driver for tests: the modern and the legacy PCI interface, MMIO of both versions, split and packed
 * rings. It reaches the device through callbacks, so that the same driver works over the qtest protocol on
 * the real binary (vdrv_pci()) and on a device within the test's own process (vdrv_mmio()).
 *
 *	struct vdrv d;
 *	vdrv_pci(&d, s, QTS_DEVFN(4, 0), VDRV_MODERN);
 *	vdrv_negotiate(&d, vdrv_offered(&d));
 *	struct vq *q = vq_new(&d, 0, 0);
 *	vdrv_ok(&d);
 *	vq_add(q, (struct vbuf[]){{addr, 64, true}}, 1);
 *	vq_kick(q);
 *	len = vq_wait(q, NULL);
 *	vq_free(q);
 *
 * Memory for rings is taken from `memory` upwards and never given back.
 */
#ifndef TESTS_QTEST_LIBQTEST_VIRTIO_H
#define TESTS_QTEST_LIBQTEST_VIRTIO_H

#include "abi/virtio.h"
#include "libqtest.h"

enum vdrv_kind { VDRV_MODERN, VDRV_LEGACY, VDRV_MMIO, VDRV_MMIO_LEGACY };

struct vdrv_io {
	void *opaque;
	uint64_t (*read)(void *opaque, bool port, uint64_t addr, unsigned size);
	void (*write)(void *opaque, bool port, uint64_t addr, unsigned size, uint64_t value);
	void (*copy)(void *opaque, uint64_t addr, void *buf, size_t len, bool to_guest);
	void (*wait)(void *opaque); /* let the device work */
};

struct vdrv {
	struct vdrv_io io;
	enum vdrv_kind kind;
	unsigned devfn;    /* PCI */
	uint64_t base;     /* of the interface's registers */
	uint64_t config;   /* of the device configuration */
	uint64_t msix;     /* PCI: the table */
	uint64_t features; /* accepted */
	uint64_t memory;   /* free from here on */
};

/* The card at @devfn of bus 0; BARs are mapped and mastering is switched on. */
void vdrv_pci(struct vdrv *d, struct qts *s, unsigned devfn, enum vdrv_kind kind);
/* MSI-X on or off; legacy drivers find the configuration elsewhere then. */
void vdrv_enable_msix(struct vdrv *d, bool on);
bool vdrv_msix_pending(struct vdrv *d, unsigned vector);
/* The window at @base. Which version it is, it says itself. */
void vdrv_mmio(struct vdrv *d, const struct vdrv_io *io, uint64_t base, uint64_t memory);

uint64_t vdrv_alloc(struct vdrv *d, uint64_t size, uint64_t align);
uint64_t vdrv_read(struct vdrv *d, uint64_t offset, unsigned size);
void vdrv_write(struct vdrv *d, uint64_t offset, unsigned size, uint64_t value);
void vdrv_memread(struct vdrv *d, uint64_t addr, void *buf, size_t len);
void vdrv_memwrite(struct vdrv *d, uint64_t addr, const void *buf, size_t len);

uint64_t vdrv_offered(struct vdrv *d);
uint8_t vdrv_status(struct vdrv *d);
void vdrv_set_status(struct vdrv *d, uint8_t status);
/* Reset, acknowledge, features: false if the device refuses them. */
bool vdrv_negotiate(struct vdrv *d, uint64_t features);
void vdrv_ok(struct vdrv *d);
/* Reads and clears it. */
uint8_t vdrv_isr(struct vdrv *d);
uint32_t vdrv_config(struct vdrv *d, unsigned offset, unsigned size);
void vdrv_config_write(struct vdrv *d, unsigned offset, unsigned size, uint32_t value);

struct vbuf {
	uint64_t addr;
	uint32_t len;
	bool device_writes;
};

struct vq {
	struct vdrv *d;
	unsigned index;
	bool packed;
	uint16_t size;
	uint64_t desc, driver, device;
	uint16_t next_desc;   /* free from here on, round the table */
	uint16_t avail, used; /* so far (split), or place (packed) */
	bool avail_wrap, used_wrap;
	uint16_t next_id;
	uint16_t *slots; /* packed: descriptors by buffer ID */
};

/* Sets the queue up with @size entries (0: as many as it has). */
struct vq *vq_new(struct vdrv *d, unsigned index, uint16_t size);
void vq_free(struct vq *q);
/* Makes a chain available; the ID it will come back with. */
uint16_t vq_add(struct vq *q, const struct vbuf *bufs, unsigned count);
uint16_t vq_add_indirect(struct vq *q, const struct vbuf *bufs, unsigned count);
void vq_kick(struct vq *q);
/* The next used chain, if there is one. */
bool vq_get(struct vq *q, uint16_t *id, uint32_t *len);
/* Waits for it; the bytes the device wrote. */
uint32_t vq_wait(struct vq *q, uint16_t *id);
/* Asks for an interrupt after @ahead more chains (EVENT_IDX), or (-1) for none. */
void vq_interrupt_after(struct vq *q, int ahead);

#endif
