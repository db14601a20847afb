/* SPDX-License-Identifier: MIT */
/*
 * Attacks from inside a container on a process that has become the stub and not yet the target. A target also attacks the
 * runtime that started it. The attacker is root with Docker's default capabilities and without a user namespace.
 *
 * Each attack is tried for real. Attacks that work are listed with their consequences.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "spawned.h"
#include "state.h"
#include "suite.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

static int make_stub(void)
{
	int fd = errpipe_stub();

	ck_assert_int_gt(fd, STDERR_FILENO);
	return fd;
}

/* --- a container -------------------------------------------------------------------------------------------- */

#define CAP(name) (1ULL << CAP_##name)

static const uint64_t docker = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FSETID) | CAP(FOWNER) | CAP(MKNOD) |
			       CAP(NET_RAW) | CAP(SETGID) | CAP(SETUID) | CAP(SETFCAP) | CAP(SETPCAP) |
			       CAP(NET_BIND_SERVICE) | CAP(SYS_CHROOT) | CAP(KILL) | CAP(AUDIT_WRITE);

static void take_docker_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct data[2] = { { docker, docker, 0 }, { docker >> 32, docker >> 32, 0 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (!(docker >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			_exit(98);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		_exit(98);
	/* A change of credentials can clear this (prctl(2)), as if the process had secrets. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

enum { NO_CONTAINER = 77 };

static int as_init(void (*runtime)(void))
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		return NO_CONTAINER;
	if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0 || chdir("/mnt") < 0)
		return NO_CONTAINER;
	runtime();
	return 0;
}

static int start_init(void (*runtime)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0 || unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		return NO_CONTAINER;
	pid = checked_fork();
	if (pid == 0)
		_exit(as_init(runtime));
	status = wait_for(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * Call runtime as the first process of new pid and mount namespaces, with all rights. Its leftovers end with the
 * namespaces. Returns false if this machine cannot do that. The caller keeps its own namespaces.
 */
static bool in_container(void (*runtime)(void))
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = checked_fork();
	if (pid == 0)
		_exit(start_init(runtime));
	status = wait_for(pid);
	if (status == NO_CONTAINER << 8)
		return false;
	ck_assert_int_eq(status, 0);
	return true;
}

/* Start path with the rights of a container. The process stops before its first exec and after each exec. */
static pid_t start_victim(int stub, const char *path)
{
	char *argv[] = { (char *)"victim", (char *)"x", NULL }, *envp[] = { (char *)"GIVEN=1", NULL };
	int report[2], status;
	pid_t pid;

	make_pipe(report);
	pid = checked_fork();
	if (pid == 0) {
		take_docker_capabilities();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		errpipe_exec(stub, 0, report[1], path, argv, envp);
		_exit(97);
	}
	close(report[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "status %#x", status);
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL), 0);
	return pid;
}

static void to_next_exec(pid_t pid)
{
	int status;

	ck_assert_int_eq(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "status %#x", status);
}

/* Returns a process that is stopped as the stub, before the stub's first instruction. */
static pid_t victim_in_stub(int stub)
{
	pid_t pid = start_victim(stub, "/bin/true");

	to_next_exec(pid);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (!WIFSIGNALED(wait_for(pid)))
		;
}

/* --- the stub afterwards ------------------------------------------------------------------------------------ */

static size_t read_file(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, size);

	ck_assert_msg(n >= 0, "%s: %d", path, errno);
	close(fd);
	return n;
}

static void assert_is_dmz(int stub)
{
	char *path = built_path("dmz"), have[8192], want[8192];
	size_t size = read_file(path, want, sizeof(want));

	ck_assert(size > 0);
	ck_assert_int_eq(pread(stub, have, sizeof(have), 0), size);
	ck_assert_mem_eq(have, want, size);
	free(path);
}

/* The stub must work if error is 0, and otherwise fail and report that error. */
static void assert_next_exec(int stub, int error)
{
	const struct errpipe_report report = try_stub(stub);

	ck_assert_int_eq(report.verdict, error ? ERRPIPE_SETUP_FAILED : ERRPIPE_STARTED);
	ck_assert_int_eq(report.step, error ? ERRPIPE_STEP_STUB : 0);
	ck_assert_int_eq(report.error, error);
	if (!error)
		ck_assert_int_eq(report.status, 0);
}

static bool have_seal_exec(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 3);
}

