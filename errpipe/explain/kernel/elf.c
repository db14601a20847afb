/* SPDX-License-Identifier: MIT */
/*
 * ELF files as load_elf_binary() in the kernel's fs/binfmt_elf.c takes them, in its order, up to the point of no return:
 * what it finds there gives an errno. Tried with Linux 6.18, read in 6.12.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "explain/facts/elf_file.h"

/* The header's first fields are at the same place in both classes. */
enum { END_OF_MACHINE = 20 };

/* --- the headers ------------------------------------------------------------------------------ */

/* link->size is 0 where the file system does not tell. */
int errpipe__elf_truncated(struct errpipe__case *c, const struct errpipe_link *link, int error, uint64_t needed)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_TRUNCATED_ELF, error, NULL, NULL, link->size, needed);
}

static bool header_is_cut(const struct errpipe__elf *elf)
{
	return elf->head->size < elf->layout->header_size;
}

static int check_headers(struct errpipe__case *c, const struct errpipe_link *link, struct errpipe__elf *elf)
{
	const char *wrong = errpipe__elf_wrong_headers(c, elf);

	if (wrong && header_is_cut(elf))
		return errpipe__elf_truncated(c, link, ENOEXEC, elf->layout->header_size);
	if (wrong)
		return errpipe__broken(c, link, ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, ENOEXEC, NULL, wrong,
				       elf->segment_size, elf->layout->segment_size);
	if (errpipe__elf_has_headers(elf))
		return 0;
	if (elf->error)
		return errpipe__not_read(c, link, ENOEXEC, elf->error);
	return errpipe__elf_truncated(c, link, ENOEXEC, elf->table + errpipe__elf_table_size(elf));
}

static int wrong_type(struct errpipe__case *c, const struct errpipe_link *link)
{
	static const enum errpipe_cause causes[] = {
		[ET_REL] = ERRPIPE_CAUSE_OBJECT_FILE, [ET_CORE] = ERRPIPE_CAUSE_CORE_DUMP
	};
	enum errpipe_cause cause = ERRPIPE_CAUSE_NONE;

	if (link->type < sizeof(causes) / sizeof(*causes))
		cause = causes[link->type];
	if (!cause)
		cause = ERRPIPE_CAUSE_BAD_ELF_TYPE;
	return errpipe__broken(c, link, cause, ENOEXEC, NULL, NULL, link->type, 0);
}

static bool is_executable_type(unsigned type)
{
	return type == ET_EXEC || type == ET_DYN;
}

/* compat_elf_check_arch() in arch/arm64/kernel: no programs of before the EABI. */
static bool is_old_arm(const struct errpipe__elf *elf, const struct errpipe_link *link)
{
	return link->machine == EM_ARM && !(errpipe__elf_flags(elf) & 0xff000000);
}

/* What a kernel needs to run such programs, for the advice; NULL: unknown. */
static const char *needs(const struct errpipe_link *link)
{
	if (link->machine == EM_386 || link->machine == 6 /* EM_486 */)
		return "CONFIG_IA32_EMULATION, and must not boot with ia32_emulation=off";
	if (errpipe__is_x32(link))
		return "CONFIG_X86_X32_ABI, and in Debian must boot with syscall.x32=y";
	if (link->machine == EM_ARM)
		return "CONFIG_COMPAT, and a processor with AArch32";
	if (link->machine == EM_S390)
		return "CONFIG_COMPAT";
	return NULL;
}

int errpipe__no_compatibility(struct errpipe__case *c, const struct errpipe_link *link)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_NO_COMPATIBILITY, ENOEXEC, NULL, needs(link), 0, 0);
}

static int check_compatibility(struct errpipe__case *c, struct errpipe_link *link, const struct errpipe__elf *elf)
{
	enum errpipe__answer runs = ERRPIPE__NO;

	if (!is_old_arm(elf, link))
		runs = errpipe__runs(link, errpipe__elf_flags(elf));
	if (runs == ERRPIPE__NO)
		return errpipe__no_compatibility(c, link);
	if (runs == ERRPIPE__NOT_KNOWN) {
		c->untried = link;
		c->ex->certainty = ERRPIPE_LIKELY;
	}
	return 0;
}

static int check_architecture(struct errpipe__case *c, struct errpipe_link *link, const struct errpipe__elf *elf)
{
	switch (errpipe__support(link)) {
	case ERRPIPE__FOREIGN:
		return errpipe__foreign(c, link, elf->head);
	case ERRPIPE__COMPATIBLE:
		return check_compatibility(c, link, elf);
	case ERRPIPE__NATIVE:
		break;
	}
	return 0;
}

/* --- the loader's name ------------------------------------------------------------------------ */

static int bad_name(struct errpipe__case *c, const struct errpipe_link *link, int error, const char *object)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_BAD_LOADER_NAME, error, NULL, object, 0, 0);
}

