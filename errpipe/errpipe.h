/* SPDX-License-Identifier: MIT */
/*
 * errpipe: know why an exec failed.
 *
 * INTRODUCTION
 *
 * A process that is about to become another program holds the write end of a pipe. If its execve(2) fails, the errno
 * is written to the pipe as a record of 16 bytes. If execve(2) succeeds, close-on-exec closes the pipe, and nothing of
 * errpipe remains in the process. The reader of the pipe learns which of the two happened.
 *
 * There are two routes. The report is the same on both:
 *
 *	STUB	The process first becomes dmz, a static program of less than a page, which then execs the target. The
 *		memory and the executable of the caller are gone before the target's file is opened.
 *	DIRECT	The process execs the target itself.
 *
 * SIMPLE USE
 *
 * To start a program and wait for it:
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
 * A program that forks by itself makes these calls, in this order:
 *
 *	before the fork		errpipe_pipe(), errpipe_route() or, with a setup, errpipe_setup_route()
 *	in the child		errpipe_fail() if a step before the exec fails, otherwise errpipe_exec()
 *	in the parent		close(2) the write end, errpipe_adopt(), errpipe_wait()
 *
 * A reader that is not the parent calls errpipe_read(). A parent that reaps the child by itself calls errpipe_settle()
 * first. docs/embedding.md has recipes.
 *
 * Four functions report on a child. Each knows more than the one before it, but only later. The child remembers its
 * report until errpipe_wait(), so you can call the other three as often as you like.
 *
 *	errpipe_read_child()	once the exec is decided: what the pipe shows
 *	errpipe_look()		at once: the same, checked against the state of the process
 *	errpipe_settle()	once the child has ended: final
 *	errpipe_wait()		the same; also reaps and releases the child
 *
 * CONVENTIONS
 *
 * Functions that can fail return 0 or more on success and a negative errno on failure. They leave errno unspecified.
 * A struct or buffer that a function fills in need not be initialized.
 *
 * The library prints nothing, never calls malloc(3) and changes no signal disposition. Every descriptor that it opens is
 * close-on-exec and above 2.
 *
 * All functions may be called from several threads at once. A function marked async-signal-safe may also be called
 * between fork(2) and exec in a process with threads.
 *
 * A NULL pointer is rejected with -EFAULT unless its description allows NULL. Unknown flags are rejected with -EINVAL,
 * and so is a struct that you pass in if its reserved members are not 0. A later version may give them a meaning. Use an
 * initializer, which sets them to 0. The library sets them to 0 in the structs that it fills in.
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
	ERRPIPE_STARTED = 1,  /* the target runs, or ran. Provisional until errpipe_settle() */
	ERRPIPE_EXEC_FAILED,  /* the target could not be exec'd: the report has the errno */
	ERRPIPE_SETUP_FAILED, /* the stub could not start or run, or a step of a setup or of the caller failed */
	ERRPIPE_DIED,	      /* the process died before it could exec the target, without writing a record */
	ERRPIPE_CLOSED	      /* the pipe was closed, and the process cannot show whether the target started */
};

/* The step that failed, in errpipe_report.step. */
enum errpipe_step {
	ERRPIPE_STEP_EXEC = 0,		     /* the exec of the target: EXEC_FAILED. Any other step: SETUP_FAILED */
	ERRPIPE_STEP_FCNTL = 1,		     /* setting close-on-exec on the report's descriptor */
	ERRPIPE_STEP_SETUP = 0x4000,	     /* the first number for the steps of a setup ... */
	ERRPIPE_STEP_SETUP_LAST = 0x7fff,    /* ... and the last. A later version may add steps */
	ERRPIPE_STEP_LABEL = 0x4001,	     /* the SELinux or AppArmor label */
	ERRPIPE_STEP_SESSION = 0x4002,	     /* setsid(2) */
	ERRPIPE_STEP_PROCESS_GROUP = 0x4003, /* setpgid(2) */
	ERRPIPE_STEP_TERMINAL = 0x4004,	     /* TIOCSCTTY of ioctl_tty(2) */
	ERRPIPE_STEP_DIRECTORY = 0x4005,     /* chdir(2), as the old user and then as the new one */
	ERRPIPE_STEP_LIMIT = 0x4006,	     /* prlimit(2) */
	ERRPIPE_STEP_NICE = 0x4007,	     /* setpriority(2) */
	ERRPIPE_STEP_SCHEDULER = 0x4008,     /* sched_setscheduler(2) */
	ERRPIPE_STEP_AFFINITY = 0x4009,	     /* sched_setaffinity(2) */
	ERRPIPE_STEP_IO_PRIORITY = 0x400a,   /* ioprio_set(2) */
	ERRPIPE_STEP_OOM_SCORE = 0x400b,     /* /proc/self/oom_score_adj of proc(5) */
	ERRPIPE_STEP_UMASK = 0x400c,	     /* umask(2), which only a filter can refuse */
	ERRPIPE_STEP_TIMER_SLACK = 0x400d,   /* PR_SET_TIMERSLACK of prctl(2) */
	ERRPIPE_STEP_PERSONALITY = 0x400e,   /* personality(2) */
	ERRPIPE_STEP_KEYRING = 0x400f,	     /* KEYCTL_JOIN_SESSION_KEYRING of keyctl(2) */
	ERRPIPE_STEP_SECUREBITS = 0x4010,    /* PR_SET_SECUREBITS of prctl(2) */
	ERRPIPE_STEP_BOUNDING = 0x4011,	     /* PR_CAPBSET_DROP of prctl(2) */
	ERRPIPE_STEP_GROUPS = 0x4012,	     /* setgroups(2) */
	ERRPIPE_STEP_GROUP = 0x4013,	     /* setresgid(2) */
	ERRPIPE_STEP_USER = 0x4014,	     /* setresuid(2) */
	ERRPIPE_STEP_CAPABILITIES = 0x4015,  /* capset(2) */
	ERRPIPE_STEP_AMBIENT = 0x4016,	     /* PR_CAP_AMBIENT of prctl(2) */
	ERRPIPE_STEP_DEATH_SIGNAL = 0x4017,  /* PR_SET_PDEATHSIG of prctl(2) */
	ERRPIPE_STEP_NO_NEW_PRIVS = 0x4018,  /* PR_SET_NO_NEW_PRIVS of prctl(2) */
	ERRPIPE_STEP_LANDLOCK = 0x4019,	     /* landlock_restrict_self(2) */
	ERRPIPE_STEP_DESCRIPTORS = 0x401a,   /* dup3(2) and close_range(2) */
	ERRPIPE_STEP_SIGNALS = 0x401b,	     /* rt_sigaction(2) and rt_sigprocmask(2) */
	ERRPIPE_STEP_SECCOMP = 0x401c,	     /* seccomp(2) */
	ERRPIPE_STEP_CALLER = 0x8000,	     /* the first of the caller's own steps, for errpipe_fail() ... */
	ERRPIPE_STEP_CALLER_LAST = 0xfffe,   /* ... and the last */
	ERRPIPE_STEP_STUB = 0xffff	     /* the exec of the stub */
};

