#include "code-pages.h"
#include "debug.h"
#include "mem/ram.h"
#include "mmu.h"
#include "msr.h"
#include "sysregs.h"
#include "walk.h"

/* ---- Entries ---- */

void mmu_init(struct dbt_cpu *cpu)
{
	cpu->pages = g_new0(struct mmu_pages, 1);
	for (unsigned i = 0; i < MMU_INDEXES; i++) {
		for (unsigned j = 0; j < TLB_SIZE; j++) {
			cpu->tlb[i][j] = (struct tlb_entry){
				.read = TLB_NONE, .write = TLB_NONE, .exec = TLB_NONE};
			cpu->pages->page[i][j].lin = TLB_NONE;
		}
	}
}

void mmu_cleanup(struct dbt_cpu *cpu)
{
	g_clear_pointer(&cpu->pages, g_free);
}

/* Slots count through the TLBs of all indexes. */
static struct tlb_entry *entry_at(struct dbt_cpu *cpu, unsigned slot)
{
	return &cpu->tlb[slot / TLB_SIZE][slot % TLB_SIZE];
}

static struct mmu_page *page_at(struct dbt_cpu *cpu, unsigned slot)
{
	return &cpu->pages->page[slot / TLB_SIZE][slot % TLB_SIZE];
}

static void drop(struct dbt_cpu *cpu, unsigned slot)
{
	struct tlb_entry *e = entry_at(cpu, slot);

	e->read = e->write = e->exec = TLB_NONE;
	page_at(cpu, slot)->lin = TLB_NONE;
}

static void flush_if(struct dbt_cpu *cpu, bool keep_global)
{
	struct mmu_pages *p = cpu->pages;
	unsigned kept = 0;

	cpu->map_epoch++;
	for (unsigned i = 0; i < p->count; i++) {
		unsigned slot = p->list[i];
		struct mmu_page *page = page_at(cpu, slot);

		if (keep_global && page->global && page->lin != TLB_NONE) {
			p->list[kept++] = slot;
			continue;
		}
		drop(cpu, slot);
		page->listed = false;
	}
	p->count = kept;
}

void mmu_flush(struct dbt_cpu *cpu)
{
	flush_if(cpu, false);
}

void mmu_flush_local(struct dbt_cpu *cpu)
{
	flush_if(cpu, true);
}

/* Of a large page some pieces may be here: all go. */
void mmu_flush_page(struct dbt_cpu *cpu, uint64_t lin)
{
	struct mmu_pages *p = cpu->pages;

	cpu->map_epoch++;
	for (unsigned i = 0; i < p->count; i++) {
		struct mmu_page *page = page_at(cpu, p->list[i]);

		if (page->lin != TLB_NONE && page->lin >> page->shift == lin >> page->shift)
			drop(cpu, p->list[i]);
	}
}

void mmu_watch_host_page(struct dbt_cpu *cpu, const uint8_t *host)
{
	struct mmu_pages *p = cpu->pages;

	for (unsigned i = 0; i < p->count; i++) {
		struct tlb_entry *e = entry_at(cpu, p->list[i]);

		if (e->write != TLB_NONE && e->write + e->to_host == (uintptr_t)host)
			e->write = TLB_NONE;
	}
}

void mmu_drop_writes(struct dbt_cpu *cpu)
{
	for (unsigned i = 0; i < cpu->pages->count; i++)
		entry_at(cpu, cpu->pages->list[i])->write = TLB_NONE;
}

/* ---- Filling ---- */

static void add_to_list(struct mmu_pages *p, struct mmu_page *page, unsigned slot)
{
	if (page->listed)
		return;
	page->listed = true;
	p->list[p->count++] = slot;
}

/* What may go the fast way, of what may go at all. */
static void set_tags(struct dbt_cpu *cpu, unsigned index, struct tlb_entry *e,
		     const struct mmu_page *page)
{
	bool checked = (cpu->mode & MODE_ALIGN) && index == MMU_USER;
	bool memory = page->kind != PAGE_IO;

	e->read = e->write = e->exec = TLB_NONE;
	if (memory && (page->rights & BIT(ACCESS_EXEC)))
		e->exec = page->lin;
	if (!memory || checked || debug_watches(cpu, page->lin, RAM_PAGE_SIZE))
		return;
	if (page->rights & BIT(ACCESS_READ))
		e->read = page->lin;
}

