/* Character devices: short forms, flat and nested options, each back end, the multiplexer. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib-unix.h>
#include <glib/gstdio.h>

#include "base/fdset.h"
#include "chardev/chardev.h"
#include "event/lock.h"

/* ---- Help for the tests ---- */

/* A front end that remembers what it was told. */
struct probe {
	struct chardev_frontend *fe;
	GString *received;
	GString *events; /* a letter each: Opened, Closed, Break, In, out (X) */
	int room;        /* -1: any */
};

static int probe_can_receive(void *opaque)
{
	struct probe *probe = opaque;

	return probe->room < 0 ? 4096 : probe->room;
}

static void probe_receive(void *opaque, const uint8_t *data, int len)
{
	struct probe *probe = opaque;

	g_string_append_len(probe->received, (const char *)data, len);
	if (probe->room > 0)
		probe->room -= len;
	g_assert_cmpint(probe->room, >=, -1);
}

static void probe_event(void *opaque, enum chardev_event event)
{
	g_string_append_c(((struct probe *)opaque)->events, "OCBIX"[event]);
}

static void probe_attach(struct probe *probe, struct chardev *chr, bool background)
{
	const struct chardev_handlers handlers = {
		.background = background,
		.can_receive = probe_can_receive,
		.receive = probe_receive,
		.event = probe_event,
	};
	GError *err = NULL;

	probe->received = g_string_new(NULL);
	probe->events = g_string_new(NULL);
	probe->room = -1;
	probe->fe = chardev_attach(chr, &handlers, probe, NULL, &err);
	g_assert_no_error(err);
}

static void probe_detach(struct probe *probe)
{
	chardev_detach(probe->fe);
	g_string_free(probe->received, true);
	g_string_free(probe->events, true);
}

/* Turns the loop until the probe has received @text. */
static void expect_received(struct probe *probe, const char *text)
{
	while (probe->received->len < strlen(text))
		loop_run_once(loop_main(), true);
	g_assert_cmpstr(probe->received->str, ==, text);
	g_string_truncate(probe->received, 0);
}

static void expect_events(struct probe *probe, const char *events)
{
	while (probe->events->len < strlen(events))
		loop_run_once(loop_main(), true);
	g_assert_cmpstr(probe->events->str, ==, events);
	g_string_truncate(probe->events, 0);
}

static void settle(void)
{
	for (int i = 0; i < 5; i++)
		loop_run_once(loop_main(), false);
}

static struct chardev *make(const char *id, const char *flat, GError **errp)
{
	g_autoptr(json_object) options = opts_parse(flat, "backend", NULL, NULL, errp);

	return options ? chardev_new(id, options, errp) : NULL;
}

static struct chardev *make_ok(const char *id, const char *flat)
{
	GError *err = NULL;
	struct chardev *chr = make(id, flat, &err);

	g_assert_no_error(err);
	return chr;
}

static void remove_ok(const char *id)
{
	GError *err = NULL;

	chardev_remove(id, &err);
	g_assert_no_error(err);
}

static json_object *run(const char *name, const char *args, GError **errp)
{
	g_autoptr(json_object) json = args ? json_parse(args, NULL) : NULL;

	for (const struct command *cmd = chardev_commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return command_run(cmd, json, errp);
	g_assert_not_reached();
}

static void expect_reply(const char *name, const char *args, const char *reply)
{
	GError *err = NULL;
	g_autoptr(json_object) result = run(name, args, &err);
	g_autofree char *text = NULL;

	g_assert_no_error(err);
	text = json_print(result, false);
	g_assert_cmpstr(text, ==, reply);
}

static void expect_failure(const char *name, const char *args, const char *message)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(run(name, args, &err));
	g_assert_nonnull(err);
	g_assert_cmpstr(err->message, ==, message);
}

static char *scratch_dir(void)
{
	char *dir = g_dir_make_tmp("quail-chardev-XXXXXX", NULL);

	g_assert_nonnull(dir);
	return dir;
}

/* ---- Tests ---- */

