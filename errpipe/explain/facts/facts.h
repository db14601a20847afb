/* SPDX-License-Identifier: MIT */
/* Read the files of the chain, /proc and the kernel's state. Nothing in facts/ decides or records a finding. */
#ifndef ERRPIPE_EXPLAIN_FACTS_H
#define ERRPIPE_EXPLAIN_FACTS_H

#include <errno.h>
#include <string.h>

#include "explain/finding.h"

#pragma GCC visibility push(hidden)

/* The part of a file that the kernel looks at first (BINPRM_BUF_SIZE in its uapi/linux/binfmts.h). */
enum { EP_HEAD_SIZE = 256 };

/* The first bytes of a file. */
struct ep_head {
	unsigned char bytes[EP_HEAD_SIZE]; /* zeros after size */
	size_t size;
};

/* --- files and directories -------------------------------------------------------------------- */

/* The last part of a path. */
static inline const char *ep_last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline bool ep_begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The result of open(2) and the like: a descriptor above 2, or a negative errno. */
static inline int ep_opened(int fd)
{
	return fd < 0 ? -errno : ep_above_stderr(fd);
}

/* linux/openat2.h */
enum {
	EP_NO_MAGICLINKS = 0x02, /* RESOLVE_ ... */
	EP_NO_SYMLINKS = 0x04,
	EP_IN_ROOT = 0x10
};

/* file.c: openat2(2) with O_PATH. Returns a descriptor or a negative errno: -ENOSYS also where it may not be used. */
int ep_open_in_root(int root, const char *path, unsigned resolve);

/* file.c: open for reading a regular file that is open with O_PATH. Returns a descriptor, or a negative errno. */
int ep_open_file(struct ep_check *c, int path_fd);

/* file.c: read the first bytes. Returns 0, or a negative errno. */
int ep_read_head(int fd, struct ep_head *head);

/* file.c: pread(2) until size bytes are there or the file ends. Returns how many, or a negative errno. */
ssize_t ep_pread(int fd, void *buf, size_t size, uint64_t offset);

/* file.c: are both the same file? */
bool ep_is_same_file(int fd, const struct stat *st);

/* directory.c: openat(2), close-on-exec and above 2. Returns a descriptor, or a negative errno. */
int ep_openat(int directory, const char *name, int flags);

/*
 * directory.c: read a small file that the kernel makes up, not through a symbolic link. The text ends in a NUL within
 * size. Returns its length, or a negative errno.
 */
ssize_t ep_read_text(int directory, const char *name, char *text, size_t size);

/* directory.c: the number that such a file begins with; 0 if it cannot be read. */
uint64_t ep_read_number(const char *path);

/*
 * directory.c: call each for at most max entries of a directory, without "." and "..", until it returns nonzero. Returns
 * that, or 0, or a negative errno.
 */
int ep_entries(int directory, unsigned max, int (*each)(void *context, const char *name), void *context);

/* shortage.c: does that errno mean that the calling process lacks descriptors or memory? */
bool ep_is_own_lack(const struct ep_check *c, int error);

/* shortage.c: the limit of the calling process that causes such an error; 0: none. */
uint64_t ep_own_limit(int error);

/* --- the file's surroundings ------------------------------------------------------------------ */

/* mount.c: where the file system of the file is mounted, kept: in the root, and as the caller sees it. NULL if unknown. */
const char *ep_mount_point(struct ep_check *c, int path_fd);
const char *ep_mount_point_here(struct ep_check *c, int path_fd);

/*
 * mount.c: the mount of the question that covers a place in the root, which is a path without symbolic links. *length is
 * the length of its mount point within that path. NULL: none.
 */
const struct errpipe_mount *ep_mount_over(const struct errpipe_question *question, const char *place, size_t *length);

/* mount.c: the caller's path of a place in the root, which is a path without symbolic links; kept. NULL: unknown. */
const char *ep_here(struct ep_check *c, const char *place);

/* mount.c: does the question mount something on the root itself? */
bool ep_mounts_root(const struct errpipe_question *question);

