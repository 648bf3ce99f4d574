/*
 * rng-egd: randomness from an entropy gathering daemon behind a character device.
 *
 * Of its protocol one command is needed: 02h and a count asks for that many bytes, and for them to be waited
 * for. A request of over 255 bytes is several commands.
 */
#include "chardev/chardev.h"
#include "hw/misc/rng-backend.h"

#define EGD_READ_BLOCKING 0x02
#define EGD_MAX           255

struct rng_egd {
	struct rng_backend b;
	struct chardev *chr;
	struct chardev_frontend *fe;
	unsigned expected; /* bytes asked for and not here yet; also of requests given up since */
	uint8_t data[EGD_MAX];
	unsigned have;
};

static struct rng_egd *egd_of(struct device *dev)
{
	return container_of(dev, struct rng_egd, b.dev);
}

/* One command at a time: what the peer still owes serves the next request as well. */
static void egd_start(struct device *dev)
{
	struct rng_egd *r = egd_of(dev);
	uint8_t command[] = {EGD_READ_BLOCKING, MIN(rng_current(&r->b)->size, EGD_MAX)};

	if (r->expected)
		return;
	r->have = 0;
	r->expected = command[1];
	chardev_write_all(r->fe, command, sizeof(command));
}

static void egd_stop(struct device *dev)
{
}

static int egd_can_receive(void *opaque)
{
	struct rng_egd *r = opaque;

	return r->expected;
}

static void egd_receive(void *opaque, const uint8_t *data, int len)
{
	struct rng_egd *r = opaque;

	memcpy(r->data + r->have, data, len);
	r->have += len;
	r->expected -= len;
	if (!r->expected && rng_current(&r->b))
		rng_serve(&r->b, r->data, r->have);
}

/* A new peer owes nothing: it is asked anew. */
static void egd_event(void *opaque, enum chardev_event event)
{
	struct rng_egd *r = opaque;

	if (event != CHARDEV_OPENED)
		return;
	r->expected = 0;
	if (rng_current(&r->b))
		egd_start(&r->b.dev);
}

static const struct chardev_handlers egd_handlers = {
	.can_receive = egd_can_receive,
	.receive = egd_receive,
	.event = egd_event,
};

static bool egd_realize(struct device *dev, GError **errp)
{
	struct rng_egd *r = egd_of(dev);

	r->fe = chardev_attach(r->chr, &egd_handlers, r, NULL, errp);
	if (r->fe)
		chardev_set_open(r->fe, true);
	return r->fe;
}

static void egd_unrealize(struct device *dev)
{
	g_clear_pointer(&egd_of(dev)->fe, chardev_detach);
}

static const struct rng_backend_ops egd_ops = {egd_start, egd_stop};

static const struct field egd_props[] = {
	{FIELD_AT(struct rng_egd, chr, "chardev", FIELD_LINK, sizeof(struct chardev *),
		  "Character device with the daemon behind it"),
	 .link = &chardev_link},
	FIELD_ROW_END,
};

const struct device_type rng_egd_type = {
	.name = "rng-egd",
	.help = "Randomness from an entropy gathering daemon",
	.base = &rng_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct rng_egd),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = egd_props,
	.class_data = &egd_ops,
	.realize = egd_realize,
	.unrealize = egd_unrealize,
};
