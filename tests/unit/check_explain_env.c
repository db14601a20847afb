/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain() with scripts for env(1): the files have the strings by which it is recognized. tests/shell/explain_env.sh
 * compares the answers with real ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain/facts/facts.h"
#include "fixture.h"
#include "said.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char base[PATH_MAX];
static struct errpipe_explanation ex;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* The text with the directory in place of each "@". */
static char *expand(const char *text)
{
	char *expanded = keep(calloc(1, strlen(text) * (strlen(base) + 1) + 1)), *to = expanded;

	for (; *text; text++)
		to += *text == '@' ? sprintf(to, "%s", base) : sprintf(to, "%c", *text);
	return expanded;
}

static void put(const char *name, const char *before, const char *bytes, size_t size, mode_t mode)
{
	char *path = expand(name), buffer[65536];
	int from = before ? open(before, O_RDONLY | O_CLOEXEC) : -1;
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	ssize_t n;

	if (to < 0 || (before && from < 0))
		die(path);
	while (from >= 0 && (n = read(from, buffer, sizeof(buffer))) > 0) {
		if (write(to, buffer, n) != n)
			die(path);
	}
	if (write(to, bytes, size) != (ssize_t)size || fchmod(to, mode) < 0)
		die(path);
	close(to);
	if (from >= 0)
		close(from);
}

static void put_text(const char *name, const char *text)
{
	char *expanded = expand(text);

	put(name, NULL, expanded, strlen(expanded), 0755);
}

static void make_tree(void)
{
	static const char
		gnu[] = "ignore-environment\0split-string",
		old[] = "ignore-environment",
		busybox[] = "\0acorn\0applet\0builtin\0cherry\0damson\0 x, assuming bash\0bash\0sh\0tcsh\0csh\0";
	static const char *const directories[] = { "@/gnu",	"@/old",   "@/bb", "@/other", "@/cmd",	"@/refused",
						   "@/my venv", "@/texts", "@/sh", "@/empty", "@/links" };
	const char *program = built_path("tests/prog_args");

	for (size_t i = 0; i < COUNT(directories); i++) {
		if (mkdir(expand(directories[i]), 0755) < 0)
			die(directories[i]);
	}
	put("@/gnu/env", program, gnu, sizeof(gnu), 0755);
	put("@/old/env", program, old, sizeof(old), 0755);
	put("@/bb/busybox", program, busybox, sizeof(busybox), 0755);
	put("@/other/env", program, "", 0, 0755);
	put("@/cmd/ok", program, "", 0, 0755);
	put("@/cmd/python3", program, "", 0, 0755);
	put("@/cmd/node", program, "", 0, 0755);
	put("@/cmd/fdfind", program, "", 0, 0755);
	put("@/cmd/lua5.4", program, "", 0, 0755);
	put("@/sh/bash", program, "", 0, 0755);
	put("@/sh/bashful", program, "", 0, 0755);
	put("@/sh/dash", program, "", 0, 0755);
	put("@/other/sh", program, "", 0, 0755);
	put("@/my venv/python", program, "", 0, 0755);
	put("@/refused/ok", NULL, "#!@/x\n", 6, 0644);
	put_text("@/refused/broken", "#!@/nowhere/sh\n");
	put_text("@/refused/shell", "#!@/bb/busybox\n");
	put_text("@/texts/text", "echo hello\n");
	put_text("@/cmd/broken", "#!@/cmd/ok\n");
	put_text("@/cmd/nested", "#!@/gnu/env nothing\n");
	if (symlink("busybox", expand("@/bb/env")) < 0 || symlink("/nowhere/ok", expand("@/links/ok")) < 0 ||
	    symlink("/nowhere/bin", expand("@/dead")) < 0 || symlink("dash", expand("@/sh/sh")) < 0 ||
	    symlink("busybox", expand("@/bb/sh")) < 0)
		die("@/bb/env");
}

