/* See libqtest-virtio.h. Drivers' side of VIRTIO 1.2. */
#include "libqtest-virtio.h"
#include "base/checked.h"

/* ---- Access ---- */

uint64_t vdrv_read(struct vdrv *d, uint64_t offset, unsigned size)
{
	return d->io.read(d->io.opaque, d->kind == VDRV_LEGACY, d->base + offset, size);
}

void vdrv_write(struct vdrv *d, uint64_t offset, unsigned size, uint64_t value)
{
	d->io.write(d->io.opaque, d->kind == VDRV_LEGACY, d->base + offset, size, value);
}

void vdrv_memread(struct vdrv *d, uint64_t addr, void *buf, size_t len)
{
	d->io.copy(d->io.opaque, addr, buf, len, false);
}

void vdrv_memwrite(struct vdrv *d, uint64_t addr, const void *buf, size_t len)
{
	d->io.copy(d->io.opaque, addr, (void *)buf, len, true);
}

static uint64_t mem_load(struct vdrv *d, uint64_t addr, unsigned size)
{
	uint8_t bytes[8];

	vdrv_memread(d, addr, bytes, size);
	return get_le(bytes, size);
}

static void mem_store(struct vdrv *d, uint64_t addr, unsigned size, uint64_t value)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	vdrv_memwrite(d, addr, bytes, size);
}

uint64_t vdrv_alloc(struct vdrv *d, uint64_t size, uint64_t align)
{
	g_autofree uint8_t *zeros = g_malloc0(size);
	uint64_t addr = ROUND_UP(d->memory, align);

	d->memory = addr + size;
	vdrv_memwrite(d, addr, zeros, size);
	return addr;
}

/* ---- Interfaces ---- */

static bool is_mmio(const struct vdrv *d)
{
	return d->kind == VDRV_MMIO || d->kind == VDRV_MMIO_LEGACY;
}

static bool is_legacy(const struct vdrv *d)
{
	return d->kind == VDRV_LEGACY || d->kind == VDRV_MMIO_LEGACY;
}

void vdrv_mmio(struct vdrv *d, const struct vdrv_io *io, uint64_t base, uint64_t memory)
{
	*d = (struct vdrv){.io = *io, .kind = VDRV_MMIO, .base = base, .memory = memory};
	d->config = base + VIRTIO_MMIO_CONFIG;
	g_assert_cmphex(vdrv_read(d, VIRTIO_MMIO_MAGIC, 4), ==, VIRTIO_MMIO_MAGIC_VALUE);
	if (vdrv_read(d, VIRTIO_MMIO_VERSION, 4) == 1) {
		d->kind = VDRV_MMIO_LEGACY;
		vdrv_write(d, VIRTIO_MMIO_GUEST_PAGE_SIZE, 4, 4096);
		vdrv_write(d, VIRTIO_MMIO_QUEUE_ALIGN, 4, 4096);
	}
}

static uint64_t feature_half(struct vdrv *d, unsigned half)
{
	if (is_mmio(d)) {
		vdrv_write(d, VIRTIO_MMIO_DEVICE_FEATURES_SELECT, 4, half);
		return vdrv_read(d, VIRTIO_MMIO_DEVICE_FEATURES, 4);
	}
	vdrv_write(d, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4, half);
	return vdrv_read(d, VIRTIO_COMMON_DEVICE_FEATURE, 4);
}

uint64_t vdrv_offered(struct vdrv *d)
{
	if (d->kind == VDRV_LEGACY)
		return vdrv_read(d, VIRTIO_LEGACY_DEVICE_FEATURES, 4);
	return feature_half(d, 0) | feature_half(d, 1) << 32;
}

static void accept_half(struct vdrv *d, unsigned half, uint32_t bits)
{
	if (is_mmio(d)) {
		vdrv_write(d, VIRTIO_MMIO_DRIVER_FEATURES_SELECT, 4, half);
		vdrv_write(d, VIRTIO_MMIO_DRIVER_FEATURES, 4, bits);
	} else {
		vdrv_write(d, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, half);
		vdrv_write(d, VIRTIO_COMMON_DRIVER_FEATURE, 4, bits);
	}
}

