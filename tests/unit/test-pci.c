/* The PCI core: BARs, lines over bridges, MSI and MSI-X, bus mastering, addresses, saved state. */
#include <glib/gstdio.h>
#include "state/state.h"
#include "trial-bench.h"

static struct pci_device *plug(const struct device_type *type, struct pci_bus *bus,
			       const char *addr, GError **errp)
{
	struct device *dev = device_new(type);

	if ((!addr || device_set_text(dev, "addr", addr, errp)) &&
	    device_realize(dev, NULL, NULL, &bus->bus, errp)) {
		device_reset(dev);
		return pci_device_of(dev);
	}
	device_unref(dev);
	return NULL;
}

static struct pci_device *card_at(const char *addr)
{
	GError *err = NULL;
	struct pci_device *pci = plug(&bench_card_type, &bench()->pci, addr, &err);

	g_assert_no_error(err);
	return pci;
}

static void write32(struct pci_device *pci, unsigned offset, uint32_t value)
{
	pci_config_write(pci, offset, value, 4);
}

static uint32_t load(struct address_space *as, uint64_t addr, unsigned size)
{
	uint64_t value;

	as_load(as, NULL, addr, size, &value);
	return value;
}

static void test_header(void)
{
	struct pci_device *c = card_at("3.0");

	g_assert_cmphex(pci_get32(c, 0x00), ==, 0x56781234);
	g_assert_cmphex(pci_get32(c, 0x04), ==, 0x00100000);
	g_assert_cmphex(pci_get32(c, 0x08), ==, 0x02800109);
	g_assert_cmphex(pci_get32(c, 0x2c), ==, 0xef01abcd);
	g_assert_cmphex(pci_get32(c, 0x10), ==, 0x00000000);
	g_assert_cmphex(pci_get32(c, 0x14), ==, 0x00000001);
	g_assert_cmphex(pci_get32(c, 0x18), ==, 0x0000000c);
	device_unrealize(&c->dev);
}

/* Errors in the status register go when ones are written; a BAR's size shows by all ones. */
static void test_masks(void)
{
	static const uint32_t sizes[] = {0xfffff000, 0xffffffe1, 0xffff000c,
					 0xffffffff, 0xfffff000, 0x00000000};
	struct pci_device *c = card_at(NULL);

	pci_set16(c, PCI_STATUS, pci_get16(c, PCI_STATUS) | 0xf900);
	pci_config_write(c, PCI_STATUS, 0x4100, 2);
	g_assert_cmphex(pci_get16(c, PCI_STATUS), ==, 0xb810);
	pci_config_write(c, PCI_STATUS + 1, 0xff, 1);
	g_assert_cmphex(pci_get16(c, PCI_STATUS), ==, 0x0010);
	for (unsigned n = 0; n < 6; n++) {
		write32(c, PCI_BAR0 + 4 * n, UINT32_MAX);
		g_assert_cmphex(pci_config_read(c, PCI_BAR0 + 4 * n, 4), ==, sizes[n]);
	}
	g_assert_cmphex(pci_config_read(c, 0xfe, 4), ==, UINT32_MAX);
	write32(c, 0xfe, 0);
	device_unrealize(&c->dev);
}

