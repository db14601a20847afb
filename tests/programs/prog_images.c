/* SPDX-License-Identifier: MIT */
/*
 * prog_images DIR: write the image of each setup in a table to a file of its name in DIR, and the stub without a setup to DIR/plain.
 * dmz/setup_test.go has the same setups, and compares its images with these. Signals and limits with a name have different numbers
 * on mips. tests/freestanding/ is its libc on machines that have none here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "errpipe.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define BITS	     (8 * sizeof(long))
#define BIT(n)	     (UINT64_C(1) << (n))

#define AS_1000 .set = ERRPIPE_SET_USER, .uid = 1000, .gid = 20

static const gid_t groups[] = { 7, 1000, 70000 };
static const unsigned long processors[65 / BITS + 1] = { [0] = 1, [65 / BITS] = 1UL << 65 % BITS };
static const struct errpipe_limit limits[] = { { RLIMIT_NOFILE, 64, 128 }, { RLIMIT_CORE, 0, UINT64_MAX } };
static const struct errpipe_move moves[] = { { 40, 41 }, { 41, 42 }, { 42, 40 }, { 43, 43 }, { 40, 60 }, { 50, 51 } };
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 1, 2),
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
};
#define N(n)                                                                                                         \
	{                                                                                                            \
		.value = (n)                                                                                         \
	}
#define DATA(bytes, n)                                                                                               \
	{                                                                                                            \
		.data = (bytes), .size = (n)                                                                         \
	}
#define CALL(n, name, ...) .step = (n), .number = SYS_##name, .arg = { __VA_ARGS__ }
static const struct errpipe_call calls[] = {
	{ CALL(0x8000, openat, N(-100), DATA("/x", 3), N(0x80000)) },
	{ CALL(0x8001, fchdir, N(0)), .flags = ERRPIPE_CALL_USE_RESULT },
	{ CALL(0xfffe, setsid, DATA("", 0)), .flags = ERRPIPE_CALL_IGNORE_FAILURE },
	{ CALL(0x8123, prctl, N(1), N(2), N(3), N(4), N(5), DATA("12345678", 8)) },
	{ CALL(0x8124, close_range, N(3), N(-1), N(4)) },
};
static sigset_t defaults, mask;

static const struct image {
	const char *name;
	struct errpipe_setup setup;
} images[] = {
	{ "nothing", { 0 } },
	{ "calls", { .first = calls, .first_length = COUNT(calls), .last = calls, .last_length = 2 } },
	{ "label", { .label = "system_u:system_r:container_t:s0" } },
	{ "profile-below-proc",
	  { .set = ERRPIPE_SET_PROC, .proc = 9, .label = "docker-default", .label_kind = ERRPIPE_LABEL_APPARMOR } },
	{ "session", { .set = ERRPIPE_SET_TERMINAL, .session = 1, .terminal = 5 } },
	{ "terminal-0", { .set = ERRPIPE_SET_TERMINAL } },
	{ "process-group", { .set = ERRPIPE_SET_PROCESS_GROUP, .process_group = 77 } },
	{ "directory", { AS_1000, .directory = "/usr/bin" } },
	{ "directory-fd", { .set = ERRPIPE_SET_DIRECTORY_FD, .directory_fd = 6 } },
	{ "oom-score", { .set = ERRPIPE_SET_OOM_SCORE | ERRPIPE_SET_PROC, .oom_score = -1000, .proc = 9 } },
	{ "limits", { .limits = limits, .limits_length = COUNT(limits) } },
	{ "scheduling",
	  { .set = ERRPIPE_SET_NICE | ERRPIPE_SET_SCHEDULER | ERRPIPE_SET_IO_PRIORITY,
	    .nice = -20,
	    .scheduler = SCHED_FIFO,
	    .priority = 7,
	    .affinity = processors,
	    .affinity_size = sizeof(processors),
	    .io_priority = 2 << 13 | 7 } },
	{ "rest",
	  { .set = ERRPIPE_SET_UMASK | ERRPIPE_SET_PERSONALITY | ERRPIPE_SET_KEYRING,
	    .umask = 027,
	    .timer_slack = 123456,
	    .personality = 0xfffffff0,
	    .keyring = "of-a-setup" } },
	{ "keyring", { .set = ERRPIPE_SET_KEYRING } },
	{ "user", { AS_1000 } },
	{ "user-with-groups",
	  { .set = ERRPIPE_SET_USER,
	    .uid = 4294967294,
	    .gid = 20,
	    .groups = groups,
	    .groups_length = COUNT(groups) } },
	{ "kept-groups", { .set = ERRPIPE_SET_USER | ERRPIPE_KEEP_GROUPS, .uid = 1000, .gid = 20 } },
	{ "groups", { .set = ERRPIPE_SET_GROUPS, .groups = groups, .groups_length = COUNT(groups) } },
	{ "no-groups", { .set = ERRPIPE_SET_GROUPS } },
	{ "bounding", { .set = ERRPIPE_SET_BOUNDING, .bounding = BIT(0) | BIT(5) | BIT(40) } },
	{ "securebits", { .set = ERRPIPE_SET_SECUREBITS, .securebits = 0x2f } },
	{ "capabilities",
	  { .set = ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_BOUNDING | ERRPIPE_SET_AMBIENT,
	    .bounding = UINT64_MAX,
	    .permitted = BIT(0),
	    .effective = BIT(0) } },
	{ "capabilities-of-user",
	  { .set = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_BOUNDING | ERRPIPE_SET_AMBIENT |
		   ERRPIPE_SET_SECUREBITS,
	    .uid = 1000,
	    .gid = 20,
	    .securebits = 0x2f,
	    .bounding = BIT(5) | BIT(35),
	    .permitted = BIT(0) | BIT(5) | BIT(35),
	    .effective = BIT(5),
	    .inheritable = BIT(5) | BIT(35),
	    .ambient = BIT(5) | BIT(35) } },
	{ "death-signal", { AS_1000, .death_signal = SIGKILL } },
	{ "no-new-privs", { .set = ERRPIPE_SET_LANDLOCK, .no_new_privs = 1, .landlock = 8 } },
	{ "descriptors", { .set = ERRPIPE_SET_DESCRIPTORS, .moves = moves, .moves_length = COUNT(moves) } },
	{ "no-descriptors", { .set = ERRPIPE_SET_DESCRIPTORS } },
	{ "signals", { .defaults = &defaults, .mask = &mask } },
	{ "filter", { .no_new_privs = 1, .seccomp = filter, .seccomp_length = COUNT(filter), .seccomp_flags = 2 } },
	{ "filter-of-root", { .seccomp = filter, .seccomp_length = COUNT(filter) } },
	{ "filter-of-user",
	  { .set = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_BOUNDING | ERRPIPE_SET_AMBIENT,
	    .uid = 1000,
	    .gid = 20,
	    .bounding = UINT64_MAX,
	    .permitted = BIT(5),
	    .effective = BIT(5),
	    .inheritable = BIT(5),
	    .ambient = BIT(5),
	    .seccomp = filter,
	    .seccomp_length = COUNT(filter) } },
};

/* Copy a stub to a file in this directory, and close the stub. Returns whether that worked. */
static bool write_image(const char *name, int stub)
{
	static char bytes[65536];
	int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t size;

	lseek(stub, 0, SEEK_SET);
	size = read(stub, bytes, sizeof(bytes));
	close(stub);
	return size > 0 && file >= 0 && write(file, bytes, size) == size && close(file) == 0;
}

static void fill(sigset_t *set, const int *signals)
{
	sigemptyset(set);
	for (; *signals; signals++)
		sigaddset(set, *signals);
}

int main(int argc, char **argv)
{
	bool ok = argc == 2 && chdir(argv[1]) == 0;

	fill(&defaults, (const int[]){ SIGHUP, SIGKILL, SIGTERM, SIGSTOP, 40, 64, 0 });
	fill(&mask, (const int[]){ SIGINT, SIGTERM, 40, 64, 0 });
	ok = ok && write_image("plain", errpipe_stub());
	for (size_t i = 0; i < COUNT(images); i++)
		ok = ok && write_image(images[i].name, errpipe_setup_stub(&images[i].setup));
	return ok ? 0 : 1;
}
