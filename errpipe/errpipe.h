/* SPDX-License-Identifier: MIT */
/*
 * errpipe: know why an exec failed.
 *
 * INTRODUCTION
 *
 * A process that is about to become another program holds the write end of a pipe. If its execve(2) fails, the
 * errno goes into that pipe as one record of 16 bytes. If it succeeds, close-on-exec closes the pipe, and
 * nothing of errpipe is left in the process. The read end shows which it was.
 *
 * There are two routes, and the report is the same for both:
 *
 *	STUB	the process first becomes dmz, a static program of less than a page, which execs the target.
 *		The memory and the executable of the caller are gone before the target's file is touched.
 *	DIRECT	the process execs the target itself.
 *
 * SIMPLE USE
 *
 *	struct errpipe_spawn spawn = { .stub = errpipe_stub() };
 *	struct errpipe_report report;
 *	struct errpipe_child child;
 *	char line[ERRPIPE_MESSAGE_MAX];
 *
 *	if (errpipe_spawn(&child, &spawn, path, argv, environ) < 0 || errpipe_wait(&child, &report) < 0)
 *		exit(125);
 *	if (report.verdict != ERRPIPE_STARTED) {
 *		errpipe_message(line, sizeof(line), &report, path);
 *		fprintf(stderr, "%s\n", line);
 *	}
 *	exit(errpipe_exit_code(&report, ERRPIPE_POSIX));
 *
 * ADVANCED USE
 *
 * A caller that forks by itself calls errpipe_pipe() and errpipe_route() before the fork, errpipe_fail() and
 * errpipe_exec() in the child, and errpipe_adopt() and errpipe_wait() in the parent. A reader that is not the parent
 * calls errpipe_read(). A parent that reaps by itself calls errpipe_settle() before that. docs/embedding.md has
 * recipes.
 *
 * Four functions report on a child, each later and with more certainty than the one before. The child remembers its
 * report, so until errpipe_wait() you can call any of them any number of times.
 *
 *	errpipe_read_child()	once the exec is decided: what the pipe says
 *	errpipe_look()		the same, checked by a look at the process
 *	errpipe_settle()	once the child has ended: final
 *	errpipe_wait()		the same; the child is reaped and released
 *
 * CONVENTIONS
 *
 * Functions that can fail return 0 or more on success and a negative errno on failure. They leave errno unspecified. A
 * struct or buffer that a function fills in may hold anything before the call. The library prints nothing, calls no
 * malloc(3) and changes no signal disposition. Every descriptor that it opens is close-on-exec and above 2. All
 * functions may be called from several threads at once. A function that is called async-signal-safe may also be called
 * between fork(2) and exec in a process with threads.
 *
 * Mistakes are errors. A pointer that is NULL gives -EFAULT, unless the text allows it. An unknown flag gives -EINVAL.
 * So does a struct that you fill in, if its reserved members are not 0: a later version may give them a meaning. Begin
 * with an initializer, which makes them 0. The library sets them to 0 in the structs that it fills in.
 */
#ifndef ERRPIPE_H
#define ERRPIPE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/select.h> /* sigset_t, in strict C99 as well */
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ERRPIPE_VERSION "0.1.0"

/*
 * THE REPORT
 */

/* The outcome of an attempt to exec. */
enum errpipe_verdict {
	ERRPIPE_STARTED = 1,  /* the target runs, or ran. Provisional until errpipe_settle(), see there */
	ERRPIPE_EXEC_FAILED,  /* the target could not be exec'd: the report says why */
	ERRPIPE_SETUP_FAILED, /* the stub could not start or run, or one of the caller's own steps failed */
	ERRPIPE_DIED,	      /* the process died before it could exec the target, without writing a record */
	ERRPIPE_CLOSED	      /* the pipe was closed, and a look at the process cannot tell the reason */
};

/* Which step failed, in errpipe_report.step. */
enum errpipe_step {
	ERRPIPE_STEP_EXEC = 0,		   /* the exec of the target (EXEC_FAILED; every other is SETUP_FAILED) */
	ERRPIPE_STEP_FCNTL = 1,		   /* setting close-on-exec on the report's descriptor */
	ERRPIPE_STEP_CALLER = 0x8000,	   /* the first of the caller's own steps, for errpipe_fail() ... */
	ERRPIPE_STEP_CALLER_LAST = 0xfffe, /* ... and the last */
	ERRPIPE_STEP_STUB = 0xffff	   /* the exec of the stub */
};

