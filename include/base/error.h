/*
 * Errors a user can see: GError, with a class for QMP and an optional hint.
 *
 * The rules, once for the whole program:
 *  - A function that can fail in a way a user may hear of takes `GError **errp` last and returns
 *    bool, pointer or a negative number, so that the caller tests the result, not the error.
 *  - The text says what failed, on which object, why, with the numbers in it; no final full stop,
 *    no newline, no program name. "Could not open 'disk.img': No such file or directory".
 *  - A hint is advice ("Use -machine help to list supported machines"), printed on a line of its own
 *    after the error by whoever prints it; it never travels over QMP.
 *  - Whoever returns an error does not print it. Only main(), the monitors and warnings print.
 *  - Passing NULL for errp means "I do not care"; every function here copes with that.
 *  - Add context with g_prefix_error(errp, "...: ").
 *  - A guest's mistake is never an error of this kind: it is a trace point.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/common.h"

/* The error classes of QMP. All but GENERIC exist because some client tells them apart. */
enum error_class {
	ERROR_GENERIC,
	ERROR_COMMAND_NOT_FOUND,
	ERROR_DEVICE_NOT_ACTIVE,
	ERROR_DEVICE_NOT_FOUND,
	ERROR_KVM_MISSING_CAP,
};

#define QUAIL_ERROR quail_error_quark()
GQuark quail_error_quark(void);

/* Sets a fresh error; *errp must be NULL before. */
void error_set(GError **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);
void error_set_class(GError **errp, enum error_class cls, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As error_set(), with ": " and the text of errno value @err appended. */
void error_set_errno(GError **errp, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Gives the error in *errp its hint, or a further line of it. Does nothing when errp is NULL. */
void error_add_hint(GError **errp, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The hint, or NULL. Owned by the error. */
const char *error_hint(const GError *err);

/* The name QMP gives the error's class: "GenericError" for errors of other domains too. */
const char *error_class_name(const GError *err);

/*
 * Printing, for those who may. To the standard error output as "NAME: text", or to the sink that the
 * calling thread set with error_set_sink() (HMP catches what a command reports), then without prefix.
 * `-msg timestamp=on` and guest-name put their prefix in front. error_report_err() and
 * warn_report_err() print error and hint and free it.
 */
void error_report(const char *fmt, ...) PRINTF_LIKE(1, 2);
void error_report_err(GError *err);
void warn_report(const char *fmt, ...) PRINTF_LIKE(1, 2);
void warn_report_err(GError *err);
void info_report(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * Receives whole messages of the calling thread, without a newline at the end (a hint follows its
 * message after one). NULL restores the standard error output.
 */
typedef void error_sink_fn(void *opaque, const char *text);
void error_set_sink(error_sink_fn *sink, void *opaque);

/*
 * argv[0], whose last component is the prefix of messages; and what `-msg` asks for (@guest_name
 * NULL: not shown). Both are copied. Only while there is one thread.
 */
void error_set_program_name(const char *name);
void error_set_prefix(bool timestamp, const char *guest_name);
bool error_timestamps(void); /* trace lines carry a time too */

#endif