static void test_bars(void)
{
	struct bench *b = bench();
	struct pci_device *c = card_at("5");

	write32(c, 0x10, 0xe0001000);
	write32(c, 0x14, 0xc000);
	write32(c, 0x18, 0x00010000);
	write32(c, 0x1c, 0x00000012);
	g_assert_cmphex(load(&b->memory, 0xe0001004, 4), ==, 0xffffffff);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	g_assert_cmphex(load(&b->memory, 0xe0001004, 4), ==, 0xc0ffee04);
	g_assert_cmphex(load(&b->memory, 0x1200010008, 4), ==, 0xc0ffee08);
	g_assert_cmphex(load(&b->io, 0xc010, 4), ==, 0xffffffff);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 2);
	g_assert_cmphex(load(&b->io, 0xc010, 4), ==, 0xc0ffee10);
	g_assert_cmphex(pci_bar_address(c, 0), ==, 0xe0001000);
	g_assert_cmphex(pci_bar_address(c, 2), ==, 0x1200010000);
	/* Moving it byte by byte; over RAM it wins. */
	pci_config_write(c, 0x13, 0x00, 1);
	g_assert_cmphex(load(&b->memory, 0x1004, 4), ==, 0xc0ffee04);
	/* Unset, wrapping and probing BARs are nowhere. */
	write32(c, 0x10, 0);
	g_assert_cmphex(pci_bar_address(c, 0), ==, PCI_BAR_UNMAPPED);
	write32(c, 0x10, UINT32_MAX);
	g_assert_cmphex(pci_bar_address(c, 0), ==, PCI_BAR_UNMAPPED);
	write32(c, 0x1c, UINT32_MAX);
	g_assert_cmphex(pci_bar_address(c, 2), ==, PCI_BAR_UNMAPPED);
	write32(c, 0x14, 0x12340000);
	g_assert_cmphex(pci_bar_address(c, 1), ==, PCI_BAR_UNMAPPED);
	write32(c, 0x10, 0xe0002000);
	device_reset(&c->dev);
	g_assert_cmphex(pci_bar_address(c, 0), ==, PCI_BAR_UNMAPPED);
	g_assert_cmphex(pci_get32(c, 0x10), ==, 0);
	write32(c, 0x10, 0xe0002000);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	device_unrealize(&c->dev);
	g_assert_cmphex(load(&b->memory, 0xe0002000, 4), ==, 0xffffffff);
}

