/*
 * Virtio over MMIO: a window of registers and an interrupt line. Source: VIRTIO 1.2, 4.2.
 *
 * A board makes as many windows as it likes (virtio_mmio_type), each with a bus of one place named
 * "virtio-mmio-bus.N", and tells the guest of them (a device tree, ACPI, the command line). Devices go to the
 * first that is free in the order of the device tree.
 */
#ifndef HW_VIRTIO_MMIO_H
#define HW_VIRTIO_MMIO_H

#include "hw/virtio/transport.h"

struct accel;

extern const struct device_type virtio_mmio_type;

struct virtio_mmio_config {
	struct region *memory; /* mapped there */
	uint64_t addr;
	unsigned index; /* of the window: a part of its bus's name */
	struct address_space *dma;
	struct irq *irq;
	struct accel *accel; /* for ioeventfds; NULL: none */
};

/* Between device_new() and device_realize(). */
void virtio_mmio_configure(struct device *dev, const struct virtio_mmio_config *config);

/* The device in the window, or NULL; where the window is. */
struct virtio_device *virtio_mmio_device(struct device *dev);
uint64_t virtio_mmio_addr(struct device *dev);

#endif