static void test_legacy(void)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"null", "{\"backend\": \"null\"}"},
		{"stdio", "{\"backend\": \"stdio\"}"},
		{"none", "{\"backend\": \"none\"}"},
		{"pty", "{\"backend\": \"pty\"}"},
		{"chardev:c0", "{\"chardev\": \"c0\"}"},
		{"file:/tmp/a,b", "{\"backend\": \"file\", \"path\": \"/tmp/a,b\"}"},
		{"pipe:/tmp/p", "{\"backend\": \"pipe\", \"path\": \"/tmp/p\"}"},
		{"/dev/ttyS0", "{\"backend\": \"serial\", \"path\": \"/dev/ttyS0\"}"},
		{"unix:/a,server=on,wait=off",
		 "{\"path\": \"/a\", \"server\": \"on\", \"wait\": \"off\", \"backend\": \"socket\"}"},
		{"unix:/a,server,nowait",
		 "{\"path\": \"/a\", \"server\": \"on\", \"wait\": \"off\", \"backend\": \"socket\"}"},
		{"tcp:localhost:4444,server",
		 "{\"server\": \"on\", \"backend\": \"socket\", \"host\": \"localhost\", "
		 "\"port\": \"4444\"}"},
		{"tcp::4444", "{\"backend\": \"socket\", \"host\": \"\", \"port\": \"4444\"}"},
		{"tcp:[::1]:4444",
		 "{\"backend\": \"socket\", \"host\": \"::1\", \"port\": \"4444\"}"},
		{"mon:stdio", "{\"backend\": \"stdio\", \"mon\": true, \"mux\": \"on\", "
			      "\"signal\": \"off\"}"},
		{"mon:pty", "{\"backend\": \"pty\", \"mon\": true, \"mux\": \"on\"}"},
		{"mon:chardev:x", "{\"chardev\": \"x\", \"mon\": true}"},
	};
	static const char *const bad[] = {"", "foo", "tcp:", "tcp:host", "tcp:[::1", "mon:foo"};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *err = NULL;
		g_autoptr(json_object) options = chardev_options_from_legacy(cases[i].text, &err);
		g_autofree char *text = NULL;

		g_assert_no_error(err);
		text = json_print(options, false);
		g_assert_cmpstr(text, ==, cases[i].json);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_null(chardev_options_from_legacy(bad[i], &err));
		g_assert_nonnull(err);
	}
}

static void test_bad_options(void)
{
	static const struct {
		const char *flat, *message;
	} cases[] = {
		{"foo", "'foo' is not a valid char driver name"},
		{"udp,host=localhost", "chardev: udp: remote port not specified"},
		{"vc", "chardev: back end 'vc' needs a display, and there is none yet"},
		{"file", "chardev: file: no filename given"},
		{"pipe", "chardev: pipe: no device path given"},
		{"mux", "chardev: mux: no chardev given"},
		{"mux,chardev=nope", "mux: base chardev nope not found"},
		{"file,path=/nonexistent/f",
		 "Could not open '/nonexistent/f': No such file or directory"},
		{"file,path=/dev/fdset/7",
		 "Could not open '/dev/fdset/7': No such file or directory"},
		{"ringbuf,size=100", "size of ringbuf chardev must be power of two"},
		{"socket,path=/a,pth=1", "Invalid parameter 'pth'"},
		{"socket,path=/a,fd=3", "None or one of 'path', 'fd' or 'host' option required."},
		{"socket,host=localhost", "chardev: socket: no port given"},
		{"socket,fd=abc", "Unable to parse FD number abc"},
		{"socket,path=/a,server=on,reconnect=1",
		 "'reconnect' option is incompatible with socket in server listen mode"},
		{"socket,path=/a,wait=off",
		 "'wait' option is incompatible with socket in client connect mode"},
		{"socket,path=/nonexistent/s",
		 "Failed to connect to '/nonexistent/s': No such file or directory"},
		{"socket,path=/nonexistent/s,server=on,wait=off",
		 "Failed to bind socket to /nonexistent/s: No such file or directory"},
		{"socket,host=127.0.0.1,port=1,tn3270=on",
		 "'tn3270' option is not supported by socket chardevs here"},
		{"socket,host=127.0.0.1,port=1,websocket=on",
		 "Websocket client is not implemented"},
		{"null,logfile=/nonexistent/l",
		 "Could not create '/nonexistent/l': No such file or directory"},
	};
	g_autoptr(GError) err = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) e = NULL;

		g_assert_null(make("bad", cases[i].flat, &e));
		g_assert_nonnull(e);
		g_assert_cmpstr(e->message, ==, cases[i].message);
		g_assert_null(chardev_find("bad"));
	}
	make_ok("dup", "null");
	g_assert_null(make("dup", "null", &err));
	g_assert_cmpstr(err->message, ==, "Duplicate ID 'dup' for chardev");
	g_clear_error(&err);
	g_assert_null(make("1x", "null", &err));
	g_assert_cmpstr(err->message, ==, "Parameter 'id' expects an identifier");
	remove_ok("dup");
}

