/* SPDX-License-Identifier: MIT */
/*
 * Access from another process of the same user to a process that runs the stub. The stub's file is not readable. The
 * kernel therefore grants access only to processes that may trace any process (ptrace(2), "Ptrace access mode
 * checking").
 *
 * Also, a stub that is a file stays the file that was opened, whatever happens to its path.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "spawned.h"
#include "suite.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { NOBODY = 65534 };

/* Root becomes an ordinary user, without capabilities. */
static void become_user(void)
{
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(77);
}

/* The write end of a full pipe. */
static int full_pipe(int fd[2])
{
	static const char bytes[4096];

	make_pipe(fd);
	fcntl(fd[1], F_SETFL, O_NONBLOCK);
	while (write(fd[1], bytes, sizeof(bytes)) > 0)
		;
	fcntl(fd[1], F_SETFL, 0);
	return fd[1];
}

/* The exec fails, and the stub blocks when it writes its record to the full pipe. */
static pid_t start_stub(int stub, int fd[2])
{
	pid_t pid;

	full_pipe(fd);
	pid = checked_fork();
	if (pid == 0) {
		become_user();
		errpipe_exec(stub, 0, fd[1], "/none", (char *[]){ (char *)"none", NULL }, environ);
		_exit(99);
	}
	return pid;
}

static bool is_stub(pid_t pid)
{
	char path[64], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file && !fgets(comm, sizeof(comm), file))
		*comm = '\0';
	if (file)
		fclose(file);
	return strncmp(comm, "memfd:dmz-", 10) == 0 || (*comm >= '0' && *comm <= '9');
}

static int by_ptrace(pid_t pid, int report)
{
	(void)report;
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static int open_in_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, flags | O_CLOEXEC);
}

static int by_memory(pid_t pid, int report)
{
	(void)report;
	return open_in_proc(pid, "mem", O_RDWR);
}

static int by_executable(pid_t pid, int report)
{
	(void)report;
	return open_in_proc(pid, "exe", O_RDONLY);
}

static int by_descriptor(pid_t pid, int report)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%d", report);
	return open_in_proc(pid, name, O_WRONLY | O_NONBLOCK);
}

static int by_pidfd(pid_t pid, int report)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, report, 0);
}

static int by_iovec(pid_t pid, int report)
{
	char byte = 0;
	struct iovec ours = { &byte, 1 }, its = { (void *)0x400000, 1 };

	(void)report;
	return process_vm_readv(pid, &ours, 1, &its, 1, 0);
}

static const struct {
	const char *name;
	int (*try)(pid_t pid, int report);
} ways[] = {
	{ "ptrace", by_ptrace },	 { "its memory", by_memory }, { "its executable", by_executable },
	{ "its report", by_descriptor }, { "pidfd_getfd", by_pidfd }, { "process_vm_readv", by_iovec },
};
enum { TRIES = sizeof(ways) / sizeof(*ways) };

/* The owner of the stub may read it, so the stub must belong to root. */
START_TEST(nobody_reaches)
{
	int stub, fd[2], status;
	pid_t victim, attacker;

	NEEDS("root");
	stub = errpipe_stub();
	victim = start_stub(stub, fd);
	while (!is_stub(victim) || !sleeps(victim))
		usleep(1000);
	attacker = checked_fork();
	if (attacker == 0) {
		close(fd[1]);
		become_user();
		if (ways[_i].try(victim, fd[1]) >= 0)
			_exit(0);
		_exit(errno == EPERM || errno == EACCES || errno == ENOSYS ? 42 : errno);
	}
	status = wait_for(attacker);
	kill(victim, SIGKILL);
	wait_for(victim);
	ck_assert_msg(status == 42 << 8, "%s: status %#x", ways[_i].name, status);
}
END_TEST

/* Different ways to put another file or mount at the path of the stub, between the check and the exec. */
static void copy_to(const char *from, const char *to)
{
	char bytes[8192];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t size = read(in, bytes, sizeof(bytes));

	ck_assert_int_eq(write(out, bytes, size), size);
	close(in);
	close(out);
}

static void put_evil(const char *path)
{
	static const char evil[] = "#!/bin/sh\nexit 66\n";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	ck_assert_int_eq(write(fd, evil, sizeof(evil) - 1), sizeof(evil) - 1);
	close(fd);
}

static const char *replace_by_rename(void)
{
	put_evil("/mnt/evil");
	return rename("/mnt/evil", "/mnt/stub") < 0 ? "rename" : NULL;
}

static const char *replace_by_link(void)
{
	put_evil("/mnt/evil");
	return unlink("/mnt/stub") < 0 || symlink("evil", "/mnt/stub") < 0 ? "symlink" : NULL;
}

static const char *replace_by_mount(void)
{
	put_evil("/mnt/evil");
	return mount("/mnt/evil", "/mnt/ro/stub", NULL, MS_BIND, NULL) < 0 ? "mount" : NULL;
}

static const char *replace_by_mount_above(void)
{
	if (mkdir("/mnt/other", 0755) < 0)
		return "mkdir";
	put_evil("/mnt/other/stub");
	return mount("/mnt/other", "/mnt/ro", NULL, MS_BIND, NULL) < 0 ? "mount" : NULL;
}

static const char *(*const replacements[])(void) = { replace_by_rename, replace_by_link, replace_by_mount,
						     replace_by_mount_above };
enum { REPLACEMENTS = sizeof(replacements) / sizeof(*replacements) };

START_TEST(replaced_after_the_check)
{
	struct errpipe_spawn spawn = { .flags = ERRPIPE_STUB_ONLY };
	struct errpipe_report report;
	struct errpipe_child child;
	char *dmz = built_path("dmz");
	const char *wrong;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/mnt", "tmpfs", 0, "mode=755") < 0)
		SKIP("needs mount-namespaces");
	copy_to(dmz, "/mnt/stub");
	free(dmz);
	ck_assert(mkdir("/mnt/ro", 0755) == 0 && mount("/mnt", "/mnt/ro", NULL, MS_BIND, NULL) == 0 &&
		  mount(NULL, "/mnt/ro", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	spawn.stub = errpipe_stub_file("/mnt/ro/stub");
	ck_assert_int_gt(spawn.stub, STDERR_FILENO);
	wrong = replacements[_i]();
	ck_assert_msg(!wrong, "%s: errno %d", wrong, errno);

	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/none", (char *[]){ (char *)"none", NULL }, environ), 0);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *tcase = tcase_create("guard");

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, nobody_reaches, 0, TRIES);
	tcase_add_loop_test(tcase, replaced_after_the_check, 0, REPLACEMENTS);
	return run_suite(suite);
}
