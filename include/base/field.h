/*
 * Fields: rows that describe the members of a C structure.
 *
 * One table of rows says what a structure holds, how it is spelt outside, what values are legal,
 * what its default is, and what it means in a sentence. Everything that crosses the border of the
 * program comes from such tables: device and machine properties, options, arguments and results of
 * QMP commands, events, and saved state. Parsing, printing, help, `query-qmp-schema`, snapshots and
 * the reference documentation are written once, over the rows (src/api, src/state).
 *
 * How a kind of field lies in memory:
 *
 *	FIELD_BOOL	bool
 *	FIELD_INT	int8_t .. int64_t	(width bytes)
 *	FIELD_UINT	uint8_t .. uint64_t
 *	FIELD_SIZE	uint64_t; text may carry a suffix: 512M, 1.5G, 64k
 *	FIELD_NUMBER	double
 *	FIELD_STRING	char *, owned by the structure, NULL when absent
 *	FIELD_ENUM	int (width 4); `names` says the spellings
 *	FIELD_STRUCT	the structure itself, or with FIELD_POINTER a g_malloc'ed one (NULL: absent)
 *	FIELD_LIST	GArray * of elements as `elem` describes them (NULL: absent)
 *	FIELD_UNION	a C union; the branch is chosen by the enum field named `tag` of the same
 *			structure; the branch's members stand in the same JSON object as the tag
 *	FIELD_ALTERNATE	struct field_alternate: the JSON type chooses the branch
 *	FIELD_ANY	struct json_object *, a reference owned by the structure (NULL: absent)
 *	FIELD_NULL	nothing in memory; JSON null (in alternates)
 *	FIELD_LINK	a pointer to something with a name, resolved by `link` when it is set
 *	FIELD_BYTES	uint8_t[count]; saved state only
 *	FIELD_CUSTOM	what `custom` says: text form for properties, bytes for saved state
 *
 * In saved state every kind but FIELD_BYTES may repeat `count` times as a C array.
 *
 * Presence. A row without FIELD_OPTIONAL must be given (commands) or has a default (properties:
 * rows made by the PROP_ macros are FIELD_OPTIONAL | FIELD_HAS_DEFAULT). An optional scalar without
 * a default records its presence in the bool at has_offset.
 *
 * The tables are const and checked by a test (fields_check()): names unique, width fits the C
 * member, defaults legal, every row has a sentence.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "base/common.h"
#include "base/error.h"

struct json_object;
struct field;

enum field_kind {
	FIELD_END, /* ends a table */
	FIELD_BOOL,
	FIELD_INT,
	FIELD_UINT,
	FIELD_SIZE,
	FIELD_NUMBER,
	FIELD_STRING,
	FIELD_ENUM,
	FIELD_STRUCT,
	FIELD_LIST,
	FIELD_UNION,
	FIELD_ALTERNATE,
	FIELD_ANY,
	FIELD_NULL,
	FIELD_LINK,
	FIELD_BYTES,
	FIELD_CUSTOM,
};

enum field_flags {
	FIELD_OPTIONAL = BIT(0), /* may be left out; in saved state: may be missing in a stream */
	FIELD_HAS_DEFAULT = BIT(1), /* when left out, takes `def` or `def_string` */
	FIELD_POINTER = BIT(2),     /* FIELD_STRUCT held by pointer */
	FIELD_READONLY = BIT(3),    /* a property that shows, but cannot be set */
	FIELD_LIVE = BIT(4),        /* a property that may be set after realize */
	FIELD_HIDDEN = BIT(5),      /* accepted, not shown in help (spellings kept for old users) */
	FIELD_ONOFF_TEXT = BIT(6),  /* an enum of on and off: JSON booleans are accepted */
};

/* One spelling of an enum. Tables end with a NULL name; several names may share a value (aliases:
 * the first is the one printed). */
struct enum_name {
	const char *name;
	int value;
	const char *help; /* may be NULL */
};

/* A named table of rows over one C structure. The name shows in schemas and errors. */
struct field_set {
	const char *name;
	size_t size; /* of the C structure */
	const struct field *rows;
};

