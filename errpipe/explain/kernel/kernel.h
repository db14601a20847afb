/* SPDX-License-Identifier: MIT */
/* The steps of execve(2), a file for each. They decide: each returns 0, or -1 after ep_finding_set(). */
#ifndef ERRPIPE_EXPLAIN_KERNEL_H
#define ERRPIPE_EXPLAIN_KERNEL_H

#include "explain/facts/facts.h"

#pragma GCC visibility push(hidden)

/* The file that the kernel takes next. */
struct ep_next {
	enum errpipe_link_kind kind; /* 0: none, this one is run */
	const char *path;	     /* kept */
	bool opened;		     /* a handler that was opened when it was registered: its path does not matter */
};

/*
 * mounts.c: copy the question with mounts whose paths have no symbolic links. Returns 0, or the errors of mmap(2). After
 * the copy was used, call ep_forget_mounts().
 */
int ep_follow_mounts(struct ep_check *c, struct errpipe_question *followed);
void ep_forget_mounts(struct errpipe_question *followed);

/* mounts.c: for a program without a fault that nobody has tried: can all mounts be made? */
void ep_check_mounts(struct ep_check *c);

/* mounts.c: is a directory to be mounted on a file, or a file on a directory? If so, *finding says so. */
bool ep_mount_misfits(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding);

/* mounts.c: the mode of a file without this mount and later ones. 0: it does not exist, or is unknown. */
mode_t ep_mode_below(struct ep_check *c, const struct errpipe_mount *mount, const char *path);

/* mounts.c: the same without the mounts below it that are empty at first: a file that several of them hide. */
mode_t ep_mode_hidden(struct ep_check *c, const struct errpipe_mount *mount, const char *path);

/* mounts.c: the mount that covers a regular file of the root, or of an earlier mount. NULL: none, or it has one itself. */
const struct errpipe_mount *ep_hiding_mount(struct ep_check *c, const char *path);

/* mounts.c: set subject, object and detail of a finding to a mount that hides a file. */
void ep_hidden_by(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding);

/* mounts.c: for a hint. Also false if the caller cannot list the directory. */
bool ep_is_empty_directory(int path_fd);

/* search.c: is the name looked up in these directories? */
bool ep_is_searched(const char *name, const char *search_path);

/* search.c: what an explanation of a path in PATH means for the search. After a refusal it goes on, but remembers it. */
enum ep_found { EP_FOUND_FILE, EP_FOUND_REFUSAL, EP_FOUND_NOTHING };
enum ep_found ep_found(const struct errpipe_explanation *ex);

/*
 * process.c: checks that need no file: the process limit, the arguments, and what the report alone shows (seccomp, the
 * stub). No link is broken.
 */
int ep_before_lookup(struct ep_check *c);

/*
 * process.c: checks between finding the file and reading it: the arguments, if there was no attempt, and AT_EXECVE_CHECK,
 * which asks the kernel whether it would open that file to exec it.
 */
int ep_before_reading(struct ep_check *c, struct errpipe_link *link, int path_fd);

/*
 * arguments.c: are argv and envp too large? After E2BIG they are, or something that was added to them. No link is broken.
 */
int ep_arguments(struct ep_check *c);

/*
 * open.c: look up the path of the link, and fill in everything about the file that needs no reading. Returns an O_PATH
 * descriptor of a regular file that may be executed, or -1.
 */
int ep_find_file(struct ep_check *c, struct errpipe_link *link);

/*
 * open.c: does anything exist at that path in the root; a regular file; one with an x bit? For hints: these make no
 * finding.
 */
bool ep_exists(struct ep_check *c, const char *path);
bool ep_is_file(struct ep_check *c, const char *path);
bool ep_is_program(struct ep_check *c, const char *path);

/* search.c: the paths at which execvp(3) looks for a name without a slash. */
struct ep_places {
	const char *name;
	const char *rest; /* the directories that are left, separated by colons; NULL: none */
	char text[4096];  /* the current path */
};

/* Returns false after the last place. */
bool ep_next_place(struct ep_places *places);

/* search.c: what execve(2) meets at a path, for the process that execs. */
enum ep_place {
	EP_PLACE_EMPTY,	 /* nothing: execvp(3) goes on */
	EP_PLACE_SHUT,	 /* a directory may not be searched: it goes on, but remembers EACCES */
	EP_PLACE_UNSEEN, /* errpipe cannot look there */
	EP_PLACE_THERE	 /* a file of any type, or an error that ends the search */
};

enum ep_place ep_look_at(struct ep_check *c, const char *path);
/* open.c: a file that the process itself opens to read it, such as a library. */
struct ep_readable {
	int fd; /* -1: the process may read it, but the caller cannot */
	struct stat st;
	bool noexec;
	struct errpipe_denied
		denied; /* after EACCES for another process than the caller: why it may not read the file */
};

/* open.c: returns 0, or the negative errno of the process's open(2); a file of any type can be opened. */
int ep_open_to_read(struct ep_check *c, const char *path, struct ep_readable *file);

/* open.c: a regular file, to read it whether or not the process may. For hints. Returns a descriptor, or a negative errno. */
int ep_open_for_hint(struct ep_check *c, const char *path);

/*
 * open.c, for hints: does looking up a path as the process fail for this cause? If so, *subject and *object are kept; *object
 * may be NULL.
 */
bool ep_fails_by(struct ep_check *c, const char *path, enum errpipe_cause cause, const char **subject,
		 const char **object);

/* open.c: a directory, to list it. For hints. Returns a descriptor, or a negative errno. */
int ep_open_directory(struct ep_check *c, const char *path);

/* open.c: a permission is denied to others. Note whether /etc/passwd of the root names that user. */
void ep_note_user(struct ep_check *c);

