/*
 * Saved state from a hostile hand: as a whole stream, as one device's records, and as a valid stream
 * with some bytes changed. What loads must save to something that loads to the same.
 */
#include "../unit/trial-types.h"
#include "base/checked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct device *card;

static void set_up(void)
{
	struct trial_host *host = trial_setup();
	GError *err = NULL;

	card = device_new(&trial_card_type);
	if (!device_realize(card, tree_container("/machine/peripheral"), "c", &host->bus, &err))
		g_error("%s", err->message);
}

static void check_again(void)
{
	g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
	GError *err = NULL;

	state_save_tree(first);
	device_reset(tree_root());
	if (!state_load_tree(first->data, first->len, &err))
		g_error("what was saved does not load: %s", err->message);
	state_save_tree(second);
	g_autofree char *difference =
		state_compare(first->data, first->len, second->data, second->len);
	if (difference)
		g_error("saved, loaded, saved: %s", difference);
}

static void changed(const uint8_t *data, size_t size)
{
	g_autoptr(GByteArray) stream = g_byte_array_new();

	state_save_tree(stream);
	for (; size >= 3; data += 3, size -= 3)
		stream->data[get_le16(data) % stream->len] = data[2];
	if (state_load_tree(stream->data, stream->len, NULL))
		check_again();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!card)
		set_up();
	if (!size)
		return 0;
	device_reset(tree_root());
	g_string_truncate(trial_log, 0);
	switch (data[0] % 3) {
	case 0:
		changed(data + 1, size - 1);
		break;
	case 1:
		if (state_load_device(card, data + 1, size - 1, NULL))
			check_again();
		break;
	default:
		if (state_load_tree(data + 1, size - 1, NULL))
			check_again();
		break;
	}
	return 0;
}
