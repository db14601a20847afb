/* SPDX-License-Identifier: MIT */
/*
 * Small functions that both libraries need. Each library has its own copy, so that liberrpipe-explain uses only public
 * functions of liberrpipe. The names are hidden. A static program gets one copy.
 */
#ifndef ERRPIPE_COMMON_H
#define ERRPIPE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Are the reserved members of a struct from the caller all 0? */
#define EP_IS_ZERO(array) ep_is_zero(array, sizeof(array) / sizeof(*(array)))

static inline bool ep_is_zero(const uint64_t *numbers, size_t count)
{
	uint64_t all = 0;

	while (count--)
		all |= numbers[count];
	return all == 0;
}

/*
 * above_stderr.c: move a descriptor above the standard streams, because a caller may have closed those. A new descriptor
 * with such a number would then become a standard stream of the target. Returns the new number. After a failure it returns
 * a negative errno, and the descriptor is closed.
 */
int ep_above_stderr(int fd);

/* The room that any int takes in decimal, with its sign and NUL. */
#define EP_DECIMAL 12

/* decimal.c: write n at the end of buf. Returns where it starts. */
char *ep_decimal(char buf[EP_DECIMAL], int n);

/* decimal.c: the name of a descriptor in /proc. */
struct ep_fd_path {
	char text[sizeof("/proc/self/fd/") + EP_DECIMAL];
};

struct ep_fd_path ep_fd_path(int fd);

/* line.c: builds a line. The text is cut off at the end of the buffer, but length counts all of it. */
struct ep_line {
	char *buf;
	size_t size, length;
};

void ep_add_char(struct ep_line *line, char c);
void ep_add(struct ep_line *line, const char *text);
void ep_add_number(struct ep_line *line, int n);
/* A byte as \n, \r, \t or \xff. */
void ep_add_escaped(struct ep_line *line, unsigned char c);
/* Escapes control characters. */
void ep_add_path(struct ep_line *line, const char *path);
/* Returns the length of the whole line. */
size_t ep_end(struct ep_line *line);

/*
 * quote.c. ep_add_visible() adds a text with its invisible characters escaped. ep_add_quoted() adds a name in quotes, and
 * also escapes quotes and backslashes. ep_add_word() adds a word that a shell reads as that name.
 */
void ep_add_visible(struct ep_line *line, const char *text);
void ep_add_quoted(struct ep_line *line, const char *name);
void ep_add_word(struct ep_line *line, const char *name);
/* quote.c: the length of the character in UTF-8 if a reader can see it; otherwise 0. */
size_t ep_visible(const char *p);

/*
 * limits.c: the kernel's rule for E2BIG. ep_longest() is the length of the longest string that execve(2) takes, without
 * its NUL. ep_find_longer() finds the first string that is longer, or NULL. ep_size_of() adds up all strings and pointers,
 * and computes how many bytes a given limit of the stack allows.
 */
struct ep_size {
	uint64_t bytes, limit;
};

uint64_t ep_longest(void);
uint64_t ep_most_arguments(void); /* that no limit of the stack exceeds */
uint64_t ep_word_size(void);	  /* of the pointers that it counts */
char *const *ep_find_longer(char *const *strings, uint64_t longest);
uint64_t ep_stack_limit(void);
struct ep_size ep_size_of(const char *path, char *const argv[], char *const envp[], uint64_t stack);
/* Would execve(2) fail with E2BIG for these? */
bool ep_too_big(const char *path, char *const argv[], char *const envp[]);

/*
 * signals.c: block every signal of the thread, and restore its mask. The mask is the kernel's sigset_t, not libc's. Both
 * return 0, or the negative errno of rt_sigprocmask(2), which a seccomp(2) filter can refuse. After a failure *old is not
 * filled in.
 */
struct ep_signals {
#ifdef __mips__
	unsigned char set[16];
#else
	unsigned char set[8];
#endif
};

int ep_block_signals(struct ep_signals *old);
int ep_restore_signals(const struct ep_signals *old);

#pragma GCC visibility pop

#endif
