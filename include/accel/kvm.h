/*
 * The KVM accelerator and the kernel's chips as device types. Everything else about it stays in
 * accel/kvm; the program knows it by accel/accel.h.
 */
#ifndef ACCEL_KVM_H
#define ACCEL_KVM_H

#include "device/device.h"

extern const struct device_type kvm_accel_type, kvm_i8259_type, kvm_ioapic_type, kvm_pit_type,
	kvm_clock_type;

#endif
