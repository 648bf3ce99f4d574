/* edu, the serial cards, pci-testdev; and pc-testdev, which is one for the ISA bus. */
#include <unistd.h>
#include "libqtest.h"

#define CARD QTS_DEVFN(4, 0)
#define BAR  0xe0000000

static struct qts *start_edu(void)
{
	struct qts *s = qts_start("-machine pc -device edu,addr=4");

	qts_pci_map_bar(s, 0, CARD, 0, BAR);
	qts_pci_writew(s, 0, CARD, 4, 6);
	return s;
}

static void test_edu_registers(void)
{
	struct qts *s = start_edu();

	g_assert_cmphex(qts_pci_readl(s, 0, CARD, 0), ==, 0x11e81234);
	g_assert_cmphex(qts_pci_bar_size(s, 0, CARD, 0), ==, 1 << 20);
	g_assert_cmphex(qts_readl(s, BAR), ==, 0x010000ed);
	qts_writel(s, BAR + 4, 0x12345678);
	g_assert_cmphex(qts_readl(s, BAR + 4), ==, 0xedcba987);
	qts_writel(s, BAR + 8, 5);
	g_assert_cmphex(qts_readl(s, BAR + 8), ==, 120);
	qts_writel(s, BAR + 8, 33);
	g_assert_cmphex(qts_readl(s, BAR + 8), ==, 0x80000000);
	qts_writel(s, BAR + 8, 0xffffffff);
	g_assert_cmphex(qts_readl(s, BAR + 8), ==, 0);
	qts_writel(s, BAR + 0x20, 0xff);
	g_assert_cmphex(qts_readl(s, BAR + 0x20), ==, 0x80);
	qts_writel(s, BAR + 8, 3);
	g_assert_cmphex(qts_readl(s, BAR + 0x24), ==, 1);
	g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 8);
	qts_writel(s, BAR + 0x64, 1);
	g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 0);
	g_assert_cmphex(qts_readl(s, BAR + 0x84), ==, 0xffffffff);
	g_assert_cmphex(qts_readq(s, BAR), ==, UINT64_MAX);
	qts_roundtrip(s);
	qts_quit(s);
}

static void run_dma(struct qts *s, uint64_t from, uint64_t to, uint64_t count, uint32_t command)
{
	qts_writeq(s, BAR + 0x80, from);
	qts_writeq(s, BAR + 0x88, to);
	qts_writeq(s, BAR + 0x90, count);
	qts_writel(s, BAR + 0x98, command | 1);
	g_assert_cmphex(qts_readl(s, BAR + 0x98) & 1, ==, 1);
	qts_roundtrip(s); /* under way */
	qts_clock_step(s, 100 * 1000 * 1000);
	g_assert_cmphex(qts_readl(s, BAR + 0x98) & 1, ==, 0);
}

static void test_edu_dma(void)
{
	struct qts *s = start_edu();
	char got[16];

	qts_memwrite(s, 0x5000, "sixteen letters", 16);
	run_dma(s, 0x5000, 0x40010, 16, 0);
	run_dma(s, 0x40010, 0x6000, 16, 2 | 4);
	qts_memread(s, 0x6000, got, 16);
	g_assert_cmpstr(got, ==, "sixteen letters");
	g_assert_cmphex(qts_readl(s, BAR + 0x24), ==, 0x100);
	/* Not all in the buffer: nothing moves. */
	run_dma(s, 0x40ff8, 0x6000, 16, 2);
	run_dma(s, 0x40000, 0x6000, UINT64_MAX, 2);
	run_dma(s, 0x3fff8, 0x6000, 16, 2);
	qts_memread(s, 0x6000, got, 16);
	g_assert_cmpstr(got, ==, "sixteen letters");
	/* Only 28 address bits. */
	run_dma(s, 0x10005000, 0x40000, 4, 0);
	run_dma(s, 0x40000, 0x7000, 4, 2);
	qts_memread(s, 0x7000, got, 4);
	g_assert_cmpmem(got, 4, "sixt", 4);
	qts_quit(s);
}

static void test_serial(void)
{
	g_autofree char *path = NULL, *args = NULL, *text = NULL;
	int fd = g_file_open_tmp("pci-serial-XXXXXX", &path, NULL);
	struct qts *s;

	close(fd);
	args = g_strdup_printf("-machine pc -chardev file,id=f,path=%s "
			       "-device pci-serial-4x,addr=4,chardev2=f",
			       path);
	s = qts_start(args);
	g_assert_cmphex(qts_pci_readl(s, 0, CARD, 0), ==, 0x00041b36);
	g_assert_cmphex(qts_pci_readl(s, 0, CARD, 8), ==, 0x07000201);
	g_assert_cmphex(qts_pci_bar_size(s, 0, CARD, 0), ==, 32);
	qts_pci_map_bar(s, 0, CARD, 0, 0xc000);
	qts_outb(s, 0xc008, 'q');
	qts_outb(s, 0xc000, 'x'); /* goes nowhere */
	qts_outb(s, 0xc019, 2);   /* the last one's interrupt: transmitter empty */
	g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 8);
	qts_roundtrip(s);
	g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 8);
	qts_outb(s, 0xc019, 0);
	g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 0);
	qts_quit(s);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "q");
	unlink(path);
}

