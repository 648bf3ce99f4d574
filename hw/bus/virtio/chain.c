/*
 * Chains of buffers: from descriptors, which are guest addresses, to host memory and back.
 *
 * A descriptor whose memory is not contiguous on the host becomes several pieces. The pieces of the chain
 * being popped are gathered in the queue's array; when the chain is known to be sound they are copied
 * into one block of memory together with the device's own structure.
 */
#include "base/checked.h"
#include "internal.h"

/* More than any driver uses and any ring has. */
#define PIECES_MAX 65536
/* VIRTIO 1.2, 2.7.5.2 */
#define CHAIN_BYTES_MAX (1ULL << 32)

struct piece {
	uint64_t addr;
	bool is_write;
	struct as_mapping map;
};

static guint pieces_count(const struct virtqueue *q)
{
	return q->pieces->len / sizeof(struct piece);
}

static struct piece *piece_at(const struct virtqueue *q, guint i)
{
	return (struct piece *)q->pieces->data + i;
}

static bool map_pieces(struct virtqueue *q, uint64_t addr, uint64_t len, bool is_write)
{
	while (len) {
		struct piece piece = {.addr = addr, .is_write = is_write};
		uint64_t part = len;

		if (pieces_count(q) >= PIECES_MAX) {
			virtio_fault(q->vdev, "queue %u: a chain of over %u pieces", q->index,
				     PIECES_MAX);
			return false;
		}
		if (!as_map(virtio_dma_space(q->vdev), addr, &part, is_write, &piece.map)) {
			virtio_fault(q->vdev, "queue %u: no RAM at 0x%" PRIx64 " for %s", q->index,
				     addr, is_write ? "writing" : "reading");
			return false;
		}
		g_array_append_vals(q->pieces, &piece, sizeof(piece));
		addr += part;
		len -= part;
	}
	return true;
}

bool chain_add(struct virtqueue *q, uint64_t addr, uint32_t len, bool is_write)
{
	guint count = pieces_count(q);
	uint64_t last;

	q->bytes += len;
	if (q->bytes > CHAIN_BYTES_MAX) {
		virtio_fault(q->vdev, "queue %u: a chain of over 4 GiB", q->index);
		return false;
	}
	if (!len || ADD_OVERFLOWS(addr, len - 1, &last)) {
		virtio_fault(q->vdev, "queue %u: a buffer of %u bytes at 0x%" PRIx64, q->index, len,
			     addr);
		return false;
	}
	if (!is_write && count && piece_at(q, count - 1)->is_write) {
		virtio_fault(q->vdev, "queue %u: a readable buffer after a writable one", q->index);
		return false;
	}
	return map_pieces(q, addr, len, is_write);
}

void chain_abort(struct virtqueue *q)
{
	for (guint i = 0; i < pieces_count(q); i++)
		as_unmap(&piece_at(q, i)->map, 0);
	g_array_set_size(q->pieces, 0);
	q->bytes = 0;
}

const uint8_t *chain_map_table(struct virtqueue *q, uint64_t addr, uint32_t len,
			       struct as_mapping *map)
{
	uint64_t have = len;
	const uint8_t *host = NULL;

	*map = (struct as_mapping){0};
	if (!virtio_has(q->vdev, VIRTIO_F_INDIRECT_DESC))
		virtio_fault(q->vdev, "queue %u: an indirect descriptor nobody agreed on",
			     q->index);
	else if (!len || len % VRING_DESC_SIZE || len / VRING_DESC_SIZE > VIRTIO_QUEUE_SIZE_MAX)
		virtio_fault(q->vdev, "queue %u: an indirect table of %u bytes", q->index, len);
	else
		host = as_map(virtio_dma_space(q->vdev), addr, &have, false, map);
	if (host && have == len)
		return host;
	as_unmap(map, 0);
	virtio_fault(q->vdev, "queue %u: no RAM for the indirect table at 0x%" PRIx64, q->index,
		     addr);
	return NULL;
}

/* ---- The finished chain ---- */

/* Room for @count pieces behind a structure of @size bytes, in one block. */
static struct virtio_chain *chain_alloc(size_t size, guint count)
{
	size_t maps = ROUND_UP(size, _Alignof(max_align_t));
	size_t vecs = maps + count * sizeof(struct as_mapping);
	size_t addrs = vecs + count * sizeof(struct iovec);
	char *block = g_malloc0(addrs + count * sizeof(uint64_t));
	struct virtio_chain *chain = (void *)block;

	chain->maps = (void *)(block + maps);
	chain->out = (void *)(block + vecs);
	chain->addrs = (void *)(block + addrs);
	return chain;
}

static void chain_set(struct virtio_chain *chain, guint i, const struct as_mapping *map,
		      uint64_t addr)
{
	chain->maps[i] = *map;
	chain->addrs[i] = addr;
	chain->out[i] = (struct iovec){map->host, map->len};
}

struct virtio_chain *chain_make(struct virtqueue *q, size_t size)
{
	guint count = pieces_count(q);
	struct virtio_chain *chain = chain_alloc(size, count);

	for (guint i = 0; i < count; i++) {
		const struct piece *piece = piece_at(q, i);

		chain_set(chain, i, &piece->map, piece->addr);
		if (piece->is_write) {
			chain->in_count++;
			chain->in_size += piece->map.len;
		} else {
			chain->out_count++;
			chain->out_size += piece->map.len;
		}
	}
	chain->in = chain->out + chain->out_count;
	chain->queue = q;
	chain->epoch = q->epoch;
	g_array_set_size(q->pieces, 0);
	q->bytes = 0;
	return chain;
}

