/* SPDX-License-Identifier: MIT */
/*
 * An exec fails with an errno that nothing visible explains: what gives that errno, and which security modules do. The
 * kernel's list of modules is replaced by another one, in a mount namespace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "errpipe_explain.h"
#include "fixture.h"
#include "said.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { COLUMNS = 100 };

static const char *fixture;
static struct errpipe_explanation ex;

static void explain(const char *path, int error)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED,
					       .error = error,
					       .raw_error = error,
					       .machine = own_machine(),
					       .status = -1 };
	const struct errpipe_question question = { .path = path, .report = &report };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.works, 0);
	ck_assert_int_eq(ex.error, error);
}

static void assert_fits(const char *line, const char *name)
{
	ck_assert_msg(*line && strlen(line) <= COLUMNS, "%s: %zu columns: %s", name, strlen(line), line);
	ck_assert_msg(!strchr(line, '{') && !strchr(line, '}'), "%s: a placeholder: %s", name, line);
}

static void assert_lines_fit(const char *name)
{
	char line[512];

	errpipe_finding(line, sizeof(line), &ex);
	assert_fits(line, name);
	errpipe_advice(line, sizeof(line), &ex);
	assert_fits(line, name);
}

/* --- each errno ------------------------------------------------------------------------------- */

/* A cause of its own, or a guess. */
static enum errpipe_cause cause_of(int error)
{
	switch (error) {
	case E2BIG:
		return ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE;
	case EAGAIN:
		return ERRPIPE_CAUSE_PROCESS_LIMIT;
	case ETXTBSY:
		return ERRPIPE_CAUSE_TEXT_BUSY;
	default:
		return ERRPIPE_CAUSE_UNKNOWN;
	}
}

static void explain_each(const char *path)
{
	for (int error = 1; error < 256; error++) {
		const char *name = errpipe_errname(error);

		if (!name)
			continue;
		explain(path, error);
		assert_lines_fit(name);
		if (ex.cause == ERRPIPE_CAUSE_SECURITY_MODULE) {
			ck_assert(error == EACCES || error == EPERM);
			ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
			continue;
		}
		ck_assert_msg(ex.cause == cause_of(error), "%s: %s", name, errpipe_cause_name(ex.cause));
		if (ex.cause == ERRPIPE_CAUSE_UNKNOWN)
			ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	}
}

START_TEST(each_errno)
{
	ck_assert_int_eq(chdir(fixture), 0);
	explain_each(_i ? "./script-good" : "./good");
}
END_TEST

static const struct {
	int error;
	const char *path, *words[2];
} sentences[] = {
	{ EPERM, "./good", { "fapolicyd", "seccomp" } },
	{ ENOENT, "./good", { "here and now", "run errpipe explain there" } },
	{ EINTR, "./good", { "interrupted by a signal", "try again" } },
	{ EIO, "./good", { "failing disk", "dmesg" } },
	{ ENOEXEC, "./good", { "its format", "/proc/config.gz" } },
	{ ENOEXEC, "./script-good", { "CONFIG_BINFMT_SCRIPT", "modprobe binfmt_script" } },
	{ ENOMEM, "./good", { "a lack of memory", "memory.max" } },
	{ EFAULT, "./good", { "a bad pointer", "correct the caller" } },
	{ EBUSY, "./good", { "fanotify", "what is mounted there" } },
	{ ENODEV, "./good", { "a file system or a seccomp filter", "device" } },
	{ EISDIR, "./good", { "takes the file for a directory", "FUSE" } },
	{ EINVAL, "./good", { "damaged file capabilities", "getcap ./good" } },
	{ ENFILE, "./good", { "the whole system", "fs.file-max" } },
	{ EMFILE, "./good", { "comes from a file system, or", "ulimit -n" } },
	{ ENOSYS, "./good", { "a seccomp filter", "seccomp profile" } },
	{ EBADMSG, "./good", { "wrong checksum", "fsck" } },
	{ EOVERFLOW, "./good", { "no step of an exec", "seccomp profile" } },
	{ ELIBBAD, "./good", { "its loader is intact here", "reinstall" } },
	{ ENOTCONN, "./good", { "FUSE", "umount -l" } },
	{ ESTALE, "./good", { "its server has replaced the file", "mount the file system again" } },
	{ EUCLEAN, "./good", { "damaged", "fsck" } },
	{ ENOKEY, "./good", { "its key is not loaded", "fscrypt unlock" } },
	{ EKEYREJECTED, "./good", { "fs-verity", "install the file again" } },
	{ EPROTO, "./good", { "no step of an exec gives this errno", "seccomp profile" } },
};

START_TEST(a_sentence)
{
	ck_assert_int_eq(chdir(fixture), 0);
	explain(sentences[_i].path, sentences[_i].error);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_UNKNOWN);
	ck_assert_ptr_null(ex.object);
	assert_said(&ex, sentences[_i].words[0]);
	assert_said(&ex, sentences[_i].words[1]);
}
END_TEST

