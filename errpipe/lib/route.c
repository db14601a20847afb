/* SPDX-License-Identifier: MIT */
/* Would the target notice the stub? Anything armed for "the next exec" takes effect on the stub instead. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* From linux/capability.h and linux/securebits.h, which not every libc provides. */
#define CAPABILITY_VERSION_3 0x20080522
#define SECBIT_NOROOT	     1

struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

/* Read a set that prctl(2) reports one capability at a time. It fails for the first number that the kernel lacks. */
static uint64_t capability_set(int (*has)(int cap))
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int ret = has(cap);

		if (ret < 0)
			break;
		set |= (uint64_t)ret << cap;
	}
	return set;
}

static int is_ambient(int cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
}

static int is_bounding(int cap)
{
	return prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
}

static uint64_t both_words(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* linux/lsm.h: Linux 6.8. Other machines may have another number; they read the files instead. */
#if !defined(SYS_lsm_get_self_attr) && defined(__x86_64__)
#define SYS_lsm_get_self_attr 459
#endif
#define LSM_ATTR_EXEC 102

/* EOPNOTSUPP means that no security module has such labels: security_getselfattr in the kernel's security/security.c. */
static bool no_labels(void)
{
#ifdef SYS_lsm_get_self_attr
	uint32_t size = 0;

	return syscall(SYS_lsm_get_self_attr, LSM_ATTR_EXEC, NULL, &size, 0) < 0 && errno == EOPNOTSUPP;
#else
	return false;
#endif
}

/* A label that SELinux or AppArmor will set at the next exec. An empty or unreadable file means that none is pending. */
static bool label_is_pending(void)
{
	static const char *const files[] = { "/proc/thread-self/attr/exec", "/proc/thread-self/attr/apparmor/exec" };
	char byte;

	if (no_labels())
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			continue;
		n = read(fd, &byte, 1);
		close(fd);
		if (n > 0)
			return true;
	}
	return false;
}

/*
 * setfsuid(2) with an invalid id changes nothing and returns the current id. Use the system call, because libc's function
 * acts on all threads.
 */
static bool ids_are_mixed(void)
{
	return getgid() != getegid() || (uid_t)syscall(SYS_setfsuid, -1) != geteuid() ||
	       (gid_t)syscall(SYS_setfsgid, -1) != getegid();
}

int errpipe_identity(struct errpipe_identity *identity)
{
	struct cap_header header = { CAPABILITY_VERSION_3, 0 };
	struct cap_data data[2] = {
		{ 0, 0, 0 }, { 0, 0, 0 }
	}; /* initialized because Valgrind thinks that the kernel fills in only one */

	if (!identity)
		return -EFAULT;
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;

	*identity = (struct errpipe_identity){
		.uid = getuid(),
		.euid = geteuid(),
		.mixed_ids = ids_are_mixed(),
		.securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0),
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.effective = both_words(data[0].effective, data[1].effective),
		.permitted = both_words(data[0].permitted, data[1].permitted),
		.inheritable = both_words(data[0].inheritable, data[1].inheritable),
		.bounding = capability_set(is_bounding),
		.label = label_is_pending(),
	};
	/* The ambient set is a subset of both of these, so usually it is known to be empty. */
	if (identity->permitted & identity->inheritable)
		identity->ambient = capability_set(is_ambient);
	return 0;
}

/*
 * Does the exec of a file without capabilities leave the process's sets as they are? This follows capabilities(7),
 * "Transformation of capabilities during execve()". The inheritable, ambient and bounding sets never change. With mixed
 * ids the ids would change as well: an exec sets the filesystem ids to the effective ones, and with no_new_privs it may
 * set the effective ids to the real ones.
 */
static uint64_t permitted_after_exec(const struct errpipe_identity *now)
{
	uint64_t permitted = now->ambient;

	if (now->uid == 0 && !(now->securebits & SECBIT_NOROOT)) {
		permitted = now->inheritable | now->bounding;
		if (now->no_new_privs)
			permitted &= now->permitted;
	}
	return permitted;
}

static bool exec_keeps_credentials(const struct errpipe_identity *now)
{
	uint64_t permitted = permitted_after_exec(now);

	if (now->uid != now->euid || now->mixed_ids)
		return false;
	return now->permitted == permitted && now->effective == permitted;
}