/* mount.c: does the question mount something below that place? The runtime then makes the place a directory. */
bool ep_mounts_below(const struct errpipe_question *question, const char *place);

/* acl.c: an access control list as its extended attribute has it. */
struct ep_acl {
	unsigned char bytes[4 + 1024 * 8];
	size_t entries; /* 0: there is no list */
};

/* The tags of linux/posix_acl.h. */
enum ep_acl_tag {
	EP_ACL_USER_OBJ = 0x01,
	EP_ACL_USER = 0x02,
	EP_ACL_GROUP_OBJ = 0x04,
	EP_ACL_GROUP = 0x08,
	EP_ACL_MASK = 0x10,
	EP_ACL_OTHER = 0x20
};

struct ep_acl_entry {
	unsigned tag, permissions, id;
};

void ep_read_acl(int path_fd, struct ep_acl *acl);
struct ep_acl_entry ep_acl_entry(const struct ep_acl *acl, size_t index);
bool ep_has_acl(int path_fd);

/* capabilities.c: the capabilities of a file. */
struct ep_capabilities {
	bool effective;
	uint64_t permitted, inheritable;
};

/* Returns whether the file has any. */
bool ep_file_capabilities(int path_fd, struct ep_capabilities *file);

/* capabilities.c: the bits of all known capabilities. */
uint64_t ep_known_capabilities(void);

/* capabilities.c: the names of a set, as in "cap_net_raw, cap_chown", kept. */
const char *ep_capability_names(struct ep_check *c, uint64_t set);

/* writers.c: the processes that have the file open for writing, as far as /proc shows them. Names are kept. */
void ep_find_writers(struct ep_check *c, int path_fd, struct errpipe_writers *writers);

/*
 * modules.c: fill in ex->modules. Returns those that give this errno, kept; NULL: none. A guess leaves out those that have
 * rules only where a program was loaded for that.
 */
enum ep_refusal { EP_SEEN, EP_GUESSED };
const char *ep_modules_for(struct ep_check *c, int error, enum ep_refusal refusal);

/* environment.c: the value of a variable; NULL: not set, or not known. The first of several counts, as in getenv(3). */
const char *ep_variable(const struct ep_check *c, const char *name);

/* environment.c: the strings of argv or envp, which may be NULL. */
struct errpipe_strings ep_strings(char *const *strings);

/* environment.c: do most bytes of the environment describe the services of a Kubernetes namespace? */
bool ep_has_service_links(char *const *env);

/* environment.c: were most bytes of the environment set by a CI service, such as GitLab? */
bool ep_has_ci_variables(char *const *env);

/* environment.c: how the names begin that have more than half of the environment, kept, as in "CI_*"; NULL: no such prefix. */
const char *ep_main_prefix(struct ep_check *c, char *const *env);

/* --- env(1) ----------------------------------------------------------------------------------- */

/* split.c: words, which need not come from one string. The caller provides the room. */
struct ep_words {
	char **word;
	size_t count, max;
	char *bytes;
	size_t used, size;
	bool in_word;	     /* the last word may go on */
	bool is_full;	     /* there was no room for all of it */
	const char *culprit; /* of a fault, and its length */
	size_t culprit_length;
};

enum ep_split_fault {
	EP_SPLIT_DONE = 0,
	EP_SPLIT_UNKNOWN, /* too long, or it needs an environment that is not known */
	EP_SPLIT_QUOTE,	  /* a quote is not closed */
	EP_SPLIT_BACKSLASH,
	EP_SPLIT_VARIABLE /* a "$" that is not part of ${NAME} */
};

/* split.c: add the words of a text as -S of env(1) does, with variables of envp, which may be NULL. */
enum ep_split_fault ep_split(struct ep_words *words, const char *text, char *const *envp);

/* env_program.c: the implementations of env(1), by their options. */
enum ep_env_kind {
	EP_ENV_NONE,	/* it is another program */
	EP_ENV_GNU,	/* coreutils since 8.30, and uutils */
	EP_ENV_OLD_GNU, /* without -S */
	EP_ENV_BUSYBOX,
	EP_ENV_TOYBOX
};