/* --- attacks on the file behind the stub -------------------------------------------------------------------- */

/* These attack while the victim is the stub. exe is its /proc/PID/exe. Each returns the result of its system call. */
static int at_chmod_0(const char *exe)
{
	return chmod(exe, 0);
}

static int at_chmod_644(const char *exe)
{
	return chmod(exe, 0644);
}

static int at_write(const char *exe)
{
	return open(exe, O_WRONLY | O_CLOEXEC);
}

static int at_read_write(const char *exe)
{
	return open(exe, O_RDWR | O_CLOEXEC);
}

static int at_open_truncate(const char *exe)
{
	return open(exe, O_WRONLY | O_TRUNC | O_CLOEXEC);
}

static int at_truncate(const char *exe)
{
	return truncate(exe, 0);
}

static int at_mount(const char *exe)
{
	return mount("/bin/sh", exe, NULL, MS_BIND, NULL);
}

static int at_unlink(const char *exe)
{
	return unlink(exe);
}

static int at_rename(const char *exe)
{
	return rename("/mnt/evil", exe);
}

static int at_link(const char *exe)
{
	return linkat(AT_FDCWD, exe, AT_FDCWD, "/mnt/mine", AT_SYMLINK_FOLLOW);
}

static int at_immutable(const char *exe)
{
	int flags = FS_IMMUTABLE_FL, fd = open(exe, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int at_seal(const char *exe)
{
	int fd = open(exe, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL);
}

static int at_map(const char *exe)
{
	int fd = open(exe, O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return -1;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static int at_fallocate(const char *exe)
{
	int fd = open(exe, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

/* Write to the stub's code through /proc/PID/mem. Others share that page, but the process gets a copy of its own. */
static int at_memory(const char *exe)
{
	char path[64], byte = 0x5a;
	int fd;

	snprintf(path, sizeof(path), "%.*smem", (int)(strlen(exe) - strlen("exe")), exe);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, &byte, 1, 0x400000) != 1)
		return -1;
	byte = 0;
	return pread(fd, &byte, 1, 0x400000) == 1 && byte == 0x5a ? 0 : -1;
}

/* The next three change the file, but to no effect. */
static int at_chmod_6777(const char *exe)
{
	return chmod(exe, 06777);
}

static int at_chown(const char *exe)
{
	return chown(exe, 65534, 65534);
}

static int at_file_capability(const char *exe)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0] = { CAP(NET_RAW), 0 },
		.data[1] = { ~0u, 0 },
	};

	return setxattr(exe, "security.capability", &data, sizeof(data), 0);
}

/* An access control list that grants nothing to owner, group and others (linux/posix_acl_xattr.h). */
static int at_acl(const char *exe)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entry[3];
	} acl = { 2, { { 1, 0, ~0u }, { 4, 0, ~0u }, { 0x20, 0, ~0u } } };

	return setxattr(exe, "system.posix_acl_access", &acl, sizeof(acl), 0);
}

static int at_read(const char *exe)
{
	return open(exe, O_RDONLY | O_CLOEXEC);
}

static const struct {
	const char *name;
	int (*attack)(const char *exe);
	int error;	/* errno of the attack, or 0 if it works */
	int next;	/* errno of the stub's next exec, or 0 if that still works */
	int error_file; /* errno of the attack on a stub that is a file, which always works afterwards */
	bool by_seal_exec;
} attacks[] = {
	{ "chmod 0", at_chmod_0, EPERM, 0, EROFS, true },
	{ "chmod 0644", at_chmod_644, EPERM, 0, EROFS, true },
	{ "open to write", at_write, ETXTBSY, 0, ETXTBSY, false },
	{ "open to read and write", at_read_write, ETXTBSY, 0, ETXTBSY, false },
	{ "open and truncate", at_open_truncate, ETXTBSY, 0, EROFS, false },
	{ "truncate", at_truncate, ETXTBSY, 0, EROFS, false },
	{ "mount over it", at_mount, EPERM, 0, EPERM, false },
	{ "unlink", at_unlink, EPERM, 0, EPERM, false },
	{ "rename", at_rename, EXDEV, 0, EXDEV, false },
	{ "link", at_link, EXDEV, 0, EXDEV, false },
	{ "make immutable", at_immutable, EPERM, 0, EROFS, false },
	{ "seal", at_seal, EPERM, 0, EPERM, false },
	{ "map to write", at_map, EACCES, 0, EACCES, false },
	{ "punch a hole", at_fallocate, EBADF, 0, EBADF, false },
	{ "write to its memory", at_memory, 0, 0, 0, false },
	{ "read", at_read, 0, 0, 0, false },
	{ "chmod 06777", at_chmod_6777, 0, 0, EROFS, false },
	{ "chown", at_chown, 0, 0, EROFS, false },
	{ "file capability", at_file_capability, 0, 0, EROFS, false },
	/* F_SEAL_EXEC does not check the mode that a list sets. */
	{ "access control list", at_acl, 0, EACCES, EROFS, false },
};
enum { ATTACKS = sizeof(attacks) / sizeof(*attacks) };

