/* The devices of virtio-player.h: what they understand, and what happens to them on the host's side. */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "abi/virtio-balloon.h"
#include "abi/virtio-console.h"
#include "chardev/chardev.h"
#include "machine/balloon.h"
#include "virtio-player.h"

static size_t random_bytes(struct player_input *in, uint8_t *bytes, size_t room)
{
	size_t len = MIN(player_take(in, 1), room);

	for (size_t i = 0; i < len; i++)
		bytes[i] = player_take(in, 1);
	return len;
}

/* ---- virtio-serial ---- */

#define CONTROL_OUT 3

/* The peer of one character device; a guest's port is a listening socket. */
static struct {
	char *path;
	int fd;
} peers[2] = {{NULL, -1}, {NULL, -1}};

static size_t serial_message(struct player_input *in, unsigned queue, uint8_t *bytes, size_t room)
{
	if (queue != CONTROL_OUT)
		return random_bytes(in, bytes, room);
	put_le32(bytes, player_take(in, 1) & 3);
	put_le16(bytes + 4, player_take(in, 1) & 7);
	put_le16(bytes + 6, player_take(in, 1) & 1);
	return VIRTIO_CONSOLE_CONTROL_SIZE - (player_take(in, 1) == 1);
}

static void peer_connect(unsigned i)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	peers[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	g_strlcpy(addr.sun_path, peers[i].path, sizeof(addr.sun_path));
	if (connect(peers[i].fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(peers[i].fd);
		peers[i].fd = -1;
	}
}

static void serial_host(struct player_input *in)
{
	unsigned what = player_take(in, 1), i = what & 1;
	uint8_t bytes[256] = {0};

	if (peers[i].fd < 0) {
		peer_connect(i);
	} else if ((what & 6) == 6) {
		close(peers[i].fd);
		peers[i].fd = -1;
	} else if (what & 2) {
		while (recv(peers[i].fd, bytes, sizeof(bytes), 0) > 0)
			continue;
	} else {
		send(peers[i].fd, bytes, what, MSG_NOSIGNAL);
	}
	loop_run_once(loop_main(), false);
}

static void add_port(struct bus *bus, const struct device_type *type, const char *name, int peer)
{
	struct device *port = device_new(type);
	GError *err = NULL;

	if (name)
		g_assert_true(device_set_text(port, "name", name, NULL));
	if (peer >= 0) {
		g_autofree char *id = g_strdup_printf("chr%d", peer);
		json_object *options = json_object_new_object();

		peers[peer].path =
			g_strdup_printf("%s/fuzz-virtio-%d-%d", g_get_tmp_dir(), getpid(), peer);
		json_object_object_add(options, "backend", json_object_new_string("socket"));
		json_object_object_add(options, "path", json_object_new_string(peers[peer].path));
		json_object_object_add(options, "server", json_object_new_string("on"));
		json_object_object_add(options, "wait", json_object_new_string("off"));
		if (!chardev_new(id, options, &err))
			g_error("%s", err->message);
		json_object_put(options);
		g_assert_true(device_set_text(port, "chardev", id, NULL));
	}
	if (!device_realize(port, tree_container("/machine/peripheral-anon"), NULL, bus, &err))
		g_error("%s", err->message);
}

void victim_serial_ports(struct victim *victim)
{
	struct bus *bus = g_ptr_array_index(victim->v->dev.buses, 0);

	add_port(bus, &virtconsole_type, NULL, 0);
	add_port(bus, &virtserialport_type, "port", 1);
	add_port(bus, &virtserialport_type, "nobody", -1);
	atexit(chardev_cleanup_all);
	victim->message = serial_message;
	victim->host = serial_host;
}

/* ---- virtio-balloon ---- */

#define STATS_QUEUE 2
#define HINT_QUEUE  3

static size_t balloon_message(struct player_input *in, unsigned queue, uint8_t *bytes, size_t room)
{
	size_t len = 0, count = player_take(in, 1) & 15;

	if (queue == HINT_QUEUE) {
		put_le32(bytes, player_take(in, 1) & 1 ? BIT(31) + player_take(in, 1)
						       : VIRTIO_BALLOON_HINT_STOP);
		return 4;
	}
	for (size_t i = 0; i < count; i++) {
		if (queue == STATS_QUEUE) {
			put_le16(bytes + len, player_take(in, 1) & 15);
			put_le64(bytes + len + 2, player_take(in, 2));
			len += VIRTIO_BALLOON_STAT_SIZE;
		} else {
			put_le32(bytes + len, player_take(in, 2) << (i & 7));
			len += 4;
		}
	}
	return len;
}

static void balloon_host(struct player_input *in)
{
	struct ram_block *ram = bench()->ram;

	balloon_hint_round(player_take(in, 1) & 1);
	dirty_mark(ram, 0, ram->size);
}

void victim_balloon(struct victim *victim)
{
	victim->message = balloon_message;
	victim->host = balloon_host;
	dirty_start(bench()->ram, DIRTY_MIGRATION, true);
}
