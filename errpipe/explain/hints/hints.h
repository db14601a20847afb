/* SPDX-License-Identifier: MIT */
/*
 * What a person most likely did. A hint replaces a finding of the kernel's rules by the mistake that led to it. It needs two
 * independent signs, or one that nothing else bears; with fewer it leaves the finding alone. A hint never changes whether
 * the program works, nor the errno.
 */
#ifndef ERRPIPE_EXPLAIN_HINTS_H
#define ERRPIPE_EXPLAIN_HINTS_H

#include "explain/kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* content.c: the kernel knows no such format, or takes no such ELF file. What is it? fd is open for reading. */
void ep_hint_content(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head);

/* content.c: the program may be for another system than Linux. */
void ep_hint_system(struct ep_check *c);

/* content.c: the path goes on after a file. Was that a symbolic link to a directory? */
void ep_hint_file_as_directory(struct ep_check *c);

/* content.c: does the #! line of the broken script, or of the broken interpreter, end too late or begin twice? */
void ep_hint_line(struct ep_check *c);

/* content.c: the interpreter of a script is missing. Has its name lost its directory? */
void ep_hint_interpreter(struct ep_check *c, const struct errpipe_link *link);

/*
 * quotation.c: text of a file, kept, for a finding. NULL if it is too long to be quoted, if the user of the question may not
 * read the file, or if container tools would take it for an errno.
 */
const char *ep_quote(struct ep_check *c, const struct errpipe_link *link, struct ep_span text);

/* command.c: something is missing. Is the command itself wrong? */
void ep_hint_command(struct ep_check *c);

/*
 * The hints of command.c that other files give: each returns whether it has refined the finding, which is about this link.
 *
 * expansion.c: a variable, ~ or a template.
 * words.c: a command that was meant for a shell: all of it in one word; one that only a shell has.
 * notation.c: a path as systemd, Windows, a browser or a container engine would take it.
 * similar.c: a character that cannot be seen, or that looks like another; a comma or semicolon at the end; a name that is spelled differently in its directory.
 * place.c: PATH is wrong; the file is in another directory; there is no shell; the image has another entrypoint.
 * host.c: a path of the caller's root instead of the question's.
 */
bool ep_hint_template(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_expansion(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_words(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_builtin(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_notation(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_windows_line(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_invisible(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_look_alike(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_punctuation(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_similar(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_path(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_place(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_entrypoint(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_no_shell(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_elsewhere(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_root_prefix(struct ep_check *c, const struct errpipe_link *link);
bool ep_hint_host(struct ep_check *c, const struct errpipe_link *link);

/* root.c: the program is missing. Is the root empty, or not a root file system at all? Returns whether it is. */
bool ep_hint_root(struct ep_check *c);

/* place.c: the path leads to a directory. "COPY app /app" puts the program into it; or it is in another directory. */
void ep_hint_instead(struct ep_check *c, const struct errpipe_link *link);

/* host.c: a symbolic link leads nowhere in the root. Does it lead to a file of the caller's root? */
void ep_hint_host_link(struct ep_check *c);

/* expansion.c: the working directory of a setup does not exist. Was it for a shell? */
void ep_hint_directory(struct ep_check *c);

/* searched.c: the names in a directory of the root, max at most. */
void ep_list(struct ep_check *c, const char *directory, int max, int (*each)(void *context, const char *name),
	     void *context);

/* expansion.c: the length of the variable's name with which a text begins; 0: none. */
size_t ep_variable_length(const char *text);

/* expansion.c: the kind of the first variable in the text. NONE: one of a shell, or no variable. */
enum errpipe_detail ep_expansion(const char *text);

/* expansion.c: expand variables, and ~ at the beginning. Returns whether all are known. */
bool ep_expand(const struct ep_check *c, const char *text, char *buf, size_t size);

/* searched.c: the PATH along which the broken link was searched, or would be; NULL: none. */
const char *ep_searched(const struct ep_check *c);

/* searched.c: is the beginning of the text a program, by its path or along PATH? */
bool ep_is_command(struct ep_check *c, const char *text, size_t length);

/* place.c: a directory of PATH. Begin with only rest set. */
struct ep_directory {
	const char *name, *rest;
	size_t length; /* of the name */
};

/* Returns false after the last. */
bool ep_next_directory(struct ep_directory *directory);

/* searched.c: does this search find a program with this name? */
bool ep_is_in_path(struct ep_check *c, const char *name);

#pragma GCC visibility pop

#endif
