/* SPDX-License-Identifier: MIT */
/*
 * ep_hint_content() on a file that the kernel does not start, for libFuzzer. The input:
 *
 *	options (1 byte): the name of the file (4 and 3 bits), and between them the enum below
 *	the rest: the file
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "explain/facts/elf_file.h"
#include "explain/facts/span.h"
#include "explain/hints/hints.h"
#include "fuzz.h"

enum { OTHER_USER = 16 };
enum { QUOTE_MAX = 40 };

static struct errpipe_explanation ex;

static const char *const paths[] = {
	"/x",	     "/x.py",	   "/x.js",	  "/x.rb",	     "/x.pl",	 "/x.jar", "/x.whl",
	"/x.pyz",    "/x.yml",	   "/x.bat",	  "/x.cmd",	     "/x.sh",	 "/x.ko",  "/.py",
	"py",	     "",	   "/x.lua",	  "/x.awk",	     "/x.sed",	 "/x.ps1", "/x.bash",
	"/x.c",	     "/x.go",	   "/x.rs",	  "/x.ts",	     "/x.sql",	 "/x.csv", "/x.toml",
	"/x.md",     "/x.service", "/x.env",	  "/x.conf",	     "/x.swift", "/x.php", "/x.apk",
	"/Makefile", "Makefile",   "/Dockerfile", "/x/Dockerfile.x", "/x.R",
};

/* The enum's bit is in the middle. */
static const char *path_of(unsigned options)
{
	return paths[(options % 16 + options / 32 * 16) % (sizeof(paths) / sizeof(*paths))];
}

static void check_damaged_line(struct ep_span text)
{
	struct ep_damaged_line found;

	if (!ep_find_damaged_line(text, &found))
		return;
	must(found.detail, "a damaged line has a detail");
	must(found.rest.at >= text.at && found.rest.size <= (size_t)(text.at + text.size - found.rest.at),
	     "the interpreter is in the text");
	must(found.rest.size && *found.rest.at == '/', "it is an absolute path");
	must(!memchr(found.rest.at, '\n', found.rest.size), "it is in one line");
}

/* A copy of exactly the size of the text shows reads beyond its end. */
static void check_text(const struct input *file, const char *path)
{
	size_t size = file->size < EP_TEXT_SIZE ? file->size : EP_TEXT_SIZE;
	char *copy = exactly(file->bytes, size);
	struct ep_text text = { { copy, size }, file->size < EP_TEXT_SIZE, path };
	enum errpipe_content language = ep_language(&text);
	bool known = language != ERRPIPE_CONTENT_UNKNOWN && language != ERRPIPE_CONTENT_SOURCE;

	check_damaged_line(text.all);
	must(ep_text_content(&text) <= ERRPIPE_CONTENT_PEM, "a text is text");
	must(known == !!ep_interpreter_of(language), "each language has an interpreter");
	free(copy);
}

/* What a finding quotes is in the file, except for the "#!" before it. */
static void check_quotation(const struct input *file, unsigned options)
{
	const char *quoted;

	if (!ex.object || (ex.cause != ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE &&
			   ex.link[0].content != ERRPIPE_CONTENT_LINK_AS_TEXT))
		return;
	quoted = ex.object + (ex.cause == ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE ? 2 : 0);
	must(!(options & OTHER_USER), "nobody reads it who may not");
	must(strlen(quoted) <= QUOTE_MAX, "a quotation is short");
	must(memmem(file->bytes, file->size, quoted, strlen(quoted)) != NULL, "a quotation is in the file");
}

static size_t finding(char *buf, size_t size, const void *of)
{
	return errpipe_finding(buf, size, of);
}

static size_t advice(char *buf, size_t size, const void *of)
{
	return errpipe_advice(buf, size, of);
}

static void check(const struct input *file, unsigned options)
{
	char *line = line_of(finding, &ex, 50);

	must(errpipe_cause_name(ex.cause) != NULL, "the cause has a name");
	must(ex.error == ENOEXEC && !ex.works, "it does not start");
	must(ex.broken == 0, "the file is the broken link");
	must(ex.link[0].content <= ERRPIPE_CONTENT_NUL_BYTES, "the content has a name");
	must(*line, "the finding is not empty");
	must(ex.link[0].content != ERRPIPE_CONTENT_PEM || !ex.object, "nothing of a key is quoted");
	check_quotation(file, options);
	free(line);
	line = line_of(advice, &ex, 9);
	must(*line, "the advice is not empty");
	free(line);
}

static void find(struct ep_check *c, struct errpipe_link *link, const struct ep_head *head)
{
	struct ep_finding object = { .cause = ERRPIPE_CAUSE_OBJECT_FILE, .error = ENOEXEC };

	if (link->format != ERRPIPE_FORMAT_ELF) {
		ep_no_format(c, link);
		return;
	}
	ep_elf_identify(link, head);
	if (link->type != ET_REL)
		object.cause = ERRPIPE_CAUSE_OTHER_ARCHITECTURE;
	ep_finding_set(c, link, object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1, root = -1;
	struct input input = { bytes, size };
	unsigned options = take(&input);
	struct errpipe_question question = { .path = path_of(options) };
	struct ep_check c = { .question = &question, .ex = &ex, .steps = EP_STEPS_MAX };
	struct errpipe_link *link = &ex.link[0];
	struct ep_head head;
	int descriptor;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (root < 0)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	c.root = root;
	if (ftruncate(fd, 0) < 0 || (input.size && pwrite(fd, input.bytes, input.size, 0) != (ssize_t)input.size))
		give_up("memfd");
	memset(&ex, 0, offsetof(struct errpipe_explanation, strings));
	ex.links = 1;
	*link = (struct errpipe_link){ .kind = ERRPIPE_LINK_PROGRAM, .parent = -1, .path = question.path };
	link->size = input.size;
	link->mode = options & OTHER_USER ? 0100711 : 0100755;
	c.who = (struct errpipe_who){ .uid = 1, .gid = 1 };
	if (ep_read_head(fd, &head) < 0)
		give_up("memfd");
	link->format = ep_format(&head);
	if (link->format == ERRPIPE_FORMAT_SCRIPT)
		return -1;
	check_text(&input, question.path);
	descriptor = lowest_free();
	find(&c, link, &head);
	ep_hint_content(&c, link, fd, &head);
	must(lowest_free() == descriptor, "no descriptor is left");
	check(&input, options);
	return 0;
}
