/*
 * The virtio core and its PCI transport, with virtio-rng as the device: rings of both formats, interrupts,
 * broken drivers. The source of randomness is a file of known bytes, so what arrives can be compared.
 */
#include <stdio.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "libqtest-virtio.h"

#define RNG QTS_DEVFN(4, 0)

#define VERSION_1 BIT64(VIRTIO_F_VERSION_1)
#define PACKED    BIT64(VIRTIO_F_RING_PACKED)
#define INDIRECT  BIT64(VIRTIO_F_INDIRECT_DESC)
#define EVENT_IDX BIT64(VIRTIO_F_EVENT_IDX)

/* How a test meets the device. */
struct way {
	const char *name;
	enum vdrv_kind kind;
	uint64_t features;
	const char *options;
};

static const struct way ways[] = {
	{"modern", VDRV_MODERN, VERSION_1 | INDIRECT, ""},
	{"modern-event", VDRV_MODERN, VERSION_1 | INDIRECT | EVENT_IDX, ""},
	{"modern-in-order", VDRV_MODERN, VERSION_1 | INDIRECT | BIT64(VIRTIO_F_IN_ORDER),
	 ",in_order=on"},
	{"modern-data", VDRV_MODERN, VERSION_1 | INDIRECT | BIT64(VIRTIO_F_NOTIFICATION_DATA),
	 ",notification_data=on"},
	{"modern-platform", VDRV_MODERN, VERSION_1 | INDIRECT | BIT64(VIRTIO_F_ACCESS_PLATFORM),
	 ",disable-legacy=on,iommu_platform=on"},
	{"packed", VDRV_MODERN, VERSION_1 | INDIRECT | PACKED, ",packed=on"},
	{"packed-event", VDRV_MODERN, VERSION_1 | INDIRECT | PACKED | EVENT_IDX, ",packed=on"},
	{"legacy", VDRV_LEGACY, INDIRECT, ""},
	{"legacy-event", VDRV_LEGACY, INDIRECT | EVENT_IDX, ",disable-modern=on"},
	{"legacy-empty", VDRV_LEGACY, BIT64(VIRTIO_F_NOTIFY_ON_EMPTY), ""},
};

struct run {
	struct qts *s;
	struct vdrv d;
	char *file;
	uint8_t next; /* byte of the file the guest has not seen yet */
};

#define FILE_SIZE 65536

static void run_start(struct run *r, enum vdrv_kind kind, const char *options)
{
	g_autofree uint8_t *bytes = g_malloc(FILE_SIZE);
	g_autofree char *args = NULL;
	int fd = g_file_open_tmp("quail-rng-XXXXXX", &r->file, NULL);

	for (unsigned i = 0; i < FILE_SIZE; i++)
		bytes[i] = i;
	g_assert_cmpint(write(fd, bytes, FILE_SIZE), ==, FILE_SIZE);
	close(fd);
	args = g_strdup_printf("-machine pc -m 32M -object rng-random,id=r,filename=%s "
			       "-device virtio-rng-pci,id=rng,rng=r,addr=4%s",
			       r->file, options);
	r->s = qts_start(args);
	r->next = 0;
	vdrv_pci(&r->d, r->s, RNG, kind);
}

static void run_end(struct run *r)
{
	qts_quit(r->s);
	g_unlink(r->file);
	g_free(r->file);
}

static struct vq *run_queue(struct run *r, uint64_t features)
{
	struct vq *q;

	g_assert_true(vdrv_negotiate(&r->d, features));
	q = vq_new(&r->d, 0, features & PACKED ? 5 : 0);
	vdrv_ok(&r->d);
	return q;
}

/* The file is read in order, in whatever portions. */
static void check_bytes(struct run *r, const struct vbuf *bufs, unsigned count, uint32_t len)
{
	for (unsigned i = 0; i < count && len; i++) {
		uint8_t bytes[512];
		uint32_t part = MIN(len, bufs[i].len);

		vdrv_memread(&r->d, bufs[i].addr, bytes, part);
		for (uint32_t n = 0; n < part; n++)
			g_assert_cmphex(bytes[n], ==, r->next++);
		len -= part;
	}
	g_assert_cmpuint(len, ==, 0);
}

