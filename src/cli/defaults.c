/* What only the whole command line can tell: defaults, and options that need or exclude each other. */
#include "options.h"

/* A device that brings a serial port of its own takes the place of the default one. */
static bool has_own_serial(const struct config *cfg)
{
	for (unsigned i = 0; i < cfg->devices->len; i++) {
		json_object *props = g_array_index(cfg->devices, struct config_item, i).props;

		if (!g_strcmp0(props_text(props, "driver"), "isa-serial"))
			return true;
	}
	return false;
}

static bool add_default(struct cli *cli, const char *option, const char *text, GError **errp)
{
	g_autofree char *where = g_strdup_printf("-%s %s", option, text);
	struct option_use use = {.where = where};

	return option_rewrite(cli, option, text, &use, errp);
}

/*
 * With -nographic the terminal serves both the serial port and the monitor, or whichever of them
 * found no other place. Without it the serial port exists, but nobody listens.
 */
static bool add_defaults(struct cli *cli, GError **errp)
{
	bool serial = cli->default_serial && !cli->cfg->no_defaults && !has_own_serial(cli->cfg);
	bool monitor = cli->default_monitor && !cli->cfg->no_defaults;

	cli->cfg->serial_is_default = serial;
	if (!cli->nographic)
		return !serial || add_default(cli, "serial", "null", errp);
	if (serial && monitor)
		return add_default(cli, "serial", "mon:stdio", errp);
	return (!serial || add_default(cli, "serial", "stdio", errp)) &&
	       (!monitor || add_default(cli, "monitor", "stdio", errp));
}

bool cli_finish(struct cli *cli, GError **errp)
{
	const struct boot_config *boot = &cli->cfg->boot;

	/* Without defaults there is nothing on stdio to lose: libvirt probes like this. */
	if (cli->nographic && cli->cfg->daemonize && !cli->cfg->no_defaults)
		error_set(errp, "-nographic cannot be used with -daemonize");
	else if (boot->append && !boot->kernel)
		error_set(errp, "-append only allowed with -kernel option");
	else if (boot->initrd && !boot->kernel)
		error_set(errp, "-initrd only allowed with -kernel option");
	else
		return add_defaults(cli, errp);
	return false;
}
