/*
 * Virtio as drivers see it: Virtual I/O Device (VIRTIO) Version 1.2, sections 2 (status, features,
 * rings), 4.1 (PCI), 4.2 (MMIO), 5 (device IDs) and 6 (reserved features). All little-endian.
 */
#ifndef ABI_VIRTIO_H
#define ABI_VIRTIO_H

#include <stdint.h>

enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_SCSI = 8,
	VIRTIO_ID_9P = 9,
	VIRTIO_ID_GPU = 16,
	VIRTIO_ID_INPUT = 18,
	VIRTIO_ID_VSOCK = 19,
	VIRTIO_ID_CRYPTO = 20,
	VIRTIO_ID_IOMMU = 23,
	VIRTIO_ID_MEM = 24,
	VIRTIO_ID_FS = 26,
	VIRTIO_ID_PMEM = 27,
};

enum virtio_status {
	VIRTIO_STATUS_ACKNOWLEDGE = 0x01,
	VIRTIO_STATUS_DRIVER = 0x02,
	VIRTIO_STATUS_DRIVER_OK = 0x04,
	VIRTIO_STATUS_FEATURES_OK = 0x08,
	VIRTIO_STATUS_NEEDS_RESET = 0x40,
	VIRTIO_STATUS_FAILED = 0x80,
};

/* Feature bits by number. */
enum virtio_feature {
	VIRTIO_F_NOTIFY_ON_EMPTY = 24, /* legacy */
	VIRTIO_F_ANY_LAYOUT = 27,      /* legacy */
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
	VIRTIO_F_BAD_FEATURE = 30, /* legacy: a driver that acknowledges it never looked */
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_ACCESS_PLATFORM = 33,
	VIRTIO_F_RING_PACKED = 34,
	VIRTIO_F_IN_ORDER = 35,
	VIRTIO_F_ORDER_PLATFORM = 36,
	VIRTIO_F_SR_IOV = 37,
	VIRTIO_F_NOTIFICATION_DATA = 38,
	VIRTIO_F_RING_RESET = 40,
};

/* The interrupt status register. */
enum virtio_isr { VIRTIO_ISR_QUEUE = 0x01, VIRTIO_ISR_CONFIG = 0x02 };

#define VIRTIO_NO_VECTOR      0xffff
#define VIRTIO_QUEUE_SIZE_MAX 32768

/* ---- Split rings: 2.7 ---- */

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
enum vring_desc_flag {
	VRING_DESC_NEXT = 0x0001,
	VRING_DESC_WRITE = 0x0002,
	VRING_DESC_INDIRECT = 0x0004,
	/* Packed rings */
	VRING_DESC_AVAIL = 0x0080,
	VRING_DESC_USED = 0x8000,
};
#define VRING_DESC_SIZE 16

/* The available ring: flags, idx, ring[size], used_event. */
#define VRING_AVAIL_FLAGS      0
#define VRING_AVAIL_IDX        2
#define VRING_AVAIL_RING       4
#define VRING_AVAIL_SIZE(size) (6 + 2 * (uint64_t)(size))
#define VRING_NO_INTERRUPT     0x0001

/* The used ring: flags, idx, ring[size] of {id, len}, avail_event. */
#define VRING_USED_FLAGS      0
#define VRING_USED_IDX        2
#define VRING_USED_RING       4
#define VRING_USED_SIZE(size) (6 + 8 * (uint64_t)(size))
#define VRING_NO_NOTIFY       0x0001

/* ---- Packed rings: 2.8 ---- */

struct vring_packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

/* Event suppression areas: 2.8.14. */
#define VRING_EVENT_OFFSET 0 /* bit 15: the wrap counter */
#define VRING_EVENT_FLAGS  2
#define VRING_EVENT_SIZE   4
enum vring_event_flag { VRING_EVENT_ENABLE = 0, VRING_EVENT_DISABLE = 1, VRING_EVENT_DESC = 2 };

/* ---- PCI: 4.1 ---- */

#define VIRTIO_PCI_DEVICE_MODERN 0x1040 /* plus the virtio ID */

/* Vendor-specific capabilities: offsets from their start. */
enum virtio_pci_cap_register {
	VIRTIO_PCI_CAP_LEN = 2,
	VIRTIO_PCI_CAP_TYPE = 3,
	VIRTIO_PCI_CAP_BAR = 4,
	VIRTIO_PCI_CAP_ID = 5,
	VIRTIO_PCI_CAP_OFFSET = 8,
	VIRTIO_PCI_CAP_LENGTH = 12,
	VIRTIO_PCI_CAP_SIZE = 16,
	VIRTIO_PCI_CAP_MULTIPLIER = 16, /* of the notification capability */
	VIRTIO_PCI_CAP_DATA = 16,       /* of the configuration access capability */
	VIRTIO_PCI_CAP_SIZE_MORE = 20,
};
enum virtio_pci_cap_type {
	VIRTIO_PCI_CAP_COMMON = 1,
	VIRTIO_PCI_CAP_NOTIFY = 2,
	VIRTIO_PCI_CAP_ISR = 3,
	VIRTIO_PCI_CAP_DEVICE = 4,
	VIRTIO_PCI_CAP_PCI = 5,
	VIRTIO_PCI_CAP_SHARED_MEMORY = 8,
};

