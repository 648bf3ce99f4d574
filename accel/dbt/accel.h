/*
 * What accel.c is made of.
 */
#ifndef DBT_ACCEL_H
#define DBT_ACCEL_H

#include "dbt.h"

void dbt_capabilities(struct accel *a, struct cpu_capabilities *caps);

/* state.c */
bool dbt_get_state(struct accel_cpu *acc, GError **errp);
bool dbt_put_state(struct accel_cpu *acc, GError **errp);

#endif