static int attack_number;

/* Attack with the rights of a container. Returns the errno. */
static int attack(int (*call)(const char *exe), pid_t victim)
{
	char exe[32];
	pid_t pid = checked_fork();
	int status;

	if (pid == 0) {
		take_docker_capabilities();
		close(open("/mnt/evil", O_WRONLY | O_CREAT, 0755));
		snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)victim);
		_exit(call(exe) < 0 ? errno : 0);
	}
	status = wait_for(pid);
	ck_assert_msg(WIFEXITED(status), "status %#x", status);
	return WEXITSTATUS(status);
}

static void assert_attack(int error, int expected)
{
	ck_assert_msg(error == expected, "%s: errno %d, not %d", attacks[attack_number].name, error, expected);
}

static void attack_while_in_stub(void)
{
	int stub = make_stub();
	pid_t victim = victim_in_stub(stub);

	assert_attack(attack(attacks[attack_number].attack, victim), attacks[attack_number].error);
	end(victim);
	assert_is_dmz(stub);
	assert_next_exec(stub, attacks[attack_number].next);
	/* Another container has another file as its stub. */
	assert_next_exec(make_stub(), 0);
}

START_TEST(while_in_stub)
{
	attack_number = _i;
	if (attacks[_i].by_seal_exec && !have_seal_exec())
		SKIP("needs executable-seals");
	if (!in_container(attack_while_in_stub))
		SKIP("needs pid-namespaces");
}
END_TEST

