/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain() with every failure in tests/cases.txt. A process first fails and then explains its failure. Each case
 * also runs hidden one level down: behind a symbolic link, and as the interpreter of a script.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cases.h"
#include "child.h"
#include "errpipe_explain.h"
#include "fixture.h"
#include "rounds.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* Linux 6.14 */
#endif

enum { NO_STATE = 42, BAD_STATE };

enum way { PLAINLY, BY_LINK, BY_SCRIPT, WAYS };

static const char *const ways[] = { "plainly", "by a link", "by a script" };

static const char *fixture;

static struct run {
	const struct exec_case *c;
	enum identity identity;
	enum way way;
	char *path;
} * runs;
static int run_count;

/* The child's explanation of its failure. */
struct answer {
	int ret, cause, certainty, works, error, broken;
	bool modules; /* are any security modules known? */
	char finding[4096], advice[4096], words[4096];
};

struct result {
	int error;		     /* the kernel's errno */
	struct answer with, without; /* a report */
};

/* --- hidden failures -------------------------------------------------------------------------- */

/* Use bin/ because the landlock state allows it. */
static char *hidden_path(const struct exec_case *c, const char *suffix)
{
	char *path;

	return keep(asprintf(&path, "%s/bin/%s.%s", fixture, c->name, suffix) < 0 ? NULL : path);
}

static void must(int ok, const char *path)
{
	if (ok)
		return;
	perror(path);
	exit(EXIT_FAILURE);
}

static char *hide_by_link(const struct exec_case *c)
{
	char *target = fixture_path(c->path), *path = hidden_path(c, "link");

	/* A path outside the fixture is relative, too long, or different for each process. */
	if (strncmp(c->path, "@/", 2) != 0)
		return NULL;
	must(symlink(target, path) == 0, path);
	return path;
}

/* The name of an interpreter must fit in the part of a file that the kernel reads. */
static char *hide_by_script(const struct exec_case *c)
{
	char *target = fixture_path(c->path), *path = hidden_path(c, "script");
	int fd;

	if (!*target || strlen(target) > 200)
		return NULL;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	must(fd >= 0 && dprintf(fd, "#!%s\n", target) > 0 && fchmod(fd, 0755) == 0, path);
	close(fd);
	return path;
}

/* --- expectations ----------------------------------------------------------------------------- */

/* A missing file has another cause if something else needs correction. */
static int expected_cause(const struct exec_case *c, enum way way)
{
	if (c->cause == ERRPIPE_CAUSE_MISSING && way == BY_LINK)
		return ERRPIPE_CAUSE_DANGLING_LINK;
	if (c->cause == ERRPIPE_CAUSE_MISSING && way == BY_SCRIPT)
		return ERRPIPE_CAUSE_INTERPRETER_MISSING;
	return c->cause;
}

/* On every machine but x86-64, x32 is as foreign as x86-64 itself. */
static int cause_here(const struct exec_case *c, enum way way)
{
	if (c->cause == ERRPIPE_CAUSE_NO_COMPATIBILITY && own_machine() != EM_X86_64)
		return ERRPIPE_CAUSE_OTHER_ARCHITECTURE;
	return expected_cause(c, way);
}

/* One more interpreter in front does not move the link at which the kernel stops. */
static int expected_broken(const struct exec_case *c, enum way way)
{
	if (way != BY_SCRIPT || c->broken < 0 || c->cause == ERRPIPE_CAUSE_CHAIN_TOO_DEEP)
		return c->broken;
	return c->broken + 1;
}

/* These causes cannot be observed. They can only be guessed after the failure. */
static bool is_guess(int cause)
{
	return cause == ERRPIPE_CAUSE_UNKNOWN || cause == ERRPIPE_CAUSE_SECURITY_MODULE ||
	       cause == ERRPIPE_CAUSE_PROCESS_LIMIT || cause == ERRPIPE_CAUSE_UNREADABLE;
}

/* What the content of a file, or its name, looks like. */
static bool is_hint(int cause)
{
	return cause == ERRPIPE_CAUSE_NOT_A_PROGRAM || cause == ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE;
}

/* --- the process that fails ------------------------------------------------------------------- */

static void fill_in(struct answer *answer, const struct errpipe_question *question)
{
	static struct errpipe_explanation ex;

	memset(&ex, 0x55, sizeof(ex));
	answer->ret = errpipe_explain(&ex, question);
	answer->cause = ex.cause;
	answer->certainty = ex.certainty;
	answer->works = ex.works;
	answer->error = ex.error;
	answer->broken = ex.broken;
	answer->modules = ex.modules;
	errpipe_finding(answer->finding, sizeof(answer->finding), &ex);
	errpipe_advice(answer->advice, sizeof(answer->advice), &ex);
	errpipe_link_words(answer->words, sizeof(answer->words), &ex, ex.broken);
}

