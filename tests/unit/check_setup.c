/* SPDX-License-Identifier: MIT */
/*
 * Setups on both routes. The target sees the same process as after a child that makes the calls by hand. A failed step is
 * reported as that step. The target never runs without its setup.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "dmz/action.h"

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "spawned.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define BIT(cap)     (UINT64_C(1) << (cap))

enum {
	CHOWN = 0,
	KILL = 5,
	NET_BIND = 10,
	SYS_ADMIN = 21,
	KEYCTL_JOIN = 1,
	IOPRIO_BEST_EFFORT_7 = 2 << 13 | 7,
	NOBODY = 65534
};

static const char *dump;

/* --- by hand ------------------------------------------------------------------------------------------- */

static void must(long ret, const char *what)
{
	if (ret < 0) {
		perror(what);
		_exit(99);
	}
}

static void limit_files(void)
{
	const struct rlimit limit = { 64, 128 };

	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

static void capset_by_hand(uint64_t permitted, uint64_t effective, uint64_t inheritable)
{
	struct {
		uint32_t version;
		int pid;
	} header = { 0x20080522, 0 };
	uint32_t data[6] = { effective, permitted, inheritable, effective >> 32, permitted >> 32, inheritable >> 32 };

	must(syscall(SYS_capset, &header, data), "capset");
}

static void become_nobody(void)
{
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	must(setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
}

static void with_groups(void)
{
	const gid_t groups[] = { 7, 1000, 70000 };

	must(setgroups(COUNT(groups), groups), "setgroups");
	must(setresgid(20, 20, 20), "setresgid");
	must(setresuid(1000, 1000, 1000), "setresuid");
}

static void kept_groups(void)
{
	must(setresgid(20, 20, 20), "setresgid");
	must(setresuid(1000, 1000, 1000), "setresuid");
}

static void bounded(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		if (cap != CHOWN && cap != KILL)
			must(prctl(PR_CAPBSET_DROP, cap), "bounding");
	}
}

static void ambient(void)
{
	bounded();
	must(prctl(PR_SET_KEEPCAPS, 1), "keepcaps");
	become_nobody();
	capset_by_hand(BIT(CHOWN) | BIT(KILL), BIT(KILL), BIT(KILL));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), "ambient");
}

static void root_with_few(void)
{
	capset_by_hand(BIT(CHOWN), BIT(CHOWN), 0);
}

static void securebits(void)
{
	must(prctl(PR_SET_SECUREBITS, 0x2f), "securebits"); /* no setuid fixup, no root, both locked */
}

static struct sock_filter refuse_uname[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void filter(void)
{
	const struct sock_fprog program = { COUNT(refuse_uname), refuse_uname };

	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

static void filter_and_no_new_privs(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	filter();
}

static void filter_as_nobody(void)
{
	must(prctl(PR_SET_KEEPCAPS, 1), "keepcaps");
	become_nobody();
	capset_by_hand(BIT(KILL) | BIT(SYS_ADMIN), BIT(KILL) | BIT(SYS_ADMIN), BIT(KILL));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0), "ambient");
	filter();
	capset_by_hand(BIT(KILL), BIT(KILL), BIT(KILL));
}

static void session(void)
{
	must(setsid(), "setsid");
}

static void own_group(void)
{
	must(setpgid(0, 0), "setpgid");
}

static void process_attributes(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "w");
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must(file && fputs("123", file) >= 0 && fclose(file) == 0 ? 0 : -1, "oom_score_adj");
	must(setpriority(PRIO_PROCESS, 0, 5), "nice");
	must(sched_setaffinity(0, sizeof(one), &one), "affinity");
	must(syscall(SYS_ioprio_set, 1, 0, IOPRIO_BEST_EFFORT_7), "ioprio");
	must(prctl(PR_SET_TIMERSLACK, 123456), "timer slack");
	personality(ADDR_NO_RANDOMIZE);
	umask(027);
}

static void batch(void)
{
	const struct sched_param param = { 0 };

	must(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param), "scheduler"); /* not in musl */
}

static void keyring(void)
{
	must(syscall(SYS_keyctl, KEYCTL_JOIN, "of-a-setup"), "keyring");
}

static void label(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	must(fd, file);
	must(write(fd, text, strlen(text)), text);
	close(fd);
}

/* The profile of tests/system/apparmor, for the next exec. */
static void profile(void)
{
	label("/proc/self/attr/apparmor/exec", "exec errpipe-test");
}

static void context(void)
{
	label("/proc/self/attr/exec", "unlabeled");
}

static void context_of_nobody(void)
{
	context();
	become_nobody();
	filter_and_no_new_privs();
}

static void profile_of_nobody(void)
{
	profile();
	become_nobody();
	filter_and_no_new_privs();
}

static void death(void)
{
	become_nobody();
	must(prctl(PR_SET_PDEATHSIG, SIGUSR1), "death signal");
}

static void enter_directory(void)
{
	must(chdir("/usr/bin"), "chdir");
	become_nobody();
}

static sigset_t usr1_and_2;

static void signals(void)
{
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	must(sigprocmask(SIG_SETMASK, &usr1_and_2, NULL), "sigprocmask");
}

/* --- the same as setups -------------------------------------------------------------------------------- */

static const gid_t three_groups[] = { 7, 1000, 70000 };
static const struct errpipe_limit files[] = { { RLIMIT_NOFILE, 64, 128 } };
static const unsigned long first_processor[128 / sizeof(long)] = { 1 };

#define AS_NOBODY .set = ERRPIPE_SET_USER, .uid = NOBODY, .gid = NOBODY

static const struct equal {
	const char *name;
	void (*by_hand)(void);
	struct errpipe_setup setup;
} equals[] = {
	{ "nobody", become_nobody, { AS_NOBODY } },
	{ "kept groups", kept_groups, { .set = ERRPIPE_SET_USER | ERRPIPE_KEEP_GROUPS, .uid = 1000, .gid = 20 } },
	{ "bounding set", bounded, { .set = ERRPIPE_SET_BOUNDING, .bounding = BIT(CHOWN) | BIT(KILL) } },
	{ "securebits", securebits, { .set = ERRPIPE_SET_SECUREBITS, .securebits = 0x2f } },
	{ "session", session, { .session = 1 } },
	{ "process group", own_group, { .set = ERRPIPE_SET_PROCESS_GROUP } },
	{ "limits", limit_files, { .limits = files, .limits_length = COUNT(files) } },
	{ "attributes of the process",
	  process_attributes,
	  { .set = ERRPIPE_SET_OOM_SCORE | ERRPIPE_SET_NICE | ERRPIPE_SET_IO_PRIORITY | ERRPIPE_SET_PERSONALITY |
		   ERRPIPE_SET_UMASK,
	    .oom_score = 123,
	    .nice = 5,
	    .affinity = first_processor,
	    .affinity_size = sizeof(first_processor),
	    .io_priority = IOPRIO_BEST_EFFORT_7,
	    .timer_slack = 123456,
	    .personality = ADDR_NO_RANDOMIZE,
	    .umask = 027 } },
	{ "scheduler", batch, { .set = ERRPIPE_SET_SCHEDULER, .scheduler = SCHED_BATCH } },
	{ "death signal", death, { AS_NOBODY, .death_signal = SIGUSR1 } },
	{ "directory", enter_directory, { AS_NOBODY, .directory = "/usr/bin" } },
	{ "signals", signals, { .defaults = &usr1_and_2, .mask = &usr1_and_2 } },
};

