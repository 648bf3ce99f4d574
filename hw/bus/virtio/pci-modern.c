/* The modern PCI interface's registers: VIRTIO 1.2, 4.1.4. */
#include "base/trace.h"
#include "pci-internal.h"

TRACE_DEFINE(virtio_common_read, "%s 0x%02x is 0x%x");
TRACE_DEFINE(virtio_common_write, "%s 0x%02x := 0x%x");

/* ---- Common configuration ---- */

static uint32_t addr_half(const struct virtqueue *q, unsigned area, unsigned half)
{
	return q->addr[area] >> (32 * half);
}

static uint32_t read_queue(const struct virtio_transport *t, unsigned offset)
{
	const struct virtqueue *q = virtio_selected(t);

	if (offset == VIRTIO_COMMON_QUEUE_NOTIFY_OFFSET)
		return t->queue_select;
	if (!q)
		return offset == VIRTIO_COMMON_QUEUE_VECTOR ? VIRTIO_NO_VECTOR : 0;
	switch (offset) {
	case VIRTIO_COMMON_QUEUE_SIZE:
		return q->size;
	case VIRTIO_COMMON_QUEUE_VECTOR:
		return q->vector;
	case VIRTIO_COMMON_QUEUE_ENABLE:
		return q->enabled;
	case VIRTIO_COMMON_QUEUE_DESC:
	case VIRTIO_COMMON_QUEUE_DESC + 4:
		return addr_half(q, RING_DESC, offset == VIRTIO_COMMON_QUEUE_DESC + 4);
	case VIRTIO_COMMON_QUEUE_DRIVER:
	case VIRTIO_COMMON_QUEUE_DRIVER + 4:
		return addr_half(q, RING_DRIVER, offset == VIRTIO_COMMON_QUEUE_DRIVER + 4);
	case VIRTIO_COMMON_QUEUE_DEVICE:
	case VIRTIO_COMMON_QUEUE_DEVICE + 4:
		return addr_half(q, RING_DEVICE, offset == VIRTIO_COMMON_QUEUE_DEVICE + 4);
	default: /* notify data, and reset, which is done at once */
		return 0;
	}
}

static uint32_t read_common(const struct virtio_pci *p, unsigned offset)
{
	const struct virtio_transport *t = &p->t;
	const struct virtio_device *v = t->vdev;

	switch (offset) {
	case VIRTIO_COMMON_DEVICE_FEATURE_SELECT:
		return t->device_feature_select;
	case VIRTIO_COMMON_DEVICE_FEATURE:
		return virtio_offered(v, t->device_feature_select);
	case VIRTIO_COMMON_DRIVER_FEATURE_SELECT:
		return t->driver_feature_select;
	case VIRTIO_COMMON_DRIVER_FEATURE:
		return t->driver_feature_select < 2
			       ? v->driver_features >> (32 * t->driver_feature_select)
			       : 0;
	case VIRTIO_COMMON_CONFIG_VECTOR:
		return v->config_vector;
	case VIRTIO_COMMON_QUEUES:
		return v->queues->len;
	case VIRTIO_COMMON_STATUS:
		return v->status;
	case VIRTIO_COMMON_GENERATION:
		return v->generation;
	case VIRTIO_COMMON_QUEUE_SELECT:
		return t->queue_select;
	default:
		return read_queue(t, offset);
	}
}

static uint64_t common_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;
	uint32_t value = read_common(p, offset);

	trace(virtio_common_read, device_label(&p->pci.dev), (unsigned)offset, value);
	return value;
}

static void write_queue(struct virtio_pci *p, unsigned offset, uint32_t value)
{
	struct virtqueue *q = virtio_selected(&p->t);

	if (!q)
		return;
	switch (offset) {
	case VIRTIO_COMMON_QUEUE_SIZE:
		virtqueue_set_size(q, value);
		break;
	case VIRTIO_COMMON_QUEUE_VECTOR:
		q->vector = virtio_pci_vector(p, value);
		break;
	case VIRTIO_COMMON_QUEUE_ENABLE:
		if (value == 1)
			virtqueue_enable(q);
		break;
	case VIRTIO_COMMON_QUEUE_DESC:
	case VIRTIO_COMMON_QUEUE_DESC + 4:
		virtqueue_set_addr(q, RING_DESC, offset == VIRTIO_COMMON_QUEUE_DESC + 4, value);
		break;
	case VIRTIO_COMMON_QUEUE_DRIVER:
	case VIRTIO_COMMON_QUEUE_DRIVER + 4:
		virtqueue_set_addr(q, RING_DRIVER, offset == VIRTIO_COMMON_QUEUE_DRIVER + 4, value);
		break;
	case VIRTIO_COMMON_QUEUE_DEVICE:
	case VIRTIO_COMMON_QUEUE_DEVICE + 4:
		virtqueue_set_addr(q, RING_DEVICE, offset == VIRTIO_COMMON_QUEUE_DEVICE + 4, value);
		break;
	case VIRTIO_COMMON_QUEUE_RESET:
		if (value == 1)
			virtqueue_driver_reset(q);
		break;
	}
}

