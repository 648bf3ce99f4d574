/* Every device type there is: the rows of hw/types.c, and one for each CPU model. */
#ifndef HW_TYPES_H
#define HW_TYPES_H

#include "device/device.h"

/* Ends with NULL. main() gives it to device_types_set(). */
const struct device_type *const *hw_types(void);

#endif