void chain_free(struct virtio_chain *chain, uint64_t written)
{
	for (unsigned i = 0; i < chain->out_count + chain->in_count; i++) {
		uint64_t part = i < chain->out_count ? 0 : MIN(written, chain->maps[i].len);

		as_unmap(&chain->maps[i], part);
		written -= part;
	}
	g_free(chain);
}

/* ---- Copying ---- */

static size_t copy(const struct iovec *iov, unsigned count, uint64_t offset, uint8_t *buf,
		   size_t len, bool to_guest)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len; i++) {
		size_t part;

		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}
		part = MIN(len - done, iov[i].iov_len - offset);
		if (to_guest)
			memcpy((uint8_t *)iov[i].iov_base + offset, buf + done, part);
		else
			memcpy(buf + done, (uint8_t *)iov[i].iov_base + offset, part);
		done += part;
		offset = 0;
	}
	return done;
}

size_t virtio_chain_read(const struct virtio_chain *c, uint64_t offset, void *buf, size_t len)
{
	return copy(c->out, c->out_count, offset, buf, len, false);
}

size_t virtio_chain_write(const struct virtio_chain *c, uint64_t offset, const void *buf,
			  size_t len)
{
	return copy(c->in, c->in_count, offset, (void *)buf, len, true);
}

/* ---- Saved state ---- */

/*
 * u16 queue, id, slots, 0; u32 out-buffers, in-buffers; then for each u64 address, u64 length. The
 * descriptors may be overwritten by now (packed rings), so the addresses are saved, not where they
 * were read.
 */
#define SAVED_HEAD  16
#define SAVED_PIECE 16

static void append(GByteArray *out, uint64_t value, unsigned size)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	g_byte_array_append(out, bytes, size);
}

static void chain_save(const void *ptr, GByteArray *out)
{
	const struct virtio_chain *c = *(struct virtio_chain *const *)ptr;

	if (!c)
		return;
	append(out, c->queue->index, 2);
	append(out, c->id, 2);
	append(out, c->slots, 2);
	append(out, 0, 2);
	append(out, c->out_count, 4);
	append(out, c->in_count, 4);
	for (unsigned i = 0; i < c->out_count + c->in_count; i++) {
		append(out, c->addrs[i], 8);
		append(out, c->maps[i].len, 8);
	}
}

/* Not yet bound to a queue: `epoch` has its number, maps have lengths only. */
static bool chain_load(void *ptr, const uint8_t *data, size_t len, GError **errp)
{
	struct virtio_chain **chain = ptr;
	uint64_t count = 0;

	g_clear_pointer(chain, virtqueue_drop);
	if (!len)
		return true;
	if (len >= SAVED_HEAD)
		count = (uint64_t)get_le32(data + 8) + get_le32(data + 12);
	if (!count || count > PIECES_MAX || len != SAVED_HEAD + count * SAVED_PIECE) {
		error_set(errp, "A request of %zu bytes with %" PRIu64 " buffers is malformed", len,
			  count);
		return false;
	}
	*chain = chain_alloc(sizeof(**chain), count);
	(*chain)->epoch = get_le16(data);
	(*chain)->id = get_le16(data + 2);
	(*chain)->slots = get_le16(data + 4);
	(*chain)->out_count = get_le32(data + 8);
	(*chain)->in_count = get_le32(data + 12);
	for (uint64_t i = 0; i < count; i++) {
		(*chain)->addrs[i] = get_le64(data + SAVED_HEAD + i * SAVED_PIECE);
		(*chain)->maps[i].len = get_le64(data + SAVED_HEAD + i * SAVED_PIECE + 8);
	}
	return true;
}

const struct field_custom virtio_chain_custom = {
	.name = "virtio-chain",
	.save = chain_save,
	.load = chain_load,
};

static bool restore_pieces(struct virtqueue *q, const struct virtio_chain *loaded)
{
	for (unsigned i = 0; i < loaded->out_count + loaded->in_count; i++) {
		uint64_t len = loaded->maps[i].len;

		if (len > UINT32_MAX ||
		    !chain_add(q, loaded->addrs[i], len, i >= loaded->out_count))
			return false;
	}
	return true;
}

bool virtio_chain_restore(struct virtio_device *v, struct virtio_chain **chain, GError **errp)
{
	struct virtio_chain *loaded = *chain, *made;
	struct virtqueue *q = loaded ? virtio_queue(v, loaded->epoch) : NULL;

	if (!loaded)
		return true;
	if (!q || !q->enabled || q->in_flight >= q->size || !loaded->slots ||
	    loaded->slots > q->size || !restore_pieces(q, loaded)) {
		error_set(errp, "A request of queue %u does not fit the queue or the memory",
			  loaded->epoch);
		if (q)
			chain_abort(q);
		g_clear_pointer(chain, g_free);
		return false;
	}
	made = chain_make(q, sizeof(*made));
	made->id = loaded->id;
	made->slots = loaded->slots;
	q->in_flight++;
	if (virtio_has(v, VIRTIO_F_IN_ORDER))
		g_queue_push_tail(&q->order, made);
	g_free(loaded);
	*chain = made;
	return true;
}
