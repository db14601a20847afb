/* SPDX-License-Identifier: MIT */
/*
 * The lookup of a path in a root directory. The kernel's answer for the same path is the measure. If root runs the tests,
 * that is an exec in the root directory, also in random trees.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "child.h"
#include "explain/kernel/kernel.h"
#include "fixture.h"
#include "rounds.h"
#include "skip.h"
#include "said.h"
#include "suite.h"

#define COUNT(array)	 (sizeof(array) / sizeof(*(array)))
#define ALL_CAPABILITIES (~UINT64_C(0))

enum { STEPS = 20000 };

static char base[PATH_MAX]; /* the root of most tests */
static int root = -1;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* --- trees -------------------------------------------------------------------------------------------------- */

/* These functions run with the root as the working directory. */
static void make_directory(const char *name, mode_t mode)
{
	if (mkdir(name, 0700) < 0 || chmod(name, mode) < 0)
		die(name);
}

static void make_file(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	if (fd < 0 || fchmod(fd, mode) < 0)
		die(name);
	close(fd);
}

static void make_link(const char *name, const char *target)
{
	if (symlink(target, name) < 0)
		die(name);
}

static void make_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(name);
	close(fd);
}

static void make_chain(void)
{
	char name[32], target[32];

	make_directory("chain", 0755);
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "chain/n%d", i);
		snprintf(target, sizeof(target), i == 1 ? "../prog" : "n%d", i - 1);
		make_link(name, target);
	}
}

/* Targets of the greatest length: "./././prog". */
static void make_long_links(void)
{
	char target[PATH_MAX], name[NAME_MAX + 2];

	for (int i = 0; i < PATH_MAX - 1; i++)
		target[i] = i % 2 ? '/' : '.';
	strcpy(target + PATH_MAX - 1 - 4, "prog");
	target[PATH_MAX - 1 - 5] = '/';
	make_link("long", target);
	memcpy(target + PATH_MAX - 1 - 4, "long", 4);
	make_link("longer", target);
	memset(name, 'x', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	make_link("long-name", name);
}

static void make_tree(void)
{
	make_directory("dir", 0755);
	make_directory("dir/sub", 0755);
	make_directory("locked", 0);
	make_directory("at", 0755);
	make_file("prog", 0755);
	make_file("dir/prog", 0755);
	make_file("dir/sub/prog", 0755);
	make_file("no-x", 0644);
	make_file("owner-not", 0655);
	make_file("group-not", 0745);
	make_file("others-not", 0754);
	if (mkfifo("fifo", 0755) < 0)
		die("fifo");
	make_socket("socket");
	make_link("dangling", "nowhere");
	make_link("dangling-2", "dangling");
	make_link("dangling-dir", "/dir/nowhere/x");
	make_link("loop", "loop");
	make_link("ring-a", "/dir/ring-b");
	make_link("dir/ring-b", "../ring-a");
	make_link("inner", "inner/x");
	make_link("absolute", "/dir/prog");
	make_link("out", "../../../../../../../../etc/passwd");
	make_link("out-and-in", "../../../../../../../../dir/prog");
	make_link("up", "dir/../dir/sub/../../prog");
	make_link("to-dir", "dir");
	make_link("to-slash", "/");
	make_link("slash-behind", "prog/");
	make_link("below-file", "prog/x");
	make_link("to-no-x", "no-x");
	make_chain();
	make_long_links();
}

static void remove_tree(const char *path)
{
	struct dirent *entry;
	char below[PATH_MAX];
	DIR *directory;

	if (unlink(path) == 0)
		return;
	chmod(path, 0700);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) < (int)sizeof(below))
			remove_tree(below);
	}
	if (directory)
		closedir(directory);
	rmdir(path);
}

static void make_base(void)
{
	const char *tmp = getenv("TMPDIR");
	char *real;
	int cwd = open(".", O_PATH | O_CLOEXEC);

	snprintf(base, sizeof(base), "%.200s/errpipe-path.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (cwd < 0 || !mkdtemp(base) || chmod(base, 0755) < 0)
		die(base);
	real = realpath(base, NULL);
	if (!real || chdir(real) < 0)
		die(base);
	strcpy(base, real);
	free(real);
	make_tree();
	root = open(".", O_PATH | O_CLOEXEC);
	if (root < 0 || fchdir(cwd) < 0)
		die(base);
	close(cwd);
}

/* --- asking ------------------------------------------------------------------------------------------------- */

static struct errpipe_explanation ex;

static int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	while (directory && readdir(directory))
		n++;
	if (directory)
		closedir(directory);
	return n;
}

static void fill_in_caller(struct errpipe_who *who, gid_t *groups, int max)
{
	struct errpipe_identity identity;

	ck_assert_int_eq(errpipe_identity(&identity), 0);
	*who = (struct errpipe_who){
		.uid = geteuid(),
		.gid = getegid(),
		.groups = groups,
		.groups_count = getgroups(max, groups),
		.effective = identity.effective,
	};
}