static void fail_and_explain(const struct run *run, struct result *result)
{
	static char *no_strings[] = { NULL };
	struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .step = ERRPIPE_STEP_EXEC, .status = -1 };
	struct errpipe_question question = {
		.root = ERRPIPE_OWN_ROOT,
		.path = run->path,
		.argv = state_argv(run->c->state, run->path),
		.envp = no_strings,
	};

	errno = 0;
	execve(run->path, question.argv, no_strings);
	result->error = errno;
	report.machine = own_machine();
	report.error = report.raw_error = result->error;
	fill_in(&result->without, &question);
	question.report = &report;
	fill_in(&result->with, &question);
}

__attribute__((noreturn)) static void child(const struct run *run, struct result *result)
{
	int ret = enter_state(run->c->state, fixture);

	if (ret == 0)
		ret = become(run->identity);
	if (ret < 0)
		_exit(ret == -EOPNOTSUPP ? NO_STATE : BAD_STATE);
	fail_and_explain(run, result);
	_exit(0);
}

/* --- the tests -------------------------------------------------------------------------------- */

static const char *title(const struct run *run)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s as %s, %s", run->c->name, run->identity == AS_SELF ? "self" : "nobody",
		 ways[run->way]);
	return text;
}

static const char *cause_words(const struct answer *answer)
{
	static char text[4096 + 128];

	snprintf(text, sizeof(text), "%s, %s, link %d, errno %d: %.4000s", errpipe_cause_name(answer->cause),
		 errpipe_certainty_name(answer->certainty), answer->broken, answer->error, answer->finding);
	return text;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Since Linux 6.14 a process can ask the kernel whether an exec would fail. */
static bool kernel_can_be_asked;

static bool can_be_asked(void)
{
	static char *no_strings[] = { NULL };
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC), status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(syscall(SYS_execveat, fd, "", no_strings, no_strings, AT_EMPTY_PATH | AT_EXECVE_CHECK) < 0);
	close(fd);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/*
 * Without a known security module, none is suspected. Without the kernel's answer, the refused link is unknown. A process with
 * a filter has no_new_privs, and then some modules give EPERM.
 */
static void assert_cause(const struct run *run, const struct answer *answer)
{
	int cause = cause_here(run->c, run->way), broken = expected_broken(run->c, run->way);

	if (cause == ERRPIPE_CAUSE_SECURITY_MODULE && !kernel_can_be_asked)
		broken = -1;
	if (cause == ERRPIPE_CAUSE_SECURITY_MODULE && broken < 0 && !answer->modules)
		cause = ERRPIPE_CAUSE_UNKNOWN;
	if (cause == ERRPIPE_CAUSE_UNKNOWN && answer->error == EPERM && answer->modules)
		cause = answer->cause == ERRPIPE_CAUSE_SECURITY_MODULE ? answer->cause : cause;
	ck_assert_msg(answer->cause == cause && answer->broken == broken, "%s: expected %s of link %d, got %s",
		      title(run), errpipe_cause_name(cause), broken, cause_words(answer));
}

static void assert_with_report(const struct run *run, const struct result *result)
{
	const struct answer *answer = &result->with;

	ck_assert_msg(answer->ret == 0, "%s: returned %d", title(run), answer->ret);
	assert_cause(run, answer);
	ck_assert_msg(answer->works == 0 && answer->error == result->error, "%s: errno is %d, explained as: %s",
		      title(run), result->error, cause_words(answer));
	ck_assert_msg(is_guess(answer->cause) || is_hint(answer->cause) || answer->certainty == ERRPIPE_CERTAIN,
		      "%s: not certain: %s", title(run), cause_words(answer));
}

/* Without a report some failures cannot be predicted. But every prediction must be true. */
static bool is_predictable(const struct exec_case *c)
{
	return c->cause != ERRPIPE_CAUSE_SECCOMP && !is_guess(c->cause);
}

/* In these states the kernel stops before it reaches the fault that the explanation finds. */
static bool is_hidden_here(const struct exec_case *c)
{
	return (has_prefix(c->state, "busy") || has_prefix(c->state, "landlock")) && !kernel_can_be_asked;
}

static void assert_without_report(const struct run *run, const struct result *result)
{
	const struct answer *answer = &result->without;

	ck_assert_msg(answer->ret == 0, "%s: returned %d", title(run), answer->ret);
	if (is_hidden_here(run->c))
		return;
	ck_assert_msg(!answer->works || !is_predictable(run->c), "%s: predicted to work", title(run));
	if (answer->certainty == ERRPIPE_UNSURE) /* this is not a prediction */
		return;
	ck_assert_msg(answer->works || answer->error == result->error, "%s: errno is %d, predicted: %s", title(run),
		      result->error, cause_words(answer));
	ck_assert_msg(answer->works || answer->cause == result->with.cause, "%s: without a report: %s", title(run),
		      cause_words(answer));
}

/* Docker, podman and containerd take these phrases for the errno of an exec, anywhere in a message. */
static const char *const phrases[] = {
	"not found",	   "no such file",    "permission denied",
	"is a directory",  "not a directory", "operation not permitted",
	"open executable", "no such process", "container not running",
	"invalid process",
};

static void assert_no_phrase(const struct run *run, const char *line)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		ck_assert_msg(!strcasestr(line, phrases[i]), "%s: \"%s\" in: %s", title(run), phrases[i], line);
}

