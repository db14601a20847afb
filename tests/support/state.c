/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cases.h"
#include "fixture.h"
#include "state.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008 /* Linux 6.3 */
#endif

/* Numbers that tests/cases.txt mentions. */
enum { MEMFD = 99, LONG_STRING = 128 * 1024, SMALL_STACK = 512 * 1024 };

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* The result of a call that older kernels lack, or that containers may forbid. */
static int supported(long ret)
{
	if (ret < 0 && (errno == ENOSYS || errno == EPERM || errno == EOPNOTSUPP))
		return -EOPNOTSUPP;
	return result(ret);
}

/* --- argv ------------------------------------------------------------------------------------- */

static char *long_string(size_t length)
{
	char *string = keep(malloc(length + 1));

	memset(string, 'x', length);
	string[length] = '\0';
	return string;
}

static const struct {
	const char *state;
	int count;
	size_t length;
} args[] = {
	{ "args-one-string", 1, LONG_STRING },
	{ "args-many-strings", 64, LONG_STRING - 1 },
	{ "args-small-stack", 3, 100000 },
};

char **state_argv(const char *state, char *path)
{
	size_t n = 0;
	char **argv;
	int count;

	while (n < sizeof(args) / sizeof(*args) && (!state || strcmp(args[n].state, state) != 0))
		n++;
	count = n < sizeof(args) / sizeof(*args) ? args[n].count : 0;

	argv = keep(calloc(count + 2, sizeof(*argv)));
	argv[0] = path;
	for (int i = 0; i < count; i++)
		argv[i + 1] = long_string(args[n].length);
	return argv;
}

static int only_args(const char *argument, const char *fixture)
{
	(void)argument;
	(void)fixture;
	return 0;
}

static int small_stack(const char *argument, const char *fixture)
{
	const struct rlimit limit = { SMALL_STACK, SMALL_STACK };

	(void)argument;
	(void)fixture;
	return result(setrlimit(RLIMIT_STACK, &limit));
}

/* --- files ------------------------------------------------------------------------------------ */

static int busy(const char *name, const char *fixture)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", fixture, name);
	return result(open(path, O_WRONLY));
}

static int cwd_deleted(const char *argument, const char *fixture)
{
	char path[4096];

	(void)argument;
	snprintf(path, sizeof(path), "%s/cwd.XXXXXX", fixture);
	if (!mkdtemp(path) || chmod(path, 0755) < 0 || chdir(path) < 0)
		return -errno;
	return result(rmdir(path));
}

static int memfd_noexec(const char *argument, const char *fixture)
{
	int fd = syscall(SYS_memfd_create, "noexec", MFD_NOEXEC_SEAL);

	(void)argument;
	(void)fixture;
	if (fd < 0)
		return errno == EINVAL ? -EOPNOTSUPP : -errno; /* the flag is new in Linux 6.3 */
	return result(dup2(fd, MEMFD));
}

static int noexec_mount(const char *argument, const char *fixture)
{
	char path[4096];

	(void)argument;
	snprintf(path, sizeof(path), "%s/noexec", fixture);
	if (unshare(CLONE_NEWNS) < 0)
		return supported(-1);
	/* EINVAL: / is not a mount point. A plain chroot causes that. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno == EINVAL ? -EOPNOTSUPP : supported(-1);
	if (mount(path, path, NULL, MS_BIND, NULL) < 0)
		return supported(-1);
	return result(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL));
}

/* --- rights ----------------------------------------------------------------------------------- */

static int leave_groups(void)
{
	if (setgroups(0, NULL) < 0)
		return -1;
	return setresgid(NOBODY, NOBODY, NOBODY);
}

/* A missing directory needs no rule: it holds nothing to execute. */
static int allow_beneath(int ruleset, const char *directory)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE,
		.parent_fd = open(directory, O_PATH | O_CLOEXEC),
	};
	int ret;

	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = result(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
	close(rule.parent_fd);
	return ret;
}

static int landlock(const char *argument, const char *fixture)
{
	static const char *const system[] = { "/usr", "/lib", "/lib32", "/lib64", "/libx32" };
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE,
	};
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	char bin[4096];
	int ret;

	(void)argument;
	if (ruleset < 0)
		return supported(-1);
	snprintf(bin, sizeof(bin), "%s/bin", fixture);
	ret = allow_beneath(ruleset, bin);
	for (size_t i = 0; i < sizeof(system) / sizeof(*system) && ret == 0; i++)
		ret = allow_beneath(ruleset, system[i]);
	if (ret == 0)
		ret = result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (ret == 0)
		ret = supported(syscall(SYS_landlock_restrict_self, ruleset, 0));
	close(ruleset);
	return ret;
}

/* The file system may not support file capabilities, and on a nosuid mount the kernel ignores them. */
static int capbset(const char *argument, const char *fixture)
{
	struct statvfs fs;
	char path[4096];

	(void)argument;
	snprintf(path, sizeof(path), "%s/file-capability", fixture);
	if (getxattr(path, "security.capability", NULL, 0) < 0)
		return -EOPNOTSUPP;
	if (statvfs(path, &fs) < 0 || fs.f_flag & ST_NOSUID)
		return -EOPNOTSUPP;
	return supported(prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0));
}

