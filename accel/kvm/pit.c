/*
 * The kernel's 8254 timer as a device (Intel 231164): what remains here is its state.
 *
 * The kernel's timer knows nothing of a stopped guest. So its state is read when the guest stops and
 * written back when it goes on: that starts the counters anew and forgets the ticks of the meantime.
 * Counters were loaded at times of the host's monotonic clock; they are saved as guest time.
 */
#include "kvm.h"
#include "event/clock.h"

enum lost_tick_policy { LOST_DISCARD, LOST_DELAY, LOST_SLEW };

struct pit_channel {
	uint32_t count;
	uint16_t latched_count;
	uint8_t count_latched, status_latched, status, read_state, write_state, write_latch;
	uint8_t rw_mode, mode, bcd, gate;
	int64_t count_load_time; /* ns of the virtual clock */
};

struct kvm_pit {
	struct device dev;
	struct kvm *kvm;
	uint32_t iobase;
	int lost_tick_policy;

	struct pit_channel channels[3];
	uint32_t flags; /* KVM_PIT_FLAGS_*: HPET has IRQ 0, speaker data */
	bool stopped;   /* the channels above are the truth */
};

#define CHANNEL_MEMBERS(X)                                                                         \
	X(count)                                                                                   \
	X(latched_count)                                                                           \
	X(count_latched)                                                                           \
	X(status_latched)                                                                          \
	X(status)                                                                                  \
	X(read_state)                                                                              \
	X(write_state)                                                                             \
	X(write_latch)                                                                             \
	X(rw_mode)                                                                                 \
	X(mode)                                                                                    \
	X(bcd)                                                                                     \
	X(gate)

/* The host's monotonic clock, minus guest time. */
static int64_t clock_offset(void)
{
	return clock_now(QCLOCK_REALTIME) - clock_now(QCLOCK_VIRTUAL);
}

static int pit_get(struct kvm_pit *s)
{
	struct kvm_pit_state2 pit;
	int ret = kvm_ioctl(s->kvm->vm, KVM_GET_PIT2, &pit);

	if (ret)
		return ret;
	for (unsigned i = 0; i < 3; i++) {
		struct pit_channel *to = &s->channels[i];
		const struct kvm_pit_channel_state *from = &pit.channels[i];

#define COPY(_member) to->_member = from->_member;
		CHANNEL_MEMBERS(COPY)
#undef COPY
		to->count_load_time = from->count_load_time - clock_offset();
	}
	s->flags = pit.flags;
	return 0;
}

static int pit_put(struct kvm_pit *s)
{
	struct kvm_pit_state2 pit = {.flags = s->flags};

	for (unsigned i = 0; i < 3; i++) {
		const struct pit_channel *from = &s->channels[i];
		struct kvm_pit_channel_state *to = &pit.channels[i];

#define COPY(_member) to->_member = from->_member;
		CHANNEL_MEMBERS(COPY)
#undef COPY
		to->count_load_time = from->count_load_time + clock_offset();
	}
	return kvm_ioctl(s->kvm->vm, KVM_SET_PIT2, &pit);
}

void kvm_pit_stop(struct device *dev)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	pit_get(s);
	s->stopped = true;
}

void kvm_pit_resume(struct device *dev)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	if (s->stopped)
		pit_put(s);
	s->stopped = false;
}

static void pit_pre_save(struct device *dev)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	if (!s->stopped)
		pit_get(s);
}

static bool pit_post_load(struct device *dev, GError **errp)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);
	int ret;

	for (unsigned i = 0; i < 3; i++) {
		if (s->channels[i].count > 0x10000 || s->channels[i].mode > 7) {
			error_set(errp, "kvm-pit: channel %u has count 0x%x, mode %u", i,
				  s->channels[i].count, s->channels[i].mode);
			return false;
		}
	}
	ret = pit_put(s);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "kvm-pit: could not set the state");
	return false;
}

/*
 * The data sheet leaves the mode open. In mode 5 counter 0 waits for an edge of its gate, which a PC never
 * gives: nothing ticks, and wakes the host, until software says so.
 */
