/* SPDX-License-Identifier: MIT */
/*
 * Compile a setup into the system calls that carry it out, in the only order that works. Comments give the reason where the
 * order is not obvious. Credentials: capabilities(7), credentials(7).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image.h"
#include "internal.h"

/* From headers below linux/, which not every libc provides. */
#define CAPABILITY_VERSION_3	    0x20080522
#define CAP_SYS_ADMIN		    21
#define SECBIT_KEEP_CAPS	    16
#define KEYCTL_JOIN_SESSION_KEYRING 1
#define IOPRIO_WHO_PROCESS	    1
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif
#define SECCOMP_SET_MODE_FILTER		 1
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1u << 3)

/* The calls that take ids of 32 bits. */
#ifdef SYS_setresuid32
#define SETRESUID SYS_setresuid32
#define SETRESGID SYS_setresgid32
#define SETGROUPS SYS_setgroups32
#else
#define SETRESUID SYS_setresuid
#define SETRESGID SYS_setresgid
#define SETGROUPS SYS_setgroups
#endif

enum {
	GROUPS_MAX = 65536, /* NGROUPS_MAX in linux/limits.h */
	FILTER_MAX = 4096,  /* BPF_MAXINSNS in linux/bpf_common.h */
	RESOURCES = 16,	    /* RLIM_NLIMITS in asm-generic/resource.h */
	MOVES_MAX = 256,
	LENGTH_MAX = 4096, /* of the other arrays; a container needs about fifty calls */
	LABEL_MAX = 4096   /* of labels: attr/exec accepts at most one page */
};

#define SET_ALL ((1u << 20) - 1)

/* A compiler: where to write, and the setup to compile. */
struct compiler {
	struct ep_image *image;
	const struct errpipe_setup *setup;
};

