/* SPDX-License-Identifier: MIT */
/* What the files of liberrpipe share with each other. */
#ifndef ERRPIPE_INTERNAL_H
#define ERRPIPE_INTERNAL_H

#include "common/common.h"
#include "errpipe.h"

#pragma GCC visibility push(hidden)

/* A descriptor, ERRPIPE_NO_STUB or a negative errno. A standard stream would be a mistake of the caller's. */
static inline bool ep_may_be_stub(int stub)
{
	return stub != 1 && stub != 2;
}

/* Room for the name of a process, with its NUL (TASK_COMM_LEN in the kernel's include/linux/sched.h). */
enum { EP_COMM_SIZE = sizeof(((struct errpipe_child *)0)->stub) };

/* stub.c: get the name of a process while it is that stub, or "" if unknown. Returns 0, or -EBADF. */
int ep_stub_name(int stub, char name[EP_COMM_SIZE]);

/* stub.c: is it a name that errpipe_stub() has made up? */
bool ep_is_unique(const char *name);

/* words.c: this host's number for the error that has the number raw on machine. 0: they have no such name in common. */
int ep_host_errno(unsigned machine, unsigned raw);

/*
 * fail.c: write all bytes at once, or one record, while every signal is blocked; those that the write itself
 * has raised are discarded. Returns 0, or a negative errno: -EIO if only a part was written.
 */
int ep_write_all(int fd, const void *bytes, size_t size);
int ep_write(int report, unsigned step, unsigned error);

/* exec.c: one attempt, all of it prepared, for a child that may share the memory of its parent. */
struct ep_exec {
	int stub; /* or ERRPIPE_NO_STUB */
	unsigned flags;
	int report;
	const char *path;
	char *const *argv;
	char *const *envp;
	char **stub_argv; /* of ep_stub_args(), if there is a stub */
	bool fell_back;	  /* result: the stub could not be exec'd, and the target was tried directly */
};

/* Like errpipe_exec(), but report is there and close-on-exec already. */
int ep_exec(struct ep_exec *exec);

/* Arguments that the stub takes before those of the target; and how many fit in the struct. */
enum { EP_STUB_ARGS = 3, EP_FEW_ARGS = 256 };

/* The stub's argv. Long ones are mapped: neither the stack nor malloc(3) is for that. */
struct ep_args {
	char **argv;
	size_t size; /* in bytes */
	char *on_stack[EP_FEW_ARGS];
};

/* Returns 0, or the errors of mmap(2). Whoever has called it calls ep_free_args() too. */
int ep_stub_args(struct ep_args *args, const char *path, char *const argv[]);
void ep_free_args(struct ep_args *args);

/*
 * read_child.c: each function that reports on a child calls this first. It sets *report to CLOSED, which stays if the
 * function fails. Returns 0, or -EFAULT or -ECHILD.
 */
int ep_begin_report(const struct errpipe_child *child, struct errpipe_report *report);

/* The value of errpipe_child.magic until errpipe_wait() has reaped the process. */
#define EP_MAGIC 0x640d217a

/*
 * A caller that waits for the end of the child waits only for that during the first so many milliseconds. Otherwise the
 * end of file would wake it in the middle of the exec, which is useless and costs 2 to 3 % of a child that soon ends
 * (docs/performance.md).
 */
enum { EP_SOON = 20 };

/*
 * read_child.c: get the report, which is read if it was not read before. During the first milliseconds, wait only for
 * the end of the child. Returns 1, or a negative errno.
 */
int ep_report(struct errpipe_child *child, int milliseconds, struct errpipe_report *report);

/* settle.c: look at the process if *report is provisional. options are those of waitid(2): 0, or WNOHANG. */
void ep_judge(struct errpipe_child *child, int options, struct errpipe_report *report);

/*
 * settle.c: fill in the status of a child that waitpid(2) has reaped, because waitid(2) was refused. If nobody could look
 * at the child before, the status may show that the target ran.
 */
void ep_judge_late(const struct errpipe_child *child, int status, struct errpipe_report *report);

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/*
 * ended.c: wait for the end of a child. options are those of waitid(2); with WNOWAIT it is left there to be reaped.
 * Returns 1 with its wait status, 0 if it has not ended (WNOHANG), or the negative errno of waitid(2). The status is -1 if
 * a seccomp(2) filter refuses waitid(2) and the end is known from the pidfd alone; then the child is not reaped.
 */
int ep_ended(const struct errpipe_child *child, int options, int *status);

#pragma GCC visibility pop

#endif
