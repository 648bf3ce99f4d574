/*
 * Registers as text. The layout is the one QEMU's users know from `info registers` and its logs.
 */
#include "base/checked.h"
#include "cpu/x86.h"

#define FLAG(flags, bit, letter) ((flags)&BIT(bit) ? (letter) : '-')

static bool is_long(const struct x86_state *s)
{
	return (s->efer & EFER_LMA) && (s->seg[S_CS].attr & SEG_ATTR_L);
}

static void print_gprs(const struct x86_state *s, GString *out)
{
	static const char names[16][4] = {"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP",
					  "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
	static const uint8_t order[16] = {R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP,
					  R_8,  R_9,  R_10, R_11, R_12, R_13, R_14, R_15};
	bool wide = is_long(s);

	for (unsigned i = 0; i < (wide ? 16 : 8); i++) {
		char end = i % 4 == 3 ? '\n' : ' ';

		if (wide)
			g_string_append_printf(out, "%s=%016" PRIx64 "%c", names[i],
					       s->gpr[order[i]], end);
		else
			g_string_append_printf(out, "E%s=%08x%c", names[i] + 1,
					       (uint32_t)s->gpr[order[i]], end);
	}
}

static unsigned current_level(const struct x86_state *s)
{
	if (!(s->cr0 & CR0_PE))
		return 0;
	return s->rflags & BIT(17) ? 3 : (s->seg[S_SS].attr >> 5) & 3;
}

static void print_flags(const struct x86_state *s, bool halted, GString *out)
{
	uint32_t fl = s->rflags;

	if (is_long(s))
		g_string_append_printf(out, "RIP=%016" PRIx64 " RFL=%08x", s->rip, fl);
	else
		g_string_append_printf(out, "EIP=%08x EFL=%08x", (uint32_t)s->rip, fl);
	g_string_append_printf(out, " [%c%c%c%c%c%c%c] CPL=%u II=%d A20=1 SMM=%d HLT=%d\n",
			       FLAG(fl, 10, 'D'), FLAG(fl, 11, 'O'), FLAG(fl, 7, 'S'),
			       FLAG(fl, 6, 'Z'), FLAG(fl, 4, 'A'), FLAG(fl, 2, 'P'),
			       FLAG(fl, 0, 'C'), current_level(s), !!s->events.interrupt_shadow,
			       s->events.in_smm, halted);
}

/* "DPL=0 CS64 [-RA]": what a present segment is, in protected mode. */
static void print_seg_kind(const struct x86_state *s, const struct x86_segment *seg, GString *out)
{
	static const char *const system[2][16] = {
		{"Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CALL16", "TASK", "INT16", "TRAP16",
		 "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CALL32", "Reserved", "INT32",
		 "TRAP32"},
		{"<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved",
		 "Reserved", "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CALL64",
		 "Reserved", "INT64", "TRAP64"},
	};
	uint32_t a = seg->attr;

	g_string_append_printf(out, " DPL=%u ", (a >> 5) & 3);
	if (!(a & BIT(4)))
		g_string_append(out, system[!!(s->efer & EFER_LMA)][a & 15]);
	else if (a & BIT(3))
		g_string_append_printf(out, "%s [%c%c%c]",
				       a & SEG_ATTR_L    ? "CS64"
				       : a & SEG_ATTR_DB ? "CS32"
							 : "CS16",
				       FLAG(a, 2, 'C'), FLAG(a, 1, 'R'), FLAG(a, 0, 'A'));
	else
		g_string_append_printf(out, "%s [%c%c%c]", a & SEG_ATTR_DB ? "DS  " : "DS16",
				       FLAG(a, 2, 'E'), FLAG(a, 1, 'W'), FLAG(a, 0, 'A'));
}

static void print_segments(const struct x86_state *s, GString *out)
{
	static const char names[S_COUNT][4] = {"ES ", "CS ", "SS ", "DS ",
					       "FS ", "GS ", "LDT", "TR "};

	for (unsigned i = 0; i < S_COUNT; i++) {
		const struct x86_segment *seg = &s->seg[i];
		bool present = (seg->attr & SEG_ATTR_P) && !(seg->attr & SEG_ATTR_UNUSABLE);

		g_string_append_printf(out, "%s=%04x %0*" PRIx64 " %08x %08x", names[i],
				       seg->selector, is_long(s) ? 16 : 8, seg->base, seg->limit,
				       present ? (seg->attr & 0xf0ff) << 8 : 0);
		if ((s->cr0 & CR0_PE) && present)
			print_seg_kind(s, seg, out);
		g_string_append_c(out, '\n');
	}
}

static void print_control(const struct x86_state *s, GString *out)
{
	int wide = is_long(s) ? 16 : 8;

	g_string_append_printf(out, "GDT=     %0*" PRIx64 " %08x\n", wide, s->gdt.base,
			       s->gdt.limit);
	g_string_append_printf(out, "IDT=     %0*" PRIx64 " %08x\n", wide, s->idt.base,
			       s->idt.limit);
	g_string_append_printf(out, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n",
			       (uint32_t)s->cr0, wide, s->cr2, wide, s->cr3, (uint32_t)s->cr4);
	for (unsigned i = 0; i < 4; i++)
		g_string_append_printf(out, "DR%u=%016" PRIx64 " ", i, s->dr[i]);
	g_string_append_printf(out,
			       "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\nEFER=%016" PRIx64 "\n",
			       s->dr[6], s->dr[7], s->efer);
}

/* From the legacy region of the XSAVE area (SDM vol. 1, 13.4.1). */
static void print_fpu(const struct x86_state *s, GString *out)
{
	const uint8_t *x = s->xsave;
	unsigned fsw = get_le16(x + 2), registers = is_long(s) ? 16 : 8;

	g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", get_le16(x),
			       fsw, (fsw >> 11) & 7, x[4], get_le32(x + 24));
	for (unsigned i = 0; i < 8; i++)
		g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%c", i,
				       get_le64(x + 32 + 16 * i), get_le16(x + 40 + 16 * i),
				       i & 1 ? '\n' : ' ');
	for (unsigned i = 0; i < registers; i++)
		g_string_append_printf(out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", i,
				       get_le64(x + 168 + 16 * i), get_le64(x + 160 + 16 * i),
				       i & 1 ? '\n' : ' ');
}

void x86_state_print(const struct x86_state *s, bool halted, GString *out)
{
	print_gprs(s, out);
	print_flags(s, halted, out);
	print_segments(s, out);
	print_control(s, out);
	print_fpu(s, out);
}
