/* SPDX-License-Identifier: MIT */
/* Explanations with binfmt_misc: with a directory that imitates it, and with a real one in a user namespace. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* --- an imitation ---------------------------------------------------------------------------- */

static char *new_directory(void)
{
	char *path;

	keep(asprintf(&path, "%s/binfmt.XXXXXX", fixture) < 0 ? NULL : path);
	ck_assert_ptr_nonnull(mkdtemp(path));
	return path;
}

static void put(const char *directory, const char *name, const void *bytes, size_t size)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void put_text(const char *directory, const char *name, const char *text)
{
	put(directory, name, text, strlen(text));
}

static struct ep_head head_of(const void *bytes, size_t size)
{
	struct ep_head head = { .size = size };

	memcpy(head.bytes, bytes, size);
	return head;
}

static struct ep_handler look(const char *directory, const char *path, const void *bytes, size_t size)
{
	const struct ep_head head = head_of(bytes, size);
	struct ep_handler handler;
	int fd = open(directory, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	memset(&handler, 0x5a, sizeof(handler));
	ep_handler_in(fd, path, &head, &handler);
	ck_assert_int_eq(close(fd), 0);
	return handler;
}

#define ENTRY "enabled\ninterpreter /emu\nflags: \n"
#define BYTES "abcd\x80zz"

static const struct {
	const char *text, *path;
	enum errpipe_binfmt binfmt;
	bool opened;
} files[] = {
	{ ENTRY "offset 0\nmagic 61626364\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 0\nmagic 61626364", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ "enabled\ninterpreter /emu\nflags: POCF\noffset 0\nmagic 61626364\n", "x", ERRPIPE_BINFMT_ENABLED, true },
	{ "enabled\ninterpreter /emu\nflags: OC\noffset 0\nmagic 61626364\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 2\nmagic 6364807a\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 2\nmagic 61626364\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 61626365\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	/* Only bits outside the mask may differ. */
	{ ENTRY "offset 0\nmagic 61626365\nmask fffffffe\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 0\nmagic 61626366\nmask fffffffe\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 00000000\nmask 00000000\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	/* The kernel sees zeros after the end. */
	{ ENTRY "offset 6\nmagic 7a000000\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 252\nmagic 00000000\n", "x", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "offset 253\nmagic 00000000\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 253\nmagic 00000000\nmask ffffff00\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 256\nmagic 00\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 18446744073709551615\nmagic 61\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset -1\nmagic 61\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 99999999999999999999999\nmagic 61\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	/* Not enabled. */
	{ "disabled\ninterpreter /emu\nflags: \noffset 0\nmagic 6162\n", "x", ERRPIPE_BINFMT_HANDLER_DISABLED,
	  false },
	{ "disabled\ninterpreter /emu\nflags: \noffset 0\nmagic 6163\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "interpreter /emu\nflags: \noffset 0\nmagic 6162\n", "x", ERRPIPE_BINFMT_HANDLER_DISABLED, false },
	/* By extension. */
	{ ENTRY "extension .jar\n", "/x/y.jar", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "extension .jar\n", "y.tar.jar", ERRPIPE_BINFMT_ENABLED, false },
	{ ENTRY "extension .jar\n", "y.jar.gz", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "extension .jar\n", "yjar", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "extension .jar\n", "jar", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "extension .\n", "y.", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "disabled\ninterpreter /emu\nflags: \nextension .jar\n", "y.jar", ERRPIPE_BINFMT_HANDLER_DISABLED, false },
	/* The kernel never writes these. */
	{ "", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "\n\n\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "enabled", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "enabled\noffset 0\nmagic 61626364\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "enabled\ninterpreter \nflags: \noffset 0\nmagic 61626364\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic \n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 6\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 6162zz\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 6162\nmask ff\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 6162\nmask ffffff\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ ENTRY "offset 0\nmagic 6162\nmask zzzz\n", "x", ERRPIPE_BINFMT_NO_HANDLER, false },
	{ "\x7f"
	  "ELF\x02\x01\x01\xff\xfe\xfd magic 61626364",
	  "x", ERRPIPE_BINFMT_NO_HANDLER, false },
};

START_TEST(each_file)
{
	char *directory = new_directory();
	struct ep_handler handler;

	put_text(directory, "status", "enabled\n");
	put_text(directory, "some-name", files[_i].text);
	handler = look(directory, files[_i].path, BYTES, sizeof(BYTES) - 1);
	ck_assert_int_eq(handler.binfmt, files[_i].binfmt);
	if (files[_i].binfmt == ERRPIPE_BINFMT_NO_HANDLER)
		return;
	ck_assert_int_eq(handler.opened, files[_i].opened);
	ck_assert_str_eq(handler.name, "some-name");
	ck_assert_str_eq(handler.interpreter, "/emu");
}
END_TEST

static const struct {
	const char *status;
	enum errpipe_binfmt enabled, disabled;
} switches[] = {
	{ "enabled\n", ERRPIPE_BINFMT_ENABLED, ERRPIPE_BINFMT_HANDLER_DISABLED },
	{ "disabled\n", ERRPIPE_BINFMT_DISABLED, ERRPIPE_BINFMT_DISABLED },
	{ "disabled", ERRPIPE_BINFMT_DISABLED, ERRPIPE_BINFMT_DISABLED },
	{ "", ERRPIPE_BINFMT_ENABLED, ERRPIPE_BINFMT_HANDLER_DISABLED },
	{ NULL, ERRPIPE_BINFMT_ENABLED, ERRPIPE_BINFMT_HANDLER_DISABLED },
};

START_TEST(the_status_of_all)
{
	char *directory = new_directory();

	if (switches[_i].status)
		put_text(directory, "status", switches[_i].status);
	put_text(directory, "one", "disabled\ninterpreter /one\nflags: \nextension .one\n");
	put_text(directory, "two", "enabled\ninterpreter /two\nflags: \nextension .two\n");
	ck_assert_int_eq(look(directory, "x.one", "", 0).binfmt, switches[_i].disabled);
	ck_assert_int_eq(look(directory, "x.two", "", 0).binfmt, switches[_i].enabled);
	ck_assert_int_eq(look(directory, "x.three", "", 0).binfmt, ERRPIPE_BINFMT_NO_HANDLER);
}
END_TEST

/* The order in the directory does not matter. */
START_TEST(an_enabled_one_among_disabled_ones)
{
	char *directory = new_directory(), name[16];
	struct ep_handler handler;

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		put_text(directory, name, "disabled\ninterpreter /no\nflags: \noffset 0\nmagic 6162\n");
	}
	put_text(directory, "d7", "enabled\ninterpreter /yes\nflags: \noffset 0\nmagic 6162\n");
	handler = look(directory, "x", BYTES, sizeof(BYTES) - 1);
	ck_assert_int_eq(handler.binfmt, ERRPIPE_BINFMT_ENABLED);
	ck_assert_str_eq(handler.interpreter, "/yes");
	ck_assert_str_eq(handler.name, "d7");
}
END_TEST

/* Things with a handler's text or place that are not handlers: a link, a directory, a FIFO, "status" and "register". */
START_TEST(what_is_no_file)
{
	static const char text[] = ENTRY "offset 0\nmagic 6162\n";
	char *directory = new_directory(), *other = new_directory(), path[4096], target[4096];

	put_text(other, "real", text);
	snprintf(target, sizeof(target), "%s/real", other);
	snprintf(path, sizeof(path), "%s/link", directory);
	ck_assert_int_eq(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(path, 0666), 0);
	snprintf(path, sizeof(path), "%s/directory", directory);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	put_text(directory, "register", text);
	put_text(directory, "status", text);
	ck_assert_int_eq(look(directory, "x", BYTES, sizeof(BYTES) - 1).binfmt, ERRPIPE_BINFMT_NO_HANDLER);
	put_text(directory, "real", text);
	ck_assert_int_eq(look(directory, "x", BYTES, sizeof(BYTES) - 1).binfmt, ERRPIPE_BINFMT_ENABLED);
}
END_TEST

/* Only the first 4 kilobytes of a file count. */
START_TEST(a_huge_file)
{
	static char text[1 << 20];
	char *directory = new_directory();

	memset(text, 'a', sizeof(text));
	put(directory, "a", text, sizeof(text));
	memset(text, 0, sizeof(text));
	put(directory, "zeros", text, sizeof(text));
	memset(text, '\n', sizeof(text));
	memcpy(text + 5000, ENTRY "offset 0\nmagic 6162\n", sizeof(ENTRY "offset 0\nmagic 6162\n") - 1);
	put(directory, "late", text, sizeof(text));
	ck_assert_int_eq(look(directory, "x", BYTES, sizeof(BYTES) - 1).binfmt, ERRPIPE_BINFMT_NO_HANDLER);

	memset(text, 'a', sizeof(text));
	memcpy(text, "enabled\nextension .x\ninterpreter ", strlen("enabled\nextension .x\ninterpreter "));
	put(directory, "long", text, sizeof(text));
	ck_assert_int_eq(look(directory, "a.x", BYTES, sizeof(BYTES) - 1).binfmt, ERRPIPE_BINFMT_ENABLED);
	ck_assert_uint_eq(strlen(look(directory, "a.x", "", 0).interpreter),
			  4095 - strlen("enabled\nextension .x\ninterpreter "));
}
END_TEST

static int count_and_stop(void *context, const char *name)
{
	int *count = context;

	ck_assert_int_eq(*name, 'f');
	++*count;
	return *count == 7 ? -EINTR : 0;
}

static int count(void *context, const char *name)
{
	(void)name;
	++*(int *)context;
	return 0;
}

START_TEST(a_folder_of_many_files)
{
	char *directory = new_directory(), name[16];
	int n = 0, fd;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_text(directory, name, "");
	}
	fd = open(directory, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(ep_entries(fd, 256, count, &n), 0);
	ck_assert_int_eq(n, 256);
	lseek(fd, 0, SEEK_SET);
	ck_assert_int_eq(ep_entries(fd, 1000, count, &n), 0);
	ck_assert_int_eq(n, 256 + 300);
	lseek(fd, 0, SEEK_SET);
	n = 0;
	ck_assert_int_eq(ep_entries(fd, 1000, count_and_stop, &n), -EINTR);
	ck_assert_int_eq(n, 7);
	close(fd);
	ck_assert_int_eq(ep_entries(fd, 1000, count, &n), -EBADF);
}
END_TEST

/* ELF headers up to e_machine, and the bytes that one handler does not take. */
static const struct {
	const char *bytes;
	const char *text;
	int first, last;
} near[] = {
#define HEAD                                                                                                         \
	"\x7f"                                                                                                       \
	"ELF\2\1\1\0"
#define TAIL  "\2\0\267\0"
#define ARM64 ENTRY "offset 0\nmagic 7f454c460201010000000000000000000200b700\n"
	{ HEAD "AI\2\0\0\0\0\0" TAIL, ARM64, 8, 10 },
	{ HEAD "\0\0\0\0\0\0\0\1" TAIL, ARM64, 15, 15 },
	{ HEAD "\0\0\0\0\0\0\0\0\3\0\267\0", ARM64, 16, 16 },
	{ HEAD "AI\2\0\0\0\0\0" TAIL, ARM64 "mask ffffffffffffff0000ffffffffffffffffffffff\n", 9, 10 },
	{ HEAD "AI\2\0\0\0\0\0\2\0\270\0", ARM64, 0, 0 },
	{ "\x7f"
	  "ELF\1\1\1\0AI\2\0\0\0\0\0" TAIL,
	  ARM64, 0, 0 },
	{ HEAD "AI\2\0\0\0\0\0" TAIL, ENTRY "offset 0\nmagic 7f454c46020101000000000000000000\n", 0, 0 },
	{ HEAD "AI\2\0\0\0\0\0" TAIL, ENTRY "offset 1\nmagic 7f454c460201010000000000000000000200b700\n", 0, 0 },
	{ HEAD "AI\2\0\0\0\0\0" TAIL,
	  "disabled\ninterpreter /emu\noffset 0\nmagic 7f454c460201010000000000000000000200b700\n", 0, 0 },
};

START_TEST(a_handler_that_nearly_takes_it)
{
	char *directory = new_directory();
	struct ep_handler handler;

	put_text(directory, "near", near[_i].text);
	handler = look(directory, "x", near[_i].bytes, 20);
	ck_assert_int_eq(handler.binfmt, ERRPIPE_BINFMT_NO_HANDLER);
	ck_assert_int_eq(handler.first, near[_i].first);
	ck_assert_int_eq(handler.last, near[_i].last);
	if (near[_i].first)
		ck_assert_str_eq(handler.name, "near");
	put_text(directory, "status", "enabled\n");
	put_text(directory, "right", ENTRY "offset 0\nmagic 7f454c46\n");
	ck_assert_int_eq(look(directory, "x", near[_i].bytes, 20).binfmt, ERRPIPE_BINFMT_ENABLED);
}
END_TEST

/* --- the real binfmt_misc --------------------------------------------------------------------- */

#define DIRECTORY "/proc/sys/fs/binfmt_misc"

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Enter a user namespace with a binfmt_misc of its own. Returns false if that fails, as it does before Linux 6.7. */
static bool enter_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	write_to("/proc/self/uid_map", map);
	write_to("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	write_to("/proc/self/gid_map", map);
	return mount("binfmt_misc", DIRECTORY, "binfmt_misc", 0, NULL) == 0;
}

/* Make an emulator that only exits with this status. */
static char *emulator(int status)
{
	char *path, text[64];

	keep(asprintf(&path, "%s/emulator-%d", fixture, status) < 0 ? NULL : path);
	snprintf(text, sizeof(text), "#!/bin/sh\nexit %d\n", status);
	put_text(fixture, strrchr(path, '/') + 1, text);
	return path;
}

static void add_handler(const char *name, const char *magic, const char *interpreter, const char *flags)
{
	char line[4096];

	snprintf(line, sizeof(line), ":%s:M::%s::%s:%s", name, magic, interpreter, flags);
	write_to(DIRECTORY "/register", line);
}

/* Run the file for real. Returns its exit status, or a negative errno. */
static int run(const char *path)
{
	int *error = shared_memory(sizeof(*error)), status;
	pid_t pid = checked_fork();

	if (pid == 0) {
		execl(path, path, NULL);
		*error = -errno;
		_exit(0);
	}
	status = wait_for(pid);
	ck_assert(WIFEXITED(status));
	return *error ? *error : WEXITSTATUS(status);
}

static const unsigned char foreign[64] = "\x7f"
					 "ELF-errpipe-test";
#define MAGIC "\\x7fELF-errpipe"

static struct errpipe_explanation explanation;

static struct ep_check new_case(void)
{
	static const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = "x" };

	memset(&explanation, 0, sizeof(explanation));
	explanation.certainty = ERRPIPE_CERTAIN;
	explanation.works = 1;
	explanation.links = 1;
	return (struct ep_check){ .question = &question, .ex = &explanation, .own_identity = true };
}

/* Returns the path of the handler that would run the file, or NULL. */
static const char *handler_of(const char *path, bool *opened)
{
	const struct ep_head head = head_of(foreign, sizeof(foreign));
	struct ep_check c = new_case();
	struct ep_next next = { 0 };

	explanation.link[0].path = path;
	if (!ep_take_handler(&c, &explanation.link[0], &head, &next))
		return NULL;
	ck_assert_int_eq(next.kind, ERRPIPE_LINK_HANDLER);
	*opened = next.opened;
	return next.path;
}

static void explain_foreign(const char *path)
{
	const struct ep_head head = head_of(foreign, sizeof(foreign));
	struct ep_check c = new_case();

	explanation.link[0] = (struct errpipe_link){
		.kind = ERRPIPE_LINK_PROGRAM, .path = path, .machine = 183, .elf_class = 2, .elf_data = 1
	};
	ck_assert_int_eq(ep_foreign(&c, &explanation.link[0], &head), -1);
	ck_assert_int_eq(explanation.error, ENOEXEC);
	ck_assert_int_eq(explanation.broken, 0);
	ck_assert_int_eq(explanation.works, 0);
	ck_assert_ptr_nonnull(explanation.object);
	ck_assert_int_ne(explanation.binfmt, ERRPIPE_BINFMT_NOT_ASKED);
}

static char *foreign_program(void)
{
	char *path;

	keep(asprintf(&path, "%s/foreign", fixture) < 0 ? NULL : path);
	put(fixture, "foreign", foreign, sizeof(foreign));
	return path;
}

START_TEST(a_handler_is_followed)
{
	const char *path = foreign_program(), *one = emulator(41), *two = emulator(42);
	bool opened;

	if (!enter_namespace())
		SKIP("needs binfmt-misc");
	ck_assert_int_eq(run(path), -ENOEXEC);
	ck_assert_ptr_null(handler_of(path, &opened));
	explain_foreign(path);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_OTHER_ARCHITECTURE);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);
	ck_assert_int_eq(explanation.binfmt, ERRPIPE_BINFMT_NO_HANDLER);
	assert_said(&explanation, "binfmt_misc has no handler for it");

	add_handler("one", MAGIC, one, "");
	ck_assert_int_eq(run(path), 41);
	ck_assert_str_eq(handler_of(path, &opened), one);
	ck_assert(!opened);

	/* The newest handler comes first, whatever its name. Without it the older one is used again. */
	add_handler("a-two", MAGIC, two, "F");
	ck_assert_int_eq(run(path), 42);
	ck_assert_str_eq(handler_of(path, &opened), two);
	ck_assert(opened);
	write_to(DIRECTORY "/a-two", "-1");
	add_handler("zzz", MAGIC, two, "");
	ck_assert_int_eq(run(path), 42);
	ck_assert_str_eq(handler_of(path, &opened), two);
	write_to(DIRECTORY "/zzz", "0");
	ck_assert_int_eq(run(path), 41);
	ck_assert_str_eq(handler_of(path, &opened), one);
}
END_TEST

START_TEST(a_handler_that_is_disabled_is_named)
{
	const char *path = foreign_program();
	bool opened;

	if (!enter_namespace())
		SKIP("needs binfmt-misc");
	add_handler("qemu-test", MAGIC, emulator(41), "");
	write_to(DIRECTORY "/qemu-test", "0");
	ck_assert_int_eq(run(path), -ENOEXEC);
	ck_assert_ptr_null(handler_of(path, &opened));
	explain_foreign(path);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_HANDLER_DISABLED);
	ck_assert_str_eq(explanation.object, "qemu-test");
	ck_assert_int_eq(explanation.binfmt, ERRPIPE_BINFMT_HANDLER_DISABLED);
	ck_assert_str_eq(explanation.handler, "qemu-test");

	write_to(DIRECTORY "/qemu-test", "1");
	write_to(DIRECTORY "/status", "0");
	ck_assert_int_eq(run(path), -ENOEXEC);
	ck_assert_ptr_null(handler_of(path, &opened));
	explain_foreign(path);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_HANDLER_DISABLED);
	ck_assert_str_eq(explanation.object, "status");
	ck_assert_int_eq(explanation.binfmt, ERRPIPE_BINFMT_DISABLED);
	ck_assert_str_eq(explanation.handler, "qemu-test");