/* Writes go the fast way once the page is known to hold no code and to be marked dirty. */
static void allow_writes(struct dbt_cpu *cpu, unsigned index, struct tlb_entry *e,
			 const struct mmu_page *page)
{
	bool checked = (cpu->mode & MODE_ALIGN) && index == MMU_USER;

	if (!checked && !debug_watches(cpu, page->lin, RAM_PAGE_SIZE))
		e->write = page->lin;
}

static void fill(struct dbt_cpu *cpu, const struct walk *w)
{
	unsigned slot = TLB_INDEX(w->lin);
	struct tlb_entry *e = &cpu->tlb[w->index][slot];
	struct mmu_page *page = &cpu->pages->page[w->index][slot];
	struct as_ram ram;

	page->lin = PAGE_OF(w->lin);
	page->rights = w->rights;
	page->shift = w->shift;
	page->global = w->global;
	page->kind = PAGE_IO;
	e->phys = w->phys;
	e->to_host = 0;
	if (as_find_ram(dbt_memory(cpu), dbt_memory_hint(cpu), w->phys, &ram) && ram.readable &&
	    ram.len >= RAM_PAGE_SIZE) {
		page->kind = ram.writable ? PAGE_RAM : PAGE_ROM;
		e->to_host = (intptr_t)ram.host - (intptr_t)page->lin;
	}
	set_tags(cpu, w->index, e, page);
	add_to_list(cpu->pages, page, w->index * TLB_SIZE + slot);
}

static bool holds(const struct mmu_page *page, uint64_t lin, enum mem_access access)
{
	return page->lin == PAGE_OF(lin) && (page->rights & BIT(access));
}

/* In 32-bit modes a linear address has 32 bits. */
static uint64_t wrap(const struct dbt_cpu *cpu, uint64_t lin)
{
	return cpu->mode & MODE_LONG ? lin : lin & UINT32_MAX;
}

static void check_canonical(struct dbt_cpu *cpu, const struct op *op, uint64_t lin, unsigned size)
{
	if (!(cpu->mode & MODE_LONG) || (is_canonical(lin) && is_canonical(lin + size - 1)))
		return;
	dbt_fault_code(cpu, op, op && op->seg == S_SS ? EXC_SS : EXC_GP, 0);
}

/* The entry of @lin's page, good for @access; faults. */
static struct tlb_entry *entry_of(struct dbt_cpu *cpu, const struct op *op, unsigned index,
				  uint64_t lin, enum mem_access access, struct mmu_page **page)
{
	unsigned slot = TLB_INDEX(lin);
	struct walk w = {.lin = lin, .index = index, .access = access};

	*page = &cpu->pages->page[index][slot];
	if (!holds(*page, lin, access)) {
		if (!page_walk(cpu, &w))
			dbt_page_fault(cpu, op, lin, w.error);
		fill(cpu, &w);
	}
	return &cpu->tlb[index][slot];
}

/* Checks of alignment and breakpoints, which the fast path does not have. */
static void check_access(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			 unsigned size, enum mem_access access)
{
	check_canonical(cpu, op, lin, size);
	if ((cpu->mode & MODE_ALIGN) && index == MMU_USER && (lin & (size - 1)))
		dbt_fault_code(cpu, op, EXC_AC, 0);
	if (cpu->mode & MODE_BREAK)
		debug_check_data(cpu, lin, size, access == ACCESS_WRITE);
}

/* ---- One access within a page ---- */

static uint64_t load_host(const void *host, unsigned size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)host;
	case 2:
		return *(const volatile mem16 *)host;
	case 4:
		return *(const volatile mem32 *)host;
	default:
		return *(const volatile mem64 *)host;
	}
}

static void store_host(void *host, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)host = value;
		break;
	case 2:
		*(volatile mem16 *)host = value;
		break;
	case 4:
		*(volatile mem32 *)host = value;
		break;
	default:
		*(volatile mem64 *)host = value;
	}
}

static uint64_t load_io(struct dbt_cpu *cpu, uint64_t phys, unsigned size)
{
	uint64_t value;

	dbt_go_outside(cpu);
	as_load(dbt_memory(cpu), dbt_memory_hint(cpu), phys, size, &value);
	dbt_go_inside(cpu);
	return value;
}

static void store_io(struct dbt_cpu *cpu, uint64_t phys, unsigned size, uint64_t value)
{
	dbt_go_outside(cpu);
	as_store(dbt_memory(cpu), dbt_memory_hint(cpu), phys, size, value);
	dbt_recheck_interrupts(cpu); /* it may have been a register of the local APIC */
	dbt_go_inside(cpu);
}

