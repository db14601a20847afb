/* SPDX-License-Identifier: MIT */
/*
 * Does the target notice the stub?
 *
 * Where errpipe_route() says no, an exec through the stub is compared with a plain one, for all kinds of identities
 * and targets. Where it says yes, a test shows a difference.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "rounds.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

/* From linux/securebits.h, which defines each of them through another macro. */
enum { NOROOT = 1, NO_SETUID_FIXUP = 4, KEEP_CAPS = 16 };

enum { SOMEBODY = 54321 }; /* owns a directory that other users cannot enter */

#define DAC (1ULL << CAP_DAC_OVERRIDE)
#define NBS (1ULL << CAP_NET_BIND_SERVICE)
#define RAW (1ULL << CAP_NET_RAW)
#define ALL (~0ULL)

static char directory[64];
static int stub;

/* Check forks a process for each test. The stub disappears with it. */
static void make_stub(void)
{
	stub = errpipe_stub();
	ck_assert_int_ge(stub, 0);
}

/* --- the files ---------------------------------------------------------------------------------------------- */

enum target { ORDINARY, FILE_P, FILE_PE, FILE_I, SET_UID, HIDDEN, SCRIPT, MISSING, TARGETS };

static const char *const names[TARGETS] = { "ordinary", "file-p",	  "file-pe", "file-i",
					    "set-uid",	"hidden/program", "script",  "missing" };
static char paths[TARGETS][96];

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void copy(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char bytes[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		die(in < 0 ? from : to);
	while ((n = read(in, bytes, sizeof(bytes))) > 0) {
		if (write(out, bytes, n) != n)
			die(to);
	}
	if (n < 0 || fchmod(out, mode) < 0)
		die(to);
	close(in);
	close(out);
}

/*
 * struct vfs_cap_data is from linux/capability.h. Where files cannot have capabilities, the target is just another
 * ordinary file.
 */
static void add_capability(const char *path, bool permitted, bool inheritable, bool effective)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0),
		.data[0] = { permitted ? RAW : 0, inheritable ? RAW : 0 },
	};

	if (setxattr(path, "security.capability", &data, sizeof(data), 0) < 0)
		perror(path);
}

static void write_script(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	fputs(text, file);
	if (fclose(file) != 0 || chmod(path, 0755) < 0)
		die(path);
}

static void make_script(const char *path)
{
	char text[128];

	snprintf(text, sizeof(text), "#!%s from-the-script\n", paths[ORDINARY]);
	write_script(path, text);
}

static const struct {
	const char *name, *target;
} links[] = {
	{ "exe", "/proc/self/exe" },
	{ "exe-2", "exe" },
	{ "exe-3", "../links/exe-2" },
	{ "self", "/proc/self" },
	{ "exe-4", "self/exe" },
	{ "fd", "/proc/self/fd" },
	{ "loop", "loop" },
	{ "closed-on-exec", "/dev/fd/200" },
	{ "dangling", "/proc/self/fd/333" },
	{ "ordinary", "../ordinary" },
};
enum { LINKS = sizeof(links) / sizeof(*links) };

/* The scripts are in the directory of the links and use relative names. */
static const struct {
	const char *name, *text;
} scripts[] = {
	{ "script-exe", "#!/proc/self/exe --as-target\n" },
	{ "script-blanks", "#! \t/proc/self/exe --as-target  \n" },
	{ "script-nul", "#!/proc/self/exe --as-target" },
	{ "script-link", "#!exe-3 --as-target\n" },
	{ "script-fd", "#!/dev/fd/200\n" },
	{ "script-2", "#!script-exe\n" },
	{ "script-3", "#!script-2\n" },
	{ "script-4", "#!script-3\n" },
	{ "script-5", "#!script-4\n" },
	{ "script-6", "#!script-5\n" },
	{ "script-self", "#!script-self\n" },
	{ "script-ordinary", "#!../ordinary x\n" },
	{ "script-argument", "#!../ordinary /proc/self/exe\n" },
	{ "script-text", "# !/proc/self/exe\n" },
	{ "script-bare", "#!\n/proc/self/exe\n" },
};
enum { SCRIPT_FILES = sizeof(scripts) / sizeof(*scripts) };

static void link_path(char path[96], const char *name)
{
	snprintf(path, 96, "%s/links/%s", directory, name);
}

static void make_links(void)
{
	char path[96];

	link_path(path, "");
	if (mkdir(path, 0755) < 0)
		die(path);
	for (int i = 0; i < LINKS; i++) {
		link_path(path, links[i].name);
		if (symlink(links[i].target, path) < 0)
			die(path);
	}
	for (int i = 0; i < SCRIPT_FILES; i++) {
		link_path(path, scripts[i].name);
		write_script(path, scripts[i].text);
	}
	link_path(path, "fifo");
	if (mkfifo(path, 0755) < 0)
		die(path);
}

static void remove_links(void)
{
	char path[96];

	for (int i = 0; i < LINKS; i++) {
		link_path(path, links[i].name);
		unlink(path);
	}
	for (int i = 0; i < SCRIPT_FILES; i++) {
		link_path(path, scripts[i].name);
		unlink(path);
	}
	link_path(path, "fifo");
	unlink(path);
	link_path(path, "");
	rmdir(path);
}

static void enter_links(void)
{
	char path[96];

	link_path(path, "");
	ck_assert_int_eq(chdir(path), 0);
}

