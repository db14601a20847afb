/* SPDX-License-Identifier: MIT */
/*
 * End of file on the pipe: did the target start, or did the process end before?
 *
 * A process closes its descriptors on its way out before it can be waited for, so at end of file waitid(2) may
 * well say that it still runs. What tells is the line in /proc/PID/stat: its flags (include/linux/sched.h) and
 * its name, which an exec sets (begin_new_exec in fs/exec.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define PF_EXITING    0x00000004 /* is on its way out */
#define PF_FORKNOEXEC 0x00000040 /* has not exec'd since its fork */

#define COMM_MAX 15 /* bytes that the kernel keeps of a name */

struct process {
	unsigned long flags;
	char comm[COMM_MAX + 1];
};

static unsigned long number(const char *s)
{
	unsigned long n = 0;

	while (*s == ' ')
		s++;
	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	return n;
}

static int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	return 0;
}

/* In a pid namespace with the /proc of another one, /proc/PID is somebody else. */
static bool proc_is_ours(void)
{
	char self[ERRPIPE__DECIMAL + 1], decimal[ERRPIPE__DECIMAL];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	if (n < 0)
		return false;
	self[n] = '\0';
	return strcmp(self, errpipe__decimal(decimal, getpid())) == 0;
}

/* proc(5): "pid (comm) state ppid pgrp session tty_nr tpgid flags ...". comm may hold anything, ')' too. */
static bool parse_stat(const char *stat, struct process *process)
{
	const char *comm = strchr(stat, '(');
	const char *end = strrchr(stat, ')');
	size_t length;

	if (!comm || !end || end < comm)
		return false;
	length = end - ++comm;
	if (length > COMM_MAX)
		return false;
	memcpy(process->comm, comm, length);
	process->comm[length] = '\0';

	for (int field = 3; field <= 9; field++) {
		end = strchr(end + 1, ' ');
		if (!end)
			return false;
		if (field == 4 && number(end) != (unsigned long)getpid())
			return false;
	}
	process->flags = number(end);
	return true;
}

static bool read_process(pid_t pid, struct process *process)
{
	char path[sizeof("/proc//stat") + ERRPIPE__DECIMAL] = "/proc/";
	char decimal[ERRPIPE__DECIMAL], stat[512];
	int state;
	bool done;

	strcat(path, errpipe__decimal(decimal, pid));
	strcat(path, "/stat");
	/* A thread that is cancelled in here would leave a descriptor open. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	done = proc_is_ours() && read_file(path, stat, sizeof(stat)) == 0;
	pthread_setcancelstate(state, &state);
	return done && parse_stat(stat, process);
}

/* The verdict for a process that has ended, or is about to and has its last name. */
static enum errpipe_verdict verdict(const struct process *process, enum errpipe_route route)
{
	if (process->flags & PF_FORKNOEXEC)
		return ERRPIPE_DIED;
	if (route != ERRPIPE_STUB)
		return ERRPIPE_STARTED;
	if (strcmp(process->comm, "dmz") == 0 || strcmp(process->comm, "memfd:" ERRPIPE__STUB_NAME) == 0)
		return ERRPIPE_DIED;
	/* The stub's descriptor, before Linux 6.14 and wherever there is no execveat(2); or a target of such a name. */
	if (process->comm[strspn(process->comm, "0123456789")] == '\0')
		return ERRPIPE_CLOSED;
	return ERRPIPE_STARTED;
}

/* What waitpid(2) would say, of what waitid(2) says. */
static int wait_status(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

/* Wait for the end of a child, or just ask with WNOHANG, and leave it there to be reaped. 1: it has ended. */
static int ended(pid_t pid, int options, int *status)
{
	siginfo_t info;
	int ret;

	info.si_pid = 0;
	do
		ret = waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL | options);
	while (ret < 0 && errno == EINTR);

	if (ret < 0)
		return -errno;
	if (info.si_pid == 0)
		return 0;
	*status = wait_status(&info);
	return 1;
}

/* The ways in which a stub can end, or a child that could not become one. */
static bool suspicious(int status)
{
	return !WIFEXITED(status) || (WEXITSTATUS(status) >= 125 && WEXITSTATUS(status) <= 127);
}

static enum errpipe_verdict look_at(pid_t pid, enum errpipe_route route)
{
	struct process process;

	return read_process(pid, &process) ? verdict(&process, route) : ERRPIPE_CLOSED;
}

static enum errpipe_verdict look_at_living(pid_t pid)
{
	struct process process;

	if (!read_process(pid, &process))
		return ERRPIPE_CLOSED;
	/* The name was read before the flags, maybe in the midst of an exec. In a process that exits it is final. */
	if (process.flags & PF_EXITING)
		return look_at(pid, ERRPIPE_STUB);
	/* It has closed the pipe itself, and may yet exec or not. */
	if (process.flags & PF_FORKNOEXEC)
		return ERRPIPE_CLOSED;
	return ERRPIPE_STARTED;
}

static void judge(pid_t pid, int options, enum errpipe_route route, struct errpipe_report *report)
{
	int ret = ended(pid, options, &report->status);

	if (report->verdict != ERRPIPE_STARTED)
		return;
	if (ret < 0)
		report->verdict = ERRPIPE_CLOSED;
	else if (ret == 0)
		report->verdict = look_at_living(pid);
	else if (suspicious(report->status))
		report->verdict = look_at(pid, route);
}

/* Whoever does not know the route has to think of the stub. */
void errpipe__look(pid_t pid, struct errpipe_report *report)
{
	judge(pid, WNOHANG, ERRPIPE_STUB, report);
}

void errpipe__settle(pid_t pid, enum errpipe_route route, struct errpipe_report *report)
{
	judge(pid, 0, route, report);
}

int errpipe_settle(pid_t pid, struct errpipe_report *report)
{
	if (pid <= 0)
		return -EINVAL;
	errpipe__settle(pid, ERRPIPE_STUB, report);
	return 0;
}
