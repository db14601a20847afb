/* SPDX-License-Identifier: MIT */
/*
 * The stub with every stack that a kernel can give it, on a kernel whose system calls return anything, for Frama-C's Eva. The
 * stack has the largest possible size: 2^31 arguments, the first of 128 KiB (MAX_ARG_STRINGS, MAX_ARG_STRLEN in
 * linux/binfmts.h). The image has any actions, up to four. number() is replaced by its contract, which WP proves for strings of every length.
 */
#include "model/nolibc.h"

/* The end of number()'s argument. */
static const char *nul;

#define rest(s) (nul - (s))
#define is_string(s) \
	(\base_addr(s) == \base_addr(nul) && rest(s) >= 0 && \valid_read((s) + (0 .. rest(s))) && (s)[rest(s)] == 0)

/*@ lemma nul_is_no_digit: \forall char c; c == 0 ==> (unsigned)(c - '0') > 9;
  @*/

/*@ requires is_string(s);
  @ assigns \result \from s[0 .. rest(s)];
  @*/
static int number(const char *s);

#include <linux/elf.h>

#include "../../dmz/action.h"

enum { MOST_ACTIONS = 4 };

/* The image as far as the stub reads it, at an address that Frama-C chooses. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	struct dmz_action actions[MOST_ACTIONS + 1];
} image;

#undef DMZ_BASE
#define DMZ_BASE ((unsigned long)&image)

#include "../../dmz/_dmz.c"

#include <__fc_builtin.h>

enum { LONGEST = 131072, SHORTEST_ARGC = 4 };
#define LARGEST_ARGC 0x7fffffffL

static char first[LONGEST], other[1];
static struct {
	long argc;
	char *argv[LARGEST_ARGC + 1];
	char *envp[1];
} stack;

/* The calls that were made, in this order. */
static int closes_on_exec, done, action_failed, exec_failed, blocked, written;

static long answer(void)
{
	return Frama_C_long_interval(LONG_MIN, LONG_MAX);
}

long model_fcntl(int fd, int command, int flags)
{
	//@ assert command == F_SETFD && flags == FD_CLOEXEC;
	closes_on_exec = Frama_C_interval(0, 1);
	if (closes_on_exec)
		return Frama_C_long_interval(0, LONG_MAX);
	return Frama_C_long_interval(LONG_MIN, -1);
}

long model_action(unsigned number, long a, long b, long c, long d, long e, long f)
{
	long ret = answer();

	//@ assert closes_on_exec == 1 && action_failed == 0 && exec_failed == 0 && done < MOST_ACTIONS;
	//@ assert image.actions[done].step > DMZ_LAST;
	if (ret < 0 && !(image.actions[done].flags & DMZ_IGNORE_FAILURE))
		action_failed = 1;
	done++;
	return ret;
}

long model_execve(const char *path, char **argv, char **envp)
{
	//@ assert closes_on_exec == 1 && action_failed == 0;
	//@ assert image.segments[1].p_paddr == 0 || image.actions[done].step == DMZ_LAST;
	//@ assert stack.argc >= 4;
	//@ assert path == &other[0] && argv == &stack.argv[3];
	//@ assert envp >= &stack.argv[5];
	exec_failed = 1;
	return answer();
}

long model_rt_sigprocmask(int how, const unsigned long *set, unsigned long *old, size_t size)
{
	//@ assert how == SIG_BLOCK && old == \null && size == 8 && \initialized(set) && *set == 0xffffffffffffffff;
	blocked = 1;
	return answer();
}

/* The record of docs/protocol.md, on little-endian machines. */
long model_write(int fd, const unsigned *record, size_t size)
{
	//@ assert blocked == 1 && written == 0 && size == 16 && \initialized(record + (0 .. 3));
	//@ assert record[0] == 0x017a6d64 && record[3] == 0 && record[2] <= 4095;
	//@ assert exec_failed == 1 ==> record[1] == DMZ_MACHINE;
	//@ assert closes_on_exec == 0 ==> record[1] == DMZ_MACHINE + 0x10000;
	//@ assert action_failed == 1 ==> record[1] % 0x10000 == DMZ_MACHINE && record[1] > 0x10000;
	written = 1;
	return answer();
}

long model_exit_group(int status)
{
	//@ assert exec_failed == 1 ==> (written == 1 && (status == 126 || status == 127));
	//@ assert exec_failed == 0 ==> status == 125;
	//@ assert action_failed == 1 ==> written == 1;
	return answer();
}

void every_stack(void)
{
	Frama_C_make_unknown(first, LONGEST - 1);
	nul = first + LONGEST - 1;
	stack.argv[1] = first;
	stack.argv[2] = other;
	stack.argv[3] = other;
	if (Frama_C_interval(0, 1)) {
		image.segments[1].p_paddr = (unsigned long)image.actions;
		Frama_C_make_unknown((char *)image.actions, MOST_ACTIONS * sizeof(*image.actions));
		for (int i = 0; i < MOST_ACTIONS; i++)
			image.actions[i].step = Frama_C_interval(0, 1) ? Frama_C_interval(0, DMZ_LAST)
							      : Frama_C_interval(DMZ_LAST + 1, 0xffff);
	}
	if (Frama_C_interval(0, 1)) {
		stack.argc = Frama_C_long_interval(SHORTEST_ARGC, LARGEST_ARGC);
		_start_c(&stack.argc);
	}
	stack.argc = Frama_C_long_interval(0, SHORTEST_ARGC - 1);
	_start_c(&stack.argc);
}
