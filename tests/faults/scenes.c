/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "scenes.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmz/record.h"

/* The command's main(). */
int errpipe_main(int argc, char **argv);

struct outcome *outcome;
const char *target;

static int streams[3] = { -1, -1, -1 };

/* --- state that a call must not change ------------------------------------------------------------------------ */

enum { DESCRIPTORS = 128, SIGNALS = 65 };

static bool open_before[DESCRIPTORS];
static sigset_t mask_before;
static struct sigaction actions_before[SIGNALS];

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void begin(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		open_before[fd] = is_open(fd);
	sigprocmask(SIG_BLOCK, NULL, &mask_before);
	for (int signal = 1; signal < SIGNALS; signal++)
		sigaction(signal, NULL, &actions_before[signal]);
	trace_begin();
}

static void end(void)
{
	struct sigaction action;
	sigset_t mask;
	siginfo_t info;

	trace_end();
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		outcome->descriptors += is_open(fd) - open_before[fd];
	sigprocmask(SIG_BLOCK, NULL, &mask);
	outcome->mask_changed = memcmp(&mask, &mask_before, SIGNALS / 8) != 0;
	for (int signal = 1; signal < SIGNALS; signal++) {
		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != actions_before[signal].sa_handler)
			outcome->action_changed = true;
	}
	outcome->child_left = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
	outcome->done = true;
}

/* --- one function alone --------------------------------------------------------------------------------------- */

static bool is_private(int fd)
{
	return fd > STDERR_FILENO && fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static void play_pipe(const struct scene *scene)
{
	int fd[2] = { -1, -1 };

	(void)scene;
	begin();
	outcome->begun = errpipe_pipe(fd);
	trace_end();
	outcome->usable = is_private(fd[0]) && is_private(fd[1]);
	close(fd[0]);
	close(fd[1]);
	end();
}

/* The standard streams are closed, so the library must move its descriptors up. */
static void play_low(const struct scene *scene)
{
	(void)scene;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	play_pipe(scene);
}

static bool is_stub(int fd)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;

	return is_private(fd) && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0511 && st.st_size > 0 &&
	       (fcntl(fd, F_GET_SEALS) & seals) == seals;
}

static void play_stub(const struct scene *scene)
{
	(void)scene;
	begin();
	outcome->begun = errpipe_stub();
	trace_end();
	outcome->usable = is_stub(outcome->begun);
	close(outcome->begun);
	end();
}

static void play_low_stub(const struct scene *scene)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	play_stub(scene);
}

/* The mount is not read-only, which is the only reason to refuse the file, so success would always be wrong. */
static void play_stub_file(const struct scene *scene)
{
	(void)scene;
	begin();
	outcome->begun = errpipe_stub_file(target);
	end();
	outcome->usable = false;
}

/* Information that a fault hides must not count as making no difference. */
static void play_route(const struct scene *scene)
{
	static struct errpipe_identity identity;

	begin();
	outcome->begun = errpipe_identity(&identity);
	if (outcome->begun == 0)
		outcome->waited = errpipe_route(&identity, scene->path);
	end();
	outcome->usable = true;
}

static void play_fail(const struct scene *scene)
{
	struct errpipe_report report = { 0 };
	int fd[2];

	(void)scene;
	errpipe_pipe(fd);
	begin();
	outcome->begun = errpipe_fail(fd[1], ERRPIPE_STEP_CALLER + 3, EACCES);
	trace_end();
	close(fd[1]);
	outcome->usable = errpipe_read(fd[0], &report) == 1 && report.step == ERRPIPE_STEP_CALLER + 3;
	fd[1] = dup(fd[0]);
	end();
}

static void play_read(const struct scene *scene)
{
	const unsigned record[] = DMZ_RECORD(DMZ_STEP_EXEC, ENOEXEC);
	struct errpipe_report report = { 0 };
	int fd[2];

	(void)scene;
	errpipe_pipe(fd);
	if (write(fd[1], record, DMZ_RECORD_SIZE) != DMZ_RECORD_SIZE)
		abort();
	begin();
	outcome->begun = errpipe_read(fd[0], &report);
	end();
	outcome->usable = report.verdict == ERRPIPE_EXEC_FAILED && report.error == ENOEXEC;
}

/* --- children ------------------------------------------------------------------------------------------------- */

static char **arguments(const char *path, bool many)
{
	static char *argv[1024];

	for (int i = 0; i < (many ? 1000 : 1); i++)
		argv[i] = (char *)path;
	return argv;
}

