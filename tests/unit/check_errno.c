/* SPDX-License-Identifier: MIT */
/*
 * Compare errno.def and words.c with the kernel's headers, the C library's header and words, and literal numbers.
 *
 * scripts/build/errno-macros wrote the numbers of the kernel's headers to tests/errno.* in the build directory. A missing
 * file fails the test.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errpipe.h"
#include "lib/internal.h"
#include "suite.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum family { GENERIC, MIPS, ALPHA, SPARC, PARISC, FAMILIES };

#if defined(__mips__)
#define HOST MIPS
#elif defined(__alpha__)
#define HOST ALPHA
#elif defined(__sparc__)
#define HOST SPARC
#elif defined(__hppa__)
#define HOST PARISC
#else
#define HOST GENERIC
#endif

#ifdef __powerpc__
#define HOST_IS_POWERPC 1
#else
#define HOST_IS_POWERPC 0
#endif

/* One machine of each family. The one of the host's family has the host's numbers. */
static const unsigned machine_of[FAMILIES] = { HOST_IS_POWERPC ? 21 : 62, 8, 0x9026, 43, 15 };

static const struct row {
	const char *name, *words;
	int number[FAMILIES];
} rows[] = {
#define E(name, words, generic, mips, alpha, sparc, parisc) { #name, words, { generic, mips, alpha, sparc, parisc } },
#include "dmz/errno.def"
};

/* The expansion of each name by <errno.h>: its number, or the name itself if it is not a macro there. */
#define TEXT(x) #x
static const char *const libc_number[] = {
#define E(name, words, generic, mips, alpha, sparc, parisc) TEXT(name),
#include "dmz/errno.def"
};

static const struct row *row_named(const char *name)
{
	int i;

	for (i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static const struct row *row_numbered(enum family family, int number)
{
	int i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].number[family] == number)
			return &rows[i];
	return NULL;
}

/* The number in a family's headers. Only EDEADLOCK's differs from the table (see errno.def). */
static int header_number(const struct row *row, enum family family, int is_powerpc)
{
	if (family == GENERIC && !is_powerpc && strcmp(row->name, "EDEADLOCK") == 0)
		return 35;
	return row->number[family];
}

/*
 * The table itself.
 */

START_TEST(table_is_in_order)
{
	int i, last = 0, lacking = 0;

	for (i = 0; i < COUNT(rows); i++) {
		int n = rows[i].number[GENERIC];

		if (n == 0) {
			lacking = 1;
			continue;
		}
		ck_assert_msg(!lacking, "%s is below the rows that generic lacks", rows[i].name);
		ck_assert_msg(n > last, "%s is out of order", rows[i].name);
		last = n;
	}
}
END_TEST

START_TEST(table_has_each_name_and_number_once)
{
	const struct row *a, *b;
	int f;

	for (a = rows; a < rows + COUNT(rows); a++) {
		for (b = rows; b < a; b++) {
			ck_assert_msg(strcmp(a->name, b->name) != 0, "%s appears twice", a->name);
			ck_assert_msg(strcmp(a->words, b->words) != 0, "\"%s\" appears twice", a->words);
			for (f = 0; f < FAMILIES; f++) {
				if (a->number[f] == 0 || a->number[f] != b->number[f])
					continue;
				ck_assert_str_eq(a->name, "EDEADLOCK");
				ck_assert_str_eq(b->name, "EDEADLK");
			}
		}
	}
}
END_TEST

START_TEST(table_words_are_small)
{
	int i;

	for (i = 0; i < COUNT(rows); i++) {
		const char *words = rows[i].words;

		ck_assert_int_ge(strlen(words), 8);
		ck_assert_msg(words[0] < 'A' || words[0] > 'Z' || strncmp(words, "RFS ", 4) == 0,
			      "\"%s\" begins with a capital", words);
	}
}
END_TEST

/*
 * The table and the headers.
 */

static const struct source {
	const char *file;
	enum family family;
	int is_powerpc;
} sources[] = {
	{ "errno.generic", GENERIC, HOST_IS_POWERPC },
	{ "errno.mips", MIPS, 0 },
	{ "errno.alpha", ALPHA, 0 },
	{ "errno.sparc", SPARC, 0 },
	{ "errno.parisc", PARISC, 0 },
	{ "errno.powerpc", GENERIC, 1 },
};

