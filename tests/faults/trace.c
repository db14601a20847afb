/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* From linux/ptrace.h (Linux 5.3), which conflicts with libc's header. */
struct syscall_info {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t instruction_pointer, stack_pointer;
	uint64_t number, args[6];
};
enum { INFO_ENTRY = 1, INFO_EXIT = 2 };
#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

/* No system call has this number, and the process has no filter that could object. */
enum { MARK = 0x3fffffff };
enum { BEGIN = 1, END = 2 };

enum { TASKS = 64, COUNTERS = 512, PATIENCE = 20 /* seconds */ };

struct task {
	pid_t pid; /* a thread's; 0: free */
	int role;
	bool left; /* it has become the target, or has passed the end of the scene */
	int error; /* the system call must return this; 0: no change */
};

struct run {
	struct trace *trace;
	const struct plan *plan;
	const char *target;
	pid_t scene;
	struct task tasks[TASKS];
	pid_t groups[ROLES];
	int roles;
	bool active;
	int sent;
	struct call counters[COUNTERS];
	size_t counters_count;
};

static volatile sig_atomic_t too_late;

static void on_alarm(int signal)
{
	too_late = signal;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

void trace_begin(void)
{
	syscall(MARK, BEGIN);
}

void trace_end(void)
{
	syscall(MARK, END);
}

static pid_t group_of(pid_t pid)
{
	char path[64], line[128];
	int group = pid;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Tgid: %d", &group) == 1)
			break;
	}
	if (file)
		fclose(file);
	return group;
}

static int role_of(struct run *run, pid_t group)
{
	for (int i = 0; i < run->roles; i++) {
		if (run->groups[i] == group)
			return i;
	}
	if (run->roles == ROLES)
		return ROLES - 1;
	run->groups[run->roles] = group;
	return run->roles++;
}

static struct task *task_of(struct run *run, pid_t pid)
{
	struct task *unused = NULL;

	for (int i = 0; i < TASKS; i++) {
		if (run->tasks[i].pid == pid)
			return &run->tasks[i];
		if (!unused && !run->tasks[i].pid)
			unused = &run->tasks[i];
	}
	if (!unused) {
		fputs("too many tasks\n", stderr);
		exit(2);
	}
	*unused = (struct task){ .pid = pid, .role = role_of(run, group_of(pid)) };
	return unused;
}

static bool same_call(const struct call *a, const struct call *b)
{
	return a->role == b->role && a->number == b->number && a->operation == b->operation;
}

static int occurrence(struct run *run, const struct call *call)
{
	for (size_t i = 0; i < run->counters_count; i++) {
		if (same_call(&run->counters[i], call))
			return ++run->counters[i].occurrence;
	}
	if (run->counters_count == COUNTERS) {
		fputs("too many different calls\n", stderr);
		exit(2);
	}
	run->counters[run->counters_count] = *call;
	return run->counters[run->counters_count++].occurrence = 1;
}

static long operation(const struct syscall_info *info)
{
	switch (info->number) {
	case SYS_fcntl:
		return info->args[1];
	case SYS_prctl:
	case SYS_rt_sigprocmask:
		return info->args[0];
	}
	return 0;
}

static bool is_missing(const struct plan *plan, long number)
{
	for (int i = 0; i < ALWAYS && plan->always[i]; i++) {
		if (plan->always[i] == number)
			return true;
	}
	return false;
}

static void skip_call(pid_t pid)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L);
}

static void set_result(pid_t pid, long result)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result);
}

static void on_mark(struct run *run, struct task *task, long mark)
{
	run->active = mark == BEGIN;
	task->left = mark == END;
}

static void on_entry(struct run *run, struct task *task, const struct syscall_info *info)
{
	struct call call = { task->role, info->number, operation(info), 0, run->trace->stops[task->role] };
	const struct plan *plan = run->plan;
	struct trace *trace = run->trace;

	task->error = 0;
	if (info->number == MARK) {
		on_mark(run, task, info->args[0]);
		return;
	}
	if (!run->active)
		return;
	if (is_missing(plan, info->number)) {
		skip_call(task->pid);
		task->error = ENOSYS;
		return;
	}
	call.occurrence = occurrence(run, &call);
	if (trace->count < CALLS)
		trace->calls[trace->count++] = call;
	if (plan->error && same_call(&call, &plan->call) && call.occurrence == plan->call.occurrence) {
		trace->reached = true;
		task->error = plan->error;
		if (!plan->done)
			skip_call(task->pid);
	}
}

