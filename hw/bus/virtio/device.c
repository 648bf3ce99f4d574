/*
 * The base of virtio devices: status, reset, configuration space, interrupts.
 * VIRTIO 1.2, 2.1 to 2.5 and 3.1.
 */
#include <stdarg.h>
#include "base/checked.h"
#include "base/trace.h"
#include "internal.h"
#include "machine/runstate.h"

TRACE_DEFINE(virtio_status, "%s status 0x%02x := 0x%02x");
TRACE_DEFINE(guest_errors_virtio, "%s: %s");

#define CONFIG_SIZE_MAX 4096

struct address_space *virtio_dma_space(const struct virtio_device *v)
{
	return v->transport->dma;
}

const char *virtio_id(const struct virtio_device *v)
{
	const struct device *card = v->transport->bus.parent;

	return card->id ? card->id : v->dev.id;
}

/* ---- Interrupts ---- */

void virtio_raise_isr(struct virtio_device *v, uint8_t bits, uint16_t vector)
{
	__atomic_fetch_or(&v->isr, bits, __ATOMIC_SEQ_CST);
	v->transport->ops->notify(v->transport, vector);
}

uint8_t virtio_take_isr(struct virtio_device *v, uint8_t mask)
{
	uint8_t isr = __atomic_fetch_and(&v->isr, ~mask, __ATOMIC_SEQ_CST);

	if (!(isr & ~mask))
		v->transport->ops->quiet(v->transport);
	return isr;
}

void virtio_config_changed(struct virtio_device *v)
{
	__atomic_add_fetch(&v->generation, 1, __ATOMIC_RELAXED);
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_raise_isr(v, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG, v->config_vector);
}

void virtio_fault(struct virtio_device *v, const char *fmt, ...)
{
	if (trace_enabled(guest_errors_virtio)) {
		g_autofree char *text = NULL;
		va_list args;

		va_start(args, fmt);
		text = g_strdup_vprintf(fmt, args);
		va_end(args);
		trace(guest_errors_virtio, v->dev.type->name, text);
	}
	if (v->broken)
		return;
	v->broken = true;
	if (!virtio_has(v, VIRTIO_F_VERSION_1))
		return;
	v->status |= VIRTIO_STATUS_NEEDS_RESET;
	virtio_config_changed(v);
}

/* ---- Configuration space ---- */

static void get_config(struct virtio_device *v, uint8_t *config)
{
	memset(config, 0, v->config_size);
	if (v->info->get_config)
		v->info->get_config(v, config);
}

uint32_t virtio_config_read(struct virtio_device *v, uint64_t offset, unsigned size)
{
	uint8_t config[CONFIG_SIZE_MAX];

	if (!range_fits(offset, size, v->config_size))
		return UINT32_MAX;
	get_config(v, config);
	return get_le(config + offset, size);
}

void virtio_config_write(struct virtio_device *v, uint64_t offset, uint32_t value, unsigned size)
{
	uint8_t config[CONFIG_SIZE_MAX];

	if (!range_fits(offset, size, v->config_size) || !v->info->set_config)
		return;
	get_config(v, config);
	put_le(config + offset, size, value);
	v->info->set_config(v, config);
}

/* ---- Status ---- */

static void kick_all(struct virtio_device *v)
{
	for (guint i = 0; i < v->queues->len; i++)
		virtio_kick(v, i);
}

static void status_changed(struct virtio_device *v, uint8_t old)
{
	bool running = v->status & VIRTIO_STATUS_DRIVER_OK;

	if (running == !!(old & VIRTIO_STATUS_DRIVER_OK))
		return;
	if (running)
		virtio_doorbells_start(v);
	else
		virtio_doorbells_stop(v);
	if (v->info->started)
		v->info->started(v);
	if (running)
		kick_all(v);
}

void virtio_set_status(struct virtio_device *v, uint8_t status, bool legacy)
{
	VIRTIO_HOLD(v);
	uint8_t old = v->status;

	trace(virtio_status, v->dev.type->name, old, status);
	if (!status) {
		virtio_reset(v);
		return;
	}
	if (!legacy && (status & ~old & VIRTIO_STATUS_FEATURES_OK) && !virtio_features_ok(v))
		status &= ~VIRTIO_STATUS_FEATURES_OK;
	/* Only a reset takes these back. */
	v->status = (status & ~VIRTIO_STATUS_NEEDS_RESET) |
		    (old & (VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FEATURES_OK));
	status_changed(v, old);
}

void virtio_set_disabled(struct virtio_device *v, bool disabled)
{
	VIRTIO_HOLD(v);
	uint8_t old = v->status;

	v->disabled = disabled && v->use_disabled_flag;
	if (disabled) {
		v->status &= ~VIRTIO_STATUS_DRIVER_OK;
		status_changed(v, old);
	}
}

static bool can_dma(const struct virtio_device *v)
{
	const struct virtio_transport_ops *ops = v->transport->ops;

	return !v->use_disabled_flag || !ops->can_dma || ops->can_dma(v->transport);
}

