/* PCI bridges: numbers, windows, interrupts, reset of what is behind; addresses on buses. */
#include <unistd.h>
#include "libqtest.h"

#define BRIDGE QTS_DEVFN(8, 0)
#define CARD   QTS_DEVFN(2, 0) /* behind it */
#define BAR    0xe0000000
#define EVENTS 3 /* what pvpanic-pci's register reads */

static struct qts *start(void)
{
	return qts_start("-machine pc -device pci-bridge,id=b,chassis_nr=5,addr=8 "
			 "-device pvpanic-pci,bus=b,addr=2,id=card");
}

static void set_numbers(struct qts *s)
{
	qts_pci_writel(s, 0, BRIDGE, 0x18, 0x00030300);
}

static void set_command(struct qts *s, uint16_t command)
{
	qts_pci_writew(s, 0, BRIDGE, 4, command);
}

static void test_config(void)
{
	struct qts *s = start();

	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 0), ==, 0x00011b36);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 4), ==, 0x00b00000);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 8), ==, 0x06040000);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 0x40), ==, 0x05200004);
	g_assert_cmphex(qts_pci_readl(s, 3, CARD, 0), ==, 0xffffffff);
	set_numbers(s);
	g_assert_cmphex(qts_pci_readl(s, 3, CARD, 0), ==, 0x00111b36);
	g_assert_cmphex(qts_pci_readl(s, 2, CARD, 0), ==, 0xffffffff);
	qts_pci_writel(s, 0, BRIDGE, 0x40, 0);
	qts_roundtrip(s);
	g_assert_cmphex(qts_pci_readl(s, 3, CARD, 0), ==, 0x00111b36);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 0x40), ==, 0x00200004);
	qts_reset(s);
	g_assert_cmphex(qts_pci_readl(s, 3, CARD, 0), ==, 0xffffffff);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 0x40), ==, 0x05200004);
	qts_quit(s);
}

static void test_memory_windows(void)
{
	struct qts *s = start();

	set_numbers(s);
	qts_pci_map_bar(s, 3, CARD, 0, BAR);
	g_assert_cmphex(qts_readb(s, BAR), !=, EVENTS);
	set_command(s, 2);
	g_assert_cmphex(qts_readb(s, BAR), !=, EVENTS); /* the window is elsewhere */
	qts_pci_writel(s, 0, BRIDGE, 0x20, 0xe010e000);
	g_assert_cmphex(qts_readb(s, BAR), ==, EVENTS);
	qts_roundtrip(s);
	g_assert_cmphex(qts_readb(s, BAR), ==, EVENTS);
	set_command(s, 0);
	g_assert_cmphex(qts_readb(s, BAR), !=, EVENTS);
	set_command(s, 2);
	qts_pci_writel(s, 0, BRIDGE, 0x20, 0xe000e010); /* base above limit: closed */
	g_assert_cmphex(qts_readb(s, BAR), !=, EVENTS);
	/* Prefetchable: 64 bits. Where the upper half is not the same, the card is not in it. */
	qts_pci_writel(s, 0, BRIDGE, 0x24, 0xe000e000);
	g_assert_cmphex(qts_pci_readl(s, 0, BRIDGE, 0x24), ==, 0xe001e001);
	g_assert_cmphex(qts_readb(s, BAR), ==, EVENTS);
	qts_pci_writel(s, 0, BRIDGE, 0x28, 1);
	qts_pci_writel(s, 0, BRIDGE, 0x2c, 1);
	g_assert_cmphex(qts_readb(s, BAR), !=, EVENTS);
	qts_pci_writel(s, 0, BRIDGE, 0x28, UINT32_MAX);
	qts_pci_writel(s, 0, BRIDGE, 0x2c, UINT32_MAX);
	qts_pci_writel(s, 0, BRIDGE, 0x24, 0xffffffff);
	qts_quit(s);
}

