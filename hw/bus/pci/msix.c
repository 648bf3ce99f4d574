/*
 * MSI-X: PCI Local Bus Specification 3.0, 6.8.2.
 *
 * A table of messages in one of the device's BARs, 16 bytes a vector: address, data, and a mask bit;
 * and an array of pending bits. A vector that fires while its entry or the whole function is masked
 * becomes pending and is sent when both let it. Vectors may fire on any thread: the pending bits
 * are set and cleared atomically, the table is written under the machine lock.
 */
#include "base/trace.h"
#include "hw/bus/pci/internal.h"

TRACE_DEFINE(pci_msix_entry, "%s vector %u address 0x%" PRIx64 " data 0x%x masked %d");

#define MSIX_VECTORS_MAX 2048

struct pci_msix {
	struct pci_device *pci;
	unsigned vectors;
	uint8_t *table;    /* 16 bytes a vector, as the guest sees it */
	uint32_t *pending; /* bits */
	struct region table_io, pba_io;
	struct region *own_bar; /* NULL: the table is in a BAR of the type */
};

static uint16_t msix_control(const struct pci_device *pci)
{
	return pci_get16(pci, pci->msix_cap + PCI_MSIX_CONTROL);
}

static uint8_t *msix_entry(const struct pci_device *pci, unsigned vector)
{
	return pci->msix->table + vector * PCI_MSIX_ENTRY_SIZE;
}

static bool msix_entry_masked(const struct pci_device *pci, unsigned vector)
{
	return get_le32(msix_entry(pci, vector) + PCI_MSIX_ENTRY_CONTROL) & PCI_MSIX_ENTRY_MASKED;
}

unsigned pci_msix_vectors(const struct pci_device *pci)
{
	return pci->msix ? pci->msix->vectors : 0;
}

bool pci_msix_enabled(const struct pci_device *pci)
{
	return pci->msix && (msix_control(pci) & PCI_MSIX_ENABLE);
}

bool pci_msix_masked(const struct pci_device *pci, unsigned vector)
{
	return (msix_control(pci) & PCI_MSIX_FUNCTION_MASK) || msix_entry_masked(pci, vector);
}

struct msi_message pci_msix_message(const struct pci_device *pci, unsigned vector)
{
	const uint8_t *entry = msix_entry(pci, vector);

	return (struct msi_message){
		.addr = get_le64(entry),
		.data = get_le32(entry + PCI_MSIX_ENTRY_DATA),
	};
}

void pci_msix_set_pending(struct pci_device *pci, unsigned vector)
{
	__atomic_fetch_or(&pci->msix->pending[vector / 32], BIT(vector % 32), __ATOMIC_SEQ_CST);
}

static bool msix_take_pending(struct pci_device *pci, unsigned vector)
{
	uint32_t bit = BIT(vector % 32);

	return __atomic_fetch_and(&pci->msix->pending[vector / 32], ~bit, __ATOMIC_SEQ_CST) & bit;
}

void pci_msix_notify(struct pci_device *pci, unsigned vector)
{
	struct msi_message msg;

	if (!pci->msix || vector >= pci->msix->vectors)
		return;
	if (pci_msix_masked(pci, vector)) {
		pci_msix_set_pending(pci, vector);
		/* Unmasked in between: whoever finds the bit sends. */
		if (pci_msix_masked(pci, vector) || !msix_take_pending(pci, vector))
			return;
	}
	msg = pci_msix_message(pci, vector);
	pci_msi_send(pci, &msg);
}

/* After a change of vector's entry or of the function's bits. */
static void msix_changed(struct pci_device *pci, unsigned vector)
{
	struct msi_message msg = pci_msix_message(pci, vector);

	trace(pci_msix_entry, device_label(&pci->dev), vector, msg.addr, msg.data,
	      pci_msix_masked(pci, vector));
	if (pci->msix_changed)
		pci->msix_changed(pci, vector);
	if (pci_msix_enabled(pci) && !pci_msix_masked(pci, vector) &&
	    msix_take_pending(pci, vector))
		pci_msi_send(pci, &msg);
}

/* ---- The table and the pending bits as the guest reaches them: dwords and qwords ---- */

static uint64_t table_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_msix *m = opaque;

	return get_le(m->table + offset, size);
}

static void table_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_msix *m = opaque;
	unsigned vector = offset / PCI_MSIX_ENTRY_SIZE;

	put_le(m->table + offset, size, value);
	msix_changed(m->pci, vector);
}

static const struct io_ops table_ops = {
	.read = table_read,
	.write = table_write,
	.valid = {.min = 4, .max = 8},
	.impl = {.min = 4, .max = 4},
};

static uint64_t pba_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_msix *m = opaque;

	return __atomic_load_n(&m->pending[offset / 4], __ATOMIC_SEQ_CST);
}

static void pba_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops pba_ops = {
	.read = pba_read,
	.write = pba_write,
	.valid = {.min = 4, .max = 8},
	.impl = {.min = 4, .max = 4},
};

/* ---- Configuration ---- */

void pci_msix_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	if (!pci->msix || !pci_ranges_meet(offset, len, pci->msix_cap + PCI_MSIX_CONTROL, 2))
		return;
	if (pci_msix_enabled(pci) && pci->intx_level)
		pci_set_irq(pci, false);
	for (unsigned vector = 0; vector < pci->msix->vectors; vector++)
		msix_changed(pci, vector);
}

