/*
 * Threads: started the same way everywhere, so that signals stay the main thread's business.
 */
#ifndef EVENT_THREAD_H
#define EVENT_THREAD_H

#include "base/common.h"
#include "base/error.h"

/*
 * Starts a thread called @name (15 letters show) with all signals blocked but those that report a
 * fault of the thread itself. The caller owns the GThread: g_thread_join() or g_thread_unref().
 */
GThread *thread_start(const char *name, GThreadFunc fn, void *opaque, GError **errp);

#endif
