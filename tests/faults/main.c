/* SPDX-License-Identifier: MIT */
/*
 * faults TABLE TARGET DIRECTORY [SCENE]: inject faults into each scene and report those that were not survived. It fails each
 * system call with each error that TABLE lists, kills each child and each parent at each of its system calls, and fails each
 * allocation.
 *
 * Writes TAP, a line for each scene, and at the end the number of faults. The first OCCURRENCES=3 of each call are failed.
 * SAMPLE=1 saves time: it fails each call with one error, kills only at the first call of each kind, and fails one in seven
 * allocations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/skip.h"
#include "scenes.h"

/* --- the table ------------------------------------------------------------------------------------------------ */

#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459 /* Linux 6.8; x86-64 */
#endif

#define CALL(name)                                                                                                   \
	{                                                                                                            \
#name, SYS_##name                                                                                    \
	}

static const struct name {
	const char *name;
	long number;
} names[] = {
	CALL(access),
	CALL(capget),
	CALL(chdir),
	CALL(clone),
	CALL(clone3),
	CALL(close),
	CALL(close_range),
	CALL(clock_gettime),
	CALL(execve),
	CALL(execveat),
	CALL(exit_group),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(fchmod),
	CALL(fcntl),
	CALL(fstatfs),
	CALL(fstat),
	CALL(newfstatat),
	CALL(getcwd),
	CALL(getegid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getpid),
	CALL(getrandom),
	CALL(getuid),
	CALL(getgroups),
	CALL(getxattr),
	CALL(kill),
	CALL(dup3),
	CALL(lseek),
	CALL(lsm_get_self_attr),
	CALL(lstat),
	CALL(memfd_create),
	CALL(mmap),
	CALL(mprotect),
	CALL(munmap),
	CALL(open),
	CALL(openat),
	CALL(openat2),
	CALL(personality),
	CALL(pidfd_open),
	CALL(pidfd_send_signal),
	CALL(pipe2),
	CALL(poll),
	CALL(pread64),
	CALL(prctl),
	CALL(prlimit64),
	CALL(read),
	CALL(readlink),
	CALL(readlinkat),
	CALL(rt_sigaction),
	CALL(rt_sigpending),
	CALL(rt_sigprocmask),
	CALL(rt_sigtimedwait),
	CALL(setfsgid),
	CALL(setfsuid),
	CALL(set_robust_list),
	CALL(setsid),
	CALL(signalfd4),
	CALL(stat),
	CALL(statfs),
	CALL(sysinfo),
	CALL(umask),
	CALL(uname),
	CALL(wait4),
	CALL(waitid),
	CALL(write),
	CALL(brk),
	CALL(getppid),
	CALL(ioctl),
	CALL(fcntl),
	CALL(getdents64),
	CALL(statx),
	CALL(dup),
	CALL(writev),
};

enum { ERRORS = 48 };

struct line {
	long number;
	bool done; /* the call takes effect even if it fails: close(2) closes */
	int errors[ERRORS];
	int count;
};

static struct line table[128], refusals;
static int lines;

static const char *name_of(long number)
{
	static char text[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	snprintf(text, sizeof(text), "%ld", number);
	return text;
}

static long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	}
	fprintf(stderr, "unknown call %s\n", name);
	exit(2);
}

static int error_of(const char *name)
{
	for (int error = 1; error < 4096; error++) {
		const char *its = errpipe_errname(error);

		if (its && strcmp(its, name) == 0)
			return error;
	}
	fprintf(stderr, "unknown errno %s\n", name);
	exit(2);
}

/* CALL ERRNO..., where a "!" after CALL sets done, and the call "*" lists the answers of a filter. */
static void read_line(char *text)
{
	char *word = strtok(text, " \t\n");
	struct line *line = &table[lines];

	if (!word || *word == '#')
		return;
	if (strcmp(word, "*") == 0) {
		line = &refusals;
	} else {
		line->done = word[strlen(word) - 1] == '!';
		word[strcspn(word, "!")] = '\0';
		line->number = number_of(word);
		lines++;
	}
	while ((word = strtok(NULL, " \t\n")) && line->count < ERRORS)
		line->errors[line->count++] = error_of(word);
}

static void read_table(const char *path)
{
	FILE *file = fopen(path, "re");
	char text[1024];

	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(text, sizeof(text), file))
		read_line(text);
	fclose(file);
}