/* A call that does not return, such as a successful exec, cannot be failed here. */
static void on_exit_of_call(struct task *task)
{
	if (task->error)
		set_result(task->pid, -task->error);
	task->error = 0;
}

static void send(struct run *run, pid_t group)
{
	if (run->sent < 2 && run->plan->signals[run->sent])
		kill(group, run->plan->signals[run->sent++]);
}

static void on_call(struct run *run, struct task *task)
{
	struct syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == INFO_ENTRY)
		on_entry(run, task, &info);
	else if (info.op == INFO_EXIT)
		on_exit_of_call(task);
	if (!run->active || task->left)
		return;
	if (run->plan->signals[0] && task->role == run->plan->victim &&
	    run->trace->stops[task->role] == run->plan->stop) {
		run->trace->reached = true;
		send(run, run->groups[task->role]);
	}
	run->trace->stops[task->role]++;
}

static void on_exec(struct run *run, struct task *task)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	task->error = 0;
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)task->pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return;
	path[n] = '\0';
	if (strcmp(path, run->target) == 0)
		task->left = run->trace->target_ran = true;
}

static void go_on(const struct task *task, int signal)
{
	ptrace(task->left ? PTRACE_CONT : PTRACE_SYSCALL, task->pid, NULL, (long)signal);
}

static void on_event(struct run *run, struct task *task, int event, int signal)
{
	if (event == PTRACE_EVENT_EXEC)
		on_exec(run, task);
	/* A signal has stopped the task: SIGSTOP is followed by another signal of the plan. */
	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		send(run, run->groups[task->role]);
		ptrace(PTRACE_LISTEN, task->pid, NULL, NULL);
		return;
	}
	go_on(task, 0);
}

static void on_stop(struct run *run, struct task *task, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (event)
		on_event(run, task, event, signal);
	else if (signal == (SIGTRAP | 0x80)) {
		on_call(run, task);
		go_on(task, 0);
	} else {
		go_on(task, signal);
	}
}

static void kill_all(struct run *run)
{
	for (int i = 0; i < run->roles; i++)
		kill(run->groups[i], SIGKILL);
}

static void set_alarm(int seconds)
{
	const struct itimerval timer = { .it_value.tv_sec = seconds, .it_interval.tv_sec = seconds ? 1 : 0 };
	const struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	too_late = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Trace until no process is left. */
static void follow(struct run *run)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (too_late) {
			run->trace->hung = true;
			kill_all(run);
		}
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		if (WIFSTOPPED(status)) {
			on_stop(run, task_of(run, pid), status);
			continue;
		}
		if (pid == run->scene)
			run->trace->status = status;
		task_of(run, pid)->pid = 0;
	}
}

static pid_t start(const int go[2], void (*scene)(void *), void *data)
{
	pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	close(go[1]);
	if (read(go[0], &byte, 1) != 1)
		_exit(2);
	close(go[0]);
	scene(data);
	_exit(0);
}

void trace_run(struct trace *trace, const struct plan *plan, const char *target, void (*scene)(void *), void *data)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct run run = { .trace = trace, .plan = plan, .target = target };
	struct call *calls = trace->calls;
	int go[2];

	*trace = (struct trace){ .calls = calls };
	if (pipe(go) < 0)
		die("pipe");
	run.scene = start(go, scene, data);
	run.groups[run.roles++] = run.scene;
	if (run.scene < 0 || ptrace(PTRACE_SEIZE, run.scene, NULL, options) < 0 ||
	    ptrace(PTRACE_INTERRUPT, run.scene, NULL, NULL) < 0)
		die("ptrace");
	if (write(go[1], "", 1) != 1)
		die("write");
	close(go[0]);
	close(go[1]);
	set_alarm(PATIENCE);
	follow(&run);
	set_alarm(0);
}
