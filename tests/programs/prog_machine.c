/* SPDX-License-Identifier: MIT */
/*
 * prog_machine: try each ability that tests depend on and that a machine's kernel may lack. It prints a line for each:
 * the name, a tab, and the reason if this machine lacks the ability. scripts/build/machine adds the container runtimes.
 *
 * Each attempt has a process of its own, and its namespaces end with that process.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuse.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008 /* Linux 6.3 */
#endif
#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* Linux 6.14 */
#endif
#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3) /* Linux 5.0 */
#endif
#define NOSYMFOLLOW 256 /* linux/mount.h: MS_NOSYMFOLLOW, Linux 5.10 */

enum { NOBODY = 65534 };

static char directory[] = "/tmp/errpipe-machine.XXXXXX";

/* An attempt returns NULL or a text about its failure, to which the caller adds errno. */
#define NO_ERRNO(text) (errno = 0, (text))

static const char *root(void)
{
	if (geteuid() != 0)
		return NO_ERRNO("an ordinary user runs the tests");
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return "root cannot become another user";
	return NULL;
}

/* Every user, group and capability that tests of setups use, in a user namespace or not. */
static const char *any_credentials(void)
{
	static const int needed[] = { CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SYS_ADMIN };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	const gid_t groups[] = { 7, 70000 };

	if (syscall(SYS_capget, &header, data) < 0)
		return "capget is refused";
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (!(data[0].effective >> needed[i] & 1))
			return NO_ERRNO("the tests run without the capabilities for every step of a setup");
	}
	if (setgroups(2, groups) < 0 || setresgid(20, 20, 20) < 0 || setresuid(1000, 1000, 1000) < 0)
		return "the tests cannot become every user";
	return NULL;
}

static const char *x86_64(void)
{
#ifdef __x86_64__
	return NULL;
#else
	return NO_ERRNO("this machine is not x86-64");
#endif
}

/* Run a program that consists of these bytes. Returns its wait status, or -1 with errno if its exec fails. */
static int start(const unsigned char *bytes, size_t size)
{
	char *argv[] = { (char *)"program", NULL };
	int fd = memfd_create("program", MFD_CLOEXEC), failed[2], error, status;
	pid_t pid;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || pipe2(failed, O_CLOEXEC) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH);
		_exit(write(failed[1], &errno, sizeof(errno)) < 0);
	}
	close(failed[1]);
	waitpid(pid, &status, 0);
	if (read(failed[0], &error, sizeof(error)) != sizeof(error))
		return status;
	errno = error;
	return -1;
}

static const char *programs_of_32_bits(void)
{
	/* The smallest such program, which exits with 42 (muppetlabs.com/~breadbox/software/tiny). */
	static const unsigned char i386[] = {
		/* clang-format off */
		0x7f, 'E', 'L', 'F', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0x20, 0, 1, 0,
		0x20, 0, 1, 0, 4, 0, 0, 0, 0xb3, 42, 0x31, 0xc0, 0x40, 0xcd, 0x80, 0, 0x34, 0, 0x20, 0, 1,
		/* clang-format on */
	};
	int status;

	if (x86_64())
		return x86_64();
	status = start(i386, sizeof(i386));
	if (status >= 0)
		errno = 0;
	return status == 42 << 8 ? NULL : "the kernel cannot run 32-bit programs";
}

static const char *foreign_programs_fail(void)
{
	/* The header of a program for arm64, or for x86-64 if this machine is arm64. */
	static const unsigned char foreign[64] = { 0x7f,      'E', 'L', 'F', 2, 1, 1, [16] = 2,
#ifdef __aarch64__
						   [18] = 62,
#else
						   [18] = 183,
#endif
						   [20] = 1 };

	return start(foreign, sizeof(foreign)) < 0 && errno == ENOEXEC
		       ? NULL
		       : NO_ERRNO("binfmt_misc on this machine runs programs of other architectures");
}

/* An x32 system call fails if the kernel cannot run x32 programs. */
static const char *no_x32(void)
{
#ifdef __x86_64__
	if (syscall(0x40000000 | SYS_getpid) >= 0)
		return NO_ERRNO("the kernel runs x32 programs");
#endif
	return NULL;
}

