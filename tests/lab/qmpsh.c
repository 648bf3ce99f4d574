/*
 * Talks to a QMP socket from a shell script.
 *
 *	qmpsh SOCKET WORD...
 *
 * A word that starts with '{' is sent as it stands; "@NAME" waits for the event NAME (one that came
 * since the start of qmpsh); "+N" pauses N seconds; any other word is the name of a command without
 * arguments. Each command's reply is printed on one line, events go to standard error. The status is
 * 0, or 1 when a reply was an error, the connection broke, or nothing came within REPLY_LIMIT.
 * Negotiation is done first. The end of the connection satisfies "@EOF".
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_LIMIT   120       /* seconds; the guest's guest may be slow */
#define CONNECT_LIMIT 60        /* seconds for the socket to appear */
#define LINE_MAX_SIZE (1 << 20) /* query-qmp-schema is long */
#define EVENTS_MAX    64

struct client {
	int fd;
	char *buffer;
	size_t used;
	char *events[EVENTS_MAX];
	int event_count;
	bool failed;
};

static void fail(const char *what)
{
	fprintf(stderr, "qmpsh: %s\n", what);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		fail("socket path too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (int tries = 0; tries < CONNECT_LIMIT * 10; tries++) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		usleep(100 * 1000);
	}
	fail(strerror(errno));
	return -1;
}

/* Takes one line out of the buffer; NULL when it has none. The caller frees it. */
static char *take_line(struct client *c)
{
	char *end = memchr(c->buffer, '\n', c->used);
	size_t size;
	char *line;

	if (!end)
		return NULL;
	size = end - c->buffer;
	line = strndup(c->buffer, size);
	line[strcspn(line, "\r")] = 0;
	c->used -= size + 1;
	memmove(c->buffer, end + 1, c->used);
	return line;
}

/* The next line from the peer; NULL when it closed the connection. The caller frees it. */
static char *read_line(struct client *c)
{
	char *line;

	while (!(line = take_line(c))) {
		struct pollfd ready = {.fd = c->fd, .events = POLLIN};
		ssize_t size;

		if (c->used == LINE_MAX_SIZE)
			fail("line too long");
		if (poll(&ready, 1, REPLY_LIMIT * 1000) == 0)
			fail("nothing came in time");
		size = read(c->fd, c->buffer + c->used, LINE_MAX_SIZE - c->used);
		if (size <= 0)
			return NULL;
		c->used += size;
	}
	return line;
}

/* Reads until a line that is no event, or until an event is noted if `one` is set. */
static char *read_reply(struct client *c, bool one)
{
	char *line;

	while ((line = read_line(c))) {
		if (!strstr(line, "\"timestamp\"") || !strstr(line, "\"event\""))
			return line;
		fprintf(stderr, "%s\n", line);
		if (c->event_count == EVENTS_MAX)
			fail("too many events");
		c->events[c->event_count++] = line;
		if (one)
			return NULL;
	}
	return NULL;
}

static bool have_event(struct client *c, const char *name)
{
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	for (int i = 0; i < c->event_count; i++) {
		if (strstr(c->events[i], quoted))
			return true;
	}
	return false;
}

static void wait_event(struct client *c, const char *name)
{
	bool want_end = strcmp(name, "EOF") == 0;

	while (want_end || !have_event(c, name)) {
		int before = c->event_count;
		char *line = read_reply(c, true);

		free(line);
		if (line || c->event_count > before)
			continue;
		if (want_end)
			return;
		fail("connection closed while waiting for an event");
	}
}

static void send_text(struct client *c, const char *text)
{
	if (write(c->fd, text, strlen(text)) < 0 || write(c->fd, "\n", 1) < 0)
		fail(strerror(errno));
}

/* Sends a command and prints its reply. */
static void command(struct client *c, const char *word, bool quiet)
{
	char text[128];
	char *reply;

	if (word[0] != '{') {
		snprintf(text, sizeof(text), "{\"execute\": \"%s\"}", word);
		word = text;
	}
	send_text(c, word);
	reply = read_reply(c, false);
	if (!reply)
		fail("connection closed instead of a reply");
	if (strncmp(reply, "{\"error\"", 8) == 0)
		c->failed = true;
	if (!quiet || c->failed)
		printf("%s\n", reply);
	fflush(stdout);
	free(reply);
}

static void run_word(struct client *c, const char *word)
{
	if (word[0] == '@')
		wait_event(c, word + 1);
	else if (word[0] == '+')
		sleep(atoi(word + 1));
	else
		command(c, word, false);
}

int main(int argc, char **argv)
{
	struct client client = {0};
	char *greeting;

	if (argc < 2)
		fail("usage: qmpsh SOCKET WORD...");
	client.buffer = malloc(LINE_MAX_SIZE);
	client.fd = connect_to(argv[1]);
	greeting = read_reply(&client, false);
	if (!greeting || !strstr(greeting, "\"QMP\""))
		fail("no QMP greeting");
	free(greeting);
	command(&client, "qmp_capabilities", true);
	for (int i = 2; i < argc; i++)
		run_word(&client, argv[i]);
	return client.failed;
}
