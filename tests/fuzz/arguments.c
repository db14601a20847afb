/* SPDX-License-Identifier: MIT */
/*
 * The command with any arguments, for libFuzzer:
 *
 *	status (1 byte), size (1), so many bytes: how the program ends, and what it leaves in the pipe
 *	size (1), so many bytes: what a file that is opened to read holds
 *	and behind them the arguments, which NULs separate
 *
 * Nothing is started and nothing is written: the linker puts the functions below in the place of those that do it (ld's
 * option --wrap). No process is forked for explain either, and the root is a folder of the fuzzer's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cmd/cmd.h"
#include "fuzz.h"

enum { MAX_ARGS = 24, NO_PROCESS = 1 << 23 /* above PID_MAX_LIMIT in the kernel's include/linux/threads.h */ };

static struct input record, content;
static unsigned status;
static int folder = -1, nothing = -1, home = -1;

/* What the command prints. */
static struct output {
	FILE *file;
	char *text;
	size_t size;
} out, err;

/* --- in the place of what would do something -------------------------------------------------- */

int errpipe_main(int argc, char **argv);
int __real_fclose(FILE *file);
FILE *__real_fopen(const char *name, const char *mode);

/* The pipe has what the input says, and no more can come. */
static int leave_record(int report)
{
	if (record.size && write(report, record.bytes, record.size) != (ssize_t)record.size)
		give_up("pipe");
	return 0;
}

int __wrap_errpipe_stub(void)
{
	return -ENOSYS;
}

int __wrap_errpipe_spawn(struct errpipe_child *child, const struct errpipe_spawn *spawn, const char *path,
			 char *const *argv, char *const *envp)
{
	int fd[2];

	must(path && argv && *argv && envp, "what is started has a path and arguments");
	if (spawn->flags & ERRPIPE_STUB_ONLY)
		return spawn->stub == ERRPIPE_NO_STUB ? -EINVAL : spawn->stub;
	if (errpipe_pipe(fd) < 0)
		give_up("errpipe_pipe");
	leave_record(fd[1]);
	close(fd[1]);
	return errpipe_adopt(child, NO_PROCESS, -ENOSYS, fd[0]);
}

int __wrap_errpipe_wait(struct errpipe_child *child, struct errpipe_report *report)
{
	int ret = errpipe_read_child(child, report);

	close(child->poll_fd);
	report->status = status;
	return ret < 0 ? ret : 0;
}

int __wrap_errpipe_exec(int stub, unsigned flags, int report, const char *path, char *const *argv, char *const *envp)
{
	must(stub == ERRPIPE_NO_STUB && !flags, "errpipe exec goes direct");
	must(path && argv && *argv && envp, "what is exec'd has a path and arguments");
	leave_record(report);
	return -ENOENT;
}

int __wrap_signals_take(struct signals *signals)
{
	signals->fd = nothing;
	return 0;
}

void __wrap_signals_pass_on(struct signals *signals, pid_t pid)
{
	(void)signals;
	(void)pid;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type;
	(void)id;
	must(options & WNOHANG, "nobody waits while signals come");
	info->si_pid = NO_PROCESS;
	return 0;
}

int __wrap_kill(pid_t pid, int signal)
{
	(void)signal;
	must(pid == NO_PROCESS, "only the child is killed");
	return 0;
}

int __wrap_explain_safely(struct errpipe_explanation **explanation, const struct look *look)
{
	struct errpipe_question question = look->question;

	*explanation = mmap(NULL, sizeof(**explanation), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*explanation == MAP_FAILED)
		give_up("mmap");
	question.root = folder;
	return errpipe_explain(*explanation, &question);
}

int __wrap_work_apart(int (*work)(void *data), void *data, int milliseconds)
{
	must(milliseconds > 0, "nothing is waited for without an end");
	return work(data);
}

/* Trap: libFuzzer is linked with these, too. What it writes after a crash in the command it opens as "wb". */
static FILE *opened(const char *name, const char *mode)
{
	if (!out.file || strchr(mode, 'b'))
		return __real_fopen(name, mode);
	must(strchr(mode, 'e') != NULL, "a file is opened close-on-exec");
	if (!*name) {
		errno = ENOENT;
		return NULL;
	}
	return *mode == 'r' ? fmemopen((void *)content.bytes, content.size, "r") : __real_fopen("/dev/null", mode);
}

FILE *__wrap_fopen(const char *name, const char *mode)
{
	return opened(name, mode);
}