/* ---- Hot-unplug of cards with back ends ---- */

static void eject(struct qts *s, unsigned slot, const char *id)
{
	json_object *gone;
	const char *device = "";

	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(slot, 0), 0), !=, UINT32_MAX);
	qts_outl(s, 0xae08, BIT(slot));
	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(slot, 0), 0), ==, UINT32_MAX);
	gone = qts_qmp_event(s, "DEVICE_DELETED");
	device = json_object_get_string(json_object_object_get(gone, "device"));
	g_assert_cmpstr(device, ==, id);
	json_object_put(gone);
}

/* Once the event is there the character device is free, and the name, and the slot. */
static void test_unplug_serial(void)
{
	g_autofree char *path = NULL, *args = NULL, *text = NULL, *error = NULL;
	int fd = g_file_open_tmp("pci-serial-XXXXXX", &path, NULL);
	struct qts *s;

	close(fd);
	args = g_strdup_printf("-machine pc -chardev file,id=f,path=%s", path);
	s = qts_start(args);
	for (unsigned round = 0; round < 3; round++) {
		json_object_put(qts_qmp(s, "{'execute':'device_add','arguments':{'driver':"
					   "'pci-serial','id':'h','addr':'4','chardev':'f'}}"));
		qts_pci_map_bar(s, 0, CARD, 0, 0xc000);
		qts_outb(s, 0xc000, 'a' + round);
		qts_outb(s, 0xc001, 2);
		g_assert_cmphex(qts_pci_readw(s, 0, CARD, 6) & 8, ==, 8);
		if (round < 2) { /* at last the guest lets go of it by itself */
			json_object_put(
				qts_qmp(s, "{'execute':'device_del','arguments':{'id':'h'}}"));
			g_free(error);
			error = qts_qmp_error(s, "{'execute':'device_del','arguments':{'id':'h'}}");
			g_assert_cmpstr(error, ==, "Device h is already in the process of unplug");
			g_assert_cmphex(qts_inl(s, 0xae04), ==, BIT(4));
		}
		eject(s, 4, "h");
		g_assert_cmphex(qts_inl(s, 0xae04), ==, 0);
		qts_outb(s, 0xc000, 'x'); /* nobody there */
		qts_outl(s, 0xae08, BIT(4));
	}
	qts_quit(s);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "abc");
	unlink(path);
}

/* A bus goes with its devices: a terminal that is watched, and one with what nobody reads. */
static void test_unplug_virtio_serial(void)
{
	struct qts *s = qts_start("-machine pc -chardev pty,id=a -chardev pty,id=b");

	for (unsigned round = 0; round < 3; round++) {
		json_object_put(qts_qmp(s, "{'execute':'device_add','arguments':{'driver':"
					   "'virtio-serial-pci','id':'h','addr':'4'}}"));
		json_object_put(qts_qmp(s, "{'execute':'device_add','arguments':{'driver':"
					   "'virtconsole','bus':'h.0','chardev':'a'}}"));
		json_object_put(qts_qmp(s,
					"{'execute':'device_add','arguments':{'driver':"
					"'virtserialport','id':'p','bus':'h.0','chardev':'b'}}"));
		json_object_put(qts_qmp(s, "{'execute':'device_del','arguments':{'id':'h'}}"));
		qts_roundtrip(s);
		eject(s, 4, "h");
	}
	qts_quit(s);
}

/* ---- The test devices ---- */

static uint32_t count_after(struct qts *s, unsigned test, uint8_t data)
{
	uint32_t offset;

	qts_writeb(s, BAR, test);
	g_assert_cmphex(qts_readb(s, BAR + 1), ==, 1);
	g_assert_cmphex(qts_readl(s, BAR + 0xc), ==, 0);
	offset = qts_readl(s, BAR + 4);
	for (unsigned i = 0; i < 16; i++)
		qts_writeb(s, BAR + offset, data);
	return qts_readl(s, BAR + 0xc);
}

