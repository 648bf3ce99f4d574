/*
 * The software accelerator: runs guest code on any host.
 */
#ifndef ACCEL_DBT_H
#define ACCEL_DBT_H

#include "device/device.h"

extern const struct device_type dbt_accel_type;

#endif
