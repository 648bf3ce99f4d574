/*
 * The keyboard controller, as what feeds it with what the user does sees it.
 */
#ifndef HW_I8042_H
#define HW_I8042_H

#include "device/device.h"

extern const struct device_type i8042_type;

/* A key by its number (ps2.h): goes down or up. */
void i8042_key_event(struct device *dev, uint8_t key, bool down);
/* Motion since the last event (right, down, towards the user), and the buttons: left 1, right 2,
 * middle 4, side 8, extra 10h. */
void i8042_mouse_event(struct device *dev, int dx, int dy, int dz, uint8_t buttons);

#endif
