/*
 * The user's own terminal in raw mode, and back on every way out.
 *
 * It is given back at exit(), by terminal_restore(), before a signal ends or stops the process (SIGTSTP; SIGCONT
 * takes it again), and on a crash. Signals somebody else handles are left to them. A process in the
 * background leaves the terminal alone until it is continued in the foreground.
 */
#ifndef CHARDEV_TERMINAL_H
#define CHARDEV_TERMINAL_H

#include "base/common.h"

/* @signals: the keys for interrupt, quit and suspend go on being signals. */
void terminal_take(int fd, bool signals);
void terminal_restore(void);

#endif