/* One branch of a union, chosen by the tag's value; or of an alternate, chosen by JSON type. */
struct field_branch {
	int tag; /* union: the value of the tag. Tables end with rows == NULL */
	const struct field_set *rows;
};

/* Memory of FIELD_ALTERNATE: `which` is the index of the row in `alternatives`. */
struct field_alternate {
	int which;
	union {
		bool boolean;
		int64_t integer;
		char *string;
		void *object; /* g_malloc'ed structure of the row's `sub` */
	};
};

/*
 * A sort of thing a FIELD_LINK can name: character devices, memory back ends, other devices.
 * resolve() returns a borrowed pointer, or NULL; an error is set only if there is more to say than that
 * there is no such thing. name_of() is its inverse (borrowed).
 */
struct link_kind {
	const char *name; /* as help shows it: "chardev" */
	void *(*resolve)(const char *name, GError **errp);
	const char *(*name_of)(void *target);
};

/* A field with a representation of its own. Unused callbacks may be NULL. */
struct field_custom {
	const char *name; /* as help shows it: "macaddr" */

	/* Text form, for properties. parse() replaces what is at @ptr; print() returns new text. */
	bool (*parse)(const char *text, void *ptr, GError **errp);
	char *(*print)(const void *ptr);
	void (*clear)(void *ptr);

	/* Byte form, for saved state. save() appends; load() must consume all of @len bytes. */
	void (*save)(const void *ptr, GByteArray *out);
	bool (*load)(void *ptr, const uint8_t *data, size_t len, GError **errp);
};

struct field {
	const char *name;
	const char *help; /* one sentence, without a full stop */
	enum field_kind kind;
	uint16_t flags;
	uint16_t width;      /* bytes of one element of the C member */
	uint32_t offset;     /* of the member in its structure */
	uint32_t has_offset; /* of the presence bool, when `has` */
	bool has;
	uint32_t count; /* C array length; 0 and 1 mean a single element */
	int64_t min;    /* FIELD_INT; inclusive */
	uint64_t max; /* FIELD_INT (as int64_t), FIELD_UINT, FIELD_SIZE; 0 with min 0: no bounds */
	uint64_t def;
	const char *def_string;
	const struct enum_name *names;       /* FIELD_ENUM */
	const struct field_set *sub;         /* FIELD_STRUCT */
	const struct field *elem;            /* FIELD_LIST: one row, offset 0 */
	const char *tag;                     /* FIELD_UNION: the name of its enum field */
	const struct field_branch *branches; /* FIELD_UNION */
	const struct field *alternatives;    /* FIELD_ALTERNATE: rows, offset 0, FIELD_END last */
	const struct link_kind *link;        /* FIELD_LINK */
	const struct field_custom *custom;   /* FIELD_CUSTOM */

	/* Saved state: the field is there only if this says so of the whole structure; NULL: always. */
	bool (*needed)(const void *object);

	/* Properties whose value is computed. @object is the structure, @ptr the member's place.
	 * set() sees the member already parsed and may refuse (the old value is then put back);
	 * get() refreshes the member before it is shown. */
	bool (*set)(void *object, const struct field *field, GError **errp);
	void (*get)(void *object, const struct field *field);
};

#define FIELDS_FOREACH(row, rows)                                                                  \
	for (const struct field *row = (rows); row && row->kind != FIELD_END; row++)

/* ---- Rows. Each macro checks that the C member has the type its kind wants. ---- */

#define FIELD_MEMBER(_s, _m) (((_s *)0)->_m)
#define FIELD_IS_UINT(_s, _m)                                                                      \
	_Generic(FIELD_MEMBER(_s, _m), uint8_t : 1, uint16_t : 2, uint32_t : 4, uint64_t : 8)
#define FIELD_IS_INT(_s, _m)                                                                       \
	_Generic(FIELD_MEMBER(_s, _m), int8_t : 1, int16_t : 2, int32_t : 4, int64_t : 8)