/*
 * With EXEC_FAILED and SETUP_FAILED the members error, raw_error, machine and step describe the failure. With the other
 * verdicts they are 0.
 *
 * The writer of a record may use other errno numbers than the reader: a stub may run under emulation, and mips, alpha,
 * sparc and parisc have numbers of their own. error is the reader's number for the error of the same name. If both use
 * the same numbers, error is the writer's number, even if that has no name.
 *
 * error is 0 in two cases. If raw_error is 0 as well, the kernel refused without an errno, which a seccomp filter can
 * cause. Otherwise the writer uses other numbers, and raw_error has no name there, or has one that this host lacks.
 */
struct errpipe_report {
	enum errpipe_verdict verdict;
	int error;	  /* errno in the reader's numbers */
	int raw_error;	  /* errno in the writer's numbers */
	unsigned machine; /* ELF e_machine of the code that wrote the record */
	unsigned step;	  /* enum errpipe_step, or a number in the caller's range */
	int status;	  /* wait status of the process, as from waitpid(2), or -1 if unknown */
	int reserved[4];
};

/*
 * IN THE PARENT, BEFORE THE CHILD EXISTS
 */

/*
 * Make the pipe for one report: fd[0] is the read end, fd[1] belongs to the process that execs. Both are close-on-exec.
 *
 * The reader sees end of file only when the last copy of fd[1] is closed. Close it in the parent after the fork, and let
 * no other child keep a copy. If you move fd[1] with dup2(2), note that it may already have that number; it then stays
 * close-on-exec.
 *
 * Returns 0, or the errors of pipe2(2) and of fcntl(2) F_DUPFD_CLOEXEC. On failure fd is unchanged.
 * Async-signal-safe.
 */
int errpipe_pipe(int fd[2]);

/*
 * Make a sealed copy of the stub in memory and return its descriptor. The caller owns the descriptor and closes it. It
 * serves any number of children, one after the other or at once. For containers, make one stub per container.
 *
 * The copy is a memfd with mode 0511. Its bytes are sealed, and so are its x bits from Linux 6.3 on: nobody can alter
 * what the next child executes. But root in a container can reach it through /proc/PID/exe while a process of that
 * container is the stub, and can then keep others from executing it. While root holds it open for writing, its exec
 * fails with ETXTBSY. An access control list, or before Linux 6.3 chmod(2), can take the x bits away. The worst result
 * is a failure of step ERRPIPE_STEP_STUB, and only for children that share this stub.
 *
 * If this call fails, or a monitor flags the exec of a memfd, use the route DIRECT (ERRPIPE_NO_STUB) or
 * errpipe_stub_file(). Do not use a file opened with O_TMPFILE. Such a file cannot be sealed, so it stays writable
 * through /proc/PID/exe. Its exec also fails with ETXTBSY while a child forked in the meantime has it open for writing.
 *
 * Returns a descriptor, close-on-exec and above 2, or the errors of memfd_create(2), write(2) and fcntl(2):
 *	-ENOSYS		Linux is older than 3.17
 *	-EACCES		the sysctl vm.memfd_noexec is 2
 * Async-signal-safe.
 */
int errpipe_stub(void);

/*
 * Open a stub that is installed as a file. It must be a regular file without set-id bits on a read-only mount, and not
 * a symbolic link. On a writable mount, root in a container could write to it through /proc/PID/exe, and the next
 * container would run the result.
 *
 * Few hosts have /usr on a read-only mount. A runtime can make a small mount of its own, once after each boot:
 *
 *	mkdir -p /run/NAME/stub
 *	mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev tmpfs /run/NAME/stub
 *	install -m 0511 /usr/libexec/errpipe/dmz /run/NAME/stub/
 *	mount -o remount,ro /run/NAME/stub
 *
 * docs/embedding.md has a program that mounts a copy of the stub where nobody else can find it.
 *
 * Returns a descriptor (O_PATH, close-on-exec, above 2), or the errors of open(2), or -EPERM if the file or its mount
 * does not meet these conditions. Async-signal-safe.
 */
int errpipe_stub_file(const char *path);

#define ERRPIPE_NO_STUB 0 /* in place of a stub's descriptor, which is never 0: take the route DIRECT */

