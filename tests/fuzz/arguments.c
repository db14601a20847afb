/* SPDX-License-Identifier: MIT */
/*
 * The command with any arguments, for libFuzzer. The input:
 *
 *	status (1 byte), size (1), that many bytes: the program's exit status, and the content of the pipe
 *	size (1), that many bytes: the content of each file that is opened for reading
 *	the rest: the arguments, separated by NULs
 *
 * Nothing is started or written, because the linker replaces the functions that would do so with those below (ld's option
 * --wrap). explain forks no process either, and its root is a directory of the fuzzer's own.
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
static int directory = -1, nothing = -1, home = -1;

/* The command's output. */
static struct output {
	FILE *file;
	char *text;
	size_t size;
} out, err;

/* --- replacements of functions with side effects ---------------------------------------------- */

int errpipe_main(int argc, char **argv);
int __real_fclose(FILE *file);
FILE *__real_fopen(const char *name, const char *mode);

/* Fill the pipe from the input. */
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

	must(path && argv && *argv && envp, "a program to start has a path and arguments");
	if (spawn->setup)
		must(errpipe_setup_check(spawn->setup, NULL) == 0, "the setup is one that the library accepts");
	else if (spawn->flags & ERRPIPE_STUB_ONLY)
		return spawn->stub == ERRPIPE_NO_STUB ? -EINVAL : spawn->stub;
	if (errpipe_pipe(fd) < 0)
		give_up("errpipe_pipe");
	leave_record(fd[1]);
	close(fd[1]);
	return errpipe_adopt(child, NO_PROCESS, -ENOSYS, fd[0]);
}

int __wrap_errpipe_setup_apply(const struct errpipe_setup *setup, unsigned *step)
{
	must(errpipe_setup_check(setup, NULL) == 0, "the setup is one that the library accepts");
	*step = ERRPIPE_STEP_USER;
	return status & 1 ? -EPERM : 0;
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
	must(path && argv && *argv && envp, "a program to exec has a path and arguments");
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
	must(options & WNOHANG, "the command does not block in waitid while it watches for signals");
	info->si_pid = NO_PROCESS;
	return 0;
}

int __wrap_kill(pid_t pid, int signal)
{
	(void)signal;
	must(pid == NO_PROCESS, "only the child is killed");
	return 0;
}

int __wrap_explain_safely(struct errpipe_explanation **explanation, const struct inspection *inspection)
{
	struct errpipe_question question = inspection->question;

	*explanation = mmap(NULL, sizeof(**explanation), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*explanation == MAP_FAILED)
		give_up("mmap");
	question.root = directory;
	return errpipe_explain(*explanation, &question);
}

int __wrap_work_apart(int (*work)(void *data), void *data, int milliseconds)
{
	must(milliseconds > 0, "every wait has a limit");
	return work(data);
}

/* Trap: libFuzzer calls these as well. It uses the mode "wb" for files that it writes after a crash. */
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

/* The name of fopen(3) with large files. */
FILE *__wrap_fopen64(const char *name, const char *mode)
{
	return opened(name, mode);
}

/* The lowest descriptor that is free before the command runs. A duplicate of standard output gets it. */
static int lowest;

/* Any other descriptor belongs to the fuzzer, which still needs it. */
FILE *__wrap_fdopen(int fd, const char *mode)
{
	must(fd >= 0 && *mode == 'w', "the report is opened for writing");
	if (fd == lowest)
		close(fd);
	return __real_fopen("/dev/null", mode);
}

/* Keep the output open until it has been checked. */
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

static void enter(int fd)
{
	if (fchdir(fd) < 0)
		give_up("fchdir");
}

/* Run the command in the directory, and return to the fuzzer's own, where its files are. */
static int run(int argc, char **argv)
{
	FILE *out_before = stdout, *err_before = stderr;
	int code;

	begin_output(&out, &stdout);
	begin_output(&err, &stderr);
	enter(directory);
	optind = 0; /* getopt(3): start over */
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

/* The verdict for the record of the input; 0 for rubbish. */
static int expected_verdict(void)
{
	struct errpipe_report report;

	if (!record.size)
		return ERRPIPE_STARTED;
	return errpipe_decode(record.bytes, record.size, &report) < 0 ? 0 : (int)report.verdict;
}

/* Has the program run and exited with this code? */
static bool target_says(int code)
{
	return expected_verdict() == ERRPIPE_STARTED && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void check_code(const char *command, int code)
{
	must(code >= 0 && code <= 255, "the exit code is in range");
	if (is_asked(command, "decode") || is_asked(command, "explain"))
		must(code <= 1 || code == 125, "the exit code is documented");
	/* Under every policy a failure must not look like success. */
	if (is_asked(command, "run") && expected_verdict() != ERRPIPE_STARTED)
		must(code >= 125 || *out.text, "a failed start does not look like success");
	if (code == 125 && !(is_asked(command, "run") && target_says(125)))
		must(*err.text, "a failure is explained");
}

static void check(const char *command, int code)
{
	check_code(command, code);
	must(is_harmless(out.text, "\n"), "the output has no control characters");
}

static void prepare(void)
{
	static const char script[] = "#!/a\n",
			  config[] = "{\"root\": {\"path\": \"r\"}, \"process\": {\"args\": [\"a\"]}}";

	directory = make_base();
	nothing = eventfd(0, EFD_CLOEXEC);
	put_file(directory, "a", script, sizeof(script) - 1, 0755);
	put_file(directory, "config.json", config, sizeof(config) - 1, 0644);
	home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || setenv("PATH", ":/", 1) < 0 || !freopen("/dev/null", "r", stdin))
		give_up(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	char *argv[MAX_ARGS + 2] = { (char[]){ "errpipe" } };
	int argc = 1, code, descriptor;
	char *own[MAX_ARGS + 1]; /* to free them: the command reorders and splits its arguments */

	if (directory < 0)
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