static uint64_t load_page(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			  unsigned size)
{
	struct mmu_page *page;
	struct tlb_entry *e = entry_of(cpu, op, index, lin, ACCESS_READ, &page);

	if (page->kind != PAGE_IO)
		return load_host((void *)(lin + e->to_host), size);
	return load_io(cpu, e->phys | (lin & 0xfff), size);
}

/*
 * Makes a page of RAM ready for a write of @size bytes: blocks decoded from it go, its dirty bits are
 * set. Leaves the block if it would be changed while it runs.
 */
static void prepare_write(struct dbt_cpu *cpu, const struct op *op, unsigned index,
			  struct tlb_entry *e, const struct mmu_page *page, uint64_t lin,
			  unsigned size)
{
	struct as_ram ram;

	if (e->write != TLB_NONE)
		return;
	if (!as_find_ram(dbt_memory(cpu), dbt_memory_hint(cpu), e->phys, &ram))
		return;
	code_page_write(cpu, op, &ram, e->phys | (lin & 0xfff), size);
	if (__atomic_load_n(&ram.ram->dirty_on, __ATOMIC_SEQ_CST))
		dirty_mark(ram.ram, ram.ram_offset, RAM_PAGE_SIZE);
	allow_writes(cpu, index, e, page);
}

static void store_page(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		       unsigned size, uint64_t value)
{
	struct mmu_page *page;
	struct tlb_entry *e = entry_of(cpu, op, index, lin, ACCESS_WRITE, &page);

	if (page->kind != PAGE_RAM) {
		store_io(cpu, e->phys | (lin & 0xfff), size, value);
		return;
	}
	prepare_write(cpu, op, index, e, page, lin, size);
	store_host((void *)(lin + e->to_host), size, value);
}

/* ---- Accesses of the interpreter ---- */

static bool crosses(uint64_t lin, unsigned size)
{
	return (lin & 0xfff) + size > RAM_PAGE_SIZE;
}

/* Pieces of 1, 2, 4 or 8 bytes that do not cross the page; what lies in RAM is copied in one go. */
static unsigned piece_of(uint64_t lin, unsigned size)
{
	unsigned left = MIN(size, RAM_PAGE_SIZE - (lin & 0xfff));
	unsigned width = 1u << (31 - __builtin_clz(MIN(left, 8)));

	while (lin & (width - 1))
		width >>= 1;
	return width;
}

uint64_t mmu_load_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		       unsigned size)
{
	uint64_t value = 0;

	lin = wrap(cpu, lin);
	cpu->op = op;
	check_access(cpu, op, index, lin, size, ACCESS_READ);
	if (!crosses(lin, size))
		return load_page(cpu, op, index, lin, size);
	mmu_probe(cpu, op, index, lin, size, ACCESS_READ);
	for (unsigned i = 0; i < size; i++)
		value |= load_page(cpu, op, index, wrap(cpu, lin + i), 1) << i * 8;
	return value;
}

/* A page of RAM is made ready before the first byte is written, as that may leave the block. */
static void prepare_range(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			  unsigned size)
{
	for (unsigned done = 0, len; done < size; done += len) {
		uint64_t at = wrap(cpu, lin + done);
		struct mmu_page *page;
		struct tlb_entry *e = entry_of(cpu, op, index, at, ACCESS_WRITE, &page);

		len = MIN(size - done, RAM_PAGE_SIZE - (at & 0xfff));
		if (page->kind == PAGE_RAM)
			prepare_write(cpu, op, index, e, page, at, len);
	}
}

void mmu_store_slow(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		    unsigned size, uint64_t value)
{
	lin = wrap(cpu, lin);
	cpu->op = op;
	check_access(cpu, op, index, lin, size, ACCESS_WRITE);
	if (!crosses(lin, size)) {
		store_page(cpu, op, index, lin, size, value);
		return;
	}
	mmu_probe(cpu, op, index, lin, size, ACCESS_WRITE);
	prepare_range(cpu, op, index, lin, size);
	for (unsigned i = 0; i < size; i++)
		store_page(cpu, op, index, wrap(cpu, lin + i), 1, value >> i * 8);
}

void mmu_probe(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       uint64_t size, enum mem_access access)
{
	struct mmu_page *page;

	cpu->op = op;
	for (uint64_t done = 0, len; done < size; done += len) {
		uint64_t at = wrap(cpu, lin + done);

		len = MIN(size - done, RAM_PAGE_SIZE - (at & 0xfff));
		check_canonical(cpu, op, at, len);
		entry_of(cpu, op, index, at, access, &page);
	}
}

