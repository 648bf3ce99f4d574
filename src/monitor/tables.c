/*
 * The lists of all commands and all events. What is not here does not exist for clients.
 */
#include "device/plug.h"
#include "hw/events.h"
#include "internal.h"
#include "machine/balloon.h"
#include "machine/events.h"
#include "machine/iothread.h"
#include "machine/watchdog.h"

static const struct command *const command_tables[] = {
	balloon_commands,
	chardev_commands,
	cpu_commands,
	device_commands,
	fd_commands,
	hmp_command_table,
	iothread_commands,
	machine_commands,
	memory_commands,
	meta_commands,
	migration_commands,
	pci_commands,
	qmp_commands,
	qom_commands,
	run_commands,
	trace_commands,
	NULL,
};

static const struct event_type *const event_tables[] = {
	balloon_events, device_events, hw_events, run_events, watchdog_events, NULL,
};

const struct api_tables monitor_tables = {
	.commands = command_tables,
	.events = event_tables,
};