/* By its path without symbolic links: can the file be env(1) at all? */
bool ep_may_be_env(const char *resolved);

/* By the same: is it many programs in one file, such as busybox? */
bool ep_is_one_of_many(const char *resolved);

/*
 * The file with that path, open for reading, is started with these arguments. *skip is the number of arguments before
 * those of env: 1, or 2 for "busybox env".
 */
enum ep_env_kind ep_env_program(const char *resolved, int fd, char *const *argv, size_t *skip);

/* env_program.c: does the file contain that string, with a NUL at both ends? Only its first megabytes are read. */
bool ep_contains_name(int fd, const char *name);

/* env_program.c: is that the name of an applet of this busybox? */
bool ep_has_applet(int fd, const char *name);

/* env_call.c: what the arguments of env(1) ask for. */
struct ep_env_call {
	bool clears;	       /* -i */
	const char *directory; /* -C; or NULL */
	char **unset;	       /* the names of -u, as many as unset_count; the caller provides the room */
	size_t unset_count;
	char **set; /* NAME=VALUE, as many as set_count */
	size_t set_count;
	char **command; /* ends in NULL; empty: env prints the environment */
	enum errpipe_detail fault;
	const char *object; /* of the fault */
	size_t object_length;
	char letter;	 /* of an option that it lacks; of a long option, the byte that no name has */
	bool is_unknown; /* what env does is not known */
};

/*
 * arguments are those after env's own name. Before them is room for as many pointers as words->max, because the words of
 * -S are put there.
 */
void ep_env_call(struct ep_env_call *call, enum ep_env_kind kind, char **arguments, struct ep_words *words,
		 char *const *envp);

/* shell_call.c: by its path without symbolic links, can the file be a shell whose builtins are known? */
bool ep_may_be_shell(const char *resolved);

/* shell_call.c: the simple command that a shell with these arguments finds along PATH; NULL: another call. */
const char *ep_shell_command(char *const *argv, char *const *envp);

/* --- what a file is --------------------------------------------------------------------------- */

/* format.c: recognize a file by its first bytes. */
enum errpipe_format ep_format(const struct ep_head *head);

/* Bytes somewhere in a file, see span.h. */
struct ep_span {
	const char *at;
	size_t size;
};

/* This much of a file is read to find out what it is. */
enum { EP_TEXT_SIZE = 4096 };

/* The beginning of a text. */
struct ep_text {
	struct ep_span all; /* without a byte order mark */
	bool whole;	    /* the file has no more than this */
	const char *path;   /* of the file: the ending of its name can be a sign */
};

/* text_kind.c: what a text is. UNKNOWN: it may be a script for a shell. */
enum errpipe_content ep_text_content(const struct ep_text *text);

/* named_text.c: the kind of a text, by the name of its file and its lines; UNKNOWN: none of these kinds. */
enum errpipe_content ep_named_content(const struct ep_text *text);

/* language.c: the language of a script, if it is not that of the shell. UNKNOWN: none of those. SOURCE: one of several. */
enum errpipe_content ep_language(const struct ep_text *text);

/* language.c: the command that runs such scripts; NULL: none. */
const char *ep_interpreter_of(enum errpipe_content language);

/* language.c: does a text begin like a script for a shell? */
bool ep_is_shell(const struct ep_text *text);

/* language.c: does a line of a shell's script end the shell? */
bool ep_ends_shell(struct ep_span line);

/* language.c: does a script for a shell have lines that sh does not always understand, but bash does? */
bool ep_is_bash(const struct ep_text *text);

/* damaged_line.c: a #! line that the kernel does not take for one. */
struct ep_damaged_line {
	enum errpipe_detail detail;
	uint64_t number;     /* its line or column, from 1, if that is the fault */
	struct ep_span rest; /* what follows "#!", without blanks at its ends */
};
bool ep_find_damaged_line(struct ep_span text, struct ep_damaged_line *found);