/* Names that errno.def leaves out, each with the row that has its number. */
static const struct {
	const char *name, *row;
} aliases[] = {
	{ "EWOULDBLOCK", "EAGAIN" },
	{ "ECANCELLED", "ECANCELED" },
	{ "EREFUSED", "ECONNREFUSED" },
};

/* parisc's headers still have these in Linux 6.1, but not in 6.12. Nothing ever returned them. */
static const char *const dropped[] = { "ENOSYM", "EREMOTERELEASE" };

static int is_dropped(enum family family, const char *name)
{
	int i;

	for (i = 0; family == PARISC && i < COUNT(dropped); i++)
		if (strcmp(dropped[i], name) == 0)
			return 1;
	return 0;
}

static const char *without_alias(const char *name)
{
	int i;

	for (i = 0; i < COUNT(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0)
			return aliases[i].row;
	return name;
}

START_TEST(headers_agree)
{
	const struct source *source = &sources[_i];
	char path[4096];
	char line[128], name[64], rest;
	int seen[COUNT(rows)] = { 0 };
	int i, number;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/%s", getenv("ERRPIPE_BUILD"), source->file);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s: cannot open %s", source->file, path);

	while (fgets(line, sizeof(line), file)) {
		const struct row *row;

		ck_assert_msg(sscanf(line, "%63s %d %c", name, &number, &rest) == 2,
			      "%s: not a name and a number: %s", source->file, line);
		if (is_dropped(source->family, name))
			continue;
		row = row_named(without_alias(name));
		ck_assert_msg(row != NULL, "%s: %s %d is not in errno.def", source->file, name, number);
		ck_assert_msg(header_number(row, source->family, source->is_powerpc) == number, "%s: %s is %d there",
			      source->file, name, number);
		if (strcmp(row->name, name) == 0)
			seen[row - rows] = 1;
	}
	fclose(file);

	for (i = 0; i < COUNT(rows); i++)
		ck_assert_msg(seen[i] == (rows[i].number[source->family] != 0), "%s: %s is only in errno.def",
			      source->file, rows[i].name);
}
END_TEST

START_TEST(libc_header_agrees)
{
	int i;

	for (i = 0; i < COUNT(rows); i++) {
		char expected[64];
		int number = header_number(&rows[i], HOST, HOST_IS_POWERPC);

		if (number)
			snprintf(expected, sizeof(expected), "%d", number);
		else
			snprintf(expected, sizeof(expected), "%s", rows[i].name);
		ck_assert_str_eq(libc_number[i], expected);
	}
}
END_TEST

/*
 * Words and names.
 */

