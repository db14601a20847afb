/* SPDX-License-Identifier: MIT */
/* What the files of explain share with each other and with nobody else. */
#ifndef ERRPIPE_EXPLAIN_INTERNAL_H
#define ERRPIPE_EXPLAIN_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/common.h"
#include "errpipe_explain.h"

#pragma GCC visibility push(hidden)

/* As much of a file as the kernel looks at first (BINPRM_BUF_SIZE in the kernel's uapi/linux/binfmts.h). */
enum { EP_HEAD_SIZE = 256 };

/* What is being explained. */
struct ep_case {
	const struct errpipe_question *question;
	struct errpipe_explanation *ex;
	int root;		/* O_PATH */
	struct errpipe_who who; /* of the question, or the caller's */
	bool own_identity;	/* who is the caller, so the kernel can be asked */
	unsigned steps;		/* system calls that may still be made to look up paths and to list directories */
	uint64_t data;		/* how much of RLIMIT_DATA the segments so far take */
	const struct errpipe_link *untried; /* the program, if the kernel may not run its kind; or NULL */
	int asks; /* 1: the kernel can be asked by AT_EXECVE_CHECK; -1: it cannot; 0: not known yet */
};

/* The first bytes of a file. */
struct ep_head {
	unsigned char bytes[EP_HEAD_SIZE]; /* zeros behind size */
	size_t size;
};

/* The file that the kernel takes next. */
struct ep_next {
	enum errpipe_link_kind kind; /* 0: none, this one is run */
	const char *path;	     /* kept */
	bool opened;		     /* a handler that was opened when it was registered: its path does not matter */
};

/* facts/directory.c: openat(2), close-on-exec and above 2. Returns a descriptor, or a negative errno. */
int ep_openat(int directory, const char *name, int flags);

/*
 * facts/directory.c: read a small file that the kernel makes up, not through a link. The text ends in a NUL within size. Returns
 * its length, or a negative errno.
 */
ssize_t ep_read_text(int directory, const char *name, char *text, size_t size);

/*
 * facts/directory.c: call each for at most max entries of a directory, but for "." and "..", until it returns something else than 0.
 * Returns that, or 0, or a negative errno.
 */
int ep_entries(int directory, unsigned max, int (*each)(void *context, const char *name), void *context);

/* explain.c: keep a string as long as the explanation; cut where there is no more room. Never NULL. */
__attribute__((format(printf, 2, 3))) const char *ep_keep(struct ep_case *c, const char *format, ...);

/*
 * explain.c: the link is broken, or, with NULL, none is: an exec gives that errno, or 0 if the kernel kills the process.
 * subject and object are kept already, or constant, or NULL. Returns -1, as all functions here do then. Only the first
 * time counts.
 */
int ep_broken(struct ep_case *c, const struct errpipe_link *link, enum errpipe_cause cause, int error,
	      const char *subject, const char *object, uint64_t number, uint64_t limit);

/*
 * kernel/open.c: look up the path of the link, and fill in what there is to know of the file without reading it. Returns an
 * O_PATH descriptor of a regular file that may be executed, or -1: broken.
 */
int ep_find(struct ep_case *c, struct errpipe_link *link);

/* kernel/open.c: open for reading what ep_find() has found. Returns a descriptor, or a negative errno. */
int ep_open(struct ep_case *c, int path_fd);

/* kernel/open.c: is there anything at that path in the root? For hints: nothing is broken by that. */
bool ep_exists(struct ep_case *c, const char *path);

/* kernel/open.c: pread(2) until size bytes are there or the file ends. Returns how many, or a negative errno. */
ssize_t ep_pread(int fd, void *buf, size_t size, uint64_t offset);

/*
 * kernel/permission.c: may it be executed, or, a directory, be searched? NULL: it may. Else for whom not, kept, in words: "its
 * owner (uid 1000)".
 */
const char *ep_may_not(struct ep_case *c, int path_fd, const struct stat *st);

/*
 * kernel/permission.c: the same, and where the kernel can be asked it decides. MAY_NOT: *whom is as above. REFUSED: what can be seen
 * allows it, and the kernel does not.
 */
enum ep_access { EP_MAY, EP_MAY_NOT, EP_REFUSED };
enum ep_access ep_access(struct ep_case *c, int path_fd, const struct stat *st, const char **whom);

/* kernel/permission.c: is there an access control list? */
bool ep_has_acl(int path_fd);

/*
 * kernel/open.c: break the link: to open or read the file gives read_error, and an exec gives error. The process that looks may
 * be the reason. Returns -1.
 */
int ep_not_read(struct ep_case *c, const struct errpipe_link *link, int error, int read_error);