static void msix_mask_all(struct pci_msix *m)
{
	memset(m->table, 0, m->vectors * PCI_MSIX_ENTRY_SIZE);
	for (unsigned vector = 0; vector < m->vectors; vector++)
		put_le32(m->table + vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_CONTROL,
			 PCI_MSIX_ENTRY_MASKED);
}

static size_t msix_pending_size(const struct pci_msix *m)
{
	return DIV_ROUND_UP(m->vectors, 64) * 8;
}

void pci_msix_reset(struct pci_device *pci)
{
	struct pci_msix *m = pci->msix;

	if (!m)
		return;
	pci_set16(pci, pci->msix_cap + PCI_MSIX_CONTROL,
		  msix_control(pci) & ~(PCI_MSIX_ENABLE | PCI_MSIX_FUNCTION_MASK));
	msix_mask_all(m);
	memset(m->pending, 0, msix_pending_size(m));
	pci_msix_loaded(pci);
}

void pci_msix_loaded(struct pci_device *pci)
{
	unsigned vectors = pci_msix_vectors(pci);

	for (unsigned vector = 0; pci->msix_changed && vector < vectors; vector++)
		pci->msix_changed(pci, vector);
}

static bool msix_add_capability(struct pci_device *pci, const struct pci_msix_layout *l,
				GError **errp)
{
	uint8_t cap = pci_add_capability(pci, PCI_CAP_MSIX, l->offset, PCI_MSIX_CAP_SIZE, errp);

	if (!cap)
		return false;
	pci->msix_cap = cap;
	pci_set16(pci, cap + PCI_MSIX_CONTROL, l->vectors - 1);
	pci_set32(pci, cap + PCI_MSIX_TABLE, l->table_offset | l->table_bar);
	pci_set32(pci, cap + PCI_MSIX_PBA, l->pba_offset | l->pba_bar);
	put_le16(pci->writable + cap + PCI_MSIX_CONTROL, PCI_MSIX_ENABLE | PCI_MSIX_FUNCTION_MASK);
	return true;
}

bool pci_msix_init(struct pci_device *pci, const struct pci_msix_layout *l, GError **errp)
{
	struct pci_msix *m;

	g_assert(l->vectors && l->vectors <= MSIX_VECTORS_MAX && !pci->msix);
	if (!msix_add_capability(pci, l, errp))
		return false;
	m = pci->msix = g_new0(struct pci_msix, 1);
	m->pci = pci;
	m->vectors = l->vectors;
	m->table = g_malloc0(m->vectors * PCI_MSIX_ENTRY_SIZE);
	m->pending = g_malloc0(msix_pending_size(m));
	msix_mask_all(m);
	region_init_io(&m->table_io, &pci->dev, "msix-table", &table_ops, m,
		       m->vectors * PCI_MSIX_ENTRY_SIZE);
	region_init_io(&m->pba_io, &pci->dev, "msix-pba", &pba_ops, m, msix_pending_size(m));
	region_add(l->table_region, l->table_offset, &m->table_io, 0);
	region_add(l->pba_region, l->pba_offset, &m->pba_io, 0);
	return true;
}

bool pci_msix_init_bar(struct pci_device *pci, unsigned vectors, unsigned bar, GError **errp)
{
	uint32_t table = vectors * PCI_MSIX_ENTRY_SIZE, half = MAX(2048, table);
	uint32_t size = 4096;
	struct region *region = g_new0(struct region, 1);
	struct pci_msix_layout layout = {
		.vectors = vectors,
		.table_bar = bar,
		.pba_bar = bar,
		.pba_offset = half,
		.table_region = region,
		.pba_region = region,
	};

	while (size < half + DIV_ROUND_UP(vectors, 64) * 8)
		size <<= 1;
	region_init_container(region, &pci->dev, "msix", size);
	if (!pci_msix_init(pci, &layout, errp)) {
		region_cleanup(region);
		g_free(region);
		return false;
	}
	pci->msix->own_bar = region;
	pci_set_bar(pci, bar, 0, region);
	return true;
}

void pci_msix_free(struct pci_device *pci)
{
	struct pci_msix *m = pci->msix;

	if (!m)
		return;
	region_cleanup(&m->table_io);
	region_cleanup(&m->pba_io);
	if (m->own_bar) {
		region_cleanup(m->own_bar);
		g_free(m->own_bar);
	}
	g_free(m->table);
	g_free(m->pending);
	g_clear_pointer(&pci->msix, g_free);
}

/* ---- Saved state: the table, then the pending bits ---- */

static void msix_save(const void *ptr, GByteArray *out)
{
	const struct pci_msix *m = *(struct pci_msix *const *)ptr;

	g_byte_array_append(out, m->table, m->vectors * PCI_MSIX_ENTRY_SIZE);
	g_byte_array_append(out, (const uint8_t *)m->pending, msix_pending_size(m));
}

static bool msix_load(void *ptr, const uint8_t *data, size_t len, GError **errp)
{
	struct pci_msix *m = *(struct pci_msix **)ptr;
	size_t table = m ? m->vectors * PCI_MSIX_ENTRY_SIZE : 0;

	if (!m || len != table + msix_pending_size(m)) {
		error_set(errp, "MSI-X state of %zu bytes does not fit %u vectors", len,
			  m ? m->vectors : 0);
		return false;
	}
	memcpy(m->table, data, table);
	memcpy(m->pending, data + table, msix_pending_size(m));
	return true;
}

const struct field_custom pci_msix_custom = {
	.name = "pci-msix",
	.save = msix_save,
	.load = msix_load,
};
