/* Sizes as people write them. */
#include "base/checked.h"
#include "api/codec.h"
#include "size.h"

static const char size_suffixes[] = "BKMGTPE";

/* Digits after the point as a share of @unit: exact, or cut to whole bytes. NULL on too many. */
static const char *scan_fraction(const char *p, uint64_t unit, uint64_t *share)
{
	uint64_t digits = 0, scale = 1;

	for (; g_ascii_isdigit(*p); p++) {
		if (scale > 1000000000000000ULL)
			continue; /* below a byte for every unit but the largest */
		digits = digits * 10 + (*p - '0');
		scale *= 10;
	}
	*share = (unsigned __int128)digits * unit / scale;
	return p;
}

static uint64_t suffix_unit(char suffix)
{
	const char *at = suffix ? strchr(size_suffixes, g_ascii_toupper(suffix)) : NULL;

	return at ? 1ULL << (10 * (at - size_suffixes)) : 0;
}

/* Length of a run of digits and, after a point, further digits. */
static size_t number_length(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return p[n] == '.' ? n + 1 + strspn(p + n + 1, "0123456789") : n;
}

int size_scan(const char *text, uint64_t unit, uint64_t *size)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	size_t len = hex ? 2 + strspn(text + 2, "0123456789abcdefABCDEF") : number_length(text);
	const char *suffix = text + len;
	uint64_t whole, share = 0;
	char *end;

	if (!g_ascii_isdigit(text[0]) || (hex && len == 2) || (*suffix && (suffix[1] || hex)))
		return -EINVAL;
	if (*suffix)
		unit = suffix_unit(*suffix);
	if (!unit)
		return -EINVAL;
	errno = 0;
	whole = g_ascii_strtoull(text, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	if (*end == '.')
		scan_fraction(end + 1, unit, &share);
	if (unit == 1 && *end == '.' && strspn(end + 1, "0") != (size_t)(suffix - end - 1))
		return -EINVAL;
	if (MUL_OVERFLOWS(whole, unit, &whole) || ADD_OVERFLOWS(whole, share, size))
		return -ERANGE;
	return 0;
}

bool size_parse(const char *text, uint64_t unit, uint64_t *size, GError **errp, const char *what)
{
	int ret = size_scan(text, unit, size);

	if (ret == -ERANGE) {
		error_set(errp, "Value '%s' is out of range for parameter '%s'", text, what);
	} else if (ret) {
		error_set(errp, "Parameter '%s' expects a non-negative number below 2^64", what);
		error_add_hint(errp,
			       "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, "
			       "tera-, peta-\nand exabytes, respectively.");
	}
	return !ret;
}

char *size_print(uint64_t size)
{
	unsigned i = 0;

	while (i < 6 && size >> (10 * (i + 1)))
		i++;
	if (!i)
		return g_strdup_printf("%" PRIu64, size);
	if (!(size & ((1ULL << (10 * i)) - 1)))
		return g_strdup_printf("%" PRIu64 "%c", size >> (10 * i), size_suffixes[i]);
	return g_strdup_printf("%.3g %ciB", (double)size / (1ULL << (10 * i)), size_suffixes[i]);
}