/* The route, and the reason for it if it is DIRECT. */
enum errpipe_route {
	ERRPIPE_STUB = 0,	    /* the target cannot notice the stub */
	ERRPIPE_DIRECT_ASKED,	    /* the caller asked for no stub */
	ERRPIPE_DIRECT_CREDENTIALS, /* the exec of the stub would change the capabilities or the ids */
	ERRPIPE_DIRECT_LABEL,	    /* an SELinux or AppArmor label is pending for the next exec */
	ERRPIPE_DIRECT_ON_EXEC,	    /* the caller says that something else is armed for the next exec */
	ERRPIPE_DIRECT_PATH,	    /* the path would mean something else after the exec of the stub */
	ERRPIPE_DIRECT_NO_STUB,	    /* errpipe_stub() failed */
	ERRPIPE_DIRECT_FALLBACK	    /* the stub could not be exec'd */
};

/* Everything about a process that affects the choice of route. Capability sets have one bit per capability. */
struct errpipe_identity {
	uid_t uid, euid;     /* as numbered in the process's user namespace */
	int mixed_ids;	     /* nonzero if gid != egid, or if a filesystem id differs from the effective one */
	unsigned securebits; /* prctl(2) PR_GET_SECUREBITS */
	int no_new_privs;    /* prctl(2) PR_GET_NO_NEW_PRIVS */
	uint64_t effective, permitted, inheritable, ambient, bounding;
	int label; /* nonzero if a label was written to /proc/thread-self/attr/exec */
	/*
	 * Nonzero if something else is armed for the next exec that the kernel does not show: ptrace(2) PTRACE_TRACEME,
	 * prctl(2) PR_SVE_SET_VL_ONEXEC, or personality(2) READ_IMPLIES_EXEC for a 32-bit target, which the exec of a
	 * 64-bit stub clears.
	 */
	int on_exec;
	uint64_t reserved[4];
};

/*
 * Fill in the identity of the calling thread, with on_exec 0. If the child is going to change its identity before the
 * exec, set the members to their later values.
 *
 * Returns 0, or the errors of capget(2). Async-signal-safe.
 */
int errpipe_identity(struct errpipe_identity *identity);

/*
 * Decide whether a process with that identity can exec path through the stub without the target noticing. Call it before
 * the child exists.
 *
 * Two things can make a difference:
 *
 *	Credentials. The exec of a file without capabilities may change the capability sets (capabilities(7)), and with
 *	mixed ids also the ids. A user other than root loses the capabilities that are not ambient, and may then be unable
 *	to reach the target. With no_new_privs a target that has file capabilities does not get them back (runc issue
 *	4125).
 *
 *	The path, if it is below /proc or /dev/fd or leads there through a link. /proc/self/exe would be the stub, and
 *	descriptors that are close-on-exec would be closed. path and the interpreters of a script are looked
 *	up as the caller sees them. To find the interpreters, the call reads the first line of a regular file.
 *
 * A runtime that starts untrusted images passes a path of its own, such as "/", so that it keeps the stub: on the route
 * DIRECT, a link to /proc/self/exe in an image would exec the runtime itself (CVE-2019-5736).
 *
 * Returns the route, an enum errpipe_route, but never DIRECT_ASKED, DIRECT_NO_STUB or DIRECT_FALLBACK. It can fail only
 * with -EFAULT and -EINVAL, see CONVENTIONS. Async-signal-safe.
 */
int errpipe_route(const struct errpipe_identity *identity, const char *path);

/* The reason in words, for a log: "the path would mean something else after the exec of the stub". Never NULL. */
const char *errpipe_route_reason(enum errpipe_route route);

/*
 * A SETUP: CHANGES BEFORE THE TARGET RUNS
 *
 * A setup describes the user, capabilities, limits, filters and so on of the target. The library turns it into a list of
 * system calls, in the only order that works, and appends the list to a stub. The stub makes these calls after its own exec.
 * By then the process has one thread and none of the caller's memory, so no lock can be held. A change that acts on "the next
 * exec" acts on the target, because the stub's exec is over. On the route DIRECT the child makes the same calls.
 *
 * If a call fails, the verdict is SETUP_FAILED, the report has its step and errno, and the target does not run. A setup is
 * never skipped: if it is invalid, or the stub cannot start, nothing runs.
 */

/* Flags for the members whose value may be 0: each marks its member as used. Combine them in errpipe_setup.set. */
enum errpipe_set {
	ERRPIPE_SET_USER = 1 << 0,	     /* uid and gid, and groups unless KEEP_GROUPS */
	ERRPIPE_SET_GROUPS = 1 << 1,	     /* groups */
	ERRPIPE_KEEP_GROUPS = 1 << 2,	     /* USER does not change the groups */
	ERRPIPE_SET_BOUNDING = 1 << 3,	     /* bounding */
	ERRPIPE_SET_CAPABILITIES = 1 << 4,   /* permitted, effective and inheritable */
	ERRPIPE_SET_AMBIENT = 1 << 5,	     /* ambient */
	ERRPIPE_SET_SECUREBITS = 1 << 6,     /* securebits */
	ERRPIPE_SET_LANDLOCK = 1 << 7,	     /* landlock */
	ERRPIPE_SET_DIRECTORY_FD = 1 << 8,   /* directory_fd, in place of directory */
	ERRPIPE_SET_UMASK = 1 << 9,	     /* umask */
	ERRPIPE_SET_PROCESS_GROUP = 1 << 10, /* process_group */
	ERRPIPE_SET_TERMINAL = 1 << 11,	     /* terminal */
	ERRPIPE_SET_NICE = 1 << 12,	     /* nice */
	ERRPIPE_SET_SCHEDULER = 1 << 13,     /* scheduler and priority */
	ERRPIPE_SET_IO_PRIORITY = 1 << 14,   /* io_priority */
	ERRPIPE_SET_OOM_SCORE = 1 << 15,     /* oom_score */
	ERRPIPE_SET_PERSONALITY = 1 << 16,   /* personality */
	ERRPIPE_SET_KEYRING = 1 << 17,	     /* keyring; NULL: a new one without a name */
	ERRPIPE_SET_DESCRIPTORS = 1 << 18,   /* moves; all other descriptors above 2 become close-on-exec */
	ERRPIPE_SET_PROC = 1 << 19	     /* proc */
};

