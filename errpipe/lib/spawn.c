/* SPDX-License-Identifier: MIT */
/*
 * Start a child that shares our memory until it execs, like vfork(2): a fork of a large process would first copy its page
 * tables. The child must not disturb the parent: it has its own stack, runs none of the parent's signal handlers, and
 * allocates nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* linux/sched.h: Linux 5.2 and 5.5. */
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

enum { STACK_SIZE = 32768 };

/* A child's stack frames never return. AddressSanitizer would take its marks on them for those of the next child. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#define forget_frames(stack) __asan_unpoison_memory_region(stack, STACK_SIZE)
#else
#define forget_frames(stack) ((void)(stack))
#endif

struct context {
	struct ep_exec exec;
	const struct errpipe_spawn *spawn;
	struct ep_image image;	/* DIRECT: the setup, which the child performs itself */
	struct ep_signals mask; /* the target's signal mask */
	bool handlers;		/* the child still has the parent's signal handlers */
	bool exec_begun;	/* the child runs no code of the caller any more; visible only if memory is shared */
};

/* The kernel's struct sigaction, because libc's sigaction(3) refuses the signals that libc uses internally. */
struct action {
#ifdef __mips__
	unsigned flags;
#endif
	void (*handler)(int);
	unsigned long others[6]; /* more than any machine needs */
};

/* The size is the fourth argument, and the fifth on sparc. */
static int act_on(int signal, const struct action *action, struct action *old)
{
	return syscall(SYS_rt_sigaction, signal, action, old, sizeof(struct ep_signals), sizeof(struct ep_signals));
}

/* Ignored signals stay ignored, because the target inherits that. */
static void clear_handlers(void)
{
	static const struct action by_default;
	struct action action;

	for (int signal = 1; signal < NSIG; signal++) {
		if (act_on(signal, NULL, &action) < 0)
			continue;
		if (action.handler != SIG_DFL && action.handler != SIG_IGN)
			act_on(signal, &by_default, NULL);
	}
}

/* Not libc's _exit(): a sanitizer, which shares the parent's memory, would take it for the end of the parent. */
static __attribute__((noreturn)) void quit(int status)
{
	syscall(SYS_exit_group, status);
	__builtin_trap(); /* seccomp can refuse even that */
}

static int prepare(const struct context *context, unsigned *step)
{
	return context->spawn->prepare ? context->spawn->prepare(context->spawn->data, step) : 0;
}

static __attribute__((noreturn)) void give_up(const struct context *context, unsigned step, int error)
{
	if (errpipe_fail(context->exec.report, step, error) == -EINVAL)
		errpipe_fail(context->exec.report, ERRPIPE_STEP_CALLER, EINVAL);
	quit(125);
}

/* On the route DIRECT the child performs the setup. Otherwise the stub does, and inherits the descriptors that it names. */
static void set_up(const struct context *context)
{
	unsigned step = ERRPIPE_STEP_DESCRIPTORS;
	int ret;

	if (context->image.bytes)
		ret = ep_image_perform(&context->image, &step);
	else
		ret = errpipe_setup_inherit(context->spawn->setup);
	if (ret == 0)
		return;
	ep_write(context->exec.report, step, -ret);
	quit(125);
}

static int child(void *arg)
{
	struct context *context = arg;
	unsigned step = ERRPIPE_STEP_CALLER;
	int ret;

	if (context->handlers)
		clear_handlers();
	ret = prepare(context, &step);
	if (ret == 0) {
		context->exec_begun = true;
		/* Until here every signal is blocked. If this fails, the target would inherit the blocked mask. */
		ret = ep_restore_signals(&context->mask);
	}
	if (ret != 0)
		give_up(context, step, -(unsigned)ret);
	if (context->spawn->setup)
		set_up(context);
	ret = ep_exec(&context->exec);
	quit(ret == -ENOENT ? 127 : 126);
}

/*
 * A child that changes its credentials must not share the parent's memory. The kernel would make the parent undumpable
 * (commit_creds() in its kernel/cred.c), and a child with fewer privileges could write to the parent's memory.
 */
static unsigned sharing(const struct context *context)
{
	return context->image.bytes ? CLONE_VFORK : CLONE_VM | CLONE_VFORK;
}

#ifdef __x86_64__
/* linux/sched.h: struct clone_args. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/*
 * The child must not return into the parent's code, so it calls function at once. libc has no wrapper that does this for
 * clone3(2). A seccomp(2) filter may answer 0 without executing the call; only a real child has another stack.
 */