/* With calls that qemu-user lacks or does otherwise. */
static const struct equal equals_by_kernel[] = {
	{ "groups",
	  with_groups,
	  { .set = ERRPIPE_SET_USER | ERRPIPE_SET_GROUPS,
	    .uid = 1000,
	    .gid = 20,
	    .groups = three_groups,
	    .groups_length = COUNT(three_groups) } },
	{ "ambient",
	  ambient,
	  { .set = ERRPIPE_SET_USER | ERRPIPE_SET_BOUNDING | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_AMBIENT,
	    .uid = NOBODY,
	    .gid = NOBODY,
	    .bounding = BIT(CHOWN) | BIT(KILL),
	    .permitted = BIT(CHOWN) | BIT(KILL),
	    .effective = BIT(KILL),
	    .inheritable = BIT(KILL),
	    .ambient = BIT(KILL) } },
	{ "root with few capabilities",
	  root_with_few,
	  { .set = ERRPIPE_SET_CAPABILITIES, .permitted = BIT(CHOWN), .effective = BIT(CHOWN) } },
	{ "filter", filter, { .seccomp = refuse_uname, .seccomp_length = COUNT(refuse_uname) } },
	{ "filter with no_new_privs",
	  filter_and_no_new_privs,
	  { .no_new_privs = 1, .seccomp = refuse_uname, .seccomp_length = COUNT(refuse_uname) } },
	{ "filter of another user",
	  filter_as_nobody,
	  { .set = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_AMBIENT,
	    .uid = NOBODY,
	    .gid = NOBODY,
	    .permitted = BIT(KILL),
	    .effective = BIT(KILL),
	    .inheritable = BIT(KILL),
	    .ambient = BIT(KILL),
	    .seccomp = refuse_uname,
	    .seccomp_length = COUNT(refuse_uname) } },
	{ "keyring", keyring, { .set = ERRPIPE_SET_KEYRING, .keyring = "of-a-setup" } },
};

#define CONTEXT .label = "unlabeled", .label_kind = ERRPIPE_LABEL_SELINUX
#define PROFILE .label = "errpipe-test", .label_kind = ERRPIPE_LABEL_APPARMOR

static const struct equal equals_by_apparmor[] = {
	{ "profile", profile, { PROFILE } },
	{ "profile of nobody, with no_new_privs and a filter",
	  profile_of_nobody,
	  { AS_NOBODY, PROFILE, .no_new_privs = 1, .seccomp = refuse_uname, .seccomp_length = COUNT(refuse_uname) } },
};

static const struct equal equals_by_selinux[] = {
	{ "context", context, { CONTEXT } },
	{ "context of nobody, with no_new_privs and a filter",
	  context_of_nobody,
	  { AS_NOBODY, CONTEXT, .no_new_privs = 1, .seccomp = refuse_uname, .seccomp_length = COUNT(refuse_uname) } },
};

static char *read_all(int fd)
{
	enum { SIZE = 65536 };
	char *text = keep(calloc(1, SIZE));
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, SIZE - 1 - length)) > 0)
		length += n;
	close(fd);
	return text;
}

static char *dumped_by_hand(const char *dump, void (*by_hand)(void))
{
	int fd[2];
	char *text;
	pid_t pid;

	make_pipe(fd);
	pid = checked_fork();
	if (pid == 0) {
		by_hand();
		must(dup2(fd[1], STDOUT_FILENO), "dup2");
		execl(dump, dump, (char *)NULL);
		_exit(98);
	}
	close(fd[1]);
	text = read_all(fd[0]);
	ck_assert_int_eq(wait_for(pid), 0);
	return text;
}

static int to_stdout(void *data, unsigned *step)
{
	(void)step;
	return dup2(*(int *)data, STDOUT_FILENO) < 0 ? -errno : 0;
}

static char *dumped(const char *dump, const struct errpipe_setup *setup, unsigned flags, int stub)
{
	char *argv[] = { (char *)dump, NULL }, *text;
	struct errpipe_report report;
	struct errpipe_child child;
	int fd[2];
	struct errpipe_spawn spawn = { .setup = setup, .flags = flags, .stub = stub, .prepare = to_stdout };

	make_pipe(fd);
	spawn.data = &fd[1];
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, dump, argv, environ), 0);
	if (!(flags & ERRPIPE_DIRECT_ONLY))
		ck_assert_int_eq(child.route, ERRPIPE_STUB);
	close(fd[1]);
	text = read_all(fd[0]);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	if (report.verdict != ERRPIPE_STARTED) {
		char line[ERRPIPE_MESSAGE_MAX];

		errpipe_message(line, sizeof(line), &report, dump);
		return strcpy(text, line);
	}
	ck_assert_int_eq(report.status, 0);
	return text;
}

/* --- kinds of targets ---------------------------------------------------------------------------------- */

enum target { PLAIN, SET_ID, CAPABLE, SCRIPT, UNREADABLE, TARGETS };

static const char *directory_of_targets;

static char *target_path(enum target target)
{
	char *path;

	return keep(asprintf(&path, "%s/%d", directory_of_targets, target) < 0 ? NULL : path);
}

/* linux/capability.h: struct vfs_cap_data, little-endian. */
static const uint32_t capable_of_chown[] = { 0x02000001, 1 << CHOWN, 0, 0, 0 };

/* The script's interpreter is a copy, because the user of the test may not be allowed to reach the build. */
static const char *const making[TARGETS] = {
	[PLAIN] = "rm -f $to && cp $dump $to && chmod 0755 $to",
	[SET_ID] = "rm -f $to && cp $dump $to && chmod 4755 $to",
	[CAPABLE] = "rm -f $to && cp $dump $to && chmod 0755 $to",
	[SCRIPT] = "i=$to.dump; rm -f $i && cp $dump $i && chmod 0755 $i && echo \"#!$i\" >$to && chmod 0755 $to",
	[UNREADABLE] = "rm -f $to && cp $dump $to && chmod 0111 $to",
};

