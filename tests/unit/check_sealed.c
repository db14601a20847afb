/* SPDX-License-Identifier: MIT */
/*
 * The descriptor of errpipe_stub(): the file behind it, attempts to change that file, and cases in which there cannot
 * be a stub.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "spawned.h"
#include "state.h"
#include "suite.h"

/* From linux/memfd.h and linux/fcntl.h of Linux 6.3. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

/* On a file with x bits, F_SEAL_EXEC adds all seals against writing. */
enum {
	OLD_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	SEALS = OLD_SEALS | F_SEAL_EXEC | F_SEAL_FUTURE_WRITE
};

static int make_stub(void)
{
	int fd = errpipe_stub();

	ck_assert_msg(fd > STDERR_FILENO, "errpipe_stub: %d", fd);
	return fd;
}

static size_t read_all(int fd, char *bytes, size_t size)
{
	ssize_t n = pread(fd, bytes, size, 0);

	ck_assert_int_ge(n, 0);
	return n;
}

/* The descriptor holds the built stub, byte for byte. */
static void assert_is_dmz(int fd)
{
	char *path = built_path("dmz"), have[8192], want[8192];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t size;

	ck_assert_msg(file >= 0, "%s: %d", path, errno);
	size = read_all(file, want, sizeof(want));
	ck_assert(size > 0 && size < sizeof(want));
	ck_assert_int_eq(read_all(fd, have, sizeof(have)), size);
	ck_assert_mem_eq(have, want, size);
	close(file);
	free(path);
}

static void assert_works(int stub)
{
	const struct errpipe_report report = try_stub(stub);

	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
}

static void assert_cannot_start(int stub, int error)
{
	const struct errpipe_report report = try_stub(stub);

	ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
	ck_assert_int_eq(report.step, ERRPIPE_STEP_STUB);
	ck_assert_int_eq(report.error, error);
}

static bool kernel_is_older(unsigned major, unsigned minor)
{
	struct utsname name;
	unsigned a = 0, b = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &a, &b);
	return a < major || (a == major && b < minor);
}

static bool have_seal_exec(void)
{
	return !kernel_is_older(6, 3);
}

/* --- properties --------------------------------------------------------------------------------------------- */

START_TEST(what_is_behind_it)
{
	char target[PATH_MAX], other[PATH_MAX];
	int fd = make_stub();
	struct stat st;

	assert_is_dmz(fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS), have_seal_exec() ? SEALS : OLD_SEALS);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode, S_IFREG | 0511);
	ck_assert_int_eq(st.st_uid, geteuid());

	/* Each has a name of its own, as long as the name of a process can be. */
	path_behind(fd, target);
	path_behind(make_stub(), other);
	ck_assert_int_eq(strncmp(target, "/memfd:dmz-", 11), 0);
	ck_assert_str_eq(target + 16, " (deleted)");
	ck_assert_int_ne(strcmp(target, other), 0);
}
END_TEST

START_TEST(above_the_standard_streams)
{
	int before, fd;

	for (int i = 0; i < 3; i++) {
		if (_i >> i & 1)
			close(i);
	}
	before = fcntl(0, F_DUPFD, 3);
	if (before >= 0)
		close(before);
	fd = errpipe_stub();
	ck_assert_int_gt(fd, STDERR_FILENO);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_is_dmz(fd);
	/* No temporary descriptor was left at a low number. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fcntl(i, F_GETFD) < 0, _i >> i & 1);
	if (before >= 0)
		ck_assert_int_eq(fd, before);
}
END_TEST

START_TEST(each_is_another)
{
	struct stat a, b;

	ck_assert_int_eq(fstat(make_stub(), &a), 0);
	ck_assert_int_eq(fstat(make_stub(), &b), 0);
	ck_assert_int_ne(a.st_ino, b.st_ino);
}
END_TEST

START_TEST(works_for)
{
	int fd = make_stub();

	assert_works(fd);
	if (_i == AS_NOBODY && geteuid() != 0)
		SKIP("needs root");
	ck_assert_int_eq(become(_i), 0);
	assert_works(fd);
	/* A stub that an ordinary user makes also works. */
	assert_works(make_stub());
}
END_TEST

enum { MANY = 100 };

