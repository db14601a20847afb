/* SPDX-License-Identifier: MIT */
/*
 * errpipe: know why an exec failed.
 *
 * INTRODUCTION
 *
 * A process that is about to become another program holds the write end of a pipe. If its execve(2) fails, the
 * errno goes into that pipe as one record of 16 bytes; if it succeeds, close-on-exec closes the pipe and
 * nothing of errpipe is left in the process. Whoever holds the read end learns which it was.
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
 * A caller that forks by itself calls errpipe_pipe() and errpipe_route() before, errpipe_fail() and
 * errpipe_exec() in the child, errpipe_adopt() and errpipe_wait() in the parent. Or errpipe_read() in any
 * process, and errpipe_settle() in the parent before it reaps. docs/embedding.md has recipes.
 *
 * Four functions report on a child, each later and with more certainty than the one before. The child remembers its
 * report, so they can be called in any number, and the caller prepares nothing.
 *
 *	errpipe_read_child()	once the exec is decided: the pipe's word
 *	errpipe_look()		the same, and a look at the process
 *	errpipe_settle()	once the child has ended: final
 *	errpipe_wait()		the same; the child is reaped and released
 *
 * CONVENTIONS
 *
 * Functions that can fail return 0 or more on success and a negative errno on failure; they leave errno
 * unspecified. What a function fills in may hold anything before the call. Nothing is printed, nothing is malloc'd, no signal disposition is changed, and every descriptor
 * that is opened is close-on-exec and above 2. A function that is called async-signal-safe may also be called
 * between fork(2) and exec in a process with threads. All functions may be called from several threads at once.
 *
 * Mistakes are errors. A pointer that is NULL gives -EFAULT, unless the text allows it. A flag that the function does
 * not know gives -EINVAL, and so does a struct of the caller's whose reserved members are not all 0: begin with a struct
 * of zeros, as an initializer makes it, and a later version of the library can give a meaning to them. In the structs
 * that the library fills in they are 0.
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

/* What became of an attempt to exec. */
enum errpipe_verdict {
	ERRPIPE_STARTED = 1,  /* the target runs, or ran. Provisional until errpipe_settle(), see there */
	ERRPIPE_EXEC_FAILED,  /* the target could not be exec'd: the report says why */
	ERRPIPE_SETUP_FAILED, /* the stub could not start or not work, or a step of the caller's own failed */
	ERRPIPE_DIED,	      /* the process ended before the target was exec'd, and without a record */
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
 * Of EXEC_FAILED and SETUP_FAILED, error, raw_error, machine and step tell the reason; they are 0 otherwise.
 *
 * A record can come from another architecture (a stub under emulation), and errno numbers differ on mips,
 * alpha, sparc and parisc. error is the error of the same name in the numbering of the code that reads. A number of
 * that same numbering stays as it is, even one without a name. error is 0 if the kernel refused without an error, as
 * a seccomp filter can make it do (then raw_error is 0 as well). It is also 0 if a number of another numbering has no
 * name, or this host has no error of that name: then only raw_error has the number.
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
 * and let no other child keep it. Whoever moves fd[1] to a number of its own by dup2(2) has to mind that it may
 * have that number already, and then keeps close-on-exec.
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
 * nobody can alter what the next child executes. But root in a container that catches its process while it is
 * the stub (/proc/PID/exe) can keep others from executing the same one: open for writing, it gives ETXTBSY as
 * long as it is held; an access control list, or before Linux 6.3 chmod(2), can take the x bits away. That is a
 * failure of the step ERRPIPE_STEP_STUB, not worse, and only for those who share it.
 *
 * Returns a descriptor, close-on-exec and above 2, or the errors of memfd_create(2), write(2) and fcntl(2):
 * -ENOSYS before Linux 3.17, -EACCES where the sysctl vm.memfd_noexec is 2. Async-signal-safe.
 *
 * Where it fails, or a monitor flags the exec of a memfd, two ways are left: the route DIRECT (ERRPIPE_NO_STUB), and
 * errpipe_stub_file(). A file of open(2) O_TMPFILE is no substitute: it cannot be sealed, so it stays writable through
 * /proc/PID/exe, and its exec fails with ETXTBSY while a child that was forked meanwhile has it open.
 */
int errpipe_stub(void);

/*
 * Open a stub that is installed as a file. It must be a regular file without set-id bits, not a symbolic link,
 * on a mount that is read-only: otherwise root in a container could write to it through /proc/PID/exe, and the
 * next container would run that. Few hosts have /usr on such a mount. A runtime can make a small one of its own, once
 * after each boot:
 *
 *	mkdir -p /run/NAME/stub
 *	mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev tmpfs /run/NAME/stub
 *	install -m 0511 /usr/libexec/errpipe/dmz /run/NAME/stub/
 *	mount -o remount,ro /run/NAME/stub
 *
 * docs/embedding.md has a program that makes one which nobody else can find.
 *
 * Returns a descriptor (O_PATH, close-on-exec, above 2), the errors of open(2), or -EPERM if the file is not as
 * above. Async-signal-safe.
 */
int errpipe_stub_file(const char *path);

#define ERRPIPE_NO_STUB 0 /* in place of a stub's descriptor, which is never 0: the route is DIRECT */

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

/* Of a process that is about to exec, all that makes a difference. Sets have a bit for each capability. */
struct errpipe_identity {
	uid_t uid, euid; /* as its user namespace has them */
	int mixed_ids;	 /* not 0: gid and effective gid differ, or an id for the file system and the effective one */
	unsigned securebits; /* prctl(2) PR_GET_SECUREBITS */
	int no_new_privs;    /* prctl(2) PR_GET_NO_NEW_PRIVS */
	uint64_t effective, permitted, inheritable, ambient, bounding;
	int label; /* not 0: a label was written to /proc/thread-self/attr/exec */
	/*
	 * not 0: ptrace(2) PTRACE_TRACEME, prctl(2) PR_SVE_SET_VL_ONEXEC, or the like, which the kernel does not tell; or
	 * personality(2) READ_IMPLIES_EXEC for a target of 32 bits, which the exec of a stub of 64 bits clears.
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
 * Say whether a process of that identity can exec path through the stub without any difference to the target.
 * Call it before the child exists.
 *
 * Credentials: they differ if the exec of a file without capabilities leaves other sets than there were before
 * (capabilities(7)); with mixed ids the ids may. A user other than root loses those that are not ambient, and
 * may then fail to reach the target; with no_new_privs a target with file capabilities does not get them back
 * (runc issue 4125).
 *
 * Path: names below /proc and /dev/fd, and what leads there by links. /proc/self/exe would be the stub, and
 * close-on-exec descriptors are closed by then. The path is looked up as the caller sees it. So are the interpreters of
 * a script: the first line of a regular file is read for that.
 *
 * A runtime that starts what others bring asks with a path of its own, such as "/", and keeps the stub: by the
 * route DIRECT a link to /proc/self/exe in an image would exec the runtime itself (CVE-2019-5736).
 *
 * Returns the route, an enum errpipe_route but not DIRECT_ASKED, DIRECT_NO_STUB or DIRECT_FALLBACK. Only a mistake
 * gives a negative errno: -EFAULT or -EINVAL. Async-signal-safe.
 */
int errpipe_route(const struct errpipe_identity *identity, const char *path);

/* The reason in words, for a log: "the path would mean something else after the exec of the stub". Never NULL. */
const char *errpipe_route_reason(enum errpipe_route route);

/*
 * A CHILD OF OURS
 */

#define ERRPIPE_STUB_ONLY 2u /* flag: never DIRECT. Neither errpipe_route() nor a stub that cannot start matters */

/* How to start a child. All 0 is a good beginning: no stub, no setup. */
struct errpipe_spawn {
	int stub;	/* what errpipe_stub() has returned, even if it has failed, or ERRPIPE_NO_STUB */
	unsigned flags; /* ERRPIPE_STUB_ONLY or 0 */

