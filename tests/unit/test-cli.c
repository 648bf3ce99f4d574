/* The command line: what becomes of options, and what a user reads after a mistake. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>
#include "cli/config.h"
#include "event/clock.h"
#include "src/cli/options.h"

/* Lists that the program would have made. */
static void help_machines(GString *out)
{
	g_string_append(out, "machines\n");
}
static bool help_machine_props(const char *type, GString *out, GError **errp)
{
	g_string_append_printf(out, "properties of %s\n", type);
	return true;
}
static bool help_topic(const char *topic, GString *out, GError **errp)
{
	if (g_strcmp0(topic, "foo")) {
		g_string_append_printf(out, "help on %s\n", topic ?: "all");
		return true;
	}
	error_set(errp, "'foo' is not a valid device model name");
	return false;
}
static const struct cli_help help = {help_machines, help_machine_props, help_machines,
				     help_machines, help_topic,         help_topic,
				     help_machines};

/* @line is split at blanks; "~" stands for a blank inside an argument. */
static struct config *parse(const char *line, GError **errp)
{
	g_autofree char *full = g_strconcat("quail ", line, NULL);
	g_auto(GStrv) argv = g_strsplit(full, " ", -1);
	enum config_action action;

	for (char **arg = argv; *arg; arg++)
		g_strdelimit(*arg, "~", ' ');
	return config_parse(g_strv_length(argv), argv, &help, &action, errp);
}

static struct config *parse_ok(const char *line)
{
	g_autoptr(GError) err = NULL;
	struct config *cfg = parse(line, &err);

	g_assert_no_error(err);
	g_assert_nonnull(cfg);
	return cfg;
}

static char *item_text(GArray *items, unsigned i)
{
	g_assert_cmpuint(i, <, items->len);
	return json_print(g_array_index(items, struct config_item, i).props, false);
}

static void check_item(GArray *items, unsigned i, const char *expected)
{
	g_autofree char *text = item_text(items, i);

	g_assert_cmpstr(text, ==, expected);
}

/* ---- The tables themselves ---- */

static void check_option(const struct option *opt, GHashTable *names)
{
	g_autofree char *faults = opt->set ? fields_check(opt->set) : NULL;

	g_test_message("-%s", opt->name);
	g_assert_null(faults);
	g_assert_true(g_hash_table_add(names, (void *)opt->name));
	g_assert_true(opt->help && *opt->help && opt->handle);
	g_assert_true(!opt->syntax == (opt->kind == OPTION_FLAG));
	g_assert_true(opt->kind == OPTION_OPTS ||
		      (!opt->set && !opt->group && !opt->implied && !opt->lists));
	g_assert_true(opt->set || !(opt->flags & OPTION_MERGE));
	if (opt->set && opt->implied)
		g_assert_nonnull(fields_find(opt->set->rows, opt->implied));
}

static void test_tables(void)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (const struct option_table *table = option_tables; table->options; table++) {
		for (const struct option *opt = table->options; opt->name; opt++)
			check_option(opt, names);
	}
}

/* ---- Mistakes ---- */

