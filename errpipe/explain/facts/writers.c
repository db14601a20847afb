/* SPDX-License-Identifier: MIT */
/* Which processes have a file open for writing? */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

enum { MAX_PROCESSES = 4096, MAX_DESCRIPTORS = 65536 };

/* Tells files apart. */
struct identity {
	uint64_t inode;
	uint32_t major, minor;
};

/* linux/stat.h, which not every libc can be used with. */
struct statx_buf {
	uint32_t unused_1[8];
	uint64_t inode;
	uint64_t unused_2[12];
	uint32_t dev_major, dev_minor;
	uint64_t unused_3[14];
};
#define STATX_INODE    0x100
#define STATX_AS_IT_IS 0x4000 /* AT_STATX_DONT_SYNC */

/*
 * The file may be on a network that does not respond; AT_STATX_DONT_SYNC does not ask it (statx(2)). Without statx(2),
 * before Linux 4.11, files cannot be identified.
 */
static bool identify(int directory, const char *name, int flags, struct identity *identity)
{
#ifdef SYS_statx
	struct statx_buf buf;

	if (syscall(SYS_statx, directory, name, flags | STATX_AS_IT_IS, STATX_INODE, &buf) < 0)
		return false;
	*identity = (struct identity){ buf.inode, buf.dev_major, buf.dev_minor };
	return true;
#else
	(void)directory;
	(void)name;
	(void)flags;
	(void)identity;
	return false;
#endif
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

struct search {
	struct ep_check *c;
	struct identity file;
	int proc;
	unsigned descriptors; /* that may still be inspected */
	struct errpipe_writers *writers;
	/* The current process: */
	int process; /* its directory in /proc */
	int fds;     /* the directory of its descriptors */
	bool writes;
};

/* proc(5): "flags:" and the flags of open(2), in octal. */
static bool is_to_write(const struct search *search, const char *fd)
{
	char name[32], text[256];
	const char *flags;
	int access;

	snprintf(name, sizeof(name), "fdinfo/%.20s", fd);
	if (ep_read_text(search->process, name, text, sizeof(text)) < 0)
		return false;
	flags = strstr(text, "flags:");
	access = flags ? strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE : O_RDONLY;
	return access == O_WRONLY || access == O_RDWR;
}

static int inspect_descriptor(void *context, const char *fd)
{
	struct search *search = context;
	struct identity file;

	if (!search->descriptors)
		return 1;
	search->descriptors--;
	search->writes =
		identify(search->fds, fd, 0, &file) && is_same(&file, &search->file) && is_to_write(search, fd);
	return search->writes;
}

static void add_writer(struct search *search, const char *pid)
{
	struct errpipe_writers *writers = search->writers;
	struct errpipe_writer *writer = &writers->writer[writers->count];
	char comm[64];

	if (writers->count == ERRPIPE_WRITERS_MAX) {
		writers->more = 1;
		return;
	}
	writers->count++;
	writer->pid = strtoul(pid, NULL, 10);
	if (ep_read_text(search->process, "comm", comm, sizeof(comm)) <= 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	writer->name = ep_keep(search->c, "%s", comm);
}

static void inspect_descriptors(struct search *search)
{
	search->writes = false;
	search->fds = ep_openat(search->process, "fd", O_RDONLY | O_DIRECTORY);
	if (search->fds < 0)
		return;
	ep_entries(search->fds, MAX_DESCRIPTORS, inspect_descriptor, search);
	close(search->fds);
}

static int inspect_process(void *context, const char *pid)
{
	struct search *search = context;

	if (pid[strspn(pid, "0123456789")])
		return 0;
	search->process = ep_openat(search->proc, pid, O_PATH | O_DIRECTORY);
	if (search->process < 0)
		return 0;
	inspect_descriptors(search);
	if (search->writes)
		add_writer(search, pid);
	close(search->process);
	return search->writers->more || !search->descriptors;
}

void ep_find_writers(struct ep_check *c, int path_fd, struct errpipe_writers *writers)
{
	struct search search = { .c = c, .descriptors = MAX_DESCRIPTORS, .writers = writers };

	*writers = (struct errpipe_writers){ .count = 0 };
	if (!identify(path_fd, "", AT_EMPTY_PATH, &search.file))
		return;
	search.proc = ep_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
	if (search.proc < 0)
		return;
	ep_entries(search.proc, MAX_PROCESSES, inspect_process, &search);
	close(search.proc);
}