static const struct line *line_of(long number)
{
	for (int i = 0; i < lines; i++) {
		if (table[i].number == number)
			return &table[i];
	}
	return NULL;
}

/* --- was the fault survived? ---------------------------------------------------------------------------------- */

static struct trace trace, first; /* first: the scene without a fault */
static struct outcome first_outcome;

static bool fault_is(const struct plan *plan, int role, long number)
{
	return plan->error && (role < 0 || plan->call.role == role) && plan->call.number == number;
}

/* Did a call of the parent fail? */
static bool fault_is_ours(const struct plan *plan)
{
	return plan->error && plan->call.role == 0;
}

static const char *judge_value(const struct plan *plan)
{
	if (outcome->begun < 0 && outcome->begun != first_outcome.begun && outcome->begun != -plan->error)
		return "it failed with another error";
	/* errpipe_read() has no data yet. */
	if (fault_is(plan, 0, SYS_read) && plan->error == EAGAIN && outcome->begun == 0)
		return NULL;
	if (outcome->begun >= 0 && !outcome->usable)
		return "it returned a wrong result";
	return NULL;
}

static const char *judge_look(const struct plan *plan)
{
	if (outcome->begun < 0)
		return outcome->begun == -plan->error ? NULL : "it failed with another error";
	if (outcome->works && !first_outcome.works && outcome->certain)
		return "it is certain that a broken program works";
	return NULL;
}

static const char *judge_verdict(const struct plan *plan)
{
	const struct errpipe_report *report = &outcome->report;

	switch (report->verdict) {
	case ERRPIPE_STARTED:
		return trace.target_ran ? NULL : "STARTED, but the target never ran";
	case ERRPIPE_CLOSED:
		if (!trace.target_ran || fault_is_ours(plan) || plan->always[0])
			return NULL;
		return "CLOSED, though it could tell";
	case ERRPIPE_EXEC_FAILED:
	case ERRPIPE_SETUP_FAILED:
		if (trace.target_ran)
			return "a failure was reported, but the target ran";
		if (fault_is(plan, 1, SYS_execve) && report->error != plan->error)
			return "the reported error is not execve's";
		return NULL;
	case ERRPIPE_DIED:
		return trace.target_ran ? "DIED, but the target ran" : NULL;
	}
	return "no verdict";
}

static const char *judge_status(const struct plan *plan)
{
	int status = outcome->report.status;

	if (!trace.target_ran || plan->signals[0])
		return NULL;
	if (status == 7 << 8 || (status == -1 && fault_is_ours(plan)))
		return NULL;
	if (status == 8 << 8)
		return "a signal is blocked in the target";
	return status == 9 << 8 ? "the target inherited a descriptor" : "a wrong status";
}

static const char *judge_spawn(const struct plan *plan)
{
	const char *wrong;

	if (outcome->begun < 0) {
		if (trace.target_ran)
			return "it failed, but the target ran";
		return outcome->begun == -plan->error ? NULL : "it failed with another error";
	}
	if (outcome->waited < 0)
		return fault_is_ours(plan) ? NULL : "errpipe_wait() failed";
	wrong = judge_verdict(plan);
	return wrong ? wrong : judge_status(plan);
}

static bool no_message_possible(const struct plan *plan)
{
	return fault_is(plan, -1, SYS_write);
}

static const char *judge_run(const struct plan *plan)
{
	int status = outcome->done ? outcome->status : WEXITSTATUS(trace.status);

	if (trace.target_ran && (status == 7 || (plan->signals[0] && status > 128)))
		return NULL;
	if (status < 125)
		return trace.target_ran ? "the status is not the target's" : "a success, but the target never ran";
	if (trace.target_ran && !fault_is_ours(plan) && !allocation_to_fail)
		return "the target ran, but a failure was reported";
	return *printed(2) || no_message_possible(plan) ? NULL : "it printed no message";
}

static const char *judge_report(const struct plan *plan)
{
	const char *report = printed(0);

	(void)plan;
	if (outcome->status == 125 || !outcome->done)
		return NULL;
	if (!*report || strcmp(report + strlen(report) - 2, "}\n") != 0)
		return "the report is incomplete";
	if (!trace.target_ran && strstr(report, "STARTED"))
		return "the report says STARTED";
	return NULL;
}