void *mmu_host(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       unsigned size, enum mem_access access)
{
	struct mmu_page *page;
	struct tlb_entry *e;

	lin = wrap(cpu, lin);
	cpu->op = op;
	check_access(cpu, op, index, lin, size, access);
	if (crosses(lin, size))
		return NULL;
	e = entry_of(cpu, op, index, lin, access, &page);
	if (page->kind == PAGE_IO || (access == ACCESS_WRITE && page->kind != PAGE_RAM))
		return NULL;
	if (access == ACCESS_WRITE)
		prepare_write(cpu, op, index, e, page, lin, size);
	return (void *)(lin + e->to_host);
}

static void read_piece(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
		       uint8_t *buf, unsigned size)
{
	struct mmu_page *page;
	struct tlb_entry *e = entry_of(cpu, op, index, lin, ACCESS_READ, &page);

	if (page->kind != PAGE_IO) {
		memcpy(buf, (void *)(lin + e->to_host), size);
		return;
	}
	for (unsigned done = 0, width; done < size; done += width) {
		uint64_t value;

		width = piece_of(lin + done, size - done);
		value = load_page(cpu, op, index, lin + done, width);
		memcpy(buf + done, &value, width);
	}
}

void mmu_read(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin, void *buf,
	      unsigned size)
{
	lin = wrap(cpu, lin);
	if (cpu->mode & MODE_BREAK)
		debug_check_data(cpu, lin, size, false);
	mmu_probe(cpu, op, index, lin, size, ACCESS_READ);
	for (unsigned done = 0, len; done < size; done += len) {
		uint64_t at = wrap(cpu, lin + done);

		len = MIN(size - done, RAM_PAGE_SIZE - (at & 0xfff));
		read_piece(cpu, op, index, at, (uint8_t *)buf + done, len);
	}
}

static void write_piece(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
			const uint8_t *buf, unsigned size)
{
	struct mmu_page *page;
	struct tlb_entry *e = entry_of(cpu, op, index, lin, ACCESS_WRITE, &page);

	if (page->kind == PAGE_RAM) {
		prepare_write(cpu, op, index, e, page, lin, size);
		memcpy((void *)(lin + e->to_host), buf, size);
		return;
	}
	for (unsigned done = 0, width; done < size; done += width) {
		uint64_t value = 0;

		width = piece_of(lin + done, size - done);
		memcpy(&value, buf + done, width);
		store_page(cpu, op, index, lin + done, width, value);
	}
}

void mmu_write(struct dbt_cpu *cpu, const struct op *op, unsigned index, uint64_t lin,
	       const void *buf, unsigned size)
{
	lin = wrap(cpu, lin);
	if (cpu->mode & MODE_BREAK)
		debug_check_data(cpu, lin, size, true);
	mmu_probe(cpu, op, index, lin, size, ACCESS_WRITE);
	prepare_range(cpu, op, index, lin, size);
	for (unsigned done = 0, len; done < size; done += len) {
		uint64_t at = wrap(cpu, lin + done);

		len = MIN(size - done, RAM_PAGE_SIZE - (at & 0xfff));
		write_piece(cpu, op, index, at, (const uint8_t *)buf + done, len);
	}
}

uint64_t mmu_fetch(struct dbt_cpu *cpu, uint64_t lin, const uint8_t **host)
{
	unsigned index = cpu->cpl == 3 ? MMU_USER : MMU_KERNEL;
	struct tlb_entry *e = &cpu->tlb[index][TLB_INDEX(lin)];
	struct mmu_page *page;

	if (e->exec == PAGE_OF(lin)) {
		*host = (const uint8_t *)(lin + e->to_host);
		return e->phys | (lin & 0xfff);
	}
	lin = wrap(cpu, lin);
	cpu->op = NULL;
	check_canonical(cpu, NULL, lin, 1);
	e = entry_of(cpu, NULL, index, lin, ACCESS_EXEC, &page);
	*host = page->kind != PAGE_IO ? (const uint8_t *)(lin + e->to_host) : NULL;
	return e->phys | (lin & 0xfff);
}

bool mmu_translate(struct dbt_cpu *cpu, uint64_t lin, uint64_t *phys)
{
	struct walk w = {.lin = wrap(cpu, lin), .index = MMU_KERNEL, .quiet = true};

	if (((cpu->mode & MODE_LONG) && !is_canonical(lin)) || !page_walk(cpu, &w))
		return false;
	*phys = w.phys | (lin & 0xfff);
	return true;
}