	/* Following the advice helps. */
	write_to(DIRECTORY "/status", "1");
	ck_assert_int_eq(run(path), 41);
	ck_assert_ptr_nonnull(handler_of(path, &opened));
}
END_TEST

START_TEST(bytes_that_no_handler_takes)
{
	static const unsigned char image[20] = HEAD "AI\2\0\0\0\0\0" TAIL;
	const struct ep_head head = head_of(image, sizeof(image));
	struct ep_check c = new_case();
	char line[4096];

	if (!enter_namespace())
		SKIP("needs binfmt-misc");
	snprintf(line, sizeof(line), ":near:M::%s::/emu:",
		 "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00");
	write_to(DIRECTORY "/register", line);
	explanation.link[0] = (struct errpipe_link){
		.kind = ERRPIPE_LINK_PROGRAM, .path = "x", .machine = 183, .elf_class = 2, .elf_data = 1
	};
	ck_assert_int_eq(ep_foreign(&c, &explanation.link[0], &head), -1);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_HANDLER_MISMATCH);
	ck_assert_str_eq(explanation.object, "41 49 02");
	ck_assert_str_eq(explanation.handler, "near");
	ck_assert_int_eq(explanation.number, 8);
	ck_assert_int_eq(explanation.limit, 3);
	ck_assert_int_eq(explanation.detail, ERRPIPE_DETAIL_APPIMAGE);
	assert_said(&explanation, "dd if=/dev/zero of=x bs=1 seek=8 count=3 conv=notrunc");
}
END_TEST