static void begin(struct ep_check *c, const struct errpipe_question *question)
{
	static gid_t groups[1024];

	memset(&ex, 0, sizeof(ex));
	ex.certainty = ERRPIPE_CERTAIN;
	ex.works = 1;
	ex.broken = -1;
	ex.links = 1;
	ex.link[0].kind = ERRPIPE_LINK_PROGRAM;
	ex.link[0].path = question->path;
	*c = (struct ep_check){ .question = question, .ex = &ex, .steps = STEPS };
	c->root = question->root == ERRPIPE_OWN_ROOT ? open("/", O_PATH | O_CLOEXEC)
						     : fcntl(question->root, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(c->root, 0);
	c->own_identity = !question->who;
	if (question->who)
		c->who = *question->who;
	else
		fill_in_caller(&c->who, groups, COUNT(groups));
}

/* Returns 0 if the file is found, or else the errno of an exec. The lookup must leave no descriptor open. */
static int find(const struct errpipe_question *question)
{
	int before = count_descriptors(), fd;
	struct ep_check c;

	begin(&c, question);
	fd = ep_find_file(&c, &ex.link[0]);
	if (fd >= 0) {
		ck_assert_int_gt(fd, 2);
		ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
		close(fd);
	} else {
		ck_assert_int_ne(ex.cause, ERRPIPE_CAUSE_NONE);
	}
	close(c.root);
	ck_assert_int_eq(count_descriptors(), before);
	return ex.error;
}

static int find_path(const char *path)
{
	const struct errpipe_question question = { .root = root, .path = path };

	return find(&question);
}

static void assert_cause(enum errpipe_cause cause, int error, const char *subject, const char *object)
{
	const char *name = errpipe_cause_name(ex.cause);

	ck_assert_str_eq(name ? name : "none", errpipe_cause_name(cause));
	ck_assert_int_eq(ex.error, error);
	ck_assert_str_eq(ex.subject ? ex.subject : "(none)", subject ? subject : "(none)");
	ck_assert_str_eq(ex.object ? ex.object : "(none)", object ? object : "(none)");
}

static void go_to(const char *name)
{
	ck_assert_int_eq(fchdir(root), 0);
	ck_assert_int_eq(chdir(name), 0);
}

/* Returns the errno of a real exec in the root. None of the files is a program: ENOEXEC means that the file was found. */
static int exec_in_root(const char *cwd, const char *path)
{
	char *argv[] = { "x", NULL };
	int *error = shared_memory(sizeof(*error));
	pid_t pid = checked_fork();

	if (pid == 0) {
		if (fchdir(root) == 0 && chroot(".") == 0 && chdir(cwd ? cwd : "/") == 0 &&
		    execve(path, argv, argv + 1) < 0)
			*error = errno;
		_exit(0);
	}
	wait_for(pid);
	return *error;
}

/* From now on the system call with this number fails in this process. */
static int refuse(long number, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

/* --- the table ---------------------------------------------------------------------------------------------- */

#define CAUSE_OF(id) ERRPIPE_CAUSE_##id

static const struct lookup {
	const char *path, *cwd;
	enum errpipe_cause cause;
	int error;
	const char *subject; /* without a cause, the place of the file */
	const char *object;  /* of NOT_A_FILE, in words */
} lookups[] = {
	{ "/prog", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "prog", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "./prog", "dir", CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "./prog", "/to-dir/sub/..", CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "//dir/.//sub/./prog", NULL, CAUSE_OF(NONE), 0, "/dir/sub/prog", NULL },
	{ "/../../dir/../dir/sub/../prog", NULL, CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "../../../dir/prog", "/dir/sub", CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "/absolute", NULL, CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "/out-and-in", NULL, CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "/up", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "/to-dir/prog", NULL, CAUSE_OF(NONE), 0, "/dir/prog", NULL },
	{ "/to-dir/../prog", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "dir/../to-slash/prog", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "chain/n40", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "long", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },
	{ "longer", NULL, CAUSE_OF(NONE), 0, "/prog", NULL },

	{ "", NULL, CAUSE_OF(EMPTY_PATH), ENOENT, NULL, NULL },
	{ "/missing", NULL, CAUSE_OF(MISSING), ENOENT, "/missing", NULL },
	{ "/missing/", NULL, CAUSE_OF(MISSING), ENOENT, "/missing", NULL },
	{ "//dir//missing/x", NULL, CAUSE_OF(MISSING), ENOENT, "//dir//missing", NULL },
	{ "./missing/x", "dir", CAUSE_OF(MISSING), ENOENT, "./missing", NULL },
	{ "../missing", "/dir", CAUSE_OF(MISSING), ENOENT, "../missing", NULL },
	{ "/to-dir/missing", NULL, CAUSE_OF(MISSING), ENOENT, "/to-dir/missing", NULL },
	{ "/to-slash/missing", NULL, CAUSE_OF(MISSING), ENOENT, "/to-slash/missing", NULL },
	{ "/missing/../prog", NULL, CAUSE_OF(MISSING), ENOENT, "/missing", NULL },
	{ "/dangling", NULL, CAUSE_OF(DANGLING_LINK), ENOENT, "/dangling", "nowhere" },
	{ "dangling/x", NULL, CAUSE_OF(DANGLING_LINK), ENOENT, "/dangling", "nowhere" },
	{ "dangling-2", NULL, CAUSE_OF(DANGLING_LINK), ENOENT, "/dangling", "nowhere" },
	{ "to-dir/../dangling-dir/", NULL, CAUSE_OF(DANGLING_LINK), ENOENT, "/dangling-dir", "/dir/nowhere/x" },
	{ "/out", NULL, CAUSE_OF(DANGLING_LINK), ENOENT, "/out", "../../../../../../../../etc/passwd" },
	{ "loop", NULL, CAUSE_OF(LINK_LOOP), ELOOP, "/loop", "/loop -> /loop" },
	{ "loop/x", NULL, CAUSE_OF(LINK_LOOP), ELOOP, "/loop", "/loop -> /loop" },
	{ "inner", NULL, CAUSE_OF(LINK_LOOP), ELOOP, "/inner", "/inner -> /inner" },
	{ "to-dir/ring-b", NULL, CAUSE_OF(LINK_LOOP), ELOOP, "/dir/ring-b", "/dir/ring-b -> /ring-a -> /dir/ring-b" },
	{ "chain/n41", NULL, CAUSE_OF(LINK_LOOP), ELOOP, "/chain/n41",
	  "/chain/n41 -> /chain/n40 -> /chain/n39 -> /chain/n38 -> /chain/n37 -> /chain/n36 -> /chain/n35 -> "
	  "/chain/n34 -> /chain/n33 -> /chain/n32 -> /chain/n31 -> /chain/n30 -> /chain/n29 -> /chain/n28 -> "
	  "/chain/n27 -> /chain/n26 -> /chain/n25 -> /chain/n24 -> ..." },
	{ "/prog/x", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/prog", NULL },
	{ "/prog/", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/prog", NULL },
	{ "prog/.", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "prog", NULL },
	{ "prog/..", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "prog", NULL },
	{ "/fifo/x", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/fifo", NULL },
	{ "/no-x/", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/no-x", NULL },
	{ "/absolute/", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/dir/prog", NULL },
	{ "/slash-behind", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/prog", NULL },
	{ "/below-file", NULL, CAUSE_OF(FILE_AS_DIRECTORY), ENOTDIR, "/prog", NULL },

	{ "/", NULL, CAUSE_OF(NOT_A_FILE), EACCES, "/", "a directory" },
	{ "..", "/dir", CAUSE_OF(NOT_A_FILE), EACCES, "/", "a directory" },
	{ "dir/", NULL, CAUSE_OF(NOT_A_FILE), EACCES, "/dir", "a directory" },
	{ "to-slash", NULL, CAUSE_OF(NOT_A_FILE), EACCES, "/", "a directory" },
	{ "fifo", NULL, CAUSE_OF(NOT_A_FILE), EACCES, "/fifo", "a FIFO" },
	{ "socket", NULL, CAUSE_OF(NOT_A_FILE), EACCES, "/socket", "a socket" },
};

/* Explanations show the first 32 bytes of a longer name. */
#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void look_up(int i)
{
	const struct lookup *l = &lookups[i];
	const struct errpipe_question question = { .root = root, .cwd = l->cwd, .path = l->path };

	find(&question);
	if (l->cause == ERRPIPE_CAUSE_NONE) {
		assert_cause(ERRPIPE_CAUSE_NONE, 0, NULL, NULL);
		ck_assert_str_eq(ex.link[0].resolved, l->subject);
		ck_assert_int_eq(ex.works, 1);
	} else {
		assert_cause(l->cause, l->error, l->subject, l->cause == CAUSE_OF(NOT_A_FILE) ? NULL : l->object);
		if (l->object)
			assert_said(&ex, l->object);
		ck_assert_int_eq(ex.works, 0);
		ck_assert_int_eq(ex.broken, 0);
	}
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}

START_TEST(a_lookup)
{
	look_up(_i);
	if (geteuid() == 0)
		ck_assert_int_eq(exec_in_root(lookups[_i].cwd, lookups[_i].path),
				 lookups[_i].error ? lookups[_i].error : ENOEXEC);
}
END_TEST

static void look_up_with(int i, int error)
{
#ifdef SYS_openat2
	ck_assert_int_eq(refuse(SYS_openat2, error), 0);
#else
	(void)error;
#endif
	look_up(i);
}

static void look_up_without_openat2(int i)
{
	look_up_with(i, ENOSYS);
}

static void look_up_with_openat2_refused(int i)
{
	look_up_with(i, EPERM);
}

/* Linux before 5.6 and older seccomp profiles of containers refuse it. */
START_TEST(without_openat2)
{
	in_child(look_up_without_openat2, _i);
	in_child(look_up_with_openat2_refused, _i);
}
END_TEST

START_TEST(a_long_name)
{
	char path[NAME_MAX + 8];

	snprintf(path, sizeof(path), "/dir/%0*d", NAME_MAX + 1, 0);
	ck_assert_int_eq(find_path(path), ENAMETOOLONG);
	assert_cause(ERRPIPE_CAUSE_NAME_TOO_LONG, ENAMETOOLONG, "00000000000000000000000000000000", NULL);
	ck_assert_uint_eq(ex.number, NAME_MAX + 1);
	ck_assert_uint_eq(ex.limit, NAME_MAX);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);

	path[sizeof(path) - 3] = '\0';
	ck_assert_int_eq(strlen(path), 5 + NAME_MAX);
	ck_assert_int_eq(find_path(path), ENOENT);

	ck_assert_int_eq(find_path("/long-name"), ENAMETOOLONG);
	assert_cause(ERRPIPE_CAUSE_NAME_TOO_LONG, ENAMETOOLONG, X32, NULL);
}
END_TEST

START_TEST(a_long_path)
{
	char path[PATH_MAX + 1];

	memset(path, '/', sizeof(path));
	path[PATH_MAX] = '\0';
	ck_assert_int_eq(find_path(path), ENAMETOOLONG);
	assert_cause(ERRPIPE_CAUSE_PATH_TOO_LONG, ENAMETOOLONG, NULL, NULL);
	ck_assert_uint_eq(ex.number, PATH_MAX);
	ck_assert_uint_eq(ex.limit, PATH_MAX - 1);

	memset(path, 'x', PATH_MAX - 1);
	path[PATH_MAX - 1] = '\0';
	ck_assert_int_eq(find_path(path), ENAMETOOLONG);
	assert_cause(ERRPIPE_CAUSE_NAME_TOO_LONG, ENAMETOOLONG, X32, NULL);
	ck_assert_uint_eq(ex.number, PATH_MAX - 1);

	memset(path, '/', PATH_MAX - 1);
	memcpy(path + PATH_MAX - 1 - 4, "prog", 4);
	ck_assert_int_eq(find_path(path), 0);
	ck_assert_str_eq(ex.link[0].resolved, "/prog");
}
END_TEST

START_TEST(facts_of_a_file)
{
	const struct errpipe_link *link = &ex.link[0];
	struct stat st;

	ck_assert_int_eq(fstatat(root, "no-x", &st, 0), 0);
	ck_assert_int_eq(find_path("to-no-x"), EACCES);
	ck_assert_str_eq(link->resolved, "/no-x");
	ck_assert_uint_eq(link->mode, S_IFREG | 0644);
	ck_assert_uint_eq(link->uid, st.st_uid);
	ck_assert_uint_eq(link->gid, st.st_gid);
	ck_assert_uint_eq(link->size, 0);
	ck_assert_int_eq(link->acl, 0);
	ck_assert_int_eq(link->noexec, 0);
	ck_assert_ptr_null(link->mount);

	ck_assert_int_eq(find_path("missing"), ENOENT);
	ck_assert_uint_eq(link->mode, 0);
	ck_assert_ptr_null(link->resolved);
}
END_TEST

START_TEST(too_many_steps)
{
	const struct errpipe_question question = { .root = root, .path = "/dir/sub/prog" };
	struct ep_check c;

	begin(&c, &question);
	c.steps = 2;
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_LOOKUP_FAILED);
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	ck_assert_int_eq(ex.error, 0);
	ck_assert_str_eq(ex.subject, "/dir/sub");
	assert_said(&ex, "errpipe gave up at \"/dir/sub\" (after 20000 steps)");
	assert_said(&ex, "shorten PATH and the symlinks on the way");
	ck_assert_uint_eq(c.steps, 0);
	close(c.root);
}
END_TEST

static void walk_up_and_down(int i)
{
	static char path[PATH_MAX];
	const struct errpipe_question question = { .root = root, .path = path };

#ifdef SYS_openat2
	if (i)
		ck_assert_int_eq(refuse(SYS_openat2, ENOSYS), 0);
#endif
	for (int n = 0; n + 10 < PATH_MAX - 4; n += 10)
		strcat(path, "dir/sub/..");
	for (char *p = path; (p = strstr(p, "..dir")); p++)
		memcpy(p, ".//..", 5);
	find(&question);
	ck_assert(ex.cause != ERRPIPE_CAUSE_NONE);
}

/* The lookup must end, even with so many steps. */
START_TEST(up_and_down)
{
	in_child(walk_up_and_down, _i);
}
END_TEST

/* If the kernel disagrees, the cause is not certain. Here the kernel's root is another one. */
START_TEST(the_kernel_disagrees)
{
	const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = "/proc" };
	struct ep_check c;

	begin(&c, &question);
	close(c.root);
	c.root = root;
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	assert_cause(ERRPIPE_CAUSE_MISSING, ENOENT, "/proc", NULL);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
}
END_TEST

static void find_with_io_error(int i)
{
	const struct errpipe_question question = { .root = root, .path = "/dir/prog" };
	struct ep_check c;

	(void)i;
	begin(&c, &question);
	ck_assert_int_eq(refuse(SYS_openat, EIO), 0);
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	assert_cause(ERRPIPE_CAUSE_LOOKUP_FAILED, EIO, "/dir", "EIO");
}

START_TEST(an_io_error)
{
	in_child(find_with_io_error, 0);
}
END_TEST

static const int own_lacks[] = { ENFILE, ENOMEM };

/* The explaining process lacks descriptors or memory, which does not affect the exec. */
static void find_and_open_without(int i)
{
	const struct errpipe_question question = { .root = root, .path = "/dir/prog" };
	struct ep_check c;
	int fd;

	begin(&c, &question);
	fd = ep_find_file(&c, &ex.link[0]);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(refuse(SYS_openat, own_lacks[i]), 0);
	ck_assert_int_eq(ep_open_file(&c, fd), -own_lacks[i]);
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	assert_cause(ERRPIPE_CAUSE_CANNOT_LOOK, 0, "/dir", errpipe_errname(own_lacks[i]));
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	ck_assert_uint_eq(ex.limit, 0);
}

START_TEST(a_lack)
{
	in_child(find_and_open_without, _i);
}
END_TEST

/* The process has free descriptors, so the error comes from the file system. */
static void find_with_emfile(int i)
{
	const struct errpipe_question question = { .root = root, .path = "/dir/prog" };
	struct ep_check c;

	(void)i;
	begin(&c, &question);
	ck_assert_int_eq(refuse(SYS_openat, EMFILE), 0);
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	assert_cause(ERRPIPE_CAUSE_LOOKUP_FAILED, EMFILE, "/dir", "EMFILE");
	ck_assert_uint_eq(ex.limit, 0);
}

START_TEST(emfile_of_a_file_system)
{
	in_child(find_with_emfile, 0);
}
END_TEST

/* Explain with at most max descriptors. Returns the errno, or 0 if the cause is the same as without a limit. */
static int explain_with_descriptors(enum errpipe_cause cause, rlim_t max)
{
	const struct errpipe_question question = { .path = "/bin/sh" };
	struct rlimit limit;
	int ret;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ret = errpipe_explain(&ex, &question);
	if (ret < 0 || ex.cause == cause)
		return -ret;
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(ERRPIPE_CAUSE_CANNOT_LOOK));
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	ck_assert_uint_eq(ex.limit, max);
	return EMFILE;
}

static void explain_with_few_descriptors(int i)
{
	const struct errpipe_question question = { .path = "/bin/sh" };
	enum errpipe_cause cause; /* under qemu-user the program is for another machine */
	unsigned broken = 0;
	rlim_t max = STDERR_FILENO + 1;
	int error;

	(void)i;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	cause = ex.cause;
	ex.links = 0;
	while ((error = explain_with_descriptors(cause, max++))) {
		ck_assert_int_eq(error, EMFILE);
		broken |= ex.links ? 1u << ex.broken : 0;
	}
	/* The lack hit the program and its loader. */
	ck_assert_uint_eq(broken, cause == ERRPIPE_CAUSE_NONE ? 3 : 1);
}

START_TEST(few_descriptors)
{
	in_child(explain_with_few_descriptors, 0);
}
END_TEST

static void read_with_io_error(int i)
{
	const struct errpipe_question question = { .root = root, .path = "/dir/prog" };

	(void)i;
	ck_assert_int_eq(refuse(SYS_pread64, EIO), 0);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	assert_cause(ERRPIPE_CAUSE_READ_FAILED, EIO, NULL, "EIO");
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}

START_TEST(an_io_error_of_read)
{
	in_child(read_with_io_error, 0);
}
END_TEST

static bool exists(const char *path, const struct errpipe_who *who)
{
	const struct errpipe_question question = { .root = root, .path = path, .who = who };
	struct ep_check c;
	bool found;

	begin(&c, &question);
	found = ep_exists(&c, path);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_uint_eq(ex.strings_used, 0);
	close(c.root);
	return found;
}

/* execvp(3) would look at these places, and would go on after the first three. */
START_TEST(places_along_path)
{
	static const struct {
		const char *path;
		enum ep_place place;
	} places[] = {
		{ "/nowhere/prog", EP_PLACE_EMPTY }, { "/prog/prog", EP_PLACE_EMPTY },
		{ "/locked/prog", EP_PLACE_SHUT },   { "/dir/prog", EP_PLACE_THERE },
		{ "prog", EP_PLACE_THERE },	     { "/loop/prog", EP_PLACE_THERE },
	};
	const struct errpipe_who nobody = { .uid = 65534, .gid = 65534 };
	const struct errpipe_question question = { .root = root, .path = "prog", .who = &nobody };
	char long_path[5000], with_long[6000];
	struct ep_places walk = { .name = "prog", .rest = with_long };
	struct ep_check c;

	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	snprintf(with_long, sizeof(with_long), "/nowhere:/prog:/locked:%s:/dir::/loop", long_path);
	begin(&c, &question);
	for (size_t i = 0; i < COUNT(places); i++) {
		ck_assert(ep_next_place(&walk));
		ck_assert_str_eq(walk.text, places[i].path);
		ck_assert_msg(ep_look_at(&c, walk.text) == places[i].place, "%s", walk.text);
	}
	ck_assert(!ep_next_place(&walk));
	walk = (struct ep_places){ .name = "x", .rest = "" };
	ck_assert(ep_next_place(&walk));
	ck_assert_str_eq(walk.text, "x");
	ck_assert(!ep_next_place(&walk));
	walk = (struct ep_places){ .name = long_path, .rest = "/bin:/usr/bin" };
	ck_assert(!ep_next_place(&walk));
	close(c.root);
}
END_TEST

START_TEST(existence)
{
	const struct errpipe_who stranger = { .uid = 4711, .gid = 4711 };
	int before = count_descriptors();

	ck_assert(exists("/prog", NULL));
	ck_assert(exists("/to-dir/sub", &stranger));
	ck_assert(exists("/fifo", NULL));
	ck_assert(exists("/", NULL));
	ck_assert(!exists("/dangling", NULL));
	ck_assert(!exists("/missing", NULL));
	ck_assert(!exists("/loop", NULL));
	ck_assert(!exists("", NULL));
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* Each test needs a new tree, because the mover may leave the old one in any state. */
static void make_mover(int i)
{
	char name[16], path[PATH_MAX];

	ck_assert_int_eq(fchdir(root), 0);
	snprintf(name, sizeof(name), "mover-%d", i);
	make_directory(name, 0755);
	go_to(name);
	ck_assert_ptr_nonnull(getcwd(path, sizeof(path)));
	make_file("outside", 0755);
	make_directory("root", 0755);
	make_directory("root/sub", 0755);
	make_directory("root/swap", 0755);
	make_directory("root/swap/sub", 0755);
	make_link("root/link", path);
}

/* Move sub out of the root and back, and let swap alternate between a directory and a link out of the root. */
static void move_to_and_fro(void)
{
	for (;;) {
		if (rename("root/sub", "sub") < 0 || rename("sub", "root/sub") < 0 ||
		    rename("root/swap", "root/aside") < 0 || rename("root/link", "root/swap") < 0 ||
		    rename("root/swap", "root/link") < 0 || rename("root/aside", "root/swap") < 0)
			_exit(1);
	}
}

static void find_what_moves(int i)
{
	struct errpipe_question question = { .root = open("root", O_PATH | O_CLOEXEC) };

#ifdef SYS_openat2
	if (i)
		ck_assert_int_eq(refuse(SYS_openat2, ENOSYS), 0);
#endif
	ck_assert_int_ge(question.root, 0);
	for (int n = 0; n < 4000; n++) {
		question.path = n % 2 ? "sub/../outside" : "swap/sub/../sub/../sub/../sub/../sub/../outside";
		find(&question);
		ck_assert_msg(ex.cause == ERRPIPE_CAUSE_MISSING || ex.cause == ERRPIPE_CAUSE_DANGLING_LINK ||
				      ex.cause == ERRPIPE_CAUSE_LOOKUP_FAILED,
			      "%s: %s", question.path, errpipe_cause_name(ex.cause));
	}
}

/* A lookup inside a directory that moves must not leave the root. */
START_TEST(a_directory_that_moves)
{
	pid_t pid;

	make_mover(_i);
	pid = checked_fork();
	if (pid == 0)
		move_to_and_fro();
	in_child(find_what_moves, _i);
	kill(pid, SIGKILL);
	ck_assert(WIFSIGNALED(wait_for(pid)));
}
END_TEST

/* --- rights ------------------------------------------------------------------------------------------------- */

static int find_as(const char *path, const struct errpipe_who *who)
{
	const struct errpipe_question question = { .root = root, .path = path, .who = who };

	return find(&question);
}

static void assert_for_whom(const char *path, const struct errpipe_who *who, enum errpipe_class as,
			    const char *format, unsigned id)
{
	char words[256];

	snprintf(words, sizeof(words), format, id);
	ck_assert_int_eq(find_as(path, who), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOT_EXECUTABLE, EACCES, path, NULL);
	ck_assert_int_eq(ex.denied.as, as);
	ck_assert_uint_eq(
		as == ERRPIPE_CLASS_GROUP || as == ERRPIPE_CLASS_NAMED_GROUP ? ex.denied.gid : ex.denied.uid, id);
	assert_said(&ex, words);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}

/* The owner and strangers, without the rights of root. */
START_TEST(modes)
{
	const gid_t group[] = { 4712, getegid() };
	const struct errpipe_who owner = { .uid = geteuid(), .gid = 4711 }, other = { .uid = 4711, .gid = 4711 };
	const struct errpipe_who member = { .uid = 4711, .gid = getegid() };
	const struct errpipe_who second = { .uid = 4711, .gid = 4711, .groups = group, .groups_count = 2 };

	ck_assert_int_eq(find_as("/prog", &owner), 0);
	ck_assert_int_eq(find_as("/prog", &other), 0);
	assert_for_whom("/no-x", &owner, ERRPIPE_CLASS_OWNER, "its owner (uid %u)", geteuid());
	assert_for_whom("/owner-not", &owner, ERRPIPE_CLASS_OWNER, "its owner (uid %u)", geteuid());
	ck_assert_int_eq(find_as("/group-not", &owner), 0);
	assert_for_whom("/group-not", &member, ERRPIPE_CLASS_GROUP, "its group (gid %u)", getegid());
	assert_for_whom("/group-not", &second, ERRPIPE_CLASS_GROUP, "its group (gid %u)", getegid());
	ck_assert_int_eq(find_as("/group-not", &other), 0);
	ck_assert_int_eq(find_as("/others-not", &second), 0);
	assert_for_whom("/others-not", &other, ERRPIPE_CLASS_OTHER, "others (uid %u)", 4711);
}
END_TEST

START_TEST(rights_of_root)
{
	struct errpipe_who who = { .uid = 0, .gid = 4711, .effective = ALL_CAPABILITIES };
	struct stat st;

	ck_assert_int_eq(find_as("/owner-not", &who), 0);
	assert_for_whom("/no-x", &who, ERRPIPE_CLASS_ANYONE, "anyone, including root", 0);
	who.uid = 4711;
	ck_assert_int_eq(find_as("/others-not", &who), 0);
	ck_assert_int_eq(fstatat(root, "others-not", &st, 0), 0);
	who.uid = st.st_uid == 0 ? 4711 : 0;
	who.effective = 1 << 2; /* CAP_DAC_READ_SEARCH */
	assert_for_whom("/others-not", &who, ERRPIPE_CLASS_OTHER,
			who.uid ? "others (uid %u)" : "others (uid %u; the process lacks CAP_DAC_OVERRIDE)", who.uid);
}
END_TEST

START_TEST(an_unsearchable_directory)
{
	struct errpipe_who who = { .uid = geteuid(), .gid = 4711 };
	char whom[64];

	snprintf(whom, sizeof(whom), "its owner (uid %u)", (unsigned)geteuid());
	ck_assert_int_eq(find_as("/dir/../locked/missing", &who), EACCES);
	assert_cause(ERRPIPE_CAUSE_UNSEARCHABLE, EACCES, "/dir/../locked", NULL);
	assert_said(&ex, whom);
	ck_assert_int_eq(find_as("/to-dir/../locked/..", &who), EACCES);
	assert_cause(ERRPIPE_CAUSE_UNSEARCHABLE, EACCES, "/to-dir/../locked", NULL);
	assert_said(&ex, whom);
	ck_assert_int_eq(find_as("/locked/.", &who), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_UNSEARCHABLE);
	ck_assert_int_eq(find_as("/locked/", &who), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_A_FILE);
	who.effective = 1 << 2; /* CAP_DAC_READ_SEARCH */
	find_as("/locked/missing", &who);
	/* An ordinary user cannot see this. */
	ck_assert_int_eq(ex.cause, geteuid() == 0 ? ERRPIPE_CAUSE_MISSING : ERRPIPE_CAUSE_CANNOT_LOOK);
	ck_assert_int_eq(ex.certainty, geteuid() == 0 ? ERRPIPE_CERTAIN : ERRPIPE_UNSURE);
}
END_TEST

/* linux/posix_acl_xattr.h */
enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct acl_entry {
	unsigned tag, permissions, id;
};

static size_t put_acl(unsigned char *bytes, const struct acl_entry *entries, size_t count)
{
	memset(bytes, 0, 4 + count * 8);
	bytes[0] = 2;
	for (size_t i = 0; i < count; i++) {
		unsigned char *p = bytes + 4 + i * 8;

		p[0] = entries[i].tag;
		p[2] = entries[i].permissions;
		for (int b = 0; b < 4; b++)
			p[4 + b] = entries[i].id >> 8 * b;
	}
	return 4 + count * 8;
}

/* Returns false if the file system has no access control lists. */
static bool set_acl(const char *path, const struct acl_entry *entries, size_t count)
{
	unsigned char bytes[256];
	size_t size = put_acl(bytes, entries, count);

	if (setxattr(path, "system.posix_acl_access", bytes, size, 0) == 0)
		return true;
	ck_assert_int_eq(errno, EOPNOTSUPP);
	return false;
}

static bool make_file_with_acl(const char *name, unsigned mask, unsigned other)
{
	const struct acl_entry entries[] = {
		{ USER_OBJ, 7, -1 }, { USER, 5, 1001 },	 { USER, 4, 1002 },  { GROUP_OBJ, 4, -1 },
		{ GROUP, 4, 2001 },  { GROUP, 5, 2002 }, { MASK, mask, -1 }, { OTHER, other, -1 },
	};
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	make_file(path, 0755);
	return set_acl(path, entries, COUNT(entries));
}

#define LISTED "in its access control list"

START_TEST(access_control_lists)
{
	const gid_t both[] = { 2001, 2002 };
	const struct errpipe_who named = { .uid = 1001, .gid = 1 }, without = { .uid = 1002, .gid = 2002 };
	const struct errpipe_who in_2001 = { .uid = 3, .gid = 2001 }, in_own = { .uid = 3, .gid = getegid() };
	const struct errpipe_who in_both = { .uid = 3, .gid = 1, .groups = both, .groups_count = 2 };
	const struct errpipe_who other = { .uid = 3, .gid = 3 }, owner = { .uid = geteuid(), .gid = 3 };

	if (!make_file_with_acl("acl", 7, 0))
		SKIP("needs access-lists");
	ck_assert_int_eq(find_as("/acl", &named), 0);
	ck_assert_int_ne(ex.link[0].acl, 0);
	ck_assert_int_eq(find_as("/acl", &owner), 0);
	ck_assert_int_eq(find_as("/acl", &in_both), 0);
	assert_for_whom("/acl", &without, ERRPIPE_CLASS_USER, "user %u " LISTED, 1002);
	assert_for_whom("/acl", &in_2001, ERRPIPE_CLASS_NAMED_GROUP, "group %u " LISTED, 2001);
	assert_for_whom("/acl", &in_own, ERRPIPE_CLASS_GROUP, "its group (gid %u)", getegid());
	assert_for_whom("/acl", &other, ERRPIPE_CLASS_OTHER,
			"others (uid %u, which its access control list does not name)", 3);
	ck_assert_int_ne(ex.denied.acl, 0);

	make_file_with_acl("acl-masked", 4, 1);
	assert_for_whom("/acl-masked", &named, ERRPIPE_CLASS_USER, "user %u " LISTED " (limited by the ACL mask)",
			1001);
	ck_assert_int_ne(ex.denied.mask, 0);
	assert_for_whom("/acl-masked", &in_both, ERRPIPE_CLASS_NAMED_GROUP, "group %u " LISTED, 2001);
	ck_assert_int_eq(find_as("/acl-masked", &other), 0);

	/* The kernel ignores a list with an empty mask. */
	make_file_with_acl("acl-none", 0, 1);
	ck_assert_int_eq(find_as("/acl-none", &named), 0);
	ck_assert_int_eq(find_as("/acl-none", &without), 0);
	assert_for_whom("/acl-none", &in_own, ERRPIPE_CLASS_GROUP, "its group (gid %u)", getegid());
}
END_TEST

static void become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setgroups(count, groups), 0);
	ck_assert_int_eq(setresgid(gid, gid, gid), 0);
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
}

static void find_as_nobody(int i)
{
	static const long calls[] = {
		-1,
#ifdef SYS_faccessat2
		SYS_faccessat2,
#endif
	};
	const struct errpipe_question question = { .root = root, .path = "/mine" };
	struct ep_check c;

	if (i < (int)COUNT(calls) && calls[i] >= 0)
		ck_assert_int_eq(refuse(calls[i], EPERM), 0);
	become(1000, 1000, NULL, 0);
	ck_assert_int_eq(find_path("/mine"), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_EXECUTABLE);
	ck_assert_int_eq(find_path("/locked/x"), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_UNSEARCHABLE);
	ck_assert_int_eq(find_path("/prog"), 0);
	if (i)
		return;

	/* Pretend to have all capabilities. Then the refusal looks like that of a security module. */
	begin(&c, &question);
	c.who.effective = ALL_CAPABILITIES;
	ck_assert_int_eq(ep_find_file(&c, &ex.link[0]), -1);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_SECURITY_MODULE);
	ck_assert_int_eq(ex.error, EACCES);
	close(c.root);
}

/* For the caller's own identity, explain asks the kernel. */
START_TEST(own_identity)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/mine", base);
	make_file(path, 0011);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path, 1000, 1000), 0);
	in_child(find_as_nobody, 0);
	in_child(find_as_nobody, 1);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static void find_with_two_identities(int i)
{
	(void)i;
	ck_assert_int_eq(setresuid(0, 1000, 0), 0);
	ck_assert_int_eq(find_path("/both"), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_EXECUTABLE);
}

