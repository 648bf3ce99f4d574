/* See include/machine/balloon.h. */
#include "machine/balloon.h"
#include "machine/machine.h"

static struct {
	const struct balloon_ops *ops; /* NULL: there is none */
	void *opaque;
} balloon;

bool balloon_register(const struct balloon_ops *ops, void *opaque, GError **errp)
{
	if (balloon.ops) {
		error_set(errp, "Only one balloon device is supported");
		return false;
	}
	balloon.ops = ops;
	balloon.opaque = opaque;
	return true;
}

void balloon_unregister(void *opaque)
{
	if (balloon.opaque != opaque)
		return;
	balloon.ops = NULL;
	balloon.opaque = NULL;
}

static bool is_active(GError **errp)
{
	if (balloon.ops && machine_current())
		return true;
	error_set_class(errp, ERROR_DEVICE_NOT_ACTIVE, "No balloon device has been activated");
	return false;
}

static uint64_t ram_size(void)
{
	return machine_current()->ram_size;
}

static uint64_t actual(void)
{
	uint64_t taken = balloon.ops->taken(balloon.opaque);

	return ram_size() - MIN(taken, ram_size());
}

bool balloon_actual(uint64_t *bytes, GError **errp)
{
	if (!is_active(errp))
		return false;
	*bytes = actual();
	return true;
}

bool balloon_set(int64_t bytes, GError **errp)
{
	if (!is_active(errp))
		return false;
	if (bytes <= 0) {
		error_set(errp, "Parameter 'target' expects a size");
		return false;
	}
	balloon.ops->set_target(balloon.opaque, ram_size() - MIN((uint64_t)bytes, ram_size()));
	return true;
}

void balloon_hint_round(bool begin)
{
	if (balloon.ops)
		balloon.ops->hint_round(balloon.opaque, begin);
}

/* ---- The event ---- */

struct balloon_change {
	int64_t actual;
};

static const struct field balloon_change_rows[] = {
	ARG_INT(struct balloon_change, actual, "actual", "Memory the guest has left, in bytes"),
	FIELD_ROW_END,
};

static const struct field_set balloon_change_set = {
	"BalloonChange",
	sizeof(struct balloon_change),
	balloon_change_rows,
};

const struct event_type balloon_events[] = {
	{"BALLOON_CHANGE", "The guest gave up memory or took some back", &balloon_change_set, 1000},
	{NULL},
};

void balloon_changed(void)
{
	struct balloon_change change;

	if (!balloon.ops || !machine_current())
		return;
	change.actual = actual();
	event_emit(&balloon_events[0], &change);
}
