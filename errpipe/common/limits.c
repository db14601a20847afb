/* SPDX-License-Identifier: MIT */
/*
 * The kernel's rule for E2BIG: bprm_stack_limits(), copy_strings() and get_arg_page() in fs/exec.c, Linux 4.13 and later.
 * Compared with Linux 6.18 at 19 limits: the numbers are exact to the byte.
 *
 * The kernel has no call that checks this without an exec. It counts the path as one of the strings.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common.h"

#define MOST	     (6u << 20)	  /* three quarters of _STK_LIM, include/uapi/linux/resource.h */
#define LEAST	     (128u << 10) /* ARG_MAX, include/uapi/linux/limits.h */
#define PAGES_OF_ONE 32		  /* MAX_ARG_STRLEN, include/uapi/linux/binfmts.h; with the NUL */

/* The kernel counts pointers of its own size, whatever the program's size is. */
uint64_t ep_word_size(void)
{
#ifdef __LP64__
	return 8;
#else
	/* A 64-bit kernel's name has a 64, or is s390x. Under personality(2) PER_LINUX32 it hides that. */
	struct utsname uts;

	if ((personality(0xffffffff) & 0xff) == (PER_LINUX32 & 0xff) || uname(&uts) < 0)
		return 8;
	return strstr(uts.machine, "64") || strcmp(uts.machine, "s390x") == 0 ? 8 : 4;
#endif
}

static uint64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* The limit for the strings together with the pointers to them. */
static uint64_t limit_of(uint64_t stack)
{
	uint64_t limit = stack / 4;

	if (limit > MOST)
		return MOST;
	return limit < LEAST ? LEAST : limit;
}

/* The strings must also fit on the stack. The stack always has one page, of which one word is unused. */
static uint64_t room_on(uint64_t stack, uint64_t word)
{
	uint64_t page = page_size();

	return (stack < page ? page : stack - stack % page) - word;
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

uint64_t ep_most_arguments(void)
{
	return MOST;
}

uint64_t ep_longest(void)
{
	return PAGES_OF_ONE * page_size() - 1;
}

char *const *ep_find_longer(char *const *strings, uint64_t longest)
{
	for (; strings && *strings; strings++) {
		if (strlen(*strings) > longest)
			return strings;
	}
	return NULL;
}

struct ep_size ep_size_of(const char *path, char *const argv[], char *const envp[], uint64_t stack)
{
	uint64_t word = ep_word_size(), room = room_on(stack, word);
	struct sum sum = { strlen(path) + 1, 0 };

	add(&sum, argv);
	if (!sum.count) /* from Linux 5.18 on, the kernel adds an empty argv[0] */
		sum = (struct sum){ sum.strings + 1, 1 };
	add(&sum, envp);
	return (struct ep_size){ sum.strings + sum.count * word, sum.strings > room ? room : limit_of(stack) };
}

uint64_t ep_stack_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

bool ep_too_big(const char *path, char *const argv[], char *const envp[])
{
	const uint64_t longest = ep_longest();
	struct ep_size size;

	if (ep_find_longer(argv, longest) || ep_find_longer(envp, longest))
		return true;
	size = ep_size_of(path, argv, envp, ep_stack_limit());
	return size.bytes > size.limit;
}