static void make_files(void)
{
	const char *tmp = getenv("TMPDIR");
	char *program = built_path("tests/prog_status"), hidden[96];

	snprintf(directory, sizeof(directory), "%.40s/errpipe-route.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0)
		die(directory);
	for (int i = 0; i < TARGETS; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, names[i]);
	snprintf(hidden, sizeof(hidden), "%s/hidden", directory);
	if (mkdir(hidden, 0700) < 0)
		die(hidden);

	for (int i = ORDINARY; i <= HIDDEN; i++)
		copy(program, paths[i], i == SET_UID ? 04755 : 0755);
	free(program);
	make_script(paths[SCRIPT]);
	make_links();
	if (geteuid() != 0)
		return;
	if (chown(hidden, SOMEBODY, SOMEBODY) < 0)
		die(hidden);
	add_capability(paths[FILE_P], true, false, false);
	add_capability(paths[FILE_PE], true, false, true);
	add_capability(paths[FILE_I], false, true, true);
}

static void remove_files(void)
{
	char hidden[96];

	remove_links();
	for (int i = 0; i < TARGETS; i++)
		unlink(paths[i]);
	snprintf(hidden, sizeof(hidden), "%s/hidden", directory);
	rmdir(hidden);
	rmdir(directory);
}

/* --- changing the identity ---------------------------------------------------------------------------------- */

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct cap_data data[2] = {
		{ effective, permitted, inheritable },
		{ effective >> 32, permitted >> 32, inheritable >> 32 },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int set_bounding(uint64_t set)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (!(set >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static int raise_ambient(uint64_t set)
{
	for (int cap = 0; cap < 64; cap++) {
		if (set >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* The order matters: each step needs privileges that a later one drops. all is the set of existing capabilities. */
static int take_identity(const struct errpipe_identity *want, uint64_t all)
{
	int ret;

	if (prctl(PR_SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0) < 0 || setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid(want->euid, want->euid, want->euid) < 0 || setresuid(want->uid, want->euid, want->euid) < 0)
		return -errno;
	ret = set_capabilities(all, all, want->inheritable);
	if (ret == 0)
		ret = raise_ambient(want->ambient);
	if (ret == 0)
		ret = set_bounding(want->bounding);
	if (ret == 0 && prctl(PR_SET_SECUREBITS, want->securebits, 0, 0, 0) < 0)
		ret = -errno;
	if (ret == 0 && want->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		ret = -errno;
	return ret < 0 ? ret : set_capabilities(want->effective, want->permitted, want->inheritable);
}

/* ALL stands for the existing capabilities. */
static void become_identity(struct errpipe_identity *want)
{
	struct errpipe_identity now;

	ck_assert_int_eq(errpipe_identity(&now), 0);
	want->bounding &= now.bounding;
	want->permitted &= now.permitted;
	want->effective &= now.permitted;
	want->inheritable &= now.permitted;
	want->ambient &= want->permitted & want->inheritable;
	ck_assert_int_eq(take_identity(want, now.permitted), 0);
}

/* Read a value from /proc/PID/status (proc(5)). That is independent of the system calls that the library uses. */
static uint64_t from_status(const char *key, int base)
{
	FILE *file = fopen("/proc/thread-self/status", "re");
	char line[1024];
	uint64_t value = 0;
	bool found = false;

	ck_assert(file != NULL);
	while (!found && fgets(line, sizeof(line), file)) {
		found = strncmp(line, key, strlen(key)) == 0;
		if (found)
			value = strtoull(line + strlen(key), NULL, base);
	}
	fclose(file);
	ck_assert_msg(found, "%s is missing", key);
	return value;
}

static void assert_identity_is(const struct errpipe_identity *got, const struct errpipe_identity *want)
{
	ck_assert_int_eq(got->uid, want->uid);
	ck_assert_int_eq(got->euid, want->euid);
	ck_assert_int_eq(got->securebits, want->securebits);
	ck_assert_int_eq(got->no_new_privs, want->no_new_privs);
	ck_assert_uint_eq(got->effective, want->effective);
	ck_assert_uint_eq(got->permitted, want->permitted);
	ck_assert_uint_eq(got->inheritable, want->inheritable);
	ck_assert_uint_eq(got->ambient, want->ambient);
	ck_assert_uint_eq(got->bounding, want->bounding);
	ck_assert_int_eq(got->label, 0);
	ck_assert_int_eq(got->on_exec, 0);

	ck_assert_uint_eq(got->uid, from_status("Uid:", 10));
	ck_assert_uint_eq(got->no_new_privs, from_status("NoNewPrivs:", 10));
	ck_assert_uint_eq(got->effective, from_status("CapEff:", 16));
	ck_assert_uint_eq(got->permitted, from_status("CapPrm:", 16));
	ck_assert_uint_eq(got->inheritable, from_status("CapInh:", 16));
	ck_assert_uint_eq(got->ambient, from_status("CapAmb:", 16));
	ck_assert_uint_eq(got->bounding, from_status("CapBnd:", 16));
}

/* --- three ways to exec ------------------------------------------------------------------------------------- */

struct outcome {
	char text[4096]; /* the output of the target, or the reason why it did not run */
	struct errpipe_report report;
	enum errpipe_route route;
};

static int output[2]; /* becomes the target's standard output */

static void open_output(void)
{
	ck_assert_int_eq(pipe2(output, O_CLOEXEC | O_NONBLOCK), 0);
}

/* The parent-death signal is cleared by an exec that changes credentials, so the target prints it. */
static int prepare(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	if (dup2(output[1], STDOUT_FILENO) < 0)
		return -errno;
	prctl(PR_SET_PDEATHSIG, SIGURG, 0, 0, 0);
	return 0;
}

static void take_output(struct outcome *outcome, int status)
{
	ssize_t n = read(output[0], outcome->text, sizeof(outcome->text) - 32);

	snprintf(outcome->text + (n > 0 ? n : 0), 32, "status %#x\n", status);
}

static void exec_plainly(const char *path, char *const argv[], struct outcome *outcome)
{
	char *envp[] = { NULL };
	pid_t pid = checked_fork();

	if (pid == 0) {
		prepare(NULL, NULL);
		execve(path, argv, envp);
		dprintf(STDOUT_FILENO, "exec failed: %d\n", errno);
		_exit(errno == ENOENT ? 127 : 126);
	}
	take_output(outcome, wait_for(pid));
}

static void spawn_with(int stub_or_none, unsigned flags, const char *path, char *const argv[],
		       struct outcome *outcome)
{
	const struct errpipe_spawn spawn = { .stub = stub_or_none, .flags = flags, .prepare = prepare };
	struct errpipe_report report;
	struct errpipe_child child;
	char *envp[] = { NULL };

	ck_assert_int_eq(errpipe_spawn(&child, &spawn, path, argv, envp), 0);
	outcome->route = child.route;
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	outcome->report = report;
	if (report.verdict == ERRPIPE_EXEC_FAILED)
		snprintf(outcome->text, sizeof(outcome->text), "exec failed: %d\nstatus %#x\n", report.error,
			 report.error == ENOENT ? 127 << 8 : 126 << 8);
	else if (report.verdict == ERRPIPE_STARTED)
		take_output(outcome, report.status);
	else
		snprintf(outcome->text, sizeof(outcome->text), "verdict %d: step %u, errno %d\n", report.verdict,
			 report.step, report.error);
}

static void exec_directly(const char *path, char *const argv[], struct outcome *outcome)
{
	spawn_with(ERRPIPE_NO_STUB, 0, path, argv, outcome);
}

static void exec_by_route(const char *path, char *const argv[], struct outcome *outcome)
{
	spawn_with(stub, 0, path, argv, outcome);
}

static void exec_through_stub(const char *path, char *const argv[], struct outcome *outcome)
{
	spawn_with(stub, ERRPIPE_STUB_ONLY, path, argv, outcome);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return strcmp(a->text, b->text) == 0;
}

/* --- the experiment: identities times targets --------------------------------------------------------------- */

/* The results of one row, in memory shared by its processes. */
struct tally {
	int identities, points;
	int stub, stub_same;	 /* points where the rule says STUB, and those where the stub made no difference */
	int direct, direct_same; /* the same for DIRECT_CREDENTIALS, where the stub would have made no difference */
	int strict, strict_same; /* the same for the stricter rule below, where it says DIRECT */
	char wrong[4096];
};

static struct tally *tally;

/* The strict rule allows the stub only for uid 0, or if every set equals the ambient set. */
static bool strict_rule_says_direct(const struct errpipe_identity *now)
{
	return now->uid != 0 &&
	       (now->inheritable != now->ambient || now->permitted != now->ambient || now->bounding != now->ambient);
}

static void complain(const char *what, const char *path, const struct outcome *a, const struct outcome *b)
{
	if (!*tally->wrong)
		snprintf(tally->wrong, sizeof(tally->wrong), "%s: %s\n--- %.1900s+++ %.1900s", what, path, a->text,
			 b->text);
}

static void count(const struct errpipe_identity *now, enum errpipe_route route, bool no_difference)
{
	bool strict = strict_rule_says_direct(now);

	tally->points++;
	*(route == ERRPIPE_STUB ? &tally->stub : &tally->direct) += 1;
	*(route == ERRPIPE_STUB ? &tally->stub_same : &tally->direct_same) += no_difference;
	tally->strict += strict;
	tally->strict_same += strict && no_difference;
}

static void compare(const struct errpipe_identity *now, const char *path)
{
	char *argv[] = { (char *)"a-name", (char *)"", (char *)"b", NULL };
	struct outcome plain, by_route, forced;
	enum errpipe_route route = errpipe_route(now, path);

	exec_plainly(path, argv, &plain);
	exec_by_route(path, argv, &by_route);
	exec_through_stub(path, argv, &forced);
	if (by_route.route != route)
		complain("errpipe_spawn and errpipe_route disagree about the route", path, &plain, &by_route);
	if (!same(&by_route, &plain))
		complain("by route", path, &plain, &by_route);
	if (route == ERRPIPE_STUB && !same(&forced, &plain))
		complain("through the stub", path, &plain, &forced);
	count(now, route, same(&forced, &plain));
}

static void compare_all_targets(struct errpipe_identity want)
{
	struct errpipe_identity now;
	pid_t pid = checked_fork();

	if (pid == 0) {
		become_identity(&want);
		ck_assert_int_eq(errpipe_identity(&now), 0);
		assert_identity_is(&now, &want);
		for (int i = 0; i < TARGETS; i++)
			compare(&now, paths[i]);
		tally->identities++;
		_exit(0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
	ck_assert_msg(!*tally->wrong,
		      "uid %d euid %d securebits %u no_new_privs %d\nP %llx E %llx I %llx A %llx B %llx\n%s",
		      (int)want.uid, (int)want.euid, want.securebits, want.no_new_privs,
		      (unsigned long long)want.permitted, (unsigned long long)want.effective,
		      (unsigned long long)want.inheritable, (unsigned long long)want.ambient,
		      (unsigned long long)want.bounding, tally->wrong);
}

static const struct {
	uid_t uid, euid;
	unsigned securebits;
	int no_new_privs;
} rows[] = {
	{ 0, 0, 0, 0 },
	{ 0, 0, 0, 1 },
	{ 0, 0, NOROOT, 0 },
	{ 0, 0, NOROOT, 1 },
	{ 0, 0, KEEP_CAPS, 0 },
	{ NOBODY, NOBODY, 0, 0 },
	{ NOBODY, NOBODY, 0, 1 },
	{ NOBODY, NOBODY, NOROOT, 0 },
	{ NOBODY, NOBODY, KEEP_CAPS, 0 },
	{ NOBODY, NOBODY, KEEP_CAPS, 1 },
	{ 0, NOBODY, 0, 0 },
	{ 0, NOBODY, 0, 1 },
	{ 0, NOBODY, NOROOT, 0 },
	{ NOBODY, 0, 0, 0 },
	{ NOBODY, 0, 0, 1 },
	{ NOBODY, 0, NOROOT, 0 },
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

static const uint64_t boundings[] = { ALL, ALL & ~RAW, 0 };
static const uint64_t permitteds[] = { 0, DAC, DAC | NBS | RAW, ALL };
static const uint64_t inheritables[] = { 0, DAC, DAC | NBS | RAW };

enum { BOUNDINGS = 3, PERMITTEDS = 4, INHERITABLES = 3, COLUMNS = BOUNDINGS * PERMITTEDS * INHERITABLES * 4 };

/* Fill in the sets of a column. Returns false if another column has the same sets. */
static bool fill_in_sets(struct errpipe_identity *want, int column)
{
	bool effective = column & 1, ambient = column & 2;

	column /= 4;
	want->bounding = boundings[column % BOUNDINGS];
	want->permitted = permitteds[column / BOUNDINGS % PERMITTEDS];
	want->inheritable = inheritables[column / BOUNDINGS / PERMITTEDS];
	want->effective = effective ? want->permitted : 0;
	want->ambient = ambient ? want->permitted & want->inheritable : 0;
	return (!effective || want->effective) && (!ambient || want->ambient);
}

/*
 * All columns take a minute. Without ERRPIPE_LONG each row tries only a part of them, a different part in each row.
 */
START_TEST(grid)
{
	struct errpipe_identity want = {
		.uid = rows[_i].uid,
		.euid = rows[_i].euid,
		.securebits = rows[_i].securebits,
		.no_new_privs = rows[_i].no_new_privs,
	};
	int every = is_set("ERRPIPE_LONG") ? 1 : is_slow() ? 60 : 12, valid = 0;

	if (geteuid() != 0)
		SKIP("needs root");
	make_stub();
	open_output();
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(tally != MAP_FAILED);
	for (int column = 0; column < COLUMNS; column++) {
		if (fill_in_sets(&want, column) && (valid++ + _i) % every == 0)
			compare_all_targets(want);
	}
	printf("grid %d: uid %d euid %d securebits %u no_new_privs %d: %d identities, %d points; "
	       "STUB %d, no difference %d; DIRECT %d, no difference %d; strict DIRECT %d, no difference %d\n",
	       _i, (int)rows[_i].uid, (int)rows[_i].euid, rows[_i].securebits, rows[_i].no_new_privs,
	       tally->identities, tally->points, tally->stub, tally->stub_same, tally->direct, tally->direct_same,
	       tally->strict, tally->strict_same);
	fflush(stdout);
	ck_assert_int_gt(tally->points, 0);
	ck_assert_int_eq(tally->stub, tally->stub_same);
}
END_TEST

/* --- each kind of difference -------------------------------------------------------------------------------- */

struct difference {
	struct errpipe_identity identity;
	enum target target;
	const char *plain, *forced; /* a line of the outcome */
};

static const struct difference differences[] = {
	/* The stub loses capabilities that are not ambient, and therefore does not reach the target. */
	{ { .uid = NOBODY, .euid = NOBODY, .bounding = ALL, .permitted = DAC, .effective = DAC },
	  HIDDEN,
	  "CapPrm:\t0000000000000000\n",
	  "exec failed: 13\n" },
	/* With no_new_privs nothing comes back (runc issue 4125). */
	{ { .uid = NOBODY, .euid = NOBODY, .no_new_privs = 1, .bounding = ALL, .permitted = RAW, .effective = RAW },
	  FILE_PE,
	  "CapEff:\t0000000000002000\n",
	  "CapEff:\t0000000000000000\n" },
	/*
	 * Root regains the whole bounding set and reaches the target, which needs a capability that it had given up.
	 */
	{ { .bounding = DAC | NBS | RAW, .permitted = NBS, .effective = NBS },
	  HIDDEN,
	  "exec failed: 13\n",
	  "CapEff:\t0000000000002402\n" },
	/* A permitted capability becomes effective. */
	{ { .bounding = DAC, .permitted = DAC, .effective = 0 },
	  HIDDEN,
	  "exec failed: 13\n",
	  "CapEff:\t0000000000000002\n" },
	/* So does an ambient one. */
	{ { .uid = NOBODY, .euid = NOBODY, .bounding = ALL, .permitted = DAC, .inheritable = DAC, .ambient = DAC },
	  HIDDEN,
	  "exec failed: 13\n",
	  "CapEff:\t0000000000000002\n" },
	/* With SECBIT_NOROOT root is not special. */
	{ { .securebits = NOROOT, .bounding = ALL, .permitted = DAC, .effective = DAC },
	  HIDDEN,
	  "CapPrm:\t0000000000000000\n",
	  "exec failed: 13\n" },
	/* The effective uid alone decides which capabilities become effective. */
	{ { .uid = 0, .euid = NOBODY, .bounding = ALL, .permitted = ALL, .effective = DAC },
	  HIDDEN,
	  "CapEff:\t0000000000000000\n",
	  "exec failed: 13\n" },
};
enum { DIFFERENCES = sizeof(differences) / sizeof(*differences) };

static void show_difference(const struct difference *d)
{
	struct errpipe_identity want = d->identity, now;
	char *argv[] = { (char *)"a-name", NULL };
	struct outcome plain, direct, by_route, forced;

	become_identity(&want);
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(errpipe_route(&now, paths[d->target]), ERRPIPE_DIRECT_CREDENTIALS);

	exec_plainly(paths[d->target], argv, &plain);
	exec_directly(paths[d->target], argv, &direct);
	exec_by_route(paths[d->target], argv, &by_route);
	exec_through_stub(paths[d->target], argv, &forced);
	ck_assert_msg(strstr(plain.text, d->plain) != NULL, "plain: %s", plain.text);
	ck_assert_msg(strstr(forced.text, d->forced) != NULL, "forced: %s", forced.text);
	ck_assert_str_eq(direct.text, plain.text);
	ck_assert_str_eq(by_route.text, plain.text);
	ck_assert_int_eq(direct.route, ERRPIPE_DIRECT_ASKED);
	ck_assert_int_eq(forced.route, ERRPIPE_STUB);
}

/* Use a child, because it gives up its privileges. A sanitizer could not finish the test without them. */
START_TEST(differs_through_the_stub)
{
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	if (differences[_i].target == FILE_PE && getxattr(paths[FILE_PE], "security.capability", NULL, 0) < 0)
		SKIP("needs privileged-files");
	make_stub();
	open_output();
	pid = checked_fork();
	if (pid == 0) {
		show_difference(&differences[_i]);
		_exit(0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %d", path, errno);
	close(fd);
}

static const struct {
	uid_t real, effective, saved;
} ids[] = { { SOMEBODY, NOBODY, NOBODY }, { NOBODY, NOBODY, SOMEBODY } };

static void exec_with_mixed_ids(uid_t real, uid_t effective, uid_t saved)
{
	char *argv[] = { (char *)"a-name", NULL };
	struct outcome plain, by_route, forced;

	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresuid(real, effective, saved), 0);
	setfsuid(SOMEBODY);
	exec_plainly(paths[HIDDEN], argv, &plain);
	exec_by_route(paths[HIDDEN], argv, &by_route);
	exec_through_stub(paths[HIDDEN], argv, &forced);
	ck_assert_msg(strstr(plain.text, "arg a-name\n") != NULL, "plain: %s", plain.text);
	ck_assert_msg(strstr(forced.text, "exec failed: 13\n") != NULL, "forced: %s", forced.text);
	ck_assert_str_eq(by_route.text, plain.text);
}

/*
 * An exec sets the filesystem uid to the effective uid. A process needs no privileges to have a different one. This
 * test uses a child for the same reason as above.
 */
START_TEST(uid_for_the_file_system)
{
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	make_stub();
	open_output();
	pid = checked_fork();
	if (pid == 0) {
		exec_with_mixed_ids(ids[_i].real, ids[_i].effective, ids[_i].saved);
		_exit(0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}
END_TEST

/*
 * Compare as root of a new user namespace, who has no privileges outside. Returns 77 if the namespace cannot be made.
 */
static int compare_in_a_user_namespace(void)
{
	struct errpipe_identity now;
	char map[32];

	ck_assert_int_eq(become(AS_NOBODY), 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* otherwise the files below belong to root */
	snprintf(map, sizeof(map), "0 %d 1", (int)geteuid());
	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);

	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(now.uid, 0);
	ck_assert_uint_eq(now.permitted, now.bounding);
	for (int i = 0; i < TARGETS; i++)
		compare(&now, paths[i]);
	return 0;
}

START_TEST(root_in_a_user_namespace)
{
	int status;
	pid_t pid;

	make_stub();
	open_output();
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(tally != MAP_FAILED);
	pid = checked_fork();
	if (pid == 0)
		_exit(compare_in_a_user_namespace());
	status = wait_for(pid);
	if (status == 77 << 8)
		SKIP("needs user-namespaces");
	ck_assert_int_eq(status, 0);
	ck_assert_msg(!*tally->wrong, "%s", tally->wrong);
	ck_assert_int_eq(tally->stub, TARGETS);
	ck_assert_int_eq(tally->stub_same, TARGETS);
}
END_TEST

/* Most callers are ordinary users. */
START_TEST(a_user_goes_through_the_stub)
{
	struct errpipe_identity now;

	ck_assert_int_eq(become(AS_NOBODY), 0);
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(errpipe_route(&now, "/bin/true"), ERRPIPE_STUB);
}
END_TEST

/* --- the table of routes ------------------------------------------------------------------------------------ */

#define USER .uid = 1000, .euid = 1000, .bounding = ALL

static const struct {
	struct errpipe_identity identity;
	const char *path;
	enum errpipe_route route;
} table[] = {
	{ { USER }, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL }, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = DAC, .permitted = DAC, .effective = DAC }, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = ALL, .permitted = ALL }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = 0 }, "/bin/true", ERRPIPE_STUB },
	/* With no_new_privs an exec cannot add capabilities. */
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC, .no_new_privs = 1 }, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = DAC, .permitted = ALL, .effective = ALL, .no_new_privs = 1 },
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	/* For root the inheritable set counts like the bounding set. */
	{ { .bounding = DAC, .inheritable = RAW, .permitted = DAC | RAW, .effective = DAC | RAW },
	  "/bin/true",
	  ERRPIPE_STUB },
	{ { .bounding = DAC, .inheritable = RAW, .permitted = DAC, .effective = DAC },
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL, .securebits = NOROOT },
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .securebits = NOROOT }, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL, .securebits = KEEP_CAPS },
	  "/bin/true",
	  ERRPIPE_STUB },
	/* Only one of the two uids is root. */
	{ { .uid = 0, .euid = 1000, .bounding = ALL, .permitted = ALL, .effective = ALL },
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	/* Ordinary users. */
	{ { USER, .permitted = RAW }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { USER, .permitted = RAW, .effective = RAW }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { USER, .inheritable = RAW }, "/bin/true", ERRPIPE_STUB },
	{ { USER, .inheritable = RAW, .permitted = RAW, .effective = RAW, .ambient = RAW },
	  "/bin/true",
	  ERRPIPE_STUB },
	{ { USER, .inheritable = RAW, .permitted = RAW, .ambient = RAW }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { USER, .inheritable = RAW, .permitted = RAW | DAC, .effective = RAW, .ambient = RAW },
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { USER, .no_new_privs = 1 }, "/bin/true", ERRPIPE_STUB },
	/* Capabilities above the first 32. */
	{ { USER, .permitted = 1ULL << 40, .effective = 1ULL << 40 }, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	/* Routes that do not depend on capabilities. */
	{ { USER, .label = 1 }, "/bin/true", ERRPIPE_DIRECT_LABEL },
	{ { USER, .on_exec = 1 }, "/bin/true", ERRPIPE_DIRECT_ON_EXEC },
	{ { USER }, "/proc/self/exe", ERRPIPE_DIRECT_PATH },
	{ { USER, .permitted = RAW, .label = 1, .on_exec = 1 }, "/proc/self/exe", ERRPIPE_DIRECT_ON_EXEC },
	{ { USER, .permitted = RAW, .label = 1 }, "/proc/self/exe", ERRPIPE_DIRECT_LABEL },
	{ { USER, .permitted = RAW }, "/proc/self/exe", ERRPIPE_DIRECT_CREDENTIALS },
};
enum { TABLE = sizeof(table) / sizeof(*table) };

START_TEST(route_of)
{
	ck_assert_int_eq(errpipe_route(&table[_i].identity, table[_i].path), table[_i].route);
}
END_TEST

/* --- the table of routes with a setup ------------------------------------------------------------------------ */

enum { REPLACES = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES };

/* The ids and the capabilities are those of the caller, so that the setup also works for an ordinary user. */
static struct errpipe_setup setup_of(unsigned set)
{
	struct errpipe_setup setup = { .set = set, .uid = getuid(), .gid = getgid() };

	if (set & ERRPIPE_SET_USER)
		setup.set |= ERRPIPE_KEEP_GROUPS;
	return setup;
}

static const struct {
	struct errpipe_identity identity;
	unsigned set;
	const char *path;
	enum errpipe_route route;
} with_setup[] = {
	{ { USER }, 0, "/bin/true", ERRPIPE_STUB },
	{ { USER }, REPLACES, "/bin/true", ERRPIPE_STUB },
	/* A change of the user alone, or of the capabilities alone, starts from the sets that the stub's exec has left. */
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC }, 0, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC },
	  ERRPIPE_SET_USER,
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC },
	  ERRPIPE_SET_CAPABILITIES,
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = DAC, .effective = DAC }, REPLACES, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = ALL, .permitted = ALL }, REPLACES, "/bin/true", ERRPIPE_STUB },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL, .mixed_ids = 1 },
	  0,
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL, .mixed_ids = 1 },
	  REPLACES,
	  "/bin/true",
	  ERRPIPE_STUB },
	{ { USER, .inheritable = RAW, .permitted = RAW, .ambient = RAW }, REPLACES, "/bin/true", ERRPIPE_STUB },
	/* The stub's exec takes away capabilities that the setup may need. */
	{ { USER, .permitted = RAW, .effective = RAW }, REPLACES, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = ALL, .permitted = ALL, .effective = ALL, .securebits = NOROOT },
	  REPLACES,
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .bounding = DAC, .permitted = DAC | RAW, .effective = DAC | RAW },
	  REPLACES,
	  "/bin/true",
	  ERRPIPE_DIRECT_CREDENTIALS },
	{ { .uid = 0, .euid = 1000, .bounding = ALL }, REPLACES, "/bin/true", ERRPIPE_DIRECT_CREDENTIALS },
	/* A setup makes no difference to these. */
	{ { USER, .label = 1 }, REPLACES, "/bin/true", ERRPIPE_DIRECT_LABEL },
	{ { USER, .on_exec = 1 }, REPLACES, "/bin/true", ERRPIPE_DIRECT_ON_EXEC },
	{ { USER }, REPLACES, "/proc/self/exe", ERRPIPE_DIRECT_PATH },
};
enum { WITH_SETUP = sizeof(with_setup) / sizeof(*with_setup) };

