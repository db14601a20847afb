/* SPDX-License-Identifier: MIT */
/*
 * Explanations that depend on the process: its arguments, limits and credentials, writers of the file, and the kernel's
 * answer. Each is compared with a real exec.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "child.h"
#include "explain/kernel/kernel.h"
#include "fixture.h"
#include "skip.h"
#include "state.h"
#include "said.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *fixture;
static char *good;

/* --- one question ----------------------------------------------------------------------------- */

static struct errpipe_explanation explanation;
static struct errpipe_question question;
static struct errpipe_report report;

/* Make a case with this file as the only link, as the walk along the chain would. */
static struct ep_check case_of(const char *path)
{
	struct errpipe_link *link = &explanation.link[0];
	struct errpipe_identity identity;
	struct statvfs fs;
	struct stat st;

	memset(&explanation, 0, sizeof(explanation));
	explanation.certainty = ERRPIPE_CERTAIN;
	explanation.works = 1;
	explanation.broken = -1;
	explanation.links = 1;
	question = (struct errpipe_question){ .root = ERRPIPE_OWN_ROOT, .path = path };
	*link = (struct errpipe_link){ .kind = ERRPIPE_LINK_PROGRAM, .path = path };
	if (stat(path, &st) == 0 && statvfs(path, &fs) == 0) {
		link->mode = st.st_mode;
		link->uid = st.st_uid;
		link->gid = st.st_gid;
		link->nosuid = (fs.f_flag & ST_NOSUID) != 0;
	}
	ck_assert_int_eq(errpipe_identity(&identity), 0);
	return (struct ep_check){
		.question = &question,
		.ex = &explanation,
		.own_identity = true,
		.who = {
			.uid = identity.euid,
			.gid = getegid(),
			.effective = identity.effective,
			.inheritable = identity.inheritable,
			.bounding = identity.bounding,
			.no_new_privs = identity.no_new_privs,
		},
	};
}

static void set_report(enum errpipe_verdict verdict, unsigned step, int error)
{
	report = (struct errpipe_report){
		.verdict = verdict, .error = error, .raw_error = error, .machine = 62, .step = step, .status = -1
	};
	question.report = &report;
}

/* Explain a report with this errno. */
static int before(struct ep_check *c, enum errpipe_verdict verdict, unsigned step, int error)
{
	set_report(verdict, step, error);
	return ep_before_lookup(c);
}

static int check(struct ep_check *c)
{
	int fd = open(question.path, O_PATH | O_CLOEXEC), ret;

	ck_assert_int_ge(fd, 0);
	ret = ep_before_reading(c, &explanation.link[0], fd);
	ck_assert_int_eq(close(fd), 0);
	return ret;
}

static int credentials(struct ep_check *c)
{
	int fd = open(question.path, O_PATH | O_CLOEXEC), ret;

	ck_assert_int_ge(fd, 0);
	ret = ep_credentials(c, &explanation.link[0], fd);
	ck_assert_int_eq(close(fd), 0);
	return ret;
}

/* Returns the errno of a real exec in a child, or 0 if the kernel started it, whatever the program did afterwards. */
static int exec_error(const char *path, char *const *argv, char *const *envp)
{
	int *error = shared_memory(sizeof(*error));
	pid_t pid = checked_fork();

	if (pid == 0) {
		execve(path, argv, envp);
		*error = errno;
		_exit(0);
	}
	wait_for(pid);
	return *error;
}

static int exec_plainly(const char *path)
{
	char name[] = "name", *argv[] = { name, NULL };

	return exec_error(path, argv, argv + 1);
}

/* Does this kernel know AT_EXECVE_CHECK? The library finds out in another way. */
static bool kernel_answers(void)
{
	char name[] = "name", *argv[] = { name, NULL };
	int fd = open("/", O_PATH | O_CLOEXEC);
	bool answers = syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH | 0x10000) < 0 && errno == EACCES;

	close(fd);
	return answers;
}

/* --- arguments -------------------------------------------------------------------------------- */

static char *long_string(size_t length)
{
	char *string = keep(malloc(length + 1));

	memset(string, 'x', length);
	string[length] = '\0';
	return string;
}

enum { ARGS = 200 };

/* Make ARGS strings with this total size, including their NULs. */
static char **strings_of(size_t bytes)
{
	char **strings = keep(calloc(ARGS + 1, sizeof(*strings)));

	for (int i = 0; i < ARGS; i++) {
		size_t share = bytes / (ARGS - i);

		ck_assert_uint_eq(share > 0, 1);
		strings[i] = long_string(share - 1);
		bytes -= share;
	}
	return strings;
}

/* The limit of the stack, the resulting limit of the arguments, and whether it counts pointers or the strings alone. */
static const struct {
	uint64_t stack, limit;
	enum { WITH_POINTERS, STRINGS } what;
} borders[] = {
	{ 16384, 16384 - sizeof(long), STRINGS },
	{ 65536, 65536 - sizeof(long), STRINGS },
	{ 70000, 69632 - sizeof(long), STRINGS },
	{ 131072, 131072, WITH_POINTERS },
	{ 300000, 131072, WITH_POINTERS },
	{ 524288, 131072, WITH_POINTERS },
	{ 524296, 131074, WITH_POINTERS },
	{ 524299, 131074, WITH_POINTERS },
	{ 1000000, 250000, WITH_POINTERS },
	{ 8 << 20, 2 << 20, WITH_POINTERS },
	{ (24 << 20) - 8, (6 << 20) - 2, WITH_POINTERS },
	{ 24 << 20, 6 << 20, WITH_POINTERS },
	{ 64 << 20, 6 << 20, WITH_POINTERS },
};

/* Fill the limit with arguments and add some bytes. The path and the environment also count. */
static void compare_arguments(const char *path, int i, int more)
{
	static char name[] = "LONG_NAME=value", other[] = "A=", *env[] = { name, other, NULL };
	size_t rest = strlen(path) + 1 + sizeof(name) + sizeof(other);
	struct ep_check c = case_of(path);
	uint64_t pointers = (ARGS + 2) * sizeof(char *);

	if (borders[i].what == WITH_POINTERS)
		rest += pointers;
	question.argv = strings_of(borders[i].limit - rest + more);
	question.envp = env;
	ck_assert_int_eq(exec_error(path, question.argv, env), more > 0 ? E2BIG : 0);

	ck_assert_int_eq(ep_arguments(&c), more > 0 ? -1 : 0);
	if (more <= 0) {
		ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
		return;
	}
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(explanation.error, E2BIG);
	ck_assert_int_eq(explanation.broken, -1);
	ck_assert_uint_eq(explanation.limit, borders[i].limit);
	ck_assert_uint_eq(explanation.number, borders[i].limit + more + (borders[i].what == STRINGS ? pointers : 0));
}

