/* SPDX-License-Identifier: MIT */
/*
 * compare_loaders [--all] [--list] FOREIGN SCRATCH ROOT[:ROOT...]: for each program that standard input names, compare
 * errpipe_explain() with what the kernel and the loader do in that root. Several roots are the layers of one. FOREIGN is
 * the directory of the libraries foreign-*.so.
 *
 * Each program is tried as it is, then with one of its libraries removed, and then with two other changes of that library,
 * which differ from program to program. --all: each change of up to four of its libraries. --list: the programs run in an
 * emulator, where only the loader's own list of the libraries can be compared.
 *
 * Everything happens in an overlay of the root, mounted on the directory SCRATCH. So start this in a mount namespace of
 * its own, as root. The process that execs is nobody, but with --list it stays root.
 *
 * Writes TAP. A comparison that ends "# KNOWN" is a program whose loader stops for a reason that errpipe_explain() does not
 * look for. The last lines are comments with the counts and the time that an explanation took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "errpipe_explain.h"
#include "tests/loaders/loaders.h"

static struct {
	const char *scratch, *roots;
	bool all;
	enum method method;
} options;

static struct {
	int comparisons, failed, known;
	int starts, stops; /* by the loader */
} counts;

static void die(const char *what)
{
	fprintf(stderr, "compare_loaders: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the overlay ---------------------------------------------------------------------------------------------- */

struct overlay {
	char directory[PATH_MAX - 64], upper[PATH_MAX], merged[PATH_MAX];
};

static void begin_overlay(struct overlay *overlay, const char *name)
{
	char work[PATH_MAX];

	snprintf(overlay->directory, sizeof(overlay->directory), "%s/%s", options.scratch, name);
	if (mkdir(overlay->directory, 0755) < 0 && errno != EEXIST)
		die(overlay->directory);
	if (mount("upper", overlay->directory, "tmpfs", 0, "mode=755") < 0)
		die("mount tmpfs");
	snprintf(overlay->upper, sizeof(overlay->upper), "%s/upper", overlay->directory);
	snprintf(overlay->merged, sizeof(overlay->merged), "%s/merged", overlay->directory);
	snprintf(work, sizeof(work), "%s/work", overlay->directory);
	if (mkdir(overlay->upper, 0755) < 0 || mkdir(overlay->merged, 0755) < 0 || mkdir(work, 0755) < 0)
		die("mkdir");
}

static void mount_overlay(const struct overlay *overlay)
{
	char layers[4 * PATH_MAX], proc[PATH_MAX + 8];

	snprintf(layers, sizeof(layers), "lowerdir=%s,upperdir=%s,workdir=%s/work", options.roots, overlay->upper,
		 overlay->directory);
	if (mount("root", overlay->merged, "overlay", 0, layers) < 0)
		die("mount overlay");
	/* Loaders find $ORIGIN by /proc/self/exe. */
	snprintf(proc, sizeof(proc), "%s/proc", overlay->merged);
	if ((mkdir(proc, 0555) < 0 && errno != EEXIST) || mount("/proc", proc, NULL, MS_BIND, NULL) < 0)
		die("mount /proc");
}

static void end_overlay(const struct overlay *overlay)
{
	umount2(overlay->merged, MNT_DETACH);
	umount2(overlay->directory, MNT_DETACH);
}

/* The path in the root, with all links resolved, of a path in the root. */
static bool resolve(const struct overlay *overlay, const char *path, char resolved[PATH_MAX])
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int root = open(overlay->merged, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	char link[64], full[PATH_MAX];
	size_t length = strlen(overlay->merged);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, full, sizeof(full) - 1);
	close(fd);
	close(root);
	if (n < (ssize_t)length)
		return false;
	full[n] = '\0';
	snprintf(resolved, PATH_MAX, "%s", full + length);
	return true;
}

/* --- the explanation ------------------------------------------------------------------------------------------ */

static struct errpipe_explanation explanation;

/* Ask as root about nobody, as a runtime does. Returns the processor time in microseconds: other jobs do not change that. */
static double explain(const struct overlay *overlay, const char *program, char *const envp[])
{
	char *const argv[] = { (char *)program, NULL };
	struct errpipe_identity identity;
	struct errpipe_who who = { .uid = NOBODY, .gid = NOBODY };
	struct errpipe_question question = { .path = program, .cwd = "/", .argv = argv, .envp = envp };
	struct timespec begin, end;
	int error;

	errpipe_identity(&identity);
	who.bounding = identity.bounding;
	/* A user namespace has no nobody. */
	if (options.method == TO_FIRST_INSTRUCTION)
		question.who = &who;
	question.root = open(overlay->merged, O_PATH | O_DIRECTORY | O_CLOEXEC);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	error = errpipe_explain(&explanation, &question);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	close(question.root);
	if (error < 0) {
		errno = -error;
		die("errpipe_explain");
	}
	return (end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3;
}

/* --- the comparison -------------------------------------------------------------------------------------------- */

/* Returns NULL if both have the same libraries. */
static const char *different_libraries(const struct overlay *overlay, const struct outcome *outcome,
				       const char *program)
{
	static char why[PATH_MAX + 64];
	static char explained[ERRPIPE_LIBRARIES_MAX][PATH_MAX];
	const char *loader = explanation.link[explanation.links - 1].resolved;
	bool is_loaded[FILES_MAX] = { false };

	if (options.method != TO_FIRST_INSTRUCTION || explanation.more_libraries)
		return NULL;
	for (int i = 0; i < explanation.libraries; i++) {
		const char *path = explanation.library[i].path;
		bool found = false;

		/* A library that the loader can do without, as one of LD_PRELOAD. */
		if (!path || explanation.library[i].fault != ERRPIPE_CAUSE_NONE)
			continue;
		explained[i][0] = '\0';
		resolve(overlay, path, explained[i]);
		for (int j = 0; j < outcome->files; j++)
			if (strcmp(outcome->file[j], explained[i]) == 0)
				found = is_loaded[j] = true;
		snprintf(why, sizeof(why), "its loader does not take %s", path);
		if (!found)
			return why;
	}
	for (int j = 0; j < outcome->files; j++) {
		snprintf(why, sizeof(why), "its loader takes %s, too", outcome->file[j]);
		if (!is_loaded[j] && strcmp(outcome->file[j], program) != 0 &&
		    !(loader && strcmp(outcome->file[j], loader) == 0))
			return why;
	}
	return NULL;
}

/* Is a word of the loader's, the name of a library or a version, in the finding? */
static bool names_the_same(const char *words, const char *finding)
{
	static const char *const before[] = { "error while loading shared libraries: ",
					      "version `",
					      "Error loading shared library ",
					      "cannot be preloaded (",
					      "symbol lookup error: ",
					      "Error relocating ",
					      NULL };
	char name[256];
	int end = 0;

	/* Here the name comes first, in a line of its own. */
	for (const char *line = words; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (sscanf(line, "%255[^:\n]: CPU ISA%n", name, &end) == 1 && end)
			return strstr(finding, strrchr(name, '/') + 1);
	for (int i = 0; before[i]; i++) {
		const char *place = strstr(words, before[i]);

		if (!place || sscanf(place + strlen(before[i]), "%255[^:' ]", name) != 1)
			continue;
		if (strstr(finding, strrchr(name, '/') ? strrchr(name, '/') + 1 : name))
			return true;
	}
	return false;
}

/* Both say that it stops. Returns NULL if they agree on the reason. */
static const char *different_reason(const struct outcome *outcome, const char *finding)
{
	static char why[128];

	if (outcome->error || explanation.certainty != ERRPIPE_CERTAIN || options.method != TO_FIRST_INSTRUCTION)
		return NULL;
	if (explanation.status && WIFEXITED(outcome->status) && WEXITSTATUS(outcome->status) != explanation.status) {
		snprintf(why, sizeof(why), "its loader exits with %d, not %d", WEXITSTATUS(outcome->status),
			 explanation.status);
		return why;
	}
	if (WIFEXITED(outcome->status) && outcome->words[0] && !names_the_same(outcome->words, finding))
		return "its loader stops for another reason";
	return NULL;
}

static bool is_known(const struct outcome *outcome)
{
	static const char *const known[] = { "undefined symbol", "symbol not found", "unsupported relocation",
					     "relocation error",
					     /* a libc without its versions */
					     "Inconsistency detected by ld.so", NULL };

	for (int i = 0; known[i]; i++)
		if (strstr(outcome->words, known[i]))
			return true;
	return false;
}

/* Returns NULL if both agree. */
static const char *difference(const struct overlay *overlay, const struct outcome *outcome, const char *program,
			      const char *finding)
{
	static char why[64];

	/* The loader lists the libraries before it looks for symbols. */
	if (outcome->started && explanation.cause == ERRPIPE_CAUSE_SYMBOL_MISSING && options.method == LIST_LIBRARIES)
		return NULL;
	if (outcome->started && !explanation.starts)
		return "it starts";
	if (outcome->started)
		return different_libraries(overlay, outcome, program);
	if (outcome->error && (explanation.works || explanation.error != outcome->error)) {
		snprintf(why, sizeof(why), "the exec fails with %s", strerrorname_np(outcome->error));
		return why;
	}
	if (explanation.starts) {
		snprintf(why, sizeof(why), "it stops, with %s %d", WIFSIGNALED(outcome->status) ? "signal" : "status",
			 WIFSIGNALED(outcome->status) ? WTERMSIG(outcome->status) : WEXITSTATUS(outcome->status));
		return why;
	}
	return different_reason(outcome, finding);
}

static void print_words(const char *who, const char *words)
{
	printf("#   %s: ", who);
	for (; *words; words++) {
		putchar(*words);
		if (*words == '\n')
			printf("#     ");
	}
	putchar('\n');
}

static void compare(const struct overlay *overlay, const struct outcome *outcome, const char *program,
		    const char *what)
{
	char finding[ERRPIPE_MESSAGE_MAX], explained[ERRPIPE_MESSAGE_MAX + 128];
	const char *why;
	bool known;

	errpipe_finding(finding, sizeof(finding), &explanation);
	why = difference(overlay, outcome, program, finding);
	known = why && explanation.starts && !outcome->started && is_known(outcome);
	counts.comparisons++;
	counts.starts += outcome->started;
	counts.stops += !outcome->started;
	counts.known += known;
	counts.failed += why && !known;
	printf("%s %d - %s, %s%s\n", why && !known ? "not ok" : "ok", counts.comparisons, program, what,
	       known ? " # KNOWN" : "");
	if (!why)
		return;
	snprintf(explained, sizeof(explained), "%s, %s, %s, status %d: %s", explanation.starts ? "starts" : "stops",
		 errpipe_cause_name(explanation.cause), errpipe_certainty_name(explanation.certainty),
		 explanation.status, finding);
	print_words("explain", explained);
	print_words("in fact", why);
	print_words("loader", outcome->words);
}

/* --- the programs ------------------------------------------------------------------------------------------------ */

static void begin_environment(char *envp[ENVIRONMENT_MAX])
{
	memset(envp, 0, ENVIRONMENT_MAX * sizeof(*envp));
	envp[0] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Returns false if the change does not apply. */
static bool compare_changed(const char *program, const struct change *change, const struct library *library,
			    const struct overlay *base)
{
	char *envp[ENVIRONMENT_MAX], what[PATH_MAX + 128];
	struct overlay overlay;
	struct outcome outcome;
	bool applies;

	begin_environment(envp);
	begin_overlay(&overlay, "changed");
	applies = make_change(change, library, base->merged, overlay.upper, envp) == 0;
	if (applies) {
		mount_overlay(&overlay);
		explain(&overlay, program, envp);
		load(&outcome, overlay.merged, program, envp, options.method);
		snprintf(what, sizeof(what), "%s %s", library ? library->path : "", change_name(change));
		compare(&overlay, &outcome, program, what);
		forget(&outcome);
	}
	end_overlay(&overlay);
	return applies;
}

/* The same for each run, and different for each program. */
static unsigned hash(const char *text)
{
	unsigned value = 2166136261;

	while (*text)
		value = (value ^ (unsigned char)*text++) * 16777619;
	return value >> 8;
}

enum { AS_IT_IS, REMOVED, OTHERS };

static int count_changes(void)
{
	int n = 0;

	while (change_number(n))
		n++;
	return n;
}

static void compare_some(const char *program, const struct library *library, const struct overlay *base)
{
	int n = count_changes() - OTHERS, number = hash(program) % n;

	compare_changed(program, change_number(REMOVED), library, base);
	for (int done = 0, tries = 0; done < 2 && tries < n; tries++, number = (number + 1) % n)
		done += compare_changed(program, change_number(OTHERS + number), library, base);
}

static void compare_all(const char *program, const struct library *library, const struct overlay *base)
{
	const struct change *change;

	for (int i = REMOVED; (change = change_number(i)); i++)
		compare_changed(program, change, library, base);
}

static bool is_library(const struct outcome *outcome, int file, const char *program)
{
	const struct errpipe_link *last = explanation.link + explanation.links - 1;

	return strcmp(outcome->file[file], program) != 0 && outcome->file[file][0] == '/' &&
	       !(last->resolved && strcmp(outcome->file[file], last->resolved) == 0);
}

/* The libraries that the loader itself took. An emulator hides them, so there they are those of the explanation. */
static void collect_libraries(const struct overlay *base, struct outcome *outcome)
{
	char resolved[PATH_MAX];

	if (options.method != LIST_LIBRARIES)
		return;
	for (int i = 0; i < explanation.libraries; i++)
		if (explanation.library[i].path && resolve(base, explanation.library[i].path, resolved))
			outcome->file[outcome->files++] = strdup(resolved);
}

/* With --all: as many libraries of one program are changed. */
enum { CHANGED_MAX = 4 };

static void compare_libraries(const char *program, struct outcome *outcome, const struct overlay *base)
{
	int begin, n = 0;

	collect_libraries(base, outcome);
	for (int i = 0; i < outcome->files; i++)
		if (is_library(outcome, i, program))
			outcome->file[n++] = outcome->file[i];
		else
			free(outcome->file[i]);
	outcome->files = n;
	begin = n ? hash(program) % n : 0;
	for (int i = 0, changed = 0; i < n && changed < (options.all ? CHANGED_MAX : 1); i++) {
		struct library library;

		if (read_library(&library, base->merged, outcome->file[(begin + i) % n]) == 0) {
			if (options.all)
				compare_all(program, &library, base);
			else
				compare_some(program, &library, base);
			changed++;
		}
		forget_library(&library);
	}
}

/* --- the time ------------------------------------------------------------------------------------------------- */

enum { TIMES_MAX = 4096, REPEAT = 3 };

static struct time {
	double microseconds;
	int libraries;
	char program[128];
} times[TIMES_MAX];
static int times_count;

static void measure(const struct overlay *base, const char *program, char *const envp[])
{
	struct time time = { .microseconds = 1e9 };

	for (int i = 0; i < REPEAT; i++) {
		double microseconds = explain(base, program, envp);

		if (microseconds < time.microseconds)
			time.microseconds = microseconds;
	}
	time.libraries = explanation.libraries;
	snprintf(time.program, sizeof(time.program), "%.127s", program);
	if (times_count < TIMES_MAX)
		times[times_count++] = time;
}

static int by_time(const void *a, const void *b)
{
	const struct time *one = a, *other = b;

	return (one->microseconds > other->microseconds) - (one->microseconds < other->microseconds);
}

/* from, to: how many libraries the programs have. */
static void print_times(int from, int to)
{
	struct time *chosen[TIMES_MAX];
	int n = 0;

	for (int i = 0; i < times_count; i++)
		if (times[i].libraries >= from && times[i].libraries <= to)
			chosen[n++] = times + i;
	if (n)
		printf("# processor time with %d to %d libraries: median %.0f us, at most %.0f us (%s, %d "
		       "libraries), %d "
		       "programs\n",
		       from, to, chosen[n / 2]->microseconds, chosen[n - 1]->microseconds, chosen[n - 1]->program,
		       chosen[n - 1]->libraries, n);
}

static void print_all_times(void)
{
	qsort(times, times_count, sizeof(*times), by_time);
	print_times(1, 9);
	print_times(10, 24);
	print_times(25, 35);
	print_times(36, ERRPIPE_LIBRARIES_MAX);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static bool is_elf(const struct overlay *base, const char *program)
{
	char full[2 * PATH_MAX], magic[4];
	struct stat st;
	bool ret;
	int fd;

	snprintf(full, sizeof(full), "%s%s", base->merged, program);
	fd = open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ret = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, magic, 4) == 4 &&
	      memcmp(magic, "\177ELF", 4) == 0;
	close(fd);
	return ret;
}

/* Has another name led to the same program? */
static bool is_new(const char *program)
{
	static char *seen[16384];
	static int n;

	for (int i = 0; i < n; i++)
		if (strcmp(seen[i], program) == 0)
			return false;
	if (n < (int)(sizeof(seen) / sizeof(*seen)))
		seen[n++] = strdup(program);
	return true;
}

static void compare_program(const struct overlay *base, const char *program)
{
	char *envp[ENVIRONMENT_MAX];
	struct outcome outcome;

	begin_environment(envp);
	measure(base, program, envp);
	load(&outcome, base->merged, program, envp, options.method);
	compare(base, &outcome, program, change_name(change_number(AS_IT_IS)));
	if (outcome.started)
		compare_libraries(program, &outcome, base);
	forget(&outcome);
}

static void parse(int argc, char *argv[])
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--all") == 0)
			options.all = true;
		else if (strcmp(argv[i], "--list") == 0)
			options.method = LIST_LIBRARIES;
		else
			break;
	}
	if (argc - i != 3) {
		fprintf(stderr, "usage: compare_loaders [--all] [--list] FOREIGN SCRATCH ROOT[:ROOT...] <PROGRAMS\n");
		exit(2);
	}
	foreign_libraries = argv[i];
	options.scratch = argv[i + 1];
	options.roots = argv[i + 2];
}

int main(int argc, char *argv[])
{
	char line[PATH_MAX], program[PATH_MAX];
	struct overlay base;

	parse(argc, argv);
	begin_overlay(&base, "base");
	mount_overlay(&base);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (resolve(&base, line, program) && is_elf(&base, program) && is_new(program))
			compare_program(&base, program);
	}
	end_overlay(&base);
	printf("1..%d\n# the loader started %d and stopped %d; %d stops are of a known kind\n", counts.comparisons,
	       counts.starts, counts.stops, counts.known);
	print_all_times();
	return counts.failed != 0;
}
