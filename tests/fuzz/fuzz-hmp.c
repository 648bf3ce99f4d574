/*
 * The human monitor's parser: keys into the line editor, and each line taken apart as every command
 * would, without running any.
 */
#include "device/device.h"
#include "src/monitor/hmp.h"
#include "src/monitor/readline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_print(void *opaque, const char *text)
{
}

static void parse_as(const struct hmp_command *table, const char *text)
{
	for (const struct hmp_command *cmd = table; cmd->names; cmd++) {
		struct hmp hmp = {.last_letter = 'x', .last_size = 4};

		json_object_put(hmp_parse_args(&hmp, cmd->names, cmd->args, text, NULL));
		if (cmd->sub)
			parse_as(cmd->sub, text);
	}
}

static void parse_line(void *opaque, const char *line)
{
	parse_as(hmp_commands, line);
}

static size_t complete_line(void *opaque, const char *text, GPtrArray *out)
{
	return hmp_complete(text, out);
}

static const struct device_type *const no_types[] = {NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct readline_ops ops = {no_print, parse_line, complete_line};
	struct readline *rl = readline_new(&ops, NULL, "> ");

	device_types_set(no_types);
	for (size_t i = 0; i < size; i++)
		readline_feed(rl, data[i]);
	readline_feed(rl, '\r');
	readline_free(rl);
	return 0;
}
