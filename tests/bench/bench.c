/* SPDX-License-Identifier: MIT */
/*
 * bench --directory DIR --target FILE [OPTION...] ROW...: measure the time to start FILE by each row's method and to wait for it.
 *
 * A row is HELPER/METHOD, where DIR/HELPER is a helper (helper.h) that knows the method. The rows take turns: in each round, each
 * row makes some starts, and their median is its value for the round. A disturbance that lasts longer than a round affects all
 * rows alike, so the ratio of two rows in the same round stays meaningful.
 *
 * Writes a line of JSON for each row. Options:
 *
 * --seconds N, --rounds N	the duration; the default and minimum is two rounds
 * --turn N			the starts in a turn, as long as they fit in 2 ms
 * --parts N			the number of consecutive parts of the run whose medians show the spread
 * --count N, --parallel N	measure COUNT starts in each of PARALLEL threads as one value, divided by both
 * --checker FILE		first start this instead of the target, to see what each row's child inherits
 * --faults			count page faults as well, afterwards
 * --x N			a number to copy to the output
 *
 * These apply to the rows after them:
 *
 * --base ROW, --also ROW	the rows to compare with: the first row of this name, in the same round
 * --memory MIB, --threads N, --descriptors N, --arguments N, --environment BYTES	the helper's size
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"

enum {
	MAX_ROWS = 64,
	MAX_TURN = 256,
	MAX_ROUNDS = 100000,
	SIZES = 5,
	FAULT_STARTS = 100,
	ENOUGH_PARTS = 10,
	BASES = 2
};

#define TURN_NS 2e6

struct helper {
	char name[64];
	const char *sizes[SIZES];
	pid_t pid;
	FILE *in, *out;
};

struct row {
	const char *name, *way;
	struct helper *helper;
	const char *base_names[BASES];
	const struct row *bases[BASES]; /* or NULL */
	double *values;			/* one a round, in ns */
	int error, status;
	char inherited[1024];
	double faults, child_faults; /* per start */
};

struct summary {
	double median, q1, q3, low, high;
};

static struct helper helpers[MAX_ROWS];
static struct row rows[MAX_ROWS];
static size_t helper_count, row_count, round_count;

static const char *directory, *target, *checker, *x, *bases[BASES];
static const char *sizes[SIZES] = { "0", "0", "0", "0", "0" };
static size_t seconds, rounds = 2, turn = 8, parts = 10, count = 1, parallel = 1;
static bool faults;
static char check_file[] = "/tmp/errpipe-bench.XXXXXX";

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "bench: %s: %s\n", which, what);
	exit(1);
}