static unsigned status_at(const struct vdrv *d)
{
	return is_mmio(d) ? VIRTIO_MMIO_STATUS
			  : (is_legacy(d) ? VIRTIO_LEGACY_STATUS : VIRTIO_COMMON_STATUS);
}

uint8_t vdrv_status(struct vdrv *d)
{
	return vdrv_read(d, status_at(d), is_mmio(d) ? 4 : 1);
}

void vdrv_set_status(struct vdrv *d, uint8_t status)
{
	vdrv_write(d, status_at(d), is_mmio(d) ? 4 : 1, status);
}

bool vdrv_negotiate(struct vdrv *d, uint64_t features)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	vdrv_set_status(d, 0);
	g_assert_cmphex(vdrv_status(d), ==, 0);
	vdrv_set_status(d, VIRTIO_STATUS_ACKNOWLEDGE);
	vdrv_set_status(d, status);
	if (is_legacy(d))
		features &= ~BIT64(VIRTIO_F_BAD_FEATURE);
	d->features = features;
	if (d->kind == VDRV_LEGACY) {
		vdrv_write(d, VIRTIO_LEGACY_DRIVER_FEATURES, 4, features);
		return true;
	}
	accept_half(d, 0, features);
	if (d->kind == VDRV_MMIO_LEGACY)
		return true;
	accept_half(d, 1, features >> 32);
	vdrv_set_status(d, status | VIRTIO_STATUS_FEATURES_OK);
	return vdrv_status(d) & VIRTIO_STATUS_FEATURES_OK;
}

void vdrv_ok(struct vdrv *d)
{
	vdrv_set_status(d, vdrv_status(d) | VIRTIO_STATUS_DRIVER_OK);
}

uint8_t vdrv_isr(struct vdrv *d)
{
	uint8_t isr;

	if (d->kind == VDRV_LEGACY)
		return vdrv_read(d, VIRTIO_LEGACY_ISR, 1);
	if (d->kind == VDRV_MODERN)
		return vdrv_read(d, 0x1000, 1);
	isr = vdrv_read(d, VIRTIO_MMIO_INTERRUPT_STATUS, 4);
	vdrv_write(d, VIRTIO_MMIO_INTERRUPT_ACK, 4, isr);
	return isr;
}

uint32_t vdrv_config(struct vdrv *d, unsigned offset, unsigned size)
{
	return d->io.read(d->io.opaque, d->kind == VDRV_LEGACY, d->config + offset, size);
}

void vdrv_config_write(struct vdrv *d, unsigned offset, unsigned size, uint32_t value)
{
	d->io.write(d->io.opaque, d->kind == VDRV_LEGACY, d->config + offset, size, value);
}

/* ---- Over the qtest protocol ---- */

static uint64_t qtest_read(void *opaque, bool port, uint64_t addr, unsigned size)
{
	switch (size) {
	case 1:
		return port ? qts_inb(opaque, addr) : qts_readb(opaque, addr);
	case 2:
		return port ? qts_inw(opaque, addr) : qts_readw(opaque, addr);
	default:
		return port ? qts_inl(opaque, addr) : qts_readl(opaque, addr);
	}
}

static void qtest_write(void *opaque, bool port, uint64_t addr, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		port ? qts_outb(opaque, addr, value) : qts_writeb(opaque, addr, value);
		break;
	case 2:
		port ? qts_outw(opaque, addr, value) : qts_writew(opaque, addr, value);
		break;
	default:
		port ? qts_outl(opaque, addr, value) : qts_writel(opaque, addr, value);
	}
}

static void qtest_copy(void *opaque, uint64_t addr, void *buf, size_t len, bool to_guest)
{
	if (to_guest)
		qts_memwrite(opaque, addr, buf, len);
	else
		qts_memread(opaque, addr, buf, len);
}

static void qtest_wait(void *opaque)
{
	g_usleep(1000);
}

#define PCI_COMMAND   0x04
#define PCI_MASTER    0x04
#define PCI_CAP_MSIX  0x11
#define MODERN_CONFIG 0x2000
#define MODERN_NOTIFY 0x3000