/* A stub that is a file on a read-only mount. */
static int mount_stub(void)
{
	char *from = built_path("dmz"), bytes[8192];
	size_t size = read_file(from, bytes, sizeof(bytes));
	int out;

	ck_assert(mkdir("/mnt/rw", 0755) == 0 && mkdir("/mnt/ro", 0755) == 0);
	out = open("/mnt/rw/dmz", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_eq(write(out, bytes, size), size);
	close(out);
	free(from);
	ck_assert_int_eq(mount("/mnt/rw", "/mnt/ro", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount(NULL, "/mnt/ro", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	out = errpipe_stub_file("/mnt/ro/dmz");
	ck_assert_int_gt(out, STDERR_FILENO);
	return out;
}

static void attack_while_in_file(void)
{
	int stub = mount_stub();
	pid_t victim = victim_in_stub(stub);

	assert_attack(attack(attacks[attack_number].attack, victim), attacks[attack_number].error_file);
	end(victim);
	assert_next_exec(stub, 0);
}

START_TEST(while_in_a_stub_that_is_a_file)
{
	attack_number = _i;
	if (!in_container(attack_while_in_file))
		SKIP("needs pid-namespaces");
}
END_TEST

/* --- attacks that begin while the process is the stub and continue afterwards ------------------------------- */

static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static int after_write(int fd)
{
	int writable = reopen(fd, O_RDWR), error;

	if (writable < 0)
		return -1;
	if (write(writable, "x", 1) >= 0 || ftruncate(writable, 0) == 0 || fchmod(writable, 0) == 0)
		return 0;
	error = errno;
	close(writable);
	errno = error;
	return -1;
}

static int after_truncate(int fd)
{
	return reopen(fd, O_WRONLY | O_TRUNC);
}

static int after_map(int fd)
{
	int writable = reopen(fd, O_RDWR), error;
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0);

	error = errno;
	close(writable);
	errno = error;
	return map == MAP_FAILED ? -1 : 0;
}

/* The stub cannot be modified, but a file that is open for writing cannot be exec'd. */
static int after_keep_open(int fd)
{
	return reopen(fd, O_WRONLY);
}

static const struct {
	const char *name;
	int (*attack)(int fd);
	int error, next, error_file; /* as above */
} later[] = {
	{ "write", after_write, EPERM, 0, EROFS },
	{ "truncate", after_truncate, EPERM, 0, EROFS },
	{ "map", after_map, EPERM, 0, EBADF },
	{ "keep it open to write", after_keep_open, 0, ETXTBSY, EROFS },
};
enum { LATER = sizeof(later) / sizeof(*later) };

/* An attacker writes the result of each step to done and waits for a byte from go before the next step. */
struct attacker {
	pid_t pid;
	int go[2], done[2];
};

static void attacker_says(const struct attacker *attacker, int result)
{
	if (write(attacker->done[1], &result, sizeof(result)) < 0)
		_exit(99);
}

static void attacker_waits(const struct attacker *attacker)
{
	char byte;

	if (read(attacker->go[0], &byte, 1) != 1)
		_exit(99);
}

static void let_go_on(const struct attacker *attacker)
{
	ck_assert_int_eq(write(attacker->go[1], "x", 1), 1);
}

static int result_of(const struct attacker *attacker)
{
	int result = -1;

	ck_assert_int_eq(read(attacker->done[0], &result, sizeof(result)), sizeof(result));
	return result;
}

/* The attacker opens the stub and reports that, then runs call and reports that. It keeps all descriptors until its end. */
static void start_attacker(struct attacker *attacker, pid_t victim, int flags, int (*call)(int fd))
{
	char exe[32];
	int fd;

	make_pipe(attacker->go);
	make_pipe(attacker->done);
	attacker->pid = checked_fork();
	if (attacker->pid > 0) {
		close(attacker->done[1]);
		return;
	}
	take_docker_capabilities();
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)victim);
	fd = open(exe, flags | O_CLOEXEC);
	attacker_says(attacker, fd < 0 ? errno : 0);
	attacker_waits(attacker);
	attacker_says(attacker, call(fd) < 0 ? errno : 0);
	attacker_waits(attacker);
	_exit(0);
}

static void attack_later(int stub, int error, int next)
{
	pid_t victim = victim_in_stub(stub);
	struct attacker attacker;

	start_attacker(&attacker, victim, O_PATH, later[attack_number].attack);
	ck_assert_int_eq(result_of(&attacker), 0);
	end(victim);
	let_go_on(&attacker);
	ck_assert_int_eq(result_of(&attacker), error);
	assert_next_exec(stub, next);
	let_go_on(&attacker);
	ck_assert_int_eq(wait_for(attacker.pid), 0);
	assert_next_exec(stub, 0);
}

static void attack_sealed_later(void)
{
	int stub = make_stub();

	attack_later(stub, later[attack_number].error, later[attack_number].next);
	assert_is_dmz(stub);
}

static void attack_file_later(void)
{
	attack_later(mount_stub(), later[attack_number].error_file, 0);
}

START_TEST(after_the_stub)
{
	attack_number = _i % LATER;
	if (!in_container(_i < LATER ? attack_sealed_later : attack_file_later))
		SKIP("needs pid-namespaces");
}
END_TEST

/*
 * A lease blocks every open(2) of others, including an exec's, for fs.lease-break-time seconds or until its holder gives
 * it up (fcntl(2), F_SETLEASE). This holder gives it up on request.
 */
static int hold_lease(int fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return fcntl(fd, F_SETLEASE, F_WRLCK);
}

static int wait_for_a_break(const struct attacker *attacker, int fd)
{
	sigset_t set;
	int signal;

	attacker_says(attacker, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigwait(&set, &signal);
	attacker_says(attacker, signal);
	return fcntl(fd, F_SETLEASE, F_UNLCK);
}

static struct attacker lessee;

static int after_lease(int fd)
{
	return hold_lease(fd) < 0 ? -1 : wait_for_a_break(&lessee, fd);
}

static void attack_by_lease(int stub)
{
	pid_t victim = victim_in_stub(stub);

	start_attacker(&lessee, victim, O_RDONLY, after_lease);
	ck_assert_int_eq(result_of(&lessee), 0);
	end(victim);
	let_go_on(&lessee);
	ck_assert_int_eq(result_of(&lessee), 0);
	assert_next_exec(stub, 0);
	/* The exec waited for the lease. Otherwise the killed holder would have left nothing to read. */
	kill(lessee.pid, SIGKILL);
	ck_assert_int_eq(result_of(&lessee), SIGIO);
	wait_for(lessee.pid);
}

static void attack_sealed_by_lease(void)
{
	attack_by_lease(make_stub());
}

static void attack_file_by_lease(void)
{
	attack_by_lease(mount_stub());
}

START_TEST(a_lease)
{
	if (!in_container(_i ? attack_file_by_lease : attack_sealed_by_lease))
		SKIP("needs pid-namespaces");
}
END_TEST

/* --- before F_SEAL_EXEC ------------------------------------------------------------------------------------- */

/* Simulate Linux before 6.3, whose fcntl(2) does not know F_SEAL_EXEC. */
static bool refuse_seal_exec(void)
{
#ifdef SYS_fcntl64
	unsigned call = SYS_fcntl64;
#else
	unsigned call = SYS_fcntl;
#endif
	unsigned low_half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + low_half),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_ADD_SEALS, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]) + low_half),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, F_SEAL_EXEC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

