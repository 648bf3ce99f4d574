/* pvpanic, vmgenid, vmcoreinfo: what the guest tells the host about itself, and the other way round. */
#include "abi/fw_cfg.h"
#include "base/checked.h"
#include "libqtest.h"

#define SELECT  0x510
#define DATA    0x511
#define DMA     0x514
#define REQUEST 0x1000
#define BUFFER  0x2000
#define PANIC   0x505

#define GUID "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"
static const uint8_t guid[16] = {0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b,
				 0xbf, 0x41, 0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87};

/* Selects a file and returns its size; 0: there is none. */
static uint32_t select_file(struct qts *s, const char *name, uint16_t *key)
{
	struct fw_cfg_dir_entry entry;
	uint8_t count[4];

	qts_outw(s, SELECT, FW_CFG_FILE_DIR);
	for (unsigned i = 0; i < 4; i++)
		count[i] = qts_inb(s, DATA);
	for (uint32_t i = 0; i < get_be32(count); i++) {
		for (size_t b = 0; b < sizeof(entry); b++)
			((uint8_t *)&entry)[b] = qts_inb(s, DATA);
		if (strcmp(entry.name, name))
			continue;
		*key = GUINT16_FROM_BE(entry.key);
		qts_outw(s, SELECT, *key);
		return GUINT32_FROM_BE(entry.size);
	}
	return 0;
}

static void read_file(struct qts *s, const char *name, uint8_t *out, uint32_t len)
{
	uint16_t key;

	g_assert_cmpuint(select_file(s, name, &key), ==, len);
	for (uint32_t i = 0; i < len; i++)
		out[i] = qts_inb(s, DATA);
}

/* By DMA, as firmware and kernels do it. */
static void write_file(struct qts *s, const char *name, const void *data, uint32_t len)
{
	struct fw_cfg_dma_access access = {
		.length = GUINT32_TO_BE(len),
		.address = GUINT64_TO_BE(BUFFER),
	};
	uint16_t key;

	g_assert_cmpuint(select_file(s, name, &key), ==, len);
	access.control = GUINT32_TO_BE((uint32_t)key << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_WRITE);
	qts_memwrite(s, BUFFER, data, len);
	qts_memwrite(s, REQUEST, &access, sizeof(access));
	qts_outl(s, DMA + 4, GUINT32_TO_BE(REQUEST));
	g_assert_cmphex(qts_readl(s, REQUEST), ==, 0);
}

/* ---- pvpanic ---- */

