/*
 * acpi-dump MACHINE DIRECTORY: writes the ACPI tables of an example machine as firmware would see
 * them (pieces, before placement: tables.bin, rsdp.bin) and as a kernel does (placed.bin).
 */
#include <stdio.h>

#include "hw/acpi.h"

#define TABLES_AT 0x1ff00000
#define RSDP_AT   0xf0000

static const struct acpi_window windows_512m[] = {
	{ACPI_WINDOW_PORTS, 0, 0xcf8, false},
	{ACPI_WINDOW_PORTS, 0xd00, 0xf300, false},
	{ACPI_WINDOW_MEMORY, 0xa0000, 0x20000, true},
	{ACPI_WINDOW_MEMORY, 0x20000000, 0xdec00000, false},
	{ACPI_WINDOW_MEMORY, 0x100000000, 0x80000000, true},
};

static const struct acpi_window windows_5g[] = {
	{ACPI_WINDOW_PORTS, 0, 0xcf8, false},
	{ACPI_WINDOW_PORTS, 0xd00, 0xf300, false},
	{ACPI_WINDOW_MEMORY, 0xa0000, 0x20000, true},
	{ACPI_WINDOW_MEMORY, 0xc0000000, 0x3ec00000, false},
	{ACPI_WINDOW_MEMORY, 0x180000000, 0x80000000, true},
};

static const struct acpi_isa_device isa_one_port[] = {
	{ACPI_ISA_KEYBOARD, 0, 0x60, 1},
	{ACPI_ISA_MOUSE, 0, 0, 12},
	{ACPI_ISA_SERIAL, 0, 0x3f8, 4},
	{ACPI_ISA_RTC, 0, 0x70, 8},
};

static const struct acpi_isa_device isa_four_ports[] = {
	{ACPI_ISA_KEYBOARD, 0, 0x60, 1}, {ACPI_ISA_MOUSE, 0, 0, 12},
	{ACPI_ISA_SERIAL, 0, 0x3f8, 4},  {ACPI_ISA_SERIAL, 1, 0x2f8, 3},
	{ACPI_ISA_SERIAL, 2, 0x3e8, 4},  {ACPI_ISA_SERIAL, 3, 0x2e8, 3},
	{ACPI_ISA_RTC, 0, 0x70, 8},
};

static const struct acpi_cpu cpus[12] = {
	{0, true}, {1, true}, {2, true}, {3, true}, {4, true},  {5, true},
	{6, true}, {7, true}, {8, true}, {9, true}, {10, true}, {11, true},
};
static const struct acpi_cpu cpus_possible[] = {{0, true}, {1, true}, {2, false}, {3, false}};
static const struct acpi_cpu cpus_wide[] = {{0, true}, {0x1fe, true}, {0x1ff, false}};

#define PIIX4                                                                                      \
	.ioapic = 0xfec00000, .pm_base = 0x600, .sci = 9, .gpe0 = 0xafe0, .gpe0_len = 4,           \
	.cpu_hotplug = 0xaf00, .smi_port = 0xb2, .acpi_enable = 0xf1, .acpi_disable = 0xf0,        \
	.s4_value = 2

static const struct {
	const char *name;
	struct acpi_machine machine;
} examples[] = {
	{"pc",
	 {PIIX4, .cpus = cpus, .cpu_count = 2, .s3 = true, .s4 = true, .windows = windows_512m,
	  .window_count = G_N_ELEMENTS(windows_512m), .isa = isa_one_port,
	  .isa_count = G_N_ELEMENTS(isa_one_port), .fw_cfg = 0x510, .hpet = 0xfed00000}},
	{"big",
	 {PIIX4, .cpus = cpus, .cpu_count = 12, .s3 = false, .s4 = true, .windows = windows_5g,
	  .window_count = G_N_ELEMENTS(windows_5g), .isa = isa_four_ports,
	  .isa_count = G_N_ELEMENTS(isa_four_ports), .fw_cfg = 0x510}},
	{"possible",
	 {PIIX4, .cpus = cpus_possible, .cpu_count = G_N_ELEMENTS(cpus_possible), .s3 = true,
	  .s4 = true, .windows = windows_512m, .window_count = G_N_ELEMENTS(windows_512m),
	  .isa = isa_one_port, .isa_count = G_N_ELEMENTS(isa_one_port), .fw_cfg = 0x510,
	  .hpet = 0xfed00000}},
	{"bare", {.cpus = cpus, .cpu_count = 1, .pm_base = 0x600, .sci = 9}},
	{"wide",
	 {PIIX4, .cpus = cpus_wide, .cpu_count = G_N_ELEMENTS(cpus_wide), .s3 = true,
	  .windows = windows_5g, .window_count = G_N_ELEMENTS(windows_5g), .isa = isa_one_port,
	  .isa_count = G_N_ELEMENTS(isa_one_port), .ecam = 0xb0000000, .ecam_buses = 256,
	  .oem_id = "QUAIL", .oem_table_id = "EXAMPLE"}},
};

static bool write_file(const char *directory, const char *name, const GByteArray *bytes)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autoptr(GError) err = NULL;

	if (g_file_set_contents(path, (const char *)bytes->data, bytes->len, &err))
		return true;
	fprintf(stderr, "%s\n", err->message);
	return false;
}

static bool dump(const struct acpi_machine *m, const char *directory)
{
	g_autoptr(acpi_tables) t = acpi_tables_new(m);
	g_autoptr(GError) err = NULL;

	if (!write_file(directory, "tables.bin", t->piece[ACPI_TABLES]) ||
	    !write_file(directory, "rsdp.bin", t->piece[ACPI_RSDP]))
		return false;
	if (!acpi_tables_place(t, TABLES_AT, RSDP_AT, &err)) {
		fprintf(stderr, "%s\n", err->message);
		return false;
	}
	return write_file(directory, "placed.bin", t->piece[ACPI_TABLES]);
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc == 3 && i < G_N_ELEMENTS(examples); i++)
		if (strcmp(argv[1], examples[i].name) == 0)
			return dump(&examples[i].machine, argv[2]) ? 0 : 1;
	fprintf(stderr, "usage: acpi-dump pc|big|possible|bare|wide DIRECTORY\n");
	return 1;
}
