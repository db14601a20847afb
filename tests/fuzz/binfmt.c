/* SPDX-License-Identifier: MIT */
/*
 * ep_handler_in() on a directory that looks like binfmt_misc, for libFuzzer. The input:
 *
 *	for each of files[]: size (1 byte, 255: the file is missing), that many bytes
 *	size (1), the path
 *	the rest: the first bytes of the program
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "explain/kernel/kernel.h"
#include "fuzz.h"

static const char *const files[] = { "status", "a", "b", "register" };
enum { FILES = sizeof(files) / sizeof(*files), NO_FILE = 255 };

static bool is_whole_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, line, length) == 0 && (!text[length] || text[length] == '\n'))
			return true;
	}
	return false;
}

/* The text of the handler's file. */
static const char *text_of(const struct ep_handler *handler, char *const texts[])
{
	for (int i = 0; i < FILES; i++) {
		if (texts[i] && strcmp(files[i], handler->name) == 0)
			return texts[i];
	}
	return NULL;
}

static void check_handler(const struct ep_handler *handler, char *const texts[])
{
	const char *text = text_of(handler, texts), *status = texts[0];
	char line[sizeof(handler->interpreter) + 16];

	must(text != NULL, "the handler is a file of the directory");
	must(strcmp(handler->name, "status") != 0 && strcmp(handler->name, "register") != 0,
	     "the handler is not status or register");
	must(*handler->interpreter, "the handler has an interpreter");
	snprintf(line, sizeof(line), "interpreter %s", handler->interpreter);
	must(is_whole_line(text, line), "the interpreter is that of the file");
	if (handler->binfmt == ERRPIPE_BINFMT_ENABLED)
		must(is_whole_line(text, "enabled"), "an enabled handler is enabled in its file");
	if (handler->binfmt == ERRPIPE_BINFMT_HANDLER_DISABLED)
		must(!is_whole_line(text, "enabled"), "a disabled handler is not enabled in its file");
	must((handler->binfmt == ERRPIPE_BINFMT_DISABLED) == (status && strncmp(status, "disabled", 8) == 0),
	     "all handlers are disabled if and only if status says so");
	must(strstr(text, "magic ") || strstr(text, "extension ."), "the handler has a magic or an extension");
}

/* Another handler, which matches exactly these bytes, must be found, unless an earlier one matches. */
static void check_found(int directory, const char *path, const struct ep_head *head, size_t offset)
{
	struct ep_handler handler;
	char text[128 + 2 * sizeof(head->bytes)];
	int length;

	if (offset >= head->size)
		return;
	length = snprintf(text, sizeof(text), "enabled\ninterpreter /x\nflags: F\noffset %zu\nmagic ", offset);
	for (size_t i = offset; i < head->size; i++)
		length += snprintf(text + length, sizeof(text) - length, "%02x", head->bytes[i]);
	if (!put_file(directory, files[1], text, length, 0644))
		give_up(files[1]);
	ep_handler_in(directory, path, head, &handler);
	must(handler.binfmt == ERRPIPE_BINFMT_ENABLED || handler.binfmt == ERRPIPE_BINFMT_DISABLED,
	     "a matching handler is found");
	must(strcmp(handler.name, files[1]) != 0 || (handler.opened && strcmp(handler.interpreter, "/x") == 0),
	     "the handler that is found has its flags and interpreter");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int directory = -1;
	struct input input = { bytes, size }, part;
	struct ep_handler handler;
	struct ep_head head = { .size = 0 };
	char *texts[FILES] = { NULL }, *path;
	int descriptor;

	if (directory < 0)
		directory = make_base();
	for (int i = 0; i < FILES; i++) {
		unsigned length = take(&input);

		unlinkat(directory, files[i], 0);
		if (length == NO_FILE)
			continue;
		part = take_part(&input, length);
		if (put_file(directory, files[i], part.bytes, part.size, 0644))
			texts[i] = string_of(&part);
	}
	part = take_part(&input, take(&input));
	path = string_of(&part);
	part = take_part(&input, sizeof(head.bytes));
	if (part.size)
		memcpy(head.bytes, part.bytes, part.size);
	head.size = part.size;

	memset(&handler, 0x5a, sizeof(handler));
	descriptor = lowest_free();
	ep_handler_in(directory, path, &head, &handler);
	must(lowest_free() == descriptor, "no descriptor is left");
	must(handler.binfmt >= ERRPIPE_BINFMT_NO_HANDLER && handler.binfmt <= ERRPIPE_BINFMT_ENABLED,
	     "there is an answer");
	if (handler.binfmt != ERRPIPE_BINFMT_NO_HANDLER)
		check_handler(&handler, texts);
	check_found(directory, path, &head, input.size);
	for (int i = 0; i < FILES; i++)
		free(texts[i]);
	free(path);
	return 0;
}
