/* See virtio-player.h. */
#include "virtio-player.h"
#include "event/clock.h"
#include "event/lock.h"
#include "machine/runstate.h"
#include "state/state.h"

#define SEAM      BENCH_RAM /* a second block begins where the bench's RAM ends */
#define SEAM_SIZE (64 * KIB)
#define ROM_AT    (2 * MIB)
#define ROM_SIZE  (16 * KIB)
#define USED_RAM  (256 * KIB) /* of the bench's RAM, by the player */
#define MODERN_AT 0xe0000000
#define LEGACY_AT 0xc000
#define MSIX_AT   0xd0000000
#define LOW_SPACE 0x1000

uint64_t player_take(struct player_input *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && in->size; i++, in->size--)
		value |= (uint64_t)*in->data++ << (8 * i);
	return value;
}

/* ---- The place ---- */

static struct place {
	struct ram_block *seam_ram, *rom_ram;
	struct region seam, rom;
	bool memory_gone;
} * place;

static struct place *place_get(void)
{
	struct bench *b = bench();

	if (place)
		return place;
	place = g_new0(struct place, 1);
	place->seam_ram = ram_new("seam", SEAM_SIZE, &(struct ram_options){0}, NULL);
	place->rom_ram = ram_new("rom", ROM_SIZE, &(struct ram_options){0}, NULL);
	region_init_ram(&place->seam, b, "seam", place->seam_ram, 0, SEAM_SIZE);
	region_init_rom(&place->rom, b, "rom", place->rom_ram, 0, ROM_SIZE);
	region_add(&b->memory_root, SEAM, &place->seam, 0);
	region_add(&b->memory_root, ROM_AT, &place->rom, 0);
	runstate_set(RUN_STATE_RUNNING);
	return place;
}

static void set_memory_gone(bool gone)
{
	region_set_enabled(&place->seam, !gone);
	place->memory_gone = gone;
}

/* Any place a guest may name, most of them where something is. */
static uint64_t take_place(struct player_input *in)
{
	unsigned what = player_take(in, 1);
	uint64_t offset = player_take(in, 2);

	switch (what % 16) {
	case 0:
		return SEAM - LOW_SPACE + offset % (2 * LOW_SPACE);
	case 1:
		return SEAM + SEAM_SIZE - LOW_SPACE + offset % (2 * LOW_SPACE);
	case 2:
		return ROM_AT + offset % ROM_SIZE;
	case 3:
		return MODERN_AT + offset % 0x4000;
	case 4:
		return UINT64_MAX - offset;
	case 5:
		return offset << 32;
	case 6:
		return player_take(in, 8);
	default:
		return offset * 4 % USED_RAM;
	}
}

static uint32_t take_length(struct player_input *in)
{
	unsigned what = player_take(in, 1);

	switch (what >> 4) {
	case 0:
		return UINT32_MAX - (what & 15);
	case 1:
		return player_take(in, 4);
	case 2:
		return 0;
	case 3:
		return 4096 * (what & 15);
	default:
		return what * 4;
	}
}

/* ---- Access ---- */

static uint64_t player_read(void *opaque, bool port, uint64_t addr, unsigned size)
{
	uint64_t value = 0;

	as_load(port ? &bench()->io : &bench()->memory, NULL, addr, size, &value);
	return value;
}

static void player_write(void *opaque, bool port, uint64_t addr, unsigned size, uint64_t value)
{
	as_store(port ? &bench()->io : &bench()->memory, NULL, addr, size, value);
}

static void player_copy(void *opaque, uint64_t addr, void *buf, size_t len, bool to_guest)
{
	if (to_guest)
		as_write(&bench()->memory, addr, buf, len);
	else
		as_read(&bench()->memory, addr, buf, len);
}

static const struct vdrv_io player_io = {
	.read = player_read,
	.write = player_write,
	.copy = player_copy,
};

static void turn_loop(void)
{
	loop_run_once(loop_main(), false);
}

/* ---- Victims ---- */

static struct device *make(const struct device_type *type, const char *options)
{
	struct device *dev = device_new(type);
	g_auto(GStrv) words = g_strsplit(options, ",", -1);