START_TEST(route_with_a_setup)
{
	const struct errpipe_identity *identity = &with_setup[_i].identity;
	const char *path = with_setup[_i].path;
	struct errpipe_setup setup = setup_of(with_setup[_i].set);

	ck_assert_int_eq(errpipe_setup_route(&setup, identity, path), with_setup[_i].route);
	ck_assert_int_eq(errpipe_setup_route(NULL, identity, path), errpipe_route(identity, path));
	setup.set |= 1ULL << 63;
	ck_assert_int_eq(errpipe_setup_route(&setup, identity, path), -EINVAL);
}
END_TEST

/* The target starts by the route that was announced. */
START_TEST(spawn_with_a_setup)
{
	const struct errpipe_setup setup = setup_of(with_setup[_i].set);
	const struct errpipe_spawn spawn = { .setup = &setup, .identity = &with_setup[_i].identity };
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_report report;
	struct errpipe_child child;

	if (with_setup[_i].route == ERRPIPE_DIRECT_PATH)
		return; /* its target would be this test */
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, environ), 0);
	ck_assert_int_eq(child.route, with_setup[_i].route);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
}
END_TEST

/* The reasons all differ, up to the first number that does not name a route. */
START_TEST(every_route_has_a_reason)
{
	const char *unknown = errpipe_route_reason((enum errpipe_route)1000), *reason;
	int routes = 0;

	ck_assert(unknown != NULL && *unknown);
	ck_assert_str_eq(errpipe_route_reason((enum errpipe_route) - 1), unknown);
	while (strcmp(reason = errpipe_route_reason((enum errpipe_route)routes), unknown) != 0) {
		ck_assert_int_gt(strlen(reason), 0);
		for (int i = 0; i < routes; i++)
			ck_assert_int_ne(strcmp(reason, errpipe_route_reason((enum errpipe_route)i)), 0);
		routes++;
	}
	ck_assert_int_gt(routes, ERRPIPE_DIRECT_PATH);
}
END_TEST