/* One limit, as for prlimit(2). UINT64_MAX is RLIM_INFINITY. */
struct errpipe_limit {
	int resource; /* RLIMIT_NOFILE and so on */
	uint64_t soft, hard;
};

/* Descriptor from becomes descriptor to in the target. If the two are equal, only close-on-exec is cleared. */
struct errpipe_move {
	int from, to;
};

/* A system call of the caller's own, for changes without a member: namespaces, mounts, pivot_root(2), hostname. */
struct errpipe_call {
	unsigned step;	/* for the report: ERRPIPE_STEP_CALLER and so on */
	unsigned flags; /* enum errpipe_call_flag */
	long number;	/* SYS_mount and so on, on this machine */
	struct {
		long value;	  /* the argument, if data is NULL; otherwise ignored */
		const void *data; /* the argument is a pointer to a copy of these bytes, which hold no pointers */
		size_t size;
	} arg[6];
};

/* USE_RESULT: the first argument is the result of the previous call, which must not have IGNORE_FAILURE. */
enum errpipe_call_flag {
	ERRPIPE_CALL_USE_RESULT = 1,
	ERRPIPE_CALL_IGNORE_FAILURE = 2 /* go on if it fails */
};

enum errpipe_label {
	ERRPIPE_LABEL_SELINUX, /* a context, as for setexeccon(3) */
	ERRPIPE_LABEL_APPARMOR /* the name of a profile, as for aa_change_onexec(3) */
};

struct sock_filter; /* linux/filter.h */

/*
 * A setup of zeros changes nothing. Pointers are read only while a function that takes the setup runs. For errpipe_spawn()
 * the descriptors may be close-on-exec. Each of them becomes close-on-exec after its last use, unless it is in moves.
 *
 * The calls are made in the order of the members. The comments say where an earlier call can take away something that a later
 * one needs.
 */
struct errpipe_setup {
	uint64_t set; /* enum errpipe_set */

	/* Calls to make before all others, with the privileges that the process still has. */
	const struct errpipe_call *first;
	size_t first_length;

	/*
	 * The label of the target. The process writes it to its own attr/exec below proc, which is a descriptor of a
	 * proc(5) file system that the caller trusts. Without PROC it uses "/proc". In a container that directory belongs
	 * to the image, and a mount there can redirect the write (CVE-2025-52881).
	 */
	const char *label;
	enum errpipe_label label_kind;
	int proc;

	int session;	     /* nonzero: setsid(2) */
	pid_t process_group; /* PROCESS_GROUP: setpgid(2); 0 makes a new one. Not with session */
	int terminal;	     /* TERMINAL: a descriptor; it becomes the controlling terminal of the session */

	/*
	 * The working directory. The process enters it with the privileges that it has at this point. After a change of
	 * user it enters "." again. The new user therefore must have access to the directory itself, but not to its parents.
	 */
	const char *directory;
	int directory_fd; /* DIRECTORY_FD */

	int oom_score; /* OOM_SCORE: oom_score_adj of proc(5), -1000 to 1000 */

	/* No step after this one opens a file, so RLIMIT_NOFILE can be as low as the descriptors of the target allow. */
	const struct errpipe_limit *limits;
	size_t limits_length;

	int nice;	      /* NICE: -20 to 19, setpriority(2) */
	int scheduler;	      /* SCHEDULER: SCHED_FIFO and so on, sched_setscheduler(2) ... */
	int priority;	      /* ... and the priority of a real-time policy */
	const void *affinity; /* the mask of sched_setaffinity(2), in bytes; NULL: unchanged */
	size_t affinity_size;
	int io_priority;	   /* IO_PRIORITY: ioprio_set(2) */
	mode_t umask;		   /* UMASK */
	unsigned long timer_slack; /* nanoseconds, PR_SET_TIMERSLACK; 0: unchanged */
	unsigned long personality; /* PERSONALITY: personality(2) */
	const char *keyring;	   /* KEYRING: KEYCTL_JOIN_SESSION_KEYRING(2const) */

	/*
	 * Ids and capabilities. Each set has one bit per capability. The target gets these sets unless it is a set-id
	 * program. BOUNDING and SECUREBITS need CAP_SETPCAP; GROUPS needs CAP_SETGID.
	 */
	unsigned securebits; /* SECUREBITS */
	uint64_t bounding;   /* BOUNDING: all others are dropped */
	const gid_t *groups; /* GROUPS or USER: the supplementary groups */
	size_t groups_length;
	gid_t gid; /* USER: real, effective, saved and filesystem id */
	uid_t uid;
	uint64_t permitted, effective, inheritable; /* CAPABILITIES. Without it they follow from the change of user */
	uint64_t ambient; /* AMBIENT: part of permitted and of inheritable; needs CAPABILITIES */

	int death_signal; /* PR_SET_PDEATHSIG; 0: unchanged. No signal is sent if the parent is already gone */
	int no_new_privs; /* nonzero: PR_SET_NO_NEW_PRIVS */
	int landlock;	  /* LANDLOCK: a ruleset of landlock_create_ruleset(2) */

	/* Calls to make after all of the above. The members below could get in their way. */
	const struct errpipe_call *last;
	size_t last_length;

	/*
	 * DESCRIPTORS: the target gets these descriptors, and 0 to 2 unless a move replaces them. RLIMIT_NOFILE in limits must
	 * be above the numbers that they move to. A cycle of moves also uses the number above all others.
	 */
	const struct errpipe_move *moves;
	size_t moves_length;

	const sigset_t *defaults; /* signals whose action becomes SIG_DFL; NULL: none */
	const sigset_t *mask;	  /* the signal mask of the target; NULL: that of errpipe_spawn, or of the process */