/* Lines are shared and counted; the disable bit takes a device out without forgetting its level. */
static void test_intx(void)
{
	struct bench *b = bench();
	struct pci_device *one = card_at("4"), *two = card_at("8"); /* both on line 0 */

	pci_set_irq(one, true);
	pci_set_irq(two, true);
	g_assert_cmphex(b->intx, ==, 0x01);
	g_assert_cmphex(pci_get16(one, PCI_STATUS) & PCI_STATUS_INTERRUPT, !=, 0);
	pci_set_irq(one, true);
	pci_set_irq(one, false);
	g_assert_cmphex(b->intx, ==, 0x01);
	pci_config_write(two, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
	g_assert_cmphex(b->intx, ==, 0x00);
	g_assert_cmphex(pci_get16(two, PCI_STATUS) & PCI_STATUS_INTERRUPT, !=, 0);
	pci_config_write(two, PCI_COMMAND, 0, 2);
	g_assert_cmphex(b->intx, ==, 0x01);
	device_reset(&two->dev);
	g_assert_cmphex(b->intx, ==, 0x00);
	pci_set_irq(two, true);
	device_unrealize(&two->dev);
	g_assert_cmphex(b->intx, ==, 0x00);
	device_unrealize(&one->dev);
}

static void test_bridges(void)
{
	struct bench *b = bench();
	struct bench_bridge *bridge = container_of(plug(&bench_bridge_type, &b->pci, "6", NULL),
						   struct bench_bridge, pci);
	struct pci_device *c = plug(&bench_card_type, &bridge->bus, "3", NULL);

	/* Slot 3 behind slot 6: (0 + 3 + 6) % 4. */
	pci_set_irq(c, true);
	g_assert_cmphex(b->intx, ==, 0x02);
	pci_set_irq(c, false);
	g_assert_null(pci_find(&b->pci, 5, PCI_DEVFN(3, 0)));
	write32(&bridge->pci, PCI_PRIMARY_BUS, 0x00070500);
	g_assert_true(pci_find(&b->pci, 5, PCI_DEVFN(3, 0)) == c);
	g_assert_null(pci_find(&b->pci, 6, PCI_DEVFN(3, 0)));
	g_assert_true(pci_find(&b->pci, 0, PCI_DEVFN(6, 0)) == &bridge->pci);
	as_store(&b->io, NULL, 0xcf8, 4, 0x80000000 | 5 << 16 | PCI_DEVFN(3, 0) << 8);
	g_assert_cmphex(load(&b->io, 0xcfc, 4), ==, 0x56781234);
	device_unrealize(&c->dev);
	device_unrealize(&bridge->pci.dev);
}

static void test_msi(void)
{
	struct bench *b = bench();
	struct pci_device *c = card_at(NULL);
	unsigned cap = c->msi_cap, sent = b->messages;

	g_assert_cmphex(pci_get16(c, cap + 2), ==, 0x0184);
	write32(c, cap + 4, 0xfee01003);
	write32(c, cap + 8, 0);
	pci_config_write(c, cap + 12, 0x4041, 2);
	pci_config_write(c, cap + 2, 0xffff, 2);
	g_assert_cmphex(pci_get16(c, cap + 2), ==, 0x01f5);
	g_assert_true(pci_msi_enabled(c));
	pci_msi_notify(c, 3);
	g_assert_cmpuint(b->messages, ==, sent); /* may not master the bus */
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	pci_msi_notify(c, 3);
	g_assert_cmpuint(b->messages, ==, sent + 1);
	g_assert_cmphex(b->last.addr, ==, 0xfee01000);
	g_assert_cmphex(b->last.data, ==, 0x4043);
	/* Two vectors allowed: the data's low bit numbers them. */
	pci_config_write(c, cap + 2, 0x0011, 2);
	pci_msi_notify(c, 3);
	g_assert_cmphex(b->last.data, ==, 0x4041);
	/* Masked vectors wait. */
	write32(c, cap + 16, 0x0000000f);
	g_assert_cmphex(pci_get32(c, cap + 16), ==, 0x0000000f);
	pci_msi_notify(c, 1);
	g_assert_cmpuint(b->messages, ==, sent + 2);
	g_assert_cmphex(pci_get32(c, cap + 20), ==, 0x2);
	write32(c, cap + 16, 0x0000000e);
	g_assert_cmphex(pci_get32(c, cap + 20), ==, 0x2);
	write32(c, cap + 16, 0);
	g_assert_cmpuint(b->messages, ==, sent + 3);
	g_assert_cmphex(pci_get32(c, cap + 20), ==, 0);
	/* A message to anywhere else is a write to memory. */
	write32(c, cap + 4, 0x00002000);
	pci_msi_notify(c, 0);
	g_assert_cmpuint(b->messages, ==, sent + 3);
	g_assert_cmphex(load(&b->memory, 0x2000, 4), ==, 0x4040);
	device_reset(&c->dev);
	g_assert_false(pci_msi_enabled(c));
	g_assert_cmphex(pci_get16(c, cap + 2), ==, 0x0184);
	/* Disabled: nothing leaves, nothing is written to. */
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	write32(c, cap + 4, 0xfee01000);
	pci_msi_notify(c, 0);
	g_assert_cmpuint(b->messages, ==, sent + 3);
	device_unrealize(&c->dev);
}

static void test_msix(void)
{
	struct bench *b = bench();
	struct pci_device *c = card_at(NULL);
	unsigned cap = c->msix_cap, sent = b->messages;
	const uint64_t table = 0xe0010000, pba = table + 0x800;

	g_assert_cmphex(pci_get16(c, cap + 2), ==, 2);
	g_assert_cmphex(pci_get32(c, cap + 4), ==, 4);
	g_assert_cmphex(pci_get32(c, cap + 8), ==, 0x804);
	write32(c, 0x20, table);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	/* Entries are born masked. */
	g_assert_cmphex(load(&b->memory, table + 16 + 12, 4), ==, 1);
	as_store(&b->memory, NULL, table + 16, 8, 0xfee02000);
	as_store(&b->memory, NULL, table + 24, 4, 0x55);
	pci_config_write(c, cap + 2, 0x8000, 2);
	g_assert_true(pci_msix_enabled(c));
	pci_msix_notify(c, 1);
	g_assert_cmpuint(b->messages, ==, sent);
	g_assert_cmphex(load(&b->memory, pba, 8), ==, 2);
	as_store(&b->memory, NULL, pba, 8, 0);
	g_assert_cmphex(load(&b->memory, pba, 8), ==, 2);
	as_store(&b->memory, NULL, table + 28, 4, 0);
	g_assert_cmpuint(b->messages, ==, sent + 1);
	g_assert_cmphex(b->last.addr, ==, 0xfee02000);
	g_assert_cmphex(b->last.data, ==, 0x55);
	g_assert_cmphex(load(&b->memory, pba, 8), ==, 0);
	/* The function's mask holds all of them. */
	pci_config_write(c, cap + 2, 0xc000, 2);
	pci_msix_notify(c, 1);
	g_assert_cmpuint(b->messages, ==, sent + 1);
	pci_config_write(c, cap + 2, 0x8000, 2);
	g_assert_cmpuint(b->messages, ==, sent + 2);
	/* Bytes and words are no accesses to the table; vectors that do not exist are nothing. */
	as_store(&b->memory, NULL, table + 24, 2, 0x66);
	g_assert_cmphex(load(&b->memory, table + 24, 4), ==, 0x55);
	pci_msix_notify(c, 3);
	pci_msix_notify(c, 5000);
	g_assert_cmpuint(b->messages, ==, sent + 2);
	device_unrealize(&c->dev);
}

static void test_dma(void)
{
	struct bench *b = bench();
	struct pci_device *c = card_at(NULL);
	uint8_t bytes[4] = {1, 2, 3, 4};

	as_store(&b->memory, NULL, 0x4000, 4, 0xaabbccdd);
	g_assert_cmpint(pci_dma_write(c, 0x4000, bytes, 4), ==, MEM_REFUSED);
	g_assert_cmpint(pci_dma_read(c, 0x4000, bytes, 4), ==, MEM_REFUSED);
	g_assert_cmphex(get_le32(bytes), ==, 0xffffffff);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	g_assert_cmpint(pci_dma_read(c, 0x4000, bytes, 4), ==, MEM_OK);
	g_assert_cmphex(get_le32(bytes), ==, 0xaabbccdd);
	device_unrealize(&c->dev);
}

static void expect_refusal(const char *addr, const char *text)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(plug(&bench_card_type, &bench()->pci, addr, &err));
	g_assert_nonnull(strstr(err->message, text));
}

