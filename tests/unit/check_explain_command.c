/* SPDX-License-Identifier: MIT */
/* The command itself: its search in PATH, and what a person most likely did. A row is one question about a small root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errpipe_explain.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char base[PATH_MAX];
static int root = -1;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* --- the root ----------------------------------------------------------------------------------------------- */

/* Directories end in a slash, symbolic links have a target, and "-x" is a file without x bits. */
static const char *const tree[] = {
	"bin/",
	"bin/tool",
	"data/",
	"data/refused -x",
	"data/bin/",
	"data/bin/refused",
	"data/tool/",
	"data/loop -> loop",
	/* A merged /usr, but for /bin. */
	"lib -> usr/lib",
	"sbin -> usr/sbin",
	"usr/",
	"usr/bin/",
	"usr/bin/sh",
	"usr/bin/python3",
	"usr/bin/systemctl",
	"usr/bin/cat",
	"usr/sbin/",
	"usr/sbin/ip",
	/* The working directory. */
	"app/",
	"app/main",
	"app/Entrypoint.sh",
	"app/Read -x",
	"app/a1.sh",
	"app/a1.py",
	"app/worker",
	"app/walker",
	"app/server2",
	"app/npm start",
	"app/$x",
	"app/My Program",
	"app/ls",
	"app/sub/",
	"app/sub/prog",
};

static void make_file(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	if (fd < 0 || dprintf(fd, "echo\n") < 0 || fchmod(fd, mode) < 0)
		die(name);
	close(fd);
}

static void make(const char *entry)
{
	char name[PATH_MAX], *end;

	strcpy(name, entry);
	if ((end = strstr(name, " -> "))) {
		*end = '\0';
		if (symlink(end + 4, name) < 0)
			die(name);
	} else if (name[strlen(name) - 1] == '/') {
		if (mkdir(name, 0755) < 0)
			die(name);
	} else {
		end = strstr(name, " -x");
		if (end)
			*end = '\0';
		make_file(name, end ? 0644 : 0755);
	}
}

static void make_root(void)
{
	int cwd = open(".", O_PATH | O_CLOEXEC);

	strcpy(base, "/tmp/errpipe-command.XXXXXX");
	if (cwd < 0 || !mkdtemp(base) || chmod(base, 0755) < 0 || chdir(base) < 0)
		die(base);
	for (size_t i = 0; i < COUNT(tree); i++)
		make(tree[i]);
	root = open(".", O_PATH | O_CLOEXEC);
	if (root < 0 || fchdir(cwd) < 0)
		die(base);
	close(cwd);
}

static void remove_root(void)
{
	for (size_t i = COUNT(tree); i-- > 0;) {
		char name[PATH_MAX], *end;

		strcpy(name, tree[i]);
		if ((end = strstr(name, " -> ")) || (end = strstr(name, " -x")))
			*end = '\0';
		unlinkat(root, name, name[strlen(name) - 1] == '/' ? AT_REMOVEDIR : 0);
	}
	rmdir(base);
}

/* --- questions ---------------------------------------------------------------------------------------------- */