static void assert_words(const struct run *run, const struct answer *answer)
{
	ck_assert_msg(*answer->finding && *answer->advice, "%s: empty finding or advice", title(run));
	ck_assert_msg(!*answer->words == (answer->broken < 0), "%s: wrong words of link %d", title(run),
		      answer->broken);
	assert_no_phrase(run, answer->finding);
	assert_no_phrase(run, answer->advice);
	assert_no_phrase(run, answer->words);
}

START_TEST(a_case)
{
	const struct run *run = &runs[_i];
	struct result *result = shared_memory(sizeof(*result));
	pid_t pid = checked_fork();
	int status;

	if (pid == 0)
		child(run, result);
	status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_STATE)
		SKIP(state_needs(run->c->state));
	ck_assert_msg(status == 0, "%s: status %#x", title(run), status);
	ck_assert_msg(result->error == run->c->error, "%s: the kernel's errno is %d", title(run), result->error);
	assert_with_report(run, result);
	assert_without_report(run, result);
	assert_words(run, &result->with);
}
END_TEST

/* --- every cause ------------------------------------------------------------------------------ */

/* Causes that no row of the table can have, with the tests that produce them. tests/shell/explain_words.sh looks there. */
static const struct {
	enum errpipe_cause cause;
	const char *file;
} elsewhere[] = {
	{ ERRPIPE_CAUSE_NONE, "check_explain_cases.c" },
	{ ERRPIPE_CAUSE_LOOKUP_FAILED, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_NOT_YET_MOUNTED, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_MAGIC_LINK, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_NOT_IN_PATH, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_OUTSIDE_PATH, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_NEAR_MISS, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_WHOLE_COMMAND, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_LITERAL_QUOTES, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_NOT_EXPANDED, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_SHELL_BUILTIN, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_OPTION, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_ASSIGNMENT, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_FOREIGN_PATH, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_HOST_PATH, "check_explain_command.c" },
	{ ERRPIPE_CAUSE_UNKNOWN_FORMAT, "check_explain_script.c" },
	{ ERRPIPE_CAUSE_UNMARKED_SCRIPT, "check_explain_content.c" },
	{ ERRPIPE_CAUSE_OTHER_SYSTEM, "check_explain_content.c" },
	{ ERRPIPE_CAUSE_APPIMAGE, "check_explain_content.c" },
	{ ERRPIPE_CAUSE_HANDLER_DISABLED, "check_explain_binfmt.c" },
	{ ERRPIPE_CAUSE_HANDLER_MISMATCH, "check_explain_binfmt.c" },
	{ ERRPIPE_CAUSE_HANDLER_MISSING, "handlers.sh" },
	{ ERRPIPE_CAUSE_HANDLER_DYNAMIC, "handlers.sh" },
	{ ERRPIPE_CAUSE_HANDLER_HIDDEN, "check_explain_binfmt.c" },
	{ ERRPIPE_CAUSE_WSL_INTEROP_LOST, "handlers.sh" },
	{ ERRPIPE_CAUSE_TAKEN_FOR_WINDOWS, "handlers.sh" },
	{ ERRPIPE_CAUSE_SHARED_LIBRARY, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, "check_explain_script.c" },
	{ ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, "check_explain_script.c" },
	{ ERRPIPE_CAUSE_NO_LOAD_SEGMENT, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_SEGMENT_SIZE, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_SEGMENT_OFFSET, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_SEGMENT_OVERLAP, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_DEBUG_FILE, "explain_loader.sh" },
	{ ERRPIPE_CAUSE_ENTRY_POINT, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_DATA_LIMIT, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_SEGMENT_ADDRESS, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_ADDRESS_SPACE, "check_explain_elf.c" },
	{ ERRPIPE_CAUSE_INTERPRETER_CUT, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_COMMAND_MISSING, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_ENV_REFUSES, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_LINE_REFUSED, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_LINE_CUT, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_SCRIPT_UNREADABLE, "check_explain_env.c" },
	{ ERRPIPE_CAUSE_MOUNTED_DIRECTORY, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_HIDDEN_BY_MOUNT, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_MOUNT_MISMATCH, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_CWD_UNSEARCHABLE, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_WITHOUT_PATH, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_CAPABILITIES, "bundle.sh" },
	{ ERRPIPE_CAUSE_EMPTY_ROOT, "bundle.sh" },
	{ ERRPIPE_CAUSE_NOT_A_ROOT, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_BUNDLE_CWD, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_RELATIVE_PATH, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_VARIABLE, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_OPEN_FILES, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_LIMIT, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_LABEL, "bundle.sh" },
	{ ERRPIPE_CAUSE_BUNDLE_SECCOMP, "bundle.sh" },
	{ ERRPIPE_CAUSE_LIBRARY_MISSING, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_INVALID, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_UNREADABLE, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_NOEXEC_MOUNT, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_HIDDEN_BY_MOUNT, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_VERSION_MISSING, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_SYMBOL_MISSING, "explain_loader.sh" },
	{ ERRPIPE_CAUSE_CPU_LEVEL, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LIBRARY_LIMIT, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_SMALL_LIMIT, "explain_loader.sh" },
	{ ERRPIPE_CAUSE_OPEN_FILES, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_LOADER_STAND_IN, "check_explain_loader.c" },
	{ ERRPIPE_CAUSE_NO_PROCESS, "process.sh" },
	{ ERRPIPE_CAUSE_SET_ID_IGNORED, "check_explain_process.c" },
	{ ERRPIPE_CAUSE_STUB_REFUSED, "check_explain_process.c" },
	{ ERRPIPE_CAUSE_SETUP_FAILED, "check_explain_process.c" },
	{ ERRPIPE_CAUSE_STEP_FAILED, "check_explain_process.c" },
	{ ERRPIPE_CAUSE_READ_FAILED, "check_explain_path.c" },
	{ ERRPIPE_CAUSE_NO_ANSWER, "explain.sh" },
	{ ERRPIPE_CAUSE_CANNOT_LOOK, "check_explain_path.c" },
};