	/*
	 * A seccomp(2) filter, as instructions. Without no_new_privs it needs CAP_SYS_ADMIN. CAPABILITIES then keeps that
	 * capability until the filter is in place, and the last call is capset(2). The filter must allow execve. For a
	 * failure to be reported, it must also allow rt_sigprocmask, write and exit_group.
	 */
	const struct sock_filter *seccomp;
	size_t seccomp_length;
	unsigned seccomp_flags; /* SECCOMP_FILTER_FLAG_LOG and so on, but not NEW_LISTENER: nobody could receive it */

	uint64_t reserved[8];
};

/*
 * Check whether a setup would be accepted. This changes nothing.
 *
 * Returns 0, or a negative errno. *step is then the step that is wrong (enum errpipe_step), or 0 for the setup as a whole.
 * step may be NULL.
 *	-EINVAL		a value out of range, a combination that cannot work, a call that is not allowed, see below
 *	-E2BIG		too many bytes for an image
 *	-ENOMEM		no memory
 *
 * first and last must not contain exec, exit, fork or their variants, because the reader could not tell the outcome. Nor may
 * they contain close_range(2) without CLOSE_RANGE_CLOEXEC, which would close the report.
 * Async-signal-safe.
 */
int errpipe_setup_check(const struct errpipe_setup *setup, unsigned *step);

/*
 * Make a stub, like errpipe_stub(), that performs the setup before it execs the target. It serves any number of children.
 *
 * errpipe_spawn() accepts it only together with the setup, and errpipe_exec() never falls back from it. Do not put secrets
 * into a setup: while a process is the stub, root in a container can read the list through /proc/PID/exe.
 *
 * The descriptors that the setup names must be open in the process that execs the stub, under the same numbers, and not
 * close-on-exec: see errpipe_setup_inherit(). The report's descriptor must be above them and above all numbers in moves.
 *
 * Returns a descriptor, or the errors of errpipe_setup_check() and errpipe_stub(). Async-signal-safe.
 */
int errpipe_setup_stub(const struct errpipe_setup *setup);

/*
 * Decide the route like errpipe_route(), for a process that uses errpipe_setup_stub(). setup may be NULL.
 *
 * identity describes the process before the setup. A label that the setup writes is not pending yet. With USER and
 * CAPABILITIES the setup replaces all ids and capabilities, so the exec of the stub may change them. It only must not take
 * away any capability, because the setup needs them. Nothing else differs from errpipe_route().
 *
 * On the route DIRECT, call errpipe_setup_apply() and pass ERRPIPE_NO_STUB to errpipe_exec(). errpipe_spawn() does all this by
 * itself.
 *
 * Returns what errpipe_route() returns. It does not say whether the setup can work, see errpipe_setup_check().
 * Async-signal-safe.
 */
int errpipe_setup_route(const struct errpipe_setup *setup, const struct errpipe_identity *identity, const char *path);

/*
 * Perform a setup in the calling thread. Use this in a program that has no other threads and is about to exec by itself. After
 * a failure only some of the changes have been made, so the process should exit.
 *
 * Returns 0, or a negative errno and the step, as errpipe_setup_check() does. Async-signal-safe.
 */
int errpipe_setup_apply(const struct errpipe_setup *setup, unsigned *step);

/*
 * For a child that the caller forks: clear close-on-exec on the descriptors that the setup names, in the child, before
 * errpipe_exec(). The stub sets it again. errpipe_spawn() does this by itself.
 *
 * Returns 0, or the negative errno of fcntl(2): -EBADF if one is not open. Async-signal-safe.
 */
int errpipe_setup_inherit(const struct errpipe_setup *setup);

/*
 * A CHILD THAT THE LIBRARY STARTS
 */

#define ERRPIPE_STUB_ONLY   2u /* flag: always use the stub, whatever errpipe_route() says; fail if it cannot start */
#define ERRPIPE_DIRECT_ONLY 4u /* flag: never use a stub */

/* How to start a child. All members 0 means no stub and no setup. */
struct errpipe_spawn {
	int stub;	/* the return value of errpipe_stub(), even if it failed, or ERRPIPE_NO_STUB */
	unsigned flags; /* ERRPIPE_STUB_ONLY, ERRPIPE_DIRECT_ONLY or 0 */

	/*
	 * Changes to the process before the target's exec; NULL: none. With a setup, stub is the return value of
	 * errpipe_setup_stub() for the same setup, or ERRPIPE_NO_STUB to have a stub made for this child alone.
	 */
	const struct errpipe_setup *setup;

	const sigset_t *mask; /* the signal mask of the target; NULL: that of the calling thread */

	/*
	 * The identity the child will have when it execs, for errpipe_route(). NULL means that of the calling thread,
	 * which costs some fifty system calls to find out: if you start many children, call errpipe_identity() once. If
	 * prepare changes the identity, describe the result here.
	 */
	const struct errpipe_identity *identity;

	/*
	 * Unless it is NULL, prepare is called in the child before anything else, for changes that a setup cannot make. It
	 * returns 0, or a negative errno. The errno is reported as a failure of *step, and the child exits with 125. On entry
	 * *step is ERRPIPE_STEP_CALLER, and prepare may set it to any of the caller's steps.
	 *
	 * The child shares the parent's memory while the parent's thread is suspended. Use system calls only: no locks,
	 * no allocation, at most 16 KiB of stack. Every signal is blocked. Keep the descriptors of the stub and of the
	 * report open. To keep other descriptors from the target, mark them close-on-exec (CLOSE_RANGE_CLOEXEC) instead
	 * of closing them. If prepare ends the process, the verdict is DIED.
	 *
	 * A seccomp(2) filter that prepare installs must allow these calls besides the exec:
	 *	rt_sigprocmask	It sets the target's signal mask after prepare. If the filter refuses it, that counts as a
	 *			failure of *step although prepare returned 0. To tell the two apart, set *step to a number
	 *			of its own at the end of prepare.
	 *	fcntl		Without it the child goes DIRECT, or with ERRPIPE_STUB_ONLY fails to start the stub.
	 *	write		Without it a failure leaves no report, and the verdict is DIED.
	 */
	int (*prepare)(void *data, unsigned *step);
	void *data; /* passed to prepare */