	const sigset_t *mask; /* the signal mask of the target; NULL: that of the calling thread */

	/*
	 * What the child is by its exec, for errpipe_route(). NULL: what the calling thread is, which takes
	 * some fifty system calls to find out. So who starts many children asks once; and who changes it in
	 * setup says so here.
	 */
	const struct errpipe_identity *identity;

	/*
	 * Called in the child before the exec, if it is not NULL: chdir, setsid, dup2 and so on. Returns 0, or
	 * a negative errno, which is reported as a failure of *step; that is ERRPIPE_STEP_CALLER unless it is
	 * set to another of the caller's steps. The child then exits with 125.
	 *
	 * A seccomp(2) filter that it installs must allow rt_sigprocmask, which is otherwise the failure of *step;
	 * fcntl, unless the route may be DIRECT; and write, or a failure leaves no report: the verdict is DIED.
	 *
	 * The child shares the memory of the parent, whose thread waits meanwhile. So: system calls only,
	 * nothing that takes a lock or allocates, and 16 KiB of stack. Every signal is blocked. The descriptors
	 * of the stub and of the report must stay open: to keep others from the target, mark them close-on-exec
	 * (CLOSE_RANGE_CLOEXEC). If it ends the process by itself, the verdict is DIED.
	 */
	int (*setup)(void *data, unsigned *step);
	void *data; /* for setup */

