/*
 * Message signalled interrupts: PCI Local Bus Specification 3.0, 6.8.1.
 *
 * The capability's registers live in configuration space; where mask and pending bits are depends on
 * the width of the address. A masked vector that fires becomes pending and is sent on unmasking.
 */
#include "base/trace.h"
#include "hw/bus/pci/internal.h"

TRACE_DEFINE(pci_msi, "%s address 0x%" PRIx64 " data 0x%x");
TRACE_DEFINE(pci_msi_no_master, "%s may not master the bus: message lost");

/* Offset and size of the registers, in configuration space. */
struct msi_layout {
	uint8_t data, mask, pending, size;
};

static uint16_t msi_control(const struct pci_device *pci)
{
	return pci_get16(pci, pci->msi_cap + PCI_MSI_CONTROL);
}

static struct msi_layout msi_layout(uint8_t cap, bool is_64bit, bool maskable)
{
	uint8_t mask = cap + (is_64bit ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);

	return (struct msi_layout){
		.data = cap + (is_64bit ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32),
		.mask = maskable ? mask : 0,
		.pending = maskable ? mask + 4 : 0,
		.size = maskable   ? mask + 8 - cap
			: is_64bit ? 14
				   : 10,
	};
}

static struct msi_layout msi_layout_of(const struct pci_device *pci)
{
	uint16_t control = msi_control(pci);

	return msi_layout(pci->msi_cap, control & PCI_MSI_64BIT, control & PCI_MSI_MASKABLE);
}

struct deferred_message {
	struct pci_device *pci; /* a reference */
	struct msi_message msg;
};

static void send_deferred(void *opaque)
{
	g_autofree struct deferred_message *d = opaque;

	if (d->pci->dev.realized)
		pci_msi_send(d->pci, &d->msg);
	device_unref(&d->pci->dev);
}

/* A receiver in this process may want the machine lock, for which nobody waits under a device's. */
static bool must_defer(const struct pci_bus *root)
{
	bool in_kernel = root->accel && root->accel->irqchip != IRQCHIP_OFF;

	return device_locked() && !machine_locked() && !in_kernel;
}

static void defer(struct pci_device *pci, const struct msi_message *msg)
{
	struct deferred_message *d = g_new(struct deferred_message, 1);

	device_ref(&pci->dev);
	*d = (struct deferred_message){pci, *msg};
	loop_defer(loop_main(), send_deferred, d);
}

void pci_msi_send(struct pci_device *pci, const struct msi_message *msg)
{
	struct pci_bus *root = pci_bus_root(pci_bus_of(pci));

	if (!(pci_get16(pci, PCI_COMMAND) & PCI_COMMAND_MASTER)) {
		trace(pci_msi_no_master, device_label(&pci->dev));
		return;
	}
	if (must_defer(root)) {
		defer(pci, msg);
		return;
	}
	trace(pci_msi, device_label(&pci->dev), msg->addr, msg->data);
	if (root->send_msi && msg->addr - MSI_WINDOW < MSI_WINDOW_SIZE)
		root->send_msi(root->msi_opaque, msg);
	else
		as_store(pci_dma_space(pci), NULL, msg->addr, 4, msg->data);
}

bool pci_msi_init(struct pci_device *pci, uint8_t offset, unsigned vectors, bool is_64bit,
		  bool maskable, GError **errp)
{
	struct msi_layout at = msi_layout(0, is_64bit, maskable);
	unsigned log = __builtin_ctz(vectors);
	uint8_t cap;

	g_assert(vectors && vectors <= 32 && IS_POWER_OF_2(vectors));
	cap = pci_add_capability(pci, PCI_CAP_MSI, offset, at.size, errp);
	if (!cap)
		return false;
	pci->msi_cap = cap;
	pci_set16(pci, cap + PCI_MSI_CONTROL,
		  log << PCI_MSI_CAPABLE_SHIFT | (is_64bit ? PCI_MSI_64BIT : 0) |
			  (maskable ? PCI_MSI_MASKABLE : 0));
	put_le16(pci->writable + cap + PCI_MSI_CONTROL, PCI_MSI_ENABLE | PCI_MSI_ENABLED_COUNT);
	put_le32(pci->writable + cap + PCI_MSI_ADDRESS, 0xfffffffc);
	if (is_64bit)
		put_le32(pci->writable + cap + PCI_MSI_ADDRESS_HIGH, UINT32_MAX);
	put_le16(pci->writable + cap + at.data, UINT16_MAX);
	if (maskable)
		put_le32(pci->writable + cap + at.mask, UINT32_MAX >> (32 - vectors));
	return true;
}

