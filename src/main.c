/*
 * Arguments -> configuration -> machine -> run loop.
 */
#include "api/command.h"
#include "chardev/chardev.h"
#include "cli/start.h"
#include "event/lock.h"
#include "event/loop.h"
#include "event/worker.h"
#include "hw/types.h"
#include "monitor/monitor.h"

static int run(const struct config *cfg)
{
	int code = 0;
	bool ended = false;

	if (cfg->autostart)
		vm_start();
	while (!ended) {
		machine_unlock();
		loop_run_once(loop_main(), true);
		machine_lock();
		ended = runstate_process_requests(&code);
	}
	process_report_signal();
	machine_stop(machine_current());
	worker_drain();
	return code;
}

static int start_and_run(const struct config *cfg)
{
	GError *err = NULL;

	if (!start_machine(cfg, &err) || !process_daemon_ready(&err)) {
		monitor_cleanup_all();
		chardev_cleanup_all(); /* the terminal is a terminal again */
		error_report_err(err);
		return 1;
	}
	return run(cfg);
}

int main(int argc, char **argv)
{
	enum config_action action = CONFIG_RUN;
	struct config *cfg;
	GError *err = NULL;
	int status;

	error_set_program_name(argv[0]);
	device_types_set(hw_types());
	api_set_tables(&monitor_tables);
	monitor_set_options(cli_describe_options);
	cfg = config_parse(argc, argv, &start_help, &action, &err);
	if (!cfg) {
		error_report_err(err);
		return 1;
	}
	if (action == CONFIG_DONE) {
		config_free(cfg);
		return 0;
	}
	loop_init_main();
	machine_lock();
	status = start_and_run(cfg);
	monitor_cleanup_all();
	chardev_cleanup_all();
	process_cleanup();
	config_free(cfg);
	return status;
}
