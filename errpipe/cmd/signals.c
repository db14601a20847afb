/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* All signals except faults of our own. Uses system calls, because libc hides the signals that it reserves. */
int signals_take(struct signals *signals)
{
	static const int left_alone[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t taken;

	memset(&taken, 0xff, sizeof(taken));
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(*left_alone); i++)
		sigdelset(&taken, left_alone[i]);

	/* With SIGCHLD ignored (possibly inherited) children cannot be waited for. */
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

/* The signal that stopped the target, or 0. */
static int stopped_by(pid_t pid)
{
	siginfo_t info;

	info.si_pid = 0;
	if (waitid(P_PID, pid, &info, WSTOPPED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return 0;
	return info.si_status;
}

static int open_terminal(void)
{
	return open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], line[256];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "PPid: %d", &parent) != 1)
		;
	fclose(file);
	return parent;
}

static bool is_shell_of_ours(pid_t pid)
{
	return getsid(pid) == getsid(0) && getpgid(pid) != getpgrp();
}

/* Does a shell wait for us, and not for a parent of ours that is in the same job? */
static bool leads_job(void)
{
	pid_t parent = getppid();

	return parent > 0 && is_shell_of_ours(parent);
}

/* Would a shell continue us if we stopped? Between us and the shell may be other processes of the same job. */
static bool is_in_job(void)
{
	pid_t parent = getppid();

	while (parent > 0 && getpgid(parent) == getpgrp())
		parent = parent_of(parent);
	return parent > 0 && is_shell_of_ours(parent);
}

static bool is_job_control(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void stop_by(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* it stops us here */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * The shell waits only for us. If the target stops, stop by the same signal until the shell continues the job. The
 * kernel discards a signal of job control if no shell could do that. It does not discard SIGSTOP.
 *
 * Trap: if we are stopped, and another process continues the target alone, we do not notice. Debuggers and cpulimit(1)
 * use SIGSTOP in that way. Therefore follow SIGSTOP only if a shell would otherwise not print its prompt.
 */
static void stop_with(struct signals *signals, pid_t pid)
{
	int signal = stopped_by(pid), terminal;
	pid_t foreground;

	if (!signal)
		return;
	terminal = open_terminal();
	if (terminal < 0)
		return;
	foreground = tcgetpgrp(terminal);
	close(terminal);
	if (foreground == getpgrp())
		signals->has_terminal = false;
	else if (foreground == getpgid(pid))
		signals->has_terminal = true;
	else if (!is_job_control(signal))
		return;
	if (is_job_control(signal) || leads_job())
		stop_by(signal);
}

/* The shell has given the terminal to our group. Give it back to the target's group, if that had it. */
static void give_terminal(const struct signals *signals, pid_t pid)
{
	int terminal = signals->has_terminal ? open_terminal() : -1;

	if (terminal >= 0 && tcgetpgrp(terminal) == getpgrp())
		tcsetpgrp(terminal, getpgid(pid));
	close(terminal);
}

static bool is_from_terminal(const struct signalfd_siginfo *info)
{
	int signal = info->ssi_signo;

	return info->ssi_code == SI_KERNEL && (signal == SIGHUP || signal == SIGINT || signal == SIGQUIT ||
					       signal == SIGWINCH || is_job_control(signal));
}

/*
 * The kernel sends a terminal's signal to the whole foreground group. A target in our group has got it already. A
 * target in another group gets it from us. But if it stops and no shell can continue us, it would stay stopped for
 * ever.
 */
static bool should_forward(const struct signals *signals, const struct signalfd_siginfo *info, pid_t pid)
{
	int signal = info->ssi_signo;

	if (signal == SIGCHLD)
		return false;
	/* A shell sends it to the group as well: forward it only if the target is stopped or about to stop. */
	if (signal == SIGCONT)
		return signals->stop_sent || stopped_by(pid);
	if (!is_from_terminal(info))
		return true;
	if (signal == SIGHUP && getsid(0) == getpid()) /* the kernel sends it only to the leader of the session */
		return true;
	return getpgid(pid) != getpgrp() && (!is_job_control(signal) || is_in_job());
}

/* Terminals and shells signal whole groups, so forward their signals to the whole group that the target leads. */
static pid_t receiver(const struct signalfd_siginfo *info, pid_t pid)
{
	bool is_for_group = info->ssi_signo == SIGCONT || is_from_terminal(info);

	return is_for_group && getpgid(pid) == pid ? -pid : pid;
}

void signals_pass_on(struct signals *signals, pid_t pid)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		bool forward = should_forward(signals, &info, pid);

		if (info.ssi_signo == SIGCONT)
			give_terminal(signals, pid);
		if (!forward)
			continue;
		kill(receiver(&info, pid), info.ssi_signo);
		/* The target may take a while to stop, and must still get the signal that continues it. */
		if (is_job_control(info.ssi_signo))
			signals->stop_sent = true;
		else if (info.ssi_signo == SIGCONT)
			signals->stop_sent = false;
		/* In another session that stops nothing (setpgid(2)), but the user wants the prompt. */
		if (is_job_control(info.ssi_signo) && is_from_terminal(&info) && getsid(pid) != getsid(0))
			stop_by(info.ssi_signo);
	}
	stop_with(signals, pid);
}