/* damaged_line.c: is the name or path, without a version at its end, that of an interpreter? */
bool ep_is_interpreter(struct ep_span path);

/* typography.c: the length of a dash in UTF-8 that is not a hyphen, or of a blank other than " "; 0: none there. */
size_t ep_dash_length(const char *text);
size_t ep_other_blank_length(const char *text);

/* typography.c: is it a byte of ASCII? */
bool ep_is_ascii(char byte);

/* typography.c: the first of these bytes that no program has in the name of an option, such as a blank; or NULL. */
const char *ep_not_in_option(const char *text, size_t length);

/* typography.c: the character of ASCII that the first one, of that length, looks like; or its first byte itself. */
char ep_ascii_of(const char *text, size_t *length);

/* binary_kind.c: a file that begins like a Windows program, but is one that Windows does not run by itself. UNKNOWN: it is not. */
enum errpipe_content ep_windows_content(int fd);

/* binary_kind.c: what kind of archive, data, or relocatable ELF file it is; UNKNOWN: none that has a name of its own. */
enum errpipe_content ep_archive_content(int fd, const struct ep_head *head, const struct errpipe_link *link);
enum errpipe_content ep_data_content(int fd, const struct ep_head *head);
enum errpipe_content ep_object_content(int fd, const struct ep_head *head, const struct errpipe_link *link);

/* binary_kind.c: how many NULs a file of that size begins with, as far as it is read. */
uint64_t ep_leading_nuls(int fd, uint64_t size);

/* binary_kind.c: has a transfer converted a program as text? RETURNS_ADDED, NO_UTF_8, or 0. */
enum errpipe_detail ep_conversion(int fd);

/* binary_kind.c: does an ELF file have the magic of AppImages? */
bool ep_is_appimage(const struct ep_head *head);

/* binary_kind.c: another system that such programs are for; NULL: Linux, or unknown. */
const char *ep_elf_system(unsigned abi);

/* binary_kind.c: the machines of a Mach-O file, kept; NULL: unknown. */
const char *ep_mach_o_machines(struct ep_check *c, const struct ep_head *head);

/* machine.c: an architecture as ELF has it. */
struct ep_machine {
	unsigned short machine;
	unsigned char elf_class, elf_data; /* 0: any */
	const char *name;		   /* uname(2), qemu: "aarch64"; NULL: unknown */
	const char *platform;		   /* OCI: "linux/arm64", or NULL */
	const char *debian;		   /* "arm64", or NULL */
};

/* machine.c: NULL if unknown. */
const struct ep_machine *ep_machine(unsigned machine, unsigned elf_class, unsigned elf_data);

/* machine.c: the kernel's own, by uname(2). Never NULL; its number is 0 if it is unknown. */
const struct ep_machine *ep_host_machine(void);

/* machine.c: the same by a name of uname(2), for a process with or without the personality PER_LINUX32. */
const struct ep_machine *ep_kernel_machine(const char *name, bool told_32_bit);

/* machine.c: such as 6012; 0: unknown. A stable kernel may have fixes of later versions, which this does not show. */
unsigned ep_kernel_version(void);

/* machine.c: how the kernel runs programs of that machine. */
enum ep_support {
	EP_NATIVE,
	EP_COMPATIBLE, /* 32-bit, or x32: some kernels run these */
	EP_FOREIGN
};
enum ep_support ep_support(const struct errpipe_link *link);

/*
 * machine.c: the class by whose layout the kernel reads a header with that machine, in its own byte order, and that
 * class. It often ignores the class. 0: it does not take the file.
 */
unsigned ep_class_for_kernel(unsigned machine, unsigned elf_class);

/* machine.c: x32 is ELF32 with the machine of x86-64. */
bool ep_is_x32(const struct errpipe_link *link);

/* compatible.c: does this kernel run COMPATIBLE programs with those e_flags? An exec tries it. */
enum ep_answer { EP_NOT_KNOWN, EP_YES, EP_NO };
enum ep_answer ep_runs(const struct errpipe_link *link, uint32_t flags);

