/* null: swallows what is written, never has anything to read. */
#include "internal.h"

struct null_options {
	struct chardev_common common;
};

static bool null_create(struct chardev *chr, const void *options, GError **errp)
{
	chr->open = true;
	return true;
}

static const struct field null_rows[] = {
	CHARDEV_COMMON_ROWS(struct null_options),
	FIELD_ROW_END,
};
const struct field_set chardev_null_set = {"ChardevCommon", sizeof(struct null_options), null_rows};

const struct chardev_type chardev_null = {
	.name = "null",
	.help = "Swallows all output, has no input",
	.size = sizeof(struct chardev),
	.options = &chardev_null_set,
	.create = null_create,
};
