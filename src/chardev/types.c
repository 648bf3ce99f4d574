/*
 * The list of all back ends; and of their names in QMP, which has an older one for ringbuf.
 */
#include "internal.h"

const struct chardev_type *const chardev_types[] = {
	&chardev_file,
	&chardev_mux,
	&chardev_null,
	&chardev_pipe,
	&chardev_pty,
	&chardev_ringbuf,
	&chardev_serial,
	&chardev_socket,
	&chardev_stdio,
	&chardev_udp,
	NULL,
};

static const struct {
	const char *name;
	const struct chardev_type *type;
} aliases[] = {
	{"memory", &chardev_ringbuf},
	{"tty", &chardev_serial},
};

/* Back ends that users know from elsewhere. */
static const char *const absent[] = {"vc",      "parallel", "parport",     "msmouse",   "wctablet",
				     "braille", "testdev",  "spicevmc",    "spiceport", "console",
				     "hub",     "dbus",     "qemu-vdagent"};

const struct chardev_type *chardev_type_find(const char *name, GError **errp)
{
	for (size_t i = 0; chardev_types[i]; i++)
		if (!strcmp(chardev_types[i]->name, name))
			return chardev_types[i];
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (!strcmp(aliases[i].name, name))
			return aliases[i].type;
	for (size_t i = 0; i < G_N_ELEMENTS(absent); i++) {
		if (strcmp(absent[i], name) != 0)
			continue;
		if (!strcmp(name, "vc")) {
			error_set(errp,
				  "chardev: back end 'vc' needs a display, and there is none yet");
			return NULL;
		}
		error_set(errp, "chardev: back end '%s' is not supported here", name);
		return NULL;
	}
	error_set(errp, "'%s' is not a valid char driver name", name);
	error_add_hint(errp, "Use -chardev help to list them");
	return NULL;
}
