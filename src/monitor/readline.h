/*
 * A line editor for terminals: history, completion, the usual Emacs and cursor keys. Pure: it is fed bytes and
 * tells through callbacks what to print and when a line is complete.
 */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#include "base/common.h"

struct readline_ops {
	void (*print)(void *opaque, const char *text);
	void (*line)(void *opaque, const char *line); /* Enter; then readline_prompt() again */
	/* Candidates for the last word of @text (the line up to the cursor): appends whole words to @out;
	 * returns the length of the part of @text that they replace. */
	size_t (*complete)(void *opaque, const char *text, GPtrArray *out);
};

struct readline;
struct readline *readline_new(const struct readline_ops *ops, void *opaque, const char *prompt);
void readline_free(struct readline *rl);

/* Begins an empty line. */
void readline_prompt(struct readline *rl);
/* Forgets what was typed, without printing. */
void readline_reset(struct readline *rl);
void readline_feed(struct readline *rl, uint8_t byte);
/* The lines entered so far, oldest first. */
const GPtrArray *readline_history(const struct readline *rl);

#endif
