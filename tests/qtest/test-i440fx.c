/* The chip set's configuration space, shadow RAM, firmware mapping, reset ports. */
#include <unistd.h>
#include "libqtest.h"

#define HOST  QTS_DEVFN(0, 0)
#define PIIX3 QTS_DEVFN(1, 0)
#define PM    QTS_DEVFN(1, 3)
#define PAM0  0x59
#define SMRAM 0x72

struct reg {
	unsigned devfn, offset;
	uint32_t value;
};

/* What a 128 MiB machine with one serial port shows: as QEMU 7.2's pc. */
static const struct reg reset_values[] = {
	{HOST, 0x00, 0x12378086},  {HOST, 0x04, 0x00000000},  {HOST, 0x08, 0x06000002},
	{HOST, 0x0c, 0x00000000},  {HOST, 0x2c, 0x11001af4},  {HOST, 0x34, 0x00000000},
	{HOST, 0x3c, 0x00000000},  {HOST, 0x54, 0x10000000},  {HOST, 0x58, 0x00000000},
	{HOST, 0x5c, 0x00000000},  {HOST, 0x70, 0x00020000},  {PIIX3, 0x00, 0x70008086},
	{PIIX3, 0x04, 0x02000000}, {PIIX3, 0x08, 0x06010000}, {PIIX3, 0x0c, 0x00800000},
	{PIIX3, 0x2c, 0x11001af4}, {PIIX3, 0x4c, 0x0003004d}, {PIIX3, 0x60, 0x80808080},
	{PIIX3, 0x68, 0x00000200}, {PIIX3, 0x70, 0x00000080}, {PIIX3, 0x74, 0x0c0c0000},
	{PIIX3, 0x78, 0x00000002}, {PIIX3, 0xa0, 0x00000008}, {PIIX3, 0xa8, 0x0000000f},
	{PM, 0x00, 0x71138086},    {PM, 0x04, 0x02800000},    {PM, 0x08, 0x06800003},
	{PM, 0x2c, 0x11001af4},    {PM, 0x3c, 0x00000100},    {PM, 0x40, 0x00000001},
	{PM, 0x5c, 0x10000000},    {PM, 0x60, 0x60000000},    {PM, 0x64, 0x08000000},
	{PM, 0x80, 0x00000000},
};

static void check_values(struct qts *s)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reset_values); i++) {
		const struct reg *r = &reset_values[i];

		if (qts_pci_readl(s, 0, r->devfn, r->offset) != r->value)
			g_error("%02x.%x register 0x%02x is 0x%08x, not 0x%08x", r->devfn >> 3,
				r->devfn & 7, r->offset, qts_pci_readl(s, 0, r->devfn, r->offset),
				r->value);
	}
}

static struct qts *start(void)
{
	return qts_start("-machine pc -m 128M -serial null");
}

static void test_reset_values(void)
{
	struct qts *s = start();

	check_values(s);
	for (unsigned i = 0x40; i < 0x100; i += 4) {
		qts_pci_writel(s, 0, PIIX3, i, 0xffffffff);
		g_assert_cmphex(qts_pci_readl(s, 0, PIIX3, i), ==, 0xffffffff);
	}
	for (unsigned i = 0x59; i < 0x60; i++)
		qts_pci_writeb(s, 0, HOST, i, 0x33);
	qts_reset(s);
	check_values(s);
	qts_quit(s);
}

/* Command and status: which bits stick, per byte and word. */
static void test_masks(void)
{
	struct qts *s = start();

	qts_pci_writel(s, 0, PM, 0x04, 0xffffffff);
	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x04), ==, 0x02800507);
	qts_pci_writew(s, 0, PM, 0x04, 0);
	qts_pci_writeb(s, 0, PM, 0x05, 0xff);
	g_assert_cmphex(qts_pci_readw(s, 0, PM, 0x04), ==, 0x0500);
	qts_pci_writel(s, 0, PM, 0x00, 0xffffffff);
	qts_pci_writel(s, 0, PM, 0x08, 0xffffffff);
	qts_pci_writel(s, 0, PM, 0x2c, 0xffffffff);
	qts_pci_writel(s, 0, PM, 0x0c, 0xffffffff);
	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x00), ==, 0x71138086);
	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x08), ==, 0x06800003);
	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x2c), ==, 0x11001af4);
	g_assert_cmphex(qts_pci_readl(s, 0, PM, 0x0c), ==, 0x000000ff);
	qts_pci_writew(s, 0, PM, 0x3c, 0xffff);
	g_assert_cmphex(qts_pci_readw(s, 0, PM, 0x3c), ==, 0x01ff);
	/* Nobody there, and buses that do not exist. */
	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(1, 2), 0), ==, 0xffffffff);
	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(31, 7), 0), ==, 0xffffffff);
	g_assert_cmphex(qts_pci_readl(s, 1, HOST, 0), ==, 0xffffffff);
	qts_quit(s);
}

