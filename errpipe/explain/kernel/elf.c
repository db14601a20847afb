/* SPDX-License-Identifier: MIT */
/*
 * ELF files: load_elf_binary() in the kernel's fs/binfmt_elf.c, in its order, up to the point of no return. A fault that it
 * finds there gives an errno. Tried with Linux 6.18, read in 6.12.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "explain/facts/elf_file.h"
#include "explain/kernel/kernel.h"

/* The first fields of the header are at the same place in both classes. */
enum { END_OF_MACHINE = 20 };

/* --- the headers ------------------------------------------------------------------------------ */

/* link->size is 0 if the file system does not know it. */
int ep_elf_truncated(struct ep_check *c, const struct errpipe_link *link, struct ep_finding finding)
{
	finding.cause = ERRPIPE_CAUSE_TRUNCATED_ELF;
	finding.number = link->size;
	return ep_finding_set(c, link, finding);
}

static int truncated(struct ep_check *c, const struct errpipe_link *link, int error, uint64_t needed)
{
	return ep_elf_truncated(c, link, (struct ep_finding){ .error = error, .limit = needed });
}

static bool header_is_cut(const struct ep_elf *elf)
{
	return elf->head->size < elf->layout->header_size;
}

static int check_headers(struct ep_check *c, const struct errpipe_link *link, struct ep_elf *elf)
{
	struct ep_finding wrong = { .cause = ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, .error = ENOEXEC };

	wrong.detail = ep_elf_wrong_headers(elf, &wrong.number, &wrong.limit);
	if (wrong.detail && header_is_cut(elf))
		return truncated(c, link, ENOEXEC, elf->layout->header_size);
	if (wrong.detail)
		return ep_finding_set(c, link, wrong);
	if (ep_elf_has_headers(elf))
		return 0;
	if (elf->error)
		return ep_not_read(c, link, ENOEXEC, elf->error);
	return truncated(c, link, ENOEXEC, elf->table + ep_elf_table_size(elf));
}

static int wrong_type(struct ep_check *c, const struct errpipe_link *link)
{
	static const enum errpipe_cause causes[] = {
		[ET_REL] = ERRPIPE_CAUSE_OBJECT_FILE, [ET_CORE] = ERRPIPE_CAUSE_CORE_DUMP
	};
	enum errpipe_cause cause = ERRPIPE_CAUSE_NONE;

	if (link->type < sizeof(causes) / sizeof(*causes))
		cause = causes[link->type];
	if (!cause)
		cause = ERRPIPE_CAUSE_BAD_ELF_TYPE;
	return ep_finding_set(c, link, (struct ep_finding){ .cause = cause, .error = ENOEXEC, .number = link->type });
}

static bool is_executable_type(unsigned type)
{
	return type == ET_EXEC || type == ET_DYN;
}

/* compat_elf_check_arch() in arch/arm64/kernel rejects programs from before the EABI. */
static bool is_old_arm(const struct ep_elf *elf, const struct errpipe_link *link)
{
	return link->machine == EM_ARM && !(ep_elf_flags(elf) & 0xff000000);
}

/* The support that a kernel needs to run such programs, for the advice; 0: unknown. */
static enum errpipe_detail needs(const struct errpipe_link *link)
{
	if (link->machine == EM_386 || link->machine == 6 /* EM_486 */)
		return ERRPIPE_DETAIL_IA32_EMULATION;
	if (ep_is_x32(link))
		return ERRPIPE_DETAIL_X32_ABI;
	if (link->machine == EM_ARM)
		return ERRPIPE_DETAIL_AARCH32;
	if (link->machine == EM_S390)
		return ERRPIPE_DETAIL_COMPAT;
	return 0;
}

int ep_no_compatibility(struct ep_check *c, const struct errpipe_link *link)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_NO_COMPATIBILITY,
				      .error = ENOEXEC,
				      .detail = needs(link),
			      });
}

static int check_compatibility(struct ep_check *c, struct errpipe_link *link, const struct ep_elf *elf)
{
	enum ep_answer runs = EP_NO;

	if (!is_old_arm(elf, link))
		runs = ep_runs(link, ep_elf_flags(elf));
	if (runs == EP_NO)
		return ep_no_compatibility(c, link);
	if (runs == EP_NOT_KNOWN) {
		c->untried = link;
		c->ex->certainty = ERRPIPE_LIKELY;
	}
	return 0;
}

static int check_architecture(struct ep_check *c, struct errpipe_link *link, const struct ep_elf *elf)
{
	switch (ep_support(link)) {
	case EP_FOREIGN:
		return ep_foreign(c, link, elf->head);
	case EP_COMPATIBLE:
		return check_compatibility(c, link, elf);
	case EP_NATIVE:
		break;
	}
	return 0;
}

/* --- the loader's name ------------------------------------------------------------------------ */

static int bad_name(struct ep_check *c, const struct errpipe_link *link, int error, enum errpipe_detail why,
		    uint64_t size)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_BAD_LOADER_NAME,
				      .error = error,
				      .detail = why,
				      .number = size,
				      .limit = why == ERRPIPE_DETAIL_NAME_TOO_LONG ? PATH_MAX : 0,
			      });
}