/*
 * With EXEC_FAILED and SETUP_FAILED, error, raw_error, machine and step give the reason. Otherwise they are 0.
 *
 * A record can come from another architecture (a stub under emulation), and errno numbers differ on mips, alpha, sparc
 * and parisc. error is the error of the same name in the reader's numbering. If the writer has the same numbering,
 * error is the writer's number, even if that has no name.
 *
 * error is 0 if the kernel refused without an errno, which a seccomp filter can cause. Then raw_error is 0 as well.
 * error is also 0 if a number of another numbering has no name, or no equivalent on this host. Then only raw_error has
 * the number.
 */
struct errpipe_report {
	enum errpipe_verdict verdict;
	int error;	  /* errno in the numbering of the reader */
	int raw_error;	  /* errno in the numbering of the writer */
	unsigned machine; /* ELF e_machine of the code that wrote the record */
	unsigned step;	  /* enum errpipe_step, or a number in the caller's range */
	int status;	  /* wait status of the process, as from waitpid(2), or -1 where it is not known */
	int reserved[4];
};

/*
 * IN THE PARENT, BEFORE THE CHILD EXISTS
 */

/*
 * Make the pipe for one report: fd[0] to read, fd[1] for the process that execs. Both are close-on-exec.
 *
 * The reader sees end of file only when the last copy of fd[1] is gone: close it in the parent after the fork,
 * and let no other child keep it. If you move fd[1] with dup2(2), note that it may already have that number; it then
 * stays close-on-exec.
 *
 * Returns 0, or the errors of pipe2(2) and of fcntl(2) F_DUPFD_CLOEXEC; then fd is unchanged.
 * Async-signal-safe.
 */
int errpipe_pipe(int fd[2]);

/*
 * Make a sealed copy of the stub in memory, and return its descriptor, which belongs to the caller. It serves
 * any number of children, one after the other or at once. For containers, make one for each.
 *
 * It is a memfd of mode 0511, sealed against every change of its bytes and, from Linux 6.3 on, of its x bits:
 * nobody can alter what the next child executes. But root in a container that catches its process while it is the
 * stub (/proc/PID/exe) can keep others from executing the same one. While root holds it open for writing, its exec
 * fails with ETXTBSY. An access control list, or before Linux 6.3 chmod(2), can take the x bits away. The worst result
 * is a failure of the step ERRPIPE_STEP_STUB, and only for children that share this stub.
 *
 * Returns a descriptor, close-on-exec and above 2, or the errors of memfd_create(2), write(2) and fcntl(2):
 * -ENOSYS before Linux 3.17, -EACCES where the sysctl vm.memfd_noexec is 2. Async-signal-safe.
 *
 * If it fails, or a monitor flags the exec of a memfd, two ways are left: the route DIRECT (ERRPIPE_NO_STUB), and
 * errpipe_stub_file(). A file that open(2) made with O_TMPFILE cannot replace it. Such a file cannot be sealed, so it
 * stays writable through /proc/PID/exe. Its exec also fails with ETXTBSY while a child that was forked meanwhile has it
 * open for writing.
 */
int errpipe_stub(void);

/*
 * Open a stub that is installed as a file. It must be a regular file without set-id bits, not a symbolic link,
 * on a read-only mount: otherwise root in a container could write to it through /proc/PID/exe, and the next container
 * would run that. Few hosts have /usr on such a mount. A runtime can make a small one of its own, once after each boot:
 *
 *	mkdir -p /run/NAME/stub
 *	mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev tmpfs /run/NAME/stub
 *	install -m 0511 /usr/libexec/errpipe/dmz /run/NAME/stub/
 *	mount -o remount,ro /run/NAME/stub
 *
 * docs/embedding.md has a program that makes a mount which nobody else can find.
 *
 * Returns a descriptor (O_PATH, close-on-exec, above 2), the errors of open(2), or -EPERM if the file or its mount is
 * not as above. Async-signal-safe.
 */
