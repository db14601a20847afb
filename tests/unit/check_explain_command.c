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
#include "said.h"
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
	"data/bin/loose",
	"data/tool/",
	"data/loop -> loop",
	"data/docker-entrypoint.sh",
	/* A merged /usr, but for /bin. */
	"lib -> usr/lib",
	"sbin -> usr/sbin",
	"usr/",
	"usr/bin/",
	"usr/bin/sh",
	"usr/bin/python3",
	"usr/bin/systemctl",
	"usr/bin/cat",
	"usr/bin/nodejs",
	"usr/bin/lua5.4",
	"usr/bin/gcc-12",
	"usr/bin/gcc-13",
	"usr/sbin/",
	"usr/sbin/ip",
	"usr/lib/",
	"usr/lib/jvm/",
	"usr/lib/jvm/a/",
	"usr/lib/jvm/a/bin/",
	"usr/lib/jvm/a/bin/javac",
	"usr/lib/jvm/a/bin/jar",
	"usr/lib/jvm/b/",
	"usr/lib/jvm/b/bin/",
	"usr/lib/jvm/b/bin/jar",
	"usr/local/",
	"usr/local/go/",
	"usr/local/go/bin/",
	"usr/local/go/bin/gofmt",
	"usr/local/bin/",
	"usr/local/bin/docker-entrypoint.sh",
	"same/",
	"same/same",
	"target/",
	"target/triple/",
	"target/triple/release/",
	"target/triple/release/api",
	"target/triple/release/two",
	"target/other/",
	"target/other/release/",
	"target/other/release/two",
	"venv/",
	"venv/bin/",
	"venv/bin/python3.11",
	"mnt/",
	"at-top",
	"running/",
	"srv/",
	"srv/serve",
	"srv/running",
	"srv/unfit -x",
	"srv/app/",
	"srv/app/top",
	"opt/",
	"opt/pack/",
	"opt/pack/packed",
	"opt/pack/both",
	"opt/other/",
	"opt/other/both",
	/* Links that lead nowhere. */
	"bin/dangling -> /build/dangling",
	"usr/bin/twice -> ../../bin/dangling",
	"dead -> /build/bin",
	"mnt/c/",
	"mnt/c/run.exe",
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
	"app/quay.io/",
	"app/report.py",
	"app/report.sh",
	/* Names that look like mistakes. */
	"odd/",
	"odd/[[",
	"odd/if",
	"odd/source",
	"odd/FOO=bar",
	"odd/FOO=bar main",
	"odd/%TEMP%",
	"odd/$(NAME)",
	"odd/~",
	"odd/m\u0430in",
	"odd/a\u2013b",
	"odd/$env:APP",
	"odd/{{",
	"odd/(",
	"odd/( main )",
	"odd/alpine:3.19",
	"odd/docker.io/",
	"odd/docker.io/alpine",
	"odd/`main`",
	"odd/main;ls",
	"odd/main|ls",
	"odd/main && ls",
	"odd/main > out",
	"odd/R&D",
	"odd/-main",
	"odd/@main",
	"odd/+main",
	"odd/!main",
	"odd/\\app\\main",
	"odd/.\\main",
	"odd/C:\\main.exe",
	"odd/a\\b",
	"odd/main,",
	"odd/main:",
	"odd/\"main\"",
	"odd/[\"main\"]",
	"odd/--rm",
	"odd/main.tmp",
	"odd/tool2",
	"odd/https:",
	"odd/C:/",
	"odd/C:/main",
	"odd/|",
	"odd/#",
	"odd/>log",
	"odd/ll",
	"odd/CMD",
	"odd/\u2013it",
	"odd/- main",
	"odd/$ main",
	"odd/%HOME%/",
	"odd/%HOME%/main",
	"odd/$HOME/",
	"odd/$HOME/main",
	"odd/<command>",
	"odd/{command}",
	"odd/..\\main",
	"odd/npm start",
	"odd/$x",
	"odd/My Program",
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
	{ "dangling", "/usr/bin:/bin", ERRPIPE_CAUSE_DANGLING_LINK, 0, "/bin/dangling", "/build/dangling",
	  "/bin/dangling" },
	{ "twice", "/usr/bin:/bin", ERRPIPE_CAUSE_DANGLING_LINK, 0, "/bin/dangling", "/build/dangling",
	  "/usr/bin/twice" },
	{ "nothing", "/dead:/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/dead:/bin", NULL },
	{ "nothing", "/none:/bin:", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/none:/bin:", NULL },
	{ "loop", "/data:/bin/tool:/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/data:/bin/tool:/bin", NULL },

	/* PATH itself. */
	{ "cat", "$PATH:/app", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "$PATH", "$PATH:/app",
	  NULL },
	{ "cat", "/app:PATH", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "PATH", "/app:PATH",
	  NULL },
	{ "prog", "~/sub", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "~/sub", "~/sub", NULL },
	{ "prog", "/bin:${HOME}/sub", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "${HOME}/sub",
	  "/bin:${HOME}/sub", NULL },
	{ "cat", "/app:${PATH}", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, "${PATH}",
	  "/app:${PATH}", NULL },
	{ "nothing", "~/.dotnet/tools:/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "~/.dotnet/tools:/bin", NULL },
	{ "cat", "$GOPATH/bin:/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/bin/cat", "$GOPATH/bin:/bin", NULL },
	{ "cat", "\"/usr/bin:/bin\"", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_QUOTED, "\"/usr/bin",
	  "\"/usr/bin:/bin\"", NULL },
	{ "nothing", "", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_EMPTY, NULL, "", NULL },
	{ "nothing", "/bin:/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_UNSET, NULL, NULL, NULL },
	{ "cat", "/none;/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_SEPARATOR, ";", "/none;/usr/bin",
	  NULL },
	{ "cat", "/none:/usr/bin\n", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_NEWLINE, "/usr/bin\n",
	  "/none:/usr/bin\n", NULL },
	{ "nothing", "/usr/bin\n", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin\n", NULL },
	{ "cat", "/usr/bin /none:/app", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_BLANKS, " ",
	  "/usr/bin /none:/app", NULL },
	{ "cat", "/none\n/usr/bin\n", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_SEPARATOR, "\n",
	  "/none\n/usr/bin\n", NULL },
	{ "cat", "/usr/bin\r", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_RETURN, "/usr/bin\r", "/usr/bin\r",
	  NULL },
	{ "cat", "/none:/usr/bin ", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_BLANK, "/usr/bin ",
	  "/none:/usr/bin ", NULL },
	{ "cat", " /usr/bin:/none", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_BLANK, " /usr/bin",
	  " /usr/bin:/none", NULL },
	{ "cat", "PATH=/usr/bin:/none", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_TWICE, "PATH=/usr/bin",
	  "PATH=/usr/bin:/none", NULL },
	{ "cat", "/none:/usr/bin/cat", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_FILE, "/usr/bin/cat",
	  "/none:/usr/bin/cat", NULL },
	{ "nothing", "/usr/bin\r", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin\r", NULL },
	{ "nothing", "PATH=/usr/bin:/bin ", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "PATH=/usr/bin:/bin ", NULL },
	{ "nothing", "/usr/bin/cat", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin/cat", NULL },
	{ "nothing", "/none;/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/none;/usr/bin", NULL },
	{ "cat", "/opt/My Tools;x", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/bin/cat", "/opt/My Tools;x", NULL },
	{ "nothing", "C:\\Windows;C:\\Go\\bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_PATH_OF_WINDOWS, NULL,
	  "C:\\Windows;C:\\Go\\bin", NULL },
	{ "cat", "$PATH:/usr/bin", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/usr/bin/cat" },

	/* Another directory. */
	{ "main", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, ERRPIPE_DETAIL_IN_CWD, "./main", "/bin", NULL },
	{ "ip", "/usr/bin:/bin:", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/sbin/ip", "/usr/bin:/bin:", NULL },
	{ "gofmt", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/local/go/bin/gofmt", "/bin", NULL },
	{ "javac", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/usr/lib/jvm/a/bin/javac", "/bin", NULL },
	{ "jar", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/same", NULL, ERRPIPE_CAUSE_NOT_A_FILE, 0, "/same", "/same/same", NULL },
	{ "/data", NULL, ERRPIPE_CAUSE_NOT_A_FILE, 0, "/data", NULL, NULL },
	{ "/", NULL, ERRPIPE_CAUSE_NOT_A_FILE, 0, "/", NULL, NULL },
	{ "/usr/bin/sh.exe", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/usr/bin/sh.exe", "/usr/bin/sh",
	  NULL },
	{ "/mnt/c/run", NULL, ERRPIPE_CAUSE_MISSING, 0, "/mnt/c/run", NULL, NULL },
	{ "bash", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "Read", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "sub", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_TORN_APART, "/bin", "/usr/bin/sh", NULL },
	{ "/usr/bin/ip", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/usr/bin/ip", "/usr/sbin/ip",
	  NULL },
	{ "/opt/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/opt/sh", "/usr/bin/sh", NULL },
	{ "/target/release/api", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/target/release",
	  "/target/triple/release/api", NULL },
	{ "../target/release/api", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "../target/release",
	  "../target/triple/release/api", NULL },
	{ "/target/release/two", NULL, ERRPIPE_CAUSE_MISSING, 0, "/target/release", NULL, NULL },
	{ "/target/debug/api", NULL, ERRPIPE_CAUSE_MISSING, 0, "/target/debug", NULL, NULL },
	{ "/target/api", NULL, ERRPIPE_CAUSE_MISSING, 0, "/target/api", NULL, NULL },
	{ "/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LEADING_SLASH, "/main", "./main", NULL },
	{ "/sub/prog", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LEADING_SLASH, "/sub", "./sub/prog", NULL },

	{ "/app/data/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/app/data", "/app/main",
	  NULL },
	{ "/data/loose", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/data/loose",
	  "/data/bin/loose", NULL },
	{ "./serve", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "./serve", "/srv/serve", NULL },
	{ "serve", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "serve", "/srv/serve", NULL },
	{ "serve", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/srv/serve", "/bin", NULL },
	{ "/usr/bin/serve", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/usr/bin/serve",
	  "/srv/serve", NULL },
	{ "/top", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/top", "/srv/app/top", NULL },
	{ "/none/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/none", "/app/main", NULL },
	{ "/none/at-top", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/none", "/at-top", NULL },
	{ "/none/packed", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/none", "/opt/pack/packed",
	  NULL },
	{ "packed", "/bin", ERRPIPE_CAUSE_OUTSIDE_PATH, 0, "/opt/pack/packed", "/bin", NULL },
	{ "/same", "/bin", ERRPIPE_CAUSE_NOT_A_FILE, 0, "/same", "/same/same", NULL },
	{ "/running", NULL, ERRPIPE_CAUSE_NOT_A_FILE, 0, "/running", "/srv/running", NULL },
	/* Not there, more than one of them, or no program. */
	{ "/srv/none", NULL, ERRPIPE_CAUSE_MISSING, 0, "/srv/none", NULL, NULL },
	{ "/none/both", NULL, ERRPIPE_CAUSE_MISSING, 0, "/none", NULL, NULL },
	{ "both", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/none/unfit", NULL, ERRPIPE_CAUSE_MISSING, 0, "/none", NULL, NULL },
	{ "/none/pack", NULL, ERRPIPE_CAUSE_MISSING, 0, "/none", NULL, NULL },
	{ "/usr", NULL, ERRPIPE_CAUSE_NOT_A_FILE, 0, "/usr", NULL, NULL },

	/* The name, almost. */
	{ "/app/entrypoint.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CASE, "/app/entrypoint.sh",
	  "/app/Entrypoint.sh", NULL },
	{ "/App/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CASE, "/App", "/app/main", NULL },
	{ "/app/main ", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_EXTRA_BLANK, "/app/main ", "/app/main", NULL },
	{ "/app/main\r", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_RETURN, "/app/main\r", "/app/main", NULL },
	{ "/app/main\u00a0", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "/app/main\u00a0", "/app/main",
	  NULL },
	{ "\ufeff/app/main", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "\ufeff", "/app/main", NULL },
	{ "/app/m\u0430in", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, "/app/m\u0430in", "/app/main",
	  NULL },
	{ "/\u0430pp/m\u03b1in", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, "/\u0430pp", "/app/main",
	  NULL },
	{ "\u0441\u0430\u0442", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, NULL, "cat", NULL },
	{ "gcc\u201112", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, NULL, "gcc-12", NULL },
	{ "cat\r", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_RETURN, NULL, "cat", NULL },
	{ "/app/Entrypoint", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/app/Entrypoint",
	  "/app/Entrypoint.sh", NULL },
	{ "/app/main.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SUFFIX, "/app/main.sh", "/app/main", NULL },
	{ "python", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PYTHON_3, NULL, "python3", NULL },
	{ "node", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_NAME, NULL, "nodejs", NULL },
	{ "lua", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_VERSION, NULL, "lua5.4", NULL },
	{ "/usr/bin/lua", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_VERSION, "/usr/bin/lua", "/usr/bin/lua5.4",
	  NULL },
	{ "/data/entrypoint.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_NAME, "/data/entrypoint.sh",
	  "/data/docker-entrypoint.sh", NULL },
	{ "/entrypoint.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_NAME, "/entrypoint.sh",
	  "/usr/local/bin/docker-entrypoint.sh", NULL },
	{ "/docker-entrypoint.sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
	  "/docker-entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh", NULL },
	{ "/app/main:", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PUNCTUATION, "/app/main:", "/app/main", NULL },
	{ "/app/mian", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/mian", "/app/main", NULL },
	{ "/app/mainn", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/mainn", "/app/main", NULL },
	{ "/app/man", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/man", "/app/main", NULL },
	{ "pyton", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, NULL, "python3", NULL },
	{ "pyhton", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, NULL, "python3", NULL },
	{ "/app/Entypoint", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, "/app/Entypoint",
	  "/app/Entrypoint.sh", NULL },
	{ "systemclt", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LETTER, NULL, "systemctl", NULL },

	/* Not near enough, or more than one. */
	{ "\u0441\u0430\u0442\u0430", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "c\u00e0t", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "\xd0", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "jython", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "ipython", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "pythons", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "pytho", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "python2", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "piton", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "/app/a2", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/a2", NULL, NULL },
	{ "/app/rport", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/rport", NULL, NULL },
	{ "/app/a1", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/a1", NULL, NULL },
	{ "/app/wolker", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/wolker", NULL, NULL },
	{ "/app/l", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/l", NULL, NULL },
	{ "/app/server3", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/server3", NULL, NULL },
	{ "/usr/bin/cut", NULL, ERRPIPE_CAUSE_MISSING, 0, "/usr/bin/cut", NULL, NULL },
	{ "gcc", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "lua5.3", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "/data/start.sh", NULL, ERRPIPE_CAUSE_MISSING, 0, "/data/start.sh", NULL, NULL },
	{ "bat", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/usr/bin", NULL },
	{ "/app/data/worker2", NULL, ERRPIPE_CAUSE_MISSING, 0, "/app/data", NULL, NULL },

	/* More than a name. */
	{ "npm run build", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, NULL, "npm", NULL },
	{ "cat x", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, NULL, "cat", NULL },
	{ "/usr/bin/sh /x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/usr/bin/sh ",
	  "/usr/bin/sh", NULL },
	{ "/app/My Program x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/app/My Program x",
	  "/app/My Program", NULL },
	{ "source env.sh && main", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_BASH_SYNTAX, NULL, "source",
	  NULL },
	{ "[[ -f x ]] && main", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_BASH_SYNTAX, NULL, "[[", NULL },
	{ "cat|wc", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "cat", NULL },
	{ "./worker;ls", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, "./worker;ls", "./worker",
	  NULL },
	{ "cat>x", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "cat", NULL },
	{ "a && b", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "a", NULL },
	{ "`which cat`", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "`which", NULL },
	{ "$(which cat)", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "$(which", NULL },
	{ "$(HOME)/none -v", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "$(HOME)", "$(HOME)/none",
	  NULL },
	{ "'cat -n'", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_QUOTED_WORDS, NULL, "'cat", NULL },
	{ "cat\nls -l", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "cat", NULL },
	{ "cat # all", "/usr/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "cat", NULL },
	{ "X=1 Y=2 main -v", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_ASSIGNED_WORDS, NULL, "X=1", NULL },
	{ "X=1 main; ls", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "X=1", NULL },
	{ "none|gone", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "none|gone", NULL },
	{ "start|stop|status", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "either|", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "|or", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "Tom & Jerry", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a;b", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "C>D", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "it`s", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "cd /app && ls", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, "cd ", "cd", NULL },
	{ "/opt/none -x", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_PLAIN_WORDS, "/opt/none -x", "/opt/none",
	  NULL },
	{ "/opt/My Tools/run", NULL, ERRPIPE_CAUSE_MISSING, 0, "/opt/My Tools", NULL, NULL },
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
	{ "$(HOME)/worker", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_KUBERNETES, "$(HOME)", "/app/worker",
	  NULL },
	{ "$(APP_DIR)/bin/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_KUBERNETES, "$(APP_DIR)", NULL, NULL },
	{ "$(pwd)/main", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "$(pwd)", NULL, NULL },
	{ "%HOME%/worker", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_WINDOWS_VARIABLE, "%HOME%", "/app/worker",
	  NULL },
	{ "%APPDATA%\\npm\\x.cmd", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_WINDOWS_VARIABLE, NULL, NULL,
	  NULL },
	{ "%ProgramFiles%/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_WINDOWS_VARIABLE, "%ProgramFiles%",
	  NULL, NULL },
	{ "$env:HOME/main", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_POWERSHELL_VARIABLE, "$env:HOME",
	  "/app/main", NULL },
	{ "$$APP/bin/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_DOUBLED_DOLLAR, "$$APP", NULL, NULL },
	{ "/opt/$${APP}", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_DOUBLED_DOLLAR, "/opt/$${APP}", NULL,
	  NULL },
	{ "/opt/$$", NULL, ERRPIPE_CAUSE_MISSING, 0, "/opt/$$", NULL, NULL },
	{ "$env:APPDATA\\x", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_POWERSHELL_VARIABLE, NULL, NULL,
	  NULL },
	{ "${env:SECRET}", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_POWERSHELL_VARIABLE, NULL, NULL, NULL },
	{ "$env", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, 0, NULL, NULL, NULL },
	{ "env:APP", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "~", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_HOME, NULL, NULL, NULL },
	{ "~", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_HOME, "~", NULL, NULL },
	{ "~~", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "~root", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "log-%Y%m%d", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a%20b%20c", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "100%", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "%h/bin/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_SPECIFIER, "%h", NULL, NULL },
	{ "%how/x", NULL, ERRPIPE_CAUSE_MISSING, 0, "%how", NULL, NULL },
	{ "~root/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, 0, "~root", NULL, NULL },
	{ "{{ .Values.command }}", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, NULL, NULL, NULL },
	{ "@bindir@/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, "@bindir@", NULL, NULL },
	{ "{command}", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, NULL, NULL, NULL },
	{ "<command>", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_PLACEHOLDER, NULL, NULL, NULL },
	{ "<your program> -v", "/bin", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_PLACEHOLDER, NULL, NULL, NULL },
	{ "/opt/<version>/bin/x", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_PLACEHOLDER, "/opt/<version>",
	  NULL, NULL },
	{ "<path/to/app>", NULL, ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_PLACEHOLDER, "<path", NULL, NULL },
	{ "none<in>out", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "<in>out", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a<b>", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "<3>", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "<>", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "{}", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "{a,b}", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "{6f9619ff-8b86-d011}", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a@b@c", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "@scope@x/y", NULL, ERRPIPE_CAUSE_MISSING, 0, "@scope@x", NULL, NULL },
	{ "user@host", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a{b}", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/c/Program Files/Git/usr/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CONVERTED, "/c",
	  "/usr/bin/sh", NULL },
	{ "/c/usr/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, "/c", "/usr/bin/sh", NULL },
	{ "LANG=C", "/bin", ERRPIPE_CAUSE_ASSIGNMENT, 0, NULL, NULL, NULL },
	{ "PATH=/usr/bin:/bin", NULL, ERRPIPE_CAUSE_ASSIGNMENT, 0, "PATH=", NULL, NULL },
	{ "year=2024/run", NULL, ERRPIPE_CAUSE_MISSING, 0, "year=2024", NULL, NULL },
	{ "a=b c=d", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "http_proxy=x ./worker", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_ASSIGNED_WORDS, "http_proxy=x .",
	  "http_proxy=x", NULL },
	{ "=", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "1=2", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "./X=1", NULL, ERRPIPE_CAUSE_MISSING, 0, "./X=1", NULL, NULL },
	{ "-/usr/bin/cat", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SYSTEMD_PREFIX, "-", "/usr/bin/cat", NULL },
	{ "@/usr/bin/cat", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SYSTEMD_PREFIX, "@", "/usr/bin/cat", NULL },
	{ "-!!/usr/bin/cat", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_SYSTEMD_PREFIX, "-!!", "/usr/bin/cat",
	  NULL },
	{ "@/usr/bin/none", NULL, ERRPIPE_CAUSE_MISSING, 0, "@", NULL, NULL },
	{ "C:/Program Files/Git/usr/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CONVERTED,
	  "C:", "/usr/bin/sh", NULL },
	{ "D:/msys64/usr/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_CONVERTED, "D:", "/usr/bin/sh",
	  NULL },
	{ "D:\\usr\\bin\\sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_DRIVE, "D:\\usr\\bin\\sh", "/usr/bin/sh",
	  NULL },
	{ "C:/run.exe", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_DRIVE, "C:", "/mnt/c/run.exe", NULL },
	{ "D:/venv/usr/bin/sh", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, "D:", NULL, NULL },
	{ "C:\\none.exe", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, NULL, NULL, NULL },
	{ "\\\\server\\share", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, NULL, NULL, NULL },
	{ "\\usr\\bin\\sh", "/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_BACKSLASHES, NULL, "/usr/bin/sh", NULL },
	{ ".\\worker", "/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_BACKSLASHES, NULL, "./worker", NULL },
	{ "..\\bin\\none", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, NULL, NULL, NULL },
	{ "..\\app\\worker", "/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_BACKSLASHES, NULL, "../app/worker",
	  NULL },
	{ "build\\app.EXE", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, NULL, NULL, NULL },
	{ "app.exe", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "a..\\b", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "two\\words", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "file:///usr/bin/sh", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_FILE_URL, "file:", "/usr/bin/sh",
	  NULL },
	{ "file:/usr/bin/none", NULL, ERRPIPE_CAUSE_MISSING, 0, "file:", NULL, NULL },
	{ "https://example.org/x.sh", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_URL, "https:", NULL, NULL },
	{ "alpine:3.19", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, NULL, NULL, NULL },
	{ "node:20", "/bin", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, NULL, NULL, NULL },
	{ "team/api:latest", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, "team", NULL, NULL },
	{ "team/api@sha256:9f86d081", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, "team", NULL, NULL },
	{ "docker.io/library/alpine", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, "docker.io", NULL,
	  NULL },
	{ "ghcr.io/Team/Api:1", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_IMAGE, "ghcr.io", NULL, NULL },
	/* Not enough of a sign. */
	{ "alpine", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "api:1.2.3", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "localhost:8080", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "redis:6379", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "node:a:b", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "build:prod", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "user@sha256", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "./alpine:3.19", NULL, ERRPIPE_CAUSE_MISSING, 0, "./alpine:3.19", NULL, NULL },
	{ "/alpine:3.19", NULL, ERRPIPE_CAUSE_MISSING, 0, "/alpine:3.19", NULL, NULL },
	{ "example.org/api", NULL, ERRPIPE_CAUSE_MISSING, 0, "example.org", NULL, NULL },
	{ "quay.io/api", NULL, ERRPIPE_CAUSE_MISSING, 0, "quay.io/api", NULL, NULL },
	{ "price$", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "backup~", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "export", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, 0, NULL, NULL, NULL },
	{ "cd", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_CHANGES_DIRECTORY, NULL, NULL, NULL },
	{ "source", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_BASH_BUILTIN, NULL, NULL, NULL },
	{ "pushd", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_BASH_BUILTIN, NULL, NULL, NULL },
	{ "if", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_KEYWORD, NULL, NULL, NULL },
	{ "[[", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_BASH_KEYWORD, NULL, NULL, NULL },
	{ "(", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_KEYWORD, NULL, NULL, NULL },
	{ "( ls )", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "(", NULL },
	{ "(ls)", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "report (1)", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "times trap", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_SHELL_SYNTAX, NULL, "times", NULL },
	{ "sourc", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "/bin/cd", NULL, ERRPIPE_CAUSE_MISSING, 0, "/bin/cd", NULL, NULL },
	{ "--rm", "/bin", ERRPIPE_CAUSE_OPTION, 0, NULL, NULL, NULL },
	{ "\u2013it", "/bin", ERRPIPE_CAUSE_OPTION, ERRPIPE_DETAIL_DASH, NULL, NULL, NULL },
	{ "\u2013", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "|", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_OPERATOR, NULL, NULL, NULL },
	{ "#", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_OPERATOR, NULL, NULL, NULL },
	{ ">log", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_OPERATOR, NULL, NULL, NULL },
	{ "2>&1", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_OPERATOR, NULL, NULL, NULL },
	{ "ll", "/bin", ERRPIPE_CAUSE_SHELL_BUILTIN, ERRPIPE_DETAIL_ALIAS, NULL, NULL, NULL },
	{ "#1", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "2go", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "$", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "CMD", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },
	{ "- ./worker", NULL, ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_MARK, "- .", "./worker", NULL },
	{ ": cat", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_MARK, NULL, "cat", NULL },
	{ "$ cat", "/usr/bin", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_MARK, NULL, "cat", NULL },
	{ "- npm start", "/bin", ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_MARKED_WORDS, NULL, NULL, NULL },
	{ "- two words", "/bin", ERRPIPE_CAUSE_OPTION, 0, NULL, NULL, NULL },
	{ "./worker\u00a0--port", NULL, ERRPIPE_CAUSE_WHOLE_COMMAND, ERRPIPE_DETAIL_OTHER_BLANK,
	  "./worker\u00a0--port", NULL, NULL },
	{ "./none\u00a0--port", NULL, ERRPIPE_CAUSE_MISSING, 0, "./none\u00a0--port", NULL, NULL },
	{ "/c/Users/me/app", NULL, ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_PATH, "/c", NULL, NULL },
	{ "/data/Users/me/app", NULL, ERRPIPE_CAUSE_MISSING, 0, "/data/Users", NULL, NULL },
	{ "-", "/bin", ERRPIPE_CAUSE_NOT_IN_PATH, 0, NULL, "/bin", NULL },

	/* Files that are truly called so. */
	{ "npm start", "/app", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/app/npm start" },
	{ "/app/$x", NULL, ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, NULL },
	{ "My Program", "/app", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, NULL, "/app/My Program" },
};

/* Files that really have these names, as the argument and in PATH. */
static const char *const healthy[] = {
	"[[",	       "if",	    "source",	 "FOO=bar",  "FOO=bar main", "%TEMP%",	   "$(NAME)",
	"~",	       "`main`",    "main;ls",	 "main|ls",  "main && ls",   "main > out", "R&D",
	"-main",       "@main",	    "+main",	 "!main",    "\\app\\main",  ".\\main",	   "C:\\main.exe",
	"a\\b",	       "main,",	    "main:",	 "\"main\"", "[\"main\"]",   "--rm",	   "main.tmp",
	"tool2",       "https:",    "npm start", "$x",	     "<command>",    "{command}",  "..\\main",
	"My Program",  "m\u0430in", "a\u2013b",	 "$env:APP", "{{",	     "(",	   "( main )",
	"alpine:3.19", "|",	    "#",	 ">log",     "ll",	     "CMD",	   "\u2013it",
	"- main",      "$ main",
};

static struct errpipe_explanation ex;

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void ask_in(const char *cwd, const struct row *row)
{
	static char *envp[] = { "HOME=/app", "NAME=main", "TOOL=cat", "SECRET=swordfish", NULL };
	const struct errpipe_question question = {
		.root = root,
		.cwd = cwd,
		.path = row->path,
		.search_path = row->search_path,
		.envp = envp,
	};

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

static void ask(const struct row *row)
{
	ask_in("/app", row);
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

static void must_exist(const char *path, const char *search_path)
{
	const struct row row = { path, search_path, 0, 0, NULL, NULL, NULL };

	ask_in("/odd", &row);
	ck_assert_msg(ex.cause == ERRPIPE_CAUSE_NO_INTERPRETER_LINE, "\"%s\": %s", path,
		      errpipe_cause_name(ex.cause));
}

START_TEST(a_file_of_that_name)
{
	static const char *const paths[] = { "C:/main", "%HOME%/main", "$HOME/main", "/odd/C:/main",
					     "docker.io/alpine" };
	char path[PATH_MAX];

	for (size_t i = 0; i < COUNT(healthy); i++) {
		must_exist(healthy[i], "/none:/odd");
		snprintf(path, sizeof(path), "/odd/%s", healthy[i]);
		must_exist(path, NULL);
		snprintf(path, sizeof(path), "./%s", healthy[i]);
		must_exist(path, "/bin");
	}
	for (size_t i = 0; i < COUNT(paths); i++)
		must_exist(paths[i], "/bin");
}
END_TEST

/* The lines are short and contain these words. */
START_TEST(the_words)
{
	static const struct {
		const char *path, *search_path, *words;
	} said[] = {
		{ "source", "/bin", "bash -c '...'" },
		{ "if", "/bin", "is a shell keyword, not a program" },
		{ "cd", "/bin", "set the working directory instead" },
		{ "source x; ls", "/bin", "\"bash\", \"-c\", \"source x; ls\"" },
		{ "X=1 main", "/bin", "\"env\", \"X=1\", \"main\"" },
		{ "LANG=C", "/bin", "env LANG=C PROGRAM" },
		{ "$(BIN_DIR)/x", NULL, "variables of the image do not count" },
		{ "%APPDATA%/x", NULL, "only Windows expands %NAME%" },
		{ "\u0441\u0430\u0442", "/usr/bin", "replace the characters that only look like ASCII: use \"cat\"" },
		{ "~", "/bin", "write the path out, with the name of a program at its end" },
		{ "$env:APPDATA\\x", "/bin", "only PowerShell expands $env:NAME" },
		{ "( ls )", "/bin", "\"sh\", \"-c\", \"( ls )\"" },
		{ "alpine:3.19", "/bin", "it looks like the name of a container image" },
		{ "alpine:3.19", "/bin", "docker run IMAGE PROGRAM" },
		{ "main", "$HOME:/bin", "replace it with \"/app\"" },
		{ "-/usr/bin/cat", NULL, "which only systemd understands: use \"/usr/bin/cat\"" },
		{ "D:/Git/usr/bin/cat", NULL, "set MSYS_NO_PATHCONV=1 and use \"/usr/bin/cat\"" },
		{ "[\"none\"", "/bin", "quotes and brackets are part of its name" },
		{ "'cat'", "/usr/bin", "quotes are part of its name" },
		{ "\u2013it", "/bin", "it has a dash in place of a hyphen" },
		{ ">log", "/bin", "\">log\" is shell syntax, not a program" },
		{ "- cat", "/usr/bin", "remove the list mark or prompt before it: use \"cat\"" },
		{ "cat", "/none;/usr/bin", "separated by \";\" instead of \":\"" },
		{ "python", "/usr/bin", "install python-is-python3 (Debian), or use \"python3\"" },
		{ "nothing", "/bin:/usr/bin", "set PATH, or use its full path" },
	};

	for (size_t i = 0; i < COUNT(said); i++) {
		const struct row row = { said[i].path, said[i].search_path, 0, 0, NULL, NULL, NULL };
		char line[4096];

		ask(&row);
		assert_said(&ex, said[i].words);
		ck_assert_uint_le(errpipe_finding(line, sizeof(line), &ex), 99);
		ck_assert_uint_le(errpipe_advice(line, sizeof(line), &ex), 99);
	}
}
END_TEST

/* The program after an assignment is shown if it is one. */
START_TEST(an_assignment)
{
	char *argv[] = { "X=1", "./main", "argument", NULL };
	struct errpipe_question question = { .root = root, .cwd = "/app", .path = "X=1", .argv = argv };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_ASSIGNMENT);
	assert_said(&ex, "put env before it: env X=1 ./main");
	argv[1] = "Y=2";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_ptr_null(ex.object);
}
END_TEST

/* Copied from a document or a Dockerfile: the next word is the program. */
START_TEST(a_word_before_the_program)
{
	static const struct {
		const char *word, *next;
		enum errpipe_detail detail;
	} words[] = {
		{ "$", "./main", ERRPIPE_DETAIL_PROMPT },  { "-", "./main", ERRPIPE_DETAIL_PROMPT },
		{ "$", "./none", ERRPIPE_DETAIL_NONE },	   { "CMD", "./none", ERRPIPE_DETAIL_INSTRUCTION },
		{ "CMD2", "./main", ERRPIPE_DETAIL_NONE },
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		char *const argv[] = { (char *)words[i].word, (char *)words[i].next, NULL };
		const struct errpipe_question question = {
			.root = root, .cwd = "/app", .path = words[i].word, .search_path = "/bin", .argv = argv
		};

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_eq(ex.cause, words[i].detail ? ERRPIPE_CAUSE_SHELL_BUILTIN : ERRPIPE_CAUSE_NOT_IN_PATH);
		ck_assert_int_eq(ex.detail, words[i].detail);
		if (ex.detail)
			assert_said(&ex, "remove it: the program is the next word");
	}
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
		{ "/usr/bin/python", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PYTHON_3, "/usr/bin/python3" },
		{ "/usr/bin/sh\u00a0", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_INVISIBLE, "/usr/bin/sh" },
		{ "/usr/bin/\u0455h", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_LOOK_ALIKE, "/usr/bin/sh" },
		{ "/usr/bin/sh\r", ERRPIPE_CAUSE_CARRIAGE_RETURN, 0, NULL },
		{ "/bin/ash", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "/usr/bin/sh; set -e", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_PUNCTUATION, "/usr/bin/sh" },
		{ "$HOME/main", ERRPIPE_CAUSE_NOT_EXPANDED, 0, "/app/main" },
		{ "~/bin/sh", ERRPIPE_CAUSE_NOT_EXPANDED, 0, NULL },
		{ "$SHELL", ERRPIPE_CAUSE_NOT_EXPANDED, 0, NULL },
		{ "venv/bin/sh", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "usr/bin/sh", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, "/usr/bin/sh" },
		{ "python3", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, "/usr/bin/python3" },
		{ "-x", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "source", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "X=1", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "@/usr/bin/sh", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "/usr/bin/nothing", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "/opt/homebrew/bin/python3", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
		  "/usr/bin/python3" },
		{ "/nix/store/x-bash/bin/sh", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
		  "/usr/bin/sh" },
		{ "/data/data/com.termux/files/usr/bin/sh", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
		  "/usr/bin/sh" },
		{ "/nix/store/x-bash/sh", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "\\usr\\bin\\sh", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_BACKSLASHES, "/usr/bin/sh" },
		{ "/build/venv/bin/python3.11", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "{{ python }}", ERRPIPE_CAUSE_NOT_EXPANDED, ERRPIPE_DETAIL_TEMPLATE, NULL },
		{ "{{ python", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
		{ "C:/Python39/python.exe", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_INTERPRETER, NULL },
		{ "\"C:\\Program Files\\x\"", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_INTERPRETER, NULL },
		{ "/c/Python39/python.exe", ERRPIPE_CAUSE_FOREIGN_PATH, ERRPIPE_DETAIL_WINDOWS_INTERPRETER, NULL },
		{ "/c/Python39/python", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "/opt/x.exe", ERRPIPE_CAUSE_INTERPRETER_MISSING, 0, NULL },
		{ "C:python", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, 0, NULL },
	};
	static char *envp[] = { "HOME=/app", NULL };
	const struct errpipe_question question = {
		.root = root, .path = "/app/script-x", .cwd = "/data", .envp = envp
	};

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

/* A script beside the interpreter that it names. */
START_TEST(a_moved_environment)
{
	static const struct {
		const char *line;
		enum errpipe_cause cause;
	} moved[] = {
		{ "#!/build/venv/bin/python3.11\n", ERRPIPE_CAUSE_NEAR_MISS },
		{ "#!/build/venv/bin/python3.12\n", ERRPIPE_CAUSE_INTERPRETER_MISSING },
		{ "#!/build/venv/python3.11\n", ERRPIPE_CAUSE_INTERPRETER_MISSING },
	};
	const struct errpipe_question question = { .root = root, .path = "/venv/bin/tool" };

	for (size_t i = 0; i < COUNT(moved); i++) {
		int fd = openat(root, "venv/bin/tool", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_gt(dprintf(fd, "%s", moved[i].line), 0);
		close(fd);
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(moved[i].cause));
		if (moved[i].cause == ERRPIPE_CAUSE_NEAR_MISS)
			ck_assert_str_eq(or_none(ex.object), "/venv/bin/python3.11");
	}
	unlinkat(root, "venv/bin/tool", 0);
}
END_TEST

/* Every usual place of a shell is empty. With one of them, the finding is as before. */
START_TEST(no_shell)
{
	static const struct row shells[] = {
		{ "sh", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_NO_SHELL, NULL, NULL, NULL },
		{ "/bin/bash", NULL, ERRPIPE_CAUSE_MISSING, ERRPIPE_DETAIL_NO_SHELL, NULL, NULL, NULL },
		{ "/script-x", NULL, ERRPIPE_CAUSE_INTERPRETER_MISSING, ERRPIPE_DETAIL_NO_SHELL, NULL, NULL, NULL },
		{ "cat", "/usr/bin", ERRPIPE_CAUSE_NOT_IN_PATH, ERRPIPE_DETAIL_NONE, NULL, NULL, NULL },
	};
	int empty;

	make_script("/bin/sh");
	empty = openat(root, "app", O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(shells); i++) {
		const struct errpipe_question question = { .root = empty,
							   .path = shells[i].path,
							   .search_path = shells[i].search_path };

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(shells[i].cause));
		ck_assert_int_eq(ex.detail, shells[i].detail);
		if (shells[i].detail)
			assert_said(&ex, "use an image with a shell");
	}
	ck_assert_int_eq(mkdirat(empty, "busybox", 0755), 0);
	ck_assert_int_eq(symlinkat("/main", empty, "busybox/sh"), 0);
	for (size_t i = 0; i < COUNT(shells); i++) {
		const struct errpipe_question question = { .root = empty,
							   .path = shells[i].path,
							   .search_path = shells[i].search_path };

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(shells[i].cause));
		ck_assert_int_eq(ex.detail, 0);
	}
	unlinkat(empty, "busybox/sh", 0);
	unlinkat(empty, "busybox", AT_REMOVEDIR);
	unlinkat(empty, "script-x", 0);
	close(empty);
}
END_TEST

/* A setup cannot enter its working directory. Only a directory that exists is shown. */
START_TEST(a_working_directory)
{
	static const struct {
		const char *cwd;
		int error;
		enum errpipe_detail detail;
		const char *available;
	} directories[] = {
		{ "~/sub", ENOENT, ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED, "/app/sub" },
		{ "~", ENOENT, ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED, "/app" },
		{ "${HOME}/sub", ENOENT, ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED, "/app/sub" },
		{ "~/none", ENOENT, ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED, NULL },
		{ "$HOME/main", ENOENT, ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED, NULL },
		{ "~/sub", EACCES, 0, NULL },
		{ "/none", ENOENT, 0, NULL },
		{ "price$", ENOENT, 0, NULL },
		{ "backup~", ENOENT, 0, NULL },
	};
	static char *envp[] = { "HOME=/app", NULL };

	for (size_t i = 0; i < COUNT(directories); i++) {
		const struct errpipe_report report = { .verdict = ERRPIPE_SETUP_FAILED,
						       .step = ERRPIPE_STEP_DIRECTORY,
						       .error = directories[i].error,
						       .status = -1 };
		const struct errpipe_question question = {
			.root = root, .path = "/app/main", .cwd = directories[i].cwd, .envp = envp, .report = &report
		};

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_SETUP_FAILED);
		ck_assert_int_eq(ex.detail, directories[i].detail);
		ck_assert_str_eq(or_none(ex.available), or_none(directories[i].available));
		if (ex.detail)
			assert_said(&ex, "only a shell expands $ and ~");
	}
}
END_TEST

/* A program outside the root. The path ends in XXXXXX. */
static void make_outside(char *path)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
}

/* Only if the question allows it, and only in another root. */
START_TEST(a_path_of_the_host)
{
	char path[] = "/tmp/errpipe-host.XXXXXX";
	struct errpipe_question question = { .root = root, .path = path };

	make_outside(path);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MISSING);
	question.compare_own_root = 1;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_HOST_PATH);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	question.path = "/usr/bin/env";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MISSING);
	unlink(path);
}
END_TEST

/* The path of the root, as the kernel or the caller calls it, and a path in it. */
START_TEST(a_path_with_the_root)
{
	static const struct {
		const char *before, *after, *object;
	} paths[] = {
		{ base, "/data/bin/refused", "/data/bin/refused" },
		{ base, "//bin/tool", "//bin/tool" },
		{ "img", "/data/bin/refused", "/data/bin/refused" },
		{ "././img", "/data/bin/refused", "/data/bin/refused" },
		{ base, "/data/bin/none", NULL },
		{ base, "2/data/bin/refused", NULL },
		{ base, "/data/bin", NULL },
		{ "img2", "/data/bin/refused", NULL },
		{ "/img", "/data/bin/refused", NULL },
		{ "/tmp", "/data/bin/refused", NULL },
	};
	char path[2 * PATH_MAX];
	const struct errpipe_question question = { .root = root, .path = path, .root_name = "./img/", .cwd = "/mnt" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		snprintf(path, sizeof(path), "%s%s", paths[i].before, paths[i].after);
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_msg(ex.cause == (paths[i].object ? ERRPIPE_CAUSE_NEAR_MISS : ERRPIPE_CAUSE_MISSING),
			      "%s: %s", path, errpipe_cause_name(ex.cause));
		ck_assert_str_eq(or_none(ex.object), or_none(paths[i].object));
		if (paths[i].object)
			assert_said(&ex, "that is a path of this machine; inside the root, use \"/");
	}
	snprintf(path, sizeof(path), "%s/usr/bin/python3", base);
	make_script(path);
	snprintf(path, sizeof(path), "/app/script-x");
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	assert_said(&ex, "inside the root, use \"/usr/bin/python3\" in the first line of \"/app/script-x\"");
	unlinkat(root, "app/script-x", 0);
}
END_TEST

/* A symbolic link that was made outside the root. */
START_TEST(a_link_of_the_host)
{
	char host[] = "/tmp/errpipe-host.XXXXXX", with_root[PATH_MAX + 16];
	const struct {
		const char *target;
		enum errpipe_detail detail;
		const char *words;
	} links[] = {
		{ with_root, ERRPIPE_DETAIL_LINK_WITH_ROOT, "correct the symlink: ln -sfn /bin/tool img/mnt/link" },
		{ host, ERRPIPE_DETAIL_LINK_TO_HOST, "does not exist inside the root, only on this machine" },
		{ "/errpipe/none", ERRPIPE_DETAIL_NONE, "create \"/errpipe/none\" or correct the symlink" },
		{ "/usr/bin/env", ERRPIPE_DETAIL_NONE, "create \"/usr/bin/env\"" },
		{ "none", ERRPIPE_DETAIL_NONE, "create \"none\"" },
	};
	struct errpipe_question question = {
		.root = root, .path = "/mnt/link", .root_name = "img", .compare_own_root = 1
	};

	make_outside(host);
	snprintf(with_root, sizeof(with_root), "%s/bin/tool", base);
	for (size_t i = 0; i < COUNT(links); i++) {
		ck_assert_int_eq(symlinkat(links[i].target, root, "mnt/link"), 0);
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_DANGLING_LINK);
		ck_assert_int_eq(ex.detail, links[i].detail);
		ck_assert_str_eq(ex.object, links[i].target);
		assert_said(&ex, links[i].words);
		unlinkat(root, "mnt/link", 0);
	}
	question.compare_own_root = 0;
	ck_assert_int_eq(symlinkat(host, root, "mnt/link"), 0);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	unlinkat(root, "mnt/link", 0);
	unlink(host);
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
	tcase_add_test(tcase, a_file_of_that_name);
	tcase_add_test(tcase, the_words);
	tcase_add_test(tcase, an_assignment);
	tcase_add_test(tcase, a_word_before_the_program);
	tcase_add_test(tcase, an_interpreter);
	tcase_add_test(tcase, a_moved_environment);
	tcase_add_test(tcase, no_shell);
	tcase_add_test(tcase, a_working_directory);
	tcase_add_test(tcase, a_path_of_the_host);
	tcase_add_test(tcase, a_path_with_the_root);
	tcase_add_test(tcase, a_link_of_the_host);
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