void vdrv_pci(struct vdrv *d, struct qts *s, unsigned devfn, enum vdrv_kind kind)
{
	unsigned slot = devfn >> 3;

	*d = (struct vdrv){
		.io = {s, qtest_read, qtest_write, qtest_copy, qtest_wait},
		.kind = kind,
		.devfn = devfn,
		.base = kind == VDRV_LEGACY ? 0xc000 + slot * 0x100 : 0xe0000000 + slot * 0x1000000,
		.msix = 0xd0000000 + slot * 0x10000,
		.memory = 0x100000 + slot * 0x80000,
	};
	d->config = d->base + (kind == VDRV_LEGACY ? VIRTIO_LEGACY_CONFIG : MODERN_CONFIG);
	qts_pci_map_bar(s, 0, devfn, kind == VDRV_LEGACY ? 0 : 4, d->base);
	if (qts_pci_find_cap(s, 0, devfn, PCI_CAP_MSIX))
		qts_pci_map_bar(s, 0, devfn, 1, d->msix);
	qts_pci_writew(s, 0, devfn, PCI_COMMAND,
		       qts_pci_readw(s, 0, devfn, PCI_COMMAND) | PCI_MASTER);
}

void vdrv_enable_msix(struct vdrv *d, bool on)
{
	struct qts *s = d->io.opaque;
	uint8_t cap = qts_pci_find_cap(s, 0, d->devfn, PCI_CAP_MSIX);

	g_assert_cmpuint(cap, !=, 0);
	qts_pci_writew(s, 0, d->devfn, cap + 2, on ? 0x8000 : 0);
	if (d->kind == VDRV_LEGACY)
		d->config = d->base + (on ? VIRTIO_LEGACY_CONFIG_MSIX : VIRTIO_LEGACY_CONFIG);
}

/* The entries are masked since reset: what fires shows in the pending bits. */
bool vdrv_msix_pending(struct vdrv *d, unsigned vector)
{
	return qts_readl(d->io.opaque, d->msix + 0x800 + vector / 32 * 4) & BIT(vector % 32);
}

/* ---- Queues ---- */

static void set_addr(struct vdrv *d, unsigned offset, uint64_t addr)
{
	vdrv_write(d, offset, 4, addr);
	vdrv_write(d, offset + 4, 4, addr >> 32);
}

static void select_queue(struct vdrv *d, unsigned index)
{
	if (is_mmio(d))
		vdrv_write(d, VIRTIO_MMIO_QUEUE_SELECT, 4, index);
	else
		vdrv_write(d,
			   is_legacy(d) ? VIRTIO_LEGACY_QUEUE_SELECT : VIRTIO_COMMON_QUEUE_SELECT,
			   2, index);
}

static uint16_t queue_max(struct vdrv *d)
{
	if (is_mmio(d))
		return vdrv_read(d, VIRTIO_MMIO_QUEUE_SIZE_MAX, 4);
	return vdrv_read(d, is_legacy(d) ? VIRTIO_LEGACY_QUEUE_SIZE : VIRTIO_COMMON_QUEUE_SIZE, 2);
}

static void alloc_rings(struct vq *q)
{
	uint64_t table = VRING_DESC_SIZE * (uint64_t)q->size;

	if (q->packed) {
		q->desc = vdrv_alloc(q->d, table, 16);
		q->driver = vdrv_alloc(q->d, VRING_EVENT_SIZE, 4);
		q->device = vdrv_alloc(q->d, VRING_EVENT_SIZE, 4);
		return;
	}
	q->desc = vdrv_alloc(q->d, table + VRING_AVAIL_SIZE(q->size), 4096);
	q->driver = q->desc + table;
	q->device = vdrv_alloc(q->d, VRING_USED_SIZE(q->size), 4096);
}