	for (char **word = words; *word; word++) {
		g_auto(GStrv) pair = g_strsplit(*word, "=", 2);

		g_assert_true(device_set_text(dev, pair[0], pair[1], NULL));
	}
	return dev;
}

static void realize(struct device *dev, struct bus *bus)
{
	GError *err = NULL;

	if (!device_realize(dev, tree_container("/machine/peripheral-anon"), NULL, bus, &err))
		g_error("%s", err->message);
}

void victim_card(struct victim *victim, const struct device_type *type, const char *options,
		 enum vdrv_kind kind)
{
	struct device *dev;

	place_get();
	dev = make(type, options);
	realize(dev, &bench()->pci.bus);
	victim->pci = pci_device_of(dev);
	victim->v = virtio_of(dev->inner);
	victim->kind = kind;
}

void victim_window(struct victim *victim, const struct device_type *type, const char *options,
		   uint64_t window, bool legacy)
{
	struct bench *b = bench();
	struct device *transport =
		make(&virtio_mmio_type, legacy ? "force-legacy=on" : "force-legacy=off");
	struct device *dev = make(type, options);

	place_get();
	virtio_mmio_configure(transport, &(struct virtio_mmio_config){
						 .memory = &b->memory_root,
						 .addr = window,
						 .dma = &b->memory,
						 .irq = &b->lines[5],
					 });
	realize(transport, NULL);
	realize(dev, g_ptr_array_index(transport->buses, 0));
	victim->v = virtio_of(dev);
	victim->window = window;
	victim->kind = legacy ? VDRV_MMIO_LEGACY : VDRV_MMIO;
}

/* Registers may have been sent away. */
static void map_card(const struct victim *victim)
{
	struct pci_device *pci = victim->pci;

	if (!pci)
		return;
	pci_config_write(pci, PCI_BAR0, LEGACY_AT, 4);
	pci_config_write(pci, PCI_BAR0 + 4, MSIX_AT, 4);
	pci_config_write(pci, PCI_BAR0 + 16, MODERN_AT, 4);
	pci_config_write(pci, PCI_BAR0 + 20, 0, 4);
	pci_config_write(pci, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			 2);
}

static void find_registers(const struct victim *victim, struct vdrv *d)
{
	*d = (struct vdrv){.io = player_io, .kind = victim->kind, .memory = 16 * KIB};
	if (!victim->pci) {
		d->base = victim->window;
		d->config = d->base + VIRTIO_MMIO_CONFIG;
		if (victim->kind == VDRV_MMIO_LEGACY) {
			vdrv_write(d, VIRTIO_MMIO_GUEST_PAGE_SIZE, 4, 4096);
			vdrv_write(d, VIRTIO_MMIO_QUEUE_ALIGN, 4, 4096);
		}
		return;
	}
	map_card(victim);
	d->base = victim->kind == VDRV_LEGACY ? LEGACY_AT : MODERN_AT;
	d->config = d->base + (victim->kind == VDRV_LEGACY ? VIRTIO_LEGACY_CONFIG : 0x2000);
	d->msix = MSIX_AT;
}

/* ---- What drivers do ---- */

struct player {
	struct victim *victim;
	struct vdrv d;
	struct vq *q[PLAYER_QUEUES];
	struct player_input in;
};

static void forget_queues(struct player *p)
{
	for (unsigned i = 0; i < PLAYER_QUEUES; i++)
		g_clear_pointer(&p->q[i], vq_free);
}

static void negotiate(struct player *p)
{
	uint64_t refused = player_take(&p->in, 6);

	forget_queues(p);
	map_card(p->victim);
	vdrv_negotiate(&p->d, vdrv_offered(&p->d) & (~refused | BIT64(VIRTIO_F_VERSION_1)));
}

static unsigned take_queue(struct player *p)
{
	return player_take(&p->in, 1) % MIN(p->victim->v->queues->len, PLAYER_QUEUES);
}

static void set_up(struct player *p, unsigned index, uint16_t size)
{
	g_clear_pointer(&p->q[index], vq_free);
	map_card(p->victim);
	p->q[index] = vq_new(&p->d, index, size);
}

