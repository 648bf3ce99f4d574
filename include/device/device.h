/*
 * Devices and the types they are made from.
 *
 * Everything with a name, properties and a place in the tree is a device: a chip, a PCI card, a back
 * end made by -object, a CPU, the machine itself. What it is stands in one const struct device_type
 * at the foot of its file, known to the program through the one array in hw/types.c. Nothing registers
 * itself, there are no class objects and no run-time casts: a type embeds its base's structure as its
 * first member and finds itself again with container_of().
 *
 * Life of a device:
 *	device_new()		memory, defaults of properties
 *	device_set..()		properties, by name; the board also fills private fields in C
 *	device_realize()	checks, then exists: regions, lines, timers. Base types first.
 *	reset			brings it to the state after power-on; base types first
 *	device_unrealize()	undone; derived types first
 *	device_unref()		memory
 *
 * A type and its bases: `props` and `state` of the bases come before its own; realize and reset run
 * from the base outwards, unrealize from the outside in. A base that must act after its derived type
 * realized says so with `realized`.
 *
 * Buses: a bus is a child of the device that provides it ("pci.0" of the host bridge), with a kind
 * ("PCI", "ISA"). A device whose type names a bus kind plugs into one bus of that kind; the bus core
 * learns of it through bus_type.plug (called before the device's own realize: assigns the address).
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "base/field.h"
#include "device/irq.h"
#include "event/lock.h"

struct device;
struct bus;
struct region;

enum device_category {
	CATEGORY_MISC,
	CATEGORY_BRIDGE,
	CATEGORY_USB,
	CATEGORY_STORAGE,
	CATEGORY_NETWORK,
	CATEGORY_INPUT,
	CATEGORY_DISPLAY,
	CATEGORY_SOUND,
	CATEGORY_CPU,
	CATEGORY_WATCHDOG,
	CATEGORY_BACKEND, /* -object */
	CATEGORY_MACHINE, /* -machine */
	CATEGORY_ACCEL,   /* -accel */
};

enum device_type_flags {
	TYPE_ABSTRACT = BIT(0),       /* a base: cannot be made */
	TYPE_USER_CREATABLE = BIT(1), /* -device, device_add, -object, object-add */
	TYPE_HOTPLUGGABLE = BIT(2),
	STATE_NONE = BIT(3), /* has no state to save, on purpose */
	TYPE_EARLY = BIT(4), /* -object makes it before the back ends, which refer to it */
};

struct device_type {
	const char *name;
	const char *alias; /* another name users know it by; NULL */
	const char *help;  /* one sentence */
	const struct device_type *base;
	enum device_category category;
	const char *bus; /* the kind of bus it plugs into; NULL: none */
	size_t size;     /* of the instance structure, which begins with struct device */
	unsigned flags;
	enum lock_kind lock;

	const struct field *props; /* own rows; NULL: none */
	const struct field
		*state; /* own rows; NULL: none, then STATE_NONE in flags unless a base has some */

	/* All may be NULL: nothing to do. */
	void (*init)(struct device *dev); /* after defaults: private fields */
	bool (*realize)(struct device *dev, GError **errp);
	bool (*realized)(struct device *dev, GError **errp); /* after all realize() of the chain */
	/* Plugged into a complete machine, and reset: from now on the guest may be told. */
	void (*plugged)(struct device *dev);
	void (*unrealize)(struct device *dev);
	void (*reset)(struct device *dev);
	void (*pre_save)(struct device *dev); /* refresh what the rows will read */
	bool (*post_load)(struct device *dev,
			  GError **errp); /* validate and act on what they wrote */

	/* Asked by device_del; the default unplugs at once. Hot-unplug that needs the guest's consent
	 * starts here and ends in device_unplug_done(). */
	bool (*unplug_request)(struct device *dev, GError **errp);

	const void
		*class_data; /* what the base type wants to know: struct pci_info, accel_ops, ... */
	const struct link_kind
		*link; /* not used by the core: how FIELD_LINKs name instances of it */

	/*
	 * For a card that puts a device of its own kind on another bus (virtio-rng-pci): device_new() makes
	 * the inner device too, whose properties are then also the card's. The card's realize() gives
	 * it its place in the tree. Also inherited from a base.
	 */
	const struct device_type *inner;

	/*
	 * Firmware can boot from it: it has the property "bootindex", and with that a place in the boot
	 * order (boot-order.h), where this follows its path ("/disk@0,0"; "": nothing does). NULL: it
	 * cannot. Also inherited from a base.
	 */
	const char *boot_suffix;
};

struct device {
	const struct device_type *type;
	char *id;   /* the user's, or NULL */
	char *name; /* in the tree: the id, or "device[3]" */
	struct device *parent;
	GPtrArray *children;  /* struct device *, owned */
	GPtrArray *buses;     /* struct bus *, embedded in the device */
	struct bus *bus;      /* it plugs into; NULL: none */
	struct device *inner; /* of a card: what it carries; a reference; NULL: none */
	GError *global_error; /* of a -global that did not apply; device_realize() reports it */
	bool realized;
	bool hotplugged;
	bool unplug_pending;
	bool leaving; /* off its bus, not realized any more, and yet to be unrealized */
	int refs;
	int32_t boot_index; /* property of types with a boot_suffix; below 0: no place */
	GMutex lock;        /* LOCK_DEVICE; taken by the framework only */
	GPtrArray *inputs;  /* struct irq_group, owned */
	GPtrArray *outputs; /* struct irq_group, owned */
};