/* All children wait until the last one is there. Then they exec the same stub. */
START_TEST(many_at_once)
{
	char *argv[] = { (char *)"true", NULL };
	int fd = make_stub(), gate[2], report[2];
	struct errpipe_report end;
	pid_t pid[MANY];
	char byte;

	ck_assert_int_eq(errpipe_pipe(gate), 0);
	ck_assert_int_eq(errpipe_pipe(report), 0);
	for (int i = 0; i < MANY; i++) {
		pid[i] = checked_fork();
		if (pid[i] == 0) {
			close(gate[1]);
			if (read(gate[0], &byte, 1) == 0)
				errpipe_exec(fd, 0, report[1], "/bin/true", argv, argv + 1);
			_exit(1);
		}
	}
	close(gate[1]);
	close(report[1]);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(wait_for(pid[i]), 0);
	ck_assert_int_eq(errpipe_read(report[0], &end), 1);
	ck_assert_int_eq(end.verdict, ERRPIPE_STARTED);
	assert_is_dmz(fd);
}
END_TEST

/* A process that has just become the stub and has not yet run any of its instructions. */
static pid_t stopped_in(int stub)
{
	char *argv[] = { (char *)"true", NULL };
	int report[2], status;
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(report), 0);
	pid = checked_fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		errpipe_exec(stub, 0, report[1], "/bin/true", argv, argv + 1);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "status %#x", status);
	return pid;
}

static int open_executable_of(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %d", path, errno);
	return fd;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	wait_for(pid);
}

/* errpipe_settle() recognises the stub by its name. */
START_TEST(name_of_the_process)
{
	char path[32], name[32] = "", want[32] = "", target[PATH_MAX];
	int fd = make_stub(), file;
	pid_t pid = stopped_in(fd);

	path_behind(fd, target);
	snprintf(want, sizeof(want), "%.15s\n", target + 1);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(file, name, sizeof(name) - 1), 0);
	/* Stable kernels before 6.14 may have received this change, for example 6.1.192. */
	if (kernel_is_older(6, 14) && strcmp(name, want) != 0)
		snprintf(want, sizeof(want), "%d\n", fd);
	ck_assert_str_eq(name, want);
	end(pid);
}
END_TEST

/* The name comes from the descriptor itself or from /proc. It is the same however the stub was opened. */
START_TEST(name_of_the_stub)
{
	int stub = errpipe_stub(), again;
	char link[64], path[64], expected[sizeof(((struct errpipe_child *)0)->stub)];
	struct errpipe_child child;
	ssize_t n;

	ck_assert_int_gt(stub, 2);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", stub);
	n = readlink(link, path, sizeof(path) - 1);
	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	snprintf(expected, sizeof(expected), "%.15s", path + 1);

	errpipe_adopt(&child, getpid(), stub, -1);
	ck_assert_str_eq(child.stub, expected);
	close(child.pidfd);
	again = open(link, O_PATH | O_CLOEXEC);
	errpipe_adopt(&child, getpid(), again, -1);
	ck_assert_str_eq(child.stub, expected);
	close(child.pidfd);
	close(again);
	ck_assert_int_eq(lseek(stub, 0, SEEK_SET), 0);
	errpipe_adopt(&child, getpid(), stub, -1);
	ck_assert_str_eq(child.stub, expected);
	close(child.pidfd);
	close(stub);
}
END_TEST

/* No environment variable selects a stub, or changes an existing one. */
START_TEST(the_environment_names_no_stub)
{
	static const char *const names[] = {
		"ERRPIPE_STUB",
		"ERRPIPE",
		"ERRPIPE_DMZ",
		"ERRPIPE_PATH",
		"ERRPIPE_BIN",
		"ERRPIPE_LIBEXEC",
		"DMZ",
		"DMZ_STUB",
		"DMZ_PATH",
		"RUNC_DMZ",
		"PATH",
		"TMPDIR",
		"HOME",
		"XDG_RUNTIME_DIR",
		"LD_PRELOAD_STUB",
		"LD_LIBRARY_PATH",
		"LIBEXECDIR",
		"STUB",
	};
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		setenv(names[i], "/bin/false", 1);
	pid = stopped_in(make_stub());
	assert_is_dmz(open_executable_of(pid));
	end(pid);
}
END_TEST

/* --- attempts to change it ---------------------------------------------------------------------------------- */

/* Calls that modify a file, each with the errno with which it must fail. */
static int call_write(int fd)
{
	return write(fd, "x", 1);
}

static int call_pwrite(int fd)
{
	return pwrite(fd, "x", 1, 0);
}

static int call_append(int fd)
{
	return pwrite(fd, "x", 1, 4096);
}

