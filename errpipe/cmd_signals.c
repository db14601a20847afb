/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* All but those that a fault of our own raises. By system calls: libc hides those that it keeps for itself. */
int signals_take(struct signals *signals)
{
	static const int left_alone[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t taken;

	memset(&taken, 0xff, sizeof(taken));
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(*left_alone); i++)
		sigdelset(&taken, left_alone[i]);

	/* Whoever ignores SIGCHLD has no children to wait for, and we may have inherited that. */
	sigaction(SIGCHLD, &by_default, &signals->sigchld);
	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &taken, &signals->mask, _NSIG / 8) < 0)
		return -errno;
	signals->fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

int signals_give_back(void *data, unsigned *step)
{
	const struct signals *signals = data;

	(void)step;
	return sigaction(SIGCHLD, &signals->sigchld, NULL) < 0 ? -errno : 0;
}

/* The signal that the target is stopped by, or 0. */
static int stopped_by(pid_t pid)
{
	siginfo_t info;

	info.si_pid = 0;
	if (waitid(P_PID, pid, &info, WSTOPPED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return 0;
	return info.si_status;
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	close(fd);
	return fd >= 0;
}

static bool is_job_control(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/*
 * To the shell we are the job. If the target stops as its terminal asks, so do we, by the same signal, until the shell
 * continues the job. Not where there is no terminal: nobody might continue us then.
 */
static void stop_with(struct signals *signals, pid_t pid)
{
	int signal = stopped_by(pid);
	bool known = signals->stopped;
	sigset_t set;

	signals->stopped = signal;
	if (known || !is_job_control(signal) || !has_terminal())
		return;
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* it stops us here */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_of_terminal(int signal)
{
	return signal == SIGINT || signal == SIGQUIT || signal == SIGWINCH || is_job_control(signal);
}

/*
 * What a terminal sends, the kernel sends to the whole foreground group: the target has had it already. Not so the end of
 * an alarm(2) that we have inherited, which comes from the kernel as well.
 */
static bool is_news(const struct signals *signals, const struct signalfd_siginfo *info, pid_t pid)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		return false;
	case SIGHUP: /* when a terminal is gone, the kernel tells the leader of the session, and nobody else */
		return info->ssi_code != SI_KERNEL || getsid(0) == getpid();
	case SIGCONT: /* a shell sends it to the group too, which shows in the target */
		return signals->stop_sent || stopped_by(pid);
	default:
		return info->ssi_code != SI_KERNEL || !is_of_terminal(info->ssi_signo);
	}
}

void signals_pass_on(struct signals *signals, pid_t pid)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		if (!is_news(signals, &info, pid))
			continue;
		kill(pid, info.ssi_signo);
		/* It may take the target a while to stop, and what continues it must come all the same. */
		if (is_job_control(info.ssi_signo))
			signals->stop_sent = true;
		else if (info.ssi_signo == SIGCONT)
			signals->stop_sent = false;
	}
	stop_with(signals, pid);
}