/* The kernel takes an empty name for the working directory, hence EACCES. */
static int read_name(struct ep_check *c, const struct errpipe_link *link, const struct ep_elf *elf,
		     const struct ep_segment *segment, struct ep_next *next)
{
	uint64_t size = segment->file_size;
	char name[PATH_MAX];
	ssize_t n;

	if (size < 2)
		return bad_name(c, link, ENOEXEC, size ? ERRPIPE_DETAIL_NAME_TOO_SHORT : ERRPIPE_DETAIL_NAME_EMPTY,
				size);
	if (size > sizeof(name))
		return bad_name(c, link, ENOEXEC, ERRPIPE_DETAIL_NAME_TOO_LONG, size);
	if (segment->offset > INT64_MAX - size)
		return bad_name(c, link, EINVAL, ERRPIPE_DETAIL_NAME_MISPLACED, size);
	n = ep_pread(elf->fd, name, size, segment->offset);
	if (n < 0)
		return ep_not_read(c, link, -n, -n);
	if (n < (ssize_t)size)
		return truncated(c, link, EIO, segment->offset + size);
	if (name[size - 1] != '\0')
		return bad_name(c, link, ENOEXEC, ERRPIPE_DETAIL_NAME_UNTERMINATED, size);
	if (!*name)
		return bad_name(c, link, EACCES, ERRPIPE_DETAIL_NAME_EMPTY, size);
	*next = (struct ep_next){ ERRPIPE_LINK_LOADER, ep_keep(c, "%s", name), false };
	return 0;
}

void ep_elf_describe(struct errpipe_link *link, int fd, const struct ep_head *head)
{
	struct ep_elf elf;

	ep_elf_identify(link, head);
	ep_elf_open(&elf, link, fd, head);
	link->dynamic = ep_elf_has_loader(&elf);
}

int ep_elf(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head, struct ep_next *next)
{
	struct ep_segment segment;
	struct ep_elf elf;
	int ret;

	ep_elf_identify(link, head);
	ep_elf_open(&elf, link, fd, head);
	link->dynamic = ep_elf_has_loader(&elf);
	if (head->size < END_OF_MACHINE)
		return truncated(c, link, ENOEXEC, elf.layout->header_size);
	if (!is_executable_type(link->type))
		return wrong_type(c, link);
	ret = check_architecture(c, link, &elf);
	if (ret == 0 && check_headers(c, link, &elf) < 0)
		return -1;
	if (link->dynamic) {
		if (ep_elf_is_debug_file(&elf))
			return ep_finding_set(c, link,
					      (struct ep_finding){
						      .cause = ERRPIPE_CAUSE_DEBUG_FILE,
						      .error = ENOEXEC,
					      });
		ep_elf_find(&elf, 0, PT_INTERP, &segment);
		if (read_name(c, link, &elf, &segment, next) < 0)
			return -1;
	}
	return ret;
}

/* --- the loader ------------------------------------------------------------------------------- */

static int invalid_loader(struct ep_check *c, const struct errpipe_link *link, struct ep_finding finding)
{
	finding.cause = ERRPIPE_CAUSE_LOADER_INVALID;
	finding.error = ELIBBAD;
	return ep_finding_set(c, link, finding);
}

/* The kernel tries one class after the other, and accepts any machine of that class, such as EM_386 and EM_486. */
static bool is_of_same_kind(const struct errpipe_link *link, const struct errpipe_link *program)
{
	if (link->elf_class != program->elf_class || link->elf_data != program->elf_data)
		return false;
	return link->machine == program->machine ||
	       (ep_class_for_kernel(link->machine, link->elf_class) == link->elf_class &&
		ep_is_x32(link) == ep_is_x32(program));
}

/* The file must have room for a header of the program's class. */
int ep_elf_loader(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head)
{
	const struct errpipe_link *program = c->ex->link + link->parent;
	struct ep_finding wrong = { .cause = ERRPIPE_CAUSE_NONE };
	struct ep_elf elf;

	if (head->size < ep_elf_header_size(program->elf_class))
		return ep_finding_set(c, link,
				      (struct ep_finding){
					      .cause = ERRPIPE_CAUSE_LOADER_TOO_SHORT,
					      .error = EIO,
					      .number = head->size,
				      });
	if (link->format != ERRPIPE_FORMAT_ELF)
		return invalid_loader(c, link, wrong);
	ep_elf_identify(link, head);
	ep_elf_open(&elf, link, fd, head);
	if (!is_of_same_kind(link, program))
		return ep_finding_set(c, link,
				      (struct ep_finding){
					      .cause = ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE,
					      .error = ELIBBAD,
				      });
	wrong.detail = ep_elf_wrong_headers(&elf, &wrong.number, &wrong.limit);
	if (!wrong.detail && !ep_elf_has_headers(&elf)) {
		if (elf.error)
			return ep_not_read(c, link, ELIBBAD, elf.error);
		wrong.detail = ERRPIPE_DETAIL_CUT_OFF;
	}
	if (wrong.detail)
		return invalid_loader(c, link, wrong);
	link->dynamic = ep_elf_has_loader(&elf);
	return 0;
}