#define CALL(c, step, number, ...)                                                                                   \
	ep_image_call((c)->image, ERRPIPE_STEP_##step, 0, number, (const long[6]){ __VA_ARGS__ })
#define USE(c, step, number, ...)                                                                                    \
	ep_image_call((c)->image, ERRPIPE_STEP_##step, DMZ_USE_RESULT, number, (const long[6]){ 0, __VA_ARGS__ })
#define REFUSE(c, step) ep_image_refuse((c)->image, ERRPIPE_STEP_##step, EINVAL)

static bool is_set(const struct compiler *c, enum errpipe_set member)
{
	return c->setup->set & member;
}

static long copy(struct compiler *c, const void *bytes, size_t size)
{
	return ep_image_copy(c->image, bytes, size);
}

static long copy_text(struct compiler *c, const char *text)
{
	return copy(c, text, strlen(text) + 1);
}

/* From here on nobody may reach the descriptor through /proc/self/fd (CVE-2024-21626). Standard streams stay open. */
static void release(struct compiler *c, unsigned step, int fd)
{
	if (fd > 2)
		ep_image_call(c->image, step, 0, SYS_fcntl, (const long[6]){ fd, F_SETFD, FD_CLOEXEC });
}

/* --- calls of the caller's own ------------------------------------------------------------------------ */

/* The reader would take an exit or an exec of the process for one of the target. */
static bool is_allowed(const struct errpipe_call *call)
{
	static const long refused[] = {
		SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_clone,
#ifdef SYS_clone3
		SYS_clone3,
#endif
#ifdef SYS_fork
		SYS_fork,
#endif
#ifdef SYS_vfork /* mips has only the other */
		SYS_vfork,
#endif
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (call->number == refused[i])
			return false;
	}
	return call->number != SYS_close_range || (call->arg[2].value & CLOSE_RANGE_CLOEXEC);
}

static void add_call(struct compiler *c, const struct errpipe_call *call)
{
	unsigned flags = 0;
	long arg[6];

	for (int i = 0; i < 6; i++)
		arg[i] = call->arg[i].data ? copy(c, call->arg[i].data, call->arg[i].size) : call->arg[i].value;
	if (call->flags & ERRPIPE_CALL_USE_RESULT)
		flags |= DMZ_USE_RESULT;
	if (call->flags & ERRPIPE_CALL_IGNORE_FAILURE)
		flags |= DMZ_IGNORE_FAILURE;
	ep_image_call(c->image, call->step, flags, call->number, arg);
}

static void add_calls(struct compiler *c, const struct errpipe_call *calls, size_t length)
{
	bool has_result = false;

	if (length > LENGTH_MAX || (length && !calls)) {
		ep_image_refuse(c->image, 0, EINVAL);
		return;
	}
	for (size_t i = 0; i < length && !c->image->error; i++) {
		const struct errpipe_call *call = &calls[i];
		bool uses = call->flags & ERRPIPE_CALL_USE_RESULT;

		if (call->step < ERRPIPE_STEP_CALLER || call->step > ERRPIPE_STEP_CALLER_LAST)
			ep_image_refuse(c->image, 0, EINVAL);
		else if (!is_allowed(call) || (uses && !has_result) || call->flags & ~3u)
			ep_image_refuse(c->image, call->step, EINVAL);
		add_call(c, call);
		has_result = !(call->flags & ERRPIPE_CALL_IGNORE_FAILURE);
	}
}

/* --- in the order of struct errpipe_setup -------------------------------------------------------------- */

static int proc_or(const struct compiler *c, int otherwise)
{
	return is_set(c, ERRPIPE_SET_PROC) ? c->setup->proc : otherwise;
}

/* Open a file of the process itself. The next call uses the descriptor, and the exec closes it. */
static void open_own(struct compiler *c, unsigned step, const char *below_proc)
{
	char path[64] = "";

	if (!is_set(c, ERRPIPE_SET_PROC))
		strcpy(path, "/proc/");
	strcat(path, below_proc);
	ep_image_call(c->image, step, 0, SYS_openat,
		      (const long[6]){ proc_or(c, AT_FDCWD), copy_text(c, path), O_WRONLY | O_CLOEXEC });
}

/*
 * The process opens its own file, because since Linux 5.8 a descriptor from before the stub's exec refuses the write
 * (proc_pid_attr_write() in the kernel's fs/proc/base.c). SELinux expects the label with its NUL, AppArmor a command.
 */
static void add_label(struct compiler *c)
{
	const char *label = c->setup->label;
	char text[LABEL_MAX];
	size_t length;

	if (!label)
		return;
	length = strlen(label);
	if (!length || length > sizeof(text) - sizeof("exec ") || c->setup->label_kind > ERRPIPE_LABEL_APPARMOR) {
		REFUSE(c, LABEL);
		return;
	}
	if (c->setup->label_kind == ERRPIPE_LABEL_APPARMOR) {
		open_own(c, ERRPIPE_STEP_LABEL, "self/attr/apparmor/exec");
		strcpy(text, "exec ");
		strcat(text, label);
		length = strlen(text);
	} else {
		open_own(c, ERRPIPE_STEP_LABEL, "self/attr/exec");
		strcpy(text, label);
		length++;
	}
	USE(c, LABEL, SYS_write, copy(c, text, length), length);
}

static void add_session(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;

	if (setup->session && is_set(c, ERRPIPE_SET_PROCESS_GROUP))
		REFUSE(c, PROCESS_GROUP); /* setpgid(2) refuses the leader of a session */
	if (setup->session)
		CALL(c, SESSION, SYS_setsid, 0);
	if (is_set(c, ERRPIPE_SET_PROCESS_GROUP))
		CALL(c, PROCESS_GROUP, SYS_setpgid, 0, setup->process_group);
	if (is_set(c, ERRPIPE_SET_TERMINAL)) {
		CALL(c, TERMINAL, SYS_ioctl, setup->terminal, TIOCSCTTY, 0);
		release(c, ERRPIPE_STEP_TERMINAL, setup->terminal);
	}
}

static bool changes_directory(const struct compiler *c)
{
	return c->setup->directory || is_set(c, ERRPIPE_SET_DIRECTORY_FD);
}

static void add_directory(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;

	if (is_set(c, ERRPIPE_SET_DIRECTORY_FD)) {
		if (setup->directory)
			REFUSE(c, DIRECTORY);
		CALL(c, DIRECTORY, SYS_fchdir, setup->directory_fd);
		release(c, ERRPIPE_STEP_DIRECTORY, setup->directory_fd);
	} else if (setup->directory) {
		CALL(c, DIRECTORY, SYS_chdir, copy_text(c, setup->directory));
	}
}

/* Before the limits: it opens a file, and RLIMIT_NOFILE may leave no room for one. */
static void add_oom_score(struct compiler *c)
{
	char decimal[EP_DECIMAL];
	const char *text;

	if (!is_set(c, ERRPIPE_SET_OOM_SCORE))
		return;
	if (c->setup->oom_score < -1000 || c->setup->oom_score > 1000)
		REFUSE(c, OOM_SCORE);
	text = ep_decimal(decimal, c->setup->oom_score);
	open_own(c, ERRPIPE_STEP_OOM_SCORE, "self/oom_score_adj");
	USE(c, OOM_SCORE, SYS_write, copy_text(c, text), strlen(text));
}

static void add_limits(struct compiler *c)
{
	const struct errpipe_limit *limits = c->setup->limits;
	size_t length = c->setup->limits_length;

	if (length > LENGTH_MAX || (length && !limits)) {
		REFUSE(c, LIMIT);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		const uint64_t limit[] = { limits[i].soft, limits[i].hard };

		if (limits[i].resource < 0 || limits[i].resource >= RESOURCES || limits[i].soft > limits[i].hard)
			REFUSE(c, LIMIT);
		CALL(c, LIMIT, SYS_prlimit64, 0, limits[i].resource, copy(c, limit, sizeof(limit)), 0);
	}
}

static void add_scheduling(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;
	const int parameters = setup->priority; /* the kernel's struct sched_param; that of musl is longer */

	if (setup->nice < -20 || setup->nice > 19)
		REFUSE(c, NICE);
	if (is_set(c, ERRPIPE_SET_NICE))
		CALL(c, NICE, SYS_setpriority, PRIO_PROCESS, 0, setup->nice);
	if (is_set(c, ERRPIPE_SET_SCHEDULER))
		CALL(c, SCHEDULER, SYS_sched_setscheduler, 0, setup->scheduler,
		     copy(c, &parameters, sizeof(parameters)));
	if (setup->affinity && (setup->affinity_size == 0 || setup->affinity_size > LENGTH_MAX))
		REFUSE(c, AFFINITY);
	else if (setup->affinity)
		CALL(c, AFFINITY, SYS_sched_setaffinity, 0, setup->affinity_size,
		     copy(c, setup->affinity, setup->affinity_size));
	if (is_set(c, ERRPIPE_SET_IO_PRIORITY))
		CALL(c, IO_PRIORITY, SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, setup->io_priority);
}

static void add_rest_of_process(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;

	if (setup->umask & ~0777u)
		REFUSE(c, UMASK);
	if (is_set(c, ERRPIPE_SET_UMASK))
		CALL(c, UMASK, SYS_umask, setup->umask);
	if (setup->timer_slack)
		CALL(c, TIMER_SLACK, SYS_prctl, PR_SET_TIMERSLACK, setup->timer_slack);
	if (is_set(c, ERRPIPE_SET_PERSONALITY))
		CALL(c, PERSONALITY, SYS_personality, setup->personality);
	if (is_set(c, ERRPIPE_SET_KEYRING))
		CALL(c, KEYRING, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING,
		     setup->keyring ? copy_text(c, setup->keyring) : 0);
}

/* --- credentials --------------------------------------------------------------------------------------- */

struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

/* Without no_new_privs, installing a filter needs CAP_SYS_ADMIN. */
static bool filter_needs_admin(const struct compiler *c)
{
	return c->setup->seccomp && !c->setup->no_new_privs;
}

static void add_capset(struct compiler *c, uint64_t more)
{
	const struct errpipe_setup *setup = c->setup;
	const struct cap_header header = { CAPABILITY_VERSION_3, 0 };
	const uint64_t effective = setup->effective | more, permitted = setup->permitted | more;
	const struct cap_data data[2] = {
		{ effective, permitted, setup->inheritable },
		{ effective >> 32, permitted >> 32, setup->inheritable >> 32 },
	};

	CALL(c, CAPABILITIES, SYS_capset, copy(c, &header, sizeof(header)), copy(c, data, sizeof(data)));
}

/* The kernel has capabilities 0 to 40 or more. A filter may refuse the question, which must not end the list early. */
static int last_capability(void)
{
	int cap = 0;

	while (cap < 63 && (prctl(PR_CAPBSET_READ, cap + 1, 0, 0, 0) >= 0 || errno != EINVAL))
		cap++;
	return cap;
}

/* A new user namespace has a full bounding set, whatever this process has. Therefore drop every other capability. */
static void add_bounding(struct compiler *c)
{
	const int last = last_capability();

	for (int cap = 0; cap <= last; cap++) {
		if (!(c->setup->bounding >> cap & 1))
			CALL(c, BOUNDING, SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
}

/* Securebits and the bounding set need CAP_SETPCAP, which a change of user removes. */
static void add_privileges(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;
	bool keeps = is_set(c, ERRPIPE_SET_USER) && is_set(c, ERRPIPE_SET_CAPABILITIES);

	if (is_set(c, ERRPIPE_SET_SECUREBITS))
		CALL(c, SECUREBITS, SYS_prctl, PR_SET_SECUREBITS, setup->securebits | (keeps ? SECBIT_KEEP_CAPS : 0),
		     0, 0, 0);
	if (is_set(c, ERRPIPE_SET_BOUNDING))
		add_bounding(c);
	/* The exec clears it again. */
	if (keeps && !is_set(c, ERRPIPE_SET_SECUREBITS))
		CALL(c, CAPABILITIES, SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

static void add_ids(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;
	bool groups = is_set(c, ERRPIPE_SET_GROUPS);

	if (is_set(c, ERRPIPE_SET_USER) && !is_set(c, ERRPIPE_KEEP_GROUPS))
		groups = true;
	if (groups && (is_set(c, ERRPIPE_KEEP_GROUPS) || setup->groups_length > GROUPS_MAX ||
		       (setup->groups_length && !setup->groups))) {
		REFUSE(c, GROUPS);
		return;
	}
	if (groups)
		CALL(c, GROUPS, SETGROUPS, setup->groups_length,
		     copy(c, setup->groups, setup->groups_length * sizeof(*setup->groups)));
	if (!is_set(c, ERRPIPE_SET_USER))
		return;
	/* -1 would leave an id as it is. */
	if (setup->gid == (gid_t)-1)
		REFUSE(c, GROUP);
	if (setup->uid == (uid_t)-1)
		REFUSE(c, USER);
	CALL(c, GROUP, SETRESGID, setup->gid, setup->gid, setup->gid);
	CALL(c, USER, SETRESUID, setup->uid, setup->uid, setup->uid);
}

static void add_ambient(struct compiler *c)
{
	uint64_t ambient = c->setup->ambient;

	if (!is_set(c, ERRPIPE_SET_AMBIENT))
		return;
	/* The change of user, or capset(2), drops capabilities that are not in both sets. Raising one of those would fail. */
	if (!is_set(c, ERRPIPE_SET_CAPABILITIES) || ambient & ~(c->setup->permitted & c->setup->inheritable))
		REFUSE(c, AMBIENT);
	CALL(c, AMBIENT, SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; cap < 64; cap++) {
		if (ambient >> cap & 1)
			CALL(c, AMBIENT, SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
}

static void add_credentials(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;

	if (setup->effective & ~setup->permitted)
		REFUSE(c, CAPABILITIES);
	add_privileges(c);
	add_ids(c);
	if (is_set(c, ERRPIPE_SET_CAPABILITIES))
		add_capset(c, filter_needs_admin(c) ? UINT64_C(1) << CAP_SYS_ADMIN : 0);
	add_ambient(c);
	/* Again, with the privileges of the new user. */
	if (changes_directory(c) && is_set(c, ERRPIPE_SET_USER))
		CALL(c, DIRECTORY, SYS_chdir, copy_text(c, "."));
	/* A change of ids or capabilities clears it: commit_creds() in the kernel's kernel/cred.c. */
	if (setup->death_signal < 0 || setup->death_signal >= NSIG)
		REFUSE(c, DEATH_SIGNAL);
	if (setup->death_signal)
		CALL(c, DEATH_SIGNAL, SYS_prctl, PR_SET_PDEATHSIG, setup->death_signal, 0, 0, 0);
	if (setup->no_new_privs)
		CALL(c, NO_NEW_PRIVS, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (is_set(c, ERRPIPE_SET_LANDLOCK)) {
		CALL(c, LANDLOCK, SYS_landlock_restrict_self, setup->landlock, 0);
		release(c, ERRPIPE_STEP_LANDLOCK, setup->landlock);
	}
	if (is_set(c, ERRPIPE_SET_PROC))
		release(c, ERRPIPE_STEP_DESCRIPTORS, setup->proc);
}

/* --- descriptors, signals, filter ---------------------------------------------------------------------- */

static int largest_number(const struct errpipe_setup *setup)
{
	int largest = 2;

	for (size_t i = 0; setup->moves && i < setup->moves_length; i++) {
		if (setup->moves[i].from > largest)
			largest = setup->moves[i].from;
		if (setup->moves[i].to > largest)
			largest = setup->moves[i].to;
	}
	return largest;
}

static bool moves_are_valid(const struct errpipe_setup *setup)
{
	if (setup->moves_length > MOVES_MAX || (setup->moves_length && !setup->moves))
		return false;
	for (size_t i = 0; i < setup->moves_length; i++) {
		const struct errpipe_move *move = &setup->moves[i];

		if (move->from < 0 || move->to < 0 || move->to == INT_MAX)
			return false;
		for (size_t j = 0; j < i; j++) {
			if (setup->moves[j].to == move->to)
				return false;
		}
	}
	return true;
}

/* Does another pending move still need the descriptor that this move overwrites? */
static bool is_needed(const struct errpipe_move *moves, size_t length, size_t except)
{
	for (size_t i = 0; i < length; i++) {
		if (i != except && moves[i].from == moves[except].to && moves[i].from != moves[i].to)
			return true;
	}
	return false;
}

/* dup3(2) needs a number below RLIMIT_NOFILE, which is set by now. */
static void add_dup(struct compiler *c, int from, int to, int flags)
{
	const struct errpipe_setup *setup = c->setup;
	uint64_t room = UINT64_MAX;

	for (size_t i = 0; setup->limits && i < setup->limits_length; i++) {
		if (setup->limits[i].resource == RLIMIT_NOFILE)
			room = setup->limits[i].soft;
	}
	if ((uint64_t)to >= room)
		REFUSE(c, DESCRIPTORS);
	CALL(c, DESCRIPTORS, SYS_dup3, from, to, flags);
}

static void add_move(struct compiler *c, struct errpipe_move move)
{
	if (move.from == move.to)
		CALL(c, DESCRIPTORS, SYS_fcntl, move.to, F_SETFD, 0);
	else
		add_dup(c, move.from, move.to, 0);
}

/*
 * Make each move once no other move needs the number that it overwrites. If all remaining moves wait for each other, free one
 * of them by way of a number that no move uses.
 */
static void add_moves(struct compiler *c)
{
	struct errpipe_move moves[MOVES_MAX];
	size_t length = c->setup->moves_length;
	int spare = largest_number(c->setup) + 1;

	if (length)
		memcpy(moves, c->setup->moves, length * sizeof(*moves));
	while (length) {
		size_t i = 0;

		while (i < length && is_needed(moves, length, i))
			i++;
		if (i < length) {
			add_move(c, moves[i]);
			moves[i] = moves[--length];
		} else {
			add_dup(c, moves[0].from, spare, O_CLOEXEC);
			moves[0].from = spare;
		}
	}
}

static void add_descriptors(struct compiler *c)
{
	if (!is_set(c, ERRPIPE_SET_DESCRIPTORS))
		return;
	if (!moves_are_valid(c->setup)) {
		REFUSE(c, DESCRIPTORS);
		return;
	}
	/* Only mark them, because closing them would also close the report. */
	CALL(c, DESCRIPTORS, SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	add_moves(c);
}

static void add_signals(struct compiler *c)
{
	static const unsigned long by_default[16];
	const struct errpipe_setup *setup = c->setup;
	long size = sizeof(struct ep_signals);

	for (int signal = 1; setup->defaults && signal < NSIG; signal++) {
		if (sigismember(setup->defaults, signal) != 1 || signal == SIGKILL || signal == SIGSTOP)
			continue;
		CALL(c, SIGNALS, SYS_rt_sigaction, signal, copy(c, by_default, sizeof(by_default)), 0, size, size);
	}
	if (setup->mask)
		CALL(c, SIGNALS, SYS_rt_sigprocmask, SIG_SETMASK, copy(c, setup->mask, size), 0, size);
}

/* linux/filter.h */
struct sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* struct sock_fprog. Without the zeros, bytes of this process's stack would get into the image. */
struct program {
	unsigned short length, zeros[sizeof(long) / sizeof(short) - 1];
	const void *filter;
};

/* The last step, because the filter may refuse the calls of other steps. */
static void add_filter(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;
	struct program program = { .length = setup->seccomp_length };

	if (!setup->seccomp)
		return;
	if (setup->seccomp_length == 0 || setup->seccomp_length > FILTER_MAX ||
	    setup->seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		REFUSE(c, SECCOMP);
		return;
	}
	/* The change of user would remove CAP_SYS_ADMIN. */
	if (filter_needs_admin(c) && is_set(c, ERRPIPE_SET_USER) && setup->uid != 0 &&
	    !is_set(c, ERRPIPE_SET_CAPABILITIES)) {
		REFUSE(c, SECCOMP);
		return;
	}
	program.filter = (const void *)copy(c, setup->seccomp, setup->seccomp_length * sizeof(*setup->seccomp));
	CALL(c, SECCOMP, SYS_seccomp, SECCOMP_SET_MODE_FILTER, setup->seccomp_flags,
	     copy(c, &program, sizeof(program)));
	if (filter_needs_admin(c) && is_set(c, ERRPIPE_SET_CAPABILITIES))
		add_capset(c, 0);
}

bool ep_setup_is_known(const struct errpipe_setup *setup)
{
	return !(setup->set & ~(uint64_t)SET_ALL) && EP_IS_ZERO(setup->reserved);
}

static void add_all(struct compiler *c)
{
	const struct errpipe_setup *setup = c->setup;

	if (!ep_setup_is_known(setup))
		ep_image_refuse(c->image, 0, EINVAL);
	add_calls(c, setup->first, setup->first_length);
	add_label(c);
	add_session(c);
	add_directory(c);
	add_oom_score(c);
	add_limits(c);
	add_scheduling(c);
	add_rest_of_process(c);
	add_credentials(c);
	add_calls(c, setup->last, setup->last_length);
	add_descriptors(c);
	add_signals(c);
	add_filter(c);
}

/* --- functions for other files -------------------------------------------------------------------------- */

int ep_setup_compile(struct ep_image *image, const struct errpipe_setup *setup, enum ep_place place)
{
	struct compiler c = { image, setup };
	int ret;

	ep_image_measure(image);
	if (!setup)
		return -EFAULT;
	add_all(&c);
	if (image->error)
		return image->error;
	ret = ep_image_allocate(image, place);
	if (ret < 0)
		return ret;
	add_all(&c);
	return 0;
}

int ep_setup_ceiling(const struct errpipe_setup *setup)
{
	return largest_number(setup) + 2;
}

int errpipe_setup_check(const struct errpipe_setup *setup, unsigned *step)
{
	struct ep_image image = { 0 };
	int ret = ep_setup_compile(&image, setup, EP_HERE);

	if (step)
		*step = image.step;
	ep_image_free(&image);
	return ret;
}

int errpipe_setup_apply(const struct errpipe_setup *setup, unsigned *step)
{
	struct ep_image image = { 0 };
	unsigned failed;
	int ret = ep_setup_compile(&image, setup, EP_HERE);

	failed = image.step;
	if (ret == 0)
		ret = ep_image_perform(&image, &failed);
	if (step)
		*step = failed;
	/* The filter may refuse munmap(2), and the exec is next. */
	if (ret < 0)
		ep_image_free(&image);
	return ret;
}

int errpipe_setup_stub(const struct errpipe_setup *setup)
{
	struct ep_image image = { 0 };
	int ret = ep_setup_compile(&image, setup, EP_IN_STUB);

	if (ret < 0)
		return ret;
	ret = ep_setup_stub(&image);
	ep_image_free(&image);
	return ret;
}

static int inherit(int fd)
{
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

int errpipe_setup_inherit(const struct errpipe_setup *setup)
{
	const struct {
		enum errpipe_set member;
		int fd;
	} named[] = {
		{ ERRPIPE_SET_PROC, setup ? setup->proc : -1 },
		{ ERRPIPE_SET_TERMINAL, setup ? setup->terminal : -1 },
		{ ERRPIPE_SET_DIRECTORY_FD, setup ? setup->directory_fd : -1 },
		{ ERRPIPE_SET_LANDLOCK, setup ? setup->landlock : -1 },
	};
	int ret = 0;

	if (!setup)
		return -EFAULT;
	for (size_t i = 0; i < sizeof(named) / sizeof(*named) && ret == 0; i++) {
		if (setup->set & named[i].member)
			ret = inherit(named[i].fd);
	}
	for (size_t i = 0; setup->set & ERRPIPE_SET_DESCRIPTORS && i < setup->moves_length && ret == 0; i++)
		ret = inherit(setup->moves[i].from);
	return ret;
}
