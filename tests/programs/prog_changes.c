/* SPDX-License-Identifier: MIT */
/*
 * prog_changes DIR COMMAND [ARG...]: run COMMAND while every name in DIR is a file that keeps changing. Each lookup gives
 * another size. Each read starts like another kind of program and continues with other bytes. Exit with COMMAND's status,
 * or with 77 if FUSE cannot be used here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse.h"

enum { NO_FUSE = 77, READ_MAX = 1 << 16 };

static void answer(int fd, uint64_t unique, int error, const void *bytes, size_t size)
{
	static char reply[sizeof(struct fuse_out_header) + READ_MAX];
	struct fuse_out_header header = { .len = sizeof(header) + size, .error = -error, .unique = unique };

	memcpy(reply, &header, sizeof(header));
	if (size)
		memcpy(reply + sizeof(header), bytes, size);
	if (write(fd, reply, header.len) < 0)
		return; /* the process that asked is gone */
}

static struct fuse_attr attributes(uint64_t node)
{
	static const uint64_t sizes[] = { 0, 1, 64, 200, 4096, 1 << 20, 1ULL << 42, INT64_MAX };

	return (struct fuse_attr){
		.ino = node,
		.size = sizes[random() % 8],
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
	};
}

static size_t some_bytes(char *bytes, size_t size)
{
	static const struct {
		const char *bytes;
		size_t size;
	} heads[] = { { "#!/", 3 },	      { "#! ./x ", 7 }, { "\177ELF\2\1\1", 7 },
		      { "\177ELF\1\2\1", 7 }, { "MZ", 2 },	{ "", 0 } };
	unsigned head = random() % 6;

	if (size > READ_MAX)
		size = READ_MAX;
	for (size_t i = 0; i < size; i++)
		bytes[i] = random() % 4 ? random() % 8 : random();
	memcpy(bytes, heads[head].bytes, heads[head].size < size ? heads[head].size : size);
	if (head == 2 && size >= 64) {
		/* The header of an x86-64 program. */
		bytes[16] = 2 + random() % 2, bytes[17] = 0, bytes[18] = 62, bytes[19] = 0;
		bytes[54] = 56, bytes[55] = 0;
	}
	return random() % 4 ? size : random() % (size + 1);
}

static void serve(int fd, const char *request)
{
	static char bytes[READ_MAX];
	const struct fuse_in_header *in = (const void *)request;
	const struct fuse_read_in *read_in = (const void *)(in + 1);
	const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					    .minor = FUSE_KERNEL_MINOR_VERSION,
					    .max_write = 4096 };
	const struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	const struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };
	struct fuse_entry_out entry = { .nodeid = 2 + random() % 100 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		entry.attr = attributes(entry.nodeid);
		answer(fd, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(fd, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(fd, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer(fd, in->unique, 0, bytes, some_bytes(bytes, read_in->size));
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
	srandom(getenv("SEED") ? atoi(getenv("SEED")) : 1);
	while (read(fd, request, FUSE_REQUEST_SIZE) > 0)
		serve(fd, request);
	_exit(0);
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? fuse_mount(argv[1], "changes") : -1;

	if (fd < 0)
		return NO_FUSE;
	return fuse_run(fd, start_server(fd), argv + 2, NO_FUSE);
}