static void test_pci_testdev(void)
{
	struct qts *s = qts_start("-machine pc -device pci-testdev,addr=4,membar=1M");
	char name[16];

	g_assert_cmphex(qts_pci_readl(s, 0, CARD, 0), ==, 0x00051b36);
	g_assert_cmphex(qts_pci_bar_size(s, 0, CARD, 0), ==, 4096);
	g_assert_cmphex(qts_pci_bar_size(s, 0, CARD, 1), ==, 256);
	g_assert_cmphex(qts_pci_bar_size(s, 0, CARD, 2), ==, MIB);
	qts_pci_map_bar(s, 0, CARD, 0, BAR);
	qts_pci_map_bar(s, 0, CARD, 1, 0xc000);
	g_assert_cmphex(qts_readl(s, BAR), ==, 0);
	g_assert_cmpuint(count_after(s, 0, 0xfa), ==, 16);
	g_assert_cmpuint(count_after(s, 0, 0xfb), ==, 0);
	g_assert_cmpuint(count_after(s, 1, 0xce), ==, 0); /* the doorbell has them */
	g_assert_cmpuint(count_after(s, 2, 0xfa), ==, 0);
	qts_memread(s, BAR + 16, name, sizeof(name));
	g_assert_cmpmem(name, sizeof(name), "mmio-datamatch-e", 16);
	/* The ports' tests: the same header in both. */
	qts_outb(s, 0xc000, 0);
	qts_outb(s, 0xc083, 0xfa);
	qts_outw(s, 0xc083, 0x00fa);
	g_assert_cmphex(qts_inl(s, 0xc000), ==, 0x0103);
	g_assert_cmpuint(qts_readl(s, BAR + 0xc), ==, 2);
	qts_roundtrip(s);
	g_assert_cmpuint(qts_inl(s, 0xc00c), ==, 2);
	qts_outb(s, 0xc000, 1);
	qts_roundtrip(s); /* with its doorbell */
	qts_outb(s, 0xc084, 0xce);
	g_assert_cmpuint(qts_inl(s, 0xc00c), ==, 0);
	qts_outb(s, 0xc000, 3);
	g_assert_cmphex(qts_inl(s, 0xc000), ==, 0);
	qts_outb(s, 0xc000, 1);
	qts_reset(s);
	qts_pci_map_bar(s, 0, CARD, 1, 0xc000);
	g_assert_cmphex(qts_inl(s, 0xc000), ==, 0);
	qts_quit(s);
}

static void test_pc_testdev(void)
{
	struct qts *s = qts_start("-machine pc -device pc-testdev");

	qts_outl(s, 0xe0, 0x44332211);
	g_assert_cmphex(qts_inb(s, 0xe1), ==, 0x22);
	g_assert_cmphex(qts_inw(s, 0xe2), ==, 0x4433);
	g_assert_cmphex(qts_inl(s, 0xe8), ==, 0x44332211);
	qts_writeq(s, 0xff000010, 0x1122334455667788);
	qts_writeb(s, 0xff00ffff, 0x99);
	qts_roundtrip(s);
	g_assert_cmphex(qts_readq(s, 0xff000010), ==, 0x1122334455667788);
	g_assert_cmphex(qts_readb(s, 0xff00ffff), ==, 0x99);
	/* A page that is flushed is still there; where there is none nothing happens. */
	qts_writeq(s, 0x5008, 0x55aa);
	qts_outl(s, 0xe4, 0x5123);
	g_assert_cmphex(qts_readq(s, 0x5008), ==, 0x55aa);
	qts_writeq(s, 0x5008, 0xaa55);
	g_assert_cmphex(qts_readq(s, 0x5008), ==, 0xaa55);
	for (uint32_t page = 0; page != 0xf0000000; page += 0x10000000)
		qts_outl(s, 0xe4, page);
	qts_outl(s, 0xe4, 0xfffff000);
	g_assert_cmphex(qts_inl(s, 0xe4), ==, 0);
	/* Lines: level triggered they show what was written. */
	qts_outb(s, 0x4d0, 0x20);
	qts_outb(s, 0x20, 0x0a);
	qts_outb(s, 0x2005, 0x80);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0x20);
	qts_outb(s, 0x2005, 0);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0);
	qts_outl(s, 0x2010, UINT32_MAX); /* lines that the bus does not have */
	qts_outl(s, 0x2014, UINT32_MAX);
	g_assert_cmphex(qts_inb(s, 0x20), ==, 0);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cards/edu-registers", test_edu_registers);
	g_test_add_func("/cards/edu-dma", test_edu_dma);
	g_test_add_func("/cards/serial", test_serial);
	g_test_add_func("/cards/unplug-serial", test_unplug_serial);
	g_test_add_func("/cards/unplug-virtio-serial", test_unplug_virtio_serial);
	g_test_add_func("/cards/pci-testdev", test_pci_testdev);
	g_test_add_func("/cards/pc-testdev", test_pc_testdev);
	return g_test_run();
}
