/*
 * The lab's agent: process 1 inside the KVM lab, runs one command at a time for the host.
 *
 * Host and agent exchange frames over a serial port. A frame is a type byte and a payload; it ends
 * with FRAME_END, and the two special bytes are escaped inside (FRAME_ESCAPE, then the byte xor 0x20),
 * so either side finds the next frame whatever came before. Types:
 *
 *	host to agent				agent to host
 *	S tag	stop the running command	S tag	it is gone, here I am
 *	R text	run it with /bin/sh -c		O data	its output, standard error included
 *	I data	standard input for it		X text	it ended with this status
 *	E	end of standard input
 *	K	kill every process but me	K	done
 *
 * The command is the leader of a session. When it ends, what it wrote is sent on and its status
 * follows; processes it left behind live on until K. Without a word from the host for IDLE_LIMIT the
 * agent powers the lab off, so that a forgotten one does not stay for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FRAME_END    0x7e
#define FRAME_ESCAPE 0x7d
#define FRAME_FLIP   0x20
#define FRAME_MAX    (64 * 1024)
#define OUTPUT_CHUNK 4096
#define IDLE_LIMIT   (60 * 60 * 1000) /* milliseconds */

struct agent {
	int port;      /* the serial port to the host */
	int wake[2];   /* written by the SIGCHLD handler */
	pid_t command; /* 0 when none runs */
	int input;     /* pipe to its standard input, -1 when closed */
	int output;    /* pipe from its standard output and error, -1 when closed */
	uint8_t frame[FRAME_MAX + 1];
	size_t frame_size;
	bool escaped;
	bool overlong;
};

static int wake_fd;

static void on_child(int signal)
{
	int saved = errno;

	/* The pipe is non-blocking: when it is full, the wake-up is already under way. */
	if (write(wake_fd, "", 1) < 0)
		errno = saved;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die("agent: serial port");
		data += done;
		size -= done;
	}
}

static size_t escape(uint8_t *out, uint8_t byte)
{
	if (byte != FRAME_END && byte != FRAME_ESCAPE) {
		out[0] = byte;
		return 1;
	}
	out[0] = FRAME_ESCAPE;
	out[1] = byte ^ FRAME_FLIP;
	return 2;
}

/* Sends a frame of at most OUTPUT_CHUNK payload bytes. */
static void send_frame(struct agent *a, char type, const void *data, size_t size)
{
	uint8_t buffer[2 * OUTPUT_CHUNK + 4];
	const uint8_t *bytes = data;
	size_t used = 0;

	if (size > OUTPUT_CHUNK)
		size = OUTPUT_CHUNK;
	buffer[used++] = FRAME_END;
	buffer[used++] = type;
	for (size_t i = 0; i < size; i++)
		used += escape(buffer + used, bytes[i]);
	buffer[used++] = FRAME_END;
	write_all(a->port, buffer, used);
}