/* virtio-rng's port BAR: the host's feature bits at 0, the device's status at 18. */
static void test_ports_and_reset(void)
{
	struct qts *s = qts_start("-machine pc -device pci-bridge,id=b,chassis_nr=5,addr=8 "
				  "-device virtio-rng-pci-transitional,bus=b,addr=2");

	set_numbers(s);
	qts_pci_map_bar(s, 3, CARD, 0, 0xd100);
	set_command(s, 1);
	qts_outb(s, 0xd112, 1);
	g_assert_cmphex(qts_inb(s, 0xd112), ==, 0xff);
	qts_pci_writew(s, 0, BRIDGE, 0x1c, 0xd0d0);
	qts_outb(s, 0xd112, 1);
	g_assert_cmphex(qts_inb(s, 0xd112), ==, 1);
	/* The secondary bus is reset as the bit rises. */
	qts_pci_writew(s, 0, BRIDGE, 0x3e, 0x40);
	g_assert_cmphex(qts_pci_readw(s, 3, CARD, 4), ==, 0);
	g_assert_cmphex(qts_pci_readl(s, 3, CARD, 0x10), ==, 1);
	g_assert_cmphex(qts_inb(s, 0xd112), ==, 0xff);
	qts_pci_map_bar(s, 3, CARD, 0, 0xd100);
	g_assert_cmphex(qts_inb(s, 0xd112), ==, 0);
	qts_outb(s, 0xd112, 1);
	qts_pci_writew(s, 0, BRIDGE, 0x3e, 0x43);
	g_assert_cmphex(qts_inb(s, 0xd112), ==, 1);
	g_assert_cmphex(qts_pci_readw(s, 0, BRIDGE, 0x3e), ==, 0x43);
	qts_quit(s);
}

/* VGA's fixed windows. */
static void test_vga(void)
{
	struct qts *s = start();

	set_numbers(s);
	set_command(s, 2);
	qts_pci_writel(s, 0, BRIDGE, 0x20, 0x0000fff0); /* closed */
	qts_pci_writel(s, 0, BRIDGE, 0x24, 0x0000fff0);
	qts_pci_map_bar(s, 3, CARD, 0, 0xa0000);
	g_assert_cmphex(qts_readb(s, 0xa0000), !=, EVENTS);
	qts_pci_writew(s, 0, BRIDGE, 0x3e, 0x08);
	g_assert_cmphex(qts_readb(s, 0xa0000), ==, EVENTS);
	qts_reset(s);
	g_assert_cmphex(qts_readb(s, 0xa0000), !=, EVENTS);
	qts_quit(s);
}

static char *refused(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* What the program says to arguments it cannot start with. */
static char *refused(const char *fmt, ...)
{
	g_autofree char *args = NULL, *line = NULL;
	char *message = NULL;
	va_list ap;
	int status;

	va_start(ap, fmt);
	args = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	line = g_strdup_printf("%s -accel qtest -nodefaults -display none -machine pc %s",
			       g_getenv("QTEST_QUAIL_BINARY"), args);
	g_assert_true(g_spawn_command_line_sync(line, NULL, &message, &status, NULL));
	g_assert_cmpint(WEXITSTATUS(status), ==, 1);
	return message;
}

static void test_mistakes(void)
{
	static const struct {
		const char *args, *says;
	} cases[] = {
		{"-device pci-bridge",
		 "Bridge chassis not specified. Each bridge is required to be "
		 "assigned a unique chassis id > 0."},
		{"-device pvpanic-pci,addr=3 -device pvpanic-pci,addr=3.1",
		 "PCI: single function device can't be populated in function 3.1"},
		{"-device pvpanic-pci,addr=3.1 -device pvpanic-pci,addr=3",
		 "PCI: 3.0 indicates single function, but 3.1 is already populated."},
		{"-device pci-bridge,id=b,chassis_nr=1 -device pvpanic-pci,bus=b,addr=4 "
		 "-device pvpanic-pci,bus=b,addr=4,id=x",
		 "PCI: slot 4 function 0 not available for pvpanic-pci, in use by pvpanic-pci,id="},
		{"-device pvpanic-pci,bus=nosuch", "Bus 'nosuch' not found"},
		{"-device pvpanic-pci,romfile=/nonexistent",
		 "failed to find romfile \"/nonexistent\""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message = refused("%s", cases[i].args);

		if (!strstr(message, cases[i].says))
			g_error("'%s': \"%s\"", cases[i].args, message);
	}
}

/* Without an address and a bus: the first free slot of the board's own bus. */
static void test_default_places(void)
{
	struct qts *s = qts_start("-machine pc -device pci-bridge,id=b,chassis_nr=1 "
				  "-device i82801b11-bridge,id=c,bus=b -device pvpanic-pci "
				  "-device pvpanic-pci,bus=c,addr=1f.7,multifunction=on");

	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(2, 0), 0), ==, 0x00011b36);
	g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(3, 0), 0), ==, 0x00111b36);
	qts_pci_writel(s, 0, QTS_DEVFN(2, 0), 0x18, 0x00020100);
	g_assert_cmphex(qts_pci_readl(s, 1, 0, 0), ==, 0x244e8086);
	qts_pci_writel(s, 1, 0, 0x18, 0x00020201);
	g_assert_cmphex(qts_pci_readl(s, 2, QTS_DEVFN(0x1f, 7), 0), ==, 0x00111b36);
	g_assert_cmphex(qts_pci_readb(s, 2, QTS_DEVFN(0x1f, 7), 0x0e), ==, 0x80);
	qts_quit(s);
}