/* ---- Types ---- */

/* Set once at start-up: the array of hw/types.c, NULL-terminated. */
void device_types_set(const struct device_type *const *types);
const struct device_type *const *device_types(void);

/* By name or alias; NULL if unknown. */
const struct device_type *device_type_find(const char *name);
bool device_type_is_a(const struct device_type *type, const struct device_type *base);

/* The bus kind of the type or the nearest base that names one; NULL: none. */
const char *device_type_bus(const struct device_type *type);
/* How help heads the category: "Controller/Bridge/Hub". */
const char *device_category_name(enum device_category category);

/* The inner type of the type or the nearest base that has one; NULL: none. */
const struct device_type *device_type_inner(const struct device_type *type);

/* The boot suffix of the type or the nearest base that has one; NULL: not bootable. */
const char *device_type_boot_suffix(const struct device_type *type);

/* The row of a property: the type's own, a base's, or the inner type's. */
const struct field *device_type_prop(const struct device_type *type, const char *name);
/* Calls @fn for all property rows, base types first, those of the inner type last. */
void device_type_foreach_prop(const struct device_type *type,
			      void (*fn)(const struct device_type *owner, const struct field *f,
					 void *opaque),
			      void *opaque);
/* All property (or state) rows of the type and its bases as one table, base types first; ended by
 * FIELD_END. Properties of the inner type come last. Caller frees with g_array_unref(). */
GArray *device_type_props(const struct device_type *type);
GArray *device_type_state(const struct device_type *type);
/* class_data of the type or the nearest base that has one. */
const void *device_type_class_data(const struct device_type *type);

/*
 * What is wrong with the array of types, one line a fault; NULL when nothing is. Names and aliases
 * unique, sizes grow from base to derived, help present, rows as fields_check() wants them, names
 * of rows unique along the chain, and state or STATE_NONE for every type that can be made.
 */
char *device_types_check(const struct device_type *const *types);

/* ---- Instances ---- */

/* A device with default properties and, on them, the -global settings. Holds one reference. A
 * -global that does not fit the property fails in device_realize(). */
struct device *device_new(const struct device_type *type);
struct device *device_ref(struct device *dev);
void device_unref(struct device *dev);

/*
 * Properties by name, before realize (FIELD_LIVE ones: any time). Text is parsed leniently.
 * A link's resolve() and a custom row's parse() may fail without an error of their own; the text is
 * then "Property 'TYPE.NAME' can't find value 'x'" or "... doesn't take value 'x'".
 */
struct json_object;
bool device_set_text(struct device *dev, const char *name, const char *text, GError **errp);
bool device_set_json(struct device *dev, const char *name, struct json_object *value,
		     GError **errp);
struct json_object *device_get_json(struct device *dev, const char *name, GError **errp);
/* Every member of @props but driver, qom-type, id and bus. "Property 'x.y' not found" for unknown ones. */
bool device_set_all(struct device *dev, struct json_object *props, GError **errp);

/*
 * What every device shows beside its rows: "type", "realized", "hotplugged", "hotpluggable",
 * "parent_bus". Read-only. The table ends with a NULL name; get() returns a new reference.
 */
struct device_common_prop {
	const char *name, *type, *help;
	struct json_object *(*get)(struct device *dev);
};
extern const struct device_common_prop device_common_props[];

/* `-global driver.property=value`; applies to devices made later, of that type or derived from it.
 * Those that fit no type or were never used warn at the end. */
bool global_add(const char *driver, const char *property, const char *value, GError **errp);
/* The same for a machine that has other defaults: -global wins, and unused ones are no news. The strings
 * are borrowed for ever. */
void global_add_default(const char *driver, const char *property, const char *value);
void globals_warn_unused(void);

/*
 * Puts @dev under @parent as @name (NULL: the next "device[N]"), plugs it into @bus (NULL: none) and
 * realizes it. On failure nothing is left behind and the caller's reference is still held; on success
 * the tree has taken the caller's reference over. @parent NULL: /machine/unattached. Where @name is
 * a container so far, the device takes its place and its children ("machine").
 */
bool device_realize(struct device *dev, struct device *parent, const char *name, struct bus *bus,
		    GError **errp);

/* The board's shorthand: new + realize under /machine/unattached, on @bus; no way to fail but
 * by a bug in the board, which ends the program with the error. */
struct device *device_create(const struct device_type *type, struct bus *bus);

/* Takes it out of the tree: unrealize of it and all below, then drops the tree's reference. */
void device_unrealize(struct device *dev);

