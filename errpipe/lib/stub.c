/* SPDX-License-Identifier: MIT */
/*
 * The stub as a sealed memfd: nobody can modify it, not even a target running as root in a container through
 * /proc/PID/exe (CVE-2019-5736).
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

#include "image.h"
#include "internal.h"

/* linux/memfd.h, linux/fcntl.h: Linux 6.3. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

const unsigned char ep_stub_bytes[] = {
#include "stub_image.h"
};
const size_t ep_stub_size = sizeof(ep_stub_bytes);

/*
 * The name of the process while it is the stub, from Linux 6.14 on. The kernel adds the first part. Each stub has a unique
 * name, so that a target that execs a stub of its own is not taken for a process that never left ours. The name is exactly
 * as long as a process name can be.
 */
#define MEMFD_PREFIX "memfd:"
#define NAME_PREFIX  "dmz-"

enum { NAME_SIZE = EP_COMM_SIZE - sizeof(MEMFD_PREFIX) + 1 };

static unsigned any_number(void)
{
	struct timespec now = { 0, 0 };
	unsigned number;

	if (syscall(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK) == sizeof(number))
		return number;
	/* Too early after boot. The pid makes the number differ from that of any other process of this moment. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_nsec << 10 ^ getpid();
}

/*
 * The number in the name is kept in the offset of the open file, which nobody else needs, below a mark. To look the name up
 * in /proc instead would add some 3 % to each spawn. Other stubs lack the mark, or have no offset (O_PATH).
 */
#define NUMBER_BITS 30
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)
#define MARK	    ('d' << 24 | 'm' << 16 | 'z' << 8 | 1)
#define SETUP_MARK  (MARK + 1) /* of a stub with a setup */

/* It needs an off_t of 64 bits. */
static void keep_number(int fd, int64_t mark, unsigned number)
{
	if (sizeof(off_t) >= sizeof(int64_t))
		lseek(fd, mark << NUMBER_BITS | number, SEEK_SET);
}

static int64_t kept_mark(int fd, unsigned *number)
{
	int64_t offset = lseek(fd, 0, SEEK_CUR);

	*number = offset & NUMBER_MASK;
	return offset >> NUMBER_BITS;
}

/* See dmz/action.h. Returns 1, 0 (also if the file is not a stub), or a negative errno. */
static int image_has_actions(int fd)
{
	struct {
		elf_header header;
		program_header segments[2];
	} image;
	ssize_t n = pread(fd, &image, sizeof(image), 0);

	if (n < 0)
		return -errno;
	return n == sizeof(image) && image.segments[1].p_type == PT_GNU_STACK && image.segments[1].p_paddr;
}

/* An O_PATH descriptor cannot be read, but its file may be. Open no device, because that can have an effect. */
static int open_again(int stub)
{
	struct stat st;
	int fd;

	if (fstat(stub, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	fd = open(ep_fd_path(stub).text, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Does the stub carry a setup? Its mark shows it, or else its image. Returns 1, 0, or a negative errno. The answer for an O_PATH
 * descriptor costs four system calls each time. It cannot be kept: such a descriptor has no offset for a mark, and the caller
 * may close it and open another file under its number.
 */
static int has_actions(int stub)
{
	unsigned number;
	int64_t mark = kept_mark(stub, &number);
	int ret, fd;

	if (mark == MARK || mark == SETUP_MARK)
		return mark == SETUP_MARK;
	ret = image_has_actions(stub);
	if (ret != -EBADF)
		return ret;
	fd = open_again(stub);
	if (fd < 0)
		return fd;
	ret = image_has_actions(fd);
	close(fd);
	return ret;
}

bool ep_has_setup(int stub)
{
	return has_actions(stub) == 1;
}

/* A closed descriptor, a pipe or an unreadable file counts as a stub without a setup. A seccomp(2) filter may hide one. */
bool ep_may_have_setup(int stub)
{
	int ret = has_actions(stub);

	return ret == 1 || (ret < 0 && ret != -EBADF && ret != -ESPIPE && ret != -EACCES && ret != -ENOENT);
}

static void make_name(char name[NAME_SIZE], unsigned number)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

	strcpy(name, NAME_PREFIX);
	for (int i = strlen(name); i < NAME_SIZE - 1; i++, number >>= 6)
		name[i] = digits[number & 63];
	name[NAME_SIZE - 1] = '\0';
}

bool ep_is_unique(const char *name)
{
	static const char prefix[] = MEMFD_PREFIX NAME_PREFIX;

	return strncmp(name, prefix, strlen(prefix)) == 0 && strlen(name) == EP_COMM_SIZE - 1;
}

/*
 * The last part of the file's path, cut to the length of a process name. This also removes the " (deleted)" that the kernel
 * appends to the path of a memfd, because a name made up by errpipe_stub() has the full length.
 */
static void name_by_proc(int stub, char name[EP_COMM_SIZE])
{
	char path[PATH_MAX + EP_COMM_SIZE], *slash;
	ssize_t length;

	*name = '\0';
	length = readlink(ep_fd_path(stub).text, path, PATH_MAX);
	if (length < 0)
		return;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return;
	slash[EP_COMM_SIZE] = '\0';
	strcpy(name, slash + 1);
}

int ep_stub_name(int stub, char name[EP_COMM_SIZE])
{
	unsigned number;
	int64_t mark = kept_mark(stub, &number);

	if (mark != MARK && mark != SETUP_MARK) {
		name_by_proc(stub, name);
		return fcntl(stub, F_GETFD) < 0 ? -EBADF : 0;
	}
	strcpy(name, MEMFD_PREFIX);
	make_name(name + strlen(MEMFD_PREFIX), number);
	return 0;
}

static int make_memfd(unsigned number)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	char name[NAME_SIZE];
	int fd;

	make_name(name, number);
	fd = syscall(SYS_memfd_create, name, flags | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, name, flags);
	return fd < 0 ? -errno : ep_above_stderr(fd);
}

/*
 * Others cannot read it, so root of a user namespace below the owner's cannot attach to a process while it is the stub. The
 * owner can read it: otherwise each exec by root would use CAP_DAC_OVERRIDE, which accounting and SELinux notice
 * (would_dump() in the kernel's fs/exec.c).
 */
#define MODE 0511

/* Set the mode first, because F_SEAL_EXEC freezes it. */
static int fill_and_seal(int fd, const void *bytes, size_t size)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int ret = ep_write_all(fd, bytes, size);

	if (ret < 0)
		return ret;
	if (fchmod(fd, MODE) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0)
		return 0;
	if (errno == EINVAL && fcntl(fd, F_ADD_SEALS, seals) == 0)
		return 0;
	return -errno;
}

static int make_stub(const void *bytes, size_t size, int64_t mark)
{
	unsigned number = any_number() & NUMBER_MASK;
	int fd = make_memfd(number);
	int ret;

	if (fd < 0)
		return fd;
	ret = fill_and_seal(fd, bytes, size);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	keep_number(fd, mark, number);
	return fd;
}

int errpipe_stub(void)
{
	return make_stub(ep_stub_bytes, ep_stub_size, MARK);
}

int ep_setup_stub(const struct ep_image *image)
{
	return make_stub(image->bytes, image->size, SETUP_MARK);
}

/* Returns 0 if nobody can write to the file through /proc/PID/exe, and its exec grants no privileges. */
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
	int fd, ret;

	if (!path)
		return -EFAULT;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd = ep_above_stderr(fd);
	if (fd < 0)
		return fd;
	ret = trustworthy(fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}