static bool make_target(enum target target)
{
	char *path = target_path(target), *command;

	keep(asprintf(&command, "dump=%s to=%s; %s", dump, path, making[target]) < 0 ? NULL : command);
	if (system(command) != 0)
		return false;
	if (target != CAPABLE)
		return true;
	return setxattr(path, "security.capability", capable_of_chown, sizeof(capable_of_chown), 0) == 0;
}

static void assert_same(const struct equal *it, enum target target)
{
	const char *path = target_path(target);
	int dumpable = prctl(PR_GET_DUMPABLE), stub;
	uid_t uid = getuid();
	char *want;

	NEEDS("any-credentials");
	if (target == SET_ID || target == CAPABLE)
		NEEDS("privileged-files");
	ck_assert(make_target(target));
	signal(SIGUSR1, SIG_IGN);
	want = dumped_by_hand(path, it->by_hand);
	ck_assert_str_eq(dumped(path, &it->setup, ERRPIPE_STUB_ONLY, ERRPIPE_NO_STUB), want);
	ck_assert_str_eq(dumped(path, &it->setup, ERRPIPE_DIRECT_ONLY, ERRPIPE_NO_STUB), want);
	stub = errpipe_setup_stub(&it->setup);
	ck_assert_int_gt(stub, 2);
	ck_assert_str_eq(dumped(path, &it->setup, 0, stub), want);
	close(stub);
	/* The child must not have changed the parent, with which it may share memory. */
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), dumpable);
	ck_assert_uint_eq(getuid(), uid);
}

START_TEST(same_as_by_hand)
{
	assert_same(&equals[_i / TARGETS], _i % TARGETS);
}
END_TEST

START_TEST(same_as_by_hand_by_the_kernel)
{
	assert_same(&equals_by_kernel[_i / TARGETS], _i % TARGETS);
}
END_TEST

START_TEST(same_as_by_hand_by_apparmor)
{
	NEEDS("apparmor-profile");
	assert_same(&equals_by_apparmor[_i / TARGETS], _i % TARGETS);
}
END_TEST

START_TEST(same_as_by_hand_by_selinux)
{
	NEEDS("selinux-without-policy");
	assert_same(&equals_by_selinux[_i / TARGETS], _i % TARGETS);
}
END_TEST

static int prepare_profile(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	profile();
	return 0;
}

/* The stub gets the profile, which does not allow the exec of the target. */
START_TEST(a_profile_that_is_spent_on_the_stub)
{
	const struct errpipe_spawn spawn = { .stub = errpipe_stub(),
					     .flags = ERRPIPE_STUB_ONLY,
					     .prepare = prepare_profile };
	struct errpipe_report report;

	NEEDS("apparmor-profile");
	ck_assert(make_target(PLAIN));
	report = run_plain(&spawn, target_path(PLAIN));
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, EACCES);
	close(spawn.stub);
}
END_TEST

/* --- targets that cannot be executed ----------------------------------------------------------------- */

static const struct unusable {
	const char *make;
	int error;
	bool only_for_others; /* the user of the test can execute it, another user cannot */
} unusable[] = {
	{ "true", ENOENT, false },
	{ "rm -f $to && cp $dump $to && chmod 0644 $to", EACCES, false },
	{ "rm -f $to && cp $dump $to && chmod 0700 $to", EACCES, true },
	{ "echo '#!/nowhere' >$to && chmod 0755 $to", ENOENT, false },
};
enum { UNUSABLE = COUNT(unusable) };

static bool becomes_another(const struct errpipe_setup *setup)
{
	return setup->set & ERRPIPE_SET_USER && setup->uid != getuid();
}

/* The setup works, and the report is about the target. */
static void assert_unusable(const struct equal *it, const struct unusable *target)
{
	char *path = target_path(TARGETS), *command;

	NEEDS("any-credentials");
	if (target->only_for_others && !becomes_another(&it->setup))
		return;
	keep(asprintf(&command, "dump=%s to=%s; %s", dump, path, target->make) < 0 ? NULL : command);
	ck_assert_int_eq(system(command), 0);
	signal(SIGUSR1, SIG_IGN);
	for (unsigned flags = ERRPIPE_STUB_ONLY; flags <= ERRPIPE_DIRECT_ONLY; flags += 2) {
		const struct errpipe_spawn spawn = { .setup = &it->setup, .flags = flags };
		const struct errpipe_report report = run_plain(&spawn, path);

		ck_assert_msg(report.verdict == ERRPIPE_EXEC_FAILED, "%s: verdict %d", it->name, report.verdict);
		ck_assert_int_eq(report.error, target->error);
	}
	unlink(path);
	free(command);
	free(path);
}

START_TEST(a_target_that_cannot_be_executed)
{
	assert_unusable(&equals[_i / UNUSABLE], &unusable[_i % UNUSABLE]);
}
END_TEST

START_TEST(a_target_that_cannot_be_executed_by_the_kernel)
{
	assert_unusable(&equals_by_kernel[_i / UNUSABLE], &unusable[_i % UNUSABLE]);
}
END_TEST

/* --- steps that fail ----------------------------------------------------------------------------------- */

static const struct errpipe_limit too_high[] = { { RLIMIT_NOFILE, UINT64_MAX, UINT64_MAX } };
static struct sock_filter bad_filter[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 1) };
static const struct errpipe_call raw_failure[] = {
	{ .step = 0x8123, .number = SYS_chdir, .arg = { { .data = "/nowhere", .size = 9 } } }
};
static const struct errpipe_move from_closed[] = { { 777, 9 } };

