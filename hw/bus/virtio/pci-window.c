/*
 * The configuration access capability: VIRTIO 1.2, 4.1.4.9.
 *
 * Firmware that cannot reach memory BARs yet writes BAR, offset and length (1, 2 or 4) into the capability,
 * and then reads or writes the BAR through the capability's last four bytes.
 */
#include "base/trace.h"
#include "pci-internal.h"

TRACE_DEFINE(guest_errors_virtio_window, "%s: %u bytes at 0x%x of BAR %u");

bool virtio_pci_add_window(struct virtio_pci *p, GError **errp)
{
	struct pci_device *pci = &p->pci;
	uint8_t cap = pci_add_capability(pci, PCI_CAP_VENDOR, 0, VIRTIO_PCI_CAP_SIZE_MORE, errp);

	if (!cap)
		return false;
	p->window = cap;
	pci->config[cap + VIRTIO_PCI_CAP_LEN] = VIRTIO_PCI_CAP_SIZE_MORE;
	pci->config[cap + VIRTIO_PCI_CAP_TYPE] = VIRTIO_PCI_CAP_PCI;
	pci->writable[cap + VIRTIO_PCI_CAP_BAR] = UINT8_MAX;
	put_le32(pci->writable + cap + VIRTIO_PCI_CAP_OFFSET, UINT32_MAX);
	put_le32(pci->writable + cap + VIRTIO_PCI_CAP_LENGTH, UINT32_MAX);
	put_le32(pci->writable + cap + VIRTIO_PCI_CAP_DATA, UINT32_MAX);
	return true;
}

void virtio_pci_window_reset(struct virtio_pci *p)
{
	uint8_t cap = p->window;

	if (!cap)
		return;
	p->pci.config[cap + VIRTIO_PCI_CAP_BAR] = 0;
	pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_OFFSET, 0);
	pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_LENGTH, 0);
	pci_set32(&p->pci, cap + VIRTIO_PCI_CAP_DATA, 0);
}

struct target {
	struct region *region;
	uint64_t offset;
	unsigned size;
};

/* Which register the capability points at; false if it is none of the modern interface's. */
static bool find_target(struct virtio_pci *p, struct target *t)
{
	const uint8_t *cap = p->pci.config + p->window;
	uint8_t bar = cap[VIRTIO_PCI_CAP_BAR];
	uint32_t offset = get_le32(cap + VIRTIO_PCI_CAP_OFFSET);
	uint32_t size = get_le32(cap + VIRTIO_PCI_CAP_LENGTH);
	struct region *container = bar < PCI_BARS ? p->pci.bars[bar].region : NULL;

	if (container == &p->modern && (size == 1 || size == 2 || size == 4) && !(offset % size)) {
		for (guint i = 0; i < container->children->len; i++) {
			struct region *r = g_ptr_array_index(container->children, i);

			if (offset < r->addr || !range_fits(offset - r->addr, size, r->size))
				continue;
			*t = (struct target){r, offset - r->addr, size};
			return true;
		}
	}
	trace(guest_errors_virtio_window, device_label(&p->pci.dev), size, offset, bar);
	return false;
}

static bool meets_data(const struct virtio_pci *p, unsigned offset, unsigned len)
{
	unsigned data = p->window + VIRTIO_PCI_CAP_DATA;

	return p->window && offset < data + 4 && offset + len > data;
}

void virtio_pci_window_reading(struct virtio_pci *p, unsigned offset, unsigned len)
{
	struct target t;

	if (meets_data(p, offset, len) && find_target(p, &t))
		put_le(p->pci.config + p->window + VIRTIO_PCI_CAP_DATA, t.size,
		       t.region->ops->read(t.region->opaque, t.offset, t.size));
}

void virtio_pci_window_written(struct virtio_pci *p, unsigned offset, unsigned len)
{
	struct target t;

	if (meets_data(p, offset, len) && find_target(p, &t))
		t.region->ops->write(
			t.region->opaque, t.offset,
			get_le(p->pci.config + p->window + VIRTIO_PCI_CAP_DATA, t.size), t.size);
}
