/* What is booted, and how firmware and guest are told about it. */
#include "base/datafile.h"
#include "options.h"

/* ---- -boot ---- */

#define WAIT_MAX 0xffff /* ms */

struct boot_values {
	char *order, *once, *splash;
	bool menu, strict;
	int64_t splash_time, reboot_timeout;
	bool has_splash_time, has_reboot_timeout;
};
static const struct field boot_rows[] = {
	OPT_STRING(struct boot_values, order, "order", "Drives to boot from, by letter"),
	OPT_STRING(struct boot_values, once, "once", "The same, for the first boot only"),
	PROP_BOOL(struct boot_values, menu, "menu", false, "Offer a boot menu"),
	OPT_STRING(struct boot_values, splash, "splash", "Picture to show with the menu"),
	OPT_INT(struct boot_values, splash_time, "splash-time", "Milliseconds the menu waits"),
	OPT_INT(struct boot_values, reboot_timeout, "reboot-timeout",
		"Milliseconds before a reboot when booting failed; -1: never"),
	PROP_BOOL(struct boot_values, strict, "strict", false,
		  "Boot only from devices with a bootindex"),
	{.kind = FIELD_END},
};
static const struct field_set boot_set = {"BootConfiguration", sizeof(struct boot_values),
					  boot_rows};

/* Drives have the letters a (floppy) to p. */
static bool check_order(const char *order, GError **errp)
{
	for (const char *p = order; p && *p; p++) {
		if (*p < 'a' || *p > 'p')
			error_set(errp, "Invalid boot device '%c'", *p);
		else if (strchr(p + 1, *p))
			error_set(errp, "Boot device '%c' was given twice", *p);
		else
			continue;
		return false;
	}
	return true;
}

static bool check_times(const struct boot_values *v, GError **errp)
{
	if (v->has_splash_time && (v->splash_time < 0 || v->splash_time > WAIT_MAX)) {
		error_set(errp, "splash-time is invalid,it should be a value between 0 and %d",
			  WAIT_MAX);
		return false;
	}
	if (v->has_reboot_timeout && (v->reboot_timeout < -1 || v->reboot_timeout > WAIT_MAX)) {
		error_set(errp, "reboot timeout is invalid,it should be a value between -1 and %d",
			  WAIT_MAX);
		return false;
	}
	return true;
}

static void replace_text(const char **member, const char *text)
{
	g_free((char *)*member);
	*member = g_strdup(text);
}

static bool handle_boot(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct boot_values *v = use->values;
	struct boot_config *boot = &cli->cfg->boot;

	if (!check_order(v->order, errp) || !check_order(v->once, errp) || !check_times(v, errp))
		return false;
	replace_text(&boot->order, v->order);
	replace_text(&boot->once, v->once);
	replace_text(&boot->splash, v->splash);
	boot->menu = v->menu;
	boot->strict = v->strict;
	boot->splash_time = v->has_splash_time ? v->splash_time : -1;
	boot->reboot_timeout = v->has_reboot_timeout ? v->reboot_timeout : -1;
	return true;
}

/* ---- -fw_cfg ---- */

#define FW_CFG_NAME_MAX 55

struct fw_cfg_values {
	char *name, *file, *string, *gen_id;
};
static const struct field fw_cfg_rows[] = {
	OPT_STRING(struct fw_cfg_values, name, "name", "Name of the file as the guest sees it"),
	OPT_STRING(struct fw_cfg_values, file, "file", "Host file with its contents"),
	OPT_STRING(struct fw_cfg_values, string, "string", "The contents"),
	OPT_STRING(struct fw_cfg_values, gen_id, "gen_id", "Object that makes the contents"),
	{.kind = FIELD_END},
};
static const struct field_set fw_cfg_set = {"FwCfgFile", sizeof(struct fw_cfg_values), fw_cfg_rows};

static bool has_text(const char *text)
{
	return text && *text;
}

/* There is no type of object yet that makes contents. */
static void no_generator(struct cli *cli, const char *id, GError **errp)
{
	const GArray *objects = cli->cfg->objects;

	for (unsigned i = 0; i < objects->len; i++) {
		json_object *props = g_array_index(objects, struct config_item, i).props;

		if (g_strcmp0(props_text(props, "id"), id))
			continue;
		error_set(errp, "Object ID '%s' is not a 'fw_cfg-data-generator' subclass", id);
		return;
	}
	error_set(errp, "Cannot find object ID '%s'", id);
}

static GBytes *fw_cfg_content(struct cli *cli, const struct fw_cfg_values *v, GError **errp)
{
	g_autoptr(GError) err = NULL;
	char *data;
	size_t len;

	if (has_text(v->gen_id)) {
		no_generator(cli, v->gen_id, errp);
		return NULL;
	}
	if (has_text(v->string))
		return g_bytes_new(v->string, strlen(v->string));
	if (g_file_get_contents(v->file, &data, &len, &err))
		return g_bytes_new_take(data, len);
	error_set(errp, "can't load %s: %s", v->file, err->message);
	return NULL;
}

