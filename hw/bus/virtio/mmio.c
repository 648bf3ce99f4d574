/*
 * The MMIO transport: VIRTIO 1.2, 4.2.2; its legacy interface (version 1) 4.2.4.
 *
 * Registers are dwords, only the device's configuration takes any size. A window without a device
 * shows magic, version and the device ID 0, which tells drivers to look elsewhere.
 */
#include "accel/accel.h"
#include "base/trace.h"
#include "event/lock.h"
#include "hw/virtio/mmio.h"
#include "internal.h"

TRACE_DEFINE(virtio_mmio_read, "0x%" PRIx64 ": 0x%03x is 0x%x");
TRACE_DEFINE(virtio_mmio_write, "0x%" PRIx64 ": 0x%03x := 0x%x");

struct virtio_mmio {
	struct device dev;
	struct virtio_transport t;
	struct virtio_mmio_config config;
	struct region regs;
	struct bottom_half *line;

	/* Properties */
	bool force_legacy, ioeventfd, format_transport_address;

	/* Version 1 */
	uint32_t page_size, align;
};

static struct virtio_mmio *mmio_of(struct device *dev)
{
	return container_of(dev, struct virtio_mmio, dev);
}

static struct virtio_mmio *mmio_of_transport(struct virtio_transport *t)
{
	return container_of(t, struct virtio_mmio, t);
}

void virtio_mmio_configure(struct device *dev, const struct virtio_mmio_config *config)
{
	mmio_of(dev)->config = *config;
}

struct virtio_device *virtio_mmio_device(struct device *dev)
{
	return mmio_of(dev)->t.vdev;
}

uint64_t virtio_mmio_addr(struct device *dev)
{
	return mmio_of(dev)->config.addr;
}

/* ---- Interrupts and kicks ---- */

/* On the main loop. */
static void line_update(void *opaque)
{
	struct virtio_mmio *m = opaque;
	bool pending = m->t.vdev && __atomic_load_n(&m->t.vdev->isr, __ATOMIC_SEQ_CST);

	irq_set(m->config.irq, pending);
}

static void mmio_notify(struct virtio_transport *t, uint16_t vector)
{
	struct virtio_mmio *m = mmio_of_transport(t);

	if (machine_locked())
		line_update(m);
	else
		bh_schedule(m->line);
}

static void mmio_quiet(struct virtio_transport *t)
{
	line_update(mmio_of_transport(t));
}

static void mmio_doorbell(struct virtio_transport *t, struct virtqueue *q, bool on)
{
	struct virtio_mmio *m = mmio_of_transport(t);
	struct doorbell bell = {
		.offset = VIRTIO_MMIO_QUEUE_NOTIFY,
		.size = 4,
		.match_data = true,
		.data = q->index,
		.notifier = &q->kick,
	};

	/* Then the value written is never the bare index; write() sorts it out. */
	if (virtio_has(q->vdev, VIRTIO_F_NOTIFICATION_DATA))
		return;
	if (on)
		region_add_doorbell(&m->regs, &bell);
	else
		region_remove_doorbell(&m->regs, &bell);
}

static bool mmio_plugged(struct virtio_transport *t, GError **errp)
{
	if (!t->vdev->iommu_platform || t->modern)
		return true;
	error_set(errp, "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional "
			"device");
	return false;
}

static void mmio_unplugged(struct virtio_transport *t)
{
	irq_lower(mmio_of_transport(t)->config.irq);
}

static const struct virtio_transport_ops mmio_ops = {
	.plugged = mmio_plugged,
	.unplugged = mmio_unplugged,
	.notify = mmio_notify,
	.quiet = mmio_quiet,
	.doorbell = mmio_doorbell,
};

/* ---- Registers ---- */

static uint32_t read_features(const struct virtio_mmio *m)
{
	if (m->t.modern)
		return virtio_offered(m->t.vdev, m->t.device_feature_select);
	return m->t.device_feature_select ? 0 : virtio_offered_legacy(m->t.vdev);
}

static uint32_t read_queue(const struct virtio_mmio *m, unsigned offset)
{
	const struct virtqueue *q = virtio_selected(&m->t);

	if (!q)
		return 0;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_SIZE_MAX:
		return q->max_size;
	case VIRTIO_MMIO_QUEUE_PFN:
		return m->t.modern ? 0 : q->addr[RING_DESC] / MAX(m->page_size, 1);
	case VIRTIO_MMIO_QUEUE_READY:
		return m->t.modern && q->enabled;
	default:
		return 0;
	}
}

