/* The PCI transport: BARs, capabilities, interrupts. include/hw/virtio/pci.h says where things are. */
#include "base/trace.h"
#include "event/lock.h"
#include "pci-internal.h"

TRACE_DEFINE(virtio_pci_notify, "%s vector 0x%x");

#define MSIX_BAR               1
#define PIO_BAR                2
#define MODERN_BAR             4
#define MSIX_MAX               2048
#define BLOCK_SIZE             0x1000
#define QUEUES_MAX             1024
#define VIRTIO_REVISION_MODERN 1

struct virtio_pci *virtio_pci_of(struct virtio_transport *t)
{
	return container_of(t, struct virtio_pci, t);
}

/* ---- Interrupts ---- */

/* On the main loop. */
static void intx_update(void *opaque)
{
	struct virtio_pci *p = opaque;
	bool pending = p->t.vdev && __atomic_load_n(&p->t.vdev->isr, __ATOMIC_SEQ_CST);

	if (!pci_msix_enabled(&p->pci))
		pci_set_irq(&p->pci, pending);
}

static void pci_notify(struct virtio_transport *t, uint16_t vector)
{
	struct virtio_pci *p = virtio_pci_of(t);

	trace(virtio_pci_notify, device_label(&p->pci.dev), vector);
	if (pci_msix_enabled(&p->pci)) {
		if (vector != VIRTIO_NO_VECTOR && !virtio_pci_signal(p, vector))
			pci_msix_notify(&p->pci, vector);
	} else if (machine_locked()) {
		intx_update(p);
	} else {
		bh_schedule(p->intx);
	}
}

static void pci_quiet(struct virtio_transport *t)
{
	intx_update(virtio_pci_of(t));
}

uint16_t virtio_pci_vector(struct virtio_pci *p, uint32_t vector)
{
	if (vector >= pci_msix_vectors(&p->pci))
		return VIRTIO_NO_VECTOR;
	virtio_pci_use_vector(p, vector);
	return vector;
}

/* ---- Kicks ---- */

unsigned virtio_pci_notify_step(const struct virtio_pci *p)
{
	return p->page_per_vq ? BLOCK_SIZE : 4;
}

static void ring_bell(struct region *r, struct virtqueue *q, uint64_t offset, unsigned size,
		      bool on)
{
	struct doorbell bell = {
		.offset = offset,
		.size = size,
		.match_data = size != 0,
		.data = q->index,
		.notifier = &q->kick,
	};

	if (on)
		region_add_doorbell(r, &bell);
	else
		region_remove_doorbell(r, &bell);
}

static void pci_doorbell(struct virtio_transport *t, struct virtqueue *q, bool on)
{
	struct virtio_pci *p = virtio_pci_of(t);

	if (t->legacy)
		ring_bell(&p->legacy, q, VIRTIO_LEGACY_QUEUE_NOTIFY, 2, on);
	if (t->modern)
		ring_bell(&p->notify, q, (uint64_t)q->index * virtio_pci_notify_step(p), 0, on);
	if (t->modern && p->modern_pio_notify)
		ring_bell(&p->notify_pio, q, 0, 2, on);
}

static bool pci_can_dma(const struct virtio_transport *t)
{
	return pci_is_master(&container_of(t, struct virtio_pci, t)->pci);
}

/* ---- Identity ---- */

static void set_identity(struct virtio_pci *p)
{
	struct pci_device *pci = &p->pci;
	uint16_t id = p->t.vdev->info->id;

	if (p->t.legacy) {
		pci_set16(pci, PCI_DEVICE_ID, pci->info->device);
		pci_set16(pci, PCI_SUBSYSTEM_ID, id);
	} else {
		pci_set16(pci, PCI_DEVICE_ID, VIRTIO_PCI_DEVICE_MODERN + id);
		pci_set16(pci, PCI_SUBSYSTEM_ID, PCI_SUBSYSTEM_GENERIC);
		pci->config[PCI_REVISION] = VIRTIO_REVISION_MODERN;
	}
	pci->config[PCI_INTERRUPT_PIN] = 1;
}

/* ---- The modern interface ---- */

struct block {
	uint8_t type, bar;
	uint32_t offset, length;
	bool has_multiplier;
	uint32_t multiplier;
};

static bool add_block(struct virtio_pci *p, const struct block *b, GError **errp)
{
	uint8_t size = b->has_multiplier ? VIRTIO_PCI_CAP_SIZE_MORE : VIRTIO_PCI_CAP_SIZE;
	uint8_t cap = pci_add_capability(&p->pci, PCI_CAP_VENDOR, 0, size, errp);

	if (!cap)
		return false;
	p->pci.config[cap + VIRTIO_PCI_CAP_LEN] = size;
	p->pci.config[cap + VIRTIO_PCI_CAP_TYPE] = b->type;
	p->pci.config[cap + VIRTIO_PCI_CAP_BAR] = b->bar;
	pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_OFFSET, b->offset);
	pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_LENGTH, b->length);
	if (b->has_multiplier)
		pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_MULTIPLIER, b->multiplier);
	return true;
}

