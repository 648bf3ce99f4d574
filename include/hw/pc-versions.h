/*
 * The versions of the machine pc, new to old: PC_VERSIONS(V) is V(major, minor) for each. The first is
 * the one of today. Each is a type of its own, pc_MAJOR_MINOR_machine_type.
 */
#ifndef HW_PC_VERSIONS_H
#define HW_PC_VERSIONS_H

#include "device/device.h"

#define PC_VERSIONS(V)                                                                             \
	V(7, 2)                                                                                    \
	V(7, 1)                                                                                    \
	V(7, 0)                                                                                    \
	V(6, 2)                                                                                    \
	V(6, 1)                                                                                    \
	V(6, 0)                                                                                    \
	V(5, 2)                                                                                    \
	V(5, 1)                                                                                    \
	V(5, 0)                                                                                    \
	V(4, 2)                                                                                    \
	V(4, 1)                                                                                    \
	V(4, 0)                                                                                    \
	V(3, 1)                                                                                    \
	V(3, 0)                                                                                    \
	V(2, 12)                                                                                   \
	V(2, 11)                                                                                   \
	V(2, 10)                                                                                   \
	V(2, 9)                                                                                    \
	V(2, 8)                                                                                    \
	V(2, 7)                                                                                    \
	V(2, 6) V(2, 5) V(2, 4) V(2, 3) V(2, 2) V(2, 1) V(2, 0) V(1, 7) V(1, 6) V(1, 5) V(1, 4)

#define PC_VERSION_DECLARE(_major, _minor)                                                         \
	extern const struct device_type pc_##_major##_##_minor##_machine_type;
PC_VERSIONS(PC_VERSION_DECLARE)
#undef PC_VERSION_DECLARE

#endif