/* Let seccomp(2) refuse one system call in this process. */
static bool refuse(unsigned call, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* --- labels ------------------------------------------------------------------------------------------------- */

/* The library reads the label from a file in /proc. A file in a /proc of our own is therefore enough for a test. */
static void make_directories(const char *path)
{
	char part[128];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		ck_assert(mkdir(part, 0755) == 0 || errno == EEXIST);
	}
}

static void make_file(const char *path, const char *text)
{
	int fd;

	make_directories(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define ATTR "/proc/thread-self/attr/"

static const struct {
	const char *file, *text; /* text NULL: a directory */
	int label;
} labels[] = {
	{ NULL, NULL, 0 },
	{ ATTR "exec", "", 0 },
	{ ATTR "exec", NULL, 0 },
	{ ATTR "exec", "system_u:system_r:container_t:s0:c1,c2", 1 },
	{ ATTR "exec", "x", 1 },
	{ ATTR "apparmor/exec", "", 0 },
	{ ATTR "apparmor/exec", "docker-default (enforce)\n", 1 },
	{ ATTR "current", "unconfined", 0 },
	{ "/proc/self/attr/exec", "of the process, not the thread", 0 },
};

/* Since Linux 6.8 a system call can report that there are no labels at all. The library then reads no file. */
static bool has_files_only(int error)
{
#ifdef __x86_64__
	return refuse(459, error); /* lsm_get_self_attr, which older headers do not define */
#else
	return error >= 0;
#endif
}

START_TEST(label_in_a_file)
{
	struct errpipe_identity now;

	if (!has_files_only(ENOSYS))
		SKIP("needs seccomp");
	if (!own_mounts() || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		SKIP("needs mount-namespaces");
	if (labels[_i].file && labels[_i].text)
		make_file(labels[_i].file, labels[_i].text);
	else if (labels[_i].file)
		make_directories(ATTR "exec/");
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(now.label, labels[_i].label);
	ck_assert_int_eq(errpipe_route(&now, "/bin/true") == ERRPIPE_DIRECT_LABEL, labels[_i].label);
	ck_assert_int_eq(umount2("/proc", MNT_DETACH), 0);
}
END_TEST

/*
 * First the real file, whose read fails with EINVAL if there is no security module. Then a file with content, mounted
 * over it.
 */
START_TEST(label_of_the_kernel)
{
	struct errpipe_identity now;
	char path[64], byte;
	int fd = open(ATTR "exec", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		SKIP("needs labels");
	if (read(fd, &byte, 1) > 0)
		SKIP("a label is pending already");
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(now.label, 0);

	if (!has_files_only(ENOSYS))
		SKIP("needs seccomp");
	snprintf(path, sizeof(path), "/proc/self/task/%d/attr/exec", (int)getpid());
	if (!own_mounts() || mount(paths[SCRIPT], path, NULL, MS_BIND, NULL) < 0)
		SKIP("needs mount-namespaces");
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(now.label, 1);
	ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
	ck_assert_int_eq(errpipe_identity(&now), 0);
	ck_assert_int_eq(now.label, 0);
}
END_TEST

/* Only EOPNOTSUPP means that there is no label. After any other answer there may be one. */
START_TEST(label_by_system_call)
{
	static const struct {
		int error, label;
	} answers[] = {
#ifdef __x86_64__
		{ EOPNOTSUPP, 0 },
#endif
		{ ENOSYS, 1 },	   { EPERM, 1 }, { ENOENT, 1 }, { E2BIG, 1 }, { 0, 1 },
	};
	struct errpipe_identity now;

	NEEDS("seccomp");
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			if (!has_files_only(answers[i].error) || !own_mounts() ||
			    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
				_exit(2);
			make_file(ATTR "exec", "x");
			_exit(errpipe_identity(&now) < 0 || now.label != answers[i].label);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			SKIP("needs mount-namespaces");
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

/* --- ptrace ------------------------------------------------------------------------------------------------- */

static pid_t traced(int stub_or_none)
{
	char *argv[] = { (char *)"a-name", NULL };
	int fd[2], status;
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		errpipe_exec(stub_or_none, 0, fd[1], paths[ORDINARY], argv, argv + 1);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	ck_assert_int_eq(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "status %#x", status);
	return pid;
}

static void assert_executable_is_like(pid_t pid, const char *part)
{
	char path[32], target[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, target, sizeof(target) - 1);
	ck_assert_int_gt(n, 0);
	target[n] = '\0';
	ck_assert_msg(strstr(target, part) != NULL, "%s does not contain %s", target, part);
}

START_TEST(the_first_stop_of_a_tracer)
{
	struct errpipe_identity now;
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	make_stub();
	ck_assert_int_eq(errpipe_identity(&now), 0);
	now.on_exec = 1;
	ck_assert_int_eq(errpipe_route(&now, paths[ORDINARY]), ERRPIPE_DIRECT_ON_EXEC);

	pid = traced(ERRPIPE_NO_STUB);
	assert_executable_is_like(pid, "/ordinary");
	kill(pid, SIGKILL);
	wait_for(pid);

	pid = traced(stub);
	assert_executable_is_like(pid, "/memfd:dmz-");
	kill(pid, SIGKILL);
	wait_for(pid);
}
END_TEST

/* --- paths -------------------------------------------------------------------------------------------------- */

/* This program is itself a target. */
static int act_as_target(void)
{
	puts("the caller's own program");
	return 0;
}

static char self_argument[] = "--as-target";

enum { CLOSED_ON_EXEC = 200, INHERITED = 201 };

/* The effect of the stub on an exec of the path. */
enum effect { NONE, DIFFERS };

static const struct {
	const char *cwd, *path;
	enum errpipe_route route;
	enum effect effect;
} path_cases[] = {
	{ NULL, "/proc/self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/proc/thread-self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "//proc//self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/./proc/self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/proc/../proc/self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/dev/../proc/self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ "/", "proc/self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ "/proc", "self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "exe-2", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "exe-3", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "exe-4", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "self/exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/proc/self/fd/200", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/dev/fd/200", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "/dev/../dev/fd/200", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "fd/200", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "closed-on-exec", ERRPIPE_DIRECT_PATH, DIFFERS },
	/* These paths would also work through the stub, but the path alone does not show that. */
	{ NULL, "/proc/self/fd/201", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "/dev/fd/201", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "/dev/stdin", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "/proc/self/cwd/ordinary", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "/proc/self/fd/333", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "/dev/fd/333", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "dangling", ERRPIPE_DIRECT_PATH, NONE },
	{ NULL, "loop", ERRPIPE_DIRECT_PATH, NONE },
	/* Interpreters of scripts. The kernel follows five. */
	{ NULL, "script-exe", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-blanks", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-nul", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-link", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-fd", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-2", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-5", ERRPIPE_DIRECT_PATH, DIFFERS },
	{ NULL, "script-6", ERRPIPE_STUB, NONE },
	{ NULL, "script-self", ERRPIPE_STUB, NONE },
	{ NULL, "script-ordinary", ERRPIPE_STUB, NONE },
	{ NULL, "script-argument", ERRPIPE_STUB, NONE },
	{ NULL, "script-text", ERRPIPE_STUB, NONE },
	{ NULL, "script-bare", ERRPIPE_STUB, NONE },
	{ NULL, "fifo", ERRPIPE_STUB, NONE },
	/* Paths that have nothing to do with /proc. */
	{ NULL, "ordinary", ERRPIPE_STUB, NONE },
	{ NULL, "../ordinary", ERRPIPE_STUB, NONE },
	{ "/proc", "../bin/true", ERRPIPE_STUB, NONE },
	{ NULL, "/dev/null", ERRPIPE_STUB, NONE },
	{ NULL, "/procession", ERRPIPE_STUB, NONE },
	{ NULL, "", ERRPIPE_STUB, NONE },
	{ NULL, "/", ERRPIPE_STUB, NONE },
	{ NULL, "no-such-file", ERRPIPE_STUB, NONE },
};
enum { PATH_CASES = sizeof(path_cases) / sizeof(*path_cases) };

static void open_descriptors(void)
{
	int fd = open(paths[ORDINARY], O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup3(fd, CLOSED_ON_EXEC, O_CLOEXEC), CLOSED_ON_EXEC);
	ck_assert_int_eq(dup2(fd, INHERITED), INHERITED);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
}

static struct errpipe_identity ordinary_user(void)
{
	return (struct errpipe_identity){ .uid = NOBODY, .euid = NOBODY };
}

START_TEST(path_of)
{
	struct errpipe_identity user = ordinary_user();
	char *argv[] = { (char *)"a-name", self_argument, NULL };
	struct outcome plain, by_route, forced;

	make_stub();
	open_output();
	enter_links();
	open_descriptors();
	if (path_cases[_i].cwd)
		ck_assert_int_eq(chdir(path_cases[_i].cwd), 0);

	ck_assert_int_eq(errpipe_route(&user, path_cases[_i].path), path_cases[_i].route);
	exec_plainly(path_cases[_i].path, argv, &plain);
	exec_by_route(path_cases[_i].path, argv, &by_route);
	exec_through_stub(path_cases[_i].path, argv, &forced);
	ck_assert_str_eq(by_route.text, plain.text);
	ck_assert_msg(same(&forced, &plain) == (path_cases[_i].effect == NONE), "%s\nplain: %s\nforced: %s",
		      path_cases[_i].path, plain.text, forced.text);
}
END_TEST

/* Setup opens the descriptor in the child. It does not exist yet when the route is chosen. */
static int open_in_the_child(void *data, unsigned *step)
{
	int fd = open(paths[ORDINARY], O_RDONLY | O_CLOEXEC);

	(void)data;
	prepare(NULL, step);
	return fd < 0 || dup3(fd, 333, O_CLOEXEC) < 0 ? -errno : 0;
}

START_TEST(a_descriptor_of_setup)
{
	struct errpipe_spawn spawn = { .prepare = open_in_the_child };
	char *argv[] = { (char *)"a-name", NULL };

	make_stub();
	open_output();
	spawn.stub = stub;
	for (int forced = 0; forced < 2; forced++) {
		struct errpipe_report report;
		struct errpipe_child child;

		spawn.flags = forced ? ERRPIPE_STUB_ONLY : 0;
		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/proc/self/fd/333", argv, argv + 1), 0);
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		ck_assert_int_eq(report.verdict, forced ? ERRPIPE_EXEC_FAILED : ERRPIPE_STARTED);
		ck_assert_int_eq(report.error, forced ? ENOENT : 0);
	}
}
END_TEST

/* A mount of /proc elsewhere. */
START_TEST(another_mount_of_proc)
{
	struct errpipe_identity user = ordinary_user();
	char path[96];

	if (!own_mounts())
		SKIP("needs mount-namespaces");
	snprintf(path, sizeof(path), "%s/hidden", directory);
	if (mount("/proc", path, NULL, MS_BIND | MS_REC, NULL) < 0)
		SKIP("needs mount-namespaces");
	strcat(path, "/self/exe");
	ck_assert_int_eq(errpipe_route(&user, path), ERRPIPE_DIRECT_PATH);
	ck_assert_int_eq(errpipe_route(&user, paths[ORDINARY]), ERRPIPE_STUB);
}
END_TEST

/*
 * openat2 is missing before Linux 5.6, and seccomp may refuse it. The library then only checks names and follows a
 * single link.
 */
START_TEST(paths_without_openat2)
{
	static const char *const direct[] = { "/proc/self/exe", "/dev/fd/200", "exe", "closed-on-exec", "dangling" };
	static const char *const through[] = { "ordinary", "../ordinary", "no-such-file", "/procession",
					       "/dev/null" };
	static const int refusals[] = { ENOSYS, EPERM, EACCES };
	struct errpipe_identity user = ordinary_user();

	enter_links();
#ifdef SYS_openat2
	if (!refuse(SYS_openat2, refusals[_i]))
		SKIP("needs seccomp");
	ck_assert_int_eq(syscall(SYS_openat2, -1, "", NULL, 0), -1);
	ck_assert_int_eq(errno, refusals[_i]);
#else
	(void)refusals;
#endif
	for (size_t i = 0; i < sizeof(direct) / sizeof(*direct); i++)
		ck_assert_int_eq(errpipe_route(&user, direct[i]), ERRPIPE_DIRECT_PATH);
	for (size_t i = 0; i < sizeof(through) / sizeof(*through); i++)
		ck_assert_int_eq(errpipe_route(&user, through[i]), ERRPIPE_STUB);
}
END_TEST

START_TEST(a_path_leaves_no_descriptor)
{
	struct errpipe_identity user = ordinary_user();
	int before = dup(0);

	close(before);
	enter_links();
	for (int i = 0; i < PATH_CASES; i++)
		errpipe_route(&user, path_cases[i].path);
	ck_assert_int_eq(dup(0), before);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------------------- */

/* Arguments, environment, their pointers and the path share a quarter of the stack limit (execve(2)). */
enum { STACK = 1024 * 1024, ARGUMENTS = STACK / 4, LONG = 100000 };

static char long_argument[LONG + 1], rest[LONG + 1];

/* Add an argument of n bytes to those that are always there. */
static void fill_argv(char *argv[5], int n)
{
	memset(long_argument, 'x', LONG);
	memset(rest, 'y', n);
	rest[n] = '\0';
	argv[0] = (char *)"true";
	argv[1] = argv[2] = long_argument;
	argv[3] = rest;
	argv[4] = NULL;
}

static int status_of_plain(int n)
{
	char *argv[5];
	pid_t pid;

	fill_argv(argv, n);
	pid = checked_fork();
	if (pid == 0) {
		execve("/bin/true", argv, argv + 4);
		_exit(errno == E2BIG ? 99 : 98);
	}
	return wait_for(pid) >> 8;
}

/* Fix the numbers of the descriptors of stub and report, because their digits count. */
static void errpipe_exec_with(int n, int stub_at, int report_at, unsigned flags, struct errpipe_report *report)
{
	struct errpipe_child child;
	char *argv[5];
	int fd[2];
	pid_t pid;

	fill_argv(argv, n);
	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		/* Keep this order: stub_at may be the number that fd[1] had. */
		if (dup3(fd[1], report_at, O_CLOEXEC) < 0 || dup3(stub, stub_at, O_CLOEXEC) < 0)
			_exit(97);
		errpipe_exec(stub_at, flags, report_at, "/bin/true", argv, argv + 4);
		_exit(96);
	}
	close(fd[1]);
	errpipe_adopt(&child, pid, stub, fd[0]);
	*report = (struct errpipe_report){ 0 };
	ck_assert_int_eq(errpipe_wait(&child, report), 0);
}

static void spawn_true(int n, unsigned flags, struct errpipe_report *report)
{
	const struct errpipe_spawn spawn = { .stub = stub, .flags = flags };
	struct errpipe_child child;
	char *argv[5];

	fill_argv(argv, n);
	*report = (struct errpipe_report){ 0 };
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, argv + 4), 0);
	ck_assert_int_eq(errpipe_wait(&child, report), 0);
}

static void limit_arguments(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = STACK;
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &limit), 0);
}

/* The largest n that a plain execve accepts. */
static int plain_limit(void)
{
	int fits = 0, fails = LONG;

	ck_assert_int_eq(status_of_plain(fits), 0);
	ck_assert_int_eq(status_of_plain(fails), 99);
	while (fails - fits > 1) {
		int middle = (fits + fails) / 2;

		*(status_of_plain(middle) == 0 ? &fits : &fails) = middle;
	}
	return fits;
}

static void assert_stub_too_big(const struct errpipe_report *report)
{
	ck_assert_int_eq(report->verdict, ERRPIPE_SETUP_FAILED);
	ck_assert_int_eq(report->step, ERRPIPE_STEP_STUB);
	ck_assert_int_eq(report->error, E2BIG);
}

static const struct {
	int stub, report, cost;
} costs[] = {
	/* "dmz", two decimal descriptors and three pointers; also /dev/fd/STUB instead of the path */
	{ 8, 9, 4 + 2 + 3 * sizeof(char *) + 10 },
	{ 10, 9, 4 + 2 + 3 * sizeof(char *) + 11 },
	{ 8, 10, 4 + 3 + 3 * sizeof(char *) + 10 },
	{ 999, 998, 4 + 4 + 3 * sizeof(char *) + 12 },
};
enum { COSTS = sizeof(costs) / sizeof(*costs) };

/* The header states this cost as "within 60 bytes of the limit". */
START_TEST(cost_of_the_stub)
{
	struct errpipe_report report;
	int limit, n;

	make_stub();
	limit_arguments();
	limit = plain_limit();
	for (n = limit; n > limit - 100; n--) {
		errpipe_exec_with(n, costs[_i].stub, costs[_i].report, 0, &report);
		if (report.verdict == ERRPIPE_STARTED)
			break;
		assert_stub_too_big(&report);
	}
	printf("the stub at %d with report %d costs %d bytes\n", costs[_i].stub, costs[_i].report, limit - n);
	fflush(stdout);
	ck_assert_int_eq(limit - n, costs[_i].cost);
	ck_assert_int_le(limit - n, 60);
	/* The longest descriptor numbers have 9 more digits, and the command line has two of them. */
	if (_i == 0)
		ck_assert_int_le(limit - n + 2 * 9, 60);
}
END_TEST

START_TEST(near_the_limit)
{
	struct errpipe_report report;
	int limit, last_through = 0;

	make_stub();
	limit_arguments();
	limit = plain_limit();
	for (int n = limit - 200; n <= limit; n++) {
		spawn_true(n, 0, &report);
		ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		ck_assert_int_eq(report.status, 0);
		errpipe_exec_with(n, 8, 9, ERRPIPE_FALLBACK, &report);
		ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		ck_assert_int_eq(report.status, 0);

		spawn_true(n, ERRPIPE_STUB_ONLY, &report);
		if (report.verdict == ERRPIPE_STARTED) {
			ck_assert_int_eq(last_through, n == limit - 200 ? 0 : n - 1);
			last_through = n;
		} else {
			assert_stub_too_big(&report);
		}
	}
	ck_assert_int_ge(last_through, limit - 60);
	ck_assert_int_lt(last_through, limit);

	/* Above the limit every route fails. */
	spawn_true(limit + 1, 0, &report);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, E2BIG);
	spawn_true(limit + 1, ERRPIPE_STUB_ONLY, &report);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, E2BIG);
}
END_TEST

/* Stack limits. With a small one the strings must fit on the stack; with others a quarter of it is the limit. */
static const rlim_t stacks[] = { 16384, 70000, 300000, 524299, 8 << 20, RLIM_INFINITY };
enum { STACKS = sizeof(stacks) / sizeof(*stacks) };

/* Make strings of so many bytes altogether: some of equal length and one remainder. */
static char **strings_of(size_t bytes)
{
	enum { EACH = 60000 };
	static char long_string[EACH], last[2 * EACH];
	char **strings = calloc(bytes / EACH + 2, sizeof(*strings));
	size_t count = 0;

	memset(long_string, 'x', EACH - 1);
	memset(last, 'y', sizeof(last) - 1);
	for (; bytes >= 2 * EACH; bytes -= EACH)
		strings[count++] = long_string;
	strings[count] = last + sizeof(last) - bytes;
	return strings;
}

/* All functions that exec the target. Either argv or envp gets the bytes. */
enum { PLAIN_EXEC, DIRECT_EXEC, STUB_EXEC, FALLBACK_EXEC, SPAWN, STUB_ONLY_SPAWN, EXECS };

/*
 * Returns the errno of a failed exec, or 0 if the target was exec'd. Returns -E2BIG if only the stub could not be
 * exec'd.
 */
static int exec_of(size_t bytes, bool in_envp, int how)
{
	char *name[] = { (char *)"true", NULL }, **strings = strings_of(bytes);
	char **argv = in_envp ? name : strings, **envp = in_envp ? strings : name;
	struct errpipe_spawn spawn = { .stub = stub, .flags = how == STUB_ONLY_SPAWN ? ERRPIPE_STUB_ONLY : 0 };
	struct errpipe_report report = { 0 };
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	if (how == SPAWN || how == STUB_ONLY_SPAWN) {
		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, envp), 0);
	} else {
		ck_assert_int_eq(errpipe_pipe(fd), 0);
		pid = checked_fork();
		if (pid == 0 && how == PLAIN_EXEC) {
			execve("/bin/true", argv, envp);
			errpipe_fail(fd[1], ERRPIPE_STEP_CALLER, errno);
			_exit(1);
		}
		if (pid == 0) {
			errpipe_exec(how == DIRECT_EXEC ? ERRPIPE_NO_STUB : stub,
				     how == FALLBACK_EXEC ? ERRPIPE_FALLBACK : 0, fd[1], "/bin/true", argv, envp);
			_exit(1);
		}
		close(fd[1]);
		errpipe_adopt(&child, pid, how == PLAIN_EXEC ? ERRPIPE_NO_STUB : stub, fd[0]);
	}
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	free(strings);
	/* On a full stack the kernel kills the target as soon as it runs. */
	if (report.verdict == ERRPIPE_STARTED)
		return 0;
	if (report.step == ERRPIPE_STEP_STUB)
		return -report.error;
	ck_assert_uint_eq(report.step, how == PLAIN_EXEC ? ERRPIPE_STEP_CALLER : ERRPIPE_STEP_EXEC);
	return report.error;
}

