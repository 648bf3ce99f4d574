/* Flash chips: the command set, what reaches the file, what a saved state holds, images refused. */
#include <glib/gstdio.h>
#include <unistd.h>
#include "base/checked.h"
#include "libqtest.h"

#define SIZE   65536
#define SECTOR 4096
#define BASE   (0x100000000ULL - SIZE)

static char *folder;

/* A file of @size bytes, each the low byte of its offset (caller frees the name). */
static char *make_image(const char *name, size_t size)
{
	g_autofree char *bytes = g_malloc(size + 1);
	char *path = g_build_filename(folder, name, NULL);

	for (size_t i = 0; i < size; i++)
		bytes[i] = i;
	g_assert_true(g_file_set_contents(path, bytes, size, NULL));
	return path;
}

static struct qts *start(const char *path, const char *more)
{
	g_autofree char *args =
		g_strdup_printf("-machine pc -drive if=pflash,format=raw,file=%s%s", path, more);

	return qts_start(args);
}

static uint8_t get(struct qts *s, uint64_t offset)
{
	return qts_readb(s, BASE + offset);
}

static void put(struct qts *s, uint64_t offset, uint8_t value)
{
	qts_writeb(s, BASE + offset, value);
}

static void assert_file(const char *path, uint64_t offset, uint8_t value)
{
	g_autofree char *bytes = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	g_assert_cmpuint(size, ==, SIZE);
	g_assert_cmphex((uint8_t)bytes[offset], ==, value);
}

static void test_identity(void)
{
	g_autofree char *path = make_image("identity", SIZE);
	struct qts *s = start(path, "");

	g_assert_cmphex(qts_readl(s, BASE + 0x10), ==, 0x13121110);
	/* The end of the image is below 1 MiB too. */
	g_assert_cmphex(qts_readl(s, 0xffff0), ==, 0xf3f2f1f0);
	put(s, 0, 0x98);
	g_assert_cmphex(get(s, 0x10), ==, 'Q');
	g_assert_cmphex(get(s, 0x11), ==, 'R');
	g_assert_cmphex(get(s, 0x12), ==, 'Y');
	g_assert_cmphex(get(s, 0x13), ==, 1);
	g_assert_cmphex(get(s, 0x27), ==, 16); /* 2^16 bytes */
	g_assert_cmphex(get(s, 0x2d), ==, SIZE / SECTOR - 1);
	g_assert_cmphex(get(s, 0x2f) | get(s, 0x30) << 8, ==, SECTOR / 256);
	g_assert_cmphex(get(s, 0xff), ==, 0);
	put(s, 0, 0xff);
	g_assert_cmphex(get(s, 0x10), ==, 0x10);
	put(s, 0, 0x70);
	g_assert_cmphex(get(s, 0x10), ==, 0x80);
	put(s, 0, 0x50);
	g_assert_cmphex(get(s, 0x10), ==, 0x10);
	qts_quit(s);
}

static void test_program(void)
{
	g_autofree char *path = make_image("program", SIZE);
	struct qts *s = start(path, "");

	put(s, 0x123, 0x40);
	g_assert_cmphex(get(s, 0), ==, 0x80);
	put(s, 0x123, 0x5a);
	g_assert_cmphex(get(s, 0x123), ==, 0x80);
	put(s, 0, 0xff);
	g_assert_cmphex(get(s, 0x123), ==, 0x5a);

	put(s, 2 * SECTOR + 5, 0x20);
	put(s, 2 * SECTOR + 5, 0xd0);
	put(s, 0, 0xff);
	g_assert_cmphex(get(s, 2 * SECTOR - 1), ==, 0xff); /* as it was */
	g_assert_cmphex(get(s, 2 * SECTOR), ==, 0xff);
	g_assert_cmphex(get(s, 3 * SECTOR - 2), ==, 0xff);
	g_assert_cmphex(get(s, 3 * SECTOR), ==, 0x00);
	/* A reset ends what was begun, and changes no contents. */
	put(s, 0, 0x40);
	qts_reset(s);
	g_assert_cmphex(get(s, 0x123), ==, 0x5a);
	g_assert_cmphex(get(s, 0), ==, 0x00);
	qts_quit(s);
	assert_file(path, 0x122, 0x22);
	assert_file(path, 0x123, 0x5a);
	assert_file(path, 2 * SECTOR, 0xff);
	assert_file(path, 3 * SECTOR - 2, 0xff);
	assert_file(path, 3 * SECTOR, 0);
}