/* kernel/open.c: does that errno mean that the calling process lacks descriptors or memory? */
bool ep_is_own_lack(const struct ep_case *c, int error);

/* kernel/open.c: the limit of the calling process that causes such an error; 0: none. */
uint64_t ep_own_limit(int error);

/*
 * kernel/mounts.c: copy the question with mounts whose paths have no symbolic links. Returns 0, or the errors of mmap(2). After
 * the copy was used, call ep_forget_mounts().
 */
int ep_follow_mounts(struct ep_case *c, struct errpipe_question *followed);
void ep_forget_mounts(struct errpipe_question *followed);

/* facts/mount.c: where the file system of the file is mounted, kept; NULL if that cannot be known. */
const char *ep_mount_point(struct ep_case *c, int path_fd);

/*
 * facts/mount.c: of the mounts of the question, the one that a place in the root, a path without links, is on. *length is how
 * much of that is where it is mounted. NULL: on none.
 */
const struct errpipe_mount *ep_mount_over(const struct errpipe_question *question, const char *place, size_t *length);

/* facts/mount.c: does the question mount something on the root itself? */
bool ep_mounts_root(const struct errpipe_question *question);

/* facts/mount.c: is there a mount of the question below that place? Then who mounts it makes a directory of the place. */
bool ep_mounts_below(const struct errpipe_question *question, const char *place);

/*
 * facts/format.c: what the first bytes are; its name in words, "gzip archive", and as an object, kept, "a gzip archive"; and break
 * the link for what is no program. Returns -1.
 */
enum errpipe_format ep_format(const struct ep_head *head);
const char *ep_format_words(enum errpipe_format format);
const char *ep_format_object(struct ep_case *c, enum errpipe_format format);
int ep_no_program(struct ep_case *c, struct errpipe_link *link);

/* kernel/script.c: the interpreter line. Returns 0 with *next, or -1: broken. */
int ep_script(struct ep_case *c, struct errpipe_link *link, const struct ep_head *head, struct ep_next *next);

/*
 * kernel/elf.c: what the kernel would say of it as a program, up to the loader's name; fd is to read. Returns 0 with *next, or
 * -1: broken; then *next is the loader of a program for another machine.
 */
int ep_elf(struct ep_case *c, struct errpipe_link *link, int fd, const struct ep_head *head, struct ep_next *next);

/* kernel/elf.c: the same of a loader. Returns 0 or -1. */
int ep_elf_loader(struct ep_case *c, struct errpipe_link *link, int fd, const struct ep_head *head);

/* kernel/elf.c: fill in what it is, and no more: a handler takes it. */
void ep_elf_describe(struct errpipe_link *link, int fd, const struct ep_head *head);

/* kernel/elf.c: break the link: this kernel lacks support for its machine, which others of its kind have. Returns -1. */
int ep_no_compatibility(struct ep_case *c, const struct errpipe_link *link);

/* kernel/elf.c: the link is cut off; size bytes are needed. Returns -1. */
int ep_elf_truncated(struct ep_case *c, const struct errpipe_link *link, int error, uint64_t size);

/*
 * kernel/segments.c: what the kernel finds only when it maps the segments of a program or loader that is otherwise right, and then
 * kills the process for. Returns 0 or -1.
 */
int ep_elf_segments(struct ep_case *c, struct errpipe_link *link, int fd, const struct ep_head *head);

/* facts/addresses.c: is that address above the address space of every such process? */
bool ep_is_beyond_addresses(const struct errpipe_link *link, uint64_t address);

/* facts/addresses.c: the largest size that the kernel can map for a link of type ET_DYN. UINT64_MAX: not known. */
uint64_t ep_room(const struct errpipe_link *link, uint64_t alignment);

/* facts/addresses.c: the lowest and the highest address at which the kernel may put a link of type ET_DYN, before it aligns that. */
struct ep_bases {
	uint64_t low, high;
};

struct ep_bases ep_bases(const struct errpipe_link *link, uint64_t size);

/* text.c: the fault of the broken link in a few words, kept. */
const char *ep_broken_words(struct ep_case *c);

/* explain.c: the link is broken already, and this is what it comes to. */
void ep_refine(struct ep_case *c, enum errpipe_cause cause, const char *object);

/* kernel/loader.c: the link, the loader of program, is missing: refine that to what is known of loaders. */
void ep_loader_missing(struct ep_case *c, const struct errpipe_link *link, const struct errpipe_link *program);

