/* PCI configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2): address at 0xcf8, data at 0xcfc. */
#include "libqtest.h"

#define COMMAND     0x04
#define COMMAND_IO  BIT(0)
#define COMMAND_MEM BIT(1)

static uint16_t select_at(struct qts *s, unsigned bus, unsigned devfn, unsigned offset)
{
	qts_outl(s, 0xcf8, BIT(31) | bus << 16 | devfn << 8 | (offset & 0xfc));
	return 0xcfc + (offset & 3);
}

uint8_t qts_pci_readb(struct qts *s, unsigned bus, unsigned devfn, unsigned offset)
{
	return qts_inb(s, select_at(s, bus, devfn, offset));
}

uint16_t qts_pci_readw(struct qts *s, unsigned bus, unsigned devfn, unsigned offset)
{
	return qts_inw(s, select_at(s, bus, devfn, offset));
}

uint32_t qts_pci_readl(struct qts *s, unsigned bus, unsigned devfn, unsigned offset)
{
	return qts_inl(s, select_at(s, bus, devfn, offset));
}

void qts_pci_writeb(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint8_t value)
{
	qts_outb(s, select_at(s, bus, devfn, offset), value);
}

void qts_pci_writew(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint16_t value)
{
	qts_outw(s, select_at(s, bus, devfn, offset), value);
}

void qts_pci_writel(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint32_t value)
{
	qts_outl(s, select_at(s, bus, devfn, offset), value);
}

int qts_pci_find(struct qts *s, uint16_t vendor, uint16_t device)
{
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		if (qts_pci_readl(s, 0, devfn, 0) == ((uint32_t)device << 16 | vendor))
			return devfn;
	}
	return -1;
}

static bool is_io(uint32_t bar)
{
	return bar & 1;
}

static bool is_64bit(uint32_t bar)
{
	return (bar & 7) == 4;
}

uint64_t qts_pci_bar_size(struct qts *s, unsigned bus, unsigned devfn, unsigned bar)
{
	unsigned at = 0x10 + 4 * bar;
	uint32_t low = qts_pci_readl(s, bus, devfn, at), high = 0;
	uint64_t mask;

	qts_pci_writel(s, bus, devfn, at, ~0U);
	mask = qts_pci_readl(s, bus, devfn, at);
	qts_pci_writel(s, bus, devfn, at, low);
	if (!mask)
		return 0;
	if (is_io(mask))
		return (~(mask & ~3ULL) & 0xffff) + 1;
	if (!is_64bit(mask))
		return (~(mask & ~15ULL) & 0xffffffff) + 1;
	high = qts_pci_readl(s, bus, devfn, at + 4);
	qts_pci_writel(s, bus, devfn, at + 4, ~0U);
	mask |= (uint64_t)qts_pci_readl(s, bus, devfn, at + 4) << 32;
	qts_pci_writel(s, bus, devfn, at + 4, high);
	return ~(mask & ~15ULL) + 1;
}

void qts_pci_map_bar(struct qts *s, unsigned bus, unsigned devfn, unsigned bar, uint64_t addr)
{
	unsigned at = 0x10 + 4 * bar;
	uint16_t command = qts_pci_readw(s, bus, devfn, COMMAND);
	uint32_t low;

	qts_pci_writel(s, bus, devfn, at, addr);
	low = qts_pci_readl(s, bus, devfn, at);
	if (is_64bit(low))
		qts_pci_writel(s, bus, devfn, at + 4, addr >> 32);
	command |= is_io(low) ? COMMAND_IO : COMMAND_MEM;
	qts_pci_writew(s, bus, devfn, COMMAND, command);
}

uint8_t qts_pci_find_cap(struct qts *s, unsigned bus, unsigned devfn, uint8_t id)
{
	uint8_t at = 0;

	if (qts_pci_readw(s, bus, devfn, 0x06) & BIT(4))
		at = qts_pci_readb(s, bus, devfn, 0x34) & ~3;
	/* A list cannot be longer than what fits: a loop in it is a fault of the device. */
	for (unsigned n = 0; at; n++) {
		g_assert_cmpuint(n, <, 48);
		if (qts_pci_readb(s, bus, devfn, at) == id)
			return at;
		at = qts_pci_readb(s, bus, devfn, at + 1) & ~3;
	}
	return 0;
}