static void attack_old_stub(void)
{
	pid_t victim;
	int stub;

	if (!refuse_seal_exec())
		_exit(NO_CONTAINER);
	stub = make_stub();
	ck_assert_int_eq(fcntl(stub, F_GET_SEALS) & F_SEAL_EXEC, 0);
	victim = victim_in_stub(stub);
	ck_assert_int_eq(attack(at_chmod_0, victim), 0);
	ck_assert_int_eq(attack(at_write, victim), ETXTBSY);
	end(victim);
	assert_is_dmz(stub);
	assert_next_exec(stub, EACCES);
	assert_next_exec(make_stub(), 0);
}

START_TEST(without_seal_exec)
{
	if (!in_container(attack_old_stub))
		SKIP("needs pid-namespaces");
}
END_TEST

/* --- remains of the runtime --------------------------------------------------------------------------------- */

static char secret[33]; /* in the runtime's memory and environment */

static void make_secret(void)
{
	unsigned char bytes[16];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
	setenv("SECRET", secret, 1);
}

static bool range_has(int mem, unsigned long from, unsigned long to, const char *what)
{
	static char bytes[65536 + sizeof(secret)];
	size_t overlap = 0;

	while (from < to) {
		size_t want = to - from < 65536 ? to - from : 65536;
		ssize_t n = pread(mem, bytes + overlap, want, from);

		if (n <= 0)
			return false;
		if (memmem(bytes, overlap + n, what, strlen(what)))
			return true;
		from += n;
		/* The text may begin in this part and end in the next. */
		if (overlap + n > strlen(what)) {
			memmove(bytes, bytes + overlap + n - strlen(what), strlen(what));
			overlap = strlen(what);
		}
	}
	return false;
}

static FILE *open_of(pid_t pid, const char *name)
{
	char path[48];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: %d", path, errno);
	return file;
}

static bool memory_has(pid_t pid, const char *what)
{
	FILE *maps = open_of(pid, "maps"), *mem = open_of(pid, "mem");
	unsigned long from, to;
	bool found = false;
	char line[4096];
	int ranges = 0;

	while (!found && fgets(line, sizeof(line), maps)) {
		/* Skip the empty terabytes of sanitizers. */
		if (sscanf(line, "%lx-%lx r", &from, &to) == 2 && !strstr(line, "[v") && to - from < 1 << 28) {
			found = range_has(fileno(mem), from, to, what);
			ranges++;
		}
	}
	ck_assert_int_gt(ranges, 0);
	fclose(maps);
	fclose(mem);
	return found;
}

/* The maps must be the stub's own segment, the stack, and those that the kernel adds to every process. */
static void assert_maps_of_stub(pid_t pid, const char *stub)
{
	FILE *maps = open_of(pid, "maps");
	char line[4096];

	while (fgets(line, sizeof(line), maps)) {
		const char *name = strpbrk(line, "/[");

		line[strcspn(line, "\n")] = '\0';
		ck_assert_msg(name && (strcmp(name, stub) == 0 || *name == '['), "%s", line);
	}
	fclose(maps);
}

/* Count the descriptors that the process made itself instead of inheriting them from us. */
static int own_descriptors(pid_t pid)
{
	char path[48], target[8];
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		if (readlink(path, target, sizeof(target)) >= 0 && fcntl(fd, F_GETFD) != 0)
			count++;
	}
	return count;
}

