/* Human monitor commands that look at memory, ports, expressions. */
#include "base/checked.h"
#include "hmp.h"
#include "machine/machine.h"

/* Characters a value of @size bytes takes, as the letter writes it. */
static int value_width(char letter, int size)
{
	switch (letter) {
	case 'o':
		return (size * 8 + 2) / 3;
	case 'x':
		return size * 2;
	case 'u':
	case 'd':
		return (size * 8 * 10 + 32) / 33;
	default:
		return 0;
	}
}

static void append_character(GString *out, uint8_t c)
{
	static const char specials[] = "'\\\n\r", letters[] = "'\\nr";
	const char *special = c ? strchr(specials, c) : NULL;

	if (special)
		g_string_append_printf(out, "'\\%c'", letters[special - specials]);
	else if (g_ascii_isprint(c))
		g_string_append_printf(out, "'%c'", c);
	else
		g_string_append_printf(out, "'\\x%02x'", c);
}

/* Like QEMU's, decimal numbers of less than 64 bits have no sign. */
static void append_value(GString *out, char letter, int size, uint64_t value)
{
	int width = value_width(letter, size);

	switch (letter) {
	case 'o':
		g_string_append_printf(out, "%#*" PRIo64, width, value);
		break;
	case 'u':
		g_string_append_printf(out, "%*" PRIu64, width, value);
		break;
	case 'd':
		g_string_append_printf(out, "%*" PRId64, width, (int64_t)value);
		break;
	case 'c':
		append_character(out, (uint8_t)value);
		break;
	default:
		g_string_append_printf(out, "0x%0*" PRIx64, width, value);
	}
}

/* ---- x, xp ---- */

static bool read_guest(struct vcpu *cpu, uint64_t addr, void *buf, uint64_t len)
{
	struct machine *m = machine_current();

	for (uint8_t *p = buf; len;) {
		uint64_t n = MIN(len, 4096 - addr % 4096), phys = addr;

		if (cpu && !cpu->acc.accel->ops->vcpu_translate(&cpu->acc, addr, &phys))
			return false;
		if (as_read(&m->memory, phys, p, n) != MEM_OK)
			return false;
		addr += n;
		p += n;
		len -= n;
	}
	return true;
}

struct dump {
	struct hmp *hmp;
	uint64_t addr;
	int size, per_line;
};

static void dump_memory(struct vcpu *cpu, void *opaque)
{
	struct dump *dump = opaque;
	GString *out = dump->hmp->out;
	int left = dump->hmp->format.count;

	while (left > 0) {
		int n = MIN(left, dump->per_line);
		uint8_t buf[16];

		g_string_append_printf(out, "%016" PRIx64 ":", dump->addr);
		if (!read_guest(cpu, dump->addr, buf, n * dump->size)) {
			g_string_append(out, " Cannot access memory\n");
			return;
		}
		for (int i = 0; i < n; i++) {
			g_string_append_c(out, ' ');
			append_value(out, dump->hmp->format.letter, dump->size,
				     get_le(buf + i * dump->size, dump->size));
		}
		g_string_append_c(out, '\n');
		dump->addr += n * dump->size;
		left -= n;
	}
}

static struct dump dump_of(struct hmp *hmp, json_object *args)
{
	struct dump dump = {.hmp = hmp, .addr = (uint64_t)hmp_number(args, "addr")};

	dump.size = hmp->format.letter == 'c' ? 1 : hmp->last_size;
	dump.per_line = hmp->format.letter != 'c' && dump.size == 1 ? 8 : 16 / dump.size;
	return dump;
}

bool hmp_x(struct hmp *hmp, json_object *args, GError **errp)
{
	struct dump dump = dump_of(hmp, args);
	struct vcpu *cpu = hmp_cpu(hmp, false, errp);

	if (!cpu)
		return false;
	vcpu_run_on(cpu, dump_memory, &dump);
	return true;
}

bool hmp_xp(struct hmp *hmp, json_object *args, GError **errp)
{
	struct dump dump = dump_of(hmp, args);

	dump_memory(NULL, &dump);
	return true;
}

/* ---- print ---- */

bool hmp_print(struct hmp *hmp, json_object *args, GError **errp)
{
	int64_t value = hmp_number(args, "val");

	switch (hmp->format.letter) {
	case 'o':
		g_string_append_printf(hmp->out, "%#" PRIo64, (uint64_t)value);
		break;
	case 'u':
		g_string_append_printf(hmp->out, "%" PRIu64, (uint64_t)value);
		break;
	case 'd':
		g_string_append_printf(hmp->out, "%" PRId64, value);
		break;
	case 'c':
		append_character(hmp->out, (uint8_t)value);
		break;
	default:
		g_string_append_printf(hmp->out, "%#" PRIx64, (uint64_t)value);
	}
	g_string_append_c(hmp->out, '\n');
	return true;
}

/* ---- i, o ---- */

static const struct {
	int size;
	char suffix;
} port_sizes[] = {{1, 'b'}, {2, 'w'}, {4, 'l'}};

/* The width the format asks for: 8 bytes are no port access, nothing said is a byte. */
static size_t port_size(const struct hmp *hmp)
{
	return hmp->format.size == 2 ? 1 : hmp->format.size >= 4 ? 2 : 0;
}

bool hmp_in(struct hmp *hmp, json_object *args, GError **errp)
{
	struct machine *m = machine_current();
	size_t row = port_size(hmp);
	uint16_t port = (uint16_t)hmp_number(args, "addr");
	uint64_t value = UINT64_MAX;

	if (json_object_object_get_ex(args, "index", NULL))
		as_store(&m->io, NULL, port++, 1, (uint8_t)hmp_number(args, "index"));
	as_load(&m->io, NULL, port, port_sizes[row].size, &value);
	g_string_append_printf(hmp->out, "port%c[0x%04x] = 0x%0*" PRIx64 "\n",
			       port_sizes[row].suffix, port, port_sizes[row].size * 2,
			       value & (UINT64_MAX >> (64 - port_sizes[row].size * 8)));
	return true;
}

bool hmp_out(struct hmp *hmp, json_object *args, GError **errp)
{
	struct machine *m = machine_current();

	as_store(&m->io, NULL, (uint16_t)hmp_number(args, "addr"), port_sizes[port_size(hmp)].size,
		 (uint64_t)hmp_number(args, "val"));
	return true;
}
