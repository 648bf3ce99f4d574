/*
 * MSI-X vectors by irqfd: a virtio-rng card on the bench, and an accelerator that only remembers what it was told.
 * Vector 0 is the configuration's, 1 the queue's.
 */
#include "accel/accel.h"
#include "event/lock.h"
#include "hw/virtio/pci.h"
#include "machine/runstate.h"
#include "state/state.h"
#include "trial-bench.h"

#define MODERN 0xe0000000ULL
#define MSIX   0xd0000000ULL
#define GSIS   8

extern const struct device_type virtio_rng_pci_type;

/* ---- The accelerator ---- */

static struct {
	struct accel a;
	bool used[GSIS];
	struct msi_message msg[GSIS];
	struct notifier *fd[GSIS];
	int depth, none_left;
} fake;

static void route_begin(struct accel *a)
{
	fake.depth++;
}

static void route_commit(struct accel *a)
{
	fake.depth--;
}

static int route_add(struct accel *a, const struct msi_message *msg)
{
	for (int gsi = 0; gsi < GSIS && !fake.none_left; gsi++) {
		if (fake.used[gsi])
			continue;
		fake.used[gsi] = true;
		fake.msg[gsi] = *msg;
		return gsi;
	}
	return -1;
}

static void route_update(struct accel *a, int gsi, const struct msi_message *msg)
{
	g_assert_true(fake.used[gsi]);
	fake.msg[gsi] = *msg;
}

static void route_del(struct accel *a, int gsi)
{
	g_assert_true(fake.used[gsi]);
	g_assert_null(fake.fd[gsi]);
	fake.used[gsi] = false;
}

static bool irqfd_add(struct accel *a, struct notifier *n, struct notifier *resample, int gsi)
{
	g_assert_true(fake.used[gsi]);
	g_assert_null(fake.fd[gsi]);
	fake.fd[gsi] = n;
	return true;
}

static void irqfd_del(struct accel *a, struct notifier *n, int gsi)
{
	g_assert_true(fake.fd[gsi] == n);
	fake.fd[gsi] = NULL;
}

static const struct accel_ops fake_ops = {
	.name = "fake",
	.route_begin = route_begin,
	.route_commit = route_commit,
	.route_add = route_add,
	.route_update = route_update,
	.route_del = route_del,
	.irqfd_add = irqfd_add,
	.irqfd_del = irqfd_del,
};

/* The gsi that delivers @data, or -1. */
static int connected(uint32_t data)
{
	for (int gsi = 0; gsi < GSIS; gsi++) {
		if (fake.fd[gsi] && fake.msg[gsi].data == data)
			return gsi;
	}
	return -1;
}

static unsigned gsis_in_use(void)
{
	unsigned count = 0;

	for (int gsi = 0; gsi < GSIS; gsi++)
		count += fake.used[gsi];
	return count;
}

/* ---- The driver ---- */

static struct pci_device *card;
static struct virtio_device *rng;

static void store(uint64_t addr, unsigned size, uint64_t value)
{
	g_assert_cmpint(as_store(&bench()->memory, NULL, addr, size, value), ==, MEM_OK);
}

static void common(unsigned offset, unsigned size, uint64_t value)
{
	store(MODERN + offset, size, value);
}

static void set_vector(unsigned vector, uint32_t data, bool masked)
{
	store(MSIX + 16 * vector, 4, MSI_WINDOW);
	store(MSIX + 16 * vector + 8, 4, data);
	store(MSIX + 16 * vector + 12, 4, masked);
}

static bool pending(unsigned vector)
{
	uint64_t bits;

	as_load(&bench()->memory, NULL, MSIX + 0x800, 4, &bits);
	return bits >> vector & 1;
}

static void enable_msix(uint16_t control)
{
	pci_config_write(card, card->msix_cap + PCI_MSIX_CONTROL, control, 2);
}

