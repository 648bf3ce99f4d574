/*
 * What concerns the process and not the guest: daemon, pid file, signals.
 */
#include "cli/start.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	int parent; /* pipe to the waiting parent; -1: none */
	char *pidfile;
	int signal; /* that ended us */
	pid_t signal_pid;
} process = {.parent = -1};

/* ---- Daemon ---- */

/* The parent's half: its exit status is the child's fate. */
static G_GNUC_NORETURN void wait_for_child(int fd)
{
	char status = 1;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? status : 1);
}

bool process_daemonize(GError **errp)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		error_set_errno(errp, errno, "Could not create a pipe for -daemonize");
		return false;
	}
	pid = fork();
	if (pid < 0) {
		error_set_errno(errp, errno, "Could not fork for -daemonize");
		return false;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	process.parent = fds[1];
	setsid();
	/* The second fork makes sure that it never gets a controlling terminal again. */
	pid = fork();
	if (pid > 0)
		_exit(0);
	if (pid < 0) {
		error_set_errno(errp, errno, "Could not fork for -daemonize");
		return false;
	}
	umask(027);
	return true;
}

bool process_daemon_ready(GError **errp)
{
	const char ok = 0;
	int null;

	if (process.parent < 0)
		return true;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") < 0) {
		error_set_errno(errp, errno, "Could not detach from the terminal");
		return false;
	}
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	if (write(process.parent, &ok, 1) != 1)
		return false;
	close(process.parent);
	process.parent = -1;
	return true;
}

/* ---- Pid file ---- */

/* Opens and locks @path; retries if its owner removed it in between. */
static int open_pidfile(const char *path, GError **errp)
{
	for (;;) {
		struct stat held, named;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0) {
			error_set_errno(errp, errno,
					"cannot create PID file: Cannot open pid file %s", path);
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			error_set_errno(errp, errno,
					"cannot create PID file: Cannot lock pid file %s", path);
			close(fd);
			return -1;
		}
		if (fstat(fd, &held) == 0 && stat(path, &named) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return fd;
		close(fd);
	}
}

bool process_write_pidfile(const char *path, GError **errp)
{
	g_autofree char *text = g_strdup_printf("%d\n", getpid());
	int fd = open_pidfile(path, errp);

	if (fd < 0)
		return false;
	if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		error_set_errno(errp, errno, "cannot create PID file: Failed to write pid file %s",
				path);
		close(fd);
		return false;
	}
	/* Ours from now on, so it goes with us; what could not be written, /dev/null say, stays. */
	process.pidfile = realpath(path, NULL);
	return true; /* the descriptor stays open: it carries the lock */
}

/* ---- Signals ---- */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	process.signal = sig;
	process.signal_pid = info->si_pid;
	system_shutdown_request(SHUTDOWN_HOST_SIGNAL);
}

void process_catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void process_report_signal(void)
{
	g_autofree char *path = NULL;
	g_autofree char *name = NULL;

	if (!process.signal)
		return;
	if (process.signal == SIGINT && !process.signal_pid) {
		error_report("terminating on signal %d", process.signal);
		return;
	}
	path = g_strdup_printf("/proc/%d/cmdline", process.signal_pid);
	if (!g_file_get_contents(path, &name, NULL, NULL) || !*name) {
		g_free(name);
		name = g_strdup("<unknown process>");
	}
	error_report("terminating on signal %d from pid %d (%s)", process.signal,
		     process.signal_pid, name);
}

void process_cleanup(void)
{
	if (process.pidfile)
		unlink(process.pidfile);
	g_clear_pointer(&process.pidfile, free);
}