/* Through the buffer: count but one, bytes, confirmation. */
static void test_buffer(void)
{
	g_autofree char *path = make_image("buffer", SIZE);
	struct qts *s = start(path, "");

	put(s, 0x200, 0xe8);
	g_assert_cmphex(get(s, 0x200), ==, 0x80);
	put(s, 0x200, 3);
	for (unsigned i = 0; i < 4; i++)
		put(s, 0x210 + i, 0xa0 + i);
	qts_roundtrip(s);
	put(s, 0x200, 0xd0);
	g_assert_cmphex(get(s, 0x200), ==, 0x80);
	put(s, 0, 0xff);
	g_assert_cmphex(qts_readl(s, BASE + 0x210), ==, 0xa3a2a1a0);

	/* Not confirmed: nothing happened. */
	put(s, 0x200, 0xe8);
	put(s, 0x200, 0);
	put(s, 0x220, 0x55);
	put(s, 0x200, 0xff);
	g_assert_cmphex(get(s, 0x220), ==, 0x20);
	/* Out of the block: an error, until it is cleared. */
	put(s, 0x200, 0xe8);
	put(s, 0x200, 0);
	put(s, 0x300, 0x55);
	put(s, 0x200, 0xd0);
	g_assert_cmphex(get(s, 0x300), ==, 0x00);
	put(s, 0, 0x70);
	g_assert_cmphex(get(s, 0), ==, 0x90);
	put(s, 0, 0x50);
	put(s, 0, 0x70);
	g_assert_cmphex(get(s, 0), ==, 0x00);
	qts_quit(s);
	assert_file(path, 0x213, 0xa3);
	assert_file(path, 0x220, 0x20);
}

static void test_readonly(void)
{
	g_autofree char *path = make_image("readonly", SIZE);
	struct qts *s;

	g_assert_cmpint(g_chmod(path, 0400), ==, 0);
	s = start(path, ",readonly=on");
	put(s, 0x123, 0x40);
	put(s, 0x123, 0x5a);
	g_assert_cmphex(get(s, 0), ==, 0x90);
	put(s, 0, 0x20);
	put(s, 0, 0xd0);
	g_assert_cmphex(get(s, 0), ==, 0xb0);
	put(s, 0, 0xff);
	g_assert_cmphex(get(s, 0x123), ==, 0x23);
	qts_quit(s);
	assert_file(path, 0x123, 0x23);
}

/* Code and variables: the second lies below the first. */
static void test_two(void)
{
	g_autofree char *code = make_image("code", SIZE), *vars = make_image("vars", 2 * SECTOR);
	g_autofree char *second =
		g_strdup_printf(",readonly=on -drive if=pflash,format=raw,unit=1,file=%s", vars);
	struct qts *s = start(code, second);
	uint64_t base = BASE - 2 * SECTOR;

	g_assert_cmphex(qts_readw(s, base + 0x456), ==, 0x5756);
	qts_writeb(s, base + 0x456, 0x40);
	qts_writeb(s, base + 0x456, 0);
	qts_writeb(s, base, 0xff);
	g_assert_cmphex(qts_readw(s, base + 0x456), ==, 0x5700);
	g_assert_cmphex(qts_readb(s, BASE), ==, 0x00);
	qts_roundtrip(s);
	qts_quit(s);
}

/* Images by name, as libvirt gives them: what is read-only at any level is so for the chip. */
static void test_nodes(void)
{
	g_autofree char *code = make_image("ncode", SIZE), *vars = make_image("nvars", SIZE);
	g_autofree char *args = g_strdup_printf(
		"-blockdev '{\"driver\":\"file\",\"filename\":\"%s\",\"node-name\":\"code-storage\","
		"\"auto-read-only\":true,\"discard\":\"unmap\"}' "
		"-blockdev '{\"node-name\":\"code-format\",\"read-only\":true,\"driver\":\"raw\","
		"\"file\":\"code-storage\"}' "
		"-blockdev driver=raw,node-name=vars,file.driver=file,file.filename=%s "
		"-machine pc,pflash0=code-format,pflash1=vars",
		code, vars);
	struct qts *s = qts_start(args);

	g_assert_cmphex(get(s, 0x456), ==, 0x56);
	put(s, 0x456, 0x40);
	put(s, 0x456, 0);
	g_assert_cmphex(get(s, 0) & 0x10, ==, 0x10);
	put(s, 0, 0x50);
	qts_writeb(s, BASE - SIZE + 0x456, 0x40);
	qts_writeb(s, BASE - SIZE + 0x456, 0xa7);
	qts_writeb(s, BASE - SIZE, 0xff);
	g_assert_cmphex(get(s, 0x456), ==, 0x56);
	qts_quit(s);
	assert_file(code, 0x456, 0x56);
	assert_file(vars, 0x456, 0xa7);
}