static void compare_at_border(int i)
{
	const struct rlimit limit = { borders[i].stack, RLIM_INFINITY };

	if (setrlimit(RLIMIT_STACK, &limit) < 0)
		SKIP("RLIMIT_STACK cannot be raised");
	for (int more = -1; more <= 1; more++)
		compare_arguments(good, i, more);
	compare_arguments(good, i, 1000);
}

START_TEST(arguments_at_the_border)
{
	if (sizeof(long) == 4 || sysconf(_SC_PAGESIZE) != 4096)
		SKIP("the numbers are for 64 bits and pages of 4 kB");
	in_child(compare_at_border, _i);
}
END_TEST

/* The limit is that of the process that execs, not the caller's. */
START_TEST(arguments_of_another_limit)
{
	struct ep_check c = case_of(good);

	question.argv = strings_of(200000);
	question.limit_stack = 8 << 20;
	ck_assert_int_eq(ep_arguments(&c), 0);
	question.limit_stack = 256 << 10;
	ck_assert_int_eq(ep_arguments(&c), -1);
	ck_assert_uint_eq(explanation.limit, 128 << 10);
}
END_TEST

static void compare_string(char **argv, char **envp, enum errpipe_detail detail, const char *object)
{
	size_t most = 32 * sysconf(_SC_PAGESIZE) - 1;
	struct ep_check c = case_of(good);
	int error = exec_error(good, argv, envp);

	question.argv = argv;
	question.envp = envp;
	ck_assert_int_eq(error, object ? E2BIG : 0);
	ck_assert_int_eq(ep_arguments(&c), object ? -1 : 0);
	if (!object)
		return;
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENT_TOO_LONG);
	ck_assert_int_eq(explanation.error, E2BIG);
	ck_assert_int_eq(explanation.detail, detail);
	ck_assert_str_eq(explanation.object, object);
	ck_assert_uint_eq(explanation.number, most + 1);
	ck_assert_uint_eq(explanation.limit, most);
}

START_TEST(one_string_at_the_border)
{
	size_t most = 32 * sysconf(_SC_PAGESIZE) - 1;
	char *fits = long_string(most), *does_not = long_string(most + 1), *short_one = long_string(1);
	char *argv[] = { short_one, short_one, fits, NULL }, *env[] = { short_one, fits, NULL };

	compare_string(argv, env, ERRPIPE_DETAIL_NONE, NULL);
	argv[2] = does_not;
	compare_string(argv, env, ERRPIPE_DETAIL_ARGUMENT, "2");
	assert_said(&explanation, "argument 2 is ");
	argv[2] = short_one;
	memcpy(fits, "PATH=", 5);
	memcpy(does_not, "PATH=", 5);
	compare_string(argv, env, ERRPIPE_DETAIL_NONE, NULL);
	env[1] = does_not;
	compare_string(argv, env, ERRPIPE_DETAIL_VARIABLE, "PATH");
	assert_said(&explanation, "the environment variable PATH is ");
}
END_TEST