static void program_queue(struct vq *q)
{
	struct vdrv *d = q->d;

	switch (d->kind) {
	case VDRV_LEGACY:
		vdrv_write(d, VIRTIO_LEGACY_QUEUE_PFN, 4, q->desc >> 12);
		break;
	case VDRV_MMIO_LEGACY:
		vdrv_write(d, VIRTIO_MMIO_QUEUE_SIZE, 4, q->size);
		vdrv_write(d, VIRTIO_MMIO_QUEUE_PFN, 4, q->desc >> 12);
		break;
	case VDRV_MODERN:
		vdrv_write(d, VIRTIO_COMMON_QUEUE_SIZE, 2, q->size);
		set_addr(d, VIRTIO_COMMON_QUEUE_DESC, q->desc);
		set_addr(d, VIRTIO_COMMON_QUEUE_DRIVER, q->driver);
		set_addr(d, VIRTIO_COMMON_QUEUE_DEVICE, q->device);
		vdrv_write(d, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
		break;
	case VDRV_MMIO:
		vdrv_write(d, VIRTIO_MMIO_QUEUE_SIZE, 4, q->size);
		set_addr(d, VIRTIO_MMIO_QUEUE_DESC, q->desc);
		set_addr(d, VIRTIO_MMIO_QUEUE_DRIVER, q->driver);
		set_addr(d, VIRTIO_MMIO_QUEUE_DEVICE, q->device);
		vdrv_write(d, VIRTIO_MMIO_QUEUE_READY, 4, 1);
		break;
	}
}

struct vq *vq_new(struct vdrv *d, unsigned index, uint16_t size)
{
	struct vq *q = g_new0(struct vq, 1);

	select_queue(d, index);
	*q = (struct vq){
		.d = d,
		.index = index,
		.packed = !is_legacy(d) && (d->features & BIT64(VIRTIO_F_RING_PACKED)),
		.size = size ? size : queue_max(d),
		.avail_wrap = true,
		.used_wrap = true,
	};
	g_assert_cmpuint(q->size, >, 0);
	q->slots = g_new0(uint16_t, q->size);
	alloc_rings(q);
	program_queue(q);
	return q;
}

void vq_free(struct vq *q)
{
	g_free(q->slots);
	g_free(q);
}

static void put_desc(struct vq *q, uint64_t at, const struct vbuf *b, uint16_t flags, uint16_t last)
{
	uint8_t bytes[VRING_DESC_SIZE];

	put_le64(bytes, b->addr);
	put_le32(bytes + 8, b->len);
	put_le16(bytes + 12, q->packed ? last : flags | (b->device_writes ? VRING_DESC_WRITE : 0));
	put_le16(bytes + 14, q->packed ? flags | (b->device_writes ? VRING_DESC_WRITE : 0) : last);
	vdrv_memwrite(q->d, at, bytes, sizeof(bytes));
}

static uint16_t add_split(struct vq *q, const struct vbuf *bufs, unsigned count, uint16_t flags)
{
	uint16_t head = q->next_desc;

	for (unsigned i = 0; i < count; i++) {
		uint16_t next = (q->next_desc + 1) % q->size;

		put_desc(q, q->desc + q->next_desc * VRING_DESC_SIZE, &bufs[i],
			 flags | (i + 1 < count ? VRING_DESC_NEXT : 0), next);
		q->next_desc = next;
	}
	mem_store(q->d, q->driver + VRING_AVAIL_RING + 2 * (q->avail % q->size), 2, head);
	q->avail++;
	mem_store(q->d, q->driver + VRING_AVAIL_IDX, 2, q->avail);
	return head;
}

/* Flags of the first descriptor go last: they hand over all of the chain. */
static uint16_t add_packed(struct vq *q, const struct vbuf *bufs, unsigned count, uint16_t extra)
{
	uint16_t id = q->next_id++ % q->size, first_flags = 0;
	uint64_t first = q->desc + q->avail * VRING_DESC_SIZE;

	q->slots[id] = count;
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = extra | (i + 1 < count ? VRING_DESC_NEXT : 0) |
				 (q->avail_wrap ? VRING_DESC_AVAIL : VRING_DESC_USED);
		uint64_t at = q->desc + q->avail * VRING_DESC_SIZE;

		if (!i)
			first_flags = flags | (bufs[i].device_writes ? VRING_DESC_WRITE : 0);
		put_desc(q, at, &bufs[i], i ? flags : mem_load(q->d, at + 14, 2), id);
		if (++q->avail == q->size) {
			q->avail = 0;
			q->avail_wrap = !q->avail_wrap;
		}
	}
	mem_store(q->d, first + 14, 2, first_flags);
	return id;
}

