/* What only the whole command line can tell: defaults, and options that need or exclude each other. */
#include "options.h"

/* A device that brings a port of its own takes the place of the default one. */
static bool has_own_device(const struct config *cfg, const char *driver)
{
	for (unsigned i = 0; i < cfg->devices->len; i++) {
		json_object *props = g_array_index(cfg->devices, struct config_item, i).props;

		if (!g_strcmp0(props_text(props, "driver"), driver))
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

/* The first character device on standard input and output; NULL: none. */
static const struct config_item *find_stdio(const struct config *cfg)
{
	for (unsigned i = 0; i < cfg->chardevs->len; i++) {
		const struct config_item *item =
			&g_array_index(cfg->chardevs, struct config_item, i);

		if (!g_strcmp0(props_text(item->props, "backend"), "stdio"))
			return item;
	}
	return NULL;
}

/* -nographic wants stdio for what is left to it; the user may not know that it does. */
static bool stdio_is_free(struct cli *cli, GError **errp)
{
	const struct config_item *taken = find_stdio(cli->cfg);

	if (!taken)
		return true;
	error_set(errp, "%s: cannot use stdio by multiple character devices", taken->where);
	error_add_hint(errp, "-nographic puts the %s on stdio; \"-serial mon:stdio\" shares it",
		       cli->default_monitor ? "monitor" : "serial port");
	return false;
}

/*
 * With -nographic the terminal serves both the serial port and the monitor, or whichever of them
 * found no other place. Without it the serial port exists, but nobody listens; nor to the parallel port.
 */
static bool add_defaults(struct cli *cli, GError **errp)
{
	bool defaults = !cli->cfg->no_defaults;
	bool serial = cli->default_serial && defaults && !has_own_device(cli->cfg, "isa-serial");
	bool monitor = cli->default_monitor && defaults;
	bool parallel =
		cli->default_parallel && defaults && !has_own_device(cli->cfg, "isa-parallel");

	cli->cfg->serial_is_default = serial;
	cli->cfg->parallel_is_default = parallel;
	if (parallel && !add_default(cli, "parallel", "null", errp))
		return false;
	if (!cli->nographic)
		return !serial || add_default(cli, "serial", "null", errp);
	if ((serial || monitor) && !stdio_is_free(cli, errp))
		return false;
	if (serial && monitor)
		return add_default(cli, "serial", "mon:stdio", errp);
	return (!serial || add_default(cli, "serial", "stdio", errp)) &&
	       (!monitor || add_default(cli, "monitor", "stdio", errp));
}

bool cli_finish(struct cli *cli, GError **errp)
{
	const struct boot_config *boot = &cli->cfg->boot;
	const struct config_item *terminal = cli->cfg->daemonize ? find_stdio(cli->cfg) : NULL;

	/* Without defaults there is nothing on stdio to lose: libvirt probes like this. */
	if (cli->nographic && cli->cfg->daemonize && !cli->cfg->no_defaults)
		error_set(errp, "-nographic cannot be used with -daemonize");
	else if (terminal)
		error_set(errp, "%s: cannot use stdio with -daemonize", terminal->where);
	else if (boot->append && !boot->kernel)
		error_set(errp, "-append only allowed with -kernel option");
	else if (boot->initrd && !boot->kernel)
		error_set(errp, "-initrd only allowed with -kernel option");
	else
		return add_defaults(cli, errp);
	return false;
}