static const struct {
	enum errpipe_cause cause;
	const char *name;
} causes[] = {
#define CAUSE(id, name, broken, finding, advice, document, example) { ERRPIPE_CAUSE_##id, name },
#include "explain/causes.def"
#undef CAUSE
};

/*
 * A loader's name is always shorter than the longest path. An empty name of a loader or an interpreter means the working
 * directory. The target of a symbolic link can be neither too long nor empty. A missing file has another cause in each
 * place: see expected_cause().
 */
static const enum errpipe_cause never_hidden[] = { ERRPIPE_CAUSE_EMPTY_PATH, ERRPIPE_CAUSE_PATH_TOO_LONG,
						   ERRPIPE_CAUSE_MISSING };

static bool is_never_hidden(enum errpipe_cause cause)
{
	for (size_t i = 0; i < sizeof(never_hidden) / sizeof(*never_hidden); i++) {
		if (never_hidden[i] == cause)
			return true;
	}
	return false;
}

static bool is_elsewhere(enum errpipe_cause cause)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		if (elsewhere[i].cause == cause)
			return true;
	}
	return false;
}

START_TEST(a_cause)
{
	int directly = 0, hidden = 0;

	for (int i = 0; i < run_count; i++) {
		if (expected_cause(runs[i].c, runs[i].way) != (int)causes[_i].cause)
			continue;
		if (runs[i].way == PLAINLY)
			directly++;
		if (runs[i].way != PLAINLY || runs[i].c->broken > 0)
			hidden++;
	}
	if (is_elsewhere(causes[_i].cause)) {
		ck_assert_msg(!directly, "%s can come from the table", causes[_i].name);
	} else {
		if (!directly && geteuid() != 0) /* its cases may need root */
			NEEDS("root");
		ck_assert_msg(directly && !hidden == is_never_hidden(causes[_i].cause),
			      "%s: %d times directly, %d times hidden", causes[_i].name, directly, hidden);
	}
}
END_TEST