static size_t most_bytes(bool in_envp)
{
	size_t fits = 1000, fails = 16 << 20;

	while (fails - fits > 1) {
		size_t middle = (fits + fails) / 2;

		*(exec_of(middle, in_envp, PLAIN_EXEC) == 0 ? &fits : &fails) = middle;
	}
	return fits;
}

/* If a plain execve fails, each route blames the target. Otherwise at most the stub cannot take the command line. */
START_TEST(each_byte_at_the_limit)
{
	static const int around[] = { -64, -2, -1, 0, 1, 2, 3 };
	const bool in_envp = _i % 2;
	struct rlimit limit;
	size_t most;
	int ret;

	make_stub();
	ck_assert_int_eq(getrlimit(RLIMIT_STACK, &limit), 0);
	if (stacks[_i / 2] > limit.rlim_max)
		SKIP("not permitted to raise RLIMIT_STACK");
	limit.rlim_cur = stacks[_i / 2];
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &limit), 0);
	most = most_bytes(in_envp);
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
		for (int how = 0; how < EXECS; how++) {
			ret = exec_of(most + around[i], in_envp, how);
			if (around[i] > 0)
				ck_assert_int_eq(ret, E2BIG);
			else if (around[i] == -64 || (how != STUB_EXEC && how != STUB_ONLY_SPAWN))
				ck_assert_int_eq(ret, 0);
			else
				ck_assert_int_eq(ret, -E2BIG);
		}
	}
}
END_TEST