/* Only the effective identity counts for an exec. */
START_TEST(real_and_effective_identity)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/both", base);
	make_file(path, 0011);
	ck_assert_int_eq(chown(path, 1000, 1000), 0);
	in_child(find_with_two_identities, 0);
}
END_TEST

static void write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void find_in_user_namespace(int i)
{
	(void)i;
	if (unshare(CLONE_NEWUSER) < 0)
		SKIP("needs user-namespaces");
	write_proc("/proc/self/setgroups", "deny");
	write_proc("/proc/self/uid_map", "0 0 1");
	write_proc("/proc/self/gid_map", "0 0 1");
	ck_assert_int_eq(find_path("/foreign"), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOT_EXECUTABLE, EACCES, "/foreign", NULL);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_UNMAPPED_OWNER);
	assert_said(&ex, "others (uid 0; the owner is not mapped in this user namespace)");
}

START_TEST(an_owner_that_is_not_mapped)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/foreign", base);
	make_file(path, 0700);
	ck_assert_int_eq(chown(path, 54321, 54321), 0);
	in_child(find_in_user_namespace, 0);
}
END_TEST

/* --- the own root ------------------------------------------------------------------------------------------- */

static int find_here(const char *path)
{
	const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = path };

	return find(&question);
}

static void assert_resolved(const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s%s", base, name);
	ck_assert_str_eq(ex.link[0].resolved, path);
}