static const struct {
	const char *line, *message, *hint;
} mistakes[] = {
	{"-serail stdio", "-serail: invalid option", "Did you mean '-serial'?"},
	{"--no-rebot", "--no-rebot: invalid option", "Did you mean '-no-reboot'?"},
	{"-qqqqqqqq", "-qqqqqqqq: invalid option", NULL},
	{"-nodefaults -kernel", "-kernel: requires an argument", NULL},
	{"disk.img", "disk.img: unexpected argument: options begin with '-'", NULL},
	{"-m 99999999T", "-m 99999999T: Value '99999999T' is out of range for parameter 'size'",
	 NULL},
	{"-m foo", "-m foo: Parameter 'size' expects a non-negative number below 2^64", NULL},
	{"-m -5", "-m -5: Parameter 'size' expects a non-negative number below 2^64", NULL},
	{"-m size=128M,sots=1", "-m size=128M,sots=1: Invalid parameter 'sots'",
	 "Did you mean 'slots'?"},
	{"-m 128M,maxmem=64M",
	 "-m 128M,maxmem=64M: invalid value of maxmem: maximum memory size (0x4000000) must be at "
	 "least the initial memory size (0x8000000)",
	 NULL},
	{"-m 128,slots=1", "-m 128,slots=1: slots specified but no max-size", NULL},
	{"-m 128,slots=x", "-m 128,slots=x: Parameter 'slots' expects a number", NULL},
	{"-smp foo", "-smp foo: Parameter 'smp.cpus' expects integer", NULL},
	{"-smp -1", "-smp -1: Parameter 'cpus' expects uint32_t", NULL},
	{"-smp cpus=4,core=1", "-smp cpus=4,core=1: Parameter 'smp.core' is unexpected",
	 "Did you mean 'cores'?"},
	{"-smp 4,cores=0",
	 "-smp 4,cores=0: Invalid CPU topology: CPU topology parameters must be greater than zero, "
	 "but 'cores' is 0",
	 NULL},
	{"-machine pc,smp.cpus=x", "-machine pc,smp.cpus=x: Parameter 'smp.cpus' expects integer",
	 NULL},
	{"-machine pc,smp=4",
	 "-machine pc,smp=4: Invalid parameter type for 'smp', expected: object", NULL},
	{"-boot order=zz", "-boot order=zz: Invalid boot device 'z'", NULL},
	{"-boot cc", "-boot cc: Boot device 'c' was given twice", NULL},
	{"-boot menu=maybe", "-boot menu=maybe: Parameter 'boot.menu' expects 'on' or 'off'", NULL},
	{"-boot foo=1", "-boot foo=1: Parameter 'boot.foo' is unexpected", NULL},
	{"-boot reboot-timeout=99999",
	 "-boot reboot-timeout=99999: reboot timeout is invalid,it should be a value between -1 and "
	 "65535",
	 NULL},
	{"-name a,debug-threads=maybe",
	 "-name a,debug-threads=maybe: Parameter 'debug-threads' expects 'on' or 'off'", NULL},
	{"-uuid foo", "-uuid foo: failed to parse UUID string: wrong format", NULL},
	{"-rtc base=foo", "-rtc base=foo: invalid datetime format",
	 "valid formats: '2006-06-17T16:01:21' or '2006-06-17'"},
	{"-rtc base=2020-13-01", "-rtc base=2020-13-01: invalid datetime format", NULL},
	{"-rtc clock=hots", "-rtc clock=hots: Parameter 'clock' does not accept value 'hots'",
	 "Did you mean 'host'?"},
	{"-device id=a", "-device id=a: Parameter 'driver' is missing", NULL},
	{"-device x,id=1a", "-device x,id=1a: Parameter 'id' expects an identifier", NULL},
	{"-device x,id=a -device y,id=a", "-device y,id=a: Duplicate ID 'a' for device", NULL},
	{"-device {\"driver\":1}", "-device {\"driver\":1}: Parameter 'driver' is missing", NULL},
	{"-device {\"driver\":", "-device {\"driver\":: JSON parse error, premature EOI", NULL},
	{"-device foo,help", "-device foo,help: 'foo' is not a valid device model name", NULL},
	{"-object memory-backend-ram,size=1M",
	 "-object memory-backend-ram,size=1M: Parameter 'id' is missing", NULL},
	{"-object id=x", "-object id=x: Parameter 'qom-type' is missing", NULL},
	{"-chardev null", "-chardev null: chardev: no id specified", NULL},
	{"-chardev null,id=x -chardev null,id=x",
	 "-chardev null,id=x: Duplicate ID 'x' for chardev", NULL},
	{"-mon foo,mode=x", "-mon foo,mode=x: Parameter 'mode' does not accept value 'x'", NULL},
	{"-action panic=foo", "-action panic=foo: Parameter 'panic' does not accept value 'foo'",
	 NULL},
	{"-watchdog-action foo",
	 "-watchdog-action foo: Parameter 'watchdog' does not accept value 'foo'", NULL},
	{"-global foo", "-global foo: Invalid parameter 'foo'", NULL},
	{"-global driver=a,property=b",
	 "-global driver=a,property=b: options 'driver', 'property', and 'value' are required",
	 NULL},
	{"-fw_cfg foo",
	 "-fw_cfg foo: name, plus exactly one of file, string and gen_id, are needed", NULL},
	{"-fw_cfg opt/x,string=a -fw_cfg opt/x,string=b",
	 "-fw_cfg opt/x,string=b: duplicate fw_cfg file name: opt/x", NULL},
	{"-smbios foo=1", "-smbios foo=1: Must specify type= or file=", NULL},
	{"-smbios type=200", "-smbios type=200: out of range!", NULL},
	{"-add-fd fd=1,set=1", "-add-fd fd=1,set=1: fd cannot be a standard I/O stream", NULL},
	{"-add-fd fd=999,set=1", "-add-fd fd=999,set=1: fd is not valid or already in use", NULL},
	{"-append x", "-append only allowed with -kernel option", NULL},
	{"-initrd x", "-initrd only allowed with -kernel option", NULL},
	{"-daemonize -monitor stdio", "-monitor stdio: cannot use stdio with -daemonize", NULL},
	{"-nographic -serial stdio",
	 "-serial stdio: cannot use stdio by multiple character devices",
	 "-nographic puts the monitor on stdio; \"-serial mon:stdio\" shares it"},
	{"-nographic -monitor stdio",
	 "-monitor stdio: cannot use stdio by multiple character devices",
	 "-nographic puts the serial port on stdio; \"-serial mon:stdio\" shares it"},
	{"-serial foo", "-serial foo: 'foo' is not a valid char driver",
	 "Use -chardev help to list them"},
	{"-accel kvm -machine accel=kvm",
	 "-machine accel=kvm: The -accel and \"-machine accel=\" options are incompatible", NULL},
	{"-accel kvm -enable-kvm",
	 "-enable-kvm: The -accel and \"-machine accel=\" options are incompatible", NULL},
	{"-readconfig /",
	 "-readconfig /: Cannot read config file: Error reading file “/”: "
	 "Is a directory",
	 NULL},
	{"-nographic -daemonize", "-nographic cannot be used with -daemonize", NULL},
	{"-enable-kvm -accel kvm",
	 "-accel kvm: The -accel and \"-machine accel=\" options are incompatible", NULL},
	{"-display gtk", "-display gtk: Parameter 'type' does not accept value 'gtk'",
	 "Only '-display none' is possible."},
	{"-readconfig /nonexistent/x",
	 "-readconfig /nonexistent/x: Could not open '/nonexistent/x': No such file or directory",
	 NULL},
	{"-numa foo", "-numa foo: Parameter 'type' does not accept value 'foo'", NULL},
	{"-sandbox on", "-sandbox on: system call filtering is not available in this build", NULL},
	{"-set foo", "-set foo: can't parse: \"foo\"", NULL},
	{"-set device.a.b=1", "-set device.a.b=1: there is no device \"a\" defined", NULL},
	{"-gdb tcp::1", "-gdb tcp::1: the gdb stub is not available in this build", NULL},
};