static void close_pipe(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Sends on what the command wrote; false at the end of the pipe or when nothing is there yet. */
static bool forward_output(struct agent *a)
{
	uint8_t buffer[OUTPUT_CHUNK];
	ssize_t size = read(a->output, buffer, sizeof(buffer));

	if (size == 0)
		close_pipe(&a->output);
	if (size <= 0)
		return false;
	send_frame(a, 'O', buffer, size);
	return true;
}

static void finish_command(struct agent *a, int status)
{
	char text[16];
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	while (a->output >= 0 && forward_output(a))
		;
	close_pipe(&a->output);
	close_pipe(&a->input);
	a->command = 0;
	snprintf(text, sizeof(text), "%d", code);
	send_frame(a, 'X', text, strlen(text));
}

/* Collects all children that ended; orphans come to process 1 too. */
static void reap(struct agent *a)
{
	char drain[64];
	int status;
	pid_t pid;

	while (read(a->wake[0], drain, sizeof(drain)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == a->command)
			finish_command(a, status);
	}
}

static void run_child(const char *text, int input, int output)
{
	setsid();
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	dup2(input, 0);
	dup2(output, 1);
	dup2(output, 2);
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

static void start_command(struct agent *a, const char *text)
{
	int in[2], out[2];

	if (a->command)
		return;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("agent: pipe");
	a->command = fork();
	if (a->command < 0)
		die("agent: fork");
	if (a->command == 0)
		run_child(text, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	a->input = in[1];
	a->output = out[0];
	fcntl(a->input, F_SETFL, O_NONBLOCK);
	fcntl(a->output, F_SETFL, O_NONBLOCK);
}

/* Kills the running command's session and waits for it; its status is not reported. */
static void stop_command(struct agent *a)
{
	int status;

	if (!a->command)
		return;
	kill(-a->command, SIGKILL);
	waitpid(a->command, &status, 0);
	a->command = 0;
	close_pipe(&a->input);
	close_pipe(&a->output);
}

static void kill_all(struct agent *a)
{
	kill(-1, SIGKILL);
	stop_command(a);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* What does not fit into the pipe is lost: nobody feeds a command more than it reads. */
static void feed_input(struct agent *a, const uint8_t *data, size_t size)
{
	if (a->input >= 0 && write(a->input, data, size) < 0 && errno == EPIPE)
		close_pipe(&a->input);
}

static void handle_frame(struct agent *a)
{
	uint8_t *payload = a->frame + 1;
	size_t size = a->frame_size - 1;

	payload[size] = 0;
	switch (a->frame[0]) {
	case 'S':
		stop_command(a);
		send_frame(a, 'S', payload, size);
		break;
	case 'R':
		start_command(a, (const char *)payload);
		break;
	case 'I':
		feed_input(a, payload, size);
		break;
	case 'E':
		close_pipe(&a->input);
		break;
	case 'K':
		kill_all(a);
		send_frame(a, 'K', NULL, 0);
		break;
	}
}

static void take_byte(struct agent *a, uint8_t byte)
{
	if (byte == FRAME_END) {
		if (a->frame_size > 0 && !a->overlong)
			handle_frame(a);
		a->frame_size = 0;
		a->escaped = a->overlong = false;
		return;
	}
	if (byte == FRAME_ESCAPE) {
		a->escaped = true;
		return;
	}
	if (a->frame_size == FRAME_MAX) {
		a->overlong = true;
		return;
	}
	a->frame[a->frame_size++] = a->escaped ? byte ^ FRAME_FLIP : byte;
	a->escaped = false;
}

static void take_input(struct agent *a)
{
	uint8_t buffer[1024];
	ssize_t size = read(a->port, buffer, sizeof(buffer));

	for (ssize_t i = 0; i < size; i++)
		take_byte(a, buffer[i]);
}

static void serve(struct agent *a)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = a->port, .events = POLLIN},
			{.fd = a->wake[0], .events = POLLIN},
			{.fd = a->output, .events = POLLIN},
		};
		int ready = poll(fds, 3, IDLE_LIMIT);

		if (ready == 0 && !a->command)
			reboot(RB_POWER_OFF);
		if (ready <= 0)
			continue;
		if (fds[2].revents && a->output >= 0)
			forward_output(a);
		if (fds[1].revents)
			reap(a);
		if (fds[0].revents)
			take_input(a);
	}
}

static int open_port(const char *path)
{
	struct termios mode;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &mode) < 0)
		die(path);
	cfmakeraw(&mode);
	cfsetspeed(&mode, B115200);
	mode.c_cflag |= CLOCAL;
	if (tcsetattr(fd, TCSANOW, &mode) < 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	static struct agent agent = {.input = -1, .output = -1};
	struct sigaction child = {.sa_handler = on_child, .sa_flags = SA_RESTART};

	if (argc != 2) {
		fprintf(stderr, "usage: agent PORT\n");
		return 1;
	}
	agent.port = open_port(argv[1]);
	if (pipe2(agent.wake, O_CLOEXEC | O_NONBLOCK))
		die("agent: pipe");
	wake_fd = agent.wake[1];
	sigaction(SIGCHLD, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
	send_frame(&agent, 'S', "ready", 5);
	serve(&agent);
}