/* What it is called where files may be large. */
FILE *__wrap_fopen64(const char *name, const char *mode)
{
	return opened(name, mode);
}

/* The lowest number that is free before the command runs: a duplicate of standard output gets it. */
static int lowest;

/* Any other number is one of the fuzzer's own, which it needs. */
FILE *__wrap_fdopen(int fd, const char *mode)
{
	must(fd >= 0 && *mode == 'w', "a report is written");
	if (fd == lowest)
		close(fd);
	return __real_fopen("/dev/null", mode);
}

/* What was printed is looked at first. */
int __wrap_fclose(FILE *file)
{
	return file == out.file ? fflush(file) : __real_fclose(file);
}

/* --- the command ------------------------------------------------------------------------------ */

static void begin_output(struct output *output, FILE **stream)
{
	output->file = open_memstream(&output->text, &output->size);
	if (!output->file)
		give_up("open_memstream");
	*stream = output->file;
}

static void end_output(struct output *output, FILE **stream, FILE *before)
{
	__real_fclose(output->file);
	output->file = NULL;
	*stream = before;
}

static void enter(int directory)
{
	if (fchdir(directory) < 0)
		give_up("fchdir");
}

/* In the folder, where the fuzzer itself does not find its files. */
static int run(int argc, char **argv)
{
	FILE *out_before = stdout, *err_before = stderr;
	int code;

	begin_output(&out, &stdout);
	begin_output(&err, &stderr);
	enter(folder);
	optind = 0; /* getopt(3): begin anew */
	code = errpipe_main(argc, argv);
	enter(home);
	end_output(&out, &stdout, out_before);
	end_output(&err, &stderr, err_before);
	return code;
}

static bool is_asked(const char *command, const char *name)
{
	return strcmp(command, name) == 0;
}

/* 0: nothing was left, so it has started. */
static int expected_verdict(void)
{
	struct errpipe_report report;

	if (!record.size)
		return ERRPIPE_STARTED;
	return errpipe_decode(record.bytes, record.size, &report) < 0 ? 0 : (int)report.verdict;
}

/* The program has run, and this exit code is its own. */
static bool target_says(int code)
{
	return expected_verdict() == ERRPIPE_STARTED && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void check_code(const char *command, int code)
{
	must(code >= 0 && code <= 255, "the exit code is one");
	if (is_asked(command, "decode") || is_asked(command, "explain"))
		must(code <= 1 || code == 125, "the exit code is documented");
	/* Whatever the policy, one that has failed does not look as if it had worked. */
	if (is_asked(command, "run") && expected_verdict() != ERRPIPE_STARTED)
		must(code >= 125 || *out.text, "what has not started does not look so");
	if (code == 125 && !(is_asked(command, "run") && target_says(125)))
		must(*err.text, "a failure is explained");
}

static void check(const char *command, int code)
{
	check_code(command, code);
	must(is_harmless(out.text, "\n"), "nothing that is printed is for the terminal");
}

static void prepare(void)
{
	static const char script[] = "#!/a\n",
			  config[] = "{\"root\": {\"path\": \"r\"}, \"process\": {\"args\": [\"a\"]}}";

	folder = make_base();
	nothing = eventfd(0, EFD_CLOEXEC);
	put_file(folder, "a", script, sizeof(script) - 1, 0755);
	put_file(folder, "config.json", config, sizeof(config) - 1, 0644);
	home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || setenv("PATH", ":/", 1) < 0 || !freopen("/dev/null", "r", stdin))
		give_up(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	char *argv[MAX_ARGS + 2] = { (char[]){ "errpipe" } };
	int argc = 1, code, descriptor;
	char *own[MAX_ARGS + 1]; /* the command takes them apart, and moves them */

	if (folder < 0)
		prepare();
	status = take(&input) << 8;
	record = take_part(&input, take(&input));
	content = take_part(&input, take(&input));
	while (input.size && argc <= MAX_ARGS) {
		struct input part = take_part(&input, strnlen((const char *)input.bytes, input.size));

		take(&input);
		argv[argc++] = string_of(&part);
	}
	memcpy(own, argv + 1, sizeof(own));
	descriptor = lowest = lowest_free();
	rewind(stdin);
	code = run(argc, argv);
	must(lowest_free() == descriptor, "no descriptor is left");
	check(own[0] ? own[0] : "", code);
	free(out.text);
	free(err.text);
	for (int i = 0; i < MAX_ARGS + 1; i++)
		free(own[i]);
	return 0;
}
