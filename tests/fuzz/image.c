/* SPDX-License-Identifier: MIT */
/*
 * The stub's interpreter on a list that was damaged, for libFuzzer. It is dmz/_dmz.c itself, compiled for this process, on a
 * kernel that answers what the input says. The input:
 *
 *	which setup (1 byte), the number of damages (1 byte), the damages: see damage()
 *	the rest: the answers of the system calls: see answer()
 *
 * Whatever the list has become, the interpreter reads only the image and its own stack, and writes only its stack. It makes the
 * calls of the list one after the other, each once, and stops at the first that fails. It execs the target only after all
 * calls up to DMZ_LAST. If the list runs out of the image before that, the process dies. It always ends.
 *
 * More is not promised. A list that was changed into another list is performed as that, for instance with another uid. What
 * prevents a change is the seal of the image (check_sealed). The header, which says where the list begins, is left alone: the
 * interpreter trusts it like its own code.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "errpipe.h"
#include "fuzz.h"

/* tests/prove/model/nolibc.h declares the system calls, which are below. */
void _start_c(long *sp);
__attribute__((noreturn)) void model_trap(void);
#include "../../dmz/_dmz.c"

enum { PAGE = 4096, MOST_PAGES = 16, REPORT = 5 };

/* --- the images of valid setups --- */

static const struct errpipe_setup user = {
	.set = ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_BOUNDING | ERRPIPE_SET_AMBIENT,
	.uid = 65534,
	.gid = 65534,
	.permitted = 1,
	.effective = 1,
	.inheritable = 1,
	.ambient = 1,
	.no_new_privs = 1,
};

static const struct errpipe_limit limits[] = { { RLIMIT_NOFILE, 64, 64 }, { RLIMIT_CORE, 0, 0 } };
static const struct errpipe_move moves[] = { { 3, 4 }, { 4, 3 }, { 7, 7 } };
static const struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, 0x7fff0000) };

static const struct errpipe_setup process = {
	.set = ERRPIPE_SET_UMASK | ERRPIPE_SET_NICE | ERRPIPE_SET_OOM_SCORE | ERRPIPE_SET_DESCRIPTORS,
	.label = "label",
	.session = 1,
	.directory = "/srv",
	.oom_score = 500,
	.limits = limits,
	.limits_length = 2,
	.umask = 077,
	.no_new_privs = 1,
	.moves = moves,
	.moves_length = 3,
	.seccomp = filter,
	.seccomp_length = 1,
};

/* A call whose arguments have a number in them. */
#define CALL(n, result)                                                                                              \
	{                                                                                                            \
		.step = ERRPIPE_STEP_CALLER + (n), .flags = result, .number = 1000 + (n), .arg[1].value = n          \
	}

static const struct errpipe_call calls[] = {
	CALL(0, 0), CALL(1, ERRPIPE_CALL_USE_RESULT), CALL(2, ERRPIPE_CALL_IGNORE_FAILURE),
	CALL(3, 0), CALL(4, ERRPIPE_CALL_USE_RESULT),
};

static const struct errpipe_setup by_calls = { .first = calls, .first_length = 5 };

/* Its list has several pages. */
static struct errpipe_call many_calls[200];
static const struct errpipe_setup long_list = { .last = many_calls, .last_length = 200 };

static const struct errpipe_setup nothing;

static struct {
	const struct errpipe_setup *setup;
	unsigned char *bytes;
	size_t size, list; /* the list begins at this offset */
} images[] = { { .setup = &user },
	       { .setup = &process },
	       { .setup = &by_calls },
	       { .setup = &long_list },
	       { .setup = &nothing } };

enum { IMAGES = sizeof(images) / sizeof(*images) };

static void make_images(void)
{
	for (size_t i = 0; i < sizeof(many_calls) / sizeof(*many_calls); i++)
		many_calls[i] = (struct errpipe_call)CALL(i, 0);
	for (size_t i = 0; i < IMAGES; i++) {
		int fd = errpipe_setup_stub(images[i].setup);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			give_up("errpipe_setup_stub");
		images[i].size = st.st_size;
		must(images[i].size <= MOST_PAGES * PAGE, "the image is not larger than the room for it");
		images[i].bytes = malloc(st.st_size);
		if (!images[i].bytes || pread(fd, images[i].bytes, st.st_size, 0) != st.st_size)
			give_up("the image");
		images[i].list = ((const Elf64_Phdr *)(images[i].bytes + sizeof(Elf64_Ehdr)))[1].p_paddr - DMZ_BASE;
		close(fd);
	}
}

/* --- the image in memory --- */

/* At the address where the kernel maps it. The pages before and after it stay inaccessible. */
static unsigned char *const image = (unsigned char *)DMZ_BASE;
static const unsigned char *image_end;

