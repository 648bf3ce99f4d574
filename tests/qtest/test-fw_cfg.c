/* The firmware configuration device: ports, items, the directory, DMA, files of the user. */
#include <unistd.h>
#include "abi/fw_cfg.h"
#include "base/checked.h"
#include "libqtest.h"

#define SELECT  0x510
#define DATA    0x511
#define DMA     0x514
#define REQUEST 0x1000
#define BUFFER  0x2000

static void read_item(struct qts *s, uint16_t key, void *out, size_t len)
{
	uint8_t *bytes = out;

	qts_outw(s, SELECT, key);
	for (size_t i = 0; i < len; i++)
		bytes[i] = qts_inb(s, DATA);
}

static uint64_t read_number(struct qts *s, uint16_t key, unsigned width)
{
	uint8_t bytes[8];

	read_item(s, key, bytes, width);
	return get_le(bytes, width);
}

/* Size and key of a file, by the directory; false if it is not there. */
static bool find_file(struct qts *s, const char *name, uint32_t *size, uint16_t *key)
{
	uint8_t count[4];
	char last[FW_CFG_NAME_SIZE] = "";
	bool found = false;

	read_item(s, FW_CFG_FILE_DIR, count, 4);
	for (uint32_t i = 0; i < get_be32(count); i++) {
		struct fw_cfg_dir_entry entry;

		for (size_t b = 0; b < sizeof(entry); b++)
			((uint8_t *)&entry)[b] = qts_inb(s, DATA);
		/* Sorted, and keys in a row. */
		g_assert_cmpstr(last, <, entry.name);
		g_assert_cmpuint(GUINT16_FROM_BE(entry.key), ==, FW_CFG_FILE_FIRST + i);
		g_strlcpy(last, entry.name, sizeof(last));
		if (strcmp(entry.name, name))
			continue;
		*size = GUINT32_FROM_BE(entry.size);
		*key = GUINT16_FROM_BE(entry.key);
		found = true;
	}
	return found;
}

static void test_signature(void)
{
	struct qts *s = qts_start("-machine pc");
	char text[8];

	read_item(s, FW_CFG_SIGNATURE, text, 8);
	g_assert_cmpmem(text, 8, "QEMU\0\0\0\0", 8);
	g_assert_cmpuint(read_number(s, FW_CFG_ID, 4), ==, 3);
	g_assert_cmphex(qts_inl(s, DMA), ==, 0x554d4551);
	g_assert_cmphex(qts_inl(s, DMA + 4), ==, 0x47464320);
	/* What is not there reads as zeros. */
	g_assert_cmpuint(read_number(s, 0x1f, 8), ==, 0);
	g_assert_cmpuint(read_number(s, 0x3ff0, 8), ==, 0);
	g_assert_cmpuint(read_number(s, 0x8123, 8), ==, 0);
	qts_quit(s);
	s = qts_start("-machine pc -global fw_cfg.dma_enabled=off");
	g_assert_cmpuint(read_number(s, FW_CFG_ID, 4), ==, 1);
	g_assert_cmphex(qts_inl(s, DMA), ==, 0xffffffff);
	qts_quit(s);
}

static void test_numbers(void)
{
	struct qts *s = qts_start("-machine pc -m 5G -smp 3,maxcpus=5 -boot menu=on "
				  "-uuid 4d8dce43-9a42-4a3a-a5de-3c1c5c0f0e11");
	uint8_t uuid[16];

	g_assert_cmpuint(read_number(s, FW_CFG_RAM_SIZE, 8), ==, 5ULL << 30);
	g_assert_cmpuint(read_number(s, FW_CFG_NB_CPUS, 2), ==, 3);
	g_assert_cmpuint(read_number(s, FW_CFG_MAX_CPUS, 2), ==, 5);
	g_assert_cmpuint(read_number(s, FW_CFG_BOOT_MENU, 2), ==, 1);
	g_assert_cmpuint(read_number(s, FW_CFG_IRQ0_OVERRIDE, 4), ==, 1);
	read_item(s, FW_CFG_UUID, uuid, 16);
	g_assert_cmphex(get_be32(uuid), ==, 0x4d8dce43);
	g_assert_cmphex(uuid[15], ==, 0x11);
	qts_quit(s);
}

static void test_files(void)
{
	struct qts *s = qts_start("-machine pc -boot reboot-timeout=1234 "
				  "-global PIIX4_PM.disable_s3=1 -global PIIX4_PM.s4_val=3");
	uint8_t states[6];
	uint32_t size;
	uint16_t key;

	g_assert_true(find_file(s, "etc/boot-fail-wait", &size, &key));
	g_assert_cmpuint(size, ==, 4);
	g_assert_cmpuint(read_number(s, key, 4), ==, 1234);
	g_assert_true(find_file(s, "etc/system-states", &size, &key));
	g_assert_cmpuint(size, ==, 6);
	read_item(s, key, states, 6);
	g_assert_cmpmem(states, 6, "\x80\x00\x00\x01\x83\x80", 6);
	g_assert_true(find_file(s, "bootorder", &size, &key));
	g_assert_false(find_file(s, "opt/nothing", &size, &key));
	qts_quit(s);
}