START_TEST(own_working_directory)
{
	char path[PATH_MAX + 16];

	go_to("dir/sub");
	ck_assert_int_eq(find_here("prog"), 0);
	assert_resolved("/dir/sub/prog");
	ck_assert_int_eq(find_here("../../to-dir/prog"), 0);
	assert_resolved("/dir/prog");
	ck_assert_int_eq(find_here("../x"), ENOENT);
	assert_cause(ERRPIPE_CAUSE_MISSING, ENOENT, "../x", NULL);
	ck_assert_int_eq(find_here("../../dangling"), ENOENT);
	snprintf(path, sizeof(path), "%s/dangling", base);
	assert_cause(ERRPIPE_CAUSE_DANGLING_LINK, ENOENT, path, "nowhere");
	snprintf(path, sizeof(path), "%s/prog", base);
	ck_assert_int_eq(find_here(path), 0);
	assert_resolved("/prog");
	/* With another root, the working directory is that root. */
	ck_assert_int_eq(find_path("sub/prog"), ENOENT);
}
END_TEST

START_TEST(a_given_working_directory)
{
	char cwd[PATH_MAX + 16];
	const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .cwd = cwd, .path = "../prog" };

	snprintf(cwd, sizeof(cwd), "%s/dir", base);
	ck_assert_int_eq(find(&question), 0);
	assert_resolved("/prog");
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	/* Search permission is not needed: a runtime changes to the directory before it changes its identity. */
	snprintf(cwd, sizeof(cwd), "%s/missing", base);
	ck_assert_int_eq(find(&question), ENOENT);
	assert_cause(ERRPIPE_CAUSE_MISSING, ENOENT, cwd, NULL);
}
END_TEST

START_TEST(a_deleted_working_directory)
{
	go_to(".");
	make_directory("gone", 0755);
	go_to("gone");
	ck_assert_int_eq(rmdir("../gone"), 0);
	ck_assert_int_eq(find_here("x"), ENOENT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_DELETED_CWD);
	ck_assert_int_eq(find_here("./x/y"), ENOENT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_DELETED_CWD);
	ck_assert_int_eq(find_here("../x"), ENOENT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MISSING);
	ck_assert_int_eq(find_here("../prog"), 0);
	assert_resolved("/prog");
	ck_assert_int_eq(find_here("."), EACCES);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_A_FILE);
	ck_assert_ptr_null(ex.link[0].resolved);
}
END_TEST

START_TEST(a_device)
{
	ck_assert_int_eq(find_here("/dev/null"), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOT_A_FILE, EACCES, "/dev/null", NULL);
	assert_said(&ex, "a character device");
}
END_TEST