	uint64_t reserved[4];
};

/* A child that errpipe_spawn() or errpipe_adopt() has filled in. Its descriptors are close-on-exec and above 2. */
struct errpipe_child {
	pid_t pid;   /* -1 if there is no process, or no longer */
	int pidfd;   /* readable once the child has ended; -1 where the kernel has none (before Linux 5.2, 5.3) */
	int poll_fd; /* readable once errpipe_read_child() need not wait. To poll only; -1: another process reads */
	enum errpipe_route route; /* what happened, or for a child that was adopted, what was to happen */

	/* The library's own. */
	unsigned magic; /* a number that memory does not hold by chance: the struct was filled in, and not waited for */
	int exec_begun; /* not 0: the child was seen to begin its exec, so none of the caller's code can end it */
	char stub[16];	/* what the process is called while it is the stub; "" if that is not known */
	int read;	/* 0: its report was not read; 1: it is below; or the negative errno that reading it gave */
	struct errpipe_report report;
	uint64_t reserved[4];
};

/*
 * Start path with argv and envp, and return as soon as the child has exec'd the stub or the target, or has
 * failed to.
 *
 * With a stub, the route is STUB where errpipe_route() finds that neutral, and DIRECT elsewhere, and also if
 * the stub cannot be exec'd. With ERRPIPE_STUB_ONLY it is STUB or a failure. spawn may be NULL: DIRECT, and no
 * setup. child->route says which it was. A fallback is not seen, and STUB stays, where the child does not share the
 * caller's memory: under valgrind and qemu-user.
 *
 * path is the file to exec: PATH is not searched. envp may be NULL, which is an empty environment.
 *
 * Signal handlers of the caller do not run in the child. Descriptors that are not close-on-exec are inherited.
 *
 * Returns 0 and fills in *child: then call errpipe_wait() in the end. A failure of the exec is in the report.
 * Or a negative errno, and child->pid is -1: -EINVAL, also for ERRPIPE_STUB_ONLY with ERRPIPE_NO_STUB and for a stub of
 * 1 or 2; -EBADF, the stub is not open; with ERRPIPE_STUB_ONLY, what errpipe_stub() has returned; the errors of
 * pipe2(2), clone(2), capget(2), mmap(2), sigprocmask(2). Needs 64 KiB of stack. No cancellation point. Thread-safe; not
 * async-signal-safe.
 */
int errpipe_spawn(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
		  char *const argv[], char *const envp[]);

/*
 * Read the report of a child. This waits until the exec is decided: poll(2) child->poll_fd for POLLIN first to avoid
 * that. The end of the child counts as end of file, because another process may hold a copy of the write end.
 *
 * STARTED is provisional, as for errpipe_read(). The child remembers the report: later calls return the same one.
 * errpipe_read() is not for poll_fd. It would take the record out of the pipe, and no process could know that it was
 * there: the verdict would become DIED or CLOSED, and the reason would be lost.
 *
 * Returns 1. -ECHILD: *child has no process, or no longer. -EBADF: another process reads the report (poll_fd is -1).
 * -EPROTO and the errors of poll(2) and read(2): the report could not be read. After an error the verdict in *report is
 * CLOSED. A cancellation point while it waits. Thread-safe, but for one child call this and the next three functions in
 * one thread only. Async-signal-safe.
 */
int errpipe_read_child(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make a provisional STARTED as certain as it can be at end of file, for a caller that must know now: look at
 * the child, which costs one or two reads in /proc, some 25 microseconds. It need not have ended, and is not
 * waited for, but for an exec that is under way: some kernels close the pipe before that is over. 50 milliseconds
 * at most. The report is read first, as by errpipe_read_child(), unless another process reads it: call this once that
 * one has seen end of file.
 *
 * DIED: it is on its way out, or gone, and never exec'd anything, or nothing but the stub; the status is -1 if
 * it cannot be waited for yet. CLOSED: it is not a child of the caller, or is reaped already, or there is no
 * /proc; or it has closed the pipe by itself, before any exec. STARTED: the target runs, or ran. A verdict other
 * than STARTED stays.
 *
 * Returns 0, or the errors of errpipe_read_child() but -EBADF for a poll_fd of -1. Async-signal-safe.
 */
int errpipe_look(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make the report final: read it, wait until the child has ended, but do not reap it, and see whether it ever
 * left the stub. Call it before the child is reaped, and reap it afterwards. If another process reads the report
 * (child->poll_fd is -1), a verdict of that one other than STARTED is final, and this one here is for the rest.
 *
 * report->status becomes the wait status. A provisional STARTED becomes DIED if the child never exec'd, or never exec'd
 * anything but the stub; CLOSED if that cannot be known, as there is no /proc. A child of errpipe_spawn() is
 * looked at only if it ended by a signal or with 125 to 127, which is all that the library and the stub can do:
 * other ends are the target's, at no cost. If the process is not a child of the caller, or is reaped already,
 * STARTED becomes CLOSED. A verdict other than STARTED stays, and only the status is filled in.
 *
 * The process is recognised by the flags and the name in /proc/PID/stat (proc(5); PF_FORKNOEXEC in the kernel's
 * include/linux/sched.h). errpipe_stub() gives each stub a name that no program bears: a target that goes through
 * another stub, and ends in there, is STARTED. Where the stub has a name that others can have, a target of the
 * same name cannot be told from it, and both are CLOSED: a stub that is a file; a stub that is named after its
 * descriptor, so by a number (before Linux 6.14 or so, and where it was exec'd by way of /proc/self/fd). A target can
 * take the very name of its stub, by prctl(2) PR_SET_NAME or as it was handed the descriptor of that stub; if it
 * then ends by a signal or with 125 to 127, it has made itself DIED. A child that went DIRECT is not judged by
 * its name.
 *
 * Returns 0, or the errors of errpipe_look(). Blocks until the child has ended: ask pidfd or SIGCHLD first to
 * avoid that. Async-signal-safe.
 */
int errpipe_settle(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Wait for the end of a child, with a final report as by errpipe_settle(), and release all that it holds: the process is
 * reaped, the descriptors are closed. Take them out of an epoll(7) set before: a later child may not have exec'd yet, and
 * keep them open for a moment.
 *
 * A child whose exec has failed is killed, as it is about to exit anyway: so a record that somebody else wrote
 * becomes true.
 *
 * Returns 0. -ECHILD: *child has no process, or no longer. -EPROTO and the errors of poll(2) and read(2): the
 * report could not be read; the child is killed and released, and report->status is filled in if it was known.
 * After an error the verdict in *report is CLOSED. A cancellation point while it waits, and then the child is still
 * there. Thread-safe, but for one child call it in one thread only; not async-signal-safe.
 */
int errpipe_wait(struct errpipe_child *child, struct errpipe_report *report);

/*
 * A CHILD THAT THE CALLER FORKS
 */

#define ERRPIPE_FALLBACK 1u /* flag: if the stub cannot be exec'd, go DIRECT instead of reporting that */

/*
 * Become the program path with argv and envp, or report to the descriptor report why not.
 *
 * stub is what errpipe_stub() has returned, any other descriptor of dmz (O_PATH is enough), or ERRPIPE_NO_STUB.
 * It should be close-on-exec, or the target inherits it. path is the file to exec and argv[0] the name that the
 * target sees: they need not agree. There is no search along PATH and no retry through a shell. A path below
 * /proc/self or /dev/fd means something else once the stub has been exec'd: give NO_STUB for such a path.
 *
 * If the exec of the stub fails as that of the target would, the report is that of the target: EAGAIN, ENOMEM, and
 * E2BIG for a string or a total that is over the limit by itself. The stub adds three arguments. A command line
 * within 60 bytes of the limit is too long only for the stub: that is E2BIG in the step ERRPIPE_STEP_STUB.
 *
 * A fallback gives up what the stub is good for, and whoever picks the arguments can provoke it (E2BIG). So it
 * happens only with ERRPIPE_FALLBACK.
 *
 * Like execve(2) it returns only on failure, with the negative errno that has been reported (-EPERM if the
 * kernel refused without an error); report is then close-on-exec, as it is in a process that starts. Two errors
 * are not in the report: -EBADF, report is not open; -EINVAL, unknown flags. A stub that is not open (EBADF), or is 1 or
 * 2 (EINVAL), is reported as a failure of the stub, also with ERRPIPE_FALLBACK. argv and envp may be NULL, as for
 * execve(2); a path that is NULL is reported as EFAULT. Failures of the stub itself do not
 * return: it exits with 127 after ENOENT, 126 after any other error and 125 if it could not work.
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
 * afterwards. Where there are pidfds (Linux 5.3) one is opened: who does without errpipe_wait() closes it.
 *
 * Call it before anybody could reap the process. Where there is no pidfd it is -1, and without a /proc the name of a
 * stub that errpipe_stub() has not made is "". child->route is STUB even if the child is going to fall back to DIRECT:
 * only the child knows that.
 *
 * Returns 0. Only a mistake gives a negative errno, and child->pid is -1: -EFAULT; -EINVAL, pid is not above 0, as when
 * fork(2) has failed. Async-signal-safe.
 */
int errpipe_adopt(struct errpipe_child *child, pid_t pid, int stub, int report);

/*
 * Report that a step of the caller's own failed, between fork and exec: chdir, setuid, a mount.
 *
 * step is ERRPIPE_STEP_CALLER plus a number of the caller's choice, error the errno, 1 to 4095. Write one
 * report only, and exit then.
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
 * Read the report of one attempt from fd, the read end of a pipe, FIFO or socket. For readers that are not the parent;
 * errpipe_read_child() is for the others.
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
 * Room for any such line with its NUL, for a path that execve(2) takes: up to 4095 bytes (PATH_MAX), each of which may
 * become four.
 */
#define ERRPIPE_MESSAGE_MAX (4 * 4095 + 128)

/*
 * Write the line that tells a report to people, without a line feed: "exec PATH: exec format error".
 *
 * path is named as given, except that control characters are escaped (\n, \x1b), so the line is one line and
 * harmless on a terminal; with NULL the line is "exec: exec format error". Only a failed exec has the words of
 * its errno. All other verdicts name an errno by its name ("exec PATH: cannot start the stub (EACCES)"),
 * because Docker, podman and containerd search the text for words like "permission denied" to choose an exit
 * code.
 *
 * Returns the length of the whole line, as snprintf(3) does: if it is size or more, buf holds the first size -
 * 1 bytes. With a buf of NULL nothing is written. A report of NULL gives "exec PATH: no verdict".
 * Async-signal-safe where errpipe_strerror() is.
 */
size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path);

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
