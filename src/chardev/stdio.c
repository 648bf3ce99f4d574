/*
 * stdio: standard input and output. On a terminal it sets raw mode, so that the guest gets every key; by
 * default the keys for signals keep their meaning (signal=off gives them to the guest too).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "terminal.h"

struct stdio_options {
	struct chardev_common common;
	bool signal;
};

struct stdio_chardev {
	struct chardev chr;
	struct fd_stream stream;
	bool owner;
	int saved_in, saved_out; /* flags to put back; -1: not changed */
};

/* There is one standard input to be had. */
static struct stdio_chardev *stdio_owner;

/*
 * A non-blocking way to descriptor @fd that leaves O_NONBLOCK of the original alone, because the shell
 * shares that: a fresh opening of the same terminal or pipe. Where that cannot be had the flag is
 * set, and *@saved remembers the old ones.
 */
static int private_fd(int fd, int access, int *saved)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	struct stat st;
	int copy, flags;

	*saved = -1;
	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return fd;
	if (isatty(fd) || S_ISFIFO(st.st_mode)) {
		copy = open(path, access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (copy >= 0)
			return copy;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		*saved = flags;
	return fd;
}

static bool stdio_create(struct chardev *chr, const void *options, GError **errp)
{
	struct stdio_chardev *io = container_of(chr, struct stdio_chardev, chr);
	const struct stdio_options *opt = options;

	fd_stream_init(&io->stream, chr, -1, -1);
	if (stdio_owner) {
		error_set(errp, "cannot use stdio by multiple character devices");
		return false;
	}
	stdio_owner = io;
	io->owner = true;
	fflush(stdout);
	fd_stream_init(&io->stream, chr, private_fd(STDIN_FILENO, O_RDONLY, &io->saved_in),
		       private_fd(STDOUT_FILENO, O_WRONLY, &io->saved_out));
	if (isatty(STDIN_FILENO))
		terminal_take(STDIN_FILENO, opt->signal);
	chr->open = true;
	fd_stream_start(&io->stream);
	return true;
}

static void stdio_destroy(struct chardev *chr)
{
	struct stdio_chardev *io = container_of(chr, struct stdio_chardev, chr);

	if (!io->owner)
		return;
	fd_stream_close(&io->stream);
	if (io->saved_out >= 0)
		fcntl(STDOUT_FILENO, F_SETFL, io->saved_out);
	if (io->saved_in >= 0)
		fcntl(STDIN_FILENO, F_SETFL, io->saved_in);
	terminal_restore();
	stdio_owner = NULL;
}

static int stdio_write(struct chardev *chr, const uint8_t *data, int len)
{
	return fd_stream_write(&container_of(chr, struct stdio_chardev, chr)->stream, data, len);
}

static int stdio_write_fd(struct chardev *chr)
{
	return container_of(chr, struct stdio_chardev, chr)->stream.out;
}

static void stdio_accept_input(struct chardev *chr)
{
	fd_stream_accept(&container_of(chr, struct stdio_chardev, chr)->stream);
}

static bool stdio_set_loop(struct chardev *chr, struct loop *loop)
{
	fd_stream_move(&container_of(chr, struct stdio_chardev, chr)->stream, loop);
	return true;
}

static const struct field stdio_rows[] = {
	CHARDEV_COMMON_ROWS(struct stdio_options),
	PROP_BOOL(struct stdio_options, signal, "signal", true,
		  "The terminal's interrupt, quit and suspend keys act on this program"),
	FIELD_ROW_END,
};
const struct field_set chardev_stdio_set = {"ChardevStdio", sizeof(struct stdio_options),
					    stdio_rows};

const struct chardev_type chardev_stdio = {
	.name = "stdio",
	.help = "Standard input and output; a terminal is set to raw mode",
	.size = sizeof(struct stdio_chardev),
	.options = &chardev_stdio_set,
	.create = stdio_create,
	.destroy = stdio_destroy,
	.write = stdio_write,
	.write_fd = stdio_write_fd,
	.accept_input = stdio_accept_input,
	.set_loop = stdio_set_loop,
};