static bool add_modern(struct virtio_pci *p, GError **errp)
{
	uint32_t kicks = p->page_per_vq ? QUEUES_MAX * BLOCK_SIZE : BLOCK_SIZE;
	const struct block blocks[] = {
		{VIRTIO_PCI_CAP_COMMON, MODERN_BAR, 0, BLOCK_SIZE},
		{VIRTIO_PCI_CAP_ISR, MODERN_BAR, VIRTIO_PCI_ISR_AT, BLOCK_SIZE},
		{VIRTIO_PCI_CAP_DEVICE, MODERN_BAR, VIRTIO_PCI_CONFIG_AT, BLOCK_SIZE},
		{VIRTIO_PCI_CAP_NOTIFY, MODERN_BAR, VIRTIO_PCI_NOTIFY_AT, kicks, true,
		 virtio_pci_notify_step(p)},
		{VIRTIO_PCI_CAP_NOTIFY, PIO_BAR, 0, 4, true, 0},
	};
	uint64_t size = 4 * BLOCK_SIZE;

	for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++) {
		if (blocks[i].bar == PIO_BAR && !p->modern_pio_notify)
			continue;
		if (!add_block(p, &blocks[i], errp))
			return false;
	}
	if (!virtio_pci_add_window(p, errp))
		return false;
	while (size < VIRTIO_PCI_NOTIFY_AT + kicks)
		size *= 2;
	virtio_pci_init_modern(p, size, kicks);
	pci_set_bar(&p->pci, MODERN_BAR, PCI_BAR_64BIT | PCI_BAR_PREFETCH, &p->modern);
	if (p->modern_pio_notify)
		pci_set_bar(&p->pci, PIO_BAR, PCI_BAR_IO, &p->notify_pio);
	return true;
}

static bool add_msix(struct virtio_pci *p, GError **errp)
{
	if (p->vectors == VIRTIO_PCI_VECTORS_AUTO)
		p->vectors = p->t.vdev->queues->len + 1;
	if (p->vectors > MSIX_MAX) {
		warn_report("%s: unable to init msix vectors to %u", device_label(&p->pci.dev),
			    p->vectors);
		p->vectors = 0;
	}
	return !p->vectors || pci_msix_init_bar(&p->pci, p->vectors, MSIX_BAR, errp);
}

static void pci_unplugged(struct virtio_transport *t)
{
	struct virtio_pci *p = virtio_pci_of(t);
	struct region *all[] = {&p->legacy, &p->notify_pio, &p->common, &p->isr,
				&p->config, &p->notify,     &p->modern};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		if (all[i]->size)
			region_cleanup(all[i]);
		memset(all[i], 0, sizeof(*all[i]));
	}
}

static bool pci_plugged(struct virtio_transport *t, GError **errp)
{
	struct virtio_pci *p = virtio_pci_of(t);

	if (t->vdev->iommu_platform && t->legacy) {
		error_set(errp, "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor "
				"transitional device");
		return false;
	}
	set_identity(p);
	if (t->legacy)
		virtio_pci_init_legacy(p);
	if ((t->modern && !add_modern(p, errp)) || !add_msix(p, errp)) {
		pci_unplugged(t);
		return false;
	}
	return true;
}

static const struct virtio_transport_ops pci_ops = {
	.plugged = pci_plugged,
	.unplugged = pci_unplugged,
	.notify = pci_notify,
	.quiet = pci_quiet,
	.doorbell = pci_doorbell,
	.can_dma = pci_can_dma,
	.running = virtio_pci_running,
};

/* To firmware the card is the device. */
static char *no_fw_path(struct device *dev)
{
	return NULL;
}

const struct bus_type virtio_pci_bus_type = {
	.kind = "virtio-pci-bus",
	.help = "The inside of a virtio PCI card",
	.unplug = virtio_bus_unplug,
	.fw_path = no_fw_path,
};

/* ---- The card ---- */

void virtio_pci_config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);

	if (offset < PCI_COMMAND + 2 && offset + len > PCI_COMMAND)
		virtio_set_disabled(p->t.vdev, !pci_is_master(pci));
	virtio_pci_window_written(p, offset, len);
}

void virtio_pci_config_reading(struct pci_device *pci, unsigned offset, unsigned len)
{
	virtio_pci_window_reading(container_of(pci, struct virtio_pci, pci), offset, len);
}