/* One string can have 32 pages, independent of the limit. */
START_TEST(each_byte_of_one_string)
{
	const size_t most = 32 * sysconf(_SC_PAGESIZE) - 1;
	char *string = malloc(most + 2), *name[] = { (char *)"true", NULL }, *strings[] = { string, NULL };
	struct errpipe_report report = { 0 };
	struct errpipe_child child;
	struct errpipe_spawn spawn;

	make_stub();
	spawn = (struct errpipe_spawn){ .stub = stub, .flags = ERRPIPE_STUB_ONLY };
	for (size_t length = most - 1; length <= most + 1; length++) {
		memset(string, 'x', length);
		string[length] = '\0';
		report = (struct errpipe_report){ 0 };
		ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", _i ? name : strings, _i ? strings : name),
				 0);
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		ck_assert_int_eq(report.verdict, length > most ? ERRPIPE_EXEC_FAILED : ERRPIPE_STARTED);
		ck_assert_int_eq(report.error, length > most ? E2BIG : 0);
	}
	free(string);
}
END_TEST

static const struct {
	bool stub;
	unsigned flags;
} too_many[] = { { false, 0 }, { true, 0 }, { true, ERRPIPE_FALLBACK } };
enum { TOO_MANY = sizeof(too_many) / sizeof(*too_many) };

