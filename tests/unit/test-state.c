/* Saved state: round trips, and streams that somebody tampered with. */
#include "trial-types.h"
#include "base/checked.h"

#define assert_error(err, text)                                                                    \
	do {                                                                                       \
		g_assert_nonnull(err);                                                             \
		g_assert_cmpstr((err)->message, ==, text);                                         \
		g_clear_error(&(err));                                                             \
	} while (0)

#define AT "state of '/machine/peripheral/c' (trial-card): "

struct fixture {
	struct trial_host *host;
	struct trial_card *card;
	GByteArray *out;
};

static void setup(struct fixture *f, gconstpointer data)
{
	struct device *dev = device_new(&trial_card_type);

	f->host = trial_setup();
	dev->id = g_strdup("c");
	g_assert_true(device_realize(dev, tree_container("/machine/peripheral"), "c", &f->host->bus,
				     NULL));
	device_reset(dev);
	f->card = container_of(dev, struct trial_card, base.dev);
	f->out = g_byte_array_new();
}

static void teardown(struct fixture *f, gconstpointer data)
{
	g_byte_array_unref(f->out);
	trial_teardown(f->host);
}

static void fill(struct trial_card *card)
{
	card->base.status = 0x5a;
	card->reg8 = 0x12;
	card->reg16 = 0x3456;
	card->reg32 = -99;
	card->reg64 = 0x1122334455667788;
	card->flag = true;
	card->extra = 0x77;
	card->optional = 3;
	card->blob = 0xabcd;
	card->text = g_strdup("text");
	for (int i = 0; i < 4; i++)
		card->table[i] = i * 0x11111111;
	memcpy(card->bytes, "\1\2\3\4\5", 5);
	card->inner = (struct trial_inner){9, {10, 11, 12}};
	card->inners[1] = (struct trial_inner){1, {2, 3, 4}};
}

static bool load(struct fixture *f, GError **errp)
{
	return state_load_device(&f->card->base.dev, f->out->data, f->out->len, errp);
}

static void test_round_trip(struct fixture *f, gconstpointer data)
{
	struct trial_card *card = f->card;
	GError *err = NULL;

	fill(card);
	state_save_device(&card->base.dev, f->out);
	device_reset(&card->base.dev);
	memset(card->bytes, 0, 5);
	memset(card->inners, 0, sizeof(card->inners));
	g_assert_true(load(f, &err));
	g_assert_cmpuint(card->base.status, ==, 0x5a);
	g_assert_cmpuint(card->reg8, ==, 0x12);
	g_assert_cmpuint(card->reg16, ==, 0x3456);
	g_assert_cmpint(card->reg32, ==, -99);
	g_assert_cmpuint(card->reg64, ==, 0x1122334455667788);
	g_assert_true(card->flag);
	g_assert_cmpuint(card->extra, ==, 0x77);
	g_assert_cmpuint(card->optional, ==, 3);
	g_assert_cmpuint(card->blob, ==, 0xabcd);
	g_assert_cmpstr(card->text, ==, "text");
	g_assert_cmpuint(card->table[3], ==, 0x33333333);
	g_assert_cmpmem(card->bytes, 5, "\1\2\3\4\5", 5);
	g_assert_cmpuint(card->inner.values[2], ==, 12);
	g_assert_cmpuint(card->inners[0].kind, ==, 0);
	g_assert_cmpuint(card->inners[1].values[0], ==, 2);
	g_assert_cmpuint(card->post_loads, ==, 1);
}

/* ---- Streams written by hand ---- */

static void record(GByteArray *out, const char *name, uint8_t flags, uint32_t count,
		   const void *data, uint32_t len)
{
	uint8_t n = strlen(name), head[9];

	head[0] = flags;
	put_le32(head + 1, count);
	put_le32(head + 5, len);
	g_byte_array_append(out, &n, 1);
	g_byte_array_append(out, (const uint8_t *)name, n);
	g_byte_array_append(out, head, sizeof(head));
	g_byte_array_append(out, data, len);
}

