/*
 * RCU as this folder uses it.
 *
 * The flavour is urcu-bp: a thread registers itself by its first read lock, so threads that we did
 * not create (GLib's, a library's) may touch guest memory too. On kernels with membarrier(2) a read
 * section is two plain stores and compiler barriers, no atomic instruction.
 *
 * Read sections here are short and never wait for anything: they find a range, copy memory, ring an
 * eventfd. Register callbacks run outside of them (dispatch.h says how they are kept alive), so a
 * callback may change the tree, and mem_synchronize() may be called under the machine lock.
 */
#ifndef MEM_RCU_H
#define MEM_RCU_H

/*
 * Inline read sections; urcu/static says of each of these functions that any licence may. Sanitizers
 * object to the alignment of the library's own records, so their builds call the library.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifndef __SANITIZE_ADDRESS__
#define _LGPL_SOURCE
#endif
#include <urcu-bp.h>

#include "base/common.h"

/*
 * Things that readers may still see are retired, not freed. They are collected until a batch is worth
 * a grace period, which a worker then waits for: during start-up nothing is waited for and no thread
 * made. mem_synchronize() waits itself, and has everything retired before freed when it returns.
 */
void mem_retire(void (*free_fn)(void *ptr), void *ptr);
void mem_synchronize(void);

#endif