/* An empty name is the working directory to the kernel, hence EACCES. */
static int read_name(struct errpipe__case *c, const struct errpipe_link *link, const struct errpipe__elf *elf,
		     const struct errpipe__segment *segment, struct errpipe__next *next)
{
	uint64_t size = segment->file_size;
	char name[PATH_MAX];
	ssize_t n;

	if (size < 2)
		return bad_name(c, link, ENOEXEC, size ? "it has 1 byte, and the kernel requires 2" : "it is empty");
	if (size > sizeof(name))
		return bad_name(
			c, link, ENOEXEC,
			errpipe__keep(c, "it has %llu bytes, more than %d", (unsigned long long)size, PATH_MAX));
	if (segment->offset > INT64_MAX - size)
		return bad_name(c, link, EINVAL, "it is at an impossible place in the file");
	n = errpipe__pread(elf->fd, name, size, segment->offset);
	if (n < 0)
		return errpipe__not_read(c, link, -n, -n);
	if (n < (ssize_t)size)
		return errpipe__elf_truncated(c, link, EIO, segment->offset + size);
	if (name[size - 1] != '\0')
		return bad_name(c, link, ENOEXEC, "no NUL ends it");
	if (!*name)
		return bad_name(c, link, EACCES, "it is empty");
	*next = (struct errpipe__next){ ERRPIPE_LINK_LOADER, errpipe__keep(c, "%s", name), false };
	return 0;
}

void errpipe__elf_describe(struct errpipe_link *link, int fd, const struct errpipe__head *head)
{
	struct errpipe__elf elf;

	errpipe__elf_identify(link, head);
	errpipe__elf_open(&elf, link, fd, head);
	link->dynamic = errpipe__elf_has_loader(&elf);
}

int errpipe__elf(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head,
		 struct errpipe__next *next)
{
	struct errpipe__segment segment;
	struct errpipe__elf elf;
	int ret;

	errpipe__elf_identify(link, head);
	errpipe__elf_open(&elf, link, fd, head);
	link->dynamic = errpipe__elf_has_loader(&elf);
	if (head->size < END_OF_MACHINE)
		return errpipe__elf_truncated(c, link, ENOEXEC, elf.layout->header_size);
	if (!is_executable_type(link->type))
		return wrong_type(c, link);
	ret = check_architecture(c, link, &elf);
	if (ret == 0 && check_headers(c, link, &elf) < 0)
		return -1;
	if (link->dynamic) {
		errpipe__elf_find(&elf, 0, PT_INTERP, &segment);
		if (read_name(c, link, &elf, &segment, next) < 0)
			return -1;
	}
	return ret;
}

/* --- the loader ------------------------------------------------------------------------------- */

static int invalid_loader(struct errpipe__case *c, const struct errpipe_link *link, int error, const char *object)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_INVALID, error, NULL, object, 0, 0);
}

/* The kernel tries one class after the other, and takes any machine of that (EM_386 and EM_486, say). */
static bool is_of_same_kind(const struct errpipe_link *link, const struct errpipe_link *program)
{
	if (link->elf_class != program->elf_class || link->elf_data != program->elf_data)
		return false;
	return link->machine == program->machine ||
	       (errpipe__class_for_kernel(link->machine, link->elf_class) == link->elf_class &&
		errpipe__is_x32(link) == errpipe__is_x32(program));
}

/* A header of the program's class must be there. Whether the rest is right, only the headers of the segments tell. */
int errpipe__elf_loader(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head)
{
	const struct errpipe_link *program = link - 1;
	const char *wrong;
	struct errpipe__elf elf;

	if (head->size < errpipe__elf_header_size(program->elf_class))
		return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_TOO_SHORT, EIO, NULL, NULL, head->size, 0);
	if (link->format != ERRPIPE_FORMAT_ELF)
		return invalid_loader(c, link, ELIBBAD, errpipe__format_object(c, link->format));
	errpipe__elf_identify(link, head);
	errpipe__elf_open(&elf, link, fd, head);
	if (!is_of_same_kind(link, program))
		return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE, ELIBBAD, NULL, NULL, 0, 0);
	wrong = errpipe__elf_wrong_headers(c, &elf);
	if (wrong)
		return invalid_loader(c, link, ELIBBAD,
				      errpipe__keep(c, "an ELF file with wrong program headers (%s)", wrong));
	if (!errpipe__elf_has_headers(&elf) && elf.error)
		return errpipe__not_read(c, link, ELIBBAD, elf.error);
	if (!errpipe__elf_has_headers(&elf))
		return invalid_loader(c, link, ELIBBAD, "an ELF file that is cut off");
	link->dynamic = errpipe__elf_has_loader(&elf);
	return 0;
}