static void set_up_anywhere(struct player *p)
{
	unsigned index = take_queue(p), shift = player_take(&p->in, 1);
	uint64_t memory = p->d.memory;

	p->d.memory = take_place(&p->in) & ~0xfffULL;
	set_up(p, index, 1 + (shift & 15));
	p->d.memory = memory;
}

static void set_up_well(struct player *p)
{
	uint64_t memory = p->d.memory;
	unsigned queues = MIN(p->victim->v->queues->len, PLAYER_QUEUES);

	for (unsigned i = 0; i < queues; i++)
		set_up(p, i, p->victim->kind == VDRV_LEGACY ? 0 : 8);
	/* The next set-up lies on top of it. */
	p->d.memory = memory;
	vdrv_ok(&p->d);
}

static void write_message(struct player *p, unsigned queue, uint64_t addr)
{
	uint8_t bytes[256];
	size_t len = 0;

	if (p->victim->message)
		len = p->victim->message(&p->in, queue, bytes, sizeof(bytes));
	else
		put_le64(bytes, player_take(&p->in, len = 8));
	as_write(&bench()->memory, addr, bytes, len);
}

static void add_chain(struct player *p, bool rude)
{
	unsigned queue = take_queue(p), how = player_take(&p->in, 1);
	struct vq *q = p->q[queue];
	struct vbuf bufs[8];
	unsigned count = 1 + (how & 7), in_from = how >> 3 & 7;

	if (!q || count > q->size)
		return;
	for (unsigned i = 0; i < count; i++) {
		bufs[i].device_writes = i >= in_from;
		if (rude && !(how & 0x80))
			bufs[i].device_writes ^= player_take(&p->in, 1) & 1;
		bufs[i].addr = rude ? take_place(&p->in) : USED_RAM + 4096 * i;
		bufs[i].len = rude ? take_length(&p->in) : 1 + player_take(&p->in, 1);
		if (!bufs[i].device_writes)
			write_message(p, queue, bufs[i].addr);
	}
	if (how & 0x40)
		vq_add_indirect(q, bufs, count);
	else
		vq_add(q, bufs, count);
	p->d.memory = 16 * KIB + p->d.memory % (64 * KIB);
	vq_kick(q);
}

static void poke_ring(struct player *p)
{
	struct vq *q = p->q[take_queue(p)];
	unsigned area = player_take(&p->in, 1);
	unsigned offset = player_take(&p->in, 1);
	uint16_t value = player_take(&p->in, 2);

	if (!q)
		return;
	vdrv_memwrite(&p->d,
		      (area & 1   ? q->desc
		       : area & 2 ? q->driver
				  : q->device) +
			      offset,
		      &value, 2);
	if (area & 4)
		vq_kick(q);
}

/* The window's and the card's registers, the card's configuration space, and memory. */
static void poke_registers(struct player *p)
{
	unsigned where = player_take(&p->in, 1), size = 1U << (where >> 4 & 3);
	bool write = where & 0x80, port = false;
	uint64_t addr = player_take(&p->in, 2), value = write ? player_take(&p->in, size) : 0;

	switch (where & 7) {
	case 0:
		addr = p->d.base + addr % 256;
		port = p->victim->kind == VDRV_LEGACY;
		break;
	case 1:
		addr = p->d.config + addr % 64;
		port = p->victim->kind == VDRV_LEGACY;
		break;
	case 2:
		addr = MODERN_AT + addr % 0x4000;
		break;
	case 3:
		addr = MSIX_AT + addr % 0x1000;
		break;
	case 4:
		port = true;
		addr = LEGACY_AT + addr % 256;
		break;
	case 5:
		addr = player_take(&p->in, 1) ? addr : USED_RAM;
		break;
	default:
		if (p->victim->pci && write)
			pci_config_write(p->victim->pci, ROUND_DOWN(addr % 256, MIN(size, 4)),
					 value, MIN(size, 4));
		else if (p->victim->pci)
			pci_config_read(p->victim->pci, ROUND_DOWN(addr % 256, MIN(size, 4)),
					MIN(size, 4));
		return;
	}
	if (write)
		player_write(NULL, port, addr, size, value);
	else
		player_read(NULL, port, addr, size);
}