/* --- files that work -------------------------------------------------------------------------- */

/*
 * The failing files are made from these, and each has one difference.
 *
 * links/n21 has twenty links instead of forty, because a restarted lookup counts its links again (total_link_count in
 * the kernel's fs/namei.c).
 */
static const char *const working[] = { "@/good",      "@/elf-good", "@/script-good", "@/chain-5",
				       "@/links/n21", "@/busy",	    "@/noexec/good" };

START_TEST(a_file_that_works)
{
	static struct errpipe_explanation ex;
	struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = fixture_path(working[_i]) };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_msg(ex.cause == ERRPIPE_CAUSE_NONE && ex.works == 1 && ex.error == 0 && ex.broken == -1, "%s: %s",
		      working[_i], errpipe_cause_name(ex.cause));
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}
END_TEST

/* --- invalid questions ------------------------------------------------------------------------ */

static int asked(int root, const char *path, const struct errpipe_report *report)
{
	static struct errpipe_explanation ex;
	const struct errpipe_question question = { .root = root, .path = path, .report = report };

	return errpipe_explain(&ex, &question);
}

START_TEST(questions_that_are_none)
{
	const struct errpipe_report works = { .verdict = ERRPIPE_STARTED, .status = 0 };
	char *path = fixture_path("@/good");
	int file = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(asked(ERRPIPE_OWN_ROOT, NULL, NULL), -EFAULT);
	ck_assert_int_eq(asked(ERRPIPE_OWN_ROOT, path, &works), -EINVAL);
	ck_assert_int_eq(asked(file, path, NULL), -ENOTDIR);
	close(file);
	ck_assert_int_eq(asked(file, path, NULL), -EBADF);
	ck_assert_int_eq(asked(-1, path, NULL), -EBADF);
	ck_assert_int_eq(asked(AT_FDCWD, path, NULL), -EBADF);
}
END_TEST

/* Causes and links that do not exist have no words. */
START_TEST(words_that_are_none)
{
	static struct errpipe_explanation ex = { .links = 1, .cause = ERRPIPE_CAUSE_EMPTY_FILE };
	char line[64] = "x";

	ck_assert_ptr_null(errpipe_cause_name(9999));
	ck_assert_ptr_null(errpipe_cause_name(-1));
	ex.link[0].path = "x";
	ck_assert_uint_eq(errpipe_link_words(line, sizeof(line), &ex, 1), 0);
	ck_assert_str_eq(line, "");
	ck_assert_uint_eq(errpipe_link_words(line, sizeof(line), &ex, -1), 0);

	ex.link[0].mode = S_IFREG | 0755;
	ex.link[0].acl = 1;
	errpipe_link_words(line, sizeof(line), &ex, 0);
	ck_assert_ptr_nonnull(strstr(line, "mode 0755 and an access control list"));
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_runs(const struct exec_case *c, char *path[WAYS], enum identity identity)
{
	for (enum way way = PLAINLY; way < WAYS; way++) {
		if (path[way])
			runs[run_count++] = (struct run){ c, identity, way, path[way] };
	}
}

/* The user who runs the tests decides which cases exist, so a case for another user is not a skip. */
static void make_runs(void)
{
	runs = keep(calloc(case_count * 2 * WAYS, sizeof(*runs)));
	for (size_t i = 0; i < case_count; i++) {
		const struct exec_case *c = &cases[i];
		char *path[WAYS] = { fixture_path(c->path), hide_by_link(c), hide_by_script(c) };

		/* On a slow machine, explain each case only for an ordinary user. */
		if (c->who != (geteuid() == 0 ? CASE_USER : CASE_ROOT) && !(is_slow() && geteuid() == 0))
			add_runs(c, path, AS_SELF);
		if (geteuid() == 0)
			add_runs(c, path, AS_NOBODY);
	}
}

int main(int argc __attribute__((unused)), char **argv)
{
	Suite *suite = suite_create("explain_cases");
	TCase *tcase = tcase_create("explain_cases");

	leave_valgrind(argv);
	load_cases();
	fixture = fixture_make();
	make_runs();
	kernel_can_be_asked = can_be_asked();
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_case, 0, run_count);
	tcase_add_loop_test(tcase, a_file_that_works, 0, sizeof(working) / sizeof(*working));
	tcase_add_test(tcase, questions_that_are_none);
	tcase_add_test(tcase, words_that_are_none);
	tcase_add_loop_test(tcase, a_cause, 0, sizeof(causes) / sizeof(*causes));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