static int call_shrink(int fd)
{
	return ftruncate(fd, 0);
}

static int call_grow(int fd)
{
	return ftruncate(fd, 65536);
}

static int call_fallocate(int fd)
{
	return fallocate(fd, 0, 0, 65536);
}

static int call_punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

static int call_map(int fd)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0;
}

/* If a shared read-only mapping is possible, it cannot become writable. */
static int call_protect(int fd)
{
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	int ret, error;

	if (map == MAP_FAILED) {
		errno = errno == EPERM ? EACCES : errno;
		return -1;
	}
	ret = mprotect(map, 4096, PROT_READ | PROT_WRITE);
	error = errno;
	munmap(map, 4096);
	errno = error;
	return ret;
}

static int call_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
}

static int call_chmod_0(int fd)
{
	return fchmod(fd, 0);
}

static int call_chmod_600(int fd)
{
	return fchmod(fd, 0600);
}

static int call_chmod_110(int fd)
{
	return fchmod(fd, 0110);
}

static int call_copy(int fd)
{
	loff_t in = 0, out = 0;
	char *path = built_path("errpipe");
	int file = open(path, O_RDONLY | O_CLOEXEC), ret;

	free(path);
	if (file < 0)
		file = open("/bin/true", O_RDONLY | O_CLOEXEC);
	ret = syscall(SYS_copy_file_range, file, &in, fd, &out, (size_t)64, 0);
	/* The kernel may not support such a copy between different kinds of file systems. */
	if (ret < 0 && errno == EXDEV)
		errno = EPERM;
	return ret;
}

static const struct {
	const char *name;
	int (*call)(int fd);
	int error;
	bool by_seal_exec;
} calls[] = {
	{ "write", call_write, EPERM, false },	       { "pwrite", call_pwrite, EPERM, false },
	{ "append", call_append, EPERM, false },       { "shrink", call_shrink, EPERM, false },
	{ "grow", call_grow, EPERM, false },	       { "fallocate", call_fallocate, EPERM, false },
	{ "punch a hole", call_punch, EPERM, false },  { "map to write", call_map, EPERM, false },
	{ "mprotect", call_protect, EACCES, false },   { "seal", call_seal, EPERM, false },
	{ "chmod 0", call_chmod_0, EPERM, true },      { "chmod 0600", call_chmod_600, EPERM, true },
	{ "chmod 0110", call_chmod_110, EPERM, true }, { "copy", call_copy, EPERM, false },
};
enum { CALLS = sizeof(calls) / sizeof(*calls) };

START_TEST(refused)
{
	int fd = make_stub();

	if (calls[_i].by_seal_exec && !have_seal_exec())
		SKIP("needs executable-seals");
	ck_assert_msg(calls[_i].call(fd) < 0, "%s works", calls[_i].name);
	ck_assert_int_eq(errno, calls[_i].error);
	assert_is_dmz(fd);
	assert_works(fd);
}
END_TEST

/* F_SEAL_EXEC protects only the x bits. Other changes of the mode by the owner are harmless. */
START_TEST(other_bits_of_the_mode)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"test \"$(id -u)\" = 65534", NULL };
	char *envp[] = { (char *)"PATH=/usr/bin:/bin", NULL };
	const struct errpipe_spawn spawn = { .stub = make_stub(), .flags = ERRPIPE_STUB_ONLY };
	struct errpipe_report report;
	struct errpipe_child child;

	ck_assert_int_eq(fchmod(spawn.stub, 06777), 0);
	ck_assert_int_lt(call_write(spawn.stub), 0);
	assert_is_dmz(spawn.stub);
	assert_works(spawn.stub);
	if (geteuid() != 0)
		SKIP("needs root");

	/* A memfd is on a mount where set-uid bits have no effect. */
	ck_assert_int_eq(become(AS_NOBODY), 0);
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/sh", argv, envp), 0);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
}
END_TEST

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capset, &header, data);
}

enum opener { ROOT_WITHOUT_RIGHTS, A_USER, OPENERS };

static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_TRUNC };
enum { WAYS = sizeof(ways) / sizeof(*ways) };