static void test_file(void)
{
	g_autofree char *dir = scratch_dir(), *out = g_build_filename(dir, "out", NULL);
	g_autofree char *in = g_build_filename(dir, "in", NULL), *text = NULL;
	g_autofree char *log = g_build_filename(dir, "log", NULL), *logged = NULL;
	g_autofree char *flat =
		g_strdup_printf("file,path=%s,input-path=%s,logfile=%s", out, in, log);
	struct probe probe;

	g_assert_true(g_file_set_contents(in, "input", -1, NULL));
	probe_attach(&probe, make_ok("f", flat), false);
	expect_received(&probe, "input");
	g_assert_cmpint(chardev_write(probe.fe, "abc", 3), ==, 3);
	chardev_write_all(probe.fe, "def", 3);
	expect_events(&probe, "OC");
	probe_detach(&probe);
	remove_ok("f");
	g_assert_true(g_file_get_contents(out, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "abcdef");
	g_assert_true(g_file_get_contents(log, &logged, NULL, NULL));
	g_assert_cmpstr(logged, ==, "abcdef");
	g_unlink(out);
	g_unlink(in);
	g_unlink(log);
	g_rmdir(dir);
}

static void test_fdset(void)
{
	int p[2], fd;
	char buf[4] = "";
	GError *err = NULL;

	g_assert_true(g_unix_open_pipe(p, FD_CLOEXEC, NULL));
	g_assert_cmpint(fdset_add(-1, p[1], "note"), ==, 0);
	fd = path_open("/dev/fdset/0", O_WRONLY, 0, &err);
	g_assert_no_error(err);
	g_assert_cmpint(write(fd, "abc", 3), ==, 3);
	close(fd);
	g_assert_cmpint(read(p[0], buf, 3), ==, 3);
	g_assert_cmpint(path_open("/dev/fdset/0", O_RDONLY, 0, &err), ==, -1);
	g_assert_cmpstr(err->message, ==, "Could not open '/dev/fdset/0': Permission denied");
	g_clear_error(&err);
	g_assert_cmpint(fdset_add(-1, dup(p[0]), NULL), ==, 1);
	g_assert_cmpint(fdset_add(7, dup(p[0]), NULL), ==, 7);
	g_assert_false(fdset_remove(3, -1, &err));
	g_assert_cmpstr(err->message, ==, "File descriptor named 'fdset-id:3' not found");
	g_clear_error(&err);
	g_assert_true(fdset_remove(0, p[1], NULL));
	g_assert_true(fdset_remove(1, -1, NULL));
	g_assert_true(fdset_remove(7, -1, NULL));
	g_assert_cmpint(read(p[0], buf, 1), ==, 0); /* they were closed */
	close(p[0]);
}

static void test_ringbuf(void)
{
	struct probe probe;

	probe_attach(&probe, make_ok("r", "ringbuf,size=8"), false);
	chardev_write_all(probe.fe, "0123456789", 10);
	expect_reply("ringbuf-read", "{\"device\":\"r\",\"size\":3}", "\"234\"");
	expect_reply("ringbuf-write", "{\"device\":\"r\",\"data\":\"aGk=\",\"format\":\"base64\"}",
		     "{}");
	expect_reply("ringbuf-read", "{\"device\":\"r\",\"size\":300}", "\"56789hi\"");
	expect_reply("ringbuf-write", "{\"device\":\"r\",\"data\":\"hi\"}", "{}");
	expect_reply("ringbuf-read", "{\"device\":\"r\",\"size\":300,\"format\":\"base64\"}",
		     "\"aGk=\"");
	expect_failure("ringbuf-write", "{\"device\":\"r\",\"data\":\"a*=\",\"format\":\"base64\"}",
		       "Base64 data contains invalid characters");
	expect_failure("ringbuf-read", "{\"device\":\"r\",\"size\":0}",
		       "size must be greater than zero");
	expect_failure("ringbuf-read", "{\"device\":\"x\",\"size\":1}", "Device 'x' not found");
	probe_detach(&probe);
	remove_ok("r");
}

static void test_pty(void)
{
	struct chardev *chr = make_ok("p", "pty");
	g_autofree char *name = chardev_filename(chr);
	struct probe probe;
	char buf[8] = "";
	int fd;

	probe_attach(&probe, chr, false);
	settle();
	g_assert_true(g_str_has_prefix(name, "pty:/dev/pts/"));
	g_assert_cmpint(chardev_write(probe.fe, "lost", 4), ==, 4);
	for (int i = 0; i < 2; i++) {
		fd = open(name + 4, O_RDWR | O_NOCTTY);
		g_assert_cmpint(fd, >=, 0);
		if (i == 0) /* a write notices at once, else the timer does */
			g_assert_cmpint(chardev_write(probe.fe, "hello", 5), ==, 5);
		expect_events(&probe, "O");
		if (i == 0) {
			g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 5);
			g_assert_cmpmem(buf, 5, "hello", 5);
		}
		g_assert_cmpint(write(fd, "a\r\x03", 3), ==, 3);
		expect_received(&probe, "a\r\x03");
		close(fd);
		expect_events(&probe, "C");
	}
	probe_detach(&probe);
	remove_ok("p");
}

