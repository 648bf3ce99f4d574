/* Device types: lookup, type chains, and the check of the whole array. */
#include "device/boot-order.h"
#include "internal.h"

static const struct device_type *const no_types[] = {NULL};
static const struct device_type *const *types = no_types;

void device_types_set(const struct device_type *const *array)
{
	types = array;
}

const struct device_type *const *device_types(void)
{
	return types;
}

const struct device_type *device_type_find(const char *name)
{
	for (const struct device_type *const *t = types; *t; t++) {
		if (!strcmp((*t)->name, name))
			return *t;
	}
	for (const struct device_type *const *t = types; *t; t++) {
		if ((*t)->alias && !strcmp((*t)->alias, name))
			return *t;
	}
	return NULL;
}

bool device_type_is_a(const struct device_type *type, const struct device_type *base)
{
	while (type && type != base)
		type = type->base;
	return type != NULL;
}

const struct device_type **type_chain(const struct device_type *type)
{
	size_t count = 0;

	for (const struct device_type *t = type; t; t = t->base)
		count++;
	const struct device_type **chain = g_new0(const struct device_type *, count + 1);
	for (const struct device_type *t = type; t; t = t->base)
		chain[--count] = t;
	return chain;
}

const char *device_type_bus(const struct device_type *type)
{
	while (type && !type->bus)
		type = type->base;
	return type ? type->bus : NULL;
}

const void *device_type_class_data(const struct device_type *type)
{
	while (type && !type->class_data)
		type = type->base;
	return type ? type->class_data : NULL;
}

const struct device_type *device_type_inner(const struct device_type *type)
{
	while (type && !type->inner)
		type = type->base;
	return type ? type->inner : NULL;
}

const char *device_type_boot_suffix(const struct device_type *type)
{
	while (type && !type->boot_suffix)
		type = type->base;
	return type ? type->boot_suffix : NULL;
}

const char *device_category_name(enum device_category category)
{
	static const char *const names[] = {
		[CATEGORY_MISC] = "Misc",         [CATEGORY_BRIDGE] = "Controller/Bridge/Hub",
		[CATEGORY_USB] = "USB",           [CATEGORY_STORAGE] = "Storage",
		[CATEGORY_NETWORK] = "Network",   [CATEGORY_INPUT] = "Input",
		[CATEGORY_DISPLAY] = "Display",   [CATEGORY_SOUND] = "Sound",
		[CATEGORY_CPU] = "CPU",           [CATEGORY_WATCHDOG] = "Watchdog",
		[CATEGORY_BACKEND] = "Backend",   [CATEGORY_MACHINE] = "Machine",
		[CATEGORY_ACCEL] = "Accelerator",
	};

	return names[category];
}

/* ---- Rows along the chain ---- */

/* From now on another place, counted from the next reset on. */
static bool set_boot_index(void *object, const struct field *field, GError **errp)
{
	struct device *dev = object;

	if (!boot_order_check(dev->boot_index, errp))
		return false;
	if (!dev->realized)
		return true;
	boot_order_remove(dev);
	return boot_order_add(dev->boot_index, dev, device_type_boot_suffix(dev->type), errp);
}

static const struct field boot_props[] = {
	{
		FIELD_AT(struct device, boot_index, "bootindex", FIELD_INT, 4,
			 "Place in the boot order, the lowest first; -1: none"),
		.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_LIVE,
		.def = (uint64_t)-1,
		.min = INT32_MIN,
		.max = INT32_MAX,
		.set = set_boot_index,
	},
	FIELD_ROW_END,
};

const struct field *type_core_props(const struct device_type *type)
{
	bool inherited = type->base && device_type_boot_suffix(type->base);

	return type->boot_suffix && !inherited ? boot_props : NULL;
}

const struct field *device_type_prop(const struct device_type *type, const char *name)
{
	for (const struct device_type *t = type; t; t = t->base) {
		const struct field *row = fields_find(t->props, name);

		if (!row)
			row = fields_find(type_core_props(t), name);
		if (row)
			return row;
	}
	type = device_type_inner(type);
	return type ? device_type_prop(type, name) : NULL;
}

void device_type_foreach_prop(const struct device_type *type,
			      void (*fn)(const struct device_type *owner, const struct field *f,
					 void *opaque),
			      void *opaque)
{
	g_autofree const struct device_type **chain = type_chain(type);
	const struct device_type *inner = device_type_inner(type);

	for (const struct device_type **t = chain; *t; t++) {
		FIELDS_FOREACH (row, type_core_props(*t)) {
			fn(*t, row, opaque);
		}
		FIELDS_FOREACH (row, (*t)->props) {
			fn(*t, row, opaque);
		}
	}
	if (inner)
		device_type_foreach_prop(inner, fn, opaque);
}

