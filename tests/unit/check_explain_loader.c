/* SPDX-License-Identifier: MIT */
/* The libraries of dynamic programs in a root made for that. Whether the real loaders agree, make check-loaders shows. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "dynamic.h"
#include "errpipe_explain.h"
#include "fixture.h"
#include "said.h"
#include "skip.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct errpipe_explanation ex;
static const char *fixture;
static int root;

static char *empty[] = { NULL };

/* What its constant strings say makes a loader. */
static const char glibc[] = "\0/lib/\0/usr/lib/\0error while loading shared libraries\0/etc/ld.so.cache\0"
			    "/etc/ld.so.preload\0CPU ISA level is lower than required\0--glibc-hwcaps-prepend\0"
			    "cannot dynamically load position-independent executable";
static const char old_glibc[] = "\0/lib/\0/usr/lib/\0error while loading shared libraries\0FATAL: kernel too old";
static const char musl[] = "\0Error loading shared library %s: %m (needed by %s)\0%.*s/etc/ld-musl-x86_64.path";
static const char nixos[] = "\0NixOS cannot run dynamically linked executables";
static const char unknown[] = "\0some other loader";

static void put_loader(const char *constants, size_t size)
{
	const struct dynamic_file loader = { .soname = "ld.so", .constants = constants, .constants_size = size };

	dynamic_write(root, "lib/ld.so", &loader);
}

#define LOADER(constants) put_loader(constants, sizeof(constants))

static void put_text(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The program that needs libx.so.1, and what else the test wants. */
static void put_program(struct dynamic_file program)
{
	program.loader = "/lib/ld.so";
	if (!program.needed[0])
		program.needed[0] = "libx.so.1";
	dynamic_write(root, "app", &program);
}

static void put_library(const char *path, struct dynamic_file library)
{
	dynamic_write(root, path, &library);
}

static void setup(void)
{
	static const char *const directories[] = { "lib", "usr",   "usr/lib", "etc", "etc/ld.so.conf.d",
						   "opt", "opt/a", "opt/b" };
	char *path;

	path = keep(asprintf(&path, "%s/root.XXXXXX", fixture) < 0 ? NULL : path);
	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(chmod(path, 0755), 0);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(directories); i++)
		ck_assert_int_eq(mkdirat(root, directories[i], 0755), 0);
	LOADER(glibc);
	put_program((struct dynamic_file){ .soname = NULL });
}

static void teardown(void)
{
	close(root);
}

static void ask(struct errpipe_question question)
{
	question.root = root;
	question.path = "/app";
	if (!question.envp)
		question.envp = empty;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

static void ask_with(char *variable)
{
	char *envp[] = { variable, NULL };

	ask((struct errpipe_question){ .envp = envp });
}

static void must_start(void)
{
	char finding[4096];

	errpipe_finding(finding, sizeof(finding), &ex);
	ck_assert_msg(ex.cause == ERRPIPE_CAUSE_NONE && ex.works && ex.starts && !ex.status, "%s", finding);
}

/* The loader stops. */
static void must_stop(enum errpipe_cause cause, int status)
{
	char finding[4096];

	errpipe_finding(finding, sizeof(finding), &ex);
	ck_assert_msg(ex.cause == cause && ex.works && !ex.starts && ex.status == status && !ex.error,
		      "%s: %s, status %d", errpipe_cause_name(ex.cause), finding, ex.status);
}

static const struct errpipe_library *library(const char *name)
{
	for (int i = 0; i < ex.libraries; i++) {
		if (strcmp(ex.library[i].name, name) == 0)
			return &ex.library[i];
	}
	ck_abort_msg("%s is not among the libraries", name);
	return NULL;
}

/* --- where it looks ----------------------------------------------------------------------------- */

START_TEST(missing)
{
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(ex.broken, 0);
	ck_assert_str_eq(ex.subject, "libx.so.1");
	ck_assert_str_eq(ex.needer, "/app");
	ck_assert_ptr_null(ex.searched);
	ck_assert_int_eq(library("libx.so.1")->fault, ERRPIPE_CAUSE_LIBRARY_MISSING);
	assert_said(&ex, "\"/app\" needs the library \"libx.so.1\", which its loader does not find");
	assert_said(&ex, "install it, or add its directory to LD_LIBRARY_PATH");
}
END_TEST

START_TEST(in_a_default_directory)
{
	put_library(_i ? "lib/libx.so.1" : "usr/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(ex.libraries, 1);
	ck_assert_str_eq(ex.library[0].name, "libx.so.1");
	ck_assert_str_eq(ex.library[0].path, _i ? "/lib/libx.so.1" : "/usr/lib/libx.so.1");
	ck_assert_str_eq(ex.library[0].needed_by, "/app");
}
END_TEST

/* The environment is unknown, so LD_LIBRARY_PATH may name its directory. */
START_TEST(without_an_environment)
{
	struct errpipe_question question = { .root = root, .path = "/app" };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

START_TEST(by_the_environment)
{
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .needed = { "liby.so.1" } });
	put_library("opt/b/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	ask_with("LD_LIBRARY_PATH=/nowhere:/opt/a/;/opt/b");
	must_start();
	ck_assert_str_eq(library("libx.so.1")->path, "/opt/a/libx.so.1");
	ck_assert_str_eq(library("liby.so.1")->needed_by, "/opt/a/libx.so.1");
	ask_with("LD_LIBRARY_PATH=/opt/a/libx.so.1:/opt/a:/opt/b"); /* the first one is not a directory */
	must_start();
	ask_with("LD_LIBRARY_PATH=/opt/a/libx.so.1:/opt/b"); /* the library instead of its directory */
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_SEARCHED);
	ck_assert_str_eq(ex.available, "/opt/a/libx.so.1");
	ask_with("LD_LIBRARY_PATH=/opt/a");
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_str_eq(ex.needer, "/opt/a/libx.so.1");
	ck_assert_str_eq(ex.searched, "/opt/a");
	assert_said(&ex, "the loader searched /opt/a and the system directories");
}
END_TEST

/* A quoted "~" or variable: no directory has such a name. */
START_TEST(not_expanded)
{
	static char *const values[] = { "LD_LIBRARY_PATH=~/a", "LD_LIBRARY_PATH=/none:$HOME/a",
					"LD_LIBRARY_PATH=${HOME}/a", "LD_LIBRARY_PATH=~other/a" };
	char *envp[] = { values[_i], "HOME=/opt", NULL };

	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = envp });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, _i < 3 ? ERRPIPE_DETAIL_NOT_SEARCHED : ERRPIPE_DETAIL_NONE);
	if (_i < 3)
		assert_said(&ex, "it is \"/opt/a/libx.so.1\": add that directory to LD_LIBRARY_PATH");
}
END_TEST

