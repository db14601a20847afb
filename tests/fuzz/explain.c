/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain() on any folder tree with any bytes in its files, for libFuzzer.
 *
 * The input makes the tree and the question:
 *
 *	options (1 byte), identity (1), errno (1), number of entries (1), then for each entry
 *	kind (1): a folder, a file, a symbolic link, a FIFO, a device of nobody's
 *	place (1): one of names[] in one of the folders
 *	mode (1), size (2, little-endian), that many bytes: the content, or the link's target; and behind them all the path
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errpipe_explain.h"

enum { CWD = 1, WHO = 2, FAILED = 4, MOUNT = 8, ARGS = 16, KILLED = 32 };
enum { MAX_ENTRIES = 16, MAX_FILE = 1 << 14 };

static const char *const names[] = {
	"a",   "b",   "c",     "d",	"bin",	       "bin/sh",
	"lib", "usr", "bin/x", "lib/l", "a/b",	       "a/b/c",
	"l",   "d/e", "lib64", "proc",	"bin/qemu",    "lib/ld-musl-x86_64.so.1",
	"m",   "m/x", "usr/b", "\xff",	"a\033[31mred", "lib64/ld-linux-x86-64.so.2",
};

struct input {
	const uint8_t *bytes;
	size_t size;
};

static unsigned take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

static const uint8_t *take_all(struct input *input, size_t *size)
{
	const uint8_t *bytes = input->bytes;

	if (*size > input->size)
		*size = input->size;
	input->bytes += *size;
	input->size -= *size;
	return bytes;
}

/* A folder for all trees, and beside it a script that none of them may lead to: only that has the secret interpreter. */
static char base[] = "/dev/shm/errpipe-fuzz.XXXXXX", secret[3 + 16 + 1];
static int root = -1;

static int remove_it(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(void)
{
	nftw(base, remove_it, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((noreturn)) static void give_up(const char *what)
{
	perror(what);
	abort();
}

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "it does not hold that %s\n", what);
	abort();
}

static void prepare(void)
{
	uint64_t number;
	char outside[64];
	FILE *file;

	if (root >= 0)
		return;
	if (!mkdtemp(base))
		give_up(base);
	atexit(remove_all);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		give_up("getrandom");
	snprintf(secret, sizeof(secret), "/%016llx", (unsigned long long)number);
	snprintf(outside, sizeof(outside), "%s/a", base);
	file = fopen(outside, "we");
	if (!file || fprintf(file, "#!%s\n", secret) < 0 || fclose(file) != 0 || chmod(outside, 0755) < 0)
		give_up(outside);
	root = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
}

static int unlock(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_D || type == FTW_DNR)
		chmod(path, 0700);
	return 0;
}

static void remove_tree(const char *tree)
{
	nftw(tree, unlock, 16, FTW_PHYS);
	nftw(tree, remove_it, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *name, const uint8_t *bytes, size_t size, mode_t mode)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0700);

	if (fd < 0)
		return;
	if (write(fd, bytes, size) < 0 || fchmod(fd, mode) < 0)
		give_up(name);
	close(fd);
}

static void make_entry(struct input *input)
{
	unsigned kind = take(input), place = take(input), mode = take(input);
	size_t size = take(input) | take(input) << 8;
	char name[64], target[4096];
	const uint8_t *bytes;

	size %= MAX_FILE;
	bytes = take_all(input, &size);
	snprintf(name, sizeof(name), "root/%s", names[place % (sizeof(names) / sizeof(*names))]);
	/* Mostly executable, as little can be found behind what is not. */
	mode = mode & 128 ? mode & 0777 : 0755;
	switch (kind % 8) {
	case 0:
	case 1:
		mkdirat(root, name, 0755);
		break;
	case 2:
	case 3:
	case 4:
		make_file(name, bytes, size, mode);
		break;
	case 5:
	case 6:
		if (size >= sizeof(target))
			size = sizeof(target) - 1;
		memcpy(target, bytes, size);
		target[size] = '\0';
		if (symlinkat(target, root, name) < 0)
			break;
		break;
	default:
		mkfifoat(root, name, mode);
	}
}