static json_object *member(json_object *object, const char *name)
{
	json_object *found = json_object_object_get(object, name);

	g_assert_nonnull(found);
	return found;
}

/* query-pci, and how people see it. */
static void test_query(void)
{
	static const char shown[] = "  Bus  0, device   8, function 0:\r\n"
				    "    PCI bridge: PCI device 1b36:0001\r\n"
				    "      BUS 0.\r\n"
				    "      secondary bus 3.\r\n"
				    "      subordinate bus 3.\r\n"
				    "      IO range [0x0000, 0x0fff]\r\n"
				    "      memory range [0xe0000000, 0xe01fffff]\r\n"
				    "      prefetchable memory range [0x00000000, 0x000fffff]\r\n"
				    "      id \"b\"\r\n"
				    "  Bus  3, device   2, function 0:\r\n"
				    "    Class 2176: PCI device 1b36:0011\r\n"
				    "      PCI subsystem 1af4:1100\r\n"
				    "      BAR0: 32 bit memory at 0xe0000000 [0xe000000f].\r\n"
				    "      id \"card\"\r\n";
	struct qts *s = start();
	json_object *reply, *bridge = NULL, *card, *devices;

	set_numbers(s);
	qts_pci_writel(s, 0, BRIDGE, 0x20, 0xe010e000);
	qts_pci_map_bar(s, 3, CARD, 0, BAR);
	reply = qts_qmp(s, "{'execute':'query-pci'}");
	g_assert_cmpuint(json_object_array_length(reply), ==, 1);
	devices = member(json_object_array_get_idx(reply, 0), "devices");
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		json_object *dev = json_object_array_get_idx(devices, i);

		if (json_object_get_int(member(dev, "slot")) == 8)
			bridge = member(dev, "pci_bridge");
	}
	g_assert_nonnull(bridge);
	card = json_object_array_get_idx(member(bridge, "devices"), 0);
	g_assert_cmpint(json_object_get_int(member(card, "bus")), ==, 3);
	g_assert_cmpstr(json_object_get_string(member(card, "qdev_id")), ==, "card");
	json_object_put(reply);
	reply = qts_qmp(s, "{'execute':'human-monitor-command',"
			   "'arguments':{'command-line':'info pci'}}");
	g_assert_nonnull(strstr(json_object_get_string(reply), shown));
	json_object_put(reply);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pci-bridge/config", test_config);
	g_test_add_func("/pci-bridge/memory-windows", test_memory_windows);
	g_test_add_func("/pci-bridge/ports-and-reset", test_ports_and_reset);
	g_test_add_func("/pci-bridge/vga", test_vga);
	g_test_add_func("/pci-bridge/mistakes", test_mistakes);
	g_test_add_func("/pci-bridge/default-places", test_default_places);
	g_test_add_func("/pci-bridge/query", test_query);
	return g_test_run();
}
