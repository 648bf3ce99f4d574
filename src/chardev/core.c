/*
 * Character devices: the registry, attaching front ends, passing bytes and events to them.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"

/* Every device, in order of creation. Main thread. */
static GPtrArray *registry;

/* ---- Registry ---- */

struct chardev *chardev_find(const char *id)
{
	for (guint i = 0; registry && i < registry->len; i++) {
		struct chardev *chr = registry->pdata[i];

		if (!strcmp(chr->id, id))
			return chr;
	}
	return NULL;
}

void chardev_foreach(void (*fn)(struct chardev *chr, void *opaque), void *opaque)
{
	for (guint i = 0; registry && i < registry->len; i++)
		fn(registry->pdata[i], opaque);
}

const char *chardev_id(const struct chardev *chr)
{
	return chr->id;
}

char *chardev_filename(const struct chardev *chr)
{
	return g_strdup(chr->filename);
}

bool chardev_is_open(const struct chardev *chr)
{
	return chr->open;
}

void chardev_set_filename(struct chardev *chr, char *filename)
{
	g_free(chr->filename);
	chr->filename = filename;
}

static bool open_log(struct chardev *chr, const struct chardev_common *common, GError **errp)
{
	int flags = O_WRONLY | (common->logappend ? O_APPEND : O_TRUNC);

	if (!common->logfile)
		return true;
	chr->log_fd = path_create(common->logfile, flags, 0666, errp);
	return chr->log_fd >= 0;
}

static void chardev_free(struct chardev *chr)
{
	if (!chr->closed && chr->type->destroy)
		chr->type->destroy(chr);
	if (chr->log_fd >= 0)
		close(chr->log_fd);
	g_mutex_clear(&chr->write_lock);
	g_free(chr->filename);
	g_free(chr->id);
	g_free(chr);
}

struct chardev *chardev_create(const char *id, const struct chardev_type *type, const void *options,
			       GError **errp)
{
	struct chardev *chr = g_malloc0(type->size);

	chr->type = type;
	chr->id = g_strdup(id);
	chr->filename = g_strdup(type->name);
	chr->loop = loop_main();
	chr->log_fd = -1;
	g_mutex_init(&chr->write_lock);
	if (!open_log(chr, options, errp) || !type->create(chr, options, errp)) {
		chardev_free(chr);
		return NULL;
	}
	if (!registry)
		registry = g_ptr_array_new();
	g_ptr_array_add(registry, chr);
	return chr;
}

static void chardev_destroy(struct chardev *chr)
{
	struct chardev *base = chr->base;

	g_ptr_array_remove(registry, chr);
	chardev_free(chr);
	if (base)
		chardev_destroy(base);
}

bool chardev_remove(const char *id, GError **errp)
{
	struct chardev *chr = chardev_find(id);

	if (!chr) {
		error_set(errp, "Chardev '%s' not found", id);
		return false;
	}
	if (chr->fe || chr->busy) {
		error_set(errp, "Chardev '%s' is busy", id);
		return false;
	}
	chardev_destroy(chr);
	return true;
}

void chardev_cleanup_all(void)
{
	for (guint i = registry ? registry->len : 0; i-- > 0;) {
		struct chardev *chr = registry->pdata[i];

		g_mutex_lock(&chr->write_lock);
		if (!chr->closed && chr->type->destroy)
			chr->type->destroy(chr);
		chr->closed = true;
		chr->open = false;
		g_mutex_unlock(&chr->write_lock);
	}
}

/* ---- Front ends ---- */

/*
 * On the loop. The first time, after chardev_attach() has returned to its caller, the front end
 * learns the state that it found; each time input may go on.
 */
static void frontend_go_on(void *opaque)
{
	struct chardev_frontend *fe = opaque;
	struct chardev *chr = fe->chr;

	if (chr->closed)
		return;
	if (!fe->ready) {
		fe->ready = true;
		if (chr->type->frontend_ready)
			chr->type->frontend_ready(chr, fe);
		else if (chr->open)
			frontend_event(fe, CHARDEV_OPENED);
	}
	if (chr->type->accept_input)
		chr->type->accept_input(chr);
}

static bool frontend_enter(struct chardev *chr, struct chardev_frontend *fe, GError **errp)
{
	if (chr->type->add_frontend) {
		if (!chr->type->add_frontend(chr, fe, errp))
			return false;
	} else if (chr->fe || chr->busy) {
		error_set(errp, "Device '%s' is in use", chr->id);
		return false;
	}
	chr->fe = fe;
	return true;
}

bool chardev_can_move(const struct chardev *chr)
{
	return chr->type->set_loop;
}

static bool set_loop(struct chardev *chr, struct loop *loop, GError **errp)
{
	if (loop == chr->loop)
		return true;
	if (!chr->type->set_loop || !chr->type->set_loop(chr, loop)) {
		error_set(errp, "Chardev '%s' cannot be served by another thread", chr->id);
		return false;
	}
	chr->loop = loop;
	return true;
}