bool pci_msi_enabled(const struct pci_device *pci)
{
	return pci->msi_cap && (msi_control(pci) & PCI_MSI_ENABLE);
}

/* Vectors software lets us use, never more than there are. */
static unsigned msi_enabled_vectors(const struct pci_device *pci)
{
	uint16_t control = msi_control(pci);
	unsigned capable = control >> PCI_MSI_CAPABLE_SHIFT & 7;
	unsigned enabled = (control & PCI_MSI_ENABLED_COUNT) >> PCI_MSI_ENABLED_SHIFT;

	return 1U << MIN(capable, enabled);
}

static struct msi_message msi_message(const struct pci_device *pci, unsigned vector)
{
	unsigned count = msi_enabled_vectors(pci);
	struct msi_message msg = {.addr = pci_get32(pci, pci->msi_cap + PCI_MSI_ADDRESS)};

	if (msi_control(pci) & PCI_MSI_64BIT)
		msg.addr |= (uint64_t)pci_get32(pci, pci->msi_cap + PCI_MSI_ADDRESS_HIGH) << 32;
	/* The low bits of the data number the vector. */
	msg.data = (pci_get16(pci, msi_layout_of(pci).data) & ~(count - 1)) | (vector % count);
	return msg;
}

void pci_msi_notify(struct pci_device *pci, unsigned vector)
{
	struct msi_layout at;
	struct msi_message msg;

	if (!pci_msi_enabled(pci))
		return;
	at = msi_layout_of(pci);
	if (at.mask && (pci_get32(pci, at.mask) & BIT(vector % 32))) {
		pci_set32(pci, at.pending, pci_get32(pci, at.pending) | BIT(vector % 32));
		return;
	}
	msg = msi_message(pci, vector);
	pci_msi_send(pci, &msg);
}

void pci_msi_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	struct msi_layout at;
	uint32_t ready;

	if (!pci->msi_cap)
		return;
	at = msi_layout_of(pci);
	if (!pci_ranges_meet(offset, len, pci->msi_cap, at.size) || !pci_msi_enabled(pci))
		return;
	/* A function that uses messages leaves its pin alone. */
	if (pci->intx_level)
		pci_set_irq(pci, false);
	if (!at.mask)
		return;
	ready = pci_get32(pci, at.pending) & ~pci_get32(pci, at.mask);
	pci_set32(pci, at.pending, pci_get32(pci, at.pending) & ~ready);
	for (unsigned vector = 0; ready; vector++, ready >>= 1) {
		if (ready & 1)
			pci_msi_notify(pci, vector);
	}
}

void pci_msi_reset(struct pci_device *pci)
{
	struct msi_layout at;
	uint8_t cap = pci->msi_cap;

	if (!cap)
		return;
	at = msi_layout_of(pci);
	pci_set16(pci, cap + PCI_MSI_CONTROL,
		  msi_control(pci) & ~(PCI_MSI_ENABLE | PCI_MSI_ENABLED_COUNT));
	memset(pci->config + cap + PCI_MSI_ADDRESS, 0, at.data + 2 - cap - PCI_MSI_ADDRESS);
	if (at.mask)
		memset(pci->config + at.mask, 0, 8);
}