/* The whole state of a freshly reset card but for the record @name. */
static void save_without(struct fixture *f, const char *name)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	size_t at = 0;

	state_save_device(&f->card->base.dev, all);
	while (at < all->len) {
		uint8_t name_len = all->data[at];
		size_t len = 1 + name_len + 9 + get_le32(all->data + at + 1 + name_len + 5);

		if (name_len != strlen(name) || memcmp(all->data + at + 1, name, name_len))
			g_byte_array_append(f->out, all->data + at, len);
		at += len;
	}
	g_assert_cmpuint(f->out->len, <, all->len);
}

static void test_missing(struct fixture *f, gconstpointer data)
{
	GError *err = NULL;

	save_without(f, "reg16");
	g_assert_false(load(f, &err));
	assert_error(err, AT "field 'reg16' is missing");
	g_assert_cmpuint(f->card->post_loads, ==, 0);
}

static void test_optional(struct fixture *f, gconstpointer data)
{
	GError *err = NULL;

	save_without(f, "optional");
	f->card->optional = 42;
	g_assert_true(load(f, &err));
	g_assert_cmpuint(f->card->optional, ==, 42);
}

static void test_needed(struct fixture *f, gconstpointer data)
{
	GError *err = NULL;

	/* Not needed: not saved, not missed. */
	f->card->flag = false;
	state_save_device(&f->card->base.dev, f->out);
	g_assert_true(load(f, &err));
	/* The stream says it is needed, and lacks it. */
	f->card->flag = true;
	g_byte_array_set_size(f->out, 0);
	save_without(f, "extra");
	f->card->flag = false;
	g_assert_false(load(f, &err));
	assert_error(err, AT "field 'extra' is missing");
}

static void test_unknown(struct fixture *f, gconstpointer data)
{
	GError *err = NULL;

	state_save_device(&f->card->base.dev, f->out);
	record(f->out, "later", RECORD_OPTIONAL, 3, "abcdef", 6);
	g_assert_true(load(f, &err));
	record(f->out, "must", 0, 1, "a", 1);
	g_assert_false(load(f, &err));
	assert_error(err, AT "field 'must' is unknown here");
}

static void test_widths(struct fixture *f, gconstpointer data)
{
	static const uint8_t wide[8] = {0x44, 0x33}, negative[2] = {0xf0, 0xff};
	GError *err = NULL;

	save_without(f, "reg16");
	record(f->out, "reg16", 0, 1, wide, 8);
	g_assert_true(load(f, &err));
	g_assert_cmpuint(f->card->reg16, ==, 0x3344);

	g_byte_array_set_size(f->out, 0);
	save_without(f, "reg32");
	record(f->out, "reg32", 0, 1, negative, 2);
	g_assert_true(load(f, &err));
	g_assert_cmpint(f->card->reg32, ==, -16);

	g_byte_array_set_size(f->out, 0);
	save_without(f, "reg8");
	record(f->out, "reg8", 0, 1, wide, 8);
	g_assert_false(load(f, &err));
	assert_error(err, AT "field 'reg8': value 0x3344 is out of range");
}

/* One record replaced by another, and what is said about it. */
static void replaced(struct fixture *f, const char *name, uint32_t count, const void *data,
		     uint32_t len, const char *text)
{
	GError *err = NULL;

	g_byte_array_set_size(f->out, 0);
	save_without(f, name);
	record(f->out, name, 0, count, data, len);
	g_assert_false(load(f, &err));
	assert_error(err, text);
}