	uint64_t reserved[4];
};

/* A child, filled in by errpipe_spawn() or errpipe_adopt(). Its descriptors are close-on-exec and above 2. */
struct errpipe_child {
	pid_t pid;   /* -1: no process (any more) */
	int pidfd;   /* readable once the child has ended; -1 without kernel support (spawn: Linux 5.2, adopt: 5.3) */
	int poll_fd; /* readable once errpipe_read_child() would not wait. Only poll it. -1: another process reads */
	enum errpipe_route route; /* the route taken; for an adopted child, the route intended */

	/* Private to the library. */
	unsigned magic; /* set while the struct is in use; memory does not hold this value by chance */
	int exec_begun; /* nonzero once the child was seen to begin its exec: no code of the caller runs in it any more */
	char stub[16]; /* the name of the process while it is the stub; "" if unknown */
	int read;      /* 0: the report was not read yet; 1: it was, see below; negative: the errno of reading it */
	struct errpipe_report report;
	uint64_t reserved[4];
};

/*
 * Start path with argv and envp. Return as soon as the child has exec'd the stub or the target, or has failed to.
 *
 * path is the file to exec: PATH is not searched. envp may be NULL for an empty environment. spawn may be NULL, which
 * means DIRECT and no setup.
 *
 * With a stub the route is STUB if errpipe_route() allows it and the stub can be exec'd, otherwise DIRECT. With
 * ERRPIPE_STUB_ONLY it never falls back: the route is STUB, or the start fails. child->route is the route taken.
 *
 * With a setup the route is STUB even if the caller passes no stub, unless errpipe_route() forbids it or a stub cannot be
 * made. Ids and capabilities that the setup replaces do not rule out a stub. On the route DIRECT the child does not share the
 * caller's memory, which makes the call as slow as a fork. A refused setup gives the errors of errpipe_setup_check(). A stub
 * that cannot be exec'd is a failure of ERRPIPE_STEP_STUB, without a fallback.
 *
 * Under valgrind and qemu-user the child does not share the caller's memory, so there child->route stays STUB after a
 * fallback.
 *
 * The caller's signal handlers do not run in the child. The target inherits every descriptor that is not close-on-exec.
 *
 * Returns 0 and fills in *child; then finish with errpipe_wait(). A failed exec is in the report, and is not a failure of
 * this call. Otherwise child->pid is -1, and the result is a negative errno:
 *	-EINVAL		ERRPIPE_STUB_ONLY with ERRPIPE_NO_STUB and no setup, or with ERRPIPE_DIRECT_ONLY; a stub of 1 or
 *			2; a setup with a stub made without one, or the reverse; see also CONVENTIONS
 *	-EBADF		the stub is not open
 *	other		with ERRPIPE_STUB_ONLY, the negative errno that errpipe_stub() returned;
 *			the errors of pipe2(2), clone(2), capget(2), mmap(2) and sigprocmask(2)
 * Needs 64 KiB of stack. Not a cancellation point. Thread-safe; not async-signal-safe.
 */
int errpipe_spawn(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
		  char *const argv[], char *const envp[]);

/*
 * Read the report of a child. This waits until the exec is decided. To avoid the wait, poll(2) child->poll_fd for
 * POLLIN first. The end of the child counts as end of file, because another process may hold a copy of the write end.
 *
 * STARTED is provisional, as for errpipe_read(). The child remembers the report, and later calls return the same one.
 * Do not call errpipe_read() on poll_fd: it would take the record out of the pipe. The verdict would then become DIED or
 * CLOSED, and the errno would be lost.
 *
 * Returns 1, or a negative errno; the verdict in *report is then CLOSED:
 *	-ECHILD		*child has no process (any more)
 *	-EBADF		another process reads the report (poll_fd is -1)
 *	-EPROTO		the bytes in the pipe are not a record
 *	other		the errors of poll(2) and read(2)
 * A cancellation point while it waits. Thread-safe, but call this and the next three functions for one child from one
 * thread only. Async-signal-safe.
 */
