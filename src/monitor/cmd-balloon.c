/* QMP commands of the memory balloon. */
#include "internal.h"
#include "machine/balloon.h"

struct balloon_args {
	int64_t value;
};
static const struct field balloon_rows[] = {
	ARG_INT(struct balloon_args, value, "value", "Memory the guest shall keep, in bytes"),
	FIELD_ROW_END,
};
static const struct field_set balloon_set_rows = {"balloon-arg", sizeof(struct balloon_args),
						  balloon_rows};

struct balloon_info {
	int64_t actual;
};
static const struct field info_rows[] = {
	ARG_INT(struct balloon_info, actual, "actual", "Memory the guest has now, in bytes"),
	FIELD_ROW_END,
};
static const struct field_set info_set = {"BalloonInfo", sizeof(struct balloon_info), info_rows};

static bool qmp_balloon(void *args, void *result, GError **errp)
{
	return balloon_set(((struct balloon_args *)args)->value, errp);
}

static bool qmp_query_balloon(void *args, void *result, GError **errp)
{
	struct balloon_info *info = result;
	uint64_t bytes;

	if (!balloon_actual(&bytes, errp))
		return false;
	info->actual = bytes;
	return true;
}

const struct command balloon_commands[] = {
	{"balloon", "Asks the guest to give up memory, or gives some back", &balloon_set_rows, NULL,
	 qmp_balloon},
	{"query-balloon", "Tells how much memory the guest has left", NULL, &info_set,
	 qmp_query_balloon},
	{NULL},
};