static bool says_that_it_does_not_know(void)
{
	return strstr(printed(1), "cannot tell whether") || strstr(printed(1), "\"certainty\":\"unknown\"");
}

static const char *judge_reader(const struct plan *plan)
{
	int status = outcome->status;

	if (status != 0 && status != 1 && status != EXIT_FAILURE && status != 125)
		return "a wrong status";
	if (status == 0 && first_outcome.status != 0 && !says_that_it_does_not_know())
		return "a success";
	if (!*printed(1) && !*printed(2) && !no_message_possible(plan))
		return "it printed nothing";
	return NULL;
}

static const char *judge_command(const struct scene *scene, const struct plan *plan)
{
	bool execs = strcmp(scene->argument[0], "exec") == 0;
	const char *wrong;

	if (!outcome->done && !(execs && trace.target_ran) && !WIFEXITED(trace.status))
		return "it did not finish";
	if (!outcome->done)
		outcome->status = WEXITSTATUS(trace.status);
	if (!execs && strcmp(scene->argument[0], "run") != 0)
		return judge_reader(plan);
	wrong = judge_run(plan);
	if (!wrong && strncmp(scene->argument[1], "--report", 8) == 0)
		wrong = judge_report(plan);
	return wrong;
}

/*
 * Trap: some failures of a call cannot be compensated. The signal mask stays if it cannot be restored, and a child stays if
 * waiting for it fails. Go's package os does not try again to reap a child that it could not wait for.
 */
static bool nobody_can_help(const struct plan *plan, long number, long operation)
{
	return fault_is(plan, 0, number) && plan->call.operation == operation;
}

static const char *judge_rest(const struct plan *plan, bool is_go);

static bool failed_like_a_stub(int status)
{
	return WIFSIGNALED(status) || (WEXITSTATUS(status) >= 125 && WEXITSTATUS(status) <= 127);
}

/* dmz.Exec() has turned the process into the stub or the target. */
static const char *judge_what_it_became(void)
{
	if (trace.target_ran)
		return WIFEXITED(trace.status) && WEXITSTATUS(trace.status) == 7 ? NULL : "a wrong status";
	return failed_like_a_stub(trace.status) ? NULL : "a success, but the target never ran";
}

/* Parse the line of go/main.go, which ends in the number of new descriptors and whether a child is left. */
static const char *judge_go(const struct scene *scene, const struct plan *plan)
{
	struct errpipe_report *report = &outcome->report;
	int verdict = 0, step = 0;
	char left[8] = "";
	const char *wrong;

	*report = (struct errpipe_report){ .status = -1 };
	if (!*printed(1) && strcmp(scene->argument[0], "become") == 0)
		return judge_what_it_became();
	if (sscanf(printed(1), "%d %d %d %d %d %7s", &verdict, &report->error, &step, &report->status,
		   &outcome->descriptors, left) != 6)
		return "it did not finish";
	outcome->child_left = strcmp(left, "true") == 0;
	report->verdict = verdict;
	report->step = step;
	wrong = judge_rest(plan, true);
	if (wrong)
		return wrong;
	if (verdict == 0)
		return !trace.target_ran || fault_is_ours(plan) ? NULL : "it failed, but the target ran";
	/* dmz.Start() returns no error for CLOSED; then the exit status of the process tells. */
	if (verdict == ERRPIPE_STARTED && !trace.target_ran)
		return failed_like_a_stub(report->status) ? NULL : "a success, but the target never ran";
	return judge_verdict(plan);
}

static const char *judge_rest(const struct plan *plan, bool is_go)
{
	if (outcome->descriptors > 0)
		return "a descriptor is left";
	if (outcome->descriptors < 0)
		return "a descriptor was closed";
	if (outcome->child_left && !(nobody_can_help(plan, SYS_waitid, 0) && (plan->error == ECHILD || is_go)) &&
	    !(is_go && nobody_can_help(plan, SYS_wait4, 0)))
		return "a child is left";
	if (outcome->mask_changed && !nobody_can_help(plan, SYS_rt_sigprocmask, SIG_SETMASK))
		return "the signal mask has changed";
	return outcome->action_changed ? "a signal's action has changed" : NULL;
}