void virtio_reset(struct virtio_device *v)
{
	VIRTIO_HOLD(v);
	uint8_t old = v->status;

	v->status = 0;
	status_changed(v, old);
	if (v->info->reset)
		v->info->reset(v);
	v->features = v->driver_features = 0;
	v->broken = false;
	v->disabled = !can_dma(v);
	v->config_vector = VIRTIO_NO_VECTOR;
	for (guint i = 0; i < v->queues->len; i++)
		virtqueue_reset(g_ptr_array_index(v->queues, i));
	virtio_take_isr(v, UINT8_MAX);
}

/* The guest goes on: what was kicked while it stood is looked at. It stops: so have all handlers. */
static void run_changed(void *opaque, enum run_event event, enum run_state state)
{
	struct virtio_device *v = opaque;
	VIRTIO_HOLD(v);

	if (event == RUN_EVENT_CHANGE && state == RUN_STATE_RUNNING)
		kick_all(v);
}

/* ---- Life ---- */

static void virtio_init(struct device *dev)
{
	struct virtio_device *v = virtio_of(dev);

	v->info = device_type_class_data(dev->type);
	v->loop = loop_main();
	v->config_vector = VIRTIO_NO_VECTOR;
}

static bool virtio_realize(struct device *dev, GError **errp)
{
	struct virtio_device *v = virtio_of(dev);

	v->transport = container_of(dev->bus, struct virtio_transport, bus);
	v->transport->vdev = v;
	v->config_size = v->info->config_size;
	v->queues = g_ptr_array_new_with_free_func((GDestroyNotify)virtqueue_free);
	v->saved = g_array_new(false, true, 1);
	return true;
}

static bool virtio_realized(struct device *dev, GError **errp)
{
	struct virtio_device *v = virtio_of(dev);

	g_assert(v->config_size <= CONFIG_SIZE_MAX);
	virtio_make_offer(v);
	if (!v->transport->ops->plugged(v->transport, errp))
		return false;
	virtio_memory_init(v);
	run_event_subscribe(run_changed, v);
	return true;
}

void virtio_bus_unplug(struct bus *bus, struct device *dev)
{
	struct virtio_device *v = virtio_of(dev);

	if (!v->queues)
		return;
	VIRTIO_HOLD(v);
	virtio_doorbells_stop(v);
	v->disabled = true;
}

static void virtio_unrealize(struct device *dev)
{
	struct virtio_device *v = virtio_of(dev);

	run_event_unsubscribe(run_changed, v);
	virtio_hold(v);
	virtio_doorbells_stop(v);
	if (v->memory.opaque)
		listener_remove(v->transport->dma, &v->memory);
	v->memory.opaque = NULL;
	v->transport->ops->unplugged(v->transport);
	v->transport->vdev = NULL;
	g_clear_pointer(&v->queues, g_ptr_array_unref);
	g_clear_pointer(&v->saved, g_array_unref);
	virtio_release(v);
	g_clear_pointer(&v->iothreads, g_ptr_array_unref);
}

static void virtio_device_reset(struct device *dev)
{
	virtio_reset(virtio_of(dev));
}

#define VIRTIO struct virtio_device

static const struct field virtio_props[] = {
	PROP_BOOL(VIRTIO, indirect_desc, "indirect_desc", true, "Offer indirect descriptors"),
	PROP_BOOL(VIRTIO, event_idx, "event_idx", true,
		  "Offer to be told at which index the other side wants to be notified"),
	PROP_BOOL(VIRTIO, notify_on_empty, "notify_on_empty", true,
		  "Legacy: offer to interrupt whenever a queue runs empty"),
	PROP_BOOL(VIRTIO, any_layout, "any_layout", true,
		  "Legacy: offer to take buffers split in any way"),
	PROP_BOOL(
		VIRTIO, iommu_platform, "iommu_platform", false,
		"Offer ACCESS_PLATFORM: addresses are those of the platform, an IOMMU's included"),
	PROP_BOOL(VIRTIO, packed, "packed", false, "Offer packed rings"),
	PROP_BOOL(VIRTIO, queue_reset, "queue_reset", true, "Offer the reset of single queues"),
	PROP_BOOL(VIRTIO, in_order, "in_order", false,
		  "Offer to give buffers back in the order they came"),
	PROP_BOOL(VIRTIO, notification_data, "notification_data", false,
		  "Offer to take the position in the ring along with a kick"),
	PROP_BOOL(VIRTIO, use_started, "use-started", true,
		  "Accepted for old configurations; has no effect"),
	PROP_BOOL(VIRTIO, use_disabled_flag, "use-disabled-flag", true,
		  "Do nothing while the card may not master the bus"),
	PROP_BOOL(VIRTIO, disable_legacy_check, "x-disable-legacy-check", false,
		  "Accepted for old configurations; has no effect"),
	FIELD_ROW_END,
};

const struct device_type virtio_device_type = {
	.name = "virtio-device",
	.help = "A virtio device, however it is reached",
	.bus = "virtio-bus",
	.size = sizeof(struct virtio_device),
	.flags = TYPE_ABSTRACT,
	.props = virtio_props,
	.state = virtio_state,
	.init = virtio_init,
	.realize = virtio_realize,
	.realized = virtio_realized,
	.unrealize = virtio_unrealize,
	.reset = virtio_device_reset,
	.pre_save = virtio_pre_save,
	.post_load = virtio_post_load,
};