START_TEST(rpath_is_inherited_and_runpath_is_not)
{
	struct dynamic_file program = { .needed = { "libx.so.1" } };

	put_library("opt/a/libx.so.1", (struct dynamic_file){ .needed = { "liby.so.1" } });
	put_library("opt/a/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	program.rpath = "/opt/a";
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	program.rpath = NULL;
	program.runpath = "/opt/a";
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_str_eq(ex.subject, "liby.so.1");
	program.rpath = "/opt/a"; /* ignored beside RUNPATH */
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
}
END_TEST

START_TEST(beside_the_program)
{
	static const char *const runpaths[] = { "$ORIGIN/opt/a", "/none:${ORIGIN}/opt/a", "$ORIGIN/$LIB/../opt/a" };

	put_program((struct dynamic_file){ .runpath = runpaths[_i] });
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(origin_is_lost)
{
	static const struct {
		const char *list, *meant; /* NULL: not found */
	} lists[] = {
		{ "RIGIN/opt/a", "$ORIGIN/opt/a" },
		{ "\\$ORIGIN/opt/a", "$ORIGIN/opt/a" },
		{ "/none:\\${ORIGIN}/opt/a:/other", "/none:$ORIGIN/opt/a:/other" },
		{ "$$ORIGIN/opt/../opt/a/", "$ORIGIN/opt/../opt/a/" },
		{ "$ORGIN/opt/a", "$ORIGIN/opt/a" },
		{ "/none:${origin}/opt/a", "/none:$ORIGIN/opt/a" },
		{ "@executable_path/opt/a", "$ORIGIN/opt/a" },
		{ "$ORGIN/opt/b", NULL },
		{ "$/opt/a", NULL },
		{ "RIGIN/opt/b", NULL },
		{ "RIGINAL/opt/a", NULL },
		{ "/none", NULL },
	};

	for (int musls = 0; musls < 2; musls++) {
		if (musls)
			LOADER(musl);
		put_program((struct dynamic_file){ .runpath = _i % 2 ? lists[_i / 2].list : NULL,
						   .rpath = _i % 2 ? NULL : lists[_i / 2].list });
		put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
		ask((struct errpipe_question){ .cwd = "/usr", .root_name = "img" });
		must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
		ck_assert_int_eq(ex.detail, lists[_i / 2].meant ? ERRPIPE_DETAIL_ORIGIN_LOST : ERRPIPE_DETAIL_NONE);
		if (!lists[_i / 2].meant)
			continue;
		ck_assert_str_eq(ex.object, lists[_i / 2].meant);
		ck_assert_int_eq(strncmp(ex.available, "/opt", 4), 0);
		assert_said(&ex, " img/app");
	}
}
END_TEST

START_TEST(below_opt)
{
	put_program((struct dynamic_file){ .needed = { "libz.so.1" } });
	put_library("opt/a/libz.so.1", (struct dynamic_file){ .soname = "libz.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	ck_assert_int_eq(mkdirat(root, "opt/b/lib", 0755), 0);
	put_library("opt/b/lib/libz.so.1", (struct dynamic_file){ .soname = "libz.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_SEARCHED);
	ck_assert_str_eq(ex.available, "/opt/b/lib/libz.so.1");
}
END_TEST

/* Of a library that is there under another name, and of the loader itself. */
START_TEST(loaded_already)
{
	put_program((struct dynamic_file){ .needed = { "liby.so", "libx.so.1", "ld.so" } });
	put_library("lib/liby.so", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(ex.libraries, 1);
}
END_TEST

START_TEST(by_path)
{
	put_program((struct dynamic_file){ .needed = { "$ORIGIN/opt/a/liba.so" } });
	put_library("opt/a/liba.so", (struct dynamic_file){ .soname = "liba.so" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	put_program((struct dynamic_file){ .needed = { "/opt/b/liba.so" } });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_ABSOLUTE_LIBRARY);
	assert_said(&ex, "put it there, or: patchelf --replace-needed /opt/b/liba.so liba.so /app");
}
END_TEST

/* Linked by its path, without a SONAME. */
START_TEST(by_relative_path)
{
	put_library("opt/a/liba.so", (struct dynamic_file){ .soname = NULL });
	put_program((struct dynamic_file){ .needed = { "a/liba.so" } });
	ask((struct errpipe_question){ .cwd = "/opt" });
	must_start();
	ask((struct errpipe_question){ .cwd = "/usr" });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_RELATIVE_LIBRARY);
	assert_said(
		&ex,
		"\"/app\" needs the library \"a/liba.so\", which its loader does not find in the working directory");
	assert_said(&ex, "start it where that path exists, or: patchelf --replace-needed a/liba.so liba.so /app");
	put_program((struct dynamic_file){ .needed = { "./opt/a/liba.so" } });
	ask((struct errpipe_question){ .cwd = "/usr" });
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_BESIDE_PROGRAM);
	assert_said(&ex,
		    "start it in /, or: patchelf --replace-needed ./opt/a/liba.so '$ORIGIN/./opt/a/liba.so' /app");
	ask((struct errpipe_question){ .cwd = "/usr", .root_name = "img" });
	assert_said(&ex,
		    "start it in /, or: patchelf --replace-needed ./opt/a/liba.so '$ORIGIN/./opt/a/liba.so' img/app");
	LOADER(musl);
	ask((struct errpipe_question){ .cwd = "/usr", .root_name = "img" });
	assert_said(&ex, "start it in /, or: patchelf --replace-needed ./opt/a/liba.so liba.so img/app");
}
END_TEST

/* The exec of another user's set-id program: its loader ignores LD_LIBRARY_PATH. */
START_TEST(gains_rights)
{
	const struct errpipe_who who = { .uid = geteuid() + 1, .gid = getegid() };
	const struct errpipe_who owner = { .uid = geteuid(), .gid = getegid() };

	ck_assert_int_eq(fchmodat(root, "app", 04755, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_PRIVILEGED_LIBRARY);
	assert_said(&ex, "LD_LIBRARY_PATH is ignored");
	put_library("libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .who = &who });
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_PRIVILEGED_ELSEWHERE);
	ask((struct errpipe_question){ .who = &who, .root_name = "img" });
	assert_said(&ex, "directory to img/etc/ld.so.conf, run ldconfig -r img (");
	ask((struct errpipe_question){ .who = &owner });
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_SEARCHED);
}
END_TEST

/* Files in a directory that the loader searches. */
START_TEST(in_its_place)
{
	static const struct {
		const char *needed, *name, *soname;
		enum errpipe_detail detail;
	} cases[] = {
		{ "libx.so.1", "libx.so.1.2", "libx.so.1", ERRPIPE_DETAIL_UNLINKED_LIBRARY },
		{ "libx.so.1", "libx.so", "libx.so.1", ERRPIPE_DETAIL_UNLINKED_LIBRARY },
		{ "libx.so.1.1", "libx.so.3", "libx.so.3", ERRPIPE_DETAIL_OTHER_VERSION },
		{ "libx.so", "libx.so.3", "libx.so.3", ERRPIPE_DETAIL_OTHER_VERSION },
		{ "libpython3.9.so.1.0", "libpython3.11.so.1.0", "libpython3.11.so.1.0",
		  ERRPIPE_DETAIL_OTHER_VERSION },
		{ "libx-1.so.0", "libx-2.so.0", "libx-2.so.0", ERRPIPE_DETAIL_OTHER_VERSION },
		{ "libx2.so.1.0", "libx2.so.2", "libx2.so.2", ERRPIPE_DETAIL_OTHER_VERSION },
		{ "libz.so.1", "libz3.so.4", "libz3.so.4", ERRPIPE_DETAIL_NONE },
		{ "libz4.so.4", "libz3.so.4", "libz3.so.4", ERRPIPE_DETAIL_NONE },
		{ "libx264.so.155", "libx265.so.199", "libx265.so.199", ERRPIPE_DETAIL_NONE },
		{ "libmp3.so", "libmp4.so.1", "libmp4.so.1", ERRPIPE_DETAIL_NONE },
		{ "libpy38.so.1.71", "libpy39.so.1.71", "libpy39.so.1.71", ERRPIPE_DETAIL_NONE },
		{ "libz.so.1", "libz.a.1", "libz.so.4", ERRPIPE_DETAIL_NONE },
		{ "libz.so.1", "libzz.so.1", "libzz.so.1", ERRPIPE_DETAIL_NONE },
		{ "libz.so.1", "libz.so.1.bak", "libz.so.1", ERRPIPE_DETAIL_NONE },
	};
	char path[64];

	for (int musls = 0; musls < 2; musls++) {
		if (musls)
			LOADER(musl);
		put_program((struct dynamic_file){ .needed = { cases[_i].needed } });
		snprintf(path, sizeof(path), "lib/%s", cases[_i].name);
		put_library(path, (struct dynamic_file){ .soname = cases[_i].soname });
		ask((struct errpipe_question){ .envp = empty });
		must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
		ck_assert_int_eq(ex.detail, cases[_i].detail);
		if (cases[_i].detail)
			ck_assert_str_eq(ex.available + 1, path);
	}
}
END_TEST

START_TEST(dangling)
{
	put_library("lib/libx.so.2", (struct dynamic_file){ .soname = "libx.so.2" });
	ck_assert_int_eq(symlinkat("libx.so.1.2", root, "lib/libx.so.1"), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_DANGLING_LIBRARY);
	assert_said(&ex, "reinstall it: the symlink \"/lib/libx.so.1\" leads to \"libx.so.1.2\", which is missing");
	put_library("usr/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(no_default_directories)
{
	put_program((struct dynamic_file){ .flags_1 = DF_1_NODEFLIB });
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
}
END_TEST

/* A symbolic link of the root stays in the root. */
START_TEST(through_a_link)
{
	put_library("opt/a/libx.so.1.2", (struct dynamic_file){ .soname = "libx.so.1" });
	ck_assert_int_eq(symlinkat("/opt/a/libx.so.1.2", root, "lib/libx.so.1"), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(preloaded)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask_with("LD_PRELOAD=/none.so none.so");
	must_start();
	put_library("lib/libp.so", (struct dynamic_file){ .needed = { "libq.so" } });
	ask_with("LD_PRELOAD=libp.so");
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_str_eq(ex.needer, "/lib/libp.so");
	put_text("etc/ld.so.preload", "# libp.so\n/none.so\n");
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	put_text("etc/ld.so.preload", "/lib/libp.so # for all\n");
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
}
END_TEST

/* The hint says where it is. */
START_TEST(elsewhere)
{
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	if (_i == 0)
		ck_assert_int_eq(renameat(root, "opt/a/libx.so.1", root, "libx.so.1"), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, _i == 0 ? ERRPIPE_DETAIL_NOT_SEARCHED : ERRPIPE_DETAIL_NONE);
	if (_i == 0)
		assert_said(&ex, "it is \"/libx.so.1\": add that directory to LD_LIBRARY_PATH");
}
END_TEST

START_TEST(not_modelled)
{
	static char *const variables[] = { "LD_AUDIT=/lib/audit.so", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2" };

	ask_with(variables[_i]);
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	ask_with("LD_TRACE_LOADED_OBJECTS=1");
	must_start();
	LOADER(unknown);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

/* --- ld.so.cache -------------------------------------------------------------------------------- */

/* The flags of libraries for x86-64. On other machines the test knows none that fit. */
enum { X86_64 = 0x303, I386 = 3 };

START_TEST(in_the_cache)
{
	static const struct cache_entry entries[] = { { "libx.so.10", "/opt/b/libx.so.10", X86_64, NULL },
						      { "libx.so.9", "/opt/b/libx.so.9", X86_64, NULL },
						      { "libx.so.1", "/opt/b/libx.so.1", I386, NULL },
						      { "libx.so.1", "/opt/a/libx.so.1", X86_64, NULL },
						      { "libc.so.6", "/lib/libc.so.6", X86_64, NULL } };

	if (own_machine() != EM_X86_64)
		return;
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	cache_write(root, "etc/ld.so.cache", entries, COUNT(entries));
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_str_eq(ex.library[0].path, "/opt/a/libx.so.1");
	put_program((struct dynamic_file){ .flags_1 = DF_1_NODEFLIB }); /* /opt is no default directory */
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	cache_write(root, "etc/ld.so.cache", entries, 3); /* without the entry that fits */
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}
END_TEST

/* Every level that a loader knows may be that of this machine. This one is not known. */
START_TEST(in_the_cache_for_other_processors)
{
	static const struct cache_entry entries[] = { { "libx.so.1", "/opt/b/libx.so.1", X86_64, "x86-64-v9" },
						      { "libx.so.1", "/opt/a/libx.so.1", X86_64, NULL } };

	if (own_machine() != EM_X86_64)
		return;
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	put_library("opt/b/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	cache_write(root, "etc/ld.so.cache", entries, COUNT(entries));
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_str_eq(ex.library[0].path, "/opt/a/libx.so.1");
}
END_TEST

/* An entry whose file is gone: the loader goes on with the default directories. */
START_TEST(gone_from_the_cache)
{
	static const struct cache_entry entries[] = { { "libx.so.1", "/opt/a/libx.so.1", X86_64, NULL } };

	cache_write(root, "etc/ld.so.cache", entries, COUNT(entries));
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	put_library("usr/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(ldconfig_was_not_run)
{
	static const struct cache_entry entries[] = { { "libz.so.1", "/lib/libz.so.1", X86_64, NULL } };

	cache_write(root, "etc/ld.so.cache", entries, COUNT(entries));
	put_text("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
	put_text("etc/ld.so.conf.d/x.conf", "# ours\n /opt/b\n\t/opt/a # new\n");
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_IN_CACHE);
	ck_assert_str_eq(ex.available, "/opt/a/libx.so.1");
	assert_said(&ex, "run ldconfig: ");
	ask((struct errpipe_question){ .root_name = "img" });
	assert_said(&ex, "run ldconfig -r img: ");
}
END_TEST

/* A library was copied into an image, and ldconfig has never run. It would take the library by its SONAME. */
START_TEST(without_a_cache)
{
	put_text("etc/ld.so.conf.d/x.conf", "/opt/a\n");
	put_text("etc/ld.so.conf", _i == 2 ? "/opt/b\n" : "# all\n include ld.so.conf.d/*.conf\n");
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = _i == 1 ? "libx.so.2" : "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, _i ? ERRPIPE_DETAIL_NONE : ERRPIPE_DETAIL_NOT_IN_CACHE);
	LOADER(musl); /* it has no such file */
	ask((struct errpipe_question){ .envp = empty });
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
}
END_TEST

START_TEST(other_version_in_the_cache)
{
	static const struct cache_entry entries[] = { { "libx.so.3", "/opt/b/libx.so.3", I386, NULL },
						      { "libx.so.2", "/opt/a/libx.so.2", X86_64, NULL } };

	if (own_machine() != EM_X86_64)
		return;
	put_library("opt/a/libx.so.2", (struct dynamic_file){ .soname = "libx.so.2" });
	cache_write(root, "etc/ld.so.cache", entries, COUNT(entries));
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_OTHER_VERSION);
	assert_said(&ex, "install exactly that version: \"/app\" was not built for \"/opt/a/libx.so.2\"");
}
END_TEST

START_TEST(a_cache_of_another_format)
{
	put_text("etc/ld.so.cache",
		 _i ? "short" : "glibc-ld.so.cache9.9, and as many bytes as a header has, and some more\n");
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

/* --- what it finds ------------------------------------------------------------------------------ */

START_TEST(other_machine)
{
	put_library("lib/libx.so.1",
		    (struct dynamic_file){ .machine = own_machine() == EM_S390 ? EM_PPC64 : EM_S390 });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE, 127);
	ck_assert_str_eq(ex.subject, "/lib/libx.so.1");
	put_library("usr/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(not_a_library)
{
	static const struct {
		const char *text;
		enum errpipe_detail detail;
		enum errpipe_content content;
		const char *words;
	} cases[] = {
		{ "", ERRPIPE_DETAIL_LIBRARY_EMPTY, 0, "is an empty file" },
		{ "\1", ERRPIPE_DETAIL_LIBRARY_SHORT, 0, "is too short for a library" },
		{ "/* GNU ld script */\nGROUP ( /lib/libx.so.1.2 )", ERRPIPE_DETAIL_LIBRARY_LINKER_SCRIPT, 0,
		  "is a linker script, not the library itself" },
		{ "INPUT(libx.so.1.2)", ERRPIPE_DETAIL_LIBRARY_LINKER_SCRIPT, 0, "is a linker script" },
		{ "INPUT is no linker script, and long enough for an ELF header, which has 64 bytes.\n",
		  ERRPIPE_DETAIL_LIBRARY_NOT_ELF, ERRPIPE_CONTENT_PLAIN_TEXT, "looks like plain text" },
		{ "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", ERRPIPE_DETAIL_LIBRARY_SHORT,
		  ERRPIPE_CONTENT_GIT_LFS_POINTER, "git lfs pull" },
		{ "<html><head><title>404</title></head></html>\n", ERRPIPE_DETAIL_LIBRARY_SHORT,
		  ERRPIPE_CONTENT_WEB_PAGE, "looks like a web page" },
		{ "\x7f"
		  "EL is neither ELF nor a text, but it is long enough for an ELF header, which has 64.\n",
		  ERRPIPE_DETAIL_LIBRARY_NOT_ELF, 0, "is not an ELF file" },
	};

	put_text("lib/libx.so.1", cases[_i].text);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 127);
	ck_assert_int_eq(ex.detail, cases[_i].detail);
	ck_assert_int_eq(ex.subject_content, cases[_i].content);
	assert_said(&ex, cases[_i].words);
	ck_assert_int_eq(unlinkat(root, "lib/libx.so.1", 0), 0);
	ck_assert_int_eq(mkdirat(root, "lib/libx.so.1", 0755), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_LIBRARY_NOT_A_FILE);
}
END_TEST

/* Files of another kind. musl loads all but the last one, which has no segment. */
START_TEST(refused)
{
	static const struct {
		struct dynamic_file file;
		off_t size;
		enum errpipe_detail detail;
	} cases[] = {
		{ { .system = ELFOSABI_FREEBSD }, DYNAMIC_SIZE, ERRPIPE_DETAIL_LIBRARY_OTHER_SYSTEM },
		{ { .type = ET_EXEC }, DYNAMIC_SIZE, ERRPIPE_DETAIL_LIBRARY_IS_PROGRAM },
		{ { .flags_1 = DF_1_PIE }, DYNAMIC_SIZE, ERRPIPE_DETAIL_LIBRARY_IS_PROGRAM },
		{ { .soname = "libx.so.1" }, sizeof(ElfW(Ehdr)), ERRPIPE_DETAIL_LIBRARY_DAMAGED },
	};
	int fd;

	put_library("lib/libx.so.1", cases[_i].file);
	fd = openat(root, "lib/libx.so.1", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, cases[_i].size), 0);
	close(fd);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 127);
	ck_assert_int_eq(ex.detail, cases[_i].detail);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	LOADER(musl);
	put_text("etc/ld-musl-x86_64.path", "/lib");
	ask((struct errpipe_question){ .envp = empty });
	if (_i == 3)
		must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 127);
	else
		must_start();
}
END_TEST

/* The dynamic section is beyond its end: the loader is killed by SIGBUS. */
START_TEST(cut_off)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd;

	if (page > DYNAMIC_SECTION_AT)
		return;
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	fd = openat(root, "lib/libx.so.1", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, DYNAMIC_SECTION_AT), 0);
	close(fd);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 0);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_LIBRARY_CUT_OFF);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	assert_said(&ex, "which is truncated: it ends after 8192 bytes");
}
END_TEST

/* A page is missing that the loader may not touch. The rest of the last page counts as there. */
START_TEST(cut_off_later)
{
	const struct {
		off_t size;
		bool is_cut;
	} cases[] = { { DYNAMIC_STRINGS_AT + 1, true },
		      { DYNAMIC_SIZE - sysconf(_SC_PAGESIZE), true },
		      { DYNAMIC_SIZE - 1, false } };
	int fd;

	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	fd = openat(root, "lib/libx.so.1", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, cases[_i].size), 0);
	close(fd);
	ask((struct errpipe_question){ .envp = empty });
	if (!cases[_i].is_cut) {
		must_start();
		return;
	}
	must_stop(ERRPIPE_CAUSE_LIBRARY_INVALID, 0);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_LIBRARY_CUT_OFF);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------- */

/* The smallest limit of address space with which it starts, in whole pages. */
static uint64_t border(void)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	bool was_seen = false;

	for (uint64_t limit = page; limit < 64 << 20; limit += page) {
		ask((struct errpipe_question){ .limit_address_space = limit });
		if (ex.starts) {
			ck_assert(was_seen);
			must_start();
			return limit;
		}
		if (ex.cause != ERRPIPE_CAUSE_LIBRARY_LIMIT)
			continue;
		was_seen = true;
		must_stop(ERRPIPE_CAUSE_LIBRARY_LIMIT, 127);
		ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
		ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_CONFIGURED_LIMIT);
		ck_assert_uint_eq(ex.limit, limit);
		ck_assert_uint_lt(limit, ex.number);
		assert_said(&ex, "\"/app\" and its libraries need at least ");
		assert_said(&ex, " bytes; RLIMIT_AS is ");
	}
	ck_abort_msg("no limit is enough");
	return 0;
}

/* Each library adds to what the loader needs. */
START_TEST(little_memory)
{
	uint64_t one;

	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	put_library("lib/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	one = border();
	put_program((struct dynamic_file){ .needed = { "libx.so.1", "liby.so.1" } });
	ck_assert_uint_lt(one, border());
}
END_TEST

static void assert_limit(uint64_t limit, const char *words)
{
	ask((struct errpipe_question){ .limit_files = limit });
	must_stop(ERRPIPE_CAUSE_OPEN_FILES, 127);
	assert_said(&ex, words);
}

START_TEST(few_files)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	for (uint64_t limit = 0; limit < 6; limit++) {
		ask((struct errpipe_question){ .limit_files = limit });
		if (!limit || limit > 3) {
			must_start();
			continue;
		}
		must_stop(ERRPIPE_CAUSE_OPEN_FILES, 127);
		ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
		assert_said(&ex, "(RLIMIT_NOFILE), so its loader cannot open \"libx.so.1\"");
	}
	assert_limit(ERRPIPE_LIMIT_0, "can have only 0 files open");
	assert_limit(1, "can have only 1 file open");
	assert_limit(3, "can have only 3 files open");
	put_program((struct dynamic_file){ .needed = { "ld.so" } });
	ask((struct errpipe_question){ .limit_files = 3 });
	must_start();
}
END_TEST

/* Only RPATH counts for what a library needs. */
START_TEST(not_inherited)
{
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .needed = { "liby.so.1" } });
	put_library("opt/a/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	put_program((struct dynamic_file){ .rpath = "/opt/a" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_INHERITED);
	ck_assert_str_eq(ex.available, "/opt/a/liby.so.1");
	assert_said(&ex, "\"/opt/a/liby.so.1\" is in a RUNPATH that is not inherited: "
			 "patchelf --add-rpath '$ORIGIN' /opt/a/libx.so.1");
	put_library("opt/b/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	ck_assert_int_eq(unlinkat(root, "opt/a/liby.so.1", 0), 0);
	put_program((struct dynamic_file){ .runpath = "/opt/a:/opt/b" });
	ask((struct errpipe_question){ .envp = empty });
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NOT_INHERITED);
	assert_said(&ex, "patchelf --add-rpath /opt/b /opt/a/libx.so.1");
	LOADER(musl);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

/* The program's own need, and a library of the right name that nobody's RUNPATH leads to. */
START_TEST(not_by_runpath)
{
	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	put_library("opt/b/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_ne(ex.detail, ERRPIPE_DETAIL_NOT_INHERITED);
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .needed = { "liby.so.1" } });
	put_library("opt/b/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_ne(ex.detail, ERRPIPE_DETAIL_NOT_INHERITED);
}
END_TEST

START_TEST(filters)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .filter = "liby.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	put_library("lib/libx.so.1", (struct dynamic_file){ .auxiliary = "liby.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	put_library("lib/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_str_eq(library("liby.so.1")->path, "/lib/liby.so.1");
}
END_TEST

START_TEST(not_readable)
{
	const struct errpipe_who who = { .uid = 1234, .gid = 1234 };

	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ck_assert_int_eq(fchmodat(root, "lib/libx.so.1", 0711, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_stop(ERRPIPE_CAUSE_LIBRARY_UNREADABLE, 127);
	ck_assert_str_eq(ex.subject, "/lib/libx.so.1");
	assert_said(&ex, "chmod a+r /lib/libx.so.1");
	ask((struct errpipe_question){ .who = &who, .root_name = "img" });
	assert_said(&ex, "chmod a+r img/lib/libx.so.1");
	ck_assert_int_eq(fchmodat(root, "lib/libx.so.1", 0444, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_start();
}
END_TEST

START_TEST(in_a_shut_directory)
{
	const struct errpipe_who who = { .uid = 1234, .gid = 1234 };

	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ck_assert_int_eq(fchmodat(root, "opt/a", 0700, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_stop(ERRPIPE_CAUSE_LIBRARY_UNREADABLE, 127);
	ck_assert_str_eq(ex.object, "/opt/a");
	assert_said(&ex, "but the user it runs as may not read it: no x permission on \"/opt/a\"");
	assert_said(&ex, "chmod a+x /opt/a");
	ask((struct errpipe_question){ .who = &who, .root_name = "img" });
	assert_said(&ex, "chmod a+x img/opt/a");
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .who = &who });
	must_start();
}
END_TEST

/* A process that may not even see whether the library is in the directory. */
static void search_shut(int i)
{
	(void)i;
	if (setresgid(1234, 1234, 1234) < 0 || setresuid(1234, 1234, 1234) < 0)
		SKIP("needs root");
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_SHUT_DIRECTORY);
	ck_assert_str_eq(ex.object, "/opt/a");
	assert_said(&ex, "which its loader does not find; it may not search \"/opt/a\"");
	assert_said(&ex, "if it is there: chmod a+x /opt/a; else install it");
}

/* errpipe sees that the library is not there. */
static void search_empty(int i)
{
	const struct errpipe_who who = { .uid = 1234, .gid = 1234 };

	ask((struct errpipe_question){ .who = &who });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	(void)i;
}

/* The directory is open, or a later one has the library. */
static void search_other(int i)
{
	(void)i;
	if (setresgid(1234, 1234, 1234) < 0 || setresuid(1234, 1234, 1234) < 0)
		SKIP("needs root");
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}

START_TEST(in_a_directory_that_is_shut_for_us)
{
	if (_i)
		LOADER(musl);
	put_program((struct dynamic_file){ .runpath = "/opt/a/lib:/opt/b" });
	ck_assert_int_eq(mkdirat(root, "opt/a/lib", 0755), 0);
	ck_assert_int_eq(fchmodat(root, "opt/a", 0700, 0), 0);
	in_child(search_empty, _i);
	put_library("opt/a/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	in_child(search_shut, _i);
	put_library("opt/b/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	in_child(search_other, _i);
}
END_TEST

START_TEST(on_a_noexec_mount)
{
	struct errpipe_mount mount = { .at = "/opt/b", .noexec = 1 };

	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	put_program((struct dynamic_file){ .runpath = "/opt/b" });
	mount.source = openat(root, "opt/a", O_PATH | O_CLOEXEC);
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	must_stop(ERRPIPE_CAUSE_LIBRARY_NOEXEC_MOUNT, 127);
	ck_assert_str_eq(ex.subject, "/opt/b/libx.so.1");
	ck_assert_str_eq(ex.object, "/opt/b");
	mount.noexec = 0;
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	must_start();
	close(mount.source);
}
END_TEST

/* A volume, or a masked path, over the library or its directory. */
START_TEST(hidden_by_a_mount)
{
	static const struct {
		struct errpipe_mount mount;
		enum errpipe_detail detail;
		const char *said;
	} tries[] = {
		{ { .at = "/opt/a", .name = "/srv" },
		  ERRPIPE_DETAIL_NONE,
		  "but the mount of \"/srv\" on \"/opt/a\" hides it" },
		{ { .at = "opt/a", .masked = 1 }, ERRPIPE_DETAIL_MASKED, "but the mask on \"opt/a\" hides it" },
		{ { .at = "/opt/a/libx.so.1", .masked = 1 },
		  ERRPIPE_DETAIL_MASKED,
		  "but the mask on \"/opt/a/libx.so.1\"" },
	};
	struct errpipe_mount mount = tries[_i / 2].mount;

	if (_i % 2)
		LOADER(musl);
	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	mount.source = openat(root, "opt/b", O_PATH | O_CLOEXEC);
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127); /* the image does not have it either */
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	must_stop(ERRPIPE_CAUSE_LIBRARY_HIDDEN_BY_MOUNT, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(ex.detail, tries[_i / 2].detail);
	ck_assert_str_eq(ex.available, "/opt/a/libx.so.1");
	assert_said(&ex, tries[_i / 2].said);
	mount.at = "/opt/b";
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	must_start();
	close(mount.source);
}
END_TEST

/* A runtime cannot mount a directory on a file, so nobody gets as far as the loader. */
START_TEST(a_directory_on_a_library)
{
	struct errpipe_mount mount = { .at = "/opt/a/libx.so.1", .name = "/srv/libx.so.1" };

	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	mount.source = openat(root, "opt/b", O_PATH | O_CLOEXEC);
	ask((struct errpipe_question){ .mounts = &mount, .mounts_count = 1 });
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MOUNT_MISMATCH);
	assert_said(&ex,
		    "the directory \"/srv/libx.so.1\" cannot be mounted on \"/opt/a/libx.so.1\", which is a file");
	close(mount.source);
}
END_TEST

START_TEST(for_a_newer_kernel)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .kernel = { 99, 7 } });
	ask((struct errpipe_question){ .envp = empty });
	must_start(); /* this loader ignores the tag */
	LOADER(old_glibc);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL, 127);
	ck_assert_str_eq(ex.object, "99.7");
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .kernel = { 2, 6, 32 } });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(versions)
{
	struct dynamic_file program = { .version = { { "libx.so.1", "X_2.34", 0 } } };

	put_program(program);
	put_library("lib/libx.so.1",
		    (struct dynamic_file){ .soname = "libx.so.1",
					   .version = { { NULL, "X_2.4", 0 }, { NULL, "X_2.31", 0 } } });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 1);
	ck_assert_str_eq(ex.subject, "/lib/libx.so.1");
	ck_assert_str_eq(ex.object, "X_2.34");
	ck_assert_str_eq(ex.available, "X_2.31");
	ck_assert_str_eq(ex.needer, "/app");
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_OLDER);
	assert_said(&ex, "\"/app\" needs X_2.34, which \"/lib/libx.so.1\" does not have: its newest is X_2.31");
	program.version[0].weak = 1;
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	program.version[0] = (struct dynamic_version){ "libx.so.1", "X_2.4", 0 };
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	program.version[0].name = "X_9";
	put_program(program);
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start(); /* a library without versions: it aborts when the program calls a function of it */
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	program.flags_1 = DF_1_NOW;
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 127);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	program.version[0].weak = 1;
	put_program(program);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}