int errpipe_stub_file(const char *path);

#define ERRPIPE_NO_STUB 0 /* instead of a stub's descriptor, which is never 0: the route is DIRECT */

/* Through the stub or not, and why. */
enum errpipe_route {
	ERRPIPE_STUB = 0,	    /* the target cannot tell the difference */
	ERRPIPE_DIRECT_ASKED,	    /* the caller asked for no stub */
	ERRPIPE_DIRECT_CREDENTIALS, /* the exec of the stub would change the capabilities, or the ids */
	ERRPIPE_DIRECT_LABEL,	    /* an SELinux or AppArmor label waits for the next exec */
	ERRPIPE_DIRECT_ON_EXEC,	    /* the caller says that something else waits for the next exec */
	ERRPIPE_DIRECT_PATH,	    /* the path means something else after the exec of the stub */
	ERRPIPE_DIRECT_NO_STUB,	    /* errpipe_stub() has failed */
	ERRPIPE_DIRECT_FALLBACK	    /* the stub could not be exec'd */
};

/* Everything about a process that affects the choice of route. Capability sets have one bit per capability. */
struct errpipe_identity {
	uid_t uid, euid;     /* as its user namespace has them */
	int mixed_ids;	     /* not 0: gid and effective gid differ, or a file system id and the effective one */
	unsigned securebits; /* prctl(2) PR_GET_SECUREBITS */
	int no_new_privs;    /* prctl(2) PR_GET_NO_NEW_PRIVS */
	uint64_t effective, permitted, inheritable, ambient, bounding;
	int label; /* not 0: a label was written to /proc/thread-self/attr/exec */
	/*
	 * not 0: something else is armed for the next exec, and the kernel does not show it: ptrace(2) PTRACE_TRACEME,
	 * prctl(2) PR_SVE_SET_VL_ONEXEC, or personality(2) READ_IMPLIES_EXEC for a 32-bit target, which the exec of a
	 * 64-bit stub clears.
	 */
	int on_exec;
	uint64_t reserved[4];
};

/*
 * Fill in the identity of the calling thread, with on_exec 0. A runtime whose child is going to change its
 * identity before the exec then sets the fields to what they will be.
 *
 * Returns 0, or the errors of capget(2). Async-signal-safe.
 */
int errpipe_identity(struct errpipe_identity *identity);

/*
 * Decide whether a process of that identity can exec path through the stub without any difference to the target.
 * Call it before the child exists.
 *
 * Credentials: they differ if the exec of a file without capabilities changes the capability sets (capabilities(7)).
 * With mixed ids, the ids may differ as well. A user other than root loses the capabilities that are not ambient, and
 * may then fail to reach the target. With no_new_privs a target with file capabilities does not get them back
 * (runc issue 4125).
 *
 * Path: names below /proc and /dev/fd, and links that lead there. /proc/self/exe would be the stub, and close-on-exec
 * descriptors are closed by then. The path is looked up as the caller sees it, and so are the interpreters of a script:
 * for those the first line of a regular file is read.
 *
 * A runtime that starts untrusted images passes a path of its own, such as "/", so that it keeps the stub: on the
 * route DIRECT a link to /proc/self/exe in an image would exec the runtime itself (CVE-2019-5736).
 *
 * Returns the route: an enum errpipe_route, but never DIRECT_ASKED, DIRECT_NO_STUB or DIRECT_FALLBACK. Only a mistake
 * gives a negative errno: -EFAULT or -EINVAL. Async-signal-safe.
 */
int errpipe_route(const struct errpipe_identity *identity, const char *path);

/* The reason in words, for a log: "the path would mean something else after the exec of the stub". Never NULL. */
const char *errpipe_route_reason(enum errpipe_route route);

/*
 * A CHILD OF OURS
 */

#define ERRPIPE_STUB_ONLY 2u /* flag: always use the stub, whatever errpipe_route() says; fail if it cannot start */

/* How to start a child. All 0 is a good beginning: no stub, no setup. */
struct errpipe_spawn {
	int stub;	/* the return value of errpipe_stub(), even if it failed, or ERRPIPE_NO_STUB */
	unsigned flags; /* ERRPIPE_STUB_ONLY or 0 */