/* ---- Rings ---- */

static void test_rounds(gconstpointer data)
{
	const struct way *w = data;
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, w->kind, w->options);
	q = run_queue(&r, w->features);
	page = vdrv_alloc(&r.d, 4096, 4096);
	for (unsigned round = 0; round < 100; round++) {
		struct vbuf bufs[] = {
			{page, 1 + round, true}, {page + 256, 8, true}, {page + 1000, 100, true}};
		unsigned count = 1 + round % 3;
		bool indirect = (w->features & INDIRECT) && round % 7 == 3;
		uint16_t id = indirect ? vq_add_indirect(q, bufs, count) : vq_add(q, bufs, count);
		uint16_t used_id;
		uint32_t len;

		vq_kick(q);
		len = vq_wait(q, &used_id);
		g_assert_cmpuint(used_id, ==, id);
		g_assert_cmpuint(len, >, 0);
		check_bytes(&r, bufs, count, len);
	}
	vq_free(q);
	run_end(&r);
}

/* All buffers at once, one kick: they come back in order, each written once. */
static void test_batch(gconstpointer data)
{
	const struct way *w = data;
	struct run r;
	struct vq *q;
	uint64_t page;
	uint16_t ids[8];

	run_start(&r, w->kind, w->options);
	q = run_queue(&r, w->features);
	page = vdrv_alloc(&r.d, 4096, 4096);
	for (unsigned i = 0; i < q->size; i++)
		ids[i] = vq_add(q, &(struct vbuf){page + 64 * i, 64, true}, 1);
	vq_kick(q);
	for (unsigned i = 0; i < q->size; i++) {
		uint16_t id;
		uint32_t len = vq_wait(q, &id);

		g_assert_cmpuint(id, ==, ids[i]);
		check_bytes(&r, &(struct vbuf){page + 64 * i, 64}, 1, len);
	}
	vq_free(q);
	run_end(&r);
}

static void fill_one(struct run *r, struct vq *q, uint64_t addr)
{
	vq_add(q, &(struct vbuf){addr, 16, true}, 1);
	vq_kick(q);
	check_bytes(r, &(struct vbuf){addr, 16}, 1, vq_wait(q, NULL));
}

static void test_interrupts(gconstpointer data)
{
	const struct way *w = data;
	struct run r;
	struct vq *q;
	uint64_t page;
	bool event_idx = w->features & EVENT_IDX;
	bool on_empty = w->features & BIT64(VIRTIO_F_NOTIFY_ON_EMPTY);

	run_start(&r, w->kind, w->options);
	q = run_queue(&r, w->features);
	page = vdrv_alloc(&r.d, 4096, 4096);
	for (unsigned i = 0; i < 20; i++) {
		vq_interrupt_after(q, 0);
		fill_one(&r, q, page);
		g_assert_cmphex(vdrv_isr(&r.d), ==, VIRTIO_ISR_QUEUE);
		g_assert_cmphex(vdrv_isr(&r.d), ==, 0);
	}
	if (!event_idx) {
		vq_interrupt_after(q, -1);
		fill_one(&r, q, page);
		g_assert_cmphex(vdrv_isr(&r.d), ==, on_empty ? VIRTIO_ISR_QUEUE : 0);
	}
	for (unsigned i = 0; i < 10 && event_idx; i++) {
		vq_interrupt_after(q, 2);
		fill_one(&r, q, page);
		fill_one(&r, q, page);
		g_assert_cmphex(vdrv_isr(&r.d), ==, 0);
		fill_one(&r, q, page);
		g_assert_cmphex(vdrv_isr(&r.d), ==, VIRTIO_ISR_QUEUE);
	}
	vq_free(q);
	run_end(&r);
}