static void reserve(void)
{
	if (mmap(image - PAGE, (MOST_PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		 -1, 0) != image - PAGE)
		give_up("mmap");
}

/* The rest of the last page is zeros, as that of a file is. */
static size_t pages_of(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

static void load(const unsigned char *bytes, size_t size)
{
	size_t mapped = pages_of(size);

	if (mprotect(image, MOST_PAGES * PAGE, PROT_READ | PROT_WRITE) < 0)
		give_up("mprotect");
	memcpy(image, bytes, size);
	memset(image + size, 0, mapped - size);
	image_end = image + mapped;
	if (mprotect(image, mapped, PROT_READ) < 0 ||
	    mprotect(image + mapped, MOST_PAGES * PAGE - mapped, PROT_NONE) < 0)
		give_up("mprotect");
}

/* --- the damages, in a list of this size --- */

enum damage { FLIP_A_BIT, SET_A_WORD, SET_A_LONG, SWAP_LONGS, COPY_AN_ACTION, TRUNCATE, DAMAGES };

/* An offset in the list at which a thing of this size fits, aligned as its kind is. */
static size_t somewhere(struct input *input, size_t list, size_t unit)
{
	return take_16(input) % (list / unit) * unit;
}

/* Returns the new size. */
static size_t damage(struct input *input, unsigned char *list, size_t size)
{
	enum damage kind = take(input) % DAMAGES;
	unsigned long word = 0, other;
	size_t from, to;

	switch (kind) {
	case FLIP_A_BIT:
		to = somewhere(input, size, 1);
		list[to] ^= 1 << take(input) % 8;
		break;
	case SET_A_WORD:
		to = somewhere(input, size, 2);
		word = take_16(input);
		memcpy(list + to, &word, 2);
		break;
	case SET_A_LONG:
		to = somewhere(input, size, sizeof(word));
		for (size_t i = 0; i < sizeof(word); i++)
			word = word << 8 | take(input);
		memcpy(list + to, &word, sizeof(word));
		break;
	case SWAP_LONGS:
		from = somewhere(input, size, sizeof(word));
		to = somewhere(input, size, sizeof(word));
		memcpy(&word, list + from, sizeof(word));
		memcpy(&other, list + to, sizeof(word));
		memcpy(list + from, &other, sizeof(word));
		memcpy(list + to, &word, sizeof(word));
		break;
	case COPY_AN_ACTION:
		from = somewhere(input, size, sizeof(struct dmz_action));
		to = somewhere(input, size, sizeof(struct dmz_action));
		memmove(list + to, list + from, sizeof(struct dmz_action));
		break;
	case TRUNCATE:
		/* At least one action is left for the next damage. */
		to = somewhere(input, size, 1);
		return to < sizeof(struct dmz_action) ? sizeof(struct dmz_action) : to;
	case DAMAGES:
		break;
	}
	return size;
}

/* --- the kernel --- */

enum outcome { RUNNING, EXITED, FAULT };

static sigjmp_buf stopped;
static struct input answers;
static char *const *stack_argv;

static struct {
	const struct dmz_action *next;
	long result;	 /* of the call before, as the next may use it */
	int step, error; /* of the record that is due */
	int status;	 /* of the exit that is due */
	bool sealed;	 /* close-on-exec is set */
	bool decided;	 /* a call has failed, or the exec has */
	bool execed, blocked, written;
} run;

static long answer(void)
{
	static const long others[] = { LONG_MIN, LONG_MAX, -4096, -DMZ_ERROR_MAX, -EPERM, -ENOENT, -EBADF, INT_MIN };
	unsigned kind = take(&answers);

	if (kind < 128)
		return kind;
	if (kind < 192)
		return -(long)take_16(&answers);
	return others[kind % (sizeof(others) / sizeof(*others))];
}

static void decide(int step, long ret, int status)
{
	run.decided = true;
	run.step = step;
	run.error = ret < 0 && ret >= -DMZ_ERROR_MAX ? -ret : 0;
	run.status = status;
}

long model_fcntl(int fd, int command, int flags)
{
	long ret = answer();

	must(!run.sealed && fd == REPORT && command == F_SETFD && flags == FD_CLOEXEC, "close-on-exec comes first");
	run.sealed = true;
	run.result = ret;
	if (ret < 0)
		decide(DMZ_STEP_FCNTL, ret, 125);
	if (ret == -EBADF)
		run.written = true;
	return ret;
}

/* May the interpreter use this much of the next action? */
static bool is_there(size_t size)
{
	return (const unsigned char *)run.next + size <= image_end;
}

long model_action(unsigned number, long a, long b, long c, long d, long e, long f)
{
	const struct dmz_action *action = run.next;
	const long args[] = { a, b, c, d, e, f };
	long ret = answer();

	must(run.sealed && !run.decided, "no call follows a failure");
	must(action && is_there(sizeof(*action)) && action->step > DMZ_LAST, "each call is in the list");
	must(number == action->number, "the calls are made in the order of the list");
	must(a == (action->flags & DMZ_USE_RESULT ? run.result : action->arg[0]),
	     "the first argument is in the list");
	must(memcmp(args + 1, action->arg + 1, sizeof(args) - sizeof(*args)) == 0, "the arguments are in the list");
	run.next++;
	run.result = action->flags & DMZ_IGNORE_FAILURE ? 0 : ret;
	if (run.result < 0)
		decide(action->step, ret, 125);
	return ret;
}

long model_execve(const char *path, char **argv, char **envp)
{
	long ret = answer();

	must(run.sealed && !run.decided, "the exec follows no failure");
	must(!run.next || (is_there(sizeof(run.next->step)) && run.next->step == DMZ_LAST),
	     "the exec follows the whole list");
	must(path == stack_argv[2] && argv == stack_argv + 3 && envp == stack_argv + 6, "the target is the caller's");
	run.execed = true;
	decide(DMZ_STEP_EXEC, ret, ret == -ENOENT ? 127 : 126);
	return ret;
}

long model_rt_sigprocmask(int how, const unsigned long *set, unsigned long *old, size_t size)
{
	/* The list is cut off. It counts as an exec that was refused without an errno. */
	if (!run.decided) {
		must(run.next && is_there(sizeof(run.next->step)) && run.next->step == 0,
		     "only zeros end a list early");
		decide(0, 0, 125);
	}
	must(!run.blocked && how == SIG_BLOCK && *set == -1UL && !old && size == sizeof(*set),
	     "all signals are blocked");
	run.blocked = true;
	return answer();
}

/* A reader takes the record for a failure, or for bytes that no stub writes. */
long model_write(int fd, const unsigned *record, size_t size)
{
	const unsigned expected[] = DMZ_RECORD(run.step, run.error);
	struct errpipe_report report;
	int ret = errpipe_decode(record, size, &report);

	must(run.decided && run.blocked && !run.written && fd == REPORT, "one record is written, after a failure");
	must(size == sizeof(expected) && memcmp(record, expected, size) == 0, "the record is that of the failure");
	must(ret == -EPROTO || (ret == 0 && report.verdict != ERRPIPE_STARTED), "no reader takes it for a start");
	run.written = true;
	return answer();
}

long model_exit_group(int status)
{
	must(run.written && status == run.status, "the exit code is that of the failure");
	siglongjmp(stopped, EXITED);
}

void model_trap(void)
{
	must(false, "the exit ends the stub");
	abort();
}

/* Only a list without an end leads out of the image, and only to its next action. */
static void fault(int signal, siginfo_t *info, void *context)
{
	const unsigned char *at = info->si_addr, *next = (const unsigned char *)run.next;

	(void)signal;
	(void)context;
	must(next && at >= image_end && at >= next && at < next + sizeof(*run.next),
	     "the interpreter stays in its memory");
	must(!run.decided, "no list is read after a failure");
	siglongjmp(stopped, FAULT);
}

static void catch_faults(void)
{
	const struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSEGV, &action, NULL) < 0 || sigaction(SIGBUS, &action, NULL) < 0)
		give_up("sigaction");
}