static void test_mistakes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autoptr(GError) err = NULL;
		g_autoptr(config) cfg = parse(mistakes[i].line, &err);

		g_assert_cmpstr(err ? err->message : NULL, ==, mistakes[i].message);
		g_assert_true(!cfg == !!err);
		if (mistakes[i].hint)
			g_assert_cmpstr(error_hint(err), ==, mistakes[i].hint);
	}
}

/* ---- What becomes of good ones ---- */

static void test_machine(void)
{
	g_autoptr(config) cfg = parse_ok("-M pc,usb=off,smp.cpus=4,boot.strict=on "
					 "-machine q35,dump_guest_core=off,accel=kvm:dbt,hmat=on "
					 "-smp maxcpus=8,sockets=2 -machine kernel=/k,append=a~b");
	g_autofree char *props = json_print(cfg->machine, false);

	g_assert_cmpstr(cfg->machine_type, ==, "q35");
	g_assert_cmpstr(props, ==,
			"{\"usb\": \"off\", \"hmat\": \"on\", \"dump-guest-core\": \"off\"}");
	g_assert_cmpuint(cfg->accels->len, ==, 2);
	check_item(cfg->accels, 0, "{\"accel\": \"kvm\"}");
	check_item(cfg->accels, 1, "{\"accel\": \"dbt\"}");
	g_assert_true(cfg->smp.cpus == 4 && cfg->smp.maxcpus == 8 && cfg->smp.sockets == 2 &&
		      cfg->smp.cores == 0);
	g_assert_true(cfg->boot.strict);
	g_assert_cmpstr(cfg->boot.kernel, ==, "/k");
	g_assert_cmpstr(cfg->boot.append, ==, "a b");
}