static void test_intx(void)
{
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, VDRV_MODERN, "");
	q = run_queue(&r, VERSION_1);
	page = vdrv_alloc(&r.d, 4096, 4096);
	fill_one(&r, q, page);
	/* The status register of configuration space shows the pin. */
	g_assert_true(qts_pci_readw(r.s, 0, RNG, 0x06) & BIT(3));
	g_assert_cmphex(vdrv_isr(&r.d), ==, VIRTIO_ISR_QUEUE);
	g_assert_false(qts_pci_readw(r.s, 0, RNG, 0x06) & BIT(3));
	vq_free(q);
	run_end(&r);
}

static void test_msix(gconstpointer data)
{
	const struct way *w = data;
	bool legacy = w->kind == VDRV_LEGACY;
	unsigned vector_at = legacy ? VIRTIO_LEGACY_QUEUE_VECTOR : VIRTIO_COMMON_QUEUE_VECTOR;
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, w->kind, w->options);
	vdrv_enable_msix(&r.d, true);
	q = run_queue(&r, w->features);
	page = vdrv_alloc(&r.d, 4096, 4096);
	vdrv_write(&r.d, vector_at, 2, 2); /* there are two */
	g_assert_cmphex(vdrv_read(&r.d, vector_at, 2), ==, VIRTIO_NO_VECTOR);
	vdrv_write(&r.d, vector_at, 2, 1);
	g_assert_cmphex(vdrv_read(&r.d, vector_at, 2), ==, 1);
	vq_interrupt_after(q, 0);
	fill_one(&r, q, page);
	g_assert_true(vdrv_msix_pending(&r.d, 1));
	g_assert_false(vdrv_msix_pending(&r.d, 0));
	g_assert_false(qts_pci_readw(r.s, 0, RNG, 0x06) & BIT(3));
	vq_free(q);
	run_end(&r);
}

/* ---- Negotiation ---- */

static void test_features(void)
{
	struct run r;
	uint64_t offered;

	run_start(&r, VDRV_MODERN, "");
	offered = vdrv_offered(&r.d);
	g_assert_cmphex(offered, ==, VERSION_1 | INDIRECT | EVENT_IDX | BIT64(VIRTIO_F_RING_RESET));
	g_assert_true(vdrv_negotiate(&r.d, offered));
	g_assert_false(vdrv_negotiate(&r.d, offered & ~VERSION_1));
	g_assert_false(vdrv_negotiate(&r.d, offered | PACKED));
	g_assert_false(vdrv_negotiate(&r.d, offered | BIT64(63)));
	g_assert_true(vdrv_negotiate(&r.d, VERSION_1));
	/* Final until reset. */
	vdrv_write(&r.d, VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, 0);
	vdrv_write(&r.d, VIRTIO_COMMON_DRIVER_FEATURE, 4, INDIRECT);
	g_assert_cmphex(vdrv_read(&r.d, VIRTIO_COMMON_DRIVER_FEATURE, 4), ==, 0);
	vdrv_set_status(&r.d, VIRTIO_STATUS_ACKNOWLEDGE);
	g_assert_true(vdrv_status(&r.d) & VIRTIO_STATUS_FEATURES_OK);
	/* Beyond 64 bits there are none. */
	vdrv_write(&r.d, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4, 2);
	g_assert_cmphex(vdrv_read(&r.d, VIRTIO_COMMON_DEVICE_FEATURE, 4), ==, 0);
	run_end(&r);
}

static void test_platform_needed(void)
{
	struct run r;

	run_start(&r, VDRV_MODERN, ",disable-legacy=on,iommu_platform=on");
	g_assert_false(vdrv_negotiate(&r.d, VERSION_1));
	g_assert_true(vdrv_negotiate(&r.d, VERSION_1 | BIT64(VIRTIO_F_ACCESS_PLATFORM)));
	run_end(&r);
}