/* --- one run --- */

/* The sanitizer detects reads beyond the stack, which ends with an environment without variables. */
static void interpret(size_t list)
{
	static char dmz[] = "dmz", fd[] = "5", path[] = "/target", name[] = "target", arg[] = "x";
	char *const contents[] = { (char *)5, dmz, fd, path, name, arg, NULL, NULL };
	long *stack = exactly(contents, sizeof(contents));
	enum outcome outcome;

	memset(&run, 0, sizeof(run));
	run.next = (const struct dmz_action *)(image + list);
	stack_argv = (char *const *)(stack + 1);
	outcome = sigsetjmp(stopped, 1);
	if (outcome == RUNNING)
		_start_c(stack);
	must(outcome == EXITED || !run.execed, "a fault comes before the exec");
	free(stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static unsigned char copy[MOST_PAGES * PAGE];
	struct input input = { bytes, size };
	size_t which = take(&input) % IMAGES, list, list_size;

	if (!images[0].bytes) {
		make_images();
		reserve();
		catch_faults();
	}
	list = images[which].list;
	list_size = images[which].size - list;
	memcpy(copy, images[which].bytes, images[which].size);
	for (unsigned damages = take(&input) % 16; damages > 0; damages--)
		list_size = damage(&input, copy + list, list_size);
	load(copy, list + list_size);
	answers = input;
	interpret(list);
	return 0;
}