/*
 * Hot-unplug as a user asks for it, and its completion, from any thread with the machine lock: at once the
 * guest does not find @dev on its bus any more (nor, with PCI, behind its BARs). It is unrealized by the main loop, where its back ends live; then
 * DEVICE_DELETED tells.
 */
bool device_unplug(struct device *dev, GError **errp);
void device_unplug_done(struct device *dev);

/* Resets @dev and everything below it and on its buses, parents first, each once. */
void device_reset(struct device *dev);

/* ---- The tree ---- */

/* "/", "/machine", "/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached",
 * "/objects", "/chardevs" exist always. */
struct device *tree_root(void);
/* Makes what is missing on the way. */
struct device *tree_container(const char *path);
bool device_is_container(const struct device *dev);

/* From now on devices come and go by hotplug: the machine is complete. */
void tree_set_ready(bool ready);
bool tree_ready(void);

/* By absolute path, or by partial path if unambiguous ("serial0/..."). NULL: DeviceNotFound. */
struct device *tree_find(const char *path, GError **errp);
/* As tree_find(), and it must be of @type or derived from it; for links. */
struct device *tree_find_type(const char *path, const struct device_type *type, GError **errp);
/* By user's id: /machine/peripheral and /objects. NULL if there is none. */
struct device *tree_find_id(const char *id);
/* Absolute path (caller frees). */
char *device_path(const struct device *dev);
void device_foreach_child(struct device *dev, void (*fn)(struct device *child, void *opaque),
			  void *opaque);
/* @dev and all below it, parents first. @fn must not change the tree. */
void device_foreach(struct device *dev, void (*fn)(struct device *dev, void *opaque), void *opaque);
/* For messages: the id, or the type's name. Borrowed. */
const char *device_label(const struct device *dev);

/* ---- Buses ---- */

struct bus_type {
	const char *kind; /* "PCI", "ISA", "virtio-bus", "IDE", "SCSI", "usb-bus", "System" */
	const char *help;
	/* Before the device's realize: check or choose its address. May be NULL. */
	bool (*plug)(struct bus *bus, struct device *dev, GError **errp);
	/* Before its unrealize (after it only where its realize failed): it cannot be found on the bus
	 * any more; dev->bus stays until it is gone. May be NULL. */
	void (*unplug)(struct bus *bus, struct device *dev);
	void (*reset)(struct bus *bus);
	/* Unique path of a device on its bus ("03.0"), for firmware paths and `info qtree`; may be NULL */
	char *(*dev_path)(struct device *dev);
	/*
	 * What firmware calls a device, '/' first ("/scsi@5"); NULL: by its type. May give NULL for a
	 * device that has no part of its own in the path. See boot-order.h.
	 */
	char *(*fw_path)(struct device *dev);
	bool hotplug;
};

struct bus {
	const struct bus_type *type;
	char *name; /* "pci.0" */
	struct device *parent;
	GPtrArray *devices; /* struct device *, borrowed, in order of plugging */
	bool full;
	unsigned max_devices; /* 0: no limit */
};

/*
 * Initialises a bus embedded in its provider; call it from realize(). @name NULL: the provider's id, or
 * else the kind in lower case, numbered ("sata0.0", "pci.0"). bus_cleanup() may be left to the core,
 * which calls it after the provider's unrealize.
 */
void bus_init(struct bus *bus, const struct bus_type *type, struct device *parent,
	      const char *name);
void bus_cleanup(struct bus *bus);
/* By name ("pci.0", "pci.0/dev/pci.1", "/path", id of a device that has one bus). Full: an error. */
struct bus *bus_find(const char *name, GError **errp);
/* The first of @kind with room, in order of the tree; NULL if there is none. */
struct bus *bus_find_kind(const char *kind);
/* No room for another device. */
bool bus_is_full(const struct bus *bus);

/* ---- Interrupt lines by name ---- */

struct irq_group {
	const char *name; /* "" for the unnamed group; borrowed */
	unsigned count;
	struct irq *in;    /* inputs: array, owned by the group */
	struct irq **out;  /* outputs: the device's pins */
	struct irq *taps;  /* outputs that are listened to: wires put in between; owned */
	struct irq **real; /* where the tapped pins lead; owned */
};

/* Inputs of @dev: @handler(opaque=dev, n, level). Returns the array. */
struct irq *device_add_inputs(struct device *dev, const char *name, irq_fn *handler,
			      unsigned count);
/* Declares output pins: @pins points at @count `struct irq *` members of the device. */
void device_add_outputs(struct device *dev, const char *name, struct irq **pins, unsigned count);
/* @name NULL is "". NULL: there is no such input. */
struct irq *device_input(struct device *dev, const char *name, unsigned n);
/* The pin must exist. */
void device_connect(struct device *dev, const char *name, unsigned n, struct irq *target);

/* Listen to every level on a group of inputs or outputs, for qtest. @listener's n is the line's
 * number in its group. False: there is no such group. */
bool device_tap_inputs(struct device *dev, const char *name, irq_fn *listener, void *opaque);
bool device_tap_outputs(struct device *dev, const char *name, irq_fn *listener, void *opaque);

#endif