static void test_queue_registers(void)
{
	static const struct {
		unsigned write, read;
	} sizes[] = {{8, 8}, {4, 4}, {3, 4}, {0, 4}, {16, 4}, {1, 1}};
	struct run r;

	run_start(&r, VDRV_MODERN, "");
	g_assert_true(vdrv_negotiate(&r.d, VERSION_1));
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_SIZE, 2, sizes[i].write);
		g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_SIZE, 2), ==, sizes[i].read);
	}
	vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_SELECT, 2, 1);
	g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_SIZE, 2), ==, 0);
	vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_ENABLE, 2), ==, 0);
	run_end(&r);
}

/* ---- Broken drivers ---- */

struct crime {
	const char *name;
	void (*commit)(struct run *r, struct vq *q, uint64_t page);
	uint64_t features;
};

static void put16(struct run *r, uint64_t addr, uint16_t value)
{
	vdrv_memwrite(&r->d, addr, &value, sizeof(value));
}

static void crime_idx(struct run *r, struct vq *q, uint64_t page)
{
	put16(r, q->driver + VRING_AVAIL_IDX, 9);
}

static void crime_head(struct run *r, struct vq *q, uint64_t page)
{
	put16(r, q->driver + VRING_AVAIL_RING, 8);
	put16(r, q->driver + VRING_AVAIL_IDX, 1);
}

static void crime_next(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, (struct vbuf[]){{page, 8, true}, {page, 8, true}}, 2);
	put16(r, q->desc + 14, 0xffff);
}

static void crime_loop(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, (struct vbuf[]){{page, 8, true}, {page, 8, true}}, 2);
	put16(r, q->desc + 14, 0);
}

static void crime_empty(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){page, 0, true}, 1);
}

static void crime_hole(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){0xa0000000, 8, true}, 1);
}

static void crime_edge(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){32 * MIB - 4, 8, true}, 1);
}

static void crime_wrap(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){~0ULL - 3, 8, true}, 1);
}

static void crime_registers(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){r->d.base, 8, true}, 1);
}

static void crime_rom(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, &(struct vbuf){0xfffffff0, 8, true}, 1);
}

static void crime_order(struct run *r, struct vq *q, uint64_t page)
{
	vq_add(q, (struct vbuf[]){{page, 8, true}, {page, 8, false}}, 2);
}

static void crime_uninvited(struct run *r, struct vq *q, uint64_t page)
{
	vq_add_indirect(q, &(struct vbuf){page, 8, true}, 1);
}

static void crime_odd_table(struct run *r, struct vq *q, uint64_t page)
{
	vq_add_indirect(q, &(struct vbuf){page, 8, true}, 1);
	put16(r, q->desc + 8, 17);
}

static void crime_no_table(struct run *r, struct vq *q, uint64_t page)
{
	vq_add_indirect(q, &(struct vbuf){page, 8, true}, 1);
	put16(r, q->desc + 8, 0);
}

static void crime_next_and_table(struct run *r, struct vq *q, uint64_t page)
{
	vq_add_indirect(q, &(struct vbuf){page, 8, true}, 1);
	put16(r, q->desc + (q->packed ? 14 : 12),
	      VRING_DESC_NEXT | VRING_DESC_INDIRECT | (q->packed ? VRING_DESC_AVAIL : 0));
}

static void crime_table_in_table(struct run *r, struct vq *q, uint64_t page)
{
	uint16_t flags = VRING_DESC_INDIRECT;

	vq_add_indirect(q, &(struct vbuf){page, 16, true}, 1);
	/* The table is what was taken last. */
	vdrv_memwrite(&r->d, ROUND_UP(r->d.memory - 16, 16) + 12, &flags, 2);
}

static void crime_endless(struct run *r, struct vq *q, uint64_t page)
{
	for (unsigned i = 0; i < q->size; i++)
		put16(r, q->desc + 16 * i + 14, VRING_DESC_AVAIL | VRING_DESC_NEXT);
	for (unsigned i = 0; i < q->size; i++) {
		vdrv_memwrite(&r->d, q->desc + 16 * i, &page, 8);
		put16(r, q->desc + 16 * i + 8, 4);
	}
}