static bool fw_cfg_check(struct cli *cli, const struct fw_cfg_values *v, GError **errp)
{
	GArray *files = cli->cfg->boot.fw_cfg;

	unsigned given = has_text(v->file) + has_text(v->string) + has_text(v->gen_id);

	if (!has_text(v->name) || given != 1) {
		error_set(errp, "name, plus exactly one of file, string and gen_id, are needed");
		return false;
	}
	if (strlen(v->name) > FW_CFG_NAME_MAX) {
		error_set(errp, "name too long (max. %d char)", FW_CFG_NAME_MAX);
		return false;
	}
	for (unsigned i = 0; i < files->len; i++) {
		if (!g_str_equal(g_array_index(files, struct boot_fw_cfg, i).name, v->name))
			continue;
		error_set(errp, "duplicate fw_cfg file name: %s", v->name);
		return false;
	}
	return true;
}

static bool handle_fw_cfg(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct fw_cfg_values *v = use->values;
	struct boot_fw_cfg file = {0};

	if (!fw_cfg_check(cli, v, errp))
		return false;
	if (!g_str_has_prefix(v->name, "opt/"))
		warn_report(
			"%s: externally provided fw_cfg item names should be prefixed with \"opt/\"",
			use->where);
	file.content = fw_cfg_content(cli, v, errp);
	if (!file.content)
		return false;
	file.name = g_strdup(v->name);
	g_array_append_val(cli->cfg->boot.fw_cfg, file);
	return true;
}

/* ---- -option-rom ---- */

struct rom_values {
	char *romfile;
	int64_t bootindex;
};
static const struct field rom_rows[] = {
	ARG_STRING(struct rom_values, romfile, "romfile", "File with the ROM"),
	PROP_INT(struct rom_values, bootindex, "bootindex", -1, -1, INT32_MAX,
		 "Its place in the boot order; -1: none"),
	{.kind = FIELD_END},
};
static const struct field_set rom_set = {"OptionRom", sizeof(struct rom_values), rom_rows};

static bool handle_option_rom(struct cli *cli, const struct option_use *use, GError **errp)
{
	const struct rom_values *v = use->values;
	struct boot_rom rom = {.index = v->bootindex};

	if (!*v->romfile) {
		error_set(errp, "Option ROM file is not specified");
		return false;
	}
	rom.file = g_strdup(v->romfile);
	g_array_append_val(cli->cfg->boot.roms, rom);
	return true;
}

static bool handle_L(struct cli *cli, const struct option_use *use, GError **errp)
{
	if (g_str_equal(use->text, "help") || g_str_equal(use->text, "?")) {
		GString *out = g_string_new(NULL);

		datafile_print_dirs(out);
		return cli_answer(cli, out);
	}
	g_ptr_array_add(cli->cfg->data_dirs, g_strdup(use->text));
	return true;
}

const struct option boot_options[] = {
	{"boot",
	 "[order=drives][,once=drives][,menu=on|off]\n"
	 "      [,splash=sp_name][,splash-time=sp_time][,reboot-timeout=rb_time][,strict=on|off]",
	 "'drives': floppy (a), hard disk (c), CD-ROM (d), network (n)\n"
	 "'sp_name': the picture that firmware shows with its menu\n"
	 "'sp_time': how long it shows it, in ms\n"
	 "'rb_time': the time before the guest reboots when booting failed, in ms",
	 OPTION_OPTS, handle_boot, .group = "boot-opts", .implied = "order", .set = &boot_set,
	 .flags = OPTION_MERGE | OPTION_NESTED},
	{"bios", "file", "set the filename for the BIOS", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, boot.bios)},
	{"kernel", "bzImage", "use 'bzImage' as kernel image", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, boot.kernel)},
	{"append", "cmdline", "use 'cmdline' as kernel command line", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, boot.append)},
	{"initrd", "file", "use 'file' as initial ram disk", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, boot.initrd)},
	{"dtb", "file", "use 'file' as device tree image", OPTION_TEXT, store_text,
	 .offset = offsetof(struct config, boot.dtb)},
	{"fw_cfg", "[name=]<name>,file=<file>|string=<str>",
	 "add named fw_cfg entry with contents from file or from string", OPTION_OPTS,
	 handle_fw_cfg, .group = "fw_cfg", .implied = "name", .set = &fw_cfg_set},
	{"option-rom", "rom[,bootindex=n]", "load a file, rom, into the option ROM space",
	 OPTION_OPTS, handle_option_rom, .group = "option-rom", .implied = "romfile",
	 .set = &rom_set},
	{"L", "path", "set the directory for the BIOS, VGA BIOS and keymaps", OPTION_TEXT,
	 handle_L},
	{NULL},
};
