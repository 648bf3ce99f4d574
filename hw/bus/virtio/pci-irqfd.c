/*
 * Vectors that interrupt by an eventfd: while the driver runs, each MSI-X vector that a queue or the configuration
 * uses has a notifier, which the accelerator turns into the vector's message. Any thread may raise it, and it costs
 * nobody a lock.
 *
 * A masked vector is disconnected: what it raises becomes a pending bit (msix.c), and what was raised just when
 * it was masked stays in its notifier, where the accelerator finds it when it is connected again.
 */
#include "pci-internal.h"

struct virtio_pci_vector {
	struct notifier n; /* fd -1: not in use */
	int gsi;           /* -1: none yet */
	int connected;     /* atomic */
};

static bool has_irqfds(const struct virtio_pci *p)
{
	const struct accel *a = pci_accel(&p->pci);

	return p->ioeventfd && a && a->irqchip != IRQCHIP_OFF && a->ops->irqfd_add &&
	       a->ops->route_add;
}

static bool shall_connect(struct virtio_pci *p, unsigned vector, struct msi_message *msg)
{
	if (!pci_msix_enabled(&p->pci) || pci_msix_masked(&p->pci, vector))
		return false;
	*msg = pci_msix_message(&p->pci, vector);
	return msg->addr - MSI_WINDOW < MSI_WINDOW_SIZE;
}

static void disconnect(struct virtio_pci *p, unsigned vector)
{
	struct virtio_pci_vector *v = &p->fds[vector];
	struct accel *a = pci_accel(&p->pci);

	if (!v->connected)
		return;
	__atomic_store_n(&v->connected, 0, __ATOMIC_SEQ_CST);
	a->ops->irqfd_del(a, &v->n, v->gsi);
	if (notifier_test_and_clear(&v->n))
		pci_msix_set_pending(&p->pci, vector);
}

static void connect(struct virtio_pci *p, unsigned vector, const struct msi_message *msg)
{
	struct virtio_pci_vector *v = &p->fds[vector];
	struct accel *a = pci_accel(&p->pci);

	if (v->gsi < 0)
		v->gsi = a->ops->route_add(a, msg);
	else
		a->ops->route_update(a, v->gsi, msg);
	if (v->gsi >= 0 && !v->connected && a->ops->irqfd_add(a, &v->n, NULL, v->gsi))
		__atomic_store_n(&v->connected, 1, __ATOMIC_SEQ_CST);
}

/* A vector's message or masking changed. */
static void vector_changed(struct pci_device *pci, unsigned vector)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	struct msi_message msg;

	if (!p->fds || p->fds[vector].n.fd < 0)
		return;
	if (shall_connect(p, vector, &msg))
		connect(p, vector, &msg);
	else
		disconnect(p, vector);
}

void virtio_pci_use_vector(struct virtio_pci *p, uint16_t vector)
{
	if (!p->fds || vector >= pci_msix_vectors(&p->pci) || p->fds[vector].n.fd >= 0)
		return;
	if (notifier_init(&p->fds[vector].n, NULL))
		vector_changed(&p->pci, vector);
}

static void make_vectors(struct virtio_pci *p)
{
	unsigned count = pci_msix_vectors(&p->pci);

	p->fds = g_new(struct virtio_pci_vector, count);
	for (unsigned i = 0; i < count; i++)
		p->fds[i] = (struct virtio_pci_vector){.n.fd = -1, .gsi = -1};
	p->pci.msix_changed = vector_changed;
}

static void free_vectors(struct virtio_pci *p)
{
	struct accel *a = pci_accel(&p->pci);

	for (unsigned i = 0; i < pci_msix_vectors(&p->pci); i++) {
		disconnect(p, i);
		if (p->fds[i].gsi >= 0)
			a->ops->route_del(a, p->fds[i].gsi);
		notifier_cleanup(&p->fds[i].n);
	}
	p->pci.msix_changed = NULL;
	g_clear_pointer(&p->fds, g_free);
}

void virtio_pci_running(struct virtio_transport *t, bool running)
{
	struct virtio_pci *p = virtio_pci_of(t);
	struct accel *a = pci_accel(&p->pci);

	if (running == (p->fds != NULL) || !pci_msix_vectors(&p->pci) || !has_irqfds(p))
		return;
	a->ops->route_begin(a);
	if (running) {
		make_vectors(p);
		virtio_pci_use_vector(p, t->vdev->config_vector);
		for (guint i = 0; i < t->vdev->queues->len; i++)
			virtio_pci_use_vector(p, virtio_queue(t->vdev, i)->vector);
	} else {
		free_vectors(p);
	}
	a->ops->route_commit(a);
}

bool virtio_pci_signal(struct virtio_pci *p, uint16_t vector)
{
	struct virtio_pci_vector *v = p->fds;

	if (!v || vector >= pci_msix_vectors(&p->pci))
		return false;
	v += vector;
	if (!__atomic_load_n(&v->connected, __ATOMIC_SEQ_CST))
		return false;
	notifier_set(&v->n);
	return true;
}
