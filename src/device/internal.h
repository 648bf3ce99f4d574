/* What the files of src/device tell each other. */
#ifndef SRC_DEVICE_INTERNAL_H
#define SRC_DEVICE_INTERNAL_H

#include "device/device.h"

/* The type chain, base first, as an array that ends with NULL. Caller frees. */
const struct device_type **type_chain(const struct device_type *type);

/* Puts @dev into the tree; false with an error if the name is taken. */
bool tree_insert(struct device *dev, struct device *parent, const char *name, GError **errp);
void tree_remove(struct device *dev);

/* Plugs into a bus, or takes out of it. */
bool bus_plug(struct bus *bus, struct device *dev, GError **errp);
void bus_unplug(struct device *dev);

/* The first half of device_unrealize(): nobody finds it on its bus any more. */
void device_withdraw(struct device *dev);

void device_free_irqs(struct device *dev);

/* Members of -device and -object that are no properties. */
bool props_are_reserved(const char *name);
/* Every member but those; in the words of object-add (strict) or -object (lenient). */
struct json_object;
bool props_set_object(struct device *dev, struct json_object *props, bool lenient, GError **errp);

/* Rows of @type itself that come before those of its table: what the core gives it. NULL: none. */
const struct field *type_core_props(const struct device_type *type);

/* Applies what -global says of the type and its bases; keeps the first error in global_error. */
void globals_apply(struct device *dev);

#endif
