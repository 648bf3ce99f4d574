/*
 * Expressions of human monitor commands: numbers (decimal, 0x, 0), 'c', $register, unary + - ~, the
 * binary operators of C by its precedence (+ -, * / %, & | ^) and parentheses.
 */
#ifndef MONITOR_EXPR_H
#define MONITOR_EXPR_H

#include "base/common.h"
#include "base/error.h"

/* The value of $NAME; false if there is no such register. */
typedef bool expr_register_fn(void *opaque, const char *name, int64_t *value);

/* Evaluates what *@text begins with and moves it behind that and the blanks that follow. */
bool expr_eval(const char **text, expr_register_fn *reg, void *opaque, int64_t *value,
	       GError **errp);

#endif
