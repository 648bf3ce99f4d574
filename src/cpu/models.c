/*
 * CPU models, as users of -cpu know them.
 *
 * Facts about processors, observed at QEMU 7.2's interface (query-cpu-model-expansion).
 */
#include "internal.h"

/* clang-format off */
const struct cpu_model cpu_models[] = {
	{
		.name = "base", .is_empty = true,  .description = "base CPU model type with no features enabled",
	},
	{
		.name = "host", .from_host = true, .needs_host = true,
		.description = "processor with all supported host features",
	},
	{
		.name = "max", .from_host = true,
		.description = "Enables all features supported by the accelerator in the current host",
	},
	{
		.name = "486-v1",
		.level = 0x1,
		.vendor = "GenuineIntel",
		.family = 4, .model = 8, .stepping = 0,
		.features =
		  "fpu vme pse",
	},
	{
		.name = "athlon-v1",
		.level = 0x2, .xlevel = 0x80000008,
		.vendor = "AuthenticAMD",
		.family = 6, .model = 2, .stepping = 3,
		.model_id = "QEMU Virtual CPU version 2.5+",
		.description = "QEMU Virtual CPU version 2.5+",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 mmx fxsr sse "
		  "sse2 mmxext 3dnowext 3dnow",
	},
	{
		.name = "Broadwell-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 61, .stepping = 2,
		.model_id = "Intel Core Processor (Broadwell)",
		.description = "Intel Core Processor (Broadwell)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm rdseed adx smap syscall nx rdtscp lm lahf-lm abm 3dnowprefetch xsaveopt arat",
	},
	{
		.name = "Broadwell-v2", .parent = "Broadwell-v1",
		.model_id = "Intel Core Processor (Broadwell, no TSX)",
		.description = "Intel Core Processor (Broadwell, no TSX)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Broadwell-v3", .parent = "Broadwell-v2",
		.model_id = "Intel Core Processor (Broadwell, IBRS)",
		.description = "Intel Core Processor (Broadwell, IBRS)",
		.features =
		  "+hle +rtm +spec-ctrl",
	},
	{
		.name = "Broadwell-v4", .parent = "Broadwell-v3",
		.model_id = "Intel Core Processor (Broadwell, no TSX, IBRS)",
		.description = "Intel Core Processor (Broadwell, no TSX, IBRS)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Cascadelake-Server-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 85, .stepping = 6,
		.model_id = "Intel Xeon Processor (Cascadelake)",
		.description = "Intel Xeon Processor (Cascadelake)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl pku "
		  "avx512vnni spec-ctrl ssbd syscall nx pdpe1gb rdtscp lm lahf-lm abm 3dnowprefetch "
		  "xsaveopt xsavec xgetbv1 arat",
	},
	{
		.name = "Cascadelake-Server-v2", .parent = "Cascadelake-Server-v1",
		.description = "Intel Xeon Processor (Cascadelake) [ARCH_CAPABILITIES]",
		.features =
		  "+arch-capabilities +rdctl-no +ibrs-all +skip-l1dfl-vmentry +mds-no",
	},
	{
		.name = "Cascadelake-Server-v3", .parent = "Cascadelake-Server-v2",
		.description = "Intel Xeon Processor (Cascadelake) [ARCH_CAPABILITIES, no TSX]",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Cascadelake-Server-v4", .parent = "Cascadelake-Server-v3",
		.description = "Intel Xeon Processor (Cascadelake) [ARCH_CAPABILITIES, EPT switching, no TSX]",
		.features =
		  "",
	},
	{
		.name = "Cascadelake-Server-v5", .parent = "Cascadelake-Server-v4",
		.description = "Intel Xeon Processor (Cascadelake) [ARCH_CAPABILITIES, EPT switching, XSAVES, no TSX]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Conroe-v1",
		.level = 0xa, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 15, .stepping = 3,
		.model_id = "Intel Celeron_4x0 (Conroe/Merom Class Core 2)",
		.description = "Intel Celeron_4x0 (Conroe/Merom Class Core 2)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni ssse3 syscall nx lm lahf-lm",
	},
	{
		.name = "Cooperlake-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 85, .stepping = 10,
		.model_id = "Intel Xeon Processor (Cooperlake)",
		.description = "Intel Xeon Processor (Cooperlake)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl pku "
		  "avx512vnni spec-ctrl stibp arch-capabilities ssbd avx512-bf16 syscall nx pdpe1gb "
		  "rdtscp lm lahf-lm abm 3dnowprefetch xsaveopt xsavec xgetbv1 arat rdctl-no ibrs-all "
		  "skip-l1dfl-vmentry mds-no pschange-mc-no taa-no",
	},
	{
		.name = "Cooperlake-v2", .parent = "Cooperlake-v1",
		.description = "Intel Xeon Processor (Cooperlake) [XSAVES]",
		.features =
		  "+xsaves",
	},
	{
		.name = "core2duo-v1",
		.level = 0xa, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 15, .stepping = 11,
		.model_id = "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz",
		.description = "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush acpi "
		  "mmx fxsr sse sse2 ss pni monitor ssse3 cx16 syscall nx lm lahf-lm",
	},
	{
		.name = "coreduo-v1",
		.level = 0xa, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 14, .stepping = 8,
		.model_id = "Genuine Intel(R) CPU           T2600  @ 2.16GHz",
		.description = "Genuine Intel(R) CPU           T2600  @ 2.16GHz",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat clflush acpi mmx "
		  "fxsr sse sse2 ss pni monitor nx",
	},
	{
		.name = "Denverton-v1",
		.level = 0x15, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 95, .stepping = 1,
		.model_id = "Intel Atom Processor (Denverton)",
		.description = "Intel Atom Processor (Denverton)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq monitor ssse3 cx16 sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave rdrand fsgsbase smep erms mpx rdseed smap clflushopt sha-ni "
		  "spec-ctrl arch-capabilities ssbd syscall nx pdpe1gb rdtscp lm lahf-lm 3dnowprefetch "
		  "xsaveopt xsavec xgetbv1 arat rdctl-no skip-l1dfl-vmentry",
	},
	{
		.name = "Denverton-v2", .parent = "Denverton-v1",
		.description = "Intel Atom Processor (Denverton) [no MPX, no MONITOR]",
		.features =
		  "-monitor -mpx",
	},
	{
		.name = "Denverton-v3", .parent = "Denverton-v2",
		.description = "Intel Atom Processor (Denverton) [XSAVES, no MPX, no MONITOR]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Dhyana-v1",
		.level = 0xd, .xlevel = 0x8000001e,
		.vendor = "HygonGenuine",
		.family = 24, .model = 0, .stepping = 1,
		.model_id = "Hygon Dhyana Processor",
		.description = "Hygon Dhyana Processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni monitor ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt xsave avx f16c "
		  "rdrand fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt syscall nx mmxext "
		  "fxsr-opt pdpe1gb rdtscp lm lahf-lm svm cr8legacy abm sse4a misalignsse 3dnowprefetch "
		  "osvw topoext ibpb npt nrip-save xsaveopt xsavec xgetbv1 arat",
	},
	{
		.name = "Dhyana-v2", .parent = "Dhyana-v1",
		.description = "Hygon Dhyana Processor [XSAVES]",
		.features =
		  "+xsaves",
	},
	{
		.name = "EPYC-v1",
		.level = 0xd, .xlevel = 0x8000001e,
		.vendor = "AuthenticAMD",
		.family = 23, .model = 1, .stepping = 2,
		.model_id = "AMD EPYC Processor",
		.description = "AMD EPYC Processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq monitor ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt aes "
		  "xsave avx f16c rdrand fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt sha-ni "
		  "syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm lahf-lm svm cr8legacy abm sse4a "
		  "misalignsse 3dnowprefetch osvw topoext npt nrip-save xsaveopt xsavec xgetbv1 arat",
	},
	{
		.name = "EPYC-v2", .parent = "EPYC-v1",
		.model_id = "AMD EPYC Processor (with IBPB)",
		.description = "AMD EPYC Processor (with IBPB)",
		.features =
		  "+ibpb",
	},
	{
		.name = "EPYC-v3", .parent = "EPYC-v2",
		.model_id = "AMD EPYC Processor",
		.description = "AMD EPYC Processor",
		.features =
		  "+perfctr-core +clzero +xsaveerptr +xsaves",
	},
	{
		.name = "EPYC-Milan-v1",
		.level = 0xd, .xlevel = 0x8000001e,
		.vendor = "AuthenticAMD",
		.family = 25, .model = 1, .stepping = 1,
		.model_id = "AMD EPYC-Milan Processor",
		.description = "AMD EPYC-Milan Processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq monitor ssse3 fma cx16 pcid sse4.1 sse4.2 movbe popcnt "
		  "aes xsave avx f16c rdrand fsgsbase bmi1 avx2 smep bmi2 erms invpcid rdseed adx smap "
		  "clflushopt clwb sha-ni umip pku rdpid fsrm syscall nx mmxext fxsr-opt pdpe1gb rdtscp "
		  "lm lahf-lm svm cr8legacy abm sse4a misalignsse 3dnowprefetch osvw topoext "
		  "perfctr-core clzero xsaveerptr wbnoinvd ibpb ibrs amd-stibp amd-ssbd npt nrip-save "
		  "svme-addr-chk xsaveopt xsavec xgetbv1 xsaves arat",
	},
	{
		.name = "EPYC-Rome-v1",
		.level = 0xd, .xlevel = 0x8000001e,
		.vendor = "AuthenticAMD",
		.family = 23, .model = 49, .stepping = 0,
		.model_id = "AMD EPYC-Rome Processor",
		.description = "AMD EPYC-Rome Processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq monitor ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt aes "
		  "xsave avx f16c rdrand fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt clwb "
		  "sha-ni umip rdpid syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm lahf-lm svm cr8legacy "
		  "abm sse4a misalignsse 3dnowprefetch osvw topoext perfctr-core clzero xsaveerptr "
		  "wbnoinvd ibpb amd-stibp npt nrip-save xsaveopt xsavec xgetbv1 xsaves arat",
	},
	{
		.name = "EPYC-Rome-v2", .parent = "EPYC-Rome-v1",
		.description = "AMD EPYC-Rome Processor",
		.features =
		  "+ibrs +amd-ssbd",
	},
	{
		.name = "Haswell-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 60, .stepping = 4,
		.model_id = "Intel Core Processor (Haswell)",
		.description = "Intel Core Processor (Haswell)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm syscall nx rdtscp lm lahf-lm abm xsaveopt arat",
	},
	{
		.name = "Haswell-v2", .parent = "Haswell-v1",
		.model_id = "Intel Core Processor (Haswell, no TSX)",
		.stepping = 0x1,
		.description = "Intel Core Processor (Haswell, no TSX)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Haswell-v3", .parent = "Haswell-v2",
		.model_id = "Intel Core Processor (Haswell, IBRS)",
		.stepping = 0x4,
		.description = "Intel Core Processor (Haswell, IBRS)",
		.features =
		  "+hle +rtm +spec-ctrl",
	},
	{
		.name = "Haswell-v4", .parent = "Haswell-v3",
		.model_id = "Intel Core Processor (Haswell, no TSX, IBRS)",
		.stepping = 0x1,
		.description = "Intel Core Processor (Haswell, no TSX, IBRS)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Icelake-Server-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 134, .stepping = 0,
		.model_id = "Intel Xeon Processor (Icelake)",
		.description = "Intel Xeon Processor (Icelake)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl "
		  "avx512vbmi umip pku avx512vbmi2 gfni vaes vpclmulqdq avx512vnni avx512bitalg "
		  "avx512-vpopcntdq la57 spec-ctrl ssbd syscall nx pdpe1gb rdtscp lm lahf-lm abm "
		  "3dnowprefetch wbnoinvd xsaveopt xsavec xgetbv1 arat",
	},
	{
		.name = "Icelake-Server-v2", .parent = "Icelake-Server-v1",
		.description = "Intel Xeon Processor (Icelake) [no TSX]",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Icelake-Server-v3", .parent = "Icelake-Server-v2",
		.description = "Intel Xeon Processor (Icelake)",
		.features =
		  "+arch-capabilities +rdctl-no +ibrs-all +skip-l1dfl-vmentry +mds-no +pschange-mc-no "
		  "+taa-no",
	},
	{
		.name = "Icelake-Server-v4", .parent = "Icelake-Server-v3",
		.model = 0x6a,
		.description = "Intel Xeon Processor (Icelake)",
		.features =
		  "+avx512ifma +sha-ni +rdpid +fsrm",
	},
	{
		.name = "Icelake-Server-v5", .parent = "Icelake-Server-v4",
		.description = "Intel Xeon Processor (Icelake) [XSAVES]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Icelake-Server-v6", .parent = "Icelake-Server-v5",
		.description = "Intel Xeon Processor (Icelake) [5-level EPT]",
		.features =
		  "",
	},
	{
		.name = "IvyBridge-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 58, .stepping = 9,
		.model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge)",
		.description = "Intel Xeon E3-12xx v2 (Ivy Bridge)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 cx16 sse4.1 sse4.2 x2apic popcnt tsc-deadline aes "
		  "xsave avx f16c rdrand fsgsbase smep erms syscall nx rdtscp lm lahf-lm xsaveopt arat",
	},
	{
		.name = "IvyBridge-v2", .parent = "IvyBridge-v1",
		.model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)",
		.description = "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)",
		.features =
		  "+spec-ctrl",
	},
	{
		.name = "KnightsMill-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 133, .stepping = 0,
		.model_id = "Intel Xeon Phi Processor (Knights Mill)",
		.description = "Intel Xeon Phi Processor (Knights Mill)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 ss pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 avx2 smep bmi2 erms avx512f "
		  "rdseed adx avx512pf avx512er avx512cd avx512-vpopcntdq avx512-4vnniw avx512-4fmaps "
		  "syscall nx pdpe1gb rdtscp lm lahf-lm abm 3dnowprefetch xsaveopt arat",
	},
	{
		.name = "kvm32-v1",
		.level = 0x5, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 15, .model = 6, .stepping = 1,
		.model_id = "Common 32-bit KVM processor",
		.description = "Common 32-bit KVM processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni",
	},
	{
		.name = "kvm64-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 15, .model = 6, .stepping = 1,
		.model_id = "Common KVM processor",
		.description = "Common KVM processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni cx16 syscall nx lm",
	},
	{
		.name = "n270-v1",
		.level = 0xa, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 28, .stepping = 2,
		.model_id = "Intel(R) Atom(TM) CPU N270   @ 1.60GHz",
		.description = "Intel(R) Atom(TM) CPU N270   @ 1.60GHz",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat clflush acpi mmx "
		  "fxsr sse sse2 ss pni monitor ssse3 movbe nx lahf-lm",
	},
	{
		.name = "Nehalem-v1",
		.level = 0xb, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 26, .stepping = 3,
		.model_id = "Intel Core i7 9xx (Nehalem Class Core i7)",
		.description = "Intel Core i7 9xx (Nehalem Class Core i7)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni ssse3 cx16 sse4.1 sse4.2 popcnt syscall nx lm lahf-lm",
	},
	{
		.name = "Nehalem-v2", .parent = "Nehalem-v1",
		.model_id = "Intel Core i7 9xx (Nehalem Core i7, IBRS update)",
		.description = "Intel Core i7 9xx (Nehalem Core i7, IBRS update)",
		.features =
		  "+spec-ctrl",
	},
	{
		.name = "Opteron_G1-v1",
		.level = 0x5, .xlevel = 0x80000008,
		.vendor = "AuthenticAMD",
		.family = 15, .model = 6, .stepping = 1,
		.model_id = "AMD Opteron 240 (Gen 1 Class Opteron)",
		.description = "AMD Opteron 240 (Gen 1 Class Opteron)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni syscall nx lm",
	},
	{
		.name = "Opteron_G2-v1",
		.level = 0x5, .xlevel = 0x80000008,
		.vendor = "AuthenticAMD",
		.family = 15, .model = 6, .stepping = 1,
		.model_id = "AMD Opteron 22xx (Gen 2 Class Opteron)",
		.description = "AMD Opteron 22xx (Gen 2 Class Opteron)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni cx16 syscall nx lm lahf-lm svm",
	},
	{
		.name = "Opteron_G3-v1",
		.level = 0x5, .xlevel = 0x80000008,
		.vendor = "AuthenticAMD",
		.family = 16, .model = 2, .stepping = 3,
		.model_id = "AMD Opteron 23xx (Gen 3 Class Opteron)",
		.description = "AMD Opteron 23xx (Gen 3 Class Opteron)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni monitor cx16 popcnt syscall nx rdtscp lm lahf-lm svm abm sse4a "
		  "misalignsse",
	},
	{
		.name = "Opteron_G4-v1",
		.level = 0xd, .xlevel = 0x8000001a,
		.vendor = "AuthenticAMD",
		.family = 21, .model = 1, .stepping = 2,
		.model_id = "AMD Opteron 62xx class CPU",
		.description = "AMD Opteron 62xx class CPU",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 cx16 sse4.1 sse4.2 popcnt aes xsave avx syscall nx "
		  "pdpe1gb rdtscp lm lahf-lm svm abm sse4a misalignsse 3dnowprefetch xop fma4 npt "
		  "nrip-save",
	},
	{
		.name = "Opteron_G5-v1",
		.level = 0xd, .xlevel = 0x8000001a,
		.vendor = "AuthenticAMD",
		.family = 21, .model = 2, .stepping = 0,
		.model_id = "AMD Opteron 63xx class CPU",
		.description = "AMD Opteron 63xx class CPU",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 popcnt aes xsave avx f16c "
		  "syscall nx pdpe1gb rdtscp lm lahf-lm svm abm sse4a misalignsse 3dnowprefetch xop "
		  "fma4 tbm npt nrip-save",
	},
	{
		.name = "Penryn-v1",
		.level = 0xa, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 23, .stepping = 3,
		.model_id = "Intel Core 2 Duo P9xxx (Penryn Class Core 2)",
		.description = "Intel Core 2 Duo P9xxx (Penryn Class Core 2)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni ssse3 cx16 sse4.1 syscall nx lm lahf-lm",
	},
	{
		.name = "pentium-v1",
		.level = 0x1,
		.vendor = "GenuineIntel",
		.family = 5, .model = 4, .stepping = 3,
		.features =
		  "fpu vme de pse tsc msr mce cx8 apic mmx",
	},
	{
		.name = "pentium2-v1",
		.level = 0x2,
		.vendor = "GenuineIntel",
		.family = 6, .model = 5, .stepping = 2,
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 mmx fxsr",
	},
	{
		.name = "pentium3-v1",
		.level = 0x3,
		.vendor = "GenuineIntel",
		.family = 6, .model = 7, .stepping = 3,
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 mmx fxsr sse",
	},
	{
		.name = "phenom-v1",
		.level = 0x5, .xlevel = 0x8000001a,
		.vendor = "AuthenticAMD",
		.family = 16, .model = 2, .stepping = 3,
		.model_id = "AMD Phenom(tm) 9550 Quad-Core Processor",
		.description = "AMD Phenom(tm) 9550 Quad-Core Processor",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni monitor cx16 popcnt syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm "
		  "3dnowext 3dnow lahf-lm svm abm sse4a npt",
	},
	{
		.name = "qemu32-v1",
		.level = 0x4, .xlevel = 0x80000004,
		.vendor = "GenuineIntel",
		.family = 6, .model = 6, .stepping = 3,
		.model_id = "QEMU Virtual CPU version 2.5+",
		.description = "QEMU Virtual CPU version 2.5+",
		.features =
		  "fpu de pse tsc msr pae mce cx8 apic sep pge cmov pat mmx fxsr sse sse2 pni",
	},
	{
		.name = "qemu64-v1",
		.level = 0xd, .xlevel = 0x8000000a,
		.vendor = "AuthenticAMD",
		.family = 15, .model = 107, .stepping = 1,
		.model_id = "QEMU Virtual CPU version 2.5+",
		.description = "QEMU Virtual CPU version 2.5+",
		.features =
		  "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr "
		  "sse sse2 pni cx16 syscall nx lm lahf-lm svm",
	},
	{
		.name = "SandyBridge-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 42, .stepping = 1,
		.model_id = "Intel Xeon E312xx (Sandy Bridge)",
		.description = "Intel Xeon E312xx (Sandy Bridge)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 cx16 sse4.1 sse4.2 x2apic popcnt tsc-deadline aes "
		  "xsave avx syscall nx rdtscp lm lahf-lm xsaveopt arat",
	},
	{
		.name = "SandyBridge-v2", .parent = "SandyBridge-v1",
		.model_id = "Intel Xeon E312xx (Sandy Bridge, IBRS update)",
		.description = "Intel Xeon E312xx (Sandy Bridge, IBRS update)",
		.features =
		  "+spec-ctrl",
	},
	{
		.name = "Skylake-Client-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 94, .stepping = 3,
		.model_id = "Intel Core Processor (Skylake)",
		.description = "Intel Core Processor (Skylake)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm rdseed adx smap syscall nx rdtscp lm lahf-lm abm 3dnowprefetch xsaveopt xsavec "
		  "xgetbv1 arat",
	},
	{
		.name = "Skylake-Client-v2", .parent = "Skylake-Client-v1",
		.model_id = "Intel Core Processor (Skylake, IBRS)",
		.description = "Intel Core Processor (Skylake, IBRS)",
		.features =
		  "+spec-ctrl",
	},
	{
		.name = "Skylake-Client-v3", .parent = "Skylake-Client-v2",
		.model_id = "Intel Core Processor (Skylake, IBRS, no TSX)",
		.description = "Intel Core Processor (Skylake, IBRS, no TSX)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Skylake-Client-v4", .parent = "Skylake-Client-v3",
		.description = "Intel Core Processor (Skylake, IBRS, no TSX) [IBRS, XSAVES, no TSX]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Skylake-Server-v1",
		.level = 0xd, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 85, .stepping = 4,
		.model_id = "Intel Xeon Processor (Skylake)",
		.description = "Intel Xeon Processor (Skylake)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 hle avx2 smep bmi2 erms invpcid "
		  "rtm avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl pku "
		  "syscall nx pdpe1gb rdtscp lm lahf-lm abm 3dnowprefetch xsaveopt xsavec xgetbv1 arat",
	},
	{
		.name = "Skylake-Server-v2", .parent = "Skylake-Server-v1",
		.model_id = "Intel Xeon Processor (Skylake, IBRS)",
		.description = "Intel Xeon Processor (Skylake, IBRS)",
		.features =
		  "+spec-ctrl -clflushopt",
	},
	{
		.name = "Skylake-Server-v3", .parent = "Skylake-Server-v2",
		.model_id = "Intel Xeon Processor (Skylake, IBRS, no TSX)",
		.description = "Intel Xeon Processor (Skylake, IBRS, no TSX)",
		.features =
		  "-hle -rtm",
	},
	{
		.name = "Skylake-Server-v4", .parent = "Skylake-Server-v3",
		.description = "Intel Xeon Processor (Skylake, IBRS, no TSX) [IBRS, EPT switching, no TSX]",
		.features =
		  "",
	},
	{
		.name = "Skylake-Server-v5", .parent = "Skylake-Server-v4",
		.description = "Intel Xeon Processor (Skylake, IBRS, no TSX) [IBRS, XSAVES, EPT switching, no TSX]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Snowridge-v1",
		.level = 0x1b, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 134, .stepping = 1,
		.model_id = "Intel Atom Processor (SnowRidge)",
		.description = "Intel Atom Processor (SnowRidge)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq monitor ssse3 cx16 sse4.1 sse4.2 x2apic movbe popcnt "
		  "tsc-deadline aes xsave rdrand fsgsbase smep erms mpx rdseed smap clflushopt clwb "
		  "sha-ni umip gfni cldemote movdiri movdir64b spec-ctrl arch-capabilities "
		  "core-capability ssbd syscall nx pdpe1gb rdtscp lm lahf-lm 3dnowprefetch xsaveopt "
		  "xsavec xgetbv1 arat split-lock-detect",
	},
	{
		.name = "Snowridge-v2", .parent = "Snowridge-v1",
		.model_id = "Intel Atom Processor (Snowridge, no MPX)",
		.description = "Intel Atom Processor (Snowridge, no MPX)",
		.features =
		  "-mpx",
	},
	{
		.name = "Snowridge-v3", .parent = "Snowridge-v2",
		.description = "Intel Atom Processor (Snowridge, no MPX) [XSAVES, no MPX]",
		.features =
		  "+xsaves",
	},
	{
		.name = "Snowridge-v4", .parent = "Snowridge-v3",
		.description = "Intel Atom Processor (Snowridge, no MPX) [no split lock detect, no core-capability]",
		.features =
		  "-core-capability -split-lock-detect",
	},
	{
		.name = "Westmere-v1",
		.level = 0xb, .xlevel = 0x80000008,
		.vendor = "GenuineIntel",
		.family = 6, .model = 44, .stepping = 1,
		.model_id = "Westmere E56xx/L56xx/X56xx (Nehalem-C)",
		.description = "Westmere E56xx/L56xx/X56xx (Nehalem-C)",
		.features =
		  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		  "fxsr sse sse2 pni pclmulqdq ssse3 cx16 sse4.1 sse4.2 popcnt aes syscall nx lm "
		  "lahf-lm arat",
	},
	{
		.name = "Westmere-v2", .parent = "Westmere-v1",
		.model_id = "Westmere E56xx/L56xx/X56xx (IBRS update)",
		.description = "Westmere E56xx/L56xx/X56xx (IBRS update)",
		.features =
		  "+spec-ctrl",
	},	/* Names without a version */
	{ .name = "486", .parent = "486-v1", .is_alias = true },
	{ .name = "athlon", .parent = "athlon-v1", .is_alias = true },
	{ .name = "Broadwell", .parent = "Broadwell-v1", .is_alias = true },
	{ .name = "Broadwell-IBRS", .parent = "Broadwell-v3", .is_alias = true },
	{ .name = "Broadwell-noTSX", .parent = "Broadwell-v2", .is_alias = true },
	{ .name = "Broadwell-noTSX-IBRS", .parent = "Broadwell-v4", .is_alias = true },
	{ .name = "Cascadelake-Server", .parent = "Cascadelake-Server-v1", .is_alias = true },
	{ .name = "Cascadelake-Server-noTSX", .parent = "Cascadelake-Server-v3", .is_alias = true },
	{ .name = "Conroe", .parent = "Conroe-v1", .is_alias = true },
	{ .name = "Cooperlake", .parent = "Cooperlake-v1", .is_alias = true },
	{ .name = "core2duo", .parent = "core2duo-v1", .is_alias = true },
	{ .name = "coreduo", .parent = "coreduo-v1", .is_alias = true },
	{ .name = "Denverton", .parent = "Denverton-v1", .is_alias = true },
	{ .name = "Dhyana", .parent = "Dhyana-v1", .is_alias = true },
	{ .name = "EPYC", .parent = "EPYC-v1", .is_alias = true },
	{ .name = "EPYC-IBPB", .parent = "EPYC-v2", .is_alias = true },
	{ .name = "EPYC-Milan", .parent = "EPYC-Milan-v1", .is_alias = true },
	{ .name = "EPYC-Rome", .parent = "EPYC-Rome-v1", .is_alias = true },
	{ .name = "Haswell", .parent = "Haswell-v1", .is_alias = true },
	{ .name = "Haswell-IBRS", .parent = "Haswell-v3", .is_alias = true },
	{ .name = "Haswell-noTSX", .parent = "Haswell-v2", .is_alias = true },
	{ .name = "Haswell-noTSX-IBRS", .parent = "Haswell-v4", .is_alias = true },
	{ .name = "Icelake-Server", .parent = "Icelake-Server-v1", .is_alias = true },
	{ .name = "Icelake-Server-noTSX", .parent = "Icelake-Server-v2", .is_alias = true },
	{ .name = "IvyBridge", .parent = "IvyBridge-v1", .is_alias = true },
	{ .name = "IvyBridge-IBRS", .parent = "IvyBridge-v2", .is_alias = true },
	{ .name = "KnightsMill", .parent = "KnightsMill-v1", .is_alias = true },
	{ .name = "kvm32", .parent = "kvm32-v1", .is_alias = true },
	{ .name = "kvm64", .parent = "kvm64-v1", .is_alias = true },
	{ .name = "n270", .parent = "n270-v1", .is_alias = true },
	{ .name = "Nehalem", .parent = "Nehalem-v1", .is_alias = true },
	{ .name = "Nehalem-IBRS", .parent = "Nehalem-v2", .is_alias = true },
	{ .name = "Opteron_G1", .parent = "Opteron_G1-v1", .is_alias = true },
	{ .name = "Opteron_G2", .parent = "Opteron_G2-v1", .is_alias = true },
	{ .name = "Opteron_G3", .parent = "Opteron_G3-v1", .is_alias = true },
	{ .name = "Opteron_G4", .parent = "Opteron_G4-v1", .is_alias = true },
	{ .name = "Opteron_G5", .parent = "Opteron_G5-v1", .is_alias = true },
	{ .name = "Penryn", .parent = "Penryn-v1", .is_alias = true },
	{ .name = "pentium", .parent = "pentium-v1", .is_alias = true },
	{ .name = "pentium2", .parent = "pentium2-v1", .is_alias = true },
	{ .name = "pentium3", .parent = "pentium3-v1", .is_alias = true },
	{ .name = "phenom", .parent = "phenom-v1", .is_alias = true },
	{ .name = "qemu32", .parent = "qemu32-v1", .is_alias = true },
	{ .name = "qemu64", .parent = "qemu64-v1", .is_alias = true },
	{ .name = "SandyBridge", .parent = "SandyBridge-v1", .is_alias = true },
	{ .name = "SandyBridge-IBRS", .parent = "SandyBridge-v2", .is_alias = true },
	{ .name = "Skylake-Client", .parent = "Skylake-Client-v1", .is_alias = true },
	{ .name = "Skylake-Client-IBRS", .parent = "Skylake-Client-v2", .is_alias = true },
	{ .name = "Skylake-Client-noTSX-IBRS", .parent = "Skylake-Client-v3", .is_alias = true },
	{ .name = "Skylake-Server", .parent = "Skylake-Server-v1", .is_alias = true },
	{ .name = "Skylake-Server-IBRS", .parent = "Skylake-Server-v2", .is_alias = true },
	{ .name = "Skylake-Server-noTSX-IBRS", .parent = "Skylake-Server-v3", .is_alias = true },
	{ .name = "Snowridge", .parent = "Snowridge-v1", .is_alias = true },
	{ .name = "Westmere", .parent = "Westmere-v1", .is_alias = true },
	{ .name = "Westmere-IBRS", .parent = "Westmere-v2", .is_alias = true },
	{ NULL },
};
/* clang-format on */
