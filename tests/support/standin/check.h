/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for the part of Check that the tests use. Debian has no libcheck for musl. Its libcheck for another
 * machine cannot be installed beside the native one.
 *
 * It follows Check: each test runs in its own process, but CK_FORK=no runs all in one. A test that exceeds its time
 * is killed and fails. CK_TAP_LOG_FILE_NAME names the file for the results.
 *
 * Unlike Check, it can leave tests out. CHECK_EXCEPT names a file. The first word of a line is SUITE:TEST, or
 * SUITE:TEST:N for one iteration of a loop test; the rest of the line is ignored. The named test must exist.
 */
#ifndef CHECK_H
#define CHECK_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum print_output { CK_ENV };

struct check_test {
	void (*function)(int i);
	const char *title;
};

typedef struct TCase {
	struct TCase *next;
	unsigned timeout;
	void (*set_up)(void), (*tear_down)(void);
	int tests;
	struct {
		const struct check_test *what;
		int start, end;
	} test[256];
} TCase;

typedef struct Suite {
	const char *name;
	TCase *first, *last;
} Suite;

struct check_exception {
	char name[96];
	int used;
};

typedef struct SRunner {
	Suite *suite;
	int failed, run, exceptions;
	struct check_exception exception[64];
	FILE *tap;
} SRunner;

