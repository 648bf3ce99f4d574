/* What virtio-balloon and virtio-serial tell their drivers, and what drivers tell them. */
#include "abi/virtio-balloon.h"
#include "abi/virtio-console.h"
#include "api/json.h"
#include "base/checked.h"
#include "libqtest-virtio.h"

#define CARD QTS_DEVFN(4, 0)
#define V1   BIT64(VIRTIO_F_VERSION_1)

static struct qts *start(struct vdrv *d, const char *options, uint64_t features)
{
	g_autofree char *args = g_strdup_printf("-machine pc -m 64M %s,addr=4", options);
	struct qts *s = qts_start(args);

	vdrv_pci(d, s, CARD, VDRV_MODERN);
	g_assert_cmphex(vdrv_offered(d) & features, ==, features);
	g_assert_true(vdrv_negotiate(d, features | V1));
	return s;
}

/* ---- virtio-balloon ---- */

static int64_t actual(struct qts *s)
{
	g_autoptr(json_object) reply = qts_qmp(s, "{'execute':'query-balloon'}");

	return json_object_get_int64(json_object_object_get(reply, "actual"));
}

static void test_balloon_target(void)
{
	struct vdrv d;
	struct qts *s = start(&d, "-device virtio-balloon-pci,id=b", 0);

	vdrv_ok(&d);
	json_object_put(qts_qmp(s, "{'execute':'balloon','arguments':{'value':50331648}}"));
	g_assert_cmpuint(vdrv_config(&d, VIRTIO_BALLOON_NUM_PAGES, 4), ==, 4096);
	g_assert_cmphex(vdrv_isr(&d) & VIRTIO_ISR_CONFIG, ==, VIRTIO_ISR_CONFIG);
	vdrv_config_write(&d, VIRTIO_BALLOON_ACTUAL, 4, 1024);
	json_object_put(qts_qmp_event(s, "BALLOON_CHANGE"));
	g_assert_cmpint(actual(s), ==, 60 * MIB);
	vdrv_set_status(&d, 0);
	g_assert_cmpint(actual(s), ==, 64 * MIB);
	qts_quit(s);
}

/* A page that is given away reads as zeros; one that is taken back keeps what is written. */
static void test_balloon_inflate(void)
{
	struct vdrv d;
	struct qts *s = start(&d, "-device virtio-balloon-pci,id=b", 0);
	struct vq *inflate = vq_new(&d, 0, 0);
	uint64_t page = vdrv_alloc(&d, 4096, 4096), list = vdrv_alloc(&d, 8, 8);

	vdrv_ok(&d);
	qts_memset(s, page, 0x5a, 4096);
	qts_writel(s, list, page >> 12);
	qts_writel(s, list + 4, UINT32_MAX); /* nothing there: passed over */
	vq_add(inflate, &(struct vbuf){list, 8, false}, 1);
	vq_kick(inflate);
	g_assert_cmpuint(vq_wait(inflate, NULL), ==, 0);
	g_assert_cmphex(qts_readl(s, page), ==, 0);
	g_assert_cmphex(vdrv_status(&d) & VIRTIO_STATUS_NEEDS_RESET, ==, 0);
	vq_free(inflate);
	qts_quit(s);
}