static uint32_t read_device(const struct virtio_mmio *m, unsigned offset)
{
	const struct virtio_device *v = m->t.vdev;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_ID:
		return v->info->id;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return read_features(m);
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return v->isr;
	case VIRTIO_MMIO_STATUS:
		return v->status;
	case VIRTIO_MMIO_GENERATION:
		return m->t.modern ? v->generation : 0;
	case VIRTIO_MMIO_SHM_LENGTH: /* no such region: a length of -1 */
	case VIRTIO_MMIO_SHM_LENGTH + 4:
	case VIRTIO_MMIO_SHM_BASE:
	case VIRTIO_MMIO_SHM_BASE + 4:
		return UINT32_MAX;
	default:
		return read_queue(m, offset);
	}
}

static uint32_t read_register(const struct virtio_mmio *m, unsigned offset)
{
	switch (offset) {
	case VIRTIO_MMIO_MAGIC:
		return VIRTIO_MMIO_MAGIC_VALUE;
	case VIRTIO_MMIO_VERSION:
		return m->t.modern ? 2 : 1;
	case VIRTIO_MMIO_VENDOR_ID:
		return VIRTIO_MMIO_VENDOR;
	default:
		return m->t.vdev ? read_device(m, offset) : 0;
	}
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_mmio *m = opaque;
	uint32_t value = 0;

	if (offset >= VIRTIO_MMIO_CONFIG && m->t.vdev)
		value = virtio_config_read(m->t.vdev, offset - VIRTIO_MMIO_CONFIG, size);
	else if (size == 4 && offset < VIRTIO_MMIO_CONFIG)
		value = read_register(m, offset);
	trace(virtio_mmio_read, m->config.addr, (unsigned)offset, value);
	return value;
}

/* Version 2: how a queue is set up. */
static void write_queue(struct virtqueue *q, unsigned offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		if (value & 1)
			virtqueue_enable(q);
		else
			virtqueue_disable(q);
		break;
	case VIRTIO_MMIO_QUEUE_DESC:
	case VIRTIO_MMIO_QUEUE_DESC + 4:
		virtqueue_set_addr(q, RING_DESC, offset != VIRTIO_MMIO_QUEUE_DESC, value);
		break;
	case VIRTIO_MMIO_QUEUE_DRIVER:
	case VIRTIO_MMIO_QUEUE_DRIVER + 4:
		virtqueue_set_addr(q, RING_DRIVER, offset != VIRTIO_MMIO_QUEUE_DRIVER, value);
		break;
	case VIRTIO_MMIO_QUEUE_DEVICE:
	case VIRTIO_MMIO_QUEUE_DEVICE + 4:
		virtqueue_set_addr(q, RING_DEVICE, offset != VIRTIO_MMIO_QUEUE_DEVICE, value);
		break;
	case VIRTIO_MMIO_QUEUE_RESET:
		if (value == 1)
			virtqueue_driver_reset(q);
		break;
	}
}

static void write_pfn(struct virtio_mmio *m, struct virtqueue *q, uint32_t pfn)
{
	if (!pfn)
		virtio_reset(m->t.vdev);
	else
		virtqueue_set_legacy(q, (uint64_t)pfn * m->page_size, m->align);
}

/* Version 1. */
static void write_legacy(struct virtio_mmio *m, unsigned offset, uint32_t value)
{
	struct virtqueue *q = virtio_selected(&m->t);

	switch (offset) {
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		if (IS_POWER_OF_2(value))
			m->page_size = value;
		break;
	case VIRTIO_MMIO_QUEUE_ALIGN:
		if (IS_POWER_OF_2(value))
			m->align = value;
		break;
	case VIRTIO_MMIO_QUEUE_PFN:
		if (q)
			write_pfn(m, q, value);
		break;
	}
}

static void write_features(struct virtio_mmio *m, uint32_t value)
{
	if (m->t.modern)
		virtio_accept(m->t.vdev, m->t.driver_feature_select, value);
	else if (!m->t.driver_feature_select)
		virtio_accept_legacy(m->t.vdev, value);
}

