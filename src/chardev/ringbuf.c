/* ringbuf (memory): keeps the last output for ringbuf-read; ringbuf-write is its output too. */
#include "internal.h"

#define RINGBUF_SIZE 65536
/* One JSON value holds what is read at once. */
#define RINGBUF_MAX (256 * MIB)

struct ringbuf_options {
	struct chardev_common common;
	uint64_t size;
};

struct ringbuf_chardev {
	struct chardev chr;
	uint8_t *data;
	uint64_t size;           /* a power of two */
	uint64_t written, taken; /* counts of bytes ever; the difference is at most size */
};

static bool ringbuf_create(struct chardev *chr, const void *options, GError **errp)
{
	struct ringbuf_chardev *ring = container_of(chr, struct ringbuf_chardev, chr);
	const struct ringbuf_options *opt = options;

	if (!IS_POWER_OF_2(opt->size)) {
		error_set(errp, "size of ringbuf chardev must be power of two");
		return false;
	}
	if (opt->size > RINGBUF_MAX) {
		error_set(errp, "size of ringbuf chardev must be %" PRIu64 " bytes or less",
			  (uint64_t)RINGBUF_MAX);
		return false;
	}
	ring->size = opt->size;
	ring->data = g_malloc0(ring->size);
	chr->open = true;
	return true;
}

static void ringbuf_destroy(struct chardev *chr)
{
	g_free(container_of(chr, struct ringbuf_chardev, chr)->data);
}

static int ringbuf_write(struct chardev *chr, const uint8_t *data, int len)
{
	struct ringbuf_chardev *ring = container_of(chr, struct ringbuf_chardev, chr);

	for (int i = 0; i < len; i++)
		ring->data[ring->written++ & (ring->size - 1)] = data[i];
	if (ring->written - ring->taken > ring->size)
		ring->taken = ring->written - ring->size;
	return len;
}

static struct ringbuf_chardev *ringbuf_of(struct chardev *chr, GError **errp)
{
	if (chr->type == &chardev_ringbuf && !chr->closed)
		return container_of(chr, struct ringbuf_chardev, chr);
	error_set(errp, "%s is not a ringbuf device", chr->id);
	return NULL;
}

bool ringbuf_put(struct chardev *chr, const uint8_t *data, int len, GError **errp)
{
	if (!ringbuf_of(chr, errp))
		return false;
	g_mutex_lock(&chr->write_lock);
	ringbuf_write(chr, data, len);
	g_mutex_unlock(&chr->write_lock);
	return true;
}

GByteArray *ringbuf_take(struct chardev *chr, size_t max, GError **errp)
{
	struct ringbuf_chardev *ring = ringbuf_of(chr, errp);
	GByteArray *out;

	if (!ring)
		return NULL;
	out = g_byte_array_new();
	g_mutex_lock(&chr->write_lock);
	for (; ring->taken < ring->written && out->len < max; ring->taken++)
		g_byte_array_append(out, &ring->data[ring->taken & (ring->size - 1)], 1);
	g_mutex_unlock(&chr->write_lock);
	return out;
}

static const struct field ringbuf_rows[] = {
	CHARDEV_COMMON_ROWS(struct ringbuf_options),
	PROP_SIZE(struct ringbuf_options, size, "size", RINGBUF_SIZE,
		  "Bytes that are kept, a power of two"),
	FIELD_ROW_END,
};
const struct field_set chardev_ringbuf_set = {"ChardevRingbuf", sizeof(struct ringbuf_options),
					      ringbuf_rows};

const struct chardev_type chardev_ringbuf = {
	.name = "ringbuf",
	.help = "Keeps the last output in memory for ringbuf-read",
	.size = sizeof(struct ringbuf_chardev),
	.options = &chardev_ringbuf_set,
	.create = ringbuf_create,
	.destroy = ringbuf_destroy,
	.write = ringbuf_write,
};
