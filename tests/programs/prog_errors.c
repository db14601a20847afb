/* SPDX-License-Identifier: MIT */
/*
 * prog_errors DIR COMMAND [ARG...]: run COMMAND while DIR is a file system that fails. Exit with COMMAND's status, or with
 * 77 if FUSE cannot be used here.
 *
 * The name of a file selects the call that fails: look-N, open-N and read-N fail with errno N. rest-N is an ELF file. Its
 * first page can be read, and all later pages fail with errno N.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse.h"

enum { NO_FUSE = 77, PAGE = 4096, SIZE = 4 * PAGE };

enum fails { LOOK = 1, OPEN, READ, REST };

static const struct {
	const char *name;
	enum fails fails;
} names[] = { { "look-", LOOK }, { "open-", OPEN }, { "read-", READ }, { "rest-", REST } };

/* The inode number of a file encodes the failing call and the errno. */
enum { SHIFT = 16 };

static uint64_t node_of(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i].name);

		if (strncmp(name, names[i].name, length) == 0)
			return (uint64_t)names[i].fails << SHIFT | atoi(name + length);
	}
	return 0;
}

static int error_at(uint64_t node, enum fails fails)
{
	return node >> SHIFT == fails ? node & ((1 << SHIFT) - 1) : 0;
}

static void answer(int fd, uint64_t unique, int error, const void *bytes, size_t size)
{
	static char reply[sizeof(struct fuse_out_header) + SIZE];
	struct fuse_out_header header = { .error = -error, .unique = unique };

	if (error)
		size = 0;
	header.len = sizeof(header) + size;
	memcpy(reply, &header, sizeof(header));
	if (size)
		memcpy(reply + sizeof(header), bytes, size);
	if (write(fd, reply, header.len) < 0)
		return; /* the process that asked is gone */
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == FUSE_ROOT_ID ? 0 : SIZE,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
	};
}

/* An ELF file whose program headers are in its second page. */
static void read_file(int fd, const struct fuse_in_header *in, const struct fuse_read_in *want)
{
	static char bytes[SIZE];
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_phoff = PAGE,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	int error = error_at(in->nodeid, READ);
	size_t size = want->offset < SIZE ? SIZE - want->offset : 0;

	if (want->offset >= PAGE)
		error = error_at(in->nodeid, REST);
	memcpy(bytes, &header, sizeof(header));
	answer(fd, in->unique, error, bytes + SIZE - size, size < want->size ? size : want->size);
}

static void serve(int fd, const char *request)
{
	const struct fuse_in_header *in = (const void *)request;
	const void *rest = in + 1;
	const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					    .minor = FUSE_KERNEL_MINOR_VERSION,
					    .max_write = PAGE };
	const struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	const struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };
	struct fuse_entry_out entry = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		entry.nodeid = node_of(rest);
		entry.attr = attributes(entry.nodeid);
		answer(fd, in->unique, entry.nodeid ? error_at(entry.nodeid, LOOK) : ENOENT, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(fd, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(fd, in->unique, error_at(in->nodeid, OPEN), &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_file(fd, in, rest);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(fd, in->unique, ENOSYS, NULL, 0);
	}
}

static pid_t start_server(int fd)
{
	static char request[FUSE_REQUEST_SIZE];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, request, FUSE_REQUEST_SIZE) > 0)
		serve(fd, request);
	_exit(0);
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? fuse_mount(argv[1], "errors") : -1;

	if (fd < 0)
		return NO_FUSE;
	return fuse_run(fd, start_server(fd), argv + 2, NO_FUSE);
}
