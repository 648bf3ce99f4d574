/*
 * smbios-dump MACHINE DIRECTORY [FIELDS...]: writes the SMBIOS table and anchor of an example machine
 * as firmware would be given them. FIELDS are arguments of -smbios.
 */
#include <stdio.h>

#include "api/codec.h"
#include "hw/smbios.h"

static const uint8_t uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
				 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

#define QEMU                                                                                       \
	.manufacturer = "QEMU", .product = "Standard PC (i440FX + PIIX, 1996)",                    \
	.version = "pc-i440fx-7.2", .cpuid_signature = 0x60fb1, .cpuid_features = 0x78bfbfd

static const struct {
	const char *name;
	struct smbios_machine machine;
} examples[] = {
	{"small",
	 {QEMU, .sockets = 1, .cores = 1, .threads = 1, .ram_size = 40 * MIB, .below_4g = 40 * MIB,
	  .entry64 = true}},
	{"large",
	 {QEMU, .uuid = uuid, .sockets = 2, .cores = 3, .threads = 6, .ram_size = 33 * GIB,
	  .below_4g = 3 * GIB, .above_4g = 30 * GIB}},
};

static bool write_file(const char *directory, const char *name, const GByteArray *bytes,
		       GError **errp)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return g_file_set_contents(path, (const char *)bytes->data, bytes->len, errp);
}

static bool dump(const struct smbios_machine *m, const char *directory, char **fields,
		 GError **errp)
{
	static const char *const lists[] = {"value", "path", NULL};
	g_autoptr(smbios_settings) settings = smbios_settings_new();
	g_autoptr(smbios_tables) t = NULL;

	for (; *fields; fields++) {
		g_autoptr(json_object) props = opts_parse(*fields, NULL, lists, NULL, errp);

		if (!props || !smbios_settings_add(settings, props, false, errp))
			return false;
	}
	t = smbios_tables_new(m, settings, errp);
	return t && write_file(directory, "table.bin", t->table, errp) &&
	       write_file(directory, "anchor.bin", t->anchor, errp);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) err = NULL;

	for (unsigned i = 0; argc >= 3 && i < G_N_ELEMENTS(examples); i++) {
		if (strcmp(argv[1], examples[i].name) != 0)
			continue;
		if (dump(&examples[i].machine, argv[2], argv + 3, &err))
			return 0;
		fprintf(stderr, "%s\n", err->message);
		return 1;
	}
	fprintf(stderr, "usage: smbios-dump small|large DIRECTORY [FIELDS...]\n");
	return 1;
}
