/* SPDX-License-Identifier: MIT */
/*
 * ep_script() on the first bytes of a script, for libFuzzer. The first line consists of the interpreter and its argument, in this
 * order. Changes that do not matter to the kernel do not change the result. The argument is then that of each env(1).
 */
#define _GNU_SOURCE
#include <errno.h>

#include "explain/kernel/kernel.h"
#include "fuzz.h"

enum { SIZE = EP_HEAD_SIZE };

struct result {
	int ret;
	char name[SIZE + 1], argument[SIZE + 1]; /* empty if missing */
	enum errpipe_cause cause;
	int error;
};

static struct result look(const unsigned char *bytes, size_t size)
{
	static struct errpipe_explanation ex;
	struct ep_check c = { .ex = &ex };
	struct errpipe_link *link = &ex.link[0];
	struct ep_next next = { 0 };
	struct ep_head head = { .size = size };
	struct result result = { 0 };

	memset(&ex, 0, sizeof(ex));
	memcpy(head.bytes, bytes, size);
	result.ret = ep_script(&c, link, &head, &next);
	result.cause = ex.cause;
	result.error = ex.error;
	must(result.ret == 0 || result.ret == -1, "the result is 0 or -1");
	must((result.ret == 0) == (ex.cause == ERRPIPE_CAUSE_NONE), "a broken line has a cause");
	must((result.ret == 0) == (next.kind == ERRPIPE_LINK_INTERPRETER), "a correct line has an interpreter");
	if (next.path)
		snprintf(result.name, sizeof(result.name), "%s", next.path);
	if (link->argument)
		snprintf(result.argument, sizeof(result.argument), "%s", link->argument);
	return result;
}

static size_t skip(const char *at, const char *set)
{
	return strspn(at, set);
}

/* The line is "#!", blanks, the name, blanks, the argument, and blanks. */
static void check_line(const struct result *result, const char *line)
{
	const char *at = line + 2 + skip(line + 2, " \t");
	size_t length = strlen(result->name);

	must(length > 0 && strcspn(result->name, " \t\n") == length, "the interpreter is one word");
	must(strncmp(at, result->name, length) == 0, "the interpreter comes first");
	at += length;
	must(!*at || strchr(" \t\n", *at) || at - line == SIZE - 1, "the interpreter is a whole word");
	at += skip(at, " \t");
	length = strlen(result->argument);
	must(strncmp(at, result->argument, length) == 0, "the argument comes next");
	must(!strchr(result->argument, '\n'), "the argument is in the same line");
	at += length;
	at += skip(at, " \t");
	must(!*at || *at == '\n' || at - line >= SIZE - 1, "nothing comes after the argument");
}

static void check_broken(const struct result *result)
{
	must(result->cause == ERRPIPE_CAUSE_BARE_INTERPRETER_LINE ||
		     result->cause == ERRPIPE_CAUSE_LONG_INTERPRETER_LINE,
	     "the line is bare or long");
	must(result->error == ENOEXEC ||
		     (result->error == EACCES && result->cause == ERRPIPE_CAUSE_BARE_INTERPRETER_LINE),
	     "the errno is ENOEXEC or EACCES");
}

static void must_be_same(const struct result *a, const struct result *b, const char *what)
{
	must(a->ret == b->ret && a->cause == b->cause && a->error == b->error && strcmp(a->name, b->name) == 0 &&
		     strcmp(a->argument, b->argument) == 0,
	     what);
}

/* Bytes after the first line do not matter, nor do more blanks at its ends, as long as it fits. */
static void check_variants(const struct result *result, const char *line, size_t size)
{
	const char *end = strchr(line, '\n');
	size_t length = end ? (size_t)(end - line) : 0;
	unsigned char other[SIZE];
	struct result again;

	if (!end)
		return;
	again = look((const unsigned char *)line, length + 1);
	must_be_same(result, &again, "only the first line counts");
	if (size + 2 > SIZE)
		return;
	snprintf((char *)other, sizeof(other), "#! %.*s\t\n", (int)length - 2, line + 2);
	again = look(other, length + 3);
	must_be_same(result, &again, "blanks at the ends do not count");
}

/* --- env(1) --- */

enum { WORDS = 64, ROOM = 256 };

static void check_call(const struct ep_env_call *call, enum ep_env_kind kind)
{
	if (call->is_unknown || (call->fault && !call->command)) {
		must(call->is_unknown || call->object, "a fault has an object");
		return;
	}
	must(call->unset_count <= WORDS + 2 && call->set_count <= WORDS + 2, "there are no more changes than words");
	for (size_t i = 0; i < call->set_count; i++)
		must(strchr(call->set[i], '='), "an assignment has a =");
	must(!*call->command || !strchr(*call->command, '='), "a command has none");
	must(call->set + call->set_count == call->command, "the command comes after the assignments");
	must(kind == EP_ENV_GNU || kind == EP_ENV_OLD_GNU || !call->directory, "only GNU has -C");
}

static void check_env(const char *argument, enum ep_env_kind kind)
{
	char script[] = "script", variable[] = "A=-S ${A} 'x", *const envp[] = { variable, NULL };
	char *copy = exactly(argument, strlen(argument) + 1), *word[WORDS], *unset[WORDS + 2];
	char *arguments[WORDS + 3], *room = malloc(ROOM);
	struct ep_words words = { .word = word, .max = WORDS, .bytes = room, .size = ROOM };
	struct ep_env_call call = { .unset = unset };

	if (!room)
		give_up("malloc");
	arguments[WORDS] = copy;
	arguments[WORDS + 1] = script;
	arguments[WORDS + 2] = NULL;
	ep_env_call(&call, kind, arguments + WORDS, &words, envp);
	must(words.count <= WORDS && words.used < ROOM, "the words are in their room");
	for (size_t i = 0; i < words.count; i++)
		must(word[i] >= room && word[i] + strlen(word[i]) < room + ROOM, "a word ends in it");
	check_call(&call, kind);
	free(room);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char *copy;
	struct result result;
	char line[SIZE + 1] = "#!";

	/* ep_script() is only called for files that begin with "#!". */
	if (size > SIZE - 2)
		size = SIZE - 2;
	if (size)
		memcpy(line + 2, bytes, size);
	copy = exactly(line, size + 2);
	result = look(copy, size + 2);
	free(copy);
	if (result.ret == 0)
		check_line(&result, line);
	else
		check_broken(&result);
	check_variants(&result, line, size + 2);
	for (enum ep_env_kind kind = EP_ENV_GNU; kind <= EP_ENV_TOYBOX; kind++)
		check_env(result.argument, kind);
	return 0;
}