int errpipe_read_child(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make a provisional STARTED as certain as it can be before the child ends, for a caller that cannot wait for that. It
 * first reads the report like errpipe_read_child(), and then looks at the child in /proc: one or two reads, some 25
 * microseconds. If an exec is still under way, it waits up to 50 milliseconds, because some kernels close the pipe
 * before the exec is complete. If another process reads the report, call this once that process has seen end of file.
 *
 *	STARTED		the target runs, or ran
 *	DIED		the child is exiting or gone and never exec'd anything but the stub; status is -1 if it cannot be
 *			waited for yet
 *	CLOSED		the child is not the caller's or is reaped already, or /proc is missing, or the child closed the
 *			pipe by itself before any exec
 *
 * Other verdicts are left unchanged.
 *
 * Returns 0, or the errors of errpipe_read_child(), except for -EBADF: a poll_fd of -1 is allowed. Async-signal-safe.
 */
int errpipe_look(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Make the report final: read it, wait until the child has ended, and check whether it ever left the stub. The child is
 * not reaped. If you reap it yourself, do so after this call, not before.
 *
 * If another process reads the report (child->poll_fd is -1) and gets a verdict other than STARTED, that verdict is
 * final. If it gets STARTED, the verdict of this call is final.
 *
 * report->status becomes the wait status. A provisional STARTED becomes DIED if the child never exec'd anything but the
 * stub. It becomes CLOSED if that cannot be known, because /proc is missing, the child is not the caller's, or it is
 * reaped already. Any other verdict is left unchanged.
 *
 * A child of errpipe_spawn() is checked only if it ended by a signal or with 125 to 127. The library and the stub cannot
 * end in any other way, so any other end is the target's.
 *
 * The stub is recognised by the flags and the name in /proc/PID/stat (proc(5); PF_FORKNOEXEC in the kernel's
 * include/linux/sched.h). This has three consequences:
 *
 *	errpipe_stub() gives each stub a name that no program bears. A target that execs another stub and ends there is
 *	STARTED.
 *
 *	Some stubs have a name that other programs can have. A stub on disk is named after its file. Before Linux 6.14 or
 *	so, and wherever it was exec'd through /proc/self/fd, a stub is named after the number of its descriptor. A target
 *	of the same name cannot be told from such a stub, and both are CLOSED.
 *
 *	A target can take the name of its own stub, by prctl(2) PR_SET_NAME or by an exec of that stub's descriptor. If it
 *	then dies by a signal or exits with 125 to 127, its verdict is DIED.
 *
 * A child that went DIRECT is not judged by its name.
 *
 * If a seccomp(2) filter refuses waitid(2), the pidfd shows the end of the child. The status then stays -1 until
 * errpipe_wait() reaps the child with waitpid(2).
 *
 * Returns 0, or the errors of errpipe_look(). Blocks until the child has ended. To avoid that, wait for the pidfd or
 * SIGCHLD first. Async-signal-safe.
 */
int errpipe_settle(struct errpipe_child *child, struct errpipe_report *report);

/*
 * Wait for the end of a child, fill in the final report like errpipe_settle(), and release the child: reap the process
 * and close its descriptors. Remove these from an epoll(7) set first, because a later child that has not exec'd yet may
 * hold them open for a moment.
 *
 * A child whose exec failed is about to exit, so it is killed. This also makes a forged record true.
 *
 * Returns 0, or a negative errno; the verdict in *report is then CLOSED:
 *	-ECHILD		*child has no process (any more)
 *	-EPROTO		the bytes in the pipe are not a record
 *	other		the errors of poll(2) and read(2)
 * After -EPROTO and the errors of poll(2) and read(2) the child is killed and released as well, and report->status is
 * filled in if it is known.
 *
 * A cancellation point while it waits; a cancelled call leaves the child as it was. Thread-safe, but call it for one
 * child from one thread only. Not async-signal-safe.
 */
int errpipe_wait(struct errpipe_child *child, struct errpipe_report *report);

/*
 * A CHILD THAT THE CALLER FORKS
 */

#define ERRPIPE_FALLBACK 1u /* flag: if the stub cannot be exec'd, go DIRECT instead of reporting that */

/*
 * Replace the process with path, or write the reason for the failure to report.
 *
 *	stub	the return value of errpipe_stub() or errpipe_setup_stub(), any other descriptor of dmz (O_PATH is
 *		enough), or ERRPIPE_NO_STUB. It should be close-on-exec, or the target inherits it.
 *	flags	ERRPIPE_FALLBACK or 0
 *	report	the write end of the pipe. The call makes it close-on-exec.
 *	path	the file to exec. PATH is not searched, and a shell is not tried. Pass ERRPIPE_NO_STUB for a path below
 *		/proc/self or /dev/fd, which means something else once the stub has been exec'd. NULL is reported as
 *		EFAULT.
 *	argv	argv[0] is the name that the target sees; it need not agree with path. NULL is allowed, as for execve(2).
 *	envp	NULL is allowed, as for execve(2).
 *
 * Like execve(2) it returns only on failure, with the negative errno that it has reported (-EPERM if the kernel refused
 * without an errno). Two errors are not reported:
 *	-EBADF		report is not open
 *	-EINVAL		unknown flags
 * Once the stub runs, the call does not return. The stub exits with 127 after ENOENT, with 126 after any other error, and
 * with 125 if it could not try.
 *
 * A fallback gives up the stub's protection, and anyone who controls the arguments can force one (E2BIG). It therefore
 * happens only with ERRPIPE_FALLBACK. A stub that is not open (EBADF), that is 1 or 2 (EINVAL), or that is a negative errno
 * never leads to a fallback: it is reported as a failure of the stub. A stub of errpipe_setup_stub() has no fallback either.
 * If errpipe_stub() failed and you want to go DIRECT, pass ERRPIPE_NO_STUB.
 *
 * If the exec of the stub fails and that of the target would fail in the same way, the target's failure is reported. This
 * holds for EAGAIN, ENOMEM, and E2BIG for a string or a total that is over the limit by itself. The stub adds three
 * arguments. A command line within 60 bytes of the limit is therefore too long only for the stub. That is reported as
 * E2BIG in step ERRPIPE_STEP_STUB.
 *
 * Signals are blocked while the record is written, so that none ends the process before the record is out. The mask is
 * then restored. A SIGPIPE or SIGXFSZ that the write itself raised is discarded.
 *
 * Async-signal-safe. Not for a child that shares the parent's memory (vfork(2)): a long argv needs memory.
 */
int errpipe_exec(int stub, unsigned flags, int report, const char *path, char *const argv[], char *const envp[]);

/*
 * Fill in *child for a process that the caller has forked. Call it in the parent, after the fork, before anything could
 * reap the process.
 *
 *	pid	the process
 *	stub	the stub that the child passes to errpipe_exec(), or ERRPIPE_NO_STUB. You may close it afterwards.
 *	report	the read end of the pipe, which errpipe_wait() will close; or -1 if another process reads the report
 *
 * From Linux 5.3 on this opens a pidfd: close it if you do not call errpipe_wait(). Without pidfds child->pidfd is -1.
 *
 * Without /proc the name of a stub is unknown, unless errpipe_stub() made it. child->route is STUB even if the child is
 * going to fall back to DIRECT, because only the child knows that.
 *
 * Returns 0, or a negative errno, and child->pid is then -1:
 *	-EFAULT		child is NULL
 *	-EINVAL		pid is not above 0, as after a failed fork(2)
 * Async-signal-safe.
 */
int errpipe_adopt(struct errpipe_child *child, pid_t pid, int stub, int report);

/*
 * Report that a step of the caller's own failed between fork and exec: chdir, setuid, a mount.
 *
 *	step	ERRPIPE_STEP_CALLER plus a number N of your choice. errpipe_message() prints "set-up step N failed". A
 *		reader that has names for its steps can look them up by report.step - ERRPIPE_STEP_CALLER and print a
 *		line of its own.
 *	error	the errno, 1 to 4095
 *
 * Write only one report, then exit.
 *
 * Returns 0 once the record is written, or a negative errno:
 *	-EINVAL		step or error is out of range
 *	-EPIPE		the reader is gone; no signal is raised
 *	-EIO		only a part was written, so report is not a pipe
 *	other		the errors of write(2)
 * Async-signal-safe.
 */
int errpipe_fail(int report, unsigned step, int error);

/*
 * IN ANOTHER READER
 */

/*
 * Read the report of one attempt from fd, the read end of a pipe, FIFO or socket. This is for readers that are not the
 * parent; the parent calls errpipe_read_child(). This call never reaps the child.
 *
 * At end of file *report is a provisional STARTED, because end of file proves only that nobody holds the write end any
 * more. In the parent, errpipe_look() and errpipe_settle() find out more.
 *
 * Returns 1 and fills in *report once the attempt is decided. Returns 0 if it is not decided yet and fd is non-blocking.
 * Otherwise *report is unchanged, and the result is a negative errno:
 *	-EPROTO		the bytes are not exactly one record of a known version
 *	other		the errors of read(2) except EINTR, which is retried
 * Async-signal-safe.
 */
int errpipe_read(int fd, struct errpipe_report *report);

/*
 * Decode a record that was read by other means. size is the number of bytes at hand, which must be exactly one record.
 * bytes may be NULL if size is 0.
 *
 * Returns 0 and fills in *report, with status -1; or -EPROTO if the bytes are not exactly one record, and *report is then
 * unchanged. Async-signal-safe.
 */
int errpipe_decode(const void *bytes, size_t size, struct errpipe_report *report);

/*
 * WORDS AND EXIT CODES
 */

/*
 * The words for an errno of this host: "exec format error". They are glibc's, but start in lower case like Go's. They are
 * the same with every C library and in every locale. A number without words gives "errno N".
 *
 * Never NULL. The text for a number without words is valid until the thread's next call. Async-signal-safe for numbers
 * that have words.
 */
const char *errpipe_strerror(int error);

/* The name of an errno of this host: "ENOEXEC". NULL for a number without a name. Async-signal-safe. */
const char *errpipe_errname(int error);

/*
 * A buffer of this size holds every message with its NUL, for any path that execve(2) accepts: up to 4095 bytes
 * (PATH_MAX), each of which can be escaped to four.
 */
#define ERRPIPE_MESSAGE_MAX (4 * 4095 + 128)

/*
 * Format a report as one human-readable line without a newline: "exec PATH: exec format error".
 *
 * Control characters in path are escaped (\n, \x1b), so the message stays on one line and is harmless on a terminal.
 * path may be NULL: "exec: exec format error". A report of NULL gives "exec PATH: no verdict".
 *
 * Only a failed exec is described by the words of its errno. All other verdicts use the name of the errno instead ("exec
 * PATH: cannot start the stub (EACCES)"), because Docker, podman and containerd search the text for words like
 * "permission denied" to choose an exit code.
 *
 * Returns the length of the whole line, like snprintf(3). If that is size or more, buf holds only the first size - 1
 * bytes. If buf is NULL, nothing is written. Async-signal-safe where errpipe_strerror() is.
 */
size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path);

/*
 * Copy text with its control characters escaped as in errpipe_message(), so that it stays on one line and is harmless on a
 * terminal. One byte can become four. text may be NULL, which gives an empty line.
 *
 * Returns the length of the whole line, like snprintf(3). If that is size or more, buf holds only the first size - 1
 * bytes. If buf is NULL, nothing is written. Async-signal-safe.
 */
size_t errpipe_escape(char *buf, size_t size, const char *text);

/*
 * Put a name into double quotes, so that a reader sees where it begins and ends. Quotes, backslashes and invisible
 * characters, such as a carriage return or a no-break space, are escaped. One byte can become four.
 *
 * Returns the length like errpipe_escape(). A name of NULL gives an empty line, without quotes. Async-signal-safe.
 */
size_t errpipe_quote(char *buf, size_t size, const char *name);

/* Whose exit code convention to follow. */
enum errpipe_policy {
	ERRPIPE_POSIX = 0, /* shells, env(1), podman: 127 not found, 126 cannot be executed, 125 set-up failed */
	ERRPIPE_DOCKERD,   /* State.ExitCode of dockerd: 127, 126, otherwise 128; 125 set-up failed */
	ERRPIPE_RUNC,	   /* runc's init since 1.2: always 255 */
	ERRPIPE_SYSTEMD /* systemd: 203 (EXIT_EXEC), or the code that systemd.exec(5) has for a failed step of a setup */
};

/*
 * The exit code for a report. For STARTED, DIED and CLOSED it is that of the process: its exit status, or 128 plus the
 * number of the signal that killed it. If the status is unknown, STARTED gives 0, and DIED and CLOSED give the code for a
 * failed set-up.
 *
 * Returns 0 to 255, or -EINVAL for an unknown policy or verdict. Async-signal-safe.
 */
int errpipe_exit_code(const struct errpipe_report *report, enum errpipe_policy policy);

#ifdef __cplusplus
}
#endif

#endif
