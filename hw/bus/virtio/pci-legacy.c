/*
 * The legacy PCI interface's ports: VIRTIO 1.2, 4.1.4.8.
 *
 * While MSI-X is enabled two vectors stand before the device's configuration. A queue is one run of pages
 * whose number is written; writing 0 resets the device.
 */
#include "base/trace.h"
#include "pci-internal.h"

TRACE_DEFINE(virtio_legacy_read, "%s 0x%02x is 0x%x");
TRACE_DEFINE(virtio_legacy_write, "%s 0x%02x := 0x%x");

#define USED_ALIGN 4096

static unsigned config_at(const struct virtio_pci *p)
{
	return pci_msix_enabled(&p->pci) ? VIRTIO_LEGACY_CONFIG_MSIX : VIRTIO_LEGACY_CONFIG;
}

static uint32_t read_port(struct virtio_pci *p, unsigned offset)
{
	struct virtio_device *v = p->t.vdev;
	const struct virtqueue *q = virtio_selected(&p->t);

	switch (offset) {
	case VIRTIO_LEGACY_DEVICE_FEATURES:
		return virtio_offered_legacy(v);
	case VIRTIO_LEGACY_DRIVER_FEATURES:
		return v->features;
	case VIRTIO_LEGACY_QUEUE_PFN:
		return q ? q->addr[RING_DESC] >> VIRTIO_LEGACY_PAGE_BITS : 0;
	case VIRTIO_LEGACY_QUEUE_SIZE:
		return q ? q->size : 0;
	case VIRTIO_LEGACY_QUEUE_SELECT:
		return p->t.queue_select;
	case VIRTIO_LEGACY_STATUS:
		return v->status;
	case VIRTIO_LEGACY_ISR:
		return virtio_take_isr(v, UINT8_MAX);
	case VIRTIO_LEGACY_CONFIG_VECTOR:
		return v->config_vector;
	case VIRTIO_LEGACY_QUEUE_VECTOR:
		return q ? q->vector : VIRTIO_NO_VECTOR;
	default:
		return UINT32_MAX;
	}
}

static uint64_t legacy_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;
	unsigned config = config_at(p);
	uint32_t value = offset < config ? read_port(p, offset)
					 : virtio_config_read(p->t.vdev, offset - config, size);

	trace(virtio_legacy_read, device_label(&p->pci.dev), (unsigned)offset, value);
	return value;
}

/* Drivers of old forgot to switch bus mastering on before they used the device. */
static void write_status(struct virtio_pci *p, uint8_t status)
{
	uint16_t command = pci_get16(&p->pci, PCI_COMMAND);

	if (status == (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER) &&
	    !(command & PCI_COMMAND_MASTER))
		pci_config_write(&p->pci, PCI_COMMAND, command | PCI_COMMAND_MASTER, 2);
	virtio_set_status(p->t.vdev, status, true);
}

static void write_pfn(struct virtio_pci *p, struct virtqueue *q, uint32_t pfn)
{
	if (!pfn)
		virtio_reset(p->t.vdev);
	else if (q)
		virtqueue_set_legacy(q, (uint64_t)pfn << VIRTIO_LEGACY_PAGE_BITS, USED_ALIGN);
}

static void write_port(struct virtio_pci *p, unsigned offset, uint32_t value)
{
	struct virtio_device *v = p->t.vdev;
	struct virtqueue *q = virtio_selected(&p->t);

	switch (offset) {
	case VIRTIO_LEGACY_DRIVER_FEATURES:
		virtio_accept_legacy(v, value);
		break;
	case VIRTIO_LEGACY_QUEUE_PFN:
		write_pfn(p, q, value);
		break;
	case VIRTIO_LEGACY_QUEUE_SELECT:
		p->t.queue_select = value;
		break;
	case VIRTIO_LEGACY_QUEUE_NOTIFY:
		virtio_kick(v, value & 0xffff);
		break;
	case VIRTIO_LEGACY_STATUS:
		write_status(p, value);
		break;
	case VIRTIO_LEGACY_CONFIG_VECTOR:
		v->config_vector = virtio_pci_vector(p, value & 0xffff);
		break;
	case VIRTIO_LEGACY_QUEUE_VECTOR:
		if (q)
			q->vector = virtio_pci_vector(p, value & 0xffff);
		break;
	}
}

static void legacy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;
	unsigned config = config_at(p);

	trace(virtio_legacy_write, device_label(&p->pci.dev), (unsigned)offset, (uint32_t)value);
	if (offset < config)
		write_port(p, offset, value);
	else
		virtio_config_write(p->t.vdev, offset - config, value, size);
}

static const struct io_ops legacy_ops = {
	.read = legacy_read,
	.write = legacy_write,
	.impl = {.min = 1, .max = 4},
};

void virtio_pci_init_legacy(struct virtio_pci *p)
{
	unsigned at = p->vectors ? VIRTIO_LEGACY_CONFIG_MSIX : VIRTIO_LEGACY_CONFIG;
	uint64_t size = 4;

	while (size < at + p->t.vdev->config_size)
		size *= 2;
	region_init_io(&p->legacy, &p->pci.dev, "virtio-pci", &legacy_ops, p, size);
	pci_set_bar(&p->pci, 0, PCI_BAR_IO, &p->legacy);
}