	const sigset_t *mask; /* the signal mask of the target; NULL: that of the calling thread */

	/*
	 * The identity that the child will have when it execs, for errpipe_route(). NULL means that of the calling
	 * thread, which costs some fifty system calls to find out: if you start many children, call
	 * errpipe_identity() once. If setup changes the identity, describe the result here.
	 */
	const struct errpipe_identity *identity;

	/*
	 * Called in the child before the exec, if it is not NULL: chdir, setsid, dup2 and so on. Returns 0, or
	 * a negative errno, which is reported as a failure of *step. That is ERRPIPE_STEP_CALLER, unless setup sets
	 * it to another of the caller's steps. The child then exits with 125.
	 *
	 * A seccomp(2) filter that setup installs must allow rt_sigprocmask, which sets the signal mask after setup. A
	 * refusal is reported as a failure of *step, even though setup returned 0: to tell it from your own failures,
	 * set *step to a number of its own at the end of setup. The filter must allow fcntl, unless the route may be
	 * DIRECT. It must allow write, or a failure leaves no report and the verdict is DIED.
	 *
	 * The child shares the parent's memory while the parent's thread is suspended. Use system calls only: no
	 * locks, no allocation, at most 16 KiB of stack. Every signal is blocked. The descriptors of the stub and of
	 * the report must stay open: to keep others from the target, mark them close-on-exec (CLOSE_RANGE_CLOEXEC).
	 * If setup ends the process, the verdict is DIED.
	 */
	int (*setup)(void *data, unsigned *step);
	void *data; /* for setup */

	uint64_t reserved[4];
};

/* A child that errpipe_spawn() or errpipe_adopt() has filled in. Its descriptors are close-on-exec and above 2. */
struct errpipe_child {
	pid_t pid;   /* -1: no process (any more) */
	int pidfd;   /* readable once the child has ended; -1 where the kernel has none (before Linux 5.2, 5.3) */
	int poll_fd; /* readable once errpipe_read_child() would not wait; only to poll. -1: another process reads */
	enum errpipe_route route; /* the route taken; for a child that was adopted, the route intended */

	/* The library's own. */
	unsigned magic; /* set from being filled in until errpipe_wait(); memory does not hold this by chance */
	int exec_begun; /* not 0: the child was seen to begin its exec, so none of the caller's code can end it */
	char stub[16];	/* the name of the process while it is the stub; "" if unknown */
	int read;	/* 0: the report was not read; 1: it was, see below; or the negative errno of reading it */
	struct errpipe_report report;
	uint64_t reserved[4];
};

/*
 * Start path with argv and envp, and return as soon as the child has exec'd the stub or the target, or has
 * failed to.
 *
 * With a stub, the route is STUB if errpipe_route() says so and the stub can be exec'd, and otherwise DIRECT. With
 * ERRPIPE_STUB_ONLY it is STUB or a failure. spawn may be NULL: DIRECT, without setup. child->route is the route taken.
 * Under valgrind and qemu-user the child does not share the caller's memory: there child->route stays STUB after a
 * fallback.
 *
 * path is the file to exec: PATH is not searched. envp may be NULL, which means an empty environment.
 *
 * Signal handlers of the caller do not run in the child. Descriptors that are not close-on-exec are inherited.
 *
 * Returns 0 and fills in *child. Then call errpipe_wait() in the end; a failure of the exec is in the report. Otherwise
 * returns a negative errno, and child->pid is -1. -EINVAL, also for ERRPIPE_STUB_ONLY with ERRPIPE_NO_STUB and for a
 * stub of 1 or 2. -EBADF: the stub is not open. With ERRPIPE_STUB_ONLY, the negative errno of errpipe_stub(). The
 * errors of pipe2(2), clone(2), capget(2), mmap(2), sigprocmask(2). Needs 64 KiB of stack. No cancellation point.
 * Thread-safe; not async-signal-safe.
 */
int errpipe_spawn(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
		  char *const argv[], char *const envp[]);