#define FIELD_IS_U64(_s, _m)    _Generic(FIELD_MEMBER(_s, _m), uint64_t : 8)
#define FIELD_IS_BOOL(_s, _m)   _Generic(FIELD_MEMBER(_s, _m), bool : 1)
#define FIELD_IS_DOUBLE(_s, _m) _Generic(FIELD_MEMBER(_s, _m), double : 8)
#define FIELD_IS_STRING(_s, _m) _Generic(FIELD_MEMBER(_s, _m), char * : sizeof(char *))
#define FIELD_IS_ENUM(_s, _m)                                                                      \
	(sizeof(FIELD_MEMBER(_s, _m)) / (sizeof(FIELD_MEMBER(_s, _m)) == sizeof(int)))
#define FIELD_IS_LIST(_s, _m) _Generic(FIELD_MEMBER(_s, _m), GArray * : sizeof(GArray *))
#define FIELD_IS_ANY(_s, _m)                                                                       \
	_Generic(FIELD_MEMBER(_s, _m), struct json_object * : sizeof(struct json_object *))

#define FIELD_AT(_s, _m, _name, _kind, _width, _help)                                              \
	.name = (_name), .help = (_help), .kind = (_kind), .width = (_width),                      \
	.offset = offsetof(_s, _m)

#define FIELD_ROW_END                                                                              \
	{                                                                                          \
		.kind = FIELD_END                                                                  \
	}

/*
 * Properties: optional, with a default.
 *	PROP_BOOL(struct serial, wakeup, "wakeup", false, "Wake the guest on input")
 */
#define PROP_FLAGS .flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT
#define PROP_BOOL(_s, _m, _name, _def, _help)                                                      \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_BOOL, FIELD_IS_BOOL(_s, _m), _help), PROP_FLAGS,     \
			.def = (_def)                                                              \
	}
#define PROP_UINT(_s, _m, _name, _def, _max, _help)                                                \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_UINT, FIELD_IS_UINT(_s, _m), _help), PROP_FLAGS,     \
			.def = (_def), .max = (_max)                                               \
	}
#define PROP_INT(_s, _m, _name, _def, _min, _max, _help)                                           \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_INT, FIELD_IS_INT(_s, _m), _help), PROP_FLAGS,       \
			.def = (uint64_t)(_def), .min = (_min), .max = (uint64_t)(_max)            \
	}
#define PROP_SIZE(_s, _m, _name, _def, _help)                                                      \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_SIZE, FIELD_IS_U64(_s, _m), _help), PROP_FLAGS,      \
			.def = (_def)                                                              \
	}
#define PROP_STRING(_s, _m, _name, _def, _help)                                                    \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_STRING, FIELD_IS_STRING(_s, _m), _help), PROP_FLAGS, \
			.def_string = (_def)                                                       \
	}
#define PROP_ENUM(_s, _m, _name, _names, _def, _help)                                              \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ENUM, FIELD_IS_ENUM(_s, _m), _help), PROP_FLAGS,     \
			.names = (_names), .def = (_def)                                           \
	}
/* bool-like enum of three: uses enum onoffauto. */
#define PROP_ONOFFAUTO(_s, _m, _name, _def, _help)                                                 \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ENUM, FIELD_IS_ENUM(_s, _m), _help),                 \
			.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_ONOFF_TEXT,            \
			.names = onoffauto_names, .def = (_def)                                    \
	}
/* A pointer to the named thing; NULL when not given. */
#define PROP_LINK(_s, _m, _name, _link, _help)                                                     \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_LINK, sizeof(FIELD_MEMBER(_s, _m)), _help),          \
			.flags = FIELD_OPTIONAL, .link = (_link)                                   \
	}
#define PROP_CUSTOM(_s, _m, _name, _custom, _def, _help)                                           \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_CUSTOM, sizeof(FIELD_MEMBER(_s, _m)), _help),        \
			PROP_FLAGS, .custom = (_custom), .def_string = (_def)                      \
	}

/*
 * Arguments and results of commands, and option groups. ARG_x must be given; OPT_x may be left out:
 * strings, lists, pointers are then NULL; scalars need a bool has_x beside x.
 */
#define ARG_BOOL(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_BOOL, FIELD_IS_BOOL(_s, _m), _help)                  \
	}
