#include "mem/ram.h"
#include "sysregs.h"
#include "walk.h"

#define PTE_P  BIT64(0)
#define PTE_W  BIT64(1)
#define PTE_U  BIT64(2)
#define PTE_A  BIT64(5)
#define PTE_D  BIT64(6)
#define PTE_PS BIT64(7)
#define PTE_G  BIT64(8)
#define PTE_NX BIT64(63)

#define PTE_ADDR       BITS64(51, 12)
#define PDPTE_RESERVED (BITS64(2, 1) | BITS64(8, 5))
#define LEVELS_MAX     4

/* The entries on the way, for their accessed and dirty bits. */
struct path {
	unsigned count;
	struct {
		uint64_t addr, value;
	} entry[LEVELS_MAX];
};

enum step { STEP_OK, STEP_FAULT, STEP_AGAIN };

static bool is_wide(const struct dbt_cpu *cpu)
{
	return cpu->cr4 & CR4_PAE;
}

static uint64_t load_entry(struct dbt_cpu *cpu, uint64_t addr, unsigned size)
{
	struct address_space *as = dbt_memory(cpu);
	struct space_hint *hint = dbt_memory_hint(cpu);
	struct as_ram ram;
	uint64_t value;

	if (as_find_ram(as, hint, addr, &ram) && ram.readable && ram.len >= size)
		return size == 8 ? __atomic_load_n((uint64_t *)ram.host, __ATOMIC_RELAXED)
				 : __atomic_load_n((uint32_t *)ram.host, __ATOMIC_RELAXED);
	dbt_go_outside(cpu);
	as_load(as, hint, addr, size, &value);
	dbt_go_inside(cpu);
	return value;
}

