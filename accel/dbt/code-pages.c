#include "code-pages.h"
#include "base/trace.h"
#include "host.h"
#include "mmu.h"
#include "walk.h"

TRACE_DEFINE(dbt_code_written, "cpu %d: page 0x%" PRIx64 " of %s");

#define WATCHES_MAX 16
#define PAGES_MAX   64

/* Of struct dbt_requests.what */
#define WANT_FLUSH_TLB    BIT(0)
#define WANT_DROP_WRITES  BIT(1)
#define WANT_FLUSH_BLOCKS BIT(2)

/* All but `inside` is guarded by dbt_machine.lock. */
struct dbt_requests {
	int inside; /* atomic */
	unsigned what;
	uint64_t wanted, served; /* tickets: all up to `served` are done, as far as the TLB goes */
	const uint8_t *watch[WATCHES_MAX]; /* host pages whose write tags are to go */
	unsigned watches;
	uint64_t page[PAGES_MAX]; /* physical pages whose blocks are to go */
	unsigned pages;
};

/* Where a piece of RAM is seen. */
struct window {
	uint64_t start, size;
	const struct ram_block *ram;
	uint64_t ram_offset;
};

struct code_pages {
	GCond served;      /* with dbt_machine.lock */
	int waiters;       /* atomic: somebody waits for `served` */
	int droppers;      /* atomic */
	uint64_t ticket;   /* of the last request; lock */
	GArray *windows;   /* lock */
	unsigned map_want; /* what the listeners of this transaction ask for; machine lock */
	struct ram_watch watch;
	struct mem_listener listener;
};

/* ---- Inside and outside ---- */

static void wake_waiters(struct dbt_machine *m)
{
	if (!__atomic_load_n(&m->code->waiters, __ATOMIC_SEQ_CST))
		return;
	g_mutex_lock(&m->lock);
	g_cond_broadcast(&m->code->served);
	g_mutex_unlock(&m->lock);
}

/* The lock is held. */
static void serve_tlb(struct dbt_cpu *cpu)
{
	struct dbt_requests *r = cpu->requests;

	if (r->what & WANT_FLUSH_TLB)
		mmu_flush(cpu);
	else if (r->what & WANT_DROP_WRITES)
		mmu_drop_writes(cpu);
	for (unsigned i = 0; i < r->watches; i++)
		mmu_watch_host_page(cpu, r->watch[i]);
	r->what &= ~(WANT_FLUSH_TLB | WANT_DROP_WRITES);
	r->watches = 0;
	r->served = r->wanted;
	if (__atomic_load_n(&cpu->machine->code->waiters, __ATOMIC_SEQ_CST))
		g_cond_broadcast(&cpu->machine->code->served);
}

/* Whoever asks says so in exit_request, once the request is noted and before it looks at `inside`. */
void dbt_go_inside(struct dbt_cpu *cpu)
{
	__atomic_store_n(&cpu->requests->inside, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&cpu->acc->exit_request, __ATOMIC_SEQ_CST)) {
		g_mutex_lock(&cpu->machine->lock);
		serve_tlb(cpu);
		g_mutex_unlock(&cpu->machine->lock);
	}
	host_enter(cpu);
}

void dbt_go_outside(struct dbt_cpu *cpu)
{
	host_leave(cpu);
	__atomic_store_n(&cpu->requests->inside, 0, __ATOMIC_SEQ_CST);
	wake_waiters(cpu->machine);
}