/* facts/machine.c: an architecture as ELF has it. */
struct ep_machine {
	unsigned short machine;
	unsigned char elf_class, elf_data; /* 0: any */
	const char *name;		   /* uname(2), qemu: "aarch64" */
	const char *platform;		   /* OCI: "linux/arm64", or NULL */
	const char *debian;		   /* "arm64", or NULL */
};

/* NULL if it is not known. */
const struct ep_machine *ep_machine(unsigned machine, unsigned elf_class, unsigned elf_data);

/* The kernel's own, by uname(2). Never NULL; machine is 0 if it is not known. */
const struct ep_machine *ep_host_machine(void);

/* How the kernel runs programs of that machine. */
enum ep_support {
	EP_NATIVE,
	EP_COMPATIBLE, /* 32-bit, or x32: some kernels run these */
	EP_FOREIGN
};
enum ep_support ep_support(const struct errpipe_link *link);

/* facts/compatible.c: does this kernel run COMPATIBLE programs with those e_flags? An exec tries it. */
enum ep_answer { EP_NOT_KNOWN, EP_YES, EP_NO };
enum ep_answer ep_runs(const struct errpipe_link *link, uint32_t flags);

/* facts/machine.c: the same by a name of uname(2), for a process with or without the personality PER_LINUX32. */
const struct ep_machine *ep_kernel_machine(const char *name, bool told_32_bit);

/*
 * facts/machine.c: of a header with that machine, in the kernel's byte order, and that class: by the layout of which class the
 * kernel reads it, which often does not look at the class. 0: it does not take it.
 */
unsigned ep_class_for_kernel(unsigned machine, unsigned elf_class);

/* x32: ELF32 for x86-64, which has the machine of x86-64. */
bool ep_is_x32(const struct errpipe_link *link);

/* What binfmt_misc has for a file. */
enum ep_binfmt {
	EP_NO_BINFMT,	/* the kernel does not have it */
	EP_NOT_SEEN,	/* it cannot be looked at */
	EP_NOT_MOUNTED, /* nor where it would be */
	EP_NO_HANDLER,
	EP_DISABLED,	 /* the handler is */
	EP_ALL_DISABLED, /* there is a handler, but all of binfmt_misc is */
	EP_ENABLED
};

struct ep_handler {
	enum ep_binfmt binfmt;
	/* From DISABLED on: */
	bool opened;		/* it was opened when it was registered (flag F) */
	char name[256];		/* of the file in binfmt_misc */
	char interpreter[4096]; /* its path */
};

/* facts/binfmt.c: the handler for these bytes, or for this path, in a directory that looks like binfmt_misc. */
void ep_handler_in(int directory, const char *path, const struct ep_head *head, struct ep_handler *handler);

/*
 * facts/binfmt.c: the handler of binfmt_misc that is enabled and takes these bytes, or this name. Returns 1 with *next, or 0.
 */
int ep_handler(struct ep_case *c, const struct errpipe_link *link, const struct ep_head *head, struct ep_next *next);

/*
 * facts/binfmt.c: a foreign program for which there was no handler: fill in ex->binfmt and ex->platform, and break the link:
 * OTHER_ARCHITECTURE or HANDLER_DISABLED. Returns -1.
 */
int ep_foreign(struct ep_case *c, const struct errpipe_link *link, const struct ep_head *head);

/*
 * kernel/process.c: what the kernel looks at before it looks at the file: process limit, arguments; and what the report alone
 * tells: seccomp, the stub. Returns 0 or -1: broken, and no link is.
 */
int ep_before(struct ep_case *c);

/*
 * kernel/arguments.c: are argv and envp too large? After E2BIG they are, or something that was added to them. Returns 0 or -1:
 * broken, and no link is.
 */
int ep_arguments(struct ep_case *c);

/*
 * kernel/process.c: what the kernel looks at between finding the file and reading it: the arguments, if there was no attempt; and
 * ask it, by AT_EXECVE_CHECK, whether it would open that file to exec it. Returns 0 or -1.
 */
int ep_check(struct ep_case *c, struct errpipe_link *link, int path_fd);

/* facts/writers.c: who has the file open for writing, kept: "process 12 (cc1)"; NULL if nobody is seen. */
const char *ep_writers(struct ep_case *c, int path_fd);

/* facts/writers.c: break the link: it is open for writing, by whom? Returns -1. */
int ep_busy(struct ep_case *c, struct errpipe_link *link, int path_fd);

/* kernel/credentials.c: file capabilities, set-id bits that are of no use. Only for the file whose credentials count. Returns 0 or -1. */
int ep_credentials(struct ep_case *c, struct errpipe_link *link, int path_fd);

/* kernel/process.c: fill in ex->modules. */
void ep_modules(struct ep_case *c);

#pragma GCC visibility pop

#endif
