/* SPDX-License-Identifier: MIT */
/*
 * The part of nolibc that dmz/_dmz.c uses, for Frama-C. The system calls may return anything, and require that the memory
 * which the kernel would read is initialised. stub.c defines them.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#define F_SETFD	   2
#define FD_CLOEXEC 1
#define SIG_BLOCK  0

/* A model is named after its system call. */
#define __NR_fcntl	   fcntl
#define __NR_execve	   execve
#define __NR_rt_sigprocmask rt_sigprocmask
#define __NR_write	   write
#define __NR_exit_group	   exit_group

#define MODEL(name, ...)	    model_##name(__VA_ARGS__)
#define my_syscall1(name, a)	    MODEL(name, a)
#define my_syscall3(name, a, b, c)  MODEL(name, a, b, c)
#define my_syscall4(name, a, b, c, d) MODEL(name, a, b, c, d)

/* Only actions have six arguments. */
#define my_syscall6(number, a, b, c, d, e, f) model_action(number, a, b, c, d, e, f)

long model_fcntl(int fd, int command, int flags);
long model_execve(const char *path, char **argv, char **envp);
long model_rt_sigprocmask(int how, const unsigned long *set, unsigned long *old, size_t size);
long model_write(int fd, const unsigned *record, size_t size);
long model_exit_group(int status);
long model_action(unsigned number, long a, long b, long c, long d, long e, long f);

/*@ assigns \nothing;
  @ ensures \false;
  @*/
void model_trap(void);
#define __builtin_trap model_trap
