/*
 * Starting threads.
 */
#include <pthread.h>
#include <signal.h>
#include "event/thread.h"

GThread *thread_start(const char *name, GThreadFunc fn, void *opaque, GError **errp)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	g_autoptr(GError) err = NULL;
	sigset_t block, before;
	GThread *thread;

	sigfillset(&block);
	for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
		sigdelset(&block, faults[i]);
	/* The new thread inherits the mask. */
	pthread_sigmask(SIG_SETMASK, &block, &before);
	thread = g_thread_try_new(name, fn, opaque, &err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!thread)
		error_set(errp, "Could not start thread '%s': %s", name, err->message);
	return thread;
}