static const struct crime crimes[] = {
	{"idx", crime_idx, 0},
	{"head", crime_head, 0},
	{"next", crime_next, 0},
	{"loop", crime_loop, 0},
	{"table-in-table", crime_table_in_table, INDIRECT},
	{"empty", crime_empty, 0},
	{"hole", crime_hole, 0},
	{"edge", crime_edge, 0},
	{"wrap", crime_wrap, 0},
	{"registers", crime_registers, 0},
	{"rom", crime_rom, 0},
	{"order", crime_order, 0},
	{"uninvited", crime_uninvited, 0},
	{"odd-table", crime_odd_table, INDIRECT},
	{"no-table", crime_no_table, INDIRECT},
	{"next-and-table", crime_next_and_table, INDIRECT},
	{"packed-empty", crime_empty, PACKED},
	{"packed-hole", crime_hole, PACKED},
	{"packed-order", crime_order, PACKED},
	{"packed-uninvited", crime_uninvited, PACKED},
	{"packed-odd-table", crime_odd_table, PACKED | INDIRECT},
	{"packed-next-and-table", crime_next_and_table, PACKED | INDIRECT},
	{"packed-endless", crime_endless, PACKED},
};

static void expect_broken(struct run *r)
{
	g_assert_true(vdrv_status(&r->d) & VIRTIO_STATUS_NEEDS_RESET);
	g_assert_true(vdrv_isr(&r->d) & VIRTIO_ISR_CONFIG);
	/* Nothing but a reset takes it back. */
	vdrv_set_status(&r->d, 0x0f);
	g_assert_true(vdrv_status(&r->d) & VIRTIO_STATUS_NEEDS_RESET);
}

static void test_crime(gconstpointer data)
{
	const struct crime *c = data;
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, VDRV_MODERN, c->features & PACKED ? ",packed=on" : "");
	q = run_queue(&r, VERSION_1 | c->features);
	page = vdrv_alloc(&r.d, 4096, 4096);
	c->commit(&r, q, page);
	vq_kick(q);
	expect_broken(&r);
	qts_roundtrip(r.s);
	g_assert_true(vdrv_status(&r.d) & VIRTIO_STATUS_NEEDS_RESET);
	vq_free(q);

	q = run_queue(&r, VERSION_1 | c->features);
	g_assert_false(vdrv_status(&r.d) & VIRTIO_STATUS_NEEDS_RESET);
	fill_one(&r, q, page);
	vq_free(q);
	run_end(&r);
}

/* A ring at an impossible place is found when it is first used. */
static void test_bad_places(void)
{
	static const struct {
		unsigned area;
		uint64_t addr;
	} places[] = {
		{0, 0xa0000000}, {0, 0x100008},  {0, ~0ULL << 4},  {8, 0x100001},
		{8, 0xe4001000}, {16, 0x100002}, {16, 0xfffff000}, {16, 32 * MIB - 4},
	};
	struct run r;

	run_start(&r, VDRV_MODERN, "");
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		struct vq *q;

		r.d.memory = 0x200000;
		g_assert_true(vdrv_negotiate(&r.d, VERSION_1));
		q = vq_new(&r.d, 0, 8);
		/* Set anew: reset of the queue lets it. */
		vdrv_set_status(&r.d, 0);
		g_assert_true(vdrv_negotiate(&r.d, VERSION_1));
		for (unsigned area = 0; area < 3; area++) {
			uint64_t addr = (uint64_t[]){q->desc, q->driver, q->device}[area];

			if (places[i].area == 8 * area)
				addr = places[i].addr;
			vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_DESC + 8 * area, 4, addr);
			vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_DESC + 8 * area + 4, 4, addr >> 32);
		}
		vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
		vdrv_ok(&r.d);
		vq_add(q, &(struct vbuf){0x180000, 8, true}, 1);
		vq_kick(q);
		expect_broken(&r);
		vq_free(q);
	}
	run_end(&r);
}

