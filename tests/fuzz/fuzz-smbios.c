/*
 * -smbios as users type it, a line each, or as the JSON clients send; and the tables that come of it, whose
 * structures must follow one another to the last byte.
 */
#include "api/codec.h"
#include "hw/smbios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define END_OF_TABLE 127

static int no_pci(void *opaque, const char *id)
{
	return -1;
}

/* A structure is as long as it says, and then come texts up to two zeros. */
static void walk(const GByteArray *table)
{
	guint at = 0;
	uint8_t type;

	do {
		g_assert_cmpuint(at + 4, <=, table->len);
		type = table->data[at];
		at += table->data[at + 1];
		g_assert_cmpuint(at + 2, <=, table->len);
		while (table->data[at] || table->data[at + 1]) {
			at++;
			g_assert_cmpuint(at + 2, <=, table->len);
		}
		at += 2;
	} while (type != END_OF_TABLE);
	g_assert_cmpuint(at, ==, table->len);
}

static void add_line(struct smbios_settings *settings, const char *line)
{
	static const char *const lists[] = {"value", "path", NULL};
	bool strict = line[0] == '{';
	g_autoptr(json_object) props =
		strict ? json_parse(line, NULL) : opts_parse(line, NULL, lists, NULL, NULL);
	json_object *file;

	/* Files of the host are not for a fuzzer to choose. */
	if (!props || !json_object_is_type(props, json_type_object) ||
	    json_object_object_get_ex(props, "file", &file) ||
	    json_object_object_get_ex(props, "path", &file))
		return;
	smbios_settings_add(settings, props, strict, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct smbios_machine machine = {
		.manufacturer = "QEMU",
		.product = "fuzz",
		.version = "1",
		.sockets = 2,
		.cores = 2,
		.threads = 2,
		.ram_size = 5 * GIB,
		.below_4g = 3 * GIB,
		.above_4g = 2 * GIB,
		.entry64 = size & 1,
		.find_pci = no_pci,
	};
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 16);
	struct smbios_settings *settings = smbios_settings_new();
	g_autoptr(smbios_tables) tables = NULL;

	for (char **line = lines; *line; line++)
		add_line(settings, *line);
	tables = smbios_tables_new(&machine, settings, NULL);
	if (tables)
		walk(tables->table);
	smbios_settings_free(settings);
	return 0;
}