static GArray *chain_rows(const struct device_type *type, bool state)
{
	g_autofree const struct device_type **chain = type_chain(type);
	GArray *rows = g_array_new(true, true, sizeof(struct field));

	_Static_assert(FIELD_END == 0, "the zeroed element at the end of the array ends the table");
	for (const struct device_type **t = chain; *t; t++) {
		FIELDS_FOREACH (row, state ? NULL : type_core_props(*t)) {
			g_array_append_vals(rows, row, 1);
		}
		FIELDS_FOREACH (row, state ? (*t)->state : (*t)->props) {
			g_array_append_vals(rows, row, 1);
		}
	}
	return rows;
}

GArray *device_type_props(const struct device_type *type)
{
	const struct device_type *inner = device_type_inner(type);
	GArray *rows = chain_rows(type, false);

	if (inner) {
		g_autoptr(GArray) more = device_type_props(inner);

		g_array_append_vals(rows, more->data, more->len);
	}
	return rows;
}

GArray *device_type_state(const struct device_type *type)
{
	return chain_rows(type, true);
}

/* ---- The check ---- */

static void check_rows(const struct device_type *type, bool state, GString *faults)
{
	g_autoptr(GArray) rows = chain_rows(type, state);
	struct field_set set = {
		.name = type->name, .size = type->size, .rows = (const struct field *)rows->data};
	g_autofree char *text = state ? fields_check_state(&set) : fields_check(&set);

	if (text)
		g_string_append_printf(faults, "%s\n", text);
	FIELDS_FOREACH (row, state ? set.rows : NULL) {
		bool nested = row->kind == FIELD_LIST && row->elem->kind == FIELD_LIST;

		if (nested || row->kind == FIELD_UNION || row->kind == FIELD_ALTERNATE)
			g_string_append_printf(faults, "%s.%s: a kind that cannot be saved\n",
					       type->name, row->name);
	}
}

static void check_state(const struct device_type *type, GString *faults)
{
	g_autoptr(GArray) rows = device_type_state(type);
	bool none = type->flags & STATE_NONE;

	if (rows->len && none)
		g_string_append_printf(faults, "'%s' has state and says STATE_NONE\n", type->name);
	if (!rows->len && !none && !(type->flags & TYPE_ABSTRACT))
		g_string_append_printf(faults, "'%s' has neither state nor STATE_NONE\n",
				       type->name);
}

static void check_inner(const struct device_type *type, GString *faults)
{
	g_autoptr(GArray) own = chain_rows(type, false);
	const struct device_type *inner = device_type_inner(type);
	g_autoptr(GArray) rows = inner ? device_type_props(inner) : NULL;

	FIELDS_FOREACH (row, rows ? (const struct field *)rows->data : NULL) {
		if (fields_find((const struct field *)own->data, row->name))
			g_string_append_printf(faults, "'%s' and its inner '%s' both have '%s'\n",
					       type->name, inner->name, row->name);
	}
}

static void check_type(const struct device_type *type, GString *faults)
{
	if (!type->help || !*type->help)
		g_string_append_printf(faults, "'%s' has no help\n", type->name);
	if (type->size < (type->base ? type->base->size : sizeof(struct device)))
		g_string_append_printf(faults, "'%s' is smaller than its base\n", type->name);
	if ((type->flags & TYPE_ABSTRACT) && (type->flags & TYPE_USER_CREATABLE))
		g_string_append_printf(faults, "'%s' is abstract and user-creatable\n", type->name);
	check_rows(type, false, faults);
	check_rows(type, true, faults);
	check_inner(type, faults);
	check_state(type, faults);
}

static void check_name(GHashTable *names, const char *name, GString *faults)
{
	if (name && !g_hash_table_add(names, (void *)name))
		g_string_append_printf(faults, "the name '%s' is there twice\n", name);
}

char *device_types_check(const struct device_type *const *array)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	GString *faults = g_string_new("");

	for (const struct device_type *const *t = array; *t; t++) {
		check_name(names, (*t)->name, faults);
		check_name(names, (*t)->alias, faults);
		check_type(*t, faults);
	}
	return g_string_free(faults, faults->len == 0);
}