uint16_t vq_add(struct vq *q, const struct vbuf *bufs, unsigned count)
{
	return q->packed ? add_packed(q, bufs, count, 0) : add_split(q, bufs, count, 0);
}

uint16_t vq_add_indirect(struct vq *q, const struct vbuf *bufs, unsigned count)
{
	struct vbuf outer = {vdrv_alloc(q->d, count * VRING_DESC_SIZE, 16),
			     count * VRING_DESC_SIZE};

	for (unsigned i = 0; i < count; i++)
		put_desc(q, outer.addr + i * VRING_DESC_SIZE, &bufs[i],
			 i + 1 < count && !q->packed ? VRING_DESC_NEXT : 0, i + 1);
	return q->packed ? add_packed(q, &outer, 1, VRING_DESC_INDIRECT)
			 : add_split(q, &outer, 1, VRING_DESC_INDIRECT);
}

void vq_kick(struct vq *q)
{
	struct vdrv *d = q->d;
	uint32_t value = q->index;

	if (d->features & BIT64(VIRTIO_F_NOTIFICATION_DATA) && !is_legacy(d))
		value |= (uint32_t)(q->packed ? q->avail | q->avail_wrap << 15 : q->avail) << 16;
	if (is_mmio(d))
		vdrv_write(d, VIRTIO_MMIO_QUEUE_NOTIFY, 4, value);
	else if (is_legacy(d))
		vdrv_write(d, VIRTIO_LEGACY_QUEUE_NOTIFY, 2, value);
	else
		vdrv_write(d, MODERN_NOTIFY + 4 * q->index, value >> 16 ? 4 : 2, value);
}

static bool get_split(struct vq *q, uint16_t *id, uint32_t *len)
{
	uint64_t at = q->device + VRING_USED_RING + 8 * (q->used % q->size);

	if ((uint16_t)mem_load(q->d, q->device + VRING_USED_IDX, 2) == q->used)
		return false;
	*id = mem_load(q->d, at, 4);
	*len = mem_load(q->d, at + 4, 4);
	q->used++;
	return true;
}

static bool get_packed(struct vq *q, uint16_t *id, uint32_t *len)
{
	uint64_t at = q->desc + q->used * VRING_DESC_SIZE;
	uint16_t flags = mem_load(q->d, at + 14, 2), mask = VRING_DESC_AVAIL | VRING_DESC_USED;

	if ((flags & mask) != (q->used_wrap ? mask : 0))
		return false;
	*id = mem_load(q->d, at + 12, 2);
	*len = mem_load(q->d, at + 8, 4);
	g_assert_cmpuint(*id, <, q->size);
	q->used += q->slots[*id];
	if (q->used >= q->size) {
		q->used -= q->size;
		q->used_wrap = !q->used_wrap;
	}
	return true;
}

bool vq_get(struct vq *q, uint16_t *id, uint32_t *len)
{
	return q->packed ? get_packed(q, id, len) : get_split(q, id, len);
}

uint32_t vq_wait(struct vq *q, uint16_t *id)
{
	uint16_t which;
	uint32_t len;

	while (!vq_get(q, &which, &len))
		q->d->io.wait(q->d->io.opaque);
	if (id)
		*id = which;
	return len;
}

void vq_interrupt_after(struct vq *q, int ahead)
{
	bool event_idx = q->d->features & BIT64(VIRTIO_F_EVENT_IDX);
	unsigned place = q->used + MAX(ahead, 0), wrap = q->used_wrap;

	if (!q->packed) {
		mem_store(q->d, q->driver + VRING_AVAIL_FLAGS, 2, ahead < 0);
		mem_store(q->d, q->driver + VRING_AVAIL_RING + 2 * q->size, 2,
			  ahead < 0 ? q->used - 1 : q->used + ahead);
		return;
	}
	if (place >= q->size) {
		place -= q->size;
		wrap = !wrap;
	}
	mem_store(q->d, q->driver + VRING_EVENT_OFFSET, 2, place | wrap << 15);
	mem_store(q->d, q->driver + VRING_EVENT_FLAGS, 2,
		  ahead < 0   ? VRING_EVENT_DISABLE
		  : event_idx ? VRING_EVENT_DESC
			      : VRING_EVENT_ENABLE);
}