static int connect_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	g_assert_cmpint(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), ==, 0);
	return fd;
}

static void send_fd(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (char *)"F", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	g_assert_cmpint(sendmsg(sock, &msg, 0), ==, 1);
}

/* A path where somebody listens is not taken from him. */
static void test_unix_busy(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *flat = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
	g_autofree char *text =
		g_strdup_printf("Failed to bind socket to %s: Address already in use", path);
	g_autoptr(GError) err = NULL;

	make_ok("one", flat);
	g_assert_null(make("two", flat, &err));
	g_assert_nonnull(strstr(err->message, text));
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
	g_assert_true(chardev_remove("one", NULL));
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_unix_server(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *flat = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
	g_autofree char *listening = g_strdup_printf("disconnected:unix:%s,server=on", path);
	g_autofree char *connected = g_strdup_printf("unix:%s,server=on", path);
	struct chardev *chr;
	struct probe probe;
	char buf[8] = "";

	g_assert_true(g_file_set_contents(path, "stale", -1, NULL)); /* is replaced */
	chr = make_ok("s", flat);
	probe_attach(&probe, chr, false);
	settle();
	for (int i = 0; i < 3; i++) { /* one client after another */
		g_autofree char *before = chardev_filename(chr), *after = NULL;
		int fd, passed;

		g_assert_cmpstr(before, ==, listening);
		fd = connect_unix(path);
		expect_events(&probe, "O");
		after = chardev_filename(chr);
		g_assert_cmpstr(after, ==, connected);
		send_fd(fd, 0);
		expect_received(&probe, "F");
		passed = chardev_take_fd(probe.fe);
		g_assert_cmpint(passed, >=, 0);
		close(passed);
		g_assert_cmpint(chardev_take_fd(probe.fe), ==, -1);
		probe.room = 2; /* flow control */
		g_assert_cmpint(write(fd, "12345", 5), ==, 5);
		expect_received(&probe, "12");
		settle();
		g_assert_cmpint(probe.received->len, ==, 0);
		probe.room = -1;
		chardev_accept_input(probe.fe);
		expect_received(&probe, "345");
		g_assert_cmpint(chardev_write(probe.fe, "yes", 3), ==, 3);
		g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 3);
		close(fd);
		expect_events(&probe, "C");
		g_assert_cmpint(chardev_write(probe.fe, "lost", 4), ==, 4);
	}
	probe_detach(&probe);
	remove_ok("s");
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	g_rmdir(dir);
}

static void write_more(void *opaque)
{
	*(bool *)opaque = true;
}

static void test_flow_out(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *flat = g_strdup_printf("socket,path=%s,server=on,wait=off", path);
	g_autofree char *block = g_malloc0(65536);
	size_t written = 0, got = 0;
	struct probe probe;
	bool writable = false;
	int fd, n;

	probe_attach(&probe, make_ok("s", flat), false);
	fd = connect_unix(path);
	expect_events(&probe, "O");
	while ((n = chardev_write(probe.fe, block, 65536)) > 0)
		written += n;
	g_assert_cmpint(errno, ==, EAGAIN);
	g_assert_cmpuint(chardev_notify_writable(probe.fe, write_more, &writable), !=, 0);
	settle();
	g_assert_false(writable);
	while (got < written)
		got += read(fd, block, 65536);
	while (!writable)
		loop_run_once(loop_main(), true);
	g_assert_cmpuint(chardev_notify_writable(probe.fe, write_more, &writable), !=, 0);
	close(fd); /* takes the notification along */
	expect_events(&probe, "C");
	probe_detach(&probe);
	remove_ok("s");
	g_rmdir(dir);
}

