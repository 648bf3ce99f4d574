/*
 * Back ends over file descriptors: the reading and writing they have in common.
 *
 * Descriptors are not made non-blocking here unless they are ours alone (O_NONBLOCK belongs to the
 * open file, which a shell may share); whoever opens them sees to that. Reading follows poll().
 */
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "internal.h"

#define READ_CHUNK 4096

void fd_stream_init(struct fd_stream *s, struct chardev *chr, int in, int out)
{
	s->chr = chr;
	s->in = in;
	s->out = out;
}

static void fd_stream_pause(struct fd_stream *s)
{
	s->paused = true;
	fd_watch_set_events(s->watch, 0);
}

static void fd_stream_end(struct fd_stream *s)
{
	if (s->at_end) {
		s->at_end(s->chr);
	} else {
		fd_stream_stop(s);
		chardev_event(s->chr, CHARDEV_CLOSED);
	}
}

static void fd_stream_readable(void *opaque, GIOCondition revents)
{
	struct fd_stream *s = opaque;
	uint8_t buf[READ_CHUNK];
	int room = chardev_room(s->chr);
	ssize_t n;

	if (room <= 0) {
		fd_stream_pause(s);
		return;
	}
	n = read(s->in, buf, MIN(room, READ_CHUNK));
	if (n > 0)
		chardev_input(s->chr, buf, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_stream_end(s);
}

void fd_stream_start(struct fd_stream *s)
{
	if (s->in < 0 || s->watch)
		return;
	s->watch = fd_watch_new(s->chr->loop, s->in, G_IO_IN, fd_stream_readable, s);
	s->paused = false;
}

void fd_stream_stop(struct fd_stream *s)
{
	fd_watch_free(s->watch);
	s->watch = NULL;
}

void fd_stream_accept(struct fd_stream *s)
{
	if (!s->watch || !s->paused)
		return;
	s->paused = false;
	fd_watch_set_events(s->watch, G_IO_IN);
}

void fd_stream_move(struct fd_stream *s, struct loop *loop)
{
	bool watched = s->watch;

	fd_stream_stop(s);
	s->chr->loop = loop;
	if (watched)
		fd_stream_start(s);
}

int fd_stream_write(struct fd_stream *s, const uint8_t *data, int len)
{
	ssize_t n;

	if (s->out < 0)
		return len;
	do
		n = write(s->out, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

void fd_stream_close(struct fd_stream *s)
{
	fd_stream_stop(s);
	if (s->in > 2)
		close(s->in);
	if (s->out > 2 && s->out != s->in)
		close(s->out);
	s->in = s->out = -1;
}

void tty_make_raw(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio) < 0)
		return;
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
}
