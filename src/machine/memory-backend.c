/*
 * memory-backend-ram, memory-backend-memfd, memory-backend-file.
 *
 * The properties are those of QEMU's objects of the same names; realizing one makes its RAM block.
 */
#include <linux/mempolicy.h>
#include "base/checked.h"
#include "machine/memory-backend.h"

#define MAX_HOST_NODES 128
#define NODE_WORD_BITS (8 * sizeof(unsigned long))

struct memory_backend {
	struct device dev;
	uint64_t size;
	bool share, prealloc, merge, dump, reserve, canonical_name;
	uint32_t prealloc_threads;
	GArray *host_nodes; /* uint16_t */
	int policy;         /* MPOL_* */

	struct ram_block *ram;
	bool used;
};

struct memory_backend_memfd {
	struct memory_backend common;
	bool hugetlb, seal;
	uint64_t hugetlbsize;
};

struct memory_backend_file {
	struct memory_backend common;
	char *mem_path;
	uint64_t align;
	bool discard_data, pmem, readonly;
};

static struct memory_backend *backend_of(struct device *dev)
{
	return container_of(dev, struct memory_backend, dev);
}

/* ---- Properties ---- */

static const struct enum_name policy_names[] = {
	{"default", MPOL_DEFAULT, "The host's own choice"},
	{"preferred", MPOL_PREFERRED, "From the given node while it has memory"},
	{"bind", MPOL_BIND, "Only from the given nodes"},
	{"interleave", MPOL_INTERLEAVE, "From the given nodes in turn"},
	{NULL},
};

static const struct field host_node = {
	.name = "node",
	.help = "Number of a NUMA node of the host",
	.kind = FIELD_UINT,
	.width = sizeof(uint16_t),
};

static bool refuse_zero(void *object, const struct field *field, GError **errp)
{
	struct device *dev = object;
	const void *member = (const char *)object + field->offset;

	if (get_le(member, field->width))
		return true;
	error_set(errp, "property '%s' of %s doesn't take value '0'", field->name, dev->type->name);
	return false;
}

static bool check_host_nodes(void *object, const struct field *field, GError **errp)
{
	GArray *nodes = backend_of(object)->host_nodes;

	for (guint i = 0; nodes && i < nodes->len; i++) {
		unsigned node = g_array_index(nodes, uint16_t, i);

		if (node < MAX_HOST_NODES)
			continue;
		error_set(errp, "Invalid host-nodes value: %u", node);
		return false;
	}
	return true;
}

#define BACKEND struct memory_backend

static const struct field backend_props[] = {
	{FIELD_AT(BACKEND, size, "size", FIELD_SIZE, FIELD_IS_U64(BACKEND, size),
		  "Size of the memory"),
	 .set = refuse_zero},
	PROP_BOOL(BACKEND, prealloc, "prealloc", false, "Find all memory at the start"),
	{FIELD_AT(BACKEND, prealloc_threads, "prealloc-threads", FIELD_UINT,
		  FIELD_IS_UINT(BACKEND, prealloc_threads),
		  "How many threads do that; by default as many as the host's CPUs make sensible"),
	 PROP_FLAGS, .set = refuse_zero},
	PROP_BOOL(BACKEND, merge, "merge", true, "Let the host merge equal pages (KSM)"),
	PROP_BOOL(BACKEND, dump, "dump", true, "Include the memory in core dumps"),
	PROP_BOOL(BACKEND, reserve, "reserve", true, "Reserve swap space or huge pages for it"),
	{FIELD_AT(BACKEND, host_nodes, "host-nodes", FIELD_LIST, FIELD_IS_LIST(BACKEND, host_nodes),
		  "NUMA nodes of the host to bind it to"),
	 .flags = FIELD_OPTIONAL, .elem = &host_node, .set = check_host_nodes},
	PROP_ENUM(BACKEND, policy, "policy", policy_names, MPOL_DEFAULT, "NUMA policy"),
	PROP_BOOL(BACKEND, canonical_name, "x-use-canonical-path-for-ramblock-id", false,
		  "Name the block by the object's path instead of its id"),
	FIELD_ROW_END,
};

static const struct field ram_props[] = {
	PROP_BOOL(BACKEND, share, "share", false,
		  "Writes go to shared memory, not to a private copy"),
	FIELD_ROW_END,
};

static const struct field memfd_props[] = {
	PROP_BOOL(BACKEND, share, "share", true,
		  "Writes go to shared memory, not to a private copy"),
	PROP_BOOL(struct memory_backend_memfd, hugetlb, "hugetlb", false, "Use huge pages"),
	{FIELD_AT(struct memory_backend_memfd, hugetlbsize, "hugetlbsize", FIELD_SIZE,
		  FIELD_IS_U64(struct memory_backend_memfd, hugetlbsize),
		  "Size of the huge pages; by default the host's"),
	 PROP_FLAGS, .set = refuse_zero},
	PROP_BOOL(struct memory_backend_memfd, seal, "seal", true,
		  "Seal it against growing and shrinking"),
	FIELD_ROW_END,
};

static const struct field file_props[] = {
	PROP_BOOL(BACKEND, share, "share", false, "Writes go to the file, not to a private copy"),
	ARG_STRING(struct memory_backend_file, mem_path, "mem-path",
		   "File, or folder to make a nameless file in"),
	PROP_SIZE(struct memory_backend_file, align, "align", 0,
		  "Alignment of the mapping; by default the file's page size"),
	PROP_BOOL(struct memory_backend_file, discard_data, "discard-data", false,
		  "The file's content may be dropped at the end"),
	PROP_BOOL(struct memory_backend_file, pmem, "pmem", false, "The file is persistent memory"),
	PROP_BOOL(struct memory_backend_file, readonly, "readonly", false,
		  "Open the file read-only"),
	FIELD_ROW_END,
};