static void test_client(void)
{
	struct chardev *server = make_ok("srv", "socket,host=127.0.0.1,port=0,server=on,wait=off");
	g_autofree char *name = chardev_filename(server), *flat = NULL, *client_name = NULL;
	struct probe ps, pc;
	const char *port = strrchr(name, ':') + 1;

	g_assert_true(g_str_has_prefix(name, "disconnected:tcp:127.0.0.1:"));
	flat = g_strdup_printf("socket,host=127.0.0.1,port=%.*s,nodelay=on,reconnect=1",
			       (int)strcspn(port, ","), port);
	probe_attach(&ps, server, false);
	probe_attach(&pc, make_ok("cli", flat), false);
	expect_events(&pc, "O");
	expect_events(&ps, "O");
	chardev_write_all(pc.fe, "ping", 4);
	expect_received(&ps, "ping");
	chardev_write_all(ps.fe, "pong", 4);
	expect_received(&pc, "pong");
	client_name = chardev_filename(chardev_of(pc.fe));
	g_assert_nonnull(strstr(client_name, " <-> 127.0.0.1:"));
	probe_detach(&ps);
	remove_ok("srv");
	expect_events(&pc, "C");
	probe_detach(&pc);
	remove_ok("cli"); /* while it waits to try again */
}

static void test_remove_while_connecting(void)
{
	make_ok("cli", "socket,path=/nonexistent/s,reconnect=1");
	remove_ok("cli");
	settle();
}

static void test_mux(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *flat = g_strdup_printf("socket,path=%s,server=on,wait=off,mux=on", path);
	struct chardev *chr = make_ok("m", flat);
	struct probe device, monitor;
	char buf[512];
	ssize_t n;
	int fd;

	g_assert_nonnull(chardev_find("m-base"));
	probe_attach(&device, chr, false);
	probe_attach(&monitor, chr, true);
	settle();
	fd = connect_unix(path);
	expect_events(&device, "IO");
	expect_events(&monitor, "XO");
	g_assert_cmpint(write(fd, "to device\x01\x01", 11), ==, 11);
	expect_received(&device, "to device\x01");
	g_assert_cmpint(write(fd,
			      "\x01"
			      "cto monitor",
			      12),
			==, 12);
	expect_received(&monitor, "to monitor");
	expect_events(&device, "X");
	expect_events(&monitor, "I");
	device.room = 0; /* what it cannot take waits for it */
	g_assert_cmpint(write(fd,
			      "\x01"
			      "cwaits\x01"
			      "cx",
			      10),
			==, 10);
	expect_received(&monitor, "x");
	g_assert_cmpint(device.received->len, ==, 0);
	device.room = -1;
	g_assert_cmpint(write(fd,
			      "\x01"
			      "c\x01"
			      "b",
			      4),
			==, 4);
	expect_received(&device, "waits");
	expect_events(&device, "IXIB");
	chardev_write_all(monitor.fe, "m", 1);
	chardev_write_all(device.fe, "d", 1);
	g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 2);
	g_assert_cmpint(write(fd, "\x01h", 2), ==, 2);
	settle();
	n = read(fd, buf, sizeof(buf) - 1);
	g_assert_cmpint(n, >, 0);
	buf[n] = '\0';
	g_assert_nonnull(strstr(buf, "C-a x    exit emulator\n\r"));
	close(fd);
	expect_events(&device, "C");
	probe_detach(&device);
	g_assert_cmpint(monitor.events->str[monitor.events->len - 1], ==, 'I');
	probe_detach(&monitor);
	remove_ok("m");
	g_assert_null(chardev_find("m-base"));
	g_rmdir(dir);
}

