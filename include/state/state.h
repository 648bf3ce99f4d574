/*
 * Saved state: by name and length, from the same rows for both directions.
 *
 * A stream is the eight bytes "QuailSt1", then sections, then an end mark. A section is one device
 * (its path, its type, its records) or one channel (RAM contents, block bitmaps). A device's records
 * come from the rows of its type and its bases, all in one space of names. All integers are
 * little-endian.
 *
 *	section		u8 kind (enum state_section), u32 length + path, u8 length + type,
 *			u32 length + records; an end mark is the kind alone
 *	record		u8 length + name, u8 flags, u32 count, u32 length + content
 *
 *	content, by kind of row, for `count` elements (1, or the C array's length):
 *	BOOL INT UINT SIZE ENUM NUMBER	element after element, each length / count bytes wide
 *	BYTES STRING			the bytes; count 0: a NULL pointer
 *	STRUCT LIST CUSTOM		for each element u32 length + its records or bytes
 *
 * Order does not matter. Unknown records that say they are optional (RECORD_OPTIONAL) are skipped; other
 * unknown ones, duplicates, and required ones that are missing are errors naming device and field. A
 * row is required unless it is FIELD_OPTIONAL, or has needed() and, once all else is loaded, that
 * says no. A narrower or wider integer is accepted if the value fits the row. There are no
 * version numbers: a field whose meaning changes gets a new name.
 *
 * All lengths are checked against what is there before memory is taken.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/field.h"
#include "device/device.h"

#define STATE_MAGIC "QuailSt1"

enum state_section { STATE_END, STATE_DEVICE, STATE_CHANNEL };
enum record_flags { RECORD_OPTIONAL = BIT(0) };

/* Longest of an array or list that load accepts, and deepest of structures. */
#define STATE_COUNT_MAX (1U << 20)
#define STATE_DEPTH_MAX 16

/* One structure by its rows. */
void state_save_fields(const struct field *rows, const void *object, GByteArray *out);
bool state_load_fields(const struct field *rows, void *object, const uint8_t *data, size_t len,
		       GError **errp);

/* One device: all rows of the type chain, with pre_save and post_load. */
void state_save_device(struct device *dev, GByteArray *out);
bool state_load_device(struct device *dev, const uint8_t *data, size_t len, GError **errp);

/*
 * Every realized device of the tree that has state: sections by path. Loading resets nothing, so the
 * caller resets first; it must find exactly the devices of the stream. First all rows of all
 * devices are loaded, then post_load() runs in order of the tree. After a failure the devices hold a
 * mixture: reset them, or end the program.
 */
void state_save_tree(GByteArray *out);
bool state_load_tree(const uint8_t *data, size_t len, GError **errp);

/* Where two streams of state_save_tree() differ, in words (caller frees); NULL: nowhere. */
char *state_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

#endif