static bool is_executable_of(pid_t pid, const struct stat *file)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino == file->st_ino && st.st_dev == file->st_dev;
}

static void assert_environ(pid_t pid)
{
	FILE *file = open_of(pid, "environ");
	char bytes[64];

	ck_assert_int_eq(fread(bytes, 1, sizeof(bytes), file), sizeof("GIVEN=1"));
	ck_assert_str_eq(bytes, "GIVEN=1");
	fclose(file);
}

enum { SOME_DIRECTORY = 300 };

static void open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup3(fd, SOME_DIRECTORY, O_CLOEXEC), SOME_DIRECTORY);
	close(fd);
}

static void look_at_each_stage(void)
{
	int stub = make_stub();
	struct stat self, memfd;
	char name[PATH_MAX];
	pid_t victim;

	path_behind(stub, name);
	make_secret();
	open_directory("/");
	ck_assert(stat("/proc/self/exe", &self) == 0 && fstat(stub, &memfd) == 0);
	victim = start_victim(stub, "/bin/true");

	/* Before the exec everything is still there. */
	ck_assert(memory_has(victim, secret));
	ck_assert(is_executable_of(victim, &self));
	ck_assert_int_gt(own_descriptors(victim), 1);

	to_next_exec(victim);
	ck_assert(is_executable_of(victim, &memfd));
	ck_assert(!memory_has(victim, secret));
	ck_assert(memory_has(victim, "GIVEN=1"));
	assert_maps_of_stub(victim, name);
	assert_environ(victim);
	ck_assert_int_eq(own_descriptors(victim), 1); /* the report */

	to_next_exec(victim);
	ck_assert(!is_executable_of(victim, &memfd));
	ck_assert(!memory_has(victim, secret));
	ck_assert(!memory_has(victim, strchr(name, '-'))); /* from '-' on the name is unique to this stub */
	assert_environ(victim);
	ck_assert_int_eq(own_descriptors(victim), 0);
	end(victim);
}

START_TEST(nothing_is_left)
{
	if (!in_container(look_at_each_stage))
		SKIP("needs pid-namespaces");
}
END_TEST

/* The runtime, which has all rights, is the parent of its target. */
static int at_parent_executable(const char *exe)
{
	(void)exe;
	return open("/proc/1/exe", O_RDONLY | O_CLOEXEC);
}

static int at_parent_memory(const char *exe)
{
	(void)exe;
	return open("/proc/1/mem", O_RDONLY | O_CLOEXEC);
}

static void attack_parent(void)
{
	ck_assert_int_eq(attack(at_parent_executable, 1), EACCES);
	ck_assert_int_eq(attack(at_parent_memory, 1), EACCES);
}

START_TEST(the_parent)
{
	if (!in_container(attack_parent))
		SKIP("needs pid-namespaces");
}
END_TEST

/* --- CVE-2019-5736: /proc/self/exe as the target ------------------------------------------------------------ */

static const char *const selves[] = { "/proc/self/exe", "/mnt/link", "/mnt/script" };
enum { SELVES = sizeof(selves) / sizeof(*selves) };

static void make_selves(void)
{
	int fd = open("/mnt/script", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	ck_assert_int_eq(dprintf(fd, "#!/proc/self/exe\n"), 17);
	close(fd);
	ck_assert_int_eq(symlink("/proc/self/exe", "/mnt/link"), 0);
}

static void exec_self(void)
{
	int stub = make_stub(), status;
	struct stat self, memfd;
	pid_t victim;

	make_selves();
	ck_assert(stat("/proc/self/exe", &self) == 0 && fstat(stub, &memfd) == 0);

	/* Without the stub, the target is the runtime, with arguments and libraries of the attacker's choice. */
	victim = start_victim(ERRPIPE_NO_STUB, selves[attack_number]);
	to_next_exec(victim);
	ck_assert(is_executable_of(victim, &self));
	ck_assert_int_eq(attack(at_read, victim), 0);
	end(victim);

	/* Through the stub, the target is the stub, which nobody can change. */
	victim = start_victim(stub, selves[attack_number]);
	to_next_exec(victim);
	to_next_exec(victim);
	ck_assert(is_executable_of(victim, &memfd));
	ck_assert_int_eq(attack(at_write, victim), ETXTBSY);
	ck_assert_int_eq(ptrace(PTRACE_CONT, victim, NULL, NULL), 0);
	status = wait_for(victim);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 125, "status %#x", status);
	assert_is_dmz(stub);
	assert_next_exec(stub, 0);
}