/* The name of a variable may have any length. */
START_TEST(a_long_variable_without_a_name)
{
	char *argv[] = { good, NULL }, *env[] = { long_string(1 << 20), NULL };
	struct ep_check c = case_of(good);

	question.argv = argv;
	question.envp = env;
	ck_assert_int_eq(ep_arguments(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENT_TOO_LONG);
	ck_assert_uint_eq(strlen(explanation.object), 64 + strlen("..."));
}
END_TEST

/* An empty list counts as one argument for the kernel. A missing list must not be read. */
START_TEST(no_arguments)
{
	char *none[] = { NULL };
	struct ep_check c = case_of(good);

	question.argv = none;
	question.envp = none;
	ck_assert_int_eq(ep_arguments(&c), 0);
	question.envp = NULL;
	ck_assert_int_eq(ep_arguments(&c), 0);
	question.argv = NULL;
	ck_assert_int_eq(ep_arguments(&c), 0);
}
END_TEST

/* Environments that are too large: count services with the variables of Kubernetes, and more variables like "NAME=%d". */
static const struct environment {
	const char *name, *also;
	int services, more, bytes; /* of each value */
	enum errpipe_detail detail;
	const char *object, *words, *sign;
} environments[] = {
	{ "services", NULL, 6000, 0, 0, ERRPIPE_DETAIL_SERVICE_LINKS, NULL, "set enableServiceLinks: false", NULL },
	{ "services and some", "CI_%d", 6000, 500, 100, ERRPIPE_DETAIL_SERVICE_LINKS, NULL, "Kubernetes", NULL },
	{ "some services", "CI_%d", 10, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "CI_*", "most of it in CI_*",
	  NULL },
	{ "one prefix", "CI_%d", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "CI_*", "unset the variables", NULL },
	{ "GitLab", "CI_%d", 0, 20, 120000, ERRPIPE_DETAIL_CI_VARIABLES, NULL, "most of them set by the CI system",
	  "CI=true" },
	{ "Jenkins", "BUILD_%d", 0, 20, 120000, ERRPIPE_DETAIL_CI_VARIABLES, NULL, "files or artifacts",
	  "JENKINS_URL=x" },
	{ "no sign of CI", "BUILD_%d", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "BUILD_*",
	  "most of it in BUILD_*", NULL },
	{ "other variables in CI", "X_%d", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "X_*", "most of it in X_*",
	  "CI=1" },
	{ "services in CI", "S_%d", 6000, 0, 0, ERRPIPE_DETAIL_SERVICE_LINKS, NULL, "Kubernetes", "CI=true" },
	{ "no prefix", "X%d_A", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, NULL, " bytes; the limit is ", NULL },
	{ "no underscore", "name", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "name", "most of it in name;",
	  NULL },
	{ "underscores", "__a_%d", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, "__a_*", "most of it in __a_*;",
	  NULL },
	{ "a long prefix", "ABCDEFGHIJKLMNOPQRSTUVWXYZ_%d", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES,
	  "ABCDEFGHIJKLMNOP*", "ABCDEFGHIJKLMNOP*", NULL },
	{ "no names", "", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, NULL, "unset the variables", NULL },
	{ "hosts only", "H%d_SERVICE_HOST", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, NULL, "unset the variables",
	  NULL },
	{ "ports only", "P%d_PORT_1_TCP", 0, 20, 120000, ERRPIPE_DETAIL_MANY_VARIABLES, NULL, "unset the variables",
	  NULL },
	{ "very many", "V_%d", 0, 100000, 20, ERRPIPE_DETAIL_MANY_VARIABLES, "V_*", "100000 environment variables",
	  NULL },
};

static const char *const services[] = {
	"S%d_SERVICE_HOST=10.0.0.1",	      "S%d_SERVICE_PORT=5432",
	"S%d_SERVICE_PORT_HTTP=5432",	      "S%d_PORT=tcp://10.0.0.1:5432",
	"S%d_PORT_5432_TCP=tcp://10.0.0.1:5", "S%d_PORT_5432_TCP_PROTO=tcp",
	"S%d_PORT_5432_TCP_PORT=5432",	      "S%d_PORT_5432_TCP_ADDR=10.0.0.1",
};

static char *variable(const struct environment *e, int i)
{
	char name[64], *string;

	snprintf(name, sizeof(name), e->also, i);
	string = long_string(strlen(name) + 1 + e->bytes);
	memcpy(string, name, strlen(name));
	string[strlen(name)] = '=';
	return string;
}

static char **environment_of(const struct environment *e)
{
	int count = e->services * COUNT(services), n = 0;
	char **env = keep(calloc(count + e->more + 2, sizeof(*env)));

	for (; n < count; n++) {
		ck_assert_int_gt(asprintf(&env[n], services[n % COUNT(services)], n / (int)COUNT(services)), 0);
		keep(env[n]);
	}
	for (int i = 0; i < e->more; i++)
		env[n++] = variable(e, i);
	if (e->sign)
		env[n++] = keep(strdup(e->sign));
	return env;
}

static uint64_t bytes_of(char *const *strings, uint64_t *count)
{
	uint64_t bytes = 0;

	for (*count = 0; strings[*count]; ++*count)
		bytes += strlen(strings[*count]) + 1 + sizeof(char *);
	return bytes;
}

/* The kernel refuses it, and the finding says what most of it is. */
START_TEST(an_environment_that_is_too_large)
{
	const struct environment *e = &environments[_i];
	char name[] = "name", *argv[] = { name, NULL }, finding[256];
	struct ep_check c = case_of(good);
	uint64_t count;

	question.argv = argv;
	question.envp = environment_of(e);
	question.limit_stack = 4 << 20;
	ck_assert_int_eq(ep_arguments(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE);
	ck_assert_int_eq(explanation.detail, e->detail);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
	if (e->object)
		ck_assert_str_eq(explanation.object, e->object);
	else
		ck_assert_ptr_null(explanation.object);
	assert_said(&explanation, e->words);
	ck_assert_uint_le(errpipe_finding(finding, sizeof(finding), &explanation), 100);
	ck_assert_uint_le(errpipe_advice(finding, sizeof(finding), &explanation), 100);
	if (sizeof(long) == 8) {
		ck_assert_uint_eq(explanation.variables.bytes, bytes_of(question.envp, &count));
		ck_assert_uint_eq(explanation.variables.count, count);
		ck_assert_uint_eq(explanation.arguments.count, 1);
		ck_assert_uint_eq(explanation.number,
				  strlen(good) + 1 + explanation.variables.bytes + explanation.arguments.bytes);
	}
	/* With unknown arguments it is too large all the same. */
	c = case_of(good);
	question.envp = environment_of(e);
	question.limit_stack = 4 << 20;
	ck_assert_int_eq(ep_arguments(&c), -1);
	ck_assert_int_eq(explanation.detail, e->detail);
	ck_assert_uint_eq(explanation.arguments.count, 0);
}
END_TEST

/* The larger part is named. A limit that cannot be raised is not to be raised. */
START_TEST(arguments_that_are_too_large)
{
	static char variable[] = "CI_A=b", *env[] = { variable, NULL };
	struct ep_check c = case_of(good);
	char advice[256];

	question.argv = strings_of(7 << 20);
	question.envp = env;
	question.limit_stack = _i ? 64 << 20 : 8 << 20;
	ck_assert_int_eq(ep_arguments(&c), -1);
	ck_assert_int_eq(explanation.detail, ERRPIPE_DETAIL_MANY_ARGUMENTS);
	ck_assert_ptr_null(explanation.object);
	assert_said(&explanation, "the arguments (200) take ");
	assert_said(&explanation, "pass fewer at a time (xargs)");
	errpipe_advice(advice, sizeof(advice), &explanation);
	ck_assert_int_eq(!strstr(advice, "raise the stack limit"), _i);
}
END_TEST

/* The exec failed with E2BIG, but the known arguments would fit, or none are known. */
START_TEST(too_large_and_it_is_not_known_what)
{
	char *argv[] = { good, NULL };
	struct ep_check c = case_of(good);

	question.limit_stack = 8 << 20;
	question.argv = _i ? argv : NULL;
	ck_assert_int_eq(before(&c, ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, E2BIG), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(explanation.error, E2BIG);
	ck_assert_uint_eq(explanation.number, 0);
	ck_assert_uint_eq(explanation.limit, 2 << 20);
}
END_TEST

/* The kernel opens the file first. Without a report the arguments are therefore checked after the file. */
START_TEST(arguments_without_a_report)
{
	struct ep_check c = case_of(good);

	question.argv = strings_of(7 << 20);
	ck_assert_int_eq(ep_before_lookup(&c), 0);
	ck_assert_int_eq(check(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);

	/* An interpreter does not trigger the check, nor does an attempt with another result. */
	c = case_of(good);
	question.argv = strings_of(7 << 20);
	explanation.link[0].kind = ERRPIPE_LINK_INTERPRETER;
	ck_assert_int_eq(check(&c), 0);
	c = case_of(good);
	question.argv = strings_of(7 << 20);
	ck_assert_int_eq(before(&c, ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ENOEXEC), 0);
	ck_assert_int_eq(check(&c), 0);
}
END_TEST

/* --- the report ------------------------------------------------------------------------------- */

static const struct {
	enum errpipe_verdict verdict;
	unsigned step;
	int error;
	enum errpipe_cause cause; /* NONE: the walk goes on */
	enum errpipe_certainty certainty;
	const char *object;
} reports[] = {
	{ ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, 0, ERRPIPE_CAUSE_SECCOMP, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, EAGAIN, ERRPIPE_CAUSE_PROCESS_LIMIT, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, E2BIG, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, ERRPIPE_LIKELY, NULL },
	{ ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ENOENT, ERRPIPE_CAUSE_NONE, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ETXTBSY, ERRPIPE_CAUSE_NONE, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB, EACCES, ERRPIPE_CAUSE_STUB_REFUSED, ERRPIPE_CERTAIN, "EACCES" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB, ENOENT, ERRPIPE_CAUSE_STUB_REFUSED, ERRPIPE_CERTAIN, "ENOENT" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB, EAGAIN, ERRPIPE_CAUSE_PROCESS_LIMIT, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB, E2BIG, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, ERRPIPE_LIKELY, NULL },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB, 0, ERRPIPE_CAUSE_SECCOMP, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, EPERM, ERRPIPE_CAUSE_STUB_REFUSED, ERRPIPE_CERTAIN, "EPERM" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, EAGAIN, ERRPIPE_CAUSE_STUB_REFUSED, ERRPIPE_CERTAIN, "EAGAIN" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_CALLER, EAGAIN, ERRPIPE_CAUSE_STEP_FAILED, ERRPIPE_CERTAIN, "EAGAIN" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_CALLER_LAST, E2BIG, ERRPIPE_CAUSE_STEP_FAILED, ERRPIPE_CERTAIN,
	  "E2BIG" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_SETUP, EPERM, ERRPIPE_CAUSE_SETUP_FAILED, ERRPIPE_CERTAIN, "EPERM" },
	{ ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_SECCOMP, EAGAIN, ERRPIPE_CAUSE_SETUP_FAILED, ERRPIPE_CERTAIN, "EAGAIN" },
	{ ERRPIPE_STARTED, 0, 0, ERRPIPE_CAUSE_NONE, ERRPIPE_CERTAIN, NULL },
	{ ERRPIPE_DIED, 0, 0, ERRPIPE_CAUSE_NONE, ERRPIPE_CERTAIN, NULL },
};

START_TEST(what_the_report_alone_tells)
{
	struct ep_check c = case_of(good);

	question.limit_processes = 7;
	ck_assert_int_eq(before(&c, reports[_i].verdict, reports[_i].step, reports[_i].error),
			 reports[_i].cause == ERRPIPE_CAUSE_NONE ? 0 : -1);
	ck_assert_int_eq(explanation.cause, reports[_i].cause);
	ck_assert_int_eq(explanation.certainty, reports[_i].certainty);
	ck_assert_int_eq(explanation.broken, -1);
	ck_assert_int_eq(explanation.works, reports[_i].cause == ERRPIPE_CAUSE_NONE);
	if (reports[_i].cause != ERRPIPE_CAUSE_NONE)
		ck_assert_int_eq(explanation.error, reports[_i].error);
	if (reports[_i].cause == ERRPIPE_CAUSE_PROCESS_LIMIT) {
		ck_assert_uint_eq(explanation.limit, 7);
		ck_assert_int_eq(explanation.detail, ERRPIPE_DETAIL_CONFIGURED_LIMIT);
	}
	if (reports[_i].object)
		ck_assert_str_eq(explanation.object, reports[_i].object);
	else
		ck_assert_ptr_null(explanation.object);
}
END_TEST

/* The chain has no link in this case, but the words still name the program. */
static const struct {
	unsigned step;
	int error;
	const char *finding, *advice;
} not_tried[] = {
	{ ERRPIPE_STEP_STUB, EACCES, "errpipe's stub was refused (EACCES), before \"./app\" was tried",
	  "run without the stub: --route direct, or ERRPIPE_NO_STUB in the library" },
	{ ERRPIPE_STEP_FCNTL, EPERM, "errpipe's stub was refused (EPERM), before \"./app\" was tried",
	  "run without the stub: --route direct, or ERRPIPE_NO_STUB in the library" },
	{ ERRPIPE_STEP_CALLER + 1, ENOENT, "one of the caller's own steps failed (ENOENT) before \"./app\" was tried",
	  "check the directories that it enters (chdir, chroot) and the files that it opens" },
};

START_TEST(a_program_that_was_not_tried)
{
	char line[ERRPIPE_MESSAGE_MAX];

	question = (struct errpipe_question){ .root = ERRPIPE_OWN_ROOT, .path = "./app" };
	set_report(ERRPIPE_SETUP_FAILED, not_tried[_i].step, not_tried[_i].error);
	ck_assert_int_eq(errpipe_explain(&explanation, &question), 0);
	errpipe_finding(line, sizeof(line), &explanation);
	ck_assert_str_eq(line, not_tried[_i].finding);
	errpipe_advice(line, sizeof(line), &explanation);
	ck_assert_str_eq(line, not_tried[_i].advice);
	ck_assert_str_eq(explanation.subject, "./app");
	ck_assert_int_eq(explanation.error, not_tried[_i].error);
	ck_assert_int_eq(explanation.works, 0);
	ck_assert_int_eq(explanation.links, 0);
}
END_TEST

/* The errno exists only on the writer's machine. It is translated to 0, but it was not 0. */
START_TEST(an_error_of_another_machine)
{
	struct ep_check c = case_of(good);

	set_report(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, 0);
	report.raw_error = 4000;
	ck_assert_int_eq(ep_before_lookup(&c), 0);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
}
END_TEST

static int enter(const char *state)
{
	int ret = enter_state(state, fixture);

	ck_assert(ret == 0 || ret == -EOPNOTSUPP);
	return ret;
}

static void be_too_many(int i)
{
	char *argv[] = { good, NULL };
	struct ep_check c;

	(void)i;
	if (enter("nproc") < 0)
		SKIP("the state nproc cannot be entered");
	execv(good, argv);
	ck_assert_int_eq(errno, EAGAIN);

	/* The limit in this state is 0, which also stands for an unknown one. */
	c = case_of(good);
	ck_assert_int_eq(before(&c, ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, EAGAIN), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_PROCESS_LIMIT);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
}

START_TEST(too_many_processes)
{
	if (geteuid() != 0)
		SKIP("needs root");
	in_child(be_too_many, 0);
}
END_TEST

/* Without a given limit, the caller's own applies. */
static void have_own_limit(int i)
{
	const struct rlimit limit = { 1234, 1234 };
	struct ep_check c = case_of(good);

	(void)i;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	before(&c, ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, EAGAIN);
	ck_assert_uint_eq(explanation.limit, 1234);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
}

START_TEST(the_limit_of_the_caller)
{
	struct rlimit own;

	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &own), 0);
	if (own.rlim_max < 1234)
		SKIP("RLIMIT_NPROC is already lower");
	in_child(have_own_limit, 0);
}
END_TEST

static void be_told_nothing(int i)
{
	char *argv[] = { good, NULL };
	struct ep_check c = case_of(good);
	int ret;

	(void)i;
	if (enter("seccomp:0") < 0)
		SKIP("needs seccomp");
	ret = syscall(SYS_execve, good, argv, NULL);
	ck_assert_int_eq(ret, 0);
	ck_assert_int_eq(before(&c, ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ret), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_SECCOMP);
}

START_TEST(seccomp_without_an_error)
{
	in_child(be_told_nothing, 0);
}
END_TEST

/* --- asking the kernel ------------------------------------------------------------------------ */

/* The check does not depend on the contents of a file, and does not run it. */
static const char *const openable[] = { "good", "empty", "text", "script-missing", "elf-other-machine", "gzip" };

START_TEST(a_check_runs_nothing)
{
	struct ep_check c;
	char *path;

	keep(asprintf(&path, "%s/%s", fixture, openable[_i]) < 0 ? NULL : path);
	c = case_of(path);
	ck_assert_int_eq(check(&c), 0);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(c.asks, kernel_answers() ? 1 : -1);
}
END_TEST

static void be_confined(int i)
{
	struct ep_check c;

	(void)i;
	if (enter("landlock") < 0)
		SKIP("needs landlock");
	ck_assert_int_eq(exec_plainly(good), EACCES);
	c = case_of(good);
	ck_assert_int_eq(check(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_SECURITY_MODULE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(explanation.broken, 0);
	ck_assert_int_eq(explanation.error, EACCES);
	ck_assert_ptr_nonnull(explanation.object);
	ck_assert_ptr_nonnull(strstr(explanation.object, "landlock"));

	/* The kernel's answer says nothing about another identity. */
	c = case_of(good);
	c.own_identity = false;
	ck_assert_int_eq(check(&c), 0);
}

START_TEST(a_security_module)
{
	if (!kernel_answers())
		SKIP("needs exec-check");
	in_child(be_confined, 0);
}
END_TEST

static void *sleep_on(void *semaphore)
{
	while (sem_wait(semaphore) < 0)
		;
	return NULL;
}

/* Other threads could not start threads during a check. */
START_TEST(no_check_beside_other_threads)
{
	struct ep_check c = case_of(good);
	pthread_t thread;
	sem_t semaphore;

	sem_init(&semaphore, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, sleep_on, &semaphore), 0);
	ck_assert_int_eq(check(&c), 0);
	ck_assert_int_eq(c.asks, -1);
	sem_post(&semaphore);
	pthread_join(thread, NULL);
}
END_TEST

static void be_without(int i)
{
	struct ep_check c;

	if (enter(i ? "seccomp-execveat:ENOSYS" : "seccomp-execveat:EACCES") < 0)
		SKIP("needs seccomp");
	c = case_of(good);
	ck_assert_int_eq(check(&c), 0);
	ck_assert_int_eq(c.asks, -1);
}

START_TEST(no_check_without_the_call)
{
	in_child(be_without, _i);
}
END_TEST

/* --- busy ------------------------------------------------------------------------------------- */

static char *busy_file(void)
{
	char *path;

	keep(asprintf(&path, "%s/busy", fixture) < 0 ? NULL : path);
	return path;
}

/* Start a process that keeps the file open until end(). */
static pid_t hold(const char *path, int flags, const char *comm)
{
	int ready[2];
	pid_t pid;
	char c;

	make_pipe(ready);
	pid = checked_fork();
	if (pid == 0) {
		int fd = open(path, flags);

		prctl(PR_SET_NAME, comm, 0, 0, 0);
		if (write(ready[1], "", fd >= 0) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	wait_for(pid);
}

static int explain_busy(struct ep_check *c, const char *path)
{
	*c = case_of(path);
	set_report(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ETXTBSY);
	ck_assert_int_eq(ep_before_lookup(c), 0);
	return check(c);
}

static const int writing[] = { O_WRONLY, O_RDWR, O_WRONLY | O_APPEND | O_CLOEXEC };

START_TEST(a_writer_is_named)
{
	const char *path = busy_file();
	pid_t pid = hold(path, writing[_i], "a writer)");
	struct ep_check c;
	char words[64];

	ck_assert_int_eq(exec_plainly(path), ETXTBSY);
	ck_assert_int_eq(explain_busy(&c, path), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_TEXT_BUSY);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(explanation.error, ETXTBSY);
	ck_assert_int_eq(explanation.broken, 0);
	snprintf(words, sizeof(words), "process %d (a writer))", (int)pid);
	ck_assert_int_eq(explanation.writers.count, 1);
	ck_assert_int_eq(explanation.writers.writer[0].pid, pid);
	ck_assert_str_eq(explanation.writers.writer[0].name, "a writer)");
	assert_said(&explanation, words);
	end(pid);
	ck_assert_int_eq(exec_plainly(path), 0);
	ck_assert_int_eq(explain_busy(&c, path), 0);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
}
END_TEST

/* The writer opened the file by another name. Only the file counts. */
START_TEST(a_writer_by_another_name)
{
	char *path = busy_file(), *other;
	struct ep_check c;
	pid_t pid;

	keep(asprintf(&other, "%s/busy-too", fixture) < 0 ? NULL : other);
	ck_assert_int_eq(link(path, other), 0);
	pid = hold(other, O_WRONLY, "w");
	unlink(other);
	ck_assert_int_eq(exec_plainly(path), ETXTBSY);
	ck_assert_int_eq(explain_busy(&c, path), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_TEXT_BUSY);
	ck_assert_str_eq(explanation.writers.writer[0].name, "w");
	end(pid);
}
END_TEST

START_TEST(many_writers)
{
	const char *path = busy_file();
	struct ep_check c;
	pid_t pids[5];

	for (size_t i = 0; i < COUNT(pids); i++) {
		pids[i] = hold(path, O_RDWR, "many");
		ck_assert_int_eq(explain_busy(&c, path), -1);
		ck_assert_int_eq(explanation.writers.more, i >= 3);
	}
	ck_assert_int_eq(explanation.writers.count, 3);
	for (int i = 0; i < explanation.writers.count; i++)
		ck_assert_str_eq(explanation.writers.writer[i].name, "many");
	assert_said(&explanation, " (many) and others");
	for (size_t i = 0; i < COUNT(pids); i++)
		end(pids[i]);
}
END_TEST

/* Neither readers nor O_PATH descriptors make a file busy. */
START_TEST(readers_are_not_writers)
{
	const char *path = busy_file();
	pid_t reader = hold(path, O_RDONLY, "r"), looker = hold(path, O_PATH, "p");
	struct errpipe_writers writers;
	struct ep_check c;
	int fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_int_eq(exec_plainly(path), 0);
	ck_assert_int_eq(explain_busy(&c, path), 0);
	ep_find_writers(&c, fd, &writers);
	ck_assert_int_eq(writers.count, 0);

	/* The finding then says that no writer is visible. */
	ck_assert_int_eq(ep_busy(&c, &explanation.link[0], &writers), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_TEXT_BUSY);
	ck_assert_int_eq(explanation.detail, ERRPIPE_DETAIL_WRITER_NOT_VISIBLE);
	assert_said(&explanation, "is open for writing by a process that is not visible from here");
	close(fd);
	end(reader);
	end(looker);
}
END_TEST

/* If the kernel cannot be asked, only a report of ETXTBSY starts the search for writers. */
START_TEST(busy_without_a_check)
{
	const char *path = busy_file();
	pid_t pid = hold(path, O_WRONLY, "w");
	struct ep_check c = case_of(path);

	c.asks = -1;
	ck_assert_int_eq(check(&c), 0);
	set_report(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ENOENT);
	ck_assert_int_eq(check(&c), 0);
	set_report(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ETXTBSY);
	ck_assert_int_eq(check(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_TEXT_BUSY);
	end(pid);
	c = case_of(path);
	c.asks = -1;
	set_report(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC, ETXTBSY);
	ck_assert_int_eq(check(&c), 0);
}
END_TEST

START_TEST(busy_without_a_report)
{
	const char *path = busy_file();
	pid_t pid = hold(path, O_WRONLY, "w");
	struct ep_check c = case_of(path);

	if (!kernel_answers())
		SKIP("needs exec-check");
	ck_assert_int_eq(check(&c), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_TEXT_BUSY);
	end(pid);
}
END_TEST

/* --- credentials ------------------------------------------------------------------------------ */

static char *capable_file(void)
{
	char *path;

	keep(asprintf(&path, "%s/file-capability", fixture) < 0 ? NULL : path);
	return path;
}

static void set_capabilities(const char *path, uint32_t version, uint64_t permitted, uint64_t inheritable)
{
	const struct vfs_cap_data data = {
		.magic_etc = htole32(version),
		.data = { { htole32(permitted), htole32(inheritable) },
			  { htole32(permitted >> 32), htole32(inheritable >> 32) } },
	};

	ck_assert_int_eq(setxattr(path, "security.capability", &data, sizeof(data), 0), 0);
}

#define EFFECTIVE (VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE)
#define BIT(cap)  (UINT64_C(1) << (cap))

/* Compare with a real exec. The bounding set lacks CAP_NET_RAW and CAP_SYS_TIME. */
static const struct {
	enum identity identity;
	int no_new_privs;
	uint32_t version;
	uint64_t permitted;
	const char *missing;
} capabilities[] = {
	{ AS_SELF, 0, EFFECTIVE, BIT(CAP_NET_RAW), "cap_net_raw" },
	{ AS_NOBODY, 0, EFFECTIVE, BIT(CAP_NET_RAW), "cap_net_raw" },
	/* no_new_privs does not help: the kernel refuses before it would ignore the capabilities. */
	{ AS_NOBODY, 1, EFFECTIVE, BIT(CAP_NET_RAW), "cap_net_raw" },
	{ AS_NOBODY, 0, EFFECTIVE, BIT(CAP_NET_RAW) | BIT(CAP_SYS_TIME) | BIT(CAP_CHOWN),
	  "cap_net_raw, cap_sys_time" },
	{ AS_NOBODY, 0, EFFECTIVE, BIT(CAP_CHOWN), NULL },
	{ AS_NOBODY, 0, EFFECTIVE, 0, NULL },
	{ AS_NOBODY, 0, VFS_CAP_REVISION_2, BIT(CAP_NET_RAW), NULL },
	/* These capabilities do not exist. */
	{ AS_NOBODY, 0, EFFECTIVE, BIT(63) | BIT(50), NULL },
};

static void compare_capabilities(int i)
{
	const char *path = capable_file();
	struct ep_check c;

	set_capabilities(path, capabilities[i].version, capabilities[i].permitted, 0);
	if (enter("capbset") < 0)
		SKIP("needs privileged-files");
	ck_assert_int_eq(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0), 0);
	ck_assert_int_eq(become(capabilities[i].identity), 0);
	if (capabilities[i].no_new_privs)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	ck_assert_int_eq(exec_plainly(path), capabilities[i].missing ? EPERM : 0);

	c = case_of(path);
	ck_assert_int_eq(c.who.no_new_privs, capabilities[i].no_new_privs);
	ck_assert_int_eq(credentials(&c), capabilities[i].missing ? -1 : 0);
	if (!capabilities[i].missing) {
		ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
		return;
	}
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_FILE_CAPABILITIES);
	ck_assert_int_eq(explanation.error, EPERM);
	ck_assert_int_eq(explanation.broken, 0);
	ck_assert_str_eq(explanation.object, capabilities[i].missing);

	/* Another process or another mount gives another result. */
	c = case_of(path);
	c.who.bounding = ~UINT64_C(0);
	ck_assert_int_eq(credentials(&c), 0);
	c = case_of(path);
	explanation.link[0].nosuid = 1;
	ck_assert_int_eq(credentials(&c), 0);
}

START_TEST(file_capabilities)
{
	if (geteuid() != 0)
		SKIP("needs root");
	in_child(compare_capabilities, _i);
}
END_TEST

struct cap_sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

/* The bounding set may lack a capability that is inheritable for both the file and the process. */
static void inherit(int i)
{
	struct cap_sets sets = { .header = { _LINUX_CAPABILITY_VERSION_3, 0 } };
	const char *path = capable_file();
	struct ep_check c;

	set_capabilities(path, EFFECTIVE, BIT(CAP_NET_RAW), i ? BIT(CAP_NET_RAW) : 0);
	ck_assert_int_eq(syscall(SYS_capget, &sets.header, sets.data), 0);
	sets.data[0].inheritable |= BIT(CAP_NET_RAW);
	ck_assert_int_eq(syscall(SYS_capset, &sets.header, sets.data), 0);
	if (enter("capbset") < 0)
		SKIP("needs privileged-files");
	ck_assert_int_eq(exec_plainly(path), i ? 0 : EPERM);
	c = case_of(path);
	ck_assert_int_eq(credentials(&c), i ? 0 : -1);
}

START_TEST(inheritable_capabilities)
{
	if (geteuid() != 0)
		SKIP("needs root");
	in_child(inherit, _i);
}
END_TEST

START_TEST(no_capabilities)
{
	struct ep_check c = case_of(good);

	c.who.bounding = 0;
	ck_assert_int_eq(credentials(&c), 0);
}
END_TEST

/* A copy of this program tells by its exit status which of its ids are root's. */
enum { ROOT_UID = 1, ROOT_GID = 2 };
#define TELL_IDS "tell-ids"

static int root_ids(void)
{
	return (geteuid() == 0 ? ROOT_UID : 0) | (getegid() == 0 ? ROOT_GID : 0);
}

static int start_and_ask(const char *path)
{
	pid_t pid = checked_fork();
	int status;

	if (pid == 0) {
		execl(path, path, TELL_IDS, NULL);
		_exit(127);
	}
	status = wait_for(pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void copy_itself(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(write(to, buf, n), n);
	ck_assert_int_eq(n, 0);
	close(from);
	close(to);
}

enum { PLAIN_MOUNT, NOSUID_MOUNT };

static const struct {
	int mount;
	int no_new_privs;
	mode_t mode;
	uid_t owner;
	enum errpipe_detail why; /* 0: nothing is ignored */
	int root;		 /* the result of root_ids() in the program */
} set_ids[] = {
	{ NOSUID_MOUNT, 0, 04755, 0, ERRPIPE_DETAIL_NOSUID, 0 },
	{ PLAIN_MOUNT, 1, 04755, 0, ERRPIPE_DETAIL_NO_NEW_PRIVS, 0 },
	{ NOSUID_MOUNT, 1, 04755, 0, ERRPIPE_DETAIL_NO_NEW_PRIVS, 0 },
	{ NOSUID_MOUNT, 0, 02755, 0, ERRPIPE_DETAIL_NOSUID, 0 },
	{ PLAIN_MOUNT, 1, 06755, 0, ERRPIPE_DETAIL_NO_NEW_PRIVS, 0 },
	{ PLAIN_MOUNT, 0, 04755, 0, ERRPIPE_DETAIL_NONE, ROOT_UID },
	{ PLAIN_MOUNT, 0, 02755, 0, ERRPIPE_DETAIL_NONE, ROOT_GID },
	{ NOSUID_MOUNT, 0, 0755, 0, ERRPIPE_DETAIL_NONE, 0 },
	/* Without the group's x bit, the set-gid bit stands for mandatory locking. */
	{ PLAIN_MOUNT, 0, 02745, 0, ERRPIPE_DETAIL_NONE, 0 },
	{ NOSUID_MOUNT, 0, 02745, 0, ERRPIPE_DETAIL_NONE, 0 },
	{ NOSUID_MOUNT, 0, 06755, NOBODY, ERRPIPE_DETAIL_NONE, 0 },
};

static void make_script(const char *script, const char *interpreter)
{
	FILE *file = fopen(script, "we");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!%s\n", interpreter);
	ck_assert_int_eq(fclose(file) | chmod(script, 0755), 0);
}

/* A script runs with the ids of its interpreter. */
static void assert_ignored_behind_a_script(const char *script, enum errpipe_detail why)
{
	static struct errpipe_explanation deep;
	const struct errpipe_question deeper = { .root = ERRPIPE_OWN_ROOT, .path = script };

	ck_assert_int_eq(errpipe_explain(&deep, &deeper), 0);
	ck_assert_int_eq(deep.cause, ERRPIPE_CAUSE_SET_ID_IGNORED);
	ck_assert_int_eq(deep.broken, 1);
	ck_assert_int_eq(deep.works, 1);
	ck_assert_int_eq(deep.detail, why);
}

static void start_with_set_id(int i)
{
	const unsigned long flags = set_ids[i].mount == NOSUID_MOUNT ? MS_NOSUID : 0;
	char directory[4096], path[4200], script[4200];
	struct ep_check c;

	snprintf(directory, sizeof(directory), "%s/directory", fixture);
	snprintf(path, sizeof(path), "%s/program", directory);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", directory, "tmpfs", flags, "mode=755") < 0)
		SKIP("needs mount-namespaces");
	copy_itself(path);
	ck_assert_int_eq(chown(path, set_ids[i].owner, set_ids[i].owner), 0);
	ck_assert_int_eq(chmod(path, set_ids[i].mode), 0);
	snprintf(script, sizeof(script), "%s/script", directory);
	make_script(script, path);
	ck_assert_int_eq(become(AS_NOBODY), 0);
	if (set_ids[i].no_new_privs)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	ck_assert_int_eq(start_and_ask(path), set_ids[i].root);

	c = case_of(path);
	ck_assert_int_eq(credentials(&c), 0);
	ck_assert_int_eq(explanation.works, 1);
	ck_assert_int_eq(explanation.error, 0);
	if (!set_ids[i].why) {
		ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
		return;
	}
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_SET_ID_IGNORED);
	ck_assert_int_eq(explanation.detail, set_ids[i].why);
	assert_ignored_behind_a_script(script, set_ids[i].why);

	/* A worse cause replaces this note. */
	ep_finding_set(&c, &explanation.link[0],
		       (struct ep_finding){ .cause = ERRPIPE_CAUSE_SEGMENT_SIZE, .number = 1 });
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_SEGMENT_SIZE);
	ck_assert_int_eq(explanation.works, 0);
}

START_TEST(set_id_bits)
{
	if (geteuid() != 0)
		SKIP("needs root");
	in_child(start_with_set_id, _i);
}
END_TEST

/* --- security modules ------------------------------------------------------------------------- */

/* The modules come from the kernel's list, or from other traces without it. */
START_TEST(security_modules)
{
	struct ep_check c = case_of(good);
	char list[512] = "";
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);

	ep_modules_for(&c, EACCES, EP_SEEN);
	if (fd >= 0 && read(fd, list, sizeof(list) - 1) > 0) {
		ck_assert_int_eq(strstr(list, "landlock") != NULL,
				 explanation.modules && strstr(explanation.modules, "landlock"));
	} else {
		ck_assert_int_eq(syscall(444, NULL, 0, 1) >= 1,
				 explanation.modules && strstr(explanation.modules, "landlock"));
	}
	close(fd);
	if (explanation.modules)
		ck_assert_ptr_null(strstr(explanation.modules, "capability"));
}
END_TEST

static const struct {
	const char *list, *modules;
} lists[] = {
	{ "lockdown,capability,landlock,yama,apparmor", "landlock, apparmor" },
	{ "capability", NULL },
	{ "capability,selinux\n", "selinux" },
	{ "", NULL },
	{ ",,,\n", NULL },
	{ "bpf", "bpf" },
};

/* Put a list of ours into a mount namespace. An empty file would count as a missing list. */
static void see_list(int i)
{
	struct ep_check c;
	FILE *file;

	NEEDS("securityfs");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/sys/kernel/security", "tmpfs", 0, NULL) < 0)
		SKIP("needs mount-namespaces");
	file = fopen("/sys/kernel/security/lsm", "we");
	ck_assert_ptr_nonnull(file);
	fputs(*lists[i].list ? lists[i].list : "\n", file);
	fclose(file);
	c = case_of(good);
	ep_modules_for(&c, EACCES, EP_SEEN);
	if (lists[i].modules)
		ck_assert_str_eq(explanation.modules, lists[i].modules);
	else
		ck_assert_ptr_null(explanation.modules);
}

START_TEST(a_list_of_security_modules)
{
	in_child(see_list, _i);
}
END_TEST

/* --- 32-bit programs -------------------------------------------------------------------------- */

#if defined(__x86_64__) || defined(__aarch64__) || defined(__s390x__)
static const struct kind {
	unsigned machine;
	uint32_t flags;
	const char *architecture;
} kinds[] = {
#ifdef __x86_64__
	{ EM_386, 0, "i386" },
	{ EM_X86_64, 0, "x32" },
#elif defined(__aarch64__)
	{ EM_ARM, 0x5000400, "arm" },
#else
	{ EM_S390, 0, "s390" },
#endif
};

enum { OWN_DATA = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB };

/* The program loads all of its file. Its behaviour does not matter. */
static char *make_program(const struct kind *kind)
{
	enum { BASE = 0x10000000 };
	const struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
	} program = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, OWN_DATA, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = kind->machine,
			.e_version = EV_CURRENT,
			.e_entry = BASE,
			.e_phoff = sizeof(program.header),
			.e_flags = kind->flags,
			.e_ehsize = sizeof(program.header),
			.e_phentsize = sizeof(program.segment),
			.e_phnum = 1,
		},
		.segment = { PT_LOAD, 0, BASE, BASE, sizeof(program), sizeof(program), PF_R | PF_X, 0x1000 },
	};
	char *path;
	int fd;

	keep(asprintf(&path, "%s/%s", fixture, kind->architecture) < 0 ? NULL : path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ck_assert_int_eq(write(fd, &program, sizeof(program)), sizeof(program));
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	return path;
}