static void common_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtio_transport *t = &p->t;
	struct virtio_device *v = t->vdev;

	trace(virtio_common_write, device_label(&p->pci.dev), (unsigned)offset, (uint32_t)value);
	switch (offset) {
	case VIRTIO_COMMON_DEVICE_FEATURE_SELECT:
		t->device_feature_select = value;
		break;
	case VIRTIO_COMMON_DRIVER_FEATURE_SELECT:
		t->driver_feature_select = value;
		break;
	case VIRTIO_COMMON_DRIVER_FEATURE:
		virtio_accept(v, t->driver_feature_select, value);
		break;
	case VIRTIO_COMMON_CONFIG_VECTOR:
		v->config_vector = virtio_pci_vector(p, value);
		break;
	case VIRTIO_COMMON_STATUS:
		virtio_set_status(v, value, false);
		break;
	case VIRTIO_COMMON_QUEUE_SELECT:
		t->queue_select = value;
		break;
	default:
		write_queue(p, offset, value);
	}
}

static const struct io_ops common_ops = {
	.read = common_read,
	.write = common_write,
	.impl = {.min = 1, .max = 4},
};

/* ---- Interrupt status: reading clears it ---- */

static uint64_t isr_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;

	return offset ? 0 : virtio_take_isr(p->t.vdev, UINT8_MAX);
}

static void ignore_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops isr_ops = {
	.read = isr_read,
	.write = ignore_write,
	.impl = {.min = 1, .max = 4},
};

/* ---- Device configuration ---- */

static uint64_t config_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;

	return virtio_config_read(p->t.vdev, offset, size);
}

static void config_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;

	virtio_config_write(p->t.vdev, offset, value, size);
}

static const struct io_ops config_ops = {
	.read = config_read,
	.write = config_write,
	.impl = {.min = 1, .max = 4},
};

/* ---- Kicks ---- */

static uint64_t read_zero(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void notify_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;

	/* The place says which queue; what is written repeats it. */
	virtio_kick(p->t.vdev, offset / virtio_pci_notify_step(p));
}

static const struct io_ops notify_ops = {
	.read = read_zero,
	.write = notify_write,
	.impl = {.min = 1, .max = 4},
};

static void notify_pio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;

	/* With NOTIFICATION_DATA the upper half is a position in the ring. */
	if (!offset)
		virtio_kick(p->t.vdev, value & 0xffff);
}

static const struct io_ops notify_pio_ops = {
	.read = read_zero,
	.write = notify_pio_write,
	.impl = {.min = 1, .max = 4},
};

void virtio_pci_init_modern(struct virtio_pci *p, uint64_t size, uint64_t kicks)
{
	struct device *dev = &p->pci.dev;

	region_init_container(&p->modern, dev, "virtio-pci", size);
	region_init_io(&p->common, dev, "virtio-pci-common", &common_ops, p, VIRTIO_PCI_ISR_AT);
	region_init_io(&p->isr, dev, "virtio-pci-isr", &isr_ops, p,
		       VIRTIO_PCI_CONFIG_AT - VIRTIO_PCI_ISR_AT);
	region_init_io(&p->config, dev, "virtio-pci-device", &config_ops, p,
		       VIRTIO_PCI_NOTIFY_AT - VIRTIO_PCI_CONFIG_AT);
	region_init_io(&p->notify, dev, "virtio-pci-notify", &notify_ops, p, kicks);
	region_add(&p->modern, 0, &p->common, 0);
	region_add(&p->modern, VIRTIO_PCI_ISR_AT, &p->isr, 0);
	region_add(&p->modern, VIRTIO_PCI_CONFIG_AT, &p->config, 0);
	region_add(&p->modern, VIRTIO_PCI_NOTIFY_AT, &p->notify, 0);
	if (p->modern_pio_notify)
		region_init_io(&p->notify_pio, dev, "virtio-pci-notify-pio", &notify_pio_ops, p, 4);
}