/* If a setup replaces all ids and capabilities, the stub only needs as many privileges as the caller. */
static bool setup_decides(const struct errpipe_identity *now, const struct errpipe_setup *setup)
{
	const uint64_t all = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES;

	if (!setup || (setup->set & all) != all)
		return false;
	return now->uid == now->euid && !(now->permitted & ~permitted_after_exec(now));
}

static bool begins_with(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* linux/openat2.h: Linux 5.6. */
struct how {
	uint64_t flags, mode, resolve;
};
#define RESOLVE_NO_MAGICLINKS 2

/*
 * Does path lead through a magic link, such as /proc/self/exe or /proc/self/fd/3, however it is spelled? Returns 1 or 0,
 * or a negative errno. Also returns 1 if it leads through too many symbolic links.
 */
static int is_magic(const char *path)
{
#ifdef SYS_openat2
	const struct how how = { O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS };
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0)
		return errno == ELOOP ? 1 : -errno;
	close(fd);
	return 0;
#else
	(void)path;
	return -ENOSYS;
#endif
}

static bool names_a_descriptor(const char *path)
{
	return begins_with(path, "/proc/") || begins_with(path, "/dev/fd/");
}

/*
 * Does path name something that an exec changes: the executable itself, or a descriptor that is close-on-exec? The
 * spelling alone is enough for a yes, because a descriptor may not be open yet and Linux before 5.6 has no better test.
 */
static bool is_unstable_name(const char *path)
{
	char target[PATH_MAX];
	ssize_t n;
	int magic;

	if (names_a_descriptor(path))
		return true;
	magic = is_magic(path);
	if (magic >= 0)
		return magic;
	/* /dev/stdin, or some other symbolic link. */
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return names_a_descriptor(target);
}

/* How much of a file the kernel reads first (BINPRM_BUF_SIZE), and how many scripts it follows (exec_binprm). */
enum { HEAD_SIZE = 256, SCRIPTS_MAX = 5 };

/* Only regular files, because opening a FIFO or a device has side effects. */
static bool read_head(const char *path, char head[HEAD_SIZE + 1])
{
	struct stat st;
	ssize_t n;
	int fd;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, head, HEAD_SIZE);
	close(fd);
	if (n < 0)
		return false;
	head[n] = '\0';
	return true;
}

/* Find the interpreter of a script like load_script() in the kernel's fs/binfmt_script.c. path may be in head. */
static const char *interpreter(const char *path, char head[HEAD_SIZE + 1])
{
	char *name = head + 2;

	if (!read_head(path, head) || !begins_with(head, "#!"))
		return NULL;
	name += strspn(name, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return *name ? name : NULL;
}

/* Check the interpreters as well, because the kernel opens them in the middle of the exec. */
static bool changes_with_exec(const char *path)
{
	char head[HEAD_SIZE + 1];

	for (int i = 0; path && i <= SCRIPTS_MAX; i++) {
		if (is_unstable_name(path))
			return true;
		path = interpreter(path, head);
	}
	return false;
}

int errpipe_setup_route(const struct errpipe_setup *setup, const struct errpipe_identity *identity, const char *path)
{
	if (!identity || !path)
		return -EFAULT;
	if (!EP_IS_ZERO(identity->reserved) || (setup && !ep_setup_is_known(setup)))
		return -EINVAL;
	if (identity->on_exec)
		return ERRPIPE_DIRECT_ON_EXEC;
	if (identity->label)
		return ERRPIPE_DIRECT_LABEL;
	if (!exec_keeps_credentials(identity) && !setup_decides(identity, setup))
		return ERRPIPE_DIRECT_CREDENTIALS;
	if (changes_with_exec(path))
		return ERRPIPE_DIRECT_PATH;
	return ERRPIPE_STUB;
}

int errpipe_route(const struct errpipe_identity *identity, const char *path)
{
	return errpipe_setup_route(NULL, identity, path);
}

const char *errpipe_route_reason(enum errpipe_route route)
{
	switch (route) {
#define ROUTE(id, words, document)                                                                                   \
	case ERRPIPE_##id:                                                                                           \
		return words;
#include "dmz/routes.def"
	}
	return "unknown route";
}