static const struct {
	int error;
	const char *name, *words;
} literal[] = {
	{ EPERM, "EPERM", "operation not permitted" },
	{ ENOENT, "ENOENT", "no such file or directory" },
	{ EIO, "EIO", "input/output error" },
	{ E2BIG, "E2BIG", "argument list too long" },
	{ ENOEXEC, "ENOEXEC", "exec format error" },
	{ EAGAIN, "EAGAIN", "resource temporarily unavailable" },
	{ EWOULDBLOCK, "EAGAIN", "resource temporarily unavailable" },
	{ ENOMEM, "ENOMEM", "cannot allocate memory" },
	{ EACCES, "EACCES", "permission denied" },
	{ ENOTDIR, "ENOTDIR", "not a directory" },
	{ EISDIR, "EISDIR", "is a directory" },
	{ EMFILE, "EMFILE", "too many open files" },
	{ ETXTBSY, "ETXTBSY", "text file busy" },
	{ EDEADLK, "EDEADLK", "resource deadlock avoided" },
	{ ENAMETOOLONG, "ENAMETOOLONG", "file name too long" },
	{ ELOOP, "ELOOP", "too many levels of symbolic links" },
	{ EDOTDOT, "EDOTDOT", "RFS specific error" },
	{ ELIBACC, "ELIBACC", "can not access a needed shared library" },
	{ ELIBBAD, "ELIBBAD", "accessing a corrupted shared library" },
	{ ELIBSCN, "ELIBSCN", ".lib section in a.out corrupted" },
	{ EILSEQ, "EILSEQ", "invalid or incomplete multibyte or wide character" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT", "protocol not supported" },
	{ EOPNOTSUPP, "EOPNOTSUPP", "operation not supported" },
	{ ESTALE, "ESTALE", "stale file handle" },
	{ ENAVAIL, "ENAVAIL", "no XENIX semaphores available" },
	{ EHWPOISON, "EHWPOISON", "memory page has hardware error" },
};

START_TEST(known_errors_have_words_and_name)
{
	ck_assert_str_eq(errpipe_strerror(literal[_i].error), literal[_i].words);
	ck_assert_ptr_nonnull(errpipe_errname(literal[_i].error));
	ck_assert_str_eq(errpipe_errname(literal[_i].error), literal[_i].name);
}
END_TEST

static const struct {
	int error;
	const char *words;
} unknown[] = {
	{ 0, "errno 0" },
	{ -1, "errno -1" },
	{ -8, "errno -8" },
	{ 500, "errno 500" },
	{ 512, "errno 512" },
	{ 4095, "errno 4095" },
	{ 65536 + 8, "errno 65544" },
	{ INT_MAX, "errno 2147483647" },
	{ -INT_MAX, "errno -2147483647" },
	{ INT_MIN, "errno -2147483648" },
};

START_TEST(unknown_errors_have_a_number_and_no_name)
{
	ck_assert_str_eq(errpipe_strerror(unknown[_i].error), unknown[_i].words);
	ck_assert_ptr_null(errpipe_errname(unknown[_i].error));
}
END_TEST

/* A number has both a name and words or neither. */
START_TEST(words_and_names_go_together)
{
	int n;

	for (n = -5000; n <= 5000; n++) {
		int unknown_words = strncmp(errpipe_strerror(n), "errno ", 6) == 0;

		ck_assert_msg(unknown_words == (errpipe_errname(n) == NULL), "errno %d", n);
	}
}
END_TEST

#ifdef __GLIBC__

/* The rule of Go's syscall.Errno (src/syscall/mkerrors.sh). */
static void lower_as_go_does(char *words)
{
	if (words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a' && words[1] <= 'z')
		words[0] += 'a' - 'A';
}

START_TEST(glibc_has_the_same_words_and_names)
{
	static const char *const not_in_glibc[] = { "EDEADLOCK", "EINIT", "EREMDEV", "ERREMOTE" };
	int i, n, compared = 0;

	for (n = 1; n <= 4095; n++) {
		const char *glibc = strerrordesc_np(n);
		const char *name = errpipe_errname(n);
		char words[128];

		if (glibc) {
			snprintf(words, sizeof(words), "%s", glibc);
			lower_as_go_does(words);
			ck_assert_str_eq(errpipe_strerror(n), words);
			ck_assert_msg(name != NULL, "%d has no name", n);
			ck_assert_str_eq(name, strerrorname_np(n));
			compared++;
		} else if (name) {
			for (i = 0; i < COUNT(not_in_glibc); i++)
				if (strcmp(name, not_in_glibc[i]) == 0)
					break;
			ck_assert_msg(i < COUNT(not_in_glibc), "glibc lacks %s (%d)", name, n);
		}
	}
	ck_assert_int_gt(compared, 130);
}
END_TEST

#endif

/* With translations installed, glibc would translate to LANGUAGE in every locale but "C". */
START_TEST(locale_changes_nothing)
{
	int i;

	ck_assert_int_eq(setenv("LANGUAGE", "de:fr:ja", 1), 0);
	ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
	for (i = 0; i < COUNT(literal); i++)
		ck_assert_str_eq(errpipe_strerror(literal[i].error), literal[i].words);
	ck_assert_str_eq(errpipe_strerror(-12345), "errno -12345");
}
END_TEST

START_TEST(errno_stays)
{
	errno = 77;
	errpipe_strerror(ENOENT);
	errpipe_strerror(-1);
	errpipe_errname(ENOENT);
	errpipe_errname(-1);
	ck_assert_int_eq(errno, 77);
}
END_TEST

struct other_thread {
	const char *callers;
	int is_callers;
	char copy[64];
};

static void *ask_in_other_thread(void *arg)
{
	struct other_thread *other = arg;
	const char *words = errpipe_strerror(-222);

	other->is_callers = words == other->callers;
	snprintf(other->copy, sizeof(other->copy), "%s", words);
	return NULL;
}

START_TEST(threads_have_their_own_buffer)
{
	struct other_thread other = { .callers = errpipe_strerror(-111) };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, ask_in_other_thread, &other), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(other.is_callers, 0);
	ck_assert_str_eq(other.copy, "errno -222");
	ck_assert_str_eq(other.callers, "errno -111");
	ck_assert_str_eq(errpipe_strerror(-333), "errno -333");
}
END_TEST

/*
 * From a writer's number to the host's.
 */

static const struct {
	const char *name;
	int number[FAMILIES]; /* generic, mips, alpha, sparc, parisc */
} differing[] = {
	{ "EAGAIN", { 11, 11, 35, 11, 11 } },
	{ "ENAMETOOLONG", { 36, 78, 63, 63, 248 } },
	{ "ENOSYS", { 38, 89, 78, 90, 251 } },
	{ "ELOOP", { 40, 90, 62, 62, 249 } },
	{ "ENODATA", { 61, 61, 86, 111, 51 } },
	{ "EBADMSG", { 74, 77, 84, 76, 67 } },
	{ "EOVERFLOW", { 75, 79, 112, 92, 72 } },
	{ "ELIBACC", { 79, 83, 122, 114, 170 } },
	{ "ELIBBAD", { 80, 84, 123, 112, 171 } },
	{ "ENETDOWN", { 100, 127, 50, 50, 228 } },
	{ "ETIMEDOUT", { 110, 145, 60, 60, 238 } },
	{ "ESTALE", { 116, 151, 70, 70, 70 } },
	{ "EUCLEAN", { 117, 135, 117, 117, 177 } },
	{ "EREMOTEIO", { 121, 140, 121, 121, 181 } },
	{ "EDQUOT", { 122, 1133, 69, 69, 69 } },
	{ "ECANCELED", { 125, 158, 131, 127, 253 } },
	{ "ENOKEY", { 126, 161, 132, 128, 184 } },
	{ "EKEYEXPIRED", { 127, 162, 133, 129, 185 } },
	{ "EKEYREVOKED", { 128, 163, 134, 130, 186 } },
	{ "EKEYREJECTED", { 129, 164, 135, 131, 187 } },
	{ "ENOENT", { 2, 2, 2, 2, 2 } },
	{ "ENOEXEC", { 8, 8, 8, 8, 8 } },
	{ "ETXTBSY", { 26, 26, 26, 26, 26 } },
};

START_TEST(differing_numbers_are_translated)
{
	int f;

	for (f = 0; f < FAMILIES; f++) {
		int error = ep_host_errno(machine_of[f], differing[_i].number[f]);

		ck_assert_int_eq(error, differing[_i].number[HOST]);
		ck_assert_str_eq(errpipe_errname(error), differing[_i].name);
	}
}
END_TEST

/* 90 is another error in each family: EMSGSIZE, ELOOP, EL3HLT and ENOSYS. parisc has no error 90. */
START_TEST(every_machine_has_its_family)
{
	static const char *const error_90[] = { "EMSGSIZE", "ELOOP", "EL3HLT", "ENOSYS", NULL };
	unsigned machine;

	for (machine = 0; machine <= 0x10010; machine++) {
		enum family family = GENERIC;
		int expected = 0;

		switch (machine) {
		case 8:
		case 10:
			family = MIPS;
			break;
		case 41:
		case 0x9026:
			family = ALPHA;
			break;
		case 2:
		case 18:
		case 43:
			family = SPARC;
			break;
		case 15:
			family = PARISC;
		}
		if (family == HOST)
			expected = 90;
		else if (error_90[family])
			expected = row_named(error_90[family])->number[HOST];
		ck_assert_msg(ep_host_errno(machine, 90) == expected, "machine %u", machine);
	}
}
END_TEST

/* Numbers of the host's own family pass unchanged, known or not. */
START_TEST(own_numbers_pass)
{
	int raw;

	for (raw = 0; raw <= 5000; raw++)
		ck_assert_int_eq(ep_host_errno(machine_of[HOST], raw), raw);
}
END_TEST

START_TEST(foreign_unknown_numbers_are_0)
{
	static const unsigned raws[] = { 0, 500, 512, 4095, 65536 + 8, INT_MAX, UINT_MAX, -8u };
	int f, i;

	for (f = 0; f < FAMILIES; f++)
		for (i = 0; f != HOST && i < COUNT(raws); i++)
			ck_assert_int_eq(ep_host_errno(machine_of[f], raws[i]), 0);
	for (i = 0; i < COUNT(raws); i++)
		ck_assert_int_eq(ep_host_errno(HOST_IS_POWERPC ? 62 : 21, raws[i]), 0);
}
END_TEST

START_TEST(every_number_goes_by_its_name)
{
	enum family f = _i;
	int raw, known = 0;

	for (raw = 1; f != HOST && raw <= 4095; raw++) {
		const struct row *row = row_numbered(f, raw);
		int error = ep_host_errno(machine_of[f], raw);

		if (!row || row->number[HOST] == 0) {
			ck_assert_int_eq(error, 0);
			continue;
		}
		known++;
		ck_assert_int_eq(error, header_number(row, HOST, HOST_IS_POWERPC));
		ck_assert_ptr_nonnull(errpipe_errname(error));
		if (strcmp(row->name, "EDEADLOCK") != 0)
			ck_assert_str_eq(errpipe_errname(error), row->name);
	}
	if (f != HOST)
		ck_assert_int_gt(known, 130);
}
END_TEST

START_TEST(deadlock_is_the_hosts)
{
	if (HOST != GENERIC)
		return;
	ck_assert_int_eq(ep_host_errno(8, 45), EDEADLK);
	ck_assert_int_eq(ep_host_errno(8, 56), EDEADLOCK);
	ck_assert_int_eq(ep_host_errno(43, 78), EDEADLK);
	ck_assert_int_eq(ep_host_errno(43, 108), EDEADLOCK);
	ck_assert_int_eq(ep_host_errno(0x9026, 11), EDEADLK);
	ck_assert_int_eq(ep_host_errno(15, 45), EDEADLK);
	ck_assert_int_eq(ep_host_errno(20, 58), EDEADLOCK);
	ck_assert_int_eq(ep_host_errno(21, 58), EDEADLOCK);
	ck_assert_int_eq(ep_host_errno(21, 35), EDEADLK);
	ck_assert_int_eq(ep_host_errno(62, 35), EDEADLK);
	/* Only powerpc names 58. Therefore it has no errno for another machine's 58. Other hosts keep the number. */
	ck_assert_int_eq(ep_host_errno(62, 58), HOST_IS_POWERPC ? 0 : 58);
#ifdef __powerpc__
	ck_assert_str_eq(errpipe_errname(58), "EDEADLOCK");
#else
	ck_assert_ptr_null(errpipe_errname(58));
	ck_assert_str_eq(errpipe_strerror(58), "errno 58");
#endif
}
END_TEST

START_TEST(errors_of_one_family_are_0_elsewhere)
{
	if (HOST != MIPS) {
		ck_assert_int_eq(ep_host_errno(8, 141), 0);
		ck_assert_int_eq(ep_host_errno(8, 142), 0);
	}
	if (HOST != SPARC) {
		ck_assert_int_eq(ep_host_errno(2, 67), 0);
		ck_assert_int_eq(ep_host_errno(2, 81), 0);
	}
}
END_TEST

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("errno");
	TCase *tcase;

	tcase = add_tcase(suite, "table");
	tcase_add_test(tcase, table_is_in_order);
	tcase_add_test(tcase, table_has_each_name_and_number_once);
	tcase_add_test(tcase, table_words_are_small);
	tcase_add_loop_test(tcase, headers_agree, 0, COUNT(sources));
	tcase_add_test(tcase, libc_header_agrees);

	tcase = add_tcase(suite, "words");
	tcase_add_loop_test(tcase, known_errors_have_words_and_name, 0, COUNT(literal));
	tcase_add_loop_test(tcase, unknown_errors_have_a_number_and_no_name, 0, COUNT(unknown));
	tcase_add_test(tcase, words_and_names_go_together);
#ifdef __GLIBC__
	tcase_add_test(tcase, glibc_has_the_same_words_and_names);
#endif
	tcase_add_test(tcase, locale_changes_nothing);
	tcase_add_test(tcase, errno_stays);
	tcase_add_test(tcase, threads_have_their_own_buffer);

	tcase = add_tcase(suite, "host");
	tcase_add_loop_test(tcase, differing_numbers_are_translated, 0, COUNT(differing));
	tcase_add_test(tcase, every_machine_has_its_family);
	tcase_add_test(tcase, own_numbers_pass);
	tcase_add_test(tcase, foreign_unknown_numbers_are_0);
	tcase_add_loop_test(tcase, every_number_goes_by_its_name, 0, FAMILIES);
	tcase_add_test(tcase, deadlock_is_the_hosts);
	tcase_add_test(tcase, errors_of_one_family_are_0_elsewhere);

	return run_suite(suite);
}
