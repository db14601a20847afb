/* SPDX-License-Identifier: MIT */
/* What the files of the library share with each other and with nobody else. */
#ifndef ERRPIPE_INTERNAL_H
#define ERRPIPE_INTERNAL_H

#include <stdbool.h>

#include "errpipe.h"

/* No names for others: neither of the shared library, nor of one that the static library is linked into. */
#pragma GCC visibility push(hidden)

/* The reserved members of a struct that the caller fills in must be 0. */
#define EP_IS_ZERO(array) ep_is_zero(array, sizeof(array) / sizeof(*(array)))

static inline bool ep_is_zero(const uint64_t *numbers, size_t count)
{
	uint64_t all = 0;

	while (count--)
		all |= numbers[count];
	return all == 0;
}

/* A descriptor, ERRPIPE_NO_STUB or a negative errno. A standard stream would be a mistake of the caller's. */
static inline bool ep_may_be_stub(int stub)
{
	return stub != 1 && stub != 2;
}

/* Room for any int in decimal with its sign and NUL. */
#define EP_DECIMAL 12

/* decimal.c: write n into the end of buf; returns where it starts. */
char *ep_decimal(char buf[EP_DECIMAL], int n);

/* line.c: a line that is cut off where the buffer ends, and whose length is counted on. */
struct ep_line {
	char *buf;
	size_t size, length;
};

void ep_add_char(struct ep_line *line, char c);
void ep_add(struct ep_line *line, const char *text);
void ep_add_number(struct ep_line *line, int n);
/* With its control characters escaped. */
void ep_add_path(struct ep_line *line, const char *path);
/* Returns the length of the whole. */
size_t ep_end(struct ep_line *line);

/*
 * pipe.c: move a descriptor above the standard streams. A caller that has closed those gets new descriptors
 * there, and would hand them to the target as such. Returns where it is now, or a negative errno; then it is
 * closed.
 */
int ep_above_stderr(int fd);

/* Room for the name of a process, with its NUL (TASK_COMM_LEN in the kernel's include/linux/sched.h). */
enum { EP_COMM_SIZE = sizeof(((struct errpipe_child *)0)->stub) };

/* stub.c: get the name of a process while it is that stub, or "" if unknown. Returns 0, or -EBADF. */
int ep_stub_name(int stub, char name[EP_COMM_SIZE]);

/* stub.c: is it a name that errpipe_stub() has made up? */
bool ep_is_unique(const char *name);

/* words.c: this host's number for the error that has the number raw on machine. 0: they have no such name in common. */
int ep_host_errno(unsigned machine, unsigned raw);

/*
 * signals.c: block every signal of the thread, and give it back its mask. The kernel's sigset_t, not libc's. Both
 * return 0, or the negative errno of rt_sigprocmask(2), which a seccomp(2) filter can refuse; then *old is not filled
 * in.
 */
struct ep_signals {
#ifdef __mips__
	unsigned char set[16];
#else
	unsigned char set[8];
#endif
};

int ep_block_signals(struct ep_signals *old);
int ep_restore_signals(const struct ep_signals *old);

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
 * limits.c: the kernel's rule for E2BIG. ep_longest() is the length of the longest string that execve(2) takes,
 * without its NUL; ep_find_longer() finds the first string that is longer, or NULL. ep_size_of() counts all
 * strings and pointers, and computes how much a limit of the stack allows.
 */
struct ep_size {
	uint64_t bytes, limit;
};

uint64_t ep_longest(void);
char *const *ep_find_longer(char *const *strings, uint64_t longest);
uint64_t ep_stack_limit(void);
struct ep_size ep_size_of(const char *path, char *const argv[], char *const envp[], uint64_t stack);
/* Would execve(2) fail with E2BIG for these? */
bool ep_too_big(const char *path, char *const argv[], char *const envp[]);

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
 * settle.c: wait for the end of a child. options are those of waitid(2); with WNOWAIT it is left there to be reaped.
 * Returns 1 with its wait status, 0 if it has not ended (WNOHANG), or the negative errno of waitid(2). The status is -1 if
 * a seccomp(2) filter refuses waitid(2) and the end is known from the pidfd alone; then the child is not reaped.
 */
int ep_ended(const struct errpipe_child *child, int options, int *status);

#pragma GCC visibility pop

#endif