#define START_TEST(test)                                                                                             \
	static void test##_body(int _i);                                                                             \
	static const struct check_test test[1] = { { test##_body, #test } };                                         \
	static void test##_body(int _i __attribute__((unused)))
#define END_TEST

static inline void check_fail(void)
{
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

#define check_failf(...)                                                                                             \
	do {                                                                                                         \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                      \
		fprintf(stderr, __VA_ARGS__);                                                                        \
		check_fail();                                                                                        \
	} while (0)

#define ck_abort_msg(...) check_failf(__VA_ARGS__)
#define ck_assert(expr)                                                                                              \
	do {                                                                                                         \
		if (!(expr))                                                                                         \
			check_failf("assertion '%s' failed", #expr);                                                 \
	} while (0)
#define ck_assert_msg(expr, ...)                                                                                     \
	do {                                                                                                         \
		if (!(expr))                                                                                         \
			check_failf(__VA_ARGS__);                                                                    \
	} while (0)

#define check_compare(type, format, a, op, b)                                                                        \
	do {                                                                                                         \
		type check_a = (a);                                                                                  \
		type check_b = (b);                                                                                  \
		if (!(check_a op check_b))                                                                           \
			check_failf("'%s %s %s' failed: " format ", " format, #a, #op, #b, check_a, check_b);        \
	} while (0)

#define ck_assert_int_eq(a, b)	 check_compare(intmax_t, "%jd", a, ==, b)
#define ck_assert_int_ne(a, b)	 check_compare(intmax_t, "%jd", a, !=, b)
#define ck_assert_int_lt(a, b)	 check_compare(intmax_t, "%jd", a, <, b)
#define ck_assert_int_le(a, b)	 check_compare(intmax_t, "%jd", a, <=, b)
#define ck_assert_int_gt(a, b)	 check_compare(intmax_t, "%jd", a, >, b)
#define ck_assert_int_ge(a, b)	 check_compare(intmax_t, "%jd", a, >=, b)
#define ck_assert_uint_eq(a, b)	 check_compare(uintmax_t, "%ju", a, ==, b)
#define ck_assert_uint_lt(a, b)	 check_compare(uintmax_t, "%ju", a, <, b)
#define ck_assert_uint_le(a, b)	 check_compare(uintmax_t, "%ju", a, <=, b)
#define ck_assert_ptr_eq(a, b)	 check_compare(const void *, "%p", a, ==, b)
#define ck_assert_ptr_null(a)	 check_compare(const void *, "%p", a, ==, NULL)
#define ck_assert_ptr_nonnull(a) check_compare(const void *, "%p", a, !=, NULL)

#define ck_assert_str_eq(a, b)                                                                                       \
	do {                                                                                                         \
		const char *check_a = (a), *check_b = (b);                                                           \
		if (!check_a || !check_b || strcmp(check_a, check_b) != 0)                                           \
			check_failf("'%s == %s' failed: \"%s\", \"%s\"", #a, #b, check_a ? check_a : "NULL",         \
				    check_b ? check_b : "NULL");                                                     \
	} while (0)

#define ck_assert_mem_eq(a, b, size)                                                                                 \
	do {                                                                                                         \
		if (memcmp(a, b, size) != 0)                                                                         \
			check_failf("memory '%s == %s' differs", #a, #b);                                            \
	} while (0)

static inline void *check_new(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

static inline Suite *suite_create(const char *name)
{
	Suite *suite = check_new(sizeof(*suite));

	suite->name = name;
	return suite;
}

static inline TCase *tcase_create(const char *name)
{
	TCase *tcase = check_new(sizeof(*tcase));

	(void)name;
	tcase->timeout = 4;
	return tcase;
}

static inline void tcase_set_timeout(TCase *tcase, double seconds)
{
	tcase->timeout = seconds < 1 ? 1 : seconds;
}

/* The process of each test calls both. */
static inline void tcase_add_checked_fixture(TCase *tcase, void (*set_up)(void), void (*tear_down)(void))
{
	tcase->set_up = set_up;
	tcase->tear_down = tear_down;
}

static inline void suite_add_tcase(Suite *suite, TCase *tcase)
{
	if (suite->last)
		suite->last->next = tcase;
	else
		suite->first = tcase;
	suite->last = tcase;
}

#define tcase_add_loop_test(tcase, f, s, e)                                                                          \
	do {                                                                                                         \
		TCase *check_tcase = (tcase);                                                                        \
		int check_n = check_tcase->tests++;                                                                  \
		if ((size_t)check_n >= sizeof(check_tcase->test) / sizeof(*check_tcase->test))                       \
			abort();                                                                                     \
		check_tcase->test[check_n].what = (f);                                                               \
		check_tcase->test[check_n].start = (s);                                                              \
		check_tcase->test[check_n].end = (e);                                                                \
	} while (0)
#define tcase_add_test(tcase, f) tcase_add_loop_test(tcase, f, 0, 1)

/* Read the lines about this suite only. */
static inline void check_read_exceptions(SRunner *runner, const char *path)
{
	size_t length = strlen(runner->suite->name);
	FILE *file = fopen(path, "re");
	char line[1024];

	if (!file)
		abort();
	while (fgets(line, sizeof(line), file)) {
		struct check_exception *next = &runner->exception[runner->exceptions];

		if (strncmp(line, runner->suite->name, length) != 0 || line[length] != ':')
			continue;
		if ((size_t)runner->exceptions >= sizeof(runner->exception) / sizeof(*next))
			abort();
		if (sscanf(line, "%95s", next->name) == 1)
			runner->exceptions++;
	}
	fclose(file);
}

static inline int check_is_left_out(SRunner *runner, const char *title, int i)
{
	char test[96], one[108];
	int found = 0;

	snprintf(test, sizeof(test), "%s:%s", runner->suite->name, title);
	snprintf(one, sizeof(one), "%s:%d", test, i);
	for (int n = 0; n < runner->exceptions; n++) {
		struct check_exception *exception = &runner->exception[n];

		if (strcmp(exception->name, test) == 0 || strcmp(exception->name, one) == 0)
			found = exception->used = 1;
	}
	if (found)
		fprintf(runner->tap, "# left out: %s\n", one);
	return found;
}

static inline SRunner *srunner_create(Suite *suite)
{
	const char *path = getenv("CK_TAP_LOG_FILE_NAME"), *except = getenv("CHECK_EXCEPT");
	SRunner *runner = check_new(sizeof(*runner));

	runner->suite = suite;
	runner->tap = path ? fopen(path, "we") : stdout;
	if (!runner->tap)
		abort();
	if (except)
		check_read_exceptions(runner, except);
	return runner;
}

static inline void check_call(const TCase *tcase, void (*function)(int), int i)
{
	if (tcase->set_up)
		tcase->set_up();
	function(i);
	if (tcase->tear_down)
		tcase->tear_down();
}

/* Returns 0 if the test passed. */
static inline int check_run(const TCase *tcase, void (*function)(int), int i)
{
	const char *fork_mode = getenv("CK_FORK");
	int status;
	pid_t pid;

	fflush(NULL);
	if (fork_mode && strcmp(fork_mode, "no") == 0) {
		check_call(tcase, function, i);
		return 0;
	}
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		setpgid(0, 0);
		alarm(tcase->timeout);
		check_call(tcase, function, i);
		exit(0);
	}
	setpgid(pid, pid);
	if (waitpid(pid, &status, 0) < 0)
		abort();
	kill(-pid, SIGKILL); /* processes that the test left running, if any */
	return status;
}

static inline void check_run_one(SRunner *runner, const TCase *tcase, const struct check_test *what, int i)
{
	int bad;

	if (check_is_left_out(runner, what->title, i))
		return;
	bad = check_run(tcase, what->function, i);
	runner->failed += !!bad;
	fprintf(runner->tap, "%s %d - %s:%s:%d: status %#x\n", bad ? "not ok" : "ok", ++runner->run,
		runner->suite->name, what->title, i, bad);
}

static inline void srunner_run_all(SRunner *runner, enum print_output mode)
{
	(void)mode;
	for (TCase *tcase = runner->suite->first; tcase; tcase = tcase->next) {
		for (int t = 0; t < tcase->tests; t++) {
			for (int i = tcase->test[t].start; i < tcase->test[t].end; i++)
				check_run_one(runner, tcase, tcase->test[t].what, i);
		}
	}
	for (int n = 0; n < runner->exceptions; n++) {
		if (runner->exception[n].used)
			continue;
		runner->failed++;
		fprintf(runner->tap, "not ok %d - CHECK_EXCEPT names %s, but no such test exists\n", ++runner->run,
			runner->exception[n].name);
	}
	fprintf(runner->tap, "1..%d\n", runner->run);
	fflush(runner->tap);
	printf("%s: %d tests, %d failed\n", runner->suite->name, runner->run, runner->failed);
}

static inline int srunner_ntests_failed(SRunner *runner)
{
	return runner->failed;
}

static inline void srunner_free(SRunner *runner)
{
	for (TCase *tcase = runner->suite->first, *next; tcase; tcase = next) {
		next = tcase->next;
		free(tcase);
	}
	free(runner->suite);
	if (runner->tap != stdout)
		fclose(runner->tap);
	free(runner);
}

#endif