/*
 * The kernel checks RLIMIT_NPROC at the next exec. That exec runs the stub, but the report must not blame the stub.
 */
START_TEST(too_many_processes)
{
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_report report;
	int fd[2], ret;
	pid_t pid;

	if (geteuid() != 0)
		SKIP("needs root");
	make_stub();
	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		ret = enter_state("nproc", directory);
		if (ret == 0)
			ret = errpipe_exec(too_many[_i].stub ? stub : ERRPIPE_NO_STUB, too_many[_i].flags, fd[1],
					   "/bin/true", argv, argv + 1);
		_exit(-ret);
	}
	close(fd[1]);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	ck_assert_int_eq(wait_for(pid), EAGAIN << 8);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.step, ERRPIPE_STEP_EXEC);
	ck_assert_int_eq(report.error, EAGAIN);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static TCase *new_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* The route depends on the given identity of the child and not on the identity of the caller. */
START_TEST(spawn_by_a_given_identity)
{
	struct errpipe_identity given = { .uid = NOBODY, .euid = NOBODY };
	struct errpipe_spawn spawn = { .identity = &given };
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_report report;
	struct errpipe_child child;

	spawn.stub = errpipe_stub();
	given.label = _i;
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", argv, environ), 0);
	ck_assert_int_eq(child.route, _i ? ERRPIPE_DIRECT_LABEL : ERRPIPE_STUB);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
}
END_TEST

