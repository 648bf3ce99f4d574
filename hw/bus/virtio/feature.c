/* Feature negotiation: VIRTIO 1.2, 2.2 and 3.1; for the legacy interface 2.2.3. */
#include "base/trace.h"
#include "internal.h"

TRACE_DEFINE(virtio_features, "%s offered 0x%" PRIx64 " accepted 0x%" PRIx64);
TRACE_DEFINE(guest_errors_virtio_features,
	     "%s offered 0x%" PRIx64 " but the driver accepts 0x%" PRIx64);

#define LEGACY_ONLY                                                                                \
	(BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT) | BIT64(VIRTIO_F_BAD_FEATURE))

/* Bits the user may switch, by the member of struct virtio_device. */
struct choice {
	size_t offset;
	unsigned feature;
};
static const struct choice choices[] = {
	{offsetof(struct virtio_device, indirect_desc), VIRTIO_F_INDIRECT_DESC},
	{offsetof(struct virtio_device, event_idx), VIRTIO_F_EVENT_IDX},
	{offsetof(struct virtio_device, notify_on_empty), VIRTIO_F_NOTIFY_ON_EMPTY},
	{offsetof(struct virtio_device, any_layout), VIRTIO_F_ANY_LAYOUT},
	{offsetof(struct virtio_device, iommu_platform), VIRTIO_F_ACCESS_PLATFORM},
	{offsetof(struct virtio_device, packed), VIRTIO_F_RING_PACKED},
	{offsetof(struct virtio_device, in_order), VIRTIO_F_IN_ORDER},
	{offsetof(struct virtio_device, notification_data), VIRTIO_F_NOTIFICATION_DATA},
	{offsetof(struct virtio_device, queue_reset), VIRTIO_F_RING_RESET},
};

void virtio_make_offer(struct virtio_device *v)
{
	v->offered = v->info->features ? v->info->features(v) : 0;
	for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
		if (*((const bool *)((const char *)v + choices[i].offset)))
			v->offered |= BIT64(choices[i].feature);
	}
	if (v->transport->modern)
		v->offered |= BIT64(VIRTIO_F_VERSION_1);
	else
		v->offered &= UINT32_MAX;
}

uint32_t virtio_offered(const struct virtio_device *v, unsigned select)
{
	uint64_t bits = v->offered & ~LEGACY_ONLY;

	return select < 2 ? bits >> (32 * select) : 0;
}

uint32_t virtio_offered_legacy(const struct virtio_device *v)
{
	return v->offered | BIT64(VIRTIO_F_BAD_FEATURE);
}

static void features_set(struct virtio_device *v, uint64_t features)
{
	trace(virtio_features, v->dev.type->name, v->offered, features);
	v->features = features;
	if (v->info->features_set)
		v->info->features_set(v);
}

void virtio_accept(struct virtio_device *v, unsigned select, uint32_t bits)
{
	if (select > 1 || (v->status & VIRTIO_STATUS_FEATURES_OK))
		return;
	v->driver_features &= ~((uint64_t)UINT32_MAX << (32 * select));
	v->driver_features |= (uint64_t)bits << (32 * select);
}

void virtio_accept_legacy(struct virtio_device *v, uint32_t bits)
{
	VIRTIO_HOLD(v);

	if (v->features & BIT64(VIRTIO_F_VERSION_1))
		return;
	/* Such a driver acknowledges whatever it sees, and means none of it. */
	if (bits & BIT64(VIRTIO_F_BAD_FEATURE))
		bits = 0;
	v->driver_features = bits & v->offered;
	features_set(v, v->driver_features);
}

static bool any_enabled(const struct virtio_device *v)
{
	for (guint i = 0; i < v->queues->len; i++) {
		if (virtio_queue(v, i)->enabled)
			return true;
	}
	return false;
}

bool virtio_features_ok(struct virtio_device *v)
{
	uint64_t offered = v->offered & ~LEGACY_ONLY, wants = v->driver_features;
	uint64_t needed = BIT64(VIRTIO_F_VERSION_1) | (offered & BIT64(VIRTIO_F_ACCESS_PLATFORM));

	/* The format of rings in use cannot change. */
	if ((wants & ~offered) || (needed & ~wants) || any_enabled(v)) {
		trace(guest_errors_virtio_features, v->dev.type->name, offered, wants);
		return false;
	}
	features_set(v, wants);
	return true;
}