START_TEST(links_of_proc)
{
	const struct errpipe_question other = { .root = open("/", O_PATH | O_CLOEXEC), .path = "/proc/self/exe" };
	char path[64];
	int fd = openat(root, "dir/prog", O_PATH | O_CLOEXEC), dir = openat(root, "dir", O_PATH | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(find_here(path), 0);
	assert_resolved("/dir/prog");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/../prog", dir);
	ck_assert_int_eq(find_here(path), 0);
	assert_resolved("/prog");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", 1000);
	ck_assert_int_eq(find_here(path), ENOENT);
	close(fd);
	close(dir);

	find_here("/proc/self/exe");
	assert_cause(ERRPIPE_CAUSE_MAGIC_LINK, 0, "/proc/self/exe", NULL);
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	ck_assert_int_eq(ex.works, 0);

	find(&other);
	assert_cause(ERRPIPE_CAUSE_MAGIC_LINK, 0, "/proc/self", NULL);
	close(other.root);
}
END_TEST

START_TEST(a_memfd)
{
	int fd = memfd_create("x", MFD_CLOEXEC);
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(find_here(path), 0);
	ck_assert_ptr_null(ex.link[0].resolved);
	close(fd);
}
END_TEST

/* --- mounts ------------------------------------------------------------------------------------------------- */

static int source(const char *name)
{
	int fd = openat(root, name, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(mounts_of_the_question)
{
	const struct errpipe_mount mounts[] = {
		{ .at = "/at/hidden", .source = source("dir/sub") },
		{ .at = "//at/./", .source = source("dir") },
		{ .at = "/at/sub", .source = source("chain"), .noexec = 1 },
		{ .at = "/at/sub/", .source = source("dir/sub"), .nosuid = 1 },
		{ .at = "/at/no", .source = source("dir"), .noexec = 1 },
		{ .at = "/file", .source = source("prog") },
		{ .at = "/later/", .source = -1 },
		{ .at = "/made/for/it", .source = source("dir") },
		{ .at = "/made/later", .source = -1 },
	};
	struct errpipe_question question = { .root = root, .mounts = mounts, .mounts_count = COUNT(mounts) };
	static const struct {
		const char *path, *resolved;
		enum errpipe_cause cause;
		const char *subject;
	} tries[] = {
		{ "/at/prog", "/at/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/at/sub/prog", "/at/sub/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/at/sub/../prog", "/at/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/at/sub/../../prog", "/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/at/../dir/prog", "/dir/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/at/ring-b", NULL, ERRPIPE_CAUSE_LINK_LOOP, "/at/ring-b" },
		{ "/at/hidden", NULL, ERRPIPE_CAUSE_MISSING, "/at/hidden" },
		{ "/at/no/prog", "/at/no/prog", ERRPIPE_CAUSE_NOEXEC_MOUNT, "/at/no" },
		{ "/at/no/x", NULL, ERRPIPE_CAUSE_MISSING, "/at/no/x" },
		{ "/file", "/file", ERRPIPE_CAUSE_NONE, NULL },
		{ "/file/", NULL, ERRPIPE_CAUSE_FILE_AS_DIRECTORY, "/file" },
		{ "/to-slash/later/x", NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/to-slash/later" },
		{ "/absolute", "/dir/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/made/for/it/prog", "/made/for/it/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/made/../made/for/it/../it/prog", "/made/for/it/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/made/for/it/../../../prog", "/prog", ERRPIPE_CAUSE_NONE, NULL },
		{ "/made/for/x", NULL, ERRPIPE_CAUSE_MISSING, "/made/for/x" },
		{ "/made/x", NULL, ERRPIPE_CAUSE_MISSING, "/made/x" },
		{ "/made", "/made", ERRPIPE_CAUSE_NOT_A_FILE, "/made" },
		{ "/made/later/x", NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/made/later" },
		{ "/mad", NULL, ERRPIPE_CAUSE_MISSING, "/mad" },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		question.path = tries[i].path;
		find(&question);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(tries[i].cause));
		ck_assert_str_eq(ex.subject ? ex.subject : "(none)", tries[i].subject ? tries[i].subject : "(none)");
		ck_assert_str_eq(ex.link[0].resolved ? ex.link[0].resolved : "(none)",
				 tries[i].resolved ? tries[i].resolved : "(none)");
		ck_assert_int_eq(ex.certainty,
				 ex.cause == ERRPIPE_CAUSE_NOT_YET_MOUNTED ? ERRPIPE_UNSURE : ERRPIPE_CERTAIN);
	}
	question.path = "/at/sub/prog";
	find(&question);
	ck_assert_int_eq(ex.link[0].nosuid, 1);
	ck_assert_int_eq(ex.link[0].noexec, 0);
	for (size_t i = 0; i < COUNT(mounts); i++)
		close(mounts[i].source);
}
END_TEST

/* A directory in the place of the program, and in that of an interpreter. */
START_TEST(a_mounted_directory)
{
	char empty[PATH_MAX + 32];
	const struct errpipe_mount mounts[] = {
		{ .at = "/prog", .source = source("dir"), .name = "../host/prog" },
		{ .at = "/new", .source = source("dir") },
	};
	struct errpipe_question question = { .root = root, .path = "/prog", .mounts = mounts, .mounts_count = 2 };
	struct errpipe_mount mount = { .at = "/prog", .name = "-x/" };

	find(&question);
	assert_cause(ERRPIPE_CAUSE_MOUNTED_DIRECTORY, EACCES, "/prog", "../host/prog");
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	assert_said(&ex, "\"/prog\" is not a file: the directory \"../host/prog\" is mounted there");
	assert_said(&ex, "mount the file itself");
	question.path = "/new";
	find(&question);
	assert_cause(ERRPIPE_CAUSE_MOUNTED_DIRECTORY, EACCES, "/new", NULL);
	question.path = "/prog/sub";
	find(&question);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_A_FILE);
	ck_assert_str_eq(ex.link[0].here, "../host/prog/sub");

	snprintf(empty, sizeof(empty), "%s/mounted-empty", base);
	make_directory(empty, 0755);
	mount.source = source("mounted-empty");
	question = (struct errpipe_question){ .root = root, .path = "/prog", .mounts = &mount, .mounts_count = 1 };
	find(&question);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_EMPTY_DIRECTORY);
	assert_said(&ex, "rmdir ./-x/, then put the file there");
	ck_assert_int_eq(rmdir(empty), 0);
	for (size_t i = 0; i < COUNT(mounts); i++)
		close(mounts[i].source);
	close(mount.source);
}
END_TEST

START_TEST(a_mount_that_hides)
{
	const struct errpipe_mount mounts[] = { { .at = "/dir", .source = source("chain"), .name = "/srv" },
						{ .at = "/later", .source = -1 } };
	static const struct {
		const char *path, *cwd;
		bool hidden;
	} tries[] = {
		{ "/dir/prog", NULL, true },	 { "prog", "/dir", true },     { "/to-dir/prog", NULL, true },
		{ "/dir/sub/prog", NULL, true }, { "/dir/gone", NULL, false }, { "/gone", NULL, false },
		{ "/dir/prog/x", NULL, false },	 { "/dir/sub", NULL, false },
	};
	struct errpipe_question question = { .root = root, .mounts = mounts, .mounts_count = COUNT(mounts) };

	for (size_t i = 0; i < COUNT(tries); i++) {
		question.path = tries[i].path;
		question.cwd = tries[i].cwd;
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_msg((ex.cause == ERRPIPE_CAUSE_HIDDEN_BY_MOUNT) == tries[i].hidden, "%s: %s", tries[i].path,
			      errpipe_cause_name(ex.cause));
		if (tries[i].hidden)
			assert_cause(ERRPIPE_CAUSE_HIDDEN_BY_MOUNT, ENOENT, "/dir", "/srv");
	}
	for (size_t i = 0; i < 1; i++)
		close(mounts[i].source);
}
END_TEST

/* A mount brings a program that would start. */
static struct errpipe_mount real_program(void)
{
	char *path = built_path("dmz");
	struct errpipe_mount mount = { .at = "/real", .source = open(path, O_PATH | O_CLOEXEC) };

	ck_assert_int_ge(mount.source, 0);
	free(path);
	return mount;
}

/* A tmpfs. Only a program that the image has is surely not on it. */
START_TEST(a_mount_that_begins_empty)
{
	static const struct {
		const char *path;
		int noexec;
		enum errpipe_cause cause;
	} tries[] = {
		{ "/dir/prog", 0, ERRPIPE_CAUSE_HIDDEN_BY_MOUNT },
		{ "/dir/prog", 1, ERRPIPE_CAUSE_HIDDEN_BY_MOUNT },
		{ "/to-dir/prog", 0, ERRPIPE_CAUSE_HIDDEN_BY_MOUNT },
		{ "/dir/gone", 0, ERRPIPE_CAUSE_NOT_YET_MOUNTED },
		{ "/dir/gone", 1, ERRPIPE_CAUSE_NOEXEC_MOUNT },
		{ "/dir/sub", 0, ERRPIPE_CAUSE_NOT_YET_MOUNTED },
		{ "/real", 0, ERRPIPE_CAUSE_NONE },
	};
	const struct errpipe_mount program = real_program();

	for (size_t i = 0; i < COUNT(tries); i++) {
		const struct errpipe_mount mounts[] = { { .at = "/dir", .empty = 1, .noexec = tries[i].noexec },
							program };
		const struct errpipe_question question = {
			.root = root, .path = tries[i].path, .mounts = mounts, .mounts_count = COUNT(mounts)
		};

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(tries[i].cause));
		if (tries[i].cause != ERRPIPE_CAUSE_HIDDEN_BY_MOUNT)
			continue;
		assert_cause(ERRPIPE_CAUSE_HIDDEN_BY_MOUNT, ENOENT, "/dir", NULL);
		ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NEW_FILE_SYSTEM);
		ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
		assert_said(&ex, "but the tmpfs on \"/dir\" hides it");
	}
	close(program.source);
}
END_TEST

/* A tmpfs with mounts on it, as /dev has them. */
START_TEST(mounts_on_an_empty_one)
{
	const struct errpipe_mount program = real_program();
	const struct errpipe_mount empty = { .at = "/dir", .empty = 1 };
	const struct errpipe_mount on = { .at = "/dir/sub/prog", .source = program.source };
	const struct errpipe_mount mounts[] = { empty, on }, covered[] = { on, empty };
	static const struct {
		const char *path;
		bool is_covered;
		enum errpipe_cause cause;
	} tries[] = {
		{ "/dir/sub/prog", false, ERRPIPE_CAUSE_NONE },
		{ "/dir/sub/prog", true, ERRPIPE_CAUSE_HIDDEN_BY_MOUNT },
		{ "/dir/prog", false, ERRPIPE_CAUSE_HIDDEN_BY_MOUNT },
		{ "/dir/gone", false, ERRPIPE_CAUSE_NOT_YET_MOUNTED },
		{ "/dir/sub", false, ERRPIPE_CAUSE_NOT_A_FILE },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		const struct errpipe_question question = { .root = root,
							   .path = tries[i].path,
							   .mounts = tries[i].is_covered ? covered : mounts,
							   .mounts_count = 2 };

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(tries[i].cause));
		if (tries[i].cause == ERRPIPE_CAUSE_NOT_YET_MOUNTED)
			assert_cause(ERRPIPE_CAUSE_NOT_YET_MOUNTED, 0, "/dir", NULL);
	}
	close(program.source);
}
END_TEST