static Suite *route_suite(void)
{
	Suite *suite = suite_create("route");
	TCase *tcase = new_tcase(suite, "identity");

	tcase_add_loop_test(tcase, grid, 0, ROWS);
	tcase_add_loop_test(tcase, differs_through_the_stub, 0, DIFFERENCES);
	tcase_add_loop_test(tcase, uid_for_the_file_system, 0, 2);
	tcase_add_test(tcase, root_in_a_user_namespace);
	tcase_add_test(tcase, a_user_goes_through_the_stub);
	tcase_add_loop_test(tcase, route_of, 0, TABLE);
	tcase_add_loop_test(tcase, route_with_a_setup, 0, WITH_SETUP);
	tcase_add_loop_test(tcase, spawn_with_a_setup, 0, WITH_SETUP);
	tcase_add_test(tcase, every_route_has_a_reason);
	tcase_add_loop_test(tcase, label_in_a_file, 0, sizeof(labels) / sizeof(*labels));
	tcase_add_test(tcase, label_of_the_kernel);
	tcase_add_test(tcase, label_by_system_call);
	tcase_add_test(tcase, the_first_stop_of_a_tracer);
	tcase_add_loop_test(tcase, spawn_by_a_given_identity, 0, 2);

	tcase = new_tcase(suite, "path");
	tcase_add_loop_test(tcase, path_of, 0, PATH_CASES);
	tcase_add_test(tcase, a_descriptor_of_setup);
	tcase_add_test(tcase, another_mount_of_proc);
	tcase_add_loop_test(tcase, paths_without_openat2, 0, 3);
	tcase_add_test(tcase, a_path_leaves_no_descriptor);

	tcase = new_tcase(suite, "limits");
	tcase_add_loop_test(tcase, cost_of_the_stub, 0, COSTS);
	tcase_add_test(tcase, near_the_limit);
	tcase_add_loop_test(tcase, each_byte_at_the_limit, 0, 2 * STACKS);
	tcase_add_loop_test(tcase, each_byte_of_one_string, 0, 2);
	tcase_add_loop_test(tcase, too_many_processes, 0, TOO_MANY);
	return suite;
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1 && strcmp(argv[1], self_argument) == 0)
		return act_as_target();
	leave_valgrind(argv);
	make_files();
	status = run_suite(route_suite());
	remove_files();
	return status;
}