/* A filter gives each of them: the exec does fail, and the file is in order. */
static const int filtered[] = { EPERM,	 ENOENT,    EIO,    ENOEXEC, ENOMEM, EACCES,	  EFAULT,
				EBUSY,	 ENODEV,    EISDIR, EINVAL,  ENFILE, EMFILE,	  ENOSYS,
				EBADMSG, EOVERFLOW, ESTALE, EUCLEAN, ENOKEY, EKEYREJECTED };

static void be_filtered(int i)
{
	char state[32], name[] = "good", *argv[] = { name, NULL };
	int error;

	snprintf(state, sizeof(state), "seccomp:%d", filtered[i]);
	ck_assert_int_eq(chdir(fixture), 0);
	error = enter_state(state, fixture);
	if (error == -EOPNOTSUPP)
		SKIP("needs seccomp");
	ck_assert_int_eq(error, 0);
	execve("./good", argv, argv + 1);
	error = errno;
	ck_assert_int_eq(error, filtered[i]);
	explain("./good", error);
	ck_assert(ex.cause == ERRPIPE_CAUSE_UNKNOWN ||
		  (ex.cause == ERRPIPE_CAUSE_SECURITY_MODULE && (error == EPERM || error == EACCES)));
	assert_lines_fit(state);
}

START_TEST(a_filter)
{
	in_child(be_filtered, _i);
}
END_TEST

/* --- security modules ------------------------------------------------------------------------- */

static const struct {
	const char *list;
	int error, no_new_privs;
	const char *object, *look; /* NULL: no module is named */
} lists[] = {
	{ "lockdown,capability,yama,selinux,bpf,landlock,ipe,ima,evm", EACCES, 0, "selinux, landlock, ipe, ima",
	  "restorecon -v ./good" },
	{ "lockdown,capability,yama,selinux,bpf,landlock,ipe,ima,evm", EPERM, 0, NULL, "fapolicyd" },
	{ "lockdown,capability,yama,selinux,bpf,landlock", EPERM, 1, "selinux", "ausearch -m avc -ts recent" },
	{ "lockdown,capability,landlock,yama,apparmor", EACCES, 0, "landlock, apparmor", "dmesg | grep DENIED" },
	{ "lockdown,capability,landlock,yama,apparmor", EPERM, 0, NULL, "fapolicyd" },
	{ "capability,apparmor", EPERM, 1, "apparmor", "dmesg | grep DENIED" },
	{ "capability,smack", EACCES, 0, "smack", "security.SMACK64" },
	{ "capability,tomoyo", EPERM, 0, "tomoyo", "tomoyo-auditd" },
	{ "capability,tomoyo", EACCES, 0, NULL, "jspawnhelper" },
	{ "capability,ima", EACCES, 0, "ima", "evmctl ima_sign" },
	{ "capability,ima", EPERM, 0, NULL, "fapolicyd" },
	{ "capability,ipe", EACCES, 0, "ipe", "IPE_ACCESS" },
	{ "capability,landlock", EACCES, 0, "landlock",
	  "check the landlock rules of the program that started it; in Java: check jspawnhelper" },
	{ "capability,landlock", EPERM, 1, NULL, "fapolicyd" },
	{ "capability,landlock", EIO, 1, NULL, "dmesg" },
	{ "capability,bpf", EPERM, 0, NULL, "fapolicyd" },
	{ "capability,bpf", EACCES, 0, NULL, "jspawnhelper" },
	{ "capability,other", EPERM, 0, "other", "fapolicyd" },
	{ "capability,yama,lockdown,safesetid,loadpin,evm", EACCES, 0, NULL, "look for a denial in dmesg" },
};

#define SECURITY "/sys/kernel/security"

/* Returns whether it is possible here. */
static bool replace_list(const char *list)
{
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("modules", SECURITY, "tmpfs", 0, NULL) < 0)
		return false;
	fd = open(SECURITY "/lsm", O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, list, strlen(list)), (int)strlen(list));
	close(fd);
	return true;
}

static void assert_no_selinux(void)
{
	char advice[512];

	errpipe_advice(advice, sizeof(advice), &ex);
	ck_assert_msg(!strstr(advice, "SELinux") && !strstr(advice, "restorecon"), "%s", advice);
}

static void be_in_list(int i)
{
	if (!replace_list(lists[i].list))
		SKIP("needs mount-namespaces");
	ck_assert_int_eq(chdir(fixture), 0);
	if (lists[i].no_new_privs)
		ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	explain("./good", lists[i].error);
	ck_assert_ptr_nonnull(ex.modules ? ex.modules : "");
	assert_lines_fit(lists[i].list);
	assert_said(&ex, lists[i].look);
	if (!strstr(lists[i].list, "selinux"))
		assert_no_selinux();
	ck_assert_int_eq(ex.cause, lists[i].object ? ERRPIPE_CAUSE_SECURITY_MODULE : ERRPIPE_CAUSE_UNKNOWN);
	if (!lists[i].object) {
		ck_assert_ptr_null(ex.object);
		return;
	}
	ck_assert_str_eq(ex.object, lists[i].object);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_ALLOWED_HERE);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	assert_said(&ex, "mode and mount allow \"./good\"; ");
}