static const char *text_of(json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static void expect_event(struct qts *s, const char *name, const char *action)
{
	json_object *data = qts_qmp_event(s, name);

	g_assert_cmpstr(text_of(data, "action"), ==, action);
	json_object_put(data);
}

static void expect_status(struct qts *s, const char *status)
{
	json_object *reply = qts_qmp(s, "{'execute':'query-status'}");

	g_assert_cmpstr(text_of(reply, "status"), ==, status);
	json_object_put(reply);
}

static void test_panic(void)
{
	struct qts *s = qts_start("-machine pc -device pvpanic");
	uint8_t port[2];

	read_file(s, "etc/pvpanic-port", port, 2);
	g_assert_cmphex(get_le16(port), ==, PANIC);
	g_assert_cmphex(qts_inb(s, PANIC), ==, 3);
	g_assert_cmphex(qts_inb(s, PANIC + 1), ==, 0xff);
	qts_outb(s, PANIC, 4); /* unknown: nothing */
	qts_outb(s, PANIC, 2);
	expect_event(s, "GUEST_CRASHLOADED", "run");
	expect_status(s, "running");
	json_object_put(qts_qmp(s, "{'execute':'set-action','arguments':{'panic':'none'}}"));
	qts_outb(s, PANIC, 1);
	expect_event(s, "GUEST_PANICKED", "run");
	expect_status(s, "running");
	json_object_put(qts_qmp(s, "{'execute':'set-action','arguments':{'panic':'pause'}}"));
	qts_outb(s, PANIC, 3);
	expect_event(s, "GUEST_PANICKED", "pause");
	json_object_put(qts_qmp_event(s, "STOP"));
	expect_status(s, "guest-panicked");
	qts_quit(s);
}

static void test_panic_ends(void)
{
	struct qts *s = qts_start("-machine pc -device pvpanic,ioport=0x600,events=1 "
				  "-action panic=exit-failure");

	g_assert_cmphex(qts_inb(s, 0x600), ==, 1);
	qts_last_command(s, "outb 0x600 1");
	g_assert_cmpint(qts_wait_exit(s), ==, 1);
	s = qts_start("-machine pc -device pvpanic"); /* -action panic=shutdown */
	qts_last_command(s, "outb 0x505 1");
	g_assert_cmpint(qts_wait_exit(s), ==, 0);
	s = qts_start("-machine pc -device pvpanic -no-shutdown");
	qts_outb(s, PANIC, 1);
	expect_event(s, "GUEST_PANICKED", "pause");
	json_object_put(qts_qmp_event(s, "STOP"));
	expect_status(s, "guest-panicked");
	qts_quit(s);
}

static void test_panic_pci(void)
{
	struct qts *s = qts_start("-machine pc -device pvpanic-pci,addr=5");
	unsigned card = QTS_DEVFN(5, 0);

	g_assert_cmphex(qts_pci_readl(s, 0, card, 0), ==, 0x00111b36);
	g_assert_cmphex(qts_pci_readl(s, 0, card, 8), ==, 0x08800001);
	qts_pci_map_bar(s, 0, card, 0, 0xe0000000);
	g_assert_cmphex(qts_readb(s, 0xe0000000), ==, 3);
	g_assert_cmphex(qts_readb(s, 0xe0000001), ==, 3);
	json_object_put(qts_qmp(s, "{'execute':'set-action','arguments':{'panic':'none'}}"));
	qts_writeb(s, 0xe0000000, 1);
	expect_event(s, "GUEST_PANICKED", "run");
	qts_quit(s);
}

/* ---- vmgenid ---- */

#define GPE_STATUS 0xafe0
#define GPE_BIT    0x20

static void test_generation(void)
{
	struct qts *s = qts_start("-machine pc -device vmgenid,guid=" GUID), *copy;
	uint8_t page[4096], addr[8], got[16];
	g_autofree char *state = NULL, *error = NULL;
	json_object *reply;

	read_file(s, "etc/vmgenid_guid", page, sizeof(page));
	g_assert_cmpmem(page + 40, 16, guid, 16);
	put_le64(addr, 0x8028);
	write_file(s, "etc/vmgenid_addr", addr, 8);
	qts_memread(s, 0x8028, got, 16);
	g_assert_cmphex(got[0], ==, 0); /* the page is firmware's to write */
	state = qts_state_save(s);
	reply = qts_qmp(s, "{'execute':'query-vm-generation-id'}");
	g_assert_cmpstr(text_of(reply, "guid"), ==, GUID);
	json_object_put(reply);
	qts_quit(s);

	/* A copy gets the ID of its own, and is told. */
	copy = qts_start("-machine pc -device vmgenid,guid=00112233-4455-6677-8899-aabbccddeeff");
	qts_state_load(copy, state);
	qts_memread(copy, 0x8028, got, 16);
	g_assert_cmpmem(got, 16, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
			16);
	g_assert_cmphex(qts_inb(copy, GPE_STATUS) & GPE_BIT, ==, GPE_BIT);
	qts_reset(copy);
	qts_memset(copy, 0x8000, 0, 4096);
	qts_roundtrip(copy); /* no address: nothing is written */
	g_assert_cmphex(qts_readl(copy, 0x8028), ==, 0);
	qts_quit(copy);
	s = qts_start("-machine pc");
	error = qts_qmp_error(s, "{'execute':'query-vm-generation-id'}");
	g_assert_cmpstr(error, ==, "VM Generation ID device not found");
	qts_quit(s);
}

/* ---- vmcoreinfo ---- */

static void test_core_info(void)
{
	static const uint8_t notes[16] = {1, 0, 1, 0, 0x24, 0x10, 0, 0, 0, 0, 0x34, 0x12};
	static const uint8_t nothing[16] = {1};
	struct qts *s = qts_start("-machine pc -device vmcoreinfo");
	g_autofree char *state = NULL;
	uint8_t got[16];

	read_file(s, "etc/vmcoreinfo", got, 16);
	g_assert_cmpmem(got, 16, nothing, 16);
	write_file(s, "etc/vmcoreinfo", notes, 16);
	state = qts_state_save(s);
	qts_reset(s);
	read_file(s, "etc/vmcoreinfo", got, 16);
	g_assert_cmpmem(got, 16, nothing, 16);
	qts_state_load(s, state);
	read_file(s, "etc/vmcoreinfo", got, 16);
	g_assert_cmpmem(got, 16, notes, 16);
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-info/panic", test_panic);
	g_test_add_func("/guest-info/panic-ends", test_panic_ends);
	g_test_add_func("/guest-info/panic-pci", test_panic_pci);
	g_test_add_func("/guest-info/generation", test_generation);
	g_test_add_func("/guest-info/core-info", test_core_info);
	return g_test_run();
}
