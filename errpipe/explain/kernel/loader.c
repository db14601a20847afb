/* SPDX-License-Identifier: MIT */
/* The loader is missing: open_exec() in the kernel's fs/exec.c, which load_elf_binary() calls, fails with ENOENT. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "explain/kernel/kernel.h"

/* os-release(5) */
static bool has_id_of_nixos(struct ep_check *c)
{
	int fd = ep_open_for_hint(c, "/etc/os-release");
	char text[4096] = "\n";
	ssize_t n;

	if (fd < 0)
		return false;
	n = ep_pread(fd, text + 1, sizeof(text) - 3, 0);
	close(fd);
	strcpy(text + 1 + (n < 0 ? 0 : n), "\n");
	return strstr(text, "\nID=nixos\n");
}

const struct ep_loader *ep_find_other_loader(struct ep_check *c, const char *architecture, enum ep_libc libc)
{
	const struct ep_loader *loader = NULL;

	do
		loader = ep_next_loader(loader, architecture, libc);
	while (loader && !ep_exists(c, loader->path));
	return loader;
}

static bool there_is(struct ep_check *c, enum errpipe_detail detail, const char *loader)
{
	ep_finding_refine(
		c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_LOADER_MISSING, .detail = detail, .object = loader });
	return true;
}

/* With a merged /usr, "/lib64" is a symbolic link, which copies and archives lose. Otherwise the program has a path of elsewhere. */
static bool refine_to_own_libc(struct ep_check *c, const char *path, const char *architecture)
{
	const struct ep_loader *loader = NULL;
	const char *merged = ep_keep(c, "/usr%s", path);
	enum ep_libc libc;

	if (ep_known_loader(path, architecture) && ep_exists(c, merged))
		return there_is(c, ERRPIPE_DETAIL_LOADER_UNMERGED, merged);
	if (!ep_libc_of(path, &libc))
		return false;
	while ((loader = ep_next_loader(loader, architecture, EP_NO_LIBC))) {
		if (loader->libc == libc && strcmp(loader->path, path) != 0 && ep_exists(c, loader->path))
			return there_is(c, ERRPIPE_DETAIL_LOADER_ELSEWHERE, loader->path);
	}
	return false;
}

static bool refine_to_other_libc(struct ep_check *c, const char *path, const char *architecture)
{
	const struct ep_loader *other;
	enum ep_libc libc;

	other = ep_libc_of(path, &libc) ? ep_find_other_loader(c, architecture, libc) : NULL;
	if (!other)
		return false;
	ep_finding_refine(c, (struct ep_finding){
				     .cause = ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC,
				     .object = other->path,
				     .needs_libc = ep_libc_name(libc),
				     .has_libc = ep_libc_name(other->libc),
			     });
	return true;
}

/* The package with a loader that is known. For a foreign program it is one of another architecture. */
static void find_package(struct ep_check *c, const struct ep_loader *loader, const struct errpipe_link *program,
			 struct ep_finding *missing)
{
	const struct ep_machine *machine = ep_machine(program->machine, program->elf_class, program->elf_data);

	if (ep_support(program) != EP_NATIVE)
		missing->object = ep_foreign_package(c, loader, machine);
	if (missing->object) {
		missing->cause = ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI;
		missing->detail = ERRPIPE_DETAIL_PACKAGE;
		return;
	}
	missing->object = ep_package(loader, machine);
	if (missing->object)
		missing->detail = loader->libc == EP_GLIBC ? ERRPIPE_DETAIL_GLIBC_PACKAGE : ERRPIPE_DETAIL_PACKAGE;
}

/* Its programs have their loader in the store. */
static bool is_nixos(struct ep_check *c)
{
	return ep_exists(c, "/nix/store") && (ep_exists(c, "/etc/NIXOS") || has_id_of_nixos(c));
}

/* A build script has left a blank or a line feed at the end. */
static bool refine_to_blank(struct ep_check *c, const char *path)
{
	size_t length = strlen(path), end = length;
	const char *loader;

	while (end && strchr(" \t\r\n", path[end - 1]))
		end--;
	loader = ep_keep(c, "%.*s", (int)end, path);
	return end < length && ep_exists(c, loader) && there_is(c, ERRPIPE_DETAIL_LOADER_BLANK, loader);
}

void ep_loader_missing(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_link *program)
{
	const struct ep_loader *loader = ep_known_loader(link->path, program->architecture);
	struct ep_finding missing = { .cause = ERRPIPE_CAUSE_LOADER_MISSING };

	if (refine_to_blank(c, link->path))
		return;
	missing.detail = ep_loader_origin(link->path, &missing.object);
	if (!missing.detail && (refine_to_own_libc(c, link->path, program->architecture) ||
				refine_to_other_libc(c, link->path, program->architecture)))
		return;
	if (!missing.detail && loader && is_nixos(c))
		missing.detail = ERRPIPE_DETAIL_ON_NIXOS;
	if (!missing.detail && loader)
		find_package(c, loader, program, &missing);
	ep_finding_refine(c, missing);
}

/* qemu-user's exit status is exit(-1)'s (load_elf_interp() in its linux-user/elfload.c). Another emulator's is not known. */
void ep_emulated_loader_missing(struct ep_check *c, const struct errpipe_link *link)
{
	enum { STATUS_OF_QEMU = 255 };
	const struct errpipe_link *program = &c->ex->link[link->parent];
	const struct ep_machine *machine;

	if (c->ex->cause != ERRPIPE_CAUSE_MISSING)
		return;
	ep_finding_refine(
		c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_LOADER_MISSING, .detail = ERRPIPE_DETAIL_EMULATED });
	c->ex->status = STATUS_OF_QEMU;
	machine = ep_machine(program->machine, program->elf_class, program->elf_data);
	c->ex->platform = machine ? machine->platform : NULL;
}