static void test_wrong(struct fixture *f, gconstpointer data)
{
	static const uint8_t zero[64] = {0}, big[4] = {0xff, 0xff, 0xff, 0xff}, seven[4] = {7};

	replaced(f, "flag", 1, "\2", 1, AT "field 'flag': value 0x2 is out of range");
	replaced(f, "reg32", 1, "\x65", 1, AT "field 'reg32': value 0x65 is out of range");
	replaced(f, "reg64", 1, zero, 9, AT "field 'reg64': 9 bytes for 1 integers");
	replaced(f, "reg64", 0, zero, 0, AT "field 'reg64': 0 elements instead of 1");
	replaced(f, "table", 3, zero, 12, AT "field 'table': 3 elements instead of 4");
	replaced(f, "table", 4, zero, 15, AT "field 'table': 15 bytes for 4 integers");
	replaced(f, "bytes", 1, zero, 4, AT "field 'bytes': 4 bytes instead of 5");
	replaced(f, "text", 1, "a\0b", 3, AT "field 'text': text with a zero byte in it");
	replaced(f, "text", 2, "ab", 2, AT "field 'text': 2 elements instead of one");
	replaced(f, "inner", 1, big, 4,
		 AT "field 'inner': an element is longer than what is there");
	replaced(f, "inner", 1, seven, 4,
		 AT "field 'inner': an element is longer than what is there");
	replaced(f, "inner", 1, zero, 4, AT "field 'inner': field 'kind' is missing");
	replaced(f, "inners", 1, zero, 4, AT "field 'inners': 1 elements instead of 2");
	replaced(f, "blob", 1, zero, 4, AT "field 'blob': 0 bytes instead of 2");
	replaced(f, "reg8", 1, "\xee", 1, AT "register 8 cannot be 0xee");
}

static void test_damaged(struct fixture *f, gconstpointer data)
{
	GError *err = NULL;

	state_save_device(&f->card->base.dev, f->out);
	record(f->out, "reg8", 0, 1, "a", 1);
	g_assert_false(load(f, &err));
	assert_error(err, AT "field 'reg8' is there twice");
	g_byte_array_set_size(f->out, f->out->len - 1);
	g_assert_false(load(f, &err));
	assert_error(err, AT "the records end in the middle of one");
}

/* ---- The tree ---- */

static void test_tree(struct fixture *f, gconstpointer data)
{
	g_autoptr(GByteArray) again = g_byte_array_new();
	GError *err = NULL;

	fill(f->card);
	state_save_tree(f->out);
	device_reset(tree_root());
	g_assert_true(state_load_tree(f->out->data, f->out->len, &err));
	state_save_tree(again);
	g_assert_cmpmem(f->out->data, f->out->len, again->data, again->len);

	/* Every truncation is noticed. */
	for (size_t len = 0; len < f->out->len; len++) {
		g_autofree uint8_t *copy = g_memdup2(f->out->data, len);

		g_assert_false(state_load_tree(copy, len, &err));
		g_assert_nonnull(err);
		g_clear_error(&err);
	}
}

static bool load_tree(struct fixture *f, GError **errp)
{
	return state_load_tree(f->out->data, f->out->len, errp);
}

static void test_tree_differs(struct fixture *f, gconstpointer data)
{
	struct device *other = device_new(&trial_card_type);
	GError *err = NULL;

	state_save_tree(f->out);
	g_assert_true(device_realize(other, tree_container("/machine/peripheral"), "d",
				     &f->host->bus, NULL));
	device_reset(other);
	g_assert_false(load_tree(f, &err));
	assert_error(err, "the state lacks device '/machine/peripheral/d' (trial-card)");
	g_byte_array_set_size(f->out, 0);
	state_save_tree(f->out);
	device_unrealize(other);
	g_assert_false(load_tree(f, &err));
	assert_error(
		err,
		"the state has a device '/machine/peripheral/d' (trial-card) that is not here");
	g_byte_array_append(f->out, (const uint8_t *)"x", 1);
	f->out->data[0] = 'q';
	g_assert_false(load_tree(f, &err));
	assert_error(err, "this is not saved state: it does not begin with 'QuailSt1'");
	g_byte_array_set_size(f->out, 0);
	state_save_tree(f->out);
	g_byte_array_append(f->out, (const uint8_t *)"x", 1);
	g_assert_false(load_tree(f, &err));
	assert_error(err, "the state goes on for 1 bytes after its end");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(struct fixture *f, gconstpointer data);
	} tests[] = {
		{"/state/round-trip", test_round_trip},
		{"/state/missing", test_missing},
		{"/state/optional", test_optional},
		{"/state/needed", test_needed},
		{"/state/unknown", test_unknown},
		{"/state/widths", test_widths},
		{"/state/wrong", test_wrong},
		{"/state/damaged", test_damaged},
		{"/state/tree", test_tree},
		{"/state/tree-differs", test_tree_differs},
	};

	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, NULL, setup, tests[i].fn, teardown);
	return g_test_run();
}