/* ---- Making the block ---- */

static bool check_options(const struct memory_backend *b, GError **errp)
{
	bool nodes = b->host_nodes && b->host_nodes->len;

	if (b->prealloc && !b->reserve) {
		error_set(errp, "'prealloc=on' and 'reserve=off' are incompatible");
		return false;
	}
	if (nodes && b->policy == MPOL_DEFAULT) {
		error_set(errp, "host-nodes must be empty for policy default, or you should "
				"explicitly specify a policy other than default");
		return false;
	}
	if (!nodes && b->policy != MPOL_DEFAULT) {
		error_set(errp, "host-nodes must be set for policy %s",
			  enum_name_of(policy_names, b->policy));
		return false;
	}
	return true;
}

static char *block_name(struct memory_backend *b)
{
	return b->canonical_name ? device_path(&b->dev) : g_strdup(b->dev.name);
}

/* Makes the block by @opt, to which it adds what all back ends have. */
static bool make_block(struct memory_backend *b, struct ram_options opt, GError **errp)
{
	unsigned long nodes[MAX_HOST_NODES / NODE_WORD_BITS] = {0};
	g_autofree char *name = block_name(b);

	if (!check_options(b, errp))
		return false;
	for (guint i = 0; b->host_nodes && i < b->host_nodes->len; i++) {
		unsigned node = g_array_index(b->host_nodes, uint16_t, i);

		nodes[node / NODE_WORD_BITS] |= 1UL << (node % NODE_WORD_BITS);
		opt.host_nodes = nodes;
	}
	opt.host_node_bits = MAX_HOST_NODES;
	opt.policy = b->policy;
	opt.share = b->share;
	opt.prealloc = b->prealloc;
	opt.prealloc_threads = b->prealloc_threads;
	opt.merge = b->merge;
	opt.no_dump = !b->dump;
	opt.no_reserve = !b->reserve;
	b->ram = ram_new(name, b->size, &opt, errp);
	return b->ram;
}

static bool ram_realize(struct device *dev, GError **errp)
{
	return make_block(backend_of(dev), (struct ram_options){0}, errp);
}

static bool memfd_realize(struct device *dev, GError **errp)
{
	struct memory_backend_memfd *b = container_of(dev, struct memory_backend_memfd, common.dev);

	return make_block(&b->common,
			  (struct ram_options){
				  .memfd = true,
				  .hugetlb = b->hugetlb,
				  .hugetlb_size = b->hugetlbsize,
				  .seal = b->seal,
			  },
			  errp);
}

static bool file_realize(struct device *dev, GError **errp)
{
	struct memory_backend_file *b = container_of(dev, struct memory_backend_file, common.dev);

	return make_block(&b->common,
			  (struct ram_options){
				  .path = b->mem_path,
				  .align = b->align,
				  .discard_data = b->discard_data,
				  .pmem = b->pmem,
				  .readonly = b->readonly,
			  },
			  errp);
}

static void backend_unrealize(struct device *dev)
{
	g_clear_pointer(&backend_of(dev)->ram, ram_unref);
}

/* ---- Users ---- */

static bool is_backend(const struct device *dev)
{
	return device_type_is_a(dev->type, &memory_backend_type);
}

struct ram_block *memory_backend_ram(struct device *dev)
{
	return is_backend(dev) ? backend_of(dev)->ram : NULL;
}

/* The reference keeps object-del away while it is in use. */
struct ram_block *memory_backend_use(struct device *dev, GError **errp)
{
	struct memory_backend *b = backend_of(dev);

	if (b->used) {
		error_set(errp, "memory backend '%s' is already in use", dev->name);
		return NULL;
	}
	b->used = true;
	device_ref(dev);
	return b->ram;
}

void memory_backend_release(struct device *dev)
{
	backend_of(dev)->used = false;
	device_unref(dev);
}

static void *backend_resolve(const char *name, GError **errp)
{
	struct device *dev = tree_find_id(name);

	if (dev && is_backend(dev))
		return dev;
	if (dev)
		error_set(errp, "Object '%s' is not a memory back end", name);
	else
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Memory backend '%s' not found",
				name);
	return NULL;
}

static const char *backend_name(void *target)
{
	return ((struct device *)target)->name;
}

const struct link_kind memory_backend_link = {
	.name = "memory-backend",
	.resolve = backend_resolve,
	.name_of = backend_name,
};

const struct device_type memory_backend_type = {
	.name = "memory-backend",
	.help = "Memory of the host that a guest can be given",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct memory_backend),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.props = backend_props,
	.unrealize = backend_unrealize,
	.link = &memory_backend_link,
};

const struct device_type memory_backend_ram_type = {
	.name = "memory-backend-ram",
	.help = "Anonymous memory",
	.base = &memory_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct memory_backend),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = ram_props,
	.realize = ram_realize,
};

const struct device_type memory_backend_memfd_type = {
	.name = "memory-backend-memfd",
	.help = "Memory that other processes can be given a descriptor of",
	.base = &memory_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct memory_backend_memfd),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = memfd_props,
	.realize = memfd_realize,
};

const struct device_type memory_backend_file_type = {
	.name = "memory-backend-file",
	.help = "Memory in a file, of hugetlbfs for example",
	.base = &memory_backend_type,
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct memory_backend_file),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = file_props,
	.realize = file_realize,
};
