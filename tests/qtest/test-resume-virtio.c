/* virtio devices, saved with requests in flight: twins.h. */
#include "abi/virtio-balloon.h"
#include "abi/virtio-console.h"
#include "api/json.h"
#include "base/checked.h"
#include "twins.h"

#define CARD   QTS_DEVFN(4, 0)
#define SOCKET "-chardev socket,id=c,path=%s/peer,server=on,wait=off "
#define PC     "-machine pc -m 64M "
#define V1     BIT64(VIRTIO_F_VERSION_1)

static void start(struct twin *t, uint64_t features)
{
	vdrv_pci(&t->d, t->s, CARD, VDRV_MODERN);
	g_assert_cmphex(vdrv_offered(&t->d) & features, ==, features);
	g_assert_true(vdrv_negotiate(&t->d, features | V1));
}

static void note_device(struct twin *t)
{
	note(t, "status %02x", vdrv_status(&t->d));
	note(t, "isr %02x", vdrv_isr(&t->d));
	note_board(t);
}

static void note_used(struct twin *t, unsigned queue)
{
	uint16_t id;
	uint32_t len = vq_wait(t->queues[queue], &id);

	note(t, "queue %u: buffer %u, %u bytes", queue, id, len);
}

static void note_data(struct twin *t, uint64_t addr, size_t len)
{
	g_autofree uint8_t *data = g_malloc(len);
	g_autofree char *sum = NULL;

	vdrv_memread(&t->d, addr, data, len);
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA1, data, len);
	note(t, "%zu bytes: %s", len, sum);
}

/* ---- virtio-rng: requests wait for a daemon that has not answered ---- */

#define RNG       PC SOCKET "-object rng-egd,id=r,chardev=c -device virtio-rng-pci,rng=r,addr=4"
#define RNG_BYTES 100

static void rng_begin_with(struct twin *t, uint64_t features)
{
	uint8_t request[2];

	start(t, features);
	twin_connect(t);
	t->queues[0] = vq_new(&t->d, 0, 0);
	t->buffer = vdrv_alloc(&t->d, 4 * RNG_BYTES, 8);
	vdrv_ok(&t->d);
	for (unsigned i = 0; i < 3; i++)
		vq_add(t->queues[0],
		       (struct vbuf[]){{t->buffer + i * RNG_BYTES, 40, true},
				       {t->buffer + i * RNG_BYTES + 40, 60, true}},
		       2);
	vq_kick(t->queues[0]);
	twin_receive(t, request, 2);
	g_assert_cmphex(request[0], ==, 2);
	g_assert_cmpuint(request[1], ==, RNG_BYTES);
}

static void rng_begin(struct twin *t)
{
	rng_begin_with(t, BIT64(VIRTIO_F_EVENT_IDX));
}

static void rng_packed_begin(struct twin *t)
{
	rng_begin_with(t, BIT64(VIRTIO_F_RING_PACKED));
}

/* The daemon of a restored machine is a new one, and is asked anew. */
static void rng_go_on(struct twin *t)
{
	uint8_t bytes[RNG_BYTES], request[2];

	note_device(t);
	for (unsigned i = 0; i < 3; i++) {
		memset(bytes, 0x30 + i, sizeof(bytes));
		if (i || t->heir)
			twin_receive(t, request, 2);
		twin_send(t, bytes, sizeof(bytes));
		note_used(t, 0);
		note_data(t, t->buffer + i * RNG_BYTES, RNG_BYTES);
	}
	note_device(t);
}

/* ---- virtio-serial: bytes under way in both directions ---- */

#define SERIAL                                                                                     \
	PC SOCKET "-device virtio-serial-pci,max_ports=2,addr=4 "                                  \
		  "-device virtserialport,nr=1,name=p,chardev=c"
#define BULK (512 * KIB) /* more than a socket takes that nobody reads */

enum { CONTROL_IN, CONTROL_OUT, PORT_IN, PORT_OUT };

static void tell(struct twin *t, uint32_t port, uint16_t event, uint16_t value)
{
	uint8_t bytes[VIRTIO_CONSOLE_CONTROL_SIZE];

	put_le32(bytes, port);
	put_le16(bytes + 4, event);
	put_le16(bytes + 6, value);
	vdrv_memwrite(&t->d, t->buffer, bytes, sizeof(bytes));
	vq_add(t->queues[CONTROL_OUT], &(struct vbuf){t->buffer, sizeof(bytes), false}, 1);
	vq_kick(t->queues[CONTROL_OUT]);
	vq_wait(t->queues[CONTROL_OUT], NULL);
}