static void start(void)
{
	pci_config_write(card, PCI_BAR0 + 4, MSIX, 4);
	pci_config_write(card, PCI_BAR0 + 16, MODERN, 4);
	pci_config_write(card, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	enable_msix(PCI_MSIX_ENABLE);
	set_vector(0, 0x40, false);
	set_vector(1, 0x41, false);
	common(VIRTIO_COMMON_STATUS, 1, 0);
	common(VIRTIO_COMMON_STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	common(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, 1);
	common(VIRTIO_COMMON_DRIVER_FEATURE, 4, 1);
	common(VIRTIO_COMMON_STATUS, 1, 0x0b);
	common(VIRTIO_COMMON_CONFIG_VECTOR, 2, 0);
	common(VIRTIO_COMMON_QUEUE_SELECT, 2, 0);
	common(VIRTIO_COMMON_QUEUE_VECTOR, 2, 1);
	common(VIRTIO_COMMON_QUEUE_DESC, 4, 0x1000);
	common(VIRTIO_COMMON_QUEUE_DRIVER, 4, 0x2000);
	common(VIRTIO_COMMON_QUEUE_DEVICE, 4, 0x3000);
	common(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	common(VIRTIO_COMMON_STATUS, 1, 0x0f);
}

static void stop(void)
{
	common(VIRTIO_COMMON_STATUS, 1, 0);
	g_assert_cmpuint(gsis_in_use(), ==, 0);
	g_assert_cmpint(fake.depth, ==, 0);
}

static void raise_queue(void)
{
	virtqueue_notify(virtio_queue(rng, 0));
}

static bool took(int gsi)
{
	return notifier_test_and_clear(fake.fd[gsi]);
}

/* ---- Tests ---- */

static void test_raise(void)
{
	unsigned messages = bench()->messages;

	start();
	g_assert_cmpuint(gsis_in_use(), ==, 2);
	raise_queue();
	g_assert_true(took(connected(0x41)));
	virtio_config_changed(rng);
	g_assert_true(took(connected(0x40)));
	g_assert_false(took(connected(0x41)));
	g_assert_cmpuint(bench()->messages, ==, messages);
	stop();
}

/* No lock is needed, and none is taken. */
static gpointer raise_there(gpointer opaque)
{
	g_assert_false(machine_locked());
	raise_queue();
	return NULL;
}

static void test_other_thread(void)
{
	start();
	g_thread_join(g_thread_new("raise", raise_there, NULL));
	g_assert_true(took(connected(0x41)));
	stop();
}

static void test_mask(void)
{
	unsigned messages = bench()->messages;

	start();
	set_vector(1, 0x41, true);
	g_assert_cmpint(connected(0x41), ==, -1);
	raise_queue();
	g_assert_true(pending(1));
	/* Unmasked, and with another message. */
	set_vector(1, 0x51, false);
	g_assert_false(pending(1));
	g_assert_cmpuint(bench()->messages, ==, messages + 1);
	g_assert_cmphex(bench()->last.data, ==, 0x51);
	raise_queue();
	g_assert_true(took(connected(0x51)));
	/* The whole function. */
	enable_msix(PCI_MSIX_ENABLE | PCI_MSIX_FUNCTION_MASK);
	g_assert_cmpint(connected(0x40), ==, -1);
	g_assert_cmpint(connected(0x51), ==, -1);
	enable_msix(PCI_MSIX_ENABLE);
	g_assert_cmpint(connected(0x51), >=, 0);
	/* Raised, and masked before anybody took it. */
	raise_queue();
	set_vector(1, 0x51, true);
	g_assert_true(pending(1));
	stop();
}

/* A driver may change vectors while it runs. */
static void test_change(void)
{
	start();
	common(VIRTIO_COMMON_CONFIG_VECTOR, 2, VIRTIO_NO_VECTOR);
	common(VIRTIO_COMMON_QUEUE_VECTOR, 2, 0);
	raise_queue();
	g_assert_true(took(connected(0x40)));
	common(VIRTIO_COMMON_QUEUE_VECTOR, 2, 7);
	g_assert_cmphex(virtio_queue(rng, 0)->vector, ==, VIRTIO_NO_VECTOR);
	raise_queue();
	g_assert_false(took(connected(0x40)));
	stop();
}

static void test_none_left(void)
{
	unsigned messages = bench()->messages;

	fake.none_left = 1;
	start();
	fake.none_left = 0;
	raise_queue();
	g_assert_cmpuint(bench()->messages, ==, messages + 1);
	stop();
}

static void test_reset_and_load(void)
{
	g_autoptr(GByteArray) saved = g_byte_array_new();
	GError *err = NULL;

	start();
	state_save_tree(saved);
	device_reset(tree_root());
	g_assert_cmpuint(gsis_in_use(), ==, 0);
	g_assert_true(state_load_tree(saved->data, saved->len, &err));
	g_assert_cmpint(connected(0x41), >=, 0);
	/* Over a device that runs with other messages. */
	set_vector(1, 0x99, false);
	g_assert_true(state_load_tree(saved->data, saved->len, &err));
	g_assert_cmpint(connected(0x99), ==, -1);
	raise_queue();
	g_assert_true(took(connected(0x41)));
	stop();
}

static void test_unplug(void)
{
	start();
	device_unrealize(&card->dev);
	g_assert_cmpuint(gsis_in_use(), ==, 0);
}

int main(int argc, char **argv)
{
	struct device *dev;

	g_test_init(&argc, &argv, NULL);
	bench();
	runstate_set(RUN_STATE_RUNNING);
	fake.a.ops = &fake_ops;
	fake.a.irqchip = IRQCHIP_ON;
	pci_bus_set_accel(&bench()->pci, &fake.a);
	dev = device_create(&virtio_rng_pci_type, &bench()->pci.bus);
	card = pci_device_of(dev);
	rng = virtio_of(dev->inner);
	g_test_add_func("/virtio-irqfd/raise", test_raise);
	g_test_add_func("/virtio-irqfd/other-thread", test_other_thread);
	g_test_add_func("/virtio-irqfd/mask", test_mask);
	g_test_add_func("/virtio-irqfd/change", test_change);
	g_test_add_func("/virtio-irqfd/none-left", test_none_left);
	g_test_add_func("/virtio-irqfd/reset-and-load", test_reset_and_load);
	g_test_add_func("/virtio-irqfd/unplug", test_unplug);
	return g_test_run();
}