/* Mounts that no runtime can make. Those that do not concern the program are reported last. */
START_TEST(a_mount_that_fails)
{
	const int file = source("prog"), directory = source("dir");
	const struct errpipe_mount program = real_program();
	const struct {
		const char *at, *path;
		int source;
		enum errpipe_cause cause;
		enum errpipe_detail detail;
		const char *said;
	} tries[] = {
		{ "/dir", "/dir/prog", -ENOENT, ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING, 0,
		  "the source \"/srv\" of the mount on \"/dir\" does not exist" },
		{ "/other", "/real", -ENOENT, ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING, 0, "on \"/other\" does not exist" },
		{ "/other", "/gone", -ENOENT, ERRPIPE_CAUSE_MISSING, 0, "\"/gone\" does not exist" },
		{ "/other", "/real", -1, ERRPIPE_CAUSE_NONE, 0, "nothing is wrong" },
		{ "/dir", "/dir/prog", file, ERRPIPE_CAUSE_MOUNT_MISMATCH, ERRPIPE_DETAIL_FILE_ON_DIRECTORY,
		  "the file \"/srv\" cannot be mounted on \"/dir\", which is a directory" },
		{ "/dir", "/real", file, ERRPIPE_CAUSE_MOUNT_MISMATCH, ERRPIPE_DETAIL_FILE_ON_DIRECTORY,
		  "mount it on" },
		{ "/dir/prog", "/real", directory, ERRPIPE_CAUSE_MOUNT_MISMATCH, 0,
		  "the directory \"/srv\" cannot be mounted on \"/dir/prog\", which is a file" },
		{ "/dir/prog", "/gone", directory, ERRPIPE_CAUSE_MISSING, 0, "does not exist" },
		{ "/dir/prog", "/real", file, ERRPIPE_CAUSE_NONE, 0, "nothing is wrong" },
		{ "/dir", "/real", directory, ERRPIPE_CAUSE_NONE, 0, "nothing is wrong" },
		{ "/new", "/real", directory, ERRPIPE_CAUSE_NONE, 0, "nothing is wrong" },
		{ "/new", "/real", file, ERRPIPE_CAUSE_NONE, 0, "nothing is wrong" },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		const struct errpipe_mount mounts[] = {
			{ .at = tries[i].at, .source = tries[i].source, .name = "/srv" }, program
		};
		struct errpipe_report report = {
			.verdict = ERRPIPE_EXEC_FAILED, .error = EACCES, .raw_error = EACCES, .status = -1
		};
		struct errpipe_question question = {
			.root = root, .path = tries[i].path, .mounts = mounts, .mounts_count = COUNT(mounts)
		};

		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(tries[i].cause));
		ck_assert_int_eq(ex.detail, tries[i].detail);
		ck_assert_int_eq(ex.works, tries[i].cause == ERRPIPE_CAUSE_NONE);
		assert_said(&ex, tries[i].said);
		/* After an exec, the mounts were made. */
		question.report = &report;
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_ne(ex.cause, ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING);
		ck_assert_int_ne(ex.cause, ERRPIPE_CAUSE_MOUNT_MISMATCH);
	}
	close(file);
	close(directory);
	close(program.source);
}
END_TEST

/* Each mount sees the files that earlier mounts brought. */
START_TEST(a_mount_on_a_mount)
{
	const struct errpipe_mount below = { .at = "/dir", .source = source("chain") };
	const struct errpipe_mount above = { .at = "/dir/prog", .source = source("dir") };
	const struct errpipe_mount program = real_program();
	const struct errpipe_mount mounts[] = { below, above, program }, reverse[] = { above, below, program };
	struct errpipe_question question = { .root = root, .path = "/real", .mounts = mounts, .mounts_count = 3 };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "none");
	question.mounts = reverse;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "mount-mismatch");
	for (size_t i = 0; i < COUNT(mounts); i++)
		close(mounts[i].source);
}
END_TEST

/* The caller's path of a file: the name of the root, or of a mount's source, and the rest. */
START_TEST(paths_of_the_caller)
{
	const struct errpipe_mount mounts[] = { { .at = "/at", .source = source("dir"), .name = "../src//" },
						{ .at = "/file", .source = source("prog"), .name = "/srv/prog" },
						{ .at = "/nameless", .source = source("dir") } };
	static const struct {
		const char *root_name, *path, *here;
	} tries[] = {
		{ "rootfs", "/prog", "rootfs/prog" },
		{ "./rootfs/", "/to-dir/prog", "./rootfs/dir/prog" },
		{ "-r", "/prog", "./-r/prog" },
		{ "/", "/prog", "/prog" },
		{ NULL, "/prog", NULL },
		{ "", "/prog", NULL },
		{ "rootfs", "/at/sub/prog", "../src/sub/prog" },
		{ "rootfs", "/file", "/srv/prog" },
		{ "rootfs", "/nameless/prog", NULL },
		{ "rootfs", "/", "rootfs" },
	};
	struct errpipe_question question = { .root = root, .mounts = mounts, .mounts_count = COUNT(mounts) };

	for (size_t i = 0; i < COUNT(tries); i++) {
		question.path = tries[i].path;
		question.root_name = tries[i].root_name;
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_str_eq(ex.link[0].here ? ex.link[0].here : "(none)",
				 tries[i].here ? tries[i].here : "(none)");
	}
	for (size_t i = 0; i < COUNT(mounts); i++)
		close(mounts[i].source);
}
END_TEST

/* Make the files of a list that is separated by blanks. Names that end in a slash are directories. */
static void make_all(const char *names)
{
	char all[256], *name, *rest = all;

	strcpy(all, names);
	while ((name = strsep(&rest, " "))) {
		if (*name && name[strlen(name) - 1] == '/')
			make_directory(name, 0755);
		else if (*name)
			make_file(name, 0755);
	}
}