static enum ep_answer runs(const struct kind *kind)
{
	const struct errpipe_link link = { .machine = kind->machine, .elf_class = ELFCLASS32, .elf_data = OWN_DATA };

	return ep_runs(&link, kind->flags);
}

static void explain(const char *path, const struct errpipe_report *of)
{
	question = (struct errpipe_question){ .root = ERRPIPE_OWN_ROOT, .path = path, .report = of };
	ck_assert_int_eq(errpipe_explain(&explanation, &question), 0);
}

START_TEST(programs_of_32_bits)
{
	const struct kind *kind = &kinds[_i];
	const char *path = make_program(kind);
	int error = exec_plainly(path);

	ck_assert_int_eq(runs(kind), error ? EP_NO : EP_YES);
	explain(path, NULL);
	ck_assert_str_eq(explanation.link[0].architecture, kind->architecture);
	ck_assert_int_eq(explanation.error, error);
	ck_assert_int_eq(explanation.works, !error);
	ck_assert_int_eq(explanation.cause, error ? ERRPIPE_CAUSE_NO_COMPATIBILITY : ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
}
END_TEST

/* Simulate a kernel without 32-bit programs: the exec of a descriptor fails with ENOEXEC. */
static void have_none(int i)
{
	char advice[512];

	if (enter("seccomp-execveat:ENOEXEC") < 0)
		SKIP("needs seccomp");
	ck_assert_int_eq(runs(&kinds[i]), EP_NO);
	explain(make_program(&kinds[i]), NULL);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NO_COMPATIBILITY);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(explanation.works, 0);
	ck_assert_int_eq(explanation.error, ENOEXEC);
	errpipe_advice(advice, sizeof(advice), &explanation);
	ck_assert_ptr_nonnull(strstr(advice, "boot a kernel with CONFIG_"));
}

