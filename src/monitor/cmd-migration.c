/*
 * QMP commands about moving a guest to another process. Clients ask for the optional abilities before
 * anything else, to know which they may switch on: there are none.
 */
#include "internal.h"

struct capability_status {
	char *capability;
	bool state;
};
static const struct field capability_rows[] = {
	ARG_STRING(struct capability_status, capability, "capability", "Name of the ability"),
	ARG_BOOL(struct capability_status, state, "state", "Whether it is on"),
	FIELD_ROW_END,
};
static const struct field_set capability_set = {"MigrationCapabilityStatus",
						sizeof(struct capability_status), capability_rows};

static bool qmp_query_capabilities(void *args, void *result, GError **errp)
{
	*(GArray **)result = g_array_new(false, true, sizeof(struct capability_status));
	return true;
}

const struct command migration_commands[] = {
	{"query-migrate-capabilities", "Optional abilities of migration, and which are on", NULL,
	 &capability_set, qmp_query_capabilities, COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{NULL},
};