static int set_up(void *data, unsigned *step)
{
	(void)step;
	return chdir(data) < 0 ? -errno : 0;
}

static const struct errpipe_limit no_core[] = { { 4 /* RLIMIT_CORE */, 0, 0 } };
static const struct errpipe_move kept[] = { { 2, 2 } };
static const struct errpipe_setup setup = { .set = ERRPIPE_SET_UMASK | ERRPIPE_SET_DESCRIPTORS,
					    .umask = 027,
					    .session = 1,
					    .limits = no_core,
					    .limits_length = 1,
					    .directory = "/",
					    .no_new_privs = 1,
					    .moves = kept,
					    .moves_length = 1 };

/* The target must have all of it, or not run. */
static void play_setup(const struct scene *scene)
{
	const struct errpipe_spawn spawn = { .setup = &setup, .flags = scene->flags };
	char *argv[] = { (char *)scene->path, (char *)"set-up", NULL };
	struct errpipe_child child;

	begin();
	outcome->begun = errpipe_spawn(&child, &spawn, scene->path, argv, environ);
	if (outcome->begun == 0)
		outcome->waited = errpipe_wait(&child, &outcome->report);
	end();
}

static void play_spawn(const struct scene *scene)
{
	struct errpipe_spawn spawn = { .stub = scene->argument[0] ? ERRPIPE_NO_STUB : errpipe_stub(),
				       .flags = scene->flags };
	char **argv = arguments(scene->path, scene->argument[1] != NULL);
	struct errpipe_child child;

	if (scene->argument[2]) {
		spawn.prepare = set_up;
		spawn.data = (void *)scene->argument[2];
	}
	begin();
	outcome->begun = errpipe_spawn(&child, &spawn, scene->path, argv, environ);
	if (outcome->begun == 0)
		outcome->waited = errpipe_wait(&child, &outcome->report);
	end();
}

/* Read, look, settle, and only then wait. */
static void play_steps(const struct scene *scene)
{
	struct errpipe_spawn spawn = { .stub = errpipe_stub() };
	struct errpipe_child child;

	begin();
	outcome->begun = errpipe_spawn(&child, &spawn, scene->path, arguments(scene->path, false), environ);
	if (outcome->begun == 0) {
		errpipe_read_child(&child, &outcome->report);
		errpipe_look(&child, &outcome->report);
		errpipe_settle(&child, &outcome->report);
		outcome->waited = errpipe_wait(&child, &outcome->report);
	}
	end();
}

static __attribute__((noreturn)) void be_child(const struct scene *scene, int stub, int report)
{
	int ret;

	if (scene->argument[2] && chdir(scene->argument[2]) < 0) {
		errpipe_fail(report, ERRPIPE_STEP_CALLER, errno);
		_exit(125);
	}
	ret = errpipe_exec(stub, scene->flags, report, scene->path, arguments(scene->path, false), environ);
	_exit(ret == -ENOENT ? 127 : 126);
}

static int start_child(const struct scene *scene, struct errpipe_child *child, int stub)
{
	int fd[2], ret = errpipe_pipe(fd);
	pid_t pid;

	if (ret < 0)
		return ret;
	pid = fork();
	if (pid == 0)
		be_child(scene, stub, fd[1]);
	ret = pid < 0 ? -errno : 0;
	if (pid > 0)
		errpipe_adopt(child, pid, stub, fd[0]);
	else
		close(fd[0]);
	close(fd[1]);
	return ret;
}

static void play_exec(const struct scene *scene)
{
	int stub = scene->argument[0] ? ERRPIPE_NO_STUB : errpipe_stub();
	struct errpipe_child child;

	begin();
	outcome->begun = start_child(scene, &child, stub);
	if (outcome->begun == 0)
		outcome->waited = errpipe_wait(&child, &outcome->report);
	end();
}

/* --- explain -------------------------------------------------------------------------------------------------- */

static void put(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void look(const struct errpipe_question *question)
{
	static struct errpipe_explanation explanation;

	begin();
	outcome->begun = errpipe_explain(&explanation, question);
	end();
	outcome->works = explanation.works;
	outcome->certain = explanation.certainty == ERRPIPE_CERTAIN;
	outcome->usable = true;
}

static void play_look(const struct scene *scene)
{
	struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = scene->path };

	if (scene->argument[0])
		question.root = open(scene->argument[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	look(&question);
}

/* The exec has failed because this process has the file open for writing. */
static void play_look_at_busy(const struct scene *scene)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .error = ETXTBSY, .status = -1 };
	const struct errpipe_question question = { .root = ERRPIPE_OWN_ROOT, .path = scene->path, .report = &report };

	open(scene->path, O_WRONLY | O_CLOEXEC);
	look(&question);
}