static const struct {
	const char *line, *path; /* NULL: not set */
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	int status;
	const char *object, *words;
} lines[] = {
	/* These start. */
	{ "@/gnu/env ok", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env @/cmd/ok", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S ok -e", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -vS 'o''k' \"-e\"\\_x # y", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S -i PATH=@/cmd ok", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S PATH=${X}/cmd ok", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S -u X -C @/cmd ./ok", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S --chdir=@/cmd -- ./ok", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S ok -e\r", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -Sok\\c ignored", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env ok", "@/nowhere:@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env ok", "@/refused:@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env broken", "@/refused:@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/old/env ok", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/bb/env ok", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/other/env nothing", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/other/env -x", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/bb/busybox nothing", "@/cmd", 0, 0, 0, NULL, NULL },
	/* The command is missing. */
	{ "@/gnu/env nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  "asks env for \"nothing\", which is not in PATH" },
	{ "@/old/env nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  NULL },
	{ "@/bb/env nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  NULL },
	{ "@/gnu/env -S PATH=@/old nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT,
	  127, "@/old", NULL },
	{ "@/gnu/env -S -i nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_NO_PATH, 127, NULL,
	  "set PATH" },
	{ "@/gnu/env -S -uPATH nothing", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_NO_PATH, 127, NULL,
	  NULL },
	/* Something similar is there. */
	{ "@/gnu/env python", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PYTHON_3, 127, "python3",
	  "use \"python3\" in the first line of \"@/script\"" },
	{ "@/bb/env python", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PYTHON_3, 127, "python3",
	  "python-is-python3" },
	{ "@/gnu/env pyton3", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, 127, "python3", NULL },
	{ "@/gnu/env pyton", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, 127, "python3", NULL },
	{ "@/gnu/env jython", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  NULL },
	{ "@/gnu/env Python3", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CASE, 127, "python3", NULL },
	{ "@/gnu/env fd", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_NAME, 127, "fdfind", NULL },
	{ "@/gnu/env lua", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_VERSION, 127, "lua5.4", NULL },
	{ "@/gnu/env -S lua -e", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_VERSION, 127, "lua5.4", NULL },
	{ "@/gnu/env python3;", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PUNCTUATION, 127, "python3", NULL },
	{ "@/gnu/env python3\u00a0", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, 127, "python3",
	  NULL },
	{ "@/gnu/env pyth\u043en3", "@/cmd", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, 127, "python3",
	  NULL },
	{ "@/gnu/env 'python3'", "@/cmd", ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_DETAIL_NAME_QUOTED, 127, "python3",
	  NULL },
	{ "@/gnu/env $Y", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, 0, 127, "python3",
	  "use \"python3\" in the first line of \"@/script\"" },
	{ "@/gnu/env ~/bin/tool", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, 0, 127, NULL, "write the path out in the" },
	{ "@/gnu/env sh", "@/empty", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, 127, "@/empty", NULL },
	{ "@/gnu/env fdfind", "@/empty;@/cmd", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_SEPARATOR, 127,
	  "@/empty;@/cmd", "separated by \";\"" },
	{ "@/gnu/env fdfind", "${X}/cmd", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, 127,
	  "${X}/cmd", "replace it with \"@/cmd\"" },
	/* Something not similar enough is there. */
	{ "@/gnu/env fdfind", "~/.dotnet/tools:@/empty", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT,
	  127, NULL, NULL },
	{ "@/gnu/env python4", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  NULL },
	{ "@/gnu/env luna", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  NULL },
	{ "@/gnu/env cd", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd", NULL },
	{ "@/gnu/env a|b", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd", NULL },
	{ "@/gnu/env -S -i pyton3", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_NO_PATH, 127, NULL, NULL },
	{ "@/gnu/env nested", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/cmd",
	  "nothing" },
	{ "@/gnu/env @/nowhere", "@/cmd", ERRPIPE_CAUSE_MISSING, 0, 127, NULL, "the command" },
	/* It is there, but cannot be started. */
	{ "@/gnu/env ok", "@/refused:@/nowhere", ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, 126, NULL, NULL },
	{ "@/gnu/env broken", "@/refused:@/gnu", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, 127, NULL, NULL },
	/* A symbolic link that leads nowhere, which does not matter if the command is elsewhere. */
	{ "@/gnu/env ok", "@/empty:@/links", ERRPIPE_CAUSE_DANGLING_LINK, 0, 127, "/nowhere/ok",
	  "the command \"@/links/ok\" of \"@/gnu/env\" is a symlink to \"/nowhere/ok\", which does not exist" },
	{ "@/bb/env ok", "@/links", ERRPIPE_CAUSE_DANGLING_LINK, 0, 127, "/nowhere/ok", NULL },
	{ "@/gnu/env ok", "@/links:@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/bb/env builtin", "@/links", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, "@/links",
	  NULL },
	{ "@/gnu/env ok", "@/links:@/refused", ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, 126, NULL, NULL },
	{ "@/gnu/env nothing", "@/dead:@/links", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127,
	  NULL, NULL },
	/* One argument. */
	{ "@/gnu/env ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, "ok -e",
	  "env -S ok -e" },
	{ "@/old/env ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 127, "ok -e",
	  NULL },
	{ "@/bb/env ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 127, "ok -e",
	  NULL },
	{ "@/gnu/env -i ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125, "-i ok", NULL },
	{ "@/gnu/env ok; set -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_SEMICOLON, 127,
	  "ok; set -e", "to the next line" },
	{ "@/bb/env -i ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 1, "-i ok",
	  NULL },
	{ "@/gnu/env -C @/cmd ./ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125, NULL,
	  NULL },
	/* Carriage returns. */
	{ "@/gnu/env ok\r", "@/cmd", ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_ENV_LOOKS, 127, NULL,
	  "env looks for \"ok\\r\"" },
	{ "@/gnu/env -i\r", "@/cmd", ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 125, "-i\r", NULL },
	/* env refuses its arguments. */
	{ "@/gnu/env -ix", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 125, "-x", NULL },
	{ "@/old/env -S ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 125, "-S", NULL },
	{ "@/bb/env -S ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 1, "-S", NULL },
	{ "@/gnu/env -S 'ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_QUOTE, 125, " 'ok", NULL },
	{ "@/gnu/env -Sok \\q", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_BACKSLASH, 125, "\\q", NULL },
	{ "@/gnu/env -Sok $X", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_VARIABLE, 125, "$X", NULL },
	{ "@/gnu/env -S -u '' ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_UNSET, 125, "", NULL },
	{ "@/gnu/env -S -0 ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_NULL, 125, "-0", NULL },
	{ "@/gnu/env -S -C @/nowhere ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_DIRECTORY, 125,
	  "@/nowhere", NULL },
	/* Without a command. */
	{ "@/gnu/env X=1 ok", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, "X=1 ok", "-S X=1 ok" },
	{ "@/gnu/env", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, NULL, NULL },
	{ "@/gnu/env -S", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, NULL, "as in #!/usr/bin/env sh" },
	{ "@/gnu/env X=1", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, NULL, "as in #!/usr/bin/env sh" },
	{ "@/gnu/env -S X=1", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, NULL, "as in #!/usr/bin/env sh" },
	{ "@/gnu/env -u X ok", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, "-u X ok", "-S -u X ok" },
	{ "@/gnu/env -i", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, NULL, "as in #!/usr/bin/env sh" },
	/* The argument of another interpreter. */
	{ "@/sh/bash -e -u", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 1, "-e -u",
	  "passes \"-e -u\" to" },
	{ "@/sh/bash -u -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL, NULL },
	{ "@/sh/bash -euo pipefail", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL,
	  NULL },
	{ "@/sh/dash -x # trace", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LINE_COMMENT, 2, NULL,
	  "remove the comment" },
	{ "@/sh/dash -x -# trace", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL, NULL },
	{ "@/sh/bash -\r", NULL, ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 2, "-\r", NULL },
	{ "@/sh/bash -", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash \u2013e", NULL, ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_DASH, 127,
	  "#!@/sh/bash -e", "a dash in place of a hyphen" },
	{ "@/sh/bash e\u2013e", NULL, 0, 0, 0, NULL, NULL },
	{ "@/gnu/env \u2013S sh -e", "@/cmd", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_DASH, 127,
	  "#!@/gnu/env -S sh -e", NULL },
	{ "@/gnu/env \u2212i", "@/cmd", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_DASH, 127,
	  "#!@/gnu/env -i", NULL },
	{ "@/gnu/env sh \u2013e", "@/cmd", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_DASH, 127,
	  "#!@/gnu/env -S sh -e", "a dash in place of a hyphen" },
	{ "@/gnu/env -i \u2014u X sh -e \u2013u", "@/cmd", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE,
	  ERRPIPE_DETAIL_DASH, 125, NULL, "a dash in place of a hyphen" },
	{ "@/gnu/env \u2013S sh \u2013e", "@/cmd", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_DASH, 127,
	  "#!@/gnu/env -S sh -e", NULL },
	{ "@/bb/env sh \u2013e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 127, NULL,
	  NULL },
	{ "@/gnu/env sh \u2013 e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, NULL,
	  NULL },
	{ "@/gnu/env sh a\u2013b", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, NULL,
	  NULL },
	{ "@/gnu/env -S ok \u2013e", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env {{ python }}", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, 127, NULL,
	  "fill in the template in the first line of \"@/script\"" },
	{ "@/gnu/env {{python}} -u", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, 127, NULL, NULL },
	{ "@/gnu/env -S {{ python }} -u", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, 127, NULL,
	  NULL },
	{ "@/bb/env {{ python }}", "@/cmd", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, 127, NULL, NULL },
	{ "@/gnu/env {{ python", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, NULL,
	  NULL },
	{ "@/gnu/env ok {{x}}", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, NULL, NULL },
	{ "@/gnu/env -S ok {{ x }}", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env $X ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 127, NULL, NULL },
	{ "@/gnu/env a\u2013b", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, NULL,
	  NULL },
	{ "@/sh/dash -o errexit", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL, NULL },
	{ "@/cmd/python3 -u -O", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL, NULL },
	{ "@/sh/bash -O extglob", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 2, NULL,
	  "write #!/usr/bin/env -S @/sh/bash -O extglob" },
	{ "@/sh/bash +O extglob", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 2, NULL, NULL },
	{ "@/sh/bash -eO extglob", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 1, NULL, NULL },
	{ "@/sh/bash - x", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 2, NULL, NULL },
	{ "@/sh/bash +e -u", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 2, NULL, NULL },
	{ "@/sh/dash -c echo", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 2, NULL, NULL },
	{ "@/cmd/python3 -um pdb", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 1, NULL, NULL },
	{ "@/sh/bash # start", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_TAKEN_FOR_FILE, 127, "# start",
	  "to the next line" },
	{ "@/sh/dash set -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_TAKEN_FOR_FILE, 0, "set -e", NULL },
	{ "@/sh/bash -e\r", NULL, ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 1, "-e\r", NULL },
	{ "@/sh/bash -", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash -eu", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash -e  \t", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash @/my venv/python", NULL, 0, 0, 0, NULL, NULL },
	/* Long options of env, which it gets together with the rest of the line. */
	{ "@/gnu/env --split-string ok -e", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125,
	  "ok -e", "write #!/usr/bin/env -S ok -e" },
	{ "@/gnu/env --split-string\tok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125,
	  "ok", NULL },
	{ "@/gnu/env --unset X ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125,
	  "--unset X ok", NULL },
	{ "@/gnu/env --nonsense ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125, NULL,
	  NULL },
	{ "@/gnu/env --ignore-signal=PIPE ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS,
	  125, NULL, NULL },
	{ "@/gnu/env --chdir=@/cmd ./ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS, 125,
	  NULL, NULL },
	{ "@/old/env --unset X ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 125,
	  "--unset X ok", NULL },
	{ "@/bb/env --unset X ok", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 1,
	  "--unset X ok", NULL },
	{ "@/gnu/env --null\r", "@/cmd", ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 125, "--null\r",
	  NULL },
	{ "@/gnu/env --null\u00a0ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 125,
	  "--null\u00a0ok", NULL },
	{ "@/gnu/env -i\u00a0ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 125, "-i\u00a0ok",
	  NULL },
	{ "@/gnu/env -S \"--unset X\" ok", "@/cmd", ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION, 125,
	  "--unset X", NULL },
	{ "@/gnu/env --split-string=ok -e", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env --split=ok -e", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S --unset=X --ignore-signal=PIPE ok", "@/cmd", 0, 0, 0, NULL, NULL },
	/* A blank and a carriage return. */
	{ "@/gnu/env ok -e\r", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS_RETURN, 127,
	  "ok -e", "env -S ok -e, and remove the carriage returns: sed -i" },
	{ "@/gnu/env -i ok\r", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_SPLITS_RETURN, 125,
	  "-i ok", NULL },
	{ "@/bb/env ok -e\r", "@/cmd", ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ERRPIPE_DETAIL_ENV_LACKS_SPLIT, 127, "ok -e\r",
	  NULL },
	{ "@/gnu/env X=1 ok\r", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, "X=1 ok", NULL },
	/* Options after an assignment. */
	{ "@/gnu/env -S A=1 -u X ok", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_LATE_OPTION, 127, NULL,
	  "env takes options only before NAME=VALUE: move \"-u\" there" },
	{ "@/gnu/env -S -i A=1 B=2 -C @/cmd ok", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_LATE_OPTION,
	  127, NULL, "move \"-C\"" },
	{ "@/gnu/env A=1 B=2 -i ok", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, ERRPIPE_DETAIL_LATE_OPTION, 0,
	  "A=1 B=2 -i ok", "-S A=1 B=2 -i ok, with its options before NAME=VALUE" },
	{ "@/gnu/env A=1 ok -i", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, "A=1 ok -i", NULL },
	{ "@/gnu/env --unset=X ok -i", "@/cmd", ERRPIPE_CAUSE_ENV_RUNS_SCRIPT, 0, 0, "--unset=X ok -i", NULL },
	{ "@/gnu/env -S A=1 ok -i", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S -- -x", "@/cmd", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, NULL,
	  NULL },
	/* Long options of interpreters, and characters that are not ASCII. */
	{ "@/sh/bash --login -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 2, "--login -e",
	  "write #!/usr/bin/env -S @/sh/bash --login -e, or" },
	{ "@/sh/bash --posix\r", NULL, ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 2, NULL, NULL },
	{ "@/sh/bash --posix # x", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LINE_COMMENT, 2, NULL, NULL },
	{ "@/sh/bash --posix\u00a0-e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 2, NULL,
	  NULL },
	{ "@/sh/bash -e\u00a0-u", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 1, NULL,
	  "without no-break spaces" },
	{ "@/sh/bash -u\u3000", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 2, NULL, NULL },
	{ "@/sh/dash -\u00a0", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 2, NULL, NULL },
	{ "@/sh/dash --login", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NO_LONG_OPTIONS, 2, NULL,
	  "use short options" },
	{ "@/sh/dash --login -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NO_LONG_OPTIONS, 2, NULL, NULL },
	{ "@/cmd/python3 --check-hash-based-pycs never", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION,
	  2, NULL, NULL },
	{ "@/cmd/python3 -u\u00a0", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 2, NULL,
	  NULL },
	{ "@/cmd/node --harmony --no-warnings", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_LONG_OPTION, 9, NULL,
	  NULL },
	{ "@/gnu/env -S bash -e\u00a0", "@/sh", ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 1,
	  "-e\u00a0", "passes \"-e\\xc2\\xa0\" to" },
	{ "@/gnu/env -S bash -e -u\u00a0", "@/sh", ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NON_ASCII_OPTION, 0,
	  "-u\u00a0", NULL },
	{ "@/gnu/env -S bash \"-e -u\"", "@/sh", ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_SEVERAL_OPTIONS, 1,
	  "-e -u", NULL },
	{ "@/gnu/env sh\u00a0-e", "@/sh", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_DETAIL_NO_BREAK_SPACE, 127,
	  "#!@/gnu/env -S sh -e", "a no-break space in place of a blank" },
	{ "@/gnu/env -S bash\u00a0-e -u", "@/sh", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE,
	  ERRPIPE_DETAIL_NO_BREAK_SPACE, 127, NULL, NULL },
	{ "@/gnu/env nothing\u00a0-e", "@/sh", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT, 127, NULL,
	  NULL },
	{ "@/gnu/env -S nothing bash\u00a0-e", "@/sh", ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_DETAIL_PATH_LACKS_IT,
	  127, NULL, NULL },
	{ "@/gnu/env bash\u00a0", "@/sh", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, 127, "bash", NULL },
	{ "@/gnu/env -S bash --login -e", "@/sh", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S bash -e x\u00a0", "@/sh", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S bash -c echo\u00a0-e", "@/sh", 0, 0, 0, NULL, NULL },
	{ "@/gnu/env -S ok -e\u00a0", "@/cmd", 0, 0, 0, NULL, NULL },
	{ "@/sh/bash --login", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash -login", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash -norc", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/dash --", NULL, 0, 0, 0, NULL, NULL },
	{ "@/bb/sh --login -e", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/python3 --version", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/node --title=a b", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/ok --login -e", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/ok -O extglob", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash -O", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/dash -c", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bash - ", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/python3 -mpdb", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/python3 -X utf8", NULL, 0, 0, 0, NULL, NULL },
	/* Busybox takes all of it for the name of an applet. */
	{ "@/bb/busybox sh -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NO_APPLET, 127, "sh -e",
	  "write the path of the applet" },
	{ "@/bb/busybox env ok", "@/cmd", ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NO_APPLET, 127, "env ok", NULL },
	{ "@/bb/busybox /bin/sh -e", NULL, ERRPIPE_CAUSE_LINE_REFUSED, ERRPIPE_DETAIL_NO_APPLET, 127, NULL, NULL },
	{ "@/bb/busybox sh\r", NULL, ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION, 127, "sh\r", NULL },
	{ "@/bb/busybox a b/sh", NULL, 0, 0, 0, NULL, NULL },
	{ "@/bb/busybox sh", NULL, 0, 0, 0, NULL, NULL },
	{ "@/bb/busybox --list x", NULL, 0, 0, 0, NULL, NULL },
	{ "@/sh/bashful -e -u", NULL, 0, 0, 0, NULL, NULL },
	{ "@/cmd/python3 -W ignore", NULL, 0, 0, 0, NULL, NULL },
};

static void ask(const char *line, const char *path, char *const *argv)
{
	char *variable = expand(path ? path : ""), *x = expand("X=@"), *y = "Y=python3", *path_variable;
	char *const envp[] = { x, y, keep(asprintf(&path_variable, "PATH=%s", variable) < 0 ? NULL : path_variable),
			       NULL };
	char *const without[] = { x, NULL };
	struct errpipe_question question = { .path = expand("@/script"),
					     .argv = argv,
					     .envp = path ? envp : without };
	char *text;

	put_text("@/script", keep(asprintf(&text, "#!%s\n", line) < 0 ? NULL : text));
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

static void must_be(int i)
{
	ck_assert_msg(ex.cause == lines[i].cause, "'%s': the cause is %s", lines[i].line,
		      errpipe_cause_name(ex.cause));
	ck_assert_msg(ex.detail == lines[i].detail, "'%s': the detail is %d", lines[i].line, ex.detail);
	ck_assert_int_eq(ex.status, lines[i].status);
	ck_assert_int_eq(ex.works, 1);
	ck_assert_int_eq(ex.starts, !lines[i].cause);
	ck_assert_int_eq(ex.error, 0);
	if (lines[i].object)
		ck_assert_str_eq(ex.object, expand(lines[i].object));
	if (lines[i].words)
		assert_said(&ex, expand(lines[i].words));
}

START_TEST(a_line)
{
	char *argv[] = { "script", "argument", NULL };

	ask(lines[_i].line, lines[_i].path, argv);
	must_be(_i);
}
END_TEST

/* Without the arguments of the script, the first line is still known. */
START_TEST(without_arguments)
{
	ask("@/gnu/env nothing", "@/cmd", NULL);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_COMMAND_MISSING);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}
END_TEST

/* Nothing is certain about an environment that is not known, and nothing is said about arguments that are not. */
START_TEST(what_is_not_known)
{
	char *env = expand("@/gnu/env"), *argv[] = { "env", "nothing", NULL };
	struct errpipe_question question = { .path = expand("@/script") };

	ask("@/gnu/env nothing", "@/cmd", NULL);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	question = (struct errpipe_question){ .path = env };
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	question.argv = argv;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

/* env as the program itself; "busybox env". */
START_TEST(by_its_arguments)
{
	char *path = expand("PATH=@/cmd"), *const envp[] = { path, NULL };
	char *plain[] = { "env", "-i", expand("PATH=@/cmd"), "ok", NULL };
	char *missing[] = { "env", "nothing", NULL }, *in_one[] = { "env", "bash -e", NULL };
	char *template[] = { "env", "{{", "python", "}}", NULL };
	char *applet[] = { "/x/busybox", "env", "-", "nothing", NULL };
	struct errpipe_question question = { .path = expand("@/gnu/env"), .argv = plain, .envp = envp };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_str_eq(ex.link[ex.links - (ex.link[ex.links - 1].kind == ERRPIPE_LINK_LOADER) - 1].path,
			 expand("@/cmd/ok"));
	question.argv = missing;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_COMMAND_MISSING);
	ck_assert_ptr_null(ex.subject);
	question.argv = in_one;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_WHOLE_COMMAND);
	ck_assert_int_eq(ex.status, 127);
	assert_said(&ex, "split it into \"bash\", \"-e\"");
	question.argv = template;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_EXPANDED);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_TEMPLATE);
	template[3] = "python";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_COMMAND_MISSING);
	question.path = expand("@/bb/busybox");
	question.argv = applet;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_COMMAND_MISSING);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NO_PATH);
	applet[1] = "ls";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
}
END_TEST

/* The kernel reads 256 bytes of the script, and the last one becomes a NUL. */
START_TEST(a_cut_line)
{
	static const struct {
		const char *before; /* many zeros */
		enum errpipe_cause cause;
	} long_lines[] = {
		{ "@/gnu/env ", ERRPIPE_CAUSE_LINE_CUT },
		{ "@/gnu/env /opt/", ERRPIPE_CAUSE_LINE_CUT },
		{ "@/gnu/env -S X=1 ", ERRPIPE_CAUSE_LINE_CUT },
		{ "@/gnu/env -S nothing ", ERRPIPE_CAUSE_COMMAND_MISSING },
		{ "@/gnu/env -S ok ", ERRPIPE_CAUSE_NONE },
		{ "@/cmd/ok ", ERRPIPE_CAUSE_NONE },
	};

	for (size_t i = 0; i < COUNT(long_lines); i++) {
		char *line;

		keep(asprintf(&line, "%s%0260d", long_lines[i].before, 0) < 0 ? NULL : line);
		ask(line, "@/cmd", NULL);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(long_lines[i].cause));
	}
}
END_TEST

/* A name that ends before that is not cut. */
START_TEST(a_long_line)
{
	static const char *const after[] = { "", " x", "\t" };

	for (size_t i = 0; i < COUNT(after); i++) {
		char *env = expand("@/gnu/env "), *line;
		int zeros = EP_HEAD_SIZE - (int)(strlen("#!\n") + strlen(env)) - (int)(i > 0);

		keep(asprintf(&line, "%s%0*d%s", env, zeros, 0, after[i]) < 0 ? NULL : line);
		ask(line, "@/cmd", NULL);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), "command-missing");
	}
}
END_TEST

/* The status that the process ended with must be the one that env gives. */
START_TEST(after_its_end)
{
	struct errpipe_report report = { .verdict = ERRPIPE_STARTED, .status = 127 << 8 };
	char *path = expand("PATH=@/cmd"), *const envp[] = { path, NULL }, *argv[] = { "script", NULL };
	struct errpipe_question question = {
		.path = expand("@/script"), .argv = argv, .envp = envp, .report = &report
	};

	ask("@/gnu/env nothing", "@/cmd", argv);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_COMMAND_MISSING);
	report.status = 126 << 8;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	report.status = 127 << 8;
	ask("@/gnu/env ok", "@/cmd", argv);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
}
END_TEST

static const struct {
	const char *line;
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	enum errpipe_certainty certainty;
} cut[] = {
	{ "@/my venv/python", ERRPIPE_CAUSE_INTERPRETER_CUT, ERRPIPE_DETAIL_BLANK, ERRPIPE_CERTAIN },
	{ "/nowhere/my tools/python3.11", ERRPIPE_CAUSE_INTERPRETER_CUT, ERRPIPE_DETAIL_BLANK, ERRPIPE_LIKELY },
	{ "\"@/my venv/python\"", ERRPIPE_CAUSE_INTERPRETER_CUT, ERRPIPE_DETAIL_QUOTED, ERRPIPE_CERTAIN },
	{ "/nowhere/awk -f lib/python", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, ERRPIPE_CERTAIN },
	{ "/nowhere/make conf/rules", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, ERRPIPE_LIKELY },
	{ "/nowhere/sh", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, ERRPIPE_CERTAIN },
	{ "/nowhere/sh\r", ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_KERNEL_LOOKS, ERRPIPE_CERTAIN },
};

START_TEST(a_cut_name)
{
	char *argv[] = { "script", NULL };

	ask(cut[_i].line, "", argv);
	ck_assert_int_eq(ex.cause, cut[_i].cause);
	ck_assert_int_eq(ex.detail, cut[_i].detail);
	ck_assert_int_eq(ex.error, ENOENT);
	ck_assert_int_eq(ex.certainty, cut[_i].certainty);
}
END_TEST

static const struct errpipe_who stranger = { .uid = 4711, .gid = 4711 },
				reader = { .uid = 4711, .gid = 4711, .effective = UINT64_C(1) << 2 },
				root_by_exec = { .bounding = UINT64_C(1) << 2 };

/* --- a shell that gets a command -------------------------------------------------------------- */

static const struct {
	const char *shell, *option, *text, *variable;
	enum errpipe_cause cause;
	enum errpipe_certainty certainty;
	int status;
	const char *words;
} texts[] = {
	{ "@/sh/sh", "-c", "nothing -x", NULL, ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_CERTAIN, 127,
	  "sh looks for \"nothing\", which is not in PATH" },
	{ "@/sh/bash", "-euxc", " nothing", NULL, ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_CERTAIN, 127,
	  "bash looks for \"nothing\"" },
	{ "@/bb/sh", "-c", "nothing", NULL, ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "exec nothing", NULL, ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "@/nowhere", NULL, ERRPIPE_CAUSE_MISSING, ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "pyton3 x.py", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_CERTAIN, 127,
	  "its command \"pyton3\" does not exist, but \"python3\" does" },
	{ "@/sh/sh", "-c", "@/refused/ok", NULL, ERRPIPE_CAUSE_NOT_EXECUTABLE, ERRPIPE_LIKELY, 126, NULL },
	{ "@/sh/sh", "-c", "@/refused/broken", NULL, ERRPIPE_CAUSE_INTERPRETER_MISSING, ERRPIPE_LIKELY, 127, NULL },
	{ "@/sh/sh", "-c", "@/gnu/env nothing", NULL, ERRPIPE_CAUSE_COMMAND_MISSING, ERRPIPE_CERTAIN, 127,
	  "env looks for \"nothing\"" },
	/* These start. */
	{ "@/sh/sh", "-c", "@/nowhere/x \"$*\"", NULL, ERRPIPE_CAUSE_MISSING, ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "exec nothing --port ${PORT} 'a|b' *.c", NULL, ERRPIPE_CAUSE_COMMAND_MISSING,
	  ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "['ok','-c','true']", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_CERTAIN, 127,
	  "write the list as valid JSON" },
	{ "@/sh/sh", "-c", "[\"ok\", \"-c\"]", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_CERTAIN, 127, NULL },
	/* These start, or it is not known. */
	{ "@/sh/sh", "-c", "ok \"$1\" '*' [a]", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-euc", "nothing $X", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing ${X?}", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing $(exit)", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing \"`exit`\"", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing 'x", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing >x", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "['ok'", NULL, ERRPIPE_CAUSE_LITERAL_QUOTES, ERRPIPE_CERTAIN, 127, NULL },
	{ "@/sh/sh", "-c", "[ 'a', 'b' ]", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "['ok', $(x)]", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "ok -x", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/bash", "-c", "@/texts/text", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/bb/sh", "-c", "applet x", NULL, 0, ERRPIPE_LIKELY, 0, NULL },
	{ "@/sh/bash", "-c", "nothing", "BASH_FUNC_nothing%%=() { echo; }", 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/bash", "-c", "nothing", "BASH_ENV=/x", 0, ERRPIPE_CERTAIN, 0, NULL },
	/* Not a shell, not a command, or not a simple one. */
	{ "@/other/sh", "-c", "nothing", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/bashful", "-c", "nothing", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-lc", "nothing", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", NULL, NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "nothing", NULL, NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "echo x", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "[ -f x ]", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "X=1 nothing", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing; echo", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing || echo", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "$X/ok", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "'nothing'", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "nothing() { :; }", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
	{ "@/sh/sh", "-c", "exec -a x nothing", NULL, 0, ERRPIPE_CERTAIN, 0, NULL },
};

START_TEST(a_shell)
{
	char *path = expand("PATH=@/cmd"), *const envp[] = { path, (char *)texts[_i].variable, NULL };
	char *argv[] = { (char *)texts[_i].shell, (char *)texts[_i].option, (char *)texts[_i].text, NULL };
	struct errpipe_question question = { .argv = argv, .envp = envp };

	for (int i = 0; argv[i]; i++)
		argv[i] = expand(argv[i]);
	question.path = argv[0];
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_msg(ex.cause == texts[_i].cause, "'%s': the cause is %s", argv[2] ? argv[2] : "",
		      errpipe_cause_name(ex.cause));
	ck_assert_int_eq(ex.certainty, texts[_i].certainty);
	ck_assert_int_eq(ex.status, texts[_i].status);
	ck_assert_int_eq(ex.works, 1);
	ck_assert_int_eq(ex.starts, !texts[_i].cause);
	if (texts[_i].words)
		assert_said(&ex, texts[_i].words);
}
END_TEST

/* A directory of PATH that may not be searched: env remembers that, shells do not. */
START_TEST(a_shell_with_a_shut_directory)
{
	char *path = expand("PATH=@/shut:@/cmd"), *const envp[] = { path, NULL };
	char *argv[] = { "sh", "-c", "nothing", NULL }, *env_argv[] = { "env", "nothing", NULL };
	char *behind_env[] = { "env", expand("@/sh/sh"), "-c", "nothing", NULL };
	struct errpipe_question question = {
		.path = expand("@/sh/sh"), .argv = argv, .envp = envp, .who = &stranger
	};

	ck_assert_int_eq(mkdir(expand("@/shut"), 0700), 0);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.status, 127);
	question.path = expand("@/gnu/env");
	question.argv = behind_env;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.status, 127);
	assert_said(&ex, "sh looks for \"nothing\"");
	question.argv = env_argv;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.status, 126);
}
END_TEST

/* Without PATH, and without an environment that is known, each shell has its own directories. */
START_TEST(a_shell_without_path)
{
	char *const envp[] = { "X=1", NULL }, *argv[] = { "sh", "-c", "nothing", NULL };
	struct errpipe_question question = { .path = expand("@/sh/sh"), .argv = argv, .envp = envp };

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
		ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
		question.envp = NULL;
	}
}
END_TEST

/* --- a script that may not be read ------------------------------------------------------------ */

static const struct {
	const char *line;
	mode_t mode;
	const struct errpipe_who *who;
	enum errpipe_cause cause, fault;
	int status;
	const char *words;
} unreadable[] = {
	{ "@/sh/bash", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 126,
	  "\"@/script\" has no r permission for others (uid 4711), so \"@/sh/bash\" cannot read it" },
	{ "@/sh/bash -e", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 1, "chmod a+r @/script" },
	{ "@/sh/dash -u", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 0, NULL },
	{ "@/cmd/python3 -sE", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 2, NULL },
	{ "@/gnu/env bash", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 126, "so \"@/sh/bash\" cannot" },
	{ "@/gnu/env -S bash -u -e", 0711, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 1, NULL },
	{ "@/sh/script", 0755, &stranger, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, 126,
	  "its interpreter \"@/sh/script\" has no r permission" },
	/* It may be read, or is not read. */
	{ "@/sh/bash", 0755, &stranger, 0, 0, 0, NULL },
	{ "@/sh/bash", 0711, &reader, 0, 0, 0, NULL },
	{ "@/sh/bash", 0711, &root_by_exec, 0, 0, 0, NULL },
	{ "@/sh/bash -c", 0711, &stranger, 0, 0, 0, NULL },
	{ "@/sh/bash -s", 0711, &stranger, 0, 0, 0, NULL },
	{ "@/sh/bash --login", 0711, &stranger, 0, 0, 0, NULL },
	{ "@/gnu/env -S bash -c", 0711, &stranger, 0, 0, 0, NULL },
	{ "@/sh/bashful", 0711, &stranger, 0, 0, 0, NULL },
	{ "@/cmd/ok", 0711, &stranger, 0, 0, 0, NULL },
	/* It lacks its x bit as well. */
	{ "@/sh/bash", 0700, &stranger, ERRPIPE_CAUSE_NOT_EXECUTABLE, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0,
	  "chmod a+rx @/script" },
	{ "@/sh/bash", 0640, &stranger, ERRPIPE_CAUSE_NOT_EXECUTABLE, ERRPIPE_CAUSE_SCRIPT_UNREADABLE, 0, NULL },
	{ "@/sh/bash", 0744, &stranger, ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, 0, "chmod a+x @/script" },
	{ NULL, 0700, &stranger, ERRPIPE_CAUSE_NOT_EXECUTABLE, 0, 0, "chmod a+x @/script" },
};

static void ask_as(const char *line, mode_t mode, const struct errpipe_who *who, const struct errpipe_report *report)
{
	char *path = expand("PATH=@/sh"), *const envp[] = { path, NULL }, *argv[] = { "script", NULL };
	struct errpipe_question question = {
		.path = expand("@/script"), .argv = argv, .envp = envp, .who = who, .report = report
	};
	char *text;

	if (line)
		put_text("@/script", keep(asprintf(&text, "#!%s\n", line) < 0 ? NULL : text));
	else
		put("@/script", built_path("tests/prog_args"), "", 0, mode);
	ck_assert_int_eq(chmod(expand("@/script"), mode), 0);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

START_TEST(an_unreadable_script)
{
	const enum errpipe_cause cause = unreadable[_i].cause;

	put("@/sh/script", NULL, expand("#!@/sh/bash\n"), strlen(expand("#!@/sh/bash\n")), 0711);
	ask_as(unreadable[_i].line, unreadable[_i].mode, unreadable[_i].who, NULL);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(ex.link[0].fault, unreadable[_i].fault);
	ck_assert_int_eq(ex.works, cause != ERRPIPE_CAUSE_NOT_EXECUTABLE);
	ck_assert_int_eq(ex.starts, !cause);
	ck_assert_int_eq(ex.status, unreadable[_i].status);
	if (unreadable[_i].words)
		assert_said(&ex, expand(unreadable[_i].words));
}
END_TEST

/* Versions of dash have two statuses. */
START_TEST(an_unreadable_script_after_its_end)
{
	static const struct {
		const char *line;
		int status;
		enum errpipe_cause cause;
	} ends[] = {
		{ "@/sh/bash", 126, ERRPIPE_CAUSE_SCRIPT_UNREADABLE }, { "@/sh/bash", 2, 0 },
		{ "@/sh/dash", 127, ERRPIPE_CAUSE_SCRIPT_UNREADABLE }, { "@/sh/dash", 1, 0 },
		{ "@/sh/dash", 2, ERRPIPE_CAUSE_SCRIPT_UNREADABLE },
	};

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct errpipe_report report = { .verdict = ERRPIPE_STARTED, .status = ends[i].status << 8 };

		ask_as(ends[i].line, 0711, &stranger, &report);
		ck_assert_int_eq(ex.cause, ends[i].cause);
	}
}
END_TEST

/* --- the words of -S -------------------------------------------------------------------------- */

static const struct {
	const char *text, *words; /* separated by "|" */
	enum ep_split_fault fault;
} splits[] = {
	{ "a b", "a|b", 0 },
	{ " \ta\v\f\rb ", "a|b", 0 },
	{ "'a b' \"c d\"", "a b|c d", 0 },
	{ "a'b'\"c\"d", "abcd", 0 },
	{ "'' x", "|x", 0 },
	{ "a\\_b \"a\\_b\"", "a|b|a b", 0 },
	{ "\\t\\n\\r\\v\\f", "\t\n\r\v\f", 0 },
	{ "\\#a a#b #c", "#a|a#b", 0 },
	{ "'a\\tb' 'a\\'b' 'a\\\\b'", "a\\tb|a'b|a\\b", 0 },
	{ "a\\cb", "a", 0 },
	{ "${X}y ${NONE} z${X}", "1 2y|z1 2", 0 },
	{ "'${X}'", "${X}", 0 },
	{ "\\$X", "$X", 0 },
	{ "", "", 0 },
	{ "'a", "", EP_SPLIT_QUOTE },
	{ "\"a\\\"", "", EP_SPLIT_QUOTE },
	{ "a\\", "", EP_SPLIT_BACKSLASH },
	{ "\"a\\cb\"", "", EP_SPLIT_BACKSLASH },
	{ "\\d", "", EP_SPLIT_BACKSLASH },
	{ "$X", "", EP_SPLIT_VARIABLE },
	{ "${1X}", "", EP_SPLIT_VARIABLE },
	{ "${X", "", EP_SPLIT_VARIABLE },
	{ "1 2 3 4 5 6 7 8 9", "", EP_SPLIT_UNKNOWN },
	{ "01234567890123456789012345678901234567890123456789012345678901234", "", EP_SPLIT_UNKNOWN },
};

START_TEST(words_of_split)
{
	char *words[8], bytes[64], all[256] = "", *const envp[] = { "Y=2", "X=1 2", NULL };
	struct ep_words split = { .word = words, .max = COUNT(words), .bytes = bytes, .size = sizeof(bytes) };

	ck_assert_int_eq(ep_split(&split, splits[_i].text, envp), splits[_i].fault);
	if (splits[_i].fault)
		return;
	for (size_t i = 0; i < split.count; i++)
		sprintf(all + strlen(all), "%s%s", i ? "|" : "", words[i]);
	ck_assert_str_eq(all, splits[_i].words);
}
END_TEST

START_TEST(names_in_a_file)
{
	int fd = open(expand("@/bb/busybox"), O_RDONLY | O_CLOEXEC);

	ck_assert(ep_contains_name(fd, "builtin"));
	ck_assert(!ep_contains_name(fd, "builti"));
	ck_assert(!ep_contains_name(fd, "uiltin"));
	ck_assert(ep_has_applet(fd, "acorn"));
	ck_assert(ep_has_applet(fd, "builtin"));
	ck_assert(ep_has_applet(fd, "damson"));
	ck_assert(!ep_has_applet(fd, "bash"));
	ck_assert(!ep_has_applet(fd, "tcsh"));
	ck_assert(!ep_has_applet(fd, ""));
	close(fd);
	/* Across two chunks. */
	for (int shift = 0; shift < 12; shift++) {
		static char zeros[16384];

		memset(zeros, 'x', sizeof(zeros));
		memcpy(zeros + sizeof(zeros) - 4, "\0nam", 4);
		put("@/chunks", NULL, zeros + shift, sizeof(zeros) - shift, 0644);
		fd = open(expand("@/chunks"), O_RDWR | O_APPEND | O_CLOEXEC);
		ck_assert_int_eq(write(fd, "elessxyz", 9), 9);
		ck_assert(ep_contains_name(fd, "namelessxyz"));
		ck_assert(!ep_contains_name(fd, "namelessxy"));
		ck_assert(!ep_has_applet(fd, "namelessxyz"));
		ck_assert_int_eq(write(fd, "nc\0ncat\0nice\0nl\0", 16), 16);
		ck_assert(ep_has_applet(fd, "namelessxyz"));
		close(fd);
	}
}
END_TEST

static Suite *env_suite(void)
{
	Suite *suite = suite_create("env");
	TCase *tcase = tcase_create("env");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_line, 0, COUNT(lines));
	tcase_add_test(tcase, without_arguments);
	tcase_add_test(tcase, what_is_not_known);
	tcase_add_test(tcase, by_its_arguments);
	tcase_add_test(tcase, a_cut_line);
	tcase_add_test(tcase, a_long_line);
	tcase_add_test(tcase, after_its_end);
	tcase_add_loop_test(tcase, a_cut_name, 0, COUNT(cut));
	tcase_add_loop_test(tcase, a_shell, 0, COUNT(texts));
	tcase_add_test(tcase, a_shell_with_a_shut_directory);
	tcase_add_test(tcase, a_shell_without_path);
	tcase_add_loop_test(tcase, an_unreadable_script, 0, COUNT(unreadable));
	tcase_add_test(tcase, an_unreadable_script_after_its_end);
	tcase_add_loop_test(tcase, words_of_split, 0, COUNT(splits));
	tcase_add_test(tcase, names_in_a_file);
	suite_add_tcase(suite, tcase);
	return suite;
}

static pid_t maker;

static void remove_base(void)
{
	char *command;

	if (getpid() != maker || asprintf(&command, "rm -rf '%s'", base) < 0)
		return;
	if (system(command) != 0)
		perror(base);
	free(command);
}

int main(void)
{
	snprintf(base, sizeof(base), "/tmp/errpipe-env.XXXXXX");
	maker = getpid();
	if (!mkdtemp(base) || chmod(base, 0755) < 0)
		die(base);
	atexit(remove_base);
	make_tree();
	return run_suite(env_suite());
}
