/* SPDX-License-Identifier: MIT */
/* The libraries of a dynamic program, as its loader finds them. Which loader that is, is read from the loader itself. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "explain/program/walk.h"

/* Does the exec give it rights that its user does not have? Then AT_SECURE is set (cap_bprm_creds_from_file() in the kernel). */
static bool is_secure(const struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link;
	struct ep_capabilities capabilities;

	if (link->nosuid || c->who.no_new_privs)
		return false;
	if (ep_changes_ids(&c->who, link))
		return true;
	return c->who.uid != 0 && ep_file_capabilities(running->fd, &capabilities);
}

/* It prints the libraries instead of running the program. */
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
	if (w->loader.signs & EP_SIGN_GCOMPAT)
		return 0;
	if (w->loader.signs & EP_SIGN_GLIBC)
		return ep_glibc(w);
	return w->loader.signs & EP_SIGN_MUSL ? ep_musl(w) : 0;
}

/* Returns false if it cannot be read. */
static bool read_object(struct ep_walk *w, int fd, const struct ep_kind *kind)
{
	if (ep_object_header(&w->object, fd, kind) != EP_HEADER_OK)
		return false;
	ep_object_read(&w->object);
	return w->object.has_dynamic;
}

static int check(struct ep_walk *w)
{
	int ret;

	if (!read_object(w, w->running->fd, NULL))
		return 0;
	ep_walk_program(w);
	if (!read_object(w, w->running->loader_fd, &w->kind))
		return 0;
	ep_walk_loader(w);
	ep_loader_text(&w->loader, &w->object);
	ret = walk(w);
	ep_cache_forget(&w->cache);
	return ret;
}

int ep_libraries(struct ep_check *c, const struct ep_running *running)
{
	struct ep_walk *w;
	int ret;

	c->ex->libraries = c->ex->more_libraries = 0;
	if (!running->loader || only_lists(c))
		return 0;
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		return 0;
	w->c = c;
	w->running = running;
	w->secure = is_secure(c, running);
	w->certain = c->question->envp;
	w->level = level_for(running->link);
	ret = check(w);
	if (w->given_up && !w->failed)
		ret = 0;
	munmap(w, sizeof(*w));
	return ret;
}
