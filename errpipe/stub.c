/* SPDX-License-Identifier: MIT */
/*
 * The stub as a descriptor that nobody can change what is behind, not even a target that runs as root in a
 * container and finds it as /proc/PID/exe (CVE-2019-5736).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* linux/memfd.h, linux/fcntl.h: Linux 6.3. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

static const unsigned char image[] = {
#include "stub_image.h"
};

/*
 * What the process is called while it is the stub (from Linux 6.14 on): the kernel puts the first part in front. A
 * target that goes through a stub of its own must not be taken for one that never left ours. So each stub has a name
 * of its own, and its length is that of the name of a process.
 */
#define MEMFD_PREFIX "memfd:"
#define NAME_PREFIX  "dmz-"

enum { NAME_SIZE = ERRPIPE__COMM_SIZE - sizeof(MEMFD_PREFIX) + 1 };

static unsigned any_number(void)
{
	struct timespec now = { 0, 0 };
	unsigned number;

	if (syscall(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK) == sizeof(number))
		return number;
	/* Early after the boot. Another process has another pid now. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_nsec << 10 ^ getpid();
}

static void make_name(char name[NAME_SIZE])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
	unsigned number = any_number();

	strcpy(name, NAME_PREFIX);
	for (int i = strlen(name); i < NAME_SIZE - 1; i++, number >>= 6)
		name[i] = digits[number & 63];
	name[NAME_SIZE - 1] = '\0';
}

bool errpipe__is_unique(const char *name)
{
	static const char prefix[] = MEMFD_PREFIX NAME_PREFIX;

	return strncmp(name, prefix, strlen(prefix)) == 0 && strlen(name) == ERRPIPE__COMM_SIZE - 1;
}

/*
 * The last part of the file's path, cut as the kernel cuts the name of a process. Of a memfd " (deleted)", which the
 * kernel writes behind the path, is cut off too, for its name is as long as can be.
 */
void errpipe__stub_name(int stub, char name[ERRPIPE__COMM_SIZE])
{
	char link[sizeof("/proc/self/fd/") + ERRPIPE__DECIMAL] = "/proc/self/fd/", decimal[ERRPIPE__DECIMAL];
	char path[PATH_MAX + ERRPIPE__COMM_SIZE], *slash;
	ssize_t length;

	*name = '\0';
	strcat(link, errpipe__decimal(decimal, stub));
	length = readlink(link, path, PATH_MAX);
	if (length < 0)
		return;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return;
	slash[ERRPIPE__COMM_SIZE] = '\0';
	strcpy(name, slash + 1);
}

static int make_memfd(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	char name[NAME_SIZE];
	int fd;

	make_name(name);
	fd = syscall(SYS_memfd_create, name, flags | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, name, flags);
	return fd < 0 ? -errno : errpipe__above_stderr(fd);
}

/* The mode comes first: F_SEAL_EXEC keeps it as it is. */
static int fill_and_seal(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int ret = errpipe__write_all(fd, image, sizeof(image));

	if (ret < 0)
		return ret;
	if (fchmod(fd, 0111) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0)
		return 0;
	if (errno == EINVAL && fcntl(fd, F_ADD_SEALS, seals) == 0)
		return 0;
	return -errno;
}

int errpipe_stub(void)
{
	int fd = make_memfd();
	int ret;

	if (fd < 0)
		return fd;
	ret = fill_and_seal(fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

/* 0 if nobody can write to the file by way of /proc/PID/exe, and nobody gains anything by its exec. */
static int trustworthy(int fd)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (st.st_mode & (S_ISUID | S_ISGID)))
		return -EPERM;
	return fs.f_flag & ST_RDONLY ? 0 : -EPERM;
}

int errpipe_stub_file(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	fd = errpipe__above_stderr(fd);
	if (fd < 0)
		return fd;
	ret = trustworthy(fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}
