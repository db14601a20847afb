/* SPDX-License-Identifier: MIT */
/*
 * E2BIG: bprm_stack_limits(), copy_strings() and get_arg_page() in the kernel's fs/exec.c, of Linux 4.13 and later.
 * Tried on Linux 6.18 with 19 limits: the numbers are exact to the byte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "explain.h"

#define MOST	     (6u << 20)	  /* three quarters of _STK_LIM, include/uapi/linux/resource.h */
#define LEAST	     (128u << 10) /* ARG_MAX, include/uapi/linux/limits.h */
#define PAGES_OF_ONE 32		  /* MAX_ARG_STRLEN, include/uapi/linux/binfmts.h; with the NUL */

enum { NAME_MAX_SHOWN = 64 };

/* Of the kernel, which counts its own pointers whatever the program's are. */
static uint64_t word_size(void)
{
	return errpipe__host_machine()->elf_class == 2 ? 8 : sizeof(void *);
}

static uint64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static uint64_t stack_limit(const struct errpipe__case *c)
{
	struct rlimit limit;

	if (c->question->limit_stack)
		return c->question->limit_stack;
	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

/* For strings and the pointers to them. */
static uint64_t limit_of(uint64_t stack)
{
	uint64_t limit = stack / 4;

	if (limit > MOST)
		return MOST;
	return limit < LEAST ? LEAST : limit;
}

/* The strings alone must fit on the stack, too. It has a page already, of which a word is not used. */
static uint64_t room_on(uint64_t stack)
{
	uint64_t page = page_size();

	return (stack < page ? page : stack - stack % page) - word_size();
}

struct sum {
	uint64_t strings; /* bytes, with their NULs */
	uint64_t count;
};

static void add(struct sum *sum, char *const *strings)
{
	for (; strings && *strings; strings++) {
		sum->strings += strlen(*strings) + 1;
		sum->count++;
	}
}

static char *const *find_long(char *const *strings, uint64_t most)
{
	for (; strings && *strings; strings++) {
		if (strlen(*strings) > most)
			return strings;
	}
	return NULL;
}

static int too_long(struct errpipe__case *c, const char *name, const char *string, uint64_t most)
{
	return errpipe__broken(c, NULL, ERRPIPE_CAUSE_ARGUMENT_TOO_LONG, E2BIG, NULL, name, strlen(string), most);
}

static int check_each(struct errpipe__case *c)
{
	const struct errpipe_question *question = c->question;
	uint64_t most = PAGES_OF_ONE * page_size() - 1;
	char *const *found = find_long(question->argv, most);
	size_t length;

	if (found)
		return too_long(c, errpipe__keep(c, "argument %d", (int)(found - question->argv)), *found, most);
	found = find_long(question->envp, most);
	if (!found)
		return 0;
	length = strcspn(*found, "=");
	return too_long(c,
			errpipe__keep(c, "the environment variable %.*s%s",
				      length < NAME_MAX_SHOWN ? (int)length : NAME_MAX_SHOWN, *found,
				      length < NAME_MAX_SHOWN ? "" : "..."),
			*found, most);
}

static int check_all(struct errpipe__case *c)
{
	const struct errpipe_question *question = c->question;
	uint64_t stack = stack_limit(c), limit = limit_of(stack), all;
	struct sum sum = { strlen(question->path) + 1, 0 };

	add(&sum, question->argv);
	if (!sum.count) /* the kernel adds an empty one; before Linux 5.18 it does not */
		sum = (struct sum){ sum.strings + 1, 1 };
	add(&sum, question->envp);
	all = sum.strings + sum.count * word_size();
	if (sum.strings > room_on(stack))
		limit = room_on(stack);
	if (all <= limit)
		return 0;
	return errpipe__broken(c, NULL, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, E2BIG, NULL, NULL, all, limit);
}

int errpipe__arguments(struct errpipe__case *c)
{
	const struct errpipe_question *question = c->question;

	if (question->argv && (check_each(c) < 0 || check_all(c) < 0))
		return -1;
	if (!question->report)
		return 0;
	/*
	 * They are not known, or they would fit: then the arguments of the stub were too much, or those that the kernel
	 * adds for an interpreter, or it was another limit.
	 */
	errpipe__broken(c, NULL, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, E2BIG, NULL, NULL, 0, limit_of(stack_limit(c)));
	c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}
