/* Types for the tests of device and state: a host with a bus, cards, a back end. */
#ifndef TESTS_UNIT_TRIAL_TYPES_H
#define TESTS_UNIT_TRIAL_TYPES_H

#include "device/plug.h"
#include "state/state.h"

/* What happened, in order: "base.realize card.realize ". */
extern GString *trial_log;

struct trial_host {
	struct device dev;
	struct bus bus;
	uint32_t resets;
};

struct trial_inner {
	uint8_t kind;
	uint16_t values[3];
};

struct trial_base {
	struct device dev;
	uint32_t size;
	bool fast;
	uint8_t status;
	bool fail_realized;
};

struct trial_card {
	struct trial_base base;
	char *label;
	int mode; /* enum onoffauto */
	int32_t level;
	struct device *friend;
	uint64_t mac;
	uint32_t tuned;
	bool fail;

	struct irq *pins[2];
	int seen[4]; /* levels of the inputs */

	uint8_t reg8;
	uint16_t reg16;
	int32_t reg32;
	uint64_t reg64;
	bool flag;
	uint32_t table[4];
	uint8_t bytes[5];
	struct trial_inner inner, inners[2];
	char *text;
	uint8_t extra;
	uint8_t optional;
	uint16_t blob;
	unsigned post_loads;
};

extern const struct device_type trial_host_type, trial_base_type, trial_card_type, trial_plain_type,
	trial_object_type;
extern const struct device_type *const trial_types[];

/* The types set, an empty tree but for a host with the bus "trial.0"; the log empty. */
struct trial_host *trial_setup(void);
/* All that trial_setup() and the test put in the tree is gone. */
void trial_teardown(struct trial_host *host);

#endif