static void test_addresses(void)
{
	struct pci_device *c = card_at("0x1e.0"), *rest[PCI_SLOTS] = {};
	unsigned count = 0;

	g_assert_cmpint(c->devfn, ==, PCI_DEVFN(0x1e, 0));
	expect_refusal("1e", "PCI: slot 30 function 0 not available for bench-card, in use by "
			     "bench-card,id=");
	expect_refusal("1e.1", "single function device can't be populated in function 1e.1");
	expect_refusal("20", "hexadecimal, 0 to 1f.7");
	expect_refusal("1.8", "hexadecimal, 0 to 1f.7");
	expect_refusal("", "hexadecimal, 0 to 1f.7");
	expect_refusal("3x", "hexadecimal, 0 to 1f.7");
	expect_refusal("-2", "hexadecimal, 0 to 1f.7");
	rest[count++] = card_at("4.2");
	expect_refusal("4.0", "4.0 indicates single function, but 4.2 is already populated");
	while (count < PCI_SLOTS - 1) {
		rest[count] = card_at(NULL);
		g_assert_cmpint(PCI_FUNCTION(rest[count]->devfn), ==, 0);
		if (PCI_SLOT(rest[count++]->devfn) == 0x1f)
			break;
	}
	expect_refusal(NULL, "PCI: no slot/function available for bench-card");
	while (count)
		device_unrealize(&rest[--count]->dev);
	device_unrealize(&c->dev);
}

