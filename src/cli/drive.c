/* -drive and its relatives: images for the board's flash chips. */
#include "options.h"

struct drive_values {
	char *interface, *file, *format, *id;
	bool readonly;
	uint32_t unit, index;
	bool has_unit, has_index;
};
static const struct field drive_rows[] = {
	PROP_STRING(struct drive_values, interface, "if", "ide", "What it is plugged into: pflash"),
	OPT_STRING(struct drive_values, file, "file", "Image file"),
	OPT_STRING(struct drive_values, format, "format", "Format of the image: raw"),
	OPT_STRING(struct drive_values, id, "id", "Name of the drive"),
	PROP_BOOL(struct drive_values, readonly, "readonly", false, "Do not write to the image"),
	OPT_UINT(struct drive_values, unit, "unit", "Number of the flash chip"),
	OPT_UINT(struct drive_values, index, "index", "Another word for unit"),
	{.kind = FIELD_END},
};
static const struct field_set drive_set = {"DriveOptions", sizeof(struct drive_values), drive_rows};

/* The number given, or the first that is free. */
static unsigned choose_unit(const struct config *cfg, const struct drive_values *v)
{
	unsigned n = 0;

	if (v->has_unit || v->has_index)
		return v->has_unit ? v->unit : v->index;
	while (n < MACHINE_FLASHES && cfg->flash[n].file)
		n++;
	return n;
}

static bool check_values(const struct drive_values *v, GError **errp)
{
	if (!g_str_equal(v->interface, "pflash")) {
		error_set(errp, "unsupported bus type '%s'", v->interface);
		error_add_hint(errp, "Only if=pflash is possible.");
	} else if (v->has_unit && v->has_index) {
		error_set(errp, "index cannot be used with bus and unit");
	} else if (v->format && !g_str_equal(v->format, "raw")) {
		error_set(errp, "Flash images have the format 'raw', not '%s'", v->format);
	} else if (!v->file || !*v->file) {
		error_set(errp, "A block device must be specified for \"file\"");
	} else {
		return true;
	}
	return false;
}

static bool handle_drive(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct drive_values *v = use->values;
	unsigned unit = choose_unit(cli->cfg, v);

	if (!check_values(v, errp))
		return false;
	if (unit >= MACHINE_FLASHES) {
		error_set(errp, "machine type does not support if=pflash,bus=0,unit=%u", unit);
		return false;
	}
	if (cli->cfg->flash[unit].file) {
		error_set(errp, "drive with bus=0, unit=%u (index=%d) exists", unit,
			  v->has_index ? (int)v->index : -1);
		return false;
	}
	cli->cfg->flash[unit] = (struct machine_flash){NULL, g_strdup(v->file), v->readonly};
	return true;
}

/* A file name may have commas in it. */
static bool handle_pflash(struct cli *cli, const struct option_use *use, GError **errp)
{
	g_auto(GStrv) parts = g_strsplit(use->text, ",", -1);
	g_autofree char *file = g_strjoinv(",,", parts);
	g_autofree char *drive = g_strdup_printf("if=pflash,format=raw,file=%s", file);

	return option_rewrite(cli, "drive", drive, use, errp);
}

const struct option drive_options[] = {
	{"drive", "if=pflash,file=file[,format=raw][,unit=n][,readonly=on|off]",
	 "use 'file' as contents of flash chip 'n', whose writes it keeps", OPTION_OPTS,
	 handle_drive, .group = "drive", .set = &drive_set},
	{"pflash", "file", "use 'file' as a parallel flash image", OPTION_TEXT, handle_pflash},
	{NULL},
};