static void write_register(struct virtio_mmio *m, unsigned offset, uint32_t value)
{
	struct virtio_device *v = m->t.vdev;
	struct virtqueue *q = virtio_selected(&m->t);

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SELECT:
		m->t.device_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SELECT:
		m->t.driver_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		write_features(m, value);
		break;
	case VIRTIO_MMIO_QUEUE_SELECT:
		m->t.queue_select = MIN(value, UINT16_MAX);
		break;
	case VIRTIO_MMIO_QUEUE_SIZE:
		if (q)
			virtqueue_set_size(q, value);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_kick(v, virtio_has(v, VIRTIO_F_NOTIFICATION_DATA) ? value & 0xffff : value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		virtio_take_isr(v, value);
		break;
	case VIRTIO_MMIO_STATUS:
		virtio_set_status(v, value, !m->t.modern);
		break;
	default:
		if (!m->t.modern)
			write_legacy(m, offset, value);
		else if (q)
			write_queue(q, offset, value);
	}
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_mmio *m = opaque;

	trace(virtio_mmio_write, m->config.addr, (unsigned)offset, (uint32_t)value);
	if (!m->t.vdev)
		return;
	if (offset >= VIRTIO_MMIO_CONFIG)
		virtio_config_write(m->t.vdev, offset - VIRTIO_MMIO_CONFIG, value, size);
	else if (size == 4)
		write_register(m, offset, value);
}

static const struct io_ops mmio_io_ops = {
	.read = mmio_read,
	.write = mmio_write,
	.impl = {.min = 1, .max = 4},
};

/* ---- Life ---- */

static char *mmio_dev_path(struct device *dev)
{
	struct virtio_mmio *m = container_of(dev->bus, struct virtio_mmio, t.bus);

	if (!m->format_transport_address)
		return g_strdup("virtio-mmio");
	return g_strdup_printf("virtio-mmio@%016" PRIx64, m->config.addr);
}

const struct bus_type virtio_mmio_bus_type = {
	.kind = "virtio-bus",
	.help = "The place for a device behind a virtio MMIO window",
	.unplug = virtio_bus_unplug,
	.dev_path = mmio_dev_path,
};

static bool mmio_realize(struct device *dev, GError **errp)
{
	struct virtio_mmio *m = mmio_of(dev);
	g_autofree char *name = g_strdup_printf("virtio-mmio-bus.%u", m->config.index);

	m->t.ops = &mmio_ops;
	m->t.dma = m->config.dma;
	m->t.legacy = m->force_legacy;
	m->t.modern = !m->force_legacy;
	m->t.ioeventfd = m->ioeventfd && m->config.accel && m->config.accel->ops->has_doorbells;
	m->line = bh_new(loop_main(), line_update, m);
	bus_init(&m->t.bus, &virtio_mmio_bus_type, dev, name);
	m->t.bus.max_devices = 1;
	region_init_io(&m->regs, dev, "virtio-mmio", &mmio_io_ops, m, VIRTIO_MMIO_SIZE);
	region_add(m->config.memory, m->config.addr, &m->regs, 0);
	return true;
}

static void mmio_unrealize(struct device *dev)
{
	struct virtio_mmio *m = mmio_of(dev);

	region_cleanup(&m->regs);
	g_clear_pointer(&m->line, bh_free);
}

static void mmio_reset(struct device *dev)
{
	struct virtio_mmio *m = mmio_of(dev);

	m->t.device_feature_select = m->t.driver_feature_select = m->t.queue_select = 0;
	m->page_size = 0;
	m->align = 1U << VIRTIO_LEGACY_PAGE_BITS;
}

static bool mmio_post_load(struct device *dev, GError **errp)
{
	struct virtio_mmio *m = mmio_of(dev);

	if (IS_POWER_OF_2(m->align) && (!m->page_size || IS_POWER_OF_2(m->page_size))) {
		line_update(m);
		return true;
	}
	error_set(errp, "Page size %u or alignment %u is no power of two", m->page_size, m->align);
	return false;
}

#define MMIO struct virtio_mmio

static const struct field mmio_props[] = {
	PROP_BOOL(MMIO, force_legacy, "force-legacy", true,
		  "Version 1, the legacy interface, instead of version 2"),
	PROP_BOOL(MMIO, ioeventfd, "ioeventfd", true,
		  "Let kicks signal eventfds, where the accelerator can"),
	PROP_BOOL(MMIO, format_transport_address, "format_transport_address", true,
		  "Show the window's address in paths of devices"),
	FIELD_ROW_END,
};

static const struct field mmio_state[] = {
	SAVE_STRUCT(MMIO, t, &virtio_transport_state),
	SAVE_UINT(MMIO, page_size),
	SAVE_UINT(MMIO, align),
	FIELD_ROW_END,
};

const struct device_type virtio_mmio_type = {
	.name = "virtio-mmio",
	.help = "A window of registers with a place for a virtio device",
	.size = sizeof(MMIO),
	.props = mmio_props,
	.state = mmio_state,
	.realize = mmio_realize,
	.unrealize = mmio_unrealize,
	.reset = mmio_reset,
	.post_load = mmio_post_load,
};