static void test_balloon_stats(void)
{
	struct vdrv d;
	struct qts *s = start(&d, "-device virtio-balloon-pci,id=b,guest-stats-polling-interval=2",
			      BIT64(VIRTIO_BALLOON_F_STATS_VQ));
	struct vq *stats = vq_new(&d, 2, 0);
	uint64_t buf = vdrv_alloc(&d, 16, 8);
	json_object *reply, *values;
	uint16_t id;
	uint32_t len;

	vdrv_ok(&d);
	qts_writew(s, buf, VIRTIO_BALLOON_S_FREE);
	qts_writeq(s, buf + 2, 12345);
	vq_add(stats, &(struct vbuf){buf, VIRTIO_BALLOON_STAT_SIZE, false}, 1);
	vq_kick(stats);
	g_assert_false(vq_get(stats, &id, &len));
	reply = qts_qmp(s,
			"{'execute':'qom-get','arguments':{'path':'b','property':'guest-stats'}}");
	values = json_object_object_get(reply, "stats");
	g_assert_cmpint(json_object_get_int64(json_object_object_get(values, "stat-free-memory")),
			==, 12345);
	g_assert_cmpint(json_object_get_int64(json_object_object_get(reply, "last-update")), >, 0);
	json_object_put(reply);
	/* It comes back when it is time for the next. */
	qts_clock_step(s, 3000000000);
	g_assert_true(vq_get(stats, &id, &len));
	vq_free(stats);
	qts_quit(s);
}

/* Hints are worked on by an iothread, in or out of a round. */
static void test_balloon_iothread(void)
{
	struct vdrv d;
	struct qts *s = start(&d,
			      "-object iothread,id=io -device virtio-balloon-pci,id=b,"
			      "free-page-hint=on,iothread=io",
			      BIT64(VIRTIO_BALLOON_F_FREE_PAGE_HINT));
	struct vq *hints = vq_new(&d, 3, 64);
	uint64_t page = vdrv_alloc(&d, 4096, 4096);
	g_autofree char *text = NULL;

	vdrv_ok(&d);
	for (unsigned i = 0; i < 100; i++) {
		vq_add(hints, &(struct vbuf){page, 4096, true}, 1);
		vq_kick(hints);
		vq_wait(hints, NULL);
	}
	text = qts_qmp_error(s, "{'execute':'object-del','arguments':{'id':'io'}}");
	g_assert_cmpstr(text, ==, "object 'io' is in use, can not be deleted");
	vdrv_set_status(&d, 0);
	vq_free(hints);
	qts_quit(s);
}

/* ---- virtio-serial ---- */

struct control {
	struct vdrv d;
	struct qts *s;
	struct vq *in, *out;
	uint64_t in_buf, out_buf;
};

static void offer(struct control *c)
{
	vq_add(c->in, &(struct vbuf){c->in_buf, 64, true}, 1);
	vq_kick(c->in);
}

static void tell(struct control *c, uint32_t port, uint16_t event, uint16_t value)
{
	qts_writel(c->s, c->out_buf, port);
	qts_writew(c->s, c->out_buf + 4, event);
	qts_writew(c->s, c->out_buf + 6, value);
	vq_add(c->out, &(struct vbuf){c->out_buf, VIRTIO_CONSOLE_CONTROL_SIZE, false}, 1);
	vq_kick(c->out);
	vq_wait(c->out, NULL);
}

/* The next message to the driver; what follows its head is left in the buffer. */
static void expect(struct control *c, uint32_t port, uint16_t event, uint16_t value)
{
	g_assert_cmpuint(vq_wait(c->in, NULL), >=, VIRTIO_CONSOLE_CONTROL_SIZE);
	g_assert_cmpuint(qts_readl(c->s, c->in_buf), ==, port);
	g_assert_cmpuint(qts_readw(c->s, c->in_buf + 4), ==, event);
	g_assert_cmpuint(qts_readw(c->s, c->in_buf + 6), ==, value);
}