static void note_message(struct twin *t)
{
	uint8_t bytes[VIRTIO_CONSOLE_CONTROL_SIZE];

	vq_add(t->queues[CONTROL_IN], &(struct vbuf){t->buffer + 64, 64, true}, 1);
	vq_kick(t->queues[CONTROL_IN]);
	note_used(t, CONTROL_IN);
	vdrv_memread(&t->d, t->buffer + 64, bytes, sizeof(bytes));
	note(t, "port %u event %u value %u", get_le32(bytes), get_le16(bytes + 4),
	     get_le16(bytes + 6));
}

/* What the host is told: pieces that differ from each other. */
static void fill(uint8_t *data)
{
	for (size_t i = 0; i < BULK; i++)
		data[i] = i >> 8 ^ i * 7;
}

/*
 * The port is open on both sides. A buffer for input waits; one of output is written to a socket that is full,
 * another stands behind it. The answers to PORT_READY have not found buffers.
 */
static void serial_begin(struct twin *t)
{
	g_autofree uint8_t *data = g_malloc(BULK);

	start(t, BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	for (unsigned i = 0; i < TWIN_QUEUES; i++)
		t->queues[i] = vq_new(&t->d, 2 + i, 16);
	t->buffer = vdrv_alloc(&t->d, 256, 8);
	fill(data);
	vdrv_memwrite(&t->d, TWIN_MEMORY + TWIN_LENGTH - BULK, data, BULK);
	vdrv_ok(&t->d);
	twin_connect(t);
	tell(t, UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 1);
	note_message(t);
	tell(t, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	tell(t, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	vq_add(t->queues[PORT_IN], &(struct vbuf){t->buffer + 128, 64, true}, 1);
	vq_kick(t->queues[PORT_IN]);
	vq_add(t->queues[PORT_OUT], &(struct vbuf){TWIN_MEMORY + TWIN_LENGTH - BULK, BULK, false},
	       1);
	vq_add(t->queues[PORT_OUT], &(struct vbuf){t->buffer + 192, 5, false}, 1);
	vq_kick(t->queues[PORT_OUT]);
	vdrv_memwrite(&t->d, t->buffer + 192, "later", 5);
	/* It comes to rest when the socket is full: then a byte can be read, and the rest waits. */
	twin_receive(t, data, 1);
}

/* The end of what the port wrote; a heir's peer has not got what the old one was sent. */
static void note_output(struct twin *t)
{
	g_autofree uint8_t *wanted = g_malloc(BULK);
	g_autoptr(GByteArray) got = g_byte_array_new();
	uint8_t tail[5] = {0};

	fill(wanted);
	while (memcmp(tail, "later", 5)) {
		uint8_t byte;

		twin_receive(t, &byte, 1);
		g_byte_array_append(got, &byte, 1);
		if (got->len >= 5)
			memcpy(tail, got->data + got->len - 5, 5);
	}
	g_assert_cmpuint(got->len, >, 5);
	g_assert_cmpuint(got->len - 5, <, BULK);
	g_assert_cmpmem(got->data, got->len - 5, wanted + BULK - (got->len - 5), got->len - 5);
}

static void serial_go_on(struct twin *t)
{
	note_message(t);
	note_message(t);
	note_output(t);
	note_used(t, PORT_OUT);
	note_used(t, PORT_OUT);
	twin_send(t, "hello", 5);
	note_used(t, PORT_IN);
	note_data(t, t->buffer + 128, 64);
	note_device(t);
}

/* ---- virtio-balloon ---- */

/* The statistics are with the device until it is time for the next; a target is not reached yet. */
static void balloon_begin(struct twin *t)
{
	start(t, BIT64(VIRTIO_BALLOON_F_STATS_VQ));
	t->queues[0] = vq_new(&t->d, 2, 0);
	t->buffer = vdrv_alloc(&t->d, 16, 8);
	vdrv_ok(&t->d);
	qts_writew(t->s, t->buffer, VIRTIO_BALLOON_S_FREE);
	qts_writeq(t->s, t->buffer + 2, 12345);
	vq_add(t->queues[0], &(struct vbuf){t->buffer, VIRTIO_BALLOON_STAT_SIZE, false}, 1);
	vq_kick(t->queues[0]);
	json_object_put(qts_qmp(t->s, "{'execute':'balloon','arguments':{'value':50331648}}"));
	vdrv_config_write(&t->d, VIRTIO_BALLOON_ACTUAL, 4, 1024);
	qts_clock_step(t->s, 1500000000);
}

static void note_balloon(struct twin *t)
{
	g_autoptr(json_object) size = qts_qmp(t->s, "{'execute':'query-balloon'}");
	g_autoptr(json_object) stats = qts_qmp(t->s, "{'execute':'qom-get','arguments':{'path':'b',"
						     "'property':'guest-stats'}}");

	note(t, "%s", json_object_to_json_string(size));
	note(t, "%s", json_object_to_json_string(json_object_object_get(stats, "stats")));
	note(t, "pages %x actual %x", vdrv_config(&t->d, VIRTIO_BALLOON_NUM_PAGES, 4),
	     vdrv_config(&t->d, VIRTIO_BALLOON_ACTUAL, 4));
}

static void balloon_go_on(struct twin *t)
{
	uint16_t id;
	uint32_t len;

	note_balloon(t);
	for (unsigned i = 0; i < 2; i++) {
		note(t, "early %u", vq_get(t->queues[0], &id, &len));
		note_ticks(t, 1);
		note_used(t, 0);
		note_device(t);
		qts_writeq(t->s, t->buffer + 2, 23456 + i);
		vq_add(t->queues[0], &(struct vbuf){t->buffer, VIRTIO_BALLOON_STAT_SIZE, false}, 1);
		vq_kick(t->queues[0]);
		note_balloon(t);
	}
}

/* ---- Interrupts that a mask holds back ---- */

#define MESSAGE (TWIN_MEMORY + TWIN_LENGTH - 16)

static void msix_begin(struct twin *t)
{
	rng_begin_with(t, 0);
	vdrv_enable_msix(&t->d, true);
	vdrv_write(&t->d, VIRTIO_COMMON_QUEUE_SELECT, 2, 0);
	vdrv_write(&t->d, VIRTIO_COMMON_QUEUE_VECTOR, 2, 1);
	qts_writel(t->s, t->d.msix + 16, MESSAGE);
	qts_writel(t->s, t->d.msix + 24, 0xfeed);
	twin_send(t, (uint8_t[RNG_BYTES]){1, 2, 3}, RNG_BYTES);
	note_used(t, 0);
	twin_receive(t, (uint8_t[2]){0}, 2);
	g_assert_true(vdrv_msix_pending(&t->d, 1));
}

static void msix_go_on(struct twin *t)
{
	note(t, "pending %u message %x", vdrv_msix_pending(&t->d, 1), qts_readl(t->s, MESSAGE));
	qts_writel(t->s, t->d.msix + 28, 0);
	note(t, "pending %u message %x", vdrv_msix_pending(&t->d, 1), qts_readl(t->s, MESSAGE));
	qts_writel(t->s, MESSAGE, 0);
	if (t->heir)
		twin_receive(t, (uint8_t[2]){0}, 2);
	twin_send(t, (uint8_t[RNG_BYTES]){4, 5, 6}, RNG_BYTES);
	note_used(t, 0);
	while (!qts_readl(t->s, MESSAGE))
		continue;
	note(t, "pending %u message %x", vdrv_msix_pending(&t->d, 1), qts_readl(t->s, MESSAGE));
}

static const struct scene scenes[] = {
	{"virtio-rng/split", RNG, rng_begin, rng_go_on},
	{"virtio-rng/packed", RNG ",packed=on", rng_packed_begin, rng_go_on},
	{"virtio-rng/msix", RNG, msix_begin, msix_go_on},
	{"virtio-serial", SERIAL, serial_begin, serial_go_on},
	{"virtio-balloon",
	 PC "-device virtio-balloon-pci,id=b,guest-stats-polling-interval=2,addr=4", balloon_begin,
	 balloon_go_on},
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	twins_add(scenes, G_N_ELEMENTS(scenes));
	return g_test_run();
}
