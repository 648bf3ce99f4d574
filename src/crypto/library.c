/* See library.h. */
#include <dlfcn.h>

#include "library.h"

#define LIBRARY_NAME    "libgnutls.so.30"
#define LIBRARY_VERSION "3.7.0"

struct symbol {
	const char *name;
	size_t offset;
};
#define SYMBOL(_name) {"gnutls_" #_name, offsetof(struct library, _name)},
static const struct symbol symbols[] = {GNUTLS_FUNCTIONS(SYMBOL)};

static bool resolve(void *handle, struct library *lib, GError **errp)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(symbols); i++) {
		void *function = dlsym(handle, symbols[i].name);

		if (!function) {
			error_set(errp, "%s lacks %s", LIBRARY_NAME, symbols[i].name);
			return false;
		}
		memcpy((char *)lib + symbols[i].offset, &function, sizeof(function));
	}
	if (!lib->check_version(LIBRARY_VERSION)) {
		error_set(errp, "%s is older than " LIBRARY_VERSION, LIBRARY_NAME);
		return false;
	}
	return true;
}

static gpointer load(gpointer errp)
{
	void *handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
	g_autofree struct library *lib = g_new0(struct library, 1);

	if (!handle) {
		error_set(errp, "TLS and encrypted secrets need GnuTLS: %s", dlerror());
		return NULL;
	}
	if (resolve(handle, lib, errp))
		return g_steal_pointer(&lib);
	dlclose(handle);
	return NULL;
}

const struct library *library_load(GError **errp)
{
	static GMutex lock;
	static const struct library *lib;

	g_mutex_lock(&lock);
	if (!lib)
		lib = load(errp);
	g_mutex_unlock(&lock);
	return lib;
}
