/* SPDX-License-Identifier: MIT */
/* Who has a file open for writing? */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/explain.h"

enum { MAX_PROCESSES = 4096, MAX_DESCRIPTORS = 65536, MAX_WRITERS = 3 };

/* What tells files apart. */
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
 * Of a file that may be on a network that does not answer: that is not asked (statx(2), AT_STATX_DONT_SYNC). Without
 * statx(2), before Linux 4.11, nothing is known.
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
	struct identity file;
	int proc;
	unsigned descriptors; /* that may still be looked at */
	unsigned writers;
	struct ep_line line;
	/* The process that is looked at: */
	int process; /* its directory in /proc */
	int fds;     /* and that of its descriptors */
	bool writes;
};

/* proc(5): "flags:" and what open(2) was given, in octal. */
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

static int look_at_descriptor(void *context, const char *fd)
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
	char comm[64];

	if (search->writers++ == MAX_WRITERS) {
		ep_add(&search->line, " and others");
		return;
	}
	if (search->line.length)
		ep_add(&search->line, ", ");
	ep_add(&search->line, "process ");
	ep_add(&search->line, pid);
	if (ep_read_text(search->process, "comm", comm, sizeof(comm)) <= 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	ep_add(&search->line, " (");
	ep_add(&search->line, comm);
	ep_add(&search->line, ")");
}

static void look_at_descriptors(struct search *search)
{
	search->writes = false;
	search->fds = ep_openat(search->process, "fd", O_RDONLY | O_DIRECTORY);
	if (search->fds < 0)
		return;
	ep_entries(search->fds, MAX_DESCRIPTORS, look_at_descriptor, search);
	close(search->fds);
}

static int look_at_process(void *context, const char *pid)
{
	struct search *search = context;

	if (pid[strspn(pid, "0123456789")])
		return 0;
	search->process = ep_openat(search->proc, pid, O_PATH | O_DIRECTORY);
	if (search->process < 0)
		return 0;
	look_at_descriptors(search);
	if (search->writes)
		add_writer(search, pid);
	close(search->process);
	return search->writers > MAX_WRITERS || !search->descriptors;
}

const char *ep_writers(struct ep_case *c, int path_fd)
{
	char text[256];
	struct search search = { .descriptors = MAX_DESCRIPTORS, .line = { text, sizeof(text), 0 } };

	if (!identify(path_fd, "", AT_EMPTY_PATH, &search.file))
		return NULL;
	search.proc = ep_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
	if (search.proc < 0)
		return NULL;
	ep_entries(search.proc, MAX_PROCESSES, look_at_process, &search);
	close(search.proc);
	ep_end(&search.line);
	return search.writers ? ep_keep(c, "%s", text) : NULL;
}

int ep_busy(struct ep_case *c, struct errpipe_link *link, int path_fd)
{
	const char *writers = ep_writers(c, path_fd);

	return ep_broken(c, link, ERRPIPE_CAUSE_TEXT_BUSY, ETXTBSY, NULL,
			 writers ? writers : "a process that cannot be seen from here", 0, 0);
}