static void test_rom(void)
{
	struct device *dev = device_new(&bench_card_type);
	g_autoptr(GError) err = NULL;
	g_autofree char *path = NULL;
	struct bench *b = bench();
	int fd = g_file_open_tmp("quail-rom-XXXXXX", &path, NULL);

	g_close(fd, NULL);
	g_assert_true(device_set_text(dev, "romfile", "no-such-file.rom", NULL));
	g_assert_false(device_realize(dev, NULL, NULL, &b->pci.bus, &err));
	g_assert_cmpstr(err->message, ==, "failed to find romfile \"no-such-file.rom\"");
	g_clear_error(&err);
	g_assert_true(device_set_text(dev, "romfile", path, NULL));
	g_assert_false(device_realize(dev, NULL, NULL, &b->pci.bus, &err));
	g_assert_nonnull(strstr(err->message, "is empty"));

	g_assert_true(g_file_set_contents(path, "U\xaarom", 5, NULL));
	g_assert_true(device_realize(dev, NULL, NULL, &b->pci.bus, NULL));
	device_reset(dev);
	struct pci_device *pci = pci_device_of(dev);
	write32(pci, PCI_ROM_BAR, UINT32_MAX);
	g_assert_cmphex(pci_get32(pci, PCI_ROM_BAR), ==, 0xfffff001);
	write32(pci, PCI_ROM_BAR, 0xe0020001);
	pci_config_write(pci, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	g_assert_cmphex(load(&b->memory, 0xe0020000, 4), ==, 0x6f72aa55);
	write32(pci, PCI_ROM_BAR, 0xe0020000);
	g_assert_cmphex(load(&b->memory, 0xe0020000, 4), ==, 0xffffffff);
	device_unrealize(dev);
	g_unlink(path);
}

static void test_state(void)
{
	struct bench *b = bench();
	struct pci_device *c = card_at("4");
	g_autoptr(GByteArray) saved = g_byte_array_new();
	g_autoptr(GError) err = NULL;
	unsigned cap = c->msix_cap;

	write32(c, 0x10, 0xe0001000);
	write32(c, 0x20, 0xe0010000);
	pci_config_write(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	as_store(&b->memory, NULL, 0xe0010000, 8, 0x123456789abcdef0);
	pci_set_irq(c, true);
	state_save_device(&c->dev, saved);
	device_reset(&c->dev);
	g_assert_cmphex(b->intx, ==, 0);
	g_assert_true(state_load_device(&c->dev, saved->data, saved->len, &err));
	g_assert_cmphex(b->intx, ==, 1);
	g_assert_cmphex(load(&b->memory, 0xe0001004, 4), ==, 0xc0ffee04);
	g_assert_cmphex(load(&b->memory, 0xe0010004, 4), ==, 0x12345678);
	g_assert_cmphex(pci_get16(c, cap + 2), ==, 2);
	/* A stream of another device is refused. */
	c->config[PCI_REVISION]++;
	g_assert_false(state_load_device(&c->dev, saved->data, saved->len, &err));
	g_assert_nonnull(strstr(err->message, "offset 0x08"));
	device_unrealize(&c->dev);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pci/header", test_header);
	g_test_add_func("/pci/masks", test_masks);
	g_test_add_func("/pci/bars", test_bars);
	g_test_add_func("/pci/intx", test_intx);
	g_test_add_func("/pci/bridges", test_bridges);
	g_test_add_func("/pci/msi", test_msi);
	g_test_add_func("/pci/msix", test_msix);
	g_test_add_func("/pci/dma", test_dma);
	g_test_add_func("/pci/addresses", test_addresses);
	g_test_add_func("/pci/rom", test_rom);
	g_test_add_func("/pci/state", test_state);
	return g_test_run();
}
