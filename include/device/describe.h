/*
 * Devices and types as QMP shows them: the answers of qom-list, qom-list-types and
 * device-list-properties, from the same rows as everything else. Callers own the results.
 */
#ifndef DEVICE_DESCRIBE_H
#define DEVICE_DESCRIBE_H

#include "api/json.h"
#include "device/device.h"

/* [{"name","type"}...]: common properties, rows, then children as "child<TYPE>". */
json_object *device_describe(struct device *dev);

/* [{"name","type","description","default-value"}...] of a type's rows, default-value where there is one. */
json_object *device_type_describe(const struct device_type *type);

/*
 * [{"name","parent","abstract"}...]. @implements: name of a base, or "object" (all), "device" (what
 * -device knows), "user-creatable" (what -object knows); NULL: all. @abstract: bases too.
 */
json_object *device_types_describe(const char *implements, bool abstract);

#endif