static void test_accel(void)
{
	g_autoptr(config) kvm = parse_ok("-enable-kvm");
	g_autoptr(config) two = parse_ok("-accel kvm,dirty-ring-size=4096 -accel dbt");

	check_item(kvm->accels, 0, "{\"accel\": \"kvm\"}");
	check_item(two->accels, 0, "{\"accel\": \"kvm\", \"dirty-ring-size\": \"4096\"}");
	check_item(two->accels, 1, "{\"accel\": \"dbt\"}");
}

static void test_memory(void)
{
	g_autoptr(config) cfg = parse_ok("-m 1.5G -m slots=2,maxmem=4G -mem-path /x -mem-prealloc "
					 "-overcommit mem-lock=on");
	g_autoptr(config) plain = parse_ok("-m 128");

	g_assert_cmpuint(cfg->ram_size, ==, 1536 * MIB);
	g_assert_cmpuint(cfg->ram_max, ==, 4 * GIB);
	g_assert_cmpuint(cfg->ram_slots, ==, 2);
	g_assert_cmpstr(cfg->mem_path, ==, "/x");
	g_assert_true(cfg->mem_prealloc && cfg->mem_lock && !cfg->cpu_pm);
	g_assert_cmpuint(plain->ram_size, ==, 128 * MIB);
}

static void test_lists(void)
{
	g_autoptr(config) cfg = parse_ok(
		"-device isa-serial,id=s,x.y=1,,2 -device {\"driver\":\"d\",\"addr\":\"0x2\",\"n\":3} "
		"-object memory-backend-ram,id=m,size=1G,host-nodes=0,host-nodes=2-3 "
		"-chardev socket,id=c,path=/p,server=on,wait=off "
		"-mon chardev=c,id=q,mode=control,pretty=on "
		"-smbios type=11,value=a,value=b -numa node,nodeid=0");
	const struct config_monitor *mon = &g_array_index(cfg->monitors, struct config_monitor, 0);
	const struct config_item *json = &g_array_index(cfg->devices, struct config_item, 1);

	check_item(cfg->devices, 0,
		   "{\"driver\": \"isa-serial\", \"id\": \"s\", \"x.y\": \"1,2\"}");
	check_item(cfg->devices, 1, "{\"driver\": \"d\", \"addr\": \"0x2\", \"n\": 3}");
	g_assert_true(json->strict && !g_array_index(cfg->devices, struct config_item, 0).strict);
	g_assert_cmpstr(json->where, ==, "-device {\"driver\":\"d\",\"addr\":\"0x2\",\"n\":3}");
	check_item(cfg->objects, 0,
		   "{\"qom-type\": \"memory-backend-ram\", \"id\": \"m\", \"size\": \"1G\", "
		   "\"host-nodes\": [\"0\", \"2-3\"]}");
	check_item(cfg->chardevs, 0,
		   "{\"backend\": \"socket\", \"id\": \"c\", \"path\": \"/p\", \"server\": \"on\", "
		   "\"wait\": \"off\"}");
	check_item(cfg->smbios, 0, "{\"type\": \"11\", \"value\": [\"a\", \"b\"]}");
	check_item(cfg->numa, 0, "{\"type\": \"node\", \"nodeid\": \"0\"}");
	g_assert_true(mon->qmp && mon->pretty);
	g_assert_cmpstr(mon->chardev, ==, "c");
	g_assert_cmpstr(mon->id, ==, "q");
}

static void test_set(void)
{
	g_autoptr(config) cfg =
		parse_ok("-device d,id=a,x=1 -set device.a.x=2 -set device.a.y.z=3=4");

	check_item(cfg->devices, 0,
		   "{\"driver\": \"d\", \"id\": \"a\", \"x\": \"2\", \"y.z\": \"3=4\"}");
}

