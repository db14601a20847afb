/* SPDX-License-Identifier: MIT */
/* Declarations that the files of liberrpipe share with each other. */
#ifndef ERRPIPE_INTERNAL_H
#define ERRPIPE_INTERNAL_H

#include "common/common.h"
#include "errpipe.h"
#include "image.h"

#pragma GCC visibility push(hidden)

/* Accepts a descriptor, ERRPIPE_NO_STUB and a negative errno. A standard stream is a mistake of the caller's. */
static inline bool ep_may_be_stub(int stub)
{
	return stub != 1 && stub != 2;
}

/* The size of a process name with its NUL (TASK_COMM_LEN in the kernel's include/linux/sched.h). */
enum { EP_COMM_SIZE = sizeof(((struct errpipe_child *)0)->stub) };

/* stub.c: get the name of a process while it is this stub, or "" if unknown. Returns 0, or -EBADF. */
int ep_stub_name(int stub, char name[EP_COMM_SIZE]);

/* stub.c: is this a name that errpipe_stub() made up? */
bool ep_is_unique(const char *name);

/* stub.c: the bytes of the stub, without actions. */
extern const unsigned char ep_stub_bytes[];
extern const size_t ep_stub_size;

/* stub.c: a stub with the actions of this image, for errpipe_setup_stub(). */
int ep_setup_stub(const struct ep_image *image);

/* stub.c: does this stub carry a setup? Or may it carry one, if a seccomp(2) filter hides that? */
bool ep_has_setup(int stub);
bool ep_may_have_setup(int stub);

/*
 * setup.c: compile a setup. Returns 0, or a negative errno, and image->step is then the step that is wrong. Call
 * ep_image_free() in both cases.
 */
int ep_setup_compile(struct ep_image *image, const struct errpipe_setup *setup, enum ep_place place);

/* setup.c: has it no flags and members that only a later version knows? */
bool ep_setup_is_known(const struct errpipe_setup *setup);

/* setup.c: the lowest number of a descriptor that the moves do not overwrite. */
int ep_setup_ceiling(const struct errpipe_setup *setup);

/* words.c: this host's number for the error that is raw on machine. 0 if the two share no name for it. */
int ep_host_errno(unsigned machine, unsigned raw);

/*
 * fail.c: write the bytes, or one record, with one write(2) while every signal is blocked. A signal that the write itself
 * raises is discarded. Returns 0, or a negative errno: -EIO if only a part was written.
 */
int ep_write_all(int fd, const void *bytes, size_t size);
int ep_write(int report, unsigned step, unsigned error);

/* exec.c: one attempt, prepared completely, because the child may share the memory of its parent. */
struct ep_exec {
	int stub; /* or ERRPIPE_NO_STUB */
	unsigned flags;
	int report;
	const char *path;
	char *const *argv;
	char *const *envp;
	char **stub_argv; /* from ep_stub_args(), if there is a stub */
	bool fell_back;	  /* result: the stub could not be exec'd, and the target was tried directly */
};

/* exec.c: is the descriptor not open? */
bool ep_is_closed(int fd);

/* Like errpipe_exec(), but report must be open and close-on-exec already. */
int ep_exec(struct ep_exec *exec);

/* The number of arguments that the stub takes before those of the target, and the number that fits in the struct. */
enum { EP_STUB_ARGS = 3, EP_FEW_ARGS = 256 };

/* The stub's argv. A long one is mapped, because the stack is too small and malloc(3) is not async-signal-safe. */
struct ep_args {
	char **argv;
	size_t size; /* in bytes */
	char *on_stack[EP_FEW_ARGS];
};

/* Returns 0, or the errors of mmap(2). After success, call ep_free_args(). */
int ep_stub_args(struct ep_args *args, const char *path, char *const argv[]);
void ep_free_args(struct ep_args *args);

/*
 * read.c: each function that reports on a child calls this first. It sets *report to CLOSED, the verdict if the
 * function fails. Returns 0, -EFAULT or -ECHILD.
 */
int ep_begin_report(const struct errpipe_child *child, struct errpipe_report *report);

/* The value of errpipe_child.magic until errpipe_wait() has reaped the process. */
#define EP_MAGIC 0x640d217a

/*
 * A caller that waits for the end of the child ignores the pipe for this many milliseconds. Otherwise end of file would
 * wake it in the middle of the exec, which is useless and adds 2 to 3 % to a short-lived child (docs/performance.md).
 */
enum { EP_SOON = 20 };

/*
 * read.c: get the report, and read it from the pipe if that has not been done. During the first milliseconds, wait
 * only for the end of the child. Returns 1, or a negative errno.
 */
int ep_report(struct errpipe_child *child, int milliseconds, struct errpipe_report *report);

/* settle.c: inspect the process if *report is provisional. options are for waitid(2): 0 or WNOHANG. */
void ep_judge(struct errpipe_child *child, int options, struct errpipe_report *report);

/*
 * settle.c: fill in the status of a child that waitpid(2) has reaped, because waitid(2) was refused. If the child could not
 * be inspected before, the status may show that the target ran.
 */
void ep_judge_late(const struct errpipe_child *child, int status, struct errpipe_report *report);

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/*
 * ended.c: wait for the end of a child. options are for waitid(2); with WNOWAIT the child is not reaped. Returns 1 and its
 * wait status, 0 if it has not ended (WNOHANG), or the negative errno of waitid(2). If a seccomp(2) filter refuses
 * waitid(2), only the pidfd shows the end: the status is then -1, and the child is not reaped.
 */
int ep_ended(const struct errpipe_child *child, int options, int *status);

#pragma GCC visibility pop

#endif