END_TEST

/* An older library hides a suitable one. The older one lacks the version, or is the one that needs it. */
START_TEST(shadowed)
{
	static const struct dynamic_file old = { .soname = "libx.so.1", .version = { { NULL, "X_1", 0 } } };
	static const struct dynamic_file new = { .soname = "libx.so.1",
						 .version = { { NULL, "X_1", 0 }, { NULL, "X_2", 0 } } };
	struct dynamic_file program = { .version = { { "libx.so.1", "X_2", 0 } } };

	if (_i)
		program.rpath = "/opt/a";
	put_program(program);
	put_library("opt/a/libx.so.1", old);
	ask_with(_i ? "TERM=xterm" : "LD_LIBRARY_PATH=/opt/a");
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 1);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_OLDER);
	put_library("usr/lib/libx.so.1", new);
	ask_with(_i ? "TERM=xterm" : "LD_LIBRARY_PATH=/opt/a");
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 1);
	ck_assert_int_eq(ex.detail, _i ? ERRPIPE_DETAIL_SHADOWED_BY_RPATH : ERRPIPE_DETAIL_SHADOWED_BY_VARIABLE);
	ck_assert_str_eq(ex.shadowing, "/opt/a/libx.so.1");
	ck_assert_str_eq(ex.shadowed, "/usr/lib/libx.so.1");
	assert_said(&ex, "so that \"/usr/lib/libx.so.1\" is used");
	ask_with(_i ? "LD_LIBRARY_PATH=/usr/lib" : "LD_LIBRARY_PATH=/usr/lib:/opt/a");
	if (!_i)
		must_start();
}
END_TEST