static long clone3_call(struct clone3_args *args, int (*function)(void *), void *arg)
{
	register void *fn_arg __asm__("r8") = arg;
	long ret;

	__asm__ volatile("mov %%rsp, %%r9\n\t"
			 "syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "cmp %%rsp, %%r9\n\t"
			 "je 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r8, %%rdi\n\t"
			 "call *%%rdx\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "d"(function), "r"(fn_arg)
			 : "rcx", "r9", "r11", "memory", "cc");
	return ret;
}

static long clone_clear(struct context *context, char *stack, int *pidfd)
{
	struct clone3_args args = {
		.flags = sharing(context) | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = STACK_SIZE,
	};

	context->handlers = false;
	return clone3_call(&args, child, context);
}
#else
static long clone_clear(struct context *context, char *stack, int *pidfd)
{
	(void)context;
	(void)stack;
	(void)pidfd;
	return -ENOSYS;
}
#endif

/* For Linux before 5.5, container profiles that do not know clone3(2), and machines other than x86-64. */
static long clone_keep(struct context *context, char *stack, int *pidfd)
{
	int flags = sharing(context) | SIGCHLD;
	long pid;

	context->handlers = true;
	/* A pointer to the end of an array is valid. */
	/* cppcheck-suppress ctuPointerArith */
	pid = clone(child, stack + STACK_SIZE, flags | CLONE_PIDFD, context, pidfd);
	if (pid < 0 && errno == EINVAL)
		pid = clone(child, stack + STACK_SIZE, flags, context);
	return pid < 0 ? -errno : pid;
}

/* Returns the pid, or a negative errno. */
static long start(struct context *context, int *pidfd)
{
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	struct ep_signals old;
	long pid;

	pid = ep_block_signals(&old);
	if (pid < 0)
		return pid;
	context->mask = old;
	/* The kernel's set is the first part of libc's. */
	if (context->spawn->mask)
		memcpy(&context->mask, context->spawn->mask, sizeof(context->mask));
	pid = clone_clear(context, stack, pidfd);
	if (pid == 0 || pid == -ENOSYS || pid == -EPERM || pid == -EINVAL)
		pid = clone_keep(context, stack, pidfd);
	forget_frames(stack);
	ep_restore_signals(&old);
	return pid;
}

static int find_route(const struct errpipe_spawn *spawn, const char *path, enum errpipe_route *route)
{
	struct errpipe_identity now;
	int ret = 0;

	if (spawn->flags & ERRPIPE_STUB_ONLY) {
		*route = ERRPIPE_STUB;
		return spawn->stub < 0 ? spawn->stub : 0;
	}
	*route = ERRPIPE_DIRECT_ASKED;
	if (spawn->flags & ERRPIPE_DIRECT_ONLY || (spawn->stub == ERRPIPE_NO_STUB && !spawn->setup))
		return 0;
	*route = ERRPIPE_DIRECT_NO_STUB;
	if (spawn->stub < 0)
		return 0;
	if (!spawn->identity)
		ret = errpipe_identity(&now);
	if (ret == 0)
		ret = errpipe_setup_route(spawn->setup, spawn->identity ? spawn->identity : &now, path);
	if (ret < 0)
		return ret;
	*route = ret;
	return 0;
}

/* A setup and its stub go together: another stub would skip the setup, and that stub would perform it unasked. */
static bool is_valid(const struct errpipe_spawn *spawn)
{
	const unsigned flags = ERRPIPE_STUB_ONLY | ERRPIPE_DIRECT_ONLY;

	if (spawn->flags & ~flags || spawn->flags == flags || !EP_IS_ZERO(spawn->reserved))
		return false;
	if (!ep_may_be_stub(spawn->stub))
		return false;
	if (spawn->stub == ERRPIPE_NO_STUB)
		return spawn->setup || !(spawn->flags & ERRPIPE_STUB_ONLY);
	return spawn->stub < 0 || ep_is_closed(spawn->stub) || ep_has_setup(spawn->stub) == !!spawn->setup;
}

