/* SPDX-License-Identifier: MIT */
/*
 * prog_old CALL[,CALL...] PROGRAM [ARG...]: become PROGRAM as if the kernel did not know these system calls. CALL is a name
 * from the list below, or "all" or "none" of them. Exit with 77 if seccomp(2) cannot be used here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* from: the first version of Linux that has the call. */
#define CALL(name, from)                                                                                             \
	{                                                                                                            \
#name, SYS_##name, 0, 0                                                                              \
	}

/*
 * If argument is not 0, the call fails only if its argument of that number, counted from 1, has that value. Such a flag is
 * invalid to an older kernel.
 */
static const struct call {
	const char *name;
	unsigned number, argument, value;
} calls[] = {
#ifdef SYS_clone3
	CALL(clone3, 5.3),
#endif
#ifdef SYS_pidfd_open
	CALL(pidfd_open, 5.3),
#endif
#ifdef SYS_pidfd_send_signal
	CALL(pidfd_send_signal, 5.1),
#endif
#ifdef SYS_openat2
	CALL(openat2, 5.6),
#endif
#ifdef SYS_faccessat2
	CALL(faccessat2, 5.8),
#endif
#ifdef SYS_close_range
	CALL(close_range, 5.9),
#endif
	CALL(statx, 4.11),
	CALL(execveat, 3.19),
	CALL(memfd_create, 3.17),
	{ "waitid-pidfd", SYS_waitid, 1, 3 /* P_PIDFD, 5.4 */ },
	{ "execveat-check", SYS_execveat, 5, 0x10000 /* AT_EXECVE_CHECK, 6.14 */ },
};

static int forget(const struct call *call)
{
	const unsigned argument = offsetof(struct seccomp_data, args) + (call->argument ? call->argument - 1 : 0) * 8;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument + 4 * (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)),
		/* Every value is at least 0, so without an argument to compare, every call fails. */
		BPF_JUMP(BPF_JMP | (call->argument ? BPF_JEQ : BPF_JGE) | BPF_K, call->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (call->argument ? EINVAL : ENOSYS)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int main(int argc, char **argv)
{
	if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 99;
	for (char *name = strtok(strdup(argv[1]), ","); name; name = strtok(NULL, ",")) {
		size_t forgotten = 0;

		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
			if (strcmp(name, calls[i].name) != 0 && strcmp(name, "all") != 0)
				continue;
			if (forget(&calls[i]) < 0)
				return 77;
			forgotten++;
		}
		if (!forgotten && strcmp(name, "none") != 0)
			return 98;
	}
	execvp(argv[2], argv + 2);
	return 99;
}