/* A driver of four ports that has said that it is there, and has no buffer yet for what it is told. */
static void control_start(struct control *c)
{
	c->s = start(&c->d, "-chardev null,id=n -device virtio-serial-pci,id=vs,max_ports=4",
		     BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	g_assert_cmpuint(vdrv_config(&c->d, VIRTIO_CONSOLE_MAX_PORTS, 4), ==, 4);
	c->in = vq_new(&c->d, 2, 0);
	c->out = vq_new(&c->d, 3, 0);
	c->in_buf = vdrv_alloc(&c->d, 64, 8);
	c->out_buf = vdrv_alloc(&c->d, 64, 8);
	vdrv_ok(&c->d);
	tell(c, UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 1);
}

static void control_end(struct control *c)
{
	vq_free(c->in);
	vq_free(c->out);
	qts_quit(c->s);
}

static void test_serial_control(void)
{
	struct control c;
	g_autoptr(json_object) data = NULL;
	char name[5] = "";

	control_start(&c);
	offer(&c);
	json_object_put(qts_qmp(c.s, "{'execute':'device_add','arguments':{'driver':"
				     "'virtserialport','id':'p','name':'port',"
				     "'nr':2}}"));
	expect(&c, 2, VIRTIO_CONSOLE_DEVICE_ADD, 1);
	offer(&c);
	tell(&c, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(&c, 2, VIRTIO_CONSOLE_PORT_NAME, 1);
	qts_memread(c.s, c.in_buf + VIRTIO_CONSOLE_CONTROL_SIZE, name, sizeof(name));
	g_assert_cmpmem(name, sizeof(name), "port", 5);
	tell(&c, 2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	data = qts_qmp_event(c.s, "VSERPORT_CHANGE");
	g_assert_true(json_object_get_boolean(json_object_object_get(data, "open")));
	/* Of no port, and of nothing known. */
	tell(&c, 77, VIRTIO_CONSOLE_PORT_OPEN, 1);
	tell(&c, 2, 99, 1);
	qts_roundtrip(c.s);
	control_end(&c);
}

/*
 * A driver that has no buffers for what it is told is heard all the same: Linux spins until its message is
 * taken, before it gives the buffer of the one that it answers back.
 */
static void test_serial_unheard(void)
{
	struct control c;
	static const uint16_t told[] = {VIRTIO_CONSOLE_DEVICE_ADD, VIRTIO_CONSOLE_PORT_OPEN,
					VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_PORT_OPEN};

	control_start(&c);
	json_object_put(qts_qmp(c.s, "{'execute':'device_add','arguments':{'driver':"
				     "'virtserialport','id':'p','name':'port',"
				     "'nr':2,'chardev':'n'}}"));
	tell(&c, 2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	json_object_put(qts_qmp_event(c.s, "VSERPORT_CHANGE"));
	tell(&c, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	qts_roundtrip(c.s);
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
		offer(&c);
		expect(&c, 2, told[i], 1);
	}
	control_end(&c);
}

static void test_serial_refused(void)
{
	static const char *const cases[][2] = {
		{"'virtserialport','nr':0",
		 "Port number 0 on virtio-serial devices reserved for virtconsole devices for "
		 "backward compatibility."},
		{"'virtserialport','nr':9",
		 "virtio-serial-bus: Out-of-range port id specified, max. allowed: 3"},
		{"'virtserialport','nr':1", "virtio-serial-bus: A port already exists at id 1"},
		{"'virtserialport','name':'a'",
		 "virtio-serial-bus: A port already exists by name a"},
	};
	struct qts *s = qts_start("-machine pc -m 32M -device virtio-serial-pci,max_ports=4 "
				  "-device virtserialport,nr=1,name=a");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = qts_qmp_error(
			s, "{'execute':'device_add','arguments':{'driver':%s}}", cases[i][0]);

		g_assert_cmpstr(text, ==, cases[i][1]);
	}
	qts_quit(s);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/virtio-balloon/target", test_balloon_target);
	g_test_add_func("/virtio-balloon/inflate", test_balloon_inflate);
	g_test_add_func("/virtio-balloon/stats", test_balloon_stats);
	g_test_add_func("/virtio-balloon/iothread", test_balloon_iothread);
	g_test_add_func("/virtio-serial/control", test_serial_control);
	g_test_add_func("/virtio-serial/unheard", test_serial_unheard);
	g_test_add_func("/virtio-serial/refused", test_serial_refused);
	return g_test_run();
}