static const char *judge(const struct scene *scene, const struct plan *plan)
{
	const char *wrong = NULL;

	if (trace.hung)
		return "it hangs";
	if (plan->signals[0] && plan->victim == 0)
		return NULL;
	/* A stub whose exit_group(2) fails executes a trap instruction. */
	if (WIFSIGNALED(trace.status) && !(scene->kind == GO && fault_is(plan, 0, SYS_exit_group)))
		return "it crashed";
	if (scene->kind == COMMAND)
		return judge_command(scene, plan);
	if (scene->kind == GO)
		return judge_go(scene, plan);
	if (!outcome->done)
		return "it did not finish";
	wrong = judge_rest(plan, false);
	if (wrong)
		return wrong;
	return scene->kind == VALUE ? judge_value(plan) : scene->kind == LOOK ? judge_look(plan) : judge_spawn(plan);
}

/* --- the matrix ----------------------------------------------------------------------------------------------- */

static int occurrences = 3;
static size_t injected, survived;
static bool sample;

static void describe(const struct plan *plan)
{
	if (plan->error) {
		fprintf(stderr, "process %d, %s", plan->call.role, name_of(plan->call.number));
		if (plan->call.operation)
			fprintf(stderr, " %ld", plan->call.operation);
		fprintf(stderr, ", time %d: %s", plan->call.occurrence, errpipe_errname(plan->error));
	} else if (plan->signals[0]) {
		fprintf(stderr, "process %d, stop %zu: signal %d", plan->victim, plan->stop, plan->signals[0]);
	} else if (allocation_to_fail) {
		fprintf(stderr, "allocation %ld%s", allocation_to_fail,
			allocations_fail_ever_after ? " and after" : "");
	} else {
		fputs("no fault", stderr);
	}
}

static bool is_the_first(const struct plan *plan)
{
	return !plan->error && !plan->signals[0] && !allocation_to_fail;
}

static bool survives(const struct scene *scene, const struct plan *plan)
{
	const struct errpipe_report *report = &outcome->report;
	const char *wrong;

	trace_run(&trace, plan, target, scene_play, (void *)scene);
	if (is_the_first(plan))
		first_outcome = *outcome;
	wrong = judge(scene, plan);
	if (!wrong)
		return true;
	fprintf(stderr, "%s: ", scene->name);
	describe(plan);
	fprintf(stderr, ": %s (%d, %d, verdict %d, error %d, step %#x, status %#x; %s; exit %d, %s%s)\n", wrong,
		outcome->begun, outcome->waited, report->verdict, report->error, report->step, report->status,
		trace.target_ran ? "ran" : "never ran", outcome->status, scene->kind == COMMAND ? printed(2) : "",
		scene->kind == COMMAND ? printed(1) : "");
	return false;
}

static bool inject(const struct scene *scene, struct plan *plan)
{
	bool ok = survives(scene, plan);

	if (!trace.reached && ok)
		return true;
	injected++;
	survived += ok;
	return ok;
}

static bool fail_with(const struct scene *scene, const struct plan *base, const struct call *call,
		      const struct line *line)
{
	bool ok = true;

	for (int i = 0; i < (sample && line->count ? 1 : line->count); i++) {
		struct plan plan = *base;

		plan.call = *call;
		plan.error = line->errors[i];
		plan.done = line->done;
		ok &= inject(scene, &plan);
	}
	return ok;
}

/* Go's runtime ends the process if its own calls fail, so only calls that package dmz also makes are failed. */
static bool is_of_the_runtime(const struct call *call)
{
	static const long ours[] = { SYS_pipe2,	   SYS_fcntl,	  SYS_memfd_create, SYS_fchmod,	    SYS_write,
				     SYS_close,	   SYS_openat,	  SYS_read,	    SYS_readlinkat, SYS_waitid,
				     SYS_wait4,	   SYS_execve,	  SYS_execveat,	    SYS_prctl,	    SYS_capget,
				     SYS_setfsuid, SYS_setfsgid,  SYS_openat2,	    SYS_kill,	    SYS_dup3,
				     SYS_chdir,	   SYS_exit_group };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (ours[i] == call->number)
			return false;
	}
	return true;
}

static bool fail_calls(const struct scene *scene, const struct plan *base)
{
	bool ok = true;

	for (size_t i = 0; i < first.count; i++) {
		const struct call *call = &first.calls[i];
		const struct line *line = line_of(call->number);
		struct line any = refusals;

		if (call->occurrence > occurrences || (scene->kind == GO && is_of_the_runtime(call)))
			continue;
		if (!line) {
			fprintf(stderr, "%s: %s is missing from the table\n", scene->name, name_of(call->number));
			ok = false;
			continue;
		}
		any.done = line->done;
		if (!sample || (i % 2 && line->count))
			ok &= fail_with(scene, base, call, line);
		if (!sample || !(i % 2 && line->count))
			ok &= fail_with(scene, base, call, &any);
	}
	return ok;
}

