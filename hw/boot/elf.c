/*
 * ELF executables for x86, of 32 and 64 bits: what to load where, and notes.
 *
 * Source: System V ABI, chapters 4 and 5. Kernels are loaded by physical addresses.
 */
#include <elf.h>

#include "internal.h"

/* Real kernels have about five. */
#define SEGMENTS_MAX 256
#define NOTES_MAX    (64 * KIB)

static bool check_machine(struct elf_image *elf, const Elf32_Ehdr *h, GError **errp)
{
	bool fits = h->e_ident[EI_DATA] == ELFDATA2LSB &&
		    ((h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_machine == EM_X86_64) ||
		     (h->e_ident[EI_CLASS] == ELFCLASS32 &&
		      (h->e_machine == EM_386 || h->e_machine == EM_X86_64)));

	elf->is_64 = h->e_ident[EI_CLASS] == ELFCLASS64;
	if (!fits)
		error_set(
			errp,
			"could not load kernel '%s': it is not an ELF file for x86 (class %u, data %u, "
			"machine %u)",
			elf->file->name, h->e_ident[EI_CLASS], h->e_ident[EI_DATA], h->e_machine);
	return fits;
}

static struct elf_segment segment_of_32(const Elf32_Phdr *p)
{
	return (struct elf_segment){
		.type = p->p_type,
		.flags = p->p_flags,
		.offset = p->p_offset,
		.vaddr = p->p_vaddr,
		.paddr = p->p_paddr,
		.filesz = p->p_filesz,
		.memsz = p->p_memsz,
		.align = p->p_align,
	};
}

static struct elf_segment segment_of_64(const Elf64_Phdr *p)
{
	return (struct elf_segment){
		.type = p->p_type,
		.flags = p->p_flags,
		.offset = p->p_offset,
		.vaddr = p->p_vaddr,
		.paddr = p->p_paddr,
		.filesz = p->p_filesz,
		.memsz = p->p_memsz,
		.align = p->p_align,
	};
}

static bool check_segment(const struct elf_image *elf, unsigned n, const struct elf_segment *seg,
			  GError **errp)
{
	bool in_file = range_fits(seg->offset, seg->filesz, elf->file->size);
	uint64_t end;

	if ((seg->type != PT_LOAD && seg->type != PT_NOTE) ||
	    (in_file && (seg->type == PT_NOTE || (seg->filesz <= seg->memsz &&
						  !ADD_OVERFLOWS(seg->paddr, seg->memsz, &end)))))
		return true;
	error_set(errp,
		  "could not load kernel '%s': %s: program header %u is of %" PRIu64
		  " bytes (%" PRIu64 " in memory at 0x%" PRIx64 ") at offset %" PRIu64
		  " of %" PRIu64,
		  elf->file->name, in_file ? "invalid ELF file" : "it is truncated", n, seg->filesz,
		  seg->memsz, seg->paddr, seg->offset, elf->file->size);
	return false;
}

static bool read_segments(struct elf_image *elf, uint64_t offset, unsigned count, unsigned entsize,
			  GError **errp)
{
	size_t size = elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (count > SEGMENTS_MAX || entsize < size) {
		error_set(errp,
			  "could not load kernel '%s': invalid ELF file: %u program headers of %u "
			  "bytes, at most %d of at least %zu are accepted",
			  elf->file->name, count, entsize, SEGMENTS_MAX, size);
		return false;
	}
	elf->segments = g_array_new(false, false, sizeof(struct elf_segment));
	for (unsigned i = 0; i < count; i++) {
		union {
			Elf32_Phdr h32;
			Elf64_Phdr h64;
		} raw;
		struct elf_segment seg;
		uint64_t at;

		if (ADD_OVERFLOWS(offset, (uint64_t)i * entsize, &at))
			at = UINT64_MAX;
		if (!boot_file_read(elf->file, at, &raw, size, errp))
			return false;
		seg = elf->is_64 ? segment_of_64(&raw.h64) : segment_of_32(&raw.h32);
		if (!check_segment(elf, i, &seg, errp))
			return false;
		g_array_append_val(elf->segments, seg);
	}
	return true;
}

enum boot_kind elf_open(struct elf_image *elf, struct boot_file *file, GError **errp)
{
	union {
		Elf32_Ehdr h32;
		Elf64_Ehdr h64;
	} raw = {0};
	bool ok;