/* The handler matches the name that was given, so a link with another name does not match. */
START_TEST(a_handler_by_name)
{
	char *program, *link, line[4096];
	bool opened;

	keep(asprintf(&program, "%s/named.errpipe", fixture) < 0 ? NULL : program);
	keep(asprintf(&link, "%s/named.other", fixture) < 0 ? NULL : link);
	put_text(fixture, "named.errpipe", "nothing");
	ck_assert_int_eq(symlink(program, link), 0);
	if (!enter_namespace())
		SKIP("needs binfmt-misc");
	snprintf(line, sizeof(line), ":by-name:E::errpipe::%s:", emulator(43));
	write_to(DIRECTORY "/register", line);
	ck_assert_int_eq(run(program), 43);
	ck_assert_ptr_nonnull(handler_of(program, &opened));
	ck_assert_int_eq(run(link), -ENOEXEC);
	ck_assert_ptr_null(handler_of(link, &opened));
}
END_TEST

/*
 * Something else is mounted there. A container's host may still have a handler, so the cause is certain only after the
 * kernel has refused.
 */
START_TEST(it_is_not_mounted)
{
	static const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOEXEC };
	static const struct errpipe_report vanished = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOENT };
	const struct ep_head head = head_of(foreign, sizeof(foreign));
	const char *path = foreign_program();
	struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = path, .report = &report };
	struct errpipe_link link;
	struct ep_check c;

	if (!enter_namespace() || mount("none", DIRECTORY, "tmpfs", 0, NULL) < 0)
		SKIP("needs binfmt-misc");
	explain_foreign(path);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_OTHER_ARCHITECTURE);
	ck_assert_int_eq(explanation.binfmt, ERRPIPE_BINFMT_NOT_MOUNTED);
	assert_said(&explanation, "binfmt_misc is not mounted");
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);

	link = explanation.link[0];
	c = new_case();
	c.question = &question;
	ep_foreign(&c, &explanation.link[0], &head);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_CERTAIN);

	/* ENOENT of a file that exists: a handler took it. */
	c = new_case();
	question.report = &vanished;
	c.question = &question;
	explanation.link[0] = link;
	ep_foreign(&c, &explanation.link[0], &head);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_HANDLER_HIDDEN);
	ck_assert_int_eq(explanation.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(explanation.error, ENOENT);
}
END_TEST

