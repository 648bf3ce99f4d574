/* Reading and writing the stream's primitives; shared by save.c, load.c and tree.c. */
#ifndef SRC_STATE_INTERNAL_H
#define SRC_STATE_INTERNAL_H

#include "base/checked.h"
#include "state/state.h"

static inline void put_u8(GByteArray *out, uint8_t v)
{
	g_byte_array_append(out, &v, 1);
}

static inline void put_u32(GByteArray *out, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

/* Room for a length that is known later; put_length() fills it with what has been added since. */
static inline size_t begin_length(GByteArray *out)
{
	put_u32(out, 0);
	return out->len;
}

static inline void end_length(GByteArray *out, size_t begin)
{
	put_le32(out->data + begin - 4, out->len - begin);
}

/* Bytes yet to be read. `failed` is set by a read beyond the end, which yields zeroes. */
struct reader {
	const uint8_t *data;
	size_t len;
	bool failed;
};

static inline const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *p = r->data;

	if (r->failed || len > r->len) {
		r->failed = true;
		return NULL;
	}
	r->data += len;
	r->len -= len;
	return p;
}

static inline uint8_t take_u8(struct reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? *p : 0;
}

static inline uint32_t take_u32(struct reader *r)
{
	const uint8_t *p = take(r, 4);

	return p ? get_le32(p) : 0;
}

/* A part with its own length; in itself a reader. */
static inline struct reader take_part(struct reader *r, size_t len)
{
	const uint8_t *p = take(r, len);

	return (struct reader){.data = p, .len = p ? len : 0};
}

/* The two halves of loading a device. */
bool load_device_rows(struct device *dev, const uint8_t *data, size_t len, GError **errp);
bool device_post_load(struct device *dev, GError **errp);
bool device_has_state(const struct device *dev);

/* Elements of a row: a C array's, or one. */
static inline unsigned row_count(const struct field *row)
{
	return row->count > 1 ? row->count : 1;
}

#endif