/* False: somebody else changed the entry. Tables in ROM keep what they have. */
static bool set_bits(struct dbt_cpu *cpu, uint64_t addr, uint64_t old, uint64_t bits, unsigned size)
{
	struct as_ram ram;
	uint32_t old32 = old;
	bool done;

	if (!as_find_ram(dbt_memory(cpu), dbt_memory_hint(cpu), addr, &ram) || !ram.writable ||
	    ram.len < size)
		return true;
	if (size == 8)
		done = __atomic_compare_exchange_n((uint64_t *)ram.host, &old, old | bits, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	else
		done = __atomic_compare_exchange_n((uint32_t *)ram.host, &old32,
						   old32 | (uint32_t)bits, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
	if (done)
		dirty_mark(ram.ram, ram.ram_offset, size);
	return done;
}

/* ---- One entry ---- */

static bool has_pages_of(const struct dbt_cpu *cpu, unsigned shift)
{
	switch (shift) {
	case 21:
		return true;
	case 22:
		return cpu->cr4 & CR4_PSE;
	case 30:
		return dbt_has(cpu, FEAT_8000_0001_EDX, BIT(26));
	default:
		return false;
	}
}

static bool is_leaf(const struct dbt_cpu *cpu, uint64_t entry, unsigned shift)
{
	return shift == 12 || ((entry & PTE_PS) && has_pages_of(cpu, shift));
}

static uint64_t reserved_wide(const struct dbt_cpu *cpu, uint64_t entry, unsigned shift, bool leaf)
{
	uint64_t bits = PTE_ADDR & ~cpu->phys_mask;

	if (!(cpu->efer & EFER_NX))
		bits |= PTE_NX;
	if (!(cpu->efer & EFER_LMA))
		bits |= BITS64(62, 52);
	if (shift >= 30 && !leaf)
		bits |= PTE_PS;
	if (shift > 12 && leaf)
		bits |= BITS64(shift - 1, 13);
	return entry & bits;
}

/* PSE-36: bits 20:13 of a large page's entry are bits 39:32 of its address. */
static uint64_t large_narrow_addr(uint64_t entry)
{
	return (entry & BITS64(31, 22)) | (entry & BITS64(20, 13)) << 19;
}

static uint64_t reserved_narrow(const struct dbt_cpu *cpu, uint64_t entry, unsigned shift,
				bool leaf)
{
	if (shift == 12 || !leaf)
		return 0;
	if (!dbt_has(cpu, FEAT_1_EDX, BIT(17)))
		return entry & BITS64(21, 13);
	return (entry & BIT64(21)) | (large_narrow_addr(entry) & ~cpu->phys_mask & ~0xfffULL);
}

static uint64_t leaf_address(const struct dbt_cpu *cpu, const struct walk *w, uint64_t entry,
			     unsigned shift)
{
	uint64_t inside = w->lin & BITS64(shift - 1, 0) & ~0xfffULL;

	if (shift == 12)
		inside = 0;
	if (!is_wide(cpu))
		return (shift == 22 ? large_narrow_addr(entry) : entry & BITS64(31, 12)) | inside;
	return (entry & PTE_ADDR & ~BITS64(shift - 1, 0)) | inside;
}

/* ---- Rights ---- */

static uint8_t rights_of(const struct dbt_cpu *cpu, unsigned index, bool user, bool writable,
			 bool no_execute)
{
	uint8_t rights = BIT(ACCESS_READ);

	if (index == MMU_USER) {
		if (!user)
			return 0;
		rights |= writable ? BIT(ACCESS_WRITE) : 0;
		return rights | (no_execute ? 0 : BIT(ACCESS_EXEC));
	}
	if (writable || !(cpu->cr0 & CR0_WP))
		rights |= BIT(ACCESS_WRITE);
	if (user && index == MMU_KERNEL_SMAP)
		rights = 0;
	if (!no_execute && !(user && (cpu->cr4 & CR4_SMEP)))
		rights |= BIT(ACCESS_EXEC);
	return rights;
}

static uint32_t error_code(const struct dbt_cpu *cpu, const struct walk *w, uint32_t why)
{
	bool tells_fetch = (is_wide(cpu) && (cpu->efer & EFER_NX)) || (cpu->cr4 & CR4_SMEP);

	return why | (w->access == ACCESS_WRITE ? PF_WRITE : 0) |
	       (w->index == MMU_USER ? PF_USER : 0) |
	       (w->access == ACCESS_EXEC && tells_fetch ? PF_FETCH : 0);
}

static enum step fault(const struct dbt_cpu *cpu, struct walk *w, uint32_t why)
{
	w->error = error_code(cpu, w, why);
	return STEP_FAULT;
}

/* ---- The walk ---- */

static enum step mark_path(struct dbt_cpu *cpu, const struct walk *w, const struct path *path)
{
	unsigned size = is_wide(cpu) ? 8 : 4;

	for (unsigned i = 0; i < path->count; i++) {
		uint64_t want = PTE_A, value = path->entry[i].value;

		if (i == path->count - 1 && w->access == ACCESS_WRITE)
			want |= PTE_D;
		if ((value & want) != want &&
		    !set_bits(cpu, path->entry[i].addr, value, want, size))
			return STEP_AGAIN;
	}
	return STEP_OK;
}

/* The entry of the last level was reached: may the access be made? */
static enum step arrive(struct dbt_cpu *cpu, struct walk *w, const struct path *path,
			uint8_t rights)
{
	uint64_t entry = path->entry[path->count - 1].value;

	w->phys = leaf_address(cpu, w, entry, w->shift) & cpu->a20_mask;
	w->global = (entry & PTE_G) && (cpu->cr4 & CR4_PGE);
	w->rights = rights;
	if (w->quiet)
		return STEP_OK;
	if (!(rights & BIT(w->access)))
		return fault(cpu, w, PF_PRESENT);
	if (!(entry & PTE_D) && w->access != ACCESS_WRITE)
		w->rights &= ~BIT(ACCESS_WRITE);
	return mark_path(cpu, w, path);
}

static enum step descend(struct dbt_cpu *cpu, struct walk *w, uint64_t table, unsigned shift)
{
	bool wide = is_wide(cpu), user = true, writable = true, no_execute = false;
	unsigned size = wide ? 8 : 4, bits = wide ? 9 : 10;
	struct path path = {0};

	for (;; shift -= bits) {
		uint64_t addr = table + (w->lin >> shift & BITS64(bits - 1, 0)) * size;
		uint64_t entry = load_entry(cpu, addr & cpu->a20_mask, size);
		bool leaf = is_leaf(cpu, entry, shift);

		if (!(entry & PTE_P))
			return fault(cpu, w, 0);
		if (wide ? reserved_wide(cpu, entry, shift, leaf)
			 : reserved_narrow(cpu, entry, shift, leaf))
			return fault(cpu, w, PF_PRESENT | PF_RESERVED);
		user = user && (entry & PTE_U);
		writable = writable && (entry & PTE_W);
		no_execute = no_execute || (wide && (entry & PTE_NX));
		path.entry[path.count].addr = addr & cpu->a20_mask;
		path.entry[path.count++].value = entry;
		if (leaf)
			break;
		table = entry & (wide ? PTE_ADDR : BITS64(31, 12));
	}
	w->shift = shift;
	return arrive(cpu, w, &path, rights_of(cpu, w->index, user, writable, no_execute));
}

static enum step walk_once(struct dbt_cpu *cpu, struct walk *w)
{
	uint64_t pdpte;

	if (cpu->efer & EFER_LMA)
		return descend(cpu, w, cpu->cr3 & PTE_ADDR & cpu->phys_mask, 39);
	if (!is_wide(cpu))
		return descend(cpu, w, cpu->cr3 & BITS64(31, 12), 22);
	pdpte = cpu->pdptr[w->lin >> 30 & 3];
	if (!(pdpte & PTE_P))
		return fault(cpu, w, 0);
	return descend(cpu, w, pdpte & PTE_ADDR, 21);
}

bool page_walk(struct dbt_cpu *cpu, struct walk *w)
{
	enum step step;

	if (!(cpu->cr0 & CR0_PG)) {
		w->phys = w->lin & ~0xfffULL & cpu->a20_mask & UINT32_MAX;
		w->rights = BIT(ACCESS_READ) | BIT(ACCESS_WRITE) | BIT(ACCESS_EXEC);
		w->shift = 12;
		w->global = false;
		return true;
	}
	do
		step = walk_once(cpu, w);
	while (step == STEP_AGAIN);
	return step == STEP_OK;
}

bool page_load_pdptrs(struct dbt_cpu *cpu, uint64_t cr3)
{
	uint64_t pdptr[4], reserved = PDPTE_RESERVED | (~cpu->phys_mask & ~0xfffULL);

	for (unsigned i = 0; i < 4; i++) {
		uint64_t addr = (cr3 & BITS64(31, 5)) + i * 8;

		pdptr[i] = load_entry(cpu, addr & cpu->a20_mask, 8);
		if ((pdptr[i] & PTE_P) && (pdptr[i] & reserved))
			return false;
	}
	memcpy(cpu->pdptr, pdptr, sizeof(pdptr));
	return true;
}
