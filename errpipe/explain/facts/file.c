/* SPDX-License-Identifier: MIT */
/* Open and read files of the root safely, whatever they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */

/* linux/openat2.h: Linux 5.6. */
struct how {
	uint64_t flags, mode, resolve;
};

/* The kernel answers EAGAIN if something was renamed while it looked up "..", which must not lead out (openat2(2)). */
enum { TRIES = 8 };

int ep_open_in_root(int root, const char *path, unsigned resolve)
{
#ifdef SYS_openat2
	const struct how how = { O_PATH | O_CLOEXEC, 0, resolve };
	int fd = -EAGAIN;

	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = ep_opened(syscall(SYS_openat2, root, path, &how, sizeof(how)));
	/* EPERM: older seccomp profiles of containers. E2BIG, EINVAL: the kernel knows another form of it. */
	return fd == -EPERM || fd == -E2BIG || fd == -EINVAL ? -ENOSYS : fd;
#else
	(void)root;
	(void)path;
	(void)resolve;
	return -ENOSYS;
#endif
}

bool ep_is_same_file(int fd, const struct stat *st)
{
	struct stat other;

	return fstat(fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

enum { READ_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

/* Open the descriptor itself, by its name in a real /proc. Returns a descriptor or a negative errno. */
static int open_by_proc(const struct ep_check *c, int path_fd)
{
	int proc = ep_opened(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)), fd = -ENOSYS;
	char name[EP_DECIMAL];
	struct statfs fs;

	if (proc < 0)
		return ep_is_own_lack(c, -proc) ? proc : -ENOSYS;
	if (fstatfs(proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		fd = ep_opened(openat(proc, ep_decimal(name, path_fd), READ_FLAGS));
	close(proc);
	return fd;
}

/*
 * Without /proc a file can only be opened by its name. If another file gets that name at this moment, that one is
 * opened; the flags make this harmless but for some devices. Every program takes that risk in its own root. It is not
 * taken in another root, which may be an image that others made.
 */
static int open_by_name(struct ep_check *c, int path_fd)
{
	for (int i = 0; i < c->ex->links; i++) {
		const char *resolved = c->ex->link[i].resolved;
		struct stat st;

		if (resolved && lstat(resolved, &st) == 0 && S_ISREG(st.st_mode) && ep_is_same_file(path_fd, &st))
			return ep_opened(open(resolved, READ_FLAGS | O_NOFOLLOW));
	}
	return -ENOSYS;
}

int ep_open_file(struct ep_check *c, int path_fd)
{
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	fd = open_by_proc(c, path_fd);
	if (fd == -ENOSYS && c->question->root == ERRPIPE_OWN_ROOT)
		fd = open_by_name(c, path_fd);
	if (fd >= 0 && !ep_is_same_file(fd, &st)) {
		close(fd);
		return -ENOSYS; /* another file has its name now */
	}
	return fd;
}

/* A file system can return EINTR for ever. */
enum { INTERRUPTIONS = 100 };

ssize_t ep_pread(int fd, void *buf, size_t size, uint64_t offset)
{
	int interruptions = INTERRUPTIONS;
	size_t done = 0;

	if (offset > INT64_MAX - (uint64_t)size)
		return 0; /* no file is that long */
	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, offset + done);

		if (n < 0 && errno == EINTR && interruptions--)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

int ep_read_head(int fd, struct ep_head *head)
{
	ssize_t n;

	memset(head, 0, sizeof(*head));
	n = ep_pread(fd, head->bytes, sizeof(head->bytes), 0);
	if (n < 0)
		return n;
	head->size = n;
	return 0;
}
