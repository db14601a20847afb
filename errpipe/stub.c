/* SPDX-License-Identifier: MIT */
/*
 * The stub as a descriptor that nobody can change what is behind, not even a target that runs as root in a
 * container and finds it as /proc/PID/exe (CVE-2019-5736).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
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

static int make_memfd(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = syscall(SYS_memfd_create, ERRPIPE__STUB_NAME, flags | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, ERRPIPE__STUB_NAME, flags);
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