static const struct failure {
	const char *name, *words; /* words: as in the message, before the errno */
	struct errpipe_setup setup;
	unsigned step;
	int error;
} failures[] = {
	{ "directory",
	  "cannot change to the working directory",
	  { .directory = "/nowhere" },
	  ERRPIPE_STEP_DIRECTORY,
	  ENOENT },
	{ "directory of another user",
	  "cannot change to the working directory",
	  { AS_NOBODY, .directory = "/root" },
	  ERRPIPE_STEP_DIRECTORY,
	  EACCES },
	{ "limit",
	  "cannot set a resource limit",
	  { .limits = too_high, .limits_length = 1 },
	  ERRPIPE_STEP_LIMIT,
	  EPERM },
	{ "process group",
	  "cannot set the process group",
	  { .set = ERRPIPE_SET_PROCESS_GROUP, .process_group = 1 },
	  ERRPIPE_STEP_PROCESS_GROUP,
	  EPERM },
	{ "terminal",
	  "cannot take the controlling terminal",
	  { .set = ERRPIPE_SET_TERMINAL, .session = 1, .terminal = 0 },
	  ERRPIPE_STEP_TERMINAL,
	  ENOTTY },
	{ "personality",
	  "cannot set the scheduling policy",
	  { .set = ERRPIPE_SET_SCHEDULER, .scheduler = 77 },
	  ERRPIPE_STEP_SCHEDULER,
	  EINVAL },
	{ "ruleset",
	  "cannot apply the Landlock ruleset",
	  { .set = ERRPIPE_SET_LANDLOCK, .no_new_privs = 1, .landlock = 0 },
	  ERRPIPE_STEP_LANDLOCK,
	  EBADFD },
	{ "filter",
	  "cannot install the seccomp filter",
	  { .no_new_privs = 1, .seccomp = bad_filter, .seccomp_length = 1 },
	  ERRPIPE_STEP_SECCOMP,
	  EINVAL },
	{ "raw call", "set-up step 291 failed", { .first = raw_failure, .first_length = 1 }, 0x8123, ENOENT },
	{ "later raw call", "set-up step 291 failed", { .last = raw_failure, .last_length = 1 }, 0x8123, ENOENT },
	{ "move",
	  "cannot move the descriptors",
	  { .set = ERRPIPE_SET_DESCRIPTORS, .moves = from_closed, .moves_length = 1 },
	  ERRPIPE_STEP_DESCRIPTORS,
	  EBADF },
};

static void assert_failure(const struct failure *it, unsigned flags)
{
	const struct errpipe_spawn spawn = { .setup = &it->setup, .flags = flags };
	struct errpipe_report report = run_plain(&spawn, "/bin/true");
	char line[ERRPIPE_MESSAGE_MAX];

	errpipe_message(line, sizeof(line), &report, "x");
	ck_assert_msg(report.verdict == ERRPIPE_SETUP_FAILED, "%s", line);
	ck_assert_msg(report.step == it->step, "%s: step %#x", line, report.step);
	if (it->error != EBADFD)
		ck_assert_int_eq(report.error, it->error);
	ck_assert_msg(strncmp(line + strlen("exec x: "), it->words, strlen(it->words)) == 0, "%s", line);
}

START_TEST(a_step_that_fails)
{
	if (failures[_i].setup.set & ERRPIPE_SET_USER)
		NEEDS("any-credentials");
	assert_failure(&failures[_i], ERRPIPE_STUB_ONLY);
	assert_failure(&failures[_i], ERRPIPE_DIRECT_ONLY);
}
END_TEST

/* --- refused before anything starts -------------------------------------------------------------------- */

static const struct errpipe_call exits[] = { { .step = 0x8000, .number = SYS_exit_group } };
static const struct errpipe_call wrong_step[] = { { .step = 1, .number = SYS_getpid } };
static const struct errpipe_call closes_all[] = {
	{ .step = 0x8000, .number = SYS_close_range, .arg = { { .value = 3 }, { .value = ~0 } } }
};
static const struct errpipe_call uses_nothing[] = {
	{ .step = 0x8000, .flags = ERRPIPE_CALL_USE_RESULT, .number = SYS_close }
};
static const struct errpipe_call uses_ignored[] = {
	{ .step = 0x8000, .flags = ERRPIPE_CALL_IGNORE_FAILURE, .number = SYS_getpid },
	{ .step = 0x8001, .flags = ERRPIPE_CALL_USE_RESULT, .number = SYS_close },
};
static const struct errpipe_limit backwards[] = { { RLIMIT_NOFILE, 2, 1 } };
static const struct errpipe_limit five_files[] = { { RLIMIT_NOFILE, 5, 64 } };
static const struct errpipe_move to_five[] = { { 0, 5 } };
static const struct errpipe_move circle[] = { { 3, 4 }, { 4, 3 } };
static const struct errpipe_move twice[] = { { 0, 5 }, { 1, 5 } };
static struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

static const struct refusal {
	struct errpipe_setup setup;
	unsigned step;
} refusals[] = {
	{ { .set = UINT64_C(1) << 40 }, 0 },
	{ { .reserved = { 1 } }, 0 },
	{ { .first = exits, .first_length = 1 }, 0x8000 },
	{ { .last = closes_all, .last_length = 1 }, 0x8000 },
	{ { .first = wrong_step, .first_length = 1 }, 0 },
	{ { .first = uses_nothing, .first_length = 1 }, 0x8000 },
	{ { .first = uses_ignored, .first_length = 2 }, 0x8001 },
	{ { .first_length = 1 }, 0 },
	{ { .label = "" }, ERRPIPE_STEP_LABEL },
	{ { .set = ERRPIPE_SET_PROCESS_GROUP, .session = 1 }, ERRPIPE_STEP_PROCESS_GROUP },
	{ { .set = ERRPIPE_SET_DIRECTORY_FD, .directory = "/" }, ERRPIPE_STEP_DIRECTORY },
	{ { .limits = backwards, .limits_length = 1 }, ERRPIPE_STEP_LIMIT },
	{ { .limits_length = 1 }, ERRPIPE_STEP_LIMIT },
	{ { .nice = 20 }, ERRPIPE_STEP_NICE },
	{ { .affinity = first_processor }, ERRPIPE_STEP_AFFINITY },
	{ { .set = ERRPIPE_SET_OOM_SCORE, .oom_score = 1001 }, ERRPIPE_STEP_OOM_SCORE },
	{ { .umask = 01000 }, ERRPIPE_STEP_UMASK },
	{ { .set = ERRPIPE_SET_USER, .uid = -1 }, ERRPIPE_STEP_USER },
	{ { .set = ERRPIPE_SET_USER, .gid = -1 }, ERRPIPE_STEP_GROUP },
	{ { .set = ERRPIPE_SET_GROUPS, .groups_length = 1 }, ERRPIPE_STEP_GROUPS },
	{ { .set = ERRPIPE_SET_GROUPS | ERRPIPE_KEEP_GROUPS }, ERRPIPE_STEP_GROUPS },
	{ { .set = ERRPIPE_SET_CAPABILITIES, .effective = 1 }, ERRPIPE_STEP_CAPABILITIES },
	{ { .set = ERRPIPE_SET_AMBIENT, .ambient = 1 }, ERRPIPE_STEP_AMBIENT },
	{ { .death_signal = 65 }, ERRPIPE_STEP_DEATH_SIGNAL },
	{ { .set = ERRPIPE_SET_DESCRIPTORS, .moves = twice, .moves_length = 2 }, ERRPIPE_STEP_DESCRIPTORS },
	{ { .set = ERRPIPE_SET_DESCRIPTORS, .moves_length = 1 }, ERRPIPE_STEP_DESCRIPTORS },
	{ { .set = ERRPIPE_SET_DESCRIPTORS,
	    .moves = to_five,
	    .moves_length = 1,
	    .limits = five_files,
	    .limits_length = 1 },
	  ERRPIPE_STEP_DESCRIPTORS },
	{ { .set = ERRPIPE_SET_DESCRIPTORS,
	    .moves = circle,
	    .moves_length = 2,
	    .limits = five_files,
	    .limits_length = 1 },
	  ERRPIPE_STEP_DESCRIPTORS },
	{ { .seccomp = allow_all }, ERRPIPE_STEP_SECCOMP },
	{ { .seccomp = allow_all, .seccomp_length = 4097 }, ERRPIPE_STEP_SECCOMP },
	{ { .seccomp = allow_all, .seccomp_length = 1, .seccomp_flags = 8 }, ERRPIPE_STEP_SECCOMP },
	{ { AS_NOBODY, .seccomp = allow_all, .seccomp_length = 1 }, ERRPIPE_STEP_SECCOMP },
};