/* The descriptors that the setup moves must not overwrite the report. */
static int make_pipe(const struct context *context, int pipe[2])
{
	int ret = errpipe_pipe(pipe), fd;

	if (ret < 0 || !context->spawn->setup)
		return ret;
	fd = fcntl(pipe[1], F_DUPFD_CLOEXEC, ep_setup_ceiling(context->spawn->setup));
	ret = fd < 0 ? -errno : 0;
	close(pipe[1]);
	pipe[1] = fd;
	if (ret < 0)
		close(pipe[0]);
	return ret;
}

static int spawn_with_pipe(struct errpipe_child *child, struct context *context, const int pipe[2])
{
	int pidfd = -1;
	long pid;

	context->exec.report = pipe[1];
	context->exec_begun = !context->spawn->prepare;
	pid = start(context, &pidfd);
	if (pid < 0)
		return pid;

	child->pid = pid;
	child->magic = EP_MAGIC;
	child->exec_begun = context->exec_begun;
	child->pidfd = pidfd < 0 ? -1 : ep_above_stderr(pidfd);
	if (child->pidfd < 0)
		child->pidfd = -1;
	child->poll_fd = pipe[0];
	if (context->exec.fell_back)
		child->route = ERRPIPE_DIRECT_FALLBACK;
	return 0;
}

static int spawn_by_route(struct errpipe_child *child, struct context *context, int stub)
{
	struct ep_args args = { .argv = args.on_stack };
	int pipe[2], ret = 0;

	/* The child would fail as well, but the caller should learn of its mistake from this call. */
	if (stub > 0)
		ret = ep_stub_name(stub, child->stub);
	if (ret < 0)
		return ret;
	if (child->route == ERRPIPE_STUB) {
		ret = ep_stub_args(&args, context->exec.path, context->exec.argv);
		if (ret < 0)
			return ret;
		context->exec.stub = stub;
		context->exec.stub_argv = args.argv;
		if (!(context->spawn->flags & ERRPIPE_STUB_ONLY) && !context->spawn->setup)
			context->exec.flags = ERRPIPE_FALLBACK;
	}

	ret = make_pipe(context, pipe);
	if (ret == 0) {
		ret = spawn_with_pipe(child, context, pipe);
		close(pipe[1]);
		if (ret < 0)
			close(pipe[0]);
	}
	ep_free_args(&args);
	return ret;
}

/* Make a stub for this child alone. If that fails, the child performs the setup itself. */
static int spawn_with_setup(struct errpipe_child *child, struct context *context)
{
	const struct errpipe_spawn *spawn = context->spawn;
	int stub = spawn->stub, ret;

	if (child->route == ERRPIPE_STUB && stub == ERRPIPE_NO_STUB) {
		stub = errpipe_setup_stub(spawn->setup);
		if (stub < 0 && spawn->flags & ERRPIPE_STUB_ONLY)
			return stub;
		if (stub < 0)
			child->route = ERRPIPE_DIRECT_NO_STUB;
	}
	if (child->route != ERRPIPE_STUB) {
		ret = ep_setup_compile(&context->image, spawn->setup, EP_HERE);
		if (ret < 0) {
			ep_image_free(&context->image);
			return ret;
		}
	}
	ret = spawn_by_route(child, context, stub);
	ep_image_free(&context->image);
	if (stub > 0 && stub != spawn->stub)
		close(stub);
	return ret;
}

static int spawn_uncancelled(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
			     char *const argv[], char *const envp[])
{
	static const struct errpipe_spawn direct;
	struct context context = { .exec = { .report = -1, .path = path, .argv = argv, .envp = envp } };
	int ret;

	*child = (struct errpipe_child){ .pid = -1, .pidfd = -1, .poll_fd = -1, .route = ERRPIPE_DIRECT_ASKED };
	context.spawn = spawn ? spawn : &direct;
	if (!path || !argv)
		return -EFAULT;
	if (!is_valid(context.spawn))
		return -EINVAL;
	ret = find_route(context.spawn, path, &child->route);
	if (ret < 0)
		return ret;
	if (context.spawn->setup)
		return spawn_with_setup(child, &context);
	return spawn_by_route(child, &context, context.spawn->stub);
}

/* A thread cancelled here would leak descriptors, and the child, which libc takes for this thread, must not be cancelled. */
int errpipe_spawn(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
		  char *const argv[], char *const envp[])
{
	int state, ret;

	if (!child)
		return -EFAULT;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ret = spawn_uncancelled(child, spawn, path, argv, envp);
	pthread_setcancelstate(state, &state);
	return ret;
}