static const struct {
	const char *files, *root_name, *path;
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	const char *subject;
} roots[] = {
	{ "", "r", "/bin/sh", ERRPIPE_CAUSE_EMPTY_ROOT, 0, NULL },
	{ "dev/ proc/ sys/ tmp/", "r", "sh", ERRPIPE_CAUSE_EMPTY_ROOT, 0, NULL },
	{ "dev/ dev/null", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "dev", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "dev/ other/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },

	{ "oci-layout index.json blobs/", "r", "/prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_LAYOUT, NULL },
	{ "oci-layout index.json", NULL, "prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_LAYOUT, NULL },
	{ "index.json blobs/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "manifest.json ab/ ab/layer.tar cd/ cd/layer.tar", "r", "/prog", ERRPIPE_CAUSE_NOT_A_ROOT,
	  ERRPIPE_DETAIL_ROOT_ARCHIVE, NULL },
	{ "manifest.json ab/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },

	{ "config.json rootfs/ rootfs/bin/ rootfs/etc/", "r", "/prog", ERRPIPE_CAUSE_NOT_A_ROOT,
	  ERRPIPE_DETAIL_ROOT_ABOVE, "r/rootfs" },
	{ "work/ merged/ merged/usr/ merged/etc/", NULL, "prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_ABOVE,
	  "/merged" },
	{ "rootfs/ rootfs/bin/ rootfs/etc/ bin/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "rootfs/ rootfs/bin/ rootfs/etc/ etc/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "rootfs/ rootfs/bin/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },
	{ "a/ a/bin/ a/etc/ b/ b/bin/ b/etc/", "r", "/prog", ERRPIPE_CAUSE_MISSING, 0, NULL },

	{ "bin/ bin/prog", "rootfs/usr", "/usr/bin/prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_INSIDE,
	  "rootfs" },
	{ "bin/ bin/prog", "/usr//", "/usr/bin/prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_INSIDE, "/" },
	{ "bin/ bin/prog", "usr", "/usr/bin/prog", ERRPIPE_CAUSE_NOT_A_ROOT, ERRPIPE_DETAIL_ROOT_INSIDE, "." },
	{ "bin/ bin/prog", "/", "/usr/bin/prog", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, NULL },
	{ "bin/ bin/prog", "rootfs/usr2", "/usr/bin/prog", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY,
	  NULL },
	{ "bin/ bin/prog", NULL, "/usr/bin/prog", ERRPIPE_CAUSE_NEAR_MISS, ERRPIPE_DETAIL_OTHER_DIRECTORY, NULL },
};

/* The directory of the question is not the root that was meant. */
START_TEST(a_root_that_is_none)
{
	struct errpipe_question question = { .root_name = roots[_i].root_name,
					     .path = roots[_i].path,
					     .search_path = strchr(roots[_i].path, '/') ? NULL : "/bin" };

	char directory[PATH_MAX + 16];

	snprintf(directory, sizeof(directory), "%s/root-XXXXXX", base);
	if (!mkdtemp(directory) || chdir(directory) < 0)
		die(directory);
	make_all(roots[_i].files);
	question.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(roots[_i].cause));
	ck_assert_int_eq(ex.detail, roots[_i].detail);
	if (roots[_i].subject)
		ck_assert_str_eq(ex.subject, roots[_i].subject);
	if (ex.cause == ERRPIPE_CAUSE_NOT_A_ROOT || ex.cause == ERRPIPE_CAUSE_EMPTY_ROOT)
		ck_assert_str_eq(ex.object ? ex.object : "", roots[_i].root_name ? roots[_i].root_name : "");
	close(question.root);
}
END_TEST

/* "/bin" of a root that was unpacked without symbolic links. */
START_TEST(a_link_as_text)
{
	static const struct {
		const char *text, *target;
	} tries[] = {
		{ "dir", "dir" },    { "/dir", "/dir" }, { "./at/../dir", NULL },
		{ "nowhere", NULL }, { "dir ", NULL },	 { "", NULL },
	};
	struct errpipe_question question = { .root = root, .root_name = "img", .path = "/bin/prog" };

	for (size_t i = 0; i < COUNT(tries); i++) {
		int fd = openat(root, "bin", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		ck_assert_int_eq(write(fd, tries[i].text, strlen(tries[i].text)), strlen(tries[i].text));
		close(fd);
		ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_FILE_AS_DIRECTORY);
		ck_assert_int_eq(ex.detail, tries[i].target ? ERRPIPE_DETAIL_LINK_AS_TEXT : ERRPIPE_DETAIL_NONE);
		if (tries[i].target)
			ck_assert_str_eq(ex.object, tries[i].target);
		assert_said(&ex,
			    tries[i].target ? "make it a symlink again: ln -sfn " : "nothing may follow \"/bin\"");
	}
	unlinkat(root, "bin", 0);
}
END_TEST

/* Runtimes treat such a mount in different ways. */
START_TEST(a_mount_on_the_root)
{
	static const char *const places[] = { "/", "//./", "" };

	for (size_t i = 0; i < COUNT(places); i++) {
		const struct errpipe_mount mounts[] = { { .at = places[i], .source = source("chain") },
							{ .at = "/at", .source = source("dir") } };
		const struct errpipe_question question = {
			.root = root, .path = "/at/prog", .mounts = mounts, .mounts_count = COUNT(mounts)
		};

		find(&question);
		assert_cause(ERRPIPE_CAUSE_NOT_YET_MOUNTED, 0, "/", NULL);
		ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
		close(mounts[0].source);
		close(mounts[1].source);
	}
}
END_TEST

/* Files on these mounts will not be executable, unless the path leads away from them again. */
START_TEST(noexec_mounts_that_are_not_there_yet)
{
	static const struct errpipe_mount mounts[] = {
		{ .at = "/later", .source = -1, .noexec = 1 },
		{ .at = "/other", .source = -1, .noexec = 1 },
		{ .at = "/other/within", .source = -1 },
	};
	static const struct errpipe_report failed = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOENT };
	static const struct {
		const char *path, *cwd;
		const struct errpipe_report *report;
		enum errpipe_cause cause;
		const char *subject;
	} tries[] = {
		{ "/later/x/y", NULL, NULL, ERRPIPE_CAUSE_NOEXEC_MOUNT, "/later" },
		{ "/to-slash/later//x..", NULL, NULL, ERRPIPE_CAUSE_NOEXEC_MOUNT, "/to-slash/later" },
		{ "/later/", NULL, NULL, ERRPIPE_CAUSE_NOEXEC_MOUNT, "/later" },
		{ "/later/x", NULL, &failed, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/later" },
		{ "/later/x/../../prog", NULL, NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/later" },
		{ "/later//..", NULL, NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/later" },
		{ "../prog", "/later", NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/later" },
		{ "/other/within/x", NULL, NULL, ERRPIPE_CAUSE_NOT_YET_MOUNTED, "/other" },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		const struct errpipe_question question = {
			.root = root,
			.cwd = tries[i].cwd,
			.path = tries[i].path,
			.report = tries[i].report,
			.mounts = mounts,
			.mounts_count = COUNT(mounts),
		};
		bool is_known = tries[i].cause == ERRPIPE_CAUSE_NOEXEC_MOUNT;

		find(&question);
		assert_cause(tries[i].cause, is_known ? EACCES : 0, tries[i].subject, NULL);
		ck_assert_int_eq(ex.certainty, is_known ? ERRPIPE_LIKELY : ERRPIPE_UNSURE);
	}
}
END_TEST

/* Runtimes mount onto the place that a symbolic link leads to, which is always in the root. */
START_TEST(mounts_behind_symlinks)
{
	const struct errpipe_mount mounts[] = {
		{ .at = "/to-slash/to-dir/sub", .source = source("dir"), .noexec = 1 },
		{ .at = "../../to-slash/at/", .source = source("dir") },
		{ .at = "/dangling-dir", .source = source("dir/sub"), .noexec = 1 },
		{ .at = "/to-slash", .source = source("dir/sub"), .noexec = 1 },
	};
	struct errpipe_question question = { .root = root, .mounts = mounts, .mounts_count = COUNT(mounts) };

	question.path = "/dir/sub/prog";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	assert_cause(ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, "/dir/sub", NULL);
	ck_assert_str_eq(ex.link[0].mount, "/dir/sub");
	question.path = "/at/prog";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "empty-file");
	ck_assert_str_eq(ex.link[0].resolved, "/at/prog");
	question.path = "/prog";
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "empty-file");
	for (size_t i = 0; i < COUNT(mounts); i++)
		close(mounts[i].source);
}
END_TEST

/* The explanation stays valid when the question is gone. */
START_TEST(an_explanation_keeps_the_mount)
{
	char at[] = "/at";
	const struct errpipe_mount mount = { .at = at, .source = source("dir"), .noexec = 1 };
	const struct errpipe_question question = {
		.root = root, .path = "/at/prog", .mounts = &mount, .mounts_count = 1
	};

	find(&question);
	memset(at, 'x', strlen(at));
	assert_cause(ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, "/at", NULL);
	ck_assert_str_eq(ex.link[0].mount, "/at");
	close(mount.source);
}
END_TEST

static bool has_own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	close(root);
	root = open(base, O_PATH | O_CLOEXEC);
	return root >= 0;
}

static void find_on_noexec_mount(int i)
{
	char path[PATH_MAX + 64], place[PATH_MAX + 32];

	(void)i;
	if (!has_own_mounts())
		SKIP("needs mount-namespaces");
	snprintf(place, sizeof(place), "%s/with blank\\", base);
	snprintf(path, sizeof(path), "%s/prog", place);
	make_directory(place, 0755);
	ck_assert_int_eq(mount("x", place, "tmpfs", MS_NOEXEC | MS_NOSUID, NULL), 0);
	make_file(path, 0644);
	ck_assert_int_eq(find_path("/with blank\\/prog"), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, "/with blank\\", NULL);
	ck_assert_int_eq(ex.link[0].noexec, 1);
	ck_assert_int_eq(ex.link[0].nosuid, 1);
	ck_assert_int_eq(find_here(path), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, place, NULL);
#ifdef SYS_statx
	ck_assert_int_eq(refuse(SYS_statx, ENOSYS), 0);
	ck_assert_int_eq(find_here(path), EACCES);
	assert_cause(ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, NULL, NULL);
	assert_said(&ex, "is on a file system, which is mounted noexec");
#endif
}

START_TEST(a_noexec_mount)
{
	in_child(find_on_noexec_mount, 0);
}
END_TEST

#define MOUNT_NOSYMFOLLOW 256 /* linux/mount.h: MS_NOSYMFOLLOW, Linux 5.10 */

static void find_on_nosymfollow_mount(int i)
{
	(void)i;
	if (!has_own_mounts())
		SKIP("needs mount-namespaces");
	go_to("at");
	if (mount("x", ".", "tmpfs", MOUNT_NOSYMFOLLOW, NULL) < 0)
		SKIP("needs nosymfollow");
	go_to("at");
	make_link("link", "/prog");
	if (exec_in_root("/", "/at/link") != ELOOP)
		SKIP("needs nosymfollow"); /* Linux before 5.10 ignores the flag */
	ck_assert_int_eq(find_path("/at/link"), ELOOP);
	assert_cause(ERRPIPE_CAUSE_LOOKUP_FAILED, ELOOP, "/at/link", "ELOOP");
	assert_said(&ex, "the kernel does not follow the symlink \"/at/link\" (mounted nosymfollow)");
}

START_TEST(a_nosymfollow_mount)
{
	in_child(find_on_nosymfollow_mount, 0);
}
END_TEST

static void find_protected(int i)
{
	static const char sysctl[] = "/proc/sys/fs/protected_symlinks";
	char path[PATH_MAX + 32];

	(void)i;
	if (!has_own_mounts())
		SKIP("needs mount-namespaces");
	snprintf(path, sizeof(path), "%s/one", base);
	make_file(path, 0644);
	write_proc(path, "1");
	ck_assert_int_eq(mount(path, sysctl, NULL, MS_BIND, NULL), 0);
	go_to(".");
	make_directory("tmp", 01777);
	make_link("tmp/link", "/prog");
	make_link("tmp/dir", "/dir");
	make_link("to-tmp", "tmp/link");
	make_directory("sticky", 01755);
	make_link("sticky/link", "/prog");
	ck_assert_int_eq(lchown("sticky/link", 1001, 1001), 0);
	ck_assert_int_eq(find_path("/sticky/link"), 0);
	ck_assert_int_eq(lchown("tmp/link", 1001, 1001), 0);
	ck_assert_int_eq(lchown("tmp/dir", 1001, 1001), 0);
	ck_assert_int_eq(find_path("/tmp/link"), EACCES);
	assert_cause(ERRPIPE_CAUSE_LOOKUP_FAILED, EACCES, "/tmp/link", "EACCES");
	assert_said(&ex, "the kernel does not follow the symlink \"/tmp/link\" (fs.protected_symlinks)");
	ck_assert_int_eq(find_path("/to-tmp"), EACCES);
	ck_assert_int_eq(find_path("/tmp/link/"), EACCES);
	ck_assert_int_eq(find_path("/tmp/dir/prog"), 0);
	ck_assert_int_eq(find_as("/tmp/link", &(struct errpipe_who){ .uid = 1001 }), 0);
	ck_assert_int_eq(lchown("tmp/link", 0, 0), 0);
	ck_assert_int_eq(find_as("/tmp/link", &(struct errpipe_who){ .uid = 1001 }), 0);
	ck_assert(exists("/tmp/link", NULL));
}

/* The kernel's switch affects the whole machine, so the test mounts a file of its own over it. */
START_TEST(protected_links)
{
	in_child(find_protected, 0);
}
END_TEST

/* --- reading ------------------------------------------------------------------------------------------------ */

static int open_found(const struct errpipe_question *question)
{
	struct ep_check c;
	int path_fd, fd;

	begin(&c, question);
	path_fd = ep_find_file(&c, &ex.link[0]);
	ck_assert_int_ge(path_fd, 0);
	fd = ep_open_file(&c, path_fd);
	close(path_fd);
	close(c.root);
	return fd;
}

START_TEST(reading)
{
	const struct errpipe_question question = { .root = root, .path = "/digits" };
	int fd = openat(root, "digits", O_WRONLY | O_CREAT | O_CLOEXEC, 0755), before;
	char bytes[16] = "";

	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	close(fd);
	before = count_descriptors();
	fd = open_found(&question);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(ep_pread(fd, bytes, 4, 3), 4);
	ck_assert_mem_eq(bytes, "3456", 5);
	ck_assert_int_eq(ep_pread(fd, bytes, sizeof(bytes), 8), 2);
	ck_assert_int_eq(ep_pread(fd, bytes, sizeof(bytes), 10), 0);
	ck_assert_int_eq(ep_pread(fd, bytes, sizeof(bytes), UINT64_MAX), 0);
	ck_assert_int_eq(ep_pread(fd, bytes, sizeof(bytes), (uint64_t)INT64_MAX - 8), 0);
	ck_assert_int_eq(ep_pread(-1, bytes, sizeof(bytes), 0), -EBADF);
	close(fd);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* Opening a FIFO would wait for a writer. */
START_TEST(a_fifo_is_not_opened)
{
	const struct errpipe_question question = { .root = root, .path = "/fifo" };
	int fd = source("fifo");
	struct ep_check c;

	begin(&c, &question);
	ck_assert_int_eq(ep_open_file(&c, fd), -EACCES);
	close(fd);
	close(c.root);
}
END_TEST

static void read_without_proc(int i)
{
	const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = "/to-dir/prog" };
	int fd;

	(void)i;
	ck_assert_int_eq(fchdir(root), 0);
	ck_assert_int_eq(chroot("."), 0);
	fd = open_found(&question);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(ex.link[0].resolved, "/dir/prog");
	close(fd);
}

START_TEST(without_proc)
{
	in_child(read_without_proc, 0);
}
END_TEST

/* --- random trees ------------------------------------------------------------------------------------------- */

enum { TREES = 400, PATHS = 24, UIDS = 3 };

static uint64_t seed;

/* Returns a random number below n. */
static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % n;
}

#define PICK(array) ((array)[pick(COUNT(array))])

static void random_path(char *path, size_t size)
{
	static const char *const names[] = { "a", "b", "c", "d", "a", "b", "c", "d", ".", "..", "..", "" };
	int parts = 1 + pick(4);
	size_t length = 0;

	*path = '\0';
	if (pick(2))
		length = snprintf(path, size, "/");
	for (int i = 0; i < parts; i++)
		length += snprintf(path + length, size - length, "%s%s", PICK(names), i + 1 < parts ? "/" : "");
	if (!*path || !pick(6))
		snprintf(path + length, size - length, "/");
}

/* The mode's bits for the group are the mask. */
static void random_acl(const char *name, bool directory)
{
	const struct acl_entry entries[] = {
		{ USER_OBJ, pick(8), -1 },  { USER, pick(8), 1000 },  { USER, pick(8), 1001 },
		{ GROUP_OBJ, pick(8), -1 }, { GROUP, pick(8), 1000 }, { GROUP, pick(8), 100 },
		{ MASK, pick(8), -1 },	    { OTHER, pick(8), -1 },
	};
	unsigned char bytes[256];

	(void)directory;
	setxattr(name, "system.posix_acl_access", bytes, put_acl(bytes, entries, COUNT(entries)), 0);
}

static void random_owner(const char *name)
{
	static const unsigned ids[] = { 0, 1000, 1001, 100 };

	if (geteuid() != 0)
		return;
	if (lchown(name, PICK(ids), PICK(ids)) < 0)
		die(name);
}

static void make_random(const char *prefix, int depth)
{
	static const mode_t modes[] = { 0755, 0755, 0755, 0711, 0700, 0644, 0070, 0007, 0010, 0001, 0100, 0 };
	char name[32], target[64];

	for (char c = 'a'; c <= 'd'; c++) {
		unsigned kind = pick(12);

		snprintf(name, sizeof(name), "%s%c", prefix, c);
		if (kind < 4 && depth < 3) {
			make_directory(name, 0755);
			snprintf(target, sizeof(target), "%s/", name);
			make_random(target, depth + 1);
		} else if (kind < 7) {
			make_file(name, 0755);
		} else if (kind < 10) {
			random_path(target, sizeof(target));
			make_link(name, target);
			random_owner(name);
			continue;
		} else if (kind == 10 && mkfifo(name, 0755) < 0) {
			die(name);
		}
		if (kind == 11)
			continue;
		if (kind >= 4 && kind < 7 && !pick(3))
			random_acl(name, false);
		random_owner(name);
		if (geteuid() == 0 && pick(3))
			chmod(name, PICK(modes));
		if (geteuid() == 0 && !pick(4))
			random_acl(name, true);
	}
}

struct answers {
	int kernel[PATHS], own[PATHS];
	bool has_acls[PATHS];
};

struct random_question {
	char cwd[16];
	char path[PATHS][64];
	struct errpipe_who who;
};

static const gid_t few_groups[] = { 100 };

static void random_question(struct random_question *q)
{
	static const struct errpipe_who people[] = {
		{ .uid = 0, .gid = 0, .effective = ALL_CAPABILITIES },
		{ .uid = 1000, .gid = 1000 },
		{ .uid = 1001, .gid = 1001, .groups = few_groups, .groups_count = 1 },
		{ .uid = 5, .gid = 1000, .groups = few_groups, .groups_count = 1 },
		{ .uid = 5, .gid = 5 },
	};
	static const char *const cwds[] = { "/", "/a", "/b/c" };

	q->who = PICK(people);
	strcpy(q->cwd, PICK(cwds));
	for (int i = 0; i < PATHS; i++)
		random_path(q->path[i], sizeof(q->path[i]));
}

/* With the tree as the root, and therefore without /proc: ask the kernel by an exec, and ask the library. */
static void ask_within(const struct random_question *q, struct answers *answers)
{
	char *argv[] = { "x", NULL };

	ck_assert_int_eq(chroot("."), 0);
	ck_assert_int_eq(chdir(q->cwd), 0);
	become(q->who.uid, q->who.gid, q->who.groups, q->who.groups_count);
	for (int i = 0; i < PATHS; i++) {
		if (execve(q->path[i], argv, argv + 1) < 0)
			answers->kernel[i] = errno;
		answers->own[i] = find_here(q->path[i]);
	}
}

static bool is_directory(int root, const char *path)
{
	struct stat st;

	return fstatat(root, *path == '/' && path[1] ? path + 1 : ".", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static void assert_agrees(int found, int kernel, const char *how, const struct random_question *q, int i)
{
	ck_assert_msg(found == (kernel == ENOEXEC ? 0 : kernel),
		      "tree %d: %s %s in %s as %u: the kernel says %s, we say %s", (int)(seed >> 60), how, q->path[i],
		      q->cwd, (unsigned)q->who.uid, errpipe_errname(kernel), errpipe_errname(found));
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
}

static void compare_with_execs(int root)
{
	struct answers *answers = shared_memory(sizeof(*answers));
	struct random_question q;
	pid_t pid;

	random_question(&q);
	if (!is_directory(root, q.cwd))
		strcpy(q.cwd, "/");
	pid = checked_fork();
	if (pid == 0) {
		ask_within(&q, answers);
		_exit(0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
	for (int i = 0; i < PATHS; i++) {
		const struct errpipe_question question = {
			.root = root, .cwd = q.cwd, .path = q.path[i], .who = &q.who
		};

		assert_agrees(find(&question), answers->kernel[i], "from outside", &q, i);
		assert_agrees(answers->own[i], answers->kernel[i], "from inside", &q, i);
	}
	munmap(answers, sizeof(*answers));
}

/* Compare lookups alone: the tree has only links, files and searchable directories. */
static void compare_with_openat2(int root)
{
#ifdef SYS_openat2
	const struct {
		uint64_t flags, mode, resolve;
	} how = { O_PATH | O_CLOEXEC, 0, 0x10 /* RESOLVE_IN_ROOT */ };

	for (int i = 0; i < PATHS; i++) {
		char path[64];
		const struct errpipe_question question = { .root = root, .path = path };
		int fd, found;

		random_path(path, sizeof(path));
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd < 0 && errno == ENOSYS)
			return;
		found = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
		find(&question);
		if (ex.cause == ERRPIPE_CAUSE_NOT_A_FILE || ex.cause == ERRPIPE_CAUSE_NOT_EXECUTABLE)
			ex.error = 0;
		ck_assert_msg(ex.error == found, "%s: openat2 says %s, we say %s", path, errpipe_errname(found),
			      errpipe_errname(ex.error));
	}
#else
	(void)root;
#endif
}

START_TEST(at_random)
{
	char tree[PATH_MAX + 32];
	int fd;

	seed = _i;
	for (int i = 0; i < 1 + rounds(TREES) / 8; i++) {
		snprintf(tree, sizeof(tree), "%s/tree-%d", base, _i);
		make_directory(tree, 0755);
		ck_assert_int_eq(chdir(tree), 0);
		make_random("", 0);
		fd = open(".", O_PATH | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		if (geteuid() == 0)
			compare_with_execs(fd);
		else
			compare_with_openat2(fd);
		close(fd);
		ck_assert_int_eq(chdir("/"), 0);
		remove_tree(tree);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static Suite *path_suite(void)
{
	Suite *suite = suite_create("explain_path");
	TCase *tcase = tcase_create("explain_path");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_lookup, 0, COUNT(lookups));
	tcase_add_loop_test(tcase, without_openat2, 0, COUNT(lookups));
	tcase_add_test(tcase, a_long_name);
	tcase_add_test(tcase, a_long_path);
	tcase_add_test(tcase, facts_of_a_file);
	tcase_add_test(tcase, too_many_steps);
	tcase_add_loop_test(tcase, up_and_down, 0, 2);
	tcase_add_test(tcase, the_kernel_disagrees);
	tcase_add_test(tcase, existence);
	tcase_add_test(tcase, places_along_path);
	tcase_add_test(tcase, an_io_error);
	tcase_add_loop_test(tcase, a_lack, 0, COUNT(own_lacks));
	tcase_add_test(tcase, emfile_of_a_file_system);
	tcase_add_test(tcase, few_descriptors);
	tcase_add_test(tcase, an_io_error_of_read);
	tcase_add_loop_test(tcase, a_directory_that_moves, 0, 2);
	tcase_add_test(tcase, modes);
	tcase_add_test(tcase, rights_of_root);
	tcase_add_test(tcase, an_unsearchable_directory);
	tcase_add_test(tcase, access_control_lists);
	tcase_add_test(tcase, own_identity);
	tcase_add_test(tcase, own_working_directory);
	tcase_add_test(tcase, a_given_working_directory);
	tcase_add_test(tcase, a_deleted_working_directory);
	tcase_add_test(tcase, a_device);
	tcase_add_test(tcase, links_of_proc);
	tcase_add_test(tcase, a_memfd);
	tcase_add_test(tcase, mounts_of_the_question);
	tcase_add_test(tcase, a_mounted_directory);
	tcase_add_test(tcase, a_mount_that_hides);
	tcase_add_test(tcase, a_mount_that_begins_empty);
	tcase_add_test(tcase, mounts_on_an_empty_one);
	tcase_add_test(tcase, a_mount_that_fails);
	tcase_add_test(tcase, a_mount_on_a_mount);
	tcase_add_test(tcase, paths_of_the_caller);
	tcase_add_test(tcase, a_mount_on_the_root);
	tcase_add_test(tcase, a_link_as_text);
	tcase_add_loop_test(tcase, a_root_that_is_none, 0, COUNT(roots));
	tcase_add_test(tcase, noexec_mounts_that_are_not_there_yet);
	tcase_add_test(tcase, mounts_behind_symlinks);
	tcase_add_test(tcase, an_explanation_keeps_the_mount);
	tcase_add_test(tcase, reading);
	tcase_add_test(tcase, a_fifo_is_not_opened);
	tcase_add_loop_test(tcase, at_random, 1, 9);
	if (geteuid() == 0) {
		tcase_add_test(tcase, real_and_effective_identity);
		tcase_add_test(tcase, an_owner_that_is_not_mapped);
		tcase_add_test(tcase, a_noexec_mount);
		tcase_add_test(tcase, a_nosymfollow_mount);
		tcase_add_test(tcase, protected_links);
		tcase_add_test(tcase, without_proc);
	}
	suite_add_tcase(suite, tcase);
	return suite;
}

static pid_t maker;

static void remove_base(void)
{
	if (getpid() == maker)
		remove_tree(base);
}

int main(void)
{
	maker = getpid();
	atexit(remove_base);
	make_base();
	return run_suite(path_suite());
}