static const char *user_namespaces(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return "user namespaces are refused";
	if (unshare(CLONE_NEWNS) < 0)
		return "mount namespaces are refused to a user namespace";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno == EINVAL ? NO_ERRNO("/ is not a mount point, as in a plain chroot")
				       : "no mount may be changed";
	return mount("none", directory, "tmpfs", 0, NULL) < 0 ? "a user namespace may not mount a tmpfs" : NULL;
}

static const char *binfmt_misc(void)
{
	const char *why = user_namespaces();

	if (why)
		return why;
	return mount("none", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) < 0
		       ? "a user namespace cannot mount a binfmt_misc of its own"
		       : NULL;
}

static const char *mount_namespaces(void)
{
	if (geteuid() != 0)
		return root();
	if (unshare(CLONE_NEWNS) < 0)
		return "mount namespaces are refused";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno == EINVAL ? NO_ERRNO("/ is not a mount point, as in a plain chroot")
				       : "no mount may be changed";
	return mount("none", directory, "tmpfs", 0, NULL) < 0 ? "root may not mount a tmpfs" : NULL;
}

static const char *pid_namespaces(void)
{
	const char *why = mount_namespaces();
	int status;
	pid_t pid;

	if (why)
		return why;
	if (unshare(CLONE_NEWPID) < 0)
		return "pid namespaces are refused";
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 1 && mount("proc", "/proc", "proc", 0, NULL) == 0 ? 0 : errno);
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return status ? "a pid namespace cannot have a /proc of its own" : NULL;
}

static const char *fuse(void)
{
	const char *why = mount_namespaces();

	if (why)
		return why;
	return fuse_mount(directory, "machine") < 0 ? "FUSE cannot be mounted" : NULL;
}

static const char *nosymfollow(void)
{
	char path[64];
	const char *why = mount_namespaces();

	if (why)
		return why;
	if (mount("none", directory, "tmpfs", NOSYMFOLLOW, NULL) < 0)
		return "a tmpfs cannot be mounted with nosymfollow";
	snprintf(path, sizeof(path), "%s/link", directory);
	if (symlink("/", path) < 0)
		return "a symbolic link cannot be made";
	/* Linux before 5.10 ignores the flag. */
	return access(path, F_OK) == 0 ? NO_ERRNO("nosymfollow has no effect") : NULL;
}

static const char *seccomp(void)
{
	struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct sock_fprog program = { 1, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return "seccomp filters are refused";
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) < 0)
		return "seccomp filters with a listener are refused";
	return NULL;
}

static const char *landlock(void)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE };
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return "landlock cannot be used";
	return NULL;
}

static const char *tracing(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		return NULL;
	}
	errno = WEXITSTATUS(status);
	return "ptrace is refused";
}

static const char *executable_seals(void)
{
	return memfd_create("seals", MFD_NOEXEC_SEAL) < 0 ? "MFD_NOEXEC_SEAL needs Linux 6.3" : NULL;
}

static const char *exec_check(void)
{
	char *argv[] = { (char *)"sh", NULL };

	return syscall(SYS_execveat, AT_FDCWD, "/bin/sh", argv, argv + 1, AT_EXECVE_CHECK) < 0
		       ? "AT_EXECVE_CHECK needs Linux 6.14"
		       : NULL;
}

/* A file in /tmp, where tests put theirs. */
static int new_file(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", directory);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
}

static const char *privileged_files(void)
{
	static const struct vfs_cap_data none = { .magic_etc = VFS_CAP_REVISION_2 };
	int fd = new_file();
	struct statvfs fs;

	if (fsetxattr(fd, "security.capability", &none, XATTR_CAPS_SZ_2, 0) < 0)
		return geteuid() == 0 ? "files in /tmp cannot have capabilities" : root();
	if (fstatvfs(fd, &fs) < 0 || fs.f_flag & ST_NOSUID)
		return NO_ERRNO("/tmp is mounted nosuid");
	return NULL;
}