/* Common configuration: 4.1.4.3. */
enum virtio_pci_common {
	VIRTIO_COMMON_DEVICE_FEATURE_SELECT = 0x00,
	VIRTIO_COMMON_DEVICE_FEATURE = 0x04,
	VIRTIO_COMMON_DRIVER_FEATURE_SELECT = 0x08,
	VIRTIO_COMMON_DRIVER_FEATURE = 0x0c,
	VIRTIO_COMMON_CONFIG_VECTOR = 0x10,
	VIRTIO_COMMON_QUEUES = 0x12,
	VIRTIO_COMMON_STATUS = 0x14,
	VIRTIO_COMMON_GENERATION = 0x15,
	VIRTIO_COMMON_QUEUE_SELECT = 0x16,
	VIRTIO_COMMON_QUEUE_SIZE = 0x18,
	VIRTIO_COMMON_QUEUE_VECTOR = 0x1a,
	VIRTIO_COMMON_QUEUE_ENABLE = 0x1c,
	VIRTIO_COMMON_QUEUE_NOTIFY_OFFSET = 0x1e,
	VIRTIO_COMMON_QUEUE_DESC = 0x20,
	VIRTIO_COMMON_QUEUE_DRIVER = 0x28,
	VIRTIO_COMMON_QUEUE_DEVICE = 0x30,
	VIRTIO_COMMON_QUEUE_NOTIFY_DATA = 0x38,
	VIRTIO_COMMON_QUEUE_RESET = 0x3a,
};

/* The legacy interface's I/O ports: 4.1.4.8. The vectors are there while MSI-X is enabled. */
enum virtio_pci_legacy {
	VIRTIO_LEGACY_DEVICE_FEATURES = 0,
	VIRTIO_LEGACY_DRIVER_FEATURES = 4,
	VIRTIO_LEGACY_QUEUE_PFN = 8,
	VIRTIO_LEGACY_QUEUE_SIZE = 12,
	VIRTIO_LEGACY_QUEUE_SELECT = 14,
	VIRTIO_LEGACY_QUEUE_NOTIFY = 16,
	VIRTIO_LEGACY_STATUS = 18,
	VIRTIO_LEGACY_ISR = 19,
	VIRTIO_LEGACY_CONFIG_VECTOR = 20,
	VIRTIO_LEGACY_QUEUE_VECTOR = 22,
	VIRTIO_LEGACY_CONFIG = 20,
	VIRTIO_LEGACY_CONFIG_MSIX = 24,
};
#define VIRTIO_LEGACY_PAGE_BITS 12

/* ---- MMIO: 4.2.2 and, for version 1, 4.2.4 ---- */

enum virtio_mmio_register {
	VIRTIO_MMIO_MAGIC = 0x000,
	VIRTIO_MMIO_VERSION = 0x004,
	VIRTIO_MMIO_DEVICE_ID = 0x008,
	VIRTIO_MMIO_VENDOR_ID = 0x00c,
	VIRTIO_MMIO_DEVICE_FEATURES = 0x010,
	VIRTIO_MMIO_DEVICE_FEATURES_SELECT = 0x014,
	VIRTIO_MMIO_DRIVER_FEATURES = 0x020,
	VIRTIO_MMIO_DRIVER_FEATURES_SELECT = 0x024,
	VIRTIO_MMIO_GUEST_PAGE_SIZE = 0x028, /* legacy */
	VIRTIO_MMIO_QUEUE_SELECT = 0x030,
	VIRTIO_MMIO_QUEUE_SIZE_MAX = 0x034,
	VIRTIO_MMIO_QUEUE_SIZE = 0x038,
	VIRTIO_MMIO_QUEUE_ALIGN = 0x03c, /* legacy */
	VIRTIO_MMIO_QUEUE_PFN = 0x040,   /* legacy */
	VIRTIO_MMIO_QUEUE_READY = 0x044,
	VIRTIO_MMIO_QUEUE_NOTIFY = 0x050,
	VIRTIO_MMIO_INTERRUPT_STATUS = 0x060,
	VIRTIO_MMIO_INTERRUPT_ACK = 0x064,
	VIRTIO_MMIO_STATUS = 0x070,
	VIRTIO_MMIO_QUEUE_DESC = 0x080,
	VIRTIO_MMIO_QUEUE_DRIVER = 0x090,
	VIRTIO_MMIO_QUEUE_DEVICE = 0x0a0,
	VIRTIO_MMIO_SHM_SELECT = 0x0ac,
	VIRTIO_MMIO_SHM_LENGTH = 0x0b0,
	VIRTIO_MMIO_SHM_BASE = 0x0b8,
	VIRTIO_MMIO_QUEUE_RESET = 0x0c0,
	VIRTIO_MMIO_GENERATION = 0x0fc,
	VIRTIO_MMIO_CONFIG = 0x100,
};
#define VIRTIO_MMIO_MAGIC_VALUE 0x74726976 /* "virt" */
#define VIRTIO_MMIO_VENDOR      0x554d4551 /* "QEMU" */
#define VIRTIO_MMIO_SIZE        0x200

#endif