#define ARG_UINT(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_UINT, FIELD_IS_UINT(_s, _m), _help)                  \
	}
#define ARG_INT(_s, _m, _name, _help)                                                              \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_INT, FIELD_IS_INT(_s, _m), _help)                    \
	}
#define ARG_SIZE(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_SIZE, FIELD_IS_U64(_s, _m), _help)                   \
	}
#define ARG_STRING(_s, _m, _name, _help)                                                           \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_STRING, FIELD_IS_STRING(_s, _m), _help)              \
	}
#define ARG_ENUM(_s, _m, _name, _names, _help)                                                     \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ENUM, FIELD_IS_ENUM(_s, _m), _help),                 \
			.names = (_names)                                                          \
	}
#define ARG_STRUCT(_s, _m, _name, _sub, _help)                                                     \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_STRUCT, sizeof(FIELD_MEMBER(_s, _m)), _help),        \
			.sub = (_sub)                                                              \
	}
#define ARG_LIST(_s, _m, _name, _elem, _help)                                                      \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_LIST, FIELD_IS_LIST(_s, _m), _help), .elem = (_elem) \
	}
#define ARG_UNION(_s, _m, _tag, _branches)                                                         \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_UNION, sizeof(FIELD_MEMBER(_s, _m)), ""),              \
			.tag = (_tag), .branches = (_branches)                                     \
	}
#define ARG_ANY(_s, _m, _name, _help)                                                              \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ANY, FIELD_IS_ANY(_s, _m), _help)                    \
	}
#define OPT_HAS(_s, _m)                                                                            \
	.flags = FIELD_OPTIONAL, .has = true,                                                      \
	.has_offset = offsetof(_s, has_##_m) + 0 * FIELD_IS_BOOL(_s, has_##_m)
#define OPT_BOOL(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_BOOL, FIELD_IS_BOOL(_s, _m), _help), OPT_HAS(_s, _m) \
	}
#define OPT_UINT(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_UINT, FIELD_IS_UINT(_s, _m), _help), OPT_HAS(_s, _m) \
	}
#define OPT_INT(_s, _m, _name, _help)                                                              \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_INT, FIELD_IS_INT(_s, _m), _help), OPT_HAS(_s, _m)   \
	}
#define OPT_SIZE(_s, _m, _name, _help)                                                             \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_SIZE, FIELD_IS_U64(_s, _m), _help), OPT_HAS(_s, _m)  \
	}
#define OPT_ENUM(_s, _m, _name, _names, _help)                                                     \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ENUM, FIELD_IS_ENUM(_s, _m), _help),                 \
			OPT_HAS(_s, _m), .names = (_names)                                         \
	}
#define OPT_STRING(_s, _m, _name, _help)                                                           \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_STRING, FIELD_IS_STRING(_s, _m), _help),             \
			.flags = FIELD_OPTIONAL                                                    \
	}
/* @_m is a pointer to the structure. */
#define OPT_STRUCT(_s, _m, _name, _sub, _help)                                                     \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_STRUCT, sizeof(FIELD_MEMBER(_s, _m)), _help),        \
			.flags = FIELD_OPTIONAL | FIELD_POINTER, .sub = (_sub)                     \
	}
#define OPT_LIST(_s, _m, _name, _elem, _help)                                                      \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_LIST, FIELD_IS_LIST(_s, _m), _help),                 \
			.flags = FIELD_OPTIONAL, .elem = (_elem)                                   \
	}
#define OPT_ANY(_s, _m, _name, _help)                                                              \
	{                                                                                          \
		FIELD_AT(_s, _m, _name, FIELD_ANY, FIELD_IS_ANY(_s, _m), _help),                   \
			.flags = FIELD_OPTIONAL                                                    \
	}

/*
 * Saved state. The name in the stream is the member's own name unless the row is written by hand.
 *	SAVE_UINT(struct serial, lcr),  SAVE_UINTS(struct pci_device, config, 256) ...
 */
#define SAVE_UINT(_s, _m)                                                                          \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_UINT, FIELD_IS_UINT(_s, _m), "")                       \
	}