START_TEST(a_refused_setup)
{
	const struct refusal *it = &refusals[_i];
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_child child;
	unsigned step = 1234;

	ck_assert_int_eq(errpipe_setup_check(&it->setup, &step), -EINVAL);
	ck_assert_uint_eq(step, it->step);
	ck_assert_int_eq(errpipe_setup_check(&it->setup, NULL), -EINVAL);
	ck_assert_int_eq(errpipe_setup_stub(&it->setup), -EINVAL);
	for (unsigned flags = 0; flags <= ERRPIPE_DIRECT_ONLY; flags += 2) {
		const struct errpipe_spawn spawn = { .setup = &it->setup, .flags = flags };

		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, environ), -EINVAL);
		ck_assert_int_eq(child.pid, -1);
	}
}
END_TEST

/* --- never skipped ------------------------------------------------------------------------------------- */

static const struct errpipe_setup as_nobody = { AS_NOBODY };
static const struct errpipe_setup as_nobody_refused = { AS_NOBODY, .nice = 77 };

/* The target writes its uid here, if it runs. */
static char *uid_of(const struct errpipe_spawn *spawn, const char *path)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"id -u", NULL };
	struct errpipe_spawn with_output = *spawn;
	struct errpipe_report report;
	struct errpipe_child child;
	char *text;
	int fd[2], ret;

	make_pipe(fd);
	with_output.prepare = to_stdout;
	with_output.data = &fd[1];
	ret = errpipe_spawn(&child, &with_output, path, argv, environ);
	close(fd[1]);
	text = read_all(fd[0]);
	if (ret == 0)
		errpipe_wait(&child, &report);
	return text;
}

static void assert_never_root(struct errpipe_spawn spawn)
{
	static const char *const paths[] = { "/bin/sh", "/proc/self/root/bin/sh" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		for (unsigned flags = 0; flags <= ERRPIPE_DIRECT_ONLY; flags += 2) {
			spawn.flags = flags;
			ck_assert(strcmp(uid_of(&spawn, paths[i]), "0\n") != 0);
		}
	}
}

START_TEST(never_skipped)
{
	int plain = errpipe_stub(), of_setup = errpipe_setup_stub(&as_nobody),
	    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int stubs[] = { ERRPIPE_NO_STUB, -EACCES, -EINVAL, plain, of_setup, null, 1000 };

	NEEDS("root");
	for (size_t i = 0; i < COUNT(stubs); i++) {
		assert_never_root((struct errpipe_spawn){ .setup = &as_nobody, .stub = stubs[i] });
		assert_never_root((struct errpipe_spawn){ .setup = &as_nobody_refused, .stub = stubs[i] });
	}
	/* With the setup it runs as nobody. */
	ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .setup = &as_nobody }, "/bin/sh"), "65534\n");
	ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .setup = &as_nobody }, "/proc/self/root/bin/sh"), "65534\n");
	ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .setup = &as_nobody, .stub = -EACCES }, "/bin/sh"),
			 "65534\n");
	/* The stub of a setup without the setup is refused at once. */
	ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .stub = of_setup }, "/bin/sh"), "");
	ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .setup = &as_nobody, .stub = plain }, "/bin/sh"), "");
}
END_TEST

/* What a filter does with a system call, for a child of uid_of_exec(). */
static struct {
	long number;
	unsigned option; /* of prctl(2), or 0: every option */
	unsigned action; /* 0: there is no filter */
} filtered;

/* Returns -1 with errno if it fails. */
static int install_filter(void)
{
	const unsigned low_half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filtered.number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + low_half),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filtered.option, 0, filtered.option ? 1 : 0),
		BPF_STMT(BPF_RET | BPF_K, filtered.action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(instructions), instructions };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* errpipe_exec() as root, in a child. Returns the output of the target. */
static char *uid_of_exec(int stub, unsigned flags, struct errpipe_report *report)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"id -u", NULL }, *text;
	int fd[2], pipe[2];
	pid_t pid;

	make_pipe(fd);
	ck_assert_int_eq(errpipe_pipe(pipe), 0);
	pid = checked_fork();
	if (pid == 0) {
		must(dup2(fd[1], STDOUT_FILENO), "dup2");
		if (filtered.action)
			must(install_filter(), "seccomp");
		errpipe_exec(stub, flags, pipe[1], "/bin/sh", argv, environ);
		_exit(42);
	}
	close(fd[1]);
	close(pipe[1]);
	text = read_all(fd[0]);
	ck_assert_int_eq(errpipe_read(pipe[0], report), 1);
	close(pipe[0]);
	wait_for(pid);
	return text;
}

static int opened_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