/* The ring's memory goes away under it. */
static void test_ring_vanishes(void)
{
	struct run r;
	struct vq *q;

	run_start(&r, VDRV_MODERN, "");
	qts_pci_writeb(r.s, 0, 0, 0x5c, 0x33); /* PAM: D0000h is RAM */
	r.d.memory = 0xd0000;
	q = run_queue(&r, VERSION_1);
	fill_one(&r, q, 0x100000);
	qts_pci_writeb(r.s, 0, 0, 0x5c, 0x00);
	vq_kick(q);
	expect_broken(&r);
	qts_pci_writeb(r.s, 0, 0, 0x5c, 0x33);
	r.d.memory = 0xd0000;
	vq_free(q);
	q = run_queue(&r, VERSION_1);
	fill_one(&r, q, 0x100000);
	vq_free(q);
	run_end(&r);
}

static void test_unknown_queues(void)
{
	struct run r;

	run_start(&r, VDRV_MODERN, "");
	g_assert_true(vdrv_negotiate(&r.d, VERSION_1));
	vdrv_ok(&r.d);
	for (unsigned n = 0; n < 1024; n += 31)
		qts_writew(r.s, r.d.base + 0x3000 + 4 * n, n);
	g_assert_cmphex(vdrv_status(&r.d), ==, 0x0f);
	run_end(&r);
}

/* ---- Reset of queues, mastering, the window ---- */

static void test_queue_reset(void)
{
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, VDRV_MODERN, ",max-bytes=16");
	q = run_queue(&r, VERSION_1 | BIT64(VIRTIO_F_RING_RESET));
	page = vdrv_alloc(&r.d, 4096, 4096);
	fill_one(&r, q, page);
	/* The quota is spent: this one is held by the device. */
	vq_add(q, &(struct vbuf){page, 16, true}, 1);
	vq_kick(q);
	vdrv_write(&r.d, VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_RESET, 2), ==, 0);
	g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_ENABLE, 2), ==, 0);
	g_assert_cmpuint(vdrv_read(&r.d, VIRTIO_COMMON_QUEUE_SIZE, 2), ==, 8);
	vq_free(q);
	q = vq_new(&r.d, 0, 4);
	vq_add(q, &(struct vbuf){page + 64, 16, true}, 1);
	vq_kick(q);
	qts_clock_step(r.s, 65536 * 1000000ULL);
	check_bytes(&r, &(struct vbuf){page + 64, 16}, 1, vq_wait(q, NULL));
	vq_free(q);
	run_end(&r);
}

static void test_mastering(void)
{
	struct run r;
	struct vq *q;
	uint64_t page;
	uint16_t id;
	uint32_t len;

	run_start(&r, VDRV_MODERN, "");
	q = run_queue(&r, VERSION_1);
	page = vdrv_alloc(&r.d, 4096, 4096);
	qts_pci_writew(r.s, 0, RNG, 0x04, 0x0003);
	g_assert_false(vdrv_status(&r.d) & VIRTIO_STATUS_DRIVER_OK);
	vq_add(q, &(struct vbuf){page, 16, true}, 1);
	vq_kick(q);
	qts_clock_step(r.s, 1000);
	g_assert_false(vq_get(q, &id, &len));
	qts_pci_writew(r.s, 0, RNG, 0x04, 0x0007);
	vdrv_ok(&r.d);
	check_bytes(&r, &(struct vbuf){page, 16}, 1, vq_wait(q, NULL));
	vq_free(q);
	run_end(&r);
}

