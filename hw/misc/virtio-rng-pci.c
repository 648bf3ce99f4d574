/* virtio-rng as a PCI card. */
#include "hw/virtio/pci.h"

extern const struct device_type virtio_rng_type;

static const struct pci_info card_info = VIRTIO_PCI_INFO(0x1005, PCI_CLASS_CODE(0x00, 0xff, 0));

VIRTIO_PCI_FACES(virtio_rng, "virtio-rng", struct virtio_pci, "Randomness for the guest, by virtio",
		 .props = virtio_pci_auto_vectors, .class_data = &card_info,
		 .inner = &virtio_rng_type);