/* A library of a newer system, by LD_LIBRARY_PATH, needs a version that this system does not have. */
START_TEST(shadowed_needer)
{
	put_program((struct dynamic_file){ .needed = { "liby.so.1", "libx.so.1" } });
	put_library("lib/libx.so.1",
		    (struct dynamic_file){ .soname = "libx.so.1", .version = { { NULL, "X_1", 0 } } });
	put_library("opt/a/liby.so.1",
		    (struct dynamic_file){ .soname = "liby.so.1", .version = { { "libx.so.1", "X_2", 0 } } });
	ask_with("LD_LIBRARY_PATH=/opt/a");
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 1);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_OLDER);
	put_library("lib/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" });
	ask_with("LD_LIBRARY_PATH=/opt/a");
	must_stop(ERRPIPE_CAUSE_VERSION_MISSING, 1);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_SHADOWED_BY_VARIABLE);
	assert_said(&ex, "LD_LIBRARY_PATH leads to \"/opt/a/liby.so.1\": remove that entry, so that "
			 "\"/lib/liby.so.1\" is used");
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

/* No processor has the level of bit 9. */
START_TEST(processor)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .isa = 1 << 9 });
	ask((struct errpipe_question){ .envp = empty });
	if (own_machine() != EM_X86_64) {
		must_start();
		return;
	}
	must_stop(ERRPIPE_CAUSE_CPU_LEVEL, 127);
	ck_assert_str_eq(ex.subject, "/lib/libx.so.1");
	ck_assert_uint_eq(ex.number, 10);
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1", .isa = 1 });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