static void pit_reset(struct device *dev)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	memset(s->channels, 0, sizeof(s->channels));
	for (unsigned i = 0; i < 3; i++) {
		s->channels[i].mode = i ? 3 : 5;
		s->channels[i].gate = i != 2;
		s->channels[i].count = 0x10000;
		s->channels[i].count_load_time = clock_now(QCLOCK_VIRTUAL);
	}
	s->flags = 0;
	pit_put(s);
}

/* KVM makes up for ticks the guest was too slow to take, unless it is told not to. */
static bool set_policy(struct kvm_pit *s, GError **errp)
{
	struct kvm_reinject_control control = {.pit_reinject = 0};
	int ret;

	if (s->lost_tick_policy == LOST_DELAY)
		return true;
	if (s->lost_tick_policy != LOST_DISCARD) {
		error_set(errp, "Lost tick policy not supported.");
		return false;
	}
	ret = s->kvm->caps.reinject ? kvm_ioctl(s->kvm->vm, KVM_REINJECT_CONTROL, &control)
				    : -ENOSYS;
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Can't disable in-kernel PIT reinjection");
	return false;
}

/* An HPET stands in for it, or no longer does. While the guest is stopped the flag waits with the rest. */
static void pit_silence(void *opaque, unsigned n, int level)
{
	struct kvm_pit *s = container_of((struct device *)opaque, struct kvm_pit, dev);

	if (!(s->flags & KVM_PIT_FLAGS_HPET_LEGACY) == !level)
		return;
	if (!s->stopped)
		pit_get(s);
	s->flags = level ? s->flags | KVM_PIT_FLAGS_HPET_LEGACY
			 : s->flags & ~KVM_PIT_FLAGS_HPET_LEGACY;
	if (!s->stopped)
		pit_put(s);
}

static bool pit_realize(struct device *dev, GError **errp)
{
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	if (!s->kvm) {
		error_set(errp, "kvm-pit comes with the accelerator kvm");
		return false;
	}
	device_add_inputs(dev, "", pit_silence, 1);
	s->kvm->accel.legacy_timer_off = device_input(dev, "", 0);
	return set_policy(s, errp);
}

struct device *kvm_pit_new(struct kvm *k)
{
	struct device *dev = device_new(&kvm_pit_type);
	struct kvm_pit *s = container_of(dev, struct kvm_pit, dev);

	s->kvm = k;
	s->stopped = true; /* as the guest is, until it first runs */
	if (s->iobase == UINT32_MAX)
		s->iobase = 0x40;
	return dev;
}

static const struct enum_name policy_names[] = {
	{"discard", LOST_DISCARD, "lost ticks stay lost"},
	{"delay", LOST_DELAY, "they come later, at the normal rate"},
	{"slew", LOST_SLEW, "they come at a higher rate"},
	{},
};

static const struct field pit_props[] = {
	PROP_UINT(struct kvm_pit, iobase, "iobase", UINT32_MAX, UINT32_MAX, "First I/O port"),
	PROP_ENUM(struct kvm_pit, lost_tick_policy, "lost_tick_policy", policy_names, LOST_DELAY,
		  "What becomes of ticks the guest had no time for"),
	FIELD_ROW_END,
};

static const struct field channel_rows[] = {
#define ROW(_member) SAVE_UINT(struct pit_channel, _member),
	CHANNEL_MEMBERS(ROW)
#undef ROW
		SAVE_INT(struct pit_channel, count_load_time),
	FIELD_ROW_END,
};
static const struct field_set channel_set = {
	"pit_channel",
	sizeof(struct pit_channel),
	channel_rows,
};

static const struct field pit_state[] = {
	SAVE_STRUCTS(struct kvm_pit, channels, &channel_set),
	SAVE_UINT(struct kvm_pit, flags),
	FIELD_ROW_END,
};

const struct device_type kvm_pit_type = {
	.name = "kvm-pit",
	.help = "8254 programmable interval timer in the kernel",
	.category = CATEGORY_MISC,
	.size = sizeof(struct kvm_pit),
	.props = pit_props,
	.state = pit_state,
	.realize = pit_realize,
	.reset = pit_reset,
	.pre_save = pit_pre_save,
	.post_load = pit_post_load,
};