/* Map id to itself in the user namespace. */
static void put_map(const char *path, unsigned id)
{
	char map[32];

	snprintf(map, sizeof(map), "%u %u 1", id, id);
	put_text(path, map);
}

/* Mount a tmpfs in a new mount namespace. */
static void mount_tmpfs(const char *directory, unsigned long flags)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
			perror("unshare");
			exit(2);
		}
		/* Files can belong only to users and groups that the namespace maps. */
		put_text("/proc/self/setgroups", "deny");
		put_map("/proc/self/uid_map", uid);
		put_map("/proc/self/gid_map", gid);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", directory, "tmpfs", flags, NULL) < 0) {
		perror(directory);
		exit(2);
	}
}

static void play_look_at_noexec(const struct scene *scene)
{
	mount_tmpfs("apart", MS_NOEXEC);
	put_text(scene->path, "#!/bin/sh\n");
	play_look(scene);
}

static void play_look_without_proc(const struct scene *scene)
{
	mount_tmpfs("/proc", 0);
	play_look(scene);
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static void play_command(const struct scene *scene)
{
	char *argv[10] = { (char *)"errpipe" };
	int argc = 1;

	while (argc < 9 && scene->argument[argc - 1]) {
		argv[argc] = (char *)scene->argument[argc - 1];
		argc++;
	}
	dup2(streams[1], STDOUT_FILENO);
	dup2(streams[2], STDERR_FILENO);
	optind = 0;
	begin();
	if (allocations_made)
		*allocations_made = 0;
	outcome->status = errpipe_main(argc, argv);
	trace_end();
	outcome->done = true;
	_exit(outcome->status);
}

/* The report goes to descriptor 9. */
static void play_command_with_descriptor(const struct scene *scene)
{
	int fd = open("report", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	dup3(fd, 9, O_CLOEXEC);
	close(fd);
	play_command(scene);
}

/* The program of go/main.go is in the target's directory. */
static void play_go(const struct scene *scene)
{
	char program[PATH_MAX];

	snprintf(program, sizeof(program), "%.*s_go", (int)(strlen(target) - strlen("_target")), target);
	dup2(streams[1], STDOUT_FILENO);
	dup2(streams[2], STDERR_FILENO);
	execl(program, "go", scene->argument[0], scene->path, NULL);
	_exit(99);
}

const char *printed(int stream)
{
	static char text[3][4096];
	ssize_t n;

	if (stream == 0) {
		int fd = open("report", O_RDONLY | O_CLOEXEC);

		n = fd < 0 ? 0 : pread(fd, text[0], sizeof(text[0]) - 1, 0);
		close(fd);
	} else {
		n = pread(streams[stream], text[stream], sizeof(text[stream]) - 1, 0);
	}
	text[stream][n > 0 ? n : 0] = '\0';
	return text[stream];
}

/* ------------------------------------------------------------------------------------------------------------- */

void scenes_prepare(void)
{
	static const unsigned record[] = DMZ_RECORD(DMZ_STEP_EXEC, ENOEXEC);
	/* A program for aarch64 without segments. */
	static const Elf64_Ehdr foreign = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phoff = sizeof(Elf64_Ehdr),
	};

	put("record", record, DMZ_RECORD_SIZE);
	put_text("text", "no program\n");
	put_text("script", "#!/none/sh\n");
	put("foreign", &foreign, sizeof(foreign));
	put("busy", &foreign, sizeof(foreign));
	mkdir("apart", 0755);
	mkdir("root", 0755);
	mkdir("bundle", 0755);
	mkdir("bundle/root", 0755);
	put_text("root/script", "#!/bin/sh -e\n");
	put_text("bundle/root/app", "#!/bin/sh\n");
	put_text("bundle/config.json",
		 "{\"root\": {\"path\": \"root\"}, \"process\": {\"args\": [\"/app\"], \"cwd\": \"/\", "
		 "\"env\": [\"PATH=/bin\"], \"user\": {\"uid\": 0, \"gid\": 0, "
		 "\"additionalGids\": [1]}}, \"mounts\": [{\"destination\": \"/x\", \"source\": "
		 "\"/tmp\", \"options\": [\"bind\", \"noexec\"]}], \"linux\": {}}\n");
	if (symlink(target, "linked") < 0 && errno != EEXIST)
		exit(2);
	for (int i = 1; i < 3; i++)
		streams[i] = memfd_create("stream", MFD_CLOEXEC);
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setenv("PATH", "/nowhere:.:/bin", 1);
}

void scene_play(void *data)
{
	const struct scene *scene = data;

	*outcome = (struct outcome){ .report = { .verdict = 0 } };
	unlink("report");
	for (int i = 1; i < 3; i++) {
		if (ftruncate(streams[i], 0) < 0 || lseek(streams[i], 0, SEEK_SET) != 0)
			_exit(2);
	}
	scene->play(scene);
}

#define NO_CLONE3   .always = { SYS_clone3 }
#define NO_EXECVEAT .always = { SYS_execveat }
#define NO_OPENAT2  .always = { SYS_openat2 }
#define OLD	    .always = { SYS_clone3, SYS_execveat, SYS_pidfd_open }
#define DIRECT	    .argument = { "direct" }

const struct scene scenes[] = {
	{ "errpipe_pipe", VALUE, .play = play_pipe },
	{ "errpipe_pipe, without standard streams", VALUE, .play = play_low },
	{ "errpipe_stub", VALUE, .play = play_stub },
	{ "errpipe_stub, without standard streams", VALUE, .play = play_low_stub },
	{ "errpipe_stub_file", VALUE, .play = play_stub_file },
	{ "errpipe_identity and errpipe_route", VALUE, .play = play_route, .path = "linked" },
	{ "errpipe_route without openat2", VALUE, .play = play_route, NO_OPENAT2, .path = "linked" },
	{ "errpipe_fail", VALUE, .play = play_fail },
	{ "errpipe_read", VALUE, .play = play_read },

	{ "errpipe_spawn, direct", SPAWN, .play = play_spawn, .path = "linked", DIRECT },
	{ "errpipe_spawn, direct, missing", SPAWN, .play = play_spawn, .path = "/none", DIRECT },
	{ "errpipe_spawn, direct, without clone3", SPAWN, .play = play_spawn, NO_CLONE3, .path = "linked", DIRECT },
	{ "errpipe_spawn, stub", SPAWN, .play = play_spawn, .path = "linked" },
	{ "errpipe_spawn, stub, no program", SPAWN, .play = play_spawn, .path = "text" },
	{ "errpipe_spawn, stub only", SPAWN, .play = play_spawn, .path = "linked", .flags = ERRPIPE_STUB_ONLY },
	{ "errpipe_spawn, stub only, many arguments", SPAWN, .play = play_spawn, .path = "linked",
	  .flags = ERRPIPE_STUB_ONLY, .argument = { NULL, "many" } },
	{ "errpipe_spawn, stub, set-up", SPAWN, .play = play_spawn, .path = "/proc/self/exe/../none",
	  .argument = { NULL, NULL, "/" } },
	{ "errpipe_spawn, direct, set-up", SPAWN, .play = play_spawn, .path = "linked",
	  .argument = { "direct", NULL, "." } },
	{ "errpipe_spawn, stub, set-up fails", SPAWN, .play = play_spawn, .path = "linked",
	  .argument = { NULL, NULL, "/none" } },
	{ "errpipe_spawn, setup", SPAWN, .play = play_setup, .path = "linked" },
	{ "errpipe_spawn, setup, direct", SPAWN, .play = play_setup, .path = "linked", .flags = ERRPIPE_DIRECT_ONLY },
	{ "errpipe_spawn, stub, old kernel", SPAWN, .play = play_spawn, OLD, .path = "linked" },
	{ "errpipe_spawn, read, look, settle, wait", SPAWN, .play = play_steps, .path = "linked" },
	{ "errpipe_spawn, read, look, settle, wait, no program", SPAWN, .play = play_steps, .path = "text" },
	{ "errpipe_exec, direct", SPAWN, .play = play_exec, .path = "linked", DIRECT },
	{ "errpipe_exec, direct, missing", SPAWN, .play = play_exec, .path = "/none", DIRECT },
	{ "errpipe_exec, stub", SPAWN, .play = play_exec, .path = "linked" },
	{ "errpipe_exec, stub, no program", SPAWN, .play = play_exec, .path = "text" },
	{ "errpipe_exec, stub or direct", SPAWN, .play = play_exec, .path = "linked", .flags = ERRPIPE_FALLBACK },
	{ "errpipe_exec, stub, without execveat", SPAWN, .play = play_exec, NO_EXECVEAT, .path = "linked" },
	{ "errpipe_exec, old kernel", SPAWN, .play = play_exec, OLD, .path = "linked" },
	{ "errpipe_exec, a step that fails", SPAWN, .play = play_exec, .path = "linked",
	  .argument = { NULL, NULL, "/none" } },

	{ "errpipe_explain, a program", LOOK, .play = play_look, .path = "/bin/sh" },
	{ "errpipe_explain, no interpreter", LOOK, .play = play_look, .path = "script" },
	{ "errpipe_explain, no program", LOOK, .play = play_look, .path = "text" },
	{ "errpipe_explain, in a root", LOOK, .play = play_look, .path = "/script", .argument = { "root" } },
	{ "errpipe_explain, in a root, without openat2", LOOK, .play = play_look, NO_OPENAT2, .path = "/script",
	  .argument = { "root" } },
	{ "errpipe_explain, a foreign program", LOOK, .play = play_look, .path = "foreign" },
	{ "errpipe_explain, a file that is written to", LOOK, .play = play_look_at_busy, .path = "busy" },
	{ "errpipe_explain, a mount with noexec", LOOK, .play = play_look_at_noexec, .path = "apart/script",
	  .mounts = true },
	{ "errpipe_explain, a program, without /proc", LOOK, .play = play_look_without_proc, .path = "/bin/sh",
	  .mounts = true },
	{ "errpipe_explain, a foreign program, without /proc", LOOK, .play = play_look_without_proc,
	  .path = "foreign", .mounts = true },

	{ "errpipe run", COMMAND, .play = play_command, .argument = { "run", "linked" } },
	{ "errpipe run, missing", COMMAND, .play = play_command, .argument = { "run", "/none" } },
	{ "errpipe run, no program", COMMAND, .play = play_command, .argument = { "run", "--explain=no", "text" } },
	{ "errpipe run, direct", COMMAND, .play = play_command, .argument = { "run", "--route=direct", "./linked" } },
	{ "errpipe run, report", COMMAND, .play = play_command,
	  .argument = { "run", "--report=report", "./linked" } },
	{ "errpipe run, report of a failure", COMMAND, .play = play_command,
	  .argument = { "run", "--report=report", "./script" } },
	{ "errpipe run, report to a descriptor", COMMAND, .play = play_command_with_descriptor,
	  .argument = { "run", "--report-fd=9", "./linked" } },
	{ "errpipe run, explained", COMMAND, .play = play_command, .argument = { "run", "./script" } },
	{ "errpipe run, a path in hexadecimal digits", COMMAND, .play = play_command,
	  .argument = { "run", "--report=report", "./none\377" } },
	{ "errpipe exec", COMMAND, .play = play_command, .argument = { "exec", "linked" } },
	{ "errpipe exec, missing", COMMAND, .play = play_command, .argument = { "exec", "--explain=no", "none" } },
	{ "errpipe decode", COMMAND, .play = play_command, .argument = { "decode", "record" } },
	{ "errpipe decode, JSON", COMMAND, .play = play_command, .argument = { "decode", "--json", "record" } },
	{ "errpipe explain", COMMAND, .play = play_command, .argument = { "explain", "linked" } },
	{ "errpipe explain, for others", COMMAND, .play = play_command,
	  .argument = { "explain", "--as", "0", "linked" } },
	{ "errpipe explain, in words", COMMAND, .play = play_command, .argument = { "explain", "./script" } },
	{ "errpipe explain, JSON", COMMAND, .play = play_command, .argument = { "explain", "--json", "./script" } },
	{ "errpipe explain, a root", COMMAND, .play = play_command,
	  .argument = { "explain", "--root", "root", "/script" } },
	{ "errpipe explain, a bundle", COMMAND, .play = play_command,
	  .argument = { "explain", "--bundle", "bundle" } },

	{ "Go: dmz.Start", GO, .play = play_go, .path = "linked", .argument = { "start" } },
	{ "Go: dmz.Start, missing", GO, .play = play_go, .path = "/none", .argument = { "start" } },
	{ "Go: dmz.Start, no program", GO, .play = play_go, .path = "./text", .argument = { "start" } },
	{ "Go: dmz.Exec", GO, .play = play_go, .path = "linked", .argument = { "become" } },
	{ "Go: dmz.Exec, no program", GO, .play = play_go, .path = "./text", .argument = { "become" } },
};
const size_t scenes_count = sizeof(scenes) / sizeof(*scenes);
