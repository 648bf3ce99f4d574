/* Options of the PC, and those about displays and networks that ask for none. */
#include "options.h"

/* Types above belong to vendors. */
#define SMBIOS_TYPE_MAX 127

static bool handle_smbios(struct cli *cli, const struct option_use *use, GError **errp)
{
	const char *type = props_text(use->props, "type"), *file = props_text(use->props, "file");
	uint64_t number = 0;

	if (!type == !file) {
		error_set(errp, type ? "type= and file= exclude each other"
				     : "Must specify type= or file=");
		return false;
	}
	if (type && !g_ascii_string_to_unsigned(type, 10, 0, UINT64_MAX, &number, NULL)) {
		error_set(errp, "Parameter 'type' expects a number");
		return false;
	}
	if (number > SMBIOS_TYPE_MAX) {
		error_set(errp, "out of range!");
		return false;
	}
	config_add_item(cli->cfg->smbios, use->props, use->strict, use->where);
	return true;
}

static bool handle_nographic(struct cli *cli, const struct option_use *use, GError **errp)
{
	cli->nographic = true;
	json_add(cli->cfg->machine, "graphics", json_object_new_boolean(false));
	return true;
}

/* Options with values of later days: "none" is what there is. */
static bool handle_none(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (g_str_equal(use->text, "none"))
		return true;
	error_set(errp, "Parameter 'type' does not accept value '%s'", use->text);
	error_add_hint(errp, "Only '-%s none' is possible.", use->option->name);
	return false;
}

const struct option display_options[] = {
	{"display", "none", "no display; there is no other yet", OPTION_TEXT, handle_none},
	{"nographic", NULL, "disable graphical output and redirect serial I/Os to console",
	 OPTION_FLAG, handle_nographic},
	{"vga", "none", "no graphics card; there is no other yet", OPTION_TEXT, handle_none},
	{"k", "language", "accepted, has no effect without a display", OPTION_TEXT, store_nothing,
	 .flags = OPTION_HIDDEN},
	{"net", "none", "no network card; there is no other yet", OPTION_TEXT, handle_none,
	 .flags = OPTION_HIDDEN},
	{"nic", "none", "no network card; there is no other yet", OPTION_TEXT, handle_none},
	{NULL},
};

static const char *const smbios_lists[] = {"value", "path", NULL};

const struct option pc_options[] = {
	{"no-acpi", NULL, "disable ACPI", OPTION_FLAG, store_flag,
	 .offset = offsetof(struct config, no_acpi)},
	{"no-hpet", NULL, "disable HPET", OPTION_FLAG, store_flag,
	 .offset = offsetof(struct config, no_hpet)},
	{"smbios", "file=binary|type=N[,field=value[,...]]",
	 "load SMBIOS entry from binary file, or specify fields of type N", OPTION_OPTS,
	 handle_smbios, .group = "smbios", .lists = smbios_lists},
	{NULL},
};
