/* SPDX-License-Identifier: MIT */
/*
 * prog_refuse CALL ERRNO PROGRAM [ARG...]: become PROGRAM while system call number CALL fails with ERRNO. Exit with 77 if
 * this machine has no such seccomp.
 *
 * If ERRNO is "ask", a listener answers CALL. It receives the filter's descriptor through the socket at descriptor 4.
 *
 * This is a separate program because the sanitizers cannot live with such a filter. It execs PROGRAM by execveat(2), so that
 * execve(2) can be refused. If execveat(2) is refused, it uses execve(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SOCKET = 4, NO_SECCOMP = 77, FAILED = 99 };

static int answer(unsigned call, unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static int send_descriptor(int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(SOCKET, &message, 0);
}

int main(int argc, char **argv)
{
	int program, filter;
	unsigned call;

	if (argc < 4)
		return FAILED;
	call = atoi(argv[1]);
	program = open(argv[3], O_PATH | O_CLOEXEC);
	if (strcmp(argv[2], "ask") == 0)
		filter = answer(call, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	else
		filter = answer(call, SECCOMP_RET_ERRNO | atoi(argv[2]), 0);
	if (filter < 0)
		return errno == ENOSYS || errno == EINVAL ? NO_SECCOMP : FAILED;
	if (filter > 0 && (send_descriptor(filter) < 0 || close(SOCKET) < 0))
		return FAILED;

	syscall(SYS_execveat, program, "", argv + 3, environ, AT_EMPTY_PATH);
	execv(argv[3], argv + 3);
	return FAILED;
}
