/*
 * Adding and removing devices and objects as users ask for it.
 *
 * The command line (-device, -object), QMP (device_add, object-add) and HMP all come down to these.
 * The options arrive as one JSON object, whatever form they were written in; values may be text.
 * Error texts are QEMU's, for the scripts that look at them.
 */
#ifndef DEVICE_PLUG_H
#define DEVICE_PLUG_H

#include "api/command.h"
#include "device/device.h"

/* {"driver": TYPE, "id": ID, "bus": BUS, PROPERTY: VALUE...}. Returns the device, owned by the tree.
 * Once tree_ready(), it is a hotplug, and the new device is reset before the guest sees it. */
struct device *device_add(json_object *opts, GError **errp);

/* By id or path. Returns once the unplug is requested; DEVICE_DELETED tells when it is done. */
bool device_del(const char *id, GError **errp);

/* {"qom-type": TYPE, "id": ID, PROPERTY: VALUE...}: a back end under /objects. @lenient: values may
 * be text, as key=value options are; QMP's must have the property's own JSON type. */
struct device *object_add(json_object *opts, bool lenient, GError **errp);
/* Refused while a user holds a reference, or if the type's unplug_request() says so. */
bool object_del(const char *id, GError **errp);

/* "Parameter 'id' expects an identifier": letters, digits, '-', '.', '_', starting with a letter. */
bool id_check(const char *id, GError **errp);

/* `-device help`: what can be plugged, by category. `-object help`: names only. */
void device_help(GString *out);
void object_help(GString *out);
/* `-device TYPE,help`: its properties. */
bool device_type_help(const char *name, GString *out, GError **errp);

/* DEVICE_DELETED, DEVICE_UNPLUG_GUEST_ERROR. */
extern const struct event_type device_events[];
/* The guest refused to let go of @dev: it may be asked again. */
void device_unplug_refused(struct device *dev);

#endif
