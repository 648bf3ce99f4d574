/* virtio-serial as a PCI card. */
#include "hw/virtio/pci.h"

extern const struct device_type virtio_serial_type;

struct serial_card {
	struct virtio_pci card;
	uint32_t class;
};

#define CLASS_COMMUNICATION 0x0780
#define CLASS_DISPLAY       0x0380
#define CLASS_OTHERS        0x00ff

/* Cards of old had other classes; anything else is not believed. */
static bool serial_card_realize(struct device *dev, GError **errp)
{
	struct serial_card *c = container_of(dev, struct serial_card, card.pci.dev);

	if (c->class != CLASS_DISPLAY && c->class != CLASS_OTHERS)
		c->class = CLASS_COMMUNICATION;
	pci_set16(&c->card.pci, PCI_CLASS, c->class);
	return true;
}

static const struct field card_props[] = {
	PROP_UINT(struct serial_card, class, "class", 0, 0,
		  "PCI class: 0x0780, 0x0380 or 0x00ff; others are 0x0780"),
	VIRTIO_PCI_VECTORS(2),
	FIELD_ROW_END,
};

static const struct pci_info card_info = VIRTIO_PCI_INFO(0x1003, PCI_CLASS_CODE(0x07, 0x80, 0));

VIRTIO_PCI_FACES(virtio_serial, "virtio-serial", struct serial_card,
		 "Serial ports and consoles by virtio", .category = CATEGORY_INPUT,
		 .props = card_props, .class_data = &card_info, .inner = &virtio_serial_type,
		 .realize = serial_card_realize);