static void test_mechanism1(void)
{
	struct qts *s = start();

	qts_outl(s, 0xcf8, 0x80000800);
	g_assert_cmphex(qts_inl(s, 0xcf8), ==, 0x80000800);
	g_assert_cmphex(qts_inl(s, 0xcfc), ==, 0x70008086);
	g_assert_cmphex(qts_inw(s, 0xcfe), ==, 0x7000);
	g_assert_cmphex(qts_inb(s, 0xcfd), ==, 0x80);
	/* Narrow writes to the address register are not for it. */
	qts_outw(s, 0xcf8, 0x1234);
	qts_outb(s, 0xcfb, 0);
	g_assert_cmphex(qts_inl(s, 0xcf8), ==, 0x80000800);
	qts_outl(s, 0xcf8, 0x00000800);
	g_assert_cmphex(qts_inl(s, 0xcfc), ==, 0xffffffff);
	qts_quit(s);
}

/* Reads of an area come from PCI (nothing is there: zeros of the ROM area) or RAM; writes go or not. */
static void test_shadow_ram(void)
{
	struct qts *s = start();

	/* Put a pattern into RAM below each area. */
	for (unsigned i = 0; i < 7; i++)
		qts_pci_writeb(s, 0, HOST, PAM0 + i, 0x33);
	for (uint32_t addr = 0xc0000; addr < 0x100000; addr += 0x4000)
		qts_writel(s, addr, 0xabcd0000 | addr >> 12);
	for (unsigned area = 0; area < 12; area++) {
		uint32_t addr = 0xc0000 + area * 0x4000;
		unsigned reg = PAM0 + 1 + area / 2, shift = area % 2 * 4;

		g_assert_cmphex(qts_readl(s, addr), ==, 0xabcd0000 | addr >> 12);
		qts_pci_writeb(s, 0, HOST, reg, 0x33 & ~(2 << shift)); /* read only */
		qts_writel(s, addr, 0x11111111);
		g_assert_cmphex(qts_readl(s, addr), ==, 0xabcd0000 | addr >> 12);
		qts_pci_writeb(s, 0, HOST, reg, 0x33 & ~(3 << shift)); /* PCI */
		g_assert_cmphex(qts_readl(s, addr), !=, 0xabcd0000 | addr >> 12);
		qts_writel(s, addr, 0x22222222);
		qts_pci_writeb(s, 0, HOST, reg, 0x33);
		g_assert_cmphex(qts_readl(s, addr), ==, 0xabcd0000 | addr >> 12);
		qts_writel(s, addr, 0x33333333);
		g_assert_cmphex(qts_readl(s, addr), ==, 0x33333333);
	}
	qts_pci_writeb(s, 0, HOST, PAM0, 0x10);
	qts_writel(s, 0xf8000, 0x44444444);
	g_assert_cmphex(qts_readl(s, 0xf8000), ==, 0xabcd00f8);
	qts_quit(s);
}

/* SMRAM below A0000h: shown while open, hidden from all but SMM once enabled; a lock ends with a reset. */
static void test_smram(void)
{
	struct qts *s = qts_start("-machine pc,smm=on -m 128M");

	qts_pci_writeb(s, 0, HOST, SMRAM, 0x4a);
	qts_writel(s, 0xa8000, 0x12345678);
	g_assert_cmphex(qts_readl(s, 0xa8000), ==, 0x12345678);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x0a);
	g_assert_cmphex(qts_readl(s, 0xa8000), !=, 0x12345678);
	qts_writel(s, 0xa8000, 0xffffffff);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x4a);
	g_assert_cmphex(qts_readl(s, 0xa8000), ==, 0x12345678);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x5a);
	g_assert_cmphex(qts_pci_readb(s, 0, HOST, SMRAM), ==, 0x1a);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x4a);
	g_assert_cmphex(qts_pci_readb(s, 0, HOST, SMRAM), ==, 0x1a);
	qts_roundtrip(s);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x4a);
	g_assert_cmphex(qts_pci_readb(s, 0, HOST, SMRAM), ==, 0x1a);
	g_assert_cmphex(qts_readl(s, 0xa8000), !=, 0x12345678);
	qts_reset(s);
	qts_pci_writeb(s, 0, HOST, SMRAM, 0x4a);
	g_assert_cmphex(qts_readl(s, 0xa8000), ==, 0x12345678);
	qts_quit(s);
}