START_TEST(stand_in)
{
	const struct errpipe_question script = { .root = root, .root_name = "img", .path = "/script", .envp = empty };

	LOADER(nixos);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LOADER_STAND_IN, 127);
	ck_assert_int_eq(ex.broken, 1);
	put_text("script", "#!/app\n");
	ck_assert_int_eq(errpipe_explain(&ex, &script), 0);
	must_stop(ERRPIPE_CAUSE_LOADER_STAND_IN, 127);
	assert_said(&ex, "or patchelf --set-interpreter img/app");
}
END_TEST

/* Features that are not modelled make the answer "it starts" less certain. */
START_TEST(doubts)
{
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ask_with("LD_AUDIT=/lib/audit.so");
	must_start();
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	LOADER(unknown);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

/* The name of a C library other than the loader's. */
START_TEST(other_libc)
{
	static const struct {
		bool on_musl;
		const char *needed[2], *libc;
	} cases[] = {
		{ false, { "libc.musl-x86_64.so.1" }, "musl" },
		{ false, { "libc.so" }, "musl" },
		{ false, { "libc.so", "libdl.so" }, "Android" },
		{ true, { "ld-linux-x86-64.so.2" }, "glibc" },
		{ false, { "libc.so.6" }, NULL },
		{ false, { "libc.so.7" }, NULL },
		{ true, { "libcrypt.so.1" }, NULL },
		{ true, { "libld.so.1" }, NULL },
	};
	struct dynamic_file library = { .soname = "libx.so.1",
					.needed = { cases[_i].needed[0], cases[_i].needed[1] } };

	if (cases[_i].on_musl)
		LOADER(musl);
	put_library("lib/libx.so.1", library);
	ask((struct errpipe_question){ .envp = empty });
	if (!cases[_i].libc) {
		must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
		return;
	}
	must_stop(ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC, 127);
	ck_assert_str_eq(ex.needer, "/lib/libx.so.1");
	ck_assert_str_eq(ex.needs_libc, cases[_i].libc);
	assert_said(&ex, "but the program's loader is from ");
}
END_TEST

/* libc-dev has a linker script of that name. */
START_TEST(script_of_other_libc)
{
	put_program((struct dynamic_file){ .needed = { "libc.so" } });
	put_text("usr/lib/libc.so", "/* GNU ld script */\nGROUP ( /lib/libc.so.6 /lib/ld-linux-x86-64.so.2 )\n");
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC, 127);
	assert_said(&ex, "\"/app\" is built for musl, but its loader is from glibc");
	LOADER(musl);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

/* --- musl --------------------------------------------------------------------------------------- */

START_TEST(of_musl)
{
	LOADER(musl);
	put_program((struct dynamic_file){ .needed = { "libc.musl-x86_64.so.1", "libx.so.1" },
					   .runpath = "/opt/a",
					   .version = { { "libx.so.1", "X_1", 0 } } });
	put_library("opt/a/libx.so.1",
		    (struct dynamic_file){ .needed = { "liby.so.1" }, .version = { { NULL, "X_0", 0 } } });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_str_eq(ex.subject, "liby.so.1");
	put_library("opt/a/liby.so.1", (struct dynamic_file){ .soname = "liby.so.1" }); /* RUNPATH is inherited */
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	put_text("etc/ld-musl-x86_64.path", "/opt/b\n/opt/a\n");
	put_program((struct dynamic_file){ .needed = { "libx.so.1" } });
	ask((struct errpipe_question){ .envp = empty });
	must_start();
	ck_assert_int_eq(unlinkat(root, "etc/ld-musl-x86_64.path", 0), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	put_text("etc/ld-musl-x86_64.path", "/opt/b");
	put_library("usr/lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .envp = empty });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_LIST_REPLACES);
	assert_said(&ex, "/usr/lib to /etc/ld-musl-x86_64.path, which replaces these defaults");
	ask((struct errpipe_question){ .root_name = "img" });
	assert_said(&ex, "/usr/lib to img/etc/ld-musl-x86_64.path, which replaces these defaults");
	ck_assert_int_eq(unlinkat(root, "etc/ld-musl-x86_64.path", 0), 0);
	ask((struct errpipe_question){ .envp = empty });
	must_start();
}
END_TEST

/* musl does not use a list with $ORIGIN of a set-id program. */
START_TEST(origin_of_a_set_id_program)
{
	const struct errpipe_who who = { .uid = geteuid() + 1, .gid = getegid() };

	LOADER(musl);
	put_program((struct dynamic_file){ .runpath = "$ORIGIN/opt/a" });
	put_library("opt/a/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	ask((struct errpipe_question){ .who = &who });
	must_start();
	ck_assert_int_eq(fchmodat(root, "app", 04755, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_PRIVILEGED_LIBRARY);
	put_program((struct dynamic_file){ .runpath = "/opt/a" });
	ck_assert_int_eq(fchmodat(root, "app", 04755, 0), 0);
	ask((struct errpipe_question){ .who = &who });
	must_start();
}
END_TEST

/* musl ignores LD_PRELOAD for a set-id program. */
START_TEST(preload_of_a_set_id_program)
{
	const struct errpipe_who who = { .uid = geteuid() + 1, .gid = getegid() };
	char variable[] = "LD_PRELOAD=/opt/a/libp.so", *envp[] = { variable, NULL };

	LOADER(musl);
	put_library("lib/libx.so.1", (struct dynamic_file){ .soname = "libx.so.1" });
	put_library("opt/a/libp.so", (struct dynamic_file){ .needed = { "libnone.so" } });
	ask((struct errpipe_question){ .who = &who, .envp = envp });
	must_stop(ERRPIPE_CAUSE_LIBRARY_MISSING, 127);
	ck_assert_int_eq(fchmodat(root, "app", 04755, 0), 0);
	ask((struct errpipe_question){ .who = &who, .envp = envp });
	must_start();
}
END_TEST

static Suite *explain_loader_suite(void)
{
	Suite *suite = suite_create("explain_loader");
	TCase *tcase = tcase_create("loader");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, missing);
	tcase_add_loop_test(tcase, in_a_default_directory, 0, 2);
	tcase_add_test(tcase, without_an_environment);
	tcase_add_test(tcase, by_the_environment);
	tcase_add_loop_test(tcase, not_expanded, 0, 4);
	tcase_add_test(tcase, rpath_is_inherited_and_runpath_is_not);
	tcase_add_loop_test(tcase, beside_the_program, 0, 3);
	tcase_add_test(tcase, loaded_already);
	tcase_add_test(tcase, by_path);
	tcase_add_test(tcase, by_relative_path);
	tcase_add_test(tcase, gains_rights);
	tcase_add_loop_test(tcase, in_its_place, 0, 9);
	tcase_add_test(tcase, dangling);
	tcase_add_loop_test(tcase, without_a_cache, 0, 3);
	tcase_add_test(tcase, other_version_in_the_cache);
	tcase_add_test(tcase, in_a_shut_directory);
	tcase_add_loop_test(tcase, in_a_directory_that_is_shut_for_us, 0, 2);
	tcase_add_loop_test(tcase, shadowed, 0, 2);
	tcase_add_test(tcase, shadowed_needer);
	tcase_add_test(tcase, doubts);
	tcase_add_loop_test(tcase, other_libc, 0, 8);
	tcase_add_test(tcase, script_of_other_libc);
	tcase_add_test(tcase, no_default_directories);
	tcase_add_test(tcase, through_a_link);
	tcase_add_test(tcase, preloaded);
	tcase_add_loop_test(tcase, elsewhere, 0, 2);
	tcase_add_loop_test(tcase, not_modelled, 0, 2);
	tcase_add_test(tcase, in_the_cache);
	tcase_add_test(tcase, in_the_cache_for_other_processors);
	tcase_add_test(tcase, gone_from_the_cache);
	tcase_add_test(tcase, ldconfig_was_not_run);
	tcase_add_loop_test(tcase, a_cache_of_another_format, 0, 2);
	tcase_add_test(tcase, other_machine);
	tcase_add_loop_test(tcase, not_a_library, 0, 8);
	tcase_add_loop_test(tcase, refused, 0, 4);
	tcase_add_test(tcase, cut_off);
	tcase_add_loop_test(tcase, cut_off_later, 0, 3);
	tcase_add_test(tcase, little_memory);
	tcase_add_test(tcase, few_files);
	tcase_add_test(tcase, not_inherited);
	tcase_add_test(tcase, not_by_runpath);
	tcase_add_test(tcase, filters);
	tcase_add_test(tcase, not_readable);
	tcase_add_test(tcase, on_a_noexec_mount);
	tcase_add_loop_test(tcase, hidden_by_a_mount, 0, 6);
	tcase_add_test(tcase, a_directory_on_a_library);
	tcase_add_test(tcase, below_opt);
	tcase_add_loop_test(tcase, origin_is_lost, 0, 24);
	tcase_add_test(tcase, for_a_newer_kernel);
	tcase_add_test(tcase, versions);
	tcase_add_test(tcase, processor);
	tcase_add_test(tcase, stand_in);
	tcase_add_test(tcase, of_musl);
	tcase_add_test(tcase, origin_of_a_set_id_program);
	tcase_add_test(tcase, preload_of_a_set_id_program);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	fixture = fixture_make();
	return run_suite(explain_loader_suite());
}