/* passwd.c: does this file, open for reading, have a user with this number? NOT_KNOWN also if it is long. */
enum ep_answer ep_has_user(int fd, uid_t uid);

/* cpu.c: 1 to 4 for x86-64-v1 to v4; 0: another processor. */
unsigned ep_cpu_level(void);

/* emulator.c: can qemu-user run programs of that machine, and is it installed here? */
enum ep_emulator { EP_NO_EMULATOR, EP_IN_PACKAGE, EP_INSTALLED };
struct ep_emulator_path {
	char text[128];
};
enum ep_emulator ep_find_emulator(const struct ep_machine *machine, struct ep_emulator_path *path);

/* addresses.c: is that address above the address space of every such process? */
bool ep_is_beyond_addresses(const struct errpipe_link *link, uint64_t address);

/* addresses.c: the largest size that the kernel can map for a link of type ET_DYN. UINT64_MAX: unknown. */
uint64_t ep_room(const struct errpipe_link *link, uint64_t alignment);

/* addresses.c: the lowest and the highest address at which the kernel may put a link of type ET_DYN, before it aligns that. */
struct ep_bases {
	uint64_t low, high;
};

struct ep_bases ep_bases(const struct errpipe_link *link, uint64_t size);

/* binfmt.c: what binfmt_misc has for a file. */
struct ep_handler {
	enum errpipe_binfmt binfmt;
	/* Only for a handler that is disabled or enabled: */
	bool opened;		/* it was opened when it was registered (flag F) */
	bool is_for_windows;	/* its magic is "MZ" */
	char name[256];		/* of the file in binfmt_misc */
	char interpreter[4096]; /* its path */
	/*
	 * Only with NO_HANDLER: an enabled one for the same machine that differs from the file only between first and last,
	 * which are no part of what makes a program one for that machine. 0: none; name is its name.
	 */
	unsigned char first, last;
};

/* binfmt.c: is a handler with this name registered, enabled or not? */
bool ep_handler_exists(const char *name);

/* binfmt.c: the handler for these bytes, or for this path, in a directory that looks like binfmt_misc. */
void ep_handler_in(int directory, const char *path, const struct ep_head *head, struct ep_handler *handler);

/* binfmt.c: the same of the mounted binfmt_misc. */
void ep_find_handler(const char *path, const struct ep_head *head, struct ep_handler *handler);

/* binfmt_d.c: the file of binfmt.d(5) with a handler for these bytes whose program exists, kept; NULL: none. */
const char *ep_find_configured(struct ep_check *c, const struct ep_head *head);

/* libc.c: a C library's loader, by its path. */
enum ep_libc { EP_GLIBC, EP_MUSL, EP_UCLIBC, EP_BIONIC, EP_NO_LIBC };

struct ep_loader {
	const char *architecture, *path;
	enum ep_libc libc;
};

/* libc.c: "glibc" */
const char *ep_libc_name(enum ep_libc libc);

/* libc.c: the loader with that path for programs of the architecture, or NULL. */
const struct ep_loader *ep_known_loader(const char *path, const char *architecture);

/* libc.c: the C library that a loader's file name shows, wherever the file is. Returns false if unknown. */
bool ep_libc_of(const char *path, enum ep_libc *libc);

/* libc.c: the next known loader of another C library for that architecture, after the one before; NULL: none. */
const struct ep_loader *ep_next_loader(const struct ep_loader *before, const char *architecture, enum ep_libc not );

/* libc.c: for a loader that comes with another system, or with no distribution. Returns 0 if unknown, else fills in *name. */
enum errpipe_detail ep_loader_origin(const char *path, const char **name);

/* libc.c: Debian's package with that loader, kept: "libc6", or, to add an architecture, "libc6:i386". NULL: none. */
const char *ep_package(const struct ep_loader *loader, const struct ep_machine *machine);
const char *ep_foreign_package(struct ep_check *c, const struct ep_loader *loader, const struct ep_machine *machine);

#pragma GCC visibility pop

#endif