/* A descriptor that is left makes it another. */
static int lowest_free(void)
{
	int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);

	close(fd);
	return fd;
}

/* Not by a function that the fuzzer watches: it would learn the name. */
static int is_secret(const char *path)
{
	size_t i;

	for (i = 0; secret[i] && path[i]; i++) {
		if (secret[i] ^ path[i])
			return 0;
	}
	return !secret[i];
}

static void check_string(const struct errpipe_explanation *ex, const char *string)
{
	const char *begin = ex->strings, *end = ex->strings + sizeof(ex->strings);

	if (!string || string < begin || string >= end)
		return;
	must(memchr(string, '\0', end - string) != NULL, "a string ends");
}

static void check_words(const struct errpipe_explanation *ex)
{
	char line[256];
	size_t size;

	must(errpipe_cause_name(ex->cause) != NULL, "the cause has a name");
	must(errpipe_certainty_name(ex->certainty) != NULL, "the certainty has a name");
	size = errpipe_finding(line, sizeof(line), ex);
	must(size > 0 && strlen(line) == (size < sizeof(line) ? size : sizeof(line) - 1), "the finding has its length");
	for (const char *p = line; *p; p++)
		must((unsigned char)*p >= ' ' && *p != 0x7f, "control characters are escaped");
	errpipe_advice(line, sizeof(line), ex);
	for (int i = 0; i < ex->links; i++)
		errpipe_link_words(line, sizeof(line), ex, i);
}

static void check(const struct errpipe_explanation *ex)
{
	must(ex->links >= 0 && ex->links <= ERRPIPE_LINKS_MAX, "the chain has an end");
	must(ex->broken >= -1 && ex->broken < ex->links, "the broken link is one of the chain");
	must(ex->strings_used <= sizeof(ex->strings), "the strings fit");
	must(!ex->looking_at, "it is done");
	check_string(ex, ex->subject);
	check_string(ex, ex->object);
	check_string(ex, ex->binfmt);
	for (int i = 0; i < ex->links; i++) {
		const struct errpipe_link *link = &ex->link[i];

		must(link->path != NULL, "a link has a path");
		check_string(ex, link->path);
		check_string(ex, link->resolved);
		check_string(ex, link->argument);
		must(!is_secret(link->path), "nothing leads out of the root");
	}
	check_words(ex);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct errpipe_explanation explanation;
	static char path[8192], tree[64];
	struct input input = { bytes, size };
	unsigned options = take(&input), identity = take(&input), error = take(&input), entries = take(&input);
	struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .error = error, .status = -1 };
	struct errpipe_who who = { .uid = identity, .gid = identity, .bounding = ~0ULL };
	struct errpipe_question question = { .path = path };
	struct errpipe_mount mount = { .at = "/m", .source = -1, .noexec = 1 };
	char *args[] = { path, NULL };
	int descriptor;

	prepare();
	snprintf(tree, sizeof(tree), "%s/root", base);
	if (mkdir(tree, 0755) < 0)
		give_up(tree);
	for (unsigned i = 0; i < entries % MAX_ENTRIES; i++)
		make_entry(&input);
	if (input.size > sizeof(path) - 1)
		input.size = sizeof(path) - 1;
	memcpy(path, input.bytes, input.size);
	path[input.size] = '\0';

	if (options & KILLED)
		report = (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = 11 };
	question.root = openat(root, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	question.cwd = options & CWD ? "/a" : NULL;
	question.who = options & WHO ? &who : NULL;
	question.report = options & (FAILED | KILLED) ? &report : NULL;
	question.argv = question.envp = options & ARGS ? args : NULL;
	question.mounts = &mount;
	question.mounts_count = options & MOUNT ? 1 : 0;

	descriptor = lowest_free();
	must(errpipe_explain(&explanation, &question) == 0, "there is an explanation");
	must(lowest_free() == descriptor, "no descriptor is left");
	check(&explanation);
	close(question.root);
	remove_tree(tree);
	return 0;
}
