/* Lines of the qtest protocol against a small address space and the trial devices. */
#include "../unit/trial-types.h"
#include "accel/qtest.h"
#include "event/clock.h"
#include "mem/ram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct address_space memory, io;
static struct region memory_root, io_root;

static void swallow(void *opaque, const char *text)
{
}

static void reset(void *opaque)
{
	device_reset(tree_root());
}

static void set_up(void)
{
	static bool done;
	struct trial_host *host;

	if (done)
		return;
	done = true;
	loop_init_main();
	host = trial_setup();
	device_create(&trial_card_type, &host->bus);
	clock_virtual_set_manual();
	region_init_container(&memory_root, NULL, "memory", REGION_SIZE_MAX);
	region_init_container(&io_root, NULL, "io", 65536);
	address_space_init(&memory, "memory", &memory_root);
	address_space_init(&io, "io", &io_root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct qtest_target target = {
		.memory = &memory, .io = &io, .clock_manual = true, .reset = reset};
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = NULL;
	struct qtest *qt;

	set_up();
	qt = qtest_new(&target, swallow, swallow, NULL);
	lines = g_strsplit(text, "\n", 64);
	for (char **line = lines; *line; line++)
		qtest_command(qt, *line);
	qtest_free(qt);
	g_string_truncate(trial_log, 0);
	return 0;
}