static void test_commands(void)
{
	g_autoptr(GError) err = NULL;
	struct probe probe;

	expect_reply("chardev-add", "{\"id\":\"n\",\"backend\":{\"type\":\"null\",\"data\":{}}}",
		     "{}");
	expect_failure("chardev-add", "{\"id\":\"n\",\"backend\":{\"type\":\"null\",\"data\":{}}}",
		       "Chardev with id 'n' already exists");
	expect_failure("chardev-add", "{\"id\":\"x\",\"backend\":{\"type\":\"file\",\"data\":{}}}",
		       "Parameter 'backend.data.out' is missing");
	expect_failure("chardev-add",
		       "{\"id\":\"x\",\"backend\":{\"type\":\"null\",\"data\":{\"foo\":1}}}",
		       "Parameter 'backend.data.foo' is unexpected");
	expect_failure(
		"chardev-add",
		"{\"id\":\"x\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":"
		"\"unix\",\"data\":{\"path\":\"/nonexistent/s\"}},\"server\":false}}}",
		"Failed to add chardev 'x': Failed to connect to '/nonexistent/s': No such "
		"file or directory");
	expect_reply("query-chardev", NULL,
		     "[{\"label\": \"n\", \"filename\": \"null\", \"frontend-open\": false}]");
	probe_attach(&probe, chardev_find("n"), false);
	expect_events(&probe, "O");
	expect_reply("chardev-send-break", "{\"id\":\"n\"}", "{}");
	expect_events(&probe, "B");
	g_assert_null(
		chardev_attach(chardev_find("n"), &(struct chardev_handlers){0}, NULL, NULL, &err));
	g_assert_cmpstr(err->message, ==, "Device 'n' is in use");
	expect_failure("chardev-remove", "{\"id\":\"n\"}", "Chardev 'n' is busy");
	probe_detach(&probe);
	expect_reply("chardev-remove", "{\"id\":\"n\"}", "{}");
	expect_failure("chardev-remove", "{\"id\":\"n\"}", "Chardev 'n' not found");
	expect_reply("query-chardev", NULL, "[]");
}

/* QMP's form of a socket, to the same effect as the flat one. */
static void test_nested_socket(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *args = g_strdup_printf(
		"{\"id\":\"s\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"unix\","
		"\"data\":{\"path\":\"%s\"}}}}}",
		path);
	g_autofree char *reply = g_strdup_printf(
		"[{\"label\": \"s\", \"filename\": \"disconnected:unix:%s,server=on\", "
		"\"frontend-open\": false}]",
		path);

	expect_reply("chardev-add", args, "{}");
	expect_reply("query-chardev", NULL, reply);
	expect_reply("chardev-remove", "{\"id\":\"s\"}", "{}");
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_tables(void)
{
	for (const struct command *cmd = chardev_commands; cmd->name; cmd++) {
		g_autofree char *args = cmd->args ? fields_check(cmd->args) : NULL;
		g_autofree char *result = cmd->result ? fields_check(cmd->result) : NULL;

		g_assert_cmpstr(args, ==, NULL);
		g_assert_cmpstr(result, ==, NULL);
	}
}

static void test_cleanup(void)
{
	g_autofree char *dir = scratch_dir(), *path = g_build_filename(dir, "s", NULL);
	g_autofree char *flat = g_strdup_printf("socket,path=%s,server=on,wait=off,mux=on", path);
	struct probe probe;

	probe_attach(&probe, make_ok("s", flat), false);
	settle();
	chardev_cleanup_all();
	chardev_cleanup_all();
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	chardev_write(probe.fe, "x", 1); /* goes nowhere, harms nobody */
	chardev_write_all(probe.fe, "x", 1);
	chardev_accept_input(probe.fe);
	settle();
	g_string_free(probe.received, true);
	g_string_free(probe.events, true);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	g_test_add_func("/chardev/legacy", test_legacy);
	g_test_add_func("/chardev/bad-options", test_bad_options);
	g_test_add_func("/chardev/file", test_file);
	g_test_add_func("/chardev/fdset", test_fdset);
	g_test_add_func("/chardev/ringbuf", test_ringbuf);
	g_test_add_func("/chardev/pty", test_pty);
	g_test_add_func("/chardev/unix-server", test_unix_server);
	g_test_add_func("/chardev/unix-server-busy", test_unix_busy);
	g_test_add_func("/chardev/flow-out", test_flow_out);
	g_test_add_func("/chardev/client", test_client);
	g_test_add_func("/chardev/remove-while-connecting", test_remove_while_connecting);
	g_test_add_func("/chardev/mux", test_mux);
	g_test_add_func("/chardev/commands", test_commands);
	g_test_add_func("/chardev/nested-socket", test_nested_socket);
	g_test_add_func("/chardev/tables", test_tables);
	g_test_add_func("/chardev/cleanup", test_cleanup);
	return g_test_run();
}
