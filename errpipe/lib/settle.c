/* SPDX-License-Identifier: MIT */
/*
 * After end of file on the pipe: did the target start, or did the process end before?
 *
 * A process that exits closes its descriptors before it can be waited for, so at end of file waitid(2) may still count it
 * as running. /proc/PID/stat has the answer: the flags (include/linux/sched.h) and the name, which an exec sets
 * (begin_new_exec in fs/exec.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define PF_EXITING    0x00000004 /* is exiting */
#define PF_FORKNOEXEC 0x00000040 /* has not exec'd since its fork */

#define PATIENCE 50 /* how long the last part of an exec may take, in milliseconds */

struct process {
	unsigned long flags;
	char comm[EP_COMM_SIZE];
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

/* If /proc belongs to another pid namespace, /proc/PID is some other process. */
static bool proc_is_ours(void)
{
	char self[EP_DECIMAL + 1], decimal[EP_DECIMAL];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	if (n < 0)
		return false;
	self[n] = '\0';
	return strcmp(self, ep_decimal(decimal, getpid())) == 0;
}

/* proc(5): "pid (comm) state ppid pgrp session tty_nr tpgid flags ...". comm may contain anything, even ')'. */
static bool parse_stat(const char *stat, struct process *process)
{
	const char *comm = strchr(stat, '(');
	const char *end = strrchr(stat, ')');
	size_t length;

	if (!comm || !end || end < comm)
		return false;
	length = end - ++comm;
	if (length >= EP_COMM_SIZE)
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
	char path[sizeof("/proc//stat") + EP_DECIMAL] = "/proc/";
	char decimal[EP_DECIMAL], stat[512];
	int state;
	bool done;

	strcat(path, ep_decimal(decimal, pid));
	strcat(path, "/stat");
	/* A thread cancelled here would leak a descriptor. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	done = proc_is_ours() && read_file(path, stat, sizeof(stat)) == 0;
	pthread_setcancelstate(state, &state);
	return done && parse_stat(stat, process);
}

static bool is_number(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0';
}

/*
 * The process is named after the stub's file. The path that /proc shows for that file can end in " (deleted)". Before Linux
 * 6.14, and without execveat(2), the process is named after the number of the descriptor.
 */
static bool may_be_stub(const char *comm, const char *stub)
{
	if (is_number(comm))
		return true;
	if (*stub)
		return !ep_is_unique(stub) && strncmp(stub, comm, strlen(comm)) == 0;
	return ep_is_unique(comm) || strcmp(comm, "dmz") == 0;
}

/* Statuses with which a stub, or a child of errpipe_spawn() that failed to exec one, can end. -1: unknown. */
static bool is_stub_status(int status)
{
	return status == -1 || !WIFEXITED(status) || (WEXITSTATUS(status) >= 125 && WEXITSTATUS(status) <= 127);
}

/* The verdict for a process that has ended, or is exiting and keeps its name. */
static enum errpipe_verdict verdict(const struct process *process, const struct errpipe_child *child, int status)
{
	const char *comm = process->comm;

	if (process->flags & PF_FORKNOEXEC)
		return ERRPIPE_DIED;
	if (child->route != ERRPIPE_STUB || !is_stub_status(status))
		return ERRPIPE_STARTED;
	/* A name that errpipe_stub() made up is unique. A target can have any other name. */
	if (ep_is_unique(child->stub) && strcmp(comm, child->stub) == 0)
		return ERRPIPE_DIED;
	return may_be_stub(comm, child->stub) ? ERRPIPE_CLOSED : ERRPIPE_STARTED;
}

/* For a child that has ended. Wait for it after the look, because the pid may belong to another process by then. */
static enum errpipe_verdict verdict_of_ended(const struct errpipe_child *child)
{
	struct process process;
	int status = -1;

	if (!read_process(child->pid, &process))
		return ERRPIPE_CLOSED;
	if (ep_ended(child, WNOHANG | WNOWAIT, &status) < 0)
		return ERRPIPE_CLOSED;
	return verdict(&process, child, status);
}

/*
 * A child that has closed the pipe without having exec'd is either in the middle of an exec or closed it by itself. Some
 * kernels (6.1.192, 6.12.117) close descriptors before they clear PF_FORKNOEXEC. Wait a moment for such an exec.
 */
static enum errpipe_verdict verdict_of_living(const struct errpipe_child *child)
{
	struct process process;

	for (int ms = 0; ms < PATIENCE; ms++) {
		if (!read_process(child->pid, &process))
			return ERRPIPE_CLOSED;
		/* Read the name again: it was read before the flags, and is final only in a process that exits. */
		if (process.flags & PF_EXITING)
			return verdict_of_ended(child);
		if (!(process.flags & PF_FORKNOEXEC))
			return ERRPIPE_STARTED;
		poll(NULL, 0, 1);
	}
	return ERRPIPE_CLOSED;
}

void ep_judge(struct errpipe_child *child, int options, struct errpipe_report *report)
{
	int ret;

	if (report->status != -1)
		return;
	ret = ep_ended(child, options | WNOWAIT, &report->status);
	if (report->verdict == ERRPIPE_STARTED) {
		if (ret < 0)
			report->verdict = ERRPIPE_CLOSED;
		else if (ret == 0)
			report->verdict = verdict_of_living(child);
		else if (!child->exec_begun || is_stub_status(report->status))
			report->verdict = verdict_of_ended(child);
	}
	/* Keep the result, because it cannot be found again once the child is reaped elsewhere. */
	if (report->status != -1 || report->verdict == ERRPIPE_DIED)
		child->report = *report;
}

void ep_judge_late(const struct errpipe_child *child, int status, struct errpipe_report *report)
{
	const bool was_started = child->read == 1 && child->report.verdict == ERRPIPE_STARTED;

	report->status = status;
	if (was_started && report->verdict == ERRPIPE_CLOSED && child->exec_begun && !is_stub_status(status))
		report->verdict = ERRPIPE_STARTED;
}

static int read_and_judge(struct errpipe_child *child, int milliseconds, int options, struct errpipe_report *report)
{
	int ret = ep_begin_report(child, report);

	if (ret == 0)
		ret = ep_report(child, milliseconds, report);
	if (ret < 0)
		return ret;
	ep_judge(child, options, report);
	return 0;
}

int errpipe_look(struct errpipe_child *child, struct errpipe_report *report)
{
	return read_and_judge(child, 0, WNOHANG, report);
}

int errpipe_settle(struct errpipe_child *child, struct errpipe_report *report)
{
	return read_and_judge(child, EP_SOON, 0, report);
}