static const struct row {
	const char *path, *search_path;
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	const char *subject, *object;
	const char *first; /* the path of the first link; NULL: as in the question */
} rows[] = {
	/* The search: the first file counts, unless it is refused. */
	{ "tool", "/bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/bin/tool" },
	{ "tool", "/none:/data:/bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/bin/tool" },
	{ "refused", "/bin:/data", ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, "/data/refused", NULL, "/data/refused" },
	{ "refused", "/data:/bin:/bin/tool", ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, "/data/refused", NULL,
	  "/data/refused" },
	{ "refused", "/data:/data/bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/data/bin/refused" },
	{ "../bin/tool", "/data", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, NULL },
	{ "tool", "../bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "../bin/tool" },
	{ "tool", NULL, ERRPIPE_CAUSE_MISSING, 0, "tool", NULL, NULL },
	{ "", "/bin", ERRPIPE_CAUSE_EMPTY_PATH, 0, NULL, NULL, NULL },
	{ "nothing", "/none:/bin:", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/none:/bin:", NULL },
	{ "loop", "/data:/bin/tool:/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/data:/bin/tool:/bin", NULL },

	/* PATH itself. */
	{ "cat", "$PATH:/app", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "$PATH", "$PATH:/app",
	  NULL },
	{ "cat", "/app:PATH", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "PATH", "/app:PATH",
	  NULL },
	{ "cat", "~/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "~/bin", "~/bin", NULL },
	{ "cat", "\"/usr/bin:/bin\"", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_QUOTED, "\"/usr/bin",
	  "\"/usr/bin:/bin\"", NULL },
	{ "nothing", "", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_EMPTY, NULL, "", NULL },
	{ "nothing", "/bin:/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_UNSET, NULL, NULL, NULL },
	{ "cat", "$PATH:/usr/bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/usr/bin/cat" },

	/* Another directory. */
	{ "main", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, ERRPIPE_DETAIL_IN_CWD, "./main", "/bin", NULL },
	{ "ip", "/usr/bin:/bin:", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/sbin/ip", "/usr/bin:/bin:", NULL },
	{ "Read", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "sub", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_TORN_APART, "/bin", "/usr/bin/sh", NULL },
	{ "/usr/bin/ip", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/usr/bin/ip", "/usr/sbin/ip",
	  NULL },
	{ "/opt/sh", NULL, ERRPIPE_CAUSE_MISSING, 0, "/opt", NULL, NULL },
	{ "/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LEADING_SLASH, "/main", "./main", NULL },
	{ "/sub/prog", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LEADING_SLASH, "/sub", "./sub/prog", NULL },

	/* The name, almost. */
	{ "/app/entrypoint.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CASE, "/app/entrypoint.sh",
	  "/app/Entrypoint.sh", NULL },
	{ "/App/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CASE, "/App", "/app/main", NULL },
	{ "/app/main ", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_EXTRA_BLANK, "/app/main ", "/app/main", NULL },
	{ "/app/main\r", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_RETURN, "/app/main\r", "/app/main", NULL },
	{ "/app/main\u00a0", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "/app/main\u00a0", "/app/main",
	  NULL },
	{ "\ufeff/app/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "\ufeff", "/app/main", NULL },
	{ "cat\r", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_RETURN, NULL, "cat", NULL },
	{ "/app/Entrypoint", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/app/Entrypoint",
	  "/app/Entrypoint.sh", NULL },
	{ "/app/main.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/app/main.sh", "/app/main", NULL },
	{ "python", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, NULL, "python3", NULL },
	{ "/app/mian", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/mian", "/app/main", NULL },
	{ "/app/mainn", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/mainn", "/app/main", NULL },
	{ "/app/man", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/man", "/app/main", NULL },
	{ "systemclt", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, NULL, "systemctl", NULL },

	/* Not near enough, or more than one. */
	{ "/app/a1", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/a1", NULL, NULL },
	{ "/app/wolker", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/wolker", NULL, NULL },
	{ "/app/l", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/l", NULL, NULL },
	{ "/app/server3", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/server3", NULL, NULL },
	{ "/usr/bin/cut", NULL, ERRPIPE_CAUSE_MISSING, 0, "/usr/bin/cut", NULL, NULL },
	{ "bat", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "/app/data/main", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/data", NULL, NULL },

	/* More than a name. */
	{ "npm run build", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, NULL, "npm", NULL },
	{ "cat x", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, NULL, "cat", NULL },
	{ "/usr/bin/sh /x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/usr/bin/sh ",
	  "/usr/bin/sh", NULL },
	{ "/app/My Program x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/app/My Program x",
	  "/app/My Program", NULL },
	{ "cd /app && ls", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, "cd ", "cd", NULL },
	{ "/opt/none -x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/opt", "/opt/none", NULL },
	{ "/opt/My Tools/run", NULL, ERRPIPE_CAUSE_MISSING, 0, "/opt", NULL, NULL },
	{ "two words", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "[\"/bin/sh\",", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_JSON_LIST, "[\"", NULL, NULL },
	{ "[\"cat\",", "/usr/bin", ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_JSON_LIST, NULL, "cat", NULL },
	{ "'/app/main'", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_NAME_QUOTED, "'", "/app/main", NULL },
	{ "\u201c/app/main\u201d", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_NAME_QUOTED, "\u201c",
	  "/app/main", NULL },
	{ "\"sh\", \"-c\"", "/bin", ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_JSON_LIST, NULL, NULL, NULL },
	{ "[", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "$HOME/main", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "$HOME", "/app/main", NULL },
	{ "${HOME}/${NAME}", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "${HOME}", "/app/main", NULL },
	{ "~/main", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "~", "/app/main", NULL },
	{ "$TOOL", "/usr/bin", ERRPIPE_CAUSE_NOT_EXPANDED, 0, NULL, "cat", NULL },
	{ "$SECRET", "/usr/bin", ERRPIPE_CAUSE_NOT_EXPANDED, 0, NULL, NULL, NULL },
	{ "$NOT_SET/usr/bin/cat", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "$NOT_SET", NULL, NULL },
	{ "${HOME:-/app}/main", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "${HOME:-", NULL, NULL },
	{ "price$", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "backup~", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "source", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, 0, NULL, NULL, NULL },
	{ "/bin/cd", NULL, ERRPIPE_CAUSE_MISSING, 0, "/bin/cd", NULL, NULL },
	{ "--rm", "/bin", ERRPIPE_CAUSE_OPTION, 0, NULL, NULL, NULL },
	{ "-", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },

	/* Files that are truly called so. */
	{ "npm start", "/app", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/app/npm start" },
	{ "/app/$x", NULL, ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, NULL },
	{ "My Program", "/app", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/app/My Program" },
};

static struct errpipe_explanation ex;

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void ask(const struct row *row)
{
	static char *envp[] = { "HOME=/app", "NAME=main", "TOOL=cat", "SECRET=swordfish", NULL };
	const struct errpipe_question question = {
		.root = root,
		.cwd = "/app",
		.path = row->path,
		.search_path = row->search_path,
		.envp = envp,
	};

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

START_TEST(a_command)
{
	const struct row *row = &rows[_i];

	ask(row);
	ck_assert_msg(ex.cause == row->cause, "\"%s\": %s, not %s", row->path, errpipe_cause_name(ex.cause),
		      errpipe_cause_name(row->cause));
	ck_assert_int_eq(ex.detail, row->detail);
	ck_assert_str_eq(or_none(ex.subject), or_none(row->subject));
	ck_assert_str_eq(or_none(ex.object), or_none(row->object));
	ck_assert_str_eq(ex.links ? ex.link[0].path : row->path, row->first ? row->first : row->path);
}
END_TEST

static void make_script(const char *interpreter)
{
	int fd = openat(root, "app/script-x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(dprintf(fd, "#!%s\n", interpreter), 0);
	close(fd);
}

/* The same one level down: the interpreter of a script. */
START_TEST(an_interpreter)
{
	static const struct {
		const char *interpreter;
		enum errpipe_cause cause;
		enum errpipe_detail detail;
		const char *object;
	} scripts[] = {
		{ "/bin/sh", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_TORN_APART, "/usr/bin/sh" },
		{ "/usr/local/bin/python3", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
		  "/usr/bin/python3" },
		{ "/usr/bin/python", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/usr/bin/python3" },
		{ "/usr/bin/sh\u00a0", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "/usr/bin/sh" },
		{ "/usr/bin/sh\r", ERRPIPE_CAUSE_CARRIAGE_RETURN, 0, NULL },
		{ "/bin/ash", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "$HOME/main", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "-x", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
	};
	const struct errpipe_question question = { .root = root, .path = "/app/script-x" };

	for (size_t i = 0; i < COUNT(scripts); i++) {
		make_script(scripts[i].interpreter);
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(scripts[i].cause));
		if (scripts[i].detail)
			ck_assert_int_eq(ex.detail, scripts[i].detail);
		ck_assert_int_eq(ex.broken, 1);
		ck_assert_str_eq(or_none(ex.object), or_none(scripts[i].object));
	}
	unlinkat(root, "app/script-x", 0);
}
END_TEST

/* Only if the question allows it, and only in another root. */
START_TEST(a_path_of_the_host)
{
	char path[PATH_MAX + 16];
	struct errpipe_question question = { .root = root, .path = path };

	snprintf(path, sizeof(path), "%s/app/ls", base);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MISSING);
	question.compare_own_root = 1;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_HOST_PATH);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	question.path = "/usr/bin/env";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MISSING);
}
END_TEST

/* The value of a variable that names no program is shown nowhere. */
START_TEST(a_secret)
{
	static const struct row row = { "$SECRET", "/usr/bin", 0, 0, NULL, NULL, NULL };
	char line[4096];

	ask(&row);
	errpipe_finding(line, sizeof(line), &ex);
	ck_assert_ptr_null(strstr(line, "swordfish"));
	errpipe_advice(line, sizeof(line), &ex);
	ck_assert_ptr_null(strstr(line, "swordfish"));
	ck_assert_ptr_null(memmem(ex.strings, ex.strings_used, "swordfish", 9));
}
END_TEST

/* The report of the search as a whole, as execvp(3) returns it. */
START_TEST(a_report)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOENT, .status = -1 };
	const struct errpipe_question question = {
		.root = root, .path = "nothing", .search_path = "/none", .report = &report
	};

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_IN_PATH);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(ex.error, ENOENT);
}
END_TEST

/* The work is bounded, however long PATH is. */
START_TEST(a_long_search)
{
	enum { ENTRIES = 200000 };
	static char path[ENTRIES + 1];
	const struct errpipe_question question = { .root = root, .path = "nothing", .search_path = path };

	memset(path, ':', ENTRIES);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_LOOKUP_FAILED);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_MANY_STEPS);
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
}
END_TEST

static Suite *command_suite(void)
{
	Suite *suite = suite_create("explain: the command");
	TCase *tcase = tcase_create("command");

	tcase_add_loop_test(tcase, a_command, 0, COUNT(rows));
	tcase_add_test(tcase, an_interpreter);
	tcase_add_test(tcase, a_path_of_the_host);
	tcase_add_test(tcase, a_secret);
	tcase_add_test(tcase, a_report);
	tcase_add_test(tcase, a_long_search);
	suite_add_tcase(suite, tcase);
	return suite;
}

static pid_t maker;

static void remove_it(void)
{
	if (getpid() == maker)
		remove_root();
}

int main(void)
{
	maker = getpid();
	atexit(remove_it);
	make_root();
	return run_suite(command_suite());
}