/* Bit 1 of 5Bh: SMIs are allowed, or there is nothing to set up. */
static void test_smm_state(void)
{
	struct qts *s = qts_start("-machine pc,smm=on");

	g_assert_cmphex(qts_pci_readb(s, 0, PM, 0x5b), ==, 0);
	qts_pci_writeb(s, 0, PM, 0x5b, 2);
	qts_outb(s, 0xb2, 0x12); /* no CPU to interrupt */
	qts_reset(s);
	g_assert_cmphex(qts_pci_readb(s, 0, PM, 0x5b), ==, 0);
	qts_quit(s);
	s = qts_start("-machine pc,smm=off");
	g_assert_cmphex(qts_pci_readb(s, 0, PM, 0x5b), ==, 2);
	qts_quit(s);
}

/* An image of 192 KiB: whole below 4 GiB, its last 128 KiB below 1 MiB. */
static void test_firmware(void)
{
	g_autofree char *path = g_strdup_printf("%s/quail-bios-%d", g_get_tmp_dir(), getpid());
	g_autofree char *args = g_strdup_printf("-machine pc -m 16M -bios %s", path);
	g_autofree uint8_t *image = g_malloc(192 * 1024);
	struct qts *s;

	for (unsigned i = 0; i < 192 * 1024; i++)
		image[i] = i * 7 + (i >> 8);
	g_assert_true(g_file_set_contents(path, (char *)image, 192 * 1024, NULL));
	s = qts_start(args);
	for (unsigned i = 0; i < 192 * 1024; i += 4093) {
		g_assert_cmphex(qts_readb(s, 0xfffd0000 + i), ==, image[i]);
		if (i >= 64 * 1024)
			g_assert_cmphex(qts_readb(s, 0xe0000 + i - 64 * 1024), ==, image[i]);
	}
	qts_writeb(s, 0xfffffff0, ~image[0x2fff0]);
	qts_writeb(s, 0xffff0, ~image[0x2fff0]);
	g_assert_cmphex(qts_readb(s, 0xfffffff0), ==, image[0x2fff0]);
	g_assert_cmphex(qts_readb(s, 0xffff0), ==, image[0x2fff0]);
	qts_quit(s);
	unlink(path);
}

/* Three of the four ways to reset a PC; the fourth is the keyboard controller's. */
static void test_reset_ports(void)
{
	struct qts *s = start();

	qts_outb(s, 0xcf9, 0x02);
	g_assert_cmphex(qts_inb(s, 0xcf9), ==, 0x02);
	qts_outb(s, 0xcf9, 0x06);
	json_object_put(qts_qmp_event(s, "RESET"));
	g_assert_cmphex(qts_inb(s, 0xcf9), ==, 0x00);

	qts_outb(s, 0x92, 0x02);
	g_assert_cmphex(qts_inb(s, 0x92), ==, 0x02);
	qts_outb(s, 0x92, 0x03);
	json_object_put(qts_qmp_event(s, "RESET"));
	g_assert_cmphex(qts_inb(s, 0x92), ==, 0x02);
	qts_quit(s);
}

static void test_port61(void)
{
	struct qts *s = start();
	uint8_t a = qts_inb(s, 0x61), b = qts_inb(s, 0x61);

	g_assert_cmphex(a ^ b, ==, 0x10);
	qts_outb(s, 0x61, 0xff);
	g_assert_cmphex(qts_inb(s, 0x61) & 0xef, ==, 0x03 | (a & 0x20));
	qts_quit(s);
}

static void test_round_trip(void)
{
	struct qts *s = start();

	qts_pci_writeb(s, 0, HOST, PAM0 + 1, 0x31);
	qts_pci_writel(s, 0, PIIX3, 0x60, 0x0b0a0b0a);
	qts_pci_writel(s, 0, PM, 0x40, 0x601);
	qts_pci_writeb(s, 0, PM, 0x80, 1);
	qts_outw(s, 0x602, 0x0120);
	qts_roundtrip(s);
	g_assert_cmphex(qts_inw(s, 0x602), ==, 0x0120);
	g_assert_cmphex(qts_pci_readb(s, 0, HOST, PAM0 + 1), ==, 0x31);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/i440fx/reset-values", test_reset_values);
	g_test_add_func("/i440fx/masks", test_masks);
	g_test_add_func("/i440fx/mechanism1", test_mechanism1);
	g_test_add_func("/i440fx/shadow-ram", test_shadow_ram);
	g_test_add_func("/i440fx/smram", test_smram);
	g_test_add_func("/i440fx/smm-state", test_smm_state);
	g_test_add_func("/i440fx/firmware", test_firmware);
	g_test_add_func("/i440fx/reset-ports", test_reset_ports);
	g_test_add_func("/i440fx/port61", test_port61);
	g_test_add_func("/i440fx/round-trip", test_round_trip);
	return g_test_run();
}
