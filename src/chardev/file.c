/* file: output goes to a file; input, if wanted, comes from another. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"

struct file_options {
	struct chardev_common common;
	char *in, *out;
	bool append;
};

struct file_chardev {
	struct chardev chr;
	struct fd_stream stream;
};

static bool file_create(struct chardev *chr, const void *options, GError **errp)
{
	struct file_chardev *file = container_of(chr, struct file_chardev, chr);
	const struct file_options *opt = options;
	int in = -1, out;

	fd_stream_init(&file->stream, chr, -1, -1);
	out = path_open(opt->out, O_WRONLY | O_CREAT | (opt->append ? O_APPEND : O_TRUNC), 0666,
			errp);
	if (out < 0)
		return false;
	file->stream.out = out;
	if (opt->in) {
		in = path_open(opt->in, O_RDONLY | O_NONBLOCK, 0, errp);
		if (in < 0)
			return false;
	}
	file->stream.in = in;
	chr->open = true;
	fd_stream_start(&file->stream);
	return true;
}

static void file_destroy(struct chardev *chr)
{
	fd_stream_close(&container_of(chr, struct file_chardev, chr)->stream);
}

static int file_write(struct chardev *chr, const uint8_t *data, int len)
{
	return fd_stream_write(&container_of(chr, struct file_chardev, chr)->stream, data, len);
}

static int file_write_fd(struct chardev *chr)
{
	return container_of(chr, struct file_chardev, chr)->stream.out;
}

static void file_accept_input(struct chardev *chr)
{
	fd_stream_accept(&container_of(chr, struct file_chardev, chr)->stream);
}

static bool file_set_loop(struct chardev *chr, struct loop *loop)
{
	fd_stream_move(&container_of(chr, struct file_chardev, chr)->stream, loop);
	return true;
}

static const struct field file_rows[] = {
	CHARDEV_COMMON_ROWS(struct file_options),
	OPT_STRING(struct file_options, in, "in", "File that input is read from"),
	ARG_STRING(struct file_options, out, "out", "File that output is written to"),
	PROP_BOOL(struct file_options, append, "append", false,
		  "Appends to the file instead of emptying it"),
	FIELD_ROW_END,
};
const struct field_set chardev_file_set = {"ChardevFile", sizeof(struct file_options), file_rows};

static const struct field file_flat[] = {
	CHARDEV_COMMON_ROWS(struct file_options),
	OPT_STRING(struct file_options, out, "path", "File that output is written to"),
	OPT_STRING(struct file_options, in, "input-path", "File that input is read from"),
	PROP_BOOL(struct file_options, append, "append", false,
		  "Appends to the file instead of emptying it"),
	FIELD_ROW_END,
};

static bool file_finish_flat(void *options, GError **errp)
{
	struct file_options *opt = options;

	if (opt->out)
		return true;
	error_set(errp, "chardev: file: no filename given");
	return false;
}

const struct chardev_type chardev_file = {
	.name = "file",
	.help = "Writes output to a file",
	.size = sizeof(struct file_chardev),
	.options = &chardev_file_set,
	.flat = file_flat,
	.finish_flat = file_finish_flat,
	.create = file_create,
	.destroy = file_destroy,
	.write = file_write,
	.write_fd = file_write_fd,
	.accept_input = file_accept_input,
	.set_loop = file_set_loop,
};