static void reset_queue(struct player *p)
{
	unsigned index = take_queue(p);

	if (p->victim->kind == VDRV_MODERN) {
		vdrv_write(&p->d, VIRTIO_COMMON_QUEUE_SELECT, 2, index);
		vdrv_write(&p->d, VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	} else if (p->victim->kind == VDRV_MMIO) {
		vdrv_write(&p->d, VIRTIO_MMIO_QUEUE_SELECT, 4, index);
		vdrv_write(&p->d, VIRTIO_MMIO_QUEUE_RESET, 4, 1);
	}
	set_up(p, index, 4);
}

/* What is saved loads, and is then the same. The guest stands meanwhile. */
static void save_and_compare(struct player *p)
{
	g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
	GError *err = NULL;

	state_save_tree(first);
	device_reset(tree_root());
	if (!state_load_tree(first->data, first->len, &err)) {
		/* Buffers in memory that is not there now are refused. */
		if (!place->memory_gone)
			g_error("what was saved does not load: %s", err->message);
		g_clear_error(&err);
		device_reset(tree_root());
		return;
	}
	state_save_tree(second);
	g_autofree char *difference =
		state_compare(first->data, first->len, second->data, second->len);
	if (difference && !place->memory_gone)
		g_error("saved, loaded, saved: %s", difference);
}

static void stop_and_go(struct player *p, bool load)
{
	runstate_set(RUN_STATE_PAUSED);
	turn_loop();
	if (load)
		save_and_compare(p);
	runstate_set(RUN_STATE_RUNNING);
}

static void step(struct player *p)
{
	unsigned op = player_take(&p->in, 1);

	switch (op & 15) {
	case 0:
		negotiate(p);
		break;
	case 1:
		set_up_anywhere(p);
		break;
	case 2:
		set_up_well(p);
		break;
	case 3:
	case 4:
	case 5:
		add_chain(p, false);
		break;
	case 6:
	case 7:
		add_chain(p, true);
		break;
	case 8:
		poke_ring(p);
		break;
	case 9:
	case 10:
		poke_registers(p);
		break;
	case 11:
		turn_loop();
		break;
	case 12:
		if (p->victim->host)
			p->victim->host(&p->in);
		break;
	case 13:
		clock_virtual_step(clock_virtual_get() + player_take(&p->in, 3) * 1000);
		break;
	case 14:
		reset_queue(p);
		break;
	default:
		if (op & 0x80)
			stop_and_go(p, true);
		else if (op & 0x40)
			set_memory_gone(op & 0x20);
		else if (op & 0x20)
			stop_and_go(p, false);
		else
			vdrv_set_status(&p->d, op & 0x10 ? player_take(&p->in, 1) : 0);
	}
}

/* Nothing is left of what a driver did. */
static void check_reset(const struct victim *victim)
{
	device_reset(&bench()->dev);
	device_reset(tree_root());
	g_assert_cmphex(victim->v->status, ==, 0);
	g_assert_false(victim->v->broken);
	for (guint i = 0; i < victim->v->queues->len; i++) {
		const struct virtqueue *q = virtio_queue(victim->v, i);

		g_assert_cmpuint(q->in_flight, ==, 0);
		g_assert_false(q->enabled);
	}
	for (unsigned i = 0; i < ROM_SIZE; i++)
		g_assert_cmphex(place->rom_ram->host[i], ==, 0);
}

void player_play(struct victim *victim, bool polite, const uint8_t *data, size_t size)
{
	struct player p = {.victim = victim, .in = {data, size}};

	set_memory_gone(false);
	as_fill(&bench()->memory, 0, 0, USED_RAM);
	find_registers(victim, &p.d);
	if (polite) {
		negotiate(&p);
		set_up_well(&p);
	}
	while (p.in.size)
		step(&p);
	turn_loop();
	forget_queues(&p);
	check_reset(victim);
}
