/*
 * Human monitor commands: rows, and what a running one has at hand.
 *
 * A row says how its line is taken apart. Most rows just name the QMP command that does the work: the
 * arguments, by name, become that command's, and print() shows its result. The others have a run()
 * of their own.
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include "internal.h"

/* How one argument is written. */
enum hmp_kind {
	HMP_END,
	HMP_WORD,   /* a word, or "quoted text" */
	HMP_REST,   /* all that is left of the line */
	HMP_NUMBER, /* an expression */
	HMP_SWITCH, /* on or off */
	HMP_FLAG,   /* "-a": its name; true if it is there */
	HMP_FORMAT, /* "/4xw": in struct hmp's format */
};

/* Candidates for completion: adds (new) words that begin with @word. */
typedef void hmp_complete_fn(const char *word, GPtrArray *out);

struct hmp_arg {
	const char *name;
	enum hmp_kind kind;
	bool optional;
	hmp_complete_fn *complete; /* NULL: none */
};

/* What a /format asks for; size and letter stay for the next command. */
struct hmp_format {
	int count;
	char letter; /* x d u o c */
	int size;    /* bytes: 1 2 4 8; -1: not said */
};

/* Who runs a command: a session, or human-monitor-command. */
struct hmp {
	GString *out;
	unsigned cpu; /* whose registers and page tables are meant */
	struct hmp_format format;
	char last_letter;
	int last_size;
	const GPtrArray *history; /* NULL: there is none */
};

#define HMP_ARGS_MAX 5
struct hmp_command {
	const char *names;  /* "stop|s" */
	const char *params; /* as help shows them; "" */
	const char *help;
	struct hmp_arg args[HMP_ARGS_MAX];
	const char *qmp; /* name of the QMP command; NULL: run() */
	void (*print)(struct hmp *hmp, json_object *result); /* NULL: silent */
	bool (*run)(struct hmp *hmp, json_object *args, GError **errp);
	const struct hmp_command *sub; /* info: what may follow */
};

/* Rows end with a NULL name. */
extern const struct hmp_command hmp_commands[], hmp_info_commands[];

/* What query-pci answered (cmd-pci.c). */
void hmp_print_pci(struct hmp *hmp, json_object *result);

/* Runs @line; what it says, errors too, is in hmp->out. */
void hmp_execute(struct hmp *hmp, const char *line);
/* As readline_ops.complete. */
size_t hmp_complete(const char *text, GPtrArray *out);
/* True if @name is one of "a|b|c". */
bool hmp_name_is(const char *names, const char *name, size_t len);
const struct hmp_command *hmp_find(const struct hmp_command *table, const char *name, size_t len);
void hmp_help(struct hmp *hmp, const char *topic);

/* Takes @text apart as @args say (hmp-args.c). NULL with an error; @name is the command's, for it. */
json_object *hmp_parse_args(struct hmp *hmp, const char *names, const struct hmp_arg *args,
			    const char *text, GError **errp);
/* The next word of *@text (unquoted, new), NULL at the end or with an error. */
char *hmp_next_word(const char **text, GError **errp);

/* The vCPU hmp->cpu stands for; NULL with an error. Its state is in acc.state if @sync. */
struct vcpu *hmp_cpu(struct hmp *hmp, bool sync, GError **errp);

/* ---- Arguments by name; absent ones are NULL, 0, false ---- */
const char *hmp_text(json_object *args, const char *name);
int64_t hmp_number(json_object *args, const char *name);
bool hmp_flag(json_object *args, const char *name);

/* ---- run() of the rows, by file ---- */
/* hmp-memory.c */
bool hmp_x(struct hmp *hmp, json_object *args, GError **errp);
bool hmp_xp(struct hmp *hmp, json_object *args, GError **errp);
bool hmp_print(struct hmp *hmp, json_object *args, GError **errp);
bool hmp_in(struct hmp *hmp, json_object *args, GError **errp);
bool hmp_out(struct hmp *hmp, json_object *args, GError **errp);

#endif
