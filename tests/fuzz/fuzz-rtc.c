/* The real-time clock: random registers and time, on the bench. */
#include "../unit/trial-bench.h"
#include "event/clock.h"
#include "hw/rtc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device *rtc;
	struct bench *b = bench();
	const struct bench_window windows[] = {{&b->io, 0x70, 2}};
	const struct rtc_config config = {.clock = QCLOCK_VIRTUAL, .has_date = true};

	if (!rtc) {
		rtc = device_new(&rtc_type);
		rtc_configure(rtc, &config);
		if (!device_realize(rtc, NULL, NULL, &b->isa.bus, NULL))
			g_error("no clock");
	}
	device_reset(&b->dev);
	bench_play(windows, 1, data, size);
	return 0;
}
