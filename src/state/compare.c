/* Where two streams differ: for round-trip tests, which must name the culprit. */
#include "internal.h"

struct section {
	char *path;
	struct reader records;
};

static bool next_section(struct reader *r, struct section *s)
{
	bool device = take_u8(r) == STATE_DEVICE;
	struct reader path, type;

	if (r->failed || !device)
		return false;
	path = take_part(r, take_u32(r));
	type = take_part(r, take_u8(r));
	s->records = take_part(r, take_u32(r));
	s->path = g_strndup((const char *)path.data, path.len);
	return !r->failed && !type.failed;
}

/* The next record: its name, and all its bytes. */
static struct reader next_record(struct reader *r, char **name)
{
	const uint8_t *start = r->data;
	struct reader text = take_part(r, take_u8(r));

	take(r, 5);
	take_part(r, take_u32(r));
	*name = g_strndup((const char *)text.data, text.len);
	return (struct reader){.data = start, .len = r->data - start};
}

static char *hex(struct reader r, size_t skip)
{
	GString *out = g_string_new("");

	for (size_t i = skip; i < r.len && i < skip + 32; i++)
		g_string_append_printf(out, "%02x", r.data[i]);
	if (r.len > skip + 32)
		g_string_append(out, "...");
	return g_string_free(out, false);
}

static char *compare_records(struct reader a, struct reader b)
{
	while (a.len || b.len) {
		g_autofree char *name = NULL, *other = NULL;
		struct reader x = next_record(&a, &name), y = next_record(&b, &other);

		if (a.failed || b.failed)
			return g_strdup("records are cut off");
		if (strcmp(name, other))
			return g_strdup_printf("field '%s' against '%s'", name, other);
		if (x.len != y.len || memcmp(x.data, y.data, x.len)) {
			size_t skip = 1 + strlen(name) + 9;
			g_autofree char *before = hex(x, skip), *after = hex(y, skip);

			return g_strdup_printf("field '%s': %s before, %s after", name, before,
					       after);
		}
	}
	return g_strdup("no record");
}

char *state_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	struct reader x = {.data = a, .len = a_len}, y = {.data = b, .len = b_len};

	if (a_len == b_len && !memcmp(a, b, a_len))
		return NULL;
	take(&x, strlen(STATE_MAGIC));
	take(&y, strlen(STATE_MAGIC));
	for (;;) {
		struct section s = {NULL}, t = {NULL};
		bool both = next_section(&x, &s) && next_section(&y, &t);
		g_autofree char *path = s.path, *other = t.path;

		if (!both)
			return g_strdup("the number of devices differs");
		if (strcmp(path, other))
			return g_strdup_printf("device '%s' against '%s'", path, other);
		if (s.records.len != t.records.len ||
		    memcmp(s.records.data, t.records.data, s.records.len)) {
			g_autofree char *what = compare_records(s.records, t.records);

			return g_strdup_printf("device '%s': %s", path, what);
		}
	}
}
