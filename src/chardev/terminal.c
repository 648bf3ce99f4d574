/*
 * The user's terminal: raw mode and back. What signal handlers touch is kept in one place here.
 */
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* There is one controlling terminal in a process, and a handler has no argument to be given. */
static struct {
	struct termios cooked, raw;
	int fd;
	bool taken; /* between terminal_take() and terminal_restore() */
	volatile sig_atomic_t is_raw;
} terminal;

static bool in_foreground(void)
{
	return tcgetpgrp(terminal.fd) == getpgrp();
}

/* The two below are async-signal-safe. */
static void go_raw(void)
{
	if (terminal.taken && in_foreground() &&
	    tcsetattr(terminal.fd, TCSANOW, &terminal.raw) == 0)
		terminal.is_raw = 1;
}

static void go_cooked(void)
{
	if (terminal.is_raw && in_foreground())
		tcsetattr(terminal.fd, TCSANOW, &terminal.cooked);
	terminal.is_raw = 0;
}

/* Ends (or stops) the process as the signal would have without us. */
static void on_fatal(int sig)
{
	int saved_errno = errno;

	go_cooked();
	signal(sig, SIG_DFL);
	raise(sig);
	errno = saved_errno;
}

static void on_stop(int sig)
{
	struct sigaction again = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
	int saved_errno = errno;
	sigset_t set;

	go_cooked();
	signal(sig, SIG_DFL);
	raise(sig);
	/* It is delivered, and we sleep, when the signal is let in; later we go on behind it. */
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(sig, &again, NULL);
	errno = saved_errno;
}

static void on_continue(int sig)
{
	int saved_errno = errno;

	go_raw();
	errno = saved_errno;
}

/* Installs @handler where the signal still has its default meaning. */
static void claim_signal(int sig, void (*handler)(int))
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	if (sigaction(sig, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
	    old.sa_handler == SIG_DFL)
		sigaction(sig, &act, NULL);
}

static void claim_signals(void)
{
	static const int fatal[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGABRT,
				    SIGSEGV, SIGBUS,  SIGFPE, SIGILL};

	for (size_t i = 0; i < G_N_ELEMENTS(fatal); i++)
		claim_signal(fatal[i], on_fatal);
	claim_signal(SIGTSTP, on_stop);
	claim_signal(SIGCONT, on_continue);
}

void terminal_take(int fd, bool signals)
{
	static gsize once;

	if (tcgetattr(fd, &terminal.cooked) < 0)
		return;
	terminal.fd = fd;
	terminal.raw = terminal.cooked;
	terminal.raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	terminal.raw.c_oflag |= OPOST;
	terminal.raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signals)
		terminal.raw.c_lflag &= ~ISIG;
	terminal.raw.c_cflag &= ~(CSIZE | PARENB);
	terminal.raw.c_cflag |= CS8;
	terminal.raw.c_cc[VMIN] = 1;
	terminal.raw.c_cc[VTIME] = 0;
	terminal.taken = true;
	if (g_once_init_enter(&once)) {
		atexit(terminal_restore);
		claim_signals();
		g_once_init_leave(&once, 1);
	}
	go_raw();
}

void terminal_restore(void)
{
	go_cooked();
	terminal.taken = false;
}
