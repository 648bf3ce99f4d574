/*
 * pipe: two FIFOs, NAME.in for input and NAME.out for output; or, where those do not exist, NAME
 * itself for both. They are opened for reading and writing, so neither waits for a peer nor ends
 * when one leaves.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"

struct pipe_options {
	struct chardev_common common;
	char *device;
};

struct pipe_chardev {
	struct chardev chr;
	struct fd_stream stream;
};

static bool pipe_create(struct chardev *chr, const void *options, GError **errp)
{
	struct pipe_chardev *pipe = container_of(chr, struct pipe_chardev, chr);
	const struct pipe_options *opt = options;
	g_autofree char *name_in = g_strdup_printf("%s.in", opt->device);
	g_autofree char *name_out = g_strdup_printf("%s.out", opt->device);
	const int flags = O_RDWR | O_NONBLOCK;

	fd_stream_init(&pipe->stream, chr, path_open(name_in, flags, 0, NULL),
		       path_open(name_out, flags, 0, NULL));
	if (pipe->stream.in < 0 || pipe->stream.out < 0) {
		fd_stream_close(&pipe->stream);
		pipe->stream.in = path_open(opt->device, flags, 0, errp);
		if (pipe->stream.in < 0)
			return false;
		pipe->stream.out = pipe->stream.in;
	}
	chr->open = true;
	fd_stream_start(&pipe->stream);
	return true;
}

static void pipe_destroy(struct chardev *chr)
{
	fd_stream_close(&container_of(chr, struct pipe_chardev, chr)->stream);
}

static int pipe_write(struct chardev *chr, const uint8_t *data, int len)
{
	return fd_stream_write(&container_of(chr, struct pipe_chardev, chr)->stream, data, len);
}

static int pipe_write_fd(struct chardev *chr)
{
	return container_of(chr, struct pipe_chardev, chr)->stream.out;
}

static void pipe_accept_input(struct chardev *chr)
{
	fd_stream_accept(&container_of(chr, struct pipe_chardev, chr)->stream);
}

static bool pipe_set_loop(struct chardev *chr, struct loop *loop)
{
	fd_stream_move(&container_of(chr, struct pipe_chardev, chr)->stream, loop);
	return true;
}

static const struct field pipe_rows[] = {
	CHARDEV_COMMON_ROWS(struct pipe_options),
	ARG_STRING(struct pipe_options, device, "device", "Name of the FIFOs, less .in and .out"),
	FIELD_ROW_END,
};
const struct field_set chardev_pipe_set = {"ChardevHostdev", sizeof(struct pipe_options),
					   pipe_rows};

static const struct field pipe_flat[] = {
	CHARDEV_COMMON_ROWS(struct pipe_options),
	OPT_STRING(struct pipe_options, device, "path", "Name of the FIFOs, less .in and .out"),
	FIELD_ROW_END,
};

static bool pipe_finish_flat(void *options, GError **errp)
{
	struct pipe_options *opt = options;

	if (opt->device)
		return true;
	error_set(errp, "chardev: pipe: no device path given");
	return false;
}

const struct chardev_type chardev_pipe = {
	.name = "pipe",
	.help = "Reads and writes two FIFOs",
	.size = sizeof(struct pipe_chardev),
	.options = &chardev_pipe_set,
	.flat = pipe_flat,
	.finish_flat = pipe_finish_flat,
	.create = pipe_create,
	.destroy = pipe_destroy,
	.write = pipe_write,
	.write_fd = pipe_write_fd,
	.accept_input = pipe_accept_input,
	.set_loop = pipe_set_loop,
};
