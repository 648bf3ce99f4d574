/*
 * What the command line (and -readconfig files) asked for: parsed, validated as far as that is
 * possible without knowing devices, and free of history.
 *
 * Older spellings leave no trace here: `-M`, `-enable-kvm`, `-serial`, `-monitor`, `-qmp`,
 * `-nographic`, `-debugcon`, `-no-reboot` and their like were rewritten into the modern ones. Whoever applies the
 * configuration (main, src/machine) goes through it in this order:
 *
 *	log, name, daemonize, chardevs, objects, machine + accels + cpu + smp + mem, globals, boot,
 *	devices, serials, monitors, qtest, run state
 *
 * All memory is owned by the configuration and lives until config_free().
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "api/json.h"
#include "cpu/cpuid.h"
#include "machine/machine.h"
#include "machine/runstate.h"

/*
 * One option with properties that somebody else's rows describe: -device, -object, -chardev, -accel.
 * An error about it is prefixed with @where and ": ", so that it names the option as it was typed:
 * "-device foo: 'foo' is not a valid device model name".
 */
struct config_item {
	json_object *props; /* values are text (then parsed leniently) unless strict */
	bool strict;        /* was given as JSON: types must be exact */
	char *where;        /* "-device foo,id=x"; empty if nobody typed it */
};

struct config_global {
	char *driver, *property, *value;
	char *where;
};

struct config_monitor {
	char *id;      /* NULL: none given */
	char *chardev; /* id */
	bool qmp;      /* else human */
	bool pretty;
	char *where;
};

struct config_fd {
	int fd;
	int64_t set;
	char *opaque; /* NULL */
};

enum rtc_base { RTC_UTC, RTC_LOCALTIME, RTC_DATE };

/* -help and its relatives ask for something to be printed instead of a start. */
enum config_action { CONFIG_RUN, CONFIG_DONE };

struct config {
	/* -machine: properties as nested JSON, values are text. Taken out of it: "type" (NULL: the
	 * default machine), "accel" (in accels), "smp", "boot", "kernel", "initrd", "append". */
	json_object *machine;
	char *machine_type;
	char *machine_where;
	GArray *accels; /* struct config_item, {"accel":"kvm",...}: in the order to try; empty: default */
	char *cpu;               /* -cpu as typed; NULL */
	struct cpu_topology smp; /* zero where not given; cpu_topology_complete() is yet to run */

	uint64_t ram_size; /* bytes; 0: the machine's default */
	uint64_t ram_slots, ram_max;
	char *mem_path;
	bool mem_prealloc;
	bool mem_lock, cpu_pm; /* -overcommit */

	GArray *objects;  /* struct config_item, each has "qom-type" and "id" */
	GArray *chardevs; /* struct config_item, each has "backend" and "id" */
	GArray *devices;  /* struct config_item, each has "driver" */
	GArray *globals;  /* struct config_global */
	GArray *monitors; /* struct config_monitor */
	GArray *smbios;   /* struct config_item: -smbios type=N,... or file= */
	GArray *numa;     /* struct config_item: -numa, "type" is node, dist, cpu, ... */
	GArray *fds;      /* struct config_fd: -add-fd */

	/* Ports by number: the id of a chardev, or NULL for no port. x_is_default: nobody asked for
	 * x[0], so a machine without such ports leaves it alone. */
	char *serial[MACHINE_SERIALS], *parallel[MACHINE_PARALLELS];
	bool serial_is_default, parallel_is_default;
	uint8_t escape_key; /* -echr; 0: not given */

	struct boot_config boot;
	struct machine_flash flash[MACHINE_FLASHES]; /* -drive if=pflash */
	GArray *nodes;                               /* struct machine_flash: -blockdev */

	char *name, *process_name;
	bool debug_threads;
	bool has_uuid;
	uint8_t uuid[16];

	enum rtc_base rtc_base;
	int64_t rtc_date; /* RTC_DATE: seconds since 1970 UTC at start */
	int rtc_clock;    /* enum clock_id */
	bool rtc_slew;    /* driftfix=slew */

	bool no_defaults, no_user_config;
	bool no_hpet, no_acpi;
	bool autostart; /* no -S */
	struct run_actions actions;

	bool daemonize;
	char *pidfile;

	char *qtest;     /* chardev id; NULL: no qtest server */
	char *qtest_log; /* file name; NULL: standard error; "none": no log */

	bool msg_timestamp, msg_guest_name;
	char *log_file, *log_items; /* -D, -d */
	GPtrArray *traces;          /* char *: patterns of -trace, those of events= files too */
	GPtrArray *data_dirs;       /* char *: -L, first found wins */
};

/*
 * Lists that only the rest of the program can make; -machine help and its like print what these
 * append to @out. @topic of device_help: NULL for all, else the driver of `-device X,help`.
 */
struct cli_help {
	void (*machines)(GString *out);
	/* -machine pc,help */
	bool (*machine_props)(const char *type, GString *out, GError **errp);
	void (*accels)(GString *out);
	void (*cpus)(GString *out);
	bool (*devices)(const char *topic, GString *out, GError **errp);
	bool (*objects)(const char *topic, GString *out, GError **errp);
	void (*chardevs)(GString *out);
};

/*
 * Parses argv. With CONFIG_DONE the answer has been printed to standard output and the program ends
 * with status 0. NULL with an error, which already names the option. Warnings are printed.
 */
struct config *config_parse(int argc, char **argv, const struct cli_help *help,
			    enum config_action *action, GError **errp);
struct config *config_new(void); /* everything at its default; for tests */
void config_free(struct config *cfg);
typedef struct config config; /* for g_autoptr(config) only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config, config_free)

/* The answer of query-command-line-options; @option NULL: all (caller owns). */
json_object *cli_describe_options(const char *option, GError **errp);

#endif