static void test_user_files(void)
{
	g_autofree char *path = g_strdup_printf("%s/quail-fw-%d", g_get_tmp_dir(), getpid());
	g_autofree char *args = g_strdup_printf("-machine pc -fw_cfg name=opt/b,string=hello "
						"-fw_cfg name=opt/a,file=%s",
						path);
	char text[8];
	struct qts *s;
	uint32_t size;
	uint16_t key;

	g_assert_true(g_file_set_contents(path, "12345", 5, NULL));
	s = qts_start(args);
	g_assert_true(find_file(s, "opt/a", &size, &key));
	g_assert_cmpuint(size, ==, 5);
	read_item(s, key, text, 6);
	g_assert_cmpstr(text, ==, "12345");
	g_assert_true(find_file(s, "opt/b", &size, &key));
	g_assert_cmpuint(size, ==, 5);
	read_item(s, key, text, 8);
	g_assert_cmpstr(text, ==, "hello");
	qts_quit(s);
	unlink(path);
}

/* Runs a request; its control field afterwards. */
static uint32_t dma(struct qts *s, uint32_t control, uint32_t len, uint64_t addr)
{
	struct fw_cfg_dma_access access = {
		.control = GUINT32_TO_BE(control),
		.length = GUINT32_TO_BE(len),
		.address = GUINT64_TO_BE(addr),
	};

	qts_memwrite(s, REQUEST, &access, sizeof(access));
	qts_outl(s, DMA, 0);
	qts_outl(s, DMA + 4, GUINT32_TO_BE(REQUEST));
	return GUINT32_FROM_BE(qts_readl(s, REQUEST));
}

static void test_dma(void)
{
	struct qts *s = qts_start("-machine pc -m 16M -fw_cfg name=opt/t,string=0123456789");
	const uint32_t select = FW_CFG_DMA_SELECT, read = FW_CFG_DMA_READ;
	uint8_t text[16];
	uint32_t size;
	uint16_t key;

	g_assert_true(find_file(s, "opt/t", &size, &key));
	qts_memset(s, BUFFER, 0xaa, 64);
	g_assert_cmphex(dma(s, (uint32_t)key << 16 | select | read, 4, BUFFER), ==, 0);
	qts_memread(s, BUFFER, text, 16);
	g_assert_cmpmem(text, 5, "0123\xaa", 5);
	g_assert_cmphex(dma(s, FW_CFG_DMA_SKIP, 2, 0), ==, 0);
	/* The rest, and zeros after the end. */
	g_assert_cmphex(dma(s, read, 8, BUFFER), ==, 0);
	qts_memread(s, BUFFER, text, 16);
	g_assert_cmpmem(text, 9, "6789\0\0\0\0\xaa", 9);
	/* Nothing selected reads as zeros, too. */
	g_assert_cmphex(dma(s, 0x3ff0U << 16 | select | read, 8, BUFFER), ==, 0);
	g_assert_cmphex(qts_readq(s, BUFFER), ==, 0);
	/* Where there is no RAM, round the end of the space, and writes to what is read-only. */
	g_assert_cmphex(dma(s, (uint32_t)key << 16 | select | read, 8, 0xd0000000), ==, 1);
	g_assert_cmphex(dma(s, read, 8, UINT64_MAX - 3), ==, 1);
	g_assert_cmphex(dma(s, (uint32_t)key << 16 | select | FW_CFG_DMA_WRITE, 4, BUFFER), ==, 1);
	g_assert_cmphex(dma(s, select | read, UINT32_MAX, 0xff0000), ==, 1);
	/* The first request again: an error leaves the device usable. */
	g_assert_cmphex(dma(s, (uint32_t)key << 16 | select | read, 4, BUFFER), ==, 0);
	g_assert_cmphex(qts_readl(s, BUFFER), ==, 0x33323130);
	qts_quit(s);
}

static void test_reset(void)
{
	struct qts *s = qts_start("-machine pc");

	qts_outw(s, SELECT, FW_CFG_ID);
	g_assert_cmphex(qts_inb(s, DATA), ==, 3);
	qts_reset(s);
	g_assert_cmphex(qts_inb(s, DATA), ==, 'Q');
	g_assert_cmphex(qts_inb(s, DATA), ==, 'E');
	qts_roundtrip(s);
	g_assert_cmphex(qts_inb(s, DATA), ==, 'M');
	/* Either port reads on; bytes written go nowhere. */
	qts_outb(s, DATA, 'x');
	qts_outb(s, SELECT, 'x');
	g_assert_cmphex(qts_inb(s, SELECT), ==, 'U');
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fw_cfg/signature", test_signature);
	g_test_add_func("/fw_cfg/numbers", test_numbers);
	g_test_add_func("/fw_cfg/files", test_files);
	g_test_add_func("/fw_cfg/user-files", test_user_files);
	g_test_add_func("/fw_cfg/dma", test_dma);
	g_test_add_func("/fw_cfg/reset", test_reset);
	return g_test_run();
}