static void check(bool good, const char *which)
{
	if (!good)
		fail(strerror(errno), which);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* --- helpers ---------------------------------------------------------------------------------------------------------- */

static void become_helper(const struct helper *helper, int in, int out)
{
	static char environment[64];
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", environment, NULL };
	const struct rlimit descriptors = { 20000, 20000 };
	char path[4096];

	snprintf(environment, sizeof(environment), "BENCH_CHECK=%s", check_file);
	snprintf(path, sizeof(path), "./%s", helper->name);
	check(chdir(directory) == 0, directory);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execle(path, path, helper->sizes[0], helper->sizes[1], helper->sizes[2], helper->sizes[3], helper->sizes[4],
	       NULL, envp);
	_exit(127);
}

static void start_helper(struct helper *helper)
{
	int in[2], out[2];
	char line[64];

	check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
	helper->pid = fork();
	check(helper->pid >= 0, "fork");
	if (helper->pid == 0)
		become_helper(helper, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	helper->in = fdopen(in[1], "w");
	helper->out = fdopen(out[0], "r");
	if (!fgets(line, sizeof(line), helper->out) || strcmp(line, "ready\n") != 0)
		fail("the helper does not start", helper->name);
}

/* Rows with the same name and sizes share a helper. */
static struct helper *helper_of(const char *row)
{
	struct helper *helper = &helpers[helper_count];

	snprintf(helper->name, sizeof(helper->name), "%.*s", (int)strcspn(row, "/"), row);
	memcpy(helper->sizes, sizes, sizeof(sizes));
	for (struct helper *other = helpers; other < helper; other++) {
		if (strcmp(other->name, helper->name) == 0 && memcmp(other->sizes, sizes, sizeof(sizes)) == 0)
			return other;
	}
	helper_count++;
	return helper;
}

/* Returns the time in ns, or -1 if the helper does not know the row. */
static double start(struct row *row, const char *path, size_t times, size_t at_once)
{
	char line[128];
	double ns;

	fprintf(row->helper->in, "%s %zu %zu %s\n", row->way, times, at_once, path);
	fflush(row->helper->in);
	if (!fgets(line, sizeof(line), row->helper->out))
		fail("the helper has ended", row->name);
	if (strcmp(line, HELPER_ABSENT "\n") == 0)
		return -1;
	if (sscanf(line, "%lf %d %d", &ns, &row->error, &row->status) != 3)
		fail(line, row->name);
	return ns;
}

/* --- measuring ---------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

/* The values must be sorted. */
static double quantile(const double *values, size_t n, double p)
{
	double at = p * (n - 1);
	size_t below = at;

	if (below + 1 >= n)
		return values[n - 1];
	return values[below] + (at - below) * (values[below + 1] - values[below]);
}

static double sorted_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return quantile(values, n, 0.5);
}

static double take_turn(struct row *row)
{
	double values[MAX_TURN], sum = 0;
	size_t n = 0;
	int error = row->error, status = row->status;

	do {
		values[n] = start(row, target, count, parallel) / count / parallel;
		sum += values[n++];
	} while (n < turn && sum < TURN_NS);
	if (row->error != error || row->status != status)
		fail("the outcome has changed", row->name);
	return sorted_median(values, n);
}

/* Change the order each time, so that no row always follows the same other row (Fisher and Yates). */
static void shuffle(struct row **order)
{
	for (size_t i = row_count - 1; i > 0; i--) {
		size_t j = rand() % (i + 1);
		struct row *row = order[i];

		order[i] = order[j];
		order[j] = row;
	}
}

static void measure(void)
{
	struct row *order[MAX_ROWS];
	double end = now() + seconds * 1e9;

	for (size_t i = 0; i < row_count; i++)
		order[i] = &rows[i];
	for (round_count = 0; round_count < MAX_ROUNDS && (round_count < rounds || now() < end); round_count++) {
		shuffle(order);
		for (size_t i = 0; i < row_count; i++)
			order[i]->values[round_count] = take_turn(order[i]);
	}
}

/* Start the checker, and store the state that it inherits. */
static void look(struct row *row)
{
	FILE *file;

	if (start(row, checker, 1, 1) < 0)
		fail("absent", row->name);
	file = fopen(check_file, "r");
	if (!file || !fgets(row->inherited, sizeof(row->inherited), file))
		strcpy(row->inherited, "unknown");
	if (file)
		fclose(file);
	check(truncate(check_file, 0) == 0, check_file);
}

static void read_faults(const struct helper *helper, double *own, double *childrens)
{
	char path[64], stat[1024], *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", helper->pid);
	file = fopen(path, "r");
	check(file && fgets(stat, sizeof(stat), file), path);
	fclose(file);
	end = strrchr(stat, ')');
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %lf %lf", own, childrens) != 2)
		fail("unexpected format, see proc(5)", path);
}

static void count_faults(struct row *row)
{
	double own[2], childrens[2];

	read_faults(row->helper, &own[0], &childrens[0]);
	for (int i = 0; i < FAULT_STARTS; i++)
		start(row, target, 1, 1);
	read_faults(row->helper, &own[1], &childrens[1]);
	row->faults = (own[1] - own[0]) / FAULT_STARTS;
	row->child_faults = (childrens[1] - childrens[0]) / FAULT_STARTS;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

static double part_median(const double *values, size_t part, size_t of)
{
	size_t from = part * round_count / of, to = (part + 1) * round_count / of;
	double copy[to - from];

	memcpy(copy, values + from, sizeof(copy));
	return sorted_median(copy, to - from);
}

static size_t parts_of_run(void)
{
	return parts < round_count ? parts : round_count;
}

/* The range of the medians of the parts. With enough parts, leave out the lowest and the highest. */
static void spread(const double *values, struct summary *summary)
{
	size_t n = parts_of_run(), extreme = n >= ENOUGH_PARTS;
	double medians[n];

	for (size_t i = 0; i < n; i++)
		medians[i] = part_median(values, i, n);
	qsort(medians, n, sizeof(*medians), compare);
	summary->low = medians[extreme];
	summary->high = medians[n - 1 - extreme];
}

static struct summary summarize(const double *values)
{
	double *copy = malloc(round_count * sizeof(*copy));
	struct summary summary;

	check(copy, "malloc");
	memcpy(copy, values, round_count * sizeof(*copy));
	summary.median = sorted_median(copy, round_count);
	summary.q1 = quantile(copy, round_count, 0.25);
	summary.q3 = quantile(copy, round_count, 0.75);
	free(copy);
	spread(values, &summary);
	return summary;
}

static void write_summary(const char *name, const struct summary *s, double unit)
{
	printf(", \"%s\": { \"median\": %.6g, \"q1\": %.6g, \"q3\": %.6g, \"low\": %.6g, \"high\": %.6g }", name,
	       s->median / unit, s->q1 / unit, s->q3 / unit, s->low / unit, s->high / unit);
}

static void write_ratio(const char *name, const struct row *row, const struct row *base)
{
	double *ratios = malloc(round_count * sizeof(*ratios));
	struct summary summary;

	check(ratios, "malloc");
	for (size_t i = 0; i < round_count; i++)
		ratios[i] = row->values[i] / base->values[i];
	summary = summarize(ratios);
	write_summary(name, &summary, 1);
	printf(", \"%s_to\": \"%s\"", name, base->name);
	free(ratios);
}

static void write_row(const struct row *row)
{
	struct summary us = summarize(row->values);

	printf("{ \"row\": \"%s\"", row->name);
	if (x)
		printf(", \"x\": %s", x);
	printf(", \"memory\": %s, \"rounds\": %zu, \"errno\": %d, \"status\": %d", row->helper->sizes[0], round_count,
	       row->error, row->status);
	write_summary("us", &us, 1e3);
	if (row->bases[0])
		write_ratio("ratio", row, row->bases[0]);
	if (row->bases[1])
		write_ratio("also", row, row->bases[1]);
	printf(", \"parts\": [");
	for (size_t i = 0; i < parts_of_run(); i++)
		printf("%s%.6g", i ? ", " : "", part_median(row->values, i, parts_of_run()) / 1e3);
	printf("]");
	if (checker)
		printf(", \"inherited\": \"%s\", \"agrees\": %s", row->inherited,
		       strcmp(row->inherited, rows[0].inherited) == 0 ? "true" : "false");
	if (faults)
		printf(", \"faults\": { \"parent\": %.4g, \"child\": %.4g }", row->faults, row->child_faults);
	printf(" }\n");
}

/* --- the command line --------------------------------------------------------------------------------------------------- */

static const struct row *row_named(const char *name)
{
	for (size_t i = 0; i < row_count; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static void add_row(const char *name)
{
	struct row *row = &rows[row_count++];
	const char *slash = strchr(name, '/');

	if (!slash || row_count == MAX_ROWS)
		fail("too many rows, or not HELPER/METHOD", name);
	row->name = name;
	row->way = slash + 1;
	row->helper = helper_of(name);
	row->values = malloc(MAX_ROUNDS * sizeof(*row->values));
	check(row->values, "malloc");
	memcpy(row->base_names, bases, sizeof(bases));
}

static size_t number(const char *s, size_t max)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*end || n == 0 || n > max)
		fail("not a number in range", s);
	return n;
}

/* Options that set a number or a text. */
static const struct {
	const char *name;
	size_t *number;
	size_t max;
	const char **text;
} options[] = {
	{ "--rounds", &rounds, MAX_ROUNDS, NULL }, { "--turn", &turn, MAX_TURN, NULL },
	{ "--parts", &parts, 1000, NULL },	   { "--count", &count, 1000000, NULL },
	{ "--parallel", &parallel, 1000, NULL },   { "--seconds", &seconds, 3600, NULL },
	{ "--directory", NULL, 0, &directory },	   { "--target", NULL, 0, &target },
	{ "--checker", NULL, 0, &checker },	   { "--x", NULL, 0, &x },
	{ "--base", NULL, 0, &bases[0] },	   { "--also", NULL, 0, &bases[1] },
	{ "--memory", NULL, 0, &sizes[0] },	   { "--threads", NULL, 0, &sizes[1] },
	{ "--descriptors", NULL, 0, &sizes[2] },   { "--arguments", NULL, 0, &sizes[3] },
	{ "--environment", NULL, 0, &sizes[4] },
};

static void set_option(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		if (!value)
			fail("takes a value", name);
		if (options[i].number)
			*options[i].number = number(value, options[i].max);
		else
			*options[i].text = value;
		return;
	}
	fail("unknown option", name);
}

static void find_bases(struct row *row)
{
	for (size_t i = 0; i < BASES; i++) {
		if (!row->base_names[i])
			continue;
		row->bases[i] = row_named(row->base_names[i]);
		if (!row->bases[i])
			fail("no row has this name", row->base_names[i]);
	}
}

static void parse(char **argv)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, "--faults") == 0) {
			faults = true;
		} else if (strncmp(*argv, "--", 2) == 0) {
			set_option(argv[0], argv[1]);
			argv++;
		} else {
			add_row(*argv);
		}
	}
	if (!directory || !target || row_count == 0)
		fail("needs --directory, --target and rows", "usage");
	for (size_t i = 0; i < row_count; i++)
		find_bases(&rows[i]);
}

static void prepare(void)
{
	int fd = mkstemp(check_file);

	check(fd >= 0, check_file);
	close(fd);
	for (size_t i = 0; i < helper_count; i++)
		start_helper(&helpers[i]);
	for (size_t i = 0; i < row_count; i++) {
		if (checker)
			look(&rows[i]);
		/* Do not count the first start: caches are cold, and some work happens only once. */
		if (start(&rows[i], target, 1, 1) < 0)
			fail("unknown row, or not installed", rows[i].name);
	}
}

/* A helper ends at the end of its input. */
static void finish(void)
{
	for (size_t i = 0; i < helper_count; i++) {
		fclose(helpers[i].in);
		waitpid(helpers[i].pid, NULL, 0);
	}
	unlink(check_file);
}

int main(int argc, char **argv)
{
	(void)argc;
	signal(SIGPIPE, SIG_DFL);
	parse(argv + 1);
	prepare();
	measure();
	for (size_t i = 0; i < row_count && faults; i++)
		count_faults(&rows[i]);
	for (size_t i = 0; i < row_count; i++)
		write_row(&rows[i]);
	finish();
	return 0;
}
