/* What the files of the PCI transport share. */
#ifndef HW_BUS_VIRTIO_PCI_INTERNAL_H
#define HW_BUS_VIRTIO_PCI_INTERNAL_H

#include "hw/bus/virtio/internal.h"
#include "hw/virtio/pci.h"

/* In the modern BAR; the common configuration is at 0. */
#define VIRTIO_PCI_ISR_AT    0x1000
#define VIRTIO_PCI_CONFIG_AT 0x2000
#define VIRTIO_PCI_NOTIFY_AT 0x3000

struct virtio_pci *virtio_pci_of(struct virtio_transport *t);

/* A vector as the driver wrote it; NO_VECTOR where the card has no such one. */
uint16_t virtio_pci_vector(struct virtio_pci *p, uint32_t vector);

/* Bytes between the kick registers of two queues. */
unsigned virtio_pci_notify_step(const struct virtio_pci *p);

/* pci-irqfd.c. A vector that the driver gave to something; NO_VECTOR and others are passed over. */
void virtio_pci_use_vector(struct virtio_pci *p, uint16_t vector);
void virtio_pci_running(struct virtio_transport *t, bool running);
/* True: raised. Any thread that runs one of the device's queues. */
bool virtio_pci_signal(struct virtio_pci *p, uint16_t vector);

void virtio_pci_init_legacy(struct virtio_pci *p);
/* @size: of the whole BAR, @kicks: of its part for kicks. */
void virtio_pci_init_modern(struct virtio_pci *p, uint64_t size, uint64_t kicks);

/* pci-window.c: the capability through which configuration cycles reach the modern BAR. */
bool virtio_pci_add_window(struct virtio_pci *p, GError **errp);
void virtio_pci_window_reading(struct virtio_pci *p, unsigned offset, unsigned len);
void virtio_pci_window_written(struct virtio_pci *p, unsigned offset, unsigned len);
void virtio_pci_window_reset(struct virtio_pci *p);

#endif