static void test_globals(void)
{
	g_autoptr(config) cfg = parse_ok("-global PIIX4_PM.disable_s3=1 "
					 "-global driver=a.b,property=c,value=d -global x.y.z=a=b");
	const struct config_global *g = (void *)cfg->globals->data;

	g_assert_cmpuint(cfg->globals->len, ==, 3);
	g_assert_cmpstr(g[0].driver, ==, "PIIX4_PM");
	g_assert_cmpstr(g[0].property, ==, "disable_s3");
	g_assert_cmpstr(g[0].value, ==, "1");
	g_assert_cmpstr(g[1].driver, ==, "a.b");
	g_assert_cmpstr(g[2].property, ==, "y.z");
	g_assert_cmpstr(g[2].value, ==, "a=b");
}

/* ---- Ports and monitors ---- */

static const struct config_monitor *monitor_at(const struct config *cfg, unsigned i)
{
	g_assert_cmpuint(i, <, cfg->monitors->len);
	return &g_array_index(cfg->monitors, struct config_monitor, i);
}

static void test_nographic(void)
{
	g_autoptr(config) both = parse_ok("-nographic");
	g_autoptr(config) serial = parse_ok("-nographic -monitor null");
	g_autoptr(config) monitor = parse_ok("-nographic -serial null");
	g_autoptr(config) none = parse_ok("-nographic -nodefaults");
	g_autoptr(config) own =
		parse_ok("-nographic -chardev null,id=c -device isa-serial,chardev=c");

	g_assert_cmpstr(both->serial[0], ==, "serial0");
	g_assert_cmpstr(monitor_at(both, 0)->chardev, ==, "serial0");
	g_assert_true(both->serial_is_default && !monitor_at(both, 0)->qmp);
	g_assert_cmpuint(both->chardevs->len, ==, 2);
	g_assert_true(both->parallel_is_default);
	g_assert_cmpstr(both->parallel[0], ==, "parallel0");
	g_assert_cmpstr(serial->serial[0], ==, "serial0");
	g_assert_cmpuint(serial->chardevs->len, ==, 3);
	g_assert_cmpuint(serial->monitors->len, ==, 1);
	g_assert_false(monitor->serial_is_default);
	g_assert_cmpstr(monitor_at(monitor, 0)->chardev, ==, "compat_monitor0");
	g_assert_true(!none->serial[0] && !none->monitors->len && !none->chardevs->len);
	g_assert_null(own->serial[0]);
	g_assert_cmpuint(own->monitors->len, ==, 1);
}

static void test_ports(void)
{
	g_autoptr(config) cfg =
		parse_ok("-chardev null,id=mine -serial none -serial chardev:mine -serial mon:null "
			 "-qmp unix:/q,server=on,wait=off -qmp-pretty null -monitor none "
			 "-debugcon null -qtest null -qtest-log none");

	g_assert_cmpstr(cfg->serial[0], ==, "mine");
	g_assert_cmpstr(cfg->serial[1], ==, "serial1");
	g_assert_null(cfg->serial[2]);
	g_assert_cmpuint(cfg->monitors->len, ==, 3);
	g_assert_cmpstr(monitor_at(cfg, 0)->chardev, ==, "serial1");
	g_assert_true(monitor_at(cfg, 1)->qmp && !monitor_at(cfg, 1)->pretty);
	g_assert_true(monitor_at(cfg, 2)->qmp && monitor_at(cfg, 2)->pretty);
	check_item(
		cfg->devices, 0,
		"{\"driver\": \"isa-debugcon\", \"iobase\": \"0xe9\", \"chardev\": \"debugcon\"}");
	g_assert_cmpstr(cfg->qtest, ==, "qtest");
	g_assert_cmpstr(cfg->qtest_log, ==, "none");
}

static void test_too_many_ports(void)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(
		parse("-serial null -serial null -serial null -serial null -serial null", &err));
	g_assert_cmpstr(err->message, ==,
			"-serial null: too many serial ports: this machine has 4");
}

/* ---- The rest ---- */