/* Root owns the stub and may read it, even without capabilities. Other users may not. */
START_TEST(reopened)
{
	enum opener opener = _i / WAYS;
	int fd = make_stub();
	char path[64];

	if (geteuid() != 0)
		SKIP("needs root");
	ck_assert_int_eq(opener == A_USER ? become(AS_NOBODY) : drop_capabilities(), 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* otherwise /proc/self belongs to root */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (opener == ROOT_WITHOUT_RIGHTS && ways[_i % WAYS] == O_RDONLY) {
		assert_is_dmz(open(path, O_RDONLY | O_CLOEXEC));
	} else {
		ck_assert_int_lt(open(path, ways[_i % WAYS] | O_CLOEXEC), 0);
		ck_assert_int_eq(errno, EACCES);
	}
	assert_works(fd);
}
END_TEST

/*
 * Root can open the stub for writing with CAP_DAC_OVERRIDE, but cannot change its content. The stub cannot be exec'd
 * while it is open for writing. Root in a container can therefore block all others that share the descriptor.
 */
START_TEST(reopened_by_root)
{
	int fd = make_stub(), again;
	char path[64];

	if (geteuid() != 0)
		SKIP("needs root");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_lt(open(path, O_RDWR | O_TRUNC | O_CLOEXEC), 0);
	ck_assert_int_eq(errno, EPERM);

	again = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(again, 0);
	for (int i = 0; i < CALLS; i++) {
		if (calls[i].by_seal_exec && !have_seal_exec())
			continue;
		ck_assert_msg(calls[i].call(again) < 0, "%s works", calls[i].name);
		ck_assert_int_eq(errno, calls[i].error);
	}
	assert_cannot_start(fd, ETXTBSY);
	close(again);
	assert_works(fd);
	assert_is_dmz(fd);
}
END_TEST

/* --- attempts to read it ------------------------------------------------------------------------------------ */

/* The effects of the mode. Mode 0 stands for our own stub, other modes for copies of it. */
static const struct {
	mode_t mode;
	bool attaches; /* root of a user namespace can trace a process that runs the stub */
	bool needs_override;
} modes[] = { { 0, false, false }, { 0511, false, false }, { 0111, false, true }, { 0555, true, false } };
enum { MODES = sizeof(modes) / sizeof(*modes) };

static int make_with(mode_t mode)
{
	char *path = built_path("dmz"), bytes[8192];
	int file, fd;
	size_t size;

	if (!mode)
		return make_stub();
	file = open(path, O_RDONLY | O_CLOEXEC);
	size = read_all(file, bytes, sizeof(bytes));
	fd = syscall(SYS_memfd_create, "a-mode", MFD_CLOEXEC);
	ck_assert_int_eq(write(fd, bytes, size), size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(file);
	free(path);
	return fd;
}

/* Two flags from include/linux/sched.h. proc(5) describes the fields for the state and the flags. */
enum { PF_FORKNOEXEC = 0x40, PF_SUPERPRIV = 0x100 };

static unsigned flags_of(pid_t pid, char *state)
{
	unsigned flags = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	ck_assert(file && fscanf(file, "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %u", state, &flags) == 2);
	fclose(file);
	return flags;
}

/* An exec that needs CAP_DAC_OVERRIDE leaves PF_SUPERPRIV set in the target. */
START_TEST(an_exec_by_root)
{
	char *argv[] = { (char *)"true", NULL }, state;
	const struct errpipe_spawn spawn = { .stub = make_with(modes[_i].mode), .flags = ERRPIPE_STUB_ONLY };
	struct errpipe_report report = { 0 };
	struct errpipe_child child;
	siginfo_t info;

	if (geteuid() != 0)
		SKIP("needs root");
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, environ), 0);
	ck_assert_int_eq(waitid(P_PID, child.pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(!!(flags_of(child.pid, &state) & PF_SUPERPRIV), modes[_i].needs_override);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
}
END_TEST

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The stub blocks on the full pipe when it reports. */
static int full_pipe(void)
{
	static const char bytes[4096];
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	ck_assert_int_eq(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	while (write(fd[1], bytes, sizeof(bytes)) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(fd[1], F_SETFL, 0), 0);
	return fd[1];
}

static const struct errpipe_setup some_setup = { .no_new_privs = 1 };

enum { NO_NAMESPACE = 77 };

static bool become_root_of_a_namespace(void)
{
	char map[32];

	if (become(AS_NOBODY) < 0 || unshare(CLONE_NEWUSER) < 0)
		return false;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* otherwise the files in /proc/self belong to root */
	snprintf(map, sizeof(map), "0 %d 1", NOBODY);
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", map);
	write_map("/proc/self/gid_map", map);
	return true;
}

static struct __user_cap_data_struct *capabilities(int call)
{
	static struct __user_cap_data_struct data[2];
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	ck_assert_int_eq(syscall(call, &header, data), 0);
	return data;
}

/* ptrace(2): to trace a process that has more capabilities takes CAP_SYS_PTRACE. */
static void lose_capabilities(unsigned which)
{
	struct __user_cap_data_struct *data = capabilities(SYS_capget);

	data->effective &= ~which;
	data->permitted &= ~which;
	capabilities(SYS_capset);
}

enum { FEWER = 1 << CAP_CHOWN, WITHOUT_PTRACE = 1 << CAP_CHOWN | 1 << CAP_SYS_PTRACE };

/*
 * Returns the errno of the failed attachment, or 0 if it worked, or NO_NAMESPACE. A stub of -1 is one that root of the
 * namespace makes.
 */
static int attach_as_root_of_a_namespace(int stub, unsigned dropped)
{
	char *argv[] = { (char *)"nowhere", NULL }, state = 0;
	int report = full_pipe(), error;
	pid_t pid;

	if (!become_root_of_a_namespace())
		return NO_NAMESPACE;
	if (stub < 0)
		stub = errpipe_setup_stub(&some_setup);
	pid = checked_fork();
	if (pid == 0) {
		errpipe_exec(stub, 0, report, "/nowhere", argv, argv + 1);
		_exit(1);
	}
	while (flags_of(pid, &state) & PF_FORKNOEXEC || state != 'S')
		usleep(1000);
	lose_capabilities(dropped);
	error = ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 ? errno : 0;
	end(pid);
	return error;
}

/* The last is a stub with a setup, which errpipe_setup_stub() makes with the same mode as errpipe_stub(). */
START_TEST(attached_to_by_root_of_a_namespace)
{
	int stub = _i < MODES ? make_with(modes[_i].mode) : errpipe_setup_stub(&some_setup), status;
	bool attaches = _i < MODES && modes[_i].attaches;
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	pid = checked_fork();
	if (pid == 0)
		_exit(attach_as_root_of_a_namespace(stub, 0));
	status = wait_for(pid);
	if (status == NO_NAMESPACE << 8)
		SKIP("needs user-namespaces");
	ck_assert_int_eq(status, (attaches ? 0 : EPERM) << 8);
}
END_TEST

/* A stub that root of the namespace itself made hides nothing from it. */
START_TEST(attached_to_in_its_own_namespace)
{
	const unsigned dropped[] = { 0, FEWER, WITHOUT_PTRACE };
	pid_t pid;
	int status;

	if (geteuid() != 0)
		SKIP("needs root");
	pid = checked_fork();
	if (pid == 0)
		_exit(attach_as_root_of_a_namespace(-1, dropped[_i]));
	status = wait_for(pid);
	if (status == NO_NAMESPACE << 8)
		SKIP("needs user-namespaces");
	ck_assert_int_eq(status, (dropped[_i] == WITHOUT_PTRACE ? EPERM : 0) << 8);
}
END_TEST

static const struct errpipe_call waits[] = { { .step = ERRPIPE_STEP_CALLER, .number = SYS_ppoll } };

/* Before its last step the process still has the privileges of the caller. */
static const struct errpipe_setup privileged = {
	.set = ERRPIPE_SET_USER, .uid = NOBODY, .gid = NOBODY, .first = waits, .first_length = 1
};

enum tracer { ROOT, ROOT_WITH_FEWER, ROOT_WITHOUT_PTRACE, OTHER_USER, ROOT_OF_A_NAMESPACE, TRACERS };

/* Returns the errno of the failed attachment, or 0 if it worked, or NO_NAMESPACE. */
static int attach_as(enum tracer tracer, pid_t pid)
{
	if (tracer == ROOT_WITH_FEWER)
		lose_capabilities(FEWER);
	if (tracer == ROOT_WITHOUT_PTRACE)
		lose_capabilities(WITHOUT_PTRACE);
	if (tracer == OTHER_USER)
		ck_assert_int_eq(become(AS_NOBODY), 0);
	if (tracer == ROOT_OF_A_NAMESPACE && !become_root_of_a_namespace())
		return NO_NAMESPACE;
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 ? errno : 0;
}

START_TEST(attached_to_while_it_is_privileged)
{
	const struct errpipe_spawn spawn = { .setup = &privileged, .flags = ERRPIPE_STUB_ONLY };
	bool traces = capabilities(SYS_capget)->effective >> CAP_SYS_PTRACE & 1;
	char *argv[] = { (char *)"true", NULL }, state = 0;
	struct errpipe_child child;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	child = start(&spawn, "/bin/true", argv);
	while (flags_of(child.pid, &state) & PF_FORKNOEXEC || state != 'S')
		usleep(1000);
	pid = checked_fork();
	if (pid == 0)
		_exit(attach_as(_i, child.pid));
	status = wait_for(pid);
	kill(child.pid, SIGKILL);
	ck_assert_int_eq(finish(&child).verdict, ERRPIPE_DIED);
	if (status == NO_NAMESPACE << 8)
		SKIP("needs user-namespaces");
	ck_assert_int_eq(status, (_i == ROOT || (_i == ROOT_WITH_FEWER && traces) ? 0 : EPERM) << 8);
}
END_TEST

/* --- failures ----------------------------------------------------------------------------------------------- */

static int lowest_free(void)
{
	int fd = dup(STDOUT_FILENO);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

/* Try every number of descriptors, from none to enough. _i decides whether 0 is free. */
START_TEST(too_few_descriptors)
{
	int room, fd = -EMFILE, refusals = 0;
	struct rlimit limit;

	/* Avoid a limit of 3: fcntl(2) would return EINVAL, because no number above 2 is possible. */
	while (lowest_free() < 5)
		ck_assert_int_ge(dup(STDOUT_FILENO), 0);
	room = lowest_free();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (_i)
		close(STDIN_FILENO);
	for (limit.rlim_cur = room; fd < 0 && refusals < 4; limit.rlim_cur++) {
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		fd = errpipe_stub();
		ck_assert(fd >= 0 || fd == -EMFILE);
		refusals += fd < 0;
	}
	/* A failed attempt closes its descriptors, so the stub gets the first free number. */
	ck_assert_int_eq(refusals, 1);
	ck_assert_int_eq(fd, room);
	ck_assert_int_eq(fcntl(0, F_GETFD) < 0, _i);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
END_TEST

/*
 * Let seccomp(2) answer a system call with an errno, but only if an argument has one of these bits. With bits 0,
 * always.
 */
static bool refuse(unsigned call, int argument, unsigned bits, int error)
{
	unsigned low_half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]) + low_half),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, bits ? 1 : 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

static const struct {
	unsigned call;
	int argument;
	unsigned bits;
	int error, ret; /* ret 0: it works */
	int without;	/* seals that are missing then */
} refusals[] = {
	{ SYS_memfd_create, 0, 0, EACCES, -EACCES, 0 },
	{ SYS_memfd_create, 0, 0, ENOSYS, -ENOSYS, 0 },
	{ SYS_memfd_create, 0, 0, EPERM, -EPERM, 0 },
	/* Kernels before Linux 6.3 answer like this. */
	{ SYS_memfd_create, 1, MFD_EXEC, EINVAL, 0, 0 },
	{ FCNTL, 2, F_SEAL_EXEC, EINVAL, 0, F_SEAL_EXEC | F_SEAL_FUTURE_WRITE },
	/* The library does not try again for any other reason. */
	{ SYS_memfd_create, 1, MFD_EXEC, EACCES, -EACCES, 0 },
	{ FCNTL, 2, F_SEAL_EXEC, EPERM, -EPERM, 0 },
	{ FCNTL, 2, F_SEAL_SEAL, EINVAL, -EINVAL, 0 },
	{ SYS_fchmod, 0, 0, EPERM, -EPERM, 0 },
};
enum { REFUSALS = sizeof(refusals) / sizeof(*refusals) };

START_TEST(refused_by_seccomp)
{
	const struct errpipe_spawn with_setup = { .setup = &some_setup, .flags = ERRPIPE_STUB_ONLY };
	int before = lowest_free(), fd;

	if (!refuse(refusals[_i].call, refusals[_i].argument, refusals[_i].bits, refusals[_i].error))
		SKIP("needs seccomp");
	fd = errpipe_stub();
	if (refusals[_i].ret < 0) {
		ck_assert_int_eq(fd, refusals[_i].ret);
		ck_assert_int_eq(errpipe_setup_stub(&some_setup), refusals[_i].ret);
		ck_assert_int_eq(lowest_free(), before);
		return;
	}
	ck_assert_int_eq(fd, before);
	assert_is_dmz(fd);
	assert_works(fd);
	ck_assert_int_eq(run_plain(&with_setup, "/bin/true").verdict, ERRPIPE_STARTED);
	/* Pass 0, because the filter looks at the argument even if the command ignores it. */
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS, 0), (have_seal_exec() ? SEALS : OLD_SEALS) & ~refusals[_i].without);
	ck_assert_int_eq(call_write(fd), -1);
	/* Without that seal the x bits can be removed. The next exec reports that. */
	if (refusals[_i].without) {
		ck_assert_int_eq(fchmod(fd, 0), 0);
		assert_cannot_start(fd, EACCES);
	}
}
END_TEST

/* A write that fails. It needs a child, because the process cannot write its result either. */
START_TEST(a_write_that_fails)
{
	pid_t pid = checked_fork();

	if (pid == 0) {
		int before = lowest_free();

		if (!refuse(SYS_write, 0, 0, ENOSPC))
			_exit(77);
		_exit(errpipe_stub() == -ENOSPC && lowest_free() == before ? 0 : 1);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}
END_TEST

/* --- vm.memfd_noexec ---------------------------------------------------------------------------------------- */

static int read_number(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	return n <= 0 ? -1 : atoi(text);
}

static bool write_number(const char *path, int number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && dprintf(fd, "%d\n", number) > 0;

	close(fd);
	return ok && read_number(path) == number;
}

#define NOEXEC "/proc/sys/vm/memfd_noexec"

/* Runs as the first process of a pid namespace: each of them has this sysctl. */
static int with_memfd_noexec(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		return 77;
	if (!write_number(NOEXEC, 1))
		return 77;
	assert_works(make_stub());
	if (!write_number(NOEXEC, 2))
		return 77;
	ck_assert_int_eq(errpipe_stub(), -EACCES);
	return 0;
}

static int in_pid_namespace(int (*call)(void))
{
	pid_t pid;

	if (geteuid() != 0 || unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		return 77;
	pid = checked_fork();
	if (pid == 0)
		_exit(call());
	return wait_for(pid) >> 8;
}

START_TEST(memfd_noexec)
{
	int outside = read_number(NOEXEC), status;
	pid_t pid;

	if (outside < 0)
		SKIP("needs executable-seals");
	pid = checked_fork();
	if (pid == 0)
		_exit(in_pid_namespace(with_memfd_noexec));
	status = wait_for(pid);
	ck_assert_int_eq(read_number(NOEXEC), outside);
	if (status == 77 << 8)
		SKIP("needs pid-namespaces");
	ck_assert_int_eq(status, 0);
}
END_TEST

/* --- a stub that is a file ---------------------------------------------------------------------------------- */

static char place[64];

static void copy_dmz(const char *name, mode_t mode)
{
	char *from = built_path("dmz"), bytes[8192], to[96];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	size_t size = read_all(in, bytes, sizeof(bytes));

	snprintf(to, sizeof(to), "%s/%s", place, name);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	ck_assert_int_eq(write(out, bytes, size), size);
	ck_assert_int_eq(fchmod(out, mode), 0);
	close(in);
	close(out);
	free(from);
}

static bool mount_ro(const char *name, unsigned long more)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return mkdir(path, 0755) == 0 && mount(place, path, NULL, MS_BIND, NULL) == 0 &&
	       mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | more, NULL) == 0;
}

/* Set up all files in a mount namespace, on a file system that disappears with it. */
static bool make_place(void)
{
	char path[96];

	snprintf(place, sizeof(place), "/mnt");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	if (mount("none", place, "tmpfs", 0, "mode=755") < 0)
		return false;

	copy_dmz("stub", 0755);
	copy_dmz("set-uid", 04755);
	copy_dmz("set-gid", 02755);
	copy_dmz("no-x", 0644);
	snprintf(path, sizeof(path), "%s/link", place);
	ck_assert_int_eq(symlink("stub", path), 0);
	snprintf(path, sizeof(path), "%s/links", place);
	ck_assert_int_eq(symlink(".", path), 0);
	snprintf(path, sizeof(path), "%s/fifo", place);
	ck_assert_int_eq(mkfifo(path, 0755), 0);
	return mount_ro("ro", 0) && mount_ro("noexec", MS_NOEXEC);
}

static const struct {
	const char *path;
	int ret;   /* 0: a descriptor */
	int error; /* of its exec */
} files[] = {
	{ "/mnt/ro/stub", 0, 0 },
	{ "/mnt/ro/links/stub", 0, 0 },
	{ "/mnt/stub", -EPERM, 0 },
	{ "/mnt/ro/set-uid", -EPERM, 0 },
	{ "/mnt/ro/set-gid", -EPERM, 0 },
	{ "/mnt/ro/link", -EPERM, 0 },
	{ "/mnt/ro/links", -EPERM, 0 },
	{ "/mnt/ro", -EPERM, 0 },
	{ "/mnt/ro/fifo", -EPERM, 0 },
	{ "/mnt/ro/missing", -ENOENT, 0 },
	{ "/mnt/ro/stub/x", -ENOTDIR, 0 },
	{ "", -ENOENT, 0 },
	/* errpipe_stub_file() does not check whether the file can be exec'd. */
	{ "/mnt/ro/no-x", 0, EACCES },
	{ "/mnt/noexec/stub", 0, EACCES },
};
enum { FILES = sizeof(files) / sizeof(*files) };

START_TEST(file)
{
	int before, fd;

	if (!make_place())
		SKIP("needs mount-namespaces");
	close(STDIN_FILENO);
	before = fcntl(STDOUT_FILENO, F_DUPFD, 3);
	close(before);
	fd = errpipe_stub_file(files[_i].path);
	ck_assert_int_eq(fd, files[_i].ret ? files[_i].ret : before);
	ck_assert_int_lt(fcntl(STDIN_FILENO, F_GETFD), 0);
	if (fd < 0) {
		ck_assert_int_eq(fcntl(STDOUT_FILENO, F_DUPFD, 3), before);
		return;
	}
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	if (files[_i].error)
		assert_cannot_start(fd, files[_i].error);
	else
		assert_works(fd);
}
END_TEST

/* The purpose of the read-only mount: even root can only read the file. */
START_TEST(file_cannot_be_opened_to_write)
{
	char path[64];
	int fd;

	if (!make_place())
		SKIP("needs mount-namespaces");
	fd = errpipe_stub_file("/mnt/ro/stub");
	ck_assert_int_gt(fd, STDERR_FILENO);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_lt(open(path, O_RDWR | O_CLOEXEC), 0);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_lt(chmod(path, 0), 0);
	ck_assert_int_eq(errno, EROFS);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static TCase *new_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static Suite *sealed_suite(void)
{
	Suite *suite = suite_create("sealed");
	TCase *tcase = new_tcase(suite, "what it is");

	tcase_add_test(tcase, what_is_behind_it);
	tcase_add_loop_test(tcase, above_the_standard_streams, 0, 8);
	tcase_add_test(tcase, each_is_another);
	tcase_add_loop_test(tcase, works_for, AS_SELF, AS_NOBODY + 1);
	tcase_add_test(tcase, many_at_once);
	tcase_add_test(tcase, name_of_the_process);
	tcase_add_test(tcase, name_of_the_stub);
	tcase_add_test(tcase, the_environment_names_no_stub);

	tcase = new_tcase(suite, "nobody changes it");
	tcase_add_loop_test(tcase, refused, 0, CALLS);
	tcase_add_test(tcase, other_bits_of_the_mode);
	tcase_add_loop_test(tcase, reopened, 0, OPENERS * WAYS);
	tcase_add_test(tcase, reopened_by_root);

	tcase = new_tcase(suite, "who reads it");
	tcase_add_loop_test(tcase, an_exec_by_root, 0, MODES);
	tcase_add_loop_test(tcase, attached_to_by_root_of_a_namespace, 0, MODES + 1);
	tcase_add_loop_test(tcase, attached_to_in_its_own_namespace, 0, 3);
	tcase_add_loop_test(tcase, attached_to_while_it_is_privileged, 0, TRACERS);

	tcase = new_tcase(suite, "where there is none");
	tcase_add_loop_test(tcase, too_few_descriptors, 0, 2);
	tcase_add_loop_test(tcase, refused_by_seccomp, 0, REFUSALS);
	tcase_add_test(tcase, a_write_that_fails);
	tcase_add_test(tcase, memfd_noexec);

	tcase = new_tcase(suite, "a file");
	tcase_add_loop_test(tcase, file, 0, FILES);
	tcase_add_test(tcase, file_cannot_be_opened_to_write);
	return suite;
}

int main(int argc, char **argv)
{
	(void)argc;
	leave_valgrind(argv);
	return run_suite(sealed_suite());
}