/* More than a disk may be able to take in: the file has it all in the end. */
static void test_flood(void)
{
	g_autofree char *path = make_image("flood", SIZE);
	struct qts *s = start(path, "");

	for (unsigned round = 0; round < 8; round++) {
		for (unsigned offset = 0; offset < SIZE; offset += SECTOR) {
			put(s, offset, 0x20);
			put(s, offset, 0xd0);
			put(s, offset + round, 0x40);
			put(s, offset + round, round);
		}
	}
	qts_quit(s);
	for (unsigned offset = 0; offset < SIZE; offset += SECTOR) {
		assert_file(path, offset + 6, 0xff);
		assert_file(path, offset + 7, 7);
	}
}

/* One line and status 1. */
static void refused(const char *drive, const char *text)
{
	g_autofree char *line = g_strdup_printf("%s -accel qtest -display none -nodefaults %s",
						g_getenv("QTEST_QUAIL_BINARY"), drive);
	g_autofree char *said = NULL;
	int status;

	g_assert_true(g_spawn_command_line_sync(line, NULL, &said, &status, NULL));
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 1);
	if (!strstr(said, text))
		g_test_message("'%s' does not say '%s'", said, text);
	g_assert_nonnull(strstr(said, text));
}

static void test_refused(void)
{
	g_autofree char *odd = make_image("odd", 3000), *none = make_image("none", 0);
	g_autofree char *large = make_image("large", 9 << 20), *good = make_image("good", SIZE);
	const struct {
		const char *format, *path, *text;
	} cases[] = {
		{"-drive if=pflash,file=%s", odd, "has invalid size 3000"},
		{"-drive if=pflash,file=%s", none, "has invalid size 0"},
		{"-pflash %s", large, "combined size of system firmware exceeds 8388608 bytes"},
		{"-pflash %s.not", good, "No such file or directory"},
		{"-drive if=pflash,unit=1,file=%s", good, "pflash1 requires pflash0"},
		{"-drive if=pflash,unit=2,file=%s", good,
		 "does not support if=pflash,bus=0,unit=2"},
		{"-drive if=pflash,format=qcow2,file=%s", good, "'raw'"},
		{"-pflash %s -drive if=pflash,unit=0,file=x", good, "unit=0 (index=-1) exists"},
		{"-drive if=floppy,file=%s", good, "unsupported bus type 'floppy'"},
		{"-drive if=pflash,readonly=on,id=%s", "d", "must be specified for \"file\""},
		{"-machine pc,pflash0=%s", "a", "'cfi.pflash01.drive' can't find value 'a'"},
		{"-blockdev file,node-name=a,filename=%s -machine pc,pflash1=a", good,
		 "pflash1 requires pflash0"},
		{"-blockdev file,node-name=a,filename=%s -machine pc,pflash0=a -pflash x", good,
		 "clashes with -machine"},
		{"-blockdev file,node-name=a,filename=%s.not -machine pc,pflash0=a", good,
		 "No such file or directory"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) parts = g_strsplit(cases[i].format, "%s", 2);
		g_autofree char *drive = g_strjoinv(cases[i].path, parts);

		refused(drive, cases[i].text);
	}
}

int main(int argc, char **argv)
{
	g_autofree char *clean = NULL;
	int status;

	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("test-pflash.XXXXXX", NULL);
	g_test_add_func("/pflash/identity", test_identity);
	g_test_add_func("/pflash/program", test_program);
	g_test_add_func("/pflash/buffer", test_buffer);
	g_test_add_func("/pflash/readonly", test_readonly);
	g_test_add_func("/pflash/two", test_two);
	g_test_add_func("/pflash/nodes", test_nodes);
	g_test_add_func("/pflash/flood", test_flood);
	g_test_add_func("/pflash/refused", test_refused);
	status = g_test_run();
	clean = g_strdup_printf("rm -rf %s", folder);
	g_spawn_command_line_sync(clean, NULL, NULL, NULL, NULL);
	g_free(folder);
	return status;
}
