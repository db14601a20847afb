/* SPDX-License-Identifier: MIT */
/* The libraries of a dynamic program, as its loader finds them. Which loader that is, is read from the loader itself. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "explain/program/walk.h"

/* Then AT_SECURE is set (cap_bprm_creds_from_file() in the kernel). */
bool ep_gains_rights(const struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link;
	struct ep_capabilities capabilities;

	if (link->nosuid || c->who.no_new_privs)
		return false;
	if (ep_changes_ids(&c->who, link))
		return true;
	return c->who.uid != 0 && ep_file_capabilities(running->fd, &capabilities);
}

/* glibc's loader prints the libraries instead of running the program. */
static bool only_lists(const struct ep_check *c)
{
	const char *value = ep_variable(c, "LD_TRACE_LOADED_OBJECTS");

	return value && *value;
}

/* The level of this processor counts if the program runs on it natively. */
static unsigned level_for(const struct errpipe_link *link)
{
	return link->machine == EM_X86_64 && ep_support(link) == EP_NATIVE ? ep_cpu_level() : 0;
}

static int stand_in(struct ep_walk *w, enum errpipe_detail detail)
{
	return ep_finding_set(
		w->c, w->running->loader,
		(struct ep_finding){ .cause = ERRPIPE_CAUSE_LOADER_STAND_IN, .status = 127, .detail = detail });
}

static int walk(struct ep_walk *w)
{
	if (w->loader.signs & EP_SIGN_NIXOS_STUB)
		return stand_in(w, ERRPIPE_DETAIL_NIXOS_STUB);
	if (w->loader.signs & EP_SIGN_GLIBC && only_lists(w->c))
		return 0;
	if (w->loader.signs & EP_SIGN_GLIBC && !(w->loader.signs & EP_SIGN_GCOMPAT))
		return ep_glibc(w);
	if (w->is_musl && !(w->loader.signs & EP_SIGN_GCOMPAT))
		return ep_musl(w);
	w->certain = false;
	return 0;
}

/* Returns false if it cannot be read. */
static bool read_object(struct ep_walk *w, int fd, const struct ep_kind *kind)
{
	if (ep_object_header(&w->object, fd, kind) != EP_HEADER_OK)
		return false;
	ep_object_read(&w->object);
	return w->object.has_dynamic;
}

/* The loader decides which symbols of the program count. */
static bool read_both(struct ep_walk *w)
{
	const struct errpipe_link *link = w->running->link;

	w->kind = (struct ep_kind){ link->elf_class, link->elf_data, link->machine };
	if (!read_object(w, w->running->loader_fd, &w->kind))
		return false;
	ep_loader_text(&w->loader, &w->object);
	w->has_hard_float = ep_elf_flags(&w->object.elf) & EF_ARM_ABI_FLOAT_HARD;
	w->is_musl = w->loader.signs & EP_SIGN_MUSL;
	if (!read_object(w, w->running->fd, &w->kind))
		return false;
	ep_walk_program(w);
	if (!read_object(w, w->running->loader_fd, &w->kind))
		return false;
	ep_walk_loader(w);
	return true;
}

static int check(struct ep_walk *w)
{
	int ret;

	if (!read_both(w)) {
		w->certain = false;
		return 0;
	}
	ret = walk(w);
	ep_cache_forget(&w->cache);
	return ret;
}

/* Called by its own name, the loader loads the program in its first argument. */
static bool is_loader(const struct ep_check *c, const struct errpipe_link *link)
{
	enum ep_libc libc;

	return link->resolved && ep_libc_of(link->path, &libc) && c->question->argv && c->question->argv[0] &&
	       c->question->argv[1];
}

int ep_libraries(struct ep_check *c, const struct ep_running *running)
{
	struct ep_walk *w;
	int ret;

	c->ex->libraries = c->ex->more_libraries = 0;
	c->doubts = !running->loader && is_loader(c, running->link);
	if (!running->loader)
		return 0;
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		return 0;
	w->c = c;
	w->running = running;
	w->secure = ep_gains_rights(c, running);
	w->certain = c->question->envp;
	w->level = level_for(running->link);
	w->room = (struct ep_symbol_room){ .words = w->words, .max = EP_WORDS_MAX };
	ret = check(w);
	if (w->given_up && !w->failed)
		ret = 0;
	/* Without a given environment, assume an empty one. */
	c->doubts = c->question->envp && (!w->certain || w->given_up);
	munmap(w, sizeof(*w));
	return ret;
}