bool chardev_move(struct chardev_frontend *fe, struct loop *loop, GError **errp)
{
	struct chardev *chr = fe->chr;

	if (loop == chr->loop)
		return true;
	frontend_drop_notifies(fe);
	bh_free(fe->go_on);
	fe->go_on = bh_new(loop, frontend_go_on, fe);
	if (!set_loop(chr, loop, errp)) {
		bh_free(fe->go_on);
		fe->go_on = bh_new(chr->loop, frontend_go_on, fe);
		return false;
	}
	bh_schedule(fe->go_on);
	return true;
}

struct chardev_frontend *chardev_attach(struct chardev *chr,
					const struct chardev_handlers *handlers, void *opaque,
					struct loop *loop, GError **errp)
{
	struct chardev_frontend *fe;

	if (loop && !set_loop(chr, loop, errp))
		return NULL;
	fe = g_new0(struct chardev_frontend, 1);
	fe->chr = chr;
	fe->handlers = *handlers;
	fe->opaque = opaque;
	fe->guest_open = true;
	if (!frontend_enter(chr, fe, errp)) {
		g_free(fe);
		return NULL;
	}
	fe->go_on = bh_new(chr->loop, frontend_go_on, fe);
	bh_schedule(fe->go_on);
	return fe;
}

void chardev_detach(struct chardev_frontend *fe)
{
	struct chardev *chr;

	if (!fe)
		return;
	chr = fe->chr;
	frontend_drop_notifies(fe);
	if (chr->type->remove_frontend)
		chr->type->remove_frontend(chr, fe);
	else
		chr->fe = NULL;
	bh_free(fe->go_on);
	g_free(fe);
}

struct chardev *chardev_of(const struct chardev_frontend *fe)
{
	return fe->chr;
}

void chardev_accept_input(struct chardev_frontend *fe)
{
	bh_schedule(fe->go_on);
}

void chardev_set_open(struct chardev_frontend *fe, bool open)
{
	fe->guest_open = open;
}

/* ---- From the back end to the front end ---- */

int frontend_room(const struct chardev_frontend *fe)
{
	if (!fe || !fe->ready)
		return 0;
	return fe->handlers.can_receive ? fe->handlers.can_receive(fe->opaque) : INT_MAX;
}

int chardev_room(struct chardev *chr)
{
	return frontend_room(chr->fe);
}

void chardev_input(struct chardev *chr, const uint8_t *data, int len)
{
	struct chardev_frontend *fe = chr->fe;

	if (fe && fe->ready && fe->handlers.receive)
		fe->handlers.receive(fe->opaque, data, len);
}

void frontend_event(struct chardev_frontend *fe, enum chardev_event event)
{
	if (fe && fe->ready && fe->handlers.event)
		fe->handlers.event(fe->opaque, event);
}

void chardev_event(struct chardev *chr, enum chardev_event event)
{
	if (event == CHARDEV_OPENED || event == CHARDEV_CLOSED) {
		bool open = event == CHARDEV_OPENED;

		if (chr->open == open)
			return;
		chr->open = open;
	}
	frontend_event(chr->fe, event);
}

/* ---- What only some back ends can do ---- */

void chardev_send_break(struct chardev_frontend *fe)
{
	struct chardev *chr = fe->chr;

	if (!chr->closed && chr->type->send_break)
		chr->type->send_break(chr);
}

bool chardev_set_serial_params(struct chardev_frontend *fe, const struct serial_params *params)
{
	struct chardev *chr = fe->chr;

	return !chr->closed && chr->type->set_params && chr->type->set_params(chr, params);
}

bool chardev_get_modem_lines(struct chardev_frontend *fe, unsigned *tiocm)
{
	struct chardev *chr = fe->chr;

	return !chr->closed && chr->type->get_modem && chr->type->get_modem(chr, tiocm);
}

bool chardev_set_modem_lines(struct chardev_frontend *fe, unsigned tiocm)
{
	struct chardev *chr = fe->chr;

	return !chr->closed && chr->type->set_modem && chr->type->set_modem(chr, tiocm);
}

int chardev_take_fd(struct chardev_frontend *fe)
{
	struct chardev *chr = fe->chr;

	return !chr->closed && chr->type->take_fd ? chr->type->take_fd(chr) : -1;
}

/* ---- As the value of a property ---- */

/* Who holds the property words the failure. */
static void *link_resolve(const char *name, GError **errp)
{
	return chardev_find(name);
}

static const char *link_name_of(void *target)
{
	return chardev_id(target);
}

const struct link_kind chardev_link = {
	.name = "chardev",
	.resolve = link_resolve,
	.name_of = link_name_of,
};