START_TEST(exec_never_falls_back)
{
	int stub = errpipe_setup_stub(&as_nobody), spoilt;
	const int stubs[] = { stub, opened_again(stub, O_RDONLY), opened_again(stub, O_PATH) };
	struct errpipe_report report;

	NEEDS("root");
	ck_assert_str_eq(uid_of_exec(errpipe_setup_stub(&as_nobody_refused), ERRPIPE_FALLBACK, &report), "");
	ck_assert_uint_eq(report.step, ERRPIPE_STEP_STUB);
	ck_assert_int_eq(report.error, EINVAL);
	for (size_t i = 0; i < COUNT(stubs); i++) {
		ck_assert_int_ge(stubs[i], 0);
		ck_assert_str_eq(uid_of_exec(stubs[i], ERRPIPE_FALLBACK, &report), "65534\n");
		ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .stub = stubs[i] }, "/bin/sh"), "");
	}
	/* Root in the container holds it open for writing. */
	spoilt = opened_again(stub, O_RDWR);
	ck_assert_int_ge(spoilt, 0);
	for (size_t i = 0; i < COUNT(stubs); i++) {
		ck_assert_str_eq(uid_of_exec(stubs[i], ERRPIPE_FALLBACK, &report), "");
		ck_assert_uint_eq(report.step, ERRPIPE_STEP_STUB);
		ck_assert_str_eq(uid_of(&(struct errpipe_spawn){ .setup = &as_nobody, .stub = stubs[i] }, "/bin/sh"),
				 "");
	}
}
END_TEST

/* The first bytes of a stub, as a file that anybody may write to. */
static int truncated(const char *bytes, size_t size)
{
	int fd = memfd_create("truncated", MFD_CLOEXEC), again;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), size);
	again = opened_again(fd, O_RDONLY);
	close(fd);
	return again;
}

/* DMZ_LAST is in the first two bytes of the last action, and in one of these. */
START_TEST(never_skipped_if_truncated)
{
	enum { SIZE = 65536 };
	int stub = errpipe_setup_stub(&as_nobody);
	char *bytes = keep(malloc(SIZE));
	ssize_t size = pread(stub, bytes, SIZE, 0);
	struct errpipe_report report;

	NEEDS("root");
	ck_assert_int_gt(size, sizeof(struct dmz_action));
	size -= sizeof(struct dmz_action);
	for (ssize_t n = 0; n <= size; n += is_slow() ? 101 : 7) {
		int fd = truncated(bytes, n);

		ck_assert_str_eq(uid_of_exec(fd, 0, &report), "");
		close(fd);
	}
	ck_assert_str_eq(uid_of_exec(truncated(bytes, size + 2), 0, &report), "65534\n");
	free(bytes);
}
END_TEST

/* --- filters that are in force before the stub ---------------------------------------------------------- */

/* The calls of most steps. errpipe_exec() makes none of these. */
static const struct {
	long number;
	unsigned step;
} calls[] = {
	{ SYS_setsid, ERRPIPE_STEP_SESSION },
	{ SYS_chdir, ERRPIPE_STEP_DIRECTORY },
	{ SYS_openat, ERRPIPE_STEP_OOM_SCORE },
	{ SYS_prlimit64, ERRPIPE_STEP_LIMIT },
	{ SYS_setpriority, ERRPIPE_STEP_NICE },
	{ SYS_sched_setscheduler, ERRPIPE_STEP_SCHEDULER },
	{ SYS_sched_setaffinity, ERRPIPE_STEP_AFFINITY },
	{ SYS_ioprio_set, ERRPIPE_STEP_IO_PRIORITY },
	{ SYS_umask, ERRPIPE_STEP_UMASK },
	{ SYS_personality, ERRPIPE_STEP_PERSONALITY },
	{ SYS_keyctl, ERRPIPE_STEP_KEYRING },
	{ SYS_prctl, ERRPIPE_STEP_BOUNDING },
#ifdef SYS_setresuid32
	{ SYS_setgroups32, ERRPIPE_STEP_GROUPS },
	{ SYS_setresgid32, ERRPIPE_STEP_GROUP },
	{ SYS_setresuid32, ERRPIPE_STEP_USER },
#else
	{ SYS_setgroups, ERRPIPE_STEP_GROUPS },
	{ SYS_setresgid, ERRPIPE_STEP_GROUP },
	{ SYS_setresuid, ERRPIPE_STEP_USER },
#endif
	{ SYS_capset, ERRPIPE_STEP_CAPABILITIES },
	{ SYS_close_range, ERRPIPE_STEP_DESCRIPTORS },
	{ SYS_rt_sigaction, ERRPIPE_STEP_SIGNALS },
	{ SYS_seccomp, ERRPIPE_STEP_SECCOMP },
};

static const struct errpipe_setup most_steps = {
	.set = ERRPIPE_SET_USER | ERRPIPE_SET_OOM_SCORE | ERRPIPE_SET_NICE | ERRPIPE_SET_SCHEDULER |
	       ERRPIPE_SET_IO_PRIORITY | ERRPIPE_SET_UMASK | ERRPIPE_SET_PERSONALITY | ERRPIPE_SET_KEYRING |
	       ERRPIPE_SET_BOUNDING | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_DESCRIPTORS,
	.session = 1,
	.directory = "/",
	.limits = files,
	.limits_length = COUNT(files),
	.affinity = first_processor,
	.affinity_size = sizeof(first_processor),
	.io_priority = IOPRIO_BEST_EFFORT_7,
	.uid = NOBODY,
	.gid = NOBODY,
	.no_new_privs = 1,
	.defaults = &usr1_and_2,
	.seccomp = refuse_uname,
	.seccomp_length = COUNT(refuse_uname),
};

START_TEST(a_filter_refuses_a_call)
{
	int stub = errpipe_setup_stub(&most_steps);
	struct errpipe_report report;

	NEEDS("root");
	NEEDS("seccomp");
	ck_assert_int_gt(stub, 2);
	ck_assert_str_eq(uid_of_exec(stub, 0, &report), "65534\n");
	filtered.number = calls[_i].number;
	filtered.action = SECCOMP_RET_ERRNO | EDOM;
	ck_assert_str_eq(uid_of_exec(stub, 0, &report), "");
	ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
	ck_assert_uint_eq(report.step, calls[_i].step);
	ck_assert_int_eq(report.error, EDOM);
	filtered.action = SECCOMP_RET_KILL_PROCESS;
	ck_assert_str_eq(uid_of_exec(stub, 0, &report), "");
	close(stub);
}
END_TEST

/*
 * A filter can answer that a call succeeded, without making it. The stub cannot know. The target is then the same as after a
 * child that makes the calls by hand, which believes the answer just as well.
 */
static const struct lie {
	long number;
	unsigned option;
	const char *setup; /* the name of a setup that makes the call */
} lies[] = {
#ifdef SYS_setresuid32
	{ SYS_setgroups32, 0, "groups" },
	{ SYS_setresgid32, 0, "groups" },
	{ SYS_setresuid32, 0, "groups" },
#else
	{ SYS_setgroups, 0, "groups" },
	{ SYS_setresgid, 0, "groups" },
	{ SYS_setresuid, 0, "groups" },
#endif
	{ SYS_capset, 0, "root with few capabilities" },
	{ SYS_prctl, PR_CAPBSET_DROP, "bounding set" },
	{ SYS_prctl, PR_SET_SECUREBITS, "securebits" },
	{ SYS_prctl, PR_SET_NO_NEW_PRIVS, "filter with no_new_privs" },
	{ SYS_seccomp, 0, "filter" },
};