static const struct {
	const char *hidden, *words;
} hidden[] = {
	{ "/proc", "binfmt_misc is not visible" },
	{ "/proc/sys/fs", "this kernel has no binfmt_misc" },
};

static void look_where_none_is(int i)
{
	const char *path = foreign_program();
	bool opened;

	if (!enter_namespace() || mount("none", hidden[i].hidden, "tmpfs", 0, NULL) < 0)
		SKIP("needs binfmt-misc");
	ck_assert_ptr_null(handler_of(path, &opened));
	explain_foreign(path);
	ck_assert_int_eq(explanation.cause, ERRPIPE_CAUSE_OTHER_ARCHITECTURE);
	assert_said(&explanation, hidden[i].words);
	ck_assert_int_eq(explanation.certainty, i ? ERRPIPE_CERTAIN : ERRPIPE_LIKELY);
}

/* Use a child that ends at once, because a sanitizer reads /proc at the end of a test. */
START_TEST(there_is_none)
{
	in_child(look_where_none_is, _i);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	Suite *suite = suite_create("explain_binfmt");
	TCase *fake = tcase_create("fake"), *real = tcase_create("real");

	(void)argc;
	leave_valgrind(argv);
	fixture = fixture_make();

	tcase_set_timeout(fake, 60);
	tcase_add_loop_test(fake, each_file, 0, COUNT(files));
	tcase_add_loop_test(fake, a_handler_that_nearly_takes_it, 0, COUNT(near));
	tcase_add_loop_test(fake, the_status_of_all, 0, COUNT(switches));
	tcase_add_test(fake, an_enabled_one_among_disabled_ones);
	tcase_add_test(fake, what_is_no_file);
	tcase_add_test(fake, a_huge_file);
	tcase_add_test(fake, a_folder_of_many_files);
	suite_add_tcase(suite, fake);

	tcase_set_timeout(real, 60);
	tcase_add_test(real, a_handler_is_followed);
	tcase_add_test(real, a_handler_that_is_disabled_is_named);
	tcase_add_test(real, bytes_that_no_handler_takes);
	tcase_add_test(real, a_handler_by_name);
	tcase_add_test(real, it_is_not_mounted);
	tcase_add_loop_test(real, there_is_none, 0, COUNT(hidden));
	suite_add_tcase(suite, real);

	return run_suite(suite);
}
