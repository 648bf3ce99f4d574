#include "api/command.h"

static struct {
	event_sink_fn *fn;
	void *opaque;
} event_sink;

void event_set_sink(event_sink_fn *sink, void *opaque)
{
	event_sink.fn = sink;
	event_sink.opaque = opaque;
}

static json_object *event_timestamp(void)
{
	json_object *json = json_object_new_object();
	int64_t now = g_get_real_time();

	json_add(json, "seconds", json_object_new_int64(now / G_USEC_PER_SEC));
	json_add(json, "microseconds", json_object_new_int64(now % G_USEC_PER_SEC));
	return json;
}

void event_emit(const struct event_type *type, const void *data)
{
	if (!event_sink.fn)
		return;
	g_autoptr(json_object) json = json_object_new_object();

	json_add(json, "timestamp", event_timestamp());
	json_add(json, "event", json_object_new_string(type->name));
	if (type->data)
		json_add(json, "data", codec_encode(type->data, data));
	event_sink.fn(event_sink.opaque, type, json);
}