/* The sample stops at the first call of each kind, alternately at its beginning and at its end. */
static bool is_in_sample(int role, size_t stop)
{
	for (size_t i = 0; i < first.count; i++) {
		const struct call *call = &first.calls[i];

		if (call->role == role && call->occurrence == 1 && call->stop + i % 2 == stop)
			return true;
	}
	return false;
}

/* Kill each child at each of its stops with each sequence of signals, and the parent with SIGKILL. */
static bool kill_each(const struct scene *scene, const struct plan *base)
{
	static const int signals[][2] = { { SIGKILL }, { SIGSTOP, SIGKILL }, { SIGSEGV } };
	size_t stops[ROLES];
	bool ok = true;

	memcpy(stops, first.stops, sizeof(stops));
	for (int role = 0; role < ROLES && stops[1]; role++) {
		for (size_t stop = 0; stop < stops[role]; stop++) {
			if (sample && !is_in_sample(role, stop))
				continue;
			for (size_t i = 0; i < (role && !sample ? sizeof(signals) / sizeof(*signals) : 1); i++) {
				struct plan plan = *base;

				plan.victim = role;
				plan.stop = stop;
				memcpy(plan.signals, signals[i], sizeof(plan.signals));
				ok &= inject(scene, &plan);
			}
		}
	}
	return ok;
}

static bool fail_allocations(const struct scene *scene, const struct plan *base)
{
	long count = *allocations_made;
	bool ok = true;

	for (int ever_after = 0; ever_after < (sample ? 1 : 2); ever_after++) {
		allocations_fail_ever_after = ever_after;
		for (allocation_to_fail = 1; allocation_to_fail <= count; allocation_to_fail += sample ? 7 : 1) {
			bool survives_it = survives(scene, base);

			injected++;
			survived += survives_it;
			ok &= survives_it;
		}
	}
	allocation_to_fail = 0;
	return ok;
}

static bool try(const struct scene *scene)
{
	struct plan base = { .victim = 0 };
	struct call *calls = trace.calls;
	bool ok;

	memcpy(base.always, scene->always, sizeof(base.always));
	*allocations_made = 0;
	if (!survives(scene, &base))
		return false;
	trace.calls = first.calls;
	first = trace;
	first.calls = calls;

	ok = fail_calls(scene, &base);
	ok &= kill_each(scene, &base);
	if (scene->kind == COMMAND) {
		survives(scene, &base);
		ok &= fail_allocations(scene, &base);
	}
	return ok;
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;

	if (argc < 4) {
		fputs("usage: faults TABLE TARGET DIRECTORY [SCENE]\n", stderr);
		return 2;
	}
	close_range(STDERR_FILENO + 1, ~0U, 0);
	read_table(argv[1]);
	target = realpath(argv[2], NULL);
	if (!target || chdir(argv[3]) < 0) {
		perror(argv[2]);
		return 2;
	}
	if (getenv("OCCURRENCES"))
		occurrences = atoi(getenv("OCCURRENCES"));
	sample = getenv("SAMPLE") != NULL;
	trace.calls = calloc(CALLS, sizeof(*trace.calls));
	first.calls = calloc(CALLS, sizeof(*first.calls));
	allocations_made = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	scenes_prepare();

	for (size_t i = 0; i < scenes_count; i++) {
		size_t before = injected;
		bool ok;

		if (argc > 4 && !strstr(scenes[i].name, argv[4]))
			continue;
		if (scenes[i].mounts && lacks(needs_namespaces())) {
			printf("ok %d - %s # SKIP %s\n", ++n, scenes[i].name, needs_namespaces());
			continue;
		}
		ok = try(&scenes[i]);
		failed |= !ok;
		printf("%s %d - %s: %zu faults\n", ok ? "ok" : "not ok", ++n, scenes[i].name, injected - before);
		fflush(stdout);
	}
	printf("1..%d\n", n);
	printf("# %zu faults injected, %zu survived\n", injected, survived);
	return failed;
}