/* The libc function would change all threads. */
static int set_uid_of_thread(void)
{
#ifdef SYS_setresuid32
	return result(syscall(SYS_setresuid32, NOBODY, NOBODY, NOBODY));
#else
	return result(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
#endif
}

/* A second task with uid 65534. A thread ends with its process and leaves no zombie. */
static void *be_another(void *ready)
{
	set_uid_of_thread();
	sem_post(ready);
	while (pause() < 0)
		;
	return NULL;
}

/* setresuid(2) counts the tasks of the new uid, but the kernel refuses only at execve(2). */
static int nproc(const char *argument, const char *fixture)
{
	const struct rlimit none = { 0, 0 };
	pthread_t thread;
	sem_t ready;

	(void)argument;
	(void)fixture;
	if (leave_groups() < 0)
		return -errno;
	sem_init(&ready, 0, 0);
	errno = pthread_create(&thread, NULL, be_another, &ready);
	if (errno)
		return -errno;
	while (sem_wait(&ready) < 0 && errno == EINTR)
		;
	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return -errno;
	return set_uid_of_thread();
}

/* --- seccomp ---------------------------------------------------------------------------------- */

static int refuse(long number, const char *error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error_number(error)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	if (error_number(error) < 0)
		return -EINVAL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return supported(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

static int seccomp(const char *error, const char *fixture)
{
	(void)fixture;
	return refuse(SYS_execve, error);
}

static int seccomp_execveat(const char *error, const char *fixture)
{
	(void)fixture;
	return refuse(SYS_execveat, error);
}

static int seccomp_fcntl(const char *error, const char *fixture)
{
	int ret = 0;

	(void)fixture;
#ifdef SYS_fcntl64
	ret = refuse(SYS_fcntl64, error);
#endif
#ifdef SYS_fcntl
	if (ret == 0)
		ret = refuse(SYS_fcntl, error);
#endif
	return ret;
}

static int seccomp_close_on_exec(const char *error, const char *fixture)
{
	int ret = seccomp_fcntl(error, fixture);

	return ret < 0 ? ret : refuse(SYS_ioctl, error);
}

/* An x32 system call returns ENOSYS if the kernel cannot run x32 programs. */
static int no_x32(const char *argument, const char *fixture)
{
	(void)argument;
	(void)fixture;
#ifdef __x86_64__
	if (syscall(0x40000000 | SYS_getpid) >= 0)
		return -EOPNOTSUPP;
#endif
	return 0;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct state {
	const char *name;
	int (*enter)(const char *argument, const char *fixture);
	const char *needs;
} states[] = {
	{ "args-one-string", only_args, NULL },
	{ "args-many-strings", only_args, NULL },
	{ "args-small-stack", small_stack, NULL },
	{ "busy", busy, NULL },
	{ "capbset", capbset, "needs privileged-files" },
	{ "cwd-deleted", cwd_deleted, NULL },
	{ "landlock", landlock, "needs landlock" },
	{ "memfd-noexec", memfd_noexec, "needs executable-seals" },
	{ "no-x32", no_x32, "needs no-x32" },
	{ "noexec-mount", noexec_mount, "needs mount-namespaces" },
	{ "nproc", nproc, NULL },
	{ "seccomp", seccomp, "needs seccomp" },
	{ "seccomp-close-on-exec", seccomp_close_on_exec, "needs seccomp" },
	{ "seccomp-execveat", seccomp_execveat, "needs seccomp" },
	{ "seccomp-fcntl", seccomp_fcntl, "needs seccomp" },
};

static const struct state *find_state(const char *name)
{
	size_t length = strcspn(name, ":");

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (strlen(states[i].name) == length && strncmp(states[i].name, name, length) == 0)
			return &states[i];
	}
	return NULL;
}

int enter_state(const char *name, const char *fixture)
{
	const struct state *state = name ? find_state(name) : NULL;
	const char *argument = name ? strchr(name, ':') : NULL;

	if (!name)
		return 0;
	return state ? state->enter(argument ? argument + 1 : "", fixture) : -ENOENT;
}

const char *state_needs(const char *name)
{
	const struct state *state = name ? find_state(name) : NULL;

	return state && state->needs ? state->needs : name;
}

void leave_valgrind(char **argv)
{
	const char *preloaded = getenv("LD_PRELOAD");

	if (!preloaded || !strstr(preloaded, "valgrind") || getenv("ERRPIPE_LEFT_VALGRIND"))
		return;
	setenv("ERRPIPE_LEFT_VALGRIND", "1", 1);
	execv(argv[0], argv);
}

int become(enum identity identity)
{
	if (identity == AS_SELF || getuid() != 0)
		return 0;
	if (leave_groups() < 0)
		return -errno;
	return result(setresuid(NOBODY, NOBODY, NOBODY));
}

void default_signals(void)
{
	static const char none[64]; /* large enough for a kernel's sigset_t or struct sigaction */

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, none, NULL, _NSIG / 8);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, _NSIG / 8);
}