static bool choose_interfaces(struct virtio_pci *p, GError **errp)
{
	if (p->disable_legacy == ONOFFAUTO_AUTO)
		p->disable_legacy = p->pci.info->device ? ONOFFAUTO_OFF : ONOFFAUTO_ON;
	p->t.legacy = p->disable_legacy == ONOFFAUTO_OFF;
	p->t.modern = !p->disable_modern;
	if (!p->t.legacy && !p->t.modern) {
		error_set(errp, "device cannot work as neither modern nor legacy mode is enabled");
		error_add_hint(errp, "Set either disable-modern or disable-legacy to off");
		return false;
	}
	if (p->t.legacy && !p->pci.info->device) {
		error_set(errp, "device is modern-only, use disable-legacy=on");
		return false;
	}
	return true;
}

static bool card_realize(struct device *dev, GError **errp)
{
	struct virtio_pci *p = container_of(dev, struct virtio_pci, pci.dev);
	struct accel *accel = pci_accel(&p->pci);

	if (!choose_interfaces(p, errp))
		return false;
	p->t.ops = &pci_ops;
	p->t.dma = pci_dma_space(&p->pci);
	p->t.ioeventfd = p->ioeventfd && accel && accel->ops->has_doorbells;
	p->intx = bh_new(loop_main(), intx_update, p);
	bus_init(&p->t.bus, &virtio_pci_bus_type, dev, "virtio-bus");
	p->t.bus.max_devices = 1;
	if (device_realize(device_ref(dev->inner), dev, "virtio-backend", &p->t.bus, errp))
		return true;
	device_unref(dev->inner);
	g_clear_pointer(&p->intx, bh_free);
	return false;
}

static void card_unrealize(struct device *dev)
{
	struct virtio_pci *p = container_of(dev, struct virtio_pci, pci.dev);

	g_clear_pointer(&p->intx, bh_free);
}

static void card_reset(struct device *dev)
{
	struct virtio_pci *p = container_of(dev, struct virtio_pci, pci.dev);

	p->t.device_feature_select = p->t.driver_feature_select = p->t.queue_select = 0;
	virtio_pci_window_reset(p);
}

#define CARD struct virtio_pci

static const struct field card_props[] = {
	PROP_BOOL(CARD, ats, "ats", false,
		  "Accepted; address translation services need PCI Express"),
	PROP_BOOL(CARD, page_per_vq, "page-per-vq", false,
		  "A page of its own for each queue's kick register"),
	PROP_BOOL(CARD, modern_pio_notify, "modern-pio-notify", false,
		  "A kick register in I/O space for the modern interface too"),
	FIELD_ROW_END,
};

static const struct field card_state[] = {
	SAVE_STRUCT(CARD, t, &virtio_transport_state),
	FIELD_ROW_END,
};

const struct device_type virtio_pci_type = {
	.name = "virtio-pci",
	.help = "A PCI card with a virtio device",
	.base = &pci_device_type,
	.size = sizeof(CARD),
	.flags = TYPE_ABSTRACT,
	.props = card_props,
	.state = card_state,
	.realize = card_realize,
	.unrealize = card_unrealize,
	.reset = card_reset,
};

static const struct field either_props[] = {
	PROP_ONOFFAUTO(CARD, disable_legacy, "disable-legacy", ONOFFAUTO_AUTO,
		       "Leave the legacy interface out"),
	PROP_BOOL(CARD, disable_modern, "disable-modern", false, "Leave the modern interface out"),
	FIELD_ROW_END,
};

const struct device_type virtio_pci_either_type = {
	.name = "virtio-pci-either",
	.help = "A virtio card whose interfaces are chosen",
	.base = &virtio_pci_type,
	.size = sizeof(CARD),
	.flags = TYPE_ABSTRACT,
	.props = either_props,
};

static void transitional_init(struct device *dev)
{
	container_of(dev, CARD, pci.dev)->disable_legacy = ONOFFAUTO_OFF;
}

const struct device_type virtio_pci_transitional_type = {
	.name = "virtio-pci-transitional",
	.help = "A virtio card with the legacy and the modern interface",
	.base = &virtio_pci_type,
	.size = sizeof(CARD),
	.flags = TYPE_ABSTRACT,
	.init = transitional_init,
};

static void modern_init(struct device *dev)
{
	container_of(dev, CARD, pci.dev)->disable_legacy = ONOFFAUTO_ON;
}

const struct device_type virtio_pci_modern_type = {
	.name = "virtio-pci-non-transitional",
	.help = "A virtio card with the modern interface only",
	.base = &virtio_pci_type,
	.size = sizeof(CARD),
	.flags = TYPE_ABSTRACT,
	.init = modern_init,
};

const struct field virtio_pci_auto_vectors[] = {
	VIRTIO_PCI_VECTORS(VIRTIO_PCI_VECTORS_AUTO),
	FIELD_ROW_END,
};
