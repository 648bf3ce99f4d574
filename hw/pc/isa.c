/* Chips on the ISA bus that the configuration has more to say about than that they exist. */
#include "chardev/chardev.h"
#include "hw/pc/pc.h"
#include "hw/rtc.h"

extern const struct device_type isa_parallel_type, isa_serial_type;

bool pc_make_rtc(struct pc_machine *pc, GError **errp)
{
	struct machine *m = &pc->m;
	struct rtc_config config = {
		.clock = m->rtc_clock,
		.localtime = m->rtc_localtime,
		.has_date = m->rtc_has_date,
		.date = m->rtc_date,
	};
	struct device *dev = device_new(&rtc_type);

	rtc_configure(dev, &config);
	if (!device_realize(dev, NULL, NULL, &pc->isa->bus, errp)) {
		device_unref(dev);
		return false;
	}
	pc->rtc = dev;
	return true;
}

/* Serial or parallel port @n on its character device; NULL: there is none. */
static bool make_port(struct pc_machine *pc, const struct device_type *type, unsigned n,
		      struct chardev *chr, GError **errp)
{
	struct device *dev;
	g_autofree char *index = g_strdup_printf("%u", n);

	if (!chr)
		return true;
	dev = device_new(type);
	if (device_set_text(dev, "index", index, errp) &&
	    device_set_text(dev, "chardev", chardev_id(chr), errp) &&
	    device_realize(dev, NULL, NULL, &pc->isa->bus, errp))
		return true;
	device_unref(dev);
	return false;
}

bool pc_make_serial(struct pc_machine *pc, unsigned n, GError **errp)
{
	return make_port(pc, &isa_serial_type, n, pc->m.serial[n], errp);
}

bool pc_make_parallel(struct pc_machine *pc, unsigned n, GError **errp)
{
	return make_port(pc, &isa_parallel_type, n, pc->m.parallel[n], errp);
}