#define SAVE_INT(_s, _m)                                                                           \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_INT, FIELD_IS_INT(_s, _m), "")                         \
	}
#define SAVE_BOOL(_s, _m)                                                                          \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_BOOL, FIELD_IS_BOOL(_s, _m), "")                       \
	}
#define SAVE_ENUM(_s, _m)                                                                          \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_INT, FIELD_IS_ENUM(_s, _m), "")                        \
	}
/* A C array of unsigned integers, all of it. */
#define SAVE_UINTS(_s, _m)                                                                         \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_UINT, FIELD_IS_UINT(_s, _m[0]), ""),                   \
			.count = G_N_ELEMENTS(FIELD_MEMBER(_s, _m))                                \
	}
/* uint8_t array as one run of bytes. */
#define SAVE_BYTES(_s, _m)                                                                         \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_BYTES, 1, ""), .count = sizeof(FIELD_MEMBER(_s, _m))   \
	}
#define SAVE_STRUCT(_s, _m, _sub)                                                                  \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_STRUCT, sizeof(FIELD_MEMBER(_s, _m)), ""),             \
			.sub = (_sub)                                                              \
	}
#define SAVE_STRUCTS(_s, _m, _sub)                                                                 \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_STRUCT, sizeof(FIELD_MEMBER(_s, _m[0])), ""),          \
			.sub = (_sub), .count = G_N_ELEMENTS(FIELD_MEMBER(_s, _m))                 \
	}
#define SAVE_CUSTOM(_s, _m, _custom)                                                               \
	{                                                                                          \
		FIELD_AT(_s, _m, #_m, FIELD_CUSTOM, sizeof(FIELD_MEMBER(_s, _m)), ""),             \
			.custom = (_custom)                                                        \
	}

/* ---- Over rows ---- */

enum onoffauto { ONOFFAUTO_AUTO, ONOFFAUTO_ON, ONOFFAUTO_OFF };
extern const struct enum_name onoffauto_names[];

/* The row called @name, or NULL. */
const struct field *fields_find(const struct field *rows, const char *name);

/* The member of @object that @field describes. */
static inline void *field_ptr(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

/* Width-aware access to integers and booleans. Values are sign- or zero-extended. */
uint64_t field_load(const struct field *field, const void *ptr);
void field_store(const struct field *field, void *ptr, uint64_t value);

/* True if @value is inside the row's bounds and its width (FIELD_INT: @value is an int64_t). */
bool field_in_range(const struct field *field, uint64_t value);

/*
 * Gives every member with a default its default, also in embedded structures; memory must be zeroed,
 * nothing is freed. (A union's branch gets its defaults from whoever sets the tag.)
 */
void fields_set_defaults(const struct field *rows, void *object);

/*
 * Frees what the members own and sets them to absent. A custom field without clear() owns nothing
 * and is zeroed. A union is cleared with its whole structure only, as the tag says what it holds.
 */
void fields_clear(const struct field *rows, void *object);
void field_clear(const struct field *field, void *object);

/* The rows of a union that @object's tag chooses; NULL when the tag's value has no members. */
const struct field_set *field_union_branch(const struct field *rows, const struct field *field,
					   const void *object);

/* Spelling of an enum value, or NULL; value of a spelling, or -1 with an error that lists them. */
const char *enum_name_of(const struct enum_name *names, int value);
int enum_parse(const struct enum_name *names, const char *text, const char *what, GError **errp);

/* The spelling in @candidates nearest to a misspelt @text, or NULL if none is near. */
const char *nearest_name(const char *text, const char *const *candidates);

/*
 * What is wrong with a table, as one line a fault; NULL when nothing is. For the table tests.
 * fields_check() is for properties, arguments and results: every row but a union wants its sentence,
 * and FIELD_BYTES and C arrays are not allowed. fields_check_state() is for saved state, whose rows
 * need no sentence and cannot hold what has no bytes (links, JSON). Both descend into the tables of
 * embedded structures, lists, unions and alternates.
 */
char *fields_check(const struct field_set *set);
char *fields_check_state(const struct field_set *set);

#endif