START_TEST(a_list_of_modules)
{
	in_child(be_in_list, _i);
}
END_TEST

/* Without a list, the label of the process itself. */
static const struct {
	const char *label;
	bool is_selinux;
} labels[] = {
	{ "system_u:system_r:container_t:s0:c1,c2", true },
	{ "u:r:untrusted_app:s0\n", true },
	{ "docker-default (enforce)\n", false },
	{ ":ns://a:b (complain)\n", false },
	{ "unconfined\n", false },
	{ "_", false },
	{ "\n", false },
};

static void have_label(int i)
{
	FILE *file;

	ck_assert_int_eq(chdir(fixture), 0);
	file = fopen("label", "we");
	ck_assert_ptr_nonnull(file);
	fputs(labels[i].label, file);
	fclose(file);
	if (!replace_list("") || mount("label", "/proc/self/attr/current", NULL, MS_BIND, NULL) < 0)
		SKIP("needs mount-namespaces");
	explain("./good", EACCES);
	if (access("/sys/fs/selinux", F_OK) == 0)
		return;
	ck_assert_int_eq(ex.modules && strstr(ex.modules, "selinux"), labels[i].is_selinux);
	if (labels[i].is_selinux)
		assert_said(&ex, "restorecon -v ./good");
	else
		assert_no_selinux();
}

START_TEST(a_label)
{
	in_child(have_label, _i);
}
END_TEST

/* The words of a refusal that was seen. */
static const struct {
	const char *object;
	int error;
	const char *words;
} refusals[] = {
	{ "selinux, landlock", EACCES, "refuses it (security modules: selinux, landlock)" },
	{ "landlock, apparmor", EACCES, "dmesg | grep DENIED" },
	{ "landlock", EACCES, "check the landlock rules" },
	{ "bpf", EPERM, "bpftool prog list" },
	{ "selinux2", EACCES, "jspawnhelper" },
	{ NULL, EPERM, "fapolicyd" },
	{ NULL, EACCES, "but the kernel refuses it" },
};

START_TEST(a_refusal)
{
	ex = (struct errpipe_explanation){
		.cause = ERRPIPE_CAUSE_SECURITY_MODULE,
		.error = refusals[_i].error,
		.object = refusals[_i].object,
		.links = 1,
		.link = { { .kind = ERRPIPE_LINK_PROGRAM, .parent = -1, .path = "./app" } },
	};
	assert_said(&ex, refusals[_i].words);
	assert_lines_fit(refusals[_i].words);
}
END_TEST

/* --- steps before the exec -------------------------------------------------------------------- */

static const struct {
	int error;
	const char *words;
} steps[] = {
	{ ENOENT, "chdir, chroot" },
	{ ENOTDIR, "chdir, chroot" },
	{ EACCES, "working directory" },
	{ EPERM, "ids, groups" },
	{ EINVAL, "limits" },
	{ EAGAIN, "process limit" },
	{ EBADF, "descriptors" },
	{ EIO, "between fork and exec" },
};

/* The program was not tried, so nothing is said about it, not even if it is missing. */
START_TEST(a_step)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_SETUP_FAILED,
					       .step = ERRPIPE_STEP_CALLER + _i,
					       .error = steps[_i].error,
					       .raw_error = steps[_i].error,
					       .status = -1 };
	const struct errpipe_question question = { .path = "./missing", .report = &report };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_STEP_FAILED);
	ck_assert_int_eq(ex.links, 0);
	assert_said(&ex, steps[_i].words);
	assert_said(&ex, "one of the caller's own steps failed");
	assert_lines_fit(steps[_i].words);
}
END_TEST

static Suite *explain_errno_suite(void)
{
	Suite *suite = suite_create("explain_errno");
	TCase *tcase = tcase_create("explain_errno");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, each_errno, 0, 2);
	tcase_add_loop_test(tcase, a_sentence, 0, COUNT(sentences));
	tcase_add_loop_test(tcase, a_filter, 0, COUNT(filtered));
	tcase_add_loop_test(tcase, a_list_of_modules, 0, COUNT(lists));
	tcase_add_loop_test(tcase, a_label, 0, COUNT(labels));
	tcase_add_loop_test(tcase, a_refusal, 0, COUNT(refusals));
	tcase_add_loop_test(tcase, a_step, 0, COUNT(steps));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	fixture = fixture_make();
	return run_suite(explain_errno_suite());
}