/*
 * Read the report of a child. This waits until the exec is decided. To avoid the wait, poll(2) child->poll_fd for
 * POLLIN first. The end of the child counts as end of file, because another process may hold a copy of the write end.
 *
 * STARTED is provisional, as for errpipe_read(). The child remembers the report: later calls return the same one. Do
 * not call errpipe_read() on poll_fd: it would take the record out of the pipe. The verdict would then become DIED or
 * CLOSED, and the reason would be lost.
 *
 * Returns 1. -ECHILD: *child has no process (any more). -EBADF: another process reads the report (poll_fd is -1).
 * -EPROTO and the errors of poll(2) and read(2): the report could not be read. After an error the verdict in *report is
 * CLOSED. A cancellation point while it waits. Thread-safe, but for one child call this and the next three functions in
 * one thread only. Async-signal-safe.
 */
int errpipe_read_child(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make a provisional STARTED as certain as it can be at end of file, for a caller that must know now. This first reads
 * the report like errpipe_read_child(), and then looks at the child: one or two reads in /proc, some 25 microseconds.
 * It does not wait for the end of the child, but for up to 50 milliseconds for an exec that is under way: some kernels
 * close the pipe before that is over. If another process reads the report, call this once that one has seen end of
 * file.
 *
 * DIED: the child is exiting or gone and never exec'd anything but the stub. The status is -1 if it cannot be waited
 * for yet. CLOSED: it is not a child of the caller, or is reaped already, or /proc is missing; or it has closed the
 * pipe by itself, before any exec. STARTED: the target runs, or ran. Other verdicts are left unchanged.
 *
 * Returns 0, or the errors of errpipe_read_child(), except for -EBADF: a poll_fd of -1 is allowed. Async-signal-safe.
 */
int errpipe_look(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make the report final: read it, wait until the child has ended, and check whether it ever left the stub. The child is
 * not reaped: reap it after this call, and not before. If another process reads the report (child->poll_fd is -1) and
 * gets a verdict other than STARTED, that verdict is final; for a STARTED, the verdict of this call is.
 *
 * report->status becomes the wait status. A provisional STARTED becomes DIED if the child never exec'd anything but the
 * stub, and CLOSED if that cannot be known because /proc is missing. A child of errpipe_spawn() is looked at only if it
 * ended by a signal or with 125 to 127: the library and the stub cannot end in any other way, so other ends are the
 * target's. If the process is not a child of the caller, or is reaped already, STARTED becomes CLOSED. With any other
 * verdict only the status is filled in.
 *
 * The process is recognised by the flags and the name in /proc/PID/stat (proc(5); PF_FORKNOEXEC in the kernel's
 * include/linux/sched.h). errpipe_stub() gives each stub a name that no program bears, so a target that goes through
 * another stub and ends there is STARTED. Some stubs have a name that others can have: a file, or before Linux 6.14 or
 * so, and wherever the stub was exec'd through /proc/self/fd, the number of its descriptor. A target of the same name
 * cannot be told from such a stub, and both are CLOSED. A target can take the name of its own stub, by prctl(2)
 * PR_SET_NAME or by an exec of that stub's descriptor; if it then dies by a signal or exits with 125 to 127, its
 * verdict is DIED. A child that went DIRECT is not judged by its name.
 *
 * Where a seccomp(2) filter refuses waitid(2), the pidfd shows the end, and the status stays -1 until errpipe_wait()
 * reaps the child by waitpid(2).
 *
 * Returns 0, or the errors of errpipe_look(). Blocks until the child has ended: to avoid that, wait for the pidfd or
 * SIGCHLD first. Async-signal-safe.
 */
int errpipe_settle(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Wait for the end of a child and fill in the final report, as errpipe_settle() does. Then release the child: reap the
 * process and close the descriptors. Remove these from an epoll(7) set before, because a later child that has not
 * exec'd yet may hold them open for a moment.
 *
 * A child whose exec has failed is about to exit, so it is killed. That also makes a forged record true.
 *
 * Returns 0. -ECHILD: *child has no process (any more). -EPROTO and the errors of poll(2) and read(2): the report could
 * not be read; the child is killed and released, and report->status is filled in if it is known. After an error the
 * verdict in *report is CLOSED. A cancellation point while it waits; a cancelled call leaves the child as it was.
 * Thread-safe, but for one child call it in one thread only; not async-signal-safe.
 */
int errpipe_wait(struct errpipe_child *child, struct errpipe_report *report);

/*
 * A CHILD THAT THE CALLER FORKS
 */

#define ERRPIPE_FALLBACK 1u /* flag: if the stub cannot be exec'd, go DIRECT instead of reporting that */

/*
 * Replace the process with path, or write the reason for the failure to report.
 *
 * stub is the return value of errpipe_stub(), any other descriptor of dmz (O_PATH is enough), or ERRPIPE_NO_STUB. It
 * should be close-on-exec, or the target inherits it. path is the file to exec and argv[0] the name that the target
 * sees: they need not agree. PATH is not searched, and a shell is not tried. A path below /proc/self or /dev/fd means
 * something else once the stub has been exec'd: give ERRPIPE_NO_STUB for such a path.
 *
 * If the exec of the target would fail as that of the stub did, the report is that of the target: EAGAIN, ENOMEM, and
 * E2BIG for a string or a total that is over the limit by itself. The stub adds three arguments. A command line
 * within 60 bytes of the limit is too long only for the stub: that is E2BIG in the step ERRPIPE_STEP_STUB.
 *
 * A fallback gives up the stub's protection, and anyone who controls the arguments can force one (E2BIG). It
 * therefore happens only with ERRPIPE_FALLBACK.
 *
 * Like execve(2) it returns only on failure, with the negative errno that it has reported (-EPERM if the kernel refused
 * without an errno). report is then close-on-exec, as it is in a process that starts. Two errors are not in the report:
 * -EBADF, report is not open; -EINVAL, unknown flags. A stub that is not open (EBADF), or is 1 or 2 (EINVAL), is
 * reported as a failure of the stub, even with ERRPIPE_FALLBACK. argv and envp may be NULL, as for execve(2). A path
 * that is NULL is reported as EFAULT. Once the stub runs, the call does not return: the stub exits with 127 after
 * ENOENT, 126 after any other error, and 125 if it could not try.
 *
 * Signals are blocked while the record is written, so that none ends the process before it is out; the mask is
 * then restored. A SIGPIPE or SIGXFSZ that the write itself raised is discarded. Async-signal-safe. Not for a
 * child that shares the parent's memory (vfork(2)): a long argv needs memory.
 */
int errpipe_exec(int stub, unsigned flags, int report, const char *path, char *const argv[], char *const envp[]);

/*
 * Fill in *child for a process that the caller has forked: in the parent, after the fork, with the stub that the
 * child gives to errpipe_exec() (or ERRPIPE_NO_STUB) and the read end of the pipe, or -1 if another process reads the
 * report. Both descriptors still belong to the caller; errpipe_wait() closes the read end. The stub may be closed
 * afterwards. From Linux 5.3 on a pidfd is opened: close it if you do not call errpipe_wait().
 *
 * Call it before anything could reap the process. Without pidfds child->pidfd is -1. Without a /proc the name of a stub
 * that errpipe_stub() has not made is unknown. child->route is STUB even if the child is going to fall back to DIRECT,
 * because only the child knows that.
 *
 * Returns 0. Only a mistake gives a negative errno, and then child->pid is -1: -EFAULT; -EINVAL, pid is not above 0, as
 * after a fork(2) that failed. Async-signal-safe.
 */
int errpipe_adopt(struct errpipe_child *child, pid_t pid, int stub, int report);

/*
 * Report that a step of the caller's own failed, between fork and exec: chdir, setuid, a mount.
 *
 * step is ERRPIPE_STEP_CALLER plus a number N of the caller's choice, error the errno, 1 to 4095. Write one
 * report only, and exit then. errpipe_message() prints "set-up step N failed". A reader with names for its steps looks
 * them up by report.step - ERRPIPE_STEP_CALLER, and prints a line of its own.
 *
 * Returns 0 when it is written. -EINVAL: step or error out of range. Else the errors of write(2), with -EPIPE
 * if the reader is gone; no signal is raised for that. -EIO: the descriptor took a part of it, so it is no
 * pipe. Async-signal-safe.
 */
int errpipe_fail(int report, unsigned step, int error);

/*
 * IN ANOTHER READER
 */

/*
 * Read the report of one attempt from fd, the read end of a pipe, FIFO or socket. This is for readers that are not the
 * parent; the parent calls errpipe_read_child().
 *
 * At end of file, which proves only that nobody holds the write end any more, *report is a provisional STARTED.
 * errpipe_look() and errpipe_settle() make it more than that, in the parent.
 *
 * Returns 1 with *report filled in when the attempt is decided. 0: not yet, and fd is non-blocking. -EPROTO:
 * the bytes are not one record that a stub of a known version writes. Else the errors of read(2) but EINTR,
 * which is retried. After an error *report is unchanged. Never reaps the child. Async-signal-safe.
 */
int errpipe_read(int fd, struct errpipe_report *report);

/*
 * Decode a record that was read by other means. size is the number of bytes that there are: exactly one record
 * is taken, neither a part nor two. bytes may be NULL if size is 0.
 *
 * Returns 0 and fills in *report, with status -1; or -EPROTO, and *report is unchanged. Async-signal-safe.
 */
int errpipe_decode(const void *bytes, size_t size, struct errpipe_report *report);

/*
 * WORDS AND EXIT CODES
 */

/*
 * The words for an errno of this host: "exec format error". They are glibc's with a small first letter, which
 * Go uses too, and the same on every C library and in every locale. A number without words gives "errno N".
 *
 * Never NULL. The text for a number without words is valid until the thread's next call. Async-signal-safe for
 * numbers that have words.
 */
const char *errpipe_strerror(int error);

/* The name of an errno of this host: "ENOEXEC". NULL for a number without a name. Async-signal-safe. */
const char *errpipe_errname(int error);

/*
 * The size of a buffer that holds every message with its NUL, for any path that execve(2) takes: up to 4095 bytes
 * (PATH_MAX), each of which may become four.
 */
#define ERRPIPE_MESSAGE_MAX (4 * 4095 + 128)

/*
 * Format a report as one human-readable line without a newline: "exec PATH: exec format error".
 *
 * path is named as given, except that control characters are escaped (\n, \x1b): so it stays one line, and is harmless
 * on a terminal. With a path of NULL the line is "exec: exec format error". Only a failed exec has the words of its
 * errno. All other verdicts name an errno by its name ("exec PATH: cannot start the stub (EACCES)"), because Docker,
 * podman and containerd search the text for words like "permission denied" to choose an exit code.
 *
 * Returns the length of the whole line, as snprintf(3) does: if it is size or more, buf holds the first size - 1
 * bytes. If buf is NULL, nothing is written. A report of NULL gives "exec PATH: no verdict".
 * Async-signal-safe where errpipe_strerror() is.
 */
size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path);

/*
 * Escape the control characters of a path or another text, as errpipe_message() does: the result is one line, and harmless on
 * a terminal. One byte can become four.
 *
 * Returns the length of the whole line, as snprintf(3) does: if it is size or more, buf holds the first size - 1
 * bytes. If buf is NULL, nothing is written. A text of NULL gives an empty line. Async-signal-safe.
 */
size_t errpipe_escape(char *buf, size_t size, const char *text);

/* Whose rule makes an exit code of a report. */
enum errpipe_policy {
	ERRPIPE_POSIX = 0, /* shells, env(1), podman: 127 not found, 126 cannot be executed, 125 set-up failed */
	ERRPIPE_DOCKERD,   /* what dockerd puts in State.ExitCode: 127, 126, else 128; 125 set-up failed */
	ERRPIPE_RUNC,	   /* runc's init since 1.2: always 255 */
	ERRPIPE_SYSTEMD	   /* systemd's EXIT_EXEC: always 203 */
};

/*
 * The exit code for a report. STARTED, DIED and CLOSED give the process's own: its exit status, or 128 plus the
 * signal. Without a status STARTED gives 0, and the other two give the code for a failed set-up.
 *
 * Returns 0 to 255. -EINVAL: unknown policy, or a verdict that no function here gives. Async-signal-safe.
 */
int errpipe_exit_code(const struct errpipe_report *report, enum errpipe_policy policy);

#ifdef __cplusplus
}
#endif

#endif