/* If the exec cannot be tried, nothing is certain. */
static void have_some_perhaps(int i)
{
	static const struct errpipe_report format = { .verdict = ERRPIPE_EXEC_FAILED,
						      .error = ENOEXEC,
						      .status = -1 };
	static const struct errpipe_report memory = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOMEM, .status = -1 };
	const char *path = make_program(&kinds[i]);

	if (enter("seccomp-execveat:EPERM") < 0)
		SKIP("needs seccomp");
	ck_assert_int_eq(runs(&kinds[i]), EP_NOT_KNOWN);
	explain(path, NULL);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(explanation.works, 1);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
	explain(path, &format);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_NO_COMPATIBILITY);
	ck_assert_int_eq(explanation.works, 0);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(explanation.broken, 0);
	explain(path, &memory);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_UNKNOWN);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_UNSURE);
}

START_TEST(a_kernel_without_them)
{
	in_child(have_none, _i);
}
END_TEST

START_TEST(a_kernel_that_cannot_be_asked)
{
	in_child(have_some_perhaps, _i);
}
END_TEST

static volatile sig_atomic_t children;

static void count_child(int signal)
{
	(void)signal;
	children++;
}

static int lowest_free(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

/* A caller that waits for its own children does not see the child that tries the exec. */
static void wait_for_children(int i)
{
	const struct sigaction action = { .sa_handler = count_child };
	int free = lowest_free();

	ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
	runs(&kinds[i]);
	ck_assert_int_eq(children, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_eq(lowest_free(), free);
	ck_assert_int_eq(raise(SIGCHLD), 0);
	ck_assert_int_eq(children, 1);
}

START_TEST(a_child_that_nobody_sees)
{
	in_child(wait_for_children, _i);
}
END_TEST
#endif

/* ---------------------------------------------------------------------------------------------- */

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("explain_process");
	TCase *tcase;

	if (argc == 2 && strcmp(argv[1], TELL_IDS) == 0)
		_exit(root_ids()); /* a sanitizer cannot look at a set-id program */
	leave_valgrind(argv);
	fixture = fixture_make();
	good = keep(asprintf(&good, "%s/good", fixture) < 0 ? NULL : good);

	tcase = add_tcase(suite, "arguments");
	tcase_add_loop_test(tcase, arguments_at_the_border, 0, COUNT(borders));
	tcase_add_test(tcase, arguments_of_another_limit);
	tcase_add_test(tcase, one_string_at_the_border);
	tcase_add_test(tcase, a_long_variable_without_a_name);
	tcase_add_test(tcase, no_arguments);
	tcase_add_loop_test(tcase, an_environment_that_is_too_large, 0, COUNT(environments));
	tcase_add_loop_test(tcase, arguments_that_are_too_large, 0, 2);
	tcase_add_loop_test(tcase, too_large_and_it_is_not_known_what, 0, 2);
	tcase_add_test(tcase, arguments_without_a_report);

	tcase = add_tcase(suite, "report");
	tcase_add_loop_test(tcase, what_the_report_alone_tells, 0, COUNT(reports));
	tcase_add_loop_test(tcase, a_program_that_was_not_tried, 0, COUNT(not_tried));
	tcase_add_test(tcase, an_error_of_another_machine);
	tcase_add_test(tcase, too_many_processes);
	tcase_add_test(tcase, the_limit_of_the_caller);
	tcase_add_test(tcase, seccomp_without_an_error);

	tcase = add_tcase(suite, "check");
	tcase_add_loop_test(tcase, a_check_runs_nothing, 0, COUNT(openable));
	tcase_add_test(tcase, a_security_module);
	tcase_add_test(tcase, no_check_beside_other_threads);
	tcase_add_loop_test(tcase, no_check_without_the_call, 0, 2);

	tcase = add_tcase(suite, "busy");
	tcase_add_loop_test(tcase, a_writer_is_named, 0, COUNT(writing));
	tcase_add_test(tcase, a_writer_by_another_name);
	tcase_add_test(tcase, many_writers);
	tcase_add_test(tcase, readers_are_not_writers);
	tcase_add_test(tcase, busy_without_a_check);
	tcase_add_test(tcase, busy_without_a_report);

	tcase = add_tcase(suite, "credentials");
	tcase_add_loop_test(tcase, file_capabilities, 0, COUNT(capabilities));
	tcase_add_loop_test(tcase, inheritable_capabilities, 0, 2);
	tcase_add_test(tcase, no_capabilities);
	tcase_add_loop_test(tcase, set_id_bits, 0, COUNT(set_ids));

	tcase = add_tcase(suite, "modules");
	tcase_add_test(tcase, security_modules);
	tcase_add_loop_test(tcase, a_list_of_security_modules, 0, COUNT(lists));

#if defined(__x86_64__) || defined(__aarch64__) || defined(__s390x__)
	tcase = add_tcase(suite, "32 bits");
	tcase_add_loop_test(tcase, programs_of_32_bits, 0, COUNT(kinds));
	tcase_add_loop_test(tcase, a_kernel_without_them, 0, COUNT(kinds));
	tcase_add_loop_test(tcase, a_kernel_that_cannot_be_asked, 0, COUNT(kinds));
	tcase_add_loop_test(tcase, a_child_that_nobody_sees, 0, COUNT(kinds));
#endif

	return run_suite(suite);
}