/* A driver of old that never switched mastering on. */
static void test_legacy_mastering(void)
{
	struct run r;
	struct vq *q;
	uint64_t page;

	run_start(&r, VDRV_LEGACY, "");
	qts_pci_writew(r.s, 0, RNG, 0x04, 0x0003);
	q = run_queue(&r, 0);
	g_assert_cmphex(qts_pci_readw(r.s, 0, RNG, 0x04), ==, 0x0007);
	page = vdrv_alloc(&r.d, 4096, 4096);
	fill_one(&r, q, page);
	/* Page number 0 is a reset. */
	vdrv_write(&r.d, VIRTIO_LEGACY_QUEUE_PFN, 4, 0);
	g_assert_cmphex(vdrv_status(&r.d), ==, 0);
	vq_free(q);
	run_end(&r);
}

/* The access capability is the last of the vendor's in the list as it is walked, so the first. */
static void test_window(void)
{
	struct run r;
	uint8_t cap;

	run_start(&r, VDRV_MODERN, "");
	qts_pci_writew(r.s, 0, RNG, 0x04, 0x0004); /* no BAR is mapped */
	cap = qts_pci_find_cap(r.s, 0, RNG, 0x09);
	g_assert_cmphex(qts_pci_readb(r.s, 0, RNG, cap + 3), ==, VIRTIO_PCI_CAP_PCI);
	qts_pci_writeb(r.s, 0, RNG, cap + 4, 4);
	qts_pci_writel(r.s, 0, RNG, cap + 8, VIRTIO_COMMON_STATUS);
	qts_pci_writel(r.s, 0, RNG, cap + 12, 1);
	qts_pci_writeb(r.s, 0, RNG, cap + 16, 0x03);
	g_assert_cmphex(qts_pci_readb(r.s, 0, RNG, cap + 16), ==, 0x03);
	qts_pci_writel(r.s, 0, RNG, cap + 8, VIRTIO_COMMON_QUEUES);
	qts_pci_writel(r.s, 0, RNG, cap + 12, 2);
	g_assert_cmphex(qts_pci_readw(r.s, 0, RNG, cap + 16), ==, 1);
	/* Nonsense is ignored. */
	qts_pci_writel(r.s, 0, RNG, cap + 12, 3);
	qts_pci_writel(r.s, 0, RNG, cap + 16, ~0U);
	qts_pci_writel(r.s, 0, RNG, cap + 12, 4);
	qts_pci_writel(r.s, 0, RNG, cap + 8, 0xfffffffe);
	qts_pci_readl(r.s, 0, RNG, cap + 16);
	qts_pci_writeb(r.s, 0, RNG, cap + 4, 7);
	qts_pci_readl(r.s, 0, RNG, cap + 16);
	run_end(&r);
}

/* ---- State, hot-plug ---- */

/* The device holds a buffer; both formats go on in a fresh process where they were. */
static void test_state(gconstpointer data)
{
	const struct way *w = data;
	struct run a, b;
	struct vq *q;
	uint64_t page;
	g_autofree char *state = NULL, *options = g_strdup_printf("%s,max-bytes=16", w->options);
	g_autofree uint8_t *memory = g_malloc(MIB);

	run_start(&a, w->kind, options);
	q = run_queue(&a, w->features);
	page = vdrv_alloc(&a.d, 4096, 4096);
	fill_one(&a, q, page);
	vq_add(q, (struct vbuf[]){{page, 5, true}, {page + 64, 11, true}}, 2);
	vq_kick(q);
	qts_roundtrip(a.s);
	state = qts_state_save(a.s);
	vdrv_memread(&a.d, 0x300000, memory, MIB);

	run_start(&b, w->kind, options);
	vdrv_memwrite(&b.d, 0x300000, memory, MIB);
	qts_state_load(b.s, state);
	q->d = &b.d;
	b.d.features = a.d.features;
	qts_clock_step(b.s, 65536 * 1000000ULL);
	check_bytes(&b, (struct vbuf[]){{page, 5}, {page + 64, 11}}, 2, vq_wait(q, NULL));
	vq_free(q);
	run_end(&a);
	run_end(&b);
}