static const char *access_lists(void)
{
	/* linux/posix_acl_xattr.h: the version, then the tag, rights and id of each entry. These rights match the mode. */
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, rights;
			uint32_t id;
		} entry[3];
	} list = {
		htole32(2),
		{ { htole16(1), htole16(7), ~0U }, { htole16(4), htole16(5), ~0U }, { htole16(32), htole16(5), ~0U } }
	};

	return fsetxattr(new_file(), "system.posix_acl_access", &list, sizeof(list), 0) < 0
		       ? "files in /tmp cannot have an ACL"
		       : NULL;
}

static const char *orphans_of_init(void)
{
	int said[2], status;
	char ok = 0;
	pid_t pid;

	if (pipe(said) < 0)
		return "a pipe cannot be made";
	pid = fork();
	if (pid == 0) {
		pid = getpid();
		if (fork() != 0)
			_exit(0);
		while (getppid() == pid)
			usleep(1000);
		ok = getppid() == 1;
		_exit(write(said[1], &ok, 1) != 1);
	}
	waitpid(pid, &status, 0);
	close(said[1]);
	return read(said[0], &ok, 1) == 1 && ok ? NULL : NO_ERRNO("process 1 does not become the parent of orphans");
}

static const char *labels(void)
{
	return access("/proc/thread-self/attr/exec", F_OK) < 0 ? "no security module labels processes" : NULL;
}

static const char *securityfs(void)
{
	return access("/sys/kernel/security", F_OK) < 0 ? "/sys has no directory for securityfs" : NULL;
}

static bool takes_label(const char *file, const char *label)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, label, strlen(label)) == (ssize_t)strlen(label);
}

/* tests/system/init loads it. */
static const char *apparmor_profile(void)
{
	return takes_label("/proc/thread-self/attr/apparmor/exec", "exec errpipe-test")
		       ? NULL
		       : "AppArmor is off, or does not have the profile of the tests";
}

/* Without a policy, SELinux knows only the names of its initial contexts (security/selinux/include/initial_sid_to_string.h). */
static const char *selinux_without_policy(void)
{
	return takes_label("/proc/thread-self/attr/exec", "unlabeled") ? NULL : "SELinux is off, or has a policy";
}

static const struct {
	const char *name;
	const char *(*attempt)(void);
} abilities[] = {
	{ "32-bit-programs", programs_of_32_bits },
	{ "access-lists", access_lists },
	{ "any-credentials", any_credentials },
	{ "apparmor-profile", apparmor_profile },
	{ "binfmt-misc", binfmt_misc },
	{ "exec-check", exec_check },
	{ "executable-seals", executable_seals },
	{ "foreign-programs-fail", foreign_programs_fail },
	{ "fuse", fuse },
	{ "labels", labels },
	{ "landlock", landlock },
	{ "mount-namespaces", mount_namespaces },
	{ "no-x32", no_x32 },
	{ "nosymfollow", nosymfollow },
	{ "orphans-of-init", orphans_of_init },
	{ "pid-namespaces", pid_namespaces },
	{ "privileged-files", privileged_files },
	{ "root", root },
	{ "seccomp", seccomp },
	{ "securityfs", securityfs },
	{ "selinux-without-policy", selinux_without_policy },
	{ "tracing", tracing },
	{ "user-namespaces", user_namespaces },
	{ "x86-64", x86_64 },
};

static void attempt(const char *(*attempt)(void))
{
	const char *why;

	alarm(60);
	why = attempt();
	if (why && errno)
		printf("%s (%s)", why, strerror(errno));
	else if (why)
		printf("%s", why);
	fflush(stdout);
	_exit(0);
}

int main(void)
{
	char path[64];

	if (!mkdtemp(directory) || chmod(directory, 0755) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(abilities) / sizeof(*abilities); i++) {
		int status;
		pid_t pid;

		printf("%s\t", abilities[i].name);
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			attempt(abilities[i].attempt);
		waitpid(pid, &status, 0);
		puts(status ? "the attempt itself fails" : "");
	}
	snprintf(path, sizeof(path), "%s/file", directory);
	unlink(path);
	return rmdir(directory) != 0;
}