static void test_run(void)
{
	g_autoptr(config) cfg = parse_ok(
		"-name guest=g,debug-threads=on -name process=p -S -no-reboot -no-shutdown "
		"-action panic=none -watchdog-action pause -uuid 00112233-4455-6677-8899-aabbccddeeff "
		"-rtc base=2001-02-03T04:05:06,clock=vm,driftfix=slew -msg timestamp -pidfile /p -d int "
		"-D /l -trace a* -trace -b -L /x -L /y -no-hpet -k de -vga none -net none -sandbox off");

	g_assert_cmpstr(cfg->name, ==, "g");
	g_assert_cmpstr(cfg->process_name, ==, "p");
	g_assert_true(cfg->debug_threads && !cfg->autostart && cfg->has_uuid && cfg->no_hpet);
	g_assert_true(cfg->uuid[0] == 0 && cfg->uuid[15] == 0xff && cfg->uuid[4] == 0x44);
	g_assert_true(cfg->actions.reboot == REBOOT_SHUTDOWN &&
		      cfg->actions.shutdown == SHUTDOWN_PAUSE && cfg->actions.panic == PANIC_NONE &&
		      cfg->actions.watchdog == WATCHDOG_PAUSE);
	g_assert_true(cfg->rtc_base == RTC_DATE && cfg->rtc_date == 981173106 && cfg->rtc_slew &&
		      cfg->rtc_clock == QCLOCK_VIRTUAL);
	g_assert_true(cfg->msg_timestamp && !cfg->msg_guest_name);
	g_assert_cmpuint(cfg->traces->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(cfg->data_dirs, 1), ==, "/y");
}

static void test_fw_cfg(void)
{
	g_autoptr(config) cfg = parse_ok("-fw_cfg name=opt/a,string=hello -boot c,once=d,menu=on");
	const struct boot_fw_cfg *file = (void *)cfg->boot.fw_cfg->data;

	g_assert_cmpstr(file->name, ==, "opt/a");
	g_assert_cmpuint(g_bytes_get_size(file->content), ==, 5);
	g_assert_cmpstr(cfg->boot.order, ==, "c");
	g_assert_cmpstr(cfg->boot.once, ==, "d");
	g_assert_true(cfg->boot.menu && !cfg->boot.strict && cfg->boot.splash_time == -1);
}

/* libvirt's way of starting a guest, as far as devices of this day go. */
static void test_libvirt(void)
{
	g_autoptr(config) cfg = parse_ok(
		"-name guest=NAME,debug-threads=on -S -machine pc-i440fx-7.2,usb=off,dump-guest-core=off,"
		"memory-backend=pc.ram -accel tcg -cpu qemu64 -m 256 -object "
		"{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\",\"size\":268435456} -overcommit "
		"mem-lock=off -smp 1,sockets=1,cores=1,threads=1 -display none -no-user-config -nodefaults "
		"-chardev socket,id=charmonitor,fd=29,server=on,wait=off -mon "
		"chardev=charmonitor,id=monitor,mode=control -rtc base=utc -no-shutdown -boot strict=on "
		"-msg timestamp=on");
	g_autofree char *props = json_print(cfg->machine, false);

	g_assert_cmpstr(
		props, ==,
		"{\"usb\": \"off\", \"dump-guest-core\": \"off\", \"memory-backend\": \"pc.ram\"}");
	g_assert_cmpuint(cfg->ram_size, ==, 256 * MIB);
	g_assert_true(g_array_index(cfg->objects, struct config_item, 0).strict);
	g_assert_null(cfg->serial[0]);
	g_assert_cmpuint(cfg->monitors->len, ==, 1);
}

static struct config *parse_file(const char *text, GError **errp)
{
	g_autofree char *path = NULL;
	g_autofree char *line = NULL;
	int fd = g_file_open_tmp("quail-XXXXXX", &path, NULL);
	struct config *cfg;

	g_assert_true(fd >= 0 && g_file_set_contents(path, text, -1, NULL));
	g_close(fd, NULL);
	line = g_strdup_printf("-nodefaults -readconfig %s", path);
	cfg = parse(line, errp);
	g_unlink(path);
	return cfg;
}

