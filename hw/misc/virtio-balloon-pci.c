/* virtio-balloon as a PCI card. It interrupts by its pin. */
#include "hw/virtio/pci.h"

extern const struct device_type virtio_balloon_type;

static const struct pci_info card_info = VIRTIO_PCI_INFO(0x1002, PCI_CLASS_CODE(0x00, 0xff, 0));

VIRTIO_PCI_FACES(virtio_balloon, "virtio-balloon", struct virtio_pci, "Memory balloon by virtio",
		 .class_data = &card_info, .inner = &virtio_balloon_type);
