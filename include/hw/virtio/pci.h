/*
 * Virtio over PCI: the card around a virtio device. Source: VIRTIO 1.2, 4.1.
 *
 * A virtio device type X ("virtio-rng-device") appears on PCI by up to three types, each with the card's
 * struct virtio_pci (or one that begins with it), X as `inner`, and a struct pci_info with vendor, legacy
 * device ID (0: it never had one, so there is no legacy interface) and class:
 *
 *	virtio-rng-pci			base virtio_pci_either_type: properties choose the interfaces
 *	virtio-rng-pci-transitional	base virtio_pci_transitional_type: both
 *	virtio-rng-pci-non-transitional	base virtio_pci_modern_type: the modern one only
 *
 * BAR 0 (I/O) is the legacy interface, BAR 1 the MSI-X table, BAR 2 (I/O) the modern kick register if
 * asked for, BAR 4 (memory, 64 bits) the modern interface: 4 KiB each of common configuration, interrupt
 * status, device configuration, and kicks. The places are QEMU's.
 */
#ifndef HW_VIRTIO_PCI_H
#define HW_VIRTIO_PCI_H

#include "hw/pci.h"
#include "hw/virtio/transport.h"

#define VIRTIO_PCI_VECTORS_AUTO UINT32_MAX

struct virtio_pci {
	struct pci_device pci;
	struct virtio_transport t;

	/* Properties */
	int disable_legacy; /* enum onoffauto */
	bool disable_modern, ats, page_per_vq, modern_pio_notify, ioeventfd;
	uint32_t vectors; /* 0: no MSI-X */

	struct region legacy, modern, common, isr, config, notify, notify_pio;
	uint8_t window; /* offset of the configuration access capability; 0: none */
	struct bottom_half *intx;
	struct virtio_pci_vector
		*fds; /* a vector each, while the driver runs; NULL: without irqfds */
};

/* Abstract bases. */
extern const struct device_type virtio_pci_type, virtio_pci_either_type,
	virtio_pci_transitional_type, virtio_pci_modern_type;

/* For the pci_info of a card: @_device is the legacy ID, @_class PCI_CLASS_CODE(). */
#define VIRTIO_PCI_INFO(_device, _class)                                                           \
	{                                                                                          \
		.vendor = PCI_VENDOR_REDHAT, .device = (_device), .class = (_class),               \
		.config_reading = virtio_pci_config_reading,                                       \
		.config_written = virtio_pci_config_written,                                       \
	}
void virtio_pci_config_reading(struct pci_device *pci, unsigned offset, unsigned len);
void virtio_pci_config_written(struct pci_device *pci, unsigned offset, unsigned len);

/* Rows for types that interrupt by MSI-X and are kicked by ioeventfds. VECTORS_AUTO: one a queue and one. */
#define VIRTIO_PCI_VECTORS(_vectors)                                                               \
	PROP_UINT(struct virtio_pci, vectors, "vectors", _vectors, 0,                              \
		  "MSI-X vectors; 0: none; 4294967295: as many as are of use"),                    \
		PROP_BOOL(struct virtio_pci, ioeventfd, "ioeventfd", true,                         \
			  "Let kicks signal eventfds, where the accelerator can")
extern const struct field virtio_pci_auto_vectors[];

/*
 * The three faces of one device on PCI: @_ident##_type, ..._transitional_type and ..._modern_type, called @_name with
 * an ending. Members of struct device_type that they have in common follow.
 */
#define VIRTIO_PCI_FACE(_ident, _name, _base, _struct, _help, ...)                                 \
	const struct device_type _ident = {                                                        \
		.name = _name,                                                                     \
		.help = _help,                                                                     \
		.base = &_base,                                                                    \
		.size = sizeof(_struct),                                                           \
		.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,                                  \
		__VA_ARGS__,                                                                       \
	}
/* @_name "virtio-rng": also the alias of the first. @_struct: the card's, struct virtio_pci or one that begins with it. */
#define VIRTIO_PCI_FACES(_ident, _name, _struct, _help, ...)                                       \
	VIRTIO_PCI_FACE(_ident##_pci_type, _name "-pci", virtio_pci_either_type, _struct, _help,   \
			.alias = _name, __VA_ARGS__);                                              \
	VIRTIO_PCI_FACE(_ident##_pci_transitional_type, _name "-pci-transitional",                 \
			virtio_pci_transitional_type, _struct, _help " with the legacy interface", \
			__VA_ARGS__);                                                              \
	VIRTIO_PCI_FACE(_ident##_pci_modern_type, _name "-pci-non-transitional",                   \
			virtio_pci_modern_type, _struct, _help " without the legacy interface",    \
			__VA_ARGS__)

#endif