static void test_hotplug(void)
{
	struct qts *s = qts_start("-machine pc -m 32M");
	struct vdrv d;
	struct vq *q;
	uint64_t page;

	for (unsigned round = 0; round < 3; round++) {
		json_object_put(qts_qmp(s, "{'execute':'device_add','arguments':{'driver':"
					   "'virtio-rng-pci','id':'h','addr':'5'}}"));
		vdrv_pci(&d, s, QTS_DEVFN(5, 0), VDRV_MODERN);
		g_assert_true(vdrv_negotiate(&d, VERSION_1));
		q = vq_new(&d, 0, 0);
		vdrv_ok(&d);
		page = vdrv_alloc(&d, 4096, 4096);
		vq_add(q, &(struct vbuf){page, 16, true}, 1);
		vq_kick(q);
		g_assert_cmpuint(vq_wait(q, NULL), ==, 16);
		/* The guest ejects it while the device has a buffer. */
		vq_add(q, &(struct vbuf){page, 16, true}, 1);
		vq_kick(q);
		json_object_put(qts_qmp(s, "{'execute':'device_del','arguments':{'id':'h'}}"));
		qts_outl(s, 0xae08, BIT(5));
		json_object_put(qts_qmp_event(s, "DEVICE_DELETED"));
		g_assert_cmphex(qts_pci_readl(s, 0, QTS_DEVFN(5, 0), 0), ==, ~0U);
		vq_free(q);
	}
	qts_quit(s);
}

static void test_refusals(void)
{
	static const struct {
		const char *options, *error;
	} cases[] = {
		{"'disable-legacy':'on','disable-modern':true",
		 "device cannot work as neither modern nor legacy mode is enabled"},
		{"'iommu_platform':true", "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy "
					  "nor transitional device"},
		{"'period':0", "'period' parameter expects a positive integer"},
		{"'max-bytes':9223372036854775808",
		 "'max-bytes' parameter must be non-negative, and less than 2^63"},
		{"'rng':'x'", "Device 'x' not found"},
	};
	struct qts *s = qts_start("-machine pc -m 32M");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *error = qts_qmp_error(
			s, "{'execute':'device_add','arguments':{'driver':'virtio-rng-pci',%s}}",
			cases[i].options);

		g_assert_cmpstr(error, ==, cases[i].error);
	}
	qts_quit(s);
}

static void add_ways(const char *name, GTestDataFunc fn)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *path = g_strdup_printf("/virtio/%s/%s", name, ways[i].name);

		g_test_add_data_func(path, &ways[i], fn);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_ways("rounds", test_rounds);
	add_ways("batch", test_batch);
	add_ways("interrupts", test_interrupts);
	add_ways("msix", test_msix);
	add_ways("state", test_state);
	g_test_add_func("/virtio/intx", test_intx);
	g_test_add_func("/virtio/features", test_features);
	g_test_add_func("/virtio/platform-needed", test_platform_needed);
	g_test_add_func("/virtio/queue-registers", test_queue_registers);
	for (size_t i = 0; i < G_N_ELEMENTS(crimes); i++) {
		g_autofree char *path = g_strdup_printf("/virtio/broken/%s", crimes[i].name);

		g_test_add_data_func(path, &crimes[i], test_crime);
	}
	g_test_add_func("/virtio/bad-places", test_bad_places);
	g_test_add_func("/virtio/ring-vanishes", test_ring_vanishes);
	g_test_add_func("/virtio/unknown-queues", test_unknown_queues);
	g_test_add_func("/virtio/queue-reset", test_queue_reset);
	g_test_add_func("/virtio/mastering", test_mastering);
	g_test_add_func("/virtio/legacy-mastering", test_legacy_mastering);
	g_test_add_func("/virtio/window", test_window);
	g_test_add_func("/virtio/hotplug", test_hotplug);
	g_test_add_func("/virtio/refusals", test_refusals);
	return g_test_run();
}