START_TEST(the_target_is_oneself)
{
	attack_number = _i;
	if (!in_container(exec_self))
		SKIP("needs pid-namespaces");
}
END_TEST

/* --- CVE-2024-21626: a way out through a descriptor of the runtime ------------------------------------------ */

static const struct {
	const char *path;
	bool chdir; /* first change to the directory of descriptor 300 */
	int error;  /* errno through the stub */
} ways_out[] = {
	{ "/proc/self/fd/300/outside/program", false, ENOENT },
	{ "/proc/self/fd/300/outside/../outside/program", false, ENOENT },
	{ "/link/outside/program", false, ENOENT },
	/* The working directory is not a descriptor. The runtime has to check it. */
	{ "outside/program", true, 0 },
};
enum { WAYS_OUT = sizeof(ways_out) / sizeof(*ways_out) };

/* Make /mnt/outside/program, a static program, and /mnt/root, a root directory without it. */
static void make_root(void)
{
	char *from = built_path("dmz"), bytes[8192];
	size_t size = read_file(from, bytes, sizeof(bytes));
	int fd;

	ck_assert_int_eq(mkdir("/mnt/outside", 0755), 0);
	ck_assert(mkdir("/mnt/root", 0755) == 0 && mkdir("/mnt/root/proc", 0755) == 0);
	ck_assert_int_eq(mount("proc", "/mnt/root/proc", "proc", 0, NULL), 0);
	ck_assert_int_eq(symlink("/proc/self/fd/300", "/mnt/root/link"), 0);
	fd = open("/mnt/outside/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_eq(write(fd, bytes, size), size);
	close(fd);
	free(from);
}

static void exec_in_root(int stub, struct errpipe_report *report)
{
	char *argv[] = { (char *)"program", NULL };
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	make_pipe(fd);
	pid = checked_fork();
	if (pid == 0) {
		if (chroot("/mnt/root") < 0 || chdir("/") < 0)
			_exit(98);
		if (ways_out[attack_number].chdir && fchdir(SOME_DIRECTORY) < 0)
			_exit(98);
		take_docker_capabilities();
		errpipe_exec(stub, 0, fd[1], ways_out[attack_number].path, argv, argv + 1);
		_exit(97);
	}
	close(fd[1]);
	errpipe_adopt(&child, pid, stub, fd[0]);
	*report = (struct errpipe_report){ 0 };
	ck_assert_int_eq(errpipe_wait(&child, report), 0);
}

static void exec_by_descriptor(void)
{
	struct errpipe_report report;

	make_root();
	open_directory("/mnt");
	exec_in_root(ERRPIPE_NO_STUB, &report);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 125 << 8);

	exec_in_root(make_stub(), &report);
	ck_assert_int_eq(report.verdict, ways_out[attack_number].error ? ERRPIPE_EXEC_FAILED : ERRPIPE_STARTED);
	ck_assert_int_eq(report.error, ways_out[attack_number].error);
}

START_TEST(a_way_out)
{
	attack_number = _i;
	if (!in_container(exec_by_descriptor))
		SKIP("needs pid-namespaces");
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static Suite *attack_suite(void)
{
	Suite *suite = suite_create("attack");
	TCase *tcase = tcase_create("attack");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, while_in_stub, 0, ATTACKS);
	tcase_add_loop_test(tcase, after_the_stub, 0, 2 * LATER);
	tcase_add_loop_test(tcase, while_in_a_stub_that_is_a_file, 0, ATTACKS);
	tcase_add_loop_test(tcase, a_lease, 0, 2);
	tcase_add_test(tcase, without_seal_exec);
	tcase_add_test(tcase, nothing_is_left);
	tcase_add_test(tcase, the_parent);
	tcase_add_loop_test(tcase, the_target_is_oneself, 0, SELVES);
	tcase_add_loop_test(tcase, a_way_out, 0, WAYS_OUT);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(int argc, char **argv)
{
	(void)argc;
	leave_valgrind(argv);
	return run_suite(attack_suite());
}