void requests_serve(struct dbt_cpu *cpu)
{
	struct dbt_requests *r = cpu->requests;
	uint64_t pages[PAGES_MAX];
	unsigned count;
	bool all;

	__atomic_fetch_and(&cpu->acc->exit_request, ~EXIT_SERVE, __ATOMIC_SEQ_CST);
	g_mutex_lock(&cpu->machine->lock);
	serve_tlb(cpu);
	all = r->what & WANT_FLUSH_BLOCKS;
	count = r->pages;
	memcpy(pages, r->page, count * sizeof(*pages));
	r->what = 0;
	r->pages = 0;
	g_mutex_unlock(&cpu->machine->lock);
	if (all) {
		block_flush_all(cpu);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		block_flush_page(cpu, pages[i]);
}

/* ---- Asking ---- */

/* The lock is held. */
static void ask(struct dbt_cpu *cpu, unsigned what)
{
	cpu->requests->what |= what;
	cpu->requests->wanted = cpu->machine->code->ticket;
	__atomic_fetch_or(&cpu->acc->exit_request, EXIT_SERVE, __ATOMIC_SEQ_CST);
}

static void ask_watch(struct dbt_cpu *cpu, const uint8_t *host)
{
	struct dbt_requests *r = cpu->requests;

	if (r->watches < WATCHES_MAX)
		r->watch[r->watches++] = host;
	ask(cpu, r->watches == WATCHES_MAX ? WANT_DROP_WRITES : 0);
}

static void ask_flush_page(struct dbt_cpu *cpu, uint64_t phys)
{
	struct dbt_requests *r = cpu->requests;

	if (r->pages < PAGES_MAX)
		r->page[r->pages++] = phys;
	ask(cpu, r->pages == PAGES_MAX ? WANT_FLUSH_BLOCKS : 0);
}

/* Some vCPU but @self is inside and has not served @ticket. The lock is held. */
static bool is_awaited(const struct dbt_machine *m, const struct dbt_cpu *self, uint64_t ticket)
{
	for (guint i = 0; i < m->cpus->len; i++) {
		const struct dbt_cpu *cpu = g_ptr_array_index(m->cpus, i);

		if (cpu != self && cpu->requests->served < ticket &&
		    __atomic_load_n(&cpu->requests->inside, __ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

/* The lock is held, and given up meanwhile. @self, if any, is outside. */
static void wait_served(struct dbt_machine *m, const struct dbt_cpu *self, uint64_t ticket)
{
	__atomic_fetch_add(&m->code->waiters, 1, __ATOMIC_SEQ_CST);
	while (is_awaited(m, self, ticket))
		g_cond_wait(&m->code->served, &m->lock);
	__atomic_fetch_sub(&m->code->waiters, 1, __ATOMIC_SEQ_CST);
}

static void ask_all(struct dbt_machine *m, unsigned what)
{
	uint64_t ticket;

	g_mutex_lock(&m->lock);
	ticket = ++m->code->ticket;
	for (guint i = 0; i < m->cpus->len; i++)
		ask(g_ptr_array_index(m->cpus, i), what);
	wait_served(m, NULL, ticket);
	g_mutex_unlock(&m->lock);
}

/* ---- Flags of pages ---- */

static uint8_t *flags_of(const struct ram_block *ram, uint64_t offset)
{
	return &ram->code[offset >> RAM_PAGE_BITS];
}

/* Everybody forgets what was decoded from the page, wherever in the space it is seen. */
static void forget_page(struct dbt_machine *m, const struct ram_block *ram, uint64_t offset)
{
	g_mutex_lock(&m->lock);
	m->code->ticket++;
	for (guint i = 0; i < m->code->windows->len; i++) {
		const struct window *w = &g_array_index(m->code->windows, struct window, i);

		if (w->ram != ram || offset - w->ram_offset >= w->size)
			continue;
		for (guint j = 0; j < m->cpus->len; j++)
			ask_flush_page(g_ptr_array_index(m->cpus, j),
				       w->start + (offset - w->ram_offset));
	}
	g_mutex_unlock(&m->lock);
}

static void take_code_away(struct dbt_machine *m, const struct ram_block *ram, uint64_t offset)
{
	uint8_t *flags = flags_of(ram, offset);

	__atomic_fetch_or(flags, PAGE_CLEARING, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(flags, ~RAM_PAGE_CODE, __ATOMIC_SEQ_CST);
	forget_page(m, ram, offset);
	__atomic_fetch_and(flags, ~PAGE_CLEARING, __ATOMIC_SEQ_CST);
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* The block that runs has bytes in [phys, phys + size), and more than this one instruction. */
static bool changes_itself(const struct dbt_cpu *cpu, const struct op *op, uint64_t phys,
			   unsigned size)
{
	const struct block *b = cpu->block;
	uint64_t first;

	if (!op || !b || b->count < 2)
		return false;
	first = MIN(b->size, RAM_PAGE_SIZE - (b->phys & (RAM_PAGE_SIZE - 1)));
	return overlaps(phys, size, b->phys, first) ||
	       (b->size > first && overlaps(phys, size, b->page2, b->size - first));
}

void code_page_write(struct dbt_cpu *cpu, const struct op *op, const struct as_ram *ram,
		     uint64_t phys, unsigned size)
{
	uint64_t offset = ROUND_DOWN(ram->ram_offset, RAM_PAGE_SIZE);
	uint8_t *flags;

	if (!ram->ram->code)
		return;
	flags = flags_of(ram->ram, offset);
	while (__atomic_or_fetch(flags, PAGE_WRITTEN, __ATOMIC_SEQ_CST) &
	       (RAM_PAGE_CODE | PAGE_CLEARING)) {
		if (changes_itself(cpu, op, phys, size)) {
			cpu->alone = true;
			cpu->op = op;
			dbt_leave(cpu);
		}
		trace(dbt_code_written, cpu->acc->index, offset, ram->ram->name);
		take_code_away(cpu->machine, ram->ram, offset);
	}
}

static void drop_write_tags(struct dbt_cpu *cpu, const uint8_t *host)
{
	struct dbt_machine *m = cpu->machine;

	mmu_watch_host_page(cpu, host);
	dbt_go_outside(cpu);
	g_mutex_lock(&m->lock);
	m->code->ticket++;
	for (guint i = 0; i < m->cpus->len; i++) {
		struct dbt_cpu *other = g_ptr_array_index(m->cpus, i);

		if (other != cpu)
			ask_watch(other, host);
	}
	wait_served(m, cpu, m->code->ticket);
	g_mutex_unlock(&m->lock);
	dbt_go_inside(cpu);
}

void code_page_watch(struct dbt_cpu *cpu, uint64_t phys)
{
	int *droppers = &cpu->machine->code->droppers;
	struct as_ram ram;
	uint8_t *flags, old;

	phys = PAGE_OF(phys);
	if (!as_find_ram(dbt_memory(cpu), dbt_memory_hint(cpu), phys, &ram) || !ram.ram->code)
		return;
	flags = flags_of(ram.ram, ram.ram_offset);
	old = __atomic_load_n(flags, __ATOMIC_SEQ_CST);
	if (old == RAM_PAGE_CODE && !__atomic_load_n(droppers, __ATOMIC_SEQ_CST))
		return;
	old = __atomic_fetch_or(flags, RAM_PAGE_CODE, __ATOMIC_SEQ_CST);
	if (!(old & PAGE_WRITTEN) && !__atomic_load_n(droppers, __ATOMIC_SEQ_CST))
		return;
	__atomic_fetch_add(droppers, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(flags, ~PAGE_WRITTEN, __ATOMIC_SEQ_CST);
	drop_write_tags(cpu, ram.host);
	__atomic_fetch_sub(droppers, 1, __ATOMIC_SEQ_CST);
}

/* ---- What memory tells us ---- */

static void page_written(void *opaque, struct ram_block *ram, uint64_t offset, uint64_t len)
{
	for (uint64_t at = offset; at < offset + len; at += RAM_PAGE_SIZE)
		take_code_away(opaque, ram, at);
}

static void block_cleaned(void *opaque, struct ram_block *ram)
{
	ask_all(opaque, WANT_DROP_WRITES);
}

static void range_add(void *opaque, const struct flat_range *range)
{
	struct dbt_machine *m = opaque;
	struct window w = {range->start, range->size, range->ram, range->ram_offset};

	m->code->map_want |= WANT_FLUSH_TLB;
	if (!range->host)
		return;
	m->code->map_want |= WANT_FLUSH_BLOCKS;
	if (!range->ram->watch)
		ram_set_watch(range->ram, &m->code->watch);
	g_mutex_lock(&m->lock);
	g_array_append_val(m->code->windows, w);
	g_mutex_unlock(&m->lock);
}

static void range_del(void *opaque, const struct flat_range *range)
{
	struct dbt_machine *m = opaque;
	GArray *windows = m->code->windows;

	m->code->map_want |= WANT_FLUSH_TLB;
	if (!range->host)
		return;
	m->code->map_want |= WANT_FLUSH_BLOCKS;
	g_mutex_lock(&m->lock);
	for (guint i = 0; i < windows->len; i++) {
		const struct window *w = &g_array_index(windows, struct window, i);

		if (w->start == range->start && w->ram == range->ram &&
		    w->ram_offset == range->ram_offset && w->size == range->size) {
			g_array_remove_index_fast(windows, i);
			break;
		}
	}
	g_mutex_unlock(&m->lock);
}

static void log_changed(void *opaque, const struct flat_range *range)
{
	struct dbt_machine *m = opaque;

	m->code->map_want |= WANT_DROP_WRITES;
}

static void commit(void *opaque)
{
	struct dbt_machine *m = opaque;
	unsigned want = m->code->map_want;

	m->code->map_want = 0;
	if (want)
		ask_all(m, want);
}

/* ---- Life ---- */

void code_pages_init(struct dbt_machine *m)
{
	const struct accel_machine *machine = &m->accel.machine;

	m->code = g_new0(struct code_pages, 1);
	m->code->windows = g_array_new(false, false, sizeof(struct window));
	g_cond_init(&m->code->served);
	m->code->watch = (struct ram_watch){
		.written = page_written,
		.cleaned = block_cleaned,
		.opaque = m,
	};
	m->code->listener = (struct mem_listener){
		.opaque = m,
		.range_add = range_add,
		.range_del = range_del,
		.log_changed = log_changed,
		.commit = commit,
	};
	listener_add(machine->memory, &m->code->listener);
	if (machine->smm_memory)
		listener_add(machine->smm_memory, &m->code->listener);
}

static void unwatch(struct ram_block *ram, void *opaque)
{
	struct dbt_machine *m = opaque;

	if (ram->watch == &m->code->watch)
		ram_set_watch(ram, NULL);
}

void code_pages_cleanup(struct dbt_machine *m)
{
	const struct accel_machine *machine = &m->accel.machine;

	if (!m->code)
		return;
	listener_remove(machine->memory, &m->code->listener);
	if (machine->smm_memory)
		listener_remove(machine->smm_memory, &m->code->listener);
	ram_foreach(unwatch, m);
	g_array_unref(m->code->windows);
	g_cond_clear(&m->code->served);
	g_clear_pointer(&m->code, g_free);
}

void requests_add_cpu(struct dbt_cpu *cpu)
{
	cpu->requests = g_new0(struct dbt_requests, 1);
	g_mutex_lock(&cpu->machine->lock);
	cpu->requests->wanted = cpu->requests->served = cpu->machine->code->ticket;
	g_ptr_array_add(cpu->machine->cpus, cpu);
	g_mutex_unlock(&cpu->machine->lock);
}

void requests_remove_cpu(struct dbt_cpu *cpu)
{
	g_mutex_lock(&cpu->machine->lock);
	g_ptr_array_remove(cpu->machine->cpus, cpu);
	g_cond_broadcast(&cpu->machine->code->served);
	g_mutex_unlock(&cpu->machine->lock);
	g_clear_pointer(&cpu->requests, g_free);
}