static void test_readconfig(void)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(config) cfg = parse_file("# comment\n\n[machine]\n  type = \"pc\"\n usb=\"off\"\n"
					   "[memory]\n  size = \"1G\"\n[chardev \"c\"]\n"
					   "  backend = \"null\"\n[device \"d\"]\n driver = \"x\"\n"
					   "[smp-opts]\n cpus = \"3\"\n",
					   &err);

	g_assert_no_error(err);
	g_assert_cmpstr(cfg->machine_type, ==, "pc");
	g_assert_cmpuint(cfg->ram_size, ==, GIB);
	g_assert_cmpuint(cfg->smp.cpus, ==, 3);
	check_item(cfg->chardevs, 0, "{\"id\": \"c\", \"backend\": \"null\"}");
	check_item(cfg->devices, 0, "{\"id\": \"d\", \"driver\": \"x\"}");
}

static void test_readconfig_mistakes(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"[memory]\nsize = 1G\n", ":2: parse error at 'size = 1G'"},
		{"[memory\n", ":1: parse error at '[memory'"},
		{"[nonsense]\n", ":1: There is no option group 'nonsense'"},
		{"a = \"b\"\n", ":1: no section before 'a = \"b\"'"},
		{"\n[memory]\nsiz = \"1G\"\n", ":2: Invalid parameter 'siz'"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_null(parse_file(cases[i].text, &err));
		g_assert_true(g_str_has_suffix(err->message, cases[i].message));
	}
}

/* Answers go to the standard output, which is the test's report. */
static int mute(void)
{
	int saved = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);

	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	close(null);
	return saved;
}

static void unmute(int saved)
{
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

static void test_questions(void)
{
	static const char *const lines[] = {
		"-version",
		"--help",
		"-h",
		"-machine help",
		"-M pc,help",
		"-cpu help",
		"-cpu ?",
		"-device help",
		"-device x,help",
		"-object help",
		"-object x,help",
		"-chardev help",
		"-accel help",
		"-trace help",
		"-d help",
		"-device help -nonsense",
		"-smp help",
		"-m ?",
		"-name help",
		"-d trace:help",
	};
	int saved = mute();

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(GStrv) argv = NULL;
		g_autofree char *full = g_strconcat("quail ", lines[i], NULL);
		g_autoptr(GError) err = NULL;
		enum config_action action;

		argv = g_strsplit(full, " ", -1);
		g_autoptr(config) cfg =
			config_parse(g_strv_length(argv), argv, &help, &action, &err);

		g_assert_no_error(err);
		g_assert_cmpint(action, ==, CONFIG_DONE);
		g_assert_nonnull(cfg);
	}
	unmute(saved);
}

static void test_describe(void)
{
	g_autoptr(json_object) all = cli_describe_options(NULL, NULL);
	g_autoptr(json_object) name = cli_describe_options("name", NULL);
	g_autoptr(GError) err = NULL;
	g_autofree char *text = json_print(name, false);

	g_assert_cmpuint(json_object_array_length(all), >, 15);
	g_assert_nonnull(strstr(text,
				"{\"name\": \"debug-threads\", \"help\": \"Give each thread a "
				"name of its own\", \"type\": \"boolean\"}"));
	g_assert_nonnull(strstr(text, "\"option\": \"name\""));
	g_assert_null(cli_describe_options("sandbox", &err));
	g_assert_cmpstr(err->message, ==, "invalid option name: sandbox");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/tables", test_tables);
	g_test_add_func("/cli/mistakes", test_mistakes);
	g_test_add_func("/cli/machine", test_machine);
	g_test_add_func("/cli/accel", test_accel);
	g_test_add_func("/cli/memory", test_memory);
	g_test_add_func("/cli/lists", test_lists);
	g_test_add_func("/cli/set", test_set);
	g_test_add_func("/cli/globals", test_globals);
	g_test_add_func("/cli/nographic", test_nographic);
	g_test_add_func("/cli/ports", test_ports);
	g_test_add_func("/cli/too-many-ports", test_too_many_ports);
	g_test_add_func("/cli/run", test_run);
	g_test_add_func("/cli/fw_cfg", test_fw_cfg);
	g_test_add_func("/cli/libvirt", test_libvirt);
	g_test_add_func("/cli/readconfig", test_readconfig);
	g_test_add_func("/cli/readconfig-mistakes", test_readconfig_mistakes);
	g_test_add_func("/cli/questions", test_questions);
	g_test_add_func("/cli/describe", test_describe);
	return g_test_run();
}