/* open.c: the caller's path of a file in the root, kept; NULL: unknown. */
const char *ep_path_here(struct ep_check *c, const char *path);

/* open.c: set the object to the mount point of a file that ep_open_to_read() has opened. */
void ep_name_mount(struct ep_check *c, const char *path, struct ep_finding *finding);

/*
 * open.c: opening or reading the file gave read_error, and an exec gives error. The calling process may be the reason.
 * Returns -1.
 */
int ep_not_read(struct ep_check *c, const struct errpipe_link *link, int error, int read_error);

/*
 * permission.c: may the file be executed, or the directory be searched, by its mode, its access control list and the
 * process's capabilities? Where the kernel can be asked, it decides. MAY_NOT: *finding gets who is denied, and a detail.
 * REFUSED: mode, list and capabilities allow it, but the kernel refuses it.
 */
enum ep_access { EP_MAY, EP_MAY_NOT, EP_REFUSED };
enum ep_access ep_access(struct ep_check *c, int path_fd, const struct stat *st, struct ep_finding *finding);

/* permission.c: may the process, which is not the caller, read the file? If not, *denied tells in which class it is. */
bool ep_may_read(struct ep_check *c, int path_fd, const struct stat *st, struct errpipe_denied *denied);

/* permission.c: may it read any file after an exec? */
bool ep_may_read_all(const struct errpipe_who *who);

/* permission.c: is the group the process's own, or one of its supplementary groups? */
bool ep_is_in_group(const struct errpipe_who *who, gid_t gid);

/* busy.c: the file is open for writing. Returns -1. */
int ep_busy(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_writers *writers);

/* handler.c: does binfmt_misc have an enabled handler for these bytes, or this name? Returns 1 with *next, or 0. */
int ep_take_handler(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head,
		    struct ep_next *next);

/* handler.c: the program of the handler that takes this file is missing. Note which handler it is. */
void ep_handler_missing(struct ep_check *c, const struct errpipe_link *program);

/* handler.c: a file that is neither script nor ELF. Is there a handler for it that is disabled? Returns 1 after a finding, or 0. */
int ep_lost_handler(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head);

/* handler.c: a foreign program without a handler. Fills in ex->binfmt and ex->platform. Returns -1. */
int ep_foreign(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head);

/* script.c: the interpreter line. Returns 0 with *next, or -1. */
int ep_script(struct ep_check *c, struct errpipe_link *link, const struct ep_head *head, struct ep_next *next);

/* interpreter.c: the link, the interpreter of script, is missing. Refine that to what is wrong in the first line. */
void ep_interpreter_missing(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_link *script);

/* no_format.c: the kernel knows no such format. Returns -1. */
int ep_no_format(struct ep_check *c, const struct errpipe_link *link);

/*
 * elf.c: what the kernel checks in a program up to the loader's name. fd is open for reading. Returns 0 with *next, or
 * -1; *next is then the loader of a program for another machine.
 */
int ep_elf(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head, struct ep_next *next);

/* elf.c: the same for a loader. */
int ep_elf_loader(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head);

/* elf.c: describe the file only; a binfmt_misc handler will run it. */
void ep_elf_describe(struct errpipe_link *link, int fd, const struct ep_head *head);

/* elf.c: this kernel lacks support for the machine, which others of its kind have. Returns -1. */
int ep_no_compatibility(struct ep_check *c, const struct errpipe_link *link);

/* elf.c: the file is cut off; size bytes are needed. Returns -1. */
int ep_elf_truncated(struct ep_check *c, const struct errpipe_link *link, struct ep_finding finding);

/* loader.c: a loader in the root for programs of that architecture, of another C library; or NULL. */
const struct ep_loader *ep_find_other_loader(struct ep_check *c, const char *architecture, enum ep_libc libc);

/* loader.c: the link, the loader of program, is missing. Refine that to what is known about loaders. */
void ep_loader_missing(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_link *program);

/* loader.c: the same of a foreign program that an emulator runs. It looks for the loader in the same root. */
void ep_emulated_loader_missing(struct ep_check *c, const struct errpipe_link *link);

/*
 * handler.c: is the handler an emulator that reads loader and libraries of a program in the root, and nowhere else? Others
 * bring their own, or have another root for them.
 */
bool ep_is_plain_emulator(struct ep_check *c, const struct errpipe_link *handler);

/*
 * credentials.c: file capabilities, and set-id bits that are ignored. Only for the file that becomes the process.
 */
int ep_credentials(struct ep_check *c, struct errpipe_link *link, int path_fd);

/* segments.c: faults in the segments of a program or loader that the kernel kills the process for. */
int ep_elf_segments(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head);

/* segments.c: RLIMIT_STACK of the process; UINT64_MAX: none. */
uint64_t ep_limit_of_stack(const struct ep_check *c);

/* segments.c: RLIMIT_AS of the process, and what the program, its loader and the stack take of it at least. */
uint64_t ep_address_limit(const struct ep_check *c);
uint64_t ep_addresses_taken(const struct ep_check *c);

/* segments.c: RLIMIT_DATA of the process; UINT64_MAX: none counts. *certainty is LIKELY if the kernel may ignore it, or 0. */
uint64_t ep_data_limit(const struct ep_check *c, enum errpipe_certainty *certainty);

/* The value of a limit that the question sets. */
static inline uint64_t ep_asked_limit(uint64_t asked)
{
	return asked == ERRPIPE_LIMIT_0 ? 0 : asked;
}

/* segments.c: the detail of a finding about a limit, which the question may set; 0: it does not. */
enum errpipe_detail ep_detail_of_limit(uint64_t asked);

/* credentials.c: do its set-id bits give the process another user or group? */
bool ep_changes_ids(const struct errpipe_who *who, const struct errpipe_link *link);

#pragma GCC visibility pop

#endif
