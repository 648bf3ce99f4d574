/*
 * Saved state: by name and length, from the same rows for both directions.
 *
 * A stream is a header, then sections; a section is one device (its path, type, version) or one
 * channel (RAM contents, block bitmaps). A device's section holds records: name, length, bytes,
 * nested for structures. Order does not matter, unknown records that say they are optional are skipped, a
 * missing required one is an error naming device and field. Integers are little-endian, of the
 * field's width; a shorter or longer one in the stream is accepted if the value fits.
 *
 * The stream begins with "QuailSt1"; all lengths are checked against bounds before memory is taken.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/field.h"
#include "device/device.h"

/* One structure by its rows. */
void state_save_fields(const struct field *rows, const void *object, GByteArray *out);
bool state_load_fields(const struct field *rows, void *object, const uint8_t *data, size_t len,
		       GError **errp);

/* One device: all rows of the type chain, with pre_save and post_load. */
void state_save_device(struct device *dev, GByteArray *out);
bool state_load_device(struct device *dev, const uint8_t *data, size_t len, GError **errp);

/* Every realized device of the tree: sections by path. Loading resets nothing and must find
 * exactly the devices of the stream. */
void state_save_tree(GByteArray *out);
bool state_load_tree(const uint8_t *data, size_t len, GError **errp);

#endif
