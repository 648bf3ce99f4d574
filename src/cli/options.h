/*
 * Options as rows.
 *
 * A row says how an option is spelt and what its argument looks like; parse.c cuts the argument into
 * a JSON object, decodes it by the row's fields and calls the handler, which stores it in the
 * configuration or rewrites it into a modern option. Help, `query-command-line-options`, -readconfig and
 * the nearest name of a misspelt option come from the same rows.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "api/codec.h"
#include "cli/config.h"
#include "device/plug.h"

struct cli;
struct option;

/* One use of an option, ready for its handler. */
struct option_use {
	const struct option *option;
	const char *text;   /* the argument; NULL: none, or from a file */
	json_object *props; /* OPTION_OPTS */
	void *values;       /* the option's `set`, decoded; NULL without set */
	bool strict;        /* the argument was JSON */
	bool help;          /* "help" stood in it */
	const char *where;  /* "-m 1G" or "file:7" */
};

enum option_kind {
	OPTION_FLAG, /* no argument */
	OPTION_TEXT, /* one piece of text */
	OPTION_OPTS, /* key=value,... */
};

enum option_flags {
	OPTION_MERGE = BIT(0),  /* further uses add to the first; the handler sees all together */
	OPTION_NESTED = BIT(1), /* dots in keys nest; errors say "Parameter 'GROUP.x'" */
	OPTION_HIDDEN = BIT(2), /* works, but is not shown in help or query-command-line-options */
	OPTION_HELP = BIT(3),   /* "help" as argument is a question */
};

struct option {
	const char *name;
	const char *syntax; /* of the argument, as help shows it; NULL: the option is a flag */
	const char *help;   /* lines */
	enum option_kind kind;
	bool (*handle)(struct cli *cli, const struct option_use *use, GError **errp);

	/* OPTION_OPTS */
	const char *group;           /* [group] in files, name in query-command-line-options */
	const char *implied;         /* key of a bare first value */
	const struct field_set *set; /* NULL: any key */
	const char *const *lists;    /* keys that may repeat */

	size_t offset; /* of the member that store_text() and store_flag() set */
	unsigned flags;
};

/* A titled part of the help text. */
struct option_table {
	const char *title;            /* NULL: more of the part above */
	const struct option *options; /* ends with a NULL name */
};
extern const struct option_table option_tables[]; /* ends with NULL options */

extern const struct option help_options[], machine_options[], device_options[], backend_options[],
	drive_options[], blockdev_options[], display_options[], pc_options[], boot_options[],
	debug_options[];

/* The state of a parse. */
struct cli {
	struct config *cfg;
	const struct cli_help *help;
	enum config_action action;
	GHashTable
		*merged; /* const struct option * -> json_object *: uses of OPTION_MERGE so far */

	bool default_serial, default_parallel, default_monitor; /* nobody spoke of them yet */
	bool nographic;
	bool machine_accel, enable_kvm; /* accelerators given by -machine accel=, -enable-kvm */
	unsigned serials, parallels, monitors; /* made by -serial; -parallel; -monitor and -qmp */
};

/* For the option loop and for handlers that rewrite. NULL if there is none. */
const struct option *option_find(const char *name);
const struct option *option_find_group(const char *group);
const char *option_nearest(const char *name);

/* Decodes @props by the option's rows and calls its handler. The error does not yet say where. */
bool option_apply(struct cli *cli, struct option_use *use, GError **errp);
/* As if `-NAME TEXT` had been given in the place of @use. */
bool option_rewrite(struct cli *cli, const char *name, const char *text,
		    const struct option_use *use, GError **errp);

/* Handlers of many rows: the argument, or true, goes to the member at `offset`. */
bool store_text(struct cli *cli, const struct option_use *use, GError **errp);
bool store_flag(struct cli *cli, const struct option_use *use, GError **errp);
/* Accepted because it asks for what is the case anyway. */
bool store_nothing(struct cli *cli, const struct option_use *use, GError **errp);

/* Appends to one of the lists of struct config_item; @props is borrowed. */
void config_add_item(GArray *items, json_object *props, bool strict, const char *where);
/* Makes a character device from its short form ("stdio"), called @id unless it is "chardev:ID".
 * @used: its id (caller frees), NULL for "none". @wants_monitor: "mon:" stood in front. */
bool config_add_chardev(struct cli *cli, const char *id, const char *text, const char *where,
			char **used, bool *wants_monitor, GError **errp);
void config_add_monitor(struct cli *cli, const char *chardev, bool qmp, bool pretty,
			const char *where);

/* Text member of an object, or NULL. Borrowed. */
const char *props_text(json_object *props, const char *name);
/* Takes a member out as text (caller frees), or NULL. */
char *props_take(json_object *props, const char *name);

/* What -nodefaults would have left out, and what only the whole line can tell. */
bool cli_finish(struct cli *cli, GError **errp);

bool readconfig(struct cli *cli, const char *path, GError **errp);
/* Prints @text (taken over) as the answer to a question; the program then ends. */
bool cli_answer(struct cli *cli, GString *text);

#endif
