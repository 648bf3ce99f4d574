/* virtio-balloon as a PCI card. It interrupts by its pin. */
#include "hw/virtio/pci.h"

extern const struct device_type virtio_balloon_type;

static const struct pci_info card_info = VIRTIO_PCI_INFO(0x1002, PCI_CLASS_CODE(0x00, 0xff, 0));

const struct device_type virtio_balloon_pci_type = {
	.name = "virtio-balloon-pci",
	.alias = "virtio-balloon",
	.help = "Memory balloon by virtio",
	.base = &virtio_pci_either_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &card_info,
	.inner = &virtio_balloon_type,
};

const struct device_type virtio_balloon_pci_transitional_type = {
	.name = "virtio-balloon-pci-transitional",
	.help = "Memory balloon by virtio with the legacy interface",
	.base = &virtio_pci_transitional_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &card_info,
	.inner = &virtio_balloon_type,
};

const struct device_type virtio_balloon_pci_modern_type = {
	.name = "virtio-balloon-pci-non-transitional",
	.help = "Memory balloon by virtio without the legacy interface",
	.base = &virtio_pci_modern_type,
	.size = sizeof(struct virtio_pci),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &card_info,
	.inner = &virtio_balloon_type,
};