static const struct equal *equal_named(const char *name)
{
	for (size_t i = 0; i < COUNT(equals); i++) {
		if (strcmp(equals[i].name, name) == 0)
			return &equals[i];
	}
	for (size_t i = 0; i < COUNT(equals_by_kernel); i++) {
		if (strcmp(equals_by_kernel[i].name, name) == 0)
			return &equals_by_kernel[i];
	}
	ck_abort_msg("no setup has the name %s", name);
	return NULL;
}

static void believe(int i)
{
	filtered.number = lies[i].number;
	filtered.option = lies[i].option;
	filtered.action = SECCOMP_RET_ERRNO;
	must(install_filter(), "seccomp");
	assert_same(equal_named(lies[i].setup), PLAIN);
}

START_TEST(a_filter_fakes_a_call)
{
	NEEDS("any-credentials");
	NEEDS("seccomp");
	in_child(believe, _i);
}
END_TEST

/* The target starts as the user from before. Its /proc/PID/status would show that. */
START_TEST(a_filter_fakes_the_change_of_user)
{
	int stub = errpipe_setup_stub(&as_nobody);
	struct errpipe_report report;

	NEEDS("root");
	NEEDS("seccomp");
#ifdef SYS_setresuid32
	filtered.number = SYS_setresuid32;
#else
	filtered.number = SYS_setresuid;
#endif
	filtered.action = SECCOMP_RET_ERRNO;
	ck_assert_str_eq(uid_of_exec(stub, 0, &report), "0\n");
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	close(stub);
}
END_TEST

/* Without privileges a filter needs no_new_privs, and the kernel notices that it was faked. */
static void try_a_filter_without_privileges(int i)
{
	const struct errpipe_setup setup = { .no_new_privs = 1, .seccomp = allow_all, .seccomp_length = 1 };
	const struct errpipe_spawn spawn = { .setup = &setup, .flags = i ? ERRPIPE_DIRECT_ONLY : ERRPIPE_STUB_ONLY };
	const bool is_set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	struct errpipe_report report;

	filtered.number = SYS_prctl;
	filtered.option = PR_SET_NO_NEW_PRIVS;
	filtered.action = SECCOMP_RET_ERRNO;
	must(install_filter(), "seccomp");
	become_nobody();
	report = run_plain(&spawn, "/bin/true");
	ck_assert_int_eq(report.verdict, is_set ? ERRPIPE_STARTED : ERRPIPE_SETUP_FAILED);
	if (is_set)
		return;
	ck_assert_uint_eq(report.step, ERRPIPE_STEP_SECCOMP);
	ck_assert_int_eq(report.error, EACCES);
}

START_TEST(a_filter_fakes_no_new_privs)
{
	NEEDS("root");
	NEEDS("seccomp");
	in_child(try_a_filter_without_privileges, _i);
}
END_TEST

/* --- kernels that lack a call ---------------------------------------------------------------------------- */

/* A kernel without the call, or without the option of prctl(2): a setup that needs it fails. */
static const struct lacking {
	long number;
	unsigned option;
	int error;
	unsigned step;
	struct errpipe_setup setup;
} lacking[] = {
	/* Linux before 5.9 */
	{ SYS_close_range, 0, ENOSYS, ERRPIPE_STEP_DESCRIPTORS, { .set = ERRPIPE_SET_DESCRIPTORS } },
	/* before 5.13, or without the module */
	{ SYS_landlock_restrict_self,
	  0,
	  ENOSYS,
	  ERRPIPE_STEP_LANDLOCK,
	  { .set = ERRPIPE_SET_LANDLOCK, .landlock = 0, .no_new_privs = 1 } },
	{ SYS_landlock_restrict_self,
	  0,
	  EOPNOTSUPP,
	  ERRPIPE_STEP_LANDLOCK,
	  { .set = ERRPIPE_SET_LANDLOCK, .landlock = 0, .no_new_privs = 1 } },
	/* before 4.3 */
	{ SYS_prctl,
	  PR_CAP_AMBIENT,
	  EINVAL,
	  ERRPIPE_STEP_AMBIENT,
	  { .set = ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_AMBIENT } },
	/* before 3.17, or without CONFIG_SECCOMP_FILTER */
	{ SYS_seccomp,
	  0,
	  ENOSYS,
	  ERRPIPE_STEP_SECCOMP,
	  { .no_new_privs = 1, .seccomp = allow_all, .seccomp_length = 1 } },
	/* before 3.5 */
	{ SYS_prctl, PR_SET_NO_NEW_PRIVS, EINVAL, ERRPIPE_STEP_NO_NEW_PRIVS, { .no_new_privs = 1 } },
	/* without CONFIG_KEYS */
	{ SYS_keyctl, 0, ENOSYS, ERRPIPE_STEP_KEYRING, { .set = ERRPIPE_SET_KEYRING } },
	/* without CONFIG_BLOCK */
	{ SYS_ioprio_set, 0, ENOSYS, ERRPIPE_STEP_IO_PRIORITY, { .set = ERRPIPE_SET_IO_PRIORITY } },
};

static void lack(int i)
{
	const struct lacking *it = &lacking[i];

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	filtered.number = it->number;
	filtered.option = it->option;
	filtered.action = SECCOMP_RET_ERRNO | it->error;
	must(install_filter(), "seccomp");
	for (unsigned flags = ERRPIPE_STUB_ONLY; flags <= ERRPIPE_DIRECT_ONLY; flags += 2) {
		const struct errpipe_spawn spawn = { .setup = &it->setup, .flags = flags };
		const struct errpipe_report report = run_plain(&spawn, "/bin/true");

		ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
		ck_assert_uint_eq(report.step, it->step);
		ck_assert_int_eq(report.error, it->error);
	}
}

START_TEST(a_kernel_that_lacks_a_call)
{
	NEEDS("seccomp");
	in_child(lack, _i);
}
END_TEST

/* --- descriptors --------------------------------------------------------------------------------------- */

static const struct errpipe_move swaps[] = { { 40, 41 }, { 41, 42 }, { 42, 40 }, { 43, 43 }, { 40, 60 } };

