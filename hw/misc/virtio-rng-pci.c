/* virtio-rng as a PCI card. */
#include "hw/virtio/pci.h"

extern const struct device_type virtio_rng_type;

static const struct pci_info card_info = VIRTIO_PCI_INFO(0x1005, PCI_CLASS_CODE(0x00, 0xff, 0));

const struct device_type virtio_rng_pci_type = {
	.name = "virtio-rng-pci",
	.alias = "virtio-rng",
	.help = "Randomness for the guest, by virtio",
	.base = &virtio_pci_either_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.props = virtio_pci_auto_vectors,
	.class_data = &card_info,
	.inner = &virtio_rng_type,
};

const struct device_type virtio_rng_pci_transitional_type = {
	.name = "virtio-rng-pci-transitional",
	.help = "Randomness for the guest, by virtio with the legacy interface",
	.base = &virtio_pci_transitional_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.props = virtio_pci_auto_vectors,
	.class_data = &card_info,
	.inner = &virtio_rng_type,
};

const struct device_type virtio_rng_pci_modern_type = {
	.name = "virtio-rng-pci-non-transitional",
	.help = "Randomness for the guest, by virtio without the legacy interface",
	.base = &virtio_pci_modern_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.props = virtio_pci_auto_vectors,
	.class_data = &card_info,
	.inner = &virtio_rng_type,
};
