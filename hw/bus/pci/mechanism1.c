/*
 * Configuration mechanism #1: an address written to port CF8h as a dword, data at CFCh to CFFh.
 * Source: PCI Local Bus Specification 3.0, 3.2.2.3.2.
 */
#include "hw/bus/pci/internal.h"

#define ADDRESS_ENABLE BIT(31)

static uint64_t address_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_mechanism1 *m = opaque;

	return m->address;
}

/* Anything but a dword at CF8h belongs to other devices (the reset control at CF9h). */
static void address_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_mechanism1 *m = opaque;

	if (!offset && size == 4)
		m->address = value;
}

static const struct io_ops address_ops = {
	.read = address_read,
	.write = address_write,
};

static struct pci_device *selected(const struct pci_mechanism1 *m)
{
	if (!(m->address & ADDRESS_ENABLE))
		return NULL;
	return pci_find(m->root, m->address >> 16 & 0xff, m->address >> 8 & 0xff);
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_mechanism1 *m = opaque;
	struct pci_device *pci = selected(m);

	return pci ? pci_config_read(pci, (m->address & 0xfc) | offset, size) : UINT32_MAX;
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_mechanism1 *m = opaque;
	struct pci_device *pci = selected(m);

	if (pci)
		pci_config_write(pci, (m->address & 0xfc) | offset, value, size);
}

static const struct io_ops data_ops = {
	.read = data_read,
	.write = data_write,
};

void pci_mechanism1_init(struct pci_mechanism1 *m, struct device *owner, struct pci_bus *root,
			 struct region *io)
{
	m->root = root;
	region_init_io(&m->address_port, owner, "pci-conf-idx", &address_ops, m, 4);
	region_init_io(&m->data_port, owner, "pci-conf-data", &data_ops, m, 4);
	region_add(io, 0xcf8, &m->address_port, 0);
	region_add(io, 0xcfc, &m->data_port, 0);
}

void pci_mechanism1_cleanup(struct pci_mechanism1 *m)
{
	region_cleanup(&m->address_port);
	region_cleanup(&m->data_port);
}