/* The files to which the numbers in the moves lead. */
START_TEST(moved_descriptors)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"for n in 40 41 42 43 44 60; do printf '%s ' $(readlink /proc/self/fd/$n); done",
			 NULL };
	const struct errpipe_setup setup = { .set = ERRPIPE_SET_DESCRIPTORS,
					     .moves = swaps,
					     .moves_length = COUNT(swaps) };
	static const char *const paths[] = { "/", "/usr", "/dev", "/etc", "/tmp" };
	const unsigned flags[] = { ERRPIPE_STUB_ONLY, ERRPIPE_DIRECT_ONLY };

	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = open(paths[i], O_PATH | O_CLOEXEC);

		ck_assert_int_eq(dup3(fd, 40 + i, i == 4 ? 0 : O_CLOEXEC), 40 + i);
		close(fd);
	}
	for (size_t i = 0; i < COUNT(flags); i++) {
		struct errpipe_spawn spawn = { .setup = &setup, .flags = flags[i], .prepare = to_stdout };
		struct errpipe_report report;
		struct errpipe_child child;
		int fd[2];

		make_pipe(fd);
		spawn.data = &fd[1];
		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/sh", argv, environ), 0);
		close(fd[1]);
		ck_assert_str_eq(read_all(fd[0]), "/dev / /usr /etc  / ");
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	}
}
END_TEST

/* Each is inheritable when the child starts, and would be the target's without the setup. */
START_TEST(released_descriptors)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"for fd in /proc/self/fd/*; do readlink $fd; done | grep -cx /proc\\|/usr", NULL };
	const unsigned flags[] = { ERRPIPE_STUB_ONLY, ERRPIPE_DIRECT_ONLY };
	struct errpipe_setup setup = { .set = ERRPIPE_SET_PROC | ERRPIPE_SET_DIRECTORY_FD | ERRPIPE_SET_OOM_SCORE,
				       .oom_score = 500 };

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct errpipe_spawn spawn = { .setup = &setup, .flags = flags[i], .prepare = to_stdout };
		struct errpipe_report report;
		struct errpipe_child child;
		int fd[2];

		setup.proc = open("/proc", O_PATH);
		setup.directory_fd = open("/usr", O_PATH);
		make_pipe(fd);
		spawn.data = &fd[1];
		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/sh", argv, environ), 0);
		close(fd[1]);
		ck_assert_str_eq(read_all(fd[0]), "0\n");
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		close(setup.proc);
		close(setup.directory_fd);
	}
}
END_TEST

static const struct errpipe_limit few_files[] = { { RLIMIT_NOFILE, 64, 64 }, { RLIMIT_NOFILE, 3, 5 } };
static const struct errpipe_move to_two[] = { { 0, 2 }, { 60, 60 } };

/* The target has no room for another descriptor. The steps that need one come before the limit. */
START_TEST(a_limit_of_few_files)
{
	char *argv[] = { (char *)"true", NULL };
	const struct errpipe_setup setup = { .set = ERRPIPE_SET_OOM_SCORE | ERRPIPE_SET_DESCRIPTORS,
					     .oom_score = 500,
					     .limits = few_files,
					     .limits_length = COUNT(few_files),
					     .moves = to_two,
					     .moves_length = COUNT(to_two) };
	const unsigned flags[] = { ERRPIPE_STUB_ONLY, ERRPIPE_DIRECT_ONLY };

	ck_assert_int_eq(dup2(0, 60), 60);
	for (size_t i = 0; i < COUNT(flags); i++) {
		const struct errpipe_spawn spawn = { .setup = &setup, .flags = flags[i] };
		struct errpipe_report report;
		struct errpipe_child child;
		char path[64], score[8] = "";
		int fd;

		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, environ), 0);
		ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
		ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", child.pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_gt(read(fd, score, sizeof(score) - 1), 0);
		close(fd);
		ck_assert_str_eq(score, "500\n");
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	}
}
END_TEST

static Suite *setup_suite(void)
{
	Suite *suite = suite_create("setup");
	TCase *tc = tcase_create("setup");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, same_as_by_hand, 0, COUNT(equals) * TARGETS);
	tcase_add_loop_test(tc, same_as_by_hand_by_the_kernel, 0, COUNT(equals_by_kernel) * TARGETS);
	tcase_add_loop_test(tc, same_as_by_hand_by_apparmor, 0, COUNT(equals_by_apparmor) * TARGETS);
	tcase_add_loop_test(tc, same_as_by_hand_by_selinux, 0, COUNT(equals_by_selinux) * TARGETS);
	tcase_add_test(tc, a_profile_that_is_spent_on_the_stub);
	tcase_add_loop_test(tc, a_target_that_cannot_be_executed, 0, COUNT(equals) * UNUSABLE);
	tcase_add_loop_test(tc, a_target_that_cannot_be_executed_by_the_kernel, 0,
			    COUNT(equals_by_kernel) * UNUSABLE);
	tcase_add_loop_test(tc, a_step_that_fails, 0, COUNT(failures));
	tcase_add_loop_test(tc, a_refused_setup, 0, COUNT(refusals));
	tcase_add_test(tc, never_skipped);
	tcase_add_test(tc, exec_never_falls_back);
	tcase_add_test(tc, never_skipped_if_truncated);
	tcase_add_loop_test(tc, a_filter_refuses_a_call, 0, COUNT(calls));
	tcase_add_loop_test(tc, a_filter_fakes_a_call, 0, COUNT(lies));
	tcase_add_test(tc, a_filter_fakes_the_change_of_user);
	tcase_add_loop_test(tc, a_filter_fakes_no_new_privs, 0, 2);
	tcase_add_loop_test(tc, a_kernel_that_lacks_a_call, 0, COUNT(lacking));
	tcase_add_test(tc, moved_descriptors);
	tcase_add_test(tc, released_descriptors);
	tcase_add_test(tc, a_limit_of_few_files);
	suite_add_tcase(suite, tc);
	return suite;
}

static char directory[] = "/tmp/errpipe-setup.XXXXXX";
static pid_t maker;

static void remove_directory(void)
{
	char *command;

	if (getpid() != maker || asprintf(&command, "rm -rf '%s'", directory) < 0)
		return;
	if (system(command) != 0)
		perror(directory);
	free(command);
}

int main(void)
{
	sigemptyset(&usr1_and_2);
	sigaddset(&usr1_and_2, SIGUSR1);
	sigaddset(&usr1_and_2, SIGUSR2);
	/* The leak checker cannot attach to a set-id program. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	dump = built_path("tests/prog_dump");
	directory_of_targets = mkdtemp(directory);
	if (!directory_of_targets || chmod(directory, 0755) < 0)
		return EXIT_FAILURE;
	maker = getpid();
	atexit(remove_directory);
	return run_suite(setup_suite());
}
