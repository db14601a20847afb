/* SPDX-License-Identifier: MIT */
/* The kind of a file that has the name of a library but is not one. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/span.h"
#include "explain/program/walk.h"

/* "libc.so" and others are texts that lead ld to the library: https://sourceware.org/binutils/docs/ld/Implicit-Linker-Scripts.html */
static bool is_linker_script(struct ep_span text)
{
	static const char *const words[] = { "INPUT", "GROUP", "OUTPUT_FORMAT" };

	if (ep_starts(text, "/* GNU ld script"))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct ep_span rest = ep_after(text, strlen(words[i]));

		if (ep_starts(text, words[i]) && ep_byte(rest, ep_while(rest, " \t")) == '(')
			return true;
	}
	return false;
}

/* The same signs as for a program. Without any, the detail describes the file. */
static void find_kind(struct ep_finding *finding, const char *path, const struct ep_readable *file)
{
	uint64_t size = file->st.st_size;
	char bytes[EP_TEXT_SIZE];
	struct ep_text text = { .path = path };
	struct ep_head head;
	ssize_t n = ep_pread(file->fd, bytes, sizeof(bytes), 0);

	if (n < 0 || ep_read_head(file->fd, &head) < 0)
		return;
	text.all = (struct ep_span){ bytes, n };
	text.whole = n < EP_TEXT_SIZE;
	if (n == 0)
		finding->detail = ERRPIPE_DETAIL_LIBRARY_EMPTY;
	else if (is_linker_script(text.all))
		finding->detail = ERRPIPE_DETAIL_LIBRARY_LINKER_SCRIPT;
	else if (ep_format(&head) == ERRPIPE_FORMAT_TEXT)
		finding->subject_content = ep_text_content(&text);
	else if (ep_leading_nuls(file->fd, size) == size)
		finding->subject_content = ERRPIPE_CONTENT_NUL_BYTES;
}

enum ep_try ep_walk_not_elf(struct ep_walk *w, const char *path, const struct ep_readable *file,
			    enum errpipe_detail detail)
{
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_LIBRARY_INVALID, .detail = detail };

	if (ep_walk_of_other_libc(w))
		return ep_walk_stop(w, path, ep_walk_other_libc(w));
	finding.subject = ep_walk_tell(w, path);
	find_kind(&finding, path, file);
	return ep_walk_stop(w, path, finding);
}