	elf->file = file;
	if (!boot_file_read(file, 0, raw.h32.e_ident, SELFMAG, NULL) ||
	    memcmp(raw.h32.e_ident, ELFMAG, SELFMAG))
		return BOOT_NOT_MINE;
	/* Up to e_machine both classes are alike. */
	if (!boot_file_read(file, 0, &raw, sizeof(raw.h32), errp) ||
	    !check_machine(elf, &raw.h32, errp))
		return BOOT_FAILED;
	if (!elf->is_64) {
		elf->entry = raw.h32.e_entry;
		ok = read_segments(elf, raw.h32.e_phoff, raw.h32.e_phnum, raw.h32.e_phentsize,
				   errp);
	} else {
		if (!boot_file_read(file, 0, &raw, sizeof(raw.h64), errp))
			return BOOT_FAILED;
		elf->entry = raw.h64.e_entry;
		ok = read_segments(elf, raw.h64.e_phoff, raw.h64.e_phnum, raw.h64.e_phentsize,
				   errp);
	}
	return ok ? BOOT_DONE : BOOT_FAILED;
}

void elf_clear(struct elf_image *elf)
{
	g_clear_pointer(&elf->segments, g_array_unref);
}

bool elf_load(const struct elf_image *elf, struct boot_plan *plan, GError **errp)
{
	unsigned loaded = 0;

	for (guint i = 0; i < elf->segments->len; i++) {
		const struct elf_segment *seg =
			&g_array_index(elf->segments, struct elf_segment, i);
		struct boot_segment bss = {
			.what = "kernel",
			.addr = seg->paddr + seg->filesz,
			.size = seg->memsz - seg->filesz,
			.source = BOOT_ZEROES,
		};

		if (seg->type != PT_LOAD || !seg->memsz)
			continue;
		if (!plan_add_file(plan, "kernel", seg->paddr, elf->file, seg->offset, seg->filesz,
				   errp) ||
		    !plan_add(plan, bss, errp))
			return false;
		loaded++;
	}
	if (!loaded)
		error_set(errp, "could not load kernel '%s': the ELF file has nothing to load",
			  elf->file->name);
	return loaded > 0;
}

uint64_t elf_entry(const struct elf_image *elf)
{
	for (guint i = 0; i < elf->segments->len; i++) {
		const struct elf_segment *seg =
			&g_array_index(elf->segments, struct elf_segment, i);

		if (seg->type == PT_LOAD && elf->entry >= seg->vaddr &&
		    elf->entry - seg->vaddr < seg->memsz)
			return seg->paddr + (elf->entry - seg->vaddr);
	}
	return elf->entry;
}

/* ---- Notes: name size, descriptor size, type; name and descriptor, each padded ---- */

/* Bytes of the descriptor copied; 0: no such note before the end, or before what makes no sense. */
static int find_note(const uint8_t *notes, size_t size, size_t align, const char *name,
		     uint32_t type, void *desc, size_t max)
{
	size_t name_size = strlen(name) + 1, pos = 0;

	while (range_fits(pos, sizeof(Elf32_Nhdr), size)) {
		uint32_t namesz = get_le32(notes + pos), descsz = get_le32(notes + pos + 4);
		uint64_t name_at = pos + sizeof(Elf32_Nhdr);
		uint64_t desc_at = ROUND_UP(name_at + namesz, align);
		uint64_t next = ROUND_UP(desc_at + descsz, align);

		if (!range_fits(desc_at, descsz, size))
			return 0;
		if (get_le32(notes + pos + 8) == type && namesz == name_size &&
		    !memcmp(notes + name_at, name, name_size)) {
			memcpy(desc, notes + desc_at, MIN(descsz, max));
			return MIN(descsz, max);
		}
		pos = next;
	}
	return 0;
}

int elf_note(const struct elf_image *elf, const char *name, uint32_t type, void *desc, size_t max,
	     GError **errp)
{
	for (guint i = 0; i < elf->segments->len; i++) {
		const struct elf_segment *seg =
			&g_array_index(elf->segments, struct elf_segment, i);
		size_t size = MIN(seg->filesz, NOTES_MAX);
		g_autofree uint8_t *notes = NULL;
		int found;

		if (seg->type != PT_NOTE)
			continue;
		notes = g_malloc(size);
		if (!boot_file_read(elf->file, seg->offset, notes, size, errp))
			return -1;
		found = find_note(notes, size, seg->align == 8 ? 8 : 4, name, type, desc, max);
		if (found > 0)
			return found;
	}
	return 0;
}
